//! Changes of campaigns that their run and the steps of drips make.

use domain::Timestamp;
use domain::campaigns::Campaign;
use domain::notices::Notice;
use domain::terms::{CampaignState, Refusal};
use kit::{chain, metric};
use store::{RACES, Store, StoreError, TenantScope, Versioned};

/// Moves a campaign to another state. Returns it, unless somebody else has changed it since it was read, or the state cannot follow.
pub async fn move_campaign(
    store: &Store,
    scope: &TenantScope,
    found: &Versioned<Campaign>,
    next: CampaignState,
    why: Option<Refusal>,
    now: Timestamp,
) -> Result<Option<Campaign>, StoreError> {
    let Some(after) = found.value.with_state(next, why, now) else {
        return Ok(None);
    };
    match store.move_campaign(scope, found.version, &after).await {
        Ok(_) => {}
        Err(error) if error.is_conflict() => return Ok(None),
        Err(error) => return Err(error),
    }
    if let Some(why) = after.stopped.as_ref().filter(|_| next == CampaignState::Paused) {
        metric::count("campaign_paused", &[("reason", why.code.as_str())]);
    }
    Ok(Some(after))
}

/// Records until when there is no place for a further message. If somebody else just changes the campaign, the next look does.
pub async fn record_limit(
    store: &Store,
    scope: &TenantScope,
    found: &Versioned<Campaign>,
    until: Timestamp,
) -> Result<(), StoreError> {
    if found.value.limited_until == Some(until) {
        return Ok(());
    }
    let limited = Campaign {
        limited_until: Some(until),
        ..found.value.clone()
    };
    match store.move_campaign(scope, found.version, &limited).await {
        Err(error) if !error.is_conflict() => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Records the notice of a campaign that paused itself, unless it is recorded. If that fails, the campaign stays paused all the same.
pub async fn notice_pause(store: &Store, scope: &TenantScope, campaign: &Campaign, now: Timestamp) {
    let Some(notice) = Notice::of_campaign(campaign) else {
        return;
    };
    let recorded = RACES.until_won(|| store.record_notice(scope, &notice, now));
    if let Err(error) = recorded.await {
        tracing::error!(error = chain(&error), "nobody is told that a campaign paused itself");
    }
}
