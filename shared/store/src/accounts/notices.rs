//! Notices to people: one row for each kind and subject, with its latest occurrence. And the days of the last calls that automations
//! matched, for finding automations without a match.
//!
//! Due notices stand in their own partition of the due index, which `notify_people` reads.

use std::collections::{BTreeMap, BTreeSet};

use domain::accounts::{Account, Member, MemberStatus, Role};
use domain::campaigns::Campaign;
use domain::notices::{Mailings, Matter, Notice, NoticeState, Watch};
use domain::templates::TemplateDefinition;
use domain::terms::{CampaignId, ConnectionId, RuleId, TenantId};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;

use crate::messages::template_key;
use crate::table::due::Next;
use crate::table::keys::{self, Key};
use crate::table::owned;
use crate::table::row::{self, Condition, Row, string};
use crate::{Store, StoreError, TenantScope, Versioned};

/// Retention of these rows after their last change. An occurrence is not told again while its row exists.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(400 * 24);

/// A row that is due.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum DueNotice {
    /// The notice with this key.
    Notice(String),
    /// The tenant's automations are to be reviewed.
    Review,
}

/// A page of due notices, by tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct DueNotices {
    pub due: BTreeMap<TenantId, BTreeSet<DueNotice>>,
    /// Cursor of the next page; `None` if this was the last.
    pub next: Option<Next>,
}

/// Rows of a tenant, as they are now.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pending {
    /// The notices by their keys.
    pub notices: BTreeMap<String, Versioned<NoticeState>>,
    /// The tenant's mailings, if there were any.
    pub mailings: Option<Versioned<Mailings>>,
    /// The record for finding automations without a match.
    pub watch: Option<Versioned<Watch>>,
}

/// The condition and the version of a write over what was read.
fn over<T>(known: Option<&Versioned<T>>) -> (Condition, u64) {
    known.map_or((Condition::New, 1), |known| {
        (Condition::Version(known.version), known.version + 1)
    })
}

impl Store {
    /// Records an occurrence, unless it is known. Returns whether it was new.
    pub async fn record_notice(
        &self,
        scope: &TenantScope,
        notice: &Notice,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let known = self.notice(scope, &notice.key()).await?;
        let Some(next) = NoticeState::after_occurrence(notice, known.as_ref().map(|known| &known.value), now) else {
            return Ok(false);
        };
        self.put_notice(scope, known.as_ref(), &next, now).await?;
        Ok(true)
    }

    /// The latest occurrence of a kind about a subject.
    pub async fn notice(&self, scope: &TenantScope, key: &str) -> Result<Option<Versioned<NoticeState>>, StoreError> {
        const DOING: &str = "read a notice";
        let item = self.database.get(&keys::notice(scope, key), DOING).await?;
        row::read_versioned(item, None, DOING)
    }

    /// Changes the state of a notice under the condition of the version that was read.
    pub async fn change_notice(
        &self,
        scope: &TenantScope,
        before: &Versioned<NoticeState>,
        after: &NoticeState,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.put_notice(scope, Some(before), after, now).await
    }

    async fn put_notice(
        &self,
        scope: &TenantScope,
        before: Option<&Versioned<NoticeState>>,
        after: &NoticeState,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "write a notice";
        let key = keys::notice(scope, &after.notice.key());
        let (condition, version) = over(before);
        let row = Row::new(&key, "notice", after, condition, DOING)?.version(version);
        let row = row.due_notice(&key, after.due).expires(now, KEPT_FOR);
        self.database.put(row, DOING).await
    }

    /// Records that a tenant had calls on a day, and which automations matched some of them. It writes each only once a day.
    pub async fn note_calls(
        &self,
        scope: &TenantScope,
        day: Date,
        rules: &BTreeSet<RuleId>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "record a day with calls";
        let marks: Vec<Key> = rules.iter().map(|rule| keys::last_match(scope, *rule)).collect();
        let watch = keys::watch(scope);
        let wanted: Vec<Key> = marks.iter().chain([&watch]).cloned().collect();
        let mut found = self.database.get_many(&wanted, DOING).await?;
        for key in marks {
            let known: Option<Versioned<Date>> = row::read_versioned(found.remove(&key), None, DOING)?;
            if known.as_ref().is_none_or(|known| known.value < day) {
                let (condition, version) = over(known.as_ref());
                let row = Row::new(&key, "automation_match", &day, condition, DOING)?.version(version);
                self.database.put(row.expires(now, KEPT_FOR), DOING).await?;
            }
        }
        // Last, so that whoever reviews sees the matches.
        let known: Option<Versioned<Watch>> = row::read_versioned(found.remove(&watch), None, DOING)?;
        match Watch::after_call(known.as_ref().map(|known| &known.value), day, now) {
            Some(after) => self.write_watch(scope, known.as_ref(), &after, now).await,
            None => Ok(()),
        }
    }

    /// Writes the record for finding automations without a match, if it is still as it was read.
    pub async fn write_watch(
        &self,
        scope: &TenantScope,
        before: Option<&Versioned<Watch>>,
        after: &Watch,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "write when automations are reviewed";
        let key = keys::watch(scope);
        let (condition, version) = over(before);
        let row = Row::new(&key, "automation_watch", after, condition, DOING)?.version(version);
        let row = row.due_notice(&key, after.due).expires(now, KEPT_FOR);
        self.database.put(row, DOING).await
    }

    /// A page of due notices of all tenants, the oldest first. One query of keys.
    pub async fn due_notices(&self, now: Timestamp, from: Option<Next>, limit: i32) -> Result<DueNotices, StoreError> {
        let (items, next) = self.due_keys(keys::DUE_NOTICES.to_owned(), now, from, limit).await?;
        let mut due: BTreeMap<TenantId, BTreeSet<DueNotice>> = BTreeMap::new();
        for item in &items {
            let tenant = string(item, "pk").and_then(keys::tenant_of);
            let what = string(item, "sk").and_then(due_of);
            if let Some((tenant, what)) = tenant.zip(what) {
                due.entry(tenant).or_default().insert(what);
            }
        }
        Ok(DueNotices { due, next })
    }

    /// The notices with these keys, and the tenant's own two rows, in one request per hundred.
    pub async fn pending_notices(&self, scope: &TenantScope, wanted: &BTreeSet<String>) -> Result<Pending, StoreError> {
        const DOING: &str = "read notices";
        let (mailings, watch) = (keys::mailings(scope), keys::watch(scope));
        let own: Vec<(&String, Key)> = wanted.iter().map(|key| (key, keys::notice(scope, key))).collect();
        let mut all = vec![mailings.clone(), watch.clone()];
        all.extend(own.iter().map(|(_, key)| key.clone()));
        let mut found = self.database.get_many(&all, DOING).await?;
        let mut pending = Pending {
            notices: BTreeMap::new(),
            mailings: row::read_versioned(found.remove(&mailings), None, DOING)?,
            watch: row::read_versioned(found.remove(&watch), None, DOING)?,
        };
        for (name, key) in own {
            if let Some(state) = row::read_versioned(found.remove(&key), None, DOING)? {
                pending.notices.insert(name.clone(), state);
            }
        }
        Ok(pending)
    }

    /// Writes the tenant's mailings under the condition of what was read. Returns them as they are then.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] after a lost race: another mailing began or ended.
    pub async fn write_mailings(
        &self,
        scope: &TenantScope,
        before: Option<&Versioned<Mailings>>,
        after: Mailings,
        now: Timestamp,
    ) -> Result<Versioned<Mailings>, StoreError> {
        const DOING: &str = "write a mailing";
        let (condition, version) = over(before);
        let row = Row::new(&keys::mailings(scope), "notice_mailings", &after, condition, DOING)?;
        let row = row.version(version).expires(now, KEPT_FOR);
        self.database.put(row, DOING).await?;
        Ok(Versioned { value: after, version })
    }

    /// The days of the last calls that these automations matched, in one request per hundred.
    pub async fn matched_days(
        &self,
        scope: &TenantScope,
        rules: impl IntoIterator<Item = RuleId>,
    ) -> Result<BTreeMap<RuleId, Date>, StoreError> {
        const DOING: &str = "read when automations matched";
        let wanted: Vec<(RuleId, Key)> = rules
            .into_iter()
            .map(|rule| (rule, keys::last_match(scope, rule)))
            .collect();
        let all: Vec<Key> = wanted.iter().map(|(_, key)| key.clone()).collect();
        let mut found = self.database.get_many(&all, DOING).await?;
        let mut days = BTreeMap::new();
        for (rule, key) in wanted {
            if let Some(item) = found.remove(&key) {
                days.insert(rule, row::data(item, DOING)?);
            }
        }
        Ok(days)
    }

    /// The templates that these notices name, by the notices' keys, in one request per hundred.
    pub async fn templates_of_notices(
        &self,
        scope: &TenantScope,
        notices: &[&Notice],
    ) -> Result<BTreeMap<String, TemplateDefinition>, StoreError> {
        let key = |notice: &Notice| {
            let (connection, language) = template_of(notice)?;
            Some(template_key(scope, connection, &notice.name, language))
        };
        self.named_by(notices, key, "read the templates of notices").await
    }

    /// The campaigns that these notices name, by the notices' keys, in one request per hundred.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn campaigns_of_notices(
        &self,
        scope: &TenantScope,
        notices: &[&Notice],
    ) -> Result<BTreeMap<String, Campaign>, StoreError> {
        let key = |notice: &Notice| Some(owned::key::<Campaign>(scope, &campaign_of(notice)?));
        self.named_by(notices, key, "read the campaigns of notices").await
    }

    async fn named_by<T: DeserializeOwned>(
        &self,
        notices: &[&Notice],
        key: impl Fn(&Notice) -> Option<Key>,
        doing: &'static str,
    ) -> Result<BTreeMap<String, T>, StoreError> {
        let wanted = notices.iter().filter_map(|notice| Some((notice.key(), key(notice)?)));
        let wanted: Vec<(String, Key)> = wanted.collect();
        let all: Vec<Key> = wanted.iter().map(|(_, key)| key.clone()).collect();
        let mut found = self.database.get_many(&all, doing).await?;
        let mut named = BTreeMap::new();
        for (name, key) in wanted {
            if let Some(item) = found.remove(&key).filter(row::live) {
                named.insert(name, row::data(item, doing)?);
            }
        }
        Ok(named)
    }

    /// The tenant's active members of at least this role, with their accounts.
    pub async fn members_with_accounts(
        &self,
        scope: &TenantScope,
        least: Role,
    ) -> Result<Vec<(Member, Account)>, StoreError> {
        const DOING: &str = "read the accounts of members";
        let mut members = self.all::<Member>(scope).await?;
        members.retain(|member| member.status == MemberStatus::Active && member.role >= least);
        let accounts: Vec<Key> = members.iter().map(|member| keys::account(member.user)).collect();
        let mut found = self.database.get_many(&accounts, DOING).await?;
        let mut people = Vec::with_capacity(members.len());
        for (member, key) in members.into_iter().zip(&accounts) {
            if let Some(item) = found.remove(key) {
                people.push((member, row::data(item, DOING)?));
            }
        }
        Ok(people)
    }
}

/// Meaning of a sort key in the due index. `None` for keys of a later version.
fn due_of(sk: &str) -> Option<DueNotice> {
    if sk == keys::WATCH {
        return Some(DueNotice::Review);
    }
    let key = sk.strip_prefix(keys::NOTICE)?;
    Some(DueNotice::Notice(key.to_owned()))
}

/// Connection and language of the template that a notice names.
fn template_of(notice: &Notice) -> Option<(ConnectionId, &str)> {
    match &notice.matter {
        Matter::TemplatePaused {
            connection, language, ..
        } => Some((*connection, language.as_str())),
        Matter::ConnectionRefused { .. }
        | Matter::AutomationUnmatched { .. }
        | Matter::CapNearlyReached { .. }
        | Matter::CampaignPaused { .. }
        | Matter::CustomersWait(_)
        | Matter::WebhookFailing { .. }
        | Matter::OrdersLate { .. } => None,
    }
}

/// The campaign that a notice names.
const fn campaign_of(notice: &Notice) -> Option<CampaignId> {
    match notice.matter {
        Matter::CampaignPaused { campaign, .. } => Some(campaign),
        Matter::ConnectionRefused { .. }
        | Matter::TemplatePaused { .. }
        | Matter::AutomationUnmatched { .. }
        | Matter::CapNearlyReached { .. }
        | Matter::CustomersWait(_)
        | Matter::WebhookFailing { .. }
        | Matter::OrdersLate { .. } => None,
    }
}
