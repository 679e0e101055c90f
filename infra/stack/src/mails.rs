//! E-mails of a running stack: queueing them as a function does, and reading them from the simulators' outbox.

use std::time::Duration;

use anyhow::{Context as _, Result};
use domain::Timestamp;
use jobs::{MailJob, QueueBody as _};
use serde::Deserialize;
use serde_json::json;

use crate::aws::{Session, output};
use crate::business::Town;
use crate::play::{Look, Play, until};
use crate::secrets::random_hex;

/// A mail accepted by SES.
#[derive(Debug, Clone, Deserialize)]
pub struct Mail {
    /// Address of the sender.
    pub from: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// All URLs in the mail.
    pub links: Vec<String>,
    /// Time when it was accepted.
    pub at: Timestamp,
}

/// A new random address.
pub fn new_address() -> Result<String> {
    Ok(format!("person-{}@people.example", random_hex(8)?))
}

/// Lets the stack's own function send a mail.
pub async fn order(aws: &Session, town: &Town, mail: &MailJob) -> Result<()> {
    let entry = json!({
        "QueueUrl": output(&town.outputs, "MailsQueueUrl")?,
        "MessageBody": serde_json::to_string(mail).context("writing a mail's job")?,
        "MessageGroupId": mail.group(),
    });
    aws.call("sqs", "send_message", entry).await.map(drop)
}

/// The mails to this address, oldest first.
pub async fn list_mails(play: &Play, to: &str) -> Result<Vec<Mail>> {
    play.get(&format!("/mails?to={to}")).await
}

/// Waits for a mail to this address and returns the last one.
pub async fn wait_for_mail(play: &Play, to: &str, limit: Duration) -> Result<Mail> {
    until(limit, &format!("a mail to {to}"), async || {
        let last = list_mails(play, to).await?.pop();
        Ok(Look::from_option(last, || "no mail".to_owned()))
    })
    .await
}
