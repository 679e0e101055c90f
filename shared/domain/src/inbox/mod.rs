//! The shared inbox: a [`conversation`] for each contact and line, which a team answers from one place, with [`canned`] replies and
//! each person's [`draft`], and the [`team`]s that get the conversations.

pub mod canned;
pub mod conversation;
pub mod draft;
pub mod reply;
pub mod team;
