//! The settings of a tenant and the progress of its set-up.

mod models;
mod retention;
mod setup;

use std::sync::Arc;

use api::{Allowed, Api, IfMatch, Patch, Tagged, permits, require_found};
use axum::extract::State;
use axum::{Extension, Router};
use domain::messages::NewLinks;
use domain::templates::TemplateDefinition;
use domain::tenants::Tenant;
use kit::{Bus, ConfigError, Env, Problem};
use store::tenants::ConfigCache;
use store::{Along, StoreError, Versioned};

use crate::models::{SetupOut, TenantOut, TenantSettings};
use crate::retention::{apply_retention, get_retention};

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    let configs = Extension(Arc::new(ConfigCache::default()));
    let bus = Extension(Bus::new(env)?);
    Ok(api::serve(operations(), Api::new(env)?).layer(configs).layer(bus))
}

api::operations! {
    "tenant": "Profile, settings and set-up of the tenant." {
        /// Get the tenant
        ///
        /// Returns the profile and settings of the caller's tenant.
        GET "/api/v1/tenant" => get_tenant, "The tenant";

        /// Update the tenant's settings
        ///
        /// A JSON merge patch: omitted fields stay, `null` restores the default. The version in `ETag` counts every change of the
        /// tenant's configuration, including its connections, lines and rules.
        PATCH "/api/v1/tenant" => update_tenant, "The updated tenant";

        /// Get the progress of the set-up
        ///
        /// Lists the steps of the set-up wizard. Each has its state, what is missing, and the operation that completes it. Calls to
        /// `unknown_numbers` are lost, because they reach a connection that does not have the number.
        GET "/api/v1/tenant/setup" => get_tenant_setup, "The steps of the set-up";

        /// Get the retention policy
        ///
        /// Returns the policy, and an estimate of applying it to the calls and messages of the past: the effect, the cost and the time.
        /// The estimate uses the counters of each day up to eight weeks, or of eight single weeks if there are more. The `ETag` is the
        /// tenant's.
        GET "/api/v1/tenant/retention" => get_retention, "The policy and the estimate";

        /// Apply the retention policy to the past
        ///
        /// A change of the policy applies to new calls and messages; this operation of the kind `apply_retention` applies it to all
        /// others. Calls and messages that are older than the policy allows are hidden at once and deleted within days. This cannot be
        /// undone. Expired ones stay hidden. `If-Match` with the `ETag` of the tenant makes sure that the policy is the one that you have
        /// read; later changes do not affect the operation. While such an operation is running, the answer is 409 `retention_running`.
        /// Cancelling it keeps what was done. A tenant can start 60 an hour.
        POST "/api/v1/tenant/retention/apply" => apply_retention, "The operation that applies the policy",
            problems "retention_running" "too_many_operations";
    }
}

/// The tenant, with the version of its configuration.
async fn tenant<P: permits::Permit>(api: &Api, who: &Allowed<P>) -> Result<Option<Versioned<Tenant>>, StoreError> {
    let tenant = api.store().tenant(who.scope()).await?;
    Ok(tenant.map(|value| Versioned {
        version: value.config_version,
        value,
    }))
}

async fn get_tenant(who: Allowed<permits::TenantRead>, State(api): State<Api>) -> Result<Tagged<TenantOut>, Problem> {
    Ok(Tagged::of(require_found(tenant(&api, &who)).await?))
}

async fn update_tenant(
    who: Allowed<permits::TenantWrite>,
    State(api): State<Api>,
    if_match: IfMatch,
    patch: Patch<TenantSettings>,
) -> Result<Tagged<TenantOut>, Problem> {
    let write = async |before: Versioned<Tenant>, after: Tenant| {
        let (store, scope, stamp) = (api.store(), who.scope(), &who.stamp());
        // Whoever wants idle conversations closed waits for no day.
        let version = if after.inbox.is_some_and(|inbox| inbox.close_anew(before.value.inbox)) {
            Box::pin(store.change_inbox(scope, &after, stamp)).await?
        } else {
            store.change_tenant(scope, &after, stamp).await?
        };
        Ok(Versioned { value: after, version })
    };
    let read = || tenant(&api, &who);
    let changed = patch.change(&if_match, read, |_, _| Ok(()), write).await?;
    Ok(Tagged::of(changed))
}

/// Templates that are looked at besides those that rules name.
const SEEN_TEMPLATES: i32 = 100;

async fn get_tenant_setup(
    who: Allowed<permits::TenantRead>,
    State(api): State<Api>,
    Extension(configs): Extension<Arc<ConfigCache>>,
) -> Result<Tagged<SetupOut>, Problem> {
    // One read while the configuration is the one that this process knows, two queries more when it is another.
    let (store, scope) = (api.store(), who.scope());
    let config = require_found(store.config(scope, &configs)).await?;
    let mut material = store.material(scope, &setup::needs(&config), &Along::default()).await?;
    // As every message would get some.
    material.links = NewLinks::nobodys();
    let templates = store.page::<TemplateDefinition>(scope, None, SEEN_TEMPLATES);
    let (templates, unknown) = tokio::try_join!(templates, store.unknown_numbers(scope))?;
    material
        .templates
        .extend(templates.items.into_iter().map(|template| template.value));
    Ok(Tagged {
        version: config.tenant.config_version,
        body: setup::progress(&config, &material, &unknown, who.now()),
    })
}
