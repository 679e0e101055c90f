//! Destinations and caps: calls that somebody has placed to earn from the answers.

use anyhow::{Context as _, Result, ensure};
use domain::{
    base::phone::Phone,
    messages::{message::MessageState, refusal::Reason},
};
use serde_json::json;

use crate::stage::{PATIENCE, on_stage};

/// Follow-ups of a day, fewer than the callers at home and those abroad within their cap.
const CAP: usize = 16;
/// Those to other countries.
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
        let calls = callers
            .iter()
            .map(|caller| play.call(tenant, caller, "missed", json!({ "via": "twilio" })));
        for call in futures::future::join_all(calls).await {
            call?;
        }
        let (mut sent, mut abroad) = (0, 0);
        for caller in &callers {
            let call = play.decided(tenant, caller, 1, PATIENCE).await?;
            if caller.as_str().starts_with("+88") {
                ensure!(
                    call.message.is_none() && call.reason == Reason::Destination.as_str(),
                    "{}",
                    call.decision
                );
                continue;
            }
            let settled = play.known(
                tenant,
                caller,
                PATIENCE,
                "an answered or blocked follow-up",
                |customer| {
                    let message = customer.messages.first()?;
                    let is_settled = matches!(
                        message.state(),
                        MessageState::Delivered | MessageState::Read | MessageState::Blocked
                    );
                    is_settled.then(|| message.clone())
                },
            );
            let message = settled.await?;
            let accepted = play.outbox(tenant, caller).await?.len();
            match message.state() {
                MessageState::Blocked => {
                    let reason = message.because.as_ref().map(|because| because.code);
                    ensure!(
                        accepted == 0 && reason == Some(Reason::CapReached),
                        "{:?}",
                        message.ended
                    );
                }
                _ => ensure!(accepted == 1, "{accepted} messages to {caller}"),
            }
            sent += accepted;
            abroad += if caller.as_str().starts_with("+971") {
                0
            } else {
                accepted
            };
        }
        ensure!(sent == CAP, "{sent} follow-ups within a cap of {CAP}");
        ensure!(
            abroad <= CAP_ABROAD,
            "{abroad} follow-ups to other countries within a cap of {CAP_ABROAD}"
        );
        Ok(())
    });
}
