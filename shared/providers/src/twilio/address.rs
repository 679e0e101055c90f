//! Twilio's message addresses: `+447700900111`, `rcs:+447700900111`, `68849`, `whatsapp:+447700900111`, `whatsapp:GB.7000000000000222`.

use domain::terms::{Channel, Phone, SenderId};

use crate::whatsapp::bsuid;

/// An end of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub channel: Channel,
    pub phone: Option<Phone>,
    /// Meta's business-scoped user id, in place of the number of a user with a user name.
    pub bsuid: Option<String>,
    /// A short code or a name, in place of the number of an SMS.
    pub sender_id: Option<SenderId>,
}

/// Parses an address; `None` for other channels. RCS reaches the number's telephone as SMS do, so it counts as that channel. What stands
/// before a number otherwise may be an app's claim, such as `client:`.
pub fn address(text: &str) -> Option<Address> {
    let (channel, rest) = match text.split_once(':') {
        Some(("whatsapp", rest)) => (Channel::WhatsApp, rest),
        Some(("rcs", rest)) if rest.starts_with('+') => (Channel::Sms, rest),
        Some(_) => return None,
        None => (Channel::Sms, text),
    };
    let phone: Option<Phone> = rest.parse().ok();
    let mut address = Address {
        channel,
        phone,
        bsuid: None,
        sender_id: None,
    };
    if address.phone.is_none() {
        match channel {
            Channel::WhatsApp => address.bsuid = bsuid(rest),
            Channel::Sms => address.sender_id = rest.parse().ok(),
        }
    }
    let is_somebody = address.phone.is_some() || address.bsuid.is_some() || address.sender_id.is_some();
    is_somebody.then_some(address)
}
