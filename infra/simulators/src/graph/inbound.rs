//! A customer's message to a number of the Graph API, in the shapes of `fixtures/whatsapp/inbound`.

use serde_json::{Value, json};

use super::webhooks::webhook;
use crate::config::{Config, Tenant, WhatsAppAccount};
use crate::delivery::Webhook;
use crate::media::Kind;
use crate::outbox::{Button, Sent};
use crate::phones::{bsuid, digits};
use crate::replies::{Inbound, Said};
use crate::world::Sims;

/// The webhook of a message, and its id.
pub(crate) fn reply(
    world: &Sims,
    config: &Config,
    tenant: &Tenant,
    account: &WhatsAppAccount,
    inbound: &Inbound<'_>,
) -> (Webhook, String) {
    let Inbound {
        number,
        name,
        profile,
        said,
        reply_to,
    } = *inbound;
    let user_id = bsuid(&account.waba_id, number);
    let id = world.wamid();
    let mut contact = json!({"profile": {"name": name}, "user_id": user_id});
    let mut message = json!({
        "from_user_id": user_id,
        "id": id,
        "timestamp": world.now().as_second().to_string(),
    });
    if let Some(username) = &profile.username {
        contact["profile"]["username"] = json!(username);
    }
    if !profile.hide_phone {
        contact["wa_id"] = json!(digits(number));
        message["from"] = json!(digits(number));
    }
    let own_number = digits(&account.display_number);
    if let Some(id) = reply_to {
        message["context"] = json!({"from": own_number, "id": id});
    }
    add_content(&mut message, own_number, said);
    let value = json!({"contacts": [contact], "messages": [message]});
    (webhook(config, tenant, account, "message", "messages", value), id)
}

fn add_content(message: &mut Value, own_number: &str, said: &Said) {
    let (kind, part) = match said {
        Said::Text(text) => ("text", json!({"body": text})),
        Said::Tapped(sent, button) => return add_tap(message, own_number, sent, button),
        Said::Media(media) => {
            let mut part = json!({
                "id": media.id,
                "mime_type": media.medium.mime,
                "sha256": media.medium.sha256_base64(),
            });
            let optional = [
                ("caption", json!(media.caption)),
                ("filename", json!(media.file_name)),
                ("voice", json!(media.voice)),
                ("animated", json!((media.kind == Kind::Sticker).then_some(false))),
            ];
            for (name, value) in optional {
                if !value.is_null() {
                    part[name] = value;
                }
            }
            (media.kind.as_str(), part)
        }
        Said::Location(location) => ("location", location.clone()),
        Said::Contacts(contacts) => ("contacts", json!(contacts)),
        Said::Reaction(reaction) => {
            let mut part = json!({"message_id": reaction.to});
            if let Some(emoji) = &reaction.emoji {
                part["emoji"] = json!(emoji);
            }
            ("reaction", part)
        }
        Said::Unsupported(kind) => {
            let title = "Message type unknown";
            message["errors"] = json!([{
                "code": 131051,
                "title": title,
                "message": title,
                "error_data": {"details": "Message type is currently not supported."},
            }]);
            message["type"] = json!("unsupported");
            if let Some(kind) = kind {
                message["unsupported"] = json!({"type": kind});
            }
            return;
        }
        Said::Other(kind, part) => (kind.as_str(), part.clone()),
    };
    message["type"] = json!(kind);
    message[kind] = part;
}

/// The answer that a button of a template, a button or a row of a list gives.
fn add_tap(message: &mut Value, own_number: &str, sent: &Sent, button: &Button) {
    message["context"] = json!({"from": own_number, "id": sent.id});
    let payload = button.payload.as_deref().unwrap_or(&button.text);
    if button.kind.is_empty() {
        message["type"] = json!("button");
        message["button"] = json!({"payload": payload, "text": button.text});
        return;
    }
    message["type"] = json!("interactive");
    let mut answer = json!({"id": payload, "title": button.text});
    if let Some(description) = &button.description {
        answer["description"] = json!(description);
    }
    message["interactive"] = json!({"type": button.kind, button.kind: answer});
}
