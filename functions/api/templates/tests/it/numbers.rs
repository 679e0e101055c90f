//! The numbers of a template, from the readers' point of view.

use domain::messages::TemplateEdition;

use super::*;

/// A content of the follow-up.
fn edition(world: &World<'_>, edition: u32) -> TemplateEdition {
    let template = format!("{}.{FOLLOW_UP}.en_GB", world.business.whatsapp);
    TemplateEdition {
        template: template.parse().unwrap(),
        edition,
    }
}

#[tokio::test]
async fn numbers_are_told_by_content_and_day() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let (manager, scope) = (world.manager().await, world.business.scope());
    let (first, second) = (edition(&world, 0), edition(&world, 1));
    for (of, at, counters) in [
        (&first, "2026-11-18T23:59:59Z", &[("sent", 8), ("delivered", 8)][..]),
        (
            &first,
            "2026-11-19T00:00:00Z",
            &[("sent", 4), ("read", 2), ("failed.fall_back", 1)],
        ),
        (
            &second,
            "2026-11-20T09:00:00Z",
            &[("sent", 2), ("replied", 2), ("clicked", 1), ("failed.bug", 3)],
        ),
        // Of another shard.
        (
            &second,
            "2026-11-20T11:00:00Z",
            &[("sent", 1), ("cost.meta.AE.utility", 3), ("paid.meta.USD", 48_000)],
        ),
    ] {
        aws.count_template(scope, of, at, counters).await;
    }
    let path = world.path(&format!("{FOLLOW_UP}.en_GB"), "/numbers");
    let told = manager.get(&format!("{path}?from=2026-11-19")).await.is(200).json();
    assert_eq!(json!([told["from"], told["to"]]), json!(["2026-11-19", "2026-11-20"]));
    let of =
        |part: &Value| ["sent", "delivered", "read", "replied", "clicked"].map(|name| part[name].as_u64().unwrap());
    assert_eq!(of(&told["total"]), [7, 0, 2, 2, 1]);
    assert_eq!(told["total"]["failed"], json!({"bug": 3, "fall_back": 1}));
    let editions = told["editions"].as_array().unwrap().iter();
    let editions = editions.map(|one| (one["edition"].as_u64().unwrap(), of(&one["figures"])));
    let editions: Vec<_> = editions.collect();
    assert_eq!(editions, [(1, [3, 0, 0, 2, 1]), (0, [4, 0, 2, 0, 0])]);
    let days = told["days"].as_array().unwrap().iter();
    let days = days.map(|one| (one["day"].as_str().unwrap(), of(&one["figures"])[0]));
    let days: Vec<_> = days.collect();
    assert_eq!(days, [("2026-11-19", 4), ("2026-11-20", 3)]);
    let cost = &told["total"]["cost"]["currencies"][0];
    assert_eq!(json!([cost["currency"], cost["reported"]]), json!(["USD", "0.0480"]));
    assert_ne!(cost["estimated"], json!("0.0000"));
    // Of a month, if nobody says otherwise.
    let told = manager.get(&path).await.is(200).json();
    assert_eq!(json!([told["from"], told["total"]["sent"]]), json!(["2026-10-22", 15]));
    assert_eq!(told["days"].as_array().map(Vec::len), Some(30));
}

#[tokio::test]
async fn numbers_are_the_templates_own_and_costs_need_usage_read() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let scope = world.business.scope();
    let other = TemplateEdition {
        template: format!("{}.{FOLLOW_UP}.en", world.business.whatsapp).parse().unwrap(),
        edition: 0,
    };
    // Of a language whose code begins like this one's, and of another tenant.
    aws.count_template(scope, &other, "2026-11-20T09:00:00Z", &[("sent", 5)])
        .await;
    let own = edition(&world, 0);
    aws.count_template(world.town.home.scope(), &own, "2026-11-20T09:00:00Z", &[("sent", 7)])
        .await;
    let path = world.path(&format!("{FOLLOW_UP}.en_GB"), "/numbers");
    for role in Role::ALL {
        let caller = world.town.key_of(scope, role).await;
        let told = caller.get(&path).await.is(200).json();
        assert_eq!(told["total"]["sent"], 0);
        assert_eq!(told["total"]["cost"].is_null(), role < Role::Manager, "{role:?}");
    }
}

#[tokio::test]
async fn numbers_of_years_are_refused() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let manager = world.manager().await;
    let path = world.path(&format!("{FOLLOW_UP}.en_GB"), "/numbers");
    for query in [
        "from=2016-01-01",
        "from=2026-08-20",
        "from=2026-11-21",
        "from=2026-11-20&to=2026-11-19",
    ] {
        let refused = manager.get(&format!("{path}?{query}")).await;
        refused.is(422).names_field("from");
    }
    manager.get(&format!("{path}?from=2026-08-21")).await.is(200);
}
