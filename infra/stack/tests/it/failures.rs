//! Failures of providers and phones: nothing is lost, nothing is sent twice.

use anyhow::{Context as _, bail, ensure};
use domain::messages::{AttemptState, Ended, MessageState};
use domain::tenants::Health;
use domain::terms::Channel;
use serde_json::json;
use stack::play::{Look, until};

use crate::stage::{PATIENCE, customer, in_a_hurry, on_stage};

#[test]
fn caller_not_on_whatsapp_gets_the_sms() {
    on_stage(async |stage| {
        let business = stage.business("Not on WhatsApp").await?;
        let fault = json!({ "api": "graph", "kind": "not_on_whatsapp" });
        business.fault(fault).await?;
        let caller = business.miss_call("twilio").await?;
        let sms = business.wait_until_accepted(&caller, Channel::Sms).await?;
        let text = sms.body.as_deref().unwrap_or_default();
        ensure!(text.starts_with("Not on WhatsApp: "), "{sms:?}");
        let message = business.comes_to(&caller, MessageState::Delivered).await?;
        let states: Vec<_> = message.attempts.iter().map(|attempt| attempt.state).collect();
        ensure!(states == [AttemptState::Failed, AttemptState::Delivered], "{states:?}");
        // The failure is remembered: the next call does not try WhatsApp first.
        let contact = business.customer(&caller).await?.contact;
        let mut unreachable = contact.unreachable.iter();
        let remembered = unreachable.any(|known| known.channel == Channel::WhatsApp);
        ensure!(remembered, "{contact:?}");
        Ok(())
    });
}

#[test]
fn offline_phone_gets_the_message_later_and_no_sms() {
    on_stage(async |stage| {
        let business = stage
            .changed_business("Offline", |plan| plan.then()["fallback_after_seconds"] = 3600.into())
            .await?;
        let off = business.fault(json!({ "kind": "offline" })).await?;
        let caller = business.miss_call("twilio").await?;
        business.comes_to(&caller, MessageState::Sent).await?;
        stage.play.mend(off).await?;
        let message = business.wait_until_settled(&caller).await?;
        ensure!(message.was_delivered(), "a delivery leaves nothing to do: {message:?}");
        ensure!(message.attempts.len() == 1, "{message:?}");
        business.sent_once(&caller).await
    });
}

#[test]
fn missed_deadline_sends_sms_and_late_delivery_counts() {
    on_stage(async |stage| {
        let business = stage
            .changed_business("Deadline", |plan| plan.then()["fallback_after_seconds"] = 3.into())
            .await?;
        let off = business.fault(json!({ "api": "graph", "kind": "offline" })).await?;
        let caller = business.miss_call("twilio").await?;
        business.wait_until_accepted(&caller, Channel::WhatsApp).await?;
        // Only the scheduled dispatcher sends it.
        business.wait_until_accepted(&caller, Channel::Sms).await?;
        stage.play.mend(off).await?;
        // A read on one channel never marks the other as read.
        business
            .wait_for_customer(&caller, "WhatsApp read and SMS delivered", |customer| {
                let message = customer.messages.first()?;
                let states: Vec<_> = message.attempts.iter().map(|attempt| attempt.state).collect();
                (states == [AttemptState::Read, AttemptState::Delivered]).then_some(())
            })
            .await?;
        ensure!(business.outbox(&caller).await?.len() == 2, "once by each channel");
        Ok(())
    });
}

#[test]
fn blocked_everywhere_ends_with_the_reason() {
    on_stage(async |stage| {
        let business = stage.business("Blocked").await?;
        business.fault(json!({ "kind": "blocked" })).await?;
        let caller = business.miss_call("twilio").await?;
        let message = business
            .wait_for_customer(&caller, "a message that failed", |customer| {
                let message = customer.messages.first()?;
                message.ended.is_some().then(|| message.clone())
            })
            .await?;
        ensure!(message.state() == MessageState::Failed, "{message:?}");
        ensure!(message.due.is_none(), "{message:?}");
        let Some(Ended::Failed(why)) = &message.ended else {
            bail!("{message:?}");
        };
        ensure!(why.contains("the network blocks the message"), "{why}");
        let sent = business.outbox(&caller).await?;
        let told = sent.len() == 2 && sent[0].is("failed") && sent[1].is("undelivered");
        ensure!(told, "{sent:?}");
        Ok(())
    });
}

#[test]
fn time_out_after_accepting_an_sms_is_settled() {
    in_a_hurry(async |stage| {
        let business = stage
            .changed_business("SMS not answered", |plan| plan.then()["channels"] = json!(["sms"]))
            .await?;
        let fault = json!({ "api": "twilio", "kind": "timeout_after", "times": 1 });
        business.fault(fault).await?;
        let caller = business.miss_call("telephony").await?;
        business
            .wait_for_customer(&caller, "the SMS delivered, by one attempt", |customer| {
                let message = customer.messages.first()?;
                (message.was_delivered() && message.attempts.len() == 1).then_some(())
            })
            .await?;
        business.sent_once(&caller).await
    });
}

#[test]
fn refused_credentials_hold_messages_until_they_work_again() {
    in_a_hurry(async |stage| {
        let business = stage.business("Refused credentials").await?;
        let fault = json!({ "api": "graph", "kind": "bad_credentials" });
        let fault = business.fault(fault).await?;
        let caller = business.miss_call("twilio").await?;
        let reason = until(PATIENCE, "an unhealthy connection", async || {
            Ok(match business.whatsapp().await?.health {
                Health::Unhealthy { reason, .. } => Look::Seen(reason),
                Health::Healthy => Look::Instead("it is healthy".to_owned()),
            })
        })
        .await?;
        ensure!(reason.contains("token"), "{reason}");
        let known = business.customer(&caller).await?;
        let waiting = known.messages.first().context("a message")?;
        ensure!(waiting.ended.is_none() && waiting.due.is_some(), "it waits: {known}");
        ensure!(business.outbox(&caller).await?.is_empty());

        stage.play.mend(fault).await?;
        business.wait_until_accepted(&caller, Channel::WhatsApp).await?;
        until(PATIENCE, "a healthy connection", async || {
            Ok(match business.whatsapp().await?.health {
                Health::Healthy => Look::Seen(()),
                Health::Unhealthy { reason, .. } => Look::Instead(reason),
            })
        })
        .await?;
        business.wait_until_settled(&caller).await?;
        business.sent_once(&caller).await
    });
}

#[test]
fn worker_killed_before_or_after_accepting_sends_once() {
    in_a_hurry(async |stage| {
        let business = stage.business("Killed").await?;
        let caller = customer();
        let fault = json!({ "api": "graph", "number": caller, "kind": "kill_after", "times": 1 });
        business.fault(fault).await?;
        business.call(&caller, "missed", json!({ "via": "twilio" })).await?;
        let message = business.wait_until_settled(&caller).await?;
        let once = message.was_delivered() && message.attempts.len() == 1;
        ensure!(once, "the status settles it: {message:?}");
        business.sent_once(&caller).await?;

        let caller = customer();
        let fault = json!({ "api": "graph", "number": caller, "kind": "kill_before", "times": 1 });
        business.fault(fault).await?;
        business.call(&caller, "missed", json!({ "via": "twilio" })).await?;
        // The outcome is unknown, so it is not sent again by WhatsApp.
        business.wait_until_accepted(&caller, Channel::Sms).await?;
        business.wait_until_settled(&caller).await?;
        business.sent_once(&caller).await
    });
}
