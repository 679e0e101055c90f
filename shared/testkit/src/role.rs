//! The permissions of a function's role at the table. A test's table has no roles, so each request that a function makes in its own
//! tests is compared with its role in `template.yaml`. Otherwise, a flow that only a test exercises would be refused only on AWS.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use aws_sdk_dynamodb::{
    config::{ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeSerializationInterceptorContextRef},
    error::BoxError,
    operation::{
        batch_get_item::BatchGetItemInput, batch_write_item::BatchWriteItemInput, delete_item::DeleteItemInput,
        get_item::GetItemInput, put_item::PutItemInput, query::QueryInput, scan::ScanInput,
        transact_get_items::TransactGetItemsInput, transact_write_items::TransactWriteItemsInput,
        update_item::UpdateItemInput,
    },
    types::AttributeValue,
};
use serde_json::Value;

use crate::template::{functions, policies, statements, texts};

/// One statement about the table.
#[derive(Debug)]
struct Statement {
    actions: Vec<&'static str>,
    /// `Table.Arn`, or an index of it.
    resources: Vec<&'static str>,
    /// None: all keys.
    partitions: Option<Vec<&'static str>>,
}

impl Statement {
    fn of(statement: &'static Value) -> Self {
        let partitions = &statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
        Self {
            actions: texts(&statement["Action"]),
            resources: texts(&statement["Resource"]),
            partitions: (!partitions.is_null()).then(|| texts(partitions)),
        }
    }

    fn allows(&self, asked: &Asked) -> bool {
        let partition = |key: &String| match &self.partitions {
            Some(patterns) => patterns.iter().any(|pattern| is_like(key, pattern)),
            None => true,
        };
        self.actions.contains(&asked.action)
            && self.resources.iter().any(|resource| *resource == asked.resource)
            && asked.keys.iter().all(partition)
    }
}

/// The statements of a role about the table.
#[derive(Debug)]
pub(crate) struct Role(Vec<Statement>);

impl Role {
    /// The role of the function whose tests are running; none in other tests.
    pub(crate) fn of_this_crate() -> Option<&'static Self> {
        static ROLE: OnceLock<Option<Role>> = OnceLock::new();
        let role = ROLE.get_or_init(|| {
            #[expect(clippy::disallowed_methods, reason = "how cargo tells a test program whose it is")]
            let own = std::env::var("CARGO_PKG_NAME").ok()?;
            let function = functions().into_iter().find(|function| function.name == own)?;
            Some(Self::of(policies(&function)))
        });
        role.as_ref()
    }

    fn of(policies: &'static [Value]) -> Self {
        let work = policies.iter().filter(|policy| policy["PolicyName"] == "work");
        let of_table = |statement: &Statement| statement.actions.iter().any(|action| action.starts_with("dynamodb:"));
        Self(work.flat_map(statements).map(Statement::of).filter(of_table).collect())
    }
}

/// Matches like IAM's `StringLike`: `*` is any text, `?` any character.
fn is_like(text: &str, pattern: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('*') => {
            let ends = text.char_indices().map(|(place, _)| place).chain([text.len()]);
            ends.into_iter().any(|place| is_like(&text[place..], rest.as_str()))
        }
        Some(sign) => {
            let mut signs = text.chars();
            let same = signs.next().is_some_and(|first| sign == '?' || sign == first);
            same && is_like(signs.as_str(), rest.as_str())
        }
    }
}

/// The permissions that a request needs: for one action and resource, all its partitions.
#[derive(Debug, PartialEq)]
struct Asked {
    action: &'static str,
    resource: String,
    keys: Vec<String>,
}

impl Asked {
    fn of<'a>(action: &'static str, partitions: impl IntoIterator<Item = Option<&'a AttributeValue>>) -> Self {
        let key = |value: Option<&AttributeValue>| {
            let text = value.and_then(|value| value.as_s().ok());
            text.cloned().unwrap_or_else(|| "no partition".to_owned())
        };
        Self {
            action,
            resource: "Table.Arn".to_owned(),
            keys: partitions.into_iter().map(key).collect(),
        }
    }
}

fn pk(item: &std::collections::HashMap<String, AttributeValue>) -> Option<&AttributeValue> {
    item.get("pk")
}

/// The permissions that IAM requires for each operation on items; a transaction needs those of its parts.
fn asked(context: &BeforeSerializationInterceptorContextRef<'_>) -> Vec<Asked> {
    let input = context.input();
    let one = |action, key| vec![Asked::of(action, [key])];
    if let Some(get) = input.downcast_ref::<GetItemInput>() {
        return one("dynamodb:GetItem", get.key().and_then(pk));
    }
    if let Some(put) = input.downcast_ref::<PutItemInput>() {
        return one("dynamodb:PutItem", put.item().and_then(pk));
    }
    if let Some(update) = input.downcast_ref::<UpdateItemInput>() {
        return one("dynamodb:UpdateItem", update.key().and_then(pk));
    }
    if let Some(delete) = input.downcast_ref::<DeleteItemInput>() {
        return one("dynamodb:DeleteItem", delete.key().and_then(pk));
    }
    if let Some(query) = input.downcast_ref::<QueryInput>() {
        // `pk = :name …`: the partition is the first.
        let name = query
            .key_condition_expression()
            .and_then(|text| text.split_whitespace().nth(2));
        let values = query.expression_attribute_values();
        let mut asked = Asked::of("dynamodb:Query", [values.and_then(|values| values.get(name?))]);
        if let Some(index) = query.index_name() {
            asked.resource = format!("${{Table.Arn}}/index/{index}");
        }
        return vec![asked];
    }
    if input.downcast_ref::<ScanInput>().is_some() {
        return one("dynamodb:Scan", None);
    }
    if let Some(batch) = input.downcast_ref::<BatchGetItemInput>() {
        let tables = batch.request_items().into_iter().flatten();
        let keys = tables.flat_map(|(_, wanted)| wanted.keys().iter().map(pk));
        return vec![Asked::of("dynamodb:BatchGetItem", keys)];
    }
    if let Some(batch) = input.downcast_ref::<BatchWriteItemInput>() {
        let tables = batch.request_items().into_iter().flatten();
        let keys = tables.flat_map(|(_, writes)| {
            writes.iter().map(|write| {
                let put = write.put_request().map(|put| put.item());
                put.or_else(|| write.delete_request().map(|delete| delete.key()))
                    .and_then(pk)
            })
        });
        return vec![Asked::of("dynamodb:BatchWriteItem", keys)];
    }
    if let Some(get) = input.downcast_ref::<TransactGetItemsInput>() {
        let all = get.transact_items().iter();
        let keys = all.map(|item| item.get().and_then(|get| pk(get.key())));
        return keys.map(|key| Asked::of("dynamodb:GetItem", [key])).collect();
    }
    if let Some(transaction) = input.downcast_ref::<TransactWriteItemsInput>() {
        let mut parts = Vec::new();
        for item in transaction.transact_items() {
            let put = item.put().map(|put| ("dynamodb:PutItem", pk(put.item())));
            let update = item.update().map(|update| ("dynamodb:UpdateItem", pk(update.key())));
            let delete = item.delete().map(|delete| ("dynamodb:DeleteItem", pk(delete.key())));
            let check = item
                .condition_check()
                .map(|check| ("dynamodb:ConditionCheckItem", pk(check.key())));
            let all = [put, update, delete, check].into_iter().flatten();
            parts.extend(all.map(|(action, key)| Asked::of(action, [key])));
        }
        return parts;
    }
    Vec::new()
}

/// Requests of a test's function that its role forbids.
#[derive(Debug, Clone, Default)]
pub(crate) struct Forbidden(Arc<Mutex<BTreeSet<String>>>);

impl Forbidden {
    pub(crate) fn all(&self) -> Vec<String> {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.iter().cloned().collect()
    }
}

/// Observes each request.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) role: &'static Role,
    pub(crate) forbidden: Forbidden,
}

impl Intercept for Watch {
    fn name(&self) -> &'static str {
        "Watch"
    }

    fn read_before_serialization(
        &self,
        context: &BeforeSerializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        for asked in asked(context) {
            if !self.role.0.iter().any(|statement| statement.allows(&asked)) {
                let Asked { action, resource, keys } = asked;
                let mut forbidden = self.forbidden.0.lock().unwrap_or_else(PoisonError::into_inner);
                forbidden.insert(format!("{action} of {resource}: {keys:?}"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_as_in_iam() {
        for (text, pattern, same) in [
            ("T#1#C#2", "T#*#C#*", true),
            ("T#1#REF#2", "T#*#C#*", false),
            ("T#01", "T#??", true),
            ("T#012", "T#??", false),
            ("T#01", "T#?", false),
            ("PLATFORM", "PLATFORM*", true),
            ("", "*", true),
            ("x", "", false),
        ] {
            assert_eq!(is_like(text, pattern), same, "{text} {pattern}");
        }
    }

    #[test]
    fn a_role_allows_what_one_of_its_statements_names() {
        let sends = functions().into_iter().find(|function| function.name == "send_message");
        let role = Role::of(policies(&sends.expect("there is one")));
        let allowed = |action, keys: &[&str]| {
            let values: Vec<_> = keys.iter().map(|key| AttributeValue::S((*key).to_owned())).collect();
            let asked = Asked::of(action, values.iter().map(Some));
            role.0.iter().any(|statement| statement.allows(&asked))
        };
        assert!(allowed("dynamodb:BatchGetItem", &["T#1#C#2", "T#1#REF#2"]));
        assert!(!allowed("dynamodb:BatchGetItem", &["T#1#C#2", "T#1#AUDIT#2"]));
        assert!(!allowed("dynamodb:DeleteItem", &["T#1#C#2"]));
        assert!(!allowed("dynamodb:Scan", &["no partition"]));
    }
}
