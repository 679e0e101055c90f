//! Administration of tenants, in process against the emulator's table and queues.

use std::future::IntoFuture;

use access::token::{Claims, sha256_hex};
use domain::accounts::{Grant, Role};
use domain::people::LinkCode;
use domain::tenants::{Connection, Tenant, TenantStatus};
use domain::terms::{MessageId, TenantId};
use futures::{StreamExt as _, stream};
use jobs::{Mail, MailJob};
use kit::Env;
use serde_json::{Value, json};
use store::messages::{NewLink, TrackedWrite};
use store::table::effects::Effects;
use store::tenants::Configured;
use testkit::api::{Town, sign};
use testkit::business::read;
use testkit::seed::connection;
use testkit::{Answer, Aws, Call, Function, assert_snapshot, texts};
use ulid::Ulid;

const TENANTS: &str = "/api/v1/platform/tenants";
const LOG: &str = "/api/v1/platform/log";

fn env(aws: &Aws) -> Env {
    aws.env_with(&[
        ("TENANT_GRACE_SECONDS", "86400"),
        ("PUBLIC_BASE_URL", "https://api.example.com"),
    ])
}

async fn town(aws: &Aws) -> Town<'_> {
    Town::with_env(aws, &env(aws), platform::routes).await
}

fn home(town: &Town<'_>) -> String {
    format!("{TENANTS}/{}", town.home.tenant)
}

fn pizzeria(slug: &str) -> Value {
    json!({"name": "Joe's Pizza", "slug": slug, "time_zone": "Asia/Dubai", "admin_email": "Joe@Example.com", "plan": "standard"})
}

/// The URL in the only invitation among these mails, its recipient, and the business.
fn invitation(mails: Vec<MailJob>) -> (String, String, String) {
    let mut invitations = mails.into_iter().filter(|mail| mail.mail.kind() == "invitation");
    let found = invitations.next().expect("an invitation");
    assert_eq!(invitations.next(), None);
    let Mail::Invitation { link, business, .. } = found.mail else {
        panic!("another mail");
    };
    (link.url().expect("the link is open").to_owned(), found.to, business)
}

async fn log(town: &Town<'_>) -> Vec<String> {
    town.platform().get(LOG).await.texts("action")
}

#[tokio::test]
async fn nobody_but_a_platform_administrator_is_let_in() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    for role in Role::ALL {
        assert_eq!(town.role(role).get(TENANTS).await.status(), 403, "{role}");
    }
    // A key is nobody who administers the platform.
    town.key().get(TENANTS).await.is(401);
    town.bearer("nonsense").get(TENANTS).await.is(401);
    town.platform().get(TENANTS).await.is(200);
}

#[tokio::test]
async fn tenants_are_listed_in_order_of_creation() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let mut ids = [town.home.tenant.to_string(), town.away.tenant.to_string()];
    // Within a millisecond an id's own random part decides.
    ids.sort();
    let listed = town.platform().all(TENANTS, 1).await;
    assert_eq!(texts(&listed, "id"), ids);
}

/// Writes a tenant with this name, whose id is the `place`-th of all.
async fn found_tenant(aws: &Aws, seeded: &Configured, place: u128, name: &str, status: TenantStatus) {
    let tenant = Tenant {
        id: TenantId::new(Ulid::from_parts(1, place)),
        name: name.to_owned(),
        status,
        ..seeded.tenant.clone()
    };
    let scope = aws.scope(tenant.id);
    let configured = Configured {
        tenant,
        connections: Vec::new(),
        ..seeded.clone()
    };
    let written = aws.store().write_config(&scope, &configured).await;
    written.expect("the tenant is written");
}

#[tokio::test]
async fn tenants_are_listed_by_name_and_state() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let seeded = testkit::seed::tenant(&aws).await.configured;
    let tenants = [
        ("Café Corner", TenantStatus::Active),
        ("CAFE Marina", TenantStatus::Suspended),
        ("Marina Bakery", TenantStatus::Leaving),
    ];
    for (place, (name, status)) in (0..).zip(tenants) {
        found_tenant(&aws, &seeded, place, name, status).await;
    }
    town.platform().post(TENANTS, pizzeria("marina-pizza")).await.is(201);
    for (conditions, names) in [
        ("name=cafe", &["Café Corner", "CAFE Marina"][..]),
        ("name=f%C3%A9%20m", &["CAFE Marina"]),
        ("name=marina", &["CAFE Marina", "Marina Bakery", "Joe's Pizza"]),
        ("name=marina&status=active", &["Joe's Pizza"]),
        ("status=suspended", &["CAFE Marina"]),
        ("status=leaving", &["Marina Bakery"]),
        ("name=nobody", &[]),
    ] {
        for limit in [1, 100] {
            let found = town.platform().all(&format!("{TENANTS}?{conditions}"), limit).await;
            assert_eq!(texts(&found, "name"), names, "{conditions}");
        }
    }
    town.platform()
        .get(&format!("{TENANTS}?name=&status=lost"))
        .await
        .is(422);
}

/// Five hundred others stand before it: a page is empty until it is found.
#[tokio::test]
async fn a_page_examines_at_most_five_hundred_tenants() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let seeded = testkit::seed::tenant(&aws).await.configured;
    let write = |place| found_tenant(&aws, &seeded, place, "Another", TenantStatus::Active);
    stream::iter(0..500)
        .map(write)
        .buffer_unordered(20)
        .collect::<()>()
        .await;
    found_tenant(&aws, &seeded, 500, "Café Corner", TenantStatus::Active).await;
    let pages = town.platform().pages(&format!("{TENANTS}?name=cafe")).await;
    let found: Vec<usize> = pages.iter().map(|page| page.items().len()).collect();
    assert_eq!(found, [0, 1]);
}

#[tokio::test]
async fn a_cursor_of_another_list_is_refused() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    for number in 0..2 {
        let url = format!("{}/{}", home(&town), ["suspend", "resume"][number]);
        town.platform().post(&url, json!({"reason": "x"})).await.is(200);
        aws.pass(1);
    }
    let cursor = async |url: &str| {
        let page = town.platform().get(&format!("{url}?limit=1")).await.json();
        page["next_cursor"].as_str().expect("there is another page").to_owned()
    };
    let (of_tenants, of_log) = (cursor(TENANTS).await, cursor(LOG).await);
    for (url, status) in [
        (format!("{TENANTS}?cursor={of_tenants}"), 200),
        (format!("{TENANTS}?cursor={of_log}"), 400),
        (format!("{LOG}?cursor={of_log}"), 200),
        (format!("{LOG}?cursor={of_tenants}"), 400),
        (format!("{LOG}?month=2026-10-01&cursor={of_log}"), 400),
    ] {
        town.platform().get(&url).await.is(status);
    }
}

#[tokio::test]
async fn new_tenant_has_an_invited_administrator() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let made = town.platform().post(TENANTS, pizzeria("joes-pizza")).await;
    let body = made.is(201).json();
    assert_eq!((&body["status"], &body["plan"]), (&json!("active"), &json!("standard")));
    let read = town.platform().get(made.header("location")).await;
    assert_eq!(read.json(), body);
    let mails = aws.take_mails().await;
    assert_eq!(mails.len(), 1);
    let (url, to, business) = invitation(mails);
    assert_eq!((&*to, &*business), ("joe@example.com", "Joe's Pizza"));
    assert!(url.starts_with("https://api.example.com/accept-invitation?token="));
    let logged = town.platform().get(LOG).await;
    let refused = town.platform().post(TENANTS, pizzeria("joes-pizza")).await;
    assert_snapshot("tenants", &[&made, &read, &logged, &refused]);
}

#[tokio::test]
async fn refused_creation_does_not_count_as_mail() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    town.platform().post(TENANTS, pizzeria("joes-pizza")).await.is(201);
    for _ in 0..6 {
        town.platform().post(TENANTS, pizzeria("joes-pizza")).await.is(409);
    }
    town.platform().post(TENANTS, pizzeria("joes-other")).await.is(201);
    assert_eq!(aws.take_mails().await.len(), 2);
}

#[tokio::test]
async fn an_administrator_can_be_invited_again() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let url = format!("{}/invitations", home(&town));
    let invited = json!({"email": "new@example.com"});
    town.platform().post(&url, invited.clone()).await.is(204);
    let mails: Vec<MailJob> = aws.take_mails().await;
    let [notice, mail] = mails.as_slice() else {
        panic!("{} mails", mails.len());
    };
    let admin = town.home.person(Role::Admin);
    let told = Mail::PlatformInvited {
        business: "harbour-lane".to_owned(),
        invited: "new@example.com".to_owned(),
    };
    assert_eq!((notice.to.as_str(), &notice.mail), (admin.email.as_str(), &told));
    assert_eq!((mail.to.as_str(), mail.mail.kind()), ("new@example.com", "invitation"));
    assert_eq!(log(&town).await, ["admin_invited"]);
    let unknown = format!("{TENANTS}/tnt_01hq5c1ynyc0000000000000zz/invitations");
    town.platform().post(&unknown, invited).await.is(404);
}

/// Whether the link of the only waiting invitation lets somebody in. Mails to the existing administrators are another test's.
async fn mailed_link_works(aws: &Aws) -> bool {
    let (url, ..) = invitation(aws.take_mails().await);
    let (_, link_token) = url.split_once("token=").expect("a link with a token");
    let grant = aws.store().grant(&sha256_hex(link_token), aws.now()).await;
    matches!(grant.expect("the table answers"), Some(Grant::Invitation { .. }))
}

/// The function without a queue for mails, asked by the town's administrator.
async fn without_mails(town: &Town<'_>, url: &str, body: Value) -> Answer {
    let aws = town.aws();
    let nowhere = aws.env_with(&[
        ("TENANT_GRACE_SECONDS", "86400"),
        ("MAILS_QUEUE_URL", "http://127.0.0.1:9/000000000000/nowhere"),
    ]);
    let claims = Claims::new(town.platform.user, town.platform.session, None, aws.now());
    let token = sign(&claims.with_second_factor(true));
    let call = Call::json(url, body.to_string())
        .header("idempotency-key", "k1")
        .header("authorization", &format!("Bearer {token}"));
    Function::new(&nowhere, platform::routes).call(&call).await
}

/// A creation whose mail was lost is completed by the same request.
#[tokio::test]
async fn repeated_creation_sends_the_lost_mail() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    without_mails(&town, TENANTS, pizzeria("joes-pizza")).await.is(503);
    let platform = town.platform();
    let again = platform.post_once(TENANTS, "k1", pizzeria("joes-pizza")).await;
    again.is(201);
    assert!(mailed_link_works(&aws).await);
    let made = platform.get(again.header("location")).await;
    assert_eq!((made.json(), made.header("etag")), (again.json(), again.header("etag")));
    // Another request is another tenant.
    platform.post_once(TENANTS, "k2", pizzeria("joes-pizza")).await.is(409);
    assert_eq!(log(&town).await, ["tenant_created"]);
}

/// An invitation whose mail was lost is sent by the same request.
#[tokio::test]
async fn repeated_invitation_sends_the_lost_mail() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let url = format!("{}/invitations", home(&town));
    let body = || json!({"email": "new@example.com"});
    without_mails(&town, &url, body()).await.is(503);
    town.platform().post_once(&url, "k1", body()).await.is(204);
    assert!(mailed_link_works(&aws).await);
    assert_eq!(log(&town).await, ["admin_invited"]);
    let people = aws.store().people(town.home.scope(), aws.now()).await;
    assert_eq!(people.expect("the table answers").found.invitations.len(), 1);
}

#[tokio::test]
async fn a_name_is_given_once_however_many_ask_at_once() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let platform = town.platform();
    let asked = (0..10).map(|_| platform.post(TENANTS, pizzeria("joes-pizza")).into_future());
    let answers = futures::future::join_all(asked).await;
    let won = answers.iter().filter(|answer| answer.status() == 201).count();
    let refused = answers.iter().filter(|answer| answer.status() == 409).count();
    assert_eq!((won, refused), (1, 9));
    assert_eq!(log(&town).await, ["tenant_created"]);
}

#[tokio::test]
async fn invalid_tenant_is_refused_by_field() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let before = aws.row_count().await;
    let platform = town.platform();
    for (field, value) in [
        ("slug", json!("p\u{430}pa")),
        ("slug", json!("admin")),
        ("time_zone", json!("Asia/Nowhere")),
        ("admin_email", json!("nobody")),
        ("name", json!("")),
        ("name", json!("  ")),
        ("name", json!("Joe's\nPizza")),
        ("plan", json!(7)),
        ("limits", json!({"requests_per_minute": 0})),
        ("owner", json!("x")),
    ] {
        let mut body = pizzeria("joes-pizza");
        body[field] = value;
        let answer = platform.post(TENANTS, body).await;
        let named = answer.is_refused(422, "invalid").fields();
        assert!(named.iter().any(|name| name.starts_with(field)), "{field}: {named:?}");
    }
    // The caller's own rate is counted.
    assert!(aws.row_count().await <= before + 1);
}

#[tokio::test]
async fn a_suspended_tenant_sends_nothing_until_it_is_resumed() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let reason = json!({"reason": "invoice 1042 is unpaid"});
    let suspend = format!("{}/suspend", home(&town));
    let suspended = town.platform().post(&suspend, reason).await;
    assert_eq!(suspended.json()["status"], "suspended", "{}", suspended.text());
    let status = async || aws.store().tenant(town.home.scope()).await.unwrap().unwrap().status;
    assert_eq!(status().await, TenantStatus::Suspended);
    aws.pass(1);
    let resume = format!("{}/resume", home(&town));
    let resumed = town.platform().post(&resume, Value::Null).await;
    assert_eq!(resumed.json()["status"], "active", "{}", resumed.text());
    assert_eq!(status().await, TenantStatus::Active);
    assert_eq!(log(&town).await, ["tenant_resumed", "tenant_suspended"]);
    let told = town.platform().get(LOG).await.json();
    assert_eq!(told["items"][1]["detail"]["reason"], "invoice 1042 is unpaid");
    assert_eq!(told["items"][1]["actor"], format!("platform:{}", town.platform.user));
}

#[tokio::test]
async fn leaving_tenant_can_be_resumed_in_grace_period_only() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let own = home(&town);
    let (resume, suspend) = (format!("{own}/resume"), format!("{own}/suspend"));
    town.platform().delete(&own).await.is(204);
    let leaving = town.platform().get(&own).await.json();
    assert_eq!(
        (&leaving["status"], &leaving["leaves_at"]),
        (&json!("leaving"), &json!("2026-11-21T12:00:00Z"))
    );
    // Letting go twice does not begin the grace period anew, and suspending does not end it.
    town.platform().delete(&own).await.is(204);
    town.platform().post(&suspend, json!({"reason": "x"})).await.is(409);
    let kept = town.platform().post(&resume, Value::Null).await.json();
    assert_eq!((&kept["status"], &kept["leaves_at"]), (&json!("active"), &Value::Null));
    let to_delete = async |until| aws.store().tenants_to_delete(until, None, 10).await.unwrap().len();
    assert_eq!(to_delete(jiff::Timestamp::MAX).await, 0);

    town.platform().delete(&own).await.is(204);
    let tomorrow = aws.now() + jiff::SignedDuration::from_hours(24);
    assert_eq!(to_delete(tomorrow).await, 1);
    aws.pass(24 * 3600);
    // Its data may be half gone: there is no way back. The old token is over by now too, so a new one asks.
    town.platform().post(&resume, Value::Null).await.is(409);
}

#[tokio::test]
async fn plan_and_limits_change_under_the_version_that_was_seen() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (platform, own) = (town.platform(), home(&town));
    let seen = platform.get(&own).await;
    let change = |fields: Value| platform.patch(&own, fields);
    let change_seen = |fields: Value| change(fields).header("if-match", seen.header("etag"));
    let changed = change_seen(json!({"plan": "large", "limits": {"requests_per_minute": 5000}})).await;
    assert_eq!(changed.is(200).json()["limits"]["requests_per_minute"], 5000);
    change_seen(json!({"plan": "small"})).await.is(412);
    let limits = aws.store().tenant(town.home.scope()).await.unwrap().unwrap().limits;
    assert_eq!(limits.and_then(|limits| limits.requests_per_minute), Some(5000));
    let back = change(json!({"limits": null})).await.is(200).json();
    assert_eq!(
        (&back["limits"]["requests_per_minute"], &back["plan"]),
        (&Value::Null, &json!("large"))
    );
}

#[tokio::test]
async fn concurrent_operators_all_succeed() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (platform, url) = (town.platform(), home(&town));
    let asked = (1..5).map(|limit| {
        let limits = json!({"limits": {"principal_per_minute": limit}});
        platform.patch(&url, limits).into_future()
    });
    for answer in futures::future::join_all(asked).await {
        answer.is(200);
    }
    assert_eq!(log(&town).await, ["tenant_changed"; 4]);
}

#[tokio::test]
async fn usage_is_listed_by_day_for_a_bounded_period() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let url = |query: &str| format!("{}/usage{query}", home(&town));
    let week = town.platform().get(&url("")).await;
    assert_eq!(week.is(200).json()["days"].as_array().map(Vec::len), Some(8));
    for (at, count) in [
        ("2026-11-13T00:00:00Z", 1),
        ("2026-11-20T11:00:00Z", 2),
        ("2026-11-20T23:59:59Z", 4),
    ] {
        aws.count(town.home.scope(), at, None, &[("calls", count)]).await;
    }
    let counted = town.platform().get(&url("")).await.json()["days"].clone();
    assert_eq!(
        [&counted[0]["counts"], &counted[1]["counts"], &counted[7]["counts"]],
        [&json!({"calls": 1}), &json!({}), &json!({"calls": 6})]
    );
    for wrong in [
        "?from=2026-10-01&to=2026-11-20",
        "?from=2026-11-20&to=2026-11-19",
        "?from=yesterday",
        "?days=3",
    ] {
        town.platform().get(&url(wrong)).await.is(422);
    }
}

const PRICES: &str = "/api/v1/platform/prices";

/// Prices with one list and one market.
fn prices(market: &Value) -> Value {
    let list = json!({
        "service": "whatsapp", "from": "2026-11-01", "certainty": "vendor", "source": "Our contract", "markets": [market],
    });
    json!({"version": "contract 7", "lists": [list]})
}

fn market() -> Value {
    json!({"name": "Emirates", "countries": ["AE"], "currency": "AED", "prices": {"utility": "0.05", "marketing": "0.2"}})
}

#[tokio::test]
async fn prices_are_replaced_and_restored() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let platform = town.platform();
    let shipped = platform.get(PRICES).await;
    let (first, known) = (shipped.is(200).json(), shipped.header("etag").to_owned());
    assert_eq!(first["replaced"], false);
    let replaced = platform.put(PRICES, prices(&market())).header("if-match", &known).await;
    let body = replaced.is(200).json();
    assert_eq!(
        (&body["replaced"], &body["prices"]["version"]),
        (&json!(true), &json!("contract 7"))
    );
    assert_eq!(platform.get(PRICES).await.json(), body);
    // Whoever read the others replaces nothing.
    for call in [platform.put(PRICES, prices(&market())), platform.delete(PRICES)] {
        call.header("if-match", &known).await.is(412);
    }
    // The same again changes nothing.
    let again = platform.put(PRICES, prices(&market())).await;
    assert_eq!(again.header("etag"), replaced.header("etag"));
    aws.pass(1);
    platform.delete(PRICES).await.is(204);
    assert_eq!(platform.get(PRICES).await.json(), first);
    platform.delete(PRICES).await.is(204);
    assert_eq!(log(&town).await, ["prices_restored", "prices_replaced"]);
    aws.pass(1);
    let later = platform.put(PRICES, prices(&market())).await;
    let (former, new) = (replaced.header("etag"), later.header("etag"));
    assert_ne!(new, former, "a version never comes back");
}

#[tokio::test]
async fn price_without_a_currency_is_refused_by_its_place() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let platform = town.platform();
    let changed = |name: &str, value: Value| {
        let mut market = market();
        match value {
            Value::Null => drop(market.as_object_mut().and_then(|fields| fields.remove(name))),
            value => market[name] = value,
        }
        prices(&market)
    };
    for (name, value, field) in [
        ("currency", Value::Null, "currency"),
        ("currency", json!("aed"), "currency"),
        ("currency", json!("XXX"), "currency"),
        ("prices", json!({"utility": "free"}), "prices.utility"),
        ("prices", json!({"utility": 0.05}), "prices.utility"),
        ("prices", json!({"sms": "0.05"}), "prices.sms"),
        ("countries", json!(["AE", "AE"]), "countries"),
        ("countries", json!(["Dubai"]), "countries[0]"),
    ] {
        let refused = platform.put(PRICES, changed(name, value)).await;
        refused.names_field(&format!("lists[0].markets[0].{field}"));
    }
    let refused = platform.put(PRICES, changed("currency", json!("XXX"))).await;
    let expected = "Expected the ISO 4217 code of a currency";
    assert!(refused.text().contains(expected), "{}", refused.text());
    let long = json!({"version": "1", "lists": vec![prices(&market())["lists"][0].clone(); 41]});
    platform.put(PRICES, long).await.is(422).names_field("lists");
    assert_eq!(platform.get(PRICES).await.json()["replaced"], false);
}

#[tokio::test]
async fn only_the_platform_sees_and_changes_prices() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let admin = town.admin();
    admin.get(PRICES).await.is(403);
    admin.put(PRICES, prices(&market())).await.is(403);
    admin.delete(PRICES).await.is(403);
    town.key().put(PRICES, prices(&market())).await.is(401);
    assert!(log(&town).await.is_empty());
}

#[tokio::test]
async fn unknown_tenant_is_not_found_by_any_operation() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let platform = town.platform();
    for id in ["tnt_01hq5c1ynyc0000000000000zz", "nonsense"] {
        let one = format!("{TENANTS}/{id}");
        platform.get(&one).await.is(404);
        platform.delete(&one).await.is(404);
        platform.patch(&one, json!({"plan": "x"})).await.is(404);
        platform.post(&format!("{one}/resume"), Value::Null).await.is(404);
        let answer = platform.post(&format!("{one}/suspend"), json!({"reason": "x"})).await;
        answer.is(404);
        platform.get(&format!("{one}/usage")).await.is(404);
    }
    assert!(log(&town).await.is_empty());
}

#[tokio::test]
async fn reported_links_are_found_and_turned_off() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let code = LinkCode::of(aws.ids().secret().expect("random bytes"));
    let message: MessageId = "msg_01m7wd7tg0e1zdfqgpjwpgz1fr01m7wd7tg05npazz0y0dgh1tkt"
        .parse()
        .unwrap();
    let tracked = TrackedWrite {
        code: code.clone(),
        message,
        targets: vec![
            "https://saffron.example/cake".to_owned(),
            "https://maps.example/7".to_owned(),
        ],
        keep_until: None,
    };
    let effects = Effects {
        links: vec![NewLink::Tracked(tracked)],
        ..Effects::default()
    };
    let stored = aws.store().commit(town.home.scope(), effects, aws.now()).await;
    stored.expect("the links are stored");
    let of = |name: &str| format!("/api/v1/platform/tracked-links/{name}");
    let link = |place: u8| json!({"link": format!("https://any.example/l/{}{place}?x=1", code.as_str())});
    town.admin().post(&of("find"), link(1)).await.is(403);
    let found = town.platform().post(&of("find"), link(1)).await;
    assert_eq!(
        found.is(200).json(),
        json!({
            "tenant": town.home.tenant, "message": message, "page": "https://maps.example/7", "created_at": aws.now().to_string(),
        })
    );
    town.platform().post(&of("find"), link(2)).await.is(404);
    let wrong = json!({"link": "https://saffron.example/cake"});
    town.platform().post(&of("find"), wrong).await.names_only(&["link"]);
    let mut off = link(1);
    off["reason"] = json!("it imitates a bank");
    town.admin().post(&of("turn-off"), off.clone()).await.is(403);
    town.platform().post(&of("turn-off"), off.clone()).await.is(204);
    let entry = &town.platform().get(LOG).await.json()["items"][0];
    assert_eq!(
        (&entry["action"], &entry["tenant"], &entry["detail"]),
        (
            &json!("links_turned_off"),
            &json!(town.home.tenant),
            &json!({"host": "maps.example", "reason": "it imitates a bank"})
        )
    );
    // The others of the message lead nowhere either.
    town.platform().post(&of("find"), link(0)).await.is(404);
    town.platform().post(&of("turn-off"), off).await.is(404);
}

const RELEASE: &str = "/api/v1/platform/whatsapp-numbers/release";
const WABA: &str = "900000000000777";
const NUMBER_ID: &str = "910000000000777";

/// A WhatsApp number that the home tenant has proven to be its own.
async fn connect_number(town: &Town<'_>) -> Connection {
    let aws = town.aws();
    let account =
        json!({"kind": "whatsapp", "waba_id": WABA, "phone_number_id": NUMBER_ID, "display_number": "+97145550001"});
    let verify = json!({"kind": "whatsapp", "app_secrets": [], "verify_token": "any"});
    let connection = connection(aws, town.home.tenant, read(account), &read(verify), None).await;
    let (store, stamp) = (aws.store(), aws.stamp());
    let made = store
        .create_connection(town.home.scope(), &connection, true, &stamp)
        .await;
    made.expect("it is connected");
    connection
}

#[tokio::test]
async fn released_number_is_shown_to_its_holder() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let connection = connect_number(&town).await;
    let body = json!({"waba_id": WABA, "phone_number_id": NUMBER_ID, "reason": "the business has closed"});
    town.admin().post(RELEASE, body.clone()).await.is(403);
    let released = town.platform().post(RELEASE, body.clone()).await;
    assert_eq!(
        released.is(200).json(),
        json!({"tenant": town.home.tenant, "connection": connection.id})
    );
    for number in [NUMBER_ID, ""] {
        let holder = aws.store().whatsapp_holder(WABA, number).await;
        assert_eq!(holder.expect("the table answers"), None, "{number:?}");
    }
    // In the platform's log with all that it takes to look into it, and signed on the tenant's own row, which its audit log is of.
    let entry = &town.platform().get(LOG).await.json()["items"][0];
    assert_eq!(
        (&entry["action"], &entry["tenant"], &entry["detail"]["reason"]),
        (
            &json!("number_released"),
            &json!(town.home.tenant),
            &json!("the business has closed")
        )
    );
    let now = aws.store().get::<Connection>(town.home.scope(), &connection.id).await;
    let now = now.expect("the table answers").expect("it is still there");
    let message = now.value.checkup.expect("it says so").message;
    assert!(message.contains("the business has closed"), "{message}");
    assert!(aws.signed_by(&format!("platform:{}", town.platform.user)).await >= 1);
    // It is nobody's now.
    town.platform().post(RELEASE, body).await.is(404);
    for (field, wrong) in [
        ("waba_id", json!("x")),
        ("phone_number_id", json!("+97145550001")),
        ("reason", json!("")),
        ("reason", json!("clo\u{202e}sed")),
    ] {
        let mut body = json!({"waba_id": WABA, "phone_number_id": NUMBER_ID, "reason": "closed"});
        body[field] = wrong;
        town.platform().post(RELEASE, body).await.names_only(&[field]);
    }
}

#[tokio::test]
async fn number_of_a_deleted_connection_can_be_released() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let connection = connect_number(&town).await;
    // As a crash of before could leave it.
    let scope = town.away.scope();
    let (store, waba) = (aws.store(), "900000000000778");
    let claimed = store.claim_whatsapp_number(scope, waba, NUMBER_ID, connection.id).await;
    claimed.expect("it is claimed");
    let body = json!({"waba_id": waba, "phone_number_id": NUMBER_ID, "reason": "nobody's"});
    town.platform().post(RELEASE, body).await.is(200);
    let holder = store.whatsapp_holder(WABA, NUMBER_ID).await;
    assert!(holder.expect("the table answers").is_some());
}

#[tokio::test]
async fn administrators_are_told_of_platform_invitations() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let url = format!("{}/invitations", home(&town));
    let own = town.platform.email.as_str();
    town.platform().post(&url, json!({"email": own})).await.is(204);
    let mails = aws.take_mails().await;
    let to = |kind: &str| -> Vec<&str> {
        let of_kind = mails.iter().filter(|mail| mail.mail.kind() == kind);
        of_kind.map(|mail| mail.to.as_str()).collect()
    };
    assert_eq!(to("platform_invited"), [town.home.person(Role::Admin).email.as_str()]);
    assert_eq!(to("invitation"), [own]);
    // However often: that strangers flood an address keeps nobody from being told.
    for _ in 0..6 {
        town.platform().post(&url, json!({"email": own})).await.is(204);
    }
    let mails = aws.take_mails().await;
    let notices = mails.iter().filter(|mail| mail.mail.kind() == "platform_invited");
    let counts = (notices.count(), mails.len());
    assert_eq!(counts, (6, 6 + 4), "five invitations an hour to one address");
}

#[tokio::test]
async fn names_with_invisible_characters_are_refused() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    for (field, wrong) in [
        ("name", "Joe's\u{202e}azziP"),
        ("name", "Joe\u{200b}'s"),
        ("plan", "stan\u{2060}dard"),
    ] {
        let mut body = pizzeria("joes-pizza");
        body[field] = json!(wrong);
        town.platform().post(TENANTS, body).await.names_only(&[field]);
    }
}
