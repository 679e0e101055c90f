//! Models of requests and responses.

use api::Patchable;
use domain::tenants::Sealed;
use domain::terms::{Fault, FaultCode, OneLine, WebUrl, WebhookEndpointId};
use domain::webhooks::{
    Attempt, DeliveryState, EndpointCallback, EndpointDisabled, EndpointHeader, EndpointHealth, HeaderName,
    HeaderValue, HealthState, WebhookEndpoint, WebhookEvents, is_n8n_test_url,
};
use jiff::Timestamp;
use kit::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

/// A new endpoint.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebhookEndpointIn {
    /// Display name, such as the software that gets the events.
    #[schemars(example = &"Shop")]
    pub(crate) name: OneLine<1, 60>,
    /// Address to which events are sent: `https`, port 443 and a public name, unless the operator admits others.
    #[schemars(example = "https://n8n.example.com/webhook/5f0c2a9e")]
    pub(crate) url: WebUrl,
    /// Types of the events that it gets, at least one.
    #[schemars(length(min = 1), example = ["message.received", "call.decided"])]
    pub(crate) events: WebhookEvents,
    /// A header that each request carries, for receivers that compare a value instead of checking the signature.
    #[serde(default)]
    pub(crate) header: Option<NewHeader>,
    /// Whether events also say whom they are about, and what a message says. Otherwise they hold ids and facts only.
    #[serde(default)]
    #[schemars(example = false)]
    pub(crate) content: bool,
    /// The right of the receiver to call the API back about the contact of an event. Needs the permission `api_keys:write`.
    #[serde(default)]
    #[schemars(extend("x-refers" = true))]
    pub(crate) callback: Option<EndpointCallback>,
}

/// A header with its value.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewWebhookHeader")]
pub(crate) struct NewHeader {
    /// Name of the header.
    pub(crate) name: HeaderName,
    /// Its value. It is never shown.
    pub(crate) value: HeaderValue,
}

/// Changes to an endpoint.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebhookEndpointChange {
    /// Display name, such as the software that gets the events.
    #[schemars(example = &"Shop")]
    pub(crate) name: OneLine<1, 60>,
    /// Address to which events are sent: `https`, port 443 and a public name, unless the operator admits others.
    #[schemars(example = "https://n8n.example.com/webhook/5f0c2a9e")]
    pub(crate) url: WebUrl,
    /// Types of the events that it gets, at least one.
    #[schemars(length(min = 1), example = ["message.received", "call.decided"])]
    pub(crate) events: WebhookEvents,
    /// A header that each request carries. `null` removes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) header: Option<HeaderChange>,
    /// Whether events also say whom they are about, and what a message says.
    #[serde(default)]
    #[schemars(example = false)]
    pub(crate) content: bool,
    /// The right of the receiver to call back. `null` removes it. Changes of it need the permission `api_keys:write`, and so do other
    /// addresses and headers of an endpoint that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-refers" = true))]
    pub(crate) callback: Option<EndpointCallback>,
}

/// Changes to a header.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "WebhookHeaderChange")]
pub(crate) struct HeaderChange {
    /// Name of the header.
    pub(crate) name: HeaderName,
    /// Its new value, which is never shown. If it is omitted, the value stays.
    #[serde(default, skip_serializing)]
    pub(crate) value: Option<HeaderValue>,
}

/// An endpoint, and a value of its header that is not sealed yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Known {
    pub(crate) endpoint: WebhookEndpoint,
    #[serde(serialize_with = "say_whether")]
    pub(crate) value: Option<HeaderValue>,
}

/// A new value is a change, whatever it is.
fn say_whether<S: Serializer>(value: &Option<HeaderValue>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bool(value.is_some())
}

impl From<WebhookEndpoint> for Known {
    fn from(endpoint: WebhookEndpoint) -> Self {
        Self { endpoint, value: None }
    }
}

impl Known {
    /// Whether this change changes the callback, or where its tokens go.
    pub(crate) fn redirects_callback(&self, before: &Self) -> bool {
        let has_new_value = self.value.is_some() && self.endpoint.callback.is_some();
        has_new_value || before.endpoint.redirects_callback(&self.endpoint)
    }
}

impl Patchable for WebhookEndpointChange {
    type Of = Known;

    fn of(Known { endpoint, .. }: &Known) -> Self {
        Self {
            name: endpoint.name.clone(),
            url: endpoint.url.clone(),
            events: endpoint.events.clone(),
            header: endpoint.header.as_ref().map(|header| HeaderChange {
                name: header.name.clone(),
                value: None,
            }),
            content: endpoint.content,
            callback: endpoint.callback.clone(),
        }
    }

    fn onto(self, before: &Known) -> Result<Known, Problem> {
        refuse_no_events(&self.events)?;
        refuse_no_ranges(self.callback.as_ref())?;
        let known = before.endpoint.header.as_ref();
        let (header, value) = match self.header {
            None => (None, None),
            Some(HeaderChange { name, value }) => {
                if value.is_none() && known.is_none() {
                    let fault = Fault::new(FaultCode::Required, "A header needs a value.");
                    return Err(Problem::field("header.value", fault));
                }
                // A new value is sealed before it is written.
                let sealed = known.map_or_else(|| Sealed(String::new()), |known| known.sealed.clone());
                (Some(EndpointHeader { name, sealed }), value)
            }
        };
        Ok(Known {
            endpoint: WebhookEndpoint {
                name: self.name,
                url: self.url,
                events: self.events,
                header,
                content: self.content,
                callback: self.callback,
                ..before.endpoint.clone()
            },
            value,
        })
    }
}

/// Refuses an endpoint that would get nothing.
pub(crate) fn refuse_no_events(events: &WebhookEvents) -> Result<(), Problem> {
    if events.is_empty() {
        let fault = Fault::new(FaultCode::TooFew, "Name at least one type of events.").and("minimum", 1_u32);
        return Err(Problem::field("events", fault));
    }
    Ok(())
}

/// Refuses a callback from nowhere.
pub(crate) fn refuse_no_ranges(callback: Option<&EndpointCallback>) -> Result<(), Problem> {
    if callback.is_some_and(|callback| callback.from.is_empty()) {
        let detail = "Name at least one address or range from which the receiver calls.";
        let fault = Fault::new(FaultCode::TooFew, detail).and("minimum", 1_u32);
        return Err(Problem::field("callback.from", fault));
    }
    Ok(())
}

/// An endpoint without its secrets.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct WebhookEndpointOut {
    /// Id of the endpoint.
    id: WebhookEndpointId,
    /// Display name, such as the software that gets the events.
    #[schemars(example = &"Shop")]
    name: OneLine<1, 60>,
    /// Address to which events are sent.
    #[schemars(example = "https://n8n.example.com/webhook/5f0c2a9e")]
    url: WebUrl,
    /// Types of the events that it gets.
    #[schemars(example = ["message.received", "call.decided"])]
    events: WebhookEvents,
    /// The header that each request carries, without its value.
    header: Option<HeaderOut>,
    /// Whether events also say whom they are about, and what a message says.
    content: bool,
    /// The right of the receiver to call back.
    callback: Option<EndpointCallback>,
    /// Why and since when it gets nothing, if it is disabled.
    disabled: Option<EndpointDisabled>,
    /// Secrets that sign, the newest first: one, or several for 24 hours after a rotation.
    secrets: Vec<SecretOut>,
    /// Health of its deliveries.
    health: HealthOut,
    /// Possible mistakes.
    warnings: Vec<WebhookWarning>,
    /// Time of creation.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    created_at: Timestamp,
    /// Time of the last change.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    updated_at: Timestamp,
}

/// The header that each request carries.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WebhookHeader")]
struct HeaderOut {
    /// Name of the header.
    name: HeaderName,
}

/// A secret that signs.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WebhookSecretOut")]
struct SecretOut {
    /// Time at which it stops signing, if it was replaced.
    #[schemars(example = "2026-11-21T10:00:00Z")]
    valid_until: Option<Timestamp>,
}

/// Health of the deliveries to an endpoint.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WebhookHealth")]
struct HealthOut {
    /// State.
    state: HealthState,
    /// Time of the first failure since the last success.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    failing_since: Option<Timestamp>,
    /// Number of deliveries that wait for another attempt.
    #[schemars(example = 0)]
    waiting: u32,
    /// Time of the next attempt to deliver one of them.
    #[schemars(example = "2026-11-20T10:05:00Z")]
    next_attempt_at: Option<Timestamp>,
    /// Time since which newer events are dropped, since too many wait.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    dropping_since: Option<Timestamp>,
    /// Time of a success at most five minutes before the last one.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    last_success_at: Option<Timestamp>,
}

/// Something about an endpoint that is perhaps a mistake.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WebhookWarning {
    /// The address is the test URL of a Webhook node of n8n, which answers only while somebody has its editor open. Use the production URL.
    N8nTestUrl,
}

impl WebhookEndpointOut {
    pub(crate) fn new(endpoint: WebhookEndpoint, health: &EndpointHealth, now: Timestamp) -> Self {
        let secrets = endpoint.signing_secrets(now).map(|secret| SecretOut {
            valid_until: secret.valid_until,
        });
        let warnings = is_n8n_test_url(&endpoint.url).then_some(WebhookWarning::N8nTestUrl);
        Self {
            id: endpoint.id,
            secrets: secrets.collect(),
            header: endpoint.header.map(|header| HeaderOut { name: header.name }),
            health: HealthOut {
                state: health.state(),
                failing_since: health.failing_since,
                waiting: health.waiting,
                next_attempt_at: if health.is_down() {
                    health.next_probe
                } else {
                    health.next_try
                },
                dropping_since: health.full_since,
                last_success_at: health.last_success,
            },
            warnings: warnings.into_iter().collect(),
            name: endpoint.name,
            url: endpoint.url,
            events: endpoint.events,
            content: endpoint.content,
            callback: endpoint.callback,
            disabled: endpoint.disabled,
            created_at: endpoint.created_at,
            updated_at: endpoint.updated_at,
        }
    }
}

/// A new secret, which is shown only once.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NewWebhookSecret")]
pub(crate) struct NewSecret {
    /// The secret as libraries of Standard Webhooks take it.
    #[schemars(example = &"whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoyMzQ1NjdhYmNkZWZnaGlqa2xtbm9w")]
    pub(crate) secret: String,
    /// Its key as text, with which HMAC-SHA256 is computed, for software such as n8n.
    #[schemars(example = &"abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnop")]
    pub(crate) key: String,
}

/// An endpoint with a new secret.
#[derive(Serialize, JsonSchema)]
pub(crate) struct NewWebhookEndpointOut {
    #[serde(flatten)]
    pub(crate) endpoint: WebhookEndpointOut,
    /// The new secret. It cannot be read again.
    pub(crate) signing: NewSecret,
}

/// Filters of deliveries.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeliveryQuery {
    /// State.
    #[serde(default)]
    #[schemars(with = "DeliveryState")]
    pub(crate) state: Option<DeliveryState>,
}

/// Deliveries to queue again.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecoverIn {
    /// Time of the first event. Deliveries are kept for seven days.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    pub(crate) since: Timestamp,
}

/// Deliveries that were queued again.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[schemars(rename = "WebhookRecovery")]
pub(crate) struct RecoveredOut {
    /// Number of deliveries that wait again.
    #[schemars(example = 12)]
    pub(crate) queued: u32,
    /// Whether there are more: then ask again.
    #[schemars(example = false)]
    pub(crate) more: bool,
}

/// Result of a test.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WebhookTest")]
pub(crate) struct TestOut {
    /// The attempt to deliver an event of the type `webhook.test`.
    pub(crate) attempt: Attempt,
}
