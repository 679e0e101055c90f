//! Every hour: starts the operation `sync_templates` for connections whose templates were last listed a day ago, or an hour ago if the
//! provider's verdict on one of them is awaited.
//!
//! Safe to run twice, and twice at the same time: the id of an operation follows from its connection and the hour.

use domain::templates::{Cause, LastSync, sync_operation};
use domain::tenants::{Tenant, TenantStatus};
use domain::terms::Channel;
pub use kit::StoreAndClock as Context;
use kit::schedule::{Deadline, for_every_tenant};
use kit::{JobError, line};

kit::function!(serve_schedule, Context::new, handle);

/// Starts what is due. A tenant that cannot be read does not block the others. One that is not reached in time waits for the
/// next run.
pub async fn handle(deadline: Deadline, ctx: &Context) -> Result<(), JobError> {
    let work = |tenant| start(tenant, ctx);
    Box::pin(for_every_tenant(&ctx.store, &ctx.clock, deadline, work)).await
}

/// Starts what is due of a tenant.
async fn start(tenant: Tenant, ctx: &Context) -> Result<(), JobError> {
    if tenant.status != TenantStatus::Active {
        return Ok(());
    }
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
            let operation = sync_operation(connection.id, Cause::Due, now);
            ctx.store.create_own_operation(&scope, &operation).await?;
            line::count("template_syncs", 1);
        }
    }
    Ok(())
}
