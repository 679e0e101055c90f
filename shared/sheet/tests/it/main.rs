//! The promises of tables: good ones, bad ones and random ones.

#![expect(clippy::unwrap_used, reason = "a test that cannot build its input has failed")]

mod cards;
mod detecting;
mod exports;
mod importing;
mod reading;
mod writing;
