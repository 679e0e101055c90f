//! The deployed stack as its users see it: public URLs, webhooks signed as by the providers, and the table for the results.
//! Every test creates its own business, so that all run side by side on one stack.
//!
//! `cargo stack test` starts the stack; RINGBACK_TEST_STACK names its `endpoints.json`.

#![expect(
    clippy::disallowed_methods,
    reason = "tests read their environment and the machine's clock"
)]

mod advisories;
mod alone;
mod answers;
mod browser;
mod calls;
mod campaigns;
mod caps;
mod changes;
mod clients;
mod conversations;
mod costs;
mod demo;
mod drips;
mod dry_runs;
mod failures;
mod fuzz;
mod guide;
mod mails;
mod notices;
mod operators;
mod people;
mod platform;
mod roles;
mod software;
mod stage;
mod starts;
mod tables;
mod templates;
mod vendors;
mod walk;
