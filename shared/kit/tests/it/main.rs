//! The kit as functions use it.

mod aws;
mod http;
mod queue;
