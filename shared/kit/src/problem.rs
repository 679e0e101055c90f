//! Problems (RFC 9457), the error responses to callers. The one place that turns errors into responses.

pub mod kinds;

use access::Refusal;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::inbox::{MAX_OFFERED, Offer};
use domain::terms::{Facts, Fault, FaultCode, FieldProblem, Reason};
use serde::Serialize;
use store::StoreError;
use store::table::rates::Allowance;

use crate::files::FileError;
use crate::log::chain;

/// An error: what is wrong and what to do about it.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
#[schemars(example = example())]
pub struct Problem {
    /// Kind of problem: a stable identifier for programs. The guide lists all of them.
    #[serde(rename = "type")]
    kind: Box<str>,
    /// Title of the kind, for people.
    title: &'static str,
    /// HTTP status.
    #[serde(serialize_with = "as_number")]
    #[schemars(with = "u16", range(min = 400, max = 599))]
    status: StatusCode,
    /// Explanation of the problem with this request, and what to do about it.
    detail: Box<str>,
    /// Reason in a word, of a message that is not sent, cancelled or sent again: one of `x-codes` at the root of the document.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", example = &"opted_out")]
    code: Option<Reason>,
    /// Facts of that reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Facts")]
    facts: Option<Box<Facts>>,
    /// Templates that can be sent in place of the message, of `window_closed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<Offer>", length(max = MAX_OFFERED))]
    templates: Option<Box<Offered>>,
    /// Invalid fields, at most 50.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_ERRORS))]
    errors: Vec<FieldError>,
    /// Number of further errors, if there are more than 50.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(range(min = 1))]
    more_errors: u32,
    #[serde(skip)]
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// Templates in place of a message: in a place of their own, so that a problem stays small.
#[derive(Debug, Clone, Serialize)]
struct Offered(Vec<Offer>);

/// An invalid field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct FieldError {
    /// Path of the field, such as `lines[0].number`. Empty: the body as a whole.
    #[schemars(example = &"lines[0].number")]
    pub field: String,
    /// Kind of the fault, in a word: one of `x-codes` at the root of the document. Further ones may be added.
    #[schemars(with = "String", example = &"too_long")]
    pub code: FaultCode,
    /// Facts of the sentence by name, for a sentence in another language. `x-codes` names those of each code.
    pub facts: Facts,
    /// Explanation in English of the field's problem, and how to correct it.
    #[schemars(example = &"At most 60 characters; this has 74.")]
    pub detail: String,
}

impl From<FieldProblem> for FieldError {
    fn from(problem: FieldProblem) -> Self {
        let FieldProblem {
            field,
            detail,
            code,
            facts,
        } = problem;
        Self {
            field,
            code,
            facts,
            detail,
        }
    }
}

impl FieldError {
    /// An error of this field.
    pub fn new(field: impl Into<String>, fault: impl Into<Fault>) -> Self {
        let Fault { code, facts, detail } = fault.into();
        Self {
            field: field.into(),
            code,
            facts,
            detail,
        }
    }
}

fn example() -> Problem {
    Problem::field("name", Fault::length(81, 1, 80, "Expected 1 to 80 characters."))
}

/// Maximum number of errors in a problem. One body can have hundreds of thousands.
const MAX_ERRORS: usize = 50;
/// Maximum length of a field's path in characters. It may contain names that were sent.
const MAX_FIELD_LENGTH: usize = 200;
/// Maximum length of a sentence in characters.
const MAX_DETAIL_LENGTH: usize = 500;

fn limit_length(mut text: String, longest: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(longest) {
        text.truncate(end);
        text.push('…');
    }
    text
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn as_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const RATE_REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RATE_RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// The rate limit headers of an allowance.
pub fn rate_headers(allowance: &Allowance) -> [(HeaderName, HeaderValue); 3] {
    [
        (RATE_LIMIT, allowance.limit.into()),
        (RATE_REMAINING, allowance.remaining.unwrap_or(0).into()),
        (RATE_RESET, allowance.resets_in.into()),
    ]
}

impl Problem {
    /// A problem of a stable kind, such as `unauthorized`, out of [`kinds`].
    pub fn new(status: StatusCode, kind: &str, title: &'static str, detail: impl Into<String>) -> Self {
        debug_assert!(
            kinds::all().any(|known| known.word == kind && known.status == status.as_u16()),
            "kit::problem::kinds must describe `{kind}` of {status}"
        );
        Self {
            kind: format!("urn:ringback:problem:{kind}").into(),
            title,
            status,
            detail: limit_length(detail.into(), MAX_DETAIL_LENGTH).into(),
            code: None,
            facts: None,
            templates: None,
            errors: Vec::new(),
            more_errors: 0,
            headers: Vec::new(),
        }
    }

    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Adds the code and the facts of a reason.
    pub fn because(mut self, code: Reason, facts: Facts) -> Self {
        self.code = Some(code);
        self.facts = Some(Box::new(facts));
        self
    }

    /// Adds templates that can be sent in place of the message.
    pub fn offering(mut self, templates: Vec<Offer>) -> Self {
        self.templates = Some(Box::new(Offered(templates)));
        self
    }

    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The sentence, with the code of its reason if it has one.
    pub fn into_reason(self) -> (String, Option<Reason>) {
        (self.detail.into(), self.code)
    }

    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", "Bad request", detail)
    }

    /// 422 about one field.
    pub fn field(field: impl Into<String>, fault: impl Into<Fault>) -> Self {
        Self::fields(Vec::new()).about(field, fault)
    }

    /// 422 about several fields. The first 50 are named, the others counted.
    pub fn fields(errors: Vec<FieldError>) -> Self {
        let detail = "Correct the fields that `errors` names.";
        let problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "Invalid fields", detail);
        let add = |problem: Self, error: FieldError| problem.with_error(error);
        errors.into_iter().fold(problem, add)
    }

    /// Adds an error of this field.
    pub fn about(self, field: impl Into<String>, fault: impl Into<Fault>) -> Self {
        self.with_error(FieldError::new(field, fault))
    }

    /// Adds these errors.
    pub fn naming(self, problems: Vec<FieldProblem>) -> Self {
        let add = |problem: Self, wrong: FieldProblem| problem.with_error(wrong.into());
        problems.into_iter().fold(self, add)
    }

    fn with_error(mut self, error: FieldError) -> Self {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(FieldError {
                field: limit_length(error.field, MAX_FIELD_LENGTH),
                detail: limit_length(error.detail, MAX_DETAIL_LENGTH),
                ..error
            });
        } else {
            self.more_errors += 1;
        }
        self
    }

    /// 409 of this kind.
    pub fn conflict(kind: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, kind, "Conflict", detail)
    }

    /// 409 of this kind: the tenant has the maximum number of these things. `advice` says how to make room.
    pub fn at_most(kind: &str, most: usize, things: &str, advice: &str) -> Self {
        Self::conflict(kind, format!("A tenant can have at most {most} {things}. {advice}"))
    }

    /// 412: the object has changed since the caller read it.
    pub fn stale() -> Self {
        let detail =
            "The object has changed since you read it. Read it again and repeat your change if it still applies.";
        Self::new(StatusCode::PRECONDITION_FAILED, "stale", "Changed since read", detail)
    }

    /// 429 with the time to wait.
    pub fn too_many(allowance: Allowance) -> Self {
        let Allowance { limit, resets_in, .. } = allowance;
        let detail = format!("The limit of {limit} requests is reached. Try again in {resets_in} s.");
        let mut problem = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_requests",
            "Too many requests",
            detail,
        );
        problem.headers.extend(rate_headers(&allowance));
        problem.with_header(header::RETRY_AFTER, resets_in.into())
    }

    /// 401 of the API: no valid token or key.
    pub fn invalid_credentials() -> Self {
        let detail = "Send a valid access token as `Authorization: Bearer …` or, where keys are accepted, a valid \
            key as `X-API-Key`.";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "Unauthorized", detail)
            .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// 401 without a reason: a wrong signature gets the same answer as an unknown tenant.
    pub fn unauthorized() -> Self {
        let detail = "The request is not authenticated. Check the URL and the secret that signs the request.";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "Unauthorized", detail)
    }

    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "Not allowed", detail)
    }

    pub fn not_found() -> Self {
        let detail = "Nothing exists under this URL. Check the path and the ids in it.";
        Self::new(StatusCode::NOT_FOUND, "not_found", "Not found", detail)
    }

    /// 405. The `Allow` header of the answer names the allowed methods.
    pub fn method_not_allowed() -> Self {
        let detail = "Use one of the methods that the `Allow` header names.";
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "Method not allowed",
            detail,
        )
    }

    /// 413 with the limit in bytes.
    pub fn larger_than(most: usize) -> Self {
        const KB: usize = 1024;
        let detail = if most.is_multiple_of(KB * KB) {
            format!("Send at most {} MB in one request.", most / KB / KB)
        } else {
            format!("Send at most {} KB in one request.", most / KB)
        };
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "Too large", detail)
    }

    pub fn wrong_content_type(expected: &str) -> Self {
        let detail = format!("Send the body as {expected}.");
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "wrong_content_type",
            "Wrong content type",
            detail,
        )
    }

    /// 422 with the reason.
    pub fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "unprocessable",
            "Cannot be processed",
            detail,
        )
    }

    pub fn internal() -> Self {
        let detail =
            "Something went wrong on our side. Try again; if the problem persists, report the `X-Correlation-Id`.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error", detail)
    }

    /// 503: the sender should try again.
    pub fn unavailable() -> Self {
        let detail = "The service is temporarily unavailable. Send the request again.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Unavailable", detail)
    }

    /// The plain problem of a status that a router answers by itself. `largest`: maximum size of a body, in bytes.
    pub(crate) fn of_status(status: StatusCode, largest: usize) -> Option<Self> {
        match status {
            StatusCode::NOT_FOUND => Some(Self::not_found()),
            StatusCode::METHOD_NOT_ALLOWED => Some(Self::method_not_allowed()),
            StatusCode::PAYLOAD_TOO_LARGE => Some(Self::larger_than(largest)),
            _ => None,
        }
    }
}

const CONTENT_TYPE: (HeaderName, HeaderValue) = (
    header::CONTENT_TYPE,
    HeaderValue::from_static("application/problem+json"),
);

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        let headers = std::mem::take(&mut self.headers);
        let body = serde_json::to_string(&self).unwrap_or_default();
        let mut response = (self.status, [CONTENT_TYPE], body).into_response();
        response.headers_mut().extend(headers);
        response
    }
}

impl From<Vec<FieldProblem>> for Problem {
    fn from(problems: Vec<FieldProblem>) -> Self {
        Self::fields(problems.into_iter().map(FieldError::from).collect())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if error.is_conflict() {
            return Self::conflict(
                "conflict",
                "Somebody else changed the object at the same time. Read it again and repeat your change if it \
                    still applies.",
            );
        }
        tracing::error!(error = chain(&error), "the table did not do what was asked");
        Self::unavailable()
    }
}

impl From<FileError> for Problem {
    fn from(error: FileError) -> Self {
        tracing::error!(error = chain(&error), "the bucket did not do what was asked");
        Self::unavailable()
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let (status, kind, title, detail) = match refusal {
            Refusal::Unproven => return Self::invalid_credentials(),
            Refusal::TooMany(allowance) => return Self::too_many(allowance),
            Refusal::Table(error) => {
                tracing::error!(error = chain(&error), "cannot tell who calls");
                return Self::unavailable();
            }
            Refusal::Ambiguous => (
                StatusCode::BAD_REQUEST,
                "ambiguous_credentials",
                "Two kinds of credentials",
                "Send an access token or an API key, not both.",
            ),
            Refusal::TakesNoRuns => {
                return Self::forbidden(
                    "This operation does not take the token of a callback. Use one that does, or an API key.",
                );
            }
            Refusal::OtherAddress => {
                return Self::forbidden(
                    "The token of a callback is taken only from the addresses of its webhook endpoint. Ask an administrator to list this one in `callback.from`.",
                );
            }
            Refusal::NoTenant => (
                StatusCode::BAD_REQUEST,
                "no_tenant",
                "No tenant named",
                "You belong to several tenants. Name one in the header `X-Tenant-ID`.",
            ),
            // The same whether there is such a tenant or not.
            Refusal::NotAMember => {
                return Self::forbidden("You are not an active member of this tenant. Ask its administrator.");
            }
            Refusal::Suspended => (
                StatusCode::FORBIDDEN,
                "tenant_suspended",
                "Tenant suspended",
                "The tenant is suspended or being deleted. Contact the platform's support.",
            ),
            Refusal::NotPlatform => return Self::forbidden("Only administrators of the platform can do this."),
            Refusal::NoSecondFactor => (
                StatusCode::FORBIDDEN,
                "second_factor_needed",
                "Second factor needed",
                "Administering the platform requires a session with a second factor. Set one up under \
                    /api/v1/me/second-factor, then log in again with its code.",
            ),
        };
        Self::new(status, kind, title, detail)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of(count: usize) -> Value {
        let error = |index| FieldError::new(format!("list[{index}]"), "Wrong.");
        serde_json::to_value(Problem::fields((0..count).map(error).collect())).unwrap()
    }

    #[test]
    fn problem_names_fifty_errors_and_counts_the_others() {
        let errors = |problem: &Value| problem["errors"].as_array().unwrap().len();
        let fifty = of(50);
        assert_eq!((errors(&fifty), fifty.get("more_errors")), (50, None));
        let many = of(180_000);
        assert_eq!((errors(&many), &many["more_errors"]), (50, &json!(179_950)));
        assert_eq!(many["errors"][49]["field"], "list[49]");
    }

    #[test]
    fn problem_has_the_code_and_facts_of_its_reason() {
        let plain = Problem::conflict("conflict", "Not now.");
        let shown = |problem: &Problem| serde_json::to_value(problem).unwrap();
        assert_eq!((shown(&plain).get("code"), shown(&plain).get("facts")), (None, None));
        let coded = shown(&plain.because(Reason::Frequency, Facts::of("category", "marketing")));
        assert_eq!(coded["code"], "frequency");
        assert_eq!(coded["facts"], json!({"category": "marketing"}));
    }

    #[test]
    fn texts_of_a_problem_are_shortened() {
        let long = "é".repeat(100_000);
        let problem = Problem::bad_request(&*long).about(&*long, &*long);
        let bytes = serde_json::to_vec(&problem).unwrap().len();
        assert!(bytes < 3_000, "{bytes}");
        assert_eq!(limit_length("é".repeat(200), 200), "é".repeat(200));
        assert_eq!(limit_length("é".repeat(201), 200), format!("{}…", "é".repeat(200)));
    }
}
