//! Reports: what is counted of calls and messages, the periods of reports, the filters of lists, and exports.

pub mod counting;
pub mod export;
pub mod list_filter;
pub mod metrics;
pub mod template_numbers;
