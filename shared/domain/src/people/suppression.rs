//! The suppression list: telephone numbers and e-mail addresses of people who are no contacts, and must not be messaged.
//! Whoever creates a contact with one of them carries the refusal over to it.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::people::{By, Choice, ConsentCategory, ConsentEntry, Contact, Evidence, Identity, Party, Scope, Wish};
use crate::terms::{Actor, Channel, ContactId, Email, Phone, SuppressionId};

/// A telephone number or an e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    Phone(Phone),
    Email(Email),
}

shown_as!(Address, {
    "type": "string",
    "minLength": 5,
    "maxLength": Email::MAX_LENGTH,
    "pattern": r"^(\+[1-9][0-9]{6,14}|[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)$",
    "examples": ["+971501234567"],
});

/// A text that is neither a telephone number nor an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a telephone number such as +442079460000, or an e-mail address")]
pub struct InvalidAddress;

impl Address {
    /// The identity of the contact that has it.
    pub fn identity(&self) -> Identity {
        match self {
            Self::Phone(phone) => Identity::Phone(phone.clone()),
            Self::Email(email) => Identity::Email(email.clone()),
        }
    }

    pub fn as_str(&self) -> &str {
        match self {
            Self::Phone(phone) => phone.as_str(),
            Self::Email(email) => email.as_str(),
        }
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        if text.contains('@') {
            text.parse().map(Self::Email).map_err(|_| InvalidAddress)
        } else {
            text.parse().map(Self::Phone).map_err(|_| InvalidAddress)
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Address {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

parsed!(Address, "address", "+442079460000");

/// A refusal of somebody who is no contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Time of the refusal.
    pub at: Timestamp,
    /// The refused channel; `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// The refused category; `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<ConsentCategory>,
    /// How it became known, which tells whose wish it is.
    pub by: By,
    /// Author of the entry.
    pub actor: Actor,
    /// Evidence of the refusal, such as a reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// Reason or origin of the refusal, in words.
    pub source: String,
    /// Time when it was recorded.
    pub recorded_at: Timestamp,
    /// The contact that made it and lost the address. What that one says later ends it there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<ContactId>,
}

impl Refused {
    /// The refusal as a wish.
    pub fn wish(&self) -> Wish {
        Wish::new(Choice::Refused, self.scope(), self.by, &self.source, self.at)
    }

    const fn scope(&self) -> Scope {
        Scope {
            channel: self.channel,
            category: self.category,
        }
    }

    /// Distinguishes it from the other refusals of an address.
    const fn key(&self) -> (Scope, Party) {
        (self.scope(), self.by.party())
    }

    /// Carries it over to a contact. Returns the entry for the contact's ledger, if that refused less before.
    fn pass_on(&self, contact: &mut Contact) -> Option<ConsentEntry> {
        let change = if self.left.is_some_and(|left| contact.is(left)) {
            contact.record(self.wish())
        } else {
            contact.carry(self.wish())
        };
        let entry = change.consent()?;
        Some(ConsentEntry {
            actor: Some(self.actor),
            recorded_at: (self.recorded_at > self.at).then_some(self.recorded_at),
            evidence: self.evidence.clone(),
            ..entry.as_repetition()
        })
    }
}

/// An address on the list, with the refusals of the person: of each scope and party the newest, at least one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// Id of the entry, for the audit log: the log is retained when the address is not.
    pub id: SuppressionId,
    /// The number or address.
    pub address: Address,
    /// The refusals, the widest first.
    pub refusals: Vec<Refused>,
}

impl Suppression {
    /// An address with its first refusal.
    pub fn new(id: SuppressionId, address: Address, refused: Refused) -> Self {
        Self {
            id,
            address,
            refusals: vec![refused],
        }
    }

    /// An address that its contact no longer has, with what the contact refuses; `None` if that is nothing. `by` and `at`: who took it
    /// from the contact, and when.
    pub fn left_by(contact: &Contact, address: Address, id: SuppressionId, by: Actor, at: Timestamp) -> Option<Self> {
        let refused = |wish: &Wish| Refused {
            at: wish.at,
            channel: wish.channel,
            category: wish.category,
            by: wish.by,
            actor: by,
            evidence: None,
            source: wish.source.clone(),
            recorded_at: at,
            left: Some(contact.id),
        };
        let mut refusals: Vec<Refused> = contact.consent.refusals().map(refused).collect();
        refusals.sort_by_key(Refused::key);
        (!refusals.is_empty()).then_some(Self { id, address, refusals })
    }

    /// Adds a refusal. It takes nothing back: only an older one of the same scope and party is replaced.
    pub fn add(&mut self, refused: Refused) {
        let known = self.refusals.iter().position(|known| known.key() == refused.key());
        match known {
            Some(place) => {
                let known = &mut self.refusals[place];
                // With two different origins, it ends at neither of them.
                let left = known.left.filter(|left| refused.left == Some(*left));
                if known.at <= refused.at {
                    *known = refused;
                }
                known.left = left;
            }
            None => self.refusals.push(refused),
        }
        self.refusals.sort_by_key(Refused::key);
    }

    /// Carries the refusals over to the contact that has the address from now on. Returns the entries for its ledger, which are repetitions.
    pub fn pass_on(&self, contact: &mut Contact) -> Vec<ConsentEntry> {
        let entries = self.refusals.iter().filter_map(|refused| refused.pass_on(contact));
        entries.collect()
    }
}

#[cfg(test)]
mod tests {
    use ulid::Ulid;

    use super::*;
    use crate::messages::OptFlag;
    use crate::samples::{NOON, at, contact};

    fn refusal_by(by: By) -> Refused {
        Refused {
            at: at("2026-11-19T12:00:00Z"),
            channel: None,
            category: None,
            by,
            actor: Actor::Operator,
            evidence: Some("letter of 19 November".parse().unwrap()),
            source: "recorded on the suppression list".to_owned(),
            recorded_at: at(NOON),
            left: None,
        }
    }

    fn suppression(refused: Refused) -> Suppression {
        let id = SuppressionId::new(Ulid::nil());
        Suppression::new(id, "+971501234567".parse().unwrap(), refused)
    }

    #[test]
    fn address_is_a_number_or_an_email() {
        for (text, kind) in [("+971501234567", "phone:"), ("Maya@Example.com", "email:")] {
            let address: Address = text.parse().unwrap();
            assert!(address.identity().key().starts_with(kind));
            assert_eq!(address.to_string().parse(), Ok(address));
        }
        for wrong in ["", "971501234567", "maya@", "sip:maya@example.com", "Maya"] {
            assert_eq!(wrong.parse::<Address>(), Err(InvalidAddress), "{wrong}");
        }
    }

    #[test]
    fn new_contact_inherits_the_refusal_once() {
        for (by, lifted) in [(By::Told, true), (By::Key, false)] {
            let (mut contact, known) = (contact(), suppression(refusal_by(by)));
            let entries = known.pass_on(&mut contact);
            assert_eq!(entries.len(), 1);
            assert_eq!(entries[0].evidence, refusal_by(by).evidence);
            assert_eq!(entries[0].recorded_at, Some(at(NOON)));
            assert!(entries[0].repeats, "it is known already");
            assert_eq!(known.pass_on(&mut contact), []);
            assert!(contact.opted_out().is_some());
            // A start word lifts what the person said.
            contact.wish(OptFlag::Start, "", at("2026-11-21T12:00:00Z"));
            assert_eq!(contact.opted_out().is_none(), lifted);
        }
    }

    #[test]
    fn address_left_by_a_contact_has_its_refusals() {
        let id = SuppressionId::new(Ulid::nil());
        let address: Address = "+971501234567".parse().unwrap();
        let left = |contact: &Contact| Suppression::left_by(contact, address.clone(), id, Actor::Operator, at(NOON));
        let mut before = contact();
        assert_eq!(left(&before), None);
        before.wish(OptFlag::Stop, "wrote STOP", at("2026-11-19T12:00:00Z"));
        before.wish_marketing(false, "set in WhatsApp", at("2026-11-18T12:00:00Z"));
        let known = left(&before).unwrap();
        assert_eq!((known.refusals.len(), known.refusals[0].by), (2, By::Keyword));
        // It comes back, or somebody else gets it.
        assert_eq!(known.pass_on(&mut before), []);
        let mut next = contact();
        assert_eq!(known.pass_on(&mut next).len(), 2);
        assert!(next.opted_out().is_some() && next.marketing_opted_out().is_some());
    }

    /// Its former contact has said START since. Whoever else gets the address has not said so for it.
    #[test]
    fn refusal_left_behind_ends_only_where_it_began() {
        let id = SuppressionId::new(Ulid::nil());
        let address: Address = "+971501234567".parse().unwrap();
        let mut before = contact();
        before.wish(OptFlag::Stop, "wrote STOP", at("2026-11-18T12:00:00Z"));
        let known = Suppression::left_by(&before, address, id, Actor::Operator, at(NOON)).unwrap();
        let start = |contact: &mut Contact| contact.wish(OptFlag::Start, "", at("2026-11-19T12:00:00Z"));
        start(&mut before);
        let mut merged = Contact::new(ContactId::new(Ulid::from_parts(7, 7)), at(NOON));
        let mut other = merged.clone();
        merged.aliases.push(before.id);
        for (contact, refuses) in [(&mut before, false), (&mut merged, false), (&mut other, true)] {
            start(contact);
            assert_eq!(known.pass_on(contact).len(), usize::from(refuses));
            assert_eq!(contact.refuses(), refuses);
        }
        // Nor does one end there that somebody else adds, although it is older.
        let mut listed = known.clone();
        let letter = Refused {
            at: at("2026-11-17T12:00:00Z"),
            left: None,
            ..known.refusals[0].clone()
        };
        listed.add(letter);
        assert_eq!(listed.refusals[0].at, known.refusals[0].at);
        assert_eq!(listed.pass_on(&mut before).len(), 1);
    }

    /// A register's refusal of marketing takes nothing back from somebody who wants no messages at all.
    #[test]
    fn further_refusal_takes_nothing_back() {
        let mut known = suppression(refusal_by(By::Told));
        let marketing = Refused {
            category: Some(ConsentCategory::Marketing),
            at: at(NOON),
            ..refusal_by(By::Key)
        };
        known.add(marketing.clone());
        assert_eq!(known.refusals, [refusal_by(By::Told), marketing.clone()]);
        // Again: the newest of a scope and party holds, in whatever order they arrive.
        let older = Refused {
            at: at("2026-11-01T12:00:00Z"),
            ..marketing.clone()
        };
        known.add(older);
        assert_eq!(known.refusals, [refusal_by(By::Told), marketing]);
        let mut contact = contact();
        assert_eq!(known.pass_on(&mut contact).len(), 2);
        assert!(contact.opted_out().is_some() && contact.marketing_opted_out().is_some());
    }
}
