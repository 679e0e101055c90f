//! Drips: the versions of their steps, and the enrolments whose next step is due.
//!
//! A version of steps is a row of its own, which changes only while its campaign is a draft: whoever has begun with it ends with it.
//! Due enrolments have their own partitions of the due index. `dispatch_drips` reads and leases them for `take_steps`.

use std::collections::HashMap;

use domain::campaigns::{Campaign, Enrolment, InAudience, WrittenSteps, is_after_cap};
use domain::people::{Contact, Person};
use domain::terms::{CampaignId, CampaignState, ContactId, Stamp, TenantId};
use jiff::Timestamp;

use crate::campaigns::{DueRound, enrolment_row};
use crate::contacts::merged_into;
use crate::table::due::{Due, Next};
use crate::table::keys::{self, DueOther, Key};
use crate::table::row::{self, Condition, Item, Row, Write};
use crate::table::{compact, owned};
use crate::{OwnedError, Store, StoreError, TenantScope, Versioned};

/// Maximum versions of the steps of a drip.
pub const MAX_VERSIONS: u32 = 100;

/// A page of enrolments whose next step is due.
#[derive(Debug, Clone, Default)]
pub struct DueSteps {
    /// Contacts and campaigns, those who have waited longest first.
    pub due: Vec<DueStep>,
    /// Drips that contacts enter on dates of theirs.
    pub rounds: Vec<DueRound>,
    /// Cursor of the next page.
    pub next: Option<Next>,
}

/// An enrolment whose next step is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueStep {
    pub contact: ContactId,
    pub campaign: CampaignId,
    row: Due,
}

impl DueStep {
    /// A step that was [leased](Store::lease_step) until this time.
    pub fn of_lease(
        scope: &TenantScope,
        contact: ContactId,
        campaign: CampaignId,
        until: Timestamp,
        now: Timestamp,
    ) -> Self {
        let key = keys::enrolment(scope, contact, campaign);
        let row = Due::at(scope.tenant(), key, until, now);
        Self { contact, campaign, row }
    }

    /// The tenant of the contact.
    pub const fn tenant(&self) -> TenantId {
        self.row.tenant()
    }

    /// Time when it was due.
    pub fn due_at(&self) -> Option<Timestamp> {
        self.row.due_at()
    }

    /// Whether a cap has kept it back.
    pub fn was_kept_back(&self) -> bool {
        self.due_at().is_some_and(is_after_cap)
    }
}

/// Somebody in a drip.
#[derive(Debug, Clone, PartialEq)]
pub struct Enrolled {
    pub enrolment: Enrolment,
    /// The contact. `None`: it was erased, or merged into another.
    pub contact: Option<Contact>,
}

/// The entry of a contact into a drip.
#[derive(Debug, Clone, PartialEq)]
pub struct DripEntry {
    enrolment: Enrolment,
    /// Version of the former enrolment, over which it is written.
    before: Option<u64>,
}

impl DripEntry {
    /// The entry with this enrolment. `known`: the person's former one. That of a contact who was merged into this one stays.
    pub fn new(enrolment: Enrolment, known: Option<&Versioned<Enrolment>>) -> Self {
        let own = known.filter(|known| known.value.contact == enrolment.contact);
        Self {
            before: own.map(|known| known.version),
            enrolment,
        }
    }

    pub(crate) fn row(&self, scope: &TenantScope, doing: &'static str) -> Result<Row, StoreError> {
        let mut row = enrolment_row(scope, &self.enrolment, self.before, doing)?;
        if self.before.is_none() {
            row.condition = Condition::NewOrExpired(self.enrolment.at);
        }
        Ok(row)
    }
}

/// Keys of the enrolments of a person in a campaign.
fn keys_of_person(scope: &TenantScope, contact: &Contact, campaign: CampaignId) -> Vec<Key> {
    let keys = contact.ids().map(|id| keys::enrolment(scope, id, campaign));
    keys.collect()
}

/// The first of these enrolments that exists: of several, only this one goes on.
fn first(
    found: &mut HashMap<Key, Item>,
    keys: &[Key],
    now: Timestamp,
    doing: &'static str,
) -> Result<Option<Versioned<Enrolment>>, StoreError> {
    for key in keys {
        if let Some(enrolment) = row::read_versioned(found.remove(key), Some(now), doing)? {
            return Ok(Some(enrolment));
        }
    }
    Ok(None)
}

impl Store {
    /// Writes the steps of a drip: those of a draft over the former ones, those of another as a further version. Returns the drip.
    ///
    /// # Errors
    /// [`OwnedError::Full`] if it has the maximum number of versions; [`StoreError::Conflict`] after a lost race for the campaign.
    pub async fn write_steps(
        &self,
        scope: &TenantScope,
        before: &Versioned<Campaign>,
        steps: &WrittenSteps,
        stamp: &Stamp,
    ) -> Result<Versioned<Campaign>, OwnedError> {
        let version = match before.value.steps_version {
            None => 1,
            Some(version) if before.value.state == CampaignState::Draft => version,
            Some(version) => version + 1,
        };
        if version > MAX_VERSIONS {
            return Err(OwnedError::Full);
        }
        let after = Campaign {
            steps_version: Some(version),
            updated_at: stamp.at,
            ..before.value.clone()
        };
        let key = keys::steps(scope, after.id, version);
        let row = Row::new(
            &key,
            "drip_steps",
            steps,
            Condition::Always,
            "write the steps of a drip",
        )?;
        let written = self.change_with(scope, before, &after, stamp, vec![Write::Put(row.version(1))]);
        Ok(Versioned {
            version: written.await?,
            value: after,
        })
    }

    /// Versions of the steps of drips, as far as they exist. One request per hundred.
    pub async fn steps(
        &self,
        scope: &TenantScope,
        wanted: &[(CampaignId, u32)],
    ) -> Result<HashMap<(CampaignId, u32), WrittenSteps>, StoreError> {
        const DOING: &str = "read the steps of a drip";
        let key = |(campaign, version): &(CampaignId, u32)| keys::steps(scope, *campaign, *version);
        let keys: Vec<Key> = wanted.iter().map(key).collect();
        let mut found = self.database.get_many(&keys, DOING).await?;
        let mut steps = HashMap::new();
        for one in wanted {
            if let Some(item) = found.remove(&key(one)) {
                steps.insert(*one, row::data(item, DOING)?);
            }
        }
        Ok(steps)
    }

    /// The first steps of these drips. One request per hundred, none if there are no drips.
    pub async fn present_steps(
        &self,
        scope: &TenantScope,
        campaigns: &[&Campaign],
    ) -> Result<HashMap<CampaignId, WrittenSteps>, StoreError> {
        let wanted = campaigns
            .iter()
            .filter_map(|campaign| Some((campaign.id, campaign.drips()?)));
        let found = self.steps(scope, &wanted.collect::<Vec<_>>()).await?;
        Ok(found
            .into_iter()
            .map(|((campaign, _), steps)| (campaign, steps))
            .collect())
    }

    /// Deletes the steps of a drip that was deleted.
    pub async fn delete_steps(&self, scope: &TenantScope, campaign: CampaignId) -> Result<(), StoreError> {
        const DOING: &str = "delete the steps of a drip";
        let part = keys::part(scope, keys::Part::Configuration);
        let rows = self
            .database
            .query(&part, &keys::steps_of(campaign), i32::MAX, false, DOING)
            .await?;
        let keys: Vec<Key> = rows.iter().filter_map(row::key_of).collect();
        self.database.delete_many(&keys, DOING).await
    }

    /// A person's enrolment in a campaign, with its version: that of the contact, or of one that was merged into it. One request.
    pub async fn enrolment(
        &self,
        scope: &TenantScope,
        contact: &Contact,
        campaign: CampaignId,
        now: Timestamp,
    ) -> Result<Option<Versioned<Enrolment>>, StoreError> {
        const DOING: &str = "read an enrolment";
        let keys = keys_of_person(scope, contact, campaign);
        first(&mut self.database.get_many(&keys, DOING).await?, &keys, now, DOING)
    }

    /// A person's enrolment in a campaign, with the campaign, in one request.
    pub async fn campaign_and_enrolment(
        &self,
        scope: &TenantScope,
        contact: &Contact,
        campaign: CampaignId,
        now: Timestamp,
    ) -> Result<(Option<Campaign>, Option<Versioned<Enrolment>>), StoreError> {
        const DOING: &str = "read a campaign and an enrolment in it";
        let (own, keys) = (
            owned::key::<Campaign>(scope, &campaign),
            keys_of_person(scope, contact, campaign),
        );
        let all: Vec<Key> = keys.iter().chain([&own]).cloned().collect();
        let mut found = self.database.get_many(&all, DOING).await?;
        let campaign = row::live_data(&mut found, &[own], DOING)?.pop();
        Ok((campaign, first(&mut found, &keys, now, DOING)?))
    }

    /// Enrols a contact in a drip. Nothing is written of a contact who was deleted or merged.
    ///
    /// # Errors
    /// A conflict after a lost race, or if the contact is gone.
    pub async fn enter(&self, scope: &TenantScope, entry: DripEntry) -> Result<Versioned<Enrolment>, StoreError> {
        const DOING: &str = "enrol a contact in a drip";
        let shown = Write::Shown(keys::contact(scope, entry.enrolment.contact));
        self.write_all(vec![Write::Put(entry.row(scope, DOING)?), shown], DOING)
            .await?;
        Ok(Versioned {
            version: entry.before.unwrap_or_default() + 1,
            value: entry.enrolment,
        })
    }

    /// Writes an enrolment over one of this version.
    ///
    /// # Errors
    /// A conflict after a lost race, or if the contact was erased.
    pub async fn write_enrolment(
        &self,
        scope: &TenantScope,
        before: u64,
        enrolment: &Enrolment,
    ) -> Result<(), StoreError> {
        const DOING: &str = "write an enrolment";
        let row = enrolment_row(scope, enrolment, Some(before), DOING)?;
        self.database.put(row, DOING).await
    }

    /// A page of a drip's enrolments, with their contacts, and the position behind it. Fewer than `limit` only at the end.
    pub async fn enrolled_people(
        &self,
        scope: &TenantScope,
        campaign: CampaignId,
        from: InAudience,
        limit: i32,
        now: Timestamp,
    ) -> Result<(Vec<Enrolled>, Option<InAudience>), StoreError> {
        const DOING: &str = "read who is in a drip";
        let (contacts, next) = self.audience_page(scope, campaign, from, limit).await?;
        let keys = |contact: &ContactId| {
            [
                keys::enrolment(scope, *contact, campaign),
                keys::contact(scope, *contact),
            ]
        };
        let all: Vec<Key> = contacts.iter().flat_map(keys).collect();
        let mut found = self.database.get_many(&all, DOING).await?;
        let mut enrolled = Vec::with_capacity(contacts.len());
        for contact in contacts {
            let [enrolment, contact] = keys(&contact).map(|key| found.remove(&key));
            // Erased since the index had it.
            let Some(item) = enrolment.and_then(|item| row::unexpired_item(item, now)) else {
                continue;
            };
            let merged = contact.as_ref().map(|item| merged_into(item, DOING)).transpose()?;
            let contact = contact.filter(|_| merged.flatten().is_none());
            enrolled.push(Enrolled {
                enrolment: row::data(item, DOING)?,
                contact: contact.map(|item| compact::contact(item, DOING)).transpose()?,
            });
        }
        Ok((enrolled, next))
    }

    /// The enrolments of these people in a campaign, with their versions, by contact, each as far as it can be read. One request per hundred.
    pub async fn enrolments_of(
        &self,
        scope: &TenantScope,
        people: &[Person],
        campaign: CampaignId,
        now: Timestamp,
    ) -> Result<HashMap<ContactId, Result<Versioned<Enrolment>, StoreError>>, StoreError> {
        const DOING: &str = "read enrolments of people";
        let keys = |person: &Person| keys_of_person(scope, &person.contact, campaign);
        let all: Vec<Key> = people.iter().flat_map(keys).collect();
        let mut found = self.database.get_many(&all, DOING).await?;
        let read = |person: &Person| {
            let first = first(&mut found, &keys(person), now, DOING).transpose()?;
            Some((person.contact.id, first))
        };
        Ok(people.iter().filter_map(read).collect())
    }

    /// A page of a shard of the due steps of all tenants, the oldest first. One query of keys.
    pub async fn due_steps(
        &self,
        shard: u8,
        now: Timestamp,
        from: Option<Next>,
        limit: i32,
    ) -> Result<DueSteps, StoreError> {
        let (items, next) = self
            .due_keys(DueOther::Steps.partition(shard), now, from, limit)
            .await?;
        let mut page = DueSteps {
            next,
            ..DueSteps::default()
        };
        for item in &items {
            let Some(row) = Due::of_other_kind(item, now) else {
                continue;
            };
            if let Some(campaign) = keys::campaign_of_trigger(&row.key().sk) {
                page.rounds.push(DueRound { campaign, row });
            } else if let Some((contact, campaign)) = keys::enrolment_of(&row.key().pk, &row.key().sk) {
                let step = DueStep { contact, campaign, row };
                page.due.push(step);
            }
        }
        Ok(page)
    }

    /// Leases an enrolment for a job: until then, it is not due. Returns false if somebody else did so, or it has changed.
    pub async fn lease_step(&self, due: &DueStep, until: Timestamp) -> Result<bool, StoreError> {
        self.put_off_due(&due.row, until).await
    }

    /// Moves the next look at a leased enrolment, unless it has changed since: to now if its job could not go on, or later if it cannot be
    /// read or processed, so that it does not keep others waiting.
    pub async fn put_off(&self, due: &DueStep, until: Timestamp) -> Result<(), StoreError> {
        self.put_off_due(&due.row, until).await.map(drop)
    }

    /// The enrolments that are leased, with their versions, as far as they exist and nobody has changed or leased them since. One request
    /// per hundred.
    pub async fn enrolments_due(
        &self,
        scope: &TenantScope,
        due: &[DueStep],
        now: Timestamp,
    ) -> Result<Vec<(DueStep, Result<Versioned<Enrolment>, StoreError>)>, StoreError> {
        const DOING: &str = "read enrolments that are due";
        let key = |due: &DueStep| keys::enrolment(scope, due.contact, due.campaign);
        let keys: Vec<Key> = due.iter().map(key).collect();
        let mut found = self.database.get_many(&keys, DOING).await?;
        let read = |due: &DueStep| {
            let item = found.remove(&key(due)).filter(|item| due.row.is_place_of(item));
            let read = row::read_versioned(item, Some(now), DOING).transpose()?;
            Some((due.clone(), read))
        };
        Ok(due.iter().filter_map(read).collect())
    }
}

/// Number of shards of [`Store::due_steps`].
pub const SHARDS: u8 = keys::DUE_OTHER_SHARDS;
