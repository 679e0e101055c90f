//! Telephone systems, which report calls with the generic event, or with their own events and have an API to check credentials.

mod aircall;
mod api;
mod exotel;
mod plivo;
mod telephony;
mod vonage;

use std::time::Duration;

use axum::Router;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::config::{Config, Tenant};
use crate::control::{Call, CallEvent};
use crate::delivery::{Body, Webhook};
use crate::world::Sims;

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Vendor {
    /// A telephone system of any kind.
    Telephony,
    Aircall,
    Vonage,
    Exotel,
    Plivo,
}

pub(crate) fn routes() -> Router<Sims> {
    api::routes()
}

/// An event before it is addressed.
struct Event {
    what: String,
    /// Path below the connection's own URL.
    path: String,
    body: Body,
}

/// Times of a call. Durations are stated without waiting for them.
struct Times {
    started: Timestamp,
    /// `None` if nobody answered.
    answered: Option<Timestamp>,
    ended: Timestamp,
    talk_seconds: u32,
}

impl Vendor {
    /// The tenant's number that is called if the call names none.
    pub(crate) fn number(self, tenant: &Tenant) -> Option<&str> {
        match self {
            Self::Telephony => {
                tenant.telephony.as_ref()?;
                let twilio = tenant.twilio.as_ref().and_then(|account| account.numbers.first());
                let own = twilio.or(tenant.whatsapp.as_ref().map(|account| &account.display_number));
                Some(own.map_or("+15005550006", String::as_str))
            }
            Self::Aircall => tenant.aircall.as_ref().map(|account| account.number.as_str()),
            Self::Vonage => tenant.vonage.as_ref().map(|account| account.number.as_str()),
            Self::Exotel => tenant.exotel.as_ref().map(|account| account.number.as_str()),
            Self::Plivo => tenant.plivo.as_ref().map(|account| account.number.as_str()),
        }
    }

    /// A call's id as this vendor forms them.
    pub(crate) fn call_id(self, world: &Sims) -> String {
        match self {
            Self::Telephony => format!("pbx-{}", world.hex_id()),
            Self::Aircall => world.numeric_id().chars().take(18).collect(),
            Self::Exotel => world.hex_id(),
            Self::Vonage => format!("CON-{}", uuid(&world.hex_id())),
            Self::Plivo => uuid(&world.hex_id()),
        }
    }

    /// The webhooks of a call, in their order.
    pub(crate) fn webhooks(
        self,
        world: &Sims,
        config: &Config,
        tenant: &Tenant,
        call: &Call,
    ) -> Result<Vec<Webhook>, String> {
        let times = times(world, call);
        let absent = || "this tenant has no such telephone system".to_owned();
        let (kind, connection, events) = match self {
            Self::Telephony => {
                let account = tenant.telephony.as_ref().ok_or_else(absent)?;
                let events = telephony::events(world, account, call);
                ("telephony", &account.connection, events)
            }
            Self::Aircall => {
                let account = tenant.aircall.as_ref().ok_or_else(absent)?;
                ("aircall", &account.connection, aircall::events(account, call, &times)?)
            }
            Self::Vonage => {
                let account = tenant.vonage.as_ref().ok_or_else(absent)?;
                let events = vonage::events(world, account, call, &times)?;
                ("vonage", &account.connection, events)
            }
            Self::Exotel => {
                let account = tenant.exotel.as_ref().ok_or_else(absent)?;
                ("exotel", &account.connection, exotel::events(account, call, &times)?)
            }
            Self::Plivo => {
                let account = tenant.plivo.as_ref().ok_or_else(absent)?;
                ("plivo", &account.connection, plivo::events(account, call, &times)?)
            }
        };
        let webhook = |event: Event| Webhook {
            what: event.what,
            tenant: tenant.id.clone(),
            url: config.webhook_url(&format!("/webhooks/{kind}/{}/{connection}{}", tenant.id, event.path)),
            body: event.body,
        };
        Ok(events.into_iter().map(webhook).collect())
    }
}

/// Delivers a call's webhooks, each `repeat` times: one after the other, or all at once and in any order.
pub(crate) async fn place(world: &Sims, mut webhooks: Vec<Webhook>, call: &Call) -> Vec<CallEvent> {
    let (repeat, mut events) = (call.repeat, Vec::new());
    if call.shuffle {
        world.state().random.shuffle(&mut webhooks);
        return join_all(webhooks.iter().map(|webhook| copies(world, webhook, repeat)))
            .await
            .concat();
    }
    for webhook in &webhooks {
        events.extend(copies(world, webhook, repeat).await);
    }
    events
}

async fn copies(world: &Sims, webhook: &Webhook, repeat: u32) -> Vec<CallEvent> {
    let deliveries = (0..repeat).map(|copy| async move {
        tokio::time::sleep(Duration::from_millis(10) * copy).await;
        let outcome = world.deliver(webhook).await;
        CallEvent {
            what: webhook.what.clone(),
            status: outcome.status,
        }
    });
    join_all(deliveries).await
}

fn times(world: &Sims, call: &Call) -> Times {
    let answered = call.outcome == "answered";
    let ring = call.ring_seconds.unwrap_or(if answered { 8 } else { 25 });
    let talk_seconds = match call.talk_seconds {
        _ if !answered => 0,
        Some(seconds) => seconds,
        None => 60,
    };
    let ended = world.now();
    let picked_up = ended - SignedDuration::from_secs(i64::from(talk_seconds));
    Times {
        started: picked_up - SignedDuration::from_secs(i64::from(ring)),
        answered: answered.then_some(picked_up),
        ended,
        talk_seconds,
    }
}

/// 32 hexadecimal digits in the form of a UUID.
fn uuid(hex: &str) -> String {
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}
