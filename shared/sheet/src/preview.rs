//! The first rows of a table, as an import would read them.

use serde::Serialize;

use crate::{
    bounds::MAX_PREVIEWED,
    dialect::Dialect,
    mapping::Mapping,
    reader::{Item, Items},
    record::{Record, RowError},
    row::{Context, Row},
};

/// A row as an import would read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PreviewedRow {
    /// Number of the row as spreadsheet programs count.
    pub row: u64,
    /// Its cells, shortened to 100 characters.
    pub cells: Vec<String>,
    /// The contact's values. None: the row has errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<Row>,
    /// What is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<RowError>,
}

/// Maximum length of a cell in a preview, in characters.
const MAX_CELL_LENGTH: usize = 100;

/// The first rows of a table, at most [`MAX_PREVIEWED`]. `sample` begins where the file does; `whole` says whether it is the
/// whole file.
pub fn preview(sample: &[u8], whole: bool, mapping: &Mapping, context: &Context<'_>, most: usize) -> Vec<PreviewedRow> {
    items(sample, whole, context, most)
        .map(|item| match item {
            Item::Broken(broken) => previewed(&broken.record, Err(vec![broken.error()])),
            Item::Record(record) => previewed(&record, Row::of(&record, mapping, context)),
        })
        .collect()
}

/// The first records of a table, for suggestions.
pub fn records(sample: &[u8], whole: bool, context: &Context<'_>, most: usize) -> Vec<Record> {
    let records = items(sample, whole, context, most).filter_map(|item| match item {
        Item::Record(record) => Some(record),
        Item::Broken(_) => None,
    });
    records.collect()
}

fn items<'a>(
    sample: &'a [u8],
    whole: bool,
    context: &Context<'_>,
    most: usize,
) -> impl Iterator<Item = Item> + use<'a> {
    let Dialect { first, .. } = *context.dialect;
    Items::new(context.dialect.form(), first, sample, whole).take(most.min(MAX_PREVIEWED))
}

fn previewed(record: &Record, contact: Result<Row, Vec<RowError>>) -> PreviewedRow {
    let cells = record.cells().map(|cell| cell.chars().take(MAX_CELL_LENGTH).collect());
    let (contact, errors) = match contact {
        Ok(contact) => (Some(contact), Vec::new()),
        Err(errors) => (None, errors),
    };
    PreviewedRow {
        row: record.row,
        cells: cells.collect(),
        contact,
        errors,
    }
}
