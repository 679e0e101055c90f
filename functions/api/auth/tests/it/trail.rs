//! The security trail as people see it, and the mails that notify them.

use jobs::Mail;
use serde_json::{Value, json};
use testkit::{Call, texts};

use super::world::{Newcomer, PASSWORD, World, forgot, log_in, post, reset, text};

const EVENTS: &str = "/api/v1/me/security-events";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";

async fn events(world: &World, access: &str) -> Vec<Value> {
    world.get_as(access, EVENTS).await.items()
}

/// The events of the trail, in any order.
async fn kinds(world: &World, access: &str) -> Vec<String> {
    let mut kinds = texts(&events(world, access).await, "what");
    kinds.sort_unstable();
    kinds
}

/// The newest event of this kind in the trail.
async fn event(world: &World, access: &str, what: &str) -> Value {
    let events = events(world, access).await;
    let found = events.into_iter().find(|event| event["what"] == what);
    found.unwrap_or_else(|| panic!("no {what}"))
}

fn from(call: Call, address: &str, agent: &str) -> Call {
    call.from_address(address).header("user-agent", agent)
}

#[tokio::test]
async fn log_in_is_recorded_in_the_trail() {
    let (world, maya) = World::with_newcomer().await;
    world.aws.pass(60);
    let call = from(log_in(&maya.email, PASSWORD), "203.0.113.7", FIREFOX);
    let answer = world.call(&call).await.json();
    let access = text(&answer["access_token"]);
    let events = events(&world, &access).await;
    assert_eq!(events.len(), 2, "the first is that of the sign-up");
    let newest = &events[0];
    let session = &world.get_as(&access, "/api/v1/me/sessions").await.json()["items"][0]["id"];
    assert_eq!(
        newest,
        &json!({
            "what": "logged_in", "at": "2026-11-20T12:01:00Z", "since": "2026-11-20T12:01:00Z", "times": 1,
            "address": "203.0.113.7", "device": FIREFOX, "session": session,
        })
    );
}

#[tokio::test]
async fn refused_log_ins_of_an_hour_are_one_entry_with_their_count() {
    let (world, maya) = World::with_newcomer().await;
    for n in 0..3 {
        world.aws.pass(60);
        let wrong = log_in(&maya.email, "not the password");
        let wrong = from(wrong, &format!("203.0.113.{n}"), FIREFOX);
        world.call(&wrong).await.is(401);
    }
    let expected = json!({
        "what": "log_in_refused", "at": "2026-11-20T12:03:00Z", "since": "2026-11-20T12:01:00Z", "times": 3,
        "address": "203.0.113.2", "device": FIREFOX,
    });
    assert_eq!(event(&world, &maya.access, "log_in_refused").await, expected);
    world.aws.pass(3600);
    world.call(&log_in(&maya.email, "not the password")).await;
    let access = text(&world.log_in(&maya.email).await["access_token"]);
    assert_eq!(
        kinds(&world, &access).await,
        ["log_in_refused", "log_in_refused", "logged_in", "logged_in"]
    );
}

/// Somebody who has taken over a session can guess there as well.
#[tokio::test]
async fn wrong_proof_in_a_session_is_recorded() {
    let (world, maya) = World::with_newcomer().await;
    let factor = "/api/v1/me/second-factor";
    world
        .post_as(&maya.access, factor, json!({"password": "not the password"}))
        .await
        .is(422);
    let begun = world.post_as(&maya.access, factor, json!({"password": PASSWORD})).await;
    begun.is(200);
    world
        .post_as(&maya.access, &format!("{factor}/confirm"), json!({"code": "000000"}))
        .await
        .is(422);
    let entry = event(&world, &maya.access, "proof_refused").await;
    assert_eq!(entry["times"], 2);
    assert!(entry["session"].is_string(), "{entry}");
}

#[tokio::test]
async fn guesses_leave_few_rows_in_the_trail() {
    let (world, maya) = World::with_newcomer().await;
    // Thirty a minute from one address, fifty an hour for an account from one address.
    let guess = async |email: &str| {
        for _minute in 0..3 {
            world.all(vec![log_in(email, "not the password"); 25]).await;
            world.aws.pass(60);
        }
    };
    guess(&maya.email).await;
    let times = async |what: &str| event(&world, &maya.access, what).await["times"].clone();
    // Following the link of the sign-up was one of the fifty.
    assert_eq!(times("log_in_refused").await, 49);
    assert_eq!(times("log_in_limited").await, 1);
    assert_eq!(events(&world, &maya.access).await.len(), 3);
    // Addresses that nobody has, each tried once and each from elsewhere: rows of their limits, which go within the hour, and no
    // trail that grows with them.
    let rows_of = async || {
        let table = world.table().await;
        table.matches("USER#NOBODY").count()
    };
    for n in 0..60 {
        let call = log_in(&format!("nobody{n}@saffron.example"), "not the password");
        world.call(&call.from_address(&format!("10.9.{n}.1"))).await;
    }
    assert!(rows_of().await <= 16, "{}", rows_of().await);
}

#[tokio::test]
async fn changes_and_ended_sessions_are_recorded() {
    let (world, maya) = World::with_newcomer().await;
    let other = world.log_in(&maya.email).await;
    let out = json!({"refresh_token": other["refresh_token"]});
    world.post("/api/v1/auth/log-out", out.clone()).await;
    // Who is logged out already ended nothing.
    world.post("/api/v1/auth/log-out", out).await;
    let third = text(&world.log_in(&maya.email).await["access_token"]);
    let sessions = world.get_as(&third, "/api/v1/me/sessions").await.json();
    let id = text(&sessions["items"][1]["id"]);
    let gone = Call::new("DELETE", &format!("/api/v1/me/sessions/{id}"));
    world.call_as(&third, gone).await.is(204);
    world.call(&forgot(&maya.email)).await;
    world.aws.pass(5);
    let password = "nine loud umbrellas";
    world.call(&reset(&world.link().await, password)).await.is(204);
    world.aws.pass(5);
    let login = world.call(&log_in(&maya.email, password)).await.json();
    let body = json!({"current_password": password, "password": PASSWORD});
    let changed = world
        .post_as(&text(&login["access_token"]), "/api/v1/auth/change-password", body)
        .await
        .json();
    world.aws.pass(5);
    let access = text(&changed["access_token"]);
    world
        .post_as(&access, "/api/v1/auth/log-out-everywhere", json!({}))
        .await
        .is(204);
    world.aws.pass(5);
    let access = text(&world.log_in(&maya.email).await["access_token"]);
    let mut expected = vec!["logged_in"; 5];
    expected.extend(["logged_out"; 2]);
    expected.extend([
        "reset_asked",
        "password_reset",
        "password_changed",
        "logged_out_everywhere",
    ]);
    expected.sort_unstable();
    assert_eq!(kinds(&world, &access).await, expected);
}

#[tokio::test]
async fn reused_token_is_recorded() {
    let (world, maya) = World::with_newcomer().await;
    world.refresh(&maya.refresh).await.is(200);
    world.aws.pass(60);
    let thief = post("/api/v1/auth/refresh", &json!({"refresh_token": maya.refresh}));
    let thief = from(thief, "192.0.2.66", "curl/8.17.0");
    world.call(&thief).await.is(401);
    let access = text(&world.log_in(&maya.email).await["access_token"]);
    let reused = event(&world, &access, "token_reused").await;
    assert_eq!(
        (&reused["address"], &reused["device"]),
        (&json!("192.0.2.66"), &json!("curl/8.17.0"))
    );
}

#[tokio::test]
async fn the_trail_is_paged_ones_own_and_ends_after_ninety_days() {
    let world = World::new().await;
    let (maya, tom) = (world.newcomer("saffron").await, world.newcomer("harbour").await);
    for _ in 0..3 {
        world.aws.pass(60);
        world.log_in(&maya.email).await;
    }
    let access = text(&world.log_in(&maya.email).await["access_token"]);
    let first = world.get_as(&access, &format!("{EVENTS}?limit=3")).await.json();
    let cursor = text(&first["next_cursor"]);
    let second = world
        .get_as(&access, &format!("{EVENTS}?limit=3&cursor={cursor}"))
        .await
        .json();
    let length = |page: &Value| page["items"].as_array().map(Vec::len);
    assert_eq!((length(&first), length(&second)), (Some(3), Some(2)));
    assert_eq!(second["next_cursor"], Value::Null);
    assert_eq!(kinds(&world, &tom.access).await, ["logged_in"]);
    // A position of another's list is one of the caller's own.
    let foreign = world.get_as(&tom.access, &format!("{EVENTS}?cursor={cursor}")).await;
    assert_eq!(length(&foreign.is(200).json()), Some(1));
    world.aws.pass(90 * 24 * 3600);
    let access = text(&world.log_in(&maya.email).await["access_token"]);
    assert_eq!(kinds(&world, &access).await, ["logged_in"]);
}

async fn log_in_from(world: &World, maya: &Newcomer, address: &str, agent: &str) {
    let answer = world.call(&from(log_in(&maya.email, PASSWORD), address, agent)).await;
    answer.is(200);
}

#[tokio::test]
async fn new_device_is_reported_by_mail_once() {
    let (world, maya) = World::with_newcomer().await;
    // That of the sign-up is known.
    world.log_in(&maya.email).await;
    assert!(world.mails().await.is_empty());
    log_in_from(&world, &maya, "203.0.113.7", FIREFOX).await;
    let told = Mail::NewDevice {
        device: Some(FIREFOX.to_owned()),
        address: "203.0.113.7".parse().ok(),
        at: world.aws.now(),
    };
    let mailed = world.only_mail().await;
    assert_eq!((&mailed.mail, &mailed.to), (&told, &maya.email));
    // Known from now on, with the next version and from the neighbourhood.
    log_in_from(&world, &maya, "203.0.113.7", FIREFOX).await;
    log_in_from(&world, &maya, "203.0.99.1", &FIREFOX.replace("145", "146")).await;
    assert!(world.mails().await.is_empty());
    log_in_from(&world, &maya, "198.18.0.1", FIREFOX).await;
    assert_eq!(world.mails().await.len(), 1);
    // A wrong password tells nobody but the trail.
    let wrong = from(log_in(&maya.email, "not the password"), "192.0.2.1", "curl/8.17.0");
    world.call(&wrong).await.is(401);
    assert!(world.mails().await.is_empty());
}

#[tokio::test]
async fn unreported_device_stays_new() {
    let (world, maya) = World::with_newcomer().await;
    let nowhere = world.start_process(&[("MAILS_QUEUE_URL", "http://127.0.0.1:9/000000000000/none")]);
    let call = from(log_in(&maya.email, PASSWORD), "203.0.113.7", FIREFOX);
    assert_eq!(nowhere.call(&call).await.status(), 200, "the log-in itself goes on");
    log_in_from(&world, &maya, "203.0.113.7", FIREFOX).await;
    assert_eq!(world.mails().await.len(), 1);
}

#[tokio::test]
async fn at_most_twenty_devices_are_remembered() {
    let world = World::with_high_limits().await;
    let maya = world.newcomer("saffron").await;
    for n in 0..25 {
        log_in_from(&world, &maya, &format!("10.{n}.0.1"), FIREFOX).await;
    }
    assert_eq!(world.mails().await.len(), 25);
    assert_eq!(world.account(maya.user).await.value.devices.len(), 20);
    log_in_from(&world, &maya, "10.24.0.1", FIREFOX).await;
    assert!(world.mails().await.is_empty());
    log_in_from(&world, &maya, "10.1.0.1", FIREFOX).await;
    assert_eq!(world.mails().await.len(), 1, "the oldest was forgotten");
}

/// A refused log-in costs as much as without a trail, and one write more.
#[tokio::test]
async fn many_log_ins_at_once_are_all_counted() {
    let world = World::with_high_limits().await;
    let maya = world.newcomer("saffron").await;
    let statuses = world.statuses(vec![log_in(&maya.email, "not the password"); 30]).await;
    assert_eq!(statuses, [(401, 30)].into());
    let refused = event(&world, &maya.access, "log_in_refused").await;
    // Not one is lost. A write whose answer was lost is done once more, so a busy table may count some twice.
    assert!(refused["times"].as_u64() >= Some(30), "{refused}");
}
