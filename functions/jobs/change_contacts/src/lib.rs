//! The operation `change_contacts`: changes or deletes many contacts, those that a user named or those of a segment.
//!
//! Safe to run twice: each contact is written under the condition of the version that was read, and every change sets values, so one
//! that was made is not made again. A step that is interrupted is made again; the contacts that it had changed then count as
//! unchanged, or not at all if they have left the segment.
//!
//! A segment's list may change while it is read. Contacts are read before they are changed, and are left alone if they no longer
//! belong to the segment. In lists by contact nothing moves, so each is met once; a contact that loses the very tag that leads to it is
//! behind the cursor already. A stage's list is by time: contacts that reach it after the operation was started are not meant. Only in
//! a list of values can a contact move ahead, and be met twice; the second time, it has nothing to change.

use domain::people::{
    Became, ChangeContacts, ChangeDetails, EraseContact, Failure, Field, Person, RESTORABLE_FOR, Reason, Search, Stage,
    Tag, Tally,
};
use domain::terms::{ContactId, Operation, Progress, Stamp};
use jiff::SignedDuration;
use kit::JobError;
pub use kit::StoreAndClock as Context;
use kit::operation::{Step, Turn};
use serde::{Deserialize, Serialize};
use store::contacts::{Brought, PersonError};
use store::{RACES, StoreError, TenantScope};

/// Maximum contacts that a step changes, one after the other: the lists of a tag or a value have partitions of their own, which
/// take 1,000 writes a second.
pub const PER_STEP: usize = 50;

/// Place in the work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Place {
    /// Of the contacts that were named, this many are done.
    Chosen(usize),
    /// Of the segment's list, everything up to this position is done.
    Listed(Option<String>),
    /// All contacts are done.
    End,
}

/// Content of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    place: Place,
    tally: Tally,
}

#[derive(Debug, Serialize)]
struct Report {
    changed: u64,
    unchanged: u64,
    failed: u64,
    failures: Vec<Reported>,
}

/// A contact that was not changed, as users see it.
#[derive(Debug, Serialize)]
struct Reported {
    contact: ContactId,
    reason: Reason,
    detail: &'static str,
}

impl From<Tally> for Report {
    fn from(tally: Tally) -> Self {
        let shown = |Failure { contact, reason }| Reported {
            contact,
            reason,
            detail: reason.sentence(),
        };
        Self {
            changed: tally.changed,
            unchanged: tally.unchanged,
            failed: tally.failed,
            failures: tally.failures.into_iter().map(shown).collect(),
        }
    }
}

kit::function!(serve_operation, Context::new, handle);

pub async fn handle(turn: Turn, ctx: &Context) -> Result<Step, JobError> {
    let params: ChangeContacts = turn.params()?;
    let begin = || Cursor {
        place: match params.contacts {
            Some(_) => Place::Chosen(0),
            None => Place::Listed(None),
        },
        tally: Tally::default(),
    };
    let Cursor { place, mut tally } = turn.cursor()?.unwrap_or_else(begin);
    let (store, scope, id) = (&ctx.store, turn.scope(), turn.operation().id);
    let total = params.contacts;
    if place == Place::End {
        store.delete_operation_details(scope, id).await?;
        let progress = progress(&tally, total);
        return Step::from_result(&Report::from(tally), progress);
    }
    let Some(details) = store.operation_details(scope, id, ctx.clock.now()).await? else {
        return Ok(Step::from_failure(
            "It did not end within a week. Start it again for the other contacts.",
        ));
    };
    let work = match Work::new(ctx, &turn, params, details).await? {
        Ok(work) => work,
        Err(reason) => return Ok(Step::from_failure(reason)),
    };
    let place = match place {
        Place::Chosen(done) => work.change_named(done, &mut tally).await?,
        Place::Listed(after) => work.change_listed(after.as_deref(), &mut tally).await?,
        Place::End => Place::End,
    };
    let progress = progress(&tally, total);
    Step::from_cursor(&Cursor { place, tally }, progress)
}

/// Time over which the erasures of contacts that were deleted together are spread.
const SPREAD: SignedDuration = SignedDuration::from_hours(24);

const fn progress(tally: &Tally, total: Option<u64>) -> Progress {
    Progress {
        done: tally.changed + tally.unchanged,
        total,
        errors: tally.failed,
    }
}

/// State of a running step.
struct Work<'a> {
    ctx: &'a Context,
    scope: &'a TenantScope,
    operation: &'a Operation,
    params: ChangeContacts,
    details: ChangeDetails,
    definitions: Vec<Field>,
    /// The search for the segment's contacts, if they were not named.
    search: Option<Search>,
}

impl<'a> Work<'a> {
    /// Reads what the change refers to. Otherwise, says why it can go no further: what it refers to was deleted meanwhile.
    async fn new(
        ctx: &'a Context,
        turn: &'a Turn,
        params: ChangeContacts,
        details: ChangeDetails,
    ) -> Result<Result<Self, String>, JobError> {
        let (store, scope) = (&ctx.store, turn.scope());
        let definitions = store.all::<Field>(scope).await?;
        let set = details.values.iter().filter(|(_, value)| value.is_some());
        let mut unknown = set.filter(|(field, _)| definitions.iter().all(|definition| definition.id != **field));
        if unknown.next().is_some() {
            return Ok(Err("A field of the change was deleted since it was started.".to_owned()));
        }
        let tags = store.missing::<Tag>(scope, params.change.add_tags.iter()).await?;
        let stage = store.missing::<Stage>(scope, params.change.stage.set()).await?;
        if let Some(gone) = tags.first().or(stage.first()) {
            return Ok(Err(format!("{gone} was deleted since the change was started.")));
        }
        let search = match &params.filter {
            Some(filter) => {
                let search = filter.filter(&definitions).ok().and_then(|filter| filter.search());
                let Some(search) = search else {
                    let reason = "The segment's field has changed or was deleted since the change was started.";
                    return Ok(Err(reason.to_owned()));
                };
                Some(search)
            }
            None => None,
        };
        Ok(Ok(Self {
            ctx,
            scope,
            operation: turn.operation(),
            params,
            details,
            definitions,
            search,
        }))
    }

    /// Changes the next of the contacts that were named.
    async fn change_named(&self, done: usize, tally: &mut Tally) -> Result<Place, JobError> {
        let all = &self.details.contacts;
        let rest = all.get(done..).unwrap_or_default();
        let now = &rest[..PER_STEP.min(rest.len())];
        let mut read = self.ctx.store.people_by_id(self.scope, now).await?;
        for contact in now {
            let known = read.remove(contact);
            tally.count(*contact, self.change(*contact, known).await?);
        }
        let done = done + now.len();
        Ok(if done < all.len() {
            Place::Chosen(done)
        } else {
            Place::End
        })
    }

    /// Changes the contacts of the next page of the segment's list.
    async fn change_listed(&self, after: Option<&str>, tally: &mut Tally) -> Result<Place, JobError> {
        let Some(search) = &self.search else {
            return Ok(Place::End);
        };
        let limit = i32::try_from(PER_STEP).unwrap_or(1);
        let page = self.ctx.store.searched_contacts(self.scope, search, after, limit);
        let page = page.await?;
        for person in page.items {
            let contact = person.contact.id;
            if search.is_meant_contact(&person, self.operation.created_at) {
                tally.count(contact, self.change(contact, Some(person)).await?);
            }
        }
        Ok(page.next.map_or(Place::End, |after| Place::Listed(Some(after))))
    }

    /// Changes a contact, which was read before. After a lost race, it is read and judged again.
    async fn change(&self, contact: ContactId, known: Option<Person>) -> Result<Became, StoreError> {
        let read = || self.ctx.store.known_person(self.scope, contact);
        let changed = RACES.until_won_from(known, read, |known| Box::pin(self.attempt(contact, known)));
        match changed.await {
            Err(lost) if lost.is_conflict() => Ok(Became::Failed(Reason::Busy)),
            changed => changed,
        }
    }

    async fn attempt(&self, contact: ContactId, known: Option<Person>) -> Result<Became, StoreError> {
        let change = &self.params.change;
        // If it was merged meanwhile, what is known is the contact that is left, which was not meant.
        let itself = known.filter(|person| person.contact.id == contact);
        let found = itself.filter(|person| change.delete || person.contact.deleted_at.is_none());
        let before = match (found, &self.search) {
            (Some(person), Some(search)) if search.filter.takes(&person) => person,
            (_, Some(_)) => return Ok(Became::NotMeant),
            (Some(person), None) => person,
            (None, None) => return Ok(Became::Failed(Reason::NotFound)),
        };
        let stamp = self.stamp();
        let after = match change.apply(&self.details.values, &before, &self.definitions, stamp.at) {
            Ok(Some(after)) => after,
            Ok(None) => return Ok(Became::Unchanged),
            Err(reason) => return Ok(Became::Failed(reason)),
        };
        match self.write(&before, &after, &stamp).await {
            Ok(()) => Ok(Became::Changed),
            Err(PersonError::TooMany(_)) => Ok(Became::Failed(Reason::TooLarge)),
            Err(PersonError::Store(error)) => Err(error),
            // The change adds no identity: the contact's own row was meant.
            Err(PersonError::Taken(_)) => Err(StoreError::Conflict {
                doing: "change one of many contacts",
            }),
        }
    }

    async fn write(&self, before: &Person, after: &Person, stamp: &Stamp) -> Result<(), PersonError> {
        let store = &self.ctx.store;
        let newly_deleted = after.contact.deleted_at.filter(|_| self.params.change.delete);
        let Some(deleted_at) = newly_deleted else {
            // It adds no identity, so it brings no refusal with it. Those of the contact stay.
            return store
                .change_person(self.scope, before, after, &Brought::default(), stamp)
                .await;
        };
        let erasure = EraseContact {
            contact: after.contact.id,
            deleted_at,
        };
        let due = deleted_at + RESTORABLE_FOR + after.contact.id.part_of(SPREAD);
        let erasure = erasure.wanted_by(stamp).not_before(due);
        store.delete_person(self.scope, before, after, &erasure, stamp).await
    }

    /// The audit log names the user who started the operation.
    fn stamp(&self) -> Stamp {
        Stamp {
            actor: self.operation.created_by,
            at: self.ctx.clock.now(),
            correlation_id: self.operation.correlation_id.clone(),
        }
    }
}
