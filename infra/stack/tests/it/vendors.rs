//! Telephone systems with their own adapters: their calls are followed up like all others.

use anyhow::{Context as _, Result, ensure};
use domain::telephony::Outcome;
use domain::terms::Channel;
use serde_json::{Value, json};
use stack::vendors::{KINDS, PASSWORDS, Vendors};

use crate::stage::{Business, Stage, customer, on_stage};

async fn connect_business<'a>(stage: &'a Stage, name: &str, vendors: &Vendors) -> Result<Business<'a>> {
    stage.changed_business(name, |plan| vendors.connect(plan)).await
}

#[test]
fn a_missed_call_is_answered_whichever_system_reports_it() {
    on_stage(async |stage| {
        let vendors = Vendors::new()?;
        let business = connect_business(stage, "Other systems", &vendors).await?;
        for via in KINDS {
            let caller = customer();
            let more = json!({ "via": via, "repeat": 2, "shuffle": true });
            business.call(&caller, "missed", more).await?;
            business.wait_until_accepted(&caller, Channel::WhatsApp).await?;
            let call = business.wait_until_decided(&caller, 1).await?;
            ensure!(call.outcome == Outcome::Missed, "{via}: {call:?}");
            ensure!(call.provider.as_str() == via, "{call:?}");
            business.sent_once(&caller).await.context(via)?;
        }
        Ok(())
    });
}

#[test]
fn answered_caller_gets_no_message() {
    on_stage(async |stage| {
        let vendors = Vendors::new()?;
        let business = connect_business(stage, "Other systems, answered", &vendors).await?;
        for via in KINDS {
            let caller = customer();
            business.call(&caller, "answered", json!({ "via": via })).await?;
            let call = business.wait_until_decided(&caller, 1).await?;
            ensure!(call.outcome == Outcome::Answered, "{via}: {call:?}");
            ensure!(call.message.is_none(), "{via}: {call:?}");
        }
        Ok(())
    });
}

/// The outcome of a test of the business's connection of this kind: its result, its message, and the connection's health.
async fn test_connection(business: &Business<'_>, kind: &str) -> Result<(String, String, String)> {
    let connection = &business.tenant.connections[kind];
    let path = format!("/api/v1/connections/{connection}/test");
    let tested = business.api("post", &path, None).await?;
    let word = |pointer: &str| {
        let word = tested.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        word.with_context(|| format!("{path} answers no {pointer}: {tested}"))
    };
    let (result, message) = (word("/last_test/result")?, word("/last_test/message")?);
    Ok((result, message, word("/health/state")?))
}

#[test]
fn connection_test_uses_the_systems_own_credentials() {
    on_stage(async |stage| {
        let vendors = Vendors::new()?;
        let business = connect_business(stage, "Other systems, tested", &vendors).await?;
        let others = Vendors::new()?;
        let mistaken = stage
            .changed_business("Other systems, mistaken", |plan| {
                others.connect(plan);
                for (kind, password) in PASSWORDS {
                    plan.connection(kind)["send"][password] = json!("somebody-elses");
                }
            })
            .await?;
        for (kind, password) in PASSWORDS {
            let (result, message, _) = test_connection(&business, kind).await?;
            ensure!(result == "passed", "{kind}: {result}: {message}");
            let (result, message, health) = test_connection(&mistaken, kind).await?;
            ensure!(result == "failed", "{kind}: {result}: {message}");
            ensure!(message.contains(password), "{kind}: {message}");
            ensure!(health == "healthy", "{kind}: its calls come in all the same");
            let caller = mistaken.miss_call(kind).await?;
            mistaken.wait_until_decided(&caller, 1).await?;
        }
        let fault = json!({ "api": "plivo", "kind": "server_error", "times": 1 });
        business.fault(fault).await?;
        let (result, message, _) = test_connection(&business, "plivo").await?;
        ensure!(result == "unclear", "{result}: {message}");
        Ok(())
    });
}
