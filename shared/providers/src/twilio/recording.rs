//! Recordings: the sound of one, as it arrives. Source: twilio.com/docs/voice/api/recording.

use serde_json::Value;

use super::client::{Credentials, TwilioClient, is_sid};
use crate::http::{Failure, Incoming};

/// Content type of the sound.
pub const MEDIA_TYPE: &str = "audio/mpeg";

/// Bytes of a second: 32 kbit/s.
pub const BYTES_PER_SECOND: u64 = 4_000;

/// The sound of a recording is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// It was deleted, or there never was any.
    #[error("the recording does not exist any more")]
    Gone,
    /// It is not there yet. Also one that Twilio stores elsewhere for the account.
    #[error("the recording is not there yet")]
    NotYet,
    /// The credentials are refused, or may not read recordings.
    #[error("Twilio refuses the credentials with HTTP {status}")]
    Refused { status: u16 },
    /// The answer is another one than documented, such as a redirect, which is not followed: it could lead anywhere.
    #[error("Twilio answers with HTTP {status}")]
    Unexpected { status: u16 },
    /// The answer is no sound.
    #[error("Twilio's answer is no sound")]
    NoSound,
    /// There was no whole answer.
    #[error("Twilio did not answer")]
    NoAnswer(#[from] Failure),
}

/// The sound of a recording as MP3, piece by piece.
pub struct Sound(Incoming);

impl Sound {
    /// Length in bytes, if Twilio says it.
    pub fn length(&self) -> Option<u64> {
        self.0.length()
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// When the connection breaks before the end, or it takes too long.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, RecordingError> {
        Ok(self.0.chunk().await?)
    }
}

impl TwilioClient {
    /// Opens the sound of a recording. The URL is made of account and SID, whatever a callback named: only Twilio gets the credentials.
    ///
    /// # Errors
    /// When there is none, or Twilio does not answer.
    pub async fn recording(&self, credentials: Credentials<'_>, sid: &str) -> Result<Sound, RecordingError> {
        if !is_sid(credentials.account_sid) || !is_recording(sid) {
            return Err(RecordingError::Gone);
        }
        let (account, base) = (credentials.account_sid, &self.base);
        let place = format!("{base}/2010-04-01/Accounts/{account}/Recordings/{sid}");
        let opened = self.http.open(|client| {
            let request = client.get(format!("{place}.mp3"));
            request.basic_auth(credentials.api_key_sid, Some(credentials.api_key_secret))
        });
        let response = opened.await?;
        match response.status().as_u16() {
            200 => {
                let sound = Incoming::of(response);
                let is_sound = sound.content_type() == MEDIA_TYPE;
                is_sound.then_some(Sound(sound)).ok_or(RecordingError::NoSound)
            }
            404 => Err(self.missing(credentials, &place).await?),
            status @ (401 | 403) => Err(RecordingError::Refused { status }),
            status => Err(RecordingError::Unexpected { status }),
        }
    }

    /// The reason why there is no sound: recordings that are not complete, were deleted, or are stored elsewhere all answer 404.
    async fn missing(&self, credentials: Credentials<'_>, place: &str) -> Result<RecordingError, RecordingError> {
        let asked = self.http.send(|client| {
            let request = client
                .get(format!("{place}.json"))
                .query(&[("IncludeSoftDeleted", "true")]);
            request.basic_auth(credentials.api_key_sid, Some(credentials.api_key_secret))
        });
        let answer = asked.await?;
        if answer.status == 404 {
            return Ok(RecordingError::Gone);
        }
        if !answer.is_success() {
            return Ok(RecordingError::Unexpected { status: answer.status });
        }
        let about: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        Ok(match about["status"].as_str() {
            Some("absent" | "deleted") => RecordingError::Gone,
            _ => RecordingError::NotYet,
        })
    }
}

/// True for the SID of a recording. It becomes part of a URL.
pub(super) fn is_recording(sid: &str) -> bool {
    let hex = sid.strip_prefix("RE").unwrap_or_default();
    hex.len() == 32 && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
}
