//! Shopify's webhooks: every fixture and every vector, and what shops write otherwise.

use domain::people::{FulfilmentState, PaymentState, Placed, ShipmentState, ShopReport};
use providers::shops::shopify::report;
use providers::shops::signature::{SignatureError, sign, verify};
use serde_json::{Value, json};

use crate::fixtures::{self, at, read_all};

/// The topic of a fixture, by its name.
fn topic(name: &str) -> &'static str {
    let topics = [
        ("orders_create", "orders/create"),
        ("orders_paid", "orders/paid"),
        ("orders_fulfilled", "orders/fulfilled"),
        ("orders_cancelled", "orders/cancelled"),
        ("fulfillments_create", "fulfillments/create"),
        ("fulfillments_update", "fulfillments/update"),
        ("checkouts_create", "checkouts/create"),
        ("checkouts_update", "checkouts/update"),
        ("customers_redact", "customers/redact"),
        ("shop_redact", "shop/redact"),
    ];
    let found = topics.iter().find(|(start, _)| name.starts_with(start));
    found.map_or("app/uninstalled", |(_, topic)| topic)
}

/// The report of an order that differs from the fixture in these fields.
fn read_with(change: &Value) -> ShopReport {
    try_to_read(change).unwrap()
}

fn try_to_read(change: &Value) -> Option<ShopReport> {
    let mut body = fixtures::json("shopify/orders_create.json");
    for (field, value) in change.as_object().unwrap() {
        body[field] = value.clone();
    }
    report("orders/updated", body.to_string().as_bytes()).ok().flatten()
}

fn placement(report: ShopReport) -> Placed {
    *report.placed.unwrap()
}

#[test]
fn every_shopify_fixture_is_read_by_its_topic() {
    let reports = read_all("shopify", |name, body| report(topic(name), body).unwrap());
    let about_orders: Vec<&str> = reports
        .iter()
        .filter(|(_, read)| read.is_some())
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(
        about_orders,
        [
            "fulfillments_create.json",
            "fulfillments_update.json",
            "orders_cancelled.json",
            "orders_create.json",
            "orders_create_guest_phone_on_order.json",
            "orders_create_pos_no_contact.json",
            "orders_create_redacted_no_pcd_access.json",
            "orders_fulfilled.json",
            "orders_paid.json",
        ]
    );
    insta::assert_json_snapshot!("shopify", reports);
}

#[test]
fn shopify_webhooks_are_judged_as_the_vectors_say() {
    let file = fixtures::json("vectors/shopify.json");
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 13);
    for vector in vectors {
        let secrets: Vec<&str> = vector["secrets"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let header = vector["headers"]["x-shopify-hmac-sha256"].as_str();
        let body = vector["body"].as_str().unwrap();
        let judged = verify(&secrets, header, body.as_bytes());
        assert_eq!(judged.is_ok(), vector["expect"] == "valid", "{}", vector["name"]);
        if judged.is_ok() {
            assert!(
                secrets
                    .iter()
                    .any(|secret| Some(sign(secret, body.as_bytes()).as_str()) == header)
            );
            if let Some(name) = vector["body_file"].as_str() {
                assert_eq!(fixtures::bytes(name), body.as_bytes());
            }
        }
    }
    let empty = sign("", b"{}");
    for (keys, header, judged) in [
        (&[""][..], Some(empty.as_str()), SignatureError::NoSecret),
        (&[], Some(&empty), SignatureError::NoSecret),
        (&["key"], None, SignatureError::Missing),
        (&["key"], Some("???"), SignatureError::Malformed),
        (&["", "key"], Some(&empty), SignatureError::Mismatch),
    ] {
        assert_eq!(verify(keys, header, b"{}"), Err(judged));
    }
}

#[test]
fn body_that_is_not_what_its_topic_says_is_unreadable() {
    let (order, shipment) = (
        fixtures::bytes("shopify/orders_create.json"),
        fixtures::bytes("shopify/fulfillments_create.json"),
    );
    let refused = br#"{"errors": "[API] This action requires merchant approval for read_orders scope."}"#;
    for (topic, body) in [
        ("orders/create", &shipment[..]),
        ("fulfillments/create", &order),
        ("orders/updated", refused),
        ("orders/create", br#"{"id": 1}"#),
        ("orders/create", b"<html>"),
        ("orders/create", b"[]"),
    ] {
        assert!(report(topic, body).is_err(), "{topic}");
    }
    for topic in [
        "refunds/create",
        "orders/delete",
        "orders/edited",
        "products/update",
        "",
    ] {
        assert_eq!(report(topic, &order), Ok(None), "{topic}");
    }
    for (field, value) in [
        ("id", json!("5611000000001")),
        ("name", json!(" ")),
        ("updated_at", json!("yesterday")),
        ("updated_at", json!(null)),
        ("currency", json!("euro")),
        ("current_total_price", json!("53.901")),
        ("current_total_price", json!("-1.00")),
        ("current_total_price", json!("1e3")),
        ("current_total_price", json!(".5")),
    ] {
        assert_eq!(try_to_read(&json!({ field: value })), None, "{field} {value}");
    }
}

#[test]
fn amounts_have_the_places_of_their_currency() {
    for (currency, text, amount) in [
        ("EUR", "53.9", 5390),
        ("EUR", "53", 5300),
        ("EUR", "53.900", 5390),
        ("KWD", "1.234", 1234),
        ("KWD", "1.23", 1230),
        ("JPY", "1500", 1500),
        ("JPY", "1500.00", 1500),
    ] {
        let read = read_with(&json!({"currency": currency, "current_total_price": text}));
        let totals = read.parts.contents.unwrap().totals;
        assert_eq!(totals.total.get(), amount, "{currency} {text}");
    }
    // An older version has no current sums: then all are the first ones.
    let first = read_with(&json!({"current_total_price": null, "total_price": "60.00", "total_tax": "10.00"}));
    let totals = first.parts.contents.unwrap().totals;
    assert_eq!((totals.total.get(), totals.tax.unwrap().get()), (6000, 1000));
}

#[test]
fn phone_is_the_first_that_is_one() {
    let address = |country: &str, phone: &str| json!({"country_code": country, "phone": phone});
    let nobody = json!({"phone": null, "customer": null, "shipping_address": null, "billing_address": null});
    let read = |change: Value| {
        let mut all = nobody.clone();
        for (field, value) in change.as_object().unwrap() {
            all[field] = value.clone();
        }
        placement(read_with(&all)).phone.map(|phone| phone.to_string())
    };
    for (change, expected) in [
        (json!({"phone": "+44 7400 123456"}), Some("+447400123456")),
        // Without a country, a national number is nobody's.
        (json!({"phone": "07400 123456"}), None),
        (
            json!({"phone": "07400 123456", "customer": {"phone": "+353209100143"}}),
            Some("+353209100143"),
        ),
        (
            json!({"shipping_address": address("GB", "(07400) 123-456")}),
            Some("+447400123456"),
        ),
        (json!({"shipping_address": address("", "07400 123456")}), None),
        (
            json!({"shipping_address": address("AE", "050 123 4567"), "billing_address": address("GB", "07400 123456")}),
            Some("+971501234567"),
        ),
        (
            json!({"shipping_address": address("AE", "call me"), "billing_address": address("GB", "07400 123456")}),
            Some("+447400123456"),
        ),
        (
            json!({"customer": {"phone": null, "default_address": address("GB", "0044 7400 123456")}}),
            Some("+447400123456"),
        ),
        // The zero of national calls, the one that belongs to the number, and the eight by which Russians dial.
        (json!({"phone": "+44 (0)7400 123456"}), Some("+447400123456")),
        (
            json!({"shipping_address": address("IT", "02 1234 5678")}),
            Some("+390212345678"),
        ),
        (
            json!({"shipping_address": address("RU", "8 912 345 67 89")}),
            Some("+79123456789"),
        ),
        (
            json!({"shipping_address": address("RU", "912 345 67 89")}),
            Some("+79123456789"),
        ),
        (json!({}), None),
    ] {
        assert_eq!(read(change.clone()).as_deref(), expected, "{change}");
    }
    let mail = placement(read_with(
        &json!({"email": "", "contact_email": null, "customer": {"email": "ana@example.com"}}),
    ))
    .email;
    assert_eq!(mail.unwrap().as_str(), "ana@example.com");
}

#[test]
fn unknown_states_state_nothing() {
    let read = read_with(&json!({"financial_status": "expired", "fulfillment_status": "on_the_moon"})).parts;
    assert_eq!((read.payment, read.fulfilment), (None, None));
    let read = read_with(&json!({"financial_status": "partially_refunded", "fulfillment_status": "partial"})).parts;
    assert_eq!(read.payment, Some(PaymentState::PartiallyRefunded));
    assert_eq!(read.fulfilment, Some(FulfilmentState::PartiallyFulfilled));
    let cancelled =
        read_with(&json!({"cancelled_at": "2026-11-18T12:00:00Z", "fulfillment_status": "fulfilled"})).parts;
    assert_eq!(cancelled.fulfilment, Some(FulfilmentState::Cancelled));
    assert_eq!(cancelled.updated_at, at("2026-11-18T12:00:00Z"));
}

#[test]
fn words_of_a_shipment_are_its_state() {
    use ShipmentState::{Attempted, Cancelled, Delivered, Failed, InTransit, OutForDelivery, Prepared};
    let mut body = fixtures::json("shopify/fulfillments_create.json");
    for (status, carrier, state) in [
        ("success", json!(null), Some(InTransit)),
        ("success", json!("a_new_word"), Some(InTransit)),
        ("success", json!("label_printed"), Some(Prepared)),
        ("success", json!("confirmed"), Some(Prepared)),
        ("success", json!("in_transit"), Some(InTransit)),
        ("success", json!("out_for_delivery"), Some(OutForDelivery)),
        ("success", json!("attempted_delivery"), Some(Attempted)),
        ("success", json!("delivered"), Some(Delivered)),
        ("success", json!("failure"), Some(Failed)),
        ("pending", json!(null), Some(Prepared)),
        ("cancelled", json!("in_transit"), Some(Cancelled)),
        ("error", json!(null), Some(Failed)),
        ("a_new_word", json!(null), None),
    ] {
        (body["status"], body["shipment_status"]) = (json!(status), carrier.clone());
        let read = report("fulfillments/update", body.to_string().as_bytes())
            .ok()
            .flatten();
        assert_eq!(
            read.map(|read| read.parts.shipments[0].state),
            state,
            "{status} {carrier}"
        );
    }
}

#[test]
fn items_are_those_left_and_as_many_as_fit() {
    let item = |title: &str, quantity: u32, left: Value| json!({"title": title, "quantity": quantity, "current_quantity": left, "price": "1.00"});
    let long = "x".repeat(300);
    let items = json!([
        item("Cake", 2, json!(1)),
        item("Refunded", 1, json!(0)),
        item(&long, 3, json!(null)),
        item("a\nb\u{202e}", 1, json!(1))
    ]);
    let contents = read_with(&json!({"line_items": items})).parts.contents.unwrap();
    let read: Vec<_> = contents
        .items
        .iter()
        .map(|item| (item.name.as_str(), item.quantity.get()))
        .collect();
    assert_eq!(read, [("Cake", 1), (&long[..200], 3), ("a b", 1)]);
    let many: Vec<Value> = (0..33).map(|_| item("Cake", 1, json!(1))).collect();
    let contents = read_with(&json!({ "line_items": many })).parts.contents.unwrap();
    assert_eq!((contents.items.len(), contents.more_items.unwrap().get()), (30, 3));
}
