//! Merges of contacts: everything that one merge, or its undoing, writes, in one transaction under the versions that were read.
//!
//! The other contact's row becomes an alias ([`domain::people::Alias`]), which `Store::followed` follows. Its calls, messages, notes
//! and entries of the consent ledger stay in its partition, which the survivor names. So do its conversations, which are closed: what waits in
//! them goes on in the survivor's.

use std::collections::BTreeSet;

use domain::inbox::{Conversation, ConversationState, Joined};
use domain::people::{
    Alias, Apart, ConsentEntry, Contact, Digits, Identity, Likeness, MAX_DUPLICATES, Merge, Person, Profile, Undo,
    Undone, consent_id, likenesses,
};
use domain::terms::{ContactId, ConversationId, MergeId, Stamp};
use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};

use crate::contacts::{
    ContactWrite, Leads, PersonError, ProfileWrite, consent_row, identity_lead_row, if_contact_unchanged, merged_into,
};
use crate::inbox::conversation_row;
use crate::table::compact;
use crate::table::database::{Index, Rows};
use crate::table::effects::MAX_WRITES;
use crate::table::keys::{self, Key};
use crate::table::owned::Unwritten;
use crate::table::row::{self, ALIAS, Condition, Row, Write, text};
use crate::{Store, StoreError, TenantScope, Versioned};

/// Time between the end of a merge's undo period and the expiry of its undo row.
const MARGIN: SignedDuration = SignedDuration::from_hours(1);

/// Maximum contacts that are considered because their number ends like one of the contact's.
const MAX_ALIKE: i32 = 10;

/// A merge that was decided.
#[derive(Debug, Clone, Copy)]
pub struct Decided<'a> {
    /// Data for undoing it: both contacts as they were read, and the result.
    pub undo: &'a Undo,
    pub merge: &'a Merge,
    /// Other contacts of the same person that get refusals by it, with the entries for their ledgers.
    pub told: &'a [(Contact, Vec<ConsentEntry>)],
}

/// A merge and what it can be undone with.
#[derive(Debug, Clone, PartialEq)]
pub struct Undoable {
    pub merge: Versioned<Merge>,
    /// Both contacts before it, and its result. `None` if its time is over.
    pub undo: Option<Undo>,
    /// Identities that the other contact had before it and that lead to the surviving one.
    pub leading: Vec<Identity>,
    /// Version of the other contact's row.
    contact: u64,
    /// Version of its empty profile.
    profile: u64,
}

/// A profile without data, as a merged contact has.
fn empty_profile(profile: &Profile) -> Profile {
    Profile {
        version: profile.version,
        ..Profile::default()
    }
}

/// The write that makes an identity lead to another contact.
fn move_identity(
    scope: &TenantScope,
    identity: &Identity,
    from: ContactId,
    to: ContactId,
    doing: &'static str,
) -> Result<Write, StoreError> {
    let row = identity_lead_row(scope, identity, to, Condition::Always, doing)?;
    Ok(Write::PutHeld(row, text(from.to_string())))
}

/// Entries of a ledger, with ids that follow from their cause.
fn entries(
    scope: &TenantScope,
    contact: ContactId,
    at: Timestamp,
    cause: &str,
    entries: &[ConsentEntry],
    doing: &'static str,
) -> Result<Vec<Write>, StoreError> {
    let rows = entries.iter().zip(0..).map(|(entry, place): (_, u32)| {
        let id = consent_id(at, &format!("{cause}#{place}"));
        consent_row(scope, contact, id, entry, doing).map(Write::Put)
    });
    rows.collect()
}

impl Store {
    /// Merges a contact into another: all of it or nothing.
    ///
    /// # Errors
    /// [`PersonError::TooMany`] if it touches more rows than a transaction takes; [`StoreError::Conflict`] after a lost race.
    pub async fn merge_people(
        &self,
        scope: &TenantScope,
        decided: &Decided<'_>,
        stamp: &Stamp,
    ) -> Result<(), PersonError> {
        const DOING: &str = "merge two contacts";
        let Decided { undo, merge, told } = *decided;
        let Undo {
            survivor,
            other,
            merged,
            ..
        } = undo;
        let joined = self.join_conversations(scope, survivor.contact.id, other.contact.id, DOING);
        let (conversations, joining) = joined.await?;
        let undo = &Undo {
            conversations,
            ..undo.clone()
        };
        let mut writes = ContactWrite {
            profile: Some(ProfileWrite {
                before: survivor.profile.clone(),
                after: merged.profile.clone(),
            }),
            ..ContactWrite::from(merged.contact.clone())
        }
        .writes(scope, DOING)?;
        let alias = Alias {
            into: survivor.contact.id,
            at: merge.at,
        };
        let key = keys::contact(scope, other.contact.id);
        let row = Row::new(&key, ALIAS, &alias, if_contact_unchanged(other.contact.version), DOING)?;
        writes.push(Write::Put(row.version(other.contact.version + 1)));
        let profile = ProfileWrite {
            before: other.profile.clone(),
            after: empty_profile(&other.profile),
        };
        writes.extend(profile.writes(scope, other.contact.id, DOING)?);
        let identities = other.contact.known_by();
        let leads = self.leads_only(scope, &identities, DOING).await?;
        for (identity, leads) in identities.iter().zip(leads) {
            if let Leads::To(holder) = leads
                && other.contact.is(holder)
            {
                writes.push(move_identity(scope, identity, holder, survivor.contact.id, DOING)?);
            }
        }
        let row = Row::new(&keys::merge(scope, merge.id), "merge", merge, Condition::New, DOING)?;
        writes.push(Write::Put(row.version(1).with_stamp(stamp)));
        let row = Row::new(&keys::undo(scope, merge.id), "merge_undo", undo, Condition::New, DOING)?;
        writes.push(Write::Put(row.expires_at(merge.undo_until() + MARGIN)));
        writes.extend(joining);
        for (contact, refusals) in told {
            writes.extend(ContactWrite::from(contact.clone()).writes(scope, DOING)?);
            let cause = format!("merge#{}", merge.id);
            writes.extend(entries(scope, contact.id, merge.at, &cause, refusals, DOING)?);
        }
        self.write_merge(writes, DOING).await
    }

    /// The conversations of the other contact that are not over, each with the survivor's on its line, and the writes that make one of both.
    /// Two writes each.
    async fn join_conversations(
        &self,
        scope: &TenantScope,
        survivor: ContactId,
        other: ContactId,
        doing: &'static str,
    ) -> Result<(Vec<Joined>, Vec<Write>), StoreError> {
        let mut others = self.own_conversations(scope, other, doing).await?;
        others.retain(|other| other.value.state != ConversationState::Closed);
        let key =
            |other: &Versioned<Conversation>| keys::conversation(scope, ConversationId::of(survivor, other.value.line));
        let keys: Vec<Key> = others.iter().map(key).collect();
        let mut found = self.database.get_many(&keys, doing).await?;
        let (mut joined, mut writes) = (Vec::new(), Vec::new());
        for (key, other) in keys.iter().zip(others) {
            let own = found.remove(key).map(|item| compact::conversation(item, doing));
            let own = own.transpose()?;
            let version = own.as_ref().map_or(0, |own| own.version);
            let one = Joined::of(survivor, own.map(|own| own.value), other.value);
            for (value, version) in [(one.merged.clone(), version), (one.closed_other(), other.version)] {
                let row = conversation_row(scope, &Versioned { value, version }, doing)?;
                writes.push(Write::Put(row));
            }
            joined.push(one);
        }
        Ok((joined, writes))
    }

    /// The writes that part the conversations of a merge again. One request more if somebody attends to them.
    async fn part_conversations(
        &self,
        scope: &TenantScope,
        conversations: &[Joined],
        doing: &'static str,
    ) -> Result<Vec<Write>, StoreError> {
        let key = |one: &Conversation| keys::conversation(scope, one.id());
        let both = conversations.iter().flat_map(|one| [&one.merged, &one.other]);
        let keys: Vec<Key> = both.map(key).collect();
        let mut found = self.database.get_many(&keys, doing).await?;
        let mut read = |key: &Key| {
            found
                .remove(key)
                .map(|item| compact::conversation(item, doing))
                .transpose()
        };
        let (mut writes, mut changed) = (Vec::new(), Vec::new());
        for (one, keys) in conversations.iter().zip(keys.chunks(2)) {
            let [merged, other] = keys else { continue };
            let own = read(merged)?.map(|now| (one.own_after_undo(&now.value), now));
            let other = read(other)?.map(|now| (Some(one.other_after_undo(&now.value)), now));
            for (after, now) in own.into_iter().chain(other) {
                let version = now.version;
                match after {
                    None => writes.push(Write::DeleteVersion(key(&now.value), version)),
                    Some(value) if value == now.value => {}
                    Some(value) => changed.push(Versioned { value, version }),
                }
            }
        }
        self.let_all_go(scope, &mut changed, doing).await?;
        let rows = changed.iter().map(|one| conversation_row(scope, one, doing));
        let rows: Vec<Row> = rows.collect::<Result<_, _>>()?;
        writes.extend(rows.into_iter().map(Write::Put));
        Ok(writes)
    }

    async fn write_merge(&self, writes: Vec<Write>, doing: &'static str) -> Result<(), PersonError> {
        if writes.len() > MAX_WRITES {
            return Err(PersonError::TooMany(writes.len()));
        }
        match self.write_until_settled(writes, doing).await {
            Ok(()) => Ok(()),
            Err(Unwritten::Store(error)) => Err(error.into()),
            Err(Unwritten::Lost(_)) => Err(StoreError::Conflict { doing }.into()),
        }
    }

    /// A merge, with what it can be undone with; `None` if there is none with this id. Whoever undoes it has read the surviving contact
    /// before, which is written with every identity that leads to it.
    pub async fn undoable(
        &self,
        scope: &TenantScope,
        id: MergeId,
        now: Timestamp,
    ) -> Result<Option<Undoable>, StoreError> {
        const DOING: &str = "read a merge";
        let (merge, undo) = (keys::merge(scope, id), keys::undo(scope, id));
        let mut found = self.database.get_many(&[merge.clone(), undo.clone()], DOING).await?;
        let Some(merge) = row::read_versioned::<Merge>(found.remove(&merge), None, DOING)? else {
            return Ok(None);
        };
        let undo = found.remove(&undo).filter(|item| !row::is_expired(item, now));
        let undo = undo.filter(|_| merge.value.can_be_undone(now));
        let undo: Option<Undo> = row::data_if_any(undo, DOING)?;
        let other = merge.value.other;
        let (contact, profile) = (keys::contact(scope, other), keys::profile(scope, other));
        let rows = self
            .database
            .get_many(&[contact.clone(), profile.clone()], DOING)
            .await?;
        let alias = rows.get(&contact);
        let into = alias.map(|item| merged_into(item, DOING)).transpose()?.flatten();
        let undo = undo.filter(|_| into == Some(id.contact()));
        let identities = undo.as_ref().map(|undo| undo.other.contact.known_by());
        let identities = identities.unwrap_or_default();
        let leads = self.leads_only(scope, &identities, DOING).await?;
        let leading = identities
            .into_iter()
            .zip(leads)
            .filter(|(_, leads)| matches!(leads, Leads::To(holder) if *holder == id.contact()))
            .map(|(identity, _)| identity);
        Ok(Some(Undoable {
            leading: leading.collect(),
            undo,
            merge,
            contact: alias.map(row::version_of).unwrap_or_default(),
            profile: rows.get(&profile).map(row::version_of).unwrap_or_default(),
        }))
    }

    /// Undoes a merge: all of it or nothing. `survivor` is the contact as it was read, `apart` the result.
    ///
    /// # Errors
    /// [`PersonError::TooMany`] if it touches more rows than a transaction takes; [`StoreError::Conflict`] after a lost race.
    pub async fn unmerge_people(
        &self,
        scope: &TenantScope,
        survivor: &Person,
        apart: &Apart,
        undoable: &Undoable,
        stamp: &Stamp,
    ) -> Result<(), PersonError> {
        const DOING: &str = "undo a merge";
        let merge = &undoable.merge.value;
        let mut writes = ContactWrite {
            profile: Some(ProfileWrite {
                before: survivor.profile.clone(),
                after: apart.survivor.profile.clone(),
            }),
            ..ContactWrite::from(apart.survivor.contact.clone())
        }
        .writes(scope, DOING)?;
        let mut other = apart.other.clone();
        other.contact.version = undoable.contact;
        other.profile.version = undoable.profile;
        let (survives, id) = (survivor.contact.id, other.contact.id);
        let stays = apart.survivor.contact.known_by();
        let back = other.contact.known_by().into_iter();
        let back = back.filter(|identity| undoable.leading.contains(identity) && !stays.contains(identity));
        for identity in back {
            writes.push(move_identity(scope, &identity, survives, id, DOING)?);
        }
        let write = ContactWrite {
            profile: Some(ProfileWrite {
                before: empty_profile(&other.profile),
                after: other.profile,
            }),
            ..ContactWrite::from(other.contact)
        };
        writes.extend(write.writes(scope, DOING)?);
        let undone = Merge {
            undone: Some(Undone {
                by: stamp.actor,
                at: stamp.at,
            }),
            ..merge.clone()
        };
        let version = undoable.merge.version;
        let key = keys::merge(scope, merge.id);
        let row = Row::new(&key, "merge", &undone, Condition::Version(version), DOING)?;
        writes.push(Write::Put(row.version(version + 1).with_stamp(stamp)));
        writes.push(Write::Delete(keys::undo(scope, merge.id)));
        let cause = format!("unmerge#{}", merge.id);
        writes.extend(entries(scope, id, stamp.at, &cause, &apart.refusals, DOING)?);
        // Entries with the same id are taken for the same one if the contacts are merged again.
        let cause = format!("{cause}#survivor");
        writes.extend(entries(scope, survives, stamp.at, &cause, &apart.returned, DOING)?);
        let conversations = undoable.undo.as_ref().map_or(&[][..], |undo| &undo.conversations);
        writes.extend(self.part_conversations(scope, conversations, DOING).await?);
        self.write_merge(writes, DOING).await
    }

    /// Contacts that are probably the same person as this one, the most probable first, with the reasons. Deleted ones are left out.
    ///
    /// Reads existing lists: one query of at most ten rows per telephone number, one request for e-mail addresses, one for contacts that
    /// proved to be the same person, and one for all that were found.
    pub async fn duplicates_of(
        &self,
        scope: &TenantScope,
        person: &Person,
    ) -> Result<Vec<(Person, BTreeSet<Likeness>)>, StoreError> {
        const DOING: &str = "look for duplicates of a contact";
        let contact = &person.contact;
        let mut ids: BTreeSet<ContactId> = BTreeSet::new();
        let (proven, _) = self.followed_many(scope, &contact.same_as, &[], DOING).await?;
        ids.extend(proven.values().map(|contact| contact.id));
        let numbers = keys::numbers(scope);
        let ends: BTreeSet<String> = contact.phones.iter().map(Digits::last).collect();
        let lists = ends.iter().map(|end| {
            let rows = Rows::Beginning(end).of(&numbers);
            self.database.stretch(Index::ByDay, rows, None, MAX_ALIKE, false, DOING)
        });
        for (found, _) in try_join_all(lists).await? {
            let places = found.iter().filter_map(|item| row::string(item, "gsi1sk"));
            ids.extend(places.filter_map(keys::listed_contact).map(|(_, contact)| contact));
        }
        let addresses = contact.emails.iter().filter_map(|email| email.without_suffix());
        let addresses: Vec<Identity> = addresses.map(Identity::Email).collect();
        for leads in self.leads_only(scope, &addresses, DOING).await? {
            if let Leads::To(contact) = leads {
                ids.insert(contact);
            }
        }
        let ids: Vec<ContactId> = ids.into_iter().filter(|id| !contact.is(*id)).collect();
        let found = self.people_by_id(scope, &ids).await?;
        let mut alike: Vec<(Person, BTreeSet<Likeness>)> = found
            .into_values()
            .filter(|other| other.contact.deleted_at.is_none() && !other.contact.erasing)
            .map(|other| {
                let why = likenesses(person, &other);
                (other, why)
            })
            .filter(|(_, why)| !why.is_empty())
            .collect();
        alike.sort_by_key(|(other, why)| (why.first().copied(), other.contact.id));
        alike.truncate(MAX_DUPLICATES);
        Ok(alike)
    }
}
