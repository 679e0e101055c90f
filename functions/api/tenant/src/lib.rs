//! A tenant's own settings, and what is still to be set up.

mod models;
mod setup;

use std::{collections::HashSet, sync::Arc};

use api::{Allowed, Api, IfMatch, Patch, Tagged, permits};
use axum::{Extension, Router, extract::State};
use domain::tenant::Tenant;
use kit::{ConfigError, Env, Problem};
use store::config::ConfigCache;

use crate::models::{SetupOut, TenantOut, TenantSettings};

/// The function's routes.
///
/// # Errors
/// When a variable is missing or wrong.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    let configs = Extension(Arc::new(ConfigCache::default()));
    Ok(api::serve(operations(), Api::new(env)?).layer(configs))
}

api::operations! { get_tenant, update_tenant, get_tenant_setup }

/// The tenant and its settings.
#[utoipa::path(get, path = "/api/v1/tenant", tag = "tenant",
    responses((status = 200, description = "The tenant", body = TenantOut, headers(("ETag" = String, description = "Its version")))))]
async fn get_tenant(who: Allowed<permits::TenantRead>, State(api): State<Api>) -> Result<Tagged<TenantOut>, Problem> {
    let tenant = api.store().tenant(who.scope()).await?;
    let tenant = tenant.ok_or_else(Problem::not_found)?;
    Ok(tagged(&tenant, tenant.config_version))
}

/// Changes the tenant's settings.
///
/// A merge patch: fields that are left out stay, `null` brings back the default. The version counts every change of the
/// tenant's configuration, so that of its connections, rules and templates, too.
#[utoipa::path(patch, path = "/api/v1/tenant", tag = "tenant",
    responses((status = 200, description = "The tenant as it is now", body = TenantOut, headers(("ETag" = String, description = "Its version")))))]
async fn update_tenant(
    who: Allowed<permits::TenantWrite>,
    State(api): State<Api>,
    if_match: IfMatch,
    patch: Patch<TenantSettings>,
) -> Result<Tagged<TenantOut>, Problem> {
    let store = api.store();
    let before = store.tenant(who.scope()).await?.ok_or_else(Problem::not_found)?;
    if_match.check(before.config_version)?;
    let after = patch.apply(&TenantSettings::from(&before))?.of(&before);
    // What was stored when there was no such rule stands in nobody's way.
    let known: HashSet<_> = before.problems().into_iter().collect();
    let mut problems = after.problems();
    problems.retain(|problem| !known.contains(problem));
    if !problems.is_empty() {
        return Err(problems.into());
    }
    if after == before {
        return Ok(tagged(&before, before.config_version));
    }
    let version = store.change_tenant(who.scope(), &after, &who.stamp()).await?;
    Ok(tagged(&after, version))
}

/// What is still to be set up.
///
/// The steps of a set-up wizard, each with its state, what is missing in sentences, and the operation that does it.
#[utoipa::path(get, path = "/api/v1/tenant/setup", tag = "tenant",
    responses((status = 200, description = "The steps", body = SetupOut)))]
async fn get_tenant_setup(
    who: Allowed<permits::TenantRead>,
    State(api): State<Api>,
    Extension(configs): Extension<Arc<ConfigCache>>,
) -> Result<Tagged<SetupOut>, Problem> {
    // One read while the configuration is the one that this process knows, four queries more when it is another.
    let config = api.store().config(who.scope(), &configs).await?;
    let config = config.ok_or_else(Problem::not_found)?;
    Ok(Tagged {
        version: config.tenant.config_version,
        body: setup::steps(&config),
    })
}

fn tagged(tenant: &Tenant, version: u64) -> Tagged<TenantOut> {
    Tagged {
        version,
        body: TenantOut::from(tenant),
    }
}
