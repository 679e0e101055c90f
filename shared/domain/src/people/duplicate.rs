//! Contacts that are probably one person: what they have in common, and where to look for them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::people::{Digits, Person, Word};
use crate::terms::{Email, Phone};

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
    /// They have one telephone number in two forms, such as with and without a trunk zero. One form was reported before
    /// both were known to be one.
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
    let phones = pairs(&own.phones, &others.phones, Phone::eq);
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
    use crate::people::{Contact, Profile};
    use crate::samples::{NOON, at};
    use crate::terms::{ContactId, ShownName};

    fn phone(text: &str) -> Phone {
        text.parse().unwrap()
    }

    fn email(text: &str) -> Email {
        text.parse().unwrap()
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
            profile: Profile::from_name(ShownName::of(name)),
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
