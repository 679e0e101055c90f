//! Identities of a contact one by one: telephone numbers, e-mail addresses, and the ids that WhatsApp gives people.

use api::{Api, Body, ContactOut, NoContent, Path, Tagged};
use axum::extract::State;
use domain::people::{MAX_IDENTITIES, Person};
use domain::terms::{Bsuid, ContactId, Email, Fault};
use kit::Problem;

use crate::models::EmailIn;
use crate::{Writing, edit_contact};

/// Adds an identity to the known ones of its kind. A known identity becomes the preferred one if so wanted.
///
/// # Errors
/// 409 if there is no room for it.
pub(crate) fn add<T: Clone + PartialEq>(
    known: &mut Vec<T>,
    new: &T,
    preferred: bool,
    kind: &str,
) -> Result<(), Problem> {
    match known.iter().position(|known| known == new) {
        Some(place) if preferred => known[..=place].rotate_right(1),
        Some(_) => {}
        None if known.len() >= MAX_IDENTITIES => {
            let detail = format!("A contact can have at most {MAX_IDENTITIES} {kind}. Remove one first.");
            return Err(Problem::conflict("limit_reached", detail));
        }
        None if preferred => known.insert(0, new.clone()),
        None => known.push(new.clone()),
    }
    Ok(())
}

/// Removes an identity from the known ones of its kind.
///
/// # Errors
/// 404 if it is not among them.
pub(crate) fn remove<T: PartialEq<I>, I: ?Sized>(known: &mut Vec<T>, gone: &I) -> Result<(), Problem> {
    let place = known.iter().position(|known| known == gone);
    known.remove(place.ok_or_else(Problem::not_found)?);
    Ok(())
}

/// Refuses to remove the last thing that says who a contact is. `field` names what was to be removed.
///
/// # Errors
/// 422.
pub(crate) fn still_somebody(after: &Person, field: &str) -> Result<(), Problem> {
    if after.is_nobody() {
        let detail = "A contact needs a name, a telephone number or an e-mail address. Delete the contact instead.";
        let fault = Fault::requires(&["name", "phones", "emails"], detail);
        return Err(Problem::field(field, fault));
    }
    Ok(())
}

pub(crate) async fn add_email(
    who: Writing,
    State(api): State<Api>,
    Path(id): Path<ContactId>,
    Body(EmailIn { email, preferred }): Body<EmailIn>,
) -> Result<Tagged<ContactOut>, Problem> {
    let with_it = |after: &mut Person| add(&mut after.contact.emails, &email, preferred, "e-mail addresses");
    edit_contact(&api, &who, id, with_it).await
}

pub(crate) async fn remove_email(
    who: Writing,
    State(api): State<Api>,
    Path((id, email)): Path<(ContactId, Email)>,
) -> Result<NoContent, Problem> {
    let without_it = |after: &mut Person| {
        remove(&mut after.contact.emails, &email)?;
        still_somebody(after, "email")
    };
    edit_contact(&api, &who, id, without_it).await?;
    Ok(NoContent)
}

pub(crate) async fn remove_whatsapp_id(
    who: Writing,
    State(api): State<Api>,
    Path((id, whatsapp_id)): Path<(ContactId, Bsuid)>,
) -> Result<NoContent, Problem> {
    let without_it = |after: &mut Person| {
        remove(&mut after.contact.bsuids, whatsapp_id.as_str())?;
        still_somebody(after, "whatsapp_id")
    };
    edit_contact(&api, &who, id, without_it).await?;
    Ok(NoContent)
}
