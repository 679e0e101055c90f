//! E-mails to people who work with Ringback.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;

use domain::accounts::Role;
use domain::money::Cap;
use domain::notices::Notice;
use domain::terms::{ConnectionId, TenantId, Zone};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::QueueBody;

/// Queue `mails`: one e-mail to one person. The only job with data that no table has: an address, and links whose tokens
/// are stored as hashes only. Therefore it is never spilled, its `Debug` output shows neither, and its links are sealed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "mail")]
pub struct MailJob {
    /// Tenant that the mail is sent for. `None` for mails about a person's own account, such as a forgotten password.
    pub tenant: Option<TenantId>,
    /// Correlation id of its cause.
    pub correlation_id: String,
    /// A ULID, the same for every copy of one cause.
    pub id: String,
    /// Address of the person.
    pub to: String,
    /// Language (BCP 47), such as `en` or `ar-AE`. Mails in a language without texts are in English.
    pub language: String,
    /// Kind and values of the mail.
    pub mail: Mail,
}

/// A link. Most of them grant access. The others are sealed as well, so that the work does not reveal the kind of mail.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Link {
    /// The link in the queue: `access::MailLinks` seals it for its mail, and opens it for that mail only.
    Sealed {
        /// The sealed URL, in base64.
        sealed: String,
    },
    /// The whole URL, before sealing and after opening. Also in mails that were queued before links were sealed.
    Clear(String),
}

impl Link {
    /// The URL, unless it is sealed.
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

/// Content of an e-mail. Links are whole URLs under `APP_URL`, or `PUBLIC_BASE_URL` if that is empty; others are not sent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Mail {
    /// To a person who signed up and must confirm the address.
    VerifyEmail {
        /// Link that confirms the address.
        link: Link,
        /// Name of the business.
        business: String,
    },
    /// To a person who signed up with an address that already has an account. Nothing was changed.
    AccountExists {
        /// Name of the business.
        business: String,
        /// Link to the log-in page.
        log_in_link: Link,
    },
    /// To a person who forgot the password.
    ResetPassword {
        /// Link to choose a new one.
        link: Link,
    },
    /// To a person whom a business invites.
    Invitation {
        /// Link that accepts the invitation.
        link: Link,
        /// Name of the business.
        business: String,
        /// Name of the inviter.
        inviter: String,
        /// Name of the invited person, if the inviter has given one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Role offered by the invitation. `None` only in mails that were queued before mails stated it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<Role>,
    },
    /// The password was changed.
    PasswordChanged {},
    /// The second factor was changed.
    EmailFactorChanged {
        /// Kind of change.
        what: FactorChange,
    },
    /// Somebody entered the password and a wrong code of the second factor.
    WrongCode {},
    /// Log-in from an unknown device or network.
    NewDevice {
        /// Browser or app, from its `User-Agent`.
        device: Option<String>,
        address: Option<IpAddr>,
        /// Time of the log-in.
        at: Timestamp,
    },
    /// The right to administer the platform was granted or revoked.
    PlatformRight {
        /// Whether it was granted.
        given: bool,
    },
    /// To the administrators of a tenant: the platform has invited another one.
    PlatformInvited {
        /// Name of the tenant.
        business: String,
        /// Invited address.
        invited: String,
    },
    /// To the administrators of a tenant: somebody raised or removed a cap.
    CapLoosened {
        /// Name of the tenant.
        business: String,
        /// Person, API key or platform that loosened it.
        by: Author,
        /// The cap as it was.
        before: Cap,
        /// Its new maximum. `None`: it was removed.
        maximum: Option<u32>,
        /// Time of the change.
        at: Timestamp,
    },
    /// To people who manage a tenant: what they must attend to.
    Notices {
        /// Name of the tenant.
        business: String,
        /// The events, the oldest first.
        notices: Vec<Notice>,
        /// Names of the connections whose templates the notices name.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        connections: BTreeMap<ConnectionId, String>,
        /// Time zone of the tenant. `None` in a mail of an older release.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        time_zone: Option<Zone>,
        /// Number of further notices, which the mail only counts.
        more: usize,
        /// Link to the page for turning off such mails. `None` if the deployment has no URL yet.
        link: Option<Link>,
    },
}

/// Author of a change, by name.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// A person of the tenant.
    Person(String),
    /// An API key of the tenant.
    ApiKey(String),
    /// The operator of the platform.
    Platform,
}

/// Kind of change of the second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactorChange {
    /// Log-in requires a code from now on.
    TurnedOn,
    /// Log-in no longer requires a code.
    TurnedOff,
    /// New recovery codes were created. The old ones no longer work.
    RecoveryCodesReplaced,
    /// A recovery code was used instead of the app.
    RecoveryCodeUsed,
}

impl Mail {
    /// Name of the kind, as in the body of the job.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::VerifyEmail { .. } => "verify_email",
            Self::AccountExists { .. } => "account_exists",
            Self::ResetPassword { .. } => "reset_password",
            Self::Invitation { .. } => "invitation",
            Self::PasswordChanged {} => "password_changed",
            Self::EmailFactorChanged { .. } => "email_factor_changed",
            Self::WrongCode {} => "wrong_code",
            Self::NewDevice { .. } => "new_device",
            Self::PlatformRight { .. } => "platform_right",
            Self::PlatformInvited { .. } => "platform_invited",
            Self::CapLoosened { .. } => "cap_loosened",
            Self::Notices { .. } => "notices",
        }
    }

    /// URL of its link. `None` if it has no link, or a sealed one.
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::VerifyEmail { link, .. }
            | Self::AccountExists { log_in_link: link, .. }
            | Self::ResetPassword { link }
            | Self::Invitation { link, .. } => link.url(),
            Self::Notices { link, .. } => link.as_ref()?.url(),
            Self::PasswordChanged {}
            | Self::EmailFactorChanged { .. }
            | Self::WrongCode {}
            | Self::NewDevice { .. }
            | Self::PlatformRight { .. }
            | Self::PlatformInvited { .. }
            | Self::CapLoosened { .. } => None,
        }
    }

    /// Its link, if it has one.
    pub const fn link_mut(&mut self) -> Option<&mut Link> {
        match self {
            Self::VerifyEmail { link, .. }
            | Self::AccountExists { log_in_link: link, .. }
            | Self::ResetPassword { link }
            | Self::Invitation { link, .. } => Some(link),
            Self::Notices { link, .. } => link.as_mut(),
            Self::PasswordChanged {}
            | Self::EmailFactorChanged { .. }
            | Self::WrongCode {}
            | Self::NewDevice { .. }
            | Self::PlatformRight { .. }
            | Self::PlatformInvited { .. }
            | Self::CapLoosened { .. } => None,
        }
    }
}

impl MailJob {
    /// Context of a sealed link: this mail, its kind and its recipient.
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

    /// By recipient if there is no tenant, so that many password resets for one address delay only its own mails.
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
