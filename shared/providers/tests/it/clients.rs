//! The HTTP client under bad conditions: outcomes that are certain, and unknown ones.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use domain::messages::SendOutcome;
use domain::terms::ErrorClass;
use providers::http::Http;
use providers::twilio::client::{Sender, TwilioClient};
use providers::whatsapp::client::GraphClient;
use wiremock::{MockServer, ResponseTemplate};

use crate::sending::{key, maya, refusal_class, text};
use crate::server::{TWILIO, answering, assert_unasked, text_answer};

/// Time limit of tests with an answer; never reached.
const PATIENT: Duration = Duration::from_secs(60);
/// Time limit of tests without an answer: half of it is enough to connect on a busy machine.
const IMPATIENT: Duration = Duration::from_secs(2);

async fn send_with_both(base: &str, timeout: Duration) -> [SendOutcome; 2] {
    let http = Http::new("ringback/test".to_owned(), timeout);
    let (to, content) = (maya(), text("the message's own text"));
    let graph = GraphClient::new(http.clone(), base, "v26.0");
    let twilio = TwilioClient::new(http, base);
    let (sender, callback) = (Sender::MessagingService("MGfixture"), Some("https://h.test/"));
    let outcomes = [
        graph.send("fixture-token", "91", &to, &content, key()).await,
        twilio.send(TWILIO, sender, &to, &content, key(), callback).await,
    ];
    for outcome in &outcomes {
        let told = format!("{outcome:?}");
        for secret in ["7700900111", "own text", "fixture-secret", "fixture-token"] {
            assert!(!told.contains(secret), "{told}");
        }
    }
    outcomes
}

async fn both_answered(answer: ResponseTemplate) -> [SendOutcome; 2] {
    let server = answering("POST", answer).await;
    send_with_both(&server.uri(), PATIENT).await
}

/// A server that does this with every connection.
fn server(behave: impl Fn(std::net::TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || listener.incoming().for_each(|stream| behave(stream.unwrap())));
    format!("http://{address}")
}

fn assert_all_unknown(outcomes: &[SendOutcome]) {
    for outcome in outcomes {
        assert!(matches!(outcome, SendOutcome::Unknown { .. }), "{outcome:?}");
    }
}

fn assert_all_refused(outcomes: &[SendOutcome], wanted: ErrorClass) {
    for outcome in outcomes {
        assert_eq!(refusal_class(outcome), wanted);
    }
}

#[tokio::test]
async fn failed_connection_means_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    drop(listener);
    let outcomes = send_with_both(&format!("http://{address}"), PATIENT).await;
    assert_all_refused(&outcomes, ErrorClass::RetryAfter);
    for outcome in outcomes {
        let SendOutcome::Refused { classified, .. } = outcome else {
            panic!()
        };
        assert!(classified.first_wait > 0);
    }
}

#[tokio::test]
async fn failed_tls_means_not_sent() {
    // Answers in plain text instead of TLS.
    let clear = server(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let silent = server(std::mem::forget);
    for no_tls in [clear, silent] {
        let outcomes = send_with_both(&no_tls.replace("http://", "https://"), IMPATIENT).await;
        assert_all_refused(&outcomes, ErrorClass::RetryAfter);
    }
}

#[tokio::test]
async fn invalid_address_is_the_operators_error() {
    assert_all_refused(
        &send_with_both("not an address", PATIENT).await,
        ErrorClass::TenantMustAct,
    );
}

#[tokio::test]
async fn time_out_is_unknown() {
    let silent = server(std::mem::forget);
    assert_all_unknown(&send_with_both(&silent, IMPATIENT).await);
}

#[tokio::test]
async fn broken_connection_after_request_is_unknown() {
    let rude = server(|mut stream| {
        let mut request = [0; 4096];
        let _ = stream.read(&mut request);
    });
    assert_all_unknown(&send_with_both(&rude, PATIENT).await);
}

#[tokio::test]
async fn truncated_success_is_unknown() {
    let cut = server(|mut stream| {
        let mut request = [0; 4096];
        let _ = stream.read(&mut request);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"messages\":[{\"id\":\"wamid");
    });
    assert_all_unknown(&send_with_both(&cut, PATIENT).await);
}

#[tokio::test]
async fn server_error_or_html_page_is_unknown() {
    let page = "<html><head><title>502</title></head></html>";
    for status in [500, 502, 503, 504, 599] {
        assert_all_unknown(&both_answered(text_answer(status, page)).await);
    }
    assert_all_unknown(&both_answered(text_answer(200, page)).await);
    assert_all_unknown(&both_answered(ResponseTemplate::new(200)).await);
    assert_all_unknown(&both_answered(ResponseTemplate::new(204)).await);
}

#[tokio::test]
async fn html_page_with_client_error_is_a_refusal() {
    let page = "<html>";
    for (status, class) in [
        (400, ErrorClass::FallBack),
        (401, ErrorClass::TenantMustAct),
        (403, ErrorClass::TenantMustAct),
        (404, ErrorClass::FallBack),
        (429, ErrorClass::RetryAfter),
    ] {
        let outcomes = both_answered(text_answer(status, page)).await;
        assert_all_refused(&outcomes, class);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let other = MockServer::start().await;
    for status in [301, 302, 303, 307, 308] {
        let answer = ResponseTemplate::new(status).insert_header("location", format!("{}/x", other.uri()));
        assert_all_unknown(&both_answered(answer).await);
    }
    assert_unasked(&other).await;
}

#[tokio::test]
async fn retry_after_is_reported() {
    let answer = ResponseTemplate::new(429).insert_header("retry-after", "17");
    for outcome in both_answered(answer).await {
        let SendOutcome::Refused { retry_after, .. } = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(retry_after.map(|wait| wait.as_secs()), Some(17));
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut() {
    let huge = text_answer(200, &"x".repeat(5 * 1024 * 1024));
    assert_all_unknown(&both_answered(huge).await);
}
