//! Tests of the contract as a whole.

mod accepted;
mod current;
mod described;
mod problems;
mod schemas;
