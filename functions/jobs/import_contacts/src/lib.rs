//! The operation `import_contacts`: works through an uploaded table or file of cards row by row, and returns the rows that it refused as a
//! file.
//!
//! Safe to run twice: the id of a row's contact follows from the import and the row, and a number leads to one contact by a condition
//! of the table. So a row that was interrupted, or worked by another worker since the last checkpoint, finds its own contact and
//! adds what is missing. Counts and refused rows are part of the checkpoint: those of a step that is not recorded are made again.

mod batch;
mod table;

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use domain::accounts::Member;
use domain::people::{ConsentEntry, Field, Foreseen, Import, ImportResult, RowCounts, RowOutcome, Stage, Tag, TagIn};
use domain::terms::{Progress, Resource, Stamp};
use kit::files::Appended;
use kit::operation::{Step, Turn};
use kit::{Clock, ConfigError, Env, FileKey, Files, JobError, TimeLimit, crash};
use serde::{Deserialize, Serialize};
use sheet::dialect::{Dialect, Format, detect};
use sheet::import::ImportContacts;
use sheet::mapping::Target;
use sheet::names::{Common, Names};
use sheet::reader::{Broken, Position};
use sheet::record::RowError;
use sheet::row::{self, Label, Line};
use sheet::write::ErrorsFile;
use store::{Owned, OwnedError, Store, TenantScope};

use crate::batch::{Candidate, Desk, Outcome};
use crate::table::{Next, Table, Upload};

/// Maximum rows of an import per second: 300 of a tenant, which has two at a time ([`Import::MAX_AT_ONCE`]). A partition of a list
/// takes a thousand writes, and calls and messages need theirs.
const ROWS_PER_SECOND: u32 = 150;

/// Rows that are read before they are looked up together.
const BATCH: usize = 60;

/// Maximum rows of a step.
const MAX_ROWS: usize = 1_500;

/// Time after which a step begins no further batch, and stops looking for a row after blank ones.
const WORK: Duration = Duration::from_secs(5);

/// Bytes of refused rows after which a step begins no further batch.
const MAX_REFUSED: usize = 2 * 1024 * 1024;

/// State of the function, created once per process.
pub struct Context {
    store: Store,
    files: Files,
    clock: Clock,
    most_rows: usize,
    work: Duration,
}

impl Context {
    /// Creates the state from the function's environment.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            store: env.store()?,
            files: Files::new(env)?,
            clock: env.clock().clone(),
            most_rows: MAX_ROWS,
            work: WORK,
        })
    }

    /// Limits steps to this many rows, and parts of files to this many bytes. For tests.
    pub fn in_steps_of(self, most_rows: usize, part: usize) -> Self {
        Self {
            files: self.files.in_parts_of(part),
            most_rows,
            ..self
        }
    }

    /// Makes steps end at the first place where they may after this time. For tests.
    pub fn in_steps_of_time(self, work: Duration) -> Self {
        Self { work, ..self }
    }
}

/// Content of a checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    /// Position until which the table is known to be sound, before its first row is worked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sound: Option<Position>,
    /// Place of the next row; `None`: the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    position: Option<Position>,
    counts: RowCounts,
    /// The file with the refused rows.
    errors: Appended,
    /// Number of the object with what a dry run has foreseen; 0: nothing.
    #[serde(default)]
    foreseen: u32,
    /// Whether the table has ended: what is left is to complete the file.
    #[serde(default)]
    ended: bool,
    /// Whether there are more rows than the maximum.
    #[serde(default)]
    left_out: bool,
}

const GONE: &str = "The file is gone, or another one was uploaded since the import was started. Create a new import.";

kit::function!(serve_operation, Context::new, handle);

pub async fn handle(turn: Turn, ctx: &Context) -> Result<Step, JobError> {
    let order: ImportContacts = turn.params()?;
    let cursor: Cursor = turn.cursor()?.unwrap_or_default();
    let work = Work {
        turn: &turn,
        order: &order,
        ctx,
    };
    if cursor.ended {
        return work.complete(&cursor).await;
    }
    let now = ctx.clock.now();
    let Some(import) = ctx.store.import(turn.scope(), order.import, now).await? else {
        return Ok(Step::from_failure(GONE));
    };
    work.step(&import.value, cursor).await
}

struct Work<'a> {
    turn: &'a Turn,
    order: &'a ImportContacts,
    ctx: &'a Context,
}

impl Work<'_> {
    fn scope(&self) -> &TenantScope {
        self.turn.scope()
    }

    fn operation(&self) -> ulid::Ulid {
        self.turn.operation().id.ulid()
    }

    fn errors_file(&self) -> FileKey {
        FileKey::result(self.scope(), self.operation(), ImportResult::ERRORS_FILE)
    }

    fn rest_file(&self, number: u32) -> FileKey {
        FileKey::step(self.scope(), self.operation(), &format!("errors-{number}"))
    }

    fn foreseen_file(&self, number: u32) -> FileKey {
        FileKey::step(self.scope(), self.operation(), &format!("foreseen-{number}"))
    }

    /// The end, after the last row.
    async fn complete(&self, cursor: &Cursor) -> Result<Step, JobError> {
        if cursor.errors.size() > 0 {
            let (file, rest) = (self.errors_file(), |number| self.rest_file(number));
            self.ctx.files.complete(&file, rest, &cursor.errors).await?;
        }
        let result = ImportResult {
            counts: cursor.counts,
            dry_run: self.order.dry_run,
            left_out: cursor.left_out,
        };
        Step::from_result(&result, progress(cursor, None))
    }

    /// Works through as many rows as fit into a step.
    async fn step(&self, import: &Import, mut cursor: Cursor) -> Result<Step, JobError> {
        let (ctx, order) = (self.ctx, self.order);
        let upload = Upload {
            files: &ctx.files,
            key: FileKey::upload(self.scope(), import.id.ulid()),
            etag: &order.etag,
            size: import.size.into(),
        };
        let Some(sample) = upload.sample().await? else {
            return Ok(Step::from_failure(GONE));
        };
        let region = order.settings.region.as_ref().map(domain::tenants::Region::as_str);
        let whole = sample.len() as u64 >= upload.size;
        let dialect = match detect(&sample, whole, region, &order.table) {
            Ok(dialect) => dialect,
            Err(error) => return Ok(Step::from_failure(error.to_string())),
        };
        drop(sample);
        let limit = TimeLimit::of(ctx.work);
        // A damaged card costs only itself.
        if cursor.position.is_none() && dialect.format() == Format::Csv {
            let unsound = self.until_sound(upload.clone(), &dialect, &mut cursor, limit).await?;
            if let Some(step) = unsound {
                return Ok(step);
            }
        }
        let mut catalog = self.catalog().await?;
        let mut table = Table::new(upload, &dialect, cursor.position);
        let mut foreseen = self.foreseen_before(&cursor).await?;
        let mut errors = Vec::new();
        let begun = table.position();
        let mut rows = 0;
        loop {
            let most = BATCH.min(ctx.most_rows - rows);
            let mut lines: Vec<Line> = Vec::new();
            while lines.len() < most {
                let item = match table.next().await? {
                    // Checkpoints of former versions say nothing about what is sound.
                    Next::Row(Err(broken)) if broken.problem.is_damage() => {
                        return Ok(Step::from_failure(damage(&broken)));
                    }
                    Next::Row(_) if cursor.counts.rows + lines.len() as u64 >= Import::MAX_ROWS => {
                        (cursor.ended, cursor.left_out) = (true, true);
                        break;
                    }
                    Next::Row(item) => item,
                    // The position is that of the last row's end, so a row that is too long is read to its end.
                    Next::Further if limit.is_up() && table.position() != begun => break,
                    Next::Further => continue,
                    Next::End => {
                        cursor.ended = true;
                        break;
                    }
                    Next::Changed => return Ok(Step::from_failure(GONE)),
                };
                let context = row::Context {
                    dialect: &dialect,
                    fields: &catalog.fields,
                    region,
                };
                lines.push(row::read(item, &order.mapping, &context));
            }
            rows += lines.len();
            let outcomes = self.outcomes(&mut lines, &dialect, &mut catalog, import, &mut foreseen);
            let outcomes = outcomes.await?;
            let file = ErrorsFile::new(&dialect);
            for ((record, _), Worked { outcome, states, said }) in lines.iter().zip(&outcomes) {
                let is_taken = matches!(outcome, RowOutcome::Created | RowOutcome::Updated);
                cursor.counts.add(*outcome);
                if is_taken {
                    cursor.counts.add_states(states);
                }
                if said.is_empty() {
                    continue;
                }
                if is_taken {
                    cursor.counts.remarked += 1;
                }
                if errors.is_empty() && cursor.errors.size() == 0 {
                    file.begin(&mut errors);
                }
                file.row(&mut errors, record, said);
            }
            cursor.position = Some(table.position());
            crash::point("import_contacts.written");
            if cursor.ended || rows >= ctx.most_rows || errors.len() >= MAX_REFUSED || limit.is_up() {
                break;
            }
        }
        let (file, rest) = (self.errors_file(), |number| self.rest_file(number));
        ctx.files.append(&file, rest, &mut cursor.errors, &errors).await?;
        if order.dry_run && !cursor.ended {
            cursor.foreseen += 1;
            let file = self.foreseen_file(cursor.foreseen);
            ctx.files.write(&file, foreseen.bytes()).await?;
        }
        if cursor.ended && cursor.errors.size() == 0 {
            return self.complete(&cursor).await;
        }
        Step::from_cursor(&cursor, progress(&cursor, Some(import.size.into())))
    }

    /// Reads the table without working its rows: a damaged one is refused as a whole. `None`: it is sound.
    async fn until_sound(
        &self,
        upload: Upload<'_>,
        dialect: &Dialect,
        cursor: &mut Cursor,
        limit: TimeLimit,
    ) -> Result<Option<Step>, JobError> {
        let size = upload.size;
        let mut table = Table::new(upload, dialect, cursor.sound);
        let begun = table.position();
        let reason = loop {
            match table.next().await? {
                Next::Row(Err(broken)) if broken.problem.is_damage() => break damage(&broken),
                Next::Further if limit.is_up() && table.position() != begun => {
                    cursor.sound = Some(table.position());
                    return Step::from_cursor(cursor, progress(cursor, Some(size))).map(Some);
                }
                Next::Row(_) | Next::Further => {}
                Next::End => return Ok(None),
                Next::Changed => break GONE.to_owned(),
            }
        };
        Ok(Some(Step::from_failure(reason)))
    }

    /// Outcomes that a dry run has foreseen until the last checkpoint.
    async fn foreseen_before(&self, cursor: &Cursor) -> Result<Foreseen, JobError> {
        if cursor.foreseen == 0 {
            return Ok(Foreseen::default());
        }
        let bytes = self.ctx.files.read(&self.foreseen_file(cursor.foreseen)).await?;
        let bytes = bytes.ok_or_else(|| JobError::new("what the dry run has foreseen is gone"))?;
        Ok(Foreseen::read(&bytes))
    }

    /// Decides the outcome of each row.
    async fn outcomes(
        &self,
        lines: &mut [Line],
        dialect: &Dialect,
        catalog: &mut Catalog,
        import: &Import,
        foreseen: &mut Foreseen,
    ) -> Result<Vec<Worked>, JobError> {
        let settings = &self.order.settings;
        if settings.create_tags {
            let read = lines.iter().filter_map(|(_, row)| row.as_ref().ok());
            let new = catalog.names.new_tags(read);
            if self.order.dry_run {
                catalog.names.foresee_tags(&new, import, foreseen);
            } else {
                self.create_tags(new, import, catalog).await?;
            }
        }
        let now = self.turn.operation().created_at;
        let common = Common {
            dialect,
            mapping: &self.order.mapping,
            tags: &settings.tags,
            consent: settings.consent.as_ref(),
            by: self.turn.operation().created_by,
            now,
        };
        let mut outcomes: Vec<Worked> = Vec::with_capacity(lines.len());
        let mut candidates = Vec::new();
        for (place, (record, row)) in lines.iter_mut().enumerate() {
            match row {
                Ok(row) => {
                    let incoming = catalog.names.incoming(row, record.row, &common);
                    outcomes.push(Worked {
                        outcome: RowOutcome::Created,
                        states: incoming.states.clone(),
                        said: Vec::new(),
                    });
                    candidates.push(Candidate {
                        place,
                        number: record.row,
                        incoming,
                    });
                }
                Err(errors) => outcomes.push(Worked {
                    outcome: RowOutcome::Refused,
                    states: Vec::new(),
                    said: errors.clone(),
                }),
            }
        }
        let desk = Desk {
            store: &self.ctx.store,
            scope: self.scope(),
            import,
            mode: settings.mode,
            definitions: &catalog.fields,
            now,
            most: catalog.most_contacts,
            room: AtomicU64::new(0),
        };
        let became: Vec<(usize, Outcome)> = if self.order.dry_run {
            desk.count(candidates, foreseen).await?
        } else {
            let count = u32::try_from(candidates.len()).unwrap_or(u32::MAX);
            let least = Duration::from_secs(1) * count / ROWS_PER_SECOND;
            let (became, ()) = tokio::join!(desk.write(candidates), tokio::time::sleep(least));
            became?
        };
        for (place, (outcome, reason)) in became {
            let (record, row) = &lines[place];
            outcomes[place].outcome = outcome;
            outcomes[place].said = match (outcome, row) {
                (RowOutcome::Created | RowOutcome::Updated, Ok(row)) => row.remarks.to_vec(),
                _ => reason
                    .map(|detail| RowError::of_row(record.row, detail))
                    .into_iter()
                    .collect(),
            };
        }
        Ok(outcomes)
    }

    /// The tenant's fields, and what the mapping names by words.
    async fn catalog(&self) -> Result<Catalog, JobError> {
        let (store, scope) = (&self.ctx.store, self.scope());
        let fields = store.all::<Field>(scope).await?;
        let tags: Vec<Tag> = self.all_for(&Target::Tags).await?;
        let stages: Vec<Stage> = self.all_for(&Target::Stage).await?;
        let members: Vec<Member> = self.all_for(&Target::Owner).await?;
        let tenant = store.tenant(scope).await?;
        let limits = tenant.and_then(|tenant| tenant.limits).unwrap_or_default();
        Ok(Catalog {
            fields,
            names: Names::of(&tags, &stages, &members),
            most_contacts: limits.contacts().into(),
        })
    }

    /// All things of this kind, unless no column has this target.
    async fn all_for<T: Owned>(&self, target: &Target) -> Result<Vec<T>, JobError> {
        if !self.order.mapping.has(target) {
            return Ok(Vec::new());
        }
        Ok(self.ctx.store.all(self.scope()).await?)
    }

    /// Creates tags, as far as there is room. The rows of the others are refused.
    async fn create_tags(&self, labels: Vec<Label>, import: &Import, catalog: &mut Catalog) -> Result<(), JobError> {
        let (store, scope, operation) = (&self.ctx.store, self.scope(), self.turn.operation());
        let stamp = Stamp {
            actor: operation.created_by,
            at: self.ctx.clock.now(),
            correlation_id: operation.correlation_id.clone(),
        };
        let mut raced = false;
        for label in labels {
            let id = import.tag_of(&domain::terms::name_fingerprint(label.as_str()));
            let fields = TagIn {
                name: label.clone(),
                color: None,
                description: None,
            };
            let tag = Tag::new(id.ulid(), fields, stamp.at);
            match store.create(scope, &tag, &stamp).await {
                Ok(()) => catalog.names.add_tag(&label, id),
                Err(OwnedError::Full | OwnedError::ShareFull) => break,
                Err(OwnedError::Taken) => raced = true,
                Err(OwnedError::Store(error)) if error.is_conflict() => raced = true,
                Err(OwnedError::Store(error)) => return Err(error.into()),
            }
        }
        if raced {
            for tag in store.all::<Tag>(scope).await? {
                catalog.names.add_tag(&tag.name, tag.id);
            }
        }
        Ok(())
    }
}

/// Result of working on a row.
struct Worked {
    outcome: RowOutcome,
    /// Changes of consent that it states.
    states: Vec<ConsentEntry>,
    /// The reasons if it is refused, and otherwise the remarks on it.
    said: Vec<RowError>,
}

/// Rows' references: the tenant's fields, tags, stages and users.
struct Catalog {
    fields: Vec<Field>,
    names: Names,
    most_contacts: u64,
}

/// Why a table is refused as a whole.
fn damage(broken: &Broken) -> String {
    format!("Row {}: {}", broken.record.row, broken.problem)
}

/// Rows so far. Their total is estimated from the place in the file, unless the table has ended.
fn progress(cursor: &Cursor, size: Option<u64>) -> Progress {
    let done = cursor.counts.rows;
    let read = cursor.position.map_or(0, |position| position.offset);
    let total = match size {
        Some(size) if !cursor.ended && read > 0 => {
            let estimate = u128::from(done) * u128::from(size) / u128::from(read);
            u64::try_from(estimate).unwrap_or(u64::MAX).max(done)
        }
        _ => done,
    };
    let known = cursor.ended || read > 0;
    Progress {
        done,
        total: known.then_some(total),
        errors: cursor.counts.refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn total_is_estimated_until_the_table_ends() {
        let mut cursor = Cursor {
            position: Some(Position {
                offset: 250,
                ..Position::START
            }),
            ..Cursor::default()
        };
        cursor.counts.rows = 10;
        cursor.counts.refused = 2;
        let of = |cursor: &Cursor| {
            let Progress { done, total, errors } = progress(cursor, Some(1_000));
            (done, total, errors)
        };
        assert_eq!(of(&cursor), (10, Some(40), 2));
        cursor.ended = true;
        assert_eq!(of(&cursor), (10, Some(10), 2));
        assert_eq!(of(&Cursor::default()), (0, None, 0));
    }
}
