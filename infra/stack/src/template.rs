//! `template.yaml`, as CloudFormation gets it after the SAM transform.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::place::Place;
use crate::process::run_captured;
use crate::tools::Tools;

/// The transformed template as JSON.
pub async fn expand_template(place: &Place, tools: &Tools) -> Result<Vec<u8>> {
    let mut expand = tools.sam("python");
    expand
        .arg(place.root.join("infra/stack/python/expand.py"))
        .arg(place.root.join("template.yaml"));
    run_captured(&mut expand, &[], "expanding the template").await
}

/// Sizes of the expanded template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    resources: usize,
    routes: usize,
    bytes: usize,
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (resources, routes, bytes) = (self.resources, self.routes, self.bytes);
        let sizes = format!("{resources} resources, {routes} routes, {bytes} bytes");
        write!(f, "the template expands to {sizes}")
    }
}

impl Sizes {
    /// Below CloudFormation's 500 resources and 1 MB, and API Gateway's 300 routes: what lies above takes days to rebuild.
    const MAX: Self = Self {
        resources: 480,
        routes: 270,
        bytes: 900_000,
    };

    pub fn of(expanded: &[u8]) -> Result<Self> {
        let template: Value = serde_json::from_slice(expanded).context("reading the expanded template")?;
        let resources = template["Resources"].as_object().context("a template has resources")?;
        let bodies = resources.values().map(|resource| &resource["Properties"]["Body"]);
        let paths = bodies.filter_map(|body| body["paths"].as_object());
        let methods = paths.flat_map(|paths| paths.values()).filter_map(Value::as_object);
        Ok(Self {
            resources: resources.len(),
            routes: methods.map(serde_json::Map::len).sum(),
            bytes: template.to_string().len(),
        })
    }

    /// Whether there is room left.
    pub fn check(self) -> Result<()> {
        for (what, size, most) in [
            ("resources", self.resources, Self::MAX.resources),
            ("routes", self.routes, Self::MAX.routes),
            ("bytes", self.bytes, Self::MAX.bytes),
        ] {
            ensure!(
                size <= most,
                "the expanded template has {size} {what}, of at most {most}. Give one function more paths of its resource, use one \
                 `{{proxy+}}` route instead of several, or share what SAM makes for each event (permissions, roles of schedules); \
                 if nothing is left to share, move a room into a nested stack"
            );
        }
        Ok(())
    }
}

/// The environment that the expanded template gives a function in a first deploy on AWS: parameters have their defaults, and
/// names stand for what is known only after the deploy.
pub fn variables(template: &Value, logical_id: &str) -> BTreeMap<String, String> {
    let variables = &template["Resources"][logical_id]["Properties"]["Environment"]["Variables"];
    let variables = variables.as_object().into_iter().flatten();
    variables
        .filter_map(|(name, given)| Some((name.clone(), value(template, name, given)?)))
        .collect()
}

fn value(template: &Value, name: &str, given: &Value) -> Option<String> {
    if let Some(branches) = given["Fn::If"].as_array() {
        // Conditions of variables are the local stage, and parameters that are empty unless they are given.
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
    fn a_template_without_room_is_refused() {
        let template = json!({ "Resources": {
            "Table": { "Type": "AWS::DynamoDB::Table" },
            "Api": { "Properties": { "Body": { "paths": { "/a": { "get": {}, "post": {} }, "/b": { "get": {} } } } } },
        } });
        let sizes = Sizes::of(template.to_string().as_bytes()).unwrap();
        assert_eq!((sizes.resources, sizes.routes), (2, 3));
        sizes.check().unwrap();
        Sizes::MAX.check().unwrap();
        let full = Sizes {
            resources: 481,
            ..Sizes::MAX
        };
        let refused = full.check().unwrap_err().to_string();
        assert!(refused.contains("has 481 resources, of at most 480"), "{refused}");
    }
}
