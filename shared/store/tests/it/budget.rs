//! Cost of a follow-up in the table, with each step as the functions make it.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::automations::{answer_intent, answer_texts};
use domain::calls::CallProgress;
use domain::inbox::{Conversation, ConversationState, Happening, MAX_TAGS, Priority, Started, TeamMessage, What};
use domain::messages::{AttemptState, Cause, Cost, Material, OptFlag, SendOutcome, StatusReport, compose_message};
use domain::people::{
    Contact, Identity, MAX_IDENTITIES, MAX_MISSED, MAX_UNREACHABLE, MissedCall, OpenIntent, Profile, Unreachable,
};
use domain::telephony::MAX_CALL;
use domain::terms::{
    Answer, Answered, CallId, Category, Channel, ContactId, ConversationId, LineId, MAX_ANSWERS, MAX_REMEMBERED,
    MessageId, Narrowing, Policy, Purpose, TagId, TeamId, UserId, unknown_line_type,
};
use store::Versioned;
use store::contacts::ContactWrite;
use store::messages::Reference;
use store::reports::{Counted, Place, Source, TemplateDay};
use store::table::effects::{Effects, Once};
use store::table::usage;
use store::tenants::{ConfigCache, Configured};
use testkit::business::{CUSTOMER, LINE, mobile, phone, read};

use crate::world::{COUNTING, World};

/// Write units of the steps: a call with a new contact and its message; the claim; the provider's response; three statuses (the first adds
/// another identity of the person); the hour's counters and those of the template, for changes in three windows of the stream.
const STEPS: [(&str, f64); 9] = [
    ("decide", 15.0),
    ("claim", 1.0),
    ("record", 2.0),
    ("sent", 1.0),
    ("link", 4.0),
    ("delivered", 2.0),
    ("read", 1.0),
    ("count", 3.0),
    ("count for the template", 3.0),
];

/// Maximum cost of a new caller's missed call.
const BUDGET: f64 = 33.0;

/// Texts as long as the seeded bakery's.
fn as_long_as_real_ones(configured: &mut Configured) {
    let then = &mut configured.rules[0].then;
    then.sms_text = Some(read(serde_json::json!(
        "{{tenant.name}}: we missed your call. Order at https://harbour-lane.example or call {{tenant.phone}}. Reply STOP \
         to opt out."
    )));
}

/// Id of the line with the called number.
const CALLED: &str = "line_01hq5bakery0000000000000n1";

/// A line with the called number.
fn with_a_line(configured: &mut Configured) {
    as_long_as_real_ones(configured);
    let line = serde_json::json!({"id": CALLED, "name": "Shop", "number": LINE});
    configured.lines = vec![read(line)];
}

/// A row of this size costs one write unit.
const UNIT: usize = 1024;

fn size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.len() / 2 + 2,
        AttributeValue::M(map) => {
            3 + map
                .iter()
                .map(|(name, value)| 1 + name.len() + size(value))
                .sum::<usize>()
        }
        AttributeValue::L(list) => 3 + list.iter().map(|value| 1 + size(value)).sum::<usize>(),
        _ => 1,
    }
}

fn row_size(row: &HashMap<String, AttributeValue>) -> usize {
    row.iter().map(|(name, value)| name.len() + size(value)).sum()
}

/// The changes of a window of the stream, which count one of each.
fn changes(window: usize, counted: &[&str]) -> Counted {
    Counted {
        sequence: format!("{window:0>40}"),
        counters: counted.iter().map(|name| ((*name).to_owned(), 1)).collect(),
        after_gap: false,
    }
}

/// A batch of the stream at this time.
fn batch(now: jiff::Timestamp) -> Source<'static> {
    Source {
        shard: "shardId-00000001795176000000-a1b2c3d4",
        oldest: now,
        retried_since: now - jiff::SignedDuration::from_hours(11),
        again: false,
        keep_until: now + jiff::SignedDuration::from_hours(32 * 24),
    }
}

#[tokio::test]
async fn a_follow_up_with_three_statuses_stays_within_its_write_units() {
    let _alone = COUNTING.write().await;
    let world = World::alone_with(with_a_line).await;
    // Real times have milliseconds.
    world.aws.clock().advance(jiff::SignedDuration::from_millis(617));
    let (store, scope, now) = (&world.store, world.scope(), world.aws.now());
    let timers = world.aws.env().config().timers().unwrap();
    drop(usage::take());
    let mut steps = Vec::new();
    let mut spent = |what: &'static str| steps.push((what, usage::take().write_units));

    let mut message = world.follow_up().await;
    spent("decide");
    message.claim(0, world.aws.ids().ulid().to_string(), now, &timers);
    store.write_message(scope, &message).await.unwrap();
    message.version += 1;
    spent("claim");
    // As long as Meta's.
    let wamid = "wamid.HBgMOTcxNTAxMjM0NTY3FQIAERgSQTBCMUMyRDNFNEY1QTZCN0M4RDkA";
    let taken = SendOutcome::Accepted {
        provider_ref: wamid.parse().unwrap(),
        segments: None,
    };
    world.aws.clock().advance(jiff::SignedDuration::from_millis(350));
    message.record(1, taken, world.aws.now(), &timers);
    let reference = Reference {
        attempt: 1,
        api: "whatsapp",
        provider_ref: &wamid.parse().unwrap(),
        parked: None,
    };
    store
        .record_message(scope, &message, &reference, world.aws.now())
        .await
        .unwrap();
    message.version += 1;
    spent("record");
    for (state, words) in [
        (AttemptState::Sent, "sent"),
        (AttemptState::Delivered, "delivered"),
        (AttemptState::Read, "read"),
    ] {
        // The first status arrives within the second of the response, which moves the fallback's deadline: the most
        // expensive case.
        world.aws.pass(i64::from(state != AttemptState::Sent) * 2);
        let report = StatusReport {
            state,
            // Meta reports whole seconds.
            at: jiff::Timestamp::from_second(world.aws.now().as_second()).unwrap(),
            provider_ref: wamid.parse().unwrap(),
            error: None,
            cost: Some(Cost {
                category: "utility".to_owned(),
                kind: Some("regular".to_owned()),
                billable: Some(true),
                units: 1,
                amount: None,
            }),
        };
        assert!(message.apply(1, report, world.aws.now(), &timers));
        store.write_message(scope, &message).await.unwrap();
        message.version += 1;
        spent(words);
        if state == AttemptState::Sent {
            let identity = Identity::Bsuid("AE.13491208655302741918".to_owned());
            let mut contact = store.contact(scope, message.id.contact()).await.unwrap().unwrap();
            let linked = contact.prefer(&identity);
            let write = ContactWrite::from_linked(contact, linked);
            store.write_contact(scope, &write, None).await.unwrap();
            spent("link");
        }
    }

    // Within a window of 30 s a message is planned and accepted; it is delivered in another and read in a third.
    for (window, counted) in [
        &[
            "calls",
            "calls_missed",
            "calls_unanswered",
            "calls_followed_up",
            "messages",
            "follow_up.planned",
            "accepted_whatsapp",
            "follow_up.accepted",
            "billed_whatsapp",
        ][..],
        &["delivered_whatsapp", "follow_up.delivered", "cost.meta.AE.utility"],
        &["read_whatsapp", "follow_up.read"],
    ]
    .into_iter()
    .enumerate()
    {
        let (change, source) = (changes(window, counted), batch(world.aws.now()));
        let place = Place::of(world.aws.now(), Some(CALLED.parse().unwrap()));
        assert_eq!(store.count(scope, place, source, &[change]).await.unwrap(), [0]);
    }
    spent("count");
    let of = message.sent_template().expect("a template carried it").of;
    for (window, counted) in [&["sent"][..], &["delivered", "cost.meta.AE.utility"], &["read"]]
        .into_iter()
        .enumerate()
    {
        let (change, source) = (changes(window, counted), batch(world.aws.now()));
        let place = TemplateDay::of(of.clone(), world.aws.now());
        let counted = store.count_template(scope, &place, source, &[change]).await;
        assert_eq!(counted.unwrap(), [0]);
    }
    spent("count for the template");

    let rows = world.aws.rows().await;
    let sizes: Vec<(String, usize)> = rows
        .iter()
        .map(|row| (row["kind"].as_s().unwrap().clone(), row_size(row)))
        .collect();
    assert_eq!(steps, STEPS, "rows: {sizes:?}");
    let whole: f64 = steps.iter().map(|(_, units)| units).sum();
    assert!(whole <= BUDGET, "{whole} write units");
    for kind in [
        "call",
        "contact",
        "counters",
        "identity",
        "message",
        "message_ref",
        "call_progress",
    ] {
        let (_, size) = sizes.iter().find(|(known, _)| known == kind).unwrap();
        assert!(*size <= UNIT, "a {kind} has {size} bytes; {sizes:?}");
    }
}

/// The contact, and the message with its places in a list and in the due index.
#[tokio::test]
async fn automatic_answer_is_planned_by_six_write_units() {
    let _alone = COUNTING.write().await;
    let world = World::new_alone().await;
    let (store, scope, now) = (&world.store, world.scope(), world.aws.now());
    let timers = world.aws.env().config().timers().unwrap();
    let config = store.config(scope, &ConfigCache::default()).await.unwrap().unwrap();
    let mut contact = world.contact(CUSTOMER).await;
    contact.last_inbound_at = Some(now);
    contact.open_window(&phone("+447700900999"), &contact.recipient(), now);
    let mut received = world.business.received_text(&world.aws, contact.id, |_| {});
    received.message.from.phone = Some(phone(CUSTOMER));
    let text = answer_texts(&received, Answer::Help, &config.tenant, &contact).remove(0);
    let intent = answer_intent(&received, Answer::Help, &text, &config, &contact, now);
    let composed = compose_message(
        &intent,
        &domain::messages::World {
            config: &config,
            material: Material::NONE,
            contact: &contact,
            profile: &Profile::default(),
            open: &[],
            now,
            line_type: &unknown_line_type,
        },
    );
    let message = composed.unwrap().message("cor".to_owned(), now, &timers);
    assert_eq!(contact.opens(&message, vec![]), []);
    contact.note_answer(Answer::Help, received.line, now);
    drop(usage::take());
    let effects = Effects {
        people: vec![ContactWrite::from(contact)],
        planned: vec![message],
        ..Effects::default()
    };
    store.commit(scope, effects, now).await.unwrap();
    assert_eq!(usage::take().write_units, 6.0);
}

fn email(address: &str) -> Identity {
    Identity::Email(address.parse().expect("an address"))
}

/// A contact with several identities and service windows, a refusal, open messages, and numbers that SMS does not reach.
fn known_for_years(world: &World, identities: usize, unreachable: usize) -> Contact {
    let (id, now) = (ContactId::new(world.aws.ids().ulid()), world.aws.now());
    let number = |place: usize| phone(&format!("+9715012345{place:02}"));
    let mut contact = Contact::first_seen(id, &Identity::Phone(number(0)), now);
    for place in 0..identities {
        contact.prefer(&Identity::Phone(number(place)));
        contact.prefer(&Identity::Bsuid(format!("AE.1349120865530274191{place}")));
        contact.open_window(&number(place), &contact.recipient(), now);
        let cause = Cause::Call(CallId::new(id, world.aws.ids().ulid()));
        contact.open.push(OpenIntent {
            purpose: Purpose::FollowUp,
            version: domain::terms::PURPOSE_TABLE_VERSION,
            message: cause.message_id(),
            before: Some(now),
            counts_from: None,
        });
    }
    contact.prefer(&email("layla.haddad@example.com"));
    contact.is_also([ContactId::new(world.aws.ids().ulid())]);
    contact.wish_marketing(false, "set in WhatsApp", now);
    contact.wish(OptFlag::Stop, "asked for no more messages by WhatsApp", now);
    contact.unreachable.extend((0..unreachable).map(|place| Unreachable {
        channel: Channel::Sms,
        number: Some(number(place)),
        at: now,
        reason: "the number is not in service".to_owned(),
    }));
    (contact.language, contact.named, contact.calls) = (Some("en-GB".to_owned()), true, 1_234);
    (contact.last_follow_up_at, contact.last_inbound_at) = (Some(now), Some(now));
    (contact.last_written_at, contact.last_by_phone_at) = (Some(now), Some(now));
    (contact.last_call_at, contact.last_answered_at) = (Some(now), Some(now));
    (contact.last_reached_at, contact.last_counted_at) = (Some(now), Some(now));
    contact
}

/// Gives the contact as many missed calls and automatic answers as are remembered: it wrote to four lines after hours, asked for help,
/// wrote STOP, and then called eight times.
fn after_a_busy_day(world: &World, contact: Contact) -> Contact {
    let now = world.aws.now();
    let given = [Answer::AfterHours; MAX_ANSWERS].into_iter();
    let answered = given.chain([Answer::Help, Answer::Stop]).map(|answer| Answered {
        answer,
        at: now,
        line: Some(LineId::new(world.aws.ids().ulid())),
    });
    let answered: Vec<Answered> = answered.collect();
    assert_eq!(answered.len(), MAX_REMEMBERED);
    let minutes = (0..).take(MAX_MISSED).map(jiff::SignedDuration::from_mins);
    Contact {
        answered,
        missed: minutes.map(|minute| MissedCall { at: now + minute }).collect(),
        ..contact
    }
}

/// A contact with as many identities as it can have, as long as they can be.
fn longest(world: &World) -> Contact {
    let mut contact = known_for_years(world, MAX_IDENTITIES, MAX_UNREACHABLE);
    for place in 0..MAX_IDENTITIES {
        contact.prefer(&Identity::Bsuid(format!("AE.{place}{}", "x".repeat(127))));
        let label = "x".repeat(60);
        let domain = format!("{label}.{label}.{label}.com");
        contact.prefer(&email(&format!("{place}{label}@{domain}")));
    }
    contact
}

/// The missed calls and automatic answers of a busy day are half a KiB together, so they cost one more.
#[tokio::test]
async fn a_contact_known_for_years_costs_one_write_unit() {
    let _alone = COUNTING.write().await;
    let world = World::new_alone().await;
    world.aws.clock().advance(jiff::SignedDuration::from_millis(617));
    let known = |identities| known_for_years(&world, identities, 2);
    let alone = || Contact {
        same_as: Vec::new(),
        ..known(MAX_IDENTITIES)
    };
    let busy = |contact| after_a_busy_day(&world, contact);
    for (mut contact, units) in [
        (known(2), 1.0),
        // Four windows that name their users take it over a KiB.
        (alone(), 2.0),
        (known(MAX_IDENTITIES), 2.0),
        (longest(&world), 3.0),
        (busy(known(2)), 2.0),
        (busy(alone()), 2.0),
        (busy(known(MAX_IDENTITIES)), 2.0),
        (busy(longest(&world)), 4.0),
    ] {
        // A new contact costs the list index one more.
        let write = ContactWrite::from(contact.clone());
        world.store.write_contact(world.scope(), &write, None).await.unwrap();
        let written = world.store.contact(world.scope(), contact.id).await.unwrap();
        contact.version = 1;
        assert_eq!(written.as_ref(), Some(&contact), "nothing of it is lost");
        drop(usage::take());
        world
            .store
            .write_contact(world.scope(), &contact.into(), None)
            .await
            .unwrap();
        let sizes = world.aws.rows().await.iter().map(row_size).max();
        assert_eq!(usage::take().write_units, units, "{sizes:?} bytes");
    }
}

/// A day's list is of answers and of what was requested: another message among bulk is not in it and costs no entry there.
#[tokio::test]
async fn bulk_message_is_not_listed_by_day() {
    let _alone = COUNTING.write().await;
    let world = World::new_alone().await;
    let mut message = world.follow_up().await;
    let mut spent = Vec::new();
    for (purpose, category, bulk) in [
        (Purpose::FollowUp, Category::Utility, false),
        (Purpose::FollowUp, Category::Utility, true),
        (Purpose::Campaign, Category::Marketing, false),
        (Purpose::Api, Category::Marketing, false),
    ] {
        let narrowing = Narrowing {
            bulk,
            ..Narrowing::default()
        };
        message.id = MessageId::new(message.id.contact(), world.aws.ids().ulid());
        message.policy = Policy::for_purpose(purpose, category, &narrowing).unwrap();
        message.version = 0;
        drop(usage::take());
        world.store.write_message(world.scope(), &message).await.unwrap();
        let written = usage::take().write_units;
        let rows = world.aws.rows().await;
        let own = message.id.own().to_string().to_ascii_lowercase();
        let row = rows.iter().find(|row| row["sk"].as_s().unwrap().ends_with(&own));
        spent.push((row.unwrap().contains_key("gsi1pk"), written));
    }
    let expected = [(true, 3.0), (false, 2.0), (false, 2.0), (true, 3.0)];
    assert_eq!(spent, expected, "listed, write units");
}

/// A call of Twilio's is reported three times: it rings, its dial result decides it, and its end adds the final facts.
#[tokio::test]
async fn call_reported_three_times_costs_19_write_units() {
    let _alone = COUNTING.write().await;
    let world = World::alone_with(as_long_as_real_ones).await;
    let (store, scope, now) = (&world.store, world.scope(), world.aws.now());
    drop(usage::take());
    let mut spent = Vec::new();
    let mut progress = CallProgress {
        due: Some(now + MAX_CALL),
        correlation_id: world.aws.ids().ulid().to_string(),
        ..world.first_report("CA00000000000000000000000000000001")
    };
    let reported = Effects {
        once: Once::Reported(&progress),
        ..Effects::default()
    };
    store.commit(scope, reported, now).await.unwrap();
    progress.version += 1;
    spent.push(("rings", usage::take().write_units));
    let decided = world.business.follow_up_after(&world.aws, CUSTOMER, Some(progress));
    let message = Box::pin(decided).await;
    spent.push(("decide", usage::take().write_units));
    let call = message.cause.call().unwrap();
    let mut call = store.call(scope, call, now).await.unwrap().unwrap();
    call.facts.call_seconds = Some(30);
    store.write_call(scope, &call).await.unwrap();
    spent.push(("ends", usage::take().write_units));
    assert_eq!(spent, [("rings", 2.0), ("decide", 16.0), ("ends", 1.0)]);
}

/// An open conversation with a team, a person, a reply and five tags is at most 1 KiB, so each write costs one unit, besides those of its entries
/// in lists. The fullest one has a little more.
#[tokio::test]
async fn usual_conversation_is_one_write_unit() {
    let _alone = COUNTING.write().await;
    let world = World::new_alone().await;
    let ids = world.aws.ids();
    let now = world.aws.now() + jiff::SignedDuration::from_millis(617);
    let agent: domain::terms::Actor = "usr_01hq5bakery0000000000000n1".parse().unwrap();
    for (is_full, most) in [(false, UNIT), (true, UNIT + UNIT / 4)] {
        let contact = world.contact(&mobile(usize::from(is_full))).await.id;
        let id = ConversationId::of(contact, Some(LineId::new(ids.ulid())));
        let message = || MessageId::new(contact, ids.ulid());
        let wrote = |at| Happening {
            at,
            what: What::Inbound(message(), Channel::WhatsApp),
        };
        let tell_after = Some(jiff::SignedDuration::from_mins(10));
        let mut row = Conversation::from_happening(id, wrote(now), tell_after);
        let reply = TeamMessage {
            at: now,
            message: message(),
            channel: Channel::WhatsApp,
        };
        row.reply(agent, 1, reply, tell_after);
        row.note(wrote(now + jiff::SignedDuration::from_secs(1)), tell_after);
        row.assignee = Some(UserId::new(ids.ulid()));
        row.team = Some(TeamId::new(ids.ulid()));
        let mut tags = 5;
        if is_full {
            tags = MAX_TAGS;
            row.move_to(
                ConversationState::Snoozed,
                Some(now + jiff::SignedDuration::from_hours(24)),
            );
            row.woken_at = Some(now);
            row.priority = Priority::High;
            row.started = Some(Started {
                by: agent,
                seq: 1_000_000,
                others: 999_999,
            });
        }
        row.tags = (0..tags).map(|_| TagId::new(ids.ulid())).collect::<Vec<_>>().into();
        let row = Versioned { value: row, version: 0 };
        world.store.write_conversation(world.scope(), &row, None).await.unwrap();
        let rows = world.aws.rows().await;
        let of_contact = |row: &&HashMap<String, AttributeValue>| {
            row["kind"].as_s().is_ok_and(|kind| kind == "conversation")
                && row["pk"]
                    .as_s()
                    .is_ok_and(|pk| pk.contains(&contact.to_string()["ctc_".len()..]))
        };
        let size = row_size(rows.iter().find(of_contact).unwrap());
        assert!((most - UNIT / 2..=most).contains(&size), "{size} bytes");
    }
}
