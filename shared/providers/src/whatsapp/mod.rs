//! Meta's WhatsApp Cloud API.

pub mod check;
pub mod client;
pub mod handshake;
pub mod signature;
pub mod webhook;

mod error;

use domain::message::Category;

/// A business-scoped user id is far shorter; a longer text would not fit in a table key.
const LONGEST_BSUID: usize = 160;

/// Parses a business-scoped user id, such as `GB.7000000000000111`. Its documented form is two letters, a dot, and letters
/// and digits. Everything valid in a key is accepted, so that a new form does not cost a customer's message.
pub(crate) fn bsuid(text: &str) -> Option<String> {
    let shaped = !text.is_empty()
        && text.len() <= LONGEST_BSUID
        && text.contains('.')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    shaped.then(|| text.to_owned())
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
