//! Contacts who enter drips on a date of theirs.
//!
//! Safe to run twice: an enrolment is written under the condition that the known one is unchanged, and a contact enters a drip by itself at
//! most once a day. The place among the contacts of a day is written behind each page.

use domain::Timestamp;
use domain::campaigns::{AT_MOST_EVERY, Campaign, Enrolment, Round, Triggered};
use domain::people::{Field, Person};
use domain::terms::{CampaignState, FieldId};
use futures::{StreamExt as _, stream};
use kit::schedule::Deadline;
use kit::{JobError, crash, line};
use store::campaigns::{DripEntry, DueRound};
use store::{RACES, Store, StoreError, TenantScope, Versioned};

use crate::{Context, ENOUGH_TIME};

/// Contacts that are read at once.
const PAGE: i32 = 100;
/// Maximum pages of a drip in one run: the next one, a minute later, goes on.
const MAX_PAGES: usize = 10;
/// Enrolments that are written at the same time.
const AT_ONCE: usize = 8;

/// Enrols the contacts whose day it is, and returns how many were read. Six requests for a hundred of them, and a transaction of 4 write
/// units for each who enters.
pub(crate) async fn enrol(ctx: &Context, due: &DueRound, deadline: Deadline) -> Result<usize, JobError> {
    let (store, scope) = (&ctx.store, &access::job::scope(due.tenant()));
    let (now, mut read) = (ctx.clock.now(), 0);
    let (campaign, found) = store.triggered_drip(scope, due.campaign).await?;
    let Some(Versioned {
        value: mut triggered,
        version: mut before,
    }) = found
    else {
        return Ok(read);
    };
    let (Some(mut round), Some(date)) = (triggered.round.take(), triggered.by.date) else {
        return Ok(read);
    };
    let with = |round: Option<Round>| Triggered {
        round,
        ..triggered.clone()
    };
    let Some(config) = store.config(scope, &ctx.config).await?.filter(|_| round.look <= now) else {
        return Ok(read);
    };
    let Some(campaign) = campaign.filter(|campaign| !campaign.state.is_final()) else {
        store.write_round(scope, before, &with(None)).await?;
        return Ok(read);
    };
    if campaign.state == CampaignState::Scheduled && !round.is_over(now) {
        // It begins in a moment.
        return Ok(read);
    }
    // While it is paused, the days pass: nobody wants to be congratulated when it goes on.
    let runs = campaign.state == CampaignState::Running && config.tenant.status.is_active();
    let is_open = runs && !round.is_over(now) && is_searched(store, scope, date.field).await?;
    for _ in 0..MAX_PAGES {
        let Some(search) = round.search(&date).filter(|_| is_open) else {
            let next = round.next(&date, config.tenant.time_zone.rules(), now);
            store.write_round(scope, before, &with(Some(next))).await?;
            return Ok(read);
        };
        if deadline.remaining(ctx.clock.now()) < ENOUGH_TIME {
            break;
        }
        let page = store
            .searched_contacts(scope, &search, round.after.as_deref(), PAGE)
            .await?;
        enter(ctx, scope, &campaign, &page.items, now).await?;
        crash::point("dispatch_drips.entered");
        read += page.items.len();
        round.go_on(page.next, ctx.clock.now());
        before = store.write_round(scope, before, &with(Some(round.clone()))).await?;
    }
    Ok(read)
}

/// Whether contacts are found by the dates of a field. They stay listed by one that was deleted, or is searchable no more.
async fn is_searched(store: &Store, scope: &TenantScope, field: FieldId) -> Result<bool, StoreError> {
    let field: Option<Versioned<Field>> = store.get(scope, &field).await?;
    Ok(field.is_some_and(|field| field.value.finds_dates()))
}

/// Enrols these contacts, as far as they may enter.
async fn enter(
    ctx: &Context,
    scope: &TenantScope,
    campaign: &Campaign,
    people: &[Person],
    now: Timestamp,
) -> Result<(), StoreError> {
    let store = &ctx.store;
    let mut known = store.enrolments_of(scope, people, campaign.id, now).await?;
    let mut entering = Vec::with_capacity(people.len());
    for person in people {
        let known = match known.remove(&person.contact.id).transpose() {
            Ok(known) => known,
            // Others must not wait for it.
            Err(error) => {
                tracing::error!(contact = %person.contact.id, error = kit::chain(&error), "a contact does not enter a drip");
                continue;
            }
        };
        let contact = &person.contact;
        let read = || store.enrolment(scope, contact, campaign.id, now);
        let enter = async |known: Option<Versioned<Enrolment>>| {
            let before = known.as_ref().map(|known| &known.value);
            if before.is_some_and(|known| now < known.at + AT_MOST_EVERY) {
                return Ok(false);
            }
            let Ok(enrolment) = campaign.enrol_contact(contact, before, now) else {
                return Ok(false);
            };
            store.enter(scope, DripEntry::new(enrolment, known.as_ref())).await?;
            Ok(true)
        };
        entering.push(Box::pin(RACES.until_won_from(known, read, enter)));
    }
    let entered: Vec<Result<bool, StoreError>> = stream::iter(entering).buffer_unordered(AT_ONCE).collect().await;
    // Contacts who have entered stay as they are when the page is read again.
    for one in entered {
        line::count("enrolled", u64::from(one?));
    }
    Ok(())
}
