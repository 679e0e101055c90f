//! Records about a contact, such as notes: created, listed and read alike, whatever their kind.

use api::permits::Permit;
use api::{Allowed, Api, Created, Listed, Paging, Setback, Tagged, of_another_list, require_found};
use domain::people::Recorded;
use domain::terms::{ContactId, ContactItemId};
use kit::Problem;
use store::Versioned;
use store::contacts::NotCreated;

use crate::{RACES, itself, unless_merged};

/// Creates a record. A request with an idempotency key that was interrupted after it had written finds the record that it created.
/// `instead`: remedy if the contact has the maximum number.
pub(crate) async fn create<T: Recorded, P: Permit>(
    api: &Api,
    who: &Allowed<P>,
    new: &T,
    instead: &str,
) -> Result<Created<T>, Problem> {
    let (store, scope, stamp) = (api.store(), who.scope(), &who.stamp());
    let (contact, _) = new.id().place();
    let (list, _) = T::KIND.list();
    let full = || {
        let detail = format!("A contact can have at most {} {list}. {instead}", T::MAX);
        Problem::conflict("limit_reached", detail)
    };
    let created = RACES.until_won(|| async move {
        match store.create_of_contact(scope, new, stamp).await {
            Ok(()) => Ok(Versioned {
                version: 1,
                value: new.clone(),
            }),
            Err(NotCreated::NoContact) => Err(Problem::not_found().into()),
            Err(NotCreated::Full) => Err(full().into()),
            // Ids are nobody else's, so this is the one that the interrupted request created.
            Err(NotCreated::Store(lost)) if lost.is_conflict() => {
                let stored = store.of_contact(scope, contact, new.id()).await?;
                stored.ok_or(Setback::Lost)
            }
            Err(NotCreated::Store(error)) => Err(error.into()),
        }
    });
    let created = unless_merged(api, who, contact, created.await);
    let Versioned { version, value } = created.await?;
    Ok(Created {
        location: format!("/api/v1/contacts/{contact}/{list}/{}", new.id()),
        version,
        body: value,
    })
}

/// A page of them.
pub(crate) async fn list<T: Recorded, P: Permit>(
    api: &Api,
    who: &Allowed<P>,
    contact_id: ContactId,
    paging: &Paging,
) -> Result<Listed<T>, Problem> {
    let position = |text: &str| {
        let place = text.parse().ok().map(T::Id::place);
        let own = place.filter(|(contact, _)| *contact == contact_id).map(|(_, own)| own);
        own.ok_or_else(of_another_list)
    };
    let after = paging.after().map(position).transpose()?;
    let page = api
        .store()
        .page_of_contact::<T>(who.scope(), contact_id, after, paging.limit(), who.now());
    let (contact, page) = require_found(page).await?;
    itself(contact_id, &contact)?;
    Ok(Listed::of(page, |found| found.value))
}

/// Reads a record of a contact.
pub(crate) async fn read<T: Recorded, P: Permit>(
    api: &Api,
    who: &Allowed<P>,
    contact_id: ContactId,
    id: T::Id,
) -> Result<Tagged<T>, Problem> {
    let read = require_found(api.store().of_contact::<T>(who.scope(), contact_id, id)).await;
    unless_merged(api, who, contact_id, read).await.map(Tagged::of)
}
