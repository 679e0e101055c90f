//! Configuration: the tenant, its connections, lines, teams and rules, which processes cache; and all of it together, as an
//! operator writes it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::money::Product;
use domain::templates::TemplateDefinition;
use domain::tenants::{Connection, ConnectionSummary, Line, MAX_CONNECTIONS, Rule, Sealed, Tenant, TenantConfig};
use domain::terms::{Channel, ConnectionId, Resource as _, Stamp, TenantId};
use jiff::Timestamp;

use crate::inbox::idle_look_row;
use crate::table::keys::{self, Key};
use crate::table::row::{self, Condition, Item, Row, Write};
use crate::table::{lookups, owned};
use crate::{Owned, Part, Pointer, Signed, Store, StoreError, TenantScope, Versioned};

const READ_TENANT: &str = "read the tenant";

/// Maximum tenants whose configuration one process caches.
const CACHED_TENANTS: usize = 256;

/// Cache of tenants' configuration, each valid for one version.
#[derive(Debug, Default)]
pub struct ConfigCache(Mutex<HashMap<TenantId, Arc<TenantConfig>>>);

/// The row of a tenant that was read with others: see [`Store::config_of`].
#[derive(Debug, Clone)]
pub struct TenantRow(pub(crate) Option<Item>);

impl TenantRow {
    /// Whether there is such a tenant.
    pub const fn exists(&self) -> bool {
        self.0.is_some()
    }
}

/// A tenant's whole configuration, as an operator writes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Configured {
    /// The tenant; writing raises its version. Its name in URLs, its plan, its limits and its caps remain if this has none.
    pub tenant: Tenant,
    /// Whether to write the tenant's status. Otherwise it stays as it is.
    pub status_meant: bool,
    /// All its rules: others are deleted. Their times are as those of lines.
    pub rules: Vec<Rule>,
    /// Whether to write the rules. Otherwise those in the table stay as they are.
    pub rules_meant: bool,
    /// All its lines: others are deleted. One that exists keeps its times, unless a field differs.
    pub lines: Vec<Line>,
    /// Whether to write the lines. Otherwise those in the table stay as they are, also if somebody changes them meanwhile.
    pub lines_meant: bool,
    /// All its templates: others are deleted.
    pub templates: Vec<TemplateDefinition>,
    /// Whether to write the templates. Otherwise those in the table stay as they are.
    pub templates_meant: bool,
    /// All its products: others are deleted. Their times are as those of lines.
    pub products: Vec<Product>,
    /// Whether to write the products. Otherwise those in the table stay as they are.
    pub products_meant: bool,
    /// All its connections, sealed: others are deleted.
    pub connections: Vec<Connection>,
    /// Time of the write.
    pub at: Timestamp,
}

/// An operator's write skips this many versions, so that no worker's version catches up with it in between. One more than a multiple of
/// the versions that are kept: the next one has the next place among them.
const VERSIONS_SKIPPED: u64 = 10 * owned::VERSIONS_KEPT + 1;

impl Configured {
    /// The tenant to be written over the stored one.
    fn tenant_over(&self, before: Option<&Tenant>) -> Tenant {
        let mut tenant = self.tenant.clone();
        tenant.config_version = before.map_or(0, |before| before.config_version);
        if let Some(before) = before {
            tenant.slug = tenant.slug.or_else(|| before.slug.clone());
            tenant.plan = tenant.plan.or_else(|| before.plan.clone());
            tenant.limits = tenant.limits.or(before.limits);
            tenant.caps = tenant.caps.or_else(|| before.caps.clone());
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
    const MAX: u32 = MAX_CONNECTIONS as u32;
    const REMEMBERED: bool = true;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn last_state(&self, _at: Timestamp) -> Self {
        Self {
            verify: Sealed(String::new()),
            send: None,
            ..self.clone()
        }
    }
}

impl Store {
    pub async fn tenant(&self, scope: &TenantScope) -> Result<Option<Tenant>, StoreError> {
        let item = self.database.get(&keys::tenant(scope), READ_TENANT).await?;
        row::data_if_any(item, READ_TENANT)
    }

    /// Changes the tenant's settings, if its configuration is unchanged since it was read: `tenant` still has the version
    /// that was read. Returns the new one.
    pub async fn change_tenant(&self, scope: &TenantScope, tenant: &Tenant, stamp: &Stamp) -> Result<u64, StoreError> {
        const DOING: &str = "change the tenant's settings";
        let row = tenant_row(scope, tenant, DOING)?.with_stamp(stamp);
        self.database.put(row, DOING).await?;
        Ok(tenant.config_version + 1)
    }

    /// Changes the tenant's settings as [`change_tenant`](Store::change_tenant), and lets idle conversations be looked at from now on.
    pub async fn change_inbox(&self, scope: &TenantScope, tenant: &Tenant, stamp: &Stamp) -> Result<u64, StoreError> {
        const DOING: &str = "change the settings of the inbox";
        let version = tenant.config_version + 1;
        let look = idle_look_row(scope, version, stamp.at, DOING)?;
        let tenant = tenant_row(scope, tenant, DOING)?.with_stamp(stamp);
        let writes = vec![Write::Put(tenant), Write::Put(look)];
        self.database.transact_writes(writes, DOING).await?;
        Ok(version)
    }

    /// The tenant's current configuration: one read, and four queries at once if it has changed since this process read it.
    pub async fn config(
        &self,
        scope: &TenantScope,
        cache: &ConfigCache,
    ) -> Result<Option<Arc<TenantConfig>>, StoreError> {
        let row = self.database.get(&keys::tenant(scope), READ_TENANT).await?;
        self.config_of(scope, cache, TenantRow(row)).await
    }

    /// The tenant's current configuration by the tenant's row, as it was just read: four queries at once if it has changed since this
    /// process read the others.
    pub async fn config_of(
        &self,
        scope: &TenantScope,
        cache: &ConfigCache,
        row: TenantRow,
    ) -> Result<Option<Arc<TenantConfig>>, StoreError> {
        let Some(item) = row.0 else {
            return Ok(None);
        };
        {
            let known = cache.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(config) = known.get(&scope.tenant())
                && config.tenant.config_version == row::version_of(&item)
            {
                return Ok(Some(Arc::clone(config)));
            }
        }
        let tenant: Tenant = row::data(item, READ_TENANT)?;
        // By their prefixes: the partition of rules and lines has kinds of rows that no message needs, too.
        let (rules, lines, teams, connections) = tokio::try_join!(
            Box::pin(self.rules(scope)),
            Box::pin(self.all(scope)),
            Box::pin(self.all(scope)),
            Box::pin(self.connections(scope))
        )?;
        let connections = connections.iter().map(ConnectionSummary::from).collect();
        let config = Arc::new(TenantConfig {
            tenant,
            rules,
            lines,
            teams,
            connections,
        });
        let mut known = cache.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= CACHED_TENANTS {
            known.clear();
        }
        known.insert(config.tenant.id, Arc::clone(&config));
        Ok(Some(config))
    }

    /// The tenant's rules that are not archived, with their versions.
    async fn rules(&self, scope: &TenantScope) -> Result<Vec<Rule>, StoreError> {
        const DOING: &str = "read the tenant's rules";
        let items = self.every(scope, Rule::PART, Rule::PREFIX, DOING).await?;
        let live = items.into_iter().filter(row::live);
        let rules = live.map(|item| {
            let version = row::version_of(&item);
            let rule: Rule = row::data(item, DOING)?;
            Ok(Rule { version, ..rule })
        });
        let mut rules: Vec<Rule> = rules.collect::<Result<_, StoreError>>()?;
        rules.retain(|rule| rule.archived_at.is_none());
        Ok(rules)
    }

    pub async fn connections(&self, scope: &TenantScope) -> Result<Vec<Connection>, StoreError> {
        self.all(scope).await
    }

    /// A connection with its current health.
    pub async fn connection(&self, scope: &TenantScope, id: ConnectionId) -> Result<Option<Connection>, StoreError> {
        let found = self.get::<Connection>(scope, &id).await?;
        Ok(found.map(|found| found.value))
    }

    /// Changes a connection's health, pause or throughput on the row's current state, so that concurrent changes are preserved.
    /// If the credentials have changed since `seen` was read, nothing is written, since the result concerns the old ones.
    /// Returns whether anything was written.
    pub async fn change_connection(
        &self,
        scope: &TenantScope,
        seen: &Connection,
        change: impl FnOnce(Connection) -> Connection,
    ) -> Result<bool, StoreError> {
        self.rewrite_connection(scope, seen.id, "write a connection's health", |current| {
            if current.credentials_version == seen.credentials_version {
                change(current)
            } else {
                current
            }
        })
        .await
    }

    /// Writes what `change` makes of a connection's current row, unless that is equal. Returns whether anything was written.
    pub(crate) async fn rewrite_connection(
        &self,
        scope: &TenantScope,
        id: ConnectionId,
        doing: &'static str,
        change: impl FnOnce(Connection) -> Connection,
    ) -> Result<bool, StoreError> {
        let Some(Versioned { value: before, version }) = self.get::<Connection>(scope, &id).await? else {
            return Ok(false);
        };
        let after = change(before.clone());
        if after == before {
            return Ok(false);
        }
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
        let mut written = Written::new(configured.at);
        if configured.rules_meant {
            self.replace(scope, &configured.rules, rule_over, &mut written).await?;
        }
        if configured.lines_meant {
            self.replace(scope, &configured.lines, Line::in_place_of, &mut written)
                .await?;
        }
        if configured.templates_meant {
            let as_reported = |given: &TemplateDefinition, known: &TemplateDefinition| given.clone().as_reported(known);
            self.replace(scope, &templates, as_reported, &mut written).await?;
        }
        if configured.products_meant {
            self.replace(scope, &configured.products, Product::in_place_of, &mut written)
                .await?;
        }
        let before = self
            .replace(scope, &configured.connections, as_given, &mut written)
            .await?;
        let released = before.iter().flat_map(|known| lookups::claimable(&known.account));
        let released: Vec<Key> = released.filter(|key| !kept.contains(key)).collect();
        // Before the connections change, since the claims are found by them.
        for key in &self.leading_here(scope, released).await? {
            self.database.delete(key, DOING).await?;
        }
        for row in written.kept.into_iter().chain(written.rows) {
            self.database.put(row, DOING).await?;
        }
        self.database.delete_many(&written.gone, DOING).await?;
        let before = self.tenant(scope).await?;
        let tenant = configured.tenant_over(before.as_ref());
        let mut row = tenant_row(scope, &tenant, DOING)?;
        if before.is_none() {
            row.condition = Condition::New;
        }
        self.database.put(row, DOING).await?;
        let known = before.and_then(|before| before.inbox);
        if tenant.inbox.is_some_and(|inbox| inbox.close_anew(known)) {
            let version = tenant.config_version + 1;
            self.database
                .put(idle_look_row(scope, version, configured.at, DOING)?, DOING)
                .await?;
        }
        Ok(())
    }

    /// Adds the rows that replace all existing ones of a kind, and the keys of those that are deleted. `over` merges a
    /// given value with the existing one. Returns the existing ones.
    async fn replace<T: Owned>(
        &self,
        scope: &TenantScope,
        given: &[T],
        over: impl Fn(&T, &T) -> T,
        written: &mut Written,
    ) -> Result<Vec<T>, StoreError> {
        let mut known = BTreeMap::new();
        for item in self.every(scope, T::PART, T::PREFIX, T::KIND).await? {
            let Some(key) = row::key_of(&item) else { continue };
            written.gone.push(key.clone());
            let existing = Existing {
                version: row::version_of(&item),
                data: item.get("data").filter(|_| row::live(&item)).cloned(),
                signed: owned::read_signed::<T>(Some(item.clone()))?,
                value: row::data(item, T::KIND)?,
            };
            let pointers = existing.value.pointers(scope).into_iter();
            written.gone.extend(pointers.map(Pointer::key));
            known.insert(key.sk, existing);
        }
        let (mut places, mut of_share) = (BTreeSet::new(), 0);
        for one in given {
            let key = owned::key::<T>(scope, &one.id());
            let existing = known.get_mut(&key.sk);
            let value = existing
                .as_ref()
                .map_or_else(|| one.clone(), |existing| over(one, &existing.value));
            // A condition on the version never holds for a row without one; and a concurrent note based on the old row must
            // not overwrite this one.
            let version = existing
                .as_ref()
                .map_or(1, |existing| existing.version + VERSIONS_SKIPPED);
            let row = Row::new(&key, T::KIND, &value, Condition::Always, T::KIND)?.version(version);
            let pointers = value.pointers(scope).into_iter();
            written
                .rows
                .extend(pointers.map(|pointer| pointer.row(Condition::Always, None)));
            of_share += usize::from(value.is_of_share());
            places.insert(key.sk.clone());
            match existing {
                // Equal versions would push others out of the places for them.
                Some(existing) if T::VERSIONS.is_some() && existing.holds(&row) => {
                    existing.signed = None;
                    written.stays.insert(key);
                }
                _ => written.rows.push(row),
            }
        }
        for former in known.values().filter_map(|existing| existing.signed.as_ref()) {
            written.kept.extend(owned::kept_row(scope, former, written.at)?);
        }
        written
            .rows
            .push(Row::counting(&owned::count_key::<T>(scope), places.len()));
        if let Some(share) = T::SHARE {
            let key = owned::share_key::<T>(scope, share);
            written.rows.push(Row::counting(&key, of_share));
        }
        written.stays.extend(written.rows.iter().map(Row::key));
        written.gone.retain(|key| !written.stays.contains(key));
        Ok(known.into_values().map(|existing| existing.value).collect())
    }
}

/// Rows that the write of a whole configuration writes and deletes.
struct Written {
    /// Versions that are kept of the rows that it replaces or deletes.
    kept: Vec<Row>,
    rows: Vec<Row>,
    gone: Vec<Key>,
    /// Rows that are not deleted.
    stays: HashSet<Key>,
    at: Timestamp,
}

impl Written {
    fn new(at: Timestamp) -> Self {
        Self {
            kept: Vec::new(),
            rows: Vec::new(),
            gone: Vec::new(),
            stays: HashSet::new(),
            at,
        }
    }
}

/// A row that such a write replaces or deletes.
struct Existing<T> {
    value: T,
    version: u64,
    /// Its item as it is stored, unless it is marked as deleted.
    data: Option<AttributeValue>,
    /// The version to keep of it, if its kind keeps versions; nothing if it stays as it is or is marked as deleted.
    signed: Option<Versioned<Signed<T>>>,
}

impl<T> Existing<T> {
    /// Whether the table already holds this row. One without a version cannot be changed, so it is written again.
    fn holds(&self, row: &Row) -> bool {
        self.version > 0 && self.data.is_some() && self.data.as_ref() == row.item.get("data")
    }
}

/// A given rule in the place of an existing one: archived if it is given so.
fn rule_over(given: &Rule, known: &Rule) -> Rule {
    let after = given.in_place_of(known);
    if after.archived_at == given.archived_at {
        return after;
    }
    Rule {
        archived_at: given.archived_at,
        ..after.changed_at(given.updated_at)
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
    let row = row.in_list(keys::PLATFORM_TENANTS.to_owned(), tenant.id.to_string());
    Ok(row.version(next.config_version))
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
