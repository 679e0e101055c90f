//! `demo`: starts everything from nothing, then shows the main flow and its error cases, with the time since the call beside every
//! line, then the bill. It uses only public URLs and signed webhooks.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use domain::Timestamp;
use domain::accounts::Role;
use domain::calls::Call;
use domain::messages::MessageState;
use domain::terms::{Channel, ConversationId, Phone};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::api::{Proof, ask_for_json};
use crate::aws::LogEvent;
use crate::bill::Bill;
use crate::clock;
use crate::endpoints::{Endpoints, Tenant};
use crate::play::{Customer, Look, Play, Sent, new_phone, until};
use crate::report::step;
use crate::running::{Options, Running};
use crate::trial::table;
use crate::up::{unless_interrupted, wait_for_interrupt};

/// Maximum wait for one step, enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// Runs the demo; true if all steps were seen. With `stay`, everything keeps running until Ctrl-C.
pub async fn demo(options: &Options, stay: bool) -> Result<bool> {
    let begun = Instant::now();
    let mut running = unless_interrupted(Box::pin(Running::start(options))).await?;
    println!("\nRingback is running after {:.1} s.", begun.elapsed().as_secs_f64());
    let outcome = unless_interrupted(Box::pin(acts(&running))).await;
    // The stack may be somebody's own, which `up` continues with.
    clock::restore(&running.place, &running.aws, &running.functions, &running.endpoints).await?;
    if stay && outcome.is_ok() {
        println!(
            "Everything keeps running. The customers' phones are at {}\nPress Ctrl-C to stop.",
            running.endpoints.simulators
        );
        tokio::select! {
            () = wait_for_interrupt() => {}
            error = running.wait_for_failure() => eprintln!("{error:#}"),
        }
    }
    running.stop().await?;
    outcome
}

async fn acts(running: &Running) -> Result<bool> {
    let play = Play::new(running.endpoints.clone()).await?;
    let tenant = play.endpoints.tenants.first().context("a tenant is seeded")?;
    let admin = tenant.users.of(Role::Admin);
    println!("The customers' phones: {}", running.endpoints.simulators);
    println!("The console:           {}", running.endpoints.console());
    println!("                       {}, password {}\n", admin.email, admin.password);

    let begun = Timestamp::now().as_millisecond();
    let mut scene = Scene {
        running,
        play: &play,
        tenant,
        follow_ups: 0,
        missing: Vec::new(),
    };
    let (amal, basim) = (new_phone()?, new_phone()?);
    println!("A dry run: what would a missed call get?");
    let seen = scene.foresees(&amal).await;
    scene.end("automations", seen).await;
    println!("A missed call is answered by WhatsApp");
    let seen = scene.follow_up_call(&amal).await;
    scene.end("send_message", seen).await;
    println!("The customer replies");
    let seen = scene.replies(&amal).await;
    scene.end("process_provider_event", seen).await;
    println!("A caller who is not on WhatsApp gets the SMS");
    let seen = scene.falls_back(&basim).await;
    scene.end("process_provider_event", seen).await;
    println!("The first customer calls again: the cooldown holds");
    let seen = scene.silent(&amal, "cooldown").await;
    scene.end("process_call", seen).await;
    println!("A day later, the cooldown is over");
    let seen = scene.called_tomorrow(&amal).await;
    scene.end("process_call", seen).await;
    println!("STOP, and a later call stays silent");
    let seen = scene.stops(&basim).await;
    scene.end("process_provider_event", seen).await;
    println!("A drip: three messages, a day apart");
    let seen = scene.drips().await;
    scene.end("take_steps", seen).await;
    println!("Software of the business hears of a call and an order");
    let seen = scene.tells_software().await;
    scene.end("deliver_webhook", seen).await;
    println!("A forged webhook is refused");
    let seen = scene.refuses().await;
    scene.end("telephony_webhook", seen).await;

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
        println!("{} of 10 steps failed; see above.", missing.len());
        complaints(&logs, &missing);
        println!(
            "Use `cargo stack demo --stay` to keep it running, then `cargo stack logs FUNCTION` and `cargo stack why --to NUMBER`."
        );
    }
    Ok(missing.is_empty())
}

/// Warnings and errors of the functions, first those of functions that failed a step.
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
    running: &'a Running,
    play: &'a Play,
    tenant: &'a Tenant,
    follow_ups: usize,
    /// Functions that most likely failed the missing steps.
    missing: Vec<&'static str>,
}

/// Prints lines with the time since the call.
struct Clock(Instant);

impl Clock {
    fn start() -> Self {
        Self(Instant::now())
    }

    fn say(&self, words: impl std::fmt::Display) {
        println!("    {:>5.2} s  {words}", self.0.elapsed().as_secs_f64());
    }
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

/// The acts return the number of accepted follow-ups.
impl Scene<'_> {
    /// Ends an act that depends most on this function.
    async fn end(&mut self, function: &'static str, seen: Result<usize>) {
        match seen {
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

    async fn call(&self, from: &Phone) -> Result<Clock> {
        let clock = Clock::start();
        clock.say(format_args!("{from} calls {}; nobody answers", self.tenant.name));
        let via = json!({ "via": "twilio" });
        let call = self.play.call(&self.tenant.id, from, "missed", via).await?;
        let mut events = call["events"].as_array().into_iter().flatten();
        if let Some(event) = events.find(|event| event["status"] != 200) {
            bail!(
                "the API answered the webhook {} with {}",
                event["what"],
                event["status"]
            );
        }
        Ok(clock)
    }

    /// Waits until the provider accepted a message on this channel.
    async fn wait_until_accepted(&self, clock: &Clock, from: &Phone, channel: Channel) -> Result<()> {
        let sent = self
            .play
            .wait_until_accepted(&self.tenant.id, from, channel, PATIENCE)
            .await?;
        clock.say(format_args!("{} accepted {}", channel.name(), words(&sent)));
        Ok(())
    }

    /// Waits until the call of this number is decided.
    async fn wait_until_decided(&self, from: &Phone, count: usize) -> Result<Call> {
        self.play
            .wait_until_decided(&self.tenant.id, from, count, PATIENCE)
            .await
    }

    async fn wait_for_customer<T>(&self, from: &Phone, what: &str, seen: impl Fn(&Customer) -> Option<T>) -> Result<T> {
        self.play
            .wait_for_customer(&self.tenant.id, from, PATIENCE, what, seen)
            .await
    }

    async fn outbox(&self, to: &Phone) -> Result<Vec<Sent>> {
        self.play.outbox(&self.tenant.id, to).await
    }

    /// Sends a request with the tenant's key.
    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value> {
        let key = Proof::Key(self.tenant.api_key.clone());
        ask_for_json(self.play, &key, method, path, body).await
    }

    /// Moves the time, which was at these endpoints' offset, as `cargo stack clock` does.
    async fn advance_clock(&self, endpoints: &mut Endpoints, by: SignedDuration) -> Result<()> {
        let Running {
            place, aws, functions, ..
        } = self.running;
        clock::advance(place, aws, functions, endpoints, by).await
    }

    /// Nobody has called yet, and nothing is sent: the API says what would follow.
    async fn foresees(&self, from: &Phone) -> Result<usize> {
        let clock = Clock::start();
        let body = json!({ "call": {
            "outcome": "missed", "phone": from, "connection_id": self.tenant.connections.get("twilio"),
        } });
        let path = "/api/v1/automations/dry-run";
        let run = self.ask("post", path, Some(body)).await?;
        clock.say(format_args!("POST {path} with a missed call of {from}"));
        for line in table(&run) {
            println!("             {line}");
        }
        ensure!(run["sent"] == true, "no message would follow: {}", run["decision"]);
        let sent = self.outbox(from).await?;
        ensure!(sent.is_empty(), "{} messages were sent", sent.len());
        clock.say("the dry run is complete; no message is sent");
        Ok(0)
    }

    async fn follow_up_call(&self, from: &Phone) -> Result<usize> {
        let clock = self.call(from).await?;
        self.wait_until_accepted(&clock, from, Channel::WhatsApp).await?;
        for (state, status) in [(MessageState::Delivered, "delivered"), (MessageState::Read, "read")] {
            let what = format!("the status `{status}` in the table");
            self.wait_for_customer(from, &what, |customer| {
                let reached = customer.messages.first()?.state();
                (reached == state || reached == MessageState::Read).then_some(())
            })
            .await?;
            clock.say(status);
        }
        println!("             why: {}", self.wait_until_decided(from, 1).await?.decision);
        let sent = self.outbox(from).await?;
        ensure!(sent.len() == 1, "{} messages were sent instead of one", sent.len());
        Ok(1)
    }

    async fn replies(&self, from: &Phone) -> Result<usize> {
        let clock = Clock::start();
        let text = "Do you have the saffron cake today? هل لديكم كعكة الزعفران؟";
        self.play.reply(&self.tenant.id, from, Channel::WhatsApp, text).await?;
        clock.say(format_args!("{from} writes {text:?}"));
        let received = self.wait_for_customer(from, "the reply on the contact", |customer| {
            let mut received = customer.received.iter();
            let found = received.find(|received| received.message.text.as_deref() == Some(text))?;
            Some(ConversationId::of(customer.contact.id, found.line))
        });
        let conversation = received.await?;
        let customer = self.play.customer(&self.tenant.id, from).await?;
        let open = customer.is_some_and(|customer| customer.contact.last_whatsapp_at().is_some());
        ensure!(open, "the reply is stored, but the 24-hour window did not open");
        let console = self.running.endpoints.console();
        clock.say("stored on the contact; the 24-hour window is open");
        let tenant = &self.tenant.id;
        clock.say(format_args!("answer it at {console}/{tenant}/inbox/{conversation}"));
        Ok(0)
    }

    async fn falls_back(&self, from: &Phone) -> Result<usize> {
        let fault = json!({ "api": "graph", "number": from, "kind": "not_on_whatsapp" });
        self.play.fault(fault).await?;
        let clock = self.call(from).await?;
        self.wait_until_accepted(&clock, from, Channel::WhatsApp).await?;
        let failed = self.wait_for_customer(from, "WhatsApp's failure in the table", |customer| {
            let attempts = &customer.messages.first()?.attempts;
            attempts.first()?.error.clone()
        });
        let error = failed.await?;
        clock.say(format_args!("failed: {}", error.reason));
        self.wait_until_accepted(&clock, from, Channel::Sms).await?;
        self.wait_for_customer(from, "the delivery of the SMS in the table", |customer| {
            let message = customer.messages.first()?;
            (message.state() == MessageState::Delivered).then_some(())
        })
        .await?;
        clock.say("SMS delivered");
        Ok(1)
    }

    async fn called_tomorrow(&self, from: &Phone) -> Result<usize> {
        let mut endpoints = self.running.endpoints.clone();
        self.advance_clock(&mut endpoints, SignedDuration::from_hours(24))
            .await?;
        let clock = self.call(from).await?;
        let decided = self.wait_until_decided(from, 3).await?;
        clock.say(&decided.decision);
        ensure!(decided.message.is_some(), "no message follows: {}", decided.decision);
        let sent = until(PATIENCE, "the second message", async || {
            let sent = self.outbox(from).await?;
            Ok(Look::from_option(sent.get(1).map(words), || {
                format!("{} messages", sent.len())
            }))
        })
        .await?;
        clock.say(format_args!("WhatsApp accepted {sent}"));
        Ok(1)
    }

    async fn stops(&self, from: &Phone) -> Result<usize> {
        let clock = Clock::start();
        self.play.reply(&self.tenant.id, from, Channel::Sms, "STOP").await?;
        clock.say(format_args!("{from} writes \"STOP\" by SMS"));
        self.wait_for_customer(from, "the opt-out on the contact", |customer| {
            customer.contact.opted_out().map(drop)
        })
        .await?;
        clock.say("recorded on the contact and in the consent ledger");
        self.silent(from, "opted_out").await
    }

    /// A second call that gets no message for this reason.
    async fn silent(&self, from: &Phone, reason: &str) -> Result<usize> {
        let before = self.outbox(from).await?.len();
        let clock = self.call(from).await?;
        let decided = self.wait_until_decided(from, 2).await?;
        clock.say(&decided.decision);
        ensure!(
            decided.reason == reason && decided.message.is_none(),
            "the call was decided differently: {}",
            decided.decision
        );
        self.play.quiet(PATIENCE).await?;
        let after = self.outbox(from).await?.len();
        ensure!(after == before, "{} messages were sent all the same", after - before);
        clock.say("no message is sent");
        Ok(0)
    }

    /// A new customer goes through a drip, by the clock. Its function runs at once, in addition to its schedule.
    /// An endpoint gets signed events. Its receiver, which fails at first, gets them again.
    async fn tells_software(&self) -> Result<usize> {
        let name = format!("shop-{}", new_phone()?.as_str().trim_start_matches('+'));
        let (path, simulators) = (format!("/receivers/{name}"), &self.running.endpoints.simulators);
        let url = format!("{}{path}", simulators.trim_end_matches('/'));
        let endpoint = json!({ "name": "Shop", "url": url, "events": ["call.decided", "conversion.recorded"] });
        let made = self.ask("post", "/api/v1/webhook-endpoints", Some(endpoint)).await?;
        let secret = made["signing"]["secret"].as_str().context("the secret is shown once")?;
        ensure!(secret.starts_with("whsec_"), "the secret has another form");
        self.play.put(&path, &json!({ "status": 503 })).await?;
        let from = new_phone()?;
        let clock = self.call(&from).await?;
        let call = self.wait_until_decided(&from, 1).await?;
        self.wait_for_events(&path, "call.decided", 1).await?;
        clock.say("the shop got the call, and answered 503");
        self.play.put(&path, &json!({ "status": 204 })).await?;
        let again = self.wait_for_events(&path, "call.decided", 2).await?;
        ensure!(
            again[0]["headers"]["webhook-id"] == again[1]["headers"]["webhook-id"],
            "another id"
        );
        clock.say("the shop got it again, under the same id");
        let conversions = format!("/api/v1/contacts/{}/conversions", call.id.contact());
        let order = json!({ "what": "order", "value": { "amount": 4200, "currency": "AED" } });
        self.ask("post", &conversions, Some(order)).await?;
        let heard = self.wait_for_events(&path, "conversion.recorded", 1).await?;
        let body: Value = serde_json::from_str(heard[0]["body"].as_str().unwrap_or_default())?;
        clock.say(format_args!("the shop got an order of {}", body["data"]["value"]));
        Ok(1)
    }

    /// Waits until a receiver has got this many requests of a type, and returns them.
    async fn wait_for_events(&self, path: &str, kind: &str, count: usize) -> Result<Vec<Value>> {
        until(PATIENCE, "an event at the receiver", async || {
            let received: Vec<Value> = self.play.get(path).await?;
            let is_of = |one: &Value| one["body"].as_str().is_some_and(|body| body.contains(kind));
            let found: Vec<Value> = received.into_iter().filter(is_of).collect();
            let enough = (found.len() >= count).then(|| found.clone());
            Ok(Look::from_option(enough, || format!("{} of {count}", found.len())))
        })
        .await
    }

    async fn drips(&self) -> Result<usize> {
        let (clock, phone) = (Clock::start(), new_phone()?);
        let post = async |path: &str, body: Value| self.ask("post", path, Some(body)).await;
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
        let campaign = id(&post("/api/v1/campaigns", drip).await?)?;
        let drip = format!("/api/v1/campaigns/{campaign}");
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
            let found = self.ask("get", &drip, None).await?;
            Ok(Look::when(found["state"] == "running", || found["state"].to_string()))
        })
        .await?;
        let enrolment = format!("{contact}/campaigns/{campaign}");
        post(&format!("{enrolment}/enroll"), json!({})).await?;
        clock.say(format_args!("{phone} agrees to messages, and enters it"));
        let mut endpoints = self.running.endpoints.clone();
        endpoints.clock_offset_seconds = clock::read_offset(&self.running.place);
        for (place, text) in texts.iter().enumerate() {
            if 0 < place {
                // The message is due a day after the former one was made, and not before a day after it left.
                let later = SignedDuration::from_hours(24) + SignedDuration::from_mins(5);
                self.advance_clock(&mut endpoints, later).await?;
            }
            let sent = until(PATIENCE, text, async || {
                self.running.invoke("dispatch_drips", &json!({})).await?;
                let sent = self.outbox(&phone).await?;
                let found = sent.get(place).filter(|_| sent.len() == place + 1);
                let found = found.filter(|sent| sent.body.as_deref() == Some(*text));
                Ok(Look::from_option(found.map(words), || {
                    format!("{} messages", sent.len())
                }))
            })
            .await?;
            clock.say(format_args!("day {}: SMS accepted {sent}", place + 1));
        }
        let enrolment = self.ask("get", &enrolment, None).await?;
        ensure!(
            (&enrolment["status"], &enrolment["messages_sent"]) == (&json!("completed"), &json!(texts.len())),
            "the enrolment is {enrolment}"
        );
        clock.say("the drip is completed");
        Ok(texts.len())
    }

    async fn refuses(&self) -> Result<usize> {
        let from = new_phone()?;
        let clock = Clock::start();
        let connection = self.tenant.connections.get("telephony");
        let connection = connection.context("the tenant has a telephone system")?;
        let path = format!("/webhooks/telephony/{}/{connection}", self.tenant.id);
        let event = json!({
            "type": "call.ended",
            "data": { "call_id": "forged", "direction": "inbound", "from": from, "outcome": "missed" },
        });
        let (now, signature) = (
            Timestamp::now().as_second().to_string(),
            "v1,Zm9yZ2VkIGZvcmdlZCBmb3JnZWQgZm9yZ2VkIGZvcmdlZA==",
        );
        let headers = [
            ("content-type", "application/json"),
            ("webhook-id", "msg_forged"),
            ("webhook-timestamp", &now),
            ("webhook-signature", signature),
        ];
        let answer = self.play.request("POST", &path, &headers, event.to_string()).await?;
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
        self.play.quiet(PATIENCE).await?;
        let known = self.play.customer(&self.tenant.id, &from).await?;
        ensure!(known.is_none(), "it was stored all the same");
        clock.say("nothing is stored or queued");
        Ok(0)
    }
}
