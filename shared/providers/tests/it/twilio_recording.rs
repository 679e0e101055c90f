//! The sound of Twilio's recordings: the requests, and the meaning of each answer.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use domain::telephony::RecordingState;
use providers::http::Failure;
use providers::twilio::client::{Credentials, TwilioClient};
use providers::twilio::form;
use providers::twilio::recording::{RecordingError, Sound};
use providers::twilio::voice::{self, VoiceCallback};
use wiremock::matchers::{basic_auth, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::fixtures;
use crate::server::{TWILIO, assert_unasked, http, json_answer};

const SID: &str = "RE00000000000000000000000000000004";

const CALLBACKS: [&str; 2] = ["callback_absent.txt", "callback_outbound_api_completed.txt"];

#[test]
fn callbacks_say_what_became_of_a_recording() {
    let reported = CALLBACKS.map(|name| {
        let form = form::parse(&fixtures::bytes(&format!("twilio/recordings/{name}")));
        let at = fixtures::at("2026-10-31T09:20:05Z");
        let event = voice::event(VoiceCallback::Recording, &form, fixtures::connection(), &[], at);
        let facts = event.unwrap().facts;
        assert_eq!(facts.voicemail_seconds, None, "neither is a voicemail");
        let mut recordings: Vec<_> = facts.recordings.iter().cloned().collect();
        let one = recordings.pop().expect("a recording");
        assert!(recordings.is_empty() && !one.voicemail);
        (one.reference.to_string(), one.state, one.seconds)
    });
    let sid = |last: u32| format!("RE{last:032}");
    assert_eq!(
        reported,
        [
            (sid(3), RecordingState::Absent, Some(0)),
            (sid(5), RecordingState::Completed, Some(150)),
        ]
    );
}

fn place(end: &str) -> String {
    format!("/2010-04-01/Accounts/{}/Recordings/{SID}{end}", TWILIO.account_sid)
}

async fn open(base: &str, seconds: u64) -> Result<Sound, RecordingError> {
    TwilioClient::new(http(seconds), base).recording(TWILIO, SID).await
}

/// The reason why a server with these answers to the sound, and to the question about the recording, gives no sound.
async fn refusal(sound: ResponseTemplate, about: Option<ResponseTemplate>) -> RecordingError {
    let server = MockServer::start().await;
    let asked = Mock::given(path(place(".mp3")));
    asked.respond_with(sound).mount(&server).await;
    if let Some(about) = about {
        Mock::given(path(place(".json")))
            .and(query_param("IncludeSoftDeleted", "true"))
            .and(basic_auth("SKfixture", "fixture-secret"))
            .respond_with(about)
            .mount(&server)
            .await;
    }
    let error = open(&server.uri(), 60).await.err();
    let error = error.expect("there is no sound");
    assert!(!format!("{error:?}").contains("fixture-secret"));
    error
}

#[tokio::test]
async fn sound_is_asked_for_with_credentials_and_read_to_its_end() {
    let server = MockServer::start().await;
    let sound = ResponseTemplate::new(200).set_body_raw(vec![7_u8; 200_000], "audio/mpeg; charset=binary");
    Mock::given(method("GET"))
        .and(path(place(".mp3")))
        .and(basic_auth("SKfixture", "fixture-secret"))
        .respond_with(sound)
        .mount(&server)
        .await;
    let mut sound = open(&server.uri(), 60).await.ok().unwrap();
    assert_eq!(sound.length(), Some(200_000));
    let mut bytes = Vec::new();
    while let Some(more) = sound.chunk().await.unwrap() {
        bytes.extend(more);
    }
    assert_eq!(bytes, vec![7; 200_000]);
}

/// Twilio answers 404 for all of these.
#[tokio::test]
async fn missing_sound_is_explained_by_its_recording() {
    const MISSING: &str = "404_error_20404_media_gone.json";
    let answer = |status: u16, name: &str| json_answer(status, fixtures::json(&format!("twilio/recordings/{name}")));
    let missing = || answer(404, MISSING);
    let mut read: BTreeSet<&str> = CALLBACKS.into_iter().chain([MISSING]).collect();
    for (name, gone) in [
        ("fetch_absent.json", true),
        ("fetch_soft_deleted.json", true),
        ("fetch_processing.json", false),
        ("fetch_completed.json", false),
    ] {
        let error = refusal(missing(), Some(answer(200, name))).await;
        assert_eq!(matches!(error, RecordingError::Gone), gone, "{name}: {error:?}");
        assert_eq!(matches!(error, RecordingError::NotYet), !gone, "{name}: {error:?}");
        read.insert(name);
    }
    let names = fixtures::names("twilio/recordings");
    assert_eq!(read, names.iter().map(String::as_str).collect());
    // Forty days after the deletion, nothing is known of it any more.
    let gone = refusal(missing(), Some(missing())).await;
    assert!(matches!(gone, RecordingError::Gone), "{gone:?}");
    let broken = refusal(missing(), Some(ResponseTemplate::new(503))).await;
    assert!(
        matches!(broken, RecordingError::Unexpected { status: 503 }),
        "{broken:?}"
    );
}

#[tokio::test]
async fn other_answers_are_no_sound() {
    for status in [401_u16, 403, 206, 400, 429, 500, 503] {
        let error = refusal(ResponseTemplate::new(status), None).await;
        let is_meant = match status {
            401 | 403 => matches!(error, RecordingError::Refused { .. }),
            _ => matches!(error, RecordingError::Unexpected { .. }),
        };
        assert!(is_meant, "{status}: {error:?}");
    }
    for content_type in ["text/html", "audio/mpeg2", "application/json", ""] {
        let page = ResponseTemplate::new(200).set_body_raw("<html>", content_type);
        let error = refusal(page, None).await;
        assert!(matches!(error, RecordingError::NoSound), "{content_type}: {error:?}");
    }
}

/// Neither to another host nor to a private address, and with credentials least of all.
#[tokio::test]
async fn redirect_is_not_followed() {
    let elsewhere = MockServer::start().await;
    for status in [301_u16, 302, 303, 307, 308] {
        let target = format!("{}/sound.mp3", elsewhere.uri());
        let redirect = ResponseTemplate::new(status).insert_header("location", target);
        let error = refusal(redirect, None).await;
        assert!(
            matches!(error, RecordingError::Unexpected { .. }),
            "{status}: {error:?}"
        );
    }
    assert_unasked(&elsewhere).await;
}

/// A server that answers every request with these bytes, then does this with the connection.
fn server(answer: &'static str, then: impl Fn(std::net::TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4_096]);
            let _ = stream.write_all(answer.as_bytes());
            then(stream);
        }
    });
    format!("http://{address}")
}

/// The result of reading all of a sound.
async fn end_of(base: &str) -> RecordingError {
    let mut sound = open(base, 2).await.expect("a sound begins");
    loop {
        match sound.chunk().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("it ends as if it were whole"),
            Err(error) => return error,
        }
    }
}

#[tokio::test]
async fn sound_that_breaks_off_is_not_whole() {
    const SHORT: &str = "HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ncontent-length: 100\r\n\r\nten bytes!";
    const CHUNKED: &str =
        "HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ntransfer-encoding: chunked\r\n\r\na\r\nten bytes!\r\n";
    for answer in [SHORT, CHUNKED] {
        let error = end_of(&server(answer, drop)).await;
        assert!(matches!(error, RecordingError::NoAnswer(_)), "{error:?}");
        // It stays open, and nothing comes.
        let error = end_of(&server(answer, std::mem::forget)).await;
        let late = matches!(error, RecordingError::NoAnswer(Failure::TimedOut(_)));
        assert!(late, "{error:?}");
    }
}

#[tokio::test]
async fn only_sids_become_part_of_the_url() {
    let server = MockServer::start().await;
    let client = TwilioClient::new(http(60), &server.uri());
    for sid in ["", "RE1", "../Messages", "RE0000000000000000000000000000000/"] {
        let error = client.recording(TWILIO, sid).await.err();
        assert!(matches!(error, Some(RecordingError::Gone)), "{sid}: {error:?}");
    }
    let account = Credentials {
        account_sid: "../AC1",
        ..TWILIO
    };
    assert!(client.recording(account, SID).await.is_err());
    assert_unasked(&server).await;
}
