//! Bodies, paths and queries of requests, parsed before a handler sees them. Values of their types are valid.

use std::collections::BTreeSet;

use axum::body::{self, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header;
use axum::http::request::Parts;
use domain::terms::{Fact, Fault, FaultCode};
use kit::Problem;
use kit::http::LARGEST_OF_API;
use kit::problem::FieldError;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::query::{PAGING, Takes, pairs};

/// A JSON body. `T` refuses unknown fields, and the types of its fields refuse values that they cannot hold.
///
/// Refuses another content type (415), more than 1 MB (413), anything that is not JSON (400), and wrong, unknown or missing
/// fields (422). Each field of the body itself is named once.
#[derive(Debug, Clone, Copy)]
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let bytes = bytes_of_type(request, &["application/json"], LARGEST_OF_API).await?;
        checked_bytes(&bytes).map(Self)
    }
}

fn checked_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    parse(bytes).map_err(|found| match found {
        Wrong::Json(problem) => problem,
        Wrong::Field(error) => match serde_json::from_slice(bytes) {
            Ok(Value::Object(members)) => and_more::<T>(error, members),
            _ => Problem::fields(vec![error]),
        },
    })
}

/// Maximum number of further fields that are looked at. Each takes one more pass over the body.
const MAX_MORE: usize = 9;

/// The problem with all wrong fields: without the field that was found wrong, the next one is found, until a field is missing.
pub(crate) fn and_more<T: DeserializeOwned>(first: FieldError, mut members: Map<String, Value>) -> Problem {
    let sent: BTreeSet<_> = members.keys().cloned().collect();
    let mut errors = vec![first];
    while let Some(found) = errors.last().filter(|_| errors.len() <= MAX_MORE) {
        let own = found.field.split(['.', '[']).next().unwrap_or_default();
        if members.remove(own).is_none() {
            break;
        }
        // A field that was sent is missing only because it was taken out.
        let next = read::<T>(&members).err();
        let next = next.filter(|error| !sent.contains(&error.field) || members.contains_key(&error.field));
        match next {
            Some(error) => errors.push(error),
            None => break,
        }
    }
    Problem::fields(errors)
}

/// Parses a value that is JSON already.
pub(crate) fn read<T: DeserializeOwned>(members: &Map<String, Value>) -> Result<T, FieldError> {
    serde_path_to_error::deserialize(members)
        .map_err(|error| wrong_field(&error.path().to_string(), &error.inner().to_string()))
}

/// The body's bytes, if it has one of these content types and is not too large.
pub(crate) async fn bytes_of_type(request: Request, types: &[&str], most: usize) -> Result<Bytes, Problem> {
    let sent = request.headers().get(header::CONTENT_TYPE);
    let sent = sent.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = sent.split(';').next().unwrap_or_default().trim();
    if !types.iter().any(|expected| essence.eq_ignore_ascii_case(expected)) {
        return Err(Problem::wrong_content_type(types.first().copied().unwrap_or_default()));
    }
    bytes(request.into_body(), most).await
}

/// The body's bytes, up to this number.
pub(crate) async fn bytes(body: body::Body, most: usize) -> Result<Bytes, Problem> {
    // It is in memory already, so this fails for its size only.
    let whole = body::to_bytes(body, most).await;
    whole.map_err(|_| Problem::larger_than(most))
}

/// Reason why a body cannot be parsed.
#[derive(Debug)]
enum Wrong {
    Json(Problem),
    Field(FieldError),
}

impl From<Wrong> for Problem {
    fn from(wrong: Wrong) -> Self {
        match wrong {
            Wrong::Json(problem) => problem,
            Wrong::Field(error) => Self::fields(vec![error]),
        }
    }
}

/// Parses JSON as an object without a schema.
pub(crate) fn members(bytes: &[u8]) -> Result<Map<String, Value>, Problem> {
    Ok(parse(bytes)?)
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Wrong> {
    let no_json =
        |error: &serde_json::Error| Wrong::Json(Problem::bad_request(format!("The body is not JSON: {error}.")));
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let (path, inner) = (error.path().to_string(), error.inner());
        if inner.is_data() {
            Wrong::Field(wrong_field(&path, &inner.to_string()))
        } else if serde_json::from_slice::<&RawValue>(bytes).is_ok() {
            // serde_json reports null and numbers where a word is expected as broken JSON.
            Wrong::Field(wrong_field(&path, "expected another type"))
        } else {
            no_json(inner)
        }
    })?;
    deserializer.end().map_err(|error| no_json(&error))?;
    Ok(value)
}

/// Parses a body that was kept raw, for bodies of several kinds.
///
/// # Errors
/// 422 that names the fields.
pub fn parse_kept_body<T: DeserializeOwned>(kept: &RawValue) -> Result<T, Problem> {
    checked_bytes(kept.get().as_bytes())
}

/// The field of a serde error. The value sent is not repeated, because it may be a secret.
fn wrong_field(path: &str, message: &str) -> FieldError {
    let (field, fault) = explain(path, message);
    FieldError::new(field, fault)
}

fn explain(path: &str, message: &str) -> (String, Fault) {
    let path = if path == "." { "" } else { path };
    let message = message.rfind(" at line ").map_or(message, |end| &message[..end]);
    let named = |prefix: &str| message.strip_prefix(prefix)?.split_once('`');
    if let Some((name, _)) = named("missing field `") {
        (join(path, name), Fault::missing_field())
    } else if let Some((name, rest)) = named("unknown field `") {
        let fault = Fault::new(FaultCode::Unknown, sentence(&format!("unknown field{rest}")));
        (join(path, name), fault.and("expected", quoted_names(rest)))
    } else if let Some((name, _)) = named("duplicate field `") {
        let fault = Fault::new(FaultCode::GivenTwice, "This field is given twice.");
        (join(path, name), fault)
    } else if let Some(fault) = Fault::from_marked_text(message) {
        let detail = sentence(&fault.detail);
        (path.to_owned(), Fault { detail, ..fault })
    } else if let Some((_, expected)) = message.rsplit_once(", expected ") {
        // The struct's name says nothing to a caller.
        let expected = if expected.starts_with("struct ") {
            "an object"
        } else {
            expected
        };
        let detail = sentence(&format!("expected {expected}"));
        let fault = if message.starts_with("unknown variant ") {
            Fault::new(FaultCode::NotOneOf, detail).and("expected", quoted_names(expected))
        } else {
            Fault::new(FaultCode::WrongType, detail).and("expected", expected)
        };
        (path.to_owned(), fault)
    } else {
        (path.to_owned(), sentence(message).into())
    }
}

/// The names in a list of serde's: "one of `a`, `b`".
fn quoted_names(list: &str) -> Fact {
    list.split('`').skip(1).step_by(2).collect()
}

/// Path of a field. serde may or may not name the field of an error at the end of the path.
fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else if path == name || path.ends_with(&format!(".{name}")) {
        path.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().collect::<String>());
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{}{}{end}", first.unwrap_or_default(), letters.as_str())
}

/// Parameters of the path. An id of the wrong form or kind is not found (404).
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<S, T> FromRequestParts<S> for Path<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Send,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let found = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        found.map(|path| Self(path.0)).map_err(|_| Problem::not_found())
    }
}

/// Parameters of the query, without [`crate::Paging`]. `T` refuses unknown ones. Each wrong one is named (422).
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<S, T> FromRequestParts<S> for Query<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let paged = parts.extensions.get::<Takes>().is_some_and(|takes| takes.paging);
        let mut pairs = pairs(&parts.extensions)?;
        pairs.retain(|(name, _)| !(paged && PAGING.contains(&name.as_str())));
        from_pairs(&pairs).map(Self)
    }
}

/// Parses parameters into a struct.
pub(crate) fn from_pairs<T: DeserializeOwned>(pairs: &[(String, String)]) -> Result<T, Problem> {
    let written = serde_urlencoded::to_string(pairs).map_err(|_| Problem::internal())?;
    let deserializer = serde_urlencoded::Deserializer::new(form_urlencoded::parse(written.as_bytes()));
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let error = wrong_field(&error.path().to_string(), &error.inner().to_string());
        Problem::fields(vec![error])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only reading it matters")]
    struct Outer {
        name: String,
        lines: Vec<Inner>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only reading it matters")]
    struct Inner {
        number: u8,
    }

    fn wrong(text: &str) -> Value {
        let problem = Problem::from(parse::<Outer>(text.as_bytes()).unwrap_err());
        serde_json::to_value(problem).unwrap()
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only reading it matters")]
    struct Person {
        name: domain::accounts::PersonName,
        email: domain::terms::Email,
        places: Vec<u8>,
    }

    #[test]
    fn each_wrong_field_is_named_once() {
        use serde_json::json;

        for (body, fields) in [
            (
                json!({"name": "", "email": "x", "places": [1, "a", "b"], "more": 1}),
                vec!["email", "more", "name", "places[1]"],
            ),
            (json!({"name": "", "email": "a@b.example"}), vec!["name"]),
            (json!({"email": "x"}), vec!["email", "name"]),
            (json!({"places": []}), vec!["name"]),
        ] {
            let problem = checked_bytes::<Person>(body.to_string().as_bytes()).unwrap_err();
            let problem = serde_json::to_value(problem).unwrap();
            let errors = problem["errors"].as_array().unwrap().iter();
            let mut found: Vec<_> = errors.map(|error| error["field"].as_str().unwrap()).collect();
            found.sort_unstable();
            assert_eq!(found, fields, "{body}");
        }
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only reading it matters")]
    struct Shown {
        name: domain::terms::OneLine<1, 5>,
        role: domain::accounts::Role,
        hours: domain::terms::Whole<1, 168>,
        #[serde(default)]
        phones: domain::terms::UpTo<1, domain::terms::Phone>,
    }

    /// Includes refusals by the domain's own types.
    #[test]
    fn wrong_field_has_a_code_with_its_facts() {
        use serde_json::json;

        let fine = json!({"name": "Maya", "role": "admin", "hours": 1});
        for (field, value, code, facts) in [
            (
                "name",
                json!("Maya H."),
                "too_long",
                json!({"minimum": 1, "maximum": 5}),
            ),
            ("name", json!(" "), "too_short", json!({"minimum": 1, "maximum": 5})),
            ("name", json!("a\u{202e}b"), "invisible_characters", json!({})),
            ("name", json!(7), "wrong_type", json!({"expected": "a string"})),
            (
                "hours",
                json!(169),
                "out_of_range",
                json!({"minimum": 1, "maximum": 168}),
            ),
            (
                "role",
                json!("owner"),
                "not_one_of",
                json!({"expected": ["viewer", "agent", "manager", "admin"]}),
            ),
            (
                "phones",
                json!(["+971501234567", "+971501234568"]),
                "too_many",
                json!({"maximum": 1}),
            ),
            (
                "phones[0]",
                json!(["0501234567"]),
                "format",
                json!({"expected": "phone", "example": "+442079460000"}),
            ),
            (
                "more",
                json!(1),
                "unknown",
                json!({"expected": ["name", "role", "hours", "phones"]}),
            ),
        ] {
            let mut body = fine.clone();
            body[field.trim_end_matches("[0]")] = value;
            let problem = checked_bytes::<Shown>(body.to_string().as_bytes()).unwrap_err();
            let error = serde_json::to_value(problem).unwrap()["errors"][0].clone();
            assert_eq!(
                (&error["field"], &error["code"], &error["facts"]),
                (&field.into(), &code.into(), &facts)
            );
            let detail = error["detail"].as_str().unwrap();
            assert!(detail.ends_with('.') && !detail.contains(code), "{detail}");
        }
        let missing = checked_bytes::<Shown>(br#"{"name": "Maya", "role": "admin"}"#).unwrap_err();
        let missing = serde_json::to_value(missing).unwrap();
        assert_eq!(missing["errors"][0]["code"], "required");
        let twice = checked_bytes::<Shown>(br#"{"name": "Maya", "name": "Maya"}"#).unwrap_err();
        assert_eq!(serde_json::to_value(twice).unwrap()["errors"][0]["code"], "given_twice");
    }

    #[test]
    fn the_wrong_field_is_named_and_never_what_it_held() {
        for (text, field, detail) in [
            (r#"{"lines":[]}"#, "name", "This field is required."),
            (
                r#"{"name":"a","lines":[{"number":1},{}]}"#,
                "lines[1].number",
                "This field is required.",
            ),
            (
                r#"{"name":"a","lines":[{"number":"x, expected secret"}]}"#,
                "lines[0].number",
                "Expected u8.",
            ),
            (
                r#"{"name":"a","lines":[{"number":999}]}"#,
                "lines[0].number",
                "Expected u8.",
            ),
            (
                r#"{"name":"a","more":1}"#,
                "more",
                "Unknown field, expected `name` or `lines`.",
            ),
            (
                r#"{"name":"a","lines":[{"more":1}]}"#,
                "lines[0].more",
                "Unknown field, expected `number`.",
            ),
            (r#"{"name":"a","name":"b"}"#, "name", "This field is given twice."),
            ("[]", "", "Expected an object."),
        ] {
            let problem = wrong(text);
            assert_eq!(problem["status"], 422, "{text}");
            let errors = problem["errors"].as_array().unwrap();
            assert_eq!((errors.len(), &errors[0]["field"]), (1, &field.into()), "{text}");
            assert_eq!(errors[0]["detail"], detail, "{text}");
        }
        for text in ["", "{", "{\"name\":}", "nonsense"] {
            assert_eq!(wrong(text)["status"], 400, "{text}");
        }
    }
}
