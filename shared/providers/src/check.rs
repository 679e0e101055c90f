//! Asking a provider whether an account works. Nothing is changed or sent there.

use domain::{
    message::SendOutcome,
    send::{Api, Classified},
};
use jiff::SignedDuration;

use crate::{
    http::{Answer, Failure},
    outcome,
};

/// Why an account is not known to work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// The provider says no, in a sentence that says what to do.
    #[error("{reason}")]
    Refused {
        /// What it means for the connection, where the error's table knows.
        classified: Option<Classified>,
        /// For people.
        reason: String,
        /// How long the provider wants to be left in peace.
        retry_after: Option<SignedDuration>,
    },
    /// The provider did not say.
    #[error("{reason}")]
    Unclear {
        /// For people.
        reason: String,
    },
}

impl CheckError {
    /// A refusal of which the table knows nothing.
    pub(crate) fn refused(reason: impl Into<String>) -> Self {
        Self::Refused {
            classified: None,
            reason: reason.into(),
            retry_after: None,
        }
    }

    fn of(outcome: SendOutcome, provider: &str) -> Self {
        match outcome {
            SendOutcome::Refused {
                classified,
                reason,
                retry_after,
                ..
            } => Self::Refused {
                classified: Some(classified),
                reason,
                retry_after,
            },
            SendOutcome::Unknown { reason } => Self::Unclear { reason },
            SendOutcome::Accepted { .. } => Self::Unclear {
                reason: format!("{provider}'s answer cannot be read."),
            },
        }
    }

    /// No answer.
    pub(crate) fn of_failure(api: Api, provider: &str, failure: &Failure) -> Self {
        match failure {
            // A request that cannot be built holds something that no header can.
            Failure::NotBuilt(_) => Self::of(outcome::of_failure(api, failure), provider),
            Failure::NotConnected(_) => Self::Unclear {
                reason: format!("{provider} could not be reached. Try again later."),
            },
            Failure::TimedOut(_) | Failure::Broken(_) => Self::Unclear {
                reason: format!("{provider} did not answer in time. Try again later."),
            },
        }
    }

    /// An answer that is not a success.
    pub(crate) fn of_answer(
        api: Api,
        provider: &str,
        answer: &Answer,
        code: Option<i64>,
        details: Option<&str>,
    ) -> Self {
        if code.is_none() && answer.status >= 500 {
            return Self::Unclear {
                reason: format!("{provider} has trouble (HTTP {}). Try again later.", answer.status),
            };
        }
        Self::of(outcome::of_error(api, answer, code, details), provider)
    }

    /// A success that cannot be read.
    pub(crate) fn unreadable(provider: &str) -> Self {
        Self::Unclear {
            reason: format!("{provider}'s answer cannot be read. Try again later."),
        }
    }
}
