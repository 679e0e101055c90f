//! Conversations between a contact and the team on one line: what was said, whose turn it is, and who attends to it.
//!
//! Actions of customers can become known in any order, and their effect does not depend on the order. Whoever writes a
//! conversation knows of each happening once: its row is written together with the row of the message or call.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::tenants::{InboxSettings, Team};
use crate::terms::{
    Actor, CallId, Channel, ContactId, ConversationId, Distinct, Fault, FaultCode, LineId, MessageId, Purpose, TagId,
    TeamId, UserId,
};

/// Maximum tags of a conversation.
pub const MAX_TAGS: usize = 10;

/// Maximum time that a conversation can be snoozed.
pub const MAX_SNOOZE: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The smallest difference between times of rows.
const MOMENT: SignedDuration = SignedDuration::from_millis(1);

impl ConversationId {
    /// The conversation with a contact on a line. `None`: no line can be told.
    pub fn of(contact: ContactId, line: Option<LineId>) -> Self {
        Self::new(contact, line.map_or(Ulid(0), LineId::ulid))
    }

    pub fn line(self) -> Option<LineId> {
        let own = self.own();
        (own != Ulid(0)).then(|| LineId::new(own))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    pub contact: ContactId,
    /// The line. `None`: none can be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<LineId>,
    pub state: ConversationState,
    /// Time when a snoozed one is opened again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snoozed_until: Option<Timestamp>,
    /// Time when a snoozed one was last opened by itself, or a person opened it or set it to pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub woken_at: Option<Timestamp>,
    /// The person who attends to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    #[serde(default, skip_serializing_if = "Priority::is_usual")]
    pub priority: Priority,
    #[serde(default, skip_serializing_if = "Distinct::is_empty")]
    pub tags: Distinct<MAX_TAGS, TagId>,
    /// Number of happenings so far.
    pub seq: u64,
    /// Number of happenings that the team has seen.
    #[serde(default)]
    pub read_seq: u64,
    /// Number of the customer's happenings that the team has not seen.
    #[serde(default)]
    pub unread: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Happening>,
    /// Time since which the customer waits for an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<Timestamp>,
    /// Time of the team's latest reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replied_at: Option<Timestamp>,
    /// The team's latest reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply>,
    /// The latest message of a person who has begun it or gone on with it, until somebody replies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Started>,
    /// Time that the customer waited for the first reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_response: Option<SignedDuration>,
    /// The customer's latest message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrote: Option<Wrote>,
    /// Time when people are told that nobody has read a message, unless somebody has by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tell_at: Option<Timestamp>,
    /// Time of the latest notice that nobody has read a message, until somebody has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noticed_at: Option<Timestamp>,
    /// Its state before the deletion of its contact closed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<ConversationState>,
    /// Time of its first happening.
    pub created_at: Timestamp,
}

// In the order of attention.
/// State of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConversationState {
    /// The team attends to it.
    Open,
    /// The team waits for the customer, or for somebody else.
    Pending,
    /// It is opened again at its time, or when the customer gets in touch.
    Snoozed,
    /// It is over, until the customer gets in touch.
    Closed,
}

impl ConversationState {
    /// The name for software.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Pending => "pending",
            Self::Snoozed => "snoozed",
            Self::Closed => "closed",
        }
    }
}

/// Priority of a conversation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "ConversationPriority")
)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// It can wait.
    Low,
    /// Usual priority.
    #[default]
    Normal,
    /// It comes before others.
    High,
}

impl Priority {
    fn is_usual(&self) -> bool {
        *self == Self::Normal
    }
}

/// Something that happened in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happening {
    pub at: Timestamp,
    pub what: What,
}

/// A message of the team to the customer.
#[derive(Debug, Clone, Copy)]
pub struct TeamMessage {
    pub at: Timestamp,
    pub message: MessageId,
    pub channel: Channel,
}

impl TeamMessage {
    const fn happening(self) -> Happening {
        Happening {
            at: self.at,
            what: What::Reply(self.message, self.channel),
        }
    }
}

/// The customer's latest message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrote {
    pub at: Timestamp,
    /// Number of the message that became known last.
    pub seq: u64,
}

/// The team's latest reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    pub message: MessageId,
    pub by: Actor,
    pub seq: u64,
    /// Number of the latest one before it by somebody else. 0: there is none.
    #[serde(default)]
    pub others: u64,
}

/// A message of a person who has begun a conversation or gone on with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    pub by: Actor,
    pub seq: u64,
    /// Number of the latest one before it by somebody else. 0: there is none.
    #[serde(default)]
    pub others: u64,
}

/// Kind of a happening, with the message or call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Inbound(MessageId, Channel),
    /// Nobody answered the customer's call.
    Missed(CallId),
    /// Somebody of the team replied.
    Reply(MessageId, Channel),
}

impl What {
    /// Whether it is the team's turn after it.
    const fn is_of_customer(self) -> bool {
        match self {
            Self::Inbound(..) | Self::Missed(_) => true,
            Self::Reply(..) => false,
        }
    }

    /// Distinguishes it from another at the same moment.
    fn id(self) -> String {
        match self {
            Self::Inbound(message, _) | Self::Reply(message, _) => message.to_string(),
            Self::Missed(call) => call.to_string(),
        }
    }
}

impl Conversation {
    /// A conversation without happenings.
    pub fn empty(id: ConversationId, now: Timestamp) -> Self {
        Self {
            contact: id.contact(),
            line: id.line(),
            state: ConversationState::Open,
            snoozed_until: None,
            woken_at: None,
            assignee: None,
            team: None,
            priority: Priority::default(),
            tags: Distinct::default(),
            seq: 0,
            read_seq: 0,
            unread: 0,
            last: None,
            waiting_since: None,
            replied_at: None,
            reply: None,
            started: None,
            first_response: None,
            wrote: None,
            tell_at: None,
            noticed_at: None,
            hidden: None,
            created_at: now,
        }
    }

    /// A conversation that begins with this happening.
    pub fn from_happening(id: ConversationId, with: Happening, tell_after: Option<SignedDuration>) -> Self {
        let mut begun = Self::empty(id, with.at);
        begun.note(with, tell_after);
        begun
    }

    pub fn id(&self) -> ConversationId {
        ConversationId::of(self.contact, self.line)
    }

    /// A conversation whose first happening was said to another responder, or by it. Nobody of the team attends to it yet.
    pub fn overheard(id: ConversationId, with: Happening) -> Self {
        let mut begun = Self::empty(id, with.at);
        begun.state = ConversationState::Closed;
        begun.overhear(with);
        begun
    }

    /// Notes a customer's message to another responder that it knew nothing of: it is shown, and nobody here is asked for an answer.
    pub fn overhear(&mut self, happening: Happening) {
        let was_read = self.read_seq == self.seq;
        self.count(happening);
        if was_read {
            self.read_seq = self.seq;
        }
    }

    /// Notes that another responder has passed it to us, whose customer waits since then, unless the team has replied meanwhile.
    pub fn passed_on(&mut self, at: Timestamp, tell_after: Option<SignedDuration>) {
        self.seq += 1;
        self.created_at = self.created_at.min(at);
        self.await_answer(at, true, tell_after);
    }

    /// Counts a happening that it knew nothing of.
    fn count(&mut self, happening: Happening) {
        self.seq += 1;
        self.created_at = self.created_at.min(happening.at);
        let place = |one: &Happening| (one.at, one.what.id());
        if self.last.as_ref().is_none_or(|last| place(last) < place(&happening)) {
            self.last = Some(happening);
        }
    }

    /// The customer waits for an answer since this time.
    fn await_answer(&mut self, at: Timestamp, is_message: bool, tell_after: Option<SignedDuration>) {
        self.unread = self.unread.saturating_add(1);
        self.open();
        if is_message {
            self.wrote = Some(Wrote {
                at: self.wrote.map_or(at, |known| known.at.max(at)),
                seq: self.seq,
            });
        }
        // A message from before the latest reply that becomes known only now was answered by it, as far as anybody can tell.
        if self.replied_at.is_none_or(|replied| replied < at) {
            if is_message {
                // The first one counts, so that whoever goes on writing postpones nothing.
                let first = self.tell_at.filter(|_| self.waiting_since.is_some());
                self.tell_at = first.into_iter().chain(tell_after.map(|after| at + after)).min();
            }
            self.waiting_since = Some(self.waiting_since.map_or(at, |since| since.min(at)));
        }
    }

    /// Notes a happening that it knew nothing of. `tell_after`: how long a message may be unread before people are told, if they are.
    pub fn note(&mut self, happening: Happening, tell_after: Option<SignedDuration>) {
        let Happening { at, what } = happening;
        self.count(happening);
        if what.is_of_customer() {
            self.await_answer(at, matches!(what, What::Inbound(..)), tell_after);
        } else {
            if let Some(since) = self.waiting_since.filter(|since| *since <= at) {
                self.first_response.get_or_insert(at.duration_since(since));
                self.end_wait();
            }
            self.replied_at = self.replied_at.max(Some(at));
        }
    }

    /// Notes a reply by somebody who has seen everything up to this number.
    pub fn reply(&mut self, by: Actor, seen: u64, sent: TeamMessage, tell_after: Option<SignedDuration>) {
        self.read_to(seen);
        // The customer's actions meanwhile still wait for an answer.
        let wrote = self.wrote.filter(|wrote| seen < wrote.seq).map(|wrote| wrote.at);
        let called = self
            .last
            .filter(|last| matches!(last.what, What::Missed(_)) && self.unread > 0);
        let unseen = wrote.or(called.map(|called| called.at));
        let told = self.all_noticed_at();
        self.note(sent.happening(), None);
        if unseen.is_some() {
            self.wait_on(unseen, told, tell_after);
        } else {
            self.read_to(self.seq);
        }
        let others = self.latest_of_others(by);
        let seq = self.seq;
        self.started = None;
        self.reply = Some(Reply {
            message: sent.message,
            by,
            seq,
            others,
        });
    }

    /// Notes a message that begins it or goes on with it. It is no reply: replies do not wait for it, since it may leave only in the morning.
    /// A person who sends one opens the conversation, and attends to it, unless somebody else does; what they have read no longer waits.
    /// Software changes nothing else: it answers nobody.
    pub fn start(&mut self, by: Actor, sent: TeamMessage) {
        let happening = sent.happening();
        let Actor::User(user) = by else {
            let (waits, replied) = (self.waiting_since.take(), self.replied_at);
            self.note(happening, None);
            (self.waiting_since, self.replied_at) = (waits, replied);
            return;
        };
        // Whoever attended to one that was over may have left since.
        let was_over = self.state == ConversationState::Closed;
        self.open();
        if self.unread > 0 {
            let waits = self.waiting_since.take();
            self.note(happening, None);
            self.waiting_since = waits;
        } else {
            self.note(happening, None);
            self.read_to(self.seq);
        }
        if was_over || self.assignee.is_none() {
            self.assignee = Some(user);
        }
        let others = self.latest_of_others(by);
        let seq = self.seq;
        self.started = Some(Started { by, seq, others });
    }

    /// Its team, among the teams of the tenant.
    pub fn team_of<'a>(&self, teams: &'a [Team]) -> Option<&'a Team> {
        teams.iter().find(|team| Some(team.id) == self.team)
    }

    /// The latest reply, if it may still be sent: a further one goes after it.
    pub fn goes_first(&self, now: Timestamp) -> Option<MessageId> {
        let validity = Purpose::Reply.row().validity;
        let lately = self.replied_at.is_some_and(|at| now < at + validity);
        self.reply.filter(|_| lately).map(|reply| reply.message)
    }

    /// Whether somebody else of the team has written to the customer since this person has seen everything up to this number.
    pub fn has_moved(&self, by: Actor, seen: u64) -> bool {
        seen < self.latest_of_others(by)
    }

    /// Number of what somebody else of the team has written last. 0: nothing.
    fn latest_of_others(&self, by: Actor) -> u64 {
        let replied = self.reply.map(|latest| (latest.by, latest.seq, latest.others));
        let started = self.started.map(|latest| (latest.by, latest.seq, latest.others));
        let written = replied.into_iter().chain(started);
        let of_others = written.map(|(author, seq, others)| if author == by { others } else { seq });
        of_others.max().unwrap_or(0)
    }

    /// Notes that somebody of the team and the customer have talked by then: nobody waits for an answer to what was before. Returns whether
    /// that changes anything.
    pub fn note_talk(&mut self, at: Timestamp, tell_after: Option<SignedDuration>) -> bool {
        if self.waiting_since.is_none_or(|since| at < since) {
            return false;
        }
        // It became known after something that the customer has done since, also if a message of the team's stands behind that.
        let wrote = self.wrote.map(|wrote| wrote.at);
        let called = self.last.filter(|last| matches!(last.what, What::Missed(_)));
        let done = wrote.into_iter().chain(called.map(|called| called.at));
        let (since, told) = (done.filter(|done| at < *done).min(), self.all_noticed_at());
        self.wait_on(since, told, tell_after);
        true
    }

    /// Notes that the customer waits for nothing.
    const fn end_wait(&mut self) {
        (self.waiting_since, self.tell_at, self.noticed_at) = (None, None, None);
    }

    /// Time of the notice of the unread messages, if all of them are noticed.
    fn all_noticed_at(&self) -> Option<Timestamp> {
        self.noticed_at.filter(|_| self.tell_at.is_none())
    }

    /// Lets the customer wait for an answer only to what was done at this time. People may have been told of it already.
    fn wait_on(&mut self, since: Option<Timestamp>, told: Option<Timestamp>, tell_after: Option<SignedDuration>) {
        self.end_wait();
        self.waiting_since = since;
        let Some(unread) = self.unread_message() else {
            return;
        };
        self.noticed_at = told;
        self.tell_at = tell_after.filter(|_| told.is_none()).map(|after| unread + after);
    }

    /// Closes it with the deletion of its contact. Whoever waited waits on once the contact is back. Returns whether that changes anything.
    pub fn hide(&mut self) -> bool {
        if self.state == ConversationState::Closed {
            return false;
        }
        self.hidden = Some(self.state);
        self.state = ConversationState::Closed;
        true
    }

    /// Opens what the deletion of its contact closed, as it was. Of whoever waited unseen meanwhile, people are told again. Returns whether
    /// that changes anything.
    pub fn show(&mut self) -> bool {
        let hidden = self.hidden.take();
        if hidden.is_some() {
            let noticed = self.noticed_at.take();
            self.tell_at = self.tell_at.or(noticed);
        }
        self.state = hidden.unwrap_or(self.state);
        hidden.is_some()
    }

    /// Ends the wait for an answer to what was before a message from the business's own phone. Its time has whole seconds, as the customer's:
    /// whoever wrote in the same one waits on, since nobody can tell, and a customer who is never answered is worse off than one who is
    /// answered twice. Returns whether that changes anything.
    pub fn talked_by_phone(&mut self, at: Timestamp, tell_after: Option<SignedDuration>) -> bool {
        let since = self.waiting_since;
        let talked = self.note_talk(at - MOMENT, tell_after);
        if let Some(since) = since.filter(|_| talked) {
            self.first_response.get_or_insert(at.duration_since(since));
        }
        talked
    }

    /// Notes what somebody wrote on the business's own phone. Who has answered has seen what was before.
    pub fn answered_by_phone(&mut self, at: Timestamp, message: MessageId, tell_after: Option<SignedDuration>) {
        self.talked_by_phone(at, tell_after);
        let what = What::Reply(message, Channel::WhatsApp);
        let is_last = self.last.is_none_or(|last| last.at <= at);
        // The customer's actions since then wait on, even if they become known later.
        let waits = self.waiting_since.take();
        let replied_at = self.replied_at.max(Some(at - MOMENT));
        self.note(Happening { at, what }, None);
        (self.waiting_since, self.replied_at) = (waits, replied_at);
        if is_last && self.waiting_since.is_none() {
            self.read_to(self.seq);
        }
    }

    /// Opens it, whatever it was.
    pub fn open(&mut self) {
        self.state = ConversationState::Open;
        (self.snoozed_until, self.hidden) = (None, None);
    }

    /// Whether a person can move it to this state until this time. A snoozed conversation has a time of opening, and no other has.
    ///
    /// # Errors
    /// The fault of the time.
    pub fn may_move(state: ConversationState, snoozed_until: Option<Timestamp>, now: Timestamp) -> Result<(), Fault> {
        match (state, snoozed_until) {
            (ConversationState::Snoozed, None) => Err(Fault::new(FaultCode::Required, "Say until when it is snoozed.")),
            (ConversationState::Snoozed, Some(until)) if until <= now => {
                let detail = "The time is in the past. Choose a later one.";
                Err(Fault::new(FaultCode::InPast, detail))
            }
            (ConversationState::Snoozed, Some(until)) if now + MAX_SNOOZE < until => {
                let detail = format!("Expected a time at most {} days ahead.", MAX_SNOOZE.as_hours() / 24);
                Err(Fault::out_of_range(now, now + MAX_SNOOZE, detail))
            }
            (ConversationState::Snoozed, Some(_)) | (_, None) => Ok(()),
            (_, Some(_)) => {
                let detail = "Only a snoozed conversation has a time at which it is opened again.";
                Err(Fault::excludes(&["state"], detail))
            }
        }
    }

    /// Moves it to another state, of a person's own accord.
    pub fn move_to(&mut self, state: ConversationState, snoozed_until: Option<Timestamp>) {
        // Whoever moves it has seen it.
        self.read_to(self.seq);
        self.hidden = None;
        if state == ConversationState::Closed {
            self.close();
        }
        (self.state, self.snoozed_until) = (state, snoozed_until);
    }

    /// Notes that the team has seen everything up to this number. Returns whether that is new.
    pub fn read_to(&mut self, seq: u64) -> bool {
        let seq = seq.min(self.seq);
        if seq <= self.read_seq {
            return false;
        }
        self.read_seq = seq;
        // Among later happenings, replies are the team's own.
        self.unread = self.unread.min(u32::try_from(self.seq - seq).unwrap_or(u32::MAX));
        if self.wrote.is_none_or(|wrote| wrote.seq <= seq) {
            (self.tell_at, self.noticed_at) = (None, None);
        }
        true
    }

    /// Opens a snoozed one at its time, as if something had happened in it.
    pub fn wake(&mut self, now: Timestamp) {
        self.open();
        self.woken_at = Some(now);
    }

    /// Whether a snoozed one is to be opened now.
    pub fn wakes(&self, now: Timestamp) -> bool {
        self.state == ConversationState::Snoozed && self.snoozed_until.is_none_or(|until| until <= now)
    }

    /// Time of the customer's latest message, if the conversation is open, the customer waits, and nobody has read it.
    pub fn unread_message(&self) -> Option<Timestamp> {
        let waits = self.state == ConversationState::Open && self.waiting_since.is_some();
        let wrote = self.wrote.filter(|wrote| waits && self.read_seq < wrote.seq)?;
        Some(wrote.at)
    }

    /// Closes it, since nothing happens in it. Nobody has seen what is unread in it.
    pub fn close(&mut self) {
        self.state = ConversationState::Closed;
        self.end_wait();
    }

    /// Time when an unread message became overdue, if people are to be told of it now.
    pub fn overdue_since(&self, now: Timestamp) -> Option<Timestamp> {
        self.tell_at.filter(|at| *at <= now && self.unread_message().is_some())
    }

    /// Whether nobody has read a message of the customer's for too long, who has waited since `by`, or for longer.
    pub fn is_overdue(&self, by: Timestamp, now: Timestamp) -> bool {
        let Some(wrote) = self.unread_message() else {
            return false;
        };
        // A message that came after others had been read has its own time. It has none if a release before `noticed_at` noticed it.
        let is_due = self.tell_at.map_or(self.replied_at < Some(wrote), |at| at <= now);
        self.noticed_at.is_some_and(|at| at <= now) || (is_due && self.waiting_since.is_some_and(|since| since <= by))
    }

    /// Whether an overdue message is noticed only now, or was after people were last told of any.
    pub fn is_untold(&self, mailed_at: Option<Timestamp>, after: SignedDuration, now: Timestamp) -> bool {
        let since = match (self.tell_at, self.noticed_at) {
            (Some(at), _) if at <= now => return true,
            // Neither has its time if a release before `noticed_at` noticed it, or if nobody was to be told then.
            (None, None) => self.unread_message().map(|wrote| wrote + after),
            (_, noticed_at) => noticed_at,
        };
        since > mailed_at
    }

    /// Time of the next look at it: a snoozed one is opened, and people are told of a message that nobody has read.
    pub fn due_at(&self) -> Option<Timestamp> {
        match self.state {
            ConversationState::Snoozed => self.snoozed_until,
            ConversationState::Open | ConversationState::Pending | ConversationState::Closed => {
                self.tell_at.filter(|_| self.unread_message().is_some())
            }
        }
    }

    /// Whether somebody is to attend to it: it is neither over nor snoozed.
    pub const fn is_attended(&self) -> bool {
        matches!(self.state, ConversationState::Open | ConversationState::Pending)
    }

    /// Whether a customer waits in it and needs somebody at once.
    pub fn wants_a_person(&self) -> bool {
        self.state == ConversationState::Open && self.waiting_since.is_some()
    }

    /// Whether it is to be closed now by these settings, since nothing happens in it.
    pub fn is_idle(&self, settings: &InboxSettings, now: Timestamp) -> bool {
        settings.idle_before(now).is_some_and(|before| {
            self.is_attended()
                && self.active_at() <= before
                && (settings.close_unanswered || self.waiting_since.is_none())
        })
    }

    /// Time since which it is the customer's or the team's turn.
    pub fn turn_since(&self) -> Timestamp {
        self.waiting_since.or(self.replied_at).unwrap_or(self.created_at)
    }

    /// Time of its latest happening or awakening, for sorting lists.
    pub fn active_at(&self) -> Timestamp {
        let last = self.last.map_or(self.created_at, |last| last.at);
        self.woken_at.map_or(last, |woken| woken.max(last))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ulid::Ulid;

    use super::*;
    use crate::samples::at;
    use crate::terms::ApiKeyId;

    const NOW: &str = "2026-11-20T10:00:00Z";

    const TELL_AFTER: Option<SignedDuration> = Some(TELL);
    const TELL: SignedDuration = SignedDuration::from_mins(10);

    fn contact() -> ContactId {
        ContactId::new(Ulid::from_parts(1, 1))
    }

    fn message(number: u128) -> MessageId {
        MessageId::new(contact(), Ulid::from_parts(2, number))
    }

    fn wrote(number: u8) -> Happening {
        Happening {
            at: at(NOW) + SignedDuration::from_mins(i64::from(number) / 2),
            what: What::Inbound(message(u128::from(number)), Channel::WhatsApp),
        }
    }

    fn sms(at: Timestamp, number: u128) -> TeamMessage {
        TeamMessage {
            at,
            message: message(number),
            channel: Channel::Sms,
        }
    }

    fn reply_at(minute: i64) -> Happening {
        Happening {
            at: at(NOW) + SignedDuration::from_mins(minute),
            what: What::Reply(message(1_000), Channel::WhatsApp),
        }
    }

    fn conversation_of(happenings: impl IntoIterator<Item = Happening>) -> Conversation {
        let mut all = happenings.into_iter();
        let mut conversation =
            Conversation::from_happening(ConversationId::of(contact(), None), all.next().unwrap(), TELL_AFTER);
        all.for_each(|one| conversation.note(one, TELL_AFTER));
        conversation
    }

    #[test]
    fn whoever_starts_attends_to_it_and_nobody_waits_for_it() {
        let [user, other] = [1, 2].map(|number| UserId::new(Ulid::from_parts(3, number)));
        let sent = TeamMessage {
            at: at(NOW),
            message: message(1),
            channel: Channel::WhatsApp,
        };
        let mut conversation = Conversation::empty(ConversationId::of(contact(), None), at(NOW));
        conversation.start(Actor::User(user), sent);
        assert_eq!(
            (conversation.seq, conversation.unread, conversation.assignee),
            (1, 0, Some(user))
        );
        // A colleague who has not seen it would write beside it.
        let moved = |by, seen| conversation.has_moved(Actor::User(by), seen);
        assert_eq!([moved(user, 0), moved(other, 0), moved(other, 1)], [false, true, false]);
        let mut both = conversation.clone();
        both.start(Actor::User(other), sms(wrote(1).at, 8));
        assert!(both.has_moved(Actor::User(other), 0), "hidden by one's own");
        both.reply(Actor::User(other), 2, sms(wrote(1).at, 7), TELL_AFTER);
        assert_eq!(both.started, None, "the reply says what was before it");
        assert!(both.has_moved(Actor::User(other), 0) && both.has_moved(Actor::User(user), 2));
        assert_eq!(
            (conversation.goes_first(at(NOW)), conversation.waiting_since),
            (None, None)
        );
        // An unread message goes on waiting, and the assignee stays.
        conversation.note(wrote(2), TELL_AFTER);
        conversation.start(Actor::User(other), sms(wrote(3).at, 9));
        assert_eq!(
            (conversation.unread, conversation.waiting_since),
            (1, Some(wrote(2).at))
        );
        assert_eq!((conversation.first_response, conversation.assignee), (None, Some(user)));
        assert!(conversation.due_at().is_some());
        conversation.read_to(3);
        conversation.start(Actor::User(other), sms(wrote(4).at, 10));
        assert_eq!((conversation.unread, conversation.waiting_since), (0, None));
        conversation.move_to(ConversationState::Closed, None);
        conversation.start(Actor::User(other), sms(wrote(5).at, 11));
        assert_eq!(
            (conversation.state, conversation.assignee),
            (ConversationState::Open, Some(other))
        );
    }

    #[test]
    fn what_another_responder_is_told_asks_nobody() {
        let id = ConversationId::of(contact(), None);
        let begun = Conversation::overheard(id, wrote(2));
        assert_eq!((begun.seq, begun.unread, begun.due_at()), (1, 0, None));
        assert_eq!((begun.state, begun.waiting_since), (ConversationState::Closed, None));
        // Beside what waits here, it changes nothing, and it hides nothing from who has not read that.
        let mut waiting = conversation_of([wrote(2)]);
        let before = waiting.clone();
        waiting.overhear(wrote(6));
        let after = Conversation {
            seq: 2,
            last: Some(wrote(6)),
            ..before
        };
        assert_eq!(waiting, after);
        waiting.read_to(2);
        waiting.overhear(wrote(8));
        assert_eq!((waiting.unread, waiting.read_seq, waiting.seq), (0, 3, 3));
    }

    #[test]
    fn whoever_is_passed_on_waits() {
        let id = ConversationId::of(contact(), None);
        let mut passed = Conversation::overheard(id, wrote(2));
        passed.passed_on(wrote(4).at, TELL_AFTER);
        assert_eq!(
            (passed.state, passed.unread, passed.waiting_since),
            (ConversationState::Open, 1, Some(wrote(4).at))
        );
        assert_eq!(passed.due_at(), Some(wrote(4).at + TELL));
        assert_eq!(passed.last, Some(wrote(2)), "it is shown by what was said");
        // The report arrives after the answer.
        let mut answered = conversation_of([wrote(2), reply_at(5)]);
        answered.passed_on(wrote(4).at, TELL_AFTER);
        assert_eq!((answered.waiting_since, answered.due_at()), (None, None));
    }

    /// It sends what happened elsewhere, such as the state of an order.
    #[test]
    fn software_that_writes_in_it_answers_nobody() {
        let user = UserId::new(Ulid::from_parts(3, 1));
        let software = Actor::ApiKey(ApiKeyId::new(Ulid::from_parts(4, 1)));
        let sent = |minute: i64| sms(reply_at(minute).at, 9);
        let mut conversation = conversation_of([wrote(2)]);
        conversation.assignee = Some(user);
        conversation.read_to(1);
        for state in [
            ConversationState::Snoozed,
            ConversationState::Pending,
            ConversationState::Open,
        ] {
            let until = (state == ConversationState::Snoozed).then(|| at(NOW) + MAX_SNOOZE);
            conversation.move_to(state, until);
            let before = conversation.clone();
            conversation.start(software, sent(30));
            let after = Conversation {
                seq: before.seq + 1,
                last: conversation.last,
                ..before
            };
            assert_eq!(conversation, after);
        }
    }

    #[test]
    fn id_names_the_line_if_there_is_one() {
        let line = LineId::new(Ulid::from_parts(1, 2));
        for line in [None, Some(line)] {
            let id = ConversationId::of(contact(), line);
            assert_eq!((id.contact(), id.line()), (contact(), line));
            assert_eq!(Conversation::from_happening(id, wrote(1), TELL_AFTER).id(), id);
        }
    }

    #[test]
    fn customer_waits_from_the_first_message_until_the_reply() {
        let mut conversation = conversation_of([wrote(2), wrote(4)]);
        assert_eq!((conversation.seq, conversation.unread), (2, 2));
        assert_eq!(conversation.waiting_since, Some(wrote(2).at));
        conversation.note(reply_at(7), TELL_AFTER);
        assert_eq!((conversation.waiting_since, conversation.seq), (None, 3));
        assert_eq!(conversation.first_response, Some(SignedDuration::from_mins(6)));
        // It becomes known late, and the reply came after it.
        conversation.note(wrote(10), TELL_AFTER);
        assert_eq!(conversation.waiting_since, None);
        conversation.note(wrote(20), TELL_AFTER);
        conversation.note(reply_at(30), TELL_AFTER);
        assert_eq!(
            conversation.first_response,
            Some(SignedDuration::from_mins(6)),
            "the first one"
        );
        assert_eq!(conversation.last, Some(reply_at(30)));
    }

    #[test]
    fn nobody_waits_after_a_talk() {
        let mut conversation = conversation_of([wrote(2), wrote(4)]);
        assert!(
            !conversation.note_talk(wrote(1).at, TELL_AFTER),
            "the customer wrote after it"
        );
        let mut early = conversation.clone();
        assert!(early.note_talk(wrote(3).at, TELL_AFTER));
        assert_eq!(early.waiting_since, Some(wrote(4).at), "the customer wrote again");
        assert_eq!(early.due_at(), Some(wrote(4).at + TELL));
        assert!(conversation.note_talk(wrote(4).at, TELL_AFTER));
        assert_eq!((conversation.waiting_since, conversation.unread), (None, 2));
        assert!(!conversation.note_talk(wrote(4).at, TELL_AFTER));
    }

    #[test]
    fn who_was_answered_by_phone_waits_no_more() {
        let mut conversation = conversation_of([wrote(2), wrote(4)]);
        let mut early = conversation.clone();
        conversation.answered_by_phone(wrote(6).at, message(7), TELL_AFTER);
        let answered = (conversation.waiting_since, conversation.unread, conversation.due_at());
        assert_eq!(answered, (None, 0, None));
        assert_eq!(conversation.first_response, Some(SignedDuration::from_mins(2)));
        assert_eq!(conversation.last.map(|last| last.at), Some(wrote(6).at));
        // It became known after what the customer wrote since.
        let before = wrote(4).at - SignedDuration::from_secs(30);
        early.answered_by_phone(before, message(7), TELL_AFTER);
        assert_eq!((early.waiting_since, early.unread), (Some(wrote(4).at), 2));
    }

    /// Whichever of the two became known first: nobody can tell which was.
    #[test]
    fn who_wrote_in_the_second_of_the_phone_waits_on() {
        for before in [vec![], vec![wrote(2)]] {
            let mut late = conversation_of(before.into_iter().chain([wrote(4)]));
            late.answered_by_phone(wrote(4).at, message(7), TELL_AFTER);
            assert_eq!(
                (late.waiting_since, late.due_at()),
                (Some(wrote(4).at), Some(wrote(4).at + TELL))
            );
        }
        let mut early = conversation_of([wrote(2)]);
        early.answered_by_phone(wrote(4).at, message(7), TELL_AFTER);
        assert_eq!(early.waiting_since, None);
        early.note(wrote(4), TELL_AFTER);
        assert_eq!(early.waiting_since, Some(wrote(4).at));
    }

    #[test]
    fn snoozed_one_is_on_top_when_it_wakes() {
        let mut conversation = conversation_of([wrote(2)]);
        conversation.move_to(ConversationState::Snoozed, Some(wrote(8).at));
        conversation.wake(wrote(8).at);
        assert_eq!(
            (conversation.state, conversation.active_at()),
            (ConversationState::Open, wrote(8).at)
        );
        conversation.note(wrote(20), TELL_AFTER);
        assert_eq!(conversation.active_at(), wrote(20).at);
    }

    #[test]
    fn what_the_customer_does_opens_it_again() {
        let until = Some(at(NOW) + SignedDuration::from_hours(2));
        for (state, until) in [
            (ConversationState::Pending, None),
            (ConversationState::Snoozed, until),
            (ConversationState::Closed, None),
        ] {
            let mut conversation = conversation_of([wrote(2)]);
            conversation.move_to(state, until);
            assert_eq!((conversation.state, conversation.snoozed_until), (state, until));
            assert_eq!(conversation.unread, 0, "whoever moves it has seen it");
            conversation.note(reply_at(3), TELL_AFTER);
            assert_eq!(conversation.state, state, "a reply leaves it as it is");
            conversation.note(wrote(9), TELL_AFTER);
            assert_eq!(
                (conversation.state, conversation.snoozed_until),
                (ConversationState::Open, None)
            );
        }
    }

    #[test]
    fn only_a_snoozed_one_has_a_time_which_is_to_come() {
        let now = at(NOW);
        let hours = |hours: i64| Some(now + SignedDuration::from_hours(hours));
        for (state, until, code) in [
            (ConversationState::Snoozed, None, FaultCode::Required),
            (ConversationState::Snoozed, hours(0), FaultCode::InPast),
            (ConversationState::Snoozed, hours(90 * 24 + 1), FaultCode::OutOfRange),
            (ConversationState::Closed, hours(1), FaultCode::Excludes),
        ] {
            let fault = Conversation::may_move(state, until, now).unwrap_err();
            assert_eq!(fault.code, code, "{state:?} {until:?}");
        }
        Conversation::may_move(ConversationState::Snoozed, hours(1), now).unwrap();
        Conversation::may_move(ConversationState::Closed, None, now).unwrap();
        let mut conversation = conversation_of([wrote(2)]);
        conversation.move_to(ConversationState::Snoozed, hours(1));
        assert!(!conversation.wakes(now) && conversation.wakes(now + SignedDuration::from_hours(1)));
    }

    #[test]
    fn only_attended_ones_without_waiting_customers_are_idle() {
        let waiting = conversation_of([wrote(0)]);
        let mut answered = waiting.clone();
        assert!(answered.note_talk(at(NOW), None));
        let mut snoozed = answered.clone();
        let until = Some(at("2026-12-20T10:00:00Z"));
        snoozed.move_to(ConversationState::Snoozed, until);
        let mut pending = answered.clone();
        pending.move_to(ConversationState::Pending, None);
        let mut woken = answered.clone();
        woken.wake(at("2026-11-20T12:00:00Z"));
        let (week, all) = (
            serde_json::json!({"close_after_days": 7}),
            serde_json::json!({"close_after_days": 7, "close_unanswered": true}),
        );
        let after = at(NOW) + SignedDuration::from_hours(7 * 24);
        let before = after - SignedDuration::from_secs(1);
        for (conversation, fields, now, idle) in [
            (&answered, &week, after, true),
            (&answered, &week, before, false),
            (&pending, &week, after, true),
            (&waiting, &week, after, false),
            (&waiting, &all, after, true),
            (&snoozed, &all, after, false),
            (&woken, &all, after, false),
            (&answered, &serde_json::json!({}), after, false),
        ] {
            let found = conversation.is_idle(&serde_json::from_value(fields.clone()).unwrap(), now);
            assert_eq!(found, idle, "{fields} {now} {conversation:?}");
        }
    }

    #[test]
    fn reading_goes_on_only_and_not_beyond_the_end() {
        let mut conversation = conversation_of([wrote(2), wrote(4), wrote(6)]);
        assert!(conversation.read_to(2));
        assert_eq!(conversation.unread, 1);
        assert!(!conversation.read_to(1));
        assert!(conversation.read_to(99));
        assert_eq!((conversation.read_seq, conversation.unread), (3, 0));
        conversation.note(wrote(8), TELL_AFTER);
        assert_eq!(conversation.unread, 1);
    }

    #[test]
    fn it_is_due_when_a_message_is_unread_for_too_long() {
        let unread = |change: &dyn Fn(&mut Conversation)| {
            let mut conversation = conversation_of([wrote(2), wrote(4)]);
            change(&mut conversation);
            conversation
        };
        let due = Some(wrote(2).at + TELL);
        let missed = Happening {
            at: wrote(9).at,
            what: What::Missed(CallId::new(contact(), Ulid::from_parts(2, 9))),
        };
        let until = at(NOW) + SignedDuration::from_hours(1);
        let cases: [(&str, Conversation, Option<Timestamp>); 9] = [
            ("unread", unread(&|_| ()), due),
            ("read in part", unread(&|one| assert!(one.read_to(1))), due),
            ("it was told", unread(&|one| one.tell_at = None), None),
            (
                "talked",
                unread(&|one| assert!(one.note_talk(wrote(4).at, TELL_AFTER))),
                None,
            ),
            ("read", unread(&|one| assert!(one.read_to(2))), None),
            ("answered", unread(&|one| one.note(reply_at(7), TELL_AFTER)), None),
            ("missed call", unread(&|one| one.note(missed, TELL_AFTER)), due),
            (
                "closed",
                unread(&|one| one.move_to(ConversationState::Closed, None)),
                None,
            ),
            (
                "snoozed",
                unread(&|one| one.move_to(ConversationState::Snoozed, Some(until))),
                Some(until),
            ),
        ];
        for (name, conversation, due) in cases {
            assert_eq!(conversation.due_at(), due, "{name}");
            let Some(due) = due.filter(|due| *due != until) else {
                assert_eq!(conversation.overdue_since(until), None, "{name}");
                continue;
            };
            assert_eq!(conversation.overdue_since(due), Some(due), "{name}");
            assert_eq!(conversation.overdue_since(due - SignedDuration::from_secs(1)), None);
        }
        assert_eq!(
            Conversation::from_happening(ConversationId::of(contact(), None), wrote(2), None).due_at(),
            None
        );
        let mut told = unread(&|one| one.tell_at = None);
        told.note(wrote(6), TELL_AFTER);
        assert_eq!(told.due_at(), Some(wrote(6).at + TELL), "a later message");
    }

    #[test]
    fn answered_message_makes_no_later_one_overdue() {
        let mut conversation = conversation_of([wrote(0)]);
        conversation.note(reply_at(5), TELL_AFTER);
        // The provider repeats what was written before the reply.
        conversation.note(wrote(8), TELL_AFTER);
        assert_eq!((conversation.waiting_since, conversation.tell_at), (None, None));
        // As an earlier release left it.
        conversation.tell_at = Some(wrote(8).at + TELL);
        conversation.note(wrote(200), TELL_AFTER);
        assert_eq!(conversation.due_at(), Some(wrote(200).at + TELL));
    }

    #[test]
    fn late_call_ends_no_wait_of_a_later_message() {
        let software = Actor::ApiKey(ApiKeyId::new(Ulid::from_parts(4, 1)));
        let user = Actor::User(UserId::new(Ulid::from_parts(3, 1)));
        for by in [software, user] {
            let mut conversation = conversation_of([wrote(0), wrote(20)]);
            conversation.start(by, sms(wrote(24).at, 9));
            assert!(conversation.note_talk(wrote(10).at, TELL_AFTER));
            assert_eq!(conversation.waiting_since, Some(wrote(20).at), "{by:?}");
            assert_eq!(conversation.due_at(), Some(wrote(20).at + TELL), "{by:?}");
        }
    }

    /// A message that people were told of goes on waiting after a call or a reply that became known late, and they are not told again.
    #[test]
    fn message_is_overdue_once_until_somebody_reads_it() {
        let (now, by) = (wrote(60).at, wrote(60).at - TELL);
        let mut told = conversation_of([wrote(0), wrote(8)]);
        (told.tell_at, told.noticed_at) = (None, Some(wrote(0).at + TELL));
        let (mut called, mut replied, mut read) = (told.clone(), told.clone(), told.clone());
        assert!(called.note_talk(wrote(4).at, TELL_AFTER));
        let user = Actor::User(UserId::new(Ulid::from_parts(3, 1)));
        replied.reply(user, 1, sms(wrote(30).at, 9), TELL_AFTER);
        for one in [&told, &called, &replied] {
            assert!(one.is_overdue(by, now) && one.due_at().is_none(), "{one:?}");
            assert!(one.is_untold(None, TELL, now) && !one.is_untold(told.noticed_at, TELL, now));
        }
        // The customer waits on, but nobody has to be told until the next message is overdue.
        assert!(read.read_to(2) && !read.is_overdue(by, now));
        read.note(wrote(50), TELL_AFTER);
        assert!(read.waiting_since == told.waiting_since && !read.is_overdue(by, now));
        assert!(read.is_overdue(by, wrote(70).at) && read.is_untold(Some(now), TELL, wrote(70).at));
        // A further message changes nothing of the former.
        told.note(wrote(50), TELL_AFTER);
        assert!(told.is_overdue(by, now) && told.due_at() == Some(wrote(50).at + TELL));
        // While its contact is deleted, no mail counts it.
        assert!(called.hide() && called.show() && called.due_at() == Some(wrote(0).at + TELL));
    }

    #[test]
    fn deletion_closes_it_until_its_contact_is_back() {
        let mut conversation = conversation_of([wrote(2)]);
        let (mut closed, before) = (conversation.clone(), conversation.clone());
        assert!(conversation.hide() && !conversation.hide());
        assert_eq!((conversation.is_attended(), conversation.due_at()), (false, None));
        let mut written = conversation.clone();
        assert!(conversation.show() && conversation == before);
        written.note(wrote(9), TELL_AFTER);
        assert_eq!((written.waiting_since, written.show()), (before.waiting_since, false));
        assert!(written.is_attended());
        closed.move_to(ConversationState::Closed, None);
        assert!(!closed.hide() && !closed.show(), "the deletion did not close it");
    }

    #[test]
    fn its_row_stays_small() {
        let mut conversation = conversation_of([wrote(2)]);
        let tags = (0..10).map(|number| TagId::new(Ulid::from_parts(number, 1)));
        conversation.tags = tags.collect::<Vec<_>>().into();
        conversation.line = Some(LineId::new(Ulid::from_parts(1, 2)));
        conversation.assignee = Some(UserId::new(Ulid::from_parts(1, 3)));
        let until = Some(at(NOW) + SignedDuration::from_hours(1));
        conversation.move_to(ConversationState::Snoozed, until);
        conversation.note(reply_at(5), TELL_AFTER);
        conversation.tell_at = until;
        let size = serde_json::to_vec(&conversation).unwrap().len();
        assert!(size < 1_000, "{size}");
        let read: Conversation = serde_json::from_slice(&serde_json::to_vec(&conversation).unwrap()).unwrap();
        assert_eq!(read, conversation);
    }

    proptest! {
        #[test]
        fn order_of_what_the_customer_does_means_nothing(
            (straight, shuffled) in prop::collection::btree_set(any::<u8>(), 1..8).prop_flat_map(|numbers| {
                let straight: Vec<Happening> = numbers.into_iter().map(wrote).collect();
                (Just(straight.clone()), Just(straight).prop_shuffle())
            }),
        ) {
            prop_assert_eq!(conversation_of(shuffled), conversation_of(straight));
        }
    }
}
