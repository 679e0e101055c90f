//! Runs of campaigns: the audience as it was fixed, and the messages that wait for the campaign.

use std::collections::HashMap;

use domain::campaigns::{Audience, AudienceConditions, Campaign, Enrolment, Exit, InAudience, Recipient};
use domain::messages::Message;
use domain::people::{Conditions, Field, Person, Segment, Tag};
use domain::terms::{CampaignId, CampaignState, ContactId, Operation, Reason, Refusal, SegmentId, Stamp};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;

use crate::campaigns::{trigger_removal, trigger_write};
use crate::contacts::merged_into;
use crate::table::database::{Index, Rows};
use crate::table::keys::{self, DueOther, IndexPlace, Listed};
use crate::table::operations::operation_row;
use crate::table::row::{self, Condition, Item, Row, Write, key_of, string};
use crate::table::{compact, owned};
use crate::{OwnedError, Page, Store, StoreError, TenantScope, Versioned};

/// Rows written at the same time: a page of an audience has partitions of its own, whose lists take 1,000 writes a second.
const AT_ONCE: usize = 16;

/// The row of an enrolment, over one of this version, or none.
pub(crate) fn enrolment_row(
    scope: &TenantScope,
    enrolment: &Enrolment,
    before: Option<u64>,
    doing: &'static str,
) -> Result<Row, StoreError> {
    let Enrolment { campaign, contact, .. } = *enrolment;
    let key = keys::enrolment(scope, contact, campaign);
    let part = keys::audience(scope, campaign, Enrolment::part(contact));
    let exit = enrolment.exit.as_ref().map(|exit| IndexPlace {
        partition: keys::exits(scope, campaign, exit.because.code.as_str()),
        sort: contact.to_string(),
    });
    let condition = before.map_or(Condition::New, Condition::Version);
    let row = Row::new(&key, "enrolment", enrolment, condition, doing)?
        .in_list(part, contact.to_string())
        .in_state(exit)
        .due_elsewhere(DueOther::Steps, &key, enrolment.next_step_at());
    let row = row.version(before.unwrap_or_default() + 1);
    Ok(row.expires(enrolment.kept_from(), Enrolment::RETAINED))
}

/// A place after this row in a list that is sorted by its own key.
fn after_row(item: &Item, index: Index) -> Option<Item> {
    let key = key_of(item)?;
    let (partition, sort) = index.keys();
    let mut start = row::key_item(&key);
    for name in [partition, sort] {
        start.insert(name.to_owned(), item.get(name)?.clone());
    }
    Some(start)
}

impl Store {
    /// Starts a campaign: writes it with the operation that runs it, or neither. Returns its version.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] after a lost race for the campaign, or if it was started.
    pub async fn start_campaign(
        &self,
        scope: &TenantScope,
        before: &Versioned<Campaign>,
        after: &Campaign,
        operation: &Operation,
        stamp: &Stamp,
    ) -> Result<u64, OwnedError> {
        const DOING: &str = "start a campaign";
        let started = operation_row(scope, operation, Condition::New, 1, DOING)?.with_stamp(stamp);
        let mut writes = vec![Write::Put(started)];
        writes.extend(trigger_write(scope, after, DOING)?);
        self.change_with(scope, before, after, stamp, writes).await
    }

    /// Writes a campaign that its run moves to another state, which is no user's change. Returns its version.
    pub async fn move_campaign(&self, scope: &TenantScope, before: u64, after: &Campaign) -> Result<u64, StoreError> {
        const DOING: &str = "move a campaign";
        let row = owned::change_row(scope, before, after)?;
        // Contacts no longer enter one that has ended.
        match trigger_removal(scope, after).filter(|_| after.state == CampaignState::Cancelled) {
            Some(trigger) => {
                let writes = vec![Write::Put(row), trigger];
                self.database.transact_writes(writes, DOING).await?;
            }
            None => self.database.put(row, DOING).await?,
        }
        Ok(before + 1)
    }

    /// The conditions of an audience, as they are now; otherwise the reason why they cannot be known.
    pub async fn audience_conditions(
        &self,
        scope: &TenantScope,
        audience: &Audience,
    ) -> Result<Result<AudienceConditions, Refusal>, StoreError> {
        let deleted = |what: &'static str, id: String| {
            let sentence = format!("The {what} {id} was deleted. Create another campaign.");
            Refusal::new(Reason::SegmentUnusable, sentence).and(what, id)
        };
        let filter = async |id: &SegmentId| {
            let segment: Option<Versioned<Segment>> = self.get(scope, id).await?;
            let filter = segment.map(|segment| segment.value.filter);
            Ok::<_, StoreError>(filter.ok_or_else(|| deleted("segment", id.to_string())))
        };
        let chosen = match (audience.segment, audience.tag) {
            (Some(id), _) => filter(&id).await?,
            (None, Some(id)) => match self.get::<Tag>(scope, &id).await? {
                Some(_) => Ok(Conditions {
                    tag: Some(id),
                    ..Conditions::default()
                }),
                None => Err(deleted("tag", id.to_string())),
            },
            (None, None) => Err(Refusal::new(Reason::SegmentUnusable, "It has no audience.")),
        };
        let chosen = match chosen {
            Ok(chosen) => chosen,
            Err(why) => return Ok(Err(why)),
        };
        let mut excluded = Vec::new();
        for id in audience.excluded_segments.iter() {
            match filter(id).await? {
                Ok(conditions) => excluded.push(conditions),
                Err(why) => return Ok(Err(why)),
            }
        }
        Ok(Ok(AudienceConditions {
            segment: chosen,
            excluded,
        }))
    }

    /// A page of the contacts that match these conditions at this time, and the position behind it. A page may have few of them, or none.
    /// Otherwise the reason why the audience cannot be known any more.
    pub async fn chosen_people(
        &self,
        scope: &TenantScope,
        conditions: &AudienceConditions,
        audience: &Audience,
        at: Timestamp,
        after: Option<&str>,
        limit: i32,
    ) -> Result<Result<Page<Person>, Refusal>, StoreError> {
        let definitions = self.definitions(scope, conditions).await?;
        let Some(choice) = conditions.choice(audience, &definitions) else {
            let sentence = "A field of its segments has changed or was deleted. Create another campaign.";
            return Ok(Err(Refusal::new(Reason::SegmentUnusable, sentence)));
        };
        let mut page = self.searched_contacts(scope, &choice.search, after, limit).await?;
        page.items.retain(|person| choice.takes(person, at));
        Ok(Ok(page))
    }

    /// The contacts among these that match the conditions at this time.
    pub async fn chosen_among(
        &self,
        scope: &TenantScope,
        conditions: &AudienceConditions,
        audience: &Audience,
        at: Timestamp,
        contacts: &[ContactId],
    ) -> Result<HashMap<ContactId, Person>, StoreError> {
        if contacts.is_empty() {
            return Ok(HashMap::new());
        }
        let definitions = self.definitions(scope, conditions).await?;
        let Some(choice) = conditions.choice(audience, &definitions) else {
            return Ok(HashMap::new());
        };
        let mut people = self.people_by_id(scope, contacts).await?;
        people.retain(|_, person| choice.takes(person, at));
        Ok(people)
    }

    /// The fields that conditions may name.
    async fn definitions(
        &self,
        scope: &TenantScope,
        conditions: &AudienceConditions,
    ) -> Result<Vec<Field>, StoreError> {
        if conditions.names_field() {
            self.all(scope).await
        } else {
            Ok(Vec::new())
        }
    }

    /// Adds contacts to the audience of a campaign, with the version of its steps if it is a drip. Those who are in it stay as they are.
    pub async fn enrol(
        &self,
        scope: &TenantScope,
        campaign: CampaignId,
        steps: Option<u32>,
        contacts: &[ContactId],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "enrol a contact";
        let enrol = async |contact: &ContactId| {
            let enrolment = Enrolment::new(campaign, steps, *contact, at);
            let row = enrolment_row(scope, &enrolment, None, DOING)?;
            self.database.try_put(row, DOING).await.map(drop)
        };
        let enrolled = stream::iter(contacts.iter().map(enrol)).buffer_unordered(AT_ONCE);
        enrolled.try_collect().await
    }

    /// A page of the contacts in a part of the audience of a campaign, by id, and the position behind it.
    pub async fn audience(
        &self,
        scope: &TenantScope,
        campaign: CampaignId,
        from: InAudience,
        limit: i32,
    ) -> Result<(Vec<ContactId>, Option<InAudience>), StoreError> {
        const DOING: &str = "read the audience of a campaign";
        let partition = keys::audience(scope, campaign, from.part);
        let start = from.after.map(|contact| Listed {
            key: keys::enrolment(scope, contact, campaign),
            partition: partition.clone(),
            sort: contact.to_string(),
        });
        let (rows, more) = self.database.list(&partition, start, limit, DOING).await?;
        let contacts = rows.iter().filter_map(|row| string(row, "gsi1sk")?.parse().ok());
        let contacts: Vec<ContactId> = contacts.collect();
        let next = from.behind(contacts.last().copied().filter(|_| more));
        Ok((contacts, next))
    }

    /// A page of a campaign's enrolments, through all parts of its audience, and the position behind it. Fewer than `limit` only at the
    /// end.
    pub(crate) async fn audience_page(
        &self,
        scope: &TenantScope,
        campaign: CampaignId,
        from: InAudience,
        limit: i32,
    ) -> Result<(Vec<ContactId>, Option<InAudience>), StoreError> {
        let (mut contacts, mut next) = (Vec::new(), Some(from));
        while let Some(from) = next {
            let left = limit - i32::try_from(contacts.len()).unwrap_or(limit);
            if left <= 0 {
                break;
            }
            let (page, behind) = self.audience(scope, campaign, from, left).await?;
            contacts.extend(page);
            next = behind;
        }
        Ok((contacts, next))
    }

    /// A page of a campaign's audience, with the result for each contact, and the position behind it. Fewer than `limit` only at the end of
    /// the audience.
    pub async fn recipients(
        &self,
        scope: &TenantScope,
        campaign: &Campaign,
        from: InAudience,
        limit: i32,
        now: Timestamp,
    ) -> Result<(Vec<Recipient>, Option<InAudience>), StoreError> {
        const DOING: &str = "read the recipients of a campaign";
        let all_made = matches!(campaign.state, CampaignState::Finishing | CampaignState::Completed);
        let (contacts, next) = self.audience_page(scope, campaign.id, from, limit).await?;
        let rows = |contact: &ContactId| {
            [
                keys::message(scope, campaign.cause(*contact).message_id()),
                keys::enrolment(scope, *contact, campaign.id),
                keys::contact(scope, *contact),
            ]
        };
        let all: Vec<_> = contacts.iter().flat_map(rows).collect();
        let mut found = self.database.get_many(&all, DOING).await?;
        let mut recipients = Vec::with_capacity(contacts.len());
        for contact in contacts {
            let [message, enrolment, person] = rows(&contact).map(|key| found.remove(&key));
            let message = message.and_then(|item| row::unexpired_item(item, now));
            // One that cannot be read does not hide the others.
            let message = message.and_then(|item| compact::message(item, DOING).ok());
            let enrolment: Option<Enrolment> = row::data_if_any(enrolment, DOING)?;
            let merged = person.as_ref().map(|item| merged_into(item, DOING)).transpose()?;
            let person = person.filter(|_| merged.flatten().is_none());
            let person = person.map(|item| compact::contact(item, DOING)).transpose()?;
            recipients.push(Recipient {
                contact,
                message,
                exit: enrolment.and_then(|enrolment| enrolment.exit),
                wrote_at: person.as_ref().and_then(|person| person.last_written_at),
                refused_at: person.and_then(|person| person.consent.last_refused_at()),
                all_made,
            });
        }
        Ok((recipients, next))
    }

    /// Number of contacts in the audience of a campaign, as far as the index has them: a request for each part, and for each megabyte.
    pub async fn audience_size(&self, scope: &TenantScope, campaign: CampaignId) -> Result<u64, StoreError> {
        const DOING: &str = "count the audience of a campaign";
        let mut size = 0;
        for part in 0..Enrolment::PARTS {
            let partition = keys::audience(scope, campaign, part);
            size += self.database.number_of(Index::ByDay, &partition, DOING).await?;
        }
        Ok(size)
    }

    /// The enrolments of these contacts, as far as they exist.
    pub async fn enrolments(
        &self,
        scope: &TenantScope,
        campaign: CampaignId,
        contacts: &[ContactId],
    ) -> Result<HashMap<ContactId, Enrolment>, StoreError> {
        const DOING: &str = "read enrolments";
        let keys = contacts
            .iter()
            .map(|contact| keys::enrolment(scope, *contact, campaign));
        let found = self.database.get_many(&keys.collect::<Vec<_>>(), DOING).await?;
        let read = |item| row::data(item, DOING).map(|enrolment: Enrolment| (enrolment.contact, enrolment));
        found.into_values().map(read).collect()
    }

    /// Records why a contact in the audience of a campaign gets no message, unless that is known, or the contact was erased.
    pub async fn exit(&self, scope: &TenantScope, enrolment: Enrolment, exit: Exit) -> Result<(), StoreError> {
        const DOING: &str = "record an exit from a campaign";
        let left = Enrolment {
            exit: Some(exit),
            ..enrolment
        };
        let row = enrolment_row(scope, &left, Some(1), DOING)?;
        self.database.try_put(row, DOING).await.map(drop)
    }

    /// A page of the messages that wait because their campaign is paused, and the cursor of the next page.
    pub async fn held_messages(
        &self,
        scope: &TenantScope,
        campaign: CampaignId,
        after: Option<HeldAfter>,
        limit: i32,
        now: Timestamp,
    ) -> Result<(Vec<Message>, Option<HeldAfter>), StoreError> {
        let (messages, next) = self
            .waiting(&keys::held_messages(scope, campaign), after, limit, now)
            .await?;
        Ok((messages.into_iter().filter(Message::is_held).collect(), next))
    }

    /// The messages of drips that wait because a cap was reached after they were made, at most this many.
    pub async fn waiting_for_caps(
        &self,
        scope: &TenantScope,
        most: i32,
        now: Timestamp,
    ) -> Result<Vec<Message>, StoreError> {
        let (messages, _) = self.waiting(&keys::waits_for_caps(scope), None, most, now).await?;
        Ok(messages.into_iter().filter(Message::waits_for_cap).collect())
    }

    /// A page of a list of waiting messages, and the cursor of the next page. A message that cannot be read does not hold up the others:
    /// sending it reports the error.
    async fn waiting(
        &self,
        partition: &str,
        after: Option<HeldAfter>,
        limit: i32,
        now: Timestamp,
    ) -> Result<(Vec<Message>, Option<HeldAfter>), StoreError> {
        const DOING: &str = "read messages that wait";
        let rows = Rows::Beginning("").of(partition);
        let start = after.map(|HeldAfter(start)| start);
        let page = self.database.stretch(Index::ByState, rows, start, limit, false, DOING);
        let (rows, more) = page.await?;
        let last = rows.last().filter(|_| more);
        let next = last.and_then(|row| after_row(row, Index::ByState)).map(HeldAfter);
        let keys: Vec<_> = rows.iter().filter_map(key_of).collect();
        let found = self.database.get_many(&keys, DOING).await?;
        let kept = found.into_values().filter_map(|item| row::unexpired_item(item, now));
        let read = kept.filter_map(|item| compact::message(item, DOING).ok());
        Ok((read.collect(), next))
    }
}

/// Cursor of a page of [`Store::held_messages`].
#[derive(Debug, Clone)]
pub struct HeldAfter(Item);
