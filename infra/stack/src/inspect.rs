//! Inspection of a running stack: logs, dead letters, the bill; and placing one call.

mod changes;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::aws::{Aws, Session, output};
use crate::bill::Bill;
use crate::build::{self, Function};
use crate::endpoints::Endpoints;
use crate::inspect::changes::Follower;
use crate::place::Place;
use crate::play::Play;

/// Prints a function's log lines and, if asked, follows them. Its log group has those of other functions, too.
pub async fn logs(aws: &Aws, stack: &str, function: &Function, follow: bool) -> Result<()> {
    let groups = [function.log_group(stack)];
    let mut since = None;
    loop {
        for event in aws.logs(&groups, since).await? {
            if event.is_of(function, stack) {
                println!("{}", event.message.trim_end());
            }
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
    let groups = build::log_groups(&functions, stack);
    Ok(Bill::of(&aws.logs(&groups, since).await?))
}

/// A stack's queue and its dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Its name in the stack's outputs, such as `ProviderEvents`.
    pub name: String,
    pub url: String,
    /// The URL of the queue of its dead letters.
    pub dead_letters: String,
}

impl Queue {
    /// The queues among a stack's outputs.
    pub fn all(outputs: &BTreeMap<String, String>) -> Vec<Self> {
        let queue = |(output, url): (&String, &String)| {
            let name = output.strip_suffix("QueueUrl")?;
            Some(Self {
                name: name.to_owned(),
                url: url.clone(),
                dead_letters: outputs.get(&format!("{name}DeadLettersUrl"))?.clone(),
            })
        };
        outputs.iter().filter_map(queue).collect()
    }

    /// Its name in commands, such as `provider-events`.
    fn word(&self) -> String {
        let mut word = String::new();
        for letter in self.name.chars() {
            if letter.is_ascii_uppercase() && !word.is_empty() {
                word.push('-');
            }
            word.push(letter.to_ascii_lowercase());
        }
        word
    }
}

/// Messages of the queue at this URL: those that can be received, those in flight, and delayed ones.
pub async fn depth(aws: &Session, url: &str) -> Result<[u64; 3]> {
    let asked = json!({ "QueueUrl": url, "AttributeNames": ["All"] });
    let answer = aws.call("sqs", "get_queue_attributes", asked).await?;
    let mut counts = [0; 3];
    for (count, state) in counts.iter_mut().zip(["", "NotVisible", "Delayed"]) {
        let known = answer["Attributes"][format!("ApproximateNumberOfMessages{state}")].as_str();
        let known = known.with_context(|| format!("SQS counts no messages: {answer}"))?;
        *count = known.parse::<u64>().context("reading a queue's depth")?;
    }
    Ok(counts)
}

/// Changes of the table that are missing in day counters and the audit log, in commands.
pub const CHANGES: &str = "changes";

/// Changes of the table that people and software were not told of, in commands.
pub const EVENTS: &str = "events";

/// Prints the number and kind of dead letters and of given-up changes, without bodies: these contain customers' messages.
pub async fn dead_letters(aws: &Aws, stack: &str) -> Result<()> {
    let (outputs, session) = (aws.outputs(stack).await?, aws.session()?);
    for queue in Queue::all(&outputs) {
        let url = &queue.dead_letters;
        let [waiting, ..] = depth(&session, url).await?;
        println!("{:16} {waiting}", queue.name);
        // Only a look: they are visible again at once.
        let look =
            json!({ "QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 0, "AttributeNames": ["All"] });
        let messages = session.call("sqs", "receive_message", look).await?;
        for message in messages["Messages"].as_array().into_iter().flatten() {
            let body = message["Body"].as_str().unwrap_or_default();
            let body: Value = serde_json::from_str(body).unwrap_or_default();
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
    let given_up = changes::list(&session, output(&outputs, BUCKET)?).await?;
    for follower in Follower::ALL {
        let batches: Vec<_> = given_up.iter().filter(|batch| batch.of == follower).collect();
        println!("{:16} {}", follower.title(), batches.len());
        for batch in batches {
            println!("  {} {} bytes, {}", batch.key, batch.bytes, batch.since);
        }
    }
    Ok(())
}

/// The output that names the bucket with given-up changes.
const BUCKET: &str = "RawBucketName";

/// Sends the dead letters of the queue of this name back to it, or lets a function process what it gave up: [`CHANGES`] or [`EVENTS`].
pub async fn redrive(aws: &Aws, place: &Place, stack: &str, letters: &str) -> Result<()> {
    let outputs = aws.outputs(stack).await?;
    if let Some(of) = Follower::ALL.into_iter().find(|follower| follower.word() == letters) {
        let function = build::function(&place.root, of.function())?.deployed_name(stack);
        let worked = changes::work(&aws.session()?, output(&outputs, BUCKET)?, of, &function).await?;
        println!("{}: {worked} batches processed.", of.title());
        return Ok(());
    }
    let queue = find(Queue::all(&outputs), letters)?;
    if aws.endpoint().is_some() {
        aws.bridge(&["redrive", &queue.dead_letters, &queue.url]).await?;
    } else {
        let session = aws.session()?;
        let source = arn(&session, &queue.dead_letters).await?;
        // The target is named, because records that a function itself put there have no source queue.
        let task = json!({ "SourceArn": source, "DestinationArn": arn(&session, &queue.url).await? });
        session.call("sqs", "start_message_move_task", task).await?;
    }
    println!("{}: dead letters are being sent back.", queue.name);
    Ok(())
}

/// The queue of this name; the error lists all names.
fn find(queues: Vec<Queue>, word: &str) -> Result<Queue> {
    let words: Vec<String> = queues.iter().map(Queue::word).collect();
    let words = words.join(", ");
    let found = queues.into_iter().find(|queue| queue.word() == word);
    found.with_context(|| format!("no queue `{word}`; the queues are {words}, or say {CHANGES} or {EVENTS}"))
}

async fn arn(session: &Session, queue: &str) -> Result<String> {
    let question = json!({ "QueueUrl": queue, "AttributeNames": ["QueueArn"] });
    let attributes = session.call("sqs", "get_queue_attributes", question).await?;
    let arn = attributes["Attributes"]["QueueArn"].as_str();
    arn.map(str::to_owned).context("a queue has an ARN")
}

/// Functions that run at the same time when the queues are busy: the sum of the template's `MaximumConcurrency`, by default where it is a
/// parameter. Webhooks need the rest.
pub fn busy_queues(template: &str) -> u64 {
    let number = |rest: &str| {
        let end = rest.find(|letter: char| !letter.is_ascii_digit());
        rest[..end.unwrap_or(rest.len())].parse::<u64>().ok()
    };
    let default = |rest: &str| {
        let name = rest.strip_prefix("!Ref ")?.split('}').next()?;
        let (_, parameter) = template.split_once(&format!("\n  {name}:\n"))?;
        number(parameter.split_once("Default: ")?.1)
    };
    let bounds = template.split("MaximumConcurrency: ").skip(1);
    bounds.filter_map(|rest| number(rest).or_else(|| default(rest))).sum()
}

/// A warning if the account's concurrency limit is low; none if the caller may not read it.
pub async fn low_concurrency(aws: &Aws, place: &Place) -> Option<String> {
    let template = std::fs::read_to_string(place.root.join("template.yaml")).ok()?;
    let settings = aws.call("lambda", "get_account_settings", json!({})).await.ok()?;
    let at_once = settings["AccountLimit"]["ConcurrentExecutions"].as_u64()?;
    warning(at_once, busy_queues(&template))
}

fn warning(at_once: u64, busy: u64) -> Option<String> {
    (at_once < 3 * busy).then(|| {
        format!(
            "this account runs at most {at_once} functions at once, and busy queues use {busy} of them, so webhooks may be throttled. \
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
    let play = Box::pin(Play::new(endpoints.clone())).await?;
    let answer = play.post("/calls", &call).await?;
    println!("{answer:#}");
    Ok(())
}

/// The id of a tenant given by id or by a part of its name; of the first one if none is given.
pub fn tenant_id(endpoints: &Endpoints, given: Option<&str>) -> Result<String> {
    let wanted = given.unwrap_or_default().to_lowercase();
    let mut tenants = endpoints.tenants.iter();
    let found = tenants.find(|tenant| tenant.id == wanted || tenant.name.to_lowercase().contains(&wanted));
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
        assert!(warning(10, 37).is_some_and(|text| text.contains("L-B99A9384")));
        assert_eq!(warning(1000, 37), None);
    }

    #[test]
    fn busy_queues_are_counted_in_the_template() {
        let sources = "\n  Few:\n    Default: 7\nScalingConfig: {MaximumConcurrency: 5}\n  ScalingConfig:\n    MaximumConcurrency: 32\n\
            ScalingConfig: {MaximumConcurrency: !Ref Few} # a parameter\n";
        assert_eq!(busy_queues(sources), 44);
    }
}
