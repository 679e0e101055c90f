//! Sending, in process against the emulator's table and queues, with a provider that answers as told.

mod caps;
mod doubt;
mod erased;
mod files;
mod lost_answers;
mod merged;
mod order;
mod refusals;
mod retention;
mod sending;
mod storm;
mod turns;
mod world;
