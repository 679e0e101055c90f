//! Statuses move our messages forward, in any order and number.

use domain::calls::MessageRef;
use domain::messages::{AttemptState, Content, MessageState, Sender};
use domain::people::{Change, Contact, Identity};
use domain::terms::{Channel, OperationKind, Recipient};
use kit::Done;
use serde_json::json;
use testkit::business::{CUSTOMER, business, phone};

use super::world::{BSUID, World, by_id, failed_status, states, status, with_send_key, with_user_id};

#[tokio::test]
async fn statuses_in_any_order_end_in_the_furthest_state() {
    let words = ["sent", "delivered", "read"];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let world = World::new().await;
        let message = world.sent_follow_up().await;
        let now = world.seconds();
        for place in order.iter().chain(&order) {
            world.statuses(&[status(words[*place], now)]).await;
        }
        let message = world.message(&message).await;
        assert_eq!(message.state(), MessageState::Read, "{order:?}");
        assert_eq!(message.due, None);
    }
}

#[tokio::test]
async fn concurrent_statuses_all_count() {
    let world = World::new().await;
    let message = world.sent_follow_up().await;
    let now = world.seconds();
    let words = ["sent", "delivered", "read", "sent", "delivered", "read"];
    let events = words.map(|word| world.messages(&json!({"statuses": [status(word, now)]})));
    world.work_at_once(events).await;
    let message = world.message(&message).await;
    let attempt = &message.attempts[0];
    assert_eq!(attempt.state, AttemptState::Read);
    assert!(attempt.delivered_at.is_some() && attempt.read_at.is_some());
}

#[tokio::test]
async fn a_status_seen_before_changes_nothing() {
    let world = World::new().await;
    let message = world.sent_follow_up().await;
    let now = world.seconds();
    assert_eq!(world.statuses(&[status("delivered", now)]).await, Done::Now);
    let before = world.message(&message).await;
    assert_eq!(world.statuses(&[status("delivered", now)]).await, Done::Already);
    assert_eq!(world.message(&message).await, before);
}

/// The message itself is over: something of it went out. The next one has the file uploaded again.
#[tokio::test]
async fn id_of_a_file_that_whatsapp_refused_is_forgotten() {
    for (code, forgotten) in [(131053, true), (131026, false)] {
        let world = World::new().await;
        let (aws, business) = (&world.aws, &world.business);
        let asset = business.asset(aws, "image", "image/jpeg").await;
        business.upload(aws, &asset, business.whatsapp, "7001").await;
        let mut message = world.follow_up().await;
        message.plan.truncate(1);
        message.plan[0].content = serde_json::from_value(json!({
            "media": {"asset": {"asset_id": asset.id, "kind": "image"}},
        }))
        .unwrap();
        let message = world.claim_next_leg(message).await;
        let message = world.record_acceptance(message, "whatsapp", "wamid.1").await;
        world.statuses(&[failed_status(code, aws.now().as_second())]).await;
        assert_eq!(world.message(&message).await.state(), MessageState::Failed);
        let known = aws.store().asset(business.scope(), asset.id).await.unwrap();
        assert_eq!(known.unwrap().value.handles.is_empty(), forgotten, "{code}");
    }
}

/// WhatsApp knows better: the text stays with the message, and the next one is refused at once, with the templates that fit.
#[tokio::test]
async fn window_that_was_closed_after_all_is_closed() {
    let world = World::new().await;
    let number = phone("+447700900999");
    let now = world.aws.now();
    let mut message = world.follow_up().await;
    let open = |contact: &mut Contact| {
        contact.open_window(&number, &contact.recipient(), now);
        Change::Contact
    };
    world
        .aws
        .change_contact(world.business.scope(), message.id.contact(), open)
        .await;
    message.plan.truncate(1);
    message.plan[0].content = Content::Text("Yes, for four at eight.".to_owned());
    let message = world.claim_next_leg(message).await;
    world.record_acceptance(message.clone(), "whatsapp", "wamid.1").await;
    world.aws.pass(60);
    world.statuses(&[failed_status(131047, world.seconds())]).await;
    let failed = world.message(&message).await;
    assert_eq!(failed.state(), MessageState::Failed);
    assert_eq!(failed.plan[0].content, message.plan[0].content);
    let customer = world.customer().await;
    assert_eq!(customer.window_closes_at(&number, &customer.recipient()), Some(now));
}

#[tokio::test]
async fn cost_is_stored() {
    let world = World::new().await;
    let message = world.sent_follow_up().await;
    let mut delivered = status("delivered", world.seconds());
    delivered["pricing"] = json!({"billable": true, "pricing_model": "PMP", "category": "utility", "type": "regular"});
    world.statuses(&[delivered]).await;
    let cost = world.message(&message).await.attempts[0].cost.clone().unwrap();
    assert_eq!((cost.category.as_str(), cost.billable), ("utility", Some(true)));
}

#[tokio::test]
async fn a_failure_for_its_template_puts_it_in_doubt() {
    let world = World::new().await;
    world.sent_follow_up().await;
    let refused = failed_status(132012, world.seconds());
    assert_eq!(world.statuses(&[refused]).await, Done::Now);
    assert!(world.template().await.doubted_at.is_some());
    let operations = world.listed_operations().await;
    let [operation] = &operations[..] else {
        panic!("{operations:?}");
    };
    assert_eq!(operation.value.kind, OperationKind::SyncTemplates);
    assert!(operation.value.due.is_some(), "the due index starts it");
}

#[tokio::test]
async fn failure_queues_the_sms_once_and_is_recorded() {
    let world = World::new().await;
    let message = world.sent_follow_up().await;
    let event = world.messages(&json!({"statuses": [failed_status(131026, world.seconds())]}));
    assert_eq!(world.work(event.clone()).await, Done::Now);
    let [job] = &world.take_send_jobs().await[..] else {
        panic!("one job");
    };
    assert_eq!((job.message, job.attempt), (message.id, 2));
    let customer = world.customer().await;
    assert!(customer.unreachable_on(Channel::WhatsApp, customer.phone()).is_some());
    assert_eq!(world.work(event.clone()).await, Done::Already);
    assert!(world.take_send_jobs().await.is_empty());
    // The process died before the SMS was queued. The redelivery queues it.
    world.receive_event(event, 2).await.unwrap();
    assert_eq!(world.take_send_jobs().await.len(), 1);
}

#[tokio::test]
async fn a_failure_after_the_sms_was_sent_queues_nothing() {
    let world = World::new().await;
    let message = world.sent_by_both().await;
    let event = world.messages(&json!({"statuses": [failed_status(131026, world.seconds())]}));
    world.receive_event(event, 2).await.unwrap();
    assert!(world.take_send_jobs().await.is_empty());
    assert_eq!(
        states(&world.message(&message).await),
        [AttemptState::Failed, AttemptState::Accepted]
    );
}

#[tokio::test]
async fn late_read_of_the_whatsapp_does_not_mark_the_sms() {
    let world = World::new().await;
    let message = world.sent_by_both().await;
    world.statuses(&[status("read", world.seconds())]).await;
    assert_eq!(
        states(&world.message(&message).await),
        [AttemptState::Read, AttemptState::Accepted]
    );
    world.work(world.twilio_status(None, "SM1", "delivered", "")).await;
    assert_eq!(
        states(&world.message(&message).await),
        [AttemptState::Read, AttemptState::Delivered]
    );
}

#[tokio::test]
async fn status_with_our_key_needs_no_recorded_reference() {
    let world = World::new().await;
    let message = world.claim_next_leg(world.follow_up().await).await;
    let now = world.seconds();
    world
        .statuses(&[with_send_key(status("delivered", now), &message, 1)])
        .await;
    let moved = world.message(&message).await;
    assert_eq!(states(&moved), [AttemptState::Delivered]);
    assert_eq!(moved.attempts[0].provider_ref.as_deref(), Some("wamid.1"));
    let key = domain::terms::SendKey {
        message: message.id,
        attempt: 1,
    };
    // Twilio returns it in the callback's query.
    let world = World::new().await;
    let foreign = world.twilio_status(Some(key.to_string()), "SM1", "delivered", "");
    assert_eq!(
        world.work(foreign).await,
        Done::Already,
        "a key of another tenant names nothing"
    );
}

#[tokio::test]
async fn status_before_the_record_is_parked() {
    let world = World::new().await;
    let message = world.claim_next_leg(world.follow_up().await).await;
    let now = world.seconds();
    world.statuses(&[status("delivered", now)]).await;
    world.statuses(&[status("sent", now), status("delivered", now)]).await;
    assert_eq!(states(&world.message(&message).await), [AttemptState::Claimed]);
    let store = world.aws.store();
    let parked = store
        .message_ref(
            world.business.scope(),
            "whatsapp",
            &"wamid.1".parse().unwrap(),
            world.aws.now(),
        )
        .await
        .unwrap();
    let Some((MessageRef::Parked { reports }, _)) = parked else {
        panic!("{parked:?}");
    };
    let words: Vec<AttemptState> = reports.iter().map(|report| report.state).collect();
    assert_eq!(words, [AttemptState::Delivered, AttemptState::Sent]);
}

#[tokio::test]
async fn status_of_another_tenants_message_changes_nothing() {
    let world = World::new().await;
    let message = world.sent_follow_up().await;
    let stranger = Box::pin(business(&world.aws)).await;
    let now = world.seconds();
    for value in [status("read", now), with_send_key(status("read", now), &message, 1)] {
        let event = stranger.whatsapp_event(&world.aws, "messages", &json!({"statuses": [value]}));
        world.work(event).await;
    }
    assert_eq!(states(&world.message(&message).await), [AttemptState::Accepted]);
}

#[tokio::test]
async fn id_in_a_status_links_a_later_reply_without_a_number() {
    let world = World::new().await;
    let message = world.sent_follow_up().await;
    let now = world.seconds();
    world.statuses(&[with_user_id(status("delivered", now))]).await;
    let contact = world.contact_of(&Identity::Bsuid(BSUID.to_owned())).await.unwrap();
    assert_eq!(contact.id, message.id.contact());
    world.deliver(&by_id("wamid.in", BSUID, now, "Yes please")).await;
    let (received, _) = world.told_by_customer().await;
    assert_eq!(received.len(), 1);
    assert_eq!(world.customer().await.phone().unwrap().as_str(), CUSTOMER);
}

/// They wrote by the id alone.
#[tokio::test]
async fn status_with_number_and_id_opens_the_window_of_both() {
    let world = World::new().await;
    let message = world.sent_follow_up().await;
    let (number, now) = (phone("+447700900999"), world.aws.now());
    let by_id = Sender {
        bsuid: Some(BSUID.to_owned()),
        ..Sender::default()
    };
    let wrote = |contact: &mut Contact| {
        contact.link(&by_id);
        contact.open_window(&number, &by_id.recipient(), now);
        Change::Contact
    };
    let scope = world.business.scope();
    world.aws.change_contact(scope, message.id.contact(), wrote).await;
    let by_number = Recipient {
        phone: Some(phone(CUSTOMER)),
        bsuid: None,
    };
    assert!(!world.customer().await.window_open(&number, &by_number, now));
    world.statuses(&[with_user_id(status("sent", world.seconds()))]).await;
    assert!(world.customer().await.window_open(&number, &by_number, now));
}

#[tokio::test]
async fn redelivery_adds_an_id_that_was_not_linked() {
    let world = World::new().await;
    world.sent_follow_up().await;
    let sent = status("sent", world.seconds());
    // A worker died after it had moved the message.
    world.statuses(std::slice::from_ref(&sent)).await;
    let event = world.messages(&json!({"statuses": [with_user_id(sent)]}));
    world.receive_event(event, 2).await.unwrap();
    assert_eq!(world.customer().await.bsuid(), Some(BSUID));
}

#[tokio::test]
async fn id_of_another_contact_stays_with_that_contact() {
    let world = World::new().await;
    world.sent_follow_up().await;
    let other = world.contact_with_id("+971507654321", BSUID).await;
    world.statuses(&[with_user_id(status("sent", world.seconds()))]).await;
    assert_eq!(world.customer().await.bsuid(), None);
    let found = world.contact_of(&Identity::Bsuid(BSUID.to_owned())).await.unwrap();
    assert_eq!(found.id, other.id);
}

#[tokio::test]
async fn status_reaches_a_message_whose_send_was_not_recorded() {
    let world = World::new().await;
    let message = world.claim_next_leg(world.follow_up().await).await;
    let reference = store::messages::Reference {
        attempt: 1,
        api: "whatsapp",
        provider_ref: &"wamid.1".parse().unwrap(),
        parked: None,
    };
    // The reference to the message is written, the message is not.
    let mut moved_on = message.clone();
    moved_on.version += 7;
    let (store, scope, now) = (world.aws.store(), world.business.scope(), world.aws.now());
    let recorded = store.record_message(scope, &moved_on, &reference, now).await;
    assert!(recorded.is_err_and(|error| error.is_conflict()));
    assert_eq!(states(&world.message(&message).await), [AttemptState::Claimed]);
    world.statuses(&[status("sent", now.as_second())]).await;
    assert_eq!(states(&world.message(&message).await), [AttemptState::Sent]);
}

#[tokio::test]
async fn a_failure_for_the_account_makes_the_connection_unhealthy() {
    let world = World::new().await;
    world.sent_follow_up().await;
    world.statuses(&[failed_status(131042, world.seconds())]).await;
    assert!(matches!(
        world.configured_whatsapp().await.health,
        domain::tenants::Health::Unhealthy { .. }
    ));
}

#[tokio::test]
async fn stop_reported_by_twilio_blocks_every_channel() {
    let world =
        World::with(|configured| configured.rules[0].then.channels = vec![Channel::Sms, Channel::WhatsApp].into())
            .await;
    let message = world.claim_next_leg(world.follow_up().await).await;
    let message = world.record_acceptance(message, "twilio", "SM1").await;
    world
        .work(world.twilio_status(None, "SM1", "undelivered", "&ErrorCode=21610"))
        .await;
    assert_eq!(world.message(&message).await.state(), MessageState::Blocked);
    assert!(world.customer().await.opted_out().is_some());
    assert!(world.take_send_jobs().await.is_empty());
}

#[tokio::test]
async fn stop_reported_by_twilio_reaches_linked_contacts() {
    let world = World::with(|configured| configured.rules[0].then.channels = vec![Channel::Sms].into()).await;
    let other = world.business.contact(&world.aws, "+971501234568").await;
    let link = |contact: &mut Contact| contact.is_also([other.id]);
    world.business.contact_with(&world.aws, CUSTOMER, link).await;
    let message = world.claim_next_leg(world.follow_up().await).await;
    world.record_acceptance(message, "twilio", "SM1").await;
    world
        .work(world.twilio_status(None, "SM1", "undelivered", "&ErrorCode=21610"))
        .await;
    let other = world
        .contact_of(&Identity::Phone(phone("+971501234568")))
        .await
        .unwrap();
    for contact in [world.customer().await, other] {
        assert!(contact.opted_out().is_some(), "{contact:?}");
        assert_eq!(world.told_by(&contact).await.1.len(), 1, "in both ledgers");
    }
}

#[tokio::test]
async fn start_lifts_a_refusal_reported_by_a_clock_ahead() {
    let world = World::new().await;
    world.sent_follow_up().await;
    let far = world.seconds() + 400 * 86_400;
    world.statuses(&[failed_status(131050, far)]).await;
    assert!(world.customer().await.marketing_opted_out().is_some());
    world.aws.pass(60);
    world.whatsapp("wamid.start", "START").await;
    assert_eq!(world.customer().await.marketing_opted_out(), None);
}
