//! Destinations and caps: calls that somebody has placed to earn from the answers.

use anyhow::{Context as _, Result, ensure};
use domain::messages::MessageState;
use domain::terms::{Phone, Reason};
use serde_json::json;
use stack::play::Customer;

use crate::stage::{PATIENCE, on_stage};

/// Follow-ups of a day, fewer than the callers at home and those abroad within their cap.
const CAP: usize = 16;
/// Follow-ups to other countries.
const CAP_ABROAD: usize = 4;

/// Callers by where they call from: at home, from a country without a line, from satellite networks.
const CALLERS: [(&str, usize); 3] = [("+97150", 14), ("+23767", 8), ("+88161", 4)];

fn callers() -> Result<Vec<Phone>> {
    let numbers = CALLERS.into_iter().flat_map(|(beginning, count)| {
        let number = move |caller| format!("{beginning}{:07}", 5_550_000 + caller);
        (0..count).map(number)
    });
    let parsed = numbers.map(|number| number.parse().context("a number"));
    parsed.collect()
}

#[test]
fn calls_from_everywhere_are_answered_within_the_caps() {
    on_stage(async |stage| {
        let business = stage
            .town
            .open("Caps", |plan| {
                plan.file["tenant"]["caps"] = json!([
                    {"number": 1, "period": "day", "purpose": "follow_up", "maximum": CAP},
                    {"number": 2, "period": "day", "scope": "abroad", "maximum": CAP_ABROAD},
                ]);
            })
            .await?;
        let (play, tenant) = (&stage.play, business.id.as_str());
        let callers = callers()?;
        let call = |caller| play.call(tenant, caller, "missed", json!({ "via": "twilio" }));
        futures::future::try_join_all(callers.iter().map(call)).await?;
        let (mut sent, mut abroad) = (0, 0);
        for caller in &callers {
            let call = play.wait_until_decided(tenant, caller, 1, PATIENCE).await?;
            if caller.as_str().starts_with("+88") {
                ensure!(call.message.is_none(), "{}", call.decision);
                ensure!(call.reason == Reason::Destination.as_str(), "{}", call.decision);
                continue;
            }
            let settled = |customer: &Customer| {
                let message = customer.messages.first()?;
                let ends = [MessageState::Delivered, MessageState::Read, MessageState::Blocked];
                ends.contains(&message.state()).then(|| message.clone())
            };
            let what = "an answered or blocked follow-up";
            let message = play.wait_for_customer(tenant, caller, PATIENCE, what, settled).await?;
            let accepted = play.outbox(tenant, caller).await?.len();
            match message.state() {
                MessageState::Blocked => {
                    let reason = message.because.as_ref().map(|because| because.code);
                    let capped = accepted == 0 && reason == Some(Reason::CapReached);
                    ensure!(capped, "{:?}", message.ended);
                }
                _ => ensure!(accepted == 1, "{accepted} messages to {caller}"),
            }
            sent += accepted;
            if !caller.as_str().starts_with("+971") {
                abroad += accepted;
            }
        }
        ensure!(sent == CAP, "{sent} follow-ups within a cap of {CAP}");
        ensure!(abroad <= CAP_ABROAD, "{abroad} abroad within a cap of {CAP_ABROAD}");
        Ok(())
    });
}
