//! Events that a business's own software gets.

use anyhow::{Context as _, Result, ensure};
use domain::terms::Channel;
use providers::standard_webhooks::{SigningSecret, signature_header};
use serde_json::{Value, json};
use stack::{
    api::{Proof, ask, require_success},
    play::{Look, until},
};

use crate::stage::{Business, PATIENCE, customer, on_stage};

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

/// A receiver answers the customer of an event, once for an event, and nobody else.
#[test]
fn software_of_a_business_calls_back() {
    on_stage(async |stage| {
        let business = stage.business("Workflows").await?;
        let path = format!("/receivers/{}", business.id());
        let url = format!("{}{path}", stage.play.endpoints.simulators.trim_end_matches('/'));
        let key = json!({ "name": "n8n", "role": "agent", "scopes": ["messages:send"] });
        let key = business.api("post", "/api/v1/api-keys", Some(key)).await?;
        let endpoint = json!({
            "name": "n8n", "url": url, "events": ["message.received"],
            "callback": { "api_key_id": key["id"], "from": ["127.0.0.1"] },
        });
        business
            .api("post", "/api/v1/webhook-endpoints", Some(endpoint))
            .await?;
        let mut events = Vec::new();
        for _event in 0..2 {
            let writer = customer();
            business.reply(&writer, Channel::Sms, "When do you open?").await?;
            let requests = wait_for_requests(&business, &path, "message.received", events.len() + 1).await?;
            let last = requests.last().and_then(|request| request["body"].as_str());
            events.push((writer, serde_json::from_str::<Value>(last.unwrap_or_default())?));
        }
        let [(writer, event), (_, other)] = &events[..] else {
            anyhow::bail!("two events");
        };
        let send = async |contact: &Value| {
            let token = event["callback"]["token"].as_str().unwrap_or_default();
            let message = json!({
                "contact_id": contact, "category": "utility", "basis": "Asked a question", "sms_text": "At nine.",
            });
            let proof = Proof::Key(token.to_owned());
            let body = Some(("application/json".to_owned(), message));
            ask(&stage.play, "post", "/api/v1/messages", &proof, None, &body).await
        };
        let contact = &event["data"]["contact_id"];
        let sent = require_success(&send(contact).await?, "a callback")?;
        let again = require_success(&send(contact).await?, "the callback again")?;
        ensure!(sent["id"] == again["id"], "{sent} and {again}");
        let refused = send(&other["data"]["contact_id"]).await?;
        ensure!(refused.status == 403, "{}", refused.body);
        business.wait_until_accepted(writer, Channel::Sms).await?;
        business.sent_once(writer).await
    });
}
