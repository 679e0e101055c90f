//! What holds for the contract as a whole.

mod current;
mod described;
