//! The erasure of a contact: its parameters, what is counted, and what is remembered of an erased person.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::people::ChangeContacts;
use crate::terms::{ContactId, Data, Operation, OperationId, OperationKind, Stamp, derive_id, to_hex};

/// Parameters of the erasure of a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EraseContact {
    pub contact: ContactId,
    /// Time of its deletion. A contact that was restored since is not erased.
    pub deleted_at: Timestamp,
}

impl EraseContact {
    /// The id of the operation that erases it: a deletion has one.
    pub fn operation(&self) -> OperationId {
        let at = u64::try_from(self.deleted_at.as_millisecond()).unwrap_or_default();
        OperationId::new(derive_id(at, format!("erase#{}", self.contact).as_bytes()))
    }

    /// The operation that erases it, wanted by this author, to begin at once.
    pub fn wanted_by(&self, stamp: &Stamp) -> Operation {
        let params = Data::small(json!({"contact": self.contact, "deleted_at": self.deleted_at}));
        let (id, kind) = (self.operation(), OperationKind::EraseContact);
        Operation::new(id, kind, params, stamp.actor, stamp.correlation_id.clone(), stamp.at)
    }
}

/// Whether it is work that people may demand by law, or that deletes what is no longer kept. It goes on if its tenant is suspended.
pub fn is_owed_to_people(operation: &Operation) -> bool {
    match operation.kind {
        OperationKind::EraseContact | OperationKind::ArchiveContact | OperationKind::ApplyRetention => true,
        OperationKind::ChangeContacts => {
            let params = operation.params.read::<ChangeContacts>();
            params.is_ok_and(|params| params.change.delete)
        }
        _ => false,
    }
}

/// Numbers of what was deleted, by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Erased {
    /// The contact itself, and those that were merged into it; 0 if there was none.
    pub contacts: u64,
    pub profiles: u64,
    /// Identities that led to it.
    pub identities: u64,
    /// Entries in lists of contacts.
    pub listings: u64,
    pub calls: u64,
    /// Messages in both directions.
    pub messages: u64,
    /// Entries of its consent ledger.
    pub consents: u64,
    /// Providers' ids of its calls and messages.
    pub references: u64,
    /// Tracked links that its messages carried, each with the pages of one message.
    pub links: u64,
    /// Other rows of its history.
    pub others: u64,
    /// Objects of its archives, with what is kept while one is written, copies of recordings, and media.
    pub files: u64,
}

impl Erased {
    pub const fn total(&self) -> u64 {
        self.contacts
            + self.profiles
            + self.identities
            + self.listings
            + self.calls
            + self.messages
            + self.consents
            + self.references
            + self.links
            + self.others
            + self.files
    }

    /// Adds the counts of a further step.
    pub const fn add(&mut self, more: &Self) {
        self.contacts += more.contacts;
        self.profiles += more.profiles;
        self.identities += more.identities;
        self.listings += more.listings;
        self.calls += more.calls;
        self.messages += more.messages;
        self.consents += more.consents;
        self.references += more.references;
        self.links += more.links;
        self.others += more.others;
        self.files += more.files;
    }
}

/// Random bytes of a tenant, for hashing the identities of erased people. Without them, the hashes lead to nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Salt(String);

impl Salt {
    /// A salt of 32 random bytes.
    pub fn new(random: [u8; 32]) -> Self {
        Self(to_hex(&random))
    }

    /// The hash of an identity, by the text of its key (`phone:+971…`): 64 hex digits.
    pub fn hash(&self, identity_key: &str) -> String {
        let mut hash = Sha256::new();
        // A salt always has the same length, so nothing needs to separate the two.
        hash.update(self.0.as_bytes());
        hash.update(identity_key.as_bytes());
        to_hex(&hash.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::Actor;

    #[test]
    fn hashes_differ_by_salt_and_identity() {
        let (one, two) = (Salt::new([1; 32]), Salt::new([2; 32]));
        let hash = one.hash("phone:+971501234567");
        assert_eq!(hash.len(), 64);
        assert_eq!(hash, one.hash("phone:+971501234567"));
        assert_ne!(hash, two.hash("phone:+971501234567"));
        assert_ne!(hash, one.hash("phone:+971501234568"));
    }

    #[test]
    fn an_erasure_has_its_own_parameters() {
        let erasure = EraseContact {
            contact: ContactId::new(ulid::Ulid::from_parts(1, 2)),
            deleted_at: "2026-11-20T12:00:00Z".parse().unwrap(),
        };
        let stamp = Stamp {
            actor: Actor::Operator,
            at: erasure.deleted_at,
            correlation_id: "cor".to_owned(),
        };
        let operation = erasure.wanted_by(&stamp);
        assert_eq!(
            (operation.id, operation.kind),
            (erasure.operation(), OperationKind::EraseContact)
        );
        assert_eq!(operation.params, Data::of(&erasure).unwrap());
        assert_eq!(operation.params.read(), Ok(erasure));
    }

    #[test]
    fn counts_of_steps_add_up() {
        let step = Erased {
            calls: 2,
            references: 3,
            ..Erased::default()
        };
        let mut all = Erased::default();
        all.add(&step);
        all.add(&step);
        assert_eq!((all.calls, all.total()), (4, 10));
    }
}
