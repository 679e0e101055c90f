//! The report of a campaign: what became of everybody in its audience.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::campaigns::{Campaign, Enrolment, EnrolmentStatus, Exit, Steps, VariantNumber};
use crate::messages::{Message, MessageState};
use crate::people::Contact;
use crate::reports::{Counter, count_message};
use crate::terms::{CampaignId, ContactId, MessageId, Reason};

/// Somebody in the audience of a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    pub contact: ContactId,
    pub message: Option<Message>,
    /// The reason why there is no message.
    pub exit: Option<Exit>,
    /// Time of the contact's last message.
    pub wrote_at: Option<Timestamp>,
    /// Time of the contact's last refusal of messages, if it holds.
    pub refused_at: Option<Timestamp>,
    /// Whether the campaign has come to everybody.
    pub all_made: bool,
}

/// State of somebody in the audience of a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RecipientState {
    /// The campaign has not come to the contact yet.
    Waiting,
    /// The contact gets no message.
    LeftOut,
    /// The message was not tried yet.
    Scheduled,
    /// The message is being sent.
    Sending,
    /// It is unknown whether the provider accepted the message.
    Unknown,
    /// The provider accepted it.
    Accepted,
    /// The provider passed it on.
    Sent,
    /// It was delivered to the phone.
    Delivered,
    /// The person read it.
    Read,
    /// Every channel failed.
    Failed,
    /// The message was cancelled.
    Cancelled,
    /// A rule of sending forbade it.
    Blocked,
    /// The message is not retained any more.
    NotRetained,
}

impl From<MessageState> for RecipientState {
    fn from(state: MessageState) -> Self {
        match state {
            MessageState::Scheduled => Self::Scheduled,
            MessageState::Sending => Self::Sending,
            MessageState::Unknown => Self::Unknown,
            MessageState::Accepted => Self::Accepted,
            MessageState::Sent => Self::Sent,
            MessageState::Delivered => Self::Delivered,
            MessageState::Read => Self::Read,
            MessageState::Failed => Self::Failed,
            MessageState::Cancelled => Self::Cancelled,
            MessageState::Blocked => Self::Blocked,
        }
    }
}

impl Recipient {
    pub fn state(&self) -> RecipientState {
        match (&self.message, &self.exit) {
            (Some(message), _) => message.state().into(),
            (None, Some(_)) => RecipientState::LeftOut,
            (None, None) if self.all_made => RecipientState::NotRetained,
            (None, None) => RecipientState::Waiting,
        }
    }

    /// The reason why there is no message, or it goes no further: a code, and a sentence.
    pub fn reason(&self) -> Option<(Reason, &str)> {
        match (&self.message, &self.exit) {
            (Some(message), _) => Some((message.because()?.code, message.why()?)),
            (None, Some(exit)) => Some((exit.because.code, &exit.why)),
            (None, None) => None,
        }
    }

    /// Whether the contact wrote after the message had been accepted, other than a stop word.
    pub fn has_replied(&self) -> bool {
        self.got_before(self.wrote_at)
    }

    /// Whether the contact has refused messages since the message was accepted: what a running campaign is [watched](super::watch) for, too.
    pub fn opted_out(&self) -> bool {
        self.got_before(self.refused_at)
    }

    /// Whether the message was accepted before this time, if there is one.
    fn got_before(&self, at: Option<Timestamp>) -> bool {
        let accepted = self.message.as_ref().and_then(Message::accepted_at);
        accepted.zip(at).is_some_and(|(sent, at)| sent < at)
    }

    /// Adds the reason, if there is one, to those by code.
    fn add_reason(&self, reasons: &mut BTreeMap<String, u64>) {
        if let Some((reason, _)) = self.reason() {
            *reasons.entry(reason.as_str().to_owned()).or_default() += 1;
        }
    }

    /// Adds what the message costs to counters of costs.
    fn add_costs(&self, counters: &mut BTreeMap<String, u64>) {
        let raised = self.message.iter().flat_map(|message| count_message(None, message));
        let of_cost = |name: &str| {
            let sms = ["accepted_sms", "billed_sms"];
            match Counter::read(name) {
                Counter::Paid(..) | Counter::Listed(_) | Counter::Free => true,
                Counter::Word(word) => sms.contains(&word),
                _ => false,
            }
        };
        for (name, count) in raised.filter(|(name, _)| of_cost(name)) {
            *counters.entry(name).or_default() += count;
        }
    }

    /// Whether somebody followed a tracked link of the message.
    pub fn has_clicked(&self) -> bool {
        self.message
            .as_ref()
            .is_some_and(|message| message.clicked_at.is_some())
    }
}

/// Counts of the audience of a campaign.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignTally {
    /// Number of contacts in the audience.
    pub recipients: u64,
    /// Contacts in each state.
    pub states: BTreeMap<RecipientState, u64>,
    /// Contacts who got no message, or whose message went no further, by the code of the reason.
    pub reasons: BTreeMap<String, u64>,
    /// Contacts who wrote after they had got the message.
    pub replied: u64,
    /// Contacts who followed a tracked link of it.
    #[serde(default)]
    pub clicked: u64,
    /// Contacts who have refused messages since they got it.
    #[serde(default)]
    pub opted_out: u64,
    /// Amounts paid or expected, as counters of costs.
    pub counters: BTreeMap<String, u64>,
    /// Counts of each variant, if there are some.
    #[serde(default)]
    pub variants: BTreeMap<VariantNumber, VariantTally>,
}

/// Counts of the contacts who got a variant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariantTally {
    pub recipients: u64,
    /// Contacts in each state.
    pub states: BTreeMap<RecipientState, u64>,
    /// Contacts who got no message, or whose message went no further, by the code of the reason.
    #[serde(default)]
    pub reasons: BTreeMap<String, u64>,
    /// Contacts who wrote after they had got the message.
    pub replied: u64,
    /// Contacts who followed a tracked link of it.
    pub clicked: u64,
    /// Contacts who have refused messages since they got it.
    #[serde(default)]
    pub opted_out: u64,
    /// Counters of costs of contacts who were added since the tally was read, paid or expected. They are not stored:
    /// together, the counters of all variants can have more names than a checkpoint has room for.
    #[serde(skip)]
    pub counters: BTreeMap<String, u64>,
}

impl CampaignTally {
    /// Adds somebody in the audience of this campaign.
    pub fn add(&mut self, campaign: &Campaign, recipient: &Recipient) {
        // Contacts who waited got it later, which is no comparison.
        if let Some(number) = campaign.drawn_variant(recipient.contact)
            && !campaign.variants.is_empty()
        {
            let variant = self.variants.entry(number).or_default();
            variant.recipients += 1;
            *variant.states.entry(recipient.state()).or_default() += 1;
            variant.replied += u64::from(recipient.has_replied());
            variant.clicked += u64::from(recipient.has_clicked());
            variant.opted_out += u64::from(recipient.opted_out());
            recipient.add_reason(&mut variant.reasons);
            recipient.add_costs(&mut variant.counters);
        }
        self.recipients += 1;
        *self.states.entry(recipient.state()).or_default() += 1;
        recipient.add_reason(&mut self.reasons);
        self.replied += u64::from(recipient.has_replied());
        self.clicked += u64::from(recipient.has_clicked());
        self.opted_out += u64::from(recipient.opted_out());
        recipient.add_costs(&mut self.counters);
    }
}

/// Counts of a step of a drip.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepTally {
    /// Contacts who came to it.
    pub taken: u64,
    /// Contacts whose step did nothing.
    pub skipped: u64,
    /// Contacts who fulfilled the condition of a branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fulfilled: Option<u64>,
    /// Messages in each state.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub states: BTreeMap<RecipientState, u64>,
    /// Contacts who wrote after they had got the message.
    pub replied: u64,
    /// Contacts who followed a tracked link of it.
    pub clicked: u64,
    /// Contacts who have refused messages since they got it.
    #[serde(default)]
    pub opted_out: u64,
}

/// Counts of the contacts who entered a drip.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DripTally {
    /// Version of the steps that are counted, once it is known.
    pub version: Option<u32>,
    /// Number of contacts who entered it.
    pub entered: u64,
    /// Contacts in each state.
    pub statuses: BTreeMap<EnrolmentStatus, u64>,
    /// Contacts who left it before its end, by the code of the reason.
    pub reasons: BTreeMap<String, u64>,
    /// The steps of the version, by their places.
    pub steps: BTreeMap<usize, StepTally>,
    /// Steps of other versions whose names it does not have, together.
    pub other: StepTally,
    /// Counters of costs, paid or expected.
    pub counters: BTreeMap<String, u64>,
}

impl DripTally {
    /// Adds a contact. `contact`: as it is stored, unless it was erased or merged; `messages`: the stored messages of the enrolment, and
    /// others.
    pub fn add(
        &mut self,
        steps: &Steps,
        enrolment: &Enrolment,
        exit: Option<&Exit>,
        contact: Option<&Contact>,
        messages: &mut HashMap<MessageId, Message>,
    ) {
        let Some(passage) = &enrolment.passage else { return };
        self.entered += 1;
        let status = EnrolmentStatus::of(passage, exit.is_some());
        *self.statuses.entry(status).or_default() += 1;
        if let Some(exit) = exit {
            let reason = exit.because.code.as_str().to_owned();
            *self.reasons.entry(reason).or_default() += 1;
        }
        for taken in &passage.taken {
            let place = steps.iter().position(|step| step.name == taken.step);
            let step = match place {
                Some(place) => self.steps.entry(place).or_default(),
                None => &mut self.other,
            };
            step.taken += 1;
            step.skipped += u64::from(taken.skipped.is_some());
            if let Some(fulfilled) = taken.fulfilled {
                *step.fulfilled.get_or_insert_default() += u64::from(fulfilled);
            }
            let Some(id) = taken.message_id else { continue };
            let got = Recipient {
                contact: enrolment.contact,
                message: messages.remove(&id),
                exit: None,
                wrote_at: contact.and_then(|contact| contact.last_written_at),
                refused_at: contact.and_then(|contact| contact.consent.last_refused_at()),
                all_made: true,
            };
            *step.states.entry(got.state()).or_default() += 1;
            step.replied += u64::from(got.has_replied());
            step.clicked += u64::from(got.has_clicked());
            step.opted_out += u64::from(got.opted_out());
            got.add_costs(&mut self.counters);
        }
    }
}

/// Parameters of the operation that reports on a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportCampaign {
    pub campaign: CampaignId,
}

/// A position in the audience of a campaign: everybody of the parts before, and of this one up to a contact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InAudience {
    pub part: u8,
    /// The contact. `None`: at the beginning of the part.
    pub after: Option<ContactId>,
}

impl InAudience {
    /// The position behind a page of the part. `after` is the last contact of the page unless the part is over. `None` behind the last
    /// part.
    pub fn behind(self, after: Option<ContactId>) -> Option<Self> {
        let part = self.part + u8::from(after.is_none());
        (part < Enrolment::PARTS).then_some(Self { part, after })
    }
}

impl fmt::Display for InAudience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.part)?;
        self.after.map_or(Ok(()), |after| write!(f, "{after}"))
    }
}

/// A text that is no position in an audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no position in an audience")]
pub struct NotInAudience;

impl FromStr for InAudience {
    type Err = NotInAudience;

    fn from_str(text: &str) -> Result<Self, NotInAudience> {
        let (part, after) = text.split_once(':').ok_or(NotInAudience)?;
        let after = match after {
            "" => None,
            after => Some(after.parse().map_err(|_| NotInAudience)?),
        };
        let part = part.parse().ok().filter(|part| *part < Enrolment::PARTS);
        let part = part.ok_or(NotInAudience)?;
        Ok(Self { part, after })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaigns::Taken;
    use crate::messages::{AttemptState, OptFlag, SendOutcome, StatusReport};
    use crate::samples::{Case, NOON, at, message_of, timers};
    use crate::terms::{Refusal, Resource as _};

    fn recipient() -> Recipient {
        let case = Case::new();
        Recipient {
            contact: case.contact.id,
            message: None,
            exit: None,
            wrote_at: None,
            refused_at: None,
            all_made: false,
        }
    }

    /// A broadcast with a variant.
    fn campaign() -> Campaign {
        let fields = serde_json::json!({
            "type": "broadcast", "name": "Offer",
            "variants": [{"name": "Shorter", "percent": 50, "sms_text": "20% off"}],
        });
        let fields = serde_json::from_value(fields).unwrap();
        Campaign::new(ulid::Ulid::from_parts(7, 9), fields, at(NOON))
    }

    /// A message that was accepted and read at noon.
    fn read_message() -> Message {
        let (now, timers) = (at(NOON), timers());
        let mut message = message_of(Case::new().plan(), now);
        message.claim(0, "claim".to_owned(), now, &timers);
        let accepted = SendOutcome::Accepted {
            provider_ref: "wamid.1".parse().unwrap(),
            segments: None,
        };
        message.record(1, accepted, now, &timers);
        let read = StatusReport {
            state: AttemptState::Read,
            at: now,
            provider_ref: "wamid.1".parse().unwrap(),
            error: None,
            cost: None,
        };
        message.apply(1, read, now, &timers);
        message
    }

    #[test]
    fn everybody_counts_once_by_state_and_reason() {
        let (mut tally, campaign, now) = (CampaignTally::default(), campaign(), at(NOON));
        let mut add = |recipient: Recipient| tally.add(&campaign, &recipient);
        add(recipient());
        let why = Refusal::new(Reason::NoConsent, "no opt-in");
        add(Recipient {
            exit: Some(Exit::new(why, now)),
            ..recipient()
        });
        let mut message = read_message();
        assert!(message.click(now) && !message.click(now), "only the first time counts");
        add(Recipient {
            message: Some(message),
            wrote_at: Some(now + jiff::SignedDuration::from_mins(1)),
            refused_at: Some(now + jiff::SignedDuration::from_mins(2)),
            ..recipient()
        });
        let mut late = message_of(Case::new().plan(), now);
        late.block(Refusal::new(Reason::Late, "too late"));
        add(Recipient {
            message: Some(late),
            wrote_at: Some(now),
            refused_at: Some(now + jiff::SignedDuration::from_mins(2)),
            ..recipient()
        });
        add(Recipient {
            all_made: true,
            ..recipient()
        });
        // Whoever refused messages without having got this one is not counted.
        assert_eq!(
            (tally.recipients, tally.replied, tally.clicked, tally.opted_out),
            (5, 1, 1, 1)
        );
        use RecipientState::{Blocked, LeftOut, NotRetained, Read, Waiting};
        let states = [Waiting, LeftOut, Read, Blocked, NotRetained];
        assert_eq!(tally.states, states.map(|state| (state, 1)).into());
        let reasons = ["no_consent", "late"].map(|reason| (reason.to_owned(), 1));
        assert_eq!(tally.reasons, reasons.into());
        // They are of one contact, who has one variant.
        let of_variant = VariantTally {
            recipients: 5,
            states: tally.states.clone(),
            reasons: tally.reasons.clone(),
            replied: 1,
            clicked: 1,
            opted_out: 1,
            counters: tally.counters.clone(),
        };
        let number = campaign.variant_of(recipient().contact).unwrap();
        assert_eq!(tally.variants, [(number, of_variant)].into());
        assert!(!tally.counters.is_empty(), "it is expected to cost something");
    }

    /// The welcome was read, and answered; a message of a former version is not kept any more.
    #[test]
    fn drip_counts_contacts_by_status_and_messages_by_step() {
        let step = |name: &str| {
            let message = serde_json::json!({"channels": ["sms"], "sms_text": "Hello"});
            serde_json::json!({"name": name, "does": {"type": "message", "message": message}})
        };
        let read = |value: serde_json::Value| serde_json::from_value::<Taken>(value).unwrap();
        let steps = serde_json::from_value(serde_json::json!([step("welcome"), step("offer")])).unwrap();
        let (mut case, now) = (Case::new(), at(NOON));
        let message = read_message();
        let other = message_of(Case::new().plan(), now + jiff::SignedDuration::from_secs(1)).id;
        let mut enrolment = Enrolment::new(CampaignId::new(ulid::Ulid(1)), Some(1), case.contact.id, now);
        enrolment.passage.as_mut().unwrap().taken = vec![
            read(serde_json::json!({"step": "welcome", "at": now, "message_id": message.id})),
            read(serde_json::json!({"step": "read?", "at": now, "fulfilled": true})),
            read(serde_json::json!({"step": "gone", "at": now, "message_id": other})),
            read(serde_json::json!({"step": "offer", "at": now, "skipped": "the contact has a landline"})),
        ];
        let left = Exit::new(Refusal::new(Reason::OptedOut, "refuses all"), now);
        let mut tally = DripTally::default();
        let after = now + jiff::SignedDuration::from_mins(1);
        case.contact.last_inbound_at = Some(after);
        case.contact.wish(OptFlag::Stop, "wrote STOP", after);
        let mut stops = DripTally::default();
        let mut welcome = HashMap::from([(message.id, message.clone())]);
        stops.add(&steps, &enrolment, None, Some(&case.contact), &mut welcome);
        assert_eq!((stops.steps[&0].replied, stops.steps[&0].opted_out), (0, 1));
        case.contact.wrote(after);
        let mut messages = HashMap::from([(message.id, message)]);
        tally.add(&steps, &enrolment, Some(&left), Some(&case.contact), &mut messages);
        let another = Enrolment::new(enrolment.campaign, Some(1), case.contact.id, now);
        tally.add(&steps, &another, None, None, &mut messages);
        assert_eq!(tally.entered, 2);
        let statuses = [EnrolmentStatus::Active, EnrolmentStatus::Exited];
        assert_eq!(tally.statuses, statuses.map(|status| (status, 1)).into());
        assert_eq!(tally.reasons, [("opted_out".to_owned(), 1)].into());
        let welcome = StepTally {
            taken: 1,
            states: [(RecipientState::Read, 1)].into(),
            replied: 1,
            opted_out: 1,
            ..StepTally::default()
        };
        let offer = StepTally {
            taken: 1,
            skipped: 1,
            ..StepTally::default()
        };
        assert_eq!(tally.steps, [(0, welcome), (1, offer)].into());
        let other = StepTally {
            taken: 2,
            fulfilled: Some(1),
            states: [(RecipientState::NotRetained, 1)].into(),
            ..StepTally::default()
        };
        assert_eq!(tally.other, other);
        assert!(!tally.counters.is_empty(), "the welcome is expected to cost something");
    }

    #[test]
    fn positions_in_an_audience_are_read_back() {
        let contact = Case::new().contact.id;
        for (part, after) in [(0, None), (15, Some(contact))] {
            let position = InAudience { part, after };
            assert_eq!(position.to_string().parse(), Ok(position));
        }
        for wrong in ["", "16:", "x:", "1", "1:ctc", "300:"] {
            assert_eq!(wrong.parse::<InAudience>(), Err(NotInAudience), "{wrong}");
        }
        let first = InAudience::default();
        assert_eq!(
            first.behind(Some(contact)),
            Some(InAudience {
                part: 0,
                after: Some(contact)
            })
        );
        assert_eq!(first.behind(None), Some(InAudience { part: 1, after: None }));
        assert_eq!(InAudience { part: 15, after: None }.behind(None), None);
    }
}
