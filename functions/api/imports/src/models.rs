//! Models of requests and responses.

use api::{FileLinkOut, OperationOut, UploadOut};
use domain::people::{ConsentStatement, FileName, Import, ImportMode, Profile, RowOutcome};
use domain::tenants::Region;
use domain::terms::{Actor, ContactId, Facts, FaultCode, ImportId, TagId, UpTo, Whole};
use jiff::Timestamp;
use kit::problem::FieldError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sheet::dialect::{Dialect, Format, Known};
use sheet::encoding::Encoding;
use sheet::import::Settings;
use sheet::mapping::Mapping;
use sheet::reader::Separator;
use sheet::record::RowError;
use sheet::row::{Label, Row};

/// A new import.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportIn {
    /// Name of the file, for people.
    #[serde(default)]
    #[schemars(example = "customers.csv")]
    pub(crate) name: Option<FileName>,
    /// Size of the file in bytes.
    #[schemars(example = 48_213)]
    pub(crate) size: Whole<1, { Import::LARGEST }>,
}

/// Settings of an import. Preview them before you start it with them.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportSettingsIn {
    /// Form of the table. Omitted fields are detected.
    #[serde(default)]
    pub(crate) table: Known,
    /// Meaning of the columns. A preview suggests one if it is left out; to start an import, it is needed.
    #[serde(default)]
    #[schemars(example = serde_json::json!({"columns": [{"column": 0, "target": "name"}, {"column": 1, "target": "phone"}]}))]
    pub(crate) mapping: Option<Mapping>,
    /// Treatment of rows about people who are contacts already.
    #[serde(default)]
    pub(crate) mode: ImportMode,
    /// Country of telephone numbers without a country code. Default: the tenant's country.
    #[serde(default)]
    pub(crate) region: Option<Region>,
    /// Tags for everybody in the table.
    #[serde(default)]
    #[schemars(extend("x-refers" = true))]
    pub(crate) tags: UpTo<{ Profile::MAX_TAGS }, TagId>,
    /// Whether tags of the table that do not exist are created. Otherwise, they are left out, with a remark.
    #[serde(default)]
    pub(crate) create_tags: bool,
    /// Statement that people of the table agreed to messages. An import undoes no refusal. That people unsubscribed needs none.
    #[serde(default)]
    pub(crate) consent: Option<ConsentStatement>,
    /// Whether rows are only checked and counted. A limit that only several rows about one person exceed together is found by the import
    /// itself. A preview ignores this setting.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

impl ImportSettingsIn {
    /// The settings with the tenant's country.
    pub(crate) fn settings(&self, usual: Option<Region>) -> Settings {
        Settings {
            mode: self.mode,
            region: self.region.clone().or(usual),
            tags: self.tags.clone(),
            create_tags: self.create_tags,
            consent: self.consent.clone(),
        }
    }
}

/// An import of contacts.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Import")]
pub(crate) struct ImportOut {
    /// Id of the import.
    id: ImportId,
    /// Name of the file.
    #[schemars(example = "customers.csv")]
    name: Option<FileName>,
    /// Size of the file in bytes.
    #[schemars(example = 48_213)]
    size: u32,
    /// Request that uploads the file. `null` once an operation was started, in lists, and for callers who may not import.
    upload: Option<UploadOut>,
    /// The newest operation that works through the import, with its progress and, once it is done, the numbers of rows. `null` until
    /// one is started.
    operation: Option<OperationOut>,
    /// Link to the rows that the operation refused, and to rows with a cell that may be wrong, as CSV. One more column has the message
    /// about each row. If a row has more cells than the table, they follow behind it. `null` if there are none, until the operation is
    /// done, once the file is deleted, and in lists.
    errors_file: Option<FileLinkOut>,
    /// User or key that created it.
    created_by: Actor,
    /// Time of creation. The import is retained for 30 days, its file for one.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    created_at: Timestamp,
}

impl ImportOut {
    pub(crate) fn of(import: Import, operation: Option<OperationOut>) -> Self {
        Self {
            id: import.id,
            name: import.name,
            size: import.size,
            upload: None,
            operation,
            errors_file: None,
            created_by: import.created_by,
            created_at: import.created_at,
        }
    }

    pub(crate) fn with_upload(self, upload: UploadOut) -> Self {
        Self {
            upload: Some(upload),
            ..self
        }
    }

    pub(crate) fn with_errors_file(self, errors_file: Option<FileLinkOut>) -> Self {
        Self { errors_file, ..self }
    }
}

/// The beginning of a table as an import would read it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ImportPreview")]
pub(crate) struct PreviewOut {
    /// Form of the table.
    pub(crate) table: TableOut,
    /// Meaning of the columns: as sent, or a suggestion.
    pub(crate) mapping: Mapping,
    /// Country of telephone numbers without a country code.
    pub(crate) region: Option<Region>,
    /// Settings that must be corrected before the import can be started.
    #[schemars(example = serde_json::json!([{
        "field": "mapping.columns[2].target", "code": "not_found", "facts": {},
        "detail": "There is no such field. Create it first, or remove the column.",
    }]))]
    pub(crate) problems: Vec<FieldError>,
    /// Tags of these rows that do not exist.
    #[schemars(example = serde_json::json!(["VIP"]))]
    pub(crate) new_tags: Vec<Label>,
    /// Names of columns that the mapping leaves out although their cells look like telephone numbers, by the first rows.
    #[schemars(example = serde_json::json!(["Business Fax"]))]
    pub(crate) numbers_left_out: Vec<String>,
    /// Names of columns that the mapping leaves out although they say who agreed to messages, such as to e-mail, by the first rows.
    #[schemars(example = serde_json::json!(["Accepts Email Marketing"]))]
    pub(crate) consents_left_out: Vec<String>,
    /// The first rows, at most 20.
    pub(crate) rows: Vec<PreviewedOut>,
}

/// Form of a table.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ImportTable")]
pub(crate) struct TableOut {
    /// Kind of the file.
    format: Format,
    /// Encoding.
    encoding: Encoding,
    /// Separator of the cells. `null` for cards.
    separator: Option<Separator>,
    /// Whether the first row has the names of the columns.
    header: bool,
    /// Names of the columns: from the header, or “Column A” and so on.
    #[schemars(example = serde_json::json!(["Name", "Mobile"]))]
    columns: Vec<String>,
}

impl From<&Dialect> for TableOut {
    fn from(dialect: &Dialect) -> Self {
        Self {
            format: dialect.format(),
            encoding: dialect.encoding,
            separator: dialect.separator,
            header: dialect.format() == Format::Csv && !dialect.header.is_empty(),
            columns: (0..dialect.columns).map(|column| dialect.name(column)).collect(),
        }
    }
}

/// A row as an import would read it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ImportPreviewRow")]
pub(crate) struct PreviewedOut {
    /// Number of the row as spreadsheet programs count, or of the card.
    #[schemars(example = 2)]
    pub(crate) row: u64,
    /// Its cells, each shortened to 100 characters.
    #[schemars(example = serde_json::json!(["Maya Haddad", "050 123 4567"]))]
    pub(crate) cells: Vec<String>,
    /// Outcome of the row.
    pub(crate) becomes: Becomes,
    /// The contact that exists, if it is about one.
    pub(crate) contact: Option<ContactId>,
    /// Values of the contact. `null` if they cannot be read.
    pub(crate) values: Option<Row>,
    /// Errors of the row.
    pub(crate) errors: Vec<RowErrorOut>,
}

/// The outcome of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Becomes {
    /// A new contact.
    Created,
    /// A change of a contact that exists.
    Updated,
    /// Nothing, because the person is a contact already.
    Skipped,
    /// An error.
    Refused,
}

impl From<RowOutcome> for Becomes {
    fn from(outcome: RowOutcome) -> Self {
        match outcome {
            RowOutcome::Created => Self::Created,
            RowOutcome::Updated => Self::Updated,
            RowOutcome::Skipped => Self::Skipped,
            RowOutcome::Refused | RowOutcome::Erased => Self::Refused,
        }
    }
}

/// An error of a row.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ImportRowError")]
pub(crate) struct RowErrorOut {
    /// Name of the column. `null`: the whole row.
    #[schemars(example = &"Mobile")]
    column: Option<String>,
    /// Kind of the error, in a word: one of `x-codes` at the root of the document. Further ones may be added.
    #[schemars(with = "String", example = &"format")]
    code: FaultCode,
    /// Facts of the sentence by name, for a sentence in another language. `x-codes` names those of each code.
    facts: Facts,
    /// The error and its remedy.
    #[schemars(example = "“12” is not a telephone number. Correct it.")]
    detail: String,
}

impl From<RowError> for RowErrorOut {
    fn from(error: RowError) -> Self {
        let RowError {
            column,
            code,
            facts,
            detail,
            ..
        } = error;
        Self {
            column,
            code,
            facts,
            detail,
        }
    }
}
