//! A merge keeps what both contacts had, to the stricter, and its undoing gives back both.

use std::collections::BTreeSet;

use domain::Timestamp;
use domain::messages::{OptFlag, Sender};
use domain::people::{
    By, Choice, Conflict, ConsentCategory, ConsentEntry, Contact, FieldValue, Identity, MAX_ALIASES, MAX_MISSED,
    MAX_OPEN, MAX_SAME, MAX_UNREACHABLE, Merge, Merged, MissedCall, Person, Profile, Resolution, Scope, Staged, Undo,
    Undone, Unmergeable, Unreachable, Window, Wish, check_wishes, merge_people,
};
use domain::terms::{
    Actor, Answer, Answered, Channel, ContactId, FieldId, MAX_ANSWERS, MAX_REMEMBERED, MergeId, PURPOSE_TABLE, Phone,
    Reason, Recipient, ShownName, StageId, Stop, TagId, UserId,
};
use jiff::SignedDuration;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use ulid::Ulid;

use crate::intents::{at, follow_up};

fn id<T>(new: fn(Ulid) -> T, number: u64) -> T {
    new(Ulid::from_parts(number, 7))
}

fn phone(number: u64) -> Phone {
    format!("+9715012345{number:02}").parse().unwrap()
}

/// A contact with this number and nothing else.
fn unknown_person(number: u64) -> Person {
    Person {
        contact: Contact::new(id(ContactId::new, number), at(100 + u8::try_from(number).unwrap())),
        profile: Profile::default(),
    }
}

fn merge_pair(one: &Person, other: &Person) -> Merged {
    merge_people(one, other, at(200)).unwrap()
}

/// A merge of the two, to be undone.
fn undo_of(one: &Person, other: &Person) -> Undo {
    Undo {
        survivor: one.clone(),
        other: other.clone(),
        merged: merge_pair(one, other).person,
        conversations: Vec::new(),
    }
}

/// A wish, expressed before this second.
fn wish(before: u8) -> impl Strategy<Value = Wish> {
    let choices = select(vec![Choice::Refused, Choice::Granted, Choice::Lifted]);
    let channels = select(vec![None, Some(Channel::WhatsApp), Some(Channel::Sms)]);
    let categories = select(vec![
        None,
        Some(ConsentCategory::Marketing),
        Some(ConsentCategory::Utility),
    ]);
    let ways = select(vec![By::Keyword, By::Page, By::User, By::Import]);
    (choices, channels, categories, ways, 0..before).prop_map(|(choice, channel, category, by, second)| {
        Wish::new(choice, Scope { channel, category }, by, "said so", at(second))
    })
}

fn time() -> impl Strategy<Value = Option<Timestamp>> {
    option::of((0_u8..200).prop_map(at))
}

prop_compose! {
    /// A contact with identities of its own, and whatever else both may have.
    fn contact(number: u64)(
        (phones, emails, bsuids, sip) in (0_u64..3, 0_u64..3, 0_u64..3, any::<bool>()),
        times in (time(), time(), time(), time(), time(), time()),
        windows in prop::collection::vec((0_u64..6, 0_u8..200), 0..5),
        unreachable in prop::collection::vec((any::<bool>(), 0_u64..6, 0_u8..200), 0..5),
        open in prop::collection::btree_set(0_u8..60, 0..=MAX_OPEN),
        wishes in prop::collection::vec(wish(50), 0..6),
        language in option::of((select(vec!["en", "ar"]), any::<bool>())),
        calls in 0_u32..4,
        names_other in any::<bool>(),
        same in 0_u64..3,
        missed in prop::collection::vec((0_u8..200).prop_map(at), 0..=MAX_MISSED),
        answers in prop::collection::btree_set(0_u8..200, 0..=MAX_ANSWERS),
    ) -> Contact {
        let mut contact = unknown_person(number).contact;
        let own = |count: u64| (0..count).map(move |place| number * 10 + place);
        contact.phones = own(phones).map(phone).collect();
        contact.emails = own(emails).map(|place| format!("{place}@example.com").parse().unwrap()).collect();
        contact.bsuids = own(bsuids).map(|place| format!("AE.{place}")).collect();
        contact.called_from = (sip && number == 1).then(|| Identity::Sip("sip:maya@example.com".to_owned()));
        contact.language = language.map(|(language, _)| language.to_owned());
        contact.language_detected = language.is_some_and(|(_, detected)| detected);
        contact.last_call_at = times.0;
        contact.last_answered_at = times.1;
        contact.last_inbound_at = times.2;
        contact.last_follow_up_at = times.3.map(|at| at - SignedDuration::from_secs(300));
        contact.last_reached_at = times.4;
        contact.last_written_at = times.5;
        contact.last_by_phone_at = times.5;
        contact.missed = missed.into_iter().map(|at| MissedCall { at }).collect();
        contact.missed.sort();
        contact.calls = calls;
        if names_other {
            contact.is_also([id(ContactId::new, 3 - number)]);
        }
        contact.is_also((0..same).map(|other| id(ContactId::new, 50 + number + other)));
        for (line, second) in windows {
            contact.open_window(&phone(line), &contact.recipient(), at(second));
        }
        for (sms, number, second) in unreachable {
            let channel = if sms { Channel::Sms } else { Channel::WhatsApp };
            let known = |known: &Unreachable| known.channel == channel && known.number == Some(phone(number));
            if contact.unreachable.len() < MAX_UNREACHABLE && !contact.unreachable.iter().any(known) {
                contact.unreachable.push(Unreachable {
                    channel,
                    number: Some(phone(number)),
                    at: at(second),
                    reason: "the number is not in service".to_owned(),
                });
            }
        }
        for second in open {
            let message = follow_up(&contact, second);
            contact.opens(&message, vec![]);
        }
        for second in answers {
            contact.note_answer(Answer::Help, None, at(second));
        }
        for wish in wishes {
            contact.record(wish);
        }
        contact.version = number;
        contact
    }
}

fn profile() -> impl Strategy<Value = Profile> {
    let name = option::of(select(vec!["Maya Haddad", "M. Haddad", "Ann"]));
    let fields = prop::collection::btree_map(0_u64..6, (0_u64..3, any::<bool>()), 0..5);
    let tags = prop::collection::btree_set(0_u64..30, 0..=Profile::MAX_TAGS);
    let stage = option::of((0_u64..3, 0_u8..100));
    let source = option::of(select(vec!["Web form", "Shop"]));
    let rest = (option::of(0_u64..3), source, time(), 0_u64..9);
    (name, fields, tags, stage, rest).prop_map(|(name, fields, tags, stage, (owner, source, updated_at, version))| {
        let listed = fields.iter().filter(|(_, (_, listed))| *listed);
        let listed = listed.map(|(field, _)| id(FieldId::new, *field)).collect();
        let value = |number: u64| FieldValue::Text(format!("value {number}").parse().unwrap());
        Profile {
            name: name.and_then(ShownName::of),
            fields: fields
                .iter()
                .map(|(field, (number, _))| (id(FieldId::new, *field), value(*number)))
                .collect(),
            listed,
            tags: tags.into_iter().map(|tag| id(TagId::new, tag)).collect(),
            stage: stage.map(|(stage, second)| Staged {
                stage: id(StageId::new, stage),
                since: at(second),
            }),
            owner: owner.map(|owner| id(UserId::new, owner)),
            source: source.map(|source| source.parse().unwrap()),
            value: None,
            updated_at,
            version,
        }
    })
}

fn person(number: u64) -> impl Strategy<Value = Person> {
    (contact(number), profile()).prop_map(|(mut contact, profile)| {
        contact.named = profile.name.is_some();
        Person { contact, profile }
    })
}

/// Event with the survivor of a merge until it is undone.
#[derive(Debug, Clone)]
enum Since {
    /// Either person states a wish.
    Wished(Wish),
    /// A report names another number and another WhatsApp id.
    Reported(u64),
    /// A report proves that another contact is the same person.
    Proved(u64),
    /// Another contact is erased.
    Erased(u64),
}

fn since() -> impl Strategy<Value = Vec<Since>> {
    let one = prop_oneof![
        3 => wish(100).prop_map(Since::Wished),
        3 => (10_u64..40).prop_map(Since::Reported),
        1 => (51_u64..57).prop_map(Since::Proved),
        1 => (51_u64..57).prop_map(Since::Erased),
    ];
    prop::collection::vec(one, 0..12)
}

/// Whether two wishes of the same choice are about the same.
fn alike(one: &Wish, other: &Wish) -> bool {
    one.scope() == other.scope() && one.by.party() == other.by.party()
}

/// Whether a ledger says that this refusal holds: it has an entry for it, and none behind that which ends it.
fn holds_by(ledger: &[ConsentEntry], refusal: &Wish) -> bool {
    let ledger: Vec<Wish> = ledger.iter().map(ConsentEntry::wish).collect();
    let entry = |wish: &Wish| wish.choice == Choice::Refused && alike(wish, refusal);
    let ends = |wish: &Wish| {
        let covers = wish.by.party() == refusal.by.party() && wish.scope().covers(refusal.scope());
        wish.choice != Choice::Refused && wish.by != By::Import && covers && wish.at >= refusal.at
    };
    let newest = ledger.iter().rposition(entry);
    newest.is_some_and(|newest| !ledger[newest..].iter().any(ends))
}

/// The person with the versions of another.
fn with_versions(person: &Person, of: &Person) -> Person {
    let mut person = person.clone();
    person.contact.version = of.contact.version;
    person.profile.version = of.profile.version;
    person
}

proptest! {
    #[test]
    fn merge_and_undo_give_back_the_same(one in person(1), other in person(2)) {
        let undo = undo_of(&one, &other);
        let mut now = undo.merged.clone();
        now.contact.version += 1;
        now.profile.version += 1;
        let json = serde_json::to_string(&undo).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Undo>(&json).unwrap(), &undo);
        let apart = undo.apply(&now, &other.contact.known_by());
        prop_assert_eq!(&apart.survivor, &with_versions(&one, &now));
        prop_assert_eq!(apart.other, other);
        prop_assert_eq!((apart.returned, apart.refusals), (vec![], vec![]));
    }

    /// Whatever happens in between: neither refuses less than before or has an opt-in from that time, the other one gets back its
    /// identities that lead to the survivor, and each names again the contacts that proved to be the same person.
    #[test]
    fn undoing_keeps_what_either_contact_had(one in person(1), other in person(2), events in since()) {
        let undo = undo_of(&one, &other);
        let merged = &undo.merged;
        let (mut now, mut leads, mut gone) = (merged.clone(), merged.contact.known_by(), BTreeSet::new());
        let mut ledger: Vec<ConsentEntry> = one.contact.consent.refusals().map(ConsentEntry::of).collect();
        for event in events {
            let contact = &mut now.contact;
            match event {
                Since::Wished(wish) => ledger.extend(contact.record(wish).consent()),
                Since::Reported(number) => {
                    let sender = Sender {
                        phone: Some(phone(number)),
                        bsuid: Some(format!("AE.{number}")),
                        ..Sender::default()
                    };
                    let linked = contact.link(&sender);
                    // Identities that a contact has no room for still lead to it.
                    leads.extend(linked.new);
                }
                Since::Proved(number) => {
                    let exists = !gone.contains(&id(ContactId::new, number));
                    contact.is_also(exists.then(|| id(ContactId::new, number)));
                }
                Since::Erased(number) => {
                    gone.insert(id(ContactId::new, number));
                    contact.same_as.retain(|known| !gone.contains(known));
                }
            }
        }
        let others = other.contact.known_by();
        let leading: Vec<Identity> = others.iter().filter(|identity| leads.contains(identity)).cloned().collect();
        let apart = undo.apply(&now, &leading);
        let (first, second) = (&apart.survivor.contact, &apart.other.contact);

        for identity in &others {
            prop_assert_eq!(second.known_by().contains(identity), leads.contains(identity), "{:?}", identity);
            prop_assert!(!first.known_by().contains(identity), "{:?}", identity);
        }
        for identity in now.contact.known_by() {
            prop_assert!(first.known_by().contains(&identity) || second.known_by().contains(&identity));
        }

        let mixed = now.contact.consent != merged.contact.consent;
        for (before, after) in [(&one.contact, first), (&other.contact, second)] {
            for wish in after.consent.all().filter(|wish| wish.choice != Choice::Refused) {
                prop_assert!(before.consent.all().any(|known| known == wish), "{:?}", wish);
            }
            let since = now.contact.consent.refusals().filter(|_| mixed);
            for refusal in before.consent.refusals().chain(since) {
                let mut held = after.consent.refusals();
                prop_assert!(held.any(|held| alike(held, refusal) && held.at >= refusal.at), "{:?}", refusal);
            }
        }
        ledger.extend(apart.returned);
        let mut of_other: Vec<ConsentEntry> = other.contact.consent.refusals().map(ConsentEntry::of).collect();
        of_other.extend(apart.refusals);
        for (ledger, contact) in [(ledger, first), (of_other, second)] {
            for refusal in contact.consent.refusals() {
                prop_assert!(holds_by(&ledger, refusal), "{:?} in {:#?}", refusal, ledger);
            }
        }

        for known in one.contact.same_as.iter().filter(|known| !gone.contains(*known)) {
            prop_assert!(first.same_as.contains(known) || first.same_as.len() == MAX_SAME, "{}", known);
        }
        for known in now.contact.same_as.iter().filter(|known| !merged.contact.same_as.contains(known)) {
            prop_assert!(first.same_as.contains(known), "{}", known);
        }
        for known in &other.contact.same_as {
            prop_assert_eq!(second.same_as.contains(known), !gone.contains(known), "{}", known);
        }
        prop_assert!(first.same_as.iter().all(|known| !gone.contains(known)));
    }

    #[test]
    fn merged_contact_has_what_both_had_within_its_limits(one in person(1), other in person(2)) {
        let Merged { person: Person { contact, profile }, .. } = merge_pair(&one, &other);
        for before in [&one, &other] {
            for identity in before.contact.known_by() {
                prop_assert!(contact.known_by().contains(&identity));
            }
            for open in &before.contact.open {
                prop_assert!(contact.open.iter().any(|known| known.message == open.message));
            }
            for window in &before.contact.windows {
                let is_kept = |known: &Window| {
                    (&known.number, known.user()) == (&window.number, window.user()) && known.at >= window.at
                };
                prop_assert!(contact.windows.iter().any(is_kept), "open, and of its own user: {:?}", window);
            }
            prop_assert!(contact.is(before.contact.id));
            prop_assert!(contact.created_at <= before.contact.created_at);
            prop_assert!(contact.last_inbound_at >= before.contact.last_inbound_at);
            prop_assert!(contact.last_written_at >= before.contact.last_written_at);
            prop_assert!(contact.last_follow_up_at >= before.contact.last_follow_up_at);
            prop_assert!(profile.fields.len() >= before.profile.fields.len());
        }
        prop_assert_eq!(contact.calls, one.contact.calls + other.contact.calls);
        prop_assert!(one.profile.tags.is_subset(&profile.tags));
        prop_assert!(profile.tags.len() <= Profile::MAX_TAGS);
        let answered: Vec<_> = [&one, &other].into_iter().flat_map(|before| &before.contact.answered).collect();
        prop_assert!(contact.answered.is_sorted_by_key(|known| known.at) && contact.answered.len() <= MAX_REMEMBERED);
        let newest = answered.iter().map(|known| known.at).max();
        prop_assert_eq!(contact.answered.last().map(|known| known.at), newest);
        prop_assert!(contact.unreachable.len() <= MAX_UNREACHABLE);
        prop_assert!(contact.missed.is_sorted() && contact.missed.len() <= MAX_MISSED);
        prop_assert!(profile.listed.iter().all(|field| profile.fields.contains_key(field)));
    }

    /// Whatever either refuses is refused, except a person's reply to what was written since, and the confirmation of a later stop word.
    #[test]
    fn merged_contact_refuses_what_either_refuses(one in person(1), other in person(2)) {
        let merged = merge_pair(&one, &other).person.contact;
        prop_assert_eq!(&merged.consent, &merge_pair(&other, &one).person.contact.consent);
        let by_other_means = [Stop::UnlessWrittenSince, Stop::Confirms];
        for row in PURPOSE_TABLE.iter().filter(|row| !by_other_means.contains(&row.stop)) {
            for kind in row.kinds {
                for channel in [None, Some(Channel::WhatsApp), Some(Channel::Sms)] {
                    let refused = |contact: &Contact| {
                        let refusal = check_wishes(contact, channel, kind.category, row.purpose).err();
                        refusal.is_some_and(|refusal| refusal.reason == Reason::OptedOut)
                    };
                    let either = refused(&one.contact) || refused(&other.contact);
                    prop_assert!(!either || refused(&merged), "{:?} {:?}", row.purpose, channel);
                }
            }
        }
        for grant in merged.consent.all().filter(|wish| wish.choice == Choice::Granted) {
            for of in [&one, &other] {
                let mut refusals = of.contact.consent.refusals();
                let own = of.contact.consent.all().any(|wish| wish == grant);
                prop_assert!(own || !refusals.any(|refusal| refusal.at >= grant.at && refusal.scope().covers(grant.scope())));
            }
        }
    }

    /// In whatever order the messages of both are cancelled, the cooldown counts from the newest one left.
    #[test]
    fn cooldown_of_both_ends_with_the_last_message(
        planned in prop::collection::btree_map(0_u8..100, any::<bool>(), 0..=MAX_OPEN),
        before in (option::of(0_i64..50), option::of(0_i64..50)),
        order in any::<prop::sample::Index>(),
        how_many in 0..=MAX_OPEN,
    ) {
        let long_ago = |seconds: i64| at(0) - SignedDuration::from_secs(1 + seconds);
        let (mut one, mut other) = (unknown_person(1), unknown_person(2));
        one.contact.last_follow_up_at = before.0.map(long_ago);
        other.contact.last_follow_up_at = before.1.map(long_ago);
        let bases = [one.contact.last_follow_up_at, other.contact.last_follow_up_at];
        let mut messages = Vec::new();
        for (second, is_first) in planned {
            let contact = if is_first { &mut one.contact } else { &mut other.contact };
            let message = follow_up(contact, second);
            contact.opens(&message, vec![]);
            messages.push(message);
        }
        let mut contact = merge_pair(&one, &other).person.contact;
        let ids: Vec<_> = contact.open.iter().map(|open| open.message).collect();
        prop_assert_eq!(ids, messages.iter().map(|message| message.id).collect::<Vec<_>>());
        for _ in 0..how_many.min(messages.len()) {
            let mut message = messages.swap_remove(order.index(messages.len()));
            message.cancel("not sent".to_owned());
            contact.close(&message);
        }
        let left = messages.iter().map(|message| message.created_at);
        let newest = left.max().max(bases[0]).max(bases[1]);
        prop_assert_eq!(contact.last_follow_up_at, newest);
    }
}

/// Neither contact gets back what was recovered while they were one.
#[test]
fn missed_calls_of_both_are_recovered_once() {
    let (mut one, mut other) = (unknown_person(1), unknown_person(2));
    one.contact.missed_call(at(10));
    other.contact.missed_call(at(20));
    let undo = undo_of(&one, &other);
    let left = |now: &Person| {
        let apart = undo.apply(now, &[]);
        [apart.survivor, apart.other].map(|person| person.contact.missed)
    };
    let of = |times: &[u8]| -> Vec<MissedCall> { times.iter().map(|second| MissedCall { at: at(*second) }).collect() };
    let mut now = undo.merged.clone();
    assert_eq!(now.contact.missed_call(at(40)), 0);
    assert_eq!(left(&now), [of(&[10, 40]), of(&[20])]);
    assert_eq!(now.contact.wrote(at(30)), 2);
    assert_eq!(left(&now), [of(&[40]), of(&[])]);
}

/// Whichever of the two was answered, the answer is not repeated to the other. An answer that was cancelled since was given to neither.
#[test]
fn answer_since_a_merge_counts_for_both_contacts() {
    let (mut one, mut other) = (unknown_person(1), unknown_person(2));
    let note = |person: &mut Person, answer, second| person.contact.note_answer(answer, None, at(second));
    note(&mut one, Answer::Start, 10);
    note(&mut other, Answer::AfterHours, 20);
    note(&mut other, Answer::Stop, 30);
    let undo = undo_of(&one, &other);
    let left = |now: &Person| {
        let apart = undo.apply(now, &[]);
        [apart.survivor, apart.other].map(|person| person.contact.answered)
    };
    let of = |given: &[(Answer, u8)]| -> Vec<Answered> {
        let given = given.iter().map(|(answer, second)| (*answer, at(*second)));
        given.map(|(answer, at)| Answered { answer, at, line: None }).collect()
    };
    let others = of(&[(Answer::AfterHours, 20), (Answer::Stop, 30)]);
    assert_eq!(left(&undo.merged), [of(&[(Answer::Start, 10)]), others]);
    let mut now = undo.merged.clone();
    note(&mut now, Answer::Help, 40);
    now.contact.answered.retain(|known| known.answer != Answer::AfterHours);
    let [survivors, others] = left(&now);
    assert_eq!(survivors, of(&[(Answer::Start, 10), (Answer::Help, 40)]));
    assert_eq!(others, of(&[(Answer::Stop, 30), (Answer::Help, 40)]));
}

/// Messages that either wrote since then are with the contact that has the number. An earlier window without a name comes back whole.
#[test]
fn windows_go_with_their_users_after_an_undo() {
    let (mut one, mut other) = (unknown_person(1), unknown_person(2));
    one.contact.phones = vec![phone(1)];
    other.contact.phones = vec![phone(2), phone(3)];
    let business = phone(90);
    let user = |number| Recipient {
        phone: Some(phone(number)),
        bsuid: None,
    };
    one.contact.open_window(&business, &user(1), at(1));
    one.contact.wrote_by_sms(None, &phone(1), at(1));
    let of_before = serde_json::json!({"number": business, "at": at(2)});
    other.contact.windows = vec![serde_json::from_value(of_before).unwrap()];
    let undo = undo_of(&one, &other);
    let mut now = undo.merged.clone();
    now.contact.open_window(&business, &user(2), at(201));
    now.contact.wrote_by_sms(None, &phone(3), at(202));
    let apart = undo.apply(&now, &other.contact.known_by());
    let heard = |of: &Contact| (of.windows.clone(), of.texted.clone());
    assert_eq!(heard(&apart.survivor.contact), heard(&one.contact));
    other.contact.open_window(&business, &user(2), at(201));
    other.contact.wrote_by_sms(None, &phone(3), at(202));
    assert_eq!(heard(&apart.other.contact), heard(&other.contact));
}

/// A network's name of a caller is none beside one that a person gave, whichever contact goes on.
#[test]
fn callers_name_gives_way_in_a_merge() {
    let named = |number, name: &str, by_call| {
        let mut person = unknown_person(number);
        person.profile.name = ShownName::of(name);
        (person.contact.named, person.contact.named_by_call) = (person.profile.name.is_some(), by_call);
        person
    };
    let (call, profile, nameless) = (named(1, "HADDAD M", true), named(2, "Maya", false), named(3, "", false));
    for (one, other, name, by_call) in [
        (&call, &profile, "Maya", false),
        (&profile, &call, "Maya", false),
        (&call, &nameless, "HADDAD M", true),
        (&nameless, &call, "HADDAD M", true),
    ] {
        let Merged { person, conflicts } = merge_pair(one, other);
        assert_eq!((person.profile.name.as_deref(), conflicts.len()), (Some(name), 0));
        assert_eq!((person.contact.named, person.contact.named_by_call), (true, by_call));
    }
    let apart = undo_of(&call, &profile).apply(&merge_pair(&call, &profile).person, &[]);
    assert_eq!(apart.survivor.profile.name, call.profile.name);
    assert!(apart.survivor.contact.named_by_call);
    // A name that a person gave since then stays.
    let mut now = merge_pair(&call, &profile).person;
    now.profile.name = ShownName::of("Maya Q");
    let apart = undo_of(&call, &profile).apply(&now, &[]);
    assert_eq!(apart.survivor.profile.name, now.profile.name);
    assert!(!apart.survivor.contact.named_by_call);
}

#[test]
fn survivors_values_win_and_conflicts_are_told() {
    let (mut one, mut other) = (unknown_person(1), unknown_person(2));
    one.profile.name = ShownName::of("Maya Haddad");
    other.profile.name = ShownName::of("M. Haddad");
    other.profile.source = Some("Web form".parse().unwrap());
    let (level, visits) = (id(FieldId::new, 1), id(FieldId::new, 2));
    let text = |text: &str| FieldValue::Text(text.parse().unwrap());
    one.profile.fields.insert(level, text("Gold"));
    other.profile.fields = [(level, text("Silver")), (visits, text("3"))].into();
    other.profile.listed = [visits].into();
    one.profile.tags = (0..15).map(|tag| id(TagId::new, tag)).collect();
    other.profile.tags = (10..25).map(|tag| id(TagId::new, tag)).collect();
    other.contact.wish(OptFlag::Stop, "wrote STOP", at(1));
    let Merged { person, conflicts } = merge_pair(&one, &other);
    assert_eq!(person.profile.name.as_deref(), Some("Maya Haddad"));
    assert_eq!(person.profile.source, other.profile.source);
    assert_eq!(
        person.profile.fields,
        [(level, text("Gold")), (visits, text("3"))].into()
    );
    assert_eq!(person.profile.listed, [visits].into());
    let tags: BTreeSet<TagId> = (0..20).map(|tag| id(TagId::new, tag)).collect();
    assert_eq!(person.profile.tags, tags);
    assert!(person.contact.opted_out().is_some());
    let told = |conflict: &Conflict| (conflict.field.clone(), conflict.decision);
    let told: Vec<_> = conflicts.iter().map(told).collect();
    let expected = [
        ("name".to_owned(), Resolution::Survivor),
        (format!("fields.{level}"), Resolution::Survivor),
        ("tags".to_owned(), Resolution::LeftOut),
        ("consent".to_owned(), Resolution::Stricter),
    ];
    assert_eq!(told, expected);
    assert_eq!(conflicts[1].tenants_field(), Some(level));
    assert_eq!(conflicts[0].tenants_field(), None);
}

#[test]
fn contacts_that_cannot_be_merged_are_refused() {
    let refused = |change: fn(&mut Person, &mut Person)| {
        let (mut one, mut other) = (unknown_person(1), unknown_person(2));
        change(&mut one, &mut other);
        merge_people(&one, &other, at(200)).unwrap_err()
    };
    let (first, second) = (unknown_person(1).contact.id, unknown_person(2).contact.id);
    assert_eq!(
        refused(|one, other| other.contact.id = one.contact.id),
        Unmergeable::Same
    );
    assert_eq!(
        refused(|_, other| other.contact.deleted_at = Some(at(1))),
        Unmergeable::Deleted(second)
    );
    assert_eq!(
        refused(|one, _| one.contact.erasing = true),
        Unmergeable::Erasing(first)
    );
    assert_eq!(
        refused(|_, other| {
            other.contact.called_from = Some(Identity::Withheld("conn_00000000000000000000000001".parse().unwrap()));
        }),
        Unmergeable::Hidden(second)
    );
    let too_many = refused(|one, other| {
        one.contact.phones = (0..3).map(phone).collect();
        other.contact.phones = (3..5).map(phone).collect();
    });
    let sentence = "A contact can have at most 4 telephone numbers, and these two have 5. Remove one first.";
    assert_eq!(too_many.to_string(), sentence);
    let sip = |number: u64| Some(Identity::Sip(format!("sip:{number}@example.com")));
    let (mut one, mut other) = (unknown_person(1), unknown_person(2));
    (one.contact.called_from, other.contact.called_from) = (sip(1), sip(2));
    assert!(matches!(
        merge_people(&one, &other, at(200)),
        Err(Unmergeable::TooMany { most: 1, .. })
    ));
    let aliases = refused(|one, other| {
        one.contact.aliases = vec![id(ContactId::new, 3), id(ContactId::new, 4)];
        other.contact.aliases = vec![id(ContactId::new, 5)];
    });
    assert_eq!(aliases, Unmergeable::TooManyAliases { count: MAX_ALIASES + 1 });
    let large = refused(|one, other| {
        for (person, first) in [(one, 0), (other, 20)] {
            let text = FieldValue::Text("x".repeat(500).parse().unwrap());
            person.profile.fields = (first..first + 20)
                .map(|field| (id(FieldId::new, field), text.clone()))
                .collect();
        }
    });
    assert!(
        matches!(large, Unmergeable::TooLarge(size) if size > Profile::LARGEST),
        "{large}"
    );
}

/// Later changes stay with the survivor; a refusal holds for both.
#[test]
fn changes_since_a_merge_stay_with_the_survivor() {
    let (mut one, mut other) = (unknown_person(1), unknown_person(2));
    one.contact.phones = vec![phone(1)];
    other.contact.phones = vec![phone(2), phone(3)];
    other.contact.calls = 2;
    other.contact.wish(OptFlag::Start, "wrote START", at(1));
    other.profile.name = ShownName::of("M. Haddad");
    let [own, others, new, field] = [1, 2, 3, 4].map(|tag| id(TagId::new, tag));
    one.profile.tags = [own].into();
    other.profile.tags = [others, field].into();
    let early = follow_up(&other.contact, 10);
    let late = follow_up(&other.contact, 20);
    other.contact.opens(&early, vec![]);
    other.contact.opens(&late, vec![]);
    let undo = undo_of(&one, &other);
    let mut now = undo.merged.clone();
    // A number is removed, another one is learnt, a tag comes and one goes, the person calls, a message is cancelled.
    now.contact.phones = vec![phone(2), phone(1), phone(9)];
    now.profile.tags = [own, others, new].into();
    now.profile.name = ShownName::of("Maya Haddad");
    now.contact.named = true;
    now.contact.calls += 1;
    now.contact.last_call_at = Some(at(201));
    now.contact.forget(early.id);
    now.contact.wish(OptFlag::Stop, "wrote STOP", at(202));
    let apart = undo.apply(&now, &[]);
    let survivor = apart.survivor;
    assert_eq!(survivor.contact.phones, [phone(1), phone(9)]);
    assert_eq!(survivor.profile.tags, [own, new].into());
    assert_eq!(survivor.profile.name.as_deref(), Some("Maya Haddad"));
    assert_eq!(
        (survivor.contact.calls, survivor.contact.last_call_at),
        (1, Some(at(201)))
    );
    assert_eq!(survivor.contact.open, []);
    assert!(survivor.contact.opted_out().is_some());
    let former = apart.other;
    assert_eq!(former.contact.phones, [phone(2)]);
    assert_eq!(former.profile, other.profile);
    let open: Vec<_> = former.contact.open.iter().map(|open| open.message).collect();
    assert_eq!((former.contact.calls, open), (2, vec![late.id]));
    assert!(former.contact.opted_out().is_some() && former.contact.opted_in_at().is_none());
    let [refusal] = &apart.refusals[..] else {
        panic!("{:?}", apart.refusals)
    };
    assert_eq!(refusal.source, "wrote STOP, known as another contact");
}

/// It is no longer known who wrote START: the one who had written STOP may be the other one.
#[test]
fn start_since_a_merge_is_an_opt_in_of_neither() {
    let (mut one, other) = (unknown_person(1), unknown_person(2));
    one.contact.wish(OptFlag::Stop, "wrote STOP", at(1));
    let undo = undo_of(&one, &other);
    let mut now = undo.merged.clone();
    now.contact.wish(OptFlag::Start, "wrote START", at(201));
    assert!(now.contact.opted_in_at().is_some());
    let apart = undo.apply(&now, &[]);
    assert_eq!(apart.survivor.contact.consent, one.contact.consent);
    assert_eq!(apart.other, other);
    let [refusal] = &apart.returned[..] else {
        panic!("{:?}", apart.returned)
    };
    assert_eq!((refusal.source.as_str(), refusal.at), ("wrote STOP", at(1)));
    assert!(refusal.repeats, "it is not said again");
    assert_eq!(apart.refusals, vec![]);
}

/// A refusal that is the survivor's because anything has changed since is in its ledger, too.
#[test]
fn refusal_that_stays_with_the_survivor_is_told_in_its_ledger() {
    let (one, mut other) = (unknown_person(1), unknown_person(2));
    other.contact.wish(OptFlag::Stop, "wrote STOP", at(1));
    let undo = undo_of(&one, &other);
    let mut now = undo.merged.clone();
    let changed = now.contact.wish_marketing(false, "no offers", at(201));
    assert!(changed.consent().is_some());
    let apart = undo.apply(&now, &[]);
    assert_eq!(apart.survivor.contact.consent, now.contact.consent);
    assert_eq!(apart.other.contact.consent, now.contact.consent);
    let told = |entries: &[ConsentEntry]| entries.iter().map(|entry| entry.source.clone()).collect::<Vec<_>>();
    assert_eq!(told(&apart.returned), ["wrote STOP, known as another contact"]);
    assert_eq!(told(&apart.refusals), ["no offers, known as another contact"]);
    assert!(apart.returned.iter().chain(&apart.refusals).all(|entry| entry.repeats));
}

/// A report has proved another contact to be the same person since, and one of them was erased.
#[test]
fn contacts_proved_to_be_one_are_so_again_after_an_undo() {
    let (mut one, mut other) = (unknown_person(1), unknown_person(2));
    let [erased, new] = [3, 4].map(|number| id(ContactId::new, number));
    one.contact.is_also([other.contact.id, erased]);
    other.contact.is_also([one.contact.id, erased]);
    let undo = undo_of(&one, &other);
    let mut now = undo.merged.clone();
    assert_eq!(now.contact.same_as, [erased]);
    now.contact.same_as.clear();
    now.contact.is_also([new]);
    let (first, second) = (one.contact.id, other.contact.id);
    let apart = undo.apply(&now, &[]);
    assert_eq!(apart.survivor.contact.same_as, [new, second]);
    assert_eq!(apart.other.contact.same_as, [first]);
}

#[test]
fn merge_can_be_undone_for_a_day() {
    let by = Actor::Operator;
    let mut merge = Merge {
        id: MergeId::new(unknown_person(1).contact.id, Ulid::from_parts(1, 1)),
        other: unknown_person(2).contact.id,
        by,
        at: at(0),
        conflicts: vec![],
        undone: None,
    };
    let second = SignedDuration::from_secs(1);
    assert!(merge.can_be_undone(at(0) + SignedDuration::from_hours(24) - second));
    assert!(!merge.can_be_undone(merge.undo_until()));
    merge.undone = Some(Undone { by, at: at(1) });
    assert!(!merge.can_be_undone(at(2)));
}
