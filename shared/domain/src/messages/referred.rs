//! Messages that other messages refer to, and what a connection carries.

use crate::calls::Received;
use crate::messages::{ContentKind, Message};
use crate::people::Contact;
use crate::tenants::ConnectionSummary;
use crate::terms::{Channel, ConnectionId, LineId, ProviderRef, Reason, Recipient, Refusal};

/// A message by WhatsApp that another one answers or reacts to. Only the connection that sent or received it knows its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referred {
    /// The provider's id of it.
    pub provider_ref: ProviderRef,
    /// The connection that sent or received it.
    pub connection: ConnectionId,
    /// Line of the message.
    pub line: Option<LineId>,
    /// The recipient or the author of the message.
    pub with: Recipient,
}

impl Referred {
    /// A message of the business, as far as it was accepted by WhatsApp.
    pub fn of_message(message: &Message) -> Option<Self> {
        message.attempts.iter().rev().find_map(|attempt| {
            let leg = message.plan.get(usize::from(attempt.leg))?;
            let provider_ref = attempt.provider_ref.clone()?;
            (leg.channel == Channel::WhatsApp).then_some(Self {
                provider_ref,
                connection: leg.connection,
                line: message.line,
                with: message.recipient_of(attempt).addressed_user(),
            })
        })
    }

    /// A customer's message, if it came by WhatsApp.
    pub fn of_inbound(received: &Received) -> Option<Self> {
        (received.message.channel == Channel::WhatsApp).then(|| Self {
            provider_ref: received.message.provider_ref.clone(),
            connection: received.connection,
            line: received.line,
            with: received.message.from.recipient(),
        })
    }

    /// Recipient of an answer to it: nobody else of the contact, even if the number or id was taken off it.
    pub fn recipient(&self, contact: &Contact) -> Recipient {
        contact.own_user(self.with.clone()).unwrap_or_else(|| self.with.clone())
    }

    /// Refuses a connection that cannot refer to it.
    pub(crate) fn known_to(&self, connection: &ConnectionSummary) -> Result<(), Refusal> {
        if connection.needs_content_sid {
            return Err(not_at_twilio("reply", connection));
        }
        if self.connection == connection.id {
            return Ok(());
        }
        let sentence = format!(
            "the message that it refers to belongs to another number than that of the connection {:?}",
            connection.name
        );
        Err(Refusal::new(Reason::OtherNumber, sentence).and("connection", connection.name.as_str()))
    }
}

/// Refuses what WhatsApp through Twilio does not carry.
///
/// # Errors
/// If the connection is one of Twilio's, and Twilio sends such content as a template only.
pub(crate) fn check_carried(kind: ContentKind, connection: &ConnectionSummary) -> Result<(), Refusal> {
    if connection.needs_content_sid && !kind.carried_by_twilio() {
        return Err(not_at_twilio(kind.as_str(), connection));
    }
    Ok(())
}

fn not_at_twilio(what: &'static str, connection: &ConnectionSummary) -> Refusal {
    let sentence = format!(
        "WhatsApp through Twilio, as by the connection {:?}, carries no {what}",
        connection.name
    );
    let refusal = Refusal::new(Reason::NotCarriedByTwilio, sentence).and("content", what);
    refusal.and("connection", connection.name.as_str())
}
