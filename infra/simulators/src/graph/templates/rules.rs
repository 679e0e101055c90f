//! Components of a new or changed template as Meta keeps them, and those refusals of their text that are recorded
//! (`fixtures/whatsapp/templates`, `fixtures/whatsapp/upload`). The rules for texts are in `lint` of `domain`, which refuses a draft
//! before it is submitted.

use serde_json::{Value, json};

use super::{kind, list, text};
use crate::graph::errors::GraphError;

/// A recorded refusal of a component.
struct Refusal {
    subcode: u32,
    title: &'static str,
    text: &'static str,
    /// Whether it is the answer to this component, whose sample file is known or not.
    applies: fn(&Value, bool) -> bool,
}

const RECORDED: [Refusal; 2] = [
    Refusal {
        subcode: 2_388_299,
        title: "Leading or trailing params not allowed",
        text: "Variables can't be at the start or end of the template.",
        applies: |component, _| {
            let body = text(component, "/text").unwrap_or_default().trim();
            kind(component) == "BODY" && (body.starts_with("{{") || body.ends_with("}}"))
        },
    },
    Refusal {
        subcode: 2_388_273,
        title: "Message template is missing an example",
        text: "The header needs an uploaded sample file.",
        applies: |component, has_sample| {
            let format = text(component, "/format").unwrap_or_default().to_uppercase();
            matches!(format.as_str(), "IMAGE" | "VIDEO" | "DOCUMENT") && !has_sample
        },
    },
];

pub(super) fn category(category: &str) -> Result<(), GraphError> {
    if matches!(category, "MARKETING" | "UTILITY" | "AUTHENTICATION") {
        return Ok(());
    }
    Err(GraphError::new(
        100,
        "A category is MARKETING, UTILITY or AUTHENTICATION.",
    ))
}

/// The components as Meta keeps them, unless one gets a recorded refusal. `is_sample`: whether a file was uploaded under a handle.
pub(super) fn components(
    given: &[Value],
    category: &str,
    is_sample: impl Fn(&str) -> bool,
) -> Result<Vec<Value>, GraphError> {
    for component in given {
        let has_sample = text(component, "/example/header_handle/0").is_some_and(&is_sample);
        if let Some(refusal) = RECORDED.iter().find(|refusal| (refusal.applies)(component, has_sample)) {
            return Err(GraphError::template(refusal.subcode, refusal.title, refusal.text));
        }
    }
    if category == "AUTHENTICATION" {
        return Ok(authentication(given));
    }
    Ok(given.to_vec())
}

/// A template for codes: its words are Meta's own.
fn authentication(given: &[Value]) -> Vec<Value> {
    let find = |wanted: &str| given.iter().find(|component| kind(component) == wanted);
    let body = find("BODY").unwrap_or(&Value::Null);
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
        let minutes = &footer["code_expiration_minutes"];
        kept.push(json!({
            "type": "FOOTER",
            "text": format!("This code expires in {minutes} minutes."),
            "code_expiration_minutes": minutes,
        }));
    }
    let button = find("BUTTONS").and_then(|component| list(&component["buttons"]).first());
    let button = button.unwrap_or(&Value::Null);
    let way = text(button, "/otp_type").unwrap_or_default().to_uppercase();
    let label = text(button, "/text").unwrap_or("Copy code");
    let url = format!("https://www.whatsapp.com/otp/code/?otp_type={way}&code=otp{{{{1}}}}");
    kept.push(json!({"type": "BUTTONS", "buttons": [{
        "type": "URL", "text": label, "url": url,
        "example": ["https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp123456"],
    }]}));
    kept
}
