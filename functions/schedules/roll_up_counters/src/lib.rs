//! Every six hours: rolls up the counters of days that are over, so that reports of many months read few rows. Once a day, it also counts
//! what the tenant has stored of what its plan limits.
//!
//! Safe to run twice, and twice at the same time: a day is made from rows that stay, and is only replaced by one that counts as much or
//! more. That it is rolled up is recorded under the condition that nobody has counted for it meanwhile.

use std::time::Duration;

use domain::tenants::Tenant;
use domain::terms::TenantId;
pub use kit::StoreAndClock as Context;
use kit::schedule::{Deadline, for_every_tenant};
use kit::{JobError, line};

/// No other day is begun when less time than this is left.
const ENOUGH_TIME: Duration = Duration::from_secs(10);

kit::function!(serve_schedule, Context::new, handle);

/// Rolls up as much as the time allows; the next run continues. A tenant whose days cannot be rolled up does not block the others.
pub async fn handle(deadline: Deadline, ctx: &Context) -> Result<(), JobError> {
    let work = |tenant: Tenant| roll_up(tenant.id, deadline, ctx);
    Box::pin(for_every_tenant(&ctx.store, &ctx.clock, deadline, work)).await
}

/// Rolls up all days of a tenant that are over.
async fn roll_up(tenant: TenantId, deadline: Deadline, ctx: &Context) -> Result<(), JobError> {
    let scope = access::job::scope(tenant);
    while deadline.remaining(ctx.clock.now()) > ENOUGH_TIME {
        match ctx.store.roll_up_next(&scope, ctx.clock.now()).await {
            Ok(None) => break,
            Ok(Some(_)) => line::count("days_rolled_up", 1),
            // Somebody has counted for one of the days meanwhile: it is the next one.
            Err(error) if error.is_conflict() => {}
            Err(error) => {
                tracing::error!(%tenant, %error, "the counters of a tenant are not rolled up");
                return Err(error.into());
            }
        }
    }
    if deadline.remaining(ctx.clock.now()) > ENOUGH_TIME && ctx.store.count_stored(&scope, ctx.clock.now()).await? {
        line::count("tenants_counted", 1);
    }
    Ok(())
}
