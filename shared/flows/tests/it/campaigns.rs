//! Campaigns that pause themselves, against the emulator.

use domain::campaigns::Campaign;
use domain::notices::Notice;
use domain::terms::{CampaignState, Reason, Refusal, Resource as _};
use flows::campaigns::{move_campaign, notice_pause};
use serde_json::json;
use testkit::Aws;
use testkit::business::{business, read};

/// A change by somebody else in the meantime stands.
#[tokio::test]
async fn campaign_is_moved_unless_somebody_else_changed_it() {
    let aws = Aws::new().await;
    let business = Box::pin(business(&aws)).await;
    let (store, scope, now) = (aws.store(), business.scope(), aws.now());
    let new = Campaign::new(aws.ids().ulid(), read(json!({"type": "drip", "name": "Welcome"})), now);
    store.create(scope, &new, &aws.stamp()).await.unwrap();
    let read = async || store.get::<Campaign>(scope, &new.id).await.unwrap().unwrap();
    let next = async |state| {
        let moved = move_campaign(&store, scope, &read().await, state, None, now).await;
        assert!(moved.unwrap().is_some());
    };
    next(CampaignState::Scheduled).await;
    next(CampaignState::Running).await;
    let why = || Some(Refusal::new(Reason::NoTemplate, "gone"));
    let paused = CampaignState::Paused;
    let stale = read().await;
    next(CampaignState::Paused).await;
    next(CampaignState::Running).await;
    let late = move_campaign(&store, scope, &stale, paused, why(), now).await;
    assert_eq!(late.unwrap(), None);
    assert_eq!(read().await.value.state, CampaignState::Running);
    let paused = move_campaign(&store, scope, &read().await, paused, why(), now)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(read().await.value, paused);
    let key = Notice::of_campaign(&paused).unwrap().key();
    for _ in 0..2 {
        notice_pause(&store, scope, &paused, now).await;
        assert_eq!(store.notice(scope, &key).await.unwrap().unwrap().version, 1);
    }
}
