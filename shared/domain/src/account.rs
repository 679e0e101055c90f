//! People who log in: their account, their place in each tenant, their sessions.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    actor::Actor,
    ids::{InvitationId, SessionId, TenantId, UserId},
    permission::Role,
    text::OneLine,
};

/// An e-mail address, in lower case. ASCII only: an internationalised domain is written in its ASCII form, so that two
/// addresses that look alike are not two accounts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Email(String);

/// A text that is no e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an e-mail address such as name@example.com, in ASCII letters")]
pub struct InvalidEmail;

shown_as!(Email, {
    "type": "string",
    "format": "email",
    "maxLength": Email::LONGEST,
    "examples": ["maya@saffron.example"],
});

impl Email {
    /// Maximum length in characters (RFC 5321, 4.5.3.1.3).
    pub const LONGEST: usize = 254;

    /// As it is written and compared.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Email {
    type Err = InvalidEmail;

    fn from_str(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidEmail)?;
        let local_ok = (1..=64).contains(&local.len())
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..")
            && local
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte));
        let label_ok = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let domain_ok = domain.len() <= 253 && domain.contains('.') && domain.split('.').all(label_ok);
        if local_ok && domain_ok && text.len() <= Self::LONGEST {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(InvalidEmail)
        }
    }
}

impl fmt::Debug for Email {
    /// Never the address: it would end in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email")
    }
}

impl<'de> Deserialize<'de> for Email {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A tenant's name in URLs: lower-case ASCII letters, digits and single hyphens, 3 to 40 characters. No other script, so
/// that none looks like another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Slug(String);

/// Why a text is no slug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSlug {
    /// Its form.
    #[error("expected 3 to 40 lower-case letters a to z, digits and single hyphens, such as joes-pizza")]
    Form,
    /// A word that the platform needs itself.
    #[error("this name is reserved; choose another")]
    Reserved,
}

const RESERVED: [&str; 16] = [
    "admin", "api", "app", "auth", "billing", "console", "docs", "help", "mail", "platform", "ringback", "root",
    "status", "support", "webhooks", "www",
];

shown_as!(Slug, {
    "type": "string",
    "minLength": Slug::SHORTEST,
    "maxLength": Slug::LONGEST,
    "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$",
    "examples": ["saffron-bakery"],
});

impl Slug {
    /// Minimum length in characters.
    pub const SHORTEST: usize = 3;

    /// Maximum length in characters.
    pub const LONGEST: usize = 40;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Slug {
    type Err = InvalidSlug;

    fn from_str(text: &str) -> Result<Self, InvalidSlug> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let formed = (Self::SHORTEST..=Self::LONGEST).contains(&text.len())
            && text.bytes().all(allowed)
            && !text.starts_with('-')
            && !text.ends_with('-')
            && !text.contains("--");
        if !formed {
            return Err(InvalidSlug::Form);
        }
        if RESERVED.contains(&text) {
            return Err(InvalidSlug::Reserved);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Slug {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A person's account. It belongs to no tenant: a person may work for several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The person.
    pub id: UserId,
    /// Where they get mail; proven.
    pub email: Email,
    /// As colleagues call them.
    pub name: String,
    /// BCP 47 language of their mail.
    pub language: String,
    /// argon2id, in PHC form.
    pub password: PasswordHash,
    /// Nobody knows the password: it was made with the account, and the person chooses one by a link.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub awaits_password: bool,
    /// The second factor, once switched on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_factor: Option<SecondFactor>,
    /// A second factor that was set up and is not yet confirmed by a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_factor: Option<SealedFactor>,
    /// The tenants they belong to, the one they joined first in front.
    pub tenants: Vec<TenantId>,
    /// Tokens issued before are over: raised by log out everywhere, by a new password, and by a second factor.
    pub sessions_from: Timestamp,
    /// The one session of before that goes on: that in which the second factor was switched on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spared_session: Option<SessionId>,
    /// What the person logged in from, as [`Account::learn`] keeps it, the newest last. None of who never did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<String>,
    /// Since when.
    pub created_at: Timestamp,
}

impl Account {
    /// A person belongs to at most this many tenants.
    pub const MOST_TENANTS: usize = 20;

    /// So many devices are known; the one that was learnt first goes.
    pub const MOST_DEVICES: usize = 20;

    /// Somebody new, who belongs to no tenant yet.
    #[must_use]
    pub const fn new(
        id: UserId,
        email: Email,
        name: String,
        language: String,
        password: PasswordHash,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            email,
            name,
            language,
            password,
            awaits_password: false,
            second_factor: None,
            pending_factor: None,
            tenants: Vec::new(),
            sessions_from: now,
            spared_session: None,
            devices: Vec::new(),
            created_at: now,
        }
    }

    /// Whether all sessions were ended since this one began.
    #[must_use]
    pub fn has_ended(&self, session: &Session) -> bool {
        session.created_at < self.sessions_from && self.spared_session != Some(session.id)
    }

    /// Whether the second factor that is on now was on then. One that was switched off and on again is another, which sessions of
    /// before did not prove.
    #[must_use]
    pub fn had_its_factor_at(&self, at: Timestamp) -> bool {
        let on = self.second_factor.as_ref();
        on.is_some_and(|factor| factor.enabled_at.as_millisecond() <= at.as_millisecond())
    }

    /// Ends all sessions of before this time, but for `spared`.
    pub const fn end_sessions(&mut self, from: Timestamp, spared: Option<SessionId>) {
        self.sessions_from = from;
        self.spared_session = spared;
    }

    /// Learns what the person logs in from. Returns whether it was known.
    pub fn learn(&mut self, device: String) -> bool {
        if self.devices.contains(&device) {
            return true;
        }
        if self.devices.len() >= Self::MOST_DEVICES {
            self.devices.remove(0);
        }
        self.devices.push(device);
        false
    }
}

/// A password's hash. Never in a log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(pub String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash")
    }
}

/// A TOTP secret, sealed for its user by `auth`; base64.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SealedFactor(pub String);

impl fmt::Debug for SealedFactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedFactor")
    }
}

/// A second factor that log-in asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondFactor {
    /// The secret.
    pub secret: SealedFactor,
    /// The last 30-second step whose code was used: no code counts twice.
    pub last_step: u64,
    /// SHA-256 of the recovery codes that are left.
    pub recovery_codes: Vec<String>,
    /// Since when.
    pub enabled_at: Timestamp,
}

/// A person's place in a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The person.
    pub user: UserId,
    /// Their address, as in the account.
    pub email: Email,
    /// Their name, as in the account.
    pub name: String,
    /// What they may do here.
    pub role: Role,
    /// Whether they may do it now.
    pub status: MemberStatus,
    /// Access tokens issued before are over here: the account's time, or when they were deactivated.
    pub sessions_from: Timestamp,
    /// The account's session of before that goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spared_session: Option<SessionId>,
    /// Since when.
    pub joined_at: Timestamp,
}

impl Member {
    /// This account's person, who may act from now on.
    #[must_use]
    pub fn joining(account: &Account, role: Role, now: Timestamp) -> Self {
        Self {
            user: account.id,
            email: account.email.clone(),
            name: account.name.clone(),
            role,
            status: MemberStatus::Active,
            sessions_from: account.sessions_from,
            spared_session: account.spared_session,
            joined_at: now,
        }
    }

    /// Whether they may act where the one before could not, or do more.
    #[must_use]
    pub fn may_more_than(&self, before: &Self) -> bool {
        let active = |member: &Self| member.status == MemberStatus::Active;
        (active(self) && !active(before)) || self.role > before.role
    }

    /// Deactivates them: who was let in before is out, and stays so when they are activated again.
    pub fn deactivate(&mut self, now: Timestamp) {
        self.status = MemberStatus::Deactivated;
        self.sessions_from = self.sessions_from.max(now);
        self.spared_session = None;
    }
}

/// Display name of a person.
pub type PersonName = OneLine<1, 100>;

/// State of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "UserStatus"))]
#[serde(rename_all = "snake_case")]
pub enum MemberStatus {
    /// They may.
    Active,
    /// They may not, until somebody activates them again.
    Deactivated,
}

/// An invitation to a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// The invitation.
    pub id: InvitationId,
    /// Whom: accepting proves the address, since the link goes there.
    pub email: Email,
    /// What they will be.
    pub role: Role,
    /// By whom.
    pub invited_by: Actor,
    /// When.
    pub created_at: Timestamp,
    /// Until when the link works.
    pub expires_at: Timestamp,
    /// SHA-256 of the link's token, in hex.
    pub token_sha256: String,
}

/// A person's session on one device: the family of refresh tokens that came of one log-in. A refresh token is
/// `rbr_<user><session>_<family secret>_<own secret>`; only hashes are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The session.
    pub id: SessionId,
    /// The person.
    pub user: UserId,
    /// SHA-256 of the secret that all tokens of the session share, in hex.
    pub family_sha256: String,
    /// SHA-256 of the token that is valid, in hex.
    pub current_sha256: String,
    /// SHA-256 of the one before, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_sha256: Option<String>,
    /// When the current one was issued.
    pub rotated_at: Timestamp,
    /// When the person logged in.
    pub created_at: Timestamp,
    /// When it is over, unless it is refreshed before.
    pub expires_at: Timestamp,
    /// Whether it began with a second factor.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub second_factor: bool,
    /// The browser or app, as its `User-Agent` says, shortened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

/// What a presented refresh token means to its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented {
    /// The valid one: rotate it.
    Current,
    /// The one before, within the grace of a race of the same device: refuse, and keep the session.
    JustReplaced,
    /// An old one: somebody copied it. End the session.
    Reused,
    /// None of this session's recent ones, or the session is over.
    Unknown,
}

/// Two tabs of one browser may refresh at once: the later one is refused, but the session stays.
pub const REFRESH_GRACE: jiff::SignedDuration = jiff::SignedDuration::from_secs(10);

impl Session {
    /// Judges the hashes of a presented token. Every token of the session holds the family's secret, so that any old one is
    /// known as such, and nobody ends a session by its id alone. Hashes need no comparison in constant time: their preimage
    /// is what is secret.
    #[must_use]
    pub fn judge(&self, family_sha256: &str, sha256: &str, now: Timestamp) -> Presented {
        if self.expires_at <= now || self.family_sha256 != family_sha256 {
            return Presented::Unknown;
        }
        if self.current_sha256 == sha256 {
            return Presented::Current;
        }
        let just = now.duration_since(self.rotated_at) <= REFRESH_GRACE;
        if just && self.previous_sha256.as_deref() == Some(sha256) {
            Presented::JustReplaced
        } else {
            Presented::Reused
        }
    }
}

/// Who asks to open a business: kept until the link in the mail is followed, or a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignUp {
    /// The address to be proven.
    pub email: Email,
    /// The person.
    pub name: String,
    /// BCP 47 language of their mail.
    pub language: String,
    /// Their password's hash.
    pub password: PasswordHash,
    /// The business's name.
    pub business: String,
    /// Its name in URLs, held for it meanwhile.
    pub slug: Slug,
    /// Where it is.
    pub time_zone: crate::zone::Zone,
    /// When they asked.
    pub created_at: Timestamp,
}

/// What a one-time link is for. The link's token is kept as SHA-256 only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Grant {
    /// To open the business.
    SignUp(Box<SignUp>),
    /// To choose a new password.
    Reset {
        /// Whose.
        user: UserId,
        /// The account's own when the link was issued: what ends all sessions, such as another password, ends the link. One of
        /// before this was kept is over.
        #[serde(default)]
        sessions_from: Timestamp,
    },
    /// To join a tenant.
    Invitation {
        /// Which.
        tenant: TenantId,
        /// By which invitation.
        invitation: InvitationId,
    },
}

impl Grant {
    /// To choose a new password for this account as it is now.
    #[must_use]
    pub const fn reset(account: &Account) -> Self {
        Self::Reset {
            user: account.id,
            sessions_from: account.sessions_from,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_spelling() {
        let email: Email = " Joe.Bloggs+till@Example.COM ".parse().unwrap();
        assert_eq!(email.as_str(), "joe.bloggs+till@example.com");
        for wrong in [
            "",
            "joe",
            "joe@",
            "@example.com",
            "joe@localhost",
            "j oe@example.com",
            "jöe@example.com",
            "joe@exämple.com",
            "joe@-x.com",
            "joe@x..com",
            ".joe@x.com",
        ] {
            assert_eq!(wrong.parse::<Email>(), Err(InvalidEmail), "{wrong}");
        }
    }

    #[test]
    fn a_slug_looks_like_no_other() {
        assert!("joes-pizza-2".parse::<Slug>().is_ok());
        // Cyrillic о and а, fullwidth letters, a zero-width joiner, upper case.
        for wrong in [
            "j\u{43e}es-pizza",
            "p\u{430}pa",
            "ｐizza",
            "pi\u{200d}zza",
            "Pizza",
            "pi",
            "-pizza",
            "pizza-",
            "piz--za",
            "piz_za",
        ] {
            assert_eq!(wrong.parse::<Slug>(), Err(InvalidSlug::Form), "{wrong}");
        }
        assert_eq!("admin".parse::<Slug>(), Err(InvalidSlug::Reserved));
    }

    #[test]
    fn reused_refresh_token_is_told_from_a_race_of_tabs() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let session = Session {
            id: SessionId::new(ulid::Ulid::from_parts(1, 1)),
            user: UserId::new(ulid::Ulid::from_parts(1, 2)),
            family_sha256: "f".to_owned(),
            current_sha256: "b".to_owned(),
            previous_sha256: Some("a".to_owned()),
            rotated_at: at("2026-11-20T10:00:00Z"),
            created_at: at("2026-11-20T09:00:00Z"),
            expires_at: at("2026-12-20T10:00:00Z"),
            second_factor: false,
            device: None,
        };
        let judge = |family, token, now| session.judge(family, token, at(now));
        assert_eq!(judge("f", "b", "2026-11-21T10:00:00Z"), Presented::Current);
        assert_eq!(judge("f", "a", "2026-11-20T10:00:10Z"), Presented::JustReplaced);
        assert_eq!(judge("f", "a", "2026-11-20T10:00:11Z"), Presented::Reused);
        assert_eq!(judge("f", "older", "2026-11-20T10:00:01Z"), Presented::Reused);
        assert_eq!(judge("guessed", "a", "2026-11-20T10:00:11Z"), Presented::Unknown);
        assert_eq!(judge("f", "b", "2026-12-20T10:00:00Z"), Presented::Unknown);
    }
}
