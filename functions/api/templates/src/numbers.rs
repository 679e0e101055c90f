//! The numbers of a template.

use std::collections::BTreeMap;

use api::{CostOut, Path, Query};
use axum::{Extension, Json};
use domain::accounts::Permission;
use domain::money::PriceBook;
use domain::reports::{CLICKED, Costs, DELIVERED, FAILED, Length, Period, READ, REPLIED, SENT};
use domain::templates::TemplateId;
use domain::terms::{Day, Zone};
use jiff::civil::Date;
use kit::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::reports::{Counters, join_counts};

use crate::{Reading, Shared};

/// Days of a period: a month, or at most a quarter.
const DAYS: Length = Length { usual: 30, most: 92 };

/// Period of the numbers.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TemplateNumbersQuery {
    /// First day, in UTC. Default: 29 days before the last one.
    #[schemars(example = "2026-10-22")]
    from: Option<Day>,
    /// Last day, in UTC. Default: today. A period has at most 92 days.
    #[schemars(example = "2026-11-20")]
    to: Option<Day>,
}

/// Numbers of a template in a period.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TemplateNumbersOut {
    /// First day, in UTC.
    #[schemars(example = "2026-10-22")]
    from: Date,
    /// Last day, in UTC.
    #[schemars(example = "2026-11-20")]
    to: Date,
    /// Numbers of the whole period.
    total: TemplateFiguresOut,
    /// Numbers by content, the latest one first. Only contents with a count.
    editions: Vec<TemplateEditionOut>,
    /// Numbers by day. All days of the period.
    days: Vec<TemplateDayOut>,
}

/// Numbers of a content of a template.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TemplateEditionOut {
    /// Number of contents before this one, as in the template and its versions.
    #[schemars(example = 0)]
    edition: u32,
    /// Numbers.
    figures: TemplateFiguresOut,
}

/// Numbers of a day.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TemplateDayOut {
    /// Day.
    #[schemars(example = "2026-11-20")]
    day: Date,
    /// Numbers.
    figures: TemplateFiguresOut,
}

/// Messages of a template.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TemplateFiguresOut {
    /// Messages that the provider accepted.
    #[schemars(example = 120)]
    sent: u64,
    /// Messages that were delivered.
    #[schemars(example = 117)]
    delivered: u64,
    /// Messages that were read, if the customer shows that.
    #[schemars(example = 92)]
    read: u64,
    /// Messages of customers that answer one: by a button, by quoting it, or, after a call, as the first message within seven days. A
    /// customer who answers twice counts twice. Reactions and stop words are no answers.
    #[schemars(example = 31)]
    replied: u64,
    /// Presses of quick replies.
    #[schemars(example = 24)]
    clicked: u64,
    /// Attempts that the provider refused or gave up, by the class of the error: `retry_after`, `wait_for_status`, `fall_back`, `route_refused`,
    /// `blocked`, `tenant_must_act`, `bug`, or `unknown`. An attempt that is repeated counts again.
    #[schemars(example = serde_json::json!({"fall_back": 3}))]
    failed: BTreeMap<String, u64>,
    /// Cost of the messages. `null` without the permission `usage:read`.
    cost: Option<CostOut>,
}

/// The counters, and the costs by the prices of each day.
#[derive(Default)]
struct Sum {
    counters: Counters,
    costs: Costs,
}

impl Sum {
    fn add(&mut self, day: Date, counters: &Counters, prices: Option<&PriceBook>) {
        join_counts(&mut self.counters, counters);
        if let Some(prices) = prices {
            self.costs.add(counters, prices, day);
        }
    }

    fn to_figures(&self, with_cost: bool) -> TemplateFiguresOut {
        let of = |name: &str| self.counters.get(name).copied().unwrap_or_default();
        let failed = self.counters.iter();
        let failed = failed.filter_map(|(name, count)| Some((name.strip_prefix(FAILED)?.to_owned(), *count)));
        TemplateFiguresOut {
            sent: of(SENT),
            delivered: of(DELIVERED),
            read: of(READ),
            replied: of(REPLIED),
            clicked: of(CLICKED),
            failed: failed.collect(),
            cost: with_cost.then(|| CostOut::from(&self.costs)),
        }
    }
}

pub(crate) async fn get_template_numbers(
    who: Reading,
    Extension(context): Shared,
    Path(id): Path<TemplateId>,
    Query(query): Query<TemplateNumbersQuery>,
) -> Result<Json<TemplateNumbersOut>, Problem> {
    let period = Period::of(query.from, query.to, DAYS, &Zone::UTC, who.now());
    let period = period.map_err(|fault| Problem::field("from", fault))?;
    context.find(&who, &id).await?;
    let store = context.api.store();
    let (first, last) = (period.first(), period.last());
    let counted = store.template_days(who.scope(), &id, first, last).await?;
    let with_cost = who.principal().may(Permission::UsageRead);
    let prices = if with_cost {
        Some(store.current_prices().await?)
    } else {
        None
    };
    let mut total = Sum::default();
    let mut days: BTreeMap<Date, Sum> = period.days().map(|day| (day, Sum::default())).collect();
    let mut editions: BTreeMap<u32, Sum> = BTreeMap::new();
    for (place, counters) in &counted {
        let sums = [
            &mut total,
            days.entry(place.day).or_default(),
            editions.entry(place.of.edition).or_default(),
        ];
        for sum in sums {
            sum.add(place.day, counters, prices.as_deref());
        }
    }
    let editions = editions.into_iter().rev().map(|(edition, sum)| TemplateEditionOut {
        edition,
        figures: sum.to_figures(with_cost),
    });
    let days = days.into_iter().map(|(day, sum)| TemplateDayOut {
        day,
        figures: sum.to_figures(with_cost),
    });
    Ok(Json(TemplateNumbersOut {
        from: first,
        to: last,
        total: total.to_figures(with_cost),
        editions: editions.collect(),
        days: days.collect(),
    }))
}
