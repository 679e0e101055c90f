//! Customers who change their minds during the storm: they refuse messages, by a stop word or on the preference page, while one to them
//! is on its way, call again, opt in, and call once more. Nothing may be planned or sent for them in between. In the end they ask for
//! help, which is answered once.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use domain::{
    Timestamp,
    consent::{By, Choice},
    contact::{Contact, Identity},
    ids::started,
    message::{Channel, Message},
    phone::Phone,
    record::{Call, ConsentEntry, Received},
};
use futures::future::try_join_all;
use serde_json::{Value, json};

use super::{
    Ground, Size,
    check::Outbox,
    shop::{Shop, until},
};
use crate::{
    endpoints::Tenant,
    play::{Customer, Sent},
    random::Random,
};

/// Time after which a customer whose words had no effect repeats them.
const AGAIN_AFTER: Duration = Duration::from_secs(60);

/// Providers report the times of words in whole seconds, and a stop word holds within its second.
const NEXT_SECOND: Duration = Duration::from_millis(2_100);

/// Longest pause between the decision that plans a message and its refusal. The message is due within it.
const LONGEST_PAUSE_MS: usize = 5_000;

/// Share of the storm in which customers begin.
const BEGIN: f64 = 0.6;

/// The word by which customers refuse messages.
const STOP: &str = "STOP";

/// Calls of each customer.
const CALLS: usize = 3;

/// Calls of each customer that a message follows.
const FOLLOWED: usize = 2;

/// Means to refuse messages, or to opt in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Sms,
    WhatsApp,
    Page,
}

/// The choices of a customer, made before the storm.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mind {
    from: Phone,
    /// Time between the decision about the first call and the refusal.
    pause: Duration,
    refuses: Way,
    grants: Way,
}

impl Mind {
    fn new(random: &mut Random) -> Result<Self> {
        let from = format!("+97150{:07}", random.roll() % 10_000_000);
        let pause = Duration::from_millis(random.below(LONGEST_PAUSE_MS) as u64);
        let refuses = *random.pick(&[Way::Sms, Way::WhatsApp, Way::Page]);
        Ok(Self {
            from: from.parse().map_err(|error| anyhow!("{error}"))?,
            pause,
            refuses,
            // Whoever stopped SMS at the provider can opt in only there.
            grants: match refuses {
                Way::Sms => Way::Sms,
                Way::WhatsApp | Way::Page => *random.pick(&[Way::WhatsApp, Way::Page]),
            },
        })
    }
}

/// A customer who has changed their mind.
#[derive(Debug, Clone)]
pub(super) struct Changed {
    pub(super) tenant: String,
    pub(super) from: Phone,
    /// Before the refusal, while it held, and after the opt-in.
    calls: [String; CALLS],
    refuses: Way,
    grants: Way,
    /// How often they had to say each of both.
    said: [usize; 2],
    /// Time at which the refusal had been seen in the table: it was stored before.
    refused_at: Timestamp,
    /// Time before the opt-in was sent.
    lifted_at: Timestamp,
}

/// Lets customers change their minds, spread over the storm.
pub(super) async fn change(ground: &Ground<'_>, size: Size, tenant: &Tenant, seed: u64) -> Result<Vec<Changed>> {
    let mut random = Random::new(seed);
    let mut minds: Vec<Mind> = Vec::with_capacity(size.minds);
    while minds.len() < size.minds {
        let mind = Mind::new(&mut random)?;
        if minds.iter().all(|known| known.from != mind.from) {
            minds.push(mind);
        }
    }
    let all = minds.into_iter().enumerate().map(|(place, mind)| async move {
        let begin = size.storm.mul_f64(BEGIN * place as f64 / size.minds as f64);
        tokio::time::sleep(begin).await;
        let from = mind.from.clone();
        let shop = Shop { ground, tenant };
        Box::pin(Visitor { shop, mind }.change())
            .await
            .with_context(|| format!("{from} changes their mind"))
    });
    try_join_all(all).await
}

/// A customer of a tenant.
struct Visitor<'a> {
    shop: Shop<'a>,
    mind: Mind,
}

impl Visitor<'_> {
    async fn change(self) -> Result<Changed> {
        let first = self.shop.called(&self.mind.from).await?;
        self.decided(&first, true).await?;
        let page = self.page().await?;
        tokio::time::sleep(self.mind.pause).await;
        let refused = self.until_wished(true, &page).await?;
        let refused_at = Timestamp::now();
        let second = self.shop.called(&self.mind.from).await?;
        self.decided(&second, false).await?;
        tokio::time::sleep(NEXT_SECOND).await;
        let lifted_at = Timestamp::now();
        let granted = self.until_wished(false, &page).await?;
        let third = self.shop.called(&self.mind.from).await?;
        // Whoever writes before the decision needs no message.
        self.decided(&third, true).await?;
        self.until_helped().await?;
        Ok(Changed {
            tenant: self.shop.tenant.id.clone(),
            from: self.mind.from,
            calls: [first, second, third],
            refuses: self.mind.refuses,
            grants: self.mind.grants,
            said: [refused, granted],
            refused_at,
            lifted_at,
        })
    }

    /// Waits for the decision about a call: any, or one with a message.
    async fn decided(&self, call: &str, followed: bool) -> Result<()> {
        until("the decision about a call", async || {
            let customer = self.customer().await?;
            let mut calls = customer.iter().flat_map(|customer| &customer.calls);
            let found = calls.any(|known| known.provider_call_id == call && (known.message.is_some() || !followed));
            Ok(found.then_some(()))
        })
        .await
    }

    async fn customer(&self) -> Result<Option<Customer>> {
        let Shop { ground, tenant } = self.shop;
        ground.play.customer(&tenant.id, &self.mind.from).await
    }

    async fn contact(&self) -> Result<Option<Contact>> {
        let scope = access::operator::scope(self.shop.tenant.id.parse()?);
        let identity = Identity::Phone(self.mind.from.clone());
        Ok(self.shop.ground.play.store.contact_of(&scope, &identity).await?)
    }

    /// Refuses messages, or opts in, and waits until the table says so. Twilio gives a webhook up after some attempts, so whoever sees
    /// nothing happen says it again. Returns how often they said it.
    async fn until_wished(&self, refuses: bool, page: &str) -> Result<usize> {
        let what = if refuses { "the refusal" } else { "the opt-in" };
        let (mut said, mut times): (Option<Instant>, usize) = (None, 0);
        until(what, async || {
            let contact = self.contact().await?;
            if contact.is_some_and(|contact| contact.opted_out().is_some() == refuses) {
                return Ok(Some(times));
            }
            if said.is_none_or(|at| at.elapsed() > AGAIN_AFTER) {
                self.wish(refuses, page).await?;
                (said, times) = (Some(Instant::now()), times + 1);
            }
            Ok(None)
        })
        .await
    }

    /// Asks for help until an answer is planned. Repeated for the same reason.
    async fn until_helped(&self) -> Result<()> {
        let mut said: Option<Instant> = None;
        until("an answer to HELP", async || {
            let customer = self.customer().await?;
            if customer.is_some_and(|customer| answers(&customer.messages).next().is_some()) {
                return Ok(Some(()));
            }
            if said.is_none_or(|at| at.elapsed() > AGAIN_AFTER) {
                let word = json!({
                    "tenant": self.shop.tenant.id, "from": self.mind.from, "channel": Channel::WhatsApp, "text": "HELP",
                    "repeat": 3,
                });
                self.shop.ground.play.post("/replies", &word).await?;
                said = Some(Instant::now());
            }
            Ok(None)
        })
        .await
    }

    /// The path of the customer's preference page.
    async fn page(&self) -> Result<String> {
        let contact = self.contact().await?.context("whoever called is a contact")?;
        let path = format!("/api/v1/contacts/{}/preference-link", contact.id);
        let key = ("x-api-key", self.shop.tenant.api_key.as_str());
        let answer = self.shop.request("POST", &path, &[key], "").await?;
        let link: Value = serde_json::from_str(&answer.body).with_context(|| answer.body.clone())?;
        let link = link["url"].as_str().with_context(|| answer.body.clone())?;
        let (_, code) = link.rsplit_once("/p/").context("a link leads to a page")?;
        Ok(format!("/p/{code}"))
    }

    async fn wish(&self, refuses: bool, page: &str) -> Result<()> {
        let (way, word) = match refuses {
            true => (self.mind.refuses, STOP),
            false => (self.mind.grants, "START"),
        };
        let channel = match way {
            Way::Sms => Channel::Sms,
            Way::WhatsApp => Channel::WhatsApp,
            Way::Page => return self.choose(refuses, page).await,
        };
        let reply = json!({ "tenant": self.shop.tenant.id, "from": self.mind.from, "channel": channel, "text": word });
        self.shop.ground.play.post("/replies", &reply).await.map(drop)
    }

    /// Stops everything on the page, or ticks what follows calls. A form whose answer was lost may have been saved: then the page is an
    /// old one, and says so.
    async fn choose(&self, refuses: bool, page: &str) -> Result<()> {
        let form = if refuses {
            "do=stop".to_owned()
        } else {
            let shown = self.shop.request("GET", page, &[], "").await?;
            let seen = mark(&shown.body).with_context(|| format!("{page}: {}", shown.status))?;
            format!("do=save&seen={seen}&whatsapp_utility=on&sms_utility=on")
        };
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let answer = self.shop.request("POST", page, &headers, &form).await?;
        ensure!(answer.status < 400 || answer.status == 409, "{page}: {}", answer.status);
        Ok(())
    }
}

/// The mark in the page's form.
fn mark(page: &str) -> Option<&str> {
    let (_, rest) = page.split_once("name=\"seen\" value=\"")?;
    rest.split_once('"').map(|(mark, _)| mark)
}

/// The automatic answers among these messages.
fn answers(messages: &[Message]) -> impl Iterator<Item = &Message> {
    messages.iter().filter(|message| message.cause.answered().is_some())
}

/// Checks that nothing was planned or sent for this customer between the refusal and the opt-in, that everything else was, and that the
/// ledger says each wish once. Returns what is wrong.
pub(super) fn check(changed: &Changed, customer: &Customer, outbox: &Outbox) -> Vec<String> {
    let rows = customer.calls.iter();
    let rows: Vec<_> = rows
        .map(|call| {
            (
                call.provider_call_id.as_str(),
                call.reason.as_str(),
                call.message.is_some(),
            )
        })
        .collect();
    let mut broken = silence(changed, &customer.messages, outbox);
    broken.extend(decisions(changed, &rows));
    broken.extend(ledger(changed, &customer.consent));
    broken.extend(miscounted(&customer.messages));
    broken.extend(recovered(&customer.calls, &customer.received));
    if customer.contact.opted_out().is_some() {
        broken.push("the opt-in does not hold".to_owned());
    }
    let of = |what: String| format!("{} changed their mind: {what}: {customer}", changed.from);
    broken.into_iter().map(of).collect()
}

/// More or fewer messages than calls that are followed by one, and one answer. An answer of which nothing went out makes room for another,
/// if the same person asks again.
fn miscounted(messages: &[Message]) -> Vec<String> {
    let all = answers(messages).count();
    let given = answers(messages).filter(|answer| !answer.nothing_went_out());
    let (follow_ups, given) = (messages.len() - all, given.count());
    let mut broken = Vec::new();
    if follow_ups != FOLLOWED {
        broken.push(format!("there are {follow_ups} follow-ups instead of {FOLLOWED}"));
    }
    if all == 0 || given > 1 {
        broken.push(format!("HELP got {given} answers, of {all} planned ones"));
    }
    broken
}

/// Whether each missed call was recovered once by what the customer wrote after it. A stop word recovers nothing.
fn recovered(calls: &[Call], received: &[Received]) -> Option<String> {
    let began = |call: &Call| call.facts.started_at.unwrap_or(started(call.id.own()));
    let missed: Vec<Timestamp> = calls.iter().filter(|call| call.is_missed()).map(began).collect();
    let recovers = |one: &&Received| one.message.is_written() && one.message.text.as_deref() != Some(STOP);
    let wrote: Vec<Timestamp> = received.iter().filter(recovers).map(|one| one.message.at).collect();
    let recovered = missed.iter().filter(|began| wrote.iter().any(|at| *began <= at));
    let truth = recovered.count();
    let of_calls = calls.iter().map(|call| call.recovered);
    let all: u32 = of_calls.chain(received.iter().map(|one| one.recovered)).sum();
    let holds = usize::try_from(all).is_ok_and(|all| all == truth);
    (!holds).then(|| format!("{all} missed calls are recovered instead of {truth}"))
}

/// What was planned or sent while the refusal held.
fn silence(changed: &Changed, messages: &[Message], outbox: &Outbox) -> Vec<String> {
    let held = |at: Timestamp| changed.refused_at <= at && at < changed.lifted_at;
    let mut broken = Vec::new();
    for message in messages {
        if held(message.created_at) {
            broken.push(format!("{} was planned in spite of the refusal", message.id));
        }
        for attempt in &message.attempts {
            let channel = message.plan.get(usize::from(attempt.leg)).map(|leg| leg.channel);
            let sent = channel.and_then(|channel| outbox.get(&(message.id, channel)));
            let mut accepted = sent.into_iter().flatten().filter_map(Sent::key);
            // A claim that is older than the refusal may belong to a request that could not be stopped any more.
            if held(attempt.claimed_at) && accepted.any(|key| key.attempt == attempt.number) {
                broken.push(format!("{} was sent in spite of the refusal: {attempt:?}", message.id));
            }
        }
    }
    broken
}

/// Each call has one row, with the reason of its time. `rows`: the provider's id of each call, the reason, and whether a message follows.
fn decisions(changed: &Changed, rows: &[(&str, &str, bool)]) -> Vec<String> {
    let expected = [("follow_up", true), ("opted_out", false), ("follow_up", true)];
    let mut broken = Vec::new();
    for (call, (reason, followed)) in changed.calls.iter().zip(expected) {
        let own: Vec<_> = rows.iter().filter(|(id, ..)| id == call).collect();
        if own != [&(call.as_str(), reason, followed)] {
            broken.push(format!(
                "the call {call} should have one row with the reason {reason}, and has {own:?}"
            ));
        }
    }
    broken
}

/// However often a word was delivered, the ledger says it once.
fn ledger(changed: &Changed, entries: &[ConsentEntry]) -> Vec<String> {
    let wishes = [
        (changed.refuses, "refusals", &[Choice::Refused][..]),
        (changed.grants, "opt-ins", &[Choice::Granted, Choice::Lifted]),
    ];
    let mut broken = Vec::new();
    for ((way, what, choices), said) in wishes.into_iter().zip(changed.said) {
        let by = if way == Way::Page { By::Page } else { By::Keyword };
        let all = entries.iter().filter(|entry| {
            let of_all = entry.channel.is_none() && entry.category.is_none();
            entry.by == by && of_all && choices.contains(&entry.choice)
        });
        let count = all.count();
        if !(1..=said).contains(&count) {
            broken.push(format!("the ledger has {count} {what}, said {said} times: {entries:?}"));
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTACT: &str = "01m7w3h8g0yee2bzz05vbpakr3";
    const OWN: &str = "01m7w3h8g18hg3h1n2etht86ah";

    fn at(second: u8) -> Timestamp {
        format!("2026-11-20T09:00:{second:02}Z").parse().expect("a time")
    }

    /// Refused at 10 seconds, lifted at 20.
    fn changed() -> Changed {
        Changed {
            tenant: "1".to_owned(),
            from: "+971501234567".parse().expect("a number"),
            calls: ["1", "2", "3"].map(str::to_owned),
            refuses: Way::WhatsApp,
            grants: Way::Page,
            said: [1, 1],
            refused_at: at(10),
            lifted_at: at(20),
        }
    }

    fn message(created: u8, claimed: u8) -> Message {
        serde_json::from_value(json!({
            "id": format!("msg_{CONTACT}{OWN}"),
            "cause": { "call": format!("call_{CONTACT}{OWN}") },
            "policy": { "purpose": "follow_up", "category": "utility", "fallback_after_seconds": 0 },
            "to": { "phone": "+971501234567" },
            "plan": [{
                "channel": "whatsapp", "connection": "conn_01hq5bakery0000000000000w1", "content": { "text": "Hello" },
            }],
            "attempts": [{
                "number": 1, "leg": 0, "tries": 1, "claim": "1", "state": "accepted", "claimed_at": at(claimed),
            }],
            "not_before": at(created),
            "created_at": at(created),
            "correlation_id": "1",
            "version": 1,
        }))
        .expect("a message of the domain")
    }

    fn accepted(message: &Message) -> Outbox {
        let sent = json!({
            "tenant": "1", "channel": "whatsapp", "via": "graph", "to": "+971501234567", "body": "Hello",
            "key": format!("{CONTACT}.{OWN}.1"), "accepted_at": at(30), "statuses": [],
        });
        let sent = serde_json::from_value(sent).expect("an entry of the outbox");
        Outbox::from([((message.id, Channel::WhatsApp), vec![sent])])
    }

    #[test]
    fn what_is_sent_in_spite_of_a_refusal_is_detected() {
        for (created, claimed, was_accepted, broken) in [
            (1, 9, true, false),
            (1, 10, true, true),
            (1, 19, true, true),
            (1, 15, false, false),
            (20, 20, true, false),
            (12, 21, true, true),
        ] {
            let message = message(created, claimed);
            let outbox = if was_accepted {
                accepted(&message)
            } else {
                Outbox::new()
            };
            let found = silence(&changed(), &[message], &outbox);
            assert_eq!(!found.is_empty(), broken, "{created} {claimed}: {found:?}");
        }
    }

    #[test]
    fn wrong_number_of_answers_is_detected() {
        let answer = |cancelled: bool| {
            let mut answer = message(21, 22);
            let cause = json!({ "answered": { "inbound": answer.id, "answer": "help" } });
            answer.cause = serde_json::from_value(cause).expect("a cause");
            if cancelled {
                answer.attempts.clear();
                assert!(answer.cancel("the customer wrote"));
            }
            answer
        };
        let follow_ups = vec![message(1, 9); FOLLOWED];
        let found = |answers: &[bool]| {
            let answers = answers.iter().map(|cancelled| answer(*cancelled));
            miscounted(&follow_ups.iter().cloned().chain(answers).collect::<Vec<_>>())
        };
        assert!(found(&[false]).is_empty() && found(&[true, false]).is_empty());
        for wrong in [&[][..], &[false, false]] {
            assert_eq!(found(wrong).len(), 1, "{wrong:?}");
        }
        assert_eq!(miscounted(&[answer(false)]).len(), 1);
    }

    #[test]
    fn wrong_decisions_are_detected() {
        let right = [
            ("1", "follow_up", true),
            ("2", "opted_out", false),
            ("3", "follow_up", true),
        ];
        assert!(decisions(&changed(), &right).is_empty());
        for wrong in [
            [right[0], ("2", "follow_up", true), right[2]],
            [right[0], right[1], ("3", "opted_out", false)],
            [right[0], right[0], right[2]],
        ] {
            assert!(!decisions(&changed(), &wrong).is_empty(), "{wrong:?}");
        }
    }

    /// Two calls at 10 seconds, of which one says how many were recovered.
    #[test]
    fn calls_that_are_recovered_twice_or_not_are_detected() {
        let found = |texts: &[(u8, &str)], of_call: u32, of_text: u32| {
            let call = |recovered: u32| -> Call {
                serde_json::from_value(json!({
                    "id": format!("call_{CONTACT}{OWN}"), "connection": "conn_01hq5bakery0000000000000p1", "provider": "telephony",
                    "provider_call_id": "1", "facts": { "started_at": at(10) }, "outcome": "missed", "decided_at": at(11),
                    "decision": "no message", "reason": "no_rule", "recovered": recovered, "correlation_id": "1",
                    "grounds": { "config_version": 1, "new_caller": true, "open": true, "opted_in": false, "opted_out": false },
                }))
                .expect("a call of the domain")
            };
            let text = |(second, text): &(u8, &str)| -> Received {
                serde_json::from_value(json!({
                    "id": format!("msg_{CONTACT}{OWN}"), "connection": "conn_01hq5bakery0000000000000w1", "correlation_id": "1",
                    "message": {
                        "channel": "whatsapp", "provider_ref": "wamid.2", "from": {}, "at": at(*second), "kind": "text",
                        "text": text, "opens_window": true,
                    },
                    "recovered": of_text,
                }))
                .expect("a customer's message of the domain")
            };
            let texts: Vec<Received> = texts.iter().map(text).collect();
            recovered(&[call(of_call), call(0)], &texts)
        };
        for (texts, of_call, of_text, holds) in [
            (&[(10, "HELP")][..], 0, 2, true),
            (&[(12, "HELP")], 1, 1, true),
            (&[(12, "HELP")], 0, 1, false),
            (&[(12, "HELP")], 1, 2, false),
            (&[(9, "HELP")], 0, 0, true),
            (&[(9, "HELP")], 0, 1, false),
            (&[(12, "STOP")], 0, 0, true),
            (&[(12, "STOP")], 1, 0, false),
            (&[(11, "HELP"), (12, "STOP")], 2, 0, true),
            (&[(11, "HELP"), (12, "STOP")], 0, 0, false),
            (&[], 0, 0, true),
            (&[], 1, 0, false),
        ] {
            let found = found(texts, of_call, of_text);
            assert_eq!(found.is_none(), holds, "{texts:?} {of_call} {of_text}: {found:?}");
        }
    }

    #[test]
    fn wishes_that_are_recorded_twice_or_not_are_detected() {
        let entry = |by: &str, choice: &str| -> ConsentEntry {
            let entry = json!({ "at": at(9), "choice": choice, "by": by, "source": "said so" });
            serde_json::from_value(entry).expect("an entry of the ledger")
        };
        let entries = |stops: usize, lifts: usize| -> Vec<ConsentEntry> {
            let stops = (0..stops).map(|_| entry("keyword", "refused"));
            stops.chain((0..lifts).map(|_| entry("page", "lifted"))).collect()
        };
        assert!(ledger(&changed(), &entries(1, 1)).is_empty());
        for (stops, lifts) in [(1, 0), (2, 1), (0, 1), (1, 2)] {
            let found = ledger(&changed(), &entries(stops, lifts));
            assert_eq!(found.len(), 1, "{stops} {lifts}: {found:?}");
        }
    }

    #[test]
    fn mark_of_a_page_is_found() {
        let page = "<form><input type=\"hidden\" name=\"seen\" value=\"0123456789abcdef\"></form>";
        assert_eq!(mark(page), Some("0123456789abcdef"));
        assert_eq!(mark("<p>Not found</p>"), None);
    }

    #[test]
    fn the_same_seed_makes_the_same_choices() {
        let minds = || {
            let mut random = Random::new(7);
            let minds: Result<Vec<Mind>> = (0..50).map(|_| Mind::new(&mut random)).collect();
            minds.expect("numbers")
        };
        assert_eq!(minds(), minds());
        for way in [Way::Sms, Way::WhatsApp, Way::Page] {
            assert!(minds().iter().any(|mind| mind.refuses == way), "{way:?}");
            assert!(minds().iter().any(|mind| mind.grants == way), "{way:?}");
        }
    }
}
