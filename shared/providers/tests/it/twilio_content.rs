//! Twilio's Content API: every fixture as request or answer, and everything that goes wrong.

use domain::templates::{ButtonKind, TemplateDefinition};
use providers::templates::{TemplateError, TemplatePage};
use providers::twilio::content::ContentClient;
use serde_json::{Value, json};
use wiremock::matchers::{basic_auth, method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::fixtures::{self, drafted_definition};
use crate::server::{TWILIO, http, json_answer, last_json, text_answer};

const HX: &str = "HX00000000000000000000000000000001";

fn client(server: &MockServer) -> ContentClient {
    ContentClient::new(http(5), &server.uri())
}

fn answer(status: u16, name: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_bytes(fixtures::bytes(&format!("twilio/content/{name}")))
}

fn call_to_action(body: &str) -> Value {
    json!({
        "category": "utility", "body": body, "samples": {"1": "Maya"},
        "buttons": [
            {"kind": "url", "text": "Book now", "url": "https://book.example.test/t/{{1}}",
                "sample": "https://book.example.test/t/tnt_a"},
            {"kind": "phone_number", "text": "Call us", "phone_number": "+15005550006"},
        ],
    })
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
    let call_to_action = call_to_action("Hello {{1}}, you can book your next visit online or call us.");
    let code = json!({
        "category": "authentication", "code": {"security_advice": true, "valid_minutes": 10, "button": "Copy code"},
    });
    for (fixture, content) in [
        ("create_request_text.json", text),
        ("create_request_call_to_action.json", call_to_action),
        ("create_request_whatsapp_authentication.json", code),
    ] {
        let expected = fixtures::json(&format!("twilio/content/{fixture}"));
        let definition = drafted_definition(expected["friendly_name"].as_str().unwrap(), content);
        assert_eq!(client(&server).create(TWILIO, &definition).await.unwrap(), HX);
        assert_eq!(last_json(&server).await, expected, "{fixture}");
    }
    let card = json!({
        "category": "utility", "header": {"text": "Missed call"},
        "body": "Hello {{1}}, sorry we missed your call to {{2}} today.", "footer": "Reply STOP to opt out",
        "samples": {"1": "Maya", "2": "Fixture Hair"},
        "buttons": [
            {"kind": "quick_reply", "text": "Call me back"},
            {"kind": "url", "text": "Book online", "url": "https://book.example.test/t/{{1}}",
                "sample": "https://book.example.test/t/tnt_a"},
        ],
    });
    let card = drafted_definition("missed_call_card_v1", card);
    client(&server).create(TWILIO, &card).await.unwrap();
    let mut expected = fixtures::json("twilio/content/create_request_whatsapp_card.json");
    // Ids of replies are ours.
    expected["types"]["whatsapp/card"]["actions"][0]["id"] = "button_0".into();
    assert_eq!(last_json(&server).await, expected);
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
    let content = json!({"category": "utility", "body": "Hello there"});
    let definition = drafted_definition("missed_call_followup_v1", content);
    let contents = client(&server);
    let submitted = contents.submit(TWILIO, HX, &definition).await.unwrap();
    assert_eq!(submitted.status.0, "PENDING");
    let expected = fixtures::json("twilio/content/approval_request.json");
    assert_eq!(last_json(&server).await, expected);
    contents.replace(TWILIO, HX, &definition).await.unwrap();
    contents.delete(TWILIO, HX).await.unwrap();
    for wrong in ["", "../Services", "HX/x"] {
        let refused = contents.delete(TWILIO, wrong).await;
        assert!(matches!(refused, Err(TemplateError::BadCredentials)), "{wrong}");
    }
}

#[tokio::test]
async fn states_are_those_of_meta() {
    for (name, word, reason) in [
        ("received", Some("PENDING"), None),
        ("pending", Some("PENDING"), None),
        ("approved", Some("APPROVED"), None),
        ("rejected", Some("REJECTED"), Some("INCORRECT_CATEGORY")),
        ("paused", Some("PAUSED"), None),
        ("disabled", Some("DISABLED"), None),
        ("unsubmitted_guess", None, None),
    ] {
        let server = MockServer::start().await;
        Mock::given(path(format!("/v1/Content/{HX}/ApprovalRequests")))
            .respond_with(answer(200, &format!("approval_status_{name}.json")))
            .mount(&server)
            .await;
        Mock::given(path(format!("/v1/Content/{HX}")))
            .respond_with(answer(200, "fetch_response_quick_reply.json"))
            .mount(&server)
            .await;
        let found = client(&server).find_submitted(TWILIO, HX).await.unwrap();
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

async fn list_templates(page: ResponseTemplate) -> Result<TemplatePage, TemplateError> {
    let server = MockServer::start().await;
    Mock::given(path("/v1/ContentAndApprovals"))
        .respond_with(page)
        .mount(&server)
        .await;
    client(&server).template_page(TWILIO, None).await
}

#[tokio::test]
async fn submitted_contents_are_listed() {
    let page = list_templates(answer(200, "content_and_approvals_response.json"))
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
        let page = list_templates(json_answer(200, page)).await.unwrap();
        page.templates.into_iter().next()
    };
    let in_order = card("From {{1}}", "Hello {{2}}, welcome.", "https://a.example/{{3}}");
    let found = read(in_order).await.unwrap();
    assert_eq!(found.header.as_deref(), Some("From {{1}}"));
    assert_eq!(found.body, "Hello {{1}}, welcome.");
    assert_eq!(found.header_sample.as_deref(), Some("Saffron"));
    assert_eq!(found.samples["1"], "Maya");
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
        .respond_with(json_answer(200, first(next)))
        .mount(&server)
        .await;
    Mock::given(path("/v1/ContentAndApprovals"))
        .and(query_param("PageToken", "PAFIXTURE1"))
        .respond_with(answer(200, "content_and_approvals_response.json"))
        .mount(&server)
        .await;
    let contents = client(&server);
    let page = contents.template_page(TWILIO, None).await.unwrap();
    let page = contents.template_page(TWILIO, page.next.as_deref()).await.unwrap();
    assert_eq!(page.templates.len(), 1);
    let own = |body: &str| drafted_definition("book_online_v1", call_to_action(body));
    let booked = own("Hello {{1}}, you can book your next visit online or call us.");
    let found = contents.find(TWILIO, &booked).await.unwrap();
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
        let found = contents.find(TWILIO, &not_ours).await.unwrap();
        assert_eq!(found, None, "{}", not_ours.body);
    }
    for wrong in ["https://evil.example/", "/v1/ContentAndApprovals/../../2010", "x"] {
        let page = list_templates(json_answer(200, first(wrong))).await;
        assert!(matches!(page, Err(TemplateError::Unreadable)), "{wrong}");
        let page = contents.template_page(TWILIO, Some(wrong)).await;
        assert!(page.is_err(), "{wrong}");
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
        let error = list_templates(answer(status, name)).await.unwrap_err();
        assert_eq!(
            (error.is_missing(), error.is_unknown(), error.words_for_people()),
            (status == 404, false, Some(told)),
            "{name}"
        );
    }
    let denied = text_answer(401, r#"{"code": 20003}"#);
    assert!(list_templates(denied).await.unwrap_err().denies());
    assert!(
        list_templates(ResponseTemplate::new(503))
            .await
            .unwrap_err()
            .is_unknown()
    );
    for body in ["", "[]", "{}"] {
        let page = list_templates(text_answer(200, body)).await;
        assert!(matches!(page, Err(TemplateError::Unreadable)), "{body}");
    }
}

/// Fixtures that nothing of ours requests, or that other tests send, are only listed.
#[test]
fn fixtures_of_contents_are_listed() {
    assert_eq!(fixtures::names("twilio/content").len(), 31);
}
