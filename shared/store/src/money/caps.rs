//! Counts for a tenant's caps: one row per day, in UTC, with a counter per cap: of messages, or of money in millionths. A counter is raised
//! on condition that the cap has room, in the same write, so that no race exceeds it.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use domain::messages::Leg;
use domain::money::{Cap, Counts, Period, PriceBook, Take, hour_of};
use domain::reports::{applying_caps, count_money, takes_of_caps};
use domain::tenants::TenantConfig;
use domain::terms::{LineId, Policy, Recipient};
use futures::FutureExt as _;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::money::PriceCache;
use crate::table::database::run_update;
use crate::table::forms;
use crate::table::keys::{self, Key};
use crate::table::row::{self, Item, second, text};
use crate::{Store, StoreError, TenantScope};

/// Retention of a day's row: until its month is over, and as long again.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(62 * 24);

/// Attempts to count. Each but the last finds that the day or the hour has changed.
const MAX_TRIES: u32 = 8;

/// The hour of the hourly counters, or [`OVER`].
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
    fn value(&mut self, name: String, value: impl Into<i128>) -> String {
        let value: i128 = value.into();
        self.values.insert(name.clone(), AttributeValue::N(value.to_string()));
        name
    }

    /// Raises the counter of a cap, on condition that there is room. There is some while it has counted nothing.
    fn raise(&mut self, take: &Take) {
        let counter = take.cap.counter();
        let (zero, amount) = (self.value(":zero".to_owned(), 0), self.amount(&counter, take.amount));
        let room = self.value(format!(":room_{counter}"), take.room().unwrap_or_default());
        self.set
            .push(format!("{counter} = if_not_exists({counter}, {zero}) + {amount}"));
        self.condition
            .push(format!("(attribute_not_exists({counter}) OR {counter} <= {room})"));
    }

    /// The value of what is taken of a cap: most take one.
    fn amount(&mut self, counter: &str, amount: u64) -> String {
        let name = if amount == 1 {
            ":one".to_owned()
        } else {
            format!(":{counter}")
        };
        self.value(name, amount)
    }

    /// Sets the fields of a new row beside its counters.
    fn set_row_fields(&mut self, now: Timestamp) {
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

pub(crate) fn cap_counts(item: &Item) -> Counts {
    let number = |value: &AttributeValue| value.as_n().ok()?.parse::<u64>().ok();
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

/// The counts of a month, at the beginning of an hour of another day.
fn of_month(mut counts: Counts, hour: u8) -> Counts {
    counts.counts.retain(|counter, _| counter.starts_with('m'));
    counts.hour = hour;
    counts
}

/// The counts of the month from the newest of these rows that has any.
fn month_of(rows: &[Item], hour: u8) -> Counts {
    let months = rows.iter().map(|row| of_month(cap_counts(row), hour));
    months
        .into_iter()
        .find(|month| !month.counts.is_empty())
        .unwrap_or_default()
}

/// The caps that reached four fifths with the message that was just counted.
fn nearly_reached(takes: &[Take], counted: &Counts) -> Vec<Cap> {
    let count = |cap: &Cap| counted.counts.get(&cap.counter()).copied().unwrap_or_default();
    let near = takes.iter().filter(|take| take.nearly_reaches(count(&take.cap)));
    near.map(|take| take.cap.clone()).collect()
}

/// Changes of counters by the numbers of caps, at an hour of a day.
struct Changes<'a> {
    by: &'a BTreeMap<u32, i64>,
    day: Date,
    hour: u8,
}

impl Changes<'_> {
    /// The change of a counter in the row of a day, which is in this hour. `None` if it no longer has what is to be changed: its hour or its
    /// day is over.
    fn of(&self, counter: &str, day: Date, hour: u8) -> Option<i64> {
        let is_counted = match counter.as_bytes().first()? {
            b'h' => (day, hour) == (self.day, self.hour),
            b'd' => day == self.day,
            _ => day.first_of_month() == self.day.first_of_month(),
        };
        let number: u32 = counter.get(1..)?.parse().ok()?;
        self.by.get(&number).copied().filter(|_| is_counted)
    }
}

/// A message to be counted for caps.
#[derive(Debug, Clone, Copy)]
pub struct Countable<'a> {
    pub policy: &'a Policy,
    pub line: Option<LineId>,
    pub to: &'a Recipient,
    /// The leg that it is sent with.
    pub leg: &'a Leg,
}

impl Store {
    /// The amounts that a message takes from its caps. Reads the prices only if one of the caps is of money.
    pub async fn takes(
        &self,
        config: &TenantConfig,
        Countable { policy, line, to, leg }: Countable<'_>,
        prices: &PriceCache,
        now: Timestamp,
    ) -> Result<Vec<Take>, StoreError> {
        let caps = applying_caps(config, policy, line, to);
        let (category, day) = (policy.category(), keys::date(now));
        if !count_money(&caps) {
            let book = PriceBook::shipped_prices();
            return Ok(takes_of_caps(caps, config, category, to, leg, book, day));
        }
        let book = self.price_book(prices, now).await?;
        Ok(takes_of_caps(caps, config, category, to, leg, &book, day))
    }

    /// Takes the amounts for a message from the caps, or returns the cap that has no room: one write, and for the first message of a day
    /// three more and a query. On success, returns the caps that reached four fifths with it. `all`: all caps of the tenant and its plan.
    pub async fn take_from_caps(
        &self,
        scope: &TenantScope,
        takes: &[Take],
        all: &[Cap],
        now: Timestamp,
    ) -> Result<Result<Vec<Cap>, Cap>, StoreError> {
        if takes.is_empty() {
            return Ok(Ok(Vec::new()));
        }
        if let Some(never) = takes.iter().find(|take| take.room().is_none()) {
            return Ok(Err(never.cap.clone()));
        }
        let (mut day, mut hour) = (keys::date(now), hour_of(now));
        for _ in 0..MAX_TRIES {
            let key = keys::cap_day(scope, day);
            let found = match self.raise(&key, takes, hour).await? {
                Found::Counted(counts) => return Ok(Ok(nearly_reached(takes, &counts))),
                Found::Otherwise(found) => found,
            };
            let Some(counts) = found else {
                if let Some(counts) = self.begin_day(scope, day, hour, takes, all, now).await? {
                    return Ok(Ok(nearly_reached(takes, &counts)));
                }
                continue;
            };
            if counts.hour >= OVER {
                (day, hour) = (day.saturating_add(1.day()), 0);
                continue;
            }
            // Another worker's clock is ahead: its hour counts.
            hour = hour.max(counts.hour);
            if let Some(reached) = counts.reached_in(takes, hour) {
                return Ok(Err(reached.clone()));
            }
            if counts.hour < hour
                && let Found::Counted(counts) = self.begin_hour(&key, takes, &counts, hour).await?
            {
                return Ok(Ok(nearly_reached(takes, &counts)));
            }
        }
        Err(StoreError::Conflict { doing: DOING })
    }

    /// The counts of the hour, the day and the month. One query.
    pub async fn cap_counts(&self, scope: &TenantScope, now: Timestamp) -> Result<Counts, StoreError> {
        let key = keys::cap_day(scope, keys::date(now));
        let rows = self.latest_rows(&key.pk, keys::date(now)).await?;
        let today = rows.first().filter(|row| row::string(row, "sk") == Some(&key.sk));
        Ok(today.map_or_else(|| month_of(&rows, hour_of(now)), cap_counts))
    }

    /// The latest rows of a day's month, the newest first. Of a day that ended without a message, there is a row without counters.
    async fn latest_rows(&self, partition: &str, day: Date) -> Result<Vec<Item>, StoreError> {
        let month = format!("{}{}", keys::CAP_DAY, day.strftime("%Y-%m-"));
        let page = self.database.page(partition, &month, None, LATEST, true, DOING).await?;
        Ok(page.0)
    }

    /// Changes what is counted for caps, by their numbers: gives back what was taken at this time for a message that was not sent, or corrects
    /// what it was expected to cost. What has ended since, such as the hour, and what a removed cap counted stay as they are. One query and
    /// one write.
    pub async fn correct_caps(
        &self,
        scope: &TenantScope,
        by: &BTreeMap<u32, i64>,
        taken_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if by.is_empty() {
            return Ok(());
        }
        let changes = Changes {
            by,
            day: keys::date(taken_at),
            hour: hour_of(taken_at),
        };
        for _ in 0..MAX_TRIES {
            let today = keys::cap_day(scope, keys::date(now).max(changes.day));
            let rows = self.latest_rows(&today.pk, keys::date(now).max(changes.day)).await?;
            let mut rows = rows
                .iter()
                .filter_map(|row| Some((row, keys::day_of_caps(row::string(row, "sk")?)?)));
            // The row that has the month's counts, which is also the day's if it is not over.
            let Some((row, day)) = rows.find(|(row, _)| cap_counts(row).hour < OVER) else {
                return Ok(());
            };
            let counts = cap_counts(row);
            let mut update = Update::default();
            let hour = update.value(":hour".to_owned(), counts.hour);
            update.condition.push(format!("{HOUR} = {hour}"));
            for (counter, count) in &counts.counts {
                let Some(change) = changes.of(counter, day, counts.hour) else {
                    continue;
                };
                let less = u64::try_from(-change).unwrap_or_default();
                if less > *count {
                    continue;
                }
                let change = update.value(format!(":{counter}"), change);
                update.set.push(format!("{counter} = {counter} + {change}"));
                if less > 0 {
                    let less = update.value(format!(":less_{counter}"), less);
                    update.condition.push(format!("{counter} >= {less}"));
                }
            }
            if update.set.is_empty() {
                return Ok(());
            }
            // Not repeated by the SDK, which would change twice what it changed once.
            update.once = true;
            let key = keys::cap_day(scope, day);
            if let Found::Counted(_) = self.update_caps(&key, update).await? {
                return Ok(());
            }
        }
        Err(StoreError::Conflict { doing: DOING })
    }

    async fn raise(&self, key: &Key, takes: &[Take], hour: u8) -> Result<Found, StoreError> {
        let mut update = Update::default();
        let value = update.value(":hour".to_owned(), hour);
        update.condition.push(format!("{HOUR} = {value}"));
        for take in takes {
            update.raise(take);
        }
        self.update_caps(key, update).await
    }

    /// The counters of the hour begin anew.
    async fn begin_hour(&self, key: &Key, takes: &[Take], before: &Counts, hour: u8) -> Result<Found, StoreError> {
        let mut update = Update::default();
        let (was, is) = (
            update.value(":was".to_owned(), before.hour),
            update.value(":hour".to_owned(), hour),
        );
        update.condition.push(format!("{HOUR} = {was}"));
        update.set.push(format!("{HOUR} = {is}"));
        let mut old: Vec<&String> = before
            .counts
            .keys()
            .filter(|counter| counter.starts_with('h'))
            .collect();
        for take in takes {
            if take.cap.period == Period::Hour {
                let counter = take.cap.counter();
                let amount = update.amount(&counter, take.amount);
                update.set.push(format!("{counter} = {amount}"));
                old.retain(|known| **known != counter);
            } else {
                update.raise(take);
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
        day: Date,
        hour: u8,
        takes: &[Take],
        all: &[Cap],
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
        // A worker whose configuration is older does not know the newest caps, which have the highest numbers.
        let newest = all.iter().map(|cap| cap.number).max().unwrap_or_default();
        let number = |counter: &str| counter.get(1..)?.parse::<u32>().ok();
        let is_newer = |counter: &str| number(counter).is_some_and(|number| number > newest);
        begun
            .counts
            .retain(|counter, _| known.contains(counter) || is_newer(counter));
        if begun.reached_in(takes, hour).is_some() {
            // The row is needed, since it says so.
            return self.put_caps(&key, &begun, now).await.map(|_| None);
        }
        for Take { cap, amount } in takes {
            *begun.counts.entry(cap.counter()).or_default() += amount;
        }
        let written = self.put_caps(&key, &begun, now).await?;
        Ok(written.then_some(begun))
    }

    /// Ends a day, and returns what was counted.
    async fn end_day(&self, key: &Key, now: Timestamp) -> Result<Counts, StoreError> {
        let mut update = Update::default();
        let over = update.value(":over".to_owned(), OVER);
        update.set.push(format!("{HOUR} = {over}"));
        update.set_row_fields(now);
        update.all = true;
        match self.update_caps(key, update).await? {
            Found::Counted(counts) => Ok(counts),
            Found::Otherwise(_) => Err(StoreError::Conflict { doing: DOING }),
        }
    }

    /// Writes a new row. Returns false if there is one.
    async fn put_caps(&self, key: &Key, counts: &Counts, now: Timestamp) -> Result<bool, StoreError> {
        let mut update = Update::default();
        let hour = update.value(":hour".to_owned(), counts.hour);
        update.set.push(format!("{HOUR} = {hour}"));
        update.condition.push("attribute_not_exists(pk)".to_owned());
        for (counter, count) in &counts.counts {
            let value = update.value(format!(":{counter}"), *count);
            update.set.push(format!("{counter} = {value}"));
        }
        update.set_row_fields(now);
        Ok(matches!(self.update_caps(key, update).await?, Found::Counted(_)))
    }

    async fn update_caps(&self, key: &Key, update: Update) -> Result<Found, StoreError> {
        let condition = (!update.condition.is_empty()).then(|| update.condition.join(" AND "));
        let wanted = if update.all {
            ReturnValue::AllNew
        } else {
            ReturnValue::UpdatedNew
        };
        let request = self
            .database
            .update_item(key)
            .update_expression(update.expression())
            .set_condition_expression(condition)
            .set_expression_attribute_values(Some(update.values.into_iter().collect()))
            // The failed write returns the row's state, without another read.
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_values(wanted);
        let sent = if update.once {
            let once = aws_sdk_dynamodb::Config::builder().retry_config(RetryConfig::disabled());
            request.customize().config_override(once).send().boxed()
        } else {
            request.send().boxed()
        };
        Ok(match run_update(sent, DOING).await? {
            Ok(output) => Found::Counted(output.attributes.as_ref().map(cap_counts).unwrap_or_default()),
            Err(found) => Found::Otherwise(found.as_ref().map(cap_counts)),
        })
    }
}
