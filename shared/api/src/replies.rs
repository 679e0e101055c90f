//! Answers of handlers, with their status and headers; and the version that a change names.

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kit::Problem;
use kit::http::Uncompressed;
use serde::Serialize;
use store::{Page, Versioned};

use crate::paging;

fn etag(version: u64) -> HeaderValue {
    // Digits in quotes are always a header's value.
    HeaderValue::from_str(&format!("\"{version}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// 200 with the version as `ETag`.
#[derive(Debug, Clone)]
pub struct Tagged<T> {
    pub version: u64,
    pub body: T,
}

impl<T> Tagged<T> {
    /// A stored value, converted to the API's model.
    pub fn of(found: Versioned<impl Into<T>>) -> Self {
        Self {
            version: found.version,
            body: found.value.into(),
        }
    }
}

impl<T: Serialize> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        ([(header::ETAG, etag(self.version))], Json(self.body)).into_response()
    }
}

/// 201 with the path of the new resource, and its version as `ETag`.
#[derive(Debug, Clone)]
pub struct Created<T> {
    /// Path of the new resource.
    pub location: String,
    pub version: u64,
    pub body: T,
}

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        let Ok(location) = HeaderValue::from_str(&self.location) else {
            return Problem::internal().into_response();
        };
        let headers = [(header::LOCATION, location), (header::ETAG, etag(self.version))];
        (StatusCode::CREATED, headers, Json(self.body)).into_response()
    }
}

/// 200 with a page to be read, printed or kept as a file. It loads nothing and runs nothing.
#[derive(Debug, Clone)]
pub struct Html(pub String);

impl IntoResponse for Html {
    fn into_response(self) -> Response {
        const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
                              frame-ancestors 'none'";
        let headers = [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::REFERRER_POLICY, "no-referrer"),
        ];
        (headers, self.0).into_response()
    }
}

/// The answer 204.
#[derive(Debug, Clone, Copy)]
pub struct NoContent;

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

/// 200 with a page of a list.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
#[schemars(description = "A page of a list.", rename = "Listed_{T}")]
pub struct Listed<T> {
    /// Items of this page.
    pub items: Vec<T>,
    /// Value of `cursor` for the next page. `null` on the last page.
    pub next_cursor: Option<String>,
}

impl<T> Listed<T> {
    /// A page of the store, with each row converted by `item`.
    pub fn of<R>(page: Page<R>, item: impl FnMut(R) -> T) -> Self {
        Self {
            items: page.items.into_iter().map(item).collect(),
            next_cursor: page.next.as_deref().map(paging::cursor),
        }
    }
}

impl<T: Serialize> IntoResponse for Listed<T> {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}

/// An answer with a secret that is shown once, so it is not stored for repeated requests with the same idempotency key.
#[derive(Debug, Clone, Copy)]
pub struct Once<R>(pub R);

/// An answer that shows a secret only sometimes, and is stored otherwise.
#[derive(Debug, Clone, Copy)]
pub struct OnceIf<R> {
    /// True if it does now.
    pub shows: bool,
    pub answer: R,
}

impl<R: IntoResponse> IntoResponse for OnceIf<R> {
    fn into_response(self) -> Response {
        if self.shows {
            Once(self.answer).into_response()
        } else {
            self.answer.into_response()
        }
    }
}

/// An answer with another status of success than its own.
#[derive(Debug, Clone, Copy)]
pub struct With<const STATUS: u16, R>(pub R);

impl<const STATUS: u16, R: IntoResponse> IntoResponse for With<STATUS, R> {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(STATUS).unwrap_or(StatusCode::OK);
        (status, self.0).into_response()
    }
}

/// Marks an answer with a secret.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ShownOnce;

impl<R: IntoResponse> IntoResponse for Once<R> {
    fn into_response(self) -> Response {
        let mut response = self.0.into_response();
        response.extensions_mut().insert(ShownOnce);
        response.extensions_mut().insert(Uncompressed);
        response
    }
}

/// The `If-Match` header: the change applies only to the version that the caller knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IfMatch(Expected);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Expected {
    Any,
    OneOf(Vec<String>),
}

impl IfMatch {
    /// Any version, for changes whose callers cannot name one.
    pub const ANY: Self = Self(Expected::Any);

    /// Refuses an outdated version. Without the header, any version is accepted.
    ///
    /// # Errors
    /// 412 when they know another.
    pub fn check(&self, version: u64) -> Result<(), Problem> {
        match &self.0 {
            Expected::Any => Ok(()),
            Expected::OneOf(tags) if tags.iter().any(|tag| *tag == version.to_string()) => Ok(()),
            Expected::OneOf(_) => Err(Problem::stale()),
        }
    }

    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(value) = headers.get(header::IF_MATCH) else {
            return Ok(Self(Expected::Any));
        };
        let malformed = || {
            Problem::bad_request(
                "The header `If-Match` must be the `ETag` of the answer that you read, with its quotes, or `*`.",
            )
        };
        let text = value.to_str().map_err(|_| malformed())?.trim();
        if text == "*" {
            return Ok(Self(Expected::Any));
        }
        let tag = |tag: &str| {
            let tag = tag.trim();
            // A weak tag never matches here (RFC 9110, 13.1.1).
            let (weak, quoted) = tag.strip_prefix("W/").map_or(("", tag), |quoted| ("W/", quoted));
            let own = quoted.strip_prefix('"')?.strip_suffix('"')?;
            (!own.contains('"')).then(|| format!("{weak}{own}"))
        };
        let tags: Option<Vec<_>> = text.split(',').map(tag).collect();
        tags.map(|tags| Self(Expected::OneOf(tags))).ok_or_else(malformed)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::of(&parts.headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sent: &str) -> u16 {
        let headers = HeaderMap::from_iter([(header::IF_MATCH, sent.parse().unwrap())]);
        let checked = IfMatch::of(&headers).and_then(|if_match| if_match.check(3));
        checked.map_or_else(|problem| problem.status().as_u16(), |()| 200)
    }

    #[test]
    fn a_change_needs_the_version_that_was_read_or_none() {
        assert!(IfMatch::of(&HeaderMap::new()).unwrap().check(3).is_ok());
        for (sent, status) in [
            ("\"3\"", 200),
            ("*", 200),
            ("\"2\", \"3\"", 200),
            ("\"2\"", 412),
            ("W/\"3\"", 412),
            ("\"abc\"", 412),
            ("3", 400),
            ("\"3", 400),
            ("", 400),
            ("\"3\"x", 400),
        ] {
            assert_eq!(check(sent), status, "{sent}");
        }
    }
}
