//! E-mails of a running stack: into their queue as a function would put them, and out of the simulators' outbox.

use std::time::Duration;

use anyhow::{Context as _, Result};
use domain::Timestamp;
use jobs::{MailJob, QueueBody as _};
use serde::Deserialize;
use serde_json::json;

use crate::{
    aws::Session,
    business::Town,
    play::{Look, Play, until},
    secrets::random_hex,
};

/// A mail that SES took.
#[derive(Debug, Clone, Deserialize)]
pub struct Mail {
    /// The sender's address.
    pub from: String,
    /// Its first line.
    pub subject: String,
    /// For who reads no HTML.
    pub text: String,
    /// The same as a page.
    pub html: String,
    /// All URLs in it.
    pub links: Vec<String>,
    /// When.
    pub at: Timestamp,
}

/// An address that nobody has had before.
pub fn new_address() -> Result<String> {
    Ok(format!("person-{}@people.example", random_hex(8)?))
}

/// Has a mail sent by the stack's own function.
pub async fn order(aws: &Session, town: &Town, mail: &MailJob) -> Result<()> {
    let queue = town.outputs.get("MailsQueueUrl");
    let entry = json!({
        "QueueUrl": queue.context("the stack has an output MailsQueueUrl")?,
        "MessageBody": serde_json::to_string(mail).context("writing a mail's job")?,
        "MessageGroupId": mail.group(),
    });
    aws.call("sqs", "send_message", entry).await.map(drop)
}

/// The mails that this address got, oldest first.
pub async fn received(play: &Play, to: &str) -> Result<Vec<Mail>> {
    play.get(&format!("/mails?to={to}")).await
}

/// The last mail to this address, as soon as there is one.
pub async fn arrived(play: &Play, to: &str, limit: Duration) -> Result<Mail> {
    until(limit, &format!("a mail to {to}"), async || {
        Ok(match received(play, to).await?.pop() {
            Some(mail) => Look::Seen(mail),
            None => Look::Instead("no mail".to_owned()),
        })
    })
    .await
}
