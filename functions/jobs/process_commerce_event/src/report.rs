//! Takes over a shop's report of one of its orders.
//!
//! 1. The shop's own id leads to the order. If there is none, the report creates it: for the contact with the telephone number, else with
//!    the e-mail address, else for the one contact of all whom the connection does not name. Somebody new becomes a contact.
//! 2. A report of a shipment alone, whose order is not known yet, waits: its order may arrive later. One of a checkout that nobody finished, or
//!    of an order that is deleted in its shop, is dropped.
//! 3. The news of the order is queued, also if the report changed nothing: an earlier attempt may have died before it was.
//!
//! Safe to run twice, and twice at the same time: the shop's id leads to one order, a new order is written with what leads to it and with
//! its contact, and a change is written under the condition of the version that was read. Reports commute, so a late or repeated one
//! changes nothing that is newer.

use std::collections::BTreeMap;

use domain::people::{FulfilmentState, Identity, Order, OrderReport, Placed, ShopOrder, ShopReport, consent_id};
use domain::tenants::Tenant;
use domain::terms::{ContactId, OrderId, ProductId};
use flows::orders::{first_report, take_report};
use jiff::{SignedDuration, Timestamp};
use jobs::{CommerceJob, NextJob, ToQueue};
use kit::{Done, Job, JobError, crash, line, metric};
use store::contacts::{ContactWrite, KnownOrder};
use store::table::effects::{Consent, Effects, Once};
use store::{TenantScope, Versioned};

use crate::Context;

/// Time until a shipment whose order is not known is looked at again.
const AGAIN: SignedDuration = SignedDuration::from_mins(10);

/// Time for which such a shipment waits. Shopify repeats a webhook for four hours; what is later brings its shipments along.
const WAITS: SignedDuration = SignedDuration::from_hours(4);

/// Takes the report of a job over.
pub(crate) async fn take_over(job: &Job<CommerceJob>, ctx: &Context) -> Result<Done, JobError> {
    let CommerceJob::Report {
        connection,
        report,
        received_at,
        ..
    } = &job.body
    else {
        return Err(JobError::new("the job is no report"));
    };
    let (scope, now) = (job.scope(), ctx.clock.now());
    let shop = ShopOrder {
        connection: *connection,
        order: report.order.clone(),
    };
    let known = ctx.store.order_of_shop(scope, &shop).await?;
    let Some(tenant) = &ctx.store.tenant(scope).await? else {
        return Ok(kit::queue::finish_without_subject("tenant"));
    };
    let order = match (known, &report.placed) {
        (Some(id), _) => change(scope, id, report, tenant, now, ctx).await?,
        (None, Some(placed)) => Box::pin(create(scope, shop, placed, report, tenant, now, ctx)).await?,
        (None, None) if report.parts.shipments.is_empty() => {
            line::note("dropped", "nothing was ordered");
            return Ok(Done::Already);
        }
        (None, None) if now.duration_since(*received_at) < WAITS => {
            let again = ToQueue {
                job: NextJob::Commerce(job.body.clone()),
                not_before: now + AGAIN,
            };
            ctx.queues.enqueue(vec![again], now).await?;
            return Ok(Done::Now);
        }
        (None, None) => {
            metric::count("shipment_without_order", &[]);
            line::count("shipment_without_order", 1);
            return Ok(Done::Now);
        }
    };
    let Some(order) = order else {
        return Ok(kit::queue::finish_without_subject("contact"));
    };
    crash::point("process_commerce_event.reported");
    let news = ToQueue::news_of(scope.tenant(), &order, now);
    ctx.queues.enqueue(news.into_iter().collect(), now).await?;
    Ok(Done::Now)
}

/// Whether the shop has deleted the order: all else that is reported without contents is about a shipment.
fn is_deletion(report: &ShopReport) -> bool {
    report.parts.contents.is_none() && report.parts.shipments.is_empty()
}

/// The products that have the SKUs of the items, if the report states items.
async fn products(
    scope: &TenantScope,
    report: &ShopReport,
    ctx: &Context,
) -> Result<Option<BTreeMap<String, ProductId>>, JobError> {
    match &report.parts.contents {
        Some(contents) => Ok(Some(ctx.store.ordered_products(scope, contents).await?)),
        None => Ok(None),
    }
}

/// Adds a report to its order. `None` if the contact is deleted.
async fn change(
    scope: &TenantScope,
    id: OrderId,
    report: &ShopReport,
    tenant: &Tenant,
    now: Timestamp,
    ctx: &Context,
) -> Result<Option<Order>, JobError> {
    let Some(Versioned { version, value }) = ctx.store.order(scope, id).await? else {
        return Ok(None);
    };
    let KnownOrder { order, .. } = value;
    // What has left, came back or was cancelled is put in the trash when it is done.
    if is_deletion(report) && order.fulfilment > FulfilmentState::OnHold {
        return Ok(Some(order));
    }
    let products = products(scope, report, ctx).await?;
    // A deletion is as old as what it ends, so that whatever the shop says of a later time holds.
    let deleted = is_deletion(report).then(|| OrderReport {
        updated_at: order.fulfilment_at.unwrap_or(order.updated_at),
        ..report.parts.clone()
    });
    let parts = deleted.as_ref().unwrap_or(&report.parts);
    let after = take_report(&order, parts, products.as_ref(), tenant, now);
    if after != order {
        let once = Once::Told {
            order: &after,
            before: version,
        };
        let effects = Effects {
            once,
            ..Effects::default()
        };
        ctx.store.commit(scope, effects, now).await?;
    }
    Ok(Some(after))
}

/// Records an order, with its contact if that is new. `None` if the contact is deleted.
async fn create(
    scope: &TenantScope,
    shop: ShopOrder,
    placed: &Placed,
    report: &ShopReport,
    tenant: &Tenant,
    now: Timestamp,
    ctx: &Context,
) -> Result<Option<Order>, JobError> {
    let Some(contents) = report.parts.contents.clone() else {
        return Err(JobError::new("the report of a new order states no contents"));
    };
    let products = products(scope, report, ctx).await?.unwrap_or_default();
    let mut identities = placed.identities();
    let is_named = !identities.is_empty();
    if !is_named {
        identities.push(Identity::Withheld(shop.connection));
    }
    let (mut known, mut is_deleted) = (None, false);
    for identity in &identities {
        match ctx.store.contact_of(scope, identity).await {
            Ok(Some(contact)) if contact.deleted_at.is_none() => {
                known = Some(contact.id);
                break;
            }
            Ok(None) => {}
            Ok(Some(_)) => is_deleted = true,
            // It is being erased.
            Err(error) if error.is_conflict() || error.is_gone() => is_deleted = true,
            Err(error) => return Err(error.into()),
        }
    }
    if known.is_none() && is_deleted {
        return Ok(None);
    }
    let people = match known {
        Some(_) => Vec::new(),
        None => vec![orderer(scope, &shop, placed, now, ctx).await?],
    };
    let new = people.first().map(|new: &NewPerson| new.write.contact.id);
    let Some(contact) = known.or(new) else {
        return Err(JobError::new("an order has no contact"));
    };
    let id = OrderId::new(contact, ctx.ids.ulid());
    let order = Order {
        shop: Some(shop),
        ..Order::new(id, placed.number.clone(), contents, &report.parts, None, now)
    };
    let order = first_report(order, products, tenant, now);
    let (people, consent): (Vec<_>, Vec<_>) = people.into_iter().map(|new| (new.write, new.consent)).unzip();
    let effects = Effects {
        once: Once::Ordered {
            order: &order,
            requires_contact: known.is_some() && is_named,
        },
        people,
        consent: consent.into_iter().flatten().collect(),
        ..Effects::default()
    };
    ctx.store.commit(scope, effects, now).await?;
    Ok(Some(order))
}

/// A contact to be created, with what its person refused before.
struct NewPerson {
    write: ContactWrite,
    consent: Vec<Consent>,
}

async fn orderer(
    scope: &TenantScope,
    shop: &ShopOrder,
    placed: &Placed,
    now: Timestamp,
    ctx: &Context,
) -> Result<NewPerson, JobError> {
    let id = ContactId::new(ctx.ids.ulid());
    let mut person = placed
        .person(id, shop.connection, now)
        .map_err(|_| JobError::new("a shop names somebody who can be no contact"))?;
    let identities = person.contact.known_by();
    let refusals = ctx.store.refusals_of(scope, &identities).await?;
    // Who is on the suppression list, or was erased, still refuses what they refused.
    let entries = refusals.pass_on(&mut person.contact).into_iter().zip(0..);
    let consent = entries.map(|(entry, place)| Consent {
        contact: id,
        id: consent_id(now, &format!("{id}#{place}")),
        entry,
    });
    Ok(NewPerson {
        consent: consent.collect(),
        write: ContactWrite {
            new_identities: identities,
            profile: Some(person.profile.into()),
            suppressed: refusals.suppressed,
            ..ContactWrite::from(person.contact)
        },
    })
}
