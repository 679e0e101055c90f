//! Software that requests messages during the storm. It sends each request several times with one idempotency key, some of them at once,
//! until it has answers: whatever dies meanwhile, the key stands for one message.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, bail};
use domain::phone::Phone;
use futures::future::{join_all, try_join_all};
use serde_json::{Value, json};

use super::{Ground, Size};
use crate::{endpoints::Tenant, play::Answer, random::Random};

/// Requests that are sent at once, one key for all of them.
const AT_ONCE: usize = 3;

/// Answers that are wanted of each key.
const ANSWERS: usize = 4;

/// Pause between the requests of one key.
const PAUSE: Duration = Duration::from_millis(700);

/// Maximum wait for the answers of one key, despite kills. A request whose function died blocks its key for a while.
const PATIENCE: Duration = Duration::from_secs(400);

/// Share of the storm in which requests begin.
const BEGIN: f64 = 0.7;

/// A message that was requested.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) to: Phone,
    /// The ids that the answers name.
    ids: BTreeSet<String>,
}

/// Requests messages, spread over the storm: as many as there are customers who change their minds.
pub(super) async fn ask(ground: &Ground<'_>, size: Size, tenant: &Tenant, seed: u64) -> Result<Vec<Asked>> {
    let mut random = Random::new(seed);
    let mut numbers: BTreeSet<Phone> = BTreeSet::new();
    while numbers.len() < size.minds {
        let number = format!("+97150{:07}", random.roll() % 10_000_000);
        numbers.insert(number.parse().map_err(|error| anyhow!("{error}"))?);
    }
    let all = numbers.into_iter().enumerate().map(|(place, to)| async move {
        tokio::time::sleep(size.storm.mul_f64(BEGIN * place as f64 / size.minds as f64)).await;
        let ids = Box::pin(answered(ground, tenant, &to)).await;
        let ids = ids.with_context(|| format!("a message to {to} is requested"))?;
        Ok::<_, anyhow::Error>(Asked { to, ids })
    });
    try_join_all(all).await
}

/// The ids in the answers of one key.
async fn answered(ground: &Ground<'_>, tenant: &Tenant, to: &Phone) -> Result<BTreeSet<String>> {
    let key = format!("chaos-{to}");
    let body = json!({
        "phone": to, "category": "utility", "basis": "Asked for it in a storm",
        "template": {
            "name": "missed_call", "language": "en",
            "variables": { "1": { "text": "there" }, "2": { "from": "tenant.name" }, "3": { "text": "noon" } },
        },
        "sms_text": "{{tenant.name}}: your order is ready. {{preferences.code}}",
    })
    .to_string();
    let headers = [
        ("x-api-key", tenant.api_key.as_str()),
        ("content-type", "application/json"),
        ("idempotency-key", key.as_str()),
    ];
    let (begun, mut ids, mut answers) = (Instant::now(), BTreeSet::new(), 0);
    while answers < ANSWERS {
        let requests = (0..AT_ONCE).map(|_| {
            let asked = ground.play.request("POST", "/api/v1/messages", &headers, body.clone());
            Box::pin(asked)
        });
        for answer in join_all(requests).await.into_iter().flatten() {
            match answer.status {
                201 => {
                    answers += 1;
                    ids.insert(id(&answer)?);
                }
                // Another request with the key is running, or was killed; too many in this minute.
                409 | 429 | 500.. => {}
                status => bail!("{status} {}", answer.body),
            }
        }
        if begun.elapsed() > PATIENCE {
            bail!("only {answers} answers in {} s", PATIENCE.as_secs());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(ids)
}

fn id(answer: &Answer) -> Result<String> {
    let message: Value = serde_json::from_str(&answer.body).with_context(|| answer.body.clone())?;
    let id = message["id"].as_str().context("a message has an id")?;
    Ok(id.to_owned())
}

/// The promise that does not hold for a requested message, if it does not: one message for all its requests, and the one that their
/// answers named. `stored`: the ids of the messages to its recipient.
pub(super) fn check(asked: &Asked, stored: &BTreeSet<String>) -> Option<String> {
    let holds = stored.len() == 1 && *stored == asked.ids;
    (!holds).then(|| {
        format!(
            "one key for {} led to the messages {stored:?}, and its answers named {:?}",
            asked.to, asked.ids
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_message_for_one_key_is_detected() {
        let ids = |ids: &[&str]| -> BTreeSet<String> { ids.iter().map(|id| (*id).to_owned()).collect() };
        for (named, stored, holds) in [
            (ids(&["msg_1"]), ids(&["msg_1"]), true),
            (ids(&["msg_1"]), ids(&["msg_2"]), false),
            (ids(&["msg_1"]), ids(&["msg_1", "msg_2"]), false),
            (ids(&["msg_1", "msg_2"]), ids(&["msg_1", "msg_2"]), false),
            (ids(&["msg_1"]), ids(&[]), false),
        ] {
            let to = "+971501234567".parse().expect("a number");
            let broken = check(&Asked { to, ids: named }, &stored);
            assert_eq!(broken.is_none(), holds, "{broken:?}");
        }
    }
}
