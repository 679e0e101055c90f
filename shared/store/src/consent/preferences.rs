//! Links to preference pages. Their rows belong to no tenant's partition, since the page knows only the code of the link, and are
//! found by its hash.

use domain::accounts::{ApiKey, Member, Permission};
use domain::people::{Contact, LinkCode, LinkOrigin, PreferenceLink};
use domain::tenants::Tenant;
use domain::terms::{Actor, ContactId};
use jiff::Timestamp;

use crate::accounts::caller_key;
use crate::table::compact;
use crate::table::keys::{self, Key};
use crate::table::row::{self, Condition, Item, Row};
use crate::{Store, StoreError, TenantScope};

/// A link to the preference page of a contact, to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkWrite {
    pub code: LinkCode,
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
    Ok(Row::new(&key, "preference_link", &stored, Condition::New, doing)?.expires_at(stored.expires_at()))
}

/// Whether the maker of a link could still make one, by the maker's row.
fn may_still_make(maker: Actor, item: Option<Item>, now: Timestamp, doing: &'static str) -> Result<bool, StoreError> {
    Ok(match maker {
        Actor::User(_) => {
            let member = row::read_versioned::<Member>(item, Some(now), doing)?;
            member.is_some_and(|member| member.value.may(Permission::ContactsWrite))
        }
        Actor::ApiKey(_) => {
            let key = row::read_versioned::<ApiKey>(item, Some(now), doing)?;
            key.is_some_and(|key| key.value.is_valid(now) && key.value.may(Permission::ContactsWrite))
        }
        Actor::Platform(_) | Actor::Operator => true,
    })
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
    pub async fn preference_link_before_scope(
        &self,
        code: &LinkCode,
        now: Timestamp,
    ) -> Result<Option<PreferenceLink>, StoreError> {
        const DOING: &str = "read a link to a preference page";
        let item = self.database.get(&keys::preference_link(code), DOING).await?;
        let link = row::read_versioned::<PreferenceLink>(item, Some(now), DOING)?;
        // Those that were asked for before they were short-lived have rows that expire later.
        Ok(link.map(|link| link.value).filter(|link| now < link.expires_at()))
    }

    /// The business and the contact of a link, in one request. `None` if one of them is gone or the contact is deleted, or if a message
    /// carried the link to a number that does not lead to the contact any more: then the link is in the hands of somebody else. So it may
    /// be if somebody asked for it who has left the tenant or may no longer change its contacts. If the contact was merged into another:
    /// that one, whose wishes hold for both.
    ///
    /// This is the only place that turns the contact of a link into the one that holds its wishes.
    pub async fn parties_of_link(
        &self,
        scope: &TenantScope,
        link: &PreferenceLink,
        now: Timestamp,
    ) -> Result<Option<(Tenant, Contact)>, StoreError> {
        const DOING: &str = "read the business and the contact of a link";
        let (tenant, contact) = (keys::tenant(scope), keys::contact(scope, link.contact));
        let origin = match link.origin {
            LinkOrigin::Message(message) => Some(keys::message(scope, message)),
            LinkOrigin::Actor(maker) => caller_key(scope, maker),
        };
        let wanted: Vec<Key> = [&tenant, &contact].into_iter().chain(&origin).cloned().collect();
        let mut found = self.database.get_many(&wanted, DOING).await?;
        let origin = origin.and_then(|key| found.remove(&key));
        let (tenant, contact) = (found.remove(&tenant), found.remove(&contact));
        let Some(tenant) = tenant.filter(row::live) else {
            return Ok(None);
        };
        let tenant = row::data(tenant, DOING)?;
        let Some(contact) = self.follow_aliases(scope, contact, DOING).await? else {
            return Ok(None);
        };
        if contact.deleted_at.is_some() || contact.erasing {
            return Ok(None);
        }
        let holds = match link.origin {
            LinkOrigin::Message(_) => match origin.and_then(|item| row::unexpired_item(item, now)) {
                Some(message) => {
                    let message = compact::message(message, DOING)?;
                    self.is_recipient(scope, &contact, &message.to).await?
                }
                // Of a message that is not retained any more, nobody knows to whom it went.
                None => true,
            },
            LinkOrigin::Actor(maker) => may_still_make(maker, origin, now, DOING)?,
        };
        Ok(holds.then_some((tenant, contact)))
    }
}
