//! E-mails to people who work with Ringback.

use std::{
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
};

use domain::ids::TenantId;
use serde::{Deserialize, Serialize};

use crate::QueueBody;

/// Queue `mails`: one e-mail to one person. The only job that holds what no table has: an address, and links whose tokens
/// are stored as hashes only. So it is never spilled, and prints neither.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "mail")]
pub struct MailJob {
    /// On whose behalf; none where the person is meant, not a tenant (a forgotten password).
    pub tenant: Option<TenantId>,
    /// Follows the cause.
    pub correlation_id: String,
    /// A ULID, the same for every copy of one cause.
    pub id: String,
    /// The person's address.
    pub to: String,
    /// BCP 47, such as `en` or `ar-AE`. In a language without texts the mail is English.
    pub language: String,
    /// What to write.
    pub mail: Mail,
}

/// What an e-mail says. Links are whole URLs under `APP_URL`, or `PUBLIC_BASE_URL` where that is empty; others are not sent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Mail {
    /// To somebody who signed up: the address must be confirmed.
    VerifyEmail {
        /// Confirms it.
        link: String,
        /// The name of the business signed up.
        business: String,
    },
    /// To somebody who signed up with an address that has an account: nothing was changed.
    AccountExists {
        /// The name of the business that was to be signed up.
        business: String,
        /// Where to log in.
        log_in_link: String,
    },
    /// To somebody who forgot the password.
    ResetPassword {
        /// Lets them choose another.
        link: String,
    },
    /// To somebody whom a business invites.
    Invitation {
        /// Accepts it.
        link: String,
        /// The business's name.
        business: String,
        /// Who invites.
        inviter: String,
    },
    /// The password was changed.
    PasswordChanged {},
    /// The second factor was changed.
    EmailFactorChanged {
        /// How.
        what: FactorChange,
    },
}

/// What happened to the second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactorChange {
    /// An authenticator app is asked for at log-in from now on.
    TurnedOn,
    /// It no longer is.
    TurnedOff,
    /// There are new recovery codes; the old ones no longer work.
    RecoveryCodesReplaced,
    /// A recovery code was used instead of the app.
    RecoveryCodeUsed,
}

impl Mail {
    /// As in the job's body.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::VerifyEmail { .. } => "verify_email",
            Self::AccountExists { .. } => "account_exists",
            Self::ResetPassword { .. } => "reset_password",
            Self::Invitation { .. } => "invitation",
            Self::PasswordChanged {} => "password_changed",
            Self::EmailFactorChanged { .. } => "email_factor_changed",
        }
    }

    /// Where it leads.
    #[must_use]
    pub fn link(&self) -> Option<&str> {
        match self {
            Self::VerifyEmail { link, .. } | Self::ResetPassword { link } | Self::Invitation { link, .. } => Some(link),
            Self::AccountExists { log_in_link, .. } => Some(log_in_link),
            Self::PasswordChanged {} | Self::EmailFactorChanged { .. } => None,
        }
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}

impl fmt::Debug for MailJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailJob")
            .field("tenant", &self.tenant)
            .field("correlation_id", &self.correlation_id)
            .field("id", &self.id)
            .field("language", &self.language)
            .field("mail", &self.mail)
            .finish_non_exhaustive()
    }
}

impl QueueBody for MailJob {
    fn owner(&self) -> Option<TenantId> {
        self.tenant
    }

    /// Somebody who has another's password reset a thousand times delays only that other's mails.
    fn group(&self) -> String {
        match self.tenant {
            Some(tenant) => tenant.to_string(),
            None => {
                let mut hasher = DefaultHasher::new();
                self.to.hash(&mut hasher);
                format!("to-{:016x}", hasher.finish())
            }
        }
    }

    fn follows(&self) -> &str {
        &self.correlation_id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(mail: Mail) -> MailJob {
        MailJob {
            tenant: None,
            correlation_id: "req_1".to_owned(),
            id: "01jd4v0000000000000000mail".to_owned(),
            to: "maya@salon.example".to_owned(),
            language: "en".to_owned(),
            mail,
        }
    }

    #[test]
    fn a_mail_prints_neither_address_nor_link() {
        let link = "https://app.example/reset#token-canary".to_owned();
        let printed = format!("{:?}", job(Mail::ResetPassword { link }));
        assert!(printed.contains("reset_password"), "{printed}");
        for canary in ["maya", "salon", "app.example", "token-canary"] {
            assert!(!printed.contains(canary), "{printed}");
        }
    }

    #[test]
    fn a_mails_body_is_what_it_was_and_names_its_kind() {
        let changed = job(Mail::EmailFactorChanged {
            what: FactorChange::TurnedOff,
        });
        let body = serde_json::to_value(&changed).unwrap();
        assert_eq!(
            (&body["type"], &body["mail"]),
            (
                &"mail".into(),
                &serde_json::json!({"kind": changed.mail.kind(), "what": "turned_off"})
            )
        );
        assert_eq!(serde_json::from_value::<MailJob>(body).unwrap(), changed);
        let plain = serde_json::to_value(Mail::PasswordChanged {}).unwrap();
        assert_eq!(plain, serde_json::json!({"kind": "password_changed"}));
    }

    #[test]
    fn mails_of_one_address_share_a_group_that_does_not_tell_it() {
        let (one, mut other) = (job(Mail::PasswordChanged {}), job(Mail::PasswordChanged {}));
        assert_eq!(one.group(), other.group());
        assert!(!one.group().contains("maya"));
        other.to = "tom@salon.example".to_owned();
        assert_ne!(one.group(), other.group());
    }
}
