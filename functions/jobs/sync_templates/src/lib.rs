//! The operation `sync_templates`: lists the templates of connections at their provider, page by page, and takes over what differs.
//!
//! After the last page, everything is listed once more by name only: what a whole list does not show, the provider no longer has.
//!
//! Safe to run twice: what a list changes follows from the list and the row, and a row that already says so is not written. What a step
//! that was not recorded has written then counts as unchanged.

use std::{collections::BTreeSet, time::Duration};

use access::{Kms, Secrets, SendCredentials};
use domain::{
    connection::Connection,
    ids::ConnectionId,
    message::Channel,
    operation::{Data, Progress},
    template::{
        reports::LONGEST_REASON,
        sync::{LastSync, SyncTemplates, Synced},
    },
};
use jiff::Timestamp;
use kit::{
    Clock, ConfigError, Env, JobError, TimeLimit, crash,
    operation::{Step, Turn},
};
use providers::{
    http::Http,
    templates::{MOST_PAGES, TemplateAccount, TemplateClients, TemplateError},
    twilio::content::ContentClient,
    whatsapp::client::GraphClient,
};
use serde::{Deserialize, Serialize};
use store::{Store, TenantScope, usage};

/// Time after which a step reads no further page.
const WORK: Duration = Duration::from_secs(5);

/// State of the function, created once per process.
pub struct Context {
    store: Store,
    clock: Clock,
    credentials: SendCredentials,
    clients: TemplateClients,
    work: Duration,
}

impl Context {
    /// Creates the state from the function's environment.
    ///
    /// # Errors
    /// When a variable is missing or wrong.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        let config = env.config();
        let timeout = Duration::try_from(config.seconds("PROVIDER_TIMEOUT")?)
            .map_err(|_| ConfigError::new("PROVIDER_TIMEOUT", "must be above zero"))?;
        let http = Http::new(env.user_agent(), timeout);
        let keys = Kms::new(env.kms(), None, Some(config.text("KMS_SEND_KEY_ID")?.to_owned()));
        Ok(Self {
            store: Store::new(env.dynamodb(), config.text("TABLE_NAME")?),
            clock: env.clock().clone(),
            credentials: SendCredentials::new(Secrets::new(keys)),
            clients: TemplateClients {
                graph: GraphClient::new(
                    http.clone(),
                    config.url("GRAPH_API_URL")?,
                    config.text("GRAPH_API_VERSION")?,
                ),
                content: ContentClient::new(http, config.url("TWILIO_CONTENT_URL")?),
            },
            work: WORK,
        })
    }

    /// The same with steps of one page. For tests.
    #[must_use]
    pub fn page_by_page(self) -> Self {
        Self {
            work: Duration::ZERO,
            ..self
        }
    }
}

/// Content of a checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    /// Connections that are done.
    done: usize,
    /// Beginning and position of the list of the next one; `None` before its first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    list: Option<List>,
    #[serde(flatten)]
    synced: Synced,
    /// Why the last connection that failed did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// A list that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct List {
    began: Timestamp,
    pages: usize,
    /// Position of the next page; `None` after the last.
    after: Option<String>,
    /// Whether a verdict is awaited.
    awaited: bool,
}

/// Makes one step.
///
/// # Errors
/// When the table or a provider does not answer.
pub async fn handle(turn: Turn, ctx: &Context) -> Result<Step, JobError> {
    let order: SyncTemplates = turn.params()?;
    let mut cursor: Cursor = turn.cursor()?.unwrap_or_default();
    let limit = TimeLimit::of(ctx.work);
    let before = cursor.done;
    // A connection at most, so that one which fails is not repeated with others.
    while let Some(id) = order.connections.get(cursor.done).filter(|_| cursor.done == before) {
        Box::pin(ctx.advance(turn.scope(), *id, order.wanted, &mut cursor)).await?;
        crash::point("sync_templates.written");
        if limit.is_up() {
            break;
        }
    }
    let progress = Progress {
        done: cursor.synced.listed,
        total: None,
        errors: cursor.synced.failed,
    };
    if cursor.done < order.connections.len() {
        let cursor = Data::of(&cursor)?;
        return Ok(Step::More { cursor, progress });
    }
    let all_failed = order.connections.len() as u64 == cursor.synced.failed;
    match cursor.reason {
        Some(reason) if all_failed => Ok(Step::Failed { reason }),
        _ => Ok(Step::Done {
            result: Data::of(&cursor.synced)?,
            progress,
        }),
    }
}

impl Cursor {
    fn next(&mut self) {
        self.done += 1;
        self.list = None;
    }
}

impl Context {
    /// Takes over the next page of a connection's list; after the last one, also what is missing in the list.
    async fn advance(
        &self,
        scope: &TenantScope,
        id: ConnectionId,
        wanted: bool,
        cursor: &mut Cursor,
    ) -> Result<(), JobError> {
        let now = self.clock.now();
        let connection = self.store.connection(scope, id).await?;
        let Some(connection) = connection.filter(|connection| connection.carries(Channel::WhatsApp)) else {
            // It was deleted meanwhile.
            cursor.next();
            return Ok(());
        };
        let mut list = cursor.list.take().unwrap_or(List {
            began: now,
            pages: 0,
            after: None,
            awaited: false,
        });
        let page = self.page(scope, &connection, wanted, (&mut list, &mut cursor.synced));
        let taken_over = Box::pin(page).await;
        match taken_over {
            Ok(true) => {
                cursor.list = Some(list);
                Ok(())
            }
            Ok(false) => {
                let last = LastSync {
                    at: list.began,
                    awaited: list.awaited,
                };
                self.store.note_sync(scope, id, &last).await?;
                cursor.next();
                Ok(())
            }
            Err(Unlisted::Refused(reason)) => {
                // Not again before tomorrow, unless somebody asks.
                let last = LastSync {
                    at: list.began,
                    awaited: false,
                };
                self.store.note_sync(scope, id, &last).await?;
                cursor.synced.failed += 1;
                cursor.reason = Some(reason);
                cursor.next();
                Ok(())
            }
            Err(Unlisted::Failed(error)) => Err(error),
        }
    }

    /// Takes over a page. Returns whether there are more.
    async fn page(
        &self,
        scope: &TenantScope,
        connection: &Connection,
        wanted: bool,
        (list, synced): (&mut List, &mut Synced),
    ) -> Result<bool, Unlisted> {
        let now = self.clock.now();
        let secrets = Box::pin(self.credentials.of(scope, connection, now)).await?;
        let account = TemplateAccount::of(&connection.account, secrets.as_deref());
        let name = &connection.name;
        let account = account.ok_or_else(|| {
            Unlisted::Refused(format!(
                "The connection \"{name}\" has no credentials for the provider's API. Set them."
            ))
        })?;
        let refused = |error: TemplateError| {
            if error.denies() {
                self.credentials.doubt(scope, connection.id, now);
            }
            Unlisted::of(error, name)
        };
        usage::provider("templates.list");
        let page = self.clients.page(account, list.after.as_deref()).await;
        let page = page.map_err(refused)?;
        let noted = self
            .store
            .note_listed(scope, connection.id, &page.templates, (list.began, wanted));
        let noted = Box::pin(noted).await?;
        synced.listed += u64::try_from(page.templates.len()).unwrap_or_default();
        synced.created += noted.created;
        synced.changed += noted.changed;
        synced.skipped += noted.skipped + page.skipped;
        list.awaited |= noted.awaited;
        list.pages += 1;
        list.after = page.next;
        if list.after.is_some() {
            return if list.pages < MOST_PAGES {
                Ok(true)
            } else {
                Err(refused(TemplateError::TooMany))
            };
        }
        // A list of one page was read at once, and is complete.
        let names: BTreeSet<(String, String)> = if list.pages == 1 && page.skipped == 0 {
            let known = page.templates.into_iter();
            known.map(|template| (template.name, template.language)).collect()
        } else {
            usage::provider("templates.list");
            self.clients.names(account).await.map_err(refused)?
        };
        let deleted = self.store.note_unlisted(scope, connection.id, &names, list.began);
        synced.deleted += Box::pin(deleted).await?;
        Ok(false)
    }
}

/// Why a connection's templates were not listed.
enum Unlisted {
    /// Trying again would not help. A sentence for users.
    Refused(String),
    /// Trying again may help.
    Failed(JobError),
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for Unlisted {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Unlisted {
    fn of(error: TemplateError, connection: &str) -> Self {
        let reason = match &error {
            error if error.denies() => {
                format!("The provider refuses the credentials of the connection \"{connection}\". Set them again.")
            }
            TemplateError::Unreadable | TemplateError::TooMany => {
                format!("The provider's list of the connection \"{connection}\" is not the documented one.")
            }
            TemplateError::Refused { .. } if !error.is_throttled() && !error.is_unknown() => match error.told() {
                Some(told) => format!("The provider refuses the list of the connection \"{connection}\": {told}"),
                None => format!("The provider refuses the list of the connection \"{connection}\"."),
            },
            _ => return Self::Failed(error.into()),
        };
        tracing::warn!(
            error = kit::chain(&error),
            "the templates of a connection cannot be listed"
        );
        Self::Refused(reason.chars().take(LONGEST_REASON).collect())
    }
}
