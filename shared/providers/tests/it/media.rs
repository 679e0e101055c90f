//! Files at WhatsApp and Twilio: the requests, and the meaning of each answer.

use std::time::Duration;

use providers::{
    http::{Failure, Http},
    media::{Download, MediaError, outgoing},
    twilio::client::{Credentials, TwilioClient},
    whatsapp::{client::GraphClient, media::Upload},
};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{basic_auth, header, method, path, query_param},
};

use crate::fixtures;

const NUMBER: &str = "910000000000001";
const MEDIUM: &str = "700000000000001";
const ACCOUNT: &str = "AC000000000000000000000000000000a1";
const TOKEN: &str = "Bearer fixture-token";

fn http() -> Http {
    Http::new("ringback/test".to_owned(), Duration::from_secs(10))
}

fn graph(server: &MockServer) -> GraphClient {
    GraphClient::new(http(), &server.uri(), "v26.0")
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

async fn opened(server: &MockServer) -> Result<Download, MediaError> {
    graph(server).medium("fixture-token", NUMBER, MEDIUM).await
}

async fn refused(server: &MockServer) -> MediaError {
    let error = opened(server).await.err().expect("there is no file");
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
        .respond_with(ResponseTemplate::new(200).set_body_json(about(&url)))
        .mount(&server)
        .await;
    Mock::given(path(format!("/files/{MEDIUM}")))
        .and(query_param("exp", "300"))
        .and(header("authorization", TOKEN))
        .respond_with(ResponseTemplate::new(200).set_body_raw(vec![7_u8; 61_901], "image/jpeg"))
        .mount(&server)
        .await;
    let download = opened(&server).await.ok().unwrap();
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
    let gone = ResponseTemplate::new(404).set_body_json(fixtures::json("whatsapp/media/get_url_error_404.json"));
    assert!(matches!(refused(&saying(gone).await).await, MediaError::Gone));
    for (status, code) in [(401, 190), (400, 190), (403, 10), (401, 1)] {
        let answer = ResponseTemplate::new(status).set_body_json(json!({"error": {"code": code}}));
        let error = refused(&saying(answer).await).await;
        assert!(
            matches!(error, MediaError::Refused { .. }),
            "{status} {code}: {error:?}"
        );
    }
    for (status, code) in [(500, 2), (429, 4), (400, 131_000), (503, 1)] {
        let answer = ResponseTemplate::new(status).set_body_json(json!({"error": {"code": code}}));
        let answer = answer.insert_header("retry-after", "90");
        match refused(&saying(answer).await).await {
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
        let server = saying(ResponseTemplate::new(200).set_body_json(about(&url))).await;
        let error = refused(&server).await;
        assert!(
            matches!(error, MediaError::Failing { status: 200, .. }),
            "{url}: {error:?}"
        );
        assert_eq!(server.received_requests().await.unwrap().len(), 1);
    }
    // Nor is a redirect followed.
    let server = saying(ResponseTemplate::new(302).insert_header("location", format!("{other}/files/1"))).await;
    assert!(matches!(
        refused(&server).await,
        MediaError::Failing { status: 302, .. }
    ));
    assert_eq!(elsewhere.received_requests().await.unwrap().len(), 0);
}

fn upload() -> Upload<'static> {
    Upload {
        content_type: "image/png",
        name: "ast_1.png",
        sha256: "0f0f",
    }
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
    let answer = ResponseTemplate::new(200).set_body_json(fixtures::json("whatsapp/media/upload_response.json"));
    let server = taking(answer).await;
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
        let server = taking(ResponseTemplate::new(200).set_body_json(json!({"id": "1"}))).await;
        let (sending, file) = outgoing(9);
        let client = graph(&server);
        let feeding = async move {
            for piece in pieces {
                sending.add((*piece).into()).await;
            }
        };
        let (id, ()) = tokio::join!(client.upload_medium("fixture-token", NUMBER, upload(), file), feeding);
        let error = id.unwrap_err();
        assert!(matches!(error, MediaError::NoAnswer(_)), "{pieces:?}: {error:?}");
        assert_eq!(server.received_requests().await.unwrap().len(), 0);
    }
}

#[tokio::test]
async fn a_file_that_is_not_taken_differs_from_a_failure() {
    let uploaded = async |answer: ResponseTemplate| {
        let server = taking(answer).await;
        let (sending, file) = outgoing(3);
        let client = graph(&server);
        let feeding = async move { sending.add("one".into()).await };
        let (id, _) = tokio::join!(client.upload_medium("fixture-token", NUMBER, upload(), file), feeding);
        id.unwrap_err()
    };
    let error = |status, code: i64| ResponseTemplate::new(status).set_body_json(json!({"error": {"code": code}}));
    assert!(matches!(
        uploaded(error(400, 131_053)).await,
        MediaError::NotTaken { code: 131_053 }
    ));
    assert!(matches!(uploaded(error(401, 190)).await, MediaError::Refused { .. }));
    assert!(matches!(
        uploaded(error(503, 2)).await,
        MediaError::Failing { status: 503, .. }
    ));
    for body in ["{}", "<html>", "{\"id\": \"\"}"] {
        let answer = ResponseTemplate::new(200).set_body_string(body);
        assert!(
            matches!(uploaded(answer).await, MediaError::Failing { status: 200, .. }),
            "{body}"
        );
    }
}

fn credentials() -> Credentials<'static> {
    Credentials {
        api_key_sid: "SKfixture",
        api_key_secret: "fixture-secret",
        account_sid: ACCOUNT,
    }
}

async fn twilio(server: &MockServer, source: &str) -> Result<Download, MediaError> {
    let client = TwilioClient::new(http(), &server.uri());
    client.medium(credentials(), source).await
}

fn source() -> String {
    format!("https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages/MM1/Media/ME1")
}

#[tokio::test]
async fn twilio_is_asked_with_credentials_and_followed_without() {
    let server = MockServer::start().await;
    Mock::given(path(format!("/2010-04-01/Accounts/{ACCOUNT}/Messages/MM1/Media/ME1")))
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
        let server = MockServer::start().await;
        let answer = ResponseTemplate::new(status).insert_header("location", elsewhere.uri());
        Mock::given(method("GET")).respond_with(answer).mount(&server).await;
        let error = twilio(&server, &source()).await.err().expect("there is no file");
        assert!(is_meant(&error), "{status}: {error:?}");
    }
    assert_eq!(elsewhere.received_requests().await.unwrap().len(), 0);
    // Nobody listens there.
    let client = TwilioClient::new(http(), "http://127.0.0.1:1");
    let error = client.medium(credentials(), &source()).await.err();
    assert!(
        matches!(error, Some(MediaError::NoAnswer(Failure::NotConnected(_)))),
        "{error:?}"
    );
}
