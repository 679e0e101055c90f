//! What people are told of, as it is now.

use domain::{
    Timestamp,
    accounts::{account::Member, permission::Permission},
    base::ids::{ContactId, ContactItemId as _, TenantId, UserId},
    contacts::note::Note,
    inbox::{
        conversation::{Conversation, What},
        team::Team,
    },
    live::push::{About, Notification},
};
use store::{StoreError, TenantScope};

use crate::Context;

/// What people are told of.
pub(crate) enum Subject {
    /// The customer's latest message, which nobody has read or answered, and its number.
    Message(Box<Conversation>, u64),
    /// A note, and those whom it mentions since lately.
    Mention(Note, Vec<UserId>),
}

impl Subject {
    /// Reads it. `None`: nobody is to be told of it any more.
    pub(crate) async fn of(ctx: &Context, scope: &TenantScope, about: &About) -> Result<Option<Self>, StoreError> {
        let store = &ctx.store;
        match about {
            About::Message { conversation, seq } => {
                let known = store.conversation(scope, *conversation).await?;
                let open = known.map(|known| known.value).filter(|known| is_open(known, *seq));
                Ok(open.map(|conversation| Self::Message(Box::new(conversation), *seq)))
            }
            About::Mention { note, mentioned } => {
                let found = store.of_contact::<Note>(scope, note.contact(), note.place()).await?;
                Ok(found.map(|found| {
                    let mut mentioned = mentioned.clone();
                    mentioned.retain(|user| found.value.mentions.contains(user));
                    Self::Mention(found.value, mentioned)
                }))
            }
        }
    }

    /// Keeps those of these people who attend to it, or could.
    pub(crate) async fn keep_concerned(
        &self,
        ctx: &Context,
        scope: &TenantScope,
        people: &mut Vec<UserId>,
    ) -> Result<(), StoreError> {
        match self {
            Self::Message(conversation, _) => keep_attending(ctx, scope, conversation, people).await?,
            Self::Mention(_, mentioned) => people.retain(|user| mentioned.contains(user)),
        }
        Ok(())
    }

    /// Whether this member may know of it.
    pub(crate) fn is_shown_to(&self, member: &Member) -> bool {
        match self {
            Self::Message(..) => member.may(Permission::ConversationsRead),
            Self::Mention(..) => member.may(Permission::ContactsRead),
        }
    }

    /// The person who attends to its conversation.
    pub(crate) const fn assignee(&self) -> Option<UserId> {
        match self {
            Self::Message(conversation, _) => conversation.assignee,
            Self::Mention(..) => None,
        }
    }

    /// Its contact.
    pub(crate) const fn contact(&self) -> ContactId {
        match self {
            Self::Message(conversation, _) => conversation.contact,
            Self::Mention(note, _) => note.id.contact(),
        }
    }

    /// Its text, if it has one.
    pub(crate) async fn text(
        &self,
        ctx: &Context,
        scope: &TenantScope,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        match self {
            Self::Message(conversation, seq) => match conversation.last.map(|last| last.what) {
                Some(What::Inbound(message, _)) if conversation.seq == *seq => {
                    let received = ctx.store.received(scope, message, now).await?;
                    Ok(received.and_then(|received| received.message.text))
                }
                // Something else happened after it.
                _ => Ok(None),
            },
            Self::Mention(note, _) => Ok(Some(note.text.clone().into())),
        }
    }

    /// The notification of it, with the name of its contact and its text.
    pub(crate) fn notification(&self, tenant: TenantId, name: Option<&str>, text: Option<&str>) -> Notification {
        match self {
            Self::Message(conversation, _) => Notification::of_message(tenant, conversation.id(), name, text),
            Self::Mention(note, _) => Notification::of_mention(tenant, note.id, name, text),
        }
    }
}

/// Whether the message is the customer's latest, and nobody has read or answered it.
fn is_open(conversation: &Conversation, seq: u64) -> bool {
    conversation.read_seq < seq && conversation.wrote.is_some_and(|wrote| wrote.seq == seq)
}

/// Keeps the one who attends to the conversation, or the members of its team, or all.
async fn keep_attending(
    ctx: &Context,
    scope: &TenantScope,
    conversation: &Conversation,
    people: &mut Vec<UserId>,
) -> Result<(), StoreError> {
    if let Some(assignee) = conversation.assignee {
        people.retain(|user| *user == assignee);
    } else if let Some(team) = conversation.team {
        // That of a team which was deleted is everybody's.
        if let Some(team) = ctx.store.get::<Team>(scope, &team).await? {
            people.retain(|user| team.value.members.contains(user));
        }
    }
    Ok(())
}
