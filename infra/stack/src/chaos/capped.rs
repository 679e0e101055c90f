//! Messages that are requested all at once during the storm, of a tenant whose caps have room for few of them: providers accept no more
//! than the caps allow, whatever dies meanwhile, and whatever is sent is counted.

use anyhow::{Context as _, Result, ensure};
use domain::{
    money::{Currency, PriceBook, PriceCategory, day_of},
    reports::{Carrier, Listed, expected_cost},
    terms::{Channel, Phone},
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;

use super::{
    Ground, Size,
    shop::{self, MESSAGES, Shop},
};
use crate::{api, business::Plan, endpoints::Tenant, play::Sent, random::Random};

/// Messages of the month: a fifth of those requested.
const fn monthly_cap(size: Size) -> usize {
    size.raced / 5
}

/// Money of the month, in cents: by WhatsApp, it has room for more messages than the other cap, by SMS for fewer.
const fn most_cents(size: Size) -> usize {
    monthly_cap(size) * 3
}

/// Caps of months, since no storm lasts so long that another one begins more than once.
pub(super) fn caps(plan: &mut Plan, size: Size) {
    plan.file["tenant"]["caps"] = json!([
        { "number": 1, "period": "month", "purpose": "api", "maximum": monthly_cap(size) },
        { "number": 2, "period": "month", "currency": "USD", "maximum": most_cents(size) },
    ]);
}

/// Messages that are requested at the same time, each several times. The emulator starts a process for each request that waits: hundreds of
/// them would keep the machine from all else.
const AT_ONCE: usize = 20;

/// Requests messages to as many people, many at once. Returns those that were taken: the others are beyond a cap already.
pub(super) async fn race(ground: &Ground<'_>, size: Size, tenant: &Tenant, seed: u64) -> Result<Vec<Phone>> {
    let mut random = Random::new(seed);
    let numbers = random.phones(size.raced)?;
    let shop = Shop { ground, tenant };
    let all = numbers.into_iter().map(|to| async move {
        let (key, body) = (format!("chaos-{to}"), shop::message(json!({ "phone": to })));
        let answers = Box::pin(shop.answers(MESSAGES, &key, Some(&body), 1)).await?;
        let answer = answers.first().context("there is an answer")?;
        let is_beyond = answer.status == 409 && api::json(answer)["code"] == "cap_reached";
        ensure!(is_beyond || answer.status == 201, "{} {}", answer.status, answer.body);
        Ok((answer.status == 201).then_some(to))
    });
    let taken: Vec<Option<Phone>> = stream::iter(all).buffer_unordered(AT_ONCE).try_collect().await?;
    Ok(taken.into_iter().flatten().collect())
}

/// Messages that the caps count, and that providers accepted. How many are counted and not sent is no promise: what dies after counting,
/// or counts again after a lost response, leaves that counted, and a storm on a slow machine can use up a cap so.
#[derive(Debug, Clone, Copy)]
pub(super) struct Raced {
    counted: usize,
    accepted: usize,
    /// Millionths of a dollar.
    cost: u64,
}

impl Raced {
    pub(super) async fn look(ground: &Ground<'_>, tenant: &Tenant) -> Result<Self> {
        let outbox = ground.outbox(tenant).await?;
        let shop = Shop { ground, tenant };
        let caps = api::json(&shop.get("/api/v1/caps").await?);
        let counted = caps.pointer("/items/0/counted").and_then(serde_json::Value::as_u64);
        let costs: Option<Vec<u64>> = outbox.iter().map(cost).collect();
        Ok(Self {
            counted: usize::try_from(counted.context("what is counted")?)?,
            accepted: outbox.len(),
            cost: costs.context("each message has a price")?.into_iter().sum(),
        })
    }

    pub(super) fn check(&self, size: Size) -> Vec<String> {
        let (most, cents) = (monthly_cap(size), most_cents(size));
        let Self {
            counted,
            accepted,
            cost,
        } = *self;
        let mut wrong = Vec::new();
        if accepted > most {
            wrong.push(format!("{accepted} messages were accepted within a cap of {most}"));
        }
        if cost > cents as u64 * 10_000 {
            wrong.push(format!(
                "messages for {cost} millionths were accepted within a cap of {cents} cents"
            ));
        }
        if counted < accepted {
            wrong.push(format!("{accepted} messages were accepted, and {counted} counted"));
        }
        wrong
    }

    pub(super) fn summary(&self, size: Size) -> String {
        let Self { counted, accepted, .. } = self;
        let most = monthly_cap(size);
        format!("{accepted} accepted within a cap of {most}, {counted} counted")
    }
}

/// Expected cost of a message in dollars, as it is to be taken of a cap.
fn cost(sent: &Sent) -> Option<u64> {
    let (carrier, category) = match sent.channel {
        Channel::Sms => (Carrier::Sms, PriceCategory::Sms),
        Channel::WhatsApp => (Carrier::Meta, PriceCategory::Utility),
    };
    // Meta bills what it delivers.
    if sent.channel == Channel::WhatsApp && sent.is("failed") {
        return Some(0);
    }
    let listed = Listed {
        carrier,
        country: sent.to.parse::<Phone>().ok()?.country(),
        category,
    };
    let dollars: Currency = "USD".parse().ok()?;
    let units = sent.body.as_deref().map_or(1, domain::messages::sms_segments);
    expected_cost(
        listed,
        units,
        PriceBook::shipped_prices(),
        &dollars,
        day_of(sent.accepted_at),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_beyond_a_cap_are_detected() {
        let held = Raced {
            counted: 9,
            accepted: 8,
            cost: 240_000,
        };
        assert!(held.check(Size::SHORT).is_empty());
        for broken in [
            Raced { accepted: 9, ..held },
            Raced { cost: 240_001, ..held },
            Raced { counted: 7, ..held },
        ] {
            assert_eq!(broken.check(Size::SHORT).len(), 1, "{broken:?}");
        }
    }
}
