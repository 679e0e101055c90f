//! Tenants: businesses with their settings, hours, lines and connections to providers.

pub mod config;
pub mod connection;
pub mod connection_test;
pub mod hours;
pub mod line;
pub mod recipient_zones;
pub mod refused_webhook;
pub mod settings;
pub mod tenant;
pub mod unknown_number;
