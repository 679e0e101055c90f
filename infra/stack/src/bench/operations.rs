//! AWS requests of each operation of the API, from the functions' own log lines.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result};
use domain::Timestamp;
use domain::accounts::{Permission, Role};
use serde::{Deserialize, Serialize};

use crate::api::{Proof, log_in, object_for};
use crate::aws::Aws;
use crate::bill::Line;
use crate::business::{Plan, Town};
use crate::contract::{Contract, Operation};
use crate::play::{Look, Play, until};
use crate::secrets::random_hex;

/// Requests per operation. The cheapest counts, because the others may have met a new process.
const TIMES: usize = 4;

/// Time until log lines appear after the answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Usage of one warm request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Cost {
    pub id: String,
    /// The method: `get` and so on.
    pub method: String,
    pub path: String,
    /// Status of the answer.
    pub status: u16,
    /// Calls by the IAM action they need.
    pub aws: BTreeMap<String, u64>,
    /// Round trips to AWS.
    pub requests: u64,
    /// Read units of the table.
    pub read: f64,
    /// Write units of the table.
    pub write: f64,
}

impl Cost {
    /// Reads of the table.
    pub fn table_reads(&self) -> u64 {
        let reads = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"];
        reads.iter().filter_map(|action| self.aws.get(*action)).sum()
    }
}

/// Calls every operation of a tenant, and the reading ones of a user; `groups` are all functions' log groups.
pub async fn measure(play: &Play, town: &Town, aws: &Aws, groups: &[String], contract: &Contract) -> Result<Vec<Cost>> {
    let tenant = town.open("Measured", Plan::lift_limits).await?;
    let keeper = Proof::Key(tenant.api_key.clone());
    let bearer = format!("Bearer {}", log_in(play, tenant.users.of(Role::Admin)).await?);
    let begun = Timestamp::now().as_millisecond() - 1000;
    let mut asked = Vec::new();
    let mut all: Vec<Operation<'_>> = contract.operations().collect();
    let order = ["get", "post", "patch", "put", "delete"];
    all.sort_by_key(|operation| order.iter().position(|method| *method == operation.method));
    for operation in all {
        let of_tenant = operation.permission().parse::<Permission>().is_ok();
        let looks = operation.method == "get" && operation.permission() == "person";
        if !of_tenant && !looks {
            continue;
        }
        let Some(path) = path(play, &keeper, contract, &operation).await? else {
            continue;
        };
        let proof = match of_tenant {
            true => ("x-api-key", tenant.api_key.as_str()),
            false => ("authorization", bearer.as_str()),
        };
        let method = operation.method.to_uppercase();
        let ask = async |correlation: &str, key: Option<&str>| -> Result<u16> {
            let body = contract.example_body(&operation);
            let mut headers = vec![proof, ("x-correlation-id", correlation)];
            headers.extend(key.map(|key| ("idempotency-key", key)));
            headers.extend(body.iter().map(|(kind, _)| ("content-type", kind.as_str())));
            let text = body.as_ref().map(|(_, body)| body.to_string());
            let answer = play.request(&method, &path, &headers, text.unwrap_or_default());
            Ok(answer.await?.status)
        };
        let mark = random_hex(8)?;
        let mut answers = Vec::new();
        for time in 0..TIMES {
            let correlation = format!("{mark}.{time}");
            // Once: a key costs requests of its own.
            let key = (time == 0 && operation.takes_key()).then_some(mark.as_str());
            let status = ask(&correlation, key).await?;
            if (200..300).contains(&status) {
                answers.push((correlation, status));
            }
            if key.is_some() {
                // What is answered from the stored response is not measured; its role must allow it.
                ask(&format!("{mark}.again"), key).await?;
            }
        }
        if !answers.is_empty() {
            asked.push(Asked { operation, answers });
        }
    }
    collect(aws, groups, begun, &asked).await
}

/// The operation's path with ids of the tenant's own; `None` if there are none.
async fn path(play: &Play, keeper: &Proof, contract: &Contract, operation: &Operation<'_>) -> Result<Option<String>> {
    let mut values = Vec::new();
    for name in operation.parameters() {
        match object_for(play, contract, keeper, operation, name, &values).await? {
            Some(id) => values.push((name, id)),
            None => return Ok(None),
        }
    }
    Ok(Some(operation.path_with(&values)))
}

/// An operation that was asked.
struct Asked<'a> {
    operation: Operation<'a>,
    /// Status of each answer by the request's correlation id.
    answers: Vec<(String, u16)>,
}

async fn collect(aws: &Aws, groups: &[String], begun: i64, asked: &[Asked<'_>]) -> Result<Vec<Cost>> {
    until(PATIENCE, "a log line of every operation", async || {
        let events = aws.logs(groups, Some(begun)).await?;
        let lines = events.iter().filter_map(Line::of);
        let answered = lines.filter(|line| line.status.is_some());
        let lines: BTreeMap<_, _> = answered.map(|line| (line.correlation_id.clone(), line)).collect();
        let cost = |asked: &Asked<'_>| {
            let Asked { operation, answers } = asked;
            let of_all = answers.iter();
            let of_all = of_all.filter_map(|(correlation, status)| Some((lines.get(correlation)?, status)));
            // A process that was killed after its answer left no line; half of the lines are enough.
            let of_all: Vec<_> = of_all.collect();
            if of_all.len() < answers.len().div_ceil(2) {
                return None;
            }
            let (line, status) = of_all.into_iter().min_by_key(|(line, _)| line.aws_requests)?;
            Some(Cost {
                id: operation.id().to_owned(),
                method: operation.method.to_owned(),
                path: operation.path.to_owned(),
                status: *status,
                aws: line.aws.clone(),
                requests: line.aws_requests,
                read: line.capacity.read,
                write: line.capacity.write,
            })
        };
        let costs: Option<Vec<Cost>> = asked.iter().map(cost).collect();
        Ok(Look::from_option(costs, || format!("{} lines", lines.len())))
    })
    .await
    .context("reading what the operations used")
}
