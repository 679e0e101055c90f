//! Messages: `planning` is what is read before one is composed, and what is written with it.

mod planning;

pub use planning::{Gathered, Planned, Planner};
