//! Other resources that a request names, and whether they exist.

use std::fmt::Display;

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
use store::Owned;

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
        let (tags, stage, owner) = (&named.tags, &named.stage, &named.owner);
        let mut missing = self.unknown::<Tag, P>(who, (tags.0, "tag"), &tags.1).await?;
        missing.extend(self.unknown::<Stage, P>(who, (stage.0, "stage"), &stage.1).await?);
        missing.extend(self.unknown::<Member, P>(who, (owner.0, "user"), &owner.1).await?);
        Ok(missing)
    }

    /// A problem of the field for each of these that does not exist in the caller's tenant. No request without ids.
    pub async fn unknown<T: Owned, P: Permit>(
        &self,
        who: &Allowed<P>,
        (field, name): (&'static str, &str),
        ids: impl IntoIterator<Item = impl Display>,
    ) -> Result<Vec<FieldProblem>, Problem> {
        let missing = self.store().missing::<T>(who.scope(), ids).await?;
        let problems = missing.iter().map(|id| {
            let fault = Fault::new(FaultCode::NotFound, format!("There is no {name} with the id {id}."));
            FieldProblem::new(field, fault.and("id", id.clone()))
        });
        Ok(problems.collect())
    }
}
