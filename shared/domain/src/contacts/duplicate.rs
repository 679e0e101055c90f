//! Contacts that are probably one person: what they have in common, and where to look for them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    accounts::account::Email,
    base::phone::Phone,
    contacts::{filter::Digits, listing::Word, person::Person},
};

/// Maximum contacts that are suggested.
pub const MAX_DUPLICATES: usize = 20;

/// A reason to believe that two contacts are one person, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "DuplicateReason")
)]
#[serde(rename_all = "snake_case")]
pub enum Likeness {
    /// A provider reported the identities of both as one person's.
    SamePerson,
    /// They have one telephone number in two forms, such as with and without a trunk zero.
    Phone,
    /// They have one e-mail address with different suffixes after a plus sign.
    Email,
    /// They have the same name, and telephone numbers that end alike.
    NameAndDigits,
}

/// The reasons to believe that two contacts are one person. Empty: none.
pub fn likenesses(one: &Person, other: &Person) -> BTreeSet<Likeness> {
    let (own, others) = (&one.contact, &other.contact);
    let named = own.same_as.iter().any(|id| others.is(*id)) || others.same_as.iter().any(|id| own.is(*id));
    let phones = pairs(&own.phones, &others.phones, Phone::is_form_of);
    let emails = pairs(&own.emails, &others.emails, Email::is_form_of);
    let words = |person: &Person| -> BTreeSet<Word> {
        let name = person.profile.name.as_deref().unwrap_or_default();
        Word::of(name).into_iter().collect()
    };
    let ends = |one: &Phone, other: &Phone| Digits::last(one) == Digits::last(other);
    let alike = !words(one).is_empty() && words(one) == words(other) && pairs(&own.phones, &others.phones, ends);
    let all = [
        (named, Likeness::SamePerson),
        (phones, Likeness::Phone),
        (emails, Likeness::Email),
        (alike, Likeness::NameAndDigits),
    ];
    let holds = all.into_iter().filter(|(holds, _)| *holds);
    holds.map(|(_, likeness)| likeness).collect()
}

fn pairs<T>(own: &[T], others: &[T], alike: impl Fn(&T, &T) -> bool) -> bool {
    own.iter().any(|one| others.iter().any(|other| alike(one, other)))
}

/// Digits that some countries' numbers have in one form only: the country code, their place, and the digit.
const INSERTED: [(&str, usize, u8); 3] = [
    // Mobiles in Mexico and Argentina, as WhatsApp writes them.
    ("52", 2, b'1'),
    ("54", 2, b'9'),
    // Mobiles in Brazil: the ninth digit after the area code, which WhatsApp leaves out.
    ("55", 4, b'9'),
];

/// Places of a trunk zero: after a country code of one to three digits.
const TRUNK: std::ops::RangeInclusive<usize> = 1..=3;

/// Maximum digits of a country code and a trunk zero.
const MAX_CODE_LENGTH: usize = 4;

impl Phone {
    /// Whether the other number is probably the same in another form: with a trunk zero, without the country code, or with a digit
    /// that only some systems write.
    pub fn is_form_of(&self, other: &Self) -> bool {
        let (mut long, mut short) = (self.digits(), other.digits());
        if long.len() < short.len() {
            std::mem::swap(&mut long, &mut short);
        }
        let more = long.len() - short.len();
        if more == 0 {
            return false;
        }
        let without = |place: usize, digit: u8| {
            long.as_bytes().get(place) == Some(&digit)
                && long.get(..place) == short.get(..place)
                && long.get(place + 1..) == short.get(place..)
        };
        let inserted = |(code, place, digit): (&str, usize, u8)| long.starts_with(code) && without(place, digit);
        let one_more =
            more == 1 && (TRUNK.into_iter().any(|place| without(place, b'0')) || INSERTED.into_iter().any(inserted));
        one_more || more <= MAX_CODE_LENGTH && long.ends_with(short)
    }
}

impl Email {
    /// The address without what stands between a plus sign and the domain. `None` if there is no plus sign.
    pub fn without_suffix(&self) -> Option<Self> {
        let (local, domain) = self.as_str().rsplit_once('@')?;
        let (name, _) = local.split_once('+')?;
        format!("{name}@{domain}").parse().ok()
    }

    /// Whether the other address leads to the same mailbox, as far as its text tells.
    pub fn is_form_of(&self, other: &Self) -> bool {
        let plain = |email: &Self| email.without_suffix().unwrap_or_else(|| email.clone());
        self != other && plain(self) == plain(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::{external::ShownName, ids::ContactId},
        contacts::{contact::Contact, profile::Profile},
        samples::{NOON, at},
    };

    fn phone(text: &str) -> Phone {
        text.parse().unwrap()
    }

    fn email(text: &str) -> Email {
        text.parse().unwrap()
    }

    #[test]
    fn a_number_is_recognized_in_its_other_forms() {
        for (one, other, same) in [
            ("+971501234567", "+9710501234567", true),
            ("+971501234567", "+501234567", true),
            ("+447700900123", "+4407700900123", true),
            ("+12125550100", "+2125550100", true),
            ("+5215512345678", "+525512345678", true),
            ("+5491123456789", "+541123456789", true),
            ("+5511987654321", "+551187654321", true),
            ("+971501234567", "+971501234567", false),
            ("+971501234567", "+971501234568", false),
            ("+971501234567", "+966501234567", false),
            ("+971501234567", "+97150123456", false),
            ("+971501234567", "+9715012345670", false),
            ("+4915112345678", "+49115112345678", false),
        ] {
            assert_eq!(phone(one).is_form_of(&phone(other)), same, "{one} {other}");
            assert_eq!(phone(other).is_form_of(&phone(one)), same, "{other} {one}");
        }
    }

    #[test]
    fn an_address_is_recognized_with_another_suffix() {
        for (one, other, same) in [
            ("maya@example.com", "Maya+shop@example.com", true),
            ("maya+a@example.com", "maya+b@example.com", true),
            ("maya@example.com", "MAYA@example.com", false),
            ("maya+a@example.com", "maya+a@example.org", false),
            ("maya@example.com", "maja@example.com", false),
        ] {
            assert_eq!(email(one).is_form_of(&email(other)), same, "{one} {other}");
        }
        assert_eq!(email("+a@example.com").without_suffix(), None);
    }

    fn person(id: u64, name: &str, number: &str) -> Person {
        let mut contact = Contact::new(ContactId::new(ulid::Ulid::from_parts(id, 0)), at(NOON));
        contact.phones = vec![phone(number)];
        Person {
            contact,
            profile: Profile::named(ShownName::of(name)),
        }
    }

    #[test]
    fn likenesses_of_two_contacts_are_told() {
        let maya = person(1, "Maya Haddad", "+971501234567");
        let of = |other: &Person| -> Vec<Likeness> { likenesses(&maya, other).into_iter().collect() };
        assert_eq!(of(&person(2, "Ann", "+9710501234567")), [Likeness::Phone]);
        let alike = person(2, "HADDAD, Máya", "+966541234567");
        assert_eq!(of(&alike), [Likeness::NameAndDigits]);
        assert_eq!(of(&person(2, "Maya", "+966541234567")), []);
        let mut proven = person(2, "Ann", "+966551111111");
        proven.contact.same_as = vec![maya.contact.id];
        assert_eq!(of(&proven), [Likeness::SamePerson]);
        // Nobody is like somebody because neither has a name.
        let nameless = person(1, "", "+971501234567");
        assert!(likenesses(&nameless, &person(2, "", "+966541234567")).is_empty());
    }
}
