use domain::{
    Timestamp,
    base::{ids::ContactId, phone::Phone},
    contacts::contact::{Change, Contact, Identity, MAX_UNREACHABLE, Tried},
    messages::{
        errors::{Stage, classify},
        inbound::OptFlag,
        message::Channel,
        send::{Api, Classified, Effect},
    },
};
use proptest::{prelude::*, sample::Index};

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).expect("a time")
}

pub(crate) fn somebody() -> Contact {
    let phone = Identity::Phone("+971501234567".parse().expect("a number"));
    Contact::first_seen(ContactId::new(ulid::Ulid::nil()), &phone, at(0))
}

#[derive(Debug, Clone, Copy)]
enum Wish {
    Stop,
    Start,
    NoMarketing,
    Marketing,
}

fn say(contact: &mut Contact, wish: Wish, second: i64) {
    let source = "";
    match wish {
        Wish::Stop => contact.wish(OptFlag::Stop, source, at(second)),
        Wish::Start => contact.wish(OptFlag::Start, source, at(second)),
        Wish::NoMarketing => contact.wish_marketing(false, source, at(second)),
        Wish::Marketing => contact.wish_marketing(true, source, at(second)),
    };
}

proptest! {
    /// The newest wish about all messages holds, and the newest one about marketing, in whatever order they arrive.
    #[test]
    fn newest_wish_holds_in_any_order(
        wishes in prop::collection::vec(prop_oneof![
            Just(Wish::Stop), Just(Wish::Start), Just(Wish::NoMarketing), Just(Wish::Marketing),
        ], 1..8),
        swaps in prop::collection::vec((any::<Index>(), any::<Index>()), 0..8),
    ) {
        let timed: Vec<_> = wishes.iter().copied().zip(1..).collect();
        let mut shuffled = timed.clone();
        for (one, other) in swaps {
            shuffled.swap(one.index(timed.len()), other.index(timed.len()));
        }
        let mut contact = somebody();
        for (wish, second) in shuffled {
            say(&mut contact, wish, second);
        }
        let last = |of: fn(&Wish) -> Option<bool>| wishes.iter().rev().find_map(of);
        let welcome = last(|wish| match wish {
            Wish::Stop => Some(false),
            Wish::Start => Some(true),
            Wish::NoMarketing | Wish::Marketing => None,
        });
        let marketing = last(|wish| match wish {
            Wish::NoMarketing => Some(false),
            Wish::Start | Wish::Marketing => Some(true),
            Wish::Stop => None,
        });
        prop_assert_eq!(contact.opted_out().is_some(), welcome == Some(false));
        prop_assert_eq!(contact.opted_in_at().is_some(), welcome == Some(true));
        prop_assert_eq!(contact.marketing_opted_out().is_some(), marketing == Some(false));
    }
}

fn tried(channel: Channel, to: Option<&Phone>) -> Tried<'_> {
    Tried {
        channel,
        to,
        from: None,
        claimed_at: at(0),
    }
}

fn error(effect: Effect) -> Classified {
    Classified {
        effect,
        ..classify(Api::Twilio, Stage::Answer, Some(400), Some(21610))
    }
}

#[test]
fn error_does_not_override_a_newer_wish() {
    let mut contact = somebody();
    say(&mut contact, Wish::Start, 10);
    contact.last_inbound_at = Some(at(10));
    let before = contact.clone();
    for effect in [Effect::ChannelOptOut, Effect::MarketingOptOut, Effect::Unreachable] {
        let change = contact.learn(tried(Channel::Sms, None), &error(effect), at(9));
        assert_eq!(change, Change::Nothing, "{effect:?}");
    }
    assert_eq!(contact, before);
    contact.learn(tried(Channel::Sms, None), &error(Effect::ChannelOptOut), at(11));
    assert!(contact.opted_out().is_some());
}

/// For the number that sent, until the person writes to it again.
#[test]
fn window_that_the_provider_found_closed_is_closed() {
    let mut contact = somebody();
    let [number, other] = ["+447700900999", "+447700900111"].map(|number| number.parse::<Phone>().expect("a number"));
    contact.open_window(&number, at(10));
    contact.open_window(&other, at(10));
    let closed = |contact: &mut Contact, second| {
        let tried = Tried {
            from: Some(&number),
            claimed_at: at(second),
            ..tried(Channel::WhatsApp, None)
        };
        contact.learn(tried, &error(Effect::WindowClosed), at(30))
    };
    assert_eq!(closed(&mut contact, 9), Change::Nothing, "they wrote since");
    assert_eq!(closed(&mut contact, 20), Change::Contact);
    assert_eq!(contact.window_closes_at(&number), Some(at(20)));
    assert_eq!(closed(&mut contact, 20), Change::Nothing);
    assert!(contact.window_open(&other, at(22)), "of another branch");
    contact.open_window(&number, at(21));
    assert!(contact.window_open(&number, at(22)));
}

#[test]
fn numbers_that_a_channel_does_not_reach_are_told_apart() {
    let mut contact = somebody();
    let number = |place: u8| -> Phone { format!("+97150123456{place}").parse().expect("a number") };
    let (landline, mobile) = (number(1), number(2));
    let learn = |contact: &mut Contact, channel, number: Option<&Phone>, second| {
        contact.learn(tried(channel, number), &error(Effect::Unreachable), at(second))
    };
    for second in [1, 2] {
        assert_eq!(
            learn(&mut contact, Channel::Sms, Some(&landline), second),
            Change::Contact
        );
    }
    let known = contact.unreachable_on(Channel::Sms, Some(&landline));
    assert_eq!(known.map(|known| known.at), Some(at(2)));
    assert_eq!(contact.unreachable.len(), 1);
    for (channel, number) in [
        (Channel::Sms, Some(&mobile)),
        (Channel::Sms, None),
        (Channel::WhatsApp, Some(&landline)),
    ] {
        assert_eq!(contact.unreachable_on(channel, number), None);
    }

    // A message proves something about the number that it came from only.
    learn(&mut contact, Channel::WhatsApp, None, 3);
    contact.reached_on(Channel::Sms, Some(&mobile));
    contact.reached_on(Channel::WhatsApp, Some(&mobile));
    assert!(contact.unreachable_on(Channel::Sms, Some(&landline)).is_some());
    assert_eq!(contact.unreachable_on(Channel::WhatsApp, None), None);
    contact.reached_on(Channel::Sms, Some(&landline));
    assert_eq!(contact.unreachable, []);

    for place in 0..9_u8 {
        learn(&mut contact, Channel::Sms, Some(&number(place)), place.into());
    }
    assert_eq!(contact.unreachable.len(), MAX_UNREACHABLE);
    assert!(
        contact.unreachable_on(Channel::Sms, Some(&number(8))).is_some(),
        "the newest"
    );
    contact.reached_on(Channel::Sms, None);
    assert_eq!(contact.unreachable, [], "it may have come from any of them");
}

/// It may be named by another contact of the same person, who writes.
#[test]
fn only_what_is_newer_brings_a_deleted_contact_back() {
    for (heard, erasing, back) in [
        (9, false, false),
        (10, false, false),
        (11, false, true),
        (11, true, false),
    ] {
        let mut contact = somebody();
        (contact.deleted_at, contact.erasing) = (Some(at(10)), erasing);
        contact.heard_again(at(heard));
        assert_eq!(contact.deleted_at.is_none(), back, "{heard} {erasing}");
    }
}
