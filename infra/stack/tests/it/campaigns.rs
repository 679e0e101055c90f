//! Campaigns: everybody who may get the message gets it once, whatever happens on the way.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use domain::messages::OptFlag;
use domain::people::{Contact, Identity};
use domain::terms::{Channel, ContactId, MessageId, Phone};
use futures::future::{try_join, try_join_all};
use jiff::Timestamp;
use serde_json::{Value, json};
use stack::build;
use stack::play::{Look, Sent, until};
use store::contacts::ContactWrite;
use store::table::effects::Effects;

use crate::alone::lanes::random_ulid;
use crate::stage::{Business, PATIENCE, customer, on_stage, size};
use crate::tables::download;

/// People in the audience; as many as this variable says, where it is set: `RINGBACK_TEST_AUDIENCE=5000`.
const AUDIENCE: usize = 200;

/// People for each one who has refused messages, and each one who writes STOP while it runs.
const REFUSES: usize = 20;

/// Callers while it is sent: at most ten messages that are made after the answer to one leave before it.
const CALLERS: usize = 5;

const REPLY: &str = "Until ten.";

/// Crashes for a large audience, while it is fixed and the first half is made, and while the second half is sent. Each costs minutes, until what
/// the process worked on is visible again.
const BEGINNING: &str = "run_campaign.enrolled=0.03,run_campaign.committed=0.0004,run_campaign.made=0.01";
const CRASHES: &str = "run_campaign.committed=0.0004,run_campaign.made=0.01,send_message.taken=0.002,send_message.claimed=0.002,\
                       send_message.sent=0.002,send_message.recorded=0.002,process_provider_event.moved=0.001";

/// Longer than the whole campaign takes on a busy machine.
const LONG: Duration = Duration::from_secs(1_800);

/// A number of one of two countries, whose prices for SMS differ.
fn phone(number: usize) -> Result<Phone> {
    let phone = match number % 3 {
        0 => format!("+1202555{number:04}"),
        _ => format!("+97154{number:07}"),
    };
    phone.parse().context("a number")
}

/// Creates these people. One in [`REFUSES`] has refused messages, and all others want them.
async fn people(business: &Business<'_>, count: usize) -> Result<()> {
    let (scope, now) = (business.scope()?, Timestamp::now());
    let all: Vec<usize> = (0..count).collect();
    for some in all.chunks(40) {
        let mut effects = Effects::default();
        for number in some {
            let id = ContactId::new(random_ulid(now)?);
            let identity = Identity::Phone(phone(*number)?);
            let mut contact = Contact::first_seen(id, &identity, now);
            let (wish, said) = match number % REFUSES {
                0 => (OptFlag::Stop, "wrote STOP"),
                _ => (OptFlag::Start, "wrote START"),
            };
            contact.wish(wish, said, now);
            effects.people.push(ContactWrite::new(contact, identity));
        }
        business.stage.play.store.commit(&scope, effects, now).await?;
    }
    Ok(())
}

/// Whether it is the campaign's message.
fn is_offer(sent: &Sent) -> bool {
    sent.body.as_deref().is_some_and(|body| body.contains("until Sunday"))
}

/// Number of the campaign's messages that the providers took, by recipient.
async fn outbox(business: &Business<'_>) -> Result<BTreeMap<String, usize>> {
    let mut sent = BTreeMap::new();
    for offer in business.list_sent_messages().await?.into_iter().filter(is_offer) {
        *sent.entry(offer.to).or_default() += 1;
    }
    Ok(sent)
}

/// Ensures that at most ten of the campaign's messages were made after an answer to this caller, and left before it.
async fn nothing_overtook(business: &Business<'_>, caller: &Phone, is_answer: impl Fn(&Sent) -> bool) -> Result<()> {
    let (sent, answer) = until(PATIENCE, "the answer to a caller", async || {
        let sent = business.list_sent_messages().await?;
        let mut all = sent.iter();
        let answer = all.position(|sent| sent.to == caller.as_str() && is_answer(sent));
        let count = sent.len();
        let found = answer.map(|answer| (sent, answer));
        Ok(Look::from_option(found, || format!("{count} messages")))
    })
    .await?;
    let id = |sent: &Sent| sent.key().map(|key| key.message).context("it has our key");
    let offers = sent[..answer].iter().filter(|sent| is_offer(sent)).map(id);
    let mut ids: Vec<MessageId> = offers.collect::<Result<_>>()?;
    ids.push(id(&sent[answer])?);
    let (store, scope) = (&business.stage.play.store, business.scope()?);
    let made = store.each_message(&scope, &ids, Timestamp::now()).await?.into_iter();
    let made = made.map(|message| Ok(message?.context("a message that was sent")?.created_at));
    let made: Vec<Timestamp> = made.collect::<Result<_>>()?;
    let (answer, offers) = made.split_last().context("the answer is there")?;
    // They left before the answer, and were made after it.
    let overtook = offers.iter().filter(|offer| *offer > answer).count();
    ensure!(overtook <= 10, "{overtook} messages overtook an answer");
    Ok(())
}

/// A person of the team answers what this caller writes.
async fn answer_caller(business: &Business<'_>, caller: &Phone) -> Result<()> {
    let question = "Until when are you open?";
    business.reply(caller, Channel::WhatsApp, question).await?;
    let contact = business.has_written(caller).await?;
    let of_contact = format!("/api/v1/conversations?contact={contact}");
    let conversation = business.api("GET", &of_contact, None).await?["items"][0].clone();
    let id = conversation["id"].as_str().context("a conversation has an id")?;
    let reply = json!({"seen": conversation["seq"], "text": REPLY});
    let path = format!("/api/v1/conversations/{id}/messages");
    business.api("POST", &path, Some(reply)).await.map(drop)
}

/// Kills functions between their writes, until it is called without points. Only for a large audience: other tests of the suite use the same
/// functions.
async fn crash(business: &Business<'_>, audience: usize, points: &str) -> Result<()> {
    if audience <= AUDIENCE {
        return Ok(());
    }
    let (root, stack) = (&business.stage.place.root, &business.stage.play.endpoints.stack);
    let names = ["run_campaign", "send_message", "process_provider_event"];
    let names = names.map(|name| Ok(build::function(root, name)?.deployed_name(stack)));
    let names: Vec<String> = names.into_iter().collect::<Result<_>>()?;
    business.stage.aws.set_variable("CRASH_POINTS", points, &names).await
}

/// The messages that are foreseen for those who did not refuse them meanwhile, their cost, and those of them without a price.
fn foreseen_costs(preflight: &Value, refused: &[Phone]) -> Result<(u64, f64, u64)> {
    let (mut messages, mut sum, mut unpriced) = (0, 0.0, 0);
    for line in preflight["costs"].as_array().context("there are costs")? {
        let country = line["country"].as_str().context("of a country")?;
        let of_country = |phone: &&Phone| phone.country().is_some_and(|of| of.as_str() == country);
        let units = line["units"].as_u64().context("a number")?;
        let left = units - refused.iter().filter(of_country).count() as u64;
        messages += left;
        match line["amount"].as_str() {
            Some(amount) => sum += amount.parse::<f64>()? / units as f64 * left as f64,
            None => unpriced += left,
        }
    }
    Ok((messages, sum, unpriced))
}

async fn comes_to(business: &Business<'_>, path: &str, state: &str) -> Result<Value> {
    until(LONG, state, async || {
        // A key may ask a hundred times a minute.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let campaign = business.api("GET", path, None).await?;
        let found = (campaign["state"] == state).then(|| campaign.clone());
        Ok(Look::from_option(found, || campaign.to_string()))
    })
    .await
}

/// Drafts a broadcast to everybody. Returns its path.
async fn draft_broadcast(business: &Business<'_>, per_minute: Option<usize>) -> Result<String> {
    let everybody = json!({"name": "Everybody", "filter": {}});
    let everybody = business.api("POST", "/api/v1/segments", Some(everybody)).await?;
    let mut draft = json!({
        "type": "broadcast", "name": "Offer", "audience": {"segment": everybody["id"]},
        "message": {"channels": ["sms"], "category": "marketing", "sms_text": "20% off until Sunday"},
    });
    if let Some(messages) = per_minute {
        draft["per_minute"] = messages.into();
    }
    let campaign = business.api("POST", "/api/v1/campaigns", Some(draft)).await?;
    let id = campaign["id"].as_str().context("it has an id")?;
    Ok(format!("/api/v1/campaigns/{id}"))
}

/// Two start it at once, the provider refuses some requests and reports everything twice, somebody pauses and resumes it, and some people
/// write STOP meanwhile. What is made after the answer to a caller, or after a reply of the team, does not overtake it.
#[test]
fn broadcast_reaches_everybody_of_its_audience_once() {
    on_stage(async |stage| {
        let business = stage.business("Campaign").await?;
        let count = size("RINGBACK_TEST_AUDIENCE", AUDIENCE)?;
        people(&business, count).await?;
        // Half of them in the first minute, so that there is something to pause.
        let path = draft_broadcast(&business, Some(count / 4)).await?;
        let act = async |action: &str| business.ask("POST", &format!("{path}/{action}"), Some(json!({}))).await;
        let preflight = format!("{path}/preflight");
        let asked = business.api("POST", &preflight, Some(json!({}))).await?;
        let asked = business.wait_for_operation(&asked).await?;
        let preflight = format!("{preflight}/{}", asked["id"].as_str().context("it has an id")?);
        let preflight = business.api("GET", &preflight, None).await?;
        ensure!(preflight["samples"].as_array().map(Vec::len) == Some(10), "{preflight}");
        let everybody_in_it = download(&business, &preflight["file"]).await?;
        let foreseen = &preflight["result"];
        business.fault(json!({"kind": "duplicate_webhooks"})).await?;
        let throttled = json!({"api": "twilio", "kind": "throttled", "times": 5});
        business.fault(throttled).await?;
        crash(&business, count, BEGINNING).await?;
        let (first, second) = try_join(act("start"), act("start")).await?;
        let mut statuses = [first.status, second.status];
        statuses.sort_unstable();
        ensure!(statuses == [200, 409], "two starts: {statuses:?}");
        let some = async |least: usize| {
            until(LONG, "some messages", async || {
                let sent = outbox(&business).await?.len();
                Ok(Look::when(sent >= least, || format!("{sent} messages")))
            })
            .await
        };
        some(count / 8).await?;
        crash(&business, count, "").await?;
        let callers: Vec<Phone> = (0..CALLERS).map(|_| customer()).collect();
        let call = |caller| business.call(caller, "missed", json!({ "via": "telephony" }));
        try_join_all(callers.iter().map(call)).await?;
        for caller in &callers {
            nothing_overtook(&business, caller, |_| true).await?;
        }
        let paused = act("pause").await?;
        ensure!(paused.status == 200, "it is paused: {paused:?}");
        // What is at the provider, or about to be, goes out.
        tokio::time::sleep(Duration::from_secs(3)).await;
        let paused = outbox(&business).await?.len();
        tokio::time::sleep(Duration::from_secs(8)).await;
        let still = outbox(&business).await?.len();
        ensure!(still == paused, "{} messages of a paused campaign", still - paused);
        let enough = paused + count / REFUSES <= count - count.div_ceil(REFUSES);
        ensure!(enough, "nearly all messages are out before the pause: {paused}");
        // Some of those who have not got it.
        let sent = outbox(&business).await?;
        let mut left = (0..count).filter(|number| number % REFUSES != 0);
        let mut stopped = Vec::new();
        while stopped.len() < count / REFUSES {
            let Some(number) = left.next_back() else { break };
            let phone = phone(number)?;
            if !sent.contains_key(phone.as_str()) {
                business.reply(&phone, Channel::Sms, "STOP").await?;
                stopped.push(phone);
            }
        }
        let enough = stopped.len() == count / REFUSES;
        ensure!(enough, "too few are left who could write STOP");
        for phone in &stopped {
            business.has_written(phone).await?;
        }
        let resumed = act("resume").await?;
        ensure!(resumed.status == 200, "it is resumed: {resumed:?}");
        try_join_all(callers.iter().map(|caller| answer_caller(&business, caller))).await?;
        for caller in &callers {
            nothing_overtook(&business, caller, |sent| sent.body.as_deref() == Some(REPLY)).await?;
        }
        crash(&business, count, CRASHES).await?;
        let completed = comes_to(&business, &path, "completed").await;
        crash(&business, count, "").await?;
        let completed = completed?;
        let operation = completed["operation_id"].as_str().context("it has an operation")?;
        let operation = format!("/api/v1/operations/{operation}");
        let operation = business.api("GET", &operation, None).await?;
        let sent = outbox(&business).await?;
        let (mut wrong, mut left) = (Vec::new(), 0);
        for number in 0..count {
            let phone = phone(number)?;
            let wanted = usize::from(number % REFUSES != 0 && !stopped.contains(&phone));
            match sent.get(phone.as_str()).copied().unwrap_or_default() {
                // Some messages of a large audience are in two batches of which each was killed. They are not sent a third time.
                0 if wanted == 1 && count > AUDIENCE => left += 1,
                got if got != wanted => wrong.push(format!("{phone}: {got} instead of {wanted}")),
                _ => {}
            }
        }
        ensure!(wrong.is_empty(), "{wrong:?}");
        let recipients = completed["recipients"].as_u64().context("a number")?;
        ensure!(recipients >= count as u64, "{completed}");
        let progress = &operation["progress"];
        ensure!(progress["done"] == recipients, "{operation}");
        let started = business.api("POST", &format!("{path}/report"), Some(json!({}))).await?;
        let report = business.wait_for_operation(&started).await?["result"].clone();
        let states = ["accepted", "sent", "delivered", "read"];
        let reached = states.map(|state| report["states"][state].as_u64().unwrap_or_default());
        let reached: u64 = reached.into_iter().sum();
        let all = sent.len() as u64;
        ensure!(reached == all, "{all} messages, and the report says {report}");
        ensure!(report["recipients"] == recipients, "{report}");
        let unconfirmed = report["reasons"]["unconfirmed"].as_u64().unwrap_or_default();
        ensure!(unconfirmed == left, "{left} were left, and the report says {report}");
        // Those who wrote STOP meanwhile had wanted it before.
        let held_back = foreseen["held_back"].as_object().into_iter().flatten();
        let held_back: u64 = held_back.filter_map(|(_, count)| count.as_u64()).sum();
        let made = all + left;
        let wanted = made + stopped.len() as u64;
        ensure!(foreseen["chosen"] == recipients, "{recipients}: {foreseen}");
        ensure!(foreseen["messages"] == wanted, "{wanted}: {foreseen}");
        ensure!(held_back == recipients - wanted, "{wanted} of {recipients}: {foreseen}");
        let lines = everybody_in_it.lines().count() as u64;
        ensure!(lines == recipients + 1, "{recipients} in {lines} lines");
        // Each reason that was foreseen is one that happened.
        let (reasons, held_back) = (&report["reasons"], &foreseen["held_back"]);
        for (code, count) in held_back.as_object().into_iter().flatten() {
            let happened = reasons[code].as_u64().unwrap_or_default();
            let later = if code == "opted_out" { stopped.len() as u64 } else { 0 };
            let expected = count.as_u64().unwrap_or_default();
            let fine = (expected..=expected + later).contains(&happened);
            ensure!(fine, "{code}: {reasons} instead of {held_back}");
        }
        // Each message costs what was foreseen, but for those whose function was killed before it knew the number of segments.
        let (messages, amount, unpriced) = foreseen_costs(foreseen, &stopped)?;
        let countries = foreseen["costs"].as_array().map_or(0, Vec::len);
        let paid = &report["cost"][0];
        let estimated: f64 = paid["estimated"].as_str().context("an amount")?.parse()?;
        let lost = report["unpriced"].as_u64().and_then(|all| all.checked_sub(unpriced));
        let told = format!("{amount} for {messages} messages, {unpriced} unpriced: {foreseen}; {report}");
        ensure!(countries == 2 && paid["currency"] == "USD", "{told}");
        ensure!(messages == made, "{told}");
        ensure!(lost.is_some_and(|lost| lost == 0 || count > AUDIENCE), "{told}");
        ensure!(estimated - amount < 0.001, "{told}");
        let is_less = lost > Some(0) || left > 0;
        ensure!(amount - estimated < 0.001 || is_less, "{told}");
        println!("{} of {recipients} got the message: {report}", sent.len());
        Ok(())
    });
}

/// The surplus waits for whoever raises the cap and resumes the campaign.
#[test]
fn a_cap_that_is_reached_pauses_a_broadcast_on_the_way() {
    on_stage(async |stage| {
        let business = stage.business("Capped campaign").await?;
        let count = 12;
        people(&business, count).await?;
        let cap = async |maximum: usize| {
            let cap = json!({"cap": "day.tenant.campaign", "maximum": maximum});
            business.api("POST", "/api/v1/caps", Some(cap)).await
        };
        cap(5).await?;
        let path = draft_broadcast(&business, None).await?;
        let act = async |action: &str| business.api("POST", &format!("{path}/{action}"), Some(json!({}))).await;
        act("start").await?;
        let paused = comes_to(&business, &path, "paused").await?;
        ensure!(paused["stopped"]["code"] == "cap_reached", "{paused}");
        let sent = outbox(&business).await?;
        ensure!(sent.len() == 5, "{sent:?}");
        cap(1_000).await?;
        act("resume").await?;
        comes_to(&business, &path, "completed").await?;
        let sent = outbox(&business).await?;
        // One of them has refused messages.
        ensure!(sent.len() == count - 1, "{sent:?}");
        ensure!(sent.values().all(|times| *times == 1), "{sent:?}");
        Ok(())
    });
}
