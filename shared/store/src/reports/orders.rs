//! Orders of a period, page by page, the newest first.

use domain::people::{FulfilmentState, Order, PaymentState};
use domain::terms::ContactId;

use crate::contacts::KnownOrder;
use crate::reports::{ReportPosition, Wanted};
use crate::table::database::{Index, Rows};
use crate::table::keys::{self, Key};
use crate::table::row::{self, Item, string};
use crate::{Page, Store, StoreError, TenantScope};

/// Conditions on orders.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OrderFilter {
    pub payment: Option<PaymentState>,
    /// Orders in a state of fulfilment have a list of their own, so nothing else is examined for them.
    pub fulfilment: Option<FulfilmentState>,
}

impl OrderFilter {
    /// The order in a row, if it fulfils the conditions. The lists are a moment behind.
    fn read(self, item: Item, doing: &'static str) -> Result<Option<Order>, StoreError> {
        let order: Order = row::data(item, doing)?;
        let fulfils = self.payment.is_none_or(|payment| payment == order.payment)
            && self.fulfilment.is_none_or(|fulfilment| fulfilment == order.fulfilment);
        Ok(fulfils.then_some(order))
    }
}

impl Store {
    /// A page of the orders of a period that fulfil the conditions, the newest first. Those of deleted contacts are left out, so a page
    /// may hold fewer than `limit` without being the last.
    ///
    /// Costs half a unit for each query of at most 100 entries, and half a unit per 4 KB of an order, of its contact and of the contact's profile.
    pub async fn orders_of_period(
        &self,
        scope: &TenantScope,
        filter: OrderFilter,
        wanted: &Wanted,
    ) -> Result<Page<KnownOrder>, StoreError> {
        const DOING: &str = "read the orders of a period";
        let read = |item| filter.read(item, DOING);
        let (orders, next) = match filter.fulfilment {
            Some(state) => {
                let list = keys::orders_in(scope, state);
                self.of_state(&list, wanted, read, DOING).await?
            }
            None => {
                let list = |day: &str| (Index::ByDay, keys::orders_of(scope, day));
                self.of_period(wanted, list, |_| true, read, DOING).await?
            }
        };
        let contacts: Vec<ContactId> = orders.iter().map(|order| order.id.contact()).collect();
        let (people, _) = self.known_many(scope, &contacts, &[], DOING).await?;
        let visible = orders.into_iter().filter_map(|order| {
            let contact = people.get(&order.id.contact())?.clone();
            let is_there = contact.contact.deleted_at.is_none();
            is_there.then_some(KnownOrder { order, contact })
        });
        Ok(Page {
            items: visible.collect(),
            next: next.map(|next| next.to_string()),
        })
    }

    /// The newest entries of a period in one list by state, and the end of the page, if there may be more behind it.
    async fn of_state(
        &self,
        list: &str,
        wanted: &Wanted,
        read: impl Fn(Item) -> Result<Option<Order>, StoreError>,
        doing: &'static str,
    ) -> Result<(Vec<Order>, Option<ReportPosition>), StoreError> {
        let end = ReportPosition::ahead_of(wanted.to);
        let upper = wanted.after.map_or(end, |after| after.min(end));
        let (from, to) = (keys::sortable(wanted.from), upper.to_string());
        if from > to {
            return Ok((Vec::new(), None));
        }
        let most = usize::try_from(wanted.limit).unwrap_or(1).max(1);
        // The bounds are inclusive, so that one may be the end of the previous page. One more tells whether there is more.
        let asked = i32::try_from(most + 2).unwrap_or(i32::MAX);
        let rows = Rows::Between(&from, &to).of(list);
        let (entries, more) = self
            .database
            .stretch(Index::ByState, rows, None, asked, true, doing)
            .await?;
        let (_, sort) = Index::ByState.keys();
        let places = entries.iter().filter_map(|item| {
            let place = string(item, sort)?.parse::<ReportPosition>().ok()?;
            Some((place, row::key_of(item)?))
        });
        let mut places: Vec<(ReportPosition, Key)> = places.filter(|(place, _)| *place < upper).collect();
        let more = more || places.len() > most;
        places.truncate(most);
        let next = places.last().map(|(place, _)| *place).filter(|_| more);
        let keys: Vec<Key> = places.into_iter().map(|(_, key)| key).collect();
        let mut stored = self.database.get_many(&keys, doing).await?;
        let mut found = Vec::new();
        for key in keys {
            if let Some(item) = stored.remove(&key).filter(row::live) {
                found.extend(read(item)?);
            }
        }
        Ok((found, next))
    }
}
