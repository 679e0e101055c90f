//! Notes on a contact, with their authors. Only its author, managers and admins change or delete a note.

pub(crate) use api::of_another_list;
use api::{
    Allowed, Api, Body, Created, IfMatch, Listed, NoContent, Paging, Patch, Path, Races, Setback, Tagged, found,
    permits, permits::Permit,
};
use axum::extract::State;
use domain::{
    accounts::permission::Role,
    base::ids::{ContactId, NoteId},
    contacts::note::{Note, NoteText},
};
use kit::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Versioned, contacts::of_contact::NotCreated};
use ulid::Ulid;

use crate::{itself, unless_merged};

/// Attempts of a change that loses races, before the caller gets a conflict.
const RACES: Races = Races::most(24);

/// The fields of a note.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoteIn {
    /// Text, of one or several lines.
    #[schemars(example = "Prefers to be called after five.")]
    text: NoteText,
}

impl NoteIn {
    fn of(note: &Note) -> Self {
        Self {
            text: note.text.clone(),
        }
    }

    fn onto(self, before: &Note) -> Note {
        before.with_text(self.text)
    }
}

/// The end of the previous page: the last note on it.
fn end_of_page(contact: ContactId, paging: &Paging) -> Result<Option<Ulid>, Problem> {
    let position = |text: &str| text.parse().ok().filter(|note: &NoteId| note.contact() == contact);
    let after = paging.after().map(|text| position(text).ok_or_else(of_another_list));
    after.map(|note| note.map(NoteId::own)).transpose()
}

/// Refuses callers who are neither the author nor manage the tenant.
fn own_or_managed<P: Permit>(who: &Allowed<P>, note: &Note) -> Result<(), Problem> {
    if note.author == who.actor() || who.role() >= Role::Manager {
        Ok(())
    } else {
        let detail =
            "Only its author, managers and admins can change or delete a note. Ask one of them, or add a note.";
        Err(Problem::forbidden(detail))
    }
}

fn limit_reached() -> Problem {
    let detail = format!("A contact can have at most {} notes. Delete one first.", Note::MAX);
    Problem::conflict("limit_reached", detail)
}

/// A request with an idempotency key that was interrupted after it had written finds the note that it created.
pub(crate) async fn create_note(
    who: Allowed<permits::ContactsWrite>,
    State(api): State<Api>,
    Path(contact_id): Path<ContactId>,
    Body(fields): Body<NoteIn>,
) -> Result<Created<Note>, Problem> {
    let (store, scope, stamp) = (api.store(), who.scope(), &who.stamp());
    let id = NoteId::new(contact_id, who.ulid());
    let new = &Note::new(id, fields.text, who.actor(), who.now());
    let created = RACES.until_won(|| async move {
        match store.create_of_contact(scope, new, stamp).await {
            Ok(()) => Ok(Versioned {
                version: 1,
                value: new.clone(),
            }),
            Err(NotCreated::NoContact) => Err(Problem::not_found().into()),
            Err(NotCreated::Full) => Err(limit_reached().into()),
            // Ids are nobody else's, so this is the one that the interrupted request created.
            Err(NotCreated::Store(lost)) if lost.is_conflict() => {
                store.note(scope, contact_id, id).await?.ok_or(Setback::Lost)
            }
            Err(NotCreated::Store(error)) => Err(error.into()),
        }
    });
    let created = unless_merged(&api, &who, contact_id, created.await);
    let Versioned { version, value } = created.await?;
    Ok(Created {
        location: format!("/api/v1/contacts/{contact_id}/notes/{id}"),
        version,
        body: value,
    })
}

pub(crate) async fn list_notes(
    who: Allowed<permits::ContactsRead>,
    State(api): State<Api>,
    Path(contact_id): Path<ContactId>,
    paging: Paging,
) -> Result<Listed<Note>, Problem> {
    let after = end_of_page(contact_id, &paging)?;
    let store = api.store();
    let page = store.page_of_contact::<Note>(who.scope(), contact_id, after, paging.limit(), who.now());
    let (contact, page) = found(page).await?;
    itself(contact_id, &contact)?;
    Ok(Listed::of(page, |found| found.value))
}

pub(crate) async fn get_note(
    who: Allowed<permits::ContactsRead>,
    State(api): State<Api>,
    Path((contact_id, note_id)): Path<(ContactId, NoteId)>,
) -> Result<Tagged<Note>, Problem> {
    let read = found(api.store().note(who.scope(), contact_id, note_id)).await;
    unless_merged(&api, &who, contact_id, read).await.map(Tagged::of)
}

pub(crate) async fn update_note(
    who: Allowed<permits::ContactsWrite>,
    State(api): State<Api>,
    Path((contact_id, note_id)): Path<(ContactId, NoteId)>,
    if_match: IfMatch,
    patch: Patch<NoteIn>,
) -> Result<Tagged<Note>, Problem> {
    let decide = |before: &Note| {
        let after = patch.apply(&NoteIn::of(before))?.onto(before);
        if after != *before {
            own_or_managed(&who, before)?;
        }
        Ok(after)
    };
    let changed = changed(&api, &who, (contact_id, note_id), &if_match, decide).await;
    unless_merged(&api, &who, contact_id, changed).await.map(Tagged::of)
}

async fn changed(
    api: &Api,
    who: &Allowed<permits::ContactsWrite>,
    (contact, id): (ContactId, NoteId),
    if_match: &IfMatch,
    decide: impl Fn(&Note) -> Result<Note, Problem>,
) -> Result<Versioned<Note>, Problem> {
    let (store, scope, stamp) = (api.store(), who.scope(), &who.stamp());
    let read = || async move { store.note(scope, contact, id).await };
    let write = |before: Versioned<Note>, mut value: Note| async move {
        value.updated_at = stamp.at;
        let version = store.change_note(scope, &before, &value, stamp).await?;
        Ok(Versioned { version, value })
    };
    RACES.change(if_match, read, decide, write).await
}

pub(crate) async fn delete_note(
    who: Allowed<permits::ContactsWrite>,
    State(api): State<Api>,
    Path((contact_id, note_id)): Path<(ContactId, NoteId)>,
    if_match: IfMatch,
) -> Result<NoContent, Problem> {
    let (store, who, if_match, stamp) = (api.store(), &who, &if_match, &who.stamp());
    let removed = RACES.until_won(|| async move {
        let before = found(store.note(who.scope(), contact_id, note_id)).await?;
        if_match.check(before.version)?;
        own_or_managed(who, &before.value)?;
        store.remove_note(who.scope(), &before, stamp).await?;
        Ok(NoContent)
    });
    unless_merged(&api, who, contact_id, removed.await).await
}
