//! Ids: a prefix that names the kind, then a ULID in lower case. Every kind is its own type.
//!
//! Ids of rows in a contact's partition ([`MessageId`], [`CallId`], [`NoteId`], …) contain the contact's
//! id, so that the table key follows from the id alone.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use ulid::Ulid;

use crate::terms::{Fault, Faulty};

/// A text that is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an id like {prefix}_01j…, got something else")]
pub struct InvalidId {
    prefix: &'static str,
}

impl Faulty for InvalidId {
    fn fault(&self) -> Fault {
        Fault::format(
            "id",
            &format!("{}_01hq5c1ynyc0000000000000ab", self.prefix),
            self.to_string(),
        )
    }
}

/// An id derived from its cause: the time of the cause in milliseconds since 1970, then 80 bits of a hash of its key.
/// Deriving it twice gives the same id.
pub fn derive_id(millisecond: u64, key: &[u8]) -> Ulid {
    let hash = Sha256::digest(key);
    let random = hash
        .iter()
        .take(10)
        .fold(0_u128, |all, byte| all << 8 | u128::from(*byte));
    Ulid::from_parts(millisecond, random)
}

/// The time that an id begins with.
pub fn time_of_id(id: Ulid) -> Timestamp {
    let at = i64::try_from(id.timestamp_ms()).ok();
    let at = at.and_then(|at| Timestamp::from_millisecond(at).ok());
    at.unwrap_or(Timestamp::MAX)
}

fn ulid(text: &str) -> Option<Ulid> {
    // One spelling per id: a second one (upper case, or look-alike letters) would be a second key for the same row.
    let parsed = Ulid::from_string(text).ok()?;
    (lower(parsed) == text).then_some(parsed)
}

fn lower(id: Ulid) -> String {
    id.to_string().to_ascii_lowercase()
}

macro_rules! text_serde {
    ($name:ident) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        parsed!($name, by fault);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

/// Letters of a ULID.
const ULID: usize = 26;

/// Length of an underscore and a ULID.
#[cfg(feature = "schema")]
const LENGTH: usize = 1 + ULID;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Ulid);

        impl $name {
            /// The text before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// Wraps a ULID that the caller generated.
            pub const fn new(id: Ulid) -> Self {
                Self(id)
            }

            pub const fn ulid(self) -> Ulid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}_{}", $prefix, lower(self.0))
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(ulid)
                    .map(Self)
                    .ok_or(InvalidId { prefix: $prefix })
            }
        }

        text_serde!($name);

        shown_as!($name, {
            "type": "string", "minLength": LENGTH + $prefix.len(), "maxLength": LENGTH + $prefix.len(),
            "examples": [concat!($prefix, "_01hq5c1ynyc0000000000000ab")],
        });
    };
}

/// The id of something that stands in a contact's partition.
pub trait ContactItemId: fmt::Display + FromStr {
    /// Of a contact, with the item's own ULID.
    fn of(contact: ContactId, own: Ulid) -> Self;

    /// The contact, and the item's own ULID.
    fn place(self) -> (ContactId, Ulid);
}

macro_rules! contact_item_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            contact: ContactId,
            own: Ulid,
        }

        impl $name {
            /// The text before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// The id of an item in this contact's partition.
            pub const fn new(contact: ContactId, own: Ulid) -> Self {
                Self { contact, own }
            }

            /// The contact whose partition holds the item.
            pub const fn contact(self) -> ContactId {
                self.contact
            }

            /// The item's own ULID.
            pub const fn own(self) -> Ulid {
                self.own
            }
        }

        impl ContactItemId for $name {
            fn of(contact: ContactId, own: Ulid) -> Self {
                Self { contact, own }
            }

            fn place(self) -> (ContactId, Ulid) {
                (self.contact, self.own)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}_{}{}", $prefix, lower(self.contact.0), lower(self.own))
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let invalid = InvalidId { prefix: $prefix };
                let ids = text.strip_prefix(concat!($prefix, "_")).ok_or(invalid.clone())?;
                let (contact, own) = ids.split_at_checked(ULID).ok_or(invalid.clone())?;
                match (ulid(contact), ulid(own)) {
                    (Some(contact), Some(own)) => Ok(Self { contact: ContactId(contact), own }),
                    _ => Err(invalid),
                }
            }
        }

        text_serde!($name);

        shown_as!($name, {
            "type": "string",
            "minLength": LENGTH + ULID + $prefix.len(), "maxLength": LENGTH + ULID + $prefix.len(),
            "examples": [concat!($prefix, "_01hq5c1ynyc0000000000000ab01hq5c1ynyc0000000000000cd")],
        });
    };
}

id!(
    /// A business.
    TenantId, "tnt"
);
id!(
    /// A tenant's connection to a provider: numbers, credentials, health.
    ConnectionId, "conn"
);
id!(
    /// A follow-up rule.
    RuleId, "rule"
);
id!(
    /// A line that customers reach a tenant by.
    LineId, "line"
);
id!(
    /// A product.
    ProductId, "prd"
);
id!(
    /// A message about an event of orders.
    EventMessageId, "evm"
);
id!(
    /// A field that a tenant defines for its contacts.
    FieldId, "fld"
);
id!(
    /// A tag that sorts a tenant's contacts.
    TagId, "tag"
);
id!(
    /// A stage of a tenant's leads.
    StageId, "stg"
);
id!(
    /// A canned reply.
    CannedReplyId, "can"
);
id!(
    /// A team, which attends to conversations.
    TeamId, "team"
);
id!(
    /// A segment, a saved filter of contacts.
    SegmentId, "seg"
);
id!(
    /// A campaign.
    CampaignId, "cmp"
);
id!(
    /// A person who calls or writes to a tenant.
    ContactId, "ctc"
);
impl ContactId {
    /// A part of this time, the same whenever it is asked for: it spreads something that is due for many contacts at once.
    pub fn part_of(self, time: SignedDuration) -> SignedDuration {
        let seconds = self.0.random() % u128::try_from(time.as_secs().max(1)).unwrap_or(1);
        SignedDuration::from_secs(i64::try_from(seconds).unwrap_or_default())
    }
}

id!(
    /// A person who logs in; may belong to several tenants.
    UserId, "usr"
);
id!(
    /// A tenant's API key.
    ApiKeyId, "key"
);
id!(
    /// A request that gives an API key or a connection a new secret.
    RotationId, "rot"
);
id!(
    /// A person's session: all refresh tokens from one log-in.
    SessionId, "ses"
);
id!(
    /// A device that shows a person notifications.
    PushSubscriptionId, "psh"
);
id!(
    /// An invitation to a tenant.
    InvitationId, "inv"
);
id!(
    /// An entry of the suppression list.
    SuppressionId, "sup"
);
id!(
    /// An operation: long work that a user started.
    OperationId, "op"
);
id!(
    /// An import of contacts.
    ImportId, "imp"
);
id!(
    /// A file of a tenant's, for messages and products.
    AssetId, "ast"
);
id!(
    /// A recording of a call.
    RecordingId, "rec"
);
id!(
    /// An event of live updates.
    EventId, "evt"
);
id!(
    /// An endpoint of outgoing webhooks.
    WebhookEndpointId, "whe"
);
contact_item_id!(
    /// A call.
    CallId, "call"
);
contact_item_id!(
    /// A message, out or in.
    MessageId, "msg"
);
contact_item_id!(
    /// A note on a contact.
    NoteId, "note"
);
contact_item_id!(
    /// A conversation with a contact.
    ConversationId, "conv"
);
contact_item_id!(
    /// A conversion of a contact.
    ConversionId, "cnv"
);
contact_item_id!(
    /// A merge of another contact into one.
    MergeId, "mrg"
);
contact_item_id!(
    /// An order of a contact.
    OrderId, "ord"
);
contact_item_id!(
    /// An attachment: a file for one reply to a contact.
    AttachmentId, "att"
);

/// A file that a message can carry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileId {
    /// An asset, which is the tenant's.
    Asset(AssetId),
    /// An attachment, which is in the partition of its contact.
    Attachment(AttachmentId),
}

impl FileId {
    /// The id of an asset.
    pub const fn new(id: Ulid) -> Self {
        Self::Asset(AssetId::new(id))
    }

    /// The file's own ULID.
    pub const fn ulid(self) -> Ulid {
        match self {
            Self::Asset(id) => id.ulid(),
            Self::Attachment(id) => id.own(),
        }
    }
}

impl From<AssetId> for FileId {
    fn from(id: AssetId) -> Self {
        Self::Asset(id)
    }
}

impl From<AttachmentId> for FileId {
    fn from(id: AttachmentId) -> Self {
        Self::Attachment(id)
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asset(id) => fmt::Display::fmt(id, f),
            Self::Attachment(id) => fmt::Display::fmt(id, f),
        }
    }
}

impl FromStr for FileId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let attachment = text.parse().map(Self::Attachment);
        attachment.or_else(|_: InvalidId| text.parse().map(Self::Asset))
    }
}

text_serde!(FileId);

shown_as!(FileId, {
    "type": "string", "minLength": LENGTH + AssetId::PREFIX.len(), "maxLength": LENGTH + ULID + AttachmentId::PREFIX.len(),
    "examples": [concat!("ast", "_01hq5c1ynyc0000000000000ab")],
});

/// The key that travels with every send, so that a status can find its attempt: `<contact>.<message>.<attempt>`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SendKey {
    pub message: MessageId,
    /// The attempt's number, from 1.
    pub attempt: u32,
}

impl fmt::Display for SendKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{}.{}",
            lower(self.message.contact.0),
            lower(self.message.own),
            self.attempt
        )
    }
}

impl FromStr for SendKey {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = InvalidId { prefix: "key" };
        let mut parts = text.split('.');
        let (Some(contact), Some(own), Some(attempt), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(invalid);
        };
        match (ulid(contact), ulid(own), attempt.parse::<u32>()) {
            // `+1` and `01` are numbers too, but other spellings of the same one.
            (Some(contact), Some(own), Ok(number)) if number > 0 && number.to_string() == attempt => Ok(Self {
                message: MessageId::new(ContactId(contact), own),
                attempt: number,
            }),
            _ => Err(invalid),
        }
    }
}

text_serde!(SendKey);

#[cfg(test)]
mod tests {
    use super::*;

    fn contact() -> ContactId {
        ContactId::new(Ulid::from_parts(1, 2))
    }

    #[test]
    fn id_survives_as_text() {
        let id = MessageId::new(contact(), Ulid::from_parts(3, 4));
        assert_eq!(id.to_string().parse::<MessageId>(), Ok(id));
        let key = SendKey {
            message: id,
            attempt: 2,
        };
        assert_eq!(key.to_string().parse::<SendKey>(), Ok(key));
    }

    #[test]
    fn an_id_has_one_spelling_and_one_kind() {
        let text = contact().to_string();
        assert!(text.to_ascii_uppercase().parse::<ContactId>().is_err());
        assert!(text.replace("ctc_", "tnt_").parse::<ContactId>().is_err());
        assert!(text.parse::<TenantId>().is_err());
        assert!("msg_short".parse::<MessageId>().is_err());
        assert!("msg_ééééééééééééééééééééééééé".parse::<MessageId>().is_err());
    }
}
