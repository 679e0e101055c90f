//! People's accounts and sessions, members of tenants, API keys, the audit log, and notices to people.

pub mod account;
pub mod api_keys;
pub mod audit;
pub mod limited;
pub mod members;
pub mod notices;
pub mod security;
