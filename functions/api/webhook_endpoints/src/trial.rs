//! A test of an endpoint: a signed event that is sent at once, once.

use access::SecretsError;
use domain::tenants::Sealed;
use domain::terms::EventId;
use domain::webhooks::{Attempt, WebhookEndpoint};
use kit::Problem;
use providers::standard_webhooks::SigningSecret;
use providers::webhooks::{EventRequest, OwnHeader, send_event};
use serde_json::json;

use crate::{Context, Writing, key_service_problem};

/// Sends a test event to an endpoint, as all its events are sent, and returns what came back.
pub(crate) async fn send_test(
    context: &Context,
    who: &Writing,
    endpoint: &WebhookEndpoint,
) -> Result<Attempt, Problem> {
    let tenant = who.scope().tenant();
    let open = async |sealed: &Sealed| {
        let opened = context.secrets.open(tenant, endpoint.id, sealed).await;
        opened.map_err(|error: SecretsError| key_service_problem(&error))
    };
    let mut secrets = Vec::new();
    for secret in endpoint.signing_secrets(who.now()) {
        secrets.push(SigningSecret::from_stored(open(&secret.sealed).await?));
    }
    let header = match &endpoint.header {
        // What was sealed was a value.
        Some(header) => open(&header.sealed).await?.parse().ok().map(|value| OwnHeader {
            name: header.name.clone(),
            value,
        }),
        None => None,
    };
    let at = who.now();
    let body = json!({"type": "webhook.test", "timestamp": at, "data": {"webhook_endpoint_id": endpoint.id}});
    let clock = context.api.env().clock();
    let began = clock.now();
    let request = EventRequest {
        url: &endpoint.url,
        id: EventId::new(who.ulid()),
        at,
        body: body.to_string().into_bytes(),
        secrets: &secrets,
        header: header.as_ref(),
    };
    let end = send_event(&context.client, request).await;
    Ok(Attempt {
        at,
        outcome: end.outcome,
        status: end.status,
        ms: u32::try_from(clock.now().duration_since(began).as_millis()).unwrap_or_default(),
        hint: end.hint,
        answer: end.answer,
    })
}
