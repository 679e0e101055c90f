//! From a call to its message: once, on the right channel, with a reason.

use anyhow::{Context as _, Result, ensure};
use domain::messages::{AttemptState, MessageState};
use domain::telephony::Outcome;
use domain::terms::{CallId, Channel};
use serde_json::json;
use stack::api::{self, Proof};
use stack::business::Plan;
use stack::play::{Look, until};

use crate::stage::{PATIENCE, Stage, customer, in_a_hurry, on_stage};

#[test]
fn missed_call_is_answered_by_whatsapp_and_read() {
    on_stage(async |stage| {
        let business = stage.business("Missed").await?;
        let caller = business.miss_call("twilio").await?;
        let sent = business.wait_until_accepted(&caller, Channel::WhatsApp).await?;
        ensure!(sent.via == "graph", "{sent:?}");
        let template = sent.template.as_ref().context("WhatsApp carries a template")?;
        ensure!(template.name == "missed_call", "{template:?}");
        ensure!(template.parameters[..2] == ["there", "Missed"], "{template:?}");

        let message = business.comes_to(&caller, MessageState::Read).await?;
        let key = sent.key().context("our key travelled")?;
        ensure!(key.message == message.id && key.attempt == 1, "{key:?}");
        let attempt = message.last().context("one attempt")?;
        let complete = attempt.delivered_at.is_some() && attempt.read_at.is_some() && attempt.cost.is_some();
        ensure!(complete, "{attempt:?}");

        let call = business.wait_until_decided(&caller, 1).await?;
        ensure!(call.outcome == Outcome::Missed, "{call:?}");
        ensure!(call.reason == "follow_up", "{call:?}");
        let both = call.decision.starts_with("WhatsApp at once, SMS if not delivered");
        ensure!(both, "{call:?}");
        ensure!(call.message == Some(message.id));
        ensure!(message.due.is_none(), "read, so nothing is left to do: {message:?}");
        business.sent_once(&caller).await
    });
}

#[test]
fn redelivered_and_shuffled_webhooks_send_once() {
    on_stage(async |stage| {
        let business = stage.changed_business("Redelivered", Plan::forward_calls).await?;
        business.fault(json!({ "kind": "duplicate_webhooks" })).await?;
        business.fault(json!({ "kind": "reordered_webhooks" })).await?;
        for via in ["twilio", "telephony"] {
            let caller = customer();
            let chaos = json!({ "via": via, "repeat": 3, "shuffle": true });
            business.call(&caller, "missed", chaos).await?;
            business.comes_to(&caller, MessageState::Read).await?;
            let known = business.customer(&caller).await?;
            ensure!(known.calls.len() == 1 && known.messages.len() == 1, "{via}: {known}");
            ensure!(known.contact.calls == 1, "{via}: counted {} times", known.contact.calls);
            business.sent_once(&caller).await.context(via)?;
        }
        Ok(())
    });
}

/// Sets what becomes of calls that nobody answers at Twilio.
fn set_handling(plan: &mut Plan, how: &str) {
    plan.connection("twilio")["account"]["voice"] = json!({ "handling": how });
}

#[test]
fn voicemail_is_followed_up_and_its_length_known() {
    on_stage(async |stage| {
        let business = stage
            .changed_business("Voicemail", |plan| set_handling(plan, "voicemail"))
            .await?;
        let caller = customer();
        let call = json!({ "via": "twilio", "talk_seconds": 14 });
        business.call(&caller, "voicemail", call).await?;
        business.wait_until_accepted(&caller, Channel::WhatsApp).await?;
        let call = business.wait_until_decided(&caller, 1).await?;
        ensure!(call.outcome == Outcome::Voicemail, "{call:?}");
        ensure!(call.facts.voicemail_seconds == Some(14), "{call:?}");
        Ok(())
    });
}

/// The sound is Twilio's, the link that of the bucket; the erasure of the contact deletes the copy.
#[test]
fn voicemail_is_heard_by_a_link_until_its_contact_is_erased() {
    on_stage(async |stage| {
        let business = stage.business("Heard").await?;
        let key = Proof::Key(business.tenant.api_key.clone());
        let get = async |path: &str| business.api("get", path, None).await;
        let call: CallId = api::record_voicemail(&stage.play, &key).await?.parse()?;
        let shown = get(&format!("/api/v1/calls/{call}")).await?;
        let recording = &shown["recordings"][0];
        for (field, value) in [
            ("voicemail", json!(true)),
            ("available", json!(true)),
            ("duration_seconds", json!(14)),
        ] {
            ensure!(recording[field] == value, "{field}: {recording}");
        }
        let id = recording["id"].as_str().context("a recording has an id")?;
        let link = get(&format!("/api/v1/calls/{call}/recordings/{id}")).await?;
        let url = link["url"].as_str().context("a link has a URL")?;
        let sound = stage.play.http.get(url).header("range", "bytes=0-3").send().await?;
        let status = sound.status();
        ensure!(status == 206, "a player gets {status}");
        ensure!(sound.bytes().await?[..] == [0xff, 0xf3, 0x40, 0xc0], "it is no MP3");
        let erase = format!("/api/v1/contacts/{}/erase", call.contact());
        let started = business.api("post", &erase, None).await?;
        business.wait_for_operation(&started).await?;
        let gone = stage.play.http.get(url).send().await?.status();
        ensure!(!gone.is_success(), "an erased person is still heard: {gone}");
        Ok(())
    });
}

#[test]
fn forwarded_call_is_decided_by_its_dial_result() {
    on_stage(async |stage| {
        let business = stage.changed_business("Forwarded", Plan::forward_calls).await?;
        for (outcome, expected) in [
            ("missed", Outcome::Missed),
            ("busy", Outcome::Busy),
            ("abandoned", Outcome::Abandoned),
            ("answered", Outcome::Answered),
        ] {
            let caller = customer();
            business.call(&caller, outcome, json!({ "via": "twilio" })).await?;
            let call = business.wait_until_decided(&caller, 1).await?;
            ensure!(call.outcome == expected, "{outcome}: {call:?}");
            let follows = expected != Outcome::Answered;
            ensure!(call.message.is_some() == follows, "{outcome}: {call:?}");
        }
        Ok(())
    });
}

#[test]
fn own_voice_flow_needs_its_final_status_only() {
    in_a_hurry(async |stage| {
        let business = stage
            .changed_business("Own flow", |plan| set_handling(plan, "own_flow"))
            .await?;
        let caller = customer();
        let own = json!({ "via": "twilio", "own_flow": true });
        business.call(&caller, "missed", own.clone()).await?;
        business.wait_until_accepted(&caller, Channel::WhatsApp).await?;
        // `completed` alone never means missed, because somebody may have answered.
        let other = customer();
        business.call(&other, "answered", own).await?;
        let call = business.wait_until_decided(&other, 1).await?;
        ensure!(call.outcome == Outcome::Unknown && call.message.is_none(), "{call:?}");
        Ok(())
    });
}

#[test]
fn whatsapp_can_be_sent_through_twilio() {
    on_stage(async |stage| {
        let sender = customer();
        let business = stage
            .changed_business("WhatsApp through Twilio", |plan| plan.whatsapp_through_twilio(&sender))
            .await?;
        let caller = business.miss_call("twilio").await?;
        let sent = business.wait_until_accepted(&caller, Channel::WhatsApp).await?;
        ensure!(sent.via == "twilio", "{sent:?}");
        business.comes_to(&caller, MessageState::Read).await?;
        business.reply(&caller, Channel::WhatsApp, "Thank you").await?;
        business
            .wait_for_customer(&caller, "the reply, with an open window", |customer| {
                let written = customer.received.first()?;
                (written.message.channel == Channel::WhatsApp && customer.contact.last_whatsapp_at().is_some())
                    .then_some(())
            })
            .await?;
        Ok(())
    });
}

#[test]
fn shared_meta_app_finds_the_tenant_by_its_number() {
    on_stage(async |stage| {
        let (app_secret, verify_token) = stage.town.meta_app()?;
        let business = stage
            .changed_business("Shared app", |plan| {
                plan.connection("whatsapp")["verify"] =
                    json!({ "kind": "whatsapp", "app_secrets": [], "verify_token": "" });
                plan.simulated = json!({ "whatsapp": {
                    "shared_app": true, "app_secret": app_secret, "verify_token": verify_token,
                } });
            })
            .await?;
        let caller = business.miss_call("twilio").await?;
        business.comes_to(&caller, MessageState::Read).await?;
        business.reply(&caller, Channel::WhatsApp, "Hello").await?;
        business.has_written(&caller).await?;
        let tenant = json!({ "tenant": business.id() });
        let shaken = stage.play.post("/handshakes", &tenant).await?;
        ensure!(shaken["challenge_echoed"] == true, "{shaken}");
        Ok(())
    });
}

#[test]
fn businesses_with_the_same_caller_share_nothing() {
    on_stage(async |stage| {
        let (first, second) = (stage.business("First").await?, stage.business("Second").await?);
        let caller = customer();
        for business in [&first, &second] {
            business.call(&caller, "missed", json!({ "via": "twilio" })).await?;
            business.wait_until_accepted(&caller, Channel::WhatsApp).await?;
        }
        first.reply(&caller, Channel::WhatsApp, "STOP").await?;
        first.opted_out(&caller).await?;
        let there = second.customer(&caller).await?;
        ensure!(there.contact.opted_out().is_none(), "{there}");
        ensure!(there.received.is_empty(), "{there}");
        ensure!(there.calls.len() == 1 && there.messages.len() == 1, "{there}");
        let here = first.customer(&caller).await?;
        ensure!(here.contact.id != there.contact.id);
        Ok(())
    });
}

#[test]
fn day_counters_are_exact() {
    on_stage(async |stage: &Stage| -> Result<()> {
        let business = stage.business("Counted").await?;
        business.fault(json!({ "kind": "duplicate_webhooks" })).await?;
        for _ in 0..3 {
            let caller = customer();
            let chaos = json!({ "via": "telephony", "repeat": 3, "shuffle": true });
            business.call(&caller, "missed", chaos).await?;
            business.wait_until_accepted(&caller, Channel::WhatsApp).await?;
        }
        let scope = business.scope()?;
        let day = domain::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
        until(PATIENCE, "the day's counters", async || {
            let counters = stage.play.store.day_counters(&scope, day).await?;
            let exact = ["calls", "calls_missed", "calls_followed_up", "messages"]
                .iter()
                .all(|name| counters.get(*name) == Some(&3));
            Ok(Look::when(exact, || format!("{counters:?}")))
        })
        .await
    });
}

#[test]
fn person_known_by_a_business_scoped_id_is_the_caller() {
    on_stage(async |stage| {
        let business = stage.business("Hidden number").await?;
        let caller = business.miss_call("twilio").await?;
        business
            .wait_for_customer(&caller, "the business-scoped id", |customer| {
                customer.contact.bsuid().map(str::to_owned)
            })
            .await?;
        let hidden = json!({ "hide_phone": true, "username": "amal" });
        stage.play.put(&format!("/phones/{caller}"), &hidden).await?;
        let text = "Now without my number";
        business.reply(&caller, Channel::WhatsApp, text).await?;
        business
            .wait_for_customer(&caller, "the reply on the caller's own contact", |customer| {
                let message = customer.messages.first()?;
                let attempt = message.last()?;
                (attempt.state.rank() >= AttemptState::Delivered.rank() && customer.received.len() == 1).then_some(())
            })
            .await
    });
}
