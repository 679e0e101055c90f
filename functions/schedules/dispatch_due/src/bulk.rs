//! The times of bulk messages: as many as are sent in the next minutes are queued, each for its number's next place. Whatever else is due in
//! the lane, such as media and webhooks that are tried again, has queues of its own, and waits for no message.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::Timestamp;
use domain::tenants::{BulkAhead, NumberRate};
use domain::terms::{Channel, ConnectionId, Lane, TenantId};
use store::table::due::{Due, DueRow};
use store::{Store, StoreError, TenantScope};

/// Rows of a tenant that stay due in a run until no more of its rows are read: others may be behind them.
const MOST_LEFT: usize = 100;

/// Rows that are no messages, of a run.
const MOST_OTHERS: usize = 1_600;

/// A run of the lane `bulk`, by all partitions together.
pub(crate) struct BulkRun<'a> {
    ahead: &'a Mutex<BulkAhead>,
    /// Rates of numbers, as this run read them. `None`: the connection is gone, which the worker tells.
    rates: Mutex<HashMap<ConnectionId, Option<NumberRate>>>,
    /// Rows of each tenant that stay due, since their numbers have enough to send.
    left: Mutex<HashMap<TenantId, usize>>,
    /// Rows of this run that are no messages.
    others: Mutex<usize>,
    /// Nothing tells how many messages the queue holds, so none is added.
    is_closed: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> BulkRun<'a> {
    /// Begins a run that finds so many messages in the queue. `None`: nobody knows.
    pub(crate) fn new(ahead: &'a Mutex<BulkAhead>, counted: Option<u64>, now: Timestamp) -> Self {
        if let Some(counted) = counted {
            lock(ahead).begin(counted, now);
        }
        Self {
            ahead,
            rates: Mutex::default(),
            left: Mutex::default(),
            others: Mutex::default(),
            is_closed: counted.is_none(),
        }
    }

    /// Whether further messages may be queued.
    pub(crate) fn has_room(&self) -> bool {
        !self.is_closed && lock(self.ahead).has_room()
    }

    /// Whether this row may be queued.
    pub(crate) fn takes(&self, due: &Due) -> bool {
        if !due.is_message() {
            return *lock(&self.others) < MOST_OTHERS;
        }
        self.has_room() && lock(&self.left).get(&due.tenant()).is_none_or(|left| *left < MOST_LEFT)
    }

    /// Reads how fast these numbers send. One request for a hundred that the run does not know yet.
    pub(crate) async fn read_rates(
        &self,
        store: &Store,
        mut wanted: HashMap<ConnectionId, TenantScope>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        wanted.retain(|number, _| !lock(&self.rates).contains_key(number));
        let mut found = store.connections_due(&wanted).await?;
        let read = wanted.into_keys().map(|number| {
            let connection = found.remove(&number);
            let throughput = connection.and_then(|connection| connection.throughput(Channel::WhatsApp, now));
            let rate = throughput.map(|throughput| NumberRate {
                connection: number,
                per_second: throughput.room(Lane::Bulk).max(1),
            });
            (number, rate)
        });
        let read: Vec<_> = read.collect();
        lock(&self.rates).extend(read);
        Ok(())
    }

    /// The time for which a row is queued. `None`: it stays due.
    pub(crate) fn place(&self, due: &Due, row: &DueRow, now: Timestamp) -> Option<Timestamp> {
        if !due.is_message() {
            *lock(&self.others) += 1;
            return Some(now);
        }
        if self.is_closed {
            return None;
        }
        let rate = row.number.and_then(|number| *lock(&self.rates).get(&number)?);
        let place = lock(self.ahead).place(rate, now);
        if place.is_none() {
            *lock(&self.left).entry(due.tenant()).or_default() += 1;
        }
        place
    }
}
