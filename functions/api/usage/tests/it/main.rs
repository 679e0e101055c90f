//! The usage, in process against the emulator, from the readers' point of view.

use domain::accounts::{Permission, Role};
use domain::money::PriceBook;
use domain::tenants::{Line, Tenant};
use domain::terms::{Actor, Stamp};
use serde_json::{Value, json};
use store::tenants::PlatformAct;
use testkit::api::Town;
use testkit::business::read;
use testkit::{Aws, assert_snapshot};

const USAGE: &str = "/api/v1/usage";

async fn town(aws: &Aws) -> Town<'_> {
    Town::new(aws, usage::routes).await
}

/// Day or line, and amounts by currency, of each item with an amount or something unknown.
fn costs(usage: &Value, named: &str) -> Vec<(String, String, u64)> {
    let items = usage["items"].as_array().cloned().unwrap_or_default();
    let item = |item: &Value| {
        let name = match named {
            "line" => item["line"]["name"].as_str(),
            named => item[named].as_str(),
        };
        let (amounts, unknown) = cost(&item["usage"]["cost"]);
        (name.unwrap_or("-").to_owned(), amounts, unknown)
    };
    let shown = items.iter().map(item);
    shown
        .filter(|(_, amounts, unknown)| !amounts.is_empty() || *unknown > 0)
        .collect()
}

/// Amounts by currency, and what is unknown.
fn cost(cost: &Value) -> (String, u64) {
    let currencies = cost["currencies"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let amount = |one: &Value| format!("{} {}", text(&one["currency"]), text(&one["amount"]));
    let amounts: Vec<_> = currencies.iter().map(amount).collect();
    (amounts.join(", "), cost["unknown"].as_u64().unwrap_or_default())
}

fn of(expected: &[(&str, &str, u64)]) -> Vec<(String, String, u64)> {
    let owned = expected.iter();
    let owned = owned.map(|(name, amounts, unknown)| ((*name).to_owned(), (*amounts).to_owned(), *unknown));
    owned.collect()
}

#[tokio::test]
async fn managers_read_the_usage_of_their_tenant_only() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (at, counters) = ("2026-11-20T09:00:00Z", [("follow_up.planned", 7)]);
    aws.count(town.away.scope(), at, None, &counters).await;
    for role in [Role::Viewer, Role::Agent] {
        town.role(role).get(USAGE).await.is(403);
    }
    town.anyone().get(USAGE).await.is(401);
    let (_, narrow) = town.new_key(Role::Admin, &[Permission::MetricsRead]).await;
    town.api_key(&narrow).get(USAGE).await.is(403);
    let ours = town.manager().get(USAGE).await.is(200).json();
    assert_eq!(ours["total"]["messages"], json!([]));
    let theirs = town.foreign_admin().get(USAGE).await.is(200).json();
    assert_eq!(theirs["total"]["messages"][0]["planned"], 7);
}

#[tokio::test]
async fn costs_are_shown_by_currency_day_and_line() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let marina: Line = town.home.create_owned(&aws, json!({"name": "Marina branch"})).await;
    let of_line = Some(marina.id);
    for (hour, line, counters) in [
        ("18T09", None, [("cost.meta.AE.utility", 10), ("paid.meta.AED", 57_600)]),
        ("19T09", of_line, [("cost.meta.AE.utility", 1), ("free.meta", 4)]),
        ("19T10", of_line, [("cost.sms.AE.sms", 3), ("cost.sms.US.sms", 2)]),
    ] {
        let at = format!("2026-11-{hour}:00:00Z");
        aws.count(town.home.scope(), &at, line, &counters).await;
    }
    let manager = town.manager();
    let read = async |query: &str| manager.get(&format!("{USAGE}?{query}")).await.is(200).json();
    let days = read("by=day").await;
    let expected = [
        ("2026-11-18", "AED 0.0576, USD 0.1570", 0),
        ("2026-11-19", "USD 0.0323", 3),
    ];
    assert_eq!(costs(&days, "day"), of(&expected));
    assert_eq!(cost(&days["total"]["cost"]), ("AED 0.0576, USD 0.1893".to_owned(), 3));
    assert_eq!(days["total"]["cost"]["free"], 4);
    let expected = [("-", "AED 0.0576, USD 0.1570", 0), ("Marina branch", "USD 0.0323", 3)];
    assert_eq!(costs(&read("by=line").await, "line"), of(&expected));
    let expected = json!([{"channel": "sms", "country": "AE", "category": "sms", "units": 3}]);
    assert_eq!(days["unpriced"], expected);
}

/// Reported and estimated amounts are told apart, also by channel.
#[tokio::test]
async fn reported_costs_are_told_from_estimates() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let counters = [
        ("paid.meta.USD", 31_400),
        ("cost.meta.AE.utility", 1),
        ("cost.sms.US.sms", 1),
    ];
    aws.count(town.home.scope(), "2026-11-20T09:00:00Z", None, &counters)
        .await;
    let usage = town.manager().get(USAGE).await.json();
    let expected = json!([{
        "currency": "USD", "amount": "0.0554", "reported": "0.0314", "estimated": "0.0240",
        "channels": [
            {"channel": "whatsapp", "amount": "0.0471", "reported": "0.0314", "estimated": "0.0157"},
            {"channel": "sms", "amount": "0.0083", "reported": "0.0000", "estimated": "0.0083"},
        ],
    }]);
    assert_eq!(usage["total"]["cost"]["currencies"], expected);
}

#[tokio::test]
async fn prices_of_the_operator_hold_from_their_day_on() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    for day in ["2026-11-18", "2026-11-19"] {
        let (at, counters) = (format!("{day}T09:00:00Z"), [("cost.meta.AE.utility", 10)]);
        aws.count(town.home.scope(), &at, None, &counters).await;
    }
    let list = |from: &str, price: &str| {
        let market = json!({"name": "All", "currency": "EUR", "prices": {"every": price}});
        json!({"service": "whatsapp", "from": from, "certainty": "vendor", "source": "Our contract", "markets": [market]})
    };
    let mut sms = list("2026-11-20", "0.0934");
    sms["service"] = json!("twilio_sms");
    let lists = [list("2026-01-01", "0.01"), list("2026-11-19", "0.02"), sms];
    let book: PriceBook = read(json!({"version": "contract 7", "lists": lists}));
    let act = PlatformAct {
        action: "prices_replaced".to_owned(),
        tenant: None,
        by: Stamp {
            actor: Actor::Operator,
            at: aws.now(),
            correlation_id: "request-1".to_owned(),
        },
        detail: json!({}),
    };
    let replaced = aws.store().replace_prices(None, &book, &act, "act-1").await;
    replaced.expect("the prices are replaced");
    let usage = town.manager().get(USAGE).await.is(200).json();
    let expected = [("2026-11-18", "EUR 0.1000", 0), ("2026-11-19", "EUR 0.2000", 0)];
    assert_eq!(costs(&usage, "day"), of(&expected));
    assert_eq!(usage["prices"]["version"], "contract 7");
    assert_eq!(usage["prices"]["lists"].as_array().map(Vec::len), Some(3));
    assert_eq!(usage["sms_price"], Value::Null, "to no country");
    let emirates = |tenant: &mut Tenant| tenant.default_region = Some("AE".to_owned());
    aws.change_tenant(town.home.scope(), emirates).await;
    let usage = town.manager().get(USAGE).await.is(200).json();
    assert_eq!(usage["sms_price"], json!({"amount": "0.0934", "currency": "EUR"}));
}

#[tokio::test]
async fn period_of_ten_years_is_refused_with_the_maximum() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let refused = town.manager().get(&format!("{USAGE}?from=2016-11-20")).await;
    refused.is(422).names_only(&["from"]);
    assert_eq!(refused.json()["errors"][0]["facts"]["maximum"], 397);
}

#[tokio::test]
async fn answers_have_the_shape_that_is_checked_in() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let counters = [
        ("follow_up.planned", 21),
        ("follow_up.accepted", 21),
        ("follow_up.delivered", 20),
        ("cost.meta.AE.utility", 19),
        ("cost.twilio.AE.utility", 1),
        ("cost.sms.AE.sms", 2),
        ("free.meta", 1),
    ];
    aws.count(town.home.scope(), "2026-11-20T10:00:00Z", None, &counters)
        .await;
    let usage = town.manager().get(&format!("{USAGE}?from=2026-11-20")).await;
    assert_snapshot("usage", &[&usage]);
}
