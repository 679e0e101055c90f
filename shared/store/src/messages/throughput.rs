//! Places in the throughput of numbers: one row per number, with the span of seconds that was begun last and what is taken of each of its
//! seconds. A block is taken on condition that there is room, in the same write, so that no race exceeds a limit.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use domain::tenants::{Block, THROUGHPUT_SPAN, TakenSpan, Throughput};
use domain::terms::{ConnectionId, Lane};
use jiff::{SignedDuration, Timestamp};

use crate::table::database::run_update;
use crate::table::forms;
use crate::table::keys::{self, Key};
use crate::table::row::{Item, second, text};
use crate::{Store, StoreError, TenantScope};

/// Retention of a row: clocks differ.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(1);

/// Attempts to take a block: each but the first follows a lost race. Then the row says whether there is room.
const MAX_TRIES: u32 = 4;

const DOING: &str = "take places of a number's throughput";

/// The span that a row has.
pub(crate) fn throughput_span(item: &Item) -> Option<TakenSpan> {
    let number = |name: &str| item.get(name)?.as_n().ok();
    Some(TakenSpan {
        second: number("second")?.parse().ok()?,
        taken: number("taken")?.parse().ok()?,
    })
}

impl Store {
    /// Takes a block of a number's places for a lane, unless there is none before the time that is returned. One read and one write; a lost
    /// race costs a write more.
    pub async fn take_places(
        &self,
        scope: &TenantScope,
        connection: ConnectionId,
        throughput: &Throughput,
        lane: Lane,
        now: Timestamp,
    ) -> Result<Result<Block, Timestamp>, StoreError> {
        let key = keys::number_limit(scope, connection);
        let mut last = self.database.get(&key, DOING).await?;
        for _ in 0..MAX_TRIES {
            if let Some(row) = &last {
                forms::readable(row, DOING)?;
            }
            let block = match throughput.next_block(lane, last.as_ref().and_then(throughput_span), now) {
                Ok(block) => block,
                Err(until) => return Ok(Err(until)),
            };
            match self.take_block(&key, &block, now).await? {
                Ok(()) => return Ok(Ok(block)),
                Err(found) => last = found,
            }
        }
        Ok(Err(now + THROUGHPUT_SPAN))
    }

    /// Takes a block if it fits ([`Block::after`]). Otherwise, the row as it is.
    async fn take_block(
        &self,
        key: &Key,
        block: &Block,
        now: Timestamp,
    ) -> Result<Result<(), Option<Item>>, StoreError> {
        let number = |value: i64| AttributeValue::N(value.to_string());
        let request = self
            .database
            .update_item(key)
            .expression_attribute_names("#second", "second")
            .expression_attribute_values(":second", number(block.second))
            .expression_attribute_values(":places", number(block.places.into()))
            // The failed write returns the row's state, without another read.
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let request = if block.begins {
            request
                .update_expression(
                    "SET #second = :second, taken = :places, expires_at = :expires, kind = :kind, f = :form",
                )
                .condition_expression("attribute_not_exists(pk) OR #second <= :before")
                .expression_attribute_values(":before", number(block.last_began()))
                .expression_attribute_values(":expires", second(now + KEPT_FOR))
                .expression_attribute_values(":kind", text("number_limit"))
                .expression_attribute_values(":form", forms::form("number_limit"))
        } else {
            request
                .update_expression("SET taken = taken + :places")
                .condition_expression("#second = :second AND taken <= :most")
                .expression_attribute_values(":most", number(block.most_taken().map_or(-1, i64::from)))
        };
        Ok(run_update(request.send(), DOING).await?.map(drop))
    }
}
