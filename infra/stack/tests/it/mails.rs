//! E-mails, from their queue to the recipients.

use anyhow::{Result, ensure};
use jobs::{FactorChange, Mail, MailJob};
use serde_json::{Value, json};
use stack::mails;

use crate::stage::{PATIENCE, Stage, on_stage};

fn mail(to: &str, language: &str, mail: Mail) -> MailJob {
    MailJob {
        tenant: None,
        correlation_id: format!("mail to {language}"),
        id: to.to_owned(),
        to: to.to_owned(),
        language: language.to_owned(),
        mail,
    }
}

async fn send(stage: &Stage, mail: &MailJob) -> Result<()> {
    mails::order(&stage.aws.session()?, &stage.town, mail).await
}

#[test]
fn users_get_mails_in_their_language_with_their_link() {
    on_stage(async |stage| {
        let link = format!("{}/confirm#token-canary-of-mails", stage.play.endpoints.api);
        let to = mails::new_address()?;
        let business = "Salon <b>Maya</b>".to_owned();
        let verify = Mail::VerifyEmail {
            link: link.clone().into(),
            business,
        };
        send(stage, &mail(&to, "en", verify)).await?;
        let english = mails::wait_for_mail(&stage.play, &to, PATIENCE).await?;
        ensure!(english.links == [link], "{english:?}");
        let escaped = english.html.contains("&lt;b&gt;Maya") && !english.html.contains("<b>");
        ensure!(escaped, "{english:?}");
        let to = mails::new_address()?;
        let what = FactorChange::TurnedOff;
        send(stage, &mail(&to, "ar-AE", Mail::EmailFactorChanged { what })).await?;
        let arabic = mails::wait_for_mail(&stage.play, &to, PATIENCE).await?;
        ensure!(arabic.html.contains("dir=\"rtl\""), "{arabic:?}");
        ensure!(arabic.links.is_empty(), "{arabic:?}");
        Ok(())
    });
}

#[test]
fn refused_mail_is_retried_and_logs_no_address() {
    on_stage(async |stage| {
        let to = mails::new_address()?;
        // The text of this error quotes the address.
        for kind in ["mail_unverified", "throttled"] {
            let fault = json!({ "api": "ses", "kind": kind, "number": to, "times": 1 });
            stage.play.fault(fault).await?;
        }
        let link = format!("{}/reset#token-canary-of-mails", stage.play.endpoints.api);
        send(stage, &mail(&to, "en", Mail::ResetPassword { link: link.into() })).await?;
        mails::wait_for_mail(&stage.play, &to, PATIENCE).await?;
        let refused = |line: &Value| line["function"] == "send_mail" && line["failed"].is_u64();
        stage.wait_for_logs("the refusal in send_mail's log", refused).await?;
        for event in stage.logs(0).await? {
            for canary in ["token-canary-of-mails", to.as_str()] {
                ensure!(!event.message.contains(canary), "{canary}: {}", event.message);
            }
        }
        Ok(())
    });
}
