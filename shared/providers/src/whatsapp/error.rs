//! Error bodies of the Graph API: `{"error": {"code", "error_data": {"details"}, …}}`. The code decides, because the HTTP status is
//! not reliable (code 3 comes with 500 and is permanent), and a body may be HTML.

use domain::messages::SendOutcome;
use domain::terms::Api;
use serde_json::Value;

use crate::http::Answer;
use crate::outcome;

/// Maximum length of details, which are for people.
const MAX_DETAILS_LENGTH: usize = 200;
/// This many digits may be somebody's number.
const NUMBER_DIGITS: usize = 5;

/// The meaning of an unsuccessful answer.
pub(crate) fn outcome(answer: &Answer) -> SendOutcome {
    let (code, details) = read(&answer.body);
    outcome::of_error(Api::WhatsAppCloud, answer, code, details.as_deref())
}

/// The code and the details, if the body has them.
pub(crate) fn read(body: &[u8]) -> (Option<i64>, Option<String>) {
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return (None, None);
    };
    let error = &body["error"];
    let details = error["error_data"]["details"].as_str().map(presentable);
    (error["code"].as_i64(), details)
}

/// True if an error of the account or number means that the token has no access to them: it has expired, lacks the permission, or may
/// not see them. All other errors can also happen to their owner.
pub(super) const fn denies(code: i64) -> bool {
    matches!(code, 0 | 3 | 10 | 33 | 190 | 200..=299 | 131005)
}

/// The subcode, if the body has one.
pub(super) fn subcode(body: &[u8]) -> Option<i64> {
    serde_json::from_slice::<Value>(body).ok()?["error"]["error_subcode"].as_i64()
}

/// Meta's explanation for people of an error in managing something: title and advice.
pub(super) fn words_for_people(body: &[u8]) -> Option<String> {
    let body = serde_json::from_slice::<Value>(body).ok()?;
    let text = |name: &str| body["error"][name].as_str().map(presentable);
    let told: Vec<String> = ["error_user_title", "error_user_msg"]
        .into_iter()
        .filter_map(text)
        .filter(|text| !text.trim().is_empty())
        .map(|text| text.trim_end_matches('.').to_owned())
        .collect();
    (!told.is_empty()).then(|| format!("{}.", told.join(". ")))
}

/// Details of a provider name the wrong parameter, which helps people. Everything that may be a telephone number is
/// hidden, even if it contains spaces.
pub(crate) fn presentable(details: &str) -> String {
    let mut shown = String::new();
    let mut rest = details;
    while let Some(start) = rest.find(|character: char| character.is_ascii_digit()) {
        shown.push_str(&rest[..start]);
        let length = rest[start..]
            .find(|character: char| !(character.is_ascii_digit() || " -.()".contains(character)))
            .unwrap_or(rest.len() - start);
        let run = rest[start..start + length].trim_end_matches(|character: char| !character.is_ascii_digit());
        let digits = run.bytes().filter(u8::is_ascii_digit).count();
        shown.push_str(if digits < NUMBER_DIGITS { run } else { "…" });
        rest = &rest[start + run.len()..];
    }
    shown.push_str(rest);
    let printable = |character: char| if character.is_control() { ' ' } else { character };
    shown.chars().take(MAX_DETAILS_LENGTH).map(printable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_hide_numbers_and_stay_short() {
        assert_eq!(
            presentable("447700900111 (+44 7700 900-111) is not 1234 or\n97155500333, (2)"),
            "… (+…) is not 1234 or …, (2)"
        );
        assert_eq!(presentable(&"x".repeat(1000)).len(), MAX_DETAILS_LENGTH);
    }
}
