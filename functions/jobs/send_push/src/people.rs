//! The people to notify: those with a device whom something concerns and who may know of it.

use domain::Timestamp;
use domain::terms::{Actor, UserId};
use store::{StoreError, TenantScope};

use crate::Context;
use crate::subject::Subject;

#[derive(Default)]
pub(crate) struct People {
    /// People without an open page.
    pub(crate) away: Vec<UserId>,
    /// People who see a page.
    pub(crate) seeing: Vec<UserId>,
}

impl People {
    /// Keeps some of them.
    pub(crate) fn retain(&mut self, keep: impl Fn(&UserId) -> bool) {
        self.away.retain(&keep);
        self.seeing.retain(&keep);
    }
}

/// The members with a device whom it concerns.
pub(crate) async fn members_to_notify(
    ctx: &Context,
    scope: &TenantScope,
    subject: &Subject,
    now: Timestamp,
) -> Result<People, StoreError> {
    let store = &ctx.store;
    let mut people = store.reachable(scope, now).await?;
    subject.keep_concerned(ctx, scope, &mut people).await?;
    if people.is_empty() {
        return Ok(People::default());
    }
    let (members, sockets) = futures::try_join!(store.members_named(scope, &people), store.sockets(scope, now))?;
    let may = members.into_iter().filter(|member| subject.is_shown_to(member));
    let (seeing, away) = may.map(|member| member.user).partition(|user| {
        let mut own = sockets.iter().filter(|socket| socket.value.who == Actor::User(*user));
        own.any(|socket| socket.value.is_seen(now))
    });
    Ok(People { away, seeing })
}
