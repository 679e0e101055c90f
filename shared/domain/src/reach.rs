//! Whether a person may be messaged, and on which channels: shared by planning and the check before a send.

use jiff::{SignedDuration, Timestamp};

use crate::{
    contact::{Contact, OptOut, SERVICE_WINDOW},
    line_type::{self, LineType, LineTypes},
    message::{Category, Channel},
    phone::Phone,
    phrases::{ago, day},
    purpose::{Basis, Policy, Stop},
};

/// A channel that failed is tried again after this long, since people change telephones.
const UNREACHABLE_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The reason why a person is not messaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unwelcome {
    /// The person refused messages, or those of this kind.
    OptedOut(String),
    /// The ground for the message is missing.
    NoConsent(String),
}

impl Unwelcome {
    pub(crate) fn sentence(self) -> String {
        match self {
            Self::OptedOut(why) | Self::NoConsent(why) => why,
        }
    }
}

/// Whether a policy allows a message to this person. `who` needs the consent, in words.
pub(crate) fn unwelcome(policy: &Policy, contact: &Contact, who: &str, now: Timestamp) -> Option<Unwelcome> {
    let stopped = contact.opted_out.as_ref().filter(|stop| match policy.stop() {
        Stop::Obey => true,
        Stop::UnlessWrittenSince => contact.last_inbound_at.is_none_or(|written| written <= stop.at),
        Stop::Requested => false,
    });
    if let Some(refused) = stopped {
        return Some(Unwelcome::OptedOut(opted_out(refused)));
    }
    if policy.category() == Category::Marketing
        && let Some(refused) = &contact.marketing_opted_out
    {
        let since = day(refused.at);
        let why = format!("no marketing wanted since {since} ({})", refused.source);
        return Some(Unwelcome::OptedOut(why));
    }
    let missing = |what: &str| Some(Unwelcome::NoConsent(format!("{who} needs {what}")));
    if policy.needs_opt_in() && contact.opted_in_at.is_none() {
        return missing("an opt-in, and this person gave none");
    }
    let wrote_lately = || contact.last_inbound_at.is_some_and(|at| now < at + SERVICE_WINDOW);
    match policy.basis() {
        Basis::Written if contact.last_inbound_at.is_none() => missing("a message from this person, who wrote none"),
        Basis::Conversation if !wrote_lately() && !contact.any_window_open(now) => {
            missing("a message from this person within the last 24 h")
        }
        Basis::Window if !contact.any_window_open(now) => {
            missing("an open service window, and this person's has closed")
        }
        Basis::Subject | Basis::OptIn | Basis::Written | Basis::Conversation | Basis::Window => None,
    }
}

pub(crate) fn opted_out(refused: &OptOut) -> String {
    format!("opted out on {} ({})", day(refused.at), refused.source)
}

/// The reason why a channel does not reach this person, if one is known.
pub(crate) fn cannot_reach(
    contact: &Contact,
    phone: Option<&Phone>,
    channel: Channel,
    category: Category,
    now: Timestamp,
    line_type: LineTypes<'_>,
) -> Option<String> {
    let known = contact
        .unreachable_on(channel, phone)
        .filter(|known| now < known.at + UNREACHABLE_FOR)
        // A person who has written by WhatsApp since can be reached there.
        .filter(|known| channel != Channel::WhatsApp || contact.last_whatsapp_at().is_none_or(|at| at <= known.at));
    if let Some(known) = known {
        return Some(format!(
            "did not reach this person {}: {}",
            ago(known.at, now),
            known.reason
        ));
    }
    match channel {
        Channel::WhatsApp => (category == Category::Marketing && phone.is_some_and(line_type::in_the_united_states))
            .then(|| "it delivers no marketing to the United States".to_owned()),
        Channel::Sms => match phone {
            None => Some("no telephone number is known".to_owned()),
            Some(phone) => (line_type(phone) == LineType::FixedLine).then(|| "the number is a landline".to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        purpose::{Narrowing, Purpose},
        samples::{NOON, at, contact},
    };

    /// By SMS there is no window: the last message counts on any channel.
    #[test]
    fn reply_needs_a_message_within_a_day_or_the_window() {
        let second = SignedDuration::from_secs(1);
        let policy = |purpose| Policy::narrowed(purpose, Category::Service, &Narrowing::default()).unwrap();
        let welcome = |purpose, contact: &Contact| unwelcome(&policy(purpose), contact, "it", at(NOON)).is_none();
        let silent = contact();
        let mut wrote = contact();
        wrote.last_inbound_at = Some(at(NOON) - SERVICE_WINDOW + second);
        let mut wrote_before = contact();
        wrote_before.last_inbound_at = Some(at(NOON) - SERVICE_WINDOW);
        let mut called = contact();
        called.open_window(&"+97143330000".parse().unwrap(), at(NOON) - SERVICE_WINDOW + second);
        for (contact, reply, automatic) in [
            (&silent, false, false),
            (&wrote, true, false),
            (&wrote_before, false, false),
            (&called, true, true),
        ] {
            assert_eq!(welcome(Purpose::Reply, contact), reply);
            assert_eq!(welcome(Purpose::AutoReply, contact), automatic);
        }
        let why = unwelcome(&policy(Purpose::Reply), &silent, "it", at(NOON)).unwrap();
        assert_eq!(
            why.sentence(),
            "it needs a message from this person within the last 24 h"
        );
    }
}
