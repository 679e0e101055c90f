//! Deliveries of events to endpoints: a row each, for seven days. Those that were not delivered are also in a list of their state, by the time of
//! their next attempt or of their event.
//!
//! A delivery costs at most three write units: one or two for its row, which holds at most 1 KB of an answer, and one for the list.

use domain::terms::{EventId, WebhookEndpointId};
use domain::webhooks::{Delivery, DeliveryState};
use jiff::Timestamp;

use crate::table::database::{Index, Rows};
use crate::table::keys::{self, IndexPlace, Key, ListedDelivery};
use crate::table::row::{self, Condition, Item, Row, text};
use crate::{Page, Store, StoreError, TenantScope};

/// Queries of a page of delivered events, among which others are left out: a page can be short without being the last.
const MAX_QUERIES: usize = 5;

/// Deliveries that wait for an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingDeliveries {
    /// Deliveries to try, the longest wait first.
    pub deliveries: Vec<Delivery>,
    /// Time of the first of the others, if there are any.
    pub next_at: Option<Timestamp>,
}

/// Deliveries that were queued again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovered {
    /// Their number.
    pub number: u32,
    /// Whether there are more.
    pub more: bool,
}

/// The place of a delivery in the list of its state. Those that were delivered are in none, so that they cost no further write.
fn place(scope: &TenantScope, endpoint: WebhookEndpointId, delivery: &Delivery) -> Option<IndexPlace> {
    let at = match delivery.state {
        DeliveryState::Waiting => delivery.waits_since(),
        DeliveryState::Failed | DeliveryState::Dropped => delivery.event.at,
        DeliveryState::Delivered => return None,
    };
    Some(IndexPlace {
        partition: keys::deliveries_in(scope, endpoint, delivery.state),
        sort: keys::delivery_place(at, delivery.event.id),
    })
}

fn read_listed(item: &Item) -> Option<ListedDelivery> {
    row::string(item, Index::ByState.keys().1).and_then(keys::delivery_at)
}

fn cursor(at: ListedDelivery) -> String {
    keys::delivery_place(at.at, at.event)
}

impl Store {
    /// Writes deliveries over whatever is known of them, 25 per request. Writing them twice does no harm; of two writers, the last one wins.
    ///
    /// # Errors
    /// When the table does not answer. Some may be written.
    pub async fn write_deliveries(
        &self,
        scope: &TenantScope,
        endpoint: WebhookEndpointId,
        deliveries: &[Delivery],
    ) -> Result<(), StoreError> {
        const DOING: &str = "write deliveries of webhooks";
        let row = |delivery: &Delivery| {
            let key = keys::delivery(scope, endpoint, delivery.event.id);
            let row = Row::new(&key, "webhook_delivery", delivery, Condition::Always, DOING)?;
            let row = row.in_state(place(scope, endpoint, delivery));
            Ok(row.expires_at(delivery.expires_at()))
        };
        let rows: Vec<Row> = deliveries.iter().map(row).collect::<Result<_, StoreError>>()?;
        self.database.put_many(rows, DOING).await
    }

    /// Reads a delivery.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn read_delivery(
        &self,
        scope: &TenantScope,
        endpoint: WebhookEndpointId,
        event: EventId,
        now: Timestamp,
    ) -> Result<Option<Delivery>, StoreError> {
        let found = self.read_deliveries(scope, endpoint, &[event], now).await?;
        Ok(found.into_iter().next())
    }

    /// The deliveries of these events that exist, in this order. One request per hundred.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn read_deliveries(
        &self,
        scope: &TenantScope,
        endpoint: WebhookEndpointId,
        events: &[EventId],
        now: Timestamp,
    ) -> Result<Vec<Delivery>, StoreError> {
        const DOING: &str = "read deliveries of webhooks";
        let wanted: Vec<Key> = events
            .iter()
            .map(|event| keys::delivery(scope, endpoint, *event))
            .collect();
        let mut found = self.database.get_many(&wanted, DOING).await?;
        let known = wanted.iter().filter_map(|key| found.remove(key));
        let known = known.filter(|item| !row::is_expired(item, now));
        known.map(|item| row::data(item, DOING)).collect()
    }

    /// A page of the deliveries of an endpoint, the newest event first; of those that wait, the one that waits for the longest first. `after` is
    /// the cursor of the previous page.
    ///
    /// # Errors
    /// [`StoreError::Position`] if the cursor is of another list; when the table does not answer.
    pub async fn list_deliveries(
        &self,
        scope: &TenantScope,
        endpoint: WebhookEndpointId,
        state: Option<DeliveryState>,
        after: Option<&str>,
        limit: i32,
        now: Timestamp,
    ) -> Result<Page<Delivery>, StoreError> {
        match state {
            None | Some(DeliveryState::Delivered) => self.page_of_all(scope, endpoint, state, after, limit, now).await,
            Some(state) => self.page_in(scope, endpoint, state, after, limit, now).await,
        }
    }

    async fn page_of_all(
        &self,
        scope: &TenantScope,
        endpoint: WebhookEndpointId,
        state: Option<DeliveryState>,
        after: Option<&str>,
        limit: i32,
        now: Timestamp,
    ) -> Result<Page<Delivery>, StoreError> {
        const DOING: &str = "list deliveries of webhooks";
        let partition = keys::deliveries(scope, endpoint);
        let after: Option<EventId> = after.map(str::parse).transpose().map_err(|_| StoreError::Position)?;
        let mut after = after.map(|event| event.to_string());
        let mut items: Vec<Delivery> = Vec::new();
        for _query in 0..MAX_QUERIES {
            let left = limit - i32::try_from(items.len()).unwrap_or(limit);
            let (rows, more) = self
                .database
                .page(&partition, keys::DELIVERY, after.as_deref(), left, true, DOING)
                .await?;
            after = rows.last().and_then(|item| row::string(item, "sk")).map(str::to_owned);
            after = after.filter(|_| more);
            for item in rows.into_iter().filter(|item| !row::is_expired(item, now)) {
                let delivery: Delivery = row::data(item, DOING)?;
                items.extend(state.is_none_or(|state| state == delivery.state).then_some(delivery));
            }
            if after.is_none() || items.len() >= usize::try_from(limit).unwrap_or_default() {
                break;
            }
        }
        Ok(Page { items, next: after })
    }

    async fn page_in(
        &self,
        scope: &TenantScope,
        endpoint: WebhookEndpointId,
        state: DeliveryState,
        after: Option<&str>,
        limit: i32,
        now: Timestamp,
    ) -> Result<Page<Delivery>, StoreError> {
        const DOING: &str = "list deliveries of webhooks in a state";
        let partition = keys::deliveries_in(scope, endpoint, state);
        let after = after
            .map(|text| keys::delivery_at(text).ok_or(StoreError::Position))
            .transpose()?;
        let start = after.map(|at| {
            let mut start = row::key_item(&keys::delivery(scope, endpoint, at.event));
            let (pk, sk) = Index::ByState.keys();
            start.insert(pk.to_owned(), text(&partition));
            start.insert(sk.to_owned(), text(cursor(at)));
            start
        });
        let newest_first = state != DeliveryState::Waiting;
        let rows = Rows::Beginning("").of(&partition);
        let (rows, more) = self
            .database
            .stretch(Index::ByState, rows, start, limit, newest_first, DOING)
            .await?;
        let found: Vec<ListedDelivery> = rows.iter().filter_map(read_listed).collect();
        let events: Vec<EventId> = found.iter().map(|at| at.event).collect();
        let mut items = self.read_deliveries(scope, endpoint, &events, now).await?;
        // The index follows a moment later.
        items.retain(|delivery| delivery.state == state);
        let next = found.last().filter(|_| more).map(|at| cursor(*at));
        Ok(Page { items, next })
    }

    /// The deliveries that wait until this time, at most `limit`, the longest wait first. Without a time: the first ones, whenever they are to be
    /// tried. The list lags behind the rows a little.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn waiting_deliveries(
        &self,
        scope: &TenantScope,
        endpoint: WebhookEndpointId,
        until: Option<Timestamp>,
        limit: usize,
        now: Timestamp,
    ) -> Result<WaitingDeliveries, StoreError> {
        const DOING: &str = "list waiting deliveries of webhooks";
        let partition = keys::deliveries_in(scope, endpoint, DeliveryState::Waiting);
        let rows = Rows::Beginning("").of(&partition);
        let looked_at = i32::try_from(limit).unwrap_or(i32::MAX).saturating_add(1);
        let (rows, _) = self
            .database
            .stretch(Index::ByState, rows, None, looked_at, false, DOING)
            .await?;
        let found: Vec<ListedDelivery> = rows.iter().filter_map(read_listed).collect();
        let is_due = |at: &&ListedDelivery| until.is_none_or(|until| at.at <= until);
        let due: Vec<EventId> = found.iter().take(limit).take_while(is_due).map(|at| at.event).collect();
        let mut deliveries = self.read_deliveries(scope, endpoint, &due, now).await?;
        deliveries.retain(|delivery| delivery.state == DeliveryState::Waiting);
        Ok(WaitingDeliveries {
            deliveries,
            next_at: found.get(due.len()).map(|at| at.at),
        })
    }

    /// The number of deliveries that wait for an endpoint: a request for each megabyte of keys.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn count_waiting(&self, scope: &TenantScope, endpoint: WebhookEndpointId) -> Result<u32, StoreError> {
        let partition = keys::deliveries_in(scope, endpoint, DeliveryState::Waiting);
        let number = self
            .database
            .number_of(Index::ByState, &partition, "count waiting deliveries of webhooks")
            .await?;
        Ok(u32::try_from(number).unwrap_or(u32::MAX))
    }

    /// Queues failed and dropped deliveries of events since a time again, the oldest first, at most `limit`. The endpoint is due at once. Doing so
    /// twice queues what is left.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn recover_deliveries(
        &self,
        scope: &TenantScope,
        endpoint: WebhookEndpointId,
        since: Timestamp,
        limit: usize,
        now: Timestamp,
    ) -> Result<Recovered, StoreError> {
        const DOING: &str = "list failed deliveries of webhooks";
        let mut found: Vec<ListedDelivery> = Vec::new();
        let mut more = false;
        for state in [DeliveryState::Failed, DeliveryState::Dropped] {
            let partition = keys::deliveries_in(scope, endpoint, state);
            let from = keys::sortable(since);
            let rows = Rows::Between(&from, "~").of(&partition);
            let left = limit.saturating_sub(found.len());
            // One more shows whether there are others.
            let asked = i32::try_from(left).unwrap_or(i32::MAX).saturating_add(1);
            let (rows, _) = self
                .database
                .stretch(Index::ByState, rows, None, asked, false, DOING)
                .await?;
            more |= rows.len() > left;
            found.extend(rows.iter().filter_map(read_listed).take(left));
        }
        let events: Vec<EventId> = found.iter().map(|at| at.event).collect();
        let mut deliveries = self.read_deliveries(scope, endpoint, &events, now).await?;
        deliveries.retain(|known| matches!(known.state, DeliveryState::Failed | DeliveryState::Dropped));
        let again: Vec<Delivery> = deliveries.iter().map(|known| known.queue_again(now)).collect();
        let number = u32::try_from(again.len()).unwrap_or_default();
        if number > 0 {
            // First, so that none of them waits without being due if this is interrupted.
            self.change_health(scope, endpoint, now, |health| health.with_more_waiting(number, now))
                .await?;
            self.write_deliveries(scope, endpoint, &again).await?;
        }
        Ok(Recovered { number, more })
    }
}
