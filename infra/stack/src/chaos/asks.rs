//! Software that requests messages during the storm. It sends each request several times with one idempotency key, some of them at once,
//! until it has answers: whatever dies meanwhile, the key stands for one message. With another body, the key is refused.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, anyhow, ensure};
use domain::phone::Phone;
use futures::future::try_join_all;
use serde_json::{Value, json};

use super::{
    Ground, Size,
    shop::{self, MESSAGES, Shop},
};
use crate::{api, endpoints::Tenant, play::Answer, random::Random};

/// Answers that are wanted of each key.
const ANSWERS: usize = 4;

/// Share of the storm in which requests begin.
const BEGIN: f64 = 0.7;

/// The answer to a key that was used for another body: status and kind of problem.
const REUSED: (u16, &str) = (422, "idempotency_key_reused");

/// A message that was requested.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) to: Phone,
    /// The ids that the answers name.
    ids: BTreeSet<String>,
    /// The answers to the same key with another body: status and kind of problem.
    others: Vec<(u16, String)>,
}

/// Requests messages, spread over the storm: as many as there are customers who change their minds.
pub(super) async fn ask(ground: &Ground<'_>, size: Size, tenant: &Tenant, seed: u64) -> Result<Vec<Asked>> {
    let mut random = Random::new(seed);
    let mut numbers: BTreeSet<Phone> = BTreeSet::new();
    while numbers.len() < size.minds {
        let number = format!("+97150{:07}", random.roll() % 10_000_000);
        numbers.insert(number.parse().map_err(|error| anyhow!("{error}"))?);
    }
    let shop = Shop { ground, tenant };
    let all = numbers.into_iter().enumerate().map(|(place, to)| async move {
        tokio::time::sleep(size.storm.mul_f64(BEGIN * place as f64 / size.minds as f64)).await;
        let asked = Box::pin(answered(shop, to.clone())).await;
        asked.with_context(|| format!("a message to {to} is requested"))
    });
    try_join_all(all).await
}

/// The answers of one key: to a request, then to another one.
async fn answered(shop: Shop<'_>, to: Phone) -> Result<Asked> {
    let key = format!("chaos-{to}");
    let body = shop::message(json!({ "phone": to }));
    let mut ids = BTreeSet::new();
    for answer in shop.answers(MESSAGES, &key, Some(&body), ANSWERS).await? {
        ensure!(answer.status == 201, "{} {}", answer.status, answer.body);
        ids.insert(id(&answer)?);
    }
    let other = shop::message(json!({ "phone": to, "basis": "Asked for something else" }));
    let others = shop.answers(MESSAGES, &key, Some(&other), 1).await?;
    let others = others.iter().map(|answer| (answer.status, api::kind(answer)));
    Ok(Asked {
        others: others.collect(),
        to,
        ids,
    })
}

fn id(answer: &Answer) -> Result<String> {
    let message: Value = serde_json::from_str(&answer.body).with_context(|| answer.body.clone())?;
    let id = message["id"].as_str().context("a message has an id")?;
    Ok(id.to_owned())
}

/// The promises that do not hold for a requested message: one message for all its requests, and the one that their answers named; and
/// another request with its key is refused. `stored`: the ids of the messages to its recipient.
pub(super) fn check(asked: &Asked, stored: &BTreeSet<String>) -> Vec<String> {
    let Asked { to, ids, others } = asked;
    let mut broken = Vec::new();
    if stored.len() != 1 || stored != ids {
        broken.push(format!(
            "one key for {to} led to the messages {stored:?}, and its answers named {ids:?}"
        ));
    }
    let refused = |(status, kind): &(u16, String)| (*status, kind.as_str()) == REUSED;
    if others.is_empty() || !others.iter().all(refused) {
        broken.push(format!("a key for {to} was used for another body: {others:?}"));
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(ids: &[&str], other: (u16, &str)) -> Asked {
        Asked {
            to: "+971501234567".parse().expect("a number"),
            ids: set(ids),
            others: vec![(other.0, other.1.to_owned())],
        }
    }

    fn set(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn second_message_for_one_key_is_detected() {
        for (named, stored, holds) in [
            (&["msg_1"][..], &["msg_1"][..], true),
            (&["msg_1"], &["msg_2"], false),
            (&["msg_1"], &["msg_1", "msg_2"], false),
            (&["msg_1", "msg_2"], &["msg_1", "msg_2"], false),
            (&["msg_1"], &[], false),
        ] {
            let broken = check(&asked(named, REUSED), &set(stored));
            assert_eq!(broken.is_empty(), holds, "{broken:?}");
        }
    }

    #[test]
    fn key_that_takes_another_body_is_detected() {
        for (other, holds) in [
            (REUSED, true),
            ((201, ""), false),
            ((422, "invalid"), false),
            ((409, "idempotency_key_reused"), false),
        ] {
            let broken = check(&asked(&["msg_1"], other), &set(&["msg_1"]));
            assert_eq!(broken.is_empty(), holds, "{broken:?}");
        }
        let mut unanswered = asked(&["msg_1"], REUSED);
        unanswered.others.clear();
        assert_eq!(check(&unanswered, &set(&["msg_1"])).len(), 1);
    }
}
