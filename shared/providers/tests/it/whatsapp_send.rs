//! Sending by the Graph API: our requests equal the fixtures, their answers are classified.

use std::collections::BTreeMap;

use domain::media::AssetUse;
use domain::messages::{Content, SendOutcome};
use domain::terms::ErrorClass::{Bug, FallBack, RetryAfter, TenantMustAct};
use domain::terms::Recipient;
use providers::outgoing::Outgoing;
use providers::whatsapp::client::GraphClient;
use serde_json::{Value, from_value, json};
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::fixtures;
use crate::sending::{Expected, assert_classified, empty_recipient, key, maya, stored_content, text, tom};
use crate::server::{answering, assert_unasked, http, json_answer, last_json};

const NUMBER: &str = "910000000000001";

fn client(server: &MockServer) -> GraphClient {
    GraphClient::new(http(10), &server.uri(), "v26.0")
}

async fn send(server: &MockServer, to: &Recipient, outgoing: impl Into<Outgoing<'_>>) -> SendOutcome {
    let outgoing: Outgoing<'_> = outgoing.into();
    client(server).send("fixture-token", NUMBER, to, outgoing, key()).await
}

fn asset(kind: &str, name: Option<&str>) -> AssetUse {
    let mut asset = json!({"asset_id": "ast_00000000000000000000000001", "kind": kind});
    if let Some(name) = name {
        asset["file_name"] = name.into();
    }
    from_value(asset).unwrap()
}

/// A fixture in the form of our requests: with our key and constant fields.
fn expected_body(name: &str) -> Value {
    let mut body = fixtures::json(&format!("whatsapp/send/request/{name}"));
    body["biz_opaque_callback_data"] = key().to_string().into();
    if body["type"] == "text" {
        body["text"]["preview_url"] = false.into();
    }
    if name == "template_body_and_buttons.json" {
        // `deterministic` is the only policy, and quick replies return their own text without a payload.
        body["template"]["language"].as_object_mut().unwrap().remove("policy");
        body["template"]["components"]
            .as_array_mut()
            .unwrap()
            .retain(|part| part["sub_type"] != "quick_reply");
    }
    body
}

/// Requests that Ringback does not send. Files are sent by the id of their upload, not by a link.
const NOT_SENT: [&str; 6] = [
    "direct_send_utility_text.json",
    "image_by_link.json",
    "interactive_flow.json",
    "mark_read.json",
    "mark_read_with_typing.json",
    "template_image_header_link.json",
];

/// Contents for Maya, by the file of their fixture, with the id of their own file.
fn contents() -> Vec<(String, Content, Option<&'static str>)> {
    let document = asset("document", Some("quote.pdf"));
    let contents = json!({
        "text.json": {"text": "Hi Maya, sorry we missed your call."},
        "audio_voice.json": {"media": {"asset": asset("audio", None), "voice": true}},
        "document_by_id.json": {"media": {"asset": document, "caption": "Your quote"}},
        "interactive_buttons.json": {"interactive": {
            "header": {"text": "Missed call"}, "body": "How can we help?", "footer": "Fixture Hair",
            "action": {"buttons": [
                {"id": "act:book", "title": "Book"},
                {"id": "act:call", "title": "Call me back"},
                {"id": "act:stop", "title": "No thanks"},
            ]},
        }},
        "interactive_cta_url.json": {"interactive": {
            "body": "Book online", "action": {"link": {"title": "Open booking", "url": "https://book.example.test/tnt_a"}},
        }},
        "interactive_list.json": {"interactive": {
            "body": "Pick a service",
            "action": {"list": {"button": "Services", "sections": [{"title": "Hair", "rows": [
                {"id": "svc:cut", "title": "Haircut", "description": "30 minutes"},
                {"id": "svc:col", "title": "Colour"},
            ]}]}},
        }},
        "interactive_location_request.json": {"interactive": {"body": "Where is the car?", "action": "request_location"}},
        "location.json": {"location": {
            "latitude": 51.5007, "longitude": -0.1246, "name": "Fixture Hair", "address": "1 Fixture Sq",
        }},
        "contacts.json": {"contacts": [
            {"name": "Fixture Hair", "phones": [{"number": "+442079460001", "kind": "work"}]},
        ]},
        "reaction.json": {"reaction": {"to": REPLIED, "emoji": "👍"}},
        "template_document_header_id.json": {"template": {
            "name": "quote_pdf", "language": "en_GB", "header_media": document,
        }},
        "template_no_params.json": {"template": {"name": "hello_world", "language": "en_US"}},
        "template_named_params.json": {"template": {
            "name": "missed_call_named", "language": "en_GB",
            "body": [{"name": "first_name", "text": "Maya"}, {"name": "business", "text": "Fixture Hair"}],
        }},
        "template_body_and_buttons.json": {"template": {
            "name": "missed_call_followup", "language": "en_GB", "body": [{"text": "Maya"}, {"text": "Fixture Hair"}],
            "buttons": [[1, "b/tnt_a?c=call-0001"]],
        }},
    });
    let contents: BTreeMap<String, Content> = from_value(contents).unwrap();
    let contents = contents.into_iter().map(|(name, content)| {
        let file = match &*name {
            "audio_voice.json" => Some("700000000000901"),
            "document_by_id.json" | "template_document_header_id.json" => Some("700000000000900"),
            _ => None,
        };
        (name, content, file)
    });
    contents.collect()
}

/// The message that replies answer.
const REPLIED: &str = "wamid.RklYVFVSRTp0ZXh0";

#[tokio::test]
async fn our_requests_equal_the_fixtures() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path(format!("/v26.0/{NUMBER}/messages")))
        .and(header("authorization", "Bearer fixture-token"))
        .and(header("user-agent", "ringback/test"))
        .and(header("content-type", "application/json"))
        .respond_with(json_answer(200, fixtures::json("whatsapp/send/response/200_text.json")))
        .mount(&server)
        .await;
    let mut names = fixtures::names("whatsapp/send/request");
    for not_sent in NOT_SENT {
        assert!(names.remove(not_sent), "{not_sent}");
    }
    let (maya, tom, contents) = (maya(), tom(), contents());
    let to_maya = contents.iter().map(|(name, content, file)| {
        let file = *file;
        (name.as_str(), &maya, Outgoing { file, ..content.into() })
    });
    let (hello, booked) = (text("Hello"), text("Saturday 10:30 is booked."));
    let replied = REPLIED.parse().unwrap();
    let reply = Outgoing {
        reply_to: Some(&replied),
        ..Outgoing::from(&booked)
    };
    let others = [
        ("text_to_bsuid.json", &tom, Outgoing::from(&hello)),
        ("text_reply.json", &maya, reply),
    ];
    for (name, to, outgoing) in to_maya.chain(others) {
        assert!(names.remove(name), "{name}");
        let outcome = send(&server, to, outgoing).await;
        assert!(matches!(outcome, SendOutcome::Accepted { .. }), "{name}: {outcome:?}");
        assert_eq!(last_json(&server).await, expected_body(name), "{name}");
    }
    assert!(names.is_empty(), "not reproduced: {names:?}");
}

/// The body is the same, but goes elsewhere, unless only the person's id is known.
#[tokio::test]
async fn marketing_message_to_a_number_has_its_own_edge() {
    let server = answering(
        "POST",
        json_answer(200, fixtures::json("whatsapp/send/response/200_text.json")),
    )
    .await;
    let offer = stored_content(json!({"template": {"name": "hello_world", "language": "en_US"}}));
    for (as_marketing, to, edge) in [
        (true, maya(), "marketing_messages"),
        (true, tom(), "messages"),
        (false, maya(), "messages"),
    ] {
        let outgoing = Outgoing {
            as_marketing,
            ..Outgoing::from(&offer)
        };
        let outcome = send(&server, &to, outgoing).await;
        assert!(matches!(outcome, SendOutcome::Accepted { .. }), "{outcome:?}");
        let last = server.received_requests().await.unwrap().pop().unwrap();
        assert_eq!(last.url.path(), format!("/v26.0/{NUMBER}/{edge}"));
        if as_marketing && to == maya() {
            assert_eq!(last_json(&server).await, expected_body("template_no_params.json"));
        }
    }
}

/// The parts that no fixture has.
#[tokio::test]
async fn rarer_parts_of_content_are_sent() {
    let server = MockServer::start().await;
    let sent = async |content: Value, file: Option<&str>| {
        let content = stored_content(content);
        let outgoing = Outgoing {
            file,
            ..Outgoing::from(&content)
        };
        send(&server, &maya(), outgoing).await;
        let body = last_json(&server).await;
        body[body["type"].as_str().unwrap()].clone()
    };
    let picture = asset("image", Some("cake.jpg"));
    let header = json!({
        "header": {"media": picture}, "body": "Cake?", "action": {"buttons": [{"id": "yes", "title": "Yes"}]},
    });
    let interactive = sent(json!({ "interactive": header }), Some("7001")).await;
    // Only documents have a name.
    assert_eq!(interactive["header"], json!({"type": "image", "image": {"id": "7001"}}));
    let sticker = json!({"media": {"asset": asset("sticker", None)}});
    assert_eq!(sent(sticker, Some("7002")).await, json!({"id": "7002"}));
    let taken_back = json!({"reaction": {"to": REPLIED}});
    assert_eq!(
        sent(taken_back, None).await,
        json!({"message_id": REPLIED, "emoji": ""})
    );
    let cards = json!({"contacts": [
        {"name": "Dr. Maya Haddad", "organization": "Saffron", "emails": ["maya@saffron.example"],
         "phones": [{"number": "+971501234567"}]},
    ]});
    assert_eq!(
        sent(cards, None).await,
        json!([{
            "name": {"formatted_name": "Dr. Maya Haddad", "first_name": "Maya"}, "org": {"company": "Saffron"},
            "phones": [{"phone": "+971501234567"}], "emails": [{"email": "maya@saffron.example"}],
        }])
    );
}

#[tokio::test]
async fn headers_and_offers_codes_are_filled_in() {
    let server = MockServer::start().await;
    for (template, components) in [
        (
            json!({"name": "greeting", "language": "en_GB", "header": {"text": "Fixture Hair"}}),
            json!([{ "type": "header", "parameters": [{ "type": "text", "text": "Fixture Hair" }] }]),
        ),
        (
            json!({"name": "offer", "language": "en_GB", "buttons": [[0, "b"], [1, "MAY20"]], "offer_codes": [1]}),
            json!([
                { "type": "button", "sub_type": "url", "index": "0", "parameters": [{ "type": "text", "text": "b" }] },
                {
                    "type": "button", "sub_type": "copy_code", "index": "1",
                    "parameters": [{ "type": "coupon_code", "coupon_code": "MAY20" }],
                },
            ]),
        ),
    ] {
        send(&server, &maya(), &stored_content(json!({ "template": template }))).await;
        assert_eq!(
            last_json(&server).await["template"]["components"],
            components,
            "{template}"
        );
    }
}

#[tokio::test]
async fn a_known_number_is_preferred_to_the_id() {
    let server = MockServer::start().await;
    let both = Recipient {
        phone: maya().phone,
        bsuid: tom().bsuid,
    };
    send(&server, &both, &text("hi")).await;
    let body = last_json(&server).await;
    assert_eq!(
        (&body["to"], &body["recipient"]),
        (&json!("447700900111"), &Value::Null)
    );
}

#[tokio::test]
async fn every_answer_is_classified() {
    use Expected::{Accepted, Refused, Unknown};
    const OURS: Expected = Accepted("wamid.RklYVFVSRTpvdXQtMQ==", None);
    let table = [
        ("200_input_normalised_wa_id_differs.json", OURS),
        ("200_mark_read.json", Unknown),
        ("200_template_accepted.json", OURS),
        ("200_template_held_for_quality_assessment.json", OURS),
        ("200_text.json", OURS),
        ("200_to_bsuid.json", Accepted("wamid.RklYVFVSRTpvdXQtYnM=", None)),
        ("400_error_100_invalid_parameter.json", Refused(Bug)),
        ("400_error_131008_missing_parameter.json", Refused(Bug)),
        ("400_error_131009_bad_parameter_value.json", Refused(Bug)),
        ("400_error_131026_undeliverable.json", Refused(FallBack)),
        ("400_error_131030_not_in_allowed_list.json", Refused(Bug)),
        ("400_error_131047_reengagement.json", Refused(FallBack)),
        ("400_error_131048_spam_rate.json", Refused(FallBack)),
        ("400_error_131051_unsupported_type.json", Refused(Bug)),
        ("400_error_131056_pair_rate.json", Refused(RetryAfter)),
        ("400_error_131062_bsuid_not_supported.json", Refused(FallBack)),
        ("400_error_132000_param_count.json", Refused(Bug)),
        ("400_error_132005_text_too_long.json", Refused(FallBack)),
        ("400_error_132007_policy.json", Refused(FallBack)),
        ("400_error_132012_param_format.json", Refused(Bug)),
        ("400_error_132015_template_paused.json", Refused(FallBack)),
        ("400_error_132016_template_disabled.json", Refused(FallBack)),
        ("400_error_133010_not_registered.json", Refused(TenantMustAct)),
        ("400_error_135000_generic.json", Refused(Bug)),
        ("400_error_4_app_rate_limit.json", Refused(RetryAfter)),
        ("400_error_80007_waba_rate_limit.json", Refused(RetryAfter)),
        ("401_error_190_token_expired.json", Refused(TenantMustAct)),
        ("402_error_131042_payment.json", Refused(TenantMustAct)),
        ("403_error_10_permission.json", Refused(TenantMustAct)),
        ("403_error_131005_access_denied.json", Refused(TenantMustAct)),
        ("403_error_131031_account_locked.json", Refused(FallBack)),
        ("403_error_368_policy_block.json", Refused(FallBack)),
        ("404_error_132001_template_missing.json", Refused(FallBack)),
        ("429_error_130429_throughput.json", Refused(RetryAfter)),
        ("500_error_131000_unknown.json", Unknown),
        ("500_error_131016_unavailable.json", Unknown),
        ("500_error_1_api_unknown.json", Unknown),
        ("500_error_3_capability_not_transient.json", Refused(TenantMustAct)),
        ("502_html_body.txt", Unknown),
        ("503_error_2_transient.json", Unknown),
    ];
    assert_classified("whatsapp/send/response", &table, async |server| {
        send(server, &maya(), &text("hi")).await
    })
    .await;
}

#[tokio::test]
async fn refusal_gives_the_reason_without_the_number() {
    let body = json!({ "error": { "code": 100, "message": "447700900111", "error_data": { "details": "to: +44 7700 900111 is not allowed" } } });
    let server = answering("POST", json_answer(400, body)).await;
    let SendOutcome::Refused { reason, .. } = send(&server, &maya(), &text("hi")).await else {
        panic!()
    };
    assert_eq!(
        reason,
        "WhatsApp refused it: a parameter of the request is invalid (code 100). WhatsApp says: to: +… is not allowed."
    );
}

#[tokio::test]
async fn impossible_message_is_never_sent() {
    let server = MockServer::start().await;
    let refused = |outcome: &SendOutcome| match outcome {
        SendOutcome::Refused { classified, reason, .. } => {
            assert!(reason.starts_with("Not sent: "), "{reason}");
            classified.class
        }
        other => panic!("{other:?}"),
    };
    let graph = client(&server);
    for (token, number, to, class) in [
        ("t", NUMBER, empty_recipient(), FallBack),
        ("", NUMBER, maya(), TenantMustAct),
        ("a\nb", NUMBER, maya(), TenantMustAct),
        ("t", "../me", maya(), TenantMustAct),
        ("t", "", maya(), TenantMustAct),
    ] {
        let outcome = graph.send(token, number, &to, &text("hi"), key()).await;
        assert_eq!(refused(&outcome), class, "{token:?} {number:?} {to:?}");
    }
    // Without the id of its file.
    for (name, content, _) in contents().iter().filter(|(.., file)| file.is_some()) {
        let outcome = graph.send("t", NUMBER, &maya(), content, key()).await;
        assert_eq!(refused(&outcome), Bug, "{name}");
    }
    assert_unasked(&server).await;
}

#[tokio::test]
async fn a_message_is_sent_once_whatever_the_answer() {
    for status in [200, 302, 400, 429, 500, 503] {
        let server = answering("POST", ResponseTemplate::new(status)).await;
        send(&server, &maya(), &text("hi")).await;
        let requests = server.received_requests().await.unwrap();
        assert_eq!(requests.len(), 1, "{status}");
    }
}
