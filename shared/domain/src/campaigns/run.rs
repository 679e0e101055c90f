//! The run of a campaign: its recipients, their messages, and its pace.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::campaigns::{Campaign, CampaignMessage, CampaignType, Passage, SendWindow, Stopped};
use crate::messages::{Cause, Intent, Message, Says, Words};
use crate::people::Contact;
use crate::tenants::{Tenant, recipient_zone};
use crate::terms::{
    Because, CampaignId, CampaignState, Channel, ContactId, Data, Narrowing, Operation, OperationId, OperationKind,
    Purpose, QuietAction, QuietHours, Reason, Recipient, Refusal, UpTo, Warning,
};

/// Lead for making a message before it leaves by the recipient's clock, in addition to the time for making all of them:
/// they leave at once then, and changes since the campaign began are still seen.
const LEAD: SignedDuration = SignedDuration::from_mins(30);

/// Parameters of the operation that runs a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunCampaign {
    pub campaign: CampaignId,
}

impl RunCampaign {
    /// The id of a campaign's operation. It has one, so two starts at once start it once.
    pub const fn operation_id(campaign: CampaignId) -> OperationId {
        OperationId::new(campaign.ulid())
    }
}

/// A contact in the audience of a campaign, which is fixed when the campaign begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    pub campaign: CampaignId,
    pub contact: ContactId,
    pub at: Timestamp,
    /// The reason why the contact gets no message. `None`: the campaign has not come to the contact, or there is a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<Exit>,
    /// Progress of the contact, if the campaign is a drip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passage: Option<Passage>,
}

/// The reason why somebody in an audience gets no message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// Time of the decision.
    pub at: Timestamp,
    /// The reason, in one sentence.
    pub why: String,
    /// Code and facts of the sentence.
    pub because: Because,
}

impl Exit {
    /// The exit for this reason.
    pub fn new(why: Refusal, at: Timestamp) -> Self {
        let reason = why.reason;
        let (why, because) = why.split();
        Self {
            at,
            why,
            because: because.unwrap_or_else(|| Because::from(reason)),
        }
    }
}

impl Enrolment {
    /// Retention of the row.
    pub const RETAINED: SignedDuration = SignedDuration::from_hours(365 * 24);

    /// Parts of an audience. Its lists are spread over them.
    pub const PARTS: u8 = 16;

    /// The part of an audience that a contact is in.
    pub fn part(contact: ContactId) -> u8 {
        u8::try_from(contact.ulid().random() % u128::from(Self::PARTS)).unwrap_or_default()
    }

    /// A contact's enrolment at this time, with the version of the steps of a drip.
    pub fn new(campaign: CampaignId, steps: Option<u32>, contact: ContactId, at: Timestamp) -> Self {
        Self {
            campaign,
            contact,
            at,
            exit: None,
            passage: steps.map(|version| Passage::new(version, at)),
        }
    }

    /// Time of the next look at its step, in a drip.
    pub fn next_step_at(&self) -> Option<Timestamp> {
        self.passage
            .as_ref()
            .and_then(|passage| passage.next)
            .map(|next| next.at)
    }

    /// Whether steps of a drip are to come.
    pub fn is_active(&self) -> bool {
        self.exit.is_none() && self.next_step_at().is_some()
    }

    /// Beginning of its retention.
    pub fn kept_from(&self) -> Timestamp {
        let taken = self.passage.as_ref().and_then(|passage| passage.taken.last());
        let left = self
            .exit
            .as_ref()
            .filter(|_| self.passage.is_some())
            .map(|exit| exit.at);
        let last = taken.map(|taken| taken.at).max(self.next_step_at()).max(left);
        last.map_or(self.at, |last| last.max(self.at))
    }

    /// Records that the contact has left the campaign, at this time.
    #[must_use]
    pub fn with_exit(mut self, why: Refusal, at: Timestamp) -> Self {
        if let Some(passage) = &mut self.passage {
            passage.next = None;
        }
        self.exit = Some(Exit::new(why, at));
        self
    }
}

impl Campaign {
    /// The campaign with the message of a step.
    #[must_use]
    pub fn saying(&self, message: &CampaignMessage) -> Self {
        Self {
            kind: CampaignType::Broadcast,
            message: message.clone(),
            variants: UpTo::default(),
            hold_percent: None,
            ..self.clone()
        }
    }

    /// Version of the steps for contacts who enter it, if it is a drip.
    pub fn drips(&self) -> Option<u32> {
        self.steps_version.filter(|_| self.kind == CampaignType::Drip)
    }

    /// The cause of a contact's message.
    pub const fn cause(&self, contact: ContactId) -> Cause {
        Cause::Campaign {
            campaign: self.id,
            contact,
            step: None,
        }
    }

    /// Earliest time when the campaign sends this recipient a message that is made now, apart from quiet hours.
    pub fn planned_at(&self, tenant: &Tenant, to: &Recipient, now: Timestamp) -> Timestamp {
        let local = self
            .starts_at_local
            .map(|local| local.in_zone(recipient_zone(tenant, to.phone.as_ref()).rules()));
        local.map_or(now, |local| local.max(now))
    }

    /// Lead for making messages before the recipients' clocks show its time.
    pub fn lead(&self) -> SignedDuration {
        let minutes = self.recipients.unwrap_or_default() / u64::from(USUAL_PER_MINUTE);
        LEAD + SignedDuration::from_mins(i64::try_from(minutes).unwrap_or_default())
    }

    /// The campaign's intent for a contact of the tenant. It says nothing as long as it is incomplete.
    pub fn intent(&self, tenant: &Tenant, contact: &Contact, now: Timestamp) -> Intent<'_> {
        let message = &self.message;
        let words = |channel: Channel| match channel {
            Channel::WhatsApp => message.template.as_ref().map(Words::Template),
            Channel::Sms => message.sms_text.as_ref().map(Words::Text),
        };
        let says = message.channels.iter().map(|channel| Says {
            channel: *channel,
            words: words(*channel).unwrap_or(Words::None("the campaign has no content for it")),
        });
        let by = format!("campaign {:?}", self.name.as_str());
        let (cause, to) = (self.cause(contact.id), contact.recipient());
        let planned = self.planned_at(tenant, &to, now);
        Intent {
            narrowing: Narrowing {
                quiet: self.send_window.map(SendWindow::outside),
                fallback_after_seconds: message.fallback_after_seconds.get(),
                ..Narrowing::default()
            },
            line: message.line,
            says: says.collect(),
            not_before: planned,
            ..Intent::new(cause, Purpose::Campaign, message.category, to, &by, now)
        }
    }

    /// The first of these warnings that keeps the message from everybody at present, by a channel at least. The campaign is paused then:
    /// what it lacks can come back, and otherwise nobody would get it.
    pub fn obstacle(warnings: Vec<Warning>) -> Option<Refusal> {
        let of_all = |reason: Reason| {
            matches!(
                reason,
                Reason::NoTemplate
                    | Reason::TemplateNotApproved
                    | Reason::TemplateCategory
                    | Reason::TemplateBroken
                    | Reason::NoContentSid
                    | Reason::NoSender
                    | Reason::AssetUnusable
            )
        };
        let mut all = warnings.into_iter().map(|warning| warning.why);
        all.find(|why| of_all(why.reason))
    }

    /// The campaign in another state, if the table allows it.
    #[must_use]
    pub fn with_state(&self, next: CampaignState, stopped: Option<Refusal>, now: Timestamp) -> Option<Self> {
        self.state.may_become(next).then(|| Self {
            state: next,
            started_at: match (self.state, next) {
                (_, CampaignState::Scheduled) | (CampaignState::Paused, CampaignState::Running) => Some(now),
                _ => self.started_at,
            },
            began_at: self.began_at.or((next == CampaignState::Running).then_some(now)),
            ended_at: next.is_final().then_some(now),
            stopped: stopped.map(Stopped::from),
            limited_until: None,
            updated_at: now,
            ..self.clone()
        })
    }

    /// The campaign when it is started, with the operation that runs it, which begins at the campaign's time.
    pub fn start_with_operation(&self, by: &crate::terms::Stamp) -> Option<(Self, Operation)> {
        let next = self.with_state(CampaignState::Scheduled, None, by.at)?;
        let (id, kind) = (RunCampaign::operation_id(self.id), OperationKind::RunCampaign);
        let params = Data::small(serde_json::json!(RunCampaign { campaign: self.id }));
        let operation = Operation::new(id, kind, params, by.actor, by.correlation_id.clone(), by.at);
        let operation = match self.begins_at().filter(|at| by.at < *at) {
            Some(at) => operation.not_before(at),
            None => operation,
        };
        let campaign = Self {
            operation_id: Some(id),
            ..next
        };
        Some((campaign, operation))
    }
}

impl SendWindow {
    /// The other hours, when messages wait.
    pub const fn outside(self) -> QuietHours {
        QuietHours {
            from: self.to,
            to: self.from,
            action: QuietAction::Defer,
        }
    }
}

/// Pace of a campaign's messages: a steady rate. After a pause, two minutes' worth may be made at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// Time of the next message.
    next: Timestamp,
}

/// Messages per minute of a campaign that says nothing: what a number of WhatsApp sends, 80 a second.
pub const USUAL_PER_MINUTE: u32 = 4_800;

/// The campaign is at most this far ahead of its rate, and behind it.
const SPAN: SignedDuration = SignedDuration::from_mins(1);

impl Pace {
    /// A campaign that begins now.
    pub const fn new(now: Timestamp) -> Self {
        Self { next: now }
    }

    /// The reason why a message is not made any more.
    pub fn over() -> Refusal {
        let days = MAX_RUN.as_hours() / 24;
        let sentence = format!("it has run for {days} days; send the rest by another campaign");
        Refusal::new(Reason::Late, sentence)
    }

    fn interval(per_minute: u32) -> SignedDuration {
        SPAN / i32::try_from(per_minute.max(1)).unwrap_or(i32::MAX)
    }

    /// Time when the message after this many is made, if the campaign begins at this time and nothing delays it.
    /// `None`: it is never made, since the campaign [ends](MAX_RUN) before.
    pub fn made_at(begins_at: Timestamp, before: u64, per_minute: u32) -> Option<Timestamp> {
        let due = i32::try_from(before).ok()?.checked_add(1)?;
        let after = Self::interval(per_minute).checked_mul(due)?.saturating_sub(SPAN);
        (after <= MAX_RUN).then(|| begins_at + after.max(SignedDuration::ZERO))
    }

    /// Number of messages that may be made now.
    pub fn room(self, per_minute: u32, now: Timestamp) -> usize {
        let from = self.next.max(now - SPAN);
        let ahead = (now + SPAN).duration_since(from).as_micros();
        let interval = Self::interval(per_minute).as_micros().max(1);
        usize::try_from(ahead / interval).unwrap_or_default()
    }

    /// The pace after this number of messages.
    #[must_use]
    pub fn after(self, made: usize, per_minute: u32, now: Timestamp) -> Self {
        let made = i32::try_from(made).unwrap_or(i32::MAX);
        Self {
            next: self.next.max(now - SPAN) + Self::interval(per_minute) * made,
        }
    }

    /// Time of the next turn: half a minute's worth may be made by then, and one message at least.
    pub fn next_turn_at(self, per_minute: u32) -> Timestamp {
        self.next - SPAN + (SPAN / 2).max(Self::interval(per_minute))
    }
}

/// Maximum time that a campaign makes messages. After it, the first messages may be deleted, and must not be made again.
pub const MAX_RUN: SignedDuration = SignedDuration::from_hours(20 * 24);

/// Whether a message that was made a while ago still waits to be sent, although nothing but the providers' limits keeps it. Then more
/// messages would only wait behind it.
pub fn is_behind(message: &Message, now: Timestamp) -> bool {
    message.attempts.is_empty() && message.ended.is_none() && message.not_before < now + SPAN * 10
}

/// Whether something of a message may still be sent, or its outcome is not known.
pub fn may_still_send(message: &Message, now: Timestamp) -> bool {
    message.due.is_some() || message.may_be_sent(now)
}

/// The reason why a contact does not enter a drip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoEntry {
    /// The drip has not begun, or has ended.
    NotOpen,
    /// The contact is in it.
    Inside,
    /// The contact has been in it, and it allows no reentry.
    Before,
}

impl Campaign {
    /// The exit of an enrolment in the drip, also one that no step has met yet. `contact`: if it is known.
    pub fn exit_of(&self, enrolment: &Enrolment, contact: Option<&Contact>) -> Option<Exit> {
        if enrolment.exit.is_some() || !enrolment.is_active() {
            return enrolment.exit.clone();
        }
        let ended = self.ended_at.map(|at| {
            let sentence = "the campaign was cancelled";
            (Refusal::new(Reason::CampaignCancelled, sentence), at)
        });
        let (why, at) = ended.or_else(|| self.exits.reason(contact?, enrolment.at))?;
        Some(Exit::new(why, at))
    }

    /// The enrolment of a contact who enters the drip at this time. `known`: the person's former one.
    ///
    /// # Errors
    /// The reason why the contact does not enter it.
    pub fn enrol_contact(
        &self,
        contact: &Contact,
        known: Option<&Enrolment>,
        at: Timestamp,
    ) -> Result<Enrolment, NoEntry> {
        let is_open = matches!(self.state, CampaignState::Running | CampaignState::Paused);
        let version = self.drips().filter(|_| is_open).ok_or(NoEntry::NotOpen)?;
        if let Some(known) = known {
            // An exit that no step has met yet is one, too.
            if known.is_active() && self.exits.reason(contact, known.at).is_none() {
                return Err(NoEntry::Inside);
            }
            if !self.reentry {
                return Err(NoEntry::Before);
            }
        }
        Ok(Enrolment::new(self.id, Some(version), contact.id, at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaigns::CampaignIn;
    use crate::messages::{Composed, compose_message};
    use crate::samples::{Case, at};
    use crate::terms::{Resource as _, Stamp};

    fn campaign(case: &Case, fields: serde_json::Value) -> Campaign {
        let fields: CampaignIn = serde_json::from_value(fields).unwrap();
        Campaign::new(ulid::Ulid::from_parts(7, 9), fields, case.now)
    }

    fn offer() -> serde_json::Value {
        serde_json::json!({
            "type": "broadcast", "name": "Offer",
            "message": {"channels": ["sms"], "category": "marketing", "sms_text": "{{contact.first_name|Hello}}: 20% off"},
        })
    }

    /// The message of the campaign to the contact of the case.
    fn compose_for_case(campaign: &Campaign, case: &Case) -> Result<Composed, Refusal> {
        case.with_world(|_, world| {
            compose_message(&campaign.intent(&world.config.tenant, world.contact, world.now), world)
        })
    }

    fn opted_in() -> Case {
        let mut case = Case::new();
        let start = crate::messages::OptFlag::Start;
        case.contact.wish(start, "wrote START", at("2026-03-03T10:00:00Z"));
        case
    }

    #[test]
    fn contacts_enter_an_open_drip_unless_they_are_or_were_in_it() {
        let case = Case::new();
        let now = case.now;
        let mut drip = campaign(&case, serde_json::json!({"type": "drip", "name": "Welcome"}));
        drip.steps_version = Some(3);
        let began = at("2026-11-19T08:00:00Z");
        let inside = Enrolment::new(drip.id, Some(2), case.contact.id, began);
        let left = inside.clone().with_exit(
            Refusal::since(crate::terms::CancelEvent::Author, "taken out".to_owned()),
            began,
        );
        let mut over = inside.clone();
        over.passage.as_mut().unwrap().next = None;
        let mut wrote = case.contact.clone();
        wrote.last_written_at = Some(at("2026-11-19T09:00:00Z"));
        // Without and with reentry.
        let cases = [
            (&case.contact, None, [None, None]),
            (&case.contact, Some(&inside), [Some(NoEntry::Inside); 2]),
            (&case.contact, Some(&left), [Some(NoEntry::Before), None]),
            (&case.contact, Some(&over), [Some(NoEntry::Before), None]),
            (&wrote, Some(&inside), [Some(NoEntry::Before), None]),
        ];
        for state in CampaignState::ALL {
            drip.state = state;
            let is_open = matches!(state, CampaignState::Running | CampaignState::Paused);
            for (contact, known, expected) in &cases {
                for (reentry, refused) in [false, true].into_iter().zip(expected) {
                    drip.reentry = reentry;
                    let entered = drip.enrol_contact(contact, *known, now);
                    let refused = if is_open { *refused } else { Some(NoEntry::NotOpen) };
                    let first = Enrolment::new(drip.id, Some(3), contact.id, now);
                    assert_eq!(entered, refused.map_or(Ok(first), Err), "{state:?} {reentry} {known:?}");
                }
            }
        }
    }

    #[test]
    fn everybody_with_an_opt_in_gets_the_message_in_bulk() {
        let case = opted_in();
        let campaign = campaign(&case, offer());
        let made = compose_for_case(&campaign, &case).unwrap();
        assert_eq!(made.policy.lane(), crate::terms::Lane::Bulk);
        assert_eq!(made.cause, campaign.cause(case.contact.id));
        assert_eq!(made.cause.message_id().contact(), case.contact.id);
        let refused = compose_for_case(&campaign, &Case::new());
        assert_eq!(refused.unwrap_err().reason, Reason::NoConsent);
    }

    #[test]
    fn message_waits_for_the_send_window_of_the_recipient() {
        let mut case = opted_in();
        case.now = at("2026-11-20T12:00:00+04:00");
        let mut fields = offer();
        fields["send_window"] = serde_json::json!({"from": "18:00", "to": "20:00"});
        let campaign = campaign(&case, fields);
        let not_before = compose_for_case(&campaign, &case).unwrap().not_before;
        assert_eq!(not_before, at("2026-11-20T18:00:00+04:00"));
    }

    /// The message is sent at once where clocks have shown the time.
    #[test]
    fn message_waits_for_the_time_by_the_recipients_clock() {
        let mut case = opted_in();
        let mut fields = offer();
        fields["starts_at_local"] = serde_json::json!("2026-11-21T09:00");
        let mut campaign = campaign(&case, fields);
        assert_eq!(campaign.begins_at(), Some(at("2026-11-20T19:00:00Z")));
        let leaves_at = |case: &Case| compose_for_case(&campaign, case).unwrap().not_before;
        case.now = at("2026-11-20T19:00:00Z");
        assert_eq!(leaves_at(&case), at("2026-11-21T09:00:00+04:00"));
        case.now = at("2026-11-21T09:30:00+04:00");
        assert_eq!(leaves_at(&case), case.now);
        // As many as are made in an hour are made an hour earlier.
        assert_eq!(campaign.lead(), SignedDuration::from_mins(30));
        campaign.recipients = Some(60 * u64::from(USUAL_PER_MINUTE));
        assert_eq!(campaign.lead(), SignedDuration::from_mins(90));
    }

    /// Whoever was texted yesterday at nine can be texted today at nine, however early the message is made.
    #[test]
    fn frequency_counts_until_the_message_leaves() {
        let mut case = opted_in();
        let mut fields = offer();
        fields["starts_at_local"] = serde_json::json!("2026-11-21T09:00");
        let campaign = campaign(&case, fields);
        let leaves = at("2026-11-21T09:00:00+04:00");
        case.now = leaves - SignedDuration::from_mins(30);
        for (texted, refused) in [(0, None), (1, Some(Reason::Frequency))] {
            case.contact.last_counted_at = Some(leaves - SignedDuration::from_secs(86_400 - texted));
            assert_eq!(compose_for_case(&campaign, &case).err().map(|why| why.reason), refused);
        }
    }

    #[test]
    fn message_of_a_contact_and_a_campaign_is_one() {
        let case = Case::new();
        let (first, mut other) = (campaign(&case, offer()), campaign(&case, offer()));
        other.id = CampaignId::new(ulid::Ulid::from_parts(7, 10));
        let id = |campaign: &Campaign| campaign.cause(case.contact.id).message_id();
        assert_eq!(id(&first), id(&first));
        assert_ne!(id(&first), id(&other));
    }

    #[test]
    fn campaign_begins_at_its_time_and_is_started_once() {
        let case = Case::new();
        let by = Stamp {
            actor: crate::terms::Actor::Operator,
            at: case.now,
            correlation_id: "cor".to_owned(),
        };
        let later = case.now + SignedDuration::from_hours(5);
        let mut fields = offer();
        fields["starts_at"] = serde_json::json!(later);
        let (started, operation) = campaign(&case, fields).start_with_operation(&by).unwrap();
        assert_eq!((started.state, operation.due), (CampaignState::Scheduled, Some(later)));
        assert_eq!(started.operation_id, Some(operation.id));
        assert_eq!(started.start_with_operation(&by), None);
        let running = started.with_state(CampaignState::Running, None, later).unwrap();
        assert_eq!((running.began_at, running.ended_at), (Some(later), None));
        let why = Refusal::new(Reason::NoTemplate, "gone");
        let paused = running.with_state(CampaignState::Paused, Some(why), later).unwrap();
        assert_eq!(
            paused.stopped.as_ref().map(|stopped| stopped.code),
            Some(Reason::NoTemplate)
        );
        let resumed = paused.with_state(CampaignState::Running, None, later + SPAN).unwrap();
        assert_eq!((resumed.began_at, resumed.stopped), (Some(later), None));
        assert_eq!(paused.with_state(CampaignState::Completed, None, later), None);
    }

    #[test]
    fn a_message_is_held_until_its_campaign_is_resumed() {
        let case = opted_in();
        let campaign = campaign(&case, offer());
        let timers = crate::samples::timers();
        let made = compose_for_case(&campaign, &case).unwrap();
        let mut message = made.message("cor".to_owned(), case.now, &timers);
        assert!(!message.is_held());
        let hold = |message: &mut Message| {
            let why = Refusal::new(Reason::CampaignPaused, "paused");
            message.postpone(case.now + SignedDuration::from_hours(1), why, case.now, &timers);
        };
        hold(&mut message);
        assert!(message.is_held() && case.now < message.not_before);
        message.release(case.now, &timers);
        assert!(!message.is_held() && message.not_before <= case.now);
        for _ in 0..20 {
            hold(&mut message);
            assert!(message.is_held(), "again");
            message.release(case.now, &timers);
            assert!(!message.is_held(), "again");
        }
    }

    /// Whenever it is asked, and whatever it made before.
    #[test]
    fn no_campaign_is_faster_than_its_rate() {
        let begun = at("2026-11-20T10:00:00Z");
        for per_minute in [1, 7, 600, 60_000] {
            let (mut pace, mut made) = (Pace::new(begun), 0);
            for second in [0, 1, 20, 59, 60, 61, 130, 600, 601, 660] {
                let now = begun + SignedDuration::from_secs(second);
                let room = pace.room(per_minute, now);
                pace = pace.after(room, per_minute, now);
                made += room;
                assert_eq!(pace.room(per_minute, now), 0);
                if second <= 130 {
                    let at = |before: usize| Pace::made_at(begun, before as u64, per_minute).unwrap();
                    assert!(at(made - 1) <= now && now < at(made), "{per_minute} {second}: {made}");
                }
                let minutes = (second + 60) as f64 / 60.0;
                assert!(
                    made as f64 <= minutes * f64::from(per_minute),
                    "{per_minute} {second}: {made}"
                );
            }
            // It was idle for nearly eight minutes, and makes up for one of them.
            assert!(made >= 5 * per_minute as usize, "{per_minute}: {made}");
            let again = pace.next_turn_at(per_minute);
            assert!(pace.room(per_minute, again) > 0, "{per_minute}");
        }
    }
}
