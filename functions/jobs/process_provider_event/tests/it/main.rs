//! What providers report, in process against the emulator's table, queues and bucket.

mod account;
mod inbound;
mod status;
mod world;
