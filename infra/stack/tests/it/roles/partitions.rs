//! Whether partitions that a role does not name (docs/decisions/0031-partitions-in-roles.md) are refused to its own credentials, such as
//! an account or the platform's rows to a webhook.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, KeysAndAttributes, Put, TransactWriteItem, WriteRequest};
use serde_json::{Value, json};
use stack::aws::{REGION, Session};
use stack::iam::{Role, like, partitions_of, texts};
use stack::secrets::random_hex;

fn is_of_table(statement: &Value) -> bool {
    let actions = texts(&statement["Action"]);
    actions.iter().any(|action| action.starts_with("dynamodb:"))
}

/// A part of the table that is read by a partition key: the table itself or an index.
#[derive(Debug)]
struct Keyed {
    /// The index's name; none of the table.
    index: Option<String>,
    /// The attribute that holds the partition key.
    attribute: String,
}

/// The table and its indexes.
fn table_and_indexes(description: &Value) -> Result<Vec<Keyed>> {
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
        for statement in role.statements("work") {
            if is_of_table(statement) && is_about(statement, keyed.index.as_deref()) {
                let patterns = partitions_of(statement).unwrap_or_default();
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
///
/// These requests are not recorded as uses: the emulator knows them by the name of their session.
pub(super) async fn otherwise_enforced(
    roles: &[Role],
    aws: &Session,
    endpoint: &str,
    table: &str,
) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    let asked = json!({ "TableName": table });
    let description = aws.call("dynamodb", "describe_table", asked).await?;
    let mut samples_of = Vec::new();
    for keyed in table_and_indexes(&description)? {
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
                let mut answers = vec![is_refused(&client, action, table, keyed, key).await?];
                if action == "dynamodb:PutItem" {
                    answers.push(is_refused(&client, "transaction", table, keyed, key).await?);
                }
                if answers.contains(&allowed) {
                    let told = if allowed { "is refused" } else { "may use" };
                    let index = keyed.index.as_deref().unwrap_or("the table");
                    wrong.push(format!("{} {told} {action} on {index} {key}", role.function));
                }
            }
        }
    }
    Ok(wrong)
}

/// Whether the text of a role's policy allows this.
fn allows(role: &Role, action: &str, index: Option<&str>, key: &str) -> bool {
    role.statements("work").any(|statement| {
        texts(&statement["Action"]).contains(action)
            && is_about(statement, index)
            && partitions_of(statement).is_none_or(|named| named.iter().any(|pattern| like(pattern, key)))
    })
}

async fn client_of(role: &Role, aws: &Session, endpoint: &str) -> Result<Client> {
    let described = aws.call("iam", "get_role", json!({ "RoleName": role.name })).await?;
    let assume = json!({ "RoleArn": described["Role"]["Arn"], "RoleSessionName": "check-of-roles" });
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
async fn is_refused(client: &Client, action: &str, table: &str, keyed: &Keyed, key: &str) -> Result<bool> {
    const NEVER: &str = "attribute_exists(never)";
    let (pk, sk) = (AttributeValue::S(key.to_owned()), AttributeValue::S("IAM".to_owned()));
    let item = [("pk".to_owned(), pk.clone()), ("sk".to_owned(), sk.clone())];
    match action {
        "dynamodb:GetItem" => {
            let get = client.get_item().table_name(table).key("pk", pk).key("sk", sk);
            was_denied(get.send().await)
        }
        "dynamodb:Query" => {
            let query = client.query().table_name(table).limit(1);
            let query = query.set_index_name(keyed.index.clone());
            let query = query.key_condition_expression("#pk = :pk");
            let query = query.expression_attribute_names("#pk", &keyed.attribute);
            was_denied(query.expression_attribute_values(":pk", pk).send().await)
        }
        "dynamodb:Scan" => {
            let scan = client.scan().table_name(table).limit(1);
            was_denied(scan.set_index_name(keyed.index.clone()).send().await)
        }
        "dynamodb:BatchGetItem" => {
            let keys = KeysAndAttributes::builder().keys(item.into()).build()?;
            was_denied(client.batch_get_item().request_items(table, keys).send().await)
        }
        "dynamodb:PutItem" => {
            let put = client.put_item().table_name(table).set_item(Some(item.into()));
            was_denied(put.condition_expression(NEVER).send().await)
        }
        "dynamodb:UpdateItem" => {
            let update = client.update_item().table_name(table).key("pk", pk).key("sk", sk);
            let update = update
                .update_expression("SET a = :a")
                .expression_attribute_values(":a", AttributeValue::Bool(true));
            was_denied(update.condition_expression(NEVER).send().await)
        }
        "dynamodb:DeleteItem" => {
            let delete = client.delete_item().table_name(table).key("pk", pk).key("sk", sk);
            was_denied(delete.condition_expression(NEVER).send().await)
        }
        "dynamodb:BatchWriteItem" => {
            let delete = DeleteRequest::builder().set_key(Some(item.into())).build()?;
            let write = WriteRequest::builder().delete_request(delete).build();
            was_denied(client.batch_write_item().request_items(table, vec![write]).send().await)
        }
        _ => {
            let put = Put::builder().table_name(table).set_item(Some(item.into()));
            let put = TransactWriteItem::builder().put(put.condition_expression(NEVER).build()?);
            was_denied(client.transact_write_items().transact_items(put.build()).send().await)
        }
    }
}

/// Whether the request was denied; the service's errors about the request itself do not count.
fn was_denied<T, E>(answer: Result<T, SdkError<E>>) -> Result<bool>
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
    fn a_sample_matches_its_pattern() {
        let id = "0123456789abcdefghjkmnpqrs";
        let of_tenant = format!("T#{}", "?".repeat(26));
        for pattern in ["*", "PLATFORM", "PLATFORM*", "T#*#ID#sku:*", &of_tenant] {
            assert!(like(pattern, &sample(pattern, id)), "{pattern}");
        }
        assert_eq!(sample("T#??", id), "T#01");
    }
}
