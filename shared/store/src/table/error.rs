//! Errors of the store.

use std::error::Error;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A lost race: read again and decide again.
    #[error("{doing}: somebody else wrote first")]
    Conflict { doing: &'static str },
    /// The database refuses the request itself, such as a key or a row that is too long. A retry would be refused as well.
    #[error("{doing}: the database refuses the request as invalid")]
    Invalid {
        doing: &'static str,
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The database returned an error or could not be reached.
    #[error("{doing}: the database did not answer as it should")]
    Database {
        doing: &'static str,
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The subject is being deleted: a row still leads to it, but its own row no longer exists.
    #[error("{doing}: it is gone")]
    Gone { doing: &'static str },
    /// A text is no position in the list whose next page is wanted.
    #[error("read the next page of a list: the position is of another list")]
    Position,
    /// A row does not have the expected form.
    #[error("{doing}: a row does not have the expected form")]
    Form {
        doing: &'static str,
        /// The cause. Not its `source`, which logs show: it may quote the content of the row.
        why: serde_dynamo::Error,
    },
    /// A row was written by a newer version. It can be read once that version runs here.
    #[error(
        "{doing}: a row of the kind {kind} has the form {found}, which only a newer version reads: this one reads {wanted}"
    )]
    NewerForm {
        doing: &'static str,
        kind: String,
        found: u64,
        wanted: u64,
    },
    /// A row was written by an older version, and nothing migrates it.
    #[error("{doing}: a row of the kind {kind} has the form {found} of an older version: this one reads {wanted}")]
    OlderForm {
        doing: &'static str,
        kind: String,
        found: u64,
        wanted: u64,
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
    pub(crate) fn of_answer<E, R>(doing: &'static str, error: SdkError<E, R>) -> Self
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

    /// Whether a retry is useless.
    pub const fn is_invalid(&self) -> bool {
        matches!(self, Self::Invalid { .. })
    }

    /// Whether a row cannot be read by this version. A retry would find it again.
    pub const fn is_unreadable(&self) -> bool {
        matches!(
            self,
            Self::Form { .. } | Self::NewerForm { .. } | Self::OlderForm { .. }
        )
    }

    /// Whether nothing is left to do because the subject is gone.
    pub const fn is_gone(&self) -> bool {
        matches!(self, Self::Gone { .. })
    }

    /// Whether reading and deciding again may help.
    pub const fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }
}

/// DynamoDB's code for an invalid request.
const VALIDATION: &str = "ValidationException";

/// An error and its causes in one sentence.
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
