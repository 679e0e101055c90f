//! Other resources that a request names, and whether they exist.

use domain::{
    accounts::{account::Member, permission::permits::Permit},
    base::{
        fault::{Fault, FaultCode},
        ids::{StageId, TagId, UserId},
    },
    contacts::{stage::Stage, tag::Tag},
    tenants::settings::FieldProblem,
};
use kit::Problem;

use crate::{context::Api, guards::Allowed};

/// Resources that a request names, each with the field that names it.
#[derive(Debug, Clone)]
pub struct References {
    /// Tags.
    pub tags: (&'static str, Vec<TagId>),
    /// A stage.
    pub stage: (&'static str, Option<StageId>),
    /// A user who is responsible for contacts.
    pub owner: (&'static str, Option<UserId>),
}

impl Api {
    /// A problem for each that does not exist in the caller's tenant. One request for each kind that is named.
    pub async fn missing<P: Permit>(&self, who: &Allowed<P>, named: &References) -> Result<Vec<FieldProblem>, Problem> {
        let (store, scope) = (self.store(), who.scope());
        let tags = store.missing::<Tag>(scope, &named.tags.1).await?;
        let stage = store.missing::<Stage>(scope, named.stage.1).await?;
        let owner = store.missing::<Member>(scope, named.owner.1).await?;
        let missing = [
            (named.tags.0, tags, "There is no tag with the id"),
            (named.stage.0, stage, "There is no stage with the id"),
            (named.owner.0, owner, "There is no user with the id"),
        ];
        let mut wrong = Vec::new();
        for (field, ids, sentence) in missing {
            wrong.extend(ids.iter().map(|id| {
                let fault = Fault::new(FaultCode::NotFound, format!("{sentence} {id}."));
                FieldProblem::new(field, fault.and("id", id.to_string()))
            }));
        }
        Ok(wrong)
    }
}
