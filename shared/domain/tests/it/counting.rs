//! Whatever happens to a message or a call, and in whatever order: its changes raise the counters that its rows tell. `publish_changes`
//! proves that each change counts once, however the stream delivers it.

use std::collections::{BTreeMap, BTreeSet};

use domain::calls::Call;
use domain::messages::{
    AttemptState, Cost, Evidence, Message, MessageState, Next, SendOutcome, StatusReport, TemplateEdition,
};
use domain::money::{Money, PriceBook};
use domain::reports::{
    Carrier, Costs, Counter, Listed, Raise, count_call, count_decided, count_decided_again, count_message,
    count_templates,
};
use domain::telephony::{Direction, Outcome};
use domain::terms::{Category, ErrorClass, Narrowing, Policy, ProviderRef, Purpose};
use jiff::civil::date;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use crate::messages::{planned_message, refused_send, start, timers};

type Counters = BTreeMap<String, u64>;

fn sum(raised: impl IntoIterator<Item = Raise>) -> Counters {
    let mut sum = Counters::new();
    for (name, count) in raised {
        *sum.entry(name).or_default() += count;
    }
    sum
}

/// An event of a message.
#[derive(Debug, Clone)]
enum Event {
    /// A worker takes the next step, as soon as there is one.
    Work,
    /// The provider's answer to the last attempt, if there is none yet.
    Accepted,
    Refused(ErrorClass),
    Unknown,
    /// A report about an attempt, the newest ones first. It may say what the attempt costs.
    Report(usize, AttemptState, bool),
    Cancel,
    Block,
    /// It is sent again by another message.
    Again,
}

fn event() -> impl Strategy<Value = Event> {
    use AttemptState::{Delivered, Failed, Read, Sent};
    let class = select(vec![ErrorClass::RetryAfter, ErrorClass::FallBack, ErrorClass::Blocked]);
    let report = (0..3_usize, select(vec![Sent, Delivered, Read, Failed]), any::<bool>());
    prop_oneof![
        6 => Just(Event::Work),
        3 => Just(Event::Accepted),
        2 => class.prop_map(Event::Refused),
        1 => Just(Event::Unknown),
        6 => report.prop_map(|(which, state, costs)| Event::Report(which, state, costs)),
        1 => Just(Event::Cancel),
        1 => Just(Event::Block),
        1 => Just(Event::Again),
    ]
}

/// The amount that a provider states, in millionths.
const AMOUNT: u64 = 48_000;

/// Reports of providers about the price of a message by WhatsApp.
fn price() -> impl Strategy<Value = Cost> {
    (any::<Option<bool>>(), any::<bool>(), select(vec!["utility", "service"])).prop_map(
        |(billable, stated, category)| {
            let amount = Money::from_report("0.048", "usd").filter(|_| stated);
            Cost {
                category: category.to_owned(),
                kind: None,
                billable,
                units: 1,
                amount,
            }
        },
    )
}

fn segments(units: u32) -> Cost {
    Cost {
        category: "sms".to_owned(),
        kind: None,
        billable: Some(true),
        units,
        amount: None,
    }
}

/// The states of a message's row. It is planned by a template, and then by SMS; each attempt by a channel costs the same.
fn rows(events: &[Event], price: &Cost, units: Option<u32>) -> Vec<Message> {
    let policy = Policy::for_purpose(Purpose::FollowUp, Category::Utility, &Narrowing::default()).unwrap();
    let mut message = planned_message(2, policy);
    let template = json!({ "template": { "name": "missed_call", "language": "en", "edition": 2 } });
    message.plan[0].content = serde_json::from_value(template).unwrap();
    message.called_at = Some(start());
    let (mut now, timers) = (start(), timers());
    let mut rows = vec![message.clone()];
    for event in events {
        let last = message
            .last()
            .filter(|last| matches!(last.state, AttemptState::Claimed | AttemptState::Unknown));
        let open = last.map(|last| (last.number, last.leg));
        let answer = match (event, open) {
            (Event::Accepted, Some((number, leg))) => Some(SendOutcome::Accepted {
                provider_ref: format!("wamid.{number}").parse().unwrap(),
                segments: units.filter(|_| leg == 1),
            }),
            (Event::Refused(class), Some(_)) => Some(refused_send(*class)),
            (Event::Unknown, Some(_)) => Some(SendOutcome::Unknown {
                reason: "no answer in time".to_owned(),
            }),
            _ => None,
        };
        match (event, open, answer) {
            (_, Some((number, _)), Some(answer)) => drop(message.record(number, answer, now, &timers)),
            (Event::Work, ..) => {
                if let Next::Wait(until) = message.next(now, &timers) {
                    now = until;
                }
                match message.next(now, &timers) {
                    Next::Try { leg, .. } => drop(message.claim(leg, "claim".to_owned(), now, &timers)),
                    Next::Doubt => message.doubt(now, &timers),
                    Next::GiveUpWaiting => message.give_up_waiting(Evidence::Silence, now, &timers),
                    Next::Wait(_) | Next::Done => {}
                }
            }
            (Event::Report(which, state, costs), ..) => {
                let attempt = message.attempts.iter().rev().nth(*which);
                // Nobody reports about what was refused.
                if let Some(attempt) = attempt.filter(|attempt| attempt.state != AttemptState::Refused) {
                    let cost = match attempt.leg {
                        0 => Some(price.clone()),
                        _ => units.map(segments),
                    };
                    let report = StatusReport {
                        state: *state,
                        at: now,
                        provider_ref: format!("wamid.{}", attempt.number).parse().unwrap(),
                        error: None,
                        cost: cost.filter(|_| *costs),
                    };
                    message.apply(attempt.number, report, now, &timers);
                }
            }
            (Event::Cancel, ..) => drop(message.cancel("the customer wrote first".to_owned())),
            (Event::Block, ..) => {
                if let Next::Try { .. } = message.next(now, &timers) {
                    message.block("opted out".to_owned());
                }
            }
            (Event::Again, ..) if message.state().is_trouble() => message.retried_as = Some(message.id),
            _ => {}
        }
        if rows.last() != Some(&message) {
            rows.push(message.clone());
        }
    }
    rows
}

fn has_arrived(state: AttemptState) -> bool {
    matches!(state, AttemptState::Delivered | AttemptState::Read)
}

/// The counters that must result, except for prices.
fn truth(rows: &[Message]) -> Counters {
    let row = rows.last().unwrap();
    let mut truth = Counters::from([("messages".to_owned(), 1)]);
    let mut add = |name: String, count: usize| {
        *truth.entry(name).or_default() += count as u64;
    };
    for (leg, channel) in [(0, "whatsapp"), (1, "sms")] {
        let own = || row.attempts.iter().filter(move |attempt| attempt.leg == leg);
        // Another attempt may have taken the place of a refused one, and a late report that of a failure.
        let ever = |state: AttemptState| {
            let all = rows.iter().flat_map(|row| &row.attempts);
            let all = all.filter(|attempt| attempt.leg == leg && attempt.state == state);
            all.map(|attempt| attempt.number).collect::<BTreeSet<u32>>().len()
        };
        let billed = own().filter(|attempt| attempt.cost.as_ref().is_some_and(|cost| cost.billable == Some(true)));
        for (name, count) in [
            ("accepted", own().filter(|attempt| attempt.state.was_accepted()).count()),
            ("delivered", own().filter(|attempt| has_arrived(attempt.state)).count()),
            (
                "read",
                own().filter(|attempt| attempt.state == AttemptState::Read).count(),
            ),
            ("failed", ever(AttemptState::Failed)),
            ("refused", ever(AttemptState::Refused)),
            ("billed", billed.count()),
        ] {
            add(format!("{name}_{channel}"), count);
        }
    }
    let any = |has: fn(AttemptState) -> bool| usize::from(row.attempts.iter().any(|attempt| has(attempt.state)));
    for (name, count) in [
        ("planned", 1),
        ("accepted", any(AttemptState::was_accepted)),
        ("delivered", any(has_arrived)),
        ("read", any(|state| state == AttemptState::Read)),
    ] {
        add(format!("follow_up.{name}"), count);
    }
    for (name, state) in [
        ("failed", MessageState::Failed),
        ("blocked", MessageState::Blocked),
        ("cancelled", MessageState::Cancelled),
    ] {
        // A late report may take it back.
        let ended = rows
            .windows(2)
            .filter(|pair| pair[0].state() != state && pair[1].state() == state)
            .count();
        add(format!("follow_up.{name}"), ended);
        add(format!("messages_{name}"), ended);
    }
    truth.retain(|_, count| *count > 0);
    truth
}

/// Takes the prices out of counters: the number of priced messages by WhatsApp, and of segments by SMS.
fn take_prices(counters: &mut Counters) -> [u64; 2] {
    let mut priced = [0; 2];
    counters.retain(|name, count| {
        let (place, units) = match Counter::read(name) {
            Counter::Listed(listed) => (usize::from(listed.carrier == Carrier::Sms), *count),
            Counter::Paid(..) => (0, *count / AMOUNT),
            Counter::Free => (0, *count),
            _ => return true,
        };
        priced[place] += units;
        false
    });
    priced
}

/// The cost that is shown before messages are sent is the one that is paid, unless the provider reports another category.
#[test]
fn delivered_message_is_counted_as_it_was_planned() {
    let policy = Policy::for_purpose(Purpose::Campaign, Category::Marketing, &Narrowing::default()).unwrap();
    let billed = Cost {
        category: "marketing".to_owned(),
        kind: None,
        billable: Some(true),
        units: 1,
        amount: None,
    };
    let (template, long) = (
        json!({"name": "offer", "language": "en", "edition": 2}),
        "20% off. ".repeat(30),
    );
    let template = json!({ "template": template });
    let text = json!({ "text": long });
    for (channel, content, by_twilio, provider_ref, sent, report) in [
        ("whatsapp", &template, false, "wamid.1", None, Some(billed)),
        // It reports no price.
        ("whatsapp", &template, true, "MM1", None, None),
        ("sms", &text, true, "SM1", Some(2), None),
    ] {
        let mut message = planned_message(1, policy);
        message.plan[0].channel = serde_json::from_value(json!(channel)).unwrap();
        message.plan[0].content = serde_json::from_value(content.clone()).unwrap();
        let (listed, units) = Listed::of_planned_leg(&message.plan[0], by_twilio, Category::Marketing, &message.to);
        let (now, timers, provider_ref) = (start(), timers(), provider_ref.parse().unwrap());
        message.claim(0, "claim".to_owned(), now, &timers);
        let accepted = SendOutcome::Accepted {
            provider_ref: ProviderRef::clone(&provider_ref),
            segments: sent,
        };
        message.record(1, accepted, now, &timers);
        let delivered = StatusReport {
            state: AttemptState::Delivered,
            at: now,
            provider_ref,
            error: None,
            cost: report,
        };
        assert!(message.apply(1, delivered, now, &timers));
        let mut counted = sum(count_message(None, &message));
        counted.retain(|name, _| matches!(Counter::read(name), Counter::Listed(_)));
        assert_eq!(counted, [(listed.name(), units.into())].into());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// And the same for the template that carried it.
    #[test]
    fn counters_of_a_message_say_what_its_rows_say(
        events in prop::collection::vec(event(), 0..30), price in price(), units in option::of(1_u32..4),
    ) {
        let rows = rows(&events, &price, units);
        let mut counted = sum(count_message(None, &rows[0]));
        let mut of_template = Counters::new();
        let mut add = |raised: Vec<(TemplateEdition, Raise)>| {
            for (of, (name, count)) in raised {
                assert_eq!(Some(of), TemplateEdition::of(&rows[0].plan[0]));
                *of_template.entry(name).or_default() += count;
            }
        };
        add(count_templates(None, &rows[0]));
        for pair in rows.windows(2) {
            for (name, count) in count_message(Some(&pair[0]), &pair[1]) {
                *counted.entry(name).or_default() += count;
            }
            add(count_templates(Some(&pair[0]), &pair[1]));
            prop_assert_eq!(count_message(Some(&pair[1]), &pair[1]), vec![]);
        }
        // The counters of its call are those of the last row, at any time.
        let mut of_call = Counters::new();
        let planned = count_call(None, &rows[0]).into_iter();
        let changes = rows.windows(2).filter_map(|pair| count_call(Some(&pair[0]), &pair[1]));
        for (called_at, raised) in planned.chain(changes) {
            prop_assert_eq!(Some(called_at), rows[0].called_at);
            raised.into_iter().for_each(|(name, count)| *of_call.entry(name).or_default() += count);
        }
        let still = |name: &str| {
            let of = |name: &str| of_call.get(name).copied().unwrap_or_default();
            of(name) - of(&format!("{name}_undone"))
        };
        let last = rows.last().unwrap();
        let again = last.retried_as.is_some();
        prop_assert_eq!(still("calls_followed_up"), u64::from(!again && last.was_accepted()));
        prop_assert_eq!(still("calls_stopped"), u64::from(!again && last.is_stopped()));
        let (found, of_whatsapp) = (take_prices(&mut counted), take_prices(&mut of_template)[0]);
        prop_assert_eq!(&counted, &truth(&rows));
        let row = rows.last().unwrap();
        let by = |leg: u8| row.attempts.iter().filter(move |attempt| attempt.leg == leg);
        let delivered = by(0).filter(|attempt| has_arrived(attempt.state)).count() as u64;
        let segments: u32 = by(1).filter_map(|attempt| Some(attempt.cost.as_ref()?.units)).sum();
        prop_assert_eq!(found, [delivered, segments.into()]);
        prop_assert_eq!(of_whatsapp, delivered);
        let of = |counters: &Counters, name: &str| counters.get(name).copied().unwrap_or_default();
        for (own, whole) in [("sent", "accepted"), ("delivered", "delivered"), ("read", "read")] {
            prop_assert_eq!(of(&of_template, own), of(&counted, &format!("{whole}_whatsapp")), "{}", own);
        }
        let failed = of_template.iter().filter(|(name, _)| name.starts_with("failed."));
        let failed: u64 = failed.map(|(_, count)| count).sum();
        prop_assert_eq!(failed, of(&counted, "failed_whatsapp") + of(&counted, "refused_whatsapp"));
    }

    /// However often it is decided again, which ends with a message.
    #[test]
    fn counters_of_a_call_say_what_its_rows_say(
        outcomes in prop::collection::vec((select(Outcome::ALL.to_vec()), 0..2_u32), 1..5),
        reasons in select(vec!["cooldown", "no_rule", "opted_out"]),
        followed in any::<bool>(), outbound in any::<bool>(),
    ) {
        let (contact, own) = ("01m7w3h8g0yee2bzz05vbpakr3", "01m7w3h8g18hg3h1n2etht86ah");
        let mut call: Call = serde_json::from_value(json!({
            "id": format!("call_{contact}{own}"), "connection": "conn_01hq5bakery0000000000000w1", "provider": "telephony",
            "provider_call_id": "1", "facts": {}, "outcome": "missed", "decided_at": start(), "decision": "no message",
            "reason": reasons, "correlation_id": "1",
            "grounds": { "config_version": 1, "new_caller": true, "open": true, "opted_in": false, "opted_out": false },
        })).unwrap();
        call.facts.direction = Some(if outbound { Direction::Outbound } else { Direction::Inbound });
        let mut rows: Vec<Call> = Vec::new();
        for (place, (outcome, recovered)) in outcomes.iter().enumerate() {
            (call.outcome, call.decided_again) = (*outcome, u32::try_from(place).unwrap());
            call.recovered += recovered;
            if followed && place + 1 == outcomes.len() {
                call.message = Some(format!("msg_{contact}{own}").parse().unwrap());
            }
            rows.push(call.clone());
        }
        let again = rows.windows(2).flat_map(|pair| count_decided_again(&pair[0], &pair[1]));
        let counted = sum(count_decided(&rows[0]).into_iter().chain(again));
        let mut truth = Counters::new();
        let mut add = |name: &str, count: usize| *truth.entry(name.to_owned()).or_default() += count as u64;
        add("calls", 1);
        add("calls_decided_again", rows.len() - 1);
        add("calls_without_message", usize::from(rows[0].message.is_none()));
        add("recovered", outcomes.iter().map(|(_, recovered)| *recovered as usize).sum());
        let unanswered = |row: &Call| {
            use Outcome::{Abandoned, AfterHours, Busy, Missed, Voicemail};
            !outbound && [Abandoned, AfterHours, Busy, Missed, Voicemail].contains(&row.outcome)
        };
        for (place, row) in rows.iter().enumerate() {
            add(&format!("calls_{}", row.outcome.as_str()), 1);
            if !unanswered(row) && place > 0 && unanswered(&rows[place - 1]) {
                add("calls_unanswered_undone", 1);
            }
            // It counts when it becomes one that nobody answered, with the reason of that decision.
            if unanswered(row) && (place == 0 || !unanswered(&rows[place - 1])) {
                add("calls_unanswered", 1);
                add(&format!("unfollowed.{reasons}"), usize::from(row.message.is_none()));
            }
        }
        truth.retain(|_, count| *count > 0);
        prop_assert_eq!(counted, truth);
    }

    /// So the parts of a report add up.
    #[test]
    fn costs_of_two_parts_are_those_of_both(
        parts in prop::collection::vec((select(vec![
            "cost.meta.AE.utility", "cost.twilio.AE.marketing", "cost.sms.AE.sms", "cost.sms.ZZ.sms", "paid.meta.EUR", "free.meta",
            "accepted_sms", "billed_sms", "calls",
        ]), 0..1_000_u64, any::<bool>()), 0..12),
    ) {
        let of = |wanted: &dyn Fn(bool) -> bool| {
            let own = parts.iter().filter(|(.., first)| wanted(*first));
            sum(own.map(|(name, count, _)| ((*name).to_owned(), *count)))
        };
        let (mut both, mut whole) = (Costs::default(), Costs::default());
        let day = date(2026, 11, 20);
        for first in [true, false] {
            both.add(&of(&|of| of == first), PriceBook::shipped_prices(), day);
        }
        whole.add(&of(&|_| true), PriceBook::shipped_prices(), day);
        prop_assert_eq!(both, whole);
    }
}
