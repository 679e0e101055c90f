//! WhatsApp's service window in a conversation.

use jiff::Timestamp;

use crate::messages::{heard_by_whatsapp, line_carrier, usual_carriers};
use crate::people::{Contact, Elsewhere};
use crate::tenants::{ConnectionSummary, TenantConfig, line_by_id};
use crate::terms::{Channel, LineId, Phone, Recipient};

/// The other responder that answers this contact in a conversation on this line, if one does: see [`conversation_window_closes_at`].
pub fn conversation_answered_elsewhere(
    line: Option<LineId>,
    contact: &Contact,
    config: &TenantConfig,
    now: Timestamp,
) -> Option<Elsewhere> {
    let (number, to) = between(line, contact, config)?;
    contact.elsewhere(number, &to, now)
}

/// Time until free text can be sent by WhatsApp to whoever of this contact was heard last: from this line, or, without
/// a line, from the number that they wrote to. `None`: the window was never open.
pub fn conversation_window_closes_at(
    line: Option<LineId>,
    contact: &Contact,
    config: &TenantConfig,
) -> Option<Timestamp> {
    let (number, to) = between(line, contact, config)?;
    contact.window_closes_at(number, &to)
}

/// The WhatsApp number of the business, and whoever of the contact was heard there last.
fn between<'a>(line: Option<LineId>, contact: &Contact, config: &'a TenantConfig) -> Option<(&'a Phone, Recipient)> {
    let sender = match line {
        Some(id) => line_carrier(config, line_by_id(&config.lines, id)?, Channel::WhatsApp, None),
        None => number_written_to(contact, config),
    };
    let sender = sender.or_else(|| usual_carriers(config, Channel::WhatsApp, None).next())?;
    let number = sender.whatsapp_number.as_ref()?;
    let heard = heard_by_whatsapp(contact, line.map(|_| number), None);
    let to = heard.map_or_else(|| contact.recipient(), |(_, user)| user);
    Some((number, to))
}

/// The connection of the number that a person last wrote to by WhatsApp.
pub(super) fn number_written_to<'a>(contact: &Contact, config: &'a TenantConfig) -> Option<&'a ConnectionSummary> {
    let (latest, _) = heard_by_whatsapp(contact, None, None)?;
    let mut connections = config.connections.iter();
    connections.find(|connection| {
        connection.whatsapp_number.as_ref() == Some(&latest.number) && connection.carries.contains(&Channel::WhatsApp)
    })
}
