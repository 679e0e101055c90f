//! Messages to a contact that may not have been sent yet: room for a further one, what cancels them, and the limits that count from them.

use jiff::Timestamp;

use crate::messages::{CauseNews, Message, is_later};
use crate::people::{Contact, MAX_OPEN, OpenIntent, OrderEvent, pair_rate_with_one_more};
use crate::terms::{CancelEvent, Channel, Limit, MessageId, OrderId, Policy, Purpose, Reason, Refusal, time_of_id};

impl OpenIntent {
    /// Whether an event cancels it. Of an unknown version, the message itself is refused when it is read.
    fn is_cancelled_by(&self, event: CancelEvent) -> bool {
        let row = self.purpose.row_in(self.version);
        row.is_none_or(|row| row.is_cancelled_by(event))
    }
}

impl Contact {
    /// The messages to read before another one is planned. None, unless the list of open messages is full.
    pub fn to_make_room(&self) -> Vec<MessageId> {
        let full = self.open.len() >= MAX_OPEN;
        let open = self.open.iter().filter(|_| full);
        open.map(|open| open.message).collect()
    }

    /// The messages to read before one with this policy is composed: all open ones if their list is full, or else the
    /// ones that the frequency limit counts, if the policy obeys it.
    pub fn to_compare(&self, policy: &Policy) -> Vec<MessageId> {
        let all = self.to_make_room();
        if !all.is_empty() || !policy.obeys(Limit::Frequency) {
            return all;
        }
        let counted = self.open.iter().filter(|open| open.counts_from.is_some());
        counted.map(|open| open.message).collect()
    }

    /// The reason why there is no room for a message of this purpose: the list of open messages is full of some that
    /// may still be sent and that it does not displace. Messages that a stop word ends leave room for its confirmation.
    /// `known`: the messages of [`Contact::to_make_room`] that are still stored.
    pub fn no_room(&self, purpose: Purpose, known: &[Message], now: Timestamp) -> Option<Refusal> {
        if self.open.len() < MAX_OPEN {
            return None;
        }
        let leaves = |open: &OpenIntent| {
            let ended = purpose == Purpose::StopConfirmation && open.is_cancelled_by(CancelEvent::Stop);
            ended || purpose.displaces(open.purpose)
        };
        let stay = self.open.iter().filter(|open| {
            let waits = |message: &Message| message.id == open.message && message.may_be_sent(now);
            !leaves(open) && known.iter().any(waits)
        });
        let stay = stay.count();
        (stay >= MAX_OPEN).then(|| {
            let sentence = format!("{stay} messages to this person may still be sent");
            Refusal::new(Reason::TooManyOpen, sentence).and("maximum", MAX_OPEN)
        })
    }

    /// The latest time that the frequency limit counts from, as far as this is known without the open messages. In the
    /// future if one waits for its time.
    pub fn frequency_from(&self) -> Option<Timestamp> {
        let open = self.open.iter().filter_map(|open| open.counts_from);
        open.max().max(self.last_follow_up_at).max(self.last_counted_at)
    }

    /// Records a planned message. Starts a cooldown if its policy says so. `known`: the messages of [`Contact::to_make_room`] that are
    /// still stored. The settled and the late ones are closed. If too many are left, the oldest displaceable ones are cancelled and
    /// returned: a message that the contact does not know of could not be cancelled any more.
    ///
    /// A reply waits in its conversation instead. It ends the waiting automatic answers among the known messages.
    pub fn opens(&mut self, message: &Message, known: Vec<Message>) -> Vec<Message> {
        if !message.policy.purpose().waits_in_the_contact() {
            self.takes_from_allowance(message);
            return self.cancel_automatic_answers(known);
        }
        let cancelled = if self.open.len() < MAX_OPEN {
            Vec::new()
        } else {
            self.make_room(message, known)
        };
        let before = if message.policy.counts(Limit::Cooldown) {
            self.last_follow_up_at.replace(message.created_at)
        } else {
            None
        };
        self.takes_from_allowance(message);
        self.open.push(OpenIntent {
            purpose: message.policy.purpose(),
            version: message.policy.version(),
            message: message.id,
            before,
            counts_from: message
                .policy
                .counts_from_sending()
                .then(|| message.created_at.max(message.not_before)),
        });
        cancelled
    }

    /// Counts a message by WhatsApp: a person gets only so many in a short time.
    fn takes_from_allowance(&mut self, message: &Message) {
        if message.plan.iter().any(|leg| leg.channel == Channel::WhatsApp) {
            let whole_at = pair_rate_with_one_more(self.allowance_whole_at, message.created_at);
            self.allowance_whole_at = Some(whole_at);
        }
    }

    fn make_room(&mut self, next: &Message, known: Vec<Message>) -> Vec<Message> {
        let (purpose, now) = (next.policy.purpose(), next.created_at);
        let (mut known, settled): (Vec<_>, Vec<_>) = known.into_iter().partition(|known| known.may_be_sent(now));
        for message in &settled {
            // Nothing may have gone out of a late one.
            self.close(message);
        }
        self.open
            .retain(|open| known.iter().any(|message| message.id == open.message));
        let mut cancelled = Vec::new();
        while self.open.len() >= MAX_OPEN {
            let oldest = self.open.iter().find(|open| purpose.displaces(open.purpose));
            let oldest = oldest.map(|open| open.message);
            let Some(place) = known.iter().position(|message| Some(message.id) == oldest) else {
                break;
            };
            let mut oldest = known.swap_remove(place);
            let why = if oldest.attempts.is_empty() {
                "not sent: newer messages to this person replace it"
            } else {
                "no further channel: newer messages to this person replace it"
            };
            let tried = !oldest.attempts.is_empty();
            oldest.cancel(Refusal::new(Reason::Replaced, why).and("tried", tried));
            self.close(&oldest);
            cancelled.push(oldest);
        }
        cancelled
    }

    /// Messages that may not have been sent yet and that this event cancels.
    pub fn open_to(&self, event: CancelEvent) -> Vec<MessageId> {
        let open = self.open.iter().filter(|open| open.is_cancelled_by(event));
        open.map(|open| open.message).collect()
    }

    /// Cancels and closes these open messages, where that is still possible, because a call was answered. Returns the cancelled ones.
    pub fn answered_after_all(&mut self, open: Vec<Message>) -> Vec<Message> {
        let untried = "not sent: the call was answered after all";
        let tried = "no further channel: the call was answered after all";
        self.cancel_for(CancelEvent::AnsweredCall, untried, tried, open)
    }

    /// Cancels and closes these open messages, where that is still possible and they tell other news of the order than its latest event.
    /// Returns the cancelled ones.
    pub fn told_anew(&mut self, order: OrderId, latest: OrderEvent, mut open: Vec<Message>) -> Vec<Message> {
        let other = |news: CauseNews| news.order == order && news.event != latest;
        open.retain(|message| message.cause.news().is_some_and(other));
        let untried = "not sent: it is no longer the latest news of the order";
        let tried = "no further channel: it is no longer the latest news of the order";
        self.cancel_for(CancelEvent::Settled, untried, tried, open)
    }

    /// Notes that somebody wrote on the business's own phone at this time. Cancels and closes these waiting follow-ups
    /// and automatic answers, where that is still possible and their causes are earlier. Returns the cancelled ones.
    pub fn answered_by_phone(&mut self, at: Timestamp, mut open: Vec<Message>) -> Vec<Message> {
        self.last_by_phone_at = self.last_by_phone_at.max(Some(at));
        // With the time of its cause begins the id of a message, which may be planned later.
        open.retain(|message| is_later(at, time_of_id(message.id.own())));
        let untried = "not sent: somebody wrote on the business's own phone";
        let tried = "no further channel: somebody wrote on the business's own phone";
        self.cancel_for(CancelEvent::ByPhone, untried, tried, open)
    }

    /// Cancels and closes these waiting automatic answers, where that is still possible, because the person wrote again
    /// and gets an answer to that. Returns the cancelled ones.
    pub fn answered_anew(&mut self, waiting: Vec<Message>) -> Vec<Message> {
        let untried = "not sent: the customer wrote again";
        let tried = "no further channel: the customer wrote";
        self.cancel_for(CancelEvent::Inbound, untried, tried, waiting)
    }

    /// Cancels and closes these waiting automatic answers, where that is still possible, because a person replied. Returns the cancelled
    /// ones.
    fn cancel_automatic_answers(&mut self, mut known: Vec<Message>) -> Vec<Message> {
        let answers = self.open_to(CancelEvent::HumanReply);
        known.retain(|message| answers.contains(&message.id));
        let untried = "not sent: a person replied";
        let tried = "no further channel: a person replied";
        self.cancel_for(CancelEvent::HumanReply, untried, tried, known)
    }

    /// Cancels and closes these open messages, where that is still possible. `untried` and `tried`: the sentences about
    /// messages without and with an attempt. Returns the cancelled ones.
    fn cancel_for(&mut self, event: CancelEvent, untried: &str, tried: &str, mut open: Vec<Message>) -> Vec<Message> {
        open.retain_mut(|message| {
            let was_tried = !message.attempts.is_empty();
            let why = if was_tried { tried } else { untried };
            message.cancel(Refusal::since(event, why).and("tried", was_tried))
        });
        for message in &open {
            self.close(message);
        }
        open
    }

    /// Removes a message with nothing left to cancel. If the frequency limit counts from its sending, that is kept.
    pub fn settle(&mut self, message: &Message) {
        let Some(place) = self.open.iter().position(|open| open.message == message.id) else {
            return;
        };
        let settled = self.open.remove(place);
        if settled.counts_from.is_some() {
            self.count_from_sending(place, message);
        }
    }

    /// Counts its limits from the sending of a message that left the list, if that was later. `place`: the place of the
    /// message planned after it.
    fn count_from_sending(&mut self, place: usize, message: &Message) {
        let sent = message.last_sent_at();
        if !message.policy.counts(Limit::Cooldown) {
            self.last_counted_at = self.last_counted_at.max(sent);
            return;
        }
        self.last_follow_up_at = self.last_follow_up_at.max(sent);
        for later in &mut self.open[place..] {
            // Only messages that start a cooldown remember one.
            if later.before.is_some() {
                later.before = later.before.max(sent);
            }
        }
    }

    /// Removes a message that is no longer stored.
    pub fn forget(&mut self, message: MessageId) {
        self.open.retain(|open| open.message != message);
    }

    /// Closes a message that ended early. If nothing of it can have gone out, the cooldown before it is restored, and an automatic
    /// answer counts as not given. Returns whether that changed a limit, so that the contact has to be written.
    pub fn close(&mut self, ended: &Message) -> bool {
        let Some(place) = self.open.iter().position(|open| open.message == ended.id) else {
            return false;
        };
        let closed = self.open.remove(place);
        let limited = closed.counts_from.is_some();
        if !ended.policy.counts(Limit::Cooldown) {
            if limited {
                self.count_from_sending(place, ended);
            }
            return self.forget_answer(ended) || limited;
        }
        if !ended.nothing_went_out() {
            if limited {
                self.count_from_sending(place, ended);
            }
            return limited;
        }
        let planned = Some(ended.created_at);
        // A message planned later remembers this one's cooldown.
        if let Some(later) = self.open[place..].iter_mut().find(|later| later.before == planned) {
            later.before = closed.before;
            return true;
        }
        let last = self.last_follow_up_at == planned;
        if last {
            self.last_follow_up_at = closed.before;
        }
        last || limited
    }
}
