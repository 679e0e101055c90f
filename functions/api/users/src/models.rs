//! What the API takes and gives.

use api::RoleWord;
use domain::{
    account::{Email, Invitation, Member, MemberStatus, Slug},
    actor::Actor,
    ids::{InvitationId, TenantId, UserId},
    permission::Role,
};
use garde::Validate;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A person of the tenant.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MemberOut {
    /// The person.
    #[schema(value_type = String, example = "usr_01hq5c1ynyc0000000000000ab")]
    id: UserId,
    /// Their address.
    #[schema(value_type = String, format = "email", example = "maya@saffron.example")]
    email: Email,
    /// Their name, as colleagues call them.
    #[schema(example = "Maya Haddad")]
    name: String,
    /// What they may do here.
    #[schema(value_type = RoleWord, example = "manager")]
    role: Role,
    /// Whether they may do it now.
    status: UserStatus,
    /// Since when they belong to the tenant.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T10:00:00Z")]
    joined_at: Timestamp,
}

/// Whether a person may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum UserStatus {
    /// They may.
    Active,
    /// They may not, until somebody activates them again.
    Deactivated,
}

impl From<MemberStatus> for UserStatus {
    fn from(status: MemberStatus) -> Self {
        match status {
            MemberStatus::Active => Self::Active,
            MemberStatus::Deactivated => Self::Deactivated,
        }
    }
}

impl From<UserStatus> for MemberStatus {
    fn from(status: UserStatus) -> Self {
        match status {
            UserStatus::Active => Self::Active,
            UserStatus::Deactivated => Self::Deactivated,
        }
    }
}

impl From<Member> for MemberOut {
    fn from(member: Member) -> Self {
        Self {
            id: member.user,
            email: member.email,
            name: member.name,
            role: member.role,
            status: member.status.into(),
            joined_at: member.joined_at,
        }
    }
}

/// What can be changed of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct MemberChange {
    /// What they may do here.
    #[garde(skip)]
    #[schema(value_type = RoleWord, example = "manager")]
    pub(crate) role: Role,
    /// Whether they may do it now. Who is deactivated is out at once, wherever they are logged in.
    #[garde(skip)]
    pub(crate) status: UserStatus,
}

/// Somebody to be invited.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct InvitationIn {
    /// Where the link goes. Who follows it proves the address.
    #[garde(skip)]
    #[schema(value_type = String, format = "email", max_length = 254, example = "sami@saffron.example")]
    pub(crate) email: Email,
    /// What they will be.
    #[garde(skip)]
    #[schema(value_type = RoleWord, example = "agent")]
    pub(crate) role: Role,
    /// BCP 47 language of the mail; left out: the first of the tenant's own.
    #[garde(inner(custom(api::language)))]
    #[serde(default)]
    #[schema(min_length = 2, max_length = 35, example = "en")]
    pub(crate) language: Option<String>,
}

/// An invitation that is open.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InvitationOut {
    /// The invitation.
    #[schema(value_type = String, example = "inv_01hq5c1ynyc0000000000000ab")]
    id: InvitationId,
    /// Whom.
    #[schema(value_type = String, format = "email", example = "sami@saffron.example")]
    email: Email,
    /// What they will be.
    #[schema(value_type = RoleWord, example = "agent")]
    role: Role,
    /// Who invites: a person (`usr_…`), a key (`key_…`), or the platform.
    #[schema(value_type = String, example = "usr_01hq5c1ynyc0000000000000ab")]
    invited_by: Actor,
    /// When.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T10:00:00Z")]
    created_at: Timestamp,
    /// Until when its link works.
    #[schema(value_type = String, format = DateTime, example = "2026-11-27T10:00:00Z")]
    expires_at: Timestamp,
}

impl From<Invitation> for InvitationOut {
    fn from(invitation: Invitation) -> Self {
        Self {
            id: invitation.id,
            email: invitation.email,
            role: invitation.role,
            invited_by: invitation.invited_by,
            created_at: invitation.created_at,
            expires_at: invitation.expires_at,
        }
    }
}

/// Who accepts an invitation.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcceptIn {
    /// The link's `token`.
    #[garde(custom(at_most_200))]
    #[schema(value_type = String, max_length = 200, example = "qmqJ3cTz2m1XbM8V0i2dWJm3o0wP0c8y5k7u9n1r3t4")]
    pub(crate) token: SecretString,
    /// The person's name, as colleagues call them. Only of who has no account yet, and then needed.
    #[garde(inner(length(chars, min = 1, max = 100), custom(api::one_line)))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100, example = "Sami Nasser")]
    pub(crate) name: Option<String>,
    /// 10 to 128 characters, none that is guessed soon; a few unrelated words are good. Only of who has no account yet, and then
    /// needed; an account keeps its password.
    #[garde(skip)]
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "password", min_length = 10, max_length = 128, example = "seven quiet lanterns")]
    pub(crate) password: Option<SecretString>,
    /// BCP 47 language of the person's mail. Only of who has no account yet.
    #[garde(inner(custom(api::language)))]
    #[serde(default)]
    #[schema(min_length = 2, max_length = 35, example = "en")]
    pub(crate) language: Option<String>,
}

fn at_most_200(secret: &SecretString, _: &()) -> garde::Result {
    if secret.expose_secret().len() <= 200 {
        Ok(())
    } else {
        Err(garde::Error::new("must have at most 200 characters"))
    }
}

/// The place that was taken. Log in to use it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AcceptedOut {
    /// The tenant.
    #[schema(value_type = String, example = "tnt_01hq5c1ynyc0000000000000ab")]
    pub(crate) tenant: TenantId,
    /// Its name.
    #[schema(example = "Saffron Bakery")]
    pub(crate) business: String,
    /// Its name in URLs.
    #[schema(value_type = Option<String>, example = "saffron-bakery")]
    pub(crate) slug: Option<Slug>,
    /// The person.
    #[schema(value_type = String, example = "usr_01hq5c1ynyc0000000000000ab")]
    pub(crate) user: UserId,
    /// Their address, with which they log in.
    #[schema(value_type = String, format = "email", example = "sami@saffron.example")]
    pub(crate) email: Email,
    /// What they are there.
    #[schema(value_type = RoleWord, example = "agent")]
    pub(crate) role: Role,
    /// Whether their account was made now.
    pub(crate) new_account: bool,
}
