//! Notices are found when they are due, and recorded once however many record them.

use std::collections::BTreeSet;

use domain::notices::{Matter, Notice, NoticeState, day_of};
use domain::terms::{ConnectionId, RuleId};
use jiff::SignedDuration;
use store::accounts::DueNotice;
use store::{StoreError, Versioned};

use crate::world::World;

fn refused_connection_notice(world: &World) -> Notice {
    Notice {
        matter: Matter::ConnectionRefused {
            connection: ConnectionId::new(world.aws.ids().ulid()),
            reason: "the access token is not valid".to_owned(),
        },
        name: "WhatsApp".to_owned(),
        at: world.aws.now(),
    }
}

async fn list_due_notices(world: &World) -> BTreeSet<DueNotice> {
    let page = world.store.due_notices(world.aws.now(), None, 100).await;
    let mut page = page.expect("the table answers");
    assert_eq!(page.next, None);
    page.due.remove(&world.business.tenant()).unwrap_or_default()
}

/// Changes a notice that was read.
async fn change(world: &World, before: &Versioned<NoticeState>, after: &NoticeState) -> Result<(), StoreError> {
    let changed = world.store.change_notice(world.scope(), before, after, world.aws.now());
    changed.await
}

#[tokio::test]
async fn notice_is_due_until_it_is_settled() {
    let world = World::new().await;
    let (store, scope, notice) = (&world.store, world.scope(), refused_connection_notice(&world));
    assert!(store.record_notice(scope, &notice, world.aws.now()).await.unwrap());
    let key = notice.key();
    assert_eq!(list_due_notices(&world).await, [DueNotice::Notice(key.clone())].into());
    let state = store.notice(scope, &key).await.unwrap().unwrap();
    let later = state
        .value
        .with_due_time(world.aws.now() + SignedDuration::from_secs(60));
    change(&world, &state, &later).await.unwrap();
    assert!(list_due_notices(&world).await.is_empty());
    world.aws.pass(60);
    assert_eq!(list_due_notices(&world).await.len(), 1);
    let lost = change(&world, &state, &state.value.without_due_time()).await;
    assert!(lost.is_err_and(|error| error.is_conflict()));
    let state = store.notice(scope, &key).await.unwrap().unwrap();
    change(&world, &state, &state.value.without_due_time()).await.unwrap();
    assert!(list_due_notices(&world).await.is_empty());
}

#[tokio::test]
async fn occurrence_is_recorded_once_by_many() {
    let world = World::new().await;
    let (store, scope, notice, now) = (
        &world.store,
        world.scope(),
        refused_connection_notice(&world),
        world.aws.now(),
    );
    let records = (0..8).map(|_| store.record_notice(scope, &notice, now));
    let recorded = futures::future::join_all(records).await;
    let new = recorded.iter().filter(|one| matches!(one, Ok(true))).count();
    assert_eq!(new, 1);
    for other in recorded {
        assert!(other.is_ok() || other.is_err_and(|error| error.is_conflict()));
    }
    assert_eq!(store.notice(scope, &notice.key()).await.unwrap().unwrap().version, 1);
}

#[tokio::test]
async fn due_notices_come_page_by_page() {
    let world = World::new().await;
    let mut expected = BTreeSet::new();
    for _notice in 0..5 {
        let notice = refused_connection_notice(&world);
        let recorded = world.store.record_notice(world.scope(), &notice, world.aws.now());
        assert!(recorded.await.unwrap());
        expected.insert(DueNotice::Notice(notice.key()));
    }
    let (mut found, mut from, mut pages) = (BTreeSet::new(), None, 0);
    loop {
        let page = world.store.due_notices(world.aws.now(), from, 2).await.unwrap();
        found.extend(page.due.into_values().flatten());
        pages += 1;
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    assert_eq!(found, expected);
    assert!(pages >= 3, "{pages}");
}

#[tokio::test]
async fn earlier_day_of_a_match_changes_nothing() {
    let world = World::new().await;
    let (store, scope, now) = (&world.store, world.scope(), world.aws.now());
    let rules = BTreeSet::from([RuleId::new(world.aws.ids().ulid()), RuleId::new(world.aws.ids().ulid())]);
    let today = day_of(now);
    for day in [today, today.yesterday().unwrap(), today] {
        store.note_calls(scope, day, &rules, now).await.unwrap();
        let days = store.matched_days(scope, rules.iter().copied()).await.unwrap();
        assert_eq!(days.len(), 2);
        assert!(days.values().all(|day| *day == today));
    }
}
