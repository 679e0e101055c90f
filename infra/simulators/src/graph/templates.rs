//! Whether a template message fits the template, and what the customer sees of it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::errors::GraphError;
use crate::config::Template;
use crate::outbox::{Button, Shown};

const BODY_LIMIT: usize = 1024;

/// A template message that may be sent.
#[derive(Debug)]
pub(crate) struct Filled {
    pub(crate) name: String,
    pub(crate) language: String,
    /// Lower case.
    pub(crate) category: String,
    /// Every text parameter, in order of components.
    pub(crate) parameters: Vec<String>,
    pub(crate) shown: Shown,
}

/// Checks the `template` object of a message against the account's templates.
pub(crate) fn fill(message: &Value, templates: &[Template]) -> Result<Filled, GraphError> {
    let name = text(message, "/name").ok_or_else(|| GraphError::new(131_008, "Missing template.name"))?;
    let language =
        text(message, "/language/code").ok_or_else(|| GraphError::new(131_008, "Missing template.language.code"))?;
    let template = templates
        .iter()
        .find(|template| template.name == name && template.language == language)
        .ok_or_else(|| missing(name, language))?;
    match template.status.as_str() {
        "APPROVED" => {}
        "PAUSED" => return Err(GraphError::new(132_015, "Template is paused due to low quality")),
        "DISABLED" => return Err(GraphError::new(132_016, "Template is disabled")),
        _ => return Err(missing(name, language)),
    }

    let no_components = Vec::new();
    let given = message
        .get("components")
        .and_then(Value::as_array)
        .unwrap_or(&no_components);
    let mut filled = Filled {
        name: name.to_owned(),
        language: language.to_owned(),
        category: template.category.to_lowercase(),
        parameters: Vec::new(),
        shown: Shown::default(),
    };
    let mut parts = Vec::new();
    for definition in &template.components {
        match kind(definition).as_str() {
            "HEADER" => parts.push(header(definition, given, &mut filled)?),
            "BODY" => {
                let body = body(definition, given, &mut filled)?;
                if body.chars().count() > BODY_LIMIT {
                    return Err(GraphError::new(132_005, "body text too long"));
                }
                parts.push(body);
            }
            "FOOTER" => parts.push(text(definition, "/text").unwrap_or_default().to_owned()),
            "BUTTONS" => buttons(definition, given, &mut filled)?,
            _ => {}
        }
    }
    for component in given {
        let wanted = kind(component);
        let wanted = if wanted == "BUTTON" { "BUTTONS" } else { &wanted };
        if !template.components.iter().any(|definition| kind(definition) == wanted) {
            let details = format!("{}: the template has no such component", wanted.to_lowercase());
            return Err(GraphError::new(132_012, details));
        }
    }
    parts.retain(|part| !part.is_empty());
    filled.shown.text = parts.join("\n");
    Ok(filled)
}

fn missing(name: &str, language: &str) -> GraphError {
    GraphError::new(132_001, format!("template name ({name}) does not exist in {language}"))
}

fn header(definition: &Value, given: &[Value], filled: &mut Filled) -> Result<String, GraphError> {
    let format = text(definition, "/format").unwrap_or("TEXT").to_uppercase();
    let parameters = parameters(given, "HEADER");
    if format == "TEXT" {
        return fill_text(
            "header",
            text(definition, "/text").unwrap_or_default(),
            parameters,
            filled,
        );
    }
    let received = parameters.first().map_or("UNKNOWN".to_owned(), kind);
    if received != format {
        let details = format!("header: Format mismatch, expected {format}, received {received}");
        return Err(GraphError::new(132_012, details));
    }
    Ok(format!("[{}]", format.to_lowercase()))
}

fn body(definition: &Value, given: &[Value], filled: &mut Filled) -> Result<String, GraphError> {
    fill_text(
        "body",
        text(definition, "/text").unwrap_or_default(),
        parameters(given, "BODY"),
        filled,
    )
}

fn buttons(definition: &Value, given: &[Value], filled: &mut Filled) -> Result<(), GraphError> {
    let none = Vec::new();
    let defined = definition.get("buttons").and_then(Value::as_array).unwrap_or(&none);
    let given: Vec<_> = given.iter().filter(|component| kind(component) == "BUTTON").collect();
    for component in &given {
        let index = index(component);
        if index.is_none_or(|index| index >= defined.len()) {
            return Err(GraphError::new(132_012, "buttons: there is no button at this index"));
        }
    }
    for (place, button) in defined.iter().enumerate() {
        let component = given.iter().find(|component| index(component) == Some(place));
        let parameter = component.and_then(|component| component.pointer("/parameters/0"));
        let kind = kind(button);
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
                return Err(GraphError::new(131_008, details));
            };
            filled.parameters.push(value.to_owned());
        }
        let payload = (kind == "QUICK_REPLY").then(|| {
            let sent = parameter.and_then(|parameter| text(parameter, "/payload"));
            sent.unwrap_or(&label).to_owned()
        });
        filled.shown.buttons.push(Button {
            text: label,
            payload,
            description: None,
            kind: "button",
        });
    }
    Ok(())
}

/// Puts the parameters into a text's placeholders.
fn fill_text(component: &str, template: &str, parameters: &[Value], filled: &mut Filled) -> Result<String, GraphError> {
    let expected: BTreeSet<&str> = placeholders(template).collect();
    if expected.len() != parameters.len() {
        let details = format!(
            "{component}: number of localizable_params ({}) does not match the expected number of params ({})",
            parameters.len(),
            expected.len()
        );
        return Err(GraphError::new(132_000, details));
    }
    let named = expected.iter().any(|name| name.parse::<u32>().is_err());
    let mut rendered = template.to_owned();
    for (place, parameter) in parameters.iter().enumerate() {
        let name = if named {
            let name = text(parameter, "/parameter_name")
                .ok_or_else(|| GraphError::new(100, "Parameter name is missing or empty"))?;
            if !expected.contains(name) {
                let details = format!("{component}: the template has no parameter named {name}");
                return Err(GraphError::new(132_012, details));
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
    let value = ["/text", "/currency/fallback_value", "/date_time/fallback_value"]
        .iter()
        .find_map(|pointer| text(parameter, pointer))
        .filter(|value| !value.is_empty())
        .ok_or_else(|| {
            GraphError::new(
                131_008,
                format!("{component}: Parameter of type text is missing text value"),
            )
        })?;
    if value.contains(['\n', '\r', '\t']) || value.contains("     ") {
        let details = "Param text cannot have new-line/tab characters or more than 4 consecutive spaces";
        return Err(GraphError::new(132_018, details));
    }
    Ok(value.to_owned())
}

/// The names between `{{` and `}}`.
pub(crate) fn placeholders(template: &str) -> impl Iterator<Item = &str> {
    template
        .split("{{")
        .skip(1)
        .filter_map(|rest| rest.split_once("}}"))
        .map(|(name, _)| name.trim())
}

fn parameters<'a>(given: &'a [Value], component: &str) -> &'a [Value] {
    given
        .iter()
        .find(|candidate| kind(candidate) == component)
        .and_then(|component| component.get("parameters"))
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn kind(value: &Value) -> String {
    text(value, "/type").unwrap_or_default().to_uppercase()
}

/// Meta writes the index as a string and takes a number too.
fn index(component: &Value) -> Option<usize> {
    let index = component.get("index")?;
    index.as_str().map_or_else(
        || index.as_u64().and_then(|index| usize::try_from(index).ok()),
        |index| index.parse().ok(),
    )
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}
