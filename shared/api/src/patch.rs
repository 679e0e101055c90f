//! Changes as JSON merge patches (RFC 7396).

mod fields;

use std::marker::PhantomData;

use axum::extract::{FromRequest, Request};
use domain::accounts::permits::Permit;
use domain::terms::{Fault, FaultCode};
use kit::Problem;
use kit::http::LARGEST_PATCH;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::body;
use crate::guards::Allowed;

pub(crate) const TYPES: [&str; 2] = ["application/merge-patch+json", "application/json"];

/// Maximum number of members of an object in a patch: twice the size of our largest map, to empty and refill it.
const MAX_MEMBERS: usize = 100;

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
        let changes = body::members(&bytes)?;
        refuse_crowded(&changes, &mut Vec::new())?;
        Ok(Self {
            changes: Value::Object(changes),
            of: PhantomData,
        })
    }
}

/// Limits objects that are merged. Lists are replaced as a whole and have limits of their own.
fn refuse_crowded<'a>(changes: &'a Map<String, Value>, at: &mut Vec<&'a str>) -> Result<(), Problem> {
    if changes.len() > MAX_MEMBERS {
        let detail = format!("Expected at most {MAX_MEMBERS} members, got {}.", changes.len());
        return Err(Problem::field(at.join("."), Fault::too_many(MAX_MEMBERS, detail)));
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

impl<T: Serialize + DeserializeOwned> Patch<T> {
    /// Whether it names this field.
    pub fn names(&self, field: &str) -> bool {
        self.changes.get(field).is_some()
    }

    /// Refuses a callback that names other fields than these. What a receiver of events may change is not all that its key may.
    ///
    /// # Errors
    /// 403 that names the fields.
    pub fn refuse_callback_beyond<P: Permit>(&self, who: &Allowed<P>, fields: &[&str]) -> Result<(), Problem> {
        let names = self.changes.as_object().into_iter().flat_map(Map::keys);
        let is_beyond = names.into_iter().any(|name| !fields.contains(&name.as_str()));
        if who.principal().run().is_none() || !is_beyond {
            return Ok(());
        }
        let detail = format!("A callback changes only `{}` here.", fields.join("`, `"));
        Err(Problem::forbidden(detail))
    }

    /// `current` with the changes applied, parsed as if it had been sent as a whole.
    ///
    /// # Errors
    /// 422 that names the fields.
    pub fn apply(&self, current: &T) -> Result<T, Problem> {
        let mut merged = serde_json::to_value(current).map_err(|_| Problem::internal())?;
        merge(&mut merged, &self.changes);
        let Value::Object(members) = merged else {
            return Err(Problem::internal());
        };
        let after = body::read(&members).map_err(|error| body::and_more::<T>(error, members.clone()))?;
        let merged = Value::Object(members);
        // Removing a field that does not exist changes nothing, so it would pass: but whoever does it is mistaken.
        match fields::unknown::<T>(&merged, &self.changes) {
            Some(field) => Err(Problem::field(field, Fault::new(FaultCode::Unknown, "Unknown field."))),
            None => Ok(after),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Shop {
        name: domain::terms::OneLine<1, 5>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hint: Option<String>,
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
            name: "Old".parse().unwrap(),
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
        assert_eq!(apply(json!({})).unwrap().name.as_str(), "Old");
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
