//! `demo`: starts everything from nothing, then shows the main flow and its error cases, with the time since the call beside every
//! line, then the bill. It uses only public URLs and signed webhooks.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use domain::{
    Timestamp,
    accounts::permission::Role,
    base::phone::Phone,
    messages::message::{Channel, MessageState},
};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    api::{Proof, asked},
    aws::LogEvent,
    bill::Bill,
    clock,
    endpoints::Tenant,
    play::{Look, Play, Sent, new_phone, until},
    report::step,
    running::{Options, Running},
    trial::table,
    up::interrupted,
};

/// Maximum wait for one step, enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// Runs the demo; true if all steps were seen. With `stay`, everything keeps running until Ctrl-C.
pub async fn demo(options: &Options, stay: bool) -> Result<bool> {
    let begun = Instant::now();
    let mut running = tokio::select! {
        running = Running::start(options) => running?,
        () = interrupted() => bail!("interrupted"),
    };
    println!("\nRingback is running after {:.1} s.", begun.elapsed().as_secs_f64());
    let outcome = tokio::select! {
        outcome = acts(&running) => outcome,
        () = interrupted() => Err(anyhow::anyhow!("interrupted")),
    };
    // The stack may be somebody's own, which `up` continues with.
    clock::restore(&running.place, &running.aws, &running.functions, &running.endpoints).await?;
    if stay && outcome.is_ok() {
        println!(
            "Everything keeps running. The customers' phones are at {}\nPress Ctrl-C to stop.",
            running.endpoints.simulators
        );
        tokio::select! {
            () = interrupted() => {}
            error = running.broken() => eprintln!("{error:#}"),
        }
    }
    running.stop().await?;
    outcome
}

async fn acts(running: &Running) -> Result<bool> {
    let play = Play::new(running.endpoints.clone()).await?;
    let tenant = play.endpoints.tenants.first().context("a tenant is seeded")?.clone();
    let admin = tenant.users.of(Role::Admin);
    println!("The customers' phones: {}", running.endpoints.simulators);
    println!("The console:           {}", running.endpoints.console());
    println!("                       {}, password {}\n", admin.email, admin.password);

    let begun = Timestamp::now().as_millisecond();
    let mut scene = Scene {
        play: &play,
        tenant: &tenant,
        follow_ups: 0,
        missing: Vec::new(),
    };
    let (amal, basim) = (new_phone()?, new_phone()?);
    scene
        .act(
            "A dry run: what would a missed call get?",
            "automations",
            foresees(&play, &tenant, &amal),
        )
        .await;
    scene
        .act(
            "A missed call is answered by WhatsApp",
            "send_message",
            answered(&play, &tenant, &amal),
        )
        .await;
    scene
        .act(
            "The customer replies",
            "process_provider_event",
            replies(&play, &tenant, &amal),
        )
        .await;
    scene
        .act(
            "A caller who is not on WhatsApp gets the SMS",
            "process_provider_event",
            falls_back(&play, &tenant, &basim),
        )
        .await;
    scene
        .act(
            "The first customer calls again: the cooldown holds",
            "process_call",
            cools_down(&play, &tenant, &amal),
        )
        .await;
    scene
        .act(
            "A day later, the cooldown is over",
            "process_call",
            called_tomorrow(running, &play, &tenant, &amal),
        )
        .await;
    scene
        .act(
            "STOP, and a later call stays silent",
            "process_provider_event",
            stops(&play, &tenant, &basim),
        )
        .await;
    scene
        .act(
            "A drip: three messages, a day apart",
            "take_steps",
            drips(running, &play, &tenant),
        )
        .await;
    scene
        .act(
            "A forged webhook is refused",
            "telephony_webhook",
            refuses(&play, &tenant),
        )
        .await;

    let (follow_ups, missing) = (scene.follow_ups, scene.missing);
    let logs = step("computing the bill", async {
        let rest = play.quiet(PATIENCE).await;
        if missing.is_empty() {
            rest?;
        }
        running.logs(Some(begun)).await
    })
    .await?;
    println!("AWS usage at list prices (memory 256 MB, arm64; running times of this machine)");
    println!("{}", Bill::of(&logs).show(follow_ups));
    println!("The customers' phones: {}", running.endpoints.simulators);
    if missing.is_empty() {
        println!("All steps succeeded.");
    } else {
        println!("{} of 9 steps failed; see above.", missing.len());
        complaints(&logs, &missing);
        println!(
            "Use `cargo stack demo --stay` to keep it running, then `cargo stack logs FUNCTION` and `cargo stack why --to NUMBER`."
        );
    }
    Ok(missing.is_empty())
}

/// Warnings and errors of the functions, first those of functions in which a step failed.
fn complaints(logs: &[LogEvent], missing: &[&str]) {
    let of = |event: &LogEvent| {
        let line: Value = serde_json::from_str(&event.message).ok()?;
        let bad = matches!(line["level"].as_str(), Some("warn" | "error" | "WARN" | "ERROR"));
        let function = event.group.rsplit('/').next()?.replace('-', "_");
        bad.then(|| (function, event.message.trim_end().to_owned()))
    };
    let mut found: Vec<_> = logs.iter().filter_map(of).collect();
    found.sort_by_key(|(function, _)| !missing.iter().any(|name| function.ends_with(name)));
    for (function, line) in found.iter().take(8) {
        println!("  {function}: {line}");
    }
    if found.is_empty() {
        println!("  The functions logged no warnings or errors.");
    }
}

struct Scene<'a> {
    play: &'a Play,
    tenant: &'a Tenant,
    follow_ups: usize,
    /// Functions in which the missing steps most likely failed.
    missing: Vec<&'static str>,
}

impl Scene<'_> {
    async fn act(&mut self, title: &str, function: &'static str, lines: impl Future<Output = Result<usize>>) {
        println!("{title}");
        match lines.await {
            Ok(follow_ups) => self.follow_ups += follow_ups,
            Err(error) => {
                self.missing.push(function);
                println!("    ✗ failed: {error:#}");
                println!("      {}", self.deliveries().await);
            }
        }
        println!();
    }

    /// Webhooks that the simulators could not deliver.
    async fn deliveries(&self) -> String {
        match self.play.get::<Value>("/deliveries").await {
            Ok(seen) => format!(
                "webhooks of {}: {} pending, {} given up",
                self.tenant.name, seen["pending"], seen["failed"]
            ),
            Err(error) => format!("the simulators do not answer: {error:#}"),
        }
    }
}

/// Prints lines with the time since the call.
struct Clock(Instant);

impl Clock {
    fn say(&self, words: impl std::fmt::Display) {
        println!("    {:>5.2} s  {words}", self.0.elapsed().as_secs_f64());
    }
}

async fn call(play: &Play, tenant: &Tenant, from: &Phone) -> Result<Clock> {
    let clock = Clock(Instant::now());
    clock.say(format_args!("{from} calls {}; nobody answers", tenant.name));
    let call = play
        .call(&tenant.id, from, "missed", json!({ "via": "twilio" }))
        .await?;
    let refused = call["events"]
        .as_array()
        .and_then(|events| events.iter().find(|event| event["status"] != 200));
    if let Some(event) = refused {
        bail!(
            "the API answered the webhook {} with {}",
            event["what"],
            event["status"]
        );
    }
    Ok(clock)
}

fn words(sent: &Sent) -> String {
    match (&sent.body, &sent.template) {
        (Some(body), _) => format!("{body:?}"),
        (None, Some(template)) => format!(
            "template {} ({}) with {:?}",
            template.name, template.language, template.parameters
        ),
        (None, None) => "a message".to_owned(),
    }
}

/// Nobody has called yet, and nothing is sent: the API says what would follow.
async fn foresees(play: &Play, tenant: &Tenant, from: &Phone) -> Result<usize> {
    let clock = Clock(Instant::now());
    let body = json!({ "call": {
        "outcome": "missed", "phone": from, "connection_id": tenant.connections.get("twilio"),
    } });
    let (path, key) = ("/api/v1/automations/dry-run", Proof::Key(tenant.api_key.clone()));
    let run = asked(play, &key, "post", path, Some(body)).await?;
    clock.say(format_args!("POST {path} with a missed call of {from}"));
    for line in table(&run) {
        println!("             {line}");
    }
    ensure!(run["sent"] == true, "no message would follow: {}", run["decision"]);
    let sent = play.outbox(&tenant.id, from).await?;
    ensure!(sent.is_empty(), "{} messages were sent", sent.len());
    clock.say("the dry run is complete; no message is sent");
    Ok(0)
}

/// Acts return the number of accepted follow-ups.
async fn answered(play: &Play, tenant: &Tenant, from: &Phone) -> Result<usize> {
    let clock = call(play, tenant, from).await?;
    let sent = play.accepted(&tenant.id, from, Channel::WhatsApp, PATIENCE).await?;
    clock.say(format_args!("WhatsApp accepted {}", words(&sent)));
    for (state, status) in [(MessageState::Delivered, "delivered"), (MessageState::Read, "read")] {
        let what = format!("the status `{status}` in the table");
        play.known(&tenant.id, from, PATIENCE, &what, |customer| {
            let reached = |message: &&domain::messages::message::Message| {
                message.state() == state || message.state() == MessageState::Read
            };
            customer.messages.first().filter(reached).map(drop)
        })
        .await?;
        clock.say(status);
    }
    let decided = play.decided(&tenant.id, from, 1, PATIENCE).await?;
    println!("             why: {}", decided.decision);
    let sent = play.outbox(&tenant.id, from).await?;
    ensure!(sent.len() == 1, "{} messages were sent instead of one", sent.len());
    Ok(1)
}

async fn replies(play: &Play, tenant: &Tenant, from: &Phone) -> Result<usize> {
    let clock = Clock(Instant::now());
    let text = "Do you have the saffron cake today? هل لديكم كعكة الزعفران؟";
    play.reply(&tenant.id, from, Channel::WhatsApp, text).await?;
    clock.say(format_args!("{from} writes {text:?}"));
    play.known(&tenant.id, from, PATIENCE, "the reply on the contact", |customer| {
        let written = |received: &&domain::calls::record::Received| received.message.text.as_deref() == Some(text);
        customer.received.iter().find(written).map(drop)
    })
    .await?;
    let open = play
        .customer(&tenant.id, from)
        .await?
        .is_some_and(|customer| customer.contact.last_whatsapp_at().is_some());
    ensure!(open, "the reply is stored, but the 24-hour window did not open");
    clock.say("stored on the contact; the 24-hour window is open");
    Ok(0)
}

async fn falls_back(play: &Play, tenant: &Tenant, from: &Phone) -> Result<usize> {
    play.fault(json!({ "api": "graph", "number": from, "kind": "not_on_whatsapp" }))
        .await?;
    let clock = call(play, tenant, from).await?;
    let sent = play.accepted(&tenant.id, from, Channel::WhatsApp, PATIENCE).await?;
    clock.say(format_args!("WhatsApp accepted {}", words(&sent)));
    play.known(
        &tenant.id,
        from,
        PATIENCE,
        "WhatsApp's failure in the table",
        |customer| {
            let attempts = &customer.messages.first()?.attempts;
            attempts.first()?.error.clone()
        },
    )
    .await
    .map(|error| clock.say(format_args!("failed: {}", error.reason)))?;
    let sent = play.accepted(&tenant.id, from, Channel::Sms, PATIENCE).await?;
    clock.say(format_args!("SMS accepted {}", words(&sent)));
    play.known(
        &tenant.id,
        from,
        PATIENCE,
        "the delivery of the SMS in the table",
        |customer| {
            let message = customer.messages.first()?;
            (message.state() == MessageState::Delivered).then_some(())
        },
    )
    .await?;
    clock.say("SMS delivered");
    Ok(1)
}

async fn cools_down(play: &Play, tenant: &Tenant, from: &Phone) -> Result<usize> {
    silent(play, tenant, from, "cooldown").await
}

/// As `cargo stack clock +24h`.
async fn called_tomorrow(running: &Running, play: &Play, tenant: &Tenant, from: &Phone) -> Result<usize> {
    let mut endpoints = running.endpoints.clone();
    let day = SignedDuration::from_hours(24);
    clock::advance(&running.place, &running.aws, &running.functions, &mut endpoints, day).await?;
    let clock = call(play, tenant, from).await?;
    let decided = play.decided(&tenant.id, from, 3, PATIENCE).await?;
    clock.say(&decided.decision);
    ensure!(decided.message.is_some(), "no message follows: {}", decided.decision);
    let two = || async {
        let sent = play.outbox(&tenant.id, from).await?;
        Ok(Look::some(sent.get(1).map(words), || {
            format!("{} messages", sent.len())
        }))
    };
    let sent = until(PATIENCE, "the second message", two).await?;
    clock.say(format_args!("WhatsApp accepted {sent}"));
    Ok(1)
}

async fn stops(play: &Play, tenant: &Tenant, from: &Phone) -> Result<usize> {
    let clock = Clock(Instant::now());
    play.reply(&tenant.id, from, Channel::Sms, "STOP").await?;
    clock.say(format_args!("{from} writes \"STOP\" by SMS"));
    play.known(&tenant.id, from, PATIENCE, "the opt-out on the contact", |customer| {
        customer.contact.opted_out().map(drop)
    })
    .await?;
    clock.say("recorded on the contact and in the consent ledger");
    silent(play, tenant, from, "opted_out").await
}

/// A second call that gets no message for this reason.
async fn silent(play: &Play, tenant: &Tenant, from: &Phone, reason: &str) -> Result<usize> {
    let before = play.outbox(&tenant.id, from).await?.len();
    let clock = call(play, tenant, from).await?;
    let decided = play.decided(&tenant.id, from, 2, PATIENCE).await?;
    clock.say(&decided.decision);
    ensure!(
        decided.reason == reason && decided.message.is_none(),
        "the call was decided differently: {}",
        decided.decision
    );
    play.quiet(PATIENCE).await?;
    let after = play.outbox(&tenant.id, from).await?.len();
    ensure!(after == before, "{} messages were sent all the same", after - before);
    clock.say("no message is sent");
    Ok(0)
}

/// A new customer goes through a drip, by the clock. Its function runs at once, in addition to its schedule.
async fn drips(running: &Running, play: &Play, tenant: &Tenant) -> Result<usize> {
    let (clock, phone) = (Clock(Instant::now()), new_phone()?);
    let key = Proof::Key(tenant.api_key.clone());
    let post = async |path: &str, body: Value| asked(play, &key, "post", path, Some(body)).await;
    let id = |made: &Value| made["id"].as_str().map(str::to_owned).context("it has an id");
    let says = |name: &str, text: &str| {
        let message = json!({ "channels": ["sms"], "category": "utility", "sms_text": text });
        json!({ "name": name, "does": { "type": "message", "message": message } })
    };
    let day =
        |name: &str| json!({ "name": name, "does": { "type": "wait", "wait": { "until": "passed", "days": 1 } } });
    let texts = [
        "Welcome!",
        "Our cakes of the week",
        "A coffee comes with your first cake",
    ];
    let drip = json!({ "type": "drip", "name": format!("Welcome {}", &phone.as_str()[6..]) });
    let drip = format!("/api/v1/campaigns/{}", id(&post("/api/v1/campaigns", drip).await?)?);
    let steps = json!([
        says("welcome", texts[0]),
        day("a day"),
        says("cakes", texts[1]),
        day("another day"),
        says("coffee", texts[2]),
    ]);
    post(&format!("{drip}/steps"), json!({ "steps": steps })).await?;
    post(&format!("{drip}/start"), json!({})).await?;
    clock.say(format_args!(
        "POST {drip}/steps with three messages and the waits between them, and start it"
    ));
    let contact = json!({ "phones": [phone], "source": "Web form" });
    let contact = format!("/api/v1/contacts/{}", id(&post("/api/v1/contacts", contact).await?)?);
    let wording = json!({ "text": "I agree to receive messages.", "version": "2026-11" });
    let agreed = json!({ "choice": "granted", "channel": "sms", "category": "utility", "party": "customer", "wording": wording });
    post(&format!("{contact}/consent"), agreed).await?;
    until(PATIENCE, "the start of the drip", async || {
        let found = asked(play, &key, "get", &drip, None).await?;
        Ok(Look::when(found["state"] == "running", || found["state"].to_string()))
    })
    .await?;
    let campaign = drip.rsplit('/').next().unwrap_or_default();
    post(&format!("{contact}/campaigns/{campaign}/enroll"), json!({})).await?;
    clock.say(format_args!("{phone} agrees to messages, and enters it"));
    let mut endpoints = running.endpoints.clone();
    endpoints.clock_offset_seconds = clock::kept(&running.place);
    for (place, text) in texts.iter().enumerate() {
        if 0 < place {
            // The message is due a day after the former one was made, and not before a day after it left.
            let later = SignedDuration::from_hours(24) + SignedDuration::from_mins(5);
            clock::advance(&running.place, &running.aws, &running.functions, &mut endpoints, later).await?;
        }
        let sent = until(PATIENCE, text, async || {
            running.invoke("take_steps", &json!({})).await?;
            let sent = play.outbox(&tenant.id, &phone).await?;
            let found = sent.get(place).filter(|_| sent.len() == place + 1);
            let found = found.filter(|sent| sent.body.as_deref() == Some(*text));
            Ok(Look::some(found.map(words), || format!("{} messages", sent.len())))
        })
        .await?;
        clock.say(format_args!("day {}: SMS accepted {sent}", place + 1));
    }
    let enrolment = format!("{contact}/campaigns/{campaign}");
    let enrolment = asked(play, &key, "get", &enrolment, None).await?;
    ensure!(
        (&enrolment["status"], &enrolment["messages_sent"]) == (&json!("completed"), &json!(texts.len())),
        "the enrolment is {enrolment}"
    );
    clock.say("the drip is completed");
    Ok(texts.len())
}

async fn refuses(play: &Play, tenant: &Tenant) -> Result<usize> {
    let from = new_phone()?;
    let clock = Clock(Instant::now());
    let connection = tenant
        .connections
        .get("telephony")
        .context("the tenant has a telephone system")?;
    let path = format!("/webhooks/telephony/{}/{connection}", tenant.id);
    let event = json!({
        "type": "call.ended",
        "data": { "call_id": "forged", "direction": "inbound", "from": from, "outcome": "missed" },
    });
    let answer = play
        .request(
            "POST",
            &path,
            &[
                ("content-type", "application/json"),
                ("webhook-id", "msg_forged"),
                ("webhook-timestamp", &Timestamp::now().as_second().to_string()),
                (
                    "webhook-signature",
                    "v1,Zm9yZ2VkIGZvcmdlZCBmb3JnZWQgZm9yZ2VkIGZvcmdlZA==",
                ),
            ],
            event.to_string(),
        )
        .await?;
    clock.say(format_args!(
        "an attacker reports a call of {from}: answered with {}",
        answer.status
    ));
    ensure!(
        answer.status == 401,
        "the answer was {} instead of 401: {}",
        answer.status,
        answer.body
    );
    play.quiet(PATIENCE).await?;
    let known = play.customer(&tenant.id, &from).await?;
    ensure!(known.is_none(), "it was stored all the same");
    clock.say("nothing is stored or queued");
    Ok(0)
}
