//! Conversations on one line that become one when their contacts are merged, and two again when that is undone.

use serde::{Deserialize, Serialize};

use crate::inbox::{Conversation, ConversationState, MAX_TAGS, Wrote};
use crate::terms::{ContactId, TagId};

/// Two conversations on one line, and the one that goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// Conversation of the surviving contact before the merge, if it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<Conversation>,
    /// Conversation of the other contact before the merge.
    pub other: Conversation,
    /// Conversation of the surviving contact after the merge.
    pub merged: Conversation,
}

/// The former value, unless it was changed since the merge.
pub(crate) fn undo_field<T: Clone + PartialEq>(before: &T, merged: &T, now: &T) -> T {
    if now == merged { before.clone() } else { now.clone() }
}

/// The earlier of two times, as far as there are any.
fn earlier<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    one.into_iter().chain(other).min()
}

impl Joined {
    /// Joins another contact's conversation with the surviving contact's on the same line, if there is one.
    pub fn of(survivor: ContactId, own: Option<Conversation>, other: Conversation) -> Self {
        let merged = match &own {
            Some(own) => unite_conversations(own, &other),
            None => Conversation {
                contact: survivor,
                ..other.clone()
            },
        };
        Self { own, other, merged }
    }

    /// The other contact's conversation, which is over: all that waits in it waits in the one that goes on.
    pub fn closed_other(&self) -> Conversation {
        let mut closed = self.other.clone();
        closed.move_to(ConversationState::Closed, None);
        closed
    }

    /// The surviving contact's conversation once the merge is undone. `None`: it had none, and nobody has changed this one since.
    pub fn own_after_undo(&self, now: &Conversation) -> Option<Conversation> {
        let merged = &self.merged;
        let before = self.own.clone().unwrap_or_else(|| Conversation {
            state: ConversationState::Closed,
            woken_at: merged.woken_at,
            ..Conversation::empty(merged.id(), merged.created_at)
        });
        let parted = undo_conversation(&before, merged, now);
        (self.own.is_some() || parted != before).then_some(parted)
    }

    /// The other contact's conversation once the merge is undone.
    pub fn other_after_undo(&self, now: &Conversation) -> Conversation {
        undo_conversation(&self.other, &self.closed_other(), now)
    }
}

/// A conversation as it was before the merge, except for what was changed in it since. All of it stays as it is now if
/// the customer or the team has said something in it since: nobody knows to whom.
fn undo_conversation(before: &Conversation, merged: &Conversation, now: &Conversation) -> Conversation {
    if merged.seq < now.seq {
        return now.clone();
    }
    // Only a snoozed conversation has a time of opening.
    let state = |of: &Conversation| (of.state, of.snoozed_until, of.woken_at, of.hidden);
    let (state, snoozed_until, woken_at, hidden) = undo_field(&state(before), &state(merged), &state(now));
    let stays = |tag: &&TagId| before.tags.contains(tag) || !merged.tags.contains(tag);
    let tags: Vec<_> = now.tags.iter().filter(stays).copied().collect();
    let mut restored = Conversation {
        state,
        snoozed_until,
        woken_at,
        hidden,
        assignee: undo_field(&before.assignee, &merged.assignee, &now.assignee),
        team: undo_field(&before.team, &merged.team, &now.team),
        priority: undo_field(&before.priority, &merged.priority, &now.priority),
        tags: tags.into(),
        waiting_since: undo_field(&before.waiting_since, &merged.waiting_since, &now.waiting_since),
        tell_at: undo_field(&before.tell_at, &merged.tell_at, &now.tell_at),
        noticed_at: undo_field(&before.noticed_at, &merged.noticed_at, &now.noticed_at),
        ..before.clone()
    };
    if merged.read_seq < now.read_seq {
        restored.read_to(now.read_seq);
    }
    restored
}

/// Joins two conversations. Happenings of the other one that the team has not seen stand behind the survivor's own.
fn unite_conversations(own: &Conversation, other: &Conversation) -> Conversation {
    let place = |seq: u64| match seq.saturating_sub(other.read_seq) {
        0 => own.read_seq,
        unseen => own.seq + unseen,
    };
    let wrote = other.wrote.map(|wrote| Wrote {
        seq: place(wrote.seq),
        ..wrote
    });
    // Whoever attended to one that is over may have left since.
    let first = if own.state == ConversationState::Closed {
        other
    } else {
        own
    };
    let attended = if first.assignee.is_none() && other.assignee.is_some() {
        other
    } else {
        first
    };
    let state = own.state.min(other.state);
    let wakes = earlier(own.snoozed_until, other.snoozed_until);
    let further = other.tags.iter().filter(|tag| !own.tags.contains(tag));
    let tags: Vec<_> = own.tags.iter().chain(further).copied().take(MAX_TAGS).collect();
    Conversation {
        state,
        snoozed_until: wakes.filter(|_| state == ConversationState::Snoozed),
        assignee: attended.assignee,
        team: attended.team.or(own.team).or(other.team),
        priority: own.priority.max(other.priority),
        tags: tags.into(),
        seq: place(other.seq).max(own.seq),
        unread: own.unread.saturating_add(other.unread),
        last: own.last.into_iter().chain(other.last).max_by_key(|last| last.at),
        waiting_since: earlier(own.waiting_since, other.waiting_since),
        replied_at: own.replied_at.max(other.replied_at),
        first_response: own.first_response.or(other.first_response),
        wrote: own.wrote.into_iter().chain(wrote).max_by_key(|wrote| wrote.seq),
        tell_at: earlier(own.tell_at, other.tell_at),
        noticed_at: own.noticed_at.max(other.noticed_at),
        // The contacts are shown, and so is what waits here.
        hidden: None,
        created_at: own.created_at.min(other.created_at),
        ..own.clone()
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use ulid::Ulid;

    use super::*;
    use crate::inbox::{Happening, Priority, What};
    use crate::samples::at;
    use crate::terms::{Channel, ConversationId, LineId, MessageId, UserId};

    fn contact(number: u64) -> ContactId {
        ContactId::new(Ulid::from_parts(number, 1))
    }

    fn user(number: u64) -> Option<UserId> {
        Some(UserId::new(Ulid::from_parts(number, 2)))
    }

    fn minute(minute: i64) -> Timestamp {
        at("2026-11-20T10:00:00Z") + SignedDuration::from_mins(minute)
    }

    /// A conversation with messages of the customer at these minutes.
    fn wrote(number: u64, minutes: &[i64]) -> Conversation {
        let line = Some(LineId::new(Ulid::from_parts(9, 9)));
        let mut all = Conversation::empty(ConversationId::of(contact(number), line), minute(minutes[0]));
        for of in minutes {
            let message = MessageId::new(contact(number), Ulid::from_parts(of.unsigned_abs(), 3));
            let what = What::Inbound(message, Channel::WhatsApp);
            all.note(Happening { at: minute(*of), what }, Some(SignedDuration::from_mins(10)));
        }
        all
    }

    #[test]
    fn the_earlier_wait_the_person_and_the_priority_hold() {
        let (mut other, own) = (wrote(2, &[1, 2, 3]), wrote(1, &[5, 6]));
        (other.assignee, other.priority) = (user(1), Priority::High);
        other.read_to(1);
        let joined = Joined::of(contact(1), Some(own.clone()), other.clone());
        let expected = Conversation {
            assignee: user(1),
            priority: Priority::High,
            seq: 4,
            unread: 4,
            waiting_since: Some(minute(1)),
            wrote: Some(Wrote { at: minute(3), seq: 4 }),
            tell_at: Some(minute(11)),
            created_at: minute(1),
            ..own
        };
        assert_eq!(joined.merged, expected);
        let closed = joined.closed_other();
        let waits = (closed.state, closed.waiting_since, closed.unread, closed.due_at());
        assert_eq!(waits, (ConversationState::Closed, None, 0, None));
        // Whoever has shown the survivor's own has not seen what came from the other one.
        let mut shown = joined.merged;
        assert!(shown.read_to(2) && shown.unread == 2 && shown.unread_message().is_some());
        let alone = Joined::of(contact(1), None, other.clone()).merged;
        assert_eq!(
            alone,
            Conversation {
                contact: contact(1),
                ..other
            }
        );
    }

    #[test]
    fn whoever_attends_to_the_one_that_is_not_over_goes_on() {
        let (closed, open) = (ConversationState::Closed, ConversationState::Open);
        let snoozed = ConversationState::Snoozed;
        for (own, other, expected) in [
            ((open, 1), (open, 2), (open, user(1))),
            ((closed, 1), (open, 2), (open, user(2))),
            ((snoozed, 1), (open, 2), (open, user(1))),
            ((closed, 1), (snoozed, 2), (snoozed, user(2))),
        ] {
            let one = |number, (state, person)| {
                let mut one = wrote(number, &[1]);
                one.move_to(state, (state == snoozed).then(|| minute(60)));
                one.assignee = user(person);
                one
            };
            let merged = Joined::of(contact(1), Some(one(1, own)), one(2, other)).merged;
            assert_eq!((merged.state, merged.assignee), expected, "{own:?} {other:?}");
            let wakes = (merged.state == snoozed).then(|| minute(60));
            assert_eq!(merged.snoozed_until, wakes);
        }
    }

    #[test]
    fn parted_ones_are_as_before_but_for_what_was_done_since() {
        let (mut own, mut other) = (wrote(1, &[0]), wrote(2, &[1]));
        own.move_to(ConversationState::Closed, None);
        let [ours, theirs, new] = [1, 2, 3].map(|number| TagId::new(Ulid::from_parts(number, 4)));
        own.tags = vec![ours].into();
        other.tags = vec![theirs].into();
        let joined = Joined::of(contact(1), Some(own.clone()), other.clone());
        assert_eq!(joined.own_after_undo(&joined.merged), Some(own.clone()));
        assert_eq!(joined.other_after_undo(&joined.closed_other()), other);
        let until = Some(minute(60));
        let change = |one: &mut Conversation| {
            one.move_to(ConversationState::Snoozed, until);
            (one.assignee, one.woken_at) = (user(1), Some(minute(9)));
        };
        let mut changed = joined.merged.clone();
        change(&mut changed);
        changed.tags = vec![theirs, new].into();
        let mut expected = own;
        change(&mut expected);
        expected.tags = vec![new].into();
        assert_eq!(joined.own_after_undo(&changed), Some(expected));
        // The wait of the other one goes back, whatever was changed in it.
        let mut closed = joined.closed_other();
        closed.priority = Priority::High;
        let high = Conversation {
            priority: Priority::High,
            ..other.clone()
        };
        assert_eq!(joined.other_after_undo(&closed), high);
        let mut hidden = wrote(1, &[0]);
        assert!(hidden.hide());
        let of_hidden = Joined::of(contact(1), Some(hidden), other).merged;
        assert_eq!((of_hidden.state, of_hidden.hidden), (ConversationState::Open, None));
    }

    /// The survivor had no conversation on the line. Its wait goes back to the other contact.
    #[test]
    fn one_of_the_survivor_stays_if_somebody_has_changed_it() {
        let alone = Joined::of(contact(1), None, wrote(2, &[1]));
        let since = |change: &dyn Fn(&mut Conversation)| {
            let mut now = alone.merged.clone();
            change(&mut now);
            alone.own_after_undo(&now)
        };
        assert_eq!(since(&|_| {}), None);
        assert_eq!(since(&|now| assert!(now.read_to(1))), None);
        assert_eq!(since(&|now| now.move_to(ConversationState::Closed, None)), None);
        let given = since(&|now| now.assignee = user(1)).expect("it has somebody");
        let state = (given.state, given.waiting_since, given.unread, given.assignee);
        assert_eq!(state, (ConversationState::Closed, None, 0, user(1)));
        let mut said = alone.merged.clone();
        said.seq += 1;
        assert_eq!(alone.own_after_undo(&said), Some(said));
    }
}
