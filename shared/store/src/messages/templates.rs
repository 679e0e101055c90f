//! Templates of a tenant: their list, and what the provider's lists and answers change in them. What a message needs of them is in
//! [`crate::messages::LegMaterial`].

use std::collections::BTreeMap;

use domain::messages::{Leg, doubts_template};
use domain::templates::{
    Cause, LastSync, ListedNames, TemplateDefinition, TemplateKey, TemplateReport, sync_operation,
};
use domain::terms::{Actor, Api, ConnectionId, Stamp};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};

use crate::messages::template_key;
use crate::table::keys::{self, Key};
use crate::table::owned::{self, Unwritten};
use crate::table::row::{self, Condition, Row, Write};
use crate::{Owned as _, Page, Part, Signed, Store, StoreError, TenantScope, Versioned};

/// Rows that one page of a list examines at most.
const MAX_EXAMINED: i32 = 300;

/// Rows that are read at a time to find those which the provider no longer has.
const SWEPT: i32 = 200;

/// Writes at the same time.
const AT_ONCE: usize = 8;

/// Retention of the record of a list.
const SYNC_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A filter of templates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TemplateFilter {
    /// Only templates of this connection.
    pub connection: Option<ConnectionId>,
    /// Only templates in this state, in Meta's words.
    pub status: Option<String>,
    /// Only templates with this name.
    pub name: Option<String>,
}

impl TemplateFilter {
    fn prefix(&self) -> String {
        match (self.connection, &self.name) {
            (Some(connection), Some(name)) => format!("{connection}#{name}#"),
            (Some(connection), None) => format!("{connection}#"),
            (None, _) => TemplateDefinition::PREFIX.to_owned(),
        }
    }

    /// Whether a position can be one in this list.
    pub fn has(&self, position: &str) -> bool {
        position.starts_with(&self.prefix())
    }

    fn admits(&self, template: &TemplateDefinition) -> bool {
        self.status.as_ref().is_none_or(|status| template.status.0 == *status)
            && self.name.as_ref().is_none_or(|name| template.name == *name)
    }
}

/// Changes that a page of the provider's list made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Noted {
    /// Templates that were not known.
    pub created: u64,
    /// Templates that had changed.
    pub changed: u64,
    /// Templates without room.
    pub skipped: u64,
    /// Whether the provider's verdict on one of them is awaited.
    pub awaited: bool,
}

/// Result of comparing a page of a connection's templates with the whole list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Swept {
    /// Templates that the provider no longer has.
    pub gone: u64,
    /// Whether it has another one of a name of theirs, which the next list takes over.
    pub replaced: bool,
    /// Position of the next page; `None`: there is none.
    pub next: Option<String>,
}

/// The writes of a template that was observed at the provider. If it says something else than before, that is kept as a version.
pub(crate) fn observed_writes(
    scope: &TenantScope,
    before: &Versioned<Signed<TemplateDefinition>>,
    after: &TemplateDefinition,
    at: Timestamp,
) -> Result<Vec<Write>, StoreError> {
    let row = owned::change_row(scope, before.version, after)?;
    if before.value.value.has_content_of(after) {
        return Ok(vec![Write::Put(row.with_author(before.value.by))]);
    }
    let kept = owned::kept_row(scope, before, at)?.map(Write::Put);
    Ok([Write::Put(row)].into_iter().chain(kept).collect())
}

impl Store {
    /// Writes what was observed: a single row without a transaction.
    pub(crate) async fn write_observed(&self, mut writes: Vec<Write>, doing: &'static str) -> Result<(), StoreError> {
        if writes.is_empty() {
            return Ok(());
        }
        if let [Write::Put(_)] = &writes[..]
            && let Some(Write::Put(row)) = writes.pop()
        {
            return self.database.put(row, doing).await;
        }
        self.database.transact_writes(writes, doing).await
    }

    /// Writes a provider's report on a template into those of these connections, which share an account. Connections
    /// without the template are skipped. Returns whether anything was new.
    pub async fn note_template(
        &self,
        scope: &TenantScope,
        connections: &[ConnectionId],
        report: &TemplateReport,
    ) -> Result<bool, StoreError> {
        const DOING: &str = "write a report on a template";
        let (name, language) = (report.template.name(), report.template.language());
        let keys: Vec<Key> = connections
            .iter()
            .map(|connection| template_key(scope, *connection, name, language))
            .collect();
        let mut writes = Vec::new();
        for item in self.database.get_many(&keys, DOING).await?.into_values() {
            let Some(before) = owned::read_signed::<TemplateDefinition>(Some(item))? else {
                continue;
            };
            let mut after = before.value.value.clone();
            after.note(report);
            if after != before.value.value {
                writes.extend(observed_writes(scope, &before, &after, report.at)?);
            }
        }
        let is_new = !writes.is_empty();
        self.write_observed(writes, DOING).await?;
        Ok(is_new)
    }

    /// Writes a template under the condition of the version that was read, without keeping that one: what is written is not what it says,
    /// but what becomes of it. `stamp`: the author, if it is a user.
    pub async fn write_template(
        &self,
        scope: &TenantScope,
        before: u64,
        after: &TemplateDefinition,
        stamp: Option<&Stamp>,
    ) -> Result<Versioned<TemplateDefinition>, StoreError> {
        let row = owned::change_row(scope, before, after)?;
        let row = match stamp {
            Some(stamp) => row.with_stamp(stamp),
            None => row,
        };
        self.database.put(row, "write the state of a template").await?;
        Ok(Versioned {
            value: after.clone(),
            version: before + 1,
        })
    }

    /// A page of a tenant's templates, by connection, name and language. `after` is a position of [`TemplateFilter::has`]. A page may hold
    /// fewer than `limit` without being the last.
    pub async fn templates(
        &self,
        scope: &TenantScope,
        filter: &TemplateFilter,
        after: Option<&str>,
        limit: i32,
    ) -> Result<Page<Versioned<TemplateDefinition>>, StoreError> {
        const DOING: &str = "list templates";
        let examined = if filter.status.is_some() || filter.name.is_some() {
            MAX_EXAMINED
        } else {
            limit
        };
        let partition = keys::part(scope, Part::Templates);
        let (rows, more) = self
            .database
            .page(&partition, &filter.prefix(), after, examined, false, DOING)
            .await?;
        let most = usize::try_from(limit).unwrap_or_default();
        let (mut items, mut last, mut cut) = (Vec::new(), None, false);
        for item in rows {
            if items.len() == most {
                cut = true;
                break;
            }
            last = row::string(&item, "sk").map(str::to_owned);
            let found: Option<Versioned<TemplateDefinition>> = row::read_versioned(Some(item), None, DOING)?;
            items.extend(found.filter(|found| filter.admits(&found.value)));
        }
        Ok(Page {
            items,
            next: last.filter(|_| more || cut),
        })
    }

    /// Takes over a page of the provider's list that began at this time, of at most a hundred templates: one read, and a write for each
    /// template that differs. What somebody else writes meanwhile is newer, and stays.
    pub async fn note_listed(
        &self,
        scope: &TenantScope,
        connection: ConnectionId,
        listed: &[TemplateDefinition],
        at: Timestamp,
        wanted: bool,
    ) -> Result<Noted, StoreError> {
        const DOING: &str = "read the templates of a list";
        let mut by_key: BTreeMap<String, (Key, Vec<&TemplateDefinition>)> = BTreeMap::new();
        for one in listed {
            if TemplateKey::new(&one.name, &one.language).is_some() {
                let key = template_key(scope, connection, &one.name, &one.language);
                let of_key = by_key.entry(key.sk.clone()).or_insert_with(|| (key, Vec::new()));
                of_key.1.push(one);
            }
        }
        let keys: Vec<Key> = by_key.values().map(|(key, _)| key.clone()).collect();
        let mut found = self.database.get_many(&keys, DOING).await?;
        let (mut changed, mut created) = (Vec::new(), Vec::new());
        let mut noted = Noted::default();
        for (key, mut all) in by_key.into_values() {
            let item = found.remove(&key);
            // The page may be older than the deletion.
            let gone_at = item.as_ref().and_then(row::gone_at);
            if gone_at.is_some_and(|gone| at.as_second() <= gone.as_second()) {
                continue;
            }
            let before = owned::read_signed::<TemplateDefinition>(item)?;
            let known = before.as_ref().map(|before| &before.value.value);
            let sid = known.and_then(|known| known.content_sid.as_ref());
            // Twilio may have several contents of one name: the known one comes first, then those that can be sent.
            all.sort_by_key(|one| (sid.is_none() || one.content_sid.as_ref() != sid, !one.status.sendable()));
            let mut after: Option<TemplateDefinition> = None;
            for one in all {
                let now = TemplateDefinition::after_list(after.as_ref().or(known), one, connection, at, wanted);
                after = now.or(after);
            }
            let open =
                |now: &TemplateDefinition| now.is_awaited() || now.doubted_at.is_some() || now.submitting.is_some();
            noted.awaited |= after.as_ref().or(known).is_some_and(open);
            match (before, after) {
                (Some(before), Some(after)) => changed.push(observed_writes(scope, &before, &after, at)?),
                (None, Some(after)) => created.push(after),
                (_, None) => {}
            }
        }
        noted.changed = self.write_each(changed).await?;
        for new in created {
            match self.create_listed(scope, &new, at).await? {
                true => noted.created += 1,
                false => noted.skipped += 1,
            }
        }
        Ok(noted)
    }

    /// Takes over an edit of a template at the provider into the templates of these other connections of its account. Those without it are
    /// skipped.
    pub async fn note_edit(
        &self,
        scope: &TenantScope,
        connections: &[ConnectionId],
        edited: &TemplateDefinition,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "take over an edit of a template";
        let keys: Vec<Key> = connections
            .iter()
            .map(|connection| template_key(scope, *connection, &edited.name, &edited.language))
            .collect();
        let mut writes = Vec::new();
        for item in self.database.get_many(&keys, DOING).await?.into_values() {
            let Some(before) = owned::read_signed::<TemplateDefinition>(Some(item))? else {
                continue;
            };
            if let Some(after) = before.value.value.edited_as(edited) {
                writes.extend(observed_writes(scope, &before, &after, at)?);
            }
        }
        self.write_observed(writes, DOING).await
    }

    /// Writes each of these changes, unless somebody else was faster. Returns the number of those that were written.
    async fn write_each(&self, changes: Vec<Vec<Write>>) -> Result<u64, StoreError> {
        const DOING: &str = "write a template of a list";
        let write = |writes| async move {
            match self.write_observed(writes, DOING).await {
                Ok(()) => Ok(1),
                Err(error) if error.is_conflict() => Ok(0),
                Err(error) => Err(error),
            }
        };
        let written = stream::iter(changes).map(write).buffer_unordered(AT_ONCE);
        written
            .try_fold(0_u64, |sum, one: u64| async move { Ok(sum + one) })
            .await
    }

    /// Creates a template that the provider has. Returns whether there was room.
    async fn create_listed(
        &self,
        scope: &TenantScope,
        new: &TemplateDefinition,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let stamp = Stamp {
            actor: Actor::Operator,
            at,
            correlation_id: String::new(),
        };
        let mut writes = owned::create_writes(scope, new, &stamp)?;
        // Nobody wrote it, so the audit log has no author of it.
        if let Some(Write::Put(row)) = writes.first_mut() {
            row.item.remove("by");
        }
        match self.write_until_settled(writes, "create a template of a list").await {
            Ok(()) => Ok(true),
            Err(Unwritten::Lost(lost)) => Ok(!lost.refused.contains(&owned::COUNT)),
            Err(Unwritten::Store(error)) => Err(error),
        }
    }

    /// Counts, on a page of a connection's templates, those that a whole list, which began at this time, does not show.
    pub async fn count_unlisted(
        &self,
        scope: &TenantScope,
        connection: ConnectionId,
        listed: &ListedNames,
        at: Timestamp,
        after: Option<&str>,
    ) -> Result<Swept, StoreError> {
        let (writes, swept) = self.unlisted_writes(scope, connection, listed, at, after).await?;
        let gone = u64::try_from(writes.len()).unwrap_or_default();
        Ok(Swept { gone, ..swept })
    }

    /// Marks them: the provider no longer has them. A page that is marked twice is marked once.
    pub async fn note_unlisted(
        &self,
        scope: &TenantScope,
        connection: ConnectionId,
        listed: &ListedNames,
        at: Timestamp,
        after: Option<&str>,
    ) -> Result<Swept, StoreError> {
        let (writes, swept) = self.unlisted_writes(scope, connection, listed, at, after).await?;
        let gone = self.write_each(writes).await?;
        Ok(Swept { gone, ..swept })
    }

    /// Writes that mark the templates of a page, and the other facts known of it.
    async fn unlisted_writes(
        &self,
        scope: &TenantScope,
        connection: ConnectionId,
        listed: &ListedNames,
        at: Timestamp,
        after: Option<&str>,
    ) -> Result<(Vec<Vec<Write>>, Swept), StoreError> {
        const DOING: &str = "read the templates of a connection";
        let partition = keys::part(scope, Part::Templates);
        let prefix = format!("{connection}#");
        let (rows, more) = self
            .database
            .page(&partition, &prefix, after, SWEPT, false, DOING)
            .await?;
        let last = rows.last().and_then(|item| row::string(item, "sk")).map(str::to_owned);
        let mut swept = Swept {
            next: last.filter(|_| more),
            ..Swept::default()
        };
        let mut writes = Vec::new();
        for item in rows {
            let Some(before) = owned::read_signed::<TemplateDefinition>(Some(item))? else {
                continue;
            };
            let known = &before.value.value;
            if listed.shows(known) {
                continue;
            }
            if let Some(now) = known.not_listed(at) {
                swept.replaced |= listed.has(&known.name, &known.language);
                writes.push(observed_writes(scope, &before, &now, at)?);
            }
        }
        Ok((writes, swept))
    }

    /// The latest lists of a tenant's connections. One query.
    pub async fn last_syncs(&self, scope: &TenantScope) -> Result<BTreeMap<ConnectionId, LastSync>, StoreError> {
        const DOING: &str = "read when templates were listed";
        let items = self.every(scope, Part::Templates, keys::TEMPLATE_SYNC, DOING).await?;
        let mut found = BTreeMap::new();
        for item in items {
            let id = row::string(&item, "sk").and_then(|sk| sk.strip_prefix(keys::TEMPLATE_SYNC));
            if let Some(id) = id.and_then(|id| id.parse().ok()) {
                found.insert(id, row::data(item, DOING)?);
            }
        }
        Ok(found)
    }

    /// Records that a connection's templates were listed, unless a list that began later is recorded: lists overlap.
    pub async fn note_sync(
        &self,
        scope: &TenantScope,
        connection: ConnectionId,
        last: &LastSync,
    ) -> Result<(), StoreError> {
        const DOING: &str = "record that templates were listed";
        let key = keys::template_sync(scope, connection);
        // The row of an earlier list expires earlier.
        let earlier = Condition::NewOrExpired(last.at + SYNC_KEPT);
        let row = Row::new(&key, "template_sync", last, earlier, DOING)?;
        let row = row.expires(last.at, SYNC_KEPT);
        self.database.try_put(row, DOING).await.map(drop)
    }

    /// As [`Self::doubt_template`], if a leg has a template and the code of its refusal puts that in doubt.
    pub async fn doubt_template_of(
        &self,
        scope: &TenantScope,
        leg: &Leg,
        api: Api,
        code: i64,
        sent: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        match leg.content.template() {
            Some(filled) if doubts_template(api, code) => {
                let (name, language) = (filled.name.as_str(), filled.language.as_str());
                let doubted = self.doubt_template(scope, leg.connection, name, language, sent, now);
                doubted.await
            }
            _ => Ok(false),
        }
    }

    /// Marks a template that the provider knows otherwise, so that no further message is sent with it until it was read again, and starts
    /// the operation that does so. Returns whether it was the first to mark it. `sent`: the time of sending the refused message. A message
    /// sent with a former content says nothing about this one.
    pub async fn doubt_template(
        &self,
        scope: &TenantScope,
        connection: ConnectionId,
        name: &str,
        language: &str,
        sent: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        const DOING: &str = "doubt a template";
        let key = template_key(scope, connection, name, language);
        let found = owned::read_signed::<TemplateDefinition>(self.database.get(&key, DOING).await?)?;
        let is_meant = |known: &TemplateDefinition| {
            let changed_since = known.updated_at.is_some_and(|changed| sent < changed);
            known.sendable(false).is_ok() && !changed_since
        };
        let Some(before) = found.filter(|found| is_meant(&found.value.value)) else {
            return Ok(false);
        };
        let mut after = before.value.value.clone();
        after.doubt(now);
        // First, so that no template stays in doubt without it.
        let operation = sync_operation(connection, Cause::Doubt, now);
        self.create_own_operation(scope, &operation).await?;
        let writes = observed_writes(scope, &before, &after, now)?;
        match self.write_observed(writes, DOING).await {
            Ok(()) => Ok(true),
            // A report of it, or another message, was faster.
            Err(error) if error.is_conflict() => Ok(false),
            Err(error) => Err(error),
        }
    }
}
