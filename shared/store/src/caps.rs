//! What is counted for a tenant's caps: one row per day, in UTC, with a counter per cap. A counter is raised on condition that it is below
//! its cap's maximum, in the same write, so that no race exceeds it.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::{
    config::retry::RetryConfig,
    operation::update_item::UpdateItemError,
    types::{AttributeValue, ReturnConsumedCapacity, ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use domain::cap::{Cap, Counts, Period, hour_of};
use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date};

use crate::{
    Store, StoreError, TenantScope, forms, keys,
    keys::Key,
    row::{self, Item, key_item, second, text},
    usage,
};

/// Time for which a day is kept: until its month is over, and as long again.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(62 * 24);

/// Attempts to count, of which each but the last finds that the day or the hour has changed.
const MOST_TRIES: u32 = 8;

/// The hour to which the counters of hours belong, or [`OVER`].
const HOUR: &str = "of_hour";

/// The hour of a day that is over: the next day has its month's counts, so nothing more is counted for it.
const OVER: u8 = 24;

/// The rows of a month that are looked at: today's, one of yesterday that ended without a message, and the one before.
const LATEST: i32 = 3;

const DOING: &str = "count a message for its caps";

/// The state that a conditional update found.
enum Found {
    /// It was counted, and these counters have these values now.
    Counted(Counts),
    /// It was not, since the row is otherwise, or there is none.
    Otherwise(Option<Counts>),
}

/// An update: its parts, and the values that they name.
#[derive(Default)]
struct Update {
    set: Vec<String>,
    remove: Vec<String>,
    condition: Vec<String>,
    /// Not to be repeated if the answer is lost.
    once: bool,
    /// All attributes are wanted, and not only those that it changes.
    all: bool,
    values: BTreeMap<String, AttributeValue>,
}

impl Update {
    fn value(&mut self, name: String, value: u32) -> String {
        self.values.insert(name.clone(), AttributeValue::N(value.to_string()));
        name
    }

    /// Raises the counter of a cap, on condition that it is below the maximum.
    fn raise(&mut self, cap: &Cap) {
        let (counter, one) = (cap.counter(), self.value(":one".to_owned(), 1));
        let zero = self.value(":zero".to_owned(), 0);
        let maximum = self.value(format!(":{counter}"), cap.maximum);
        self.set
            .push(format!("{counter} = if_not_exists({counter}, {zero}) + {one}"));
        self.condition
            .push(format!("(attribute_not_exists({counter}) OR {counter} < {maximum})"));
    }

    /// What a new row has beside its counters.
    fn named(&mut self, now: Timestamp) {
        for (name, value) in [
            ("expires_at", second(now + KEPT_FOR)),
            ("kind", text("cap_day")),
            (forms::FORM, forms::form("cap_day")),
        ] {
            self.set.push(format!("{name} = :{name}"));
            self.values.insert(format!(":{name}"), value);
        }
    }

    fn expression(&self) -> String {
        let set = format!("SET {}", self.set.join(", "));
        if self.remove.is_empty() {
            set
        } else {
            format!("{set} REMOVE {}", self.remove.join(", "))
        }
    }
}

pub(crate) fn counts(item: &Item) -> Counts {
    let number = |value: &AttributeValue| value.as_n().ok()?.parse::<u32>().ok();
    let is_counter = |name: &str| {
        let mut letters = name.chars();
        matches!(letters.next(), Some('h' | 'd' | 'm')) && letters.all(|letter| letter.is_ascii_digit())
    };
    let counters = item.iter().filter(|(name, _)| is_counter(name));
    let hour = item.get(HOUR).and_then(number);
    Counts {
        hour: hour.and_then(|hour| u8::try_from(hour).ok()).unwrap_or_default(),
        counts: counters
            .filter_map(|(name, value)| Some((name.clone(), number(value)?)))
            .collect(),
    }
}

/// What is counted of a month, at the beginning of an hour of another day.
fn of_month(mut counts: Counts, hour: u8) -> Counts {
    counts.counts.retain(|counter, _| counter.starts_with('m'));
    counts.hour = hour;
    counts
}

/// The same by the newest of these rows that has counters of the month.
fn month_of(rows: &[Item], hour: u8) -> Counts {
    let months = rows.iter().map(|row| of_month(counts(row), hour));
    months
        .into_iter()
        .find(|month| !month.counts.is_empty())
        .unwrap_or_default()
}

/// Those of which four fifths are used with the message that was just counted.
fn nearly_reached(caps: &[Cap], counted: &Counts) -> Vec<Cap> {
    let count = |cap: &Cap| counted.counts.get(&cap.counter()).copied().unwrap_or_default();
    let near = caps.iter().filter(|cap| cap.is_nearly_reached_by(count(cap)));
    near.cloned().collect()
}

impl Store {
    /// Counts a message for the caps that apply to it, unless one of them is reached, which is returned: one write, and for the first message
    /// of a day three more and a query. Otherwise, those of which four fifths are used with it. `all`: the tenant's caps.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn take_from_caps(
        &self,
        scope: &TenantScope,
        (caps, all): (&[Cap], &[Cap]),
        now: Timestamp,
    ) -> Result<Result<Vec<Cap>, Cap>, StoreError> {
        if caps.is_empty() {
            return Ok(Ok(Vec::new()));
        }
        if let Some(none) = caps.iter().find(|cap| cap.maximum == 0) {
            return Ok(Err(none.clone()));
        }
        let (mut day, mut hour) = (keys::date(now), hour_of(now));
        for _ in 0..MOST_TRIES {
            let key = keys::cap_day(scope, day);
            let found = match self.raise(&key, caps, hour).await? {
                Found::Counted(counts) => return Ok(Ok(nearly_reached(caps, &counts))),
                Found::Otherwise(found) => found,
            };
            let Some(counts) = found else {
                if let Some(counts) = self.begin_day(scope, (day, hour), (caps, all), now).await? {
                    return Ok(Ok(nearly_reached(caps, &counts)));
                }
                continue;
            };
            if counts.hour >= OVER {
                (day, hour) = (day.saturating_add(1.day()), 0);
                continue;
            }
            // Another worker's clock is ahead: its hour counts.
            hour = hour.max(counts.hour);
            if let Some(reached) = counts.reached_in(caps, hour) {
                return Ok(Err(reached.clone()));
            }
            if counts.hour < hour
                && let Found::Counted(counts) = self.begin_hour(&key, caps, &counts, hour).await?
            {
                return Ok(Ok(nearly_reached(caps, &counts)));
            }
        }
        Err(StoreError::Conflict { doing: DOING })
    }

    /// What is counted of the hour, the day and the month. One query.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn cap_counts(&self, scope: &TenantScope, now: Timestamp) -> Result<Counts, StoreError> {
        let key = keys::cap_day(scope, keys::date(now));
        let rows = self.latest_rows(&key.pk, keys::date(now)).await?;
        let today = rows.first().filter(|row| row::string(row, "sk") == Some(&key.sk));
        Ok(today.map_or_else(|| month_of(&rows, hour_of(now)), counts))
    }

    /// The latest rows of a day's month, the newest first. Of a day that ended without a message, there is a row without counters.
    async fn latest_rows(&self, partition: &str, day: Date) -> Result<Vec<Item>, StoreError> {
        let month = format!("{}{}", keys::CAP_DAY, day.strftime("%Y-%m-"));
        let page = self.database.page(partition, &month, None, LATEST, true, DOING).await?;
        Ok(page.0)
    }

    /// Gives back what a message that was not sent was counted for at this time. What cannot be given back, since the hour is over or a cap
    /// is no longer counted, stays counted.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn give_back_to_caps(
        &self,
        scope: &TenantScope,
        numbers: &[u32],
        taken_at: Timestamp,
    ) -> Result<(), StoreError> {
        if numbers.is_empty() {
            return Ok(());
        }
        let key = keys::cap_day(scope, keys::date(taken_at));
        let found = self.database.get(&key, "read what is counted for caps").await?;
        let Some(counts) = found.as_ref().map(counts) else {
            return Ok(());
        };
        let mut update = Update::default();
        let one = update.value(":one".to_owned(), 1);
        let hour = hour_of(taken_at);
        for (counter, _) in counts.counts {
            let is_taken = counter[1..].parse().is_ok_and(|number| numbers.contains(&number));
            let is_hourly = counter.starts_with('h');
            if !is_taken || (is_hourly && counts.hour != hour) {
                continue;
            }
            if is_hourly && update.condition.iter().all(|part| !part.starts_with(HOUR)) {
                let value = update.value(":hour".to_owned(), hour.into());
                update.condition.push(format!("{HOUR} = {value}"));
            }
            update.set.push(format!("{counter} = {counter} - {one}"));
            update.condition.push(format!("{counter} >= {one}"));
        }
        if update.set.is_empty() {
            return Ok(());
        }
        // If the hour has ended in between, it stays counted. Not repeated by the SDK, which would give back twice what it gave back once.
        update.once = true;
        self.update_caps(&key, update).await.map(drop)
    }

    async fn raise(&self, key: &Key, caps: &[Cap], hour: u8) -> Result<Found, StoreError> {
        let mut update = Update::default();
        let value = update.value(":hour".to_owned(), hour.into());
        update.condition.push(format!("{HOUR} = {value}"));
        for cap in caps {
            update.raise(cap);
        }
        self.update_caps(key, update).await
    }

    /// The counters of the hour begin anew.
    async fn begin_hour(&self, key: &Key, caps: &[Cap], before: &Counts, hour: u8) -> Result<Found, StoreError> {
        let mut update = Update::default();
        let (was, is) = (
            update.value(":was".to_owned(), before.hour.into()),
            update.value(":hour".to_owned(), hour.into()),
        );
        update.condition.push(format!("{HOUR} = {was}"));
        update.set.push(format!("{HOUR} = {is}"));
        let mut old: Vec<&String> = before
            .counts
            .keys()
            .filter(|counter| counter.starts_with('h'))
            .collect();
        for cap in caps {
            if cap.period == Period::Hour {
                let (counter, one) = (cap.counter(), update.value(":one".to_owned(), 1));
                update.set.push(format!("{counter} = {one}"));
                old.retain(|known| **known != counter);
            } else {
                update.raise(cap);
            }
        }
        update.remove = old.into_iter().cloned().collect();
        self.update_caps(key, update).await
    }

    /// Writes the first row of a day, with what was counted of the month until then. Returns what was counted if it was the first.
    ///
    /// The day before is over from then on, also if it has no row: a worker that still counts for it would be missed in the month.
    async fn begin_day(
        &self,
        scope: &TenantScope,
        (day, hour): (Date, u8),
        (caps, all): (&[Cap], &[Cap]),
        now: Timestamp,
    ) -> Result<Option<Counts>, StoreError> {
        let key = keys::cap_day(scope, day);
        let mut begun = Counts::default();
        if day.day() > 1 {
            let before = day.saturating_sub(1.day());
            begun = of_month(self.end_day(&keys::cap_day(scope, before), now).await?, hour);
            if begun.counts.is_empty() {
                begun = month_of(&self.latest_rows(&key.pk, before).await?, hour);
            }
        }
        begun.hour = hour;
        let known: Vec<String> = all.iter().map(Cap::counter).collect();
        begun.counts.retain(|counter, _| known.contains(counter));
        if begun.reached_in(caps, hour).is_some() {
            // The row is needed, since it says so.
            return self.put_caps(&key, &begun, now).await.map(|_| None);
        }
        for cap in caps {
            *begun.counts.entry(cap.counter()).or_default() += 1;
        }
        let written = self.put_caps(&key, &begun, now).await?;
        Ok(written.then_some(begun))
    }

    /// Ends a day, and returns what was counted.
    async fn end_day(&self, key: &Key, now: Timestamp) -> Result<Counts, StoreError> {
        let mut update = Update::default();
        let over = update.value(":over".to_owned(), OVER.into());
        update.set.push(format!("{HOUR} = {over}"));
        update.named(now);
        update.all = true;
        match self.update_caps(key, update).await? {
            Found::Counted(counts) => Ok(counts),
            Found::Otherwise(_) => Err(StoreError::Conflict { doing: DOING }),
        }
    }

    /// Writes a new row. Returns false if there is one.
    async fn put_caps(&self, key: &Key, counts: &Counts, now: Timestamp) -> Result<bool, StoreError> {
        let mut update = Update::default();
        let hour = update.value(":hour".to_owned(), counts.hour.into());
        update.set.push(format!("{HOUR} = {hour}"));
        update.condition.push("attribute_not_exists(pk)".to_owned());
        for (counter, count) in &counts.counts {
            let value = update.value(format!(":{counter}"), *count);
            update.set.push(format!("{counter} = {value}"));
        }
        update.named(now);
        Ok(matches!(self.update_caps(key, update).await?, Found::Counted(_)))
    }

    async fn update_caps(&self, key: &Key, update: Update) -> Result<Found, StoreError> {
        usage::count(&["dynamodb:UpdateItem"]);
        let _waiting = usage::waiting();
        let condition = (!update.condition.is_empty()).then(|| update.condition.join(" AND "));
        let wanted = if update.all {
            ReturnValue::AllNew
        } else {
            ReturnValue::UpdatedNew
        };
        let request = self
            .database
            .client
            .update_item()
            .table_name(&self.database.table)
            .set_key(Some(key_item(key)))
            .update_expression(update.expression())
            .set_condition_expression(condition)
            .set_expression_attribute_values(Some(update.values.into_iter().collect()))
            // The failed write returns the row's state, without another read.
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_values(wanted)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let sent = if update.once {
            let once = aws_sdk_dynamodb::Config::builder().retry_config(RetryConfig::disabled());
            request.customize().config_override(once).send().await
        } else {
            request.send().await
        };
        let error = match sent {
            Ok(output) => {
                let spent = output
                    .consumed_capacity()
                    .and_then(|capacity| capacity.capacity_units());
                usage::capacity(0.0, spent.unwrap_or_default());
                let counted = output.attributes.as_ref().map(counts);
                return Ok(Found::Counted(counted.unwrap_or_default()));
            }
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                Ok(Found::Otherwise(failed.item().map(counts)))
            }
            _ => Err(StoreError::answered(DOING, error)),
        }
    }
}
