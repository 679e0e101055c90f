//! Error bodies of Twilio's API: `{"code", "message", "more_info", "status"}`. The message is not shown: it quotes numbers.

use domain::messages::SendOutcome;
use domain::terms::Api;
use serde_json::Value;

use crate::http::Answer;
use crate::outcome;

/// The meaning of an unsuccessful answer.
pub(crate) fn outcome(answer: &Answer) -> SendOutcome {
    outcome_of_code(answer, code(&answer.body))
}

/// For answers with the code elsewhere in the body.
pub(crate) fn outcome_of_code(answer: &Answer, code: Option<i64>) -> SendOutcome {
    outcome::of_error(Api::Twilio, answer, code, None)
}

/// The code, if the body has one.
pub(crate) fn code(body: &[u8]) -> Option<i64> {
    serde_json::from_slice::<Value>(body).ok()?["code"].as_i64()
}
