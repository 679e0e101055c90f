//! Causes of messages. The id of a message follows from its cause.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::people::OrderEvent;
use crate::terms::{Actor, Answer, CallId, CampaignId, ContactId, ConversationId, MessageId, OrderId, derive_id};

/// The cause of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    Call(CallId),
    /// A request of the tenant.
    Requested {
        /// The contact that it names.
        contact: ContactId,
        /// The user or API key.
        by: Actor,
        /// The request's own id: the same for every attempt of one request.
        request: Ulid,
        /// The message that it sends again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retries: Option<MessageId>,
    },
    /// Somebody's reply in a conversation.
    Written {
        conversation: ConversationId,
        /// The user or API key.
        by: Actor,
        /// The request's own id: the same for every attempt of one request.
        request: Ulid,
    },
    /// A customer's message, which is answered automatically.
    Answered {
        inbound: MessageId,
        answer: Answer,
    },
    /// Somebody who wrote on the business's own phone. It is not ours to send.
    ByPhone {
        conversation: ConversationId,
        /// Follows from the provider's id.
        own: Ulid,
    },
    Campaign {
        campaign: CampaignId,
        contact: ContactId,
        /// The step, of a drip.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<CauseStep>,
    },
    Order {
        news: CauseNews,
        contact: ContactId,
    },
}

/// News of an order as the cause of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CauseNews {
    pub order: OrderId,
    pub event: OrderEvent,
    /// Time of the event, by the shop.
    pub at: Timestamp,
}

/// A step of a drip as the cause of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CauseStep {
    /// Its place among the steps.
    pub place: usize,
    /// Planned time.
    pub at: Timestamp,
}

impl Cause {
    /// The id of the message that follows from it: the same however often it is processed.
    pub fn message_id(&self) -> MessageId {
        let (contact, since, key) = match self {
            Self::Call(call) => (call.contact(), call.own().timestamp_ms(), call.to_string()),
            Self::Requested { contact, request, .. } => {
                (*contact, request.timestamp_ms(), format!("{contact}#{request}"))
            }
            Self::Written {
                conversation, request, ..
            } => {
                let key = format!("{conversation}#{request}");
                (conversation.contact(), request.timestamp_ms(), key)
            }
            Self::Answered { inbound, answer } => {
                let key = format!("{inbound}#{}", answer.as_str());
                (inbound.contact(), inbound.own().timestamp_ms(), key)
            }
            Self::ByPhone { conversation, own } => {
                let key = format!("{conversation}#{own}");
                (conversation.contact(), own.timestamp_ms(), key)
            }
            Self::Campaign {
                campaign,
                contact,
                step: None,
            } => {
                let key = format!("{contact}#{campaign}");
                (*contact, campaign.ulid().timestamp_ms(), key)
            }
            Self::Campaign {
                campaign,
                contact,
                step: Some(CauseStep { place, at }),
            } => {
                let at = u64::try_from(at.as_millisecond()).unwrap_or_default();
                (*contact, at, format!("{contact}#{campaign}#{place}"))
            }
            Self::Order { news, contact } => {
                let at = u64::try_from(news.at.as_millisecond()).unwrap_or_default();
                (
                    *contact,
                    at,
                    format!("{contact}#{}#{}", news.order, news.event.as_str()),
                )
            }
        };
        MessageId::new(contact, derive_id(since, format!("message#{key}").as_bytes()))
    }

    /// The campaign, if it is one.
    pub const fn campaign(&self) -> Option<CampaignId> {
        if let Self::Campaign { campaign, .. } = self {
            return Some(*campaign);
        }
        None
    }

    /// The news of an order, if it is some.
    pub const fn news(&self) -> Option<CauseNews> {
        if let Self::Order { news, .. } = self {
            return Some(*news);
        }
        None
    }

    /// Whether somebody wrote it on the business's own phone.
    pub const fn is_by_phone(&self) -> bool {
        matches!(self, Self::ByPhone { .. })
    }

    /// Whether it is a step of a drip.
    pub const fn is_step(&self) -> bool {
        matches!(self, Self::Campaign { step: Some(_), .. })
    }

    /// The call, if it is one.
    pub const fn call(&self) -> Option<CallId> {
        if let Self::Call(call) = self {
            return Some(*call);
        }
        None
    }

    /// The customer's message that it answers, and with what, if it is one.
    pub const fn answered_message(&self) -> Option<(MessageId, Answer)> {
        if let Self::Answered { inbound, answer } = self {
            return Some((*inbound, *answer));
        }
        None
    }

    /// The user or API key, if it is a request or a reply.
    pub const fn requested_by(&self) -> Option<Actor> {
        match self {
            Self::Requested { by, .. } | Self::Written { by, .. } => Some(*by),
            Self::Call(_)
            | Self::Answered { .. }
            | Self::ByPhone { .. }
            | Self::Campaign { .. }
            | Self::Order { .. } => None,
        }
    }

    /// The message that a request sends again, if it does.
    pub const fn retries(&self) -> Option<MessageId> {
        if let Self::Requested { retries, .. } = self {
            return *retries;
        }
        None
    }
}
