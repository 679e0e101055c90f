//! The lint of templates, by a table of drafts for each provider. The answers of the providers to refused drafts are recorded in
//! `shared/testkit/fixtures`; the simulators do not repeat these rules.

use std::collections::BTreeMap;

use domain::media::{Asset, AssetIn, MediaKind};
use domain::templates::{TemplateContent, Through, lint_draft, variables_in};
use domain::terms::Resource as _;
use serde_json::{Value, from_value, json};
use ulid::Ulid;

fn passes(name: &str, language: &str, content: &Value, through: Through, sample: Option<&Asset>) -> bool {
    let read: TemplateContent = from_value(content.clone()).unwrap_or_else(|error| panic!("{content}: {error}"));
    lint_draft(name, language, &read, through, sample).problems.is_empty()
}

fn good() -> Value {
    json!({
        "category": "utility", "header": {"text": "Missed call"},
        "body": "Hello {{1}}, sorry we missed your call to {{2}} today. How can we help?",
        "footer": "Reply STOP to opt out", "samples": {"1": "Maya", "2": "Fixture Hair"},
        "buttons": [
            {"kind": "quick_reply", "text": "Call me back"},
            {"kind": "url", "text": "Book online", "url": "https://book.example.test/{{1}}",
                "sample": "https://book.example.test/b/tnt_a"},
        ],
    })
}

fn changed_content(path: &str, value: Value) -> Value {
    let mut content = good();
    *content.pointer_mut(path).unwrap() = value;
    content
}

fn header(header: Value) -> Value {
    changed_content("/header", header)
}

fn samples(samples: Value) -> Value {
    changed_content("/samples", samples)
}

fn sample(second: &str) -> Value {
    samples(json!({"1": "Maya", "2": second}))
}

fn footer(footer: &str) -> Value {
    changed_content("/footer", json!(footer))
}

fn buttons(buttons: Value) -> Value {
    changed_content("/buttons", buttons)
}

fn label(label: &str) -> Value {
    changed_content("/buttons/0", reply(label))
}

fn link(url: &str, sample: &str) -> Value {
    let link = json!({"kind": "url", "text": "Book", "url": url, "sample": sample});
    changed_content("/buttons/1", link)
}

fn reply(text: &str) -> Value {
    json!({"kind": "quick_reply", "text": text})
}

fn web(text: &str) -> Value {
    json!({"kind": "url", "text": text, "url": "https://a.example"})
}

fn call(text: &str) -> Value {
    json!({"kind": "phone_number", "text": text, "phone_number": "+97145550001"})
}

/// A body with samples of those variables that can have one.
fn body(text: &str) -> Value {
    let fine = |name: &&str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let names = variables_in(text).into_iter().filter(fine);
    let samples: BTreeMap<&str, &str> = names.map(|name| (name, "Maya")).collect();
    let mut content = changed_content("/body", json!(text));
    content["samples"] = json!(samples);
    content
}

/// Drafts by rules of both providers, and whether each is right.
fn common() -> Vec<(&'static str, Value, bool)> {
    let replies = |count: usize| -> Vec<Value> { (0..count).map(|number| reply(&format!("Reply {number}"))).collect() };
    let mut plain = good();
    for part in ["header", "footer", "buttons"] {
        plain.as_object_mut().unwrap().remove(part);
    }
    let code = |label: &str| json!({"category": "authentication", "code": {"valid_minutes": 10, "button": label}});
    vec![
        ("as the fixture", good(), true),
        ("a body alone", plain, true),
        ("a header of 60", header(json!({"text": "x".repeat(60)})), true),
        ("a header of 61", header(json!({"text": "x".repeat(61)})), false),
        ("a header of two lines", header(json!({"text": "a\nb"})), false),
        ("a header with a tab", header(json!({"text": "a\tb"})), false),
        ("a blank header", header(json!({"text": " "})), false),
        (
            "a header with a variable",
            header(json!({"text": "Of {{1}}", "sample": "May"})),
            true,
        ),
        ("a header without a sample", header(json!({"text": "Of {{1}}"})), false),
        (
            "a header with two variables",
            header(json!({"text": "{{1}} {{2}}", "sample": "May"})),
            false,
        ),
        (
            "a header that begins at two",
            header(json!({"text": "Of {{2}}", "sample": "May"})),
            false,
        ),
        ("a body of 1024", body(&"x".repeat(1_024)), true),
        ("a body of 1025", body(&"x".repeat(1_025)), false),
        ("a blank body", body(" "), false),
        (
            "a body of lines",
            body("Hello {{1}},\nsorry we missed\tyour call."),
            true,
        ),
        (
            "a variable at the beginning",
            body("{{1}}, sorry we missed your call."),
            false,
        ),
        (
            "a variable at the end",
            body("Sorry we missed your call today {{1}} "),
            false,
        ),
        (
            "a variable before the full stop",
            body("Sorry we missed your call, {{1}}."),
            true,
        ),
        (
            "as many words as needed",
            body("Hello there dear {{1}} or {{2}} now."),
            true,
        ),
        ("a word too few", body("Hello dear {{1}} or {{2}} now."), false),
        ("a variable twice", body("Hello {{1}}, dear {{1}} again."), true),
        (
            "a gap",
            body("Hello {{1}} of {{3}}, we missed your call this very day."),
            false,
        ),
        (
            "a name among numbers",
            body("Hello {{name}}, we missed your call."),
            false,
        ),
        ("an open variable", body("Hello {{1}, we missed your call."), false),
        ("a brace too many", body("Hello {{{1}}}, we missed your call."), false),
        (
            "spaces within braces",
            body("Hello {{ 1 }}, we missed your call."),
            true,
        ),
        ("a missing sample", samples(json!({"1": "Maya"})), false),
        ("a blank sample", sample(" "), false),
        ("a sample of two lines", sample("a\nb"), false),
        ("a sample with four spaces", sample("a    b"), false),
        ("a sample with three spaces", sample("a   b"), true),
        ("a footer of 60", footer(&"x".repeat(60)), true),
        ("a footer of 61", footer(&"x".repeat(61)), false),
        ("a footer with a variable", footer("By {{1}}"), false),
        ("a footer of two lines", footer("a\nb"), false),
        ("a blank footer", footer(" "), false),
        ("ten replies", buttons(json!(replies(10))), true),
        ("eleven replies", buttons(json!(replies(11))), false),
        ("two links", buttons(json!([web("a"), web("b")])), true),
        ("three links", buttons(json!([web("a"), web("b"), web("c")])), false),
        ("a call", buttons(json!([call("a"), reply("b")])), true),
        ("two calls", buttons(json!([call("a"), call("b")])), false),
        (
            "replies around a link",
            buttons(json!([reply("a"), web("b"), reply("c")])),
            false,
        ),
        (
            "replies behind a link",
            buttons(json!([web("b"), reply("a"), reply("c")])),
            true,
        ),
        ("a label of 25", label(&"x".repeat(25)), true),
        ("a label of 26", label(&"x".repeat(26)), false),
        ("a blank label", label(" "), false),
        ("a label with a variable", label("{{1}}"), false),
        ("a label of two lines", label("a\nb"), false),
        (
            "a link of another scheme",
            link("ftp://a.example/{{1}}", "ftp://a.example/b"),
            false,
        ),
        ("a link without a host", link("https:///{{1}}", "https:///b"), false),
        (
            "a link whose host is a variable",
            link("https://{{1}}", "https://a"),
            false,
        ),
        (
            "a link with a space",
            link("https://a.example/a b/{{1}}", "https://a.example/a b/c"),
            false,
        ),
        ("a link without a sample", link("https://a.example/{{1}}", " "), false),
        ("a code", code("Copy code"), true),
        ("a code with a label of 24", code(&"x".repeat(24)), true),
        ("a code with a label of 26", code(&"x".repeat(26)), false),
        ("a code with a blank label", code(" "), false),
        ("a code with a label of two lines", code("a\nb"), false),
    ]
}

/// Drafts by rules of Meta alone.
fn of_meta() -> Vec<(&'static str, Value, bool)> {
    let named = |text: &str, samples: Value| json!({"category": "utility", "parameter_format": "named", "body": text, "samples": samples});
    let offer = |sample: &str| {
        changed_content(
            "/buttons/0",
            json!({"kind": "offer_code", "text": "Copy", "sample": sample}),
        )
    };
    let mut without_header = good();
    without_header.as_object_mut().unwrap().remove("header");
    let hello = "Hello {{first_name}}, sorry we missed your call today.";
    let longest = "n".repeat(64);
    let code = json!({"category": "authentication", "code": {"button": "x".repeat(25)}});
    let mut options = good();
    options["code"] = json!({"button": "Copy"});
    vec![
        ("options of a code elsewhere", options, false),
        ("named variables", named(hello, json!({"first_name": "Maya"})), true),
        ("a name without a sample", named(hello, json!({})), false),
        (
            "a name of 64",
            named(
                &format!("Hello {{{{{longest}}}}}, sorry we missed your call today."),
                json!({ (longest.as_str()): "Maya" }),
            ),
            true,
        ),
        (
            "a number among names",
            named("Hello {{1}}, sorry we missed your call.", json!({"1": "Maya"})),
            false,
        ),
        (
            "a name with a capital",
            named("Hello {{Name}}, sorry we missed your call.", json!({"Name": "Maya"})),
            false,
        ),
        ("an offer's code of 15", offer(&"x".repeat(15)), true),
        ("an offer's code of 16", offer(&"x".repeat(16)), false),
        ("an offer's code that is blank", offer(" "), false),
        (
            "a number with a zero",
            body("Hello {{01}}, we missed your call."),
            false,
        ),
        (
            "a link with a variable within",
            link("https://a.example/{{1}}/b", "https://a.example/x/b"),
            false,
        ),
        (
            "a link that begins at two",
            link("https://a.example/{{2}}", "https://a.example/b"),
            false,
        ),
        (
            "a link with an open variable",
            link("https://a.example/{{1}", "https://a.example/{"),
            false,
        ),
        ("a footer without a header", without_header, true),
        (
            "a link without a slash",
            link("https://a.example/?b={{1}}", "https://a.example/?b=c"),
            true,
        ),
        (
            "variables side by side",
            body("Hello there dear {{1}} {{2}}, sorry about it."),
            true,
        ),
        ("a code with a label of 25", code, true),
    ]
}

/// Drafts by rules of Twilio alone.
fn of_twilio() -> Vec<(&'static str, Value, bool)> {
    let mut without_header = good();
    without_header.as_object_mut().unwrap().remove("header");
    let plain = |buttons: Value, text: &str| json!({"category": "utility", "body": text, "buttons": buttons});
    let long = "x".repeat(641);
    let code = json!({"category": "authentication", "code": {"button": "x".repeat(25)}});
    vec![
        ("a card without a header", without_header, false),
        (
            "replies without a header",
            plain(json!([reply("Yes"), reply("No")]), "Hello there."),
            true,
        ),
        (
            "a long label without a header",
            plain(json!([reply(&"x".repeat(21))]), "Hello there."),
            false,
        ),
        (
            "links without a header",
            plain(json!([web("Book"), call("Call")]), "Hello there."),
            true,
        ),
        ("a long text beside a link", plain(json!([web("Book")]), &long), false),
        ("a long text beside replies", plain(json!([reply("Yes")]), &long), true),
        (
            "a link without a slash",
            link("https://a.example/?b={{1}}", "https://a.example/?b=c"),
            false,
        ),
        (
            "variables side by side",
            body("Hello there dear {{1}} {{2}}, sorry about it."),
            false,
        ),
        (
            "variables on two lines",
            body("Hello there dear {{1}}\n{{2}}, sorry about it."),
            false,
        ),
        ("a medium", header(json!({"media": "image"})), false),
        ("a code with a label of 25", code, false),
    ]
}

/// Drafts that our lint refuses and Meta does not: it never sees the fault, or understands it otherwise than meant.
fn ours() -> Vec<(&'static str, Value)> {
    let code = json!({"category": "authentication", "body": "Hello.", "code": {"button": "Copy"}});
    let asset = "ast_01hq5c1ynyc0000000000000ab";
    vec![
        (
            "a sample without a variable",
            header(json!({"text": "Plain", "sample": "x"})),
        ),
        (
            "an asset of a text",
            header(json!({"text": "Plain", "sample_asset_id": asset})),
        ),
        ("a header of sound", header(json!({"media": "audio"}))),
        ("a sample of nothing", samples(json!({"1": "Maya", "2": "b", "3": "c"}))),
        ("a label twice", label("Book online")),
        (
            "a sample of another link",
            link("https://a.example/{{1}}", "https://b.example/x"),
        ),
        (
            "a sample of a fixed link",
            link("https://a.example", "https://a.example"),
        ),
        (
            "an offer's code without a label",
            changed_content(
                "/buttons/0",
                json!({"kind": "offer_code", "text": "", "sample": "MAY20"}),
            ),
        ),
        ("a code with a text", code),
    ]
}

#[test]
fn drafts_pass_by_the_rules_of_their_provider() {
    let mut of_meta = of_meta();
    of_meta.extend(ours().into_iter().map(|(what, content)| (what, content, false)));
    for (through, table) in [(Through::Meta, of_meta), (Through::Twilio, of_twilio())] {
        for (what, content, right) in common().into_iter().chain(table) {
            assert_eq!(passes("tried", "en_GB", &content, through, None), right, "{what}");
        }
    }
}

#[test]
fn names_and_languages_are_those_of_meta() {
    let longest = "x".repeat(512);
    for (name, language, right) in [
        ("order_1", "en", true),
        ("order_1", "en_GB", true),
        ("order_1", "fil", true),
        (&*longest, "ar", true),
        (&*format!("{longest}x"), "ar", false),
        ("", "en", false),
        ("Order", "en", false),
        ("order-1", "en", false),
        ("a b", "en", false),
        ("bestellung_ä", "en", false),
        ("order_2", "EN", false),
        ("order_2", "en-GB", false),
        ("order_2", "en_gb", false),
        ("order_2", "english", false),
        ("order_2", "e", false),
        ("order_2", "en_", false),
        ("order_2", "", false),
    ] {
        let found = passes(name, language, &good(), Through::Meta, None);
        assert_eq!(found, right, "{name} {language}");
    }
}

#[test]
fn headers_of_media_need_a_sample_of_their_type() {
    let cases = [
        ("image", Some((MediaKind::Image, "image/jpeg")), true),
        ("image", Some((MediaKind::Image, "image/png")), true),
        ("video", Some((MediaKind::Video, "video/mp4")), true),
        ("document", Some((MediaKind::Document, "application/pdf")), true),
        ("image", Some((MediaKind::Document, "application/pdf")), false),
        ("video", Some((MediaKind::Image, "image/png")), false),
        ("document", Some((MediaKind::Image, "image/jpeg")), false),
        ("image", None, false),
    ];
    for (kind, sample, right) in cases {
        let mut header = json!({"media": kind});
        let asset = sample.map(|(kind, mime)| {
            let name = "sample".parse().unwrap();
            let at = "2026-11-20T12:00:00Z".parse().unwrap();
            let mut asset = Asset::new(Ulid::from_parts(1, 1), AssetIn { name }, at);
            asset.kind = kind;
            asset.record_upload(mime, 6, "00".repeat(32), false);
            header["sample_asset_id"] = json!(asset.id);
            asset
        });
        let content = changed_content("/header", header);
        let found = passes("tried", "en_GB", &content, Through::Meta, asset.as_ref());
        assert_eq!(found, right, "{kind} {sample:?}");
    }
}
