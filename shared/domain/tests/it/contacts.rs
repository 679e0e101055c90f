use domain::Timestamp;
use domain::messages::{OptFlag, Stage, classify_error};
use domain::people::{Change, Contact, Identity, MAX_UNREACHABLE, MAX_WINDOWS, SERVICE_WINDOW, Tried};
use domain::terms::{Api, Channel, Classified, ContactId, Effect, Phone, Recipient};
use proptest::prelude::*;
use proptest::sample::Index;

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

fn delivery_try(channel: Channel, to: &Recipient) -> Tried<'_> {
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
        ..classify_error(Api::Twilio, Stage::Answer, Some(400), Some(21610))
    }
}

#[test]
fn error_does_not_override_a_newer_wish() {
    let mut contact = somebody();
    say(&mut contact, Wish::Start, 10);
    let to = user(ONE, "");
    contact.wrote_by_sms(None, &phone(ONE), at(10));
    let before = contact.clone();
    for effect in [Effect::ChannelOptOut, Effect::MarketingOptOut, Effect::Unreachable] {
        let change = contact.learn(delivery_try(Channel::Sms, &to), &error(effect), at(9));
        assert_eq!(change, Change::Nothing, "{effect:?}");
    }
    assert_eq!(contact, before);
    contact.learn(delivery_try(Channel::Sms, &to), &error(Effect::ChannelOptOut), at(11));
    assert!(contact.opted_out().is_some());
}

fn phone(text: &str) -> Phone {
    text.parse().expect("a number")
}

/// The WhatsApp user with this number and id, where they are not empty.
fn user(number: &str, bsuid: &str) -> Recipient {
    Recipient {
        phone: (!number.is_empty()).then(|| phone(number)),
        bsuid: (!bsuid.is_empty()).then(|| bsuid.to_owned()),
    }
}

/// The status that WhatsApp reports for a message of this second to this user from a number of the business.
fn found_closed(contact: &mut Contact, from: &Phone, to: &Recipient, second: i64) -> Change {
    let tried = Tried {
        from: Some(from),
        claimed_at: at(second),
        ..delivery_try(Channel::WhatsApp, to)
    };
    contact.learn(tried, &error(Effect::WindowClosed), at(second))
}

const ONE: &str = "+971501234567";
const TWO: &str = "+971501234568";

/// For the number that sent and the user who got it, until they write to it again.
#[test]
fn window_that_the_provider_found_closed_is_closed() {
    let mut contact = somebody();
    let [number, other] = ["+447700900999", "+447700900111"].map(phone);
    let [one, two, third] = [user(ONE, "AE.1"), user(TWO, ""), user("", "AE.3")];
    for (to, user) in [(&number, &one), (&number, &two), (&number, &third), (&other, &one)] {
        contact.open_window(to, user, at(10));
    }
    assert_eq!(
        found_closed(&mut contact, &number, &one, 9),
        Change::Nothing,
        "they wrote since"
    );
    for to in [&one, &third] {
        assert_eq!(found_closed(&mut contact, &number, to, 20), Change::Contact);
        assert_eq!(contact.window_closes_at(&number, to), Some(at(20)));
        assert_eq!(found_closed(&mut contact, &number, to, 20), Change::Nothing);
    }
    assert!(contact.window_open(&number, &two, at(22)), "of another user");
    assert!(contact.window_open(&other, &one, at(22)), "of another branch");
    assert!(contact.any_window_open(at(22)));
    contact.open_window(&number, &one, at(21));
    assert!(contact.window_open(&number, &one, at(22)) && !contact.window_open(&number, &third, at(22)));
}

/// Number and id of one webhook are one user, in whatever order webhooks with one of them arrive.
#[test]
fn windows_are_told_apart_by_their_users() {
    let business = phone("+447700900999");
    let [both, number, id, stranger] = [user(ONE, "AE.1"), user(ONE, ""), user("", "AE.1"), user(TWO, "AE.2")];
    for order in [[&both, &number, &id], [&id, &both, &number], [&number, &id, &both]] {
        let mut contact = somebody();
        for (second, user) in (1..).zip(order).chain([(2, &id), (5, &stranger)]) {
            contact.open_window(&business, user, at(second));
        }
        let users: Vec<_> = contact.windows.iter().map(|one| (one.user(), one.at)).collect();
        let expected = [(both.clone(), Some(at(3))), (stranger.clone(), Some(at(5)))];
        assert_eq!(users, expected, "{order:?}");
        // The number decides; an id beside it is only reported.
        for (to, second) in [(&both, 3), (&number, 3), (&id, 3), (&user(TWO, "AE.1"), 5)] {
            let closes_at = contact.window_closes_at(&business, to);
            assert_eq!(closes_at, Some(at(second) + SERVICE_WINDOW), "{to:?}");
        }
        // The user goes on with another number.
        contact.changed_user(&number, &user("+971501234569", ""));
        assert_eq!(contact.windows[0].user(), user("+971501234569", "AE.1"));
    }
}

/// A row of before says that somebody wrote, not who.
#[test]
fn window_of_before_counts_for_everybody_until_it_ends() {
    let mut contact = somebody();
    let business = phone("+447700900999");
    let row = serde_json::json!({"number": business, "at": at(10)});
    contact.windows = vec![serde_json::from_value(row).expect("a window")];
    let [one, two] = [user(ONE, ""), user("", "AE.2")];
    let open = |contact: &Contact, at| [&one, &two].map(|to| contact.window_open(&business, to, at));
    assert_eq!(open(&contact, at(11)), [true, true]);
    for change in [Change::Contact, Change::Nothing] {
        assert_eq!(found_closed(&mut contact, &business, &one, 12), change);
    }
    assert_eq!(open(&contact, at(13)), [false, true]);
    contact.open_window(&business, &one, at(14));
    assert_eq!(open(&contact, at(10) + SERVICE_WINDOW), [true, false]);
}

#[test]
fn open_window_is_never_pushed_out() {
    let mut contact = somebody();
    let business = |place: usize| phone(&format!("+4477009001{place:02}"));
    let to = user(ONE, "");
    for place in 0..9 {
        contact.open_window(&business(place), &to, at(1));
    }
    assert!((0..9).all(|place| contact.window_open(&business(place), &to, at(2))));
    contact.open_window(&business(9), &to, at(1) + SERVICE_WINDOW);
    assert_eq!(contact.windows.len(), MAX_WINDOWS);
    assert!(contact.window_open(&business(9), &to, at(2) + SERVICE_WINDOW));
}

/// It says who wrote there last.
#[test]
fn latest_window_of_a_number_is_pushed_out_last() {
    let mut contact = somebody();
    let [one, other] = ["+447700900999", "+447700900111"].map(phone);
    for (second, business) in [(1, &one), (2, &other), (3, &other), (4, &other)] {
        contact.open_window(business, &user("", &format!("AE.{second}")), at(second));
    }
    contact.open_window(&other, &user(TWO, ""), at(5) + SERVICE_WINDOW);
    let left: Vec<_> = contact
        .windows
        .iter()
        .filter_map(|window| window.bsuid.as_deref())
        .collect();
    assert_eq!(left, ["AE.1", "AE.3", "AE.4"]);
}

#[test]
fn numbers_that_a_channel_does_not_reach_are_told_apart() {
    let mut contact = somebody();
    let number = |place: u8| -> Phone { format!("+97150123456{place}").parse().expect("a number") };
    let (landline, mobile) = (number(1), number(2));
    let learn = |contact: &mut Contact, channel, number: Option<&Phone>, second| {
        let to = Recipient {
            phone: number.cloned(),
            bsuid: None,
        };
        contact.learn(delivery_try(channel, &to), &error(Effect::Unreachable), at(second))
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

    // A failure that is reported late counts unless that number was heard since.
    contact.open_window(&phone("+447700900999"), &user(ONE, ""), at(9));
    contact.wrote_by_sms(None, &phone(ONE), at(9));
    contact.last_inbound_at = Some(at(9));
    for channel in [Channel::WhatsApp, Channel::Sms] {
        for (number, change) in [(phone(ONE), Change::Nothing), (phone(TWO), Change::Contact)] {
            assert_eq!(learn(&mut contact, channel, Some(&number), 8), change);
        }
    }
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
