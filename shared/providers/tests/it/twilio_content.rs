//! Twilio's Content API: every fixture as request or answer, and everything that goes wrong.

use std::time::Duration;

use domain::templates::template::{ButtonKind, TemplateDefinition};
use providers::{
    http::Http,
    templates::TemplateError,
    twilio::{client::Credentials, content::ContentClient},
};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{basic_auth, method, path, query_param, query_param_is_missing},
};

use crate::fixtures::{self, drafted};

const HX: &str = "HX00000000000000000000000000000001";

fn client(server: &MockServer) -> ContentClient {
    let http = Http::new("ringback/test".to_owned(), Duration::from_secs(5));
    ContentClient::new(http, &server.uri())
}

const fn credentials() -> Credentials<'static> {
    Credentials {
        api_key_sid: "SKfixture",
        api_key_secret: "fixture-secret",
        account_sid: "AC000000000000000000000000000000a1",
    }
}

fn answer(status: u16, name: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_bytes(fixtures::bytes(&format!("twilio/content/{name}")))
}

#[tokio::test]
async fn drafts_become_the_contents_of_the_fixtures() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v1/Content"))
        .and(basic_auth("SKfixture", "fixture-secret"))
        .respond_with(answer(201, "create_response_quick_reply.json"))
        .mount(&server)
        .await;
    let text = json!({
        "category": "utility", "body": "Hello {{1}}, we open again at {{2}} and will call you then.",
        "samples": {"1": "Maya", "2": "9 am"},
    });
    let call_to_action = json!({
        "category": "utility", "body": "Hello {{1}}, you can book your next visit online or call us.",
        "samples": {"1": "Maya"},
        "buttons": [
            {"kind": "url", "text": "Book now", "url": "https://book.example.test/t/{{1}}",
                "sample": "https://book.example.test/t/tnt_a"},
            {"kind": "phone_number", "text": "Call us", "phone_number": "+15005550006"},
        ],
    });
    let code = json!({
        "category": "authentication", "code": {"security_advice": true, "valid_minutes": 10, "button": "Copy code"},
    });
    for (fixture, content) in [
        ("create_request_text.json", text),
        ("create_request_call_to_action.json", call_to_action),
        ("create_request_whatsapp_authentication.json", code),
    ] {
        let expected = fixtures::json(&format!("twilio/content/{fixture}"));
        let definition = drafted(expected["friendly_name"].as_str().unwrap(), content);
        assert_eq!(client(&server).create(credentials(), &definition).await.unwrap(), HX);
        let sent = server.received_requests().await.unwrap().pop().unwrap();
        assert_eq!(sent.body_json::<Value>().unwrap(), expected, "{fixture}");
    }
    let card = drafted(
        "missed_call_card_v1",
        json!({
            "category": "utility", "header": {"text": "Missed call"},
            "body": "Hello {{1}}, sorry we missed your call to {{2}} today.", "footer": "Reply STOP to opt out",
            "samples": {"1": "Maya", "2": "Fixture Hair"},
            "buttons": [
                {"kind": "quick_reply", "text": "Call me back"},
                {"kind": "url", "text": "Book online", "url": "https://book.example.test/t/{{1}}",
                    "sample": "https://book.example.test/t/tnt_a"},
            ],
        }),
    );
    client(&server).create(credentials(), &card).await.unwrap();
    let sent = server.received_requests().await.unwrap().pop().unwrap();
    let mut expected = fixtures::json("twilio/content/create_request_whatsapp_card.json");
    // Ids of replies are ours.
    expected["types"]["whatsapp/card"]["actions"][0]["id"] = "button_0".into();
    assert_eq!(sent.body_json::<Value>().unwrap(), expected);
}

#[tokio::test]
async fn a_content_is_submitted_and_deleted() {
    let server = MockServer::start().await;
    let place = format!("/v1/Content/{HX}");
    Mock::given(method("POST"))
        .and(path(format!("{place}/ApprovalRequests/whatsapp")))
        .respond_with(answer(201, "approval_response_received.json"))
        .mount(&server)
        .await;
    Mock::given(method("DELETE"))
        .and(path(&place))
        .and(query_param("deleteInWaba", "true"))
        .respond_with(ResponseTemplate::new(204))
        .mount(&server)
        .await;
    Mock::given(method("PUT"))
        .and(path(&place))
        .respond_with(answer(200, "fetch_response_quick_reply.json"))
        .mount(&server)
        .await;
    let definition = drafted(
        "missed_call_followup_v1",
        json!({"category": "utility", "body": "Hello there"}),
    );
    let contents = client(&server);
    let submitted = contents.submit(credentials(), HX, &definition).await.unwrap();
    assert_eq!(submitted.status.0, "PENDING");
    let sent = server.received_requests().await.unwrap().pop().unwrap();
    assert_eq!(
        sent.body_json::<Value>().unwrap(),
        fixtures::json("twilio/content/approval_request.json")
    );
    contents.replace(credentials(), HX, &definition).await.unwrap();
    contents.delete(credentials(), HX).await.unwrap();
    for wrong in ["", "../Services", "HX/x"] {
        let refused = contents.delete(credentials(), wrong).await;
        assert!(matches!(refused, Err(TemplateError::BadCredentials)), "{wrong}");
    }
}

#[tokio::test]
async fn states_are_those_of_meta() {
    for (name, word, reason) in [
        ("approval_status_received.json", Some("PENDING"), None),
        ("approval_status_pending.json", Some("PENDING"), None),
        ("approval_status_approved.json", Some("APPROVED"), None),
        (
            "approval_status_rejected.json",
            Some("REJECTED"),
            Some("INCORRECT_CATEGORY"),
        ),
        ("approval_status_paused.json", Some("PAUSED"), None),
        ("approval_status_disabled.json", Some("DISABLED"), None),
        ("approval_status_unsubmitted_guess.json", None, None),
    ] {
        let server = MockServer::start().await;
        Mock::given(path(format!("/v1/Content/{HX}/ApprovalRequests")))
            .respond_with(answer(200, name))
            .mount(&server)
            .await;
        Mock::given(path(format!("/v1/Content/{HX}")))
            .respond_with(answer(200, "fetch_response_quick_reply.json"))
            .mount(&server)
            .await;
        let found = client(&server).submitted(credentials(), HX).await.unwrap();
        let state = found.as_ref().map(|found| found.status.0.as_str());
        assert_eq!(state, word, "{name}");
        let told = found.as_ref().and_then(|found| found.rejected_reason.as_deref());
        assert_eq!(told, reason, "{name}");
        if let Some(found) = found {
            assert_eq!((&*found.name, found.buttons.len()), ("missed_call_followup_v1", 3));
            assert_eq!((&*found.language, found.content_sid.as_deref()), ("en_GB", Some(HX)));
        }
    }
}

async fn listed(page: ResponseTemplate) -> Result<providers::templates::TemplatePage, TemplateError> {
    let server = MockServer::start().await;
    Mock::given(path("/v1/ContentAndApprovals"))
        .respond_with(page)
        .mount(&server)
        .await;
    client(&server).template_page(credentials(), None).await
}

#[tokio::test]
async fn submitted_contents_are_listed() {
    let page = listed(answer(200, "content_and_approvals_response.json"))
        .await
        .unwrap();
    let [template] = &page.templates[..] else {
        panic!("{page:?}")
    };
    assert_eq!(
        (&*template.name, &*template.status.0),
        ("missed_call_followup_v1", "APPROVED")
    );
    assert_eq!(template.content_sid.as_deref(), Some(HX));
    assert_eq!(template.body_variables().unwrap(), ["1", "2"]);
    assert_eq!(template.buttons.len(), 3);
    assert_eq!(
        (page.skipped, page.next),
        (0, None),
        "what was never submitted is not one of WhatsApp"
    );
}

/// Of whatever Twilio lists, a template is sent with the values in Twilio's order.
#[tokio::test]
async fn variables_are_counted_in_each_part() {
    let approval = json!({"name": "card", "category": "UTILITY", "status": "approved", "rejection_reason": ""});
    let item = |types: Value| {
        let variables = json!({"1": "Saffron", "2": "Maya", "3": "b/1"});
        json!({
            "sid": HX, "language": "en", "friendly_name": "card", "variables": variables, "types": types,
            "approval_requests": approval,
        })
    };
    let card = |header: &str, body: &str, url: &str| {
        let actions = json!([{"type": "URL", "title": "Book", "url": url}]);
        item(json!({"whatsapp/card": {"header_text": header, "body": body, "actions": actions}}))
    };
    let read = async |item: Value| {
        let page = json!({"contents": [item], "meta": {"next_page_url": null}});
        let page = listed(ResponseTemplate::new(200).set_body_json(page)).await.unwrap();
        page.templates.into_iter().next()
    };
    let found = read(card("From {{1}}", "Hello {{2}}, welcome.", "https://a.example/{{3}}"))
        .await
        .unwrap();
    assert_eq!(
        (found.header.as_deref(), &*found.body),
        (Some("From {{1}}"), "Hello {{1}}, welcome.")
    );
    assert_eq!(
        (found.header_sample.as_deref(), &*found.samples["1"]),
        (Some("Saffron"), "Maya")
    );
    assert_eq!(found.buttons[0].url.as_deref(), Some("https://a.example/{{1}}"));
    assert_eq!(found.buttons[0].sample.as_deref(), Some("https://a.example/b/1"));
    for (header, body, url) in [
        ("From {{2}}", "Hello {{1}}, welcome.", "https://a.example/{{3}}"),
        ("From us", "Hello {{name}}, welcome.", "https://a.example"),
        ("From us", "Hello {{1}}, welcome.", "https://a.example/{{1}}"),
        ("From us", "Hello {{1}}, welcome.", "https://a.example/{{2}}/x"),
    ] {
        assert_eq!(read(card(header, body, url)).await, None, "{header} {body} {url}");
    }
    let medium = |url: &str| item(json!({"twilio/media": {"body": "Hello there", "media": [url]}}));
    assert!(read(medium("https://a.example/b.pdf")).await.is_some());
    assert_eq!(read(medium("https://a.example/{{1}}.pdf")).await, None);
    let code = fixtures::json("twilio/content/create_response_authentication.json")["types"].clone();
    let code = read(item(code)).await.unwrap();
    assert_eq!(code.body_variables().unwrap(), ["1"]);
    assert_eq!(code.buttons[0].kind, ButtonKind::OneTimeCode);
}

#[tokio::test]
async fn pages_follow_paths_of_the_same_host() {
    let server = MockServer::start().await;
    let first = |next: &str| json!({"contents": [], "meta": {"next_page_url": next}});
    let next = "https://content.twilio.com/v1/ContentAndApprovals?PageSize=2&Page=1&PageToken=PAFIXTURE1";
    Mock::given(path("/v1/ContentAndApprovals"))
        .and(query_param_is_missing("PageToken"))
        .respond_with(ResponseTemplate::new(200).set_body_json(first(next)))
        .mount(&server)
        .await;
    Mock::given(path("/v1/ContentAndApprovals"))
        .and(query_param("PageToken", "PAFIXTURE1"))
        .respond_with(answer(200, "content_and_approvals_response.json"))
        .mount(&server)
        .await;
    let contents = client(&server);
    let page = contents.template_page(credentials(), None).await.unwrap();
    let page = contents
        .template_page(credentials(), page.next.as_deref())
        .await
        .unwrap();
    assert_eq!(page.templates.len(), 1);
    let own = |body: &str| {
        let content = json!({
            "category": "utility", "body": body, "samples": {"1": "Maya"},
            "buttons": [
                {"kind": "url", "text": "Book now", "url": "https://book.example.test/t/{{1}}",
                    "sample": "https://book.example.test/t/tnt_a"},
                {"kind": "phone_number", "text": "Call us", "phone_number": "+15005550006"},
            ],
        });
        drafted("book_online_v1", content)
    };
    let booked = own("Hello {{1}}, you can book your next visit online or call us.");
    let found = contents.find(credentials(), &booked).await.unwrap();
    assert_eq!(
        found.as_deref(),
        Some("HX00000000000000000000000000000003"),
        "also if it was never submitted"
    );
    let french = TemplateDefinition {
        language: "fr".to_owned(),
        ..booked
    };
    let other = own("Hello {{1}}, somebody else gave this name to other words.");
    for not_ours in [french, other] {
        let found = contents.find(credentials(), &not_ours).await.unwrap();
        assert_eq!(found, None, "{}", not_ours.body);
    }
    for wrong in ["https://evil.example/", "/v1/ContentAndApprovals/../../2010", "x"] {
        let page = listed(ResponseTemplate::new(200).set_body_json(first(wrong))).await;
        assert!(matches!(page, Err(TemplateError::Unreadable)), "{wrong}");
        assert!(
            contents.template_page(credentials(), Some(wrong)).await.is_err(),
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn errors_of_twilio_are_told_apart() {
    let (required, invalid) = (
        "A ContentSid is required for this request",
        "The ContentVariables parameter is invalid",
    );
    // The digits of an id may be those of a number.
    let missing = "The requested resource /Content/HX… was not found";
    for (status, name, told) in [
        (400, "400_error_21654_content_sid_required.json", required),
        (400, "400_error_21656_variables_invalid.json", invalid),
        (404, "404_error_20404_content_not_found.json", missing),
    ] {
        let error = listed(answer(status, name)).await.unwrap_err();
        assert_eq!(
            (error.is_missing(), error.is_unknown(), error.told()),
            (status == 404, false, Some(told)),
            "{name}"
        );
    }
    let denied = ResponseTemplate::new(401).set_body_string(r#"{"code": 20003}"#);
    assert!(listed(denied).await.unwrap_err().denies());
    assert!(listed(ResponseTemplate::new(503)).await.unwrap_err().is_unknown());
    for body in ["", "[]", "{}"] {
        let page = listed(ResponseTemplate::new(200).set_body_string(body)).await;
        assert!(matches!(page, Err(TemplateError::Unreadable)), "{body}");
    }
}

/// Fixtures that nothing of ours requests, or that other tests send, are only listed.
#[test]
fn fixtures_of_contents_are_listed() {
    assert_eq!(fixtures::names("twilio/content").len(), 31);
}
