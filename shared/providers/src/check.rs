//! Tests whether an account works at a provider. Nothing is changed or sent there.
//!
//! WhatsApp and Twilio send, so their refusals are classified by the tables of sending ([`domain::messages::classify_error`]) and affect the
//! connection's health. Aircall, Vonage, Exotel and Plivo do not send: their API is used only for this test, and calls
//! arrive by webhooks that are authenticated with other secrets. Their refusals are reported, and the health stays unchanged.

use domain::messages::SendOutcome;
use domain::terms::{Api, Classified};
use jiff::SignedDuration;
use reqwest::{Client, RequestBuilder};
use serde_json::Value;

use crate::http::{Answer, Failure, Http};
use crate::outcome;

/// Reason why an account is not known to work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// The provider refuses, with a sentence that says what to do.
    #[error("{reason}")]
    Refused {
        /// Consequence for the connection, if the table of errors knows it. `None`: no consequence.
        classified: Option<Classified>,
        /// For people to read.
        reason: String,
        /// Pause that the provider requests.
        retry_after: Option<SignedDuration>,
        /// True if the provider says that the account is not, or no longer, visible with these credentials. Other refusals (an
        /// unpaid bill, a temporary block) say nothing about the owner of the account.
        denies: bool,
    },
    /// The result is unknown.
    #[error("{reason}")]
    Unclear {
        /// For people to read.
        reason: String,
    },
}

impl CheckError {
    /// A refusal without consequence for the connection's health.
    pub(crate) fn of_refusal(reason: impl Into<String>) -> Self {
        Self::Refused {
            classified: None,
            reason: reason.into(),
            retry_after: None,
            denies: false,
        }
    }

    /// Sets whether the provider says that the account is not visible with these credentials.
    pub(crate) const fn that_denies(mut self, is_so: bool) -> Self {
        if let Self::Refused { denies, .. } = &mut self {
            *denies = is_so;
        }
        self
    }

    fn unclear(reason: impl Into<String>) -> Self {
        Self::Unclear { reason: reason.into() }
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
                denies: false,
            },
            SendOutcome::Unknown { reason } => Self::Unclear { reason },
            SendOutcome::Accepted { .. } => Self::unclear(format!("{provider}'s answer cannot be read.")),
        }
    }

    /// A missing answer of an API that sends.
    pub(crate) fn of_failure(api: Api, provider: &str, failure: &Failure) -> Self {
        match failure {
            // A request that cannot be built contains a value that is invalid in a header.
            Failure::NotBuilt(_) => Self::of(outcome::of_failure(api, failure), provider),
            _ => Self::of_missing_answer(provider, failure),
        }
    }

    fn of_missing_answer(provider: &str, failure: &Failure) -> Self {
        match failure {
            Failure::NotBuilt(_) => Self::of_refusal(format!("These credentials cannot be sent to {provider}.")),
            Failure::NotConnected(_) => Self::unclear(format!("{provider} could not be reached. Try again later.")),
            Failure::TimedOut(_) | Failure::Broken(_) => {
                Self::unclear(format!("{provider} did not answer in time. Try again later."))
            }
        }
    }

    fn in_trouble(provider: &str, status: u16) -> Self {
        Self::unclear(format!("{provider} has a problem (HTTP {status}). Try again later."))
    }

    /// Reads an unsuccessful answer.
    pub(crate) fn of_answer(
        api: Api,
        provider: &str,
        answer: &Answer,
        code: Option<i64>,
        details: Option<&str>,
    ) -> Self {
        if code.is_none() && answer.status >= 500 {
            return Self::in_trouble(provider, answer.status);
        }
        Self::of(outcome::of_error(api, answer, code, details), provider)
    }

    /// A success with an unreadable body.
    pub(crate) fn unreadable(provider: &str) -> Self {
        Self::unclear(format!("{provider}'s answer cannot be read. Try again later."))
    }
}

/// Calls an API only to see whether it answers. `refusal` gives the meaning of a status and what to do about it.
/// Nothing that the provider writes is shown, because it may quote the request.
pub(crate) async fn ask(
    http: &Http,
    provider: &str,
    refusal: impl FnOnce(u16) -> Option<&'static str>,
    prepare: impl FnOnce(&Client) -> RequestBuilder,
) -> Result<Value, CheckError> {
    let answer = http
        .send(prepare)
        .await
        .map_err(|failure| CheckError::of_missing_answer(provider, &failure))?;
    if answer.is_success() {
        return serde_json::from_slice(&answer.body).map_err(|_| CheckError::unreadable(provider));
    }
    Err(match (refusal(answer.status), answer.status) {
        (Some(reason), _) => CheckError::of_refusal(reason),
        (None, 429) => CheckError::unclear(format!("{provider} is receiving too many requests. Try again later.")),
        (None, status @ 500..) => CheckError::in_trouble(provider, status),
        (None, status) => CheckError::unclear(format!("{provider} gave an unknown answer (HTTP {status}).")),
    })
}

/// True if the name of an account is valid in a path.
pub(crate) fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !text.is_empty() && text.bytes().all(plain)
}
