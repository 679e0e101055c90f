//! Meta's webhooks, in process against the emulator's table and queues.

use domain::tenants::{Account, RefusedBecause, SecretPurpose, VerifySecrets, whatsapp};
use jiff::SignedDuration;
use jobs::{EventSource, Payload, ProviderEvent};
use kit::{Env, QueueName};
use providers::whatsapp::signature::sign;
use providers::whatsapp::webhook::Change;
use serde_json::{Value, json};
use testkit::seed::{self, APP_SECRET, PHONE_NUMBER_ID, WABA};
use testkit::webhook::{Webhook, World, too_large};
use testkit::{Aws, Call, Function, Seeded, fixtures};
use whatsapp_webhook::routes;

const SHARED: &str = "/webhooks/whatsapp";

fn path(tenant: &Seeded) -> String {
    format!("{SHARED}/{}/{}", tenant.tenant(), tenant.whatsapp)
}

async fn world() -> World {
    Webhook::new("whatsapp", routes)
        .with_seeded(|tenant| tenant.whatsapp)
        .await
}

fn signed_by(secret: &str, path: &str, body: &[u8]) -> Call {
    Call::json(path, body).header("x-hub-signature-256", &sign(secret, body))
}

fn signed_request(path: &str, body: &[u8]) -> Call {
    signed_by(APP_SECRET, path, body)
}

async fn events(aws: &Aws) -> Vec<ProviderEvent> {
    aws.take_jobs(QueueName::ProviderEvents).await
}

fn change(event: &ProviderEvent) -> Change {
    match &event.payload {
        Payload::Inline(json) => serde_json::from_str(json).expect("it is a change"),
        Payload::Stored(key) => panic!("stored as {key}"),
    }
}

// ---- The handshake ------------------------------------------------------------------------------------------------

#[tokio::test]
async fn the_handshake_vectors_hold() {
    let world = world().await;
    let vectors = fixtures::json("vectors/meta_verify_handshake.json");
    for vector in vectors["vectors"].as_array().expect("a list") {
        let query = vector["query"].as_str().expect("text");
        let answer = world.call(&Call::get(&format!("{}?{query}", world.path()))).await;
        assert_eq!(u64::from(answer.status()), vector["status"], "{vector}");
        if let Some(body) = vector["body"].as_str() {
            assert_eq!(answer.text(), body);
            assert!(answer.header("content-type").starts_with("text/plain"), "{vector}");
        }
    }
}

#[tokio::test]
async fn handshake_of_an_unknown_connection_is_forbidden() {
    let mut world = world().await;
    let query = "hub.mode=subscribe&hub.challenge=1&hub.verify_token=fixture-verify-token";
    let own = world.path();
    let wrong = format!("{own}?{}", query.replace("fixture", "other"));
    let wrong = world.call(&Call::get(&wrong)).await;
    let stranger = world.stranger().await;
    let unknown = own.replace(&world.tenant.tenant().to_string(), &stranger.tenant().to_string());
    let other_kind = own.replace(&world.connection.to_string(), &world.tenant.twilio.to_string());
    for path in [&unknown, &other_kind, SHARED, "/webhooks/whatsapp/a/b"] {
        let answer = world.call(&Call::get(&format!("{path}?{query}"))).await;
        assert_eq!((answer.status(), answer.json()), (403, wrong.json()), "{path}");
    }
}

// ---- A connection's own URL ---------------------------------------------------------------------------------------

#[tokio::test]
async fn every_change_of_the_connection_is_queued_byte_for_byte() {
    let world = world().await;
    for folder in ["inbound", "status", "account"] {
        for name in fixtures::names(&format!("whatsapp/{folder}")) {
            let body = fixtures::bytes(&name);
            let answer = world.call(&signed_request(&world.path(), &body)).await;
            assert_eq!((answer.status(), answer.text()), (200, ""), "{name}");
            let text = String::from_utf8(body).expect("UTF-8");
            let of_other = text.contains("910000000000002");
            let events = events(&world.aws).await;
            assert_eq!(events.is_empty(), of_other, "{name}");
            for event in events {
                assert_eq!(
                    (event.tenant, event.connection),
                    (world.tenant.tenant(), world.connection)
                );
                assert_eq!(event.source, EventSource::WhatsApp);
                let change = change(&event);
                let expected = (WABA, Some(world.aws.now()));
                assert_eq!((change.waba_id.as_str(), change.received_at), expected);
                assert!(text.contains(&change.raw), "{name}");
            }
        }
    }
    world.assert_nothing_is_left().await;
}

#[tokio::test]
async fn post_is_split_and_foreign_changes_are_ignored() {
    let world = world().await;
    for (fixture, expected) in [
        ("duplicate_of_inbound_text", 2),
        ("empty_entry", 0),
        ("known_and_unknown_tenant", 1),
        ("same_waba_two_phone_numbers", 1),
        ("several_messages_in_one_change", 1),
        ("statuses_out_of_order", 3),
        ("two_tenants_messages_and_statuses", 2),
        ("unknown_field_next_to_message", 2),
    ] {
        let body = fixtures::bytes(&format!("whatsapp/batch/{fixture}.json"));
        assert_eq!(
            world.status(&signed_request(&world.path(), &body)).await,
            200,
            "{fixture}"
        );
        let events = events(&world.aws).await;
        assert_eq!(events.len(), expected, "{fixture}");
        for event in events {
            let number = change(&event).phone_number_id;
            assert!(number.is_none_or(|number| number == PHONE_NUMBER_ID), "{fixture}");
        }
    }
    world.assert_nothing_is_left().await;
}

#[tokio::test]
async fn unreadable_signed_post_is_stored_and_acknowledged() {
    let world = world().await;
    let wrong_object = fixtures::bytes("whatsapp/batch/wrong_object.json");
    let half = fixtures::bytes("whatsapp/inbound/text.json")[..100].to_vec();
    let entry = br#"{"object":"whatsapp_business_account","entry":[7,{"id":"900000000000001","changes":["odd"]}]}"#;
    for body in [&wrong_object[..], &half, entry] {
        assert_eq!(world.status(&signed_request(&world.path(), body)).await, 200);
    }
    let mut expected = [&wrong_object[..], &half, b"7", b"\"odd\""];
    expected.sort_unstable();
    assert_eq!(world.unreadable_bodies().await, expected);
    world.assert_nothing_is_queued().await;
}

#[tokio::test]
async fn unauthenticated_post_is_refused_without_a_trace() {
    let world = world().await;
    let body = fixtures::bytes("whatsapp/inbound/text.json");
    let path = world.path();
    let value = sign(APP_SECRET, &body);
    let mut calls = vec![
        ("no signature".to_owned(), Call::json(&path, &body)),
        (
            "changed".to_owned(),
            Call::json(&path, [&body[..], b" "].concat()).header("x-hub-signature-256", &value),
        ),
        ("no shared app".to_owned(), signed_request(SHARED, &body)),
    ];
    let vectors = fixtures::json("vectors/meta_x_hub_signature_256.json");
    for vector in vectors["vectors"].as_array().expect("a list") {
        let body = vector["body"].as_str().expect("text");
        let header = vector["header_x_hub_signature_256"].as_str().unwrap_or_default();
        // Valid vectors are also signed with our secret, some of them with additional ones.
        if vector["valid"] == false {
            let call = Call::json(&path, body).header("x-hub-signature-256", header);
            calls.push((vector["name"].to_string(), call));
        }
    }
    assert!(calls.len() > 10);
    world
        .assert_refused(&calls, |connection| signed_request(connection, &body))
        .await;
}

/// The change of the text fixture with its messages repeated up to about this many bytes.
fn large(bytes: usize) -> Vec<u8> {
    let mut post = fixtures::json("whatsapp/inbound/text.json");
    let messages = post["entry"][0]["changes"][0]["value"]["messages"]
        .as_array_mut()
        .expect("a list");
    let one = messages[0].clone();
    let size = one.to_string().len() + 8;
    while messages.len() * size < bytes {
        let mut next = one.clone();
        next["id"] = format!("wamid.{:07}", messages.len()).into();
        messages.push(next);
    }
    serde_json::to_vec(&post).expect("JSON")
}

/// A job processes its items one by one and has 30 seconds.
#[tokio::test]
async fn largest_change_becomes_jobs_of_at_most_fifty_items() {
    let world = world().await;
    let body = large(2_900_000);
    assert!((2_500_000..3 * 1024 * 1024).contains(&body.len()), "{}", body.len());
    assert_eq!(world.status(&signed_request(&world.path(), &body)).await, 200);
    let post: Value = serde_json::from_slice(&body).expect("JSON");
    let value = &post["entry"][0]["changes"][0]["value"];
    let mut expected: Vec<_> = value["messages"].as_array().expect("a list").clone();
    let mut found = Vec::new();
    for event in events(&world.aws).await {
        let piece: Value = serde_json::from_str(&change(&event).raw).expect("JSON");
        let messages = piece["value"]["messages"].as_array().expect("a list");
        assert!((1..=50).contains(&messages.len()), "{}", messages.len());
        assert_eq!(piece["value"]["metadata"], value["metadata"]);
        assert_eq!(piece["value"]["contacts"], value["contacts"]);
        found.extend(messages.clone());
    }
    let by_id = |message: &Value| message["id"].as_str().map(str::to_owned);
    expected.sort_by_key(by_id);
    found.sort_by_key(by_id);
    assert!(found == expected, "{} of {}", found.len(), expected.len());
    world.assert_nothing_is_left().await;
}

#[tokio::test]
async fn too_large_item_is_queued_through_the_bucket() {
    let world = world().await;
    let mut post = fixtures::json("whatsapp/inbound/text.json");
    post["entry"][0]["changes"][0]["value"]["messages"][0]["text"]["body"] = "x".repeat(300_000).into();
    assert_eq!(
        world
            .status(&signed_request(&world.path(), post.to_string().as_bytes()))
            .await,
        200
    );
    let events = events(&world.aws).await;
    let [
        ProviderEvent {
            payload: Payload::Stored(key),
            ..
        },
    ] = &events[..]
    else {
        panic!("{} events", events.len());
    };
    let objects = world.aws.objects("raw/large/whatsapp/").await;
    let change: Change = serde_json::from_slice(&objects[key]).expect("it is a change");
    let piece: Value = serde_json::from_str(&change.raw).expect("JSON");
    assert_eq!(piece["value"], post["entry"][0]["changes"][0]["value"]);
}

/// Storing each of a million changes would take an hour.
#[tokio::test]
async fn post_with_many_unreadable_changes_is_stored_whole() {
    let world = world().await;
    let good = fixtures::json("whatsapp/inbound/text.json")["entry"][0].clone();
    let mut entries = vec![json!(7); 5_000];
    entries.push(good);
    let body = json!({ "object": "whatsapp_business_account", "entry": entries }).to_string();
    assert_eq!(world.status(&signed_request(&world.path(), body.as_bytes())).await, 200);
    assert_eq!(world.unreadable_bodies().await, [body.into_bytes()]);
    assert_eq!(events(&world.aws).await.len(), 1, "what can be read is worked");
    let body = json!({ "object": "whatsapp_business_account", "entry": vec![7; 1_000_000] }).to_string();
    assert_eq!(world.status(&signed_request(&world.path(), body.as_bytes())).await, 200);
    assert_eq!(world.unreadable_bodies().await.len(), 2);
    world.assert_nothing_is_queued().await;
}

#[tokio::test]
async fn refused_job_is_spilled() {
    let world = world().await;
    let post = signed_request(&world.path(), &large(10));
    world.assert_spilled(&post, QueueName::ProviderEvents).await;
}

#[tokio::test]
async fn small_change_is_queued_directly() {
    let world = world().await;
    assert_eq!(world.status(&signed_request(&world.path(), &large(9_000))).await, 200);
    assert_eq!(events(&world.aws).await.len(), 1);
    world.assert_nothing_is_left().await;
}

#[tokio::test]
async fn size_method_and_type_are_checked() {
    let world = world().await;
    for path in [world.path().as_str(), SHARED] {
        assert_eq!(world.status(&signed_request(path, &too_large())).await, 413);
        world.assert_takes_only("GET,HEAD,POST", &Call::new("PUT", path)).await;
        assert_eq!(world.status(&Call::form(path, "a=b")).await, 415);
    }
}

// ---- One Meta app for many tenants --------------------------------------------------------------------------------

const SHARED_SECRET: &str = "shared-app-secret";

/// Two tenants behind one app. Only the first has claimed the whole account, so only it gets template events.
async fn shared_world() -> (Aws, Env, Seeded, Seeded) {
    let aws = Aws::new().await;
    let name = format!("meta-{}", aws.ids().ulid());
    let secret = json!({"app_secret": SHARED_SECRET, "verify_token": "shared-token"}).to_string();
    let create = aws
        .env()
        .secrets_manager()
        .create_secret()
        .name(&name)
        .secret_string(secret);
    create.send().await.expect("a secret is made");
    let env = aws.env_with(&[("META_APP_SECRET_ID", &name)]);
    let first = seed::tenant(&aws).await;
    let mut second = seed::tenant(&aws).await;
    let whatsapp = second.whatsapp;
    if let Account::WhatsApp(whatsapp::Account {
        waba_id,
        phone_number_id,
        ..
    }) = &mut second.connection_mut(whatsapp).account
    {
        "900000000000002".clone_into(waba_id);
        "910000000000002".clone_into(phone_number_id);
    }
    second.write(&aws).await;
    let claims = [
        (&first, WABA, PHONE_NUMBER_ID),
        (&first, WABA, ""),
        (&second, "900000000000002", "910000000000002"),
    ];
    for (tenant, waba, number) in claims {
        let claimed = aws
            .store()
            .claim_whatsapp_number(tenant.scope(), waba, number, tenant.whatsapp)
            .await;
        claimed.expect("the number is claimed");
    }
    (aws, env, first, second)
}

#[tokio::test]
async fn a_shared_apps_changes_go_to_their_owners() {
    let (aws, env, first, second) = shared_world().await;
    let function = Function::new(&env, routes);
    let query = "hub.mode=subscribe&hub.challenge=42&hub.verify_token=shared-token";
    assert_eq!(
        function.call(&Call::get(&format!("{SHARED}?{query}"))).await.text(),
        "42"
    );
    let body = fixtures::bytes("whatsapp/batch/two_tenants_messages_and_statuses.json");
    function.call(&signed_by(SHARED_SECRET, SHARED, &body)).await.is(200);
    let events = events(&aws).await;
    let owners = |tenant: &Seeded| {
        events
            .iter()
            .filter(|event| event.connection == tenant.whatsapp)
            .count()
    };
    assert_eq!((events.len(), owners(&first), owners(&second)), (4, 2, 2));
    for event in &events {
        let expected = if event.tenant == first.tenant() {
            PHONE_NUMBER_ID
        } else {
            "910000000000002"
        };
        assert_eq!(change(event).phone_number_id.as_deref(), Some(expected));
    }
}

#[tokio::test]
async fn a_shared_apps_template_events_go_to_the_accounts_owner() {
    let (aws, env, first, _) = shared_world().await;
    let function = Function::new(&env, routes);
    let body = fixtures::bytes("whatsapp/account/template_status_approved.json");
    function.call(&signed_by(SHARED_SECRET, SHARED, &body)).await.is(200);
    let events = events(&aws).await;
    assert_eq!(
        events.iter().map(|event| event.connection).collect::<Vec<_>>(),
        [first.whatsapp]
    );
}

/// Events signed with the shared secret are ignored for numbers that no connection claims, or no longer claims.
#[tokio::test]
async fn shared_secret_opens_only_claimed_numbers() {
    let (aws, env, mut first, _) = shared_world().await;
    let function = Function::new(&env, routes);
    let unknown = fixtures::bytes("whatsapp/batch/known_and_unknown_tenant.json");
    function.call(&signed_by(SHARED_SECRET, SHARED, &unknown)).await.is(200);
    assert_eq!(events(&aws).await.len(), 1, "the known tenant's");
    // The connection got another number, so the row that leads to it is stale.
    let whatsapp = first.whatsapp;
    if let Account::WhatsApp(whatsapp::Account { phone_number_id, .. }) = &mut first.connection_mut(whatsapp).account {
        "910000000000099".clone_into(phone_number_id);
    }
    first.write(&aws).await;
    aws.clock().advance(SignedDuration::from_mins(5));
    let body = fixtures::bytes("whatsapp/inbound/text.json");
    function.call(&signed_by(SHARED_SECRET, SHARED, &body)).await.is(200);
    assert!(events(&aws).await.is_empty());
    assert_eq!(
        function.call(&signed_request(SHARED, &body)).await.status(),
        401,
        "a tenant's own app is not the shared one"
    );
}

/// Its ids are keys of our table, whose length is limited.
#[tokio::test]
async fn shared_app_event_with_an_invalid_id_is_stored() {
    let (aws, env, first, _) = shared_world().await;
    let function = Function::new(&env, routes);
    let long = ["1".repeat(65), "1".repeat(1_020), "1".repeat(3_000), "#".to_owned()];
    let ids = long.iter().flat_map(|id| [(id.as_str(), PHONE_NUMBER_ID), (WABA, id)]);
    let entry = |(waba, number): (&str, &str)| {
        let value = json!({"metadata": {"phone_number_id": number}, "statuses": []});
        json!({"id": waba, "changes": [{"field": "messages", "value": value}]})
    };
    let entries: Vec<_> = ids.chain([(WABA, PHONE_NUMBER_ID)]).map(entry).collect();
    let post = json!({"object": "whatsapp_business_account", "entry": entries}).to_string();
    let answer = function.call(&signed_by(SHARED_SECRET, SHARED, post.as_bytes())).await;
    answer.is(200);
    let of: Vec<_> = events(&aws).await.iter().map(|event| event.connection).collect();
    assert_eq!(of, [first.whatsapp], "the one with ids");
    assert_eq!(aws.objects("raw/unreadable/whatsapp/").await.len(), 8);
}

#[tokio::test]
async fn connection_without_secrets_uses_the_shared_app() {
    let (aws, env, mut first, _) = shared_world().await;
    let none = VerifySecrets::WhatsApp(whatsapp::Verify {
        app_secrets: Vec::new(),
        verify_token: String::new(),
    });
    let sealed = aws
        .secrets()
        .seal(first.tenant(), first.whatsapp, SecretPurpose::Verify, &none)
        .await;
    let whatsapp = first.whatsapp;
    first.connection_mut(whatsapp).verify = sealed.expect("sealed");
    first.write(&aws).await;
    let body = fixtures::bytes("whatsapp/batch/two_tenants_messages_and_statuses.json");
    let function = Function::new(&env, routes);
    function.call(&signed_request(&path(&first), &body)).await.is(401);
    let answer = function.call(&signed_by(SHARED_SECRET, &path(&first), &body)).await;
    answer.is(200);
    assert_eq!(events(&aws).await.len(), 2, "its own only");
    let query = "hub.mode=subscribe&hub.challenge=7&hub.verify_token=shared-token";
    assert_eq!(
        function
            .call(&Call::get(&format!("{}?{query}", path(&first))))
            .await
            .text(),
        "7"
    );
    // Without a shared app nothing verifies it, least of all an empty secret.
    let alone = Function::new(aws.env(), routes);
    let empty: Value = json!({"object": "whatsapp_business_account", "entry": []});
    let empty = empty.to_string();
    aws.pass(3600);
    let answer = alone.call(&signed_by("", &path(&first), empty.as_bytes())).await;
    answer.is(401);
    let reasons = [RefusedBecause::NoSecret, RefusedBecause::OtherSecret];
    assert_eq!(refusal_reasons(&aws, &first).await, reasons);
}

/// The reasons for refusing webhooks of the tenant's connection in the last day.
async fn refusal_reasons(aws: &Aws, tenant: &Seeded) -> Vec<RefusedBecause> {
    let store = aws.store();
    let noted = store.refused_webhooks(tenant.scope(), tenant.whatsapp, aws.now());
    let noted = noted.await.expect("the table answers");
    noted.into_iter().map(|refused| refused.reason).collect()
}

/// Whoever sends them is unknown, so they must not write more.
#[tokio::test]
async fn refused_webhook_is_noted_once_an_hour() {
    let world = world().await;
    let (aws, tenant) = (&world.aws, &world.tenant);
    let body = fixtures::bytes("whatsapp/inbound/text.json");
    let wrong = || signed_by("another-apps-secret", &world.path(), &body);
    world.call(&signed_request(&world.path(), &body)).await.is(200);
    assert!(refusal_reasons(aws, tenant).await.is_empty());
    world.call(&wrong().without_credentials()).await.is(401);
    // Neither this process nor another one notes a second one.
    world.call(&wrong()).await.is(401);
    world.function_with(&[]).call(&wrong()).await.is(401);
    assert_eq!(refusal_reasons(aws, tenant).await, [RefusedBecause::Unsigned]);
    aws.pass(3600);
    world.call(&wrong()).await.is(401);
    let both = [RefusedBecause::OtherSecret, RefusedBecause::Unsigned];
    assert_eq!(refusal_reasons(aws, tenant).await, both);
    aws.pass(3600);
    let handshake = "hub.mode=subscribe&hub.challenge=1&hub.verify_token=wrong";
    let answer = world.call(&Call::get(&format!("{}?{handshake}", world.path()))).await;
    answer.is(403);
    assert_eq!(refusal_reasons(aws, tenant).await[0], RefusedBecause::OtherToken);
    // In the same hour of the next day, its note is replaced.
    aws.pass(22 * 3600);
    world.call(&wrong()).await.is(401);
    assert_eq!(refusal_reasons(aws, tenant).await.len(), 3);
    aws.pass(24 * 3600);
    assert!(refusal_reasons(aws, tenant).await.is_empty());
}

/// Statuses never delay what customers write; what is not surely a status counts as that.
#[tokio::test]
async fn statuses_and_replies_have_groups_of_their_own() {
    let world = world().await;
    let post = fixtures::json("whatsapp/inbound/text.json");
    let status = serde_json::json!({
        "id": "wamid.1", "status": "delivered", "recipient_id": "971501234567", "timestamp": "1779280000",
    });
    let group = async |change: &dyn Fn(&mut Value)| {
        let mut post = post.clone();
        change(&mut post["entry"][0]["changes"][0]);
        let answer = world
            .status(&signed_request(&world.path(), post.to_string().as_bytes()))
            .await;
        assert_eq!(answer, 200);
        let jobs = world.aws.drain_with_groups(QueueName::ProviderEvents).await;
        assert_eq!(jobs.len(), 1);
        let tenant = format!("{}#", jobs[0].1["tenant"].as_str().expect("a tenant"));
        jobs[0].0.strip_prefix(&tenant).expect("the tenant's group").to_owned()
    };
    let statuses = |change: &mut Value| {
        change["value"]["statuses"] = serde_json::json!([status]);
        change["value"].as_object_mut().expect("an object").remove("messages");
    };
    assert_eq!(group(&|_| {}).await, "inbound");
    assert_eq!(group(&statuses).await, "status");
    let both = |change: &mut Value| change["value"]["statuses"] = serde_json::json!([status]);
    assert_eq!(group(&both).await, "inbound");
    let nothing = |change: &mut Value| change["value"]["statuses"] = "none".into();
    assert_eq!(group(&nothing).await, "inbound");
    let large = |change: &mut Value| {
        statuses(change);
        change["value"]["statuses"][0]["biz_opaque_callback_data"] = "x".repeat(300_000).into();
    };
    assert_eq!(group(&large).await, "status");
}
