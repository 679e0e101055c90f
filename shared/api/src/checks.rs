//! What fields of several resources are checked for, as `garde` takes it.

use domain::{settings::is_language, text::check_line};

/// A BCP 47 language tag: what is taken here is taken wherever it is kept.
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

/// A name that people gave, or another short text that others read: on one line, all of it visible. Its length is a check of its
/// own.
///
/// # Errors
/// When it is empty but for spaces, or holds control characters or invisible ones.
pub fn one_line(text: &str, _: &()) -> garde::Result {
    check_line(text).map_err(|wrong| garde::Error::new(wrong.to_string()))
}
