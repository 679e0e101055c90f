//! Media of customers' messages. A customer's message is stored first; each of its media is fetched afterwards, by a job of its own. The
//! state of that job is a [`Medium`].

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::media::{FileName, MediaKind, MediaReason, mime_essence};
use crate::terms::{MessageId, is_zero};

/// Maximum media of a message: Twilio's.
pub const MAX_MEDIA: usize = 10;

/// A medium of a customer's message as its webhook named it. It is written as its source alone if nothing else is known, as in
/// rows of before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
// Derives functions for the whole form. The traits' own, below, choose the form.
#[serde(remote = "Self")]
pub struct InboundMedia {
    /// The provider's id, or its URL.
    pub source: String,
    /// Kind, if the provider names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<MediaKind>,
    /// Declared content type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
    /// Declared SHA-256 in hexadecimal digits, in lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Name of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<FileName>,
    /// Whether it was recorded as a voice note.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub voice: bool,
    /// Whether a sticker is animated.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub animated: bool,
}

impl Serialize for InboundMedia {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if *self == Self::new(self.source.clone()) {
            return serializer.serialize_str(&self.source);
        }
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for InboundMedia {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Source(String),
            Whole(#[serde(with = "InboundMedia")] InboundMedia),
        }
        Ok(match Form::deserialize(deserializer)? {
            Form::Source(source) => Self::new(source),
            Form::Whole(media) => media,
        })
    }
}

impl InboundMedia {
    /// Maximum length of a source and of a declared type in bytes. A longer one is left out.
    pub const MAX_LENGTH: usize = 2_048;

    /// A medium with a known source only.
    pub const fn new(source: String) -> Self {
        Self {
            source,
            kind: None,
            mime: None,
            sha256: None,
            file_name: None,
            voice: false,
            animated: false,
        }
    }

    /// Its kind: the named one, or else the declared type's. A provider that has stickers names them; any other picture in their format is
    /// a picture.
    pub fn kind(&self) -> MediaKind {
        let declared = || {
            let mime = mime_essence(self.mime.as_deref()?);
            match mime.split('/').next()? {
                "image" => Some(MediaKind::Image),
                "video" => Some(MediaKind::Video),
                "audio" => Some(MediaKind::Audio),
                _ => MediaKind::of(&mime),
            }
        };
        self.kind.or_else(declared).unwrap_or_default()
    }
}

/// State of a medium of a customer's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MediumState {
    /// It is being fetched from the provider, if need be for days.
    Pending,
    /// It is stored, and waits for the verdict of the scanner.
    Scanning,
    /// It is stored.
    Ready,
    /// It is not stored, because of what it is.
    Refused,
    /// It is not to be had.
    Gone,
}

/// A medium of a customer's message on its way into the bucket: a row beside the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Medium {
    pub message: MessageId,
    /// Its place among the message's media, from 0.
    pub index: u8,
    pub kind: MediaKind,
    pub state: MediumState,
    /// Why it is refused or gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<MediaReason>,
    /// Content type of what is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
    /// Size in bytes of what is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// SHA-256 of what is stored, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Number of attempts to fetch it that failed.
    #[serde(default)]
    pub attempts: u32,
    /// Number of these attempts that the provider answered by saying that it does not have the file.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub denials: u32,
    /// Number of these attempts that got another file than was stated, or nothing that can be told from an excuse.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub mismatches: u32,
    /// End of a job's lease, if another job may come for it meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_until: Option<Timestamp>,
    /// Deadline for fetching it.
    pub fetch_until: Timestamp,
    /// End of retention of its message, and of everything stored with it.
    pub kept_until: Timestamp,
    /// Time to queue its job again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// Number of times the dispatcher has queued it since it last changed.
    #[serde(default)]
    pub dispatches: u32,
    /// Correlation id of the message.
    pub correlation_id: String,
    /// Raised by every write, and the condition of the next one.
    pub version: u64,
}

/// Seconds before the second attempt, the third, and so on. The last one holds for all further attempts.
const WAITS: [i64; 7] = [30, 60, 300, 900, 1_800, 3_600, 10_800];

/// Number of denials that convince us: a webhook can be faster than its file.
const MAX_DENIALS: u32 = 3;

/// Number of mismatches from which on the connection is not at fault.
const MAX_MISMATCHES: u32 = 5;

/// Neither denials nor mismatches count as final before this time after the webhook, however many there are: a provider in trouble, or a
/// token without its permission, denies every file for as long as that lasts.
const BELIEVED_AFTER: SignedDuration = SignedDuration::from_hours(6);

/// Time that a job may take for a file: the time-out of its function.
const TAKEN_FOR: SignedDuration = SignedDuration::from_secs(120);

impl Medium {
    /// Validity of media ids in webhooks of WhatsApp. Twilio keeps media until they are deleted: nobody waits longer for them, either.
    pub const FETCHED_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

    /// The row of a medium stays this much longer than its message, so that its file is deleted even if the dispatcher is late.
    pub const STAYS_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

    /// The medium of a message that is stored now.
    pub fn pending(
        message: MessageId,
        index: u8,
        reported: &InboundMedia,
        correlation_id: &str,
        now: Timestamp,
        kept_until: Timestamp,
        first_due: SignedDuration,
    ) -> Self {
        Self {
            message,
            index,
            kind: reported.kind(),
            state: MediumState::Pending,
            reason: None,
            mime: None,
            bytes: None,
            sha256: None,
            attempts: 0,
            denials: 0,
            mismatches: 0,
            taken_until: None,
            fetch_until: now + Self::FETCHED_FOR,
            kept_until,
            due: Some(now + first_due),
            dispatches: 0,
            correlation_id: correlation_id.to_owned(),
            version: 0,
        }
    }

    /// Whether it has a file.
    pub const fn is_stored(&self) -> bool {
        matches!(self.state, MediumState::Scanning | MediumState::Ready)
    }

    /// Whether it waits for its next attempt, which the dispatcher has not queued yet: a job for it has come twice.
    pub fn waits(&self, now: Timestamp) -> bool {
        self.attempts > 0 && self.dispatches == 0 && self.due.is_some_and(|due| now < due)
    }

    /// Takes it for a job, if another one may come for it meanwhile: the dispatcher has queued it before anybody has tried it, or more than
    /// once. Returns whether there is something to write.
    pub fn take(&mut self, now: Timestamp) -> bool {
        let known = u32::from(self.attempts > 0);
        let several = self.dispatches > known;
        if several {
            self.taken_until = Some(now + TAKEN_FOR);
        }
        several
    }

    /// Rest of the lease of another job; `None` if none is fetching it.
    pub fn taken_for(&self, now: Timestamp) -> Option<SignedDuration> {
        let left = self.taken_until?.duration_since(now);
        left.is_positive().then_some(left)
    }

    /// Waits for another attempt, at least as long as the provider asks for, or gives up.
    pub fn try_again(&mut self, now: Timestamp, at_least: Option<SignedDuration>) {
        let last = WAITS.len() - 1;
        let place = usize::try_from(self.attempts).unwrap_or(last).min(last);
        let wait = SignedDuration::from_secs(WAITS[place]).max(at_least.unwrap_or_default());
        self.attempts = self.attempts.saturating_add(1);
        (self.dispatches, self.taken_until) = (0, None);
        if now + wait > self.fetch_until {
            self.end(MediumState::Gone, MediaReason::Expired);
        } else {
            self.due = Some(now + wait);
        }
    }

    /// Whether the provider has had the time to recover from what it may have said by mistake.
    fn is_believed(&self, now: Timestamp) -> bool {
        let recovers_until = Self::FETCHED_FOR.saturating_sub(BELIEVED_AFTER);
        self.fetch_until.duration_since(now) <= recovers_until
    }

    /// Counts a denial by the provider. Enough of them end the fetching; other failures do not count.
    pub fn is_denied(&mut self, now: Timestamp) {
        self.denials = self.denials.saturating_add(1);
        if self.denials >= MAX_DENIALS && self.is_believed(now) {
            self.lose(MediaReason::Deleted);
        } else {
            self.try_again(now, None);
        }
    }

    /// Counts the arrival of something that the customer may not have sent. Enough of them refuse the medium for this reason.
    pub fn is_mismatched(&mut self, reason: MediaReason, now: Timestamp) {
        self.mismatches = self.mismatches.saturating_add(1);
        if self.mismatches >= MAX_MISMATCHES && self.is_believed(now) {
            self.refuse(reason);
        } else {
            self.try_again(now, None);
        }
    }

    /// It is stored, and may wait for a verdict.
    pub fn record_stored(&mut self, mime: &str, bytes: u64, sha256: String, scanned: bool) {
        self.state = if scanned {
            MediumState::Scanning
        } else {
            MediumState::Ready
        };
        self.mime = Some(mime.to_owned());
        self.bytes = Some(bytes);
        self.sha256 = Some(sha256);
        (self.dispatches, self.taken_until) = (0, None);
        self.due = Some(self.kept_until);
    }

    /// The scanner has found nothing in it.
    pub const fn pass(&mut self) {
        self.state = MediumState::Ready;
    }

    /// It is refused, because of what it is. Its file, if there is one, is the caller's to delete.
    pub fn refuse(&mut self, reason: MediaReason) {
        self.end(MediumState::Refused, reason);
    }

    /// It is not to be had.
    pub fn lose(&mut self, reason: MediaReason) {
        self.end(MediumState::Gone, reason);
    }

    fn end(&mut self, state: MediumState, reason: MediaReason) {
        (self.state, self.reason) = (state, Some(reason));
        (self.mime, self.bytes, self.sha256) = (None, None, None);
        // Nothing is stored, so the row goes by itself.
        (self.due, self.dispatches, self.taken_until) = (None, 0, None);
    }

    /// Time when its row is deleted, if nobody has deleted it by then.
    pub fn expires_at(&self) -> Timestamp {
        if self.due.is_none() {
            return self.kept_until;
        }
        self.kept_until.checked_add(Self::STAYS_FOR).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json, to_value};
    use ulid::Ulid;

    use super::*;
    use crate::terms::ContactId;

    fn medium() -> Medium {
        let message = MessageId::new(ContactId::new(Ulid::from_parts(1, 2)), Ulid::from_parts(3, 4));
        let (now, until) = (at(0), at(90 * 24 * 3_600));
        let reported = InboundMedia::new("1".to_owned());
        Medium::pending(message, 0, &reported, "cor", now, until, SignedDuration::from_secs(90))
    }

    fn outcome(medium: &Medium) -> (MediumState, Option<MediaReason>) {
        (medium.state, medium.reason)
    }

    /// Seconds until a provider is believed.
    const LATE: i64 = 6 * 3_600;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_176_000 + second).unwrap()
    }

    #[test]
    fn media_of_former_rows_are_read_and_written_as_they_were() {
        let former: InboundMedia = from_value(json!("700000000000001")).unwrap();
        assert_eq!(former, InboundMedia::new("700000000000001".to_owned()));
        assert_eq!(to_value(&former).unwrap(), json!("700000000000001"));
        let whole = json!({"source": "7", "kind": "audio", "mime": "audio/ogg; codecs=opus", "voice": true});
        let read: InboundMedia = from_value(whole.clone()).unwrap();
        assert_eq!((read.kind(), read.voice), (MediaKind::Audio, true));
        assert_eq!(to_value(&read).unwrap(), whole);
    }

    #[test]
    fn a_kind_that_is_not_named_follows_from_the_type() {
        let of = |mime: &str| {
            let mime = Some(mime.to_owned());
            InboundMedia {
                mime,
                ..InboundMedia::new(String::new())
            }
            .kind()
        };
        assert_eq!(of("image/heic"), MediaKind::Image);
        assert_eq!(of("image/webp"), MediaKind::Image, "stickers are named");
        assert_eq!(of("application/pdf"), MediaKind::Document);
        assert_eq!(of("audio/x-wav"), MediaKind::Audio);
        assert_eq!(of("text/vcard"), MediaKind::Document);
        assert_eq!(InboundMedia::new(String::new()).kind(), MediaKind::Document);
    }

    #[test]
    fn a_medium_is_tried_for_a_week_and_then_gone() {
        let mut medium = medium();
        let (mut now, mut waits) = (at(0), Vec::new());
        while medium.state == MediumState::Pending {
            medium.try_again(now, None);
            if let Some(due) = medium.due {
                waits.push(due.duration_since(now).as_secs());
                now = due;
            }
        }
        assert_eq!(waits[..8], [30, 60, 300, 900, 1_800, 3_600, 10_800, 10_800]);
        assert!(
            now.duration_since(at(0)) > SignedDuration::from_hours(7 * 24 - 4),
            "{now}"
        );
        assert_eq!(outcome(&medium), (MediumState::Gone, Some(MediaReason::Expired)));
        assert_eq!((medium.due, medium.expires_at()), (None, medium.kept_until));
    }

    #[test]
    fn a_provider_that_asks_for_time_gets_it() {
        let mut medium = medium();
        medium.try_again(at(0), Some(SignedDuration::from_secs(600)));
        assert_eq!(medium.due, Some(at(600)));
        medium.try_again(at(600), Some(SignedDuration::from_secs(1)));
        assert_eq!(medium.due, Some(at(660)));
    }

    #[test]
    fn a_mismatch_is_refused_in_the_end() {
        let mut medium = medium();
        for _ in 0..4 {
            medium.is_mismatched(MediaReason::WrongHash, at(LATE));
            assert_eq!(medium.state, MediumState::Pending);
        }
        medium.is_mismatched(MediaReason::Empty, at(LATE));
        let refused = (MediumState::Refused, Some(MediaReason::Empty));
        assert_eq!(outcome(&medium), refused, "for what came last");
    }

    #[test]
    fn nothing_is_believed_in_the_first_hours() {
        let (mut denied, mut mismatched) = (medium(), medium());
        for _ in 0..9 {
            denied.is_denied(at(LATE - 1));
            mismatched.is_mismatched(MediaReason::TooLarge, at(LATE - 1));
        }
        assert_eq!(
            (denied.state, mismatched.state),
            (MediumState::Pending, MediumState::Pending)
        );
        denied.is_denied(at(LATE));
        mismatched.is_mismatched(MediaReason::TooLarge, at(LATE));
        assert_eq!(outcome(&denied), (MediumState::Gone, Some(MediaReason::Deleted)));
        let refused = (MediumState::Refused, Some(MediaReason::TooLarge));
        assert_eq!(outcome(&mismatched), refused);
    }

    #[test]
    fn denials_and_mismatches_are_counted_on_their_own() {
        let mut medium = medium();
        for _ in 0..6 {
            medium.try_again(at(LATE), None);
        }
        for _ in 0..2 {
            medium.is_denied(at(LATE));
            medium.is_mismatched(MediaReason::WrongHash, at(LATE));
        }
        assert_eq!((medium.state, medium.attempts), (MediumState::Pending, 10));
        medium.is_denied(at(LATE));
        assert_eq!(outcome(&medium), (MediumState::Gone, Some(MediaReason::Deleted)));
    }

    #[test]
    fn a_medium_waits_until_it_is_due_or_queued() {
        let mut medium = medium();
        assert!(!medium.waits(at(0)), "its first job comes before it is due");
        medium.try_again(at(0), None);
        assert!(medium.waits(at(29)) && !medium.waits(at(30)));
        // The dispatcher has queued it, and will do so again.
        (medium.dispatches, medium.due) = (1, Some(at(120)));
        assert!(!medium.waits(at(31)));
    }

    #[test]
    fn a_medium_is_taken_if_several_jobs_may_come() {
        for (attempts, dispatches, taken) in [(0, 0, false), (0, 1, true), (3, 1, false), (3, 2, true)] {
            let mut medium = medium();
            (medium.attempts, medium.dispatches) = (attempts, dispatches);
            assert_eq!(medium.take(at(0)), taken, "{attempts} {dispatches}");
            let left = taken.then(|| SignedDuration::from_secs(1));
            assert_eq!(medium.taken_for(at(119)), left, "{attempts} {dispatches}");
            assert_eq!(medium.taken_for(at(120)), None, "its job was killed");
            medium.try_again(at(60), None);
            assert_eq!(medium.taken_for(at(60)), None);
        }
    }

    /// Older rows do not have the counts, either.
    #[test]
    fn a_medium_without_them_has_no_counts_in_its_row() {
        let row = to_value(medium()).unwrap();
        let absent = ["denials", "mismatches", "taken_until"];
        assert!(absent.iter().all(|field| row.get(field).is_none()), "{row}");
        assert_eq!(from_value::<Medium>(row).unwrap(), medium());
    }

    #[test]
    fn a_stored_medium_is_due_when_its_message_goes() {
        let mut medium = medium();
        medium.record_stored("image/png", 8, "00".to_owned(), true);
        assert_eq!(
            (medium.state, medium.due),
            (MediumState::Scanning, Some(medium.kept_until))
        );
        assert_eq!(medium.expires_at(), medium.kept_until + Medium::STAYS_FOR);
        medium.refuse(MediaReason::Harmful);
        assert!(!medium.is_stored() && medium.bytes.is_none());
    }
}
