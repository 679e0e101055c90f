//! Properties of the deployment as a whole.

use anyhow::{Context as _, ensure};
use domain::message::{Channel, MessageState};
use serde_json::{Value, json};

use crate::stage::{customer, now, on_stage};

#[test]
fn health_reaches_the_table_and_the_queues() {
    on_stage(async |stage| {
        for path in ["/api/v1/health", "/api/health"] {
            let answer = stage.play.request("GET", path, &[], "").await?;
            ensure!(answer.status == 200, "{answer:?}");
            let deep = stage.play.request("GET", &format!("{path}?deep=true"), &[], "").await?;
            let seen: Value = serde_json::from_str(&deep.body).context("health is JSON")?;
            ensure!(
                deep.status == 200 && seen["status"] == "ok" && seen["table"] == "ok",
                "{deep:?}"
            );
            for queue in ["calls", "provider-events", "sends", "bulk-sends", "mails"] {
                ensure!(seen["queues"][queue] == "ok", "{queue}: {seen}");
            }
        }
        Ok(())
    });
}

#[test]
fn cors_admits_only_configured_origins() {
    on_stage(async |stage| {
        let ask = async |origin: &str| {
            let headers = [
                ("origin", origin),
                ("access-control-request-method", "GET"),
                ("access-control-request-headers", "authorization"),
            ];
            stage.play.request("OPTIONS", "/api/v1/health", &headers, "").await
        };
        let known = ask("http://localhost:5173").await?;
        ensure!(
            known.header("access-control-allow-origin") == Some("http://localhost:5173"),
            "{known:?}"
        );
        ensure!(
            known
                .header("access-control-allow-headers")
                .is_some_and(|allowed| allowed.to_lowercase().contains("authorization")),
            "{known:?}"
        );
        let other = ask("https://elsewhere.example").await?;
        let allowed = other.header("access-control-allow-origin");
        ensure!(
            allowed.is_none_or(|origin| origin != "https://elsewhere.example" && origin != "*"),
            "{other:?}"
        );
        Ok(())
    });
}

#[test]
fn correlation_id_links_a_call_through_all_functions() {
    on_stage(async |stage| {
        let business = stage.business("Correlated").await?;
        let caller = customer();
        business.call(&caller, "missed", json!({ "via": "telephony" })).await?;
        let call = business.decided(&caller, 1).await?;
        let id = call.correlation_id.clone();
        for function in ["telephony_webhook", "process_call", "send_message"] {
            stage
                .logged(&format!("{function} with the call's correlation id"), |line| {
                    // A line about several jobs lists the ids of all.
                    let of_several = line["correlation_ids"].as_array().into_iter().flatten();
                    let mut ids = of_several.chain([&line["correlation_id"]]);
                    line["function"] == function && ids.any(|known| *known == id.as_str())
                })
                .await?;
        }
        Ok(())
    });
}

#[test]
fn logs_contain_no_secrets_texts_or_numbers() {
    on_stage(async |stage| {
        let began = now()?;
        let business = stage
            .changed_business("Canary", |plan| {
                plan.then()["template"]["variables"]["1"] = json!({ "text": "Kanarienvogel" });
                plan.then()["sms_text"] = "Kanarienvogel SMS".into();
            })
            .await?;
        let (caller, other) = (customer(), customer());
        business
            .fault(json!({ "api": "graph", "number": other, "kind": "not_on_whatsapp" }))
            .await?;
        business.call(&caller, "missed", json!({ "via": "twilio" })).await?;
        business.call(&other, "missed", json!({ "via": "telephony" })).await?;
        business.accepted(&caller, Channel::WhatsApp).await?;
        business.accepted(&other, Channel::Sms).await?;
        business
            .reply(&caller, Channel::WhatsApp, "Zwitscher zwitscher")
            .await?;
        business.reply(&other, Channel::Sms, "Zwitscher by SMS").await?;
        // Errors are the most likely leaks: unreadable, forged and refused requests.
        let path = business.webhook("telephony");
        stage
            .play
            .request(
                "POST",
                &path,
                &[("content-type", "application/json")],
                format!("{{\"from\":\"{caller}\"}}"),
            )
            .await?;
        let credentials = business
            .fault(json!({ "api": "graph", "kind": "bad_credentials", "times": 1 }))
            .await?;
        let third = customer();
        business.call(&third, "missed", json!({ "via": "telephony" })).await?;
        business.accepted(&third, Channel::WhatsApp).await?;
        stage.play.mend(credentials).await.ok();
        for person in [&caller, &other] {
            business
                .known(person, "the reply", |customer| customer.received.first().map(drop))
                .await?;
        }
        business
            .known(&third, "the message read", |customer| {
                (customer.messages.first()?.state() == MessageState::Read).then_some(())
            })
            .await?;

        let secrets = &business.tenant.secrets;
        let (app_secret, verify_token) = stage.town.meta_app()?;
        let canaries = [
            caller.digits(),
            other.digits(),
            third.digits(),
            "Kanarienvogel",
            "Zwitscher",
            &secrets.twilio_auth_token,
            &secrets.whatsapp_app_secret,
            &secrets.whatsapp_verify_token,
            secrets.telephony_secret.trim_start_matches("whsec_"),
            &app_secret,
            &verify_token,
        ];
        let mut lines = 0;
        for event in stage.logs(began).await? {
            lines += 1;
            for canary in canaries {
                ensure!(
                    !event.message.contains(canary),
                    "{} logs {canary:?}: {}",
                    event.group,
                    event.message
                );
            }
        }
        ensure!(lines > 20, "only {lines} log lines: nothing was looked at");
        Ok(())
    });
}

/// At the end of `cargo stack test`, the whole run is searched again.
#[test]
fn earlier_logs_contain_no_secrets() {
    on_stage(async |stage| {
        let groups: Vec<_> = stack::build::functions(&stage.place.root)?
            .iter()
            .map(|function| function.log_group(&stage.play.endpoints.stack))
            .collect();
        let canaries = stack::canary::Canaries::of(&stage.place)?;
        let (lines, wrong) = stack::canary::look(&stage.aws, &groups, &canaries).await?;
        eprintln!("{lines} log lines");
        ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
        Ok(())
    });
}
