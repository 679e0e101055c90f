//! Counting of changes: the names of the counters that a change of a row raises, and the meaning of a name.
//!
//! Names are made of fixed words, of countries and of currencies in use, so an hour has a bounded number of them. A change is counted when
//! it is stored, not when it happened: so a counter only ever grows.

use jiff::{SignedDuration, Timestamp};

use crate::calls::{Call, Received};
use crate::messages::{
    Attempt, AttemptState, Content, Cost, Leg, Message, MessageState, TemplateEdition, sms_segments,
};
use crate::money::{Currency, Money, PriceCategory};
use crate::people::ConsentEntry;
use crate::terms::{Category, Channel, Country, PURPOSE_TABLE, Purpose, Reason, Recipient};

/// A counter, and the number to add to it.
pub type Raise = (String, u64);

/// Upper bounds of reply times, in seconds: each at most two and a half times the one before it. A reply later than the last one is none.
pub const REPLY_TIMES: [u32; 18] = [
    15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200, 86_400, 172_800, 259_200, 432_000,
    604_800,
];

/// The place of a reply time in [`REPLY_TIMES`]: of the first bound that is not exceeded.
pub fn reply_bucket(seconds: u32) -> Option<usize> {
    REPLY_TIMES.iter().position(|bound| seconds <= *bound)
}

/// Providers report whole seconds, by clocks of their own.
const SKEW: SignedDuration = SignedDuration::from_secs(5);

/// Whether a message of the customer was written after one of ours was sent.
pub fn is_written_after(sent: Timestamp, written: Timestamp) -> bool {
    sent <= written + SKEW
}

/// Time between a follow-up and a message that answers it, in seconds. `None` if the message was written before, or too long after.
pub fn reply_time(sent: Timestamp, written: Timestamp) -> Option<u32> {
    let after = written.duration_since(sent).as_secs().max(0);
    let seconds = u32::try_from(after).ok().filter(|_| is_written_after(sent, written));
    seconds.filter(|seconds| reply_bucket(*seconds).is_some())
}

/// Channel and provider of a message, as far as its price depends on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Carrier {
    /// WhatsApp through Meta's API.
    Meta,
    /// WhatsApp through Twilio.
    Twilio,
    /// SMS through Twilio.
    Sms,
}

words! {
    /// The word in counters.
    Carrier {
        Meta = "meta",
        Twilio = "twilio",
        Sms = "sms",
    }
}

impl Carrier {
    /// The channel of what is carried so.
    pub const fn channel(self) -> Channel {
        match self {
            Self::Meta | Self::Twilio => Channel::WhatsApp,
            Self::Sms => Channel::Sms,
        }
    }

    fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }

    /// The carrier of a leg before there is an attempt. `by_twilio`: the leg's connection is one of Twilio.
    const fn of_planned_leg(leg: &Leg, by_twilio: bool) -> Self {
        match leg.channel {
            Channel::Sms => Self::Sms,
            Channel::WhatsApp if by_twilio => Self::Twilio,
            Channel::WhatsApp => Self::Meta,
        }
    }

    fn of(attempt: &Attempt, leg: &Leg) -> Self {
        // The ids that Meta gives messages; Twilio gives its own.
        let by_meta = |attempt: &Attempt| {
            let reference = attempt.provider_ref.as_ref();
            reference.is_none_or(|reference| reference.as_str().starts_with("wamid."))
        };
        match leg.channel {
            Channel::Sms => Self::Sms,
            Channel::WhatsApp if by_meta(attempt) => Self::Meta,
            Channel::WhatsApp => Self::Twilio,
        }
    }
}

/// Messages, or segments of SMS, whose price depends on a list because no provider states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Listed {
    pub carrier: Carrier,
    /// Country of the recipients, if it is known.
    pub country: Option<Country>,
    pub category: PriceCategory,
}

/// Calls that nobody answered, that are followed up, and whose message a cap or a failure stopped.
pub const UNANSWERED: &str = "calls_unanswered";
/// See [`UNANSWERED`].
pub const FOLLOWED_UP: &str = "calls_followed_up";
/// See [`UNANSWERED`].
pub const STOPPED: &str = "calls_stopped";

/// Calls and messages that recovered a missed call. Counts in the hour of the call or message.
pub const RECOVERED: &str = "recovered";

/// End of the names of counters for calls that were counted and no longer match, since counters only grow.
pub const UNDONE: &str = "_undone";

const LISTED: &str = "cost.";
const PAID: &str = "paid.";
const UNFOLLOWED: &str = "unfollowed.";
const FREE: &str = "free.";
const REPLY: &str = "reply.";

/// The word in counters for a country that is not known.
const NOWHERE: &str = "ZZ";

impl Listed {
    /// The kind of a leg's message, as far as it is known before it is sent, and its number of segments.
    pub fn of_planned_leg(leg: &Leg, by_twilio: bool, category: Category, to: &Recipient) -> (Self, u32) {
        let (category, units) = match (leg.channel, &leg.content) {
            (Channel::Sms, Content::Text(text)) => (PriceCategory::Sms, sms_segments(text)),
            (Channel::Sms, _) => (PriceCategory::Sms, 1),
            (Channel::WhatsApp, Content::Template(_)) => (PriceCategory::of(category.as_str()), 1),
            (Channel::WhatsApp, _) => (PriceCategory::Service, 1),
        };
        let listed = Self {
            carrier: Carrier::of_planned_leg(leg, by_twilio),
            country: to.country(),
            category,
        };
        (listed, units)
    }

    /// The counter of their number.
    pub fn name(self) -> String {
        let country = self.country.as_ref().map_or(NOWHERE, Country::as_str);
        let (carrier, category) = (self.carrier.as_str(), self.category.as_str());
        format!("{LISTED}{carrier}.{country}.{category}")
    }

    fn read(words: &str) -> Option<Self> {
        let (carrier, rest) = words.split_once('.')?;
        let (country, category) = rest.split_once('.')?;
        Some(Self {
            carrier: Carrier::read(carrier)?,
            country: country.parse().ok().filter(|_| country != NOWHERE),
            category: PriceCategory::of(category),
        })
    }
}

/// Meaning of a counter's name that is more than a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Counter<'a> {
    /// Messages of a purpose that reached a state.
    Messages {
        purpose: &'a str,
        state: &'a str,
    },
    /// Replies within the bound at this place of [`REPLY_TIMES`], and not within the one before.
    Replies(usize),
    /// Messages, or segments of SMS, whose price depends on a list.
    Listed(Listed),
    /// Prices as providers state them, in millionths of a currency's unit.
    Paid(Carrier, Currency),
    /// Calls that nobody answered and no message followed, for this reason.
    Unfollowed(&'a str),
    /// Messages that the provider does not bill.
    Free,
    Word(&'a str),
}

impl<'a> Counter<'a> {
    pub fn read(name: &'a str) -> Self {
        let after = |prefix: &str| name.strip_prefix(prefix);
        let listed = || after(LISTED).and_then(Listed::read).map(Self::Listed);
        let paid = || {
            let (carrier, currency) = after(PAID)?.split_once('.')?;
            Some(Self::Paid(Carrier::read(carrier)?, currency.parse().ok()?))
        };
        let unfollowed = || after(UNFOLLOWED).map(Self::Unfollowed);
        let free = || after(FREE).map(|_| Self::Free);
        let reply = || after(REPLY)?.parse().ok().map(Self::Replies);
        let known = listed().or_else(paid).or_else(unfollowed).or_else(free).or_else(reply);
        let of_purpose = || {
            let (purpose, state) = name.split_once('.')?;
            Some(Self::Messages { purpose, state })
        };
        known.or_else(of_purpose).unwrap_or(Self::Word(name))
    }
}

fn one(name: impl Into<String>) -> Raise {
    (name.into(), 1)
}

fn outcome(call: &Call) -> Raise {
    one(format!("calls_{}", call.outcome.as_str()))
}

fn count_recovered(count: u32) -> Option<Raise> {
    (count > 0).then(|| (RECOVERED.to_owned(), count.into()))
}

/// A call was decided. Whether it is followed up, its message says: [`count_call`].
pub fn count_decided(call: &Call) -> Vec<Raise> {
    let mut raised = vec![one("calls"), outcome(call)];
    raised.extend(call.message.is_none().then(|| one("calls_without_message")));
    raised.extend(count_unanswered(call));
    raised.extend(count_recovered(call.recovered));
    raised
}

/// Counts a call that nobody answered, also by the reason why no message follows it.
fn count_unanswered(call: &Call) -> Vec<Raise> {
    if !call.is_missed() {
        return Vec::new();
    }
    let reason = Reason::named(&call.reason).filter(|_| call.message.is_none());
    let reason = reason.map(|reason| one(format!("{UNFOLLOWED}{}", reason.as_str())));
    [one(UNANSWERED)].into_iter().chain(reason).collect()
}

/// A call was decided again. Counters only grow, so it counts for two outcomes.
pub fn count_decided_again(before: &Call, after: &Call) -> Vec<Raise> {
    let mut raised = vec![one("calls_decided_again"), outcome(after)];
    match (before.is_missed(), after.is_missed()) {
        (false, _) => raised.extend(count_unanswered(after)),
        (true, false) => raised.push(one(format!("{UNANSWERED}{UNDONE}"))),
        (true, true) => {}
    }
    raised.extend(count_recovered(after.recovered.saturating_sub(before.recovered)));
    raised
}

/// A customer's message was stored.
pub fn count_received(received: &Received) -> Vec<Raise> {
    let mut raised = vec![one(format!("received_{}", received.message.channel.as_str()))];
    raised.extend(count_recovered(received.recovered));
    let buckets = received
        .answers_after
        .iter()
        .filter_map(|seconds| reply_bucket(*seconds));
    raised.extend(buckets.map(|bucket| one(format!("{REPLY}{bucket}"))));
    raised
}

/// Counts a customer's message for the templates that it answers.
pub fn count_answered_templates(received: &Received) -> impl Iterator<Item = (&TemplateEdition, Raise)> {
    received.templates.iter().flat_map(|answered| {
        let counted = [(answered.replied, REPLIED), (answered.clicked, CLICKED)];
        let counted = counted.into_iter().filter(|(is, _)| *is);
        counted.map(move |(_, name)| (&answered.of, one(name)))
    })
}

/// A refusal was recorded, at this time.
pub fn count_refused(entry: &ConsentEntry, recorded: Timestamp) -> Vec<Raise> {
    use crate::people::ConsentCategory::Marketing;
    let name = match entry.category {
        Some(Marketing) => "opt_outs_marketing",
        Some(_) | None => "opt_outs",
    };
    entry.is_opt_out(recorded).then(|| one(name)).into_iter().collect()
}

/// The states that an attempt has passed through, including those it skipped.
fn steps(attempt: &Attempt) -> Vec<&'static str> {
    let mut steps = Vec::new();
    if attempt.provider_ref.is_some() {
        steps.push("accepted");
    }
    if attempt.state.rank() >= AttemptState::Delivered.rank() {
        steps.push("delivered");
    }
    match attempt.state {
        AttemptState::Read => steps.push("read"),
        AttemptState::Failed => steps.push("failed"),
        AttemptState::Refused => steps.push("refused"),
        _ => {}
    }
    if attempt.cost.as_ref().is_some_and(|cost| cost.billable == Some(true)) {
        steps.push("billed");
    }
    steps
}

/// The states that a message has passed through on any channel, and how it ended.
fn states(message: &Message) -> Vec<&'static str> {
    let any = |has: fn(&Attempt) -> bool| message.attempts.iter().any(has);
    let mut states = vec!["planned"];
    states.extend(any(|attempt| attempt.provider_ref.is_some()).then_some("accepted"));
    states.extend(message.was_delivered().then_some("delivered"));
    states.extend(any(|attempt| attempt.state == AttemptState::Read).then_some("read"));
    // Judged by its state, not only by its end: a message that was sent and then cancelled only lost its other channels.
    states.extend(match message.state() {
        MessageState::Cancelled => Some("cancelled"),
        MessageState::Blocked => Some("blocked"),
        MessageState::Failed => Some("failed"),
        _ => None,
    });
    states
}

/// The price of an attempt, once it is known: nothing if Meta, which bills what it delivers, could not deliver it.
pub(crate) fn charge_of(message: &Message, attempt: &Attempt) -> Option<Charge> {
    let leg = message.plan.get(usize::from(attempt.leg))?;
    let carrier = Carrier::of(attempt, leg);
    let is_free = carrier == Carrier::Meta && attempt.state == AttemptState::Failed;
    charge(message, attempt, leg).or(is_free.then_some(Charge::Free(carrier)))
}

/// The price of an attempt.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Charge {
    /// The provider does not bill it.
    Free(Carrier),
    /// The provider states it.
    Stated(Carrier, Money),
    /// A list has it: of this many messages or segments.
    Listed(Listed, u32),
}

/// The price of an attempt, once it has one: of WhatsApp when the message is delivered, of SMS when the number of segments is known. Later
/// reports of the provider change nothing: an attempt is charged once.
fn charge(message: &Message, attempt: &Attempt, leg: &Leg) -> Option<Charge> {
    let carrier = Carrier::of(attempt, leg);
    let country = message.to.country();
    let stated = |cost: &Cost| cost.amount.clone().filter(|amount| amount.currency.is_in_use());
    let listed = |category, units| {
        let listed = Listed {
            carrier,
            country,
            category,
        };
        Charge::Listed(listed, units)
    };
    match (leg.channel, &attempt.cost) {
        (Channel::Sms, Some(cost)) if cost.billable == Some(true) => match stated(cost) {
            Some(amount) => Some(Charge::Stated(carrier, amount)),
            None => Some(listed(PriceCategory::Sms, cost.units)),
        },
        (Channel::Sms, _) => None,
        (Channel::WhatsApp, _) if attempt.state.rank() < AttemptState::Delivered.rank() => None,
        // Twilio does not report the category.
        (Channel::WhatsApp, None) => Some(listed(PriceCategory::of(message.policy.category().as_str()), 1)),
        (Channel::WhatsApp, Some(cost)) => Some(match (cost.billable, stated(cost)) {
            (Some(false), _) => Charge::Free(carrier),
            (Some(true), Some(amount)) => Charge::Stated(carrier, amount),
            (Some(true), None) => listed(PriceCategory::of(&cost.category), cost.units),
            (None, _) => listed(PriceCategory::Other, cost.units),
        }),
    }
}

impl Charge {
    fn into_raise(self) -> Raise {
        match self {
            Self::Free(carrier) => one(format!("{FREE}{}", carrier.as_str())),
            Self::Stated(carrier, Money { millionths, currency }) => {
                let name = format!("{PAID}{}.{}", carrier.as_str(), currency.as_str());
                (name, millionths)
            }
            Self::Listed(listed, units) => (listed.name(), units.into()),
        }
    }
}

/// The purposes as words, in the order of the table.
pub fn purpose_words() -> impl Iterator<Item = &'static str> {
    PURPOSE_TABLE.into_iter().map(|row| purpose(row.purpose))
}

/// The states of messages that are counted, as words, in their order.
pub const STATES: [&str; 7] = [
    "planned",
    "accepted",
    "delivered",
    "read",
    "failed",
    "blocked",
    "cancelled",
];

/// The word of a purpose in counters, as in rows.
const fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::FollowUp => "follow_up",
        Purpose::Reply => "reply",
        Purpose::AutoReply => "auto_reply",
        Purpose::StopConfirmation => "stop_confirmation",
        Purpose::Campaign => "campaign",
        Purpose::Order => "order",
        Purpose::Payment => "payment",
        Purpose::OneTimeCode => "one_time_code",
        Purpose::Feedback => "feedback",
        Purpose::Api => "api",
    }
}

/// News about an attempt.
struct News<'a> {
    attempt: &'a Attempt,
    leg: &'a Leg,
    /// States that it has passed through.
    steps: Vec<&'static str>,
    charge: Option<Raise>,
}

fn news<'a>(before: Option<&'a Message>, after: &'a Message) -> impl Iterator<Item = News<'a>> {
    after.attempts.iter().filter_map(move |attempt| {
        let leg = after.plan.get(usize::from(attempt.leg))?;
        let known = before.and_then(|before| {
            let known = before.attempts.iter().find(|known| known.number == attempt.number);
            known.map(|known| (before, known))
        });
        let passed = known.map(|(_, known)| steps(known)).unwrap_or_default();
        let mut steps = steps(attempt);
        steps.retain(|step| !passed.contains(step));
        let charged = known.is_some_and(|(before, known)| charge(before, known, leg).is_some());
        let charge = charge(after, attempt, leg).filter(|_| !charged);
        Some(News {
            attempt,
            leg,
            steps,
            charge: charge.map(Charge::into_raise),
        })
    })
}

/// Messages that the provider accepted. This and the next five are counters of templates, beside the counters of prices.
pub const SENT: &str = "sent";
/// Messages that were delivered.
pub const DELIVERED: &str = "delivered";
/// Messages that were read.
pub const READ: &str = "read";
/// Customers' messages that answer one.
pub const REPLIED: &str = "replied";
/// Presses of quick replies.
pub const CLICKED: &str = "clicked";
/// Beginning of the counters of attempts that were refused or given up, by the class of the error.
pub const FAILED: &str = "failed.";

/// The class of an error that is not known.
const NO_CLASS: &str = "unknown";

/// A message of ours was planned or changed: what that means for the templates that it is sent with.
pub fn count_templates(before: Option<&Message>, after: &Message) -> Vec<(TemplateEdition, Raise)> {
    let mut raised = Vec::new();
    for news in news(before, after) {
        let Some(of) = TemplateEdition::of(news.leg) else {
            continue;
        };
        let error = news.attempt.error.as_ref();
        let failed = || error.map_or(NO_CLASS, |error| error.class.as_str());
        let counted = news.steps.into_iter().filter_map(|step| match step {
            "accepted" => Some(one(SENT)),
            "delivered" => Some(one(DELIVERED)),
            "read" => Some(one(READ)),
            "failed" | "refused" => Some(one(format!("{FAILED}{}", failed()))),
            _ => None,
        });
        raised.extend(counted.chain(news.charge).map(|raise| (of.clone(), raise)));
    }
    raised
}

/// State of the follow-up after this message: whether its call is followed up, and whether a cap or a failure stopped the message. Neither,
/// if the message was sent again.
fn of_call(message: &Message) -> [bool; 2] {
    let last = message.retried_as.is_none();
    [last && message.was_accepted(), last && message.is_stopped()]
}

/// A message that follows a call was planned or changed: the time of the call, and what the call counts as in its hour. `None`: it follows no
/// call, or nothing changed for it.
pub fn count_call(before: Option<&Message>, after: &Message) -> Option<(Timestamp, Vec<Raise>)> {
    let called_at = after.called_at?;
    let was = before.map(of_call).unwrap_or_default();
    let changes = [FOLLOWED_UP, STOPPED]
        .into_iter()
        .zip(was.into_iter().zip(of_call(after)));
    let raised: Vec<Raise> = changes
        .filter_map(|(name, change)| match change {
            (false, true) => Some(one(name)),
            (true, false) => Some(one(format!("{name}{UNDONE}"))),
            _ => None,
        })
        .collect();
    (!raised.is_empty()).then_some((called_at, raised))
}

/// A message of ours was planned or changed.
pub fn count_message(before: Option<&Message>, after: &Message) -> Vec<Raise> {
    let mut raised = Vec::new();
    if after.cause.is_by_phone() {
        return raised;
    }
    if before.is_none() {
        raised.push(one("messages"));
    }
    for News { leg, steps, charge, .. } in news(before, after) {
        raised.extend(
            steps
                .into_iter()
                .map(|step| one(format!("{step}_{}", leg.channel.as_str()))),
        );
        raised.extend(charge);
    }
    let known = before.map(states).unwrap_or_default();
    let of = purpose(after.policy.purpose());
    for state in states(after).into_iter().filter(|state| !known.contains(state)) {
        raised.push(one(format!("{of}.{state}")));
        if ["cancelled", "blocked", "failed"].contains(&state) {
            raised.push(one(format!("messages_{state}")));
        }
    }
    raised
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::AttemptError;
    use crate::samples::{Case, NOON, accept, accepted_outcome, at, message_of, report, timers};
    use crate::terms::ErrorClass;

    #[test]
    fn names_of_counters_are_read_back() {
        let listed = Listed {
            carrier: Carrier::Twilio,
            country: "AE".parse().ok(),
            category: PriceCategory::MarketingLite,
        };
        assert_eq!(listed.name(), "cost.twilio.AE.marketing_lite");
        assert_eq!(Counter::read(&listed.name()), Counter::Listed(listed));
        let nowhere = Listed {
            country: None,
            ..listed
        };
        assert_eq!(Counter::read(&nowhere.name()), Counter::Listed(nowhere));
        let currency: Currency = "AED".parse().unwrap();
        for (name, counter) in [
            ("paid.twilio.AED", Counter::Paid(Carrier::Twilio, currency)),
            ("unfollowed.cooldown", Counter::Unfollowed("cooldown")),
            ("free.meta", Counter::Free),
            ("reply.3", Counter::Replies(3)),
            (
                "follow_up.delivered",
                Counter::Messages {
                    purpose: "follow_up",
                    state: "delivered",
                },
            ),
            ("calls_missed", Counter::Word("calls_missed")),
        ] {
            assert_eq!(Counter::read(name), counter, "{name}");
        }
    }

    /// Counters of the delivery of a WhatsApp message with this cost, except for its state.
    fn count_delivery(cost: Cost) -> Vec<Raise> {
        let now = at(NOON);
        let mut message = message_of(Case::new().plan(), now);
        accept(&mut message, now);
        let before = message.clone();
        let report = report(AttemptState::Delivered, Some(cost), now);
        assert!(message.apply(1, report, now, &timers()));
        let mut raised = count_message(Some(&before), &message);
        raised.retain(|(name, _)| !name.contains("delivered"));
        raised
    }

    #[test]
    fn message_is_free_only_if_the_provider_says_so() {
        let amount = Money::from_report("0.048", "usd");
        let paid = ("paid.meta.USD".to_owned(), 48_000);
        for (billable, amount, expected) in [
            (Some(false), None, vec![one("free.meta")]),
            (Some(false), amount.clone(), vec![one("free.meta")]),
            (
                Some(true),
                None,
                vec![one("billed_whatsapp"), one("cost.meta.AE.utility")],
            ),
            (Some(true), amount.clone(), vec![one("billed_whatsapp"), paid]),
            (None, None, vec![one("cost.meta.AE.other")]),
            (None, amount, vec![one("cost.meta.AE.other")]),
        ] {
            let cost = Cost {
                category: "utility".to_owned(),
                kind: None,
                billable,
                units: 1,
                amount,
            };
            assert_eq!(count_delivery(cost), expected, "{billable:?}");
        }
    }

    /// Each step once, for the content that was sent, with its price; nothing for a leg that is no template.
    #[test]
    fn messages_are_counted_for_the_content_of_their_template() {
        let (now, timers) = (at(NOON), timers());
        let mut message = message_of(Case::new().plan(), now);
        let mut raised = Vec::new();
        let mut before = None;
        let mut step = |message: &Message| {
            raised.extend(count_templates(before.as_ref(), message));
            before = Some(message.clone());
        };
        step(&message);
        message.claim(0, "claim".to_owned(), now, &timers);
        step(&message);
        let refused = AttemptError::new(Some(4), ErrorClass::RetryAfter, "later".to_owned());
        (message.attempts[0].state, message.attempts[0].error) = (AttemptState::Refused, Some(refused));
        step(&message);
        // The next attempt takes its place.
        message.attempts[0] = Attempt {
            number: 2,
            state: AttemptState::Claimed,
            error: None,
            ..message.attempts[0].clone()
        };
        step(&message);
        message.record(2, accepted_outcome(), now, &timers);
        step(&message);
        for state in [AttemptState::Delivered, AttemptState::Read] {
            assert!(message.apply(2, report(state, None, now), now, &timers));
            step(&message);
            step(&message);
        }
        let of = "conn_00000000000000000000000002.missed_call_followup.en_GB";
        assert!(
            raised
                .iter()
                .all(|(edition, _)| edition.template.to_string() == of && edition.edition == 0)
        );
        let names: Vec<&str> = raised.iter().map(|(_, (name, _))| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "failed.retry_after",
                "sent",
                "delivered",
                "cost.meta.AE.utility",
                "read"
            ]
        );
        message.plan.remove(0);
        assert!(count_templates(None, &message).is_empty(), "the SMS is no template");
    }

    /// Otherwise their counters could not be told from the counters of reply times, prices and free messages.
    #[test]
    fn no_purpose_is_named_like_another_counter() {
        for purpose in purpose_words() {
            let name = format!("{purpose}.planned");
            let read = Counter::read(&name);
            assert!(matches!(read, Counter::Messages { state: "planned", .. }), "{name}");
        }
    }

    #[test]
    fn reply_times_are_within_the_bounds_of_their_bucket() {
        let sent = at("2026-11-20T12:00:00Z");
        for (written, seconds, bucket) in [
            ("2026-11-20T12:00:00Z", Some(0), Some(0)),
            ("2026-11-20T12:00:15Z", Some(15), Some(0)),
            ("2026-11-20T12:00:16Z", Some(16), Some(1)),
            ("2026-11-27T12:00:00Z", Some(604_800), Some(17)),
            ("2026-11-27T12:00:01Z", None, None),
            // By another clock.
            ("2026-11-20T11:59:55Z", Some(0), Some(0)),
            ("2026-11-20T11:59:54Z", None, None),
        ] {
            let found = reply_time(sent, at(written));
            assert_eq!((found, found.and_then(reply_bucket)), (seconds, bucket), "{written}");
        }
        for pair in REPLY_TIMES.windows(2) {
            assert!(pair[0] < pair[1] && 2 * pair[1] <= 5 * pair[0], "{pair:?}");
        }
    }
}
