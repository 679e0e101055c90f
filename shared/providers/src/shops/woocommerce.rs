//! WooCommerce's webhooks about orders (`order.…`), which hold the order as the store has it when they are delivered, in the form of its
//! REST API (`wc/v3`).
//! Sources: `WC_Webhook` and the REST resource `Order` of WooCommerce 11; for `_wc_shipment_tracking_items`, the plugins Shipment Tracking and
//! Advanced Shipment Tracking; for `wpml_language` and `trp_language`, WPML and TranslatePress. How its words are taken for ours is our policy.

use domain::money::Currency;
use domain::people::{
    Amount, FulfilmentState, MAX_SHIPMENTS, OrderContents, OrderItem, OrderReport, OrderTotals, PaymentState, Placed,
    Shipment, ShipmentState, ShopReport,
};
use domain::terms::{Language, Whole};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::fields::{self, amount, first_items, line, text};
use crate::Unreadable;
use crate::times::plausible;

/// Topics whose body is an order.
const ORDERS: [&str; 3] = ["order.created", "order.restored", "order.updated"];

/// Topic of an order that is in the store's trash, or gone. Its body has the id alone.
const DELETED: &str = "order.deleted";

/// States of what nobody has ordered.
const DRAFTS: [&str; 3] = ["auto-draft", "checkout-draft", "draft"];

/// States of a checkout that somebody left, or whose payment was refused, unless it is paid. Stores make an order of each checkout, and cancel
/// it by themselves.
const LEFT: [&str; 4] = ["pending", "failed", "cancelled", "trash"];

/// Reads a body of a topic. `None`: it says nothing about orders that is used here. `now` is the time of an order's deletion, which has none
/// of its own. The topic is not signed, so the body must say of itself what it is.
///
/// # Errors
/// When the body is something else, such as an error, or lacks what an order needs.
pub fn report(topic: &str, body: &[u8], now: Timestamp) -> Result<Option<ShopReport>, Unreadable> {
    let is_deleted = topic == DELETED;
    if !is_deleted && !ORDERS.contains(&topic) {
        return Ok(None);
    }
    let body: Value = serde_json::from_slice(body).map_err(|_| unreadable("body"))?;
    if is_deleted {
        return read_deletion(&body, now).map(Some);
    }
    let status = text(&body, "status").ok_or(unreadable("status"))?;
    if DRAFTS.contains(&status) {
        return Ok(None);
    }
    order(&body, status).map(Some)
}

/// Whether this is what a store sends when a webhook is saved: the webhook's number in the store, unsigned. It must be answered with 200.
pub fn is_ping(body: &[u8]) -> bool {
    let number = body.strip_prefix(b"webhook_id=");
    number.is_some_and(|number| (1..=20).contains(&number.len()) && number.iter().all(u8::is_ascii_digit))
}

const fn unreadable(field: &'static str) -> Unreadable {
    Unreadable {
        provider: "WooCommerce",
        field,
    }
}

/// A time of a field that ends with `_gmt`: it names no zone.
fn time(value: &Value, field: &str) -> Option<Timestamp> {
    let at: DateTime = text(value, field)?.parse().ok()?;
    plausible(at.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

fn order(body: &Value, status: &str) -> Result<ShopReport, Unreadable> {
    // Other resources have ids and times, too.
    text(body, "order_key").ok_or(unreadable("order_key"))?;
    let number = text(body, "number").and_then(line).ok_or(unreadable("number"))?;
    let addresses = [&body["billing"], &body["shipping"]];
    let reached = addresses
        .into_iter()
        .find_map(|place| Some((place, fields::phone(place, text(place, "country"))?)));
    let (place, phone) = reached.unzip();
    let placed = Placed {
        number,
        phone,
        email: text(&body["billing"], "email").and_then(|email| email.parse().ok()),
        name: place.into_iter().chain(addresses).find_map(fields::name),
        language: language(body),
    };
    let contents = contents(body)?;
    let payment = payment(body, status, &contents);
    let is_ordered = is_paid(body) || !LEFT.contains(&status);
    Ok(ShopReport {
        order: fields::id(body, "id").ok_or(unreadable("id"))?,
        placed: is_ordered.then(|| Box::new(placed)),
        parts: OrderReport {
            updated_at: time(body, "date_modified_gmt").ok_or(unreadable("date_modified_gmt"))?,
            payment,
            fulfilment: fulfilment(body, status),
            shipments: shipments(body, status).into(),
            contents: Some(contents),
        },
    })
}

/// An order that its store has put in its trash waits, and nobody is told: what is old and done is put there, too.
fn read_deletion(body: &Value, now: Timestamp) -> Result<ShopReport, Unreadable> {
    // A signed body of another topic has more than an id.
    let only_id = body.as_object().is_some_and(|fields| fields.len() == 1);
    let order = fields::id(body, "id").filter(|_| only_id).ok_or(unreadable("id"))?;
    Ok(ShopReport {
        order,
        placed: None,
        parts: OrderReport {
            updated_at: now,
            contents: None,
            payment: None,
            fulfilment: Some(FulfilmentState::OnHold),
            shipments: Vec::new().into(),
        },
    })
}

/// Values that plugins add to an order under this key.
fn meta<'a>(order: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    let all = order["meta_data"].as_array().into_iter().flatten();
    all.filter(move |entry| entry["key"] == key)
        .map(|entry| &entry["value"])
}

/// The language in which somebody ordered, in stores with several.
fn language(order: &Value) -> Option<Language> {
    let own = ["wpml_language", "trp_language"].into_iter();
    own.flat_map(|key| meta(order, key))
        .find_map(|tag| tag.as_str()?.trim().replace('_', "-").parse().ok())
}

/// State of the payment. No word says that an order is paid, which its own time does: `processing` may be paid on delivery. What is given back
/// may be a part.
fn payment(order: &Value, status: &str, contents: &OrderContents) -> Option<PaymentState> {
    let refunds = order["refunds"].as_array().into_iter().flatten();
    let back = refunds.filter_map(|refund| {
        let total = text(refund, "total")?;
        amount(total.trim_start_matches('-'), &contents.currency)
    });
    let back: u64 = back.map(Amount::get).sum();
    Some(match status {
        "refunded" => PaymentState::Refunded,
        "failed" => PaymentState::Failed,
        _ if back > 0 && back >= contents.totals.total.get() => PaymentState::Refunded,
        _ if back > 0 => PaymentState::PartiallyRefunded,
        _ if is_paid(order) => PaymentState::Paid,
        "pending" | "on-hold" | "processing" => PaymentState::Pending,
        _ => return None,
    })
}

fn is_paid(order: &Value) -> bool {
    time(order, "date_paid_gmt").is_some()
}

/// State of the fulfilment, with the states of plugins for shipments. Another word states nothing. What is downloaded has arrived at once.
fn fulfilment(order: &Value, status: &str) -> Option<FulfilmentState> {
    Some(match status {
        "completed" if order["needs_processing"] == false => FulfilmentState::Delivered,
        "pending" | "processing" | "failed" => FulfilmentState::Unfulfilled,
        "on-hold" => FulfilmentState::OnHold,
        "partial-shipped" => FulfilmentState::PartiallyFulfilled,
        "completed" | "shipped" => FulfilmentState::Fulfilled,
        "delivered" => FulfilmentState::Delivered,
        "cancelled" => FulfilmentState::Cancelled,
        _ => return None,
    })
}

/// Shipments, where a plugin for their tracking notes them.
fn shipments(order: &Value, status: &str) -> Vec<Shipment> {
    let state = if status == "delivered" {
        ShipmentState::Delivered
    } else {
        ShipmentState::InTransit
    };
    let all = meta(order, "_wc_shipment_tracking_items")
        .filter_map(Value::as_array)
        .flatten();
    let shipment = |tracked: &Value| {
        let number = text(tracked, "tracking_number");
        let carrier = text(tracked, "custom_tracking_provider").or_else(|| text(tracked, "tracking_provider"));
        Some(Shipment {
            reference: text(tracked, "tracking_id").or(number).and_then(line)?,
            state,
            carrier: carrier.and_then(line),
            tracking_number: number.and_then(line),
            tracking_url: text(tracked, "custom_tracking_link").and_then(|url| url.parse().ok()),
            updated_at: None,
        })
    };
    let mut shipments: Vec<Shipment> = all.filter_map(shipment).collect();
    shipments.sort_by(|one, other| one.reference.cmp(&other.reference));
    shipments.dedup_by(|one, other| one.reference == other.reference);
    shipments.truncate(MAX_SHIPMENTS);
    shipments
}

fn contents(order: &Value) -> Result<OrderContents, Unreadable> {
    let currency: Currency = text(order, "currency")
        .and_then(|code| code.parse().ok())
        .ok_or(unreadable("currency"))?;
    let sum = |field: &str| amount(text(order, field)?, &currency);
    let mut bought = Vec::new();
    let mut items = Some(0_u64);
    for item in order["line_items"].as_array().into_iter().flatten() {
        let quantity = item["quantity"].as_u64().unwrap_or(1);
        let Some(name) = text(item, "name").and_then(line).filter(|_| quantity > 0) else {
            continue;
        };
        let subtotal = text(item, "subtotal").and_then(|subtotal| amount(subtotal, &currency));
        items = items.zip(subtotal).and_then(|(sum, one)| sum.checked_add(one.get()));
        bought.push(OrderItem {
            name,
            sku: text(item, "sku").and_then(line),
            variant: variant(item).and_then(|variant| line(&variant)),
            quantity: Whole::nearest(u32::try_from(quantity).unwrap_or(u32::MAX)),
            // A number, with as many places as its division has.
            price: amount(&item["price"].to_string(), &currency),
        });
    }
    let (shown, more_items) = first_items(bought);
    Ok(OrderContents {
        placed_at: time(order, "date_created_gmt").ok_or(unreadable("date_created_gmt"))?,
        totals: OrderTotals {
            total: sum("total").ok_or(unreadable("total"))?,
            items: items.and_then(Amount::new),
            discount: sum("discount_total"),
            shipping: sum("shipping_total"),
            tax: sum("total_tax"),
        },
        currency,
        items: shown,
        more_items,
        test: false,
    })
}

/// Choices of a variable product, such as `Large, Red`.
fn variant(item: &Value) -> Option<String> {
    item["variation_id"].as_u64().filter(|id| *id > 0)?;
    let chosen = item["meta_data"].as_array().into_iter().flatten();
    // Keys that begin with `_` are not for customers.
    let shown = chosen.filter(|meta| text(meta, "key").is_some_and(|key| !key.starts_with('_')));
    let values: Vec<&str> = shown.filter_map(|meta| text(meta, "display_value")).collect();
    Some(values.join(", "))
}
