//! What tests need: fixtures, a table per test, builders.

pub mod aws;
pub mod fixtures;
pub mod request;
pub mod seed;

pub use aws::Aws;
pub use request::{Answer, Call, Function};
pub use seed::Seeded;
