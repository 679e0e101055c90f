//! Subjects of notifications, read as they are now.

use domain::Timestamp;
use domain::accounts::{Member, MemberStatus, Permission, Role};
use domain::calls::Call;
use domain::inbox::{Conversation, What};
use domain::live::{About, Notification};
use domain::notices::{Matter, Notice};
use domain::people::Note;
use domain::tenants::{Rule, Team};
use domain::terms::{ContactId, TenantId, UserId};
use store::{StoreError, TenantScope};

use crate::Context;

/// The subject of a notification.
pub(crate) enum Subject {
    /// The customer's latest message, which nobody has read or answered, and its number.
    Message(Box<Conversation>, u64),
    /// A note, and those whom it mentions since lately.
    Mention(Note, Vec<UserId>),
    /// A call, and the conversation with its customer, if there is one.
    Call(Box<Call>, Option<Box<Conversation>>),
    /// A matter for managers and admins.
    Notice(Box<Notice>),
}

impl Subject {
    /// Reads it. `None`: nobody is to be told of it any more.
    pub(crate) async fn of(
        ctx: &Context,
        scope: &TenantScope,
        about: &About,
        now: Timestamp,
    ) -> Result<Option<Self>, StoreError> {
        let store = &ctx.store;
        match about {
            About::Message { conversation, seq } => {
                let known = store.conversation(scope, *conversation).await?;
                let open = known.map(|known| known.value).filter(|known| is_open(known, *seq));
                Ok(open.map(|conversation| Self::Message(Box::new(conversation), *seq)))
            }
            About::Mention { note, mentioned } => {
                let found = store.of_contact::<Note>(scope, note.contact(), *note).await?;
                Ok(found.map(|found| {
                    let mut mentioned = mentioned.clone();
                    mentioned.retain(|user| found.value.mentions.contains(user));
                    Self::Mention(found.value, mentioned)
                }))
            }
            About::Call { call, conversation } => {
                let (call, known) =
                    futures::try_join!(store.call(scope, *call, now), store.conversation(scope, *conversation))?;
                let known = known.map(|known| known.value);
                // It was noted with the call, so whoever has read everything knows of it.
                let is_read = known.as_ref().is_some_and(|known| known.unread == 0);
                let call = call.filter(|call| call.message.is_none() && !is_read);
                Ok(call.map(|call| Self::Call(Box::new(call), known.map(Box::new))))
            }
            About::Notice { notice } => {
                let known = store.notice(scope, notice).await?;
                // Whatever is not due any more was mailed, or mended.
                let due = known.map(|known| known.value).filter(|state| state.due.is_some());
                let Some(notice) = due.map(|state| state.notice) else {
                    return Ok(None);
                };
                // Only templates need the automations.
                let is_of_template = matches!(notice.matter, Matter::TemplatePaused { .. });
                let concerns = !is_of_template || notice.concerns(&store.all::<Rule>(scope).await?);
                Ok(concerns.then(|| Self::Notice(Box::new(notice))))
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
            Self::Message(conversation, _) | Self::Call(_, Some(conversation)) => {
                keep_attending(ctx, scope, conversation, people).await?;
            }
            Self::Call(_, None) | Self::Notice(_) => {}
            Self::Mention(_, mentioned) => people.retain(|user| mentioned.contains(user)),
        }
        Ok(())
    }

    /// Whether this member may know of it.
    pub(crate) fn is_shown_to(&self, member: &Member) -> bool {
        match self {
            Self::Message(..) => member.may(Permission::ConversationsRead),
            Self::Call(..) => member.may(Permission::ConversationsRead) && member.may(Permission::CallsRead),
            Self::Mention(..) => member.may(Permission::ContactsRead),
            Self::Notice(_) => member.status == MemberStatus::Active && member.role >= Role::Manager,
        }
    }

    /// The person who attends to its conversation.
    pub(crate) fn assignee(&self) -> Option<UserId> {
        match self {
            Self::Message(conversation, _) | Self::Call(_, Some(conversation)) => conversation.assignee,
            Self::Mention(..) | Self::Call(_, None) | Self::Notice(_) => None,
        }
    }

    /// Its contact, if it is about one.
    pub(crate) fn contact(&self) -> Option<ContactId> {
        match self {
            Self::Message(conversation, _) => Some(conversation.contact),
            Self::Mention(note, _) => Some(note.id.contact()),
            Self::Call(call, _) => Some(call.id.contact()),
            Self::Notice(_) => None,
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
                    let received = ctx.store.received_message(scope, message, now).await?;
                    Ok(received.and_then(|received| received.message.text))
                }
                // Something else happened after it.
                _ => Ok(None),
            },
            Self::Mention(note, _) => Ok(Some(note.text.clone().into())),
            Self::Call(..) | Self::Notice(_) => Ok(None),
        }
    }

    /// The notification of it, with the name of its contact and its text.
    pub(crate) fn notification(&self, tenant: TenantId, name: Option<&str>, text: Option<&str>) -> Notification {
        match self {
            Self::Message(conversation, _) => Notification::of_message(tenant, conversation.id(), name, text),
            Self::Mention(note, _) => Notification::of_mention(tenant, note.id, name, text),
            Self::Call(call, conversation) => {
                let conversation = conversation.as_ref().map(|conversation| conversation.id());
                Notification::of_call(tenant, call.id, conversation, name)
            }
            Self::Notice(notice) => Notification::of_notice(tenant, notice),
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
        // A conversation of a deleted team is everybody's.
        if let Some(team) = ctx.store.get::<Team>(scope, &team).await? {
            people.retain(|user| team.value.members.contains(user));
        }
    }
    Ok(())
}
