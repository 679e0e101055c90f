//! Whether counters, metrics and usage equal the truth: what the customers' rows say, and what those said that were erased.
//!
//! The truth is worked out from the rows as they are in the end, by rules of its own. The code that counts sees each change of a row
//! instead, which may be delivered several times, so nothing of it is used here.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use domain::{
    Timestamp,
    call::{Direction, Outcome},
    consent::{Choice, ConsentCategory, Party},
    counting::{REPLY_TIMES, STATES, purposes},
    facts::Fact,
    message::{Attempt, AttemptState, Channel, Content, Cost, Leg, Message, MessageState},
    prices::{Money, PriceBook, PriceCategory, Rate, Service},
    record::{Call, ConsentEntry, Received},
    refusal::Reason,
    template::id::TemplateId,
    template_numbers::TemplateEdition,
};
use serde_json::Value;
use store::{
    counters::{self, Counters},
    hours::Lines,
    templates::TemplateFilter,
};

use super::{
    Ground,
    check::{Verdict, now},
    shop::Shop,
    storm::Stormed,
};
use crate::{
    api::{self, succeeded},
    endpoints::Tenant,
    play::Customer,
};

/// Maximum time by which the stream's consumer lags, because it was killed, too.
const LAG: Duration = Duration::from_secs(60);

/// States of messages that are only left forward, so that a message has been counted in each that it has reached.
const REACHED: [&str; 4] = ["planned", "accepted", "delivered", "read"];

/// States of messages that a late status may leave again, after which the row does not say any more that the message was in one.
const LEFT_AGAIN: [&str; 3] = ["failed", "blocked", "cancelled"];

/// States of attempts of the same kind. A refused attempt is replaced in its row by the next one on its channel.
const ATTEMPTS_LEFT_AGAIN: [&str; 2] = ["failed", "refused"];

/// Outcomes of calls that nobody answered.
const UNANSWERED: [Outcome; 5] = [
    Outcome::Missed,
    Outcome::Busy,
    Outcome::Abandoned,
    Outcome::Voicemail,
    Outcome::AfterHours,
];

/// The country of all customers of a storm: they have mobile numbers of the United Arab Emirates.
const COUNTRY: &str = "AE";

/// The tenants of a storm send WhatsApp through Meta.
const WHATSAPP: &str = "meta";

/// The word for SMS, both as a carrier and as a price category.
const SMS: &str = "sms";

/// No encoding of an SMS of several segments has room for fewer units of UTF-16 in one.
const SHORTEST_SEGMENT: usize = 67;

/// Beginning of the names that the counters of templates have here, before the template's id.
const OF_TEMPLATE: &str = "template:";

/// The counter of a template under its name here. Its contents are not told apart: nobody edits a template in a storm.
fn of_template(of: &TemplateId, counter: &str) -> String {
    format!("{OF_TEMPLATE}{of} {counter}")
}

/// Whether a counter of a template only has a lower bound: that of failures, since a refused attempt is replaced in its row, and a late
/// status may leave a failure again.
fn is_failure_of_template(name: &str) -> bool {
    name.starts_with(OF_TEMPLATE) && name.contains(" failed.")
}

/// The counters that only have a lower bound, because rows do not say how often they were raised.
fn without_upper_bound() -> BTreeSet<String> {
    let of_purposes = purposes().flat_map(|purpose| LEFT_AGAIN.map(|state| format!("{purpose}.{state}")));
    let of_all = LEFT_AGAIN.map(|state| format!("messages_{state}"));
    let channels = [Channel::WhatsApp, Channel::Sms].into_iter();
    let of_attempts =
        channels.flat_map(|channel| ATTEMPTS_LEFT_AGAIN.map(|state| format!("{state}_{}", channel.as_str())));
    of_purposes.chain(of_all).chain(of_attempts).collect()
}

/// How often a call came to something at least and at most, if it was decided this many times again and `is` there now. Each decision
/// after the first is one to another outcome, so it did not come there twice in a row.
const fn times(is: bool, again: u64) -> (u64, u64) {
    if is { (1, 1 + again / 2) } else { (0, again.div_ceil(2)) }
}

/// Whether it was delivered.
const fn arrived(state: AttemptState) -> bool {
    matches!(state, AttemptState::Delivered | AttemptState::Read)
}

/// Whether the provider says that it bills it.
fn is_billed(attempt: &Attempt) -> bool {
    attempt.cost.as_ref().is_some_and(|cost| cost.billable == Some(true))
}

/// The word for a message's purpose, as in its row.
fn purpose(message: &Message) -> String {
    let word = serde_json::to_value(message.policy.purpose()).ok();
    word.as_ref().and_then(api::word).unwrap_or_default()
}

/// The counter of messages or segments whose price a list has.
fn listed(carrier: &str, category: &str) -> String {
    format!("cost.{carrier}.{COUNTRY}.{category}")
}

/// The counter of what a provider says about the price of an attempt, and by how much it is raised.
fn priced(carrier: &str, cost: &Cost) -> (String, u64) {
    match (cost.billable, &cost.amount) {
        (Some(false), _) => (format!("free.{carrier}"), 1),
        (Some(true), Some(money)) => (format!("paid.{carrier}.{}", money.currency.as_str()), money.millionths),
        (Some(true), None) => (listed(carrier, &cost.category), cost.units.into()),
        (None, _) => (listed(carrier, PriceCategory::Other.as_str()), cost.units.into()),
    }
}

/// What must have been counted for a tenant: each counter at least and at most. The bounds differ for calls that were decided again, whose
/// rows have the last outcome only, and for messages that were erased before they came to rest, of which nobody knows how far they went.
#[derive(Debug, Default)]
pub(super) struct Truth {
    least: Counters,
    most: Counters,
}

impl Truth {
    fn between(&mut self, name: &str, (least, most): (u64, u64)) {
        for (bound, count) in [(&mut self.least, least), (&mut self.most, most)] {
            *bound.entry(name.to_owned()).or_default() += count;
        }
    }

    fn exactly(&mut self, name: &str, count: u64) {
        self.between(name, (count, count));
    }

    /// Raises the upper bound to this one.
    fn at_most(&mut self, name: &str, count: u64) {
        let most = self.most.entry(name.to_owned()).or_default();
        *most = count.max(*most);
    }

    fn add(&mut self, other: &Self) {
        counters::join(&mut self.least, &other.least);
        counters::join(&mut self.most, &other.most);
    }

    /// The calls of a customer, what they wrote, and what they refused.
    pub(super) fn happened(&mut self, customer: &Customer) {
        for call in &customer.calls {
            self.call(call);
        }
        for received in &customer.received {
            self.received(received);
        }
        for entry in &customer.consent {
            self.consent(entry);
        }
    }

    /// A call. One that was decided again was counted for each of its outcomes, of which the row has the last.
    fn call(&mut self, call: &Call) {
        let (again, followed) = (u64::from(call.decided_again), call.message.is_some());
        self.exactly("calls", 1);
        self.exactly("calls_decided_again", again);
        self.exactly("calls_followed_up", followed.into());
        // Only a call without a message is decided again.
        self.exactly("calls_without_message", u64::from(!followed || again > 0));
        // A later decision adds to it.
        self.exactly("recovered", call.recovered.into());
        for outcome in Outcome::ALL {
            self.between(
                &format!("calls_{}", outcome.as_str()),
                times(outcome == call.outcome, again),
            );
        }
        let missed = UNANSWERED.contains(&call.outcome) && call.facts.direction != Some(Direction::Outbound);
        self.between("calls_unanswered", times(missed, again));
        let reason = format!("unfollowed.{}", call.reason);
        if again == 0 {
            self.exactly(&reason, u64::from(missed && !followed));
            return;
        }
        // The reasons of all decisions are known, but not which of them made it a call that nobody answered.
        let earlier = call.remarks.iter().filter_map(|remark| remark.because.as_ref());
        let earlier = earlier.filter(|because| because.code == Reason::DecidedAgain);
        for because in earlier {
            if let Some(Fact::Text(before)) = because.facts.get("before") {
                self.between(&format!("unfollowed.{before}"), (0, 1));
            }
        }
        self.between(&reason, (0, u64::from(!followed)));
    }

    /// A message of a customer.
    fn received(&mut self, received: &Received) {
        self.exactly(&format!("received_{}", received.message.channel.as_str()), 1);
        self.exactly("recovered", received.recovered.into());
        for seconds in &received.answers_after {
            let place = REPLY_TIMES.iter().filter(|bound| *bound < seconds).count();
            if place < REPLY_TIMES.len() {
                self.exactly(&format!("reply.{place}"), 1);
            }
        }
        for answered in &received.templates {
            let of = |counter: &str| of_template(&answered.of.template, counter);
            self.exactly(&of("replied"), answered.replied.into());
            self.exactly(&of("clicked"), answered.clicked.into());
        }
    }

    /// An entry of the ledger. In a storm, whatever customers refuse is recorded within the day.
    fn consent(&mut self, entry: &ConsentEntry) {
        let said = entry.choice == Choice::Refused && entry.by.party() == Party::Customer && !entry.repeats;
        let name = match entry.category {
            Some(ConsentCategory::Marketing) => "opt_outs_marketing",
            _ => "opt_outs",
        };
        self.exactly(name, said.into());
    }

    /// A message, as its row says.
    fn of(message: &Message) -> Self {
        let mut truth = Self::default();
        let purpose = purpose(message);
        truth.exactly("messages", 1);
        let any = |reached: fn(AttemptState) -> bool| {
            let mut attempts = message.attempts.iter();
            u64::from(attempts.any(|attempt| reached(attempt.state)))
        };
        let reached = [
            1,
            any(AttemptState::was_accepted),
            any(arrived),
            any(|state| state == AttemptState::Read),
        ];
        for (state, count) in REACHED.into_iter().zip(reached) {
            truth.exactly(&format!("{purpose}.{state}"), count);
        }
        let ended = match message.state() {
            MessageState::Failed => Some("failed"),
            MessageState::Blocked => Some("blocked"),
            MessageState::Cancelled => Some("cancelled"),
            _ => None,
        };
        if let Some(state) = ended {
            truth.exactly(&format!("{purpose}.{state}"), 1);
            truth.exactly(&format!("messages_{state}"), 1);
        }
        for attempt in &message.attempts {
            if let Some(leg) = message.plan.get(usize::from(attempt.leg)) {
                truth.attempt(message, attempt, leg.channel);
                if let Some(TemplateEdition { template, .. }) = TemplateEdition::of(leg) {
                    truth.attempt_by(&template, message, attempt);
                }
            }
        }
        truth
    }

    /// The same for the template by which it was sent.
    fn attempt_by(&mut self, template: &TemplateId, message: &Message, attempt: &Attempt) {
        let state = attempt.state;
        for (step, reached) in [
            ("sent", state.was_accepted()),
            ("delivered", arrived(state)),
            ("read", state == AttemptState::Read),
        ] {
            self.exactly(&of_template(template, step), reached.into());
        }
        if matches!(state, AttemptState::Failed | AttemptState::Refused) {
            let class = attempt.error.as_ref().map_or("unknown", |error| error.class.as_str());
            self.exactly(&of_template(template, &format!("failed.{class}")), 1);
        }
        if arrived(state) {
            let mut price = Self::default();
            price.whatsapp(message, attempt.cost.as_ref());
            for (name, most) in price.most {
                let least = price.least.get(&name).copied().unwrap_or_default();
                self.between(&of_template(template, &name), (least, most));
            }
        }
    }

    fn attempt(&mut self, message: &Message, attempt: &Attempt, channel: Channel) {
        let state = attempt.state;
        for (step, reached) in [
            ("accepted", state.was_accepted()),
            ("delivered", arrived(state)),
            ("read", state == AttemptState::Read),
            ("failed", state == AttemptState::Failed),
            ("refused", state == AttemptState::Refused),
            ("billed", is_billed(attempt)),
        ] {
            self.exactly(&format!("{step}_{}", channel.as_str()), reached.into());
        }
        match channel {
            Channel::Sms => {
                // Only segments have a price, whether the SMS arrives or not.
                if let Some(cost) = attempt.cost.as_ref().filter(|_| is_billed(attempt)) {
                    let (name, units) = priced(SMS, cost);
                    self.exactly(&name, units);
                }
            }
            Channel::WhatsApp if arrived(state) => self.whatsapp(message, attempt.cost.as_ref()),
            Channel::WhatsApp => {}
        }
    }

    /// The price of a WhatsApp message that was delivered. It is charged once: by the report that says so, which may come before the one
    /// with the cost and then counts by the message's own category.
    fn whatsapp(&mut self, message: &Message, cost: Option<&Cost>) {
        let own = (listed(WHATSAPP, message.policy.category().as_str()), 1);
        let told = cost.map_or_else(|| own.clone(), |cost| priced(WHATSAPP, cost));
        if told == own {
            self.exactly(&own.0, 1);
            return;
        }
        for (name, units) in [own, told] {
            self.between(&name, (0, units));
        }
    }

    /// The provider may say what this channel of a message cost.
    fn may_be_billed(&mut self, leg: &Leg) {
        self.at_most(&format!("billed_{}", leg.channel.as_str()), 1);
        if let (Channel::Sms, Content::Text(text)) = (leg.channel, &leg.content) {
            let segments = text.encode_utf16().count().div_ceil(SHORTEST_SEGMENT);
            self.at_most(&listed(SMS, SMS), segments as u64);
        }
    }

    /// A message that is still there, and does not change any more.
    pub(super) fn message(&mut self, message: &Message) {
        self.add(&Self::of(message));
    }

    /// A message that was erased when nothing could happen to it any more. A report that says the same once more, but also what it
    /// cost, may have come before the erasure.
    pub(super) fn erased(&mut self, message: &Message) {
        let mut truth = Self::of(message);
        for attempt in message.attempts.iter().filter(|attempt| attempt.state.was_accepted()) {
            if let Some(leg) = message.plan.get(usize::from(attempt.leg)) {
                truth.may_be_billed(leg);
            }
        }
        self.add(&truth);
    }

    /// A message that was erased after it had been read in this state. Nobody knows how far it went.
    pub(super) fn cut_off(&mut self, message: &Message) {
        let mut truth = Self::of(message);
        let purpose = purpose(message);
        for state in REACHED {
            truth.at_most(&format!("{purpose}.{state}"), 1);
        }
        for leg in &message.plan {
            for step in ["accepted", "delivered", "read"] {
                truth.at_most(&format!("{step}_{}", leg.channel.as_str()), 1);
            }
            let price = listed(WHATSAPP, message.policy.category().as_str());
            if leg.channel == Channel::WhatsApp {
                truth.at_most(&price, 1);
            }
            if let Some(TemplateEdition { template, .. }) = TemplateEdition::of(leg) {
                for counter in ["sent", "delivered", "read", price.as_str()] {
                    truth.at_most(&of_template(&template, counter), 1);
                }
            }
            truth.may_be_billed(leg);
        }
        self.add(&truth);
    }

    /// What is counted otherwise, one sentence each. A counter that no row explains is one of them.
    fn wrong(&self, counted: &Counters) -> Vec<String> {
        let of = |counters: &Counters, name: &str| counters.get(name).copied().unwrap_or_default();
        let unbounded = without_upper_bound();
        let names: BTreeSet<&String> = counted.keys().chain(self.least.keys()).collect();
        let mut wrong = Vec::new();
        for name in names {
            let (count, least, most) = (of(counted, name), of(&self.least, name), of(&self.most, name));
            let (most, expected) = if unbounded.contains(name) || is_failure_of_template(name) {
                (u64::MAX, format!("at least {least}"))
            } else if least == most {
                (most, least.to_string())
            } else {
                (most, format!("{least} to {most}"))
            };
            if !(least..=most).contains(&count) {
                wrong.push(format!("{count} {name} are counted instead of {expected}"));
            }
        }
        wrong.extend(contradictions(counted));
        wrong
    }
}

/// The sum of the counters whose names begin with this.
fn sum(counted: &Counters, prefix: &str) -> u64 {
    let own = counted.iter().filter(|(name, _)| name.starts_with(prefix));
    own.map(|(_, count)| count).sum()
}

/// Counters that contradict each other, whatever the bounds of each are.
fn contradictions(counted: &Counters) -> Vec<String> {
    let of = |name: &str| counted.get(name).copied().unwrap_or_default();
    let mut wrong = Vec::new();
    let outcomes = Outcome::ALL.map(|outcome| of(&format!("calls_{}", outcome.as_str())));
    let (outcomes, decisions) = (
        outcomes.into_iter().sum::<u64>(),
        of("calls") + of("calls_decided_again"),
    );
    if outcomes != decisions {
        wrong.push(format!("{outcomes} outcomes of {decisions} decisions are counted"));
    }
    let (replies, sent) = (sum(counted, REPLY), of("follow_up.accepted"));
    if replies > sent {
        wrong.push(format!("{replies} replies to {sent} follow-ups are counted"));
    }
    wrong
}

/// The beginning of the names of counters of reply times, and of those of calls without a message by its reason.
const REPLY: &str = "reply.";
const UNFOLLOWED: &str = "unfollowed.";

/// The hours' counters are exact, whatever was redelivered, killed or erased, and the reports of the API say the same.
pub(super) async fn check(
    ground: &Ground<'_>,
    stormed: &Stormed,
    truths: &BTreeMap<String, Truth>,
    verdict: &mut Verdict,
) -> Result<()> {
    let nothing = Truth::default();
    for tenant in stormed.all_tenants() {
        let truth = truths.get(&tenant.id).unwrap_or(&nothing);
        let begun = Instant::now();
        let mut wrong = loop {
            let (counted, prices) = counted(ground, stormed, tenant).await?;
            let wrong = truth.wrong(&counted);
            if wrong.is_empty() {
                break Box::pin(reported(ground, tenant, counted, &prices)).await?;
            }
            if begun.elapsed() > LAG {
                break wrong;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        };
        for wrong in &mut wrong {
            *wrong = format!("{}: {wrong}", tenant.name);
        }
        verdict.broken.append(&mut wrong);
    }
    Ok(())
}

/// What the hours of the storm have counted, and the prices of messages.
async fn counted(ground: &Ground<'_>, stormed: &Stormed, tenant: &Tenant) -> Result<(Counters, PriceBook)> {
    let hour = Duration::from_secs(3_600);
    let period = (Timestamp::from_millisecond(stormed.began)? - hour, now()? + hour);
    let scope = access::operator::scope(tenant.id.parse()?);
    let basis = ground.play.store.basis(&scope).await?;
    let basis = basis.with_context(|| format!("{} has no row", tenant.name))?;
    let hours = ground.play.store.hours(&scope, &basis.rolled, period, Lines::Each);
    let mut counted = Counters::new();
    for hour in hours.await? {
        counters::join(&mut counted, &hour.counters);
    }
    // A storm's tenants have few templates, and delete none.
    let all = TemplateFilter::default();
    let templates = ground.play.store.templates(&scope, &all, None, 100);
    let days = [period.0, period.1].map(|at| at.to_zoned(jiff::tz::TimeZone::UTC).date());
    for template in templates.await?.items {
        let Some(id) = TemplateId::of(&template.value) else {
            continue;
        };
        let days = ground.play.store.template_days(&scope, &id, days.into());
        for (_, counters) in days.await? {
            let own = counters.iter().map(|(name, count)| (of_template(&id, name), *count));
            counters::join(&mut counted, &own.collect());
        }
    }
    let prices = basis.prices.unwrap_or_else(|| PriceBook::shipped().clone());
    Ok((counted, prices))
}

/// What the metrics or the usage say otherwise than the counters, in total or in the sum of their parts.
async fn reported(
    ground: &Ground<'_>,
    tenant: &Tenant,
    mut counted: Counters,
    prices: &PriceBook,
) -> Result<Vec<String>> {
    let shop = Shop { ground, tenant };
    let mut wrong = Vec::new();
    let sums = sums(&counted, prices, now()?);
    counted.extend(sums);
    for report in ["metrics", "usage"] {
        let by_day = get(shop, report, "by=day").await?;
        // A report by hour is of three days at most; a storm may pass midnight.
        let days = by_day["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        let [.., yesterday, today] = days else {
            wrong.push(format!("the {report} of a week have {} days", days.len()));
            continue;
        };
        let [from, to] = [yesterday, today].map(|part| part["day"].as_str().unwrap_or_default());
        let by_hour = get(shop, report, &format!("by=hour&from={from}&to={to}")).await?;
        let by_line = get(shop, report, "by=line").await?;
        for (by, answer) in [("day", &by_day), ("hour", &by_hour), ("line", &by_line)] {
            let said = match report {
                "metrics" => of_metrics(answer, &counted),
                _ => of_usage(answer, &counted),
            };
            let said = disagreements(&said, &counted);
            wrong.extend(said.into_iter().map(|said| format!("the {report} by {by} say {said}")));
            if !adds_up(answer) {
                wrong.push(format!("the {report} by {by} do not add up: {answer}"));
            }
        }
    }
    Ok(wrong)
}

async fn get(shop: Shop<'_>, report: &str, query: &str) -> Result<Value> {
    let path = format!("/api/v1/{report}?{query}");
    let key = ("x-api-key", shop.tenant.api_key.as_str());
    let answer = shop.request("GET", &path, &[key], "").await?;
    succeeded(&answer, &path)
}

/// Names of figures that are sums of counters. Amounts are in millionths, by currency.
const REPLIES: &str = "all replies";
const FREE: &str = "all free messages";
const UNKNOWN: &str = "all without a price";
const REPORTED: &str = "reported cost in ";
const ESTIMATED: &str = "estimated cost in ";

/// What is paid for messages that were carried in this way.
fn services(carrier: &str) -> &'static [Service] {
    match carrier {
        "meta" => &[Service::Whatsapp],
        "twilio" => &[Service::Whatsapp, Service::TwilioWhatsapp],
        _ => &[Service::TwilioSms],
    }
}

/// The figures that are sums of counters, with the prices of this day. No prices begin to hold during a storm.
fn sums(counted: &Counters, book: &PriceBook, at: Timestamp) -> Counters {
    let of = |name: &str| counted.get(name).copied().unwrap_or_default();
    // An SMS of which the number of segments is not known.
    let unbilled = of("accepted_sms").saturating_sub(of("billed_sms"));
    let mut sums = Counters::from([
        (REPLIES.to_owned(), sum(counted, REPLY)),
        (FREE.to_owned(), sum(counted, "free.")),
        (UNKNOWN.to_owned(), unbilled),
    ]);
    let mut raise = |name: String, count: u64| *sums.entry(name).or_default() += count;
    let day = at.to_zoned(jiff::tz::TimeZone::UTC).date();
    for (name, count) in counted {
        match name.split('.').collect::<Vec<_>>().as_slice() {
            ["paid", _, currency] => raise(format!("{REPORTED}{currency}"), *count),
            ["cost", carrier, country, category] => {
                let (country, category) = (country.parse().ok(), PriceCategory::of(category));
                let prices = services(carrier).iter();
                let prices = prices.map(|service| book.price(*service, country, category, day));
                match prices.collect::<Option<Vec<_>>>() {
                    None => raise(UNKNOWN.to_owned(), *count),
                    Some(prices) => {
                        for (currency, rate) in prices {
                            raise(format!("{ESTIMATED}{}", currency.as_str()), rate.millionths() * count);
                        }
                    }
                }
            }
            _ => {}
        }
    }
    sums
}

/// What a report says that the counters do not.
fn disagreements(said: &Counters, counted: &Counters) -> Vec<String> {
    let differs = |(name, count): (&String, &u64)| {
        let counted = counted.get(name).copied().unwrap_or_default();
        (*count != counted).then(|| format!("{count} {name} instead of {counted}"))
    };
    said.iter().filter_map(differs).collect()
}

/// None of what is counted with one of these beginnings: a report leaves it out then.
fn none_of(counted: &Counters, prefixes: &[&str]) -> Counters {
    let names = counted
        .keys()
        .filter(|name| prefixes.iter().any(|prefix| name.starts_with(prefix)));
    names.map(|name| (name.clone(), 0)).collect()
}

/// A number of a report. Whatever is none agrees with no counter.
fn number(value: Option<&Value>) -> u64 {
    value.and_then(Value::as_u64).unwrap_or(u64::MAX)
}

/// The counters by which the figures of metrics are called.
fn of_metrics(answer: &Value, counted: &Counters) -> Counters {
    let total = &answer["total"];
    let named = [
        ("calls", "/calls/all"),
        ("calls_unanswered", "/calls/unanswered"),
        ("calls_followed_up", "/calls/followed_up"),
        ("recovered", "/recovered"),
        ("received_whatsapp", "/received/whatsapp"),
        ("received_sms", "/received/sms"),
        ("opt_outs", "/opt_outs/messages"),
        ("opt_outs_marketing", "/opt_outs/marketing"),
        ("conversions", "/conversions/all"),
        (REPLIES, "/follow_ups/replied"),
    ];
    let named = named.map(|(name, place)| (name.to_owned(), place.to_owned()));
    let outcomes = Outcome::ALL.map(Outcome::as_str);
    let outcomes = outcomes.map(|outcome| (format!("calls_{outcome}"), format!("/calls/outcomes/{outcome}")));
    let states = STATES.map(|state| (format!("follow_up.{state}"), format!("/follow_ups/{state}")));
    let mut said = none_of(counted, &[UNFOLLOWED, REPLY]);
    for (name, place) in named.into_iter().chain(outcomes).chain(states) {
        said.insert(name, number(total.pointer(&place)));
    }
    for (reason, count) in total["calls"]["not_followed_up"].as_object().into_iter().flatten() {
        said.insert(format!("{UNFOLLOWED}{reason}"), number(Some(count)));
    }
    for (place, time) in answer["reply_times"].as_array().into_iter().flatten().enumerate() {
        said.insert(format!("{REPLY}{place}"), number(time.get("replies")));
    }
    said
}

/// The counters by which the messages of a usage and their cost are called. A purpose without messages is left out of it.
fn of_usage(answer: &Value, counted: &Counters) -> Counters {
    let total = &answer["total"];
    let mut said = none_of(counted, &[REPORTED, ESTIMATED]);
    for purpose in purposes() {
        let mut messages = total["messages"].as_array().into_iter().flatten();
        let used = messages.find(|used| used["purpose"] == purpose);
        for state in STATES {
            let count = used.map_or(0, |used| number(used.get(state)));
            said.insert(format!("{purpose}.{state}"), count);
        }
    }
    let cost = &total["cost"];
    for (name, field) in [(FREE, "free"), (UNKNOWN, "unknown")] {
        said.insert(name.to_owned(), number(cost.get(field)));
    }
    for spent in cost["currencies"].as_array().into_iter().flatten() {
        let currency = spent["currency"].as_str().unwrap_or_default();
        for (name, field) in [(REPORTED, "reported"), (ESTIMATED, "estimated")] {
            let amount = spent[field].as_str().and_then(|text| Money::reported(text, currency));
            said.insert(
                format!("{name}{currency}"),
                amount.map_or(u64::MAX, |money| money.millionths),
            );
        }
    }
    said
}

/// Whether the parts of a report add up to its total.
fn adds_up(report: &Value) -> bool {
    let (mut total, mut sum) = (Counters::new(), Counters::new());
    flatten(&mut total, "", &report["total"]);
    for part in report["items"].as_array().into_iter().flatten() {
        flatten(&mut sum, "", &part["figures"]);
        flatten(&mut sum, "", &part["usage"]);
    }
    total == sum
}

/// Figures whose parts do not add up: medians, and what is unknown of a cost, as the segments of an SMS may be reported in a later hour.
const NO_SUMS: [&str; 2] = ["/median_reply", "/cost/unknown"];

/// Adds the numbers and amounts in a part of a report by their names. Amounts are decimal numbers, and are added in millionths.
fn flatten(sum: &mut Counters, name: &str, part: &Value) {
    let mut add = |count: u64| {
        if count > 0 {
            *sum.entry(name.to_owned()).or_default() += count;
        }
    };
    match part {
        Value::Number(number) => add(number.as_u64().unwrap_or_default()),
        Value::String(text) => add(text.parse::<Rate>().map_or(0, Rate::millionths)),
        Value::Object(fields) => {
            for (field, part) in fields {
                let name = format!("{name}/{field}");
                if !NO_SUMS.contains(&name.as_str()) {
                    flatten(sum, &name, part);
                }
            }
        }
        Value::Array(parts) => {
            for part in parts {
                // Of a purpose, a currency, or a channel.
                let of = ["purpose", "currency", "channel"].map(|field| api::word(&part[field]));
                let of = of.into_iter().flatten().collect::<String>();
                flatten(sum, &format!("{name}/{of}"), part);
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use domain::message::Ended;
    use serde_json::json;

    use super::*;

    const CONTACT: &str = "01m7w3h8g0yee2bzz05vbpakr3";
    const OWN: &str = "01m7w3h8g18hg3h1n2etht86ah";
    const AT: &str = "2026-11-20T09:00:00Z";
    const CONNECTION: &str = "conn_01hq5bakery0000000000000w1";

    /// A message with one attempt by this channel.
    fn sent(channel: &str, state: &str, cost: &Value) -> Message {
        serde_json::from_value(json!({
            "id": format!("msg_{CONTACT}{OWN}"),
            "cause": { "call": format!("call_{CONTACT}{OWN}") },
            "policy": { "purpose": "follow_up", "category": "utility", "fallback_after_seconds": 0 },
            "to": { "phone": "+971501234567" },
            "plan": [{ "channel": channel, "connection": CONNECTION, "content": { "text": "Hello" } }],
            "attempts": [{
                "number": 1, "leg": 0, "tries": 1, "claim": "1", "state": state, "claimed_at": AT, "provider_ref": "wamid.1",
                "cost": cost,
            }],
            "not_before": AT, "created_at": AT, "correlation_id": "1", "version": 1,
        }))
        .expect("a message of the domain")
    }

    fn message(state: &str) -> Message {
        sent("whatsapp", state, &Value::Null)
    }

    fn counted(counters: &[(&str, u64)]) -> Counters {
        let counters = counters.iter().map(|(name, count)| ((*name).to_owned(), *count));
        counters.collect()
    }

    const ACCEPTED: [(&str, u64); 4] = [
        ("messages", 1),
        ("accepted_whatsapp", 1),
        ("follow_up.planned", 1),
        ("follow_up.accepted", 1),
    ];

    const READ: [(&str, u64); 9] = [
        ("messages", 1),
        ("accepted_whatsapp", 1),
        ("delivered_whatsapp", 1),
        ("read_whatsapp", 1),
        ("cost.meta.AE.utility", 1),
        ("follow_up.planned", 1),
        ("follow_up.accepted", 1),
        ("follow_up.delivered", 1),
        ("follow_up.read", 1),
    ];

    /// Nothing else counts as right: each counter is checked to be wrong if it is one higher or missing.
    fn only(truth: &Truth, right: &[(&str, u64)]) {
        let right = counted(right);
        assert_eq!(truth.wrong(&right), Vec::<String>::new());
        for (name, count) in &right {
            for wrong in [0, count + 1] {
                let mut counters = right.clone();
                counters.insert(name.clone(), wrong);
                assert!(!truth.wrong(&counters).is_empty(), "{wrong} {name}");
            }
        }
    }

    #[test]
    fn every_wrong_counter_is_detected() {
        let mut truth = Truth::default();
        truth.message(&message("read"));
        only(&truth, &READ);
        let more = counted(&[("received_sms", 1), ("recovered", 1), ("cost.meta.ZZ.other", 1)]);
        assert_eq!(Truth::default().wrong(&more).len(), 3);
    }

    /// Also of the template that carried it.
    #[test]
    fn wrong_counters_of_a_template_are_detected() {
        let mut message = message("read");
        let template = json!({ "template": { "name": "missed_call", "language": "en", "edition": 2 } });
        message.plan[0].content = serde_json::from_value(template).expect("content of the domain");
        let id = format!("{CONNECTION}.missed_call.en").parse().expect("an id");
        let own = ["sent", "delivered", "read", "cost.meta.AE.utility"].map(|name| of_template(&id, name));
        let own = own.each_ref().map(|name| (name.as_str(), 1));
        let mut truth = Truth::default();
        truth.message(&message);
        only(&truth, &[&READ[..], &own[..]].concat());
        message.attempts[0].state = AttemptState::Failed;
        let mut truth = Truth::default();
        truth.message(&message);
        let failed = of_template(&id, "failed.unknown");
        let sent = of_template(&id, "sent");
        let right = |times: u64| {
            let own = [("failed_whatsapp", 1), (failed.as_str(), times), (sent.as_str(), 1)];
            counted(&[&ACCEPTED[..], &own[..]].concat())
        };
        assert_eq!(truth.wrong(&right(1)), Vec::<String>::new());
        assert_eq!(
            truth.wrong(&right(2)),
            Vec::<String>::new(),
            "a refused attempt is replaced"
        );
        assert_eq!(truth.wrong(&right(0)).len(), 1);
    }

    fn call(change: &Value) -> Call {
        let mut call = json!({
            "id": format!("call_{CONTACT}{OWN}"), "connection": CONNECTION, "provider": "telephony", "provider_call_id": "1",
            "facts": {}, "outcome": "missed", "decided_at": AT, "decision": "no message", "reason": "cooldown",
            "grounds": { "config_version": 1, "new_caller": true, "open": true, "opted_in": false, "opted_out": false },
            "correlation_id": "1",
        });
        crate::play::merge(&mut call, change.clone());
        serde_json::from_value(call).expect("a call of the domain")
    }

    fn of_call(change: &Value) -> Truth {
        let mut truth = Truth::default();
        truth.call(&call(change));
        truth
    }

    #[test]
    fn wrong_counters_of_a_call_are_detected() {
        let message = json!({ "message": format!("msg_{CONTACT}{OWN}"), "reason": "follow_up", "recovered": 1 });
        only(
            &of_call(&message),
            &[
                ("calls", 1),
                ("calls_missed", 1),
                ("calls_unanswered", 1),
                ("calls_followed_up", 1),
                ("recovered", 1),
            ],
        );
        only(
            &of_call(&json!({})),
            &[
                ("calls", 1),
                ("calls_missed", 1),
                ("calls_unanswered", 1),
                ("calls_without_message", 1),
                ("unfollowed.cooldown", 1),
            ],
        );
        for answered in [json!({ "outcome": "answered" }), json!({ "outcome": "failed" })] {
            let outcome = format!("calls_{}", call(&answered).outcome.as_str());
            only(
                &of_call(&answered),
                &[("calls", 1), ("calls_without_message", 1), (outcome.as_str(), 1)],
            );
        }
        only(
            &of_call(&json!({ "facts": { "direction": "outbound" } })),
            &[("calls", 1), ("calls_without_message", 1), ("calls_missed", 1)],
        );
    }

    /// Before, it was another outcome, for which there was no message either.
    #[test]
    fn call_that_was_decided_again_has_bounds() {
        let because = json!({ "code": "decided_again", "facts": { "before": "unknown_outcome" } });
        let truth = of_call(&json!({
            "message": format!("msg_{CONTACT}{OWN}"), "reason": "follow_up", "decided_again": 1,
            "remarks": [{ "at": AT, "text": "decided again", "because": because }],
        }));
        let certain = [
            ("calls", 1),
            ("calls_decided_again", 1),
            ("calls_without_message", 1),
            ("calls_followed_up", 1),
            ("calls_missed", 1),
            ("calls_unanswered", 1),
        ];
        let with = |more: &[(&str, u64)]| counted(&[&certain[..], more].concat());
        for fine in [
            &[("calls_unknown", 1)][..],
            &[("calls_answered", 1)],
            &[("calls_busy", 1), ("unfollowed.unknown_outcome", 1)],
        ] {
            assert_eq!(truth.wrong(&with(fine)), Vec::<String>::new());
        }
        for wrong in [
            &[][..],
            &[("calls_unknown", 2)],
            &[("calls_unknown", 1), ("calls_busy", 1)],
            &[("calls_unknown", 1), ("unfollowed.cooldown", 1)],
            &[("calls_unknown", 1), ("unfollowed.unknown_outcome", 2)],
        ] {
            assert!(!truth.wrong(&with(wrong)).is_empty(), "{wrong:?}");
        }
        for name in certain.map(|(name, _)| name) {
            let mut counters = with(&[("calls_unknown", 1)]);
            counters.insert(name.to_owned(), 0);
            assert!(!truth.wrong(&counters).is_empty(), "{name}");
        }
    }

    #[test]
    fn wrong_counters_of_what_customers_wrote_are_detected() {
        let received = json!({
            "id": format!("msg_{CONTACT}{OWN}"), "connection": CONNECTION, "correlation_id": "1",
            "message": {
                "channel": "whatsapp", "provider_ref": "wamid.2", "from": { "phone": "+971501234567" }, "at": AT, "kind": "text",
                "text": "Hello", "opens_window": true,
            },
            "recovered": 2, "answers_after": [15, 16, 700_000],
            "templates": [{ "of": { "template": format!("{CONNECTION}.order.en") }, "replied": true, "clicked": true }],
        });
        let mut truth = Truth::default();
        truth.received(&serde_json::from_value(received).expect("a customer's message of the domain"));
        // What is answered was sent before.
        truth.between("follow_up.accepted", (0, 2));
        let id = format!("{CONNECTION}.order.en").parse().expect("an id");
        let [replied, clicked] = ["replied", "clicked"].map(|name| of_template(&id, name));
        let right = [
            (replied.as_str(), 1),
            (clicked.as_str(), 1),
            ("received_whatsapp", 1),
            ("recovered", 2),
            ("reply.0", 1),
            ("reply.1", 1),
            ("follow_up.accepted", 2),
        ];
        assert_eq!(truth.wrong(&counted(&right)), Vec::<String>::new());
        for place in 0..right.len() {
            let mut wrong = right;
            wrong[place].1 -= 1;
            assert_eq!(truth.wrong(&counted(&wrong)).len(), 1, "{}", right[place].0);
        }
    }

    #[test]
    fn only_what_customers_refuse_is_an_opt_out() {
        let entry = |by: &str, more: Value| {
            let mut entry = json!({ "at": AT, "choice": "refused", "by": by, "source": "said so" });
            crate::play::merge(&mut entry, more);
            let mut truth = Truth::default();
            truth.consent(&serde_json::from_value(entry).expect("an entry of the ledger"));
            truth
        };
        let marketing = json!({ "category": "marketing" });
        for (truth, right) in [
            (entry("keyword", json!({})), &[("opt_outs", 1)][..]),
            (entry("page", json!({ "category": "utility" })), &[("opt_outs", 1)]),
            (entry("provider", marketing.clone()), &[("opt_outs_marketing", 1)]),
            (entry("key", marketing), &[]),
            (entry("keyword", json!({ "repeats": true })), &[]),
            (entry("keyword", json!({ "choice": "lifted" })), &[]),
        ] {
            only(&truth, right);
        }
    }

    #[test]
    fn wrong_costs_are_detected() {
        let cost = |category: &str, billable: Option<bool>, units: u32| json!({ "category": category, "billable": billable, "units": units });
        let by_sms = |cost: Value| {
            let mut truth = Truth::default();
            truth.message(&sent("sms", "accepted", &cost));
            truth
        };
        let accepted = [
            ("messages", 1),
            ("accepted_sms", 1),
            ("follow_up.planned", 1),
            ("follow_up.accepted", 1),
        ];
        let billed = [&accepted[..], &[("billed_sms", 1), ("cost.sms.AE.sms", 3)]].concat();
        only(&by_sms(cost("sms", Some(true), 3)), &billed);
        only(&by_sms(Value::Null), &accepted);
        let by_whatsapp = |cost: Value| {
            let mut truth = Truth::default();
            truth.message(&sent("whatsapp", "read", &cost));
            truth
        };
        let billed = [&READ[..], &[("billed_whatsapp", 1)]].concat();
        only(&by_whatsapp(cost("utility", Some(true), 1)), &billed);
        // The report that it was read may have come first.
        let without: Vec<_> = READ.into_iter().filter(|(name, _)| !name.starts_with("cost")).collect();
        for priced in ["cost.meta.AE.utility", "free.meta"] {
            let counters = counted(&[&without[..], &[(priced, 1)]].concat());
            let truth = by_whatsapp(cost("utility", Some(false), 1));
            assert_eq!(truth.wrong(&counters), Vec::<String>::new());
        }
    }

    #[test]
    fn message_that_failed_may_have_failed_before() {
        let mut truth = Truth::default();
        let mut failed = message("failed");
        failed.ended = Some(Ended::Failed("no channel is left".to_owned()));
        truth.message(&failed);
        let with = |count: u64| {
            let mut counters = counted(&ACCEPTED);
            for name in ["follow_up.failed", "messages_failed", "failed_whatsapp"] {
                counters.insert(name.to_owned(), count);
            }
            counters
        };
        assert_eq!(truth.wrong(&with(0)).len(), 3);
        for fine in [1, 2] {
            assert_eq!(truth.wrong(&with(fine)), Vec::<String>::new());
        }
    }

    #[test]
    fn erased_message_has_bounds_unless_it_had_come_to_rest() {
        let mut truth = Truth::default();
        truth.cut_off(&message("accepted"));
        let billed = counted(&[&READ[..], &[("billed_whatsapp", 1)]].concat());
        for fine in [&counted(&ACCEPTED), &counted(&READ), &billed] {
            assert_eq!(truth.wrong(fine), Vec::<String>::new());
        }
        let mut twice = counted(&READ);
        twice.insert("follow_up.accepted".to_owned(), 2);
        assert_eq!(truth.wrong(&twice).len(), 1);
        assert_eq!(truth.wrong(&Counters::new()).len(), ACCEPTED.len());

        let mut rested = Truth::default();
        rested.erased(&message("read"));
        for fine in [&counted(&READ), &billed] {
            assert_eq!(rested.wrong(fine), Vec::<String>::new());
        }
        assert_eq!(rested.wrong(&counted(&ACCEPTED)).len(), READ.len() - ACCEPTED.len());
        let mut sms = Truth::default();
        sms.erased(&sent("sms", "delivered", &Value::Null));
        let certain = [
            ("messages", 1),
            ("accepted_sms", 1),
            ("delivered_sms", 1),
            ("follow_up.planned", 1),
            ("follow_up.accepted", 1),
            ("follow_up.delivered", 1),
        ];
        let billed = [&certain[..], &[("billed_sms", 1), ("cost.sms.AE.sms", 1)]].concat();
        for fine in [&certain[..], &billed[..]] {
            assert_eq!(sms.wrong(&counted(fine)), Vec::<String>::new());
        }
        let too_long = [&certain[..], &[("billed_sms", 1), ("cost.sms.AE.sms", 2)]].concat();
        assert_eq!(sms.wrong(&counted(&too_long)).len(), 1);
    }

    #[test]
    fn counters_that_contradict_each_other_are_detected() {
        let mut truth = Truth::default();
        for name in ["calls", "calls_missed", "reply.3", "follow_up.accepted"] {
            truth.between(name, (0, 9));
        }
        assert!(truth.wrong(&counted(&[("calls", 2), ("calls_missed", 2)])).is_empty());
        assert_eq!(truth.wrong(&counted(&[("calls", 2), ("calls_missed", 1)])).len(), 1);
        assert_eq!(
            truth
                .wrong(&counted(&[("reply.3", 2), ("follow_up.accepted", 1)]))
                .len(),
            1
        );
    }

    #[test]
    fn reports_that_do_not_add_up_are_detected() {
        let report = |parts: [u64; 2]| {
            let used = |read: u64| json!({ "messages": [{ "purpose": "api", "read": read }] });
            json!({ "total": used(3), "items": parts.map(|read| json!({ "usage": used(read) })) })
        };
        assert!(adds_up(&report([1, 2])) && adds_up(&report([0, 3])));
        assert!(!adds_up(&report([1, 1])));
        let metrics = || {
            let calls = |all: u64, unknown: u64| json!({ "all": all, "outcomes": { "unknown": unknown } });
            let figures = json!({ "calls": calls(2, 1), "median_reply": { "from_seconds": 1, "to_seconds": 2 } });
            json!({ "total": { "calls": calls(2, 1), "median_reply": null }, "items": [{ "figures": figures }] })
        };
        assert!(adds_up(&metrics()));
        for place in ["/items/0/figures/calls/all", "/items/0/figures/calls/outcomes/unknown"] {
            let mut metrics = metrics();
            *metrics.pointer_mut(place).expect("a figure") = json!(3);
            assert!(!adds_up(&metrics), "{place}");
        }
    }

    /// Each figure of a cost, changed in a part.
    #[test]
    fn costs_that_do_not_add_up_are_detected() {
        let of = |[amount, reported, estimated]: [&str; 3]| json!({ "amount": amount, "reported": reported, "estimated": estimated });
        let with = |mut of: Value, field: &str, value: Value| {
            of[field] = value;
            of
        };
        let currency = |code: &str, whatsapp: [&str; 3], sms: [&str; 3], sum: [&str; 3]| {
            let channels = [("whatsapp", whatsapp), ("sms", sms)];
            let channels = channels.map(|(channel, spent)| with(of(spent), "channel", channel.into()));
            with(with(of(sum), "channels", json!(channels)), "currency", code.into())
        };
        let used = |free: u64, unknown: u64, currencies: &[Value]| {
            let cost = json!({ "currencies": currencies, "free": free, "unknown": unknown });
            json!({ "messages": [], "cost": cost })
        };
        let none = ["0.0000"; 3];
        let estimated = ["0.0314", "0.0000", "0.0314"];
        let little = ["0.000001", "0.000001", "0.0000"];
        let much = ["9.9700", "9.9700", "0.0000"];
        let euros = currency("EUR", little, none, little);
        let parts = [
            used(1, 2, &[currency("USD", estimated, none, estimated)]),
            used(4, 0, &[euros.clone(), currency("USD", none, much, much)]),
        ];
        // An SMS that was unknown in its hour.
        let sum = ["10.0014", "9.9700", "0.0314"];
        let total = used(5, 1, &[euros, currency("USD", estimated, much, sum)]);
        let report = json!({ "total": total, "items": parts.map(|used| json!({ "usage": used })) });
        assert!(adds_up(&report));
        for (place, wrong) in [
            ("free", json!(5)),
            ("currencies", json!([])),
            ("currencies/0/currency", json!("SAR")),
            ("currencies/0/reported", json!("0.000002")),
            ("currencies/1/amount", json!("9.97")),
            ("currencies/1/amount", json!("9.9701")),
            ("currencies/1/estimated", json!("0.0001")),
            ("currencies/1/channels/1/channel", json!("whatsapp")),
            ("currencies/1/channels/1/amount", Value::Null),
            ("currencies/1/channels/0/reported", json!("1.0000")),
        ] {
            let mut report = report.clone();
            let figure = report.pointer_mut(&format!("/items/1/usage/cost/{place}"));
            *figure.expect("a figure") = wrong.clone();
            // The same amount, written otherwise.
            assert_eq!(adds_up(&report), wrong == "9.97", "{place} {wrong}");
        }
    }

    fn states(read: u64) -> Value {
        json!({ "planned": 0, "accepted": 0, "delivered": 0, "read": read, "failed": 0, "blocked": 0, "cancelled": 0 })
    }

    /// Each figure of the metrics, changed.
    #[test]
    fn metrics_that_differ_from_counters_are_detected() {
        let mut counters = counted(&[
            ("calls", 2),
            ("calls_missed", 2),
            ("calls_unanswered", 2),
            ("calls_followed_up", 1),
            ("unfollowed.cooldown", 1),
            ("recovered", 1),
            ("follow_up.read", 1),
            ("reply.1", 1),
            ("received_sms", 1),
            ("opt_outs", 1),
        ]);
        counters.insert(REPLIES.to_owned(), 1);
        let mut follow_ups = states(1);
        follow_ups["replied"] = 1.into();
        let answer = json!({
            "total": {
                "calls": {
                    "all": 2, "unanswered": 2, "followed_up": 1, "not_followed_up": { "cooldown": 1 },
                    "outcomes": {
                        "answered": 0, "missed": 2, "busy": 0, "abandoned": 0, "voicemail": 0, "after_hours": 0, "failed": 0,
                        "unknown": 0,
                    },
                },
                "follow_ups": follow_ups, "recovered": 1, "received": { "whatsapp": 0, "sms": 1 },
                "opt_outs": { "messages": 1, "marketing": 0 }, "conversions": { "all": 0 },
            },
            "reply_times": [{ "replies": 0 }, { "replies": 1 }],
        });
        let wrong = |answer: &Value| disagreements(&of_metrics(answer, &counters), &counters).len();
        assert_eq!(wrong(&answer), 0);
        for place in [
            "/total/calls/all",
            "/total/calls/unanswered",
            "/total/calls/followed_up",
            "/total/calls/not_followed_up/cooldown",
            "/total/calls/outcomes/missed",
            "/total/calls/outcomes/busy",
            "/total/follow_ups/read",
            "/total/follow_ups/replied",
            "/total/recovered",
            "/total/received/sms",
            "/total/opt_outs/messages",
            "/total/opt_outs/marketing",
            "/total/conversions/all",
            "/reply_times/0/replies",
        ] {
            for other in [json!(3), Value::Null] {
                let mut answer = answer.clone();
                *answer.pointer_mut(place).expect("a figure") = other;
                assert_eq!(wrong(&answer), 1, "{place}");
            }
        }
        // What is left out.
        for (place, empty) in [("/total/calls/not_followed_up", json!({})), ("/reply_times", json!([]))] {
            let mut answer = answer.clone();
            *answer.pointer_mut(place).expect("figures") = empty;
            assert_eq!(wrong(&answer), 1, "{place}");
        }
    }

    #[test]
    fn usage_that_differs_from_counters_is_detected() {
        let book: PriceBook = serde_json::from_value(json!({ "version": "1", "lists": [{
            "service": "whatsapp", "from": "2026-10-01", "certainty": "vendor", "source": "offer",
            "markets": [{ "name": "A market", "countries": ["AE"], "currency": "USD", "prices": { "utility": "0.0157" } }],
        }] }))
        .expect("prices");
        let mut counters = counted(&[
            ("api.read", 3),
            ("follow_up.read", 1),
            ("cost.meta.AE.utility", 3),
            ("cost.sms.AE.sms", 2),
            ("paid.meta.EUR", 48_000),
            ("free.meta", 5),
            ("accepted_sms", 2),
            ("billed_sms", 1),
        ]);
        let sums = sums(&counters, &book, AT.parse().expect("a time"));
        let expected = counted(&[
            (REPLIES, 0),
            (FREE, 5),
            (UNKNOWN, 3),
            ("reported cost in EUR", 48_000),
            ("estimated cost in USD", 47_100),
        ]);
        assert_eq!(sums, expected);
        counters.extend(sums);
        let used = |purpose: &str, read: u64| {
            let mut used = states(read);
            used["purpose"] = purpose.into();
            used
        };
        let spent = |currency: &str, reported: &str, estimated: &str| json!({ "currency": currency, "reported": reported, "estimated": estimated });
        let answer = json!({ "total": {
            "messages": [used("follow_up", 1), used("api", 3)],
            "cost": {
                "free": 5, "unknown": 3,
                "currencies": [spent("EUR", "0.0480", "0.0000"), spent("USD", "0.0000", "0.0471")],
            },
        } });
        let wrong = |answer: &Value| disagreements(&of_usage(answer, &counters), &counters).len();
        assert_eq!(wrong(&answer), 0);
        for (place, other, count) in [
            ("/total/messages/1/read", json!(2), 1),
            ("/total/messages", json!([]), 2),
            ("/total/cost/free", json!(6), 1),
            ("/total/cost/unknown", json!(2), 1),
            ("/total/cost/currencies/1/estimated", json!("0.0472"), 1),
            ("/total/cost/currencies/0/reported", json!("0.0000"), 1),
            ("/total/cost/currencies/0/reported", Value::Null, 1),
            ("/total/cost/currencies", json!([]), 2),
        ] {
            let mut answer = answer.clone();
            *answer.pointer_mut(place).expect("a figure") = other;
            assert_eq!(wrong(&answer), count, "{place}");
        }
    }
}
