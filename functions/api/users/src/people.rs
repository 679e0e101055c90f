//! The users of a tenant.

use api::{Allowed, Api, IfMatch, Listed, Paging, Patch, Path, Setback, Tagged, permits};
use axum::extract::State;
use domain::{
    account::{Member, MemberStatus},
    ids::UserId,
};
use kit::Problem;
use store::{Versioned, members::MemberError};

use crate::{
    RACES, may_all_of,
    models::{MemberChange, MemberOut},
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

/// List users
///
/// Includes deactivated users, but not invited people.
#[utoipa::path(get, path = "/api/v1/users", tag = "users",
    responses((status = 200, description = "A page of users", body = Listed<MemberOut>)))]
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

/// Get a user
#[utoipa::path(get, path = "/api/v1/users/{user_id}", tag = "users",
    params(("user_id" = String, Path, description = "Id of the user", example = "usr_01hq5c1ynyc0000000000000ab")),
    responses((status = 200, description = "The user", body = MemberOut)))]
pub(crate) async fn get_user(
    who: Allowed<permits::UsersRead>,
    State(api): State<Api>,
    Path(user): Path<UserId>,
) -> Result<Tagged<MemberOut>, Problem> {
    let found = api.store().get::<Member>(who.scope(), &user).await?;
    found.map(Tagged::of).ok_or_else(Problem::not_found)
}

/// Update a user
///
/// Changes a user's role, or deactivates or activates them. A deactivated user loses access at once, in all sessions. The last
/// active administrator can be neither deactivated nor given a lower role. Nobody can change a user who has more permissions, or
/// grant more than their own. An API key that expires can neither raise a role nor activate a user.
#[utoipa::path(patch, path = "/api/v1/users/{user_id}", tag = "users",
    params(("user_id" = String, Path, description = "Id of the user", example = "usr_01hq5c1ynyc0000000000000ab")),
    responses((status = 200, description = "The updated user", body = MemberOut)))]
pub(crate) async fn update_user(
    who: Allowed<permits::UsersWrite>,
    State(api): State<Api>,
    Path(user): Path<UserId>,
    if_match: IfMatch,
    patch: Patch<MemberChange>,
) -> Result<Tagged<MemberOut>, Problem> {
    let store = api.store();
    let changed = RACES.until_won(async || {
        let found = store.get::<Member>(who.scope(), &user).await?;
        let before = found.ok_or_else(Problem::not_found)?;
        if_match.check(before.version)?;
        let current = MemberChange {
            role: before.value.role,
            status: before.value.status.into(),
        };
        let wanted = patch.apply(&current)?;
        if wanted == current {
            return Ok(Tagged::of(before));
        }
        if wanted.role != current.role {
            refuse_beyond_own(&who, wanted.role)?;
        }
        if !may_all_of(&who, current.role) {
            let detail = format!(
                "You cannot change a user with the role {}: it has more permissions than you. Ask an administrator.",
                current.role
            );
            return Err(Problem::forbidden(detail).into());
        }
        let mut after = before.value.clone();
        after.role = wanted.role;
        after.status = wanted.status.into();
        if after.may_more_than(&before.value) {
            refuse_outliving(&who)?;
        }
        if after.status == MemberStatus::Deactivated && before.value.status == MemberStatus::Active {
            after.deactivate(who.now());
        }
        let written = store.change_member(who.scope(), &before, &after, &who.stamp()).await;
        written.map_err(setback)?;
        Ok(Tagged::of(Versioned {
            version: before.version + 1,
            value: after,
        }))
    });
    changed.await
}
