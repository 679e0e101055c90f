//! The operation `report_campaign`: counts what became of everybody in the audience of a campaign, or who entered a drip, page by page.
//!
//! Safe to run twice: it only reads, and what a step counted that was not recorded is counted again.

use std::collections::{BTreeMap, HashMap};
use std::{iter, mem};

use domain::campaigns::{
    Campaign, CampaignTally, CampaignType, DripTally, EnrolmentStatus, InAudience, RecipientState, ReportCampaign,
    StepName, StepTally, VariantNumber, VariantTally,
};
use domain::money::{Currency, decimal_amount};
use domain::reports::Costs;
use domain::terms::{Data, Progress};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use kit::operation::{Step, Turn};
use kit::{Clock, ConfigError, Env, JobError};
use serde::{Deserialize, Serialize};
use store::campaigns::Enrolled;
use store::money::PriceCache;
use store::{Store, Versioned};

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
            store: env.store()?,
            prices: PriceCache::default(),
            clock: env.clock().clone(),
        })
    }
}

/// Maximum recipients that a step counts.
pub const PER_STEP: i32 = 100;

/// Content of a checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor<Tally> {
    from: InAudience,
    tally: Tally,
    #[serde(default)]
    sums: Sums,
    /// Costs so far of each variant.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    costs: BTreeMap<VariantNumber, Sums>,
}

impl<Tally: Serialize> Cursor<Tally> {
    /// The end of a step that leaves more to count from this place.
    fn continue_from(self, from: InAudience, progress: Progress) -> Result<Step, JobError> {
        Step::from_cursor(&Self { from, ..self }, progress)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Sums {
    /// Reported and estimated, in millionths of a currency's unit.
    spent: BTreeMap<Currency, (u64, u64)>,
    /// Messages whose price is unknown.
    unpriced: u64,
}

#[derive(Debug, Serialize)]
struct Report {
    recipients: u64,
    states: BTreeMap<RecipientState, u64>,
    reasons: BTreeMap<String, u64>,
    replied: u64,
    clicked: u64,
    opted_out: u64,
    cost: Vec<Cost>,
    /// Messages whose price is unknown. They are in no amount.
    unpriced: u64,
    /// Recipients of the message, by variant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    variants: Vec<VariantReport>,
}

#[derive(Debug, Serialize)]
struct VariantReport {
    number: VariantNumber,
    /// `None`: the message itself.
    name: Option<String>,
    #[serde(flatten)]
    tally: VariantTally,
    cost: Vec<Cost>,
    unpriced: u64,
}

/// The result for a drip.
#[derive(Debug, Serialize)]
struct DripReport {
    entered: u64,
    statuses: BTreeMap<EnrolmentStatus, u64>,
    reasons: BTreeMap<String, u64>,
    steps: Vec<StepReport>,
    /// Steps of other versions whose names it does not have, together.
    #[serde(skip_serializing_if = "Option::is_none")]
    other_steps: Option<StepTally>,
    cost: Vec<Cost>,
    unpriced: u64,
}

#[derive(Debug, Serialize)]
struct StepReport {
    name: StepName,
    #[serde(flatten)]
    tally: StepTally,
}

/// Cost in one currency, as decimal numbers.
#[derive(Debug, Serialize)]
struct Cost {
    currency: Currency,
    reported: String,
    estimated: String,
}

kit::function!(serve_operation, Context::new, handle);

pub async fn handle(turn: Turn, ctx: &Context) -> Result<Step, JobError> {
    let ReportCampaign { campaign } = turn.params()?;
    let (store, scope) = (&ctx.store, turn.scope());
    let Some(found): Option<Versioned<Campaign>> = store.get(scope, &campaign).await? else {
        return Ok(Step::from_failure("The campaign was deleted."));
    };
    match found.value.kind {
        CampaignType::Broadcast => of_broadcast(turn, &found.value, ctx).await,
        CampaignType::Drip => of_drip(turn, &found.value, ctx).await,
    }
}

async fn of_broadcast(turn: Turn, campaign: &Campaign, ctx: &Context) -> Result<Step, JobError> {
    let mut cursor: Cursor<CampaignTally> = turn.cursor()?.unwrap_or_default();
    let (tally, sums, costs) = (&mut cursor.tally, &mut cursor.sums, &mut cursor.costs);
    let (store, scope, now) = (&ctx.store, turn.scope(), ctx.clock.now());
    // With the prices of its first day.
    let priced_at = campaign.began_at.unwrap_or(now);
    let (page, next) = store.recipients(scope, campaign, cursor.from, PER_STEP, now).await?;
    for recipient in &page {
        tally.add(campaign, recipient);
    }
    sums.add(&mem::take(&mut tally.counters), priced_at, ctx).await?;
    for (number, variant) in &mut tally.variants {
        let counters = mem::take(&mut variant.counters);
        costs.entry(*number).or_default().add(&counters, priced_at, ctx).await?;
    }
    let progress = Progress {
        done: tally.recipients,
        total: campaign.recipients,
        errors: 0,
    };
    if let Some(from) = next {
        return cursor.continue_from(from, progress);
    }
    let (mut tally, sums, mut costs) = (cursor.tally, cursor.sums, cursor.costs);
    let names = campaign
        .variants
        .iter()
        .map(|variant| Some(variant.name.as_str().to_owned()));
    let variants = iter::once(None).chain(names).enumerate().map(|(number, name)| {
        let costs = costs.remove(&number).unwrap_or_default();
        VariantReport {
            number,
            name,
            tally: tally.variants.remove(&number).unwrap_or_default(),
            cost: costs.costs_by_currency(),
            unpriced: costs.unpriced,
        }
    });
    let report = Report {
        variants: variants.filter(|_| !campaign.variants.is_empty()).collect(),
        recipients: tally.recipients,
        cost: sums.costs_by_currency(),
        unpriced: sums.unpriced,
        states: tally.states,
        reasons: tally.reasons,
        replied: tally.replied,
        clicked: tally.clicked,
        opted_out: tally.opted_out,
    };
    Step::from_result(&report, progress)
}

async fn of_drip(turn: Turn, campaign: &Campaign, ctx: &Context) -> Result<Step, JobError> {
    let mut cursor: Cursor<DripTally> = turn.cursor()?.unwrap_or_default();
    let (tally, sums) = (&mut cursor.tally, &mut cursor.sums);
    let (store, scope, now) = (&ctx.store, turn.scope(), ctx.clock.now());
    // Others may be written while it counts.
    tally.version = tally.version.or(campaign.steps_version);
    let version = (campaign.id, tally.version.unwrap_or_default());
    let steps = store.steps(scope, &[version]).await?.remove(&version);
    let steps = steps.map(|written| written.steps).unwrap_or_default();
    let (page, next) = store
        .enrolled_people(scope, campaign.id, cursor.from, PER_STEP, now)
        .await?;
    let passages = page.iter().filter_map(|one| one.enrolment.passage.as_ref());
    let ids = passages.flat_map(|passage| passage.taken.iter().filter_map(|taken| taken.message_id));
    let read = store.each_message(scope, &ids.collect::<Vec<_>>(), now).await?;
    // An unreadable message counts as one that is not kept any more.
    let read = read.into_iter().filter_map(|message| message.ok().flatten());
    let mut messages: HashMap<_, _> = read.map(|message| (message.id, message)).collect();
    for Enrolled { enrolment, contact } in &page {
        let exit = campaign.exit_of(enrolment, contact.as_ref());
        tally.add(&steps, enrolment, exit.as_ref(), contact.as_ref(), &mut messages);
    }
    // It goes on for months, so with today's prices.
    sums.add(&mem::take(&mut tally.counters), now, ctx).await?;
    let progress = Progress {
        done: tally.entered,
        total: None,
        errors: 0,
    };
    if let Some(from) = next {
        return cursor.continue_from(from, progress);
    }
    let (mut tally, sums) = (cursor.tally, cursor.sums);
    let named = steps.iter().enumerate().map(|(place, step)| StepReport {
        name: step.name.clone(),
        tally: tally.steps.remove(&place).unwrap_or_default(),
    });
    let report = DripReport {
        entered: tally.entered,
        steps: named.collect(),
        statuses: tally.statuses,
        reasons: tally.reasons,
        other_steps: Some(tally.other).filter(|other| *other != StepTally::default()),
        cost: sums.costs_by_currency(),
        unpriced: sums.unpriced,
    };
    match Data::of(&report) {
        Ok(result) => Ok(Step::Done { result, progress }),
        Err(_) => Ok(Step::from_failure(
            "The names of its steps are too long for a report. Give its next version shorter ones.",
        )),
    }
}

impl Sums {
    /// Adds what these counters cost with the prices of this day.
    async fn add(&mut self, counters: &BTreeMap<String, u64>, at: Timestamp, ctx: &Context) -> Result<(), JobError> {
        let book = ctx.store.price_book(&ctx.prices, ctx.clock.now()).await?;
        let mut costs = Costs::default();
        costs.add(counters, &book, at.to_zoned(TimeZone::UTC).date());
        for ((currency, _), spent) in costs.spent_amounts() {
            let (reported, estimated) = self.spent.entry(currency.clone()).or_default();
            *reported = reported.saturating_add(spent.reported);
            *estimated = estimated.saturating_add(spent.estimated);
        }
        self.unpriced += costs.unpriced_units().values().sum::<u64>();
        Ok(())
    }

    /// The costs by currency.
    fn costs_by_currency(&self) -> Vec<Cost> {
        let spent = self.spent.iter();
        let cost = spent.map(|(currency, (reported, estimated))| Cost {
            currency: currency.clone(),
            reported: decimal_amount(*reported),
            estimated: decimal_amount(*estimated),
        });
        cost.collect()
    }
}
