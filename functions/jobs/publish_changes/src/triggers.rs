//! Contacts who enter drips by themselves: who are new, or get a tag or a stage.
//!
//! Safe to run twice: an enrolment is written under the condition that the known one is unchanged, and a contact enters a drip by itself at
//! most once a day.

use std::collections::BTreeMap;

use domain::campaigns::Occasion;
use domain::people::Person;
use domain::terms::{CampaignId, TenantId};
use futures::{StreamExt as _, stream};
use kit::{JobError, line};
use store::campaigns::DripEntry;
use store::{RACES, StoreError, TenantScope};

use crate::Context;

/// Enrolments that are written at the same time.
const AT_ONCE: usize = 8;

pub(crate) type Occasions = BTreeMap<TenantId, Vec<Occasion>>;

/// Enrols the contacts. A query for each tenant with occasions; for each contact a request, and for each of its drips another one and a transaction of 4 write units.
pub(crate) async fn enrol(occasions: Occasions, ctx: &Context) -> Result<(), JobError> {
    for (tenant, occasions) in occasions {
        let scope = &access::job::scope(tenant);
        let mut drips = Vec::new();
        for drip in ctx.store.triggered_drips(scope).await? {
            match drip {
                Ok(drip) => drips.push(drip),
                Err(error) => tracing::error!(%tenant, error = kit::chain(&error), "no contact enters a drip"),
            }
        }
        let entering = occasions.iter().filter_map(|occasion| {
            let triggered = drips.iter().filter(|drip| occasion.triggers(&drip.by));
            let drips: Vec<CampaignId> = triggered.map(|drip| drip.campaign).collect();
            (!drips.is_empty()).then(|| Box::pin(enter_all(scope, occasion, drips, ctx)))
        });
        let entering: Vec<_> = entering.collect();
        let entered = stream::iter(entering).buffer_unordered(AT_ONCE);
        let entered: Vec<Vec<Result<bool, StoreError>>> = entered.collect().await;
        let mut failed = None;
        for one in entered.into_iter().flatten() {
            match one {
                Ok(entered) => line::count("enrolled", u64::from(entered)),
                // Trying again does not help until another version is deployed, and others must not wait for that.
                Err(error) if error.is_unreadable() => {
                    tracing::error!(%tenant, error = kit::chain(&error), "a contact does not enter a drip");
                }
                Err(error) => failed = Some(error),
            }
        }
        if let Some(error) = failed {
            return Err(error.into());
        }
    }
    Ok(())
}

/// Enrols a contact in these drips, one after the other. Returns of each whether the contact enters it.
async fn enter_all(
    scope: &TenantScope,
    occasion: &Occasion,
    drips: Vec<CampaignId>,
    ctx: &Context,
) -> Vec<Result<bool, StoreError>> {
    let read = || ctx.store.known_person(scope, occasion.contact);
    let person = match read().await {
        Ok(person) => person,
        Err(error) => return vec![Err(error)],
    };
    let mut entered = Vec::with_capacity(drips.len());
    for drip in drips {
        let enter = |person| Box::pin(enter(scope, occasion, person, drip, ctx));
        entered.push(RACES.until_won_from(person.clone(), read, enter).await);
    }
    entered
}

/// Enrols a contact in a drip. Returns whether it enters it.
async fn enter(
    scope: &TenantScope,
    occasion: &Occasion,
    person: Option<Person>,
    campaign: CampaignId,
    ctx: &Context,
) -> Result<bool, StoreError> {
    let (store, now) = (&ctx.store, ctx.clock.now());
    // It may have been erased since.
    let Some(person) = person else {
        return Ok(false);
    };
    let occasion = occasion.clone().still(&person);
    let (drip, known) = store
        .campaign_and_enrolment(scope, &person.contact, campaign, now)
        .await?;
    let Some(drip) = drip else {
        return Ok(false);
    };
    let before = known.as_ref().map(|known| &known.value);
    let Some(enrolment) = occasion.enters(&drip, &person, before, now) else {
        return Ok(false);
    };
    store.enter(scope, DripEntry::new(enrolment, known.as_ref())).await?;
    Ok(true)
}
