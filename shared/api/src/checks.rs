//! Checks of fields that several resources share, for `garde`.

use domain::{settings::is_language, text::check_line};

/// A BCP 47 language tag. A tag that passes here is valid wherever it is stored.
///
/// # Errors
/// When it has not the shape of one.
pub fn language(tag: &str, _: &()) -> garde::Result {
    if is_language(tag) {
        Ok(())
    } else {
        Err(garde::Error::new("must be a BCP 47 language tag, such as en or ar-AE"))
    }
}

/// A name or another short text: visible characters on one line. Its length is checked separately.
///
/// # Errors
/// When it is empty but for spaces, or holds control characters or invisible ones.
pub fn one_line(text: &str, _: &()) -> garde::Result {
    check_line(text).map_err(|wrong| garde::Error::new(wrong.to_string()))
}
