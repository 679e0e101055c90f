//! Meaning of an answer, or of its absence, for a send.

use domain::messages::{AttemptError, SendOutcome, Stage, classify_error, is_known_error};
use domain::terms::{Api, Classified, Effect, ErrorClass};

use crate::http::{Answer, Failure};

/// The reason why a message cannot be sent at all.
pub(crate) type Unsendable = (ErrorClass, &'static str);

const fn name(api: Api) -> &'static str {
    match api {
        Api::WhatsAppCloud => "WhatsApp",
        Api::Twilio => "Twilio",
    }
}

/// First pause after a failed connection.
const RECONNECT_SECONDS: u32 = 5;

/// The outcome of a request without an answer.
pub(crate) fn of_failure(api: Api, failure: &Failure) -> SendOutcome {
    let provider = name(api);
    match failure {
        Failure::NotBuilt(_) => refused_here(
            ErrorClass::TenantMustAct,
            "the connection's credentials or address cannot be sent",
        ),
        Failure::NotConnected(_) => SendOutcome::Refused {
            code: None,
            classified: Classified {
                class: ErrorClass::RetryAfter,
                effect: Effect::None,
                first_wait: RECONNECT_SECONDS,
                meaning: "no connection could be made",
            },
            reason: format!("{provider} could not be reached; nothing was sent."),
            because: None,
            retry_after: None,
        },
        Failure::TimedOut(_) => SendOutcome::Unknown {
            reason: format!("{provider} did not answer in time."),
        },
        Failure::Broken(_) => SendOutcome::Unknown {
            reason: format!("The connection to {provider} broke before its answer."),
        },
    }
}

/// An unsuccessful answer, or one with an error code. `details` are texts of the provider that are safe to show.
pub(crate) fn of_error(api: Api, answer: &Answer, code: Option<i64>, details: Option<&str>) -> SendOutcome {
    let provider = name(api);
    let status = answer.status;
    // The tables of errors do not cover a redirect, and it does not tell whether the message was accepted.
    let classified = classify_error(api, Stage::Answer, Some(status), code);
    let meaning = classified.meaning;
    let which = code.map_or_else(|| format!("HTTP {status}"), |code| format!("code {code}"));
    let details = details.map(|details| format!(" {provider} says: {}.", details.trim_end_matches('.')));
    let details = details.unwrap_or_default();
    if classified.class == ErrorClass::WaitForStatus {
        return SendOutcome::Unknown {
            reason: format!("{provider}: {meaning} ({which}).{details}"),
        };
    }
    SendOutcome::Refused {
        code,
        classified,
        reason: format!("{provider} refused it: {meaning} ({which}).{details}"),
        because: None,
        retry_after: answer.retry_after,
    }
}

/// A success that does not name the message.
pub(crate) fn of_unreadable_success(api: Api) -> SendOutcome {
    SendOutcome::Unknown {
        reason: format!("{}'s answer does not tell whether it accepted the message.", name(api)),
    }
}

/// A refusal before anything was sent.
pub(crate) fn refused_here(class: ErrorClass, meaning: &'static str) -> SendOutcome {
    let effect = match class {
        ErrorClass::TenantMustAct => Effect::ConnectionUnhealthy,
        _ => Effect::None,
    };
    SendOutcome::Refused {
        code: None,
        classified: Classified {
            class,
            effect,
            first_wait: 0,
            meaning,
        },
        reason: format!("Not sent: {meaning}."),
        because: None,
        retry_after: None,
    }
}

/// Reason why a provider gave up a message that it had accepted.
pub(crate) fn given_up(api: Api, code: Option<i64>) -> AttemptError {
    let provider = name(api);
    let classified = classify_error(api, Stage::Status, None, code);
    let reason = match code {
        Some(code) if is_known_error(api, code) => {
            format!("{provider} gave it up: {} (code {code}).", classified.meaning)
        }
        Some(code) => format!("{provider} gave it up for a reason that we do not know (code {code})."),
        None => format!("{provider} gave it up without saying why."),
    };
    AttemptError::new(code, classified.class, reason)
}
