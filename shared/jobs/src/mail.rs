//! E-mails to people who work with Ringback.

use std::{
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    net::IpAddr,
};

use domain::ids::TenantId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::QueueBody;

/// Queue `mails`: one e-mail to one person. The only job that holds what no table has: an address, and links whose tokens
/// are stored as hashes only. So it is never spilled, prints neither, and carries such links sealed.
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

/// A link. Most let somebody in; one that does not is sealed as well, so that nobody can tell by the work which it was.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Link {
    /// As it travels: `access::MailLinks` seals it in its mail, and opens it there only.
    Sealed {
        /// In base64.
        sealed: String,
    },
    /// The whole URL, before it is sealed and after. Mails that were in the queue before links were sealed have it, too.
    Clear(String),
}

impl Link {
    /// The URL, unless it is sealed.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Clear(url) => Some(url),
            Self::Sealed { .. } => None,
        }
    }
}

impl From<String> for Link {
    fn from(url: String) -> Self {
        Self::Clear(url)
    }
}

/// What an e-mail says. Links are whole URLs under `APP_URL`, or `PUBLIC_BASE_URL` where that is empty; others are not sent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Mail {
    /// To somebody who signed up: the address must be confirmed.
    VerifyEmail {
        /// Confirms it.
        link: Link,
        /// The name of the business signed up.
        business: String,
    },
    /// To somebody who signed up with an address that has an account: nothing was changed.
    AccountExists {
        /// The name of the business that was to be signed up.
        business: String,
        /// Where to log in.
        log_in_link: Link,
    },
    /// To somebody who forgot the password.
    ResetPassword {
        /// Lets them choose another.
        link: Link,
    },
    /// To somebody whom a business invites.
    Invitation {
        /// Accepts it.
        link: Link,
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
    /// Somebody logged in from what the account did not know.
    NewDevice {
        /// The browser or app, as its `User-Agent` says.
        device: Option<String>,
        /// Its address.
        address: Option<IpAddr>,
        /// When.
        at: Timestamp,
    },
    /// The right to administer the platform was given or taken.
    PlatformRight {
        /// Whether it was given.
        given: bool,
    },
    /// To a tenant's administrators: who runs the platform invites somebody as one of them.
    PlatformInvited {
        /// The tenant's name.
        business: String,
        /// Whose address is invited.
        invited: String,
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
            Self::NewDevice { .. } => "new_device",
            Self::PlatformRight { .. } => "platform_right",
            Self::PlatformInvited { .. } => "platform_invited",
        }
    }

    /// Where it leads; `None` where it leads nowhere, or where the link is sealed.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::VerifyEmail { link, .. }
            | Self::AccountExists { log_in_link: link, .. }
            | Self::ResetPassword { link }
            | Self::Invitation { link, .. } => link.url(),
            Self::PasswordChanged {}
            | Self::EmailFactorChanged { .. }
            | Self::NewDevice { .. }
            | Self::PlatformRight { .. }
            | Self::PlatformInvited { .. } => None,
        }
    }

    /// Its link, if it has one.
    #[must_use]
    pub const fn link_mut(&mut self) -> Option<&mut Link> {
        match self {
            Self::VerifyEmail { link, .. }
            | Self::AccountExists { log_in_link: link, .. }
            | Self::ResetPassword { link }
            | Self::Invitation { link, .. } => Some(link),
            Self::PasswordChanged {}
            | Self::EmailFactorChanged { .. }
            | Self::NewDevice { .. }
            | Self::PlatformRight { .. }
            | Self::PlatformInvited { .. } => None,
        }
    }
}

impl MailJob {
    /// What a sealed link is bound to: this mail, its kind and its reader.
    #[must_use]
    pub fn about(&self) -> String {
        format!("{}\n{}\n{}", self.mail.kind(), self.id, self.to)
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
        let printed = format!("{:?}", job(Mail::ResetPassword { link: link.into() }));
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
    fn mails_of_before_links_were_sealed_can_be_read() {
        let body = serde_json::json!({"kind": "reset_password", "link": "https://app.example/reset"});
        let mail: Mail = serde_json::from_value(body).unwrap();
        assert_eq!(mail.url(), Some("https://app.example/reset"));
        let sealed = serde_json::json!({"kind": "reset_password", "link": {"sealed": "AAAA"}});
        let mail: Mail = serde_json::from_value(sealed.clone()).unwrap();
        assert_eq!(mail.url(), None);
        assert_eq!(serde_json::to_value(mail).unwrap(), sealed);
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
