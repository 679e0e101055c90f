//! Changes as JSON merge patches (RFC 7396).

mod fields;

use std::marker::PhantomData;

use axum::extract::{FromRequest, Request};
use garde::Validate;
use kit::{Problem, http::LARGEST_PATCH};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use utoipa::{
    ToSchema,
    openapi::{ContentBuilder, Required, request_body::RequestBodyBuilder},
};

use crate::{
    body,
    document::{Argument, Entry},
};

const TYPES: [&str; 2] = ["application/merge-patch+json", "application/json"];

/// Maximum number of members of an object in a patch: twice that of our largest map, to empty and refill it.
const MOST_MEMBERS: usize = 100;

/// A change of some fields: given fields are replaced, fields with `null` are removed, all others stay.
#[derive(Debug, Clone)]
pub struct Patch<T> {
    changes: Value,
    of: PhantomData<fn() -> T>,
}

impl<S: Send + Sync, T> FromRequest<S> for Patch<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let bytes = body::bytes_of_type(request, &TYPES, LARGEST_PATCH).await?;
        let changes: Map<String, Value> = body::parse(&bytes)?;
        refuse_crowded(&changes, &mut Vec::new())?;
        Ok(Self {
            changes: Value::Object(changes),
            of: PhantomData,
        })
    }
}

/// Limits objects that are merged. Lists are replaced as a whole and have limits of their own.
fn refuse_crowded<'a>(changes: &'a Map<String, Value>, at: &mut Vec<&'a str>) -> Result<(), Problem> {
    if changes.len() > MOST_MEMBERS {
        let detail = format!("Expected at most {MOST_MEMBERS} members, got {}.", changes.len());
        return Err(Problem::field(at.join("."), detail));
    }
    for (name, change) in changes {
        if let Value::Object(deeper) = change {
            at.push(name);
            refuse_crowded(deeper, at)?;
            at.pop();
        }
    }
    Ok(())
}

impl<T: Serialize + DeserializeOwned + Validate<Context = ()>> Patch<T> {
    /// `current` with the changes applied, parsed and validated as if it had been sent as a whole.
    ///
    /// # Errors
    /// 422 that names the fields.
    pub fn apply(&self, current: &T) -> Result<T, Problem> {
        let mut merged = serde_json::to_value(current).map_err(|_| Problem::internal())?;
        merge(&mut merged, &self.changes);
        let after = body::valid(read(&merged)?)?;
        // Removing a field that does not exist changes nothing, so it would pass: but whoever does it is mistaken.
        match fields::unknown::<T>(&merged, &self.changes) {
            Some(field) => Err(Problem::field(field, "Unknown field.")),
            None => Ok(after),
        }
    }
}

fn read<T: DeserializeOwned>(value: &Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(value)
        .map_err(|error| body::wrong_field(&error.path().to_string(), &error.inner().to_string()))
}

/// Merges as RFC 7396 says.
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

impl<T: ToSchema + 'static> Argument for Patch<T> {
    fn describe(entry: &mut Entry) {
        let schema = entry.patch_schema::<T>();
        let mut body = RequestBodyBuilder::new()
            .description(Some(
                "A JSON merge patch (RFC 7396): given fields are replaced, `null` removes a field, all others stay.",
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
            (json!({"hint": null, "hours": {"to": null, "more": null}}), "hours.more"),
            (json!({"hours": {"from": "nine"}}), "hours.from"),
            (json!({"name": null}), "name"),
            (json!({"name": "too long"}), "name"),
        ] {
            assert_eq!(apply(changes.clone()).unwrap_err()["field"], field, "{changes}");
        }
    }
}
