//! Composed content is within the limits; content that no channel carries is refused with its reason.

use jiff::SignedDuration;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, from_value, json, to_value};
use ulid::Ulid;

use super::*;
use crate::media::Asset;
use crate::messages::{
    Asked, Check, CheckInput, Composed, Material, Message, MessageRequest, Referred, Waiting, World, check_send,
    compose_message, intent_to_repeat,
};
use crate::samples::{Case, connections, message_of, timers};
use crate::tenants::{Connection, Line};
use crate::terms::{Channel, ConnectionId, Phone, Recipient};

const ASSET: &str = "ast_00000000000000000000000001";

/// A file of this type, which is ready.
fn asset(kind: &str, content_type: &str, bytes: u64) -> Asset {
    let asset = json!({
        "id": ASSET, "name": "the file", "kind": kind, "content_type": content_type, "bytes": bytes, "state": "ready",
    });
    from_value(asset).unwrap()
}

fn own_number() -> Phone {
    "+97143330000".parse().unwrap()
}

/// A person who wrote to the WhatsApp number of the business just now, and a picture.
fn case() -> Case {
    let mut case = Case::new();
    for connection in &mut case.config.connections {
        let sends = connection.carries.contains(&Channel::WhatsApp);
        connection.whatsapp_number = sends.then(own_number);
    }
    case.contact
        .open_window(&own_number(), &case.contact.recipient(), case.now);
    case.material.assets = vec![asset("image", "image/jpeg", 7)];
    case
}

/// The case with a line at Twilio.
fn at_twilio() -> Case {
    let mut case = case();
    for connection in &mut case.config.connections {
        connection.needs_content_sid = true;
    }
    case
}

fn read(body: &Value) -> serde_json::Result<MessageRequest> {
    let mut whole = json!({"phone": "+971501234567", "category": "utility", "basis": "Order 1042"});
    whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    from_value(whole)
}

fn request(body: &Value) -> MessageRequest {
    read(body).unwrap()
}

/// Somebody's request for a message to the contact of the world.
fn asked_by_user(world: &World<'_>, to: Recipient, refers: Option<Referred>) -> Asked {
    Asked {
        by: "usr_00000000000000000000000001".parse().unwrap(),
        request: Ulid::from_parts(3, 4),
        contact: world.contact.id,
        to,
        refers,
        now: world.now,
    }
}

/// Composes the message of a request that refers to this message.
fn compose_content(case: &Case, body: &Value, refers: Option<Referred>) -> Result<Composed, Refusal> {
    let request = request(body);
    let problems = request.problems(&case.config, case.now);
    assert!(problems.is_empty(), "{problems:?}");
    case.with_world(|_, world| {
        let to = request.whom().unwrap().recipient(world.contact);
        let asked = asked_by_user(world, to, refers);
        compose_message(&request.intent(&asked, world.contact, world.config), world)
    })
}

/// The content by WhatsApp, or the reason why it is left out.
fn content(case: &Case, body: &Value) -> Result<Content, String> {
    match compose_content(case, body, None) {
        Ok(composed) => Ok(composed.legs[0].content.clone()),
        Err(refusal) => Err(problem(&refusal)),
    }
}

fn problem(refusal: &Refusal) -> String {
    let problem = refusal
        .facts
        .get("whatsapp_problem")
        .map(|fact| to_value(fact).unwrap());
    let problem = problem.and_then(|problem| problem.as_str().map(str::to_owned));
    problem.unwrap_or_else(|| refusal.reason.as_str().to_owned())
}

fn referred_message(connection: u128) -> Referred {
    Referred {
        provider_ref: "wamid.theirs".parse().unwrap(),
        connection: ConnectionId::new(Ulid(connection)),
        line: None,
        with: Recipient::default(),
    }
}

/// The connection of the samples that sends by WhatsApp.
const WHATSAPP: u128 = 2;

fn buttons() -> Value {
    json!({"body": "Shall we book?", "buttons": [{"id": "yes", "title": "Yes"}, {"id": "no", "title": "No"}]})
}

fn card() -> Value {
    json!([{"name": "Saffron Bakery", "phones": [{"number": "+97145550001", "kind": "work"}]}])
}

fn place() -> Value {
    json!({"latitude": 25.0805, "longitude": 55.1403, "name": "Saffron Bakery"})
}

#[test]
fn every_kind_is_composed_with_its_values() {
    let picture = json!({"asset_id": ASSET, "kind": "image"});
    let greeting = "Hello {{contact.first_name|there}}";
    for (body, stored) in [
        (
            json!({"media": {"asset_id": ASSET, "caption": greeting, "file_name": "ignored.jpg"}}),
            json!({"media": {"asset": picture, "caption": "Hello there"}}),
        ),
        (
            json!({"interactive": {"header_media": {"asset_id": ASSET}, "body": {"en": greeting},
                "buttons": [{"id": "call", "title": "{{contact.first_name|Call}}"}]}}),
            json!({"interactive": {"header": {"media": picture}, "body": "Hello there",
                "action": {"buttons": [{"id": "call", "title": "Call"}]}}}),
        ),
        (
            json!({"interactive": {"header": "Services", "body": greeting, "footer": "{{tenant.name}}", "list": {
                "button": "Choose", "sections": [{"rows": [{"id": "cut", "title": "Cut", "description": "30 min"}]}]}}}),
            json!({"interactive": {"header": {"text": "Services"}, "body": "Hello there", "footer": "Marina Dental",
                "action": {"list": {"button": "Choose", "sections": [
                    {"rows": [{"id": "cut", "title": "Cut", "description": "30 min"}]}]}}}}),
        ),
        (
            json!({"interactive": {"body": greeting, "link": {"title": "Book", "url": "https://a.example/b"}}}),
            json!({"interactive": {"body": "Hello there",
                "action": {"link": {"title": "Book", "url": "https://a.example/b"}}}}),
        ),
        (
            json!({"interactive": {"body": greeting, "request_location": true}}),
            json!({"interactive": {"body": "Hello there", "action": "request_location"}}),
        ),
        (json!({"location": place()}), json!({"location": place()})),
        (json!({"contacts": card()}), json!({"contacts": card()})),
    ] {
        let composed = content(&case(), &body).unwrap();
        assert_eq!(to_value(&composed).unwrap(), stored, "{body}");
        assert_eq!(from_value::<Content>(stored).unwrap(), composed);
    }
}

/// As rows and jobs have it, in the words of before.
#[test]
fn former_content_is_read_and_written_as_it_was() {
    let template = json!({"template": {"name": "missed_call", "language": "en", "body": [{"text": "Maya"}]}});
    for stored in [json!({"text": "Hello"}), template] {
        let content: Content = from_value(stored.clone()).unwrap();
        assert_eq!(to_value(&content).unwrap(), stored);
        assert_eq!(content.needs_window(), content.kind() == ContentKind::Text);
    }
}

#[test]
fn each_part_has_its_limit_with_its_values() {
    let interactive = |field: &str, text: &str| {
        let mut interactive = buttons();
        interactive[field] = text.into();
        json!({ "interactive": interactive })
    };
    let button = |text: &str| json!({"interactive": {"body": "?", "buttons": [{"id": "a", "title": text}]}});
    let list = |menu: &str, section: &str, row: &str, description: &str| {
        let row = json!({"id": "a", "title": row, "description": description});
        json!({"interactive": {"body": "?", "list": {"button": menu, "sections": [{"title": section, "rows": [row]}]}}})
    };
    let link = |text: &str| json!({"interactive": {"body": "?", "link": {"title": text, "url": "https://a.example"}}});
    let caption = |text: &str| json!({"media": {"asset_id": ASSET, "caption": text}});
    type Part<'a> = (usize, Box<dyn Fn(&str) -> Value + 'a>);
    let parts: [Part<'_>; 10] = [
        (1_024, Box::new(caption)),
        (1_024, Box::new(|text: &str| interactive("body", text))),
        (60, Box::new(|text: &str| interactive("header", text))),
        (60, Box::new(|text: &str| interactive("footer", text))),
        (20, Box::new(button)),
        (20, Box::new(link)),
        (20, Box::new(|text: &str| list(text, "s", "r", "d"))),
        (24, Box::new(|text: &str| list("m", text, "r", "d"))),
        (24, Box::new(|text: &str| list("m", "s", text, "d"))),
        (72, Box::new(|text: &str| list("m", "s", "r", text))),
    ];
    for (longest, body) in &parts {
        // A value of two letters instead of a longer placeholder.
        let filled = |length: usize| format!("{}{{{{contact.first_name|مر}}}}", "é".repeat(length - 2));
        let fits = body(&filled(*longest));
        assert!(content(&case(), &fits).is_ok(), "{fits}");
        let too_long = body(&filled(longest + 1));
        assert_eq!(
            content(&case(), &too_long),
            Err("text_too_long".to_owned()),
            "{too_long}"
        );
        let empty = body("{{contact.first_name|}} ");
        assert_eq!(content(&case(), &empty), Err("value_refused".to_owned()), "{empty}");
        let two_lines = content(&case(), &body("two\nlines"));
        assert_eq!(two_lines.is_ok(), *longest == 1_024, "{two_lines:?}");
    }
}

#[test]
fn contradictions_of_content_are_named_by_field() {
    let rows = |count: usize, first: usize| -> Vec<Value> {
        let rows = first..first + count;
        rows.map(|number| json!({"id": number.to_string(), "title": "r"}))
            .collect()
    };
    let list = |sections: Value| json!({"interactive": {"body": "?", "list": {"button": "m", "sections": sections}}});
    let link = json!({"title": "t", "url": "https://a.example"});
    for (body, field, code) in [
        (json!({"interactive": {"body": "?"}}), "interactive.buttons", "requires"),
        (
            json!({"interactive": {"body": "?", "link": link, "request_location": true}}),
            "interactive.link",
            "excludes",
        ),
        (
            json!({"interactive": {"body": "?", "header_media": {"asset_id": ASSET}, "link": link}}),
            "interactive.header_media",
            "requires",
        ),
        (
            json!({"interactive": {"body": "?", "header": "h", "header_media": {"asset_id": ASSET},
                "buttons": [{"id": "a", "title": "a"}]}}),
            "interactive.header_media",
            "excludes",
        ),
        (
            json!({"interactive": {"body": "?", "buttons": [{"id": "a", "title": "a"}, {"id": "a", "title": "b"}]}}),
            "interactive.buttons[1].id",
            "given_twice",
        ),
        (list(json!([])), "interactive.list.sections", "too_few"),
        (
            list(json!([{"rows": []}])),
            "interactive.list.sections[0].rows",
            "too_few",
        ),
        (
            list(json!([{"title": "a", "rows": rows(6, 0)}, {"title": "b", "rows": rows(5, 6)}])),
            "interactive.list.sections",
            "too_many",
        ),
        (
            list(json!([{"title": "a", "rows": rows(1, 0)}, {"rows": rows(1, 1)}])),
            "interactive.list.sections[1].title",
            "required",
        ),
        (
            list(json!([{"rows": [{"id": "a", "title": "a"}, {"id": "a", "title": "b"}]}])),
            "interactive.list.sections[0].rows[1].id",
            "given_twice",
        ),
        (
            json!({"contacts": [{"name": "Maya"}]}),
            "contacts[0].phones",
            "requires",
        ),
        (json!({"text": "Hello", "location": place()}), "location", "excludes"),
        (
            json!({"reaction": {"message_id": MESSAGE, "emoji": "👍"}, "reply_to": MESSAGE}),
            "reply_to",
            "excludes",
        ),
        (
            json!({"sms_text": "Hello", "reply_to": MESSAGE}),
            "reply_to",
            "requires",
        ),
        (
            json!({"location": place(), "sms_text": "Hello", "channels": ["sms"]}),
            "location",
            "requires",
        ),
    ] {
        let found = request(&body).problems(&case().config, case().now);
        let found: Vec<_> = found
            .iter()
            .map(|one| (one.field.as_str(), one.code.as_str()))
            .collect();
        assert_eq!(found, [(field, code)], "{body}");
    }
}

const MESSAGE: &str = "msg_0000000000000000000000000100000000000000000000000002";

#[test]
fn limits_of_content_are_in_its_types() {
    let button = |id: &str| json!({"id": id, "title": "t"});
    let four: Vec<Value> = ["a", "b", "c", "d"].map(button).to_vec();
    let list = |id: &str| {
        let row = json!({"id": id, "title": "t"});
        json!({"interactive": {"body": "?", "list": {"button": "m", "sections": [{"rows": [row]}]}}})
    };
    let cards = |count: usize| json!({"contacts": vec![json!({"name": "Maya"}); count]});
    assert!(read(&list(&"x".repeat(200))).is_ok() && read(&cards(10)).is_ok());
    for wrong in [
        json!({"interactive": {"body": "?", "buttons": four}}),
        json!({"interactive": {"body": "?", "buttons": [button(&"x".repeat(257))]}}),
        json!({"interactive": {"body": "?", "colour": "red"}}),
        list(&"x".repeat(201)),
        cards(11),
        json!({"location": {"latitude": 91, "longitude": 0}}),
        json!({"location": {"latitude": 0}}),
        json!({"reaction": {"message_id": MESSAGE, "emoji": "ok"}}),
        json!({"media": {"asset_id": "7"}}),
        json!({"media": {"asset_id": ASSET, "file_name": "a/b.pdf"}}),
    ] {
        assert!(read(&wrong).is_err(), "{wrong}");
    }
}

#[test]
fn file_must_be_there_and_of_its_kind() {
    let send = |assets: Vec<Asset>, more: Value| {
        let mut case = case();
        case.material.assets = assets;
        let mut media = json!({"asset_id": ASSET});
        media.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        content(&case, &json!({ "media": media }))
    };
    let refused = |problem: &str| Err(problem.to_owned());
    assert_eq!(send(vec![], json!({})), refused("asset_unusable"));
    let mut waits = asset("image", "image/jpeg", 7);
    waits.state = crate::media::AssetState::Scanning;
    assert_eq!(send(vec![waits], json!({})), refused("asset_unusable"));
    let (audio, sticker) = (asset("audio", "audio/mpeg", 7), asset("sticker", "image/webp", 7));
    for silent in [&audio, &sticker] {
        let captioned = send(vec![silent.clone()], json!({"caption": "Listen"}));
        assert_eq!(captioned, refused("wrong_file_kind"));
        assert!(send(vec![silent.clone()], json!({})).is_ok());
    }
    assert_eq!(send(vec![audio], json!({"voice": true})), refused("not_voice"));
    let voice = send(vec![asset("audio", "audio/ogg", 7)], json!({"voice": true}));
    assert!(
        matches!(voice, Ok(Content::Media(Media { voice: true, .. }))),
        "{voice:?}"
    );
    // Only documents have a name: that of the request, or of the asset.
    let pdf = || vec![asset("document", "application/pdf", 7)];
    for (more, name) in [
        (json!({"file_name": "quote.pdf"}), "quote.pdf"),
        (json!({}), "the file"),
    ] {
        let Ok(Content::Media(media)) = send(pdf(), more) else {
            panic!("a document is sent")
        };
        assert_eq!(media.asset.file_name.unwrap().as_str(), name);
    }
    let mut case = case();
    case.material.assets = vec![sticker];
    let above = json!({"interactive": {"header_media": {"asset_id": ASSET}, "body": "?",
        "buttons": [{"id": "a", "title": "a"}]}});
    assert_eq!(content(&case, &above), refused("wrong_file_kind"));
}

#[test]
fn twilio_carries_only_what_needs_no_template_there() {
    for (body, problem) in [
        (json!({"media": {"asset_id": ASSET, "caption": "Our map"}}), None),
        (json!({"location": place()}), None),
        (json!({"text": "x".repeat(1_600)}), None),
        (json!({"text": "x".repeat(1_601)}), Some("text_too_long")),
        (json!({"interactive": buttons()}), Some("not_carried_by_twilio")),
        (json!({"contacts": card()}), Some("not_carried_by_twilio")),
    ] {
        assert_eq!(content(&at_twilio(), &body).err().as_deref(), problem, "{body}");
        assert!(content(&case(), &body).is_ok(), "{body}");
    }
    let reaction = json!({"reaction": {"message_id": MESSAGE, "emoji": "👍"}});
    let reply = json!({"text": "Hello", "reply_to": MESSAGE});
    for body in [reaction, reply] {
        let refused = compose_content(&at_twilio(), &body, Some(referred_message(WHATSAPP))).unwrap_err();
        assert_eq!(problem(&refused), "not_carried_by_twilio", "{body}");
    }
    let mut large = at_twilio();
    let media = json!({"media": {"asset_id": ASSET}});
    large.material.assets = vec![asset("document", "application/pdf", LARGEST_AT_TWILIO)];
    assert!(content(&large, &media).is_ok());
    large.material.assets[0].bytes += 1;
    assert_eq!(content(&large, &media), Err("too_large_for_twilio".to_owned()));
    let mut cloud = case();
    cloud.material = large.material;
    assert!(content(&cloud, &media).is_ok());
}

#[test]
fn all_but_templates_need_the_open_window() {
    let mut closed = case();
    closed.now += SignedDuration::from_hours(24);
    for body in [
        json!({"media": {"asset_id": ASSET}}),
        json!({"interactive": buttons()}),
        json!({"location": place()}),
        json!({"contacts": card()}),
    ] {
        assert_eq!(content(&closed, &body), Err("window_closed".to_owned()), "{body}");
        let mut both = body.clone();
        both["sms_text"] = "Hello".into();
        let by_sms = compose_content(&closed, &both, None).unwrap();
        assert_eq!((by_sms.legs.len(), by_sms.legs[0].channel), (1, Channel::Sms));
    }
}

/// WhatsApp knows a message only by the number that sent or received it.
#[test]
fn replies_and_reactions_go_by_the_number_of_their_message() {
    let reply = json!({"text": "Hello", "sms_text": "Hello", "reply_to": MESSAGE});
    let composed_reply = compose_content(&case(), &reply, Some(referred_message(WHATSAPP))).unwrap();
    let replied: Vec<_> = composed_reply.legs.iter().map(|leg| leg.reply_to.as_deref()).collect();
    assert_eq!(replied, [Some("wamid.theirs"), None], "an SMS answers nothing");
    let reaction = json!({"reaction": {"message_id": MESSAGE, "emoji": "👍"}});
    let reacted = compose_content(&case(), &reaction, Some(referred_message(WHATSAPP))).unwrap();
    assert_eq!(
        (&to_value(&reacted.legs[0].content).unwrap(), &reacted.legs[0].reply_to),
        (&json!({"reaction": {"to": "wamid.theirs", "emoji": "👍"}}), &None)
    );
    for body in [json!({"text": "Hello", "reply_to": MESSAGE}), reaction] {
        let refused = compose_content(&case(), &body, Some(referred_message(9))).unwrap_err();
        assert_eq!(problem(&refused), "other_number", "{body}");
    }
    // The message is sent again, as long as it can be sent.
    let message = message_of(reacted, case().now);
    let once_more = |case: &Case| {
        case.with_world(|_, world| {
            let asked = Asked {
                request: Ulid::from_parts(3, 5),
                ..asked_by_user(world, message.to.clone(), None)
            };
            compose_message(&intent_to_repeat(&message, &asked), world).map(|composed| composed.legs)
        })
    };
    assert_eq!(once_more(&case()).unwrap(), message.plan);
    let refused = once_more(&at_twilio()).unwrap_err();
    assert_eq!(problem(&refused), "not_carried_by_twilio");
}

/// WhatsApp sends a file by its id there, Twilio fetches it.
#[test]
fn file_waits_until_whatsapp_has_it() {
    let case = case();
    let media = json!({"media": {"asset_id": ASSET}});
    let mut message = message_of(compose_content(&case, &media, None).unwrap(), case.now);
    let mut connections = connections();
    let mut asset = case.material.assets[0].clone();
    let checked = |message: &Message, asset: Option<&Asset>, connection: &Connection| {
        check_send(&CheckInput {
            campaign: None,
            config: &case.config,
            message,
            leg: 0,
            contact: &case.contact,
            open: &[],
            connection,
            template: None,
            asset,
            now: case.now,
            timers: &timers(),
            line_type: &crate::terms::unknown_line_type,
        })
    };
    let whatsapp = &connections[1];
    let Check::SkipLeg { why } = checked(&message, None, whatsapp) else {
        panic!("there is no file")
    };
    assert_eq!(why.reason, Reason::AssetUnusable);
    for (waited, wait) in [(None, 5), (Some(3), 5), (Some(20), 20), (Some(600), 60)] {
        message.waiting = waited.map(|seconds| Waiting {
            leg: 0,
            since: case.now - SignedDuration::from_secs(seconds),
        });
        let Check::Wait { until, why } = checked(&message, Some(&asset), whatsapp) else {
            panic!("it waits after {waited:?} s")
        };
        assert_eq!(why.reason, Reason::AssetUploading);
        assert_eq!(until.duration_since(case.now).as_secs(), wait);
    }
    for _refusal in 0..3 {
        asset.upload_refused(whatsapp.id, case.now);
    }
    let Check::SkipLeg { why } = checked(&message, Some(&asset), whatsapp) else {
        panic!("WhatsApp does not take it")
    };
    assert_eq!(why.reason, Reason::AssetUnusable);
    asset.keep_handle(whatsapp.id, "7001".parse().unwrap(), case.now);
    assert_eq!(checked(&message, Some(&asset), whatsapp), Check::Go);
    // The line through Twilio.
    asset.handles.clear();
    let twilio = json!({"kind": "twilio", "account_sid": "AC0", "numbers": [], "whatsapp_sender": own_number(),
        "voice": {"handling": "greet"}});
    connections[1].account = from_value(twilio).unwrap();
    assert_eq!(checked(&message, Some(&asset), &connections[1]), Check::Go);
}

/// A second WhatsApp number of the business, which no line names, has conversations of its own.
#[test]
fn reply_goes_by_a_number_without_a_line() {
    let second = ConnectionId::new(Ulid(3));
    let mut case = case();
    let mut other = case.config.connections[1].clone();
    other.id = second;
    other.kind = "whatsapp".to_owned();
    case.config.connections.push(other);
    let line = |whatsapp: Value| {
        let line = json!({"id": "line_00000000000000000000000001", "name": "Marina", "whatsapp": whatsapp});
        from_value::<Line>(line).unwrap()
    };
    let first = ConnectionId::new(Ulid(WHATSAPP));
    for lines in [vec![], vec![line(json!(first))], vec![line(Value::Null)]] {
        case.config.lines = lines;
        let body = json!({"text": "Hello", "reply_to": MESSAGE});
        let reply = compose_content(&case, &body, Some(referred_message(3))).unwrap();
        assert_eq!(reply.legs[0].connection, second, "{:?}", case.config.lines);
        assert!(reply.legs[0].reply_to.is_some());
        let reply = compose_content(&case, &body, Some(referred_message(WHATSAPP))).unwrap();
        assert_eq!(reply.legs[0].connection, first);
        // Who refers to nothing sends as always.
        let fresh = compose_content(&case, &json!({"text": "Hello"}), None).unwrap();
        assert_eq!(fresh.legs[0].connection, first);
        assert_eq!(fresh.line, case.config.lines.first().map(|line| line.id));
    }
    // The line that a request names decides.
    case.config.lines = vec![line(json!(first))];
    let body = json!({"text": "Hello", "reply_to": MESSAGE, "line_id": case.config.lines[0].id});
    let refused = compose_content(&case, &body, Some(referred_message(3))).unwrap_err();
    assert_eq!(problem(&refused), "other_number");
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zé ]{1,30}",
        (1_usize..80).prop_map(|length| "x".repeat(length)),
        (1_010_usize..1_040).prop_map(|length| "é".repeat(length)),
        select(vec![
            "{{contact.first_name|dear customer of ours}}",
            "two\nlines",
            "{{tenant.name}}",
            "مرحبا"
        ])
        .prop_map(str::to_owned),
    ]
}

fn short_list<T: std::fmt::Debug>(items: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    vec(items, 1..4)
}

fn action() -> impl Strategy<Value = Value> {
    let buttons = short_list(words()).prop_map(|titles| {
        let buttons = titles
            .iter()
            .zip(0..)
            .map(|(title, id): (_, u32)| json!({"id": id.to_string(), "title": title}));
        json!({"buttons": buttons.collect::<Vec<_>>()})
    });
    let rows = short_list((words(), option::of(words())));
    let sections = vec((option::of(words()), rows), 1..5);
    let list = (words(), sections).prop_map(|(button, sections)| {
        let mut id = 0_u32;
        let mut sections_json = Vec::new();
        for (title, rows) in sections {
            let mut shown = Vec::new();
            for (title, description) in rows {
                id += 1;
                shown.push(json!({"id": id.to_string(), "title": title, "description": description}));
            }
            sections_json.push(json!({"title": title, "rows": shown}));
        }
        json!({"list": {"button": button, "sections": sections_json}})
    });
    let link = words().prop_map(|title| json!({"link": {"title": title, "url": "https://a.example/b"}}));
    prop_oneof![buttons, list, link, Just(json!({"request_location": true}))]
}

fn interactive() -> impl Strategy<Value = Value> {
    let texts = (option::of(words()), words(), option::of(words()), any::<bool>());
    (texts, action()).prop_map(|((header, body, footer, media), action)| {
        let mut whole = json!({"header": header, "body": body, "footer": footer});
        if media {
            whole["header_media"] = json!({"asset_id": ASSET});
        }
        whole
            .as_object_mut()
            .unwrap()
            .extend(action.as_object().unwrap().clone());
        json!({ "interactive": whole })
    })
}

fn media() -> impl Strategy<Value = Value> {
    let media = (option::of(words()), any::<bool>());
    media.prop_map(|(caption, voice)| json!({"media": {"asset_id": ASSET, "caption": caption, "voice": voice}}))
}

/// Fails if a text is not within the limits of the reference, as its client sends it.
fn within(content: &Content) {
    let least = |text: &str, most: usize| {
        let length = text.chars().count();
        assert!(
            (1..=most).contains(&length) && !text.trim().is_empty(),
            "{length} of {most}: {text:?}"
        );
    };
    let line = |text: &str, most: usize| {
        least(text, most);
        assert!(!text.contains('\n'), "{text:?}");
    };
    match content {
        Content::Media(media) => {
            if let Some(caption) = &media.caption {
                least(caption, 1_024);
                assert!(!matches!(media.asset.kind, MediaKind::Audio | MediaKind::Sticker));
            }
            assert!(!media.voice || media.asset.kind == MediaKind::Audio);
        }
        Content::Interactive(interactive) => {
            least(&interactive.body, 1_024);
            interactive.footer.iter().for_each(|footer| line(footer, 60));
            let has_buttons = matches!(interactive.action, Action::Buttons(_));
            match &interactive.header {
                None => {}
                Some(Header::Text(text)) => line(text, 60),
                Some(Header::Media(_)) => assert!(has_buttons),
            }
            match &interactive.action {
                Action::Buttons(buttons) => {
                    assert!((1..=3).contains(&buttons.len()));
                    buttons.iter().for_each(|button| line(&button.title, 20));
                }
                Action::List(list) => {
                    line(&list.button, 20);
                    let rows: Vec<_> = list.sections.iter().flat_map(|section| section.rows.iter()).collect();
                    assert!((1..=10).contains(&rows.len()) && (1..=10).contains(&list.sections.len()));
                    for section in list.sections.iter() {
                        assert!(list.sections.len() == 1 || section.title.is_some());
                        section.title.iter().for_each(|title| line(title, 24));
                    }
                    for row in rows {
                        line(&row.title, 24);
                        row.description.iter().for_each(|description| line(description, 72));
                    }
                }
                Action::Link(link) => line(&link.title, 20),
                Action::RequestLocation => {}
            }
        }
        other => panic!("{other:?}"),
    }
}

proptest! {
    /// Whatever a request says, what is composed of it is within the limits, and the same when it is sent again.
    #[test]
    fn composed_content_is_within_the_limits(
        body in prop_oneof![interactive(), media()],
        kind in select(vec![
            ("image", "image/png"), ("audio", "audio/ogg"), ("audio", "audio/mpeg"), ("document", "application/pdf"),
            ("sticker", "image/webp"),
        ]),
    ) {
        let mut case = case();
        case.material = Material { assets: vec![asset(kind.0, kind.1, 7)], ..case.material };
        let request = request(&body);
        if request.problems(&case.config, case.now).is_empty()
            && let Ok(composed) = compose_content(&case, &body, None)
        {
            within(&composed.legs[0].content);
            let stored = to_value(&composed.legs[0].content).unwrap();
            prop_assert_eq!(&from_value::<Content>(stored).unwrap(), &composed.legs[0].content);
        }
    }
}
