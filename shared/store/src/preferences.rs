//! Links to preference pages. Their rows belong to no tenant's partition, since the page knows only the code of the link, and are
//! found by its hash.

use domain::{
    contact::Contact,
    ids::ContactId,
    links::{LINK_LIFETIME, LinkCode, LinkOrigin, PreferenceLink},
    tenant::Tenant,
};
use jiff::Timestamp;

use crate::{
    Store, StoreError, TenantScope, compact,
    keys::{self, Key},
    row::{self, Condition, Row},
};

/// A link to the preference page of a contact, to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkWrite {
    /// Its code.
    pub code: LinkCode,
    /// The contact.
    pub contact: ContactId,
    /// The reason why it is made.
    pub origin: LinkOrigin,
}

pub(crate) fn link_row(
    scope: &TenantScope,
    link: &LinkWrite,
    now: Timestamp,
    doing: &'static str,
) -> Result<Row, StoreError> {
    let stored = PreferenceLink {
        tenant: scope.tenant(),
        contact: link.contact,
        origin: link.origin,
        created_at: now,
    };
    let key = keys::preference_link(&link.code);
    Ok(Row::new(&key, "preference_link", &stored, Condition::New, doing)?.expires(now, LINK_LIFETIME))
}

impl Store {
    /// Stores a link to a contact's preference page.
    ///
    /// # Errors
    /// When the table does not answer; a conflict if there is a link with this code.
    pub async fn create_preference_link(
        &self,
        scope: &TenantScope,
        link: &LinkWrite,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "store a link to a preference page";
        self.database.put(link_row(scope, link, now, DOING)?, DOING).await
    }

    /// The link with this code, while it is valid.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn preference_link_before_scope(
        &self,
        code: &LinkCode,
        now: Timestamp,
    ) -> Result<Option<PreferenceLink>, StoreError> {
        const DOING: &str = "read a link to a preference page";
        let item = self.database.get(&keys::preference_link(code), DOING).await?;
        let link = row::versioned(item, Some(now), DOING)?;
        Ok(link.map(|link| link.value))
    }

    /// The business and the contact of a link, in one request. `None` if one of them is gone or the contact is deleted, or if a message
    /// carried the link to a number that does not lead to the contact any more: then the link is in the hands of somebody else. If the
    /// contact was merged into another: that one, whose wishes hold for both.
    ///
    /// This is the only place that turns the contact of a link into the one that holds its wishes.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn parties_of_link(
        &self,
        scope: &TenantScope,
        link: &PreferenceLink,
        now: Timestamp,
    ) -> Result<Option<(Tenant, Contact)>, StoreError> {
        const DOING: &str = "read the business and the contact of a link";
        let (tenant, contact) = (keys::tenant(scope), keys::contact(scope, link.contact));
        let message = match link.origin {
            LinkOrigin::Message(message) => Some(keys::message(scope, message)),
            LinkOrigin::Actor(_) => None,
        };
        let wanted: Vec<Key> = [&tenant, &contact].into_iter().chain(&message).cloned().collect();
        let mut found = self.database.get_many(&wanted, DOING).await?;
        let message = message.and_then(|key| found.remove(&key));
        let (tenant, contact) = (found.remove(&tenant), found.remove(&contact));
        let Some(tenant) = tenant.filter(row::live) else {
            return Ok(None);
        };
        let tenant = row::data(tenant, DOING)?;
        let Some(contact) = self.followed(scope, contact, DOING).await? else {
            return Ok(None);
        };
        if contact.deleted_at.is_some() || contact.erasing {
            return Ok(None);
        }
        // Of a message that is not retained any more, nobody knows to whom it went.
        if let Some(message) = message.and_then(|item| row::kept(item, now)) {
            let message = compact::message(message, DOING)?;
            if !self.is_recipient(scope, &contact, &message.to).await? {
                return Ok(None);
            }
        }
        Ok(Some((tenant, contact)))
    }
}
