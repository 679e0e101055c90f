//! Changes as JSON merge patches (RFC 7396).

use std::marker::PhantomData;

use axum::extract::{FromRequest, Request};
use garde::Validate;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use utoipa::{
    ToSchema,
    openapi::{ContentBuilder, Required, request_body::RequestBodyBuilder},
};

use super::{
    body,
    document::{Argument, Entry},
};
use crate::{Problem, problem::FieldError};

const TYPES: [&str; 2] = ["application/merge-patch+json", "application/json"];

/// A change of some fields: those that are there are replaced, those that are `null` removed, the others stay.
#[derive(Debug, Clone)]
pub struct Patch<T> {
    changes: Value,
    of: PhantomData<fn() -> T>,
}

impl<S: Send + Sync, T> FromRequest<S> for Patch<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let bytes = body::bytes_of_type(request, &TYPES).await?;
        let changes: Map<String, Value> = body::parse(&bytes)?;
        Ok(Self {
            changes: Value::Object(changes),
            of: PhantomData,
        })
    }
}

impl<T: Serialize + DeserializeOwned + Validate<Context = ()>> Patch<T> {
    /// What `current` is with the changes, read and checked as if it had been sent whole.
    ///
    /// # Errors
    /// 422 that names the fields.
    pub fn apply(&self, current: &T) -> Result<T, Problem> {
        let current = serde_json::to_value(current).map_err(|_| Problem::internal())?;
        let mut merged = current;
        merge(&mut merged, &self.changes);
        self.refuse_unknown(&merged)?;
        body::valid(read(merged)?)
    }

    /// Removing a field that does not exist changes nothing, so it would pass: but whoever does it is mistaken.
    fn refuse_unknown(&self, merged: &Value) -> Result<(), Problem> {
        let mut removed = Vec::new();
        collect_nulls(&self.changes, &mut Vec::new(), &mut removed);
        for path in removed {
            let mut probe = merged.clone();
            put_null(&mut probe, &path);
            let Err((_, message)) = read_or_message::<T>(probe) else {
                continue;
            };
            let named = message
                .strip_prefix(body::UNKNOWN_FIELD)
                .and_then(|rest| rest.split_once('`'));
            if let (Some((name, _)), Some(last)) = (named, path.last())
                && name == *last
            {
                return Err(Problem::fields(vec![FieldError {
                    field: path.join("."),
                    detail: "There is no such field.".to_owned(),
                }]));
            }
        }
        Ok(())
    }
}

fn read_or_message<T: DeserializeOwned>(value: Value) -> Result<T, (String, String)> {
    serde_path_to_error::deserialize(value).map_err(|error| (error.path().to_string(), error.inner().to_string()))
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    read_or_message(value).map_err(|(path, message)| body::wrong_field(&path, &message))
}

/// Reads and checks what a body held, as [`super::Body`] does: for bodies of several kinds, whose kind is told by a field.
///
/// # Errors
/// 422 that names the fields.
pub fn checked<T: DeserializeOwned + Validate<Context = ()>>(value: Value) -> Result<T, Problem> {
    body::valid(read(value)?)
}

/// RFC 7396.
fn merge(target: &mut Value, changes: &Value) {
    let Value::Object(changes) = changes else {
        *target = changes.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(fields) = target else {
        return;
    };
    for (name, change) in changes {
        if change.is_null() {
            fields.remove(name);
        } else {
            merge(fields.entry(name.clone()).or_insert(Value::Null), change);
        }
    }
}

fn collect_nulls<'a>(changes: &'a Value, at: &mut Vec<&'a str>, found: &mut Vec<Vec<&'a str>>) {
    let Value::Object(changes) = changes else {
        return;
    };
    for (name, change) in changes {
        at.push(name);
        if change.is_null() {
            found.push(at.clone());
        } else {
            collect_nulls(change, at, found);
        }
        at.pop();
    }
}

fn put_null(target: &mut Value, path: &[&str]) {
    let Some((last, before)) = path.split_last() else {
        return;
    };
    let mut at = target;
    for name in before {
        let Some(next) = at.get_mut(*name) else {
            return;
        };
        at = next;
    }
    if let Value::Object(fields) = at {
        fields.insert((*last).to_owned(), Value::Null);
    }
}

impl<T: ToSchema + 'static> Argument for Patch<T> {
    fn describe(entry: &mut Entry) {
        let schema = entry.patch_schema::<T>();
        let mut body = RequestBodyBuilder::new()
            .description(Some(
                "A JSON merge patch (RFC 7396): fields that are there are replaced, `null` removes a field, the others stay.",
            ))
            .required(Some(Required::True));
        for content_type in TYPES {
            let content = ContentBuilder::new().schema(Some(schema.clone())).build();
            body = body.content(content_type, content);
        }
        entry.takes_body(body.build());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Debug, PartialEq, Serialize, Deserialize, Validate)]
    #[serde(deny_unknown_fields)]
    struct Shop {
        #[garde(length(chars, min = 1, max = 5))]
        name: String,
        #[garde(skip)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hint: Option<String>,
        #[garde(skip)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hours: Option<Hours>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Hours {
        from: u8,
        #[serde(default)]
        to: Option<u8>,
    }

    fn apply(changes: Value) -> Result<Shop, Value> {
        let current = Shop {
            name: "Old".to_owned(),
            hint: Some("ring twice".to_owned()),
            hours: Some(Hours { from: 9, to: Some(17) }),
        };
        let patch = Patch {
            changes,
            of: PhantomData,
        };
        patch
            .apply(&current)
            .map_err(|problem| serde_json::to_value(problem).unwrap()["errors"][0].clone())
    }

    #[test]
    fn what_is_there_is_replaced_null_removes_and_the_rest_stays() {
        let changed = apply(json!({"name": "New", "hint": null, "hours": {"to": 18}})).unwrap();
        let hours = Hours { from: 9, to: Some(18) };
        assert_eq!(
            (changed.name.as_str(), changed.hint, changed.hours),
            ("New", None, Some(hours))
        );
        assert_eq!(apply(json!({})).unwrap().name, "Old");
        assert_eq!(
            apply(json!({"hours": {"to": null}})).unwrap().hours,
            Some(Hours { from: 9, to: None })
        );
    }

    #[test]
    fn what_is_wrong_after_the_change_is_named() {
        for (changes, field) in [
            (json!({"more": 1}), "more"),
            (json!({"more": null}), "more"),
            (json!({"hours": {"more": null}}), "hours.more"),
            (json!({"hours": {"from": "nine"}}), "hours.from"),
            (json!({"name": null}), "name"),
            (json!({"name": "too long"}), "name"),
        ] {
            assert_eq!(apply(changes.clone()).unwrap_err()["field"], field, "{changes}");
        }
    }
}
