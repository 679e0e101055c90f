//! Meta's WhatsApp Cloud API.

pub mod check;
pub mod client;
pub mod handshake;
pub mod media;
pub mod signature;
pub mod webhook;

mod error;

use domain::{message::Category, outside::Bsuid};

/// Parses a business-scoped user id.
pub(crate) fn bsuid(text: &str) -> Option<String> {
    text.parse::<Bsuid>().ok().map(String::from)
}

/// Parses Meta's word for a category.
pub(crate) fn category(word: &str) -> Option<Category> {
    Some(match word {
        "UTILITY" => Category::Utility,
        "MARKETING" => Category::Marketing,
        "AUTHENTICATION" => Category::Authentication,
        _ => return None,
    })
}
