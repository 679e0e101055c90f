//! Fetching a medium, and deleting it with its message.

use domain::Timestamp;
use domain::calls::Received;
use domain::media::{
    InboundMedia, MediaKind, MediaReason, Medium, MediumState, SNIFFED_BYTES, content_type, may_be_excuse, mime_essence,
};
use domain::tenants::{Account, SendSecrets};
use domain::terms::MessageId;
use jiff::SignedDuration;
use kit::files::Copying;
use kit::{Done, FileKey, JobError, TimeLimit, crash, line, metric};
use providers::media::{Download, MediaError};
use providers::twilio::client::Credentials;
use sha2::{Digest as _, Sha256};
use store::messages::KnownMedium;
use store::table::usage;
use store::{StoreError, TenantScope};

use crate::{Context, RACES};

/// Wait after credentials were refused: somebody has to renew them.
const RENEWAL: SignedDuration = SignedDuration::from_mins(15);

/// Does the job of a medium.
pub(crate) async fn work(ctx: &Context, scope: &TenantScope, message: MessageId, index: u8) -> Result<Done, JobError> {
    let now = ctx.clock.now();
    let key = FileKey::medium(scope, message, index);
    let Some(known) = ctx.store.medium(scope, message, index, now).await? else {
        return drop_file(ctx, &key).await;
    };
    let KnownMedium { mut medium, message } = known;
    let Some(message) = message.filter(|_| now < medium.kept_until) else {
        return delete_expired(ctx, scope, &key, &medium).await;
    };
    match medium.state {
        MediumState::Pending if medium.waits(now) => return Ok(Done::Already),
        MediumState::Pending => {}
        MediumState::Scanning | MediumState::Ready => return Ok(Done::Already),
        MediumState::Refused | MediumState::Gone => return without(ctx, &key).await,
    }
    if let Some(left) = medium.taken_for(now) {
        // Or this one was delivered again after it broke off.
        return Err(JobError::new("another job fetches the medium").again_after(left.unsigned_abs()));
    }
    if medium.take(now) {
        ctx.store.write_medium(scope, &medium).await?;
        medium.version += 1;
    }
    let outcome = Box::pin(attempt(ctx, scope, &medium, &message, &key, now)).await?;
    crash::point("fetch_media.fetched");
    record_outcome(ctx, scope, &key, medium, &outcome).await
}

/// The row is gone: the contact was erased, or the message is not kept any longer. So is what another attempt wrote meanwhile.
async fn drop_file(ctx: &Context, key: &FileKey) -> Result<Done, JobError> {
    ctx.files.remove(key).await?;
    Ok(kit::queue::finish_without_subject("medium"))
}

/// The row says that there is no file. An attempt that was interrupted, or another one at the same time, may have left one.
async fn without(ctx: &Context, key: &FileKey) -> Result<Done, JobError> {
    ctx.files.remove(key).await?;
    Ok(Done::Already)
}

/// The message is not kept any longer.
async fn delete_expired(ctx: &Context, scope: &TenantScope, key: &FileKey, medium: &Medium) -> Result<Done, JobError> {
    ctx.files.remove(key).await?;
    match ctx.store.delete_medium(scope, medium).await {
        Err(error) if !error.is_conflict() => Err(error.into()),
        // Somebody else did it, or the row is due again.
        _ => Ok(Done::Now),
    }
}

/// Result of an attempt.
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
    /// Something else may have arrived than what the customer has sent. If it stays so, it is refused for this reason.
    Changed(MediaReason),
    /// It may be had later.
    Later(Option<SignedDuration>),
}

impl Outcome {
    /// Whether the same attempt is made again.
    const fn is_repeated(&self) -> bool {
        matches!(self, Self::Denied | Self::Changed(_) | Self::Later(_))
    }

    fn apply(&self, medium: &mut Medium, scanned: bool, now: Timestamp) {
        match self {
            Self::Stored { mime, bytes, sha256 } => medium.record_stored(mime, *bytes, sha256.clone(), scanned),
            Self::Refused(reason) => medium.refuse(*reason),
            Self::Gone(reason) => medium.lose(*reason),
            Self::Denied => medium.is_denied(now),
            Self::Changed(reason) => medium.is_mismatched(*reason, now),
            Self::Later(wait) => medium.try_again(now, *wait),
        }
    }

    const fn as_str(&self) -> &'static str {
        match self {
            Self::Stored { .. } => "stored",
            Self::Refused(_) => "refused",
            Self::Gone(_) => "gone",
            Self::Denied => "denied",
            Self::Changed(_) => "changed",
            Self::Later(_) => "later",
        }
    }
}

/// Writes the outcome to the row. After a lost race, it is read again: its retention may have changed, another worker may have been faster,
/// and it may be gone with its contact. A row that says that there is no file is written before the file of an interrupted attempt is
/// deleted: another worker that has just copied one loses the race, and deletes it, too.
async fn record_outcome(
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
            return drop_file(ctx, key).await;
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
    medium: &Medium,
    message: &Received,
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
            return Ok(outcome_of_error(&error));
        }
        Ok(None) => return Ok(Outcome::Gone(MediaReason::Disconnected)),
        Err(_) => return Ok(late()),
    };
    let copy = ctx.files.copy(key.clone());
    let copied = limit.keep(Box::pin(copy_file(download, copy, medium.kind, reported)));
    copied.await.unwrap_or_else(|_| Ok(late()))
}

fn late() -> Outcome {
    tracing::warn!("a medium did not come in time");
    Outcome::Later(None)
}

/// Maps a provider's error to the outcome of the attempt.
fn outcome_of_error(error: &MediaError) -> Outcome {
    tracing::warn!(error = kit::chain(error), "a medium cannot be fetched");
    match error {
        MediaError::Gone => Outcome::Denied,
        MediaError::Elsewhere => Outcome::Refused(MediaReason::Elsewhere),
        MediaError::Refused { .. } => Outcome::Later(Some(RENEWAL)),
        MediaError::Failing { retry_after, .. } => Outcome::Later(*retry_after),
        MediaError::NotTaken { .. } | MediaError::TooSlow | MediaError::NoAnswer(_) => Outcome::Later(None),
    }
}

/// Facts stated about a file before it arrives.
struct Stated<'a> {
    bytes: Option<u64>,
    /// SHA-256 in hexadecimal digits.
    sha256: Option<&'a str>,
    /// Content types: the provider's with the file, then its webhook's.
    types: [Option<&'a str>; 2],
}

impl Stated<'_> {
    /// The type of a file that begins like this, if its kind may have it.
    fn permitted_type(&self, kind: MediaKind, beginning: &[u8]) -> Option<&'static str> {
        let declared: Vec<&str> = self.types.into_iter().flatten().collect();
        content_type(kind, &declared, beginning)
    }

    /// Whether a file without a stated hash may be an excuse of the provider's.
    fn is_excuse(&self, beginning: &[u8]) -> bool {
        let [delivered, reported] = self.types;
        let declared = reported.filter(|_| self.sha256.is_none());
        declared.is_some_and(|declared| may_be_excuse(declared, delivered, beginning))
    }

    /// Whether it comes as another type than its message has said.
    fn is_other_type(&self) -> bool {
        let [delivered, reported] = self.types.map(|mime| mime.map(mime_essence));
        delivered.zip(reported).is_some_and(|(now, before)| now != before)
    }

    /// Whether a file of this hash is certainly what the customer has sent.
    fn is_whole(&self, sha256: &str) -> bool {
        self.sha256 == Some(sha256)
    }

    /// Refuses what begins like this for its type. The provider may have delivered something else, such as a page with an excuse: the hash
    /// tells, or else the beginning.
    fn wrong_type(&self, beginning: &[u8], sha256: Option<&str>) -> Outcome {
        match sha256.filter(|_| self.sha256.is_some()) {
            Some(sha256) if !self.is_whole(sha256) => Outcome::Changed(MediaReason::WrongHash),
            None if self.is_other_type() || self.is_excuse(beginning) => Outcome::Changed(MediaReason::WrongType),
            _ => Outcome::Refused(MediaReason::WrongType),
        }
    }
}

/// The part of a file that has been read.
struct Read {
    hash: Sha256,
    size: u64,
    beginning: Vec<u8>,
    /// Its type, once the beginning is complete.
    found: Option<&'static str>,
    /// Whether it is of a type that its kind may not have. Only its hash is wanted then.
    lies: bool,
}

/// Copies a file as it arrives. It is complete only if its size, hash and content are right: until then, nobody can read it.
async fn copy_file(
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
    let stated = Stated {
        bytes: bytes.or_else(|| body.length()),
        sha256: sha256.as_deref().or(reported.sha256.as_deref()),
        types: [mime.as_deref(), reported.mime.as_deref()],
    };
    let most = kind.most_bytes();
    if stated.bytes.is_some_and(|stated| stated > most) {
        // Nothing of it is read, so nobody knows whose it is.
        return Ok(Outcome::Changed(MediaReason::TooLarge));
    }
    let mut read = Read {
        hash: Sha256::new(),
        size: 0,
        beginning: Vec::new(),
        found: None,
        lies: false,
    };
    loop {
        let bytes = match body.chunk().await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => break,
            Err(error) => {
                tracing::warn!(error = kit::chain(&error), "a medium broke off");
                return Ok(Outcome::Later(None));
            }
        };
        if let Some(outcome) = read.add(&bytes, &stated, kind) {
            return Ok(outcome);
        }
        if !read.lies {
            copy.add(&bytes).await?;
        }
    }
    let Read {
        hash,
        size,
        beginning,
        found,
        ..
    } = read;
    let sha256 = hex::encode(hash.finalize());
    if size == 0 {
        return Ok(if stated.is_whole(&sha256) {
            Outcome::Refused(MediaReason::Empty)
        } else {
            Outcome::Changed(MediaReason::Empty)
        });
    }
    if stated.bytes.is_some_and(|stated| stated != size) {
        return Ok(Outcome::Changed(MediaReason::WrongHash));
    }
    let Some(mime) = found.or_else(|| stated.permitted_type(kind, &beginning)) else {
        return Ok(stated.wrong_type(&beginning, Some(&sha256)));
    };
    if stated.sha256.is_some_and(|stated| stated != sha256) {
        return Ok(Outcome::Changed(MediaReason::WrongHash));
    }
    if stated.is_excuse(&beginning) {
        return Ok(Outcome::Changed(MediaReason::WrongType));
    }
    let bytes = copy.complete().await?;
    Ok(Outcome::Stored { mime, bytes, sha256 })
}

impl Read {
    /// Looks at further bytes. Returns the outcome if nothing more is to be read.
    fn add(&mut self, bytes: &[u8], stated: &Stated<'_>, kind: MediaKind) -> Option<Outcome> {
        self.size += bytes.len() as u64;
        if stated.bytes.is_some_and(|stated| self.size > stated) {
            return Some(Outcome::Changed(MediaReason::WrongHash));
        }
        if self.size > kind.most_bytes() {
            return Some(Outcome::Changed(MediaReason::TooLarge));
        }
        self.hash.update(bytes);
        if self.beginning.len() >= SNIFFED_BYTES {
            return None;
        }
        self.beginning.extend_from_slice(bytes);
        if self.beginning.len() < SNIFFED_BYTES {
            return None;
        }
        self.found = stated.permitted_type(kind, &self.beginning);
        self.lies = self.found.is_none();
        if self.lies && stated.sha256.is_none() {
            return Some(stated.wrong_type(&self.beginning, None));
        }
        if stated.is_excuse(&self.beginning) {
            return Some(Outcome::Changed(MediaReason::WrongType));
        }
        None
    }
}
