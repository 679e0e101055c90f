use std::sync::OnceLock;

use api::{
    Allowed, Api, Body, Created, LinkToken, Listed, NoContent, Paging, Path, Setback, Tagged, permits, require_found,
};
use axum::Extension;
use axum::extract::State;
use domain::accounts::{Invitation, Member};
use domain::tenants::Tenant;
use domain::terms::{Actor, Email, InvitationId, Language};
use jiff::SignedDuration;
use jobs::{Mail, MailJob};
use kit::Problem;
use kit::http::Target;
use store::accounts::{MAX_INVITATIONS, MAX_PEOPLE, People};
use store::table::rates::Limit;
use store::{TenantScope, Versioned};

use crate::models::{InvitationIn, InvitationOut};
use crate::{RACES, email_sha256, refuse_beyond_own, refuse_outliving};

type Inviting = Allowed<permits::UsersWrite>;

/// Validity of a link.
const LIFETIME: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Maximum invitation mails per tenant and hour, to protect recipients.
const MAILS: Limit = Limit::per_hour(200);

/// Console page that the link opens.
const PAGE: &str = "accept-invitation";

async fn open(api: &Api, who: &Inviting, id: InvitationId) -> Result<Versioned<Invitation>, Problem> {
    require_found(api.store().invitation(who.scope(), id, who.now())).await
}

/// Counts an invitation mail against the limit of the tenant.
async fn limit_mails(api: &Api, who: &Inviting) -> Result<(), Problem> {
    api.limit(who, "INVITATIONS", MAILS).await
}

/// Name of the user who invites.
pub(crate) async fn inviter_name(api: &Api, scope: &TenantScope, actor: Actor) -> Result<Option<String>, Problem> {
    match actor {
        Actor::User(user) => {
            let member = api.store().get::<Member>(scope, &user).await?;
            Ok(member.map(|member| member.value.name))
        }
        Actor::ApiKey(_) | Actor::Platform(_) | Actor::Operator => Ok(None),
    }
}

/// Language of the mail and of its page.
pub(crate) fn language_of(invitation: &Invitation, tenant: &Tenant) -> String {
    let own = invitation.language.as_ref().map(Language::as_str);
    own.or(tenant.languages.first().map(String::as_str))
        .unwrap_or("en")
        .to_owned()
}

/// Sends the link, which is stored nowhere else. If the mail cannot be sent, the invitation needs another one.
async fn mail(
    api: &Api,
    who: &Inviting,
    target: &Target,
    invitation: &Invitation,
    link: &LinkToken,
) -> Result<(), Problem> {
    let tenant = require_found(api.store().tenant(who.scope())).await?;
    let inviter = inviter_name(api, who.scope(), invitation.invited_by).await?;
    let job = MailJob {
        tenant: Some(tenant.id),
        correlation_id: who.correlation_id().to_owned(),
        id: who.ulid().to_string().to_ascii_lowercase(),
        to: invitation.email.as_str().to_owned(),
        language: language_of(invitation, &tenant),
        mail: Mail::Invitation {
            link: api.links().with_token(PAGE, &link.token, target).into(),
            inviter: inviter.unwrap_or_else(|| tenant.name.clone()),
            business: tenant.name,
            name: invitation.name.clone().map(String::from),
            role: Some(invitation.role),
        },
    };
    api.send_mails(vec![job]).await
}

/// Renews an open invitation with a new link, or extends its current link if none is given.
async fn renew(
    api: &Api,
    who: &Inviting,
    before: &Versioned<Invitation>,
    link: Option<&LinkToken>,
) -> Result<Versioned<Invitation>, Setback> {
    let mut after = before.value.clone();
    if let Some(link) = link {
        after.token_sha256.clone_from(&link.sha256);
    }
    after.expires_at = who.now() + LIFETIME;
    let stamp = who.stamp();
    let store = api.store();
    store.change(who.scope(), before, &after, &stamp).await?;
    Ok(Versioned {
        value: after,
        version: before.version + 1,
    })
}

/// The reason why this address cannot be invited.
async fn refuse(api: &Api, who: &Inviting, people: &People, email: &Email) -> Result<(), Problem> {
    if people.invitations.iter().any(|open| open.value.email == *email) {
        let detail = "This address already has an invitation. Resend or withdraw it first.";
        return Err(Problem::conflict("already_invited", detail));
    }
    let store = api.store();
    if let Some(user) = store.user_of_email(&email_sha256(email)).await?
        && store.get::<Member>(who.scope(), &user).await?.is_some()
    {
        let detail = "This person already belongs to the tenant. If they are deactivated, activate them.";
        return Err(Problem::conflict("already_member", detail));
    }
    if people.invitations.len() >= MAX_INVITATIONS {
        return Err(Problem::at_most(
            "too_many_invitations",
            MAX_INVITATIONS,
            "open invitations",
            "Withdraw one, or wait until one expires.",
        ));
    }
    if people.members + people.invitations.len() >= MAX_PEOPLE {
        return Err(Problem::at_most(
            "too_many_users",
            MAX_PEOPLE,
            "users, including invited ones",
            "Deactivate a user or withdraw an invitation first.",
        ));
    }
    Ok(())
}

pub(crate) async fn create_invitation(
    who: Inviting,
    State(api): State<Api>,
    Extension(target): Extension<Target>,
    Body(input): Body<InvitationIn>,
) -> Result<Created<InvitationOut>, Problem> {
    refuse_beyond_own(&who, input.role)?;
    refuse_outliving(&who)?;
    limit_mails(&api, &who).await?;
    let store = api.store();
    let link = api.link_token()?;
    let invitation = Invitation {
        id: InvitationId::new(who.ulid()),
        email: input.email,
        name: input.name,
        language: input.language,
        role: input.role,
        invited_by: who.actor(),
        created_at: who.now(),
        expires_at: who.now() + LIFETIME,
        token_sha256: link.sha256.clone(),
    };
    // Counted once nothing refuses it, and once however often others are faster.
    let counted = OnceLock::new();
    let may_mail = async || match counted.get() {
        Some(may) => Ok(*may),
        None => {
            let may = api.may_mail(&invitation.email).await?;
            Ok::<_, Problem>(*counted.get_or_init(|| may))
        }
    };
    let invited = RACES.until_won(async || {
        let people = store.people(who.scope(), who.now()).await?;
        let made = people
            .found
            .invitations
            .iter()
            .find(|open| open.value.id == invitation.id);
        if let Some(before) = made {
            // This very request came before and was interrupted: its link is lost.
            let mailed = may_mail().await?;
            return renew(&api, &who, before, mailed.then_some(&link)).await;
        }
        refuse(&api, &who, &people.found, &invitation.email).await?;
        may_mail().await?;
        store
            .invite_one_more(who.scope(), &people, &invitation, &who.stamp())
            .await?;
        Ok(Versioned {
            value: invitation.clone(),
            version: 1,
        })
    });
    let invited = invited.await?;
    if counted.get() == Some(&true) {
        mail(&api, &who, &target, &invited.value, &link).await?;
    }
    Ok(Created {
        location: format!("/api/v1/users/invitations/{}", invited.value.id),
        version: invited.version,
        body: invited.value.into(),
    })
}

pub(crate) async fn list_invitations(
    who: Allowed<permits::UsersRead>,
    State(api): State<Api>,
    paging: Paging,
) -> Result<Listed<InvitationOut>, Problem> {
    let store = api.store();
    let mut page = store
        .page::<Invitation>(who.scope(), paging.after(), paging.limit())
        .await?;
    // Those past their time are deleted late.
    page.items.retain(|invitation| invitation.value.expires_at > who.now());
    Ok(Listed::of(page, |invitation| invitation.value.into()))
}

pub(crate) async fn delete_invitation(
    who: Inviting,
    State(api): State<Api>,
    Path(id): Path<InvitationId>,
) -> Result<NoContent, Problem> {
    let store = api.store();
    let withdrawn = RACES.until_won(async || {
        let before = open(&api, &who, id).await?;
        store.remove(who.scope(), &before, &who.stamp()).await?;
        Ok(NoContent)
    });
    withdrawn.await
}

pub(crate) async fn resend_invitation(
    who: Inviting,
    State(api): State<Api>,
    Extension(target): Extension<Target>,
    Path(id): Path<InvitationId>,
) -> Result<Tagged<InvitationOut>, Problem> {
    let link = api.link_token()?;
    let before = open(&api, &who, id).await?;
    // A new link proves as much as the old one: who cannot give the role cannot send it.
    refuse_beyond_own(&who, before.value.role)?;
    refuse_outliving(&who)?;
    limit_mails(&api, &who).await?;
    let link = api.may_mail(&before.value.email).await?.then_some(link);
    let renewed = RACES.until_won_from(
        before,
        async || open(&api, &who, id).await,
        async |before| renew(&api, &who, &before, link.as_ref()).await,
    );
    let renewed = renewed.await?;
    if let Some(link) = &link {
        mail(&api, &who, &target, &renewed.value, link).await?;
    }
    Ok(Tagged::of(renewed))
}
