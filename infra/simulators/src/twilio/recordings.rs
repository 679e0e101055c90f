//! Recordings of calls: what is known of one, and its sound (`fixtures/twilio/recordings`).

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::account::looking;
use super::date;
use super::errors::TwilioError;
use crate::world::Sims;

/// A recording of an account.
#[derive(Clone, Debug)]
pub(crate) struct Recording {
    pub(crate) account_sid: String,
    pub(crate) call_sid: String,
    pub(crate) seconds: u32,
    pub(crate) at: Timestamp,
    /// Its sound is gone; what is known of it stays.
    pub(crate) deleted: bool,
}

impl Recording {
    fn resource(&self, sid: &str) -> Value {
        let Self { account_sid, .. } = self;
        let path = format!("/2010-04-01/Accounts/{account_sid}/Recordings/{sid}");
        json!({
            "account_sid": account_sid,
            "api_version": "2010-04-01",
            "call_sid": self.call_sid,
            "channels": 1,
            "conference_sid": null,
            "date_created": date(self.at),
            "date_updated": date(self.at),
            "duration": self.seconds.to_string(),
            "encryption_details": null,
            "error_code": null,
            "media_url": format!("https://api.twilio.com{path}"),
            "price": "-0.00250",
            "price_unit": "USD",
            "sid": sid,
            "source": "RecordVerb",
            "start_time": date(self.at),
            "status": if self.deleted { "deleted" } else { "completed" },
            "subresource_uris": {
                "add_on_results": format!("{path}/AddOnResults.json"),
                "transcriptions": format!("{path}/Transcriptions.json"),
            },
            "uri": format!("{path}.json"),
        })
    }
}

/// `GET /2010-04-01/Accounts/{account}/Recordings/{sid}`: with `.json` the resource, with `.mp3`, `.wav` or nothing its sound.
pub(super) async fn fetch_recording(
    State(world): State<Sims>,
    Path((account_sid, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let config = world.config();
    looking(&world, &config, &headers, &account_sid).await?;
    let (sid, form) = file.split_once('.').unwrap_or((&file, "wav"));
    let state = world.state();
    let found = state.recordings.get(sid);
    let found = found.filter(|recording| recording.account_sid == account_sid);
    let (kind, sound) = match (found, form) {
        (Some(recording), "json") => return Ok(Json(recording.resource(sid)).into_response()),
        (Some(recording), "mp3") if !recording.deleted => ("audio/mpeg", mp3(recording.seconds)),
        (Some(recording), "wav") if !recording.deleted => ("audio/x-wav", wav(recording.seconds)),
        _ => return Err(TwilioError::new(20404).into()),
    };
    Ok(([(CONTENT_TYPE, kind)], sound).into_response())
}

/// `DELETE /2010-04-01/Accounts/{account}/Recordings/{sid}.json`: once.
pub(super) async fn delete_recording(
    State(world): State<Sims>,
    Path((account_sid, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<StatusCode, Response> {
    let config = world.config();
    looking(&world, &config, &headers, &account_sid).await?;
    let sid = file.strip_suffix(".json").unwrap_or(&file);
    let mut state = world.state();
    let found = state.recordings.get_mut(sid);
    match found.filter(|recording| recording.account_sid == account_sid && !recording.deleted) {
        Some(recording) => {
            recording.deleted = true;
            Ok(StatusCode::NO_CONTENT)
        }
        None => Err(TwilioError::new(20404).into()),
    }
}

/// Silence: frames of MPEG-2 Layer III, mono, 22.05 kHz, at Twilio's 32 kbit/s.
fn mp3(seconds: u32) -> Vec<u8> {
    const FRAME: usize = 104;
    let frames = 4_000 * seconds as usize / FRAME;
    let mut sound = vec![0; frames * FRAME];
    for frame in sound.chunks_mut(FRAME) {
        frame[..4].copy_from_slice(&[0xff, 0xf3, 0x40, 0xc0]);
    }
    sound
}

/// Silence: 8 kHz, mono, 16 bits.
fn wav(seconds: u32) -> Vec<u8> {
    let size = 16_000 * seconds;
    let mut sound = Vec::new();
    let mut number = |text: &[u8], value: u32| {
        sound.extend_from_slice(text);
        sound.extend_from_slice(&value.to_le_bytes());
    };
    number(b"RIFF", 36 + size);
    number(b"WAVEfmt ", 16);
    // PCM, one channel.
    number(&[1, 0, 1, 0], 8_000);
    number(&16_000_u32.to_le_bytes(), 0x0010_0002);
    number(b"data", size);
    sound.resize(44 + size as usize, 0);
    sound
}
