//! Sign-up, log-in and proofs of identity, in process against the emulator's table, queues and secret.

mod logging_in;
mod me;
mod passwords;
mod push;
mod refreshing;
mod second_factor;
mod signing_up;
mod tokens;
mod trail;
mod world;
