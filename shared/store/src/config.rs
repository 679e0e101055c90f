//! What people configure: the tenant, its connections, lines, rules, templates and products.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use domain::{
    actor::Stamp,
    config::{ConnectionSummary, TenantConfig},
    connection::{Connection, Health},
    ids::{ConnectionId, TenantId},
    line::Line,
    product::Product,
    rule::Rule,
    template::{TemplateDefinition, TemplateReport},
    tenant::Tenant,
};
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Store, StoreError, TenantScope, Versioned, keys,
    keys::Key,
    lookups,
    row::{self, Condition, Item, Row},
};

/// A tenant has at most this many of each kind.
pub const MOST_CONFIGURED: i32 = 500;

/// A lost race is read and decided again this often.
pub(crate) const MOST_RACES: u32 = 8;

/// How many tenants' configuration one process remembers.
const CACHED_TENANTS: usize = 256;

/// Remembers tenants' configuration as long as its version stays.
#[derive(Debug, Default)]
pub struct ConfigCache(Mutex<HashMap<TenantId, Arc<TenantConfig>>>);

/// All that an operator writes for a tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct Configured {
    /// The tenant; its version is raised by writing. Its name in URLs, its plan and its limits stay as they are where
    /// it has none.
    pub tenant: Tenant,
    /// Whether the tenant's status is meant. Else it stays as it is.
    pub status_meant: bool,
    /// All its rules: others are removed.
    pub rules: Vec<Rule>,
    /// All its lines: others are removed.
    pub lines: Vec<Line>,
    /// All its templates: others are removed.
    pub templates: Vec<TemplateDefinition>,
    /// All its products: others are removed.
    pub products: Vec<Product>,
    /// All its connections, sealed: others are removed.
    pub connections: Vec<Connection>,
}

/// An operator's write goes so many versions ahead that no worker's count catches up with it in between.
const VERSIONS_SKIPPED: u64 = 1000;

impl Configured {
    /// The tenant as it is to be written over the one before.
    fn tenant_over(&self, before: Option<&Tenant>) -> Tenant {
        let mut tenant = self.tenant.clone();
        tenant.config_version = before.map_or(0, |before| before.config_version);
        if let Some(before) = before {
            tenant.slug = tenant.slug.or_else(|| before.slug.clone());
            tenant.plan = tenant.plan.or_else(|| before.plan.clone());
            tenant.limits = tenant.limits.or(before.limits);
            if !self.status_meant {
                tenant.status = before.status;
                tenant.leaves_at = before.leaves_at;
            }
        }
        tenant
    }
}

fn template_id(template: &TemplateDefinition) -> String {
    format!("{}#{}", template.name, template.language)
}

pub(crate) fn connection_row(
    scope: &TenantScope,
    connection: &Connection,
    condition: Condition,
    doing: &'static str,
) -> Result<Row, StoreError> {
    let key = keys::configured(scope, keys::CONNECTION, &connection.id.to_string());
    Row::new(&key, "connection", connection, condition, doing)
}

impl Store {
    /// The tenant.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn tenant(&self, scope: &TenantScope) -> Result<Option<Tenant>, StoreError> {
        const DOING: &str = "read the tenant";
        self.database
            .get(&keys::tenant(scope), DOING)
            .await?
            .map(|item| row::data(item, DOING))
            .transpose()
    }

    /// Changes the tenant's settings, if nobody has changed its configuration since it was read: `tenant` still has the
    /// version of then. Returns the new one.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody has.
    pub async fn change_tenant(&self, scope: &TenantScope, tenant: &Tenant, stamp: &Stamp) -> Result<u64, StoreError> {
        const DOING: &str = "change the tenant's settings";
        let row = tenant_row(scope, tenant, DOING)?.stamped(stamp);
        self.database.put(row, DOING).await?;
        Ok(tenant.config_version + 1)
    }

    /// The tenant's configuration as it is now: one read, and five queries when it has changed since this process read it.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn config(
        &self,
        scope: &TenantScope,
        cache: &ConfigCache,
    ) -> Result<Option<Arc<TenantConfig>>, StoreError> {
        let Some(tenant) = self.tenant(scope).await? else {
            return Ok(None);
        };
        {
            let known = cache.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(config) = known.get(&tenant.id)
                && config.tenant.config_version == tenant.config_version
            {
                return Ok(Some(Arc::clone(config)));
            }
        }
        let (rules, lines, templates, products, connections) = tokio::try_join!(
            Box::pin(self.configured::<Rule>(scope, keys::RULE)),
            Box::pin(self.lines(scope)),
            Box::pin(self.configured::<TemplateDefinition>(scope, keys::TEMPLATE)),
            Box::pin(self.configured::<Product>(scope, keys::PRODUCT)),
            Box::pin(self.connections(scope)),
        )?;
        let connections = connections.iter().map(ConnectionSummary::from).collect();
        let config = Arc::new(TenantConfig {
            tenant,
            rules,
            lines,
            templates,
            products,
            connections,
        });
        let mut known = cache.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= CACHED_TENANTS {
            known.clear();
        }
        known.insert(config.tenant.id, Arc::clone(&config));
        Ok(Some(config))
    }

    pub(crate) async fn configured<T: DeserializeOwned>(
        &self,
        scope: &TenantScope,
        prefix: &str,
    ) -> Result<Vec<T>, StoreError> {
        const DOING: &str = "read the tenant's configuration";
        let partition = keys::tenant_partition(scope);
        let items = self
            .database
            .query(&partition, prefix, MOST_CONFIGURED, false, DOING)
            .await?;
        let live = items.into_iter().filter(row::live);
        live.map(|item| row::data(item, DOING)).collect()
    }

    /// The tenant's connections.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn connections(&self, scope: &TenantScope) -> Result<Vec<Connection>, StoreError> {
        self.configured(scope, keys::CONNECTION).await
    }

    /// A connection, with its health as it is now.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn connection(&self, scope: &TenantScope, id: ConnectionId) -> Result<Option<Connection>, StoreError> {
        const DOING: &str = "read a connection";
        let key = keys::configured(scope, keys::CONNECTION, &id.to_string());
        let item = self.database.get(&key, DOING).await?;
        item.filter(row::live).map(|item| row::data(item, DOING)).transpose()
    }

    /// Changes a connection's health and pause, of the row as it is now: what somebody else configured or noted meanwhile
    /// stays. `change` says what they become, or `None` where nothing is to be done. Credentials that changed since `seen`
    /// was read are not judged by what the old ones met. Returns whether anything was written.
    ///
    /// # Errors
    /// When the table does not answer, or others are faster all the time.
    pub async fn change_connection(
        &self,
        scope: &TenantScope,
        seen: &Connection,
        change: impl Fn(&Connection) -> Option<(Health, Option<Timestamp>)>,
    ) -> Result<bool, StoreError> {
        self.rewrite_connection(scope, seen.id, "write a connection's health", |before| {
            if before.credentials_version != seen.credentials_version {
                return None;
            }
            let (health, paused_until) = change(before)?;
            Some(Connection {
                health,
                paused_until,
                ..before.clone()
            })
        })
        .await
    }

    /// Writes what `change` makes of a connection's row as it is now; again where somebody else was faster. `None`, or the same:
    /// nothing is to be done. Returns whether anything was written.
    pub(crate) async fn rewrite_connection(
        &self,
        scope: &TenantScope,
        id: ConnectionId,
        doing: &'static str,
        change: impl Fn(&Connection) -> Option<Connection>,
    ) -> Result<bool, StoreError> {
        for _race in 0..MOST_RACES {
            let Some(Versioned { value: before, version }) = self.versioned_connection(scope, id).await? else {
                return Ok(false);
            };
            let Some(after) = change(&before).filter(|after| *after != before) else {
                return Ok(false);
            };
            let row = connection_row(scope, &after, Condition::Version(version), doing)?.version(version + 1);
            // Whether it works is remembered with the configuration; pauses, and when it was tried again, are not.
            let written = if ConnectionSummary::from(&after) == ConnectionSummary::from(&before) {
                self.database.put(row, doing).await
            } else {
                let Some(tenant) = self.tenant(scope).await? else {
                    return Ok(false);
                };
                let rows = vec![row, tenant_row(scope, &tenant, doing)?];
                self.database.transact(rows, doing).await
            };
            match written {
                Err(error) if error.is_conflict() => {}
                other => return other.map(|()| true),
            }
        }
        Err(StoreError::Conflict { doing })
    }

    /// Writes what the provider reports of a template. A template that we do not have is left alone.
    ///
    /// # Errors
    /// When the table does not answer, or a conflict.
    pub async fn note_template(&self, scope: &TenantScope, report: &TemplateReport) -> Result<bool, StoreError> {
        const DOING: &str = "write what is reported of a template";
        let key = keys::configured(scope, keys::TEMPLATE, &report.template.to_string());
        // The tenant first: its version, under which the template is written, stands for the template as it is read here.
        let Some(tenant) = self.tenant(scope).await? else {
            return Ok(false);
        };
        let Some(item) = self.database.get(&key, DOING).await?.filter(row::live) else {
            return Ok(false);
        };
        let before: TemplateDefinition = row::data(item, DOING)?;
        let mut template = before.clone();
        template.note(report);
        if template == before {
            return Ok(false);
        }
        let template = Row::new(&key, "template", &template, Condition::Always, DOING)?;
        self.database
            .transact(vec![template, tenant_row(scope, &tenant, DOING)?], DOING)
            .await?;
        Ok(true)
    }

    /// Writes all of a tenant's configuration; what it no longer has is removed, and its WhatsApp numbers are free for
    /// others. The tenant's row comes last, so that nobody remembers half of it under the new version.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn write_config(&self, scope: &TenantScope, configured: &Configured) -> Result<(), StoreError> {
        const DOING: &str = "write the tenant's configuration";
        let mut rows: Vec<(Key, Row)> = Vec::new();
        for rule in &configured.rules {
            rows.push(self.part(scope, keys::RULE, &rule.id.to_string(), "rule", rule)?);
        }
        for line in &configured.lines {
            let (key, row) = self.part(scope, keys::LINE, &line.id.to_string(), "line", line)?;
            rows.push((key, row.version(1)));
        }
        for template in &configured.templates {
            rows.push(self.part(scope, keys::TEMPLATE, &template_id(template), "template", template)?);
        }
        for product in &configured.products {
            rows.push(self.part(scope, keys::PRODUCT, &product.id, "product", product)?);
        }
        for connection in &configured.connections {
            let key = keys::configured(scope, keys::CONNECTION, &connection.id.to_string());
            // A condition on the version never holds for a row without one.
            rows.push((
                key,
                connection_row(scope, connection, Condition::Always, DOING)?.version(1),
            ));
        }
        let partition = keys::tenant_partition(scope);
        let kept = configured.connections.iter();
        let kept: Vec<Key> = kept
            .flat_map(|connection| lookups::claimable(&connection.account))
            .collect();
        let (mut gone, mut released) = (Vec::new(), Vec::new());
        for prefix in [keys::RULE, keys::LINE, keys::TEMPLATE, keys::PRODUCT, keys::CONNECTION] {
            for item in self
                .database
                .query(&partition, prefix, MOST_CONFIGURED, false, DOING)
                .await?
            {
                let Some(key) = key_of(&item) else { continue };
                if prefix == keys::CONNECTION {
                    let before: Connection = row::data(item.clone(), DOING)?;
                    released.extend(lookups::claimable(&before.account));
                }
                let Some((_, row)) = rows.iter_mut().find(|(kept, _)| *kept == key) else {
                    gone.push(key);
                    continue;
                };
                if prefix == keys::TEMPLATE {
                    let before: TemplateDefinition = row::data(item, DOING)?;
                    let id = template_id(&before);
                    if let Some(template) = configured.templates.iter().find(|one| template_id(one) == id) {
                        let template = template.clone().as_reported(&before);
                        *row = self.part(scope, keys::TEMPLATE, &id, "template", &template)?.1;
                    }
                } else {
                    // Health that somebody notes of the row as it was must not come over this one.
                    row.set_version(row::version_of(&item) + VERSIONS_SKIPPED);
                }
            }
        }
        // Before the connections change by which they are found.
        released.retain(|key| !kept.contains(key));
        for key in &self.leading_here(scope, released).await? {
            self.database.delete(key, DOING).await?;
        }
        for (_, row) in rows {
            self.database.put(row, DOING).await?;
        }
        for key in &gone {
            self.database.delete(key, DOING).await?;
        }
        let before = self.tenant(scope).await?;
        let tenant = configured.tenant_over(before.as_ref());
        let mut row = tenant_row(scope, &tenant, DOING)?;
        if before.is_none() {
            row.condition = Condition::New;
        }
        self.database.put(row, DOING).await
    }

    fn part(
        &self,
        scope: &TenantScope,
        prefix: &'static str,
        id: &str,
        kind: &'static str,
        data: &impl Serialize,
    ) -> Result<(Key, Row), StoreError> {
        let key = keys::configured(scope, prefix, id);
        let row = Row::new(&key, kind, data, Condition::Always, "write the tenant's configuration")?;
        Ok((key, row))
    }
}

/// The tenant's row with the next version.
pub(crate) fn tenant_row(scope: &TenantScope, tenant: &Tenant, doing: &'static str) -> Result<Row, StoreError> {
    let mut next = tenant.clone();
    next.config_version += 1;
    let condition = Condition::Version(tenant.config_version);
    let row = Row::new(&keys::tenant(scope), "tenant", &next, condition, doing)?;
    // The platform's list of tenants, in the order of their founding.
    let listed = row.listed(keys::PLATFORM_TENANTS.to_owned(), tenant.id.to_string());
    Ok(listed.version(next.config_version))
}

/// The row of a line that is new, or still has this version.
pub(crate) fn line_row(
    scope: &TenantScope,
    line: &Line,
    before: Option<u64>,
    stamp: &Stamp,
    doing: &'static str,
) -> Result<Row, StoreError> {
    let key = keys::configured(scope, keys::LINE, &line.id.to_string());
    let condition = before.map_or(Condition::NewOrGone, Condition::Version);
    let row = Row::new(&key, "line", line, condition, doing)?;
    Ok(row.version(before.unwrap_or_default() + 1).stamped(stamp))
}

/// The rule that a new tenant begins with.
pub(crate) fn first_rule_row(
    scope: &TenantScope,
    rule: &Rule,
    stamp: &Stamp,
    doing: &'static str,
) -> Result<Row, StoreError> {
    let key = keys::configured(scope, keys::RULE, &rule.id.to_string());
    Ok(Row::new(&key, "rule", rule, Condition::New, doing)?
        .version(1)
        .stamped(stamp))
}

/// The row of a tenant that is founded now.
pub(crate) fn new_tenant_row(scope: &TenantScope, tenant: &Tenant, doing: &'static str) -> Result<Row, StoreError> {
    let mut row = tenant_row(scope, tenant, doing)?;
    row.condition = Condition::New;
    Ok(row)
}

pub(crate) fn key_of(item: &Item) -> Option<Key> {
    Some(Key {
        pk: row::string(item, "pk")?.to_owned(),
        sk: row::string(item, "sk")?.to_owned(),
    })
}
