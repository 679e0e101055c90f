//! Twilio's message addresses: `+447700900111`, `whatsapp:+447700900111`, `whatsapp:GB.7000000000000222`.

use domain::{base::phone::Phone, messages::message::Channel};

use crate::whatsapp::bsuid;

/// One end of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The channel.
    pub channel: Channel,
    /// The number.
    pub phone: Option<Phone>,
    /// Meta's business-scoped user id, in place of the number of a user with a user name.
    pub bsuid: Option<String>,
}

/// Parses an address; `None` for other channels, short codes and names.
pub fn address(text: &str) -> Option<Address> {
    let (channel, rest) = match text.strip_prefix("whatsapp:") {
        Some(rest) => (Channel::WhatsApp, rest),
        None => (Channel::Sms, text),
    };
    let phone = rest.parse().ok();
    let bsuid = match channel {
        Channel::WhatsApp if phone.is_none() => bsuid(rest),
        Channel::WhatsApp | Channel::Sms => None,
    };
    (phone.is_some() || bsuid.is_some()).then_some(Address { channel, phone, bsuid })
}
