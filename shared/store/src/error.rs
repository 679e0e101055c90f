//! Why the store could not do what was asked.

use std::error::Error;

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else wrote first: read again and decide again.
    #[error("{doing}: somebody else wrote first")]
    Conflict {
        /// What was being done.
        doing: &'static str,
    },
    /// The database refused or was not reached.
    #[error("{doing}: the database did not answer as it should")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A row does not have the form that the code expects.
    #[error("{doing}: a row does not have the expected form")]
    Form {
        /// What was being done.
        doing: &'static str,
        /// Why. Not its source, which logs show: it may quote what the row holds.
        why: serde_dynamo::Error,
    },
}

impl StoreError {
    pub(crate) fn database(doing: &'static str, source: impl Error + Send + Sync + 'static) -> Self {
        Self::Database {
            doing,
            source: Box::new(source),
        }
    }

    /// Whether reading again and deciding again may help.
    #[must_use]
    pub const fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }
}

/// An error and its causes in one sentence.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
