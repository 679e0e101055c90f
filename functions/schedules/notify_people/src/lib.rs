//! Every five minutes: mails people what they must attend to, and looks for automations that match no call.
//!
//! A mailing tells several notices at once: it is begun in the tenant's row of mailings, the mails are queued, each
//! notice is marked as told, and the mailing ends.
//!
//! Safe to run twice, and twice at the same time: a mailing begins under the condition that the row is unchanged, so
//! there is one at a time. If its worker dies, a later run repeats it with the same ids of mails, unless a notice is
//! marked already: then all mails were queued. A notice is marked under the condition of its version.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use domain::Timestamp;
use domain::accounts::{Account, Member, Role};
use domain::notices::{
    MAX_DESCRIBED, MAX_TOLD, Mailing, Mailings, Matter, Notice, NoticeKind, NoticeState, Present, Watch, day_of,
};
use domain::tenants::TenantConfig;
use domain::terms::{ConnectionId, TenantId, derive_id};
use jiff::SignedDuration;
use jobs::{Mail, MailJob};
use kit::schedule::Deadline;
use kit::{Clock, ConfigError, Env, JobError, Links, Mails, line};
use store::accounts::{DueNotice, Pending};
use store::tenants::ConfigCache;
use store::{LostRace as _, RACES, Store, StoreError, TenantScope, Versioned};

/// Due rows read per page.
const PAGE: i32 = 100;

/// No further tenant is begun when less time than this is left.
const ENOUGH_TIME: Duration = Duration::from_secs(20);

/// By then, a mailing's worker has ended: longer than the function's time-out, shorter than two runs.
const MAX_MAILING: SignedDuration = SignedDuration::from_mins(4);

/// Page of the console for choosing one's mails.
const SETTINGS: &str = "account/notifications";

/// State of the function, created once per process.
pub struct Context {
    store: Store,
    mails: Mails,
    links: Links,
    clock: Clock,
}

impl Context {
    /// Creates the state from the function's environment.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            store: env.store()?,
            mails: Mails::new(env)?,
            links: Links::new(env)?,
            clock: env.clock().clone(),
        })
    }
}

kit::function!(serve_schedule, Context::new, handle);

/// Tells people of what is due, as far as the time allows; the next run continues. A tenant that fails does not block the others.
///
/// # Errors
/// When the table or the queue does not answer, or a row does not have the expected form.
pub async fn handle(deadline: Deadline, ctx: &Context) -> Result<(), JobError> {
    let now = ctx.clock.now();
    let (mut from, mut failed, mut done) = (None, None, HashSet::new());
    loop {
        let page = ctx.store.due_notices(now, from, PAGE).await?;
        for (tenant, due) in page.due {
            // Notices of it on a later page belong to another mailing.
            if !done.insert(tenant) {
                continue;
            }
            if deadline.remaining(ctx.clock.now()) < ENOUGH_TIME {
                return failed.map_or(Ok(()), Err);
            }
            let of = Tenant {
                id: tenant,
                scope: access::job::scope(tenant),
                now,
                ctx,
            };
            match Box::pin(of.attend(due)).await {
                Err(error) if error.is_lost_race() => tracing::warn!(%tenant, "another run attends to the tenant"),
                Err(error) => {
                    tracing::error!(%tenant, %error, "people are not told");
                    failed = Some(error);
                }
                Ok(()) => {}
            }
        }
        from = page.next;
        if from.is_none() {
            return failed.map_or(Ok(()), Err);
        }
    }
}

/// A tenant with due rows.
struct Tenant<'a> {
    id: TenantId,
    scope: TenantScope,
    now: Timestamp,
    ctx: &'a Context,
}

/// Notices by their keys.
type Notices = BTreeMap<String, Versioned<NoticeState>>;

impl Tenant<'_> {
    async fn attend(&self, due: BTreeSet<DueNotice>) -> Result<(), JobError> {
        let store = &self.ctx.store;
        let reviews = due.contains(&DueNotice::Review);
        let key = |due| match due {
            DueNotice::Notice(key) => Some(key),
            DueNotice::Review => None,
        };
        let wanted: BTreeSet<String> = due.into_iter().filter_map(key).collect();
        let pending = store.pending_notices(&self.scope, &wanted).await?;
        let config = store.config(&self.scope, &ConfigCache::default()).await?;
        // People of a suspended tenant cannot log in, and a deleted one has nobody.
        let Some(config) = config.filter(|config| config.tenant.status.is_active()) else {
            return Box::pin(self.ignore(pending)).await;
        };
        if reviews {
            Box::pin(self.review(&pending, &config)).await?;
        }
        if let Some(mailings) = &pending.mailings
            && let Some(open) = &mailings.value.open
        {
            if self.now.duration_since(open.at) < MAX_MAILING {
                return Ok(());
            }
            let notices: BTreeSet<String> = open.notices.iter().cloned().collect();
            let mut begun = store.pending_notices(&self.scope, &notices).await?.notices;
            Box::pin(self.count_waiting(&config, &mut begun, open.at)).await?;
            // The others wait for the next run.
            return Box::pin(self.finish(&config, mailings, open, begun)).await;
        }
        Box::pin(self.tell(&config, pending)).await
    }

    /// Settles whatever is due of a tenant that is not active.
    async fn ignore(&self, pending: Pending) -> Result<(), JobError> {
        for state in pending.notices.values() {
            self.change(state, &state.value.without_due_time()).await?;
        }
        if let Some(watch) = &pending.watch {
            let after = Watch {
                due: None,
                ..watch.value.clone()
            };
            let store = &self.ctx.store;
            store.write_watch(&self.scope, Some(watch), &after, self.now).await?;
        }
        Ok(())
    }

    /// Looks for automations without a match. What it finds is told by the next run.
    async fn review(&self, pending: &Pending, config: &TenantConfig) -> Result<(), JobError> {
        let Some(watch) = pending.watch.as_ref().filter(|watch| watch.value.due.is_some()) else {
            return Ok(());
        };
        let store = &self.ctx.store;
        let rules = config.rules.iter().map(|rule| rule.id);
        let matched = store.matched_days(&self.scope, rules).await?;
        let (notices, after) = watch.value.review(&config.rules, &matched, day_of(self.now));
        for notice in &notices {
            let recorded = RACES.until_won(|| store.record_notice(&self.scope, notice, self.now));
            if recorded.await? {
                line::count("noticed", 1);
            }
        }
        store.write_watch(&self.scope, Some(watch), &after, self.now).await?;
        Ok(())
    }

    /// Begins and finishes a mailing of what is due and still stands.
    async fn tell(&self, config: &TenantConfig, pending: Pending) -> Result<(), JobError> {
        let now = self.now;
        let mut due = pending.notices;
        due.retain(|_, state| state.value.due.is_some_and(|due| due <= now));
        let customers_wait = Box::pin(self.count_waiting(config, &mut due, self.now)).await?;
        let standing = Box::pin(self.standing(config, &due, pending.watch.as_ref(), customers_wait)).await?;
        let mut told = Notices::new();
        for (key, state) in due {
            if !standing.contains(&key) {
                self.change(&state, &state.value.without_due_time()).await?;
            } else if told.len() < MAX_TOLD {
                told.insert(key, state);
            }
        }
        if told.is_empty() {
            return Ok(());
        }
        let known = pending.mailings.as_ref();
        match Mailings::begin(known.map(|known| &known.value), told.keys().cloned().collect(), now) {
            Err(until) => {
                // A notice about customers who wait is told by the next run, in a mailing of its own, which is not counted.
                let others = told
                    .values()
                    .filter(|state| state.value.notice.kind() != NoticeKind::CustomersWait);
                for state in others {
                    self.change(state, &state.value.with_due_time(until)).await?;
                }
                Ok(())
            }
            Ok(begun) => {
                let begun = self.ctx.store.write_mailings(&self.scope, known, begun, now).await?;
                match &begun.value.open {
                    Some(open) => Box::pin(self.finish(config, &begun, open, told)).await,
                    None => Ok(()),
                }
            }
        }
    }

    /// Looks for customers who wait, if one of these notices is about them: it then tells of all of them. Returns whether any of them was told
    /// of by no mail yet.
    async fn count_waiting(
        &self,
        config: &TenantConfig,
        notices: &mut Notices,
        now: Timestamp,
    ) -> Result<bool, JobError> {
        let mut about = None;
        for state in notices.values_mut() {
            let NoticeState { notice, mailed_at, .. } = &mut state.value;
            if let Matter::CustomersWait(waiting) = &mut notice.matter {
                about = Some((waiting, *mailed_at));
            }
        }
        let Some((told, mailed_at)) = about else {
            return Ok(false);
        };
        let Some(after) = config.tenant.inbox.unwrap_or_default().notify_after() else {
            return Ok(false);
        };
        let store = &self.ctx.store;
        let overdue = store.overdue_customers(&self.scope, after, mailed_at, now).await?;
        if let Some(waiting) = overdue.waiting {
            *told = waiting;
        }
        // Better once more than never: who was noticed may be behind what is looked at.
        Ok(overdue.any_untold || !overdue.is_whole)
    }

    /// The keys of the notices that somebody must still attend to.
    async fn standing(
        &self,
        config: &TenantConfig,
        due: &Notices,
        watch: Option<&Versioned<Watch>>,
        customers_wait: bool,
    ) -> Result<BTreeSet<String>, JobError> {
        let store = &self.ctx.store;
        let notices: Vec<&Notice> = due.values().map(|state| &state.value.notice).collect();
        let automation = |notice: &&Notice| match notice.matter {
            Matter::AutomationUnmatched { automation } => Some(automation),
            Matter::ConnectionRefused { .. }
            | Matter::TemplatePaused { .. }
            | Matter::CapNearlyReached { .. }
            | Matter::CampaignPaused { .. }
            | Matter::CustomersWait(_)
            | Matter::WebhookFailing { .. }
            | Matter::OrdersLate { .. } => None,
        };
        let rules = notices.iter().filter_map(automation);
        let matched = store.matched_days(&self.scope, rules).await?;
        let templates = store.templates_of_notices(&self.scope, &notices).await?;
        let campaigns = store.campaigns_of_notices(&self.scope, &notices).await?;
        let stands = |notice: &&Notice| {
            let present = Present {
                config,
                template: templates.get(&notice.key()),
                began: watch.map(|watch| watch.value.began),
                matched: automation(notice).and_then(|rule| matched.get(&rule).copied()),
                campaign: campaigns.get(&notice.key()),
                customers_wait,
                now: self.now,
            };
            notice.stands(&present)
        };
        Ok(notices.into_iter().filter(stands).map(Notice::key).collect())
    }

    /// Queues the mails of a mailing, marks its notices as told, and ends it.
    async fn finish(
        &self,
        config: &TenantConfig,
        mailings: &Versioned<Mailings>,
        open: &Mailing,
        notices: Notices,
    ) -> Result<(), JobError> {
        let store = &self.ctx.store;
        // Marked only after all mails were queued. What is due of a marked one is a later occurrence, which waits for its day.
        let marked = |state: &Versioned<NoticeState>| state.value.mailed_at >= Some(open.at);
        let queued = notices.values().any(marked);
        let waits = notices.values().any(|state| state.value.due.is_some());
        if waits && !queued {
            let roles = notices.values().map(|state| state.value.notice.kind().least_role());
            let least = roles.min().unwrap_or(Role::Admin);
            let people = store.members_with_accounts(&self.scope, least).await?;
            let jobs = self.mails(config, open, &notices, &people);
            let count = jobs.len();
            self.ctx.mails.send(jobs).await?;
            line::count("mails", u64::try_from(count).unwrap_or_default());
        }
        let unmarked = |state: &Versioned<NoticeState>| state.value.due.is_some() && !marked(state);
        for (key, told) in notices.iter().filter(|(_, told)| unmarked(told)) {
            let at = told.value.notice.at;
            // A notice recorded after the mails were queued is not in them.
            let of = if queued { at.min(open.at) } else { at };
            let marked = RACES.until_won(|| self.mark(key, of, open.at));
            marked.await?;
        }
        let ended = mailings.value.without_open_mailing();
        store
            .write_mailings(&self.scope, Some(mailings), ended, self.now)
            .await?;
        Ok(())
    }

    /// Marks a notice as told by a mailing of this time, unless it is settled by now.
    async fn mark(&self, key: &str, of: Timestamp, mailed_at: Timestamp) -> Result<(), StoreError> {
        let Some(known) = self.ctx.store.notice(&self.scope, key).await? else {
            return Ok(());
        };
        self.change(&known, &known.value.after_mailing(of, mailed_at)).await
    }

    async fn change(&self, before: &Versioned<NoticeState>, after: &NoticeState) -> Result<(), StoreError> {
        let store = &self.ctx.store;
        store.change_notice(&self.scope, before, after, self.now).await
    }

    /// The mails of a mailing: one for each person, with what reaches them. Their ids are the same whenever it is repeated.
    fn mails(
        &self,
        config: &TenantConfig,
        open: &Mailing,
        notices: &Notices,
        people: &[(Member, Account)],
    ) -> Vec<MailJob> {
        let mut all: Vec<&Notice> = notices.values().map(|state| &state.value.notice).collect();
        all.sort_by_key(|notice| notice.at);
        // A report of WhatsApp's is about an account, which several connections may have.
        let mut reported = BTreeSet::new();
        all.retain(|notice| match &notice.matter {
            Matter::TemplatePaused { language, .. } => reported.insert((&notice.name, language, notice.at)),
            Matter::ConnectionRefused { .. }
            | Matter::AutomationUnmatched { .. }
            | Matter::CapNearlyReached { .. }
            | Matter::CampaignPaused { .. }
            | Matter::CustomersWait(_)
            | Matter::WebhookFailing { .. }
            | Matter::OrdersLate { .. } => true,
        });
        let at = u64::try_from(open.at.as_millisecond()).unwrap_or_default();
        let mailing = format!("notices#{}#{}", self.id, open.at);
        let id = |key: &str| derive_id(at, key.as_bytes()).to_string().to_ascii_lowercase();
        let mail = |(member, account): &(Member, Account)| {
            let reaches = |notice: &&&Notice| notice.kind().reaches(member, account);
            let own: Vec<&Notice> = all.iter().filter(reaches).copied().collect();
            let described = own.iter().take(MAX_DESCRIBED);
            (!own.is_empty()).then(|| MailJob {
                tenant: Some(self.id),
                correlation_id: id(&mailing),
                id: id(&format!("{mailing}#{}", account.id)),
                to: account.email.as_str().to_owned(),
                language: account.language.clone(),
                mail: Mail::Notices {
                    business: config.tenant.name.clone(),
                    connections: described
                        .clone()
                        .filter_map(|notice| of_template(notice, config))
                        .collect(),
                    notices: described.copied().cloned().collect(),
                    time_zone: Some(config.tenant.time_zone.clone()),
                    more: own.len().saturating_sub(MAX_DESCRIBED),
                    link: self.ctx.links.configured_link(SETTINGS).map(Into::into),
                },
            })
        };
        people.iter().filter_map(mail).collect()
    }
}

/// The connection whose template a notice names, with its name.
fn of_template(notice: &Notice, config: &TenantConfig) -> Option<(ConnectionId, String)> {
    let Matter::TemplatePaused { connection, .. } = &notice.matter else {
        return None;
    };
    let mut known = config.connections.iter();
    let found = known.find(|known| known.id == *connection)?;
    Some((found.id, found.name.clone()))
}
