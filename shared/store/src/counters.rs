//! Day counters, exact: one row per tenant, day and stream shard holds the last sequence number applied and is updated once
//! per batch under that condition. Readers add the rows up.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};

use crate::{
    Store, StoreError, TenantScope, keys,
    row::{key_item, number},
    usage,
};

/// Counters of one day, by name.
pub type Counters = BTreeMap<String, u64>;

/// A day has at most this many stream shards worth adding up: shards live for hours.
const MOST_SHARDS: i32 = 1000;

impl Store {
    /// Adds a batch's counts to a day, once: a batch whose sequence number was applied already changes nothing. Sequence numbers
    /// of one stream shard only grow; `sequence` is the batch's last, padded so that it sorts as text.
    ///
    /// Returns whether it was applied now.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn count_day(
        &self,
        scope: &TenantScope,
        day: &str,
        shard: &str,
        sequence: &str,
        counts: &Counters,
    ) -> Result<bool, StoreError> {
        const DOING: &str = "count a day";
        if counts.is_empty() {
            return Ok(false);
        }
        usage::count(&["dynamodb:UpdateItem"]);
        // ADD on paths inside a map needs the map to exist, so counters stand at the top of the row.
        let mut update = String::from("SET #seq = :seq, #kind = :kind ADD ");
        let mut request = self
            .database
            .client
            .update_item()
            .table_name(&self.database.table)
            .set_key(Some(key_item(&keys::counters(scope, day, shard))))
            .condition_expression("attribute_not_exists(#seq) OR #seq < :seq")
            .expression_attribute_names("#seq", "last_sequence")
            .expression_attribute_names("#kind", "kind")
            .expression_attribute_values(":seq", AttributeValue::S(sequence.to_owned()))
            .expression_attribute_values(":kind", AttributeValue::S("counters".to_owned()));
        for (index, (name, count)) in counts.iter().enumerate() {
            if index > 0 {
                update.push_str(", ");
            }
            update.push_str(&format!("#c{index} :c{index}"));
            request = request
                .expression_attribute_names(format!("#c{index}"), format!("{COUNTER}{name}"))
                .expression_attribute_values(format!(":c{index}"), number(*count));
        }
        let result = request
            .update_expression(update)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match result {
            Ok(output) => {
                if let Some(capacity) = output.consumed_capacity() {
                    usage::capacity(0.0, capacity.capacity_units().unwrap_or_default());
                }
                Ok(true)
            }
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|error| error.is_conditional_check_failed_exception()) =>
            {
                Ok(false)
            }
            Err(error) => Err(StoreError::database(DOING, error)),
        }
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

/// What a counter's attribute begins with.
const COUNTER: &str = "n_";
