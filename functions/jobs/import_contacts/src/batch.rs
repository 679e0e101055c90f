//! A batch of rows: each is looked up, decided and written.
//!
//! Rows are worked side by side, but those about one person in their order: rows with a common number or address are in different
//! waves, and rows that lead to one contact by different ones follow each other.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::people::{
    Addition, Contact, Field, Foreseen, Found, Identity, Import, ImportMode, Incoming, Plan, Profile, RowOutcome,
    RowRefused, Suppression, consent_id,
};
use domain::terms::ContactId;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use kit::JobError;
use store::contacts::{Added, Brought, KnownPerson, PersonError};
use store::reports::Stored;
use store::table::effects::Consent;
use store::{Store, TenantScope, Versioned};

/// Rows that are written at a time.
const CONCURRENCY: usize = 16;

/// Attempts of a row that loses races against calls, messages, users and other imports.
const ATTEMPTS: u32 = 12;

/// A row that can be read.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    /// Place in the batch.
    pub(crate) place: usize,
    /// Number of the row in the table.
    pub(crate) number: u64,
    pub(crate) incoming: Incoming,
}

/// Result of a row, with the reason if it was refused.
pub(crate) type Outcome = (RowOutcome, Option<String>);

/// Data that all rows of an import share.
pub(crate) struct Desk<'a> {
    pub(crate) store: &'a Store,
    pub(crate) scope: &'a TenantScope,
    pub(crate) import: &'a Import,
    pub(crate) mode: ImportMode,
    pub(crate) definitions: &'a [Field],
    pub(crate) now: Timestamp,
    /// Maximum contacts of the tenant's plan.
    pub(crate) most: u64,
    /// Room for new contacts that was taken and is not used yet.
    pub(crate) room: AtomicU64,
}

fn outcome_of_refusal(reason: &RowRefused) -> Outcome {
    let outcome = match reason {
        RowRefused::Erased => RowOutcome::Erased,
        _ => RowOutcome::Refused,
    };
    (outcome, Some(reason.to_string()))
}

/// The rows in waves: of those with a common identity, each is in a later wave than the one before it.
fn waves(rows: Vec<Candidate>) -> Vec<Vec<Candidate>> {
    let mut last: HashMap<Identity, usize> = HashMap::new();
    let mut waves: Vec<Vec<Candidate>> = Vec::new();
    for row in rows {
        let identities = row.incoming.identities();
        let before = identities.iter().filter_map(|identity| last.get(identity)).max();
        let wave = before.map_or(0, |before| before + 1);
        last.extend(identities.into_iter().map(|identity| (identity, wave)));
        if waves.len() <= wave {
            waves.push(Vec::new());
        }
        waves[wave].push(row);
    }
    waves
}

/// A row with the person whom it was found to be about.
struct FoundRow {
    row: Candidate,
    known: KnownPerson,
}

/// Rows in order, with the person whom the first was found to be about.
struct Chain {
    known: KnownPerson,
    rows: Vec<Candidate>,
}

/// Groups the rows that lead to one contact, in order.
fn chains(rows: Vec<FoundRow>) -> Vec<Chain> {
    let mut chains: Vec<Chain> = Vec::new();
    let mut of_contact: HashMap<ContactId, usize> = HashMap::new();
    for FoundRow { row, known } in rows {
        if let Found::One(person) = &known.found {
            if let Some(chain) = of_contact.get(&person.contact.id) {
                chains[*chain].rows.push(row);
                continue;
            }
            of_contact.insert(person.contact.id, chains.len());
        }
        chains.push(Chain { known, rows: vec![row] });
    }
    chains
}

impl Desk<'_> {
    fn own_contact(&self, row: &Candidate) -> ContactId {
        self.import.contact_of(row.number)
    }

    /// The people that rows are about.
    async fn look(&self, rows: Vec<Candidate>) -> Result<Vec<FoundRow>, JobError> {
        let identities: Vec<Identity> = rows.iter().flat_map(|row| row.incoming.identities()).collect();
        let known = self.store.known_people(self.scope, &identities).await?;
        let found = |row: Candidate| {
            let known = known.find(&row.incoming.identities());
            FoundRow { row, known }
        };
        Ok(rows.into_iter().map(found).collect())
    }

    /// Writes rows. Returns what became of each, by its place.
    pub(crate) async fn write(&self, rows: Vec<Candidate>) -> Result<Vec<(usize, Outcome)>, JobError> {
        let mut outcomes = Vec::with_capacity(rows.len());
        for wave in waves(rows) {
            let looked = self.look(wave).await?;
            self.take_room(&looked).await?;
            let chains = chains(looked);
            let works = stream::iter(chains).map(|chain| self.write_chain(chain));
            let written: Vec<_> = works.buffer_unordered(CONCURRENCY).try_collect().await?;
            outcomes.extend(written.into_iter().flatten());
            let left = self.room.swap(0, Ordering::Relaxed);
            if left > 0 {
                self.store.give_room_back(self.scope, Stored::Contacts, left).await?;
            }
        }
        Ok(outcomes)
    }

    /// Takes room for the rows that are about nobody yet, as much as there is.
    async fn take_room(&self, rows: &[FoundRow]) -> Result<(), JobError> {
        let is_new = |row: &&FoundRow| matches!(row.known.found, Found::Nobody);
        let mut wanted = rows.iter().filter(is_new).count() as u64;
        while wanted > 0 {
            let taken = self.store.take_room(self.scope, Stored::Contacts, wanted, self.most);
            match taken.await? {
                Ok(()) => {
                    self.room.store(wanted, Ordering::Relaxed);
                    return Ok(());
                }
                Err(left) => wanted = left.min(wanted - 1),
            }
        }
        Ok(())
    }

    /// Uses room for one contact, if there is any left: what was taken for the wave, or more, for a row that was found to be about somebody
    /// at first.
    async fn use_room(&self) -> Result<bool, JobError> {
        let used = self
            .room
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if used.is_ok() {
            return Ok(true);
        }
        let taken = self.store.take_room(self.scope, Stored::Contacts, 1, self.most);
        Ok(taken.await?.is_ok())
    }

    async fn write_chain(&self, chain: Chain) -> Result<Vec<(usize, Outcome)>, JobError> {
        let mut outcomes = Vec::with_capacity(chain.rows.len());
        let mut first = Some(chain.known);
        for row in chain.rows {
            let known = match first.take() {
                Some(known) => known,
                None => self.look_again(&row).await?,
            };
            outcomes.push((row.place, self.write_row(&row, known).await?));
        }
        Ok(outcomes)
    }

    async fn look_again(&self, row: &Candidate) -> Result<KnownPerson, JobError> {
        let known = self.store.known_people(self.scope, &row.incoming.identities()).await?;
        Ok(known.find(&row.incoming.identities()))
    }

    /// The suppressions of identities that the contact gains, whose refusals it holds from now on. Behind them comes the consent that the
    /// row states.
    fn bring_suppressions(
        &self,
        row: &Candidate,
        addition: &mut Addition,
        before: Option<&Contact>,
        suppressed: &[Versioned<Suppression>],
    ) -> Brought {
        let new = addition.new_identities(before);
        let contact = &mut addition.person.contact;
        let mut brought = Brought::default();
        for known in suppressed {
            if !new.contains(&known.value.address.identity()) {
                continue;
            }
            for (entry, place) in known.value.pass_on(contact).into_iter().zip(0..) {
                brought.consent.push(Consent {
                    contact: contact.id,
                    id: consent_id(self.now, &format!("{}#{place}", known.value.id)),
                    entry,
                });
            }
            brought.suppressed.push(known.clone());
        }
        addition.agree(self.import, row.number);
        brought
    }

    /// Lists the row's own contact, whose profile an interrupted attempt has written, perhaps without what it is listed by.
    async fn list_again(&self, row: &Candidate, found: &Found) -> Result<(), JobError> {
        if let Found::One(person) = found
            && person.contact.id == self.own_contact(row)
            && person.profile != Profile::default()
        {
            self.store.list_person(self.scope, person).await?;
        }
        Ok(())
    }

    async fn write_row(&self, row: &Candidate, known: KnownPerson) -> Result<Outcome, JobError> {
        let (store, scope, own) = (self.store, self.scope, self.own_contact(row));
        let KnownPerson {
            mut found,
            mut suppressed,
        } = known;
        let mut has_room = false;
        for attempt in 1..=ATTEMPTS {
            self.list_again(row, &found).await?;
            let plan = row.incoming.plan(self.mode, own, found, self.definitions, self.now);
            let written = match plan {
                Err(reason) => return Ok(outcome_of_refusal(&reason)),
                Ok(Plan::Skip(_)) => return Ok((RowOutcome::Skipped, None)),
                Ok(Plan::Create(mut addition)) => {
                    has_room = has_room || self.use_room().await?;
                    if !has_room {
                        return Ok(outcome_of_refusal(&RowRefused::NoRoom(self.most)));
                    }
                    let brought = self.bring_suppressions(row, &mut addition, None, &suppressed);
                    match store.add_person(scope, &addition, &brought).await {
                        Ok(Added::Whole) => Ok(RowOutcome::Created),
                        Ok(Added::Erased) => return Ok(outcome_of_refusal(&RowRefused::Erased)),
                        Ok(Added::Otherwise) => {
                            found = store.known_as(scope, own).await?;
                            suppressed.clear();
                            continue;
                        }
                        Err(error) => Err(error),
                    }
                }
                Ok(Plan::Update { before, mut after }) => {
                    let brought = self.bring_suppressions(row, &mut after, Some(&before.contact), &suppressed);
                    let changed = store.change_found(scope, &before, &after, &brought).await;
                    // It counts as created also when it is found to be created.
                    let is_own = before.contact.id == own;
                    changed.map(|()| {
                        if is_own {
                            RowOutcome::Created
                        } else {
                            RowOutcome::Updated
                        }
                    })
                }
            };
            match written {
                Ok(outcome) => return Ok((outcome, None)),
                Err(PersonError::TooMany(_)) => {
                    let advice = "The row changes too many values at once. Import some of its columns first.";
                    return Ok((RowOutcome::Refused, Some(advice.to_owned())));
                }
                Err(PersonError::Taken(_)) => {}
                Err(PersonError::Store(error)) if error.is_conflict() => {}
                Err(PersonError::Store(error)) if error.is_invalid() => {
                    let advice = "The row cannot be stored. Shorten its values.";
                    return Ok((RowOutcome::Refused, Some(advice.to_owned())));
                }
                Err(PersonError::Store(error)) => return Err(error.into()),
            }
            store::step_aside(attempt).await;
            KnownPerson { found, suppressed } = self.look_again(row).await?;
        }
        Err(JobError::new("import a row: every attempt lost a race"))
    }

    /// Foresees the outcomes of rows, after those that are foreseen already.
    pub(crate) async fn count(
        &self,
        rows: Vec<Candidate>,
        foreseen: &mut Foreseen,
    ) -> Result<Vec<(usize, Outcome)>, JobError> {
        let found = self.look(rows).await?;
        let (mode, definitions, now) = (self.mode, self.definitions, self.now);
        let count = |FoundRow { row, known }: FoundRow| {
            let decided = foreseen.decide(
                &row.incoming,
                mode,
                self.own_contact(&row),
                known.found,
                definitions,
                now,
            );
            let outcome = decided.map_or_else(|reason| outcome_of_refusal(&reason), |(outcome, _)| (outcome, None));
            (row.place, outcome)
        };
        Ok(found.into_iter().map(count).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(place: usize, phones: &[&str]) -> Candidate {
        Candidate {
            place,
            number: place as u64,
            incoming: Incoming {
                phones: phones.iter().map(|phone| phone.parse().unwrap()).collect(),
                ..Incoming::default()
            },
        }
    }

    fn places(waves: &[Vec<Candidate>]) -> Vec<Vec<usize>> {
        let places = |wave: &Vec<Candidate>| wave.iter().map(|row| row.place).collect();
        waves.iter().map(places).collect()
    }

    #[test]
    fn rows_about_one_person_keep_their_order() {
        let (one, two, three) = ("+971501234561", "+971501234562", "+971501234563");
        let rows = vec![
            row(0, &[one]),
            row(1, &[two]),
            row(2, &[one, three]),
            row(3, &[]),
            row(4, &[three]),
            row(5, &[two]),
        ];
        assert_eq!(places(&waves(rows)), [vec![0, 1, 3], vec![2, 5], vec![4]]);
        assert_eq!(waves(Vec::new()).len(), 0);
    }
}
