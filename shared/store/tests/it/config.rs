//! Configuration: cached while it is unchanged, read completely when it changes; and connections with the notes of workers.

use domain::money::Product;
use domain::people::{Field, Filter, Search};
use domain::templates::{TemplateDefinition, TemplateKey, TemplateReport, TemplateStatus};
use domain::tenants::{Connection, Health, Limits, Line, MAX_LINES, Rule, Tenant, TenantStatus};
use domain::terms::{ConnectionId, FieldId, LineId, ProductId, Resource as _, RuleId};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use store::contacts::FieldCache;
use store::table::usage;
use store::tenants::ConfigCache;
use store::{OwnedError, RACES, StoreError};
use testkit::business::{CUSTOMER, phone, read};

use crate::world::{COUNTING, World};

#[tokio::test]
async fn configuration_is_read_again_only_after_a_change() {
    let _alone = COUNTING.write().await;
    let mut world = World::new_alone().await;
    let cache = ConfigCache::default();
    let (store, scope) = (world.store.clone(), world.scope().clone());
    let requests = async || {
        drop(usage::take());
        let config = store.config(&scope, &cache).await.unwrap().unwrap();
        (config.rules.len(), config.connections.len(), usage::take().requests)
    };
    assert_eq!(requests().await, (1, 3, 5));
    assert_eq!(requests().await, (1, 3, 1));
    world.business.configured.rules.clear();
    world.business.configured.connections.pop();
    world.business.write(&world.aws).await;
    assert_eq!(requests().await, (0, 2, 5), "what is no longer configured is gone");
    assert_eq!(requests().await, (0, 2, 1));
}

/// A contact comes with the version of the configuration, so that its fields cost no request while they are unchanged.
#[tokio::test]
async fn fields_are_read_again_only_after_a_change() {
    let _alone = COUNTING.write().await;
    let world = World::new_alone().await;
    let cache = FieldCache::default();
    let (store, scope, stamp) = (&world.store, world.scope(), &world.stamp());
    let contact = world.contact(CUSTOMER).await.id;
    let search = |filter: Filter| filter.search().expect("it has a list");
    let by_phone = &search(Filter {
        phone: Some(phone(CUSTOMER)),
        ..Filter::default()
    });
    let shown = async || {
        drop(usage::take());
        let (known, version) = store.known_as_of(scope, contact).await.unwrap();
        let fields = store.fields_as_of(scope, &cache, version).await.unwrap();
        assert!(known.is_some() && fields.version() == version);
        (fields.len(), usage::take().requests)
    };
    let found = async |search: &Search| {
        drop(usage::take());
        let fields = store.fields_at_hand(scope, &cache).await.unwrap();
        let (page, version) = store
            .search_contacts_as_of(scope, search, None, 25, false)
            .await
            .unwrap();
        (page.items.len(), version == fields.version(), usage::take().requests)
    };
    assert_eq!(shown().await, (0, 2));
    assert_eq!(shown().await, (0, 1));
    // The identity, then the contact, its profile and the version at once.
    assert_eq!(found(by_phone).await, (1, true, 2));
    assert_eq!(found(&search(Filter::default())).await, (1, true, 2));
    let deleted = search(Filter {
        deleted: true,
        ..Filter::default()
    });
    // Nobody is found, so the version is read alone.
    assert_eq!(found(&deleted).await, (0, true, 2));
    let field: Field = read(json!({
        "id": FieldId::new(world.aws.ids().ulid()), "key": "level", "name": "Level", "type": "text", "searchable": true,
    }));
    store.create(scope, &field, stamp).await.unwrap();
    assert_eq!(found(by_phone).await, (1, false, 2));
    assert_eq!(shown().await, (1, 2));
    assert_eq!(found(by_phone).await, (1, true, 2));
    let before = store.get::<Field>(scope, &field.id).await.unwrap().unwrap();
    store.remove(scope, &before, stamp).await.unwrap();
    assert_eq!(shown().await, (0, 2));
    assert_eq!(shown().await, (0, 1));
    drop(usage::take());
    assert!(store.fields(scope, &cache).await.unwrap().is_empty());
    assert_eq!(usage::take().requests, 1);
}

/// Not that of the configuration, which also grows with a connection's health.
#[tokio::test]
async fn rules_are_read_with_the_version_of_their_row() {
    let mut world = World::new().await;
    let cache = ConfigCache::default();
    let (store, scope) = (world.store.clone(), world.scope().clone());
    let version = async || store.config(&scope, &cache).await.unwrap().unwrap().rules[0].version;
    let before = version().await;
    assert!(before > 0);
    let rule = world.business.configured.rules[0].id;
    let found = store.get::<Rule>(&scope, &rule).await.unwrap();
    assert_eq!(found.unwrap().version, before);
    world.business.write(&world.aws).await;
    assert_eq!(version().await, before, "nothing has changed");
    world.business.configured.rules[0].priority += 1;
    world.business.write(&world.aws).await;
    assert!(version().await > before);
}

/// They are not even in the cache, and a file may archive and restore them.
#[tokio::test]
async fn archived_rules_are_no_part_of_the_configuration() {
    let world = World::new().await;
    let (store, scope, cache) = (&world.store, world.scope(), ConfigCache::default());
    let active = async || store.config(scope, &cache).await.unwrap().unwrap().rules.len();
    let mut configured = world.business.configured.clone();
    let rule = configured.rules[0].id;
    assert_eq!(active().await, 1);
    for archived_at in [Some(world.aws.now()), None] {
        configured.rules[0].archived_at = archived_at;
        store.write_config(scope, &configured).await.unwrap();
        assert_eq!(active().await, usize::from(archived_at.is_none()));
        let found = store.get::<Rule>(scope, &rule).await.unwrap().unwrap();
        assert_eq!(found.value.archived_at, archived_at);
    }
}

#[tokio::test]
async fn concurrent_configuration_writes_conflict() {
    let world = World::new().await;
    let configured = world.business.configured.clone();
    let version = async || {
        let tenant = world.store.tenant(world.scope()).await.unwrap();
        tenant.unwrap().config_version
    };
    let before = version().await;
    let writes = (0..4).map(|_| world.store.write_config(world.scope(), &configured));
    let results = futures::future::join_all(writes).await;
    let written = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(version().await, before + u64::try_from(written).unwrap());
    assert!(
        results
            .into_iter()
            .filter_map(Result::err)
            .all(|error| StoreError::is_conflict(&error))
    );
}

fn with_pause(connection: Connection, paused_until: Option<Timestamp>) -> Connection {
    Connection {
        paused_until,
        ..connection
    }
}

#[tokio::test]
async fn concurrent_notes_on_a_connection_are_all_kept() {
    let world = World::new().await;
    let (store, scope) = (&world.store, world.scope());
    let seen = store.connection(scope, world.business.whatsapp).await.unwrap().unwrap();
    let until = Some(world.aws.now() + SignedDuration::from_secs(60));
    let unhealthy = Health::Unhealthy {
        since: world.aws.now(),
        reason: "the access token is not valid".to_owned(),
        tried_at: world.aws.now(),
    };
    let pause = |current: Connection| with_pause(current, until);
    let refuse = |current: Connection| Connection {
        health: unhealthy.clone(),
        ..current
    };
    let (paused, refused) = tokio::join!(
        RACES.until_won(|| store.change_connection(scope, &seen, pause)),
        RACES.until_won(|| store.change_connection(scope, &seen, refuse))
    );
    assert!(paused.unwrap() && refused.unwrap());
    let connection = store.connection(scope, seen.id).await.unwrap().unwrap();
    assert_eq!((connection.health, connection.paused_until), (unhealthy, until));
}

#[tokio::test]
async fn notes_work_on_a_new_connection() {
    let world = World::new().await;
    let fresh = testkit::seed::tenant(&world.aws).await;
    let seen = world.store.connection(fresh.scope(), fresh.whatsapp).await;
    let seen = seen.unwrap().unwrap();
    let until = Some(world.aws.now());
    let pause = |current| with_pause(current, until);
    let noted = world.store.change_connection(fresh.scope(), &seen, pause).await;
    assert!(noted.unwrap());
}

/// A note about old credentials says nothing about new ones.
#[tokio::test]
async fn worker_note_preserves_edits_and_skips_renewed_credentials() {
    let mut world = World::new().await;
    let whatsapp = world.business.whatsapp;
    let store = world.store.clone();
    let scope = world.scope().clone();
    let seen = store.connection(&scope, whatsapp).await.unwrap().unwrap();
    let until = Some(world.aws.now() + SignedDuration::from_secs(60));
    world.business.connection_mut(whatsapp).name = "Renamed".to_owned();
    world.business.write(&world.aws).await;
    let pause = |current| with_pause(current, until);
    assert!(store.change_connection(&scope, &seen, pause).await.unwrap());
    assert!(
        !store.change_connection(&scope, &seen, pause).await.unwrap(),
        "nothing new"
    );
    let connection = store.connection(&scope, whatsapp).await.unwrap().unwrap();
    assert_eq!((connection.name.as_str(), connection.paused_until), ("Renamed", until));
    world.business.connection_mut(whatsapp).credentials_version += 1;
    world.business.write(&world.aws).await;
    let longer = |current| with_pause(current, until.map(|until| until + SignedDuration::from_secs(1)));
    assert!(!store.change_connection(&scope, &connection, longer).await.unwrap());
    assert_eq!(
        store.connection(&scope, whatsapp).await.unwrap().unwrap().paused_until,
        None
    );
}

#[tokio::test]
async fn health_changes_the_configuration_and_pauses_do_not() {
    let world = World::new().await;
    let (store, scope) = (&world.store, world.scope());
    let cache = ConfigCache::default();
    let seen = store.connection(scope, world.business.whatsapp).await.unwrap().unwrap();
    let refused_at = |seconds| Health::Unhealthy {
        since: world.aws.now(),
        reason: "the access token is not valid".to_owned(),
        tried_at: world.aws.now() + SignedDuration::from_secs(seconds),
    };
    let until = Some(world.aws.now() + SignedDuration::from_secs(60));
    let known = async || {
        let config = store.config(scope, &cache).await.unwrap().unwrap();
        let summary = config.connections.iter().find(|summary| summary.id == seen.id).unwrap();
        (config.tenant.config_version, summary.unhealthy.clone())
    };
    let (before, healthy) = known().await;
    assert_eq!(healthy, None);
    let refused = Some("the access token is not valid".to_owned());
    for (health, pause, expected) in [
        (Health::Healthy, until, (before, None)),
        (refused_at(0), until, (before + 1, refused.clone())),
        (refused_at(300), None, (before + 1, refused.clone())),
        (Health::Healthy, None, (before + 2, None)),
    ] {
        let change = |current| Connection {
            health: health.clone(),
            paused_until: pause,
            ..current
        };
        assert!(store.change_connection(scope, &seen, change).await.unwrap());
        assert_eq!(known().await, expected, "{health:?}");
    }
}

/// The status is not part of the configuration, whose cache stays valid; and it belongs to the account, so each of its
/// numbers has it.
#[tokio::test]
async fn a_templates_status_is_noted_for_all_numbers_of_its_account() {
    let mut world = World::new().await;
    let first = world.business.whatsapp;
    let mut second = world.business.connection_mut(first).clone();
    second.id = ConnectionId::new(world.aws.ids().ulid());
    let mut numbers = [first, second.id];
    numbers.sort_unstable();
    world.business.configured.connections.push(second);
    world.business.write(&world.aws).await;
    let (store, scope) = (&world.store, world.scope());
    let set = async |language, connections: &[ConnectionId]| {
        let key = TemplateKey::new("missed_call_followup", language).unwrap();
        let report = TemplateReport {
            status: Some(TemplateStatus("PAUSED".to_owned())),
            ..TemplateReport::of(key, world.aws.now())
        };
        store.note_template(scope, connections, &report).await.unwrap()
    };
    let version = async || store.tenant(scope).await.unwrap().unwrap().config_version;
    let before = version().await;
    assert!(!set("fr", &numbers).await);
    assert!(!set("en_GB", &[]).await);
    assert!(set("en_GB", &numbers).await);
    assert!(!set("en_GB", &numbers).await);
    assert_eq!(version().await, before);
    let templates = store.page::<TemplateDefinition>(scope, None, 10).await.unwrap().items;
    let told: Vec<_> = templates
        .iter()
        .map(|one| (one.value.connection, &*one.value.status.0))
        .collect();
    assert_eq!(told, numbers.map(|number| (Some(number), "PAUSED")));
}

#[tokio::test]
async fn a_whatsapp_number_belongs_to_one_tenant() {
    let world = World::new().await;
    let stranger = Box::pin(testkit::business::business(&world.aws)).await;
    let claim = async |business: &testkit::Seeded, connection| {
        let (store, scope) = (&world.store, business.scope());
        store.claim_whatsapp_number(scope, "1", "2", connection).await
    };
    claim(&world.business, world.business.whatsapp).await.unwrap();
    claim(&world.business, world.business.twilio).await.unwrap();
    assert!(claim(&stranger, stranger.whatsapp).await.unwrap_err().is_conflict());
}

/// Plan, limits, slug and status stay, unless the configuration states the status.
#[tokio::test]
async fn configuration_write_preserves_the_platforms_settings() {
    let mut world = World::new().await;
    let leaves_at = Some(world.aws.now() + SignedDuration::from_hours(24));
    let tenant = &mut world.business.configured.tenant;
    tenant.slug = Some("harbour-lane".parse().unwrap());
    tenant.plan = Some("large".to_owned());
    tenant.limits = Some(Limits {
        requests_per_minute: Some(5000),
        ..Limits::default()
    });
    tenant.status = TenantStatus::Leaving;
    tenant.leaves_at = leaves_at;
    let given = tenant.clone();
    world.business.write(&world.aws).await;

    let configured = &mut world.business.configured;
    configured.tenant = Tenant::new(given.id, "Renamed".to_owned(), given.time_zone.clone());
    configured.status_meant = false;
    world.business.write(&world.aws).await;
    let now = async || world.store.tenant(world.scope()).await.unwrap().unwrap();
    let kept = now().await;
    let platforms = |tenant: &Tenant| (tenant.slug.clone(), tenant.plan.clone(), tenant.limits, tenant.status);
    assert_eq!((kept.name.as_str(), platforms(&kept)), ("Renamed", platforms(&given)));
    assert_eq!(kept.leaves_at, leaves_at);

    let mut configured = world.business.configured.clone();
    configured.status_meant = true;
    world.store.write_config(world.scope(), &configured).await.unwrap();
    let said = now().await;
    assert_eq!((said.status, said.leaves_at), (TenantStatus::Active, None));
    assert_eq!(said.plan, given.plan);
}

/// A file without lines is written while somebody changes the lines: whatever they do, it stays.
#[tokio::test]
async fn lines_that_are_not_meant_stay_as_they_are() {
    let world = World::new().await;
    let (store, scope) = (&world.store, world.scope());
    let stamp = world.stamp();
    let line = |name: &str, number: &str| -> Line {
        let id = LineId::new(world.aws.ids().ulid());
        read(json!({"id": id, "name": name, "number": number}))
    };
    let mut configured = world.business.configured.clone();
    configured.lines_meant = false;
    configured.lines = vec![line("Known before", "+97143330000")];
    let added = line("Added meanwhile", "+97143330000");
    store.create(scope, &added, &stamp).await.unwrap();
    store.write_config(scope, &configured).await.unwrap();
    let found = store.get::<Line>(scope, &added.id).await.unwrap().unwrap();
    assert_eq!((&found.value, found.version), (&added, 1));
    assert_eq!(store.all::<Line>(scope).await.unwrap(), std::slice::from_ref(&added));
    let twice = store.create(scope, &line("Twice", "+97143330000"), &stamp).await;
    assert!(matches!(twice, Err(OwnedError::Taken)), "the number is still claimed");
    for number in 1..MAX_LINES {
        let one_more = line("Further", &format!("+9714333{number:04}"));
        store.create(scope, &one_more, &stamp).await.unwrap();
    }
    let full = store.create(scope, &line("Too many", "+97143339999"), &stamp).await;
    assert!(matches!(full, Err(OwnedError::Full)), "all of them are still counted");

    configured.lines_meant = true;
    store.write_config(scope, &configured).await.unwrap();
    assert_eq!(store.all::<Line>(scope).await.unwrap(), configured.lines);
}

/// Written again, a line was changed when one of its fields was, and created when it was.
#[tokio::test]
async fn lines_of_a_file_keep_their_times() {
    let world = World::new().await;
    let (store, scope) = (&world.store, world.scope());
    // Lines are listed by id.
    let mut ids = [world.aws.ids().ulid(), world.aws.ids().ulid()];
    ids.sort();
    let [first, second] = ids;
    let line = |id, name: &str, at| Line::new(id, read(json!({ "name": name })), at);
    let made = world.aws.now();
    let mut configured = world.business.configured.clone();
    configured.lines = vec![line(first, "Marina", made), line(second, "Harbour", made)];
    store.write_config(scope, &configured).await.unwrap();
    assert_eq!(store.all::<Line>(scope).await.unwrap(), configured.lines);

    world.aws.pass(60);
    let later = world.aws.now();
    configured.lines = vec![line(first, "Marina", later), line(second, "Pier", later)];
    store.write_config(scope, &configured).await.unwrap();
    let renamed = Line {
        created_at: made,
        ..line(second, "Pier", later)
    };
    let expected = [line(first, "Marina", made), renamed];
    assert_eq!(store.all::<Line>(scope).await.unwrap(), expected);
}

/// The API writes them, too.
#[tokio::test]
async fn rules_that_are_not_meant_stay() {
    let world = World::new().await;
    let (store, scope, stamp) = (&world.store, world.scope(), world.stamp());
    let mut configured = world.business.configured.clone();
    let mut rules = configured.rules.clone();
    let added = Rule::first(RuleId::new(world.aws.ids().ulid()), None);
    store.create(scope, &added, &stamp).await.unwrap();
    rules.push(added);
    rules.sort_by_key(|rule| rule.id);
    configured.rules.clear();
    configured.rules_meant = false;
    store.write_config(scope, &configured).await.unwrap();
    let mut found = store.all::<Rule>(scope).await.unwrap();
    found.sort_by_key(|rule| rule.id);
    assert_eq!(found, rules);

    configured.rules_meant = true;
    store.write_config(scope, &configured).await.unwrap();
    assert!(store.all::<Rule>(scope).await.unwrap().is_empty());
}

/// The API writes them, too.
#[tokio::test]
async fn products_that_are_not_meant_stay() {
    let world = World::new().await;
    let (store, scope) = (&world.store, world.scope());
    let stamp = world.stamp();
    let product = |sku: &str| -> Product {
        let id = ProductId::new(world.aws.ids().ulid());
        read(json!({"id": id, "name": "Cake", "sku": sku}))
    };
    let mut configured = world.business.configured.clone();
    configured.products_meant = false;
    let added = product("cake");
    store.create(scope, &added, &stamp).await.unwrap();
    store.write_config(scope, &configured).await.unwrap();
    assert_eq!(store.all::<Product>(scope).await.unwrap(), std::slice::from_ref(&added));
    let twice = store.create(scope, &product("cake"), &stamp).await;
    assert!(matches!(twice, Err(OwnedError::Taken)), "the SKU is still claimed");

    configured.products_meant = true;
    configured.products = vec![product("cake")];
    store.write_config(scope, &configured).await.unwrap();
    assert_eq!(store.all::<Product>(scope).await.unwrap(), configured.products);
}
