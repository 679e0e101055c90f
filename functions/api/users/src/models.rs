//! Models of requests and responses.

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

/// A user of the tenant.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MemberOut {
    /// Id of the user.
    #[schema(value_type = String, example = "usr_01hq5c1ynyc0000000000000ab")]
    id: UserId,
    /// E-mail address.
    #[schema(value_type = String, format = "email", example = "maya@saffron.example")]
    email: Email,
    /// Display name.
    #[schema(example = "Maya Haddad")]
    name: String,
    /// Role in this tenant.
    #[schema(value_type = RoleWord, example = "manager")]
    role: Role,
    /// State in this tenant.
    status: UserStatus,
    /// Time of joining the tenant.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T10:00:00Z")]
    joined_at: Timestamp,
}

/// State of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum UserStatus {
    /// The user can act in the tenant.
    Active,
    /// The user has no access until somebody activates them again.
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

/// Changes to a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct MemberChange {
    /// Role in this tenant.
    #[garde(skip)]
    #[schema(value_type = RoleWord, example = "manager")]
    pub(crate) role: Role,
    /// State in this tenant. A deactivated user loses access at once, in all sessions.
    #[garde(skip)]
    pub(crate) status: UserStatus,
}

/// A new invitation.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct InvitationIn {
    /// Address that gets the link. Opening the link proves the address.
    #[garde(skip)]
    #[schema(value_type = String, format = "email", max_length = 254, example = "sami@saffron.example")]
    pub(crate) email: Email,
    /// Role of the new user.
    #[garde(skip)]
    #[schema(value_type = RoleWord, example = "agent")]
    pub(crate) role: Role,
    /// Language of the mail (BCP 47). Default: the first language of the tenant.
    #[garde(inner(custom(api::language)))]
    #[serde(default)]
    #[schema(min_length = 2, max_length = 35, example = "en")]
    pub(crate) language: Option<String>,
}

/// An open invitation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InvitationOut {
    /// Id of the invitation.
    #[schema(value_type = String, example = "inv_01hq5c1ynyc0000000000000ab")]
    id: InvitationId,
    /// Invited address.
    #[schema(value_type = String, format = "email", example = "sami@saffron.example")]
    email: Email,
    /// Role of the new user.
    #[schema(value_type = RoleWord, example = "agent")]
    role: Role,
    /// Inviter: a user (`usr_…`), a key (`key_…`) or the platform.
    #[schema(value_type = String, example = "usr_01hq5c1ynyc0000000000000ab")]
    invited_by: Actor,
    /// Time of creation.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T10:00:00Z")]
    created_at: Timestamp,
    /// Time of the link's expiry.
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

/// Acceptance of an invitation.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcceptIn {
    /// Value of `token` in the link.
    #[garde(custom(at_most_200))]
    #[schema(value_type = String, max_length = 200, example = "qmqJ3cTz2m1XbM8V0i2dWJm3o0wP0c8y5k7u9n1r3t4")]
    pub(crate) token: SecretString,
    /// Display name. Required for a person without an account, ignored otherwise.
    #[garde(inner(length(chars, min = 1, max = 100), custom(api::one_line)))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100, example = "Sami Nasser")]
    pub(crate) name: Option<String>,
    /// Password of 10 to 128 characters that is hard to guess, such as a few unrelated words. Required for a person without an
    /// account, ignored otherwise.
    #[garde(skip)]
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "password", min_length = 10, max_length = 128, example = "seven quiet lanterns")]
    pub(crate) password: Option<SecretString>,
    /// Language of the person's mail (BCP 47). Only for a person without an account.
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

/// The membership. Log in to use it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AcceptedOut {
    /// Id of the tenant.
    #[schema(value_type = String, example = "tnt_01hq5c1ynyc0000000000000ab")]
    pub(crate) tenant: TenantId,
    /// Name of the business.
    #[schema(example = "Saffron Bakery")]
    pub(crate) business: String,
    /// Name of the tenant in URLs.
    #[schema(value_type = Option<String>, example = "saffron-bakery")]
    pub(crate) slug: Option<Slug>,
    /// Id of the user.
    #[schema(value_type = String, example = "usr_01hq5c1ynyc0000000000000ab")]
    pub(crate) user: UserId,
    /// E-mail address to log in with.
    #[schema(value_type = String, format = "email", example = "sami@saffron.example")]
    pub(crate) email: Email,
    /// Role in the tenant.
    #[schema(value_type = RoleWord, example = "agent")]
    pub(crate) role: Role,
    /// True if the account was created by this request.
    pub(crate) new_account: bool,
}
