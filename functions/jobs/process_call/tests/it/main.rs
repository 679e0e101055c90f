//! Calls, in process against the emulator's table and queues.

mod decisions;
mod drips;
mod forms;
mod inbox;
mod links;
mod merging;
mod recovered;
mod retention;
mod world;
