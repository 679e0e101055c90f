//! The promises of the domain under random input.

#![expect(clippy::unwrap_used, reason = "a test that cannot build its input has failed")]

mod calls;
mod contacts;
mod errors;
mod hours;
mod intents;
mod messages;
mod obstacles;
mod purposes;
mod retention;
mod rules;
mod texts;
