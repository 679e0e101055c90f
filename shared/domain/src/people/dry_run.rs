//! Rows of a table that are decided without being written, for dry runs and previews of imports.
//!
//! Nothing is written that would show what earlier rows make of whom. So their identities are remembered, each with the
//! contact that it would lead to: rows about one person find each other, and a row about two people is known as such.
//! The sum of several rows about one contact is not remembered: that it exceeds a limit is found by the import itself.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::people::{Field, Found, ImportMode, Incoming, Plan, RowOutcome, RowRefused, Tag};
use crate::terms::{ContactId, TagId};

/// Effects of the rows so far, if they had been written.
///
/// Identities, contacts and tags are eight bytes of their hashes each. Of the 800,000 identities that a table can hold,
/// which take 12.8 MB, two are taken for one in one of 50 million tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Foreseen {
    /// The contacts that identities would lead to.
    people: HashMap<Mark, Mark>,
    /// Tags that would be created.
    tags: HashSet<Mark>,
}

/// The beginning of a hash.
type Mark = [u8; 8];

fn mark(text: &str) -> Mark {
    let hash = Sha256::digest(text);
    let mut mark = [0; 8];
    mark.copy_from_slice(&hash[..8]);
    mark
}

fn mark_of(contact: ContactId) -> Mark {
    mark(&contact.to_string())
}

impl Foreseen {
    /// Reads what [`Foreseen::bytes`] wrote.
    pub fn read(bytes: &[u8]) -> Self {
        let (marks, _) = bytes.as_chunks::<8>();
        let Some((count, marks)) = marks.split_first() else {
            return Self::default();
        };
        let count = usize::try_from(u64::from_be_bytes(*count)).unwrap_or(usize::MAX);
        let (tags, people) = marks.split_at(count.min(marks.len()));
        let (people, _) = people.as_chunks::<2>();
        Self {
            people: people.iter().map(|[identity, person]| (*identity, *person)).collect(),
            tags: tags.iter().copied().collect(),
        }
    }

    /// The number of tags, the tags, then each identity with its contact.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 * (1 + self.tags.len() + 2 * self.people.len()));
        bytes.extend_from_slice(&(self.tags.len() as u64).to_be_bytes());
        for tag in &self.tags {
            bytes.extend_from_slice(tag);
        }
        for (identity, person) in &self.people {
            bytes.extend_from_slice(identity);
            bytes.extend_from_slice(person);
        }
        bytes
    }

    /// The effect of a row, with the contact if it exists, as [`Incoming::plan`] decides when the rows before it are written.
    ///
    /// # Errors
    /// The reason why the row is refused.
    pub fn decide(
        &mut self,
        row: &Incoming,
        mode: ImportMode,
        own: ContactId,
        found: Found,
        definitions: &[Field],
        now: Timestamp,
    ) -> Result<(RowOutcome, Option<ContactId>), RowRefused> {
        let identities: Vec<Mark> = row.identities().iter().map(|identity| mark(&identity.key())).collect();
        let known = identities.iter().filter_map(|identity| self.people.get(identity));
        let mut people: BTreeSet<Mark> = known.copied().collect();
        let found = match found {
            Found::Nobody if people.len() > 1 => Found::Several { deleted: false },
            Found::One(person) => {
                people.insert(mark_of(person.contact.id));
                match people.len() {
                    1 => Found::One(person),
                    _ => Found::Several {
                        deleted: person.contact.deleted_at.is_some(),
                    },
                }
            }
            found => found,
        };
        // Whom an earlier row creates, or gives one of the identities.
        let met = people.pop_first().filter(|_| found == Found::Nobody);
        if met.is_some() && mode == ImportMode::Create {
            return Err(RowRefused::Exists);
        }
        let (outcome, contact, person) = match row.plan(mode, own, found, definitions, now)? {
            Plan::Skip(contact) => return Ok((RowOutcome::Skipped, contact)),
            Plan::Update { before, .. } if before.contact.id != own => {
                let id = before.contact.id;
                (RowOutcome::Updated, Some(id), mark_of(id))
            }
            // A contact of its own counts as created also if it exists.
            Plan::Create(_) | Plan::Update { .. } => match met {
                None => (RowOutcome::Created, None, mark_of(own)),
                Some(_) if mode == ImportMode::Skip => return Ok((RowOutcome::Skipped, None)),
                Some(person) => (RowOutcome::Updated, None, person),
            },
        };
        self.people
            .extend(identities.into_iter().map(|identity| (identity, person)));
        Ok((outcome, contact))
    }

    /// Whether the rows so far would create this tag.
    pub fn creates(&self, tag: TagId) -> bool {
        self.tags.contains(&mark(&tag.to_string()))
    }

    /// Creates a tag, if there is room for it beside this number of tags that exist. Returns whether the rows so far would create it.
    pub fn create_tag(&mut self, tag: TagId, existing: usize) -> bool {
        if existing + self.tags.len() < Tag::MAX as usize {
            self.tags.insert(mark(&tag.to_string()));
        }
        self.creates(tag)
    }
}

#[cfg(test)]
mod tests {
    use ulid::Ulid;

    use super::*;
    use crate::people::{Contact, Person, Profile};
    use crate::terms::Phone;

    fn phone(last: char) -> Phone {
        let digit = last as u32 % 10;
        format!("+97150123456{digit}").parse().unwrap()
    }

    fn contact(id: u64) -> ContactId {
        ContactId::new(Ulid::from_parts(id, 0))
    }

    /// Somebody who is a contact and has this number.
    fn known_person(number: char) -> Person {
        let mut contact = Contact::new(contact(900), Timestamp::UNIX_EPOCH);
        contact.phones = vec![phone(number)];
        Person {
            contact,
            profile: Profile::default(),
        }
    }

    fn letter(decided: &Result<(RowOutcome, Option<ContactId>), RowRefused>) -> char {
        match decided {
            Ok((RowOutcome::Created, None)) => 'c',
            Ok((RowOutcome::Updated, _)) => 'u',
            Ok((RowOutcome::Skipped, _)) => 's',
            Ok(other) => panic!("{other:?}"),
            Err(_) => '-',
        }
    }

    /// Outcomes of rows with these numbers, a letter each. `X` belongs to a contact. The state is written and read before each row.
    fn became(mode: ImportMode, rows: &[&str], person: &Person) -> String {
        let mut foreseen = Foreseen::default();
        let mut became = String::new();
        for (number, row) in (2..).zip(rows) {
            let found = if row.contains('X') {
                Found::One(Box::new(person.clone()))
            } else {
                Found::Nobody
            };
            let row = Incoming {
                phones: row.chars().map(phone).collect(),
                ..Incoming::default()
            };
            foreseen = Foreseen::read(&foreseen.bytes());
            let decided = foreseen.decide(&row, mode, contact(number), found, &[], Timestamp::UNIX_EPOCH);
            became.push(letter(&decided));
        }
        became
    }

    #[test]
    fn rows_are_about_those_whom_earlier_rows_make() {
        let person = known_person('X');
        let cases: [(&[&str], &str, &str, &str); 7] = [
            // Twice in the table.
            (&["A", "A"], "cs", "cu", "c-"),
            (&["A", "AB", "B"], "csc", "cuu", "c-c"),
            // Two people of the table.
            (&["A", "B", "AB"], "ccs", "cc-", "cc-"),
            // A contact, and somebody of the table.
            (&["B", "XB"], "cs", "c-", "c-"),
            // A contact that gains a number only if rows change contacts.
            (&["XB", "B"], "sc", "uu", "-c"),
            (&["XB", "BC", "C", "A", "AC"], "scscs", "uuuc-", "-c-c-"),
            // Rows that are refused give nobody anything.
            (&["A", "B", "ABC", "C"], "ccsc", "cc-c", "cc-c"),
        ];
        for (rows, skip, update, create) in cases {
            assert_eq!(became(ImportMode::Skip, rows, &person), skip, "skip {rows:?}");
            assert_eq!(became(ImportMode::Update, rows, &person), update, "update {rows:?}");
            assert_eq!(became(ImportMode::Create, rows, &person), create, "create {rows:?}");
        }
    }

    #[test]
    fn rows_about_deleted_contacts_are_refused_in_every_mode() {
        let mut person = known_person('X');
        person.contact.deleted_at = Some(Timestamp::UNIX_EPOCH);
        for mode in [ImportMode::Skip, ImportMode::Update, ImportMode::Create] {
            assert_eq!(became(mode, &["XB", "B", "XB"], &person), "-c-", "{mode:?}");
        }
    }

    #[test]
    fn tags_are_created_while_there_is_room() {
        let tag = |id: u64| TagId::new(Ulid::from_parts(id, 0));
        let mut foreseen = Foreseen::default();
        let existing = Tag::MAX as usize - 2;
        assert!(foreseen.create_tag(tag(1), existing) && foreseen.create_tag(tag(2), existing));
        let mut read = Foreseen::read(&foreseen.bytes());
        assert_eq!(read, foreseen);
        assert!(read.create_tag(tag(1), existing), "it is one of them");
        assert!(!read.create_tag(tag(3), existing) && !read.creates(tag(3)));
        assert_eq!(Foreseen::read(&[]), Foreseen::default());
    }
}
