//! Responses of handlers.

use std::borrow::Cow;

use axum::{
    Json,
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use kit::Problem;
use serde::Serialize;
use store::{Page, Versioned};
use utoipa::{
    __dev::ComposeSchema,
    ToSchema,
    openapi::{ArrayBuilder, ObjectBuilder, Ref, RefOr, Schema, Type, schema::SchemaType},
};

use crate::{
    document::{Answer, AnswerHeader, Argument, Entry},
    paging,
};

fn etag(version: u64) -> HeaderValue {
    // Digits in quotes are always a header's value.
    HeaderValue::from_str(&format!("\"{version}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

const ETAG: AnswerHeader = ("ETag", "Version of the resource");

const LOCATION: AnswerHeader = ("Location", "Path of the new resource");

/// 200 with the version as `ETag`.
#[derive(Debug, Clone)]
pub struct Tagged<T> {
    /// Version.
    pub version: u64,
    /// Body.
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

impl<T> Answer for Tagged<T> {
    const HEADERS: &'static [AnswerHeader] = &[ETAG];
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
    /// Version.
    pub version: u64,
    /// Body.
    pub body: T,
}

impl<T> Answer for Created<T> {
    const HEADERS: &'static [AnswerHeader] = &[ETAG, LOCATION];
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

/// 204.
#[derive(Debug, Clone, Copy)]
pub struct NoContent;

impl Answer for NoContent {}

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

/// 200 with a page of a list.
#[derive(Debug, Clone, Serialize)]
pub struct Listed<T> {
    /// Items.
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

// The derived ones would repeat the items' schema within each list's.
impl<T: ToSchema> ComposeSchema for Listed<T> {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        let items = ArrayBuilder::new()
            .items(Ref::from_schema_name(T::name()))
            .description(Some("Items of this page."));
        let next_cursor = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .description(Some("Value of `cursor` for the next page. `null` on the last page."));
        ObjectBuilder::new()
            .description(Some("A page of a list."))
            .property("items", items)
            .required("items")
            .property("next_cursor", next_cursor)
            .required("next_cursor")
            .into()
    }
}

impl<T: ToSchema> ToSchema for Listed<T> {
    fn name() -> Cow<'static, str> {
        "Listed".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

impl<T> Answer for Listed<T> {}

impl<T: Serialize> IntoResponse for Listed<T> {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}

/// An answer with a secret that is shown once, so it is not stored for repeated requests with the same idempotency key.
#[derive(Debug, Clone, Copy)]
pub struct Once<R>(pub R);

impl<R: Answer> Answer for Once<R> {
    const HEADERS: &'static [AnswerHeader] = R::HEADERS;
}

/// Marks such an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ShownOnce;

impl<R: IntoResponse> IntoResponse for Once<R> {
    fn into_response(self) -> Response {
        let mut response = self.0.into_response();
        response.extensions_mut().insert(ShownOnce);
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

    fn of(headers: &HeaderMap) -> Result<Self, Problem> {
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

impl Argument for IfMatch {
    fn describe(entry: &mut Entry) {
        let description = "`ETag` of the version that you read. The change is refused (412) if somebody has changed the resource since.";
        entry.header_parameter("If-Match", description, "\"3\"");
        entry.takes_if_match();
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
