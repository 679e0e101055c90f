//! Owned things: limits hold, unique values stay unique, and no change overwrites another.

use std::collections::BTreeSet;

use domain::messages::{Needs, TemplateNeed};
use domain::money::Product;
use domain::people::{Field, Identity};
use domain::templates::TemplateDefinition;
use domain::tenants::{Line, Rule};
use domain::terms::{Actor, FieldId, LineId, ProductId, RuleId, Stamp, UserId};
use jiff::SignedDuration;
use store::table::usage;
use store::tenants::{ConfigCache, RuleChange};
use store::{Along, OwnedError, Signed, Store, TenantScope, Versioned};
use testkit::business::{CUSTOMER, phone};

use crate::world::{COUNTING, World};

fn product(world: &World, sku: Option<&str>) -> Product {
    let sku = sku.map(|sku| sku.parse().expect("a SKU"));
    let id = ProductId::new(world.aws.ids().ulid());
    let cake = serde_json::json!({"id": id, "name": "Cake", "price": {"amount": 500, "currency": "AED"}});
    Product {
        sku,
        ..serde_json::from_value(cake).expect("a product")
    }
}

fn rule(world: &World) -> Rule {
    Rule::first(RuleId::new(world.aws.ids().ulid()), None)
}

fn needs(templates: Vec<TemplateNeed>, products: BTreeSet<String>) -> Needs {
    Needs {
        templates,
        products,
        ..Needs::default()
    }
}

fn is_taken<T>(result: &Result<T, OwnedError>) -> bool {
    matches!(result, Err(OwnedError::Taken))
}

fn is_conflict(error: &OwnedError) -> bool {
    matches!(error, OwnedError::Store(error) if error.is_conflict())
}

async fn read(store: &Store, scope: &TenantScope, id: ProductId) -> Option<Versioned<Product>> {
    store.get(scope, &id).await.expect("the table answers")
}

#[tokio::test]
async fn sku_is_unique_until_released() {
    let world = World::new().await;
    let (store, scope, stamp) = (&world.store, world.scope(), world.stamp());
    let (first, second) = (product(&world, Some("cake-1")), product(&world, Some("cake-1")));
    store.create(scope, &first, &stamp).await.unwrap();
    let again = store.create(scope, &first, &stamp).await.unwrap_err();
    assert!(is_conflict(&again));
    assert!(is_taken(&store.create(scope, &second, &stamp).await));
    assert_eq!(read(store, scope, second.id).await, None);

    let mut other = product(&world, Some("cake-2"));
    store.create(scope, &other, &stamp).await.unwrap();
    let known = read(store, scope, other.id).await.unwrap();
    other.sku.clone_from(&first.sku);
    assert!(is_taken(&store.change(scope, &known, &other, &stamp).await));

    let known = read(store, scope, first.id).await.unwrap();
    let mut renamed = first.clone();
    renamed.sku = "cake-3".parse().ok();
    assert_eq!(store.change(scope, &known, &renamed, &stamp).await.unwrap(), 2);
    let stale = store.change(scope, &known, &renamed, &stamp).await.unwrap_err();
    assert!(is_conflict(&stale));
    store.create(scope, &second, &stamp).await.unwrap();

    let known = read(store, scope, first.id).await.unwrap();
    store.remove(scope, &known, &stamp).await.unwrap();
    assert_eq!(read(store, scope, first.id).await, None);
    assert!(store.remove(scope, &known, &stamp).await.unwrap_err().is_conflict());
    let third = product(&world, Some("cake-3"));
    store.create(scope, &third, &stamp).await.unwrap();
    let products = store.page::<Product>(scope, None, 10).await.unwrap().items;
    let skus: BTreeSet<_> = products
        .iter()
        .filter_map(|product| product.value.sku.clone())
        .collect();
    let skus: Vec<&str> = skus.iter().map(domain::money::Sku::as_str).collect();
    assert_eq!((products.len(), skus), (3, vec!["cake-1", "cake-2", "cake-3"]));
}

/// Also if an operator writes all lines. Each change refreshes the cached configuration.
#[tokio::test]
async fn number_of_a_line_is_unique_until_released() {
    let world = World::new().await;
    let (store, scope, stamp, cache) = (&world.store, world.scope(), world.stamp(), ConfigCache::default());
    let line = |number: &str| -> Line {
        let id = LineId::new(world.aws.ids().ulid());
        serde_json::from_value(serde_json::json!({"id": id, "name": "Branch", "number": number})).unwrap()
    };
    let numbers = async || {
        let config = store.config(scope, &cache).await.unwrap().unwrap();
        let mut numbers: Vec<_> = config.lines.iter().filter_map(|line| line.number.clone()).collect();
        numbers.sort_unstable();
        let rules: Vec<_> = config
            .rules
            .iter()
            .map(|rule| Rule {
                version: 0,
                ..rule.clone()
            })
            .collect();
        assert_eq!(rules, world.business.configured.rules);
        numbers.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let (first, second) = (line("+97143330000"), line("+97143330000"));
    assert!(numbers().await.is_empty());
    store.create(scope, &first, &stamp).await.unwrap();
    assert_eq!(numbers().await, ["+97143330000"]);
    assert!(is_taken(&store.create(scope, &second, &stamp).await));
    let known = store.get::<Line>(scope, &first.id).await.unwrap().unwrap();
    let moved = Line {
        number: line("+97143330001").number,
        ..first.clone()
    };
    store.change(scope, &known, &moved, &stamp).await.unwrap();
    store.create(scope, &second, &stamp).await.unwrap();
    assert_eq!(numbers().await, ["+97143330000", "+97143330001"]);

    let mut configured = world.business.configured.clone();
    configured.lines = vec![moved];
    store.write_config(scope, &configured).await.unwrap();
    assert_eq!(numbers().await, ["+97143330001"]);
    assert!(is_taken(&store.create(scope, &line("+97143330001"), &stamp).await));
    store.create(scope, &line("+97143330000"), &stamp).await.unwrap();
    let tenant = store.tenant(scope).await.unwrap().unwrap();
    store.create(scope, &line("+97143330002"), &stamp).await.unwrap();
    let stale = store.set_up_line(scope, &tenant, &line("+97143330003"), &stamp).await;
    assert!(stale.unwrap_err().is_conflict());
    assert_eq!(numbers().await, ["+97143330000", "+97143330001", "+97143330002"]);
}

/// However many are created at once. Each deletion makes room for one.
#[tokio::test]
async fn creation_stops_at_the_maximum() {
    let world = World::new().await;
    let (store, scope, stamp) = (&world.store, world.scope(), world.stamp());
    // Of those that are not archived, there may be fewer.
    let rule = |_: usize| Rule {
        archived_at: Some(world.aws.now()),
        ..rule(&world)
    };
    let most = usize::try_from(<Rule as store::Owned>::MAX).unwrap();
    let mut world_of = world.business.configured.clone();
    world_of.rules = (0..most - 2).map(rule).collect();
    store.write_config(scope, &world_of).await.unwrap();
    let rules: Vec<Rule> = (0..6).map(rule).collect();
    let created = futures::future::join_all(rules.iter().map(|rule| store.create(scope, rule, &stamp))).await;
    let made = created.iter().filter(|created| created.is_ok()).count();
    assert!(made <= 2, "{made}");
    for rule in rules.iter().skip(4) {
        drop(store.create(scope, rule, &stamp).await);
    }
    assert_eq!(store.all::<Rule>(scope).await.unwrap().len(), most);
    let one_more = rule(0);
    assert!(matches!(
        store.create(scope, &one_more, &stamp).await,
        Err(OwnedError::Full)
    ));
    let before = store.tenant(scope).await.unwrap().unwrap().config_version;
    let gone = store.get::<Rule>(scope, &world_of.rules[0].id).await.unwrap().unwrap();
    store.remove(scope, &gone, &stamp).await.unwrap();
    store.create(scope, &one_more, &stamp).await.unwrap();
    let after = store.tenant(scope).await.unwrap().unwrap().config_version;
    assert_eq!(after, before + 2, "what is remembered is read again");
}

/// However many join it at once, by creation or by change. Who leaves it, or is deleted, makes room for one.
#[tokio::test]
async fn share_of_a_kind_stops_at_its_own_maximum() {
    let world = World::new().await;
    let (store, scope, stamp) = (&world.store, world.scope(), &world.stamp());
    let field = |number: u32, searchable: bool| -> Field {
        let id = FieldId::new(world.aws.ids().ulid());
        let key = format!("field_{number}");
        let field =
            serde_json::json!({"id": id, "key": key, "name": "Field", "type": "text", "searchable": searchable});
        serde_json::from_value(field).unwrap()
    };
    let read = |id: FieldId| async move { store.get::<Field>(scope, &id).await.unwrap().unwrap() };
    let searchable = async || {
        let all = store.all::<Field>(scope).await.unwrap();
        all.iter().filter(|field| field.searchable).count()
    };
    let switch = |id: FieldId, searchable: bool| async move {
        let before = read(id).await;
        let after = Field {
            searchable,
            ..before.value.clone()
        };
        store.change(scope, &before, &after, stamp).await
    };
    let most = usize::try_from(Field::MAX_SEARCHABLE).unwrap();
    let plain: Vec<Field> = (0..4).map(|number| field(number, false)).collect();
    for field in &plain {
        store.create(scope, field, stamp).await.unwrap();
    }
    let new: Vec<Field> = (4..14).map(|number| field(number, true)).collect();
    let created = futures::future::join_all(new.iter().map(|field| store.create(scope, field, stamp)));
    let switched = futures::future::join_all(plain.iter().map(|field| switch(field.id, true)));
    drop(futures::future::join(created, switched).await);
    assert!(searchable().await <= most);
    // Whoever lost every race tries again, until there is no room.
    for field in &new {
        drop(store.create(scope, field, stamp).await);
    }
    for field in &plain {
        if !read(field.id).await.value.searchable {
            drop(switch(field.id, true).await);
        }
    }
    assert_eq!(searchable().await, most);

    let one_more = field(14, true);
    let refused = store.create(scope, &one_more, stamp).await;
    assert!(matches!(refused, Err(OwnedError::ShareFull)), "{refused:?}");
    let unsearchable = field(15, false);
    store.create(scope, &unsearchable, stamp).await.unwrap();
    let refused = switch(unsearchable.id, true).await;
    assert!(matches!(refused, Err(OwnedError::ShareFull)), "{refused:?}");

    let all = store.all::<Field>(scope).await.unwrap();
    let mut of_share = all.iter().filter(|field| field.searchable);
    let (leaves, deleted) = (of_share.next().unwrap(), of_share.next().unwrap());
    switch(leaves.id, false).await.unwrap();
    store.create(scope, &one_more, stamp).await.unwrap();
    store.remove(scope, &read(deleted.id).await, stamp).await.unwrap();
    switch(unsearchable.id, true).await.unwrap();
    let refused = switch(leaves.id, true).await;
    assert!(matches!(refused, Err(OwnedError::ShareFull)), "{refused:?}");
    assert_eq!(searchable().await, most);
}

/// Also if an operator writes all rules. What was deleted is still known.
#[tokio::test]
async fn versions_are_kept_with_their_authors() {
    let world = World::new().await;
    let (store, scope, now) = (&world.store, world.scope(), world.aws.now());
    let stamp = Stamp {
        actor: Actor::User(UserId::new(world.aws.ids().ulid())),
        ..world.stamp()
    };
    let first = rule(&world);
    let id = first.id;
    let versions = async || {
        let found = store.versions::<Rule>(scope, &id, now).await.unwrap();
        let told = found.iter().map(|version| {
            let Signed { value, by } = &version.signed;
            (version.number, version.current, value.priority, *by)
        });
        told.collect::<Vec<_>>()
    };
    assert_eq!(versions().await, []);
    store.create(scope, &first, &stamp).await.unwrap();
    let by = Some(stamp.actor);
    assert_eq!(versions().await, [(1, true, 100, by)]);
    let before = store.get::<Rule>(scope, &id).await.unwrap().unwrap();
    let after = Rule {
        priority: 5,
        ..first.clone()
    };
    store.change(scope, &before, &after, &world.stamp()).await.unwrap();
    let operator = Some(Actor::Operator);
    assert_eq!(versions().await, [(2, true, 5, operator), (1, false, 100, by)]);
    let stale = store.change(scope, &before, &after, &stamp).await.unwrap_err();
    assert!(is_conflict(&stale));

    let mut configured = world.business.configured.clone();
    configured.rules = vec![Rule {
        priority: 7,
        ..first.clone()
    }];
    store.write_config(scope, &configured).await.unwrap();
    let found = versions().await;
    let third = found[0].0;
    assert_eq!(
        found,
        [(third, true, 7, None), (2, false, 5, operator), (1, false, 100, by)]
    );
    let before = store.get::<Rule>(scope, &id).await.unwrap().unwrap();
    store.remove(scope, &before, &stamp).await.unwrap();
    assert_eq!(
        versions().await,
        [(third, false, 7, None), (2, false, 5, operator), (1, false, 100, by)]
    );
    for (number, priority) in [(1, Some(100)), (2, Some(5)), (3, None), (third, Some(7)), (101, None)] {
        let found = store.version::<Rule>(scope, &id, number, now).await.unwrap();
        let found = found.map(|found| (found.number, found.signed.value.priority));
        assert_eq!(found, priority.map(|priority| (number, priority)));
    }
    let wanted = [(id, 2), (id, 3), (id, third)];
    let some = store.some_versions::<Rule, _>(scope, &wanted, now);
    let some = some.await.unwrap().into_iter();
    let priorities = some.map(|found| found.map(|found| found.signed.value.priority));
    assert_eq!(priorities.collect::<Vec<_>>(), [Some(5), None, Some(7)]);
    let stranger = Box::pin(testkit::business::business(&world.aws)).await;
    let found = store.versions::<Rule>(stranger.scope(), &id, now).await.unwrap();
    assert!(found.is_empty());
}

/// A rule that somebody changes every day for years does not grow without end.
#[tokio::test]
async fn latest_hundred_versions_are_kept_for_two_years() {
    let world = World::new().await;
    let (store, scope, stamp) = (&world.store, world.scope(), world.stamp());
    let first = rule(&world);
    store.create(scope, &first, &stamp).await.unwrap();
    let mut before = Versioned {
        value: first.clone(),
        version: 1,
    };
    for priority in 2..=105 {
        let value = Rule {
            priority,
            ..first.clone()
        };
        let version = store.change(scope, &before, &value, &stamp).await.unwrap();
        before = Versioned { value, version };
    }
    let numbers = async |now| {
        let found = store.versions::<Rule>(scope, &first.id, now).await.unwrap();
        found.iter().map(|version| version.number).collect::<Vec<_>>()
    };
    let kept: Vec<u64> = (5..=105).rev().collect();
    assert_eq!(numbers(stamp.at).await, kept);
    let days = |days: i64| stamp.at + SignedDuration::from_hours(24 * days);
    assert_eq!(numbers(days(729)).await, kept);
    assert_eq!(numbers(days(731)).await, [105]);
    let pushed_out = store.version::<Rule>(scope, &first.id, 4, stamp.at).await.unwrap();
    assert_eq!(pushed_out, None);
}

/// Many rules, too, unless anything of the configuration has changed since it was read.
#[tokio::test]
async fn rules_are_changed_together() {
    let world = World::new().await;
    let (store, scope, stamp) = (&world.store, world.scope(), world.stamp());
    let mut configured = world.business.configured.clone();
    configured.rules = (0..60).map(|_| rule(&world)).collect();
    store.write_config(scope, &configured).await.unwrap();
    let read = async || {
        let tenant = store.tenant(scope).await.unwrap().unwrap();
        let rules = store.all_signed::<Rule>(scope).await.unwrap().into_iter();
        let changes = rules.zip(1..).map(|(before, priority)| {
            let after = Rule {
                priority,
                ..before.value.value.clone()
            };
            RuleChange { before, after }
        });
        (tenant, changes.collect::<Vec<_>>())
    };
    let (tenant, changes) = read().await;
    store.change_rules(scope, &tenant, &changes, &stamp).await.unwrap();
    let rules = store.all::<Rule>(scope).await.unwrap();
    assert!(rules.iter().map(|rule| rule.priority).eq(1..=60));
    let versions = store.versions::<Rule>(scope, &rules[59].id, stamp.at).await.unwrap();
    let told = versions.iter().map(|version| version.signed.value.priority);
    assert_eq!(told.collect::<Vec<_>>(), [60, 100]);
    let after = store.tenant(scope).await.unwrap().unwrap().config_version;
    assert_eq!(after, tenant.config_version + 2, "two transactions");

    let (_, changes) = read().await;
    let stale = store.change_rules(scope, &tenant, &changes, &stamp).await;
    assert!(stale.unwrap_err().is_conflict());
}

/// The set-up reads the templates of all rules, and misses none of them.
#[tokio::test]
async fn material_of_many_rules_is_complete() {
    let _alone = COUNTING.write().await;
    let world = World::new_alone().await;
    let (store, scope) = (&world.store, world.scope());
    let connection = world.business.whatsapp;
    let mut configured = world.business.configured.clone();
    let like = configured.templates[0].clone();
    configured.templates.clear();
    let mut templates = Vec::new();
    for number in 0..30 {
        for language in ["ar", "en_GB"] {
            configured.templates.push(TemplateDefinition {
                name: format!("template_{number}"),
                language: language.to_owned(),
                connection: Some(connection),
                ..like.clone()
            });
        }
        templates.push(TemplateNeed {
            connection,
            name: format!("template_{number}"),
            // Of every third one, all languages.
            language: (number % 3 > 0).then(|| "ar".to_owned()),
        });
    }
    store.write_config(scope, &configured).await.unwrap();
    // One that does not exist, and one that is not named.
    templates[0].name = "template_of_nobody".to_owned();
    drop(usage::take());
    let read = store
        .material(scope, &needs(templates, BTreeSet::new()), &Along::default())
        .await
        .unwrap();
    assert_eq!(usage::take().requests, 1);
    let mut found: Vec<_> = read
        .templates
        .iter()
        .map(|template| (template.name.as_str(), template.language.as_str()))
        .collect();
    found.sort_unstable();
    assert_eq!(found.len(), 20 + 2 * 9);
    assert!(found.contains(&("template_29", "ar")) && !found.contains(&("template_29", "en_GB")));
    assert!(found.contains(&("template_27", "en_GB")) && !found.contains(&("template_0", "ar")));
}

/// Things named by their keys cost one request together, products named by SKU two more, and rows read along with the recipient none.
#[tokio::test]
async fn material_of_a_message_is_read_in_few_requests() {
    let _alone = COUNTING.write().await;
    let world = World::new_alone().await;
    let (store, scope, stamp) = (&world.store, world.scope(), world.stamp());
    let (cake, bread) = (product(&world, Some("cake")), product(&world, None));
    store.create(scope, &cake, &stamp).await.unwrap();
    store.create(scope, &bread, &stamp).await.unwrap();
    let template = TemplateNeed {
        connection: world.business.whatsapp,
        name: "missed_call_followup".to_owned(),
        language: Some("en_GB".to_owned()),
    };
    let every = TemplateNeed {
        language: None,
        ..template.clone()
    };
    let id = bread.id.to_string();
    for (templates, products, found, requests) in [
        (vec![], vec![], (0, 0), 0),
        (vec![template.clone()], vec![], (1, 0), 1),
        (vec![every], vec![], (1, 0), 1),
        (vec![template.clone()], vec![&*id], (1, 1), 1),
        (vec![template.clone()], vec!["cake", &*id, "nothing"], (1, 2), 3),
    ] {
        drop(usage::take());
        let products: BTreeSet<String> = products.into_iter().map(str::to_owned).collect();
        let read = store
            .material(scope, &needs(templates, products), &Along::default())
            .await
            .unwrap();
        assert_eq!((read.templates.len(), read.products.len()), found);
        assert_eq!(usage::take().requests, requests);
    }
    drop(world.contact(CUSTOMER).await);
    let needs = needs(vec![template], BTreeSet::from([id]));
    for caller in [CUSTOMER, "+971501112233"] {
        let lead = store.lead_of(scope, &Identity::Phone(phone(caller))).await.unwrap();
        drop(usage::take());
        let (_, _, along) = store.led_to(scope, lead, &needs, None).await.unwrap();
        let read = store.material(scope, &needs, &along).await.unwrap();
        assert_eq!((read.templates.len(), read.products.len()), (1, 1));
        assert_eq!(usage::take().requests, 1, "{caller:?}");
    }
}
