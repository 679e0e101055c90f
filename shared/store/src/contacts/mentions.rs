//! Mentions: the users whom a note names. A row for each beside the note lets the user find it.
//!
//! A row is written and removed in the transaction of its note, and erased with its contact.

use domain::people::{HistoryKind, Note, Person, Recorded};
use domain::terms::{ContactId, ContactItemId as _, NoteId, Stamp, UserId};
use jiff::Timestamp;

use crate::inbox::InboxPosition;
use crate::table::database::{Index, Rows};
use crate::table::keys::{self, Key};
use crate::table::row::{self, Condition, Row, Write};
use crate::{Page, Store, StoreError, TenantScope, Versioned};

/// A note that mentions a user.
#[derive(Debug, Clone)]
pub struct Mention {
    /// Time since which it does.
    pub at: Timestamp,
    pub note: Note,
    /// Its contact. If that was merged into another: the one that survived.
    pub person: Person,
}

/// Writes that replace the mention rows of the old users by those of the new ones.
pub(crate) fn mention_writes<T: Recorded>(
    scope: &TenantScope,
    thing: &T,
    before: &[UserId],
    after: &[UserId],
    stamp: &Stamp,
    doing: &'static str,
) -> Result<Vec<Write>, StoreError> {
    let (contact, own) = thing.id().place();
    let key = |user: &UserId| keys::mention(scope, contact, own, *user);
    let mut writes = Vec::new();
    for user in after.iter().filter(|user| !before.contains(user)) {
        let row = Row::new(&key(user), "mention", &stamp.at, Condition::Always, doing)?;
        let sort = keys::inbox_place(stamp.at, thing.id());
        writes.push(Write::Put(row.in_list(keys::mentions(scope, *user), sort)));
    }
    let removed = before.iter().filter(|user| !after.contains(user));
    writes.extend(removed.map(|user| Write::Clear(key(user))));
    Ok(writes)
}

impl Store {
    /// A page of the notes that mention a user, the latest mention first. A page may be short: those of deleted contacts are hidden with
    /// them. One query, and a unit for each note, contact and profile.
    pub async fn mentions(
        &self,
        scope: &TenantScope,
        user: UserId,
        after: Option<InboxPosition<NoteId>>,
        limit: i32,
    ) -> Result<Page<Mention>, StoreError> {
        const DOING: &str = "list mentions";
        let partition = keys::mentions(scope, user);
        let last = after.map(|after| after.to_string());
        // The bounds are inclusive, and one more than wanted tells whether there are further ones.
        let rows = Rows::Between("0", last.as_deref().unwrap_or("~")).of(&partition);
        let read = limit + 1 + i32::from(after.is_some());
        let (items, _) = self
            .database
            .stretch(Index::ByDay, rows, None, read, true, DOING)
            .await?;
        let (_, sort) = Index::ByDay.keys();
        let places = items.iter().filter_map(|item| row::string(item, sort)?.parse().ok());
        let mut places: Vec<InboxPosition<NoteId>> = places.filter(|place| Some(*place) != after).collect();
        let most = usize::try_from(limit).unwrap_or(1);
        let more = places.len() > most;
        places.truncate(most);
        let note = |place: &InboxPosition<NoteId>| {
            let (contact, own) = place.id().place();
            keys::of_contact(scope, contact, HistoryKind::Note, own)
        };
        let contacts: Vec<ContactId> = places.iter().map(|place| place.id().contact()).collect();
        let along: Vec<Key> = places.iter().map(note).collect();
        let (people, mut rows) = self.known_many(scope, &contacts, &along, DOING).await?;
        let mut items = Vec::with_capacity(places.len());
        for place in &places {
            let found: Option<Versioned<Note>> = row::read_versioned(rows.remove(&note(place)), None, DOING)?;
            let person = people.get(&place.id().contact());
            let person = person.filter(|person| person.contact.deleted_at.is_none());
            // The index may not know yet that the note names somebody else now.
            let found = found.filter(|found| found.value.mentions.contains(&user));
            if let (Some(person), Some(found)) = (person, found) {
                items.push(Mention {
                    at: place.at(),
                    note: found.value,
                    person: person.clone(),
                });
            }
        }
        let next = places.last().filter(|_| more).map(ToString::to_string);
        Ok(Page { items, next })
    }
}
