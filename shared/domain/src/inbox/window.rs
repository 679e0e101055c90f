//! WhatsApp's service window in a conversation.

use jiff::Timestamp;

use crate::{
    base::ids::LineId,
    contacts::contact::Contact,
    messages::{
        compose::{line_carrier, usual_carriers},
        message::Channel,
        receiver::wrote_by_whatsapp,
    },
    tenants::{
        config::{ConnectionSummary, TenantConfig},
        line,
    },
};

/// Time until which free text can be sent by WhatsApp to whoever of this contact wrote last: from this line, or, without a line, from the
/// number to which they wrote. `None`: the window was never open.
pub fn closes_at(line: Option<LineId>, contact: &Contact, config: &TenantConfig) -> Option<Timestamp> {
    let sender = match line {
        Some(id) => line_carrier(config, line::by_id(&config.lines, id)?, Channel::WhatsApp),
        None => wrote_to(contact, config),
    };
    let sender = sender.or_else(|| usual_carriers(config, Channel::WhatsApp).next())?;
    let number = sender.whatsapp_number.as_ref()?;
    let to = wrote_by_whatsapp(contact, line.map(|_| number), None);
    contact.window_closes_at(number, &to.unwrap_or_else(|| contact.recipient()))
}

/// The connection of the number to which a person wrote last by WhatsApp.
pub(super) fn wrote_to<'a>(contact: &Contact, config: &'a TenantConfig) -> Option<&'a ConnectionSummary> {
    let latest = contact.windows.iter().max_by_key(|window| window.at)?;
    let mut connections = config.connections.iter();
    connections.find(|connection| {
        connection.whatsapp_number.as_ref() == Some(&latest.number) && connection.carries.contains(&Channel::WhatsApp)
    })
}
