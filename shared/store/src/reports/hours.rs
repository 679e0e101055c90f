//! Counts as readers see them: by the hour.
//!
//! A change is counted in a row of its hour, line and stream shard ([`crate::reports::Counters`]). Once a day of such rows cannot change any more, a
//! job rolls it up: a row for all lines and one per line, with each counter's hours in a short text. Thirteen months of a tenant are then
//! four hundred rows of one KiB or two in fourteen partitions. The hours stay in these rows, because a day is one of the tenant's time
//! zone, which can change.
//!
//! Rolling up is a function of the hours' rows, which stay for as long as a batch that was given up may be replayed: doing it again gives
//! the same. Who counts a change of a day that may be rolled up asks for that ([`Store::roll_up_again`]); until then, readers take the
//! hours' rows of that day, so they are exact at any time.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::money::PriceBook;
use domain::tenants::Tenant;
use domain::terms::LineId;
use futures::future::try_join;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::reports::{AGAIN, Counters, add_counts, join_counts};
use crate::table::database::{Index, Rows, run_update};
use crate::table::forms;
use crate::table::keys::{self, DayOf, Key};
use crate::table::row::{self, Condition, Item, Row, number, string, text};
use crate::{Store, StoreError, TenantScope};

/// No tenant is older.
pub(crate) const FIRST_DAY: Date = date(2026, 1, 1);

/// Days before today that are not rolled up: the stream delivers a change within a day, or gives it up.
const OPEN_DAYS: i64 = 2;

/// Time after a day until its work is over: a batch that counts one of the open days began before.
const LATE: SignedDuration = SignedDuration::from_hours(1);

/// Months that are read at the same time.
const MONTHS_AT_ONCE: usize = 8;

const DOING: &str = "read counters";

/// Counts of an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hour {
    /// Beginning of the hour, in UTC.
    pub at: Timestamp,
    /// The line, if lines are told apart. `None` for what belongs to none.
    pub line: Option<LineId>,
    /// The counters. There may be several entries of an hour, which add up.
    pub counters: Counters,
}

/// The lines whose counters are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// All of them, and what belongs to none, together.
    Together,
    One(LineId),
    /// Each by itself, and what belongs to none.
    Each,
}

/// The last day that can be rolled up.
fn last_to_roll(now: Timestamp) -> Date {
    keys::date(now - LATE).saturating_sub(OPEN_DAYS.days())
}

/// Whether a day may be rolled up already, so that who counts for it now has to ask for that again.
pub fn may_be_rolled(day: Date, now: Timestamp) -> bool {
    day <= keys::date(now).saturating_sub(OPEN_DAYS.days())
}

/// Beginning of a day in UTC.
fn begin(day: Date) -> Timestamp {
    day.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |at| at.timestamp())
}

fn next(day: Date) -> Date {
    day.saturating_add(1.day())
}

/// Progress of rolling up a tenant's hours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rolled {
    /// The last day that is; `None`: none is.
    through: Option<Date>,
    /// Days until then that have to be rolled up again.
    again: BTreeSet<Date>,
    version: u64,
}

impl Rolled {
    pub(crate) fn read(item: Option<&Item>, doing: &'static str) -> Result<Self, StoreError> {
        let Some(item) = item else {
            return Ok(Self::default());
        };
        forms::readable(item, doing)?;
        let again = item.get(AGAIN).and_then(|again| again.as_ss().ok());
        let again = again.into_iter().flatten().filter_map(|day| day.parse().ok());
        Ok(Self {
            through: string(item, THROUGH).and_then(|day| day.parse().ok()),
            again: again.collect(),
            version: row::version_of(item),
        })
    }

    /// Whether the rows of a day say all that was counted.
    pub(crate) fn has(&self, day: Date) -> bool {
        self.through.is_some_and(|through| day <= through) && !self.again.contains(&day)
    }
}

/// Data for making reports: one read.
#[derive(Debug, Clone, PartialEq)]
pub struct Basis {
    /// The tenant, whose time zone says when its days begin.
    pub tenant: Tenant,
    /// Progress of rolling up its hours.
    pub rolled: Rolled,
    /// The prices that an operator gave instead of those that come with the code.
    pub prices: Option<PriceBook>,
}

/// The counters of a day, by hour.
pub(crate) type DayHours = BTreeMap<u8, Counters>;

/// The hours of a rolled row. What a newer version writes beside them is left out.
pub(crate) fn hours_of_day(item: &Item, doing: &'static str) -> Result<DayHours, StoreError> {
    forms::readable(item, doing)?;
    let mut hours = DayHours::new();
    let data = item.get("data").and_then(|data| data.as_m().ok());
    for (name, value) in data.into_iter().flatten() {
        let counts = value.as_s().map(String::as_str).unwrap_or_default();
        for (hour, count) in counts.split(' ').filter_map(|one| one.split_once(':')) {
            if let (Ok(hour), Ok(count)) = (hour.parse::<u8>(), count.parse::<u64>()) {
                hours.entry(hour).or_default().insert(name.clone(), count);
            }
        }
    }
    Ok(hours)
}

/// The hours of a day as they are stored: by counter, the hours with their counts, such as `9:3 10:5`.
pub(crate) fn sparse_hours(hours: &DayHours) -> BTreeMap<String, String> {
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for (hour, counters) in hours {
        for (name, count) in counters {
            let text = texts.entry(name.clone()).or_default();
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(&format!("{hour}:{count}"));
        }
    }
    texts
}

/// The months of a period, each with the first and the last of its days.
fn months(first: Date, last: Date) -> Vec<(Date, Date)> {
    let mut months = Vec::new();
    let mut day = first;
    while day <= last {
        let end = day.last_of_month().min(last);
        months.push((day, end));
        if end == last {
            break;
        }
        day = next(end);
    }
    months
}

impl Store {
    /// The basis of a tenant's reports, in one request. `None` if the tenant does not exist.
    pub async fn basis(&self, scope: &TenantScope) -> Result<Option<Basis>, StoreError> {
        const DOING: &str = "read the basis of reports";
        let keys = [keys::tenant(scope), keys::rolled_hours(scope), keys::prices()];
        let mut found = self.database.get_many(&keys, DOING).await?;
        let [tenant, rolled, prices] = keys;
        let Some(tenant) = found.remove(&tenant) else {
            return Ok(None);
        };
        Ok(Some(Basis {
            tenant: row::data(tenant, DOING)?,
            rolled: Rolled::read(found.get(&rolled), DOING)?,
            prices: row::data_if_any(found.remove(&prices), DOING)?,
        }))
    }

    async fn read_rolled(&self, scope: &TenantScope) -> Result<Rolled, StoreError> {
        let item = self.database.get(&keys::rolled_hours(scope), DOING).await?;
        Rolled::read(item.as_ref(), DOING)
    }

    /// The counts from one hour to another, exclusive, in any order. One query for the days that are not rolled up, one for each that has
    /// to be rolled up again, and one for each month of the others.
    pub async fn hours(
        &self,
        scope: &TenantScope,
        rolled: &Rolled,
        from: Timestamp,
        to: Timestamp,
        lines: Lines,
    ) -> Result<Vec<Hour>, StoreError> {
        let from = from.max(begin(FIRST_DAY));
        if from >= to {
            return Ok(Vec::new());
        }
        let (first, last) = (keys::date(from), keys::date(to - SignedDuration::from_secs(1)));
        let through = rolled.through.filter(|through| first <= *through);
        let of_months = through.map(|through| months(first, last.min(through)));
        let of_months = of_months.into_iter().flatten();
        let of_months = of_months.map(|(first, last)| self.rolled_days(scope, first, last, lines));
        let of_months = stream::iter(of_months).buffer_unordered(MONTHS_AT_ONCE).try_collect();
        let open = through.map_or(from, |through| from.max(begin(next(through))));
        let open = [(open, to)].into_iter().filter(|(from, to)| from < to);
        let again = rolled.again.iter().filter(|day| (first..=last).contains(*day));
        let again = again.filter(|day| through.is_some_and(|through| **day <= through));
        let again = again.map(|day| (from.max(begin(*day)), to.min(begin(next(*day)))));
        let open: Vec<(Timestamp, Timestamp)> = open.chain(again).collect();
        let open = open
            .into_iter()
            .map(|(from, to)| self.open_hours(scope, from, to, lines));
        let open = stream::iter(open).buffer_unordered(MONTHS_AT_ONCE).try_collect();
        let (of_months, open): (Vec<Vec<Hour>>, Vec<Vec<Hour>>) = try_join(of_months, open).await?;
        let of_months = of_months.into_iter().flatten();
        let wanted = |hour: &Hour| (from..to).contains(&hour.at) && rolled.has(keys::date(hour.at));
        let of_months = of_months.filter(wanted);
        Ok(of_months.chain(open.into_iter().flatten()).collect())
    }

    /// The hours of a period that are not rolled up.
    async fn open_hours(
        &self,
        scope: &TenantScope,
        from: Timestamp,
        to: Timestamp,
        lines: Lines,
    ) -> Result<Vec<Hour>, StoreError> {
        let (lower, upper) = (keys::hour_place(from), keys::hour_place(to));
        let partition = keys::hours_partition(scope);
        let items = self.database.all_between(&partition, &lower, &upper, DOING).await?;
        let mut hours = Vec::with_capacity(items.len());
        for item in &items {
            forms::readable(item, DOING)?;
            let Some((at, line)) = string(item, "sk").and_then(keys::counted_hour) else {
                continue;
            };
            let line = match lines {
                Lines::Together => None,
                Lines::Each => line,
                Lines::One(wanted) if line == Some(wanted) => line,
                Lines::One(_) => continue,
            };
            let mut counters = Counters::new();
            add_counts(&mut counters, item);
            hours.push(Hour { at, line, counters });
        }
        Ok(hours)
    }

    /// The hours of days of one month, as they were rolled up.
    async fn rolled_days(
        &self,
        scope: &TenantScope,
        first: Date,
        last: Date,
        lines: Lines,
    ) -> Result<Vec<Hour>, StoreError> {
        let partition = keys::days_partition(scope, first);
        let between = |of: DayOf| [first, last].map(|day| keys::day_place(of, day));
        let items = match lines {
            Lines::Together => {
                let [lower, upper] = between(DayOf::All);
                self.database.all_between(&partition, &lower, &upper, DOING).await?
            }
            Lines::One(line) => {
                let [lower, upper] = between(DayOf::Line(Some(line)));
                self.database.all_between(&partition, &lower, &upper, DOING).await?
            }
            Lines::Each => {
                self.database
                    .query(&partition, keys::DAYS_OF_LINES, i32::MAX, false, DOING)
                    .await?
            }
        };
        let mut hours = Vec::new();
        for item in &items {
            let place = string(item, "sk").and_then(keys::counted_day_at);
            let Some((of, day)) = place.filter(|(_, day)| (first..=last).contains(day)) else {
                continue;
            };
            let line = match of {
                DayOf::All => None,
                DayOf::Line(line) => line,
            };
            for (hour, counters) in hours_of_day(item, DOING)? {
                let at = begin(day) + SignedDuration::from_hours(hour.into());
                hours.push(Hour { at, line, counters });
            }
        }
        Ok(hours)
    }

    /// A day's counters, in UTC.
    pub async fn day_counters(&self, scope: &TenantScope, day: Date) -> Result<Counters, StoreError> {
        let mut days = self.counters_of(scope, vec![day]).await?;
        Ok(days.remove(&day).unwrap_or_default())
    }

    /// The counters of these days, in UTC. Days without counts are missing. One request for a hundred days that are rolled up, and one
    /// query for the others.
    pub async fn counters_of(
        &self,
        scope: &TenantScope,
        days: Vec<Date>,
    ) -> Result<BTreeMap<Date, Counters>, StoreError> {
        let rolled = self.read_rolled(scope).await?;
        let (done, open): (Vec<Date>, Vec<Date>) = days.into_iter().partition(|day| rolled.has(*day));
        let of_day_keys: Vec<Key> = done
            .iter()
            .map(|day| keys::counted_day(scope, DayOf::All, *day))
            .collect();
        let period = open.iter().min().zip(open.iter().max());
        let (done, hours) = try_join(self.database.get_many(&of_day_keys, DOING), async {
            match period {
                Some((first, last)) => {
                    let (from, to) = (begin(*first), begin(next(*last)));
                    self.open_hours(scope, from, to, Lines::Together).await
                }
                None => Ok(Vec::new()),
            }
        })
        .await?;
        let mut sums: BTreeMap<Date, Counters> = BTreeMap::new();
        let mut add = |day: Date, counters: &Counters| join_counts(sums.entry(day).or_default(), counters);
        for (key, item) in &done {
            if let Some((_, day)) = keys::counted_day_at(&key.sk) {
                hours_of_day(item, DOING)?
                    .values()
                    .for_each(|counters| add(day, counters));
            }
        }
        let hours = hours.iter().map(|hour| (keys::date(hour.at), &hour.counters));
        hours
            .filter(|(day, _)| open.contains(day))
            .for_each(|(day, counters)| add(day, counters));
        Ok(sums)
    }

    /// Rolls up the next day of a tenant's hours, if there is one. Returns it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if somebody asked for a day to be rolled up again meanwhile; when the table does not answer.
    pub async fn roll_up_next(&self, scope: &TenantScope, now: Timestamp) -> Result<Option<Date>, StoreError> {
        const DOING: &str = "roll counters up";
        let rolled = self.read_rolled(scope).await?;
        let Some(day) = self.next_to_roll(scope, &rolled, last_to_roll(now)).await? else {
            return Ok(None);
        };
        let (partition, (lower, upper)) = (keys::hours_partition(scope), places(day, day));
        let items = self.database.all_between(&partition, &lower, &upper, DOING).await?;
        let mut days: BTreeMap<DayOf, DayHours> = BTreeMap::new();
        for item in &items {
            forms::readable(item, DOING)?;
            let Some((at, line)) = string(item, "sk").and_then(keys::counted_hour) else {
                continue;
            };
            let hour = u8::try_from(at.as_second().rem_euclid(86_400) / 3_600).unwrap_or_default();
            for of in [DayOf::All, DayOf::Line(line)] {
                let hours = days.entry(of).or_default();
                add_counts(hours.entry(hour).or_default(), item);
            }
        }
        for (of, hours) in days {
            self.write_day(scope, of, day, &hours).await?;
        }
        self.mark_rolled(scope, &rolled, day).await?;
        Ok(Some(day))
    }

    /// The first day to roll up again, or else the first one with counters that is not rolled up.
    async fn next_to_roll(&self, scope: &TenantScope, rolled: &Rolled, last: Date) -> Result<Option<Date>, StoreError> {
        let mut again = rolled.again.iter();
        if let Some(day) = again.find(|day| rolled.through.is_some_and(|through| **day <= through)) {
            return Ok(Some(*day));
        }
        let first = rolled.through.map_or(FIRST_DAY, next);
        if first > last {
            return Ok(None);
        }
        let (partition, places) = (keys::hours_partition(scope), places(first, last));
        let rows = Rows::Between(&places.0, &places.1).of(&partition);
        let (found, _) = self.database.stretch(Index::Table, rows, None, 1, false, DOING).await?;
        let place = found.first().and_then(|item| string(item, "sk"));
        Ok(place.and_then(keys::counted_hour).map(|(at, _)| keys::date(at)))
    }

    /// Writes a day, unless the row that is there counts more: it was made with rows that are deleted since.
    async fn write_day(&self, scope: &TenantScope, of: DayOf, day: Date, hours: &DayHours) -> Result<(), StoreError> {
        const DOING: &str = "write a day of counters";
        let sum: u64 = hours.values().flat_map(BTreeMap::values).sum();
        let key = keys::counted_day(scope, of, day);
        let mut row = Row::new(
            &key,
            "counted_day",
            &sparse_hours(hours),
            Condition::NotBelow(sum),
            DOING,
        )?;
        row.item.insert("n".to_owned(), number(sum));
        self.database.try_put(row, DOING).await.map(drop)
    }

    /// Records that a day is rolled up, if nobody has asked for one to be rolled up again since this was read.
    async fn mark_rolled(&self, scope: &TenantScope, rolled: &Rolled, day: Date) -> Result<(), StoreError> {
        const DOING: &str = "record that counters are rolled up";
        let condition = if rolled.version == 0 {
            "attribute_not_exists(#v)"
        } else {
            "#v = :v"
        };
        let mut request = self
            .database
            .update_item(&keys::rolled_hours(scope))
            .update_expression("SET #kind = :kind, #form = :form, #through = :through ADD #v :one DELETE #again :days")
            .condition_expression(condition)
            .expression_attribute_names("#kind", "kind")
            .expression_attribute_names("#form", forms::FORM)
            .expression_attribute_names("#through", THROUGH)
            .expression_attribute_names("#again", AGAIN)
            .expression_attribute_names("#v", "v")
            .expression_attribute_values(":kind", text("rolled"))
            .expression_attribute_values(":form", forms::form("rolled"))
            .expression_attribute_values(
                ":through",
                text(rolled.through.max(Some(day)).unwrap_or(day).to_string()),
            )
            .expression_attribute_values(":days", AttributeValue::Ss(vec![day.to_string()]))
            .expression_attribute_values(":one", number(1));
        if rolled.version > 0 {
            request = request.expression_attribute_values(":v", number(rolled.version));
        }
        let marked = run_update(request.send(), DOING).await?.map(drop);
        marked.map_err(|_lost| StoreError::Conflict { doing: DOING })
    }
}

/// The first and the last place of the hours of these days.
fn places(first: Date, last: Date) -> (String, String) {
    (keys::hour_place(begin(first)), keys::hour_place(begin(next(last))))
}

/// The last day that is rolled up.
const THROUGH: &str = "through";

#[cfg(test)]
mod tests {
    use super::*;

    fn counters(counts: &[(&str, u64)]) -> Counters {
        let owned = counts.iter().map(|(name, count)| ((*name).to_owned(), *count));
        owned.collect()
    }

    #[test]
    fn hours_of_a_day_survive_rolling_up() {
        let hours: DayHours = [
            (0, counters(&[("calls", 1)])),
            (9, counters(&[("calls", 3), ("calls_missed", 2)])),
            (23, counters(&[("paid.meta.USD", 15_700_000)])),
        ]
        .into();
        let texts = sparse_hours(&hours);
        assert_eq!(texts["calls"], "0:1 9:3");
        let key = Key {
            pk: "T#a".to_owned(),
            sk: "ALL#2026-11-20".to_owned(),
        };
        let row = Row::new(&key, "counted_day", &texts, Condition::Always, DOING).unwrap();
        assert_eq!(hours_of_day(&row.item, DOING).unwrap(), hours);
    }

    #[test]
    fn periods_are_cut_by_months() {
        let cut = |first, last| {
            let months = months(first, last).into_iter();
            let months = months.map(|(first, last)| format!("{first} {last}"));
            months.collect::<Vec<_>>()
        };
        assert_eq!(cut(date(2026, 11, 20), date(2026, 11, 20)), ["2026-11-20 2026-11-20"]);
        assert_eq!(
            cut(date(2026, 11, 30), date(2027, 1, 1)),
            [
                "2026-11-30 2026-11-30",
                "2026-12-01 2026-12-31",
                "2027-01-01 2027-01-01"
            ]
        );
        assert_eq!(cut(date(2025, 12, 1), date(2026, 12, 31)).len(), 13);
        assert!(cut(date(2026, 11, 20), date(2026, 11, 19)).is_empty());
    }

    /// Who counts for a day when it is rolled up for the first time has begun long before, or asks for it again.
    #[test]
    fn day_is_rolled_up_after_everybody_else_asks_for_that() {
        let day = date(2026, 11, 20);
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        for (now, asks, rolled) in [
            ("2026-11-21T23:59:59Z", false, false),
            ("2026-11-22T00:00:00Z", true, false),
            ("2026-11-22T00:59:59Z", true, false),
            ("2026-11-22T01:00:00Z", true, true),
        ] {
            assert_eq!(may_be_rolled(day, at(now)), asks, "{now}");
            assert_eq!(day <= last_to_roll(at(now)), rolled, "{now}");
        }
    }
}
