//! What customers write: stored once, on the right person, with what follows from it.

use domain::{
    contact::Identity,
    message::{AttemptState, MessageState},
};
use kit::{Done, Job};
use process_provider_event::handle;
use serde_json::json;
use testkit::business::{CUSTOMER, phone};

use crate::world::{World, states, wrote};

#[tokio::test]
async fn a_message_of_somebody_new_makes_a_contact_and_opens_the_window() {
    let world = World::new().await;
    assert_eq!(world.whatsapp("wamid.in", "Hello").await, Done::Now);
    let contact = world.customer().await;
    assert_eq!(contact.name.as_deref(), Some("Layla Haddad"));
    assert!(contact.window_open(world.aws.now()));
    let (received, consent) = world.told_by(&contact).await;
    assert_eq!(received[0].message.text.as_deref(), Some("Hello"));
    assert!(consent.is_empty());
}

#[tokio::test]
async fn a_message_delivered_many_times_at_once_is_stored_once() {
    let world = World::new().await;
    let event = world.messages(&wrote("wamid.in", world.aws.now().as_second(), "Hello"));
    world.work_at_once(vec![event.clone(); 6]).await;
    assert_eq!(world.told_by(&world.customer().await).await.0.len(), 1);
    assert_eq!(world.received(event, 2).await.unwrap(), Done::Already);
}

#[tokio::test]
async fn two_first_messages_at_once_make_one_contact() {
    let world = World::new().await;
    let now = world.aws.now().as_second();
    let works = ["wamid.a", "wamid.b", "wamid.c"].map(|id| {
        let event = world.messages(&wrote(id, now, "Hello"));
        Box::pin(handle(Job::new(event, 1), &world.ctx))
    });
    for done in futures::future::join_all(works).await {
        done.unwrap();
    }
    assert_eq!(world.told_by(&world.customer().await).await.0.len(), 3);
}

#[tokio::test]
async fn an_sms_does_not_open_whatsapps_window() {
    let world = World::new().await;
    world.work(world.sms("SMin", "Hello", "")).await;
    let contact = world.customer().await;
    assert!(!contact.window_open(world.aws.now()));
    assert_eq!(contact.last_inbound_at, Some(world.aws.now()));
}

#[tokio::test]
async fn a_whatsapp_call_opens_the_window_and_stores_no_message() {
    let world = World::new().await;
    let digits = CUSTOMER.trim_start_matches('+');
    let value = json!({"calls": [{
        "id": "wacid.1", "from": digits, "direction": "USER_INITIATED", "event": "terminate",
        "timestamp": world.aws.now().as_second().to_string(),
    }]});
    let event = world.business.whatsapp_event(&world.aws, "calls", &value);
    assert_eq!(world.work(event.clone()).await, Done::Now);
    let contact = world.customer().await;
    assert!(contact.window_open(world.aws.now()));
    assert!(world.told_by(&contact).await.0.is_empty());
    assert_eq!(world.work(event).await, Done::Already);
}

#[tokio::test]
async fn stop_is_heard_in_english_arabic_and_the_tenants_own_words_and_start_takes_it_back() {
    let world = World::with(|configured| configured.tenant.stop_words = vec!["no more please".to_owned()]).await;
    for (index, (stop, start)) in [
        ("STOP", "start"),
        ("إيقاف", "ابدأ"),
        ("Thanks, no more please!", "START"),
    ]
    .into_iter()
    .enumerate()
    {
        world.aws.pass(60);
        world.whatsapp(&format!("wamid.stop{index}"), stop).await;
        let contact = world.customer().await;
        assert!(contact.opted_out.is_some(), "{stop}");
        world.aws.pass(60);
        world.whatsapp(&format!("wamid.start{index}"), start).await;
        let contact = world.customer().await;
        assert!(contact.opted_out.is_none() && contact.opted_in_at.is_some(), "{start}");
    }
    let (received, consent) = world.told_by(&world.customer().await).await;
    let what: Vec<&str> = consent.iter().map(|entry| entry.what.as_str()).collect();
    assert_eq!(what, ["stop", "start", "stop", "start", "stop", "start"]);
    assert_eq!(consent[0].source, "asked for no more messages by WhatsApp");
    assert_eq!(
        received[0].remarks[0].text,
        "the customer asked for no more messages by WhatsApp"
    );
}

#[tokio::test]
async fn twilios_own_flag_counts_whatever_the_text_says() {
    let world = World::new().await;
    world.work(world.sms("SM1", "Enough", "&OptOutType=STOP")).await;
    assert!(world.customer().await.opted_out.is_some());
    world.aws.pass(1);
    world.work(world.sms("SM2", "Again", "&OptOutType=START")).await;
    assert!(world.customer().await.opted_out.is_none());
    world.aws.pass(1);
    world.work(world.sms("SM3", "Please help", "&OptOutType=HELP")).await;
    let (_, consent) = world.told_by(&world.customer().await).await;
    assert_eq!(consent.len(), 2);
}

#[tokio::test]
async fn a_start_that_is_older_than_the_stop_changes_nothing() {
    let world = World::new().await;
    let now = world.aws.now().as_second();
    world.work(world.messages(&wrote("wamid.stop", now, "STOP"))).await;
    world
        .work(world.messages(&wrote("wamid.start", now - 60, "START")))
        .await;
    assert!(world.customer().await.opted_out.is_some());
}

#[tokio::test]
async fn a_marketing_preference_concerns_marketing_alone() {
    let world = World::new().await;
    let preference = |wish: &str, at: i64| {
        json!({"user_preferences": [{
            "wa_id": CUSTOMER.trim_start_matches('+'), "category": "marketing_messages", "value": wish,
            "timestamp": at.to_string(),
        }]})
    };
    let now = world.aws.now().as_second();
    let stop = world
        .business
        .whatsapp_event(&world.aws, "user_preferences", &preference("stop", now));
    assert_eq!(world.work(stop.clone()).await, Done::Now);
    assert_eq!(world.work(stop).await, Done::Already);
    let contact = world.customer().await;
    assert!(contact.marketing_opted_out.is_some() && contact.opted_out.is_none());
    let resume = world
        .business
        .whatsapp_event(&world.aws, "user_preferences", &preference("resume", now + 1));
    world.work(resume).await;
    assert!(world.customer().await.marketing_opted_out.is_none());
}

#[tokio::test]
async fn a_customer_who_writes_first_cancels_a_follow_up_not_sent_yet() {
    let world = World::new().await;
    let message = world.follow_up().await;
    world.whatsapp("wamid.in", "Are you open?").await;
    let message = world.message(&message).await;
    assert_eq!((message.state(), message.due), (MessageState::Cancelled, None));
    let contact = world.customer().await;
    assert_eq!(contact.open_follow_up, None);
    let (received, _) = world.told_by(&contact).await;
    assert!(
        received[0].remarks[0].text.contains("cancelled"),
        "{:?}",
        received[0].remarks
    );
}

#[tokio::test]
async fn an_answer_to_the_whatsapp_keeps_the_sms_back() {
    let world = World::new().await;
    let message = world.sent().await;
    world.whatsapp("wamid.in", "Yes").await;
    let message = world.message(&message).await;
    assert_eq!((message.state(), message.due), (MessageState::Accepted, None));
    assert_eq!(states(&message), [AttemptState::Accepted]);
}

#[tokio::test]
async fn a_changed_id_leads_to_the_same_contact() {
    let world = World::new().await;
    let (old, new) = ("AE.11111111111111111111", "AE.22222222222222222222");
    let known = world
        .business
        .contact_with(&world.aws, CUSTOMER, |contact| contact.bsuid = Some(old.to_owned()))
        .await;
    let value = json!({"messages": [{
        "id": "wamid.sys", "timestamp": world.aws.now().as_second().to_string(), "type": "system",
        "system": {"type": "user_changed_number", "previous_user_id": old, "user_id": new, "wa_id": "971509999999"},
    }]});
    assert_eq!(world.work(world.messages(&value)).await, Done::Now);
    assert_eq!(world.work(world.messages(&value)).await, Done::Already);
    for identity in [Identity::Bsuid(new.to_owned()), Identity::Phone(phone("+971509999999"))] {
        let found = world.contact_of(&identity).await.unwrap();
        assert_eq!(found.id, known.id);
        assert_eq!(found.phone, Some(phone("+971509999999")));
    }
    // The old number still leads there: who has it now is told apart when they write.
    assert_eq!(world.customer().await.id, known.id);
}

#[tokio::test]
async fn two_contacts_that_prove_to_be_one_person_both_stay() {
    let world = World::new().await;
    let id = "AE.11111111111111111111";
    let by_number = world.business.contact(&world.aws, CUSTOMER).await;
    let other = world
        .business
        .contact_with(&world.aws, "+971501234568", |contact| {
            contact.bsuid = Some(id.to_owned())
        })
        .await;
    let digits = CUSTOMER.trim_start_matches('+');
    let value = json!({
        "contacts": [{"wa_id": digits, "user_id": id}],
        "messages": [{"id": "wamid.in", "from": digits, "from_user_id": id,
                      "timestamp": world.aws.now().as_second().to_string(), "type": "text", "text": {"body": "Hi"}}],
    });
    assert_eq!(world.work(world.messages(&value)).await, Done::Now);
    assert_eq!(world.customer().await.id, by_number.id);
    let found = world.contact_of(&Identity::Bsuid(id.to_owned())).await.unwrap();
    assert_eq!(found.id, other.id);
    // Meta's id is the person's own; a number can change hands.
    assert_eq!(world.told_by(&other).await.0.len(), 1);
    assert!(world.told_by(&by_number).await.0.is_empty());
}

#[tokio::test]
async fn a_message_id_that_comes_again_after_months_is_a_new_message() {
    let world = World::new().await;
    world.whatsapp("wamid.in", "Hello").await;
    world.aws.pass(61 * 24 * 3600);
    world.whatsapp("wamid.in", "Hello again").await;
    assert_eq!(world.told_by(&world.customer().await).await.0.len(), 2);
}
