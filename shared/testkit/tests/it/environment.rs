//! Variables that functions read against those in the template. A missing one keeps a function from starting; an additional one is
//! misleading.

use std::collections::BTreeSet;

use serde_json::Value;
use testkit::template::{functions, template};

use crate::repository::{Package, packages};

/// Variables by use of the kit: a text in a function's sources, the required variables, the optional ones.
const KIT: &[(&str, &[&str], &[&str])] = &[
    // Every job; one without a crash point ignores it.
    ("pub async fn handle(", &[], &["CRASH_POINTS"]),
    (
        "Webhook::new(",
        &["TABLE_NAME", "KMS_VERIFY_KEY_ID", "RAW_BUCKET"],
        &["PUBLIC_BASE_URL"],
    ),
    (
        "Webhook::calls(",
        &["TABLE_NAME", "KMS_VERIFY_KEY_ID", "RAW_BUCKET", "CALLS_QUEUE_URL"],
        &["PUBLIC_BASE_URL"],
    ),
    ("Queue::new(", &[], &["RAW_BUCKET"]),
    (
        "function!(serve_queue,",
        &[],
        &["DEAD_LETTERS_URL", "BULK_DEAD_LETTERS_URL"],
    ),
    ("function!(serve_socket,", &[], &["LIVE_BASE_URL"]),
    ("RawBucket::new(", &["RAW_BUCKET"], &[]),
    ("Bus::new(", &["OPERATIONS_BUS"], &[]),
    ("Files::new(", &["FILES_BUCKET"], &[]),
    ("FileScanner::new(", &["MEDIA_SCANNER", "SCANNER_SECRET_SHA256"], &[]),
    ("FileSteps", &["TABLE_NAME", "FILES_BUCKET"], &[]),
    (
        "function!(serve_operation,",
        &["TABLE_NAME", "OPERATIONS_BUS", "OPERATION_SLOTS"],
        &[],
    ),
    ("QueueName::Calls", &["CALLS_QUEUE_URL"], &[]),
    ("QueueName::ProviderEvents", &["PROVIDER_EVENTS_QUEUE_URL"], &[]),
    ("QueueName::CommerceEvents", &["COMMERCE_EVENTS_QUEUE_URL"], &[]),
    ("QueueName::Sends", &["SENDS_QUEUE_URL"], &[]),
    ("QueueName::BulkSends", &["BULK_SENDS_QUEUE_URL"], &[]),
    ("QueueName::Drips", &["DRIPS_QUEUE_URL"], &[]),
    ("QueueName::Media", &["MEDIA_QUEUE_URL"], &[]),
    ("QueueName::Pushes", &["PUSHES_QUEUE_URL"], &[]),
    ("QueueName::WebhookDeliveries", &["WEBHOOK_DELIVERIES_QUEUE_URL"], &[]),
    ("Mails::new(", &["MAILS_QUEUE_URL", "MAIL_SECRET_ID"], &[]),
    ("SealedLinks::new(", &["MAIL_SECRET_ID"], &[]),
    (
        "QueueName::ALL",
        &[
            "CALLS_QUEUE_URL",
            "PROVIDER_EVENTS_QUEUE_URL",
            "COMMERCE_EVENTS_QUEUE_URL",
            "SENDS_QUEUE_URL",
            "BULK_SENDS_QUEUE_URL",
            "DRIPS_QUEUE_URL",
            "MEDIA_QUEUE_URL",
            "PUSHES_QUEUE_URL",
            "WEBHOOK_DELIVERIES_QUEUE_URL",
            "MAILS_QUEUE_URL",
        ],
        &[],
    ),
    ("Links::new(", &["APP_URL", "PUBLIC_BASE_URL"], &[]),
    ("Pages::new(", &["LINK_BASE_URL", "PUBLIC_BASE_URL"], &[]),
    ("env.ses()", &["SES_ENDPOINT_URL"], &[]),
    ("Api::new(", &["TABLE_NAME"], &[]),
    ("api::plain!", &["TABLE_NAME"], &[]),
    ("env.store()", &["TABLE_NAME"], &[]),
    ("LateStore::new(", &["TABLE_NAME"], &[]),
    ("StoreAndClock", &["TABLE_NAME"], &[]),
    (
        "Api::with_mails(",
        &["TABLE_NAME", "MAILS_QUEUE_URL", "MAIL_SECRET_ID"],
        &["APP_URL", "PUBLIC_BASE_URL"],
    ),
    (".timers()", &[], TIMERS),
    (".bulk_workers()", &["BULK_CONCURRENCY"], &[]),
    ("crash::point(", &["CRASH_POINTS"], &[]),
];

const TIMERS: &[&str] = &[
    "PROVIDER_TIMEOUT",
    "CLAIM_SECONDS",
    "FIRST_DUE_SECONDS",
    "UNKNOWN_DEADLINE_SECONDS",
    "DECIDE_CALL_SECONDS",
    "RECHECK_SECONDS",
];

fn names(variables: &'static Value) -> BTreeSet<&'static str> {
    let variables = variables["Environment"]["Variables"].as_object();
    let names = variables.into_iter().flat_map(|variables| variables.keys());
    names.map(String::as_str).collect()
}

/// Variables that the template gives to all functions, or to any of them.
fn given_to_any() -> BTreeSet<&'static str> {
    let mut given = names(&template()["Globals"]["Function"]);
    for function in functions() {
        given.extend(names(&function.resource["Properties"]));
    }
    given
}

/// Texts in quotes that have the form of a variable's name.
fn quoted_names(sources: &str) -> BTreeSet<&str> {
    let is_name = |text: &&str| {
        let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        text.contains('_') && text.bytes().all(allowed)
    };
    sources.split('"').filter(is_name).collect()
}

/// Names that are passed to one of the configuration's reading functions.
fn read_by_name(sources: &str) -> impl Iterator<Item = &str> {
    let ways = [
        ".text(\"",
        ".optional(\"",
        ".url(\"",
        ".optional_url(\"",
        ".seconds(\"",
        ".optional_seconds(\"",
    ];
    let after = |way| sources.split(way).skip(1).filter_map(|rest| rest.split('"').next());
    ways.into_iter().flat_map(after)
}

fn function(name: &str) -> &'static Package {
    let mut all = packages().iter();
    let package = all.find(|package| package.is_function() && package.name == name);
    package.unwrap_or_else(|| panic!("no crate {name}"))
}

/// The code without comments.
fn code(package: &Package) -> String {
    let sources = package.sources();
    let lines = sources.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn functions_get_exactly_the_variables_they_read() {
    // What the kit reads in every function.
    let by_kit = ["LOG_LEVEL", "ORIGIN_SECRET_SHA256", "STAGE", "VIEWER_ADDRESS_HEADER"];
    assert_eq!(names(&template()["Globals"]["Function"]), by_kit.into());
    let all = given_to_any();
    for deployed in functions() {
        let id = deployed.id;
        let given = names(&deployed.resource["Properties"]);
        let sources = code(function(deployed.name));
        let by_name: BTreeSet<&str> = read_by_name(&sources).collect();
        let mut needed = quoted_names(&sources);
        needed.retain(|name| all.contains(name) || by_name.contains(name));
        let mut allowed = needed.clone();
        for (mark, needs, may) in KIT {
            if sources.contains(mark) {
                needed.extend(*needs);
                allowed.extend(needs.iter().chain(*may));
            }
        }
        let missing: Vec<_> = needed.difference(&given).collect();
        assert!(missing.is_empty(), "{id} reads {missing:?} and is not given them");
        // Records that the table can never accept become dead letters at once.
        let works_rows = sources.contains("function!(serve_queue,") && given.contains("TABLE_NAME");
        let fine = !works_rows || given.contains("DEAD_LETTERS_URL");
        assert!(fine, "{id} works a queue and has no DEAD_LETTERS_URL");
        let unread: Vec<_> = given.difference(&allowed).collect();
        assert!(unread.is_empty(), "{id} is given {unread:?} and does not read them");
    }
}

#[test]
fn every_variable_read_is_in_the_template() {
    const OF_LAMBDA: &[&str] = &[
        "AWS_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_ENDPOINT_URL",
    ];
    let mut given = given_to_any();
    given.extend(OF_LAMBDA);
    let all = packages().iter();
    for package in all.filter(|package| !package.is_tool() && package.name != "testkit") {
        let sources = code(package);
        for name in read_by_name(&sources) {
            // One letter: used by the kit's own tests.
            let known = given.contains(name) || name.len() == 1;
            assert!(known, "{} reads {name}, which no function is given", package.name);
        }
    }
}
