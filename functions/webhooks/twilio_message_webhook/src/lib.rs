//! Twilio's message webhooks, for SMS and for WhatsApp through Twilio: verifies the sender and queues replies and statuses in
//! `provider-events`.

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::post;
use domain::tenants::{Account, Connection, twilio};
use jobs::{EventGroup, EventSource, Payload, ProviderEvent};
use kit::http::expect_content_type;
use kit::webhook::{Delivery, LARGEST_JOB, answer};
use kit::{ConfigError, Env, Problem, QueueName, Webhook};
use providers::Unreadable;
use providers::form::Form;
use providers::twilio::{address, form, signature, twiml};

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    let webhook = Arc::new(Webhook::new(env, "twilio", QueueName::ProviderEvents)?);
    let callback = |what| post(move |delivery| receive(what, delivery));
    Ok(Router::new()
        .route(
            "/webhooks/twilio/{tenant_id}/{connection_id}/inbound",
            callback(What::Inbound),
        )
        .route(
            "/webhooks/twilio/{tenant_id}/{connection_id}/message-status",
            callback(What::Status),
        )
        .with_state(webhook))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Inbound,
    Status,
}

const FORM: &str = "application/x-www-form-urlencoded";

/// Maximum size of a body, which is read before it is authenticated. A message has at most 1,600 characters and ten addresses of
/// media.
const LARGEST: usize = 1024 * 1024;

async fn receive(what: What, delivery: Delivery<LARGEST>) -> Result<Response, Problem> {
    expect_content_type(&delivery.headers, FORM)?;
    let (webhook, url, body) = (&delivery.webhook, delivery.url(), &delivery.body);
    let proving = delivery.prove(|_, secrets| signature::signs_form(secrets, |name| delivery.header(name), &url, body));
    let proven = proving.await?;
    // Twilio expects TwiML; an empty document sends nothing to the customer.
    let done = || answer("text/xml", twiml::EMPTY);
    let fields = form::parse(body);
    let named = fields
        .filled_value("MessageSid")
        .or_else(|| fields.filled_value("SmsSid"))
        .is_some();
    let text = match String::from_utf8(body.to_vec()) {
        Ok(text) if named => text,
        _ => {
            let nameless = Unreadable {
                provider: "Twilio",
                field: "MessageSid",
            };
            webhook.keep_unreadable(body, &nameless).await?;
            return Ok(done());
        }
    };
    if !is_of(what, proven.connection(), &fields) {
        webhook.foreign();
        return Ok(done());
    }
    let (group, source) = match what {
        What::Inbound => (EventGroup::Inbound, EventSource::TwilioInbound),
        What::Status => {
            let query = form::parse(delivery.target.query().as_bytes());
            let key = query.filled_value("key").map(|key| key.into_owned());
            (EventGroup::Status, EventSource::TwilioStatus { key })
        }
    };
    let payload = if text.len() < LARGEST_JOB / 2 {
        Payload::Inline(text)
    } else {
        Payload::Stored(webhook.keep_large(text.as_bytes()).await?)
    };
    let job = ProviderEvent {
        tenant: proven.scope().tenant(),
        connection: proven.connection().id,
        correlation_id: delivery.correlation_id.as_str().to_owned(),
        received_at: delivery.at,
        group,
        source,
        payload,
    };
    webhook.enqueue(vec![webhook.entry(&job)?]).await?;
    Ok(done())
}

/// True if the event is about the connection's own account and, for a customer's message, one of its numbers. A status may name a
/// sender that a Messaging Service chose.
fn is_of(what: What, connection: &Connection, fields: &Form) -> bool {
    let Account::Twilio(twilio::Account {
        account_sid,
        numbers,
        messaging_service_sid,
        whatsapp_sender,
        ..
    }) = &connection.account
    else {
        return false;
    };
    if fields
        .filled_value("AccountSid")
        .is_some_and(|account| account != account_sid.as_str())
    {
        return false;
    }
    let service = fields.filled_value("MessagingServiceSid");
    let by_service = service.is_some() && service.as_deref() == messaging_service_sid.as_deref();
    let to = fields.get("To").and_then(|to| address(&to)).and_then(|to| to.phone);
    let Some(to) = to else { return true };
    let listed = numbers.contains(&to) || whatsapp_sender.as_ref() == Some(&to);
    what == What::Status || by_service || listed || numbers.is_empty()
}
