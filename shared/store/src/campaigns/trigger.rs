//! Drips that contacts enter by themselves: a row of each from its start on, by which whoever follows the changes of contacts finds it.

use domain::{
    base::ids::CampaignId,
    campaigns::{campaign::Campaign, trigger::Triggered},
};

use crate::{
    Part, Store, StoreError, TenantScope,
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
    /// The drips that contacts enter by themselves, also those that have ended and were not [forgotten](Store::forget_trigger) yet. One
    /// query.
    pub async fn triggered(&self, scope: &TenantScope) -> Result<Vec<Triggered>, StoreError> {
        const DOING: &str = "read which drips contacts enter by themselves";
        let items = self.every(scope, Part::Configuration, keys::TRIGGER, DOING).await?;
        items.into_iter().map(|item| row::data(item, DOING)).collect()
    }

    /// Lets contacts no longer enter a drip by themselves, since it has ended.
    pub async fn forget_trigger(&self, scope: &TenantScope, campaign: CampaignId) -> Result<(), StoreError> {
        let key = keys::trigger(scope, campaign);
        self.database
            .delete(&key, "forget what lets contacts enter a drip")
            .await
    }
}
