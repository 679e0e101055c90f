//! Other resources that a request names, and whether they exist.

use std::collections::BTreeMap;
use std::fmt::Display;

use domain::accounts::permits::Permit;
use domain::accounts::{Member, MemberStatus};
use domain::people::{Stage, Tag};
use domain::terms::{Fault, FaultCode, FieldProblem, StageId, TagId, UserId};
use kit::Problem;
use store::Owned;

use crate::context::Api;
use crate::guards::Allowed;

/// Resources that a request names, each with the field that names it.
#[derive(Debug, Clone)]
pub struct References {
    pub tags: (&'static str, Vec<TagId>),
    pub stage: (&'static str, Option<StageId>),
    /// A user who is responsible for contacts.
    pub owner: (&'static str, Option<UserId>),
}

impl Api {
    /// A problem for each that does not exist in the caller's tenant. One request for each kind that is named.
    pub async fn missing<P: Permit>(&self, who: &Allowed<P>, named: &References) -> Result<Vec<FieldProblem>, Problem> {
        let (tags, stage, owner) = (&named.tags, &named.stage, &named.owner);
        let mut missing = self.unknown::<Tag, P>(who, tags.0, "tag", &tags.1).await?;
        missing.extend(self.unknown::<Stage, P>(who, stage.0, "stage", &stage.1).await?);
        missing.extend(self.unknown::<Member, P>(who, owner.0, "user", &owner.1).await?);
        Ok(missing)
    }

    /// A problem of the field for each of these that does not exist in the caller's tenant. No request without ids.
    pub async fn unknown<T: Owned, P: Permit>(
        &self,
        who: &Allowed<P>,
        field: &'static str,
        name: &str,
        ids: impl IntoIterator<Item = impl Display>,
    ) -> Result<Vec<FieldProblem>, Problem> {
        let missing = self.store().missing::<T>(who.scope(), ids).await?;
        Ok(missing.iter().map(|id| absent(field, name, id)).collect())
    }
}

/// The problem of a field that names something that does not exist.
pub fn absent(field: &'static str, name: &str, id: impl Display) -> FieldProblem {
    let fault = Fault::new(FaultCode::NotFound, format!("There is no {name} with the id {id}."));
    FieldProblem::new(field, fault.and("id", id.to_string()))
}

/// A problem of the field for each of these users who cannot attend to conversations: they do not exist, are deactivated, or only read.
/// `members`: the existing ones among them.
pub fn able(members: Vec<Member>, field: &'static str, users: &[UserId]) -> Vec<FieldProblem> {
    let members: BTreeMap<UserId, Member> = members.into_iter().map(|member| (member.user, member)).collect();
    let problem = |user: &UserId| {
        let Some(member) = members.get(user) else {
            return Some(absent(field, "user", user));
        };
        let detail = if member.status != MemberStatus::Active {
            format!("The user {user} is deactivated.")
        } else if !member.attends() {
            let role = member.role;
            format!("The user {user} cannot change conversations: the role {role} only reads.")
        } else {
            return None;
        };
        Some(FieldProblem::new(field, Fault::new(FaultCode::NotApplicable, detail)))
    };
    users.iter().filter_map(problem).collect()
}
