//! Runs of a receiver of webhooks: what it may do with the token of an event.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::live::Event;
use crate::terms::{ApiKeyId, ContactId, EventId, WebhookEndpointId};
use crate::webhooks::{CallbackRanges, WebhookEndpoint};

/// Time for which the token of a run is valid.
pub const RUN_LIFETIME: SignedDuration = SignedDuration::from_mins(15);

/// A run: what the receiver of an event may do with the token that came with it. A later attempt to deliver the event has another token, and is the
/// same run by its [name](Self::name).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookRun {
    /// The endpoint that got the event.
    pub endpoint: WebhookEndpointId,
    /// The event.
    pub event: EventId,
    /// The contact that it is about, and that the token is limited to.
    pub contact: ContactId,
    /// The API key as which the receiver acts.
    pub api_key: ApiKeyId,
    /// Addresses from which it calls.
    pub from: CallbackRanges,
    /// Time from which the token is refused.
    pub expires_at: Timestamp,
}

impl WebhookRun {
    /// The run of an event that is sent now. `None` if the endpoint has no callback, or the event is not about a contact.
    pub fn begin(endpoint: &WebhookEndpoint, event: &Event, now: Timestamp) -> Option<Self> {
        let callback = endpoint.callback.as_ref()?;
        Some(Self {
            endpoint: endpoint.id,
            event: event.id,
            contact: event.data.contact_id?,
            api_key: callback.api_key_id,
            from: callback.from.clone(),
            expires_at: now + RUN_LIFETIME,
        })
    }

    /// Whether the token is valid no more.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at <= now
    }

    /// Whether a request may come from this address. An unknown one is in no range.
    pub fn is_from(&self, address: Option<IpAddr>) -> bool {
        address.is_some_and(|address| self.from.iter().any(|range| range.contains(address)))
    }

    /// Whether a request may be about this contact. One that names none is about everything.
    pub fn is_about(&self, contact: Option<ContactId>) -> bool {
        contact == Some(self.contact)
    }

    /// The name of the run, which takes the place of an idempotency key. It holds a space, which no key of a header does.
    pub fn name(&self) -> String {
        format!("{} {}", self.endpoint, self.event)
    }
}

impl WebhookEndpoint {
    /// Whether a change changes the callback, or where its tokens go: the address, or the header, by which a proxy may tell receivers apart.
    pub fn redirects_callback(&self, after: &Self) -> bool {
        let is_same_way = self.url == after.url && self.header == after.header;
        self.callback != after.callback || after.callback.is_some() && !is_same_way
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::samples::at;

    const NOON: &str = "2026-11-20T12:00:00Z";

    fn endpoint(more: &Value) -> WebhookEndpoint {
        let mut endpoint = json!({
            "id": "whe_00000000000000000000000001", "name": "n8n", "url": "https://n8n.example.com/webhook/a",
            "events": ["message.received"], "secrets": [], "created_at": NOON, "updated_at": NOON,
            "callback": {"api_key_id": "key_00000000000000000000000001", "from": ["203.0.113.0/24", "2001:db8::7"]},
        });
        let members = endpoint.as_object_mut().unwrap();
        members.extend(more.as_object().unwrap().clone());
        serde_json::from_value(endpoint).unwrap()
    }

    fn event(data: &Value) -> Event {
        let event =
            json!({"id": "evt_00000000000000000000000001", "type": "message.received", "at": NOON, "data": data});
        serde_json::from_value(event).unwrap()
    }

    fn contact(number: u128) -> ContactId {
        ContactId::new(ulid::Ulid::from_parts(0, number))
    }

    fn run() -> WebhookRun {
        WebhookRun::begin(
            &endpoint(&json!({})),
            &event(&json!({"contact_id": contact(1)})),
            at(NOON),
        )
        .unwrap()
    }

    #[test]
    fn token_is_valid_for_fifteen_minutes() {
        for (now, is_over) in [
            (NOON, false),
            ("2026-11-20T12:14:59.999Z", false),
            ("2026-11-20T12:15:00Z", true),
        ] {
            assert_eq!(run().is_over(at(now)), is_over, "{now}");
        }
    }

    #[test]
    fn token_is_valid_from_listed_addresses_only() {
        for (address, is_from) in [
            ("203.0.113.7", true),
            ("::ffff:203.0.113.7", true),
            ("203.0.114.7", false),
            ("2001:db8::7", true),
            ("2001:db8::8", false),
            ("", false),
        ] {
            assert_eq!(run().is_from(address.parse().ok()), is_from, "{address}");
        }
    }

    #[test]
    fn token_is_about_the_contact_of_its_event_only() {
        assert!(run().is_about(Some(contact(1))));
        assert!(!run().is_about(Some(contact(2))));
        assert!(!run().is_about(None));
    }

    #[test]
    fn only_events_about_contacts_have_runs() {
        let about = event(&json!({"contact_id": contact(1)}));
        let without = WebhookEndpoint {
            callback: None,
            ..endpoint(&json!({}))
        };
        assert_eq!(WebhookRun::begin(&without, &about, at(NOON)), None);
        assert_eq!(
            WebhookRun::begin(&endpoint(&json!({})), &event(&json!({})), at(NOON)),
            None
        );
        let later = WebhookRun::begin(&endpoint(&json!({})), &about, at("2026-11-20T13:00:00Z"));
        assert_eq!(later.map(|later| later.name()), Some(run().name()));
    }

    #[test]
    fn callbacks_are_redirected_by_address_and_header() {
        let header = json!({"name": "x-token", "sealed": "c2VhbGVk"});
        for (change, redirects) in [
            (json!({"name": "Shop"}), false),
            (json!({"events": ["call.decided"], "content": true}), false),
            (json!({"url": "https://other.example.com/hook"}), true),
            (json!({ "header": header }), true),
            (json!({"callback": null}), true),
        ] {
            let (before, after) = (endpoint(&json!({})), endpoint(&change));
            assert_eq!(before.redirects_callback(&after), redirects, "{change}");
            assert_eq!(after.redirects_callback(&before), redirects, "{change}");
        }
        let plain = endpoint(&json!({"callback": null}));
        let moved = endpoint(&json!({"callback": null, "url": "https://other.example.com/hook"}));
        assert!(!plain.redirects_callback(&moved), "there is none");
    }
}
