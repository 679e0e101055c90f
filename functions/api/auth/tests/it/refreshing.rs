use serde_json::json;
use testkit::{Answer, Call};

use super::world::{Newcomer, World, post, text};

fn refresh(token: &str) -> Call {
    post("/api/v1/auth/refresh", &json!({"refresh_token": token}))
}

fn token(answer: &Answer) -> String {
    text(&answer.is(200).json()["refresh_token"])
}

#[tokio::test]
async fn a_refresh_token_works_once_and_gives_the_next() {
    let (world, maya) = World::with_newcomer().await;
    world.aws.pass(600);
    let answer = world.refresh(&maya.refresh).await;
    let next = token(&answer);
    assert_ne!(next, maya.refresh);
    let body = answer.json();
    assert_eq!(body["tenants"][0]["slug"], "saffron");
    world.get_as(&text(&body["access_token"]), "/api/v1/me").await.is(200);
    world.aws.pass(600);
    token(&world.refresh(&next).await);
}

#[tokio::test]
async fn concurrent_refreshes_have_one_winner_and_keep_session() {
    let (world, maya) = World::with_newcomer().await;
    let answers = world.all(vec![refresh(&maya.refresh); 50]).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status() == 200);
    assert_eq!((won.len(), lost.len()), (1, 49));
    for answer in lost {
        answer.is_refused(409, "refreshed_elsewhere");
    }
    world.aws.pass(60);
    token(&world.refresh(&token(won[0])).await);
}

#[tokio::test]
async fn reused_refresh_token_ends_the_session() {
    let (world, maya) = World::with_newcomer().await;
    let second = token(&world.refresh(&maya.refresh).await);
    world.aws.pass(11);
    world.refresh(&maya.refresh).await.is_refused(401, "session_over");
    world.refresh(&second).await.is_refused(401, "session_over");
    // Other sessions go on.
    let other = world.log_in(&maya.email).await;
    token(&world.refresh(&text(&other["refresh_token"])).await);
}

#[tokio::test]
async fn a_token_two_generations_old_is_reuse_even_at_once() {
    let (world, maya) = World::with_newcomer().await;
    let second = token(&world.refresh(&maya.refresh).await);
    let third = token(&world.refresh(&second).await);
    world.refresh(&maya.refresh).await.is(401);
    world.refresh(&third).await.is(401);
}

const DAY: i64 = 24 * 3600;

#[tokio::test]
async fn a_session_ends_after_thirty_days_though_refreshed() {
    let (world, maya) = World::with_newcomer().await;
    let mut newest = maya.refresh;
    for _day in 0..29 {
        world.aws.pass(DAY);
        newest = token(&world.refresh(&newest).await);
    }
    world.aws.pass(DAY - 60);
    let last = world.refresh(&newest).await;
    newest = token(&last);
    // Neither token outlives the session.
    assert_eq!(last.json()["expires_in"], 60);
    let access = text(&last.json()["access_token"]);
    let session = &world.get_as(&access, "/api/v1/me/sessions").await.json()["items"][0];
    assert_eq!(
        (&session["expires_at"], &session["ends_at"]),
        (&json!("2026-12-20T12:00:00Z"), &json!("2026-12-20T12:00:00Z"))
    );
    world.aws.pass(60);
    world.get_as(&access, "/api/v1/me").await.is(401);
    world.refresh(&newest).await.is_refused(401, "session_over");
    world.refresh(&newest).await.is_refused(401, "session_over");
}

#[tokio::test]
async fn session_limit_applies_to_existing_sessions() {
    let (world, maya) = World::with_newcomer().await;
    let longer = world.start_process(&[("SESSION_DAYS", "60")]);
    world.aws.pass(29 * DAY);
    let next = token(&longer.call(&refresh(&maya.refresh)).await);
    world.aws.pass(29 * DAY);
    let next = token(&longer.call(&refresh(&next)).await);
    // Idle days end it all the same, and so do fewer days than when it began.
    let shorter = world.start_process(&[("SESSION_DAYS", "7")]);
    shorter.call(&refresh(&next)).await.is_refused(401, "session_over");
    let idle = world.newcomer("harbour").await;
    world.aws.pass(30 * DAY);
    let over = longer.call(&refresh(&idle.refresh)).await;
    over.is_refused(401, "session_over");
}

#[tokio::test]
async fn a_cookie_lasts_as_long_as_its_session() {
    let (world, maya) = World::with_newcomer().await;
    let first = cookie(&world, &maya).await;
    world.aws.pass(10 * DAY);
    let answer = world.call(&with_cookie("/api/v1/auth/refresh", &first)).await;
    let expected = format!(
        "Path=/api/v1/auth; Max-Age={}; HttpOnly; Secure; SameSite=Strict",
        20 * DAY
    );
    assert!(
        answer.header("set-cookie").ends_with(&expected),
        "{}",
        answer.header("set-cookie")
    );
}

/// Another host of the site can set a cookie of the same name, and the browser decides which one comes first.
#[tokio::test]
async fn a_refresh_cookie_that_comes_twice_is_refused() {
    let world = World::new().await;
    let (maya, tom) = (world.newcomer("saffron").await, world.newcomer("harbour").await);
    let (own, planted) = (cookie(&world, &maya).await, cookie(&world, &tom).await);
    for both in [
        format!("{planted}; {own}"),
        format!("{own}; {planted}"),
        format!("{own};{own}"),
        format!("__Secure-ringback_refresh=; {own}"),
    ] {
        let answer = world.call(&with_cookie("/api/v1/auth/refresh", &both)).await;
        answer.is_refused(400, "bad_request");
    }
    // One without the prefix is not ours: any page of the site could have set it.
    let unprefixed = own.replace("__Secure-", "");
    let answer = world.call(&with_cookie("/api/v1/auth/refresh", &unprefixed)).await;
    answer.is_refused(401, "session_over");
    let with_other = format!("{unprefixed}; {own}");
    let answer = world.call(&with_cookie("/api/v1/auth/refresh", &with_other)).await;
    answer.is(200);
    // What the body says needs no cookie.
    let call = refresh(&tom.refresh).header("cookie", &format!("{own}; {planted}"));
    world.call(&call).await.is(200);
}

/// Otherwise, somebody who plants a cookie could keep a user logged in.
#[tokio::test]
async fn duplicate_cookies_do_not_prevent_log_out() {
    let world = World::new().await;
    let (maya, tom) = (world.newcomer("saffron").await, world.newcomer("harbour").await);
    let (own, planted) = (cookie(&world, &maya).await, cookie(&world, &tom).await);
    let path = "/api/v1/auth/log-out";
    let forgotten = |answer: &Answer| {
        let cookies = answer.cookies();
        for name in ["__Secure-ringback_refresh", "ringback_refresh"] {
            let gone = format!("{name}=; Path=/api/v1/auth; Max-Age=0;");
            assert!(cookies.iter().any(|cookie| cookie.starts_with(&gone)), "{cookies:?}");
        }
    };
    let both = format!("{planted}; {own}");
    let nobody = world.call(&with_cookie(path, &both)).await;
    nobody.is(204);
    forgotten(&nobody);
    let ended = world.call_as(&maya.access, with_cookie(path, &both)).await;
    ended.is(204);
    forgotten(&ended);
    // The session of who asks.
    world.refresh(&maya.refresh).await.is(401);
    world.refresh(&tom.refresh).await.is(200);
}

#[tokio::test]
async fn foreign_refresh_token_is_refused() {
    let world = World::new().await;
    let (maya, tom) = (world.newcomer("saffron").await, world.newcomer("harbour").await);
    let (ids, secrets) = maya.refresh.split_once('.').expect("a token");
    let (foreign_ids, foreign) = tom.refresh.split_once('.').expect("a token");
    for wrong in [
        format!("{ids}.{foreign}"),
        format!("{foreign_ids}.{secrets}"),
        format!("{ids}.{secrets}x"),
        ids.to_owned(),
        "rbr_".to_owned(),
        String::new(),
    ] {
        world.refresh(&wrong).await.is_refused(401, "session_over");
        let body = json!({"refresh_token": wrong});
        world.post("/api/v1/auth/log-out", body).await.is(204);
    }
    token(&world.refresh(&maya.refresh).await);
    token(&world.refresh(&tom.refresh).await);
}

fn with_cookie(path: &str, cookie: &str) -> Call {
    post(path, &json!({})).header("cookie", &format!("theme=dark; {cookie}; other=1"))
}

async fn cookie(world: &World, maya: &Newcomer) -> String {
    let body = json!({"email": maya.email, "password": super::world::PASSWORD, "session": "cookie"});
    let answer = world.post("/api/v1/auth/log-in", body).await;
    set(&answer)
}

/// Name and value of the cookie that an answer sets.
fn set(answer: &Answer) -> String {
    answer
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap_or_default()
        .to_owned()
}

#[tokio::test]
async fn a_browser_refreshes_by_its_cookie() {
    let (world, maya) = World::with_newcomer().await;
    let first = cookie(&world, &maya).await;
    let answer = world.call(&with_cookie("/api/v1/auth/refresh", &first)).await;
    assert!(answer.is(200).json().get("refresh_token").is_none());
    let second = set(&answer);
    assert!(second.starts_with("__Secure-ringback_refresh=rbr_") && second != first);
    // A second tab came late: the browser has the other's cookie by now, which must stay.
    let late = world.call(&with_cookie("/api/v1/auth/refresh", &first)).await;
    assert_eq!(late.is(409).header("set-cookie"), "");
    world.aws.pass(60);
    let reused = world.call(&with_cookie("/api/v1/auth/refresh", &first)).await;
    assert!(
        reused
            .is(401)
            .header("set-cookie")
            .starts_with("__Secure-ringback_refresh=; Path=/api/v1/auth; Max-Age=0;")
    );
    let none = world.post("/api/v1/auth/refresh", json!({})).await;
    none.is_refused(401, "session_over");
}

#[tokio::test]
async fn too_many_ended_sessions_end_all_of_the_person() {
    let (world, maya) = World::with_newcomer().await;
    let (store, now) = (world.aws.store(), world.aws.now());
    let mut account = world.account(maya.user).await;
    let scope = access::link::of_own_account(&account.value).remove(0);
    for _one in 0..20 {
        let session = domain::terms::SessionId::new(world.aws.ids().ulid());
        let ended = store.end_member_session(&scope, maya.user, session, now).await;
        ended.expect("the table answers");
        account.value.end_session(session, now);
    }
    let written = store.write_account(&account.value, account.version).await;
    written.expect("the table answers");
    let other = text(&world.log_in(&maya.email).await["access_token"]);
    assert!(world.role_in(None, &maya.access).await.is_some());
    world.post_as(&other, "/api/v1/auth/log-out", json!({})).await.is(204);
    for access in [&maya.access, &other] {
        assert_eq!(world.role_in(None, access).await, None);
        world.get_as(access, "/api/v1/me").await.is(401);
    }
    world.refresh(&maya.refresh).await.is(401);
    let anew = text(&world.log_in(&maya.email).await["access_token"]);
    assert!(world.role_in(None, &anew).await.is_some());
}

#[tokio::test]
async fn log_out_ends_session_of_body_cookie_or_access_token() {
    let (world, maya) = World::with_newcomer().await;
    let by_body = world.log_in(&maya.email).await;
    let out = |body| world.post("/api/v1/auth/log-out", body);
    let is_let_in = async |access: &str| world.role_in(None, access).await.is_some();
    assert!(is_let_in(&text(&by_body["access_token"])).await);
    let answer = out(json!({"refresh_token": by_body["refresh_token"]})).await;
    assert!(answer.is(204).header("set-cookie").contains("Max-Age=0"));
    // The tenant ends the access token, too.
    assert!(!is_let_in(&text(&by_body["access_token"])).await);
    world.refresh(&text(&by_body["refresh_token"])).await.is(401);
    let by_cookie = cookie(&world, &maya).await;
    let answer = world.call(&with_cookie("/api/v1/auth/log-out", &by_cookie)).await;
    answer.is(204);
    let answer = world.call(&with_cookie("/api/v1/auth/refresh", &by_cookie)).await;
    answer.is(401);
    let by_access = world.log_in(&maya.email).await;
    world
        .post_as(&text(&by_access["access_token"]), "/api/v1/auth/log-out", json!({}))
        .await
        .is(204);
    world.refresh(&text(&by_access["refresh_token"])).await.is(401);
    out(json!({})).await.is(204);
    // The first session was none of them.
    assert!(is_let_in(&maya.access).await && !is_let_in(&text(&by_access["access_token"])).await);
    token(&world.refresh(&maya.refresh).await);
}

#[tokio::test]
async fn logging_out_everywhere_ends_every_token_at_once() {
    let world = World::new().await;
    let (maya, tom) = (world.newcomer("saffron").await, world.newcomer("harbour").await);
    let second = world.log_in(&maya.email).await;
    world
        .call_as(&maya.access, Call::new("POST", "/api/v1/auth/log-out-everywhere"))
        .await
        .is(204);
    for access in [&maya.access, &text(&second["access_token"])] {
        world.get_as(access, "/api/v1/me").await.is(401);
        assert_eq!(world.role_in(None, access).await, None, "a tenant lets it in");
    }
    for refresh in [&maya.refresh, &text(&second["refresh_token"])] {
        world.refresh(refresh).await.is_refused(401, "session_over");
    }
    world.get_as(&tom.access, "/api/v1/me").await.is(200);
    token(&world.refresh(&tom.refresh).await);
    // Who logs in in the same moment is in.
    let again = world.log_in(&maya.email).await;
    let access = text(&again["access_token"]);
    world.get_as(&access, "/api/v1/me").await.is(200);
    assert!(world.role_in(None, &access).await.is_some());
    token(&world.refresh(&text(&again["refresh_token"])).await);
}
