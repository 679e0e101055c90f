//! The shared inbox of a tenant.

pub mod conversation;
pub mod list;
