//! The rules for the text of a new or changed template, with Meta's codes.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{kind, list, placeholders, text};
use crate::graph::errors::GraphError;
use crate::media::essence;

const HEADER_CHARACTERS: usize = 60;
const BODY_CHARACTERS: usize = 1024;
const FOOTER_CHARACTERS: usize = 60;
const LABEL_CHARACTERS: usize = 25;
const BUTTONS: usize = 10;
const URL_BUTTONS: usize = 2;
const COUPON_CHARACTERS: usize = 15;
const URL_CHARACTERS: usize = 2000;
const PHONE_CHARACTERS: usize = 20;

const TOO_LONG: u32 = 2_388_040;
const HEADER: u32 = 2_388_047;
const BODY: u32 = 2_388_072;
const FOOTER: u32 = 2_388_073;
const SAMPLE_MISSING: u32 = 2_388_273;
const TOO_MANY_VARIABLES: u32 = 2_388_293;
const AT_THE_EDGE: u32 = 2_388_299;

/// A template's properties apart from its components.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    pub(super) category: &'a str,
    pub(super) named: bool,
}

fn invalid_template(text: impl Into<String>) -> GraphError {
    GraphError::template(None, "Invalid template", text)
}

fn wrong(code: u32, title: &'static str, text: impl Into<String>) -> GraphError {
    GraphError::template(Some(code), title, text)
}

fn header_wrong(text: impl Into<String>) -> GraphError {
    wrong(HEADER, "Message header format is incorrect", text)
}

fn body_wrong(text: impl Into<String>) -> GraphError {
    wrong(BODY, "Message body format is incorrect", text)
}

fn footer_wrong(text: impl Into<String>) -> GraphError {
    wrong(FOOTER, "Message footer format is incorrect", text)
}

fn sample_missing(text: impl Into<String>) -> GraphError {
    wrong(SAMPLE_MISSING, "Message template is missing an example", text)
}

fn within(what: &str, value: &str, most: usize) -> Result<(), GraphError> {
    if value.chars().count() <= most {
        return Ok(());
    }
    let text = format!("The {what} has more than {most} characters.");
    Err(wrong(TOO_LONG, "Character limit exceeded", text))
}

pub(super) fn name(name: &str) -> Result<(), GraphError> {
    if (1..=512).contains(&name.len()) && is_name(name) {
        return Ok(());
    }
    Err(invalid_template(
        "A name has 1 to 512 characters out of a-z, 0-9 and _.",
    ))
}

pub(super) fn language(code: &str) -> Result<(), GraphError> {
    let (language, region) = code.split_once('_').unwrap_or((code, "XX"));
    let good = matches!(language.len(), 2 | 3)
        && language.bytes().all(|b| b.is_ascii_lowercase())
        && matches!(region.len(), 2 | 3)
        && region.bytes().all(|b| b.is_ascii_uppercase());
    if good {
        return Ok(());
    }
    Err(invalid_template(format!("{code} is not a language of templates.")))
}

pub(super) fn category(category: &str) -> Result<(), GraphError> {
    if matches!(category, "MARKETING" | "UTILITY" | "AUTHENTICATION") {
        return Ok(());
    }
    Err(invalid_template("A category is MARKETING, UTILITY or AUTHENTICATION."))
}

/// Checks all components and returns them as Meta keeps them. `sample` tells the type of the file behind a handle.
pub(super) fn components(
    given: &[Value],
    frame: Frame<'_>,
    sample: impl Fn(&str) -> Option<String>,
) -> Result<Vec<Value>, GraphError> {
    let mut seen = BTreeSet::new();
    for component in given {
        let kind = kind(component);
        if !matches!(kind.as_str(), "HEADER" | "BODY" | "FOOTER" | "BUTTONS") {
            return Err(invalid_template(format!("There is no component of type {kind}.")));
        }
        if !seen.insert(kind.clone()) {
            return Err(invalid_template(format!(
                "There is more than one component of type {kind}."
            )));
        }
    }
    if !seen.contains("BODY") {
        return Err(body_wrong("A template has a body."));
    }
    if frame.category == "AUTHENTICATION" {
        return authentication(given);
    }
    for component in given {
        match kind(component).as_str() {
            "HEADER" => header(component, frame, &sample)?,
            "BODY" => body(component, frame)?,
            "FOOTER" => footer(component)?,
            _ => buttons(component)?,
        }
    }
    Ok(given.to_vec())
}

fn header(component: &Value, frame: Frame<'_>, sample: &impl Fn(&str) -> Option<String>) -> Result<(), GraphError> {
    let format = text(component, "/format").unwrap_or_default().to_uppercase();
    let types: &[&str] = match format.as_str() {
        "TEXT" => return text_header(component, frame),
        "LOCATION" => return Ok(()),
        "IMAGE" => &["image/jpeg", "image/jpg", "image/png"],
        "VIDEO" => &["video/mp4"],
        "DOCUMENT" => &["application/pdf"],
        _ => return Err(header_wrong("A header is TEXT, IMAGE, VIDEO, DOCUMENT or LOCATION.")),
    };
    let handle = text(component, "/example/header_handle/0").unwrap_or_default();
    match sample(handle) {
        Some(mime) if types.contains(&essence(&mime).as_str()) => Ok(()),
        _ => Err(sample_missing("The header needs an uploaded sample file.")),
    }
}

fn text_header(component: &Value, frame: Frame<'_>) -> Result<(), GraphError> {
    let value = text(component, "/text").unwrap_or_default();
    if value.trim().is_empty() || !is_line(value) {
        return Err(header_wrong("A header of type TEXT has a text of one line."));
    }
    within("header", value, HEADER_CHARACTERS)?;
    let variables = variables(value, frame).map_err(header_wrong)?;
    if variables.len() > 1 {
        return Err(header_wrong("A header has one variable at most."));
    }
    samples(component, "header_text", &variables, frame)
}

fn body(component: &Value, frame: Frame<'_>) -> Result<(), GraphError> {
    let value = text(component, "/text").unwrap_or_default();
    if value.trim().is_empty() {
        return Err(body_wrong("A body has a text."));
    }
    within("body", value, BODY_CHARACTERS)?;
    let variables = variables(value, frame).map_err(body_wrong)?;
    let trimmed = value.trim();
    if trimmed.starts_with("{{") || trimmed.ends_with("}}") {
        let text = "Variables can't be at the start or end of the template.";
        return Err(wrong(AT_THE_EDGE, "Leading or trailing params not allowed", text));
    }
    if words(value) < 2 * variables.len() + 1 && !variables.is_empty() {
        let text = "This template has too many variables for its length.";
        return Err(wrong(TOO_MANY_VARIABLES, "Parameters words ratio exceeds limit", text));
    }
    samples(component, "body_text", &variables, frame)
}

/// Words apart from variables.
pub(crate) fn words(value: &str) -> usize {
    let mut fixed = String::new();
    let mut rest = value;
    while let Some((before, variable)) = rest.split_once("{{") {
        fixed.push_str(before);
        fixed.push(' ');
        rest = variable.split_once("}}").map_or("", |(_, after)| after);
    }
    fixed.push_str(rest);
    fixed
        .split_whitespace()
        .filter(|word| word.chars().any(char::is_alphanumeric))
        .count()
}

/// The distinct variables of a text, in order of their first place.
fn variables(value: &str, frame: Frame<'_>) -> Result<Vec<String>, String> {
    if !is_closed(value) {
        return Err("A variable is written {{1}} or {{name}}.".to_owned());
    }
    let mut found: Vec<String> = Vec::new();
    for name in placeholders(value) {
        if !found.iter().any(|known| known == name) {
            found.push(name.to_owned());
        }
    }
    if frame.named {
        let good = |name: &String| name.starts_with(|c: char| c.is_ascii_lowercase()) && is_name(name);
        if !found.iter().all(good) {
            return Err("A named variable consists of a-z, 0-9 and _.".to_owned());
        }
    } else {
        let numbers: BTreeSet<String> = found.iter().cloned().collect();
        let wanted: BTreeSet<String> = (1..=found.len()).map(|number| number.to_string()).collect();
        if numbers != wanted {
            return Err("Variables are numbered from {{1}} without gaps.".to_owned());
        }
    }
    Ok(found)
}

/// A sample for each variable: `body_text` and `header_text`, or the same with `_named_params`.
fn samples(component: &Value, field: &str, variables: &[String], frame: Frame<'_>) -> Result<(), GraphError> {
    if variables.is_empty() {
        return Ok(());
    }
    let example = &component["example"];
    let complete = if frame.named {
        let given = list(&example[format!("{field}_named_params")]);
        let sampled = |name: &String| {
            given
                .iter()
                .any(|one| text(one, "/param_name") == Some(name.as_str()) && is_text(&one["example"]))
        };
        variables.iter().all(sampled)
    } else {
        let given = list(&example[field]);
        // The samples of a header stand in one list, those of a body in a list of lists.
        let given = given.first().and_then(Value::as_array).map_or(given, Vec::as_slice);
        given.len() == variables.len() && given.iter().all(is_text)
    };
    if complete {
        return Ok(());
    }
    Err(sample_missing("Each variable needs a sample."))
}

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(is_sample)
}

/// Whether it can be a value: not empty, without line breaks, and never with four spaces in a row.
pub(crate) fn is_sample(text: &str) -> bool {
    !text.trim().is_empty() && is_line(text) && !text.contains("    ")
}

/// Whether it consists of a-z, 0-9 and _.
pub(crate) fn is_name(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    text.bytes().all(good)
}

/// Whether it is one line, without tabs.
pub(crate) fn is_line(text: &str) -> bool {
    !text.contains(['\n', '\r', '\t'])
}

/// Whether every variable is closed before the next one, and nothing else is.
pub(crate) fn is_closed(value: &str) -> bool {
    let (mut plain, mut rest) = (String::new(), value);
    while let Some((before, variable)) = rest.split_once("{{") {
        let Some((name, after)) = variable.split_once("}}") else {
            return false;
        };
        if name.contains('{') {
            return false;
        }
        plain.push_str(before);
        plain.push('x');
        rest = after;
    }
    plain.push_str(rest);
    !plain.contains("}}")
}

/// Whether it is the address of a web page with a host of its own.
pub(crate) fn is_web(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
    host.is_some_and(|host| !host.is_empty() && !host.contains("{{")) && !url.contains(char::is_whitespace)
}

fn footer(component: &Value) -> Result<(), GraphError> {
    let value = text(component, "/text").unwrap_or_default();
    if value.trim().is_empty() || !is_line(value) {
        return Err(footer_wrong("A footer has a text of one line."));
    }
    if value.contains("{{") {
        return Err(footer_wrong("A footer has no variables."));
    }
    within("footer", value, FOOTER_CHARACTERS)
}

fn buttons(component: &Value) -> Result<(), GraphError> {
    let buttons = list(&component["buttons"]);
    let count = |wanted: &str| buttons.iter().filter(|button| kind(button) == wanted).count();
    if buttons.is_empty() || buttons.len() > BUTTONS {
        return Err(invalid_template(
            "A template has 1 to 10 buttons, or no component for them.",
        ));
    }
    if count("URL") > URL_BUTTONS || count("PHONE_NUMBER") > 1 || count("COPY_CODE") > 1 {
        let text = "At most two buttons open a URL, one calls, and one copies a code.";
        return Err(invalid_template(text));
    }
    let mut kinds: Vec<String> = buttons.iter().map(kind).collect();
    kinds.dedup();
    if kinds.iter().filter(|kind| *kind == "QUICK_REPLY").count() > 1 {
        return Err(invalid_template("Quick replies stand together."));
    }
    buttons.iter().try_for_each(button)
}

fn button(button: &Value) -> Result<(), GraphError> {
    let kind = kind(button);
    let label = text(button, "/text").unwrap_or_default();
    // The label of a code is Meta's own.
    if kind != "COPY_CODE" {
        if label.trim().is_empty() || label.contains("{{") || !is_line(label) {
            return Err(invalid_template("A button has a label of one line without variables."));
        }
        within("label of a button", label, LABEL_CHARACTERS)?;
    }
    match kind.as_str() {
        "QUICK_REPLY" => Ok(()),
        "URL" => url_button(button),
        "PHONE_NUMBER" => {
            let number = text(button, "/phone_number").unwrap_or_default();
            if number.len() > PHONE_CHARACTERS || crate::phones::e164(number).is_none() {
                return Err(invalid_template(
                    "The phone number of a button is a + and 7 to 15 digits.",
                ));
            }
            Ok(())
        }
        "COPY_CODE" => {
            let sample = sample(button);
            if !is_text(sample) {
                return Err(sample_missing("The code of a button needs a sample."));
            }
            let code = sample.as_str().unwrap_or_default();
            within("code of a button", code, COUPON_CHARACTERS)
        }
        "FLOW" if button["flow_id"].is_string() || button["flow_name"].is_string() => Ok(()),
        "FLOW" => Err(invalid_template("A button of type FLOW has a flow_id or a flow_name.")),
        _ => Err(invalid_template(format!("There is no button of type {kind}."))),
    }
}

/// The first sample of a button's, or the only one.
fn sample(button: &Value) -> &Value {
    let sample = &button["example"];
    sample.get(0).unwrap_or(sample)
}

fn url_button(button: &Value) -> Result<(), GraphError> {
    let url = text(button, "/url").unwrap_or_default();
    within("URL of a button", url, URL_CHARACTERS)?;
    let good = is_web(url);
    let variables: Vec<&str> = placeholders(url).collect();
    let at_end = url.strip_suffix("{{1}}").is_some_and(|before| !before.contains("{{"));
    if !good || (!variables.is_empty() && !at_end) || (variables.is_empty() && url.contains("{{")) {
        let text = "The URL of a button is absolute, with at most one variable, {{1}}, at its end.";
        return Err(invalid_template(text));
    }
    if at_end && !is_text(sample(button)) {
        return Err(sample_missing("The variable of a URL needs a sample."));
    }
    Ok(())
}

/// A template for codes: its words are Meta's own.
fn authentication(given: &[Value]) -> Result<Vec<Value>, GraphError> {
    let find = |wanted: &str| given.iter().find(|component| kind(component) == wanted);
    if find("HEADER").is_some() {
        return Err(header_wrong("A template for codes has no header."));
    }
    let body = find("BODY").unwrap_or(&Value::Null);
    if body.get("text").is_some() {
        return Err(body_wrong("The text of a template for codes is Meta's own."));
    }
    let secure = body["add_security_recommendation"].as_bool().unwrap_or_default();
    let warning = if secure {
        " For your security, do not share this code."
    } else {
        ""
    };
    let mut kept = vec![json!({
        "type": "BODY",
        "text": format!("*{{{{1}}}}* is your verification code.{warning}"),
        "add_security_recommendation": secure,
        "example": {"body_text": [["123456"]]},
    })];
    if let Some(footer) = find("FOOTER") {
        let minutes = footer["code_expiration_minutes"].as_u64();
        let minutes = minutes.filter(|minutes| (1..=90).contains(minutes));
        let minutes = minutes.ok_or_else(|| footer_wrong("A code expires in 1 to 90 minutes."))?;
        kept.push(json!({
            "type": "FOOTER",
            "text": format!("This code expires in {minutes} minutes."),
            "code_expiration_minutes": minutes,
        }));
    }
    let buttons = find("BUTTONS")
        .map(|component| list(&component["buttons"]))
        .unwrap_or_default();
    let [button] = buttons else {
        return Err(invalid_template("A template for codes has one button."));
    };
    let way = text(button, "/otp_type").unwrap_or_default().to_uppercase();
    if kind(button) != "OTP" || !matches!(way.as_str(), "COPY_CODE" | "ONE_TAP" | "ZERO_TAP") {
        return Err(invalid_template("The button of a template for codes is of type OTP."));
    }
    let label = text(button, "/text").unwrap_or("Copy code");
    if label.trim().is_empty() || !is_line(label) {
        return Err(invalid_template("A button has a label of one line."));
    }
    within("label of a button", label, LABEL_CHARACTERS)?;
    let url = format!("https://www.whatsapp.com/otp/code/?otp_type={way}&code=otp{{{{1}}}}");
    kept.push(json!({"type": "BUTTONS", "buttons": [{
        "type": "URL", "text": label, "url": url,
        "example": ["https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp123456"],
    }]}));
    Ok(kept)
}
