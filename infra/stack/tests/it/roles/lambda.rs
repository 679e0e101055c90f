//! The policies `logs` and `trigger`: permissions of Lambda itself, which no function uses and the emulator does not check.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use stack::{
    aws::Session,
    iam::{Role, sid, texts},
};

const POLICIES: [&str; 3] = ["logs", "trigger", "work"];

/// What of these policies is deployed otherwise than written, or differs from what the function's log group and event sources need.
pub(super) async fn triggers_and_logs(
    roles: &[Role],
    aws: &Session,
    stack: &str,
    raw_bucket: &str,
) -> Result<Vec<String>> {
    let asked = json!({ "StackName": stack, "TemplateStage": "Processed" });
    let template = aws.call("cloudformation", "get_template", asked).await?;
    let template = match &template["TemplateBody"] {
        Value::String(text) => serde_json::from_str(text).context("reading the processed template")?,
        body => body.clone(),
    };
    let mut wrong = Vec::new();
    for role in roles {
        let written = written(&template, role);
        let deployed: Vec<_> = role.policies.keys().map(String::as_str).collect();
        if written.keys().copied().collect::<Vec<_>>() != deployed || !deployed.iter().all(|one| POLICIES.contains(one))
        {
            wrong.push(format!("{}: the role has the policies {deployed:?}", role.function));
        }
        for policy in ["logs", "trigger"] {
            let shape = |statement: &Value| {
                let effect = statement["Effect"].as_str().unwrap_or_default().to_owned();
                (sid(statement).to_owned(), effect, texts(&statement["Action"]))
            };
            let statements = written
                .get(policy)
                .and_then(|document| document["Statement"].as_array());
            let statements = statements.into_iter().flatten().map(shape);
            if !statements.eq(role.statements(policy).map(shape)) {
                wrong.push(format!(
                    "{}: {policy} is deployed otherwise than written",
                    role.function
                ));
            }
        }
        wrong.extend(wrong_logs(role));
        wrong.extend(wrong_trigger(role, aws, raw_bucket).await?);
    }
    Ok(wrong)
}

/// The role's policy documents in the template, by name.
fn written<'a>(template: &'a Value, role: &Role) -> BTreeMap<&'a str, &'a Value> {
    let id = format!("{}Role", role.logical_id);
    let policies = template["Resources"][&id]["Properties"]["Policies"].as_array();
    let policies = policies.into_iter().flatten();
    policies
        .filter_map(|policy| Some((policy["PolicyName"].as_str()?, &policy["PolicyDocument"])))
        .collect()
}

/// Every action of a policy with every resource of its statement.
fn permissions(role: &Role, policy: &str) -> BTreeSet<(String, String)> {
    let mut allowed = BTreeSet::new();
    for statement in role.statements(policy) {
        for action in texts(&statement["Action"]) {
            allowed.extend(texts(&statement["Resource"]).into_iter().map(|on| (action.clone(), on)));
        }
    }
    allowed
}

fn wrong_logs(role: &Role) -> Option<String> {
    let allowed = permissions(role, "logs");
    let actions: BTreeSet<_> = allowed.iter().map(|(action, _)| action.as_str()).collect();
    let group = format!(":log-group:{}", role.log_group);
    let right = actions == ["logs:CreateLogStream", "logs:PutLogEvents"].into()
        && allowed.iter().all(|(_, resource)| resource.contains(&group));
    (!right).then(|| format!("{}: logs allows {allowed:?}", role.function))
}

async fn wrong_trigger(role: &Role, aws: &Session, raw_bucket: &str) -> Result<Option<String>> {
    let asked = json!({ "FunctionName": role.deployed });
    let mappings = aws.call("lambda", "list_event_source_mappings", asked).await?;
    let mappings = mappings["EventSourceMappings"].as_array().into_iter().flatten();
    let mut wanted = BTreeSet::new();
    for source in mappings.flat_map(|mapping| texts(&mapping["EventSourceArn"])) {
        let actions: &[&str] = if source.contains(":sqs:") {
            &["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
        } else {
            &[
                "dynamodb:DescribeStream",
                "dynamodb:GetRecords",
                "dynamodb:GetShardIterator",
            ]
        };
        wanted.extend(actions.iter().map(|action| ((*action).to_owned(), source.clone())));
        if source.contains(":dynamodb:") {
            // Lambda's given-up batches, and an action without a resource.
            let bucket = format!("arn:aws:s3:::{raw_bucket}");
            wanted.insert(("dynamodb:ListStreams".to_owned(), "*".to_owned()));
            wanted.insert(("s3:PutObject".to_owned(), format!("{bucket}/aws/lambda/*")));
            wanted.insert(("s3:ListBucket".to_owned(), bucket));
        }
    }
    let allowed = permissions(role, "trigger");
    Ok((allowed != wanted).then(|| format!("{}: trigger allows {allowed:?}, but needs {wanted:?}", role.function)))
}
