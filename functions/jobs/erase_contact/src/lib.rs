//! The operation `erase_contact`: deletes everything of a contact and of those that were merged into it, and remembers only hashes of
//! the identities and what the person refuses, so that no import brings the person back, and nobody has to say STOP twice. Other
//! contacts no longer name it as the same person.
//!
//! Safe to run twice: every step only deletes, or writes hashes that are the same each time, and the contact's own row, which
//! leads to the rest, is deleted last, in one transaction with the changes of contacts that name it. A step that is interrupted is
//! made again; what it had deleted before is then not counted.

use domain::people::{Contact, EraseContact, Erased, Identity, Salt, Wishes};
use domain::terms::{ContactId, Progress};
use kit::operation::{Step, Turn};
use kit::{Clock, ConfigError, Env, Files, Folder, Ids, JobError};
use serde::{Deserialize, Serialize};
use store::contacts::{ContactWrite, ErasedPage};
use store::{Store, TenantScope};

/// State of the function, created once per process.
pub struct Context {
    store: Store,
    files: Files,
    clock: Clock,
    ids: Ids,
}

impl Context {
    /// Creates the state from the function's environment.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            store: env.store()?,
            files: Files::new(env)?,
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
    /// Delete its archives, the copies of its recordings, its media and attachments, page by page.
    Files,
    /// Delete identities that the contact has no room for, from this position on. There may be some although the contact refuses
    /// nothing: what it refused can have ended, and the undoing of a merge takes it back.
    #[serde(rename = "suppressed")]
    Surplus(Option<String>),
    /// Delete its calls and messages, and those of the contacts that were merged into it, page by page.
    History,
    /// Delete the contact itself.
    Contact,
    /// Delete what a job, an archive or the copy of a recording or medium that was in progress has written meanwhile.
    Late,
}

/// Content of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    stage: Stage,
    erased: Erased,
    /// Contacts that were merged into it. No others are once the erasure has begun.
    #[serde(default)]
    aliases: Vec<ContactId>,
}

/// The result: what was deleted, and what goes by itself.
#[derive(Debug, Serialize)]
struct Proof {
    /// Rows and files by kind.
    deleted: Erased,
    /// Remarks beside the numbers.
    notes: Vec<&'static str>,
}

const RESTORED: &str = "The contact was restored before, so nothing was deleted.";

const NOTES: [&str; 9] = [
    "Hashes of the identities are kept, so that an import does not bring the person back, and with them refusals of messages.",
    "Links to the person's preference page lead nowhere any more. They name nobody, and go by themselves after 180 days.",
    "Pages of tracked links of messages that were deleted before December 2026 cannot be found. They lead nowhere, and go by themselves after 180 days.",
    "Unprocessed events of providers and technical logs go by themselves: after 30 days, unless the operator set other times.",
    "Files of exports and imports that may name the person go by themselves: results after about a week, uploaded tables and unfinished files after a day or two.",
    "Copies of recordings, and pictures and other files of messages, are deleted. The originals are with the telephone system and the provider, in the business's own account: delete them there.",
    "Answers that are kept for repeated requests go after a day, values of changes of many contacts after a week, and ids of messages at providers after 60 days.",
    "Backups from which the operator could restore the whole table reach back 35 days.",
    "Counters of calls and messages stay: they name nobody.",
];

kit::function!(serve_operation, Context::new, handle);

/// Makes one step.
///
/// # Errors
/// When the table or the bucket does not answer, or a row cannot be read.
pub async fn handle(turn: Turn, ctx: &Context) -> Result<Step, JobError> {
    let EraseContact { contact, deleted_at } = turn.params()?;
    let begun: Option<Cursor> = turn.cursor()?;
    let mut aliases = Vec::new();
    if begun.is_none() {
        let known = ctx.store.contact(turn.scope(), contact).await?;
        aliases.extend(known.iter().flat_map(|known| known.aliases.iter().copied()));
        match known {
            // Also if it was merged into another since.
            Some(known) if known.id != contact || known.deleted_at != Some(deleted_at) => {
                let proof = Proof {
                    deleted: Erased::default(),
                    notes: vec![RESTORED],
                };
                return Step::from_result(&proof, Progress::default());
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
    let Cursor {
        stage,
        mut erased,
        aliases,
    } = begun.unwrap_or_else(|| Cursor {
        stage: Stage::Found,
        erased: Erased::default(),
        aliases,
    });
    let work = Work {
        scope: turn.scope(),
        person: [contact].into_iter().chain(aliases.iter().copied()).collect(),
        contact,
        ctx,
    };
    let (now_erased, next) = work.step(stage).await?;
    erased.add(&now_erased);
    let progress = Progress {
        done: erased.total(),
        ..Progress::default()
    };
    match next {
        Some(stage) => Step::from_cursor(&Cursor { stage, erased, aliases }, progress),
        None => {
            let proof = Proof {
                deleted: erased,
                notes: NOTES.into(),
            };
            Step::from_result(&proof, progress)
        }
    }
}

/// The texts of the keys of the identities which a contact knows.
fn identities(contact: Option<&Contact>) -> Vec<String> {
    let known = contact.map(Contact::known_by).unwrap_or_default();
    known.iter().map(Identity::key).collect()
}

struct Work<'a> {
    scope: &'a TenantScope,
    contact: ContactId,
    /// The contact, and those that were merged into it.
    person: Vec<ContactId>,
    ctx: &'a Context,
}

impl Work<'_> {
    /// Makes a step of this stage. Returns the numbers of deleted rows, and the next stage.
    async fn step(&self, stage: Stage) -> Result<(Erased, Option<Stage>), JobError> {
        let (store, scope, contact) = (&self.ctx.store, self.scope, self.contact);
        Ok(match stage {
            Stage::Found => {
                let known = store.contact(scope, contact).await?;
                let erased = Erased {
                    identities: self.forget(known.as_ref(), &identities(known.as_ref())).await?,
                    listings: store.erase_listings(scope, contact).await?,
                    ..Erased::default()
                };
                (erased, Some(Stage::Files))
            }
            Stage::Files => {
                let page = self.erase_files().await?;
                let next = if page.more { Stage::Files } else { Stage::Surplus(None) };
                (page.erased, Some(next))
            }
            Stage::Surplus(after) => {
                let page = store.surplus_identities(scope, &self.person, after.as_deref()).await?;
                let known = store.contact(scope, contact).await?;
                let erased = Erased {
                    identities: self.forget(known.as_ref(), &page.items).await?,
                    ..Erased::default()
                };
                let next = match page.next {
                    Some(after) => Stage::Surplus(Some(after)),
                    None => Stage::History,
                };
                (erased, Some(next))
            }
            Stage::History => {
                let page = self.erase_history().await?;
                let next = if page.more { Stage::History } else { Stage::Contact };
                (page.erased, Some(next))
            }
            Stage::Contact => {
                // A job that had read the contact before may have added an identity, an entry or a refusal.
                let known = store.contact(scope, contact).await?;
                // All entries that the profile says. The first stage has deleted and counted most of them.
                store.erase_listings(scope, contact).await?;
                let mut erased = Erased {
                    identities: self.forget(known.as_ref(), &identities(known.as_ref())).await?,
                    ..Erased::default()
                };
                for alias in self.person.iter().filter(|id| **id != contact) {
                    erased.add(&store.erase_alias_rows(scope, *alias).await?);
                }
                let Some(known) = known else {
                    return Ok((erased, Some(Stage::Late)));
                };
                // Its own row last: it leads to the others.
                match store.erase_contact_and_mentions(scope, &known).await {
                    Ok(rows) => erased.add(&rows),
                    // Or it does so now.
                    Err(error) if error.is_conflict() => return Ok((erased, Some(Stage::Contact))),
                    Err(error) => return Err(error.into()),
                }
                (erased, Some(Stage::Late))
            }
            Stage::Late => {
                let (rows, files) = (self.erase_history().await?, self.erase_files().await?);
                let mut erased = rows.erased;
                erased.add(&files.erased);
                (erased, (rows.more || files.more).then_some(Stage::Late))
            }
        })
    }

    /// Deletes a page of the archives of the contact and of those that were merged into it, of the copies of their recordings, and of
    /// their media and attachments. Whatever is being written meanwhile looks for the erasure afterwards.
    async fn erase_files(&self) -> Result<ErasedPage, JobError> {
        let mut page = ErasedPage {
            erased: Erased::default(),
            more: false,
        };
        for own in &self.person {
            for folder in Folder::of_contact(self.scope, *own) {
                let (deleted, more) = self.ctx.files.delete_some(&folder).await?;
                page.erased.files += deleted;
                page.more |= more;
            }
        }
        Ok(page)
    }

    /// Deletes a page of the history in each partition.
    async fn erase_history(&self) -> Result<ErasedPage, JobError> {
        let mut all = ErasedPage {
            erased: Erased::default(),
            more: false,
        };
        for own in &self.person {
            let page = self
                .ctx
                .store
                .erase_history_page(self.scope, *own, &self.person)
                .await?;
            all.erased.add(&page.erased);
            all.more |= page.more;
        }
        Ok(all)
    }

    /// Remembers these identities of the contact by their hashes, with what it refuses, then deletes those that lead to it. In this
    /// order, whoever finds that an identity leads nowhere also finds the refusals.
    async fn forget(&self, known: Option<&Contact>, identities: &[String]) -> Result<u64, JobError> {
        let Context { store, clock, ids, .. } = self.ctx;
        let fresh = Salt::new(ids.secret()?);
        let none = Wishes::NONE;
        let consent = known.map_or(&none, |known| &known.consent);
        store
            .remember_erased(self.scope, identities, consent, fresh, clock.now())
            .await?;
        Ok(store.erase_identities(self.scope, &self.person, identities).await?)
    }
}
