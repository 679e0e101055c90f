//! Orders of shops.

mod report;

pub use report::{first_report, take_report};
