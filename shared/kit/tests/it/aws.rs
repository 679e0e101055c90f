//! Queues and the bucket, against the emulator.

use aws_lambda_events::sqs::SqsEvent;
use domain::terms::Lane;
use jiff::SignedDuration;
use jobs::{NextJob, SendMessage, ToQueue};
use kit::queue::{BULK_DEAD_LETTERS, work_batch};
use kit::{Done, Entry, Env, Job, JobError, Queue, QueueName, Queues, RawBucket};
use serde_json::json;
use store::StoreError;
use testkit::Aws;
use testkit::aws::DEAD_LETTERS;

use crate::queue::job;

fn send_message(number: u32) -> SendMessage {
    serde_json::from_value(job(number)).unwrap()
}

fn entry(number: u32) -> Entry {
    Entry::new(&send_message(number)).unwrap()
}

/// Address of a queue without a listener.
const NOWHERE: &str = "http://127.0.0.1:9/000000000000/none";

/// A record of the queue at this address, as its event source gives it.
fn record(queue: &str) -> SqsEvent {
    let name = queue.rsplit('/').next().unwrap();
    let event = json!({"Records": [{
        "messageId": "1", "receiptHandle": "none", "body": job(1).to_string(),
        "attributes": {"ApproximateReceiveCount": "1", "MessageGroupId": "tnt_1"},
        "eventSourceARN": format!("arn:aws:sqs:us-east-1:000000000000:{name}"),
    }]});
    serde_json::from_value(event).unwrap()
}

/// The error of a write that can never succeed.
fn impossible() -> JobError {
    let (doing, source) = ("write a message", "the key is too long".into());
    StoreError::Invalid { doing, source }.into()
}

#[tokio::test]
async fn jobs_are_batched_and_grouped_by_tenant() {
    let aws = Aws::new().await;
    let queue = Queue::new(aws.env(), QueueName::Sends).unwrap();
    queue.send_all((1..=23).map(entry).collect()).await.unwrap();
    assert_eq!(queue.depth().await.unwrap(), 23);
    let jobs = aws.drain_with_groups(QueueName::Sends).await;
    assert_eq!(jobs.len(), 23);
    assert!(
        jobs.iter()
            .all(|(group, body)| *group == body["tenant"] && body["type"] == "send_message")
    );
}

/// A failing record returns later than the queue's visibility time-out alone would cause.
#[tokio::test]
async fn failing_record_returns_with_backoff() {
    let aws = Aws::new().await;
    let queue = Queue::new(aws.env(), QueueName::Sends).unwrap();
    queue.send_all(vec![entry(1)]).await.unwrap();
    let url = aws.env().config().text("SENDS_QUEUE_URL").unwrap();
    let receive = || aws.env().sqs().receive_message().queue_url(url);
    let first = receive().visibility_timeout(1).wait_time_seconds(0);
    let message = first.send().await.unwrap().messages.unwrap().remove(0);
    let name = url.rsplit('/').next().unwrap();
    let account = url.rsplit('/').nth(1).unwrap();
    let event: SqsEvent = serde_json::from_value(json!({"Records": [{
        "messageId": message.message_id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": {"ApproximateReceiveCount": "3"},
        "eventSourceARN": format!("arn:aws:sqs:us-east-1:{account}:{name}"),
    }]}))
    .unwrap();
    let fails = async |_: Job<SendMessage>, (): &()| -> Result<Done, JobError> { Err(JobError::new("not now")) };
    let response = work_batch(aws.env(), event, &(), &fails).await;
    assert_eq!(response.batch_item_failures.len(), 1);
    // One second comes from the queue, 40 from the kit.
    let again = receive().wait_time_seconds(2).send().await.unwrap();
    assert!(again.messages.unwrap_or_default().is_empty());
    assert_eq!(queue.depth().await.unwrap(), 1, "it is not lost");
}

#[tokio::test]
async fn impossible_write_is_a_dead_letter_at_once() {
    let aws = Aws::new().await;
    let dead = aws.env().config().text(DEAD_LETTERS).unwrap().to_owned();
    let event = |env: &Env| record(env.config().text("SENDS_QUEUE_URL").unwrap());
    let fails = async |_: Job<SendMessage>, (): &()| -> Result<Done, JobError> { Err(impossible()) };
    let response = work_batch(aws.env(), event(aws.env()), &(), &fails).await;
    assert!(response.batch_item_failures.is_empty(), "it does not come again");
    let received = aws.env().sqs().receive_message().queue_url(&dead);
    let received = received.send().await.unwrap().messages.unwrap_or_default();
    assert_eq!(received[0].body.as_deref(), Some(&*job(1).to_string()));
    // If it cannot become a dead letter, it stays in its queue.
    for nowhere in ["", NOWHERE] {
        let env = aws.env_with(&[(DEAD_LETTERS, nowhere)]);
        let response = work_batch(&env, event(&env), &(), &fails).await;
        assert_eq!(response.batch_item_failures.len(), 1, "{nowhere}");
    }
}

#[tokio::test]
async fn refused_jobs_are_spilled_and_swept_back() {
    let aws = Aws::new().await;
    let nowhere = aws.env_with(&[("CALLS_QUEUE_URL", NOWHERE)]);
    let bucket = RawBucket::new(aws.env()).unwrap();
    let refusing = Queue::new(&nowhere, QueueName::Calls).unwrap().or_bucket(&bucket);
    refusing.send_all(vec![entry(1), entry(2)]).await.unwrap();
    let keys = bucket.list_spilled_jobs(QueueName::Calls, 10).await.unwrap();
    assert_eq!(keys.len(), 2);
    assert!(
        bucket
            .list_spilled_jobs(QueueName::ProviderEvents, 10)
            .await
            .unwrap()
            .is_empty()
    );
    let queue = Queue::new(aws.env(), QueueName::Calls).unwrap();
    for key in &keys {
        let job = bucket.read_spilled(key).await.unwrap().unwrap();
        queue.send_all(vec![Entry::from_spilled(job)]).await.unwrap();
        bucket.delete_spilled(key).await.unwrap();
        let again = bucket.read_spilled(key).await.unwrap();
        assert!(again.is_none(), "another sweep was faster");
    }
    assert_eq!(aws.drain(QueueName::Calls).await.len(), 2);
    let lost = Queue::new(&nowhere, QueueName::Calls).unwrap();
    assert!(lost.send_all(vec![entry(1)]).await.is_err(), "nowhere safe");
    // Queues that webhooks do not fill are not swept: the job is refused instead of lost in the bucket.
    let nowhere = aws.env_with(&[("SENDS_QUEUE_URL", NOWHERE)]);
    let unswept = Queue::new(&nowhere, QueueName::Sends).unwrap().or_bucket(&bucket);
    assert!(unswept.send_all(vec![entry(1)]).await.is_err());
    assert!(bucket.list_spilled_jobs(QueueName::Sends, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn requests_are_counted_by_iam_action() {
    let aws = Aws::new().await;
    let _ = store::table::usage::take();
    let bucket = RawBucket::new(aws.env()).unwrap();
    let key = bucket.keep_raw("unreadable", "test", b"bytes".to_vec()).await.unwrap();
    assert!(key.starts_with("raw/unreadable/test/"), "{key}");
    assert_eq!(bucket.read_raw(&key).await.unwrap().as_deref(), Some(&b"bytes"[..]));
    let queue = Queue::new(aws.env(), QueueName::Calls).unwrap();
    queue.send_all(vec![entry(1)]).await.unwrap();
    aws.store().ping().await.unwrap();
    // Other tests of this process count too, so there may be more.
    let usage = store::table::usage::take();
    for action in ["s3:PutObject", "s3:GetObject", "sqs:SendMessage", "dynamodb:GetItem"] {
        assert!(usage.actions.contains_key(action), "{action}: {usage:?}");
    }
}

/// Each job goes into the queue of its lane, for its time; what is later is left to the due index.
#[tokio::test]
async fn jobs_go_into_the_queue_of_their_lane() {
    let aws = Aws::new().await;
    let (now, names) = (aws.now(), [QueueName::Sends, QueueName::BulkSends]);
    let next = |lane, number, seconds| ToQueue {
        job: NextJob::Send(lane, send_message(number)),
        not_before: now + SignedDuration::from_secs(seconds),
    };
    let queues = Queues::new(aws.env(), &names).unwrap();
    let jobs = vec![
        next(Lane::Answers, 1, -5),
        next(Lane::Bulk, 2, 0),
        next(Lane::Answers, 3, 900),
        next(Lane::Answers, 4, 901),
    ];
    assert_eq!(queues.enqueue(jobs, now).await.unwrap(), 3);
    assert_eq!(aws.depth(QueueName::Sends).await, 2, "one of them for later");
    assert_eq!(aws.drain(QueueName::BulkSends).await, [job(2)]);
    // A queue that a function was not given is a bug.
    let only = Queues::new(aws.env(), &[QueueName::Sends]).unwrap();
    assert!(only.enqueue(vec![next(Lane::Bulk, 5, 0)], now).await.is_err());
    // One that does not answer keeps no other's jobs.
    let nowhere = aws.env_with(&[("BULK_SENDS_QUEUE_URL", NOWHERE)]);
    let queues = Queues::new(&nowhere, &[QueueName::BulkSends, QueueName::Sends]).unwrap();
    let jobs = vec![next(Lane::Bulk, 6, 0), next(Lane::Answers, 7, 0)];
    assert!(queues.enqueue(jobs, now).await.is_err());
    assert_eq!(aws.depth(QueueName::Sends).await, 3);
}

/// Records of two queues that one function works are laid aside each in its own dead letters.
#[tokio::test]
async fn hopeless_bulk_record_goes_to_its_own_dead_letters() {
    let aws = Aws::new().await;
    // Any other queue of the test's will do.
    let letters = aws.env().config().text("MAILS_QUEUE_URL").unwrap().to_owned();
    let env = aws.env_with(&[(BULK_DEAD_LETTERS, &letters)]);
    let fails = async |_: Job<SendMessage>, (): &()| -> Result<Done, JobError> { Err(impossible()) };
    for (queue, laid_aside) in [("SENDS_QUEUE_URL", 0), ("BULK_SENDS_QUEUE_URL", 1)] {
        let event = record(env.config().text(queue).unwrap());
        let response = work_batch(&env, event, &(), &fails).await;
        assert!(response.batch_item_failures.is_empty());
        assert_eq!(aws.depth(QueueName::Mails).await, laid_aside, "{queue}");
    }
}
