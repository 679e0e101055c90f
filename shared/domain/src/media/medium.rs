//! Media: pictures, sound, video and documents in messages. What a customer sends is stored as a message first; its media are fetched
//! afterwards, each by a job of its own, whose state is a [`Medium`].

use std::{fmt, str::FromStr};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    base::{
        bounded::is_zero,
        facts::Fact,
        fault::{Fault, FaultCode},
        ids::{AssetId, MessageId},
    },
    media::sniff::{self, OCTETS, OLE},
};

/// Maximum media of a message: Twilio's.
pub const MAX_MEDIA: usize = 10;

/// Kind of a medium at WhatsApp.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// A picture.
    Image,
    /// A video.
    Video,
    /// Sound, such as a voice note.
    Audio,
    /// Any other file.
    #[default]
    Document,
    /// A sticker, which may be animated.
    Sticker,
}

const KB: u64 = 1024;
const MB: u64 = 1024 * KB;

/// Maximum size of a sticker that does not move.
const STILL_STICKER: u64 = 100 * KB;

/// A content type of the Cloud API: its kind, the ending of file names, and whether browsers may show it in a page of ours. Nothing of
/// these runs scripts.
struct Known {
    mime: &'static str,
    kind: MediaKind,
    ending: &'static str,
    inline: bool,
}

const fn known(mime: &'static str, kind: MediaKind, ending: &'static str, inline: bool) -> Known {
    Known {
        mime,
        kind,
        ending,
        inline,
    }
}

const PDF: &str = "application/pdf";
const ZIP: &str = "application/zip";
const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const PPTX: &str = "application/vnd.openxmlformats-officedocument.presentationml.presentation";
const DOC: &str = "application/msword";
const XLS: &str = "application/vnd.ms-excel";
const PPT: &str = "application/vnd.ms-powerpoint";

/// The types that WhatsApp takes. Source: developers.facebook.com, "Supported media types".
const TYPES: [Known; 18] = [
    known("image/jpeg", MediaKind::Image, "jpg", true),
    known("image/png", MediaKind::Image, "png", true),
    known("video/mp4", MediaKind::Video, "mp4", true),
    known("video/3gpp", MediaKind::Video, "3gp", true),
    known("audio/aac", MediaKind::Audio, "aac", true),
    known("audio/amr", MediaKind::Audio, "amr", true),
    known("audio/mpeg", MediaKind::Audio, "mp3", true),
    known("audio/mp4", MediaKind::Audio, "m4a", true),
    known("audio/ogg", MediaKind::Audio, "ogg", true),
    known(PDF, MediaKind::Document, "pdf", false),
    known("text/plain", MediaKind::Document, "txt", false),
    known(DOC, MediaKind::Document, "doc", false),
    known(XLS, MediaKind::Document, "xls", false),
    known(PPT, MediaKind::Document, "ppt", false),
    known(DOCX, MediaKind::Document, "docx", false),
    known(XLSX, MediaKind::Document, "xlsx", false),
    known(PPTX, MediaKind::Document, "pptx", false),
    known("image/webp", MediaKind::Sticker, "webp", true),
];

/// The type without its parameters, in lower case.
pub fn essence(mime: &str) -> String {
    mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn find(mime: &str) -> Option<&'static Known> {
    let mime = essence(mime);
    TYPES.iter().find(|known| known.mime == mime)
}

impl MediaKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Image, Self::Video, Self::Audio, Self::Document, Self::Sticker];

    /// The name for software, which is also Meta's.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Document => "document",
            Self::Sticker => "sticker",
        }
    }

    /// The kind with this name.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The kind as which WhatsApp takes a content type; `None` if it does not take it. Parameters of the type and its case do not matter.
    pub fn of(mime: &str) -> Option<Self> {
        find(mime).map(|known| known.kind)
    }

    /// Maximum size in bytes.
    pub const fn most_bytes(self) -> u64 {
        match self {
            Self::Image => 5 * MB,
            Self::Video | Self::Audio => 16 * MB,
            Self::Document => 100 * MB,
            Self::Sticker => 500 * KB,
        }
    }
}

/// The types that WhatsApp takes.
pub fn types() -> impl Iterator<Item = &'static str> {
    TYPES.iter().map(|known| known.mime)
}

/// The same type as the table spells it; `None` if WhatsApp does not take it.
pub fn type_named(mime: &str) -> Option<&'static str> {
    find(mime).map(|known| known.mime)
}

/// The ending of names of files of this type.
pub fn ending(mime: &str) -> &'static str {
    find(mime).map_or("bin", |known| known.ending)
}

/// Whether browsers may show files of this type in a page. Others are only saved.
pub fn is_shown_inline(mime: &str) -> bool {
    find(mime).is_some_and(|known| known.inline)
}

/// The content type of a file that begins like this, if it is what the kind may have: the found one, whatever was declared. `None` for
/// another kind, for programs, and for markup and scripts, unless they are sent as documents: then they are bytes without a type. The
/// declared types tell Office's files apart, the first that fits.
pub fn content_type(kind: MediaKind, declared: &[&str], beginning: &[u8]) -> Option<&'static str> {
    let found = sniff::found(beginning);
    let of = |group: &str| match found {
        sniff::Found::Type(mime) => Some(mime).filter(|mime| mime.starts_with(group)),
        _ => None,
    };
    match kind {
        MediaKind::Image => of("image/"),
        MediaKind::Sticker => of("image/webp").or_else(|| of("image/png")),
        MediaKind::Video => of("video/"),
        // Containers of video without a picture.
        MediaKind::Audio => of("audio/").or(match found {
            sniff::Found::Type("video/mp4") => Some("audio/mp4"),
            sniff::Found::Type("video/3gpp") => Some("audio/3gpp"),
            _ => None,
        }),
        MediaKind::Document => match found {
            sniff::Found::Program => None,
            sniff::Found::Text => Some("text/plain"),
            sniff::Found::Markup | sniff::Found::Unknown => Some(OCTETS),
            sniff::Found::Type(mime) => {
                let own = declared.iter().find_map(|declared| of_office(declared, mime));
                Some(own.unwrap_or(mime))
            }
        },
    }
}

/// Whether a file that begins like this may be a page or a message of the provider's instead of the file that was declared: it is markup or
/// text, which the declared type has not, or comes as another type than the declared one.
pub fn may_be_excuse(declared: &str, delivered: Option<&str>, beginning: &[u8]) -> bool {
    let is_markup = match sniff::found(beginning) {
        sniff::Found::Markup => true,
        sniff::Found::Text => false,
        sniff::Found::Program | sniff::Found::Type(_) | sniff::Found::Unknown => return false,
    };
    let declared = essence(declared);
    let is_other = |delivered: String| delivered != declared && is_said(&delivered);
    if delivered.map(essence).is_some_and(is_other) {
        return true;
    }
    let group = declared.split('/').next().unwrap_or_default();
    match declared.as_str() {
        // Nothing is known of it.
        "" | OCTETS => false,
        // Other programs write tables as text or markup under this name, too.
        XLS => false,
        "text/plain" | "text/csv" | "text/vcard" | "text/x-vcard" | "text/calendar" => is_markup,
        PDF | ZIP | DOCX | XLSX | PPTX | DOC | PPT => true,
        // Pictures such as SVG are texts.
        mime if mime.ends_with("+xml") || mime.ends_with("+json") => false,
        _ => matches!(group, "image" | "video" | "audio" | "font"),
    }
}

/// Whether servers send pages and messages of errors as this type.
fn is_said(mime: &str) -> bool {
    matches!(
        mime,
        "text/html"
            | "text/xml"
            | "application/json"
            | "application/problem+json"
            | "application/xhtml+xml"
            | "application/xml"
    )
}

/// Why WhatsApp does not take a file of one of its types that has this size and begins like this; `None` if it does. Source:
/// developers.facebook.com, "Supported media types": sound in Ogg is Opus, and stickers that do not move are smaller.
pub fn not_taken(mime: &str, bytes: u64, beginning: &[u8]) -> Option<MediaReason> {
    match mime {
        "image/webp" if bytes > STILL_STICKER && !sniff::is_animated(beginning) => Some(MediaReason::TooLarge),
        "audio/ogg" if !sniff::is_opus(beginning) => Some(MediaReason::WrongType),
        _ => None,
    }
}

/// Office's own type, if the found one is that of its container: the beginning of a file does not tell them apart.
fn of_office(declared: &str, found: &'static str) -> Option<&'static str> {
    let families: [(&[&str], [&str; 3]); 2] = [
        (&[ZIP, DOCX, XLSX, PPTX], [DOCX, XLSX, PPTX]),
        (&[OLE], [DOC, XLS, PPT]),
    ];
    let declared = type_named(declared)?;
    let fits = families
        .iter()
        .any(|(containers, own)| containers.contains(&found) && own.contains(&declared));
    fits.then_some(declared)
}

/// A content type that WhatsApp takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct MediaType(&'static str);

shown_as!(MediaType, {
    "type": "string", "enum": types().collect::<Vec<_>>(), "examples": ["image/jpeg"],
});

/// WhatsApp takes no files of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("WhatsApp takes no files of this type")]
pub struct NotTaken;

impl MediaType {
    /// The kind as which WhatsApp takes it.
    pub fn kind(self) -> MediaKind {
        MediaKind::of(self.0).unwrap_or_default()
    }

    /// The text.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl FromStr for MediaType {
    type Err = NotTaken;

    fn from_str(text: &str) -> Result<Self, NotTaken> {
        type_named(text).filter(|own| *own == text).map(Self).ok_or(NotTaken)
    }
}

parsed!(MediaType => error, Fault::new(FaultCode::NotOneOf, error.to_string()).and("expected", types().collect::<Fact>()));

/// SHA-256 of a file: 64 hexadecimal digits, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct FileHash(String);

shown_as!(FileHash, {
    "type": "string", "pattern": "^[0-9a-f]{64}$",
    "examples": ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
});

/// A text is no SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 has 64 hexadecimal digits, in lower case")]
pub struct NotAHash;

impl FromStr for FileHash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let fits = text.len() == 64 && text.bytes().all(is_digit);
        fits.then(|| Self(text.to_owned())).ok_or(NotAHash)
    }
}

impl From<FileHash> for String {
    fn from(FileHash(text): FileHash) -> Self {
        text
    }
}

parsed!(
    FileHash,
    "SHA-256",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
);

/// Name of a file, as somebody else chose it: 1 to 240 characters, among them neither separators of paths nor control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct FileName(String);

shown_as!(FileName, {
    "type": "string", "minLength": 1, "maxLength": FileName::MAX_LENGTH,
    "pattern": "^[^/\\\\\\u0000-\\u001f\\u007f-\\u009f]+$", "examples": ["menu.pdf"],
});

/// A text is no name of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the name of a file has 1 to {} characters, no control characters, and no slashes and backslashes",
    FileName::MAX_LENGTH
)]
pub struct NotAFileName;

impl FileName {
    /// Maximum number of characters.
    pub const MAX_LENGTH: usize = 240;

    /// What can be kept of a name that a provider reports; `None` if that is nothing.
    pub fn of(text: &str) -> Option<Self> {
        let last = text.rsplit(is_separator).next().unwrap_or_default();
        let letters = last.trim().chars().filter(|letter| !letter.is_control());
        letters.take(Self::MAX_LENGTH).collect::<String>().parse().ok()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const fn is_separator(letter: char) -> bool {
    matches!(letter, '/' | '\\')
}

impl FromStr for FileName {
    type Err = NotAFileName;

    fn from_str(text: &str) -> Result<Self, NotAFileName> {
        let text = text.trim();
        // Longer ones are not examined.
        let found = text.chars().take(Self::MAX_LENGTH + 1).count();
        let fit = (1..=Self::MAX_LENGTH).contains(&found)
            && !text.chars().any(|letter| letter.is_control() || is_separator(letter))
            && !matches!(text, "." | "..");
        fit.then(|| Self(text.to_owned())).ok_or(NotAFileName)
    }
}

parsed!(FileName, "file name", "menu.pdf");

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An asset in a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AssetUse {
    /// The asset.
    pub asset_id: AssetId,
    /// Kind as which it is sent.
    pub kind: MediaKind,
    /// Name that the recipient sees, of a document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<FileName>,
}

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

    /// One of which nothing but the source is known.
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

    /// Its kind: the named one, or that of the declared type. Stickers are named by whoever has them, so that any other picture in their
    /// format is a picture.
    pub fn kind(&self) -> MediaKind {
        let declared = || {
            let mime = essence(self.mime.as_deref()?);
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

/// Why a file is refused or gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MediaReason {
    /// It has no content.
    Empty,
    /// It is larger than files of its kind may be.
    TooLarge,
    /// It has another size than stated.
    WrongSize,
    /// Its content is not what its kind may have, or is a program.
    WrongType,
    /// Its content has not the hash that was stated, however often it was fetched.
    WrongHash,
    /// The scanner has found something harmful in it.
    Harmful,
    /// It was named by an address that is not the provider's.
    Elsewhere,
    /// The provider does not have it any more.
    Deleted,
    /// The provider did not give it within the time for which it keeps media.
    Expired,
    /// The connection that received it was deleted, or has no credentials.
    Disconnected,
}

impl MediaReason {
    /// The reason as a sentence.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Empty => "The file is empty.",
            Self::TooLarge => "The file is larger than files of its kind may be.",
            Self::WrongSize => "The file has another size than stated.",
            Self::WrongType => "The content of the file is not what its kind may have.",
            Self::WrongHash => "The file has another hash than stated.",
            Self::Harmful => "The scanner has found something harmful in the file.",
            Self::Elsewhere => "The file was named by an address that is not the provider's.",
            Self::Deleted => "The provider does not have the file any more.",
            Self::Expired => "The provider did not give the file within the time for which it keeps files.",
            Self::Disconnected => "The connection that received the file was deleted, or has no credentials.",
        }
    }
}

/// A medium of a customer's message on its way into the bucket: a row beside the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Medium {
    /// The message.
    pub message: MessageId,
    /// Its place among the message's media, from 0.
    pub index: u8,
    /// Its kind.
    pub kind: MediaKind,
    /// Its state.
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
    /// Among them those to which the provider said that it does not have it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub denials: u32,
    /// Among them those in which another file arrived than was stated, or nothing that can be told from an excuse.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub mismatches: u32,
    /// Time until which a job may be fetching it, if another job may come for it meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_until: Option<Timestamp>,
    /// Time until which it is fetched.
    pub fetch_until: Timestamp,
    /// Time until which its message is kept, and what is stored with it.
    pub kept_until: Timestamp,
    /// Time at which its job is to be queued again.
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

/// Denials after which the provider is believed: a webhook can be faster than its file.
const MAX_DENIALS: u32 = 3;

/// Mismatches after which they are not the fault of the connection.
const MAX_MISMATCHES: u32 = 5;

/// Time after the webhook before which neither of them is believed, however many there are: a provider in trouble, or a token without its
/// permission, denies every file for as long as that lasts.
const BELIEVED_AFTER: SignedDuration = SignedDuration::from_hours(6);

/// Time that a job may take for a file: the time-out of its function.
const TAKEN_FOR: SignedDuration = SignedDuration::from_secs(120);

impl Medium {
    /// Validity of media ids in webhooks of WhatsApp. Twilio keeps media until they are deleted: nobody waits longer for them, either.
    pub const FETCHED_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

    /// Time for which the row of a medium stays behind its message, so that its file is deleted although the dispatcher may be late.
    pub const STAYS_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

    /// The medium of a message that is stored now.
    pub fn pending(
        (message, index): (MessageId, u8),
        reported: &InboundMedia,
        correlation_id: &str,
        (now, kept_until): (Timestamp, Timestamp),
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

    /// Time for which another job may still be fetching it; `None` if none is.
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

    /// The same after the provider said that it does not have it, which is believed in the end. What failed otherwise does not count.
    pub fn is_denied(&mut self, now: Timestamp) {
        self.denials = self.denials.saturating_add(1);
        if self.denials >= MAX_DENIALS && self.is_believed(now) {
            self.lose(MediaReason::Deleted);
        } else {
            self.try_again(now, None);
        }
    }

    /// The same after something else may have arrived than the customer has sent, which is refused for this reason in the end.
    pub fn is_mismatched(&mut self, reason: MediaReason, now: Timestamp) {
        self.mismatches = self.mismatches.saturating_add(1);
        if self.mismatches >= MAX_MISMATCHES && self.is_believed(now) {
            self.refuse(reason);
        } else {
            self.try_again(now, None);
        }
    }

    /// It is stored, and may wait for a verdict.
    pub fn stored(&mut self, mime: &str, bytes: u64, sha256: String, scanned: bool) {
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

    /// Time at which its row is deleted, if nobody has deleted it by then.
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
    use crate::base::ids::ContactId;

    const JPEG: &[u8] = &[0xFF, 0xD8, 0xFF, 0xE0, 0, 16, b'J', b'F', b'I', b'F'];
    const PNG: &[u8] = &[0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A];
    const WEBP: &[u8] = b"RIFF\x10\0\0\0WEBPVP8 ";
    const MP4: &[u8] = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom";
    const GPP: &[u8] = b"\0\0\0\x18ftyp3gp4\0\0\0\0isom3gp4";
    const OPUS: &[u8] = b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x13OpusHead\x01\x01";
    const PDF_FILE: &[u8] = b"%PDF-1.7\n";
    const BEFORE_2007: &[u8] = &[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, 0, 0];
    const ZIPPED: &[u8] = b"PK\x03\x04\x14\0\0\0\x08\0";
    const ELF: &[u8] = &[
        0x7F, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];

    fn medium() -> Medium {
        let message = MessageId::new(ContactId::new(Ulid::from_parts(1, 2)), Ulid::from_parts(3, 4));
        let (now, until) = (at(0), at(90 * 24 * 3_600));
        let reported = InboundMedia::new("1".to_owned());
        Medium::pending(
            (message, 0),
            &reported,
            "cor",
            (now, until),
            SignedDuration::from_secs(90),
        )
    }

    fn outcome(medium: &Medium) -> (MediumState, Option<MediaReason>) {
        (medium.state, medium.reason)
    }

    /// Seconds after which a provider is believed.
    const LATE: i64 = 6 * 3_600;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_176_000 + second).unwrap()
    }

    #[test]
    fn kinds_follow_from_types_as_whatsapp_has_them() {
        for (mime, kind) in [
            ("image/jpeg", Some(MediaKind::Image)),
            ("IMAGE/PNG", Some(MediaKind::Image)),
            ("image/webp", Some(MediaKind::Sticker)),
            ("audio/ogg; codecs=opus", Some(MediaKind::Audio)),
            ("video/3gpp", Some(MediaKind::Video)),
            ("application/pdf", Some(MediaKind::Document)),
            ("image/svg+xml", None),
            ("text/html", None),
            ("image/gif", None),
            ("", None),
        ] {
            assert_eq!(MediaKind::of(mime), kind, "{mime}");
        }
        for kind in MediaKind::ALL {
            assert_eq!(MediaKind::named(kind.as_str()), Some(kind));
            assert_eq!(to_value(kind).unwrap(), json!(kind.as_str()));
        }
        assert!(types().all(|mime| type_named(mime) == Some(mime)));
    }

    #[test]
    fn content_is_stored_as_what_it_is() {
        use MediaKind::{Audio, Document, Image, Sticker, Video};
        let cases: &[(MediaKind, &str, &[u8], Option<&str>)] = &[
            (Image, "image/jpeg", JPEG, Some("image/jpeg")),
            (Image, "image/jpeg", PNG, Some("image/png")),
            (Sticker, "image/webp", WEBP, Some("image/webp")),
            (Sticker, "image/webp", JPEG, None),
            (Video, "video/mp4", MP4, Some("video/mp4")),
            (Video, "video/3gpp", GPP, Some("video/3gpp")),
            (Audio, "audio/mp4", MP4, Some("audio/mp4")),
            (Audio, "audio/ogg; codecs=opus", OPUS, Some("audio/ogg")),
            (Audio, "audio/mpeg", &[0xFF, 0xF3, 0x40, 0xC0], Some("audio/mpeg")),
            (Audio, "audio/mpeg", b"ID3\x04\0\0", Some("audio/mpeg")),
            (
                Audio,
                "audio/amr",
                b"#!AMR\n\x3C\x91\x17\x16\xBE\x66",
                Some("audio/amr"),
            ),
            (Document, "application/pdf", PDF_FILE, Some("application/pdf")),
            (Document, XLS, BEFORE_2007, Some(XLS)),
            (Document, "image/png", BEFORE_2007, Some(OLE)),
            (Document, PPTX, ZIPPED, Some(PPTX)),
            (Document, "application/zip", ZIPPED, Some("application/zip")),
            (Document, "text/plain", "مرحبا\nHello".as_bytes(), Some("text/plain")),
            (Document, "image/jpeg", JPEG, Some("image/jpeg")),
            // What lies.
            (Image, "image/png", PDF_FILE, None),
            (Image, "image/jpeg", b"<svg xmlns='http://www.w3.org/2000/svg'>", None),
            (Image, "image/png", b"<!DOCTYPE html><script>", None),
            (Image, "image/png", ELF, None),
            (Video, "video/mp4", JPEG, None),
            (Audio, "audio/mpeg", b"hello, this is no sound", None),
            (Document, "text/plain", b"<html><body>", Some(OCTETS)),
            (Document, "image/svg+xml", b"  <svg onload=\"x()\">", Some(OCTETS)),
            (Document, "text/plain", b"#!/bin/sh\nrm", Some(OCTETS)),
            (Document, "application/pdf", ELF, None),
            (Document, "text/plain", &[0, 1, 2, 3, 4, 5], Some(OCTETS)),
            (Image, "image/png", b"", None),
        ];
        for (kind, declared, beginning, expected) in cases {
            let found = content_type(*kind, &[declared], beginning);
            assert_eq!(found, *expected, "{kind:?} {declared} {beginning:?}");
        }
    }

    #[test]
    fn offices_own_type_is_the_first_that_fits() {
        let cases: &[(&[&str], &str)] = &[
            (&[OCTETS, DOCX], DOCX),
            (&[XLSX, DOCX], XLSX),
            (&["image/jpeg", OCTETS], ZIP),
            (&[], ZIP),
        ];
        for (declared, expected) in cases {
            assert_eq!(
                content_type(MediaKind::Document, declared, ZIPPED),
                Some(*expected),
                "{declared:?}"
            );
        }
    }

    #[test]
    fn an_excuse_is_text_where_a_file_has_none() {
        let (page, json) = (&b"<!doctype html><title>Sorry</title>"[..], &b"{\"code\": 20503}"[..]);
        let html = Some("text/html; charset=utf-8");
        let cases: &[(&str, Option<&str>, &[u8], bool)] = &[
            (PDF, html, page, true),
            (PDF, Some(PDF), page, true),
            (DOCX, Some("application/json"), json, true),
            (DOCX, Some(OCTETS), json, true),
            ("image/jpeg", Some("image/jpeg"), page, true),
            ("text/plain", html, page, true),
            ("text/plain", Some("application/json"), json, true),
            ("text/csv", Some("text/csv"), page, true),
            // What it was declared to be.
            ("text/csv", Some("text/csv"), b"1,2", false),
            ("text/csv", Some("text/plain"), b"1,2", false),
            ("text/vcard", Some(OCTETS), b"BEGIN:VCARD", false),
            ("text/html", html, page, false),
            (
                "image/svg+xml",
                Some("image/svg+xml"),
                b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
                false,
            ),
            ("image/svg+xml", html, page, true),
            ("application/json", Some("application/json"), json, false),
            ("application/json", Some(OCTETS), json, false),
            (XLS, Some(XLS), page, false),
            (XLS, html, page, true),
            (OCTETS, Some(OCTETS), page, false),
            ("application/acme", None, page, false),
            (PDF, Some(OCTETS), b"%PDF-1.7\n", false),
            (PDF, html, b"%PDF-1.7\n", false),
            ("image/jpeg", html, ELF, false),
            (PDF, Some(PDF), b"", false),
        ];
        for (declared, delivered, beginning, expected) in cases {
            let found = may_be_excuse(declared, *delivered, beginning);
            assert_eq!(found, *expected, "{declared} {delivered:?} {beginning:?}");
        }
    }

    #[test]
    fn stickers_and_ogg_have_limits_of_their_own() {
        const MOVING: &[u8] = b"RIFF\x10\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0";
        const STILL: &[u8] = b"RIFF\x10\0\0\0WEBPVP8X\x0a\0\0\0\x10\0\0\0";
        const VORBIS: &[u8] = b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x1e\x01vorbis";
        for (mime, bytes, beginning, expected) in [
            ("image/webp", 100 * KB, WEBP, None),
            ("image/webp", 100 * KB + 1, WEBP, Some(MediaReason::TooLarge)),
            ("image/webp", 100 * KB + 1, STILL, Some(MediaReason::TooLarge)),
            ("image/webp", 500 * KB, MOVING, None),
            ("audio/ogg", 9, OPUS, None),
            ("audio/ogg", 9, VORBIS, Some(MediaReason::WrongType)),
            ("audio/ogg", 9, &OPUS[..30], Some(MediaReason::WrongType)),
            ("image/jpeg", 5 * MB, JPEG, None),
        ] {
            assert_eq!(
                not_taken(mime, bytes, beginning),
                expected,
                "{mime} {bytes} {beginning:?}"
            );
        }
    }

    #[test]
    fn types_and_hashes_have_one_spelling() {
        let jpeg: MediaType = "image/jpeg".parse().unwrap();
        assert_eq!((jpeg.as_str(), jpeg.kind()), ("image/jpeg", MediaKind::Image));
        for other in ["IMAGE/JPEG", "image/jpeg; q=1", "text/html", ""] {
            assert_eq!(other.parse::<MediaType>(), Err(NotTaken), "{other}");
        }
        let hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        let read: FileHash = hash.parse().unwrap();
        assert_eq!(String::from(read), hash);
        for other in [&hash[1..], &hash.to_ascii_uppercase(), "", "é"] {
            assert_eq!(other.parse::<FileHash>(), Err(NotAHash), "{other}");
        }
    }

    #[test]
    fn only_what_runs_no_scripts_is_shown_in_a_page() {
        for mime in ["image/png", "video/mp4", "audio/ogg", "image/webp"] {
            assert!(is_shown_inline(mime), "{mime}");
        }
        for mime in [
            "application/pdf",
            "image/svg+xml",
            "text/html",
            "text/plain",
            OCTETS,
            "",
        ] {
            assert!(!is_shown_inline(mime), "{mime}");
        }
    }

    #[test]
    fn a_file_name_is_one_name_of_limited_length() {
        for (reported, kept) in [
            ("policy (final).pdf", Some("policy (final).pdf")),
            ("../../etc/passwd", Some("passwd")),
            ("C:\\Users\\maya\\menu.pdf", Some("menu.pdf")),
            ("قائمة.pdf", Some("قائمة.pdf")),
            ("a\u{0}b\n.txt", Some("ab.txt")),
            ("folder/", None),
            ("..", None),
            ("", None),
        ] {
            let found = FileName::of(reported);
            assert_eq!(found.as_ref().map(FileName::as_str), kept, "{reported:?}");
        }
        assert_eq!(
            FileName::of(&"é".repeat(300)).unwrap().as_str(),
            "é".repeat(FileName::MAX_LENGTH)
        );
        assert!("a/b".parse::<FileName>().is_err() && "x".repeat(241).parse::<FileName>().is_err());
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

    /// Nor do rows of before have the counts.
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
        medium.stored("image/png", 8, "00".to_owned(), true);
        assert_eq!(
            (medium.state, medium.due),
            (MediumState::Scanning, Some(medium.kept_until))
        );
        assert_eq!(medium.expires_at(), medium.kept_until + Medium::STAYS_FOR);
        medium.refuse(MediaReason::Harmful);
        assert!(!medium.is_stored() && medium.bytes.is_none());
    }
}
