//! Models of requests.

use api::ContactName;
use domain::people::{
    Contact, FulfilmentState, Identity, MAX_SHIPMENTS, Order, OrderContents, OrderNumber, OrderReport, PaymentState,
    Person, PersonIn, Profile, Shipment,
};
use domain::terms::{ContactId, Day, Email, FieldProblem, Phone, UpTo};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::contacts::KnownOrder;
use store::reports::OrderFilter;

/// Conditions that the orders fulfil, all of them.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrderQuery {
    /// First day of ordering, in the tenant's time zone. Default: six days before the last.
    #[schemars(example = "2026-11-14")]
    pub(crate) from: Option<Day>,
    /// Last day of ordering, in the tenant's time zone. Default: today.
    #[schemars(example = "2026-11-20")]
    pub(crate) to: Option<Day>,
    /// State of the payment.
    #[schemars(example = &"paid")]
    payment: Option<PaymentState>,
    /// State of the fulfilment.
    #[schemars(example = &"fulfilled")]
    fulfilment: Option<FulfilmentState>,
}

impl OrderQuery {
    pub(crate) const fn filter(self) -> OrderFilter {
        OrderFilter {
            payment: self.payment,
            fulfilment: self.fulfilment,
        }
    }
}

/// A new order.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrderIn {
    /// The number that the shop shows to the person, unique within the tenant.
    #[schemars(example = "1042", extend("x-unique" = true))]
    pub(crate) number: OrderNumber,
    /// Contact who ordered. Needed without `phone` and `email`.
    #[schemars(extend("x-refers" = true))]
    pub(crate) contact_id: Option<ContactId>,
    /// Telephone number of who ordered, if `contact_id` is not given.
    pub(crate) phone: Option<Phone>,
    /// E-mail address of who ordered, if no contact has the telephone number, or none is given.
    pub(crate) email: Option<Email>,
    /// Time of this state of the order, by the shop. Default: now.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    pub(crate) updated_at: Option<Timestamp>,
    /// Contents.
    pub(crate) contents: OrderContents,
    /// State of the payment. Default: `pending`.
    pub(crate) payment: Option<PaymentState>,
    /// State of the fulfilment. Default: `unfulfilled`.
    pub(crate) fulfilment: Option<FulfilmentState>,
    /// Shipments.
    #[serde(default)]
    pub(crate) shipments: UpTo<MAX_SHIPMENTS, Shipment>,
}

impl OrderIn {
    /// The identities by which the contact is looked for, in this order, with the names of their fields.
    pub(crate) fn identities(&self) -> impl Iterator<Item = (&'static str, Identity)> {
        let phone = self.phone.clone().map(|phone| ("phone", Identity::Phone(phone)));
        let email = self.email.clone().map(|email| ("email", Identity::Email(email)));
        phone.into_iter().chain(email)
    }

    /// A new contact with these identities.
    pub(crate) fn person(&self, id: ContactId, now: Timestamp) -> Result<Person, Vec<FieldProblem>> {
        let nobody = Person {
            contact: Contact::new(id, now),
            profile: Profile::default(),
        };
        let fields = PersonIn {
            phones: Vec::from_iter(self.phone.clone()).into(),
            emails: Vec::from_iter(self.email.clone()).into(),
            ..PersonIn::default()
        };
        fields.onto(&nobody, &[], now)
    }

    pub(crate) fn report(&self, now: Timestamp) -> OrderReport {
        OrderReport {
            updated_at: self.updated_at.unwrap_or(now),
            contents: Some(self.contents.clone()),
            payment: self.payment,
            fulfilment: self.fulfilment,
            shipments: self.shipments.clone(),
        }
    }
}

/// An order with the contact who ordered.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct OrderEntry {
    /// Contact who ordered.
    contact: ContactName,
    /// The order.
    #[serde(flatten)]
    order: Order,
}

impl From<KnownOrder> for OrderEntry {
    fn from(KnownOrder { order, contact }: KnownOrder) -> Self {
        Self {
            contact: ContactName::from(&contact),
            order,
        }
    }
}

/// The parts of an order that a report states.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrderUpdate {
    /// Time of this state of the order, by the shop. Default: now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = "2026-11-20T10:00:00Z")]
    updated_at: Option<Timestamp>,
    /// Contents, as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    contents: Option<OrderContents>,
    /// State of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment: Option<PaymentState>,
    /// State of the fulfilment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fulfilment: Option<FulfilmentState>,
    /// Shipments that changed, or are new. Others stay.
    #[serde(default, skip_serializing_if = "UpTo::is_empty")]
    shipments: UpTo<MAX_SHIPMENTS, Shipment>,
}

impl OrderUpdate {
    pub(crate) fn into_report(self, now: Timestamp) -> OrderReport {
        OrderReport {
            updated_at: self.updated_at.unwrap_or(now),
            contents: self.contents,
            payment: self.payment,
            fulfilment: self.fulfilment,
            shipments: self.shipments,
        }
    }
}
