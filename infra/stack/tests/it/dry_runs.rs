//! Dry runs through the API, then the same calls through the telephone system: the same decision, the same message at the same time, and
//! the same verdicts before it is sent.

use anyhow::{Context as _, Result, ensure};
use domain::Timestamp;
use domain::calls::Call;
use domain::messages::{AttemptError, AttemptState, Content, Ended, Leg, Message};
use domain::tenants::Connection;
use domain::terms::{MessageId, Phone};
use futures::future::try_join_all;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use stack::business::{Plan, new_ulid};
use stack::play::merge;
use stack::random::Random;

use crate::stage::{Business, Stage, customer, on_stage};

const DRY_RUN: &str = "/api/v1/automations/dry-run";
const REPLAY: &str = "/api/v1/automations/replay";

async fn post(business: &Business<'_>, path: &str, body: Value) -> Result<Value> {
    business.api("post", path, Some(body)).await
}

/// The texts of the rule do not change with the minute.
fn with_fixed_texts(plan: &mut Plan) {
    plan.then()["template"]["variables"]["3"] = json!({ "text": "noon" });
}

fn content_of_leg(leg: &Leg) -> Value {
    match &leg.content {
        Content::Text(text) => json!([leg.channel, leg.connection, text, null]),
        Content::Template(filled) => {
            let values: Vec<&str> = filled.body.iter().map(|value| value.text.as_str()).collect();
            json!([leg.channel, leg.connection, filled.language, values])
        }
        other => panic!("a rule sends texts and templates: {other:?}"),
    }
}

/// The content of a channel that a dry run does not leave out.
fn foreseen_content(channel: &Value) -> Option<Value> {
    let connection = channel["connection_id"].as_str()?;
    let template = &channel["template"];
    let content = match template {
        Value::Null => &channel["text"],
        template => &template["language"],
    };
    Some(json!([channel["channel"], connection, content, template["values"]]))
}

/// A call to try and then to place.
struct Trial {
    outcome: &'static str,
    caller: Phone,
    /// Further fields of the call.
    more: Value,
}

/// The dry run of a call.
async fn foretold(business: &Business<'_>, trial: &Trial) -> Result<Value> {
    let mut call = trial.more.clone();
    call["outcome"] = trial.outcome.into();
    call["phone"] = json!(trial.caller);
    call["connection_id"] = json!(business.tenant.connections["telephony"]);
    post(business, DRY_RUN, json!({ "call": call })).await
}

/// Places the call of a trial.
async fn happens(business: &Business<'_>, trial: &Trial) -> Result<()> {
    let mut placed = trial.more.clone();
    placed["via"] = "telephony".into();
    business.call(&trial.caller, trial.outcome, placed).await
}

/// A message that is to be sent later than this stays planned until the end of a test.
const SOON: SignedDuration = SignedDuration::from_mins(5);

/// The message of a call, once everything has happened to it that happens at once.
async fn at_rest(business: &Business<'_>, caller: &Phone, id: MessageId) -> Result<Message> {
    business
        .wait_for_customer(caller, "the message of the call, at rest", |customer| {
            let message = customer.messages.iter().find(|message| message.id == id)?;
            let later = message.not_before.duration_since(message.created_at) > SOON;
            let over = message.due.is_none() && (message.ended.is_some() || message.was_delivered());
            (over || later).then(|| message.clone())
        })
        .await
}

fn time(of: &Value, field: &str) -> Result<Timestamp> {
    let text = of[field].as_str().with_context(|| format!("{field} is a time: {of}"))?;
    text.parse().with_context(|| format!("reading {text}"))
}

/// Whether the check before this channel said what it then did. `place`: of the channel in the message's plan. Nothing is known of a
/// channel that was not reached, because one before it carried the message, or because it is to be sent later.
fn agrees(channel: &Value, place: usize, message: &Message) -> bool {
    let (passed, code) = (channel["passed"] == true, channel["code"].as_str());
    let because = |error: &AttemptError| error.because().code.as_str();
    let mut own = message.attempts.iter().rev();
    let own = own.find(|attempt| usize::from(attempt.leg) == place);
    let next = message.attempts.last().map_or(0, |last| usize::from(last.leg) + 1);
    let against = match (own, &message.ended) {
        // No provider refuses a message here: the check did.
        (Some(attempt), _) if attempt.state == AttemptState::Refused => attempt.error.as_ref().map(because),
        (Some(_), _) => None,
        (None, Some(Ended::Blocked(_))) if place == next => message.because().map(|because| because.code.as_str()),
        (None, None) if message.waiting.is_some_and(|waiting| usize::from(waiting.leg) == place) => {
            let remark = message.remarks.last().and_then(|remark| remark.because.as_ref());
            remark.map(|because| because.code.as_str())
        }
        (None, _) => return true,
    };
    passed == against.is_none() && code == against
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
    let message = at_rest(business, caller, id).await?;
    let told = format!("{told} {message:?}");
    let legs: Vec<Value> = message.plan.iter().map(content_of_leg).collect();
    let channels = run["message"]["channels"].as_array().context("there are channels")?;
    let planned: Vec<Value> = channels.iter().filter_map(foreseen_content).collect();
    ensure!(legs == planned, "{legs:?} {told}");
    let carrying = channels.iter().filter(|channel| !channel["connection_id"].is_null());
    for (place, channel) in carrying.enumerate() {
        ensure!(agrees(channel, place, &message), "{channel} {told}");
    }
    // The call was decided a moment after its dry run: a delay counts from there, and quiet hours end when they end. A channel that waits
    // postpones the message.
    let (send_at, tried_at) = (time(&run["message"], "send_at")?, time(run, "decided_at")?);
    let delayed = message.not_before.duration_since(message.created_at) == send_at.duration_since(tried_at);
    let waits = message.waiting.is_some();
    ensure!(send_at == message.not_before || delayed || waits, "{told}");
    Ok(())
}

/// Compares the dry run of a recorded call with what happened: also to the millisecond.
async fn compare_again(business: &Business<'_>, caller: &Phone, call: &Call) -> Result<()> {
    let run = post(business, DRY_RUN, json!({ "call_id": call.id })).await?;
    compare(business, caller, &run, call).await?;
    if let Some(id) = call.message {
        let message = at_rest(business, caller, id).await?;
        let send_at = time(&run["message"], "send_at")?;
        ensure!(send_at == message.not_before, "{send_at} {message:?}");
    }
    Ok(())
}

/// The saved automations make no difference to the calls that they decided.
async fn replay_changes_nothing(business: &Business<'_>, calls: usize) -> Result<()> {
    let replay = post(business, REPLAY, json!({ "calls": 500 })).await?;
    ensure!(replay["calls"] == calls && replay["unchanged"] == calls, "{replay}");
    Ok(())
}

/// A paused number is waited for if nothing else can carry the message. Otherwise its channel is skipped, and the next one sends.
#[test]
fn dry_run_foresees_what_a_paused_number_means() {
    on_stage(async |stage| {
        let business = stage.changed_business("Paused and foreseen", |plan| {
            with_fixed_texts(plan);
            let mut alone = plan.file["rules"][0].clone();
            alone["id"] = "rule_01hq5bakery0000000000000r2".into();
            alone["name"] = "WhatsApp alone".into();
            alone["priority"] = 5.into();
            alone["when"] = json!({ "outcomes": ["busy"] });
            alone["then"]["channels"] = json!(["whatsapp"]);
            if let Some(rules) = plan.file["rules"].as_array_mut() {
                rules.push(alone);
            }
        });
        let business = business.await?;
        let (scope, connection) = (business.scope()?, business.whatsapp().await?);
        let until = Timestamp::now() + SignedDuration::from_hours(1);
        let store = &stage.play.store;
        let paused = store.change_connection(&scope, &connection, |known| Connection {
            paused_until: Some(until),
            ..known
        });
        ensure!(Box::pin(paused).await?, "the number is paused");
        for (outcome, attempts) in [("missed", 2), ("busy", 0)] {
            let trial = Trial {
                outcome,
                caller: customer(),
                more: json!({}),
            };
            let run = foretold(&business, &trial).await?;
            let channel = &run["message"]["channels"][0];
            ensure!(channel["code"] == "paused" && channel["passed"] == false, "{run}");
            ensure!(channel["waits_until"].is_null() == (attempts > 0), "{run}");
            happens(&business, &trial).await?;
            let caller = &trial.caller;
            let decided = business.wait_until_decided(caller, 1).await?;
            compare(&business, caller, &run, &decided).await?;
            let message = decided.message.context("a message follows")?;
            let message = at_rest(&business, caller, message).await?;
            ensure!(message.attempts.len() == attempts, "{message:?}");
            ensure!(message.was_delivered() == (attempts > 0), "{message:?}");
        }
        Ok(())
    });
}

// ---- Random rules, contacts, times and calls ------------------------------------------------------------------------

const OUTCOMES: [&str; 7] = [
    "missed",
    "busy",
    "abandoned",
    "voicemail",
    "after_hours",
    "answered",
    "failed",
];

const CHANNELS: [&[&str]; 4] = [&["whatsapp", "sms"], &["sms", "whatsapp"], &["sms"], &["whatsapp"]];

/// Seeds of the businesses. The same seed makes the same choices. Those of these three lead to every channel, to delays and quiet hours, and
/// to calls without a message for many reasons.
const SEEDS: [u64; 3] = [21, 24, 35];

const RULES: usize = 6;

/// Callers of a business, and how many of them call twice.
const CALLERS: usize = 8;
const CALLING_AGAIN: usize = 4;

/// A span of hours, counted from the present one. Both ends are hours away, so that none passes during a test.
#[derive(Clone, Copy)]
struct Span {
    from: i32,
    to: i32,
}

/// The hours of the day that a span means in this time zone now.
fn hours(zone: &str, span: Span) -> Result<Value> {
    let now = i32::from(Timestamp::now().to_zoned(TimeZone::get(zone)?).hour());
    let at = |hours: i32| format!("{:02}:00", (now + hours).rem_euclid(24));
    Ok(json!({ "from": at(span.from), "to": at(span.to) }))
}

/// Hours that began some time ago, or begin later.
const NOW: Span = Span { from: -4, to: 5 };
const LATER: Span = Span { from: 4, to: 8 };

/// A rule by chance. `template`: that of WhatsApp.
fn rule(random: &mut Random, zone: &str, template: &Value) -> Result<Value> {
    let mut outcomes: Vec<&str> = OUTCOMES.to_vec();
    outcomes.retain(|_| random.below(2) == 0);
    if outcomes.is_empty() {
        outcomes.push("missed");
    }
    let quiet = match random.below(4) {
        0 => {
            let mut quiet = hours(zone, *random.pick(&[NOW, LATER]))?;
            quiet["action"] = (*random.pick(&["defer", "send", "skip"])).into();
            quiet
        }
        _ => Value::Null,
    };
    let seconds = |random: &mut Random| match random.below(4) {
        0 => json!(random.below(20)),
        _ => Value::Null,
    };
    let text = *random.pick(&[
        "Sorry, we missed your call.",
        "Hello {{contact.first_name|friend}}, we missed your call. Your level: {{contact.field.level|none yet}}.",
        "Hello {{contact.name}}, we missed your call. Your level: {{contact.field.level}}.",
        "{{tenant.address}}",
    ]);
    let channels = *random.pick(&CHANNELS);
    Ok(json!({
        "id": format!("rule_{}", new_ulid()?),
        "name": format!("By chance {}", random.letters(4)),
        "priority": random.below(3),
        "enabled": random.below(10) > 0,
        "when": {
            "outcomes": outcomes,
            "hours": random.pick(&["any", "any", "open", "closed"]),
            "caller": random.pick(&["any", "any", "new", "known"]),
            "min_ring_seconds": seconds(random),
            "max_talk_seconds": seconds(random),
        },
        "then": {
            "channels": channels,
            "template": template,
            "sms_text": text,
            "category": random.pick(&["utility", "utility", "utility", "utility", "utility", "marketing"]),
            "consent": random.pick(&["caller_initiated", "caller_initiated", "caller_initiated", "opt_in_only"]),
            "cooldown_seconds": random.pick(&[0, 3_600, 86_400]),
            "delay_seconds": random.pick(&[0, 0, 0, 3_600, 86_400]),
            "fallback_after_seconds": random.pick(&[0, 120]),
            "quiet_hours": quiet,
        },
    }))
}

/// A business by chance: its zone and hours, and its rules. Some rules name a field of contacts.
async fn by_chance<'a>(stage: &'a Stage, random: &mut Random) -> Result<Business<'a>> {
    let zone = *random.pick(&["Asia/Dubai", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"]);
    let open = json!([hours(zone, *random.pick(&[NOW, LATER]))?]);
    let quiet = match random.below(4) {
        0 => hours(zone, LATER)?,
        _ => Value::Null,
    };
    let days = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    let mut week = json!({});
    for day in days {
        week[day] = open.clone();
    }
    let mut rules: Result<Vec<Value>> = Ok(Vec::new());
    let business = stage.changed_business("By chance", |plan| {
        with_fixed_texts(plan);
        let template = plan.then()["template"].clone();
        rules = (0..RULES).map(|_| rule(random, zone, &template)).collect();
        plan.file["rules"] = json!(rules.as_deref().unwrap_or_default());
        let tenant = &mut plan.file["tenant"];
        tenant["time_zone"] = zone.into();
        tenant["business_hours"] = week;
        tenant["quiet_hours"] = quiet;
    });
    let business = business.await?;
    let level = json!({ "key": "level", "name": "Level", "type": "text" });
    post(&business, "/api/v1/fields", level).await?;
    rules.map(|_| business)
}

/// A caller by chance: nobody yet, a contact with a language, a value of the field or a wish, or a landline.
async fn caller(business: &Business<'_>, random: &mut Random, place: usize) -> Result<Phone> {
    let (phone, kind) = (customer(), random.below(8));
    let mut contact = json!({ "phones": [phone] });
    let wish = match kind {
        0..=2 => return Ok(phone),
        3 => return format!("+971433300{place:02}").parse().context("a landline"),
        4 => {
            let more = json!({ "name": "ليلى حداد", "language": "ar", "fields": { "level": "ذهبي" } });
            merge(&mut contact, more);
            None
        }
        5 => {
            let more = json!({ "name": "Maya Haddad", "fields": { "level": "Gold" } });
            merge(&mut contact, more);
            Some(json!({ "choice": "granted" }))
        }
        6 => Some(json!({ "choice": "refused", "channel": random.pick(&["whatsapp", "sms"]) })),
        _ => Some(json!({ "choice": "refused", "category": random.pick(&[Value::Null, json!("marketing")]) })),
    };
    let known = post(business, "/api/v1/contacts", contact).await?;
    if let Some(mut wish) = wish {
        let id = known["id"].as_str().context("a contact has an id")?;
        let told = json!({ "party": "customer", "evidence": "Said so in the shop" });
        merge(&mut wish, told);
        post(business, &format!("/api/v1/contacts/{id}/consent"), wish).await?;
    }
    Ok(phone)
}

/// A call by chance. Everything is told that a telephone system tells.
fn call(random: &mut Random, caller: Phone) -> Trial {
    let outcome = *random.pick(&OUTCOMES);
    let mut more = json!({ "ring_seconds": 1 + random.below(30) });
    if outcome == "answered" {
        more["talk_seconds"] = (1 + random.below(30)).into();
    }
    Trial { outcome, caller, more }
}

/// Tries all of these calls, then places all of them, then compares. `count`: which call it is of each caller. Returns how many of them a
/// message follows.
async fn round(business: &Business<'_>, trials: &[Trial], count: usize) -> Result<usize> {
    let runs = trials.iter().map(|trial| Box::pin(foretold(business, trial)));
    let runs = try_join_all(runs).await?;
    try_join_all(trials.iter().map(|trial| Box::pin(happens(business, trial)))).await?;
    for (trial, run) in trials.iter().zip(&runs) {
        let caller = &trial.caller;
        let decided = business.wait_until_decided(caller, count).await?;
        compare(business, caller, run, &decided).await?;
        // A message that waits for the caller is not stored with the next call.
        if count == 1 {
            compare_again(business, caller, &decided).await?;
        }
    }
    Ok(runs.iter().filter(|run| run["sent"] == true).count())
}

/// Plays a business by chance. Returns the number of calls, and of those that a message follows.
async fn play_business(stage: &Stage, seed: u64) -> Result<(usize, usize)> {
    let mut random = Random::new(seed);
    let business = by_chance(stage, &mut random).await?;
    let mut callers = Vec::with_capacity(CALLERS);
    for place in 0..CALLERS {
        callers.push(caller(&business, &mut random, place).await?);
    }
    let first: Vec<Trial> = callers.iter().map(|caller| call(&mut random, caller.clone())).collect();
    let mut followed = round(&business, &first, 1).await?;
    let again = callers.into_iter().take(CALLING_AGAIN);
    let again: Vec<Trial> = again.map(|caller| call(&mut random, caller)).collect();
    followed += round(&business, &again, 2).await?;
    let calls = first.len() + again.len();
    replay_changes_nothing(&business, calls).await?;
    Ok((calls, followed))
}

#[test]
fn dry_runs_of_random_calls_say_what_then_happens() {
    on_stage(async |stage| {
        let played = SEEDS.map(|seed| async move {
            let outcome = Box::pin(play_business(stage, seed)).await;
            outcome.with_context(|| format!("the business of seed {seed}"))
        });
        let (mut calls, mut followed) = (0, 0);
        for (own, of_them) in try_join_all(played).await? {
            (calls, followed) = (calls + own, followed + of_them);
        }
        // Both happen, or this would show nothing.
        ensure!(followed >= 8 && calls - followed >= 8, "{followed} of {calls}");
        Ok(())
    });
}
