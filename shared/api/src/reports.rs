//! Reports of what was counted: their period and parts, and costs in them.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use domain::accounts::permits::Permit;
use domain::money::{Currency, Money, PriceBook, decimal_amount};
use domain::reports::{Costs, Length, MAX_METRICS_DAYS, Period, Spent};
use domain::tenants::Line;
use domain::terms::{Channel, Country, Day, LineId, Zone};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use kit::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::reports::{Hour, Lines};

use crate::change::require_found;
use crate::context::Api;
use crate::guards::Allowed;

/// Division of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportBy {
    /// Days in the tenant's time zone. At most 397.
    #[default]
    Day,
    /// Hours, of at most 3 days.
    Hour,
    /// Lines. At most for 31 days.
    Line,
}

impl ReportBy {
    /// Number of days of such a report.
    pub const fn length(self) -> Length {
        let (usual, most) = match self {
            Self::Day => (7, MAX_METRICS_DAYS),
            Self::Hour => (1, 3),
            Self::Line => (7, 31),
        };
        Length { usual, most }
    }
}

/// Period and parts of a report.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportQuery {
    /// First day, in the tenant's time zone. Default: six days before the last one, or the last one itself in a report by hour.
    #[schemars(example = "2026-11-14")]
    pub from: Option<Day>,
    /// Last day, in the tenant's time zone. Default: today.
    #[schemars(example = "2026-11-20")]
    pub to: Option<Day>,
    /// Division of the report: `day` for at most 397 days (13 months), `hour` for at most 3, `line` for at most 31.
    #[serde(default)]
    pub by: ReportBy,
    /// Only what belongs to the line with this id. Opt-outs and other records of contacts belong to none.
    pub line: Option<LineId>,
}

/// The head of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReportHeadOut {
    /// The tenant's time zone.
    pub time_zone: Zone,
    /// First day of the period.
    #[schemars(example = "2026-11-14")]
    pub from: Date,
    /// Last day of the period.
    #[schemars(example = "2026-11-20")]
    pub to: Date,
    /// Division of the report: by day, hour or line.
    pub by: ReportBy,
}

/// The day, the hour or the line of a part of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReportPartOut {
    /// Day. `null` in a report by hour or line.
    #[schemars(example = "2026-11-20")]
    pub day: Option<Date>,
    /// Beginning of the hour. `null` in a report by day or line.
    #[schemars(example = "2026-11-20T09:00:00Z")]
    pub hour: Option<Timestamp>,
    /// Line. `null` in a report by day or hour, and for what belongs to no line.
    pub line: Option<ReportLineOut>,
}

/// A line in a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReportLineOut {
    /// Id of the line.
    pub id: LineId,
    /// Name of the line. `null` if it was deleted.
    #[schemars(example = &"Marina branch")]
    pub name: Option<String>,
}

/// A part of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReportPart {
    Day(Date),
    /// An hour, by its beginning.
    Hour(Timestamp),
    /// A line, or what belongs to none.
    Line(Option<LineId>),
}

impl ReportPart {
    /// The day, if it is one.
    pub const fn day(self) -> Option<Date> {
        match self {
            Self::Day(day) => Some(day),
            Self::Hour(_) | Self::Line(_) => None,
        }
    }
}

/// The counters of a period.
#[derive(Debug)]
pub struct Report {
    /// The tenant's time zone.
    pub zone: Zone,
    /// The tenant's country, if it is known.
    pub country: Option<Country>,
    pub period: Period,
    /// The prices that hold.
    pub prices: Cow<'static, PriceBook>,
    /// The counters, in any order; there may be several entries of an hour.
    pub hours: Vec<Hour>,
    by: ReportBy,
    names: HashMap<LineId, String>,
}

impl Report {
    /// The sums of all parts, in their order. Days and hours without anything counted are among them.
    pub fn parts<T: Default>(&self, mut add: impl FnMut(&mut T, &Hour)) -> BTreeMap<ReportPart, T> {
        let mut parts: BTreeMap<ReportPart, T> = match self.by {
            ReportBy::Day => self.period.days().map(ReportPart::Day).map(empty).collect(),
            ReportBy::Hour => self.period.hours().map(ReportPart::Hour).map(empty).collect(),
            ReportBy::Line => BTreeMap::new(),
        };
        for hour in &self.hours {
            let part = match self.by {
                ReportBy::Day => ReportPart::Day(self.period.day_of(hour.at)),
                ReportBy::Hour => ReportPart::Hour(hour.at),
                ReportBy::Line => ReportPart::Line(hour.line),
            };
            add(parts.entry(part).or_default(), hour);
        }
        parts
    }

    /// Its head as the API shows it.
    pub fn head(&self) -> ReportHeadOut {
        ReportHeadOut {
            time_zone: self.zone.clone(),
            from: self.period.first(),
            to: self.period.last(),
            by: self.by,
        }
    }

    /// A part as the API shows it.
    pub fn part(&self, part: ReportPart) -> ReportPartOut {
        let mut shown = ReportPartOut {
            day: None,
            hour: None,
            line: None,
        };
        match part {
            ReportPart::Day(day) => shown.day = Some(day),
            ReportPart::Hour(hour) => shown.hour = Some(hour),
            ReportPart::Line(line) => {
                shown.line = line.map(|id| ReportLineOut {
                    id,
                    name: self.names.get(&id).cloned(),
                });
            }
        }
        shown
    }

    /// Adds the cost of an hour.
    pub fn cost(&self, costs: &mut Costs, hour: &Hour) {
        // Prices change with a day in UTC.
        let day = hour.at.to_zoned(TimeZone::UTC).date();
        costs.add(&hour.counters, &self.prices, day);
    }
}

fn empty<T: Default>(part: ReportPart) -> (ReportPart, T) {
    (part, T::default())
}

impl Api {
    /// A report for the caller's tenant, of at most as many days as `length` says.
    ///
    /// # Errors
    /// 422 when the period is too long or begins after its end; 503 when the table does not answer.
    pub async fn report<P: Permit>(
        &self,
        who: &Allowed<P>,
        query: ReportQuery,
        length: Length,
    ) -> Result<Report, Problem> {
        let (store, scope) = (self.store(), who.scope());
        let basis = require_found(store.basis(scope)).await?;
        let country = basis.tenant.default_region;
        let zone = basis.tenant.time_zone;
        let period = Period::of(query.from, query.to, length, &zone, who.now());
        let period = period.map_err(|fault| Problem::field("from", fault))?;
        let lines = match (query.line, query.by) {
            (Some(line), _) => Lines::One(line),
            (None, ReportBy::Line) => Lines::Each,
            (None, ReportBy::Day | ReportBy::Hour) => Lines::Together,
        };
        let (from, to) = period.bounds();
        let hours = store.hours(scope, &basis.rolled, from, to, lines).await?;
        let names = match query.by {
            ReportBy::Line => {
                let lines = store.all::<Line>(scope).await?.into_iter();
                lines.map(|line| (line.id, line.name.into())).collect()
            }
            ReportBy::Day | ReportBy::Hour => HashMap::new(),
        };
        let prices = basis.prices.map(Cow::Owned);
        Ok(Report {
            zone,
            country: country.and_then(|country| country.parse().ok()),
            period,
            prices: prices.unwrap_or(Cow::Borrowed(PriceBook::shipped_prices())),
            hours,
            by: query.by,
            names,
        })
    }
}

/// The expected cost of a message by the price lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ExpectedCost {
    /// Amount. A decimal number.
    #[schemars(example = &"0.0157")]
    pub amount: String,
    /// Currency of `amount` by ISO 4217.
    #[schemars(example = &"USD")]
    pub currency: Currency,
}

impl From<Money> for ExpectedCost {
    fn from(money: Money) -> Self {
        Self {
            amount: decimal_amount(money.millionths),
            currency: money.currency,
        }
    }
}

/// The cost of messages. Amounts in different currencies are never added.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CostOut {
    /// Amounts by currency. Empty: nothing is known to have cost anything.
    pub currencies: Vec<CurrencyCostOut>,
    /// Messages that the provider does not bill.
    #[schemars(example = 3)]
    pub free: u64,
    /// WhatsApp messages and segments of SMS whose price is unknown. They are in no amount.
    #[schemars(example = 2)]
    pub unknown: u64,
}

/// The cost of messages in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CurrencyCostOut {
    /// Currency by ISO 4217.
    #[schemars(example = &"USD")]
    pub currency: Currency,
    /// `reported` and `estimated` together. A decimal number.
    #[schemars(example = &"0.8400")]
    pub amount: String,
    /// Amount that providers reported. A decimal number.
    #[schemars(example = &"0.0000")]
    pub reported: String,
    /// The rest, by price lists.
    #[schemars(example = &"0.8400")]
    pub estimated: String,
    /// Cost by channel.
    pub channels: Vec<ChannelCostOut>,
}

/// The cost of messages of one channel in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ChannelCostOut {
    /// Channel.
    pub channel: Channel,
    /// `reported` and `estimated` together. A decimal number.
    #[schemars(example = &"0.6100")]
    pub amount: String,
    /// Amount that providers reported. A decimal number.
    #[schemars(example = &"0.0000")]
    pub reported: String,
    /// The rest, by price lists.
    #[schemars(example = &"0.6100")]
    pub estimated: String,
}

/// The amounts as decimal numbers: of both together, reported, estimated.
fn amounts(Spent { reported, estimated }: Spent) -> [String; 3] {
    [reported.saturating_add(estimated), reported, estimated].map(decimal_amount)
}

impl From<&Costs> for CostOut {
    fn from(costs: &Costs) -> Self {
        let mut currencies: BTreeMap<&Currency, (Spent, Vec<ChannelCostOut>)> = BTreeMap::new();
        for ((currency, channel), spent) in costs.spent_amounts() {
            let [amount, reported, estimated] = amounts(*spent);
            let (sum, channels) = currencies.entry(currency).or_default();
            sum.reported = sum.reported.saturating_add(spent.reported);
            sum.estimated = sum.estimated.saturating_add(spent.estimated);
            channels.push(ChannelCostOut {
                channel: *channel,
                amount,
                reported,
                estimated,
            });
        }
        let currencies = currencies.into_iter().map(|(currency, (sum, channels))| {
            let [amount, reported, estimated] = amounts(sum);
            CurrencyCostOut {
                currency: currency.clone(),
                amount,
                reported,
                estimated,
                channels,
            }
        });
        Self {
            currencies: currencies.collect(),
            free: costs.free(),
            unknown: costs.unpriced_units().values().sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::option;
    use proptest::prelude::*;
    use proptest::sample::select;
    use store::reports::{Counters, join_counts};

    use super::*;

    fn hour() -> impl Strategy<Value = Hour> {
        let counters = prop::collection::btree_map("calls|recovered|opt_outs", 0..9_u64, 0..3);
        let line = option::of(select(vec![
            "line_01hq5bakery0000000000000n1",
            "line_01hq5bakery0000000000000n2",
        ]));
        (0..72_i64, line, counters).prop_map(|(hour, line, counters)| Hour {
            at: Timestamp::from_second(1_763_596_800 + hour * 3_600).expect("a time"),
            line: line.map(|id| id.parse().expect("an id")),
            counters,
        })
    }

    proptest! {
        /// By day, hour and line alike, in any time zone.
        #[test]
        fn parts_of_a_report_add_up_to_its_total(
            hours in prop::collection::vec(hour(), 0..20),
            by in select(vec![ReportBy::Day, ReportBy::Hour, ReportBy::Line]),
            zone in select(vec!["Asia/Dubai", "Asia/Kolkata", "America/New_York"]),
        ) {
            let zone: Zone = zone.parse().expect("a zone");
            let now = Timestamp::from_second(1_763_596_800 + 72 * 3_600).expect("a time");
            let length = Length { usual: 7, most: 7 };
            let period = Period::of(None, None, length, &zone, now).expect("a period");
            let days = period.days().count();
            let report = Report {
                zone, country: None, period, prices: Cow::Borrowed(PriceBook::shipped_prices()), hours, by, names: HashMap::new(),
            };
            let mut total = Counters::new();
            let parts = report.parts(|sum: &mut Counters, hour| join_counts(sum, &hour.counters));
            parts.values().for_each(|part| join_counts(&mut total, part));
            let mut truth = Counters::new();
            report.hours.iter().for_each(|hour| join_counts(&mut truth, &hour.counters));
            prop_assert_eq!(total, truth);
            match by {
                ReportBy::Day => prop_assert_eq!(parts.len(), days),
                ReportBy::Hour => prop_assert_eq!(parts.len(), 24 * days),
                ReportBy::Line => prop_assert!(parts.len() <= 3),
            }
        }
    }
}
