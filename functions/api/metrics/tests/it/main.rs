//! Metrics, in process against the emulator, from the readers' point of view.

use std::collections::BTreeSet;

use domain::accounts::{Permission, Role};
use domain::tenants::Line;
use jiff::civil::Date;
use serde_json::{Value, json};
use testkit::api::{House, Town};
use testkit::{Aws, assert_snapshot};

const METRICS: &str = "/api/v1/metrics";
const OVERVIEW: &str = "/api/v1/metrics/overview";

async fn town(aws: &Aws) -> Town<'_> {
    Town::new(aws, metrics::routes).await
}

/// A line of a tenant.
async fn line(aws: &Aws, house: &House) -> Line {
    house.create_owned(aws, json!({"name": "Marina branch"})).await
}

/// Counts this many calls.
async fn calls(aws: &Aws, house: &House, at: &str, count: u64) {
    let counters = [("calls", count), ("calls_missed", count)];
    aws.count(house.scope(), at, None, &counters).await;
}

/// The calls of each item, with its day, hour or name of the line.
fn items(metrics: &Value, named: &str) -> Vec<(String, u64)> {
    let items = metrics["items"].as_array().cloned().unwrap_or_default();
    let item = |item: &Value| {
        let name = match named {
            "line" => item["line"]["name"].as_str(),
            named => item[named].as_str(),
        };
        let calls = item["figures"]["calls"]["all"].as_u64();
        (name.unwrap_or("-").to_owned(), calls.unwrap_or_default())
    };
    items.iter().map(item).collect()
}

fn of(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
    let owned = expected.iter().map(|(name, count)| ((*name).to_owned(), *count));
    owned.collect()
}

#[tokio::test]
async fn everybody_in_the_tenant_reads_and_nobody_else() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    calls(&aws, &town.away, "2026-11-20T09:00:00Z", 7).await;
    for path in [METRICS, OVERVIEW] {
        for role in Role::ALL {
            town.role(role).get(path).await.is(200);
        }
        town.anyone().get(path).await.is(401);
        let (_, narrow) = town.new_key(Role::Admin, &[Permission::TenantRead]).await;
        town.api_key(&narrow).get(path).await.is(403);
    }
    let ours = town.viewer().get(METRICS).await.json();
    assert_eq!(ours["total"]["calls"]["all"], 0);
    let theirs = line(&aws, &town.away).await;
    let (at, of_line) = ("2026-11-20T09:00:00Z", Some(theirs.id));
    aws.count(town.away.scope(), at, of_line, &[("calls", 3)]).await;
    let path = format!("{METRICS}?by=line&line={}", theirs.id);
    let asked = town.viewer().get(&path).await.is(200).json();
    let (counted, items) = (&asked["total"]["calls"]["all"], &asked["items"]);
    assert_eq!((counted, items), (&json!(0), &json!([])));
    let own = town.foreign_admin().get(METRICS).await.json();
    assert_eq!(own["total"]["calls"]["all"], 10);
}

#[tokio::test]
async fn period_is_divided_by_day_hour_or_line() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let marina = line(&aws, &town.home).await.id;
    for (at, line, count) in [
        ("2026-11-18T23:59:59Z", None, 1),
        ("2026-11-19T00:00:00Z", Some(marina), 2),
        ("2026-11-19T09:10:00Z", Some(marina), 4),
        ("2026-11-19T09:50:00Z", None, 8),
        ("2026-11-20T09:00:00Z", Some(marina), 16),
    ] {
        aws.count(town.home.scope(), at, line, &[("calls", count)]).await;
    }
    let viewer = town.viewer();
    let read = async |query: &str| viewer.get(&format!("{METRICS}?{query}")).await.is(200).json();

    let days = read("from=2026-11-17").await;
    let expected = of(&[
        ("2026-11-17", 0),
        ("2026-11-18", 1),
        ("2026-11-19", 14),
        ("2026-11-20", 16),
    ]);
    assert_eq!(items(&days, "day"), expected);
    assert_eq!(
        (&days["from"], &days["to"], &days["by"]),
        (&json!("2026-11-17"), &json!("2026-11-20"), &json!("day"))
    );
    assert_eq!(days["total"]["calls"]["all"], 31);

    let hours = read("by=hour&to=2026-11-19").await;
    let mut counted = items(&hours, "hour");
    counted.retain(|(_, count)| *count > 0);
    let expected = of(&[("2026-11-19T00:00:00Z", 2), ("2026-11-19T09:00:00Z", 12)]);
    assert_eq!(counted, expected);
    assert_eq!(hours["items"].as_array().map(Vec::len), Some(24));

    let lines = items(&read("by=line").await, "line");
    assert_eq!(lines, of(&[("-", 9), ("Marina branch", 22)]));
    let one = read(&format!("from=2026-11-19&line={marina}")).await;
    assert_eq!(items(&one, "day"), of(&[("2026-11-19", 6), ("2026-11-20", 16)]));
}

/// Days that are over are read from other rows.
#[tokio::test]
async fn rolled_up_days_say_the_same() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let marina = line(&aws, &town.home).await.id;
    let counters = [("calls", 3), ("calls_answered", 3), ("recovered", 2)];
    for day in ["2026-10-31", "2026-11-01", "2026-11-17", "2026-11-20"] {
        for line in [None, Some(marina)] {
            let at = format!("{day}T10:00:00Z");
            aws.count(town.home.scope(), &at, line, &counters).await;
        }
    }
    let queries = [
        "from=2026-10-30".to_owned(),
        "from=2026-10-30&by=line".to_owned(),
        format!("from=2026-10-30&line={marina}"),
        "from=2026-10-31&to=2026-11-01&by=hour".to_owned(),
    ];
    let viewer = town.viewer();
    let read = async || {
        let mut answers = Vec::new();
        for query in &queries {
            answers.push(viewer.get(&format!("{METRICS}?{query}")).await.is(200).json());
        }
        answers
    };
    let before = read().await;
    assert_eq!(before[0]["total"]["calls"]["all"], 24);
    let (store, scope) = (aws.store(), town.home.scope());
    let roll_up = async || store.roll_up_next(scope, aws.now()).await.expect("nobody else does");
    let mut days = 0;
    while roll_up().await.is_some() {
        days += 1;
    }
    assert_eq!(days, 3, "today is not over");
    assert_eq!(read().await, before);
    // What is counted for a day that is over is seen at once.
    aws.count(scope, "2026-11-17T23:00:00Z", None, &[("calls", 5)]).await;
    let late: BTreeSet<Date> = ["2026-11-17".parse().expect("a day")].into();
    let asked = store.roll_up_again(scope, &late).await;
    asked.expect("it is asked for");
    assert_eq!(read().await[0]["total"]["calls"]["all"], 29);
}

#[tokio::test]
async fn period_too_long_or_backwards_is_refused_with_the_maximum() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let viewer = town.viewer();
    for (query, field, most) in [
        ("from=2016-11-20", "from", Some(397)),
        ("from=2025-10-19", "from", Some(397)),
        ("by=hour&from=2026-11-17", "from", Some(3)),
        ("by=line&from=2026-10-20", "from", Some(31)),
        ("from=2026-11-21", "from", None),
        ("from=2026-11-20&to=2026-11-19", "from", None),
        ("from=yesterday", "from", None),
        ("to=2026-11-31", "to", None),
        ("by=month", "by", None),
        ("line=marina", "line", None),
    ] {
        let refused = viewer.get(&format!("{METRICS}?{query}")).await;
        refused.is(422).names_field(field);
        if let Some(most) = most {
            assert_eq!(refused.json()["errors"][0]["facts"]["maximum"], most, "{query}");
        }
    }
    for query in ["from=2025-10-20", "by=hour&from=2026-11-18", "by=line&from=2026-10-21"] {
        viewer.get(&format!("{METRICS}?{query}")).await.is(200);
    }
    viewer.get(&format!("{OVERVIEW}?from=2026-11-20")).await.is(422);
}

#[tokio::test]
async fn overview_compares_today_with_days_before() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    // It is noon in London. In October, its days begin at 23:00 UTC.
    for (at, count) in [
        ("2026-10-21T22:00:00Z", 1),
        ("2026-10-21T23:00:00Z", 2),
        ("2026-11-06T10:00:00Z", 4),
        ("2026-11-07T10:00:00Z", 8),
        ("2026-11-13T12:00:00Z", 16),
        ("2026-11-13T13:00:00Z", 32),
        ("2026-11-19T10:00:00Z", 64),
        ("2026-11-20T10:00:00Z", 128),
    ] {
        calls(&aws, &town.home, at, count).await;
    }
    let overview = town.viewer().get(OVERVIEW).await.is(200).json();
    let of = |name: &str| overview[name]["calls"]["all"].clone();
    assert_eq!(
        (of("today"), of("yesterday"), of("week_ago")),
        (json!(128), json!(64), json!(16))
    );
    assert_eq!((of("last_7_days"), of("last_30_days")), (json!(192), json!(254)));
    let days = overview["days"].as_array().expect("days");
    assert_eq!((days.len(), &days[0]["day"]), (14, &json!("2026-11-07")));
    assert_eq!(days[13]["figures"], overview["today"]);
}

#[tokio::test]
async fn cost_of_today_is_shown_to_those_who_read_usage() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (at, counters) = ("2026-11-20T10:00:00Z", [("cost.meta.AE.utility", 2)]);
    aws.count(town.home.scope(), at, None, &counters).await;
    for (role, known) in [
        (Role::Viewer, false),
        (Role::Agent, false),
        (Role::Manager, true),
        (Role::Admin, true),
    ] {
        let shown = town.role(role).get(OVERVIEW).await.json();
        assert_eq!(shown["cost_today"].is_null(), !known, "{role}");
    }
    let (_, narrow) = town.new_key(Role::Admin, &[Permission::MetricsRead]).await;
    let shown = town.api_key(&narrow).get(OVERVIEW).await.json();
    assert_eq!(shown["cost_today"], Value::Null);
    let cost = town.manager().get(OVERVIEW).await.json()["cost_today"].clone();
    assert_eq!(cost["currencies"][0]["amount"], "0.0314");
}

#[tokio::test]
async fn outdated_prices_are_told_to_those_who_read_usage() {
    let aws = Aws::new().await;
    aws.pass(100 * 24 * 60 * 60);
    let town = town(&aws).await;
    let told = async |role| town.role(role).get(OVERVIEW).await.json()["outdated_prices"].clone();
    assert_eq!(told(Role::Agent).await, json!([]));
    let lists = told(Role::Manager).await;
    assert_eq!(lists[0], json!({"service": "whatsapp", "checked_on": "2026-11-20"}));
    assert_eq!(lists.as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn answers_have_the_shape_that_is_checked_in() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let counters = [
        ("calls", 64),
        ("calls_unanswered", 23),
        ("calls_missed", 23),
        ("calls_answered", 41),
        ("calls_followed_up", 21),
        ("unfollowed.cooldown", 1),
        ("unfollowed.no_channel", 1),
        ("follow_up.planned", 21),
        ("follow_up.delivered", 20),
        ("reply.4", 9),
        ("recovered", 11),
        ("received_whatsapp", 15),
        ("opt_outs", 1),
        ("conversions", 2),
        ("conversions_order", 2),
        ("converted_AED", 12_100),
    ];
    aws.count(town.home.scope(), "2026-11-20T10:00:00Z", None, &counters)
        .await;
    let day = town.manager().get(&format!("{METRICS}?from=2026-11-20")).await;
    assert_snapshot("metrics", &[&day]);
}
