//! WooCommerce's webhooks: every fixture and every vector, and what stores write otherwise.

use domain::people::{FulfilmentState, PaymentState, Placed, ShipmentState, ShopReport};
use providers::shops::signature::verify;
use providers::shops::woocommerce::{is_ping, report};
use serde_json::{Value, json};

use crate::fixtures::{self, at, read_all};

const NOW: &str = "2026-11-20T12:00:00Z";

fn try_to_read(topic: &str, body: &Value) -> Option<ShopReport> {
    report(topic, body.to_string().as_bytes(), at(NOW)).ok().flatten()
}

/// The report of an order that differs from the fixture in these fields.
fn read_with(change: &Value) -> ShopReport {
    let mut body = fixtures::json("woocommerce/order_updated_processing.json");
    for (field, value) in change.as_object().unwrap() {
        body[field] = value.clone();
    }
    try_to_read("order.updated", &body).unwrap()
}

fn placement(report: ShopReport) -> Placed {
    *report.placed.unwrap()
}

#[test]
fn every_woocommerce_fixture_is_read_by_its_topic() {
    let topic = |name: &str| match name {
        name if name.starts_with("order_created") => "order.created",
        name if name.starts_with("order_updated") => "order.updated",
        "order_deleted.json" => "order.deleted",
        _ => "customer.created",
    };
    let reports = read_all("woocommerce", |name, body| report(topic(name), body, at(NOW)).unwrap());
    let about_orders = reports.iter().filter(|(_, read)| read.is_some()).count();
    assert_eq!(about_orders, 6);
    insta::assert_json_snapshot!("woocommerce", reports);
}

#[test]
fn woocommerce_webhooks_are_judged_as_the_vectors_say() {
    let file = fixtures::json("vectors/woocommerce.json");
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 12);
    for vector in vectors {
        let body = vector["body"].as_str().unwrap().as_bytes();
        let (secret, headers) = (vector["secret"].as_str().unwrap(), &vector["headers"]);
        let judged = verify(&[secret], headers["x-wc-webhook-signature"].as_str(), body);
        assert_eq!(judged.is_ok(), vector["expect"] == "valid", "{}", vector["name"]);
        let is_form = headers["content-type"] == "application/x-www-form-urlencoded";
        assert_eq!(
            is_form && is_ping(body),
            vector["expect"] == "unsigned_ping",
            "{}",
            vector["name"]
        );
    }
    for other in [
        "webhook_id=",
        "webhook_id=1x",
        "webhook_id=123456789012345678901",
        "id=1",
        "",
    ] {
        assert!(!is_ping(other.as_bytes()), "{other}");
    }
}

#[test]
fn body_that_is_no_order_is_unreadable() {
    let order = fixtures::json("woocommerce/order_created.json");
    let without = |field: &str| {
        let mut body = order.clone();
        body.as_object_mut().unwrap().remove(field);
        body
    };
    let needed = [
        "id",
        "number",
        "status",
        "order_key",
        "currency",
        "total",
        "date_created_gmt",
        "date_modified_gmt",
    ];
    let refused = json!({"code": "woocommerce_rest_cannot_view", "message": "Sorry.", "data": {"status": 401}});
    for body in needed.map(without).iter().chain([&refused, &json!([]), &json!("x")]) {
        assert!(
            report("order.updated", body.to_string().as_bytes(), at(NOW)).is_err(),
            "{body}"
        );
    }
    // A deletion has nothing but the id.
    for body in [
        &order,
        &json!({}),
        &json!({"id": "1"}),
        &json!({"id": 1, "name": "Cake"}),
    ] {
        assert!(
            report("order.deleted", body.to_string().as_bytes(), at(NOW)).is_err(),
            "{body}"
        );
    }
    for (topic, body) in [("product.updated", &order), ("", &order)] {
        assert_eq!(try_to_read(topic, body), None);
    }
    let mut draft = order.clone();
    draft["status"] = json!("checkout-draft");
    assert_eq!(try_to_read("order.created", &draft), None);
}

/// The tables of states.
#[test]
fn states_are_those_of_status_payment_and_refunds() {
    use FulfilmentState as F;
    use PaymentState as P;
    let paid = json!("2026-11-18T09:30:04");
    for (status, paid_at, refunds, payment, fulfilment) in [
        (
            "pending",
            &Value::Null,
            json!([]),
            Some(P::Pending),
            Some(F::Unfulfilled),
        ),
        ("on-hold", &Value::Null, json!([]), Some(P::Pending), Some(F::OnHold)),
        ("failed", &Value::Null, json!([]), Some(P::Failed), Some(F::Unfulfilled)),
        // Paid on delivery.
        (
            "processing",
            &Value::Null,
            json!([]),
            Some(P::Pending),
            Some(F::Unfulfilled),
        ),
        ("processing", &paid, json!([]), Some(P::Paid), Some(F::Unfulfilled)),
        (
            "processing",
            &paid,
            json!([{"total": "-7.50"}]),
            Some(P::PartiallyRefunded),
            Some(F::Unfulfilled),
        ),
        (
            "processing",
            &paid,
            json!([{"total": "-7.50"}, {"total": "-20.00"}]),
            Some(P::Refunded),
            Some(F::Unfulfilled),
        ),
        ("completed", &paid, json!([]), Some(P::Paid), Some(F::Fulfilled)),
        (
            "partial-shipped",
            &paid,
            json!([]),
            Some(P::Paid),
            Some(F::PartiallyFulfilled),
        ),
        ("delivered", &paid, json!([]), Some(P::Paid), Some(F::Delivered)),
        ("refunded", &paid, json!([]), Some(P::Refunded), None),
        ("cancelled", &Value::Null, json!([]), None, Some(F::Cancelled)),
        ("trash", &paid, json!([]), Some(P::Paid), None),
        ("waiting-for-mould", &Value::Null, json!([]), None, None),
    ] {
        let read = read_with(&json!({"status": status, "date_paid_gmt": paid_at, "refunds": refunds}));
        assert_eq!(
            (read.parts.payment, read.parts.fulfilment),
            (payment, fulfilment),
            "{status} {refunds}"
        );
    }
}

/// A checkout that somebody left is no order.
#[test]
fn only_what_was_ordered_says_who_placed_it() {
    let paid = json!("2026-11-18T09:30:04");
    for (status, paid_at, is_ordered) in [
        ("pending", &Value::Null, false),
        ("failed", &Value::Null, false),
        ("cancelled", &Value::Null, false),
        ("trash", &Value::Null, false),
        ("cancelled", &paid, true),
        ("processing", &Value::Null, true),
        ("on-hold", &Value::Null, true),
        ("waiting-for-mould", &Value::Null, true),
    ] {
        let read = read_with(&json!({"status": status, "date_paid_gmt": paid_at}));
        assert_eq!(read.placed.is_some(), is_ordered, "{status}");
        assert!(read.parts.contents.is_some());
    }
    let download = read_with(&json!({"status": "completed", "needs_processing": false}));
    assert_eq!(download.parts.fulfilment, Some(FulfilmentState::Delivered));
}

#[test]
fn whoever_ordered_is_named_by_the_first_address_that_has_a_number() {
    let address =
        |phone: &str, country: &str| json!({"first_name": "Ada", "last_name": "", "phone": phone, "country": country});
    for (billing, shipping, phone) in [
        (address("07700 900456", "GB"), address("", "GB"), Some("+447700900456")),
        (address("", "GB"), address("050 123 4567", "AE"), Some("+971501234567")),
        (
            address("+49 151 23456789", "GB"),
            address("", ""),
            Some("+4915123456789"),
        ),
        (address("ask me", "GB"), address("", "GB"), None),
        (Value::Null, Value::Null, None),
    ] {
        let placed = placement(read_with(&json!({"billing": billing, "shipping": shipping})));
        assert_eq!(placed.phone.as_ref().map(|phone| phone.as_str()), phone, "{billing}");
        assert_eq!(placed.email, None);
    }
    for (key, tag, language) in [
        ("wpml_language", json!("ar"), Some("ar")),
        ("trp_language", json!("pt_BR"), Some("pt-BR")),
        ("wpml_language", json!(["ar"]), None),
        ("other", json!("ar"), None),
    ] {
        let placed = placement(read_with(&json!({"meta_data": [{"id": 1, "key": key, "value": tag}]})));
        assert_eq!(
            placed.language.as_ref().map(|language| language.as_str()),
            language,
            "{key}"
        );
    }
}

#[test]
fn items_and_sums_are_exact_or_missing() {
    let item = |more: Value| {
        let mut item = json!({"name": "Tea", "quantity": 3, "variation_id": 0, "sku": "", "subtotal": "10.00", "price": 3.333_333_333, "meta_data": []});
        item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        item
    };
    let large = json!({"variation_id": 7, "price": 10, "meta_data": [
        {"key": "pa_size", "display_key": "Size", "display_value": "Large"},
        {"key": "_reduced_stock", "display_key": "_reduced_stock", "display_value": "1"},
        {"key": "gift", "display_key": "Gift", "display_value": {"to": "Ada"}},
    ]});
    let read = read_with(&json!({"line_items": [item(json!({})), item(large), item(json!({"quantity": 0}))]}));
    let contents = read.parts.contents.unwrap();
    let items: Vec<_> = contents.items.iter().collect();
    assert_eq!(items.len(), 2);
    assert_eq!((items[0].price, items[0].variant.as_ref()), (None, None));
    assert_eq!(items[1].price.map(|price| price.get()), Some(1_000));
    assert_eq!(items[1].variant.as_ref().unwrap().as_str(), "Large");
    assert_eq!(contents.totals.items.map(|sum| sum.get()), Some(2_000));
    // Yen have no places.
    let yen = read_with(&json!({"currency": "JPY", "total": "2750", "line_items": []}));
    assert_eq!(yen.parts.contents.unwrap().totals.total.get(), 2_750);
    let mut body = fixtures::json("woocommerce/order_created.json");
    body["total"] = json!("27.505");
    assert_eq!(try_to_read("order.created", &body), None);
}

#[test]
fn shipments_are_those_that_plugins_note() {
    let noted = json!([
        {"tracking_provider": "dhl", "tracking_number": "2", "tracking_id": "b", "date_shipped": "1795132800"},
        {"tracking_provider": "", "custom_tracking_provider": "Aramex", "custom_tracking_link": "https://track.example/1", "tracking_number": "1", "tracking_id": "a"},
        {"tracking_number": "2", "tracking_id": "b"},
        {"tracking_provider": "nothing else"},
        "no object",
    ]);
    for (status, state) in [
        ("completed", ShipmentState::InTransit),
        ("delivered", ShipmentState::Delivered),
    ] {
        let meta = json!([{"key": "_wc_shipment_tracking_items", "value": noted}, {"key": "_wc_shipment_tracking_items", "value": "a:0:{}"}]);
        let read = read_with(&json!({"status": status, "meta_data": meta}));
        let shown: Vec<_> = read.parts.shipments.iter().collect();
        assert_eq!(
            shown.iter().map(|one| one.reference.as_str()).collect::<Vec<_>>(),
            ["a", "b"]
        );
        assert!(shown.iter().all(|one| one.state == state));
        assert_eq!(shown[0].carrier.as_ref().unwrap().as_str(), "Aramex");
        assert!(shown[0].tracking_url.is_some() && shown[1].tracking_url.is_none());
    }
}
