//! Counts, lists of a period, and exports.

mod counters;
mod exports;
mod hours;
mod list_filter;
mod orders;
mod stored;

#[cfg(test)]
pub(crate) use counters::sample_counter;
pub(crate) use counters::{AGAIN, add_counts};
pub use counters::{Counted, Counters, Place, Source, TemplateDay, join_counts};
pub use exports::{DayPart, DayPlace, Happenings};
pub(crate) use hours::FIRST_DAY;
pub use hours::{Basis, Hour, Lines, Rolled, may_be_rolled};
#[cfg(test)]
pub(crate) use hours::{hours_of_day, sparse_hours};
pub use list_filter::{Exchanged, KnownCall, KnownMessage, NotAReportPosition, ReportPosition, Wanted};
pub use orders::OrderFilter;
pub use stored::{Stored, kilobytes};
