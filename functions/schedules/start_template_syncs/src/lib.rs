//! Every hour: starts the operation `sync_templates` for connections whose templates were last listed a day ago, or an hour ago if the
//! provider's verdict on one of them is awaited.
//!
//! Safe to run twice, and twice at the same time: the id of an operation follows from its connection and the hour.

use std::time::Duration;

use domain::{
    message::Channel,
    template::sync::{self, Cause, LastSync},
    tenant::{Tenant, TenantStatus},
};
use futures::{StreamExt as _, stream};
use kit::{Clock, ConfigError, Env, JobError, line, schedule::Deadline};
use store::Store;

/// Tenants read per page.
const TENANTS_PAGE: i32 = 100;

/// Tenants that are looked at at the same time.
const TENANTS_AT_ONCE: usize = 16;

/// No further page is begun when less time than this is left.
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

/// Starts what is due. A tenant that cannot be read does not block the others.
///
/// # Errors
/// When the table does not answer, or a row does not have the expected form.
pub async fn handle(deadline: Deadline, ctx: &Context) -> Result<(), JobError> {
    let (mut after, mut failed) = (None, None);
    loop {
        let page = ctx.store.tenants(after, TENANTS_PAGE).await?;
        let active = page
            .items
            .into_iter()
            .filter(|tenant| tenant.status == TenantStatus::Active);
        let works = active.map(|tenant| start(tenant, ctx));
        let ended: Vec<_> = stream::iter(works).buffer_unordered(TENANTS_AT_ONCE).collect().await;
        failed = ended.into_iter().find_map(Result::err).or(failed);
        after = page.next.and_then(|next| next.parse().ok());
        if after.is_none() {
            return failed.map_or(Ok(()), Err);
        }
        if deadline.remaining(ctx.clock.now()) <= ENOUGH_TIME {
            tracing::warn!("the templates of some tenants are listed an hour later");
            return failed.map_or(Ok(()), Err);
        }
    }
}

/// Starts what is due of a tenant.
async fn start(tenant: Tenant, ctx: &Context) -> Result<(), JobError> {
    let scope = access::job::scope(tenant.id);
    let now = ctx.clock.now();
    let mut connections = ctx.store.connections(&scope).await?;
    // Without credentials, nobody can ask.
    connections.retain(|connection| connection.carries(Channel::WhatsApp) && connection.send.is_some());
    if connections.is_empty() {
        return Ok(());
    }
    let known = ctx.store.last_syncs(&scope).await?;
    for connection in connections {
        if LastSync::is_due(known.get(&connection.id), now) {
            let operation = sync::operation(connection.id, Cause::Due, now);
            ctx.store.create_own_operation(&scope, &operation).await?;
            line::count("template_syncs", 1);
        }
    }
    Ok(())
}
