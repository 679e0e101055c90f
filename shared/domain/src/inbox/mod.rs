//! The shared inbox: a [`conversation`] for each contact and line, which a team answers from one place.

pub mod conversation;
pub mod reply;
