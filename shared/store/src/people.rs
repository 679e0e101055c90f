//! Contacts with their profiles, as users of the API see, search and change them.
//!
//! A search reads one list ([`Driver`]), then the contacts that it names, and tests all conditions on each of them. A page examines
//! at most [`MOST_EXAMINED`] of them: it may be short, or empty, without being the last.

use std::collections::HashMap;

use domain::{
    actor::Stamp,
    contact::{Identity, Linked},
    filter::{Driver, Filter},
    ids::ContactId,
    operation::Operation,
    person::Person,
    phone::Phone,
    text::hex,
};

use crate::{
    Page, Store, StoreError, TenantScope,
    contacts::{self, ContactWrite, ProfileWrite},
    database::{Index, Rows},
    effects::MOST_WRITES,
    keys::{self, Key},
    operations::operation_row,
    owned::Unwritten,
    row::{self, Condition, Item, Write, key_item, text},
};

/// Maximum contacts that one page examines.
pub const MOST_EXAMINED: usize = 500;

/// Contacts read at once after the first round: two rows each, as many as one request reads.
const ROUND: usize = 50;

/// The reason why a contact cannot be created or changed.
#[derive(Debug, thiserror::Error)]
pub enum PersonError {
    /// Another contact has this identity.
    #[error("another contact has this identity")]
    Taken(Identity),
    /// The change touches more rows than a transaction takes.
    #[error("{0} rows are more than a transaction takes")]
    TooMany(usize),
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A position in a list of contacts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The entry's sort key.
    sort: String,
}

/// The letter of a list in positions, so that a position is not taken for one of another kind of list.
const fn letter(driver: &Driver) -> char {
    match driver {
        Driver::All => 'a',
        Driver::Deleted => 'd',
        Driver::Identity(_) => 'i',
        Driver::Digits(_) => 'n',
        Driver::Words(_) => 'w',
        Driver::Tag(_) => 't',
        Driver::Values(..) => 'v',
        Driver::OnDay(..) => 'y',
        Driver::Stage(_) => 's',
    }
}

impl Position {
    /// Reads a position in this list; `None` if it is none.
    #[must_use]
    pub fn read(text: &str, driver: &Driver) -> Option<Self> {
        let hex = text.strip_prefix(letter(driver))?;
        let bytes: Option<Vec<u8>> = hex
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect();
        let sort = String::from_utf8(bytes?).ok()?;
        let position = Self { sort };
        let known = position.contact(driver).is_some() && position.written(driver) == text;
        known.then_some(position)
    }

    /// The position as text: letters and digits of ASCII.
    fn written(&self, driver: &Driver) -> String {
        format!("{}{}", letter(driver), hex(self.sort.as_bytes()))
    }

    /// The contact, and what the list is sorted by.
    fn contact(&self, driver: &Driver) -> Option<(&str, ContactId)> {
        match driver {
            Driver::All => self.sort.parse().ok().map(|id| ("", id)),
            _ => keys::listed_contact(&self.sort),
        }
    }

    /// The key of the entry's row.
    fn key(&self, scope: &TenantScope, driver: &Driver, partition: &str) -> Option<Key> {
        let (by, contact) = self.contact(driver)?;
        Some(match driver {
            Driver::All | Driver::Deleted => keys::contact(scope, contact),
            Driver::Stage(_) => keys::profile(scope, contact),
            Driver::Digits(_) => {
                let digits: String = by.chars().rev().collect();
                keys::identity(scope, &Identity::Phone(Phone::from_digits(&digits).ok()?))
            }
            _ => Key {
                pk: partition.to_owned(),
                sk: self.sort.clone(),
            },
        })
    }

    /// The key after which a query goes on.
    fn start(&self, scope: &TenantScope, driver: &Driver, list: &List) -> Option<Item> {
        let mut item = key_item(&self.key(scope, driver, &list.partition)?);
        let (pk, sk) = list.index.keys();
        item.insert(pk.to_owned(), text(&list.partition));
        item.insert(sk.to_owned(), text(&self.sort));
        Some(item)
    }
}

/// The rows of a list.
struct List {
    index: Index,
    partition: String,
    rows: Bounds,
}

/// Bounds of sort keys.
enum Bounds {
    Beginning(String),
    Between(String, String),
}

impl List {
    fn of(scope: &TenantScope, driver: &Driver) -> Option<Self> {
        let all = || Bounds::Beginning(String::new());
        let (index, partition, rows) = match driver {
            Driver::Identity(_) => return None,
            Driver::All => (Index::ByDay, keys::contacts(scope), all()),
            Driver::Deleted => (Index::ByState, keys::deleted(scope), all()),
            Driver::Digits(digits) => {
                let begin = Bounds::Beginning(digits.reversed());
                (Index::ByDay, keys::numbers(scope), begin)
            }
            Driver::Words(word) => {
                let begin = Bounds::Beginning(word.as_str().to_owned());
                (Index::Table, keys::words(scope, word), begin)
            }
            Driver::Tag(tag) => (Index::Table, keys::tag(scope, *tag), all()),
            Driver::Values(field, from, to) => {
                // Behind every contact with the last value, or behind everything.
                // A value that ends where `to` has a character before `#` comes after `to` in the list.
                let end = to.find(|sign| sign < '#').unwrap_or(to.len());
                let upper = if to.is_empty() {
                    "\u{10ffff}".to_owned()
                } else {
                    format!("{}#~", &to[..end])
                };
                let between = Bounds::Between(from.clone(), upper);
                let rows = if from.is_empty() && to.is_empty() {
                    all()
                } else {
                    between
                };
                (Index::Table, keys::values(scope, *field), rows)
            }
            Driver::OnDay(field, day) => (Index::Table, keys::on_day(scope, *field, *day), all()),
            Driver::Stage(stage) => (Index::ByState, keys::stage(scope, *stage), all()),
        };
        Some(Self { index, partition, rows })
    }

    /// The rows for a query; `None` if there are none between the bounds.
    fn rows(&self) -> Option<Rows<'_>> {
        match &self.rows {
            Bounds::Beginning(prefix) => Some(Rows::Beginning(prefix)),
            Bounds::Between(lower, upper) if lower > upper => None,
            Bounds::Between(lower, upper) => {
                // A sort key is never empty.
                let lower = if lower.is_empty() { " " } else { lower };
                Some(Rows::Between(lower, upper))
            }
        }
    }
}

impl Store {
    /// One page of the contacts that fulfil a filter, in the order of its list. `driver` is the filter's own, `after` the position
    /// at which the previous page ended.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn search_contacts(
        &self,
        scope: &TenantScope,
        (filter, driver): (&Filter, &Driver),
        after: Option<&Position>,
        limit: i32,
        backwards: bool,
    ) -> Result<Page<Person>, StoreError> {
        const DOING: &str = "search contacts";
        if let Driver::Identity(identity) = driver {
            return self.person_of(scope, filter, identity).await;
        }
        let list = List::of(scope, driver);
        let Some((list, rows)) = list.as_ref().and_then(|list| Some((list, list.rows()?))) else {
            return Ok(Page {
                items: Vec::new(),
                next: None,
            });
        };
        let wanted = usize::try_from(limit).unwrap_or(1).max(1);
        let mut people = Vec::new();
        let mut start = after.and_then(|after| after.start(scope, driver, list));
        let (mut examined, mut round) = (0, wanted);
        loop {
            let most = i32::try_from(round).unwrap_or(1);
            let partition = (list.partition.as_str(), rows);
            let asked = self
                .database
                .stretch(list.index, partition, start, most, backwards, DOING);
            let (found, more) = asked.await?;
            let (_, sk) = list.index.keys();
            let positions: Vec<Position> = found
                .iter()
                .filter_map(|item| row::string(item, sk))
                .map(|sort| Position { sort: sort.to_owned() })
                .collect();
            let entries: Vec<(&Position, &str, ContactId)> = positions
                .iter()
                .filter_map(|position| position.contact(driver).map(|(by, contact)| (position, by, contact)))
                .collect();
            let ids: Vec<ContactId> = entries.iter().map(|(_, _, contact)| *contact).collect();
            let read = self.people_by_id(scope, &ids).await?;
            examined += positions.len();
            for (place, (position, by, contact)) in entries.iter().enumerate() {
                let person = read.get(contact);
                people.extend(
                    person
                        .filter(|person| driver.leads(by, person) && filter.takes(person))
                        .cloned(),
                );
                if people.len() == wanted {
                    let rest = more || place + 1 < entries.len();
                    return Ok(Page {
                        items: people,
                        next: rest.then(|| position.written(driver)),
                    });
                }
            }
            let last = positions.last().filter(|_| more);
            let Some(last) = last.filter(|_| examined < MOST_EXAMINED) else {
                return Ok(Page {
                    items: people,
                    next: last.map(|last| last.written(driver)),
                });
            };
            start = last.start(scope, driver, list);
            if start.is_none() {
                return Ok(Page {
                    items: people,
                    next: None,
                });
            }
            round = ROUND.min(MOST_EXAMINED - examined);
        }
    }

    /// The contact of an identity, if it fulfils the filter.
    async fn person_of(
        &self,
        scope: &TenantScope,
        filter: &Filter,
        identity: &Identity,
    ) -> Result<Page<Person>, StoreError> {
        let found = match self.known_of(scope, identity).await {
            Err(error) if error.is_gone() || error.is_conflict() => None,
            found => found?.filter(|person| filter.takes(person)),
        };
        Ok(Page {
            items: found.into_iter().collect(),
            next: None,
        })
    }

    /// The contacts with these ids, as far as they exist.
    async fn people_by_id(
        &self,
        scope: &TenantScope,
        ids: &[ContactId],
    ) -> Result<HashMap<ContactId, Person>, StoreError> {
        const DOING: &str = "read contacts and their profiles";
        let keys: Vec<Key> = ids
            .iter()
            .flat_map(|id| [keys::contact(scope, *id), keys::profile(scope, *id)])
            .collect();
        let mut found = self.database.get_many(&keys, DOING).await?;
        let mut people = HashMap::with_capacity(ids.len());
        for id in ids {
            let Some(contact) = found.remove(&keys::contact(scope, *id)) else {
                continue;
            };
            let profile = found.remove(&keys::profile(scope, *id));
            people.insert(*id, contacts::person(contact, profile, DOING)?);
        }
        Ok(people)
    }

    /// Creates a contact with its profile, identities and entries of lists.
    ///
    /// # Errors
    /// [`PersonError`]; [`StoreError::Conflict`] if the id exists.
    pub async fn create_person(&self, scope: &TenantScope, person: &Person, stamp: &Stamp) -> Result<(), PersonError> {
        const DOING: &str = "create a contact";
        let linked = Linked {
            new: person.contact.known_by(),
            dropped: Vec::new(),
        };
        let write = ContactWrite {
            profile: Some(person.profile.clone().into()),
            ..ContactWrite::linked(person.contact.clone(), linked.clone())
        };
        // The first write is the contact's, whose first version says nothing that the profile's does not.
        let mut own = write.writes(scope, DOING)?;
        let others = own.split_off(1);
        let writes = own.into_iter().chain(signed(others, stamp)).collect();
        self.write_person(writes, (1, &linked.new), DOING).await
    }

    /// Changes a contact, its profile, identities and entries of lists, under the condition of the versions that were read.
    ///
    /// # Errors
    /// [`PersonError`]; [`StoreError::Conflict`] after a lost race.
    pub async fn change_person(
        &self,
        scope: &TenantScope,
        before: &Person,
        after: &Person,
        stamp: &Stamp,
    ) -> Result<(), PersonError> {
        self.change_person_with(scope, before, after, stamp, Vec::new()).await
    }

    /// Deletes a contact: `after` says when. Its erasure is written with it.
    ///
    /// # Errors
    /// As [`Store::change_person`].
    pub async fn delete_person(
        &self,
        scope: &TenantScope,
        before: &Person,
        after: &Person,
        erasure: &Operation,
        stamp: &Stamp,
    ) -> Result<(), PersonError> {
        const DOING: &str = "delete a contact";
        let row = operation_row(scope, erasure, Condition::New, 1, DOING)?.stamped(stamp);
        self.change_person_with(scope, before, after, stamp, vec![Write::Put(row)])
            .await
    }

    async fn change_person_with(
        &self,
        scope: &TenantScope,
        before: &Person,
        after: &Person,
        stamp: &Stamp,
        more: Vec<Write>,
    ) -> Result<(), PersonError> {
        const DOING: &str = "change a contact";
        let linked = Linked::between(&before.contact, &after.contact);
        let profile = ProfileWrite {
            before: before.profile.clone(),
            after: after.profile.clone(),
        };
        let changed = before.profile != after.profile;
        let writes = if before.contact == after.contact {
            let mut writes = profile.writes(scope, after.contact.id, DOING)?;
            // Nothing of an erased contact comes back.
            writes.push(Write::Exists(keys::contact(scope, after.contact.id)));
            writes
        } else {
            let write = ContactWrite {
                profile: changed.then_some(profile),
                ..ContactWrite::linked(after.contact.clone(), linked.clone())
            };
            write.writes(scope, DOING)?
        };
        let writes = signed(writes, stamp).chain(more).collect();
        self.write_person(writes, (1, &linked.new), DOING).await
    }

    /// Writes all of it or nothing. `new`: the place of the first
    /// new identity among the writes, and all of them.
    async fn write_person(
        &self,
        writes: Vec<Write>,
        (first, new): (usize, &[Identity]),
        doing: &'static str,
    ) -> Result<(), PersonError> {
        if writes.len() > MOST_WRITES {
            return Err(PersonError::TooMany(writes.len()));
        }
        let lost = match self.settled(writes, doing).await {
            Ok(()) => return Ok(()),
            Err(Unwritten::Store(error)) => return Err(error.into()),
            Err(Unwritten::Lost(lost)) => lost,
        };
        let identity = |at: &usize| at.checked_sub(first).and_then(|at| new.get(at));
        // If the contact itself has changed, it is read again before anything is said about its identities.
        let taken = lost.refused.first().and_then(identity);
        Err(match taken {
            Some(identity) => PersonError::Taken(identity.clone()),
            None => StoreError::Conflict { doing }.into(),
        })
    }
}

/// Signs the contact's and the profile's rows among these writes for the audit log.
fn signed(writes: Vec<Write>, stamp: &Stamp) -> impl Iterator<Item = Write> {
    writes.into_iter().map(move |write| match write {
        Write::Put(row) if matches!(row::string(&row.item, "kind"), Some("contact" | "profile")) => {
            Write::Put(row.stamped(stamp))
        }
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_belongs_to_one_kind_of_list() {
        let contact = ContactId::new(ulid::Ulid::from_parts(1, 2));
        let word = Driver::Words(domain::listing::Word::of("حداد").remove(0));
        let position = Position {
            sort: keys::listed_as("حداد", contact),
        };
        let text = position.written(&word);
        assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
        assert_eq!(Position::read(&text, &word), Some(position));
        assert_eq!(Position::read(&text, &Driver::Deleted), None);
        for wrong in [
            "",
            "w",
            "wzz",
            "w+1",
            "wff",
            "w61",
            &text.to_uppercase(),
            &text[..text.len() - 1],
        ] {
            assert_eq!(Position::read(wrong, &word), None, "{wrong}");
        }
    }
}
