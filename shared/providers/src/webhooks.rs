//! Outgoing webhooks: one attempt to deliver an event to an endpoint of a tenant, and the meaning of what comes back.

use domain::Timestamp;
use domain::terms::{EventId, WebUrl};
use domain::webhooks::{AnswerHint, AttemptOutcome, HeaderName, HeaderValue, Verdict, beginning_of_answer};
use jiff::SignedDuration;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;

use crate::guarded::{GuardedClient, Unreached};
use crate::http::Failure;
use crate::standard_webhooks::{SigningSecret, signature_header};

/// A header that each request of an endpoint carries. Its value is a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnHeader {
    /// Its name.
    pub name: HeaderName,
    /// Its value.
    pub value: HeaderValue,
}

/// The request of an attempt.
#[derive(Debug)]
pub struct EventRequest<'a> {
    /// Address of the endpoint.
    pub url: &'a WebUrl,
    /// Id of the event, the same at every attempt.
    pub id: EventId,
    /// Time of the attempt.
    pub at: Timestamp,
    /// The body in JSON. These bytes are signed.
    pub body: Vec<u8>,
    /// The secrets that sign.
    pub secrets: &'a [SigningSecret],
    /// The endpoint's own header.
    pub header: Option<&'a OwnHeader>,
}

/// The end of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptEnd {
    /// Outcome.
    pub outcome: AttemptOutcome,
    /// Status of the answer, if there was one.
    pub status: Option<u16>,
    /// Time for which the receiver wants no further request.
    pub pause: Option<SignedDuration>,
    /// Meaning of an answer whose status does not say all.
    pub hint: Option<AnswerHint>,
    /// Beginning of the answer.
    pub answer: Option<String>,
}

impl AttemptEnd {
    const fn without_answer(outcome: AttemptOutcome) -> Self {
        Self {
            outcome,
            status: None,
            pause: None,
            hint: None,
            answer: None,
        }
    }

    fn of_failure(unreached: &Unreached) -> Self {
        Self::without_answer(match unreached {
            Unreached::Refused(_) => AttemptOutcome::Blocked,
            Unreached::Failed(Failure::TimedOut(_)) => AttemptOutcome::TimedOut,
            // A receiver that does not accept connections holds up as much.
            Unreached::Failed(Failure::NotConnected(error)) if error.is_timeout() => AttemptOutcome::TimedOut,
            Unreached::Failed(_) => AttemptOutcome::NotReached,
        })
    }
}

/// Sends an event once. The client limits the time and the size of the answer.
pub async fn send_event(client: &GuardedClient, request: EventRequest<'_>) -> AttemptEnd {
    let id = request.id.to_string();
    let signature = signature_header(request.secrets, &id, request.at, &request.body);
    let sent = client.send(Method::POST, request.url.as_str(), |builder| {
        let builder = builder
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", request.at.as_second().to_string())
            .header("webhook-signature", signature);
        let builder = match request.header {
            Some(own) => builder.header(own.name.as_str(), own.value.reveal()),
            None => builder,
        };
        builder.body(request.body)
    });
    let answer = match sent.await {
        Ok(answer) => answer,
        Err(unreached) => return AttemptEnd::of_failure(&unreached),
    };
    let verdict = Verdict::of_answer(answer.status, answer.retry_after, &answer.body);
    AttemptEnd {
        outcome: verdict.outcome(),
        status: Some(answer.status),
        pause: verdict.pause(),
        hint: AnswerHint::of_answer(answer.status, &answer.body),
        answer: beginning_of_answer(&answer.body),
    }
}
