//! WhatsApp's service window in a conversation.

use jiff::Timestamp;

use crate::{
    base::ids::LineId,
    contacts::contact::Contact,
    messages::{
        compose::{line_carrier, usual_carriers},
        message::Channel,
        receiver::heard_by_whatsapp,
    },
    tenants::{
        config::{ConnectionSummary, TenantConfig},
        line,
    },
};

/// Time until which free text can be sent by WhatsApp to whoever of this contact was heard last: from this line, or, without a line, from the
/// number to which they wrote. `None`: the window was never open.
pub fn closes_at(line: Option<LineId>, contact: &Contact, config: &TenantConfig) -> Option<Timestamp> {
    let sender = match line {
        Some(id) => line_carrier(config, line::by_id(&config.lines, id)?, (Channel::WhatsApp, None)),
        None => wrote_to(contact, config),
    };
    let sender = sender.or_else(|| usual_carriers(config, (Channel::WhatsApp, None)).next())?;
    let number = sender.whatsapp_number.as_ref()?;
    let heard = heard_by_whatsapp(contact, line.map(|_| number), None);
    let to = heard.map_or_else(|| contact.recipient(), |(_, user)| user);
    contact.window_closes_at(number, &to)
}

/// The connection of the number to which a person wrote last by WhatsApp.
pub(super) fn wrote_to<'a>(contact: &Contact, config: &'a TenantConfig) -> Option<&'a ConnectionSummary> {
    let (latest, _) = heard_by_whatsapp(contact, None, None)?;
    let mut connections = config.connections.iter();
    connections.find(|connection| {
        connection.whatsapp_number.as_ref() == Some(&latest.number) && connection.carries.contains(&Channel::WhatsApp)
    })
}
