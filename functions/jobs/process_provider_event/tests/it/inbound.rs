//! Messages from customers: stored once, for the right person, with their effects.

use domain::messages::{AttemptState, MessageState, OptFlag};
use domain::people::{By, ConsentEntry, Contact, Identity, Party, Salt};
use domain::tenants::Account;
use domain::terms::{Channel, ConversationId, MessageId, Recipient, ShownName, Whole};
use jobs::ProviderEvent;
use kit::{Done, Job};
use process_provider_event::{Context, handle};
use serde_json::{Value, json};
use testkit::business::{CUSTOMER, phone, read};

use super::world::{BSUID, World, by_id, digits, failed_status, states, status, with_user_id, wrote};

#[tokio::test]
async fn message_from_a_new_customer_opens_the_window() {
    let world = World::new().await;
    assert_eq!(world.whatsapp("wamid.in", "Hello").await, Done::Now);
    let contact = world.customer().await;
    assert_eq!(world.name_of(&contact).await.as_deref(), Some("Layla Haddad"));
    assert!(contact.any_window_open(world.aws.now()));
    let (received, consent) = world.told_by(&contact).await;
    assert_eq!(received[0].message.text.as_deref(), Some("Hello"));
    assert!(consent.is_empty());
}

/// For WhatsApp the connection determines the line, for SMS the number that the message was sent to.
#[tokio::test]
async fn stored_message_names_the_line_written_to() {
    let line = |own: u8, more: Value| -> domain::tenants::Line {
        let mut line = json!({"id": format!("line_{own:026}"), "name": "Line"});
        line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        read(line)
    };
    let world = World::with(|configured| {
        let id = |kind: &str| {
            let mut all = configured.connections.iter();
            all.find(|one| one.account.kind() == kind).expect("there is one").id
        };
        configured.lines = vec![
            line(
                1,
                json!({"whatsapp": id("whatsapp"), "sms": {"connection": id("twilio"), "number": "+15005550001"}}),
            ),
            line(
                2,
                json!({"number": "+15005550006", "sms": {"connection": id("twilio")}}),
            ),
        ];
    })
    .await;
    world.whatsapp("wamid.in", "Hello").await;
    world.work(world.sms("SMin", "Hello", "")).await;
    let (received, _) = world.told_by_customer().await;
    let lines = &world.business.configured.lines;
    let mut told: Vec<_> = received
        .iter()
        .map(|received| (received.message.channel, received.line))
        .collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            (Channel::WhatsApp, Some(lines[0].id)),
            (Channel::Sms, Some(lines[1].id))
        ]
    );
}

#[tokio::test]
async fn concurrent_deliveries_of_a_message_store_it_once() {
    let world = World::new().await;
    let event = world.says("wamid.in", "Hello");
    world.work_at_once(vec![event.clone(); 6]).await;
    assert_eq!(world.told_by_customer().await.0.len(), 1);
    assert_eq!(world.receive_event(event, 2).await.unwrap(), Done::Already);
    // Of a contact who is known, and each with a time of its own.
    let sms = [(); 3].map(|()| {
        world.aws.pass(1);
        world.sms("SMin", "Hello again", "")
    });
    world.work_at_once(sms.clone().into_iter().chain(sms.clone())).await;
    assert_eq!(world.told_by_customer().await.0.len(), 2);
    for event in sms {
        assert_eq!(world.receive_event(event, 2).await.unwrap(), Done::Already);
    }
}

/// As after the death of a process between the two writes.
#[tokio::test]
async fn message_that_was_only_referred_to_is_stored() {
    let world = World::new().await;
    world.whatsapp("wamid.known", "Hello").await;
    let known = world.customer().await.id;
    let other = world.business.contact(&world.aws, "+971501112233").await.id;
    for (count, (sid, of)) in (2..).zip([("SMa", known), ("SMb", other)]) {
        let (referred, now) = (MessageId::new(of, world.aws.ids().ulid()), world.aws.now());
        let (store, scope, provider_ref) = (world.aws.store(), world.business.scope(), sid.parse().unwrap());
        let written = store.refer_to_received(scope, "twilio", &provider_ref, referred, None, now);
        written.await.unwrap();
        world.aws.pass(1);
        let event = world.sms(sid, "Are you there?", "");
        assert_eq!(world.work(event.clone()).await, Done::Now);
        assert_eq!(world.receive_event(event, 2).await.unwrap(), Done::Already);
        let told = world.told_by_customer().await.0;
        assert_eq!(told.len(), count);
        // Under the id that another delivery knows, and of its time, unless that is of somebody else.
        let stored = told.iter().find(|received| received.id == referred);
        let at = stored.map(|received| received.message.at.as_millisecond());
        assert_eq!(at, (of == known).then_some(now.as_millisecond()));
    }
}

#[tokio::test]
async fn concurrent_first_messages_create_one_contact() {
    let world = World::new().await;
    let now = world.seconds();
    let works = ["wamid.a", "wamid.b", "wamid.c"].map(|id| {
        let event = world.messages(&wrote(id, now, "Hello"));
        Box::pin(handle(Job::new(event, 1), &world.ctx))
    });
    for done in futures::future::join_all(works).await {
        done.unwrap();
    }
    assert_eq!(world.told_by_customer().await.0.len(), 3);
}

#[tokio::test]
async fn an_sms_does_not_open_whatsapps_window() {
    let world = World::new().await;
    world.work(world.sms("SMin", "Hello", "")).await;
    let contact = world.customer().await;
    assert!(!contact.any_window_open(world.aws.now()));
    assert_eq!(contact.last_inbound_at, Some(world.aws.now()));
}

#[tokio::test]
async fn a_whatsapp_call_opens_the_window_and_stores_no_message() {
    let world = World::new().await;
    let digits = digits(CUSTOMER);
    let value = json!({"calls": [{
        "id": "wacid.1", "from": digits, "direction": "USER_INITIATED", "event": "terminate",
        "timestamp": world.seconds().to_string(),
    }]});
    let event = world.whatsapp_event("calls", &value);
    assert_eq!(world.work(event.clone()).await, Done::Now);
    let contact = world.customer().await;
    assert!(contact.any_window_open(world.aws.now()));
    assert!(world.told_by(&contact).await.0.is_empty());
    assert_eq!(world.work(event).await, Done::Already);
}

/// As a message does. A report of a call before the deletion does not.
#[tokio::test]
async fn a_whatsapp_call_brings_a_deleted_contact_back() {
    let world = World::new().await;
    world.aws.pass(60);
    let deleted_at = world.aws.now();
    let delete = |contact: &mut Contact| contact.deleted_at = Some(deleted_at);
    let known = world.business.contact_with(&world.aws, CUSTOMER, delete).await;
    let called = |id: &str, seconds: i64| {
        let value = json!({"calls": [{
            "id": id, "from": digits(CUSTOMER), "direction": "USER_INITIATED", "event": "terminate",
            "timestamp": (deleted_at.as_second() + seconds).to_string(),
        }]});
        world.whatsapp_event("calls", &value)
    };
    world.aws.pass(60);
    world.work(called("wacid.1", -30)).await;
    assert_eq!(world.customer().await.deleted_at, Some(deleted_at));
    world.work(called("wacid.2", 30)).await;
    let customer = world.customer().await;
    assert_eq!((customer.id, customer.deleted_at), (known.id, None));
}

#[tokio::test]
async fn stop_and_start_work_in_every_language_and_own_words() {
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
        assert!(contact.opted_out().is_some(), "{stop}");
        world.aws.pass(60);
        world.whatsapp(&format!("wamid.start{index}"), start).await;
        let contact = world.customer().await;
        assert!(
            contact.opted_out().is_none() && contact.opted_in_at().is_some(),
            "{start}"
        );
    }
    let (received, consent) = world.told_by_customer().await;
    let what: Vec<String> = consent.iter().map(ConsentEntry::what).collect();
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
    assert!(world.customer().await.opted_out().is_some());
    world.aws.pass(1);
    world.work(world.sms("SM2", "Again", "&OptOutType=START")).await;
    assert!(world.customer().await.opted_out().is_none());
    world.aws.pass(1);
    world.work(world.sms("SM3", "Please help", "&OptOutType=HELP")).await;
    let (_, consent) = world.told_by_customer().await;
    assert_eq!(consent.len(), 2);
}

/// A start word does not end what the business decided.
#[tokio::test]
async fn suppressed_writer_becomes_a_contact_that_refuses() {
    let world = World::new().await;
    world.business.suppress(&world.aws, CUSTOMER).await;
    world.aws.pass(1);
    world.whatsapp("wamid.start", "START").await;
    let customer = world.customer().await;
    assert!(customer.opted_out().is_some());
    let (received, consent) = world.told_by(&customer).await;
    let what: Vec<String> = consent.iter().map(ConsentEntry::what).collect();
    assert_eq!(what, ["stop", "start"]);
    let proof = consent[1].evidence.as_ref().map(|proof| proof.as_str().to_owned());
    assert_eq!(proof, Some(received[0].id.to_string()));
}

/// The person ends it as any other refusal of theirs.
#[tokio::test]
async fn erased_writer_still_refuses_until_a_start_word() {
    let world = World::new().await;
    world.business.erased_after_stop(&world.aws, CUSTOMER).await;
    world.aws.pass(60);
    world.whatsapp("wamid.hello", "Hello").await;
    assert!(world.customer().await.opted_out().is_some());
    world.aws.pass(60);
    world.whatsapp("wamid.start", "START").await;
    let customer = world.customer().await;
    assert!(customer.opted_out().is_none());
    let (_, consent) = world.told_by(&customer).await;
    let what: Vec<String> = consent.iter().map(ConsentEntry::what).collect();
    assert_eq!(what, ["stop", "start"]);
}

/// Our message's pointer to the contact is deleted later than the pointer of the number.
#[tokio::test]
async fn reply_during_an_erasure_makes_a_new_contact() {
    let world = World::new().await;
    world.sent_follow_up().await;
    let (store, scope, now) = (world.aws.store(), world.business.scope(), world.aws.now());
    let mut erased = world.customer().await;
    erased.wish(OptFlag::Stop, "wrote STOP", now);
    (erased.deleted_at, erased.erasing) = (Some(now), true);
    store.write_contact(scope, &erased.clone().into(), None).await.unwrap();
    let identities: Vec<String> = erased.known_by().iter().map(Identity::key).collect();
    let salt = Salt::new([7; 32]);
    let remembered = store.remember_erased(scope, &identities, &erased.consent, salt, now);
    remembered.await.unwrap();
    store.erase_identities(scope, &[erased.id], &identities).await.unwrap();
    world.aws.pass(60);
    let reply = replying(wrote("wamid.in", world.seconds(), "Hello"));
    assert_eq!(world.deliver(&reply).await, Done::Now);
    let customer = world.customer().await;
    assert_ne!(customer.id, erased.id);
    assert!(customer.opted_out().is_some(), "as the erased contact");
    assert_eq!(world.told_by(&customer).await.0.len(), 1);
    assert!(world.told_by(&erased).await.0.is_empty());
}

/// The new number of a known contact may be on the list.
#[tokio::test]
async fn suppressed_number_passes_its_refusal_to_its_contact() {
    let world = World::new().await;
    world.contact_with_id("+971501234568", BSUID).await;
    world.business.suppress(&world.aws, CUSTOMER).await;
    world.deliver(&by_both("wamid.in", world.seconds(), "Hello")).await;
    let customer = world.customer().await;
    assert_eq!(customer.bsuid(), Some(BSUID));
    assert!(customer.opted_out().is_some());
}

/// The contact wrote START from another number, after the STOP of whoever had this one. The former owner still has the last word.
#[tokio::test]
async fn new_number_brings_its_stop_to_who_wrote_start() {
    for (erased, reported) in [(false, false), (false, true), (true, false), (true, true)] {
        let world = World::new().await;
        let (aws, business) = (&world.aws, &world.business);
        if erased {
            business.erased_after_stop(aws, CUSTOMER).await;
        } else {
            business.suppress_by(aws, CUSTOMER, By::Keyword).await;
        }
        aws.pass(60);
        let start = |contact: &mut Contact| {
            contact.bsuids = vec![BSUID.to_owned()];
            contact.wish(OptFlag::Start, "wrote START", aws.now());
        };
        let known = business.contact_with(aws, "+971501234568", start).await;
        assert!(known.opted_in_at().is_some());
        aws.pass(60);
        let value = if reported {
            world.changed_number(BSUID, BSUID, digits(CUSTOMER))
        } else {
            by_both("wamid.in", world.seconds(), "Hello")
        };
        world.deliver(&value).await;
        let customer = world.customer().await;
        let stopped = customer.opted_out().map(|refusal| refusal.by.party());
        assert_eq!(
            (customer.id, stopped),
            (known.id, Some(Party::Customer)),
            "erased: {erased}, reported: {reported}"
        );
    }
}

#[tokio::test]
async fn start_older_than_the_stop_changes_nothing() {
    let world = World::new().await;
    let now = world.seconds();
    world.deliver(&wrote("wamid.stop", now, "STOP")).await;
    world.deliver(&wrote("wamid.start", now - 60, "START")).await;
    assert!(world.customer().await.opted_out().is_some());
}

#[tokio::test]
async fn marketing_preference_affects_only_marketing() {
    let world = World::new().await;
    let customer = json!({"wa_id": digits(CUSTOMER)});
    let now = world.seconds();
    let stop = preference(&world, customer.clone(), "stop", now);
    assert_eq!(world.work(stop.clone()).await, Done::Now);
    assert_eq!(world.work(stop).await, Done::Already);
    let contact = world.customer().await;
    assert!(contact.marketing_opted_out().is_some() && contact.opted_out().is_none());
    world.work(preference(&world, customer, "resume", now + 1)).await;
    assert!(world.customer().await.marketing_opted_out().is_none());
}

#[tokio::test]
async fn customers_message_cancels_the_unsent_follow_up() {
    let world = World::new().await;
    let message = world.follow_up().await;
    world.whatsapp("wamid.in", "Are you open?").await;
    let message = world.message(&message).await;
    assert_eq!((message.state(), message.due), (MessageState::Cancelled, None));
    let contact = world.customer().await;
    assert_eq!(contact.open, []);
    let (received, _) = world.told_by(&contact).await;
    assert!(
        received[0].remarks[0].text.contains("cancelled"),
        "{:?}",
        received[0].remarks
    );
}

#[tokio::test]
async fn reply_to_the_whatsapp_cancels_the_sms() {
    let world = World::new().await;
    let message = world.sent_follow_up().await;
    world.whatsapp("wamid.in", "Yes").await;
    let message = world.message(&message).await;
    assert_eq!((message.state(), message.due), (MessageState::Accepted, None));
    assert_eq!(states(&message), [AttemptState::Accepted]);
}

#[tokio::test]
async fn a_changed_id_leads_to_the_same_contact() {
    let world = World::new().await;
    let (old, new) = ("AE.11111111111111111111", "AE.22222222222222222222");
    let wrote = |contact: &mut Contact| {
        contact.bsuids = vec![old.to_owned()];
        contact.open_window(&phone("+447700900999"), &contact.recipient(), world.aws.now());
    };
    let known = world.business.contact_with(&world.aws, CUSTOMER, wrote).await;
    let value = world.changed_number(old, new, "971509999999");
    assert_eq!(world.deliver(&value).await, Done::Now);
    assert_eq!(world.deliver(&value).await, Done::Already);
    for identity in [Identity::Bsuid(new.to_owned()), Identity::Phone(phone("+971509999999"))] {
        let found = world.contact_of(&identity).await.unwrap();
        assert_eq!(found.id, known.id);
        assert_eq!(found.phone(), Some(&phone("+971509999999")));
    }
    // The old number still leads to the contact. Its new owner is recognized when they write.
    let customer = world.customer().await;
    assert_eq!(customer.id, known.id);
    // Who has written goes on writing from the new one.
    let [window] = &customer.windows[..] else {
        panic!("{:?}", customer.windows)
    };
    assert_eq!(window.phone, Some(phone("+971509999999")));
}

/// A notice that somebody has a new number names the former one, an id, or both, and may come before or after what they write.
#[tokio::test]
async fn refusal_follows_a_changed_number_in_any_order() {
    const NEW: &str = "+971509999999";
    let old = digits(CUSTOMER);
    let news = |named: Value| {
        let mut system =
            json!({"type": "user_changed_number", "user_id": "AE.22222222222222222222", "wa_id": digits(NEW)});
        system
            .as_object_mut()
            .unwrap()
            .extend(named.as_object().unwrap().clone());
        system
    };
    let former = json!({"type": "customer_changed_number", "wa_id": digits(NEW)});
    let unknown = json!({"previous_user_id": "AE.33333333333333333333"});
    for (system, from) in [
        (news(json!({})), json!(old)),
        (news(unknown), json!(old)),
        (former.clone(), json!(old)),
        (
            {
                let mut system = former;
                system["customer"] = json!(old);
                system
            },
            Value::Null,
        ),
    ] {
        for order in [
            ["stop", "notice", "writes"],
            ["notice", "stop", "writes"],
            ["writes", "stop", "notice"],
            ["stop", "writes", "notice"],
        ] {
            let world = World::new().await;
            let now = world.seconds();
            for what in order {
                let value = match what {
                    "stop" => wrote("wamid.stop", now, "STOP"),
                    "writes" => {
                        let mut hello = wrote("wamid.new", now, "Hello");
                        hello["messages"][0]["from"] = digits(NEW).into();
                        hello
                    }
                    _ => json!({"messages": [{
                        "id": "wamid.sys", "from": from, "timestamp": now.to_string(), "type": "system", "system": system,
                    }]}),
                };
                world.deliver(&value).await;
            }
            for number in [CUSTOMER, NEW] {
                let found = world
                    .contact_of(&Identity::Phone(phone(number)))
                    .await
                    .expect("a contact");
                assert!(found.opted_out().is_some(), "{system} {order:?} {number}");
            }
        }
    }
}

#[tokio::test]
async fn contacts_of_one_person_both_stay() {
    let world = World::new().await;
    let by_number = world.business.contact(&world.aws, CUSTOMER).await;
    let other = world.contact_with_id("+971501234568", BSUID).await;
    let mut value = by_both("wamid.in", world.seconds(), "Hi");
    value["contacts"][0]["wa_id"] = digits(CUSTOMER).into();
    assert_eq!(world.deliver(&value).await, Done::Now);
    assert_eq!(world.customer().await.id, by_number.id);
    let found = world.contact_of(&Identity::Bsuid(BSUID.to_owned())).await.unwrap();
    assert_eq!(found.id, other.id);
    // Meta's id belongs to the person; a number can change hands.
    assert_eq!(world.told_by(&other).await.0.len(), 1);
    assert!(world.told_by(&by_number).await.0.is_empty());
}

/// A text from a customer whose number and id WhatsApp names.
fn by_both(id: &str, at: i64, text: &str) -> Value {
    let mut value = by_id(id, BSUID, at, text);
    value["messages"][0]["from"] = digits(CUSTOMER).into();
    value
}

/// The message as a reply to `wamid.1`.
fn replying(mut value: Value) -> Value {
    value["messages"][0]["context"] = json!({"from": "15005550006", "id": "wamid.1"});
    value
}

/// A report that the person with these ids wants marketing messages, or none.
fn preference(world: &World, mut ids: Value, wish: &str, at: i64) -> ProviderEvent {
    ids["category"] = "marketing_messages".into();
    ids["value"] = wish.into();
    ids["timestamp"] = at.to_string().into();
    world.whatsapp_event("user_preferences", &json!({"user_preferences": vec![ids]}))
}

#[tokio::test]
async fn stop_without_a_number_applies_to_the_answered_contact() {
    let world = World::new().await;
    let message = world.sent_follow_up().await;
    world.aws.pass(5);
    let now = world.seconds();
    // Its id is unknown so far.
    let stop = replying(by_id("wamid.in", BSUID, now, "STOP"));
    assert_eq!(world.deliver(&stop).await, Done::Now);
    let contact = world.customer().await;
    assert!(contact.opted_out().is_some());
    assert_eq!(contact.open, [], "the SMS is cancelled");
    assert_eq!(world.message(&message).await.due, None);
    let found = world.contact_of(&Identity::Bsuid(BSUID.to_owned())).await.unwrap();
    assert_eq!(found.id, contact.id, "the id is learnt");
    assert_eq!(world.told_by(&contact).await.0.len(), 1);
}

/// Entries of the contacts' ledgers that count as opt-outs.
async fn opt_outs(world: &World, contacts: [&Contact; 2]) -> usize {
    let (mut count, now) = (0, world.aws.now());
    for contact in contacts {
        let (_, entries) = world.told_by(contact).await;
        count += entries.iter().filter(|entry| entry.is_opt_out(now)).count();
    }
    count
}

#[tokio::test]
async fn stop_applies_to_all_contacts_of_its_sender() {
    let world = World::new().await;
    let message = world.follow_up().await;
    let other = world.contact_with_id("+971501234568", BSUID).await;
    let now = world.seconds();
    world.deliver(&by_both("wamid.stop", now, "STOP")).await;
    let both = async || {
        let other = world.contact_of(&Identity::Bsuid(BSUID.to_owned())).await.unwrap();
        (world.customer().await, other)
    };
    let (customer, known) = both().await;
    assert_eq!(known.id, other.id);
    assert!(customer.opted_out().is_some() && known.opted_out().is_some());
    assert_eq!(world.message(&message).await.state(), MessageState::Cancelled);
    assert_eq!(world.told_by(&customer).await.1.len(), 1, "in both ledgers");
    assert_eq!(world.told_by(&known).await.1.len(), 1);
    assert_eq!(opt_outs(&world, [&customer, &known]).await, 1);
    world.aws.pass(60);
    world.deliver(&by_both("wamid.start", now + 60, "START")).await;
    let (customer, known) = both().await;
    assert!(customer.opted_out().is_none() && known.opted_out().is_none());
    // Their marketing preference counts as well.
    let ids = json!({"wa_id": digits(CUSTOMER), "user_id": BSUID});
    world.work(preference(&world, ids, "stop", now + 60)).await;
    let (customer, known) = both().await;
    assert!(customer.marketing_opted_out().is_some() && known.marketing_opted_out().is_some());
    assert_eq!(opt_outs(&world, [&customer, &known]).await, 2);
}

#[tokio::test]
async fn refusal_is_shared_when_two_contacts_prove_to_be_one() {
    let world = World::new().await;
    let message = world.sent_follow_up().await;
    world.aws.pass(5);
    let now = world.seconds();
    // Nobody can tell yet who this is.
    world.deliver(&by_id("wamid.in", BSUID, now, "STOP")).await;
    assert!(world.customer().await.opted_out().is_none());
    // The report on our message tells.
    world.statuses(&[with_user_id(status("sent", now))]).await;
    let customer = world.customer().await;
    assert!(customer.opted_out().is_some());
    assert_eq!(customer.open, []);
    assert_eq!(world.message(&message).await.due, None, "no SMS follows");
    let (_, consent) = world.told_by(&customer).await;
    assert!(consent[0].source.contains("asked for no more messages"), "{consent:?}");
    // Later wishes reach both contacts, though the message names only one.
    world.aws.pass(5);
    let now = world.seconds();
    world.deliver(&by_id("wamid.start", BSUID, now, "START")).await;
    assert!(world.customer().await.opted_out().is_none());
}

#[tokio::test]
async fn stop_applies_to_contacts_linked_earlier() {
    let world = World::new().await;
    let now = world.seconds();
    world.deliver(&by_id("wamid.first", BSUID, now, "Hello")).await;
    let message = world.sent_follow_up().await;
    world.statuses(&[with_user_id(status("sent", now))]).await;
    assert!(world.customer().await.opted_out().is_none());
    world.aws.pass(5);
    let now = world.seconds();
    world.deliver(&by_id("wamid.stop", BSUID, now, "STOP")).await;
    let customer = world.customer().await;
    assert!(customer.opted_out().is_some());
    assert_eq!(world.message(&message).await.due, None, "no SMS follows");
    // So does a preference without a message.
    let ids = json!({"user_id": BSUID});
    world.work(preference(&world, ids, "stop", now)).await;
    assert!(world.customer().await.marketing_opted_out().is_some());
}

#[tokio::test]
async fn refusals_are_shared_both_ways_and_by_changed_ids() {
    let world = World::new().await;
    let (old, new) = ("AE.11111111111111111111", "AE.22222222222222222222");
    let first = world.contact_with_id("+971501234561", old).await;
    let second = world.contact_with_id("+971501234562", new).await;
    let now = world.seconds();
    world.deliver(&by_id("wamid.in", old, now, "STOP")).await;
    let value = json!({"messages": [{
        "id": "wamid.sys", "timestamp": now.to_string(), "type": "system",
        "system": {"type": "user_changed_user_id", "previous_user_id": old, "user_id": new},
    }]});
    world.deliver(&value).await;
    for id in [first.id, second.id] {
        let store = world.aws.store();
        let contact = store.contact(world.business.scope(), id).await.unwrap().unwrap();
        assert!(contact.opted_out().is_some());
    }
    // A refusal that was withdrawn since does not come back.
    world.aws.pass(60);
    let start = by_id("wamid.start", new, now + 60, "START");
    world.deliver(&start).await;
    world.deliver(&value).await;
    let again = world.contact_of(&Identity::Bsuid(new.to_owned())).await.unwrap();
    assert!(again.opted_out().is_none());
}

#[tokio::test]
async fn message_cancelled_before_sending_starts_no_cooldown() {
    let world = World::new().await;
    world.follow_up().await;
    assert!(world.customer().await.last_follow_up_at.is_some());
    world.whatsapp("wamid.in", "Are you open?").await;
    assert_eq!(world.customer().await.last_follow_up_at, None);
    // A message that went out counts, even if the rest of it is cancelled.
    let message = world.sent_follow_up().await;
    world.whatsapp("wamid.again", "Yes").await;
    assert_eq!(world.customer().await.last_follow_up_at, Some(message.created_at));
}

#[tokio::test]
async fn provider_clock_ahead_extends_no_window_or_refusal() {
    let world = World::new().await;
    let far = world.seconds() + 400 * 86_400;
    world.deliver(&wrote("wamid.in", far, "STOP")).await;
    let contact = world.customer().await;
    assert_eq!(contact.last_whatsapp_at(), Some(world.aws.now()));
    world.aws.pass(60);
    world.whatsapp("wamid.start", "START").await;
    assert!(world.customer().await.opted_out().is_none());
}

#[tokio::test]
async fn message_id_reused_after_months_is_a_new_message() {
    let world = World::new().await;
    world.whatsapp("wamid.in", "Hello").await;
    world.aws.pass(61 * 24 * 3600);
    world.whatsapp("wamid.in", "Hello again").await;
    assert_eq!(world.told_by_customer().await.0.len(), 2);
}

/// Parked reports concern messages of another tool, for example, or the message itself.
#[tokio::test]
async fn parked_reports_do_not_block_a_customers_message() {
    let world = World::new().await;
    let now = world.seconds();
    world.statuses(&[status("sent", now)]).await;
    assert_eq!(world.whatsapp("wamid.1", "Hello").await, Done::Now);
    assert_eq!(world.whatsapp("wamid.1", "Hello").await, Done::Already);
    world.statuses(&[status("delivered", now)]).await;
    assert_eq!(world.told_by_customer().await.0.len(), 1);
}

#[tokio::test]
async fn message_with_the_id_of_ours_is_not_stored() {
    let world = World::new().await;
    let message = world.sent_follow_up().await;
    assert_eq!(world.whatsapp("wamid.1", "Hello").await, Done::Already);
    assert!(world.told_by_customer().await.0.is_empty());
    world.statuses(&[status("delivered", world.seconds())]).await;
    assert_eq!(states(&world.message(&message).await), [AttemptState::Delivered]);
}

/// The first known name stays, and is not looked up any more.
#[tokio::test]
async fn name_is_learned_once() {
    let world = World::new().await;
    let known = world.business.contact(&world.aws, CUSTOMER).await;
    let named = |id: &str, name: &str| {
        let mut value = wrote(id, world.seconds(), "Hello");
        value["contacts"][0]["profile"]["name"] = name.into();
        world.messages(&value)
    };
    world
        .work_at_once([named("wamid.1", "Layla"), named("wamid.2", "Layla")])
        .await;
    world.work(named("wamid.3", "L.")).await;
    let customer = world.customer().await;
    assert_eq!((customer.id, customer.named), (known.id, true));
    assert_eq!(world.name_of(&customer).await.as_deref(), Some("Layla"));
    assert_eq!(world.told_by(&customer).await.0.len(), 3);
}

/// A contact that is named only by what a network sent with a call gets the first name that a WhatsApp profile has, and keeps it.
#[tokio::test]
async fn profiles_name_replaces_a_callers() {
    let world = World::new().await;
    let known = world.business.contact_with(&world.aws, CUSTOMER, |contact| {
        (contact.named, contact.named_by_call) = (true, true);
    });
    let known = known.await;
    world
        .change_profile(known.id, |profile| profile.name = ShownName::of("HADDAD LAYL"))
        .await;
    for (id, name, expected) in [
        ("wamid.1", ".", "HADDAD LAYL"),
        ("wamid.2", "Layla", "Layla"),
        ("wamid.3", "L.", "Layla"),
    ] {
        let mut value = wrote(id, world.seconds(), "Hello");
        value["contacts"][0]["profile"]["name"] = name.into();
        world.work(world.messages(&value)).await;
        let customer = world.customer().await;
        assert_eq!(world.name_of(&customer).await.as_deref(), Some(expected), "{id}");
    }
}

#[tokio::test]
async fn message_opens_only_the_window_of_its_number() {
    let world = World::new().await;
    world.whatsapp("wamid.in", "Hello").await;
    let connection = world.configured_whatsapp().await;
    let (contact, now) = (world.customer().await, world.aws.now());
    assert!(contact.window_open(connection.whatsapp_number().unwrap(), &contact.recipient(), now));
    assert!(!contact.window_open(&phone("+971501239999"), &contact.recipient(), now));
    assert_eq!(contact.windows.len(), 1);
}

/// Twilio's webhooks name the number. It need not be the one that the connection sends from.
#[tokio::test]
async fn window_opens_for_the_number_written_to() {
    let sender = "+15005550001";
    let world = World::with(|configured| {
        for connection in &mut configured.connections {
            if let Account::Twilio(twilio) = &mut connection.account {
                twilio.whatsapp_sender = Some(phone(sender));
            }
        }
    })
    .await;
    let wrote = |sid: &str, to: &str| {
        let (from, to) = (digits(CUSTOMER), digits(to));
        world.twilio_inbound(format!(
            "MessageSid={sid}&From=whatsapp%3A%2B{from}&To=whatsapp%3A%2B{to}&Body=Hello"
        ))
    };
    let other = "+15005550002";
    world.work(wrote("SM1", other)).await;
    let (contact, now) = (world.customer().await, world.aws.now());
    assert!(
        contact.window_open(&phone(other), &contact.recipient(), now)
            && !contact.window_open(&phone(sender), &contact.recipient(), now)
    );
    world.work(wrote("SM2", sender)).await;
    let contact = world.customer().await;
    assert!(contact.window_open(&phone(sender), &contact.recipient(), now));
}

/// Rules without a cooldown plan several messages.
#[tokio::test]
async fn customers_message_cancels_all_planned_messages() {
    let world = World::with(|configured| configured.rules[0].then.cooldown_seconds = Whole::nearest(0)).await;
    let earlier = world.follow_up().await;
    world.aws.pass(30);
    let later = world.follow_up().await;
    assert_eq!(world.customer().await.open.len(), 2);
    world.whatsapp("wamid.in", "Are you open?").await;
    for message in [earlier, later] {
        assert_eq!(world.message(&message).await.state(), MessageState::Cancelled);
    }
    let customer = world.customer().await;
    assert_eq!((customer.open, customer.last_follow_up_at), (vec![], None));
}

#[tokio::test]
async fn second_number_leads_to_the_known_contact() {
    let world = World::new().await;
    let known = world.contact_with_id("+971501234568", BSUID).await;
    world.deliver(&by_both("wamid.in", world.seconds(), "Hello")).await;
    let customer = world.customer().await;
    assert_eq!(customer.id, known.id);
    assert_eq!(
        customer.phones,
        [phone("+971501234568"), phone(CUSTOMER)],
        "the first stays the preferred one"
    );
}

/// A number that a fifth one has replaced is still the person's: a refusal covers it, and a STOP from it is the contact's.
#[tokio::test]
async fn replaced_number_still_leads_to_the_contact() {
    let numbers: Vec<_> = (1..=4).map(|place| phone(&format!("+9715076543{place:02}"))).collect();
    for (refuses, text) in [
        (true, "Hello"),
        // The message itself is the refusal.
        (false, "STOP"),
        (false, "Hello"),
    ] {
        let world = World::new().await;
        let known = world
            .business
            .contact_with(&world.aws, CUSTOMER, |contact| {
                contact.phones.clone_from(&numbers);
                contact.bsuids = vec![BSUID.to_owned()];
                if refuses {
                    contact.wish(OptFlag::Stop, "wrote STOP", contact.created_at);
                }
            })
            .await;
        world.deliver(&by_both("wamid.in", world.seconds(), text)).await;
        let customer = world.customer().await;
        assert_eq!(customer.id, known.id);
        assert!(
            !customer.phones.contains(&numbers[3]),
            "a fifth number replaces the last"
        );
        let found = world.contact_of(&Identity::Phone(numbers[3].clone())).await;
        assert_eq!(found.as_ref(), Some(&customer), "{text}");
        world.aws.pass(60);
        let mut value = wrote("wamid.stop", world.seconds(), "STOP");
        let number = digits(numbers[3].as_str());
        value["messages"][0]["from"] = number.into();
        value["contacts"][0]["wa_id"] = number.into();
        world.deliver(&value).await;
        let stopped = world.contact_of(&Identity::Phone(numbers[3].clone())).await.unwrap();
        assert_eq!((stopped.id, stopped.refuses()), (known.id, true), "{text}");
    }
}

/// In any order of delivery, and however often.
#[tokio::test]
async fn messages_stand_in_the_order_of_writing() {
    for order in [[0, 1, 2, 1], [2, 1, 0, 2]] {
        let world = World::new().await;
        let sent = world.seconds();
        for number in order {
            world.aws.pass(7);
            let event = world.messages(&wrote(&format!("wamid.{number}"), sent + number, "Hello"));
            world.work(event).await;
        }
        let (received, _) = world.told_by_customer().await;
        let references = received.iter().map(|received| received.message.provider_ref.as_str());
        let references: Vec<_> = references.collect();
        assert_eq!(references, ["wamid.0", "wamid.1", "wamid.2"]);
    }
}

/// References are kept for 60 days, messages often longer.
#[tokio::test]
async fn message_is_stored_once_after_its_reference_is_gone() {
    let world = World::new().await;
    let event = world.says("wamid.in", "Hello");
    assert_eq!(world.work(event.clone()).await, Done::Now);
    let before = world.customer().await;
    world.aws.pass(61 * 24 * 3600);
    assert_eq!(world.work(event).await, Done::Already);
    assert_eq!(world.told_by_customer().await.0.len(), 1);
    assert_eq!(world.customer().await, before);
}

/// A message sent in the bulk lane continues in it.
#[tokio::test]
async fn failed_bulk_message_is_queued_in_its_lane() {
    use domain::terms::{Category, Narrowing, Policy, Purpose};
    let world = World::new().await;
    let mut message = world.follow_up().await;
    let narrowing = Narrowing {
        bulk: true,
        ..Narrowing::default()
    };
    message.policy = Policy::for_purpose(Purpose::FollowUp, Category::Utility, &narrowing).unwrap();
    world.write(&message).await;
    message.version += 1;
    let message = world.claim_next_leg(message).await;
    world.record_acceptance(message, "whatsapp", "wamid.1").await;
    assert_eq!(
        world.statuses(&[failed_status(131026, world.seconds())]).await,
        Done::Now
    );
    assert_eq!(world.aws.depth(kit::QueueName::Sends).await, 0);
    assert_eq!(world.aws.depth(kit::QueueName::BulkSends).await, 1);
}

/// Written by a newer version before a rollback, or broken. What can be read is cancelled.
#[tokio::test]
async fn stop_counts_though_a_planned_message_is_unreadable() {
    for attribute in ["f", "data"] {
        let world = World::with(|configured| configured.rules[0].then.cooldown_seconds = Whole::nearest(0)).await;
        let unreadable = world.follow_up().await;
        world.aws.pass(30);
        let readable = world.follow_up().await;
        world.business.spoil(&world.aws, &unreadable, attribute).await;
        assert_eq!(world.whatsapp("wamid.stop", "STOP").await, Done::Now, "{attribute}");
        let customer = world.customer().await;
        assert!(customer.opted_out().is_some(), "{attribute}");
        let open: Vec<_> = customer.open.iter().map(|open| open.message).collect();
        assert_eq!(open, [unreadable.id], "{attribute}");
        assert_eq!(world.message(&readable).await.state(), MessageState::Cancelled);
    }
}

#[tokio::test]
async fn stop_is_retried_while_the_table_does_not_answer() {
    let world = World::new().await;
    let message = world.follow_up().await;
    let lossy = testkit::Lossy::before(&world.aws);
    let ctx = Context::new(&world.aws.env_behind(lossy.url())).unwrap();
    // The planned messages are read in a batch.
    lossy.deny("BatchGetItem");
    let stop = world.says("wamid.stop", "STOP");
    assert!(Box::pin(handle(Job::new(stop.clone(), 1), &ctx)).await.is_err());
    assert!(world.customer().await.opted_out().is_none());
    world.work(stop).await;
    assert!(world.customer().await.opted_out().is_some());
    assert_eq!(world.message(&message).await.state(), MessageState::Cancelled);
}

/// A language set by a user, or before there was any detection, stays.
#[tokio::test]
async fn language_is_detected_from_long_enough_texts() {
    let world = World::with(|configured| configured.tenant.languages = vec!["en".to_owned(), "ar-AE".to_owned()]).await;
    let language = async || {
        let contact = world.customer().await;
        (contact.language, contact.language_detected)
    };
    let detected = |tag: &str| (Some(tag.to_owned()), true);
    for (id, text, expected) in [
        ("wamid.1", "Hi", (None, false)),
        ("wamid.2", "Do you have lemon cake?", detected("en")),
        ("wamid.3", "أريد أن أطلب كيكتين ليوم السبت", detected("ar-AE")),
        // A text such as an address is not certain enough to change anything.
        ("wamid.4", "Marina Walk, Princess Tower, Apartment", detected("ar-AE")),
        (
            "wamid.5",
            "Je voudrais réserver une table pour quatre personnes demain soir, s'il vous plaît.",
            detected("fr"),
        ),
    ] {
        world.aws.pass(1);
        world.whatsapp(id, text).await;
        assert_eq!(language().await, expected, "{text}");
    }
    // An earlier message comes late.
    let long = "Can I get a price list for the birthday cakes and do you deliver to Marina?";
    let earlier = wrote("wamid.late", world.seconds() - 60, long);
    world.deliver(&earlier).await;
    assert_eq!(language().await, detected("fr"));
    let mut contact = world.customer().await;
    (contact.language, contact.language_detected) = (Some("de".to_owned()), false);
    world.write_contact(contact).await;
    world.aws.pass(1);
    world.whatsapp("wamid.6", long).await;
    assert_eq!(language().await, (Some("de".to_owned()), false));
}

/// The label of a button is the tenant's own text.
#[tokio::test]
async fn words_of_others_have_no_language() {
    let world = World::with(|configured| configured.tenant.languages = vec!["en".to_owned(), "fr".to_owned()]).await;
    let now = world.seconds();
    let said = "Je voudrais réserver une table pour quatre personnes demain soir, s'il vous plaît.";
    let mut pressed = wrote("wamid.1", now, said);
    pressed["messages"][0]["type"] = json!("button");
    pressed["messages"][0]["button"] = json!({"text": said, "payload": "x"});
    let mut file = wrote("wamid.2", now, said);
    file["messages"][0]["type"] = json!("document");
    file["messages"][0]["document"] = json!({"id": "1", "filename": said});
    for value in [pressed, file] {
        world.deliver(&value).await;
    }
    world
        .work(world.sms("SM1", "Je+voudrais+une+table", "&MessageType=button&ButtonPayload=x"))
        .await;
    assert_eq!(world.customer().await.language, None);
    // An SMS is as good as any text.
    world
        .work(world.sms("SM2", "Je+voudrais+r%C3%A9server+une+table+pour+quatre+personnes", ""))
        .await;
    assert_eq!(world.customer().await.language.as_deref(), Some("fr"));
}

/// An SMS from this sender, as Twilio writes senders.
fn sms_from(world: &World, sid: &str, from: &str, text: &str) -> ProviderEvent {
    let from = from.replace('+', "%2B").replace('&', "%26");
    world.twilio_inbound(format!("MessageSid={sid}&From={from}&To=%2B15005550006&Body={text}"))
}

/// RCS comes from the number's own telephone.
#[tokio::test]
async fn stop_by_rcs_holds_for_its_number() {
    let world = World::new().await;
    world
        .work(sms_from(&world, "SM1", &format!("rcs:{CUSTOMER}"), "STOP"))
        .await;
    assert!(world.customer().await.opted_out().is_some());
    // A number that only an app claims is nobody's.
    world
        .work(sms_from(&world, "SM2", "client:+971501234599", "STOP"))
        .await;
    assert_eq!(world.contact_of(&Identity::Phone(phone("+971501234599"))).await, None);
}

/// They are shown, and nobody waits for an answer: there is no conversation, no wish and no automatic answer.
#[tokio::test]
async fn short_codes_and_names_are_only_shown() {
    for (from, text) in [
        ("68849", "Your code is 1234"),
        ("MYBANK", "HELP"),
        ("Shop & Go", "STOP"),
    ] {
        let world = World::new().await;
        assert_eq!(world.work(sms_from(&world, "SM1", from, text)).await, Done::Now);
        assert_eq!(world.work(sms_from(&world, "SM1", from, text)).await, Done::Already);
        let identity = Identity::Sender(from.parse().unwrap());
        let contact = world.contact_of(&identity).await.expect("a contact");
        assert_eq!(world.name_of(&contact).await.as_deref(), Some(from));
        assert!(!contact.refuses() && contact.missed.is_empty(), "{from}");
        let (received, _) = world.told_by(&contact).await;
        assert_eq!(received.len(), 1);
        assert_eq!(
            (received[0].message.text.as_deref(), received[0].answer),
            (Some(text), None)
        );
        let conversation = ConversationId::of(contact.id, received[0].line);
        let found = world
            .aws
            .store()
            .conversation(world.business.scope(), conversation)
            .await;
        assert_eq!(found.unwrap(), None);
        assert!(world.take_send_jobs().await.is_empty());
    }
}

/// A message is written to as its channel reported the number, and to the form of a call by the other channel.
#[tokio::test]
async fn each_channel_is_written_to_in_its_own_form() {
    let world = World::new().await;
    let mut hello = wrote("wamid.in", world.seconds(), "Hello");
    hello["messages"][0]["from"] = "5215512345678".into();
    hello["contacts"][0]["wa_id"] = "5215512345678".into();
    world.deliver(&hello).await;
    world
        .work(sms_from(&world, "SM1", "+525512345678", "Hello again"))
        .await;
    let contact = world
        .contact_of(&Identity::Phone(phone("+525512345678")))
        .await
        .expect("a contact");
    assert_eq!(contact.phones.len(), 1);
    assert_eq!(world.told_by(&contact).await.0.len(), 2);
    for (channel, form) in [(Channel::WhatsApp, "+5215512345678"), (Channel::Sms, "+525512345678")] {
        for to in ["+5215512345678", "+525512345678"] {
            let to = Recipient {
                phone: Some(phone(to)),
                bsuid: None,
            };
            let written = contact.recipient_on(channel, &to).phone.expect("a number");
            assert_eq!(written.as_str(), form, "{channel:?}");
        }
    }
}
