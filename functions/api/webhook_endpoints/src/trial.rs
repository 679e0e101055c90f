//! A test of an endpoint: a signed event that is sent at once, once.

use access::SecretsError;
use domain::{
    tenants::Sealed,
    terms::EventId,
    webhooks::{AnswerHint, Attempt, AttemptOutcome, Verdict, WebhookEndpoint, beginning_of_answer},
};
use kit::Problem;
use providers::{
    guarded::Unreached,
    http::Failure,
    standard_webhooks::{SigningSecret, signature_header},
};
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
        Some(header) => Some((header.name.as_str(), open(&header.sealed).await?)),
        None => None,
    };
    let (id, at) = (EventId::new(who.ulid()).to_string(), who.now());
    let body = json!({"type": "webhook.test", "timestamp": at, "data": {"webhook_endpoint_id": endpoint.id}});
    let body = body.to_string();
    let signature = signature_header(&secrets, &id, at, body.as_bytes());
    let clock = context.api.env().clock();
    let began = clock.now();
    let sent = context.client.post(endpoint.url.as_str(), |request| {
        let request = request
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", at.as_second())
            .header("webhook-signature", signature);
        let request = match header {
            Some((name, value)) => request.header(name, value),
            None => request,
        };
        request.body(body)
    });
    let sent = sent.await;
    let ms = u32::try_from(clock.now().duration_since(began).as_millis()).unwrap_or_default();
    Ok(match sent {
        Ok(answer) => Attempt {
            at,
            outcome: Verdict::of_answer(answer.status, answer.retry_after, &answer.body).outcome(),
            status: Some(answer.status),
            ms,
            hint: AnswerHint::of_answer(answer.status, &answer.body),
            answer: beginning_of_answer(&answer.body),
        },
        Err(unreached) => Attempt {
            at,
            outcome: outcome_of(&unreached),
            status: None,
            ms,
            hint: None,
            answer: None,
        },
    })
}

fn outcome_of(unreached: &Unreached) -> AttemptOutcome {
    match unreached {
        Unreached::Refused(_) => AttemptOutcome::Blocked,
        Unreached::Failed(Failure::TimedOut(_)) => AttemptOutcome::TimedOut,
        Unreached::Failed(_) => AttemptOutcome::NotReached,
    }
}
