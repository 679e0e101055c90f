//! Orders of contacts: records with a number that leads to them, and with places in the lists of orders.

use std::collections::BTreeMap;

use domain::people::Recorded as _;
use domain::people::{Order, OrderContents, OrderNumber, Person, ShopOrder};
use domain::terms::{Lane, OrderId, ProductId, Stamp};

use crate::contacts::of_contact::{ROW, create_writes, not_created};
use crate::contacts::{NotCreated, sort_key_by_time};
use crate::messages::SKU;
use crate::table::keys::{self, IndexPlace, Key};
use crate::table::owned::{Pointer, Unwritten};
use crate::table::row::{self as rows, Condition, Row, Write};
use crate::{Store, StoreError, TenantScope, Versioned};

/// The reason why an order cannot be recorded.
#[derive(Debug, thiserror::Error)]
pub enum OrderNotCreated {
    /// An order with this number exists.
    #[error("an order with this number exists")]
    Taken,
    #[error(transparent)]
    Other(#[from] NotCreated),
}

impl From<StoreError> for OrderNotCreated {
    fn from(error: StoreError) -> Self {
        Self::Other(error.into())
    }
}

/// An order, and whose it is.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownOrder {
    pub order: Order,
    /// Its contact. If that was merged into another: the one that survived.
    pub contact: Person,
}

/// The value by which an order of a shop is unique: the shop's own id of it.
fn unique_in_shop(shop: &ShopOrder) -> String {
    format!("{}:{}", shop.connection, shop.order.as_str())
}

/// The value by which a number is unique: among the orders that no connection delivered.
fn unique_number(number: &OrderNumber) -> String {
    format!("-:{}", number.as_str())
}

/// The value by which an order is unique.
fn unique(order: &Order) -> String {
    let number = || unique_number(&order.number);
    order.shop.as_ref().map_or_else(number, unique_in_shop)
}

/// The row that leads to an order.
pub(crate) fn key_to_order(scope: &TenantScope, order: &Order) -> Key {
    keys::claim(scope, Order::WORD, &unique(order))
}

/// The rows of a new order that a shop delivers: its own, and the one that leads to it from the shop's id.
pub(crate) fn new_order_rows(scope: &TenantScope, order: &Order, doing: &'static str) -> Result<Vec<Row>, StoreError> {
    let own = order_row(scope, order, Condition::New, 1, doing)?;
    let pointer = Pointer::unique(scope, Order::WORD, &unique(order), &order.id);
    let pointer = pointer.map(|pointer| pointer.row(Condition::New, None));
    Ok(std::iter::once(own).chain(pointer).collect())
}

/// The row of an order over the version that was read, which its shop reported on, or of which Ringback told something, or nothing.
pub(crate) fn changed_order_row(
    scope: &TenantScope,
    order: &Order,
    before: u64,
    doing: &'static str,
) -> Result<Row, StoreError> {
    order_row(scope, order, Condition::Version(before), before + 1, doing)
}

/// The row of an order, with its places in the lists by day and by state, and in the due index if it will be late.
fn order_row(
    scope: &TenantScope,
    order: &Order,
    condition: Condition,
    version: u64,
    doing: &'static str,
) -> Result<Row, StoreError> {
    let at = order.contents.placed_at;
    let sort = sort_key_by_time(at, order.id.own());
    let state = IndexPlace {
        partition: keys::orders_in(scope, order.fulfilment),
        sort: sort.clone(),
    };
    let key = keys::of_contact(scope, order.id.contact(), Order::KIND, order.id.own());
    Ok(Row::new(&key, Order::WORD, order, condition, doing)?
        .version(version)
        .in_list(keys::orders_of(scope, &keys::day(at)), sort)
        .in_state(Some(state))
        .due_at(Lane::Bulk, &key, order.late_at))
}

impl Store {
    /// Records an order, unless its number is taken, or the contact does not exist, is deleted or has the maximum number. Write units for
    /// the row (2 per KB), 2 for each of its two places, 2 for the number, 2 for the counter, and 2 for the check of the contact.
    ///
    /// # Errors
    /// [`OrderNotCreated`].
    pub async fn create_order(&self, scope: &TenantScope, order: &Order, stamp: &Stamp) -> Result<(), OrderNotCreated> {
        let mut writes = create_writes(scope, order, stamp)?;
        let row = order_row(scope, order, Condition::NewOrGone, 1, Order::CREATE)?;
        writes[ROW] = Write::Put(row.with_stamp(stamp));
        let number = writes.len();
        let pointer = Pointer::unique(scope, Order::WORD, &unique(order), &order.id);
        writes.extend(pointer.map(|pointer| Write::Put(pointer.row(Condition::New, None))));
        match self.write_until_settled(writes, Order::CREATE).await {
            Ok(()) => Ok(()),
            Err(Unwritten::Store(error)) => Err(error.into()),
            // Its own number is taken, too, if the request comes again.
            Err(Unwritten::Lost(lost)) if lost.refused.contains(&number) && !lost.refused.contains(&ROW) => {
                Err(OrderNotCreated::Taken)
            }
            Err(Unwritten::Lost(lost)) => Err(not_created::<Order>(&lost.refused).into()),
        }
    }

    /// An order, unless its contact is deleted. If the contact was merged into another, it is the survivor's. One request of three rows.
    pub async fn order(&self, scope: &TenantScope, id: OrderId) -> Result<Option<Versioned<KnownOrder>>, StoreError> {
        const DOING: &str = "read an order";
        let wanted = keys::of_contact(scope, id.contact(), Order::KIND, id.own());
        let along = [wanted.clone()];
        let (mut people, mut rows) = self.known_many(scope, &[id.contact()], &along, DOING).await?;
        let person = people.remove(&id.contact());
        let Some(contact) = person.filter(|person| person.contact.deleted_at.is_none()) else {
            return Ok(None);
        };
        let order = rows::read_versioned(rows.remove(&wanted), None, DOING)?;
        Ok(order.map(|Versioned { version, value: order }| Versioned {
            version,
            value: KnownOrder { order, contact },
        }))
    }

    /// The order with this number, if there is one.
    pub async fn order_with_number(
        &self,
        scope: &TenantScope,
        number: &OrderNumber,
    ) -> Result<Option<Versioned<KnownOrder>>, StoreError> {
        const DOING: &str = "find an order by its number";
        let key = keys::claim(scope, Order::WORD, &unique_number(number));
        let item = self.database.get(&key, DOING).await?;
        match rows::data_if_any(item, DOING)? {
            Some(id) => self.order(scope, id).await,
            None => Ok(None),
        }
    }

    /// The id of the order that a shop delivered, also if its contact is deleted by now.
    pub async fn order_of_shop(&self, scope: &TenantScope, shop: &ShopOrder) -> Result<Option<OrderId>, StoreError> {
        const DOING: &str = "find an order by its shop's id";
        let key = keys::claim(scope, Order::WORD, &unique_in_shop(shop));
        rows::data_if_any(self.database.get(&key, DOING).await?, DOING)
    }

    /// Changes an order under the condition of the version that was read. Returns its new version.
    pub async fn change_order(
        &self,
        scope: &TenantScope,
        version: u64,
        after: &Order,
        stamp: &Stamp,
    ) -> Result<u64, StoreError> {
        let row = changed_order_row(scope, after, version, Order::CHANGE)?;
        self.database.put(row.with_stamp(stamp), Order::CHANGE).await?;
        Ok(version + 1)
    }

    /// The products that have the SKUs of the items, by SKU. One request, or none if no item has a SKU.
    pub async fn ordered_products(
        &self,
        scope: &TenantScope,
        contents: &OrderContents,
    ) -> Result<BTreeMap<String, ProductId>, StoreError> {
        const DOING: &str = "find the products of an order";
        let named: BTreeMap<String, Key> = contents
            .skus()
            .map(|sku| (sku.to_string(), keys::claim(scope, SKU, sku.as_str())))
            .collect();
        if named.is_empty() {
            return Ok(BTreeMap::new());
        }
        let claims: Vec<Key> = named.values().cloned().collect();
        let mut found = self.database.get_many(&claims, DOING).await?;
        let owners = named.into_iter().filter_map(|(sku, key)| {
            let owner = rows::data(found.remove(&key)?, DOING);
            Some(owner.map(|owner| (sku, owner)))
        });
        owners.collect()
    }
}
