//! Tenants: their configuration, which processes cache, with its lines, rules and connections; and what an operator does with them.

pub mod config;
pub mod connections;
pub mod lines;
pub mod platform;
pub mod refused_webhooks;
pub mod rules;
pub mod unknown_numbers;
