//! Configuration: the tenant, its connections, lines and rules, which processes cache; and all of it together, as an
//! operator writes it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use domain::{
    actor::Stamp,
    config::{ConnectionSummary, TenantConfig},
    connection::{Connection, Health, MOST_CONNECTIONS, Sealed},
    ids::{ConnectionId, TenantId},
    line::Line,
    message::Channel,
    product::Product,
    resource::Resource as _,
    rule::Rule,
    template::TemplateDefinition,
    tenant::Tenant,
};
use jiff::Timestamp;

use crate::{
    Owned, Part, Pointer, Store, StoreError, TenantScope, Versioned, keys,
    keys::Key,
    lookups, owned,
    row::{self, Condition, Row, Write},
};

/// Maximum tenants whose configuration one process caches.
const CACHED_TENANTS: usize = 256;

/// Cache of tenants' configuration, each valid for one version.
#[derive(Debug, Default)]
pub struct ConfigCache(Mutex<HashMap<TenantId, Arc<TenantConfig>>>);

/// A tenant's whole configuration, as an operator writes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Configured {
    /// The tenant; writing raises its version. Its name in URLs, its plan and its limits remain if this has none.
    pub tenant: Tenant,
    /// Whether to write the tenant's status. Otherwise it stays as it is.
    pub status_meant: bool,
    /// All its rules: others are deleted.
    pub rules: Vec<Rule>,
    /// All its lines: others are deleted. One that exists keeps its times, unless a field differs.
    pub lines: Vec<Line>,
    /// Whether to write the lines. Otherwise those in the table stay as they are, also if somebody changes them meanwhile.
    pub lines_meant: bool,
    /// All its templates: others are deleted.
    pub templates: Vec<TemplateDefinition>,
    /// All its products: others are deleted. Their times are as those of lines.
    pub products: Vec<Product>,
    /// Whether to write the products. Otherwise those in the table stay as they are.
    pub products_meant: bool,
    /// All its connections, sealed: others are deleted.
    pub connections: Vec<Connection>,
}

/// An operator's write skips this many versions, so that no worker's version catches up with it in between.
const VERSIONS_SKIPPED: u64 = 1000;

impl Configured {
    /// The tenant to be written over the stored one.
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

impl Owned for Connection {
    const KIND: &'static str = "connection";
    const PART: Part = Part::Connections;
    const PREFIX: &'static str = keys::CONNECTION;
    const MOST: u32 = MOST_CONNECTIONS as u32;
    const REMEMBERED: bool = true;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn removed(&self, _at: Timestamp) -> Self {
        Self {
            verify: Sealed(String::new()),
            send: None,
            ..self.clone()
        }
    }
}

impl Owned for Rule {
    const KIND: &'static str = "rule";
    const PART: Part = Part::Configuration;
    const PREFIX: &'static str = "RULE#";
    const MOST: u32 = 500;
    const REMEMBERED: bool = true;

    fn id(&self) -> String {
        self.id.to_string()
    }
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

    /// Changes the tenant's settings, if its configuration is unchanged since it was read: `tenant` still has the version
    /// that was read. Returns the new one.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] after a lost race.
    pub async fn change_tenant(&self, scope: &TenantScope, tenant: &Tenant, stamp: &Stamp) -> Result<u64, StoreError> {
        const DOING: &str = "change the tenant's settings";
        let row = tenant_row(scope, tenant, DOING)?.stamped(stamp);
        self.database.put(row, DOING).await?;
        Ok(tenant.config_version + 1)
    }

    /// The tenant's current configuration: one read, and two queries if it has changed since this process read it.
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
        // By their prefixes: the partition of rules and lines has kinds of rows that no message needs, too.
        let (rules, lines, connections) = tokio::try_join!(
            Box::pin(self.rules(scope)),
            Box::pin(self.all(scope)),
            Box::pin(self.connections(scope))
        )?;
        let connections = connections.iter().map(ConnectionSummary::from).collect();
        let config = Arc::new(TenantConfig {
            tenant,
            rules,
            lines,
            connections,
        });
        let mut known = cache.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= CACHED_TENANTS {
            known.clear();
        }
        known.insert(config.tenant.id, Arc::clone(&config));
        Ok(Some(config))
    }

    /// The tenant's rules, with their versions.
    async fn rules(&self, scope: &TenantScope) -> Result<Vec<Rule>, StoreError> {
        const DOING: &str = "read the tenant's rules";
        let items = self.every(scope, Rule::PART, Rule::PREFIX, DOING).await?;
        let live = items.into_iter().filter(row::live);
        let rules = live.map(|item| {
            let version = row::version_of(&item);
            let rule: Rule = row::data(item, DOING)?;
            Ok(Rule { version, ..rule })
        });
        rules.collect()
    }

    /// The tenant's connections.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn connections(&self, scope: &TenantScope) -> Result<Vec<Connection>, StoreError> {
        self.all(scope).await
    }

    /// A connection with its current health.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn connection(&self, scope: &TenantScope, id: ConnectionId) -> Result<Option<Connection>, StoreError> {
        let found = self.get::<Connection>(scope, &id).await?;
        Ok(found.map(|found| found.value))
    }

    /// Changes a connection's health and pause on the row's current state, so that concurrent changes are preserved.
    /// `change` returns the new values, or `None` for no change. If the credentials have changed since `seen` was read,
    /// nothing is written, since the result concerns the old ones. Returns whether anything was written.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] after a lost race.
    pub async fn change_connection(
        &self,
        scope: &TenantScope,
        seen: &Connection,
        change: impl FnOnce(&Connection) -> Option<(Health, Option<Timestamp>)>,
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

    /// Writes what `change` makes of a connection's current row. `None` or an equal value changes nothing. Returns whether
    /// anything was written.
    pub(crate) async fn rewrite_connection(
        &self,
        scope: &TenantScope,
        id: ConnectionId,
        doing: &'static str,
        change: impl FnOnce(&Connection) -> Option<Connection>,
    ) -> Result<bool, StoreError> {
        let Some(Versioned { value: before, version }) = self.get::<Connection>(scope, &id).await? else {
            return Ok(false);
        };
        let Some(after) = change(&before).filter(|after| *after != before) else {
            return Ok(false);
        };
        let row = owned::change_row(scope, version, &after)?;
        // Its health is cached with the configuration; pauses, and the time of the last probe, are not.
        if ConnectionSummary::from(&after) == ConnectionSummary::from(&before) {
            self.database.put(row, doing).await?;
        } else {
            let writes = vec![Write::Put(row), Write::Raise(keys::tenant(scope))];
            self.database.transact_writes(writes, doing).await?;
        }
        Ok(true)
    }

    /// Writes a tenant's whole configuration. Whatever it no longer contains is deleted, and its WhatsApp numbers are free
    /// for others. The tenant's row is written last, so that nobody caches half of the configuration under the new version.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn write_config(&self, scope: &TenantScope, configured: &Configured) -> Result<(), StoreError> {
        const DOING: &str = "write the tenant's configuration";
        let carries = |connection: &&Connection| connection.carries(Channel::WhatsApp);
        let carrying: Vec<ConnectionId> = configured
            .connections
            .iter()
            .filter(carries)
            .map(|one| one.id)
            .collect();
        let templates = configured.templates.iter().flat_map(|template| {
            let of = |id: ConnectionId| TemplateDefinition {
                connection: Some(id),
                ..template.clone()
            };
            let connections = template.connection.map_or_else(|| carrying.clone(), |id| vec![id]);
            connections.into_iter().map(of)
        });
        let templates: Vec<TemplateDefinition> = templates.collect();
        let kept = configured.connections.iter();
        let kept: Vec<Key> = kept
            .flat_map(|connection| lookups::claimable(&connection.account))
            .collect();
        let mut rows = Vec::new();
        let mut gone = Vec::new();
        self.replace(scope, &configured.rules, as_given, &mut rows, &mut gone)
            .await?;
        if configured.lines_meant {
            self.replace(scope, &configured.lines, Line::in_place_of, &mut rows, &mut gone)
                .await?;
        }
        let as_reported = |given: &TemplateDefinition, known: &TemplateDefinition| given.clone().as_reported(known);
        self.replace(scope, &templates, as_reported, &mut rows, &mut gone)
            .await?;
        if configured.products_meant {
            self.replace(scope, &configured.products, Product::in_place_of, &mut rows, &mut gone)
                .await?;
        }
        let before = self
            .replace(scope, &configured.connections, as_given, &mut rows, &mut gone)
            .await?;
        let released = before.iter().flat_map(|known| lookups::claimable(&known.account));
        let released: Vec<Key> = released.filter(|key| !kept.contains(key)).collect();
        // Before the connections change, since the claims are found by them.
        for key in &self.leading_here(scope, released).await? {
            self.database.delete(key, DOING).await?;
        }
        for row in rows {
            self.database.put(row, DOING).await?;
        }
        self.database.delete_many(&gone, DOING).await?;
        let before = self.tenant(scope).await?;
        let tenant = configured.tenant_over(before.as_ref());
        let mut row = tenant_row(scope, &tenant, DOING)?;
        if before.is_none() {
            row.condition = Condition::New;
        }
        self.database.put(row, DOING).await
    }

    /// Adds the rows that replace all existing ones of a kind, and the keys of those that are deleted. `over` merges a
    /// given value with the existing one. Returns the existing ones.
    async fn replace<T: Owned>(
        &self,
        scope: &TenantScope,
        given: &[T],
        over: impl Fn(&T, &T) -> T,
        rows: &mut Vec<Row>,
        gone: &mut Vec<Key>,
    ) -> Result<Vec<T>, StoreError> {
        let mut versions = BTreeMap::new();
        let mut before = BTreeMap::new();
        for item in self.every(scope, T::PART, T::PREFIX, T::KIND).await? {
            let Some(key) = row::key_of(&item) else { continue };
            gone.push(key.clone());
            versions.insert(key.sk.clone(), row::version_of(&item));
            let value: T = row::data(item, T::KIND)?;
            gone.extend(value.pointers(scope).into_iter().map(Pointer::key));
            before.insert(key.sk, value);
        }
        let mut places = BTreeSet::new();
        for one in given {
            let key = owned::key::<T>(scope, &one.id());
            let value = before
                .get(&key.sk)
                .map_or_else(|| one.clone(), |known| over(one, known));
            // A condition on the version never holds for a row without one; and a concurrent note based on the old row must
            // not overwrite this one.
            let version = versions.get(&key.sk).map_or(1, |version| version + VERSIONS_SKIPPED);
            rows.push(Row::new(&key, T::KIND, &value, Condition::Always, T::KIND)?.version(version));
            rows.extend(
                value
                    .pointers(scope)
                    .into_iter()
                    .map(|pointer| pointer.row(Condition::Always, None)),
            );
            places.insert(key.sk);
        }
        rows.push(Row::counting(&owned::count_key::<T>(scope), places.len()));
        let kept: HashSet<Key> = rows.iter().map(Row::key).collect();
        gone.retain(|key| !kept.contains(key));
        Ok(before.into_values().collect())
    }
}

/// A given value as it is, over an existing one.
fn as_given<T: Clone>(given: &T, _existing: &T) -> T {
    given.clone()
}

/// The tenant's row with the next version.
pub(crate) fn tenant_row(scope: &TenantScope, tenant: &Tenant, doing: &'static str) -> Result<Row, StoreError> {
    let mut next = tenant.clone();
    next.config_version += 1;
    let condition = Condition::Version(tenant.config_version);
    let row = Row::new(&keys::tenant(scope), "tenant", &next, condition, doing)?;
    // The platform's list of tenants, in the order of creation.
    let listed = row.listed(keys::PLATFORM_TENANTS.to_owned(), tenant.id.to_string());
    Ok(listed.version(next.config_version))
}

/// The first rule of a new tenant. It does not raise the tenant's version, since the tenant is written with it.
pub(crate) fn first_rule_writes(scope: &TenantScope, rule: &Rule, stamp: &Stamp) -> Result<Vec<Write>, StoreError> {
    let mut writes = owned::create_writes(scope, rule, stamp)?;
    writes.retain(|write| !matches!(write, Write::Raise(_)));
    Ok(writes)
}

/// The row of a new tenant.
pub(crate) fn new_tenant_row(scope: &TenantScope, tenant: &Tenant, doing: &'static str) -> Result<Row, StoreError> {
    let mut row = tenant_row(scope, tenant, doing)?;
    row.condition = Condition::New;
    Ok(row)
}
