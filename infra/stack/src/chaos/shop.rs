//! A business in the storm: what its software asks for, repeated until it takes effect.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use futures::future::join_all;
use serde_json::{Value, json};

use super::Ground;
use crate::api;
use crate::endpoints::Tenant;
use crate::play::Answer;

/// Requests that are sent at once, one key for all of them.
const AT_ONCE: usize = 3;

/// Pause before a key is used again. It doubles up to [`MAX_PAUSE`]: on a busy machine, requests without end would keep all functions
/// starting and none of them ending.
const PAUSE: Duration = Duration::from_millis(700);

const MAX_PAUSE: Duration = Duration::from_secs(10);

/// Maximum wait for the answers of one key, despite kills. A request whose function died blocks its key for a while.
const PATIENCE_FOR_A_KEY: Duration = Duration::from_secs(400);

/// Path of messages, which software requests.
pub(super) const MESSAGES: &str = "/api/v1/messages";

/// A request for a message. `more` names the recipient, and what else is different.
pub(super) fn message(more: Value) -> Value {
    let mut body = json!({
        "category": "utility", "basis": "Asked for it in a storm",
        "template": {
            "name": "missed_call", "language": "en",
            "variables": { "1": { "text": "there" }, "2": { "from": "tenant.name" }, "3": { "text": "noon" } },
        },
        "sms_text": "{{tenant.name}}: your order is ready. {{preferences.code}}",
    });
    crate::play::merge(&mut body, more);
    body
}

/// The text at this place of all answers to one key, which have this status.
pub(super) fn agreed_text(answers: &[Answer], status: u16, place: &str) -> Result<String> {
    let mut said = BTreeSet::new();
    for answer in answers {
        ensure!(answer.status == status, "{} {}", answer.status, answer.body);
        let text = api::json(answer).pointer(place).and_then(api::word);
        said.insert(text.with_context(|| format!("no {place} in {}", answer.body))?);
    }
    let mut said = said.into_iter();
    match (said.next(), said.next()) {
        (Some(only), None) => Ok(only),
        differing => bail!("the answers to one key say {differing:?} in {place}"),
    }
}

/// Whether a request has no answer yet: its key is busy, others are changing the same, as many messages as may wait for the person, there
/// were too many requests, or a function died.
fn is_postponed(answer: &Answer) -> bool {
    let is_open = || api::json(answer)["code"] == "too_many_open";
    match answer.status {
        409 => matches!(api::kind(answer).as_str(), "still_running" | "conflict") || is_open(),
        status => status == 429 || status >= 500,
    }
}

/// A business, as its software sees it.
#[derive(Clone, Copy)]
pub(super) struct Shop<'a> {
    pub(super) ground: &'a Ground<'a>,
    pub(super) tenant: &'a Tenant,
}

impl Shop<'_> {
    /// At least `wanted` answers to a `POST` of the business's software, which sends it several times at once with one idempotency key
    /// until it has them.
    pub(super) async fn answers(
        &self,
        path: &str,
        key: &str,
        body: Option<&Value>,
        wanted: usize,
    ) -> Result<Vec<Answer>> {
        let text = body.map(Value::to_string).unwrap_or_default();
        let headers = [
            ("x-api-key", self.tenant.api_key.as_str()),
            ("content-type", "application/json"),
            ("idempotency-key", key),
        ];
        let (begun, mut answers) = (Instant::now(), Vec::new());
        let (mut at_once, mut pause) = (AT_ONCE, PAUSE);
        loop {
            let post = || self.ground.play.request("POST", path, &headers, text.clone());
            let requests = (0..at_once).map(|_| Box::pin(post()));
            let answered = join_all(requests).await.into_iter().flatten();
            answers.extend(answered.filter(|answer| !is_postponed(answer)));
            if answers.len() >= wanted {
                return Ok(answers);
            }
            if begun.elapsed() > PATIENCE_FOR_A_KEY {
                let waited = PATIENCE_FOR_A_KEY.as_secs();
                bail!("only {} answers of {path} in {waited} s", answers.len());
            }
            tokio::time::sleep(pause).await;
            // Those of the first time were at the same time: one after the other is enough now.
            (at_once, pause) = (1, (pause * 2).min(MAX_PAUSE));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &Value) -> Answer {
        Answer {
            status,
            headers: Vec::new(),
            body: body.to_string(),
        }
    }

    #[test]
    fn only_what_may_change_is_asked_again() {
        let problem = |kind: &str| json!({ "type": format!("urn:ringback:problem:{kind}") });
        for (status, kind, postponed) in [
            (409, "still_running", true),
            (409, "conflict", true),
            (409, "message_refused", false),
            (429, "too_many_requests", true),
            (503, "unavailable", true),
            (422, "idempotency_key_reused", false),
            (404, "not_found", false),
        ] {
            assert_eq!(is_postponed(&answer(status, &problem(kind))), postponed, "{kind}");
        }
        assert!(is_postponed(&answer(409, &json!({ "code": "too_many_open" }))));
    }

    #[test]
    fn answers_to_one_key_say_the_same() {
        let named = |id: &str| answer(201, &json!({ "merge": { "id": id } }));
        let place = "/merge/id";
        assert_eq!(
            agreed_text(&[named("1"), named("1")], 201, place).ok().as_deref(),
            Some("1")
        );
        assert!(agreed_text(&[named("1"), named("2")], 201, place).is_err());
        assert!(agreed_text(&[named("1")], 200, place).is_err());
        assert!(agreed_text(&[answer(201, &json!({}))], 201, place).is_err());
        assert!(agreed_text(&[], 201, place).is_err());
    }
}
