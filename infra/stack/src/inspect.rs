//! Looking inside a running stack: logs, dead letters, the bill; and placing one call.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::{
    aws::Aws,
    bill::Bill,
    build::{self, Function},
    endpoints::Endpoints,
    place::Place,
};

/// Prints a function's log lines, going on if asked.
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

/// What all functions used since a time (milliseconds since 1970).
pub async fn bill(aws: &Aws, place: &Place, stack: &str, since: Option<i64>) -> Result<Bill> {
    let functions = build::functions(&place.root)?;
    let groups: Vec<_> = functions.iter().map(|function| function.log_group(stack)).collect();
    Ok(Bill::of(&aws.logs(&groups, since).await?))
}

/// A queue with its dead letters, by the names of the stack's outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Queue {
    /// Events of calls.
    Calls,
    /// Messages and statuses from providers.
    ProviderEvents,
    /// Messages to send.
    Sends,
    /// E-mails to people who work with Ringback.
    Mails,
}

impl Queue {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Calls, Self::ProviderEvents, Self::Sends, Self::Mails];

    /// The name of the stack's output that holds its dead letters' URL.
    #[must_use]
    pub fn dead_letters(self) -> String {
        format!("{}DeadLettersUrl", self.output())
    }

    const fn output(self) -> &'static str {
        match self {
            Self::Calls => "Calls",
            Self::ProviderEvents => "ProviderEvents",
            Self::Sends => "Sends",
            Self::Mails => "Mails",
        }
    }
}

/// Prints how many dead letters there are and what they are, without bodies: these hold what customers wrote.
pub async fn dead_letters(aws: &Aws, stack: &str) -> Result<()> {
    let outputs = aws.outputs(stack).await?;
    for queue in Queue::ALL {
        let name = queue.dead_letters();
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
        println!("{:16} {waiting}", queue.output());
        // A look, not a claim: they are visible again at once.
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
    Ok(())
}

/// Sends a queue's dead letters back to it.
pub async fn redrive(aws: &Aws, stack: &str, queue: Queue) -> Result<()> {
    let outputs = aws.outputs(stack).await?;
    let url = |name: String| {
        let missing = format!("the stack has no output {name}");
        outputs.get(&name).context(missing)
    };
    let source = url(queue.dead_letters())?;
    if aws.endpoint().is_some() {
        let target = url(format!("{}QueueUrl", queue.output()))?;
        aws.bridge(&["redrive", source, target], &[]).await?;
    } else {
        let question = json!({ "QueueUrl": source, "AttributeNames": ["QueueArn"] });
        let attributes = aws.call("sqs", "get_queue_attributes", question).await?;
        let arn = attributes["Attributes"]["QueueArn"]
            .as_str()
            .context("a queue has an ARN")?;
        aws.call("sqs", "start_message_move_task", json!({ "SourceArn": arn }))
            .await?;
    }
    println!("{}: on their way back.", queue.output());
    Ok(())
}

/// Places a call through the simulators and prints what became of its webhooks.
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
        .context("asking the simulators for a call")?;
    let status = response.status();
    let answer: Value = response.json().await.context("reading the simulators' answer")?;
    if !status.is_success() {
        bail!("the simulators refuse: {answer}");
    }
    println!(
        "{}",
        serde_json::to_string_pretty(&answer).context("showing the answer")?
    );
    Ok(())
}

/// The id of a tenant given by id or by a part of its name; the first one if none is given.
pub fn tenant_id(endpoints: &Endpoints, given: Option<&str>) -> Result<String> {
    let wanted = given.unwrap_or_default().to_lowercase();
    let found = endpoints
        .tenants
        .iter()
        .find(|tenant| tenant.id == wanted || tenant.name.to_lowercase().contains(&wanted));
    match (found, given) {
        (Some(tenant), _) => Ok(tenant.id.clone()),
        // One that `tenant apply` wrote is not in endpoints.json.
        (None, Some(given)) if given.starts_with("tnt_") => Ok(given.to_owned()),
        (None, _) => bail!("no tenant like {wanted:?}"),
    }
}
