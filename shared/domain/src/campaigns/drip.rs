//! The way of a contact through the steps of a drip: where somebody is, what comes next and when, and who leaves it before its end.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::campaigns::{Action, Condition, Exits, StepName, Steps};
use crate::messages::Message;
use crate::money::Period;
use crate::people::{Contact, Person};
use crate::terms::{CancelEvent, MessageId, Reason, Refusal, StageId, TagId};

/// Progress of a contact in a drip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passage {
    /// Version of its steps, from its beginning to its end.
    pub version: u32,
    /// The next step. `None`: there is none, so it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NextStep>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_message: Option<MessageId>,
    /// Steps that were taken, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken: Vec<Taken>,
}

/// A step to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextStep {
    /// Its place among the steps.
    pub place: usize,
    /// Time of the next look at it.
    pub at: Timestamp,
    /// Beginning of its wait, if it is one and has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_since: Option<Timestamp>,
}

/// A step that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DripStepTaken"))]
pub struct Taken {
    /// Name of the step.
    pub step: StepName,
    /// Time when it was taken.
    pub at: Timestamp,
    /// The message, of a step that has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// Whether the condition of a branch was fulfilled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fulfilled: Option<bool>,
    /// The reason for doing nothing, in one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = &"the contact has a landline"))]
    pub skipped: Option<String>,
}

/// The data that a look at a passage needs.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    pub steps: &'a Steps,
    pub person: &'a Person,
    /// The latest message, if it is kept.
    pub last: Option<&'a Message>,
    /// Time zone of the contact.
    pub zone: &'a TimeZone,
    pub now: Timestamp,
}

/// The result of a look at a passage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Nothing yet: its next step has a later time.
    Later,
    /// The message of this step is to be sent.
    Say(NextStep),
    /// The contact is to get a tag, or to lose it.
    Tag(TagId, bool),
    /// The contact is to get into a stage.
    Stage(StageId),
    /// People are to be told by this step.
    Notify(NextStep),
    Over,
}

/// Time until a step looks again for the message before it, which has not left yet.
const UNSENT_LOOK: SignedDuration = SignedDuration::from_mins(1);
/// Usual delay between making and sending a message. It does not move the wait behind the message.
const USUAL_DELAY: SignedDuration = SignedDuration::from_mins(10);

/// Steps that a cap keeps back until an hour are due this long before it begins. It orders them: a step that is due
/// then by chance is only taken a moment earlier than others.
const BEFORE_HOUR: SignedDuration = SignedDuration::from_secs(1);
/// Share of [`BEFORE_HOUR`] for the steps that are kept back in the same minute.
const OF_MINUTE: SignedDuration = SignedDuration::from_millis(16);
/// Share of the minute that stands for a day, for the steps that are put off at the same time.
const OF_MINUTE_OF_A_DAY: SignedDuration = SignedDuration::from_millis(40);

/// Whether this is the time of the next look at a step that a cap keeps back.
pub fn is_after_cap(at: Timestamp) -> bool {
    Period::Hour.next(at) <= at + BEFORE_HOUR
}

/// Time of the next look at a step that a cap keeps back, and that was due at this time: just before the next hour, which may have room
/// again. Steps that were kept back earlier are due earlier. `place`: position among the `of` steps of one run.
pub fn step_kept_back_until(due: Timestamp, place: usize, of: usize, now: Timestamp) -> Timestamp {
    let hour = Period::Hour.next(now);
    if is_after_cap(due) && Period::Hour.next(due) == hour {
        return due;
    }
    let passed = now.duration_since(Period::Hour.begin(now)) / 3_600;
    let own = share_time(OF_MINUTE, place, of);
    (hour - BEFORE_HOUR + passed + own).min(hour - SignedDuration::from_millis(1))
}

/// Time when a step is made whose message could not leave before `leaves_at`, such as the end of quiet hours. Within a
/// minute after that, steps that were put off earlier come earlier. `place`: position among the `of` steps put off now.
pub fn step_made_at(leaves_at: Timestamp, place: usize, of: usize, now: Timestamp) -> Timestamp {
    let left = SignedDuration::from_hours(24) - leaves_at.duration_since(now);
    leaves_at + left.max(SignedDuration::ZERO) / 1_440 + share_time(OF_MINUTE_OF_A_DAY, place, of)
}

/// The part of a time that passes before a place among this number of places.
fn share_time(time: SignedDuration, place: usize, of: usize) -> SignedDuration {
    let [place, of] = [place, of].map(|count| i32::try_from(count).unwrap_or(i32::MAX));
    time / of.max(1) * place.min(of)
}

/// Whether a message waits to be sent, as long as it is valid.
fn is_unsent(message: &Message, now: Timestamp) -> bool {
    message.last_sent_at().is_none() && message.may_be_sent(now)
}

impl Passage {
    /// A passage that begins now.
    pub const fn new(version: u32, now: Timestamp) -> Self {
        Self {
            version,
            next: Some(NextStep {
                place: 0,
                at: now,
                waits_since: None,
            }),
            last_message: None,
            taken: Vec::new(),
        }
    }

    /// Number of messages so far.
    pub fn messages(&self) -> usize {
        self.taken.iter().filter(|taken| taken.message_id.is_some()).count()
    }

    /// Goes on, over waits that have ended and branches, to the next step that does something or has a later time.
    pub fn go_on(&mut self, scene: Scene<'_>) -> Turn {
        let unsent = scene.last.filter(|message| is_unsent(message, scene.now));
        loop {
            let Some(next) = self.next else {
                return Turn::Over;
            };
            let Some(step) = scene.steps.at(next.place) else {
                self.next = None;
                return Turn::Over;
            };
            if scene.now < next.at {
                return Turn::Later;
            }
            // A message does not overtake the one before it. A wait does not end, and no branch asks about it, before it has left.
            let held = match step.does {
                Action::Message { .. } => true,
                Action::Wait { .. } => next.waits_since.is_some(),
                Action::Branch { when, .. } => when.is_of_message(),
                Action::Tag { .. } | Action::Stage { .. } | Action::Notify { .. } | Action::Exit {} => false,
            };
            if let Some(message) = unsent.filter(|_| held) {
                let at = (scene.now + UNSENT_LOOK).max(message.not_before);
                self.next = Some(NextStep { at, ..next });
                return Turn::Later;
            }
            match &step.does {
                Action::Message { .. } => return Turn::Say(next),
                Action::Tag { tag, remove } => return Turn::Tag(*tag, *remove),
                Action::Stage { stage } => return Turn::Stage(*stage),
                Action::Notify { .. } => return Turn::Notify(next),
                Action::Wait { wait } => {
                    let sent = scene.last.and_then(Message::last_sent_at);
                    let late = |since: Timestamp| sent.filter(|sent| since + USUAL_DELAY < *sent);
                    let begins = match next.waits_since {
                        None => Some(scene.now),
                        Some(since) => late(since),
                    };
                    match begins {
                        Some(begins) => {
                            self.next = Some(NextStep {
                                at: wait.until(begins, scene.zone),
                                waits_since: Some(begins),
                                ..next
                            });
                        }
                        None => self.took(scene.steps, Taken::new(&step.name, scene.now)),
                    }
                }
                Action::Branch { when, .. } => {
                    let taken = Taken {
                        fulfilled: Some(when.holds(scene.person, scene.last)),
                        ..Taken::new(&step.name, scene.now)
                    };
                    self.took(scene.steps, taken);
                }
                Action::Exit {} => self.took(scene.steps, Taken::new(&step.name, scene.now)),
            }
        }
    }

    /// Records that the next step was taken. The one behind it is due at once.
    fn took(&mut self, steps: &Steps, taken: Taken) {
        let Some(next) = self.next else { return };
        let place = steps.after(next.place, taken.fulfilled == Some(true));
        self.next = place.map(|place| NextStep {
            place,
            at: taken.at,
            waits_since: None,
        });
        self.last_message = taken.message_id.or(self.last_message);
        self.taken.push(taken);
    }

    /// Records that the message of the next step was made, and begins the wait behind it, if there is one.
    pub fn record_message(&mut self, scene: Scene<'_>, id: MessageId) {
        let Some(step) = self.next.and_then(|next| scene.steps.at(next.place)) else {
            return;
        };
        let taken = Taken {
            message_id: Some(id),
            ..Taken::new(&step.name, scene.now)
        };
        self.took(scene.steps, taken);
        let Some(next) = self.next else { return };
        match scene.steps.at(next.place).map(|step| &step.does) {
            Some(Action::Wait { wait }) => {
                self.next = Some(NextStep {
                    at: wait.until(scene.now, scene.zone),
                    waits_since: Some(scene.now),
                    ..next
                });
            }
            // It looks whether the message has left.
            _ => self.postpone(scene.now + UNSENT_LOOK),
        }
    }

    /// Records that the next step was skipped for this reason.
    pub fn skip(&mut self, steps: &Steps, why: &Refusal, now: Timestamp) {
        let Some(step) = self.next.and_then(|next| steps.at(next.place)) else {
            return;
        };
        let taken = Taken {
            skipped: Some(why.sentence.clone()),
            ..Taken::new(&step.name, now)
        };
        self.took(steps, taken);
    }

    /// Records that the action of the next step was done.
    pub fn did(&mut self, steps: &Steps, now: Timestamp) {
        if let Some(step) = self.next.and_then(|next| steps.at(next.place)) {
            self.took(steps, Taken::new(&step.name, now));
        }
    }

    /// Sets the time of the next look.
    pub fn postpone(&mut self, at: Timestamp) {
        if let Some(next) = &mut self.next {
            next.at = at;
        }
    }
}

impl Taken {
    /// A step that was taken now, and left nothing to say.
    fn new(step: &StepName, at: Timestamp) -> Self {
        Self {
            step: step.clone(),
            at,
            message_id: None,
            fulfilled: None,
            skipped: None,
        }
    }
}

impl Condition {
    /// Whether it is fulfilled. `last`: the drip's last message.
    fn holds(self, person: &Person, last: Option<&Message>) -> bool {
        let contact = &person.contact;
        let since = |at: Option<Timestamp>| {
            let accepted = last.and_then(Message::accepted_at);
            accepted.zip(at).is_some_and(|(accepted, at)| accepted < at)
        };
        match self {
            Self::Replied {} => since(contact.last_written_at),
            Self::Recovered {} => since(contact.last_reached_at),
            Self::Clicked {} => last.is_some_and(|message| message.clicked_at.is_some()),
            Self::Read {} => last.is_some_and(Message::was_read),
            Self::Delivered {} => last.is_some_and(Message::was_delivered),
            Self::Tag { tag } => person.profile.tags.contains(&tag),
            Self::Stage { stage } => person.profile.stage.is_some_and(|staged| staged.stage == stage),
        }
    }
}

impl Exits {
    /// The reason why a contact leaves a drip, if something has happened since that ends it, and its time. Whoever
    /// refuses all messages leaves every drip.
    pub fn reason(self, contact: &Contact, since: Timestamp) -> Option<(Refusal, Timestamp)> {
        let happened = |at: Option<Timestamp>| at.filter(|at| since < *at);
        if let Some(at) = contact.deleted_at {
            return Some((Refusal::new(Reason::ContactDeleted, "the contact was deleted"), at));
        }
        if let Some(refusal) = contact.opted_out() {
            let why = Refusal::new(Reason::OptedOut, "the contact refuses all messages");
            return Some((why, refusal.at));
        }
        if let Some(at) = happened(contact.last_written_at).filter(|_| self.on_reply) {
            let why = Refusal::since(CancelEvent::Inbound, "the contact has written since");
            return Some((why.and("event_at", at), at));
        }
        let at = happened(contact.last_reached_at).filter(|_| self.on_call)?;
        let why = Refusal::since(
            CancelEvent::AnsweredCall,
            "the contact has talked with the business since",
        );
        Some((why.and("event_at", at), at))
    }
}

/// The reason why a contact leaves a drip after a conversion.
pub fn conversion_refusal(at: Timestamp) -> Refusal {
    Refusal::since(CancelEvent::Settled, "a conversion of the contact was recorded since").and("event_at", at)
}

/// Whether this reason keeps all further messages from a contact, too, so that the drip ends. Otherwise only the step is skipped.
pub const fn ends_drip(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::OptedOut | Reason::NoConsent | Reason::ContactDeleted | Reason::ContactMerged | Reason::Destination
    )
}

/// State of an enrolment in a drip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum EnrolmentStatus {
    /// Steps are to come.
    Active,
    /// All steps are taken.
    Completed,
    /// The contact left it before its end.
    Exited,
}

impl EnrolmentStatus {
    /// The state of a passage, which the contact may have left.
    pub const fn of(passage: &Passage, has_left: bool) -> Self {
        match &passage.next {
            _ if has_left => Self::Exited,
            Some(_) => Self::Active,
            None => Self::Completed,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, from_value, json};

    use super::*;
    use crate::campaigns::{Campaign, CampaignIn};
    use crate::messages::{AttemptState, Next, OptFlag, compose_message};
    use crate::samples::{Case, at, timers};
    use crate::terms::Resource as _;

    const NOW: &str = "2026-11-20T08:00:00Z";

    fn message(name: &str) -> Value {
        json!({"name": name, "does": {"type": "message", "message": {"channels": ["sms"], "sms_text": "Hello"}}})
    }

    fn wait(name: &str) -> Value {
        json!({"name": name, "does": {"type": "wait", "wait": {"until": "passed", "days": 2}}})
    }

    fn branch(name: &str, when: &Value, then: &str) -> Value {
        json!({"name": name, "does": {"type": "branch", "when": when, "then": then}})
    }

    /// A person in a drip with these steps, at the time of the case.
    struct Walk {
        case: Case,
        person: Person,
        steps: Steps,
        passage: Passage,
        last: Option<Message>,
    }

    impl Walk {
        fn new(steps: Value) -> Self {
            let mut case = Case::new();
            case.now = at(NOW);
            case.contact
                .wish(OptFlag::Start, "wrote START", at("2026-03-03T10:00:00Z"));
            let person = Person {
                contact: case.contact.clone(),
                profile: case.profile.clone(),
            };
            Self {
                passage: Passage::new(1, case.now),
                steps: from_value(steps).unwrap(),
                last: None,
                person,
                case,
            }
        }

        fn scene<'a>(&'a self, zone: &'a TimeZone) -> Scene<'a> {
            Scene {
                steps: &self.steps,
                person: &self.person,
                last: self.last.as_ref(),
                zone,
                now: self.case.now,
            }
        }

        /// Looks at the passage at this time, and makes the message of a step that says something. Returns whether it did.
        fn look(&mut self, now: &str) -> bool {
            self.case.now = at(now);
            let mut passage = self.passage.clone();
            let zone = TimeZone::UTC;
            let said = matches!(passage.go_on(self.scene(&zone)), Turn::Say(_));
            if said {
                let fields = json!({
                    "type": "broadcast", "name": "Offer",
                    "message": {"channels": ["sms"], "category": "marketing", "sms_text": "Hello"},
                });
                let fields: CampaignIn = from_value(fields).unwrap();
                let campaign = Campaign::new(ulid::Ulid::from_parts(7, 9), fields, self.case.now);
                let composed = self.case.with_world(|_, world| {
                    compose_message(&campaign.intent(&world.config.tenant, world.contact, world.now), world)
                });
                let message = composed.unwrap().message("cor".to_owned(), self.case.now, &timers());
                passage.record_message(self.scene(&zone), message.id);
                self.last = Some(message);
            }
            self.passage = passage;
            said
        }

        /// The message left at this time.
        fn send_last_message(&mut self, now: &str) {
            let message = self.last.as_mut().unwrap();
            message.claim(0, "claim".to_owned(), at(now), &timers());
            let attempt = message.attempts.last_mut().unwrap();
            (attempt.accepted_at, attempt.state) = (Some(at(now)), AttemptState::Accepted);
        }

        fn names(&self) -> Vec<&str> {
            self.passage.taken.iter().map(|taken| taken.step.as_str()).collect()
        }

        fn next(&self) -> Option<String> {
            self.passage.next.map(|next| next.at.to_string())
        }
    }

    #[test]
    fn steps_are_taken_one_after_the_other_at_their_times() {
        let mut walk = Walk::new(json!([message("a"), wait("b"), message("c")]));
        assert!(walk.look(NOW));
        assert_eq!(
            (walk.names(), walk.next().unwrap()),
            (vec!["a"], "2026-11-22T08:00:00Z".to_owned())
        );
        walk.send_last_message("2026-11-20T08:00:02Z");
        assert!(!walk.look("2026-11-22T07:59:59Z"));
        assert!(walk.look("2026-11-22T08:00:00Z"), "{:?}", walk.passage);
        assert_eq!((walk.names(), walk.passage.messages()), (vec!["a", "b", "c"], 2));
        assert_eq!(walk.next(), None);
    }

    /// For example a wait for the end of quiet hours.
    #[test]
    fn wait_counts_from_when_the_message_left() {
        let hours = json!({"name": "b", "does": {"type": "wait", "wait": {"until": "passed", "hours": 2}}});
        let mut walk = Walk::new(json!([message("a"), hours, message("c")]));
        assert!(walk.look(NOW));
        assert!(!walk.look("2026-11-20T10:00:00Z"), "it has not left");
        assert_eq!(walk.next().unwrap(), "2026-11-20T10:01:00Z");
        walk.send_last_message("2026-11-20T10:00:30Z");
        assert!(!walk.look("2026-11-20T10:01:00Z"));
        assert_eq!(walk.next().unwrap(), "2026-11-20T12:00:30Z");
        assert!(walk.look("2026-11-20T12:00:30Z"));
        // A message that is not valid any more holds up nobody.
        let mut walk = Walk::new(json!([message("a"), wait("b"), message("c")]));
        assert!(walk.look(NOW));
        assert!(walk.look("2026-11-22T08:00:00Z"));
    }

    /// Steps keep their order over several hours, and after further ones were kept back.
    #[test]
    fn whoever_is_kept_back_first_is_due_first() {
        let ten = at("2026-11-20T10:00:00Z");
        let run = |minute: i64| ten + SignedDuration::from_secs(60 * minute + 3);
        let mut due = Vec::new();
        for hour in 0..3 {
            let next = ten + SignedDuration::from_hours(hour + 1);
            for minute in [0, 1, 30, 59] {
                let now = run(60 * hour + minute);
                let (known, new): (Vec<Timestamp>, Vec<Timestamp>) = if minute == 0 {
                    (std::mem::take(&mut due), vec![now])
                } else {
                    (vec![], vec![now; 3])
                };
                let all: Vec<Timestamp> = known.into_iter().chain(new).collect();
                let of = all.len();
                due.extend(
                    all.into_iter()
                        .enumerate()
                        .map(|(place, at)| step_kept_back_until(at, place, of, now)),
                );
                assert!(due.is_sorted_by(|one, next| one < next), "{due:?}");
                let before = |due: &&Timestamp| is_after_cap(**due) && now < **due && **due < next;
                assert_eq!(due.iter().filter(before).count(), due.len(), "{due:?}");
            }
            // A look just before the hour changes nothing.
            let early = next - SignedDuration::from_millis(1);
            assert_eq!(step_kept_back_until(due[0], 5, 9, early), due[0]);
        }
        assert!(!is_after_cap(ten) && !is_after_cap(run(59)));
    }

    /// Steps that are put off during a night are made in the order of being put off.
    #[test]
    fn put_off_steps_keep_their_order() {
        let morning = at("2026-11-21T05:00:00Z");
        let evening = at("2026-11-20T17:00:00Z");
        let times = (0..720).map(|minute| evening + SignedDuration::from_mins(minute));
        let made: Vec<Timestamp> = times
            .flat_map(|now| (0..3).map(move |place| step_made_at(morning, place, 3, now)))
            .collect();
        assert!(made.is_sorted());
        assert!(
            made.iter()
                .all(|at| (morning..morning + SignedDuration::from_mins(1)).contains(at))
        );
    }

    #[test]
    fn message_does_not_overtake_the_one_before() {
        let mut walk = Walk::new(json!([message("a"), message("b")]));
        assert!(walk.look(NOW));
        assert!(!walk.look("2026-11-20T08:01:00Z"));
        walk.send_last_message("2026-11-20T08:01:30Z");
        assert!(walk.look("2026-11-20T08:02:00Z"));
        assert_eq!(walk.names(), ["a", "b"]);
    }

    #[test]
    fn branches_are_decided_by_what_happened_to_the_last_message() {
        type Happens = fn(&mut Walk);
        let cases: [(&str, Happens); 5] = [
            ("replied", |walk| {
                walk.person.contact.last_written_at = Some(at("2026-11-21T08:00:00Z"))
            }),
            ("recovered", |walk| {
                walk.person.contact.last_reached_at = Some(at("2026-11-21T08:00:00Z"))
            }),
            ("clicked", |walk| {
                walk.last.as_mut().unwrap().clicked_at = Some(at("2026-11-21T08:00:00Z"))
            }),
            ("read", |walk| {
                walk.last.as_mut().unwrap().attempts[0].state = AttemptState::Read;
            }),
            ("delivered", |walk| {
                walk.last.as_mut().unwrap().attempts[0].state = AttemptState::Delivered;
            }),
        ];
        for (when, happens) in cases {
            for happened in [true, false] {
                let fork = branch("c", &json!({"type": when}), "e");
                let mut walk = Walk::new(json!([message("a"), wait("b"), fork, message("d"), message("e")]));
                assert!(walk.look(NOW));
                walk.send_last_message(NOW);
                // A reaction is no reply.
                walk.person.contact.last_inbound_at = Some(at("2026-11-21T07:00:00Z"));
                if happened {
                    happens(&mut walk);
                }
                assert!(walk.look("2026-11-22T08:00:00Z"), "{when}");
                let expected = if happened { "e" } else { "d" };
                assert_eq!(walk.names(), ["a", "b", "c", expected], "{when}");
                assert_eq!(walk.passage.taken[2].fulfilled, Some(happened));
            }
        }
    }

    #[test]
    fn tags_and_stages_are_set_and_decide_branches() {
        let (tag, stage) = ("tag_00000000000000000000000001", "stg_00000000000000000000000001");
        let fork = branch("a", &json!({"type": "tag", "tag": tag}), "c");
        let set = |name: &str, does: Value| json!({"name": name, "does": does});
        let mut walk = Walk::new(json!([
            fork,
            set("b", json!({"type": "tag", "tag": tag, "remove": true})),
            set("c", json!({"type": "stage", "stage": stage})),
            message("d"),
        ]));
        let zone = TimeZone::UTC;
        let mut passage = walk.passage.clone();
        assert_eq!(passage.go_on(walk.scene(&zone)), Turn::Tag(tag.parse().unwrap(), true));
        walk.person.profile.tags.insert(tag.parse().unwrap());
        let mut passage = walk.passage.clone();
        assert_eq!(passage.go_on(walk.scene(&zone)), Turn::Stage(stage.parse().unwrap()));
        passage.did(&walk.steps, walk.case.now);
        assert!(matches!(passage.go_on(walk.scene(&zone)), Turn::Say(_)));
        let why = Refusal::new(Reason::NoText, "there is no text");
        passage.skip(&walk.steps, &why, walk.case.now);
        assert_eq!(passage.go_on(walk.scene(&zone)), Turn::Over);
        assert_eq!(passage.taken[2].skipped.as_deref(), Some("there is no text"));
    }

    #[test]
    fn whoever_refuses_messages_leaves_every_drip() {
        let mut walk = Walk::new(json!([message("a")]));
        let stays = Exits {
            on_reply: false,
            ..Exits::default()
        };
        let since = at(NOW);
        assert_eq!(stays.reason(&walk.person.contact, since), None);
        walk.person
            .contact
            .wish(OptFlag::Stop, "wrote STOP", at("2026-11-21T08:00:00Z"));
        let (why, when) = stays.reason(&walk.person.contact, since).unwrap();
        assert_eq!((why.reason, when), (Reason::OptedOut, at("2026-11-21T08:00:00Z")));
    }

    proptest! {
        /// However late it is looked at, and whether its messages leave or not.
        #[test]
        fn each_step_is_taken_once_and_in_order(
            kinds in prop::collection::vec(any::<bool>(), 1..9),
            looks in prop::collection::vec((0_i64..200, any::<bool>()), 1..60),
        ) {
            let steps = kinds.iter().enumerate().map(|(place, says)| {
                let name = place.to_string();
                if *says { message(&name) } else { wait(&name) }
            });
            let mut walk = Walk::new(steps.collect());
            let mut now = at(NOW);
            for (hours, sends) in looks {
                now += SignedDuration::from_hours(hours);
                walk.look(&now.to_string());
                let may = |last: &Message| matches!(last.next(now, &timers()), Next::Try { .. });
                if sends && walk.last.as_ref().is_some_and(may) {
                    walk.send_last_message(&now.to_string());
                }
            }
            let expected: Vec<String> = (0..walk.names().len()).map(|place| place.to_string()).collect();
            prop_assert_eq!(walk.names(), expected);
        }
    }
}
