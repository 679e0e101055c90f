//! What fields of several resources are checked for, as `garde` takes it.

use domain::settings::is_language;

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

/// A name that people gave: something to read, on one line. Its length is a check of its own.
///
/// # Errors
/// When it is empty but for spaces, or holds control characters.
pub fn one_line(text: &str, _: &()) -> garde::Result {
    if text.trim().is_empty() {
        return Err(garde::Error::new("must not be empty"));
    }
    if text.chars().any(char::is_control) {
        return Err(garde::Error::new("must be one line without control characters"));
    }
    Ok(())
}
