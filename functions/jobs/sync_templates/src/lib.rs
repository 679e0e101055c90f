//! The operation `sync_templates`: lists the templates of connections at their provider, page by page, and takes over what differs.
//!
//! After the last page, our rows are compared with the list. If it does not show one of them, everything is listed once more by name only:
//! what neither list shows, the provider no longer has. What the steps of a list have seen is in the operation's details.
//!
//! Safe to run twice: what a list changes follows from the list and the row, and a row that already says so is not written. What a step
//! that was not recorded has written then counts as unchanged. What it has seen is seen again by the next one.

use std::time::Duration;

use access::{Kms, Secrets, SendCredentials};
use domain::templates::{LastSync, ListedNames, MAX_REASON_LENGTH, SyncTemplates, Synced};
use domain::tenants::Connection;
use domain::terms::{Channel, ConnectionId, Progress};
use jiff::Timestamp;
use kit::operation::{Step, Turn};
use kit::{Clock, ConfigError, Env, JobError, TimeLimit, crash};
use providers::http::Http;
use providers::template_clients::{TemplateAccount, TemplateClients};
use providers::templates::{MAX_LIST_LENGTH, TemplateError};
use providers::twilio::content::ContentClient;
use providers::whatsapp::client::GraphClient;
use serde::{Deserialize, Serialize};
use store::table::usage;
use store::{Store, StoreError, TenantScope};

/// Time after which a step stops reading pages.
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
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        let config = env.config();
        let timeout = Duration::try_from(config.seconds("PROVIDER_TIMEOUT")?)
            .map_err(|_| ConfigError::new("PROVIDER_TIMEOUT", "must be above zero"))?;
        let http = Http::new(env.user_agent(), timeout);
        let keys = Kms::new(env.kms(), None, Some(config.text("KMS_SEND_KEY_ID")?.to_owned()));
        Ok(Self {
            store: env.store()?,
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

    /// Reads one page in each step. For tests.
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
    #[serde(default)]
    stage: Stage,
    /// Pages of this stage that were read.
    pages: usize,
    /// Position of its next page; `None` before the first.
    after: Option<String>,
    /// Whether a verdict is awaited.
    awaited: bool,
}

impl List {
    const fn new(began: Timestamp) -> Self {
        Self {
            began,
            stage: Stage::Templates,
            pages: 0,
            after: None,
            awaited: false,
        }
    }

    fn enter(&mut self, stage: Stage) {
        self.stage = stage;
        self.pages = 0;
        self.after = None;
    }
}

/// Lists to read, page by page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    /// The provider's templates, which are taken over.
    #[default]
    Templates,
    /// Our rows: whether the list showed all of them.
    Compare,
    /// The provider's names, because it did not.
    Names,
    /// Our rows, to mark those missing from both lists.
    Mark,
}

/// Names seen by the steps of a list. Details of the operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    /// Connections that were done.
    done: usize,
    /// Beginning of the list.
    began: Timestamp,
    names: ListedNames,
}

kit::function!(serve_operation, Context::new, handle);

/// Makes one step.
///
/// # Errors
/// When the table or a provider does not answer.
pub async fn handle(turn: Turn, ctx: &Context) -> Result<Step, JobError> {
    let order: SyncTemplates = turn.params()?;
    let mut cursor: Cursor = turn.cursor()?.unwrap_or_default();
    let kept = ctx.read_seen_names(&turn, &mut cursor).await?;
    let known = kept.as_ref().map(ListedNames::count);
    let mut names = kept.unwrap_or_default();
    let limit = TimeLimit::of(ctx.work);
    let before = cursor.done;
    // A connection at most, so that one which fails is not repeated with others.
    while let Some(id) = order.connections.get(cursor.done).filter(|_| cursor.done == before) {
        let piece = ctx.advance(turn.scope(), *id, &order, &mut cursor, &mut names);
        Box::pin(piece).await?;
        crash::point("sync_templates.written");
        if limit.is_up() {
            break;
        }
    }
    // Before the checkpoint: the next step must not know less than its cursor says.
    if let Some(list) = cursor.list.as_ref().filter(|_| known != Some(names.count())) {
        let (done, began) = (cursor.done, list.began);
        let seen = Seen { done, began, names };
        let id = turn.operation().id;
        ctx.store
            .keep_operation_details(turn.scope(), id, &seen, ctx.clock.now())
            .await?;
    }
    let progress = Progress {
        done: cursor.synced.listed,
        total: None,
        errors: cursor.synced.failed,
    };
    if cursor.done < order.connections.len() {
        return Step::from_cursor(&cursor, progress);
    }
    let all_failed = order.connections.len() as u64 == cursor.synced.failed;
    match cursor.reason {
        Some(reason) if all_failed => Ok(Step::from_failure(reason)),
        _ => Step::from_result(&cursor.synced, progress),
    }
}

impl Cursor {
    fn next(&mut self) {
        self.done += 1;
        self.list = None;
    }
}

impl Context {
    /// Names seen so far in the list that goes on. If they are lost, the list begins again.
    async fn read_seen_names(&self, turn: &Turn, cursor: &mut Cursor) -> Result<Option<ListedNames>, JobError> {
        let Some(began) = cursor.list.as_ref().map(|list| list.began) else {
            return Ok(None);
        };
        let id = turn.operation().id;
        let kept = self.store.operation_details(turn.scope(), id, self.clock.now());
        let kept: Option<Seen> = kept.await?;
        let kept = kept.filter(|seen| seen.done == cursor.done && seen.began == began);
        if kept.is_none() {
            cursor.list = None;
        }
        Ok(kept.map(|seen| seen.names))
    }

    /// Makes the next piece of a connection's list.
    async fn advance(
        &self,
        scope: &TenantScope,
        id: ConnectionId,
        order: &SyncTemplates,
        cursor: &mut Cursor,
        names: &mut ListedNames,
    ) -> Result<(), JobError> {
        let now = self.clock.now();
        let connection = self.store.connection(scope, id).await?;
        let Some(connection) = connection.filter(|connection| connection.carries(Channel::WhatsApp)) else {
            // It was deleted meanwhile.
            cursor.next();
            return Ok(());
        };
        if cursor.list.is_none() && order.awaited {
            self.mark_awaited(scope, id, now).await?;
        }
        let mut list = cursor.list.take().unwrap_or_else(|| List::new(now));
        let taken_over = match list.stage {
            Stage::Templates | Stage::Names => {
                let page = self.page(scope, &connection, order.wanted, &mut list, names, &mut cursor.synced);
                Box::pin(page).await
            }
            Stage::Compare | Stage::Mark => {
                let rows = self.rows(scope, id, &mut list, names, &mut cursor.synced);
                Box::pin(rows).await.map_err(Unlisted::from)
            }
        };
        let awaited = match taken_over {
            Ok(true) => {
                cursor.list = Some(list);
                return Ok(());
            }
            Ok(false) => list.awaited,
            Err(Unlisted::Refused(reason)) => {
                // Not again before tomorrow, unless a verdict is awaited or somebody asks.
                let known = self.store.last_syncs(scope).await?.remove(&id);
                cursor.synced.failed += 1;
                cursor.reason = Some(reason);
                known.is_some_and(|known| known.awaited)
            }
            Err(Unlisted::Failed(error)) => return Err(error),
        };
        let at = list.began;
        self.store.note_sync(scope, id, &LastSync { at, awaited }).await?;
        cursor.next();
        Ok(())
    }

    /// Records that a verdict is awaited, or a doubt: if this list is never whole, another one is due within the hour. An earlier list that
    /// ends later does not take it back.
    async fn mark_awaited(&self, scope: &TenantScope, id: ConnectionId, at: Timestamp) -> Result<(), JobError> {
        let known = self.store.last_syncs(scope).await?;
        // Without a record, it is due at any time.
        if known.contains_key(&id) {
            let awaited = true;
            self.store.note_sync(scope, id, &LastSync { at, awaited }).await?;
        }
        Ok(())
    }

    /// Reads a page of the provider's. Returns whether there is more to do: our rows come after it.
    async fn page(
        &self,
        scope: &TenantScope,
        connection: &Connection,
        wanted: bool,
        list: &mut List,
        names: &mut ListedNames,
        synced: &mut Synced,
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
        let after = list.after.as_deref();
        let (next, then) = if list.stage == Stage::Names {
            let page = self.clients.names(account, after).await.map_err(refused)?;
            for (name, language) in &page.names {
                names.add(name, language);
            }
            for sid in &page.contents {
                names.add_content(sid);
            }
            (page.next, Stage::Mark)
        } else {
            let page = self.clients.page(account, after).await.map_err(refused)?;
            let noted = self
                .store
                .note_listed(scope, connection.id, &page.templates, list.began, wanted);
            let noted = Box::pin(noted).await?;
            for template in &page.templates {
                names.add(&template.name, &template.language);
                if let Some(sid) = &template.content_sid {
                    names.add_content(sid);
                }
            }
            synced.listed += u64::try_from(page.templates.len()).unwrap_or_default();
            synced.created += noted.created;
            synced.changed += noted.changed;
            synced.skipped += noted.skipped + page.skipped;
            list.awaited |= noted.awaited;
            // A list of one page was read at once, and is complete.
            let complete = list.pages == 0 && page.skipped == 0;
            (page.next, if complete { Stage::Mark } else { Stage::Compare })
        };
        if next.is_some() && next.as_deref() == after {
            return Err(refused(TemplateError::Unreadable));
        }
        list.pages += 1;
        list.after = next;
        let endless = list.after.is_some() && list.pages >= MAX_LIST_LENGTH;
        // Twilio's have an id besides the name.
        let each = if matches!(account, TemplateAccount::Twilio(_)) {
            2
        } else {
            1
        };
        if endless || names.count() > each * ListedNames::MAX {
            return Err(refused(TemplateError::TooMany));
        }
        if list.after.is_none() {
            list.enter(then);
        }
        Ok(true)
    }

    /// Reads a page of our rows. Returns whether there is more to do.
    async fn rows(
        &self,
        scope: &TenantScope,
        id: ConnectionId,
        list: &mut List,
        names: &ListedNames,
        synced: &mut Synced,
    ) -> Result<bool, StoreError> {
        let after = list.after.as_deref();
        if list.stage == Stage::Compare {
            let found = self.store.count_unlisted(scope, id, names, list.began, after).await?;
            if found.gone > 0 {
                list.enter(Stage::Names);
                return Ok(true);
            }
            list.after = found.next;
        } else {
            let marked = self.store.note_unlisted(scope, id, names, list.began, after);
            let marked = Box::pin(marked).await?;
            synced.deleted += marked.gone;
            list.awaited |= marked.replaced;
            list.after = marked.next;
        }
        Ok(list.after.is_some())
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
            TemplateError::Refused { .. } if !error.is_throttled() && !error.is_unknown() => {
                match error.words_for_people() {
                    Some(told) => format!("The provider refuses the list of the connection \"{connection}\": {told}"),
                    None => format!("The provider refuses the list of the connection \"{connection}\"."),
                }
            }
            _ => return Self::Failed(error.into()),
        };
        tracing::warn!(
            error = kit::chain(&error),
            "the templates of a connection cannot be listed"
        );
        Self::Refused(reason.chars().take(MAX_REASON_LENGTH).collect())
    }
}
