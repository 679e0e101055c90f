//! Contacts that are probably one person.

use api::{Api, ContactOut, Path};
use axum::Json;
use axum::extract::State;
use domain::people::Likeness;
use domain::terms::ContactId;
use kit::Problem;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{Reading, definitions, existing};

/// A contact that is probably the same person.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Duplicate")]
pub(crate) struct DuplicateOut {
    /// The contact.
    contact: ContactOut,
    /// The reasons, the strongest first. `same_person`: a provider reported the identities of both as one person's. `phone`,
    /// `email`: they have one number or address in two forms. `name_and_digits`: they have the same name, and numbers that end alike.
    reasons: Vec<Likeness>,
}

/// Contacts that are probably the same person as a contact.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Duplicates {
    /// The contacts, the most probable first. At most 20.
    items: Vec<DuplicateOut>,
}

pub(crate) async fn get_duplicates(
    who: Reading,
    State(api): State<Api>,
    Path(id): Path<ContactId>,
) -> Result<Json<Duplicates>, Problem> {
    let definitions = definitions(&api, &who).await?;
    let (store, scope) = (api.store(), who.scope());
    let person = existing(store, scope, id).await?;
    let found = store.duplicates_of(scope, &person).await?;
    let items = found.into_iter().map(|(person, reasons)| DuplicateOut {
        contact: ContactOut::of(person, &definitions),
        reasons: reasons.into_iter().collect(),
    });
    Ok(Json(Duplicates { items: items.collect() }))
}
