//! Who attends to conversations: each that waits goes to a member of a team, by the team's mode, by turns or by who has the fewest.

use std::collections::BTreeMap;

use domain::inbox::{Conversation, Happening};
use domain::people::Contact;
use domain::tenants::{Candidate, Desk, Team, TenantConfig};
use domain::terms::{ConversationId, UserId};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use store::inbox::{InboxList, conversation_with};
use store::{Store, StoreError, TenantScope, Versioned};

/// Members of a team whose conversations are counted together for the next one.
const COUNTED_AT_ONCE: usize = 20;

/// Maximum concurrent queries for counting conversations.
const AT_ONCE: usize = 10;

/// Attempts to take a turn while other conversations take the same one. After them, two conversations share it.
const ATTEMPTS: usize = 4;

/// Time until the lists of conversations show a write.
const SEEN_AFTER: SignedDuration = SignedDuration::from_mins(1);

/// Facts for assigning a conversation.
#[derive(Debug, Clone, Copy)]
pub struct Assigning<'a> {
    pub config: &'a TenantConfig,
    pub contact: &'a Contact,
    pub now: Timestamp,
}

/// Adds a new happening to a conversation, and an assignee if it needs one, to be written over the version that was read. Without teams
/// and without an assignee, no request.
pub async fn note_for_team(
    store: &Store,
    scope: &TenantScope,
    known: Option<Versioned<Conversation>>,
    id: ConversationId,
    happening: Happening,
    assigning: Assigning<'_>,
) -> Result<Versioned<Conversation>, StoreError> {
    let at = happening.at;
    change_for_team(store, scope, known, at, assigning, |known, tell_after| {
        conversation_with(known, id, happening, tell_after)
    })
    .await
}

/// A conversation that another responder has passed to us at this time, as [`note_for_team`] says of a happening.
pub async fn pass_to_team(
    store: &Store,
    scope: &TenantScope,
    known: Option<Versioned<Conversation>>,
    id: ConversationId,
    at: Timestamp,
    assigning: Assigning<'_>,
) -> Result<Versioned<Conversation>, StoreError> {
    change_for_team(store, scope, known, at, assigning, |known, tell_after| {
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
async fn change_for_team(
    store: &Store,
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
        let_leaver_go(store, scope, conversation, now).await?;
    }
    assign_by_teams(store, scope, conversation, &config.teams, contact, now).await?;
    Ok(after)
}

/// Assigns a conversation with a waiting customer to somebody, by the teams. Without teams and with an assignee, no request.
pub async fn assign_by_teams(
    store: &Store,
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
            store.profile(scope, contact.id).await?.tags.into_iter().collect()
        } else {
            Vec::new()
        };
        team = Team::of(teams, contact.language.as_deref(), conversation.line, &tags);
        conversation.team = team.map(|team| team.id);
    }
    assign_to_team(store, scope, conversation, team, now).await
}

/// Removes the assignee of a conversation if that user has left the tenant.
async fn let_leaver_go(
    store: &Store,
    scope: &TenantScope,
    conversation: &mut Conversation,
    now: Timestamp,
) -> Result<(), StoreError> {
    if let Some(user) = conversation.assignee
        && store.desk(scope, user, now).await?.value.left
    {
        conversation.assignee = None;
    }
    Ok(())
}

/// Assigns a conversation to a member of its team, by the mode of the team, if it has no assignee or one who has left the tenant.
///
/// A row for whoever attends to it, or a query and a write unit for the turn; if the team counts, two further queries for each of twenty members, and for further ones if
/// none of them can take it.
pub async fn assign_to_team(
    store: &Store,
    scope: &TenantScope,
    conversation: &mut Conversation,
    team: Option<&Team>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let_leaver_go(store, scope, conversation, now).await?;
    let Some(team) = team.filter(|team| team.gives() && conversation.assignee.is_none()) else {
        return Ok(());
    };
    let mut desks = store.desks(scope).await?;
    for _attempt in 0..ATTEMPTS {
        let Some(user) = choose_member(store, scope, team, &desks).await? else {
            return Ok(());
        };
        let mut desk = desks.remove(&user).unwrap_or_else(|| Versioned {
            value: Desk::new(user, now),
            version: 0,
        });
        desk.value.turn_at = Some(now);
        match store.write_desk(scope, &desk, None).await {
            Ok(()) => {
                conversation.assignee = Some(user);
                return Ok(());
            }
            Err(lost) if lost.is_conflict() => desks = store.desks(scope).await?,
            Err(error) => return Err(error),
        }
    }
    // Others are faster: two conversations share a turn.
    conversation.assignee = choose_member(store, scope, team, &desks).await?;
    Ok(())
}

/// The available member who gets the next conversation. If the team counts, those whose turn is longest ago are counted first, and
/// further ones only if none of them can take it.
async fn choose_member(
    store: &Store,
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
            let count = |list| store.number_of_conversations(scope, list);
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
