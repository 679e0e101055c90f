//! The decision about a call, and the sentence that explains it.

use domain::messages::{AttemptState, Content, Ended, Message, MessageState, OptFlag};
use domain::people::{Contact, Field, FieldValue, Identity, Profile};
use domain::telephony::{CallFacts, CallStatus, DialStatus, Direction, Handling, Outcome, Party};
use domain::tenants::TenantStatus;
use domain::terms::{
    Category, Channel, FieldId, Narrowing, OneLine, Policy, Purpose, ShownName, SmsText, TenantId, Whole,
};
use jiff::SignedDuration;
use kit::{Done, Job, QueueName};
use process_call::handle;
use serde_json::json;
use store::contacts::ContactWrite;
use testkit::business::{CUSTOMER, LINE, from_to, missed_call_facts, phone, read, stated_call_facts};

use super::world::{World, called_back};

/// The first name that a network sends counts, until a profile or a person names somebody.
#[tokio::test]
async fn only_names_of_callers_are_learnt() {
    let world = World::new().await;
    for (id, said, known) in [
        ("1", "WIRELESS CALLER", None),
        ("2", "DUBAI AE", None),
        ("3", "Layla Haddad", Some("Layla Haddad")),
        ("4", "L HADDAD", Some("Layla Haddad")),
    ] {
        let facts = CallFacts {
            caller_name: ShownName::of(said),
            ..missed_call_facts(CUSTOMER)
        };
        world.telephony(id, facts).await;
        let contact = world.customer().await;
        assert_eq!(world.name_of(&contact).await.as_deref(), known, "{said}");
        assert_eq!(
            (contact.named, contact.named_by_call),
            (known.is_some(), known.is_some()),
            "{said}"
        );
    }
}

#[tokio::test]
async fn missed_call_of_a_new_caller_creates_contact_and_message() {
    let world = World::new().await;
    let facts = CallFacts {
        caller_name: ShownName::of("Layla Haddad"),
        ..missed_call_facts(CUSTOMER)
    };
    assert_eq!(world.telephony("17", facts).await, Done::Now);
    let (calls, messages) = world.history().await;
    let ([call], [message]) = (&calls[..], &messages[..]) else {
        panic!("{calls:?} {messages:?}");
    };
    assert_eq!(call.outcome, Outcome::Missed);
    assert_eq!(
        call.decision,
        format!("WhatsApp at once, SMS if not delivered within 2 min: missed call to {LINE}, rule \"Missed calls\"")
    );
    assert_eq!(message.state(), MessageState::Scheduled);
    assert_eq!(
        message.due,
        Some(world.aws.now() + SignedDuration::from_secs(90)),
        "the net under the queue"
    );
    let contact = world.customer().await;
    assert_eq!(world.name_of(&contact).await.as_deref(), Some("Layla Haddad"));
    assert_eq!((contact.calls, contact.last_follow_up_at), (1, Some(world.aws.now())));
    let [job] = &world.take_send_jobs().await[..] else {
        panic!("one job");
    };
    assert_eq!((job.message, job.attempt), (message.id, 1));
    assert_eq!(job.correlation_id, "cor-17");
}

/// Stored rows name the line, and reading them back gives the same.
#[tokio::test]
async fn call_and_message_name_their_line() {
    let world = World::with(|configured| {
        let line =
            |id: &str, number: &str| read(json!({"id": format!("line_{id:0>26}"), "name": id, "number": number}));
        configured.lines = vec![line("1", "+442079460099"), line("2", LINE)];
        configured.rules[0].when.lines = configured.lines.iter().map(|line| line.id).collect::<Vec<_>>().into();
    })
    .await;
    let called = Some(world.business.configured.lines[1].id);
    world.telephony("17", missed_call_facts(CUSTOMER)).await;
    let (calls, messages) = world.history().await;
    assert_eq!((calls[0].grounds.line, messages[0].line), (called, called));
    // A number without a line does not match the rule.
    let mut facts = missed_call_facts("+971501234568");
    facts.to = Some(Party::Phone(phone("+442079460098")));
    world.telephony("18", facts).await;
    let (calls, messages) = world.history_of(&Identity::Phone(phone("+971501234568"))).await;
    assert_eq!((calls[0].grounds.line, calls[0].reason.as_str()), (None, "no_rule"));
    assert!(messages.is_empty());
}

#[tokio::test]
async fn call_of_a_known_number_keeps_its_contact() {
    let world = World::new().await;
    let known = world.business.contact(&world.aws, CUSTOMER).await;
    world.telephony("17", missed_call_facts(CUSTOMER)).await;
    assert_eq!(world.customer().await.id, known.id);
    assert_eq!(world.take_send_jobs().await.len(), 1);
}

#[tokio::test]
async fn cooldown_prevents_a_second_follow_up() {
    let world = World::new().await;
    world.telephony("17", missed_call_facts(CUSTOMER)).await;
    world.aws.pass(2 * 3600);
    world.telephony("18", missed_call_facts(CUSTOMER)).await;
    let (calls, messages) = world.history().await;
    assert_eq!(messages.len(), 1);
    assert_eq!(calls[1].decision, "no message: texted 2 h ago, cooldown 24 h");
    assert_eq!((calls[1].reason.as_str(), calls[1].message), ("cooldown", None));
    world.aws.pass(22 * 3600);
    world.telephony("19", missed_call_facts(CUSTOMER)).await;
    assert_eq!(world.history().await.1.len(), 2);
}

/// They are followed by one message.
#[tokio::test]
async fn concurrent_calls_of_a_new_caller_create_one_contact() {
    let world = World::new().await;
    let business = &world.business;
    let report = |call: u8| business.telephony_report(&world.aws, &call.to_string(), missed_call_facts(CUSTOMER));
    world.work_at_once((0..6).map(report)).await;
    let (calls, messages) = world.history().await;
    assert_eq!((calls.len(), messages.len()), (6, 1));
    assert_eq!(world.customer().await.calls, 6);
    assert_eq!(world.take_send_jobs().await.len(), 1);
}

#[tokio::test]
async fn answered_call_cancels_the_unsent_follow_up() {
    let world = World::with(|configured| configured.rules[0].then.delay_seconds = Whole::nearest(300)).await;
    world.telephony("17", missed_call_facts(CUSTOMER)).await;
    world.aws.pass(60);
    world
        .telephony("18", stated_call_facts(CUSTOMER, Outcome::Answered))
        .await;
    let (calls, messages) = world.history().await;
    assert_eq!(messages[0].state(), MessageState::Cancelled);
    assert_eq!(messages[0].due, None);
    assert_eq!(calls[1].message, None);
    assert_eq!(world.customer().await.open, []);
}

#[tokio::test]
async fn follow_up_cancelled_by_an_answer_starts_no_cooldown() {
    let world = World::with(|configured| {
        // Answered callers get a message of thanks.
        let mut thanks = configured.rules[0].clone();
        thanks.id = "rule_00000000000000000000000002".parse().unwrap();
        thanks.name = OneLine::from_stored("Thanks");
        thanks.when.outcomes = vec![Outcome::Answered].into();
        configured.rules.push(thanks);
    })
    .await;
    let begun = world.aws.now();
    world.telephony("17", missed_call_facts(CUSTOMER)).await;
    assert_eq!(world.customer().await.last_follow_up_at, Some(begun));
    world.aws.pass(60);
    world
        .telephony("18", stated_call_facts(CUSTOMER, Outcome::Answered))
        .await;
    let (calls, messages) = world.history().await;
    assert_eq!(messages[0].state(), MessageState::Cancelled);
    assert!(calls[1].message.is_some(), "{}", calls[1].decision);
    assert_eq!(world.customer().await.last_follow_up_at, Some(world.aws.now()));
}

/// A call that ended without a dial result: it is decided a minute later.
fn forwarded_call() -> CallFacts {
    CallFacts {
        status: Some(CallStatus::Completed),
        handling: Some(Handling::Forward),
        ..from_to(CUSTOMER)
    }
}

/// The customer called again at once, and was answered.
#[tokio::test]
async fn later_answered_call_makes_a_follow_up_unnecessary() {
    let world = World::new().await;
    world.twilio(forwarded_call()).await;
    world.aws.pass(15);
    let answered_at = world.aws.now();
    world
        .telephony("18", stated_call_facts(CUSTOMER, Outcome::Answered))
        .await;
    world.aws.pass(45);
    assert_eq!(world.work(world.decide()).await, Done::Now);
    let (calls, messages) = world.history().await;
    assert!(messages.is_empty(), "{messages:?}");
    assert_eq!(
        (calls[0].outcome, calls[0].reason.as_str()),
        (Outcome::Abandoned, "unnecessary")
    );
    let why = "no message: no longer needed: a later call was answered 45 s ago";
    assert_eq!(calls[0].decision, why);
    assert_eq!(calls[0].grounds.last_answered_at, Some(answered_at));
    assert_eq!(world.customer().await.last_answered_at, Some(answered_at));
    // A late report that decides it again finds the same, and the next missed call is followed up.
    world
        .twilio(CallFacts {
            dial: Some(DialStatus::NoAnswer),
            ..forwarded_call()
        })
        .await;
    let (calls, messages) = world.history().await;
    assert_eq!((calls[0].decided_again, calls[0].reason.as_str()), (1, "unnecessary"));
    assert!(messages.is_empty(), "{messages:?}");
    world.telephony("19", missed_call_facts(CUSTOMER)).await;
    assert_eq!(world.history().await.1.len(), 1);
}

#[tokio::test]
async fn call_reported_after_a_later_answer_is_not_followed_up() {
    let world = World::new().await;
    let ended = |second: i64, facts: CallFacts| CallFacts {
        ended_at: Some(world.aws.now() + SignedDuration::from_secs(second)),
        ..facts
    };
    let (before, answer, after) = (
        ended(-60, missed_call_facts(CUSTOMER)),
        ended(-30, stated_call_facts(CUSTOMER, Outcome::Answered)),
        ended(-20, missed_call_facts(CUSTOMER)),
    );
    for facts in [&answer, &before, &answer] {
        let call = if *facts == answer { "18" } else { "17" };
        world.telephony(call, facts.clone()).await;
    }
    let (calls, messages) = world.history().await;
    assert_eq!((calls.len(), messages.len()), (2, 0), "{calls:?}");
    assert!(calls.iter().any(|call| call.reason == "unnecessary"), "{calls:?}");
    world.telephony("19", after).await;
    assert_eq!(world.history().await.1.len(), 1);
}

#[tokio::test]
async fn follow_up_is_unnecessary_if_the_customer_wrote() {
    let world = World::new().await;
    world.twilio(forwarded_call()).await;
    world.aws.pass(15);
    let wrote = world.aws.now();
    let write = |contact: &mut Contact| contact.last_inbound_at = Some(wrote);
    world.business.contact_with(&world.aws, CUSTOMER, write).await;
    world.aws.pass(45);
    world.work(world.decide()).await;
    let call = world.call().await;
    assert_eq!((call.reason.as_str(), call.message), ("unnecessary", None));
    assert_eq!(
        call.decision,
        "no message: no longer needed: this person wrote 45 s ago"
    );
    assert_eq!(call.grounds.last_inbound_at, Some(wrote));
}

/// A message that was sent before the call says nothing about it.
#[tokio::test]
async fn missed_caller_who_was_answered_by_phone_gets_no_follow_up() {
    for (seconds, answered) in [(-1, false), (15, true)] {
        let world = World::new().await;
        let wrote = world.aws.now() + SignedDuration::from_secs(seconds);
        world.twilio(forwarded_call()).await;
        let write = |contact: &mut Contact| contact.last_by_phone_at = Some(wrote);
        world.business.contact_with(&world.aws, CUSTOMER, write).await;
        world.aws.pass(60);
        world.work(world.decide()).await;
        let call = world.call().await;
        assert_eq!(
            (call.reason == "unnecessary", call.message.is_none()),
            (answered, answered)
        );
        if answered {
            let why = "no message: no longer needed: somebody wrote on the business's own phone 45 s ago";
            assert_eq!(
                (call.decision.as_str(), call.grounds.last_by_phone_at),
                (why, Some(wrote))
            );
        }
    }
}

/// The first reports of the call look like an answer, with times that a later report corrects.
#[tokio::test]
async fn call_that_was_not_answered_does_not_refuse_itself() {
    let world = World::new().await;
    let begun = world.aws.now();
    let picked_up = CallFacts {
        status: Some(CallStatus::Completed),
        answered_at: Some(begun),
        ..from_to(CUSTOMER)
    };
    world.twilio(picked_up).await;
    world.aws.pass(60);
    world.work(world.decide()).await;
    assert_eq!(world.call().await.outcome, Outcome::Answered);
    assert_eq!(world.customer().await.last_answered_at, Some(begun));
    let rang_out = CallFacts {
        started_at: Some(begun - SignedDuration::from_secs(5)),
        dial: Some(DialStatus::NoAnswer),
        ..from_to(CUSTOMER)
    };
    world.twilio(rang_out).await;
    let call = world.call().await;
    assert_eq!((call.outcome, call.reason.as_str()), (Outcome::Missed, "follow_up"));
    assert_eq!(world.customer().await.last_answered_at, None);
}

/// Waiting messages would all go out at once when the connection's broken token is renewed.
#[tokio::test]
async fn waiting_marketing_is_the_only_one() {
    let world = World::with(|configured| {
        let then = &mut configured.rules[0].then;
        (then.category, then.cooldown_seconds) = (Category::Marketing, Whole::nearest(0));
        then.channels = vec![Channel::WhatsApp].into();
        configured.templates[0].category = Category::Marketing;
    })
    .await;
    let now = world.aws.now();
    let welcome = |contact: &mut Contact| drop(contact.wish(OptFlag::Start, "", now));
    world.business.contact_with(&world.aws, CUSTOMER, welcome).await;
    world.telephony("17", missed_call_facts(CUSTOMER)).await;
    world.aws.pass(25 * 3600);
    world.telephony("18", missed_call_facts(CUSTOMER)).await;
    let (calls, mut messages) = world.history().await;
    assert_eq!((messages.len(), calls[1].reason.as_str()), (1, "frequency"));
    let why = "no message: another marketing message to this person may still be sent";
    assert_eq!(calls[1].decision, why);
    // It is sent now, and counts from now on.
    world.accept_message(messages.remove(0)).await;
    world.aws.pass(10 * 3600);
    world.telephony("19", missed_call_facts(CUSTOMER)).await;
    let (calls, _) = world.history().await;
    assert_eq!(
        calls[2].decision,
        "no message: texted 10 h ago, marketing at most every 24 h"
    );
    world.aws.pass(14 * 3600);
    world.telephony("20", missed_call_facts(CUSTOMER)).await;
    assert_eq!(world.history().await.1.len(), 2);
}

#[tokio::test]
async fn late_report_of_an_answer_restores_the_cooldown() {
    let world = World::new().await;
    world.telephony("17", missed_call_facts(CUSTOMER)).await;
    assert!(world.customer().await.last_follow_up_at.is_some());
    world.aws.pass(30);
    world
        .telephony("17", stated_call_facts(CUSTOMER, Outcome::Answered))
        .await;
    let (_, messages) = world.history().await;
    assert_eq!(messages[0].state(), MessageState::Cancelled);
    let customer = world.customer().await;
    assert_eq!((customer.last_follow_up_at, customer.open), (None, vec![]));
    // The next missed call is followed up.
    world.telephony("18", missed_call_facts(CUSTOMER)).await;
    let (calls, _) = world.history().await;
    assert!(calls[1].message.is_some(), "{}", calls[1].decision);
}

/// The attempt that was sent keeps its state, and the reason does not claim that nothing was sent.
#[tokio::test]
async fn answered_call_stops_the_fallback_but_not_what_was_sent() {
    let world = World::new().await;
    world.telephony("17", missed_call_facts(CUSTOMER)).await;
    let (_, mut messages) = world.history().await;
    world.accept_message(messages.remove(0)).await;
    world
        .telephony("18", stated_call_facts(CUSTOMER, Outcome::Answered))
        .await;
    let (_, messages) = world.history().await;
    assert_eq!(messages[0].state(), MessageState::Accepted);
    assert_eq!(messages[0].attempts[0].state, AttemptState::Accepted);
    assert_eq!(messages[0].due, None, "no SMS");
    let Some(Ended::Cancelled(why)) = &messages[0].ended else {
        panic!("{:?}", messages[0].ended);
    };
    assert!(!why.contains("not sent"), "{why}");
}

/// Each is stored with the reason.
#[tokio::test]
async fn no_message_for_withheld_sip_outbound_or_unknown_calls() {
    let world = World::new().await;
    let withheld = Party::Withheld;
    let sip = Party::Sip("sip:reception@example.test".to_owned());
    let from = |party: &Party| CallFacts {
        from: Some(party.clone()),
        ..missed_call_facts(CUSTOMER)
    };
    let hidden = Identity::Withheld(world.business.telephony);
    for (call, facts, identity, reason) in [
        ("1", from(&withheld), hidden.clone(), "withheld"),
        (
            "3",
            from(&sip),
            Identity::Sip("sip:reception@example.test".to_owned()),
            "sip",
        ),
        (
            "4",
            called_back(Outcome::Missed),
            Identity::Phone(phone(CUSTOMER)),
            "outbound",
        ),
        (
            "5",
            stated_call_facts("+971501234561", Outcome::Unknown),
            Identity::Phone(phone("+971501234561")),
            "unknown_outcome",
        ),
    ] {
        assert_eq!(world.telephony(call, facts).await, Done::Now);
        let (calls, messages) = world.history_of(&identity).await;
        assert_eq!((calls.len(), messages.len()), (1, 0), "{reason}: {calls:?}");
        assert_eq!(calls[0].reason, reason);
        assert!(calls[0].decision.starts_with("no message: "), "{}", calls[0].decision);
    }
    // All callers who hide their number from one connection are one contact, and it is nobody's identity.
    world.telephony("6", from(&withheld)).await;
    assert_eq!(world.history_of(&hidden).await.0.len(), 2);
    assert_eq!(world.aws.depth(QueueName::Sends).await, 0);
}

#[tokio::test]
async fn unknown_template_or_wrong_values_are_the_stored_reason() {
    let template = World::with(|configured| configured.templates.clear()).await;
    let values = World::with(|configured| {
        let template = configured.rules[0].then.template.as_mut().unwrap();
        let mut variables = std::mem::take(&mut template.variables).into_map();
        variables.remove("2");
        template.variables = variables.into();
    })
    .await;
    for mut world in [template, values] {
        world.business.configured.rules[0].then.channels = vec![Channel::WhatsApp].into();
        world.business.write(&world.aws).await;
        world.telephony("17", missed_call_facts(CUSTOMER)).await;
        let history = world.entries(world.customer().await.id).await;
        let [domain::calls::Entry::Call(call)] = &history[..] else {
            panic!("{history:?}");
        };
        assert_eq!(call.reason, "template", "{}", call.decision);
        assert!(call.decision.contains("missed_call_followup"), "{}", call.decision);
        assert_eq!(world.aws.depth(QueueName::Sends).await, 0);
    }
}

#[tokio::test]
async fn channel_without_a_template_is_left_out() {
    let world = World::with(|configured| configured.templates.clear()).await;
    world.telephony("17", missed_call_facts(CUSTOMER)).await;
    let (calls, messages) = world.history().await;
    assert_eq!(messages[0].plan.len(), 1);
    assert!(calls[0].decision.contains("without WhatsApp"), "{}", calls[0].decision);
}

/// The contact has the refusal from its first moment, with an entry in its ledger, and the number leaves the list.
#[tokio::test]
async fn suppressed_caller_gets_no_message() {
    let world = World::new().await;
    let (store, scope) = (world.aws.store(), world.business.scope());
    world.business.suppress(&world.aws, CUSTOMER).await;
    world.telephony("17", missed_call_facts(CUSTOMER)).await;
    let call = world.call().await;
    assert_eq!(call.reason, "opted_out");
    let customer = world.customer().await;
    assert!(customer.opted_out().is_some());
    let (entries, _) = store
        .consent_ledger(scope, &customer, 9, world.aws.now())
        .await
        .unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(store.suppressions(scope, None, 9).await.unwrap().items, []);
}

/// Nobody has to say STOP twice.
#[tokio::test]
async fn erased_caller_who_wrote_stop_gets_no_message() {
    let world = World::new().await;
    world.business.erased_after_stop(&world.aws, CUSTOMER).await;
    world.aws.pass(24 * 3600);
    world.telephony("17", missed_call_facts(CUSTOMER)).await;
    assert_eq!(world.call().await.reason, "opted_out");
    let customer = world.customer().await;
    let refusal = customer.opted_out().expect("the refusal");
    assert_eq!(refusal.source, "before the data of this person was erased");
    let (store, scope) = (world.aws.store(), world.business.scope());
    let ledger = store.consent_ledger(scope, &customer, 9, world.aws.now());
    let (entries, _) = ledger.await.unwrap();
    assert_eq!(entries.len(), 1);
    assert!(
        !entries[0].entry.is_opt_out(world.aws.now()),
        "it was counted when it was said"
    );
}

#[tokio::test]
async fn caller_who_opted_out_gets_no_message() {
    let world = World::new().await;
    let at = world.aws.now();
    let stop = |contact: &mut Contact| {
        contact.wish(OptFlag::Stop, "asked for no more messages by SMS", at);
    };
    world.business.contact_with(&world.aws, CUSTOMER, stop).await;
    world.telephony("17", missed_call_facts(CUSTOMER)).await;
    let call = world.call().await;
    assert_eq!(call.reason, "opted_out");
    assert!(
        call.decision.contains("opted out on 20 November 2026"),
        "{}",
        call.decision
    );
}

#[tokio::test]
async fn a_suspended_tenants_calls_are_stored_and_not_followed_up() {
    let world = World::with(|configured| configured.tenant.status = TenantStatus::Suspended).await;
    world.telephony("17", missed_call_facts(CUSTOMER)).await;
    assert_eq!(world.call().await.reason, "suspended");
}

#[tokio::test]
async fn call_reported_days_later_is_stored_without_follow_up() {
    let world = World::new().await;
    let ended = |hours: i64| CallFacts {
        ended_at: Some(world.aws.now() - SignedDuration::from_hours(hours)),
        ..missed_call_facts(CUSTOMER)
    };
    world.telephony("17", ended(73)).await;
    let call = world.call().await;
    assert_eq!((call.reason.as_str(), call.message), ("late", None));
    assert_eq!(call.decision, "no message: too late: the call was 3 days ago");
    assert_eq!(world.aws.depth(QueueName::Sends).await, 0);
    world.telephony("18", ended(71)).await;
    assert_eq!(world.take_send_jobs().await.len(), 1);
}

#[tokio::test]
async fn callback_repeated_after_its_call_expired_sends_nothing() {
    let world = World::new().await;
    let facts = CallFacts {
        ended_at: Some(world.aws.now()),
        ..missed_call_facts(CUSTOMER)
    };
    world.telephony("17", facts.clone()).await;
    assert_eq!(world.take_send_jobs().await.len(), 1);
    world.aws.pass(61 * 24 * 3600);
    world.telephony("17", facts).await;
    assert_eq!(world.history().await.1.len(), 1);
    assert_eq!(world.aws.depth(QueueName::Sends).await, 0);
}

#[tokio::test]
async fn an_answered_call_matches_no_rule_of_missed_ones() {
    let world = World::new().await;
    world
        .telephony("17", stated_call_facts(CUSTOMER, Outcome::Answered))
        .await;
    assert_eq!(world.call().await.reason, "no_rule");
}

#[tokio::test]
async fn changed_rule_applies_from_the_next_call() {
    let mut world = World::new().await;
    world.telephony("17", missed_call_facts(CUSTOMER)).await;
    world.business.configured.rules[0].enabled = false;
    world.business.write(&world.aws).await;
    world.telephony("18", missed_call_facts("+971501234568")).await;
    let (calls, _) = world.history_of(&Identity::Phone(phone("+971501234568"))).await;
    assert_eq!(calls[0].reason, "no_rule");
}

/// A delay longer than the queue can hold is left to the due index.
#[tokio::test]
async fn delayed_message_waits_in_the_queue_or_the_due_index() {
    let world = World::with(|configured| configured.rules[0].then.delay_seconds = Whole::nearest(600)).await;
    world.telephony("17", missed_call_facts(CUSTOMER)).await;
    assert_eq!(world.aws.depth(QueueName::Sends).await, 1);
    assert!(world.take_send_jobs().await.is_empty(), "held back");
    let world = World::with(|configured| {
        configured.rules[0].then.quiet_hours = Some(read(json!({"from": "15:00", "to": "23:00", "action": "defer"})));
    })
    .await;
    world.telephony("17", missed_call_facts(CUSTOMER)).await;
    let (calls, messages) = world.history().await;
    assert_eq!(world.aws.depth(QueueName::Sends).await, 0);
    assert_eq!(messages[0].due, Some("2026-11-20T23:00:00+04:00".parse().unwrap()));
    assert!(calls[0].decision.contains("after quiet hours"), "{}", calls[0].decision);
}

#[tokio::test]
async fn call_of_a_deleted_tenant_stores_nothing() {
    let world = World::new().await;
    let nobody = TenantId::new(world.aws.ids().ulid());
    let rows = world.aws.row_count().await;
    let ringing = CallFacts {
        direction: Some(Direction::Inbound),
        ..CallFacts::default()
    };
    for (id, facts) in [("17", missed_call_facts(CUSTOMER)), ("18", ringing)] {
        let jobs::CallJob::Reported {
            correlation_id, event, ..
        } = world.business.telephony_report(&world.aws, id, facts)
        else {
            unreachable!()
        };
        let job = jobs::CallJob::Reported {
            tenant: nobody,
            correlation_id,
            event,
        };
        let done = Box::pin(handle(Job::new(job, 1), &world.ctx)).await.unwrap();
        assert_eq!((done, world.aws.row_count().await), (Done::Already, rows));
    }
}

/// A row still leads to the contact, which no longer exists.
#[tokio::test]
async fn call_of_a_deleted_contact_is_dropped() {
    let world = World::new().await;
    world.telephony("17", missed_call_facts(CUSTOMER)).await;
    let (calls, _) = world.history().await;
    let contact = calls[0].id.contact();
    world.business.remove(&world.aws, "CONTACT", Some(contact)).await;
    let rows = world.aws.row_count().await;
    assert_eq!(world.telephony("18", missed_call_facts(CUSTOMER)).await, Done::Already);
    assert_eq!(world.aws.row_count().await, rows);
    // This also holds for a report on a call that was deleted with it.
    world.business.remove(&world.aws, "CALL#", Some(contact)).await;
    let answered = CallFacts {
        voicemail_seconds: Some(12),
        ..missed_call_facts(CUSTOMER)
    };
    assert_eq!(world.telephony("17", answered).await, Done::Already);
}

#[tokio::test]
async fn late_recording_adds_a_remark_to_the_call() {
    let world = World::new().await;
    world.twilio(missed_call_facts(CUSTOMER)).await;
    let recorded = CallFacts {
        voicemail_seconds: Some(12),
        ..CallFacts::default()
    };
    assert_eq!(world.twilio(recorded.clone()).await, Done::Now);
    assert_eq!(world.twilio(recorded).await, Done::Already);
    let call = world.call().await;
    assert_eq!(call.remarks.len(), 1);
    assert_eq!(call.remarks[0].text, "the caller left a recording of 12 s");
    assert_eq!(from_to(CUSTOMER).from, call.facts.from);
}

/// A world after these missed calls, a minute apart. The rule has no cooldown, so a message is planned for each.
async fn after_missed(calls: &[&str]) -> World {
    let world = World::with(|configured| {
        let then = &mut configured.rules[0].then;
        (then.delay_seconds, then.cooldown_seconds) = (Whole::nearest(600), Whole::nearest(0));
    })
    .await;
    for call in calls {
        world.telephony(call, missed_call_facts(CUSTOMER)).await;
        world.aws.pass(60);
    }
    world
}

/// Rules without a cooldown plan several messages.
#[tokio::test]
async fn answered_call_cancels_all_planned_messages() {
    let world = after_missed(&["17", "18"]).await;
    world
        .telephony("19", stated_call_facts(CUSTOMER, Outcome::Answered))
        .await;
    let (_, messages) = world.history().await;
    let states: Vec<_> = messages.iter().map(Message::state).collect();
    assert_eq!(states, [MessageState::Cancelled; 2]);
    let customer = world.customer().await;
    assert_eq!((customer.open, customer.last_follow_up_at), (vec![], None));
}

/// A newer version wrote one of them before a rollback.
#[tokio::test]
async fn calls_are_decided_though_an_open_message_is_unreadable() {
    let world = after_missed(&["17", "18"]).await;
    let (_, messages) = world.history().await;
    world.business.spoil(&world.aws, &messages[0], "f").await;
    let answered = world
        .telephony("19", stated_call_facts(CUSTOMER, Outcome::Answered))
        .await;
    assert_eq!(answered, Done::Now);
    let customer = world.customer().await;
    let open: Vec<_> = customer.open.iter().map(|open| open.message).collect();
    assert_eq!((open, customer.calls), (vec![messages[0].id], 3));
}

/// A contact knows of four pending messages. A fifth cancels the oldest, so that none goes out that nothing can cancel.
#[tokio::test]
async fn fifth_planned_message_cancels_the_oldest() {
    let world = after_missed(&["17", "18", "19", "20", "21"]).await;
    let states = async || -> Vec<_> {
        let (_, messages) = world.history().await;
        messages.iter().map(Message::state).collect()
    };
    let mut expected = [MessageState::Scheduled; 5];
    expected[0] = MessageState::Cancelled;
    assert_eq!(states().await, expected);
    assert_eq!(world.customer().await.open.len(), 4);
    world
        .telephony("22", stated_call_facts(CUSTOMER, Outcome::Answered))
        .await;
    assert_eq!(states().await, [MessageState::Cancelled; 5]);
    let customer = world.customer().await;
    assert_eq!((customer.open, customer.last_follow_up_at), (vec![], None));
}

/// Whoever requested a message was told that it is sent.
#[tokio::test]
async fn follow_up_never_displaces_a_requested_message() {
    let world = after_missed(&["17", "18", "19", "20"]).await;
    let (_, messages) = world.history().await;
    for mut message in messages {
        let requested = Policy::for_purpose(Purpose::Api, Category::Utility, &Narrowing::default());
        message.policy = requested.unwrap();
        world.write(&message).await;
    }
    let mut customer = world.customer().await;
    for open in &mut customer.open {
        open.purpose = Purpose::Api;
    }
    world.write_contact(customer).await;
    world.telephony("21", missed_call_facts(CUSTOMER)).await;
    let (calls, messages) = world.history().await;
    assert_eq!(calls.len(), 5);
    let refused = calls.iter().find(|call| call.message.is_none()).unwrap();
    let why = "no message: 4 messages to this person may still be sent";
    assert_eq!(
        (refused.reason.as_str(), refused.decision.as_str()),
        ("too_many_open", why)
    );
    let states: Vec<_> = messages.iter().map(Message::state).collect();
    assert_eq!(states, [MessageState::Scheduled; 4]);
}

/// A late report of an answer finds the follow-up by the call, not by the contact's list.
#[tokio::test]
async fn late_answer_cancels_a_follow_up_not_listed_as_open() {
    let world = World::with(|configured| configured.rules[0].then.delay_seconds = Whole::nearest(300)).await;
    world.telephony("17", missed_call_facts(CUSTOMER)).await;
    let mut customer = world.customer().await;
    customer.open.clear();
    world.write_contact(customer).await;
    world
        .telephony("17", stated_call_facts(CUSTOMER, Outcome::Answered))
        .await;
    let (_, messages) = world.history().await;
    assert_eq!(messages[0].state(), MessageState::Cancelled);
}

#[tokio::test]
async fn message_contains_the_name_of_the_profile() {
    let world = World::new().await;
    let contact = world.business.contact(&world.aws, CUSTOMER).await;
    let named = ContactWrite {
        profile: Some(Profile::from_name(ShownName::of("Layla Haddad")).into()),
        ..ContactWrite::from(contact)
    };
    let (store, scope) = (world.aws.store(), world.business.scope());
    store.write_contact(scope, &named, None).await.unwrap();
    world.telephony("17", missed_call_facts(CUSTOMER)).await;
    let (_, messages) = world.history().await;
    let Content::Template(filled) = &messages[0].plan[0].content else {
        panic!("{messages:?}");
    };
    assert_eq!(filled.body[0].text, "Layla");
}

/// A field that has no value for the caller, or that is gone by now, has the default; without one, the channel is left out.
#[tokio::test]
async fn message_contains_the_fields_of_the_contact() {
    let text = "{{contact.field.level|Silver}} since {{contact.field.since}}.";
    let world = World::with(|configured| {
        let then = &mut configured.rules[0].then;
        (then.channels, then.sms_text) = (vec![Channel::Sms].into(), Some(SmsText::One(text.to_owned())));
    })
    .await;
    let (store, scope, stamp) = (world.aws.store(), world.business.scope(), world.aws.stamp());
    let contact = world.business.contact(&world.aws, CUSTOMER).await;
    let mut profile = Profile::default();
    for (key, kind, value) in [
        ("level", "choice", FieldValue::Choice("Gold".parse().unwrap())),
        ("since", "date", FieldValue::Date("2024-02-29".parse().unwrap())),
    ] {
        let options = if kind == "choice" {
            json!(["Silver", "Gold"])
        } else {
            json!([])
        };
        let id = FieldId::new(world.aws.ids().ulid());
        let field: Field = read(json!({"id": id, "key": key, "name": key, "type": kind, "options": options}));
        store.create(scope, &field, &stamp).await.unwrap();
        profile.fields.insert(id, value);
    }
    let known = ContactWrite {
        profile: Some(profile.into()),
        ..ContactWrite::from(contact)
    };
    store.write_contact(scope, &known, None).await.unwrap();
    world.telephony("17", missed_call_facts(CUSTOMER)).await;
    let (_, messages) = world.history().await;
    let said = Content::Text("Gold since 2024-02-29.".to_owned());
    assert_eq!(messages[0].plan[0].content, said);

    let other = "+971501234568";
    world.telephony("18", missed_call_facts(other)).await;
    let (calls, messages) = world.history_of(&Identity::Phone(phone(other))).await;
    assert_eq!((calls[0].reason.as_str(), messages.len()), ("template", 0));
    assert!(
        calls[0].decision.contains("contact.field.since"),
        "{}",
        calls[0].decision
    );
}
