//! Fetches what customers sent from their provider into the bucket, deletes it with its message, and uploads assets to WhatsApp. Deletes
//! attachments with their message.
//!
//! A message is stored first, by `process_provider_event`, with a row for each of its media, which is due until its file is there. An
//! attempt that fails for now is written to the row with the time of the next one, so a provider that fails for hours costs no file. A
//! stored medium is due again when its message is not kept any longer.
//!
//! Safe to run twice: a file is written under the name of its medium, whole or not at all, and the row is written under the condition of its
//! version. Whoever loses that race looks again: if the row is gone, the contact was erased, and the file is deleted. A job takes the upload
//! of an asset before it begins, so that several messages upload it once; an asset that was uploaded twice all the same has the id of the
//! later upload.

mod attachment;
mod fetch;
mod upload;

use std::sync::Arc;
use std::time::Duration;

use access::{Kms, Secrets, SendCredentials};
use domain::Timestamp;
use domain::tenants::{Connection, SendSecrets};
use jobs::MediaJob;
use kit::{Clock, ConfigError, Done, Env, Files, Job, JobError};
use providers::http::Http;
use providers::twilio::client::TwilioClient;
use providers::whatsapp::client::GraphClient;
use store::{RACES, Store, TenantScope};

/// Maximum time for a file on its way, in a function that has two minutes.
const WITHIN: Duration = Duration::from_secs(90);

/// State of the function, created once per process.
pub struct Context {
    store: Store,
    files: Files,
    credentials: SendCredentials,
    graph: GraphClient,
    twilio: TwilioClient,
    /// Maximum time until a file begins to arrive, which takes two requests at WhatsApp.
    begins_within: Duration,
    within: Duration,
    /// Whether files wait for the verdict of a scanner.
    scanned: bool,
    clock: Clock,
}

impl Context {
    /// Creates the state from the function's environment.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        let config = env.config();
        let keys = Kms::new(env.kms(), None, Some(config.text("KMS_SEND_KEY_ID")?.to_owned()));
        let answers_within = Duration::try_from(config.seconds("PROVIDER_TIMEOUT")?)
            .map_err(|_| ConfigError::new("PROVIDER_TIMEOUT", "must be above zero"))?;
        let http = Http::new(env.user_agent(), WITHIN);
        let (base, version) = (config.url("GRAPH_API_URL")?, config.text("GRAPH_API_VERSION")?);
        Ok(Self {
            store: env.store()?,
            files: Files::new(env)?,
            credentials: SendCredentials::new(Secrets::new(keys)),
            graph: GraphClient::new(http.clone(), base, version),
            twilio: TwilioClient::new(http, config.url("TWILIO_API_URL")?),
            begins_within: answers_within.saturating_mul(2),
            within: WITHIN,
            scanned: config.optional("MEDIA_SCANNER").is_some(),
            clock: env.clock().clone(),
        })
    }

    /// Limits the length of parts, and the time for a file. For tests.
    pub fn with_limits(self, part: usize, within: Duration) -> Self {
        Self {
            files: self.files.in_parts_of(part),
            within,
            ..self
        }
    }

    /// The connection's opened credentials; `None` if it has none, or they do not open.
    async fn credentials(
        &self,
        scope: &TenantScope,
        connection: &Connection,
        now: Timestamp,
    ) -> Option<Arc<SendSecrets>> {
        let opened = Box::pin(self.credentials.of(scope, connection, now)).await;
        opened.unwrap_or_else(|error| {
            tracing::error!(
                error = kit::chain(&error),
                "a connection's credentials cannot be opened"
            );
            None
        })
    }
}

kit::function!(serve_queue, Context::new, handle);

/// Does a job.
///
/// # Errors
/// When the table or the bucket does not answer; when an asset could not be uploaded.
pub async fn handle(job: Job<MediaJob>, ctx: &Context) -> Result<Done, JobError> {
    let scope = job.scope();
    match &job.body {
        MediaJob::Fetch { message, index, .. } => Box::pin(fetch::work(ctx, scope, *message, *index)).await,
        MediaJob::Upload { asset, connection, .. } => {
            Box::pin(upload::work(ctx, scope, *asset, *connection, job.receive_count)).await
        }
        MediaJob::Drop { attachment, .. } => Box::pin(attachment::drop(ctx, scope, *attachment)).await,
    }
}
