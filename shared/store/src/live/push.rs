//! The devices for notifying people, the events that people were told of, and the key that identifies us to push services.

use domain::live::{PushSubscription, Reachable};
use domain::terms::{PushSubscriptionId, UserId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::table::keys::{self, Key};
use crate::table::row::{self, Condition, Row};
use crate::{RACES, Store, StoreError, TenantScope, Versioned};

/// Maximum devices of a person that are read. More than may be kept, as two can be added at once.
const MAX_READ: i32 = 20;

/// Retention of the note that people were told of an event. Later deliveries of it are too late for anybody.
const PUSHED_FOR: SignedDuration = SignedDuration::from_hours(1);

/// The key that identifies the deployment to push services (VAPID, RFC 8292).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushKey {
    /// The public key: a point on P-256, uncompressed, in base64url.
    pub public: String,
    /// The private key, sealed.
    pub sealed: String,
}

impl Store {
    /// The devices of a person, in any order.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn push_subscriptions(&self, user: UserId, now: Timestamp) -> Result<Vec<PushSubscription>, StoreError> {
        const DOING: &str = "list the devices of a person";
        let partition = keys::push_subscriptions(user);
        let items = self.database.query(&partition, "", MAX_READ, false, DOING).await?;
        let devices = items
            .into_iter()
            .map(|item| row::read_versioned::<PushSubscription>(Some(item), Some(now), DOING));
        let devices = devices.filter_map(Result::transpose);
        devices.map(|device| device.map(|device| device.value)).collect()
    }

    /// Keeps a device, in place of what is known of it. A browser has one person: whoever had it before is not told on it any more.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn keep_push_subscription(&self, device: &PushSubscription) -> Result<(), StoreError> {
        const DOING: &str = "keep the device of a person";
        let owner = keys::push_owner(device.id);
        let known: Option<Versioned<UserId>> =
            row::read_versioned(self.database.get(&owner, DOING).await?, None, DOING)?;
        if let Some(before) = known.map(|known| known.value).filter(|before| *before != device.user) {
            self.forget_push_subscription(before, device.id).await?;
        }
        let key = keys::push_subscription(device.user, device.id);
        let rows = vec![
            Row::new(&key, "push_subscription", device, Condition::Always, DOING)?.expires_at(device.expires_at),
            Row::new(&owner, "push_owner", &device.user, Condition::Always, DOING)?.expires_at(device.expires_at),
        ];
        self.database.transact(rows, DOING).await
    }

    /// Forgets a device, whether it is known or not.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn forget_push_subscription(&self, user: UserId, id: PushSubscriptionId) -> Result<(), StoreError> {
        const DOING: &str = "forget the device of a person";
        self.database.delete(&keys::push_subscription(user, id), DOING).await
    }

    /// Notes that a person of the tenant has a device. A read, and now and then a write.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn note_reachable(&self, scope: &TenantScope, user: UserId, now: Timestamp) -> Result<(), StoreError> {
        const DOING: &str = "note that a person has a device";
        RACES
            .until_won(async || {
                let item = self.database.get(&keys::reachable(scope), DOING).await?;
                let known: Option<Versioned<Reachable>> = row::read_versioned(item, None, DOING)?;
                let (mut people, written) = known.map_or((Reachable::default(), (Condition::New, 1)), |known| {
                    (known.value, (Condition::Version(known.version), known.version + 1))
                });
                if !people.note(user, now) {
                    return Ok(());
                }
                let row = Row::new(&keys::reachable(scope), "reachable", &people, written.0, DOING)?;
                let row = row.version(written.1);
                let row = match people.ends_at() {
                    Some(end) => row.expires_at(end),
                    None => row,
                };
                self.database.put(row, DOING).await
            })
            .await
    }

    /// The people of the tenant who may have a device.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn reachable(&self, scope: &TenantScope, now: Timestamp) -> Result<Vec<UserId>, StoreError> {
        const DOING: &str = "read who has a device";
        let item = self.database.get(&keys::reachable(scope), DOING).await?;
        let known: Option<Versioned<Reachable>> = row::read_versioned(item, None, DOING)?;
        Ok(known.map(|known| known.value.people(now).collect()).unwrap_or_default())
    }

    /// Whether people were told of this event on their devices.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn was_pushed(&self, scope: &TenantScope, event: &str, now: Timestamp) -> Result<bool, StoreError> {
        const DOING: &str = "read whether people were told of an event";
        let item = self.database.get(&keys::pushed_event(scope, event), DOING).await?;
        let known: Option<Versioned<()>> = row::read_versioned(item, Some(now), DOING)?;
        Ok(known.is_some())
    }

    /// Notes that people were told of this event on their devices.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn note_pushed(&self, scope: &TenantScope, event: &str, now: Timestamp) -> Result<(), StoreError> {
        const DOING: &str = "note that people were told of an event";
        let key = keys::pushed_event(scope, event);
        let row = Row::new(&key, "pushed", &(), Condition::Always, DOING)?;
        self.database.put(row.expires(now, PUSHED_FOR), DOING).await
    }

    /// The tenants among these with somebody who may have a device. One request for up to 100.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn with_reachable<'a>(
        &self,
        scopes: &[&'a TenantScope],
        now: Timestamp,
    ) -> Result<Vec<&'a TenantScope>, StoreError> {
        const DOING: &str = "read in which tenants somebody has a device";
        let wanted: Vec<Key> = scopes.iter().map(|scope| keys::reachable(scope)).collect();
        let mut found = self.database.get_many(&wanted, DOING).await?;
        let mut reached = Vec::new();
        for (scope, key) in scopes.iter().zip(wanted) {
            // One that this version cannot read keeps nothing from the others.
            let known = row::read_versioned::<Reachable>(found.remove(&key), None, DOING)
                .ok()
                .flatten();
            if known.is_some_and(|known| known.value.people(now).next().is_some()) {
                reached.push(*scope);
            }
        }
        Ok(reached)
    }

    /// The key that identifies us to push services. `None`: there is none yet.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn push_key(&self) -> Result<Option<PushKey>, StoreError> {
        const DOING: &str = "read the key for push services";
        let item = self.database.get(&keys::push_key(), DOING).await?;
        let known: Option<Versioned<PushKey>> = row::read_versioned(item, None, DOING)?;
        Ok(known.map(|known| known.value))
    }

    /// Writes the key that identifies us to push services, for ever.
    ///
    /// # Errors
    /// A conflict if there is one; when the table does not answer.
    pub async fn create_push_key(&self, key: &PushKey) -> Result<(), StoreError> {
        const DOING: &str = "write the key for push services";
        let row = Row::new(&keys::push_key(), "push_key", key, Condition::New, DOING)?;
        self.database.put(row.version(1), DOING).await
    }
}
