//! Servers on the loopback device that answer for a provider, and the requests that they got.

use std::time::Duration;

use providers::http::Http;
use providers::twilio::client::Credentials;
use serde::Serialize;
use serde_json::Value;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// The account at Twilio.
pub(crate) const TWILIO: Credentials<'_> = Credentials {
    api_key_sid: "SKfixture",
    api_key_secret: "fixture-secret",
    account_sid: "AC000000000000000000000000000000a1",
};
/// An address without a listener.
pub(crate) const NOWHERE: &str = "http://127.0.0.1:1";

/// A client that waits so many seconds for an answer.
pub(crate) fn http(seconds: u64) -> Http {
    Http::new("ringback/test".to_owned(), Duration::from_secs(seconds))
}

pub(crate) fn json_answer(status: u16, body: impl Serialize) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(body)
}

pub(crate) fn text_answer(status: u16, body: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_string(body)
}

/// A server that answers all requests of this method alike.
pub(crate) async fn answering(verb: &str, answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method(verb)).respond_with(answer).mount(&server).await;
    server
}

/// The last request to a server.
pub(crate) async fn last(server: &MockServer) -> Request {
    server.received_requests().await.unwrap().pop().unwrap()
}

/// The JSON of the last request to a server.
pub(crate) async fn last_json(server: &MockServer) -> Value {
    last(server).await.body_json().unwrap()
}

/// Asserts that a server got no request.
pub(crate) async fn assert_unasked(server: &MockServer) {
    let requests = server.received_requests().await.unwrap();
    assert!(requests.is_empty(), "{requests:?}");
}
