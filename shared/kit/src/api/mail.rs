//! Mails that operations promise.

use jobs::MailJob;

use crate::{Entry, Problem, Queue, log::chain};

/// Hands a mail over to be sent.
///
/// # Errors
/// 503 when it is nowhere safe.
pub async fn send_mail(mails: &Queue, job: &MailJob) -> Result<(), Problem> {
    let sent = match Entry::new(job) {
        Ok(entry) => mails.send_all(vec![entry]).await,
        Err(error) => Err(error),
    };
    sent.map_err(|error| {
        tracing::error!(error = chain(&error), "a mail is nowhere safe");
        Problem::unavailable()
    })
}
