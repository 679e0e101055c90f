//! Sending by Twilio: our requests equal the fixtures, their answers are classified, lost messages are found.

use std::time::Duration;

use domain::messages::{AttemptState, Content, SendOutcome, StatusReport};
use domain::terms::ErrorClass::{Blocked, Bug, FallBack, RetryAfter, TenantMustAct};
use domain::terms::{Phone, Recipient};
use providers::form;
use providers::http::Http;
use providers::outgoing::Outgoing;
use providers::twilio::client::{Credentials, FindError, Search, Sender, TwilioClient, Wanted};
use serde_json::{Value, json};
use wiremock::matchers::{basic_auth, header, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::fixtures::{self, at};
use crate::sending::{
    Expected, assert_classified, empty_recipient, key, maya, refusal_class, stored_content, text, tom,
};
use crate::server::{TWILIO, answering, assert_unasked, http, json_answer, last};

const SERVICE: Sender<'_> = Sender::MessagingService("MG00000000000000000000000000000001");

fn client(server: &MockServer) -> TwilioClient {
    TwilioClient::new(http(10), &server.uri())
}

async fn send(
    server: &MockServer,
    sender: Sender<'_>,
    to: &Recipient,
    outgoing: impl Into<Outgoing<'_>>,
    callback: Option<&str>,
) -> SendOutcome {
    let outgoing: Outgoing<'_> = outgoing.into();
    client(server).send(TWILIO, sender, to, outgoing, key(), callback).await
}

fn number() -> Phone {
    "+15005550006".parse().unwrap()
}

fn list_path() -> String {
    format!("/2010-04-01/Accounts/{}/Messages.json", TWILIO.account_sid)
}

fn picture() -> Value {
    json!({"asset_id": "ast_00000000000000000000000001", "kind": "image"})
}

/// Source: twilio.com/docs/whatsapp, location messages.
#[tokio::test]
async fn a_place_is_sent_with_a_text() {
    let number = number();
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
        let place = stored_content(json!({ "location": place }));
        send(&server, Sender::WhatsApp(&number), &maya(), &place, None).await;
        let sent = pairs(&last(&server).await.body);
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
    let answer = ResponseTemplate::new(201).set_body_bytes(fixtures::bytes("twilio/send/response/201_queued.json"));
    Mock::given(method("POST"))
        .and(path(list_path()))
        .and(basic_auth("SKfixture", "fixture-secret"))
        .and(header("content-type", "application/x-www-form-urlencoded"))
        .and(header("user-agent", "ringback/test"))
        .respond_with(answer)
        .mount(&server)
        .await;
    let (number, maya, tom) = (number(), maya(), tom());
    let whatsapp = Sender::WhatsApp(&number);
    let base = "https://hooks.example.test/v1/twilio/tnt_a/message-status";
    let template = stored_content(json!({"template": {
        "name": "missed_call_followup", "language": "en_GB", "body": [{"text": "Maya"}, {"text": "Fixture Hair"}],
        "content_sid": "HX00000000000000000000000000000001",
    }}));
    let sms = text(
        "Fixture Hair: sorry we missed your call. Reply here or book: https://book.example.test/a. Reply STOP to opt out",
    );
    let sorry = text("Hi Maya, sorry we missed your call.");
    let media = stored_content(json!({"media": {"asset": picture(), "caption": "Our map"}}));
    let hello = text("Hello");
    let [sms, template, sorry, media, hello] = [&sms, &template, &sorry, &media, &hello].map(Outgoing::from);
    let linked = Outgoing {
        file: Some("https://media.example.test/a.jpg"),
        ..media
    };
    let sent = [
        ("sms_messaging_service.txt", SERVICE, &maya, sms, Some(base)),
        ("whatsapp_content_template.txt", whatsapp, &maya, template, Some(base)),
        ("whatsapp_freeform.txt", whatsapp, &maya, sorry, Some(base)),
        ("whatsapp_media.txt", whatsapp, &maya, linked, None),
        ("whatsapp_to_bsuid.txt", whatsapp, &tom, hello, None),
    ];
    let mut names = fixtures::names("twilio/send/request");
    // Senders are numbers and Messaging Services.
    assert!(names.remove("sms_alphanumeric_from.txt"));
    for (name, sender, to, outgoing, callback) in sent {
        assert!(names.remove(name));
        let outcome = send(&server, sender, to, outgoing, callback).await;
        assert!(matches!(outcome, SendOutcome::Accepted { .. }), "{name}: {outcome:?}");
        let mut ours = pairs(&last(&server).await.body);
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
    let (number, callback) = (number(), Some("https://h.test/s?a=b"));
    send(&server, Sender::Number(&number), &maya(), &text("Hi"), callback).await;
    let ours = pairs(&last(&server).await.body);
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
    assert_classified("twilio/send/response", &table, async |server| {
        send(server, SERVICE, &maya(), &text("hi"), None).await
    })
    .await;
}

#[tokio::test]
async fn a_message_that_failed_at_once_is_refused() {
    // Twilio sends no callback for the first status.
    let body = json!({ "sid": "SM1", "status": "failed", "error_code": 30034 });
    let server = answering("POST", json_answer(201, body)).await;
    let outcome = send(&server, SERVICE, &maya(), &text("hi"), None).await;
    let SendOutcome::Refused { code, classified, .. } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!((code, classified.class), (Some(30034), FallBack));
}

#[tokio::test]
async fn impossible_message_is_never_sent() {
    let server = MockServer::start().await;
    let twilio = client(&server);
    let number = number();
    let (sms, whatsapp) = (Sender::Number(&number), Sender::WhatsApp(&number));
    let bad_account = Credentials {
        account_sid: "../x",
        ..TWILIO
    };
    let hi = text("hi");
    let template = stored_content(json!({"template": {"name": "n", "language": "en"}}));
    let media = stored_content(json!({"media": {"asset": picture()}}));
    let place = stored_content(json!({"location": {"latitude": 51.5, "longitude": 0}}));
    let asks = stored_content(json!({"interactive": {"body": "Where are you?", "action": "request_location"}}));
    let card = stored_content(json!({"contacts": [{"name": "Maya", "emails": ["maya@saffron.example"]}]}));
    let reaction = stored_content(json!({"reaction": {"to": "SM1", "emoji": "👍"}}));
    let replied = "SM1".parse().unwrap();
    let reply = Outgoing {
        reply_to: Some(&replied),
        ..Outgoing::from(&hi)
    };
    for (credentials, sender, to, outgoing, class) in [
        (TWILIO, sms, tom(), Outgoing::from(&hi), FallBack),
        (TWILIO, whatsapp, empty_recipient(), Outgoing::from(&hi), FallBack),
        (TWILIO, sms, maya(), Outgoing::from(&template), Bug),
        (TWILIO, whatsapp, maya(), Outgoing::from(&template), Bug),
        (bad_account, sms, maya(), Outgoing::from(&hi), TenantMustAct),
        (TWILIO, sms, maya(), Outgoing::from(&place), Bug),
        // Without a link to its file.
        (TWILIO, whatsapp, maya(), Outgoing::from(&media), Bug),
        (TWILIO, whatsapp, maya(), Outgoing::from(&asks), FallBack),
        (TWILIO, whatsapp, maya(), Outgoing::from(&card), FallBack),
        (TWILIO, whatsapp, maya(), Outgoing::from(&reaction), FallBack),
        (TWILIO, whatsapp, maya(), reply, FallBack),
    ] {
        let outcome = twilio.send(credentials, sender, &to, outgoing, key(), None).await;
        assert_eq!(refusal_class(&outcome), class, "{sender:?} {to:?} {outgoing:?}");
    }
    assert_unasked(&server).await;
}

fn listed_message(sid: &str, created: &str, changes: &Value) -> Value {
    let mut message = fixtures::json("twilio/send/response/200_fetch_delivered_priced.json");
    message["sid"] = sid.into();
    message["date_created"] = created.into();
    for (name, value) in changes.as_object().unwrap() {
        message[name] = value.clone();
    }
    message
}

/// The search for a message to this recipient with an unknown outcome.
fn lost_message<'a>(sender: Sender<'a>, to: &'a Recipient, content: &'a Content) -> Wanted<'a> {
    Wanted {
        sender,
        to,
        content,
        since: at("2026-10-31T09:20:00Z"),
        until: at("2026-10-31T09:21:00Z"),
        known: &[],
    }
}

async fn find(pages: &[Value], wanted: &Wanted<'_>) -> Result<Search, FindError> {
    let (server, client) = listing(pages, Duration::ZERO).await;
    let search = client.find(TWILIO, wanted, nobody_elses).await;
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
        let following = index + 1;
        let next = (following < pages.len()).then(|| format!("{}?To=%2B447700900111&Page={following}", list_path()));
        let page = json!({ "messages": messages, "next_page_uri": next });
        let list = Mock::given(method("GET"))
            .and(path(list_path()))
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

fn expect_found(search: Result<Search, FindError>) -> StatusReport {
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
        known: &["SMknown".to_owned()],
        ..lost_message(SERVICE, &to, &content)
    };
    let in_time = "Sat, 31 Oct 2026 09:20:02 +0000";
    let others = json!([
        listed_message("SMlater", "Sat, 31 Oct 2026 09:40:00 +0000", &json!({})),
        listed_message("SMknown", in_time, &json!({})),
        listed_message("SMtext", in_time, &json!({ "body": "Your table is booked." })),
        listed_message("SMservice", in_time, &json!({ "messaging_service_sid": "MGother" })),
        listed_message("SMinbound", in_time, &json!({ "direction": "inbound" })),
        { "nonsense": true },
        listed_message("SMearlier", "Sat, 31 Oct 2026 08:00:00 +0000", &json!({})),
    ]);
    let search = find(std::slice::from_ref(&others), &wanted).await.unwrap();
    assert_eq!(search, Search::Unclear, "others that are not told apart for certain");

    let mut page = others.as_array().unwrap().clone();
    // Twilio's smart encoding and trial accounts modify the text.
    page.insert(1, listed_message("SMours", in_time, &json!({ "body": "Sent from your Twilio trial account - Sorry, we missed your call", "status": "queued", "num_segments": "0" })));
    let report = expect_found(find(&[page.into()], &wanted).await);
    assert_eq!(
        (report.provider_ref.as_str(), report.state, report.cost),
        ("SMours", AttemptState::Accepted, None)
    );
    assert_eq!(report.at, at("2026-10-31T09:20:02Z"));
}

#[tokio::test]
async fn a_lost_message_from_letters_is_found() {
    let (to, content) = (maya(), text("Your order is ready."));
    let wanted = lost_message(Sender::Letters("SAFFRON"), &to, &content);
    for (from, is_found) in [("SAFFRON", true), ("AD-SAFFRON", false), ("+15005550006", false)] {
        let listed = listed_message(
            "SMours",
            "Sat, 31 Oct 2026 09:20:02 +0000",
            &json!({ "body": "Your order is ready.", "from": from }),
        );
        let search = find(&[json!([listed])], &wanted).await.unwrap();
        assert_eq!(matches!(search, Search::Found(_)), is_found, "{from}");
    }
}

/// By the text beside it, and by there being a file.
#[tokio::test]
async fn a_lost_file_or_place_is_found() {
    let (to, number) = (maya(), number());
    let search = async |content: Value, message: Value| {
        let content = stored_content(content);
        let wanted = lost_message(Sender::WhatsApp(&number), &to, &content);
        let mut message = listed_message("SMours", "Sat, 31 Oct 2026 09:20:02 +0000", &message);
        message["from"] = "whatsapp:+15005550006".into();
        let server = answering("GET", json_answer(200, json!({"messages": [message]}))).await;
        client(&server).find(TWILIO, &wanted, nobody_elses).await.unwrap()
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
    let (to, number) = (maya(), number());
    let wanted = lost_message(Sender::Number(&number), &to, &content);
    let newer = json!([listed_message("SMlater", "Sat, 31 Oct 2026 09:40:00 +0000", &json!({}))]);
    let ours = json!([listed_message(
        "SMours",
        "Sat, 31 Oct 2026 09:20:02 +0000",
        &json!({ "status": "undelivered", "error_code": 30005 })
    )]);
    let report = expect_found(find(&[newer.clone(), ours.clone()], &wanted).await);
    assert_eq!(
        (report.state, report.error.unwrap().code),
        (AttemptState::Failed, Some(30005))
    );
    assert_eq!(report.cost.unwrap().units, 2);
    // More pages than are read, without a match: the result is inconclusive.
    let many = vec![newer; 6];
    assert!(matches!(find(&many, &wanted).await, Err(FindError::TooMany)));
    // An older message ends the search if a match was found, and otherwise not, because a list may be sorted differently.
    let older = json!([listed_message("SMold", "Sat, 31 Oct 2026 08:00:00 +0000", &json!({}))]);
    let pages = [older.clone(), ours, older.clone(), older.clone(), older.clone(), older];
    assert_eq!(expect_found(find(&pages, &wanted).await).provider_ref, "SMours");
}

/// Only if no message on the complete list can be the one that is searched for.
#[tokio::test]
async fn only_a_complete_search_proves_a_message_was_not_sent() {
    let content = text("Sorry we missed your call.");
    let (to, number) = (maya(), number());
    let wanted = Wanted {
        known: &["SMknown".to_owned()],
        ..lost_message(Sender::Number(&number), &to, &content)
    };
    let since = "Sat, 31 Oct 2026 09:20:02 +0000";
    let old = listed_message("SMold", "Sat, 31 Oct 2026 08:00:00 +0000", &json!({}));
    let known = listed_message("SMknown", since, &json!({}));
    let inbound = listed_message("SMinbound", since, &json!({ "direction": "inbound" }));
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
        listed_message("SMlate", "Sat, 31 Oct 2026 09:29:00 +0000", &json!({})),
        listed_message("SMtext", since, &json!({ "body": "Your table is booked." })),
        listed_message("SMfrom", since, &json!({ "from": null })),
        listed_message("SMwhen", "soon", &json!({})),
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
    let (to, number) = (maya(), number());
    let wanted = lost_message(Sender::Number(&number), &to, &content);
    // Same recipient, same text, both in time: the older one belongs to another message.
    let theirs = listed_message("SMtheirs", "Sat, 31 Oct 2026 09:20:02 +0000", &json!({}));
    let ours = listed_message("SMours", "Sat, 31 Oct 2026 09:20:04 +0000", &json!({}));
    let others = async |sids: Vec<String>| {
        let theirs = sids.into_iter().filter(|sid| sid == "SMtheirs");
        Ok::<_, std::io::Error>(theirs.collect())
    };
    let (_server, client) = listing(&[json!([ours, theirs])], Duration::ZERO).await;
    assert_eq!(
        expect_found(client.find(TWILIO, &wanted, others).await).provider_ref,
        "SMours"
    );
    // Its absence alone proves that ours was not accepted.
    let (_server, client) = listing(&[json!([theirs])], Duration::ZERO).await;
    let search = client.find(TWILIO, &wanted, others).await.unwrap();
    assert_eq!(search, Search::NotTaken);
    let broken = async |_: Vec<String>| Err::<Vec<String>, _>(std::io::Error::other("the table does not answer"));
    let error = client.find(TWILIO, &wanted, broken).await.unwrap_err();
    assert!(matches!(error, FindError::NotTold(_)), "{error}");
}

#[tokio::test]
async fn search_is_limited_to_the_time_of_one_request() {
    let content = text("Sorry we missed your call.");
    let (to, number) = (maya(), number());
    let wanted = lost_message(Sender::Number(&number), &to, &content);
    let newer = json!([listed_message("SMlater", "Sat, 31 Oct 2026 09:40:00 +0000", &json!({}))]);
    let (server, _) = listing(&vec![newer; 6], Duration::from_millis(400)).await;
    let http = Http::new("ringback/test".to_owned(), Duration::from_millis(1000));
    let client = TwilioClient::new(http, &server.uri());
    let error = client.find(TWILIO, &wanted, nobody_elses).await.unwrap_err();
    assert!(
        matches!(error, FindError::TooSlow | FindError::NoAnswer(_)),
        "four pages take longer: {error}"
    );
}

#[tokio::test]
async fn a_search_that_fails_says_so() {
    let content = text("hi");
    let to = maya();
    let wanted = lost_message(SERVICE, &to, &content);
    for (status, body) in [
        (401, json!({ "code": 20003 })),
        (503, json!({})),
        (200, json!([])),
        (
            200,
            json!({ "messages": [], "next_page_uri": "https://elsewhere.test/" }),
        ),
    ] {
        let server = answering("GET", json_answer(status, &body)).await;
        let error = client(&server).find(TWILIO, &wanted, nobody_elses).await.unwrap_err();
        let told = error.to_string();
        assert!(told.starts_with("looking for a message: "), "{status} {body}: {told}");
    }
}
