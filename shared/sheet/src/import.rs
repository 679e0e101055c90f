//! Settings of an import.

use domain::people::{ConsentOf, ConsentStatement, Field, ImportMode, Profile};
use domain::tenants::Region;
use domain::terms::{Fault, FaultCode, FieldProblem, ImportId, TagId, UpTo};
use serde::{Deserialize, Serialize};

use crate::dialect::Known;
use crate::mapping::Mapping;

/// Settings of an import, except its mapping.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Treatment of rows about people who are contacts already.
    #[serde(default)]
    pub mode: ImportMode,
    /// Country of numbers without a country code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    #[serde(default, skip_serializing_if = "UpTo::is_empty")]
    pub tags: UpTo<{ Profile::MAX_TAGS }, TagId>,
    /// Whether tags that do not exist are created. Otherwise, they are left out.
    #[serde(default)]
    pub create_tags: bool,
    /// Statement that people agreed to messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<ConsentStatement>,
}

/// Parameters of the operation `import_contacts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportContacts {
    pub import: ImportId,
    /// Tag of the file, which changes with its content.
    pub etag: String,
    /// Form of the table. Nothing is left to be detected, except the names of the columns.
    pub table: Known,
    /// Meaning of the columns.
    pub mapping: Mapping,
    #[serde(flatten)]
    pub settings: Settings,
    /// Whether rows are only counted.
    #[serde(default)]
    pub dry_run: bool,
}

impl Settings {
    /// Problems of the settings, with this mapping of a table with this number of columns. Empty: none.
    pub fn problems(&self, mapping: &Mapping, columns: usize, fields: &[Field]) -> Vec<FieldProblem> {
        let mut problems = mapping.problems(columns, fields);
        for problem in &mut problems {
            problem.field = format!("mapping.{}", problem.field);
        }
        let says = mapping.columns.iter().any(|column| column.target.opts_in());
        match &self.consent {
            None if says => {
                let detail =
                    "A column says who agreed to messages. State how they agreed, or do not import the column.";
                problems.push(FieldProblem::new("consent", Fault::new(FaultCode::Required, detail)));
            }
            Some(statement) if !says && statement.of == ConsentOf::Column => {
                let detail = "No column says who agreed to messages. Choose one for `opted_in`, `opted_in_sms`, `opted_in_whatsapp` or `opted_in_at`, or state it for `all_rows`.";
                let columns = ["opted_in", "opted_in_sms", "opted_in_whatsapp", "opted_in_at"];
                let fault = Fault::requires(&columns, detail);
                problems.push(FieldProblem::new("consent.of", fault));
            }
            _ => {}
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use domain::terms::Data;
    use serde_json::{from_value, json};

    use super::*;
    use crate::bounds::MAX_COLUMNS;

    fn settings(consent: &serde_json::Value) -> Settings {
        from_value(json!({ "consent": consent })).unwrap()
    }

    fn problems(settings: &Settings, targets: &[&str]) -> Vec<String> {
        let columns = targets.iter().enumerate();
        let columns: Vec<_> = columns
            .map(|(column, target)| json!({"column": column, "target": target}))
            .collect();
        let mapping: Mapping = from_value(json!({ "columns": columns })).unwrap();
        let problems = settings.problems(&mapping, 3, &[]);
        problems.into_iter().map(|problem| problem.field).collect()
    }

    #[test]
    fn consent_needs_a_statement_and_a_statement_its_column() {
        let none: [&str; 0] = [];
        let by_column = settings(&json!({"evidence": "the till"}));
        let of_all = settings(&json!({"of": "all_rows", "evidence": "the till"}));
        assert_eq!(problems(&Settings::default(), &["name"]), none);
        for target in ["opted_in", "opted_in_sms", "opted_in_whatsapp", "opted_in_at"] {
            assert_eq!(
                problems(&Settings::default(), &["name", target]),
                ["consent"],
                "{target}"
            );
        }
        let refuses = ["name", "opted_out_sms", "opted_out_whatsapp"];
        assert_eq!(problems(&Settings::default(), &refuses), none, "a refusal needs none");
        assert_eq!(problems(&by_column, &refuses), ["consent.of"]);
        assert_eq!(problems(&by_column, &["name", "opted_in_at"]), none);
        assert_eq!(problems(&by_column, &["name"]), ["consent.of"]);
        assert_eq!(problems(&of_all, &["name"]), none);
        assert_eq!(problems(&of_all, &["tags"]), ["mapping.columns"]);
    }

    /// The widest mapping with the longest names still fits into an operation.
    #[test]
    fn largest_parameters_fit_into_an_operation() {
        let field = |place: usize| format!("a{place:0>39}");
        let columns = (0..MAX_COLUMNS).map(|column| {
            let target = match column {
                0..50 => json!({ "field": field(column) }),
                _ => json!("tags"),
            };
            json!({"column": column, "target": target})
        });
        let tags: Vec<TagId> = (0..20).map(|id| TagId::new(ulid::Ulid::from_parts(id, 0))).collect();
        let params: ImportContacts = from_value(json!({
            "import": ImportId::new(ulid::Ulid::from_parts(1, 0)), "etag": "\"0123456789abcdef0123456789abcdef-12\"",
            "table": {"encoding": "windows-1256", "separator": "semicolon", "header": true},
            "mapping": {"columns": columns.collect::<Vec<_>>(), "dates": "month_first", "decimals": "comma", "currency": "AED"},
            "mode": "update", "region": "AE", "tags": tags, "create_tags": true,
            "consent": {"of": "all_rows", "evidence": "ن".repeat(500), "on": "2026-11-20", "channel": "whatsapp",
                "category": "marketing", "wording": {"text": "ن".repeat(1_000), "version": "1"}},
            "dry_run": true,
        }))
        .unwrap();
        let data = Data::of(&params).unwrap();
        assert_eq!(data.read::<ImportContacts>().unwrap(), params);
    }
}
