//! Queues and the bucket, against the emulator.

use aws_lambda_events::sqs::SqsEvent;
use jobs::SendMessage;
use kit::{Done, Entry, Job, JobError, Queue, QueueName, RawBucket, queue::work_batch};
use serde_json::json;
use store::StoreError;
use testkit::{Aws, aws::DEAD_LETTERS};

use crate::queue::job;

fn send_message(number: u32) -> SendMessage {
    serde_json::from_value(job(number)).unwrap()
}

#[tokio::test]
async fn jobs_are_batched_and_grouped_by_tenant() {
    let aws = Aws::new().await;
    let queue = Queue::new(aws.env(), QueueName::Sends).unwrap();
    let entries = (1..=23)
        .map(|number| Entry::new(&send_message(number)).unwrap())
        .collect();
    queue.send_all(entries).await.unwrap();
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
    queue
        .send_all(vec![Entry::new(&send_message(1)).unwrap()])
        .await
        .unwrap();
    let url = aws.env().config().text("SENDS_QUEUE_URL").unwrap();
    let receive = aws
        .env()
        .sqs()
        .receive_message()
        .queue_url(url)
        .visibility_timeout(1)
        .wait_time_seconds(0);
    let message = receive.send().await.unwrap().messages.unwrap().remove(0);
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
    let again = aws
        .env()
        .sqs()
        .receive_message()
        .queue_url(url)
        .wait_time_seconds(2)
        .send()
        .await
        .unwrap();
    assert!(again.messages.unwrap_or_default().is_empty());
    assert_eq!(queue.depth().await.unwrap(), 1, "it is not lost");
}

#[tokio::test]
async fn impossible_write_is_a_dead_letter_at_once() {
    let aws = Aws::new().await;
    let dead = aws.env().config().text(DEAD_LETTERS).unwrap().to_owned();
    let event = |env: &kit::Env| {
        let queue = env.config().text("SENDS_QUEUE_URL").unwrap();
        let name = queue.rsplit('/').next().unwrap();
        let event = json!({"Records": [{
            "messageId": "1", "receiptHandle": "none", "body": job(1).to_string(),
            "attributes": {"ApproximateReceiveCount": "1", "MessageGroupId": "tnt_1"},
            "eventSourceARN": format!("arn:aws:sqs:us-east-1:000000000000:{name}"),
        }]});
        serde_json::from_value::<SqsEvent>(event).unwrap()
    };
    let fails = async |_: Job<SendMessage>, (): &()| -> Result<Done, JobError> {
        Err(StoreError::Invalid {
            doing: "write a message",
            source: "the key is too long".into(),
        }
        .into())
    };
    let response = work_batch(aws.env(), event(aws.env()), &(), &fails).await;
    assert!(response.batch_item_failures.is_empty(), "it does not come again");
    let received = aws.env().sqs().receive_message().queue_url(&dead);
    let received = received.send().await.unwrap().messages.unwrap_or_default();
    assert_eq!(received[0].body.as_deref(), Some(&*job(1).to_string()));
    // If it cannot become a dead letter, it stays in its queue.
    for nowhere in ["", "http://127.0.0.1:9/000000000000/none"] {
        let env = aws.env_with(&[(DEAD_LETTERS, nowhere)]);
        let response = work_batch(&env, event(&env), &(), &fails).await;
        assert_eq!(response.batch_item_failures.len(), 1, "{nowhere}");
    }
}

#[tokio::test]
async fn refused_jobs_are_spilled_and_swept_back() {
    let aws = Aws::new().await;
    let nowhere = aws.env_with(&[("CALLS_QUEUE_URL", "http://127.0.0.1:9/000000000000/none")]);
    let bucket = RawBucket::new(aws.env()).unwrap();
    let refusing = Queue::new(&nowhere, QueueName::Calls).unwrap().or_bucket(&bucket);
    let entries = (1..=2)
        .map(|number| Entry::new(&send_message(number)).unwrap())
        .collect();
    refusing.send_all(entries).await.unwrap();
    let keys = bucket.spilled(QueueName::Calls, 10).await.unwrap();
    assert_eq!(keys.len(), 2);
    assert!(bucket.spilled(QueueName::ProviderEvents, 10).await.unwrap().is_empty());
    let queue = Queue::new(aws.env(), QueueName::Calls).unwrap();
    for key in &keys {
        let job = bucket.read_spilled(key).await.unwrap().unwrap();
        queue.send_all(vec![Entry::from_spilled(job)]).await.unwrap();
        bucket.delete_spilled(key).await.unwrap();
        assert!(
            bucket.read_spilled(key).await.unwrap().is_none(),
            "another sweep was faster"
        );
    }
    assert_eq!(aws.drain(QueueName::Calls).await.len(), 2);
    let lost = Queue::new(&nowhere, QueueName::Calls).unwrap();
    assert!(
        lost.send_all(vec![Entry::new(&send_message(1)).unwrap()])
            .await
            .is_err(),
        "nowhere safe"
    );
    // Queues that webhooks do not fill are not swept: the job is refused instead of lost in the bucket.
    let nowhere = aws.env_with(&[("SENDS_QUEUE_URL", "http://127.0.0.1:9/000000000000/none")]);
    let unswept = Queue::new(&nowhere, QueueName::Sends).unwrap().or_bucket(&bucket);
    let entries = vec![Entry::new(&send_message(1)).unwrap()];
    assert!(unswept.send_all(entries).await.is_err());
    assert!(bucket.spilled(QueueName::Sends, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn requests_are_counted_by_iam_action() {
    let aws = Aws::new().await;
    let _ = store::usage::take();
    let bucket = RawBucket::new(aws.env()).unwrap();
    let key = bucket.keep_raw("unreadable", "test", b"bytes".to_vec()).await.unwrap();
    assert!(key.starts_with("raw/unreadable/test/"), "{key}");
    assert_eq!(bucket.read_raw(&key).await.unwrap().as_deref(), Some(&b"bytes"[..]));
    Queue::new(aws.env(), QueueName::Calls)
        .unwrap()
        .send_all(vec![Entry::new(&send_message(1)).unwrap()])
        .await
        .unwrap();
    aws.store().ping().await.unwrap();
    // Other tests of this process count too, so there may be more.
    let usage = store::usage::take();
    for action in ["s3:PutObject", "s3:GetObject", "sqs:SendMessage", "dynamodb:GetItem"] {
        assert!(usage.actions.contains_key(action), "{action}: {usage:?}");
    }
}
