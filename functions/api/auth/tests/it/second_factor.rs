use access::Credentials;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jobs::{FactorChange, Mail};
use serde_json::{Value, json};
use testkit::{Answer, Call};
use totp_rs::{Builder, Secret, Totp};

use super::world::{Newcomer, PASSWORD, World, call_with, confirm, forgot, post, reset, sign_up, text};

/// An authenticator app with this secret.
struct App(Totp);

impl App {
    fn new(secret: &str) -> Self {
        let secret = Secret::try_from_base32(secret).expect("it is base32");
        Self(Builder::new().with_secret(secret).build().expect("it is a secret"))
    }

    /// The code that it shows this many seconds from now.
    fn code(&self, world: &World, later: i64) -> String {
        let at = u64::try_from(world.aws.now().as_second() + later).expect("after 1970");
        self.0.generate(at).to_string()
    }
}

const FACTOR: &str = "/api/v1/me/second-factor";

/// Asks for a new factor, which the person has to confirm.
async fn begin_factor(world: &World, maya: &Newcomer) -> Answer {
    world.post_as(&maya.access, FACTOR, json!({"password": PASSWORD})).await
}

/// Turns the second factor on. Returns the app and the recovery codes.
async fn switched_on(world: &World, maya: &Newcomer) -> (App, Vec<String>) {
    let body = begin_factor(world, maya).await.is(200).json();
    let secret = text(&body["secret"]);
    let uri = text(&body["uri"]);
    assert!(
        uri.starts_with("otpauth://totp/Ringback:maya%40") && uri.contains(&secret),
        "{uri}"
    );
    let app = App::new(&secret);
    let code = app.code(world, 0);
    let answer = world
        .post_as(&maya.access, &format!("{FACTOR}/confirm"), json!({"code": code}))
        .await;
    let codes = answer.is(200).json()["recovery_codes"]
        .as_array()
        .expect("codes")
        .iter()
        .map(text)
        .collect();
    let turned_on = Mail::EmailFactorChanged {
        what: FactorChange::TurnedOn,
    };
    assert_eq!(world.only_mail().await.mail, turned_on);
    (app, codes)
}

/// Insufficient proofs where both factors are required, each with the field that the refusal names. `used` is a used code.
fn wrong_proofs(used: &Value) -> Vec<(Value, String)> {
    let (name, code) = used.as_object().and_then(|used| used.iter().next()).expect("a code");
    let right = json!({"password": PASSWORD});
    let mut both = json!({"password": PASSWORD, "code": "123456", "recovery_code": "aaaa"});
    both[name] = code.clone();
    let mut with_used = right.clone();
    with_used[name] = code.clone();
    let mut stolen = with_used.clone();
    stolen["password"] = json!("wrong");
    [
        (right, "code"),
        (used.clone(), "password"),
        (stolen, "password"),
        (both, "recovery_code"),
        (with_used, name),
        (json!({"password": PASSWORD, "code": "12345"}), "code"),
    ]
    .map(|(body, field)| (body, field.to_owned()))
    .into()
}

fn with(maya: &Newcomer, more: &Value) -> Call {
    let mut body = json!({"email": maya.email, "password": PASSWORD});
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    post("/api/v1/auth/log-in", &body)
}

async fn log_in(world: &World, maya: &Newcomer, more: Value) -> Answer {
    world.call(&with(maya, &more)).await
}

#[tokio::test]
async fn code_is_required_after_password_and_works_once() {
    let (world, maya) = World::with_newcomer().await;
    let (app, _) = switched_on(&world, &maya).await;
    let none = log_in(&world, &maya, json!({})).await;
    none.is_refused(401, "second_factor_required");
    let wrong = log_in(&world, &maya, json!({"password": "wrong", "code": app.code(&world, 0)})).await;
    wrong.is_refused(401, "wrong_credentials");
    // The code that confirmed counted once.
    let confirmed = log_in(&world, &maya, json!({"code": app.code(&world, 0)})).await;
    confirmed.is_refused(401, "wrong_code");
    world.aws.pass(30);
    let code = app.code(&world, 0);
    let statuses = world.statuses(vec![with(&maya, &json!({"code": code})); 4]).await;
    assert_eq!(statuses, [(200, 1), (401, 3)].into(), "one code, one log-in");
    let answer = log_in(&world, &maya, json!({"code": code})).await;
    answer.is_refused(401, "wrong_code");
    world.aws.pass(90);
    let stale = app.code(&world, -60);
    let answer = log_in(&world, &maya, json!({"code": stale})).await;
    answer.is_refused(401, "wrong_code");
    let body = log_in(&world, &maya, json!({"code": app.code(&world, 0)})).await;
    assert_eq!(body.is(200).json()["user"]["second_factor"], json!(true));
}

#[tokio::test]
async fn at_most_ten_codes_an_hour_are_tried() {
    let (world, maya) = World::with_newcomer().await;
    let (app, _) = switched_on(&world, &maya).await;
    world.aws.pass(3600);
    let wrong = |n: u32| with(&maya, &json!({"code": format!("{n:06}")})).from_address(&format!("10.2.0.{n}"));
    // An attempt that loses every race to be counted learns nothing.
    let mut limited = world.count(429, (0..10).map(wrong)).await;
    world.aws.pass(60);
    limited += world.count(429, (0..10).map(wrong)).await;
    assert_eq!(limited, 10, "of twenty");
    // The right one has to wait too.
    let right = log_in(&world, &maya, json!({"code": app.code(&world, 0)})).await;
    right.is(429);
    world.aws.pass(3600);
    let answer = log_in(&world, &maya, json!({"code": app.code(&world, 0)})).await;
    answer.is(200);
}

/// As at log-in. Otherwise, somebody with a session and the password could try all further codes in silence.
#[tokio::test]
async fn wrong_code_for_a_change_of_the_factor_is_reported() {
    for (method, path) in [
        ("POST", format!("{FACTOR}/recovery-codes")),
        ("DELETE", FACTOR.to_owned()),
    ] {
        let (world, maya) = World::with_newcomer().await;
        switched_on(&world, &maya).await;
        for (field, code) in [("code", "000001"), ("recovery_code", "aaaa-aaaa-aaaa-aaaa")] {
            let call = call_with(method, &path, &json!({"password": PASSWORD, field: code}));
            world.call_as(&maya.access, call).await.names_only(&[field]);
        }
        log_in(&world, &maya, json!({"code": "000001"}))
            .await
            .is_refused(401, "wrong_code");
        assert_eq!(world.only_mail().await.mail, Mail::WrongCode {}, "{method}");
    }
}

/// Somebody who tries codes knows the password. The owner learns it at once, and the tries end.
#[tokio::test]
async fn wrong_codes_are_reported_and_end() {
    let (world, maya) = World::with_newcomer().await;
    let (app, _) = switched_on(&world, &maya).await;
    world.aws.pass(3600);
    let wrong = |n: u32| with(&maya, &json!({"code": format!("{n:06}")})).from_address(&format!("10.2.0.{n}"));
    world.call(&wrong(1)).await.is_refused(401, "wrong_code");
    assert_eq!(world.only_mail().await.mail, Mail::WrongCode {});
    // The owner logs in, and the tries begin anew.
    log_in(&world, &maya, json!({"code": app.code(&world, 0)}))
        .await
        .is(200);
    let mut tried = 0;
    for round in 0..6 {
        world.aws.pass(3600);
        for place in 0..10 {
            let answer = world.call(&wrong(round * 10 + place)).await;
            if answer.status() == 403 {
                answer.is_refused(403, "second_factor_locked");
            } else {
                answer.is_refused(401, "wrong_code");
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 50);
    assert_eq!(world.only_mail().await.mail, Mail::WrongCode {});
    world.aws.pass(3600);
    let right = log_in(&world, &maya, json!({"code": app.code(&world, 0)})).await;
    right.is_refused(403, "second_factor_locked");
    // The factor stays.
    world.call(&forgot(&maya.email)).await.is(202);
    let password = "four umbrellas in the rain";
    world.call(&reset(&world.link().await, password)).await.is(204);
    let without = log_in(&world, &maya, json!({"password": password})).await;
    without.is_refused(401, "second_factor_required");
    let code = json!({"password": password, "code": app.code(&world, 0)});
    log_in(&world, &maya, code).await.is(200);
}

#[tokio::test]
async fn a_recovery_code_lets_in_once_and_the_person_is_told() {
    let (world, maya) = World::with_newcomer().await;
    let (_, codes) = switched_on(&world, &maya).await;
    assert_eq!(codes.len(), 10);
    let calls = vec![with(&maya, &json!({"recovery_code": codes[0]})); 5];
    assert_eq!(world.statuses(calls).await, [(200, 1), (401, 4)].into());
    let mails = world.mails().await;
    let used = Mail::EmailFactorChanged {
        what: FactorChange::RecoveryCodeUsed,
    };
    let wrong = Mail::WrongCode {};
    let mails: Vec<_> = mails.iter().map(|mail| &mail.mail).collect();
    assert!(
        mails.contains(&&used) && mails.iter().all(|mail| [&used, &wrong].contains(mail)),
        "{mails:?}"
    );
    let me = world.get_as(&maya.access, "/api/v1/me").await.json();
    assert_eq!(
        (&me["second_factor"], &me["recovery_codes_left"]),
        (&json!(true), &json!(9))
    );
    let path = format!("{FACTOR}/recovery-codes");
    let replace = |body: Value| world.post_as(&maya.access, &path, body);
    for (body, field) in wrong_proofs(&json!({"recovery_code": codes[0]})) {
        replace(body).await.names_only(&[&field]);
    }
    let replaced = replace(json!({"password": PASSWORD, "recovery_code": codes[2]})).await;
    replaced.is(200);
    let old = log_in(&world, &maya, json!({"recovery_code": codes[1]})).await;
    old.is_refused(401, "wrong_code");
    let new = text(&replaced.json()["recovery_codes"][0])
        .to_uppercase()
        .replace('-', "");
    log_in(&world, &maya, json!({"recovery_code": new})).await.is(200);
}

#[tokio::test]
async fn unconfirmed_factor_is_not_required() {
    let (world, maya) = World::with_newcomer().await;
    let path = format!("{FACTOR}/confirm");
    let early = world.post_as(&maya.access, &path, json!({"code": "123456"})).await;
    early.is_refused(409, "no_pending_factor");
    let stolen = world.post_as(&maya.access, FACTOR, json!({"password": "wrong"})).await;
    stolen.names_only(&["password"]);
    let first = begin_factor(&world, &maya).await.json();
    log_in(&world, &maya, json!({})).await.is(200);
    let second = begin_factor(&world, &maya).await.json();
    let old = App::new(&text(&first["secret"])).code(&world, 0);
    let answer = world.post_as(&maya.access, &path, json!({"code": old})).await;
    answer.names_only(&["code"]);
    let new = App::new(&text(&second["secret"])).code(&world, 0);
    let answer = world.post_as(&maya.access, &path, json!({"code": new})).await;
    answer.is(200);
    begin_factor(&world, &maya).await.is_refused(409, "second_factor_on");
}

#[tokio::test]
async fn removing_factor_needs_password_and_code() {
    let (world, maya) = World::with_newcomer().await;
    let off = |body: Value| world.call_as(&maya.access, call_with("DELETE", FACTOR, &body));
    let right = |code: String| json!({"password": PASSWORD, "code": code});
    let none = off(right("123456".to_owned())).await;
    none.is_refused(404, "second_factor_off");
    let (app, _) = switched_on(&world, &maya).await;
    for (body, field) in wrong_proofs(&json!({"code": app.code(&world, 0)})) {
        off(body).await.names_only(&[&field]);
    }
    world.aws.pass(30);
    off(right(app.code(&world, 0))).await.is(204);
    log_in(&world, &maya, json!({})).await.is(200);
    let turned_off = Mail::EmailFactorChanged {
        what: FactorChange::TurnedOff,
    };
    assert_eq!(world.only_mail().await.mail, turned_off);
    let (_, codes) = switched_on(&world, &maya).await;
    let lost = json!({"password": PASSWORD, "recovery_code": codes[0]});
    off(lost).await.is(204);
}

#[tokio::test]
async fn switching_a_factor_on_ends_all_other_sessions() {
    let (world, maya) = World::with_newcomer().await;
    let other = world.log_in(&maya.email).await;
    world.aws.pass(60);
    switched_on(&world, &maya).await;
    let tenant = world.account(maya.user).await.value.tenants[0].to_string();
    let of_tenant = async |access: &str| world.role_in(Some(&tenant), access).await.is_some();
    let gone = text(&other["access_token"]);
    world.get_as(&gone, "/api/v1/me").await.is(401);
    assert!(!of_tenant(&gone).await);
    world.refresh(&text(&other["refresh_token"])).await.is(401);
    // This one goes on, everywhere and for as long as any.
    world.get_as(&maya.access, "/api/v1/me").await.is(200);
    assert!(of_tenant(&maya.access).await);
    let sessions = world.get_as(&maya.access, "/api/v1/me/sessions").await.json();
    assert_eq!(sessions["items"].as_array().map(Vec::len), Some(1));
    let next = world.refresh(&maya.refresh).await.json();
    let access = text(&next["access_token"]);
    world.get_as(&access, "/api/v1/me").await.is(200);
    // Until all are ended: then it is spared no longer.
    world.aws.pass(5);
    world
        .post_as(&access, "/api/v1/auth/log-out-everywhere", json!({}))
        .await
        .is(204);
    world.get_as(&access, "/api/v1/me").await.is(401);
    assert!(!of_tenant(&access).await);
    world.refresh(&text(&next["refresh_token"])).await.is(401);
}

/// Only a session that began with the factor lets a platform administrator in, not the session that turned it on.
#[tokio::test]
async fn a_token_says_whether_its_session_began_with_a_factor() {
    let (world, maya) = World::with_newcomer().await;
    let (app, codes) = switched_on(&world, &maya).await;
    let mfa = |access: &str| {
        let payload = access.split('.').nth(1).expect("a token has claims");
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64")).expect("JSON");
        claims["mfa"] == true
    };
    assert!(!mfa(&maya.access));
    let refreshed = world.refresh(&maya.refresh).await.json();
    assert!(!mfa(&text(&refreshed["access_token"])));
    world.aws.pass(60);
    for proof in [json!({"code": app.code(&world, 0)}), json!({"recovery_code": codes[0]})] {
        let session = log_in(&world, &maya, proof).await.json();
        assert!(mfa(&text(&session["access_token"])));
        let next = world.refresh(&text(&session["refresh_token"])).await.json();
        assert!(mfa(&text(&next["access_token"])), "it stays so");
        let sessions = world
            .get_as(&text(&next["access_token"]), "/api/v1/me/sessions")
            .await
            .json();
        assert_eq!(sessions["items"][0]["second_factor"], true);
    }
}

/// In such a session, somebody could set up a factor of their own and pass for the person who proved the previous one.
#[tokio::test]
async fn session_does_not_prove_a_later_factor() {
    let (world, maya) = World::with_newcomer().await;
    let (app, codes) = switched_on(&world, &maya).await;
    world.aws.pass(60);
    let session = log_in(&world, &maya, json!({"code": app.code(&world, 0)})).await.json();
    let (access, refresh) = (text(&session["access_token"]), text(&session["refresh_token"]));
    let proven = async |access: &str| {
        let sent = Credentials {
            bearer: Some(access),
            ..Credentials::default()
        };
        let signed_in = world.authenticator.signed_in(sent, world.aws.now()).await;
        signed_in.map(|person| person.second_factor).ok()
    };
    assert_eq!(proven(&access).await, Some(true));
    let off = call_with(
        "DELETE",
        FACTOR,
        &json!({"password": PASSWORD, "recovery_code": codes[0]}),
    );
    world.call_as(&access, off).await.is(204);
    world.mails().await;
    world.aws.pass(60);
    let same = Newcomer {
        access: access.clone(),
        ..maya
    };
    let (app, _) = switched_on(&world, &same).await;
    assert_eq!(proven(&access).await, Some(false));
    let next = world.refresh(&refresh).await.json();
    assert_eq!(proven(&text(&next["access_token"])).await, Some(false));
    world.aws.pass(60);
    let anew = log_in(&world, &same, json!({"code": app.code(&world, 0)})).await.json();
    assert_eq!(proven(&text(&anew["access_token"])).await, Some(true));
}

/// Two requests at once: one spares the session that switches a factor on, the other ends all.
#[tokio::test]
async fn ending_all_sessions_also_ends_one_spared_meanwhile() {
    let (world, maya) = World::with_newcomer().await;
    let account = world.account(maya.user).await.value;
    let scope = access::link::of_own_account(&account).remove(0);
    let session = domain::terms::SessionId::new(world.aws.ids().ulid());
    let stamp = domain::terms::Stamp {
        actor: domain::terms::Actor::User(maya.user),
        at: world.aws.now(),
        correlation_id: "test".to_owned(),
    };
    let store = world.aws.store();
    let (earlier, later) = (world.aws.now(), world.aws.now() + jiff::SignedDuration::from_secs(2));
    for (from, spared) in [(later, Some(session)), (earlier, None)] {
        let ended = store.end_member_sessions(&scope, maya.user, from, spared, &stamp).await;
        ended.expect("the table answers");
    }
    let place = store
        .get::<domain::accounts::Member>(&scope, &maya.user)
        .await
        .expect("the table answers");
    let place = place.expect("they belong to it").value;
    assert_eq!((place.sessions_from, place.spared_session), (later, None));
}

#[tokio::test]
async fn a_new_password_by_mail_leaves_the_factor_on() {
    let (world, maya) = World::with_newcomer().await;
    switched_on(&world, &maya).await;
    world.call(&forgot(&maya.email)).await;
    let password = "nine loud umbrellas";
    world.call(&reset(&world.link().await, password)).await.is(204);
    let answer = log_in(&world, &maya, json!({"password": password})).await;
    answer.is_refused(401, "second_factor_required");
}

#[tokio::test]
async fn the_table_holds_no_secret_in_the_clear() {
    let world = World::new().await;
    let email = "canary@saffron.example";
    world.call(&sign_up("saffron", email)).await;
    let link = world.link().await;
    let held = world.table().await;
    let maya = Newcomer::of(email, &world.call(&confirm(&link, PASSWORD)).await.json());
    let pending = begin_factor(&world, &maya).await.json();
    let secret = text(&pending["secret"]);
    let code = App::new(&secret).code(&world, 0);
    let on = world
        .post_as(&maya.access, &format!("{FACTOR}/confirm"), json!({"code": code}))
        .await
        .json();
    world.mails().await;
    world.call(&forgot(email)).await;
    let reset = world.link().await;
    let table = world.table().await;
    let own = |token: &str| token.rsplit('.').next().unwrap_or_default().to_owned();
    let family = maya.refresh.split('.').nth(1).expect("a family").to_owned();
    let mut secrets = vec![
        PASSWORD.to_owned(),
        link,
        reset,
        secret,
        family,
        own(&maya.refresh),
        own(&maya.access),
    ];
    secrets.extend(on["recovery_codes"].as_array().expect("codes").iter().map(text));
    for secret in &secrets {
        let plain = secret.replace('-', "");
        for rows in [&held, &table] {
            assert!(
                !rows.contains(secret.as_str()) && !rows.contains(&plain),
                "a secret is in the table"
            );
        }
    }
    assert!(
        table.contains("$argon2id$") && table.contains("SESSION#"),
        "the test looks at the right table"
    );
    // The address is a key by its hash; in the clear it stands in the account alone.
    assert!(!table.contains("EMAIL#canary"));
}
