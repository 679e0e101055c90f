//! Events: what a change of a row means to people and software that follow a tenant. They name things by their ids, with facts that name
//! nobody, and hold nothing of what people say: whoever may see it reads it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::accounts::Permission;
use crate::calls::{Call, Received};
use crate::inbox::{Conversation, Wrote};
use crate::messages::{Message, MessageState};
use crate::money::Price;
use crate::notices::Notice;
use crate::people::{
    Choice, ConsentCategory, ConsentEntry, Contact, Conversion, ConversionKind, FulfilmentState, Order, OrderNumber,
    PaymentState,
};
use crate::telephony::Outcome;
use crate::templates::{TemplateDefinition, TemplateId};
use crate::tenants::Connection;
use crate::terms::{
    CallId, CampaignId, Channel, ConnectionId, ContactId, ConversationId, ConversionId, EventId, LineId, MessageId,
    NoteId, Operation, OperationId, OperationKind, OrderId, TeamId, UserId,
};

/// Type of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "LiveEventType"))]
pub enum EventType {
    /// A customer wrote. `data`: `message_id`, `contact_id`.
    #[serde(rename = "message.received")]
    MessageReceived,
    /// A provider accepted a message. `data`: `message_id`, `contact_id`, `state`.
    #[serde(rename = "message.sent")]
    MessageSent,
    /// A message was planned, or its state changed otherwise. `data`: `message_id`, `contact_id`, `state`, and `code` of a provider's
    /// refusal.
    #[serde(rename = "message.status")]
    MessageStatus,
    /// A call was decided, or decided again. `data`: `call_id`, `contact_id`, `outcome`, `reason`.
    #[serde(rename = "call.decided")]
    CallDecided,
    /// A conversation began or changed, or was read. `data`: `contact_id`.
    #[serde(rename = "conversation.changed")]
    ConversationChanged,
    /// Somebody wrote a note. `data`: `note_id`, `contact_id`.
    #[serde(rename = "note.created")]
    NoteCreated,
    /// A contact is new, or its data or consent changed. `data`: `contact_id`, and `created` of a new one.
    #[serde(rename = "contact.changed")]
    ContactChanged,
    /// Somebody refuses messages, agrees to them, or takes a refusal back. `data`: `contact_id`, `choice`, `channel`, `category`.
    #[serde(rename = "consent.changed")]
    ConsentChanged,
    /// A conversion was recorded, such as an order. `data`: `conversion_id`, `contact_id`, `what`, `value`.
    #[serde(rename = "conversion.recorded")]
    ConversionRecorded,
    /// An order is new, or changed. `data`: `order_id`, `contact_id`, `number`, `payment`, `fulfilment`, and `created` of a new one.
    #[serde(rename = "order.changed")]
    OrderChanged,
    /// A template is new, or changed. `data`: `template_id`.
    #[serde(rename = "template.changed")]
    TemplateChanged,
    /// A provider refuses a connection. `data`: `connection_id`.
    #[serde(rename = "connection.refused")]
    ConnectionRefused,
    /// An operation other than a campaign's began, progressed or ended. `data`: `operation_id`.
    #[serde(rename = "operation.progress")]
    OperationProgress,
    /// A campaign is new, or changed, or more of its messages were made. `data`: `campaign_id`, and then `operation_id`.
    #[serde(rename = "campaign.progress")]
    CampaignProgress,
}

impl EventType {
    pub const ALL: [Self; 14] = [
        Self::MessageReceived,
        Self::MessageSent,
        Self::MessageStatus,
        Self::CallDecided,
        Self::ConversationChanged,
        Self::NoteCreated,
        Self::ContactChanged,
        Self::ConsentChanged,
        Self::ConversionRecorded,
        Self::OrderChanged,
        Self::TemplateChanged,
        Self::ConnectionRefused,
        Self::OperationProgress,
        Self::CampaignProgress,
    ];

    /// The permission to read the subject of the event. Nobody gets it without.
    pub const fn permission(self) -> Permission {
        match self {
            Self::MessageReceived | Self::MessageSent | Self::MessageStatus => Permission::MessagesRead,
            Self::CallDecided => Permission::CallsRead,
            Self::ConversationChanged => Permission::ConversationsRead,
            Self::NoteCreated | Self::ContactChanged | Self::ConsentChanged | Self::ConversionRecorded => {
                Permission::ContactsRead
            }
            Self::OrderChanged => Permission::OrdersRead,
            Self::TemplateChanged => Permission::TemplatesRead,
            Self::ConnectionRefused => Permission::ConnectionsRead,
            Self::OperationProgress => Permission::OperationsRead,
            Self::CampaignProgress => Permission::CampaignsRead,
        }
    }
}

/// Subjects of the event, and facts that name nobody. Members that its type does not have are missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "LiveEventData"))]
pub struct EventData {
    /// Id of the contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_id: Option<ContactId>,
    /// Id of the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// State of the message after the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<MessageState>,
    /// The provider's code of the error that the message failed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = 131_026))]
    pub code: Option<i64>,
    /// Id of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_id: Option<CallId>,
    /// Outcome of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Why a message follows the call, or why none does: the call's `reason`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = &"planned"))]
    pub reason: Option<String>,
    /// Whether the contact or order is new. Missing: it is not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub created: bool,
    /// The person's wish.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<Choice>,
    /// Channel of the wish. Missing: all channels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// Category of the wish. Missing: all categories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<ConsentCategory>,
    /// Id of the conversion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversion_id: Option<ConversionId>,
    /// Kind of the conversion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<ConversionKind>,
    /// Value of the conversion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Price>,
    /// Id of the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    /// The number that the shop shows to the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = "1042"))]
    pub number: Option<OrderNumber>,
    /// State of the order's payment after the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<PaymentState>,
    /// State of the order's fulfilment after the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fulfilment: Option<FulfilmentState>,
    /// Id of the note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note_id: Option<NoteId>,
    /// Id of the template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_id: Option<TemplateId>,
    /// Id of the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_id: Option<ConnectionId>,
    /// Id of the operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<OperationId>,
    /// Id of the campaign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign_id: Option<CampaignId>,
}

impl EventData {
    fn about(contact: ContactId) -> Self {
        Self {
            contact_id: Some(contact),
            ..Self::default()
        }
    }
}

/// The meaning of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    pub kind: EventType,
    /// Conversation of the event. It need not exist.
    pub conversation: Option<ConversationId>,
    /// The number of the conversation's happenings after it.
    pub seq: Option<u64>,
    pub data: EventData,
    /// People and teams of the conversation that changed.
    pub attended: Attended,
    /// The customer's message that made the conversation change.
    pub wrote: Option<Wrote>,
}

/// The people and teams that attended to a conversation before a change and after it. Empty: it was no change of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attended {
    people: BTreeSet<Option<UserId>>,
    teams: BTreeSet<TeamId>,
}

impl Attended {
    /// The assignees and teams of the conversation before and after.
    pub fn of(before: Option<&Conversation>, after: &Conversation) -> Self {
        let both = || before.into_iter().chain([after]);
        Self {
            people: both().map(|conversation| conversation.assignee).collect(),
            teams: both().filter_map(|conversation| conversation.team).collect(),
        }
    }

    /// Adds the assignees and teams of an earlier change.
    pub fn add(&mut self, earlier: Self) {
        self.people.extend(earlier.people);
        self.teams.extend(earlier.teams);
    }

    /// Whether this person, or nobody, attended to it.
    pub fn is_of(&self, person: Option<UserId>) -> bool {
        self.people.contains(&person)
    }

    /// Whether it was this team's.
    pub fn is_of_team(&self, team: TeamId) -> bool {
        self.teams.contains(&team)
    }
}

/// An event, with the data that decides who gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub event: Event,
    /// People and teams of the conversation that changed.
    pub attended: Attended,
    /// The customer's message that made the conversation change.
    pub wrote: Option<Wrote>,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "LiveEvent"))]
pub struct Event {
    /// Id. An event that is delivered again has the same.
    pub id: EventId,
    /// Type. Further ones may be added.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// Time of the change, to the second.
    #[cfg_attr(feature = "schema", schemars(example = "2026-11-20T10:00:00Z"))]
    pub at: Timestamp,
    /// Id of the conversation of an event about a call, a message or a conversation. Automatic messages and campaigns begin no
    /// conversation, so there may be none with this id.
    #[serde(default)]
    pub conversation_id: Option<ConversationId>,
    /// `seq` of the conversation, of `conversation.changed`.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(example = 2))]
    pub seq: Option<u64>,
    /// The subjects.
    pub data: EventData,
}

impl EventType {
    /// Whether a later event of this type about the same object says all that an earlier one says.
    const fn is_replaced(self) -> bool {
        match self {
            Self::ConversationChanged
            | Self::ContactChanged
            | Self::OrderChanged
            | Self::TemplateChanged
            | Self::OperationProgress
            | Self::CampaignProgress => true,
            Self::MessageReceived
            | Self::MessageSent
            | Self::MessageStatus
            | Self::CallDecided
            | Self::NoteCreated
            | Self::ConsentChanged
            | Self::ConversionRecorded
            | Self::ConnectionRefused => false,
        }
    }
}

impl Told {
    /// The event of a change that was made at this time.
    pub fn new(id: EventId, at: Timestamp, meaning: Meaning) -> Self {
        let event = Event {
            id,
            kind: meaning.kind,
            at,
            conversation_id: meaning.conversation,
            seq: meaning.seq,
            data: meaning.data,
        };
        Self {
            event,
            attended: meaning.attended,
            wrote: meaning.wrote,
        }
    }

    /// Adds it to others that are published at the same time, in place of one that it replaces.
    pub fn join(mut self, others: &mut Vec<Self>) {
        // A new contact has two rows, and only one of them says that it is new. The states of an order are the latest ones.
        let subject = |event: &Event| EventData {
            created: false,
            payment: None,
            fulfilment: None,
            ..event.data.clone()
        };
        let same = |other: &Event, event: &Event| {
            other.kind == event.kind
                && other.conversation_id == event.conversation_id
                && subject(other) == subject(event)
        };
        if self.event.kind.is_replaced()
            && let Some(place) = others.iter().position(|other| same(&other.event, &self.event))
        {
            let earlier = others.remove(place);
            // Under the id that says so, whatever is published together the next time.
            if earlier.event.data.created {
                self.event.data.created = true;
                self.event.id = earlier.event.id;
            }
            self.attended.add(earlier.attended);
            self.wrote = [self.wrote, earlier.wrote]
                .into_iter()
                .flatten()
                .max_by_key(|wrote| wrote.seq);
        }
        others.push(self);
    }
}

impl Meaning {
    fn of(kind: EventType, data: EventData) -> Self {
        Self {
            kind,
            conversation: None,
            seq: None,
            data,
            attended: Attended::default(),
            wrote: None,
        }
    }

    /// Adds the conversation with a contact on a line.
    fn on(self, contact: ContactId, line: Option<LineId>) -> Self {
        Self {
            conversation: Some(ConversationId::of(contact, line)),
            ..self
        }
    }

    /// The event for a customer's message that was stored.
    pub fn of_received(received: &Received) -> Self {
        let contact = received.id.contact();
        let data = EventData {
            message_id: Some(received.id),
            ..EventData::about(contact)
        };
        Self::of(EventType::MessageReceived, data).on(contact, received.line)
    }

    /// The event for an outgoing message that was planned or changed. `None` while it is being sent.
    pub fn of_message(before: Option<&Message>, after: &Message) -> Option<Self> {
        let (was, is) = (before.map(Message::state), after.state());
        let clicked = before.is_some_and(|before| before.clicked_at != after.clicked_at);
        if is == MessageState::Sending || was == Some(is) && !clicked {
            return None;
        }
        let kind = if is_out(is) && !was.is_some_and(is_out) {
            EventType::MessageSent
        } else {
            EventType::MessageStatus
        };
        let contact = after.id.contact();
        let error_code = after.last().and_then(|last| last.error.as_ref()?.code);
        let data = EventData {
            message_id: Some(after.id),
            state: Some(is),
            code: error_code.filter(|_| is == MessageState::Failed),
            ..EventData::about(contact)
        };
        Some(Self::of(kind, data).on(contact, after.line))
    }

    /// The event for a call that was decided, or whose outcome was learnt later. `None` for other reports about a call.
    pub fn of_call(before: Option<&Call>, after: &Call) -> Option<Self> {
        if before.is_some_and(|before| before.decided_again == after.decided_again) {
            return None;
        }
        let contact = after.id.contact();
        let data = EventData {
            call_id: Some(after.id),
            outcome: Some(after.outcome),
            reason: Some(after.reason.clone()),
            ..EventData::about(contact)
        };
        Some(Self::of(EventType::CallDecided, data).on(contact, after.grounds.line))
    }

    /// The event for a conversation. `None` if only the times changed when people are told of it.
    pub fn of_conversation(before: Option<&Conversation>, after: &Conversation) -> Option<Self> {
        let shown = |conversation: &Conversation| Conversation {
            tell_at: None,
            noticed_at: None,
            ..conversation.clone()
        };
        if before.is_some_and(|before| shown(before) == shown(after)) {
            return None;
        }
        let meaning = Self::of(EventType::ConversationChanged, EventData::about(after.contact));
        let meaning = meaning.on(after.contact, after.line);
        Some(Self {
            seq: Some(after.seq),
            attended: Attended::of(before, after),
            wrote: after.wrote.filter(|wrote| {
                let before = before.and_then(|before| before.wrote);
                before.is_none_or(|before| before.seq < wrote.seq)
            }),
            ..meaning
        })
    }

    /// The event for a note that was written.
    pub fn of_note(note: NoteId) -> Self {
        let data = EventData {
            note_id: Some(note),
            ..EventData::about(note.contact())
        };
        Self::of(EventType::NoteCreated, data)
    }

    /// The event for a contact that was created.
    pub fn of_new_contact(contact: ContactId) -> Self {
        let data = EventData {
            created: true,
            ..EventData::about(contact)
        };
        Self::of(EventType::ContactChanged, data)
    }

    /// The event for a contact. `None` for traces of calls and messages, which have events of their own.
    pub fn of_contact(before: Option<&Contact>, after: &Contact) -> Option<Self> {
        let changed = before.is_none_or(|before| !before.is_shown_as(after));
        changed.then(|| Self::of_profile(after.id))
    }

    /// The event for a wish that was recorded. `None` if it was known already.
    pub fn of_consent(contact: ContactId, entry: &ConsentEntry) -> Option<Self> {
        let data = EventData {
            choice: Some(entry.choice),
            channel: entry.channel,
            category: entry.category,
            ..EventData::about(contact)
        };
        (!entry.repeats).then(|| Self::of(EventType::ConsentChanged, data))
    }

    /// The event for a conversion that was recorded.
    pub fn of_conversion(conversion: &Conversion) -> Self {
        let data = EventData {
            conversion_id: Some(conversion.id),
            what: Some(conversion.what),
            value: conversion.value.clone(),
            ..EventData::about(conversion.id.contact())
        };
        Self::of(EventType::ConversionRecorded, data)
    }

    /// The event for an order. `None` if nothing of it changed.
    pub fn of_order(before: Option<&Order>, after: &Order) -> Option<Self> {
        let data = EventData {
            order_id: Some(after.id),
            number: Some(after.number.clone()),
            payment: Some(after.payment),
            fulfilment: Some(after.fulfilment),
            created: before.is_none(),
            ..EventData::about(after.id.contact())
        };
        (before != Some(after)).then(|| Self::of(EventType::OrderChanged, data))
    }

    /// The event for a contact's profile: its name, tags, stage and fields.
    pub fn of_profile(contact: ContactId) -> Self {
        Self::of(EventType::ContactChanged, EventData::about(contact))
    }

    /// The event for a template; `None` if it belongs to no connection.
    pub fn of_template(after: &TemplateDefinition) -> Option<Self> {
        let data = EventData {
            template_id: Some(TemplateId::of(after)?),
            ..EventData::default()
        };
        Some(Self::of(EventType::TemplateChanged, data))
    }

    /// The event for a connection whose credentials were just refused.
    pub fn of_connection(before: Option<&Connection>, after: &Connection) -> Option<Self> {
        Notice::of_connection(before, after)?;
        let data = EventData {
            connection_id: Some(after.id),
            ..EventData::default()
        };
        Some(Self::of(EventType::ConnectionRefused, data))
    }

    /// The event for an operation. `None` if only its worker changed.
    pub fn of_operation(before: Option<&Operation>, after: &Operation) -> Option<Self> {
        let shown = |operation: &Operation| (operation.state, operation.progress);
        if before.is_some_and(|before| shown(before) == shown(after)) {
            return None;
        }
        // The operation of a campaign has its id.
        let runs = after.kind == OperationKind::RunCampaign;
        let data = EventData {
            operation_id: Some(after.id),
            campaign_id: runs.then(|| CampaignId::new(after.id.ulid())),
            ..EventData::default()
        };
        let kind = if runs {
            EventType::CampaignProgress
        } else {
            EventType::OperationProgress
        };
        Some(Self::of(kind, data))
    }

    /// The event for a campaign.
    pub fn of_campaign(campaign: CampaignId) -> Self {
        let data = EventData {
            campaign_id: Some(campaign),
            ..EventData::default()
        };
        Self::of(EventType::CampaignProgress, data)
    }
}

/// Whether a provider has accepted a message in this state.
const fn is_out(state: MessageState) -> bool {
    matches!(
        state,
        MessageState::Accepted | MessageState::Sent | MessageState::Delivered | MessageState::Read
    )
}
