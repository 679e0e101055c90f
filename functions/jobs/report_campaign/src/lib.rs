//! The operation `report_campaign`: counts what became of everybody in the audience of a campaign, page by page.
//!
//! Safe to run twice: it only reads, and what a step counted that was not recorded is counted again.

use std::collections::BTreeMap;

use domain::{
    base::operation::{Data, Progress},
    campaigns::{
        campaign::Campaign,
        report::{CampaignTally, InAudience, RecipientState, ReportCampaign},
    },
    money::{costs::Costs, prices::decimal, product::Currency},
};
use jiff::tz::TimeZone;
use kit::{
    Clock, ConfigError, Env, JobError,
    operation::{Step, Turn},
};
use serde::{Deserialize, Serialize};
use store::{Store, Versioned, money::prices::PriceCache};

/// State of the function, created once per process.
pub struct Context {
    store: Store,
    prices: PriceCache,
    clock: Clock,
}

impl Context {
    /// Creates the state from the function's environment.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            store: Store::new(env.dynamodb(), env.config().text("TABLE_NAME")?),
            prices: PriceCache::default(),
            clock: env.clock().clone(),
        })
    }
}

/// Maximum recipients that a step counts.
pub const PER_STEP: i32 = 100;

/// Content of a checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    from: InAudience,
    tally: CampaignTally,
}

/// The result.
#[derive(Debug, Serialize)]
struct Report {
    recipients: u64,
    states: BTreeMap<RecipientState, u64>,
    reasons: BTreeMap<String, u64>,
    replied: u64,
    clicked: u64,
    cost: Vec<Cost>,
    /// Messages whose price is unknown. They are in no amount.
    unpriced: u64,
}

/// What it cost in a currency, as decimal numbers.
#[derive(Debug, Serialize)]
struct Cost {
    currency: Currency,
    reported: String,
    estimated: String,
}

/// Makes one step.
pub async fn handle(turn: Turn, ctx: &Context) -> Result<Step, JobError> {
    let ReportCampaign { campaign } = turn.params()?;
    let Cursor { from, mut tally } = turn.cursor()?.unwrap_or_default();
    let (store, scope, now) = (&ctx.store, turn.scope(), ctx.clock.now());
    let Some(found): Option<Versioned<Campaign>> = store.get(scope, &campaign).await? else {
        let reason = "The campaign was deleted.".to_owned();
        return Ok(Step::Failed { reason });
    };
    let (page, next) = store.recipients(scope, &found.value, (from, PER_STEP), now).await?;
    for recipient in &page {
        tally.add(recipient);
    }
    let progress = Progress {
        done: tally.recipients,
        total: found.value.recipients,
        errors: 0,
    };
    if let Some(from) = next {
        let cursor = Data::of(&Cursor { from, tally })?;
        return Ok(Step::More { cursor, progress });
    }
    // With the prices of the day on which it began.
    let day = found.value.began_at.unwrap_or(now).to_zoned(TimeZone::UTC).date();
    let mut costs = Costs::default();
    costs.add(&tally.counters, &*store.price_book(&ctx.prices, now).await?, day);
    let mut by_currency = BTreeMap::<&Currency, (u64, u64)>::new();
    for ((currency, _), spent) in costs.spent() {
        let sum = by_currency.entry(currency).or_default();
        *sum = (
            sum.0.saturating_add(spent.reported),
            sum.1.saturating_add(spent.estimated),
        );
    }
    let cost = by_currency.into_iter().map(|(currency, (reported, estimated))| Cost {
        currency: currency.clone(),
        reported: decimal(reported),
        estimated: decimal(estimated),
    });
    let report = Report {
        recipients: tally.recipients,
        cost: cost.collect(),
        unpriced: costs.unpriced().values().sum(),
        states: tally.states,
        reasons: tally.reasons,
        replied: tally.replied,
        clicked: tally.clicked,
    };
    Ok(Step::Done {
        result: Data::of(&report)?,
        progress,
    })
}
