//! Bodies of events: their type, time and data in JSON.

use domain::Timestamp;
use domain::live::{Event, EventData, EventType};
use domain::people::Person;
use domain::terms::{ConversationId, cut_to_bytes};
use serde::Serialize;
use store::webhooks::EventContents;

use crate::callbacks::CallbackOut;

/// Maximum bytes of a body. Standard Webhooks recommend less than 20 KB.
const MAX_BODY: usize = 20_000;

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: EventType,
    timestamp: Timestamp,
    data: Data<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback: Option<&'a CallbackOut>,
}

#[derive(Serialize)]
struct Data<'a> {
    #[serde(flatten)]
    facts: &'a EventData,
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation_id: Option<ConversationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    #[serde(flatten)]
    content: Option<Content<'a>>,
}

/// Members of events with content. Those of a contact that was deleted are null.
#[derive(Serialize)]
struct Content<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<Option<ContactContent<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Option<String>>,
    /// Whether the text is only the beginning of the message's.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
}

#[derive(Serialize)]
struct ContactContent<'a> {
    phone: Option<&'a str>,
    name: Option<&'a str>,
    language: Option<&'a str>,
}

impl<'a> ContactContent<'a> {
    fn of(person: &'a Person) -> Self {
        Self {
            phone: person.contact.phones.first().map(|phone| phone.as_str()),
            name: person.profile.name.as_deref(),
            language: person.contact.language.as_deref(),
        }
    }
}

/// The body of an event, with its content and its callback if there are any. Its bytes are signed.
pub(crate) fn event_body(event: &Event, contents: Option<&EventContents>, callback: Option<&CallbackOut>) -> Vec<u8> {
    let content = contents.map(|contents| Content {
        contact: event
            .data
            .contact_id
            .map(|_| contents.person(&event.data).map(ContactContent::of)),
        text: event
            .data
            .message_id
            .map(|_| contents.text(&event.data).map(str::to_owned)),
        truncated: false,
    });
    let mut body = Body {
        kind: event.kind,
        timestamp: event.at,
        data: Data {
            facts: &event.data,
            conversation_id: event.conversation_id,
            seq: event.seq,
            content,
        },
        callback,
    };
    loop {
        // All of it has a form in JSON.
        let bytes = serde_json::to_vec(&body).unwrap_or_default();
        if bytes.len() < MAX_BODY {
            return bytes;
        }
        let Some(content) = &mut body.data.content else {
            return bytes;
        };
        let Some(text) = content.text.take().flatten() else {
            return bytes;
        };
        let most = text.len() / 4 * 3;
        content.text = Some(Some(cut_to_bytes(text, most).0));
        content.truncated = true;
    }
}
