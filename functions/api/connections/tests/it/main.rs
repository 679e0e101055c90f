//! Connections: created secrets verify, wrong fields are named, and no secret is shown again.

mod graph;
mod lines;
mod pages;
mod rotating;
mod systems;
mod world;

use access::Connections;
use domain::accounts::Role;
use domain::destinations::RuleKind;
use domain::tenants::{Connection, Dated, Quality, RefusedBecause, RefusedWebhook, Reported, VerifySecrets};
use providers::{telephony, whatsapp};
use serde_json::{Value, json};
use store::table::lookups::WhatsAppOwner;
use testkit::api::Town;
use testkit::{Answer, Aws, assert_snapshot};

use self::world::{
    API_SECRET, APP_SECRET, AUTH_ID, LINE, TOKEN, TWILIO_TOKEN, World, telephony_in, twilio_in, whatsapp_in,
};

const ALL: &str = "/api/v1/connections";
const SHOP: &str = "saffron-bakery.myshopify.com";
const STORE: &str = "https://saffron.example";

fn id(answer: &Answer) -> String {
    answer.is(201).json()["connection"]["id"]
        .as_str()
        .expect("it has an id")
        .to_owned()
}

/// Requires that the last test of a connection, or of one that was just made, had this result.
#[track_caller]
fn assert_tested(answer: &Answer, result: &str) {
    let body = answer.json();
    let connection = body.get("connection").unwrap_or(&body);
    assert_eq!(connection["last_test"]["result"], result, "{}", answer.text());
}

fn at(id: &str, end: &str) -> String {
    format!("{ALL}/{id}{end}")
}

/// The owner of a WhatsApp number, as the webhook of a shared app looks it up.
async fn owner(aws: &Aws) -> Option<WhatsAppOwner> {
    aws.store()
        .whatsapp_owner_before_scope(world::WABA, world::NUMBER_ID)
        .await
        .expect("the table answers")
}

/// Whether the connection admits a sender with this secret, as the function of a webhook checks it.
async fn lets_in(town: &Town<'_>, id: &str, proves: impl Fn(&Connection, &VerifySecrets) -> bool) -> bool {
    let aws = town.aws();
    let connections = Connections::new(aws.store(), aws.secrets());
    let tenant = town.home.tenant.to_string();
    connections.authenticate(&tenant, id, aws.now(), proves).await.is_ok()
}

async fn lets_in_telephony(town: &Town<'_>, id: &str, secret: &str) -> bool {
    let now = town.aws().now();
    let signature = telephony::sign(secret, "msg_1", now, b"{}").expect("the secret is one");
    let proves = |_: &Connection, secrets: &VerifySecrets| match secrets {
        VerifySecrets::Telephony(own) => own
            .secrets
            .iter()
            .any(|own| telephony::sign(own, "msg_1", now, b"{}").as_deref() == Some(signature.as_str())),
        _ => false,
    };
    lets_in(town, id, proves).await
}

/// Webhooks verify with the given or the generated and shown secrets.
#[tokio::test]
async fn every_kind_is_created_and_verifies_its_webhooks() {
    let aws = Aws::new().await;
    let (_world, town) = World::start(&aws).await;
    let manager = town.manager();

    let made = manager.post(ALL, whatsapp_in()).await;
    let whatsapp = id(&made);
    let body = made.json();
    assert_tested(&made, "passed");
    assert_eq!(body["connection"]["quality"], "green");
    assert_eq!(
        body["connection"]["limits"],
        json!({"messages_per_second": 80, "customers_per_day": 2000})
    );
    let url = format!("/webhooks/whatsapp/{}/{whatsapp}", town.home.tenant);
    assert!(body["webhooks"][0]["url"].as_str().unwrap().ends_with(&url), "{body}");
    let token = body["verify_token"].as_str().unwrap().to_owned();
    let signature = whatsapp::signature::sign(APP_SECRET, b"{}");
    let proves = |_: &Connection, secrets: &VerifySecrets| match secrets {
        VerifySecrets::WhatsApp(domain::tenants::whatsapp::Verify {
            app_secrets,
            verify_token,
        }) => *verify_token == token && whatsapp::signature::verify(app_secrets, Some(&signature), b"{}").is_ok(),
        _ => false,
    };
    assert!(lets_in(&town, &whatsapp, proves).await);

    let made = manager.post(ALL, twilio_in()).await;
    let twilio = id(&made);
    assert_tested(&made, "passed");
    let proves = |_: &Connection, secrets: &VerifySecrets| matches!(secrets, VerifySecrets::Twilio(own) if own.auth_tokens == [TWILIO_TOKEN]);
    assert!(lets_in(&town, &twilio, proves).await);

    let made = manager.post(ALL, telephony_in()).await;
    let telephony = id(&made);
    let secret = made.json()["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"));
    assert!(lets_in_telephony(&town, &telephony, &secret).await);
    assert!(!lets_in_telephony(&town, &telephony, "whsec_b3RoZXI=").await);

    let body = json!({"kind": "aircall", "name": "Aircall", "numbers": ["+97145550001"]});
    let made = manager.post(ALL, body).await;
    let aircall = id(&made);
    let proves = |_: &Connection, secrets: &VerifySecrets| matches!(secrets, VerifySecrets::Aircall(own) if own.tokens == ["aircall-token-1"]);
    assert!(
        !lets_in(&town, &aircall, proves).await,
        "no event is taken before the token is there"
    );
    let told = &made.json()["connection"]["last_test"];
    assert_eq!(told["result"], "failed", "somebody must act: {told}");
    assert!(
        told["message"].as_str().unwrap().contains("no event is accepted"),
        "and is told what to do: {told}"
    );
    let given = json!({"kind": "aircall", "credentials": {"token": "aircall-token-1"}});
    let set = manager.put(&at(&aircall, "/credentials"), given).await;
    assert_tested(set.is(200), "waiting");
    assert!(lets_in(&town, &aircall, proves).await);

    let vonage = json!({"kind": "vonage", "name": "Vonage", "api_key": "abcd1234", "credentials": {"signature_secret": "vonage-secret-1"}});
    let vonage = id(&manager.post(ALL, vonage).await);
    let proves = |_: &Connection, secrets: &VerifySecrets| matches!(secrets, VerifySecrets::Vonage(own) if own.signature_secrets == ["vonage-secret-1"]);
    assert!(lets_in(&town, &vonage, proves).await);

    let body = json!({"kind": "exotel", "name": "Exotel", "account_sid": "saffron1", "sources": ["192.0.2.0/24"]});
    let made = manager.post(ALL, body).await;
    let exotel = id(&made);
    let secret = made.json()["secret"].as_str().unwrap().to_owned();
    let url = made.json()["webhooks"][0]["url"].as_str().unwrap().to_owned();
    assert!(url.ends_with(&format!("/passthru/{secret}")), "{url}");
    let proves = |_: &Connection, secrets: &VerifySecrets| matches!(secrets, VerifySecrets::Exotel(own) if own.url_secrets == std::slice::from_ref(&secret));
    assert!(lets_in(&town, &exotel, proves).await);
    let webhooks = town.viewer().get(&at(&exotel, "/webhooks")).await.json();
    let url = webhooks["webhooks"][0]["url"].as_str().unwrap().to_owned();
    assert!(url.ends_with("/passthru/{secret}"), "{url}");

    let plivo = json!({"kind": "plivo", "name": "Plivo", "auth_id": "MAXXXXXXXXXXXXXXXXXX", "credentials": {"auth_token": "plivo-token-1"}});
    let plivo = id(&manager.post(ALL, plivo).await);
    let proves = |_: &Connection, secrets: &VerifySecrets| matches!(secrets, VerifySecrets::Plivo(own) if own.auth_tokens == ["plivo-token-1"]);
    assert!(lets_in(&town, &plivo, proves).await);

    let made = manager
        .post(ALL, json!({"kind": "shopify", "name": "Shop", "shop": SHOP}))
        .await;
    let shop = id(&made);
    let proves = |_: &Connection, secrets: &VerifySecrets| matches!(secrets, VerifySecrets::Shopify(own) if own.signing_keys == ["shop-key-1"]);
    assert!(
        !lets_in(&town, &shop, proves).await,
        "no webhook is taken before the key is there"
    );
    assert_eq!(made.json()["connection"]["last_test"]["result"], "failed");
    let given = json!({"kind": "shopify", "credentials": {"signing_key": "shop-key-1"}});
    let set = manager.put(&at(&shop, "/credentials"), given).await;
    assert_tested(set.is(200), "waiting");
    assert!(lets_in(&town, &shop, proves).await);

    let made = manager
        .post(ALL, json!({"kind": "woocommerce", "name": "Store", "store": STORE}))
        .await;
    let secret = made.json()["secret"].as_str().unwrap().to_owned();
    let proves = |_: &Connection, secrets: &VerifySecrets| matches!(secrets, VerifySecrets::WooCommerce(own) if own.secrets == std::slice::from_ref(&secret));
    assert!(lets_in(&town, &id(&made), proves).await);
    assert_eq!(made.json()["connection"]["last_test"]["result"], "waiting");
    assert_eq!(made.json()["connection"]["account"]["store"], STORE);

    let pages = town.viewer().pages(&format!("{ALL}?limit=4")).await;
    let listed: Vec<usize> = pages.iter().map(|page| page.items().len()).collect();
    assert_eq!(listed, [4, 4, 1]);
}

/// Without it, replies and STOP would be refused. One that was stored before is shown as what it is.
#[tokio::test]
async fn app_secret_is_required_where_no_app_is_shared() {
    const FIELD: &str = "credentials.app_secret";
    let aws = Aws::new().await;
    let (_world, town) = World::start(&aws).await;
    let without = || {
        let mut body = whatsapp_in();
        body["credentials"] = json!({"access_token": TOKEN});
        body
    };
    let refused = town.manager().post(ALL, without()).await;
    refused.names_only(&[FIELD]);
    let fault = &refused.json()["errors"][0];
    assert_eq!(fault["code"], "required");
    assert!(
        fault["detail"].as_str().unwrap().contains("App settings > Basic"),
        "{fault}"
    );

    let account = json!({
        "kind": "whatsapp", "waba_id": world::WABA, "phone_number_id": world::NUMBER_ID, "display_number": "+97145550001",
    });
    let verify = json!({"kind": "whatsapp", "app_secrets": [], "verify_token": "a-verify-token"});
    let send = json!({"kind": "whatsapp", "access_token": TOKEN});
    let whatsapp = world::store(&town, account, verify, Some(send)).await;
    let (manager, path) = (town.manager(), at(&whatsapp, "/credentials"));
    manager.get(&at(&whatsapp, "")).await.is(200);
    let tested = manager.post(&at(&whatsapp, "/test"), json!({})).await;
    assert_tested(&tested, "failed");
    assert_eq!(tested.json()["awaits_secret"], true, "{}", tested.text());
    let credentials = json!({"kind": "whatsapp", "credentials": {"access_token": TOKEN}});
    manager.put(&path, credentials.clone()).await.names_only(&[FIELD]);
    let own = json!({"kind": "whatsapp", "credentials": {"access_token": TOKEN, "app_secret": APP_SECRET}});
    let set = manager.put(&path, own).await;
    assert_tested(set.is(200), "passed");
    assert_eq!(set.json()["awaits_secret"], false);

    let aws = Aws::new().await;
    let (_world, town) = World::start_with(&aws, &[("META_APP_SECRET_ID", "ringback/meta-app")]).await;
    let made = town.manager().post(ALL, without()).await;
    assert_tested(&made, "passed");
    assert_eq!(made.json()["connection"]["awaits_secret"], false);
    let path = at(&id(&made), "/credentials");
    town.manager().put(&path, credentials).await.is(200);
}

#[tokio::test]
async fn refused_webhooks_are_listed_with_the_addresses() {
    let aws = Aws::new().await;
    let (_world, town) = World::start(&aws).await;
    let whatsapp = id(&town.manager().post(ALL, whatsapp_in()).await);
    let refused = async || town.viewer().get(&at(&whatsapp, "/webhooks")).await.json()["refused"].clone();
    assert_eq!(refused().await, json!([]));
    let (store, tenant, at) = (aws.store(), town.home.tenant, aws.now());
    let reason = RefusedBecause::OtherSecret;
    let webhook = RefusedWebhook { at, reason };
    let noted = store.note_refused_webhook_before_scope(tenant, whatsapp.parse().unwrap(), webhook);
    noted.await.unwrap();
    assert_eq!(refused().await, json!([{"at": at, "reason": "other_secret"}]));
}

#[tokio::test]
async fn metas_report_is_shown_until_the_next_test() {
    let aws = Aws::new().await;
    let (_world, town) = World::start(&aws).await;
    let manager = town.manager();
    let whatsapp = id(&manager.post(ALL, whatsapp_in()).await);
    let shown = async || {
        let body = town.viewer().get(&at(&whatsapp, "")).await.json();
        (body["quality"].clone(), body["limits"].clone())
    };
    let tested = shown().await;
    let (store, scope) = (aws.store(), town.home.scope());
    let connection = store.connection(scope, whatsapp.parse().unwrap()).await;
    let connection = connection.unwrap().unwrap();
    aws.pass(60);
    let reported = Reported {
        quality: Some(Dated {
            at: aws.now(),
            value: Quality::Red,
        }),
        customers_per_day: Some(Dated {
            at: aws.now(),
            value: 10_000,
        }),
        ..Reported::default()
    };
    assert!(store.note_reported(scope, &connection, reported).await.unwrap());
    let limits = json!({"messages_per_second": 80, "customers_per_day": 10_000});
    assert_eq!(shown().await, (json!("red"), limits));
    aws.pass(60);
    manager.post(&at(&whatsapp, "/test"), json!({})).await;
    assert_eq!(shown().await, tested);
}

#[tokio::test]
async fn secrets_are_never_returned_again() {
    let aws = Aws::new().await;
    let (_world, town) = World::start(&aws).await;
    let manager = town.manager();
    let made = manager.post_once(ALL, "key-1", whatsapp_in()).await;
    let whatsapp = id(&made);
    let token = made.json()["verify_token"].as_str().unwrap().to_owned();
    let twilio = id(&manager.post(ALL, twilio_in()).await);
    let secrets = [APP_SECRET, TOKEN, TWILIO_TOKEN, "api-key-secret-1", token.as_str()];
    let mut answers = vec![manager.post_once(ALL, "key-1", whatsapp_in()).await];
    answers[0].is(409);
    assert_eq!(answers[0].header("location"), at(&whatsapp, ""));
    answers.push(manager.get(ALL).await);
    for id in [&whatsapp, &twilio] {
        answers.push(manager.get(&at(id, "")).await);
        answers.push(manager.get(&at(id, "/webhooks")).await);
        answers.push(manager.patch(&at(id, ""), json!({"name": "Other"})).await);
        answers.push(manager.post(&at(id, "/test"), json!({})).await);
        let rotation = json!({"secret": "another-secret-1"});
        answers.push(manager.post(&at(id, "/rotate"), rotation).await);
        answers.push(manager.post(&at(id, "/finish-rotation"), json!({})).await);
    }
    let wrong = json!({"kind": "whatsapp", "credentials": {"access_token": TOKEN, "app_secret": 7}});
    answers.push(manager.put(&at(&whatsapp, "/credentials"), wrong).await);
    for answer in &answers {
        for secret in secrets {
            assert!(!answer.text().contains(secret), "{secret}: {}", answer.text());
        }
        assert!(!answer.text().contains("another-secret-1"));
    }
}

#[tokio::test]
async fn lost_verify_token_is_replaced() {
    let aws = Aws::new().await;
    let (_world, town) = World::start(&aws).await;
    let manager = town.manager();
    let made = manager.post(ALL, whatsapp_in()).await;
    let whatsapp = id(&made);
    let old = made.json()["verify_token"].as_str().unwrap().to_owned();
    let renewed = manager.post(&at(&whatsapp, "/rotate"), json!({})).await;
    let new = renewed.is(200).json()["verify_token"].as_str().unwrap().to_owned();
    assert!(new.len() >= 32 && new != old);
    assert_eq!(renewed.json()["connection"]["rotating_since"], Value::Null);
    let signature = whatsapp::signature::sign(APP_SECRET, b"{}");
    let brings = |token: String| {
        let signature = signature.clone();
        move |_: &Connection, secrets: &VerifySecrets| match secrets {
            VerifySecrets::WhatsApp(domain::tenants::whatsapp::Verify {
                app_secrets,
                verify_token,
            }) => *verify_token == token && whatsapp::signature::verify(app_secrets, Some(&signature), b"{}").is_ok(),
            _ => false,
        }
    };
    assert!(
        lets_in(&town, &whatsapp, brings(new.clone())).await,
        "and events go on being signed as they were"
    );
    assert!(!lets_in(&town, &whatsapp, brings(old)).await);

    let rotation = json!({"secret": "another-secret-1"});
    let rotated = manager.post(&at(&whatsapp, "/rotate"), rotation).await;
    assert!(rotated.is(200).json()["connection"]["rotating_since"].is_string());
    assert!(!rotated.text().contains(&new), "it is shown once: {}", rotated.text());
    let since = rotated.json()["connection"]["rotating_since"].clone();
    let again = manager.post(&at(&whatsapp, "/rotate"), json!({})).await;
    assert_eq!(
        again.json()["connection"]["rotating_since"],
        since,
        "the app's secret is still being changed"
    );
}

#[tokio::test]
async fn rotation_accepts_both_secrets_until_finished() {
    let aws = Aws::new().await;
    let (_world, town) = World::start(&aws).await;
    let manager = town.manager();
    let made = manager.post(ALL, telephony_in()).await;
    let telephony = id(&made);
    let old = made.json()["secret"].as_str().unwrap().to_owned();
    let rotated = manager.post(&at(&telephony, "/rotate"), json!({})).await;
    let new = rotated.is(200).json()["secret"].as_str().unwrap().to_owned();
    assert_ne!(old, new);
    assert!(rotated.json()["connection"]["rotating_since"].is_string());
    assert!(lets_in_telephony(&town, &telephony, &old).await);
    assert!(lets_in_telephony(&town, &telephony, &new).await);
    let own = json!({"secret": "my-own-secret"});
    let refused = manager.post(&at(&telephony, "/rotate"), own).await;
    refused.names_only(&["secret"]);
    let finished = manager.post(&at(&telephony, "/finish-rotation"), json!({})).await;
    assert_eq!(finished.is(200).json()["rotating_since"], Value::Null);
    assert!(!lets_in_telephony(&town, &telephony, &old).await);
    assert!(lets_in_telephony(&town, &telephony, &new).await);
    let answer = manager.post(&at(&telephony, "/finish-rotation"), json!({})).await;
    answer.is(409);
    for _ in 0..3 {
        manager.post(&at(&telephony, "/rotate"), json!({})).await.is(200);
    }
    manager.post(&at(&telephony, "/rotate"), json!({})).await.is(409);

    let twilio = id(&manager.post(ALL, twilio_in()).await);
    let none = manager.post(&at(&twilio, "/rotate"), json!({})).await;
    none.names_only(&["secret"]);
    let given = json!({"secret": "twilio-token-two"});
    let given = manager.post(&at(&twilio, "/rotate"), given).await;
    assert!(given.is(200).json().get("secret").is_none());
    let both = |_: &Connection, secrets: &VerifySecrets| matches!(secrets, VerifySecrets::Twilio(own) if own.auth_tokens == ["twilio-token-two", TWILIO_TOKEN]);
    assert!(lets_in(&town, &twilio, both).await);
}

#[tokio::test]
async fn invalid_input_is_named_and_writes_nothing() {
    let aws = Aws::new().await;
    let (_world, town) = World::start(&aws).await;
    let manager = town.manager();
    for (mut body, field, value) in [
        (telephony_in(), "name", json!(" ")),
        (telephony_in(), "name", json!(["x"])),
        (telephony_in(), "secret", json!("mine")),
        (telephony_in(), "voice", json!({})),
        (whatsapp_in(), "waba_id", json!("../x")),
        (whatsapp_in(), "phone_number_id", json!("+97145550001")),
        (whatsapp_in(), "display_number", json!("97145550001")),
        (whatsapp_in(), "credentials", json!(null)),
        (whatsapp_in(), "credentials.access_token", json!("a b c d e f g")),
        (whatsapp_in(), "credentials.verify_token", json!("x")),
        (twilio_in(), "account_sid", json!("AC1")),
        (twilio_in(), "credentials.api_key_sid", json!("AC1")),
        (twilio_in(), "credentials.auth_token", json!("x".repeat(257))),
    ] {
        let mut place = &mut body;
        for step in field.split('.') {
            place = &mut place[step];
        }
        *place = value;
        manager.post(ALL, body).await.names_field(field);
    }
    let with = |mut body: Value, field: &str, value: Value| {
        body[field] = value;
        body
    };
    for (body, field) in [
        (json!({}), "kind"),
        (json!({"kind": "carrier-pigeon"}), "kind"),
        (json!({"kind": 7}), "kind"),
        (json!({"kind": "telephony"}), "name"),
        (with(telephony_in(), "numbers", json!(["0501234567"])), "numbers[0]"),
        (
            with(twilio_in(), "voice", json!({"handling": "forward"})),
            "voice.forward_to",
        ),
        (
            with(twilio_in(), "voice", json!({"handling": "sing"})),
            "voice.handling",
        ),
        (
            json!({"kind": "exotel", "name": "x", "account_sid": "s", "country_code": "+91"}),
            "country_code",
        ),
        (
            json!({"kind": "exotel", "name": "x", "account_sid": "s", "sources": ["localhost"]}),
            "sources[0]",
        ),
        (
            json!({"kind": "plivo", "name": "x", "auth_id": "XX", "credentials": {"auth_token": "12345678"}}),
            "auth_id",
        ),
        (
            json!({"kind": "woocommerce", "name": "x", "store": "saffron.example"}),
            "store",
        ),
        (
            json!({"kind": "shopify", "name": "x", "shop": "saffron.example"}),
            "shop",
        ),
        (
            json!({"kind": "shopify", "name": "x", "shop": SHOP, "credentials": {"signing_key": ""}}),
            "credentials.signing_key",
        ),
    ] {
        manager.post(ALL, body).await.names_field(field);
    }
    for (raw, status) in [("[]", 422), ("{", 400), ("\"x\"", 422)] {
        manager.post(ALL, json!({})).raw_body(raw).await.is(status);
    }
    let none = manager.get(ALL).await.json();
    assert_eq!(none["items"], json!([]), "nothing was written");

    let telephony = id(&manager.post(ALL, telephony_in()).await);
    let before = manager.get(&at(&telephony, "")).await;
    for (patch, field) in [
        (json!({"name": null}), "name"),
        (json!({"voice": {"handling": "greet"}}), "voice"),
        (json!({"display_number": "+97145550001"}), "display_number"),
        (json!({"numbers": ["x"]}), "numbers[0]"),
        (json!({"kind": "twilio"}), "kind"),
        (json!({"health": {"state": "healthy"}}), "health"),
    ] {
        manager.patch(&at(&telephony, ""), patch).await.names_field(field);
    }
    let other = json!({"kind": "plivo", "credentials": {"auth_token": "12345678"}});
    let answer = manager.put(&at(&telephony, "/credentials"), other).await;
    answer.names_only(&["kind"]);
    assert_eq!(manager.get(&at(&telephony, "")).await.text(), before.text());
}

/// A proof about the account stays.
#[tokio::test]
async fn tenant_confirms_rules_of_countries_for_sms() {
    let aws = Aws::new().await;
    let (_world, town) = World::start(&aws).await;
    let manager = town.manager();
    let twilio = at(&id(&manager.post(ALL, twilio_in()).await), "");
    let telephony = at(&id(&manager.post(ALL, telephony_in()).await), "");
    let before = manager.get(&twilio).await.is(200).json();
    assert_eq!(before["confirmed_rules"], Value::Null);
    let rule = |country: &str, rule: &str| json!({"country": country, "rule": rule});
    let change = |rules: Value| json!({"confirmed_rules": rules});
    let confirmed = json!([rule("IN", "registration"), rule("AE", "links")]);
    let after = manager.patch(&twilio, change(confirmed.clone())).await.is(200).json();
    assert_eq!(
        json!([after["confirmed_rules"], after["last_test"]]),
        json!([confirmed, before["last_test"]])
    );
    for (wrong, field) in [
        (
            json!([rule("IN", "registration"), rule("IN", "registration")]),
            "confirmed_rules[1]",
        ),
        (json!([rule("India", "registration")]), "confirmed_rules[0].country"),
        (json!([rule("IN", "all")]), "confirmed_rules[0].rule"),
        (json!(vec![rule("IN", "links"); 101]), "confirmed_rules"),
    ] {
        manager.patch(&twilio, change(wrong)).await.names_field(field);
    }
    manager
        .patch(&telephony, change(confirmed))
        .await
        .names_field("confirmed_rules");
    let after = manager.patch(&twilio, change(Value::Null)).await.is(200).json();
    assert_eq!(after["confirmed_rules"], Value::Null);
}

#[tokio::test]
async fn each_kind_of_rule_can_be_confirmed() {
    let aws = Aws::new().await;
    let (_world, town) = World::start(&aws).await;
    let manager = town.manager();
    let twilio = at(&id(&manager.post(ALL, twilio_in()).await), "");
    let kinds = RuleKind::ALL.into_iter().filter(|kind| *kind != RuleKind::Unknown);
    let all: Vec<Value> = kinds.map(|rule| json!({"country": "AE", "rule": rule})).collect();
    let changed = manager.patch(&twilio, json!({ "confirmed_rules": all })).await;
    assert_eq!(changed.is(200).json()["confirmed_rules"], json!(all));
}

/// Each is told what to do with letters that are given elsewhere, too.
#[tokio::test]
async fn letters_are_senders_by_country() {
    let aws = Aws::new().await;
    let (_world, town) = World::start(&aws).await;
    let manager = town.manager();
    let twilio = at(&id(&manager.post(ALL, twilio_in()).await), "");
    let telephony = at(&id(&manager.post(ALL, telephony_in()).await), "");
    let before = manager.get(&twilio).await.is(200).json();
    let letters = |country: &str, sender: &str| json!({"country": country, "sender": sender});
    let own = json!([{"country": "AE", "sender": "SAFFRON", "promotion": "AD-SAFFRON", "registered": true}]);
    let after = manager.patch(&twilio, json!({ "letters": own })).await.is(200).json();
    assert_eq!(
        json!([after["letters"], after["numbers"], after["last_test"]]),
        json!([own, before["numbers"], null])
    );
    for (wrong, field) in [
        (
            json!([letters("AE", "SAFFRON"), letters("AE", "OTHER")]),
            "letters[1].country",
        ),
        (json!([letters("US", "SAFFRON")]), "letters[0].country"),
        (json!([letters("JM", "SAFFRON")]), "letters[0].country"),
        (json!([letters("ZZ", "SAFFRON")]), "letters[0].country"),
        (json!([letters("GG", "SAFFRON")]), "letters[0].country"),
        (json!([letters("Emirates", "SAFFRON")]), "letters[0].country"),
        (json!([letters("AE", "SAFFRONBAKERY")]), "letters[0].sender"),
        (json!([letters("AE", "12345")]), "letters[0].sender"),
        (
            json!([{"country": "AE", "sender": "A", "promotion": "٪"}]),
            "letters[0].promotion",
        ),
        (json!(vec![letters("AE", "A"); 101]), "letters"),
    ] {
        manager
            .patch(&twilio, json!({ "letters": wrong }))
            .await
            .names_field(field);
    }
    for (field, wrong, named) in [
        ("numbers", json!(["SAFFRON"]), "numbers[0]"),
        ("messaging_service_sid", json!("SAFFRON"), "messaging_service_sid"),
    ] {
        let answer = manager.patch(&twilio, json!({ field: wrong })).await;
        answer.names_field(named);
        assert!(answer.text().contains("belong in `letters`"), "{}", answer.text());
    }
    manager
        .patch(&telephony, json!({ "letters": own }))
        .await
        .names_field("letters");
    let after = manager.patch(&twilio, json!({ "letters": null })).await.is(200).json();
    assert_eq!(after["letters"], Value::Null);
}

#[tokio::test]
async fn name_has_no_invisible_characters() {
    let aws = Aws::new().await;
    let (_world, town) = World::start(&aws).await;
    for hidden in ['\u{202e}', '\u{200b}', '\u{2066}', '\u{feff}'] {
        let name = format!("Front{hidden} desk");
        let body = json!({"kind": "telephony", "name": name});
        town.manager().post(ALL, body).await.names_only(&["name"]);
    }
    let joined = json!({"kind": "telephony", "name": "می\u{200c}خواهم"});
    let id = id(&town.manager().post(ALL, joined).await);
    let hidden = json!({"name": "Desk\u{202e}"});
    town.manager().patch(&at(&id, ""), hidden).await.names_only(&["name"]);
}

#[tokio::test]
async fn stale_update_is_refused_and_changes_raise_version() {
    let aws = Aws::new().await;
    let (_world, town) = World::start(&aws).await;
    let manager = town.manager();
    let tenants = async || {
        let tenant = aws.store().tenant(town.home.scope()).await.unwrap();
        tenant.unwrap().config_version
    };
    let zero = tenants().await;
    let made = manager.post(ALL, telephony_in()).await;
    let telephony = id(&made);
    let version = made.version();
    let one = tenants().await;
    assert!(one > zero);
    let stale = [
        manager
            .patch(&at(&telephony, ""), json!({"name": "B"}))
            .if_match(version + 1)
            .await,
        manager.delete(&at(&telephony, "")).if_match(version + 1).await,
        manager
            .post(&at(&telephony, "/rotate"), json!({}))
            .if_match(version + 1)
            .await,
    ];
    assert_eq!(stale.map(|answer| answer.status()), [412, 412, 412]);
    assert_eq!(tenants().await, one);
    let changed = manager
        .patch(&at(&telephony, ""), json!({"name": "B", "numbers": ["+97145550001"]}))
        .if_match(version)
        .await;
    assert_eq!(changed.is(200).json()["numbers"], json!(["+97145550001"]));
    let two = tenants().await;
    assert!(two > one);
    let known = aws.store().connections(town.home.scope()).await.unwrap().remove(0);
    manager.delete(&at(&telephony, "")).await.is(204);
    assert!(tenants().await > two);
    let pause = |current| Connection {
        paused_until: Some(aws.now()),
        ..current
    };
    let noted = aws.store().change_connection(town.home.scope(), &known, pause).await;
    assert!(!noted.unwrap(), "a send that was under way does not bring it back");
    for answer in [
        manager.get(&at(&telephony, "")).await,
        manager.delete(&at(&telephony, "")).await,
        manager.post(&at(&telephony, "/test"), json!({})).await,
    ] {
        answer.is(404);
    }
    assert_eq!(manager.get(ALL).await.json()["items"], json!([]));
    assert!(
        !lets_in(&town, &telephony, |_, _| true).await,
        "its webhooks are refused"
    );
}

#[tokio::test]
async fn foreign_connections_are_hidden_and_readers_cannot_write() {
    let aws = Aws::new().await;
    let (_world, town) = World::start(&aws).await;
    let telephony = id(&town.manager().post(ALL, telephony_in()).await);
    let change = json!({"name": "Mine"});
    let credentials = json!({"kind": "plivo", "credentials": {"auth_token": "12345678"}});
    let path = |end: &str| at(&telephony, end);
    let stranger = town.foreign_admin();
    for answer in [
        stranger.get(&path("")).await,
        stranger.get(&path("/webhooks")).await,
        stranger.patch(&path(""), change.clone()).await,
        stranger.put(&path("/credentials"), credentials.clone()).await,
        stranger.post(&path("/rotate"), json!({})).await,
        stranger.post(&path("/finish-rotation"), json!({})).await,
        stranger.post(&path("/test"), json!({})).await,
        stranger.delete(&path("")).await,
    ] {
        answer.is(404);
    }
    assert_eq!(stranger.get(ALL).await.json()["items"], json!([]));
    for role in [Role::Viewer, Role::Agent] {
        let caller = town.role(role);
        caller.get(ALL).await.is(200);
        caller.get(&path("")).await.is(200);
        for answer in [
            caller.post(ALL, telephony_in()).await,
            caller.patch(&path(""), change.clone()).await,
            caller.put(&path("/credentials"), credentials.clone()).await,
            caller.post(&path("/rotate"), json!({})).await,
            caller.post(&path("/finish-rotation"), json!({})).await,
            caller.post(&path("/test"), json!({})).await,
            caller.delete(&path("")).await,
        ] {
            answer.is(403);
        }
    }
    town.manager().get("/api/v1/connections/conn_1").await.is(404);
}

#[tokio::test]
async fn whatsapp_number_belongs_to_one_connection() {
    let aws = Aws::new().await;
    let (_world, town) = World::start(&aws).await;
    let manager = town.manager();
    let mut guessed = whatsapp_in();
    guessed["credentials"]["access_token"] = json!("a-token-of-nobody");
    let squatter = town.foreign_admin().post(ALL, guessed).await;
    assert_tested(&squatter, "failed");
    assert_eq!(squatter.json()["connection"]["health"]["state"], "unhealthy");

    let whatsapp = id(&manager.post(ALL, whatsapp_in()).await);
    let owner = owner(&aws).await;
    assert_eq!(
        owner.map(|owner| owner.connection.to_string()),
        Some(whatsapp.clone()),
        "naming ids is not enough"
    );
    let twice = manager.post(ALL, whatsapp_in()).await;
    assert!(twice.is(409).text().contains(&whatsapp));
    town.foreign_admin().delete(&at(&id(&squatter), "")).await.is(204);
    let taken = town.foreign_admin().post(ALL, whatsapp_in()).await;
    assert!(
        !taken.is(409).text().contains("tnt_") && !taken.text().contains("conn_"),
        "never whose"
    );
    manager.delete(&at(&whatsapp, "")).await.is(204);
    for number in [world::NUMBER_ID, ""] {
        let owner = aws.store().whatsapp_owner_before_scope(world::WABA, number).await;
        assert_eq!(owner.expect("the table answers"), None, "{number:?} has no owner");
    }
    // It is free again.
    town.foreign_admin().post(ALL, whatsapp_in()).await.is(201);
}

/// A tenant receives a shared app's events for a number as long as it can prove that the number is its own.
#[tokio::test]
async fn refusal_by_provider_releases_the_number() {
    let aws = Aws::new().await;
    let (world, town) = World::start(&aws).await;
    let manager = town.manager();
    let whatsapp = id(&manager.post(ALL, whatsapp_in()).await);
    let test = async || manager.post(&at(&whatsapp, "/test"), json!({})).await.json()["last_test"]["result"].clone();
    let held = async || owner(&aws).await.map(|owner| owner.connection.to_string());
    // Whoever cannot be asked, or is asked too often, has not refused.
    for (fault, result) in [
        ("server_error", "unclear"),
        ("timeout_before", "unclear"),
        ("throttled", "failed"),
    ] {
        world.fault("graph", fault).await;
        assert_eq!(test().await, result, "{fault}");
        assert_eq!(held().await, Some(whatsapp.clone()), "{fault}");
        world.no_faults().await;
    }
    world.fault("graph", "bad_credentials").await;
    assert_eq!(test().await, "failed");
    world.no_faults().await;
    for number in [world::NUMBER_ID, ""] {
        let owner = aws.store().whatsapp_owner_before_scope(world::WABA, number).await;
        assert_eq!(owner.expect("the table answers"), None, "{number:?}");
    }
    // It is the tenant's again with the next test that passes, unless somebody else's by then.
    assert_eq!(test().await, "passed");
    assert_eq!(held().await, Some(whatsapp.clone()));
    let wrong = json!({"kind": "whatsapp", "credentials": {"access_token": "an-old-token", "app_secret": APP_SECRET}});
    manager.put(&at(&whatsapp, "/credentials"), wrong).await.is(200);
    let other = id(&town.foreign_admin().post(ALL, whatsapp_in()).await);
    assert_eq!(held().await, Some(other.clone()));
    // Who lost it takes nothing from who has it: neither by a test nor by disconnecting.
    assert_eq!(test().await, "failed");
    assert_eq!(held().await, Some(other.clone()));
    manager.delete(&at(&whatsapp, "")).await.is(204);
    assert_eq!(held().await, Some(other));
}

/// Meta also refuses owners who must pay, are blocked for a while, or whose token may not see the account's apps.
#[tokio::test]
async fn inconclusive_refusal_keeps_the_number() {
    let graph = graph::Graph::start().await;
    let aws = Aws::new().await;
    let (_world, town) = World::start_with(&aws, &[("GRAPH_API_URL", &graph.url())]).await;
    let manager = town.manager();
    let made = manager.post(ALL, whatsapp_in()).await;
    assert_tested(&made, "passed");
    let whatsapp = id(&made);
    let held = async || owner(&aws).await.map(|owner| owner.connection.to_string());
    for (path, code) in [
        (world::NUMBER_ID, 131042),
        (world::NUMBER_ID, 131031),
        (world::NUMBER_ID, 368),
        (world::WABA, 131037),
        (world::WABA, 133010),
        ("subscribed_apps", 10),
        ("subscribed_apps", 190),
    ] {
        graph.refuses(path, code).await;
        let tested = manager.post(&at(&whatsapp, "/test"), json!({})).await.json();
        assert_eq!(tested["last_test"]["result"], "failed", "{code}: {tested}");
        assert_eq!(held().await, Some(whatsapp.clone()), "{path} {code}");
    }
    graph.refuses(world::WABA, 200).await;
    let tested = manager.post(&at(&whatsapp, "/test"), json!({})).await;
    assert_tested(&tested, "failed");
    assert_eq!(held().await, None);
}

/// If two tenants connect a number at the same time, one gets it and the other is refused.
#[tokio::test]
async fn one_of_two_tenants_wins_a_number() {
    let aws = Aws::new().await;
    let (_world, town) = World::start(&aws).await;
    let (home, away) = (town.manager(), town.foreign_admin());
    let (home, away) = tokio::join!(home.post(ALL, whatsapp_in()), away.post(ALL, whatsapp_in()));
    let owner = owner(&aws).await.unwrap();
    let passed = [(&home, town.home.tenant), (&away, town.away.tenant)]
        .into_iter()
        .filter(|(answer, tenant)| {
            let passed = answer.status() == 201 && answer.json()["connection"]["last_test"]["result"] == "passed";
            assert_eq!(passed, owner.tenant == *tenant, "{}", answer.text());
            passed
        });
    assert_eq!(passed.count(), 1);
}

#[tokio::test]
async fn test_reports_the_provider_and_never_fails() {
    let aws = Aws::new().await;
    let (world, town) = World::start(&aws).await;
    let manager = town.manager();
    let whatsapp = id(&manager.post(ALL, whatsapp_in()).await);
    let twilio = id(&manager.post(ALL, twilio_in()).await);
    let telephony = id(&manager.post(ALL, telephony_in()).await);
    for (id, api) in [(&whatsapp, "graph"), (&twilio, "twilio")] {
        for (fault, result, health) in [
            ("server_error", "unclear", "healthy"),
            ("timeout_before", "unclear", "healthy"),
            ("throttled", "failed", "healthy"),
            ("bad_credentials", "failed", "unhealthy"),
        ] {
            world.fault(api, fault).await;
            let tested = manager.post(&at(id, "/test"), json!({})).await;
            assert_eq!(tested.status(), 200, "{api} {fault}: {}", tested.text());
            let body = tested.json();
            assert_eq!(body["last_test"]["result"], result, "{api} {fault}: {body}");
            assert_eq!(body["health"]["state"], health, "{api} {fault}: {body}");
            let terms = (api == "graph").then_some("accepted");
            assert_eq!(body["marketing_terms"], json!(terms), "as it was told before: {body}");
            assert!(body["last_test"]["message"].as_str().unwrap().len() > 20);
            world.no_faults().await;
        }
        let tested = manager.post(&at(id, "/test"), json!({})).await;
        assert_tested(&tested, "passed");
        assert_eq!(tested.json()["health"]["state"], "healthy");
    }
    let waiting = manager.post(&at(&telephony, "/test"), json!({})).await;
    assert_tested(&waiting, "waiting");

    let numbers = json!({"numbers": ["+15005550099"]});
    let moved = manager.patch(&at(&twilio, ""), numbers).await;
    assert_eq!(
        moved.is(200).json()["last_test"],
        Value::Null,
        "what the test said was of other numbers"
    );
    let tested = manager.post(&at(&twilio, "/test"), json!({})).await;
    assert_tested(&tested, "failed");
    assert!(tested.text().contains("+15005550099"), "{}", tested.text());

    let wrong = json!({"kind": "whatsapp", "credentials": {"access_token": "an-old-token", "app_secret": APP_SECRET}});
    let set = manager.put(&at(&whatsapp, "/credentials"), wrong).await;
    assert_tested(set.is(200), "failed");
    assert_eq!(set.json()["health"]["state"], "unhealthy");
}

/// Working credentials are replaced only by ones that the provider accepts, or that no API can check.
#[tokio::test]
async fn accepted_credentials_only_replace_others_on_demand() {
    let aws = Aws::new().await;
    let (world, town) = World::start(&aws).await;
    let manager = town.manager();
    let twilio = id(&manager.post(ALL, twilio_in()).await);
    let path = at(&twilio, "/credentials?if_accepted=true");
    let given = |secret: &str| {
        let mut credentials = twilio_in()["credentials"].clone();
        credentials["api_key_secret"] = json!(secret);
        json!({"kind": "twilio", "credentials": credentials})
    };
    let stored = async || {
        let row = aws.store().connection(town.home.scope(), twilio.parse().unwrap()).await;
        row.unwrap().unwrap()
    };
    let before = stored().await;
    for (fault, secret, code) in [
        (None, "api-key-secret-2", "wrong_secret"),
        (Some("server_error"), "api-key-secret-1", "invalid"),
        (Some("timeout_before"), "api-key-secret-1", "invalid"),
        (Some("throttled"), "api-key-secret-1", "invalid"),
    ] {
        if let Some(fault) = fault {
            world.fault("twilio", fault).await;
        }
        let answer = manager.put(&path, given(secret)).await;
        answer.names_only(&["credentials"]);
        let error = answer.json()["errors"][0].clone();
        assert_eq!(error["code"], code, "{fault:?}: {error}");
        assert!(error["detail"].as_str().unwrap().contains("Twilio"), "{error}");
        assert_eq!(stored().await, before, "{fault:?}");
        world.no_faults().await;
    }
    let set = manager.put(&path, given("api-key-secret-1")).await;
    assert_tested(set.is(200), "passed");
    assert_eq!(stored().await.credentials_version, before.credentials_version + 1);

    // A number that the account does not have is no fault of the credentials.
    let numbers = json!({"numbers": ["+15005550099"]});
    manager.patch(&at(&twilio, ""), numbers).await.is(200);
    let set = manager.put(&path, given("api-key-secret-1")).await;
    assert_tested(set.is(200), "failed");
    // Whoever insists gets them stored.
    let set = manager
        .put(&at(&twilio, "/credentials"), given("api-key-secret-2"))
        .await;
    assert_tested(set.is(200), "failed");
    assert_eq!(set.json()["health"]["state"], "unhealthy");

    let aircall = id(&manager
        .post(
            ALL,
            json!({"kind": "aircall", "name": "A", "credentials": {"token": "aircall-token-1"}}),
        )
        .await);
    let path = at(&aircall, "/credentials?if_accepted=true");
    let token = json!({"kind": "aircall", "credentials": {"token": "aircall-token-2"}});
    assert_tested(manager.put(&path, token).await.is(200), "waiting");
    let key = json!({"token": "aircall-token-2", "api_key": {"api_id": "api-key-1", "api_token": "wrong-token"}});
    let refused = manager.put(&path, json!({"kind": "aircall", "credentials": key})).await;
    refused.names_only(&["credentials"]);
}

#[tokio::test]
async fn a_tenant_has_at_most_fifty_connections() {
    let aws = Aws::new().await;
    let (_world, town) = World::start(&aws).await;
    let manager = town.manager();
    for _ in 0..50 {
        manager.post(ALL, telephony_in()).await.is(201);
    }
    let more = manager.post(ALL, telephony_in()).await;
    more.is_refused(409, "limit_reached");
}

#[tokio::test]
async fn answers_about_connections_keep_their_shape() {
    let aws = Aws::new().await;
    let (_world, town) = World::start(&aws).await;
    let manager = town.manager();
    for body in [
        whatsapp_in(),
        twilio_in(),
        telephony_in(),
        json!({"kind": "aircall", "name": "A", "numbers": [LINE], "credentials": {"token": "aircall-token-1"}}),
        json!({"kind": "vonage", "name": "V", "api_key": "abcd1234", "credentials": {"signature_secret": "vonage-secret-1"}}),
        json!({"kind": "exotel", "name": "E", "account_sid": "saffron1"}),
        json!({"kind": "plivo", "name": "P", "auth_id": AUTH_ID, "credentials": {"auth_token": API_SECRET}}),
        json!({"kind": "shopify", "name": "S", "shop": SHOP, "credentials": {"signing_key": API_SECRET}}),
    ] {
        let made = manager.post(ALL, body.clone()).await;
        let read = manager.get(made.header("location")).await;
        assert_snapshot(body["kind"].as_str().unwrap(), &[&made, &read]);
    }
    let refused = manager.post(ALL, json!({"kind": "telephony"})).await;
    assert_snapshot("refused", &[&refused]);
}
