//! Files at WhatsApp and Twilio: the requests, and the meaning of each answer.

use domain::terms::ProviderRef;
use providers::http::Failure;
use providers::media::{Download, MediaError, outgoing};
use providers::twilio::client::TwilioClient;
use providers::whatsapp::client::GraphClient;
use providers::whatsapp::media::Upload;
use serde_json::{Value, json};
use wiremock::matchers::{basic_auth, header, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::fixtures;
use crate::server::{NOWHERE, TWILIO, answering, assert_unasked, http, json_answer, text_answer};

const NUMBER: &str = "910000000000001";
const MEDIUM: &str = "700000000000001";
const TOKEN: &str = "Bearer fixture-token";

fn graph(server: &MockServer) -> GraphClient {
    GraphClient::new(http(10), &server.uri(), "v26.0")
}

/// The fixture's answer with this address of the file.
fn about(url: &str) -> Value {
    let mut about = fixtures::json("whatsapp/media/get_url_response.json");
    about["url"] = json!(url);
    about
}

/// A server that says this of a medium.
async fn saying(about: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path(format!("/v26.0/{MEDIUM}")))
        .and(query_param("phone_number_id", NUMBER))
        .and(header("authorization", TOKEN))
        .respond_with(about)
        .mount(&server)
        .await;
    server
}

fn failing(status: u16, code: i64) -> ResponseTemplate {
    json_answer(status, json!({"error": {"code": code}}))
}

async fn open_medium(server: &MockServer) -> Result<Download, MediaError> {
    graph(server).medium("fixture-token", NUMBER, MEDIUM).await
}

async fn expect_refusal(server: &MockServer) -> MediaError {
    let error = open_medium(server).await.err().expect("there is no file");
    assert!(!format!("{error:?}").contains("fixture-token"));
    error
}

async fn read(mut download: Download) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(more) = download.body.chunk().await.unwrap() {
        bytes.extend_from_slice(&more);
    }
    bytes
}

#[test]
fn fixtures_of_media_are_listed() {
    let names = [
        "delete_response.json",
        "get_url_error_404.json",
        "get_url_response.json",
        "upload_response.json",
    ];
    assert_eq!(fixtures::names("whatsapp/media"), names.map(str::to_owned).into());
}

#[tokio::test]
async fn a_medium_is_asked_for_by_its_id_then_by_its_url() {
    let server = MockServer::start().await;
    let url = format!("{}/files/{MEDIUM}?exp=300", server.uri());
    Mock::given(path(format!("/v26.0/{MEDIUM}")))
        .and(query_param("phone_number_id", NUMBER))
        .and(header("authorization", TOKEN))
        .respond_with(json_answer(200, about(&url)))
        .mount(&server)
        .await;
    Mock::given(path(format!("/files/{MEDIUM}")))
        .and(query_param("exp", "300"))
        .and(header("authorization", TOKEN))
        .respond_with(ResponseTemplate::new(200).set_body_raw(vec![7_u8; 61_901], "image/jpeg"))
        .mount(&server)
        .await;
    let download = open_medium(&server).await.ok().unwrap();
    let hash = "d0f1b8f3b2c94c1c6f8a0f5b1a7e0c8f7a1d2e3f4a5b6c7d8e9f00112233aabb";
    assert_eq!(
        (download.mime.as_deref(), download.sha256.as_deref()),
        (Some("image/jpeg"), Some(hash))
    );
    // Meta spells a number as a text.
    assert_eq!((download.bytes, download.body.length()), (Some(61_901), Some(61_901)));
    assert_eq!(read(download).await, vec![7; 61_901]);
}

#[tokio::test]
async fn each_answer_about_a_medium_has_its_meaning() {
    let gone = json_answer(404, fixtures::json("whatsapp/media/get_url_error_404.json"));
    assert!(matches!(expect_refusal(&saying(gone).await).await, MediaError::Gone));
    for (status, code) in [(401, 190), (400, 190), (403, 10), (401, 1)] {
        let error = expect_refusal(&saying(failing(status, code)).await).await;
        let is_meant = matches!(error, MediaError::Refused { .. });
        assert!(is_meant, "{status} {code}: {error:?}");
    }
    for (status, code) in [(500, 2), (429, 4), (400, 131000), (503, 1)] {
        let answer = failing(status, code).insert_header("retry-after", "90");
        match expect_refusal(&saying(answer).await).await {
            MediaError::Failing {
                status: found,
                retry_after,
            } => {
                assert_eq!((found, retry_after.map(|wait| wait.as_secs())), (status, Some(90)));
            }
            error => panic!("{status} {code}: {error:?}"),
        }
    }
}

#[tokio::test]
async fn the_token_goes_to_no_other_address() {
    let elsewhere = MockServer::start().await;
    let other = elsewhere.uri();
    for url in [
        format!("{other}/files/1"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://lookaside.fbsbx.com/whatsapp/1".to_owned(),
        "https://lookaside.fbsbx.com.example.test/1".to_owned(),
        "https://lookaside.fbsbx.com:8443/1".to_owned(),
        "file:///etc/passwd".to_owned(),
        "../other".to_owned(),
        String::new(),
    ] {
        let server = saying(json_answer(200, about(&url))).await;
        let error = expect_refusal(&server).await;
        let is_meant = matches!(error, MediaError::Failing { status: 200, .. });
        assert!(is_meant, "{url}: {error:?}");
        assert_eq!(server.received_requests().await.unwrap().len(), 1);
    }
    // Nor is a redirect followed.
    let server = saying(ResponseTemplate::new(302).insert_header("location", format!("{other}/files/1"))).await;
    let error = expect_refusal(&server).await;
    assert!(matches!(error, MediaError::Failing { status: 302, .. }), "{error:?}");
    assert_unasked(&elsewhere).await;
}

fn upload() -> Upload<'static> {
    Upload {
        content_type: "image/png",
        name: "ast_1.png",
        sha256: "0f0f",
    }
}

/// Uploads a file of this length in these pieces.
async fn upload_pieces(server: &MockServer, bytes: u64, pieces: &[&str]) -> Result<ProviderRef, MediaError> {
    let (sending, file) = outgoing(bytes);
    let client = graph(server);
    let feeding = async move {
        for piece in pieces {
            sending.add((*piece).into()).await;
        }
    };
    let (id, ()) = tokio::join!(client.upload_medium("fixture-token", NUMBER, upload(), file), feeding);
    id
}

async fn taking(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path(format!("/v26.0/{NUMBER}/media")))
        .and(header("authorization", TOKEN))
        .respond_with(answer)
        .mount(&server)
        .await;
    server
}

#[tokio::test]
async fn a_file_is_uploaded_as_its_pieces_come() {
    let server = taking(json_answer(200, fixtures::json("whatsapp/media/upload_response.json"))).await;
    let (sending, file) = outgoing(9);
    let client = graph(&server);
    let feeding = async {
        for piece in ["one", "two", "six"] {
            assert!(sending.add(piece.into()).await);
        }
    };
    let (id, ()) = tokio::join!(client.upload_medium("fixture-token", NUMBER, upload(), file), feeding);
    assert_eq!(id.unwrap(), "700000000000900");
    let sent = server.received_requests().await.unwrap().remove(0);
    assert_eq!(
        sent.headers["content-type"],
        "multipart/form-data; boundary=ringback-0f0f"
    );
    assert_eq!(sent.headers["content-length"], sent.body.len().to_string().as_str());
    let field = |head: &str, value: &str| {
        format!("--ringback-0f0f\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n")
    };
    let file = "name=\"file\"; filename=\"ast_1.png\"\r\nContent-Type: image/png";
    let expected = [
        field("name=\"messaging_product\"", "whatsapp"),
        field("name=\"type\"", "image/png"),
        field(file, "onetwosix"),
        "--ringback-0f0f--\r\n".to_owned(),
    ];
    assert_eq!(String::from_utf8(sent.body).unwrap(), expected.concat());
}

/// Half a file must not be taken for a whole one.
#[tokio::test]
async fn an_upload_of_another_length_breaks_off() {
    for pieces in [&["short"][..], &["far too long"], &[]] {
        let server = taking(json_answer(200, json!({"id": "1"}))).await;
        let error = upload_pieces(&server, 9, pieces).await.unwrap_err();
        assert!(matches!(error, MediaError::NoAnswer(_)), "{pieces:?}: {error:?}");
        assert_unasked(&server).await;
    }
}

#[tokio::test]
async fn a_file_that_is_not_taken_differs_from_a_failure() {
    let refused = async |answer: ResponseTemplate| upload_pieces(&taking(answer).await, 3, &["one"]).await.unwrap_err();
    let error = refused(failing(400, 131053)).await;
    assert!(matches!(error, MediaError::NotTaken { code: 131053 }), "{error:?}");
    let error = refused(failing(401, 190)).await;
    assert!(matches!(error, MediaError::Refused { .. }), "{error:?}");
    let error = refused(failing(503, 2)).await;
    assert!(matches!(error, MediaError::Failing { status: 503, .. }), "{error:?}");
    for body in ["{}", "<html>", "{\"id\": \"\"}"] {
        let error = refused(text_answer(200, body)).await;
        let is_meant = matches!(error, MediaError::Failing { status: 200, .. });
        assert!(is_meant, "{body}: {error:?}");
    }
}

async fn twilio(server: &MockServer, source: &str) -> Result<Download, MediaError> {
    TwilioClient::new(http(10), &server.uri()).medium(TWILIO, source).await
}

fn place() -> String {
    format!("/2010-04-01/Accounts/{}/Messages/MM1/Media/ME1", TWILIO.account_sid)
}

fn source() -> String {
    format!("https://api.twilio.com{}", place())
}

#[tokio::test]
async fn twilio_is_asked_with_credentials_and_followed_without() {
    let server = MockServer::start().await;
    Mock::given(path(place()))
        .and(basic_auth("SKfixture", "fixture-secret"))
        .respond_with(ResponseTemplate::new(307).insert_header("location", "/files/1"))
        .mount(&server)
        .await;
    Mock::given(path("/files/1"))
        .respond_with(ResponseTemplate::new(200).set_body_raw("picture", "image/png"))
        .mount(&server)
        .await;
    let download = twilio(&server, &source()).await.ok().unwrap();
    assert_eq!((download.mime.as_deref(), download.bytes), (Some("image/png"), Some(7)));
    assert_eq!(read(download).await, b"picture");
    let asked = server.received_requests().await.unwrap();
    let with = asked
        .iter()
        .map(|request| request.headers.contains_key("authorization"));
    assert_eq!(with.collect::<Vec<_>>(), [true, false]);
}

#[tokio::test]
async fn each_answer_of_twilio_has_its_meaning() {
    type Meaning = fn(&MediaError) -> bool;
    let elsewhere = MockServer::start().await;
    let cases: [(u16, Meaning); 7] = [
        (404, |error| matches!(error, MediaError::Gone)),
        (410, |error| matches!(error, MediaError::Gone)),
        (401, |error| matches!(error, MediaError::Refused { .. })),
        (403, |error| matches!(error, MediaError::Refused { .. })),
        (429, |error| matches!(error, MediaError::Failing { .. })),
        (302, |error| matches!(error, MediaError::Failing { status: 302, .. })),
        (500, |error| matches!(error, MediaError::Failing { .. })),
    ];
    for (status, is_meant) in cases {
        let answer = ResponseTemplate::new(status).insert_header("location", elsewhere.uri());
        let server = answering("GET", answer).await;
        let error = twilio(&server, &source()).await.err().expect("there is no file");
        assert!(is_meant(&error), "{status}: {error:?}");
    }
    assert_unasked(&elsewhere).await;
    let client = TwilioClient::new(http(10), NOWHERE);
    let error = client.medium(TWILIO, &source()).await.err();
    let is_meant = matches!(error, Some(MediaError::NoAnswer(Failure::NotConnected(_))));
    assert!(is_meant, "{error:?}");
}
