//! Notes on a contact, with their authors. Only its author, managers and admins change or delete a note.

use api::permits::{self, Permit};
use api::{
    Allowed, AllowedOrRun, Api, Body, ContactName, Created, IfMatch, Listed, NoContent, Paging, Patch, Patchable, Path,
    Tagged, able, require_found,
};
use axum::extract::State;
use domain::accounts::Role;
use domain::people::{Mentions, Note, NoteText};
use domain::terms::{Actor, ContactId, NoteId, UserId};
use jiff::Timestamp;
use kit::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Page, Versioned};

use crate::{RACES, records, unless_merged};

/// The fields of a note.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoteIn {
    /// Text, of one or several lines.
    #[schemars(example = "Prefers to be called after five.")]
    text: NoteText,
    /// Ids of the mentioned users, who find it under `GET /api/v1/contacts/mentions`.
    #[serde(default)]
    #[schemars(extend("x-refers" = true))]
    mentions: Mentions,
}

/// A note that mentions the caller.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Mention")]
pub(crate) struct MentionOut {
    /// The note.
    note: Note,
    /// The contact. If the note's own was merged into another: the one that survived.
    contact: ContactName,
    /// Time since which it mentions the caller.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    mentioned_at: Timestamp,
}

impl Patchable for NoteIn {
    type Of = Note;

    fn of(note: &Note) -> Self {
        Self {
            text: note.text.clone(),
            mentions: note.mentions.clone(),
        }
    }

    fn onto(self, before: &Note) -> Result<Note, Problem> {
        Ok(before.with_text(self.text, self.mentions))
    }
}

/// Refuses to mention users who cannot attend to conversations: they do not exist, are deactivated, or only read.
async fn refuse_unable<P: Permit>(
    api: &Api,
    who: &Allowed<P>,
    before: &[UserId],
    after: &[UserId],
) -> Result<(), Problem> {
    let new: Vec<UserId> = after.iter().filter(|user| !before.contains(user)).copied().collect();
    if new.is_empty() {
        return Ok(());
    }
    let known = api.store().members_named(who.scope(), &new).await?;
    let problems = able(known, "mentions", &new);
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems.into())
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
    who: AllowedOrRun<permits::ContactsWrite>,
    State(api): State<Api>,
    Path(contact_id): Path<ContactId>,
    Body(fields): Body<NoteIn>,
) -> Result<Created<Note>, Problem> {
    let who = who.about(contact_id)?;
    let id = NoteId::new(contact_id, who.ulid());
    refuse_unable(&api, &who, &[], &fields.mentions).await?;
    let new = Note {
        mentions: fields.mentions,
        ..Note::new(id, fields.text, who.actor(), who.now())
    };
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
    let read = || store.of_contact(scope, contact_id, note_id);
    let (api, who) = (&api, &who);
    let allow = |before: &Note, _: &Note| own_or_managed(who, before);
    let write = |before: Versioned<Note>, mut value: Note| async move {
        refuse_unable(api, who, &before.value.mentions, &value.mentions).await?;
        value.updated_at = stamp.at;
        let version = store.change_of_contact(scope, &before, &value, stamp).await?;
        Ok(Versioned { version, value })
    };
    let changed = patch.change(&if_match, read, allow, write).await;
    unless_merged(api, who, contact_id, changed).await.map(Tagged::of)
}

pub(crate) async fn list_mentions(
    who: Allowed<permits::ContactsRead>,
    State(api): State<Api>,
    paging: Paging,
) -> Result<Listed<MentionOut>, Problem> {
    let (after, limit) = (paging.position()?, paging.limit());
    let page = match who.actor() {
        Actor::User(user) => api.store().mentions(who.scope(), user, after, limit).await?,
        // Notes mention users only.
        Actor::ApiKey(_) | Actor::Platform(_) | Actor::Operator => Page {
            items: Vec::new(),
            next: None,
        },
    };
    Ok(Listed::of(page, |mention| MentionOut {
        contact: ContactName::from(&mention.person),
        note: mention.note,
        mentioned_at: mention.at,
    }))
}

pub(crate) async fn delete_note(
    who: Allowed<permits::ContactsWrite>,
    State(api): State<Api>,
    Path((contact_id, note_id)): Path<(ContactId, NoteId)>,
    if_match: IfMatch,
) -> Result<NoContent, Problem> {
    let (store, who, if_match, stamp) = (api.store(), &who, &if_match, &who.stamp());
    let removed = RACES.until_won(|| async move {
        let before = require_found(store.of_contact::<Note>(who.scope(), contact_id, note_id)).await?;
        if_match.check(before.version)?;
        own_or_managed(who, &before.value)?;
        store.remove_of_contact(who.scope(), &before, stamp).await?;
        Ok(NoContent)
    });
    unless_merged(&api, who, contact_id, removed.await).await
}
