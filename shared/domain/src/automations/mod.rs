//! Automations: rules that decide which message follows a call, and automatic answers to what customers write.
//!
//! A call comes with its facts; `decide` goes through the rules in order and says which message follows, or why none does.
//! `problems` says what keeps a rule from working, `replay` decides recorded calls again by other rules.

mod answers;
mod decide;
mod problems;
mod replay;

pub use answers::{Heard, MAX_CHARACTERS, answer_intent, answer_texts, no_way_back};
pub use decide::{Considered, Decision, Findings, channel_obstacles, unmet_condition};
pub(crate) use decide::{NO_MESSAGE, first_match, no_rule_matches, plan_follow_up};
pub use problems::{needs_of_rules, review_rule};
pub use replay::{Difference, Former, Recorded, Replayed, config_with_rules};
