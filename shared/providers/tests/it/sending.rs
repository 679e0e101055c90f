//! Shared parts of the tests of sending: recipients, contents, and the classes of answers.

use domain::messages::{Content, SendOutcome};
use domain::terms::{ContactId, ErrorClass, MessageId, Recipient, SendKey};
use serde_json::Value;
use ulid::Ulid;
use wiremock::{MockServer, ResponseTemplate};

use crate::fixtures;
use crate::server::answering;

pub(crate) fn key() -> SendKey {
    SendKey {
        message: MessageId::new(ContactId::new(Ulid::from_parts(1, 2)), Ulid::from_parts(1, 3)),
        attempt: 1,
    }
}

pub(crate) fn maya() -> Recipient {
    Recipient {
        phone: Some("+447700900111".parse().unwrap()),
        bsuid: None,
    }
}

pub(crate) fn tom() -> Recipient {
    Recipient {
        phone: None,
        bsuid: Some("GB.7000000000000222".to_owned()),
    }
}

pub(crate) const fn empty_recipient() -> Recipient {
    Recipient {
        phone: None,
        bsuid: None,
    }
}

pub(crate) fn text(body: &str) -> Content {
    Content::Text(body.to_owned())
}

/// Content in its stored form.
pub(crate) fn stored_content(content: Value) -> Content {
    serde_json::from_value(content).unwrap()
}

/// The class of a refusal.
#[track_caller]
pub(crate) fn refusal_class(outcome: &SendOutcome) -> ErrorClass {
    match outcome {
        SendOutcome::Refused { classified, .. } => classified.class,
        other => panic!("{other:?}"),
    }
}

/// The class of an answer in the table of errors.
#[derive(Debug, PartialEq)]
pub(crate) enum Expected {
    Accepted(&'static str, Option<u32>),
    Unknown,
    Refused(ErrorClass),
}

/// Asserts that a message which gets one of a folder's answers has the outcome of this table, which has all of them.
pub(crate) async fn assert_classified(
    folder: &str,
    table: &[(&str, Expected)],
    send: impl AsyncFn(&MockServer) -> SendOutcome,
) {
    let mut names = fixtures::names(folder);
    for (name, expected) in table {
        assert!(names.remove(*name), "{name}");
        let body = fixtures::bytes(&format!("{folder}/{name}"));
        let answer = ResponseTemplate::new(name[..3].parse::<u16>().unwrap()).set_body_bytes(body);
        let server = answering("POST", answer).await;
        assert_outcome(name, &send(&server).await, expected);
    }
    assert!(names.is_empty(), "not classified: {names:?}");
}

fn assert_outcome(name: &str, outcome: &SendOutcome, expected: &Expected) {
    match (outcome, expected) {
        (SendOutcome::Accepted { provider_ref, segments }, Expected::Accepted(wanted, parts)) => {
            assert_eq!((provider_ref.as_str(), segments), (*wanted, parts), "{name}");
        }
        (SendOutcome::Unknown { reason }, Expected::Unknown) => assert!(reason.ends_with('.'), "{name}: {reason}"),
        (SendOutcome::Refused { code, reason, .. }, Expected::Refused(wanted)) => {
            assert_eq!(refusal_class(outcome), *wanted, "{name}");
            let mut parts = name.split('_').skip_while(|part| *part != "error");
            let in_name: Option<i64> = parts.nth(1).map(|code| code.parse().unwrap());
            assert_eq!(*code, in_name, "{name}");
            assert!(!reason.contains("7700"), "{name}: {reason}");
        }
        _ => panic!("{name}: expected {expected:?}, got {outcome:?}"),
    }
}
