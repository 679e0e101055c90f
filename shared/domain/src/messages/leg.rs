//! A channel of a message's plan.

use serde::{Deserialize, Serialize};

use crate::destinations::Sms;
use crate::messages::Content;
use crate::tenants::{ConnectionSummary, TenantConfig};
use crate::terms::{Category, Channel, ConnectionId, Phone, ProviderRef, Recipient, Refusal};

/// A channel of a message's plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    pub channel: Channel,
    /// The connection that sends it.
    pub connection: ConnectionId,
    /// The connection's number that sends it, if the line names one of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<Phone>,
    pub content: Content,
    /// The provider's id of the message that it answers. Only by WhatsApp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<ProviderRef>,
}

impl TenantConfig {
    /// The rule of the recipient's country that refuses a channel of a message, if it is an SMS.
    pub fn sms_refused(&self, leg: &Leg, to: &Recipient, category: Category) -> Option<Refusal> {
        self.connection(leg.connection)?
            .sms_of(leg, to, category)?
            .refusal_by_rules()
    }
}

impl ConnectionSummary {
    /// The SMS of a channel of a message. None if it is no SMS with a text.
    pub fn sms_of<'a>(&'a self, leg: &'a Leg, to: &Recipient, category: Category) -> Option<Sms<'a>> {
        let text = leg.content.words().filter(|_| leg.channel == Channel::Sms)?;
        Some(self.sms(to.country(), category, leg.sender.as_ref(), text))
    }
}
