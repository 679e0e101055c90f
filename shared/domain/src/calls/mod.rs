//! Calls: the stored records of calls and of customers' messages, and what a shorter retention does to them.

mod record;
mod retention_change;

pub use record::{Call, CallProgress, Circumstances, Entry, Grounds, MessageRef, Received, Unreached};
pub use retention_change::{AppliedRetention, ApplyRetention, Estimate, Past, Recorded, Stretch};
