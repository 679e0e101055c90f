//! Usage: messages by purpose and state, and what providers charge for them, as far as it is known.

mod models;

use api::{Allowed, Api, CostOut, ExpectedCost, Query, Report, ReportQuery, permits};
use axum::extract::State;
use axum::{Json, Router};
use domain::money::PriceCategory;
use domain::reports::{Carrier, Costs, Listed, foreseen_cost};
use jiff::tz::TimeZone;
use kit::{ConfigError, Env, Problem};
use store::reports::{Counters, Hour, join_counts};

use crate::models::{PricesOut, UnpricedOut, UsagePartOut, UsageReportOut, UsedOut, messages};

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    Ok(api::serve(operations(), Api::new(env)?))
}

api::operations! {
    "usage": "Messages, and what they cost." {
        /// Get the usage
        ///
        /// Returns messages by purpose and state, and their cost, by day, hour or line. The numbers are exact, and up to date within a
        /// minute. Costs are as providers report them; the rest is an estimate by the price lists in `prices`, which also says how sure
        /// they are. Costs in different currencies are never added. Messages without a price are counted as `unknown`, and are in no
        /// amount: they are not free. Discounts, taxes and monthly fees are not known. The provider's invoice decides.
        GET "/api/v1/usage" => get_usage, "The usage";
    }
}

/// Usage in a part of a period.
#[derive(Default)]
struct Used {
    counters: Counters,
    costs: Costs,
}

impl Used {
    fn add(&mut self, report: &Report, hour: &Hour) {
        join_counts(&mut self.counters, &hour.counters);
        report.cost(&mut self.costs, hour);
    }

    fn to_output(&self) -> UsedOut {
        UsedOut {
            messages: messages(&self.counters),
            cost: CostOut::from(&self.costs),
        }
    }
}

async fn get_usage(
    who: Allowed<permits::UsageRead>,
    State(api): State<Api>,
    Query(query): Query<ReportQuery>,
) -> Result<Json<UsageReportOut>, Problem> {
    let report = api.report(&who, query, query.by.length()).await?;
    let mut total = Used::default();
    let parts = report.parts(|part: &mut Used, hour| {
        part.add(&report, hour);
        total.add(&report, hour);
    });
    let items = parts.into_iter().map(|(part, used)| UsagePartOut {
        part: report.part(part),
        usage: used.to_output(),
    });
    let segment = Listed {
        carrier: Carrier::Sms,
        country: report.country,
        category: PriceCategory::Sms,
    };
    // Prices change with a day in UTC.
    let today = who.now().to_zoned(TimeZone::UTC).date();
    Ok(Json(UsageReportOut {
        head: report.head(),
        total: total.to_output(),
        unpriced: UnpricedOut::all(&total.costs),
        prices: PricesOut::of(&report.prices, today),
        sms_price: foreseen_cost(segment, 1, &report.prices, today).map(ExpectedCost::from),
        items: items.collect(),
    }))
}
