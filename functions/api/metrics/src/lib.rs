//! Metrics: exact counts of calls, messages, replies and recovered calls.

mod models;

use api::{Allowed, Api, CostOut, Query, Report, ReportQuery, permits};
use axum::extract::State;
use axum::{Json, Router};
use domain::accounts::Permission;
use domain::money::day_of;
use domain::reports::{Costs, Length};
use domain::terms::Zone;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use kit::{ConfigError, Env, Problem};
use store::reports::{Counters, Hour, join_counts};

use crate::models::{FiguresOut, MetricsOut, MetricsPartOut, OverviewDayOut, OverviewOut, reply_times};

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    Ok(api::serve(operations(), Api::new(env)?))
}

api::operations! {
    "metrics": "What was called, sent, answered and recovered, in numbers." {
        /// Get the metrics
        ///
        /// By day, hour or line. The figures are exact, and up to date within a minute. `calls` counts calls in the hour when they began,
        /// whatever becomes of them later, like a list of the same days. Everything else is counted in the hour of its recording: a
        /// follow-up that was delivered on a day may have been planned on the day before. An hour belongs to the day of its beginning in
        /// the tenant's time zone.
        GET "/api/v1/metrics" => get_metrics, "The metrics";

        /// Get the overview
        ///
        /// Returns the figures of today, yesterday and the last 7 and 30 days, and of each of the last 14 days, in one answer. With
        /// `usage:read`, it also has today's cost.
        GET "/api/v1/metrics/overview" => get_overview, "The overview";
    }
}

/// Days of the overview.
const OVERVIEW: Length = Length { usual: 30, most: 30 };

/// Days of the overview that are shown one by one.
const SHOWN: i32 = 14;

async fn get_metrics(
    who: Allowed<permits::MetricsRead>,
    State(api): State<Api>,
    Query(query): Query<ReportQuery>,
) -> Result<Json<MetricsOut>, Problem> {
    let report = api.report(&who, query, query.by.length()).await?;
    let parts = report.parts(|sum: &mut Counters, hour| join_counts(sum, &hour.counters));
    let total = sum(&report, |_, _| true);
    let items = parts.into_iter().map(|(part, counters)| MetricsPartOut {
        part: report.part(part),
        figures: FiguresOut::from(&counters),
    });
    Ok(Json(MetricsOut {
        head: report.head(),
        total: FiguresOut::from(&total),
        reply_times: reply_times(&total),
        items: items.collect(),
    }))
}

/// The sum over the wanted hours. `wanted` gets each hour with its day.
fn sum(report: &Report, wanted: impl Fn(&Hour, Date) -> bool) -> Counters {
    let mut counters = Counters::new();
    let hours = report.hours.iter();
    let hours = hours.filter(|hour| wanted(hour, report.period.day_of(hour.at)));
    hours.for_each(|hour| join_counts(&mut counters, &hour.counters));
    counters
}

async fn get_overview(
    who: Allowed<permits::MetricsRead>,
    State(api): State<Api>,
) -> Result<Json<OverviewOut>, Problem> {
    let report = api.report(&who, ReportQuery::default(), OVERVIEW).await?;
    let today = report.period.last();
    let before = |days: i32| today.saturating_sub(days.days());
    let so_far = week_before(who.now(), &report.zone);
    let figures = |wanted: &dyn Fn(&Hour, Date) -> bool| FiguresOut::from(&sum(&report, wanted));
    let parts = report.parts(|sum: &mut Counters, hour| join_counts(sum, &hour.counters));
    let days = parts.into_iter().filter_map(|(part, counters)| {
        let day = part.day().filter(|day| *day > before(SHOWN))?;
        let figures = FiguresOut::from(&counters);
        Some(OverviewDayOut { day, figures })
    });
    let may_know_cost = who.principal().may(Permission::UsageRead);
    let outdated = report.prices.outdated_lists(day_of(who.now()));
    Ok(Json(OverviewOut {
        date: today,
        today: figures(&|_, day| day == today),
        yesterday: figures(&|_, day| day == before(1)),
        week_ago: figures(&|hour, day| day == before(7) && hour.at <= so_far),
        last_7_days: figures(&|_, day| day > before(7)),
        last_30_days: figures(&|_, _| true),
        days: days.collect(),
        cost_today: may_know_cost.then(|| cost(&report, today)),
        outdated_prices: outdated.filter(|_| may_know_cost).collect(),
        time_zone: report.zone.clone(),
    }))
}

/// This time of the day a week before, also if clocks were changed since.
fn week_before(now: Timestamp, zone: &Zone) -> Timestamp {
    let local = now.to_zoned(zone.rules().clone());
    local.saturating_sub(7.days()).timestamp()
}

/// The cost of the messages of a day.
fn cost(report: &Report, day: Date) -> CostOut {
    let mut costs = Costs::default();
    let hours = report.hours.iter();
    let hours = hours.filter(|hour| report.period.day_of(hour.at) == day);
    hours.for_each(|hour| report.cost(&mut costs, hour));
    CostOut::from(&costs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn week_before_has_the_same_time_on_the_clock() {
        for (zone, now, before) in [
            ("Europe/London", "2026-10-28T13:30:00Z", "2026-10-21T12:30:00Z"),
            ("Europe/London", "2026-03-30T23:30:00Z", "2026-03-24T00:30:00Z"),
            ("Europe/London", "2026-11-20T12:00:00Z", "2026-11-13T12:00:00Z"),
            ("Asia/Dubai", "2026-10-28T13:30:00Z", "2026-10-21T13:30:00Z"),
        ] {
            let (zone, now): (Zone, Timestamp) = (zone.parse().unwrap(), now.parse().unwrap());
            assert_eq!(week_before(now, &zone).to_string(), before, "{now} in {zone:?}");
        }
    }
}
