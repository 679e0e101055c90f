//! Cost of reading connections. Alone in its process, whose counters it reads.

use store::table::usage;
use testkit::Aws;
use testkit::api::Town;

/// Reading connections in a warm process needs two reads of the table and no call to KMS.
#[tokio::test]
async fn warm_list_reads_the_table_twice_without_decrypting() {
    let aws = Aws::new().await;
    let env = aws.env_with(&[
        ("GRAPH_API_URL", "http://127.0.0.1:1"),
        ("GRAPH_API_VERSION", "v26.0"),
        ("TWILIO_API_URL", "http://127.0.0.1:1"),
        ("AIRCALL_API_URL", "http://127.0.0.1:1"),
        ("VONAGE_API_URL", "http://127.0.0.1:1"),
        ("EXOTEL_API_URL", "http://127.0.0.1:1"),
        ("EXOTEL_INDIA_API_URL", "http://127.0.0.1:1"),
        ("PLIVO_API_URL", "http://127.0.0.1:1"),
        ("PROVIDER_TIMEOUT", "1"),
    ]);
    let town = Town::with_env(&aws, &env, connections::routes).await;
    let body = serde_json::json!({"kind": "telephony", "name": "Front desk"});
    let made = town.manager().post("/api/v1/connections", body).await;
    let viewer = town.viewer();
    for (path, action) in [
        ("/api/v1/connections".to_owned(), "dynamodb:Query"),
        (made.header("location").to_owned(), "dynamodb:GetItem"),
    ] {
        viewer.get(&path).await.is(200);
        drop(usage::take());
        viewer.get(&path).await.is(200);
        let used = usage::take();
        // The caller's membership and what is looked at; then the request is counted.
        let reads = if action == "dynamodb:GetItem" { 2 } else { 1 };
        assert_eq!(used.actions.get(action), Some(&reads), "{path}: {used:?}");
        assert_eq!(used.requests, 3, "{path}: {used:?}");
        assert!(
            !used.actions.keys().any(|action| action.starts_with("kms:")),
            "{used:?}"
        );
    }
}
