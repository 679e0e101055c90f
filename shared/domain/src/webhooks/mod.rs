//! Outgoing webhooks: events that other software of a tenant gets at an address of its own. An `endpoint` says where they go, which ones, and what
//! proves to the receiver who sends them. A `header` of the tenant's own goes along for receivers that check no signature. A `delivery` is what became
//! of an event, and `health` says when an endpoint gets which of them. With a `callback`, the receiver of an event may act on its contact.

mod callback;
mod delivery;
mod endpoint;
mod header;
mod health;
mod run;

pub use callback::{CallbackRange, CallbackRanges, EndpointCallback, InvalidCallbackRange};
pub use delivery::{
    AnswerHint, Attempt, AttemptOutcome, DELIVERIES_KEPT_FOR, Delivery, DeliveryState, MAX_ANSWER_LENGTH, MAX_ATTEMPTS,
    Verdict, beginning_of_answer, next_attempt,
};
pub use endpoint::{
    DisabledReason, EndpointDisabled, EndpointHeader, EndpointSecret, FollowingEndpoint, MAX_VALID_SECRETS,
    StillRotating, WebhookEndpoint, WebhookEvents, is_n8n_test_url,
};
pub use header::{HeaderName, HeaderValue, InvalidHeaderName, InvalidHeaderValue};
pub use health::{EndpointHealth, HealthState, HealthStep, MAX_WAITING_DELIVERIES, WaitingLook};
pub use run::{RUN_LIFETIME, WebhookRun};

pub use crate::notices::EndpointTrouble;
