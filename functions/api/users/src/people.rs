//! The users of a tenant.

use api::{Allowed, Api, Body, IfMatch, Listed, Paging, Patch, Path, RACES, Setback, Tagged, permits, require_found};
use axum::Json;
use axum::extract::State;
use domain::accounts::{Member, MemberStatus, Permission};
use domain::terms::{Actor, Fault, UserId};
use kit::Problem;
use store::Versioned;
use store::accounts::MemberError;

use crate::models::{Availability, AvailabilityIn, MemberChange, MemberOut, UserName};
use crate::{may_all_of, refuse_beyond_own, refuse_outliving};

/// The reason why a user was not changed.
fn setback(error: MemberError) -> Setback {
    match error {
        MemberError::LastAdmin => {
            let detail = "The tenant needs an active administrator. Make another user administrator first.";
            Problem::conflict("last_admin", detail).into()
        }
        MemberError::Store(error) => error.into(),
    }
}

pub(crate) async fn list_users(
    who: Allowed<permits::UsersRead>,
    State(api): State<Api>,
    paging: Paging,
) -> Result<Listed<MemberOut>, Problem> {
    let store = api.store();
    let page = store
        .page::<Member>(who.scope(), paging.after(), paging.limit())
        .await?;
    Ok(Listed::of(page, |member| member.value.into()))
}

pub(crate) async fn list_user_names(
    who: Allowed<permits::TenantRead>,
    State(api): State<Api>,
    paging: Paging,
) -> Result<Listed<UserName>, Problem> {
    let store = api.store();
    let page = store
        .page::<Member>(who.scope(), paging.after(), paging.limit())
        .await?;
    Ok(Listed::of(page, |member| member.value.into()))
}

pub(crate) async fn list_user_availability(
    who: Allowed<permits::ConversationsRead>,
    State(api): State<Api>,
    paging: Paging,
) -> Result<Listed<Availability>, Problem> {
    let (store, scope) = (api.store(), who.scope());
    let (page, desks, sockets) = tokio::try_join!(
        store.page::<Member>(scope, paging.after(), paging.limit()),
        store.desks(scope),
        store.sockets(scope, who.now())
    )?;
    Ok(Listed::of(page, |member| {
        let desk = desks.get(&member.value.user).map(|desk| &desk.value);
        Availability::of(&member.value, desk, &sockets, who.now())
    }))
}

/// Everybody says whether they are available, and managers say it of others.
pub(crate) async fn set_user_availability(
    who: Allowed<permits::ConversationsWrite>,
    State(api): State<Api>,
    Path(user): Path<UserId>,
    Body(body): Body<AvailabilityIn>,
) -> Result<Json<Availability>, Problem> {
    // First, so that a user who does not exist is the same to all callers.
    let member = require_found(api.store().get::<Member>(who.scope(), &user))
        .await?
        .value;
    if who.actor() != Actor::User(user) && !who.principal().may(Permission::TeamsWrite) {
        let detail =
            "You can say of yourself whether you are available. Of others, it needs the permission teams:write.";
        return Err(Problem::forbidden(detail));
    }
    if body.available && body.hand_over {
        let detail =
            "Whoever is available keeps their conversations. Leave out `hand_over`, or send `available: false`.";
        return Err(Problem::field("hand_over", Fault::excludes(&["available"], detail)));
    }
    let (api, who, stamp) = (&api, &who, &who.stamp());
    let hand_over_at = if body.available {
        None
    } else if body.hand_over {
        Some(who.now())
    } else {
        let tenant = require_found(api.store().tenant(who.scope())).await?;
        let after = tenant.inbox.unwrap_or_default().hand_over_after();
        after.map(|after| who.now() + after)
    };
    let set = RACES.until_won(|| async move {
        let (store, scope, now) = (api.store(), who.scope(), who.now());
        let mut desk = store.desk(scope, user, now).await?;
        desk.value.set_available(body.available, hand_over_at, now);
        store.write_desk(scope, &desk, Some(stamp)).await?;
        Ok(desk.value)
    });
    // Read before: a failure after the change would tell that nothing was changed.
    let sockets = api.store().sockets(who.scope(), who.now()).await?;
    let desk = set.await?;
    Ok(Json(Availability::of(&member, Some(&desk), &sockets, who.now())))
}

pub(crate) async fn get_user(
    who: Allowed<permits::UsersRead>,
    State(api): State<Api>,
    Path(user): Path<UserId>,
) -> Result<Tagged<MemberOut>, Problem> {
    let member = require_found(api.store().get::<Member>(who.scope(), &user)).await?;
    Ok(Tagged::of(member))
}

pub(crate) async fn update_user(
    who: Allowed<permits::UsersWrite>,
    State(api): State<Api>,
    Path(user): Path<UserId>,
    if_match: IfMatch,
    patch: Patch<MemberChange>,
) -> Result<Tagged<MemberOut>, Problem> {
    let allow = |before: &Member, after: &Member| {
        if after.role != before.role {
            refuse_beyond_own(&who, after.role)?;
        }
        if !may_all_of(&who, before.role) {
            let detail = format!(
                "You cannot change a user with the role {}: it has more permissions than you. Ask an administrator.",
                before.role
            );
            return Err(Problem::forbidden(detail));
        }
        if after.may_more_than(before) {
            refuse_outliving(&who)?;
        }
        Ok(())
    };
    let write = async |before: Versioned<Member>, mut after: Member| {
        if after.status == MemberStatus::Deactivated && before.value.status == MemberStatus::Active {
            after.deactivate(who.now());
        }
        let stamp = who.stamp();
        let written = api.store().change_member(who.scope(), &before, &after, &stamp);
        written.await.map_err(setback)?;
        Ok(Versioned {
            version: before.version + 1,
            value: after,
        })
    };
    let read = || api.store().get(who.scope(), &user);
    let changed = patch.change(&if_match, read, allow, write).await?;
    Ok(Tagged::of(changed))
}
