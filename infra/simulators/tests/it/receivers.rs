//! Receivers of outgoing webhooks.

use serde_json::json;

use crate::support::Stage;

#[tokio::test]
async fn receiver_keeps_what_comes_and_answers_as_it_is_told() {
    let stage = Stage::set().await;
    let url = stage.url("/receivers/shop");
    let send = async |body: &'static str| {
        let request = stage.http.post(&url).header("webhook-id", "evt_1").body(body);
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        (status, answer.text().await.expect("a body"))
    };
    assert_eq!(send("first").await, (204, String::new()));
    let told = json!({"status": 500, "content_type": "text/plain", "body": "n8n is starting up"});
    let changed = stage.http.put(&url).json(&told).send().await.expect("an answer");
    assert_eq!(changed.status().as_u16(), 200);
    assert_eq!(send("second").await, (500, "n8n is starting up".to_owned()));
    let wrong = stage.http.put(&url).json(&json!({"code": 500})).send().await;
    assert_eq!(wrong.expect("an answer").status().as_u16(), 422);
    let received = stage.get("/receivers/shop").await;
    assert_eq!(received[0]["body"], "first");
    assert_eq!(received[1]["headers"]["webhook-id"], "evt_1");
    assert_eq!(stage.get("/receivers/other").await, json!([]));
}
