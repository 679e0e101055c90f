//! Metrics through CloudWatch's embedded metric format: counted in the process, written as log lines at the end of an
//! invocation. Every metric has the dimension `stage`, and one more set of dimensions where given. Never one that names a
//! tenant: each combination costs $0.30 a month.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};

use crate::Env;

/// Name of a metric and its further dimensions.
type Key = (&'static str, Vec<(&'static str, String)>);

static COUNTS: Mutex<BTreeMap<Key, u64>> = Mutex::new(BTreeMap::new());

/// Counts one.
pub fn count(name: &'static str, dimensions: &[(&'static str, &str)]) {
    add(name, 1, dimensions);
}

/// Counts several at once.
pub fn add(name: &'static str, number: u64, dimensions: &[(&'static str, &str)]) {
    let dimensions = dimensions
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect();
    let mut counts = COUNTS.lock().unwrap_or_else(PoisonError::into_inner);
    *counts.entry((name, dimensions)).or_default() += number;
}

/// Writes and forgets what was counted.
pub(crate) fn flush(env: &Env) {
    let counts = std::mem::take(&mut *COUNTS.lock().unwrap_or_else(PoisonError::into_inner));
    for ((name, dimensions), value) in counts {
        let at = env.clock().now().as_millisecond();
        println!("{}", line(at, env.stage().as_str(), name, &dimensions, value));
    }
}

fn line(at: i64, stage: &str, name: &str, dimensions: &[(&'static str, String)], value: u64) -> Value {
    let mut sets = vec![vec!["stage"]];
    if !dimensions.is_empty() {
        sets.push(
            std::iter::once("stage")
                .chain(dimensions.iter().map(|(name, _)| *name))
                .collect(),
        );
    }
    let mut fields = Map::new();
    fields.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": at,
            "CloudWatchMetrics": [{
                "Namespace": "Ringback",
                "Dimensions": sets,
                "Metrics": [{"Name": name, "Unit": "Count"}],
            }],
        }),
    );
    fields.insert("stage".to_owned(), stage.into());
    for (name, value) in dimensions {
        fields.insert((*name).to_owned(), value.as_str().into());
    }
    fields.insert(name.to_owned(), value.into());
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_use_the_embedded_metric_format() {
        let line = line(7, "dev", "webhook_refused", &[("provider", "twilio".to_owned())], 3);
        assert_eq!(
            line,
            json!({
                "_aws": {"Timestamp": 7, "CloudWatchMetrics": [{
                    "Namespace": "Ringback",
                    "Dimensions": [["stage"], ["stage", "provider"]],
                    "Metrics": [{"Name": "webhook_refused", "Unit": "Count"}],
                }]},
                "stage": "dev",
                "provider": "twilio",
                "webhook_refused": 3,
            })
        );
    }
}
