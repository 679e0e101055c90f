//! Orders, in process against the emulator, from the callers' point of view.

use domain::accounts::Role;
use domain::money::{Product, ProductIn};
use domain::people::Contact;
use domain::tenants::Limits;
use domain::terms::{ContactId, OrderId, Resource as _};
use jobs::CommerceJob;
use kit::QueueName;
use serde_json::{Value, json};
use testkit::api::{Town, repeat_interrupted_request};
use testkit::business::{CUSTOMER, business};
use testkit::{Aws, Lossy};

const ORDERS: &str = "/api/v1/orders";

/// Nobody's number.
const STRANGER: &str = "+971509999999";

async fn contact(town: &Town<'_>) -> ContactId {
    let contact = town.aws().contact_with(town.home.scope(), CUSTOMER, |contact| {
        contact.emails = vec!["maya@example.com".parse().expect("an address")];
    });
    contact.await.id
}

fn order(number: &str, whose: &Value) -> Value {
    let mut order = json!({
        "number": number, "updated_at": "2026-11-20T11:00:00Z", "payment": "pending",
        "contents": {
            "placed_at": "2026-11-20T10:00:00Z", "currency": "AED", "totals": {"total": 12_050},
            "items": [{"name": "Honey cake", "sku": "cake-1", "quantity": 1, "price": 12_050}],
        },
    });
    for (field, value) in whose.as_object().expect("an object") {
        order[field] = value.clone();
    }
    order
}

#[tokio::test]
async fn order_is_recorded_listed_read_and_updated() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, orders::routes).await;
    let contact = contact(&town).await;
    let fields: ProductIn = serde_json::from_value(json!({"name": "Honey cake", "sku": "cake-1"})).expect("a product");
    let product = Product::new(aws.ids().ulid(), fields, aws.now());
    let made = aws.store().create(town.home.scope(), &product, &aws.stamp()).await;
    made.expect("the product is written");
    let agent = town.agent();
    let made = agent.post(ORDERS, order("1042", &json!({"contact_id": contact}))).await;
    let (place, body) = (made.is(201).has_version(1).header("location"), made.json());
    assert_eq!(
        place,
        format!("{ORDERS}/{}", body["id"].as_str().expect("it has an id"))
    );
    assert_eq!(body["contact"]["id"], json!(contact));
    assert_eq!(body["created_by"], json!(town.home.person(Role::Agent).user));
    assert_eq!(body["products"], json!({"cake-1": product.id}));
    assert_eq!(agent.get(place).await.is(200).json(), body);
    assert_eq!(agent.get(ORDERS).await.items(), std::slice::from_ref(&body));
    // Late: the payment is newer than the one known, the contents are not.
    let paid = json!({"updated_at": "2026-11-20T11:05:00Z", "payment": "paid", "fulfilment": "fulfilled"});
    let updated = agent.patch(place, paid.clone()).await;
    assert_eq!(updated.is(200).has_version(2).json()["payment"], "paid");
    let older = json!({"updated_at": "2026-11-20T11:04:00Z", "payment": "failed", "contents": {
        "placed_at": "2026-11-20T10:00:00Z", "currency": "AED", "totals": {"total": 9_000}, "items": [],
    }});
    let late = agent.patch(place, older).await;
    let late = late.is(200).has_version(3).json();
    assert_eq!(late["payment"], "paid");
    assert_eq!(late["contents"]["totals"]["total"], 9_000);
    assert_eq!(late["products"], json!({}));
    let again = agent.patch(place, paid).await;
    assert_eq!(again.is(200).has_version(3).json(), late);
    for (query, found) in [
        ("fulfilment=fulfilled", 1),
        ("fulfilment=unfulfilled", 0),
        ("payment=pending", 0),
        ("payment=paid&fulfilment=fulfilled", 1),
        ("from=2026-11-01&to=2026-11-02", 0),
    ] {
        let page = agent.get(&format!("{ORDERS}?{query}")).await;
        assert_eq!(page.items().len(), found, "{query}");
    }
}

/// The contact of an order in an answer.
fn contact_in(order: &Value) -> ContactId {
    let id: OrderId = serde_json::from_value(order["id"].clone()).expect("the id of an order");
    id.contact()
}

#[tokio::test]
async fn contact_is_found_by_id_then_phone_then_email() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, orders::routes).await;
    let contact = contact(&town).await;
    let agent = town.agent();
    for (number, whose) in [
        ("1", json!({"contact_id": contact, "phone": STRANGER})),
        ("2", json!({"phone": CUSTOMER, "email": "nobody@example.com"})),
        ("3", json!({"phone": STRANGER, "email": "maya@example.com"})),
    ] {
        let made = agent.post(ORDERS, order(number, &whose)).await;
        assert_eq!(contact_in(&made.is(201).json()), contact, "{whose}");
    }
    for whose in [json!({}), json!({"contact_id": "ctc_01hq5c1ynyc0000000000000ab"})] {
        agent.post(ORDERS, order("4", &whose)).await.names_only(&["contact_id"]);
    }
    let stranger = town.foreign_admin();
    let theirs = stranger.post(ORDERS, order("4", &json!({"contact_id": contact}))).await;
    theirs.names_only(&["contact_id"]);
    // The other tenant has nobody with this number.
    let theirs = stranger.post(ORDERS, order("4", &json!({"phone": CUSTOMER}))).await;
    assert_ne!(contact_in(&theirs.is(201).json()), contact);
}

#[tokio::test]
async fn unknown_orderer_becomes_a_contact() {
    let aws = Aws::new().await;
    let (town, business) = (Town::new(&aws, orders::routes).await, business(&aws).await);
    let (store, scope) = (aws.store(), business.scope());
    let agent = town.key_of(scope, Role::Agent).await;
    business.suppress(&aws, STRANGER).await;
    let whose = json!({"phone": STRANGER, "email": "nobody@example.com"});
    let made = agent.post(ORDERS, order("1", &whose)).await;
    let id = contact_in(&made.is(201).json());
    let contact = store
        .contact(scope, id)
        .await
        .expect("the table answers")
        .expect("a contact");
    assert_eq!(contact.phones, [STRANGER.parse().expect("a number")]);
    assert_eq!(contact.emails, ["nobody@example.com".parse().expect("an address")]);
    assert!(contact.consent.refusals().next().is_some(), "the refusal is theirs");
    let again = agent
        .post(ORDERS, order("2", &json!({"email": "nobody@example.com"})))
        .await;
    assert_eq!(contact_in(&again.is(201).json()), id);
}

#[tokio::test]
async fn plan_limits_contacts_of_orders() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, orders::routes).await;
    let limits = Limits {
        contacts: Some(1),
        ..Limits::default()
    };
    aws.limit(town.home.scope(), limits).await;
    let agent = town.agent();
    agent
        .post(ORDERS, order("1", &json!({"phone": CUSTOMER})))
        .await
        .is(201);
    let beyond = agent.post(ORDERS, order("2", &json!({"phone": STRANGER}))).await;
    beyond.is_refused(409, "limit_reached");
    agent
        .post(ORDERS, order("2", &json!({"phone": CUSTOMER})))
        .await
        .is(201);
}

/// News waits on the order, and a report that is repeated queues its job again, in case the first attempt died before it did.
#[tokio::test]
async fn news_is_queued_with_each_report_until_it_is_told() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, orders::routes).await;
    let agent = town.agent();
    let whose = json!({"contact_id": contact(&town).await});
    let made = agent.post(ORDERS, order("1042", &whose)).await;
    let (place, body) = (made.is(201).header("location"), made.json());
    let created = json!([{"event": "order.created", "at": "2026-11-20T10:00:00Z", "state": "waiting"}]);
    assert_eq!(body["news"], created);
    let jobs: Vec<CommerceJob> = aws.take_jobs(QueueName::CommerceEvents).await;
    let CommerceJob::TellNews { order: of, .. } = &jobs[0] else {
        panic!("{jobs:?}");
    };
    assert_eq!((jobs.len(), json!(of)), (1, body["id"].clone()));
    let again = agent.patch(place, json!({"updated_at": "2026-11-20T10:30:00Z"})).await;
    assert_eq!(again.is(200).json()["news"], created);
    assert_eq!(aws.take_jobs::<CommerceJob>(QueueName::CommerceEvents).await, jobs);
    let shipped = json!({"shipments": [{"reference": "1", "state": "in_transit"}]});
    let news = agent.patch(place, shipped).await.is(200).json()["news"].clone();
    assert_eq!(
        news[1],
        json!({"event": "order.shipped", "at": aws.now(), "state": "waiting", "shipment": "1"})
    );
    // History, and tests.
    aws.take_jobs::<CommerceJob>(QueueName::CommerceEvents).await;
    for (number, field, value, reason) in [
        ("1", "placed_at", json!("2026-11-19T11:59:59Z"), "too_old"),
        ("2", "test", json!(true), "test"),
    ] {
        let mut new = order(number, &whose);
        new["contents"][field] = value;
        let made = agent.post(ORDERS, new).await;
        assert_eq!(made.is(201).json()["news"][0]["reason"], reason);
    }
    assert_eq!(aws.depth(QueueName::CommerceEvents).await, 0);
}

/// Somebody who was deleted is not created anew beside the deleted contact, and gets no orders.
#[tokio::test]
async fn deleted_contact_gets_no_orders() {
    let aws = Aws::new().await;
    let (town, business) = (Town::new(&aws, orders::routes).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let now = aws.now();
    let deleted = |contact: &mut Contact| contact.deleted_at = Some(now);
    let contact = business.contact_with(&aws, CUSTOMER, deleted).await.id;
    let erasing = |contact: &mut Contact| (contact.deleted_at, contact.erasing) = (Some(now), true);
    business.contact_with(&aws, STRANGER, erasing).await;
    for (whose, field) in [
        (json!({"contact_id": contact}), "contact_id"),
        (json!({"phone": CUSTOMER, "email": "nobody@example.com"}), "phone"),
        (json!({"phone": STRANGER}), "phone"),
    ] {
        agent.post(ORDERS, order("1", &whose)).await.names_only(&[field]);
    }
}

/// The contact of its first attempt stays the contact of the order.
#[tokio::test]
async fn an_order_is_created_once_though_interrupted() {
    let aws = Aws::new().await;
    let lossy = Lossy::before(&aws);
    let town = Town::with_env(&aws, &aws.env_behind(lossy.url()), orders::routes).await;
    let agent = town.agent();
    let known = contact(&town).await;
    for (number, whose) in [("1", json!({"phone": STRANGER})), ("2", json!({"contact_id": known}))] {
        let ask = || agent.post_once(ORDERS, number, order(number, &whose));
        let made = repeat_interrupted_request(&aws, &lossy, ask).await.json();
        let listed = agent.get(ORDERS).await;
        assert!(listed.items().contains(&made), "{whose}");
    }
    assert_eq!(agent.get(ORDERS).await.items().len(), 2);
}

#[tokio::test]
async fn agents_record_orders_and_viewers_read_them() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, orders::routes).await;
    let whose = json!({"contact_id": contact(&town).await});
    let made = town.agent().post(ORDERS, order("1042", &whose)).await;
    let place = made.is(201).header("location");
    for role in Role::ALL {
        let caller = town.role(role);
        caller.get(place).await.is(200);
        caller.get(ORDERS).await.is(200);
        let writes = role >= Role::Agent;
        let posted = caller.post(ORDERS, order(role.as_str(), &whose)).await;
        posted.is(if writes { 201 } else { 403 });
        let patched = caller.patch(place, json!({"payment": "paid"})).await;
        patched.is(if writes { 200 } else { 403 });
    }
    let stranger = town.foreign_admin();
    stranger.get(place).await.is(404);
    stranger.patch(place, json!({"payment": "paid"})).await.is(404);
    assert!(stranger.get(ORDERS).await.items().is_empty());
}

#[tokio::test]
async fn number_is_taken_once_and_versions_are_kept() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, orders::routes).await;
    let new = order("1042", &json!({"contact_id": contact(&town).await}));
    let agent = town.agent();
    let made = agent.post(ORDERS, new.clone()).await;
    let place = made.is(201).header("location");
    let again = agent.post(ORDERS, new).await;
    let taken = again.is_refused(409, "taken").json();
    assert_eq!(taken["errors"][0]["field"], "number");
    assert_eq!(taken["errors"][0]["facts"]["by"], made.json()["id"]);
    let paid = json!({"payment": "paid"});
    agent.patch(place, paid.clone()).if_match(2).await.is(412);
    agent.patch(place, paid).if_match(1).await.is(200);
}

#[tokio::test]
async fn every_field_of_an_order_is_bounded() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, orders::routes).await;
    let whose = json!({"contact_id": contact(&town).await});
    let agent = town.agent();
    let item = json!({"name": "Cake", "quantity": 1});
    let long = json!({"name": "\u{1f370}".repeat(200), "variant": "\u{1f370}".repeat(100), "quantity": 1});
    for (place, value, field) in [
        ("/number", json!("x".repeat(65)), "number"),
        ("/updated_at", json!("2026-11-20T12:10:01Z"), "updated_at"),
        ("/contents/currency", json!("XQZ"), "contents.currency"),
        (
            "/contents/placed_at",
            json!("1969-12-31T23:59:59Z"),
            "contents.placed_at",
        ),
        ("/contents/totals/total", json!(-1), "contents.totals.total"),
        ("/contents/items", json!(vec![item; 31]), "contents.items"),
        // Each within its bounds, and together too large.
        ("/contents/items", json!(vec![long; 30]), ""),
    ] {
        let mut body = order("1042", &whose);
        *body.pointer_mut(place).expect("a place") = value;
        agent.post(ORDERS, body).await.names_field(field);
    }
}

/// Reports move the time at which it is late only if they say that it can be shipped, or no more.
#[tokio::test]
async fn order_says_since_when_it_awaits_shipment() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, orders::routes).await;
    let (agent, contact) = (town.agent(), contact(&town).await);
    let made = agent.post(ORDERS, order("1042", &json!({"contact_id": contact}))).await;
    let place = made.is(201).header("location").to_owned();
    assert_eq!(made.json()["awaits_since"], Value::Null);
    let (paid, late) = (json!("2026-11-20T11:30:00Z"), json!("2026-11-22T11:30:00Z"));
    for (at, parts, since, late_at) in [
        ("11:30", json!({"payment": "paid"}), &paid, &late),
        ("11:40", json!({"payment": "paid"}), &paid, &late),
        ("11:50", json!({"fulfilment": "on_hold"}), &Value::Null, &Value::Null),
    ] {
        let mut report = parts;
        report["updated_at"] = json!(format!("2026-11-20T{at}:00Z"));
        let body = agent.patch(&place, report).await.is(200).json();
        assert_eq!((&body["awaits_since"], &body["late_at"]), (since, late_at), "{at}");
    }
}
