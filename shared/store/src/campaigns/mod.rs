//! Campaigns of a tenant.

pub mod campaign;
