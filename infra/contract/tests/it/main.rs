//! Tests of the contract as a whole.

mod accepted;
mod current;
mod described;
mod problems;
mod schemas;

use contract::Operation;
use serde_json::Value;

/// Reports all defects at once.
#[track_caller]
fn assert_no_findings(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} findings:\n{}", wrong.len(), wrong.join("\n"));
}

/// The items of a list in a value.
fn items_of<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value[key].as_array().into_iter().flatten()
}

/// The members of an object in a value.
fn members<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
    value[key].as_object().into_iter().flatten()
}

/// The bodies of a request by their content types.
fn bodies<'a>(operation: &Operation<'a>) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
    members(&operation.value["requestBody"], "content")
}
