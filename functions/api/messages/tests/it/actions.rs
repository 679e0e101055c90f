//! Previews, cancellations, and failed messages that are sent again.

use domain::messages::OptFlag;
use domain::terms::{Category, Classified, Effect, ErrorClass, Narrowing, Policy, Purpose};
use futures::future::join_all;
use jobs::SendMessage;
use kit::QueueName;
use store::contacts::Brought;
use testkit::Lossy;
use testkit::business::{against_sms_rules, business_with, send_as};

use super::sending::{customer, opted_in, sms, template, two_a_minute, with};
use super::*;

/// The provider takes the attempt under way.
fn accept_attempt(message: &mut Message, now: Timestamp, timers: &Timers) {
    message.claim(0, "claim".to_owned(), now, timers);
    let taken = SendOutcome::Accepted {
        provider_ref: "wamid.1".parse().unwrap(),
        segments: None,
    };
    assert!(message.record(1, taken, now, timers));
}

/// The provider refuses each channel for good.
fn refuse_channels(message: &mut Message, now: Timestamp, timers: &Timers) {
    for leg in 0..message.plan.len() {
        message.claim(u8::try_from(leg).unwrap(), "claim".to_owned(), now, timers);
        let outcome = SendOutcome::Refused {
            code: Some(131026),
            classified: Classified {
                class: ErrorClass::FallBack,
                effect: Effect::None,
                first_wait: 0,
                meaning: "it did not work",
            },
            reason: "the provider refuses it".to_owned(),
            because: None,
            retry_after: None,
        };
        let number = message.last().unwrap().number;
        assert!(message.record(number, outcome, now, timers));
    }
}

/// A message to the customer that the providers of all its channels refused.
async fn failed_message(aws: &Aws, business: &Seeded) -> Message {
    let (now, timers) = (aws.now(), timers(aws));
    follow_up(aws, business, CUSTOMER, |message| {
        refuse_channels(message, now, &timers)
    })
    .await
}

/// The channels of a preview or a message, with their templates.
fn legs(shown: &Value, field: &str) -> Vec<Value> {
    let legs = shown[field].as_array().unwrap().iter();
    legs.map(|leg| json!([leg["channel"], leg["template"]])).collect()
}

#[tokio::test]
async fn preview_shows_what_sending_does_and_writes_nothing() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let body = sms(CUSTOMER, json!({"template": template()}));
    agent.post(PREVIEW, body.clone()).await;
    let before = aws.row_count().await;
    let previewed = agent.post(PREVIEW, body.clone()).await;
    assert_eq!(aws.row_count().await, before);
    assert_eq!(customer(&aws, &business, CUSTOMER).await, None);
    let preview = previewed.is(200).json();
    assert_eq!(json!([preview["sent"], preview["code"]]), json!([true, "planned"]));
    assert_eq!(preview["contact"], Value::Null);
    let checks = preview["checks"].as_array().unwrap();
    assert!(checks.iter().all(|check| check["passed"] == true), "{checks:?}");
    assert_eq!(
        texts(checks, "check"),
        [
            "account",
            "destination",
            "consent",
            "need",
            "room",
            "quiet_hours",
            "validity"
        ]
    );
    let read = "Hello there, sorry we missed your call to Harbour Lane today. How can we help?";
    assert_eq!(
        texts(preview["channels"].as_array().unwrap(), "text"),
        [read, "Your order is ready."]
    );

    let sent = agent.post(MESSAGES, body).await.is(201).json();
    assert_eq!(sent["send_at"], preview["send_at"]);
    assert_eq!(sent["valid_until"], preview["valid_until"]);
    assert_eq!(sent["customer"], preview["customer"]);
    assert_eq!(legs(&sent, "legs"), legs(&preview, "channels"));
    assert_snapshot("preview", &[&previewed]);
}

/// The refusal of the person, and a closed window beside it.
#[tokio::test]
async fn preview_tells_every_verdict_not_only_the_first() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let until = aws.now() + SignedDuration::from_mins(5);
    let business = business_with(&aws, |configured| {
        for connection in &mut configured.connections {
            connection.paused_until = Some(until);
        }
    })
    .await;
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let now = aws.now();
    let stopped = |contact: &mut Contact| drop(contact.wish(OptFlag::Stop, "wrote STOP", now));
    let contact = business.contact_with(&aws, &mobile(1), stopped).await.id;
    let body = |last: usize| sms(&mobile(last), json!({"text": "Hello"}));
    let preview = agent.post(PREVIEW, body(1)).await.is(200).json();
    assert_eq!(json!([preview["sent"], preview["code"]]), json!([false, "opted_out"]));
    assert_eq!(preview["contact"]["id"], json!(contact));
    let failed = preview["checks"].as_array().unwrap().iter();
    let failed: Vec<_> = failed.filter(|check| check["passed"] == false).collect();
    assert_eq!(
        json!([failed.len(), failed[0]["check"], failed[0]["code"]]),
        json!([1, "consent", "opted_out"])
    );
    // Whoever nothing stops is told of the pause of the number.
    let preview = agent.post(PREVIEW, body(2)).await.is(200).json();
    let channels = &preview["channels"];
    assert_eq!(
        json!([preview["sent"], channels[0]["code"]]),
        json!([true, "window_closed"])
    );
    assert_eq!(
        json!([channels[1]["passed"], channels[1]["code"], channels[1]["waits_until"]]),
        json!([false, "paused", until])
    );
    assert_eq!(channels[1]["text"], "Your order is ready.");
}

/// By SMS alone, and behind or before WhatsApp, where an SMS that is refused is left out.
#[tokio::test]
async fn preview_tells_each_kind_of_rule_of_countries() {
    let aws = Aws::new().await;
    let (town, now) = (town(&aws).await, aws.now());
    for against in against_sms_rules() {
        let business = business_with(&aws, |configured| send_as(configured, &against)).await;
        let agent = town.key_of(business.scope(), Role::Agent).await;
        let to = against["to"].as_str().unwrap();
        business.contact_with(&aws, to, |contact| opted_in(contact, now)).await;
        let body = json!({"category": against["category"], "sms_text": against["text"]});
        let mut asked = vec![sms(to, body)];
        // The template is of this category.
        if against["category"] == "utility" {
            for channels in [json!(["whatsapp", "sms"]), json!(["sms", "whatsapp"])] {
                let both = json!({"channels": channels, "sms_text": against["text"], "template": template()});
                asked.push(sms(to, both));
            }
        }
        let refused = against["applies"] == "refuse";
        // A later time tells hours.
        let rule = json!([[against["rule"], refused, against["sentence"]]]);
        let rules = if against["applies"] == "wait" { json!([]) } else { rule };
        let verdict = if refused {
            json!([false, "country_rule", against["sentence"]])
        } else {
            json!([true, null, null])
        };
        for body in asked {
            let shown = agent.post(PREVIEW, body).await.is(200).json();
            let channels = shown["channels"].as_array().unwrap().iter();
            let (sms, others): (Vec<_>, Vec<_>) = channels.partition(|shown| shown["channel"] == "sms");
            let sms = sms[0];
            assert_eq!(sms["text"], against["text"]);
            assert_eq!(
                json!([sms["passed"], sms["code"], sms["reason"]]),
                verdict,
                "{against} {sms}"
            );
            let told = sms["country_rules"].as_array().unwrap().iter();
            let told: Vec<_> = told
                .map(|rule| json!([rule["facts"]["rule"], rule["refused"], rule["reason"]]))
                .collect();
            assert_eq!(json!(told), rules, "{against}");
            for other in others {
                let checks = other["checks"].as_array().unwrap();
                assert!(other["passed"] == true && !checks.is_empty(), "{against} {other}");
            }
        }
    }
}

#[tokio::test]
async fn preview_of_wrong_fields_names_them() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let body = sms(LINE, json!({"basis": null}));
    agent.post(PREVIEW, body).await.names_only(&["phone", "basis"]);
    let unknown = ContactId::new(aws.ids().ulid());
    let nobody = sms(CUSTOMER, json!({"phone": null, "contact_id": unknown}));
    agent.post(PREVIEW, nobody).await.is_refused(404, "not_found");
}

#[tokio::test]
async fn message_that_was_not_sent_is_cancelled_once() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let sent = agent.post(MESSAGES, sms(CUSTOMER, json!({}))).await;
    let place = sent.header("location");
    for _ in 0..2 {
        let cancelled = agent.post(&format!("{place}/cancel"), Value::Null).await.is(200).json();
        assert_eq!(
            json!([cancelled["cancelled"], cancelled["state"]]),
            json!(["all", "cancelled"])
        );
        assert_eq!(cancelled["decision"], "not sent: cancelled by an API key");
    }
    assert_eq!(agent.get(place).await.is(200).json()["code"], "unnecessary");
    let contact = customer(&aws, &business, CUSTOMER).await.unwrap();
    assert_eq!((contact.frequency_from(), contact.open), (None, vec![]));
}

#[tokio::test]
async fn cancelling_says_what_it_prevents() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let (now, timers) = (aws.now(), timers(&aws));
    let cancel = |message: MessageId| agent.post(&format!("{MESSAGES}/{message}/cancel"), Value::Null);
    let waits = follow_up(&aws, &business, &mobile(1), |_| {}).await.id;
    let accepts = |message: &mut Message| accept_attempt(message, now, &timers);
    let taken = follow_up(&aws, &business, &mobile(2), accepts).await.id;
    let claims = |message: &mut Message| {
        message.claim(0, "claim".to_owned(), now, &timers);
    };
    let claimed = follow_up(&aws, &business, &mobile(3), claims).await.id;
    for (message, prevented, state) in [
        (waits, "all", "cancelled"),
        (taken, "further_channels", "accepted"),
        (claimed, "further_channels", "cancelled"),
    ] {
        let cancelled = cancel(message).await.is(200).json();
        assert_eq!(
            json!([cancelled["cancelled"], cancelled["state"]]),
            json!([prevented, state])
        );
    }
    let arrived = follow_up(&aws, &business, &mobile(4), |message| {
        deliver_message(message, now, &timers)
    })
    .await;
    let over = cancel(arrived.id).await;
    over.is_refused(409, "not_cancellable");
    assert_eq!(
        json!([over.json()["code"], over.json()["facts"]["state"]]),
        json!(["nothing_left", "delivered"])
    );
    let theirs = business.receive(&aws, arrived.id.contact(), |_| {}).await.id;
    cancel(theirs).await.is_refused(409, "not_cancellable");
    let nobodys = MessageId::new(theirs.contact(), aws.ids().ulid());
    cancel(nobodys).await.is_refused(404, "not_found");
}

#[tokio::test]
async fn failed_message_is_sent_again_once() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let failed = failed_message(&aws, &business).await;
    let place = format!("{MESSAGES}/{}", failed.id);
    let retry = || agent.post(&format!("{place}/retry"), Value::Null).into_future();
    let answers = join_all((0..5).map(|_| retry())).await;
    let first = answers[0].is(201).json();
    for answer in &answers {
        assert_eq!(answer.is(201).json()["id"], first["id"]);
    }
    let again = retry().await;
    assert_eq!(again.is(201).json()["id"], first["id"]);
    assert_eq!(again.header("location"), path_of(&first));
    let before = agent.get(&place).await.is(200).json();
    assert_eq!(
        json!([before["retried_as"], before["state"]]),
        json!([first["id"], "failed"])
    );
    assert_eq!(json!([first["retries"], first["purpose"]]), json!([failed.id, "api"]));
    assert_eq!(legs(&first, "legs"), legs(&before, "legs"));
    assert_eq!(first["legs"][1]["text"], before["legs"][1]["text"]);
    let id: MessageId = serde_json::from_value(first["id"].clone()).unwrap();
    let placed = aws.store().messages(business.scope(), &[id], aws.now()).await.unwrap();
    // The call that it follows counts by it now.
    assert_eq!(placed[0].called_at, failed.called_at);
    assert!(failed.called_at.is_some());
    let jobs = aws.take_jobs::<SendMessage>(QueueName::Sends).await;
    let jobs: Vec<_> = jobs.iter().map(|job| json!(job.message)).collect();
    assert!(
        jobs.iter().all(|job| *job == first["id"]) && !jobs.is_empty(),
        "{jobs:?}"
    );
    assert_eq!(agent.get(MESSAGES).await.items().len(), 2);
    // The new one has not failed.
    let retry_new = format!("{}/retry", again.header("location"));
    let new = agent.post(&retry_new, Value::Null).await;
    assert_eq!(new.is_refused(409, "not_retryable").json()["code"], "not_failed");
}

#[tokio::test]
async fn only_what_certainly_failed_is_sent_again() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let (now, timers) = (aws.now(), timers(&aws));
    let retry = |message: MessageId| agent.post(&format!("{MESSAGES}/{message}/retry"), Value::Null);
    let waits = follow_up(&aws, &business, &mobile(1), |_| {}).await;
    let arrived = follow_up(&aws, &business, &mobile(2), |message| {
        deliver_message(message, now, &timers)
    })
    .await;
    let unclear = follow_up(&aws, &business, &mobile(3), |message| {
        message.claim(0, "claim".to_owned(), now, &timers);
        blocked_by_suspension(message);
    })
    .await;
    for (message, code) in [
        (&waits, "not_failed"),
        (&arrived, "not_failed"),
        (&unclear, "unconfirmed"),
    ] {
        let kept = retry(message.id).await;
        assert_eq!(kept.is_refused(409, "not_retryable").json()["code"], code);
    }
    let theirs = business.receive(&aws, waits.id.contact(), |_| {}).await.id;
    retry(theirs).await.is_refused(409, "not_retryable");

    let blocked = follow_up(&aws, &business, &mobile(4), blocked_by_suspension).await;
    let contact = blocked.id.contact();
    let stop = |contact: &mut Contact| contact.wish(OptFlag::Stop, "wrote STOP", now);
    aws.change_contact(business.scope(), contact, stop).await;
    assert_not_sent(&retry(blocked.id).await, "opted_out");
    let kept = agent.get(&format!("{MESSAGES}/{}", blocked.id)).await.json();
    assert_eq!(kept["retried_as"], Value::Null);
}

/// The first request may have stopped before queueing it.
#[tokio::test]
async fn repeated_retry_queues_what_it_finds() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let (now, timers) = (aws.now(), timers(&aws));
    let failed = failed_message(&aws, &business).await;
    let retry = || agent.post(&format!("{MESSAGES}/{}/retry", failed.id), Value::Null);
    let second: MessageId = retry().await.is(201).json()["id"].as_str().unwrap().parse().unwrap();
    let queued = async || {
        let jobs = aws.take_jobs::<SendMessage>(QueueName::Sends).await;
        jobs.iter().map(|job| job.message).collect::<Vec<_>>()
    };
    assert_eq!(queued().await, [second]);
    retry().await.is(201);
    assert_eq!(queued().await, [second]);
    // Something became of it.
    let mut message = read_message(&aws, &business, &json!({"id": second})).await;
    accept_attempt(&mut message, now, &timers);
    aws.store().write_message(business.scope(), &message).await.unwrap();
    retry().await.is(201);
    assert_eq!(queued().await, []);
}

#[tokio::test]
async fn retry_counts_once_however_many_races_it_loses() {
    let aws = Aws::new().await;
    let lossy = Lossy::before(&aws);
    let town = Town::with_env(&aws, &aws.env_behind(lossy.url()), messages::routes).await;
    let business = business_with(&aws, two_a_minute).await;
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let failed = failed_message(&aws, &business).await;
    for _ in 0..3 {
        lossy.be_in_the_way_of("TransactWriteItems");
    }
    let path = format!("{MESSAGES}/{}/retry", failed.id);
    agent.post(&path, Value::Null).await.is(201);
    assert!(lossy.has_lost_all());
    agent.post(MESSAGES, sms(&mobile(1), json!({}))).await.is(201);
    agent.post(MESSAGES, sms(&mobile(2), json!({}))).await.is(429);
}

#[tokio::test]
async fn automatic_answer_is_not_sent_again() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let answer = follow_up(&aws, &business, CUSTOMER, |message| {
        let narrowed = Policy::for_purpose(Purpose::AutoReply, Category::Service, &Narrowing::default());
        message.policy = narrowed.unwrap();
        blocked_by_suspension(message);
    })
    .await;
    let path = format!("{MESSAGES}/{}/retry", answer.id);
    let kept = agent.post(&path, Value::Null).await;
    assert_eq!(kept.is_refused(409, "not_retryable").json()["code"], "automatic_answer");
}

#[tokio::test]
async fn retry_displaces_no_waiting_message() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let failed = failed_message(&aws, &business).await;
    let later = json!({"send_at": aws.now() + SignedDuration::from_hours(2)});
    // It is settled, so four others can wait.
    for _ in 0..4 {
        agent.post(MESSAGES, sms(CUSTOMER, later.clone())).await.is(201);
    }
    let path = format!("{MESSAGES}/{}/retry", failed.id);
    let refused = agent.post(&path, Value::Null).await;
    assert_not_sent(&refused, "too_many_open");
    let waiting = agent.get(&format!("{MESSAGES}?state=scheduled")).await;
    assert_eq!(waiting.items().len(), 4);
}

/// A wrong number was corrected. Answers to it would reach somebody else of the contact.
#[tokio::test]
async fn removed_number_gets_no_message_again_and_no_answer() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let (now, timers) = (aws.now(), timers(&aws));
    let failed = follow_up(&aws, &business, CUSTOMER, |message| {
        // An id beside the number, which need not be the same user's.
        message.to.bsuid = Some("AE.1".to_owned());
        refuse_channels(message, now, &timers);
        message.attempts[0].provider_ref = Some("wamid.1".parse().unwrap());
    });
    let failed = failed.await;
    let contact = failed.id.contact();
    let from_there = |received: &mut Received| received.message.from.phone = Some(phone(CUSTOMER));
    let theirs = business.receive(&aws, contact, from_there).await;
    let (store, scope, stamp) = (aws.store(), business.scope(), aws.stamp());
    let before = store.known_person(scope, contact).await.unwrap().unwrap();
    let mut after = before.clone();
    after.contact.phones = vec![phone(&mobile(9))];
    after.contact.bsuids = vec!["AE.1".to_owned()];
    let brought = Brought::default();
    let changed = store.change_person(scope, &before, &after, &brought, &stamp).await;
    assert!(changed.is_ok());
    let retry = format!("{MESSAGES}/{}/retry", failed.id);
    assert_not_sent(&agent.post(&retry, Value::Null).await, "recipient_removed");
    for id in [failed.id, theirs.id] {
        for content in [
            json!({"text": "Hello", "reply_to": id}),
            json!({"reaction": {"message_id": id, "emoji": "👍"}}),
        ] {
            let mut body = json!({"contact_id": contact, "category": "utility", "basis": "Order 1042"});
            with(&mut body, content);
            assert_not_sent(&agent.post(MESSAGES, body).await, "recipient_removed");
        }
    }
}

#[tokio::test]
async fn actions_need_the_permission_to_send() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let message = follow_up(&aws, &business, CUSTOMER, |_| {}).await;
    let viewer = town.key_of(business.scope(), Role::Viewer).await;
    for action in ["cancel", "retry"] {
        let path = format!("{MESSAGES}/{}/{action}", message.id);
        viewer.post(&path, Value::Null).await.is_refused(403, "forbidden");
        town.admin().post(&path, Value::Null).await.is_refused(404, "not_found");
    }
}
