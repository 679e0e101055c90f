//! A look at a campaign's messages while it runs: it is paused before everybody has got a message that fails, or that people do not want.
//!
//! A few messages of each minute are looked at once, some minutes after they leave. That costs two requests a minute, whatever the size of
//! the campaign. Of messages that leave later than they are made, fewer are noted, so that few wait to be looked at.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::campaigns::Campaign;
use crate::messages::{Message, MessageState};
use crate::people::Contact;
use crate::templates::TemplateDefinition;
use crate::tenants::{Connection, Quality};
use crate::terms::{MessageId, Reason, Refusal};

/// Messages of a minute that are looked at.
const SAMPLES: usize = 15;

/// Maximum minutes whose messages wait to be looked at: together, their samples are enough for each [`Limit`].
const MAX_WAITING: i32 = 7;

/// Time from the sending of a message to the look at it.
const LOOK_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// A share that pauses the campaign.
struct Limit {
    reason: Reason,
    /// Messages that must be looked at before.
    least: u32,
    percent: u32,
    says: &'static str,
}

/// Limits of failures and refusals. Too many that fail mean a wrong list or a refused template; more than a few in a
/// hundred who refuse further messages mean an unwanted message, and providers lower the quality of its number.
const FAILED: Limit = Limit {
    reason: Reason::FailureRate,
    least: 45,
    percent: 30,
    says: "of its messages have failed",
};
const REFUSED: Limit = Limit {
    reason: Reason::OptOutRate,
    least: 90,
    percent: 5,
    says: "of the people have refused further messages after it",
};

impl Limit {
    fn refusal_if_reached(&self, looked: u32, count: u32) -> Option<Refusal> {
        let percent = count.saturating_mul(100) / looked.max(1);
        (looked >= self.least && percent >= self.percent).then(|| {
            let says = format!("{percent} % {}; see why before you resume it", self.says);
            Refusal::new(self.reason, says).and("percent", percent)
        })
    }
}

/// Observations of a campaign's messages since it was begun or resumed, and the messages to look at next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// Some messages of each of the minutes that wait to be looked at, with the latest time when these leave, oldest first.
    samples: Vec<(Timestamp, Vec<MessageId>)>,
    looked: u32,
    failed: u32,
    refused: u32,
}

impl Watch {
    /// Notes some of these messages, which were made now and leave within this time.
    pub fn note_messages(&mut self, messages: &[MessageId], within: SignedDuration, now: Timestamp) {
        let (leave_at, minute) = (now + within, SignedDuration::from_mins(1));
        let apart = minute.max((within + LOOK_AFTER) / (MAX_WAITING - 1));
        let is_over = self.samples.last().is_none_or(|(at, _)| *at + apart <= leave_at);
        if is_over && i32::try_from(self.samples.len()).is_ok_and(|waiting| waiting < MAX_WAITING) {
            self.samples.push((leave_at, Vec::new()));
        }
        if let Some((_, sample)) = self.samples.last_mut() {
            let room = SAMPLES - sample.len().min(SAMPLES);
            sample.extend(messages.iter().take(room));
        }
    }

    /// Takes the messages that are to be looked at now.
    pub fn take_due(&mut self, now: Timestamp) -> Vec<MessageId> {
        let is_due = |(at, _): &&(Timestamp, Vec<MessageId>)| *at + LOOK_AFTER <= now;
        let due = self.samples.iter().take_while(is_due).count();
        self.samples.drain(..due).flat_map(|(_, sample)| sample).collect()
    }

    /// Counts a message, and whether its person refused further ones since. One that is not sent yet does not count.
    pub fn look(&mut self, message: &Message, contact: Option<&Contact>) {
        let failed = message.state() == MessageState::Failed;
        let Some(sent_at) = message.accepted_at().or(failed.then_some(message.created_at)) else {
            return;
        };
        let refused_at = contact.and_then(|contact| contact.consent.last_refused_at());
        let refused = refused_at.is_some_and(|at| sent_at < at);
        self.looked += 1;
        self.failed += u32::from(failed);
        self.refused += u32::from(refused);
    }

    /// The reason to pause the campaign, if there is one.
    pub fn against(&self) -> Option<Refusal> {
        let failed = FAILED.refusal_if_reached(self.looked, self.failed);
        failed.or_else(|| REFUSED.refusal_if_reached(self.looked, self.refused))
    }
}

/// Time when a user last started or resumed a campaign, having seen what was wrong.
fn seen_by_a_user(campaign: &Campaign) -> Timestamp {
    campaign.started_at.unwrap_or(campaign.updated_at)
}

/// The reason to pause a campaign if the route of one of these messages was refused since a user started or resumed it.
pub fn refused_route_pause<'a>(
    campaign: &Campaign,
    messages: impl IntoIterator<Item = &'a Message>,
) -> Option<Refusal> {
    let since = seen_by_a_user(campaign);
    messages
        .into_iter()
        .find_map(|message| message.route_refused_since(since))
}

/// The reason to pause a campaign whose template, or the number that sends it, Meta has rated low since a user started or resumed it: people
/// block it or report it, and further messages could restrict the number for everybody who needs an answer. Whoever resumes it has seen that.
pub fn low_rating_pause(
    campaign: &Campaign,
    templates: &[TemplateDefinition],
    number: Option<&Connection>,
) -> Option<Refusal> {
    // Without one, it is not sent by WhatsApp.
    let number = number?;
    let since = seen_by_a_user(campaign);
    let is_new = |quality: Quality, at: Timestamp| quality == Quality::Red && since < at;
    let message = campaign.message.template.as_ref()?;
    let is_sent = |template: &&TemplateDefinition| {
        template.name == message.name.as_str()
            && (message.by_contact_language || template.language == message.language.as_str())
            && template.connection.is_none_or(|connection| connection == number.id)
    };
    let mut sent = templates.iter().filter(is_sent);
    let low = |template: &&TemplateDefinition| {
        let rated = template.quality.zip(template.quality_at);
        rated.is_some_and(|(quality, at)| is_new(quality, at))
    };
    if let Some(TemplateDefinition { name, language, .. }) = sent.find(low) {
        let sentence =
            format!("Meta rates the quality of template {name} in {language} as low; see why before you resume it");
        let why = Refusal::new(Reason::LowQuality, sentence).and("template", name.as_str());
        return Some(why.and("language", language.as_str()));
    }
    // Only what Meta has reported: a test finds the same rating again and again.
    let rated = number.reported.quality?;
    is_new(rated.value, rated.at).then(|| {
        let name = number.name.as_str();
        let sentence = format!("Meta rates the quality of the number of {name:?} as low; see why before you resume it");
        Refusal::new(Reason::LowQuality, sentence).and("connection", name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaigns::{Pace, USUAL_PER_MINUTE};
    use crate::messages::{Ended, OptFlag};
    use crate::samples::{Case, NOON, at, message_of};
    use crate::terms::ContactId;

    fn ids(count: u8) -> Vec<MessageId> {
        let contact = ContactId::new(ulid::Ulid::from_parts(1, 1));
        let id = |number: u8| MessageId::new(contact, ulid::Ulid::from_parts(2, number.into()));
        (0..count).map(id).collect()
    }

    #[test]
    fn a_few_messages_of_each_minute_are_looked_at_once() {
        let (mut watch, now) = (Watch::default(), at(NOON));
        let after = |seconds: i64| now + SignedDuration::from_secs(seconds);
        let at_once = SignedDuration::ZERO;
        watch.note_messages(&ids(10), at_once, now);
        watch.note_messages(&ids(10), at_once, after(30));
        watch.note_messages(&ids(4), at_once, after(60));
        assert_eq!(watch.take_due(after(299)), []);
        assert_eq!(watch.take_due(after(300)).len(), SAMPLES);
        assert_eq!(watch.take_due(after(300)), []);
        assert_eq!(watch.take_due(after(3_600)), ids(4));
    }

    /// 200,000 people of one time zone: all messages are made before any of them leaves.
    #[test]
    fn messages_that_leave_later_are_few_in_the_checkpoint() {
        const PER_STEP: usize = 25;
        let (mut watch, mut now) = (Watch::default(), at(NOON));
        // What its lead is.
        let within = SignedDuration::from_mins(71);
        let (leave_at, mut pace) = (now + within, Pace::new(now));
        let (mut left, mut largest) = (200_000, 0);
        while left > 0 {
            assert!(now < leave_at, "{left} leave late");
            let room = pace.room(USUAL_PER_MINUTE, now).min(left);
            for _ in 0..room / PER_STEP {
                assert_eq!(watch.take_due(now), []);
                watch.note_messages(&ids(25), within, now);
                pace = pace.after(PER_STEP, USUAL_PER_MINUTE, now);
                left -= PER_STEP;
                largest = largest.max(serde_json::to_vec(&watch).unwrap().len());
            }
            now += SignedDuration::from_mins(1);
        }
        // A checkpoint has at most one kilobyte beside it.
        assert!(largest < 7_000, "{largest}");
        let looked = watch.take_due(leave_at + within);
        assert!(usize::try_from(FAILED.least).unwrap() <= looked.len());
        // However late they leave.
        let within = SignedDuration::from_hours(14);
        for _ in 0..24 * 60 {
            watch.take_due(now);
            watch.note_messages(&ids(25), within, now);
            assert!(serde_json::to_vec(&watch).unwrap().len() < 7_000);
            now += SignedDuration::from_mins(1);
        }
    }

    #[test]
    fn failures_and_refusals_pause_it_once_enough_was_looked_at() {
        let now = at(NOON);
        let mut case = Case::new();
        let mut failed = message_of(case.plan(), now);
        failed.ended = Some(Ended::Failed("refused".to_owned()));
        let waiting = message_of(case.plan(), now);
        case.contact
            .wish(OptFlag::Stop, "wrote STOP", now + SignedDuration::from_mins(1));
        for (fine, failing, refusing, expected) in [
            (31, 13, 0, None),
            (31, 14, 0, Some((Reason::FailureRate, 31))),
            (32, 13, 0, None),
            (85, 0, 4, None),
            (85, 0, 5, Some((Reason::OptOutRate, 5))),
            (86, 0, 4, None),
        ] {
            let mut watch = Watch {
                looked: fine,
                ..Watch::default()
            };
            watch.look(&waiting, None);
            for _ in 0..failing {
                watch.look(&failed, None);
            }
            for _ in 0..refusing {
                watch.look(&failed, Some(&case.contact));
            }
            if refusing > 0 {
                watch.failed = 0;
            }
            let against = watch.against();
            let reason = expected.map(|(reason, _)| reason);
            assert_eq!(
                against.as_ref().map(|why| why.reason),
                reason,
                "{fine} {failing} {refusing}"
            );
            if let Some((why, (_, percent))) = against.zip(expected) {
                assert!(why.sentence.starts_with(&format!("{percent} % ")), "{why}");
            }
        }
    }
}
