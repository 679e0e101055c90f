//! The table's stream in tests: rows before and after what a test does, as the records that a function's event source hands over.

use std::collections::{BTreeMap, HashMap};

use aws_lambda_events::dynamodb::EventRecord;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_dynamo::Item;
use serde_json::Value;

use crate::aws::noon;
use crate::{Aws, template};

/// Rows by their keys.
pub type Rows = BTreeMap<(String, String), Item>;

pub async fn rows(aws: &Aws) -> Rows {
    let scanned = aws.dynamodb().scan().table_name(aws.table()).send().await;
    let rows = scanned.expect("the table answers").items.unwrap_or_default();
    let text = |row: &HashMap<String, AttributeValue>, name: &str| row[name].as_s().expect("a text").clone();
    rows.into_iter()
        .map(|row| ((text(&row, "pk"), text(&row, "sk")), row.into()))
        .collect()
}

/// A change as the stream delivers it. Sequence numbers grow across a change of their length.
pub fn record(sequence: usize, before: Item, after: Item) -> EventRecord {
    let mut record = EventRecord::default();
    record.change.sequence_number = Some((99_999_999_999_999_990_u128 + sequence as u128).to_string());
    record.event_id = format!("{sequence:032x}");
    let (happened, row) = match (before.is_empty(), after.is_empty()) {
        (true, _) => ("INSERT", &after),
        (false, true) => ("REMOVE", &before),
        (false, false) => ("MODIFY", &after),
    };
    record.event_name = happened.to_owned();
    let key = |name: &str| Some((name.to_owned(), row.get(name)?.clone()));
    let keys: HashMap<_, _> = ["pk", "sk"].into_iter().filter_map(key).collect();
    record.change.keys = keys.into();
    record.change.approximate_creation_date_time = noon().to_string().parse().expect("a time of the event's kind");
    record.change.old_image = before;
    record.change.new_image = after;
    record
}

/// This record with an unreadable row instead.
pub fn broken_record(record: &EventRecord) -> EventRecord {
    let mut record = record.clone();
    let nonsense: HashMap<_, _> = [
        ("pk", "T#01m7wd7tg0qrwc8hmwa3n56www"),
        ("sk", "MSG#1"),
        ("kind", "message"),
        ("data", "nonsense"),
    ]
    .map(|(name, value)| (name.to_owned(), serde_dynamo::AttributeValue::S(value.to_owned())))
    .into();
    record.change.new_image = nonsense.into();
    record
}

/// The filter of a function's event source, by the template.
#[derive(Debug)]
pub struct Filter {
    patterns: Vec<Value>,
}

impl Filter {
    /// The filter of a function that follows the stream.
    pub fn of(function: &str) -> Self {
        let source = &template::function(function).resource["Properties"]["Events"]["Changes"]["Properties"];
        let filters = source["FilterCriteria"]["Filters"].as_array().expect("filters");
        assert!(filters.len() <= 4, "Lambda takes five: one is for a pattern to come");
        let pattern = |filter: &Value| serde_json::from_str(filter["Pattern"].as_str()?).ok();
        let patterns = filters.iter().map(|filter| pattern(filter).expect("a pattern is JSON"));
        Self {
            patterns: patterns.collect(),
        }
    }

    /// Whether the stream hands over this record: one of the patterns is enough.
    pub fn admits(&self, record: &EventRecord) -> bool {
        let event = serde_json::to_value(record).expect("a record is JSON");
        self.patterns.iter().any(|pattern| matches(pattern, Some(&event)))
    }

    /// The records of everything that changed between two looks at the table, as far as it admits them, numbered from here on.
    pub fn records(&self, first: usize, known: &Rows, now: &Rows) -> Vec<EventRecord> {
        let mut records = Vec::new();
        for (key, after) in now {
            let before = known.get(key);
            if before != Some(after) {
                let sequence = first + records.len();
                let record = record(sequence, before.cloned().unwrap_or_default(), after.clone());
                records.extend(Some(record).filter(|record| self.admits(record)));
            }
        }
        records
    }
}

/// Matches as Lambda's event filtering does: all fields of an object, any entry of a list.
fn matches(pattern: &Value, value: Option<&Value>) -> bool {
    match pattern {
        Value::Object(fields) => fields
            .iter()
            .all(|(name, pattern)| matches(pattern, value.and_then(|value| value.get(name)))),
        Value::Array(choices) => choices.iter().any(|choice| fits(choice, value)),
        other => panic!("{other} is no pattern"),
    }
}

/// An entry of a list: a literal, or one of the operators that the template uses.
fn fits(choice: &Value, value: Option<&Value>) -> bool {
    let Some(rule) = choice.as_object() else {
        return value == Some(choice);
    };
    let prefix = rule.get("prefix").and_then(Value::as_str);
    let exists = rule.get("exists").and_then(Value::as_bool);
    match (prefix, exists) {
        (Some(prefix), None) => value
            .and_then(Value::as_str)
            .is_some_and(|text| text.starts_with(prefix)),
        // On AWS it holds for leaves only.
        (None, Some(wanted)) => value.is_some_and(|value| !value.is_object()) == wanted,
        _ => panic!("{choice}: this operator is not known here"),
    }
}
