//! Shared code of tests: fixtures, a table per test, builders. Every helper panics, and so fails its test, when what it needs is missing or
//! refused.

pub mod api;
mod asked;
pub mod aws;
pub mod business;
pub mod callbacks;
mod dice;
pub mod file_host;
pub mod fixtures;
pub mod gateway;
pub mod lossy;
pub mod operations;
pub mod provider;
pub mod push;
pub mod resource;
mod role;
pub mod samples;
pub mod seed;
mod snapshot;
pub mod sockets;
pub mod stream;
pub mod template;
pub mod webhook;
pub mod world;

pub use aws::{Aws, Counters, Variables};
pub use dice::Dice;
pub use gateway::{Answer, Call, Function, texts};
pub use lossy::Lossy;
pub use operations::Operations;
pub use provider::{Provider, Reply};
pub use resource::Resource;
pub use seed::Seeded;
pub use snapshot::assert_snapshot;
pub use world::World;

/// Size of a test: the one that this variable says, where it is set, or else the usual one.
#[expect(clippy::disallowed_methods, reason = "whoever runs the test says how large it is")]
pub fn size(variable: &str, usual: usize) -> usize {
    let wanted = std::env::var(variable);
    wanted.map_or(usual, |text| text.parse().expect("a number"))
}
