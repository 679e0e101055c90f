//! `template.yaml` and that of the edge as values: CloudFormation's functions are represented by their tags, such as `{"!Ref": "Table"}`.

use std::path::Path;
use std::sync::OnceLock;

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Value, json};

pub fn template() -> &'static Value {
    static TEMPLATE: OnceLock<Value> = OnceLock::new();
    TEMPLATE.get_or_init(|| parse_template("template.yaml"))
}

/// The template of the stack in front of the API, `infra/edge/template.yaml`.
pub fn edge() -> &'static Value {
    static EDGE: OnceLock<Value> = OnceLock::new();
    EDGE.get_or_init(|| parse_template("infra/edge/template.yaml"))
}

fn parse_template(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let documents = Yaml::load_from_str(&text).expect("a template is YAML without duplicate keys");
    value(&documents[0])
}

fn value(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Value(Scalar::String(text)) => json!(text),
        Yaml::Value(Scalar::Integer(number)) => json!(number),
        Yaml::Value(Scalar::FloatingPoint(number)) => json!(number.into_inner()),
        Yaml::Value(Scalar::Boolean(yes)) => json!(yes),
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Sequence(items) => items.iter().map(value).collect(),
        Yaml::Mapping(entries) => {
            let key = |key: &Yaml<'_>| key.as_str().expect("keys are texts").to_owned();
            Value::Object(entries.iter().map(|(name, item)| (key(name), value(item))).collect())
        }
        Yaml::Tagged(tag, node) => json!({ (format!("!{}", tag.suffix)): value(node) }),
        other => panic!("a template holds {other:?}"),
    }
}

/// Its resources of this type, by logical id.
pub fn resources(kind: &str) -> impl Iterator<Item = (&'static str, &'static Value)> {
    let all = template()["Resources"].as_object().expect("the template has resources");
    all.iter()
        .filter(move |(_, resource)| resource["Type"] == kind)
        .map(|(id, resource)| (id.as_str(), resource))
}

/// The fields that the table's list index contains beside keys.
pub fn list_fields() -> Vec<String> {
    let (_, table) = resources("AWS::DynamoDB::Table").next().expect("there is a table");
    let indexes = table["Properties"]["GlobalSecondaryIndexes"].as_array();
    let mut indexes = indexes.into_iter().flatten();
    let by_day = indexes.find(|index| index["IndexName"] == "by_day");
    let fields = &by_day.expect("there is an index by_day")["Projection"]["NonKeyAttributes"];
    serde_json::from_value(fields.clone()).expect("fields have names")
}

/// A function of the template.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    pub id: &'static str,
    /// The last part of its `CodeUri`: its crate.
    pub name: &'static str,
    /// The part before that: its room, such as `jobs`.
    pub room: &'static str,
    pub resource: &'static Value,
}

/// The function of this name.
pub fn function(name: &str) -> Function {
    let own = functions().into_iter().find(|function| function.name == name);
    own.unwrap_or_else(|| panic!("no function {name}"))
}

pub fn functions() -> Vec<Function> {
    resources("AWS::Serverless::Function")
        .map(|(id, resource)| {
            let folder = resource["Properties"]["CodeUri"].as_str().expect("CodeUri is a folder");
            let mut parts = folder.trim_end_matches('/').rsplit('/');
            let (name, room) = (parts.next(), parts.next());
            Function {
                id,
                name: name.expect("a folder has a name"),
                room: room.expect("a function is in a room"),
                resource,
            }
        })
        .collect()
}

impl Function {
    /// The logical id of the log group of its room.
    pub fn logs(&self) -> &'static str {
        match self.room {
            "api" => "ApiFunctionLogs",
            "jobs" => "JobFunctionLogs",
            "schedules" => "ScheduleFunctionLogs",
            "sockets" => "SocketFunctionLogs",
            "web" => "WebFunctionLogs",
            "webhooks" => "WebhookFunctionLogs",
            other => panic!("no log group is known for functions/{other}"),
        }
    }
}

/// All texts in a value: a single one, those of a list, the arguments of a function.
pub fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(entries) => entries.values().flat_map(texts).collect(),
        _ => vec![],
    }
}

/// A policy's statements, each plain or as the value of an `!If`.
pub fn statements(policy: &Value) -> Vec<&Value> {
    let listed = policy["PolicyDocument"]["Statement"]
        .as_array()
        .expect("statements are a list");
    let mut found = vec![];
    for statement in listed {
        match statement.get("!If").and_then(Value::as_array) {
            Some(branches) => found.extend(branches.iter().filter(|value| value.get("Effect").is_some())),
            None => found.push(statement),
        }
    }
    found
}

/// The role of a function.
pub fn role(function: &Function) -> &'static Value {
    let role = &template()["Resources"][format!("{}Role", function.id)];
    assert!(role.is_object(), "{} has no role", function.id);
    role
}

/// The policies of a role.
pub fn policies(role: &Value) -> &[Value] {
    role["Properties"]["Policies"].as_array().expect("policies")
}

/// All statements of a role.
pub fn granted_statements(role: &Value) -> impl Iterator<Item = &Value> {
    policies(role).iter().flat_map(statements)
}
