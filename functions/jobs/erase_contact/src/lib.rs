//! The operation `erase_contact`: deletes everything of a contact, and remembers only hashes of its identities, so that no import
//! brings the person back.
//!
//! Safe to run twice: every step only deletes, or writes hashes that are the same each time, and the contact's own row, which
//! leads to the rest, is deleted last. A step that is interrupted is made again; what it had deleted before is then not counted.

use domain::{
    erasure::{EraseContact, Erased, Salt},
    ids::ContactId,
    operation::{Data, Progress},
};
use kit::{
    Clock, ConfigError, Env, Ids, JobError,
    operation::{Step, Turn},
};
use serde::{Deserialize, Serialize};
use store::{Store, TenantScope, contacts::ContactWrite};

/// State of the function, created once per process.
pub struct Context {
    store: Store,
    clock: Clock,
    ids: Ids,
}

impl Context {
    /// Creates the state from the function's environment.
    ///
    /// # Errors
    /// When a variable is missing or wrong.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            store: Store::new(env.dynamodb(), env.config().text("TABLE_NAME")?),
            clock: env.clock().clone(),
            ids: env.ids().clone(),
        })
    }
}

/// The stages, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    /// Remember the identities, and delete what the contact is found by: from now on, a call makes a new contact.
    Found,
    /// Delete identities that the contact has no room for, after this one of the tenant's list.
    Suppressed(Option<String>),
    /// Delete its calls and messages, page by page.
    History,
    /// Delete the contact itself.
    Contact,
    /// Delete what a job that was in progress has written meanwhile.
    Late,
}

/// Content of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    stage: Stage,
    erased: Erased,
}

/// The result: what was deleted, and what goes by itself.
#[derive(Debug, Serialize)]
struct Proof {
    /// Rows by kind.
    deleted: Erased,
    /// Remarks beside the numbers.
    notes: Vec<&'static str>,
}

const RESTORED: &str = "The contact was restored before, so nothing was deleted.";

const NOTES: [&str; 3] = [
    "Hashes of the identities are kept, so that an import does not bring the person back.",
    "Unprocessed events of providers and technical logs go by themselves: after 30 days, unless the operator set other times.",
    "Counters of calls and messages stay: they name nobody.",
];

/// Makes one step.
///
/// # Errors
/// When the table does not answer, or a row cannot be read.
pub async fn handle(turn: Turn, ctx: &Context) -> Result<Step, JobError> {
    let EraseContact { contact, deleted_at } = turn.params()?;
    let begin = || Cursor {
        stage: Stage::Found,
        erased: Erased::default(),
    };
    let begun: Option<Cursor> = turn.cursor()?;
    if begun.is_none() {
        match ctx.store.contact(turn.scope(), contact).await? {
            Some(known) if known.deleted_at != Some(deleted_at) => {
                return Ok(Step::Done {
                    result: Data::of(&Proof {
                        deleted: Erased::default(),
                        notes: vec![RESTORED],
                    })?,
                    progress: Progress::default(),
                });
            }
            // From here on, it cannot be restored, and a call or message makes a new contact.
            Some(mut known) if !known.erasing => {
                known.erasing = true;
                let write = ContactWrite::from(known);
                ctx.store.write_contact(turn.scope(), &write, None).await?;
            }
            _ => {}
        }
    }
    let Cursor { stage, mut erased } = begun.unwrap_or_else(begin);
    let work = Work {
        scope: turn.scope(),
        contact,
        ctx,
    };
    let (now_erased, next) = work.step(stage).await?;
    erased.add(&now_erased);
    let progress = Progress {
        done: erased.total(),
        ..Progress::default()
    };
    Ok(match next {
        Some(stage) => Step::More {
            cursor: Data::of(&Cursor { stage, erased })?,
            progress,
        },
        None => Step::Done {
            result: Data::of(&Proof {
                deleted: erased,
                notes: NOTES.into(),
            })?,
            progress,
        },
    })
}

struct Work<'a> {
    scope: &'a TenantScope,
    contact: ContactId,
    ctx: &'a Context,
}

impl Work<'_> {
    /// Makes a step of this stage. Returns the numbers of deleted rows, and the next stage.
    async fn step(&self, stage: Stage) -> Result<(Erased, Option<Stage>), JobError> {
        let (store, scope, contact) = (&self.ctx.store, self.scope, self.contact);
        Ok(match stage {
            Stage::Found => {
                let known = store.identities_of(scope, contact).await?;
                let erased = Erased {
                    identities: self.forget(&known).await?,
                    listings: store.erase_listings(scope, contact).await?,
                    ..Erased::default()
                };
                (erased, Some(Stage::Suppressed(None)))
            }
            Stage::Suppressed(after) => {
                let page = store.suppressed_of(scope, contact, after.as_deref()).await?;
                let erased = Erased {
                    identities: self.forget(&page.items).await?,
                    ..Erased::default()
                };
                let next = match page.next {
                    Some(after) => Stage::Suppressed(Some(after)),
                    None => Stage::History,
                };
                (erased, Some(next))
            }
            Stage::History => {
                let page = store.erase_history_page(scope, contact).await?;
                let next = if page.more { Stage::History } else { Stage::Contact };
                (page.erased, Some(next))
            }
            Stage::Contact => {
                // A job that had read the contact before may have added an identity or an entry.
                let known = store.identities_of(scope, contact).await?;
                let identities = self.forget(&known).await?;
                let listings = store.erase_listings(scope, contact).await?;
                let mut erased = store.erase_contact_rows(scope, contact).await?;
                erased.add(&Erased {
                    identities,
                    listings,
                    ..Erased::default()
                });
                (erased, Some(Stage::Late))
            }
            Stage::Late => {
                let page = store.erase_history_page(scope, contact).await?;
                (page.erased, page.more.then_some(Stage::Late))
            }
        })
    }

    /// Remembers these identities by their hashes, then deletes those that lead to the contact.
    async fn forget(&self, identities: &[String]) -> Result<u64, JobError> {
        let Context { store, clock, ids } = self.ctx;
        let fresh = Salt::new(ids.secret()?);
        store
            .remember_erased(self.scope, identities, fresh, clock.now())
            .await?;
        Ok(store.erase_identities(self.scope, self.contact, identities).await?)
    }
}
