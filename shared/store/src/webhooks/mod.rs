//! Outgoing webhooks: the endpoints of a tenant, and the row by which publishers of events find those that want them. Each endpoint has a
//! partition with its `deliveries` and its `health`, the one row of it that is due, however much waits. The `content` of events is read when they are sent.
//! `runs` are what their receivers may do in return.

mod content;
mod deliveries;
mod endpoints;
mod health;
mod runs;

pub use content::EventContents;
pub use deliveries::{Recovered, WaitingDeliveries};
pub use health::KnownEndpoint;
pub use runs::HashedRun;
