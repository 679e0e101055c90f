//! The first rows of a table, as an import would read them.

use crate::bounds::MAX_PREVIEWED;
use crate::mapping::Mapping;
use crate::reader::{Item, Items};
use crate::record::Record;
use crate::row::{Context, Line, read};

/// The first rows of a table, at most [`MAX_PREVIEWED`]. `sample` begins where the file does; `whole` says whether it is the
/// whole file.
pub fn preview(sample: &[u8], whole: bool, mapping: &Mapping, context: &Context<'_>, most: usize) -> Vec<Line> {
    let items = items(sample, whole, context, most);
    items.map(|item| read(item, mapping, context)).collect()
}

/// The first records of a table, for suggestions.
pub fn records(sample: &[u8], whole: bool, context: &Context<'_>, most: usize) -> Vec<Record> {
    items(sample, whole, context, most).flatten().collect()
}

fn items<'a>(
    sample: &'a [u8],
    whole: bool,
    context: &Context<'_>,
    most: usize,
) -> impl Iterator<Item = Item> + use<'a> {
    let dialect = context.dialect;
    Items::new(dialect.form(), dialect.first, sample, whole).take(most.min(MAX_PREVIEWED))
}
