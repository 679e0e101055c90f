//! The kit as used by functions.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod aws;
mod files;
mod http;
mod operation;
mod queue;
mod slots;
