//! Shops: webhooks about orders and their shipments. Each file reads those of one kind of shop; all sign them alike.

mod fields;
pub mod shopify;
pub mod signature;
pub mod woocommerce;

use domain::people::ShopReport;
use jiff::Timestamp;

use crate::Unreadable;

/// Refuses a report that cannot be taken over at this time.
///
/// # Errors
/// When a time lies ahead, or the currency is not in use.
pub fn check(
    report: Option<ShopReport>,
    provider: &'static str,
    now: Timestamp,
) -> Result<Option<ShopReport>, Unreadable> {
    let field = "updated_at or currency";
    match report.as_ref().map(|report| report.parts.check(now)) {
        Some(Err(_)) => Err(Unreadable { provider, field }),
        _ => Ok(report),
    }
}
