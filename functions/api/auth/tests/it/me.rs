use access::token::api_key;
use serde_json::json;
use testkit::Call;

use crate::world::{World, kind, problem, text};

fn patch(changes: &serde_json::Value) -> Call {
    let call = Call::new("PATCH", "/api/v1/me").header("content-type", "application/merge-patch+json");
    call.body(changes.to_string())
}

#[tokio::test]
async fn people_change_their_name_everywhere_and_their_language() {
    let world = World::new().await;
    let maya = world.newcomer("saffron").await;
    let me = world.get_as(&maya.access, "/api/v1/me").await;
    assert_eq!((me.status(), me.header("etag")), (200, "\"1\""));
    let expected = json!({"name": "Maya Haddad", "language": "en", "second_factor": false});
    for (name, value) in expected.as_object().expect("an object") {
        assert_eq!(&me.json()[name], value);
    }
    let changes = json!({"name": " Maya H. ", "language": "ar-AE"});
    let answer = world
        .call_as(&maya.access, patch(&changes).header("if-match", "\"1\""))
        .await;
    assert_eq!(
        (answer.status(), answer.header("etag")),
        (200, "\"2\""),
        "{}",
        answer.text()
    );
    assert_eq!(
        (&answer.json()["name"], &answer.json()["language"]),
        (&json!("Maya H."), &json!("ar-AE"))
    );
    let tenant = world.account(maya.user).await.value.tenants[0];
    let member = world
        .aws
        .store()
        .get::<domain::account::Member>(&world.aws.scope(tenant), &maya.user)
        .await;
    assert_eq!(
        member.expect("the table answers").expect("a member").value.name,
        "Maya H."
    );
    let stale = world
        .call_as(&maya.access, patch(&json!({"name": "M"})).header("if-match", "\"1\""))
        .await;
    assert_eq!(stale.status(), 412);
    for (changes, field) in [
        (json!({"name": null}), "name"),
        (json!({"name": ""}), "name"),
        (json!({"language": "x"}), "language"),
        (json!({"email": "other@saffron.example"}), "email"),
    ] {
        let answer = world.call_as(&maya.access, patch(&changes)).await;
        assert_eq!(
            problem(&answer),
            (422, "invalid".to_owned(), vec![field.to_owned()]),
            "{changes}"
        );
    }
}

#[tokio::test]
async fn people_see_their_sessions_and_end_them_but_nobody_elses() {
    let world = World::new().await;
    let (maya, tom) = (world.newcomer("saffron").await, world.newcomer("harbour").await);
    world.aws.pass(60);
    let phone = crate::world::log_in(&maya.email, crate::world::PASSWORD).header("user-agent", &"Phone ".repeat(50));
    let phone = world.function.call(&phone).await.json();
    let listed = world.get_as(&maya.access, "/api/v1/me/sessions").await.json();
    let items = listed["items"].as_array().expect("items").clone();
    assert_eq!((items.len(), &listed["next_cursor"]), (2, &json!(null)));
    let (newest, first) = (&items[0], &items[1]);
    assert_eq!((&newest["current"], &first["current"]), (&json!(false), &json!(true)));
    assert_eq!(text(&newest["device"]).len(), 120);
    assert!(newest.get("current_sha256").is_none() && newest.get("family_sha256").is_none());
    let path = format!("/api/v1/me/sessions/{}", text(&newest["id"]));
    let end = |token: String, path: String| async move { (token, path) };
    let (token, foreign) = end(tom.access.clone(), path.clone()).await;
    assert_eq!(world.call_as(&token, Call::new("DELETE", &foreign)).await.status(), 404);
    assert_eq!(world.refresh(&text(&phone["refresh_token"])).await.status(), 200);
    assert_eq!(
        world.call_as(&maya.access, Call::new("DELETE", &path)).await.status(),
        204
    );
    assert_eq!(
        world.call_as(&maya.access, Call::new("DELETE", &path)).await.status(),
        404
    );
    let nonsense = Call::new("DELETE", "/api/v1/me/sessions/ses_1");
    assert_eq!(world.call_as(&maya.access, nonsense).await.status(), 404);
    let listed = world.get_as(&maya.access, "/api/v1/me/sessions").await.json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn own_account_is_closed_to_keys_and_strangers() {
    let world = World::new().await;
    let maya = world.newcomer("saffron").await;
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
        let call = || {
            Call::new(method, path)
                .header("content-type", "application/json")
                .body("{}")
        };
        let strangers = [
            ("nobody", call()),
            ("a key", call().header("x-api-key", &api_key([7; 32]))),
            ("nonsense", call().header("authorization", "Basic bWF5YQ==")),
        ];
        for (who, call) in strangers {
            let answer = world.function.call(&call).await;
            assert_eq!(
                (answer.status(), kind(&answer).as_str()),
                (401, "unauthorized"),
                "{who} {method} {path}"
            );
        }
        let both = call().header("x-api-key", &api_key([7; 32]));
        assert_eq!(world.call_as(&maya.access, both).await.status(), 400, "{method} {path}");
    }
}
