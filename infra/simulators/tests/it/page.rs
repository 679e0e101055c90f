//! What the page asks for beyond the control API.

use serde_json::json;

use crate::ringback::Ringback;
use crate::support::{Stage, tenant_a, tenant_b};

#[tokio::test]
async fn tickets_are_fetched_with_a_key_that_stays_here() {
    let ticket = r#"{"url": "ws://127.0.0.1:1/live", "ticket": "once", "cursor": "1"}"#;
    let ringback = Ringback::answering(move |_, _| (200, ticket.to_owned())).await;
    let mut known = tenant_a();
    known["api_key"] = json!("rbk_of_a");
    let stage = Stage::opposite(ringback, json!({"tenants": [known, tenant_b()]})).await;
    assert_eq!(stage.post("/tenants/tnt_a/ticket", json!({})).await["ticket"], "once");
    let asked = stage.ringback.received();
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
    for unknown in ["tnt_b", "tnt_none"] {
        let url = stage.url(&format!("/tenants/{unknown}/ticket"));
        assert_eq!(stage.http.post(url).send().await.unwrap().status(), 404, "{unknown}");
    }
}
