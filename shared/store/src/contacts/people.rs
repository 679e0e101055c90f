//! Contacts with their profiles, as users of the API see, search and change them.
//!
//! A search reads one list ([`Driver`]), then the contacts that it names, and tests all conditions on each of them. A page examines at most
//! [`MAX_EXAMINED`] contacts: it may be short, or empty, without being the last.

use std::collections::HashMap;

use domain::people::{Contact, Driver, Filter, Identity, Linked, Person, Search, Suppression, consent_id};
use domain::terms::{ContactId, Operation, Phone, Stamp, to_hex};

use crate::consent::suppression_left_by;
use crate::contacts::{ContactWrite, Leads, ProfileWrite, Refusals, consent_row, merged_into, person_from_rows};
use crate::table::database::{Index, Rows};
use crate::table::effects::{Consent, MAX_WRITES};
use crate::table::keys::{self, Key};
use crate::table::operations::operation_row;
use crate::table::owned::Unwritten;
use crate::table::row::{self, Condition, Item, Write, key_item, text};
use crate::{Page, Store, StoreError, TenantScope, Versioned};

/// Maximum contacts that one page examines.
pub const MAX_EXAMINED: usize = 500;

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
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Refusals that new identities bring with them ([`Refusals`](crate::contacts::Refusals)). The contact holds them already.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Brought {
    /// Entries of the suppression list, which leave it.
    pub suppressed: Vec<Versioned<Suppression>>,
    /// Entries for the contact's ledger.
    pub consent: Vec<Consent>,
}

impl Brought {
    /// Passes refusals on to a contact that this change gives their identities.
    pub fn of(refusals: Refusals, contact: &mut Contact, stamp: &Stamp) -> Self {
        let entries = refusals.pass_on(contact).into_iter().zip(0..);
        let consent = entries.map(|(entry, place)| Consent {
            contact: contact.id,
            id: consent_id(stamp.at, &format!("{}#{place}", stamp.correlation_id)),
            entry,
        });
        Self {
            consent: consent.collect(),
            suppressed: refusals.suppressed,
        }
    }

    pub(crate) fn writes(&self, scope: &TenantScope, doing: &'static str) -> Result<Vec<Write>, StoreError> {
        let rows = self.consent.iter().map(|consent| {
            let row = consent_row(scope, consent.contact, consent.id, &consent.entry, doing)?;
            Ok(Write::Put(row))
        });
        rows.collect()
    }
}

/// A position in the list of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeoplePosition {
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
        Driver::Duplicates => 'm',
    }
}

impl PeoplePosition {
    /// Reads a position in the list of a search; `None` if it is none, or outside the bounds of the list.
    pub fn read(text: &str, search: &Search) -> Option<Self> {
        let driver = &search.driver;
        let hex = text.strip_prefix(letter(driver))?;
        let bytes: Option<Vec<u8>> = hex
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect();
        let sort = String::from_utf8(bytes?).ok()?;
        let position = Self { sort };
        let known = position.contact(driver).is_some() && position.to_text(driver) == text;
        let within = Bounds::of(driver).hold(&position.sort);
        (known && within).then_some(position)
    }

    /// The position as text: letters and digits of ASCII.
    fn to_text(&self, driver: &Driver) -> String {
        format!("{}{}", letter(driver), to_hex(self.sort.as_bytes()))
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
            Driver::All | Driver::Deleted | Driver::Duplicates => keys::contact(scope, contact),
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

    /// The start key of a query that goes on.
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

impl Bounds {
    /// The bounds of the list that a driver reads.
    fn of(driver: &Driver) -> Self {
        match driver {
            Driver::Digits(digits) => Self::Beginning(digits.reversed_digits()),
            Driver::Words(word) => Self::Beginning(word.as_str().to_owned()),
            Driver::Values(_, from, to) if !from.is_empty() || !to.is_empty() => {
                // A sort key is never empty.
                let lower = if from.is_empty() { " " } else { from };
                // Behind every contact with the last value, or behind everything.
                // A value that ends where `to` has a character before `#` comes after `to` in the list.
                let end = to.find(|sign| sign < '#').unwrap_or(to.len());
                let upper = if to.is_empty() {
                    "\u{10ffff}".to_owned()
                } else {
                    format!("{}#~", &to[..end])
                };
                Self::Between(lower.to_owned(), upper)
            }
            Driver::All
            | Driver::Deleted
            | Driver::Identity(_)
            | Driver::Tag(_)
            | Driver::Values(..)
            | Driver::OnDay(..)
            | Driver::Stage(_)
            | Driver::Duplicates => Self::Beginning(String::new()),
        }
    }

    /// Whether a sort key lies between them. DynamoDB starts no query elsewhere.
    fn hold(&self, sort: &str) -> bool {
        match self {
            Self::Beginning(prefix) => sort.starts_with(prefix.as_str()),
            Self::Between(lower, upper) => lower.as_str() <= sort && sort <= upper.as_str(),
        }
    }
}

impl List {
    fn of(scope: &TenantScope, driver: &Driver) -> Option<Self> {
        let (index, partition) = match driver {
            Driver::Identity(_) => return None,
            Driver::All => (Index::ByDay, keys::contacts(scope)),
            Driver::Deleted => (Index::ByState, keys::deleted_contacts(scope)),
            Driver::Digits(_) => (Index::ByDay, keys::numbers(scope)),
            Driver::Words(word) => (Index::Table, keys::words(scope, word)),
            Driver::Tag(tag) => (Index::Table, keys::tag(scope, *tag)),
            Driver::Values(field, ..) => (Index::Table, keys::values(scope, *field)),
            Driver::OnDay(field, day) => (Index::Table, keys::on_day(scope, *field, *day)),
            Driver::Stage(stage) => (Index::ByState, keys::stage(scope, *stage)),
            Driver::Duplicates => (Index::ByState, keys::duplicates(scope)),
        };
        Some(Self {
            index,
            partition,
            rows: Bounds::of(driver),
        })
    }

    /// The rows for a query; `None` if there are none between the bounds.
    fn rows(&self) -> Option<Rows<'_>> {
        match &self.rows {
            Bounds::Beginning(prefix) => Some(Rows::Beginning(prefix)),
            Bounds::Between(lower, upper) if lower > upper => None,
            Bounds::Between(lower, upper) => Some(Rows::Between(lower, upper)),
        }
    }
}

/// The version of the tenant's configuration, if it is wanted. It is read along with the first contacts.
#[derive(Default)]
struct AsOf {
    /// The tenant's row, until it is read.
    tenant: Option<Key>,
    version: Option<u64>,
}

impl Store {
    /// A page of the contacts that a search finds, in the order of its list. `after`: the end of the previous page.
    ///
    /// Contacts that move within the list while it is read page by page are found where they are then: again, if they moved ahead.
    /// In lists by contact they never move, in that of a stage only if they leave it and come back.
    pub async fn search_contacts(
        &self,
        scope: &TenantScope,
        search: &Search,
        after: Option<&PeoplePosition>,
        limit: i32,
        backwards: bool,
    ) -> Result<Page<Person>, StoreError> {
        let mut as_of = AsOf::default();
        self.search(scope, search, after, limit, backwards, &mut as_of).await
    }

    /// As [`search_contacts`](Self::search_contacts), with the version of the tenant's configuration at that time. It costs a request of
    /// its own only if no contact is read.
    pub async fn search_contacts_as_of(
        &self,
        scope: &TenantScope,
        search: &Search,
        after: Option<&PeoplePosition>,
        limit: i32,
        backwards: bool,
    ) -> Result<(Page<Person>, u64), StoreError> {
        let mut as_of = AsOf {
            tenant: Some(keys::tenant(scope)),
            version: None,
        };
        let page = self.search(scope, search, after, limit, backwards, &mut as_of).await?;
        let version = match as_of.version {
            Some(version) => version,
            None => self.config_version(scope).await?,
        };
        Ok((page, version))
    }

    async fn search(
        &self,
        scope: &TenantScope,
        search: &Search,
        after: Option<&PeoplePosition>,
        limit: i32,
        backwards: bool,
        as_of: &mut AsOf,
    ) -> Result<Page<Person>, StoreError> {
        const DOING: &str = "search contacts";
        if let Driver::Identity(identity) = &search.driver {
            return self.person_of(scope, &search.filter, identity, as_of).await;
        }
        let (driver, wanted) = (&search.driver, usize::try_from(limit).unwrap_or(1).max(1));
        let mut people = Vec::new();
        let last_page = |items| Page { items, next: None };
        let list = List::of(scope, driver);
        let Some((list, rows)) = list.as_ref().and_then(|list| Some((list, list.rows()?))) else {
            return Ok(last_page(people));
        };
        let (mut examined, mut round) = (0, wanted);
        let mut start = after.and_then(|after| after.start(scope, driver, list));
        loop {
            let most = i32::try_from(round).unwrap_or(1);
            let of_list = rows.of(&list.partition);
            let asked = self
                .database
                .stretch(list.index, of_list, start, most, backwards, DOING);
            let (found, more) = asked.await?;
            let (_, sk) = list.index.keys();
            let positions: Vec<PeoplePosition> = found
                .iter()
                .filter_map(|item| row::string(item, sk))
                .map(|sort| PeoplePosition { sort: sort.to_owned() })
                .collect();
            let entries: Vec<(&PeoplePosition, &str, ContactId)> = positions
                .iter()
                .filter_map(|position| position.contact(driver).map(|(by, contact)| (position, by, contact)))
                .collect();
            let ids: Vec<ContactId> = entries.iter().map(|(_, _, contact)| *contact).collect();
            let read = self.people_as_of(scope, &ids, as_of).await?;
            examined += positions.len();
            for (number, (position, by, contact)) in entries.iter().enumerate() {
                let person = read.get(contact);
                people.extend(
                    person
                        .filter(|person| driver.leads(by, person) && search.filter.takes(person))
                        .cloned(),
                );
                if people.len() == wanted {
                    let rest = more || number + 1 < entries.len();
                    return Ok(Page {
                        items: people,
                        next: rest.then(|| position.to_text(driver)),
                    });
                }
            }
            if let Some(last) = positions.last().filter(|_| more && examined >= MAX_EXAMINED) {
                return Ok(Page {
                    items: people,
                    next: Some(last.to_text(driver)),
                });
            }
            round = ROUND.min(MAX_EXAMINED - examined);
            start = positions.last().and_then(|last| last.start(scope, driver, list));
            if !more || start.is_none() {
                return Ok(last_page(people));
            }
        }
    }

    /// A page as of [`Store::search_contacts`], for work that goes through a search step by step: `after` is the text that the
    /// previous page gave for the next.
    ///
    /// # Errors
    /// When the table does not answer, or the text is no position in the list.
    pub async fn searched_contacts(
        &self,
        scope: &TenantScope,
        search: &Search,
        after: Option<&str>,
        limit: i32,
    ) -> Result<Page<Person>, StoreError> {
        let read = |text: &str| PeoplePosition::read(text, search).ok_or(StoreError::Position);
        let after = after.map(read).transpose()?;
        self.search_contacts(scope, search, after.as_ref(), limit, false).await
    }

    /// The contact of an identity, also if it was merged since, or has no room for the identity, if it fulfils the filter.
    async fn person_of(
        &self,
        scope: &TenantScope,
        filter: &Filter,
        identity: &Identity,
        as_of: &mut AsOf,
    ) -> Result<Page<Person>, StoreError> {
        let id = self.id_of(scope, identity, "find the contact of an identity").await?;
        let found = match id {
            Some(id) => match self.people_as_of(scope, &[id], as_of).await?.remove(&id) {
                None => self.known_person(scope, id).await?,
                found => found,
            },
            None => None,
        };
        let mut others = filter.clone();
        match identity {
            Identity::Phone(_) => others.phone = None,
            Identity::Email(_) => others.email = None,
            Identity::Bsuid(_) | Identity::Sip(_) | Identity::Sender(_) | Identity::Withheld(_) => {}
        }
        let found = found.filter(|person| others.takes(person));
        Ok(Page {
            items: found.into_iter().collect(),
            next: None,
        })
    }

    /// The contacts with these ids, as far as they exist. Those that were merged into others no longer do. One request per fifty.
    pub async fn people_by_id(
        &self,
        scope: &TenantScope,
        ids: &[ContactId],
    ) -> Result<HashMap<ContactId, Person>, StoreError> {
        self.people_as_of(scope, ids, &mut AsOf::default()).await
    }

    /// As [`people_by_id`](Self::people_by_id), with the version of the tenant's configuration if it is wanted and not read yet.
    async fn people_as_of(
        &self,
        scope: &TenantScope,
        ids: &[ContactId],
        as_of: &mut AsOf,
    ) -> Result<HashMap<ContactId, Person>, StoreError> {
        const DOING: &str = "read contacts and their profiles";
        let rows = ids
            .iter()
            .flat_map(|id| [keys::contact(scope, *id), keys::profile(scope, *id)]);
        let tenant = as_of.tenant.take();
        let keys: Vec<Key> = rows.chain(tenant.clone()).collect();
        let mut found = self.database.get_many(&keys, DOING).await?;
        if let Some(tenant) = tenant {
            as_of.version = Some(found.get(&tenant).map_or(0, row::version_of));
        }
        let mut people = HashMap::with_capacity(ids.len());
        for id in ids {
            let Some(contact) = found.remove(&keys::contact(scope, *id)) else {
                continue;
            };
            if merged_into(&contact, DOING)?.is_some() {
                continue;
            }
            let profile = found.remove(&keys::profile(scope, *id));
            people.insert(*id, person_from_rows(contact, profile, DOING)?);
        }
        Ok(people)
    }

    /// Creates a contact with its profile, identities and entries of lists.
    ///
    /// # Errors
    /// [`PersonError`]; [`StoreError::Conflict`] if the id exists.
    pub async fn create_person(
        &self,
        scope: &TenantScope,
        person: &Person,
        brought: &Brought,
        stamp: &Stamp,
    ) -> Result<(), PersonError> {
        const DOING: &str = "create a contact";
        let linked = Linked {
            new: person.contact.known_by(),
            dropped: Vec::new(),
        };
        let write = ContactWrite {
            profile: Some(person.profile.clone().into()),
            suppressed: brought.suppressed.clone(),
            ..ContactWrite::from_linked(person.contact.clone(), linked.clone())
        };
        let brought = brought.writes(scope, DOING)?;
        let writes = sign_writes(write.writes(scope, DOING)?, stamp).chain(brought).collect();
        self.write_person(scope, writes, 1, &linked.new, DOING).await
    }

    /// Changes a contact, its profile, identities and entries of lists, under the condition of the versions that were read. Its
    /// conversations are closed if it is deleted by that, and those that were are opened again if it is restored.
    ///
    /// # Errors
    /// [`PersonError`]; [`StoreError::Conflict`] after a lost race.
    pub async fn change_person(
        &self,
        scope: &TenantScope,
        before: &Person,
        after: &Person,
        brought: &Brought,
        stamp: &Stamp,
    ) -> Result<(), PersonError> {
        let more = brought.writes(scope, "record refusals of a contact")?;
        self.change_person_with(scope, before, after, &brought.suppressed, stamp, more)
            .await
    }

    /// Deletes a contact: `after` says when. Its erasure is written with it.
    pub async fn delete_person(
        &self,
        scope: &TenantScope,
        before: &Person,
        after: &Person,
        erasure: &Operation,
        stamp: &Stamp,
    ) -> Result<(), PersonError> {
        const DOING: &str = "delete a contact";
        let row = operation_row(scope, erasure, Condition::New, 1, DOING)?.with_stamp(stamp);
        self.change_person_with(scope, before, after, &[], stamp, vec![Write::Put(row)])
            .await
    }

    async fn change_person_with(
        &self,
        scope: &TenantScope,
        before: &Person,
        after: &Person,
        suppressed: &[Versioned<Suppression>],
        stamp: &Stamp,
        more: Vec<Write>,
    ) -> Result<(), PersonError> {
        const DOING: &str = "change a contact";
        let mut linked = Linked::between(&before.contact, &after.contact);
        // Nobody would find the contact by what is taken from it, and nobody else could get it.
        let (mut left, mut removed) = (Vec::new(), Vec::new());
        for (place, identity) in std::mem::take(&mut linked.dropped).into_iter().enumerate() {
            match suppression_left_by(scope, &after.contact, &identity, place, stamp, DOING)? {
                Some(row) => left.push(Write::Put(row)),
                // The list has only numbers and addresses. What else a contact refuses by still leads to it.
                None if after.contact.refuses() => linked.dropped.push(identity),
                None => removed.push(identity),
            }
        }
        let profile = ProfileWrite {
            before: before.profile.clone(),
            after: after.profile.clone(),
        };
        let changed = before.profile != after.profile;
        let deleted = [before, after].map(|person| person.contact.deleted_at.is_some());
        let conversations = match deleted {
            [false, true] | [true, false] => self.hidden_or_shown(scope, after.contact.id, deleted[1], DOING).await?,
            _ => Vec::new(),
        };
        let writes = if before.contact.is_written_as(&after.contact) {
            let mut writes = profile.writes(scope, after.contact.id, DOING)?;
            // Nothing of an erased contact comes back, or of one that is being erased.
            writes.push(Write::Shown(keys::contact(scope, after.contact.id)));
            writes
        } else {
            let write = ContactWrite {
                profile: changed.then_some(profile),
                suppressed: suppressed.to_vec(),
                removed_identities: removed,
                ..ContactWrite::from_linked(after.contact.clone(), linked.clone())
            };
            write.writes(scope, DOING)?
        };
        let writes = sign_writes(writes, stamp)
            .chain(left)
            .chain(more)
            .chain(conversations)
            .collect();
        self.write_person(scope, writes, 1, &linked.new, DOING).await
    }

    /// Writes all of it or nothing. `new`: the place of the first
    /// new identity among the writes, and all of them.
    pub(crate) async fn write_person(
        &self,
        scope: &TenantScope,
        writes: Vec<Write>,
        first: usize,
        new: &[Identity],
        doing: &'static str,
    ) -> Result<(), PersonError> {
        if writes.len() > MAX_WRITES {
            return Err(PersonError::TooMany(writes.len()));
        }
        let lost = match self.write_until_settled(writes, doing).await {
            Ok(()) => return Ok(()),
            Err(Unwritten::Store(error)) => return Err(error.into()),
            Err(Unwritten::Lost(lost)) => lost,
        };
        let identity = |at: &usize| at.checked_sub(first).and_then(|at| new.get(at));
        // If the contact itself has changed, it is read again before anything is said about its identities.
        let taken = lost.refused.first().and_then(identity);
        let Some(taken) = taken.cloned() else {
            return Err(StoreError::Conflict { doing }.into());
        };
        // It may have been suppressed meanwhile: then the contact takes the refusal over at the next attempt.
        let item = self.database.get(&keys::identity(scope, &taken), doing).await?;
        Err(match Leads::read(item, doing)? {
            Leads::To(_) => PersonError::Taken(taken),
            Leads::Suppressed(_) | Leads::Nowhere => StoreError::Conflict { doing }.into(),
        })
    }
}

/// Signs the contact's and the profile's rows among these writes for the audit log.
fn sign_writes(writes: Vec<Write>, stamp: &Stamp) -> impl Iterator<Item = Write> {
    writes.into_iter().map(move |write| match write {
        Write::Put(row) if matches!(row::string(&row.item, "kind"), Some("contact" | "profile")) => {
            Write::Put(row.with_stamp(stamp))
        }
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use domain::people::Word;
    use domain::terms::FieldId;
    use ulid::Ulid;

    use super::*;

    fn search_by_driver(driver: &Driver) -> Search {
        Search {
            driver: driver.clone(),
            ..Search::of_all_contacts()
        }
    }

    /// DynamoDB refuses a start outside the bounds of a query.
    #[test]
    fn a_position_lies_within_the_bounds_of_its_list() {
        let contact = ContactId::new(Ulid::from_parts(1, 2));
        let field = FieldId::new(Ulid::from_parts(3, 4));
        let words = |begin: &str| Driver::Words(Word::of(begin).remove(0));
        let digits = |last: &str| Driver::Digits(last.parse().unwrap());
        let values = |from: &str, to: &str| Driver::Values(field, from.to_owned(), to.to_owned());
        for (by, own, other) in [
            ("maya", words("ma"), words("mo")),
            ("765432105179", digits("4567"), digits("568")),
            ("10", values("10", ""), values("50", "")),
            ("10", values("", "10"), values("", "09")),
            ("50", values("10", "50"), values("10", "49")),
            ("50", values("", ""), values("60", "50")),
        ] {
            let position = PeoplePosition {
                sort: keys::listed_as(by, contact),
            };
            let text = position.to_text(&own);
            assert_eq!(
                PeoplePosition::read(&text, &search_by_driver(&own)),
                Some(position),
                "{own:?}"
            );
            assert_eq!(
                PeoplePosition::read(&text, &search_by_driver(&other)),
                None,
                "{other:?}"
            );
        }
    }

    #[test]
    fn a_position_belongs_to_one_kind_of_list() {
        let contact = ContactId::new(Ulid::from_parts(1, 2));
        let word = Word::of("حداد").remove(0);
        let position = PeoplePosition {
            sort: keys::listed_as(word.as_str(), contact),
        };
        let word = Driver::Words(word);
        let text = position.to_text(&word);
        let word = search_by_driver(&word);
        assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
        assert_eq!(PeoplePosition::read(&text, &word), Some(position));
        assert_eq!(PeoplePosition::read(&text, &search_by_driver(&Driver::Deleted)), None);
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
            assert_eq!(PeoplePosition::read(wrong, &word), None, "{wrong}");
        }
    }
}
