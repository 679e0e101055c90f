use access::token::api_key;
use serde_json::json;
use testkit::api::{Caller, Town, env_of_all};
use testkit::{Aws, Call, assert_snapshot};

use super::world::{PASSWORD, World, call_with, confirm, log_in, sign_up, text};

fn patch(changes: &serde_json::Value) -> Call {
    let call = Call::new("PATCH", "/api/v1/me").header("content-type", "application/merge-patch+json");
    call.body(changes.to_string())
}

#[tokio::test]
async fn people_change_their_name_everywhere_and_their_language() {
    let (world, maya) = World::with_newcomer().await;
    let me = world.get_as(&maya.access, "/api/v1/me").await;
    me.is(200).has_version(1);
    let expected = json!({"name": "Maya Haddad", "language": "en", "second_factor": false});
    for (name, value) in expected.as_object().expect("an object") {
        assert_eq!(&me.json()[name], value);
    }
    let changes = json!({"name": " Maya H. ", "language": "ar-AE"});
    let answer = world
        .call_as(&maya.access, patch(&changes).header("if-match", "\"1\""))
        .await;
    answer.is(200).has_version(2);
    assert_eq!(
        (&answer.json()["name"], &answer.json()["language"]),
        (&json!("Maya H."), &json!("ar-AE"))
    );
    let tenant = world.account(maya.user).await.value.tenants[0];
    let member = world
        .aws
        .store()
        .get::<domain::accounts::Member>(&world.aws.scope(tenant), &maya.user)
        .await;
    assert_eq!(
        member.expect("the table answers").expect("a member").value.name,
        "Maya H."
    );
    world
        .call_as(&maya.access, patch(&json!({"name": "M"})).header("if-match", "\"1\""))
        .await
        .is(412);
    for (changes, field) in [
        (json!({"name": null}), "name"),
        (json!({"name": ""}), "name"),
        (json!({"language": "x"}), "language"),
        (json!({"email": "other@saffron.example"}), "email"),
    ] {
        world.call_as(&maya.access, patch(&changes)).await.names_only(&[field]);
    }
}

#[tokio::test]
async fn people_set_their_preferences() {
    let (world, maya) = World::with_newcomer().await;
    let usual = json!({
        "language": null, "numerals": "auto", "clock": "auto", "theme": "system", "density": "regular", "send_key": "enter",
        "notifications": {
            "mine": true, "unassigned": true, "mentions": true, "calls": true, "attention": true, "texts": false,
            "quiet_hours": null,
            "mails": {"connection_refused": true, "template_paused": true, "automation_unmatched": true, "cap_nearly_reached": true, "campaign_paused": true, "customers_wait": true, "webhook_failing": true, "orders_late": true},
        },
    });
    let me = world.get_as(&maya.access, "/api/v1/me").await;
    assert_eq!(me.is(200).json()["preferences"], usual);
    let set = async |preferences: serde_json::Value| {
        let changes = json!({ "preferences": preferences });
        world.call_as(&maya.access, patch(&changes)).await
    };
    let changed = set(json!({
        "language": "ar-AE", "theme": "dark", "clock": "12h",
        "notifications": {"calls": false, "quiet_hours": {"from": "21:00", "to": "07:30"}},
    }));
    changed.await.is(200).has_version(2);
    // The others stay, and `null` restores the usual.
    let changed = set(json!({
        "theme": null, "notifications": {"calls": null, "texts": true, "mails": {"template_paused": false}},
    }));
    let changed = changed.await;
    let mut expected = usual.clone();
    expected["language"] = json!("ar-AE");
    expected["clock"] = json!("12h");
    expected["notifications"]["texts"] = json!(true);
    expected["notifications"]["mails"]["template_paused"] = json!(false);
    expected["notifications"]["quiet_hours"] = json!({"from": "21:00", "to": "07:30"});
    assert_eq!(changed.is(200).json()["preferences"], expected);
    assert_eq!(
        world.get_as(&maya.access, "/api/v1/me").await.json()["preferences"],
        expected
    );
    for (preferences, field) in [
        (json!({"theme": "sepia"}), "preferences.theme"),
        (json!({"language": "x"}), "preferences.language"),
        (json!({"fonts": "large"}), "preferences.fonts"),
        (json!({"notifications": {"mine": 1}}), "preferences.notifications.mine"),
        (
            json!({"notifications": {"mails": {"payments": false}}}),
            "preferences.notifications.mails.payments",
        ),
        (
            json!({"notifications": {"quiet_hours": {"from": "25:00"}}}),
            "preferences.notifications.quiet_hours.from",
        ),
    ] {
        set(preferences).await.names_only(&[field]);
    }
    set(json!(null)).await.is(200);
    let account = world.account(maya.user).await.value;
    assert!(account.preferences.are_usual() && account.name == "Maya Haddad");
}

#[tokio::test]
async fn account_says_who_administers_the_platform() {
    let aws = Aws::new().await;
    let town = Town::with_env(&aws, &env_of_all(&aws).await, auth::routes).await;
    let platform = async |caller: Caller<'_>| {
        let me = caller.get("/api/v1/me").await;
        me.is(200).json()["platform"].clone()
    };
    assert_eq!(platform(town.platform()).await, true);
    assert_eq!(platform(town.admin()).await, false);
}

#[tokio::test]
async fn people_see_their_sessions_and_end_them_but_nobody_elses() {
    let world = World::new().await;
    let (maya, tom) = (world.newcomer("saffron").await, world.newcomer("harbour").await);
    world.aws.pass(60);
    let phone = log_in(&maya.email, PASSWORD).header("user-agent", &"Phone ".repeat(50));
    let phone = world.call(&phone).await.json();
    let listed = world.get_as(&maya.access, "/api/v1/me/sessions").await.json();
    let items = listed["items"].as_array().expect("items").clone();
    assert_eq!((items.len(), &listed["next_cursor"]), (2, &json!(null)));
    let (newest, first) = (&items[0], &items[1]);
    assert_eq!((&newest["current"], &first["current"]), (&json!(false), &json!(true)));
    assert_eq!(text(&newest["device"]).len(), 120);
    assert!(newest.get("current_sha256").is_none() && newest.get("family_sha256").is_none());
    let end = || Call::new("DELETE", &format!("/api/v1/me/sessions/{}", text(&newest["id"])));
    world.call_as(&tom.access, end()).await.is(404);
    world.refresh(&text(&phone["refresh_token"])).await.is(200);
    world.call_as(&maya.access, end()).await.is(204);
    world.call_as(&maya.access, end()).await.is(404);
    let nonsense = Call::new("DELETE", "/api/v1/me/sessions/ses_1");
    world.call_as(&maya.access, nonsense).await.is(404);
    let listed = world.get_as(&maya.access, "/api/v1/me/sessions").await.json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn own_account_is_closed_to_keys_and_strangers() {
    let (world, maya) = World::with_newcomer().await;
    let paths = [
        ("GET", "/api/v1/me"),
        ("PATCH", "/api/v1/me"),
        ("GET", "/api/v1/me/sessions"),
        ("DELETE", "/api/v1/me/sessions/ses_01jcs8q3v4w5x6y7z8a9b0c1d2"),
        ("POST", "/api/v1/me/second-factor"),
        ("DELETE", "/api/v1/me/second-factor"),
        ("POST", "/api/v1/me/second-factor/confirm"),
        ("POST", "/api/v1/me/second-factor/recovery-codes"),
        ("POST", "/api/v1/auth/change-password"),
        ("POST", "/api/v1/auth/log-out-everywhere"),
    ];
    for (method, path) in paths {
        let call = || call_with(method, path, &json!({}));
        let by_key = call().header("x-api-key", &api_key([7; 32]));
        let by_nonsense = call().header("authorization", "Basic bWF5YQ==");
        for call in [call(), by_key, by_nonsense] {
            world.call(&call).await.is_refused(401, "unauthorized");
        }
        let both = call().header("x-api-key", &api_key([7; 32]));
        world.call_as(&maya.access, both).await.is(400);
    }
}

#[tokio::test]
async fn answers_about_sessions_keep_their_shape() {
    let world = World::new().await;
    let email = "maya@saffron.example";
    let signed_up = world.call(&sign_up("saffron", email)).await;
    let verified = world.call(&confirm(&world.link().await, PASSWORD)).await;
    // Sessions are listed by age.
    world.aws.pass(1);
    let logged_in = world.call(&log_in(email, PASSWORD)).await;
    let body = logged_in.json();
    let refreshed = world.refresh(&text(&body["refresh_token"])).await;
    let access = text(&body["access_token"]);
    let me = world.get_as(&access, "/api/v1/me").await;
    let sessions = world.get_as(&access, "/api/v1/me/sessions").await;
    let refused = world.call(&log_in(email, "wrong")).await;
    let answers = [&signed_up, &verified, &logged_in, &refreshed, &me, &sessions, &refused];
    assert_snapshot("sessions", &answers);
}
