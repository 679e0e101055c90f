//! Every operation of the contract gets the largest bodies that are let through, in the worst shapes that its schema suggests. What
//! it does with them is bounded by a count of work: reading a body of that length once is the unit, so no machine is too slow
//! for this, and what grows faster than its input is far above the bound. A new operation is found in the contract.

#![expect(
    clippy::unwrap_used,
    reason = "all of it is tests; the lint's own exception covers only the functions marked as such"
)]

mod shapes;
mod work;

use std::collections::BTreeMap;

use contract::{Operation, document, functions, operations};
use domain::permission::Role;
use kit::{
    ConfigError, Env,
    api::{LARGEST, LARGEST_PATCH},
};
use testkit::{
    Aws, Call,
    api::{Caller, Town},
};

use crate::{
    shapes::Hostile,
    work::{Work, measured},
};

/// So many readings an operation may take for a body, and what it takes for the document's example besides.
const MOST: Work = Work {
    cpu: 25.0,
    allocations: 6.0,
    bytes: 12.0,
    peak: 8.0,
};

/// No answer is larger. Lambda takes 6 MB.
const LARGEST_ANSWER: usize = 64 * 1024;

/// What the functions need besides the testkit's variables, whatever it is: no body here gets as far as a provider.
async fn env(aws: &Aws) -> Env {
    let secret = format!("hostile-{}", aws.ids().ulid());
    let made = aws.env().secrets_manager().create_secret().name(&secret);
    let made = made.secret_string(r#"{"signing_keys": [], "sealing_key": "of a test"}"#);
    made.send().await.expect("the secret is made");
    let nobody = "http://127.0.0.1:1";
    aws.env_with(&[
        ("AUTH_SECRET_ID", &secret),
        ("APP_URL", "https://app.example"),
        ("PUBLIC_BASE_URL", "https://api.example.com"),
        ("GRAPH_API_URL", nobody),
        ("GRAPH_API_VERSION", "v25.0"),
        ("TWILIO_API_URL", nobody),
        ("AIRCALL_API_URL", nobody),
        ("VONAGE_API_URL", nobody),
        ("EXOTEL_API_URL", nobody),
        ("EXOTEL_INDIA_API_URL", nobody),
        ("PLIVO_API_URL", nobody),
        ("PROVIDER_TIMEOUT", "1"),
        ("TENANT_GRACE_SECONDS", "3600"),
    ])
}

fn caller<'a>(town: &'a Town<'_>, operation: &Operation<'_>) -> Caller<'a> {
    match operation.permission() {
        "public" => town.anyone(),
        "platform" => town.platform(),
        _ => town.admin(),
    }
}

/// The operation's path with an id that its list names, or one of the right kind.
async fn path(town: &Town<'_>, operation: &Operation<'_>, made: &BTreeMap<String, String>) -> String {
    let Some(name) = operation.parameters().next() else {
        return operation.path.to_owned();
    };
    let (list, rest) = operation
        .path
        .split_once(&format!("/{{{name}}}"))
        .expect("the path has it");
    let place = made.get(list).cloned();
    let place = place.unwrap_or_else(|| format!("{list}/{}", town.home.person(Role::Viewer).user));
    format!("{place}{rest}")
}

fn call(operation: &Operation<'_>, path: &str, content_type: &str, body: &str) -> Call {
    let call = Call::new(&operation.method.to_uppercase(), path);
    call.header("content-type", content_type).body(body)
}

/// Waits for what is left of all limits: the test's clock is its own.
fn later(aws: &Aws) {
    aws.pass(3_600);
}

#[test]
fn work_for_a_body_grows_no_faster_than_the_body() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let document = document().unwrap();
    let (mut wrong, mut worst, mut sent) = (Vec::new(), Work::default(), 0);
    for (name, own) in functions() {
        let routes: fn(&Env) -> Result<_, ConfigError> = match name {
            "api_keys" => api_keys::routes,
            "auth" => auth::routes,
            "connections" => connections::routes,
            "platform" => platform::routes,
            "tenant" => tenant::routes,
            "users" => users::routes,
            "audit" | "docs" | "health" => continue,
            other => panic!("say here how to call {other}"),
        };
        let own = serde_json::to_value(own.into_openapi()).unwrap();
        let ids: Vec<_> = operations(&own).map(|operation| operation.id().to_owned()).collect();
        let aws = runtime.block_on(Aws::new());
        let town = runtime.block_on(async { Town::with_env(&aws, &env(&aws).await, routes).await });
        let mut made = BTreeMap::new();
        for operation in operations(&document).filter(|operation| ids.iter().any(|id| id == operation.id())) {
            let most = if operation.method == "patch" {
                LARGEST_PATCH
            } else {
                LARGEST
            };
            let unit = work::of_reading(most);
            for example in shapes::examples(&document, &operation) {
                let path = runtime.block_on(path(&town, &operation, &made));
                let ask = |body: &str| {
                    later(&aws);
                    let call = call(&operation, &path, &example.content_type, body);
                    let asking = caller(&town, &operation).call(call);
                    measured(|| runtime.block_on(asking.into_future()))
                };
                // The first time, clients are made and keys are read.
                let (answer, _) = ask(&example.body.to_string());
                let place = answer.header("location");
                if !place.is_empty() {
                    made.insert(operation.path.to_owned(), place.to_owned());
                }
                let (_, usual) = ask(&example.body.to_string());
                for Hostile { what, body } in shapes::hostile(&document, &example, most) {
                    assert!(body.len() <= most, "{what}");
                    let (answer, work) = ask(&body);
                    let work = work.without(usual).in_units_of(unit);
                    sent += 1;
                    worst = worst.max(work);
                    let (status, size) = (answer.status(), answer.text().len());
                    if status >= 500 || size > LARGEST_ANSWER || !work.is_within(MOST) {
                        wrong.push(format!("{} {what}: {status}, {size} bytes, {work:?}", operation.id()));
                    }
                }
            }
        }
    }
    eprintln!("{sent} bodies, at worst {worst:.1?}");
    assert!(wrong.is_empty(), "readings, {MOST:?} at most:\n{}", wrong.join("\n"));
}
