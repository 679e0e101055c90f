//! Reports of shops on their orders, whoever delivers them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::people::{
    Contact, Identity, MAX_NAME_LENGTH, OrderNumber, OrderReport, Person, PersonIn, Profile, ShopOrderId,
};
use crate::terms::{ConnectionId, ContactId, Email, FieldProblem, Language, OneLine, Phone};

/// A report of a shop on one of its orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopReport {
    /// The shop's own id of the order.
    pub order: ShopOrderId,
    /// Number of the order, and who placed it. Missing if the report is about a shipment alone, a checkout that nobody has finished, or an order
    /// that was deleted: it creates none.
    pub placed: Option<Box<Placed>>,
    /// The parts that it states. Contents are stated by every report that says who placed the order.
    pub parts: OrderReport,
}

/// The number of an order, and who placed it, as far as the shop says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    pub number: OrderNumber,
    pub phone: Option<Phone>,
    pub email: Option<Email>,
    pub name: Option<OneLine<1, MAX_NAME_LENGTH>>,
    pub language: Option<Language>,
}

impl Placed {
    /// The identities by which the contact is looked for, in this order.
    pub fn identities(&self) -> Vec<Identity> {
        let phone = self.phone.clone().map(Identity::Phone);
        phone
            .into_iter()
            .chain(self.email.clone().map(Identity::Email))
            .collect()
    }

    /// A new contact of who placed the order. Without a number and an address, it is that of all whom this connection does not name.
    ///
    /// # Errors
    /// When a contact cannot have these values.
    pub fn person(&self, id: ContactId, connection: ConnectionId, now: Timestamp) -> Result<Person, Vec<FieldProblem>> {
        if self.identities().is_empty() {
            return Ok(Person {
                contact: Contact::first_seen(id, &Identity::Withheld(connection), now),
                profile: Profile::default(),
            });
        }
        let nobody = Person {
            contact: Contact::new(id, now),
            profile: Profile::default(),
        };
        let fields = PersonIn {
            name: self.name.clone(),
            phones: Vec::from_iter(self.phone.clone()).into(),
            emails: Vec::from_iter(self.email.clone()).into(),
            language: self.language.clone(),
            ..PersonIn::default()
        };
        fields.onto(&nobody, &[], now)
    }
}
