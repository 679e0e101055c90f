//! Every six hours: rolls up the counters of days that are over, so that reports of many months read few rows.
//!
//! Safe to run twice, and twice at the same time: a day is made from rows that stay, and is only replaced by one that counts as much or
//! more. That it is rolled up is recorded under the condition that nobody has counted for it meanwhile.

use std::time::Duration;

use domain::ids::TenantId;
use futures::{StreamExt as _, stream};
use kit::{Clock, ConfigError, Env, JobError, line, schedule::Deadline};
use store::Store;

/// Tenants read per page.
const TENANTS_PAGE: i32 = 100;

/// Tenants whose days are rolled up at the same time.
const TENANTS_AT_ONCE: usize = 16;

/// No other day is begun when less time than this is left.
const ENOUGH_TIME: Duration = Duration::from_secs(10);

/// State of the function, created once per process.
pub struct Context {
    store: Store,
    clock: Clock,
}

impl Context {
    /// Creates the state from the function's environment.
    ///
    /// # Errors
    /// When a variable is missing or wrong.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            store: Store::new(env.dynamodb(), env.config().text("TABLE_NAME")?),
            clock: env.clock().clone(),
        })
    }
}

/// Rolls up as much as the time allows; the next run continues. A tenant whose days cannot be rolled up does not block the others.
///
/// # Errors
/// When the table does not answer, or a row does not have the expected form.
pub async fn handle(deadline: Deadline, ctx: &Context) -> Result<(), JobError> {
    let (mut after, mut failed) = (None, None);
    loop {
        let page = ctx.store.tenants(after, TENANTS_PAGE).await?;
        let tenants: Vec<TenantId> = page.items.iter().map(|tenant| tenant.id).collect();
        let works = tenants.into_iter().map(|tenant| roll_up(tenant, deadline, ctx));
        let ended: Vec<_> = stream::iter(works).buffer_unordered(TENANTS_AT_ONCE).collect().await;
        failed = ended.into_iter().find_map(Result::err).or(failed);
        after = page.next.and_then(|next| next.parse().ok());
        if after.is_none() || !has_time(deadline, ctx) {
            return failed.map_or(Ok(()), Err);
        }
    }
}

fn has_time(deadline: Deadline, ctx: &Context) -> bool {
    deadline.remaining(ctx.clock.now()) > ENOUGH_TIME
}

/// Rolls up all days of a tenant that are over.
async fn roll_up(tenant: TenantId, deadline: Deadline, ctx: &Context) -> Result<(), JobError> {
    let scope = access::job::scope(tenant);
    while has_time(deadline, ctx) {
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
    Ok(())
}
