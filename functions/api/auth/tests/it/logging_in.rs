use access::token::sha256_hex;
use domain::accounts::{Account, Invitation, Member, MemberStatus, Role};
use domain::terms::{Actor, InvitationId, Stamp, UserId};
use futures::future::join_all;
use jiff::SignedDuration;
use serde_json::{Value, json};
use store::Versioned;
use store::table::rates::Limit;
use testkit::Call;

use super::world::{PASSWORD, World, call_with, log_in, post, text};

#[tokio::test]
async fn an_unknown_address_and_a_wrong_password_are_answered_alike() {
    let (world, maya) = World::with_newcomer().await;
    let wrong = world.call(&log_in(&maya.email, "seven quiet lanternx")).await;
    let unknown = world
        .call(&log_in("nobody@saffron.example", "seven quiet lanternx"))
        .await;
    wrong.is_refused(401, "wrong_credentials");
    assert_eq!((wrong.status(), wrong.text()), (unknown.status(), unknown.text()));
    for name in [
        "content-type",
        "content-length",
        "cache-control",
        "set-cookie",
        "www-authenticate",
    ] {
        assert_eq!(wrong.header(name), unknown.header(name), "{name}");
    }
}

#[tokio::test]
async fn attempts_are_limited_per_account_existing_or_not() {
    let (world, maya) = World::with_newcomer().await;
    world.aws.pass(3600);
    let (store, now) = (world.aws.store(), world.aws.now());
    for email in [maya.email.as_str(), "nobody@saffron.example"] {
        // Of the account's five hundred an hour most were made.
        let counter = format!("log_in#{}", sha256_hex(email));
        for _round in 0..10 {
            let tries = (0..49).map(|_| store.take_outside(&counter, Limit::per_hour(500), now));
            let within = join_all(tries).await.into_iter().all(|allowance| {
                let allowance = allowance.expect("the table answers");
                allowance.is_within()
            });
            assert!(within);
        }
        // From everywhere at once.
        let from = |n: u32| log_in(email, "wrong").from_address(&format!("10.1.{}.{n}", email.len()));
        let statuses = world.statuses((0..40).map(from)).await;
        assert_eq!(statuses, [(401, 10), (429, 30)].into(), "{email}");
    }
    // The right password has to wait too, else it would be told from the wrong ones.
    let refused = world.call(&log_in(&maya.email, PASSWORD)).await;
    assert_eq!(refused.is(429).header("retry-after"), "3600");
    world.aws.pass(3600);
    world.call(&log_in(&maya.email, PASSWORD)).await.is(200);
}

#[tokio::test]
async fn guessing_does_not_lock_out_the_owner_elsewhere() {
    let (world, maya) = World::with_newcomer().await;
    let stranger = |password: &str| log_in(&maya.email, password).from_address("10.6.0.1");
    let mut tried = 0;
    for _minute in 0..3 {
        tried += world.count(401, vec![stranger("wrong"); 30]).await;
        world.aws.pass(60);
    }
    assert_eq!(tried, 50);
    world.call(&stranger(PASSWORD)).await.is(429);
    world.call(&log_in(&maya.email, PASSWORD)).await.is(200);
}

#[tokio::test]
async fn attempts_are_also_limited_per_hour() {
    let world = World::new().await;
    let mut taken = 0;
    for _minute in 0..8 {
        let calls = vec![log_in("nobody@saffron.example", "wrong"); 10];
        taken += world.count(401, calls).await;
        world.aws.pass(60);
    }
    assert_eq!(taken, 50);
}

#[tokio::test]
async fn attempts_are_limited_per_ip_address() {
    let world = World::new().await;
    let one = |n: u32| log_in(&format!("nobody{n}@saffron.example"), "wrong");
    let statuses = world.statuses((0..40).map(one)).await;
    assert_eq!(statuses, [(401, 30), (429, 10)].into());
}

#[tokio::test]
async fn browser_gets_refresh_token_as_http_only_cookie() {
    let (world, maya) = World::with_newcomer().await;
    let body = json!({"email": maya.email, "password": PASSWORD, "session": "cookie"});
    let answer = world.post("/api/v1/auth/log-in", body).await;
    assert!(answer.is(200).json().get("refresh_token").is_none());
    assert_eq!(answer.header("cache-control"), "no-store");
    let cookie = answer.header("set-cookie").to_owned();
    let mut parts = cookie.split("; ");
    assert!(
        parts
            .next()
            .expect("a name")
            .starts_with("__Secure-ringback_refresh=rbr_")
    );
    let attributes: Vec<_> = parts.collect();
    assert_eq!(
        attributes,
        [
            "Path=/api/v1/auth",
            "Max-Age=2592000",
            "HttpOnly",
            "Secure",
            "SameSite=Strict"
        ]
    );
    let app = world.call(&log_in(&maya.email, PASSWORD)).await;
    assert_eq!(app.header("set-cookie"), "");
    assert!(text(&app.json()["refresh_token"]).starts_with("rbr_"));
}

#[tokio::test]
async fn deactivated_user_does_not_see_the_tenant() {
    let (world, maya) = World::with_newcomer().await;
    let (now, store) = (world.aws.now(), world.aws.store());
    let account = Account {
        id: UserId::new(world.aws.ids().ulid()),
        email: "tom@saffron.example".parse().expect("an address"),
        ..world.account(maya.user).await.value
    };
    let scope = world.aws.scope(account.tenants[0]);
    let member = Member::joining(&account, Role::Agent, now);
    let stamp = world.aws.stamp();
    let address = sha256_hex(account.email.as_str());
    let seated = store.seat(&scope, &account, &address, &member, &stamp).await;
    seated.expect("the table answers");
    let place = &world.log_in("tom@saffron.example").await["tenants"][0];
    assert_eq!(
        (&place["id"], &place["role"]),
        (&json!(scope.tenant()), &json!("agent"))
    );
    let before = store
        .get::<Member>(&scope, &account.id)
        .await
        .expect("the table answers")
        .expect("a member");
    let after = Member {
        status: MemberStatus::Deactivated,
        ..member
    };
    let changed = store.change_member(&scope, &before, &after, &stamp).await;
    changed.expect("the table answers");
    let body = world.log_in("tom@saffron.example").await;
    assert_eq!(body["tenants"], json!([]));
    let me = world.get_as(&text(&body["access_token"]), "/api/v1/me").await;
    assert_eq!(me.is(200).json()["tenants"], json!([]));
}

#[tokio::test]
async fn user_of_several_tenants_sees_and_leaves_them_all() {
    let world = World::new().await;
    let (maya, tom) = (world.newcomer("saffron").await, world.newcomer("harbour").await);
    let (now, store) = (world.aws.now(), world.aws.store());
    let second = world.account(tom.user).await.value.tenants[0];
    let scope = world.aws.scope(second);
    let stamp = Stamp {
        actor: Actor::User(tom.user),
        at: now,
        correlation_id: "test".to_owned(),
    };
    let account = world.account(maya.user).await;
    let invitation = Versioned {
        value: Invitation {
            id: InvitationId::new(world.aws.ids().ulid()),
            email: account.value.email.clone(),
            name: None,
            language: None,
            role: Role::Viewer,
            invited_by: stamp.actor,
            created_at: now,
            expires_at: now + SignedDuration::from_hours(1),
            token_sha256: sha256_hex("link"),
        },
        version: 1,
    };
    let invited = store.invite(&scope, &invitation.value, &stamp).await;
    invited.expect("the table answers");
    let mut joining = account.value.clone();
    joining.tenants.push(second);
    let member = Member::joining(&joining, Role::Viewer, now);
    let address = sha256_hex(&maya.email);
    let joined = store
        .join(
            &scope,
            &invitation,
            &joining,
            account.version,
            &address,
            &member,
            None,
            &stamp,
        )
        .await;
    joined.expect("the table answers");
    let body = world.log_in(&maya.email).await;
    let places = body["tenants"].as_array().expect("a list");
    let place = |place: &Value| (text(&place["slug"]), text(&place["role"]));
    let expected = [("saffron", "admin"), ("harbour", "viewer")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    assert_eq!(places.iter().map(place).collect::<Vec<_>>(), expected);
    let access = text(&body["access_token"]);
    let role_in = async |tenant: Option<&str>| world.role_in(tenant, &access).await;
    let named = second.to_string();
    assert_eq!(role_in(None).await, Some(Role::Admin), "the token means the first one");
    assert_eq!(role_in(Some(&named)).await, Some(Role::Viewer));
    let rename = call_with("PATCH", "/api/v1/me", &json!({"name": "Maya H."}));
    world.call_as(&access, rename).await.is(200);
    let there = store
        .get::<Member>(&scope, &maya.user)
        .await
        .expect("the table answers")
        .expect("a member");
    assert_eq!(there.value.name, "Maya H.");
    let out = world.call_as(&access, Call::new("POST", "/api/v1/auth/log-out-everywhere"));
    out.await.is(204);
    assert_eq!((role_in(None).await, role_in(Some(&named)).await), (None, None));
}

#[tokio::test]
async fn a_body_that_a_form_of_another_site_could_send_is_refused() {
    let world = World::new().await;
    let body = json!({"email": "maya@saffron.example", "password": PASSWORD}).to_string();
    for path in ["log-in", "refresh", "log-out"] {
        let path = format!("/api/v1/auth/{path}");
        for content_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
            let call = Call::json(&path, &body).header("content-type", content_type);
            world.call(&call).await.is(415);
        }
        let call = Call::json(&path, &body).without_header("content-type");
        world.call(&call).await.is(415);
    }
}

#[tokio::test]
async fn both_codes_at_once_are_refused() {
    let world = World::new().await;
    let body = json!({"email": "maya@saffron.example", "password": PASSWORD, "code": "123456", "recovery_code": "a"});
    world.call(&post("/api/v1/auth/log-in", &body)).await.is(422);
}
