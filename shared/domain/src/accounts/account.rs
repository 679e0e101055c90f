//! People who log in: their account, their membership of each tenant, their sessions.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::accounts::{InterfacePreferences, Permission, Role};
use crate::terms::{Actor, Email, InvitationId, Language, OneLine, SessionId, Slug, TenantId, UserId, is_zero};

/// A person's account. It belongs to no tenant: a person may work for several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub id: UserId,
    /// E-mail address, verified.
    pub email: Email,
    /// Display name.
    pub name: String,
    /// BCP 47 language of their mail.
    pub language: String,
    /// argon2id, in PHC form.
    pub password: PasswordHash,
    /// Whether nobody knows the password: it was generated with the account, and the person chooses one by a link.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub awaits_password: bool,
    /// The second factor, once switched on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_factor: Option<SecondFactor>,
    /// A second factor that was set up and is not yet confirmed by a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_factor: Option<SealedFactor>,
    /// Tenants they belong to, in the order of joining.
    pub tenants: Vec<TenantId>,
    /// Tokens issued before this time are invalid: raised by logging out everywhere, a new password, and a second factor.
    pub sessions_from: Timestamp,
    /// The older session that stays valid, since the second factor was switched on in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spared_session: Option<SessionId>,
    /// Sessions that ended one by one.
    #[serde(default, skip_serializing_if = "EndedSessions::is_empty")]
    pub ended_sessions: EndedSessions,
    /// Devices the person logged in from, as [`Account::learn`] keeps them, the newest last. Empty until the first log-in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<String>,
    /// Preferences for user interfaces.
    #[serde(
        default,
        deserialize_with = "InterfacePreferences::read_stored",
        skip_serializing_if = "InterfacePreferences::are_usual"
    )]
    pub preferences: InterfacePreferences,
    pub created_at: Timestamp,
}

impl Account {
    /// Maximum tenants of a person.
    pub const MAX_TENANTS: usize = 20;

    /// Maximum known devices. A further one replaces the oldest.
    pub const MAX_DEVICES: usize = 20;

    /// A new person, who belongs to no tenant yet.
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
            ended_sessions: EndedSessions::NONE,
            devices: Vec::new(),
            preferences: InterfacePreferences::USUAL,
            created_at: now,
        }
    }

    /// Whether the session was ended together with all others.
    pub fn has_ended(&self, session: &Session) -> bool {
        session.created_at < self.sessions_from && self.spared_session != Some(session.id)
    }

    /// Whether the second factor that is on now was on at that time. One that was switched off and on again is a new
    /// factor, which older sessions have not proved.
    pub fn had_its_factor_at(&self, at: Timestamp) -> bool {
        let on = self.second_factor.as_ref();
        on.is_some_and(|factor| factor.enabled_at.as_millisecond() <= at.as_millisecond())
    }

    /// Ends all sessions that began before this time, except `spared`.
    pub const fn end_sessions(&mut self, from: Timestamp, spared: Option<SessionId>) {
        self.sessions_from = from;
        self.spared_session = spared;
    }

    /// Ends a session by itself, as [`Member::end_session`] does.
    pub fn end_session(&mut self, session: SessionId, now: Timestamp) -> bool {
        let added = self.ended_sessions.add(session, now);
        if added == Added::Instead {
            self.end_sessions(self.sessions_from.max(now + MEANWHILE), None);
        }
        added != Added::Before
    }

    /// Remembers the device of a log-in. Returns whether it was known.
    pub fn learn(&mut self, device: String) -> bool {
        if self.devices.contains(&device) {
            return true;
        }
        if self.devices.len() >= Self::MAX_DEVICES {
            self.devices.remove(0);
        }
        self.devices.push(device);
        false
    }
}

/// The hash of a password. Never logged.
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
    pub secret: SealedFactor,
    /// The last 30-second step whose code was used, so that no code is accepted twice.
    pub last_step: u64,
    /// SHA-256 of the recovery codes that are left.
    pub recovery_codes: Vec<String>,
    /// Time when it was switched on.
    pub enabled_at: Timestamp,
    /// Wrong codes since the last right one, or since the password was reset by mail.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub wrong_codes: u32,
}

impl SecondFactor {
    /// Maximum wrong codes until only a reset of the password by mail admits further ones. Whoever gets this far knows the password.
    pub const MAX_WRONG_CODES: u32 = 50;

    /// Whether no code is accepted any more until the password is reset by mail.
    pub const fn is_locked(&self) -> bool {
        self.wrong_codes >= Self::MAX_WRONG_CODES
    }
}

/// Sessions that ended by themselves, not with all others, as long as something that they opened may be there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EndedSessions(Vec<EndedSession>);

impl Default for EndedSessions {
    fn default() -> Self {
        Self::NONE
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct EndedSession {
    id: SessionId,
    /// End of whatever the session opened.
    until: Timestamp,
}

/// Effect of adding a session to those that ended by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Added {
    /// The session was listed before.
    Before,
    /// The session is listed now.
    Listed,
    /// The list was full of sessions whose access tokens may still be valid. It was emptied, so all sessions must end.
    Instead,
}

/// Proof of who a caller is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Credential {
    /// A session of a person.
    Session(SessionId),
    /// A secret of an API key, by its SHA-256.
    Secret(String),
}

/// Lifetime of access tokens.
pub const ACCESS_LIFETIME: SignedDuration = SignedDuration::from_mins(15);

/// Time until nothing is left that an ended session opened: access tokens live for [`ACCESS_LIFETIME`], sockets opened
/// with one for two hours.
const ENDED_FOR: SignedDuration = SignedDuration::from_mins(150);

/// Margin for tokens that are issued while sessions are being ended, by a process that read the account before. They end, too.
pub const MEANWHILE: SignedDuration = SignedDuration::from_secs(2);

/// Time until no access token of an ended session is accepted, however much the clocks of functions differ.
const TOKENS_FOR: SignedDuration = SignedDuration::from_mins(16);

/// A person's membership of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub user: UserId,
    /// Their address, as in the account.
    pub email: Email,
    /// Their name, as in the account.
    pub name: String,
    /// Role in this tenant.
    pub role: Role,
    /// Whether they are active.
    pub status: MemberStatus,
    /// Access tokens issued before this time are invalid here: the account's time, or the time of the deactivation.
    pub sessions_from: Timestamp,
    /// The account's older session that stays valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spared_session: Option<SessionId>,
    /// Sessions that ended one by one.
    #[serde(default, skip_serializing_if = "EndedSessions::is_empty")]
    pub ended_sessions: EndedSessions,
    pub joined_at: Timestamp,
}

impl EndedSessions {
    pub const NONE: Self = Self(Vec::new());

    const MAX: usize = 20;

    /// Whether it has none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this session ended.
    pub fn has(&self, session: SessionId) -> bool {
        self.0.iter().any(|ended| ended.id == session)
    }

    /// Adds a session that ends now, and removes sessions that ended long ago. If there is no room, the oldest session
    /// with expired access tokens leaves: its sockets were closed when it ended.
    pub(crate) fn add(&mut self, session: SessionId, now: Timestamp) -> Added {
        if self.has(session) {
            return Added::Before;
        }
        self.0.retain(|one| one.until > now);
        let full = self.0.len() >= Self::MAX;
        let oldest = self.0.iter().enumerate().min_by_key(|(_, one)| one.until);
        let expired = oldest.filter(|(_, one)| one.until - ENDED_FOR + TOKENS_FOR <= now);
        let added = match expired.map(|(index, _)| index) {
            _ if !full => Added::Listed,
            Some(index) => {
                self.0.remove(index);
                Added::Listed
            }
            None => {
                self.0.clear();
                Added::Instead
            }
        };
        let until = now + ENDED_FOR;
        self.0.push(EndedSession { id: session, until });
        added
    }
}

impl Member {
    /// Whether they can attend to conversations: they are active, and do not only read.
    pub fn attends(&self) -> bool {
        self.status == MemberStatus::Active && self.role.may(Permission::ConversationsWrite)
    }

    /// A new, active member for this account.
    pub fn joining(account: &Account, role: Role, now: Timestamp) -> Self {
        Self {
            user: account.id,
            email: account.email.clone(),
            name: account.name.clone(),
            role,
            status: MemberStatus::Active,
            sessions_from: account.sessions_from,
            spared_session: account.spared_session,
            ended_sessions: account.ended_sessions.clone(),
            joined_at: now,
        }
    }

    /// Whether the member is active and has the permission.
    pub fn may(&self, permission: Permission) -> bool {
        self.status == MemberStatus::Active && self.role.may(permission)
    }

    /// Whether the change gives the member access: activation, or a higher role.
    pub fn may_more_than(&self, before: &Self) -> bool {
        let active = |member: &Self| member.status == MemberStatus::Active;
        (active(self) && !active(before)) || self.role > before.role
    }

    /// Deactivates the member. Tokens issued before stay invalid if the member is activated again.
    pub fn deactivate(&mut self, now: Timestamp) {
        self.status = MemberStatus::Deactivated;
        self.sessions_from = self.sessions_from.max(now);
        self.spared_session = None;
    }

    /// Ends a session by itself, or all of the person's if so many ended in a short time that they cannot be listed. Returns
    /// whether anything changed.
    pub fn end_session(&mut self, session: SessionId, now: Timestamp) -> bool {
        let added = self.ended_sessions.add(session, now);
        if added == Added::Instead {
            self.end_sessions(now + MEANWHILE, None);
        }
        added != Added::Before
    }

    /// Ends all sessions that began before this time, except `spared`. A later end stays. Returns whether anything changed.
    pub fn end_sessions(&mut self, from: Timestamp, spared: Option<SessionId>) -> bool {
        // Ending all sessions also ends one that was spared meanwhile.
        let all_ended = spared.is_some() || self.spared_session.is_none();
        if self.sessions_from >= from && all_ended {
            return false;
        }
        self.sessions_from = self.sessions_from.max(from);
        self.spared_session = spared;
        true
    }
}

/// Display name of a person.
pub type PersonName = OneLine<1, 100>;

/// State of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "UserStatus"))]
#[serde(rename_all = "snake_case")]
pub enum MemberStatus {
    /// The member may use the tenant.
    Active,
    /// The member has no access until somebody activates them again.
    Deactivated,
}

/// An invitation to a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    pub id: InvitationId,
    /// E-mail address. Accepting proves it, since the link is sent to it.
    pub email: Email,
    /// Name of the person as the inviter knows it. Whoever accepts gives their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<PersonName>,
    /// Language of the mail and of its page. `None`: the first one of the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Role that the person will have.
    pub role: Role,
    pub invited_by: Actor,
    pub created_at: Timestamp,
    /// Expiry of the link.
    pub expires_at: Timestamp,
    /// SHA-256 of the link's token, in hex.
    pub token_sha256: String,
}

/// A person's session on one device: the family of refresh tokens that began with one log-in. A refresh token is
/// `rbr_<user><session>_<family secret>_<own secret>`; only hashes are stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub id: SessionId,
    pub user: UserId,
    /// SHA-256 of the secret that all tokens of the session share, in hex.
    pub family_sha256: String,
    /// SHA-256 of the current token, in hex.
    pub current_sha256: String,
    /// SHA-256 of the previous token, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_sha256: Option<String>,
    /// Time of issue of the current token.
    pub rotated_at: Timestamp,
    /// Time of the log-in.
    pub created_at: Timestamp,
    /// Expiry of the session, unless it is refreshed before.
    pub expires_at: Timestamp,
    /// Whether it began with a second factor.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub second_factor: bool,
    /// The browser or app by its `User-Agent`, shortened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

/// The meaning of a presented refresh token for its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented {
    /// The current token: rotate it.
    Current,
    /// The previous token, within the grace period for races of the same device: refuse it, and keep the session.
    JustReplaced,
    /// An older token, so somebody copied it: end the session.
    Reused,
    /// None of this session's tokens, or the session is over.
    Unknown,
}

/// Two tabs of one browser may refresh at the same time: the later one is refused, but the session stays.
pub const REFRESH_GRACE: SignedDuration = SignedDuration::from_secs(10);

impl Session {
    /// Judges the hashes of a presented token. Every token of the session contains the family's secret, so that any old one
    /// is recognized and nobody can end a session by its id alone. Hashes need no comparison in constant time: their
    /// preimage is the secret.
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

/// A request to open a business: kept until the link in the mail is followed, for a day at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignUp {
    /// E-mail address, not verified yet.
    pub email: Email,
    /// Name of the person.
    pub name: String,
    /// BCP 47 language of their mail.
    pub language: String,
    pub password: PasswordHash,
    /// Name of the business.
    pub business: String,
    /// Its name in URLs, reserved until then.
    pub slug: Slug,
    /// Time zone of the business.
    pub time_zone: crate::terms::Zone,
    /// Time of the request.
    pub created_at: Timestamp,
}

/// The purpose of a one-time link. Of the link's token, only the SHA-256 is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Grant {
    SignUp(Box<SignUp>),
    /// Choose a new password.
    Reset {
        user: UserId,
        /// The account's own value when the link was issued: whatever ends all sessions, such as a new password, also ends
        /// the link. A row from before this field was added is expired.
        #[serde(default)]
        sessions_from: Timestamp,
    },
    Invitation {
        tenant: TenantId,
        invitation: InvitationId,
    },
}

impl Grant {
    /// A grant to choose a new password, valid as long as the account's sessions are.
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
    fn no_ended_session_is_forgotten_while_its_tokens_live() {
        let at = |minute: i64| Timestamp::from_second(1_795_000_000 + minute * 60).unwrap();
        let id = |number: i64| SessionId::new(ulid::Ulid::from_parts(1, number.unsigned_abs().into()));
        let full = i64::try_from(EndedSessions::MAX).unwrap();
        // The minutes between two ends, and what ended if one more does.
        for (every, all_ended) in [(0, true), (1, false), (10, false)] {
            let user = UserId::new(ulid::Ulid::from_parts(1, 1));
            let email = "maya@saffron.example".parse().unwrap();
            let password = PasswordHash(String::new());
            let mut account = Account::new(user, email, "Maya".to_owned(), "en".to_owned(), password, at(0));
            account.spared_session = Some(id(99));
            let mut member = Member::joining(&account, Role::Agent, at(0));
            for number in 0..=full {
                let now = at(number * every);
                assert!(account.end_session(id(number), now));
                assert!(member.end_session(id(number), now));
                assert!(!member.end_session(id(number), at(999)), "{number} again");
                assert!(member.ended_sessions.0.len() <= EndedSessions::MAX);
            }
            let (from, spared) = if all_ended {
                (at(full * every) + MEANWHILE, None)
            } else {
                (at(0), Some(id(99)))
            };
            assert_eq!(
                (member.sessions_from, member.spared_session),
                (from, spared),
                "every {every} minutes"
            );
            assert_eq!(account.ended_sessions, member.ended_sessions);
            assert_eq!(
                (account.sessions_from, account.spared_session),
                (member.sessions_from, member.spared_session)
            );
            // Whoever is not listed either ended with all, or has no token any more.
            for number in 0..=full {
                let lives = at(number * every) + ACCESS_LIFETIME > at(full * every);
                assert!(
                    member.ended_sessions.has(id(number)) || all_ended || !lives,
                    "{number} every {every}"
                );
            }
        }
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
