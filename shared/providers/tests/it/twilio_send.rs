//! Sending by Twilio: our requests equal the fixtures, their answers are classified, lost messages are found.

use std::time::Duration;

use domain::messages::{
    message::{AttemptState, Content, FilledTemplate, Recipient, SendOutcome, StatusReport, TemplateValue},
    send::ErrorClass::{Blocked, Bug, FallBack, RetryAfter, TenantMustAct},
};
use providers::{
    form,
    http::Http,
    outgoing::Outgoing,
    twilio::client::{Credentials, FindError, Search, Sender, TwilioClient, Wanted},
};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{basic_auth, header, method, path, query_param},
};

use crate::fixtures::{self, Expected, assert_outcome, at, key, maya, tom};

const ACCOUNT: &str = "AC000000000000000000000000000000a1";
const CREDENTIALS: Credentials<'_> = Credentials {
    api_key_sid: "SKfixture",
    api_key_secret: "fixture-secret",
    account_sid: ACCOUNT,
};
const SERVICE: &str = "MG00000000000000000000000000000001";

fn client(server: &MockServer) -> TwilioClient {
    TwilioClient::new(
        Http::new("ringback/test".to_owned(), Duration::from_secs(10)),
        &server.uri(),
    )
}

fn text(body: &str) -> Content {
    Content::Text(body.to_owned())
}

/// Content in its stored form.
fn stored(content: Value) -> Content {
    serde_json::from_value(content).unwrap()
}

fn picture() -> Value {
    json!({"asset_id": "ast_00000000000000000000000001", "kind": "image"})
}

/// Source: twilio.com/docs/whatsapp, location messages.
#[tokio::test]
async fn a_place_is_sent_with_a_text() {
    let number = "+15005550006".parse().unwrap();
    for (more, body, action) in [
        (
            json!({"name": "Fixture Hair", "address": "1 Fixture Sq"}),
            "Fixture Hair",
            "geo:51.5007,-0.1246|1 Fixture Sq",
        ),
        (json!({"name": "Fixture Hair"}), "Fixture Hair", "geo:51.5007,-0.1246"),
        (json!({}), "51.5007, -0.1246", "geo:51.5007,-0.1246"),
    ] {
        let server = MockServer::start().await;
        let mut place = json!({"latitude": 51.5007, "longitude": -0.1246});
        place.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let place = stored(json!({ "location": place }));
        let sender = Sender::WhatsApp(&number);
        client(&server)
            .send(CREDENTIALS, sender, &maya(), &place, key(), None)
            .await;
        let sent = pairs(&server.received_requests().await.unwrap()[0].body);
        let field = |name: &str| {
            sent.iter()
                .find(|(field, _)| field == name)
                .map(|(_, value)| value.as_str())
        };
        assert_eq!((field("Body"), field("PersistentAction")), (Some(body), Some(action)));
    }
}

fn pairs(body: &[u8]) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    form::parse(body)
        .pairs()
        .map(|(name, value)| (text(name), text(value)))
        .collect()
}

#[tokio::test]
async fn our_requests_equal_the_fixtures() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path(format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json")))
        .and(basic_auth("SKfixture", "fixture-secret"))
        .and(header("content-type", "application/x-www-form-urlencoded"))
        .and(header("user-agent", "ringback/test"))
        .respond_with(
            ResponseTemplate::new(201).set_body_bytes(fixtures::bytes("twilio/send/response/201_queued.json")),
        )
        .mount(&server)
        .await;
    let number = "+15005550006".parse().unwrap();
    let base = "https://hooks.example.test/v1/twilio/tnt_a/message-status";
    let value = |text: &str| TemplateValue {
        name: None,
        text: text.to_owned(),
    };
    let template = Content::Template(FilledTemplate {
        name: "missed_call_followup".to_owned(),
        language: "en_GB".to_owned(),
        body: vec![value("Maya"), value("Fixture Hair")],
        header: None,
        buttons: Vec::new(),
        content_sid: Some("HX00000000000000000000000000000001".to_owned()),
        header_media: None,
        offer_codes: Vec::new(),
        edition: 0,
    });
    let sms = text(
        "Fixture Hair: sorry we missed your call. Reply here or book: https://book.example.test/a. Reply STOP to opt out",
    );
    let sent = [
        (
            "sms_messaging_service.txt",
            Sender::MessagingService(SERVICE),
            maya(),
            sms,
            None,
            Some(base),
        ),
        (
            "whatsapp_content_template.txt",
            Sender::WhatsApp(&number),
            maya(),
            template,
            None,
            Some(base),
        ),
        (
            "whatsapp_freeform.txt",
            Sender::WhatsApp(&number),
            maya(),
            text("Hi Maya, sorry we missed your call."),
            None,
            Some(base),
        ),
        (
            "whatsapp_media.txt",
            Sender::WhatsApp(&number),
            maya(),
            stored(json!({"media": {"asset": picture(), "caption": "Our map"}})),
            Some("https://media.example.test/a.jpg"),
            None,
        ),
        (
            "whatsapp_to_bsuid.txt",
            Sender::WhatsApp(&number),
            tom(),
            text("Hello"),
            None,
            None,
        ),
    ];
    let mut names = fixtures::names("twilio/send/request");
    // Senders are numbers and Messaging Services.
    assert!(names.remove("sms_alphanumeric_from.txt"));
    for (name, sender, to, content, file, callback) in &sent {
        assert!(names.remove(*name));
        let file = *file;
        let outgoing = Outgoing { file, ..content.into() };
        let outcome = client(&server)
            .send(CREDENTIALS, *sender, to, outgoing, key(), *callback)
            .await;
        assert!(matches!(outcome, SendOutcome::Accepted { .. }), "{name}: {outcome:?}");
        let mut ours = pairs(&server.received_requests().await.unwrap().last().unwrap().body);
        let mut theirs = pairs(&fixtures::bytes(&format!("twilio/send/request/{name}")));
        for (field, value) in ours.iter_mut().chain(&mut theirs) {
            match field.as_str() {
                // The fixtures contain another key.
                "StatusCallback" => {
                    let (address, query) = value.split_once('?').unwrap();
                    assert!(
                        query == format!("key={}#rc=3&rp=all", key()) || query.starts_with("m=msg_"),
                        "{query}"
                    );
                    *value = address.to_owned();
                }
                "ContentVariables" => *value = serde_json::from_str::<Value>(value).unwrap().to_string(),
                _ => {}
            }
        }
        assert_eq!(ours, theirs, "{name}");
    }
    assert!(names.is_empty(), "not reproduced: {names:?}");
}

#[tokio::test]
async fn an_sms_from_a_number_names_it() {
    let server = MockServer::start().await;
    let number = "+15005550006".parse().unwrap();
    let callback = Some("https://h.test/s?a=b");
    client(&server)
        .send(
            CREDENTIALS,
            Sender::Number(&number),
            &maya(),
            &text("Hi"),
            key(),
            callback,
        )
        .await;
    let ours = pairs(&server.received_requests().await.unwrap()[0].body);
    let callback = format!("https://h.test/s?a=b&key={}#rc=3&rp=all", key());
    let wanted = [
        ("To", "+447700900111"),
        ("From", "+15005550006"),
        ("Body", "Hi"),
        ("StatusCallback", &callback),
        ("ValidityPeriod", "14400"),
        ("SmartEncoded", "true"),
    ];
    assert_eq!(ours, wanted.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[tokio::test]
async fn every_answer_is_classified() {
    use Expected::{Accepted, Refused, Unknown};
    const SMS: &str = "SM00000000000000000000000000000014";
    let table = [
        ("200_fetch_delivered_priced.json", Accepted(SMS, Some(2))),
        ("201_accepted_messaging_service.json", Accepted(SMS, None)),
        ("201_queued.json", Accepted(SMS, Some(1))),
        (
            "201_whatsapp_queued.json",
            Accepted("SM00000000000000000000000000000015", None),
        ),
        ("400_error_21211_invalid_to.json", Refused(FallBack)),
        ("400_error_21408_geo_permission.json", Refused(FallBack)),
        ("400_error_21606_bad_from.json", Refused(FallBack)),
        ("400_error_21610_stop_list.json", Refused(Blocked)),
        ("400_error_21614_not_mobile.json", Refused(FallBack)),
        ("400_error_21617_body_too_long.json", Refused(Bug)),
        ("400_error_21635_landline.json", Refused(FallBack)),
        ("400_error_63016_outside_window.json", Refused(FallBack)),
        ("401_error_20003_bad_credentials.json", Refused(TenantMustAct)),
        ("404_error_20404_not_found.json", Refused(FallBack)),
        ("429_error_20429_too_many_requests.json", Refused(RetryAfter)),
        ("503_error_20503_unavailable.json", Unknown),
    ];
    let mut names = fixtures::names("twilio/send/response");
    for (name, expected) in &table {
        assert!(names.remove(*name), "{name}");
        let server = MockServer::start().await;
        let body = fixtures::bytes(&format!("twilio/send/response/{name}"));
        Mock::given(method("POST"))
            .respond_with(ResponseTemplate::new(name[..3].parse::<u16>().unwrap()).set_body_bytes(body))
            .mount(&server)
            .await;
        let sender = Sender::MessagingService(SERVICE);
        let outcome = client(&server)
            .send(CREDENTIALS, sender, &maya(), &text("hi"), key(), None)
            .await;
        assert_outcome(name, &outcome, expected);
    }
    assert!(names.is_empty(), "not classified: {names:?}");
}

#[tokio::test]
async fn a_message_that_failed_at_once_is_refused() {
    // Twilio sends no callback for the first status.
    let server = MockServer::start().await;
    let body = json!({ "sid": "SM1", "status": "failed", "error_code": 30034 });
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(201).set_body_json(body))
        .mount(&server)
        .await;
    let outcome = client(&server)
        .send(
            CREDENTIALS,
            Sender::MessagingService(SERVICE),
            &maya(),
            &text("hi"),
            key(),
            None,
        )
        .await;
    let SendOutcome::Refused { code, classified, .. } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!((code, classified.class), (Some(30_034), FallBack));
}

#[tokio::test]
async fn impossible_message_is_never_sent() {
    let server = MockServer::start().await;
    let twilio = client(&server);
    let number = "+15005550006".parse().unwrap();
    let template = Content::Template(FilledTemplate {
        name: "n".to_owned(),
        language: "en".to_owned(),
        body: Vec::new(),
        header: None,
        buttons: Vec::new(),
        content_sid: None,
        header_media: None,
        offer_codes: Vec::new(),
        edition: 0,
    });
    let bad_account = Credentials {
        account_sid: "../x",
        ..CREDENTIALS
    };
    let hi = text("hi");
    let media = stored(json!({"media": {"asset": picture()}}));
    let place = stored(json!({"location": {"latitude": 51.5, "longitude": 0}}));
    let asks = stored(json!({"interactive": {"body": "Where are you?", "action": "request_location"}}));
    let card = stored(json!({"contacts": [{"name": "Maya", "emails": ["maya@saffron.example"]}]}));
    let reaction = stored(json!({"reaction": {"to": "SM1", "emoji": "👍"}}));
    for (credentials, sender, to, content, class) in [
        (CREDENTIALS, Sender::Number(&number), tom(), &hi, FallBack),
        (
            CREDENTIALS,
            Sender::WhatsApp(&number),
            Recipient {
                phone: None,
                bsuid: None,
            },
            &hi,
            FallBack,
        ),
        (CREDENTIALS, Sender::Number(&number), maya(), &template, Bug),
        (CREDENTIALS, Sender::WhatsApp(&number), maya(), &template, Bug),
        (bad_account, Sender::Number(&number), maya(), &hi, TenantMustAct),
        (CREDENTIALS, Sender::Number(&number), maya(), &place, Bug),
        // Without a link to its file.
        (CREDENTIALS, Sender::WhatsApp(&number), maya(), &media, Bug),
        (CREDENTIALS, Sender::WhatsApp(&number), maya(), &asks, FallBack),
        (CREDENTIALS, Sender::WhatsApp(&number), maya(), &card, FallBack),
        (CREDENTIALS, Sender::WhatsApp(&number), maya(), &reaction, FallBack),
    ] {
        let outcome = twilio.send(credentials, sender, &to, content, key(), None).await;
        let SendOutcome::Refused { classified, .. } = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(classified.class, class);
    }
    let replied = "SM1".parse().unwrap();
    let reply = Outgoing {
        reply_to: Some(&replied),
        ..Outgoing::from(&hi)
    };
    let to = maya();
    let outcome = twilio.send(CREDENTIALS, Sender::WhatsApp(&number), &to, reply, key(), None);
    let SendOutcome::Refused { classified, .. } = outcome.await else {
        panic!("a reply is not sent")
    };
    assert_eq!(classified.class, FallBack);
    assert!(server.received_requests().await.unwrap().is_empty());
}

fn listed(sid: &str, created: &str, changes: &Value) -> Value {
    let mut message = fixtures::json("twilio/send/response/200_fetch_delivered_priced.json");
    message["sid"] = sid.into();
    message["date_created"] = created.into();
    for (name, value) in changes.as_object().unwrap() {
        message[name] = value.clone();
    }
    message
}

async fn find(pages: &[Value], wanted: &Wanted<'_>) -> Result<Search, FindError> {
    let (server, client) = listing(pages, Duration::ZERO).await;
    let search = client.find(CREDENTIALS, wanted, nobody_elses).await;
    drop(server);
    search
}

async fn nobody_elses(_: Vec<String>) -> Result<Vec<String>, std::io::Error> {
    Ok(Vec::new())
}

/// A server that lists these pages, each after this delay.
async fn listing(pages: &[Value], delay: Duration) -> (MockServer, TwilioClient) {
    let server = MockServer::start().await;
    for (index, messages) in pages.iter().enumerate() {
        let next = (index + 1 < pages.len()).then(|| {
            format!(
                "/2010-04-01/Accounts/{ACCOUNT}/Messages.json?To=%2B447700900111&Page={}",
                index + 1
            )
        });
        let page = json!({ "messages": messages, "next_page_uri": next });
        let list = Mock::given(method("GET"))
            .and(path(format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json")))
            .and(basic_auth("SKfixture", "fixture-secret"))
            .and(query_param("To", "+447700900111"));
        let list = if index == 0 {
            list.and(query_param("PageSize", "50"))
        } else {
            list.and(query_param("Page", index.to_string()))
        };
        list.respond_with(ResponseTemplate::new(200).set_body_json(page).set_delay(delay))
            .mount(&server)
            .await;
    }
    let client = client(&server);
    (server, client)
}

fn found(search: Result<Search, FindError>) -> StatusReport {
    match search {
        Ok(Search::Found(report)) => *report,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_lost_message_is_found_by_recipient_time_and_text() {
    let content = text("Sorry we missed your call.");
    let to = maya();
    let wanted = Wanted {
        sender: Sender::MessagingService(SERVICE),
        to: &to,
        content: &content,
        since: at("2026-10-31T09:20:00Z"),
        until: at("2026-10-31T09:21:00Z"),
        known: &["SMknown".to_owned()],
    };
    let in_time = "Sat, 31 Oct 2026 09:20:02 +0000";
    let others = json!([
        listed("SMlater", "Sat, 31 Oct 2026 09:40:00 +0000", &json!({})),
        listed("SMknown", in_time, &json!({})),
        listed("SMtext", in_time, &json!({ "body": "Your table is booked." })),
        listed("SMservice", in_time, &json!({ "messaging_service_sid": "MGother" })),
        listed("SMinbound", in_time, &json!({ "direction": "inbound" })),
        { "nonsense": true },
        listed("SMearlier", "Sat, 31 Oct 2026 08:00:00 +0000", &json!({})),
    ]);
    let search = find(std::slice::from_ref(&others), &wanted).await.unwrap();
    assert_eq!(search, Search::Unclear, "others that are not told apart for certain");

    let mut page = others.as_array().unwrap().clone();
    // Twilio's smart encoding and trial accounts modify the text.
    page.insert(1, listed("SMours", in_time, &json!({ "body": "Sent from your Twilio trial account - Sorry, we missed your call", "status": "queued", "num_segments": "0" })));
    let report = found(find(&[page.into()], &wanted).await);
    assert_eq!(
        (report.provider_ref.as_str(), report.state, report.cost),
        ("SMours", AttemptState::Accepted, None)
    );
    assert_eq!(report.at, at("2026-10-31T09:20:02Z"));
}

/// By the text beside it, and by there being a file.
#[tokio::test]
async fn a_lost_file_or_place_is_found() {
    let to = maya();
    let number = "+15005550006".parse().unwrap();
    let search = async |content: Value, message: Value| {
        let content = stored(content);
        let wanted = Wanted {
            sender: Sender::WhatsApp(&number),
            to: &to,
            content: &content,
            since: at("2026-10-31T09:20:00Z"),
            until: at("2026-10-31T09:21:00Z"),
            known: &[],
        };
        let mut message = listed("SMours", "Sat, 31 Oct 2026 09:20:02 +0000", &message);
        message["from"] = "whatsapp:+15005550006".into();
        let server = MockServer::start().await;
        Mock::given(method("GET"))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({"messages": [message]})))
            .mount(&server)
            .await;
        client(&server).find(CREDENTIALS, &wanted, nobody_elses).await.unwrap()
    };
    let captioned = json!({"media": {"asset": picture(), "caption": "Our map"}});
    let bare = json!({"media": {"asset": picture()}});
    let place = json!({"location": {"latitude": 51.5, "longitude": 0, "name": "Fixture Hair"}});
    for (content, message, is_found) in [
        (&captioned, json!({"body": "Our map", "num_media": "1"}), true),
        (&captioned, json!({"body": "Our map", "num_media": "0"}), false),
        (&captioned, json!({"body": "Your quote", "num_media": "1"}), false),
        (&bare, json!({"body": "", "num_media": "1"}), true),
        (&bare, json!({"body": "", "num_media": "0"}), false),
        (&place, json!({"body": "Fixture Hair", "num_media": "0"}), true),
        (&place, json!({"body": "Your quote", "num_media": "0"}), false),
    ] {
        let found = search(content.clone(), message.clone()).await;
        assert_eq!(
            matches!(found, Search::Found(_)),
            is_found,
            "{content} {message} {found:?}"
        );
    }
}

#[tokio::test]
async fn a_lost_message_is_found_on_a_later_page() {
    let content = text("Sorry we missed your call.");
    let to = maya();
    let number = "+15005550006".parse().unwrap();
    let wanted = Wanted {
        sender: Sender::Number(&number),
        to: &to,
        content: &content,
        since: at("2026-10-31T09:20:00Z"),
        until: at("2026-10-31T09:21:00Z"),
        known: &[],
    };
    let newer = json!([listed("SMlater", "Sat, 31 Oct 2026 09:40:00 +0000", &json!({}))]);
    let ours = json!([listed(
        "SMours",
        "Sat, 31 Oct 2026 09:20:02 +0000",
        &json!({ "status": "undelivered", "error_code": 30005 })
    )]);
    let report = found(find(&[newer.clone(), ours.clone()], &wanted).await);
    assert_eq!(
        (report.state, report.error.unwrap().code),
        (AttemptState::Failed, Some(30_005))
    );
    assert_eq!(report.cost.unwrap().units, 2);
    // More pages than are read, without a match: the result is inconclusive.
    let many = vec![newer; 6];
    assert!(matches!(find(&many, &wanted).await, Err(FindError::TooMany)));
    // An older message ends the search if a match was found, and otherwise not, because a list may be sorted differently.
    let older = json!([listed("SMold", "Sat, 31 Oct 2026 08:00:00 +0000", &json!({}))]);
    let pages = [older.clone(), ours, older.clone(), older.clone(), older.clone(), older];
    assert_eq!(found(find(&pages, &wanted).await).provider_ref, "SMours");
}

/// Only if no message on the complete list can be the one that is searched for.
#[tokio::test]
async fn only_a_complete_search_proves_a_message_was_not_sent() {
    let content = text("Sorry we missed your call.");
    let to = maya();
    let number = "+15005550006".parse().unwrap();
    let wanted = Wanted {
        sender: Sender::Number(&number),
        to: &to,
        content: &content,
        since: at("2026-10-31T09:20:00Z"),
        until: at("2026-10-31T09:21:00Z"),
        known: &["SMknown".to_owned()],
    };
    let since = "Sat, 31 Oct 2026 09:20:02 +0000";
    let old = listed("SMold", "Sat, 31 Oct 2026 08:00:00 +0000", &json!({}));
    let known = listed("SMknown", since, &json!({}));
    let inbound = listed("SMinbound", since, &json!({ "direction": "inbound" }));
    let nothing = json!([inbound, known, old]);
    for pages in [
        vec![json!([])],
        vec![nothing.clone()],
        vec![nothing.clone(), json!([old])],
    ] {
        assert_eq!(find(&pages, &wanted).await.unwrap(), Search::NotTaken, "{pages:?}");
    }
    // Created late, with another text, from another sender, or at an unknown time: it might be the message.
    for could_be in [
        listed("SMlate", "Sat, 31 Oct 2026 09:29:00 +0000", &json!({})),
        listed("SMtext", since, &json!({ "body": "Your table is booked." })),
        listed("SMfrom", since, &json!({ "from": null })),
        listed("SMwhen", "soon", &json!({})),
        json!({ "nonsense": true }),
    ] {
        let page = json!([could_be, old]);
        assert_eq!(find(&[page], &wanted).await.unwrap(), Search::Unclear, "{could_be}");
    }
    // The end of the list was not seen.
    let pages = vec![nothing; 6];
    assert_eq!(find(&pages, &wanted).await.unwrap(), Search::Unclear);
}

#[tokio::test]
async fn message_of_another_attempt_is_not_found() {
    let content = text("Sorry we missed your call.");
    let to = maya();
    let number = "+15005550006".parse().unwrap();
    let wanted = Wanted {
        sender: Sender::Number(&number),
        to: &to,
        content: &content,
        since: at("2026-10-31T09:20:00Z"),
        until: at("2026-10-31T09:21:00Z"),
        known: &[],
    };
    // Same recipient, same text, both in time: the older one belongs to another message.
    let theirs = listed("SMtheirs", "Sat, 31 Oct 2026 09:20:02 +0000", &json!({}));
    let ours = listed("SMours", "Sat, 31 Oct 2026 09:20:04 +0000", &json!({}));
    let others = async |sids: Vec<String>| {
        let theirs = sids.into_iter().filter(|sid| sid == "SMtheirs");
        Ok::<_, std::io::Error>(theirs.collect())
    };
    let (_server, client) = listing(&[json!([ours, theirs])], Duration::ZERO).await;
    assert_eq!(
        found(client.find(CREDENTIALS, &wanted, others).await).provider_ref,
        "SMours"
    );
    // Its absence alone proves that ours was not accepted.
    let (_server, client) = listing(&[json!([theirs])], Duration::ZERO).await;
    let search = client.find(CREDENTIALS, &wanted, others).await.unwrap();
    assert_eq!(search, Search::NotTaken);
    let broken = async |_: Vec<String>| Err::<Vec<String>, _>(std::io::Error::other("the table does not answer"));
    let error = client.find(CREDENTIALS, &wanted, broken).await.unwrap_err();
    assert!(matches!(error, FindError::NotTold(_)), "{error}");
}

#[tokio::test]
async fn search_is_limited_to_the_time_of_one_request() {
    let content = text("Sorry we missed your call.");
    let to = maya();
    let number = "+15005550006".parse().unwrap();
    let wanted = Wanted {
        sender: Sender::Number(&number),
        to: &to,
        content: &content,
        since: at("2026-10-31T09:20:00Z"),
        until: at("2026-10-31T09:21:00Z"),
        known: &[],
    };
    let newer = json!([listed("SMlater", "Sat, 31 Oct 2026 09:40:00 +0000", &json!({}))]);
    let (server, _) = listing(&vec![newer; 6], Duration::from_millis(400)).await;
    let http = Http::new("ringback/test".to_owned(), Duration::from_millis(1000));
    let client = TwilioClient::new(http, &server.uri());
    let error = client.find(CREDENTIALS, &wanted, nobody_elses).await.unwrap_err();
    assert!(
        matches!(error, FindError::TooSlow | FindError::NoAnswer(_)),
        "four pages take longer: {error}"
    );
}

#[tokio::test]
async fn a_search_that_fails_says_so() {
    let content = text("hi");
    let to = maya();
    let wanted = Wanted {
        sender: Sender::MessagingService(SERVICE),
        to: &to,
        content: &content,
        since: at("2026-10-31T09:20:00Z"),
        until: at("2026-10-31T09:21:00Z"),
        known: &[],
    };
    for (status, body) in [
        (401, json!({ "code": 20003 })),
        (503, json!({})),
        (200, json!([])),
        (
            200,
            json!({ "messages": [], "next_page_uri": "https://elsewhere.test/" }),
        ),
    ] {
        let server = MockServer::start().await;
        Mock::given(method("GET"))
            .respond_with(ResponseTemplate::new(status).set_body_json(&body))
            .mount(&server)
            .await;
        let search = client(&server).find(CREDENTIALS, &wanted, nobody_elses).await;
        let error = search.unwrap_err();
        assert!(
            error.to_string().starts_with("looking for a message: "),
            "{status} {body}"
        );
    }
}
