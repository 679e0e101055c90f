//! Drips that contacts enter by themselves: a row of each from its start on, by which whoever follows the changes of contacts finds it.

use domain::{
    base::actor::Stamp,
    campaigns::{campaign::Campaign, trigger::Triggered},
};

use crate::{
    OwnedError, Part, Store, StoreError, TenantScope, Versioned,
    table::{
        keys,
        row::{self, Condition, Row, Write},
    },
};

/// Writes the row of a drip that is started, if contacts enter it by themselves.
pub(crate) fn trigger_write(
    scope: &TenantScope,
    campaign: &Campaign,
    doing: &'static str,
) -> Result<Option<Write>, StoreError> {
    let Some(triggered) = Triggered::of(campaign) else {
        return Ok(None);
    };
    let key = keys::trigger(scope, triggered.campaign);
    let row = Row::new(&key, "trigger", &triggered, Condition::Always, doing)?;
    Ok(Some(Write::Put(row)))
}

impl Store {
    /// The drips that contacts enter by themselves. One query.
    pub async fn triggered(&self, scope: &TenantScope) -> Result<Vec<Triggered>, StoreError> {
        const DOING: &str = "read which drips contacts enter by themselves";
        let items = self.every(scope, Part::Configuration, keys::TRIGGER, DOING).await?;
        items.into_iter().map(|item| row::data(item, DOING)).collect()
    }

    /// Cancels a campaign: contacts no longer enter it by themselves.
    pub async fn cancel_campaign(
        &self,
        scope: &TenantScope,
        before: &Versioned<Campaign>,
        after: &Campaign,
        stamp: &Stamp,
    ) -> Result<u64, OwnedError> {
        let trigger = Triggered::of(after).map(|triggered| Write::Clear(keys::trigger(scope, triggered.campaign)));
        self.change_with(scope, before, after, stamp, trigger.into_iter().collect())
            .await
    }
}
