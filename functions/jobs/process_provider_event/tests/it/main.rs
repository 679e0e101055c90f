//! Reports of providers, in process against the emulator's table, queues and bucket.

mod account;
mod answers;
mod inbound;
mod inbox;
mod media;
mod merged;
mod recovered;
mod responders;
mod retention;
mod status;
mod wishes;
mod world;
