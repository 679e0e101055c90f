//! The partitions that a role may touch (docs/decisions/0031-partitions-in-roles.md).
//!
//! Two more checks. Did the function access every partition that its statements name? And does the emulator refuse all others to
//! the role's own credentials, such as an account or the platform's rows to a webhook?

use std::{collections::BTreeSet, path::Path};

use anyhow::{Context as _, Result};
use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
    error::{ProvideErrorMetadata, SdkError},
    types::{AttributeValue, DeleteRequest, KeysAndAttributes, Put, TransactWriteItem, WriteRequest},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Role, statements, texts};
use crate::{
    aws::{REGION, Session},
    secrets::random_hex,
};

const OPERATOR: &str = "ForAllValues:StringLike";
const KEYS: &str = "dynamodb:LeadingKeys";

/// A kind of key that a role used, as recorded by the emulator (`bridge.py`, `leading_keys`).
#[derive(Debug, Deserialize)]
struct Used {
    role: String,
    action: String,
    key: String,
}

/// The emulator's records so far.
fn used(data: &Path) -> Result<Vec<Used>> {
    let file = data.join("leading-keys.jsonl");
    let text = std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
    text.lines()
        .map(|line| serde_json::from_str(line).context("parsing the emulator's records"))
        .collect()
}

/// Whether this role used the action in a partition that matches the pattern.
pub(super) fn has_used(data: &Path, role: &str, action: &str, pattern: &str) -> Result<bool> {
    let is_it = |used: &Used| used.role == role && used.action == action && like(pattern, &used.key);
    Ok(used(data)?.iter().any(is_it))
}

/// Matches as IAM does: `*` is any text, `?` one character.
fn like(pattern: &str, text: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('*') => text
            .char_indices()
            .map(|(at, _)| at)
            .chain([text.len()])
            .any(|at| like(rest.as_str(), &text[at..])),
        Some(wanted) => {
            let mut others = text.chars();
            others.next().is_some_and(|found| wanted == '?' || wanted == found) && like(rest.as_str(), others.as_str())
        }
    }
}

/// The partitions that a statement names; none without such a condition.
fn partitions(statement: &Value) -> Option<Vec<String>> {
    let keys = &statement["Condition"][OPERATOR][KEYS];
    (!keys.is_null()).then(|| texts(keys).into_iter().collect())
}

fn is_of_table(statement: &Value) -> bool {
    texts(&statement["Action"])
        .iter()
        .any(|action| action.starts_with("dynamodb:"))
}

/// Statements without partitions, and partitions that no flow used.
pub(super) fn too_wide(roles: &[Role], data: &Path) -> Result<Vec<String>> {
    let used = used(data)?;
    let mut wrong = Vec::new();
    for role in roles {
        let own: Vec<&Used> = used.iter().filter(|used| used.role == role.name).collect();
        for statement in statements(role.document("work"))
            .into_iter()
            .filter(|one| is_of_table(one))
        {
            let sid = statement["Sid"].as_str().unwrap_or("?");
            let Some(named) = partitions(statement) else {
                wrong.push(format!("{}: {sid} names no partitions", role.name()));
                continue;
            };
            let actions = texts(&statement["Action"]);
            let asked = |pattern: &String| {
                own.iter()
                    .any(|used| actions.contains(&used.action) && like(pattern, &used.key))
            };
            let idle: Vec<&String> = named.iter().filter(|pattern| !asked(pattern)).collect();
            if !idle.is_empty() {
                wrong.push(format!("{}: {sid} names {idle:?}, which no flow uses", role.name()));
            }
        }
    }
    Ok(wrong)
}

/// A part of the table that is read by a partition key: the table itself or an index.
#[derive(Debug, PartialEq, Eq)]
struct Keyed {
    /// The index's name; none of the table.
    index: Option<String>,
    /// The attribute that holds the partition key.
    attribute: String,
}

/// The table and its indexes.
fn keyed(description: &Value) -> Result<Vec<Keyed>> {
    let table = &description["Table"];
    let indexes = table["GlobalSecondaryIndexes"].as_array();
    let all = [table].into_iter().chain(indexes.into_iter().flatten());
    all.map(|one| {
        let schema = one["KeySchema"].as_array().into_iter().flatten();
        let mut hash = schema.filter(|key| key["KeyType"] == "HASH");
        let attribute = hash.next().and_then(|key| key["AttributeName"].as_str());
        Ok(Keyed {
            index: one["IndexName"].as_str().map(str::to_owned),
            attribute: attribute.context("a table has a partition key")?.to_owned(),
        })
    })
    .collect()
}

/// Partitions that belong to nobody: one for each pattern that a role names for this part of the table, and two that no role
/// names, within a tenant and outside.
fn samples(roles: &[Role], keyed: &Keyed) -> Result<BTreeSet<String>> {
    let id = random_hex(13)?;
    let mut samples: BTreeSet<String> = [format!("T#{id}#NOBODYS"), format!("NOBODYS#{id}")].into();
    for role in roles {
        for statement in statements(role.document("work")) {
            if is_of_table(statement) && is_about(statement, keyed.index.as_deref()) {
                let patterns = partitions(statement).unwrap_or_default();
                samples.extend(patterns.iter().map(|pattern| sample(pattern, &id)));
            }
        }
    }
    Ok(samples)
}

/// A text that matches a pattern, with the characters of `id` in place of its wildcards.
fn sample(pattern: &str, id: &str) -> String {
    let mut signs = id.chars().cycle();
    let mut text = String::new();
    for letter in pattern.chars() {
        match letter {
            '*' => text += id,
            '?' => text.extend(signs.next()),
            other => text.push(other),
        }
    }
    text
}

/// Whether a statement is about this index, or about the table itself.
fn is_about(statement: &Value, index: Option<&str>) -> bool {
    texts(&statement["Resource"]).iter().any(|resource| match index {
        None => resource.contains(":table/") && !resource.contains("/index/"),
        Some(index) => resource.ends_with(&format!("/index/{index}")),
    })
}

/// Requests to the table with each role's credentials, by the action that they need.
const ACTIONS: [&str; 8] = [
    "dynamodb:GetItem",
    "dynamodb:Query",
    "dynamodb:BatchGetItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:Scan",
];

/// Actions that the emulator allows although the role's policy does not, and actions that it refuses although the policy allows them. What
/// a role may do is tried with each key; of what it may not do, one action with each, another one for each key and role.
pub(super) async fn otherwise_enforced(
    roles: &[Role],
    aws: &Session,
    endpoint: &str,
    table: &str,
) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    let description = aws
        .call("dynamodb", "describe_table", json!({ "TableName": table }))
        .await?;
    let mut samples_of = Vec::new();
    for keyed in keyed(&description)? {
        samples_of.push((samples(roles, &keyed)?, keyed));
    }
    for (place, role) in roles.iter().enumerate() {
        let client = client_of(role, aws, endpoint).await?;
        let samples = samples_of
            .iter()
            .flat_map(|(keys, keyed)| keys.iter().map(move |key| (keyed, key)));
        for (turn, (keyed, key)) in samples.enumerate() {
            let possible = |action: &&str| {
                let of_index = ["dynamodb:Query", "dynamodb:Scan"].contains(action);
                keyed.index.is_none() || of_index
            };
            let (may, may_not): (Vec<&str>, Vec<&str>) = ACTIONS
                .into_iter()
                .filter(possible)
                .partition(|action| allows(role, action, keyed.index.as_deref(), key));
            let one = may_not.iter().cycle().skip(place + turn).take(may_not.len().min(1));
            for action in may.iter().chain(one).copied() {
                let allowed = may.contains(&action);
                let mut answers = vec![refused(&client, action, table, keyed, key).await?];
                if action == "dynamodb:PutItem" {
                    answers.push(refused(&client, "transaction", table, keyed, key).await?);
                }
                if answers.contains(&allowed) {
                    let told = if allowed { "is refused" } else { "may use" };
                    let index = keyed.index.as_deref().unwrap_or("the table");
                    wrong.push(format!("{} {told} {action} on {index} {key}", role.name()));
                }
            }
        }
    }
    Ok(wrong)
}

/// Whether the text of a role's policy allows this.
fn allows(role: &Role, action: &str, index: Option<&str>, key: &str) -> bool {
    statements(role.document("work")).into_iter().any(|statement| {
        texts(&statement["Action"]).contains(action)
            && is_about(statement, index)
            && partitions(statement).is_none_or(|named| named.iter().any(|pattern| like(pattern, key)))
    })
}

async fn client_of(role: &Role, aws: &Session, endpoint: &str) -> Result<Client> {
    let described = aws.call("iam", "get_role", json!({ "RoleName": role.name })).await?;
    let assume = json!({ "RoleArn": described["Role"]["Arn"], "RoleSessionName": "iam" });
    let assumed = aws.call("sts", "assume_role", assume).await?;
    let part = |name: &str| {
        let value = assumed["Credentials"][name].as_str();
        value.map(str::to_owned).context("a role has credentials")
    };
    let credentials = Credentials::new(
        part("AccessKeyId")?,
        part("SecretAccessKey")?,
        Some(part("SessionToken")?),
        None,
        "iam",
    );
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(credentials)
        .endpoint_url(endpoint)
        .region(Region::new(REGION))
        .retry_config(RetryConfig::disabled())
        .build();
    Ok(Client::from_conf(config))
}

/// Whether this request is refused; requests that are allowed change nothing.
async fn refused(client: &Client, action: &str, table: &str, keyed: &Keyed, key: &str) -> Result<bool> {
    const NEVER: &str = "attribute_exists(never)";
    let (pk, sk) = (AttributeValue::S(key.to_owned()), AttributeValue::S("IAM".to_owned()));
    let item = [("pk".to_owned(), pk.clone()), ("sk".to_owned(), sk.clone())];
    match action {
        "dynamodb:GetItem" => told(
            client
                .get_item()
                .table_name(table)
                .key("pk", pk)
                .key("sk", sk)
                .send()
                .await,
        ),
        "dynamodb:Query" => {
            let query = client.query().table_name(table).limit(1);
            let query = query.set_index_name(keyed.index.clone());
            let query = query.key_condition_expression("#pk = :pk");
            let query = query.expression_attribute_names("#pk", &keyed.attribute);
            told(query.expression_attribute_values(":pk", pk).send().await)
        }
        "dynamodb:Scan" => {
            let scan = client.scan().table_name(table).limit(1);
            told(scan.set_index_name(keyed.index.clone()).send().await)
        }
        "dynamodb:BatchGetItem" => {
            let keys = KeysAndAttributes::builder().keys(item.into()).build()?;
            told(client.batch_get_item().request_items(table, keys).send().await)
        }
        "dynamodb:PutItem" => {
            let put = client.put_item().table_name(table).set_item(Some(item.into()));
            told(put.condition_expression(NEVER).send().await)
        }
        "dynamodb:UpdateItem" => {
            let update = client.update_item().table_name(table).key("pk", pk).key("sk", sk);
            let update = update
                .update_expression("SET a = :a")
                .expression_attribute_values(":a", AttributeValue::Bool(true));
            told(update.condition_expression(NEVER).send().await)
        }
        "dynamodb:DeleteItem" => {
            let delete = client.delete_item().table_name(table).key("pk", pk).key("sk", sk);
            told(delete.condition_expression(NEVER).send().await)
        }
        "dynamodb:BatchWriteItem" => {
            let delete = DeleteRequest::builder().set_key(Some(item.into())).build()?;
            let write = WriteRequest::builder().delete_request(delete).build();
            told(client.batch_write_item().request_items(table, vec![write]).send().await)
        }
        _ => {
            let put = Put::builder().table_name(table).set_item(Some(item.into()));
            let put = TransactWriteItem::builder().put(put.condition_expression(NEVER).build()?);
            told(client.transact_write_items().transact_items(put.build()).send().await)
        }
    }
}

/// Whether the request was denied; the service's errors about the request itself do not count.
fn told<T, E>(answer: Result<T, SdkError<E>>) -> Result<bool>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match answer {
        Ok(_) => Ok(false),
        Err(error) => match error.code() {
            Some("AccessDeniedException") => Ok(true),
            Some("ConditionalCheckFailedException" | "TransactionCanceledException") => Ok(false),
            _ => Err(error).context("sending a request with a role's credentials"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_iam() {
        let own = format!("T#{}", "?".repeat(26));
        let tenant = format!("T#{}", "x".repeat(26));
        for (pattern, text, same) in [
            ("*", "", true),
            ("T#*", "T#a", true),
            ("T#*", "USER#a", false),
            ("T#*#C#*", "T#a#C#b", true),
            ("T#*#C#*", "T#a#ID#b", false),
            ("PLATFORM", "PLATFORM#LOG#a", false),
            ("PLATFORM*", "PLATFORM", true),
            (own.as_str(), tenant.as_str(), true),
            (own.as_str(), "T#short", false),
        ] {
            assert_eq!(like(pattern, text), same, "{pattern} {text}");
        }
        assert!(!like(&own, &format!("{tenant}#C#a")));
    }

    #[test]
    fn a_sample_matches_its_pattern() {
        let id = "0123456789abcdefghjkmnpqrs";
        for pattern in [
            "*",
            "PLATFORM",
            "PLATFORM*",
            "T#*#ID#sku:*",
            "T#??????????????????????????",
        ] {
            assert!(like(pattern, &sample(pattern, id)), "{pattern}");
        }
        assert_eq!(sample("T#??", id), "T#01");
    }

    #[test]
    fn the_table_and_its_indexes_have_partition_keys() {
        let schema = |name: &str| json!([{ "AttributeName": "sk", "KeyType": "RANGE" }, { "AttributeName": name, "KeyType": "HASH" }]);
        let description = json!({ "Table": {
            "KeySchema": schema("pk"),
            "GlobalSecondaryIndexes": [{ "IndexName": "due", "KeySchema": schema("gsi2pk") }],
        } });
        let of = |index: Option<&str>, attribute: &str| Keyed {
            index: index.map(str::to_owned),
            attribute: attribute.to_owned(),
        };
        let found = keyed(&description).expect("two parts");
        assert_eq!(found, [of(None, "pk"), of(Some("due"), "gsi2pk")]);
    }
}
