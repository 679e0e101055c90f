//! Exact counters: one row per tenant, hour, line and stream shard holds the last sequence number applied and is updated once
//! per batch, under the condition that the batch comes after it. How they are read and rolled up into days: [`crate::reports::Hour`]. What is
//! counted for a template has such rows per content, day and shard, which are not rolled up: a shard of the stream lives for some hours.
//!
//! A batch that Lambda gives up may have been counted in some rows and not in others, and later batches continue without
//! it. So a row stores which sequence numbers it counted: those of the last batch that touched it, and those of every
//! earlier one that may have been given up. All others are counted when the batch is replayed.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use domain::messages::TemplateEdition;
use domain::templates::TemplateId;
use domain::terms::LineId;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::table::database::{record_capacity, run_update};
use crate::table::keys::{self, Key};
use crate::table::row::{Item, number, second, string};
use crate::table::{forms, usage};
use crate::{RACES, Store, StoreError, TenantScope};

/// Counters by name.
pub type Counters = BTreeMap<String, u64>;

/// Adds counters to others.
pub fn join_counts(sum: &mut Counters, counters: &Counters) {
    for (name, count) in counters {
        *sum.entry(name.clone()).or_default() += count;
    }
}

/// Row that a change is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Beginning of the hour of its storage.
    hour: Timestamp,
    /// The line that it belongs to, if it belongs to one.
    line: Option<LineId>,
}

impl Place {
    /// The place of a change that was stored at this time.
    pub fn of(at: Timestamp, line: Option<LineId>) -> Self {
        let second = at.as_second();
        let hour = Timestamp::from_second(second - second.rem_euclid(3_600));
        Self {
            hour: hour.unwrap_or(Timestamp::UNIX_EPOCH),
            line,
        }
    }

    /// The day of the hour, in UTC.
    pub fn day(&self) -> Date {
        keys::date(self.hour)
    }
}

/// Row that a change of a template's messages is counted in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TemplateDay {
    /// The content of the template.
    pub of: TemplateEdition,
    /// The day of its storage, in UTC.
    pub day: Date,
}

impl TemplateDay {
    /// The place of a change that was stored at this time.
    pub fn of(of: TemplateEdition, at: Timestamp) -> Self {
        let day = keys::date(at);
        Self { of, day }
    }
}

/// Retention of the days of templates: thirteen months, and some days.
const TEMPLATES_KEPT: SignedDuration = SignedDuration::from_hours(400 * 24);

/// The counters that one change raises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// The change's sequence number in its stream shard, padded so that it sorts as text.
    pub sequence: String,
    /// The counters that it raises.
    pub counters: Counters,
    /// Whether an unreadable change is between this one and the previous one. That one is not counted.
    pub after_gap: bool,
}

/// The batch of the changes.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The stream shard. Sequence numbers can only be compared within it.
    pub shard: &'a str,
    /// Time of the oldest change in the batch.
    pub oldest: Timestamp,
    /// Batches whose oldest change is later than this are still retried, so none of them has been given up.
    pub retried_since: Timestamp,
    /// Whether this batch was given up and is replayed, out of the stream's order.
    pub again: bool,
    /// Expiry of the rows. They say what was counted for as long as a batch that was given up can be replayed.
    pub keep_until: Timestamp,
}

/// A range of sequence numbers that a row has counted, without a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Run {
    first: String,
    last: String,
}

impl Run {
    fn has(&self, sequence: &str) -> bool {
        self.first.as_str() <= sequence && sequence <= self.last.as_str()
    }

    /// The stored form. Sequence numbers are digits.
    fn write(&self) -> AttributeValue {
        AttributeValue::S(format!("{}-{}", self.first, self.last))
    }

    fn read(value: &AttributeValue) -> Option<Self> {
        let (first, last) = value.as_s().ok()?.split_once('-')?;
        Some(Self {
            first: first.to_owned(),
            last: last.to_owned(),
        })
    }
}

/// Groups changes, each with its position in the batch, into runs.
fn runs(changes: &[(usize, &Counted)]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut next = None;
    for (position, change) in changes {
        let last = change.sequence.clone();
        match runs.last_mut() {
            Some(run) if next == Some(*position) && !change.after_gap => run.last = last,
            _ => runs.push(Run {
                first: last.clone(),
                last,
            }),
        }
        next = Some(position + 1);
    }
    runs
}

/// The progress stored in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    /// The last run of the last batch that touched it. Rows from before runs were stored have its last change only.
    latest: Run,
    /// Time of the oldest change in that batch, in seconds.
    oldest: Option<i64>,
    /// Runs of earlier batches.
    before: Vec<Run>,
}

impl Known {
    fn read(item: &Item) -> Option<Self> {
        let last = string(item, LAST_SEQUENCE)?;
        let before = item.get(BEFORE).and_then(|value| value.as_l().ok());
        Some(Self {
            latest: Run {
                first: string(item, FIRST_SEQUENCE).unwrap_or(last).to_owned(),
                last: last.to_owned(),
            },
            oldest: item.get(OLDEST).and_then(|value| value.as_n().ok()?.parse().ok()),
            before: before.into_iter().flatten().filter_map(Run::read).collect(),
        })
    }

    /// Whether a change was counted. The stream delivers changes in order, so one that is not after the last was counted.
    fn has(&self, sequence: &str, source: Source<'_>) -> bool {
        if source.again {
            self.latest.has(sequence) || self.before.iter().any(|run| run.has(sequence))
        } else {
            sequence <= self.latest.last.as_str()
        }
    }
}

/// The result of an update.
enum Tried {
    /// The changes at these positions were applied.
    Counted(Vec<usize>),
    /// The row has another state.
    Further(Known),
}

const DOING: &str = "count changes";

impl Store {
    /// Adds changes of one stream shard to an hour of a line, each once: those that were applied already are left out, however a stream
    /// splits and repeats its batches. `changes` are in the shard's order, with growing sequence numbers.
    ///
    /// Returns the positions of the changes applied now.
    pub async fn count(
        &self,
        scope: &TenantScope,
        place: Place,
        source: Source<'_>,
        changes: &[Counted],
    ) -> Result<Vec<usize>, StoreError> {
        let key = keys::hour(scope, place.hour, place.line, source.shard);
        self.count_in(&key, source, changes).await
    }

    /// Adds changes of one stream shard to a day of a template's content, each once, as [`count`](Self::count) does.
    pub async fn count_template(
        &self,
        scope: &TenantScope,
        place: &TemplateDay,
        source: Source<'_>,
        changes: &[Counted],
    ) -> Result<Vec<usize>, StoreError> {
        let begins = place.day.to_zoned(TimeZone::UTC).map(|day| day.timestamp());
        let kept_until = begins.map_or(source.keep_until, |begins| begins + TEMPLATES_KEPT);
        let source = Source {
            keep_until: kept_until.max(source.keep_until),
            ..source
        };
        let key = keys::template_day(scope, &place.of, place.day, source.shard);
        self.count_in(&key, source, changes).await
    }

    /// The counts of a template on these days, in UTC: by content, day and shard, so there may be several entries of a day, which add up.
    /// Costs one query.
    pub async fn template_days(
        &self,
        scope: &TenantScope,
        template: &TemplateId,
        first: Date,
        last: Date,
    ) -> Result<Vec<(TemplateDay, Counters)>, StoreError> {
        const DOING: &str = "read the counters of a template";
        let partition = keys::template_days_partition(scope);
        let lower = keys::template_day_place(template, first);
        let upper = keys::template_day_place(template, last.saturating_add(1.day()));
        let items = self.database.all_between(&partition, &lower, &upper, DOING).await?;
        let mut days = Vec::with_capacity(items.len());
        for item in &items {
            forms::readable(item, DOING)?;
            let place = string(item, "sk").and_then(|sk| keys::counted_template_day(template, sk));
            let Some((edition, day)) = place else {
                continue;
            };
            let mut counters = Counters::new();
            add_counts(&mut counters, item);
            let of = TemplateEdition {
                template: template.clone(),
                edition,
            };
            days.push((TemplateDay { of, day }, counters));
        }
        Ok(days)
    }

    async fn count_in(&self, key: &Key, source: Source<'_>, changes: &[Counted]) -> Result<Vec<usize>, StoreError> {
        // The row as the last attempt met it.
        let met: Cell<Option<Known>> = Cell::new(None);
        let counted = RACES.until_won(async || {
            let known = met.take();
            match self.try_count(key, source, changes, known.as_ref()).await? {
                Tried::Counted(applied) => Ok(applied),
                Tried::Further(further) => {
                    met.set(Some(further));
                    Err(StoreError::Conflict { doing: DOING })
                }
            }
        });
        counted.await
    }

    /// Adds changes if the row has the known state, or, if none is known, if all of them come after its last change and no
    /// run has to be kept.
    async fn try_count(
        &self,
        key: &Key,
        source: Source<'_>,
        changes: &[Counted],
        known: Option<&Known>,
    ) -> Result<Tried, StoreError> {
        let is_new = |change: &Counted| !known.is_some_and(|known| known.has(&change.sequence, source));
        let new: Vec<(usize, &Counted)> = changes
            .iter()
            .enumerate()
            .filter(|(_, change)| is_new(change))
            .collect();
        let mut keep = runs(&new);
        let (Some((_, first)), Some(mut latest)) = (new.first(), keep.pop()) else {
            return Ok(Tried::Counted(Vec::new()));
        };
        let retried_since = source.retried_since.as_second();
        // A replayed batch may be replayed again, so its run is kept as long as the row.
        let mut oldest = if source.again { 0 } else { source.oldest.as_second() };
        let mut values = vec![
            (":kind", AttributeValue::S("counters".to_owned())),
            (":form", forms::form("counters")),
            (":until", second(source.keep_until)),
        ];
        let condition = match known {
            None if source.again => "attribute_not_exists(#seq)",
            None => {
                values.push((":begin", AttributeValue::S(first.sequence.clone())));
                values.push((":retried", AttributeValue::N(retried_since.to_string())));
                "attribute_not_exists(#seq) OR (#seq < :begin AND #oldest > :retried)"
            }
            Some(known) => {
                let given_up = known.oldest.is_none_or(|oldest| oldest <= retried_since);
                if latest.last < known.latest.last {
                    keep.push(std::mem::replace(&mut latest, known.latest.clone()));
                    oldest = known.oldest.unwrap_or(oldest);
                } else if given_up || source.again || new.len() < changes.len() {
                    keep.push(known.latest.clone());
                }
                values.push((":known", AttributeValue::S(known.latest.last.clone())));
                values.push((":kept", AttributeValue::N(known.before.len().to_string())));
                // Runs are added and never removed.
                if known.before.is_empty() {
                    "#seq = :known AND (attribute_not_exists(#before) OR size(#before) = :kept)"
                } else {
                    "#seq = :known AND size(#before) = :kept"
                }
            }
        };
        let mut update =
            "SET #seq = :last, #first = :first, #oldest = :oldest, #kind = :kind, #form = :form, #until = :until"
                .to_owned();
        values.extend([
            (":last", AttributeValue::S(latest.last)),
            (":first", AttributeValue::S(latest.first)),
            (":oldest", AttributeValue::N(oldest.to_string())),
        ]);
        let mut names = vec![
            ("#seq", LAST_SEQUENCE),
            ("#first", FIRST_SEQUENCE),
            ("#oldest", OLDEST),
            ("#kind", "kind"),
            ("#form", forms::FORM),
            ("#until", "expires_at"),
        ];
        if !keep.is_empty() {
            update.push_str(", #before = list_append(if_not_exists(#before, :none), :keep)");
            values.push((":none", AttributeValue::L(Vec::new())));
            values.push((":keep", AttributeValue::L(keep.iter().map(Run::write).collect())));
        }
        if !keep.is_empty() || known.is_some() {
            names.push(("#before", BEFORE));
        }
        let _waiting = usage::asking("dynamodb:UpdateItem");
        let mut request = self.database.update_item(key).condition_expression(condition);
        for (name, attribute) in names {
            request = request.expression_attribute_names(name, attribute);
        }
        for (name, value) in values {
            request = request.expression_attribute_values(name, value);
        }
        let mut counts = Counters::new();
        for (name, count) in new.iter().flat_map(|(_, change)| &change.counters) {
            *counts.entry(name.clone()).or_default() += count;
        }
        // ADD on paths inside a map needs the map to exist, so counters are top-level attributes.
        for (index, (name, count)) in counts.iter().enumerate() {
            update.push_str(if index == 0 { " ADD " } else { ", " });
            update.push_str(&format!("#c{index} :c{index}"));
            request = request
                .expression_attribute_names(format!("#c{index}"), format!("{COUNTER}{name}"))
                .expression_attribute_values(format!(":c{index}"), number(*count));
        }
        let result = request
            .update_expression(update)
            // The failed write returns the row's state; a separate read would need another permission.
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let error = match result {
            Ok(output) => {
                record_capacity(output.consumed_capacity(), true);
                return Ok(Tried::Counted(new.iter().map(|(position, _)| *position).collect()));
            }
            Err(error) => error,
        };
        let further = match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => failed.item().and_then(Known::read),
            _ => None,
        };
        further
            .map(Tried::Further)
            .ok_or_else(|| StoreError::database(DOING, error))
    }

    /// Says that changes of these days were counted after they may have been rolled up: until that is done again, readers take their
    /// hours.
    pub async fn roll_up_again(&self, scope: &TenantScope, days: &BTreeSet<Date>) -> Result<(), StoreError> {
        const DOING: &str = "ask for days to be rolled up again";
        let days = days.iter().map(ToString::to_string).collect();
        let request = self
            .database
            .update_item(&keys::rolled_hours(scope))
            .update_expression("SET #kind = :kind, #form = :form ADD #again :days, #v :one")
            .expression_attribute_names("#kind", "kind")
            .expression_attribute_names("#form", forms::FORM)
            .expression_attribute_names("#again", AGAIN)
            .expression_attribute_names("#v", "v")
            .expression_attribute_values(":kind", AttributeValue::S("rolled".to_owned()))
            .expression_attribute_values(":form", forms::form("rolled"))
            .expression_attribute_values(":days", AttributeValue::Ss(days))
            .expression_attribute_values(":one", number(1));
        let asked = run_update(request.send(), DOING).await?.map(drop);
        asked.map_err(|_lost| StoreError::Conflict { doing: DOING })
    }
}

/// The counters in a row, for tests with samples.
#[cfg(test)]
pub(crate) fn sample_counter(row: &Item) -> Counters {
    Known::read(row).expect("a row says how far it is");
    let mut sum = Counters::new();
    add_counts(&mut sum, row);
    sum
}

/// Adds the counters of one row.
pub(crate) fn add_counts(sum: &mut Counters, row: &Item) {
    for (name, value) in row {
        if let (Some(name), Ok(value)) = (name.strip_prefix(COUNTER), value.as_n()) {
            *sum.entry(name.to_owned()).or_default() += value.parse::<u64>().unwrap_or_default();
        }
    }
}

/// Days that are to be rolled up again.
pub(crate) const AGAIN: &str = "again";

/// The last change that was applied, and the first of its run.
const LAST_SEQUENCE: &str = "last_sequence";
const FIRST_SEQUENCE: &str = "first_sequence";

/// Time of the oldest change in the batch that was applied last, in seconds.
const OLDEST: &str = "oldest";

/// Runs that were applied before, of batches that may have been given up since.
const BEFORE: &str = "counted_before";

/// Prefix of a counter's attribute.
const COUNTER: &str = "n_";
