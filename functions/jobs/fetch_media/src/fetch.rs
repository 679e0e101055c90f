//! Fetching a medium, and deleting it with its message.

use domain::{
    Timestamp,
    connection::{Account, SendSecrets},
    ids::MessageId,
    media::{InboundMedia, MediaKind, MediaReason, Medium, MediumState, content_type},
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

/// Attempts that a provider denies having the file, until it is believed: a webhook can be faster than its file.
const DENIALS: u32 = 2;

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
        MediumState::Pending => {}
        MediumState::Scanning | MediumState::Ready | MediumState::Refused | MediumState::Gone => {
            return Ok(Done::Already);
        }
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
    fn apply(&self, medium: &mut Medium, scanned: bool, now: Timestamp) {
        match self {
            Self::Stored { mime, bytes, sha256 } => medium.stored(mime, *bytes, sha256.clone(), scanned),
            Self::Refused(reason) => medium.refuse(*reason),
            Self::Gone(reason) => medium.lose(*reason),
            Self::Denied if medium.attempts >= DENIALS => medium.lose(MediaReason::Deleted),
            Self::Denied => medium.try_again(now, None),
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
/// and it may be gone with its contact.
async fn noted(
    ctx: &Context,
    scope: &TenantScope,
    key: &FileKey,
    medium: Medium,
    outcome: &Outcome,
) -> Result<Done, JobError> {
    let (store, now, place) = (&ctx.store, ctx.clock.now(), (medium.message, medium.index));
    let read = || async move {
        let known = store.medium(scope, place.0, place.1, now).await?;
        Ok::<_, StoreError>(known.map(|known| known.medium))
    };
    let write = |known: Option<Medium>| async move {
        let Some(mut medium) = known else {
            return dropped(ctx, key).await;
        };
        if medium.state != MediumState::Pending {
            return Ok(Done::Already);
        }
        outcome.apply(&mut medium, ctx.scanned, now);
        store.write_medium(scope, &medium).await?;
        tracing::info!(state = ?medium.state, reason = ?medium.reason, attempts = medium.attempts, "a medium was fetched");
        line::count(outcome.as_str(), 1);
        if medium.state == MediumState::Gone {
            metric::count("media_gone", &[]);
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

/// Copies a file as it arrives. It is complete only if its size, hash and content are right: until then, nobody can read it.
async fn copied(
    mut download: Download,
    mut copy: Copying<'_>,
    kind: MediaKind,
    reported: &InboundMedia,
) -> Result<Outcome, JobError> {
    let most = kind.most_bytes();
    let stated = download.bytes.or_else(|| download.body.length());
    if stated.is_some_and(|stated| stated > most) {
        return Ok(Outcome::Refused(MediaReason::TooLarge));
    }
    let declared = download.mime.as_deref().or(reported.mime.as_deref());
    let (mut hash, mut beginning, mut mime) = (Sha256::new(), Vec::new(), None);
    loop {
        let bytes = match download.body.chunk().await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => break,
            Err(error) => {
                tracing::warn!(error = kit::chain(&error), "a medium broke off");
                return Ok(Outcome::Later(None));
            }
        };
        if copy.size() + bytes.len() as u64 > most {
            return Ok(Outcome::Refused(MediaReason::TooLarge));
        }
        hash.update(&bytes);
        if beginning.len() < BEGINNING {
            beginning.extend_from_slice(&bytes);
            if beginning.len() >= BEGINNING {
                // Nothing more is read of what lies.
                mime = content_type(kind, declared, &beginning);
                if mime.is_none() {
                    return Ok(Outcome::Refused(MediaReason::WrongType));
                }
            }
        }
        copy.add(&bytes).await?;
    }
    if copy.size() == 0 {
        return Ok(Outcome::Refused(MediaReason::Empty));
    }
    let Some(mime) = mime.or_else(|| content_type(kind, declared, &beginning)) else {
        return Ok(Outcome::Refused(MediaReason::WrongType));
    };
    let sha256 = hex::encode(hash.finalize());
    let expected = download.sha256.as_ref().or(reported.sha256.as_ref());
    if stated.is_some_and(|stated| stated != copy.size()) || expected.is_some_and(|expected| *expected != sha256) {
        return Ok(Outcome::Changed);
    }
    let bytes = copy.complete().await?;
    Ok(Outcome::Stored { mime, bytes, sha256 })
}
