//! Exotel: calls, by the Passthru applet of its flows and by StatusCallback; its API, to ask whether the account works.

mod check;
mod event;

use std::net::IpAddr;

pub use check::ExotelClient;
use domain::ip_range::IpRange;
pub use event::{passthru, status_form, status_json};

use crate::shown;

/// Whether a request is the connection's Exotel account's, as far as can be told: Exotel signs nothing, so the URL ends in a
/// secret of ours, and the sender's address is one of those listed, if any are. Who learns the URL can write events.
#[must_use]
pub fn is_from(url_secrets: &[impl AsRef<str>], shown: &str, sources: &[IpRange], source: Option<IpAddr>) -> bool {
    let placed = sources.is_empty() || source.is_some_and(|source| sources.iter().any(|range| range.contains(source)));
    shown::is_one_of(url_secrets, shown) && placed
}
