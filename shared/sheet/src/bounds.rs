//! Limits of tables. Memory is bounded by them, not by the size of a file.

/// Bytes at the beginning of a file for detecting its dialect.
pub const SAMPLE: usize = 64 * 1024;
/// Maximum length of a record in the file's encoding, in bytes.
pub const MAX_RECORD_LENGTH: usize = 64 * 1024;
/// Maximum columns of a table.
pub const MAX_COLUMNS: usize = 200;
/// Maximum columns of telephone numbers.
pub const MAX_PHONE_COLUMNS: usize = 20;
/// Maximum length of a column's name, in characters. The remaining ones are cut.
pub const MAX_NAME_LENGTH: usize = 60;
/// Maximum length of a cell in a sentence, in characters.
pub const MAX_EXCERPT_LENGTH: usize = 40;
/// Maximum errors of one row. Further ones are left out.
pub const MAX_ERRORS: usize = 20;
/// Maximum rows of a preview.
pub const MAX_PREVIEWED: usize = 100;
