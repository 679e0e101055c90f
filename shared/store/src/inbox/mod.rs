//! The shared inbox of a tenant.

pub mod conversation;
pub mod desk;
pub mod draft;
pub mod idle;
pub mod list;
