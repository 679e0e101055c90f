//! The permissions of a function's role at the table. A test's table has no roles, so each request that a function makes in its own
//! tests is compared with its role in `template.yaml`. Otherwise, a flow that only a test exercises would be refused only on AWS.
//!
//! `cargo stack test` also collects what was asked, of queues, buckets, secrets and the event bus, too, because a permission that nothing uses is a
//! finding (`cargo stack iam`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use aws_sdk_dynamodb::config::interceptors::BeforeSerializationInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemInput;
use aws_sdk_dynamodb::operation::batch_write_item::BatchWriteItemInput;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemInput;
use aws_sdk_dynamodb::operation::get_item::GetItemInput;
use aws_sdk_dynamodb::operation::put_item::PutItemInput;
use aws_sdk_dynamodb::operation::query::QueryInput;
use aws_sdk_dynamodb::operation::scan::ScanInput;
use aws_sdk_dynamodb::operation::transact_get_items::TransactGetItemsInput;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsInput;
use aws_sdk_dynamodb::operation::update_item::UpdateItemInput;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_eventbridge::operation::put_events::PutEventsInput;
use aws_sdk_s3::operation::complete_multipart_upload::CompleteMultipartUploadInput;
use aws_sdk_s3::operation::create_multipart_upload::CreateMultipartUploadInput;
use aws_sdk_s3::operation::delete_object::DeleteObjectInput;
use aws_sdk_s3::operation::get_object::GetObjectInput;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Input;
use aws_sdk_s3::operation::put_object::PutObjectInput;
use aws_sdk_s3::operation::upload_part::UploadPartInput;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueInput;
use aws_sdk_sqs::operation::change_message_visibility::ChangeMessageVisibilityInput;
use aws_sdk_sqs::operation::get_queue_attributes::GetQueueAttributesInput;
use aws_sdk_sqs::operation::send_message::SendMessageInput;
use aws_sdk_sqs::operation::send_message_batch::SendMessageBatchInput;
use serde_json::{Value, json};

use crate::template::{Function, functions, policies, role, statements, texts};

/// A statement about the table.
#[derive(Debug)]
struct Statement {
    actions: Vec<&'static str>,
    /// `Table.Arn`, or an index of it.
    resources: Vec<&'static str>,
    /// `None` if it covers all keys.
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
pub(crate) struct Role {
    statements: Vec<Statement>,
    /// The resources that the function's variables name, such as `Table.Arn`.
    resources: BTreeMap<&'static str, String>,
}

impl Role {
    /// The role of the function whose tests are running; none in other tests.
    pub(crate) fn of_this_crate() -> Option<&'static Self> {
        static ROLE: OnceLock<Option<Role>> = OnceLock::new();
        let role = ROLE.get_or_init(|| {
            let own = package()?;
            let function = functions().into_iter().find(|function| function.name == own)?;
            Some(Self::of(&function))
        });
        role.as_ref()
    }

    fn of(function: &Function) -> Self {
        let policies = policies(role(function)).iter();
        let work = policies.filter(|policy| policy["PolicyName"] == "work");
        let of_table = |statement: &Statement| statement.actions.iter().any(|action| action.starts_with("dynamodb:"));
        let variables = function.resource["Properties"]["Environment"]["Variables"].as_object();
        let variables = variables.into_iter().flatten();
        Self {
            statements: work.flat_map(statements).map(Statement::of).filter(of_table).collect(),
            resources: variables
                .filter_map(|(name, value)| {
                    let named = value["!Ref"].as_str().map(|id| format!("{id}.Arn"));
                    let named = named.or_else(|| value["!GetAtt"].as_str().map(str::to_owned));
                    Some((name.as_str(), named?))
                })
                .collect(),
        }
    }
}

/// The package whose tests are running.
fn package() -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "how cargo tells a test program whose it is")]
    std::env::var("CARGO_PKG_NAME").ok()
}

/// Kinds of uses by this test program. Each is written once to a file of its own, if `cargo stack test` names a folder.
struct Uses {
    file: File,
    known: BTreeSet<String>,
}

impl Uses {
    fn of_this_program() -> Option<&'static Mutex<Self>> {
        static USES: OnceLock<Option<Mutex<Uses>>> = OnceLock::new();
        let uses = USES.get_or_init(|| {
            #[expect(clippy::disallowed_methods, reason = "how `cargo stack test` collects uses")]
            let folder = std::env::var("RINGBACK_TEST_USES").ok()?;
            let name = format!("{}-{}.jsonl", package()?, std::process::id());
            let file = File::create(Path::new(&folder).join(name)).expect("a file in the folder of uses");
            let known = BTreeSet::new();
            Some(Mutex::new(Self { file, known }))
        });
        uses.as_ref()
    }

    fn note(&mut self, action: &str, resource: &str, key: Option<&str>) {
        let used = json!({ "who": package(), "action": action, "resource": resource, "key": key });
        let line = used.to_string();
        if !self.known.contains(&line) {
            writeln!(self.file, "{line}").expect("a use is written");
            self.known.insert(line);
        }
    }
}

/// The kind of a key, as the emulator records it (`bridge.py`, `recorded_uses`): with `x` in place of everything but words, such as names
/// of row kinds and lanes, and what precedes a colon; ids keep their length.
fn kind(key: &str) -> String {
    let told = |part: &str| {
        let is_word = |of: fn(&u8) -> bool| !part.is_empty() && part.bytes().all(|byte| of(&byte));
        if is_word(u8::is_ascii_uppercase) || is_word(u8::is_ascii_lowercase) {
            return part.to_owned();
        }
        match part.split_once(':') {
            Some((name, _)) => format!("{name}:x"),
            None => "x".repeat(if part.chars().count() == 26 { 26 } else { 1 }),
        }
    };
    key.split('#').map(told).collect::<Vec<_>>().join("#")
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

/// Returns what an input of one of these types asks for.
macro_rules! asked_by {
    ($input:ident; $($kind:ty: $asked:ident => $value:expr,)*) => {
        $(if let Some($asked) = $input.downcast_ref::<$kind>() {
            return $value;
        })*
    };
}

/// The permissions that IAM requires for each operation on items; a transaction needs those of its parts.
fn required_permissions(context: &BeforeSerializationInterceptorContextRef<'_>) -> Vec<Asked> {
    let input = context.input();
    let one = |action, key| vec![Asked::of(action, [key])];
    asked_by! { input;
        GetItemInput: get => one("dynamodb:GetItem", get.key().and_then(pk)),
        PutItemInput: put => one("dynamodb:PutItem", put.item().and_then(pk)),
        UpdateItemInput: update => one("dynamodb:UpdateItem", update.key().and_then(pk)),
        DeleteItemInput: delete => one("dynamodb:DeleteItem", delete.key().and_then(pk)),
        ScanInput: _scan => one("dynamodb:Scan", None),
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

/// A request to another service: its action, the queue, bucket, bus or secret, and the object's key.
fn asked_elsewhere<'a>(
    context: &'a BeforeSerializationInterceptorContextRef<'_>,
) -> Option<(&'static str, &'a str, Option<&'a str>)> {
    let input = context.input();
    let object = |action, bucket: Option<&'a str>, key: Option<&'a str>| Some((action, bucket?, Some(key?)));
    asked_by! { input;
        SendMessageInput: send => Some(("sqs:SendMessage", send.queue_url()?, None)),
        SendMessageBatchInput: send => Some(("sqs:SendMessage", send.queue_url()?, None)),
        ChangeMessageVisibilityInput: change => Some(("sqs:ChangeMessageVisibility", change.queue_url()?, None)),
        GetQueueAttributesInput: get => Some(("sqs:GetQueueAttributes", get.queue_url()?, None)),
        PutEventsInput: put => Some(("events:PutEvents", put.entries().first()?.event_bus_name()?, None)),
        GetSecretValueInput: get => Some(("secretsmanager:GetSecretValue", get.secret_id()?, None)),
        ListObjectsV2Input: list => Some(("s3:ListBucket", list.bucket()?, None)),
        GetObjectInput: get => object("s3:GetObject", get.bucket(), get.key()),
        DeleteObjectInput: delete => object("s3:DeleteObject", delete.bucket(), delete.key()),
        PutObjectInput: put => object("s3:PutObject", put.bucket(), put.key()),
        CreateMultipartUploadInput: begin => object("s3:PutObject", begin.bucket(), begin.key()),
        UploadPartInput: part => object("s3:PutObject", part.bucket(), part.key()),
        CompleteMultipartUploadInput: end => object("s3:PutObject", end.bucket(), end.key()),
    }
    None
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

/// An interceptor that observes each request.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    pub(crate) role: &'static Role,
    /// Values of the function's variables.
    pub(crate) variables: Arc<BTreeMap<String, String>>,
    pub(crate) forbidden: Forbidden,
}

impl Watch {
    /// The resource that the template's variable of this value names, with the key of an object, if there is one.
    fn resource(&self, value: &str, object: Option<&str>) -> Option<String> {
        let named = self.role.resources.iter();
        let mut named = named.filter(|(name, _)| self.variables.get(**name).is_some_and(|own| own == value));
        let (_, resource) = named.next()?;
        Some(match object {
            Some(key) => format!("${{{resource}}}/{}", kind_of_object(key)),
            None => resource.clone(),
        })
    }
}

/// An object's key with `x` in place of everything but words, as the emulator records it.
fn kind_of_object(key: &str) -> String {
    let is_word = |part: &&str| !part.is_empty() && part.chars().all(char::is_alphabetic);
    let told = |part| Some(part).filter(is_word).unwrap_or("x");
    key.split('/').map(told).collect::<Vec<_>>().join("/")
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
        if let Some(uses) = Uses::of_this_program() {
            let mut uses = uses.lock().unwrap_or_else(PoisonError::into_inner);
            for Asked { action, resource, keys } in required_permissions(context) {
                keys.iter()
                    .for_each(|key| uses.note(action, &resource, Some(&kind(key))));
            }
            if let Some((action, value, object)) = asked_elsewhere(context)
                && let Some(resource) = self.resource(value, object)
            {
                uses.note(action, &resource, None);
            }
        }
        for asked in required_permissions(context) {
            if !self.role.statements.iter().any(|statement| statement.allows(&asked)) {
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
    fn kinds_of_keys_are_those_of_the_emulator() {
        for (key, same) in [
            ("PLATFORM", "PLATFORM"),
            ("T#01hq5b0000000000000000000a", "T#xxxxxxxxxxxxxxxxxxxxxxxxxx"),
            (
                "T#01hq5b0000000000000000000a#ID#phone:+971",
                "T#xxxxxxxxxxxxxxxxxxxxxxxxxx#ID#phone:x",
            ),
            ("T#1#STATS#2026-11", "T#x#STATS#x"),
            ("DUE#answers#03", "DUE#answers#x"),
            ("", "x"),
        ] {
            assert_eq!(kind(key), same, "{key}");
        }
    }

    #[test]
    fn a_role_allows_what_one_of_its_statements_names() {
        let role = Role::of(&crate::template::function("send_message"));
        let allowed = |action, keys: &[&str]| {
            let values: Vec<_> = keys.iter().map(|key| AttributeValue::S((*key).to_owned())).collect();
            let asked = Asked::of(action, values.iter().map(Some));
            role.statements.iter().any(|statement| statement.allows(&asked))
        };
        assert!(allowed("dynamodb:BatchGetItem", &["T#1#C#2", "T#1#REF#2"]));
        assert!(!allowed("dynamodb:BatchGetItem", &["T#1#C#2", "T#1#AUDIT#2"]));
        assert!(!allowed("dynamodb:DeleteItem", &["T#1#C#2"]));
        assert!(!allowed("dynamodb:Scan", &["no partition"]));
    }
}
