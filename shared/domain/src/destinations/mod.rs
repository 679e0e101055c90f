//! Countries to which messages go: which of them a business sends to, and their rules for SMS.

mod destination;
mod sms_rules;

pub use destination::{MAX_COUNTRIES, refused_destination};
pub use sms_rules::{
    Applies, Confirmed, ConfirmedRule, MAX_CONFIRMED, Origin, Rule, RuleKind, Sms, WayOut, known_rule, promotion_hours,
    rule_of, sms_rules_checked_on, takes_letters, takes_numbers,
};
