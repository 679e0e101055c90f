//! Every hour: deletes the data of tenants whose grace period is over.
//!
//! Safe to run twice, and twice at the same time: it only deletes, and the entry that leads to the rest is deleted last.
//! That entry is the tenant's place in the list of leaving tenants: it is deleted in a later run than the tenant's own row,
//! when none of the tenant's jobs can be in progress any more.

use std::time::Duration;

use domain::terms::{Actor, Stamp};
use jiff::SignedDuration;
use kit::schedule::Deadline;
use kit::{Clock, ConfigError, Env, Files, Folder, Ids, JobError, line};
use serde_json::json;
use store::Store;
use store::tenants::{Leaving, PlatformAct};

/// Tenants read per page.
const TENANTS_PAGE: i32 = 20;

/// No new page is started when less time than this is left.
const ENOUGH_TIME: Duration = Duration::from_secs(5);

/// By then, jobs that had read the tenant before its row was deleted have ended, and the list index shows what they wrote.
const LATE: SignedDuration = SignedDuration::from_mins(10);

/// State of the function, created once per process.
pub struct Context {
    store: Store,
    files: Files,
    clock: Clock,
    ids: Ids,
}

impl Context {
    /// Creates the state from the function's environment.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            store: env.store()?,
            files: Files::new(env)?,
            clock: env.clock().clone(),
            ids: env.ids().clone(),
        })
    }
}

kit::function!(serve_schedule, Context::new, handle);

/// Deletes as much as the time allows; the next run continues. A tenant that cannot be deleted does not block the others.
pub async fn handle(deadline: Deadline, ctx: &Context) -> Result<(), JobError> {
    let now = ctx.clock.now();
    let (mut last, mut failed) = (None, None);
    loop {
        let page = ctx.store.tenants_to_delete(now, last.as_ref(), TENANTS_PAGE).await?;
        for leaving in &page {
            match delete(leaving, deadline, ctx).await {
                Ok(Progress::OutOfTime) => return failed.map_or(Ok(()), Err),
                Ok(Progress::Stays) => tracing::warn!(tenant = %leaving.tenant, "a leaving tenant stays after all"),
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

/// Progress of a tenant's deletion.
enum Progress {
    /// Nothing is left of it.
    Gone,
    /// The tenant stays after all.
    Stays,
    /// Its own row is deleted; a later run deletes what was written meanwhile.
    Waits,
    /// The next run continues.
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
    let in_time = || deadline.remaining(ctx.clock.now()) > ENOUGH_TIME;
    while in_time() {
        line::count("pages_deleted", 1);
        if !store.delete_tenant_page(&scope, ctx.clock.now()).await? {
            continue;
        }
        // Behind the rows, in both runs: without a row, no job fetches a file, or keeps one that it has fetched meanwhile.
        for folder in Folder::of_tenant(&scope) {
            while in_time() {
                let (deleted, more) = ctx.files.delete_some(&folder).await?;
                line::count("files_deleted", deleted);
                if !more {
                    break;
                }
            }
        }
        if !in_time() {
            break;
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

/// With an id and a time that are the same for every attempt, so that the log has it once.
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
