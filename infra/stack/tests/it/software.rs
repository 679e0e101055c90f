//! Events that a business's own software gets.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, ensure};
use domain::Timestamp;
use domain::terms::Channel;
use providers::shops::signature::sign;
use providers::standard_webhooks::{SECRET_BYTES, SigningSecret, signature_header};
use serde_json::{Value, json};
use stack::api::{Proof, ask, require_success};
use stack::play::{Look, until};
use stack::process::run_captured;

use crate::stage::{Business, PATIENCE, customer, on_stage};

/// Deliveries that libraries verify.
const DELIVERIES: usize = 1_000;

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

/// Signed by the key that the shop shows, or by our secret, an order becomes one of the business.
#[test]
fn order_of_a_shop_becomes_one_of_the_business() {
    const KEY: &str = "signing-key-of-the-stage-0001";
    const SHOP: &str = "harbour-lane-demo.myshopify.com";
    const STORE: &str = "https://woo-demo.example.com";
    on_stage(async |stage| {
        let business = stage.business("Shop").await?;
        let shopify = json!({"kind": "shopify", "name": "Shop", "shop": SHOP, "credentials": {"signing_key": KEY}});
        let woocommerce = json!({"kind": "woocommerce", "name": "Store", "store": STORE});
        for (connection, names, source, topic, file, order) in [
            (
                shopify,
                ["x-shopify-hmac-sha256", "x-shopify-shop-domain", "x-shopify-topic"],
                SHOP,
                "orders/create",
                "shopify/orders_create.json",
                "5611000000001",
            ),
            (
                woocommerce,
                ["x-wc-webhook-signature", "x-wc-webhook-source", "x-wc-webhook-topic"],
                STORE,
                "order.updated",
                "woocommerce/order_updated_processing.json",
                "2042",
            ),
        ] {
            let made = business.api("post", "/api/v1/connections", Some(connection)).await?;
            let url = made["webhooks"][0]["url"].as_str().context("a URL to paste")?;
            let path = &url[url.find("/webhooks/").context("the path of a webhook")?..];
            let body = std::fs::read_to_string(stage.place.root.join("shared/testkit/fixtures").join(file))?;
            let signature = sign(made["secret"].as_str().unwrap_or(KEY), body.as_bytes());
            let [signed, named, about] = names;
            let headers = [
                ("content-type", "application/json"),
                (signed, signature.as_str()),
                (named, source),
                (about, topic),
            ];
            let answer = stage.play.request("POST", path, &headers, body.into_bytes()).await?;
            ensure!(answer.status == 200, "{} {}", answer.status, answer.body);
            until(PATIENCE, "the order of the shop", async || {
                let list = "/api/v1/orders?fulfilment=unfulfilled&from=2026-11-10&to=2026-11-30";
                let listed = business.api("get", list, None).await?;
                let mut found = listed["items"].as_array().into_iter().flatten();
                let found = found.any(|listed| listed["shop"]["order"] == order);
                Ok(Look::from_option(found.then_some(()), || listed.to_string()))
            })
            .await?;
        }
        Ok(())
    });
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
            let at = Timestamp::from_second(header("webhook-timestamp").parse()?)?;
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

/// Deliveries as their receivers have them, and whether they are genuine, for the programs that verify them.
#[derive(Default)]
struct Deliveries(String);

impl Deliveries {
    fn add(&mut self, secret: &str, headers: &Value, body: &str, genuine: bool) {
        let delivery = json!({ "secret": secret, "headers": headers, "body": body, "genuine": genuine });
        let _ = writeln!(self.0, "{delivery}");
    }
}

/// Bodies of all kinds: short and long ones, in many scripts, and with what is special in JSON and in lines.
fn body(number: usize) -> String {
    const TEXTS: [&str; 6] = [
        "",
        "Table for two?",
        "مرحبا 👋",
        "\u{0}\u{2028}\u{85}\r\n\t\"\\",
        "日本語",
        "e\u{301}",
    ];
    let text = TEXTS[number % TEXTS.len()].repeat(1 + number % 7 * 40);
    match number % 100 {
        0 => "{}".to_owned(),
        1 => json!({ "text": "ñ".repeat(9_990) }).to_string(),
        _ => json!({ "type": "message.received", "data": { "text": text, "number": number } }).to_string(),
    }
}

/// Half of the deliveries are made while a secret is replaced, when both are valid. Others are the test deliveries of an endpoint, before and after it gets another secret.
#[test]
fn libraries_verify_deliveries_and_refuse_altered_ones() {
    on_stage(async |stage| {
        let mut all = Deliveries::default();
        let now = Timestamp::now();
        let [new, old, other] = [1, 2, 3].map(|byte| SigningSecret::of_random([byte; SECRET_BYTES]));
        let (mut genuine, mut altered) = (0, 0);
        for number in 0..DELIVERIES {
            let (id, body) = (format!("evt_{number:026}"), body(number));
            let valid = [new.clone(), old.clone()];
            let valid = if number % 2 == 0 { &valid[..] } else { &valid[1..] };
            let headers = |id: &str, at: Timestamp, signature: &str| json!({ "webhook-id": id, "webhook-timestamp": at.as_second().to_string(), "webhook-signature": signature });
            let signature = signature_header(valid, &id, now, body.as_bytes());
            for secret in valid {
                all.add(&secret.whsec(), &headers(&id, now, &signature), &body, true);
                genuine += 1;
            }
            let mut refused = |secret: &SigningSecret, headers: &Value, body: &str| {
                all.add(&secret.whsec(), headers, body, false);
                altered += 1;
            };
            let late = Timestamp::from_second(now.as_second() + 1)?;
            let hour = Timestamp::from_second(now.as_second() - 3_600)?;
            let alter = |signature: &str| {
                let other = if &signature[3..4] == "A" { "B" } else { "A" };
                format!("v1,{other}{}", &signature[4..])
            };
            let altered_signature = signature.split(' ').map(alter).collect::<Vec<_>>().join(" ");
            match number % 10 {
                0 => refused(&old, &headers(&id, now, &signature), &format!("{body} ")),
                1 => refused(&old, &headers(&format!("{id}0"), now, &signature), &body),
                2 => refused(&old, &headers(&id, late, &signature), &body),
                3 => refused(&old, &headers(&id, now, &altered_signature), &body),
                4 => refused(&other, &headers(&id, now, &signature), &body),
                // Too old, though it is signed.
                5 => refused(
                    &old,
                    &headers(&id, hour, &signature_header(valid, &id, hour, body.as_bytes())),
                    &body,
                ),
                _ => {}
            }
        }

        let business = stage.business("Verifying").await?;
        let path = format!("/receivers/{}", business.id());
        let url = format!("{}{path}", stage.play.endpoints.simulators.trim_end_matches('/'));
        let endpoint = json!({ "name": "Shop", "url": url, "events": ["call.decided"] });
        let made = business
            .api("post", "/api/v1/webhook-endpoints", Some(endpoint))
            .await?;
        let own = format!("/api/v1/webhook-endpoints/{}", made["id"].as_str().unwrap_or_default());
        let test = format!("{own}/test");
        business.api("post", &test, None).await?;
        let rotated = business.api("post", &format!("{own}/rotate-secret"), None).await?;
        business.api("post", &test, None).await?;
        let received = wait_for_requests(&business, &path, "webhook.test", 2).await?;
        let secret = |shown: &Value| shown["signing"]["secret"].as_str().map(str::to_owned);
        let (first, second) = (
            secret(&made).context("a secret")?,
            secret(&rotated).context("a secret")?,
        );
        for (request, secret, is_valid) in [
            (&received[0], &first, true),
            (&received[0], &second, false),
            (&received[1], &first, true),
            (&received[1], &second, true),
        ] {
            let body = request["body"].as_str().context("a body")?;
            all.add(secret, &request["headers"], body, is_valid);
            genuine += usize::from(is_valid);
            altered += usize::from(!is_valid);
        }

        let file = stage.place.data.join("deliveries.lines");
        std::fs::write(&file, all.0).context("writing deliveries")?;
        let (tools, clients) = (stage.contract().await?, stage.place.root.join("infra/contract/clients"));
        let folder = stage.place.data.join("clients/verify");
        std::fs::create_dir_all(&folder).context("making a folder")?;
        std::fs::copy(clients.join("typescript/verify.mjs"), folder.join("verify.mjs"))
            .context("copying verify.mjs")?;
        let packages = folder.join("node_modules");
        let _ = std::fs::remove_file(&packages);
        std::os::unix::fs::symlink(tools.packages_folder(), packages)?;
        for (program, script) in [
            ("python", clients.join("python/verify.py")),
            ("node", folder.join("verify.mjs")),
        ] {
            let mut verifying = tools.program(program);
            verifying.arg(script).env("RINGBACK_DELIVERIES", &file);
            let said = run_captured(&mut verifying, &[], program).await?;
            let said = String::from_utf8_lossy(&said);
            ensure!(
                said.trim() == format!("{genuine} verified, {altered} refused"),
                "{program}: {said}"
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
            "callback": { "api_key_id": key["api_key"]["id"], "from": ["127.0.0.1"] },
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
        let send = async |event: &Value, contact: &Value| {
            let token = event["callback"]["token"].as_str().unwrap_or_default();
            let message = json!({
                "contact_id": contact, "category": "utility", "basis": "Asked a question", "sms_text": "At nine.",
            });
            let proof = Proof::Key(token.to_owned());
            let body = Some(("application/json".to_owned(), message));
            ask(&stage.play, "post", "/api/v1/messages", &proof, None, &body).await
        };
        let contact = &event["data"]["contact_id"];
        let sent = require_success(&send(event, contact).await?, "a callback")?;
        let again = require_success(&send(event, contact).await?, "the callback again")?;
        ensure!(sent["id"] == again["id"], "{sent} and {again}");
        let refused = send(other, contact).await?;
        ensure!(refused.status == 403, "{}", refused.body);
        business.wait_until_accepted(writer, Channel::Sms).await?;
        business.sent_once(writer).await
    });
}
