//! Calls: their reports until the decision, the decided calls, and how long they are retained.

pub mod call;
pub mod retention;
