//! Notes on a contact, with their authors. Only its author, managers and admins change or delete a note.

use api::{
    Allowed, Api, Body, Created, IfMatch, Listed, NoContent, Paging, Patch, Patchable, Path, Tagged, found, permits,
    permits::Permit,
};
use axum::extract::State;
use domain::{
    accounts::permission::Role,
    base::ids::{ContactId, ContactItemId as _, NoteId},
    contacts::note::{Note, NoteText},
};
use kit::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Versioned;

use crate::{RACES, records, unless_merged};

/// The fields of a note.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoteIn {
    /// Text, of one or several lines.
    #[schemars(example = "Prefers to be called after five.")]
    text: NoteText,
}

impl Patchable for NoteIn {
    type Of = Note;

    fn of(note: &Note) -> Self {
        Self {
            text: note.text.clone(),
        }
    }

    fn onto(self, before: &Note) -> Result<Note, Problem> {
        Ok(before.with_text(self.text))
    }
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

pub(crate) async fn create_note(
    who: Allowed<permits::ContactsWrite>,
    State(api): State<Api>,
    Path(contact_id): Path<ContactId>,
    Body(fields): Body<NoteIn>,
) -> Result<Created<Note>, Problem> {
    let id = NoteId::new(contact_id, who.ulid());
    let new = Note::new(id, fields.text, who.actor(), who.now());
    records::create(&api, &who, &new, "Delete one first.").await
}

pub(crate) async fn list_notes(
    who: Allowed<permits::ContactsRead>,
    State(api): State<Api>,
    Path(contact_id): Path<ContactId>,
    paging: Paging,
) -> Result<Listed<Note>, Problem> {
    records::list(&api, &who, contact_id, &paging).await
}

pub(crate) async fn get_note(
    who: Allowed<permits::ContactsRead>,
    State(api): State<Api>,
    Path((contact_id, id)): Path<(ContactId, NoteId)>,
) -> Result<Tagged<Note>, Problem> {
    records::read(&api, &who, contact_id, id).await
}

pub(crate) async fn update_note(
    who: Allowed<permits::ContactsWrite>,
    State(api): State<Api>,
    Path((contact_id, note_id)): Path<(ContactId, NoteId)>,
    if_match: IfMatch,
    patch: Patch<NoteIn>,
) -> Result<Tagged<Note>, Problem> {
    let (store, scope, stamp) = (api.store(), who.scope(), &who.stamp());
    let read = || store.of_contact(scope, contact_id, note_id.place());
    let allow = |before: &Note, _: &Note| own_or_managed(&who, before);
    let write = |before: Versioned<Note>, mut value: Note| async move {
        value.updated_at = stamp.at;
        let version = store.change_of_contact(scope, &before, &value, stamp).await?;
        Ok(Versioned { version, value })
    };
    let changed = patch.change(&if_match, read, allow, write).await;
    unless_merged(&api, &who, contact_id, changed).await.map(Tagged::of)
}

pub(crate) async fn delete_note(
    who: Allowed<permits::ContactsWrite>,
    State(api): State<Api>,
    Path((contact_id, note_id)): Path<(ContactId, NoteId)>,
    if_match: IfMatch,
) -> Result<NoContent, Problem> {
    let (store, who, if_match, stamp) = (api.store(), &who, &if_match, &who.stamp());
    let removed = RACES.until_won(|| async move {
        let before = found(store.of_contact::<Note>(who.scope(), contact_id, note_id.place())).await?;
        if_match.check(before.version)?;
        own_or_managed(who, &before.value)?;
        store.remove_of_contact(who.scope(), &before, stamp).await?;
        Ok(NoContent)
    });
    unless_merged(&api, who, contact_id, removed.await).await
}
