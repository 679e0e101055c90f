//! Automations: rules that decide which message follows a call, and automatic answers to what customers write.
//!
//! A call comes with its facts; [`decide`] goes through the rules in order and says which message follows, or why none does.
//! [`problems`] says what keeps a rule from working, [`replay`] decides recorded calls again by other rules.

pub mod answer;
pub mod answers;
pub mod decide;
pub mod problems;
pub mod replay;
pub mod rule;
