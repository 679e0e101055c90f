//! Templates at Meta: every fixture as request or answer, and everything that goes wrong.

use domain::media::MediaKind;
use domain::templates::{ButtonKind, ParameterFormat, TemplateContent, TemplateDefinition, Through, lint_draft};
use domain::tenants::Quality;
use domain::terms::Category;
use providers::media::Sending;
use providers::templates::{Submitted, TemplateError};
use providers::whatsapp::client::GraphClient;
use providers::whatsapp::templates::SampleFile;
use serde_json::{Value, json};
use wiremock::matchers::{body_bytes, header, method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::fixtures::{self, drafted_definition, utility};
use crate::server::{NOWHERE, answering, assert_unasked, http, json_answer, last, last_json, text_answer};

const WABA: &str = "900000000000001";
const TOKEN: &str = "fixture-token";

fn client(server: &MockServer) -> GraphClient {
    GraphClient::new(http(5), &server.uri(), "v26.0")
}

async fn create(server: &MockServer, draft: &TemplateDefinition) -> Result<Submitted, TemplateError> {
    client(server).create_template(TOKEN, WABA, draft, None).await
}

fn answer(name: &str) -> ResponseTemplate {
    let status = name
        .rsplit('/')
        .next()
        .and_then(|name| name.get(..3)?.parse::<u16>().ok());
    let status = status.unwrap_or(if name.contains("error") { 400 } else { 200 });
    ResponseTemplate::new(status).set_body_bytes(fixtures::bytes(&format!("whatsapp/{name}")))
}

fn named_template() -> Value {
    json!({
        "category": "utility", "parameter_format": "named",
        "body": "Hello {{first_name}}, sorry we missed your call to {{business}} today.",
        "samples": {"first_name": "Maya", "business": "Fixture Hair"},
    })
}

fn image() -> Value {
    json!({
        "category": "marketing", "header": {"media": "image"},
        "body": "Hello {{1}}, 20% off this week at our salon.", "samples": {"1": "Maya"},
    })
}

fn document() -> Value {
    json!({
        "category": "utility", "header": {"media": "document"},
        "body": "Hello {{1}}, here is the price list you asked for today.", "samples": {"1": "Maya"},
    })
}

/// A fixture's request as we write it: with the format of its variables in capitals.
fn request(name: &str) -> Value {
    let mut request = fixtures::json(&format!("whatsapp/{name}"));
    let format = request["parameter_format"]
        .as_str()
        .unwrap_or("POSITIONAL")
        .to_uppercase();
    request["parameter_format"] = format.into();
    request
}

#[tokio::test]
async fn drafts_become_the_requests_of_the_fixtures() {
    const HANDLE: &str = "4::aW1hZ2UvanBlZw==:FIXTURE";
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path(format!("/v26.0/{WABA}/message_templates")))
        .and(header("authorization", "Bearer fixture-token"))
        .respond_with(answer("templates/create_response_pending.json"))
        .mount(&server)
        .await;
    for (fixture, content, handle) in [
        ("templates/create_request_utility.json", utility(), None),
        ("templates/create_request_named_params.json", named_template(), None),
        ("templates/create_request_image_header.json", image(), Some(HANDLE)),
        ("upload/template_create_request_with_handle.json", image(), Some(HANDLE)),
        (
            "upload/template_create_request_document_header.json",
            document(),
            Some("4::YXBwbGljYXRpb24vcGRm:FIXTURE"),
        ),
    ] {
        let expected = request(fixture);
        let definition = drafted_definition(expected["name"].as_str().unwrap(), content);
        let submitted = client(&server)
            .create_template(TOKEN, WABA, &definition, handle)
            .await
            .unwrap();
        assert_eq!(submitted.id.as_deref(), Some("810000000000001"));
        assert_eq!(
            (&*submitted.status.0, submitted.category),
            ("PENDING", Some(Category::Utility))
        );
        assert_eq!(last_json(&server).await, expected, "{fixture}");
    }
}

#[tokio::test]
async fn codes_and_offers_have_components_of_their_own() {
    let server = answering("POST", answer("upload/library_adopt_response.json")).await;
    let code = json!({
        "category": "authentication", "code": {"security_advice": true, "valid_minutes": 10, "button": "Copy code"},
    });
    let submitted = create(&server, &drafted_definition("code", code)).await.unwrap();
    assert_eq!(submitted.status.0, "APPROVED");
    assert_eq!(
        last_json(&server).await["components"],
        json!([
            {"type": "BODY", "add_security_recommendation": true},
            {"type": "FOOTER", "code_expiration_minutes": 10},
            {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy code"}]},
        ])
    );
    let offer = json!({
        "category": "marketing", "header": {"text": "For {{1}}", "sample": "you"}, "body": "Here is our code for you.",
        "buttons": [
            {"kind": "phone_number", "text": "Call", "phone_number": "+447700900999"},
            {"kind": "offer_code", "text": "Copy", "sample": "MAY20"},
        ],
    });
    create(&server, &drafted_definition("offer", offer)).await.unwrap();
    assert_eq!(
        last_json(&server).await["components"],
        json!([
            {"type": "HEADER", "format": "TEXT", "text": "For {{1}}", "example": {"header_text": ["you"]}},
            {"type": "BODY", "text": "Here is our code for you."},
            {"type": "BUTTONS", "buttons": [
                {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+447700900999"},
                {"type": "COPY_CODE", "example": "MAY20"},
            ]},
        ])
    );
}

#[tokio::test]
async fn corrected_category_is_taken_over() {
    let server = answering("POST", answer("templates/create_response_category_corrected.json")).await;
    let made = create(&server, &drafted_definition("a", utility())).await;
    assert_eq!(made.unwrap().category, Some(Category::Marketing));
}

#[tokio::test]
async fn an_edit_replaces_the_components() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v26.0/810000000000001"))
        .respond_with(answer("templates/edit_or_delete_response.json"))
        .mount(&server)
        .await;
    let edited = async |content: Value, moved: Option<Category>| {
        let definition = drafted_definition("a", content);
        let graph = client(&server);
        graph
            .edit_template(TOKEN, "810000000000001", &definition, moved, None)
            .await
    };
    let body = |text: &str| json!({"category": "utility", "body": text, "samples": {"1": "Maya", "2": "Fixture Hair"}});
    let first = body("Hello {{1}}, we missed your call to {{2}} today. May we ring you back?");
    let mut second = body("Hello {{1}}, sorry we missed your call to {{2}} earlier. How can we help?");
    second["footer"] = "Reply STOP to opt out".into();
    for (fixture, content) in [
        ("templates/edit_request.json", first),
        ("upload/edit_request_components_only.json", second),
    ] {
        edited(content, None).await.unwrap();
        let expected = fixtures::json(&format!("whatsapp/{fixture}"));
        assert_eq!(last_json(&server).await, expected, "{fixture}");
    }
    edited(utility(), Some(Category::Marketing)).await.unwrap();
    assert_eq!(last_json(&server).await["category"], "MARKETING");
}

/// Without the id, all languages of the name would go.
#[tokio::test]
async fn one_language_is_deleted() {
    let server = answering("DELETE", answer("templates/edit_or_delete_response.json")).await;
    let graph = client(&server);
    let deleted = graph.delete_template(TOKEN, WABA, "offer_image_v2", "810000000000009");
    deleted.await.unwrap();
    let expected = fixtures::text("whatsapp/upload/delete_one_language_query.txt");
    assert_eq!(last(&server).await.url.query(), Some(expected.trim()));
    assert!(graph.delete_template(TOKEN, WABA, "offer_image_v2", "").await.is_err());
}

#[tokio::test]
async fn refusals_say_what_meta_says() {
    for (fixture, told, exists) in [
        (
            "templates/create_error_leading_variable.json",
            "Leading or trailing params not allowed. Variables can't be at the start or end of the template.",
            false,
        ),
        (
            "templates/create_error_name_exists.json",
            "Content in this language already exists. There is already content for this template in this language.",
            true,
        ),
        (
            "upload/400_error_create_example_missing.json",
            "Message template is missing an example. The header needs an uploaded sample file.",
            false,
        ),
        (
            "upload/400_error_edit_not_possible.json",
            "Template state does not allow this. The template cannot be edited in its present state.",
            false,
        ),
    ] {
        let server = answering("POST", answer(fixture)).await;
        let error = create(&server, &drafted_definition("a", utility())).await.unwrap_err();
        assert_eq!(error.words_for_people(), Some(told), "{fixture}");
        let kind = (error.exists(), error.is_unknown(), error.denies());
        assert_eq!(kind, (exists, false, false), "{fixture}");
    }
}

#[tokio::test]
async fn errors_are_told_apart() {
    let error = async |status: u16, body: &str| {
        let server = answering("POST", text_answer(status, body)).await;
        create(&server, &drafted_definition("a", utility())).await.unwrap_err()
    };
    let token = fixtures::text("whatsapp/upload/401_error_token.json");
    assert!(error(401, &token).await.denies());
    assert!(error(400, r#"{"error":{"code":80008}}"#).await.is_throttled());
    assert!(error(429, "").await.is_throttled());
    for (status, body) in [
        (502, "<html>"),
        (500, r#"{"error":{"code":1}}"#),
        (200, "{}"),
        (200, "<html>"),
        (200, "[]"),
    ] {
        assert!(error(status, body).await.is_unknown(), "{status} {body}");
    }
    let missing = error(400, r#"{"error":{"code":100,"error_subcode":33}}"#).await;
    assert!(missing.is_missing() && !missing.is_unknown());
    let nowhere = GraphClient::new(http(1), NOWHERE, "v26.0");
    let definition = drafted_definition("a", utility());
    let unsent = nowhere.create_template(TOKEN, WABA, &definition, None).await;
    assert!(!unsent.unwrap_err().is_unknown(), "nothing was sent");
}

#[tokio::test]
async fn impossible_ids_are_never_asked() {
    let server = MockServer::start().await;
    let graph = client(&server);
    let definition = drafted_definition("a", utility());
    let wrong = |error: Option<TemplateError>| assert!(matches!(error, Some(TemplateError::BadCredentials)));
    wrong(graph.create_template(TOKEN, "../me", &definition, None).await.err());
    wrong(graph.create_template("", WABA, &definition, None).await.err());
    wrong(graph.create_template("a\nb", WABA, &definition, None).await.err());
    wrong(graph.edit_template(TOKEN, "1/2", &definition, None, None).await.err());
    wrong(graph.template_page(TOKEN, "", None).await.err());
    assert_unasked(&server).await;
}

#[tokio::test]
async fn all_pages_of_templates_are_read() {
    let server = MockServer::start().await;
    let list = || Mock::given(method("GET")).and(path(format!("/v26.0/{WABA}/message_templates")));
    list()
        .and(query_param_is_missing("after"))
        .respond_with(answer("templates/list_response_page1.json"))
        .mount(&server)
        .await;
    // Its `next` contains Meta's host; only the cursor is used.
    list()
        .and(query_param("after", "QUZpeHR1cmVC"))
        .respond_with(answer("templates/list_response_last_page.json"))
        .mount(&server)
        .await;
    let graph = client(&server);
    let first = graph.template_page(TOKEN, WABA, None).await.unwrap();
    let second = graph.template_page(TOKEN, WABA, first.next.as_deref()).await.unwrap();
    assert_eq!((first.skipped, second.skipped, &second.next), (0, 0, &None));
    let [template] = &first.templates[..] else {
        panic!("{first:?}")
    };
    assert_eq!(template.body_variables().unwrap(), ["1", "2"]);
    assert_eq!(template.samples["2"], "Fixture Hair");
    assert_eq!(template.provider_id.as_deref(), Some("810000000000001"));
    assert_eq!(template.quality, Some(Quality::Green));
    let [rejected] = &second.templates[..] else {
        panic!("{second:?}")
    };
    assert_eq!(rejected.rejected_reason.as_deref(), Some("TAG_CONTENT_MISMATCH"));
    let first = graph.template_names(TOKEN, WABA, None).await.unwrap();
    let second = graph.template_names(TOKEN, WABA, first.next.as_deref()).await.unwrap();
    let name = |name: &str| vec![(name.to_owned(), "en_GB".to_owned())];
    assert_eq!(
        (first.names, second.names, second.next),
        (name("missed_call_followup"), name("offer_image"), None)
    );
}

#[tokio::test]
async fn a_list_of_templates_is_whole_or_an_error() {
    for (status, body) in [
        (401, "{\"error\":{\"code\":190}}"),
        (200, "<html>"),
        (200, "{}"),
        (200, "[1]"),
        (502, ""),
    ] {
        let server = answering("GET", text_answer(status, body)).await;
        let page = client(&server).template_page(TOKEN, WABA, None).await;
        assert!(page.is_err(), "{status} {body}");
        let names = client(&server).template_names(TOKEN, WABA, None).await;
        assert!(names.is_err(), "{status} {body}");
    }
    let endless = json!({ "data": [], "paging": { "next": "x", "cursors": { "after": "again" } } });
    let server = answering("GET", json_answer(200, endless)).await;
    let found = client(&server).template_named(TOKEN, WABA, "a", "en").await;
    assert!(matches!(found, Err(TemplateError::TooMany)), "{found:?}");
}

/// A created definition can be listed and, linted again, submitted again.
#[tokio::test]
async fn definitions_are_parsed_completely() {
    let listed = |name: &str, more: Value| {
        let mut item = request(name);
        item["status"] = "APPROVED".into();
        for (field, value) in more.as_object().unwrap() {
            item[field] = value.clone();
        }
        item
    };
    let odd = json!({"components": [{"type": "CAROUSEL", "cards": []}], "name": "odd"});
    let data = [
        listed("templates/create_request_utility.json", json!({})),
        listed("templates/create_request_named_params.json", json!({})),
        listed("templates/create_request_image_header.json", json!({})),
        listed("templates/create_request_utility.json", odd),
    ];
    let server = answering("GET", json_answer(200, json!({ "data": data }))).await;
    let page = client(&server).template_page(TOKEN, WABA, None).await.unwrap();
    assert_eq!((page.templates.len(), page.skipped), (3, 1));
    for (template, content) in page.templates.iter().zip([utility(), named_template(), image()]) {
        let content: TemplateContent = serde_json::from_value(content).unwrap();
        assert_eq!(TemplateContent::of(template), content);
    }
    let [utility, named, image] = &page.templates[..] else {
        panic!("three")
    };
    assert_eq!(utility.buttons[1].kind, ButtonKind::Url);
    assert_eq!(named.parameter_format, ParameterFormat::Named);
    assert_eq!(image.header_media, Some(MediaKind::Image));
    for template in [utility, named] {
        let again = TemplateContent::of(template);
        let linted = lint_draft(&template.name, &template.language, &again, Through::Meta, None);
        assert_eq!(linted.problems, []);
    }
    let graph = client(&server);
    let found = graph.template_named(TOKEN, WABA, "missed_call_named", "en_GB").await;
    assert_eq!(found.unwrap().as_ref(), Some(named));
    let found = graph.template_named(TOKEN, WABA, "missed_call", "en_GB").await;
    assert_eq!(found.unwrap(), None, "not by a part of the name");
}

/// Meta finds names by part, so that those of others may fill the first page.
#[tokio::test]
async fn template_is_found_behind_a_page_of_others() {
    let server = MockServer::start().await;
    let listed = |name: &str| {
        let mut item = fixtures::json("whatsapp/templates/create_request_utility.json");
        (item["status"], item["name"]) = ("APPROVED".into(), name.into());
        item
    };
    let others: Vec<Value> = (0..100).map(|number| listed(&format!("order_{number}"))).collect();
    let first = json!({
        "data": others, "paging": {"cursors": {"after": "c1"}, "next": "https://graph.example/elsewhere"},
    });
    let second = json!({"data": [listed("order")], "paging": {"cursors": {"after": "c2"}}});
    for (page, after) in [(first, None), (second, Some("c1"))] {
        let mock = Mock::given(method("GET")).and(query_param("name", "order"));
        let mock = match after {
            Some(after) => mock.and(query_param("after", after)),
            None => mock.and(query_param_is_missing("after")),
        };
        let mock = mock.respond_with(json_answer(200, page));
        mock.expect(1).mount(&server).await;
    }
    let found = client(&server).template_named(TOKEN, WABA, "order", "en_GB").await;
    assert_eq!(found.unwrap().map(|found| found.name).as_deref(), Some("order"));
}

/// Meta's preview is a URL, which is neither a medium to send nor a sample.
#[tokio::test]
async fn preview_of_a_media_header_is_not_kept() {
    let server = answering("GET", answer("upload/template_read_header_handle_is_url.json")).await;
    let page = client(&server).template_page(TOKEN, WABA, None).await.unwrap();
    let [template] = &page.templates[..] else {
        panic!("{page:?}")
    };
    assert_eq!(
        (template.header_media, template.sample_asset),
        (Some(MediaKind::Image), None)
    );
    assert!(!serde_json::to_string(template).unwrap().contains("scontent"));
}

const FILE: SampleFile<'_> = SampleFile {
    name: "salon-offer.jpg",
    mime: "image/jpeg",
    bytes: 184_320,
};

/// Adds the bytes of the sample from an offset on, in pieces.
async fn feed(offset: u64, sending: Sending) {
    let mut left = FILE.bytes - offset;
    while left > 0 {
        let length = left.min(65_536);
        if !sending.add(vec![7; usize::try_from(length).unwrap()]).await {
            break;
        }
        left -= length;
    }
}

async fn mount_upload_session(server: &MockServer) {
    Mock::given(method("POST"))
        .and(path("/v26.0/app/uploads"))
        .and(header("authorization", "OAuth fixture-token"))
        .respond_with(answer("upload/session_response.json"))
        .mount(server)
        .await;
}

const SESSION: &str = "/v26.0/upload:MTphdHRhY2htZW50OmZpeHR1cmU=";

#[tokio::test]
async fn a_sample_is_uploaded_piece_by_piece() {
    let server = MockServer::start().await;
    mount_upload_session(&server).await;
    Mock::given(method("POST"))
        .and(path(SESSION))
        .and(query_param("sig", "AFixtureSig0001"))
        .and(header("authorization", "OAuth fixture-token"))
        .and(header("file_offset", "0"))
        .and(header("content-length", "184320"))
        .and(body_bytes(vec![7_u8; 184_320]))
        .respond_with(answer("upload/upload_response_handle_multiline.json"))
        .expect(1)
        .mount(&server)
        .await;
    let handle = client(&server).upload_sample(TOKEN, FILE, feed).await.unwrap();
    assert_eq!(handle, "4::aW1hZ2UvanBlZw==:FIXTURE1\n4::aW1hZ2UvanBlZw==:FIXTURE2");
    let open = &server.received_requests().await.unwrap()[0];
    let expected = fixtures::text("whatsapp/upload/session_request_query.txt");
    assert_eq!(open.url.query(), Some(expected.trim()));
}

#[tokio::test]
async fn wrong_answers_to_an_upload_give_no_handle() {
    for id in ["", "upload:", "upload:../me", "https://evil.example", "upload:a b"] {
        let server = MockServer::start().await;
        Mock::given(path("/v26.0/app/uploads"))
            .respond_with(json_answer(200, json!({ "id": id })))
            .mount(&server)
            .await;
        assert!(client(&server).upload_sample(TOKEN, FILE, feed).await.is_err(), "{id}");
        assert_eq!(server.received_requests().await.unwrap().len(), 1, "{id}");
    }
    for (status, body) in [(200, "{}"), (401, "{\"error\":{\"code\":190}}"), (500, "")] {
        let server = MockServer::start().await;
        mount_upload_session(&server).await;
        Mock::given(path(SESSION))
            .respond_with(text_answer(status, body))
            .mount(&server)
            .await;
        let uploaded = client(&server).upload_sample(TOKEN, FILE, feed).await;
        assert!(uploaded.is_err(), "{status}");
    }
}

/// A sample that ends too early, such as an asset that was deleted meanwhile, does not become a handle.
#[tokio::test]
async fn a_sample_that_breaks_off_goes_on_where_meta_is() {
    let server = MockServer::start().await;
    mount_upload_session(&server).await;
    Mock::given(method("GET"))
        .and(path(SESSION))
        .respond_with(answer("upload/resume_query_response.json"))
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .and(path(SESSION))
        .and(header("file_offset", "65536"))
        .respond_with(answer("upload/upload_response_handle.json"))
        .mount(&server)
        .await;
    let broken = |offset: u64, sending: Sending| async move {
        if offset > 0 {
            feed(offset, sending).await;
        }
    };
    let handle = client(&server).upload_sample(TOKEN, FILE, broken).await;
    assert_eq!(handle.unwrap(), "4::aW1hZ2UvanBlZw==:FIXTURE");
}

/// Fixtures that nothing of ours requests are only checked to be JSON.
#[test]
fn fixtures_of_uploads_are_listed() {
    let unused = [
        "400_error_insights_not_enabled.json",
        "archive_request.json",
        "archive_response.json",
        "library_adopt_request.json",
        "library_response.json",
        "template_analytics_response.json",
        "upload_request_headers.json",
        "upload_request_headers_resumed.json",
    ];
    let names = fixtures::names("whatsapp/upload");
    for name in unused {
        assert!(names.contains(name) && !fixtures::json(&format!("whatsapp/upload/{name}")).is_null());
    }
    assert_eq!(names.len(), 25);
    assert_eq!(fixtures::names("whatsapp/templates").len(), 11);
}
