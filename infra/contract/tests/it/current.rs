//! The checked-in files are up to date and complete.

use std::collections::BTreeSet;

use contract::{Function, files, functions, root};

#[test]
fn checked_in_files_are_what_the_code_says() {
    for (file, text) in files().unwrap() {
        let known = std::fs::read_to_string(root().join(file)).unwrap_or_default();
        // Run `cargo run --package contract` and review the changes.
        assert!(known == text, "{file} is outdated: `cargo run --package contract`");
    }
}

#[test]
fn every_function_of_the_api_is_in_the_contract() {
    let folder = std::fs::read_dir(root().join("functions/api")).unwrap();
    let there: BTreeSet<String> = folder
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| root().join("functions/api").join(name).join("Cargo.toml").is_file())
        .collect();
    let merged: BTreeSet<String> = functions().iter().map(|function| function.name.to_owned()).collect();
    // Each is a line in [dependencies] of infra/contract/Cargo.toml.
    assert_eq!(there, merged, "left: in functions/api; right: in contract::functions()");
}

#[test]
fn no_function_describes_what_another_does() {
    let mut known = BTreeSet::new();
    for Function { name, document, .. } in functions() {
        for operation in contract::operations(&document) {
            let new = known.insert((operation.method.to_owned(), operation.path.to_owned()));
            assert!(new, "{name} describes {} {} again", operation.method, operation.path);
        }
    }
}

/// If two schemas have the same name, merging loses one. Of a type that one function receives and another only returns, the first
/// refuses further fields, and merging keeps that.
#[test]
fn no_two_functions_mean_different_things_by_one_schemas_name() {
    let mut known: std::collections::BTreeMap<String, (&str, serde_json::Value)> = std::collections::BTreeMap::new();
    let mut wrong = Vec::new();
    for Function { name, document, .. } in functions() {
        for (schema, value) in crate::members(&document["components"], "schemas") {
            let mut value = value.clone();
            let strict = value["additionalProperties"] == false;
            if let Some(value) = value.as_object_mut().filter(|_| strict) {
                value.remove("additionalProperties");
            }
            match known.get(schema) {
                Some((other, same)) if *same != value => wrong.push(format!("{schema}: {other} and {name}")),
                Some(_) => {}
                None => drop(known.insert(schema.clone(), (name, value))),
            }
        }
    }
    assert!(wrong.is_empty(), "give one another name (`schema(as = …)`): {wrong:#?}");
}
