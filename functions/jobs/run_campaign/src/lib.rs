//! # How a campaign runs
//!
//! The operation `run_campaign` takes a campaign from its start to its completion in steps of a few seconds. Each step reads the campaign,
//! does a piece of work, and writes a checkpoint (`Cursor`); `kit::operation` calls the next one. A drip is only opened here: its
//! steps are taken by `take_steps`.
//!
//! 1. **Begin.** The conditions of the audience (segments, tags) are read, and fixed from now on.
//! 2. **Enrol.** The contacts on the audience's lists are enrolled, a page at a time, each under the condition that it is not enrolled yet.
//! 3. **Count.** The lists are indexes, which follow the table a moment later. So they are read a while after the last enrolment, and
//!    counted again at the end: if they have got longer, they are gone through once more.
//! 4. **Make.** For the next contacts, as many as the pace allows, one message each is composed and queued, or the contact is left out with
//!    a reason. The id of a message follows from campaign and contact, so a step that is made again finds what it wrote. What was
//!    committed and not queued is in the due index.
//! 5. **Hold.** Contacts who wait for the choice of a variant get theirs once it is chosen.
//! 6. **Settle.** Messages that were made are looked at until all of them are in a final state. Then the campaign is completed.
//!
//! Somebody who pauses, changes or cancels the campaign writes its row; the next step finds that. Messages that are queued already ask the
//! campaign before they are sent.
//!
//! ## What pauses a campaign by itself
//!
//! Each reason is a code that the API, the mail to managers and the console show. Whoever resumes it has seen what was wrong, so counts begin anew.
//!
//! | code | cause | where |
//! | --- | --- | --- |
//! | `no_template`, `template_not_approved`, `template_category`, `template_broken`, `no_content_sid`, `no_sender`, `asset_unusable` | nobody can get the message as it is | `Campaign::obstacle`, asked by `flows::campaigns::broadcast` |
//! | `failure_rate`, `opt_out_rate` | too many of those looked at failed, or refused further messages | `domain::campaigns::watch` |
//! | `low_quality` | Meta rates template or number as low since the start | `domain::campaigns::low_rating_pause` |
//! | `cap_reached` | a cap has no room for what waits | `Run::held` |
//! | `route_refused` | WhatsApp refuses marketing by the route that its template takes | `domain::campaigns::refused_route_pause` |
//! | `suspended` | the business is being deleted | `make` |
//! | `throughput` | messages have waited for an hour to be sent | `Run::are_behind` |
//! | `other` | its steps fail again and again | `handle` |
//!
//! `segment_unusable` and a run of too many days cancel it, since nothing could resume it.

mod make;

use domain::Timestamp;
use domain::campaigns::{
    AudienceConditions, Campaign, CampaignType, InAudience, MAX_RUN, Pace, RunCampaign, USUAL_PER_MINUTE, Watch,
    is_behind, may_still_send, refused_route_pause,
};
use domain::messages::Message;
use domain::terms::{CampaignState, ContactId, Data, MessageId, Progress, Reason, Refusal, Timers};
use flows::campaigns::{move_campaign, notice_pause, record_limit};
use flows::messages::Planner;
use jiff::SignedDuration;
use jobs::ToQueue;
use kit::operation::{Step, Turn};
use kit::{Clock, ConfigError, Env, Ids, JobError, Pages, QueueName, Queues, crash};
use serde::{Deserialize, Serialize};
use store::money::{Countable, PriceCache};
use store::tenants::ConfigCache;
use store::{Store, TenantScope, Versioned};

/// State of the function, created once per process.
pub struct Context {
    store: Store,
    config: ConfigCache,
    prices: PriceCache,
    planner: Planner,
    queues: Queues,
    timers: Timers,
    clock: Clock,
    ids: Ids,
}

impl Context {
    /// Creates the state from the function's environment.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        let store = env.store()?;
        let timers = env.config().timers()?;
        Ok(Self {
            planner: Planner::new(store.clone(), Pages::new(env)?, timers),
            store,
            config: ConfigCache::default(),
            prices: PriceCache::default(),
            queues: Queues::new(env, &[QueueName::BulkSends])?,
            timers,
            clock: env.clock().clone(),
            ids: env.ids().clone(),
        })
    }
}

/// Maximum contacts that a step examines for the audience.
pub const PER_ENROLMENT: i32 = 100;
/// Maximum contacts in a step that makes messages.
pub const PER_STEP: usize = 25;
/// Contacts whose messages a step looks at.
const PER_LOOK: i32 = 100;
/// Waiting messages that are released together, and how often a step does so.
const PER_RELEASE: i32 = 100;
const RELEASES: usize = 10;
/// Messages of the last step before a wait, as a sample: are they sent as fast as they are made?
const LATEST: usize = 3;

/// Interval of looks at the state of a paused campaign, at first and later. Resuming or cancelling it starts it at
/// once; only an event that meets its last step is lost.
const PAUSE_LOOK: SignedDuration = SignedDuration::from_mins(2);
const LATER_LOOK: SignedDuration = SignedDuration::from_hours(1);
/// Interval of looks at the state of an open drip. Pausing, resuming or cancelling it starts it at once.
const OPEN_LOOK: SignedDuration = SignedDuration::from_hours(24);
/// Time until messages that were made are looked at again.
const SETTLING_LOOK: SignedDuration = SignedDuration::from_mins(2);
/// Wait for messages that are sent slower than they are made, and the total wait before the campaign is paused for
/// that.
const BEHIND_LOOK: SignedDuration = SignedDuration::from_secs(30);
const BEHIND_FOR: SignedDuration = SignedDuration::from_hours(1);
/// The longest wait for a place for a further message, until it is looked for again.
const LIMITED_LOOK: SignedDuration = SignedDuration::from_hours(1);
/// The least time between two passes for messages that leave by their recipients' clocks.
const LATER_AGAIN: SignedDuration = SignedDuration::from_mins(1);
/// Time until an index shows a write.
const INDEXED: SignedDuration = SignedDuration::from_secs(20);
/// Maximum times that the audience is gone through for contacts that the index did not have before.
const PASSES: u8 = 3;
/// Attempts of a step before the campaign is paused. The operation would end after a few more.
const ATTEMPTS: u32 = 9;

/// Place in the work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Place {
    /// Everybody up to this position in the list of the segment or tag is enrolled.
    Enrolling {
        audience: Box<AudienceConditions>,
        after: Option<String>,
    },
    /// Messages are made up to this contact of this part of the audience.
    Making(InAudience),
    /// All messages are made but for those who wait for the choice of a variant.
    Holding,
    /// All messages up to this contact are in a final state.
    Settling(InAudience),
    /// The drip is open: contacts enter it one by one, and `take_steps` takes their steps.
    Open,
}

/// Content of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    place: Option<Place>,
    /// Earliest time at which the index has all enrolments.
    readable_from: Option<Timestamp>,
    /// Contacts in the audience once it is fixed, and the time of fixing it.
    fixed: Option<(u64, Timestamp)>,
    /// Contacts who got a message, and who got none, in this pass through the audience.
    tally: Tally,
    pass: u8,
    pace: Pace,
    /// The latest messages, and whether there was a wait since they were made.
    latest: Vec<MessageId>,
    waited: bool,
    /// Time since which the messages that were made wait.
    behind_since: Option<Timestamp>,
    /// Last change of the campaign that the waiting messages take into account.
    seen: Option<Timestamp>,
    /// Count of failures and refusals among its messages.
    #[serde(default)]
    watch: Watch,
    /// In this pass, the earliest time for a message that is not made yet, since its recipient's clock is far from the
    /// campaign's time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    later: Option<Timestamp>,
    /// In this pass, whether somebody waits for the choice of a variant.
    #[serde(default)]
    held: bool,
    /// The tally of the pass before. This pass finds the same contacts again.
    #[serde(default)]
    before: Tally,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Tally {
    made: u64,
    left_out: u64,
}

/// The result, as its users see it.
#[derive(Debug, Serialize)]
struct Report {
    recipients: u64,
    messages: u64,
    left_out: u64,
}

impl Cursor {
    fn new(now: Timestamp) -> Self {
        Self {
            place: None,
            readable_from: None,
            fixed: None,
            tally: Tally { made: 0, left_out: 0 },
            pace: Pace::new(now),
            latest: Vec::new(),
            pass: 1,
            waited: false,
            behind_since: None,
            seen: None,
            watch: Watch::default(),
            later: None,
            held: false,
            before: Tally::default(),
        }
    }

    /// Begins another pass through the audience. Those who are decided are found again.
    fn begin_again(&mut self) {
        (self.before, self.tally) = (self.known_tally(), Tally::default());
        (self.later, self.held) = (None, false);
        self.place = Some(Place::Making(InAudience::default()));
    }

    /// Contacts known to have a message, and to get none.
    fn known_tally(&self) -> Tally {
        Tally {
            made: self.tally.made.max(self.before.made),
            left_out: self.tally.left_out.max(self.before.left_out),
        }
    }

    fn recipients(&self) -> Option<u64> {
        self.fixed.map(|(count, _)| count)
    }

    fn progress(&self) -> Progress {
        let Tally { made, left_out } = self.known_tally();
        Progress {
            done: made + left_out,
            total: self.recipients(),
            errors: left_out,
        }
    }

    fn continue_later(self) -> Result<Step, JobError> {
        Step::from_cursor(&self, self.progress())
    }

    fn wait(self, until: Timestamp) -> Result<Step, JobError> {
        let progress = self.progress();
        Ok(Step::Wait {
            cursor: Data::of(&self)?,
            progress,
            until,
        })
    }

    fn finish(self) -> Result<Step, JobError> {
        let Tally { made, left_out } = self.known_tally();
        let report = Report {
            recipients: self.recipients().unwrap_or_default(),
            messages: made,
            left_out,
        };
        Step::from_result(&report, self.progress())
    }
}

kit::function!(serve_operation, Context::new, handle);

pub async fn handle(turn: Turn, ctx: &Context) -> Result<Step, JobError> {
    let RunCampaign { campaign } = turn.params()?;
    let now = ctx.clock.now();
    let mut cursor: Cursor = turn.cursor()?.unwrap_or_else(|| Cursor::new(now));
    let scope = turn.scope();
    let Some(found) = ctx.store.get::<Campaign>(scope, &campaign).await? else {
        return cursor.finish();
    };
    let run = Run { ctx, scope, now };
    if turn.operation().attempts >= ATTEMPTS {
        let sentence = "it fails again and again; resume it, and report the id of its operation if that does not help";
        let why = Refusal::new(Reason::Other, sentence);
        match found.value.state {
            CampaignState::Running | CampaignState::Finishing => return run.pause(&found, cursor, why).await,
            // It begins, so that it can be paused.
            CampaignState::Scheduled => {
                let next = CampaignState::Running;
                let moved = move_campaign(&ctx.store, scope, &found, next, None, now);
                let Some(value) = moved.await? else {
                    return cursor.continue_later();
                };
                let version = found.version + 1;
                return run.pause(&Versioned { value, version }, cursor, why).await;
            }
            _ => {}
        }
    }
    let changed_at = found.value.updated_at;
    match found.value.state {
        CampaignState::Draft | CampaignState::Completed => cursor.finish(),
        CampaignState::Scheduled => match found.value.begins_at().filter(|at| now < *at) {
            Some(at) => cursor.wait(at),
            None => run.begin(&found, cursor).await,
        },
        CampaignState::Paused => {
            (cursor.waited, cursor.behind_since) = (false, None);
            let lately = now < changed_at + PAUSE_LOOK * 5;
            if lately {
                // A notice that was lost is recorded at the next look.
                notice_pause(&ctx.store, scope, &found.value, now).await;
            }
            cursor.wait(now + if lately { PAUSE_LOOK } else { LATER_LOOK })
        }
        CampaignState::Cancelled | CampaignState::Running | CampaignState::Finishing => {
            let campaign = &found.value;
            if campaign.kind == CampaignType::Broadcast && campaign.state != CampaignState::Cancelled {
                match run.read_held(campaign).await? {
                    Held::Against(why) => return run.pause(&found, cursor, why).await,
                    Held::Free if run.release(campaign).await? => return cursor.continue_later(),
                    Held::Free | Held::Nothing => {}
                }
            }
            // It may have been paused since, and resumed or cancelled. A message that found it paused may not be in the list yet.
            if cursor.seen != Some(changed_at) {
                if run.release(&found.value).await? {
                    return cursor.continue_later();
                }
                if changed_at + INDEXED <= now {
                    cursor.seen = Some(changed_at);
                } else if found.value.state == CampaignState::Cancelled {
                    return cursor.wait(changed_at + INDEXED);
                }
            }
            match cursor.place.clone() {
                _ if found.value.state == CampaignState::Cancelled => cursor.finish(),
                None => run.begin(&found, cursor).await,
                Some(Place::Enrolling { audience, after }) => run.enrol(&found, cursor, audience, after).await,
                Some(Place::Making(from)) => run.make(&found, cursor, from).await,
                Some(Place::Holding) => run.hold(&found, cursor).await,
                Some(Place::Settling(from)) => run.settle(&found, cursor, from).await,
                Some(Place::Open) => {
                    let known = cursor.seen == Some(changed_at);
                    cursor.wait(if known { now + OPEN_LOOK } else { changed_at + INDEXED })
                }
            }
        }
    }
}

/// The messages of a broadcast that wait as if it were paused.
enum Held {
    Nothing,
    /// A cap has no room for them, or WhatsApp refuses their route, for this reason.
    Against(Refusal),
    /// They may be sent.
    Free,
}

/// State of a running step.
struct Run<'a> {
    ctx: &'a Context,
    scope: &'a TenantScope,
    now: Timestamp,
}

impl Run<'_> {
    /// Moves the campaign to another state, unless somebody else just has: then the next step finds that.
    async fn move_campaign(
        &self,
        found: &Versioned<Campaign>,
        next: CampaignState,
        why: Option<Refusal>,
    ) -> Result<(), JobError> {
        move_campaign(&self.ctx.store, self.scope, found, next, why, self.now).await?;
        Ok(())
    }

    /// Records the number of contacts in the audience. If somebody else just changes the campaign, it is written when that finishes.
    async fn record_recipients(&self, found: &Versioned<Campaign>, count: u64) -> Result<(), JobError> {
        let fixed = Campaign {
            recipients: Some(count),
            ..found.value.clone()
        };
        match self.ctx.store.move_campaign(self.scope, found.version, &fixed).await {
            Err(error) if !error.is_conflict() => Err(error.into()),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Pauses the campaign for a reason that its users can change.
    async fn pause(&self, found: &Versioned<Campaign>, mut cursor: Cursor, why: Refusal) -> Result<Step, JobError> {
        // Whoever resumes it has seen what was wrong.
        cursor.watch = Watch::default();
        self.move_campaign(found, CampaignState::Paused, Some(why)).await?;
        cursor.continue_later()
    }

    /// Begins the campaign: reads the conditions of its audience, which are fixed from now on. A drip can do without an audience.
    async fn begin(&self, found: &Versioned<Campaign>, mut cursor: Cursor) -> Result<Step, JobError> {
        let campaign = &found.value;
        if campaign.kind == CampaignType::Drip && campaign.audience.is_empty() {
            cursor.place = Some(Place::Open);
            self.move_campaign(found, CampaignState::Running, None).await?;
            return cursor.continue_later();
        }
        let conditions = self.ctx.store.audience_conditions(self.scope, &campaign.audience);
        let audience = match conditions.await? {
            Ok(conditions) => Box::new(conditions),
            Err(why) => return self.end(found, cursor, why).await,
        };
        cursor.place = Some(Place::Enrolling { audience, after: None });
        if Data::of(&cursor).is_err() {
            let sentence = "The conditions of its segments are too long together. Create another campaign with fewer.";
            let why = Refusal::new(Reason::SegmentUnusable, sentence);
            return self.end(found, Cursor::new(self.now), why).await;
        }
        self.move_campaign(found, CampaignState::Running, None).await?;
        cursor.continue_later()
    }

    /// Cancels the campaign, which cannot go on.
    async fn end(&self, found: &Versioned<Campaign>, cursor: Cursor, why: Refusal) -> Result<Step, JobError> {
        self.move_campaign(found, CampaignState::Cancelled, Some(why)).await?;
        cursor.continue_later()
    }

    /// Enrols the contacts of the next page of the list.
    async fn enrol(
        &self,
        found: &Versioned<Campaign>,
        mut cursor: Cursor,
        audience: Box<AudienceConditions>,
        after: Option<String>,
    ) -> Result<Step, JobError> {
        let (store, campaign) = (&self.ctx.store, &found.value);
        let begun = campaign.began_at.unwrap_or(self.now);
        let after = after.as_deref();
        let page = store.chosen_people(self.scope, &audience, &campaign.audience, begun, after, PER_ENROLMENT);
        let page = match page.await? {
            Ok(page) => page,
            Err(why) => return self.end(found, cursor, why).await,
        };
        let chosen: Vec<ContactId> = page.items.iter().map(|person| person.contact.id).collect();
        store
            .enrol(self.scope, campaign.id, campaign.drips(), &chosen, self.now)
            .await?;
        crash::point("run_campaign.enrolled");
        if page.next.is_some() {
            cursor.place = Some(Place::Enrolling {
                audience,
                after: page.next,
            });
            return cursor.continue_later();
        }
        if campaign.kind == CampaignType::Drip {
            cursor.place = Some(Place::Open);
            return cursor.continue_later();
        }
        let from = self.now + INDEXED;
        cursor.readable_from = Some(from);
        cursor.place = Some(Place::Making(InAudience::default()));
        cursor.wait(from)
    }

    /// Makes the messages of the next contacts of the audience, as many as its pace allows.
    async fn make(&self, found: &Versioned<Campaign>, mut cursor: Cursor, from: InAudience) -> Result<Step, JobError> {
        let (store, now) = (&self.ctx.store, self.now);
        let campaign = &Campaign {
            // If somebody changed the campaign when the audience was fixed, its row does not say it yet.
            recipients: cursor.recipients(),
            ..found.value.clone()
        };
        // An event may start it earlier.
        if let Some(at) = cursor.readable_from.filter(|at| now < *at) {
            return cursor.wait(at);
        }
        let Some((recipients, fixed_at)) = cursor.fixed else {
            let count = store.audience_size(self.scope, campaign.id).await?;
            self.record_recipients(found, count).await?;
            cursor.fixed = Some((count, now));
            cursor.pace = Pace::new(now);
            return cursor.continue_later();
        };
        if fixed_at + MAX_RUN < now {
            return self.end(found, cursor, Pace::over()).await;
        }
        let per_minute = campaign.per_minute.map_or(USUAL_PER_MINUTE, |most| most.get());
        let room = cursor.pace.room(per_minute, now);
        if room == 0 {
            cursor.waited = true;
            let until = cursor.pace.next_turn_at(per_minute);
            return cursor.wait(until);
        }
        let latest = self.latest(&cursor).await?;
        // Messages that the provider accepted before have failed, so they do not wait.
        if let Some(why) = refused_route_pause(campaign, &latest) {
            return self.pause(found, cursor, why).await;
        }
        cursor.waited &= !latest.is_empty() && latest.iter().all(|message| is_behind(message, now));
        if cursor.waited {
            let since = *cursor.behind_since.get_or_insert(now);
            if since + BEHIND_FOR < now {
                cursor.behind_since = None;
                let sentence =
                    "its messages have waited for an hour to be sent; see why the connection does not send them";
                return self
                    .pause(found, cursor, Refusal::new(Reason::Throughput, sentence))
                    .await;
            }
            return cursor.wait(now + BEHIND_LOOK);
        }
        cursor.behind_since = None;
        if let Some(why) = self.look(&mut cursor.watch).await? {
            return self.pause(found, cursor, why).await;
        }
        let limit = i32::try_from(room.min(PER_STEP)).unwrap_or(1);
        let (page, next) = store.audience(self.scope, campaign.id, from, limit).await?;
        let made = make::all(self, campaign, &page).await?;
        crash::point("run_campaign.made");
        let local = campaign
            .starts_at_local
            .map_or(SignedDuration::ZERO, |_| campaign.lead());
        cursor.watch.note_messages(&made.new, local, now);
        cursor.latest = made.new.iter().rev().take(LATEST).copied().collect();
        cursor.pace = cursor.pace.after(made.new.len(), per_minute, now);
        if let Some(why) = made.stopped {
            // Contacts who got their message are found when it is resumed.
            return self.pause(found, cursor, why).await;
        }
        if let Some(until) = made.limited {
            // Contacts who got their message are found then.
            record_limit(store, self.scope, found, until).await?;
            // The limit may be raised.
            return cursor.wait(until.min(now + LIMITED_LOOK));
        }
        cursor.tally.made += made.made;
        cursor.tally.left_out += made.left_out;
        cursor.held |= made.held;
        cursor.later = [cursor.later, made.later].into_iter().flatten().min();
        match (next, cursor.later) {
            (Some(next), _) => cursor.place = Some(Place::Making(next)),
            (None, Some(later)) => {
                // Contacts whose messages are made are found in the next pass.
                cursor.begin_again();
                return cursor.wait((later - campaign.lead()).max(now + LATER_AGAIN));
            }
            (None, None) => {
                let count = store.audience_size(self.scope, campaign.id).await?;
                let Tally { made, left_out } = cursor.known_tally();
                let is_missed = !cursor.held && made + left_out < count;
                if (count > recipients || is_missed) && cursor.pass < PASSES {
                    self.record_recipients(found, count).await?;
                    cursor.fixed = Some((count, fixed_at));
                    cursor.pass += 1;
                    cursor.begin_again();
                    return cursor.continue_later();
                }
                if cursor.held {
                    cursor.place = Some(Place::Holding);
                    return cursor.continue_later();
                }
                let found = Versioned {
                    value: Campaign {
                        recipients: Some(recipients),
                        ..campaign.clone()
                    },
                    version: found.version,
                };
                self.move_campaign(&found, CampaignState::Finishing, None).await?;
                cursor.place = Some(Place::Settling(InAudience::default()));
            }
        }
        cursor.continue_later()
    }

    /// Goes on with those who wait for the choice of a variant once it is made.
    async fn hold(&self, found: &Versioned<Campaign>, mut cursor: Cursor) -> Result<Step, JobError> {
        if !found.value.holds() {
            cursor.begin_again();
            return cursor.continue_later();
        }
        let fixed_at = cursor.fixed.map_or(self.now, |(_, at)| at);
        if fixed_at + MAX_RUN < self.now {
            return self.end(found, cursor, Pace::over()).await;
        }
        // The choice starts it at once.
        cursor.wait(self.now + LATER_LOOK)
    }

    /// The latest messages that were made before a wait, if there was one.
    async fn latest(&self, cursor: &Cursor) -> Result<Vec<Message>, JobError> {
        if !cursor.waited {
            return Ok(Vec::new());
        }
        let latest = self.ctx.store.each_message(self.scope, &cursor.latest, self.now);
        let latest = latest.await?.into_iter().filter_map(|message| message.ok().flatten());
        Ok(latest.collect())
    }

    /// Reads whether messages of the campaign wait as if it were paused, since a cap had no room for them or their route was refused. One
    /// request in each step.
    async fn read_held(&self, campaign: &Campaign) -> Result<Held, JobError> {
        let (ctx, store, now) = (self.ctx, &self.ctx.store, self.now);
        let page = store.held_messages(self.scope, campaign.id, None, PER_LOOK, now);
        let (held, _) = page.await?;
        if let Some(why) = refused_route_pause(campaign, &held) {
            return Ok(Held::Against(why));
        }
        // A message that has woken by itself is on its way.
        let Some(held) = held.iter().find(|message| now < message.not_before) else {
            return Ok(Held::Nothing);
        };
        let config = store.config(self.scope, &ctx.config);
        let (config, counts) = futures::try_join!(config, store.cap_counts(self.scope, now))?;
        let Some(config) = config else { return Ok(Held::Nothing) };
        // A further channel follows one that was tried.
        let tried = held.last().map_or(0, |last| usize::from(last.leg));
        let most = 1 + usize::from(!held.attempts.is_empty());
        for leg in held.plan.iter().skip(tried).take(most) {
            let of = Countable {
                policy: &held.policy,
                line: held.line,
                to: &held.to,
                leg,
            };
            let takes = store.takes(&config, of, &ctx.prices, now).await?;
            if let Some(reached) = counts.first_reached(&takes, now) {
                return Ok(Held::Against(reached.refusal_when_reached(now)));
            }
        }
        Ok(Held::Free)
    }

    /// Looks at what became of some of the messages. Returns the reason to pause the campaign, if there is one.
    async fn look(&self, watch: &mut Watch) -> Result<Option<Refusal>, JobError> {
        let (store, due) = (&self.ctx.store, watch.take_due(self.now));
        if due.is_empty() {
            return Ok(None);
        }
        let contacts: Vec<ContactId> = due.iter().map(|id| id.contact()).collect();
        let messages = store.each_message(self.scope, &due, self.now);
        let (messages, people) = futures::try_join!(messages, store.people_by_id(self.scope, &contacts))?;
        for message in messages.into_iter().filter_map(|message| message.ok().flatten()) {
            let person = people.get(&message.id.contact());
            watch.look(&message, person.map(|person| &person.contact));
        }
        Ok(watch.against())
    }

    /// Looks whether the messages of the next contacts are in a final state.
    async fn settle(
        &self,
        found: &Versioned<Campaign>,
        mut cursor: Cursor,
        from: InAudience,
    ) -> Result<Step, JobError> {
        let (store, campaign, now) = (&self.ctx.store, &found.value, self.now);
        if campaign.state == CampaignState::Running {
            // It was paused while it finished.
            self.move_campaign(found, CampaignState::Finishing, None).await?;
            return cursor.continue_later();
        }
        let (page, next) = store.audience(self.scope, campaign.id, from, PER_LOOK).await?;
        let ids = page.iter().map(|contact| campaign.cause(*contact).message_id());
        let messages = store.each_message(self.scope, &ids.collect::<Vec<_>>(), now).await?;
        // Nothing is known of one that cannot be read.
        let mut messages = messages.into_iter().filter_map(|message| message.ok().flatten());
        if messages.any(|message| may_still_send(&message, now)) {
            return cursor.wait(now + SETTLING_LOOK);
        }
        if let Some(next) = next {
            cursor.place = Some(Place::Settling(next));
            return cursor.continue_later();
        }
        self.move_campaign(found, CampaignState::Completed, None).await?;
        cursor.continue_later()
    }

    /// Releases the messages that wait because the campaign was paused. Returns whether there may be more.
    async fn release(&self, campaign: &Campaign) -> Result<bool, JobError> {
        let store = &self.ctx.store;
        let (mut after, mut any) = (None, false);
        for _ in 0..RELEASES {
            let page = store.held_messages(self.scope, campaign.id, after, PER_RELEASE, self.now);
            let (held, next) = page.await?;
            let (mut jobs, mut failed) = (Vec::new(), None);
            for mut message in held {
                message.release(self.now, &self.ctx.timers);
                match store.write_message(self.scope, &message).await {
                    Ok(()) => jobs.push(ToQueue::send(self.scope.tenant(), &message)),
                    // A worker has it, or somebody has just followed its link.
                    Err(error) if error.is_conflict() => any = true,
                    Err(error) => {
                        failed = Some(error);
                        break;
                    }
                }
            }
            any |= !jobs.is_empty();
            // Released messages are queued, even if others failed.
            self.ctx.queues.enqueue(jobs, self.now).await?;
            if let Some(error) = failed {
                return Err(error.into());
            }
            after = next;
            if after.is_none() {
                break;
            }
        }
        Ok(any)
    }
}
