//! A maximum of actions per socket. Each process counts by itself: it keeps a client that shouts from the table, and need not be exact.

use std::collections::HashMap;

use domain::live::SocketId;
use jiff::{SignedDuration, Timestamp};

/// Actions of a socket that are heard within [`SPAN`].
pub(crate) const MOST: u32 = 30;

pub(crate) const SPAN: SignedDuration = SignedDuration::from_secs(10);

/// Maximum sockets that are counted.
const MAX: usize = 5_000;

/// The number of actions of each socket since a time.
#[derive(Debug, Default)]
pub(crate) struct Pace(HashMap<SocketId, (Timestamp, u32)>);

impl Pace {
    /// Counts an action as so many. False: there were too many.
    pub(crate) fn keeps(&mut self, id: &SocketId, actions: u32, now: Timestamp) -> bool {
        let current = |since: Timestamp| now.duration_since(since) < SPAN;
        if self.0.len() >= MAX {
            self.0.retain(|_, (since, _)| current(*since));
        }
        if self.0.len() >= MAX && !self.0.contains_key(id) {
            return true;
        }
        let (since, count) = self.0.entry(id.clone()).or_insert((now, 0));
        if !current(*since) {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(actions);
        *count <= MOST
    }
}
