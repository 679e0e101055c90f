//! Assets: files of a tenant, for messages and products; and attachments, which are files for one reply. People who may reply upload
//! attachments, which are kept as long as their message.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::media::{FileName, MediaKind, MediaReason, file_ending};
use crate::terms::{
    AttachmentId, ConnectionId, ConversationId, FileId, MessageId, ProviderRef, Reason, Refusal, Resource as _, is_zero,
};

resource! {
    /// A file of a tenant.
    pub struct Asset of FileId {
        /// Kind at WhatsApp, which follows from the content type.
        pub kind: MediaKind,
        /// Content type: as stated at first, then as found in the content.
        pub content_type: String,
        /// Size in bytes: as stated at first, then of what was uploaded.
        pub bytes: u64,
        /// SHA-256 of the content in hexadecimal digits: as stated at first, then of what was uploaded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub sha256: Option<String>,
        /// State.
        pub state: AssetState,
        /// Why it is refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub reason: Option<MediaReason>,
        /// Ids at providers, by connection.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        pub handles: BTreeMap<ConnectionId, Handle>,
        /// Uploads to providers that run or were refused, by connection.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        pub uploads: BTreeMap<ConnectionId, Upload>,
        /// Where it may be sent, if it is an attachment.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub attached: Option<Attached>,
        /// Time when a job checks whether to delete an attachment.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub due: Option<Timestamp>,
        /// Number of times the dispatcher has queued that job since the last change.
        #[serde(default, skip_serializing_if = "is_zero")]
        pub dispatches: u32,
    };

    /// The fields of an asset.
    pub struct AssetIn {
        /// Name of the file.
        pub name: FileName,
    }
}

/// Where an attachment may be sent, and how long it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Attached {
    /// Conversation of the reply.
    pub conversation: ConversationId,
    /// The reply. `None`: none has used it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
    /// End of retention: the reply's, or a little after the last time when a reply may use it. `None`: as long as its contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_until: Option<Timestamp>,
    /// Correlation id of the request that created it.
    pub correlation_id: String,
    /// Version of its row.
    #[serde(default)]
    pub version: u64,
}

/// State of an asset.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AssetState {
    /// Its file is not uploaded yet, or nobody has said that it is.
    #[default]
    AwaitingUpload,
    /// It waits for the verdict of the scanner.
    Scanning,
    /// It can be used.
    Ready,
    /// It cannot be used, because of what its file is.
    Refused,
}

impl AssetState {
    /// The name for software.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AwaitingUpload => "awaiting_upload",
            Self::Scanning => "scanning",
            Self::Ready => "ready",
            Self::Refused => "refused",
        }
    }
}

/// The id of an asset at the provider of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AssetHandle"))]
pub struct Handle {
    /// The id.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub id: ProviderRef,
    /// Time when the provider deletes it.
    pub expires_at: Timestamp,
}

/// An upload to the provider of a connection that runs or was refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AssetUpload"))]
pub struct Upload {
    /// End of a job's lease on the upload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_until: Option<Timestamp>,
    /// Number of times the provider has refused the file.
    #[serde(default)]
    pub refusals: u32,
    /// Time of the last refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_at: Option<Timestamp>,
}

/// Who may upload an asset to the provider of a connection now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// The asking job.
    Own,
    /// Another job, or nobody, for this time.
    Later(SignedDuration),
    /// Nobody: the provider does not take the file.
    Never,
}

/// Time that a job may take for an upload: the time-out of its function.
const UPLOAD_TAKES: SignedDuration = SignedDuration::from_secs(120);

/// Number of refusals that convince us that the provider does not take the file. Fewer may mean that something went wrong, as its code can
/// say both.
const MAX_REFUSALS: u32 = 3;

/// Wait after a refusal. It is also that before the next one counts, since nobody uploads the file meanwhile.
const REFUSED_WAIT: SignedDuration = SignedDuration::from_mins(10);

/// A refusal counts for this time.
const REFUSED_FOR: SignedDuration = SignedDuration::from_hours(24);

impl Upload {
    fn runs(&self, now: Timestamp) -> Option<SignedDuration> {
        let left = self.taken_until?.duration_since(now);
        left.is_positive().then_some(left)
    }

    fn counts(&self, now: Timestamp) -> bool {
        self.refused_at.is_some_and(|at| now < at + REFUSED_FOR)
    }

    fn is_believed(&self, now: Timestamp) -> bool {
        self.refusals >= MAX_REFUSALS && self.counts(now)
    }

    fn turn(&self, now: Timestamp) -> Turn {
        if self.is_believed(now) {
            return Turn::Never;
        }
        let rest = self.refused_at.map(|at| (at + REFUSED_WAIT).duration_since(now));
        let left = self.runs(now).max(rest.filter(SignedDuration::is_positive));
        left.map_or(Turn::Own, Turn::Later)
    }
}

/// A reply may use an attachment for this time.
const USABLE_FOR: SignedDuration = SignedDuration::from_hours(24);

/// An attachment that no reply has used stays this much longer: longer than any request that is just using it.
const UNUSED_STAYS: SignedDuration = SignedDuration::from_mins(5);

/// Minimum validity left of an id that is used: a message with it may be sent that much later.
const LEAST_VALID: SignedDuration = SignedDuration::from_hours(1);

/// An id is renewed this long before its end.
const RENEWED_BEFORE: SignedDuration = SignedDuration::from_hours(24);

/// There is no such file for a message.
pub fn missing_file(id: FileId) -> Refusal {
    let sentence = match id {
        FileId::Asset(_) => "there is no such asset",
        FileId::Attachment(_) => {
            "there is no such attachment of this conversation, and only a reply in it can carry one"
        }
    };
    Refusal::new(Reason::AssetUnusable, sentence).and("asset", id.to_string())
}

impl Asset {
    /// Maximum assets per tenant.
    pub const MAX: u32 = 1_000;

    /// Maximum ids at providers: connections come and go, and the ids of former ones are dropped.
    pub const MAX_HANDLES: usize = 20;

    /// Validity of an id at WhatsApp, from the upload on.
    pub const HANDLE_LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);

    /// A new attachment, for a reply in this conversation.
    pub fn attachment(
        conversation: ConversationId,
        own: Ulid,
        name: FileName,
        correlation_id: &str,
        now: Timestamp,
    ) -> Self {
        let kept_until = now + USABLE_FOR + UNUSED_STAYS;
        let attached = Attached {
            conversation,
            message: None,
            kept_until: Some(kept_until),
            correlation_id: correlation_id.to_owned(),
            version: 0,
        };
        Self {
            id: AttachmentId::new(conversation.contact(), own).into(),
            attached: Some(attached),
            due: Some(kept_until),
            ..Self::new(own, AssetIn { name }, now)
        }
    }

    /// Whether a new reply in this conversation may carry it.
    pub fn attachable(&self, conversation: ConversationId, now: Timestamp) -> Result<(), Refusal> {
        let attached = self.attached.as_ref();
        let Some(attached) = attached.filter(|attached| attached.conversation == conversation) else {
            return Err(missing_file(self.id));
        };
        let name = &self.name;
        if attached.message.is_some() {
            let sentence = format!("the file \"{name}\" was sent with another reply; upload it again");
            return Err(self.unusable(sentence));
        }
        if now >= self.created_at + USABLE_FOR {
            let sentence = format!("the file \"{name}\" was attached more than a day ago; upload it again");
            return Err(self.unusable(sentence));
        }
        self.usable(self.kind)
    }

    /// Attaches it to this message and retains it until then.
    #[must_use]
    pub fn attached_to(mut self, message: MessageId, keep_until: Option<Timestamp>) -> Self {
        if let Some(attached) = &mut self.attached {
            (attached.message, attached.kept_until) = (Some(message), keep_until);
            self.due = keep_until;
        }
        self
    }

    /// Whether it is an attachment that is not kept any longer.
    pub fn is_over(&self, now: Timestamp) -> bool {
        let kept_until = self.attached.as_ref().and_then(|attached| attached.kept_until);
        kept_until.is_some_and(|until| until <= now)
    }

    fn unusable(&self, sentence: String) -> Refusal {
        let refusal = Refusal::new(Reason::AssetUnusable, sentence).and("asset", self.id.to_string());
        let refusal = refusal.and("state", self.state.as_str());
        refusal.and("kind", self.kind.as_str())
    }

    /// Whether a message may use it as this kind.
    pub fn usable(&self, kind: MediaKind) -> Result<(), Refusal> {
        let why = match self.state {
            AssetState::AwaitingUpload => Some("is not uploaded yet"),
            AssetState::Scanning => Some("has not been scanned yet"),
            AssetState::Refused => Some("was refused"),
            AssetState::Ready => None,
        };
        let name = &self.name;
        if let Some(why) = why {
            return Err(self.unusable(format!("the file \"{name}\" {why}")));
        }
        if kind != self.kind {
            let (is, wanted) = (self.kind.as_str(), kind.as_str());
            return Err(self.unusable(format!("the file \"{name}\" is of the kind {is}, not {wanted}")));
        }
        Ok(())
    }

    /// Its id at the provider of a connection, if it is valid for another hour.
    pub fn handle(&self, connection: ConnectionId, now: Timestamp) -> Option<&ProviderRef> {
        let handle = self.handles.get(&connection)?;
        (now + LEAST_VALID < handle.expires_at).then_some(&handle.id)
    }

    /// Whether it has no id at the provider of a connection that is valid for another day.
    pub fn needs_handle(&self, connection: ConnectionId, now: Timestamp) -> bool {
        let handle = self.handles.get(&connection);
        handle.is_none_or(|handle| handle.expires_at <= now + RENEWED_BEFORE)
    }

    /// Whether it has an id at the provider of a connection, from before this time.
    pub fn uploaded_before(&self, connection: ConnectionId, at: Timestamp) -> bool {
        let handle = self.handles.get(&connection);
        handle.is_some_and(|handle| handle.expires_at < at + Self::HANDLE_LIFE)
    }

    /// Takes the upload to the provider of a connection for a job, if it is its turn.
    pub fn take_upload(&mut self, connection: ConnectionId, now: Timestamp) -> Turn {
        self.uploads
            .retain(|_, upload| upload.runs(now).is_some() || upload.counts(now));
        let turn = self
            .uploads
            .get(&connection)
            .map_or(Turn::Own, |upload| upload.turn(now));
        if turn == Turn::Own {
            self.make_room(connection);
            let upload = self.uploads.entry(connection).or_default();
            upload.taken_until = Some(now + UPLOAD_TAKES);
        }
        turn
    }

    /// Drops the upload that has nothing to say for the longest time, if there are too many.
    fn make_room(&mut self, connection: ConnectionId) {
        while self.uploads.len() >= Self::MAX_HANDLES && !self.uploads.contains_key(&connection) {
            let last = |upload: &Upload| upload.taken_until.max(upload.refused_at);
            let first = self.uploads.iter().min_by_key(|(_, upload)| last(upload));
            let Some(first) = first.map(|(connection, _)| *connection) else {
                break;
            };
            self.uploads.remove(&first);
        }
    }

    /// Its upload to the provider of a connection has failed for now, and may be tried again.
    pub fn upload_failed(&mut self, connection: ConnectionId) {
        if let Some(upload) = self.uploads.get_mut(&connection) {
            upload.taken_until = None;
        }
        self.uploads.retain(|_, upload| *upload != Upload::default());
    }

    /// The provider of a connection has refused it. Returns when to try again; `None` if it is believed now.
    pub fn upload_refused(&mut self, connection: ConnectionId, now: Timestamp) -> Option<SignedDuration> {
        let upload = self.uploads.entry(connection).or_default();
        let refusals = upload.refusals.saturating_add(1);
        *upload = Upload {
            taken_until: None,
            refusals,
            refused_at: Some(now),
        };
        (refusals < MAX_REFUSALS).then_some(REFUSED_WAIT)
    }

    /// Whether the provider of a connection takes it, as far as is known.
    pub fn taken_by(&self, connection: ConnectionId, now: Timestamp) -> Result<(), Refusal> {
        let refused = self.uploads.get(&connection).filter(|upload| upload.is_believed(now));
        if refused.is_none() {
            return Ok(());
        }
        Err(self.unusable(format!("WhatsApp does not take the file \"{}\"", self.name)))
    }

    /// Keeps an id that the provider of a connection gave it now, and drops expired ones, or else the one that expires first.
    pub fn keep_handle(&mut self, connection: ConnectionId, id: ProviderRef, now: Timestamp) {
        self.handles.retain(|_, handle| now < handle.expires_at);
        while self.handles.len() >= Self::MAX_HANDLES && !self.handles.contains_key(&connection) {
            let first = self.handles.iter().min_by_key(|(_, handle)| handle.expires_at);
            let Some(first) = first.map(|(connection, _)| *connection) else {
                break;
            };
            self.handles.remove(&first);
        }
        self.uploads.remove(&connection);
        let expires_at = now + Self::HANDLE_LIFE;
        self.handles.insert(connection, Handle { id, expires_at });
    }

    /// It is uploaded as this type, with this size and hash, and may wait for a verdict.
    pub fn record_upload(&mut self, content_type: &str, bytes: u64, sha256: String, scanned: bool) {
        self.state = if scanned {
            AssetState::Scanning
        } else {
            AssetState::Ready
        };
        content_type.clone_into(&mut self.content_type);
        (self.bytes, self.sha256, self.reason) = (bytes, Some(sha256), None);
    }

    /// It cannot be used.
    pub fn refuse(&mut self, reason: MediaReason) {
        (self.state, self.reason) = (AssetState::Refused, Some(reason));
        self.handles.clear();
        self.uploads.clear();
    }

    /// File name for a download. The asset's own name may have letters that a header does not take.
    pub fn saved_as(&self) -> String {
        format!("{}.{}", self.id, file_ending(&self.content_type))
    }
}

#[cfg(test)]
mod tests {
    use ulid::Ulid;

    use super::*;
    use crate::terms::ContactId;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(1_795_176_000 + hour * 3_600).unwrap()
    }

    fn asset() -> Asset {
        let name = "cake.jpg".parse().unwrap();
        let mut asset = Asset::new(Ulid::from_parts(1, 2), AssetIn { name }, at(0));
        asset.kind = MediaKind::Image;
        asset.record_upload("image/jpeg", 7, "00".to_owned(), false);
        asset
    }

    fn connection(number: u128) -> ConnectionId {
        ConnectionId::new(Ulid::from_parts(1, number))
    }

    fn id(text: &str) -> ProviderRef {
        text.parse().unwrap()
    }

    #[test]
    fn an_asset_is_used_as_its_own_kind_when_it_is_ready() {
        let mut asset = asset();
        assert_eq!(asset.usable(MediaKind::Image), Ok(()));
        let other = asset.usable(MediaKind::Video).unwrap_err();
        assert_eq!(other.sentence, "the file \"cake.jpg\" is of the kind image, not video");
        asset.state = AssetState::Scanning;
        let waits = asset.usable(MediaKind::Image).unwrap_err();
        assert_eq!(waits.reason, Reason::AssetUnusable);
        asset.refuse(MediaReason::WrongType);
        assert!(asset.usable(MediaKind::Image).is_err());
    }

    /// A single reply in its conversation may use it, within a day; then it is kept as long as that reply.
    #[test]
    fn an_attachment_is_for_one_reply() {
        let of = |contact| ConversationId::of(ContactId::new(Ulid::from_parts(1, contact)), None);
        let name = "dent.jpg".parse().unwrap();
        let mut attachment = Asset::attachment(of(1), Ulid::from_parts(1, 9), name, "cor", at(0));
        attachment.kind = MediaKind::Image;
        let refusal = |file: &Asset, contact, now| file.attachable(of(contact), now).unwrap_err().sentence;
        assert_eq!(
            refusal(&attachment, 1, at(0)),
            "the file \"dent.jpg\" is not uploaded yet"
        );
        attachment.record_upload("image/jpeg", 7, "00".to_owned(), true);
        assert_eq!(
            refusal(&attachment, 1, at(0)),
            "the file \"dent.jpg\" has not been scanned yet"
        );
        attachment.state = AssetState::Ready;
        let last = at(24) - SignedDuration::from_millis(1);
        assert_eq!(attachment.attachable(of(1), last), Ok(()));
        let late = "the file \"dent.jpg\" was attached more than a day ago; upload it again";
        assert_eq!(refusal(&attachment, 1, at(24)), late);
        assert_eq!(refusal(&attachment, 2, at(0)), missing_file(attachment.id).sentence);
        assert_eq!(
            refusal(&asset(), 1, at(0)),
            missing_file(asset().id).sentence,
            "an asset is none"
        );
        // A request that began within the day still finds its file.
        assert!(!attachment.is_over(at(24)) && attachment.is_over(at(25)));
        let message = MessageId::new(of(1).contact(), Ulid::from_parts(2, 2));
        let used = attachment.attached_to(message, Some(at(1_000)));
        let twice = "the file \"dent.jpg\" was sent with another reply; upload it again";
        assert_eq!(refusal(&used, 1, at(1)), twice);
        assert_eq!((used.due, used.usable(MediaKind::Image)), (Some(at(1_000)), Ok(())));
        assert!(!used.is_over(at(999)) && used.is_over(at(1_000)));
        assert!(!asset().is_over(at(1_000)));
    }

    #[test]
    fn an_id_at_a_provider_is_used_until_an_hour_before_its_end() {
        let mut asset = asset();
        assert_eq!(asset.handle(connection(1), at(0)), None);
        assert!(asset.needs_handle(connection(1), at(0)));
        asset.keep_handle(connection(1), id("700"), at(0));
        assert_eq!(asset.handle(connection(1), at(718)), Some(&id("700")));
        assert_eq!(asset.handle(connection(1), at(719)), None);
        assert!(!asset.needs_handle(connection(1), at(695)) && asset.needs_handle(connection(1), at(696)));
        assert_eq!(asset.handle(connection(2), at(0)), None, "of another connection");
        assert!(asset.uploaded_before(connection(1), at(1)) && !asset.uploaded_before(connection(1), at(0)));
        assert!(!asset.uploaded_before(connection(2), at(1)), "of another connection");
    }

    const MINUTE: SignedDuration = SignedDuration::from_mins(1);

    #[test]
    fn an_upload_is_one_jobs_at_a_time() {
        let mut asset = asset();
        assert_eq!(asset.take_upload(connection(1), at(0)), Turn::Own);
        let second = at(0) + MINUTE;
        assert_eq!(asset.take_upload(connection(1), second), Turn::Later(MINUTE));
        assert_eq!(
            asset.take_upload(connection(2), second),
            Turn::Own,
            "of another connection"
        );
        asset.upload_failed(connection(1));
        assert_eq!(asset.take_upload(connection(1), second), Turn::Own);
        assert_eq!(
            asset.take_upload(connection(1), second + MINUTE * 2),
            Turn::Own,
            "it was killed"
        );
        asset.keep_handle(connection(1), id("7"), second);
        asset.upload_failed(connection(2));
        assert!(asset.uploads.is_empty(), "{:?}", asset.uploads);
    }

    #[test]
    fn refusals_of_a_file_count_for_their_connection() {
        let mut asset = asset();
        let mut now = at(0);
        for wait in [Some(MINUTE * 10), Some(MINUTE * 10), None] {
            assert_eq!(asset.taken_by(connection(1), now), Ok(()));
            assert_eq!(asset.take_upload(connection(1), now), Turn::Own);
            assert_eq!(asset.upload_refused(connection(1), now), wait);
            let again = asset.take_upload(connection(1), now + MINUTE);
            assert_eq!(again, wait.map_or(Turn::Never, |_| Turn::Later(MINUTE * 9)));
            now += MINUTE * 10;
        }
        let why = asset.taken_by(connection(1), now).unwrap_err();
        assert_eq!(why.sentence, "WhatsApp does not take the file \"cake.jpg\"");
        assert_eq!(asset.taken_by(connection(2), now), Ok(()));
        assert_eq!(asset.take_upload(connection(2), now), Turn::Own);
        assert_eq!(
            (asset.state, asset.usable(MediaKind::Image)),
            (AssetState::Ready, Ok(()))
        );
        // The next day, it may be another fault.
        let next_day = now + SignedDuration::from_hours(24);
        assert_eq!(asset.taken_by(connection(1), next_day), Ok(()));
        assert_eq!(asset.take_upload(connection(1), next_day), Turn::Own);
    }

    #[test]
    fn uploads_of_former_connections_are_dropped() {
        let mut asset = asset();
        for number in 0..30 {
            let now = at(0) + MINUTE * i32::try_from(number).unwrap();
            asset.take_upload(connection(number), now);
            asset.upload_refused(connection(number), now);
        }
        assert_eq!(asset.uploads.len(), Asset::MAX_HANDLES);
        let newest = Turn::Later(MINUTE * 10);
        assert_eq!(asset.take_upload(connection(29), at(0) + MINUTE * 29), newest);
        asset.take_upload(connection(30), at(48));
        assert_eq!(asset.uploads.len(), 1, "the others do not count any more");
    }

    #[test]
    fn ids_at_providers_are_limited() {
        let mut asset = asset();
        for number in 0..30 {
            asset.keep_handle(connection(number), id("7"), at(i64::try_from(number).unwrap()));
        }
        assert_eq!(asset.handles.len(), Asset::MAX_HANDLES);
        assert_eq!(asset.handle(connection(0), at(30)), None);
        assert!(asset.handle(connection(29), at(30)).is_some());
        asset.keep_handle(connection(29), id("8"), at(800));
        assert_eq!(asset.handles.len(), 1, "the others have expired");
        asset.refuse(MediaReason::Harmful);
        assert_eq!(asset.handle(connection(29), at(800)), None);
    }
}
