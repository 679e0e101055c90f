//! Visibility of messages and contacts to callers. Permission to send does not include permission to read either of
//! them.

use std::borrow::Cow;

use api::Showing;
use domain::accounts::Permission;
use domain::messages::MessageState;
use domain::terms::{ConversationId, MessageId, Refusal};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use store::reports::{Exchanged, KnownMessage};

use crate::models::MessageDetails;
use crate::send::Sends;

pub(crate) fn may_read_contacts(who: &Sends) -> bool {
    who.principal().may(Permission::ContactsRead)
}

/// The reason why a message is not sent, without what is known of the person unless the caller may read it.
pub(crate) fn reason_for(who: &Sends, refusal: Refusal) -> Refusal {
    if may_read_contacts(who) {
        refusal
    } else {
        refusal.in_general()
    }
}

/// A message in the answer to a request that sent or changed it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum ChangedMessage {
    /// With everything that is known of it.
    Whole(Box<MessageDetails>),
    /// For a caller without the permission `messages:read`.
    Brief { id: MessageId, state: MessageState },
}

impl ChangedMessage {
    /// As this caller sees it.
    pub(crate) fn of(who: &Sends, known: KnownMessage, showing: &Showing) -> Self {
        match &known.message {
            Exchanged::Sent(message) if !who.principal().may(Permission::MessagesRead) => Self::Brief {
                id: message.id,
                state: message.state(),
            },
            _ => Self::Whole(Box::new(MessageDetails::of(known, showing))),
        }
    }
}

/// The schema of [`MessageDetails`]. Only the fields of [`ChangedMessage::Brief`] are always there.
impl JsonSchema for ChangedMessage {
    fn schema_name() -> Cow<'static, str> {
        "ChangedMessage".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = MessageDetails::json_schema(generator);
        let description = "A message. Without the permission `messages:read`, it has only `id` and `state`.";
        schema.insert("description".to_owned(), description.into());
        schema.insert("required".to_owned(), vec!["id", "state"].into());
        schema
    }
}

/// A conversation that a message has started, or gone on with.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StartedConversation {
    /// The conversation.
    pub(crate) conversation_id: ConversationId,
    /// The message.
    pub(crate) message: ChangedMessage,
}
