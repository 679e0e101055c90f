//! Sockets that this process heard of late: how much they say, and whose they are. Each process counts by itself, whatever is said: it
//! keeps a client that shouts from the table, and need not be exact. The row of a socket counts the actions that change it, whichever
//! process hears them.

use std::collections::HashMap;

use domain::live::{Pace, SocketId, SocketOwner};
use jiff::Timestamp;
use store::TenantScope;

/// Maximum sockets that are counted.
const MAX: usize = 5_000;

/// Tenant and caller of a socket.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) scope: TenantScope,
    pub(crate) owner: SocketOwner,
}

#[derive(Debug)]
struct Entry {
    pace: Pace,
    /// They stay the same as long as there is the socket.
    caller: Option<Caller>,
}

/// Sockets that said something.
#[derive(Debug, Default)]
pub(crate) struct Heard(HashMap<SocketId, Entry>);

impl Heard {
    /// Counts so many actions of a socket. False: there were too many.
    pub(crate) fn count(&mut self, id: &SocketId, actions: u32, now: Timestamp) -> bool {
        if self.0.len() >= MAX {
            self.0.retain(|_, entry| entry.pace.is_current(now));
        }
        if let Some(entry) = self.0.get_mut(id) {
            entry.pace = Pace::count(Some(entry.pace), actions, now);
            return entry.pace.is_allowed();
        }
        if self.0.len() < MAX {
            let pace = Pace::count(None, actions, now);
            self.0.insert(id.clone(), Entry { pace, caller: None });
        }
        true
    }

    /// The caller of a socket, if it was told here.
    pub(crate) fn caller(&self, id: &SocketId) -> Option<&Caller> {
        self.0.get(id)?.caller.as_ref()
    }

    pub(crate) fn set_caller(&mut self, id: &SocketId, caller: &Caller) {
        if let Some(entry) = self.0.get_mut(id) {
            entry.caller = Some(caller.clone());
        }
    }

    pub(crate) fn forget(&mut self, id: &SocketId) {
        self.0.remove(id);
    }
}
