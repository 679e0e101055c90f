//! Whether a channel reaches a person: shared by planning and the check before a send.

use jiff::{SignedDuration, Timestamp};

use crate::messages::{Message, duration_in_words, time_ago};
use crate::people::{Contact, Unreachable};
use crate::tenants::TenantConfig;
use crate::terms::{
    Category, Channel, LineType, LineTypes, Phone, Purpose, Reason, Recipient, Refusal, is_in_united_states,
};

/// A channel that failed is tried again after this long, since people change telephones.
const UNREACHABLE_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The failure that keeps a channel from being tried at present, if there is one.
pub(crate) fn recent_failure<'a>(
    contact: &'a Contact,
    phone: Option<&Phone>,
    channel: Channel,
    now: Timestamp,
) -> Option<&'a Unreachable> {
    contact
        .unreachable_on(channel, phone)
        .filter(|known| now < known.at + UNREACHABLE_FOR)
        // Not if somebody was heard from there since.
        .filter(|known| contact.heard_on(channel, phone) <= Some(known.at))
}

/// The reason why a channel does not reach this person, if one is known.
pub(crate) fn cannot_reach(
    contact: &Contact,
    phone: Option<&Phone>,
    channel: Channel,
    category: Category,
    now: Timestamp,
    line_type: LineTypes<'_>,
) -> Option<Refusal> {
    if let Some(known) = recent_failure(contact, phone, channel, now) {
        let sentence = format!(
            "did not reach this person {}: {}",
            time_ago(known.at, now),
            known.reason
        );
        return Some(Refusal::new(Reason::NotReached, sentence).and("failed_at", known.at));
    }
    let marketing = |phone: &Phone| category == Category::Marketing && is_in_united_states(phone);
    let refusal = match (channel, phone) {
        (Channel::WhatsApp, Some(phone)) if marketing(phone) => {
            let sentence = "it delivers no marketing to the United States";
            Refusal::new(Reason::NoMarketing, sentence).and("country", "US")
        }
        (Channel::Sms, None) => Refusal::new(Reason::NoNumber, "no telephone number is known"),
        (Channel::Sms, Some(phone)) if line_type(phone) == LineType::FixedLine => {
            Refusal::new(Reason::Landline, "the number is a landline")
        }
        (Channel::WhatsApp | Channel::Sms, _) => return None,
    };
    Some(refusal)
}

/// Whether no other responder answers this recipient at this time on this WhatsApp number of the business. If one does, nothing answers or
/// follows up by itself there; what people and the tenant's software send does not ask.
pub(crate) fn check_in_charge(
    purpose: Purpose,
    contact: &Contact,
    from: Option<&Phone>,
    to: &Recipient,
    at: Timestamp,
) -> Result<(), Refusal> {
    if !purpose.goes_by_itself() {
        return Ok(());
    }
    let elsewhere = from.and_then(|number| contact.elsewhere(number, to, at));
    elsewhere.map_or(Ok(()), |found| {
        let sentence = format!(
            "another app that shares the number has answered this person for {}",
            duration_in_words(at.duration_since(found.since))
        );
        Err(Refusal::new(Reason::AnsweredElsewhere, sentence).and("since_at", found.since))
    })
}

impl Message {
    /// The WhatsApp number whose conversation with the recipient it takes over, if another responder answers there: free text does so as soon
    /// as Meta accepts it, and a template does not.
    pub fn takes_over<'a>(&self, config: &'a TenantConfig) -> Option<&'a Phone> {
        let leg = self.plan.first().filter(|_| self.not_before <= self.created_at)?;
        let takes = leg.channel == Channel::WhatsApp && leg.content.needs_window();
        let connection = config.connection(leg.connection).filter(|_| takes)?;
        connection.whatsapp_number.as_ref()
    }
}

/// Whether free text may go out by WhatsApp at this time, from this number of the business to this recipient.
pub(crate) fn check_in_window(
    contact: &Contact,
    from: Option<&Phone>,
    to: &Recipient,
    at: Timestamp,
) -> Result<(), Refusal> {
    if from.is_some_and(|number| contact.window_open(number, to, at)) {
        return Ok(());
    }
    let sentence = "the person has not written by WhatsApp in the last 24 hours";
    let closed_at = from.and_then(|number| contact.window_closes_at(number, to));
    Err(Refusal::new(Reason::WindowClosed, sentence).and_if("closed_at", closed_at))
}
