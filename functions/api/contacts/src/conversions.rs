//! Conversions of a contact, the successes that its tenant counts. They are recorded and never change.

use api::{Allowed, Api, Body, Created, Listed, Paging, Path, Tagged, permits};
use axum::extract::State;
use domain::people::{Conversion, ConversionIn};
use domain::terms::{ContactId, ConversionId};
use kit::Problem;

use crate::records;

pub(crate) async fn create_conversion(
    who: Allowed<permits::ContactsWrite>,
    State(api): State<Api>,
    Path(contact_id): Path<ContactId>,
    Body(fields): Body<ConversionIn>,
) -> Result<Created<Conversion>, Problem> {
    let id = ConversionId::new(contact_id, who.ulid());
    let new = Conversion::new(id, fields, who.actor(), who.now());
    let new = new.map_err(|problem| Problem::from(vec![problem]))?;
    records::create(&api, &who, &new, "Record further ones of this person elsewhere.").await
}

pub(crate) async fn list_conversions(
    who: Allowed<permits::ContactsRead>,
    State(api): State<Api>,
    Path(contact_id): Path<ContactId>,
    paging: Paging,
) -> Result<Listed<Conversion>, Problem> {
    records::list(&api, &who, contact_id, &paging).await
}

pub(crate) async fn get_conversion(
    who: Allowed<permits::ContactsRead>,
    State(api): State<Api>,
    Path((contact_id, id)): Path<(ContactId, ConversionId)>,
) -> Result<Tagged<Conversion>, Problem> {
    records::read(&api, &who, contact_id, id).await
}
