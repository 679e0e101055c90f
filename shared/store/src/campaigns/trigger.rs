//! Drips that contacts enter by themselves. Each has a row from its start on, so that followers of changes of contacts find it. It is due
//! when contacts enter on a date of theirs.

use domain::campaigns::{Campaign, Triggered};
use domain::terms::{CampaignId, Stamp, TenantId};
use jiff::Timestamp;

use crate::table::due::Due;
use crate::table::keys::{self, DueOther};
use crate::table::owned;
use crate::table::row::{self, Condition, Row, Write};
use crate::{OwnedError, Part, Store, StoreError, TenantScope, Versioned};

/// A drip whose contacts enter on a date of theirs, at a time that has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueRound {
    pub campaign: CampaignId,
    pub(super) row: Due,
}

impl DueRound {
    /// Its tenant.
    pub const fn tenant(&self) -> TenantId {
        self.row.tenant()
    }
}

fn trigger_row(
    scope: &TenantScope,
    triggered: &Triggered,
    before: Option<u64>,
    doing: &'static str,
) -> Result<Row, StoreError> {
    let key = keys::trigger(scope, triggered.campaign);
    let condition = before.map_or(Condition::Always, Condition::Version);
    let row = Row::new(&key, "trigger", triggered, condition, doing)?;
    let row = row.version(before.unwrap_or_default() + 1);
    Ok(match &triggered.round {
        Some(round) => row.due_elsewhere(DueOther::Steps, &key, Some(round.look)),
        None => row,
    })
}

/// Writes the row of a drip that is started, if contacts enter it by themselves.
pub(crate) fn trigger_write(
    scope: &TenantScope,
    campaign: &Campaign,
    doing: &'static str,
) -> Result<Option<Write>, StoreError> {
    let Some(triggered) = Triggered::of(campaign) else {
        return Ok(None);
    };
    Ok(Some(Write::Put(trigger_row(scope, &triggered, None, doing)?)))
}

/// Removes that row, if there is one.
pub(crate) fn trigger_removal(scope: &TenantScope, campaign: &Campaign) -> Option<Write> {
    let triggered = Triggered::of(campaign)?;
    Some(Write::Clear(keys::trigger(scope, triggered.campaign)))
}

impl Store {
    /// The drips that contacts enter by themselves, each as far as it can be read. One query.
    pub async fn triggered_drips(&self, scope: &TenantScope) -> Result<Vec<Result<Triggered, StoreError>>, StoreError> {
        const DOING: &str = "read which drips contacts enter by themselves";
        let items = self.every(scope, Part::Configuration, keys::TRIGGER, DOING).await?;
        Ok(items.into_iter().map(|item| row::data(item, DOING)).collect())
    }

    /// A drip that contacts enter by themselves, with the version of its row. One request.
    pub async fn triggered_drip(
        &self,
        scope: &TenantScope,
        campaign: CampaignId,
    ) -> Result<(Option<Campaign>, Option<Versioned<Triggered>>), StoreError> {
        const DOING: &str = "read a drip that contacts enter on a date";
        let (own, key) = (owned::key::<Campaign>(scope, &campaign), keys::trigger(scope, campaign));
        let mut found = self.database.get_many(&[own.clone(), key.clone()], DOING).await?;
        let triggered = row::read_versioned(found.remove(&key), None, DOING)?;
        Ok((row::live_data(&mut found, &[own], DOING)?.pop(), triggered))
    }

    /// Writes the round of such a drip. Returns the version of its row.
    ///
    /// # Errors
    /// A conflict after a lost race, or if the drip was cancelled.
    pub async fn write_round(
        &self,
        scope: &TenantScope,
        before: u64,
        triggered: &Triggered,
    ) -> Result<u64, StoreError> {
        const DOING: &str = "write who enters a drip next";
        let row = trigger_row(scope, triggered, Some(before), DOING)?;
        self.database.put(row, DOING).await?;
        Ok(before + 1)
    }

    /// Moves the next look at such a drip, so that one that fails does not keep others waiting.
    pub async fn put_off_round(&self, due: &DueRound, until: Timestamp) -> Result<(), StoreError> {
        self.put_off_due(&due.row, until).await.map(drop)
    }

    /// Cancels a campaign: contacts no longer enter it by themselves.
    pub async fn cancel_campaign(
        &self,
        scope: &TenantScope,
        before: &Versioned<Campaign>,
        after: &Campaign,
        stamp: &Stamp,
    ) -> Result<u64, OwnedError> {
        let trigger = trigger_removal(scope, after);
        self.change_with(scope, before, after, stamp, trigger.into_iter().collect())
            .await
    }
}
