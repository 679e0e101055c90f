//! Shopify's webhooks about orders (`orders/…`), which hold the whole order as it is at the moment, and about their shipments
//! (`fulfillments/…`), which name their order.
//! Sources: shopify.dev, "Webhook topics", the REST resources `Order` and `Fulfillment`, the enumeration `FulfillmentEventStatus`. How its
//! words are taken for ours, and which amounts count, is our policy.

use domain::money::Currency;
use domain::people::{
    FulfilmentState, MAX_SHIPMENTS, OrderContents, OrderItem, OrderReport, OrderTotals, PaymentState, Placed, Shipment,
    ShipmentState, ShopReport,
};
use domain::terms::{Email, OneLine, Phone, Whole};
use jiff::Timestamp;
use serde_json::Value;

use super::fields::{self, amount, first_items, line, text};
use crate::Unreadable;
use crate::times::plausible;

/// Topics whose body is an order.
const ORDERS: [&str; 6] = [
    "orders/cancelled",
    "orders/create",
    "orders/fulfilled",
    "orders/paid",
    "orders/partially_fulfilled",
    "orders/updated",
];

/// Topics whose body is a shipment.
const FULFILMENTS: [&str; 2] = ["fulfillments/create", "fulfillments/update"];

/// Reads a body of a topic. `None`: the topic says nothing about orders that is used here. The topic is not signed, so the body must
/// say of itself what it is.
///
/// # Errors
/// When the body is something else, such as an error, or lacks what an order needs.
pub fn report(topic: &str, body: &[u8]) -> Result<Option<ShopReport>, Unreadable> {
    let read = if ORDERS.contains(&topic) {
        order
    } else if FULFILMENTS.contains(&topic) {
        fulfilment
    } else {
        return Ok(None);
    };
    let body = serde_json::from_slice(body).map_err(|_| unreadable("body"))?;
    read(&body).map(Some)
}

const fn unreadable(field: &'static str) -> Unreadable {
    Unreadable {
        provider: "Shopify",
        field,
    }
}

fn time(value: &Value, field: &str) -> Option<Timestamp> {
    plausible(text(value, field)?.parse().ok()?)
}

/// Refuses a body that is no such thing by its own id.
fn expect_kind(body: &Value, kind: &str) -> Result<(), Unreadable> {
    let own = text(body, "admin_graphql_api_id").and_then(|id| id.strip_prefix("gid://shopify/"));
    let fits = own.is_some_and(|id| id.split_once('/').is_some_and(|(found, _)| found == kind));
    fits.then_some(()).ok_or(unreadable("admin_graphql_api_id"))
}

fn id<const MAX: usize>(body: &Value, field: &'static str) -> Result<OneLine<1, MAX>, Unreadable> {
    fields::id(body, field).ok_or(unreadable(field))
}

fn order(body: &Value) -> Result<ShopReport, Unreadable> {
    expect_kind(body, "Order")?;
    let updated_at = time(body, "updated_at").ok_or(unreadable("updated_at"))?;
    let cancelled_at = time(body, "cancelled_at");
    let fulfilments = body["fulfillments"].as_array().map_or(&[][..], Vec::as_slice);
    let mut shipments: Vec<Shipment> = fulfilments.iter().filter_map(shipment).collect();
    shipments.sort_by(|one, other| one.reference.cmp(&other.reference));
    shipments.truncate(MAX_SHIPMENTS);
    let placed = Placed {
        number: text(body, "name").and_then(line).ok_or(unreadable("name"))?,
        phone: phone(body),
        email: email(body),
        name: name(body),
        language: text(body, "customer_locale").and_then(|tag| tag.parse().ok()),
    };
    Ok(ShopReport {
        order: id(body, "id")?,
        placed: Some(Box::new(placed)),
        parts: OrderReport {
            // What was cancelled then is no earlier state.
            updated_at: cancelled_at.map_or(updated_at, |cancelled| updated_at.max(cancelled)),
            contents: Some(contents(body)?),
            payment: text(body, "financial_status").and_then(payment),
            fulfilment: fulfilment_state(body, cancelled_at.is_some()),
            shipments: shipments.into(),
        },
    })
}

fn fulfilment(body: &Value) -> Result<ShopReport, Unreadable> {
    expect_kind(body, "Fulfillment")?;
    Ok(ShopReport {
        order: id(body, "order_id")?,
        placed: None,
        parts: OrderReport {
            updated_at: time(body, "updated_at").ok_or(unreadable("updated_at"))?,
            contents: None,
            payment: None,
            fulfilment: None,
            shipments: vec![shipment(body).ok_or(unreadable("status"))?].into(),
        },
    })
}

/// The number of who ordered, by what the shop says of the order, the customer, and the addresses, in this order. National numbers are
/// those of the address's country.
fn phone(order: &Value) -> Option<Phone> {
    let customer = &order["customer"];
    let own = [order, customer].into_iter().map(|place| (place, None));
    let addresses = [
        &order["shipping_address"],
        &order["billing_address"],
        &customer["default_address"],
    ];
    let addresses = addresses
        .into_iter()
        .map(|address| (address, text(address, "country_code")));
    own.chain(addresses)
        .find_map(|(place, country)| fields::phone(place, country))
}

fn email(order: &Value) -> Option<Email> {
    let own = [
        (order, "email"),
        (order, "contact_email"),
        (&order["customer"], "email"),
    ];
    own.into_iter()
        .find_map(|(place, field)| text(place, field)?.parse().ok())
}

fn name<const MAX: usize>(order: &Value) -> Option<OneLine<1, MAX>> {
    let places = ["customer", "shipping_address", "billing_address"];
    places.into_iter().find_map(|place| fields::name(&order[place]))
}

fn payment(word: &str) -> Option<PaymentState> {
    Some(match word {
        "pending" => PaymentState::Pending,
        "authorized" => PaymentState::Authorized,
        "partially_paid" => PaymentState::PartiallyPaid,
        "paid" => PaymentState::Paid,
        "partially_refunded" => PaymentState::PartiallyRefunded,
        "refunded" => PaymentState::Refunded,
        "voided" => PaymentState::Voided,
        _ => return None,
    })
}

/// State of the fulfilment. An unknown word states nothing.
fn fulfilment_state(order: &Value, is_cancelled: bool) -> Option<FulfilmentState> {
    if is_cancelled {
        return Some(FulfilmentState::Cancelled);
    }
    match text(order, "fulfillment_status") {
        None => Some(FulfilmentState::Unfulfilled),
        Some("partial") => Some(FulfilmentState::PartiallyFulfilled),
        Some("fulfilled") => Some(FulfilmentState::Fulfilled),
        Some("restocked") => Some(FulfilmentState::Returned),
        Some(_) => None,
    }
}

/// A shipment, unless nothing is known of its state.
fn shipment(body: &Value) -> Option<Shipment> {
    let state = match (text(body, "status"), text(body, "shipment_status")) {
        (Some("cancelled"), _) => ShipmentState::Cancelled,
        (Some("error" | "failure"), _) | (_, Some("failure")) => ShipmentState::Failed,
        (_, Some("label_printed" | "label_purchased" | "confirmed")) => ShipmentState::Prepared,
        (_, Some("out_for_delivery")) => ShipmentState::OutForDelivery,
        (_, Some("attempted_delivery")) => ShipmentState::Attempted,
        (_, Some("delivered" | "picked_up")) => ShipmentState::Delivered,
        (Some("pending" | "open"), None) => ShipmentState::Prepared,
        // Without the carrier's word, the shop says that it has left. `ready_for_pickup` and `delayed` are on the way, too.
        (Some("success"), _) | (_, Some("in_transit" | "carrier_picked_up")) => ShipmentState::InTransit,
        _ => return None,
    };
    Some(Shipment {
        reference: id(body, "id").ok()?,
        state,
        carrier: text(body, "tracking_company").and_then(line),
        tracking_number: text(body, "tracking_number").and_then(line),
        tracking_url: text(body, "tracking_url").and_then(|url| url.parse().ok()),
        updated_at: time(body, "updated_at"),
    })
}

/// The contents as they are by now, after edits and refunds, in the shop's own currency.
fn contents(order: &Value) -> Result<OrderContents, Unreadable> {
    let currency: Currency = text(order, "currency")
        .and_then(|code| code.parse().ok())
        .ok_or(unreadable("currency"))?;
    let amount = |value: &Value| amount(value.as_str()?, &currency);
    // Sums of one kind belong together.
    let sums = if text(order, "current_total_price").is_some() {
        [
            "current_total_price",
            "current_subtotal_price",
            "current_total_discounts",
            "current_total_tax",
        ]
    } else {
        ["total_price", "subtotal_price", "total_discounts", "total_tax"]
    };
    let [total, items, discount, tax] = sums.map(|sum| amount(&order[sum]));
    let mut bought: Vec<OrderItem> = Vec::new();
    for item in order["line_items"].as_array().into_iter().flatten() {
        let quantity = item["current_quantity"].as_u64().or(item["quantity"].as_u64());
        let quantity = u32::try_from(quantity.unwrap_or(1)).unwrap_or(u32::MAX);
        let named = text(item, "title").and_then(line);
        if let Some(name) = named.filter(|_| quantity > 0) {
            bought.push(OrderItem {
                name,
                sku: text(item, "sku").and_then(line),
                variant: text(item, "variant_title").and_then(line),
                quantity: Whole::nearest(quantity),
                price: amount(&item["price"]),
            });
        }
    }
    let (items_shown, more_items) = first_items(bought);
    Ok(OrderContents {
        placed_at: time(order, "processed_at")
            .or_else(|| time(order, "created_at"))
            .ok_or(unreadable("created_at"))?,
        totals: OrderTotals {
            total: total.ok_or(unreadable("total_price"))?,
            items,
            discount,
            shipping: amount(&order["total_shipping_price_set"]["shop_money"]["amount"]),
            tax,
        },
        currency,
        items: items_shown,
        more_items,
        test: order["test"] == true,
    })
}
