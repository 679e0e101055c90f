//! Tracked links of messages. Their rows belong to no tenant's partition, since whoever follows one sends its code only, and are found by
//! its hash.

use std::collections::HashMap;

use domain::messages::{Message, TrackedLinks};
use domain::people::LinkCode;
use domain::tenants::Tenant;
use domain::terms::{ContactId, MessageId};
use jiff::Timestamp;

use crate::consent::{LinkWrite, link_row};
use crate::contacts::merged_into;
use crate::table::compact;
use crate::table::keys::{self, Key};
use crate::table::row::{self, Condition, Row, Write};
use crate::tenants::{PlatformAct, act_row};
use crate::{Store, StoreError, TenantScope};

/// Tracked links of a message, to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackedWrite {
    /// Their code.
    pub code: LinkCode,
    pub message: MessageId,
    /// The URLs that they lead to.
    pub targets: Vec<String>,
    /// Time when the message is deleted.
    pub keep_until: Option<Timestamp>,
}

/// A link that a new message carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewLink {
    /// To the preference page of its recipient.
    Preferences(LinkWrite),
    /// Tracked ones.
    Tracked(TrackedWrite),
}

impl NewLink {
    pub(crate) fn row(&self, scope: &TenantScope, now: Timestamp, doing: &'static str) -> Result<Row, StoreError> {
        match self {
            Self::Preferences(link) => link_row(scope, link, now, doing),
            Self::Tracked(tracked) => tracked_row(scope, tracked, now, doing),
        }
    }
}

fn tracked_row(
    scope: &TenantScope,
    tracked: &TrackedWrite,
    now: Timestamp,
    doing: &'static str,
) -> Result<Row, StoreError> {
    let stored = TrackedLinks {
        tenant: scope.tenant(),
        message: tracked.message,
        targets: tracked.targets.clone(),
        created_at: now,
    };
    let key = keys::tracked_links(&tracked.code);
    // What its author wrote about the person goes with the message.
    let until = tracked
        .keep_until
        .map_or(stored.expires_at(), |until| until.min(stored.expires_at()));
    Ok(Row::new(&key, "tracked_links", &stored, Condition::New, doing)?.expires_at(until))
}

impl Store {
    /// The tracked links with this code, while they are valid.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn tracked_links_before_scope(
        &self,
        code: &LinkCode,
        now: Timestamp,
    ) -> Result<Option<TrackedLinks>, StoreError> {
        const DOING: &str = "read tracked links";
        let item = self.database.get(&keys::tracked_links(code), DOING).await?;
        let links = row::read_versioned::<TrackedLinks>(item, Some(now), DOING)?;
        Ok(links.map(|links| links.value))
    }

    /// Removes the tracked links with this code for the platform: they lead nowhere from now on.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn remove_tracked_links(
        &self,
        code: &LinkCode,
        act: &PlatformAct,
        act_id: &str,
    ) -> Result<(), StoreError> {
        const DOING: &str = "remove tracked links";
        let writes = vec![
            Write::Delete(keys::tracked_links(code)),
            Write::Put(act_row(act, act_id, DOING)?),
        ];
        self.database.transact_writes(writes, DOING).await
    }

    /// The business of tracked links, and their message if it can be read, in one request. `None` if the business or the contact is gone.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn followed_links(
        &self,
        scope: &TenantScope,
        message: MessageId,
        now: Timestamp,
    ) -> Result<Option<(Tenant, Option<Message>)>, StoreError> {
        const DOING: &str = "read the business and the message of tracked links";
        let (tenant, contact) = (keys::tenant(scope), keys::contact(scope, message.contact()));
        let message = keys::message(scope, message);
        let wanted = [tenant.clone(), contact.clone(), message.clone()];
        let mut found = self.database.get_many(&wanted, DOING).await?;
        let contact = found.remove(&contact);
        let (Some(tenant), Some(contact)) = (found.remove(&tenant).filter(row::live), contact) else {
            return Ok(None);
        };
        // One that was merged into another is the same person.
        if merged_into(&contact, DOING)?.is_none() && compact::contact(contact, DOING)?.erasing {
            return Ok(None);
        }
        let message = found.remove(&message).and_then(|item| row::unexpired_item(item, now));
        // One that cannot be read, such as after a rollback, keeps nobody from the page.
        let message = message.and_then(|item| compact::message(item, DOING).ok());
        Ok(Some((row::data(tenant, DOING)?, message)))
    }

    /// The tracked links that these messages carry, by their keys, as far as they lead to a message of one of `person`: a text can have
    /// anybody's code. One request for a hundred codes, none if there are none.
    pub(crate) async fn carried_links(
        &self,
        scope: &TenantScope,
        person: &[ContactId],
        messages: &[&Message],
        doing: &'static str,
    ) -> Result<HashMap<Key, TrackedLinks>, StoreError> {
        let codes = messages.iter().flat_map(|message| message.link_codes());
        let keys: Vec<Key> = codes.map(|code| keys::tracked_links(&code)).collect();
        let mut carried = HashMap::new();
        for (key, item) in self.database.get_many(&keys, doing).await? {
            let links: TrackedLinks = row::data(item, doing)?;
            if links.tenant == scope.tenant() && person.contains(&links.message.contact()) {
                carried.insert(key, links);
            }
        }
        Ok(carried)
    }

    /// The target URLs of the tracked links in these messages of a person, by message. A message that sends another again has the other's.
    ///
    /// # Errors
    /// When the table does not answer, or a row cannot be read.
    pub async fn link_targets(
        &self,
        scope: &TenantScope,
        person: &[ContactId],
        messages: &[&Message],
    ) -> Result<HashMap<MessageId, Vec<String>>, StoreError> {
        const DOING: &str = "read where the links of messages lead";
        let carried = self.carried_links(scope, person, messages, DOING).await?;
        let targets = |message: &&Message| {
            let codes = message.link_codes().into_iter();
            let links = codes.filter_map(|code| carried.get(&keys::tracked_links(&code)));
            (message.id, links.flat_map(|links| links.targets.clone()).collect())
        };
        Ok(messages.iter().map(targets).collect())
    }
}
