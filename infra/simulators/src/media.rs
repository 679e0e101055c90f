//! Media of customers and businesses: their kinds and limits, their bytes, and the faults of a download.

use std::future::ready;
use std::sync::LazyLock;
use std::{fmt, io};

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::stream;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::faults::{Api, Event, Kind as Fault, Rule};
use crate::world::Sims;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// The largest body that anything here accepts: a document, and what is around it in a form.
pub(crate) const BODY_LIMIT: usize = 101 * 1024 * 1024;

/// Bytes that are handed over at a time.
const CHUNK: u64 = 64 * KIB;

/// Where `media_redirect` leads unless its rule says otherwise: the metadata of a cloud's machine, which no caller may reach.
const PRIVATE: &str = "http://169.254.169.254/latest/meta-data/";

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Image,
    Video,
    Audio,
    Document,
    Sticker,
}

/// Types that WhatsApp carries, each with the first bytes of a made-up file.
const TYPES: &[(&str, Kind, &[u8])] = &[
    ("image/jpeg", Kind::Image, include_bytes!("samples/photo.jpg")),
    ("image/png", Kind::Image, include_bytes!("samples/photo.png")),
    (
        "video/mp4",
        Kind::Video,
        b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\0\0\x08free",
    ),
    (
        "video/3gpp",
        Kind::Video,
        b"\0\0\0\x14ftyp3gp4\0\0\0\x003gp4\0\0\0\x08free",
    ),
    ("audio/aac", Kind::Audio, b"\xff\xf1\x50\x80\x00\x1f\xfc"),
    ("audio/amr", Kind::Audio, b"#!AMR\n"),
    ("audio/mpeg", Kind::Audio, b"ID3\x04\0\0\0\0\0\0\xff\xfb\x90\x00"),
    (
        "audio/mp4",
        Kind::Audio,
        b"\0\0\0\x18ftypM4A \0\0\0\0M4A isom\0\0\0\x08free",
    ),
    (
        "audio/ogg",
        Kind::Audio,
        b"OggS\0\x02\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\x01\x13OpusHead\x01\x01\x38\x01\x80\xbb\0\0\0\0\0",
    ),
    ("image/webp", Kind::Sticker, include_bytes!("samples/sticker.webp")),
    ("text/plain", Kind::Document, b"A text of a customer. "),
    ("application/pdf", Kind::Document, b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"),
    ("application/msword", Kind::Document, OLD_OFFICE),
    ("application/vnd.ms-excel", Kind::Document, OLD_OFFICE),
    ("application/vnd.ms-powerpoint", Kind::Document, OLD_OFFICE),
    (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        Kind::Document,
        OFFICE,
    ),
    (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        Kind::Document,
        OFFICE,
    ),
    (
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        Kind::Document,
        OFFICE,
    ),
];

const OLD_OFFICE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
const OFFICE: &[u8] = b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0[Content_Types].xml";

/// A MIME type in lower case, without its parameters.
pub(crate) fn essence(mime: &str) -> String {
    mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn find_type(mime: &str) -> Option<&'static (&'static str, Kind, &'static [u8])> {
    let mime = essence(mime);
    TYPES.iter().find(|row| row.0 == mime)
}

/// The types, for the text of a refusal.
pub(crate) fn allowed_types() -> String {
    let types: Vec<_> = TYPES.iter().map(|row| row.0).collect();
    types.join(", ")
}

impl Kind {
    pub(crate) fn of(mime: &str) -> Option<Self> {
        find_type(mime).map(|row| row.1)
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        let all = [Self::Image, Self::Video, Self::Audio, Self::Document, Self::Sticker];
        all.into_iter().find(|kind| kind.as_str() == name)
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Document => "document",
            Self::Sticker => "sticker",
        }
    }

    /// The largest file, in bytes; a sticker that does not move may have less.
    pub(crate) const fn most_bytes(self, animated: bool) -> u64 {
        match self {
            Self::Image => 5 * MIB,
            Self::Video | Self::Audio => 16 * MIB,
            Self::Document => 100 * MIB,
            Self::Sticker if animated => 500 * KIB,
            Self::Sticker => 100 * KIB,
        }
    }
}

/// The bytes of a file. Made-up ones exist only while they are read, so that large files need no memory.
#[derive(Clone)]
pub(crate) enum Blob {
    Held(Bytes),
    Made { head: &'static [u8], size: u64 },
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.size())
    }
}

/// Bytes that follow the first ones of a made-up file, over and over.
static FILLER: LazyLock<Bytes> = LazyLock::new(|| {
    let line = b"All work and no play makes a dull simulator.\n";
    line.iter()
        .copied()
        .cycle()
        .take(usize::try_from(CHUNK).unwrap_or(65_536))
        .collect()
});

impl Blob {
    /// A file of this type and size; without a size, as small as a sample is.
    pub(crate) fn of_type(mime: &str, size: Option<u64>) -> Self {
        let head = find_type(mime).map_or(&[][..], |row| row.2);
        Self::Made {
            head,
            size: size.unwrap_or(if head.is_empty() { 64 } else { head.len() as u64 }),
        }
    }

    pub(crate) fn size(&self) -> u64 {
        match self {
            Self::Held(bytes) => bytes.len() as u64,
            Self::Made { size, .. } => *size,
        }
    }

    /// Some bytes from this place on; none at the end.
    fn part(&self, at: u64) -> Bytes {
        let most = CHUNK.min(self.size().saturating_sub(at));
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let from = |bytes: &Bytes, place: u64| {
            let place = usize::try_from(place).unwrap_or(usize::MAX).min(bytes.len());
            bytes.slice(place..place.saturating_add(most).min(bytes.len()))
        };
        match self {
            Self::Held(bytes) => from(bytes, at),
            Self::Made { head, .. } if at < head.len() as u64 => from(&Bytes::from_static(head), at),
            Self::Made { .. } => from(LazyLock::force(&FILLER), at % CHUNK),
        }
    }

    pub(crate) fn sha256(&self) -> [u8; 32] {
        let (mut hash, mut at) = (Sha256::new(), 0);
        loop {
            let part = self.part(at);
            if part.is_empty() {
                return hash.finalize().into();
            }
            at += part.len() as u64;
            hash.update(&part);
        }
    }

    /// A WebP whose extended header says that it moves.
    pub(crate) fn is_animated(&self) -> bool {
        let start = self.part(0);
        start.get(12..16) == Some(b"VP8X") && start.get(20).is_some_and(|flags| flags & 2 != 0)
    }
}

/// A file that a provider holds.
#[derive(Clone, Debug)]
pub(crate) struct Medium {
    pub(crate) tenant: String,
    /// The customer who sent it.
    pub(crate) from: Option<String>,
    pub(crate) mime: String,
    pub(crate) blob: Blob,
    pub(crate) sha256: [u8; 32],
    pub(crate) owner: Owner,
}

/// The provider that holds a file, with its number or message.
#[derive(Clone, Debug)]
pub(crate) enum Owner {
    Graph {
        phone_number_id: String,
        expires_at: Timestamp,
    },
    Twilio {
        account_sid: String,
        message_sid: String,
    },
}

impl Medium {
    pub(crate) fn new(tenant: &str, mime: &str, blob: Blob, owner: Owner) -> Self {
        Self {
            tenant: tenant.to_owned(),
            from: None,
            mime: mime.to_owned(),
            sha256: blob.sha256(),
            blob,
            owner,
        }
    }

    pub(crate) fn sent_by(mut self, number: &str) -> Self {
        self.from = Some(number.to_owned());
        self
    }

    /// The hash in the form of webhooks.
    pub(crate) fn sha256_base64(&self) -> String {
        STANDARD.encode(self.sha256)
    }

    /// The hash in the form of answers.
    pub(crate) fn sha256_hex(&self) -> String {
        hex::encode(self.sha256)
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Ok(mime) = HeaderValue::from_str(&self.mime) {
            headers.insert(CONTENT_TYPE, mime);
        }
        headers.insert(CONTENT_LENGTH, HeaderValue::from(self.blob.size()));
        headers
    }

    /// The whole file, a piece at a time.
    pub(crate) fn answer(&self) -> Response {
        let blob = self.blob.clone();
        stream_parts(self.headers(), move |at| Ok(blob.part(at)))
    }

    /// An event at the provider that holds it.
    pub(crate) fn event(&self) -> Event<'_> {
        let api = match self.owner {
            Owner::Graph { .. } => Api::Graph,
            Owner::Twilio { .. } => Api::Twilio,
        };
        Event::new(api, &self.tenant, self.from.as_deref())
    }

    /// The file as a provider hands it over, with whatever is wrong with it now.
    pub(crate) fn download(&self, world: &Sims) -> Response {
        const TROUBLES: &[Fault] = &[
            Fault::MediaEmpty,
            Fault::MediaEndless,
            Fault::MediaRedirect,
            Fault::MediaTooLarge,
            Fault::MediaTruncated,
            Fault::MediaWrongHash,
            Fault::MediaWrongType,
        ];
        let rule = world.state().fault(self.event(), TROUBLES);
        let Some(rule) = rule else {
            return self.answer();
        };
        match rule.kind {
            Fault::MediaEmpty => {
                let mut headers = self.headers();
                headers.insert(CONTENT_LENGTH, HeaderValue::from(0));
                headers.into_response()
            }
            Fault::MediaRedirect => redirect(&rule),
            Fault::MediaTooLarge => {
                let size = Kind::Document.most_bytes(false) + 1;
                let blob = Blob::of_type(&self.mime, Some(size));
                Self { blob, ..self.clone() }.answer()
            }
            Fault::MediaWrongType => {
                let page = "<!doctype html><html><title>Log in</title><body>Log in to continue.</body></html>";
                ([(CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
            }
            Fault::MediaWrongHash => self.falsified_response(),
            Fault::MediaEndless => self.endless(world),
            _ => self.truncated_response(),
        }
    }

    /// As long as the file, but its last byte is another.
    fn falsified_response(&self) -> Response {
        let (blob, size) = (self.blob.clone(), self.blob.size());
        stream_parts(self.headers(), move |at| {
            let part = blob.part(at);
            if at + (part.len() as u64) < size {
                return Ok(part);
            }
            let mut bytes = part.to_vec();
            if let Some(last) = bytes.last_mut() {
                *last = !*last;
            }
            Ok(bytes.into())
        })
    }

    /// Promises the whole file, and breaks off in the middle.
    fn truncated_response(&self) -> Response {
        let (blob, end) = (self.blob.clone(), self.blob.size() / 2);
        stream_parts(self.headers(), move |at| {
            if at >= end {
                return Err(io::Error::other("broken off"));
            }
            let mut part = blob.part(at);
            part.truncate(usize::try_from(end - at).unwrap_or(usize::MAX));
            Ok(part)
        })
    }

    /// Goes on until the reader leaves or the simulators stop.
    fn endless(&self, world: &Sims) -> Response {
        let (blob, stop) = (Blob::of_type(&self.mime, Some(u64::MAX)), world.watch_stop());
        let mut headers = self.headers();
        headers.remove(CONTENT_LENGTH);
        stream_parts(headers, move |at| {
            Ok(if *stop.borrow() { Bytes::new() } else { blob.part(at) })
        })
    }
}

/// A body of parts, each from a place on, until one is empty or fails.
fn stream_parts(headers: HeaderMap, mut part: impl FnMut(u64) -> io::Result<Bytes> + Send + 'static) -> Response {
    let parts = stream::unfold(0, move |at| {
        let part = part(at);
        let next = at + part.as_ref().map_or(0, |part| part.len() as u64);
        let ended = part.as_ref().is_ok_and(Bytes::is_empty);
        ready((!ended).then_some((part, next)))
    });
    (headers, Body::from_stream(parts)).into_response()
}

fn redirect(rule: &Rule) -> Response {
    let to = rule.location.as_deref().unwrap_or(PRIVATE);
    match HeaderValue::from_str(to) {
        Ok(to) => (StatusCode::FOUND, [(LOCATION, to)]).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
