//! The message that a content makes, as the phone shows it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::rules::richest;
use super::{Record, TwilioError};
use crate::graph::placeholders;
use crate::outbox::{Button, Content, Shown, ShownMedia};

/// Characters of a template after it is filled.
const TEMPLATE_CHARACTERS: usize = 1024;

/// A message before its window is looked at.
#[derive(Debug)]
pub(in crate::twilio) struct Composed {
    pub(in crate::twilio) content: Content,
    pub(in crate::twilio) shown: Shown,
    /// The category in lower case.
    pub(in crate::twilio) category: String,
    /// It may be sent without an open window.
    pub(in crate::twilio) template: bool,
    /// It fails with this code, whether the window is open or not.
    pub(in crate::twilio) fails: Option<u32>,
    /// It fails with this code unless the window is open.
    pub(in crate::twilio) fails_outside: Option<u32>,
    /// The file that Twilio fetches.
    pub(in crate::twilio) fetches: Option<String>,
}

impl Composed {
    pub(in crate::twilio) fn of(content: Content, shown: Shown) -> Self {
        let template = matches!(content, Content::Template { .. });
        Self {
            content,
            shown,
            category: if template { "utility" } else { "service" }.to_owned(),
            template,
            fails: None,
            fails_outside: None,
            fetches: None,
        }
    }
}

pub(super) fn compose(
    record: &Record,
    status: Option<&str>,
    given: &BTreeMap<String, String>,
    whatsapp: bool,
) -> Result<Composed, TwilioError> {
    let kind = if whatsapp {
        richest(&record.types)
    } else {
        "twilio/text"
    };
    let Some(content) = record.types.get(kind) else {
        return Err(TwilioError::new(21655));
    };
    let (mut missing, mut parameters) = (false, BTreeMap::new());
    for name in placeholders(&content.to_string()) {
        match given.get(name).or_else(|| record.variables.get(name)) {
            Some(value) => drop(parameters.insert(name.to_owned(), value.clone())),
            None => missing = true,
        }
    }
    let fill = |value: &Value| {
        let text = value.as_str().unwrap_or_default().to_owned();
        parameters.iter().fold(text, |text, (name, value)| {
            text.replace(&format!("{{{{{name}}}}}"), value)
        })
    };
    let shown = render_content(kind, content, &fill);
    let long = whatsapp && shown.text.chars().count() > TEMPLATE_CHARACTERS;
    let mut values = given.values();
    let broken = values.any(|value| value.contains('\n') || value.contains("    "));
    let message = Content::Template {
        name: record.sid.clone(),
        language: record.language.clone(),
        parameters: values_in_order(&parameters),
    };
    let approval = record.approval.as_ref();
    Ok(Composed {
        category: approval.map_or_else(|| "service".to_owned(), |approval| approval.category.to_lowercase()),
        template: status == Some("approved"),
        fails: if missing { Some(63028) } else { long.then_some(63021) },
        fails_outside: match status {
            Some("rejected") => Some(63040),
            Some("paused") => Some(63041),
            Some("disabled") => Some(63042),
            _ => broken.then_some(63013),
        },
        ..Composed::of(message, shown)
    })
}

fn render_content(kind: &str, content: &Value, fill: &impl Fn(&Value) -> String) -> Shown {
    let optional = |value: &Value| (!value.is_null()).then(|| fill(value));
    let mut shown = Shown {
        header: optional(&content["header_text"]),
        footer: optional(&content["footer"]),
        menu: optional(&content["button"]),
        ..Shown::text(fill(&content["body"]))
    };
    if kind == "whatsapp/authentication" {
        let warning = if content["add_security_recommendation"] == true {
            " For your security, do not share this code."
        } else {
            ""
        };
        shown.text = format!("{} is your verification code.{warning}", shown.text);
        shown.footer = content["code_expiration_minutes"]
            .as_u64()
            .map(|minutes| format!("This code expires in {minutes} minutes."));
    }
    if let Some(url) = content["media"].get(0) {
        shown.media = Some(ShownMedia {
            kind: "document",
            url: fill(url),
            ..ShownMedia::default()
        });
    }
    for action in content["actions"].as_array().into_iter().flatten() {
        let title = if action["title"].is_null() {
            &action["copy_code_text"]
        } else {
            &action["title"]
        };
        // Quick replies are written with and without their type.
        let reply = matches!(action["type"].as_str(), None | Some("QUICK_REPLY"));
        shown.buttons.push(Button {
            text: fill(title),
            payload: reply.then(|| fill(&action["id"])),
            link: optional(&action["url"]),
            ..Button::default()
        });
    }
    for item in content["items"].as_array().into_iter().flatten() {
        shown.buttons.push(Button {
            text: fill(&item["item"]),
            payload: Some(fill(&item["id"])),
            description: optional(&item["description"]),
            kind: "list_reply",
            ..Button::default()
        });
    }
    shown
}

/// The values, in the order of their names as numbers.
fn values_in_order(parameters: &BTreeMap<String, String>) -> Vec<String> {
    let mut sorted: Vec<_> = parameters.iter().collect();
    sorted.sort_by_key(|(name, _)| name.parse::<u32>().unwrap_or(u32::MAX));
    sorted.into_iter().map(|(_, value)| value.clone()).collect()
}

/// A message of an account without contents: any id counts as an approved template.
pub(in crate::twilio) fn unknown(sid: &str, given: &BTreeMap<String, String>) -> Composed {
    let values = values_in_order(given);
    let shown = Shown::text(format!("[{sid}] {}", values.join(" · ")));
    let content = Content::Template {
        name: sid.to_owned(),
        language: String::new(),
        parameters: values,
    };
    Composed::of(content, shown)
}

/// A place: `geo:`, its latitude and longitude, and perhaps an address behind a bar. The text is its name. None: it is no place.
pub(in crate::twilio) fn with_place(action: &str, text: &str) -> Option<Composed> {
    let place = action.strip_prefix("geo:")?;
    let (point, address) = place.split_once('|').unwrap_or((place, ""));
    let (latitude, longitude) = point.split_once(',')?;
    let (latitude, longitude): (f64, f64) = (latitude.parse().ok()?, longitude.parse().ok()?);
    if !(-90.0..=90.0).contains(&latitude) || !(-180.0..=180.0).contains(&longitude) {
        return None;
    }
    let mut location = json!({"latitude": latitude, "longitude": longitude, "name": text});
    if !address.is_empty() {
        location["address"] = json!(address);
    }
    let content = Content::Other(json!({"type": "location", "location": location, "body": text}));
    let shown = Shown {
        location: Some(location),
        ..Shown::default()
    };
    Some(Composed::of(content, shown))
}

/// A message with the file behind a URL.
pub(in crate::twilio) fn with_file(url: &str, text: &str) -> Composed {
    let content = Content::Other(json!({"type": "media", "media": {"url": url}, "body": text}));
    Composed {
        fetches: Some(url.to_owned()),
        ..Composed::of(content, Shown::text(text))
    }
}
