//! The people who belong to the tenant.

use api::{Allowed, Api, IfMatch, Listed, Paging, Patch, Path, Setback, Tagged, permits};
use axum::extract::State;
use domain::{account::MemberStatus, ids::UserId};
use kit::Problem;
use store::{Versioned, members::MemberError};

use crate::{
    RACES, may_all_of,
    models::{MemberChange, MemberOut},
    refuse_beyond_own, refuse_outliving,
};

/// Why somebody was not changed.
fn setback(error: MemberError) -> Setback {
    match error {
        MemberError::LastAdmin => {
            let detail = "The tenant needs an active administrator. Make somebody else one first.";
            Problem::conflict("last_admin", detail).into()
        }
        MemberError::Store(error) => error.into(),
    }
}

/// Lists the tenant's people.
///
/// Those who are deactivated are among them; those who are invited are not.
#[utoipa::path(get, path = "/api/v1/users", tag = "users",
    responses((status = 200, description = "One page of people", body = Listed<MemberOut>)))]
pub(crate) async fn list_users(
    who: Allowed<permits::UsersRead>,
    State(api): State<Api>,
    paging: Paging,
) -> Result<Listed<MemberOut>, Problem> {
    let store = api.store();
    let page = store.members(who.scope(), paging.after(), paging.limit()).await?;
    Ok(Listed::of(page, |member| member.value.into()))
}

/// Shows a person of the tenant.
#[utoipa::path(get, path = "/api/v1/users/{user}", tag = "users",
    params(("user" = String, Path, description = "The person's id", example = "usr_01hq5c1ynyc0000000000000ab")),
    responses((status = 200, description = "The person", body = MemberOut)))]
pub(crate) async fn get_user(
    who: Allowed<permits::UsersRead>,
    State(api): State<Api>,
    Path(user): Path<UserId>,
) -> Result<Tagged<MemberOut>, Problem> {
    let found = api.store().member(who.scope(), user).await?;
    found.map(Tagged::of).ok_or_else(Problem::not_found)
}

/// Changes what a person may do, or lets them go.
///
/// Who is deactivated is out at once, wherever they are logged in, and can be activated again. The last active administrator
/// can neither go nor become less. Nobody changes who may do more than they, nor makes anybody so; a key that ends neither
/// raises nor activates anybody.
#[utoipa::path(patch, path = "/api/v1/users/{user}", tag = "users",
    params(("user" = String, Path, description = "The person's id", example = "usr_01hq5c1ynyc0000000000000ab")),
    responses((status = 200, description = "The person as they are now", body = MemberOut)))]
pub(crate) async fn update_user(
    who: Allowed<permits::UsersWrite>,
    State(api): State<Api>,
    Path(user): Path<UserId>,
    if_match: IfMatch,
    patch: Patch<MemberChange>,
) -> Result<Tagged<MemberOut>, Problem> {
    let store = api.store();
    let changed = RACES.until_won(async || {
        let found = store.member(who.scope(), user).await?;
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
                "You cannot change who is {}: that role may do more than you.",
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
