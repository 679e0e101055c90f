//! What tests need: fixtures, a table per test, builders.

pub mod fixtures;
