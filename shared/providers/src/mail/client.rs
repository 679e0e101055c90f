//! Sends e-mails, each by one request, which is never repeated here.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::BuildError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};

use super::error::MailError;

/// The text of an e-mail.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// Subject, on one line.
    pub subject: String,
    pub text: String,
    /// HTML with the same content.
    pub html: String,
}

/// Sends e-mails from one address.
#[derive(Debug, Clone)]
pub struct Mailer {
    client: Client,
    from: String,
}

impl Mailer {
    /// The client must not retry by itself, because SES has no idempotency key.
    pub fn new(client: Client, from: &str) -> Self {
        Self {
            client,
            from: from.to_owned(),
        }
    }

    /// Sends a mail and returns SES's id.
    ///
    /// # Errors
    /// When SES did not accept it. After a time-out it may have.
    pub async fn send(&self, to: &str, letter: &Letter) -> Result<String, MailError> {
        let content = content(letter).map_err(|_| MailError::not_built())?;
        let request = self
            .client
            .send_email()
            .from_email_address(&self.from)
            .destination(Destination::builder().to_addresses(to).build())
            .content(content);
        match request.send().await {
            Ok(taken) => Ok(taken.message_id.unwrap_or_default()),
            Err(error) => Err(MailError::of(&error)),
        }
    }
}

fn content(letter: &Letter) -> Result<EmailContent, BuildError> {
    let utf8 = |data: &str| Content::builder().data(data).charset("UTF-8").build();
    let body = Body::builder().text(utf8(&letter.text)?).html(utf8(&letter.html)?);
    let message = Message::builder().subject(utf8(&letter.subject)?).body(body.build());
    Ok(EmailContent::builder().simple(message.build()).build())
}
