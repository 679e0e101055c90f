//! Sending by request: a message is written once, or refused with its reason and nothing is written.

use access::link::{Customer, Follower};
use domain::messages::{OptFlag, TrackedEnd};
use domain::money::{Cap, Period, Take};
use domain::people::{By, Choice, Identity, LinkCode, LinkOrigin, Scope, Wish};
use domain::tenants::{Limits, Tenant, TenantStatus};
use domain::terms::{Lane, Purpose};
use futures::future::join_all;
use jobs::SendMessage;
use kit::QueueName;
use store::TenantScope;
use store::table::due::Partition;
use store::tenants::Configured;
use testkit::api::Caller;
use testkit::business::{business_with, read};

use super::*;

/// The number of a landline in the United Arab Emirates.
const LANDLINE: &str = "+97143330001";

const TEMPLATES: &str = "/api/v1/messages/send-template";
const ALIAS: &str = "/api/messages/send-template";

/// A request for an SMS to this number, with these fields instead of or beside its own.
pub(crate) fn sms(number: &str, more: Value) -> Value {
    let mut body = json!({
        "phone": number, "category": "utility", "basis": "Order 1042", "sms_text": "Your order is ready.",
    });
    with(&mut body, more);
    body
}

pub(crate) fn with(body: &mut Value, more: Value) {
    if let Value::Object(more) = more {
        for (name, value) in more {
            body[name] = value;
        }
    }
}

pub(crate) fn template() -> Value {
    json!({
        "name": "missed_call_followup", "language": "en_GB",
        "variables": {"1": {"from": "contact.first_name", "default": "there"}, "2": {"from": "tenant.name"}},
    })
}

/// The body of a request for a message with a template, by WhatsApp.
fn by_template(number: &str, more: Value) -> Value {
    let mut body = json!({"phone": number, "category": "utility", "basis": "Order 1042", "template": template()});
    with(&mut body, more);
    body
}

pub(crate) async fn customer(aws: &Aws, business: &Seeded, number: &str) -> Option<Contact> {
    let identity = Identity::Phone(phone(number));
    let found = aws.store().contact_of(business.scope(), &identity).await;
    found.expect("the table answers")
}

pub(crate) fn opted_in(contact: &mut Contact, at: Timestamp) {
    contact.record(Wish::new(Choice::Granted, Scope::ALL, By::User, "said so", at));
}

/// The customer, who wants offers.
async fn fan(aws: &Aws, business: &Seeded) -> Contact {
    let wants_offers = |contact: &mut Contact| opted_in(contact, aws.now());
    business.contact_with(aws, CUSTOMER, wants_offers).await
}

/// A cap of the messages that are requested in a day.
fn daily(maximum: u32) -> Cap {
    Cap {
        number: 1,
        period: Period::Day,
        scope: Default::default(),
        purpose: Some(Purpose::Api),
        currency: None,
        maximum,
    }
}

/// Counts a message, which reaches this cap.
async fn reach(aws: &Aws, scope: &TenantScope, cap: Cap) {
    let take = Take {
        cap: cap.clone(),
        amount: 1,
    };
    let taken = aws.store().take_from_caps(scope, &[take], &[cap], aws.now()).await;
    assert!(taken.unwrap().is_ok());
}

/// A tenant that may send two utility messages a minute.
pub(crate) fn two_a_minute(configured: &mut Configured) {
    configured.tenant.limits = Some(Limits {
        requests_per_minute: Some(16),
        ..Limits::default()
    });
}

/// Of fifty requests with one key at once, some are told to try again.
#[tokio::test]
async fn one_key_sends_one_message_however_often() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let bodies = ["Your order is ready.", "Your order is late."].map(|text| sms(CUSTOMER, json!({ "sms_text": text })));
    let ask = |which: usize| agent.post_once(MESSAGES, "order-1042", bodies[which].clone());
    let answers = join_all((0..50).map(|client| ask(client % 2).into_future())).await;
    // Of the two bodies, one comes first.
    let place = answers.iter().position(|answer| answer.status() == 201);
    let first = place.expect("somebody is first") % 2;
    for (client, answer) in answers.iter().enumerate() {
        match answer.status() {
            201 => assert_eq!(client % 2, first),
            409 => drop(answer.is_refused(409, "still_running")),
            _ => {
                answer.is_refused(422, "idempotency_key_reused");
                assert_ne!(client % 2, first);
            }
        }
    }
    let again = ask(first).await;
    let id = again.is(201).json()["id"].clone();
    assert_eq!(again.header("location"), format!("{MESSAGES}/{}", id.as_str().unwrap()));
    for answer in answers.iter().filter(|answer| answer.status() == 201) {
        assert_eq!(answer.json()["id"], id);
    }
    let listed = agent.get(MESSAGES).await.items();
    assert_eq!(texts(&listed, "id"), [id.as_str().unwrap()]);
    let jobs = aws.take_jobs::<SendMessage>(QueueName::Sends).await;
    let jobs: Vec<_> = jobs.iter().map(|job| json!(job.message)).collect();
    assert_eq!(jobs, [id]);
    let other = ask(1 - first).await;
    other.is_refused(422, "idempotency_key_reused");
}

/// Without a key, each request is another message.
#[tokio::test]
async fn requests_at_once_to_a_new_number_make_one_contact() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let ask = || agent.post(MESSAGES, sms(CUSTOMER, json!({}))).into_future();
    let answers = join_all((0..4).map(|_| ask())).await;
    let contact = customer(&aws, &business, CUSTOMER).await.unwrap();
    for answer in &answers {
        assert_eq!(answer.is(201).json()["contact"]["id"], json!(contact.id));
    }
    assert_eq!(contact.open.len(), 4);
    assert_eq!(agent.get(MESSAGES).await.items().len(), 4);
}

#[tokio::test]
async fn a_requested_message_says_who_wanted_it_and_why() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let body = by_template(
        CUSTOMER,
        json!({"sms_text": "{{contact.first_name|Hello}}", "fallback_after_seconds": 60}),
    );
    let sent = agent.post(MESSAGES, body).await;
    let message = sent.is(201).json();
    for (field, value) in [
        ("state", json!("scheduled")),
        ("purpose", json!("api")),
        ("category", json!("utility")),
        ("basis", json!("Order 1042")),
        ("call_id", Value::Null),
        ("retries", Value::Null),
        ("send_at", json!(aws.now())),
        ("valid_until", json!(aws.now() + SignedDuration::from_hours(24))),
    ] {
        assert_eq!(message[field], value, "{field}");
    }
    assert!(message["requested_by"].as_str().unwrap().starts_with("key_"));
    assert_eq!(
        message["legs"][0]["template"]["values"],
        json!(["there", "Harbour Lane"])
    );
    assert_eq!(message["legs"][1]["text"], "Hello");
    let shown = agent.get(sent.header("location")).await;
    assert_eq!(shown.is(200).json(), message);
    // However many are requested, follow-ups do not wait behind them.
    let queued = aws.drain_with_groups(QueueName::Sends).await;
    assert_eq!(queued[0].0, format!("{}#requested", business.tenant()));
    // It starts no cooldown: a missed call is answered all the same.
    let contact = customer(&aws, &business, CUSTOMER).await.unwrap();
    assert_eq!((contact.last_follow_up_at, contact.open.len()), (None, 1));
    Box::pin(business.follow_up(&aws, CUSTOMER)).await;
    assert_snapshot("requested", &[&sent]);
}

#[tokio::test]
async fn refused_message_leaves_nothing_behind() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let now = aws.now();
    let stopped = |contact: &mut Contact| drop(contact.wish(OptFlag::Stop, "wrote STOP", now));
    business.contact_with(&aws, &mobile(1), stopped).await;
    business.suppress(&aws, &mobile(2)).await;
    business.erased_after_stop(&aws, &mobile(3)).await;
    let wants_offers = |contact: &mut Contact| opted_in(contact, now);
    business.contact_with(&aws, &mobile(4), wants_offers).await;
    let deleted = |contact: &mut Contact| contact.deleted_at = Some(now);
    business.contact_with(&aws, &mobile(5), deleted).await;
    let erasing = |contact: &mut Contact| (contact.deleted_at, contact.erasing) = (Some(now), true);
    business.contact_with(&aws, &mobile(6), erasing).await;
    let marketing = json!({"category": "marketing"});
    let unknown = json!({"template": {"name": "nothing", "language": "en_GB"}});
    let unfit = json!({"template": {"name": "missed_call_followup", "language": "en_GB", "variables": {}}});
    let window = json!({"sms_text": null, "text": "Hello"});
    // The caller's own rate is counted, and the key was never used before.
    agent.post(MESSAGES, sms(LANDLINE, json!({}))).await;
    let before = aws.row_count().await;
    for (body, kind, code) in [
        (sms(&mobile(1), json!({})), "message_refused", "opted_out"),
        (sms(&mobile(2), json!({})), "message_refused", "opted_out"),
        (sms(&mobile(3), json!({})), "message_refused", "opted_out"),
        (sms(&mobile(9), marketing.clone()), "message_refused", "no_consent"),
        (sms(&mobile(5), json!({})), "message_refused", "contact_deleted"),
        (sms(&mobile(6), json!({})), "message_refused", "contact_deleted"),
        (sms(LANDLINE, json!({})), "message_refused", "no_channel"),
        (sms("+881612345678", json!({})), "message_refused", "destination"),
        (by_template(&mobile(9), unknown), "message_refused", "template"),
        (by_template(&mobile(9), unfit), "message_refused", "template"),
        // The template is of the category `utility`.
        (by_template(&mobile(4), marketing), "message_refused", "template"),
        (
            sms(&mobile(9), json!({"sms_text": "{{call.time}}"})),
            "message_refused",
            "template",
        ),
        (sms(&mobile(9), window), "window_closed", "window_closed"),
    ] {
        let refused = agent.post(MESSAGES, body.clone()).await;
        let refused = refused.is_refused(409, kind).json();
        assert_eq!(refused["code"], code, "{body}: {refused}");
        assert!(refused["facts"].is_object(), "{body}: {refused}");
    }
    assert_eq!(aws.row_count().await, before);
    assert_eq!(aws.depth(QueueName::Sends).await, 0);
    assert_eq!(customer(&aws, &business, &mobile(9)).await, None);
}

#[tokio::test]
async fn wrong_fields_of_a_request_are_named() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let contact = business.contact(&aws, &mobile(1)).await.id;
    let line = "line_00000000000000000000000009";
    let to = |more: Value| sms(CUSTOMER, more);
    for (path, body, field) in [
        (MESSAGES, to(json!({"phone": null})), "phone"),
        (MESSAGES, to(json!({"contact_id": contact})), "contact_id"),
        (MESSAGES, sms(WHATSAPP, json!({})), "phone"),
        (MESSAGES, to(json!({"basis": null})), "basis"),
        (MESSAGES, to(json!({"sms_text": null})), "template"),
        (MESSAGES, to(json!({"line_id": line})), "line_id"),
        (
            MESSAGES,
            to(json!({"send_at": aws.now() - SignedDuration::from_secs(1)})),
            "send_at",
        ),
        (
            MESSAGES,
            to(json!({"send_at": aws.now() + SignedDuration::from_hours(23)})),
            "send_at",
        ),
        (
            MESSAGES,
            to(json!({"phone": null, "whatsapp_id": "AE.1"})),
            "whatsapp_id",
        ),
        (MESSAGES, to(json!({"category": "service"})), "category"),
        (MESSAGES, to(json!({"channels": ["whatsapp"]})), "channels[0]"),
        (TEMPLATES, to(json!({})), "template"),
        (TEMPLATES, to(json!({"template": template(), "text": "Hello"})), "text"),
    ] {
        agent.post(path, body).await.names_field(field);
    }
    assert!(agent.get(MESSAGES).await.items().is_empty());
}

/// The last of these times is later than any that there is.
#[tokio::test]
async fn time_of_next_year_or_of_no_year_is_refused() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    for send_at in ["2027-11-20T12:00:00Z", "9999-12-30T21:59:59Z", "9999-12-31T23:59:59Z"] {
        for path in [MESSAGES, PREVIEW] {
            let refused = agent.post(path, sms(CUSTOMER, json!({ "send_at": send_at }))).await;
            refused.names_only(&["send_at"]);
        }
    }
    assert!(agent.get(MESSAGES).await.items().is_empty());
    assert_eq!(customer(&aws, &business, CUSTOMER).await, None);
}

/// A number that became one of the business's after somebody had called from it.
#[tokio::test]
async fn contact_with_a_number_of_the_business_is_oneself() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let own = business.contact(&aws, WHATSAPP).await.id;
    let refused = agent.post(MESSAGES, sms(CUSTOMER, json!({"phone": null, "contact_id": own})));
    refused.await.names_only(&["contact_id"]);
}

#[tokio::test]
async fn unknown_and_merged_contacts_are_not_found() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let to = |contact: ContactId| {
        let body = sms(CUSTOMER, json!({"phone": null, "contact_id": contact}));
        agent.post(MESSAGES, body)
    };
    to(ContactId::new(aws.ids().ulid())).await.is_refused(404, "not_found");
    let now = aws.now();
    let deleted = |contact: &mut Contact| contact.deleted_at = Some(now);
    let deleted = business.contact_with(&aws, &mobile(1), deleted).await;
    to(deleted.id).await.is_refused(404, "not_found");
    let survivor = business.contact(&aws, &mobile(2)).await.id;
    let other = business.contact(&aws, &mobile(3)).await.id;
    business.merge(&aws, survivor, other).await;
    let merged = to(other).await;
    merged.is_refused(404, "merged");
    assert_eq!(merged.header("location"), format!("/api/v1/contacts/{survivor}"));
    // By the number, it is the survivor's.
    let sent = agent.post(MESSAGES, sms(&mobile(3), json!({}))).await;
    assert_eq!(sent.is(201).json()["contact"]["id"], json!(survivor));
    assert_eq!(sent.json()["customer"]["number"], mobile(3));
}

#[tokio::test]
async fn quiet_hours_postpone_a_request_or_refuse_it() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    // It is four in the afternoon where the customer lives.
    let open = async |action: &str| {
        let quiet = json!({"from": "14:00", "to": "18:00", "action": action});
        let business = business_with(&aws, |configured| configured.tenant.quiet_hours = Some(read(quiet))).await;
        town.key_of(business.scope(), Role::Agent).await
    };
    let later = open("defer").await.post(MESSAGES, sms(CUSTOMER, json!({}))).await;
    assert_eq!(later.is(201).json()["send_at"], "2026-11-20T14:00:00Z");
    let tomorrow = json!({"send_at": "2026-11-21T10:59:59Z"});
    let too_late = open("defer").await.post(MESSAGES, sms(CUSTOMER, tomorrow)).await;
    assert_not_sent(&too_late, "late");
    let skipped = open("skip").await.post(MESSAGES, sms(CUSTOMER, json!({}))).await;
    assert_not_sent(&skipped, "quiet_hours");
}

/// The due index has it. The dispatcher queues it from there.
#[tokio::test]
async fn message_is_sent_though_the_queue_does_not_answer() {
    let aws = Aws::new().await;
    let nowhere = aws.env_with(&[("SENDS_QUEUE_URL", "http://127.0.0.1:1/000000000000/none")]);
    let town = Town::with_env(&aws, &nowhere, messages::routes).await;
    let business = business(&aws).await;
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let sent = agent.post_once(MESSAGES, "order-1042", sms(CUSTOMER, json!({}))).await;
    let id = sent.is(201).json()["id"].clone();
    aws.pass(120);
    let mut due = Vec::new();
    for partition in Partition::of(Lane::Answers) {
        due.extend(aws.store().due_page(partition, aws.now(), None, 100).await.unwrap().due);
    }
    let rows = aws.store().due_rows(due).await.unwrap();
    assert_eq!(rows.len(), 1, "of {id}");
}

/// An interrupted request may have written the message and died before it answered.
#[tokio::test]
async fn repeated_request_finds_what_the_interrupted_one_wrote() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let contact = fan(&aws, &business).await;
    let offer = sms(CUSTOMER, json!({"category": "marketing"}));
    let first = agent.post_once(MESSAGES, "offer-7", offer.clone()).await;
    let id = first.is(201).json()["id"].clone();
    // The answer was never stored.
    forget_answers(&aws, &business).await;
    let again = agent.post_once(MESSAGES, "offer-7", offer).await;
    assert_eq!(again.is(201).json()["id"], id);
    let known = customer(&aws, &business, CUSTOMER).await.unwrap();
    assert_eq!(known.version, contact.version + 1);
    let another = sms(CUSTOMER, json!({"category": "marketing"}));
    assert_not_sent(&agent.post(MESSAGES, another).await, "frequency");
}

/// The first request was counted already, and there is nothing else to refuse.
#[tokio::test]
async fn repeated_request_is_answered_beyond_the_limit() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let business = business_with(&aws, two_a_minute).await;
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let ask = || agent.post_once(MESSAGES, "order-1042", sms(CUSTOMER, json!({})));
    let id = ask().await.is(201).json()["id"].clone();
    forget_answers(&aws, &business).await;
    agent.post(MESSAGES, sms(&mobile(1), json!({}))).await.is(201);
    agent.post(MESSAGES, sms(&mobile(2), json!({}))).await.is(429);
    for _ in 0..2 {
        assert_eq!(ask().await.is(201).json()["id"], id);
        forget_answers(&aws, &business).await;
        aws.pass(60);
    }
    assert_eq!(agent.get(MESSAGES).await.items().len(), 2);
}

#[tokio::test]
async fn repeated_request_finds_its_message_after_a_merge() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let survivor = business.contact(&aws, &mobile(1)).await.id;
    let other = business.contact(&aws, &mobile(2)).await.id;
    let body = sms(CUSTOMER, json!({"phone": null, "contact_id": other}));
    let ask = || agent.post_once(MESSAGES, "order-1042", body.clone());
    let id = ask().await.is(201).json()["id"].clone();
    forget_answers(&aws, &business).await;
    business.merge(&aws, survivor, other).await;
    let again = ask().await.is(201).json();
    assert_eq!(json!([again["id"], again["contact"]["id"]]), json!([id, survivor]));
    // Another request has no message yet.
    agent.post(MESSAGES, body.clone()).await.is_refused(404, "merged");
    agent.post(PREVIEW, body.clone()).await.is_refused(404, "merged");
}

/// A caller who got 201 can rely on it: a further message does not take the place of a waiting one.
#[tokio::test]
async fn fifth_waiting_message_to_a_person_is_refused() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let later = || sms(CUSTOMER, json!({"send_at": aws.now() + SignedDuration::from_hours(2)}));
    let mut places = Vec::new();
    for _ in 0..4 {
        let sent = agent.post(MESSAGES, later()).await;
        places.push(sent.is(201).header("location").to_owned());
    }
    let before = aws.row_count().await;
    let fifth = agent.post(MESSAGES, later()).await;
    let fifth = fifth.is_refused(409, "message_refused").json();
    assert_eq!(
        json!([fifth["code"], fifth["facts"]]),
        json!(["too_many_open", {"maximum": 4}])
    );
    let preview = agent.post(PREVIEW, later()).await.is(200).json();
    assert_eq!(
        json!([preview["sent"], preview["code"], preview["facts"]]),
        json!([false, fifth["code"], fifth["facts"]])
    );
    let failed = preview["checks"].as_array().unwrap().iter();
    let failed: Vec<_> = failed.filter(|check| check["passed"] == false).collect();
    assert_eq!(json!([failed.len(), failed[0]["check"]]), json!([1, "room"]));
    assert_eq!(aws.row_count().await, before);
    for place in &places {
        assert_eq!(agent.get(place).await.is(200).json()["state"], "scheduled");
    }
    let cancel = format!("{}/cancel", places[2]);
    agent.post(&cancel, Value::Null).await.is(200);
    agent.post(MESSAGES, later()).await.is(201);
}

/// Its row is gone, and its number will lead to nobody in a moment.
#[tokio::test]
async fn number_of_a_contact_that_is_erased_is_refused() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let contact = business.contact(&aws, CUSTOMER).await.id;
    business.remove(&aws, "CONTACT", Some(contact)).await;
    for path in [MESSAGES, PREVIEW] {
        let refused = agent.post(path, sms(CUSTOMER, json!({}))).await;
        assert_not_sent(&refused, "contact_deleted");
    }
}

/// Takes the stored answers from the rows of requests, as if their functions had died before writing them.
async fn forget_answers(aws: &Aws, business: &Seeded) {
    use aws_sdk_dynamodb::types::AttributeValue;

    let own = business.tenant().to_string();
    let own = format!("T#{}#IDEM#", own.trim_start_matches("tnt_"));
    for mut row in aws.rows().await {
        let of_request = row["pk"].as_s().is_ok_and(|pk| pk.starts_with(&own));
        if !of_request {
            continue;
        }
        if let Some(AttributeValue::M(data)) = row.get_mut("data") {
            data.remove("answer");
        }
        let put = aws.dynamodb().put_item().table_name(aws.table());
        put.set_item(Some(row)).send().await.unwrap();
    }
}

/// Marketing waits a day after whatever the person got.
#[tokio::test]
async fn requests_count_towards_marketing_and_obey_it() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    fan(&aws, &business).await;
    let offer = || agent.post(MESSAGES, sms(CUSTOMER, json!({"category": "marketing"})));
    agent.post(MESSAGES, sms(CUSTOMER, json!({}))).await.is(201);
    let refused = offer().await.is_refused(409, "message_refused").json();
    let preview = agent.post(PREVIEW, sms(CUSTOMER, json!({"category": "marketing"})));
    let preview = preview.await.is(200).json();
    for told in [&refused, &preview] {
        let facts = json!({"category": "utility", "every_seconds": DAY});
        assert_eq!(json!([told["code"], told["facts"]]), json!(["frequency", facts]));
    }
    aws.pass(DAY);
    offer().await.is(201);
    // Offers have a lane of their own.
    assert_eq!(aws.take_jobs::<SendMessage>(QueueName::BulkSends).await.len(), 1);
    agent.post(MESSAGES, sms(CUSTOMER, json!({}))).await.is(201);
}

/// Although it is in the lane of messages to many.
#[tokio::test]
async fn requested_offer_is_in_the_list_of_its_day() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    fan(&aws, &business).await;
    let offer = agent.post(MESSAGES, sms(CUSTOMER, json!({"category": "marketing"})));
    let id = offer.await.is(201).json()["id"].clone();
    let listed = agent.get(&format!("{MESSAGES}?purpose=api")).await.items();
    let listed: Vec<_> = listed.iter().map(|message| message["id"].clone()).collect();
    assert_eq!(listed, [id]);
}

#[tokio::test]
async fn free_text_is_sent_in_the_open_window_only() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    writer(&aws, &business).await;
    let free = json!({"sms_text": null, "text": "Hello {{contact.first_name|there}}"});
    let sent = agent.post(MESSAGES, sms(CUSTOMER, free.clone())).await;
    assert_eq!(sent.is(201).json()["legs"][0]["text"], "Hello there");
    aws.pass(DAY);
    let late = agent.post(MESSAGES, sms(CUSTOMER, free)).await;
    assert!(late.is_refused(409, "window_closed").detail().contains("template"));
    let by_sms = agent.post(MESSAGES, sms(CUSTOMER, json!({"text": "Hello"}))).await;
    let legs = by_sms.is(201).json()["legs"].clone();
    let channels = texts(legs.as_array().unwrap(), "channel");
    assert_eq!(channels, ["sms"]);
}

#[tokio::test]
async fn person_with_a_whatsapp_id_gets_it_by_whatsapp() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let known = |contact: &mut Contact| drop(contact.prefer(&Identity::Bsuid("AE.1".to_owned())));
    let contact = business.contact_with(&aws, CUSTOMER, known).await;
    let body = by_template(
        CUSTOMER,
        json!({"phone": null, "whatsapp_id": "AE.1", "sms_text": "Hello"}),
    );
    let message = agent.post(MESSAGES, body).await.is(201).json();
    assert_eq!(message["contact"]["id"], json!(contact.id));
    assert_eq!(
        json!([message["customer"], message["whatsapp_id"], message["legs"][1]]),
        json!([null, "AE.1", null])
    );
}

#[tokio::test]
async fn link_in_a_message_leads_to_its_contact() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let body = sms(
        CUSTOMER,
        json!({"sms_text": "{{preferences.code}} {{link_code:https://saffron.example}}"}),
    );
    let message = agent.post(MESSAGES, body).await.is(201).json();
    let stored = read_message(&aws, &business, &message).await;
    let (code, end) = stored.plan[0].content.words().unwrap().split_once(' ').unwrap();
    let code: LinkCode = code.parse().unwrap();
    let known = Customer::admit(&aws.store(), &code, aws.now()).await.unwrap().unwrap();
    assert_eq!(json!(known.link().contact), message["contact"]["id"]);
    assert_eq!(known.link().origin, LinkOrigin::Message(stored.id));
    let end: TrackedEnd = end.parse().unwrap();
    let follower = Follower::admit(&aws.store(), &end.code, aws.now()).await;
    assert_eq!(follower.unwrap().unwrap().link().message, stored.id);
    assert_eq!(message["clicked_at"], Value::Null);
}

/// A caller who may read messages, and nothing else, must not be able to choose for their recipients.
#[tokio::test]
async fn readers_of_messages_get_no_links() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let viewer = town.key_of(business.scope(), Role::Viewer).await;
    let code = LinkCode::of([7; 32]);
    let (code, link) = (code.as_str(), format!("https://api.example.com/p/{}", code.as_str()));
    let body = sms(
        CUSTOMER,
        json!({"sms_text": "Your choices: https://api.example.com/p/{{preferences.code}}"}),
    );
    let sent = agent.post(MESSAGES, body).await.is(201).json();
    assert_eq!(sent["legs"][0]["text"], "Your choices: https://api.example.com/p/***");
    let contents = [
        json!({"text": link}),
        json!({"template": {"name": "choices", "language": "en", "body": [{"text": link}], "buttons": [[0, code]]}}),
        json!({"interactive": {
            "header": {"text": link}, "body": link, "footer": link, "action": {"link": {"title": "Choose", "url": link}},
        }}),
    ];
    for (last, content) in contents.into_iter().enumerate() {
        let says = |message: &mut Message| message.plan[0].content = read(content);
        follow_up(&aws, &business, &mobile(last), says).await;
    }
    let contact = customer(&aws, &business, CUSTOMER).await.unwrap().id;
    let quoted = |received: &mut Received| received.message.text = Some(format!("What is {link}?"));
    let received = business.receive(&aws, contact, quoted).await;
    let listed = viewer.get(MESSAGES).await;
    let mut shown = vec![listed.text().to_owned()];
    assert_eq!(listed.items().len(), 5);
    for message in listed.items() {
        let whole = viewer.get(&path_of(&message)).await;
        shown.push(whole.is(200).text().to_owned());
    }
    for text in &shown {
        assert!(text.contains("***") && !text.contains(code), "{text}");
    }
    let whole = viewer.get(&format!("{MESSAGES}/{}", received.id)).await.is(200).json();
    assert_eq!(whole["text"], "What is https://api.example.com/p/***?");
}

/// They refuse marketing, so other messages are still welcome.
#[tokio::test]
async fn new_contact_has_the_refusals_of_its_number() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let mut left = Contact::new(ContactId::new(aws.ids().ulid()), aws.now());
    left.record(Wish::new(
        Choice::Refused,
        Scope::MARKETING,
        By::Page,
        "said so",
        aws.now(),
    ));
    let store = aws.store();
    let identities = [Identity::Phone(phone(CUSTOMER)).key()];
    let salt = domain::people::Salt::new([7; 32]);
    let remembered = store.remember_erased(business.scope(), &identities, &left.consent, salt, aws.now());
    remembered.await.unwrap();
    agent.post(MESSAGES, sms(CUSTOMER, json!({}))).await.is(201);
    let contact = customer(&aws, &business, CUSTOMER).await.unwrap();
    assert!(contact.marketing_opted_out().is_some() && contact.opted_out().is_none());
}

#[tokio::test]
async fn utility_messages_have_a_limit_of_their_own() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let business = business_with(&aws, two_a_minute).await;
    let agent = town.key_of(business.scope(), Role::Agent).await;
    for last in 0..2 {
        agent.post(MESSAGES, sms(&mobile(last), json!({}))).await.is(201);
    }
    let third = agent.post(MESSAGES, sms(&mobile(2), json!({}))).await;
    third.is_refused(429, "too_many_requests");
    assert_eq!(third.header("retry-after"), "60");
    aws.pass(60);
    agent.post(MESSAGES, sms(&mobile(2), json!({}))).await.is(201);
}

#[tokio::test]
async fn template_is_sent_by_either_path() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    for (path, last) in [(TEMPLATES, 1), (ALIAS, 2)] {
        let sent = agent.post(path, by_template(&mobile(last), json!({}))).await;
        assert_eq!(
            sent.is(201).json()["legs"][0]["template"]["name"],
            "missed_call_followup"
        );
    }
    let body = || by_template(&mobile(3), json!({}));
    let first = agent.post_once(TEMPLATES, "either", body()).await;
    let second = agent.post_once(ALIAS, "either", body()).await;
    let ids = [&first, &second].map(|sent| sent.is(201).json()["id"].clone());
    assert_eq!(ids[0], ids[1], "a repeated request is the same by either path");
    town.anyone().post(ALIAS, body()).await.is(401);
    let viewer = town.key_of(business.scope(), Role::Viewer).await;
    viewer.post(ALIAS, body()).await.is(403);
}

#[tokio::test]
async fn sending_needs_its_permission() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    for role in Role::ALL {
        let caller = town.key_of(business.scope(), role).await;
        for (path, status) in [(MESSAGES, 201), (PREVIEW, 200)] {
            let status = if role == Role::Viewer { 403 } else { status };
            caller.post(path, sms(CUSTOMER, json!({}))).await.is(status);
        }
    }
    let (_, other) = town.new_key(Role::Admin, &[Permission::MessagesRead]).await;
    let refused = town.api_key(&other).post(MESSAGES, sms(CUSTOMER, json!({}))).await;
    refused.is_refused(403, "forbidden");
    let unknown = town.anyone().post(MESSAGES, sms(CUSTOMER, json!({}))).await;
    unknown.is_refused(401, "unauthorized");
}

#[tokio::test]
async fn nothing_is_sent_for_a_suspended_tenant() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let business = business_with(&aws, |configured| configured.tenant.status = TenantStatus::Suspended).await;
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let refused = agent.post(MESSAGES, sms(CUSTOMER, json!({}))).await;
    refused.is_refused(403, "tenant_suspended");
}

#[tokio::test]
async fn reached_cap_refuses_requests_until_its_period_is_over() {
    let aws = Aws::new().await;
    let set = |configured: &mut Configured| configured.tenant.caps = Some(vec![daily(1)].into());
    let (town, business) = (town(&aws).await, business_with(&aws, set).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    agent.post(MESSAGES, sms(&mobile(1), json!({}))).await.is(201);
    reach(&aws, business.scope(), daily(1)).await;
    let refused = agent.post(MESSAGES, sms(&mobile(2), json!({}))).await;
    let refused = refused.is_refused(409, "cap_reached").json();
    assert_eq!(refused["code"], "cap_reached");
    assert_eq!(refused["facts"]["maximum"], 1);
    assert!(refused["facts"]["resets_at"].is_string(), "{refused}");
    aws.clock().advance(SignedDuration::from_hours(24));
    agent.post(MESSAGES, sms(&mobile(2), json!({}))).await.is(201);
}

/// A message that a cap has blocked.
async fn send_and_block(agent: &Caller<'_>, aws: &Aws, scope: &TenantScope, cap: &Cap, request: Value) -> String {
    let sent = agent.post(MESSAGES, request).await;
    let id = sent.is(201).json()["id"].as_str().unwrap().to_owned();
    let store = aws.store();
    let message = store.message(scope, id.parse().unwrap(), aws.now()).await.unwrap();
    let mut message = message.unwrap();
    message.block(cap.refusal_when_reached(aws.now()));
    store.write_message(scope, &message).await.unwrap();
    id
}

#[tokio::test]
async fn blocked_messages_are_retried_once_the_cap_is_raised() {
    let aws = Aws::new().await;
    let set = |configured: &mut Configured| configured.tenant.caps = Some(vec![daily(1)].into());
    let (town, business) = (town(&aws).await, business_with(&aws, set).await);
    let scope = business.scope();
    let agent = town.key_of(scope, Role::Agent).await;
    let late = send_and_block(&agent, &aws, scope, &daily(1), sms(&mobile(1), json!({}))).await;
    aws.clock().advance(SignedDuration::from_hours(5 * 24));
    let agent = town.key_of(scope, Role::Agent).await;
    let mut valid = Vec::new();
    for request in [sms(&mobile(2), json!({})), by_template(&mobile(3), json!({}))] {
        valid.push(send_and_block(&agent, &aws, scope, &daily(1), request).await);
    }
    valid.sort();
    let again = async |query: &str| {
        let again = agent.post(&format!("{MESSAGES}/retry-blocked{query}"), json!({})).await;
        let mut items = again.items();
        items.sort_by_key(|item| item["id"].as_str().unwrap().to_owned());
        let told = |item: &Value| json!([item["id"], item["retried_as"].is_string(), item["code"]]);
        items.iter().map(told).collect::<Value>()
    };
    reach(&aws, scope, daily(1)).await;
    let all = |retried: bool, code: Value| valid.iter().map(|id| json!([id, retried, code])).collect::<Value>();
    assert_eq!(again("").await, all(false, json!("cap_reached")));
    let raise = |tenant: &mut Tenant| tenant.caps = Some(vec![daily(100)].into());
    aws.change_tenant(scope, raise).await;
    assert_eq!(again("?dry_run=true").await, all(false, Value::Null), "nothing is sent");
    let foreseen = agent
        .post(&format!("{MESSAGES}/retry-blocked?dry_run=true"), json!({}))
        .await;
    let mut costs: Vec<_> = foreseen.items().iter().map(|item| item["cost"].clone()).collect();
    costs.sort_by_key(|cost| !cost.is_null());
    // The lists that come with the code have no price of an SMS to this country.
    assert_eq!(costs, [Value::Null, json!({"amount": "0.0157", "currency": "USD"})]);
    assert_eq!(
        again("?from=2026-11-19").await,
        all(true, Value::Null),
        "{late} is not valid any more"
    );
    assert_eq!(again("").await, json!([]), "they were sent again");
}
