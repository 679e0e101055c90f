//! The settings of a tenant and the progress of its set-up.

mod models;
mod setup;

use std::{collections::HashSet, sync::Arc};

use api::{Allowed, Api, IfMatch, Patch, Tagged, permits};
use axum::{Extension, Router, extract::State};
use domain::{template::TemplateDefinition, tenant::Tenant};
use kit::{ConfigError, Env, Problem};
use store::config::ConfigCache;

use crate::models::{SetupOut, TenantOut, TenantSettings};

/// Routes of the function.
///
/// # Errors
/// When a variable is missing or wrong.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    let configs = Extension(Arc::new(ConfigCache::default()));
    Ok(api::serve(operations(), Api::new(env)?).layer(configs))
}

api::operations! { get_tenant, update_tenant, get_tenant_setup }

/// Get the tenant
///
/// Returns the profile and settings of the caller's tenant.
#[utoipa::path(get, path = "/api/v1/tenant", tag = "tenant",
    responses((status = 200, description = "The tenant", body = TenantOut, headers(("ETag" = String, description = "Version of the resource")))))]
async fn get_tenant(who: Allowed<permits::TenantRead>, State(api): State<Api>) -> Result<Tagged<TenantOut>, Problem> {
    let tenant = api.store().tenant(who.scope()).await?;
    let tenant = tenant.ok_or_else(Problem::not_found)?;
    Ok(tagged(&tenant, tenant.config_version))
}

/// Update the tenant's settings
///
/// A JSON merge patch: omitted fields stay, `null` restores the default. The version in `ETag` counts every change of the
/// tenant's configuration, including its connections, rules and templates.
#[utoipa::path(patch, path = "/api/v1/tenant", tag = "tenant",
    responses((status = 200, description = "The updated tenant", body = TenantOut, headers(("ETag" = String, description = "Version of the resource")))))]
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

/// Templates that are looked at besides those that rules name.
const SEEN_TEMPLATES: i32 = 100;

/// Get the progress of the set-up
///
/// Lists the steps of the set-up wizard. Each has its state, what is missing, and the operation that completes it.
#[utoipa::path(get, path = "/api/v1/tenant/setup", tag = "tenant",
    responses((status = 200, description = "The steps of the set-up", body = SetupOut)))]
async fn get_tenant_setup(
    who: Allowed<permits::TenantRead>,
    State(api): State<Api>,
    Extension(configs): Extension<Arc<ConfigCache>>,
) -> Result<Tagged<SetupOut>, Problem> {
    // One read while the configuration is the one that this process knows, two queries more when it is another.
    let (store, scope) = (api.store(), who.scope());
    let config = store.config(scope, &configs).await?;
    let config = config.ok_or_else(Problem::not_found)?;
    let mut material = store.material(scope, &setup::needs(&config)).await?;
    let templates = store.page::<TemplateDefinition>(scope, None, SEEN_TEMPLATES).await?;
    material
        .templates
        .extend(templates.items.into_iter().map(|template| template.value));
    Ok(Tagged {
        version: config.tenant.config_version,
        body: setup::steps(&config, &material),
    })
}

fn tagged(tenant: &Tenant, version: u64) -> Tagged<TenantOut> {
    Tagged {
        version,
        body: TenantOut::from(tenant),
    }
}
