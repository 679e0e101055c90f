//! Day counters, exact: one row per tenant, day and stream shard holds the last sequence number applied and is updated once
//! per batch under the condition that the batch comes after it. Readers add the rows up.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::{
    operation::update_item::UpdateItemError,
    types::{AttributeValue, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure},
};

use crate::{
    Store, StoreError, TenantScope, keys,
    row::{key_item, number, string},
    usage,
};

/// Counters of one day, by name.
pub type Counters = BTreeMap<String, u64>;

/// A day has at most this many stream shards worth adding up: shards live for hours.
const MOST_SHARDS: i32 = 1000;

/// What one change adds to its day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// The change's sequence number in its stream shard, padded so that it sorts as text.
    pub sequence: String,
    /// The counters that it raises.
    pub counters: Counters,
}

/// Batches of one shard come one after the other; more races than this are none.
const MOST_RACES: u32 = 4;

impl Store {
    /// Adds changes of one stream shard to a day, each once: those that were applied already are left out, however a stream
    /// cuts and repeats its batches. `changes` are in the shard's order, in which sequence numbers only grow.
    ///
    /// Returns how many were applied now.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn count_day(
        &self,
        scope: &TenantScope,
        day: &str,
        shard: &str,
        changes: &[Counted],
    ) -> Result<usize, StoreError> {
        const DOING: &str = "count a day";
        let mut new = changes;
        for _race in 0..MOST_RACES {
            let Some(known) = self.count_new(scope, day, shard, new, DOING).await? else {
                return Ok(new.len());
            };
            let from = new.partition_point(|change| change.sequence <= known);
            new = &new[from..];
        }
        Err(StoreError::Conflict { doing: DOING })
    }

    /// Adds changes if all of them come after the last that was applied; else returns that one's sequence number.
    async fn count_new(
        &self,
        scope: &TenantScope,
        day: &str,
        shard: &str,
        changes: &[Counted],
        doing: &'static str,
    ) -> Result<Option<String>, StoreError> {
        let (Some(first), Some(last)) = (changes.first(), changes.last()) else {
            return Ok(None);
        };
        let mut counts = Counters::new();
        for (name, count) in changes.iter().flat_map(|change| &change.counters) {
            *counts.entry(name.clone()).or_default() += count;
        }
        usage::count(&["dynamodb:UpdateItem"]);
        // ADD on paths inside a map needs the map to exist, so counters stand at the top of the row.
        let mut update = String::from("SET #seq = :last, #kind = :kind");
        let mut request = self
            .database
            .client
            .update_item()
            .table_name(&self.database.table)
            .set_key(Some(key_item(&keys::counters(scope, day, shard))))
            .condition_expression("attribute_not_exists(#seq) OR #seq < :first")
            .expression_attribute_names("#seq", LAST_SEQUENCE)
            .expression_attribute_names("#kind", "kind")
            .expression_attribute_values(":first", AttributeValue::S(first.sequence.clone()))
            .expression_attribute_values(":last", AttributeValue::S(last.sequence.clone()))
            .expression_attribute_values(":kind", AttributeValue::S("counters".to_owned()));
        for (index, (name, count)) in counts.iter().enumerate() {
            update.push_str(if index == 0 { " ADD " } else { ", " });
            update.push_str(&format!("#c{index} :c{index}"));
            request = request
                .expression_attribute_names(format!("#c{index}"), format!("{COUNTER}{name}"))
                .expression_attribute_values(format!(":c{index}"), number(*count));
        }
        let result = request
            .update_expression(update)
            // The row tells how far it is; a read of its own would need a permission more.
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        let error = match result {
            Ok(output) => {
                if let Some(capacity) = output.consumed_capacity() {
                    usage::capacity(0.0, capacity.capacity_units().unwrap_or_default());
                }
                return Ok(None);
            }
            Err(error) => error,
        };
        let known = match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => failed
                .item()
                .and_then(|item| string(item, LAST_SEQUENCE))
                .map(str::to_owned),
            _ => None,
        };
        known.map(Some).ok_or_else(|| StoreError::database(doing, error))
    }

    /// A day's counters, added up over its shards.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn day_counters(&self, scope: &TenantScope, day: &str) -> Result<Counters, StoreError> {
        const DOING: &str = "read a day's counters";
        let partition = keys::counters_partition(scope, day);
        let items = self
            .database
            .query(&partition, "SHARD#", MOST_SHARDS, false, DOING)
            .await?;
        let mut sum = Counters::new();
        for item in items {
            for (name, value) in item {
                if let (Some(name), Ok(value)) = (name.strip_prefix(COUNTER), value.as_n()) {
                    *sum.entry(name.to_owned()).or_default() += value.parse::<u64>().unwrap_or_default();
                }
            }
        }
        Ok(sum)
    }
}

const LAST_SEQUENCE: &str = "last_sequence";

/// What a counter's attribute begins with.
const COUNTER: &str = "n_";
