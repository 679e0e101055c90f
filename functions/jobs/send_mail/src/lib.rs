//! Sends one e-mail.
//!
//! Nearly safe to run twice: a process remembers the ids of the mails that it sent. A mail can still arrive twice, after a
//! crash or a lost response between SES and the queue. Both copies then have the same text and link (decision 0012).

mod notices;
mod texts;

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use jobs::MailJob;
use kit::{ConfigError, Done, Env, Job, JobError, NoScope, SealedLinks, line, metric};
use providers::mail::{MailClass, MailError, Mailer};

use crate::texts::Pages;

/// Refusals of an address before it is given up. SES has refused a good address once and accepted it at the next attempt.
const RECEIVES_UNTIL_BELIEVED: u32 = 3;

/// More mails than one process sends before the queue would deliver one again.
const MAX_REMEMBERED: usize = 1000;

/// Prefix of links while no address of ours is known.
const ANY: &str = "https://";

/// State of the function, created once per process.
pub struct Context {
    /// `None` without the parameter `MailFrom`.
    mailer: Option<Mailer>,
    links: SealedLinks,
    /// Prefix of all links. Without an address, that of any.
    base: String,
    sent: Mutex<VecDeque<String>>,
}

impl Context {
    /// Creates the state from the function's environment.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        let mailer = match env.config().optional("MAIL_FROM") {
            Some(from) => Some(Mailer::new(env.ses()?, from)),
            None => None,
        };
        let base = match env.config().optional_url("APP_URL")? {
            Some(app) => Some(app),
            None => env.config().optional_url("PUBLIC_BASE_URL")?,
        };
        Ok(Self {
            mailer,
            links: SealedLinks::new(env)?,
            // Both are unknown at the first deployment: then any host is accepted.
            base: base.map_or_else(|| ANY.to_owned(), |base| format!("{base}/")),
            sent: Mutex::default(),
        })
    }

    /// Whether the link leads to us. Anybody who could redirect a link would get its token.
    fn is_ours(&self, link: &str) -> bool {
        let unusual =
            |character: char| character.is_whitespace() || character.is_control() || "<>\"\\".contains(character);
        link.starts_with(&self.base) && !link.contains(unusual)
    }

    fn was_sent(&self, id: &str) -> bool {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.iter().any(|known| known == id)
    }

    fn remember(&self, id: String) {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        if sent.len() >= MAX_REMEMBERED {
            sent.pop_front();
        }
        sent.push_back(id);
    }
}

kit::function!(serve_queue, Context::new, handle);

/// Sends the mail, unless this process has sent it already.
///
/// # Errors
/// When SES cannot accept it now, or accepts nothing from us until somebody sets it up: the job is retried, and finally
/// becomes a dead letter that can be redriven. No error contains the address.
pub async fn handle(job: Job<MailJob, NoScope>, ctx: &Context) -> Result<Done, JobError> {
    line::note("mail", job.body.mail.kind());
    let Some(mailer) = &ctx.mailer else {
        metric::count("mail_blocked", &[]);
        tracing::error!("no e-mail can be sent: the parameter MailFrom is empty");
        return Err(JobError::new("send an e-mail: the parameter MailFrom is empty"));
    };
    if ctx.was_sent(&job.body.id) {
        return Ok(Done::Already);
    }
    let receive_count = job.receive_count;
    let mail = ctx.links.open(job.body).await?;
    if mail.mail.url().is_some_and(|url| !ctx.is_ours(url)) {
        tracing::error!("the link of an e-mail does not lead to us: is AppUrl the address that it was created with?");
        return Err(JobError::new("send an e-mail: its link does not lead to us"));
    }
    let pages = mail.tenant.filter(|_| ctx.base != ANY).map(|tenant| Pages {
        base: &ctx.base,
        tenant,
    });
    let letter = texts::write(&mail.mail, &mail.language, pages.as_ref());
    match mailer.send(&mail.to, &letter).await {
        Ok(reference) => {
            ctx.remember(mail.id);
            metric::count("mail_sent", &[]);
            tracing::debug!(reference, "sent");
            Ok(Done::Now)
        }
        Err(error) => handle_refusal(error, receive_count),
    }
}

fn handle_refusal(error: MailError, receive_count: u32) -> Result<Done, JobError> {
    match error.class {
        MailClass::Never if receive_count >= RECEIVES_UNTIL_BELIEVED => {
            metric::count("mail_refused", &[]);
            tracing::error!(
                code = error.code,
                "SES will never send this e-mail to this address: given up"
            );
            return Ok(Done::Now);
        }
        MailClass::Setup => {
            metric::count("mail_blocked", &[]);
            tracing::error!(
                code = error.code,
                "SES refuses all of our mails: see docs/operations/tenants.md, E-mail"
            );
        }
        MailClass::Never | MailClass::Again => {}
    }
    Err(error.into())
}
