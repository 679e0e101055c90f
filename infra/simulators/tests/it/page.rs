//! Requests of the page beyond the control API.

use serde_json::json;

use crate::ringback::Ringback;
use crate::support::{Stage, tenant_a, tenant_b};

#[tokio::test]
async fn team_answers_from_the_page() {
    let ringback = Ringback::answering(move |asked, _| match asked.path.as_str() {
        "/api/v1/contacts?phone=%2B971501234567" => (200, r#"{"items": [{"id": "ctc_1"}]}"#.to_owned()),
        "/api/v1/contacts?phone=%2B971500000000" => (200, r#"{"items": []}"#.to_owned()),
        "/api/v1/conversations?contact=ctc_1" => (200, r#"{"items": [{"id": "conv_1", "seq": 3}]}"#.to_owned()),
        "/api/v1/conversations/conv_1/messages" => (409, r#"{"detail": "Closed", "templates": []}"#.to_owned()),
        path => panic!("{path}"),
    })
    .await;
    let mut known = tenant_a();
    known["api_key"] = json!("rbk_of_a");
    let stage = Stage::opposite(ringback, json!({"tenants": [known]})).await;
    let of = async |number: &str| {
        let path = format!("/tenants/tnt_a/conversations?number={}", number.replace('+', "%2B"));
        stage.get(&path).await["items"].clone()
    };
    assert_eq!(of("+971501234567").await, json!([{"id": "conv_1", "seq": 3}]));
    assert_eq!(of("+971500000000").await, json!([]));
    let said = json!({"seen": 3, "text": "Yes"});
    let url = stage.url("/tenants/tnt_a/conversations/conv_1/messages?key=1");
    let refused = stage.http.post(url).json(&said).send().await.unwrap();
    assert_eq!(refused.status(), 409, "what Ringback says is passed on");
    assert_eq!(refused.json::<serde_json::Value>().await.unwrap()["detail"], "Closed");
    let asked = stage.ringback.received_requests();
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&asked.last().unwrap().body).unwrap(),
        said
    );
    assert_eq!(asked.last().unwrap().headers["idempotency-key"], "1");
    assert!(asked.iter().all(|one| one.headers["x-api-key"] == "rbk_of_a"));
    let url = stage.url("/tenants/tnt_a/conversations/..%2Fusers/messages?key=2");
    assert_eq!(stage.http.post(url).json(&said).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn tickets_are_fetched_with_a_key_that_stays_here() {
    let ticket = r#"{"url": "ws://127.0.0.1:1/live", "ticket": "once", "cursor": "1"}"#;
    let ringback = Ringback::answering(move |_, _| (200, ticket.to_owned())).await;
    let mut known = tenant_a();
    known["api_key"] = json!("rbk_of_a");
    let stage = Stage::opposite(ringback, json!({"tenants": [known, tenant_b()]})).await;
    assert_eq!(stage.post("/tenants/tnt_a/ticket", json!({})).await["ticket"], "once");
    let asked = stage.ringback.received_requests();
    assert_eq!(asked.len(), 1);
    assert_eq!(
        (asked[0].method.as_str(), asked[0].path.as_str()),
        ("POST", "/api/v1/live/ticket")
    );
    assert_eq!(asked[0].headers["x-api-key"], "rbk_of_a");
    let tenants = stage.get("/tenants").await;
    assert_eq!(
        (&tenants[0]["live"], &tenants[1]["live"]),
        (&json!(true), &json!(false))
    );
    assert!(!tenants.to_string().contains("rbk_"));
    assert!(tenants[0]["console"].as_str().unwrap().ends_with("/app/tnt_a"));
    for unknown in ["tnt_b", "tnt_none"] {
        let url = stage.url(&format!("/tenants/{unknown}/ticket"));
        assert_eq!(stage.http.post(url).send().await.unwrap().status(), 404, "{unknown}");
    }
}
