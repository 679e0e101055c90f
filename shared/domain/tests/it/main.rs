//! The promises of the domain under random input.

#![expect(clippy::unwrap_used, reason = "a test that cannot build its input has failed")]

mod bulk;
mod calls;
mod consent;
mod contacts;
mod counting;
mod drafts;
mod errors;
mod hours;
mod intents;
mod learning;
mod merging;
mod messages;
mod notices;
mod numbering;
mod obstacles;
mod purposes;
mod recovering;
mod retention;
mod rules;
mod texts;
mod throughput;
mod trials;
mod wishes;
