//! Media at providers: files that customers sent, as they arrive, and files on their way to a provider.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use jiff::SignedDuration;
use reqwest::header::LOCATION;
use reqwest::{Response, Url};
use tokio::sync::mpsc;

use crate::http::{Failure, Incoming};

/// A file is not to be had, or not taken.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// The provider does not know it, or does not have it any more.
    #[error("the provider does not have the file")]
    Gone,
    /// The file's address is not the provider's, so its host may not get the credentials.
    #[error("the file is named by an address that is not the provider's")]
    Elsewhere,
    /// The credentials are refused.
    #[error("the provider refuses the credentials with HTTP {status}")]
    Refused { status: u16 },
    /// The provider does not take such a file, whoever asks.
    #[error("the provider does not take the file: code {code}")]
    NotTaken {
        /// Meta's code.
        code: i64,
    },
    /// The provider fails, is busy, or answers with something else than documented.
    #[error("the provider answers with HTTP {status}")]
    Failing {
        status: u16,
        /// The wait that it asks for.
        retry_after: Option<SignedDuration>,
    },
    /// It took too long, and was broken off.
    #[error("the provider is too slow")]
    TooSlow,
    /// There was no whole answer.
    #[error("the provider did not answer")]
    NoAnswer(#[from] Failure),
}

/// A file as it arrives, with what the provider says of it.
pub struct Download {
    pub body: Incoming,
    pub mime: Option<String>,
    /// SHA-256 in hexadecimal digits, in lower case.
    pub sha256: Option<String>,
    pub bytes: Option<u64>,
}

/// A hash as providers write it: 64 hexadecimal digits, or 44 characters of base64. Anything else says nothing.
pub(crate) fn sha256(text: &str) -> Option<String> {
    const LENGTH: usize = 32;
    let bytes = hex::decode(text).or_else(|_| STANDARD.decode(text)).ok()?;
    (bytes.len() == LENGTH).then(|| hex::encode(bytes))
}

/// Whether two addresses have the same scheme, host and port.
pub(crate) fn is_of(base: &str, url: &Url) -> bool {
    Url::parse(base).is_ok_and(|base| base.origin() == url.origin())
}

/// Where an answer redirects to, if it does.
pub(crate) fn redirect_target(response: &Response) -> Option<Url> {
    if !response.status().is_redirection() {
        return None;
    }
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    response.url().join(location).ok()
}

/// The pieces of a file that is being uploaded, in their order. Whoever drops it before the end breaks the upload off.
pub struct Sending(mpsc::Sender<Bytes>);

impl Sending {
    /// Adds a piece, once there is room for it. Returns false if nobody wants it any more.
    pub async fn add(&self, piece: Vec<u8>) -> bool {
        self.0.send(piece.into()).await.is_ok()
    }
}

/// A file that is being uploaded, of a known length: its pieces are sent as they come, and never held together.
pub struct Outgoing {
    /// Bytes to send before and after the pieces.
    around: [Option<Bytes>; 2],
    pieces: mpsc::Receiver<Bytes>,
    /// Bytes of the pieces that are missing.
    missing: u64,
    length: u64,
}

/// A file of this many bytes, and where its pieces go. At most one piece waits.
pub fn outgoing(bytes: u64) -> (Sending, Outgoing) {
    let (sender, pieces) = mpsc::channel(1);
    let outgoing = Outgoing {
        around: [None, None],
        pieces,
        missing: bytes,
        length: bytes,
    };
    (Sending(sender), outgoing)
}

impl Outgoing {
    /// Adds bytes before and after it.
    pub(crate) fn within(mut self, before: String, after: String) -> Self {
        self.length += (before.len() + after.len()) as u64;
        self.around = [Some(before.into()), Some(after.into())];
        self
    }

    /// Length of everything that is sent, in bytes.
    pub(crate) const fn length(&self) -> u64 {
        self.length
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let whole = |bytes| Poll::Ready(Some(Ok(Frame::data(bytes))));
        if let Some(before) = self.around[0].take() {
            return whole(before);
        }
        if self.missing == 0 {
            return self.around[1].take().map_or(Poll::Ready(None), whole);
        }
        match self.pieces.poll_recv(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(piece)) if piece.len() as u64 <= self.missing => {
                self.missing -= piece.len() as u64;
                whole(piece)
            }
            // Shorter or longer than it was: half a file must not be taken for a whole one.
            Poll::Ready(_) => Poll::Ready(Some(Err(io::Error::other("the file has another length")))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.missing == 0 && self.around.iter().all(Option::is_none)
    }

    fn size_hint(&self) -> SizeHint {
        let around = self.around.iter().flatten().map(|part| part.len() as u64);
        SizeHint::with_exact(self.missing + around.sum::<u64>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_read_in_both_spellings() {
        let hex = "d0f1b8f3b2c94c1c6f8a0f5b1a7e0c8f7a1d2e3f4a5b6c7d8e9f00112233aabb";
        assert_eq!(sha256(hex).as_deref(), Some(hex));
        assert_eq!(sha256(&hex.to_ascii_uppercase()).as_deref(), Some(hex));
        let base64 = STANDARD.encode(hex::decode(hex).unwrap());
        assert_eq!(sha256(&base64).as_deref(), Some(hex));
        // As in the fixtures: no hash at all.
        for other in ["Zml4dHVyZS1wZGY=", "", "é", "00"] {
            assert_eq!(sha256(other), None, "{other}");
        }
    }

    #[test]
    fn an_origin_is_compared_as_a_whole() {
        let is_own = |url: &str| is_of("https://api.twilio.com", &Url::parse(url).unwrap());
        assert!(is_own("https://api.twilio.com/2010-04-01/x") && is_own("https://api.twilio.com:443/"));
        for other in [
            "http://api.twilio.com/",
            "https://api.twilio.com:8443/",
            "https://api.twilio.com.example.test/",
            "https://api.twilio.com@example.test/",
            "https://169.254.169.254/",
        ] {
            assert!(!is_own(other), "{other}");
        }
    }
}
