//! Archives of contacts: one at a time of each. A row beside the operations names a contact's newest one, and both are written together.

use std::collections::{BTreeSet, HashMap};

use domain::campaigns::{Campaign, Enrolment};
use domain::inbox::Conversation;
use domain::people::{Contact, HistoryKind};
use domain::terms::{CampaignId, ContactId, Operation, OperationId, Stamp};
use jiff::Timestamp;

use crate::contacts::{Order, Placed, TimelinePosition, Wanted, timeline_entry};
use crate::table::operations::operation_row;
use crate::table::owned::Unwritten;
use crate::table::row::{self, Condition, Item, Row, Write};
use crate::table::{compact, keys};
use crate::{Page, Store, StoreError, TenantScope, Versioned};

impl Store {
    /// The newest archive of a contact, with the version of the row that names it.
    pub async fn newest_archive(
        &self,
        scope: &TenantScope,
        contact: ContactId,
        now: Timestamp,
    ) -> Result<Option<Versioned<OperationId>>, StoreError> {
        const DOING: &str = "look for an archive of a contact";
        let item = self.database.get(&keys::archive(scope, contact), DOING).await?;
        row::read_versioned(item, Some(now), DOING)
    }

    /// Creates an operation that archives a contact, as its newest one. `before` is the version of the row that names the former
    /// one.
    pub async fn create_archive(
        &self,
        scope: &TenantScope,
        contact: ContactId,
        before: Option<u64>,
        operation: &Operation,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "start an archive of a contact";
        let condition = before.map_or(Condition::NewOrExpired(stamp.at), Condition::Version);
        let key = keys::archive(scope, contact);
        let newest = Row::new(&key, "archive", &operation.id, condition, DOING)?;
        let newest = newest.version(before.unwrap_or_default() + 1);
        let newest = newest.expires(operation.created_at, Operation::RETAINED);
        let row = operation_row(scope, operation, Condition::New, 1, DOING)?.with_stamp(stamp);
        match self
            .write_until_settled(vec![Write::Put(row), Write::Put(newest)], DOING)
            .await
        {
            Ok(()) => Ok(()),
            Err(Unwritten::Store(error)) => Err(error),
            Err(Unwritten::Lost(_)) => Err(StoreError::Conflict { doing: DOING }),
        }
    }

    /// A page of a contact's history, the newest first: entries of this kind behind this position, including those of contacts that were
    /// merged into it. Deleted contacts have one, too. A page may hold fewer than `limit` without being the last. At most four queries, one
    /// for each contact.
    pub async fn history_page(
        &self,
        scope: &TenantScope,
        contact: &Contact,
        kind: HistoryKind,
        after: Option<TimelinePosition>,
        limit: i32,
        now: Timestamp,
    ) -> Result<Page<Placed>, StoreError> {
        const DOING: &str = "read the history of a contact";
        let wanted = Wanted {
            only: Some(kind),
            order: Order::NewestFirst,
            after,
            limit,
            now,
            doing: DOING,
        };
        let (items, next) = self.items_of_known(scope, contact, wanted).await?;
        let mut placed = Vec::with_capacity(items.len());
        for (position, item) in items {
            placed.extend(timeline_entry(item, DOING)?.map(|entry| Placed { position, entry }));
        }
        Ok(Page {
            items: placed,
            next: next.map(|position| position.to_string()),
        })
    }

    /// A page of the conversations of a person with these ids, who may be deleted. One query.
    ///
    /// # Errors
    /// When the table does not answer, or a row cannot be read.
    pub async fn conversations_page(
        &self,
        scope: &TenantScope,
        person: &[ContactId],
        after: Option<&str>,
        limit: i32,
    ) -> Result<Page<Conversation>, StoreError> {
        const DOING: &str = "read the conversations of a contact";
        let rows = self.rows_of_person(scope, person, keys::CONVERSATION, after, limit, DOING);
        let (rows, next) = rows.await?;
        let items = rows
            .into_iter()
            .map(|item| Ok(compact::conversation(item, DOING)?.value));
        let items = items.collect::<Result<_, StoreError>>()?;
        Ok(Page { items, next })
    }

    /// A page of the enrolments of a person with these ids, each with its campaign, unless that is deleted. One query, and one request for
    /// the campaigns.
    ///
    /// # Errors
    /// When the table does not answer, or a row cannot be read.
    pub async fn enrolments_page(
        &self,
        scope: &TenantScope,
        person: &[ContactId],
        after: Option<&str>,
        limit: i32,
        now: Timestamp,
    ) -> Result<Page<(Enrolment, Option<Campaign>)>, StoreError> {
        const DOING: &str = "read the enrolments of a contact";
        let rows = self.rows_of_person(scope, person, keys::ENROLMENT, after, limit, DOING);
        let (rows, next) = rows.await?;
        let rows = rows.into_iter().filter(|item| !row::is_expired(item, now));
        let enrolments: Vec<Enrolment> = rows.map(|item| row::data(item, DOING)).collect::<Result<_, _>>()?;
        let ids: BTreeSet<String> = enrolments.iter().map(|one| one.campaign.to_string()).collect();
        let campaigns = self.read_existing::<Campaign>(scope, &ids).await?.into_iter();
        let campaigns: HashMap<CampaignId, Campaign> = campaigns.map(|campaign| (campaign.id, campaign)).collect();
        let with_campaign = |enrolment: Enrolment| {
            let campaign = campaigns.get(&enrolment.campaign).cloned();
            (enrolment, campaign)
        };
        Ok(Page {
            items: enrolments.into_iter().map(with_campaign).collect(),
            next,
        })
    }

    /// A page of the rows with this prefix of their sort keys in the partitions of a person with these ids, and the position of the next
    /// page. `after`: the position of this page.
    async fn rows_of_person(
        &self,
        scope: &TenantScope,
        person: &[ContactId],
        prefix: &str,
        after: Option<&str>,
        limit: i32,
        doing: &'static str,
    ) -> Result<(Vec<Item>, Option<String>), StoreError> {
        let (contact, sort) = after.and_then(|after| after.split_once(' ')).unzip();
        let place = contact.map_or(Some(0), |contact| {
            // Nothing is left behind a contact that a merge's undoing has taken away meanwhile.
            person.iter().position(|own| own.to_string() == contact)
        });
        let left = place.and_then(|place| person.get(place..)?.split_first());
        let Some((own, others)) = left else {
            return Ok((Vec::new(), None));
        };
        let (partition, sort) = (
            keys::contact_partition(scope, *own),
            sort.filter(|sort| !sort.is_empty()),
        );
        let page = self.database.page(&partition, prefix, sort, limit, true, doing);
        let (rows, more) = page.await?;
        let last = rows.last().and_then(|item| row::string(item, "sk"));
        let next = match last.filter(|_| more) {
            Some(sort) => Some(format!("{own} {sort}")),
            None => others.first().map(|other| format!("{other} ")),
        };
        Ok((rows, next))
    }
}
