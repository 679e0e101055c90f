//! Campaigns of a tenant.

pub mod campaign;
pub mod run;
