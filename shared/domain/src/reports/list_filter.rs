//! Conditions on calls and messages, as filters of the lists of a period.

use crate::calls::{Call, Received};
use crate::messages::{Message, MessageState};
use crate::telephony::{Direction, Outcome};
use crate::terms::{Channel, LineId, Purpose, Reason, RuleId};

fn fulfils<T: Copy + PartialEq>(wanted: Option<T>, is: Option<T>) -> bool {
    wanted.is_none() || wanted == is
}

/// Conditions on calls. All of them must hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallFilter {
    pub outcome: Option<Outcome>,
    pub direction: Option<Direction>,
    /// The line that was called.
    pub line: Option<LineId>,
    /// The rule that matched.
    pub rule: Option<RuleId>,
    /// The code of the decision.
    pub code: Option<Reason>,
    /// Whether a provider accepted a message that follows it.
    pub followed_up: Option<bool>,
    /// Whether a cap or a failure stopped the message that was to follow it.
    pub stopped: Option<bool>,
    /// Whether a customer called and nobody answered.
    pub unanswered: Option<bool>,
}

impl CallFilter {
    /// Whether a call that a list shows with this outcome and this direction may fulfil them.
    pub fn lists(&self, outcome: &str, direction: &str) -> bool {
        let is = |wanted: Option<&str>, word: &str| wanted.is_none_or(|wanted| wanted == word);
        let unanswered = direction != Direction::Outbound.as_str()
            && Outcome::ALL
                .into_iter()
                .any(|known| known.nobody_answered() && known.as_str() == outcome);
        is(self.outcome.map(Outcome::as_str), outcome)
            && is(self.direction.map(Direction::as_str), direction)
            && fulfils(self.unanswered, Some(unanswered))
    }

    /// Whether a call fulfils the conditions that its own row can tell: all but those on its message.
    pub fn takes(&self, call: &Call) -> bool {
        let Self {
            outcome,
            direction,
            line,
            rule,
            code,
            followed_up,
            stopped,
            unanswered,
        } = *self;
        let needs_message = followed_up == Some(true) || stopped == Some(true);
        fulfils(outcome, Some(call.outcome))
            && fulfils(direction, Some(call.direction()))
            && fulfils(line, call.grounds.line)
            && fulfils(rule, call.grounds.rule)
            && code.is_none_or(|code| code.as_str() == call.reason)
            && fulfils(unanswered, Some(call.is_missed()))
            && (call.message.is_some() || !needs_message)
    }

    /// Whether some are on the message that follows a call.
    pub const fn asks_for_message(&self) -> bool {
        self.followed_up.is_some() || self.stopped.is_some()
    }

    /// Whether the message that follows a call fulfils those on it: the last one, if it was sent again. `None`: there is none, or its
    /// retention is over.
    pub fn takes_message(&self, message: Option<&Message>) -> bool {
        fulfils(self.followed_up, Some(message.is_some_and(Message::was_accepted)))
            && fulfils(self.stopped, Some(message.is_some_and(Message::is_stopped)))
    }
}

/// Conditions on messages. All of them must hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MessageFilter {
    pub direction: Option<Direction>,
    /// The state, which only outbound messages have.
    pub state: Option<MessageState>,
    /// The channel: of an outbound message the one that was tried last, or else the first planned one.
    pub channel: Option<Channel>,
    /// The purpose, which only outbound messages have.
    pub purpose: Option<Purpose>,
}

impl MessageFilter {
    /// Whether a message that a list shows with this direction may fulfil them.
    pub fn lists(&self, direction: &str) -> bool {
        let only_outbound = self.state.is_some() || self.purpose.is_some();
        let wanted = only_outbound.then_some(Direction::Outbound);
        let is = |wanted: Option<Direction>| wanted.is_none_or(|wanted| wanted.as_str() == direction);
        is(self.direction) && is(wanted)
    }

    /// Whether a message of the business fulfils them.
    pub fn takes_sent(&self, message: &Message) -> bool {
        fulfils(self.direction, Some(Direction::Outbound))
            && fulfils(self.state, Some(message.state()))
            && fulfils(self.channel, message.current_leg().map(|leg| leg.channel))
            && fulfils(self.purpose, Some(message.policy.purpose()))
    }

    /// Whether a customer's message fulfils them.
    pub fn takes_received(&self, received: &Received) -> bool {
        fulfils(self.direction, Some(Direction::Inbound))
            && fulfils(self.state, None)
            && fulfils(self.channel, Some(received.message.channel))
            && fulfils(self.purpose, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No condition takes a row that a list leaves out. The other way round, a list may not know enough.
    #[test]
    fn lists_leave_out_only_what_no_condition_takes() {
        let missed = CallFilter {
            outcome: Some(Outcome::Missed),
            ..CallFilter::default()
        };
        for (filter, outcome, direction, listed) in [
            (CallFilter::default(), "missed", "inbound", true),
            (missed, "missed", "outbound", true),
            (missed, "answered", "inbound", false),
            (
                CallFilter {
                    direction: Some(Direction::Outbound),
                    ..missed
                },
                "missed",
                "inbound",
                false,
            ),
        ] {
            assert_eq!(
                filter.lists(outcome, direction),
                listed,
                "{filter:?} {outcome} {direction}"
            );
        }
        let none = MessageFilter::default();
        let of = |direction| MessageFilter {
            direction: Some(direction),
            ..none
        };
        let read = MessageFilter {
            state: Some(MessageState::Read),
            ..none
        };
        let follow_up = MessageFilter {
            purpose: Some(Purpose::FollowUp),
            ..none
        };
        let by_sms = MessageFilter {
            channel: Some(Channel::Sms),
            ..none
        };
        for (filter, outbound, inbound) in [
            (none, true, true),
            (of(Direction::Inbound), false, true),
            (of(Direction::Outbound), true, false),
            (read, true, false),
            (follow_up, true, false),
            (by_sms, true, true),
        ] {
            let listed = (filter.lists("outbound"), filter.lists("inbound"));
            assert_eq!(listed, (outbound, inbound), "{filter:?}");
        }
    }
}
