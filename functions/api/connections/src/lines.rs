//! The tenant's first line, set up from its connections.

use api::{Api, RACES};
use domain::tenants::{Connection, Line, line_to_set_up};
use domain::terms::Channel;
use kit::Problem;

use crate::Writer;

/// Whether a change of a connection may bring a line something: other numbers, or another channel.
pub(crate) fn may_bring(before: &Connection, after: &Connection) -> bool {
    let carries = |one: &Connection| [Channel::WhatsApp, Channel::Sms].map(|channel| one.carries(channel));
    before.account.numbers() != after.account.numbers() || carries(before) != carries(after)
}

/// Sets the line up as [`set_up`] does, for a connection that is written in any case. After a failure, the next connection makes
/// the line, or somebody does.
pub(crate) async fn try_set_up(api: &Api, who: &Writer, connection: &Connection) {
    if let Err(problem) = Box::pin(set_up(api, who, connection)).await {
        tracing::warn!(status = problem.status().as_u16(), "the first line is not set up");
    }
}

/// Makes the tenant's first line, or gives its only line what it lacks and this connection brings. Safe to repeat.
async fn set_up(api: &Api, who: &Writer, new: &Connection) -> Result<(), Problem> {
    let (store, scope) = (api.store(), who.scope());
    RACES
        .until_won(|| {
            Box::pin(async {
                // First: the write is conditioned on its version, which stands for what is read after it.
                let tenant = store.tenant(scope).await?.ok_or_else(Problem::not_found)?;
                let (lines, connections) = tokio::try_join!(store.all::<Line>(scope), store.connections(scope))?;
                if let Some(line) = line_to_set_up(&lines, &connections, new, who.now()) {
                    store.set_up_line(scope, &tenant, &line, &who.stamp()).await?;
                }
                Ok(())
            })
        })
        .await
}
