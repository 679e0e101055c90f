//! `template.yaml`, as CloudFormation gets it after the SAM transform.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value;

use crate::{place::Place, process::run_captured, tools::Tools};

/// The transformed template as JSON.
pub async fn expanded(place: &Place, tools: &Tools) -> Result<Vec<u8>> {
    let mut expand = tools.sam("python");
    expand
        .arg(place.root.join("infra/stack/python/expand.py"))
        .arg(place.root.join("template.yaml"));
    run_captured(&mut expand, &[], "expanding the template").await
}

/// The environment that the expanded template gives a function in a first deploy on AWS: parameters have their defaults, and
/// names stand for what is known only after the deploy.
#[must_use]
pub fn variables(template: &Value, logical_id: &str) -> BTreeMap<String, String> {
    let variables = &template["Resources"][logical_id]["Properties"]["Environment"]["Variables"];
    let variables = variables.as_object().into_iter().flatten();
    variables
        .filter_map(|(name, given)| Some((name.clone(), value(template, name, given)?)))
        .collect()
}

fn value(template: &Value, name: &str, given: &Value) -> Option<String> {
    if let Some(branches) = given["Fn::If"].as_array() {
        // Of the local stage, the only condition of variables.
        return value(template, name, branches.get(2)?);
    }
    let referred = given["Ref"].as_str();
    if referred == Some("AWS::NoValue") {
        return None;
    }
    let known = match referred {
        Some(referred) => &template["Parameters"][referred]["Default"],
        None => given,
    };
    Some(match known {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ if name.ends_with("_URL") => format!("https://example.com/{name}"),
        _ => name.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn variables_are_those_of_a_first_deploy() {
        let template = json!({
            "Parameters": { "Stage": { "Default": "dev" }, "Seconds": { "Default": 60 }, "Origins": { "Default": "" } },
            "Resources": { "Sends": { "Properties": { "Environment": { "Variables": {
                "STAGE": { "Ref": "Stage" },
                "CLAIM_SECONDS": { "Ref": "Seconds" },
                "ORIGINS": { "Ref": "Origins" },
                "FIXED": "1",
                "TABLE_NAME": { "Ref": "Table" },
                "KEY_ID": { "Fn::GetAtt": ["Key", "Arn"] },
                "CALLS_QUEUE_URL": { "Ref": "CallsQueue" },
                "CRASH_POINTS": { "Fn::If": ["IsLocal", { "Ref": "CrashPoints" }, { "Ref": "AWS::NoValue" }] },
            } } } } },
        });
        let expected = [
            ("STAGE", "dev"),
            ("CLAIM_SECONDS", "60"),
            ("ORIGINS", ""),
            ("FIXED", "1"),
            ("TABLE_NAME", "TABLE_NAME"),
            ("KEY_ID", "KEY_ID"),
            ("CALLS_QUEUE_URL", "https://example.com/CALLS_QUEUE_URL"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(variables(&template, "Sends"), BTreeMap::from(expected));
        assert!(variables(&template, "Nothing").is_empty());
    }
}
