//! Events that a business's own software gets.

use anyhow::{Context as _, Result, ensure};
use providers::standard_webhooks::{SigningSecret, signature_header};
use serde_json::{Value, json};
use stack::play::{Look, until};

use crate::stage::{Business, PATIENCE, on_stage};

/// The requests that a receiver got for events of this type, once there are this many.
async fn wait_for_requests(business: &Business<'_>, path: &str, kind: &str, count: usize) -> Result<Vec<Value>> {
    until(PATIENCE, "an event at the receiver", async || {
        let received: Vec<Value> = business.stage.play.get(path).await?;
        let is_of = |request: &Value| request["body"].as_str().is_some_and(|body| body.contains(kind));
        let found: Vec<Value> = received.into_iter().filter(is_of).collect();
        let enough = (found.len() >= count).then(|| found.clone());
        Ok(Look::from_option(enough, || format!("{} of {count}", found.len())))
    })
    .await
}

#[test]
fn call_reaches_the_software_of_a_business_signed() {
    on_stage(async |stage| {
        let business = stage.business("Software").await?;
        let path = format!("/receivers/{}", business.id());
        let url = format!("{}{path}", stage.play.endpoints.simulators.trim_end_matches('/'));
        let endpoint = json!({
            "name": "Shop", "url": url, "events": ["call.decided"], "content": true,
            "header": { "name": "x-token", "value": "a-canary-of-headers" },
        });
        let made = business
            .api("post", "/api/v1/webhook-endpoints", Some(endpoint))
            .await?;
        let key = made["signing"]["key"].as_str().context("the key is shown once")?;
        let tested = format!(
            "/api/v1/webhook-endpoints/{}/test",
            made["id"].as_str().unwrap_or_default()
        );
        let tested = business.api("post", &tested, None).await?;
        ensure!(tested["attempt"]["outcome"] == "delivered", "{tested}");

        // It fails once, and gets the same event again.
        stage.play.put(&path, &json!({ "status": 503 })).await?;
        let caller = business.miss_call("telephony").await?;
        wait_for_requests(&business, &path, "call.decided", 1).await?;
        stage.play.put(&path, &json!({ "status": 204 })).await?;
        let requests = wait_for_requests(&business, &path, "call.decided", 2).await?;
        for request in &requests {
            let header = |name: &str| request["headers"][name].as_str().unwrap_or_default().to_owned();
            ensure!(
                header("webhook-id") == requests[0]["headers"]["webhook-id"],
                "another id"
            );
            ensure!(header("x-token") == "a-canary-of-headers", "without its own header");
            let body = request["body"].as_str().unwrap_or_default();
            let at = domain::Timestamp::from_second(header("webhook-timestamp").parse()?)?;
            let secret = SigningSecret::from_stored(key.to_owned());
            let expected = signature_header(&[secret], &header("webhook-id"), at, body.as_bytes());
            ensure!(header("webhook-signature") == expected, "not signed by the secret");
            let body: Value = serde_json::from_str(body)?;
            ensure!(body["data"]["outcome"] == "missed", "{body}");
            ensure!(
                body["data"]["contact"]["phone"] == caller.as_str(),
                "without its content: {body}"
            );
        }
        Ok(())
    });
}
