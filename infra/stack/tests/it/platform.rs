//! Properties of the deployment as a whole.

use anyhow::{Context as _, Result, ensure};
use domain::messages::MessageState;
use domain::terms::{Answer, Channel, Phone};
use serde_json::{Value, json};
use stack::play::Customer;

use crate::stage::{Business, customer, on_stage};

#[test]
fn health_reaches_the_table_and_the_queues() {
    on_stage(async |stage| {
        for path in ["/api/v1/health", "/api/health"] {
            let answer = stage.play.request("GET", path, &[], "").await?;
            ensure!(answer.status == 200, "{answer:?}");
            let deep = stage.play.request("GET", &format!("{path}?deep=true"), &[], "").await?;
            let seen: Value = serde_json::from_str(&deep.body).context("health is JSON")?;
            ensure!(deep.status == 200, "{deep:?}");
            ensure!(seen["status"] == "ok" && seen["table"] == "ok", "{seen}");
            for queue in [
                "calls",
                "provider-events",
                "sends",
                "bulk-sends",
                "drips",
                "media",
                "mails",
                "pushes",
            ] {
                ensure!(seen["queues"][queue] == "ok", "{queue}: {seen}");
            }
        }
        Ok(())
    });
}

#[test]
fn cors_admits_only_configured_origins() {
    on_stage(async |stage| {
        let ask = async |origin: &str| {
            let headers = [
                ("origin", origin),
                ("access-control-request-method", "GET"),
                ("access-control-request-headers", "authorization"),
            ];
            stage.play.request("OPTIONS", "/api/v1/health", &headers, "").await
        };
        let known = ask("http://localhost:5173").await?;
        let allowed = known.header("access-control-allow-origin");
        ensure!(allowed == Some("http://localhost:5173"), "{known:?}");
        let allowed = known.header("access-control-allow-headers").unwrap_or_default();
        ensure!(allowed.to_lowercase().contains("authorization"), "{known:?}");
        let other = ask("https://elsewhere.example").await?;
        let allowed = other.header("access-control-allow-origin").unwrap_or_default();
        ensure!(!["https://elsewhere.example", "*"].contains(&allowed), "{other:?}");
        Ok(())
    });
}

#[test]
fn correlation_id_links_a_call_through_all_functions() {
    on_stage(async |stage| {
        let business = stage.business("Correlated").await?;
        let caller = business.miss_call("telephony").await?;
        let call = business.wait_until_decided(&caller, 1).await?;
        let id = call.correlation_id.clone();
        for function in ["telephony_webhook", "process_call", "send_message"] {
            stage
                .wait_for_logs(&format!("{function} with the call's correlation id"), |line| {
                    // A line about several jobs lists the ids of all.
                    let of_several = line["correlation_ids"].as_array().into_iter().flatten();
                    let mut ids = of_several.chain([&line["correlation_id"]]);
                    line["function"] == function && ids.any(|known| *known == id.as_str())
                })
                .await?;
        }
        Ok(())
    });
}

/// Texts of the business's own answers to customers.
async fn set_answers(business: &Business<'_>) -> Result<()> {
    let answers = json!({ "answers": {
        "after_hours": { "enabled": true, "text": { "en": "Kanarienvogel asleep", "ar": "Kanarienvogel" } },
        "help": { "text": "Kanarienvogel helps. Reply STOP for no more messages." },
        "stop": { "enabled": true, "text": "Kanarienvogel stops" },
        "start": { "enabled": true, "text": "Kanarienvogel starts" },
    } });
    business.api("patch", "/api/v1/tenant", Some(answers)).await?;
    let wrong = json!({ "answers": { "help": { "text": "Kanarienvogel {{call.time}}" } } });
    let refused = business.ask("patch", "/api/v1/tenant", Some(wrong)).await?;
    ensure!(refused.status == 422, "{refused:?}");
    Ok(())
}

/// Requests messages for the person who wrote by WhatsApp, and for two others, who get SMS. The one to the last person fails, and is sent
/// again.
async fn request_messages(business: &Business<'_>, [writer, other, unlucky]: [&Phone; 3]) -> Result<()> {
    let path = "/api/v1/messages";
    let to = |phone: &Phone, channel: &str| {
        json!({
            "phone": phone, "category": "utility", "basis": "Kanarienvogel ordered", channel: "Kanarienvogel is ready.",
        })
    };
    business.api("post", path, Some(to(writer, "text"))).await?;
    let preview = format!("{path}/preview");
    for body in [to(writer, "text"), to(other, "sms_text")] {
        business.api("post", &preview, Some(body)).await?;
    }
    business.api("post", path, Some(to(other, "sms_text"))).await?;
    // Nothing opened a window to this person.
    let closed = business.ask("post", path, Some(to(other, "text"))).await?;
    ensure!(closed.status == 409, "{closed:?}");
    let mut twice = to(other, "sms_text");
    twice["whatsapp_id"] = "AE.13491208655302741918".into();
    let wrong = business.ask("post", path, Some(twice)).await?;
    ensure!(wrong.status == 422, "{wrong:?}");

    let fault = json!({ "api": "twilio", "number": unlucky, "kind": "blocked" });
    let fault = business.fault(fault).await?;
    business.api("post", path, Some(to(unlucky, "sms_text"))).await?;
    let failed = business
        .wait_for_customer(unlucky, "a message that failed", |customer| {
            let mut messages = customer.messages.iter();
            let failed = messages.find(|message| message.state() == MessageState::Failed);
            failed.map(|message| message.id)
        })
        .await?;
    business.stage.play.mend(fault).await?;
    business.api("post", &format!("{path}/{failed}/retry"), None).await?;
    let arrived = |customer: &Customer| {
        let mut messages = customer.messages.iter();
        messages.any(|message| message.was_delivered()).then_some(())
    };
    business
        .wait_for_customer(unlucky, "the message that was sent again", arrived)
        .await
}

/// Works in the inbox: a canned reply, a note that mentions somebody, a reply, and one that is refused.
async fn work_in_inbox(business: &Business<'_>) -> Result<()> {
    let text = "Kanarienvogel is at the door.";
    let canned = json!({ "name": "Kanarienvogel", "text": text });
    business.api("post", "/api/v1/canned-replies", Some(canned)).await?;
    let users = business.api("get", "/api/v1/users", None).await?;
    let mut users = users["items"].as_array().into_iter().flatten();
    let user = users.find(|user| user["role"] == "agent");
    let user = user.and_then(|user| user["id"].as_str());
    let user = user.context("the business has an agent")?;
    let listed = business.api("get", "/api/v1/conversations?limit=100", None).await?;
    let conversations = listed["items"].as_array().context("conversations are listed")?;
    let mut replies = 0;
    for conversation in conversations {
        let (id, contact) = (&conversation["id"], &conversation["contact"]["id"]);
        let id = id.as_str().context("a conversation has an id")?;
        let contact = contact.as_str().context("a conversation has a contact")?;
        let note = json!({ "text": text, "mentions": [user] });
        let path = format!("/api/v1/contacts/{contact}/notes");
        business.api("post", &path, Some(note)).await?;
        let path = format!("/api/v1/conversations/{id}/messages");
        let reply = json!({ "seen": conversation["seq"], "text": text });
        let sent = business.ask("post", &path, Some(reply)).await?;
        replies += usize::from(sent.status == 201);
        let wrong = json!({ "seen": 1_000_000, "text": text });
        let refused = business.ask("post", &path, Some(wrong)).await?;
        ensure!(matches!(refused.status, 409 | 422), "{refused:?}");
    }
    ensure!(replies > 0, "no reply of {} was accepted", conversations.len());
    Ok(())
}

/// Tries a draft on an invented call, and on the recorded ones.
async fn try_draft(business: &Business<'_>, caller: &Phone) -> Result<()> {
    let draft = json!({ "name": "Draft", "priority": 1, "then": {
        "channels": ["sms"], "sms_text": "Kanarienvogel sings, {{contact.first_name|dear customer}}",
    } });
    let call = json!({ "outcome": "missed", "phone": caller });
    for (what, body) in [
        ("dry-run", json!({ "call": call, "automation": draft })),
        ("replay", json!({ "automation": draft })),
    ] {
        let path = format!("/api/v1/automations/{what}");
        business.api("post", &path, Some(body)).await?;
    }
    Ok(())
}

/// Creates a document whose name and content are searched for.
async fn document(business: &Business<'_>) -> Result<String> {
    const FILE: &str = "Kanarienvogel: what we have today.";
    let new = json!({ "name": "Kanarienvogel.txt", "content_type": "text/plain", "bytes": FILE.len() });
    let asset = business.api("post", "/api/v1/assets", Some(new)).await?;
    let uploaded = stack::api::upload(&business.stage.play, &asset["upload"], FILE.to_owned()).await?;
    ensure!(uploaded.is_success(), "it is not uploaded: {uploaded}");
    let id = asset["id"].as_str().context("an asset has an id")?;
    let done = format!("/api/v1/assets/{id}/complete");
    business.api("post", &done, None).await?;
    Ok(id.to_owned())
}

/// Sends content of every kind to a person who has just written by WhatsApp. Returns the provider's id of the last message.
async fn send_contents(business: &Business<'_>, person: &Phone) -> Result<String> {
    let asset = document(business).await?;
    business.has_written(person).await?;
    let written = business.customer(person).await?.received[0].id;
    let card = json!({
        "name": "Kanarienvogel", "organization": "Kanarienvogel", "phones": [{ "number": "+97145550001" }],
        "emails": ["kanarien@saffron.example"],
    });
    let rows = json!([{ "id": "Kanarienvogel-row", "title": "Kanarienvogel row", "description": "Kanarienvogel" }]);
    let mut last = String::new();
    for content in [
        json!({ "media": { "asset_id": asset, "file_name": "Kanarienvogel 2.txt", "caption": "Kanarienvogel" } }),
        json!({ "location": {
            "latitude": 25.0805, "longitude": 55.1403, "name": "Kanarienvogel", "address": "Kanarienvogel Walk 12",
        } }),
        json!({ "contacts": [card] }),
        json!({ "interactive": {
            "header": "Kanarienvogel", "body": "Kanarienvogel?", "footer": "Kanarienvogel",
            "buttons": [{ "id": "Kanarienvogel-yes", "title": "Kanarienvogel yes" }],
        } }),
        json!({ "interactive": {
            "body": "Kanarienvogel?",
            "list": { "button": "Kanarienvogel", "sections": [{ "title": "Kanarienvogel", "rows": rows }] },
        } }),
        json!({ "reaction": { "message_id": written, "emoji": "🐤" } }),
        json!({ "text": "Kanarienvogel replies", "reply_to": written }),
    ] {
        let mut body = json!({ "phone": person, "category": "utility", "basis": "Kanarienvogel asked" });
        stack::play::merge(&mut body, content);
        let preview = "/api/v1/messages/preview";
        business.api("post", preview, Some(body.clone())).await?;
        let sent = business.api("post", "/api/v1/messages", Some(body)).await?;
        let taken = |customer: &Customer| {
            let mut messages = customer.messages.iter();
            let own = messages.find(|message| sent["id"] == message.id.to_string())?;
            own.last()?.provider_ref.as_ref().map(ToString::to_string)
        };
        last = business
            .wait_for_customer(person, "content that WhatsApp took", taken)
            .await?;
    }
    Ok(last)
}

/// Has a person send content of every kind by WhatsApp, after [`send_contents`] to that person.
async fn receive_contents(business: &Business<'_>, person: &Phone, sent: &str) -> Result<()> {
    let play = &business.stage.play;
    let card = json!({
        "name": { "formatted_name": "Zwitscher", "first_name": "Zwitscher" }, "org": { "company": "Zwitscher" },
        "phones": [{ "phone": "+97145550002" }], "emails": [{ "email": "zwitscher@saffron.example" }],
    });
    let file = json!({ "mime": "application/pdf", "file_name": "Zwitscher.pdf", "caption": "Zwitscher" });
    let place = json!({
        "latitude": 25.0805, "longitude": 55.1403, "name": "Zwitscher", "address": "Zwitscher Walk 12",
    });
    let unknown = json!({ "type": "hologram", "hologram": { "text": "Zwitscher" } });
    let mut kinds = Vec::new();
    for (kind, said) in [
        ("document", json!({ "media": file })),
        ("location", json!({ "location": place })),
        ("contacts", json!({ "contacts": [card] })),
        ("interactive", json!({ "button": "Kanarienvogel yes" })),
        ("interactive", json!({ "button": "Kanarienvogel row" })),
        ("reaction", json!({ "reaction": { "to": sent, "emoji": "🐤" } })),
        ("text", json!({ "text": "Zwitscher replies", "reply_to": sent })),
        ("unsupported", json!({ "other": unknown })),
    ] {
        let mut reply = json!({ "tenant": business.id(), "from": person, "channel": Channel::WhatsApp, "wait": true });
        stack::play::merge(&mut reply, said);
        let answer = play.post("/replies", &reply).await?;
        ensure!(answer["status"] == 200, "the webhook of {kind} was not taken: {answer}");
        kinds.push(kind);
    }
    business
        .wait_for_customer(person, "all that they sent", |customer| {
            let of_kind = |kind: &str| {
                let received = customer.received.iter();
                received.filter(|received| received.message.kind == kind).count()
            };
            let wanted = |kind: &&str| kinds.iter().filter(|other| *other == kind).count();
            kinds.iter().all(|kind| of_kind(kind) >= wanted(kind)).then_some(())
        })
        .await
}

#[test]
fn logs_contain_no_secrets_texts_or_numbers() {
    on_stage(async |stage| {
        let began = domain::Timestamp::now().as_millisecond();
        let business = stage
            .changed_business("Canary", |plan| {
                plan.then()["template"]["variables"]["1"] = json!({ "text": "Kanarienvogel" });
                plan.then()["sms_text"] = "Kanarienvogel SMS".into();
            })
            .await?;
        Box::pin(set_answers(&business)).await?;
        let (caller, other) = (customer(), customer());
        let fault = json!({ "api": "graph", "number": other, "kind": "not_on_whatsapp" });
        business.fault(fault).await?;
        business.call(&caller, "missed", json!({ "via": "twilio" })).await?;
        business.call(&other, "missed", json!({ "via": "telephony" })).await?;
        business.wait_until_accepted(&caller, Channel::WhatsApp).await?;
        business.wait_until_accepted(&other, Channel::Sms).await?;
        let text = "Zwitscher zwitscher";
        business.reply(&caller, Channel::WhatsApp, text).await?;
        business.reply(&other, Channel::Sms, "Zwitscher by SMS").await?;
        // Errors are the most likely leaks: unreadable, forged and refused requests.
        let (path, headers) = (business.webhook("telephony"), [("content-type", "application/json")]);
        let forged = json!({ "from": caller }).to_string();
        stage.play.request("POST", &path, &headers, forged).await?;
        let credentials = json!({ "api": "graph", "kind": "bad_credentials", "times": 1 });
        let credentials = business.fault(credentials).await?;
        let third = business.miss_call("telephony").await?;
        business.wait_until_accepted(&third, Channel::WhatsApp).await?;
        stage.play.mend(credentials).await.ok();
        for person in [&caller, &other] {
            business.has_written(person).await?;
        }
        business.comes_to(&third, MessageState::Read).await?;
        let (requested, unlucky, tried) = (customer(), customer(), customer());
        Box::pin(request_messages(&business, [&caller, &requested, &unlucky])).await?;
        Box::pin(try_draft(&business, &tried)).await?;
        Box::pin(work_in_inbox(&business)).await?;
        let last = Box::pin(send_contents(&business, &caller)).await?;
        Box::pin(receive_contents(&business, &caller, &last)).await?;
        business.reply(&caller, Channel::WhatsApp, "HELP").await?;
        business
            .wait_for_customer(&caller, "an answer to HELP that was delivered", |customer| {
                let mut messages = customer.messages.iter();
                let helped = messages.any(|message| {
                    let answered = message.cause.answered_message();
                    answered.is_some_and(|(_, answer)| answer == Answer::Help) && message.was_delivered()
                });
                helped.then_some(())
            })
            .await?;

        let secrets = &business.tenant.secrets;
        let (app_secret, verify_token) = stage.town.meta_app()?;
        let canaries = [
            caller.digits(),
            other.digits(),
            third.digits(),
            requested.digits(),
            unlucky.digits(),
            tried.digits(),
            "Kanarienvogel",
            "kanarien@",
            "Zwitscher",
            "zwitscher@",
            "🐤",
            &secrets.twilio_auth_token,
            &secrets.whatsapp_app_secret,
            &secrets.whatsapp_verify_token,
            secrets.telephony_secret.trim_start_matches("whsec_"),
            &app_secret,
            &verify_token,
        ];
        let mut lines = 0;
        for event in stage.logs(began).await? {
            lines += 1;
            let (group, text) = (&event.group, &event.message);
            for canary in canaries {
                ensure!(!text.contains(canary), "{group} logs {canary:?}: {text}");
            }
        }
        ensure!(lines > 20, "only {lines} log lines: nothing was looked at");
        Ok(())
    });
}

/// At the end of `cargo stack test`, the whole run is searched again.
#[test]
fn earlier_logs_contain_no_secrets() {
    on_stage(async |stage| {
        let functions = stack::build::functions(&stage.place.root)?;
        let groups = stack::build::log_groups(&functions, &stage.play.endpoints.stack);
        let canaries = stack::canary::Canaries::of(&stage.place)?;
        let (lines, wrong) = stack::canary::look(&stage.aws, &groups, &canaries).await?;
        eprintln!("{lines} log lines");
        ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
        Ok(())
    });
}
