//! Calls: the reports of one call merged in any order, its recordings, and how long calls and messages are retained.

pub mod call;
pub mod record;
pub mod recording;
pub mod retention;
pub mod retention_change;
