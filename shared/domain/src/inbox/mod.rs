//! The shared inbox: a [`conversation`] for each contact and line, which a team answers from one place, with [`canned`] replies and
//! each person's [`draft`], those that begin with the [`past`], those that are [`joined`] when their contacts are merged, the [`team`]s that get the
//! conversations, and the tenant's [`settings`] of it.
//! While WhatsApp's [`window`] is open, a [`reply`] is free text; afterwards it is one of the [`offers`].

pub mod canned;
pub mod conversation;
pub mod draft;
pub mod joined;
pub mod offers;
pub mod past;
pub mod reply;
pub mod settings;
pub mod team;
pub mod window;
