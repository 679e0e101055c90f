//! Places of the customers whom a business messages first ([`domain::messages::Places`]), for the messages of a step.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use domain::messages::{PORTFOLIO_BLOCK, Places};
use domain::terms::ConnectionId;
use jiff::Timestamp;
use store::{Store, StoreError, TenantScope};
use tokio::sync::Mutex;

/// Places that a step holds, for all of its messages that are made at the same time.
#[derive(Debug)]
pub struct FirstPlaces {
    /// Taken together.
    together: u32,
    held: Mutex<HashMap<ConnectionId, Held>>,
}

/// Places of a connection.
#[derive(Debug)]
struct Held {
    /// Its limit, if one is known.
    allowed: Option<u32>,
    left: Option<Places>,
    /// Earliest time with a free place.
    none_before: Option<Timestamp>,
}

impl FirstPlaces {
    /// None yet, for so many messages at most.
    pub fn for_at_most(messages: usize) -> Self {
        let messages = u32::try_from(messages).unwrap_or(PORTFOLIO_BLOCK);
        Self {
            together: messages.clamp(1, PORTFOLIO_BLOCK),
            held: Mutex::default(),
        }
    }

    /// Takes a place for a message by this connection, if a limit is known.
    ///
    /// # Errors
    /// In the inner result, the time of the next free place.
    pub async fn take(
        &self,
        store: &Store,
        scope: &TenantScope,
        connection: ConnectionId,
        now: Timestamp,
    ) -> Result<Result<(), Timestamp>, StoreError> {
        let mut held = self.held.lock().await;
        let of = match held.entry(connection) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let found = store.connection(scope, connection).await?;
                new.insert(Held {
                    allowed: found.and_then(|found| found.customers_per_day()),
                    left: None,
                    none_before: None,
                })
            }
        };
        let Some(allowed) = of.allowed else {
            return Ok(Ok(()));
        };
        if let Some(until) = of.none_before {
            return Ok(Err(until));
        }
        if of.left.is_none_or(|left| left.count == 0) {
            match store.take_first_places(scope, self.together, allowed, now).await? {
                Ok(places) => of.left = Some(places),
                Err(until) => {
                    of.none_before = Some(until);
                    return Ok(Err(until));
                }
            }
        }
        if let Some(left) = &mut of.left {
            left.count -= 1;
        }
        Ok(Ok(()))
    }

    /// Takes back one that is not used after all.
    pub async fn put_back(&self, connection: ConnectionId) {
        let mut held = self.held.lock().await;
        if let Some(left) = held.get_mut(&connection).and_then(|of| of.left.as_mut()) {
            left.count += 1;
        }
    }

    /// Returns those that are left. If that fails, they are lost for a day, which holds messages back and sends none too many.
    pub async fn return_rest(self, store: &Store, scope: &TenantScope, now: Timestamp) {
        let held = self.held.into_inner().into_values();
        for left in held.filter_map(|of| of.left).filter(|left| left.count > 0) {
            if let Err(error) = store.return_first_places(scope, left, now).await {
                tracing::warn!(
                    error = kit::chain(&error),
                    places = left.count,
                    "places are lost for a day"
                );
            }
        }
    }
}
