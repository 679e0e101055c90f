//! The users of a tenant.

use api::{Allowed, Api, IfMatch, Listed, Paging, Patch, Path, Setback, Tagged, found, permits};
use axum::extract::State;
use domain::{
    accounts::account::{Member, MemberStatus},
    base::ids::UserId,
};
use kit::Problem;
use store::{Versioned, accounts::members::MemberError};

use crate::{
    may_all_of,
    models::{MemberChange, MemberOut, UserName},
    refuse_beyond_own, refuse_outliving,
};

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

pub(crate) async fn get_user(
    who: Allowed<permits::UsersRead>,
    State(api): State<Api>,
    Path(user): Path<UserId>,
) -> Result<Tagged<MemberOut>, Problem> {
    let member = found(api.store().get::<Member>(who.scope(), &user)).await?;
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
