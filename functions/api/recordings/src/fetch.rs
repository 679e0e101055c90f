//! Fetching a recording from its telephone system into the bucket, and what its answers mean for the caller.

use std::sync::Arc;
use std::time::Duration;

use access::{Kms, Secrets, SendCredentials};
use api::Api;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use domain::calls::Call;
use domain::telephony::{Recording, RecordingState};
use domain::tenants::{Account, SendSecrets};
use kit::files::Copying;
use kit::{ConfigError, Env, Problem, TimeLimit};
use providers::http::Http;
use providers::twilio::client::{Credentials, TwilioClient};
use providers::twilio::recording::{BYTES_PER_SECOND, RecordingError, Sound};
use store::table::rates::Limit;
use store::table::usage;

use crate::Listener;

/// Recordings that a tenant fetches per hour.
const FETCHES: Limit = Limit::per_hour(300);

/// Maximum time for fetching one, in a function that has thirty seconds.
const WITHIN: Duration = Duration::from_secs(20);

/// Maximum size in bytes: four hours at the bit rate of Twilio's MP3.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Tolerance of a size that follows from the reported length: other bit rates and a header.
const TIMES_LARGER: u64 = 4;
const HEADER: u64 = 64 * 1024;

/// Seconds to wait before the next request for a recording that is being processed.
const AGAIN_AFTER: u32 = 15;

/// Fetches recordings. Made once per process.
#[derive(Clone)]
pub(crate) struct Fetcher(Arc<Inner>);

struct Inner {
    credentials: SendCredentials,
    twilio: TwilioClient,
    /// Maximum time until the sound begins.
    begins_within: Duration,
}

impl Fetcher {
    pub(crate) fn new(env: &Env) -> Result<Self, ConfigError> {
        let config = env.config();
        let keys = Kms::new(env.kms(), None, Some(config.text("KMS_SEND_KEY_ID")?.to_owned()));
        let begins_within = Duration::try_from(config.seconds("PROVIDER_TIMEOUT")?)
            .map_err(|_| ConfigError::new("PROVIDER_TIMEOUT", "must be above zero"))?;
        let http = Http::new(env.user_agent(), WITHIN);
        Ok(Self(Arc::new(Inner {
            credentials: SendCredentials::new(Secrets::new(keys)),
            twilio: TwilioClient::new(http, config.url("TWILIO_API_URL")?),
            begins_within,
        })))
    }

    /// Copies the sound of a recording. Returns its size in bytes. If that fails, there is no copy.
    ///
    /// # Errors
    /// 409, 410 or 502, with the reason why there is no sound; 429 when the tenant fetches too many; 503 when AWS does not answer.
    pub(crate) async fn fetch(
        &self,
        api: &Api,
        who: &Listener,
        call: &Call,
        recording: &Recording,
        copy: Copying<'_>,
    ) -> Result<u64, Problem> {
        if !call.provider.gives_recordings() {
            return Err(elsewhere(
                "Its telephone system keeps the recording: listen to it there.",
            ));
        }
        if recording.state == RecordingState::Absent {
            return Err(recording_gone_problem(
                "There is no sound: the recording was silent, or failed.",
            ));
        }
        let (scope, now) = (who.scope(), who.now());
        api.limit(who, "RECORDINGS", FETCHES).await?;
        let connection = api.store().connection(scope, call.connection).await?;
        let no_connection = || {
            elsewhere("The connection of the call has been deleted: listen to the recording in its telephone system.")
        };
        let connection = connection.ok_or_else(no_connection)?;
        let credentials = Box::pin(self.0.credentials.of(scope, &connection, now)).await;
        let credentials = credentials.map_err(|error| {
            tracing::error!(
                error = kit::chain(&error),
                "a connection's credentials cannot be opened"
            );
            Problem::unavailable()
        })?;
        let (Account::Twilio(account), Some(SendSecrets::Twilio(own))) = (&connection.account, credentials.as_deref())
        else {
            let detail = "The connection of the call has no credentials for the telephone system's API. Set them.";
            return Err(elsewhere(detail));
        };
        let credentials = Credentials {
            api_key_sid: &own.api_key_sid,
            api_key_secret: &own.api_key_secret,
            account_sid: &account.account_sid,
        };
        usage::provider("twilio.recording");
        let limit = TimeLimit::of(WITHIN);
        let opening = self.0.twilio.recording(credentials, &recording.reference);
        let opened = limit.at_most(self.0.begins_within).keep(Box::pin(opening)).await;
        let sound = match opened {
            Ok(Ok(sound)) => sound,
            Ok(Err(error)) => {
                if matches!(error, RecordingError::Refused { .. }) {
                    self.0.credentials.doubt(scope, connection.id, now);
                }
                return Err(problem_of_error(&error));
            }
            Err(_) => return Err(late()),
        };
        let copied = limit
            .keep(Box::pin(copy_sound(sound, copy, most_bytes(recording))))
            .await;
        copied.unwrap_or_else(|_| Err(late()))
    }
}

/// Maximum size of a recording in bytes.
fn most_bytes(recording: &Recording) -> u64 {
    let reported = recording.seconds.map(u64::from);
    let expected = reported.map(|seconds| seconds * BYTES_PER_SECOND * TIMES_LARGER + HEADER);
    expected.unwrap_or(LARGEST).min(LARGEST)
}

/// Copies a sound of at most this size. It is complete only if the sound came to its end.
async fn copy_sound(mut sound: Sound, mut copy: Copying<'_>, most: u64) -> Result<u64, Problem> {
    let check = |size: u64| if size > most { Err(too_large(most)) } else { Ok(()) };
    check(sound.length().unwrap_or_default())?;
    while let Some(bytes) = sound.chunk().await.map_err(|error| problem_of_error(&error))? {
        check(copy.size() + bytes.len() as u64)?;
        copy.add(&bytes).await?;
    }
    if copy.size() == 0 {
        return Err(problem_of_error(&RecordingError::NoSound));
    }
    Ok(copy.complete().await?)
}

fn elsewhere(detail: &'static str) -> Problem {
    Problem::conflict("recording_elsewhere", detail)
}

fn recording_gone_problem(detail: &'static str) -> Problem {
    Problem::new(StatusCode::GONE, "recording_gone", "Gone", detail)
}

fn provider_failed_problem(detail: &'static str) -> Problem {
    Problem::new(
        StatusCode::BAD_GATEWAY,
        "provider_failed",
        "Telephone system failed",
        detail,
    )
}

fn late() -> Problem {
    tracing::warn!("a recording did not come in time");
    provider_failed_problem("The telephone system did not deliver the recording in time. Try again later.")
}

fn too_large(most: u64) -> Problem {
    tracing::warn!(most, "a recording is too large");
    if most < LARGEST {
        return provider_failed_problem(
            "The telephone system delivers far more than a recording of the reported length. Try again later.",
        );
    }
    elsewhere("The recording has more than 64 MB, so it cannot be fetched: listen to it in the telephone system.")
}

/// The caller's answer to an error of the telephone system.
fn problem_of_error(error: &RecordingError) -> Problem {
    tracing::warn!(error = kit::chain(error), "a recording cannot be fetched");
    match error {
        RecordingError::Gone => recording_gone_problem("The recording was deleted in the telephone system."),
        RecordingError::NotYet => {
            let detail = "The telephone system has no sound yet, or stores it elsewhere. Try again in some seconds; if it stays so, \
                listen to it in the telephone system.";
            Problem::conflict("recording_not_ready", detail).with_header(RETRY_AFTER, AGAIN_AFTER.into())
        }
        RecordingError::Refused { .. } => Problem::new(
            StatusCode::BAD_GATEWAY,
            "provider_refused",
            "Telephone system refuses",
            "The telephone system refuses the connection's credentials. Test the connection, and set its credentials again.",
        ),
        RecordingError::Unexpected { .. } | RecordingError::NoSound => provider_failed_problem(
            "The telephone system answers with something else than a recording. Try again later.",
        ),
        RecordingError::NoAnswer(_) => {
            provider_failed_problem("The telephone system did not answer, or broke off. Try again later.")
        }
    }
}
