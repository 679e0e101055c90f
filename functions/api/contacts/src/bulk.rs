//! Changes of many contacts: checked here, made by the operation `change_contacts`.

use std::collections::HashSet;

use api::{Allowed, Api, Body, OperationOut, References, With, permits, start_and_answer};
use axum::extract::State;
use axum::{Extension, Json};
use domain::people::{ChangeContacts, ChangeDetails, ChangeIn, EditedFields, Segment};
use domain::terms::{ContactId, FieldProblem, OperationKind, SegmentId};
use kit::{Bus, Problem};
use store::table::rates::Limit;

use crate::definitions;
use crate::models::ContactChangesIn;

/// Changes of many contacts that a tenant starts per hour.
const CHANGES: Limit = Limit::per_hour(100);

type Changing = Allowed<permits::ContactsBulk>;

/// Reads what the change refers to, but none of the contacts: the operation says which of them it could not change.
pub(crate) async fn change_contacts(
    who: Changing,
    State(api): State<Api>,
    Extension(bus): Extension<Bus>,
    Body(asked): Body<ContactChangesIn>,
) -> Result<With<202, Json<OperationOut>>, Problem> {
    let ContactChangesIn {
        contacts,
        segment,
        change,
    } = asked;
    let definitions = definitions(&api, &who).await?;
    let mut wrong = selection(&contacts, segment);
    wrong.extend(change.problems().into_iter().map(of_change));
    let values = change.values(&definitions).unwrap_or_else(|found| {
        wrong.extend(found.into_iter().map(of_change));
        Default::default()
    });
    let named = References {
        tags: ("change.add_tags", change.add_tags.to_vec()),
        stage: ("change.stage", change.stage.set().copied()),
        owner: ("change.owner", change.owner.set().copied()),
    };
    wrong.extend(api.missing(&who, &named).await?);
    let found = match segment {
        Some(id) => api.store().get::<Segment>(who.scope(), &id).await?,
        None => None,
    };
    if let Some(id) = segment.filter(|_| found.is_none()) {
        let detail = format!("There is no segment with the id {id}.");
        wrong.push(FieldProblem::new("segment", detail));
    }
    if !wrong.is_empty() {
        return Err(wrong.into());
    }
    let filter = match found {
        Some(found) => {
            api.search_of(&who, &found.value, &definitions).await?;
            Some(found.value.filter)
        }
        None => None,
    };
    let contacts = once_each(contacts.into_vec());
    let params = ChangeContacts {
        contacts: segment.is_none().then_some(contacts.len() as u64),
        segment,
        filter,
        fields: change.fields.0.keys().cloned().collect(),
        change: ChangeIn {
            fields: EditedFields::default(),
            ..change
        },
    };
    let details = ChangeDetails { contacts, values };
    api.limit(&who, "CONTACT_CHANGES", CHANGES).await?;
    let operation = api.new_operation(&who, OperationKind::ChangeContacts, &params).await?;
    let (store, stamp) = (api.store(), who.stamp());
    store
        .create_detailed_operation(who.scope(), &operation, &details, &stamp)
        .await?;
    Ok(start_and_answer(&who, &bus, operation).await)
}

/// Problems of the selection of contacts.
fn selection(contacts: &[ContactId], segment: Option<SegmentId>) -> Vec<FieldProblem> {
    let problem = match (contacts.is_empty(), segment) {
        (true, None) => FieldProblem::new("contacts", "Name at least one contact, or a segment in `segment`."),
        (false, Some(_)) => FieldProblem::new("segment", "Send either `contacts` or `segment`."),
        (true, Some(_)) | (false, None) => return Vec::new(),
    };
    vec![problem]
}

fn of_change(problem: FieldProblem) -> FieldProblem {
    problem.within("change")
}

/// The contacts in their order, without repetitions.
fn once_each(contacts: Vec<ContactId>) -> Vec<ContactId> {
    let mut known = HashSet::with_capacity(contacts.len());
    contacts.into_iter().filter(|contact| known.insert(*contact)).collect()
}
