//! Who attends to conversations: people's places in the inbox, their turns, and the conversations that are handed over.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    inbox::{Conversation, Happening},
    people::Contact,
    tenants::{Candidate, Desk, Team, TenantConfig},
    terms::{ConversationId, Stamp, UserId},
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};

use crate::{
    Part, Store, StoreError, TenantScope, Versioned,
    inbox::{InboxList, InboxPosition, conversation_with},
    table::{
        keys::{self, DueOther, Key},
        row::{self, Condition, Row},
    },
};

/// Members of a team whose conversations are counted together for the next one.
const COUNTED_AT_ONCE: usize = 20;

/// Maximum concurrent queries for counting conversations.
const AT_ONCE: usize = 10;

/// Attempts to take a turn while other conversations take the same one. After them, two conversations share it.
const ATTEMPTS: usize = 4;

/// The row of a person's place, over the version that was read; 0 if there was none.
pub(crate) fn desk_row(scope: &TenantScope, desk: &Versioned<Desk>, doing: &'static str) -> Result<Row, StoreError> {
    let Versioned { value, version } = desk;
    let key = keys::desk(scope, value.user);
    let condition = match version {
        0 => Condition::New,
        known => Condition::Version(*known),
    };
    let row = Row::new(&key, "desk", value, condition, doing)?;
    Ok(row
        .version(version + 1)
        .due_elsewhere(DueOther::Inbox, &key, value.hand_over_at))
}

/// Time until the lists of conversations show a write.
const SEEN_AFTER: SignedDuration = SignedDuration::from_mins(1);

/// Facts for assigning a conversation.
#[derive(Debug, Clone, Copy)]
pub struct Assigning<'a> {
    pub config: &'a TenantConfig,
    pub contact: &'a Contact,
    pub now: Timestamp,
}

impl Store {
    /// The places of people in the inbox. Those who are not among them are available. One query.
    pub async fn desks(&self, scope: &TenantScope) -> Result<BTreeMap<UserId, Versioned<Desk>>, StoreError> {
        const DOING: &str = "read who is available";
        let items = self.every(scope, Part::Desks, keys::DESK_OF_USER, DOING).await?;
        let desks = items.into_iter().map(|item| {
            let desk: Option<Versioned<Desk>> = row::read_versioned(Some(item), None, DOING)?;
            Ok(desk.map(|desk| (desk.value.user, desk)))
        });
        desks.filter_map(Result::transpose).collect()
    }

    /// A person's place in the inbox.
    pub async fn desk(&self, scope: &TenantScope, user: UserId, now: Timestamp) -> Result<Versioned<Desk>, StoreError> {
        const DOING: &str = "read whether a person is available";
        let item = self.database.get(&keys::desk(scope, user), DOING).await?;
        let known = row::read_versioned(item, None, DOING)?;
        Ok(known.unwrap_or_else(|| Versioned {
            value: Desk::new(user, now),
            version: 0,
        }))
    }

    /// Writes a person's place over the version that was read, for the audit log with the author of the change if it is a person's.
    ///
    /// # Errors
    /// A conflict after a lost race.
    pub async fn write_desk(
        &self,
        scope: &TenantScope,
        desk: &Versioned<Desk>,
        author: Option<&Stamp>,
    ) -> Result<(), StoreError> {
        const DOING: &str = "write whether a person is available";
        let row = desk_row(scope, desk, DOING)?;
        let row = match author {
            Some(author) => row.with_stamp(author),
            None => row,
        };
        self.database.put(row, DOING).await
    }

    /// Adds a new happening to a conversation, and an assignee if it needs one, to be written over the version that was read. Without teams
    /// and without an assignee, no request.
    pub async fn noted_for_team(
        &self,
        scope: &TenantScope,
        known: Option<Versioned<Conversation>>,
        id: ConversationId,
        happening: Happening,
        assigning: Assigning<'_>,
    ) -> Result<Versioned<Conversation>, StoreError> {
        let at = happening.at;
        self.changed_for_team(scope, known, at, assigning, |known, tell_after| {
            conversation_with(known, id, happening, tell_after)
        })
        .await
    }

    /// A conversation that another responder has passed to us at this time, as [`Self::noted_for_team`] says of a happening.
    pub async fn passed_to_team(
        &self,
        scope: &TenantScope,
        known: Option<Versioned<Conversation>>,
        id: ConversationId,
        at: Timestamp,
        assigning: Assigning<'_>,
    ) -> Result<Versioned<Conversation>, StoreError> {
        self.changed_for_team(scope, known, at, assigning, |known, tell_after| {
            let mut after = known.unwrap_or_else(|| Versioned {
                value: Conversation::empty(id, at),
                version: 0,
            });
            after.value.passed_on(at, tell_after);
            after
        })
        .await
    }

    /// Changes a conversation because of something that happened at this time, and assigns somebody to it if needed.
    async fn changed_for_team(
        &self,
        scope: &TenantScope,
        known: Option<Versioned<Conversation>>,
        at: Timestamp,
        Assigning { config, contact, now }: Assigning<'_>,
        change: impl FnOnce(Option<Versioned<Conversation>>, Option<SignedDuration>) -> Versioned<Conversation>,
    ) -> Result<Versioned<Conversation>, StoreError> {
        let reopened = known.as_ref().is_some_and(|known| !known.value.is_attended());
        // Of a message that becomes known late, people are told as soon as a mail can count it: indexes follow the table.
        let known_after = now.duration_since(at) + SEEN_AFTER;
        let tell_after = config.tenant.inbox.unwrap_or_default().notify_after();
        let tell_after = tell_after.map(|after| after.max(known_after));
        let mut after = change(known, tell_after);
        let conversation = &mut after.value;
        // Nothing begins by what the business's own phone sends, so it may have answered before the conversation began.
        if after.version == 0
            && let Some(by_phone) = contact.last_by_phone_at
        {
            conversation.talked_by_phone(by_phone, tell_after);
        }
        if contact.stays_deleted(at) {
            // The message or call is older than the deletion, and became known after it. Nobody attends to a hidden conversation.
            conversation.hide();
            return Ok(after);
        }
        if reopened {
            self.let_go(scope, conversation, now).await?;
        }
        self.give(scope, conversation, &config.teams, contact, now).await?;
        Ok(after)
    }

    /// Assigns a conversation with a waiting customer to somebody, by the teams. Without teams and with an assignee, no request.
    pub async fn give(
        &self,
        scope: &TenantScope,
        conversation: &mut Conversation,
        teams: &[Team],
        contact: &Contact,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if conversation.assignee.is_some() || teams.is_empty() || !conversation.wants_a_person() {
            return Ok(());
        }
        let mut team = conversation.team_of(teams);
        if team.is_none() {
            let tags: Vec<_> = if teams.iter().any(|team| !team.tags.is_empty()) {
                self.profile(scope, contact.id).await?.tags.into_iter().collect()
            } else {
                Vec::new()
            };
            team = Team::of(teams, contact.language.as_deref(), conversation.line, &tags);
            conversation.team = team.map(|team| team.id);
        }
        self.assign(scope, conversation, team, now).await
    }

    /// Removes the assignee of a conversation if that user has left the tenant.
    async fn let_go(
        &self,
        scope: &TenantScope,
        conversation: &mut Conversation,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if let Some(user) = conversation.assignee
            && self.desk(scope, user, now).await?.value.left
        {
            conversation.assignee = None;
        }
        Ok(())
    }

    /// Removes the assignees who have left the tenant from conversations. One request, and none if they have no assignees.
    pub(crate) async fn let_all_go(
        &self,
        scope: &TenantScope,
        conversations: &mut [Versioned<Conversation>],
        doing: &'static str,
    ) -> Result<(), StoreError> {
        let users = conversations.iter().filter_map(|one| one.value.assignee);
        let keys: Vec<Key> = users.map(|user| keys::desk(scope, user)).collect();
        let mut left = BTreeSet::new();
        for item in self.database.get_many(&keys, doing).await?.into_values() {
            let desk: Option<Desk> = row::data_if_any(Some(item), doing)?;
            left.extend(desk.filter(|desk| desk.left).map(|desk| desk.user));
        }
        for one in conversations {
            one.value.assignee.take_if(|user| left.contains(user));
        }
        Ok(())
    }

    /// Assigns a conversation to a member of its team, by the mode of the team, if it has no assignee or one who has left the tenant.
    ///
    /// A row for whoever attends to it, or a query and a write unit for the turn; if the team counts, two further queries for each of twenty members, and for further ones if
    /// none of them can take it.
    pub async fn assign(
        &self,
        scope: &TenantScope,
        conversation: &mut Conversation,
        team: Option<&Team>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.let_go(scope, conversation, now).await?;
        let Some(team) = team.filter(|team| team.gives() && conversation.assignee.is_none()) else {
            return Ok(());
        };
        let mut desks = self.desks(scope).await?;
        for _attempt in 0..ATTEMPTS {
            let Some(user) = self.next_of(scope, team, &desks).await? else {
                return Ok(());
            };
            let mut desk = desks.remove(&user).unwrap_or_else(|| Versioned {
                value: Desk::new(user, now),
                version: 0,
            });
            desk.value.turn_at = Some(now);
            match self.write_desk(scope, &desk, None).await {
                Ok(()) => {
                    conversation.assignee = Some(user);
                    return Ok(());
                }
                Err(lost) if lost.is_conflict() => desks = self.desks(scope).await?,
                Err(error) => return Err(error),
            }
        }
        // Others are faster: two conversations share a turn.
        conversation.assignee = self.next_of(scope, team, &desks).await?;
        Ok(())
    }

    /// The available member who gets the next conversation. If the team counts, those whose turn is longest ago are counted first, and
    /// further ones only if none of them can take it.
    async fn next_of(
        &self,
        scope: &TenantScope,
        team: &Team,
        desks: &BTreeMap<UserId, Versioned<Desk>>,
    ) -> Result<Option<UserId>, StoreError> {
        let members = team.members.iter().filter_map(|user| {
            let desk = desks.get(user).map(|desk| &desk.value);
            desk.is_none_or(Desk::takes).then(|| Candidate {
                user: *user,
                turn_at: desk.and_then(|desk| desk.turn_at),
                open: 0,
            })
        });
        let mut members: Vec<Candidate> = members.collect();
        if !team.counts() {
            return Ok(team.next(members));
        }
        members.sort_by_key(|member| (member.turn_at, member.user));
        for some in members.chunks(COUNTED_AT_ONCE) {
            let counted = some.iter().copied().map(|member| async move {
                let count = |list| self.number_of_conversations(scope, list);
                let (waiting, answered) = tokio::try_join!(
                    count(InboxList::Waiting(Some(member.user))),
                    count(InboxList::Answered(member.user))
                )?;
                let open = waiting + answered;
                Ok::<_, StoreError>(Candidate { open, ..member })
            });
            let counted: Vec<Candidate> = stream::iter(counted).buffer_unordered(AT_ONCE).try_collect().await?;
            if let Some(user) = team.next(counted) {
                return Ok(Some(user));
            }
        }
        Ok(None)
    }

    /// At most this many conversations of a list, as the index knows it: the first ones in it.
    pub async fn ids_of_conversations(
        &self,
        scope: &TenantScope,
        list: InboxList,
        limit: i32,
    ) -> Result<Vec<ConversationId>, StoreError> {
        let places = self
            .places(scope, list, limit, "list conversations to hand over")
            .await?;
        Ok(places.into_iter().map(InboxPosition::id).collect())
    }
}
