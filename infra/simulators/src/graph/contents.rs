//! Every type of message except templates, as the phone shows it. Of Meta's rules, only recorded refusals are here
//! (`fixtures/whatsapp/send/response`); the others are those of `messages` in `domain`.

use serde_json::{Value, json};

use super::errors::{GraphError, require_text};
use super::{Access, list, media};
use crate::media::Kind;
use crate::outbox::{Button, Content, Reaction, Shown};
use crate::world::Sims;

pub(super) fn free_form(world: &Sims, access: &Access<'_>, message: &Value) -> Result<(Content, Shown), GraphError> {
    let name = message["type"].as_str().unwrap_or("text");
    let part = &message[name];
    if let Some(kind) = Kind::of_name(name) {
        return Ok((other_content(name, part), medium(world, access, kind, part)?));
    }
    let shown = match name {
        "text" => {
            let body = non_empty_text(&part["body"], "text.body")?;
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
    media::usable(world, access.tenant, kind, part)?;
    let caption = part["caption"].as_str().unwrap_or_default();
    Ok(Shown {
        media: Some(media::media_on_phone(world, access.tenant, kind, part)),
        ..Shown::text(caption)
    })
}

fn location(part: &Value) -> Result<Shown, GraphError> {
    if part["latitude"].is_null() || part["longitude"].is_null() {
        return Err(GraphError::missing("location.latitude or location.longitude"));
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
    Ok(Shown {
        contacts: contacts.to_vec(),
        ..Shown::default()
    })
}

fn reaction(part: &Value) -> Result<Shown, GraphError> {
    let to = non_empty_text(&part["message_id"], "reaction.message_id")?;
    let emoji = require_text(&part["emoji"], "reaction.emoji")?;
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
    let mut shown = Shown::text(body);
    header(world, access, kind, &part["header"], &mut shown)?;
    if !part["footer"].is_null() {
        shown.footer = Some(field(&part["footer"], "text")?.to_owned());
    }
    let action = &part["action"];
    match kind {
        "button" => buttons(action, &mut shown)?,
        "list" => rows(action, &mut shown)?,
        "cta_url" => {
            let title = field(&action["parameters"], "display_text")?;
            let url = field(&action["parameters"], "url")?;
            shown.buttons.push(Button {
                text: title.to_owned(),
                link: Some(url.to_owned()),
                ..Button::default()
            });
        }
        "location_request_message" => {
            shown.asks_location = true;
        }
        "flow" => {
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
    for button in buttons {
        let (id, title) = (field(&button["reply"], "id")?, field(&button["reply"], "title")?);
        if title.chars().count() > 20 {
            let details = "Button title length invalid. Min length: 1, Max length: 20";
            return Err(GraphError::new(131009, details));
        }
        shown.buttons.push(tappable(title, id, "button_reply"));
    }
    Ok(())
}

fn rows(action: &Value, shown: &mut Shown) -> Result<(), GraphError> {
    shown.menu = Some(field(action, "button")?.to_owned());
    for section in list(&action["sections"]) {
        let title = section["title"].as_str().filter(|title| !title.is_empty());
        for row in list(&section["rows"]) {
            let (id, title_of_row) = (field(row, "id")?, field(row, "title")?);
            let description = row["description"].as_str();
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
