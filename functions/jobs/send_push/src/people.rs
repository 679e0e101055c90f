//! The people to notify of a message: those who attend to the conversation, or all who could.

use domain::{
    Timestamp,
    accounts::permission::Permission,
    base::{actor::Actor, ids::UserId},
    inbox::{conversation::Conversation, team::Team},
};
use store::{StoreError, TenantScope};

use crate::Context;

/// People to notify.
#[derive(Default)]
pub(crate) struct People {
    /// Those who see no page.
    pub(crate) away: Vec<UserId>,
    /// Those who do.
    pub(crate) seeing: Vec<UserId>,
}

impl People {
    /// Keeps some of them.
    pub(crate) fn retain(&mut self, keep: impl Fn(&UserId) -> bool) {
        self.away.retain(&keep);
        self.seeing.retain(&keep);
    }
}

/// The members with a device who may read the conversation and attend to it, or could.
pub(crate) async fn wanted(
    ctx: &Context,
    scope: &TenantScope,
    conversation: &Conversation,
    now: Timestamp,
) -> Result<People, StoreError> {
    let store = &ctx.store;
    let mut people = store.reachable(scope, now).await?;
    if let Some(assignee) = conversation.assignee {
        people.retain(|user| *user == assignee);
    } else if let Some(team) = conversation.team {
        // That of a team which was deleted is everybody's.
        if let Some(team) = store.get::<Team>(scope, &team).await? {
            people.retain(|user| team.value.members.contains(user));
        }
    }
    if people.is_empty() {
        return Ok(People::default());
    }
    let (members, sockets) = futures::try_join!(store.members_named(scope, &people), store.sockets(scope, now))?;
    let may = members
        .into_iter()
        .filter(|member| member.may(Permission::ConversationsRead));
    let (seeing, away) = may.map(|member| member.user).partition(|user| {
        let mut own = sockets.iter().filter(|socket| socket.value.who == Actor::User(*user));
        own.any(|socket| socket.value.is_seen(now))
    });
    Ok(People { away, seeing })
}
