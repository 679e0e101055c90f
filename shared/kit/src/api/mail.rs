//! Mails that operations promise.

use access::token::sha256_hex;
use domain::account::Email;
use jobs::MailJob;
use store::rates::Limit;

use super::context::Api;
use crate::{Mails, Problem, log::chain};

/// So many mails that strangers can cause reach one address, over all tenants and whatever they say. Nothing multiplies them.
const AN_HOUR: Limit = Limit::per_hour(5);
const A_DAY: Limit = Limit::per_day(10);

/// Hands mails over to be sent.
///
/// # Errors
/// 503 when one is nowhere safe.
pub async fn send_mails(mails: &Mails, jobs: Vec<MailJob>) -> Result<(), Problem> {
    mails.send(jobs).await.map_err(|error| {
        tracing::error!(error = chain(&error), "a mail is nowhere safe");
        Problem::unavailable()
    })
}

impl Api {
    /// Counts a mail to this address that strangers can cause, before it is sent: a sign-up, a forgotten password, an invitation.
    /// `false`: the address has had as many as it may. Answer as if it were sent, and send none.
    ///
    /// # Errors
    /// 503 when the table does not answer.
    pub async fn may_mail(&self, to: &Email) -> Result<bool, Problem> {
        let (now, hashed) = (self.env().clock().now(), sha256_hex(to.as_str()));
        for (name, limit) in [("mail_hour", AN_HOUR), ("mail_day", A_DAY)] {
            let who = format!("{name}#{hashed}");
            if !self.store().take_outside(&who, limit, now).await?.is_within() {
                crate::line::note("mail", "held back");
                return Ok(false);
            }
        }
        Ok(true)
    }
}
