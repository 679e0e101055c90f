//! Campaigns: a message to all contacts of an audience, once each.
//!
//! A `campaign` is written as a draft; `review` finds missing parts and problems. Once started, it goes through the states of the table in
//! `terms` (`campaign_state`) and cannot be changed any more. `audience` chooses its contacts, and `preflight` foresees the result. `run` makes
//! the messages and sets their pace. `watch` pauses a campaign whose messages fail or are not wanted, and `report` counts the results.
//!
//! An `event_message` tells news of orders. It is said as a campaign's message is, and to one person.
//!
//! A `drip` has `steps` instead of one message. People `wait` between them, and enter it by themselves by a `trigger`, or when one of their
//! `dates` comes round.

mod audience;
mod campaign;
mod dates;
mod drip;
mod event_message;
mod preflight;
mod report;
mod review;
mod run;
mod steps;
mod trigger;
mod variants;
mod wait;
mod watch;

pub use audience::{AudienceConditions, Choice};
pub use campaign::{
    Audience, Campaign, CampaignIn, CampaignMessage, CampaignType, Exits, MAX_EXCLUDED_SEGMENTS, MAX_EXCLUDED_TAGS,
    MAX_PER_MINUTE, MAX_TRIGGERS, MAX_VARIANTS, SendWindow, Stopped, Triggers, Variant, VariantNumber,
};
pub use dates::{DateTrigger, MAX_DATE_OFFSET_DAYS, Recurrence, Round};
pub use drip::{
    EnrolmentStatus, NextStep, Passage, Scene, Taken, Turn, conversion_refusal, ends_drip, is_after_cap,
    step_kept_back_until, step_made_at,
};
pub use event_message::{EventMessage, EventMessageIn};
pub use preflight::{
    CapExceeded, CountryRuleCount, DailyShare, PreflightCampaign, PreflightCost, PreflightResult, PreflightTally,
    channel_problems,
};
pub use report::{
    CampaignTally, DripTally, InAudience, NotInAudience, Recipient, RecipientState, ReportCampaign, StepTally,
    VariantTally,
};
pub use review::{
    Missing, Reviewed, WithSteps, draft_problems, event_message_problems, is_incomplete, needs_of_campaigns,
    needs_of_event_message, review_campaign, review_steps, whatsapp_sender,
};
pub use run::{Enrolment, Exit, MAX_RUN, NoEntry, Pace, RunCampaign, USUAL_PER_MINUTE, is_behind, may_still_send};
pub use steps::{Action, Condition, MAX_STEPS, Step, StepName, Steps, WrittenSteps};
pub use trigger::{AT_MOST_EVERY, Occasion, Triggered};
pub(crate) use wait::instants_of_local_time;
pub use wait::{MAX_WAIT_DAYS, Wait, Weekday};
pub use watch::{Watch, low_rating_pause, refused_route_pause};
