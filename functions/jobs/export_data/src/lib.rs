//! The operation `export_data`: pages through contacts, calls, messages, changes of consent, the audit log or the recipients of a broadcast,
//! and writes them into a file.
//!
//! Safe to run twice: it only reads the table. The place of the next page and the state of the file are one checkpoint, so a step
//! that is made again reads the same page and writes the same part.

mod rows;

use std::pin::pin;

use domain::accounts::Member;
use domain::calls::Entry;
use domain::campaigns::{Campaign, InAudience};
use domain::people::{Contact, Driver, Field, Filter, Person, Search, Stage, Tag, Wishes};
use domain::reports::{ExportData, ExportResult, Exported as What, FileFormat};
use domain::tenants::Line;
use domain::terms::{ContactId, FieldKey, Progress};
pub use flows::files::FileSteps as Context;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use kit::files::Appended;
use kit::operation::{Step, Turn};
use kit::{FileKey, JobError, crash};
use serde::{Deserialize, Serialize};
use sheet::write::{MARK, csv_row, json_line};
use store::accounts::Wanted;
use store::contacts::TimelinePosition;
use store::reports::{DayPlace, Happenings};
use store::{TenantScope, Versioned};

use crate::rows::{Exported, Names};

/// Ledgers that are read at a time.
const CONCURRENCY: usize = 8;

/// Place of the next page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Place {
    /// In the list of contacts, behind this position.
    Contact(Option<String>),
    /// In a page of contacts, one of whom has a long ledger.
    Ledger(LedgerPlace),
    /// In the list of a day, behind this place.
    Day(Date, Option<DayPlace>),
    /// In the audit log, behind this position.
    Audit(Option<String>),
    /// In the audience of a broadcast, from this position on.
    Audience(InAudience),
    /// Behind the last page: what is left is to complete the file.
    End,
}

/// Place in the ledger of a contact, or behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct LedgerPlace {
    contact: ContactId,
    /// Position in its ledger; older entries follow. `None`: after the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    /// Position in the list of contacts; their page follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    list: Option<String>,
}

/// Content of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    place: Place,
    file: Appended,
    rows: u64,
    #[serde(default)]
    left_out: u64,
    /// Fields that have columns: those that existed when the export began.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    fields: Vec<FieldKey>,
}

const TOO_LARGE: &str = "The file would be larger than two gigabytes. Export a shorter period.";

kit::function!(serve_operation, Context::new, handle);

pub async fn handle(turn: Turn, ctx: &Context) -> Result<Step, JobError> {
    let order: ExportData = turn.params()?;
    let work = Work {
        turn: &turn,
        order,
        ctx,
    };
    let names = work.names().await?;
    let cursor: Option<Cursor> = turn.cursor()?;
    let cursor = cursor.unwrap_or_else(|| Cursor {
        place: work.beginning(),
        file: Appended::default(),
        rows: 0,
        left_out: 0,
        fields: names.fields.iter().map(|field| field.key.clone()).collect(),
    });
    if cursor.place == Place::End {
        return work.complete(&cursor).await;
    }
    if order.what == What::Recipients && names.campaign.is_none() {
        return Ok(Step::from_failure("The campaign was deleted."));
    }
    work.step(cursor, &names).await
}

/// A page of rows, and the place of the next.
type Page = (Vec<Exported>, Place);

struct Work<'a> {
    turn: &'a Turn,
    order: ExportData,
    ctx: &'a Context,
}

fn day_of(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

impl Work<'_> {
    fn scope(&self) -> &TenantScope {
        self.turn.scope()
    }

    fn file(&self) -> FileKey {
        let name = self.order.file_name();
        FileKey::result(self.scope(), self.turn.operation().id.ulid(), &name)
    }

    fn rest_file(&self, number: u32) -> FileKey {
        let operation = self.turn.operation().id.ulid();
        FileKey::step(self.scope(), operation, &format!("export-{number}"))
    }

    /// The period. What happens after the export was started is not part of it.
    fn period(&self) -> (Timestamp, Timestamp) {
        let to = self.order.to.unwrap_or(self.turn.operation().created_at);
        (self.order.from.unwrap_or(to - ExportData::MAX_SPAN), to)
    }

    fn beginning(&self) -> Place {
        match self.order.what {
            What::Contacts | What::Consent => Place::Contact(None),
            What::Calls | What::Messages => Place::Day(day_of(self.period().0), None),
            What::Audit => Place::Audit(None),
            What::Recipients => Place::Audience(InAudience::default()),
        }
    }

    async fn complete(&self, cursor: &Cursor) -> Result<Step, JobError> {
        let rest = |number| self.rest_file(number);
        self.ctx.files.complete(&self.file(), rest, &cursor.file).await?;
        let result = ExportResult {
            rows: cursor.rows,
            left_out: cursor.left_out,
            size: cursor.file.size(),
        };
        let progress = Progress {
            total: Some(cursor.rows),
            ..progress(cursor)
        };
        Step::from_result(&result, progress)
    }

    async fn step(&self, mut cursor: Cursor, names: &Names) -> Result<Step, JobError> {
        let limit = self.ctx.limit();
        let mut bytes = Vec::new();
        if cursor.file.size() == 0 && self.order.format == FileFormat::Csv {
            bytes.extend_from_slice(MARK);
            let header = self.header(&cursor);
            // Keys of fields are short, so that it is never too large.
            let _ = csv_row(&mut bytes, header.iter().map(String::as_str));
        }
        loop {
            let (rows, next) = self.page(&cursor, names).await?;
            for row in rows {
                let written = match self.order.format {
                    FileFormat::Csv => csv_row(&mut bytes, row.cells.iter().map(String::as_str)),
                    FileFormat::JsonLines => json_line(&mut bytes, &row.json),
                };
                match written {
                    Ok(()) => cursor.rows += 1,
                    Err(_) => cursor.left_out += 1,
                }
            }
            cursor.place = next;
            if cursor.place == Place::End || limit.is_reached(bytes.len()) {
                break;
            }
        }
        if !cursor.file.has_room_for(&bytes) {
            return Ok(Step::from_failure(TOO_LARGE));
        }
        let (file, rest) = (self.file(), |number| self.rest_file(number));
        self.ctx.files.append(&file, rest, &mut cursor.file, &bytes).await?;
        crash::point("export_data.written");
        Step::from_cursor(&cursor, progress(&cursor))
    }
}

impl Work<'_> {
    /// The tenant's names of what rows refer to.
    async fn names(&self) -> Result<Names, JobError> {
        let (store, scope) = (&self.ctx.store, self.scope());
        let mut names = Names::default();
        match self.order.what {
            What::Contacts => {
                names.fields = store.all::<Field>(scope).await?;
                let tags = store.all::<Tag>(scope).await?.into_iter();
                names.tags = tags.map(|tag| (tag.id, tag.name.into())).collect();
                let stages = store.all::<Stage>(scope).await?.into_iter();
                names.stages = stages.map(|stage| (stage.id, stage.name.into())).collect();
                let users = store.all::<Member>(scope).await?.into_iter();
                names.users = users
                    .map(|member| (member.user, member.email.as_str().to_owned()))
                    .collect();
            }
            What::Calls | What::Messages => {
                let lines = store.all::<Line>(scope).await?.into_iter();
                names.lines = lines.map(|line| (line.id, line.name.into())).collect();
            }
            What::Recipients => {
                if let Some(id) = self.order.campaign {
                    let found: Option<Versioned<Campaign>> = store.get(scope, &id).await?;
                    names.campaign = found.map(|found| found.value);
                }
            }
            What::Consent | What::Audit => {}
        }
        Ok(names)
    }

    fn header(&self, cursor: &Cursor) -> Vec<String> {
        let columns: &[&str] = match self.order.what {
            What::Contacts => &rows::CONTACTS,
            What::Calls => &rows::CALLS,
            What::Messages => &rows::MESSAGES,
            What::Consent => &rows::CONSENT,
            What::Audit => &rows::AUDIT,
            What::Recipients => &rows::RECIPIENTS,
        };
        let fields = cursor.fields.iter().map(|key| key.as_str().to_owned());
        columns.iter().map(|name| (*name).to_owned()).chain(fields).collect()
    }

    async fn page(&self, cursor: &Cursor, names: &Names) -> Result<Page, JobError> {
        match &cursor.place {
            Place::Contact(after) if self.order.what == What::Consent => self.ledgers(after.as_deref(), None).await,
            Place::Contact(after) => {
                let (people, next) = self.people(after.as_deref()).await?;
                let row = |person: &Person| rows::contact(person, &cursor.fields, names);
                let rows = people.iter().map(row).collect();
                Ok((rows, next.map_or(Place::End, |next| Place::Contact(Some(next)))))
            }
            Place::Ledger(place) => match &place.after {
                Some(after) => self.older(place, after).await,
                None => self.ledgers(place.list.as_deref(), Some(place.contact)).await,
            },
            Place::Day(day, after) => self.day(*day, after.as_ref(), names).await,
            Place::Audit(after) => {
                let (store, wanted) = (&self.ctx.store, Wanted::default());
                let (from, to) = self.period();
                let page = store.audit_page(self.scope(), from, to, after.as_deref(), self.ctx.page, &wanted);
                let page = page.await?;
                let rows = page.items.iter().map(rows::audit).collect();
                Ok((rows, page.next.map_or(Place::End, |next| Place::Audit(Some(next)))))
            }
            Place::Audience(from) => match &names.campaign {
                Some(campaign) => self.recipients(campaign, *from).await,
                None => Ok((Vec::new(), Place::End)),
            },
            Place::End => Ok((Vec::new(), Place::End)),
        }
    }

    /// A page of those in the audience of a campaign, from this position on.
    async fn recipients(&self, campaign: &Campaign, from: InAudience) -> Result<Page, JobError> {
        let (store, now, most) = (&self.ctx.store, self.ctx.clock.now(), self.ctx.page);
        let page = store.recipients(self.scope(), campaign, from, most, now);
        let (recipients, next) = page.await?;
        let rows = recipients.iter().map(|recipient| rows::recipient(campaign, recipient));
        Ok((rows.collect(), next.map_or(Place::End, Place::Audience)))
    }

    /// A page of contacts, and the position of the next.
    async fn people(&self, after: Option<&str>) -> Result<(Vec<Person>, Option<String>), JobError> {
        let everybody = Search {
            filter: Filter::default(),
            driver: Driver::All,
        };
        let store = &self.ctx.store;
        let page = store.searched_contacts(self.scope(), &everybody, after, self.ctx.page);
        let page = page.await?;
        Ok((page.items, page.next))
    }

    /// The ledgers of a page of contacts behind this one, newest entries first. It ends with the first ledger that is longer than a
    /// page.
    async fn ledgers(&self, list: Option<&str>, behind: Option<ContactId>) -> Result<Page, JobError> {
        let (store, scope, now, most) = (&self.ctx.store, self.scope(), self.ctx.clock.now(), self.ctx.page);
        let (people, next) = self.people(list).await?;
        // Contacts are listed by their ids. Unknown ones have no ledger.
        let left = people
            .iter()
            .map(|person| &person.contact)
            .filter(|contact| contact.consent != Wishes::NONE && behind.is_none_or(|behind| behind < contact.id));
        let contacts: Vec<&Contact> = left.collect();
        let read = stream::iter(contacts).map(async |contact| {
            let page = store.consent_page(scope, contact, None, most, now).await?;
            Ok::<_, JobError>((contact.id, page))
        });
        let mut read = pin!(read.buffered(CONCURRENCY));
        let mut rows = Vec::new();
        while let Some((contact, page)) = read.try_next().await? {
            let entries = page.items.iter();
            rows.extend(entries.map(|recorded| rows::consent(contact, &recorded.entry)));
            if page.next.is_some() {
                let place = LedgerPlace {
                    contact,
                    after: page.next,
                    list: list.map(str::to_owned),
                };
                return Ok((rows, Place::Ledger(place)));
            }
        }
        Ok((rows, next.map_or(Place::End, |next| Place::Contact(Some(next)))))
    }

    /// A page of older entries of a long ledger. If its contact is gone, the others follow.
    async fn older(&self, place: &LedgerPlace, after: &str) -> Result<Page, JobError> {
        let (store, scope, now) = (&self.ctx.store, self.scope(), self.ctx.clock.now());
        let known = store.known_person(scope, place.contact).await?;
        let known = known.map(|person| person.contact);
        let known = known.filter(|known| known.id == place.contact && known.deleted_at.is_none());
        let (rows, after) = match known {
            Some(contact) => {
                let after: TimelinePosition = after.parse()?;
                let page = store.consent_page(scope, &contact, Some(after), self.ctx.page, now);
                let page = page.await?;
                let entries = page.items.iter();
                let rows = entries.map(|recorded| rows::consent(contact.id, &recorded.entry));
                (rows.collect(), page.next)
            }
            None => (Vec::new(), None),
        };
        let place = LedgerPlace { after, ..place.clone() };
        Ok((rows, Place::Ledger(place)))
    }

    /// Calls or messages of a day.
    async fn day(&self, day: Date, after: Option<&DayPlace>, names: &Names) -> Result<Page, JobError> {
        let (from, to) = self.period();
        if from >= to || day > day_of(to) {
            return Ok((Vec::new(), Place::End));
        }
        let what = if self.order.what == What::Calls {
            Happenings::Calls
        } else {
            Happenings::Messages
        };
        let (store, now) = (&self.ctx.store, self.ctx.clock.now());
        let part = store.happened_on(self.scope(), what, day, after, self.ctx.page, now);
        let part = part.await?;
        let within = |at: Timestamp| from <= at && at < to;
        let row = |entry: &Entry| match entry {
            Entry::Call(call) => within(call.happened_at()).then(|| rows::call(call, names)),
            Entry::Sent(message) => within(message.created_at).then(|| rows::sent_message(message, names)),
            Entry::Received(received) => within(received.message.at).then(|| rows::received_message(received, names)),
            Entry::Consent(_) | Entry::Record(_) => None,
        };
        let rows = part.entries.iter().filter_map(row).collect();
        let next = match part.next {
            Some(next) => Place::Day(day, Some(next)),
            None => match day.checked_add(1.day()) {
                Ok(tomorrow) if tomorrow <= day_of(to) => Place::Day(tomorrow, None),
                _ => Place::End,
            },
        };
        Ok((rows, next))
    }
}

fn progress(cursor: &Cursor) -> Progress {
    Progress {
        done: cursor.rows,
        total: None,
        errors: cursor.left_out,
    }
}
