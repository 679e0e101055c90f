//! The tenant's first line, set up from its connections.

use api::{Api, Races};
use domain::{
    connection::Connection,
    line::{self, Line},
};
use kit::Problem;

use crate::Writer;

const RACES: Races = Races::most(24);

/// Makes the tenant's first line, or gives its only line what it lacks and this new connection brings. Safe to repeat.
pub(crate) async fn set_up(api: &Api, who: &Writer, new: &Connection) -> Result<(), Problem> {
    let (store, scope) = (api.store(), who.scope());
    RACES
        .until_won(|| {
            Box::pin(async {
                // First: the write is conditioned on its version, which stands for what is read after it.
                let tenant = store.tenant(scope).await?.ok_or_else(Problem::not_found)?;
                let (lines, connections) = tokio::try_join!(store.all::<Line>(scope), store.connections(scope))?;
                if let Some(line) = line::set_up(&lines, &connections, new) {
                    store.set_up_line(scope, &tenant, &line, &who.stamp()).await?;
                }
                Ok(())
            })
        })
        .await
}
