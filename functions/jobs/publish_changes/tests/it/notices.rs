//! Notices are recorded once, and cost nothing where nothing is new.

use std::collections::BTreeSet;

use domain::notices::{Matter, NoticeState, day_of};
use domain::templates::{TemplateKey, TemplateReport, TemplateStatus};
use domain::tenants::{Connection, Health};
use store::Versioned;
use store::accounts::DueNotice;

use super::*;

impl World {
    /// A provider refuses the WhatsApp connection, or accepts it again.
    async fn health(&mut self, healthy: bool) {
        let (store, scope, now) = (self.aws.store(), self.business.scope().clone(), self.aws.now());
        let connection = store.connection(&scope, self.business.whatsapp).await;
        let connection = connection.expect("the table answers").expect("the connection");
        let health = if healthy {
            Health::Healthy
        } else {
            Health::Unhealthy {
                since: now,
                reason: "the access token is not valid".to_owned(),
                tried_at: now,
            }
        };
        let set = |current| Connection { health, ..current };
        let changed = store.change_connection(&scope, &connection, set).await;
        assert!(changed.expect("nobody else changes it"));
        self.record().await;
    }

    async fn notice(&self, key: &str) -> Option<Versioned<NoticeState>> {
        let found = self.aws.store().notice(self.business.scope(), key).await;
        found.expect("the table answers")
    }

    async fn due_notices(&self) -> BTreeSet<DueNotice> {
        let page = self.aws.store().due_notices(self.aws.now(), None, 100).await;
        let mut page = page.expect("the table answers");
        page.due.remove(&self.business.tenant()).unwrap_or_default()
    }

    /// Days of the last matches of the business's automation.
    async fn match_days(&self) -> Vec<jiff::civil::Date> {
        let rules = self.business.configured.rules.iter().map(|rule| rule.id);
        let days = self.aws.store().matched_days(self.business.scope(), rules).await;
        days.expect("the table answers").into_values().collect()
    }
}

#[tokio::test]
async fn refused_connection_is_recorded_once_and_due_at_once() {
    let mut world = World::new().await;
    world.health(false).await;
    assert_eq!(world.records.len(), 1, "the filter admits it");
    let key = format!("connection_refused#{}", world.business.whatsapp);
    for _delivery in 0..2 {
        world.deliver(SHARD, &world.records).await;
        let state = world.notice(&key).await.expect("a notice");
        assert_eq!((state.version, state.value.due), (1, Some(world.aws.now())));
        assert_eq!(state.value.notice.at, world.aws.now());
        assert_eq!(world.due_notices().await, [DueNotice::Notice(key.clone())].into());
    }
    // An older change that is replayed later changes nothing.
    world.aws.pass(60);
    world.health(true).await;
    world.aws.pass(60);
    world.health(false).await;
    let all = world.records.clone();
    world.deliver(SHARD, &all[1..]).await;
    world.bring_again(&all).await.expect("it is processed");
    let state = world.notice(&key).await.expect("a notice");
    assert_eq!((state.version, state.value.notice.at), (2, world.aws.now()));
}

#[tokio::test]
async fn paused_template_is_recorded() {
    let mut world = World::new().await;
    let key = TemplateKey::new("missed_call_followup", "en_GB").expect("a key");
    let report = TemplateReport {
        status: Some(TemplateStatus("PAUSED".to_owned())),
        ..TemplateReport::of(key, world.aws.now())
    };
    let (store, scope) = (world.aws.store(), world.business.scope().clone());
    let noted = store.note_template(&scope, &[world.business.whatsapp], &report).await;
    assert!(noted.expect("nobody else changes it"));
    world.record().await;
    world.deliver(SHARD, &world.records).await;
    let key = format!("template_paused#{}#missed_call_followup#en_GB", world.business.whatsapp);
    let state = world.notice(&key).await;
    let matter = state.expect("a notice").value.notice.matter;
    let expected = Matter::TemplatePaused {
        connection: world.business.whatsapp,
        language: "en_GB".to_owned(),
        status: "PAUSED".to_owned(),
        category: None,
    };
    assert_eq!(matter, expected);
}

#[tokio::test]
async fn deleted_connection_is_not_noticed() {
    let mut world = World::new().await;
    let (store, scope) = (world.aws.store(), world.business.scope().clone());
    world.health(false).await;
    let before = store.get::<Connection>(&scope, &world.business.whatsapp).await;
    let before = before.expect("the table answers").expect("the connection");
    let stamp = world.aws.stamp();
    let removed = store.remove_connection(&scope, &before, &stamp).await;
    removed.expect("it is deleted");
    world.records.clear();
    world.record().await;
    assert!(!world.records.is_empty());
    world.deliver(SHARD, &world.records).await;
    assert!(world.due_notices().await.is_empty());
}

/// However many calls a day has, and however they are delivered, it costs one write for each automation and one read.
#[tokio::test]
async fn matches_of_a_day_are_written_once() {
    let mut world = World::after(1).await;
    world.deliver(SHARD, &world.records).await;
    let today = day_of(world.aws.now());
    assert_eq!(world.match_days().await, [today]);
    let rows = notice_rows(&world).await;
    assert_eq!(rows.len(), 2, "the match, and when automations are reviewed: {rows:?}");
    world.follow_up("+971501234568").await;
    world.deliver(SHARD, &world.records).await;
    assert_eq!(notice_rows(&world).await, rows);
    // Another process does not know, but the rows do.
    world.ctx = Context::new(world.aws.env()).expect("a context");
    world.deliver("shard-2", &world.records).await;
    assert_eq!(notice_rows(&world).await, rows);
    assert!(world.due_notices().await.is_empty());
}

#[tokio::test]
async fn first_call_after_seven_days_makes_a_review_due() {
    let mut world = World::after(1).await;
    world.deliver(SHARD, &world.records).await;
    world.records.clear();
    for (days, due) in [(7, false), (1, true)] {
        world.aws.pass(days * 24 * 3600);
        world.follow_up(&format!("+97150123466{days}")).await;
        world.deliver(SHARD, &world.records).await;
        assert_eq!(
            world.due_notices().await.contains(&DueNotice::Review),
            due,
            "after {days} more days"
        );
        assert_eq!(world.match_days().await, [day_of(world.aws.now())]);
    }
}

/// Nothing could match while nobody called.
#[tokio::test]
async fn call_after_a_week_without_any_makes_no_review_due() {
    let mut world = World::new().await;
    for days in [0, 8, 7, 1] {
        world.aws.pass(days * 24 * 3600);
        world.follow_up(&format!("+97150123466{days}")).await;
        world.deliver(SHARD, &world.records).await;
        assert_eq!(
            world.due_notices().await.contains(&DueNotice::Review),
            days == 1,
            "after {days} more days"
        );
        world.records.clear();
    }
}

/// The rows of notices, with their versions.
async fn notice_rows(world: &World) -> Vec<(String, String)> {
    let all = rows(&world.aws).await.into_iter();
    let own = all.filter(|((pk, _), _)| pk.ends_with("#NOTICE"));
    own.map(|((_, sk), row)| (sk, format!("{:?}", row.get("v")))).collect()
}
