//! Tests of the repository itself, so that a mistake fails a test and not a deployment.

mod dependencies;
mod docs;
mod edge;
mod environment;
mod features;
mod names;
mod parameters;
mod repository;
mod roles;
mod rooms;
mod routes;
mod secrets;
mod sources;
mod template;
mod timers;
