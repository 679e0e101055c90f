//! Outgoing webhooks: events that other software of a tenant gets at an address of its own. An `endpoint` says where they go, which ones, and what
//! proves to the receiver who sends them. A `header` of the tenant's own goes along for receivers that check no signature.

mod endpoint;
mod header;

pub use endpoint::{
    DisabledReason, EndpointDisabled, EndpointHeader, EndpointSecret, FollowingEndpoint, MAX_VALID_SECRETS,
    StillRotating, WebhookEndpoint, WebhookEvents, is_n8n_test_url,
};
pub use header::{HeaderName, HeaderValue, InvalidHeaderName, InvalidHeaderValue};
