//! Inspection of a running stack: logs, dead letters, the bill; and placing one call.

mod changes;

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::{
    aws::{Aws, Session},
    bill::Bill,
    build::{self, Function},
    endpoints::Endpoints,
    place::Place,
};

/// Prints a function's log lines and, if asked, follows them.
pub async fn logs(aws: &Aws, stack: &str, function: &Function, follow: bool) -> Result<()> {
    let groups = [function.log_group(stack)];
    let mut since = None;
    loop {
        for event in aws.logs(&groups, since).await? {
            println!("{}", event.message.trim_end());
            since = Some(event.time + 1);
        }
        if !follow {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// The bill of all functions since a time (milliseconds since 1970).
pub async fn bill(aws: &Aws, place: &Place, stack: &str, since: Option<i64>) -> Result<Bill> {
    let functions = build::functions(&place.root)?;
    let groups: Vec<_> = functions.iter().map(|function| function.log_group(stack)).collect();
    Ok(Bill::of(&aws.logs(&groups, since).await?))
}

/// Given-up records, which can be processed again once the cause is fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Letters {
    /// Events of calls.
    Calls,
    /// Messages and statuses from providers.
    ProviderEvents,
    /// Messages to send that answer a person.
    Sends,
    /// Messages to send to many.
    BulkSends,
    /// E-mails to users of Ringback.
    Mails,
    /// Changes of the table that are missing in day counters and the audit log.
    Changes,
}

impl Letters {
    /// Queues with dead letters, by the names of the stack's outputs.
    pub const QUEUES: [(Self, &str); 5] = [
        (Self::Calls, "Calls"),
        (Self::ProviderEvents, "ProviderEvents"),
        (Self::Sends, "Sends"),
        (Self::BulkSends, "BulkSends"),
        (Self::Mails, "Mails"),
    ];
}

/// Prints the number and kind of dead letters and of given-up changes, without bodies: these contain customers' messages.
pub async fn dead_letters(aws: &Aws, stack: &str) -> Result<()> {
    let outputs = aws.outputs(stack).await?;
    for (_, queue) in Letters::QUEUES {
        let name = format!("{queue}DeadLettersUrl");
        let url = outputs
            .get(&name)
            .with_context(|| format!("the stack has no output {name}"))?;
        let attributes = aws
            .call(
                "sqs",
                "get_queue_attributes",
                json!({ "QueueUrl": url, "AttributeNames": ["All"] }),
            )
            .await?;
        let waiting = attributes["Attributes"]["ApproximateNumberOfMessages"]
            .as_str()
            .unwrap_or("?");
        println!("{queue:16} {waiting}");
        // Only a look: they are visible again at once.
        let look =
            json!({ "QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 0, "AttributeNames": ["All"] });
        let messages = aws.call("sqs", "receive_message", look).await?;
        for message in messages["Messages"].as_array().into_iter().flatten() {
            let body: Value = message["Body"]
                .as_str()
                .and_then(|body| serde_json::from_str(body).ok())
                .unwrap_or_default();
            println!(
                "  {} {} tenant {} correlation {} received {} times",
                message["MessageId"].as_str().unwrap_or("?"),
                body["type"].as_str().unwrap_or("?"),
                body["tenant"].as_str().unwrap_or("?"),
                body["correlation_id"].as_str().unwrap_or("?"),
                message["Attributes"]["ApproximateReceiveCount"].as_str().unwrap_or("?"),
            );
        }
    }
    let changes = changes::list(&aws.session()?, bucket(&outputs)?).await?;
    println!("{:16} {}", "Changes", changes.len());
    for batch in changes {
        println!("  {} {} bytes, {}", batch.key, batch.bytes, batch.since);
    }
    Ok(())
}

fn bucket(outputs: &BTreeMap<String, String>) -> Result<&str> {
    let bucket = outputs.get("RawBucketName");
    bucket
        .map(String::as_str)
        .context("the stack has no output RawBucketName")
}

/// Sends a queue's dead letters back to it, or lets the function process given-up changes again.
pub async fn redrive(aws: &Aws, place: &Place, stack: &str, letters: Letters) -> Result<()> {
    let outputs = aws.outputs(stack).await?;
    let Some((_, queue)) = Letters::QUEUES.into_iter().find(|(queue, _)| *queue == letters) else {
        let function = build::function(&place.root, "publish_changes")?.deployed(stack);
        let worked = changes::work(&aws.session()?, bucket(&outputs)?, &function).await?;
        println!("Changes: {worked} batches processed.");
        return Ok(());
    };
    let url = |name: String| {
        let missing = format!("the stack has no output {name}");
        outputs.get(&name).context(missing)
    };
    let source = url(format!("{queue}DeadLettersUrl"))?;
    if aws.endpoint().is_some() {
        let target = url(format!("{queue}QueueUrl"))?;
        aws.bridge(&["redrive", source, target], &[]).await?;
    } else {
        let session = aws.session()?;
        let (source, target) = (
            arn(&session, source).await?,
            arn(&session, url(format!("{queue}QueueUrl"))?).await?,
        );
        // The target is named, because records that a function itself put there have no source queue.
        let task = json!({ "SourceArn": source, "DestinationArn": target });
        session.call("sqs", "start_message_move_task", task).await?;
    }
    println!("{queue}: dead letters are being sent back.");
    Ok(())
}

async fn arn(session: &Session, queue: &str) -> Result<String> {
    let question = json!({ "QueueUrl": queue, "AttributeNames": ["QueueArn"] });
    let attributes = session.call("sqs", "get_queue_attributes", question).await?;
    let arn = attributes["Attributes"]["QueueArn"].as_str();
    arn.map(str::to_owned).context("a queue has an ARN")
}

/// Functions that run at the same time when the queues are busy: the sum of the template's `MaximumConcurrency`. Webhooks need the rest.
const BUSY_QUEUES: u64 = 37;

/// A warning if the account's concurrency limit is low; none if the caller may not read it.
pub async fn low_concurrency(aws: &Aws) -> Option<String> {
    let settings = aws.call("lambda", "get_account_settings", json!({})).await.ok()?;
    warning(settings["AccountLimit"]["ConcurrentExecutions"].as_u64()?)
}

fn warning(at_once: u64) -> Option<String> {
    (at_once < 3 * BUSY_QUEUES).then(|| {
        format!(
            "this account runs at most {at_once} functions at once, and busy queues use {BUSY_QUEUES} of them, so webhooks may be throttled. \
             Request 1,000: aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value 1000"
        )
    })
}

/// Places a call through the simulators and prints the results of its webhooks.
pub async fn call(
    endpoints: &Endpoints,
    tenant: Option<&str>,
    from: &str,
    outcome: &str,
    via: Option<&str>,
) -> Result<()> {
    let tenant = tenant_id(endpoints, tenant)?;
    let mut call = json!({ "tenant": tenant, "from": from, "outcome": outcome });
    if let Some(via) = via {
        call["via"] = via.into();
    }
    let response = reqwest::Client::new()
        .post(format!("{}/calls", endpoints.simulators))
        .json(&call)
        .send()
        .await
        .context("requesting a call from the simulators")?;
    let status = response.status();
    let answer: Value = response.json().await.context("reading the simulators' answer")?;
    if !status.is_success() {
        bail!("the simulators refused the call: {answer}");
    }
    println!(
        "{}",
        serde_json::to_string_pretty(&answer).context("formatting the answer")?
    );
    Ok(())
}

/// The id of a tenant given by id or by a part of its name; of the first one if none is given.
pub fn tenant_id(endpoints: &Endpoints, given: Option<&str>) -> Result<String> {
    let wanted = given.unwrap_or_default().to_lowercase();
    let found = endpoints
        .tenants
        .iter()
        .find(|tenant| tenant.id == wanted || tenant.name.to_lowercase().contains(&wanted));
    match (found, given) {
        (Some(tenant), _) => Ok(tenant.id.clone()),
        // A tenant written by `tenant apply` is not in endpoints.json.
        (None, Some(given)) if given.starts_with("tnt_") => Ok(given.to_owned()),
        (None, _) => bail!("no tenant matches {wanted:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_accounts_limit_is_warned_of() {
        assert!(warning(10).is_some_and(|text| text.contains("L-B99A9384")));
        assert_eq!(warning(1000), None);
    }

    /// The template's concurrency of busy queues.
    #[test]
    fn busy_queues_match_the_template() {
        let template = include_str!("../../../template.yaml");
        let bounds = template.split("MaximumConcurrency: ").skip(1);
        let sum: u64 = bounds
            .filter_map(|rest| rest.split('}').next()?.parse::<u64>().ok())
            .sum();
        assert_eq!(sum, BUSY_QUEUES);
    }
}
