//! What a caller is told when something is wrong: RFC 9457 problems. The one place that turns errors into answers.

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// An answer that says what is wrong and what to do about it.
#[derive(Debug, Clone, Serialize)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    #[serde(serialize_with = "as_number")]
    status: StatusCode,
    detail: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn as_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    /// A problem of a stable kind, such as `unauthorized`.
    #[must_use]
    pub fn new(status: StatusCode, kind: &str, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:ringback:problem:{kind}"),
            title,
            status,
            detail: detail.into(),
        }
    }

    /// 401, and never why: a wrong signature reads like an unknown tenant.
    #[must_use]
    pub fn unauthorized() -> Self {
        let detail = "The request does not prove who sent it. Check the URL and the secret it was signed with.";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "Not authorized", detail)
    }

    /// 403.
    #[must_use]
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "Not allowed", detail)
    }

    /// 404.
    #[must_use]
    pub fn not_found() -> Self {
        let detail = "There is nothing here. Check the URL.";
        Self::new(StatusCode::NOT_FOUND, "not_found", "Not found", detail)
    }

    /// 405; the answer's `Allow` header names what is allowed.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        let detail = "Use one of the methods that the Allow header names.";
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "Method not allowed",
            detail,
        )
    }

    /// 413.
    #[must_use]
    pub fn too_large() -> Self {
        let detail = "Send at most 3 MB in one request.";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "Too large", detail)
    }

    /// 415.
    #[must_use]
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
    #[must_use]
    pub fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "unprocessable",
            "Cannot be processed",
            detail,
        )
    }

    /// 500.
    #[must_use]
    pub fn internal() -> Self {
        let detail = "Something went wrong on our side. Try again; if it stays, report the X-Correlation-Id.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error", detail)
    }

    /// 503: the sender should deliver it again.
    #[must_use]
    pub fn unavailable() -> Self {
        let detail = "It could not be stored. Send it again.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Unavailable", detail)
    }

    /// The bare problem of a status that a router answers by itself.
    pub(crate) fn of_status(status: StatusCode) -> Option<Self> {
        match status {
            StatusCode::NOT_FOUND => Some(Self::not_found()),
            StatusCode::METHOD_NOT_ALLOWED => Some(Self::method_not_allowed()),
            StatusCode::PAYLOAD_TOO_LARGE => Some(Self::too_large()),
            _ => None,
        }
    }
}

const CONTENT_TYPE: (HeaderName, HeaderValue) = (
    header::CONTENT_TYPE,
    HeaderValue::from_static("application/problem+json"),
);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_string(&self).unwrap_or_default();
        (self.status, [CONTENT_TYPE], body).into_response()
    }
}
