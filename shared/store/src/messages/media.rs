//! Media of customers' messages, each a row beside its message, and assets; attachments, which are assets beside the message that carries them.
//!
//! A medium is due while it is fetched, and again when its message is not kept any longer: then its file is deleted, and the row with it. A
//! change of the retention raises the version of the row, so that a worker that holds it reads the new time. So it is with attachments.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use domain::calls::Received;
use domain::media::{Asset, Medium, MediumState};
use domain::messages::Message;
use domain::terms::{AssetId, ContactId, FileId, Lane, MessageId};
use jiff::Timestamp;

use crate::table::database::run_update;
use crate::table::keys::{self, Key};
use crate::table::owned;
use crate::table::row::{self, Condition, Row, Write, number, second, text};
use crate::{Owned, Part, Store, StoreError, TenantScope, Versioned};

/// Attempts of a change that two kinds of states want differently: what is fetched may be stored after the first one.
const MAX_TRIES: u32 = 3;

/// Media never delay what answers a person.
pub const MEDIA_LANE: Lane = Lane::Bulk;

impl Owned for Asset {
    const KIND: &'static str = "asset";
    const PART: Part = Part::Assets;
    const PREFIX: &'static str = "ast_";
    const MAX: u32 = Self::MAX;

    fn id(&self) -> String {
        self.id.to_string()
    }
}

/// The row of a medium. The first one is written with its message, whose condition is enough.
pub(crate) fn medium_row(scope: &TenantScope, medium: &Medium, doing: &'static str) -> Result<Row, StoreError> {
    let key = keys::medium(scope, medium.message, medium.index);
    let condition = match medium.version {
        0 => Condition::Always,
        version => Condition::Version(version),
    };
    let mut next = medium.clone();
    next.version += 1;
    let row = Row::new(&key, "medium", &next, condition, doing)?;
    let row = row.version(next.version).due_at(MEDIA_LANE, &key, next.due);
    Ok(row.expires_at(next.expires_at()))
}

/// The key of an asset or attachment.
pub(crate) fn file_key(scope: &TenantScope, id: FileId) -> Key {
    match id {
        FileId::Asset(id) => owned::key::<Asset>(scope, &id),
        FileId::Attachment(id) => keys::attachment(scope, id),
    }
}

/// The row of an attachment, over this version; 0: it is new.
pub(crate) fn attachment_row(
    scope: &TenantScope,
    before: u64,
    attachment: &Asset,
    doing: &'static str,
) -> Result<Row, StoreError> {
    let key = file_key(scope, attachment.id);
    let condition = match before {
        0 => Condition::New,
        version => Condition::Version(version),
    };
    let mut next = attachment.clone();
    let mut kept_until = None;
    if let Some(attached) = &mut next.attached {
        attached.version = before + 1;
        kept_until = attached.kept_until;
    }
    let row = Row::new(&key, "attachment", &next, condition, doing)?;
    let row = row.version(before + 1).due_at(MEDIA_LANE, &key, next.due);
    Ok(match kept_until {
        Some(until) => row.expires_at(stays_until(until)),
        None => row,
    })
}

/// Expiry of the row of a file that is kept until this time. It leaves room for a late dispatcher.
fn stays_until(kept_until: Timestamp) -> Timestamp {
    kept_until.checked_add(Medium::STAYS_FOR).unwrap_or(Timestamp::MAX)
}

/// A medium with its message.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownMedium {
    pub medium: Medium,
    /// Its message, unless its retention is over.
    pub message: Option<Received>,
}

impl Store {
    /// A medium with its message, in one request; `None` if it was deleted with its message.
    pub async fn medium(
        &self,
        scope: &TenantScope,
        message: MessageId,
        index: u8,
        now: Timestamp,
    ) -> Result<Option<KnownMedium>, StoreError> {
        const DOING: &str = "read a medium and its message";
        let (own, of) = (keys::medium(scope, message, index), keys::message(scope, message));
        let mut found = self.database.get_many(&[own.clone(), of.clone()], DOING).await?;
        let Some(medium) = found.remove(&own).filter(|item| !row::is_expired(item, now)) else {
            return Ok(None);
        };
        let message = found.remove(&of).and_then(|item| row::unexpired_item(item, now));
        Ok(Some(KnownMedium {
            medium: row::data(medium, DOING)?,
            message: row::data_if_any(message, DOING)?,
        }))
    }

    /// The media of these messages, as far as their rows exist. One request per hundred, none for none.
    pub async fn media_of<'a>(
        &self,
        scope: &TenantScope,
        messages: impl IntoIterator<Item = &'a Received>,
        now: Timestamp,
    ) -> Result<Vec<Medium>, StoreError> {
        const DOING: &str = "read the media of messages";
        let keys: Vec<Key> = messages
            .into_iter()
            .flat_map(|message| media_keys(scope, message))
            .collect();
        let found = self.database.get_many(&keys, DOING).await?;
        let kept = found.into_values().filter(|item| !row::is_expired(item, now));
        kept.map(|item| row::data(item, DOING)).collect()
    }

    /// Writes a medium under the condition that it is unchanged since it was read.
    pub async fn write_medium(&self, scope: &TenantScope, medium: &Medium) -> Result<(), StoreError> {
        const DOING: &str = "write a medium";
        self.database.put(medium_row(scope, medium, DOING)?, DOING).await
    }

    /// Deletes the row of a medium under the same condition.
    pub async fn delete_medium(&self, scope: &TenantScope, medium: &Medium) -> Result<(), StoreError> {
        const DOING: &str = "delete a medium";
        let key = keys::medium(scope, medium.message, medium.index);
        let write = Write::DeleteVersion(key, medium.version);
        self.database.transact_writes(vec![write], DOING).await
    }

    /// Keeps the media of a message until this time, as far as there is or will be a file. One write for each that is stored, two for one
    /// that is being fetched.
    pub(crate) async fn keep_media_until(
        &self,
        scope: &TenantScope,
        message: &Received,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        for key in media_keys(scope, message) {
            let mut stored = Some(true);
            for _attempt in 0..MAX_TRIES {
                let Some(is_stored) = stored else { break };
                stored = self.keep_medium_until(&key, until, is_stored).await?;
            }
        }
        Ok(())
    }

    /// Keeps a medium until this time: a stored one becomes due then, one that is being fetched stays due for that. If it is in the other
    /// state, returns whether it is stored.
    async fn keep_medium_until(&self, key: &Key, until: Timestamp, stored: bool) -> Result<Option<bool>, StoreError> {
        const DOING: &str = "set the expiry of a medium";
        let (due, states) = if stored {
            (", #data.#due = :until, gsi2sk = :place", ["scanning", "ready"])
        } else {
            ("", ["pending", "pending"])
        };
        let mut request = self
            .database
            .update_item(key)
            .update_expression(format!(
                "SET #data.#until = :until, #data.#version = #data.#version + :one, v = v + :one, expires_at = :expires{due}"
            ))
            .condition_expression("#data.#state IN (:one_state, :other_state)")
            .expression_attribute_names("#data", "data")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#until", "kept_until")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":until", text(until.to_string()))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":expires", second(stays_until(until)))
            .expression_attribute_values(":one_state", text(states[0]))
            .expression_attribute_values(":other_state", text(states[1]))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        if stored {
            request = request.expression_attribute_names("#due", "due");
            request = request.expression_attribute_values(":place", text(keys::due_place(key, until)));
        }
        let found = run_update(request.send(), DOING).await?.err().flatten();
        // Messages of before have none.
        let Some(item) = found.filter(|item| !item.is_empty()) else {
            return Ok(None);
        };
        let medium: Medium = row::data(item, DOING)?;
        Ok(match medium.state {
            MediumState::Pending => Some(false),
            MediumState::Scanning | MediumState::Ready => Some(true),
            MediumState::Refused | MediumState::Gone => None,
        })
    }

    /// An asset or attachment with its version.
    pub async fn asset(
        &self,
        scope: &TenantScope,
        id: impl Into<FileId>,
    ) -> Result<Option<Versioned<Asset>>, StoreError> {
        let item = self.database.get(&file_key(scope, id.into()), Asset::KIND).await?;
        row::read_versioned(item, None, Asset::KIND)
    }

    /// Writes a new attachment. `holder`: the contact of its conversation, or the one that survived a merge. The check of it holds until the
    /// attachment is written, so that nothing of an erased contact stays behind.
    ///
    /// # Errors
    /// A conflict if it exists, or the contact is deleted or was merged into another.
    pub async fn create_attachment(
        &self,
        scope: &TenantScope,
        attachment: &Asset,
        holder: ContactId,
    ) -> Result<(), StoreError> {
        const DOING: &str = "create an attachment";
        let writes = vec![
            Write::Put(attachment_row(scope, 0, attachment, DOING)?),
            Write::Shown(keys::contact(scope, holder)),
        ];
        self.database.transact_writes(writes, DOING).await
    }

    /// Deletes the row of an attachment under the condition of its version.
    pub async fn delete_attachment(&self, scope: &TenantScope, id: FileId, version: u64) -> Result<(), StoreError> {
        let write = Write::DeleteVersion(file_key(scope, id), version);
        self.database.transact_writes(vec![write], "delete an attachment").await
    }

    /// Keeps the attachments of a message until this time. One write for each.
    pub(crate) async fn keep_attachments_until(
        &self,
        scope: &TenantScope,
        message: &Message,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "set the expiry of an attachment";
        for used in message.plan.iter().filter_map(|leg| leg.content.asset()) {
            let FileId::Attachment(id) = used.asset_id else {
                continue;
            };
            let key = keys::attachment(scope, id);
            let keys::IndexPlace { partition, sort: place } = keys::due_position(MEDIA_LANE, &key, until);
            let request = self
                .database
                .update_item(&key)
                .update_expression(
                    "SET #data.attached.kept_until = :until, #data.#due = :until, \
                     #data.attached.version = #data.attached.version + :one, v = v + :one, \
                     expires_at = :expires, gsi2pk = :partition, gsi2sk = :place",
                )
                .condition_expression("#data.attached.message = :message")
                .expression_attribute_names("#data", "data")
                .expression_attribute_names("#due", "due")
                .expression_attribute_values(":until", text(until.to_string()))
                .expression_attribute_values(":one", number(1))
                .expression_attribute_values(":expires", second(stays_until(until)))
                .expression_attribute_values(":partition", text(partition))
                .expression_attribute_values(":place", text(place))
                .expression_attribute_values(":message", text(message.id.to_string()));
            // It may be gone already.
            let _kept = run_update(request.send(), DOING).await?;
        }
        Ok(())
    }

    /// The assets among these that exist, in any order. One request per hundred, none for none.
    pub async fn assets_named(&self, scope: &TenantScope, ids: &BTreeSet<AssetId>) -> Result<Vec<Asset>, StoreError> {
        let ids = ids.iter().map(ToString::to_string).collect();
        self.read_existing(scope, &ids).await
    }

    /// Writes what was found out about an asset or attachment, which nobody has changed since it was read. No author is named.
    pub async fn note_asset(&self, scope: &TenantScope, before: u64, after: &Asset) -> Result<(), StoreError> {
        let row = match after.id {
            FileId::Asset(_) => owned::change_row(scope, before, after)?,
            FileId::Attachment(_) => attachment_row(scope, before, after, Asset::KIND)?,
        };
        self.database.put(row, Asset::KIND).await
    }
}

/// The keys of the rows of a message's media.
fn media_keys(scope: &TenantScope, message: &Received) -> impl Iterator<Item = Key> {
    let count = u8::try_from(message.message.media.len()).unwrap_or(u8::MAX);
    (0..count).map(|index| keys::medium(scope, message.id, index))
}
