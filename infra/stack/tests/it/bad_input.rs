//! Invalid requests, and their answers.

use anyhow::{Context as _, Result, ensure};
use domain::Timestamp;
use providers::{telephony, twilio, whatsapp};
use serde_json::{Value, json};
use stack::play::Answer;

use crate::stage::{Business, Stage, customer, on_stage};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// Every webhook, with its provider's name in metrics and its content type.
const WEBHOOKS: [(&str, &str); 8] = [
    ("telephony", JSON),
    ("whatsapp", JSON),
    ("twilio/voice", FORM),
    ("twilio/dial-result", FORM),
    ("twilio/status", FORM),
    ("twilio/recording", FORM),
    ("twilio/inbound", FORM),
    ("twilio/message-status", FORM),
];

/// Headers that authenticate `body` at `path` as from this business's provider.
pub(crate) fn authentication_headers(
    business: &Business<'_>,
    what: &str,
    path: &str,
    body: &[u8],
    at: Timestamp,
) -> Result<Vec<(&'static str, String)>> {
    let secrets = &business.tenant.secrets;
    Ok(match what.split('/').next() {
        Some("telephony") => {
            let signature = telephony::sign(&secrets.telephony_secret, "msg_test", at, body);
            vec![
                ("webhook-id", "msg_test".to_owned()),
                ("webhook-timestamp", at.as_second().to_string()),
                ("webhook-signature", signature.context("the secret is one")?),
            ]
        }
        Some("whatsapp") => vec![(
            "x-hub-signature-256",
            whatsapp::signature::sign(&secrets.whatsapp_app_secret, body),
        )],
        _ => {
            let url = format!("{}{path}", business.stage.play.endpoints.api);
            vec![(
                "x-twilio-signature",
                twilio::signature::sign(&secrets.twilio_auth_token, &url, body),
            )]
        }
    })
}

async fn post(
    stage: &Stage,
    path: &str,
    content_type: &str,
    headers: &[(&'static str, String)],
    body: impl Into<Vec<u8>>,
) -> Result<Answer> {
    let mut all: Vec<(&str, &str)> = vec![("content-type", content_type)];
    all.extend(headers.iter().map(|(name, value)| (*name, value.as_str())));
    stage.play.request("POST", path, &all, body.into()).await
}

/// Requires a problem with this status.
fn is_problem(answer: &Answer, status: u16, asked: &str) -> Result<()> {
    ensure!(answer.status == status, "{asked}: {answer:?}");
    let media_type = answer.header("content-type");
    ensure!(media_type == Some("application/problem+json"), "{asked}: {answer:?}");
    Ok(())
}

/// Requires that nothing is known of this person.
async fn is_unknown(business: &Business<'_>, from: &domain::terms::Phone, what: &str) -> Result<()> {
    let known = business.stage.play.customer(business.id(), from).await?;
    ensure!(known.is_none(), "{what}: stored");
    Ok(())
}

/// A valid body of a webhook.
fn valid_body(what: &str, from: &domain::terms::Phone) -> String {
    let at = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    match what {
        "telephony" => json!({
            "type": "call.ended", "timestamp": at,
            "data": { "call_id": format!("forged-{from}"), "direction": "inbound", "from": from, "to": "+97145550000",
                      "started_at": at, "ended_at": at, "outcome": "missed" },
        })
        .to_string(),
        "whatsapp" => json!({
            "object": "whatsapp_business_account",
            "entry": [{ "id": "1", "changes": [{ "field": "messages", "value": {
                "messaging_product": "whatsapp", "metadata": { "display_phone_number": "1", "phone_number_id": "2" },
                "messages": [{ "id": format!("wamid.{from}"), "from": from.digits(), "timestamp": "1700000000",
                               "type": "text", "text": { "body": "forged" } }],
            } }] }],
        })
        .to_string(),
        _ => format!(
            "AccountSid=AC00&CallSid=CA{digits}&MessageSid=SM{digits}&From=%2B{digits}&To=%2B97145550000&CallStatus=no-answer&Body=forged&MessageStatus=delivered",
            digits = from.digits(),
        ),
    }
}

#[test]
fn forged_webhooks_get_the_same_401_without_a_trace() {
    on_stage(async |stage| {
        let business = stage.business("Forged").await?;
        let mut bodies = std::collections::BTreeSet::new();
        for (what, content_type) in WEBHOOKS {
            let from = customer();
            let path = business.webhook(what);
            let body = valid_body(what, &from);
            let right = authentication_headers(&business, what, &path, body.as_bytes(), Timestamp::now())?;
            let garbled: Vec<_> = right.iter().map(|(name, _)| (*name, "garbage".to_owned())).collect();
            let of_another_body = authentication_headers(&business, what, &path, b"{}", Timestamp::now())?;
            let mut forgeries = vec![
                ("none", path.clone(), Vec::new()),
                ("malformed", path.clone(), garbled),
                ("of another body", path.clone(), of_another_body),
            ];
            if what == "telephony" {
                let old = Timestamp::from_second(Timestamp::now().as_second() - 3600)?;
                let stale = authentication_headers(&business, what, &path, body.as_bytes(), old)?;
                forgeries.push(("stale", path.clone(), stale));
            }
            let other_tenant = path.replace(business.id(), "tnt_01hq5n0b0dy00000000000000a");
            let connection = &business.tenant.connections[what.split('/').next().context("a kind")?];
            let other_connection = path.replace(connection.as_str(), "conn_01hq5n0b0dy00000000000000a");
            let no_ids = path.replace(business.id(), "nobody");
            forgeries.push(("unknown tenant", other_tenant, right.clone()));
            forgeries.push(("unknown connection", other_connection, right.clone()));
            forgeries.push(("no tenant's id", no_ids, right));
            for (forgery, path, headers) in forgeries {
                let answer = post(stage, &path, content_type, &headers, body.clone()).await?;
                is_problem(&answer, 401, &format!("{what}, {forgery}"))?;
                bodies.insert(answer.body);
            }
            is_unknown(&business, &from, what).await?;
        }
        ensure!(bodies.len() == 1, "the answers differ: {bodies:?}");
        Ok(())
    });
}

#[test]
fn refused_webhooks_are_counted_per_provider() {
    on_stage(async |stage| {
        let business = stage.business("Counted refusals").await?;
        for (what, content_type, provider) in [
            ("telephony", JSON, "telephony"),
            ("whatsapp", JSON, "whatsapp"),
            ("twilio/status", FORM, "twilio"),
            ("twilio/inbound", FORM, "twilio"),
        ] {
            post(stage, &business.webhook(what), content_type, &[], "").await?;
            let is_counted = |line: &Value| {
                line["webhook_refused"].as_f64().is_some_and(|count| count >= 1.0) && line["provider"] == provider
            };
            stage.wait_for_logs("a refusal in the metrics", is_counted).await?;
        }
        Ok(())
    });
}

#[test]
fn unreadable_signed_webhook_is_stored_and_acknowledged() {
    on_stage(async |stage| {
        let business = stage.business("Unreadable").await?;
        let bucket = &stage.town.outputs["RawBucketName"];
        let unfinished = r#"{"object": "whatsapp_business_account", "entry": 1"#;
        for (what, content_type, provider, body) in [
            ("whatsapp", JSON, "whatsapp", unfinished),
            ("twilio/status", FORM, "twilio", "Nothing=of+a+call"),
            ("twilio/voice", FORM, "twilio", "Nothing=of+a+call"),
            ("twilio/inbound", FORM, "twilio", "Nothing=of+a+message"),
        ] {
            let path = business.webhook(what);
            // A unique word, to find the stored body.
            let mark = customer();
            let body = format!("{body}&mark={}", mark.digits());
            let mut headers = authentication_headers(&business, what, &path, body.as_bytes(), Timestamp::now())?;
            let mark = format!("unreadable-{}", mark.digits());
            headers.push(("x-correlation-id", mark.clone()));
            let answer = post(stage, &path, content_type, &headers, body.clone()).await?;
            ensure!(answer.status == 200, "{what}: {answer:?}");
            let is_counted = |line: &Value| line["correlation_id"] == mark.as_str() && line["unreadable"] == 1;
            stage
                .wait_for_logs("the unreadable webhook counted", is_counted)
                .await?;
            let (session, folder) = (stage.aws.session()?, format!("raw/unreadable/{provider}/"));
            let mut found = false;
            for key in session.objects(bucket, &folder).await?.iter().rev() {
                let get = json!({ "Bucket": bucket, "Key": key["Key"] });
                let object = session.call("s3", "get_object", get).await?;
                if object["Body"] == body.as_str() {
                    found = true;
                    break;
                }
            }
            ensure!(found, "{what}: the raw body is not in the bucket");
        }
        Ok(())
    });
}

/// A single function answers all unknown paths, with the same problem as elsewhere.
#[test]
fn unknown_paths_and_wrong_methods_get_problems() {
    on_stage(async |stage| {
        let nowhere = [
            "/api",
            "/api/v1",
            "/api/v1/nothing",
            "/api/v2/tenant",
            "/webhooks",
            "/webhooks/nobody/tnt_01hq5n0b0dy00000000000000a/conn_01hq5n0b0dy00000000000000a",
        ];
        let nowhere = nowhere.map(|path| (path, 404, "not_found"));
        // Both of routes for one method, and within functions that handle all methods.
        let known = [
            "/",
            "/app",
            "/docs",
            "/verify-email",
            "/api/v1/openapi.json",
            "/api/v1/health",
            "/api/v1/tenant",
        ];
        let known = known.map(|path| (path, 405, "method_not_allowed"));
        for (path, status, word) in nowhere.into_iter().chain(known) {
            for method in ["POST", "DELETE"] {
                let asked = format!("{method} {path}");
                let answer = stage.play.request(method, path, &[("content-type", JSON)], "").await?;
                is_problem(&answer, status, &asked)?;
                let problem: Value = serde_json::from_str(&answer.body).context("a problem is JSON")?;
                let kind = format!("urn:ringback:problem:{word}");
                ensure!(problem["type"] == kind.as_str(), "{asked}: {problem}");
                ensure!(answer.header("x-correlation-id").is_some(), "{asked}");
                let allows = answer.header("allow").is_some();
                ensure!(allows == (status == 405), "{asked}: {answer:?}");
            }
        }
        for (path, status, _) in nowhere {
            let answer = stage.play.request("GET", path, &[], "").await?;
            ensure!(answer.status == status, "GET {path}: {answer:?}");
        }
        Ok(())
    });
}

#[test]
fn foreign_numbers_are_ignored_and_counted() {
    on_stage(async |stage| {
        let business = stage
            .changed_business("Own numbers", |plan| {
                plan.connection("telephony")["account"]["numbers"] = json!(["+97145559999"]);
            })
            .await?;
        for (what, content_type) in [
            ("telephony", JSON),
            ("whatsapp", JSON),
            ("twilio/status", FORM),
            ("twilio/inbound", FORM),
        ] {
            let from = customer();
            let path = business.webhook(what);
            // Account, number and line in these bodies belong to nobody.
            let body = valid_body(what, &from);
            let mut headers = authentication_headers(&business, what, &path, body.as_bytes(), Timestamp::now())?;
            let mark = format!("foreign-{}", from.digits());
            headers.push(("x-correlation-id", mark.clone()));
            let answer = post(stage, &path, content_type, &headers, body).await?;
            ensure!(answer.status == 200, "{what}: {answer:?}");
            let is_counted = |line: &Value| line["correlation_id"] == mark.as_str() && line["foreign"] == 1;
            stage.wait_for_logs("the foreign event counted", is_counted).await?;
            is_unknown(&business, &from, what).await?;
        }
        Ok(())
    });
}

#[test]
fn one_tenants_secret_proves_nothing_to_another() {
    on_stage(async |stage| {
        let (mine, theirs) = (stage.business("Mine").await?, stage.business("Theirs").await?);
        for (what, content_type) in WEBHOOKS {
            let path = theirs.webhook(what);
            let body = valid_body(what, &customer());
            let headers = authentication_headers(&mine, what, &path, body.as_bytes(), Timestamp::now())?;
            let answer = post(stage, &path, content_type, &headers, body).await?;
            ensure!(answer.status == 401, "{what}: {answer:?}");
        }
        Ok(())
    });
}
