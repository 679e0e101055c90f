//! Every hour: deletes the data of tenants whose grace period is over.
//!
//! Safe to run twice, and twice at the same time: it only deletes, and what finds the rest goes last. That is the
//! tenant's place on the list of those that leave: it goes in a later run than the tenant's own row, when nothing of it
//! can be on its way.

use std::time::Duration;

use domain::actor::{Actor, Stamp};
use jiff::SignedDuration;
use kit::{Clock, ConfigError, Env, Ids, JobError, line, schedule::Deadline};
use serde_json::json;
use store::{
    Store,
    platform::{Leaving, PlatformAct},
};

/// So many tenants are read at once.
const TENANTS_PAGE: i32 = 20;

/// No new page is begun when less than this is left.
const ENOUGH_TIME: Duration = Duration::from_secs(5);

/// Jobs that had read the tenant before its row went have ended by then, and the list index shows what they wrote.
const LATE: SignedDuration = SignedDuration::from_mins(10);

/// State of the function, created once per process.
pub struct Context {
    store: Store,
    clock: Clock,
    ids: Ids,
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
            ids: env.ids().clone(),
        })
    }
}

/// Deletes as much as the time allows; the next run goes on. A tenant that cannot be deleted does not keep the others.
///
/// # Errors
/// When the table does not answer, or a row is not as it should be.
pub async fn handle(deadline: Deadline, ctx: &Context) -> Result<(), JobError> {
    let now = ctx.clock.now();
    let (mut last, mut failed) = (None, None);
    loop {
        let page = ctx.store.tenants_to_delete(now, last.as_ref(), TENANTS_PAGE).await?;
        for leaving in &page {
            match delete(leaving, deadline, ctx).await {
                Ok(Progress::OutOfTime) => return failed.map_or(Ok(()), Err),
                Ok(Progress::Stays) => tracing::warn!(tenant = %leaving.tenant, "a tenant that was to leave stays"),
                Ok(Progress::Waits) => {}
                Ok(Progress::Gone) => line::count("tenants_deleted", 1),
                Err(error) => {
                    tracing::error!(tenant = %leaving.tenant, %error, "a tenant is not deleted");
                    failed = Some(error);
                }
            }
        }
        if page.is_empty() {
            return failed.map_or(Ok(()), Err);
        }
        last = page.last().copied();
    }
}

/// How far it came with a tenant.
enum Progress {
    /// Nothing is left of it.
    Gone,
    /// It stays after all.
    Stays,
    /// Its own row is gone; a later run looks for what was on its way.
    Waits,
    /// The next run goes on.
    OutOfTime,
}

async fn delete(leaving: &Leaving, deadline: Deadline, ctx: &Context) -> Result<Progress, JobError> {
    let scope = access::job::scope(leaving.tenant);
    let store = &ctx.store;
    let tenant = store.tenant(&scope).await?;
    if tenant
        .as_ref()
        .is_some_and(|tenant| tenant.leaves_at != Some(leaving.at))
    {
        store.forget_leaving(leaving).await?;
        return Ok(Progress::Stays);
    }
    if tenant.is_none() && leaving.emptied_at.is_some_and(|at| ctx.clock.now() < at + LATE) {
        return Ok(Progress::Waits);
    }
    while deadline.remaining(ctx.clock.now()) > ENOUGH_TIME {
        line::count("pages_deleted", 1);
        if !store.delete_tenant_page(&scope, ctx.clock.now()).await? {
            continue;
        }
        if let Some(tenant) = tenant {
            store
                .delete_tenant_row(&scope, &tenant, leaving, ctx.clock.now())
                .await?;
            return Ok(Progress::Waits);
        }
        log(leaving, ctx).await?;
        store.forget_leaving(leaving).await?;
        return Ok(Progress::Gone);
    }
    Ok(Progress::OutOfTime)
}

/// Under an id and a time that are the same whenever it is tried again: so it stands in the log once.
async fn log(leaving: &Leaving, ctx: &Context) -> Result<(), JobError> {
    let id = ctx.ids.ulid().to_string().to_ascii_lowercase();
    let act = PlatformAct {
        action: "tenant_deleted".to_owned(),
        tenant: Some(leaving.tenant),
        by: Stamp {
            actor: Actor::Operator,
            at: leaving.emptied_at.unwrap_or(leaving.at),
            correlation_id: id,
        },
        detail: json!({"left_at": leaving.at}),
    };
    match ctx.store.log_platform_act(&act, &leaving.tenant.to_string()).await {
        Err(error) if error.is_conflict() => Ok(()),
        other => Ok(other?),
    }
}
