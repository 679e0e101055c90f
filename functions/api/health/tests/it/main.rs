//! Health, in process against the emulator's table and queues.

use health::routes;
use jiff::SignedDuration;
use serde_json::json;
use testkit::{Aws, Call, Function};

#[tokio::test]
async fn shallow_check_reaches_nothing() {
    let aws = Aws::new().await;
    let function = Function::new(&aws.env_with(&[("TABLE_NAME", "no-such-table")]), routes);
    for path in ["/api/health", "/api/v1/health", "/api/v1/health?deep=false"] {
        let answer = function.call(&Call::get(path)).await;
        assert_eq!(answer.is(200).json(), json!({"status": "ok"}));
    }
    assert_eq!(
        function.call(&Call::json("/api/health", "")).await.header("allow"),
        "GET,HEAD"
    );
}

#[tokio::test]
async fn deep_check_runs_at_most_every_five_seconds() {
    let aws = Aws::new().await;
    let function = Function::new(aws.env(), routes);
    let deep = Call::get("/api/health?deep=true");
    let answer = function.call(&deep).await;
    let queues = json!({
        "calls": "ok", "provider-events": "ok", "commerce-events": "ok", "sends": "ok", "bulk-sends": "ok", "drips": "ok", "media": "ok", "mails": "ok",
        "pushes": "ok", "webhook-deliveries": "ok",
    });
    let well = json!({"status": "ok", "table": "ok", "queues": queues});
    assert_eq!(answer.is(200).json(), well.clone());
    aws.delete_table().await;
    aws.clock().advance(SignedDuration::from_secs(4));
    assert_eq!(function.call(&deep).await.json(), well);
    aws.clock().advance(SignedDuration::from_secs(1));
    let answer = function.call(&deep).await;
    let ill = json!({"status": "degraded", "table": "unreachable", "queues": queues});
    assert_eq!(answer.is(503).json(), ill);
}
