//! A thousand webhooks of the providers, randomly mutated and then correctly signed: all are answered, none is retried endlessly,
//! none becomes a dead letter. Customers' messages that still have an id and a sender are stored, and the API shows them.

mod form;
mod json;

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context as _, Result, bail, ensure};
use domain::{calls::MessageRef, terms::ProviderRef};
use futures::{StreamExt as _, stream};
use providers::{telephony, twilio, whatsapp};
use serde_json::{Value, json};
use stack::{
    build,
    inspect::{self, Queue},
    play::{Look, until},
    random::Random,
    vendors::{KINDS, Vendors},
};

use self::json::Node;
use crate::stage::{Business, PATIENCE, Stage, alone_on_stage};

/// Seed of reproducible webhooks; `RINGBACK_TEST_SEED` sets another.
const SEED: u64 = 20_261_120;

const CASES: usize = 1_000;

/// Number of concurrent webhooks.
const AT_ONCE: usize = 12;

/// More receives than this are not just bad luck.
const MAX_RECEIVES: u64 = 3;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// Fixtures of one kind, and their webhook: the first whose word is part of the file's name.
struct Source {
    folder: &'static str,
    webhooks: &'static [(&'static str, &'static str)],
}

const fn all_to(folder: &'static str, webhooks: &'static [(&'static str, &'static str)]) -> Source {
    Source { folder, webhooks }
}

const OF_MESSAGES: &[(&str, &str)] = &[("inbound", "twilio/inbound"), ("status", "twilio/message-status")];

const SOURCES: [Source; 11] = [
    all_to("whatsapp/inbound", &[("", "whatsapp")]),
    all_to("whatsapp/status", &[("", "whatsapp")]),
    all_to("whatsapp/account", &[("", "whatsapp")]),
    all_to("whatsapp/batch", &[("", "whatsapp")]),
    all_to(
        "twilio/voice",
        &[
            ("inbound", "twilio/voice"),
            ("dial_action", "twilio/dial-result"),
            ("recording", "twilio/recording"),
            ("status", "twilio/status"),
        ],
    ),
    all_to("twilio/sms", OF_MESSAGES),
    all_to("twilio/whatsapp", OF_MESSAGES),
    all_to("telephony/generic", &[("", "telephony")]),
    all_to("telephony/aircall", &[("", "aircall")]),
    all_to("telephony/vonage", &[("", "vonage")]),
    all_to(
        "telephony/exotel",
        &[("passthru", "exotel/passthru"), ("status", "exotel/status")],
    ),
];

/// Plivo's fixtures are forms, too.
const PLIVO: Source = all_to("telephony/plivo", &[("", "plivo/hangup")]);

/// Folders with messages of customers by WhatsApp, which are sent as if they were written now.
const WRITTEN_IN: [&str; 2] = ["whatsapp/inbound", "whatsapp/batch"];

/// Time of these messages in the fixtures.
const WRITTEN_AT: &str = "1793347200";

/// A request to send, and its mutations.
struct Case {
    number: usize,
    what: String,
    webhook: &'static str,
    is_json: bool,
    body: Vec<u8>,
}

/// Ids in the fixtures and their replacements: accounts and lines of the business, and a new call, message and person per case.
fn replace_ids(text: &str, number: usize, ours: &BTreeMap<&'static str, String>) -> String {
    let person = format!("{number:05}");
    let text = ours
        .iter()
        .fold(text.to_owned(), |text, (theirs, own)| text.replace(theirs, own));
    text.replace("7700900111", &format!("77009{person}"))
        .replace("7700 900111", &format!("7700 9{person}"))
        .replace("7000000000000111", &format!("70000000001{person}"))
        .replace("RklYVFVSRT", &format!("RklYVFVSRT{person}"))
        .replace("100200300", &format!("1002{person}"))
        .replace("fix1", &format!("f{person}"))
        .replace("00000000000000000000000001", &format!("000000000000000000000{person}"))
}

/// A recorded request.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Fixture {
    name: String,
    text: String,
}

fn fixtures(root: &Path, source: &Source) -> Result<Vec<Fixture>> {
    let folder = root.join("shared/testkit/fixtures").join(source.folder);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("listing {}", folder.display()))? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default()
            .to_owned();
        if !name.ends_with(".xml") {
            let text = std::fs::read_to_string(&path)?;
            found.push(Fixture { name, text });
        }
    }
    found.sort();
    Ok(found)
}

/// A fixture, mutated at one to three places.
fn damage_fixture(
    random: &mut Random,
    number: usize,
    source: &Source,
    fixture: &Fixture,
    ours: &BTreeMap<&'static str, String>,
) -> Result<Case> {
    let Fixture { name, text } = fixture;
    let mut text = replace_ids(text, number, ours);
    if WRITTEN_IN.contains(&source.folder) {
        text = text.replace(WRITTEN_AT, &jiff::Timestamp::now().as_second().to_string());
    }
    let to = source.webhooks.iter().find(|(word, _)| name.contains(word));
    let (_, webhook) = to.with_context(|| format!("no webhook takes {name}"))?;
    let is_json = name.ends_with(".json");
    let places = 1 + random.below(3);
    let mut done = Vec::new();
    let body = if is_json {
        let mut whole = Node::from(&serde_json::from_str::<Value>(&text)?);
        // Aircall's token authenticates the event.
        done.extend((0..places).map(|_| json::damage(random, &mut whole, "token")));
        let mut text = String::new();
        whole.write(&mut text);
        let mut body = text.into_bytes();
        if random.below(12) == 0 {
            done.push(json::damage_text(random, &mut body).to_owned());
        }
        body
    } else {
        let mut fields = form::parse(&text);
        done.extend((0..places).map(|_| form::damage(random, &mut fields)));
        form::write(&fields).into_bytes()
    };
    Ok(Case {
        number,
        what: format!("{number} {}/{name}: {}", source.folder, done.join("; ")),
        webhook,
        is_json,
        body,
    })
}

/// Headers that authenticate `body` at `path` as from this business's provider.
fn authentication_headers(
    business: &Business<'_>,
    what: &str,
    path: &str,
    body: &[u8],
    at: jiff::Timestamp,
) -> Result<Vec<(&'static str, String)>> {
    let secrets = &business.tenant.secrets;
    Ok(match what.split('/').next() {
        Some("telephony") => {
            let signature = telephony::sign(&secrets.telephony_secret, "msg_test", at, body);
            vec![
                ("webhook-id", "msg_test".to_owned()),
                ("webhook-timestamp", at.as_second().to_string()),
                ("webhook-signature", signature.context("the secret is one")?),
            ]
        }
        Some("whatsapp") => vec![(
            "x-hub-signature-256",
            whatsapp::signature::sign(&secrets.whatsapp_app_secret, body),
        )],
        _ => {
            let url = format!("{}{path}", business.stage.play.endpoints.api);
            vec![(
                "x-twilio-signature",
                twilio::signature::sign(&secrets.twilio_auth_token, &url, body),
            )]
        }
    })
}

/// Posts a case as its provider would; returns the status.
async fn post(business: &Business<'_>, vendors: &Vendors, case: &Case, mark: &str) -> Result<u16> {
    let play = &business.stage.play;
    let (kind, what) = case.webhook.split_once('/').unwrap_or((case.webhook, ""));
    let content_type = if case.is_json { JSON } else { FORM };
    let (method, path, mut headers, body);
    if KINDS.contains(&kind) {
        let text = String::from_utf8_lossy(&case.body);
        let event = vendors.sign_event(kind, what, business.id(), &play.endpoints.api, content_type, &text)?;
        (method, path, headers, body) = (event.method, event.path, event.headers, event.body.into_bytes());
    } else {
        method = "POST";
        path = match what {
            "message-status" => format!("{}?key=msg_{mark}.1", business.webhook(case.webhook)),
            _ => business.webhook(case.webhook),
        };
        headers = authentication_headers(business, case.webhook, &path, &case.body, jiff::Timestamp::now())?;
        headers.push(("content-type", content_type.to_owned()));
        body = case.body.clone();
    }
    headers.push(("x-correlation-id", mark.to_owned()));
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = play.request(method, &path, &headers, body).await;
    let answer = answer.with_context(|| case.what.clone())?;
    if answer.status >= 500 {
        eprintln!("{}: {} {}", case.what, answer.status, answer.body);
    }
    Ok(answer.status)
}

/// Number of jobs by queue, in each state.
async fn waiting(stage: &Stage, session: &stack::aws::Session) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for queue in [
        "CallsQueueUrl",
        "ProviderEventsQueueUrl",
        "SendsQueueUrl",
        "BulkSendsQueueUrl",
        "MediaQueueUrl",
    ] {
        let depth = inspect::depth(session, &stage.town.outputs[queue]).await?;
        if depth != [0; 3] {
            all.push(format!("{queue} {depth:?}"));
        }
    }
    Ok(all)
}

/// The business's failed records, with their number of receives and the error.
async fn failing(business: &Business<'_>, since: i64) -> Result<BTreeMap<String, (u64, String)>> {
    let stage = business.stage;
    // Of all jobs.
    let job = build::function(&stage.place.root, "process_call")?;
    let groups = [job.log_group(&stage.play.endpoints.stack)];
    let mut found = BTreeMap::new();
    for event in stage.aws.logs(&groups, Some(since)).await? {
        let Ok(line) = serde_json::from_str::<Value>(&event.message) else {
            continue;
        };
        // A queue holds what nobody can read.
        ensure!(line["message"] != "unreadable job", "{line}");
        let ours = line["tenant"] == business.id() && line["message"] == "record failed";
        if let (true, Some(mark), Some(count)) = (ours, line["correlation_id"].as_str(), line["receive_count"].as_u64())
        {
            let why = line["error"].as_str().unwrap_or_default();
            let key = format!("{mark} {}", line["record"].as_str().unwrap_or_default());
            found.insert(key, (count, why.to_owned()));
        }
    }
    Ok(found)
}

/// The business's dead letters, by correlation id.
async fn dead_letters(business: &Business<'_>, session: &stack::aws::Session) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for queue in Queue::all(&business.stage.town.outputs) {
        let url = &queue.dead_letters;
        // Dead letters of other tests are received once and put back.
        let look = json!({ "QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 60 });
        let mut seen = Vec::new();
        loop {
            let letters = session.call("sqs", "receive_message", look.clone()).await?;
            match letters["Messages"].as_array() {
                Some(letters) if !letters.is_empty() => seen.extend(letters.clone()),
                _ => break,
            }
        }
        for letter in seen {
            let body: Value = serde_json::from_str(letter["Body"].as_str().unwrap_or_default()).unwrap_or_default();
            if body["tenant"] == business.id() {
                found.push(format!("{} {}", queue.name, body["correlation_id"]));
            }
            let back = json!({ "QueueUrl": url, "ReceiptHandle": letter["ReceiptHandle"], "VisibilityTimeout": 0 });
            session.call("sqs", "change_message_visibility", back).await?;
        }
    }
    Ok(found)
}

/// The contents that the API names: a message of another type is `unsupported`.
const CONTENTS: [&str; 16] = [
    "text",
    "image",
    "video",
    "audio",
    "document",
    "sticker",
    "media",
    "location",
    "contacts",
    "interactive",
    "button",
    "reaction",
    "order",
    "edit",
    "revoke",
    "unsupported",
];

/// Ids of the customer's messages in a post of Meta's, as far as what leads to them is whole: account, number, id, sender and time.
fn by_whatsapp(number: usize, body: &[u8], ours: &BTreeMap<&'static str, String>) -> Vec<ProviderRef> {
    let whole: Value = serde_json::from_slice(body).unwrap_or_default();
    let list = |value: &Value, name: &str| value[name].as_array().cloned().unwrap_or_default();
    let from = format!("4477009{number:05}");
    // A message of another time may be older than messages are kept.
    let now = jiff::Timestamp::now().as_second();
    let recent = now - 24 * 3_600..=now;
    let is_whole = |message: &Value| {
        let at = message["timestamp"].as_str().and_then(|at| at.parse::<i64>().ok());
        let is_notice = message["type"].as_str().is_some_and(|kind| kind.contains("system"));
        message["from"] == from
            && message["group_id"].is_null()
            && !is_notice
            && at.is_some_and(|at| recent.contains(&at))
    };
    let mut found = Vec::new();
    if whole["object"] != "whatsapp_business_account" {
        return found;
    }
    for entry in list(&whole, "entry") {
        for change in list(&entry, "changes") {
            let (value, metadata) = (&change["value"], &change["value"]["metadata"]);
            let is_ours = entry["id"] == ours["900000000000001"]
                && metadata["phone_number_id"] == ours["910000000000001"]
                // Longer ones count as damaged.
                && metadata.to_string().len() < 1_000
                && change["field"] == "messages";
            let messages = list(value, "messages");
            let messages = messages.iter().filter(|message| is_ours && is_whole(message));
            found.extend(messages.filter_map(|message| message["id"].as_str()?.parse::<ProviderRef>().ok()));
        }
    }
    found
}

/// The id of the customer's message in a form of Twilio's.
fn by_twilio(number: usize, body: &str, ours: &BTreeMap<&'static str, String>) -> Option<ProviderRef> {
    let fields = form::parse(body);
    let only = |wanted: &str| {
        let mut found = fields.iter().filter(|(name, _)| name == wanted);
        let (_, value) = found.next().filter(|_| found.next().is_none())?;
        Some(value.as_str())
    };
    let (from, sid) = (only("From")?, only("MessageSid")?);
    let own = format!("%2B4477009{number:05}");
    let is_whole = from.strip_prefix("whatsapp%3A").unwrap_or(from) == own
        && only("AccountSid")? == ours["AC000000000000000000000000000000a1"]
        && sid.len() == 34
        && sid.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_whole.then(|| sid.parse().ok())?
}

/// The provider and the ids of the customer's messages in a case. A field that is there twice means what the parser takes.
fn message_ids_of(case: &Case, ours: &BTreeMap<&'static str, String>) -> Vec<(&'static str, ProviderRef)> {
    if case.what.contains(": twice") {
        return Vec::new();
    }
    match case.webhook {
        "whatsapp" => {
            let found = by_whatsapp(case.number, &case.body, ours).into_iter();
            found.map(|id| ("whatsapp", id)).collect()
        }
        "twilio/inbound" => {
            let found = by_twilio(case.number, &String::from_utf8_lossy(&case.body), ours).into_iter();
            found.map(|id| ("twilio", id)).collect()
        }
        _ => Vec::new(),
    }
}

/// Number of customers' messages in the cases that were taken, and those that are not stored, or not shown as something known.
async fn find_lost_messages(
    business: &Business<'_>,
    taken: &[&Case],
    ours: &BTreeMap<&'static str, String>,
) -> Result<(usize, Vec<String>)> {
    let store = &business.stage.play.store;
    let scope = business.scope()?;
    let (mut count, mut lost) = (0, Vec::new());
    for case in taken {
        for (api, id) in message_ids_of(case, ours) {
            count += 1;
            let found = store.message_ref(&scope, api, &id, jiff::Timestamp::now()).await?;
            let Some((MessageRef::Theirs { message }, _)) = found else {
                lost.push(format!("not stored: {}", case.what));
                continue;
            };
            let path = format!("/api/v1/messages/{message}");
            let answer = business.ask("get", &path, None).await?;
            let shown: Value = serde_json::from_str(&answer.body).unwrap_or_default();
            let content = shown["content"].as_str().unwrap_or_default();
            if answer.status != 200 || shown["direction"] != "inbound" || !CONTENTS.contains(&content) {
                lost.push(format!("shown as {} {content:?}: {}", answer.status, case.what));
            }
        }
    }
    Ok((count, lost))
}

#[test]
fn mutated_webhooks_cause_no_endless_retries() {
    let seed = std::env::var("RINGBACK_TEST_SEED").ok();
    let seed = seed.and_then(|seed| seed.parse().ok()).unwrap_or(SEED);
    eprintln!("RINGBACK_TEST_SEED={seed}");
    alone_on_stage(async |stage| {
        let vendors = Vendors::new()?;
        let mut ours = BTreeMap::new();
        let opened = stage.changed_business("Damaged", |plan| {
            vendors.connect(plan);
            for kind in KINDS {
                plan.connection(kind)["account"]["numbers"] = json!([]);
            }
            let twilio = &mut plan.connection("twilio")["account"];
            twilio["whatsapp_sender"] = twilio["numbers"][0].clone();
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            ours.insert("AC000000000000000000000000000000a1", text(&twilio["account_sid"]));
            ours.insert("15005550006", text(&twilio["numbers"][0]).replace('+', ""));
            let whatsapp = &plan.connection("whatsapp")["account"];
            ours.insert("900000000000001", text(&whatsapp["waba_id"]));
            ours.insert("910000000000001", text(&whatsapp["phone_number_id"]));
        });
        let business = &opened.await?;
        ours.insert("fixture-aircall-token", vendors.secret().to_owned());
        let began = jiff::Timestamp::now().as_millisecond();

        let mut random = Random::new(seed);
        let sources: Vec<_> = SOURCES.iter().chain([&PLIVO]).collect();
        let mut of_each = Vec::new();
        for source in &sources {
            of_each.push(fixtures(&stage.place.root, source)?);
        }
        let mut cases = Vec::new();
        for number in 0..CASES {
            let place = number % sources.len();
            let fixture = random.pick(&of_each[place]).clone();
            cases.push(damage_fixture(&mut random, number, sources[place], &fixture, &ours)?);
        }
        let mark = |number: usize| format!("damaged-{seed}-{number}");
        let posts = cases
            .iter()
            .map(async |case| post(business, &vendors, case, &mark(case.number)).await);
        let statuses: Vec<Result<u16>> = stream::iter(posts).buffered(AT_ONCE).collect().await;
        let mut counts: BTreeMap<u16, usize> = BTreeMap::new();
        let mut taken = Vec::new();
        for (case, status) in cases.iter().zip(statuses) {
            let status = status?;
            *counts.entry(status).or_default() += 1;
            taken.extend((status == 200).then_some(case));
        }
        eprintln!("answers: {counts:?}");
        ensure!(counts.keys().all(|status| *status < 500), "answers: {counts:?}");
        ensure!(counts[&200] > CASES * 7 / 10, "they were to be signed: {counts:?}");

        let session = stage.aws.session()?;
        let told = |failing: BTreeMap<String, (u64, String)>| {
            let of = |key: &str| {
                let mark = key.split(' ').next()?;
                let case = cases.get(mark.rsplit('-').next()?.parse::<usize>().ok()?)?;
                Some(case.what.as_str())
            };
            let lines = failing.into_iter().map(|(key, (count, why))| {
                let what = of(&key).unwrap_or_default();
                format!("{what} ({count} times): {why}")
            });
            lines.collect::<Vec<_>>().join("\n")
        };
        let drained = until(PATIENCE, "all that was taken is worked", async || {
            let failing = failing(business, began).await?;
            // Another receive would exceed the limit.
            if failing.values().any(|(count, _)| *count >= MAX_RECEIVES) {
                bail!("records circle:\n{}", told(failing));
            }
            let waiting = waiting(stage, &session).await?;
            Ok(Look::when(waiting.is_empty(), || {
                format!("{}; failed at times:\n{}", waiting.join(", "), told(failing))
            }))
        });
        drained.await?;
        let dead = dead_letters(business, &session).await?;
        ensure!(dead.is_empty(), "dead letters: {dead:?}");
        let (count, lost) = Box::pin(find_lost_messages(business, &taken, &ours)).await?;
        eprintln!("{count} messages of customers");
        ensure!(count > 30, "only {count} messages of customers were looked at");
        ensure!(lost.is_empty(), "messages of customers are lost:\n{}", lost.join("\n"));
        Ok(())
    });
}
