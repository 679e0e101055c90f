//! Outgoing webhooks: the endpoints of a tenant, and the row by which publishers of events find those that want them. Each endpoint has a
//! partition with its `deliveries` and its `health`, the one row of it that is due, however much waits. The `content` of events is read when they are sent.

mod content;
mod deliveries;
mod endpoints;
mod health;

pub use content::EventContents;
pub use deliveries::{Recovered, WaitingDeliveries};
pub use health::KnownEndpoint;
