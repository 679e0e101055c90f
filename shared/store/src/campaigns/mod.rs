//! Campaigns of a tenant.

mod campaign;
mod drip;
mod event_message;
mod run;
mod trigger;

pub use drip::{DripEntry, DueStep, DueSteps, Enrolled, MAX_VERSIONS, SHARDS};
pub use run::HeldAfter;
pub(crate) use run::enrolment_row;
pub use trigger::DueRound;
pub(crate) use trigger::{trigger_removal, trigger_write};
