//! The few operations of DynamoDB that we use, each counted with its consumed capacity.

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemOutput};
use aws_sdk_dynamodb::types::builders::{DeleteBuilder, UpdateBuilder};
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, ConsumedCapacity, Delete, DeleteRequest, KeysAndAttributes, Put, PutRequest,
    ReturnConsumedCapacity, ReturnValue, Select, TransactWriteItem, Update, WriteRequest,
};

use futures::future::BoxFuture;
use jiff::Timestamp;

use crate::table::error::StoreError;
use crate::table::keys::{self, Key, Listed};
use crate::table::row::{ALIAS, Item, Row, Write, key_item, key_of, number, second, text};
use crate::table::{forms, usage};

/// A table behind a client.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    pub(crate) client: Client,
    pub(crate) table: String,
}

/// Maximum keys of one batch read.
const BATCH_GET_KEYS: usize = 100;

/// Maximum keys of one batch write.
const BATCH_WRITE_KEYS: usize = 25;

/// A selection of a partition's rows by their sort keys.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rows<'a> {
    /// Rows whose sort keys begin with this; all rows if it is empty.
    Beginning(&'a str),
    /// Rows between two sort keys, inclusive. The first must not come after the second.
    Between(&'a str, &'a str),
}

/// Rows of a partition.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowsOf<'a> {
    partition: &'a str,
    rows: Rows<'a>,
}

impl<'a> Rows<'a> {
    pub(crate) const fn of(self, partition: &'a str) -> RowsOf<'a> {
        RowsOf { partition, rows: self }
    }
}

/// Where a query looks: the table itself, or one of its indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Index {
    Table,
    /// Lists by keys that never change.
    ByDay,
    /// Lists by a state that changes.
    ByState,
}

impl Index {
    /// The attributes of its keys.
    pub(crate) const fn keys(self) -> (&'static str, &'static str) {
        match self {
            Self::Table => ("pk", "sk"),
            Self::ByDay => ("gsi1pk", "gsi1sk"),
            Self::ByState => ("gsi3pk", "gsi3sk"),
        }
    }

    const fn name(self) -> Option<&'static str> {
        match self {
            Self::Table => None,
            Self::ByDay => Some("by_day"),
            Self::ByState => Some("by_state"),
        }
    }
}

/// Rows that were read in one request with others, since somebody will probably need them: also those that do not exist.
#[derive(Debug, Clone, Default)]
pub struct Along {
    pub(crate) asked: HashSet<Key>,
    pub(crate) found: HashMap<Key, Item>,
}

impl Along {
    pub(crate) fn of(asked: Vec<Key>, found: HashMap<Key, Item>) -> Self {
        let asked = asked.into_iter().collect();
        Self { asked, found }
    }
}

/// Items found by a query, and the key to continue after if there may be more.
type Found = (Vec<Item>, Option<Item>);

pub(crate) fn record_capacity<'a>(consumed: impl IntoIterator<Item = &'a ConsumedCapacity>, write: bool) {
    for capacity in consumed {
        let units = capacity.capacity_units().unwrap_or_default();
        if write {
            usage::capacity(0.0, units);
        } else {
            usage::capacity(units, 0.0);
        }
    }
}

/// The answer to an update or, if its condition does not hold, the row that it was to return then. Boxed, since the request is large.
pub(crate) fn run_update(
    sent: impl Future<Output = Result<UpdateItemOutput, SdkError<UpdateItemError>>> + Send + 'static,
    doing: &'static str,
) -> BoxFuture<'static, Result<Result<UpdateItemOutput, Option<Item>>, StoreError>> {
    Box::pin(async move {
        let _waiting = usage::asking("dynamodb:UpdateItem");
        let error = match sent.await {
            Ok(output) => {
                record_capacity(output.consumed_capacity(), true);
                return Ok(Ok(output));
            }
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => Ok(Err(failed.item().cloned())),
            Some(failed) if failed.is_transaction_conflict_exception() => Err(StoreError::Conflict { doing }),
            _ => Err(StoreError::of_answer(doing, error)),
        }
    })
}

impl Database {
    /// Reads one row, consistently.
    pub(crate) async fn get(&self, key: &Key, doing: &'static str) -> Result<Option<Item>, StoreError> {
        let _waiting = usage::asking("dynamodb:GetItem");
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key_item(key)))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|error| StoreError::of_answer(doing, error))?;
        record_capacity(output.consumed_capacity(), false);
        Ok(output.item)
    }

    /// Reads several rows in one request, consistently. Rows that do not exist are missing from the answer. Duplicates are removed,
    /// since a batch must not contain any.
    pub(crate) async fn get_many(&self, keys: &[Key], doing: &'static str) -> Result<HashMap<Key, Item>, StoreError> {
        let mut found = HashMap::with_capacity(keys.len());
        let mut named = HashSet::new();
        let keys: Vec<&Key> = keys.iter().filter(|key| named.insert(*key)).collect();
        for chunk in keys.chunks(BATCH_GET_KEYS) {
            let mut wanted: Vec<Item> = chunk.iter().map(|key| key_item(key)).collect();
            // The database may leave some unprocessed; a bounded number of rounds gets them.
            for _round in 0..8 {
                let _waiting = usage::asking("dynamodb:BatchGetItem");
                let request = KeysAndAttributes::builder()
                    .set_keys(Some(std::mem::take(&mut wanted)))
                    .consistent_read(true)
                    .build()
                    .map_err(|error| StoreError::database(doing, error))?;
                let output = self
                    .client
                    .batch_get_item()
                    .request_items(&self.table, request)
                    .return_consumed_capacity(ReturnConsumedCapacity::Total)
                    .send()
                    .await
                    .map_err(|error| StoreError::of_answer(doing, error))?;
                record_capacity(output.consumed_capacity(), false);
                for item in output
                    .responses
                    .unwrap_or_default()
                    .remove(&self.table)
                    .unwrap_or_default()
                {
                    if let Some(key) = key_of(&item) {
                        found.insert(key, item);
                    }
                }
                let rest = output.unprocessed_keys.unwrap_or_default().remove(&self.table);
                wanted = rest.map(|rest| rest.keys).unwrap_or_default();
                if wanted.is_empty() {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            if !wanted.is_empty() {
                return Err(StoreError::database(
                    doing,
                    std::io::Error::other("rows left unprocessed"),
                ));
            }
        }
        Ok(found)
    }

    /// As [`get_many`](Self::get_many), without a request for rows that were read along with others.
    pub(crate) async fn get_further(
        &self,
        along: &Along,
        keys: &[Key],
        doing: &'static str,
    ) -> Result<HashMap<Key, Item>, StoreError> {
        let (known, others): (Vec<&Key>, Vec<&Key>) = keys.iter().partition(|key| along.asked.contains(*key));
        let others: Vec<Key> = others.into_iter().cloned().collect();
        let mut found = self.get_many(&others, doing).await?;
        let known = known.into_iter().filter_map(|key| along.found.get_key_value(key));
        found.extend(known.map(|(key, item)| (key.clone(), item.clone())));
        Ok(found)
    }

    /// A query: consistent of the table itself, eventually consistent of an index.
    fn query_of(&self, index: Index, partition: &str, rows: Rows<'_>, newest_first: bool) -> QueryFluentBuilder {
        let request = self.client.query().scan_index_forward(!newest_first);
        let request = match index.name() {
            Some(name) => request.index_name(name),
            None => request.consistent_read(true),
        };
        let request = request.expression_attribute_values(":pk", text(partition));
        let (pk, sk) = index.keys();
        match rows {
            Rows::Beginning("") => request.key_condition_expression(format!("{pk} = :pk")),
            Rows::Beginning(prefix) => request
                .key_condition_expression(format!("{pk} = :pk AND begins_with({sk}, :prefix)"))
                .expression_attribute_values(":prefix", text(prefix)),
            Rows::Between(lower, upper) => request
                .key_condition_expression(format!("{pk} = :pk AND {sk} BETWEEN :lower AND :upper"))
                .expression_attribute_values(":lower", text(lower))
                .expression_attribute_values(":upper", text(upper)),
        }
    }

    /// Reads at most `limit` rows of a partition of the table or of an index, after the key `start`. Returns whether there may be
    /// more.
    pub(crate) async fn stretch(
        &self,
        index: Index,
        RowsOf { partition, rows }: RowsOf<'_>,
        start: Option<Item>,
        limit: i32,
        newest_first: bool,
        doing: &'static str,
    ) -> Result<(Vec<Item>, bool), StoreError> {
        let request = self.query_of(index, partition, rows, newest_first);
        let (items, more) = self.ask(request, start, limit, doing).await?;
        Ok((items, more.is_some()))
    }

    /// Sends one query for at most `limit` rows after the key `start`.
    async fn ask(
        &self,
        request: QueryFluentBuilder,
        start: Option<Item>,
        limit: i32,
        doing: &'static str,
    ) -> Result<Found, StoreError> {
        let _waiting = usage::asking("dynamodb:Query");
        let output = request
            .table_name(&self.table)
            .set_exclusive_start_key(start)
            .limit(limit)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|error| StoreError::of_answer(doing, error))?;
        record_capacity(output.consumed_capacity(), false);
        Ok((output.items.unwrap_or_default(), output.last_evaluated_key))
    }

    /// The number of rows in a partition of an index: a request for each megabyte.
    pub(crate) async fn number_of(
        &self,
        index: Index,
        partition: &str,
        doing: &'static str,
    ) -> Result<u64, StoreError> {
        let (mut number, mut start) = (0, None);
        loop {
            let _waiting = usage::asking("dynamodb:Query");
            let request = self.query_of(index, partition, Rows::Beginning(""), false);
            let request = request.table_name(&self.table).select(Select::Count);
            let request = request
                .set_exclusive_start_key(start)
                .return_consumed_capacity(ReturnConsumedCapacity::Total);
            let output = request
                .send()
                .await
                .map_err(|error| StoreError::of_answer(doing, error))?;
            record_capacity(output.consumed_capacity(), false);
            number += u64::try_from(output.count).unwrap_or_default();
            start = output.last_evaluated_key;
            if start.is_none() {
                return Ok(number);
            }
        }
    }

    /// Reads at most `limit` rows of a partition whose sort keys begin with `prefix`, in order, consistently.
    pub(crate) async fn query(
        &self,
        partition: &str,
        prefix: &str,
        limit: i32,
        newest_first: bool,
        doing: &'static str,
    ) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let left = limit - i32::try_from(items.len()).unwrap_or(limit);
            let request = self.query_of(Index::Table, partition, Rows::Beginning(prefix), newest_first);
            let (found, more) = self.ask(request, start, left, doing).await?;
            items.extend(found);
            start = more;
            if start.is_none() || items.len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
                return Ok(items);
            }
        }
    }

    /// Reads one page of a partition whose sort keys begin with `prefix`, consistently. `after` is the last sort key of the
    /// previous page; the partition is always the caller's own.
    pub(crate) async fn page(
        &self,
        partition: &str,
        prefix: &str,
        after: Option<&str>,
        limit: i32,
        newest_first: bool,
        doing: &'static str,
    ) -> Result<(Vec<Item>, bool), StoreError> {
        let start = after.map(|sk| {
            key_item(&Key {
                pk: partition.to_owned(),
                sk: sk.to_owned(),
            })
        });
        let rows = Rows::Beginning(prefix).of(partition);
        self.stretch(Index::Table, rows, start, limit, newest_first, doing)
            .await
    }

    /// Reads one page of a partition's rows between two sort keys, inclusive, the newest first, consistently. `lower` must
    /// not come after `upper`.
    pub(crate) async fn between(
        &self,
        partition: &str,
        lower: &str,
        upper: &str,
        limit: i32,
        doing: &'static str,
    ) -> Result<(Vec<Item>, bool), StoreError> {
        let rows = Rows::Between(lower, upper).of(partition);
        self.stretch(Index::Table, rows, None, limit, true, doing).await
    }

    /// Reads all rows of a partition between two sort keys, inclusive, in order, consistently. `lower` must not come after `upper`.
    pub(crate) async fn all_between(
        &self,
        partition: &str,
        lower: &str,
        upper: &str,
        doing: &'static str,
    ) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let request = self.query_of(Index::Table, partition, Rows::Between(lower, upper), false);
            let (found, more) = self.ask(request, start, i32::MAX, doing).await?;
            items.extend(found);
            start = more;
            if start.is_none() {
                return Ok(items);
            }
        }
    }

    /// Reads one page of a partition of the list index: keys and list fields. Eventually consistent, as indexes are.
    pub(crate) async fn list(
        &self,
        partition: &str,
        after: Option<Listed>,
        limit: i32,
        doing: &'static str,
    ) -> Result<(Vec<Item>, bool), StoreError> {
        let start = after.map(|place| {
            let mut item = key_item(&place.key);
            item.insert("gsi1pk".to_owned(), text(place.partition));
            item.insert("gsi1sk".to_owned(), text(place.sort));
            item
        });
        let rows = Rows::Beginning("").of(partition);
        self.stretch(Index::ByDay, rows, start, limit, false, doing).await
    }

    /// Deletes rows, whether they exist or not. Duplicates are removed, since a batch must not contain any.
    pub(crate) async fn delete_many(&self, keys: &[Key], doing: &'static str) -> Result<(), StoreError> {
        let mut named = HashSet::new();
        let keys = keys.iter().filter(|key| named.insert(*key));
        let delete = |key: &Key| {
            let request = DeleteRequest::builder().set_key(Some(key_item(key))).build();
            let request = request.map_err(|error| StoreError::database(doing, error))?;
            Ok(WriteRequest::builder().delete_request(request).build())
        };
        let writes: Vec<WriteRequest> = keys.map(delete).collect::<Result<_, StoreError>>()?;
        self.write_many(&writes, doing).await
    }

    /// Writes rows over whatever was there, each by itself. Their conditions are not checked, and no two may have one key.
    pub(crate) async fn put_many(&self, rows: Vec<Row>, doing: &'static str) -> Result<(), StoreError> {
        let put = |row: Row| {
            let request = PutRequest::builder().set_item(Some(row.item)).build();
            let request = request.map_err(|error| StoreError::database(doing, error))?;
            Ok(WriteRequest::builder().put_request(request).build())
        };
        let writes: Vec<WriteRequest> = rows.into_iter().map(put).collect::<Result<_, StoreError>>()?;
        self.write_many(&writes, doing).await
    }

    async fn write_many(&self, writes: &[WriteRequest], doing: &'static str) -> Result<(), StoreError> {
        for chunk in writes.chunks(BATCH_WRITE_KEYS) {
            let mut wanted = chunk.to_vec();
            // The database may leave some unprocessed; a bounded number of rounds gets them.
            for _round in 0..8 {
                let _waiting = usage::asking("dynamodb:BatchWriteItem");
                let output = self
                    .client
                    .batch_write_item()
                    .request_items(&self.table, std::mem::take(&mut wanted))
                    .return_consumed_capacity(ReturnConsumedCapacity::Total)
                    .send()
                    .await
                    .map_err(|error| StoreError::of_answer(doing, error))?;
                record_capacity(output.consumed_capacity(), true);
                wanted = output
                    .unprocessed_items
                    .unwrap_or_default()
                    .remove(&self.table)
                    .unwrap_or_default();
                if wanted.is_empty() {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            if !wanted.is_empty() {
                return Err(StoreError::database(
                    doing,
                    std::io::Error::other("rows left unprocessed"),
                ));
            }
        }
        Ok(())
    }

    /// An update of a row, for [`run_update`].
    pub(crate) fn update_item(&self, key: &Key) -> UpdateItemFluentBuilder {
        let request = self.client.update_item().table_name(&self.table);
        let request = request.set_key(Some(key_item(key)));
        request.return_consumed_capacity(ReturnConsumedCapacity::Total)
    }

    /// Adds one to a row's count unless it has reached the limit. Returns the new count, or `None` if the limit is reached.
    /// Condition and addition are one write, so that no race exceeds the limit.
    pub(crate) async fn count_below(
        &self,
        key: &Key,
        limit: u32,
        expires_at: Timestamp,
        doing: &'static str,
    ) -> Result<Option<u32>, StoreError> {
        let number = |value: i64| AttributeValue::N(value.to_string());
        let request = self
            .update_item(key)
            .update_expression("ADD n :one SET expires_at = :expires, kind = :kind, f = :form")
            .condition_expression("attribute_not_exists(n) OR n < :limit")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":limit", number(limit.into()))
            .expression_attribute_values(":expires", number(expires_at.as_second()))
            .expression_attribute_values(":kind", text("rate"))
            .expression_attribute_values(":form", forms::form("rate"))
            .return_values(ReturnValue::UpdatedNew);
        let counted = run_update(request.send(), doing).await?.ok();
        Ok(counted.map(|output| {
            let count = output.attributes.as_ref().and_then(|row| row.get("n"));
            let count = count
                .and_then(|value| value.as_n().ok())
                .and_then(|text| text.parse().ok());
            count.unwrap_or(limit)
        }))
    }

    /// Replaces a row and adds one to its count; keeps the time of its creation.
    pub(crate) async fn tally(
        &self,
        key: &Key,
        mut row: Row,
        at: Timestamp,
        doing: &'static str,
    ) -> Result<(), StoreError> {
        let _waiting = usage::asking("dynamodb:UpdateItem");
        let mut field = |name: &str| row.item.remove(name).unwrap_or(AttributeValue::Null(true));
        let output = self
            .update_item(key)
            .update_expression(
                "SET #data = :data, #kind = :kind, #form = :form, #expires = :expires, \
                 #since = if_not_exists(#since, :at) ADD #n :one",
            )
            .expression_attribute_names("#data", "data")
            .expression_attribute_names("#kind", "kind")
            .expression_attribute_names("#form", forms::FORM)
            .expression_attribute_names("#expires", "expires_at")
            .expression_attribute_names("#since", "since")
            .expression_attribute_names("#n", "n")
            .expression_attribute_values(":data", field("data"))
            .expression_attribute_values(":kind", field("kind"))
            .expression_attribute_values(":form", field(forms::FORM))
            .expression_attribute_values(":expires", field("expires_at"))
            .expression_attribute_values(":at", text(at.to_string()))
            .expression_attribute_values(":one", number(1))
            .send()
            .await
            .map_err(|error| StoreError::database(doing, error))?;
        record_capacity(output.consumed_capacity(), true);
        Ok(())
    }

    /// Sets the expiry of a row, and nothing else: neither its version nor its data. Returns false if the condition does not hold, which
    /// may compare with `:until` and must compare with `:now` if that is given.
    pub(crate) async fn set_expiry(
        &self,
        key: &Key,
        until: Timestamp,
        condition: &'static str,
        now: Option<Timestamp>,
        doing: &'static str,
    ) -> Result<bool, StoreError> {
        let mut request = self
            .update_item(key)
            .update_expression("SET expires_at = :until")
            .condition_expression(condition)
            .expression_attribute_values(":until", second(until));
        if let Some(now) = now {
            request = request.expression_attribute_values(":now", second(now));
        }
        Ok(run_update(request.send(), doing).await?.is_ok())
    }

    pub(crate) async fn put(&self, row: Row, doing: &'static str) -> Result<(), StoreError> {
        let _waiting = usage::asking("dynamodb:PutItem");
        let mut request = self.client.put_item().table_name(&self.table).set_item(Some(row.item));
        if let Some((expression, values)) = row.condition.expression() {
            request = request.condition_expression(expression);
            for (name, value) in values {
                request = request.expression_attribute_values(name, value);
            }
        }
        let output = request
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|error| {
                if error.as_service_error().is_some_and(|error| {
                    error.is_conditional_check_failed_exception() || error.is_transaction_conflict_exception()
                }) {
                    StoreError::Conflict { doing }
                } else {
                    StoreError::of_answer(doing, error)
                }
            })?;
        record_capacity(output.consumed_capacity(), true);
        Ok(())
    }

    /// Writes one row. Returns false after a lost race.
    pub(crate) async fn try_put(&self, row: Row, doing: &'static str) -> Result<bool, StoreError> {
        match self.put(row, doing).await {
            Ok(()) => Ok(true),
            Err(error) if error.is_conflict() => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn delete(&self, key: &Key, doing: &'static str) -> Result<(), StoreError> {
        let _waiting = usage::asking("dynamodb:DeleteItem");
        let request = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key_item(key)));
        request
            .send()
            .await
            .map_err(|error| StoreError::of_answer(doing, error))?;
        Ok(())
    }

    /// Writes several rows or none.
    pub(crate) async fn transact(&self, rows: Vec<Row>, doing: &'static str) -> Result<(), StoreError> {
        self.transact_writes(rows.into_iter().map(Write::Put).collect(), doing)
            .await
    }

    fn removal(&self, key: &Key) -> DeleteBuilder {
        Delete::builder().table_name(&self.table).set_key(Some(key_item(key)))
    }

    /// Writes and removes several rows or none.
    pub(crate) async fn transact_writes(&self, writes: Vec<Write>, doing: &'static str) -> Result<(), StoreError> {
        let written = self.try_transact(writes, doing).await?;
        written.map_err(|_lost| StoreError::Conflict { doing })
    }

    /// Writes and removes several rows or none. After a lost race, says which writes were lost.
    pub(crate) async fn try_transact(
        &self,
        writes: Vec<Write>,
        doing: &'static str,
    ) -> Result<Result<(), Lost>, StoreError> {
        let actions: Vec<_> = writes.iter().map(Write::action).collect();
        usage::count(&actions);
        let mut items = Vec::with_capacity(writes.len());
        for write in writes {
            items.push(match write {
                Write::Put(row) => {
                    let mut put = Put::builder().table_name(&self.table).set_item(Some(row.item));
                    if let Some((expression, values)) = row.condition.expression() {
                        put = put.condition_expression(expression);
                        for (name, value) in values {
                            put = put.expression_attribute_values(name, value);
                        }
                    }
                    let put = put.build().map_err(|error| StoreError::database(doing, error))?;
                    TransactWriteItem::builder().put(put).build()
                }
                Write::Delete(key) => {
                    let delete = self.removal(&key).condition_expression("attribute_exists(pk)");
                    removing(delete, doing)?
                }
                Write::PutHeld(row, held) => self.put_over(row, "", vec![held], doing)?,
                Write::PutOwn(row, held) => {
                    let free = "attribute_not_exists(pk) OR attribute_exists(gone) OR ";
                    self.put_over(row, free, held, doing)?
                }
                Write::DeleteHeld(key, held) => {
                    let delete = self.removal(&key).condition_expression("#data = :held");
                    let delete = delete.expression_attribute_names("#data", "data");
                    removing(delete.expression_attribute_values(":held", held), doing)?
                }
                Write::DeleteVersion(key, version) => {
                    let delete = self.removal(&key).condition_expression("v = :v");
                    removing(delete.expression_attribute_values(":v", number(version)), doing)?
                }
                Write::Clear(key) => removing(self.removal(&key), doing)?,
                Write::CountBelow(key, most) => {
                    let update = self.update(&key, "ADD n :one SET kind = :kind, f = :form");
                    let update = update.expression_attribute_values(":kind", text("count"));
                    let update = update.expression_attribute_values(":form", forms::form("count"));
                    let update = update.condition_expression("attribute_not_exists(n) OR n < :most");
                    let update = update.expression_attribute_values(":most", number(most.into()));
                    updating(update.expression_attribute_values(":one", number(1)), doing)?
                }
                Write::CountDown(key) => {
                    let update = self.update(&key, "ADD n :less");
                    let less = AttributeValue::N("-1".to_owned());
                    updating(update.expression_attribute_values(":less", less), doing)?
                }
                Write::Shown(key) => {
                    let check = ConditionCheck::builder()
                        .table_name(&self.table)
                        .set_key(Some(key_item(&key)))
                        .condition_expression(
                            "attribute_exists(pk) AND kind <> :alias AND \
                             (attribute_not_exists(gsi3pk) OR NOT contains(gsi3pk, :deleted))",
                        )
                        .expression_attribute_values(":alias", text(ALIAS))
                        .expression_attribute_values(":deleted", text(keys::DELETED))
                        .build()
                        .map_err(|error| StoreError::database(doing, error))?;
                    TransactWriteItem::builder().condition_check(check).build()
                }
                Write::Raise(key) => {
                    // The author of the row's previous version did not make this change.
                    let raise = "SET #data.#version = #data.#version + :one, v = v + :one REMOVE #by";
                    let update = self.update(&key, raise).condition_expression("attribute_exists(pk)");
                    let update = update.expression_attribute_names("#data", "data");
                    let update = update.expression_attribute_names("#version", "config_version");
                    let update = update.expression_attribute_names("#by", "by");
                    updating(update.expression_attribute_values(":one", number(1)), doing)?
                }
            });
        }
        let _waiting = usage::waiting();
        let sent = self
            .client
            .transact_write_items()
            .set_transact_items(Some(items))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match sent {
            Ok(output) => {
                record_capacity(output.consumed_capacity(), true);
                Ok(Ok(()))
            }
            Err(error) if lost_a_race(&error) => Ok(Err(Lost {
                refused: refused_by(&error),
            })),
            Err(error) if cancelled_for(&error).any(|code| code == "ValidationError") => {
                Err(StoreError::invalid(doing, error))
            }
            Err(error) => Err(StoreError::of_answer(doing, error)),
        }
    }

    /// A part of a transaction: a row that must hold one of these items already, unless the other condition holds.
    fn put_over(
        &self,
        row: Row,
        or: &str,
        held: Vec<AttributeValue>,
        doing: &'static str,
    ) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder().table_name(&self.table).set_item(Some(row.item));
        let names: Vec<String> = (0..held.len()).map(|place| format!(":held{place}")).collect();
        let holds: Vec<String> = names.iter().map(|name| format!("#data = {name}")).collect();
        let put = put.condition_expression(format!("{or}{}", holds.join(" OR ")));
        let put = put.expression_attribute_names("#data", "data");
        let values = names.into_iter().zip(held);
        let put = values.fold(put, |put, (name, value)| put.expression_attribute_values(name, value));
        let put = put.build().map_err(|error| StoreError::database(doing, error))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn update(&self, key: &Key, expression: &str) -> UpdateBuilder {
        let update = Update::builder().table_name(&self.table).set_key(Some(key_item(key)));
        update.update_expression(expression)
    }
}

/// A lost race for a transaction.
#[derive(Debug)]
pub(crate) struct Lost {
    /// The indices of the writes whose conditions failed. Empty if another writer was just writing one of the rows.
    pub(crate) refused: Vec<usize>,
}

/// An update as a part of a transaction.
fn updating(update: UpdateBuilder, doing: &'static str) -> Result<TransactWriteItem, StoreError> {
    let update = update.build().map_err(|error| StoreError::database(doing, error))?;
    Ok(TransactWriteItem::builder().update(update).build())
}

/// A deletion as a part of a transaction.
fn removing(delete: DeleteBuilder, doing: &'static str) -> Result<TransactWriteItem, StoreError> {
    let delete = delete.build().map_err(|error| StoreError::database(doing, error))?;
    Ok(TransactWriteItem::builder().delete(delete).build())
}

/// The indices of the writes whose conditions failed.
fn refused_by(error: &SdkError<TransactWriteItemsError>) -> Vec<usize> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else {
        return Vec::new();
    };
    let reasons = cancelled.cancellation_reasons().iter().enumerate();
    let refused = reasons.filter(|(_, reason)| reason.code() == Some("ConditionalCheckFailed"));
    refused.map(|(at, _)| at).collect()
}

/// Reasons for the cancellation of a transaction: a code for each of its parts, `None` for those that would have succeeded.
fn cancelled_for(error: &SdkError<TransactWriteItemsError>) -> impl Iterator<Item = &str> + Clone {
    let cancelled = match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => Some(cancelled),
        _ => None,
    };
    let reasons = cancelled.map(|cancelled| cancelled.cancellation_reasons());
    reasons.unwrap_or_default().iter().filter_map(|reason| reason.code())
}

/// Whether a transaction was cancelled only because of another writer.
fn lost_a_race(error: &SdkError<TransactWriteItemsError>) -> bool {
    let in_progress = error
        .as_service_error()
        .is_some_and(TransactWriteItemsError::is_transaction_in_progress_exception);
    let mut codes = cancelled_for(error);
    let cancelled = codes.clone().any(|code| code != "None");
    let by_others = codes.all(|code| matches!(code, "None" | "ConditionalCheckFailed" | "TransactionConflict"));
    in_progress || cancelled && by_others
}
