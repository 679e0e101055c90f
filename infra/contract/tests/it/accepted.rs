//! Requests as the document shows them are accepted.

use std::collections::BTreeMap;

use contract::{Function, Operation, document, functions, operations};
use domain::accounts::Role;
use serde_json::Value;
use testkit::api::{PASSWORD, Town, env_of_all};
use testkit::{Aws, Call};

use crate::{bodies, members};

/// The password in the document's examples. Users of a [`Town`] have another.
const SHOWN: &str = "seven quiet lanterns";

/// Operations that need a value of the moment, such as an authenticator app's code.
const OF_THE_MOMENT: &[&str] = &["confirm_second_factor"];

/// The bodies that the document shows, by kind.
fn example_bodies(operation: &Operation<'_>) -> Vec<(String, Value, String)> {
    let mut all = Vec::new();
    for (content_type, media) in bodies(operation) {
        for (name, example) in members(media, "examples") {
            all.push((name.clone(), example["value"].clone(), content_type.clone()));
        }
        if !media["example"].is_null() {
            all.push((String::new(), media["example"].clone(), content_type.clone()));
        }
    }
    all
}

/// The operation's path with an existing id, of the same kind if there are several.
fn path(town: &Town<'_>, operation: &Operation<'_>, kind: &str, made: &BTreeMap<(String, String), String>) -> String {
    let mut path = operation.path.to_owned();
    let parameters: Vec<_> = operation.parameters().collect();
    for name in parameters.into_iter().rev() {
        let parameter = format!("/{{{name}}}");
        let (list, rest) = path.split_once(&parameter).expect("the path has it");
        let of = |kind: &str| made.get(&(list.to_owned(), kind.to_owned()));
        let any = || {
            made.iter()
                .find(|((known, _), _)| known == list)
                .map(|(_, place)| place)
        };
        if let Some(place) = of(kind).or_else(any) {
            return format!("{place}{rest}");
        }
        path = format!("{list}/{}{rest}", town.home.person(Role::Viewer).user);
    }
    path
}

#[tokio::test]
async fn every_example_is_a_request_that_is_taken() {
    let document = document();
    let mut wrong = Vec::new();
    for Function {
        name,
        document: own,
        routes,
    } in functions()
    {
        let aws = Aws::new().await;
        let town = Town::with_env(&aws, &env_of_all(&aws).await, routes).await;
        if name == "templates" {
            town.connect_whatsapp().await;
        }
        let ids: Vec<_> = operations(&own).map(|operation| operation.id().to_owned()).collect();
        let mut made = BTreeMap::new();
        let mut all: Vec<_> = operations(&document)
            .filter(|operation| ids.iter().any(|id| id == operation.id()))
            .collect();
        // It ends the caller's session.
        all.sort_by_key(|operation| operation.id() == "change_password");
        for operation in all {
            for (kind, body, content_type) in example_bodies(&operation) {
                let call = Call::new(&operation.method.to_uppercase(), &path(&town, &operation, &kind, &made));
                let body = body.to_string().replace(SHOWN, PASSWORD);
                let call = call.header("content-type", &content_type).body(&body);
                let answer = town.who_may(operation.permission()).call(call).await;
                let place = answer.header("location").to_owned();
                if !place.is_empty() {
                    made.insert((operation.path.to_owned(), kind.clone()), place);
                }
                let fine = match answer.status() {
                    200..300 | 401 | 404 | 409 => true,
                    422 => OF_THE_MOMENT.contains(&operation.id()) && answer.json()["errors"][0]["field"] == "code",
                    _ => false,
                };
                // Who is let in by the guard is told about the body; the others prove themselves by it.
                if !fine || (answer.status() == 401 && operation.permission() != "public") {
                    wrong.push(format!("{} {kind}: {body}\n  {}", operation.id(), answer.text()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
