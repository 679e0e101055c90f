//! Batches of a queue.

use std::sync::Mutex;

use aws_lambda_events::sqs::SqsEvent;
use domain::terms::TenantId;
use jobs::{CallJob, JobBody, SendMessage};
use kit::queue::work_batch;
use kit::{Clock, Config, Done, Env, Ids, Job, JobError};
use serde_json::{Value, json};

pub(crate) fn env() -> Env {
    env_with(&[])
}

pub(crate) fn env_with(more: &[(&str, &str)]) -> Env {
    let variables = [
        ("STAGE", "dev"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "a"),
        ("AWS_SECRET_ACCESS_KEY", "b"),
    ];
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let config = Config::from_variables(variables.iter().chain(more).map(own)).unwrap();
    let clock = Clock::new_fixed("2026-11-20T12:00:00Z".parse().unwrap());
    Env::new("test", config, clock.clone(), Ids::from_seed(clock, 1)).unwrap()
}

pub(crate) fn job(number: u32) -> Value {
    let ids = Ids::from_seed(Clock::new_fixed("2026-11-20T12:00:00Z".parse().unwrap()), 1);
    let message = domain::terms::MessageId::new(domain::terms::ContactId::new(ids.ulid()), ids.ulid());
    json!({
        "type": "send_message",
        "tenant": TenantId::new(ids.ulid()),
        "correlation_id": format!("c{number}"),
        "message": message,
        "attempt": number,
    })
}

fn event(bodies: &[(&str, String)]) -> SqsEvent {
    let records: Vec<Value> = bodies
        .iter()
        .map(|(id, body)| json!({"messageId": id, "body": body, "attributes": {"ApproximateReceiveCount": "2"}}))
        .collect();
    serde_json::from_value(json!({"Records": records})).unwrap()
}

#[derive(Default)]
struct Context {
    worked: Mutex<Vec<(u32, u32, bool, String)>>,
}

async fn handle(job: Job<SendMessage>, context: &Context) -> Result<Done, JobError> {
    assert_eq!(job.scope().tenant(), job.body.tenant());
    let seen = (
        job.body.attempt,
        job.receive_count,
        job.was_delivered_before(),
        job.correlation_id().to_owned(),
    );
    context.worked.lock().unwrap().push(seen);
    match job.body.attempt {
        1 => Ok(Done::Now),
        2 => Ok(Done::Already),
        3 => Err(JobError::new("the table is away")),
        4 => panic!("a bug"),
        _ => Err("x".parse::<u32>().unwrap_err().into()),
    }
}

#[tokio::test]
async fn failing_record_does_not_affect_the_others() {
    let bodies: Vec<(String, String)> = (1..=5)
        .map(|number| (format!("m{number}"), job(number).to_string()))
        .collect();
    let mut bodies: Vec<(&str, String)> = bodies.iter().map(|(id, body)| (id.as_str(), body.clone())).collect();
    bodies.push(("m6", "not json".to_owned()));
    bodies.push(("m7", json!({"type": "send_message"}).to_string()));
    let context = Context::default();
    let response = work_batch(&env(), event(&bodies), &context, &handle).await;
    let mut failed: Vec<_> = response
        .batch_item_failures
        .into_iter()
        .map(|failure| failure.item_identifier)
        .collect();
    failed.sort();
    assert_eq!(failed, ["m3", "m4", "m5", "m6", "m7"], "none of them is lost");
    let mut worked = context.worked.into_inner().unwrap();
    worked.sort();
    assert_eq!(worked.len(), 5);
    assert_eq!(worked[0], (1, 2, true, "c1".to_owned()));
}

#[tokio::test]
async fn batch_without_failures_reports_none() {
    let context = Context::default();
    let response = work_batch(&env(), event(&[("m1", job(1).to_string())]), &context, &handle).await;
    assert_eq!(
        serde_json::to_value(&response).unwrap(),
        json!({"batchItemFailures": []})
    );
}

fn look(call: &str, correlation_id: &str) -> String {
    let ids = Ids::from_seed(Clock::new_fixed("2026-11-20T12:00:00Z".parse().unwrap()), 1);
    let look = json!({
        "type": "decide",
        "tenant": TenantId::new(ids.ulid()),
        "correlation_id": correlation_id,
        "connection": domain::terms::ConnectionId::new(ids.ulid()),
        "provider": "twilio",
        "provider_call_id": call,
    });
    look.to_string()
}

/// Reports of one call in a batch are processed one after the other.
#[tokio::test]
async fn records_of_one_call_run_in_turn_and_block_no_others() {
    #[derive(Default)]
    struct Seen(Mutex<(Vec<String>, Vec<String>, usize)>);
    let handle = async |job: Job<CallJob>, seen: &Seen| {
        let call = job.body.in_turn().unwrap().to_owned();
        {
            let (inside, order, most) = &mut *seen.0.lock().unwrap();
            assert!(!inside.contains(&call), "two at once");
            inside.push(call.clone());
            order.push(job.correlation_id().to_owned());
            *most = (*most).max(inside.len());
        }
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        seen.0.lock().unwrap().0.retain(|inside| *inside != call);
        Ok::<_, JobError>(Done::Now)
    };
    let calls = ["CA1", "CA2", "CA1", "CA1", "CA2"];
    let bodies: Vec<(&str, String)> = ["1", "2", "3", "4", "5"]
        .into_iter()
        .zip(calls)
        .map(|(id, call)| (id, look(call, id)))
        .collect();
    let seen = Seen::default();
    let response = work_batch(&env(), event(&bodies), &seen, &handle).await;
    assert!(response.batch_item_failures.is_empty());
    let (_, order, most) = seen.0.into_inner().unwrap();
    assert_eq!(most, 2, "both calls at once");
    let of_first: Vec<_> = order
        .iter()
        .filter(|id| ["1", "3", "4"].contains(&id.as_str()))
        .collect();
    assert_eq!(of_first, ["1", "3", "4"], "in their order");
}
