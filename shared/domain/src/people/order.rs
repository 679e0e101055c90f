//! Orders of a tenant's shop: what was ordered, whether it is paid, and where it is.
//!
//! Shops deliver changes twice, late and in any order. Each part of an order therefore has a time of its own, and of two values the later
//! one stays. Of two values of the same time, the one with the higher rank stays. So the same reports make the same order, however they
//! arrive.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};

use crate::money::{Currency, Price, Sku, amount};
use crate::people::{ConversionKind, OrderEvent, OrderNews, count_conversion};
use crate::terms::{
    Actor, ConnectionId, Fault, FaultCode, FieldProblem, OneLine, OrderId, ProductId, UpTo, WebUrl, Whole,
};

/// The number that the shop shows to the person.
pub type OrderNumber = OneLine<1, 64>;

/// A shop's own id of an order, unique within the shop.
pub type ShopOrderId = OneLine<1, 64>;

/// The shop that delivers an order, and the id that the order has there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "OrderOrigin"))]
pub struct ShopOrder {
    /// Connection of the shop.
    pub connection: ConnectionId,
    /// The shop's own id of the order.
    #[cfg_attr(feature = "schema", schemars(example = "5611000000001"))]
    pub order: ShopOrderId,
}

/// Maximum items of an order that are named. Further ones are counted.
pub const MAX_ORDER_ITEMS: usize = 30;

/// Maximum shipments of an order.
pub const MAX_SHIPMENTS: usize = 20;

/// Times of a report that lie further ahead than this are refused: no later report could overwrite it.
const MAX_AHEAD: SignedDuration = SignedDuration::from_mins(10);

/// An amount in the smallest unit of the order's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Amount(u64);

shown_as!(Amount, {"type": "integer", "minimum": 0, "maximum": Price::MAX, "examples": [12050]});

impl Amount {
    /// The amount, unless it is too large.
    pub fn new(amount: u64) -> Option<Self> {
        (amount <= Price::MAX).then_some(Self(amount))
    }

    pub const fn get(self) -> u64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        amount(deserializer).map(Self)
    }
}

/// States by rank, the lowest first: of two states of one time, the one with the higher rank stays.
macro_rules! states_by_rank {
    ($(#[$about:meta])* $type:ident { $($(#[$meaning:meta])+ $state:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub enum $type {
            $($(#[$meaning])+ #[serde(rename = $word)] $state,)+
        }

        words! {
            /// The word in the API and in lists by state.
            $type { $($state = $word,)+ }
        }
    };
}

states_by_rank! {
    /// State of an order's payment.
    PaymentState {
        /// Nothing is paid yet.
        #[default]
        Pending = "pending",
        /// A payment was refused.
        Failed = "failed",
        /// The amount is reserved.
        Authorized = "authorized",
        /// Part of it is paid.
        PartiallyPaid = "partially_paid",
        /// All of it is paid.
        Paid = "paid",
        /// Part of it was paid back.
        PartiallyRefunded = "partially_refunded",
        /// All of it was paid back.
        Refunded = "refunded",
        /// The payment was called off.
        Voided = "voided",
    }
}

states_by_rank! {
    /// State of an order's fulfilment.
    FulfilmentState {
        /// Nothing has left yet.
        #[default]
        Unfulfilled = "unfulfilled",
        /// It waits for something.
        OnHold = "on_hold",
        /// Part of it has left.
        PartiallyFulfilled = "partially_fulfilled",
        /// All of it has left, or was collected.
        Fulfilled = "fulfilled",
        /// All of it has arrived.
        Delivered = "delivered",
        /// It came back.
        Returned = "returned",
        /// The order was cancelled.
        Cancelled = "cancelled",
    }
}

states_by_rank! {
    /// State of a shipment.
    ShipmentState {
        /// It is being prepared.
        #[default]
        Prepared = "prepared",
        /// The carrier has it.
        InTransit = "in_transit",
        /// It arrives today.
        OutForDelivery = "out_for_delivery",
        /// Nobody took it.
        Attempted = "attempted",
        /// It has arrived.
        Delivered = "delivered",
        /// It was lost, or came back.
        Failed = "failed",
        /// It was called off.
        Cancelled = "cancelled",
    }
}

/// An item of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OrderItem {
    /// Name of what was ordered.
    #[cfg_attr(feature = "schema", schemars(example = "Honey cake"))]
    pub name: OneLine<1, 200>,
    /// The shop's number of it (SKU). Of a product with this SKU, messages can use the fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = "cake-1"))]
    pub sku: Option<OneLine<1, 64>>,
    /// Variant, such as a size and a colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = "L, white"))]
    pub variant: Option<OneLine<1, 100>>,
    /// Quantity.
    #[cfg_attr(feature = "schema", schemars(example = 2))]
    pub quantity: Whole<0, 1_000_000>,
    /// Price of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Amount>,
}

/// The sums of an order, in the smallest unit of its currency, such as cents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OrderTotals {
    /// Sum to pay.
    pub total: Amount,
    /// Sum of the items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Amount>,
    /// Discounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<Amount>,
    /// Shipping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<Amount>,
    /// Taxes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax: Option<Amount>,
}

/// The contents of an order. They change together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OrderContents {
    /// Time of ordering.
    #[cfg_attr(feature = "schema", schemars(example = "2026-11-20T10:00:00Z"))]
    pub placed_at: Timestamp,
    /// Currency by ISO 4217. It must be in use.
    pub currency: Currency,
    /// Sums.
    pub totals: OrderTotals,
    /// The first items.
    pub items: UpTo<MAX_ORDER_ITEMS, OrderItem>,
    /// Number of further items, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = 3))]
    pub more_items: Option<Whole<1, 100_000>>,
    /// Whether the shop marks it as a test. Nobody is told of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub test: bool,
}

impl OrderContents {
    /// The SKUs that products can have.
    pub fn skus(&self) -> impl Iterator<Item = Sku> {
        let named = self.items.iter().filter_map(|item| item.sku.as_ref());
        named.filter_map(|sku| sku.as_str().parse().ok())
    }

    /// Decides between contents of the same time.
    fn rank(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A shipment of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Shipment {
    /// The shop's own reference, unique within the order.
    #[cfg_attr(feature = "schema", schemars(example = "1042.1"))]
    pub reference: OneLine<1, 64>,
    /// State.
    pub state: ShipmentState,
    /// Carrier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = &"Aramex"))]
    pub carrier: Option<OneLine<1, 100>>,
    /// The carrier's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = "31042790521"))]
    pub tracking_number: Option<OneLine<1, 100>>,
    /// Page that shows where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_url: Option<WebUrl>,
    /// Time of this state, by the shop. Default: that of the report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = "2026-11-20T10:00:00Z"))]
    pub updated_at: Option<Timestamp>,
}

impl Shipment {
    /// Decides between two reports of the same shipment.
    fn rank(&self) -> (Option<Timestamp>, ShipmentState, String) {
        let text = serde_json::to_string(self).unwrap_or_default();
        (self.updated_at, self.state, text)
    }
}

/// The parts of an order that a delivery of a shop, or a request, states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderReport {
    /// Time of this state of the order, by the shop.
    pub updated_at: Timestamp,
    pub contents: Option<OrderContents>,
    pub payment: Option<PaymentState>,
    pub fulfilment: Option<FulfilmentState>,
    pub shipments: UpTo<MAX_SHIPMENTS, Shipment>,
}

impl OrderReport {
    /// Refuses what cannot be counted, listed or overwritten.
    pub fn check(&self, now: Timestamp) -> Result<(), FieldProblem> {
        let latest = now.saturating_add(MAX_AHEAD).unwrap_or(now);
        let ahead = |field: &str| {
            let detail = "lies in the future. Give the time of the change in UTC, or with the offset of its time zone.";
            FieldProblem::new(field, Fault::new(FaultCode::Invalid, detail))
        };
        if self.updated_at > latest {
            return Err(ahead("updated_at"));
        }
        let mut shipments = self.shipments.iter();
        if let Some(place) = shipments.position(|shipment| shipment.updated_at > Some(latest)) {
            return Err(ahead(&format!("shipments[{place}].updated_at")));
        }
        let Some(contents) = &self.contents else { return Ok(()) };
        if contents.placed_at > latest {
            return Err(ahead("contents.placed_at"));
        }
        if contents.placed_at < Timestamp::UNIX_EPOCH {
            let detail = "must be a time since 1970.";
            return Err(FieldProblem::new(
                "contents.placed_at",
                Fault::new(FaultCode::Invalid, detail),
            ));
        }
        if !contents.currency.is_in_use() {
            let detail = "Expected the ISO 4217 code of a currency that is in use, such as AED.";
            return Err(FieldProblem::new(
                "contents.currency",
                Fault::format("currency", "AED", detail),
            ));
        }
        Ok(())
    }
}

/// An order of a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ShopOrder"))]
pub struct Order {
    /// Id.
    pub id: OrderId,
    /// The number that the shop shows to the person.
    #[cfg_attr(feature = "schema", schemars(example = "1042"))]
    pub number: OrderNumber,
    /// The shop that delivers it by a connection. Missing if it was recorded by a request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shop: Option<ShopOrder>,
    /// Contents.
    pub contents: Box<OrderContents>,
    /// Time of the report that stated the contents.
    #[cfg_attr(feature = "schema", schemars(example = "2026-11-20T10:00:00Z"))]
    pub contents_at: Timestamp,
    /// State of the payment.
    pub payment: PaymentState,
    /// Time of the report that stated the payment. Missing if none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = "2026-11-20T10:00:00Z"))]
    pub payment_at: Option<Timestamp>,
    /// State of the fulfilment.
    pub fulfilment: FulfilmentState,
    /// Time of the report that stated the fulfilment. Missing if none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = "2026-11-20T10:00:00Z"))]
    pub fulfilment_at: Option<Timestamp>,
    /// Shipments, by reference.
    pub shipments: UpTo<MAX_SHIPMENTS, Shipment>,
    /// The products that have the SKUs of items, by SKU.
    #[serde(default)]
    pub products: BTreeMap<String, ProductId>,
    /// News for whoever ordered, with what became of each. Each event is there at most once.
    #[serde(default, skip_serializing_if = "UpTo::is_empty")]
    pub news: UpTo<{ OrderEvent::ALL.len() }, OrderNews>,
    /// Time of the report since which it awaits shipment: it is paid, and nothing of it has left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = "2026-11-20T10:00:00Z"))]
    pub awaits_since: Option<Timestamp>,
    /// Time from which it is late, if it still awaits shipment. Missing once that is in its news.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = "2026-11-22T10:00:00Z"))]
    pub late_at: Option<Timestamp>,
    /// The user (`usr_…`), key (`key_…`) or platform administrator (`platform:usr_…`) that recorded it. Missing if a shop did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<Actor>,
    /// Time of recording.
    #[cfg_attr(feature = "schema", schemars(example = "2026-11-20T10:00:00Z"))]
    pub created_at: Timestamp,
    /// Time of the latest report.
    #[cfg_attr(feature = "schema", schemars(example = "2026-11-20T10:00:00Z"))]
    pub updated_at: Timestamp,
}

impl Order {
    /// A new order by its first report, which states its contents.
    pub fn new(
        id: OrderId,
        number: OrderNumber,
        contents: OrderContents,
        report: &OrderReport,
        by: Option<Actor>,
        at: Timestamp,
    ) -> Self {
        let mut order = Self {
            id,
            number,
            shop: None,
            contents: Box::new(contents),
            contents_at: report.updated_at,
            payment: PaymentState::default(),
            payment_at: None,
            fulfilment: FulfilmentState::default(),
            fulfilment_at: None,
            shipments: UpTo::new(),
            products: BTreeMap::new(),
            news: UpTo::new(),
            awaits_since: None,
            late_at: None,
            created_by: by,
            created_at: at,
            updated_at: report.updated_at,
        };
        order.take(report);
        order
    }

    /// Takes over the parts of a report that are newer than those known.
    pub fn take(&mut self, report: &OrderReport) {
        let at = report.updated_at;
        self.updated_at = self.updated_at.max(at);
        if let Some(contents) = &report.contents
            && (at, contents.rank()) > (self.contents_at, self.contents.rank())
        {
            *self.contents = contents.clone();
            self.contents_at = at;
        }
        if let Some(payment) = report.payment
            && (Some(at), payment) > (self.payment_at, self.payment)
        {
            (self.payment, self.payment_at) = (payment, Some(at));
        }
        if let Some(fulfilment) = report.fulfilment
            && (Some(at), fulfilment) > (self.fulfilment_at, self.fulfilment)
        {
            (self.fulfilment, self.fulfilment_at) = (fulfilment, Some(at));
        }
        for shipment in report.shipments.iter() {
            self.take_shipment(Shipment {
                updated_at: shipment.updated_at.or(Some(at)),
                ..shipment.clone()
            });
        }
    }

    /// Takes over a shipment. There are the first ones by reference, so that it does not matter in which order they were reported.
    fn take_shipment(&mut self, reported: Shipment) {
        let mut shipments = std::mem::take(&mut self.shipments).into_vec();
        match shipments.binary_search_by(|known| known.reference.cmp(&reported.reference)) {
            Ok(place) if reported.rank() > shipments[place].rank() => shipments[place] = reported,
            Ok(_) => {}
            Err(place) => shipments.insert(place, reported),
        }
        shipments.truncate(MAX_SHIPMENTS);
        self.shipments = shipments.into();
    }

    /// The counters of a day that a new order raises: those of a conversion of the kind `order`.
    pub fn counters(&self) -> Vec<(String, u64)> {
        let value = Price {
            amount: self.contents.totals.total.get(),
            currency: self.contents.currency.clone(),
        };
        count_conversion(ConversionKind::Order, Some(&value))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::subsequence;
    use serde_json::{Value, from_value, json};

    use super::*;
    use crate::people::Record;
    use crate::terms::ContactId;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_176_000 + second).unwrap()
    }

    fn contents(total: u64) -> OrderContents {
        from_value(json!({
            "placed_at": at(-60), "currency": "AED", "totals": {"total": total}, "items": [{"name": "Cake", "quantity": 1}],
        }))
        .unwrap()
    }

    fn report(second: i64) -> OrderReport {
        OrderReport {
            updated_at: at(second),
            contents: None,
            payment: None,
            fulfilment: None,
            shipments: UpTo::new(),
        }
    }

    fn new_order(report: &OrderReport, created: OrderContents) -> Order {
        let id = OrderId::new(ContactId::new(ulid::Ulid::nil()), ulid::Ulid::nil());
        Order::new(id, "1042".parse().unwrap(), created, report, None, at(0))
    }

    fn shipment(reference: u32, state: ShipmentState) -> Shipment {
        from_value(json!({"reference": format!("{reference:02}"), "state": state})).unwrap()
    }

    /// Of a few seconds, so that many reports have the same time.
    fn reports() -> impl Strategy<Value = OrderReport> {
        let state = prop::sample::select(ShipmentState::ALL.to_vec());
        let shipments = prop::collection::vec((0_u32..30, state), 0..6);
        let payment = prop::option::of(prop::sample::select(PaymentState::ALL.to_vec()));
        let fulfilment = prop::option::of(prop::sample::select(FulfilmentState::ALL.to_vec()));
        let parts = (0_i64..4, prop::option::of(0_u64..3), payment, fulfilment, shipments);
        parts.prop_map(|(second, total, payment, fulfilment, shipments)| {
            let shipments = shipments
                .into_iter()
                .map(|(reference, state)| shipment(reference, state));
            OrderReport {
                contents: total.map(contents),
                payment,
                fulfilment,
                shipments: shipments.collect::<Vec<_>>().into(),
                ..report(second)
            }
        })
    }

    /// Deliveries in the order of the shop, and in any order, some of them again.
    fn deliveries() -> impl Strategy<Value = (Vec<OrderReport>, Vec<OrderReport>)> {
        prop::collection::vec(reports(), 1..12).prop_flat_map(|sent| {
            let again = subsequence(sent.clone(), 0..=sent.len());
            let third = subsequence(sent.clone(), 0..=sent.len());
            (Just(sent), again, third).prop_flat_map(|(sent, again, third)| {
                let arrived = [sent.clone(), again, third].concat();
                (Just(sent), Just(arrived).prop_shuffle())
            })
        })
    }

    proptest! {
        /// Whatever order deliveries come in, some of them twice and three times, the order is the same. Any of them can be the first.
        #[test]
        fn shuffled_and_repeated_reports_make_one_order((sent, arrived) in deliveries()) {
            let sparse = |reports: &[OrderReport]| {
                let mut order = new_order(&report(-1), contents(9));
                reports.iter().for_each(|report| order.take(report));
                order
            };
            prop_assert_eq!(sparse(&sent), sparse(&arrived));
            let whole = |reports: &[OrderReport]| {
                let stated = |report: &OrderReport| OrderReport {
                    contents: report.contents.clone().or_else(|| Some(contents(5))),
                    ..report.clone()
                };
                let reports: Vec<OrderReport> = reports.iter().map(stated).collect();
                let first = reports[0].contents.clone().unwrap();
                let mut order = new_order(&reports[0], first);
                reports.iter().for_each(|report| order.take(report));
                order
            };
            prop_assert_eq!(whole(&sent), whole(&arrived));
        }
    }

    #[test]
    fn older_report_never_overwrites() {
        let paid = OrderReport {
            payment: Some(PaymentState::Paid),
            contents: Some(contents(200)),
            ..report(10)
        };
        let mut order = new_order(&paid, contents(200));
        let known = order.clone();
        order.take(&OrderReport {
            payment: Some(PaymentState::Refunded),
            contents: Some(contents(300)),
            ..report(9)
        });
        assert_eq!(order, known);
        // A later one does, also back to a lower rank: the shop knows.
        order.take(&OrderReport {
            payment: Some(PaymentState::Pending),
            ..report(11)
        });
        assert_eq!((order.payment, order.payment_at), (PaymentState::Pending, Some(at(11))));
        // The contents are as old as they were, so a report in between still changes them.
        assert_eq!(order.contents_at, at(10));
        // Of one time, the higher rank stays.
        for (state, stays) in [
            (PaymentState::Paid, PaymentState::Paid),
            (PaymentState::Authorized, PaymentState::Paid),
            (PaymentState::Voided, PaymentState::Voided),
        ] {
            order.take(&OrderReport {
                payment: Some(state),
                ..report(11)
            });
            assert_eq!(order.payment, stays);
        }
    }

    #[test]
    fn new_order_counts_as_a_conversion() {
        let order = new_order(&report(0), contents(12_050));
        let counters = order.counters();
        let counters: Vec<(&str, u64)> = counters.iter().map(|(name, count)| (name.as_str(), *count)).collect();
        assert_eq!(
            counters,
            [("conversions", 1), ("conversions_order", 1), ("converted_AED", 12_050)]
        );
    }

    /// A shop is nobody whom the audit log could name.
    #[test]
    fn order_of_a_shop_has_no_author() {
        let order = new_order(&report(0), contents(1));
        assert_eq!(Record::from(order).author(), ("created_by", None));
    }

    #[test]
    fn report_is_checked_against_the_clock_and_the_currencies() {
        let named = |change: fn(&mut OrderReport, &mut OrderContents)| {
            let (mut report, mut contents) = (report(0), contents(1));
            change(&mut report, &mut contents);
            report.contents = Some(contents);
            report.check(at(0)).map_err(|problem| problem.field)
        };
        assert_eq!(named(|_, _| {}), Ok(()));
        assert_eq!(named(|report, _| report.updated_at = at(600)), Ok(()));
        assert_eq!(
            named(|report, _| report.updated_at = at(601)).unwrap_err(),
            "updated_at"
        );
        let shipped = named(|report, _| {
            let late = Shipment {
                updated_at: Some(at(601)),
                ..shipment(1, ShipmentState::InTransit)
            };
            report.shipments = vec![shipment(0, ShipmentState::InTransit), late].into();
        });
        assert_eq!(shipped.unwrap_err(), "shipments[1].updated_at");
        let placed = named(|_, contents| contents.placed_at = at(601));
        assert_eq!(placed.unwrap_err(), "contents.placed_at");
        let placed = named(|_, contents| contents.placed_at = Timestamp::MIN);
        assert_eq!(placed.unwrap_err(), "contents.placed_at");
        let currency = named(|_, contents| contents.currency = "XQZ".parse().unwrap());
        assert_eq!(currency.unwrap_err(), "contents.currency");
    }

    #[test]
    fn every_list_and_amount_of_an_order_is_bounded() {
        let item = json!({"name": "Cake", "sku": "cake-1", "quantity": 2, "price": 100});
        let whole = |change: Value| {
            let mut body = json!({"placed_at": at(0), "currency": "AED", "totals": {"total": 1}, "items": [item]});
            for (name, value) in change.as_object().unwrap() {
                body[name] = value.clone();
            }
            from_value::<OrderContents>(body)
        };
        assert_eq!(whole(json!({})).unwrap().skus().count(), 1);
        assert!(whole(json!({"items": vec![item.clone(); MAX_ORDER_ITEMS]})).is_ok());
        for wrong in [
            json!({"items": vec![item.clone(); MAX_ORDER_ITEMS + 1]}),
            json!({"more_items": 100_001}),
            json!({"totals": {"total": Price::MAX + 1}}),
            json!({"totals": {"total": 1, "tax": -1}}),
            json!({"items": [{"name": "x".repeat(201), "quantity": 1}]}),
            json!({"items": [{"name": "Cake", "quantity": 1, "price": Price::MAX + 1}]}),
        ] {
            assert!(whole(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
