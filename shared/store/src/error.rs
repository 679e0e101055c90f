//! Why the store could not do what was asked.

use std::error::Error;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else wrote first: read again and decide again.
    #[error("{doing}: somebody else wrote first")]
    Conflict {
        /// What was being done.
        doing: &'static str,
    },
    /// The database refuses the request itself, such as a key or a row that is too long. It will refuse it every time.
    #[error("{doing}: the database refuses the request as invalid")]
    Invalid {
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
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
    /// Whom it is about is being deleted: something still leads there, and nothing is there any more.
    #[error("{doing}: it is gone")]
    Gone {
        /// What was being done.
        doing: &'static str,
    },
    /// A row does not have the form that the code expects.
    #[error("{doing}: a row does not have the expected form")]
    Form {
        /// What was being done.
        doing: &'static str,
        /// Why. Not its source, which logs show: it may quote what the row holds.
        why: serde_dynamo::Error,
    },
    /// A row was written by a newer version: once that version runs here, it can be read.
    #[error("{doing}: a row of the kind {kind} has the form {form}, which only a newer version reads")]
    NewerForm {
        /// What was being done.
        doing: &'static str,
        /// The row's kind.
        kind: String,
        /// Its form.
        form: u64,
    },
}

impl StoreError {
    pub(crate) fn database(doing: &'static str, source: impl Error + Send + Sync + 'static) -> Self {
        Self::Database {
            doing,
            source: Box::new(source),
        }
    }

    /// A request that was answered with an error.
    pub(crate) fn answered<E, R>(doing: &'static str, error: SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        if error.code() == Some(VALIDATION) {
            Self::invalid(doing, error)
        } else {
            Self::database(doing, error)
        }
    }

    pub(crate) fn invalid(doing: &'static str, source: impl Error + Send + Sync + 'static) -> Self {
        Self::Invalid {
            doing,
            source: Box::new(source),
        }
    }

    /// Whether trying again is useless.
    #[must_use]
    pub const fn is_invalid(&self) -> bool {
        matches!(self, Self::Invalid { .. })
    }

    /// Whether nothing is left to do, since whom it is about is gone.
    #[must_use]
    pub const fn is_gone(&self) -> bool {
        matches!(self, Self::Gone { .. })
    }

    /// Whether reading again and deciding again may help.
    #[must_use]
    pub const fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }
}

/// DynamoDB's code for a request that breaks its rules.
const VALIDATION: &str = "ValidationException";

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
