//! Conditions on contacts as people write them, and the filter that they mean. A search writes them as a query, a segment stores them.
//!
//! Conditions name a field by its key, as everywhere in the API. What they mean follows from the definitions of the tenant's fields
//! at the time of use.

use serde::{Deserialize, Serialize};

use crate::people::{Day, Field, FieldType, FieldValue, Filter, Origin, Test, Written};
use crate::terms::{Fact, Fault, FaultCode, FieldId, FieldKey, FieldProblem, Language, StageId, TagId, UserId};

/// Conditions that contacts fulfil, all of them. None of them names a person: segments store them, and the erasure of a contact
/// does not search segments.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SegmentFilter"))]
#[serde(deny_unknown_fields)]
pub struct Conditions {
    /// Tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub tag: Option<TagId>,
    /// Key of a searchable field, for `value`, `from`, `to` or `day`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub field: Option<FieldKey>,
    /// Value of the field, whatever its case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub value: Option<Written>,
    /// Lowest value of the field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub from: Option<Written>,
    /// Highest value of the field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub to: Option<Written>,
    /// Day of any year, for a field of the type `date`, such as a birthday.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub day: Option<Day>,
    /// Stage of the lead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub stage: Option<StageId>,
    /// Responsible user. Only together with a condition that has a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub owner: Option<UserId>,
    /// Source of the lead, whatever its case. Only together with a condition that has a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = "Web form", extend("x-refers" = true)))]
    pub source: Option<Origin>,
    /// Language. Only together with a condition that has a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub language: Option<Language>,
}

impl Conditions {
    /// The conditions that can drive a search, for people.
    pub const DRIVERS: &'static str = "`tag`, `stage`, or `field` with `value`, `from`, `to` or `day`";

    /// The filter that they mean.
    ///
    /// # Errors
    /// The condition that cannot be understood with these definitions.
    pub fn filter(&self, definitions: &[Field]) -> Result<Filter, FieldProblem> {
        Ok(Filter {
            tag: self.tag,
            field: self.test(definitions)?,
            stage: self.stage,
            owner: self.owner,
            source: self.source.clone(),
            language: self.language.clone(),
            ..Filter::default()
        })
    }

    /// The condition on a field.
    fn test(&self, definitions: &[Field]) -> Result<Option<(FieldId, Test)>, FieldProblem> {
        let Some(key) = &self.field else {
            let given = [
                ("value", self.value.is_some()),
                ("from", self.from.is_some()),
                ("to", self.to.is_some()),
                ("day", self.day.is_some()),
            ];
            return match given.into_iter().find(|(_, given)| *given) {
                Some((name, _)) => {
                    let fault = Fault::requires(&["field"], "Say in `field` which field is meant.");
                    Err(FieldProblem::new(name, fault))
                }
                None => Ok(None),
            };
        };
        let Some(field) = definitions.iter().find(|field| field.key == *key && field.searchable) else {
            return Err(FieldProblem::new("field", not_searchable(definitions)));
        };
        let value = |name: &str, written: &Option<Written>| {
            let read = written.as_ref().map(|written| value(field, written));
            read.transpose().map_err(|fault| FieldProblem::new(name, fault))
        };
        let (equal, from, to) = (
            value("value", &self.value)?,
            value("from", &self.from)?,
            value("to", &self.to)?,
        );
        let test = match (equal, from, to, self.day) {
            (Some(value), None, None, None) => Test::Equals(value),
            (None, None, None, Some(_)) if field.kind != FieldType::Date => {
                let fault = Fault::new(FaultCode::NotApplicable, "Only a field of the type `date` has days.");
                return Err(FieldProblem::new("day", fault));
            }
            (None, None, None, Some(day)) => Test::OnDay(day),
            (None, None, None, None) => {
                let others = ["value", "from", "to", "day"];
                let fault = Fault::requires(&others, "Add `value`, `from`, `to` or `day`.");
                return Err(FieldProblem::new("field", fault));
            }
            (None, from, to, None) => Test::Between(from, to),
            _ => {
                let detail = "Send either `value`, or `day`, or `from` and `to`.";
                let fault = Fault::excludes(&["value", "from", "to", "day"], detail);
                return Err(FieldProblem::new("field", fault));
            }
        };
        Ok(Some((field.id, test)))
    }
}

fn not_searchable(definitions: &[Field]) -> Fault {
    let keys: Vec<&str> = definitions
        .iter()
        .filter(|field| field.searchable)
        .map(|field| field.key.as_str())
        .collect();
    let detail = if keys.is_empty() {
        "No field is searchable. Create one with `searchable`.".to_owned()
    } else {
        format!("Not a searchable field. Those are: {}.", keys.join(", "))
    };
    Fault::new(FaultCode::NotOneOf, detail).and("expected", keys.iter().collect::<Fact>())
}

/// The value of a field in a condition. A query has only texts, so a text can also be a number, or true or false.
fn value(field: &Field, written: &Written) -> Result<FieldValue, Fault> {
    let read = match (field.kind, written) {
        (FieldType::Number, Written::Text(text)) => text.as_str().parse().ok().map(Written::Number),
        (FieldType::YesNo, Written::Text(text)) => text.as_str().parse().ok().map(Written::YesNo),
        _ => None,
    };
    let value = field.value(read.as_ref().unwrap_or(written));
    value.map_err(|fault| {
        let detail = format!("The value {}.", fault.detail);
        Fault { detail, ..fault }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;
    use crate::people::Driver;
    use crate::samples::defined_field;

    fn definitions() -> Vec<Field> {
        vec![
            defined_field(1, "level", "choice", true),
            defined_field(2, "visits", "number", true),
            defined_field(3, "birthday", "date", true),
            defined_field(4, "vip", "yes_no", true),
            defined_field(5, "hidden", "text", false),
        ]
    }

    fn filter(conditions: Value) -> Result<Filter, FieldProblem> {
        let conditions: Conditions = from_value(conditions).unwrap();
        conditions.filter(&definitions())
    }

    #[test]
    fn a_value_is_a_json_value_or_its_text() {
        for (one, other) in [
            (
                json!({"field": "visits", "value": 7}),
                json!({"field": "visits", "value": "7"}),
            ),
            (
                json!({"field": "vip", "value": true}),
                json!({"field": "vip", "value": "true"}),
            ),
            (
                json!({"field": "visits", "from": -2.5}),
                json!({"field": "visits", "from": "-2.5"}),
            ),
        ] {
            let (one, other) = (filter(one).unwrap(), filter(other).unwrap());
            assert_eq!(one, other);
            assert!(one.field.is_some());
        }
        assert_eq!(
            filter(json!({"field": "level", "value": "gold"})),
            filter(json!({"field": "level", "value": "GOLD"}))
        );
    }

    #[test]
    fn a_condition_that_means_nothing_is_named() {
        for (conditions, wrong) in [
            (json!({"field": "hidden", "value": "x"}), "field"),
            (json!({"field": "nothing", "value": "x"}), "field"),
            (json!({"field": "level"}), "field"),
            (json!({"field": "level", "value": "Bronze"}), "value"),
            (json!({"field": "level", "day": "02-28"}), "day"),
            (json!({"field": "visits", "value": "many"}), "value"),
            (json!({"field": "visits", "to": true}), "to"),
            (json!({"field": "visits", "value": 1, "from": 2}), "field"),
            (json!({"value": "x"}), "value"),
            (json!({"day": "02-28"}), "day"),
        ] {
            assert_eq!(filter(conditions.clone()).unwrap_err().field, wrong, "{conditions}");
        }
        let detail = filter(json!({"field": "hidden", "value": "x"})).unwrap_err().detail;
        assert!(detail.ends_with("level, visits, birthday, vip."), "{detail}");
    }

    /// Nothing that names a person can be stored in a segment, and no segment can name another or itself.
    #[test]
    fn conditions_name_no_person_and_no_segment() {
        for (name, value) in [
            ("phone", "+971501234567"),
            ("email", "maya@example.com"),
            ("digits", "4567"),
            ("name", "maya"),
            ("segment", "seg_00000000000000000000000001"),
            ("deleted", "true"),
        ] {
            let error = from_value::<Conditions>(json!({ name: value }))
                .unwrap_err()
                .to_string();
            assert!(error.contains("unknown field"), "{error}");
        }
    }

    #[test]
    fn no_condition_means_all_contacts() {
        let all = filter(json!({})).unwrap().search().unwrap();
        assert_eq!(all.driver, Driver::All);
        for alone in [json!({"language": "ar"}), json!({"source": "Shop"})] {
            assert!(filter(alone).unwrap().search().is_none());
        }
        let conditions = json!({"language": "ar", "field": "birthday", "day": "02-28"});
        let search = filter(conditions).unwrap().search().unwrap();
        assert!(matches!(search.driver, Driver::OnDay(..)));
    }

    #[test]
    fn conditions_are_read_as_they_were_written() {
        let conditions = json!({
            "tag": "tag_00000000000000000000000001", "field": "visits", "from": 1, "to": 2.5,
            "stage": "stg_00000000000000000000000001", "owner": "usr_00000000000000000000000001", "source": "Web form",
            "language": "ar",
        });
        let read: Conditions = from_value(conditions.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), conditions);
        assert_eq!(serde_json::to_value(Conditions::default()).unwrap(), json!({}));
    }
}
