//! Whether a template message fits the template, and what the customer sees of it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{kind, list, placeholders, text};
use crate::graph::errors::{GraphError, require_text};
use crate::graph::{Access, media};
use crate::media::Kind;
use crate::outbox::{Button, Shown};
use crate::world::Sims;

const BODY_LIMIT: usize = 1024;

/// A template message that may be sent.
#[derive(Debug)]
pub(in crate::graph) struct Filled {
    pub(in crate::graph) name: String,
    pub(in crate::graph) language: String,
    /// The category in lower case.
    pub(in crate::graph) category: String,
    /// Every text parameter, in order of components.
    pub(in crate::graph) parameters: Vec<String>,
    pub(in crate::graph) shown: Shown,
}

/// Checks the `template` object of a message against the account's templates.
pub(in crate::graph) fn fill(world: &Sims, access: &Access<'_>, message: &Value) -> Result<Filled, GraphError> {
    let name = require_text(&message["name"], "template.name")?;
    let language = require_text(&message["language"]["code"], "template.language.code")?;
    let found = {
        let state = world.state();
        let mut records = state.templates.of(&access.account.waba_id).iter();
        records
            .find(|record| record.name == name && record.language == language)
            .cloned()
    };
    let template = found.ok_or_else(|| missing(name, language))?;
    match template.status.as_str() {
        "APPROVED" => {}
        "PAUSED" => return Err(GraphError::new(132015, "Template is paused due to low quality")),
        "DISABLED" => return Err(GraphError::new(132016, "Template is disabled")),
        _ => return Err(missing(name, language)),
    }

    let given = list(&message["components"]);
    let mut filled = Filled {
        name: name.to_owned(),
        language: language.to_owned(),
        category: template.category.to_lowercase(),
        parameters: Vec::new(),
        shown: Shown::default(),
    };
    for definition in &template.components {
        match kind(definition).as_str() {
            "HEADER" => header(world, access, definition, given, &mut filled)?,
            "BODY" => {
                let words = text(definition, "/text").unwrap_or_default();
                let body = fill_text("body", words, parameters(given, "BODY"), &mut filled)?;
                if body.chars().count() > BODY_LIMIT {
                    return Err(GraphError::new(132005, "body text too long"));
                }
                filled.shown.text = body;
            }
            "FOOTER" => filled.shown.footer = text(definition, "/text").map(str::to_owned),
            "BUTTONS" => buttons(definition, given, &mut filled)?,
            _ => {}
        }
    }
    for component in given {
        let wanted = kind(component);
        let wanted = if wanted == "BUTTON" { "BUTTONS" } else { &wanted };
        if !template.components.iter().any(|definition| kind(definition) == wanted) {
            let details = format!("{}: the template has no such component", wanted.to_lowercase());
            return Err(GraphError::new(132012, details));
        }
    }
    Ok(filled)
}

fn missing(name: &str, language: &str) -> GraphError {
    GraphError::new(132001, format!("template name ({name}) does not exist in {language}"))
}

fn header(
    world: &Sims,
    access: &Access<'_>,
    definition: &Value,
    given: &[Value],
    filled: &mut Filled,
) -> Result<(), GraphError> {
    let format = text(definition, "/format").unwrap_or("TEXT").to_uppercase();
    let parameters = parameters(given, "HEADER");
    if format == "TEXT" {
        let words = text(definition, "/text").unwrap_or_default();
        filled.shown.header = Some(fill_text("header", words, parameters, filled)?);
        return Ok(());
    }
    let parameter = parameters.first().unwrap_or(&Value::Null);
    let received = match kind(parameter) {
        none if none.is_empty() => "UNKNOWN".to_owned(),
        received => received,
    };
    if received != format {
        let details = format!("header: Format mismatch, expected {format}, received {received}");
        return Err(GraphError::new(132012, details));
    }
    if format == "LOCATION" {
        let place = &parameter["location"];
        let complete = ["latitude", "longitude", "name", "address"]
            .iter()
            .all(|field| !place[field].is_null());
        if !complete {
            let details = "header: a location has latitude, longitude, name and address";
            return Err(GraphError::new(131008, details));
        }
        filled.shown.location = Some(place.clone());
    } else if let Some(kind) = Kind::of_name(&format.to_lowercase()) {
        let part = &parameter[kind.as_str()];
        media::usable(world, access.tenant, kind, part)?;
        filled.shown.media = Some(media::media_on_phone(world, access.tenant, kind, part));
    }
    Ok(())
}

fn buttons(definition: &Value, given: &[Value], filled: &mut Filled) -> Result<(), GraphError> {
    let defined = list(&definition["buttons"]);
    let given: Vec<_> = given.iter().filter(|component| kind(component) == "BUTTON").collect();
    for component in &given {
        let index = index(component);
        if index.is_none_or(|index| index >= defined.len()) {
            return Err(GraphError::new(132012, "buttons: there is no button at this index"));
        }
    }
    for (place, button) in defined.iter().enumerate() {
        let component = given.iter().find(|component| index(component) == Some(place));
        let parameter = component.and_then(|component| component.pointer("/parameters/0"));
        let kind = kind(button);
        let given_as = component.and_then(|component| text(component, "/sub_type"));
        if let Some(given_as) = given_as.filter(|given_as| !given_as.eq_ignore_ascii_case(&kind)) {
            let received = given_as.to_uppercase();
            let details = format!("buttons: Format mismatch at index {place}, expected {kind}, received {received}");
            return Err(GraphError::new(132012, details));
        }
        let label = text(button, "/text").unwrap_or_default().to_owned();
        let needed = match kind.as_str() {
            "URL" if text(button, "/url").is_some_and(|url| url.contains("{{")) => Some("text"),
            "COPY_CODE" => Some("coupon_code"),
            _ => None,
        };
        if let Some(field) = needed {
            let value = parameter.and_then(|parameter| text(parameter, &format!("/{field}")));
            let Some(value) = value.filter(|value| !value.is_empty()) else {
                let details = format!("buttons: Button at index {place} of type {kind} requires a parameter");
                return Err(GraphError::new(131008, details));
            };
            filled.parameters.push(value.to_owned());
        }
        let link = text(button, "/url").map(|url| match filled.parameters.last() {
            Some(value) if needed.is_some() => url.replace("{{1}}", value),
            _ => url.to_owned(),
        });
        let payload = (kind == "QUICK_REPLY").then(|| {
            let sent = parameter.and_then(|parameter| text(parameter, "/payload"));
            sent.unwrap_or(&label).to_owned()
        });
        filled.shown.buttons.push(Button {
            text: label,
            payload,
            link,
            ..Button::default()
        });
    }
    Ok(())
}

/// Puts the parameters into a text's placeholders.
fn fill_text(component: &str, template: &str, parameters: &[Value], filled: &mut Filled) -> Result<String, GraphError> {
    let expected: BTreeSet<&str> = placeholders(template).collect();
    if expected.len() != parameters.len() {
        let (given, expected) = (parameters.len(), expected.len());
        let details = format!(
            "{component}: number of localizable_params ({given}) does not match the expected number of params ({expected})"
        );
        return Err(GraphError::new(132000, details));
    }
    let named = expected.iter().any(|name| name.parse::<u32>().is_err());
    let mut rendered = template.to_owned();
    for (place, parameter) in parameters.iter().enumerate() {
        let name = if named {
            let name = text(parameter, "/parameter_name")
                .ok_or_else(|| GraphError::new(100, "Parameter name is missing or empty"))?;
            if !expected.contains(name) {
                let details = format!("{component}: the template has no parameter named {name}");
                return Err(GraphError::new(132012, details));
            }
            name.to_owned()
        } else {
            (place + 1).to_string()
        };
        let value = value(component, parameter)?;
        rendered = rendered.replace(&format!("{{{{{name}}}}}"), &value);
        filled.parameters.push(value);
    }
    Ok(rendered)
}

/// A parameter's text; currency and date carry a ready-made one.
fn value(component: &str, parameter: &Value) -> Result<String, GraphError> {
    let received = kind(parameter);
    if !matches!(received.as_str(), "" | "TEXT" | "CURRENCY" | "DATE_TIME") {
        let details = format!("{component}: Format mismatch, expected TEXT, received {received}");
        return Err(GraphError::new(132012, details));
    }
    let value = ["/text", "/currency/fallback_value", "/date_time/fallback_value"]
        .iter()
        .find_map(|pointer| text(parameter, pointer))
        .filter(|value| !value.is_empty())
        .ok_or_else(|| {
            let details = format!("{component}: Parameter of type text is missing text value");
            GraphError::new(131008, details)
        })?;
    if value.contains(['\n', '\r', '\t']) || value.contains("     ") {
        let details = "Param text cannot have new-line/tab characters or more than 4 consecutive spaces";
        return Err(GraphError::new(132018, details));
    }
    Ok(value.to_owned())
}

fn parameters<'a>(given: &'a [Value], component: &str) -> &'a [Value] {
    given
        .iter()
        .find(|candidate| kind(candidate) == component)
        .map_or(&[], |component| list(&component["parameters"]))
}

/// Meta writes the index as a string and takes a number too.
fn index(component: &Value) -> Option<usize> {
    let index = component.get("index")?;
    index.as_str().map_or_else(
        || index.as_u64().and_then(|index| usize::try_from(index).ok()),
        |index| index.parse().ok(),
    )
}
