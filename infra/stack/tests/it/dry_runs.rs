//! Dry runs through the API, then the same calls through the telephone system: the same decision, the same message.

use anyhow::{Context as _, Result, ensure};
use domain::{
    message::{Content, Leg},
    phone::Phone,
    record::Call,
};
use serde_json::{Value, json};
use stack::business::{Plan, new_ulid};

use crate::stage::{Business, customer, on_stage};

const DRY_RUN: &str = "/api/v1/automations/dry-run";

async fn post(business: &Business<'_>, path: &str, body: Value) -> Result<Value> {
    business.api("post", path, Some(body)).await
}

/// A rule for long calls beside the one for missed calls, whose texts do not change with the minute.
fn with_two_rules(plan: &mut Plan, second: &str) {
    plan.then()["template"]["variables"]["3"] = json!({ "text": "noon" });
    let rule = json!({
        "id": second, "name": "Thanks", "priority": 5,
        "when": { "outcomes": ["answered"], "min_talk_seconds": 30 },
        "then": {
            "channels": ["sms"], "sms_text": "Thank you, {{contact.first_name|dear customer}}.",
            "cooldown_seconds": 0, "delay_seconds": 600,
        },
    });
    if let Some(rules) = plan.file["rules"].as_array_mut() {
        rules.push(rule);
    }
}

/// What a channel says.
fn said(leg: &Leg) -> Value {
    match &leg.content {
        Content::Text(text) => json!([leg.channel, leg.connection, text, null]),
        Content::Template(filled) => {
            let values: Vec<&str> = filled.body.iter().map(|value| value.text.as_str()).collect();
            json!([leg.channel, leg.connection, filled.language, values])
        }
    }
}

/// The same of a channel that a dry run does not leave out.
fn foreseen(channel: &Value) -> Option<Value> {
    let connection = channel["connection_id"].as_str()?;
    let template = &channel["template"];
    let content = if template.is_null() {
        &channel["text"]
    } else {
        &template["language"]
    };
    Some(json!([channel["channel"], connection, content, template["values"]]))
}

/// Compares what was foreseen with what happened.
async fn compare(business: &Business<'_>, caller: &Phone, run: &Value, call: &Call) -> Result<()> {
    let told = format!("{run} {call:?}");
    ensure!(run["code"] == call.reason.as_str(), "{told}");
    ensure!(run["sent"] == call.message.is_some(), "{told}");
    let tried = run["automations"].as_array().context("automations are tried")?;
    let decided = tried.iter().find(|rule| rule["decides"] == true);
    let decided = decided.map(|rule| &rule["id"]);
    ensure!(decided == call.grounds.rule.map(|rule| json!(rule)).as_ref(), "{told}");
    let Some(id) = call.message else {
        return Ok(());
    };
    ensure!(run["decision"] == call.decision.as_str(), "{told}");
    let message = business
        .known(caller, "the message of the call", |customer| {
            customer.messages.iter().find(|message| message.id == id).cloned()
        })
        .await?;
    let legs: Vec<Value> = message.plan.iter().map(said).collect();
    let channels = run["message"]["channels"].as_array().context("there are channels")?;
    let channels: Vec<Value> = channels.iter().filter_map(foreseen).collect();
    ensure!(legs == channels, "{legs:?} {told}");
    Ok(())
}

#[test]
fn dry_run_says_what_a_call_then_gets() {
    on_stage(async |stage| {
        let second = format!("rule_{}", new_ulid()?);
        let business = stage.changed_business("Foreseen", |plan| with_two_rules(plan, &second));
        let business = business.await?;
        let (again, arab, stopped) = (customer(), customer(), customer());
        let arabic = json!({ "phones": [arab], "language": "ar", "name": "ليلى حداد" });
        post(&business, "/api/v1/contacts", arabic).await?;
        let known = post(&business, "/api/v1/contacts", json!({ "phones": [stopped] })).await?;
        let known = known["id"].as_str().context("a contact has an id")?;
        let refused = json!({ "choice": "refused", "party": "customer", "evidence": "Said so in the shop" });
        post(&business, &format!("/api/v1/contacts/{known}/consent"), refused).await?;
        let landline: Phone = "+97143330000".parse().context("a number")?;

        let cases = [
            ("missed", &customer(), json!({})),
            ("missed", &again, json!({ "ring_seconds": 12 })),
            ("missed", &again, json!({ "ring_seconds": 13 })),
            ("busy", &customer(), json!({})),
            ("after_hours", &customer(), json!({})),
            ("answered", &customer(), json!({ "talk_seconds": 40 })),
            ("answered", &customer(), json!({ "talk_seconds": 5 })),
            ("failed", &customer(), json!({})),
            ("something new", &customer(), json!({})),
            ("missed", &arab, json!({})),
            ("answered", &arab, json!({ "talk_seconds": 31 })),
            ("missed", &stopped, json!({})),
            ("missed", &landline, json!({})),
        ];
        let mut calls = 0;
        for (outcome, caller, more) in &cases {
            let mut call = more.clone();
            let outcome_word = if outcome.contains(' ') { "unknown" } else { *outcome };
            call["outcome"] = outcome_word.into();
            call["phone"] = json!(caller);
            call["connection_id"] = json!(business.tenant.connections["telephony"]);
            let run = post(&business, DRY_RUN, json!({ "call": call })).await?;

            let mut placed = more.clone();
            placed["via"] = "telephony".into();
            business.call(caller, outcome, placed).await?;
            let earlier = cases.iter().take(calls).filter(|(_, other, _)| other == caller).count();
            let decided = business.decided(caller, earlier + 1).await?;
            compare(&business, caller, &run, &decided).await?;
            calls += 1;
        }

        // The automations that decided these calls make no difference to them.
        let replay = post(&business, "/api/v1/automations/replay", json!({ "calls": 500 })).await?;
        ensure!(replay["calls"] == calls && replay["unchanged"] == calls, "{replay}");
        let silent = json!({
            "calls": 500, "automation_id": second,
            "automation": {
                "name": "Thanks", "enabled": false, "then": { "channels": ["sms"], "sms_text": "Thank you." },
            },
        });
        let replay = post(&business, "/api/v1/automations/replay", silent).await?;
        ensure!(replay["fewer"]["count"] == 2, "{replay}");
        ensure!(replay["unchanged"] == calls - 2, "{replay}");
        Ok(())
    });
}
