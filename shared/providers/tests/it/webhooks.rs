//! Attempts to deliver events: the request that a receiver gets, and the outcomes of its answers.

use std::time::Duration;

use domain::Timestamp;
use domain::terms::EventId;
use domain::webhooks::{AnswerHint, AttemptOutcome};
use providers::guarded::{Guard, GuardedClient};
use providers::standard_webhooks::{SigningSecret, signature_header};
use providers::webhooks::{AttemptEnd, EventRequest, OwnHeader, send_event};
use ulid::Ulid;
use wiremock::{MockServer, ResponseTemplate};

use crate::server::{answering, last, text_answer};

const BODY: &str = r#"{"type":"call.decided","timestamp":"2026-11-20T08:00:00Z","data":{}}"#;

fn id() -> EventId {
    EventId::new(Ulid::from_parts(1, 7))
}

fn at() -> Timestamp {
    Timestamp::from_second(1_795_161_600).unwrap()
}

/// Sends an event to this address, which may be of the machine itself.
async fn send(address: &str, secrets: &[SigningSecret], header: Option<&OwnHeader>) -> AttemptEnd {
    let guard = Guard::of_local_stack(address).unwrap();
    let client = GuardedClient::new(guard, "ringback/test".to_owned(), Duration::from_millis(500));
    let request = EventRequest {
        url: &format!("{address}/hook?key=1").parse().unwrap(),
        id: id(),
        at: at(),
        body: BODY.as_bytes().to_vec(),
        secrets,
        header,
    };
    send_event(&client, request).await
}

async fn answer_of(server: &MockServer) -> AttemptEnd {
    send(&server.uri(), &[], None).await
}

#[tokio::test]
async fn request_has_the_headers_of_standard_webhooks() {
    let server = answering("POST", ResponseTemplate::new(204)).await;
    let secrets = [1, 2].map(|byte| SigningSecret::of_random([byte; 30]));
    let header = OwnHeader {
        name: "X-Token".parse().unwrap(),
        value: "s3cret".parse().unwrap(),
    };
    let end = send(&server.uri(), &secrets, Some(&header)).await;
    assert_eq!((end.outcome, end.status), (AttemptOutcome::Delivered, Some(204)));
    let request = last(&server).await;
    assert_eq!(request.body, BODY.as_bytes());
    assert_eq!(request.url.query(), Some("key=1"));
    let signature = signature_header(&secrets, &id().to_string(), at(), BODY.as_bytes());
    assert_eq!(signature.split(' ').count(), 2);
    for (name, value) in [
        ("content-type", "application/json"),
        ("webhook-id", &id().to_string()),
        ("webhook-timestamp", "1795161600"),
        ("webhook-signature", &signature),
        ("x-token", "s3cret"),
        ("user-agent", "ringback/test"),
    ] {
        let values: Vec<_> = request.headers.get_all(name).iter().collect();
        assert_eq!(values, [value], "{name}");
    }
}

#[tokio::test]
async fn answers_end_an_attempt_by_the_table() {
    use AttemptOutcome::{Delivered, Gone, Refused};
    for (status, body, outcome, hint) in [
        (200, "", Delivered, None),
        (299, "{}", Delivered, None),
        (301, "", Refused, None),
        (400, "no", Refused, None),
        (410, "", Gone, None),
        (502, "", Refused, None),
        (
            200,
            "n8n is starting up. Please wait",
            Refused,
            Some(AnswerHint::N8nStartingUp),
        ),
        (
            403,
            "Authorization data is wrong!",
            Refused,
            Some(AnswerHint::N8nAuthorization),
        ),
    ] {
        let end = answer_of(&answering("POST", text_answer(status, body)).await).await;
        let answer = (!body.is_empty()).then(|| body.to_owned());
        let expected = AttemptEnd {
            outcome,
            status: Some(status),
            pause: None,
            hint,
            answer,
        };
        assert_eq!(end, expected);
    }
    let busy = ResponseTemplate::new(429).insert_header("retry-after", "120");
    let end = answer_of(&answering("POST", busy).await).await;
    assert_eq!(end.pause.map(|pause| pause.as_secs()), Some(120));
}

#[tokio::test]
async fn attempts_without_an_answer_say_why() {
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_secs(30));
    let slow = answering("POST", slow).await;
    assert_eq!(answer_of(&slow).await.outcome, AttemptOutcome::TimedOut);
    let nowhere = send("http://127.0.0.1:1", &[], None).await;
    assert_eq!((nowhere.outcome, nowhere.status), (AttemptOutcome::NotReached, None));
    let client = GuardedClient::new(Guard::default(), String::new(), Duration::from_secs(1));
    let request = EventRequest {
        url: &"https://127.0.0.1/".parse().unwrap(),
        id: id(),
        at: at(),
        body: Vec::new(),
        secrets: &[],
        header: None,
    };
    assert_eq!(send_event(&client, request).await.outcome, AttemptOutcome::Blocked);
}

/// A status says enough: whoever streams for ever has still accepted the event.
#[tokio::test]
async fn endless_answer_counts_by_its_status() {
    let long = ResponseTemplate::new(200).set_body_raw(vec![b'a'; 1_000_000], "text/plain");
    let end = answer_of(&answering("POST", long).await).await;
    assert_eq!(end.outcome, AttemptOutcome::Delivered);
    assert_eq!(end.answer.map(|answer| answer.len()), Some(1_024));
}
