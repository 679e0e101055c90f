//! Every operation of the contract gets bodies of the maximum size, and further ones of 16 KiB, in the worst shapes that its schema
//! suggests; of places of one type in a function's creations, or in its patches, one is enough. The work it does with them is bounded,
//! relative to parsing a body of that length once, so that slow machines do not matter and superlinear work exceeds the bound. New
//! operations are found in the contract.

#![expect(
    clippy::unwrap_used,
    reason = "everything here is a test; the lint's own exception covers only the functions marked as such"
)]

mod shapes;
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use contract::{Function, Operation, document, functions, operations};
use domain::accounts::Role;
use kit::http::{LARGEST_OF_API, LARGEST_PATCH};
use serde_json::Value;
use testkit::api::{Town, env_of_all};
use testkit::{Aws, Call};

use crate::shapes::{Hostile, PART, Seen, Share};
use crate::work::{Work, measure_work};

/// Maximum work for a body, as a multiple of parsing it, in addition to the work for the document's example. About twice the
/// worst case: a patch of very short items, which is parsed, merged and parsed again.
const MAX: Work = Work {
    allocations: 40.0,
    bytes: 30.0,
    peak: 40.0,
};

/// Maximum size of an answer. Lambda allows 6 MB.
const LARGEST_ANSWER: usize = 64 * 1024;

/// The operation's path, with ids of what was created in the list that it belongs to, or with any id.
async fn path(town: &Town<'_>, operation: &Operation<'_>, made: &BTreeMap<String, String>) -> String {
    let mut path = operation.path.to_owned();
    let parameters: Vec<_> = operation.parameters().collect();
    for name in parameters.into_iter().rev() {
        let parameter = format!("/{{{name}}}");
        let (list, rest) = path.split_once(&parameter).expect("the path has it");
        if let Some(place) = made.get(list) {
            return format!("{place}{rest}");
        }
        let example = match name {
            // There is one.
            "user_id" => None,
            _ => example(operation, name),
        };
        let value = example.unwrap_or_else(|| town.home.person(Role::Viewer).user.to_string());
        path = format!("{list}/{value}{rest}");
    }
    path
}

/// The contract's example of a parameter.
fn example(operation: &Operation<'_>, name: &str) -> Option<String> {
    let all = operation.value["parameters"].as_array()?;
    let parameter = all.iter().find(|parameter| parameter["name"] == name)?;
    match &parameter["example"] {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn call(operation: &Operation<'_>, path: &str, content_type: &str, body: &str) -> Call {
    let call = Call::new(&operation.method.to_uppercase(), path);
    call.header("content-type", content_type).body(body)
}

/// Waits until all limits are free again, on the test's own clock.
fn wait_for_limits(aws: &Aws) {
    aws.pass(3_600);
}

/// Results of the requests.
#[derive(Default)]
struct Outcome {
    wrong: Vec<String>,
    worst: Work,
    sent: usize,
    /// Operations with a body.
    asked: BTreeSet<String>,
    /// Operations whose body was parsed.
    read: BTreeSet<String>,
}

/// Sends a share of what the contract declares to one function.
fn ask_all(document: &Value, units: Units, share: Share, function: &Function) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let own = operations(&function.document);
    let ids: Vec<_> = own.map(|operation| operation.id().to_owned()).collect();
    let aws = runtime.block_on(Aws::new());
    let town = runtime.block_on(async { Town::with_env(&aws, &env_of_all(&aws).await, function.routes).await });
    if function.name == "templates" {
        runtime.block_on(town.connect_whatsapp());
    }
    let mut made = BTreeMap::new();
    let mut outcome = Outcome::default();
    let (mut created, mut patched) = (Seen::new(), Seen::new());
    'operations: for operation in operations(document).filter(|operation| ids.iter().any(|id| id == operation.id())) {
        let most = if operation.method == "patch" {
            LARGEST_PATCH
        } else {
            LARGEST_OF_API
        };
        let examples = shapes::examples(document, &operation);
        // Operations that create do the same with what they parse, and those that patch. Others may do more: they lint, preview, replay.
        let mut own = Seen::new();
        let seen = match operation.method {
            "patch" => &mut patched,
            "post" if operation.value["responses"].get("201").is_some() => &mut created,
            _ => &mut own,
        };
        let mut is_new = true;
        let mut whatever = if share.is_first() {
            shapes::of_no_schema(most)
        } else {
            Vec::new()
        };
        if !examples.is_empty() {
            outcome.asked.insert(operation.id().to_owned());
        }
        for example in examples {
            let path = runtime.block_on(path(&town, &operation, &made));
            let ask = |body: &str| {
                wait_for_limits(&aws);
                let call = call(&operation, &path, &example.content_type, body);
                let asking = town.who_may(operation.permission()).call(call);
                measure_work(|| runtime.block_on(asking.into_future()))
            };
            // The first time, clients are made and keys are read.
            let (answer, _) = ask(&example.body.to_string());
            let place = answer.header("location");
            if !place.is_empty() {
                made.insert(operation.path.to_owned(), place.to_owned());
            }
            let (_, usual) = ask(&example.body.to_string());
            let hostile = shapes::hostile(document, &example, most, share, seen, std::mem::take(&mut is_new));
            for Hostile { what, body, most } in std::mem::take(&mut whatever).into_iter().chain(hostile) {
                assert!(body.len() <= most, "{what}");
                let (answer, work) = ask(&body);
                let work = work.without(usual).in_units_of(units.of(most));
                outcome.sent += 1;
                outcome.worst = outcome.worst.max(work);
                let (status, size) = (answer.status(), answer.text().len());
                if status == 422 {
                    outcome.read.insert(operation.id().to_owned());
                }
                if status >= 500 || size > LARGEST_ANSWER || !work.is_within(MAX) {
                    let wrong = format!("{} {what}: {status}, {size} bytes, {work:.1?}", operation.id());
                    outcome.wrong.push(wrong);
                    // What is slow is slow with many of them.
                    continue 'operations;
                }
            }
        }
    }
    outcome
}

/// Work of parsing a body once, by its size.
#[derive(Clone, Copy)]
struct Units([(usize, Work); 3]);

impl Units {
    fn new() -> Self {
        Self([LARGEST_OF_API, LARGEST_PATCH, PART].map(|size| (size, work::of_reading(size))))
    }

    fn of(self, size: usize) -> Work {
        let unit = self.0.into_iter().find(|(of, _)| *of == size);
        unit.expect("bodies have one of these sizes").1
    }
}

#[test]
fn work_for_a_body_grows_no_faster_than_the_body() {
    let document = &document();
    let units = Units::new();
    let functions = &functions();
    // One function has most of the places in bodies, so each is shared by all cores.
    let shares = thread::available_parallelism().map_or(1, usize::from);
    let outcomes: Vec<Outcome> = thread::scope(|scope| {
        let mut asking = Vec::new();
        for function in functions {
            for share in Share::all(shares) {
                asking.push(scope.spawn(move || ask_all(document, units, share, function)));
            }
        }
        asking.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    let worst = outcomes.iter().fold(Work::default(), |worst, one| worst.max(one.worst));
    let sent: usize = outcomes.iter().map(|one| one.sent).sum();
    eprintln!("{sent} bodies, at worst {worst:.1?}");
    let mut wrong = Vec::new();
    let (mut asked, mut read) = (BTreeSet::new(), BTreeSet::new());
    for outcome in outcomes {
        wrong.extend(outcome.wrong);
        asked.extend(outcome.asked);
        read.extend(outcome.read);
    }
    wrong.extend(asked.difference(&read).map(|id| format!("{id}: none was parsed")));
    assert!(wrong.is_empty(), "readings, {MAX:?} at most:\n{}", wrong.join("\n"));
}
