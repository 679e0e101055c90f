//! Automations, the rules of a tenant: each says which message follows which calls. In the domain and the table, an automation is
//! a [`Rule`].

mod dry_run;
mod models;
mod replay;
mod trying;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use api::permits::{self, Permit};
use api::{
    Allowed, Api, Body, Created, IfMatch, Listed, NoContent, Paging, Patch, Patchable, Path, Query, RACES, Tagged,
    page_of, require_found, setback,
};
use axum::extract::State;
use axum::{Extension, Json, Router};
use domain::automations::{needs_of_rules, review_rule};
use domain::messages::{Material, NewLinks};
use domain::tenants::{Rule, RuleIn, TenantConfig, priorities_in_order};
use domain::terms::{Resource as _, RuleId, added_problems};
use jiff::Timestamp;
use kit::{ConfigError, Env, Problem};
use store::tenants::{ConfigCache, RuleChange};
use store::{Along, Page, Signed, Version, Versioned};

use crate::models::{AutomationOrderIn, AutomationOut, AutomationQuery, AutomationVersionOut, VersionNumber};
use crate::trying::Trying;

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    let configs = Extension(Arc::new(ConfigCache::default()));
    let api = Api::new(env)?;
    let trying = Extension(Arc::new(Trying::new(env, &api)?));
    Ok(api::serve(operations(), api).layer(configs).layer(trying))
}

api::operations! {
    "automations": "Automations of a tenant: which calls are followed by which message." {
        /// Create an automation
        ///
        /// Applies to calls that are decided from now on. Wrong values are refused and named by field, such as a template, line or
        /// product that does not exist. `warnings` lists what only keeps the automation from doing its work at present, such as a
        /// template that is paused. A tenant has at most 500 automations, at most 100 of them not archived.
        POST "/api/v1/automations" => create_automation, "The automation";

        /// List automations
        ///
        /// In the order of their priorities, with the names of their lines and the states of their templates. Archived ones are
        /// listed with `archived` only.
        GET "/api/v1/automations" => list_automations, "A page of automations";

        /// Order automations
        ///
        /// Sets the order of trying: name all automations that are not archived. Changes the priorities of as few as possible. If the
        /// list has changed meanwhile, nothing changes and the answer is 409 `list_changed`.
        POST "/api/v1/automations/order" => order_automations, "The automations in their new order",
            problems "list_changed";

        /// Try automations on a call
        ///
        /// Shows what would follow a call, without writing or sending anything: every automation with the first condition that the call
        /// does not fulfil, the message of the one that matches, when it would go, and each check with its verdict. The call is a recorded
        /// one (`call_id`), decided as of then from the facts stored with it, or an invented one (`call`), decided with the caller as known
        /// now. `automation` is a draft: a new automation, or one instead of the saved `automation_id`. Problems that would prevent saving
        /// it are in `draft`, and do not prevent trying it.
        POST "/api/v1/automations/dry-run" => dry_run::dry_run_automations, "What would follow the call";

        /// Try automations on recorded calls
        ///
        /// Decides the latest inbound calls of the last 31 days again, at most 500, with a draft, or with the saved automations if there is
        /// none. Counts the calls that would now get a message, would get none, or would get another one, with examples. Each call is
        /// decided from the facts that were stored with it, by today's templates, connections and settings, and compared with the version
        /// of the automation that decided it. Automations that have not changed since then make no difference. Each call is taken by
        /// itself: messages that a draft adds start no cooldown.
        POST "/api/v1/automations/replay" => replay::replay_automations, "The differences";

        /// Get an automation
        ///
        /// Shows the automation with `warnings` about its present state.
        GET "/api/v1/automations/{automation_id}" => get_automation, "The automation";

        /// Update an automation
        ///
        /// Applies to calls that are decided from now on; messages that wait stay as they were planned. `enabled` turns it on and off.
        /// `when` and `then` are merged, lists are replaced as a whole. Earlier problems do not prevent a change.
        PATCH "/api/v1/automations/{automation_id}" => update_automation, "The updated automation";

        /// Delete an automation
        ///
        /// A deleted automation cannot be restored; archive it instead to keep it. Messages that wait stay as they were planned. Its
        /// versions remain readable for two years.
        DELETE "/api/v1/automations/{automation_id}" => delete_automation, "The automation is deleted";

        /// Archive an automation
        ///
        /// An archived automation matches no call, and lists show it only with `archived`. Its messages that still wait stay as they
        /// were planned, with their other channels, and are cancelled only by what cancels every message. Archiving it again changes
        /// nothing.
        POST "/api/v1/automations/{automation_id}/archive" => archive_automation, "The archived automation";

        /// Restore an automation
        ///
        /// The automation is as it was before it was archived, with its priority, and matches calls again if it is enabled. Restoring one
        /// that is not archived changes nothing.
        POST "/api/v1/automations/{automation_id}/restore" => restore_automation, "The restored automation";

        /// List the versions of an automation
        ///
        /// Newest first, each with its author. The latest 100 before the current one are kept, each for two years.
        GET "/api/v1/automations/{automation_id}/versions" => list_automation_versions, "A page of versions";

        /// Get a version of an automation
        ///
        /// Shows the automation as it was when it decided a call, even if it is deleted now.
        GET "/api/v1/automations/{automation_id}/versions/{version}" => get_automation_version, "The version";
    }
}

/// Path of the automations.
const AUTOMATIONS: &str = "/api/v1/automations";

type Reading = Allowed<permits::AutomationsRead>;
type Writing = Allowed<permits::AutomationsWrite>;
type Configs = Extension<Arc<ConfigCache>>;

/// Reads the material for a review of these rules.
async fn material<P: Permit>(
    api: &Api,
    who: &Allowed<P>,
    config: &TenantConfig,
    rules: &[&Rule],
) -> Result<Material, Problem> {
    let needs = needs_of_rules(rules.iter().copied(), config);
    let read = api.store().material(who.scope(), &needs, &Along::default()).await?;
    Ok(Material {
        // As every message would get some.
        links: NewLinks::nobodys(),
        ..read
    })
}

fn automation_with_etag(
    found: &Versioned<Signed<Rule>>,
    config: &TenantConfig,
    material: &Material,
) -> Tagged<AutomationOut> {
    Tagged {
        version: found.version,
        body: AutomationOut::of(found, config, material),
    }
}

async fn create_automation(
    who: Writing,
    State(api): State<Api>,
    Extension(configs): Configs,
    Body(fields): Body<RuleIn>,
) -> Result<Created<AutomationOut>, Problem> {
    let config = require_found(api.store().config(who.scope(), &configs)).await?;
    let new = Rule::new(who.ulid(), fields, who.now());
    let material = material(&api, &who, &config, &[&new]).await?;
    let wrong = review_rule(&new, &config, &material).problems;
    if !wrong.is_empty() {
        return Err(wrong.into());
    }
    let created: Created<Rule> = api.create(&who, AUTOMATIONS, new.fields()).await?;
    let made = Versioned {
        version: created.version,
        value: Signed {
            value: created.body,
            by: Some(who.actor()),
        },
    };
    Ok(Created {
        location: created.location,
        version: created.version,
        body: AutomationOut::of(&made, &config, &material),
    })
}

async fn list_automations(
    who: Reading,
    State(api): State<Api>,
    Extension(configs): Configs,
    Query(query): Query<AutomationQuery>,
    paging: Paging,
) -> Result<Listed<AutomationOut>, Problem> {
    let (store, scope) = (api.store(), who.scope());
    let config = require_found(store.config(scope, &configs)).await?;
    let mut rules: Vec<Versioned<Signed<Rule>>> = store.all_signed(scope).await?;
    let archived = query.archived.unwrap_or_default();
    rules.retain(|rule| rule.value.value.archived_at.is_some() == archived);
    let read = |text: &str| -> Option<(i32, RuleId)> {
        let (priority, id) = text.split_once(':')?;
        Some((priority.parse().ok()?, id.parse().ok()?))
    };
    let written = |(priority, id): (i32, RuleId)| format!("{priority}:{id}");
    let page = page_of(rules, &paging, |rule| rule.value.value.place(), read, written)?;
    let shown: Vec<&Rule> = page.items.iter().map(|rule| &rule.value.value).collect();
    let material = material(&api, &who, &config, &shown).await?;
    Ok(Listed::of(page, |rule| AutomationOut::of(&rule, &config, &material)))
}

fn list_changed() -> Problem {
    Problem::conflict(
        "list_changed",
        "The list must name every automation that is not archived, each once. Read it again, then send its order.",
    )
}

async fn order_automations(
    who: Writing,
    State(api): State<Api>,
    Extension(configs): Configs,
    Body(wanted): Body<AutomationOrderIn>,
) -> Result<Listed<AutomationOut>, Problem> {
    let (api, who, configs, stamp) = (&api, &who, &*configs, &who.stamp());
    let (store, scope) = (api.store(), who.scope());
    let places: HashMap<RuleId, usize> = wanted.automations.iter().copied().zip(0..).collect();
    let places = &places;
    let ordered = RACES.until_won(|| async move {
        // First: the write is conditioned on its version, which stands for what is read after it.
        let config = require_found(store.config(scope, configs)).await?;
        let mut rules: Vec<Versioned<Signed<Rule>>> = store.all_signed(scope).await?;
        rules.retain(|rule| rule.value.value.archived_at.is_none());
        let named = |rule: &Versioned<Signed<Rule>>| places.contains_key(&rule.value.value.id);
        if rules.len() != places.len() || !rules.iter().all(named) {
            return Err(list_changed().into());
        }
        rules.sort_by_key(|rule| places.get(&rule.value.value.id));
        let given = priorities_in_order(&rules.iter().map(|rule| &rule.value.value).collect::<Vec<_>>());
        let mut changes = Vec::new();
        for (rule, priority) in rules.iter_mut().zip(given) {
            let before = rule.value.value.clone();
            if before.priority == priority {
                continue;
            }
            let after = Rule { priority, ..before }.changed_at(stamp.at);
            changes.push(RuleChange {
                before: rule.clone(),
                after: after.clone(),
            });
            // As it is once that is written.
            rule.version += 1;
            rule.value = Signed {
                value: after,
                by: Some(stamp.actor),
            };
        }
        if !changes.is_empty() {
            store.change_rules(scope, &config.tenant, &changes, stamp).await?;
        }
        Ok((rules, config))
    });
    let (rules, config) = ordered.await?;
    let mut config = TenantConfig::clone(&config);
    config.rules = rules.iter().map(|rule| rule.value.value.clone()).collect();
    let material = material(api, who, &config, &config.rules.iter().collect::<Vec<_>>()).await?;
    let page = Page {
        items: rules,
        next: None,
    };
    Ok(Listed::of(page, |rule| AutomationOut::of(&rule, &config, &material)))
}

async fn get_automation(
    who: Reading,
    State(api): State<Api>,
    Extension(configs): Configs,
    Path(id): Path<RuleId>,
) -> Result<Tagged<AutomationOut>, Problem> {
    let (store, scope) = (api.store(), who.scope());
    let config = require_found(store.config(scope, &configs)).await?;
    let rule: Versioned<Signed<Rule>> = require_found(store.read_signed(scope, &id)).await?;
    let material = material(&api, &who, &config, &[&rule.value.value]).await?;
    Ok(automation_with_etag(&rule, &config, &material))
}

async fn update_automation(
    who: Writing,
    State(api): State<Api>,
    Extension(configs): Configs,
    Path(id): Path<RuleId>,
    if_match: IfMatch,
    patch: Patch<RuleIn>,
) -> Result<Tagged<AutomationOut>, Problem> {
    let decide = |before: &Rule| patch.apply(&RuleIn::of(before))?.onto(before);
    change_automation(&api, &who, &configs, id, &if_match, decide).await
}

/// Changes an automation as [`Patch::change`] changes a resource. `decide` returns it after the change. Of what it says about calls and
/// messages, new problems are refused.
async fn change_automation(
    api: &Api,
    who: &Writing,
    configs: &ConfigCache,
    id: RuleId,
    if_match: &IfMatch,
    decide: impl Fn(&Rule) -> Result<Rule, Problem>,
) -> Result<Tagged<AutomationOut>, Problem> {
    let (store, scope, stamp, decide) = (api.store(), who.scope(), &who.stamp(), &decide);
    let changed = RACES.until_won(|| async move {
        let row: Versioned<Signed<Rule>> = require_found(store.read_signed(scope, &id)).await?;
        if_match.check(row.version)?;
        let before = Versioned {
            version: row.version,
            value: row.value.value.clone(),
        };
        let after = decide(&before.value)?;
        let config = require_found(store.config(scope, configs)).await?;
        let material = material(api, who, &config, &[&before.value, &after]).await?;
        if after == before.value {
            return Ok(automation_with_etag(&row, &config, &material));
        }
        let (new, old) = (&after, &before.value);
        if (&new.when, &new.then, new.enroll) != (&old.when, &old.then, old.enroll) {
            let known = review_rule(&before.value, &config, &material).problems;
            let wrong = added_problems(&known, review_rule(&after, &config, &material).problems);
            if !wrong.is_empty() {
                return Err(Problem::from(wrong).into());
            }
        }
        let after = after.changed_at(stamp.at);
        let written = store.change(scope, &before, &after, stamp).await;
        let written = Versioned {
            version: written.map_err(setback::<Rule>)?,
            value: Signed {
                value: after,
                by: Some(stamp.actor),
            },
        };
        Ok(automation_with_etag(&written, &config, &material))
    });
    changed.await
}

async fn delete_automation(
    who: Writing,
    State(api): State<Api>,
    Path(id): Path<RuleId>,
    if_match: IfMatch,
) -> Result<NoContent, Problem> {
    api.remove::<Rule, _>(&who, &id, &if_match).await
}

/// The change that archives an automation, or restores it. One that is archived already keeps the time.
fn archiving(archived: bool, now: Timestamp) -> impl Fn(&Rule) -> Result<Rule, Problem> {
    move |before: &Rule| {
        Ok(Rule {
            archived_at: archived.then(|| before.archived_at.unwrap_or(now)),
            ..before.clone()
        })
    }
}

async fn archive_automation(
    who: Writing,
    State(api): State<Api>,
    Extension(configs): Configs,
    Path(id): Path<RuleId>,
    if_match: IfMatch,
) -> Result<Tagged<AutomationOut>, Problem> {
    change_automation(&api, &who, &configs, id, &if_match, archiving(true, who.now())).await
}

async fn restore_automation(
    who: Writing,
    State(api): State<Api>,
    Extension(configs): Configs,
    Path(id): Path<RuleId>,
    if_match: IfMatch,
) -> Result<Tagged<AutomationOut>, Problem> {
    change_automation(&api, &who, &configs, id, &if_match, archiving(false, who.now())).await
}

async fn list_automation_versions(
    who: Reading,
    State(api): State<Api>,
    Path(id): Path<RuleId>,
    paging: Paging,
) -> Result<Listed<AutomationVersionOut>, Problem> {
    let versions: Vec<Version<Rule>> = api.store().versions(who.scope(), &id, who.now()).await?;
    if versions.is_empty() {
        return Err(Problem::not_found());
    }
    let newest_first = |version: &Version<Rule>| Reverse(version.number);
    let read = |text: &str| -> Option<Reverse<u64>> { text.parse().ok().map(Reverse) };
    let written = |Reverse(number): Reverse<u64>| number.to_string();
    let page = page_of(versions, &paging, newest_first, read, written)?;
    Ok(Listed::of(page, AutomationVersionOut::from))
}

async fn get_automation_version(
    who: Reading,
    State(api): State<Api>,
    Path((id, number)): Path<(RuleId, VersionNumber)>,
) -> Result<Json<AutomationVersionOut>, Problem> {
    let version = api.store().version::<Rule>(who.scope(), &id, number.0, who.now());
    Ok(Json(require_found(version).await?.into()))
}
