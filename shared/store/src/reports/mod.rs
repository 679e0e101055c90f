//! What was counted, lists of a period, and exports.

pub mod counters;
pub mod exports;
pub mod hours;
pub mod list_filter;
pub mod stored;
