//! The shared inbox of a tenant.

pub mod canned;
pub mod conversation;
pub mod desk;
pub mod draft;
pub mod idle;
pub mod list;
pub mod team;
