//! Caps, in process against the emulator, from the callers' point of view.

use domain::accounts::{Member, Role};
use domain::money::{Cap, Take, caps_of_plan, usual_caps};
use jiff::SignedDuration;
use jobs::{Author, Mail};
use serde_json::{Value, json};
use testkit::api::Town;
use testkit::{Aws, assert_snapshot};

const CAPS: &str = "/api/v1/caps";

fn path(cap: &str) -> String {
    format!("{CAPS}/{cap}")
}

fn cap(name: &str, maximum: u64) -> Value {
    json!({"cap": name, "maximum": maximum})
}

fn names(listed: &Value) -> Vec<&str> {
    let items = listed["items"].as_array().expect("items");
    items.iter().map(|cap| cap["cap"].as_str().expect("a name")).collect()
}

#[tokio::test]
async fn every_tenant_has_caps_from_the_start() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, caps::routes).await;
    let listed = town.viewer().get(CAPS).await;
    assert_snapshot("usual", &[&listed]);
    let listed = listed.is(200).json();
    let all = usual_caps().into_iter().chain(caps_of_plan([10_000, 100_000]));
    let all: Vec<String> = all.map(|cap| cap.name().to_string()).collect();
    assert_eq!(names(&listed), all);
}

#[tokio::test]
async fn manager_sets_and_removes_caps_of_the_own_tenant() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, caps::routes).await;
    // Keys, since log-ins end within the day that passes.
    let manager = town.key_of(town.home.scope(), Role::Manager).await;
    let agent = town.agent();
    let daily = "day.tenant.follow_up";
    agent.post(CAPS, cap(daily, 1)).await.is_refused(403, "forbidden");
    let set = manager.post(CAPS, cap(daily, 1)).await.is(200).json();
    assert_eq!((&set["maximum"], &set["counted"]), (&json!(1), &json!(0)));
    // What is counted stays counted.
    let take = Take {
        cap: usual_caps().remove(1),
        amount: 1,
    };
    let (store, scope) = (aws.store(), town.home.scope());
    let taken = store.take_from_caps(scope, &[take], &usual_caps(), aws.now()).await;
    assert!(taken.expect("the table answers").is_ok());
    let set = manager.post(CAPS, cap(daily, 0)).await.is(200).json();
    assert_eq!((&set["maximum"], &set["counted"]), (&json!(0), &json!(1)));
    manager.post(CAPS, cap("month.IN.any", 100)).await.is(200);
    let hourly = path("hour.tenant.api");
    manager.delete(&hourly).await.is(204);
    manager.delete(&hourly).await.is_refused(404, "not_found");
    let listed = manager.get(CAPS).await.is(200).json();
    let expected = [
        "hour.tenant.follow_up",
        "day.tenant.follow_up",
        "day.tenant.api",
        "hour.abroad.any",
        "day.abroad.any",
        "month.IN.any",
        "day.tenant.any",
        "month.tenant.any",
    ];
    assert_eq!(names(&listed), expected);
    aws.clock().advance(SignedDuration::from_hours(24));
    let tomorrow = manager.get(CAPS).await.is(200).json();
    assert_eq!(tomorrow["items"][1]["counted"], 0);
    let foreign = town.key_of(town.away.scope(), Role::Manager).await;
    let away = foreign.get(CAPS).await.items();
    assert_eq!(away.len(), usual_caps().len() + 2, "another tenant's are as they were");
}

#[tokio::test]
async fn wrong_caps_are_refused() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, caps::routes).await;
    let manager = town.manager();
    for wrong in [
        "day.tenant",
        "week.tenant.any",
        "day.tenant.calls",
        "day.tenant.any.GBP",
    ] {
        manager.post(CAPS, cap(wrong, 1)).await.names_only(&["cap"]);
    }
    let nowhere = cap("day.line_01h455vb4pex5vsknk084sn02q.any", 1);
    manager.post(CAPS, nowhere).await.names_only(&["cap"]);
    for (wrong, field) in [
        (json!({"cap": "day.tenant.any"}), "maximum"),
        (json!({"cap": "day.tenant.any", "maximum": -1}), "maximum"),
        (cap("day.tenant.any", 1_000_000_001), "maximum"),
        (json!({"cap": "day.tenant.any", "maximum": 1, "x": 1}), "x"),
    ] {
        manager.post(CAPS, wrong).await.names_only(&[field]);
    }
    for letter in 'A'..='N' {
        manager.post(CAPS, cap(&format!("day.X{letter}.any"), 1)).await.is(200);
    }
    let full = manager.post(CAPS, cap("day.XO.any", 1)).await;
    full.is_refused(409, "limit_reached");
}

#[tokio::test]
async fn administrators_are_told_of_raised_and_removed_caps() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, caps::routes).await;
    let (manager, daily) = (town.manager(), "day.tenant.follow_up");
    let (store, scope) = (aws.store(), town.home.scope());
    let tenant = store.tenant(scope).await.expect("the table answers");
    let business = tenant.expect("a tenant").name;
    let member = store.get::<Member>(scope, &town.home.person(Role::Manager).user).await;
    let member = member.expect("the table answers").expect("a member");
    let person = Author::Person(member.value.name);
    let mails = async || -> Vec<(String, Mail)> {
        let jobs = aws.take_mails().await;
        jobs.into_iter().map(|job| (job.to, job.mail)).collect()
    };
    let told = |by: Author, number: usize, from: u32, maximum: Option<u32>| {
        let before = Cap {
            maximum: from,
            ..usual_caps().remove(number)
        };
        let mail = Mail::CapLoosened {
            business: business.clone(),
            by,
            before,
            maximum,
            at: aws.now(),
        };
        vec![(town.home.person(Role::Admin).email.as_str().to_owned(), mail)]
    };
    // Lower, new, and as it is.
    for (name, maximum) in [(daily, 10), ("month.IN.any", 9), (daily, 10), ("hour.tenant.api", 500)] {
        manager.post(CAPS, cap(name, maximum)).await.is(200);
        assert_eq!(mails().await, []);
    }
    manager.post(CAPS, cap(daily, 11)).await.is(200);
    assert_eq!(mails().await, told(person.clone(), 1, 10, Some(11)));
    // The same again.
    manager.post(CAPS, cap(daily, 11)).await.is(200);
    assert_eq!(mails().await, []);
    for status in [204, 404] {
        manager.delete(&path("hour.tenant.follow_up")).await.is(status);
        let expected = if status == 204 {
            told(person.clone(), 0, 200, None)
        } else {
            Vec::new()
        };
        assert_eq!(mails().await, expected);
    }
    // Nobody is flooded, and nothing is raised in secret.
    for maximum in 12..30 {
        manager.post(CAPS, cap(daily, maximum)).await.is(200);
    }
    assert_eq!(mails().await.len(), 18);
    manager.post(CAPS, cap(daily, 30)).await.is(429);
    manager.post(CAPS, cap(daily, 10)).await.is(200);
    assert_eq!(mails().await, []);
}
