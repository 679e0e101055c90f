//! Conversions of a contact: what its tenant counts as a success. They are recorded and never change.

use api::{Allowed, Api, Body, Created, Listed, Paging, Path, Races, Setback, Tagged, found, of_another_list, permits};
use axum::extract::State;
use domain::{
    base::ids::{ContactId, ConversionId},
    contacts::conversion::{Conversion, ConversionIn},
};
use kit::Problem;
use store::contacts::of_contact::NotCreated;

use crate::{itself, unless_merged};

/// Attempts of a creation that loses races for the contact's row, before the caller gets a conflict.
const RACES: Races = Races::most(24);

fn limit_reached() -> Problem {
    let detail = format!(
        "A contact can have at most {} conversions. Record further ones of this person elsewhere.",
        Conversion::MAX
    );
    Problem::conflict("limit_reached", detail)
}

/// A request with an idempotency key that was interrupted after it had written finds the conversion that it created.
pub(crate) async fn create_conversion(
    who: Allowed<permits::ContactsWrite>,
    State(api): State<Api>,
    Path(contact_id): Path<ContactId>,
    Body(fields): Body<ConversionIn>,
) -> Result<Created<Conversion>, Problem> {
    let (store, scope, stamp) = (api.store(), who.scope(), &who.stamp());
    let id = ConversionId::new(contact_id, who.ulid());
    let new = Conversion::new(id, fields, who.actor(), who.now());
    let new = &new.map_err(|problem| Problem::from(vec![problem]))?;
    let created = RACES.until_won(|| async move {
        match store.create_of_contact(scope, new, stamp).await {
            Ok(()) => Ok(new.clone()),
            Err(NotCreated::NoContact) => Err(Problem::not_found().into()),
            Err(NotCreated::Full) => Err(limit_reached().into()),
            // Ids are nobody else's, so this is the one that the interrupted request created.
            Err(NotCreated::Store(lost)) if lost.is_conflict() => {
                let stored = store.of_contact(scope, contact_id, (contact_id, id.own())).await?;
                stored.map(|found| found.value).ok_or(Setback::Lost)
            }
            Err(NotCreated::Store(error)) => Err(error.into()),
        }
    });
    let created = unless_merged(&api, &who, contact_id, created.await);
    Ok(Created {
        location: format!("/api/v1/contacts/{contact_id}/conversions/{id}"),
        version: 1,
        body: created.await?,
    })
}

pub(crate) async fn list_conversions(
    who: Allowed<permits::ContactsRead>,
    State(api): State<Api>,
    Path(contact_id): Path<ContactId>,
    paging: Paging,
) -> Result<Listed<Conversion>, Problem> {
    let position = |text: &str| {
        let id: Option<ConversionId> = text.parse().ok();
        let own = id.filter(|id| id.contact() == contact_id).map(ConversionId::own);
        own.ok_or_else(of_another_list)
    };
    let after = paging.after().map(position).transpose()?;
    let store = api.store();
    let page = store.page_of_contact::<Conversion>(who.scope(), contact_id, after, paging.limit(), who.now());
    let (contact, page) = found(page).await?;
    itself(contact_id, &contact)?;
    Ok(Listed::of(page, |found| found.value))
}

pub(crate) async fn get_conversion(
    who: Allowed<permits::ContactsRead>,
    State(api): State<Api>,
    Path((contact_id, conversion_id)): Path<(ContactId, ConversionId)>,
) -> Result<Tagged<Conversion>, Problem> {
    let place = (conversion_id.contact(), conversion_id.own());
    let stored = api.store().of_contact::<Conversion>(who.scope(), contact_id, place);
    let read = found(stored).await;
    unless_merged(&api, &who, contact_id, read).await.map(Tagged::of)
}
