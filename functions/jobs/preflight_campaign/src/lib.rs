//! The operation `preflight_campaign`: finds out what would become of everybody whom a campaign chooses, page by page, without sending
//! anything. Its result has the numbers; a file lists everybody.
//!
//! Safe to run twice: it only reads the table. The place of the next page, what is counted and the state of the file are one checkpoint, so a
//! step that is made again counts the same page and writes the same part.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use domain::Timestamp;
use domain::campaigns::{
    AudienceConditions, Campaign, Pace, PreflightCampaign, PreflightResult, PreflightTally, Stopped, USUAL_PER_MINUTE,
    channel_problems,
};
use domain::messages::{Composed, IntentReview, Message, Needs};
use domain::money::{PriceBook, day_of};
use domain::people::Person;
use domain::reports::all_caps_of;
use domain::tenants::BulkWorkers;
use domain::terms::{Channel, ContactId, Data, MessageId, Progress, Refusal};
use flows::campaigns::{Broadcast, same_person};
use flows::files::FileSteps;
use flows::messages::Planner;
use futures::TryFutureExt as _;
use kit::files::Appended;
use kit::operation::{Step, Turn};
use kit::{ConfigError, Env, FileKey, JobError, Pages, crash};
use serde::{Deserialize, Serialize};
use sheet::write::{MARK, csv_row};
use store::money::PriceCache;
use store::tenants::ConfigCache;
use store::{TenantScope, Versioned};

/// State of the function, created once per process.
pub struct Context {
    files: FileSteps,
    planner: Planner,
    config: ConfigCache,
    prices: PriceCache,
    workers: BulkWorkers,
}

impl Context {
    /// Creates the state from the function's environment.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        let files = FileSteps::new(env)?;
        Ok(Self {
            planner: Planner::new(files.store.clone(), Pages::new(env)?, env.config().timers()?),
            files,
            config: ConfigCache::default(),
            prices: PriceCache::default(),
            workers: env.config().bulk_workers()?,
        })
    }

    /// Limits steps to one page of this many contacts, and parts of files to this many bytes. For tests.
    pub fn in_pages_of(self, page: i32, part: usize) -> Self {
        Self {
            files: self.files.in_pages_of(page, part),
            ..self
        }
    }
}

const COLUMNS: [&str; 9] = [
    "contact_id",
    "outcome",
    "code",
    "detail",
    "whatsapp_problem",
    "sms_problem",
    "channel",
    "send_at",
    "variant",
];

/// Content of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    conditions: Box<AudienceConditions>,
    /// Position in the list of the segment or tag. `None`: at its beginning.
    after: Option<String>,
    /// Whether the list is over.
    is_over: bool,
    tally: PreflightTally,
    stopped: Option<Stopped>,
    file: Appended,
}

const TOO_LARGE: &str = "The list of everybody would be larger than two gigabytes. Choose fewer contacts.";
const TOO_MANY: &str =
    "The conditions of its segments, or the countries of its recipients, are too many for a pre-flight. Choose fewer.";

kit::function!(serve_operation, Context::new, handle);

pub async fn handle(turn: Turn, ctx: &Context) -> Result<Step, JobError> {
    let params: PreflightCampaign = turn.params()?;
    let (store, scope) = (&ctx.files.store, turn.scope());
    let Some(found): Option<Versioned<Campaign>> = store.get(scope, &params.campaign).await? else {
        return fail_step("The campaign was deleted.");
    };
    if !params.is_of(&found.value) {
        return fail_step("The campaign was changed meanwhile. Make another pre-flight.");
    }
    // Its own messages would count as others.
    if found.value.state.has_begun() {
        return fail_step("The campaign has begun meanwhile. Its recipients say what becomes of them.");
    }
    let cursor = match turn.cursor()? {
        Some(cursor) => cursor,
        None => match store.audience_conditions(scope, &found.value.audience).await? {
            Ok(conditions) => Cursor {
                conditions: Box::new(conditions),
                after: None,
                is_over: false,
                tally: PreflightTally::default(),
                stopped: None,
                file: Appended::default(),
            },
            Err(why) => return fail_step(&why.sentence),
        },
    };
    let flight = Flight {
        turn: &turn,
        ctx,
        campaign: &found.value,
    };
    if cursor.is_over {
        return flight.complete(cursor).await;
    }
    Box::pin(flight.step(cursor)).await
}

fn fail_step(reason: &str) -> Result<Step, JobError> {
    Ok(Step::from_failure(reason))
}

/// State of a running step.
struct Flight<'a> {
    turn: &'a Turn,
    ctx: &'a Context,
    campaign: &'a Campaign,
}

impl Flight<'_> {
    fn scope(&self) -> &TenantScope {
        self.turn.scope()
    }

    /// Start of the campaign.
    fn begins_at(&self) -> Timestamp {
        let created = self.turn.operation().created_at;
        self.campaign.begins_at().map_or(created, |at| at.max(created))
    }

    fn file(&self) -> FileKey {
        FileKey::result(self.scope(), self.turn.operation().id.ulid(), PreflightCampaign::FILE)
    }

    fn rest_file(&self, number: u32) -> FileKey {
        let operation = self.turn.operation().id.ulid();
        FileKey::step(self.scope(), operation, &format!("preflight-{number}"))
    }

    /// Looks at pages of the list as long as there is time.
    async fn step(&self, mut cursor: Cursor) -> Result<Step, JobError> {
        let FileSteps { files, .. } = &self.ctx.files;
        let limit = self.ctx.files.limit();
        let mut bytes = Vec::new();
        if cursor.file.size() == 0 {
            bytes.extend_from_slice(MARK);
            // It is never too large.
            let _ = csv_row(&mut bytes, COLUMNS);
        }
        loop {
            if let Err(why) = self.page(&mut cursor, &mut bytes).await? {
                return fail_step(&why.sentence);
            }
            if cursor.is_over || limit.is_reached(bytes.len()) {
                break;
            }
        }
        if !cursor.file.has_room_for(&bytes) {
            return fail_step(TOO_LARGE);
        }
        let (file, rest) = (self.file(), |number| self.rest_file(number));
        files.append(&file, rest, &mut cursor.file, &bytes).await?;
        crash::point("preflight_campaign.written");
        let progress = progress(&cursor.tally);
        match Data::of(&cursor) {
            Ok(cursor) => Ok(Step::More { cursor, progress }),
            Err(_) => fail_step(TOO_MANY),
        }
    }

    /// Counts everybody of the next page. Otherwise says why the audience cannot be known.
    async fn page(&self, cursor: &mut Cursor, bytes: &mut Vec<u8>) -> Result<Result<(), Refusal>, JobError> {
        let Context {
            files, planner, config, ..
        } = self.ctx;
        let (store, scope, begins_at) = (&files.store, self.scope(), self.begins_at());
        let (conditions, audience) = (&*cursor.conditions, &self.campaign.audience);
        let (after, limit) = (cursor.after.as_deref(), files.page);
        let created = self.turn.operation().created_at;
        let page = store.chosen_people(scope, conditions, audience, created, after, limit);
        let page = match page.await? {
            Ok(page) => page,
            Err(why) => return Ok(Err(why)),
        };
        cursor.after = page.next;
        cursor.is_over = cursor.after.is_none();
        let people = page.items;
        let Some(config) = store.config(scope, config).await? else {
            return Ok(Ok(()));
        };
        for (says, part) in self
            .campaign
            .with_message_chosen()
            .by_variant(people, |person| person.contact.id)
        {
            let ready = planner.broadcast(scope, &says, config.clone(), part.iter(), begins_at);
            let (broadcast, stopped) = ready.await?;
            cursor.stopped = cursor.stopped.take().or(stopped.map(Stopped::from));
            self.count(&broadcast, &part, cursor, bytes).await?;
        }
        Ok(Ok(()))
    }

    async fn count(
        &self,
        broadcast: &Broadcast<'_>,
        people: &[Person],
        cursor: &mut Cursor,
        bytes: &mut Vec<u8>,
    ) -> Result<(), JobError> {
        let others = self.others_of(people, &cursor.conditions).await?;
        let everybody = people.iter().chain(others.values());
        let (open, book) = futures::try_join!(self.open(broadcast, everybody), self.book())?;
        let day = day_of(self.begins_at());
        for person in people {
            let (tenant, to) = (&broadcast.config.tenant, person.contact.recipient());
            let made_at = self.made_at(cursor.tally.messages);
            let decided = match made_at.map(|made_at| self.campaign.planned_at(tenant, &to, made_at)) {
                Some(made_at) => {
                    let gets = |person: &Person| decide_message(broadcast, person, &open, made_at);
                    let first = |id: &&ContactId| others.get(*id).is_some_and(|other| gets(other).is_ok());
                    gets(person).and_then(|composed| match earlier_of(person).find(first) {
                        Some(first) => Err(same_person(*first)),
                        None => Ok((composed, made_at)),
                    })
                }
                None => Err(Pace::over()),
            };
            match &decided {
                Ok((composed, made_at)) => {
                    let (tally, config) = (&mut cursor.tally, &broadcast.config);
                    tally.add(composed, *made_at, self.campaign, config, &book, day);
                    if let Some(number) = tally.unknown_number(composed) {
                        let connection = self.ctx.files.store.connection(self.scope(), number).await?;
                        if let Some(connection) = connection {
                            tally.know_throughput(&connection, self.begins_at());
                        }
                    }
                    tally.keep_busy(composed, self.ctx.workers);
                }
                Err(why) => cursor.tally.hold_back(why),
            }
            let decided = decided.map(|(composed, _)| composed);
            // A row of ids and words is never too large.
            let cells = cells(self.campaign, person, &decided);
            let _ = csv_row(bytes, cells.iter().map(String::as_str));
        }
        Ok(())
    }

    /// The prices that hold.
    async fn book(&self) -> Result<Arc<Cow<'static, PriceBook>>, JobError> {
        let FileSteps { store, clock, .. } = &self.ctx.files;
        Ok(store.price_book(&self.ctx.prices, clock.now()).await?)
    }

    /// Time of making the next message after this many. `None`: it is never made.
    fn made_at(&self, before: u64) -> Option<Timestamp> {
        let per_minute = self.campaign.per_minute.map_or(USUAL_PER_MINUTE, |most| most.get());
        Pace::made_at(self.begins_at(), before, per_minute)
    }

    /// The earlier contacts of the same people, as far as they are chosen, too.
    async fn others_of(
        &self,
        people: &[Person],
        conditions: &AudienceConditions,
    ) -> Result<HashMap<ContactId, Person>, JobError> {
        let (store, created) = (&self.ctx.files.store, self.turn.operation().created_at);
        let earlier: Vec<ContactId> = people.iter().flat_map(earlier_of).copied().collect();
        let audience = &self.campaign.audience;
        let chosen = store.chosen_among(self.scope(), conditions, audience, created, &earlier);
        Ok(chosen.await?)
    }

    /// The other messages to these people that may count.
    async fn open(
        &self,
        broadcast: &Broadcast<'_>,
        people: impl Iterator<Item = &Person>,
    ) -> Result<HashMap<MessageId, Message>, JobError> {
        let needs = people.map(|person| broadcast.needs(person, self.begins_at()));
        let ids: Vec<MessageId> = needs.flat_map(|Needs { open, .. }| open).collect();
        let now = self.ctx.files.clock.now();
        let found = self.ctx.planner.readable(self.scope(), &ids, now).await?;
        Ok(found.into_iter().map(|message| (message.id, message)).collect())
    }

    async fn complete(&self, cursor: Cursor) -> Result<Step, JobError> {
        let (files, store, scope) = (&self.ctx.files, &self.ctx.files.store, self.scope());
        let now = files.clock.now();
        let rest = |number| self.rest_file(number);
        files.files.complete(&self.file(), rest, &cursor.file).await?;
        let Some(config) = store.config(scope, &self.ctx.config).await? else {
            return fail_step("The account was deleted.");
        };
        let counts = store.cap_counts(scope, now).err_into();
        let (counts, book) = futures::try_join!(counts, self.book())?;
        let mut connections = Vec::new();
        for id in cursor.tally.senders() {
            connections.extend(store.connection(scope, id).await?);
        }
        let progress = progress(&cursor.tally);
        let (tally, caps) = (cursor.tally, all_caps_of(&config.tenant));
        let result = PreflightResult {
            stopped: cursor.stopped,
            ..tally.result(self.begins_at(), now, &caps, &counts, &book, &connections)
        };
        let progress = Progress {
            total: Some(result.chosen),
            ..progress
        };
        match Data::of(&result) {
            Ok(result) => Ok(Step::Done { result, progress }),
            Err(_) => fail_step(TOO_MANY),
        }
    }
}

/// The other contacts of a person that were created before this one: the first of them that may gets the message.
fn earlier_of(person: &Person) -> impl Iterator<Item = &ContactId> {
    let contact = &person.contact;
    contact.same_as.iter().filter(|same| **same < contact.id)
}

/// The message to this person if it is made at this time, or the reason against it.
fn decide_message(
    broadcast: &Broadcast<'_>,
    person: &Person,
    open: &HashMap<MessageId, Message>,
    at: Timestamp,
) -> Result<Composed, Refusal> {
    let Needs { open: wanted, .. } = broadcast.needs(person, at);
    let others: Vec<Message> = wanted.iter().filter_map(|id| open.get(id).cloned()).collect();
    let reviewed = broadcast.review(person, &broadcast.material, &others, at);
    reviewed.and_then(IntentReview::into_outcome)
}

/// The row of a contact.
fn cells(campaign: &Campaign, person: &Person, decided: &Result<Composed, Refusal>) -> [String; COLUMNS.len()] {
    let (id, none) = (person.contact.id.to_string(), String::new);
    let variant = campaign.variant_of(person.contact.id);
    let variant = variant.map_or_else(none, |number| number.to_string());
    match decided {
        Ok(composed) => {
            let channel = composed.legs.first().map(|leg| leg.channel.as_str());
            let (sentence, send_at) = (composed.sentence.clone(), composed.not_before.to_string());
            let channel = channel.unwrap_or_default().to_owned();
            [
                id,
                "message".to_owned(),
                none(),
                sentence,
                none(),
                none(),
                channel,
                send_at,
                variant,
            ]
        }
        Err(why) => {
            let of = |wanted: Channel| {
                let mut problems = channel_problems(why);
                problems
                    .find(|(channel, _)| *channel == wanted)
                    .map_or_else(none, |(_, problem)| problem)
            };
            let (whatsapp, sms) = (of(Channel::WhatsApp), of(Channel::Sms));
            let (code, sentence) = (why.reason.as_str().to_owned(), why.sentence.clone());
            [
                id,
                "held_back".to_owned(),
                code,
                sentence,
                whatsapp,
                sms,
                none(),
                none(),
                variant,
            ]
        }
    }
}

fn progress(tally: &PreflightTally) -> Progress {
    Progress {
        done: tally.chosen,
        total: None,
        errors: 0,
    }
}
