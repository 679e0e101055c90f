//! Software that requests messages during the storm, and their recipients, who write. The software sends each request several times with one
//! idempotency key, some of them at once, until it has answers: whatever dies meanwhile, the key stands for one message. The provider delivers
//! each text three times: it is stored once.

use anyhow::{Context as _, Result};
use domain::terms::{Channel, Phone};
use futures::future::try_join_all;
use serde_json::json;

use super::shop::{self, MESSAGES, Shop, agreed_text};
use super::{Ground, Size};
use crate::endpoints::Tenant;
use crate::random::Random;

/// Answers that are wanted of each key.
const ANSWERS: usize = 4;

/// Share of the storm when requests begin.
const BEGIN: f64 = 0.7;

/// A message that was requested.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) to: Phone,
    /// The id that all answers name.
    id: String,
}

/// Requests messages, spread over the storm.
pub(super) async fn ask(ground: &Ground<'_>, size: Size, tenant: &Tenant, seed: u64) -> Result<Vec<Asked>> {
    let mut random = Random::new(seed);
    let numbers = random.phones(size.asks)?;
    let shop = Shop { ground, tenant };
    let all = numbers.into_iter().enumerate().map(|(place, to)| async move {
        tokio::time::sleep(size.storm.mul_f64(BEGIN * place as f64 / size.asks as f64)).await;
        let (key, body) = (format!("chaos-{to}"), shop::message(json!({ "phone": to })));
        let answers = Box::pin(shop.answers(MESSAGES, &key, Some(&body), ANSWERS)).await;
        let id = answers.and_then(|answers| agreed_text(&answers, 201, "/id"));
        let id = id.with_context(|| format!("a message to {to} is requested"))?;
        let text = json!({
            "tenant": tenant.id, "from": to, "channel": Channel::WhatsApp, "text": "Thank you", "repeat": 3,
        });
        ground.play.post("/replies", &text).await?;
        Ok(Asked { to, id })
    });
    try_join_all(all).await
}

/// Describes the fault unless the key led to one message, which its answers named. `stored`: the ids of the messages to its recipient.
pub(super) fn check(asked: &Asked, stored: &[String]) -> Option<String> {
    let Asked { to, id } = asked;
    let holds = matches!(stored, [only] if only == id);
    (!holds).then(|| format!("one key for {to} led to the messages {stored:?}, and its answers named {id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_message_for_one_key_is_detected() {
        let asked = Asked {
            to: "+971501234567".parse().expect("a number"),
            id: "msg_1".to_owned(),
        };
        for (stored, holds) in [
            (&["msg_1"][..], true),
            (&["msg_2"], false),
            (&["msg_1", "msg_2"], false),
            (&[], false),
        ] {
            let stored: Vec<String> = stored.iter().map(|id| (*id).to_owned()).collect();
            assert_eq!(check(&asked, &stored).is_none(), holds, "{stored:?}");
        }
    }
}
