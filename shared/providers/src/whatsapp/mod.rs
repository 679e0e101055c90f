//! Meta's WhatsApp Cloud API.

pub mod check;
pub mod client;
pub mod handshake;
pub mod media;
pub mod signature;
pub mod templates;
pub mod webhook;

mod error;

pub(crate) use error::presentable;

use domain::templates::ButtonKind;
use domain::tenants::Quality;
use domain::terms::{Bsuid, Category};

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

/// Parses Meta's word for the kind of a button.
fn button_kind(word: &str) -> Option<ButtonKind> {
    Some(match word {
        "QUICK_REPLY" => ButtonKind::QuickReply,
        "URL" => ButtonKind::Url,
        "PHONE_NUMBER" => ButtonKind::PhoneNumber,
        "COPY_CODE" => ButtonKind::OfferCode,
        "OTP" => ButtonKind::OneTimeCode,
        "VOICE_CALL" => ButtonKind::Other,
        _ => return None,
    })
}

/// Parses Meta's word for the quality of a number or a template.
pub(crate) fn quality(word: &str) -> Quality {
    match word {
        "GREEN" => Quality::Green,
        "YELLOW" => Quality::Yellow,
        "RED" => Quality::Red,
        _ => Quality::Unknown,
    }
}
