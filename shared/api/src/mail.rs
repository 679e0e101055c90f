//! Mails that operations promise.

use access::token::sha256_hex;
use domain::terms::Email;
use jobs::MailJob;
use kit::{Problem, chain};
use store::table::rates::Limit;

use crate::context::Api;

/// Limits per address of mails that strangers can cause, over all tenants and kinds. Links to reset a password have the same
/// limits separately, so that invitations cannot block them. Nothing multiplies these limits.
const AN_HOUR: Limit = Limit::per_hour(5);
const A_DAY: Limit = Limit::per_day(10);

impl Api {
    /// Hands mails over for sending.
    ///
    /// # Errors
    /// 503 when one is nowhere safe.
    ///
    /// # Panics
    /// As [`Api::mails`].
    pub async fn send_mails(&self, jobs: Vec<MailJob>) -> Result<(), Problem> {
        self.mails().send(jobs).await.map_err(|error| {
            tracing::error!(error = chain(&error), "a mail could be neither queued nor stored");
            Problem::unavailable()
        })
    }

    /// Counts a mail to this address that strangers can cause, such as a sign-up or an invitation, before it is sent and after
    /// all other checks. Returns false if the address has reached its limit: answer as if the mail were sent, but do not send it.
    pub async fn may_mail(&self, to: &Email) -> Result<bool, Problem> {
        self.may_take_mail_place(to, ["mail_hour", "mail_day"]).await
    }

    /// Like [`Self::may_mail`], for a link to reset a password.
    pub async fn may_mail_reset(&self, to: &Email) -> Result<bool, Problem> {
        self.may_take_mail_place(to, ["reset_mail_hour", "reset_mail_day"])
            .await
    }

    async fn may_take_mail_place(&self, to: &Email, names: [&str; 2]) -> Result<bool, Problem> {
        let (now, hashed) = (self.env().clock().now(), sha256_hex(&mailbox(to)));
        for (name, limit) in names.into_iter().zip([AN_HOUR, A_DAY]) {
            let who = format!("{name}#{hashed}");
            if !self.store().take_outside(&who, limit, now).await?.is_within() {
                kit::line::note("mail", "held back");
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The mailbox of an address, as most providers treat it: the part after `+` is the recipient's own. Only for counting; the whole
/// address identifies an account.
fn mailbox(address: &Email) -> String {
    let address = address.as_str();
    match address.split_once('@') {
        Some((local, domain)) => match local.split_once('+') {
            Some((name, _)) if !name.is_empty() => format!("{name}@{domain}"),
            _ => address.to_owned(),
        },
        None => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_a_plus_makes_no_other_mailbox() {
        for (address, expected) in [
            ("maya@saffron.example", "maya@saffron.example"),
            ("Maya+1@saffron.example", "maya@saffron.example"),
            ("maya+a+b@saffron.example", "maya@saffron.example"),
            ("+maya@saffron.example", "+maya@saffron.example"),
        ] {
            assert_eq!(mailbox(&address.parse().unwrap()), expected);
        }
    }
}
