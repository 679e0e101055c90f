//! Deliveries of events, in process against the emulator's table and a receiver on the loopback device that does as the test says.

mod callbacks;
mod content;
mod crashes;
mod failing;
mod publishing;
mod world;
