//! Every hour: deletes the data of tenants whose grace period is over.
//!
//! Safe to run twice, and twice at the same time: it only deletes, and what finds the rest goes last.

use std::time::Duration;

use domain::actor::{Actor, Stamp};
use kit::{Clock, ConfigError, Env, Ids, JobError, line, schedule::Deadline};
use serde_json::json;
use store::{
    Store,
    platform::{Leaving, PlatformAct},
};

/// Tenants begun in one run.
const MOST_TENANTS: i32 = 20;

/// No new page is begun when less than this is left.
const ENOUGH_TIME: Duration = Duration::from_secs(5);

/// What the function works with, made once per process.
pub struct Context {
    store: Store,
    clock: Clock,
    ids: Ids,
}

impl Context {
    /// From the function's environment.
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

/// Deletes as much as the time allows; the next run goes on.
///
/// # Errors
/// When the table does not answer.
pub async fn handle(deadline: Deadline, ctx: &Context) -> Result<(), JobError> {
    for leaving in ctx.store.tenants_to_delete(ctx.clock.now(), MOST_TENANTS).await? {
        if !delete(leaving, deadline, ctx).await? {
            return Ok(());
        }
        line::count("tenants_deleted", 1);
    }
    Ok(())
}

/// Returns whether nothing is left of it.
async fn delete(leaving: Leaving, deadline: Deadline, ctx: &Context) -> Result<bool, JobError> {
    let scope = access::job::scope(leaving.tenant);
    // Who was resumed at the last moment stays: the row that brought us here may be a moment old.
    let tenant = ctx.store.tenant(&scope).await?;
    if tenant.is_some_and(|tenant| tenant.leaves_at != Some(leaving.at)) {
        tracing::warn!(tenant = %leaving.tenant, "a tenant that was to leave stays");
        return Ok(true);
    }
    while deadline.remaining(ctx.clock.now()) > ENOUGH_TIME {
        line::count("pages_deleted", 1);
        if ctx.store.delete_tenant_page(&scope, ctx.clock.now()).await? {
            let id = ctx.ids.ulid().to_string().to_ascii_lowercase();
            let act = PlatformAct {
                action: "tenant_deleted".to_owned(),
                tenant: Some(leaving.tenant),
                by: Stamp {
                    actor: Actor::Operator,
                    at: ctx.clock.now(),
                    correlation_id: id.clone(),
                },
                detail: json!({"left_at": leaving.at}),
            };
            ctx.store.log_platform_act(&act, &id).await?;
            return Ok(true);
        }
    }
    Ok(false)
}
