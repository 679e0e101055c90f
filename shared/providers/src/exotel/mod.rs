//! Exotel: calls by the Passthru applet and StatusCallback, and its API for testing the connection.

mod check;
mod event;

use std::net::IpAddr;

pub use check::ExotelClient;
use domain::terms::IpRange;
pub use event::{passthru, status_form, status_json};

use crate::shown;

/// True if a request comes from the connection's Exotel account, as far as that can be known. Exotel signs nothing, so the URL
/// ends in our secret, and the sender's address must be listed if any are. Whoever learns the URL can forge events.
pub fn is_from(url_secrets: &[impl AsRef<str>], shown: &str, sources: &[IpRange], source: Option<IpAddr>) -> bool {
    let placed = sources.is_empty() || source.is_some_and(|source| sources.iter().any(|range| range.contains(source)));
    shown::is_one_of(url_secrets, shown) && placed
}
