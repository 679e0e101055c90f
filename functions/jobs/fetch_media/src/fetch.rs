//! Fetching a medium, and deleting it with its message.

use domain::{
    Timestamp,
    connection::{Account, SendSecrets},
    ids::MessageId,
    media::{InboundMedia, MediaKind, MediaReason, Medium, MediumState, content_type, essence},
    record::Received,
    sniff::BEGINNING,
};
use jiff::SignedDuration;
use kit::{Done, FileKey, JobError, TimeLimit, crash, files::Copying, line, metric};
use providers::{
    media::{Download, MediaError},
    twilio::client::Credentials,
};
use sha2::{Digest as _, Sha256};
use store::{StoreError, TenantScope, media::KnownMedium, usage};

use crate::{Context, RACES};

/// Wait after credentials were refused: somebody has to renew them.
const RENEWAL: SignedDuration = SignedDuration::from_mins(15);

/// Does the job of a medium.
pub(crate) async fn work(ctx: &Context, scope: &TenantScope, message: MessageId, index: u8) -> Result<Done, JobError> {
    let now = ctx.clock.now();
    let key = FileKey::medium(scope, message, index);
    let Some(known) = ctx.store.medium(scope, message, index, now).await? else {
        return dropped(ctx, &key).await;
    };
    let KnownMedium { medium, message } = known;
    let Some(message) = message.filter(|_| now < medium.kept_until) else {
        return expired(ctx, scope, &key, &medium).await;
    };
    match medium.state {
        MediumState::Pending if medium.waits(now) => return Ok(Done::Already),
        MediumState::Pending => {}
        MediumState::Scanning | MediumState::Ready => return Ok(Done::Already),
        MediumState::Refused | MediumState::Gone => return without(ctx, &key).await,
    }
    let outcome = Box::pin(attempt(ctx, scope, (&medium, &message), &key, now)).await?;
    crash::point("fetch_media.fetched");
    noted(ctx, scope, &key, medium, &outcome).await
}

/// The row is gone: the contact was erased, or the message is not kept any longer. So is what another attempt wrote meanwhile.
async fn dropped(ctx: &Context, key: &FileKey) -> Result<Done, JobError> {
    ctx.files.remove(key).await?;
    Ok(kit::queue::gone("medium"))
}

/// The row says that there is no file. An attempt that was interrupted, or another one at the same time, may have left one.
async fn without(ctx: &Context, key: &FileKey) -> Result<Done, JobError> {
    ctx.files.remove(key).await?;
    Ok(Done::Already)
}

/// The message is not kept any longer.
async fn expired(ctx: &Context, scope: &TenantScope, key: &FileKey, medium: &Medium) -> Result<Done, JobError> {
    ctx.files.remove(key).await?;
    match ctx.store.delete_medium(scope, medium).await {
        Err(error) if !error.is_conflict() => Err(error.into()),
        // Somebody else did it, or the row is due again.
        _ => Ok(Done::Now),
    }
}

/// What became of an attempt.
enum Outcome {
    /// The file is in the bucket.
    Stored {
        mime: &'static str,
        bytes: u64,
        sha256: String,
    },
    /// It is refused because of what it is.
    Refused(MediaReason),
    /// It is not to be had.
    Gone(MediaReason),
    /// The provider says that it does not have it.
    Denied,
    /// It arrived with another hash or length than was stated.
    Changed,
    /// It may be had later.
    Later(Option<SignedDuration>),
}

impl Outcome {
    /// Whether the same attempt is made again.
    const fn is_repeated(&self) -> bool {
        matches!(self, Self::Denied | Self::Changed | Self::Later(_))
    }

    fn apply(&self, medium: &mut Medium, scanned: bool, now: Timestamp) {
        match self {
            Self::Stored { mime, bytes, sha256 } => medium.stored(mime, *bytes, sha256.clone(), scanned),
            Self::Refused(reason) => medium.refuse(*reason),
            Self::Gone(reason) => medium.lose(*reason),
            Self::Denied => medium.is_denied(now),
            Self::Changed => medium.has_wrong_hash(now),
            Self::Later(wait) => medium.try_again(now, *wait),
        }
    }

    const fn as_str(&self) -> &'static str {
        match self {
            Self::Stored { .. } => "stored",
            Self::Refused(_) => "refused",
            Self::Gone(_) => "gone",
            Self::Denied => "denied",
            Self::Changed => "changed",
            Self::Later(_) => "later",
        }
    }
}

/// Writes the outcome to the row. After a lost race, it is read again: its retention may have changed, another worker may have been faster,
/// and it may be gone with its contact. A row that says that there is no file is written before the file of an interrupted attempt is
/// deleted: another worker that has just copied one loses the race, and deletes it, too.
async fn noted(
    ctx: &Context,
    scope: &TenantScope,
    key: &FileKey,
    medium: Medium,
    outcome: &Outcome,
) -> Result<Done, JobError> {
    let (store, now, place) = (&ctx.store, ctx.clock.now(), (medium.message, medium.index));
    let failed_before = medium.attempts;
    let read = || async move {
        let known = store.medium(scope, place.0, place.1, now).await?;
        Ok::<_, StoreError>(known.map(|known| known.medium))
    };
    let write = |known: Option<Medium>| async move {
        let Some(mut medium) = known else {
            return dropped(ctx, key).await;
        };
        match (medium.state, outcome) {
            // Two workers failed at the same time: that is one attempt.
            (MediumState::Pending, outcome) if outcome.is_repeated() && medium.attempts > failed_before => {
                return Ok(Done::Already);
            }
            (MediumState::Pending, _) => outcome.apply(&mut medium, ctx.scanned, now),
            // Of two attempts that copied different contents, nobody knows which one is there now.
            (MediumState::Scanning | MediumState::Ready, Outcome::Stored { sha256, .. })
                if medium.sha256.as_ref() != Some(sha256) =>
            {
                medium.refuse(MediaReason::WrongHash);
            }
            (MediumState::Scanning | MediumState::Ready, _) => return Ok(Done::Already),
            (MediumState::Refused | MediumState::Gone, _) => return without(ctx, key).await,
        }
        store.write_medium(scope, &medium).await?;
        tracing::info!(state = ?medium.state, reason = ?medium.reason, attempts = medium.attempts, "a medium was fetched");
        line::count(outcome.as_str(), 1);
        if medium.state == MediumState::Gone {
            metric::count("media_gone", &[]);
        }
        if matches!(medium.state, MediumState::Refused | MediumState::Gone) {
            Box::pin(ctx.files.remove(key)).await?;
        }
        Ok(Done::Now)
    };
    RACES.until_won_from(Some(medium), read, write).await
}

/// Fetches a medium once.
async fn attempt(
    ctx: &Context,
    scope: &TenantScope,
    (medium, message): (&Medium, &Received),
    key: &FileKey,
    now: Timestamp,
) -> Result<Outcome, JobError> {
    let Some(reported) = message.message.media.get(usize::from(medium.index)) else {
        return Ok(Outcome::Refused(MediaReason::Elsewhere));
    };
    let Some(connection) = ctx.store.connection(scope, message.connection).await? else {
        return Ok(Outcome::Gone(MediaReason::Disconnected));
    };
    let Some(credentials) = ctx.credentials(scope, &connection, now).await else {
        return Ok(Outcome::Later(Some(RENEWAL)));
    };
    let limit = TimeLimit::of(ctx.within);
    let opening = async {
        match (&connection.account, &*credentials) {
            (Account::WhatsApp(account), SendSecrets::WhatsApp(own)) => {
                usage::provider("whatsapp.media");
                let opened = ctx
                    .graph
                    .medium(&own.access_token, &account.phone_number_id, &reported.source);
                Some(opened.await)
            }
            (Account::Twilio(account), SendSecrets::Twilio(own)) => {
                usage::provider("twilio.media");
                let credentials = Credentials {
                    api_key_sid: &own.api_key_sid,
                    api_key_secret: &own.api_key_secret,
                    account_sid: &account.account_sid,
                };
                Some(ctx.twilio.medium(credentials, &reported.source).await)
            }
            _ => None,
        }
    };
    let opened = limit.at_most(ctx.begins_within).keep(Box::pin(opening)).await;
    let download = match opened {
        Ok(Some(Ok(download))) => download,
        Ok(Some(Err(error))) => {
            if matches!(error, MediaError::Refused { .. }) {
                ctx.credentials.doubt(scope, connection.id, now);
            }
            return Ok(refused(&error));
        }
        Ok(None) => return Ok(Outcome::Gone(MediaReason::Disconnected)),
        Err(_) => return Ok(late()),
    };
    let copy = ctx.files.copy(key.clone());
    let copied = limit.keep(Box::pin(copied(download, copy, medium.kind, reported)));
    copied.await.unwrap_or_else(|_| Ok(late()))
}

fn late() -> Outcome {
    tracing::warn!("a medium did not come in time");
    Outcome::Later(None)
}

/// What the provider's answer means.
fn refused(error: &MediaError) -> Outcome {
    tracing::warn!(error = kit::chain(error), "a medium cannot be fetched");
    match error {
        MediaError::Gone => Outcome::Denied,
        MediaError::Elsewhere => Outcome::Refused(MediaReason::Elsewhere),
        MediaError::Refused { .. } => Outcome::Later(Some(RENEWAL)),
        MediaError::Failing { retry_after, .. } => Outcome::Later(*retry_after),
        MediaError::NotTaken { .. } | MediaError::TooSlow | MediaError::NoAnswer(_) => Outcome::Later(None),
    }
}

/// What was said of a file before it arrives.
struct Stated<'a> {
    /// Size in bytes.
    bytes: Option<u64>,
    /// SHA-256 in hexadecimal digits.
    sha256: Option<&'a str>,
    /// Whether it comes as another type than its message has said.
    is_other_type: bool,
}

impl Stated<'_> {
    /// Refuses a file, of this hash if it was read to its end. If it is not the stated one, the provider has delivered something else, such
    /// as a page with an excuse, and is asked again.
    fn refusal(&self, reason: MediaReason, sha256: Option<&str>) -> Outcome {
        let is_other = match (self.sha256, sha256) {
            (Some(stated), Some(found)) => stated != found,
            _ => self.is_other_type,
        };
        if is_other {
            Outcome::Changed
        } else {
            Outcome::Refused(reason)
        }
    }
}

/// Copies a file as it arrives. It is complete only if its size, hash and content are right: until then, nobody can read it.
async fn copied(
    download: Download,
    mut copy: Copying<'_>,
    kind: MediaKind,
    reported: &InboundMedia,
) -> Result<Outcome, JobError> {
    let Download {
        mut body,
        mime,
        sha256,
        bytes,
    } = download;
    let (mime, before) = (mime.as_deref(), reported.mime.as_deref());
    let stated = Stated {
        bytes: bytes.or_else(|| body.length()),
        sha256: sha256.as_deref().or(reported.sha256.as_deref()),
        is_other_type: mime
            .zip(before)
            .is_some_and(|(now, before)| essence(now) != essence(before)),
    };
    let most = kind.most_bytes();
    if stated.bytes.is_some_and(|stated| stated > most) {
        return Ok(Outcome::Refused(MediaReason::TooLarge));
    }
    let declared = mime.or(before);
    let (mut hash, mut size, mut beginning) = (Sha256::new(), 0, Vec::new());
    let (mut found, mut lies) = (None, false);
    loop {
        let bytes = match body.chunk().await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => break,
            Err(error) => {
                tracing::warn!(error = kit::chain(&error), "a medium broke off");
                return Ok(Outcome::Later(None));
            }
        };
        size += bytes.len() as u64;
        if stated.bytes.is_some_and(|stated| size > stated) {
            return Ok(Outcome::Changed);
        }
        if size > most {
            return Ok(stated.refusal(MediaReason::TooLarge, None));
        }
        hash.update(&bytes);
        if beginning.len() < BEGINNING {
            beginning.extend_from_slice(&bytes);
            if beginning.len() >= BEGINNING {
                found = content_type(kind, declared, &beginning);
                lies = found.is_none();
                if lies && stated.sha256.is_none() {
                    // Nothing more is read of it.
                    return Ok(stated.refusal(MediaReason::WrongType, None));
                }
            }
        }
        // Of what lies, only the hash is wanted.
        if !lies {
            copy.add(&bytes).await?;
        }
    }
    if stated.bytes.is_some_and(|stated| stated != size) {
        return Ok(Outcome::Changed);
    }
    let sha256 = hex::encode(hash.finalize());
    if size == 0 {
        return Ok(stated.refusal(MediaReason::Empty, Some(&sha256)));
    }
    let Some(mime) = found.or_else(|| content_type(kind, declared, &beginning)) else {
        return Ok(stated.refusal(MediaReason::WrongType, Some(&sha256)));
    };
    if stated.sha256.is_some_and(|stated| stated != sha256) {
        return Ok(Outcome::Changed);
    }
    let bytes = copy.complete().await?;
    Ok(Outcome::Stored { mime, bytes, sha256 })
}
