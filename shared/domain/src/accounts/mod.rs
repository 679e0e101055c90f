//! People who use Ringback: their accounts, log-ins and preferences, what they may do, what the audit log says of them, and what they
//! are told by mail.

pub mod account;
pub mod api_key;
pub mod audit;
pub mod interface;
pub mod mailing;
pub mod notice;
pub mod permission;
pub mod security;
