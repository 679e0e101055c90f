//! Guards: promises about the repository itself, so that a slip fails a test and not a deployment.

mod docs;
mod environment;
mod features;
mod repository;
mod roles;
mod rooms;
mod secrets;
mod sources;
mod template;
mod timers;
