//! The due index: rows that need work at a given time. The safety net of the whole system.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use domain::calls::CallProgress;
use domain::media::{Asset, Medium};
use domain::people::{Order, Recorded as _};
use domain::tenants::Connection;
use domain::terms::{Channel, ConnectionId, Lane, Operation, OrderId, TenantId};
use domain::webhooks::EndpointHealth;
use jiff::Timestamp;
use jobs::ToQueue;
use serde::Deserialize;

use crate::table::database::{record_capacity, run_update};
use crate::table::keys::{self, DUE_SHARDS, Key};
use crate::table::row::{self, Item, number, string};
use crate::table::{compact, owned, usage};
use crate::{Store, StoreError, TenantScope};

/// A partition of the due index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Partition {
    lane: Lane,
    shard: u8,
}

impl Partition {
    /// Number of partitions of each lane.
    pub const OF_LANE: usize = DUE_SHARDS as usize;

    /// The partitions of a lane.
    pub fn of(lane: Lane) -> impl Iterator<Item = Self> {
        (0..DUE_SHARDS).map(move |shard| Self { lane, shard })
    }

    /// Its lane.
    pub const fn lane(self) -> Lane {
        self.lane
    }

    pub fn all() -> impl Iterator<Item = Self> {
        Lane::ALL.into_iter().flat_map(Self::of)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    key: Key,
    place: String,
    tenant: TenantId,
    /// Time of the query. The row must still be retained then.
    found: Timestamp,
}

/// A page of due rows.
#[derive(Debug, Clone, PartialEq)]
pub struct DuePage {
    /// The rows, oldest first.
    pub due: Vec<Due>,
    /// Number of rows on the page of unknown kinds. They are left as they are.
    pub unknown: u64,
    /// Cursor of the next page; `None` if this was the last.
    pub next: Option<Next>,
}

/// Cursor of a page.
#[derive(Debug, Clone, PartialEq)]
pub struct Next(HashMap<String, AttributeValue>);

impl Due {
    /// A row that is due, of no kind that the dispatcher knows.
    pub(crate) fn of_other_kind(item: &Item, found: Timestamp) -> Option<Self> {
        let (pk, sk) = (string(item, "pk")?, string(item, "sk")?);
        Some(Self {
            key: Key {
                pk: pk.to_owned(),
                sk: sk.to_owned(),
            },
            place: string(item, "gsi2sk")?.to_owned(),
            tenant: keys::tenant_of(pk)?,
            found,
        })
    }

    /// A row that is due at this time.
    pub(crate) fn at(tenant: TenantId, key: Key, at: Timestamp, found: Timestamp) -> Self {
        Self {
            place: keys::due_place(&key, at),
            key,
            tenant,
            found,
        }
    }

    /// Whether a row is still due at its time.
    pub(crate) fn is_place_of(&self, item: &Item) -> bool {
        string(item, "gsi2sk") == Some(&self.place)
    }

    pub(crate) const fn key(&self) -> &Key {
        &self.key
    }

    /// The tenant of the row.
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Whether it is a message, which takes a place in the throughput of its number, and nothing else does.
    pub fn is_message(&self) -> bool {
        self.key.sk.starts_with(keys::MESSAGE)
    }

    /// Time when it was due.
    pub(crate) fn due_at(&self) -> Option<Timestamp> {
        let (at, _) = self.place.split_once('#')?;
        at.parse().ok()
    }
}

/// A due row with the job that processes it.
#[derive(Debug, Clone, PartialEq)]
pub struct DueRow {
    pub job: ToQueue,
    /// Number of times the dispatcher has queued it since it last changed.
    pub dispatches: u32,
    /// Earliest time with work to do, although the row is due.
    pub not_before: Option<Timestamp>,
    /// The connection whose WhatsApp number sends it, if it is a message.
    pub number: Option<ConnectionId>,
}

/// A kind of row that can be due.
struct DueKind {
    /// Whether a row of this area of a tenant's partitions with this sort key may be one of them: the index contains nothing
    /// else of a row.
    is_key: fn(&str, &str) -> bool,
    /// Its name in the row.
    kind: &'static str,
    /// The job that processes a row.
    job: fn(TenantId, Item) -> Result<DueRow, StoreError>,
}

const DOING: &str = "read due rows";

/// The kinds that can be due, with their jobs. A row of a kind that is missing here, such as one of a later version of the
/// code, is left alone.
const KINDS: [DueKind; 7] = [
    DueKind {
        is_key: |area, sk| area == keys::CONTACTS && sk.starts_with(keys::MESSAGE),
        kind: "message",
        job: |tenant, item| {
            let message = compact::message(item, DOING)?;
            let leg = message.current_leg();
            let number = leg.filter(|leg| leg.channel == Channel::WhatsApp);
            Ok(DueRow {
                number: number.map(|leg| leg.connection),
                job: ToQueue::send(tenant, &message),
                dispatches: message.dispatches,
                not_before: message.waits_for_delivery(Timestamp::MIN),
            })
        },
    },
    DueKind {
        is_key: |area, sk| area == keys::CONTACTS && sk.starts_with(keys::MEDIUM),
        kind: "medium",
        job: |tenant, item| {
            let medium: Medium = row::data(item, DOING)?;
            Ok(DueRow {
                job: ToQueue::media(tenant, &medium, medium.due.unwrap_or(medium.fetch_until)),
                dispatches: medium.dispatches,
                not_before: None,
                number: None,
            })
        },
    },
    DueKind {
        is_key: |area, sk| area == keys::CONTACTS && sk.starts_with(keys::ATTACHMENT),
        kind: "attachment",
        job: |tenant, item| {
            let attachment: Asset = row::data(row::without_expiry(item), DOING)?;
            let at = attachment.due.unwrap_or(attachment.created_at);
            Ok(DueRow {
                job: ToQueue::drop_attachment(tenant, &attachment, at),
                dispatches: attachment.dispatches,
                not_before: None,
                number: None,
            })
        },
    },
    DueKind {
        is_key: |area, sk| area == keys::CONTACTS && sk.starts_with(keys::ORDER),
        kind: Order::WORD,
        job: |tenant, item| {
            /// The field of an order's row that an order does not have.
            #[derive(Deserialize)]
            struct Leased {
                id: OrderId,
                #[serde(default)]
                dispatches: u32,
            }
            let Leased { id, dispatches } = row::data(item, DOING)?;
            Ok(DueRow {
                job: ToQueue::tell_news(tenant, id, Timestamp::MIN),
                dispatches,
                not_before: None,
                number: None,
            })
        },
    },
    DueKind {
        is_key: |area, sk| area == keys::REFERENCES && sk == keys::REFERENCE,
        kind: "call_progress",
        job: |tenant, item| {
            let progress: CallProgress = row::data(item, DOING)?;
            let dispatches = progress.dispatches;
            let until = progress.due.unwrap_or(progress.first_seen);
            Ok(DueRow {
                job: ToQueue::look(tenant, progress, until),
                dispatches,
                not_before: None,
                number: None,
            })
        },
    },
    DueKind {
        is_key: |area, sk| area == keys::OPERATIONS && sk.starts_with(keys::OPERATION),
        kind: "operation",
        job: |tenant, item| {
            let operation: Operation = row::data(item, DOING)?;
            Ok(DueRow {
                job: ToQueue::start(tenant, &operation),
                dispatches: operation.dispatches,
                not_before: None,
                number: None,
            })
        },
    },
    DueKind {
        is_key: |area, sk| area == keys::WEBHOOKS && sk == keys::HEALTH,
        kind: "webhook_health",
        job: |tenant, item| {
            let endpoint = string(&item, "pk").and_then(keys::endpoint_of);
            let endpoint = endpoint.ok_or(StoreError::Gone { doing: DOING })?;
            let health: EndpointHealth = row::data(item, DOING)?;
            let at = health.due.unwrap_or(Timestamp::MIN);
            Ok(DueRow {
                job: ToQueue::run_endpoint(tenant, endpoint, at),
                dispatches: health.dispatches,
                not_before: None,
                number: None,
            })
        },
    },
];

impl Store {
    /// Due rows of one partition, oldest first, at most `limit`, from the end of the previous page. One query of keys.
    pub async fn due_page(
        &self,
        partition: Partition,
        now: Timestamp,
        from: Option<Next>,
        limit: i32,
    ) -> Result<DuePage, StoreError> {
        let place = keys::due_partition(partition.lane, partition.shard);
        let (items, next) = self.due_keys(place, now, from, limit).await?;
        let due: Vec<Due> = items.iter().filter_map(|item| due_of(item, now)).collect();
        Ok(DuePage {
            unknown: u64::try_from(items.len() - due.len()).unwrap_or_default(),
            due,
            next,
        })
    }

    /// The keys of due rows of a partition of the index, oldest first, and the cursor of the next page.
    pub(crate) async fn due_keys(
        &self,
        place: String,
        now: Timestamp,
        from: Option<Next>,
        limit: i32,
    ) -> Result<(Vec<Item>, Option<Next>), StoreError> {
        const DOING: &str = "read what is due";
        let _waiting = usage::asking("dynamodb:Query");
        let output = self
            .database
            .client
            .query()
            .table_name(&self.database.table)
            .index_name("due")
            .key_condition_expression("gsi2pk = :shard AND gsi2sk <= :now")
            .expression_attribute_values(":shard", AttributeValue::S(place))
            // `~` sorts after the `#` between time and id.
            .expression_attribute_values(":now", AttributeValue::S(format!("{}~", keys::sortable(now))))
            .set_exclusive_start_key(from.map(|Next(key)| key))
            .limit(limit)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|error| StoreError::of_answer(DOING, error))?;
        record_capacity(output.consumed_capacity(), false);
        Ok((output.items.unwrap_or_default(), output.last_evaluated_key.map(Next)))
    }

    /// The rows of due keys with the jobs that process them, in one request per hundred. Deleted and expired rows are left
    /// out; an unreadable one does not block the others. `None`: a row of an unknown kind, to be left as it is.
    pub async fn due_rows(&self, due: Vec<Due>) -> Result<Vec<(Due, Result<Option<DueRow>, StoreError>)>, StoreError> {
        let keys: Vec<Key> = due.iter().map(|due| due.key.clone()).collect();
        let mut items = self.database.get_many(&keys, DOING).await?;
        let mut rows = Vec::with_capacity(due.len());
        for due in due {
            let item = items.remove(&due.key);
            let Some(item) = item.and_then(|item| row::unexpired_item(item, due.found)) else {
                continue;
            };
            let kind = string(&item, "kind").unwrap_or_default();
            let row = match KINDS.iter().find(|known| known.kind == kind) {
                Some(known) => (known.job)(due.tenant, item).map(Some),
                None => Ok(None),
            };
            rows.push((due, row));
        }
        Ok(rows)
    }

    /// The connections of due rows, each of its tenant, as far as they exist and can be read. One request per hundred.
    pub async fn connections_due(
        &self,
        wanted: &HashMap<ConnectionId, TenantScope>,
    ) -> Result<HashMap<ConnectionId, Connection>, StoreError> {
        const DOING: &str = "read the connections of due rows";
        let key = |(id, scope): (&ConnectionId, &TenantScope)| owned::key::<Connection>(scope, id);
        let keys: Vec<Key> = wanted.iter().map(key).collect();
        let found = self.database.get_many(&keys, DOING).await?;
        let read = found.into_values().filter_map(|item| {
            let connection: Result<Connection, _> = row::data(item, DOING);
            connection.ok()
        });
        Ok(read.map(|connection| (connection.id, connection)).collect())
    }

    /// Leases a due row: moves its time to `again`. Returns false if somebody else did so or the work is done.
    pub async fn lease(&self, due: &Due, again: Timestamp) -> Result<bool, StoreError> {
        let update = self
            .database
            .update_item(&due.key)
            // The version stays the same: a worker that holds the row must not lose its write to the dispatcher.
            .update_expression(
                "SET gsi2sk = :again, #data.#due = :due, \
                 #data.dispatches = if_not_exists(#data.dispatches, :none) + :one",
            )
            .expression_attribute_names("#data", "data")
            .expression_attribute_names("#due", "due")
            .expression_attribute_values(":due", AttributeValue::S(again.to_string()))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":none", number(0));
        self.move_due(update, due, again, "lease a due row").await
    }

    /// Moves the time of a due row to `again`, whatever the row holds. Returns false if somebody else did so or the work is done.
    pub(crate) async fn put_off_due(&self, due: &Due, again: Timestamp) -> Result<bool, StoreError> {
        let update = self.database.update_item(&due.key);
        let update = update.update_expression("SET gsi2sk = :again");
        self.move_due(update, due, again, "put off a due row").await
    }

    async fn move_due(
        &self,
        update: UpdateItemFluentBuilder,
        due: &Due,
        again: Timestamp,
        doing: &'static str,
    ) -> Result<bool, StoreError> {
        let update = update
            .condition_expression("gsi2sk = :place")
            .expression_attribute_values(":again", AttributeValue::S(keys::due_place(&due.key, again)))
            .expression_attribute_values(":place", AttributeValue::S(due.place.clone()));
        match run_update(update.send(), doing).await {
            Ok(moved) => Ok(moved.is_ok()),
            // A transaction that is writing the row changes it, too.
            Err(error) if error.is_conflict() => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// The kind of a row, determined by its key before reading it: the caller's role may not even be allowed to read others.
fn due_of(item: &Item, found: Timestamp) -> Option<Due> {
    let (pk, sk) = (string(item, "pk")?, string(item, "sk")?);
    let area = keys::area_of(pk)?;
    KINDS.iter().find(|known| (known.is_key)(area, sk))?;
    Due::of_other_kind(item, found)
}
