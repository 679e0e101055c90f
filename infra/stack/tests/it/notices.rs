//! Notices, from the provider's refusal to people's mailboxes.

use anyhow::{Context as _, Result, ensure};
use domain::accounts::Role;
use serde_json::json;
use stack::play::{Look, until};
use stack::{build, mails};

use crate::stage::{PATIENCE, Stage, on_stage};

/// Runs the function now, in addition to its schedule.
pub(crate) async fn notify(stage: &Stage) -> Result<()> {
    let name = build::function(&stage.place.root, "notify_people")?.deployed_name(&stage.play.endpoints.stack);
    let invoke = json!({ "FunctionName": name, "Payload": "{}" });
    stage.aws.session()?.call("lambda", "invoke", invoke).await.map(drop)
}

#[test]
fn refused_connection_is_one_mail_to_each_manager() {
    on_stage(async |stage| {
        let business = stage.business("Refused Salon").await?;
        let fault = json!({ "api": "graph", "kind": "bad_credentials" });
        business.fault(fault).await?;
        business.miss_call("twilio").await?;
        let scope = business.scope()?;
        let connection = business.tenant.connections.get("whatsapp").context("a connection")?;
        let key = format!("connection_refused#{connection}");
        until(PATIENCE, "a notice of the refused connection", async || {
            let found = stage.play.store.notice(&scope, &key).await?;
            Ok(Look::when(found.is_some(), || "none".to_owned()))
        })
        .await?;
        notify(stage).await?;
        let users = &business.tenant.users;
        for role in [Role::Manager, Role::Admin] {
            let mail = mails::wait_for_mail(&stage.play, &users.of(role).email, PATIENCE).await?;
            for words in ["needs your attention", "Refused Salon"] {
                ensure!(mail.subject.contains(words), "{mail:?}");
            }
            ensure!(mail.text.contains("access token"), "{mail:?}");
            let leads = mail.links.iter().any(|link| link.contains("/settings/"));
            ensure!(
                leads && mail.links.len() == 2,
                "to what it is about, and where such mails are turned off: {mail:?}"
            );
        }
        // A message tries the connection again and again.
        for _again in 0..2 {
            notify(stage).await?;
        }
        for role in Role::ALL {
            let count = usize::from(matches!(role, Role::Manager | Role::Admin));
            let received = mails::list_mails(&stage.play, &users.of(role).email).await?;
            ensure!(received.len() == count, "{role}: {received:?}");
        }
        Ok(())
    });
}
