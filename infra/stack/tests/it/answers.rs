//! Answers on their way through the gateway.

use std::io::Read as _;

use anyhow::{Context as _, Result, ensure};
use domain::accounts::Role;
use flate2::read::GzDecoder;
use reqwest::Response;
use serde_json::Value;
use stack::api::log_in;
use stack::play::Headers;

use crate::stage::{Stage, on_stage};

async fn get(stage: &Stage, path: &str, headers: &Headers<'_>) -> Result<Response> {
    let mut request = stage.play.http.get(format!("{}{path}", stage.play.endpoints.api));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Ok(request.send().await?.error_for_status()?)
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    let value = answer.headers().get(name);
    value.and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// A compressed body is no text, so it goes to the gateway as base64.
#[test]
fn compressed_answer_arrives_as_it_was() {
    on_stage(async |stage| {
        let path = "/api/v1/openapi.json";
        let plain = get(stage, path, &[]).await?;
        ensure!(header(&plain, "content-encoding").is_empty(), "{:?}", plain.headers());
        let tag = header(&plain, "etag").to_owned();
        let plain = plain.bytes().await?;
        let short = get(stage, path, &[("accept-encoding", "gzip, br")]).await?;
        let told = ["content-encoding", "vary", "etag"].map(|name| header(&short, name));
        ensure!(told[0] == "gzip" && told[1].contains("accept-encoding"), "{told:?}");
        ensure!(told[2] == tag, "both are of one version: {told:?}");
        let short = short.bytes().await?;
        let (small, whole) = (short.len(), plain.len());
        ensure!(small < whole / 4, "{small} bytes of {whole}");
        let mut text = Vec::new();
        let read = GzDecoder::new(&short[..]).read_to_end(&mut text);
        read.context("reading the compressed document")?;
        ensure!(text == plain, "the documents differ");
        Ok(())
    });
}

#[test]
fn answers_to_known_callers_say_how_long_they_took() {
    on_stage(async |stage| {
        let tenant = &stage.play.endpoints.tenants[0];
        let token = log_in(&stage.play, tenant.users.of(Role::Viewer)).await?;
        let proof = format!("Bearer {token}");
        let answer = get(stage, "/api/v1/lines", &[("authorization", &proof)]).await?;
        let timing = header(&answer, "server-timing");
        ensure!(timing.starts_with("function;dur="), "{timing}");
        ensure!(timing.contains(", table;dur="), "{timing}");
        let stranger = get(stage, "/api/v1/health", &[]).await?;
        let timing = header(&stranger, "server-timing");
        ensure!(timing.is_empty(), "{timing}");
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
                let answer = stage
                    .play
                    .request(method, path, &[("content-type", "application/json")], "")
                    .await?;
                ensure!(answer.status == status, "{asked}: {answer:?}");
                let media_type = answer.header("content-type");
                ensure!(media_type == Some("application/problem+json"), "{asked}: {answer:?}");
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
