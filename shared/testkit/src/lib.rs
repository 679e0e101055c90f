//! Shared code of tests: fixtures, a table per test, builders.

pub mod api;
mod asked;
pub mod aws;
pub mod business;
pub mod file_host;
pub mod fixtures;
pub mod lossy;
pub mod operations;
pub mod provider;
pub mod push;
pub mod request;
pub mod resource;
mod role;
pub mod seed;
mod snapshot;
pub mod sockets;
pub mod stream;
pub mod template;
pub mod webhook;
pub mod world;

pub use aws::Aws;
pub use lossy::Lossy;
pub use operations::Operations;
pub use provider::{Provider, Reply};
pub use request::{Answer, Call, Function, texts};
pub use resource::Resource;
pub use seed::Seeded;
pub use snapshot::assert_snapshot;
pub use world::World;
