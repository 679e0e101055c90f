//! Wishes hold in whatever order they arrive, and a refusal never allows more.

use domain::people::{By, Choice, ConsentCategory, Contact, Scope, Wish, check_wishes};
use domain::terms::{Category, Channel, PURPOSE_TABLE, Purpose, Stop};
use proptest::prelude::*;
use proptest::sample::select;

use crate::contacts::{at, somebody};

const CHANNELS: [Option<Channel>; 3] = [None, Some(Channel::WhatsApp), Some(Channel::Sms)];

fn scopes() -> impl Strategy<Value = Scope> {
    let categories = vec![None, Some(ConsentCategory::Marketing), Some(ConsentCategory::Utility)];
    let scope = |(channel, category)| Scope { channel, category };
    (select(CHANNELS.to_vec()), select(categories)).prop_map(scope)
}

fn ways() -> impl Strategy<Value = By> {
    select(vec![
        By::Keyword,
        By::Page,
        By::Provider,
        By::Told,
        By::User,
        By::Key,
        By::Import,
    ])
}

fn choices() -> impl Strategy<Value = Choice> {
    select(vec![Choice::Refused, Choice::Granted, Choice::Lifted])
}

/// Wishes at different times.
fn wishes() -> impl Strategy<Value = Vec<Wish>> {
    let wishes = prop::collection::vec((choices(), scopes(), ways()), 0..12);
    wishes.prop_map(|wishes| {
        let timed = wishes.into_iter().zip(1..);
        let wish = timed.map(|((choice, scope, by), second)| Wish::new(choice, scope, by, "said so", at(second)));
        wish.collect()
    })
}

/// Somebody who wrote at this second, and wished this.
fn contact_with_wishes(wrote: i64, wishes: &[Wish]) -> Contact {
    let mut contact = somebody();
    contact.last_inbound_at = Some(at(wrote));
    for wish in wishes {
        contact.record(wish.clone());
    }
    contact
}

/// All messages that may be sent, except for the confirmation of a stop word: only that word allows it.
fn permitted_messages(contact: &Contact) -> Vec<(Purpose, Category, Option<Channel>)> {
    let mut sent = Vec::new();
    for row in PURPOSE_TABLE.iter().filter(|row| row.stop != Stop::Confirms) {
        for kind in row.kinds {
            let by = CHANNELS.into_iter();
            let by = by.filter(|channel| check_wishes(contact, *channel, kind.category, row.purpose).is_ok());
            sent.extend(by.map(|channel| (row.purpose, kind.category, channel)));
        }
    }
    sent
}

proptest! {
    #[test]
    fn wishes_count_by_time_and_not_by_arrival(
        (wishes, shuffled) in wishes().prop_flat_map(|wishes| (Just(wishes.clone()), Just(wishes).prop_shuffle())),
        wrote in 0_i64..14,
    ) {
        let (one, other) = (contact_with_wishes(wrote, &wishes), contact_with_wishes(wrote, &shuffled));
        // The first to say something is its source; all else is the same.
        let said = |contact: &Contact| -> Vec<_> {
            contact.consent.all().map(|wish| (wish.at, wish.scope(), wish.choice, wish.by.party())).collect()
        };
        prop_assert_eq!(said(&one), said(&other));
        prop_assert_eq!(permitted_messages(&one), permitted_messages(&other));
        // Telling it twice changes nothing.
        prop_assert_eq!(contact_with_wishes(wrote, &[wishes, shuffled].concat()).consent, one.consent);
    }

    /// A further refusal, of any scope, way and time.
    #[test]
    fn further_refusal_never_allows_more(
        wishes in wishes(), scope in scopes(), by in ways(), second in 0_i64..14, wrote in 0_i64..14,
    ) {
        let before = contact_with_wishes(wrote, &wishes);
        let mut after = before.clone();
        after.record(Wish::new(Choice::Refused, scope, by, "said so", at(second)));
        let known = permitted_messages(&before);
        for message in permitted_messages(&after) {
            prop_assert!(known.contains(&message), "{message:?}");
        }
    }

    /// A person's reply to what the customer wrote since, and a code.
    #[test]
    fn stop_leaves_two_exceptions(wishes in wishes(), wrote in 0_i64..30) {
        let mut stopped = contact_with_wishes(wrote, &wishes);
        stopped.record(Wish::new(Choice::Refused, Scope::ALL, By::Keyword, "wrote STOP", at(20)));
        for (purpose, ..) in permitted_messages(&stopped) {
            let replies = purpose == Purpose::Reply && wrote > 20;
            prop_assert!(replies || purpose == Purpose::OneTimeCode, "{purpose:?}");
        }
    }

    /// Its confirmation passes it, unless anything else refuses messages, too.
    #[test]
    fn only_a_stop_word_lets_its_confirmation_pass(wishes in wishes(), wrote in 0_i64..30) {
        let mut stopped = contact_with_wishes(wrote, &wishes);
        stopped.record(Wish::new(Choice::Refused, Scope::ALL, By::Keyword, "wrote STOP", at(20)));
        for channel in CHANNELS {
            let refused = stopped.consent.refusals().any(|refusal| {
                let own = refusal.by == By::Keyword && refusal.scope() == Scope::ALL;
                let about = refusal.channel.is_none() || refusal.channel == channel;
                !own && about && refusal.category.is_none()
            });
            let passes = check_wishes(&stopped, channel, Category::Service, Purpose::StopConfirmation).is_ok();
            prop_assert_eq!(passes, !refused, "{:?}", channel);
        }
    }

    /// Nothing that the customer says undoes a refusal by the business, and the other way round.
    #[test]
    fn refusal_ends_only_by_its_own_party(wishes in wishes(), scope in scopes(), by in ways()) {
        let others: Vec<_> = wishes.into_iter().filter(|wish| wish.by.party() != by.party()).collect();
        let mut contact = contact_with_wishes(0, &[]);
        contact.record(Wish::new(Choice::Refused, scope, by, "said so", at(0)));
        for wish in others {
            contact.record(wish);
        }
        let mut refusals = contact.consent.refusals();
        prop_assert!(refusals.any(|refusal| refusal.scope() == scope && refusal.by.party() == by.party()));
    }

    #[test]
    fn wishes_survive_their_row(wishes in wishes()) {
        let contact = contact_with_wishes(0, &wishes);
        let json = serde_json::to_string(&contact).expect("JSON");
        prop_assert_eq!(serde_json::from_str::<Contact>(&json).expect("a contact"), contact);
    }
}
