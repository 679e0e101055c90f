//! Effects: everything that one cause writes, in one transaction, with the jobs that follow from it.

use domain::calls::{Call, CallProgress, MessageRef, Received};
use domain::campaigns::Enrolment;
use domain::inbox::Conversation;
use domain::media::{Asset, Medium};
use domain::messages::Message;
use domain::people::{ConsentEntry, Order};
use domain::terms::ContactId;
use jiff::Timestamp;
use jobs::ToQueue;
use ulid::Ulid;

use crate::calls::{PROGRESS_LIFE, call_row, progress_row};
use crate::campaigns::{DripEntry, enrolment_row};
use crate::contacts::{ContactWrite, changed_order_row, consent_row, new_order_rows};
use crate::inbox::conversation_row;
use crate::messages::{
    NewLink, ReferenceVersion, attachment_row, medium_row, message_row, received_row, reference_row,
};
use crate::table::keys;
use crate::table::row::{Condition, Row, Write};
use crate::{Store, StoreError, TenantScope, Versioned};

/// Maximum rows of one transaction: a limit of the database.
pub const MAX_WRITES: usize = 100;

/// Everything that one cause writes: all of it or nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Effects<'a> {
    /// The conditional write that makes it happen once.
    pub once: Once<'a>,
    /// New or changed contacts. Several if they are one person.
    pub people: Vec<ContactWrite>,
    /// New messages. A job follows for each.
    pub planned: Vec<Message>,
    /// Messages that ended, such as cancelled ones.
    pub ended: Vec<Message>,
    pub consent: Vec<Consent>,
    /// Links that the new messages carry.
    pub links: Vec<NewLink>,
    /// The conversation that notes it, over the version that was read; 0 if there was none.
    pub conversation: Option<Versioned<Conversation>>,
    /// An attachment that one of the new messages carries, unchanged since it was read.
    pub attachment: Option<Asset>,
    /// The entry of a contact into a drip.
    pub entered: Option<DripEntry>,
}

/// The conditional write that lets a cause have its effects once.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Once<'a> {
    /// No write of its own: the versions of the changed contacts and messages are enough.
    #[default]
    Versions,
    /// The merged reports of a call, unchanged since they were read. A job follows if the call is due.
    Reported(&'a CallProgress),
    /// A call that is decided, or decided again. Its reports refer to it.
    Decided {
        /// The reports; `decided` names the call.
        progress: &'a CallProgress,
        /// The call with its decision.
        call: &'a Call,
    },
    /// A step of a drip, over an enrolment of this version.
    Stepped {
        /// The enrolment behind the step.
        enrolment: &'a Enrolment,
        /// Version of the row before.
        before: u64,
    },
    /// A new order that a shop delivers. The shop's id leads to it.
    Ordered {
        order: &'a Order,
        /// Whether its contact is required to exist. Not if it is also written, nor if it stands for all whom a connection does not
        /// name: each of their orders would wait for the others.
        requires_contact: bool,
    },
    /// An order that its shop reported on, or with what became of its news, over a row of this version.
    Told {
        order: &'a Order,
        /// Version of the row before.
        before: u64,
    },
    /// A customer's message, by its provider's id of it.
    Received {
        received: &'a Received,
        /// Its media, in their order. A job follows for each.
        media: &'a [Medium],
        /// The API of the reference, such as `whatsapp`, `twilio`, with the version of an existing row of it. `None` if the reference
        /// [leads to the message](Store::refer_to_received) already.
        reference: Option<(&'a str, Option<ReferenceVersion>)>,
    },
}

/// An entry for a consent ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct Consent {
    pub contact: ContactId,
    /// Id of the entry.
    pub id: Ulid,
    pub entry: ConsentEntry,
}

/// More rows than a transaction allows.
#[derive(Debug, thiserror::Error)]
#[error("{0} rows are more than a transaction takes")]
struct TooMany(usize);

impl Once<'_> {
    const fn doing(&self) -> &'static str {
        match self {
            Self::Versions => "write changes of contacts and messages",
            Self::Reported(_) => "write the reports of a call",
            Self::Decided { .. } => "decide a call",
            Self::Stepped { .. } => "take a step of a drip",
            Self::Ordered { .. } => "record an order of a shop",
            Self::Told { .. } => "change an order",
            Self::Received { .. } => "store a customer's message",
        }
    }

    fn rows(&self, scope: &TenantScope, now: Timestamp) -> Result<Vec<Row>, StoreError> {
        let doing = self.doing();
        Ok(match *self {
            Self::Versions => Vec::new(),
            Self::Reported(progress) => vec![progress_row(scope, progress, now, PROGRESS_LIFE, doing)?],
            Self::Decided { progress, call } => {
                // The reports name the caller as the call does, so they are deleted with it.
                let kept = call.keep_until.map(|until| until.duration_since(now));
                let life = kept.map_or(PROGRESS_LIFE, |kept| kept.min(PROGRESS_LIFE));
                let unchanged = match call.version {
                    0 | 1 => Condition::New,
                    version => Condition::Version(version - 1),
                };
                vec![
                    progress_row(scope, progress, now, life, doing)?,
                    call_row(scope, call, unchanged, doing)?,
                ]
            }
            Self::Stepped { enrolment, before } => vec![enrolment_row(scope, enrolment, Some(before), doing)?],
            Self::Ordered { order, .. } => new_order_rows(scope, order, doing)?,
            Self::Told { order, before } => vec![changed_order_row(scope, order, before, doing)?],
            Self::Received {
                received,
                media,
                reference,
            } => {
                let mut rows = vec![received_row(scope, received, now, doing)?];
                if let Some((api, before)) = reference {
                    let theirs = MessageRef::Theirs { message: received.id };
                    let provider_ref = &received.message.provider_ref;
                    rows.push(reference_row(scope, api, provider_ref, &theirs, before, now, doing)?);
                }
                for medium in media {
                    rows.push(medium_row(scope, medium, doing)?);
                }
                rows
            }
        })
    }
}

impl Effects<'_> {
    /// Whether one transaction takes all of it.
    ///
    /// # Errors
    /// When a row cannot be written.
    pub fn fits(&self, scope: &TenantScope, now: Timestamp) -> Result<bool, StoreError> {
        Ok(self.writes(scope, now)?.len() <= MAX_WRITES)
    }

    fn writes(&self, scope: &TenantScope, now: Timestamp) -> Result<Vec<Write>, StoreError> {
        let doing = self.once.doing();
        let mut rows = self.once.rows(scope, now)?;
        for message in self.planned.iter().chain(&self.ended) {
            rows.push(message_row(scope, message, doing)?);
        }
        for consent in &self.consent {
            rows.push(consent_row(scope, consent.contact, consent.id, &consent.entry, doing)?);
        }
        for link in &self.links {
            rows.push(link.row(scope, now, doing)?);
        }
        if let Some(conversation) = &self.conversation {
            rows.push(conversation_row(scope, conversation, doing)?);
        }
        if let Some(attachment) = &self.attachment {
            let before = attachment.attached.as_ref().map(|attached| attached.version);
            rows.push(attachment_row(scope, before.unwrap_or_default(), attachment, doing)?);
        }
        if let Some(entry) = &self.entered {
            rows.push(entry.row(scope, doing)?);
        }
        let mut writes: Vec<Write> = rows.into_iter().map(Write::Put).collect();
        if let Once::Ordered {
            order,
            requires_contact: true,
        } = self.once
        {
            writes.push(Write::Shown(keys::contact(scope, order.id.contact())));
        }
        for person in &self.people {
            writes.extend(person.writes(scope, doing)?);
        }
        Ok(writes)
    }

    /// The jobs that follow.
    fn jobs(&self, scope: &TenantScope, now: Timestamp) -> Vec<ToQueue> {
        let tenant = scope.tenant();
        let (look, media): (Option<ToQueue>, &[Medium]) = match self.once {
            Once::Reported(progress) => (
                progress.due.map(|until| ToQueue::look(tenant, progress.clone(), until)),
                &[],
            ),
            Once::Received { media, .. } => (None, media),
            Once::Versions | Once::Decided { .. } | Once::Stepped { .. } | Once::Ordered { .. } | Once::Told { .. } => {
                (None, &[])
            }
        };
        let media = media.iter().map(|medium| ToQueue::media(tenant, medium, now));
        let sends = self.planned.iter().map(|message| ToQueue::send(tenant, message));
        look.into_iter().chain(sends).chain(media).collect()
    }
}

impl Store {
    /// Writes all effects of a cause or none, and returns the jobs that follow. Without effects, nothing is written.
    ///
    /// # Errors
    /// A conflict if it was done already or after a lost race for one of the rows: read again. Invalid, before anything is
    /// written, if there are more than [`MAX_WRITES`] rows.
    pub async fn commit(
        &self,
        scope: &TenantScope,
        effects: Effects<'_>,
        now: Timestamp,
    ) -> Result<Vec<ToQueue>, StoreError> {
        let doing = effects.once.doing();
        let writes = effects.writes(scope, now)?;
        self.write_all(writes, doing).await?;
        Ok(effects.jobs(scope, now))
    }

    /// Makes these writes or none. A single row needs no transaction, which would cost twice as much.
    pub(crate) async fn write_all(&self, mut writes: Vec<Write>, doing: &'static str) -> Result<(), StoreError> {
        if writes.len() > MAX_WRITES {
            return Err(StoreError::invalid(doing, TooMany(writes.len())));
        }
        match writes.pop() {
            None => Ok(()),
            Some(Write::Put(row)) if writes.is_empty() => self.database.put(row, doing).await,
            Some(last) => {
                writes.push(last);
                self.database.transact_writes(writes, doing).await
            }
        }
    }
}
