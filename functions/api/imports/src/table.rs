//! The uploaded table: its form, and the first rows as an import would read them.

use api::{Allowed, Api, References};
use domain::accounts::Member;
use domain::accounts::permits::Permit;
use domain::people::{Field, Foreseen, Identity, Import, ImportMode, Incoming, RowOutcome, RowRefused, Stage, Tag};
use domain::tenants::Region;
use domain::terms::{ContactId, Fault, FaultCode, FieldProblem, TagId};
use jiff::Timestamp;
use kit::files::{FileFacts, Piece};
use kit::{FileKey, Files, Problem};
use sheet::bounds::{MAX_RECORD_LENGTH, SAMPLE};
use sheet::dialect::{Dialect, Format, Known, detect};
use sheet::import::Settings;
use sheet::mapping::{Mapping, Target};
use sheet::names::{Common, Names};
use sheet::preview::{preview, records};
use sheet::record::RowError;
use sheet::row::{self, Label, Line};
use sheet::suggest::{consents_left_out, numbers_left_out, suggest};
use store::contacts::KnownPeople;
use store::{Store, TenantScope};

use crate::models::{Becomes, PreviewOut, PreviewedOut};

/// Rows of a preview.
const PREVIEWED: usize = 20;

/// Maximum length of a cell in a preview, in characters.
const MAX_CELL_LENGTH: usize = 100;

/// Bytes of cards that are read for a preview. Their pictures are in the file.
const CARDS: u64 = 4 * 1024 * 1024;

/// The beginning of an uploaded table.
pub(crate) struct Table {
    /// Tag of the file.
    pub(crate) etag: String,
    pub(crate) dialect: Dialect,
    sample: Vec<u8>,
    whole: bool,
}

fn not_uploaded() -> Problem {
    let detail = "The file is not there: upload it as `upload` of the import says. It is deleted after a day; then create a new import.";
    Problem::conflict("not_uploaded", detail)
}

impl Table {
    /// The table of an import, read with these properties.
    ///
    /// # Errors
    /// 409 if it is not uploaded; 422 if it is no table.
    pub(crate) async fn read(
        files: &Files,
        scope: &TenantScope,
        import: &Import,
        known: &Known,
        region: Option<&Region>,
    ) -> Result<Self, Problem> {
        let key = FileKey::upload(scope, import.id.ulid());
        let facts = files.facts(&key).await?;
        let FileFacts { size, etag } = facts.ok_or_else(not_uploaded)?;
        if size != u64::from(import.size) {
            return Err(not_uploaded());
        }
        // The form is detected from the first part. A quoted cell that begins there is searched for its end as far as in an import.
        let begin = async |length: u64| match files.piece(&key, &etag, 0, length).await? {
            Piece::Bytes(bytes) => Ok(bytes),
            Piece::Changed => Err(not_uploaded()),
        };
        let mut sample = begin((SAMPLE + MAX_RECORD_LENGTH) as u64).await?;
        let mut whole = sample.len() as u64 >= size;
        let dialect = detect(&sample, whole, region.map(Region::as_str), known);
        let dialect = dialect.map_err(|error| Problem::field("table", error.fault()))?;
        if dialect.format() == Format::Vcard && !whole {
            sample = begin(CARDS).await?;
            whole = sample.len() as u64 >= size;
        }
        Ok(Self {
            etag,
            dialect,
            sample,
            whole,
        })
    }

    /// The form, so that nothing is left to be detected.
    pub(crate) fn known_form(&self) -> Known {
        Known {
            encoding: Some(self.dialect.encoding),
            separator: self.dialect.separator,
            header: Some(!self.dialect.header.is_empty()),
        }
    }

    /// The first rows, as an import with these settings would read them.
    pub(crate) async fn preview<P: Permit>(
        &self,
        api: &Api,
        who: &Allowed<P>,
        import: &Import,
        mapping: Option<Mapping>,
        settings: Settings,
    ) -> Result<PreviewOut, Problem> {
        let (store, scope, now) = (api.store(), who.scope(), who.now());
        let fields = store.all::<Field>(scope).await?;
        let context = row::Context {
            dialect: &self.dialect,
            fields: &fields,
            region: settings.region.as_ref().map(Region::as_str),
        };
        let samples = records(&self.sample, self.whole, &context, PREVIEWED);
        let mapping = match mapping {
            Some(mapping) => mapping,
            None => suggest(&samples, &store.all::<Stage>(scope).await?, &context),
        };
        let mut problems = settings.problems(&mapping, self.dialect.columns, &fields);
        problems.extend(missing_tags(api, who, &settings.tags).await?);
        let mut previewed = preview(&self.sample, self.whole, &mapping, &context, PREVIEWED);
        let mut names = names(store, scope, &mapping).await?;
        let read = previewed.iter().filter_map(|(_, row)| row.as_ref().ok());
        let new_tags: Vec<Label> = names.new_tags(read);
        let mut foreseen = Foreseen::default();
        if settings.create_tags {
            names.foresee_tags(&new_tags, import, &mut foreseen);
        }
        let common = Common {
            dialect: &self.dialect,
            mapping: &mapping,
            tags: &settings.tags,
            consent: settings.consent.as_ref(),
            by: who.actor(),
            now,
        };
        let incoming: Vec<Option<Incoming>> = previewed
            .iter_mut()
            .map(|(record, row)| Some(names.incoming(row.as_mut().ok()?, record.row, &common)))
            .collect();
        let identities: Vec<Identity> = incoming.iter().flatten().flat_map(Incoming::identities).collect();
        let known = store.known_people(scope, &identities).await?;
        let mut desk = Desk {
            import,
            mode: settings.mode,
            fields: &fields,
            known: &known,
            foreseen,
            now,
        };
        let rows = previewed.into_iter().zip(incoming);
        let rows = rows.map(|(line, incoming)| desk.row(line, incoming.as_ref())).collect();
        Ok(PreviewOut {
            table: (&self.dialect).into(),
            problems: problems.into_iter().map(Into::into).collect(),
            numbers_left_out: numbers_left_out(&samples, &mapping, &context),
            consents_left_out: consents_left_out(&samples, &mapping, &context),
            mapping,
            region: settings.region,
            new_tags,
            rows,
        })
    }
}

/// Problems of the tags for everybody that do not exist.
pub(crate) async fn missing_tags<P: Permit>(
    api: &Api,
    who: &Allowed<P>,
    tags: &[TagId],
) -> Result<Vec<FieldProblem>, Problem> {
    let named = References {
        tags: ("tags", tags.to_vec()),
        stage: ("stage", None),
        owner: ("owner", None),
    };
    api.missing(who, &named).await
}

/// Reads the tags, stages and users that the mapping names by words.
async fn names(store: &Store, scope: &TenantScope, mapping: &Mapping) -> Result<Names, Problem> {
    let tags = if mapping.has(&Target::Tags) {
        store.all::<Tag>(scope).await?
    } else {
        Vec::new()
    };
    let stages = if mapping.has(&Target::Stage) {
        store.all::<Stage>(scope).await?
    } else {
        Vec::new()
    };
    let members = if mapping.has(&Target::Owner) {
        store.all::<Member>(scope).await?
    } else {
        Vec::new()
    };
    Ok(Names::of(&tags, &stages, &members))
}

fn fault_of(reason: &RowRefused) -> Fault {
    let code = match reason {
        RowRefused::Erased => FaultCode::Erased,
        RowRefused::Exists => FaultCode::IsContact,
        RowRefused::Deleted => FaultCode::Deleted,
        RowRefused::Several => FaultCode::Several,
        RowRefused::NoRoom(_) | RowRefused::Invalid(_) => FaultCode::Invalid,
    };
    Fault::new(code, reason.to_string())
}

/// Decides about rows one after the other, without writing anything.
struct Desk<'a> {
    import: &'a Import,
    mode: ImportMode,
    fields: &'a [Field],
    known: &'a KnownPeople,
    /// Results of earlier rows, as if they had been written.
    foreseen: Foreseen,
    now: Timestamp,
}

impl Desk<'_> {
    /// Decides what a line becomes. `incoming`: its values, if they can be read.
    fn row(&mut self, line: Line, incoming: Option<&Incoming>) -> PreviewedOut {
        let (record, row) = line;
        let decided = incoming.map(|incoming| self.decide(record.row, incoming));
        let (becomes, contact, errors) = match (decided, &row) {
            (Some(Ok((outcome, contact))), _) => (outcome.into(), contact, Vec::new()),
            (Some(Err(reason)), _) => {
                let error = RowError::of_row(record.row, fault_of(&reason));
                (Becomes::Refused, None, vec![error])
            }
            (None, row) => (Becomes::Refused, None, row.as_ref().err().cloned().unwrap_or_default()),
        };
        let cells = record.cells().map(|cell| cell.chars().take(MAX_CELL_LENGTH).collect());
        PreviewedOut {
            row: record.row,
            cells: cells.collect(),
            becomes,
            contact,
            values: row.ok(),
            errors: errors.into_iter().map(Into::into).collect(),
        }
    }

    fn decide(&mut self, number: u64, row: &Incoming) -> Result<(RowOutcome, Option<ContactId>), RowRefused> {
        let found = self.known.find(&row.identities()).found;
        let own = self.import.contact_of(number);
        self.foreseen.decide(row, self.mode, own, found, self.fields, self.now)
    }
}
