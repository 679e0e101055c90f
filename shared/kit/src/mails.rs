//! The queue of e-mails. Their links are sealed when they are queued and when they are received.

use std::sync::{Arc, OnceLock};

use access::{MailLinks, SecretsError};
use jobs::MailJob;

use crate::enqueue::EnqueueError;
use crate::{ConfigError, Entry, Env, Queue, QueueName};

/// A mail could not be queued or opened.
#[derive(Debug, thiserror::Error)]
pub enum MailsError {
    /// Sealing or opening its link failed.
    #[error("could not seal or open a mail's link")]
    Link(#[from] SecretsError),
    #[error("could not put a mail into its queue")]
    Queue(#[from] EnqueueError),
}

/// The only way into the queue of mails. Cheap to clone.
#[derive(Clone)]
pub struct Mails {
    queue: Queue,
    links: SealedLinks,
}

impl Mails {
    /// From `MAILS_QUEUE_URL` and `MAIL_SECRET_ID`.
    ///
    /// # Errors
    /// When one of them is missing.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            queue: Queue::new(env, QueueName::Mails)?,
            links: SealedLinks::new(env)?,
        })
    }

    /// Queues mails with their links sealed.
    ///
    /// # Errors
    /// When one of them is nowhere safe; others may be in the queue.
    pub async fn send(&self, jobs: Vec<MailJob>) -> Result<(), MailsError> {
        let mut entries = Vec::with_capacity(jobs.len());
        for job in jobs {
            entries.push(Entry::new(&self.links.get().seal(job).await?)?);
        }
        Ok(self.queue.send_all(entries).await?)
    }

    /// Does the same work as sending this mail up to the queue, but sends nothing, so that the time of an answer does not reveal
    /// whether a mail was sent.
    ///
    /// # Errors
    /// When its link cannot be sealed.
    pub async fn pretend(&self, job: MailJob) -> Result<(), MailsError> {
        Entry::new(&self.links.get().seal(job).await?)?;
        Ok(())
    }
}

/// Seals and opens links. The client is created at the first link, because it would slow down the start.
#[derive(Clone)]
pub struct SealedLinks(Arc<Inner>);

struct Inner {
    env: Env,
    secret_id: String,
    links: OnceLock<MailLinks>,
}

impl SealedLinks {
    /// From `MAIL_SECRET_ID`.
    ///
    /// # Errors
    /// When it is missing.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self(Arc::new(Inner {
            env: env.clone(),
            secret_id: env.config().text("MAIL_SECRET_ID")?.to_owned(),
            links: OnceLock::new(),
        })))
    }

    /// A mail with its link in clear.
    ///
    /// # Errors
    /// When the secret cannot be read, or the link was sealed in another mail.
    pub async fn open(&self, job: MailJob) -> Result<MailJob, SecretsError> {
        self.get().open(job).await
    }

    fn get(&self) -> &MailLinks {
        let Inner { env, secret_id, links } = &*self.0;
        links.get_or_init(|| MailLinks::new(env.secrets_manager(), secret_id.clone()))
    }
}
