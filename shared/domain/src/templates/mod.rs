//! Templates: messages that a provider approves before they may be sent.

pub mod template;
