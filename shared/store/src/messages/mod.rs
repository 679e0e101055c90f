//! Messages in both directions, their media, and the templates and other material that they are made from.

pub mod links;
pub mod material;
pub mod media;
pub mod message;
pub mod portfolio;
pub mod templates;
pub mod throughput;
