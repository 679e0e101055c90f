//! Campaigns of a tenant.

pub mod campaign;
pub mod drip;
pub mod run;
pub mod trigger;
