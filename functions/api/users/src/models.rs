//! Models of requests and responses.

use api::{NewPassword, Patchable, SecretText};
use domain::accounts::{Invitation, Member, MemberStatus, PersonName, Role};
use domain::live::{Presence, Socket};
use domain::tenants::Desk;
use domain::terms::{Actor, Email, InvitationId, Language, Slug, TenantId, UserId};
use jiff::Timestamp;
use kit::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Versioned;

/// A user of the tenant.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MemberOut {
    /// Id of the user.
    id: UserId,
    /// E-mail address.
    email: Email,
    /// Display name.
    #[schemars(example = "Maya Haddad")]
    name: String,
    /// Role in this tenant.
    role: Role,
    /// State in this tenant.
    status: MemberStatus,
    /// Time of joining the tenant.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    joined_at: Timestamp,
}

impl From<Member> for MemberOut {
    fn from(member: Member) -> Self {
        Self {
            id: member.user,
            email: member.email,
            name: member.name,
            role: member.role,
            status: member.status,
            joined_at: member.joined_at,
        }
    }
}

/// The name of a user.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct UserName {
    /// Id of the user.
    id: UserId,
    /// Display name.
    #[schemars(example = "Maya Haddad")]
    name: String,
}

impl From<Member> for UserName {
    fn from(member: Member) -> Self {
        Self {
            id: member.user,
            name: member.name,
        }
    }
}

/// Whether a user is available.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AvailabilityIn {
    /// Whether conversations are assigned to the user by the mode of a team.
    pub(crate) available: bool,
    /// Whether conversations of the user with waiting customers go to others of their teams, or to nobody. Only for a user who is not
    /// available. Default: false; they do so after the time in the tenant's `inbox`, if it has one.
    #[serde(default)]
    pub(crate) hand_over: bool,
}

/// Whether a user is available, and since when.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "UserAvailability")]
pub(crate) struct Availability {
    /// Id of the user.
    user_id: UserId,
    /// Display name.
    #[schemars(example = "Maya Haddad")]
    name: String,
    /// Whether the user can attend to conversations and be mentioned in notes: an active user who does not only read.
    attends: bool,
    /// Whether conversations are assigned to the user by the mode of a team.
    available: bool,
    /// Time since which the user says so, or belongs to the tenant.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    since: Timestamp,
    /// Whether the user is there: `online` if they see a page that follows the tenant by a socket, `away` if such a page is open, otherwise
    /// `offline`. A page that vanished counts as seen for two and a half minutes after its last word, and as open for eleven.
    #[schemars(example = &"online")]
    presence: Presence,
}

impl Availability {
    /// Availability of a member, from their place in the inbox if they have one, and the sockets of the tenant.
    pub(crate) fn of(member: &Member, desk: Option<&Desk>, sockets: &[Versioned<Socket>], now: Timestamp) -> Self {
        Self {
            presence: Presence::of(member.user, sockets.iter().map(|socket| &socket.value), now),
            user_id: member.user,
            name: member.name.clone(),
            attends: member.attends(),
            available: member.attends() && desk.is_none_or(Desk::takes),
            since: desk.map_or(member.joined_at, |desk| desk.since),
        }
    }
}

/// Changes to a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MemberChange {
    /// Role in this tenant.
    pub(crate) role: Role,
    /// State in this tenant. A deactivated user loses access at once, in all sessions.
    pub(crate) status: MemberStatus,
}

impl Patchable for MemberChange {
    type Of = Member;

    fn of(member: &Member) -> Self {
        Self {
            role: member.role,
            status: member.status,
        }
    }

    fn onto(self, before: &Member) -> Result<Member, Problem> {
        Ok(Member {
            role: self.role,
            status: self.status,
            ..before.clone()
        })
    }
}

/// A new invitation.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InvitationIn {
    /// Address that gets the link. Opening the link proves the address.
    #[schemars(example = "sami@saffron.example")]
    pub(crate) email: Email,
    /// Name of the person in the mail. Accepting people give their own.
    #[schemars(example = "Sami Nasser")]
    pub(crate) name: Option<PersonName>,
    /// Role of the new user.
    pub(crate) role: Role,
    /// Language of the mail and of the page that its link opens (BCP 47). Default: the first language of the tenant.
    pub(crate) language: Option<Language>,
}

/// An open invitation.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct InvitationOut {
    /// Id of the invitation.
    id: InvitationId,
    /// Invited address.
    #[schemars(example = "sami@saffron.example")]
    email: Email,
    /// Name of the person, as the inviter gave it.
    #[schemars(example = "Sami Nasser")]
    name: Option<PersonName>,
    /// Language of the mail. `null`: the first one of the tenant.
    language: Option<Language>,
    /// Role of the new user.
    role: Role,
    /// Inviter: a user (`usr_…`), a key (`key_…`) or the platform.
    invited_by: Actor,
    /// Time of creation.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    created_at: Timestamp,
    /// Time of the link's expiry.
    #[schemars(example = "2026-11-27T10:00:00Z")]
    expires_at: Timestamp,
}

impl From<Invitation> for InvitationOut {
    fn from(invitation: Invitation) -> Self {
        Self {
            id: invitation.id,
            email: invitation.email,
            name: invitation.name,
            language: invitation.language,
            role: invitation.role,
            invited_by: invitation.invited_by,
            created_at: invitation.created_at,
            expires_at: invitation.expires_at,
        }
    }
}

/// The link of an invitation.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InvitationLink {
    /// Value of `token` in the link.
    #[schemars(example = &"qmqJ3cTz2m1XbM8V0i2dWJm3o0wP0c8y5k7u9n1r3t4")]
    pub(crate) token: SecretText<200>,
}

/// An invitation as the holder of its link sees it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct InvitationShown {
    /// Name of the business.
    #[schemars(example = "Saffron Bakery")]
    pub(crate) business: String,
    /// Name of the inviter. `null` if no user of the business invited.
    #[schemars(example = "Maya Haddad")]
    pub(crate) inviter: Option<String>,
    /// Invited address.
    #[schemars(example = "sami@saffron.example")]
    pub(crate) email: Email,
    /// Name of the person, as the inviter gave it.
    #[schemars(example = "Sami Nasser")]
    pub(crate) name: Option<PersonName>,
    /// Role in the tenant.
    pub(crate) role: Role,
    /// Language of the mail (BCP 47).
    #[schemars(example = &"ar")]
    pub(crate) language: String,
    /// Whether the address has an account. Without one, a name and a password are needed to accept.
    pub(crate) has_account: bool,
}

/// Acceptance of an invitation.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcceptIn {
    /// Value of `token` in the link.
    #[schemars(example = &"qmqJ3cTz2m1XbM8V0i2dWJm3o0wP0c8y5k7u9n1r3t4")]
    pub(crate) token: SecretText<200>,
    /// Display name. Required for a person without an account, ignored otherwise.
    #[schemars(example = "Sami Nasser")]
    pub(crate) name: Option<PersonName>,
    /// Password of 10 to 128 characters that is hard to guess, such as a few unrelated words. Required for a person without an
    /// account, ignored otherwise.
    pub(crate) password: Option<NewPassword>,
    /// Language of the person's mail (BCP 47). Only for a person without an account. Default: the invitation's.
    pub(crate) language: Option<Language>,
}

/// The membership. Log in to use it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AcceptedOut {
    /// Id of the tenant.
    pub(crate) tenant: TenantId,
    /// Name of the business.
    #[schemars(example = "Saffron Bakery")]
    pub(crate) business: String,
    /// Name of the tenant in URLs.
    pub(crate) slug: Option<Slug>,
    /// Id of the user.
    pub(crate) user: UserId,
    /// E-mail address to log in with.
    #[schemars(example = "sami@saffron.example")]
    pub(crate) email: Email,
    /// Role in the tenant.
    pub(crate) role: Role,
    /// True if the account was created by this request.
    pub(crate) new_account: bool,
}
