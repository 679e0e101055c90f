//! Planning: what is read before a message is composed, and what is written with it. The same for every cause of messages.

use domain::messages::{Composed, Material, Message, Needs, NewLinks};
use domain::people::{Contact, LinkOrigin};
use domain::terms::{MessageId, Timers};
use jiff::Timestamp;
use store::consent::LinkWrite;
use store::messages::{NewLink, TrackedWrite};
use store::{Along, Store, StoreError, TenantScope};

use kit::{Pages, chain};

/// Reads what composing a message needs, and plans the message.
#[derive(Clone)]
pub struct Planner {
    store: Store,
    pages: Pages,
    timers: Timers,
}

/// The rows that composing a message reads.
#[derive(Debug, Clone, Default)]
pub struct Gathered {
    /// Templates, products, fields of contacts, and links.
    pub material: Material,
    /// Other messages to the recipient.
    pub open: Vec<Message>,
}

/// A new message, and what is written with it.
#[derive(Debug, Clone)]
pub struct Planned {
    pub message: Message,
    /// Messages that were cancelled to make room for it.
    pub ended: Vec<Message>,
    /// The links that it carries.
    pub links: Vec<NewLink>,
}

impl Planner {
    /// A planner of messages whose links lead to these pages.
    pub const fn new(store: Store, pages: Pages, timers: Timers) -> Self {
        Self { store, pages, timers }
    }

    pub(crate) const fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) const fn pages(&self) -> &Pages {
        &self.pages
    }

    /// Reads what a message needs and was not read along with other rows. `random`: bytes for its links, if it needs some.
    pub async fn gather(
        &self,
        scope: &TenantScope,
        needs: &Needs,
        random: Option<[u8; 32]>,
        along: &Along,
        now: Timestamp,
    ) -> Result<Gathered, StoreError> {
        let (mut material, open) = tokio::try_join!(
            Box::pin(self.store.material(scope, needs, along)),
            Box::pin(self.readable(scope, &needs.open, now))
        )?;
        material.links = self.links(needs, random);
        Ok(Gathered { material, open })
    }

    /// Reads what a message to one of several recipients needs, beyond the material that was read for all of them.
    pub async fn gather_with(
        &self,
        scope: &TenantScope,
        needs: &Needs,
        mut material: Material,
        random: Option<[u8; 32]>,
        now: Timestamp,
    ) -> Result<Gathered, StoreError> {
        material.links = self.links(needs, random);
        let open = self.readable(scope, &needs.open, now).await?;
        Ok(Gathered { material, open })
    }

    fn links(&self, needs: &Needs, random: Option<[u8; 32]>) -> NewLinks {
        random.map_or(NewLinks::NONE, |random| self.pages.new_links(needs, random))
    }

    /// The messages among these that can be read. A message that a newer version wrote before a rollback, or with a broken row, must not
    /// keep further messages from being planned: it is left as it is, and not sent until it can be read.
    pub async fn readable(
        &self,
        scope: &TenantScope,
        ids: &[MessageId],
        now: Timestamp,
    ) -> Result<Vec<Message>, StoreError> {
        let mut messages = Vec::new();
        for (id, found) in ids.iter().zip(self.store.each_message(scope, ids, now).await?) {
            match found {
                Ok(found) => messages.extend(found),
                Err(error) => tracing::error!(%id, error = chain(&error), "an open message cannot be read"),
            }
        }
        Ok(messages)
    }

    /// Plans the message and notes it in the contact. To be written in one transaction with the contact.
    pub async fn plan(
        &self,
        scope: &TenantScope,
        composed: Composed,
        contact: &mut Contact,
        gathered: Gathered,
        correlation_id: String,
        now: Timestamp,
    ) -> Result<Planned, StoreError> {
        let Gathered { material, mut open } = gathered;
        let message = composed.message(correlation_id, now, &self.timers);
        if open.is_empty() {
            open = self.readable(scope, &contact.to_make_room(), now).await?;
        }
        let ended = contact.opens(&message, open);
        let NewLinks {
            preferences, tracked, ..
        } = material.links;
        let preferences = preferences.map(|code| {
            NewLink::Preferences(LinkWrite {
                code,
                contact: message.id.contact(),
                origin: LinkOrigin::Message(message.id),
            })
        });
        // Of a channel that is left out, nobody has the link, and the erasure of the contact would not find it.
        let tracked = tracked.filter(|tracked| message.link_codes().contains(&tracked.code));
        let tracked = tracked.map(|tracked| {
            NewLink::Tracked(TrackedWrite {
                targets: tracked.targets.urls(),
                code: tracked.code,
                message: message.id,
                keep_until: message.keep_until,
            })
        });
        let links = preferences.into_iter().chain(tracked).collect();
        Ok(Planned { message, ended, links })
    }
}
