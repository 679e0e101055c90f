//! Which column of a table is what of a contact.

use std::collections::HashSet;

use domain::money::Currency;
use domain::people::{Field, MAX_IDENTITIES};
use domain::terms::{Channel, Fault, FaultCode, FieldKey, FieldProblem, UpTo, Whole};
use serde::{Deserialize, Serialize};

use crate::bounds::{MAX_COLUMNS, MAX_PHONE_COLUMNS};

/// Which column of a table is what of a contact. Other columns are ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "ContactMapping")
)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Columns that are imported.
    #[serde(default, skip_serializing_if = "UpTo::is_empty")]
    pub columns: UpTo<MAX_COLUMNS, MappedColumn>,
    /// Order of day and month in dates such as 03/04/2026.
    #[serde(default)]
    pub dates: DateOrder,
    /// Decimal sign in numbers such as 1,500.
    #[serde(default)]
    pub decimals: DecimalSign,
    /// Currency of values that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
}

/// Order of day and month in dates such as 03/04/2026.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// 3 April.
    #[default]
    DayFirst,
    /// March 4.
    MonthFirst,
}

/// Sign before the decimal places in numbers such as 1.500 and 1,500.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DecimalSign {
    /// 1.500 is one and a half.
    #[default]
    Point,
    /// 1,500 is one and a half.
    Comma,
}

/// A column that is imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MappedColumn {
    /// The column; the first is 0.
    #[cfg_attr(feature = "schema", schemars(example = 0))]
    pub column: Whole<0, { MAX_COLUMNS as u32 - 1 }>,
    /// Meaning of its cells.
    pub target: Target,
}

impl MappedColumn {
    /// Index of the column.
    pub fn index(&self) -> usize {
        self.column.get() as usize
    }
}

/// Meaning of a column's cells.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = describe))]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Full name.
    Name,
    /// First part of the name.
    FirstName,
    /// Middle part of the name.
    MiddleName,
    /// Last part of the name.
    LastName,
    /// Telephone numbers, separated by `;`, `,` or line breaks. Up to 20 columns; a row has its first four numbers, in
    /// the order of the mapping.
    Phone,
    /// Calling code of the row's national telephone numbers, such as 971, or the two letters of its country.
    CountryCode,
    /// Country of the person: its two letters, its calling code or its name. The row's national telephone numbers are read in it if they fit.
    Country,
    /// E-mail addresses, separated by `;`, `,` or line breaks. Up to four columns.
    Email,
    /// Language.
    Language,
    /// Names of tags, separated by `;`, `,` or line breaks. A name with such a sign is in quotation marks. Several columns.
    Tags,
    /// A field of the tenant.
    Field(FieldKey),
    /// Name of a stage.
    Stage,
    /// E-mail address of the user who is responsible.
    Owner,
    /// Source of the lead.
    Source,
    /// Expected value of the lead.
    Value,
    /// Whether the person agreed to messages: yes, no or a word such as subscribed, unsubscribed, never or pending. By all channels, or by that
    /// of the import's `consent`.
    OptedIn,
    /// Whether the person agreed to SMS. Unsubscribed is their refusal of marketing by SMS.
    OptedInSms,
    /// Whether the person agreed to messages by WhatsApp. Unsubscribed is their refusal of marketing by WhatsApp.
    #[serde(rename = "opted_in_whatsapp")]
    OptedInWhatsApp,
    /// Whether the person unsubscribed from SMS. Yes is their refusal of marketing by SMS, and no says nothing.
    OptedOutSms,
    /// Whether the person unsubscribed from WhatsApp. Yes is their refusal of marketing by WhatsApp, and no says nothing.
    #[serde(rename = "opted_out_whatsapp")]
    OptedOutWhatsApp,
    /// Day of the person's agreement to messages.
    OptedInAt,
}

/// Meaning of a column of consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConsentColumn {
    /// The channel; `None`: those of the import.
    pub(crate) channel: Option<Channel>,
    /// Whether a yes refuses messages.
    pub(crate) opts_out: bool,
}

/// Describes the member of the only target that has one.
#[cfg(feature = "schema")]
fn describe(schema: &mut schemars::Schema) {
    let targets = schema.get_mut("oneOf").and_then(|all| all.as_array_mut());
    for target in targets.into_iter().flatten() {
        let field = target.pointer_mut("/properties/field");
        if let Some(field) = field.and_then(|field| field.as_object_mut()) {
            field.insert("description".to_owned(), "Key of a field of the tenant.".into());
        }
    }
}

impl Target {
    /// Whether a cell that cannot be read is left out, with a remark, instead of refusing its row.
    pub(crate) const fn is_optional(&self) -> bool {
        matches!(
            self,
            Self::CountryCode
                | Self::Country
                | Self::Language
                | Self::Field(_)
                | Self::Stage
                | Self::Owner
                | Self::Source
                | Self::Value
                | Self::OptedInAt
        ) || self.consent().is_some()
    }

    /// Meaning of cells of consent.
    pub(crate) const fn consent(&self) -> Option<ConsentColumn> {
        let (channel, opts_out) = match self {
            Self::OptedIn => (None, false),
            Self::OptedInSms => (Some(Channel::Sms), false),
            Self::OptedInWhatsApp => (Some(Channel::WhatsApp), false),
            Self::OptedOutSms => (Some(Channel::Sms), true),
            Self::OptedOutWhatsApp => (Some(Channel::WhatsApp), true),
            _ => return None,
        };
        Some(ConsentColumn { channel, opts_out })
    }

    /// The target of a channel's column of consent.
    pub(crate) const fn of_channel(channel: Channel, opts_out: bool) -> Self {
        match (channel, opts_out) {
            (Channel::Sms, false) => Self::OptedInSms,
            (Channel::Sms, true) => Self::OptedOutSms,
            (Channel::WhatsApp, false) => Self::OptedInWhatsApp,
            (Channel::WhatsApp, true) => Self::OptedOutWhatsApp,
        }
    }

    /// Whether its cells can say that somebody agreed.
    pub(crate) fn opts_in(&self) -> bool {
        *self == Self::OptedInAt || self.consent().is_some_and(|column| !column.opts_out)
    }

    /// Maximum columns with this target.
    pub fn maximum_columns(&self) -> usize {
        match self {
            Self::Phone => MAX_PHONE_COLUMNS,
            Self::Email => MAX_IDENTITIES,
            Self::Tags => MAX_COLUMNS,
            _ => 1,
        }
    }
}

impl Mapping {
    /// Whether a column has this target.
    pub fn has(&self, target: &Target) -> bool {
        self.columns.iter().any(|column| column.target == *target)
    }

    /// Problems of the mapping for a table with this number of columns. Empty: none.
    pub fn problems(&self, columns: usize, fields: &[Field]) -> Vec<FieldProblem> {
        let mut problems = Vec::new();
        let mut known = HashSet::new();
        let twice = |detail: &'static str| Fault::new(FaultCode::GivenTwice, detail);
        for (index, mapped) in self.columns.iter().enumerate() {
            let mut wrong = |field: &str, fault: Fault| {
                problems.push(FieldProblem::new(format!("columns[{index}].{field}"), fault));
            };
            if mapped.index() >= columns {
                let detail = format!("The table has {columns} columns, of which the first is 0. Choose one of them.");
                let fault = Fault::out_of_range(0_usize, columns.saturating_sub(1), detail);
                wrong("column", fault);
            } else if !known.insert(mapped.index()) {
                wrong(
                    "column",
                    twice("The column is already imported. Remove one of the two."),
                );
            }
            let before = self.columns.iter().take(index);
            let most = mapped.target.maximum_columns();
            if before.filter(|other| other.target == mapped.target).count() >= most {
                let too_many = || format!("At most {most} columns can be imported as this. Remove one.");
                let fault = match most {
                    1 => twice("Another column is already imported as this. Remove one of the two."),
                    _ => Fault::too_many(most, too_many()),
                };
                wrong("target", fault);
            }
            if let Target::Field(key) = &mapped.target
                && !fields.iter().any(|field| field.key == *key)
            {
                let detail = "There is no such field. Create it first, or remove the column.";
                wrong("target", Fault::new(FaultCode::NotFound, detail));
            }
        }
        let parts = [Target::FirstName, Target::MiddleName, Target::LastName];
        let parts = parts.iter().any(|part| self.has(part));
        if self.has(&Target::Name) && parts {
            let detail =
                "A name is imported either from one column or from its parts. Remove the full name or its parts.";
            let fault = Fault::new(FaultCode::Excludes, detail);
            problems.push(FieldProblem::new("columns", fault));
        }
        let identities = [Target::Name, Target::Phone, Target::Email];
        if !parts && !identities.iter().any(|target| self.has(target)) {
            let detail =
                "A contact needs a name, a telephone number or an e-mail address. Choose a column for one of them.";
            let fault = Fault::requires(&["name", "phone", "email"], detail);
            problems.push(FieldProblem::new("columns", fault));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn problems(mapping: Value) -> Vec<String> {
        let mapping: Mapping = from_value(mapping).unwrap();
        let field = json!({"id": "fld_00000000000000000000000001", "key": "level", "name": "Level", "type": "text"});
        let problems = mapping.problems(6, &[from_value(field).unwrap()]);
        problems.into_iter().map(|problem| problem.field).collect()
    }

    fn columns(targets: &[Value]) -> Value {
        let columns = targets.iter().enumerate();
        let columns: Vec<Value> = columns
            .map(|(column, target)| json!({"column": column, "target": target}))
            .collect();
        json!({ "columns": columns })
    }

    #[test]
    fn targets_fit_the_table_and_each_other() {
        let none: [&str; 0] = [];
        let mut good = ["name", "phone", "phone", "tags", "tags"].map(Value::from).to_vec();
        good.push(json!({"field": "level"}));
        assert_eq!(problems(columns(&good)), none);
        assert_eq!(problems(columns(&[json!("first_name"), json!("last_name")])), none);
        for (targets, expected) in [
            (vec![json!("name"), json!("name")], "columns[1].target"),
            (vec![json!("name"), json!("last_name")], "columns"),
            (vec![json!("tags")], "columns"),
            (vec![json!("name"), json!({"field": "colour"})], "columns[1].target"),
            (vec![json!("email"); 5], "columns[4].target"),
        ] {
            assert_eq!(problems(columns(&targets)), [expected], "{targets:?}");
        }
        let twice = json!({"columns": [{"column": 0, "target": "name"}, {"column": 0, "target": "phone"}]});
        assert_eq!(problems(twice), ["columns[1].column"]);
        let beyond = json!({"columns": [{"column": 6, "target": "name"}]});
        assert_eq!(problems(beyond), ["columns[0].column"]);
    }

    #[test]
    fn a_mapping_is_bounded_and_read_again() {
        let mapping = json!({
            "columns": [{"column": 0, "target": "name"}, {"column": 3, "target": {"field": "level"}}],
            "dates": "month_first", "decimals": "comma", "currency": "AED",
        });
        let read: Mapping = from_value(mapping.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), mapping);
        assert_eq!(from_value::<Mapping>(json!({})).unwrap(), Mapping::default());
        for wrong in [
            json!({"columns": [{"column": 200, "target": "name"}]}),
            json!({"columns": [{"column": 0, "target": "note"}]}),
            json!({"columns": [{"column": 0, "target": {"field": "No key"}}]}),
            json!({"columns": vec![json!({"column": 0, "target": "tags"}); 201]}),
            json!({"currency": "aed"}),
            json!({"other": 1}),
        ] {
            assert!(from_value::<Mapping>(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
