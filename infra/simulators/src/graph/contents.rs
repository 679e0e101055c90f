//! Every type of message except templates, with the limits that Meta documents.

use serde_json::{Value, json};

use super::errors::{GraphError, require_text};
use super::{Access, list, media};
use crate::media::Kind;
use crate::outbox::{Button, Content, Reaction, Shown};
use crate::world::Sims;

const ROWS: usize = 10;

pub(super) fn free_form(world: &Sims, access: &Access<'_>, message: &Value) -> Result<(Content, Shown), GraphError> {
    let name = message["type"].as_str().unwrap_or("text");
    let part = &message[name];
    if let Some(kind) = Kind::of_name(name) {
        return Ok((other_content(name, part), medium(world, access, kind, part)?));
    }
    let shown = match name {
        "text" => {
            let body = non_empty_text(&part["body"], "text.body")?;
            at_most("text['body']", body, 4096)?;
            return Ok((Content::Body(body.to_owned()), Shown::text(body)));
        }
        "location" => location(part)?,
        "contacts" => contacts(part)?,
        "reaction" => reaction(part)?,
        "interactive" => interactive(world, access, part)?,
        _ => return Err(GraphError::new(131051, "Unsupported message type")),
    };
    Ok((other_content(name, part), shown))
}

fn other_content(kind: &str, part: &Value) -> Content {
    Content::Other(json!({"type": kind, kind: part}))
}

fn medium(world: &Sims, access: &Access<'_>, kind: Kind, part: &Value) -> Result<Shown, GraphError> {
    let name = kind.as_str();
    let allowed: &[&str] = match kind {
        Kind::Image | Kind::Video => &["id", "link", "caption"],
        Kind::Document => &["id", "link", "caption", "filename"],
        Kind::Audio => &["id", "link", "voice"],
        Kind::Sticker => &["id", "link"],
    };
    if let Some(object) = part.as_object()
        && let Some((key, _)) = object
            .iter()
            .find(|(key, value)| !value.is_null() && !allowed.contains(&key.as_str()))
    {
        let details = format!("Unexpected key \"{key}\" on param \"{name}\".");
        return Err(GraphError::new(100, details));
    }
    media::usable(world, access.tenant, kind, part)?;
    let caption = part["caption"].as_str().unwrap_or_default();
    at_most(&format!("{name}['caption']"), caption, 1024)?;
    Ok(Shown {
        media: Some(media::media_on_phone(world, access.tenant, kind, part)),
        ..Shown::text(caption)
    })
}

fn location(part: &Value) -> Result<Shown, GraphError> {
    let (Some(latitude), Some(longitude)) = (part["latitude"].as_f64(), part["longitude"].as_f64()) else {
        return Err(GraphError::missing("location.latitude or location.longitude"));
    };
    if latitude.abs() > 90.0 || longitude.abs() > 180.0 {
        return Err(GraphError::new(131009, "location is not a place on the earth"));
    }
    Ok(Shown {
        location: Some(part.clone()),
        ..Shown::default()
    })
}

fn contacts(part: &Value) -> Result<Shown, GraphError> {
    let contacts = list(part);
    if contacts.is_empty() {
        return Err(GraphError::missing("contacts"));
    }
    for (place, contact) in contacts.iter().enumerate() {
        let what = format!("contacts[{place}].name.formatted_name");
        non_empty_text(&contact["name"]["formatted_name"], &what)?;
        let parts = ["first_name", "last_name", "middle_name", "suffix", "prefix"];
        if parts.iter().all(|part| !contact["name"][part].is_string()) {
            let details = format!("contacts[{place}].name needs a part besides formatted_name, such as first_name");
            return Err(GraphError::new(131008, details));
        }
        let texts = [("phones", "phone"), ("emails", "email"), ("urls", "url")];
        for (field, value) in texts {
            if list(&contact[field]).iter().any(|one| !one[value].is_string()) {
                return Err(GraphError::missing(&format!("contacts[{place}].{field}.{value}")));
            }
        }
    }
    Ok(Shown {
        contacts: contacts.to_vec(),
        ..Shown::default()
    })
}

fn reaction(part: &Value) -> Result<Shown, GraphError> {
    let to = non_empty_text(&part["message_id"], "reaction.message_id")?;
    let emoji = require_text(&part["emoji"], "reaction.emoji")?;
    // Keycaps such as 1️⃣ begin with a digit, and some emoji are letters beyond those of writing.
    let is_emoji = !emoji
        .chars()
        .any(|c| c.is_whitespace() || (c.is_alphabetic() && c < '\u{2100}'))
        && (!emoji.is_ascii() || emoji.is_empty())
        && emoji.chars().count() <= 16;
    if !is_emoji {
        return Err(GraphError::new(131009, "reaction.emoji is not an emoji"));
    }
    let reaction = Reaction {
        to: to.to_owned(),
        emoji: Some(emoji.to_owned()).filter(|emoji| !emoji.is_empty()),
    };
    Ok(Shown {
        reaction: Some(reaction),
        ..Shown::default()
    })
}

fn interactive(world: &Sims, access: &Access<'_>, part: &Value) -> Result<Shown, GraphError> {
    let kind = require_text(&part["type"], "interactive.type")?;
    let body = non_empty_text(&part["body"]["text"], "interactive.body.text")?;
    within("Body text", body, 1024)?;
    let mut shown = Shown::text(body);
    header(world, access, kind, &part["header"], &mut shown)?;
    if !part["footer"].is_null() {
        let footer = field(&part["footer"], "text")?;
        within("Footer text", footer, 60)?;
        shown.footer = Some(footer.to_owned());
    }
    let action = &part["action"];
    match kind {
        "button" => buttons(action, &mut shown)?,
        "list" => rows(action, &mut shown)?,
        "cta_url" => {
            let title = field(&action["parameters"], "display_text")?;
            within("Button title", title, 20)?;
            let url = field(&action["parameters"], "url")?;
            if !url.starts_with("https://") && !url.starts_with("http://") {
                return Err(GraphError::new(131009, "action.parameters.url is not a valid URI"));
            }
            require_action_name(action, "cta_url")?;
            shown.buttons.push(Button {
                text: title.to_owned(),
                link: Some(url.to_owned()),
                ..Button::default()
            });
        }
        "location_request_message" => {
            require_action_name(action, "send_location")?;
            shown.asks_location = true;
        }
        "flow" => {
            require_action_name(action, "flow")?;
            let title = field(&action["parameters"], "flow_cta")?;
            shown.buttons.push(Button {
                text: title.to_owned(),
                ..Button::default()
            });
        }
        _ => {
            let details = format!("interactive.type {kind} is not supported");
            return Err(GraphError::new(131009, details));
        }
    }
    Ok(shown)
}

/// Buttons may stand under a file; everything else under a text.
fn header(world: &Sims, access: &Access<'_>, kind: &str, header: &Value, shown: &mut Shown) -> Result<(), GraphError> {
    if header.is_null() {
        return Ok(());
    }
    let format = field(header, "type")?;
    match (format, Kind::of_name(format)) {
        ("text", _) => {
            let text = field(header, "text")?;
            within("Header text", text, 60)?;
            shown.header = Some(text.to_owned());
            Ok(())
        }
        (_, Some(file @ (Kind::Image | Kind::Video | Kind::Document))) if kind == "button" => {
            let part = &header[file.as_str()];
            media::usable(world, access.tenant, file, part)?;
            shown.media = Some(media::media_on_phone(world, access.tenant, file, part));
            Ok(())
        }
        _ => {
            let details = format!("header type {format} is not allowed for interactive type {kind}");
            Err(GraphError::new(131009, details))
        }
    }
}

fn buttons(action: &Value, shown: &mut Shown) -> Result<(), GraphError> {
    let buttons = list(&action["buttons"]);
    if buttons.is_empty() || buttons.len() > 3 {
        let details = "Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3";
        return Err(GraphError::new(131009, details));
    }
    for button in buttons {
        let (id, title) = (field(&button["reply"], "id")?, field(&button["reply"], "title")?);
        within("Button title", title, 20)?;
        within("Button id", id, 256)?;
        shown.buttons.push(tappable(title, id, "button_reply"));
    }
    Ok(())
}

fn rows(action: &Value, shown: &mut Shown) -> Result<(), GraphError> {
    let label = field(action, "button")?;
    within("Button text", label, 20)?;
    shown.menu = Some(label.to_owned());
    let sections = list(&action["sections"]);
    let count: usize = sections.iter().map(|section| list(&section["rows"]).len()).sum();
    if sections.len() > 10 || count == 0 || count > ROWS {
        return Err(GraphError::new(131009, "Total row count exceed max allowed count: 10"));
    }
    for section in sections {
        let title = section["title"].as_str().filter(|title| !title.is_empty());
        if title.is_none() && sections.len() > 1 {
            return Err(GraphError::new(131009, "Each of several sections needs a title"));
        }
        within("Section title", title.unwrap_or("-"), 24)?;
        for row in list(&section["rows"]) {
            let (id, title_of_row) = (field(row, "id")?, field(row, "title")?);
            within("Row title", title_of_row, 24)?;
            within("Row id", id, 200)?;
            let description = row["description"].as_str();
            within("Row description", description.unwrap_or("-"), 72)?;
            shown.buttons.push(Button {
                description: description.map(str::to_owned),
                section: title.map(str::to_owned),
                ..tappable(title_of_row, id, "list_reply")
            });
        }
    }
    Ok(())
}

fn tappable(title: &str, id: &str, kind: &'static str) -> Button {
    Button {
        text: title.to_owned(),
        payload: Some(id.to_owned()),
        kind,
        ..Button::default()
    }
}

/// A text that is not empty.
fn non_empty_text<'a>(value: &'a Value, name: &str) -> Result<&'a str, GraphError> {
    let text = value.as_str().filter(|text| !text.is_empty());
    text.ok_or_else(|| GraphError::missing(name))
}

/// A text of an interactive message.
fn field<'a>(value: &'a Value, field: &str) -> Result<&'a str, GraphError> {
    require_text(&value[field], &format!("interactive {field}"))
}

fn at_most(what: &str, text: &str, limit: usize) -> Result<(), GraphError> {
    if text.chars().count() <= limit {
        return Ok(());
    }
    let details = format!("Param {what} must be at most {limit} characters long.");
    Err(GraphError::new(100, details))
}

fn require_action_name(action: &Value, name: &str) -> Result<(), GraphError> {
    match action["name"].as_str() {
        Some(given) if given == name => Ok(()),
        Some(_) => Err(GraphError::new(131009, format!("action.name must be {name}"))),
        None => Err(GraphError::missing("action.name")),
    }
}

fn within(what: &str, text: &str, limit: usize) -> Result<(), GraphError> {
    if (1..=limit).contains(&text.chars().count()) {
        return Ok(());
    }
    let details = format!("{what} length invalid. Min length: 1, Max length: {limit}");
    Err(GraphError::new(131009, details))
}
