//! Templates: their list, what the provider's lists and answers change, and their versions.

use domain::messages::TemplateEdition;
use domain::templates::{LastSync, ListedNames, TemplateContent, TemplateDefinition, TemplateStatus};
use domain::terms::{ConnectionId, OperationKind};
use jiff::{SignedDuration, Timestamp};
use store::messages::{Noted, TemplateFilter};
use store::table::usage;
use store::{Owned as _, OwnedError, TenantScope, Version, Versioned};
use testkit::business::business;

use crate::world::{COUNTING, World};

const FOLLOW_UP: &str = "missed_call_followup";

/// A template as a provider lists it.
fn listed_template(name: &str, status: &str) -> TemplateDefinition {
    TemplateDefinition {
        name: name.to_owned(),
        language: "en".to_owned(),
        status: TemplateStatus(status.to_owned()),
        body: format!("Hello {{{{1}}}}, this is {name} of us."),
        provider_id: Some("810000000000001".to_owned()),
        ..TemplateDefinition::empty()
    }
}

/// The template `a` with other words than listed ones.
fn reworded_template(status: &str) -> TemplateDefinition {
    TemplateDefinition {
        body: "Hello {{1}}, other words of us.".to_owned(),
        ..listed_template("a", status)
    }
}

impl World {
    async fn note_templates(&self, listed: &[TemplateDefinition], at: Timestamp) -> Noted {
        let noted = self.store.note_listed(self.scope(), self.whatsapp(), listed, at, false);
        noted.await.expect("the table answers")
    }

    /// Marks what a list does not show. Returns the number of templates, and that of pages.
    async fn swept(&self, names: &ListedNames, at: Timestamp) -> (u64, u32) {
        let (mut gone, mut pages, mut after) = (0, 0, None::<String>);
        loop {
            let marked = self
                .store
                .note_unlisted(self.scope(), self.whatsapp(), names, at, after.as_deref());
            let marked = marked.await.expect("the table answers");
            gone += marked.gone;
            pages += 1;
            after = marked.next;
            if after.is_none() {
                return (gone, pages);
            }
        }
    }

    fn whatsapp(&self) -> ConnectionId {
        self.business.whatsapp
    }

    async fn template(&self, name: &str, language: &str) -> Option<Versioned<TemplateDefinition>> {
        let id = format!("{}#{name}#{language}", self.whatsapp());
        self.store.get(self.scope(), &id).await.expect("the table answers")
    }

    async fn versions(&self, id: &str, now: Timestamp) -> Vec<Version<TemplateDefinition>> {
        let found = self.store.versions(self.scope(), &id, now).await;
        found.expect("the table answers")
    }

    async fn remove(&self, found: &Versioned<TemplateDefinition>) {
        let removed = self.store.remove(self.scope(), found, &self.stamp()).await;
        removed.expect("nobody else changes it");
    }

    async fn status(&self, name: &str) -> Option<String> {
        self.template(name, "en").await.map(|found| found.value.status.0)
    }

    async fn templates(&self, filter: &TemplateFilter, limit: i32) -> Vec<String> {
        let (mut after, mut found) = (None::<String>, Vec::new());
        loop {
            let page = self
                .store
                .templates(self.scope(), filter, after.as_deref(), limit)
                .await;
            let page = page.expect("the table answers");
            assert!(page.items.len() <= usize::try_from(limit).expect("a number"));
            found.extend(page.items.into_iter().map(|found| found.value.name));
            after = page.next;
            if after.is_none() {
                return found;
            }
            assert!(after.as_deref().is_some_and(|after| filter.has(after)));
        }
    }
}

fn seconds_later(at: Timestamp, seconds: i64) -> Timestamp {
    at + SignedDuration::from_secs(seconds)
}

#[tokio::test]
async fn a_list_is_one_read_and_a_write_for_each_difference() {
    let _alone = COUNTING.write().await;
    let world = World::new_alone().await;
    let now = world.aws.now();
    let names: Vec<String> = (0..40).map(|number| format!("t_{number:02}")).collect();
    let all: Vec<_> = names.iter().map(|name| listed_template(name, "APPROVED")).collect();
    assert_eq!(world.note_templates(&all, now).await.created, 40);
    drop(usage::take());
    let again = world.note_templates(&all, seconds_later(now, 60)).await;
    assert_eq!((again, usage::take().requests), (Noted::default(), 1));
    let mut changed = all.clone();
    changed[7].status = TemplateStatus("PAUSED".to_owned());
    changed[8].status = TemplateStatus("PENDING".to_owned());
    let noted = world.note_templates(&changed, seconds_later(now, 120)).await;
    assert_eq!((noted.changed, noted.awaited, usage::take().requests), (2, true, 3));
}

#[tokio::test]
async fn templates_are_listed_page_by_page() {
    let world = World::new().await;
    let now = world.aws.now();
    let all: Vec<_> = ["a", "b", "c"].map(|name| listed_template(name, "APPROVED")).into();
    world.note_templates(&all, now).await;
    world.note_templates(&[listed_template("d", "REJECTED")], now).await;
    let every = TemplateFilter::default();
    let of = |status: &str| TemplateFilter {
        status: Some(status.to_owned()),
        ..TemplateFilter::default()
    };
    for limit in [1, 2, 3, 100] {
        assert_eq!(world.templates(&every, limit).await, ["a", "b", "c", "d", FOLLOW_UP]);
        assert_eq!(world.templates(&of("REJECTED"), limit).await, ["d"]);
        assert_eq!(
            world.templates(&of("APPROVED"), limit).await,
            ["a", "b", "c", FOLLOW_UP]
        );
    }
    let named = TemplateFilter {
        connection: Some(world.whatsapp()),
        name: Some("b".to_owned()),
        ..TemplateFilter::default()
    };
    assert_eq!(world.templates(&named, 1).await, ["b"]);
    let other = TemplateFilter {
        connection: Some(world.business.twilio),
        ..TemplateFilter::default()
    };
    assert!(world.templates(&other, 10).await.is_empty());
    assert!(!other.has(&format!("{}#a#en", world.whatsapp())));
}

#[tokio::test]
async fn a_list_marks_what_it_does_not_show() {
    let world = World::new().await;
    let now = world.aws.now();
    world
        .note_templates(
            &[listed_template("a", "APPROVED"), listed_template("b", "APPROVED")],
            now,
        )
        .await;
    // Somebody else's is not looked at.
    let other = Box::pin(business(&world.aws)).await;
    let mut names = ListedNames::default();
    names.add("a", "en");
    assert_eq!(world.swept(&names, seconds_later(now, 120)).await, (2, 1));
    assert_eq!(world.status("a").await.as_deref(), Some("APPROVED"));
    assert_eq!(world.status("b").await.as_deref(), Some("DELETED"));
    let theirs = format!("{}#{FOLLOW_UP}#en_GB", other.whatsapp);
    let theirs: Option<Versioned<TemplateDefinition>> = world.store.get(other.scope(), &theirs).await.unwrap();
    assert!(theirs.unwrap().value.status.sendable());
    // What was created after the list began is not in it.
    let fresh = TemplateDefinition {
        connection: Some(world.whatsapp()),
        created_at: Some(seconds_later(now, 190)),
        ..listed_template("c", "PENDING")
    };
    world.store.create(world.scope(), &fresh, &world.stamp()).await.unwrap();
    assert_eq!(world.swept(&names, seconds_later(now, 180)).await, (0, 1));
    assert_eq!(world.status("c").await.as_deref(), Some("PENDING"));
}

/// The position of a page of rows is also good for a worker that comes after another one: what it marked is not marked again.
#[tokio::test]
async fn rows_are_compared_with_a_list_page_by_page() {
    let world = World::new().await;
    let now = world.aws.now();
    let all: Vec<_> = (0..250)
        .map(|number| listed_template(&format!("t_{number:03}"), "APPROVED"))
        .collect();
    world.note_templates(&all, now).await;
    let mut names = ListedNames::default();
    names.add(FOLLOW_UP, "en_GB");
    for one in all
        .iter()
        .filter(|one| !["t_007", "t_249"].contains(&one.name.as_str()))
    {
        names.add(&one.name, &one.language);
    }
    let (scope, connection, at) = (world.scope(), world.whatsapp(), seconds_later(now, 120));
    let counted = async |after: Option<&str>| {
        let counted = world.store.count_unlisted(scope, connection, &names, at, after);
        counted.await.unwrap()
    };
    let first = counted(None).await;
    let second = counted(first.next.as_deref()).await;
    assert_eq!((first.gone, second.gone, &second.next), (1, 1, &None));
    let marked = world.store.note_unlisted(scope, connection, &names, at, None);
    assert_eq!(marked.await.unwrap(), first);
    assert_eq!(counted(None).await.gone, 0);
    assert_eq!(world.swept(&names, at).await, (1, 2));
    for (name, status) in [("t_006", "APPROVED"), ("t_007", "DELETED"), ("t_249", "DELETED")] {
        assert_eq!(world.status(name).await.as_deref(), Some(status), "{name}");
    }
}

#[tokio::test]
async fn deleted_row_is_created_again_if_the_provider_has_it() {
    let world = World::new().await;
    let now = world.aws.now();
    world.note_templates(&[listed_template("a", "APPROVED")], now).await;
    let found = world.template("a", "en").await.unwrap();
    world.remove(&found).await;
    assert_eq!(world.status("a").await, None);
    assert_eq!(
        world
            .note_templates(&[listed_template("a", "PAUSED")], seconds_later(now, 60))
            .await
            .created,
        1
    );
    assert_eq!(world.status("a").await.as_deref(), Some("PAUSED"));
}

/// Whoever read the deleted one does not change the new one, which has its key.
#[tokio::test]
async fn created_again_is_not_what_was_read_before() {
    let world = World::new().await;
    let new = TemplateDefinition {
        connection: Some(world.whatsapp()),
        ..listed_template("a", "DRAFT")
    };
    let create = async || world.store.create(world.scope(), &new, &world.stamp()).await.unwrap();
    create().await;
    let found = world.template("a", "en").await.unwrap();
    world.remove(&found).await;
    world.aws.pass(1);
    create().await;
    let late = world.store.change(world.scope(), &found, &new, &world.stamp()).await;
    assert!(matches!(late, Err(OwnedError::Store(error)) if error.is_conflict()));
    let again = world.template("a", "en").await.unwrap();
    let changed = world.store.change(world.scope(), &again, &new, &world.stamp()).await;
    changed.unwrap();
}

/// Twilio's names are not unique.
#[tokio::test]
async fn known_content_of_a_name_is_the_one_of_a_page() {
    let world = World::new().await;
    let now = world.aws.now();
    let content = |number: u8, status: &str| TemplateDefinition {
        content_sid: Some(format!("HX{number:032}")),
        provider_id: None,
        body: format!("Hello {{{{1}}}}, these are the words of {number}."),
        ..listed_template("a", status)
    };
    let (own, other) = (content(1, "APPROVED"), content(2, "APPROVED"));
    let rejected = content(3, "REJECTED");
    let found = async || {
        let row = world.template("a", "en").await.unwrap().value;
        (row.content_sid, row.status.0, row.body)
    };
    let is = |one: &TemplateDefinition| (one.content_sid.clone(), one.status.0.clone(), one.body.clone());
    // Of a new name, one that can be sent.
    world.note_templates(&[own.clone(), rejected.clone()], now).await;
    assert_eq!(found().await, is(&own));
    for (seconds, page) in [(60, [&own, &other]), (120, [&other, &own]), (180, [&own, &rejected])] {
        let page = page.map(TemplateDefinition::clone);
        assert_eq!(
            world.note_templates(&page, seconds_later(now, seconds)).await,
            Noted::default()
        );
    }
    let paused = content(1, "PAUSED");
    for (seconds, page) in [(240, [&other, &paused]), (300, [&paused, &other])] {
        world
            .note_templates(&page.map(TemplateDefinition::clone), seconds_later(now, seconds))
            .await;
        assert_eq!(found().await, is(&paused));
    }
    let stopped = content(1, "REJECTED");
    world
        .note_templates(&[other.clone(), stopped], seconds_later(now, 360))
        .await;
    assert_eq!(found().await, is(&other));
}

/// The provider may have read its list before the deletion.
#[tokio::test]
async fn list_from_before_a_deletion_does_not_undo_it() {
    let world = World::new().await;
    let now = world.aws.now();
    world.note_templates(&[listed_template("a", "APPROVED")], now).await;
    let found = world.template("a", "en").await.unwrap();
    world.remove(&found).await;
    let noted = world
        .note_templates(&[listed_template("a", "APPROVED")], seconds_later(now, -30))
        .await;
    assert_eq!((noted, world.status("a").await), (Noted::default(), None));
}

/// Reports and lists write the row far more often than somebody changes what it says.
#[tokio::test]
async fn states_displace_no_former_content() {
    let world = World::new().await;
    let now = world.aws.now();
    let says = |words: &str, status: &str| TemplateDefinition {
        body: format!("Hello {{{{1}}}}, {words} of us."),
        ..listed_template("a", status)
    };
    world.note_templates(&[says("first", "APPROVED")], now).await;
    world
        .note_templates(&[says("second", "APPROVED")], seconds_later(now, 1))
        .await;
    for number in 0..99 {
        let word = if number % 2 == 0 { "PAUSED" } else { "APPROVED" };
        let noted = world
            .note_templates(&[says("second", word)], seconds_later(now, 2 + number))
            .await;
        assert_eq!(noted.changed, 1, "{number}");
    }
    world
        .note_templates(&[says("third", "APPROVED")], seconds_later(now, 200))
        .await;
    let id = world.template("a", "en").await.unwrap().value.id();
    let found = world.versions(&id, now).await;
    let bodies: Vec<&str> = found.iter().map(|version| &*version.signed.value.body).collect();
    assert_eq!(bodies, ["third", "second", "first"].map(|words| says(words, "").body));
    for version in &found {
        let same = world.store.version(world.scope(), &id, version.number, now);
        let same: Option<Version<TemplateDefinition>> = same.await.unwrap();
        assert_eq!(same.as_ref(), Some(version));
    }
    let none: Option<Version<TemplateDefinition>> = world.store.version(world.scope(), &id, 50, now).await.unwrap();
    assert_eq!(none, None);
}

#[tokio::test]
async fn author_of_a_content_stays_through_reports() {
    let world = World::new().await;
    let now = world.aws.now();
    let written = TemplateDefinition {
        connection: Some(world.whatsapp()),
        ..listed_template("a", "PENDING")
    };
    let stamp = world.stamp();
    world.store.create(world.scope(), &written, &stamp).await.unwrap();
    let id = written.id();
    let authors = async || -> Vec<_> {
        let found = world.versions(&id, now).await.into_iter();
        found.map(|version| version.signed.by).collect()
    };
    for (seconds, word) in [(60, "APPROVED"), (120, "PAUSED")] {
        world
            .note_templates(&[listed_template("a", word)], seconds_later(now, seconds))
            .await;
        assert_eq!(authors().await, [Some(stamp.actor)], "{word}");
    }
    world
        .note_templates(&[reworded_template("PAUSED")], seconds_later(now, 180))
        .await;
    assert_eq!(
        authors().await,
        [None, Some(stamp.actor)],
        "the provider's words are nobody's"
    );
}

#[tokio::test]
async fn only_another_content_is_a_version() {
    let world = World::new().await;
    let now = world.aws.now();
    world.note_templates(&[listed_template("a", "PENDING")], now).await;
    world
        .note_templates(&[listed_template("a", "APPROVED")], seconds_later(now, 60))
        .await;
    let versions = async || {
        let id = world.template("a", "en").await.unwrap().value.id();
        world.versions(&id, now).await
    };
    assert_eq!(versions().await.len(), 1, "a state is none");
    world
        .note_templates(&[reworded_template("APPROVED")], seconds_later(now, 120))
        .await;
    let found = versions().await;
    let bodies: Vec<&str> = found.iter().map(|version| &*version.signed.value.body).collect();
    assert_eq!(
        bodies,
        ["Hello {{1}}, other words of us.", "Hello {{1}}, this is a of us."]
    );
    assert!(found.iter().all(|version| version.signed.by.is_none()));
}

#[tokio::test]
async fn list_that_began_earlier_replaces_no_record() {
    let world = World::new().await;
    let now = world.aws.now();
    for (seconds, awaited, kept) in [(0, false, 0), (120, true, 120), (60, false, 120), (180, false, 180)] {
        let last = LastSync {
            at: seconds_later(now, seconds),
            awaited,
        };
        let noted = world.store.note_sync(world.scope(), world.whatsapp(), &last);
        noted.await.unwrap();
        let known = world.store.last_syncs(world.scope()).await.unwrap()[&world.whatsapp()];
        assert_eq!(
            (known.at, known.awaited),
            (seconds_later(now, kept), kept == 120),
            "{seconds}"
        );
    }
}

#[tokio::test]
async fn of_many_refused_messages_one_starts_a_list() {
    let world = World::new().await;
    let (store, scope, now) = (&world.store, world.scope(), world.aws.now());
    let doubt = || store.doubt_template(scope, world.whatsapp(), FOLLOW_UP, "en_GB", now, now);
    let doubted = futures::future::join_all((0..8).map(|_| doubt())).await;
    let first = doubted.into_iter().filter(|doubted| *doubted.as_ref().unwrap()).count();
    assert_eq!(first, 1);
    let template = world.template(FOLLOW_UP, "en_GB").await.unwrap().value;
    assert!(template.sendable(false).is_err() && template.status.sendable());
    let operations = store.operations(scope, None, 10, now).await.unwrap().items;
    let [operation] = &operations[..] else {
        panic!("{operations:?}")
    };
    assert_eq!(operation.value.kind, OperationKind::SyncTemplates);
    let unknown = store.doubt_template(scope, world.whatsapp(), "nothing", "en", now, now);
    assert!(!unknown.await.unwrap());
}

/// Reports of a batch come late: what they say about the content of before is known already.
#[tokio::test]
async fn late_refusal_does_not_doubt_the_new_content() {
    let world = World::new().await;
    let (store, scope, now) = (&world.store, world.scope(), world.aws.now());
    world.note_templates(&[listed_template("a", "APPROVED")], now).await;
    let doubt = async |sent: i64, at: i64| {
        let (sent, at) = (seconds_later(now, sent), seconds_later(now, at));
        store
            .doubt_template(scope, world.whatsapp(), "a", "en", sent, at)
            .await
            .unwrap()
    };
    assert!(doubt(5, 10).await);
    world
        .note_templates(&[reworded_template("APPROVED")], seconds_later(now, 60))
        .await;
    assert!(!doubt(50, 70).await, "it was sent before");
    assert!(world.template("a", "en").await.unwrap().value.sendable(false).is_ok());
    assert!(doubt(65, 70).await);
}

/// A state is written under the condition of the version that was read, so that one of two submissions goes to the provider.
#[tokio::test]
async fn one_of_two_writers_claims_a_template() {
    let world = World::new().await;
    let (store, scope) = (&world.store, world.scope());
    let before = world.template(FOLLOW_UP, "en_GB").await.unwrap();
    let claimed = TemplateDefinition {
        submitting: Some(world.aws.now()),
        ..before.value.clone()
    };
    let stamp = world.stamp();
    let claim = || store.write_template(scope, before.version, &claimed, Some(&stamp));
    let (one, other) = futures::future::join(claim(), claim()).await;
    assert_ne!(one.is_ok(), other.is_ok());
    let lost = one.and(other).unwrap_err();
    assert!(lost.is_conflict(), "{lost:?}");
    let after = world.template(FOLLOW_UP, "en_GB").await.unwrap();
    assert_eq!(
        (after.version, after.value.submitting),
        (before.version + 1, claimed.submitting)
    );
    assert_eq!(TemplateContent::of(&after.value), TemplateContent::of(&before.value));
}

/// Whatever is counted for a template in a period costs one query, and belongs to no other template, day or tenant.
#[tokio::test]
async fn days_of_a_template_are_one_query() {
    let _alone = COUNTING.write().await;
    let world = World::new_alone().await;
    let edition = |language: &str, edition: u32| TemplateEdition {
        template: format!("{}.{FOLLOW_UP}.{language}", world.whatsapp()).parse().unwrap(),
        edition,
    };
    let own = edition("en", 0).template;
    let sent = async |scope: &TenantScope, of: TemplateEdition, at: &str, count: u64| {
        world.aws.count_template(scope, &of, at, &[("sent", count)]).await;
    };
    for (of, at, count) in [
        (edition("en", 0), "2026-11-18T23:59:59Z", 1),
        (edition("en", 0), "2026-11-19T00:00:00Z", 2),
        (edition("en", 12), "2026-11-20T23:59:59Z", 4),
        (edition("en", 0), "2026-11-21T00:00:00Z", 8),
        (edition("en_GB", 0), "2026-11-20T10:00:00Z", 16),
    ] {
        sent(world.scope(), of, at, count).await;
    }
    let other = Box::pin(business(&world.aws)).await;
    sent(other.scope(), edition("en", 0), "2026-11-20T10:00:00Z", 32).await;
    drop(usage::take());
    let days @ [first, last] = ["2026-11-19", "2026-11-20"].map(|day| day.parse::<jiff::civil::Date>().unwrap());
    let found = world.store.template_days(world.scope(), &own, first, last).await;
    assert_eq!(usage::take().requests, 1);
    let found = found.unwrap();
    let found = found
        .iter()
        .map(|(place, counters)| (place.day, place.of.edition, counters["sent"]));
    assert_eq!(found.collect::<Vec<_>>(), [(days[0], 0, 2), (days[1], 12, 4)]);
}
