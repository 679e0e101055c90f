//! The preference page shows a customer which messages a business may send, and lets them change that: the topics that
//! it offers, and the wishes that a choice makes (docs/decisions/0054-preference-page.md).

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::people::{By, Choice, ConsentCategory, Party, Scope, Wish, Wishes};
use crate::terms::{Category, Channel, to_hex};

/// Messages that the page offers by themselves: a category on a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Topic {
    pub channel: Channel,
    pub category: ConsentCategory,
}

impl Topic {
    /// All topics, in the order of the page.
    pub const ALL: [Self; 4] = [
        Self::of(Channel::WhatsApp, ConsentCategory::Marketing),
        Self::of(Channel::WhatsApp, ConsentCategory::Utility),
        Self::of(Channel::Sms, ConsentCategory::Marketing),
        Self::of(Channel::Sms, ConsentCategory::Utility),
    ];

    const fn of(channel: Channel, category: ConsentCategory) -> Self {
        Self { channel, category }
    }

    /// The name of its field in the page's form.
    pub const fn as_str(self) -> &'static str {
        match (self.channel, self.category) {
            (Channel::WhatsApp, ConsentCategory::Marketing) => "whatsapp_marketing",
            (Channel::WhatsApp, ConsentCategory::Utility) => "whatsapp_utility",
            (Channel::Sms, ConsentCategory::Marketing) => "sms_marketing",
            (Channel::Sms, ConsentCategory::Utility) => "sms_utility",
        }
    }

    /// The messages that it is about.
    pub const fn scope(self) -> Scope {
        Scope {
            channel: Some(self.channel),
            category: Some(self.category),
        }
    }
}

/// The state of a topic on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopicState {
    /// The customer gets the messages: offers only after an opt-in, others unless they are refused.
    Wanted,
    /// The customer does not get them, and can change that.
    Unwanted,
    /// The business refuses to send them, which the customer cannot change.
    Withheld,
}

fn refuses(refusal: &Wish, party: Party, topic: Topic) -> bool {
    refusal.by.party() == party && refusal.scope().covers(topic.scope())
}

/// The state of a topic.
pub fn topic_state(wishes: &Wishes, topic: Topic) -> TopicState {
    let refused = |party| wishes.refusals().any(|refusal| refuses(refusal, party, topic));
    if refused(Party::Business) {
        return TopicState::Withheld;
    }
    let wanted = match topic.category {
        ConsentCategory::Utility => true,
        ConsentCategory::Marketing => wishes.opt_in(Some(topic.channel), Category::Marketing).is_some(),
    };
    if wanted && !refused(Party::Customer) {
        TopicState::Wanted
    } else {
        TopicState::Unwanted
    }
}

/// Whether the customer refuses everything.
pub fn refuses_everything(wishes: &Wishes) -> bool {
    let mut refusals = wishes.refusals();
    refusals.any(|refusal| refusal.by.party() == Party::Customer && refusal.scope() == Scope::ALL)
}

/// A mark of these wishes. A page sends back the one that it showed, so that a choice is not made over a newer one.
pub fn wishes_mark(wishes: &Wishes) -> String {
    let mut hash = Sha256::new();
    for wish in wishes.all() {
        let (at, scope, by) = (wish.at.as_millisecond(), wish.scope(), wish.by);
        hash.update(format!("{at} {:?} {scope:?} {by:?};", wish.choice));
    }
    let mut mark = to_hex(&hash.finalize());
    mark.truncate(16);
    mark
}

/// A wish that a customer expresses on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    pub wish: Wish,
    /// Whether it refuses only what the customer did not get before.
    pub repeats: bool,
}

/// The wishes of a customer who wants these topics and no others. None if nothing changes.
///
/// A refusal that is wider than a topic, such as STOP, ends as a whole when the customer wants one of its topics; the other topics
/// are then refused one by one. Topics that the business withholds cannot be wanted.
pub fn choose_topics(wishes: &Wishes, wanted: &[Topic], now: Timestamp) -> Vec<Chosen> {
    let wants = |topic: Topic| wanted.contains(&topic) && topic_state(wishes, topic) != TopicState::Withheld;
    let turned_on = |topic: Topic| wants(topic) && topic_state(wishes, topic) == TopicState::Unwanted;
    let own = |refusal: &&Wish| refusal.by.party() == Party::Customer;
    let own: Vec<Scope> = wishes.refusals().filter(own).map(Wish::scope).collect();
    let is_wide = |scope: &&Scope| scope.channel.is_none() || scope.category.is_none();
    let is_in_the_way = |scope: &&Scope| {
        let mut topics = Topic::ALL.into_iter();
        topics.any(|topic| turned_on(topic) && scope.covers(topic.scope()))
    };
    let lifted: Vec<Scope> = own.iter().filter(is_wide).filter(is_in_the_way).copied().collect();
    let at = after_all(wishes, now);
    // Later than the lifts: these would end a refusal of the same time that is read before them.
    let later = at + SignedDuration::from_millis(1);
    let topics = Topic::ALL.into_iter().filter_map(|topic| {
        let refused = own.iter().filter(|scope| scope.covers(topic.scope()));
        let (ends, stays): (Vec<&Scope>, Vec<&Scope>) =
            refused.partition(|scope| lifted.iter().any(|lift| lift.covers(**scope)));
        if turned_on(topic) {
            return Some((Choice::Granted, topic.scope(), later, false));
        }
        let was_wanted = topic_state(wishes, topic) == TopicState::Wanted;
        let changes = !ends.is_empty() || was_wanted;
        let refuses = !wants(topic) && stays.is_empty() && changes;
        refuses.then(|| (Choice::Refused, topic.scope(), later, !was_wanted))
    });
    let lifts = lifted.iter().map(|scope| (Choice::Lifted, *scope, at, false));
    let made = lifts.chain(topics).map(|(choice, scope, at, repeats)| {
        let source = "chosen on the preference page";
        let wish = Wish::new(choice, scope, By::Page, source, at);
        Chosen { wish, repeats }
    });
    made.collect()
}

/// The wish of a customer who wants no messages at all. `None` if it is known.
pub fn refuse_everything(wishes: &Wishes, now: Timestamp) -> Option<Chosen> {
    let at = after_all(wishes, now);
    let source = "stopped all messages on the preference page";
    (!refuses_everything(wishes)).then(|| Chosen {
        wish: Wish::new(Choice::Refused, Scope::ALL, By::Page, source, at),
        repeats: false,
    })
}

/// The time of a choice: after everything that the page showed. Otherwise in whole seconds, as providers report the times of stop
/// words, so that a STOP within the same second holds.
fn after_all(wishes: &Wishes, now: Timestamp) -> Timestamp {
    let second = Timestamp::from_second(now.as_second()).unwrap_or(now);
    let newest = wishes.all().map(|wish| wish.at).max();
    let after = newest.map(|at| at + SignedDuration::from_millis(1));
    after.map_or(second, |after| after.max(second))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::messages::OptFlag;
    use crate::people::{Applied, Contact, check_wishes};
    use crate::samples::{NOON, at, contact};
    use crate::terms::Purpose;

    const ALL_WISHES: [(Choice, By); 6] = [
        (Choice::Refused, By::Keyword),
        (Choice::Granted, By::Keyword),
        (Choice::Lifted, By::Told),
        (Choice::Refused, By::Key),
        (Choice::Granted, By::User),
        (Choice::Refused, By::Provider),
    ];

    fn scopes() -> Vec<Scope> {
        let channels = [None, Some(Channel::WhatsApp), Some(Channel::Sms)];
        let categories = [None, Some(ConsentCategory::Marketing), Some(ConsentCategory::Utility)];
        let all = channels.into_iter().flat_map(|channel| {
            let scope = move |category| Scope { channel, category };
            categories.into_iter().map(scope)
        });
        all.collect()
    }

    fn wish(choice: Choice, scope: Scope, by: By, second: i64) -> Wish {
        Wish::new(
            choice,
            scope,
            by,
            "said so",
            at(NOON) + SignedDuration::from_secs(second),
        )
    }

    fn states(contact: &Contact) -> [TopicState; 4] {
        Topic::ALL.map(|topic| topic_state(&contact.consent, topic))
    }

    fn contact_after_choice(contact: &Contact, wanted: &[Topic]) -> Contact {
        let mut after = contact.clone();
        for chosen in choose_topics(&contact.consent, wanted, at(NOON)) {
            assert_ne!(after.consent.apply(chosen.wish), Applied::Nothing);
        }
        after
    }

    /// Nothing was said: answers to what the person did are sent, offers are not.
    #[test]
    fn new_contact_gets_updates_and_no_offers() {
        use TopicState::{Unwanted, Wanted};
        let contact = contact();
        assert_eq!(states(&contact), [Unwanted, Wanted, Unwanted, Wanted]);
        assert!(!refuses_everything(&contact.consent));
        let updates = [Topic::ALL[1], Topic::ALL[3]];
        assert_eq!(choose_topics(&contact.consent, &updates, at(NOON)), []);
    }

    #[test]
    fn stop_is_recorded_once_and_beats_everything() {
        let mut contact = contact();
        contact.wish(OptFlag::Start, "wrote START", at(NOON));
        let Chosen { wish, repeats } = refuse_everything(&contact.consent, at(NOON)).unwrap();
        assert_eq!(
            (wish.choice, wish.scope(), wish.by),
            (Choice::Refused, Scope::ALL, By::Page)
        );
        assert!(!repeats);
        contact.record(wish);
        assert!(contact.opted_out().is_some() && refuses_everything(&contact.consent));
        assert_eq!(refuse_everything(&contact.consent, at(NOON)), None);
        assert_eq!(states(&contact), [TopicState::Unwanted; 4]);
    }

    /// STOP covers more than the topic that the customer wants again.
    #[test]
    fn one_topic_after_stop_leaves_the_others_refused() {
        let mut contact = contact();
        contact.wish(OptFlag::Stop, "wrote STOP", at(NOON));
        let after = contact_after_choice(&contact, &[Topic::ALL[2]]);
        let mut expected = [TopicState::Unwanted; 4];
        expected[2] = TopicState::Wanted;
        assert_eq!(states(&after), expected);
        assert!(!refuses_everything(&after.consent));
        let allowed = |channel, category, purpose| check_wishes(&after, Some(channel), category, purpose).is_ok();
        assert!(allowed(Channel::Sms, Category::Marketing, Purpose::Campaign));
        assert!(!allowed(Channel::WhatsApp, Category::Marketing, Purpose::Campaign));
        assert!(!allowed(Channel::Sms, Category::Utility, Purpose::FollowUp));
    }

    /// Otherwise who wants one topic again would count as somebody who refuses the others.
    #[test]
    fn only_what_was_wanted_is_refused_anew() {
        let refused = |contact: &Contact, wanted: &[Topic]| {
            let made = choose_topics(&contact.consent, wanted, at(NOON)).into_iter();
            let refused = made.filter(|chosen| chosen.wish.choice == Choice::Refused);
            let refused = refused.map(|chosen| (chosen.wish.scope(), chosen.repeats));
            refused.collect::<Vec<_>>()
        };
        let mut contact = contact();
        contact.wish(OptFlag::Stop, "wrote STOP", at("2026-11-19T12:00:00+04"));
        let others = [Topic::ALL[0], Topic::ALL[1], Topic::ALL[2]];
        assert_eq!(
            refused(&contact, &[Topic::ALL[3]]),
            others.map(|topic| (topic.scope(), true))
        );
        contact.wish(OptFlag::Start, "wrote START", at("2026-11-19T13:00:00+04"));
        assert_eq!(
            refused(&contact, &[Topic::ALL[3]]),
            others.map(|topic| (topic.scope(), false))
        );
    }

    /// Providers report the times of stop words in whole seconds.
    #[test]
    fn stop_word_within_the_second_of_a_choice_holds() {
        let half = SignedDuration::from_millis(500);
        let mut contact = contact();
        contact.wish(OptFlag::Stop, "wrote STOP", at("2026-11-19T12:00:00+04"));
        let wishes = choose_topics(&contact.consent, &Topic::ALL, at(NOON) + half);
        wishes.into_iter().for_each(|chosen| drop(contact.record(chosen.wish)));
        assert_eq!(states(&contact), [TopicState::Wanted; 4]);
        contact.wish(OptFlag::Stop, "wrote STOP", at(NOON));
        assert_eq!(states(&contact), [TopicState::Unwanted; 4]);
    }

    /// A refusal of the business is shown as it is, and not undone by a tick.
    #[test]
    fn refusal_of_the_business_stays() {
        let mut contact = contact();
        contact.record(wish(Choice::Refused, Scope::MARKETING, By::Key, 0));
        contact.wish(OptFlag::Stop, "wrote STOP", at(NOON));
        let after = contact_after_choice(&contact, &Topic::ALL);
        use TopicState::{Wanted, Withheld};
        assert_eq!(states(&after), [Withheld, Wanted, Withheld, Wanted]);
        let mut lifted = after;
        lifted.record(wish(Choice::Lifted, Scope::MARKETING, By::Key, 60));
        // The customer's own refusal was there before, and was not taken back.
        assert_eq!(states(&lifted)[0], TopicState::Unwanted);
    }

    #[test]
    fn mark_changes_with_every_wish() {
        let mut contact = contact();
        let none = wishes_mark(&contact.consent);
        contact.wish(OptFlag::Stop, "wrote STOP", at(NOON));
        let stopped = wishes_mark(&contact.consent);
        contact.wish(OptFlag::Stop, "wrote STOP", at("2026-11-20T13:00:00+04"));
        let again = wishes_mark(&contact.consent);
        assert!(none != stopped && stopped != again && again != none);
        assert_eq!(again.len(), 16);
    }

    proptest! {
        /// Whatever was said before, the customer's choice holds, nothing that the business refuses is sent, and
        /// choosing the same again changes nothing. The order of reading the wishes does not matter.
        #[test]
        fn choice_holds(
            said in prop::collection::vec((0..ALL_WISHES.len(), 0..9_usize, -100..100_i64), 0..12),
            wanted in prop::collection::vec(any::<bool>(), 4),
            reversed in any::<bool>(),
        ) {
            let mut before = contact();
            for (what, scope, second) in said {
                let (choice, by) = ALL_WISHES[what];
                before.record(wish(choice, scopes()[scope], by, second));
            }
            let wanted: Vec<Topic> = Topic::ALL.into_iter().zip(wanted).filter(|(_, yes)| *yes).map(|(topic, _)| topic).collect();
            let mut made = choose_topics(&before.consent, &wanted, at(NOON));
            prop_assert!(made.len() <= 9);
            if reversed {
                made.reverse();
            }
            let mut after = before.clone();
            made.into_iter().for_each(|chosen| drop(after.record(chosen.wish)));
            for topic in Topic::ALL {
                let expected = match topic_state(&before.consent, topic) {
                    TopicState::Withheld => TopicState::Withheld,
                    _ if wanted.contains(&topic) => TopicState::Wanted,
                    _ => TopicState::Unwanted,
                };
                prop_assert_eq!(topic_state(&after.consent, topic), expected, "{:?}", topic);
                let category = match topic.category {
                    ConsentCategory::Marketing => Category::Marketing,
                    ConsentCategory::Utility => Category::Utility,
                };
                let sent = check_wishes(&after, Some(topic.channel), category, Purpose::FollowUp).is_ok();
                prop_assert_eq!(sent, expected == TopicState::Wanted, "{:?}", topic);
            }
            prop_assert_eq!(choose_topics(&after.consent, &wanted, at(NOON)), []);
            let stop = refuse_everything(&after.consent, at(NOON));
            stop.into_iter().for_each(|chosen| drop(after.record(chosen.wish)));
            prop_assert!(refuses_everything(&after.consent));
        }
    }
}
