//! Inviting people.

use std::sync::Arc;

use access::token::{link_token, sha256_hex};
use axum::{Extension, extract::State};
use domain::{
    account::{Email, Invitation},
    actor::Actor,
    ids::InvitationId,
};
use jiff::SignedDuration;
use jobs::{Mail, MailJob};
use kit::{
    Entry, Problem,
    api::{Allowed, Body, Created, Listed, NoContent, Paging, Path, Tagged, permits},
    http::Target,
};
use store::{
    Versioned,
    limited::{MOST_INVITATIONS, MOST_PEOPLE, People},
    rates::Limit,
};

use crate::{
    Context, MOST_RACES, email_sha256, lost_every_race,
    models::{InvitationIn, InvitationOut},
    refuse_beyond_own,
};

type Inviting = Allowed<permits::UsersWrite>;

/// A link works this long.
const LIFETIME: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A tenant sends so many mails of invitations an hour: others pay for them with their patience.
const MAILS: Limit = Limit::per_hour(200);

/// The page of the console that takes the link.
const PAGE: &str = "accept-invitation";

/// A link's token, and what is kept of it.
struct Link {
    token: String,
    sha256: String,
}

impl Context {
    fn new_link(&self) -> Result<Link, Problem> {
        let secret = self.api.env().ids().secret().map_err(|error| {
            tracing::error!(error = kit::chain(&error), "no secret can be made");
            Problem::unavailable()
        })?;
        let token = link_token(secret);
        let sha256 = sha256_hex(&token);
        Ok(Link { token, sha256 })
    }

    /// Counts a mail before it is promised.
    async fn limit_mails(&self, who: &Inviting) -> Result<(), Problem> {
        let allowance = self
            .api
            .store()
            .take(who.scope(), "INVITATIONS", MAILS, who.now())
            .await?;
        if allowance.is_within() {
            Ok(())
        } else {
            Err(Problem::too_many(allowance))
        }
    }

    /// Sends the link. It is nowhere else: if it cannot be sent, the invitation waits for another.
    async fn mail(
        &self,
        who: &Inviting,
        target: &Target,
        invitation: &Invitation,
        language: Option<&str>,
        link: &Link,
    ) -> Result<(), Problem> {
        let store = self.api.store();
        let tenant = store.tenant(who.scope()).await?.ok_or_else(Problem::not_found)?;
        let inviter = match who.actor() {
            Actor::User(user) => store.member(who.scope(), user).await?.map(|member| member.value.name),
            Actor::ApiKey(_) | Actor::Platform(_) | Actor::Operator => None,
        };
        let language = language
            .or(tenant.languages.first().map(String::as_str))
            .unwrap_or("en");
        let job = MailJob {
            tenant: Some(tenant.id),
            correlation_id: who.correlation_id().to_owned(),
            id: who.ulid().to_string().to_ascii_lowercase(),
            to: invitation.email.as_str().to_owned(),
            language: language.to_owned(),
            mail: Mail::Invitation {
                link: self.links.with_token(PAGE, &link.token, target),
                inviter: inviter.unwrap_or_else(|| tenant.name.clone()),
                business: tenant.name,
            },
        };
        let sent = match Entry::new(&job) {
            Ok(entry) => self.mails.send_all(vec![entry]).await,
            Err(error) => Err(error),
        };
        sent.map_err(|error| {
            tracing::error!(error = kit::chain(&error), "an invitation's mail is nowhere safe");
            Problem::unavailable()
        })
    }

    /// Gives an open invitation a new link.
    async fn renew(
        &self,
        who: &Inviting,
        before: &Versioned<Invitation>,
        link: &Link,
    ) -> Result<Option<Versioned<Invitation>>, Problem> {
        let mut after = before.value.clone();
        after.token_sha256.clone_from(&link.sha256);
        after.expires_at = who.now() + LIFETIME;
        let stamp = who.stamp();
        let renewed = self.api.store().renew_invitation(who.scope(), before, &after, &stamp);
        match renewed.await {
            Ok(()) => Ok(Some(Versioned {
                value: after,
                version: before.version + 1,
            })),
            Err(error) if error.is_conflict() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Why nobody of this address can be invited.
    async fn refuse(&self, who: &Inviting, people: &People, email: &Email) -> Result<(), Problem> {
        if people.invitations.iter().any(|open| open.value.email == *email) {
            let detail = "This address is invited already. Send the invitation again, or withdraw it first.";
            return Err(Problem::conflict("already_invited", detail));
        }
        let store = self.api.store();
        if let Some(user) = store.user_of_email(&email_sha256(email)).await?
            && store.member(who.scope(), user).await?.is_some()
        {
            let detail = "Who has this address belongs to the tenant already. If they are deactivated, activate them.";
            return Err(Problem::conflict("already_member", detail));
        }
        if people.invitations.len() >= MOST_INVITATIONS {
            let detail = format!("At most {MOST_INVITATIONS} invitations can be open. Withdraw some, or wait.");
            return Err(Problem::conflict("too_many_invitations", detail));
        }
        if people.members + people.invitations.len() >= MOST_PEOPLE {
            let detail = format!("A tenant has at most {MOST_PEOPLE} people, those who are invited among them.");
            return Err(Problem::conflict("too_many_users", detail));
        }
        Ok(())
    }
}

fn created(invitation: Versioned<Invitation>) -> Created<InvitationOut> {
    Created {
        location: format!("/api/v1/users/invitations/{}", invitation.value.id),
        version: invitation.version,
        body: invitation.value.into(),
    }
}

/// Invites somebody.
///
/// The link in the mail works for a week and once. Nobody can invite to a role that may do more than they.
#[utoipa::path(post, path = "/api/v1/users/invitations", tag = "users",
    responses((status = 201, description = "The invitation; its mail is on its way", body = InvitationOut)))]
pub(crate) async fn create_invitation(
    who: Inviting,
    State(context): State<Arc<Context>>,
    Extension(target): Extension<Target>,
    Body(input): Body<InvitationIn>,
) -> Result<Created<InvitationOut>, Problem> {
    refuse_beyond_own(&who, input.role)?;
    context.limit_mails(&who).await?;
    let store = context.api.store();
    let link = context.new_link()?;
    let language = input.language.as_deref();
    let invitation = Invitation {
        id: InvitationId::new(who.ulid()),
        email: input.email,
        role: input.role,
        invited_by: who.actor(),
        created_at: who.now(),
        expires_at: who.now() + LIFETIME,
        token_sha256: link.sha256.clone(),
    };
    for _race in 0..MOST_RACES {
        let people = store.people(who.scope(), who.now()).await?;
        let made = people
            .found
            .invitations
            .iter()
            .find(|open| open.value.id == invitation.id);
        let invited = if let Some(before) = made {
            // This very request came before and was interrupted: its link is lost.
            context.renew(&who, before, &link).await?
        } else {
            context.refuse(&who, &people.found, &invitation.email).await?;
            match store
                .invite_one_more(who.scope(), &people, &invitation, &who.stamp())
                .await
            {
                Ok(()) => Some(Versioned {
                    value: invitation.clone(),
                    version: 1,
                }),
                Err(error) if error.is_conflict() => None,
                Err(error) => return Err(error.into()),
            }
        };
        if let Some(invited) = invited {
            context.mail(&who, &target, &invited.value, language, &link).await?;
            return Ok(created(invited));
        }
    }
    Err(lost_every_race())
}

/// Lists the open invitations.
#[utoipa::path(get, path = "/api/v1/users/invitations", tag = "users",
    responses((status = 200, description = "One page of invitations", body = Listed<InvitationOut>)))]
pub(crate) async fn list_invitations(
    who: Allowed<permits::UsersRead>,
    State(context): State<Arc<Context>>,
    paging: Paging,
) -> Result<Listed<InvitationOut>, Problem> {
    let store = context.api.store();
    let mut page = store.invitations(who.scope(), paging.after(), paging.limit()).await?;
    // Those past their time are deleted late.
    page.items.retain(|invitation| invitation.value.expires_at > who.now());
    Ok(Listed::of(page, |invitation| invitation.value.into()))
}

/// Withdraws an invitation.
///
/// Its link no longer works.
#[utoipa::path(delete, path = "/api/v1/users/invitations/{invitation}", tag = "users",
    params(("invitation" = String, Path, description = "The invitation's id", example = "inv_01hq5c1ynyc0000000000000ab")),
    responses((status = 204, description = "It is withdrawn")))]
pub(crate) async fn delete_invitation(
    who: Inviting,
    State(context): State<Arc<Context>>,
    Path(id): Path<InvitationId>,
) -> Result<NoContent, Problem> {
    let store = context.api.store();
    for _race in 0..MOST_RACES {
        let found = store.invitation(who.scope(), id, who.now()).await?;
        let before = found.ok_or_else(Problem::not_found)?;
        match store.withdraw_invitation(who.scope(), &before, &who.stamp()).await {
            Ok(()) => return Ok(NoContent),
            Err(error) if error.is_conflict() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(lost_every_race())
}

/// Sends an invitation again.
///
/// With a new link, which works for a week; the one before no longer works.
#[utoipa::path(post, path = "/api/v1/users/invitations/{invitation}/resend", tag = "users",
    params(("invitation" = String, Path, description = "The invitation's id", example = "inv_01hq5c1ynyc0000000000000ab")),
    responses((status = 200, description = "The invitation; its mail is on its way", body = InvitationOut)))]
pub(crate) async fn resend_invitation(
    who: Inviting,
    State(context): State<Arc<Context>>,
    Extension(target): Extension<Target>,
    Path(id): Path<InvitationId>,
) -> Result<Tagged<InvitationOut>, Problem> {
    let store = context.api.store();
    let link = context.new_link()?;
    let found = store.invitation(who.scope(), id, who.now()).await?;
    let mut before = found.ok_or_else(Problem::not_found)?;
    // A new link proves as much as the old one: who cannot give the role cannot send it.
    refuse_beyond_own(&who, before.value.role)?;
    context.limit_mails(&who).await?;
    for _race in 0..MOST_RACES {
        if let Some(renewed) = context.renew(&who, &before, &link).await? {
            context.mail(&who, &target, &renewed.value, None, &link).await?;
            return Ok(Tagged {
                version: renewed.version,
                body: renewed.value.into(),
            });
        }
        let found = store.invitation(who.scope(), id, who.now()).await?;
        before = found.ok_or_else(Problem::not_found)?;
    }
    Err(lost_every_race())
}
