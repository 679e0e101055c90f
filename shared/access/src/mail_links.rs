//! Links of mails, sealed on their way through the queue, so that nobody who can read the queue or its dead letters sees a link
//! that grants access. The secret in Secrets Manager can be read only by the functions that order mails and the one that sends
//! them.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use jobs::{Link, MailJob};
use serde::Deserialize;

use crate::SecretsError;
use crate::sealing::SealingKey;

/// Content of the secret, which the template creates.
#[derive(Deserialize)]
struct Secret {
    /// Any text of sufficient randomness.
    sealing_key: String,
}

/// Seals and opens the links of mails. Reads its secret once per process, at the first link.
pub struct MailLinks {
    client: aws_sdk_secretsmanager::Client,
    secret_id: String,
    key: Mutex<Option<SealingKey>>,
}

impl fmt::Debug for MailLinks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailLinks")
    }
}

impl MailLinks {
    /// With the secret of this id.
    pub const fn new(client: aws_sdk_secretsmanager::Client, secret_id: String) -> Self {
        Self {
            client,
            secret_id,
            key: Mutex::new(None),
        }
    }

    /// Seals a mail's link, if it has one.
    pub async fn seal(&self, mut job: MailJob) -> Result<MailJob, SecretsError> {
        let about = job.about();
        if let Some(link) = job.mail.link_mut()
            && let Link::Clear(url) = link
        {
            let sealed = self.key().await?.seal(&about, url.as_bytes());
            let sealed = sealed.map_err(|error| SecretsError::new("seal a mail's link", error))?;
            *link = Link::Sealed { sealed };
        }
        Ok(job)
    }

    /// Opens a mail's link if it has a sealed one. It opens only within the mail that it was sealed in.
    ///
    /// # Errors
    /// When the secret cannot be read, or the link was sealed in another mail.
    pub async fn open(&self, mut job: MailJob) -> Result<MailJob, SecretsError> {
        const DOING: &str = "open a mail's link";
        let about = job.about();
        if let Some(link) = job.mail.link_mut()
            && let Link::Sealed { sealed } = link
        {
            let opened = self.key().await?.open(&about, sealed);
            let opened = opened.map_err(|error| SecretsError::new(DOING, error))?;
            let url = String::from_utf8(opened).map_err(|_| SecretsError::new(DOING, "it is not text"))?;
            *link = Link::Clear(url);
        }
        Ok(job)
    }

    async fn key(&self) -> Result<SealingKey, SecretsError> {
        const DOING: &str = "read the secret that seals mails' links";
        if let Some(key) = *self.key.lock().unwrap_or_else(PoisonError::into_inner) {
            return Ok(key);
        }
        let output = self.client.get_secret_value().secret_id(&self.secret_id).send().await;
        let output = output.map_err(|error| SecretsError::new(DOING, error))?;
        // The error of a parser may quote what it read, so it is not kept.
        let secret: Secret = serde_json::from_str(output.secret_string().unwrap_or_default())
            .map_err(|_| SecretsError::new(DOING, "it has another form than expected"))?;
        let key = SealingKey::of(&secret.sealing_key);
        *self.key.lock().unwrap_or_else(PoisonError::into_inner) = Some(key);
        Ok(key)
    }
}
