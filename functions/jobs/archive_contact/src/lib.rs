//! The operation `archive_contact`: writes all that is known of a contact, and of those that were merged into it, to one file for the
//! person.
//!
//! Safe to run twice: it only reads the table. The place of the next page and the state of the file are one checkpoint, so a step
//! that is made again reads the same page and writes the same part.
//!
//! Nothing of an erased contact stays in the bucket: the erasure marks the contact before it deletes the files, and each step looks for
//! that mark after it has written. Whichever is later deletes what was written.

mod document;
mod rows;

use std::collections::HashMap;

use domain::accounts::Member;
use domain::calls::Entry;
use domain::messages::Message;
use domain::people::{ArchiveContact, ArchiveResult, Contact, Field, HistoryKind, Person, Stage, Tag};
use domain::tenants::{Line, Team};
use domain::terms::{ContactId, Progress};
pub use flows::files::FileSteps as Context;
use kit::files::Appended;
use kit::operation::{Step, Turn};
use kit::{FileKey, Folder, JobError, crash};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::contacts::TimelinePosition;
use store::{StoreError, TenantScope};

use crate::document::{about, begin, close, end, item, open};
use crate::rows::{Names, contact, conversation, enrolment, entry};

/// Identities that do not fit into the contact. Its own refusals do not show whether there are any.
const FURTHER_IDENTITIES: (&str, &str) = (
    "further_identities",
    "Further telephone numbers and addresses that lead to the person.",
);

const CONVERSATIONS: (&str, &str) = (
    "conversations",
    "Conversations with the person on each line: their states, who attends to them, tags and times.",
);

const ENROLMENTS: (&str, &str) = (
    "enrolments",
    "Campaigns that were to reach the person, with the steps that were taken, and the reason if there was no message.",
);

/// Lists of the document with their meanings, in their order: what is recorded, what happened, and further identities, conversations and
/// enrolments.
fn lists() -> impl Iterator<Item = (&'static str, &'static str)> {
    let (happened, recorded) = HistoryKind::ALL.split_at(2);
    let kinds = recorded.iter().chain(happened);
    let others = [FURTHER_IDENTITIES, CONVERSATIONS, ENROLMENTS];
    kinds.map(|kind| kind.list()).chain(others)
}

/// Place of the next page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Place {
    /// Nothing is written yet.
    Beginning,
    /// In the list with this name, behind this position, and whether the list has entries already.
    In(String, Option<String>, bool),
    /// Behind the last list: what is left is to complete the file.
    End,
}

/// Content of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    place: Place,
    file: Appended,
    entries: u64,
    /// Contacts that were merged into it when the archive began.
    aliases: Vec<ContactId>,
}

const ERASED: &str = "The contact is being erased, or was erased meanwhile. The archive is deleted.";
const MERGED: &str =
    "Contacts were merged or separated meanwhile. Start the archive again, by the id of the contact that is left.";
const TOO_LARGE: &str = "The file would be larger than two gigabytes. Export the calls and messages by period instead.";

kit::function!(serve_operation, Context::new, handle);

pub async fn handle(turn: Turn, ctx: &Context) -> Result<Step, JobError> {
    let ArchiveContact { contact } = turn.params()?;
    let work = Work {
        folders: Folder::of_archive(turn.scope(), contact, turn.operation().id),
        turn: &turn,
        contact,
        ctx,
    };
    let cursor: Option<Cursor> = turn.cursor()?;
    let person = match work.person(cursor.as_ref()).await? {
        Ok(person) => person,
        Err(reason) => return work.give_up(cursor.as_ref(), reason).await,
    };
    let cursor = cursor.unwrap_or_else(|| Cursor {
        place: Place::Beginning,
        file: Appended::default(),
        entries: 0,
        aliases: person.contact.aliases.clone(),
    });
    let step = if cursor.place == Place::End {
        work.complete(&cursor).await?
    } else {
        work.step(&person, cursor.clone()).await?
    };
    // The erasure may have begun, and deleted what was there, before this step wrote.
    match work.person(Some(&cursor)).await? {
        Ok(_) => Ok(step),
        Err(reason) => work.give_up(Some(&cursor), reason).await,
    }
}

struct Work<'a> {
    turn: &'a Turn,
    contact: ContactId,
    /// Of what is kept until the next step, and of the result.
    folders: [Folder; 2],
    ctx: &'a Context,
}

/// A page of a list, and the position of the next.
type Page = (Vec<Value>, Option<String>);

impl Work<'_> {
    fn scope(&self) -> &TenantScope {
        self.turn.scope()
    }

    fn file(&self) -> FileKey {
        let [_, results] = &self.folders;
        results.file(ArchiveContact::FILE)
    }

    fn rest_file(&self, number: u32) -> FileKey {
        let [work, _] = &self.folders;
        work.file(&number.to_string())
    }

    /// The contact, or the reason why it cannot be archived.
    async fn person(&self, cursor: Option<&Cursor>) -> Result<Result<Person, &'static str>, StoreError> {
        let known = self.ctx.store.known_person(self.scope(), self.contact).await?;
        Ok(match known {
            None => Err(ERASED),
            Some(person) if person.contact.erasing => Err(ERASED),
            Some(person) if person.contact.id != self.contact => Err(MERGED),
            Some(person) if cursor.is_some_and(|cursor| cursor.aliases != person.contact.aliases) => Err(MERGED),
            Some(person) => Ok(person),
        })
    }

    /// Ends the operation, and deletes what it has written.
    async fn give_up(&self, cursor: Option<&Cursor>, reason: &'static str) -> Result<Step, JobError> {
        let file = cursor.map(|cursor| cursor.file.clone()).unwrap_or_default();
        let rest = |number| self.rest_file(number);
        self.ctx.files.discard(&self.file(), rest, &file).await?;
        Ok(Step::from_failure(reason))
    }

    async fn complete(&self, cursor: &Cursor) -> Result<Step, JobError> {
        let rest = |number| self.rest_file(number);
        self.ctx.files.complete(&self.file(), rest, &cursor.file).await?;
        crash::point("archive_contact.completed");
        let result = ArchiveResult {
            entries: cursor.entries,
            size: cursor.file.size(),
        };
        let progress = Progress {
            total: Some(cursor.entries),
            ..progress(cursor)
        };
        Step::from_result(&result, progress)
    }

    async fn step(&self, person: &Person, mut cursor: Cursor) -> Result<Step, JobError> {
        let limit = self.ctx.limit();
        let names = self.names(cursor.place == Place::Beginning).await?;
        let mut bytes = Vec::new();
        loop {
            cursor.place = match cursor.place {
                Place::Beginning => {
                    let about = about(self.scope().tenant(), self.ctx.clock.now(), lists());
                    begin(&mut bytes, &about, &contact(person, &names));
                    next_list(&mut bytes, None)
                }
                Place::In(list, after, mut any) => {
                    let (entries, next) = self.page(&list, after.as_deref(), &person.contact, &names).await?;
                    for entry in &entries {
                        item(&mut bytes, any, entry);
                        any = true;
                        cursor.entries += 1;
                    }
                    if next.is_some() {
                        Place::In(list, next, any)
                    } else {
                        close(&mut bytes);
                        next_list(&mut bytes, Some(&list))
                    }
                }
                Place::End => Place::End,
            };
            if cursor.place == Place::End || limit.is_reached(bytes.len()) {
                break;
            }
        }
        if !cursor.file.has_room_for(&bytes) {
            return self.give_up(Some(&cursor), TOO_LARGE).await;
        }
        let (file, rest) = (self.file(), |number| self.rest_file(number));
        self.ctx.files.append(&file, rest, &mut cursor.file, &bytes).await?;
        crash::point("archive_contact.written");
        Step::from_cursor(&cursor, progress(&cursor))
    }

    /// The tenant's names of what entries refer to; `of_contact`: and of what the contact itself does.
    async fn names(&self, of_contact: bool) -> Result<Names, StoreError> {
        let (store, scope) = (&self.ctx.store, self.scope());
        let lines = store.all::<Line>(scope).await?.into_iter();
        let users = store.all::<Member>(scope).await?.into_iter();
        let mut names = Names {
            lines: lines.map(|line| (line.id, line.name.into())).collect(),
            users: users
                .map(|member| (member.user, member.email.as_str().to_owned()))
                .collect(),
            fields: Vec::new(),
            tags: HashMap::new(),
            stages: HashMap::new(),
        };
        if of_contact {
            names.fields = store.all::<Field>(scope).await?;
            let tags = store.all::<Tag>(scope).await?.into_iter();
            names.tags = tags.map(|tag| (tag.id, tag.name.into())).collect();
            let stages = store.all::<Stage>(scope).await?.into_iter();
            names.stages = stages.map(|stage| (stage.id, stage.name.into())).collect();
        }
        Ok(names)
    }

    /// A page of a list.
    async fn page(&self, list: &str, after: Option<&str>, contact: &Contact, names: &Names) -> Result<Page, JobError> {
        let (store, scope) = (&self.ctx.store, self.scope());
        let (limit, now) = (self.ctx.page, self.ctx.clock.now());
        let person: Vec<ContactId> = contact.ids().collect();
        if list == FURTHER_IDENTITIES.0 {
            let page = store.surplus_identities(scope, &person, after).await?;
            let identities = page.items.into_iter().map(|identity| json!(identity));
            return Ok((identities.collect(), page.next));
        }
        if list == CONVERSATIONS.0 {
            let page = store.conversations_page(scope, &person, after, limit).await?;
            let (tags, teams) = (store.all::<Tag>(scope).await?, store.all::<Team>(scope).await?);
            let entries = page.items.iter().map(|one| conversation(one, names, &tags, &teams));
            return Ok((entries.collect(), page.next));
        }
        if list == ENROLMENTS.0 {
            let page = store.enrolments_page(scope, &person, after, limit, now).await?;
            let entries = page
                .items
                .iter()
                .map(|(one, campaign)| enrolment(one, campaign.as_ref()));
            return Ok((entries.collect(), page.next));
        }
        let kind = HistoryKind::ALL.into_iter().find(|kind| kind.list().0 == list);
        let kind = kind.ok_or_else(|| JobError::new("the checkpoint names an unknown list"))?;
        let after = after.map(str::parse::<TimelinePosition>).transpose()?;
        let page = store.history_page(scope, contact, kind, after, limit, now).await?;
        let sent = page.items.iter().filter_map(|placed| match &placed.entry {
            Entry::Sent(message) => Some(&**message),
            _ => None,
        });
        let sent: Vec<&Message> = sent.collect();
        let targets = store.link_targets(scope, &person, &sent).await?;
        let entries = page.items.iter().map(|placed| entry(placed, names, &targets));
        Ok((entries.collect(), page.next))
    }
}

/// Begins the list after this one, or ends the file.
fn next_list(bytes: &mut Vec<u8>, after: Option<&str>) -> Place {
    let mut names = lists().map(|(name, _)| name);
    let next = match after {
        None => names.next(),
        Some(list) => names.skip_while(|name| *name != list).nth(1),
    };
    let Some(next) = next else {
        end(bytes);
        return Place::End;
    };
    open(bytes, next);
    Place::In(next.to_owned(), None, false)
}

fn progress(cursor: &Cursor) -> Progress {
    Progress {
        done: cursor.entries,
        total: None,
        errors: 0,
    }
}
