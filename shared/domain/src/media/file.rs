//! Files of messages: their kinds and types at WhatsApp, what their content is, their names and hashes, and why one is refused or gone.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::media::{OCTETS, OLE, Sniffed, is_animated, is_opus, sniff};
use crate::terms::{Fact, Fault, FaultCode, FileId, visible_text};

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

const fn known_type(mime: &'static str, kind: MediaKind, ending: &'static str, inline: bool) -> Known {
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
    known_type("image/jpeg", MediaKind::Image, "jpg", true),
    known_type("image/png", MediaKind::Image, "png", true),
    known_type("video/mp4", MediaKind::Video, "mp4", true),
    known_type("video/3gpp", MediaKind::Video, "3gp", true),
    known_type("audio/aac", MediaKind::Audio, "aac", true),
    known_type("audio/amr", MediaKind::Audio, "amr", true),
    known_type("audio/mpeg", MediaKind::Audio, "mp3", true),
    known_type("audio/mp4", MediaKind::Audio, "m4a", true),
    known_type("audio/ogg", MediaKind::Audio, "ogg", true),
    known_type(PDF, MediaKind::Document, "pdf", false),
    known_type("text/plain", MediaKind::Document, "txt", false),
    known_type(DOC, MediaKind::Document, "doc", false),
    known_type(XLS, MediaKind::Document, "xls", false),
    known_type(PPT, MediaKind::Document, "ppt", false),
    known_type(DOCX, MediaKind::Document, "docx", false),
    known_type(XLSX, MediaKind::Document, "xlsx", false),
    known_type(PPTX, MediaKind::Document, "pptx", false),
    known_type("image/webp", MediaKind::Sticker, "webp", true),
];

/// The type without its parameters, in lower case.
pub fn mime_essence(mime: &str) -> String {
    mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn find(mime: &str) -> Option<&'static Known> {
    let mime = mime_essence(mime);
    TYPES.iter().find(|known| known.mime == mime)
}

words! {
    /// The name for software, which is also Meta's.
    MediaKind {
        Image = "image",
        Video = "video",
        Audio = "audio",
        Document = "document",
        Sticker = "sticker",
    }
}

impl MediaKind {
    /// The kind with this name.
    pub fn from_name(word: &str) -> Option<Self> {
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
pub fn media_types() -> impl Iterator<Item = &'static str> {
    TYPES.iter().map(|known| known.mime)
}

/// The type as the table spells it; `None` if WhatsApp does not take it.
pub fn find_media_type(mime: &str) -> Option<&'static str> {
    find(mime).map(|known| known.mime)
}

/// The ending of names of files of this type.
pub fn file_ending(mime: &str) -> &'static str {
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
    let found = sniff(beginning);
    let of = |group: &str| match found {
        Sniffed::Type(mime) => Some(mime).filter(|mime| mime.starts_with(group)),
        _ => None,
    };
    match kind {
        MediaKind::Image => of("image/"),
        MediaKind::Sticker => of("image/webp").or_else(|| of("image/png")),
        MediaKind::Video => of("video/"),
        // Containers of video without a picture.
        MediaKind::Audio => of("audio/").or(match found {
            Sniffed::Type("video/mp4") => Some("audio/mp4"),
            Sniffed::Type("video/3gpp") => Some("audio/3gpp"),
            _ => None,
        }),
        MediaKind::Document => match found {
            Sniffed::Program => None,
            Sniffed::Text => Some("text/plain"),
            Sniffed::Markup | Sniffed::Unknown => Some(OCTETS),
            Sniffed::Type(mime) => {
                let own = declared.iter().find_map(|declared| of_office(declared, mime));
                Some(own.unwrap_or(mime))
            }
        },
    }
}

/// Whether a file that begins like this may be a page or a message of the provider's instead of the file that was declared: it is markup or
/// text, which the declared type has not, or comes as another type than the declared one.
pub fn may_be_excuse(declared: &str, delivered: Option<&str>, beginning: &[u8]) -> bool {
    let is_markup = match sniff(beginning) {
        Sniffed::Markup => true,
        Sniffed::Text => false,
        Sniffed::Program | Sniffed::Type(_) | Sniffed::Unknown => return false,
    };
    let declared = mime_essence(declared);
    let is_other = |delivered: String| delivered != declared && is_said(&delivered);
    if delivered.map(mime_essence).is_some_and(is_other) {
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
pub fn why_not_taken(mime: &str, bytes: u64, beginning: &[u8]) -> Option<MediaReason> {
    match mime {
        "image/webp" if bytes > STILL_STICKER && !is_animated(beginning) => Some(MediaReason::TooLarge),
        "audio/ogg" if !is_opus(beginning) => Some(MediaReason::WrongType),
        _ => None,
    }
}

/// Office's own type, if the found one is its container's: the beginning of a file does not tell them apart.
fn of_office(declared: &str, found: &'static str) -> Option<&'static str> {
    let families: [(&[&str], [&str; 3]); 2] = [
        (&[ZIP, DOCX, XLSX, PPTX], [DOCX, XLSX, PPTX]),
        (&[OLE], [DOC, XLS, PPT]),
    ];
    let declared = find_media_type(declared)?;
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
    "type": "string", "enum": media_types().collect::<Vec<_>>(), "examples": ["image/jpeg"],
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

    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl FromStr for MediaType {
    type Err = NotTaken;

    fn from_str(text: &str) -> Result<Self, NotTaken> {
        find_media_type(text)
            .filter(|own| *own == text)
            .map(Self)
            .ok_or(NotTaken)
    }
}

parsed!(MediaType => error, Fault::new(FaultCode::NotOneOf, error.to_string()).and("expected", media_types().collect::<Fact>()));

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

    /// Makes a name of the usable parts of one that a provider reports; `None` if nothing is left.
    pub fn of(text: &str) -> Option<Self> {
        let last = text.rsplit(is_separator).next().unwrap_or_default();
        let letters = last.trim().chars().filter(|letter| !letter.is_control());
        letters.take(Self::MAX_LENGTH).collect::<String>().parse().ok()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of a saved file of this type: without invisible signs and those that systems refuse, and with the type's ending. Texts and
    /// unknown types also keep an ending of files that nothing runs.
    pub fn name_to_save(&self, mime: &str) -> String {
        let sign = |sign| if r#"<>:"|?*"#.contains(sign) { '_' } else { sign };
        let name: String = visible_text(&self.0).chars().map(sign).collect();
        let name = name.trim_matches(|sign: char| sign == '.' || sign.is_whitespace());
        let own = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        let own = own.as_deref().unwrap_or_default();
        let ending = file_ending(mime);
        let is_open = matches!(ending, "bin" | "txt");
        let fits = own == ending || (is_open && INERT.split_whitespace().any(|known| known == own));
        match (name, fits) {
            ("", _) => format!("file.{ending}"),
            (name, true) => name.to_owned(),
            (name, false) => format!("{name}.{ending}"),
        }
    }
}

/// Endings of files that programs read and no system runs.
const INERT: &str = "7z ai avi bmp csv doc docx dwg dxf eml epub eps gif gpx heic heif ics jpeg jpg json key kml log m4v md mkv mov msg mp3 mp4 \
                     numbers odp ods odt ogg pages pdf png ppt pptx psd rar rtf stl step tar tgz tif tiff tsv txt vcf wav webm webp wma wmv xls \
                     xlsx zip";

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
    /// The asset, or the attachment.
    pub asset_id: FileId,
    /// Kind as which it is sent.
    pub kind: MediaKind,
    /// Name that the recipient sees, of a document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<FileName>,
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
    /// The provider no longer has it.
    Deleted,
    /// The provider did not deliver it before the end of its own retention.
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

#[cfg(test)]
mod tests {
    use serde_json::{json, to_value};

    use super::*;

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
            assert_eq!(MediaKind::from_name(kind.as_str()), Some(kind));
            assert_eq!(to_value(kind).unwrap(), json!(kind.as_str()));
        }
        assert!(media_types().all(|mime| find_media_type(mime) == Some(mime)));
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
            // Wrong declarations.
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
            // The declared type stays.
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
                why_not_taken(mime, bytes, beginning),
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

    /// It has its sender's name, and an ending of files that no system runs.
    #[test]
    fn a_saved_file_has_a_safe_name() {
        for (name, mime, saved) in [
            ("Quote 12.pdf", PDF, "Quote 12.pdf"),
            ("Quote 12.PDF", PDF, "Quote 12.PDF"),
            ("قائمة", PDF, "قائمة.pdf"),
            ("quote.docx", PDF, "quote.docx.pdf"),
            ("orders.csv", "text/plain", "orders.csv"),
            ("plan.dwg", OCTETS, "plan.dwg"),
            ("photos.zip", ZIP, "photos.zip"),
            ("scan.tiff", "image/tiff", "scan.tiff"),
            ("notes", "text/plain", "notes.txt"),
            ("install.bat", "text/plain", "install.bat.txt"),
            ("page.html", OCTETS, "page.html.bin"),
            ("invoice.xml", OCTETS, "invoice.xml.bin"),
            ("menu.pdf.exe", OCTETS, "menu.pdf.exe.bin"),
            ("exe.\u{202e}fdp.js", OCTETS, "exe.fdp.js.bin"),
            ("a:b?\".pdf. ", PDF, "a_b__.pdf"),
            (".htaccess", "text/plain", "htaccess.txt"),
            ("\u{200b}", PDF, "file.pdf"),
        ] {
            assert_eq!(FileName::of(name).unwrap().name_to_save(mime), saved, "{name:?}");
        }
    }
}
