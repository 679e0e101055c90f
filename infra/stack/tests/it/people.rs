//! Users and keys, and their entries in the audit log, through the public API.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use stack::api::{self, Proof};
use stack::mails;
use stack::play::{Look, until};

use crate::stage::{Business, PATIENCE, Stage, on_stage};

pub(crate) const INVITATIONS: &str = "/api/v1/users/invitations";
const KEYS: &str = "/api/v1/api-keys";

/// The API's answer to a request with this key.
async fn ask(business: &Business<'_>, key: &str, method: &str, path: &str, body: Value) -> Result<(u16, Value)> {
    let (play, proof) = (&business.stage.play, Proof::Key(key.to_owned()));
    let body = (!body.is_null()).then(|| ("application/json".to_owned(), body));
    let answer = api::ask(play, method, path, &proof, None, &body).await?;
    Ok((answer.status, api::json(&answer)))
}

/// The token of the link in a mail to this address.
pub(crate) async fn mailed_token(stage: &Stage, to: &str) -> Result<String> {
    let mail = mails::wait_for_mail(&stage.play, to, PATIENCE).await?;
    let link = mail.links.first().context("the mail has a link")?;
    let (_, token) = link.split_once("token=").context("the link has a token")?;
    Ok(token.to_owned())
}

#[test]
fn invited_user_joins_and_audit_log_shows_no_secret() {
    on_stage(async |stage| {
        let began = domain::Timestamp::now().as_millisecond();
        let business = stage.business("Inviting").await?;
        let own = &business.tenant.api_key;
        let to = mails::new_address()?;
        let invite = json!({"email": to, "role": "agent"});
        let (status, invited) = ask(&business, own, "POST", INVITATIONS, invite).await?;
        ensure!(status == 201, "{invited}");
        let token = mailed_token(stage, &to).await?;
        let token = token.as_str();
        let accept = json!({"token": token, "name": "Sami Nasser", "password": "seven quiet lanterns"}).to_string();
        let path = format!("{INVITATIONS}/accept");
        let headers = [("content-type", "application/json")];
        let accepted = stage.play.request("POST", &path, &headers, accept.clone()).await?;
        ensure!(accepted.status == 200, "{accepted:?}");
        let again = stage.play.request("POST", &path, &headers, accept).await?;
        ensure!(again.status == 404, "a link works once: {again:?}");
        let place: Value = serde_json::from_str(&accepted.body).context("the place is JSON")?;
        let user = place["user"].as_str().context("the person has an id")?;
        let path = format!("/api/v1/users/{user}");
        let (status, changed) = ask(&business, own, "PATCH", &path, json!({"role": "manager"})).await?;
        ensure!(status == 200, "{changed}");

        let (status, made) = ask(&business, own, "POST", KEYS, json!({"name": "till", "role": "admin"})).await?;
        ensure!(status == 201, "{made}");
        let secret = made["key"].as_str().context("the key is shown")?;
        let key = made["api_key"]["id"].as_str().context("the key has an id")?;
        let (status, listed) = ask(&business, secret, "GET", KEYS, Value::Null).await?;
        ensure!(status == 200, "it works: {listed}");
        let path = format!("{KEYS}/{key}");
        let (status, revoked) = ask(&business, own, "DELETE", &path, Value::Null).await?;
        ensure!(status == 204, "it is revoked: {revoked}");
        let used = stage.wait_for_logs("the network of its caller", |line| line["actor"] == key);
        for line in used.await? {
            let hash = line["address_hash"].as_str().unwrap_or_default();
            ensure!(line["network"].is_string() && hash.len() == 16, "{line}");
        }
        let (status, refused) = ask(&business, secret, "GET", KEYS, Value::Null).await?;
        ensure!(status == 401, "it is dead: {refused}");

        let invitation = invited["id"].as_str().context("the invitation has an id")?;
        let wanted = [
            ("created", "invitation", invitation),
            ("removed", "invitation", invitation),
            ("created", "member", user),
            ("changed", "member", user),
            ("created", "api_key", key),
            ("removed", "api_key", key),
        ];
        let log = until(PATIENCE, "all changes in the audit log", async || {
            let (_, log) = ask(&business, own, "GET", "/api/v1/audit?limit=100", Value::Null).await?;
            let entries = log["items"].as_array().cloned().unwrap_or_default();
            let times = |(action, kind, object): &(&str, &str, &str)| {
                let same =
                    |entry: &&Value| entry["action"] == *action && entry["kind"] == *kind && entry["object"] == *object;
                entries.iter().filter(same).count()
            };
            let all = wanted.iter().all(|change| times(change) == 1);
            Ok(Look::from_option(all.then(|| log.clone()), || log.to_string()))
        })
        .await?;
        let entries = log["items"].as_array().context("the log has entries")?;
        let is_change = |entry: &&Value| entry["action"] == "changed" && entry["object"] == user;
        let changed = entries.iter().find(is_change).context("the role's change")?;
        let expected = json!([{"field": "role", "before": "agent", "after": "manager", "hidden": false}]);
        ensure!(changed["changes"] == expected, "{changed}");
        let text = log.to_string();
        for canary in [token, secret, "seven quiet lanterns", "$argon2"] {
            ensure!(!text.contains(canary), "a secret stands in the audit log");
        }
        for event in stage.logs(began).await? {
            for canary in [token, secret, own, &to, "seven quiet lanterns"] {
                let is_logged = event.message.contains(canary);
                ensure!(!is_logged, "{} logs what nobody may read", event.group);
            }
        }
        Ok(())
    });
}
