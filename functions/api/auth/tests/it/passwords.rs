use std::ops::Range;

use jobs::Mail;
use serde_json::json;
use testkit::{Answer, Lossy};

use super::world::{Newcomer, PASSWORD, World, confirm, forgot, log_in, post, reset, text, with_token};

const NEW: &str = "nine loud umbrellas";

fn change(current: &str, password: &str) -> serde_json::Value {
    json!({"current_password": current, "password": password})
}

#[tokio::test]
async fn password_change_ends_other_sessions_and_starts_one() {
    let (world, maya) = World::with_newcomer().await;
    let other = world.log_in(&maya.email).await;
    let path = "/api/v1/auth/change-password";
    let answer = world.post_as(&maya.access, path, change(PASSWORD, NEW)).await;
    let body = answer.is(200).json();
    for access in [&maya.access, &text(&other["access_token"])] {
        world.get_as(access, "/api/v1/me").await.is(401);
    }
    for refresh in [&maya.refresh, &text(&other["refresh_token"])] {
        world.refresh(refresh).await.is_refused(401, "session_over");
    }
    world.get_as(&text(&body["access_token"]), "/api/v1/me").await.is(200);
    world.refresh(&text(&body["refresh_token"])).await.is(200);
    world.call(&log_in(&maya.email, PASSWORD)).await.is(401);
    world.call(&log_in(&maya.email, NEW)).await.is(200);
    let told = world.only_mail().await;
    assert_eq!((told.mail, told.to), (Mail::PasswordChanged {}, maya.email));
}

#[tokio::test]
async fn password_change_needs_the_old_and_a_strong_new_one() {
    let (world, maya) = World::with_newcomer().await;
    let path = "/api/v1/auth/change-password";
    for (body, field) in [
        (change("wrong", NEW), "current_password"),
        (change(PASSWORD, "short"), "password"),
        (change(PASSWORD, "qwertyuiop123"), "password"),
        (change(PASSWORD, "hunter2hunter2"), "password"),
        (change(PASSWORD, &maya.email), "password"),
    ] {
        world.post_as(&maya.access, path, body).await.names_only(&[field]);
    }
    let wrong = with_token(post(path, &change("wrong", NEW)), &maya.access);
    let statuses = world.statuses(vec![wrong; 20]).await;
    assert_eq!(statuses, [(422, 5), (429, 15)].into(), "ten tries an hour");
    world.get_as(&maya.access, "/api/v1/me").await.is(200);
    assert!(world.mails().await.is_empty());
}

/// Somebody else writes the account during the change.
#[tokio::test]
async fn password_change_survives_a_lost_race() {
    let (world, maya) = World::with_newcomer().await;
    // In no tenant: the only row to be written is the account's.
    let before = world.account(maya.user).await;
    let mut nowhere = before.value;
    nowhere.tenants.clear();
    let written = world.aws.store().write_account(&nowhere, before.version).await;
    written.expect("the table answers");
    let lossy = Lossy::before(&world.aws);
    lossy.be_in_the_way_of("PutItem");
    let function = world.start_process(&[("AWS_ENDPOINT_URL", lossy.url())]);
    let call = post("/api/v1/auth/change-password", &change(PASSWORD, NEW));
    let answer = function.call(&with_token(call, &maya.access)).await;
    assert!(lossy.has_lost_all());
    answer.is(200);
    world.call(&log_in(&maya.email, NEW)).await.is(200);
}

async fn request_reset_link(world: &World, maya: &Newcomer) -> String {
    world.call(&forgot(&maya.email)).await.is(202);
    world.link().await
}

#[tokio::test]
async fn forgotten_password_does_not_reveal_accounts() {
    let (world, maya) = World::with_newcomer().await;
    let known = world.call(&forgot(&maya.email)).await;
    let unknown = world.call(&forgot("nobody@saffron.example")).await;
    assert_eq!(known.is(202).text(), unknown.text());
    for name in ["content-type", "cache-control", "set-cookie"] {
        assert_eq!(known.header(name), unknown.header(name));
    }
    assert!(matches!(
        &world.only_mail().await.mail,
        Mail::ResetPassword { link }
            if link.url().is_some_and(|url| url.starts_with("https://app.example/reset-password?token="))
    ));
    for email in [maya.email.as_str(), "nobody@saffron.example"] {
        let statuses = world.statuses(vec![forgot(email); 8]).await;
        assert_eq!(statuses, [(202, 4), (429, 4)].into(), "{email}: five an hour");
        // Who asked so often keeps out nobody who asks from elsewhere.
        let elsewhere = forgot(email).from_address("10.3.0.1");
        world.call(&elsewhere).await.is(202);
        let from = |n: u32| forgot(email).from_address(&format!("10.4.0.{n}"));
        let statuses = world.statuses((0..20).map(from)).await;
        let why = "twenty an hour from everywhere";
        assert_eq!(statuses, [(202, 14), (429, 6)].into(), "{email}: {why}");
    }
}

/// Whatever number of strangers request it, from whatever number of addresses.
#[tokio::test]
async fn an_address_gets_five_links_an_hour_and_ten_a_day() {
    let world = World::with_high_limits().await;
    let maya = world.newcomer("saffron").await;
    let ask = |email: &str, n: u32| forgot(email).from_address(&format!("10.4.0.{n}"));
    let first = world.call(&ask(&maya.email, 0)).await;
    let ask_all = |all: Range<u32>| world.all(all.map(|n| ask(&maya.email, n)));
    for answer in ask_all(1..12).await {
        assert_eq!(answer.is(202).text(), first.text());
    }
    assert_eq!(world.mails().await.len(), 5);
    world.aws.pass(3600);
    ask_all(20..32).await;
    assert_eq!(world.mails().await.len(), 5);
    world.aws.pass(3600);
    ask_all(40..52).await;
    assert!(world.mails().await.is_empty(), "ten a day");
    // Others are not held back, nor is it for longer than the day.
    let tom = world.newcomer("clinic").await;
    world.call(&ask(&tom.email, 60)).await;
    assert_eq!(world.mails().await.len(), 1);
    world.aws.pass(24 * 3600);
    world.call(&ask(&maya.email, 61)).await;
    assert_eq!(world.mails().await.len(), 1);
}

/// Strangers can cause these at will. Somebody who forgot the password must not have to wait for them.
#[tokio::test]
async fn sign_ups_do_not_block_password_resets() {
    let world = World::with_high_limits().await;
    let maya = world.newcomer("saffron").await;
    for slug in ["a-bakery", "b-bakery", "c-bakery", "d-bakery", "e-bakery"] {
        let asked = super::world::sign_up(slug, &maya.email);
        world.call(&asked).await.is(202);
    }
    // That of the own sign-up was the first of five.
    assert_eq!(world.mails().await.len(), 4);
    request_reset_link(&world, &maya).await;
}

#[tokio::test]
async fn password_matches_in_every_unicode_form() {
    let (world, maya) = World::with_newcomer().await;
    let path = "/api/v1/auth/change-password";
    let decomposed = "acht stille A\u{30a}ngstro\u{308}ms";
    let answer = world.post_as(&maya.access, path, change(PASSWORD, decomposed)).await;
    answer.is(200);
    for typed in [decomposed, "acht stille Ångströms", "acht stille \u{212b}ngströms"] {
        world.call(&log_in(&maya.email, typed)).await.is(200);
    }
}

#[tokio::test]
async fn failing_queue_does_not_reveal_accounts() {
    let (world, maya) = World::with_newcomer().await;
    let nowhere = world.start_process(&[("MAILS_QUEUE_URL", "http://127.0.0.1:9/000000000000/none")]);
    let known = nowhere.call(&forgot(&maya.email)).await;
    let unknown = nowhere.call(&forgot("nobody@saffron.example")).await;
    assert_eq!(known.is(202).text(), unknown.text());
    unknown.is(202);
}

/// Changing the password and logging out of all sessions both invalidate the link.
#[tokio::test]
async fn reset_link_ends_with_password_change_or_log_out() {
    let (world, maya) = World::with_newcomer().await;
    let of_before = request_reset_link(&world, &maya).await;
    let path = "/api/v1/auth/change-password";
    let changed = world.post_as(&maya.access, path, change(PASSWORD, NEW)).await;
    changed.is(200);
    world.mails().await;
    let refused = async |token: &str| {
        let answer = world.call(&reset(token, "yet another umbrella")).await;
        answer.is_refused(404, "link_not_valid");
    };
    refused(&of_before).await;
    let first = request_reset_link(&world, &maya).await;
    let second = request_reset_link(&world, &maya).await;
    world.aws.pass(10);
    let token = text(&changed.json()["access_token"]);
    world
        .post_as(&token, "/api/v1/auth/log-out-everywhere", json!({}))
        .await
        .is(204);
    refused(&first).await;
    world.call(&log_in(&maya.email, NEW)).await.is(200);
    // Of two links that were sent after that, the second is over with the first.
    world.aws.pass(3600);
    let (third, fourth) = (
        request_reset_link(&world, &maya).await,
        request_reset_link(&world, &maya).await,
    );
    world.call(&reset(&third, PASSWORD)).await.is(204);
    for token in [&second, &third, &fourth] {
        refused(token).await;
    }
}

#[tokio::test]
async fn a_link_sets_the_password_once_and_ends_all_sessions() {
    let (world, maya) = World::with_newcomer().await;
    let token = request_reset_link(&world, &maya).await;
    world.call(&reset(&token, "short")).await.names_only(&["password"]);
    world.get_as(&maya.access, "/api/v1/me").await.is(200);
    world.call(&reset(&token, NEW)).await.is(204);
    let again = world.call(&reset(&token, "yet another umbrella")).await;
    again.is_refused(404, "link_not_valid");
    world.get_as(&maya.access, "/api/v1/me").await.is(401);
    world.refresh(&maya.refresh).await.is_refused(401, "session_over");
    world.call(&log_in(&maya.email, PASSWORD)).await.is(401);
    world.call(&log_in(&maya.email, NEW)).await.is(200);
    assert_eq!(world.only_mail().await.mail, Mail::PasswordChanged {});
}

#[tokio::test]
async fn ten_resets_by_one_link_have_one_winner() {
    let (world, maya) = World::with_newcomer().await;
    let token = request_reset_link(&world, &maya).await;
    let one = |n: u32| reset(&token, &format!("umbrellas of colour {n}"));
    let answers = world.all((0..10).map(one)).await;
    let mut statuses: Vec<_> = answers.iter().map(Answer::status).collect();
    let winner = statuses.iter().position(|status| *status == 204).expect("one won");
    statuses.remove(winner);
    assert_eq!(statuses, [404; 9]);
    let right = log_in(&maya.email, &format!("umbrellas of colour {winner}"));
    world.call(&right).await.is(200);
}

#[tokio::test]
async fn reset_link_expires_after_an_hour_and_resets_only() {
    let (world, maya) = World::with_newcomer().await;
    let token = request_reset_link(&world, &maya).await;
    let verify = world.call(&confirm(&token, PASSWORD)).await;
    verify.is_refused(404, "link_not_valid");
    world.aws.pass(3600);
    let answer = world.call(&reset(&token, NEW)).await;
    answer.is_refused(404, "link_not_valid");
    let guessed = world
        .call(&reset("qmqJ3cTz2m1XbM8V0i2dWJm3o0wP0c8y5k7u9n1r3t4", NEW))
        .await;
    assert_eq!(guessed.text(), answer.text());
}
