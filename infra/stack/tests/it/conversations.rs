//! Customers' messages, opt-outs and opt-ins.

use anyhow::{Context as _, Result, ensure};
use domain::terms::{Channel, Phone};
use serde_json::json;
use stack::play::Customer;

use crate::stage::{Business, customer, delay_follow_ups, on_stage};

/// The browser of a person.
const PERSON: &str =
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148";

#[test]
fn reply_is_stored_once_and_opens_the_window() {
    on_stage(async |stage| {
        let business = stage.business("Reply").await?;
        business.fault(json!({ "kind": "duplicate_webhooks" })).await?;
        let person = customer();
        let text = "Can I order two cakes? كعكتين من فضلكم 🎂";
        business.reply(&person, Channel::WhatsApp, text).await?;
        business.has_written(&person).await?;
        let known = business.customer(&person).await?;
        ensure!(known.received[0].message.text.as_deref() == Some(text), "{known}");
        ensure!(known.contact.last_whatsapp_at().is_some());
        // A message of a new customer is not a call, so no rule applies.
        ensure!(known.messages.is_empty() && known.received.len() == 1, "{known}");
        Ok(())
    });
}

#[test]
fn button_reply_is_stored_with_its_message() {
    on_stage(async |stage| {
        let business = stage.business("Button").await?;
        let caller = business.miss_call("twilio").await?;
        business.wait_until_accepted(&caller, Channel::WhatsApp).await?;
        let tap = json!({ "tenant": business.id(), "from": caller, "button": "Place an order", "wait": true });
        stage.play.post("/replies", &tap).await?;
        business.has_written(&caller).await?;
        let known = business.customer(&caller).await?;
        let message = &known.received[0].message;
        ensure!(message.text.as_deref() == Some("Place an order"), "{message:?}");
        ensure!(message.reply_to.is_some(), "{message:?}");
        Ok(())
    });
}

#[test]
fn stop_silences_every_channel_until_start() {
    on_stage(async |stage| {
        let business = stage
            .changed_business("Stop", |plan| plan.then()["cooldown_seconds"] = 0.into())
            .await?;
        for (channel, stop, start) in [
            (Channel::Sms, "STOP", "START"),
            (Channel::WhatsApp, "توقّف!", "ابدأ"),
            // The tenant's own stop word.
            (Channel::WhatsApp, "من فضلكم لا ترسل شيئا", "start"),
        ] {
            let person = customer();
            business.reply(&person, channel, stop).await?;
            business.opted_out(&person).await?;
            business.call(&person, "missed", json!({ "via": "telephony" })).await?;
            let silent = business.wait_until_decided(&person, 1).await?;
            ensure!(silent.reason == "opted_out", "{stop}: {}", silent.decision);
            ensure!(business.outbox(&person).await?.is_empty(), "{stop}: something went out");

            business.reply(&person, channel, start).await?;
            let wants = |customer: &Customer| customer.contact.opted_out().is_none().then_some(());
            business.wait_for_customer(&person, "the opt-in", wants).await?;
            business.call(&person, "missed", json!({ "via": "telephony" })).await?;
            business.wait_until_accepted(&person, Channel::WhatsApp).await?;
            let ledger = business.customer(&person).await?.consent;
            ensure!(ledger.len() == 2, "every wish stands in the ledger: {ledger:?}");
        }
        Ok(())
    });
}

#[test]
fn stop_before_the_message_goes_out_blocks_it() {
    on_stage(async |stage| {
        let business = stage.changed_business("Stop in time", delay_follow_ups).await?;
        let caller = business.miss_call("telephony").await?;
        let planned = |customer: &Customer| customer.messages.first().map(drop);
        business
            .wait_for_customer(&caller, "the planned message", planned)
            .await?;
        business.reply(&caller, Channel::Sms, "stop").await?;
        let message = business.wait_until_settled(&caller).await?;
        ensure!(message.ended.is_some(), "{message:?}");
        ensure!(business.outbox(&caller).await?.is_empty());
        Ok(())
    });
}

#[test]
fn marketing_opt_out_in_whatsapp_is_recorded() {
    on_stage(async |stage| {
        let business = stage.business("Preferences").await?;
        let person = customer();
        business.reply(&person, Channel::WhatsApp, "Hello").await?;
        let wish = json!({ "tenant": business.id(), "from": person, "value": "stop" });
        stage.play.post("/preferences", &wish).await?;
        let refused = |customer: &Customer| customer.contact.marketing_opted_out().map(drop);
        business.wait_for_customer(&person, "the preference", refused).await
    });
}

/// Follows the tracked link of a person's message, and sees that it is known.
async fn follow_tracked_link(business: &Business<'_>, person: &Phone, tracked: &str) -> Result<()> {
    let play = &business.stage.play;
    let path = tracked.strip_prefix(play.endpoints.api.as_str());
    let path = path.with_context(|| format!("{tracked} leads to the deployment"))?;
    let clicked = async || {
        let known = business.customer(person).await?;
        anyhow::Ok(known.messages.iter().any(|message| message.clicked_at.is_some()))
    };
    // A business of the last days: whoever follows its link is told first where that leads.
    let asked = play.request("GET", path, &[("user-agent", PERSON)], "").await?;
    let tells = asked.status == 200 && asked.body.contains("saffron.example");
    ensure!(tells && !clicked().await?, "{asked:?}");
    let (_, go) = asked.body.split_once("href=\"?").context("a link that goes on")?;
    let (go, _) = go.split_once('"').context("its end")?;
    let path = &format!("{path}?{go}");
    for (method, agent, counted) in [
        ("HEAD", PERSON, false),
        ("GET", "WhatsApp/2.23.20.0", false),
        ("GET", PERSON, true),
    ] {
        let answer = play.request(method, path, &[("user-agent", agent)], "").await?;
        let to_cake = answer.status == 302 && answer.header("location") == Some("https://saffron.example/cake");
        ensure!(to_cake, "{method} by {agent}: {answer:?}");
        ensure!(clicked().await? == counted, "{method} by {agent}");
    }
    Ok(())
}

/// From the message through the deployed page to the next call. Looking at the page, as apps do to show a preview, stops nothing.
#[test]
fn link_in_a_message_leads_to_the_page_that_stops() {
    on_stage(async |stage| {
        let plan = |plan: &mut stack::business::Plan| {
            let then = plan.then();
            then["channels"] = json!(["sms"]);
            then["sms_text"] = json!({ "en": "Sorry. Our cakes: {{link:https://saffron.example/cake}} Your choices: {{preferences.link}}" });
            then["cooldown_seconds"] = 0.into();
        };
        let business = stage.changed_business("Preferences", plan).await?;
        let person = business.miss_call("telephony").await?;
        let sent = business.wait_until_accepted(&person, Channel::Sms).await?;
        let text = sent.body.context("an SMS has a text")?;
        let links = text.strip_prefix("Sorry. Our cakes: ");
        let links = links.and_then(|links| links.split_once(" Your choices: "));
        let (tracked, link) = links.context("it has two links")?;
        let path = link.strip_prefix(stage.play.endpoints.api.as_str());
        let path = path.with_context(|| format!("{link} leads to the deployment"))?;
        for method in ["HEAD", "GET"] {
            let arabic = [("accept-language", "ar")];
            let looked = stage.play.request(method, path, &arabic, "").await?;
            ensure!(looked.status == 200, "{method} {path}: {}", looked.status);
            let arabic = looked.body.contains("<html lang=\"ar\" dir=\"rtl\">");
            ensure!(arabic == (method == "GET"), "{}", looked.body);
        }
        let known = business.customer(&person).await?;
        ensure!(!known.contact.refuses(), "looking changed something");
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let stopped = stage.play.request("POST", path, &form, "do=stop").await?;
        // 303, which the client follows.
        ensure!([200, 303].contains(&stopped.status), "{}", stopped.body);
        business.call(&person, "missed", json!({ "via": "telephony" })).await?;
        let silent = business.wait_until_decided(&person, 2).await?;
        ensure!(silent.reason == "opted_out", "{}", silent.decision);
        follow_tracked_link(&business, &person, tracked).await?;
        let forged = stage.play.request("GET", "/p/0000000000000000", &[], "").await?;
        ensure!(forged.status == 404, "{forged:?}");
        ensure!(forged.body.starts_with("<!doctype html>"), "{forged:?}");
        Ok(())
    });
}
