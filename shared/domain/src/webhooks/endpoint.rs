//! Endpoints: where events go, which ones, what they carry, and the secrets that sign them.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::accounts::Permission;
use crate::live::EventType;
use crate::notices::{EndpointTrouble, Matter, Notice};
use crate::tenants::Sealed;
use crate::terms::{Distinct, OneLine, RotationId, WebUrl, WebhookEndpointId};
use crate::webhooks::{EndpointCallback, HeaderName};

/// The types of the events that an endpoint gets.
pub type WebhookEvents = Distinct<{ EventType::ALL.len() }, EventType>;

/// Maximum secrets that sign at the same time. A rotation whose answer was lost then ends no secret that a receiver still checks.
pub const MAX_VALID_SECRETS: usize = 4;

/// Time for which a secret signs beside the one that replaced it.
const OVERLAP: SignedDuration = SignedDuration::from_hours(24);

/// An endpoint: an address of a tenant's software that gets events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookEndpoint {
    /// Id.
    pub id: WebhookEndpointId,
    /// Display name.
    pub name: OneLine<1, 60>,
    /// Address to which events are sent.
    pub url: WebUrl,
    /// Types of the events that it gets, at least one.
    pub events: WebhookEvents,
    /// A header that each request carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<EndpointHeader>,
    /// Whether events also say whom they are about, and what a message says. Otherwise they hold ids only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub content: bool,
    /// The right of its receiver to call back, if it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback: Option<EndpointCallback>,
    /// Why it gets nothing, if it is disabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<EndpointDisabled>,
    /// The secrets that sign, the newest first: one, or several after a rotation.
    pub secrets: Vec<EndpointSecret>,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

/// The header that each request of an endpoint carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointHeader {
    /// Its name.
    pub name: HeaderName,
    /// Its value, sealed.
    pub sealed: Sealed,
}

/// A secret that signs what an endpoint gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointSecret {
    /// The secret, sealed.
    pub sealed: Sealed,
    /// Time at which it stops signing, if it was replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
    /// The request that made it. A repetition of the same request has not seen the secret.
    pub rotation: RotationId,
}

/// Why and when an endpoint was disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EndpointDisabled {
    /// The reason.
    pub reason: DisabledReason,
    /// Time at which it was disabled.
    #[cfg_attr(feature = "schema", schemars(example = "2026-11-20T10:00:00Z"))]
    pub at: Timestamp,
}

/// Reason why an endpoint is disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DisabledReason {
    /// A user disabled it.
    User,
    /// Its receiver answered 410: it wants no more events.
    Gone,
    /// It failed for days.
    Failing,
}

/// The part of an endpoint by which a publisher of events finds those that want them. It holds no secret, and no address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowingEndpoint {
    /// The endpoint.
    pub id: WebhookEndpointId,
    /// Types of the events that it gets.
    pub events: WebhookEvents,
}

/// As many secrets sign already as may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{MAX_VALID_SECRETS} secrets sign already, the first of them until {until}")]
pub struct StillRotating {
    /// Time at which the first of them stops.
    pub until: Timestamp,
}

impl WebhookEndpoint {
    /// Maximum endpoints per tenant.
    pub const MAX: u32 = 20;

    /// The secrets that sign at this time, the newest first.
    pub fn signing_secrets(&self, now: Timestamp) -> impl Iterator<Item = &EndpointSecret> {
        let signs = move |secret: &&EndpointSecret| secret.valid_until.is_none_or(|until| until > now);
        self.secrets.iter().filter(signs)
    }

    /// The endpoint with a new secret, beside which those of before sign for 24 hours. One that an interrupted attempt of the same request made was
    /// shown to nobody, and is dropped.
    ///
    /// # Errors
    /// If [`MAX_VALID_SECRETS`] sign already.
    pub fn rotate_secret(&self, fresh: Sealed, rotation: RotationId, now: Timestamp) -> Result<Self, StillRotating> {
        let others = self.signing_secrets(now).filter(|secret| secret.rotation != rotation);
        let mut former: Vec<EndpointSecret> = others.cloned().collect();
        if former.len() >= MAX_VALID_SECRETS {
            let until = former.iter().filter_map(|secret| secret.valid_until).min();
            return Err(StillRotating {
                until: until.unwrap_or(now + OVERLAP),
            });
        }
        for secret in &mut former {
            secret.valid_until.get_or_insert(now + OVERLAP);
        }
        let fresh = EndpointSecret {
            sealed: fresh,
            valid_until: None,
            rotation,
        };
        Ok(Self {
            secrets: [fresh].into_iter().chain(former).collect(),
            updated_at: now,
            ..self.clone()
        })
    }

    /// The endpoint, disabled for this reason. One that is disabled already keeps its reason and time.
    #[must_use]
    pub fn disable(&self, reason: DisabledReason, at: Timestamp) -> Self {
        if self.disabled.is_some() {
            return self.clone();
        }
        Self {
            disabled: Some(EndpointDisabled { reason, at }),
            updated_at: at,
            ..self.clone()
        }
    }

    /// The endpoint, no longer disabled.
    #[must_use]
    pub fn enable(&self, at: Timestamp) -> Self {
        if self.disabled.is_none() {
            return self.clone();
        }
        Self {
            disabled: None,
            updated_at: at,
            ..self.clone()
        }
    }

    /// The entry by which publishers find it. `None` if it is disabled.
    pub fn following(&self) -> Option<FollowingEndpoint> {
        self.disabled.is_none().then(|| FollowingEndpoint {
            id: self.id,
            events: self.events.clone(),
        })
    }

    /// The permissions that whoever lets it have its events must have: those to read what the events say.
    pub fn permissions(&self) -> impl Iterator<Item = Permission> {
        let with_content = [Permission::ContactsRead, Permission::MessagesRead];
        let of_content = with_content.into_iter().filter(|_| self.content);
        self.events.iter().map(|event| event.permission()).chain(of_content)
    }
}

impl Notice {
    /// The notice of an endpoint that has been in trouble since this time. `at` is the same at every attempt to tell people, such as the end of
    /// the first day of failing, so that they are told once.
    pub fn of_endpoint(endpoint: &WebhookEndpoint, trouble: EndpointTrouble, since: Timestamp, at: Timestamp) -> Self {
        Self {
            matter: Matter::WebhookFailing {
                endpoint: endpoint.id,
                trouble,
                since,
            },
            name: endpoint.name.as_str().to_owned(),
            at,
        }
    }
}

/// Whether this is the test URL of a Webhook node of n8n, which answers only while somebody has its editor open.
pub fn is_n8n_test_url(url: &WebUrl) -> bool {
    let url = Url::parse(url.as_str()).ok();
    let first = url.as_ref().and_then(|url| url.path_segments()?.next());
    first == Some("webhook-test")
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use ulid::Ulid;

    use super::*;
    use crate::notices::NoticeState;
    use crate::samples::at;

    fn endpoint() -> WebhookEndpoint {
        serde_json::from_value(json!({
            "id": "whe_00000000000000000000000001", "name": "n8n", "url": "https://n8n.example.com/webhook/a",
            "events": ["message.received", "call.decided"],
            "secrets": [{"sealed": "first", "rotation": rotation(1)}],
            "created_at": "2026-11-20T12:00:00Z", "updated_at": "2026-11-20T12:00:00Z",
        }))
        .unwrap()
    }

    fn rotation(number: u128) -> RotationId {
        RotationId::new(Ulid::from_parts(1, number))
    }

    fn signing(endpoint: &WebhookEndpoint, now: Timestamp) -> Vec<&str> {
        endpoint
            .signing_secrets(now)
            .map(|secret| secret.sealed.0.as_str())
            .collect()
    }

    fn rotate(endpoint: &WebhookEndpoint, sealed: &str, number: u128, now: Timestamp) -> WebhookEndpoint {
        endpoint
            .rotate_secret(Sealed(sealed.to_owned()), rotation(number), now)
            .unwrap()
    }

    #[test]
    fn both_secrets_sign_for_a_day_after_a_rotation() {
        let noon = at("2026-11-20T12:00:00Z");
        let rotated = rotate(&endpoint(), "second", 2, noon);
        assert_eq!(signing(&rotated, noon), ["second", "first"]);
        assert_eq!(signing(&rotated, at("2026-11-21T11:59:59Z")), ["second", "first"]);
        assert_eq!(signing(&rotated, at("2026-11-21T12:00:00Z")), ["second"]);
        // A later rotation prolongs nothing.
        let again = rotate(&rotated, "third", 3, at("2026-11-20T18:00:00Z"));
        assert_eq!(signing(&again, at("2026-11-21T12:00:00Z")), ["third", "second"]);
        assert_eq!(signing(&again, at("2026-11-21T18:00:00Z")), ["third"]);
    }

    /// A request that was interrupted and repeated has shown its first secret to nobody.
    #[test]
    fn repeated_rotation_replaces_only_its_own_secret() {
        let noon = at("2026-11-20T12:00:00Z");
        let interrupted = rotate(&endpoint(), "unseen", 2, noon);
        let repeated = rotate(&interrupted, "second", 2, at("2026-11-20T12:01:00Z"));
        assert_eq!(signing(&repeated, noon), ["second", "first"]);
        assert_eq!(repeated.secrets[1].valid_until, interrupted.secrets[1].valid_until);
    }

    #[test]
    fn at_most_four_secrets_sign() {
        let noon = at("2026-11-20T12:00:00Z");
        let full = (2..=4).fold(endpoint(), |known, number| rotate(&known, "next", number, noon));
        assert_eq!(signing(&full, noon).len(), MAX_VALID_SECRETS);
        let refused = full.rotate_secret(Sealed("fifth".to_owned()), rotation(5), noon);
        let until = at("2026-11-21T12:00:00Z");
        assert_eq!(refused, Err(StillRotating { until }));
        assert_eq!(signing(&rotate(&full, "fifth", 5, until), until), ["fifth", "next"]);
    }

    #[test]
    fn disabled_endpoint_follows_nothing_and_keeps_its_reason() {
        let (noon, later) = (at("2026-11-20T12:00:00Z"), at("2026-11-20T13:00:00Z"));
        let disabled = endpoint().disable(DisabledReason::Gone, noon);
        assert_eq!(disabled.following(), None);
        assert_eq!(disabled.disable(DisabledReason::User, later), disabled);
        let enabled = disabled.enable(later);
        assert_eq!((enabled.disabled, enabled.updated_at), (None, later));
        assert_eq!(enabled.following().map(|following| following.events.len()), Some(2));
        assert_eq!(enabled.enable(noon), enabled);
    }

    #[test]
    fn content_needs_the_permissions_to_read_it() {
        use Permission::{CallsRead, ContactsRead, MessagesRead};
        let ids = endpoint();
        assert_eq!(ids.permissions().collect::<Vec<_>>(), [MessagesRead, CallsRead]);
        let content = WebhookEndpoint { content: true, ..ids };
        let permissions: Vec<_> = content.permissions().collect();
        assert_eq!(permissions, [MessagesRead, CallsRead, ContactsRead, MessagesRead]);
    }

    /// A mail about its end does not wait for the pause after the one that it fails.
    #[test]
    fn endpoint_is_noticed_by_its_trouble_and_time() {
        let endpoint = endpoint();
        let noon = at("2026-11-20T12:00:00Z");
        let notice = |trouble, now: &str| Notice::of_endpoint(&endpoint, trouble, noon, at(now));
        let (day, later) = ("2026-11-21T12:00:00Z", "2026-11-23T12:00:00Z");
        let failing = notice(EndpointTrouble::Failing, day);
        assert_eq!(failing.key(), format!("webhook_failing#{}#failing", endpoint.id));
        let told = NoticeState::after_occurrence(&failing, None, at(day)).unwrap();
        assert_eq!(NoticeState::after_occurrence(&failing, Some(&told), at(later)), None);
        let third = notice(EndpointTrouble::Failing, later);
        assert!(NoticeState::after_occurrence(&third, Some(&told), at(later)).is_some());
        assert_ne!(notice(EndpointTrouble::Gone, day).key(), failing.key());
        assert_eq!(failing.matter.subject_id(), Some(endpoint.id.to_string()));
    }

    #[test]
    fn test_urls_of_n8n_are_known() {
        for (url, is_test) in [
            ("https://n8n.example.com/webhook-test/5f0c2a", true),
            ("https://n8n.example.com/webhook/5f0c2a", false),
            ("https://example.com/?to=/webhook-test/", false),
        ] {
            assert_eq!(is_n8n_test_url(&url.parse().unwrap()), is_test, "{url}");
        }
    }
}
