//! Submitting templates and deleting them at the provider, and the caller's answers.
//!
//! A submission claims the row first, so that only one of two requests at the same time goes to the provider. If the outcome is unknown,
//! the row stays claimed, and the next request first looks for the template.

use std::sync::Arc;

use api::{IfMatch, Setback, require_found, setback};
use axum::http::StatusCode;
use domain::media::Asset;
use domain::templates::{
    Accepted, Cause, NotNow, Submission, TemplateDefinition, TemplateId, TemplateReport, TemplateStatus, lint_draft,
    sync_operation,
};
use domain::tenants::{Account, Connection, SendSecrets};
use domain::terms::{ConnectionId, FieldProblem};
use jiff::Timestamp;
use kit::Problem;
use providers::template_clients::TemplateAccount;
use providers::templates::TemplateError;
use providers::twilio::client::Credentials;
use store::table::rates::Limit;
use store::table::usage;
use store::{Owned as _, Versioned};

use crate::models::path_of_field;
use crate::{Context, Found, RACES, Writing, no_whatsapp, not_editable, submitting, through, unwritable};

/// Submissions and deletions per tenant and hour: WhatsApp takes 100 new templates of an account.
const SUBMISSIONS: Limit = Limit::per_hour(100);

/// How a template is to be submitted.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) even_if_used: bool,
    pub(crate) if_match: &'a IfMatch,
}

/// A submission that has the row.
struct Work {
    how: Submission,
    row: Found,
    /// Whether an earlier one had no outcome.
    taken_up: bool,
    connection: Connection,
    /// The other connections of the same account, where an edit is theirs, too.
    others: Vec<ConnectionId>,
    secrets: Arc<SendSecrets>,
    sample: Option<Asset>,
    /// Twilio's id, once it is known.
    content_sid: Option<String>,
}

enum Claim {
    /// There is nothing new to submit.
    Nothing(Box<Found>),
    Claimed(Box<Work>),
}

/// The provider's answer to a submission.
enum Asked {
    Accepted(Accepted),
    /// A template of this name and language, whoever created it.
    Found(Box<TemplateDefinition>),
}

/// Why a submission did not succeed.
pub(crate) enum Outcome {
    /// The provider refuses the template.
    Refused(Option<String>),
    /// Nothing was done.
    Failed(Box<Failed>),
    /// It is not known what was done.
    Unknown(Box<Failed>),
}

/// A failure of the provider or of ours.
pub(crate) struct Failed {
    problem: Problem,
    /// Whether the provider refuses the credentials.
    denied: bool,
}

impl From<Problem> for Outcome {
    fn from(problem: Problem) -> Self {
        let denied = false;
        Self::Failed(Box::new(Failed { problem, denied }))
    }
}

impl From<&TemplateError> for Box<Failed> {
    fn from(error: &TemplateError) -> Self {
        Self::new(Failed {
            problem: problem(error),
            denied: error.denies(),
        })
    }
}

impl Outcome {
    /// The outcome of a request that changes a template.
    fn of(error: &TemplateError) -> Self {
        if error.is_unknown() {
            Self::Unknown(error.into())
        } else {
            Self::nothing_done(error)
        }
    }

    /// The outcome of a request that changes no template.
    pub(crate) fn nothing_done(error: &TemplateError) -> Self {
        let refuses = matches!(error, TemplateError::Refused { .. });
        if refuses && !error.denies() && !error.is_throttled() && !error.is_unknown() {
            Self::Refused(error.words_for_people().map(str::to_owned))
        } else {
            Self::Failed(error.into())
        }
    }

    /// The outcome of looking for a template that an earlier request may have submitted.
    fn still_unknown(error: &TemplateError) -> Self {
        Self::Unknown(error.into())
    }
}

fn provider_failed_problem(detail: &'static str) -> Problem {
    Problem::new(StatusCode::BAD_GATEWAY, "provider_failed", "Provider failed", detail)
}

/// The caller's answer to an error, apart from the refusal of a template.
fn problem(error: &TemplateError) -> Problem {
    tracing::warn!(
        error = kit::chain(error),
        "a provider did not do what was asked with a template"
    );
    if error.denies() {
        return Problem::new(
            StatusCode::BAD_GATEWAY,
            "provider_refused",
            "Provider refuses",
            "The provider refuses the connection's credentials. Test the connection, and set its credentials again.",
        );
    }
    if error.is_throttled() {
        return provider_failed_problem(
            "The provider accepts no more requests about templates at present. Try again in an hour.",
        );
    }
    match error {
        TemplateError::NoSample => {
            provider_failed_problem("The sample could not be uploaded in time. Try again later.")
        }
        error if error.is_unknown() => provider_failed_problem(
            "It is not known what the provider did. Send the request again after two minutes: it looks first.",
        ),
        _ => provider_failed_problem(
            "The provider did not answer, or with something else than expected. Try again later.",
        ),
    }
}

/// 409 with the provider's words.
fn template_refused_problem(told: Option<&str>) -> Problem {
    let detail = match told {
        Some(told) => format!("The provider refuses the template: {told}"),
        None => "The provider refuses the template, without a reason.".to_owned(),
    };
    Problem::conflict("template_refused", detail)
}

fn not_now(why: NotNow) -> Problem {
    match why {
        NotNow::UnderWay => submitting(),
        NotNow::TooOften(at) => not_editable(format!(
            "WhatsApp allows one change of an approved template in 24 hours, and ten in 30 days. Submit it after {at}."
        )),
        NotNow::Buttons => unwritable(),
        NotNow::State | NotNow::Nothing => {
            not_editable("The provider allows no change of the template in this state. Create another one.")
        }
    }
}

impl Work {
    /// The template with the content that is submitted.
    fn submitted_template(&self) -> TemplateDefinition {
        let row = &self.row.value;
        match self.how {
            Submission::Create => row.clone(),
            Submission::Edit => row.latest().onto(row),
        }
    }
}

impl Context {
    /// Submits a template. Returns it as it is now; if the provider refused it, also the problem.
    ///
    /// # Errors
    /// Why it was not submitted, or that the outcome is not known.
    pub(crate) async fn submit(
        &self,
        who: &Writing,
        id: &TemplateId,
        wanted: Wanted<'_>,
    ) -> Result<(Found, Option<Problem>), Problem> {
        let claimed = RACES.until_won(|| self.claim(who, id, wanted)).await?;
        let mut work = match claimed {
            Claim::Nothing(found) => return Ok((*found, None)),
            Claim::Claimed(work) => work,
        };
        let now = who.now();
        let asked = Box::pin(self.ask(who, &mut work)).await;
        let Work {
            how,
            row,
            connection,
            others,
            content_sid,
            ..
        } = *work;
        // Also what was refused has one.
        let with_sid = |row: TemplateDefinition| TemplateDefinition {
            content_sid: content_sid.clone().or(row.content_sid),
            ..row
        };
        match asked {
            Ok(Asked::Accepted(answer)) => {
                let accepted = |row: &TemplateDefinition| with_sid(row.after_acceptance(how, &answer, now));
                let settled = self.settle_submission(who, row, accepted).await?;
                self.share(who, &others, &settled.value).await;
                Ok((settled, None))
            }
            Ok(Asked::Found(listed)) => {
                let adopted = |row: &TemplateDefinition| {
                    let free = row.after_refusal(None);
                    let after = TemplateDefinition::after_list(Some(&free), &listed, connection.id, now, false);
                    after.unwrap_or(free)
                };
                Ok((self.settle_submission(who, row, adopted).await?, None))
            }
            Err(Outcome::Refused(told)) => {
                let freed = |row: &TemplateDefinition| with_sid(row.after_refusal(told.as_deref()));
                let row = self.settle_submission(who, row, freed).await?;
                Ok((row, Some(template_refused_problem(told.as_deref()))))
            }
            Err(Outcome::Failed(failed)) => {
                let freed = |row: &TemplateDefinition| with_sid(row.after_refusal(None));
                self.settle_submission(who, row, freed).await?;
                Err(failed.problem)
            }
            Err(Outcome::Unknown(failed)) => {
                if content_sid.is_some() && content_sid != row.value.content_sid {
                    // Whoever takes it up looks for this content, whatever the draft says by then.
                    let kept = |row: &TemplateDefinition| with_sid(row.clone());
                    if self.settle_submission(who, row, kept).await.is_err() {
                        tracing::warn!("the content of a template whose submission has an unknown outcome is not kept");
                    }
                }
                self.withhold(who, id, &others).await;
                Err(failed.problem)
            }
        }
    }

    /// Claims the row, if the template can be submitted.
    async fn claim(&self, who: &Writing, id: &TemplateId, wanted: Wanted<'_>) -> Result<Claim, Setback> {
        let (store, scope, now) = (self.api.store(), who.scope(), who.now());
        let before = self.find(who, id).await?;
        wanted.if_match.check(before.version)?;
        let how = match before.value.submission(now) {
            Ok(how) => how,
            Err(NotNow::Nothing) => return Ok(Claim::Nothing(Box::new(before))),
            Err(why) => return Err(not_now(why).into()),
        };
        let connection = store.connection(scope, id.connection).await?;
        let gone = || not_editable("The connection of the template was deleted.");
        let connection = connection.ok_or_else(gone)?;
        let secrets = self.secrets(who, &connection).await?;
        let content = before.value.latest();
        let sample = self.sample(who, &content).await?;
        let (name, language) = (id.key.name(), id.key.language());
        let wrong = lint_draft(name, language, &content, through(&connection), sample.as_ref()).problems;
        if !wrong.is_empty() {
            let placed = wrong.into_iter().map(|problem| FieldProblem {
                field: path_of_field(&problem.field),
                ..problem
            });
            return Err(Problem::from(placed.collect::<Vec<_>>()).into());
        }
        if before.value.status.sendable() && !wanted.even_if_used {
            self.require_unused(who, id).await?;
        }
        self.api.limit(who, "TEMPLATES", SUBMISSIONS).await?;
        let others = match how {
            Submission::Create => Vec::new(),
            Submission::Edit => self.of_same_account(who, &connection).await?,
        };
        // First, so that nothing stays claimed, or in review, without a list that shows what became of it.
        for listed in [connection.id].iter().chain(&others) {
            let operation = sync_operation(*listed, Cause::Submitted, now);
            store.create_own_operation(scope, &operation).await?;
        }
        let claimed = TemplateDefinition {
            submitting: Some(now),
            ..before.value.clone()
        };
        let row = store
            .write_template(scope, before.version, &claimed, Some(&who.stamp()))
            .await?;
        Ok(Claim::Claimed(Box::new(Work {
            how,
            taken_up: before.value.submitting.is_some(),
            content_sid: before.value.content_sid,
            row,
            connection,
            others,
            secrets,
            sample,
        })))
    }

    /// The other connections of a WhatsApp account.
    async fn of_same_account(&self, who: &Writing, own: &Connection) -> Result<Vec<ConnectionId>, Problem> {
        let Account::WhatsApp(account) = &own.account else {
            return Ok(Vec::new());
        };
        let mut all = self.api.store().connections(who.scope()).await?;
        all.retain(|other| match &other.account {
            Account::WhatsApp(theirs) => other.id != own.id && theirs.waba_id == account.waba_id,
            _ => false,
        });
        Ok(all.iter().map(|other| other.id).collect())
    }

    async fn secrets(&self, who: &Writing, connection: &Connection) -> Result<Arc<SendSecrets>, Problem> {
        let opened = Box::pin(self.credentials.of(who.scope(), connection, who.now())).await;
        let opened = opened.map_err(|error| {
            tracing::error!(
                error = kit::chain(&error),
                "a connection's credentials cannot be opened"
            );
            Problem::unavailable()
        })?;
        opened.ok_or_else(|| no_whatsapp("The connection has no credentials for the provider's API. Set them."))
    }

    async fn ask(&self, who: &Writing, work: &mut Work) -> Result<Asked, Outcome> {
        let secrets = Arc::clone(&work.secrets);
        let account = work.connection.account.clone();
        let asked = match TemplateAccount::of(&account, Some(&secrets)) {
            Some(TemplateAccount::Meta { waba_id, access_token }) => {
                Box::pin(self.ask_meta(who, work, waba_id, access_token)).await
            }
            Some(TemplateAccount::Twilio(credentials)) => Box::pin(self.ask_twilio(work, credentials)).await,
            None => {
                let detail = "The connection's credentials are not those of its provider. Set them again.";
                Err(no_whatsapp(detail).into())
            }
        };
        if let Err(Outcome::Failed(failed) | Outcome::Unknown(failed)) = &asked
            && failed.denied
        {
            self.credentials.doubt(who.scope(), work.connection.id, who.now());
        }
        asked
    }

    async fn ask_meta(&self, who: &Writing, work: &Work, waba_id: &str, access_token: &str) -> Result<Asked, Outcome> {
        let template = work.submitted_template();
        let graph = &self.clients.graph;
        if work.taken_up
            && let Some(listed) = self.look(&template, waba_id, access_token).await?
        {
            match work.how {
                Submission::Create => return Ok(Asked::Found(Box::new(listed))),
                Submission::Edit if work.row.value.is_submitted_in(&listed) => {
                    return Ok(Asked::Accepted(Accepted {
                        id: listed.provider_id,
                        content_sid: None,
                        status: listed.status,
                        category: Some(listed.category),
                    }));
                }
                Submission::Edit => {}
            }
        }
        let handle = match (template.header_media, &work.sample) {
            (Some(_), Some(sample)) => Some(Box::pin(self.upload_asset(who, sample, access_token)).await?),
            _ => None,
        };
        usage::provider("whatsapp.templates");
        if work.how == Submission::Edit {
            // An approved one keeps its category.
            let category = work.row.value.latest().category.into();
            let category = (!work.row.value.status.sendable()).then_some(category);
            let id = template.provider_id.as_deref().unwrap_or_default();
            let edited = graph.edit_template(access_token, id, &template, category, handle.as_deref());
            edited.await.map_err(|error| Outcome::of(&error))?;
            return Ok(Asked::Accepted(Accepted {
                id: None,
                content_sid: None,
                status: TemplateStatus::pending(),
                category: None,
            }));
        }
        match graph
            .create_template(access_token, waba_id, &template, handle.as_deref())
            .await
        {
            Ok(made) => Ok(Asked::Accepted(Accepted {
                id: made.id,
                content_sid: None,
                status: made.status,
                category: made.category,
            })),
            // Somebody created it elsewhere, or an answer was lost.
            Err(error) if error.exists() => match self.look(&template, waba_id, access_token).await? {
                Some(listed) => Ok(Asked::Found(Box::new(listed))),
                None => Err(Outcome::of(&error)),
            },
            Err(error) => Err(Outcome::of(&error)),
        }
    }

    /// The template as Meta has it.
    async fn look(
        &self,
        template: &TemplateDefinition,
        waba_id: &str,
        access_token: &str,
    ) -> Result<Option<TemplateDefinition>, Outcome> {
        usage::provider("whatsapp.templates");
        let graph = &self.clients.graph;
        let named = graph.template_named(access_token, waba_id, &template.name, &template.language);
        let found = named.await.map_err(|error| Outcome::still_unknown(&error))?;
        // What is about to be deleted is no outcome of a submission.
        Ok(found.filter(|found| !found.status.is_gone()))
    }

    async fn ask_twilio(&self, work: &mut Work, credentials: Credentials<'_>) -> Result<Asked, Outcome> {
        let template = work.submitted_template();
        let content = &self.clients.content;
        usage::provider("twilio.content");
        if work.taken_up {
            if work.content_sid.is_none() {
                let found = Box::pin(content.find(credentials, &template)).await;
                work.content_sid = found.map_err(|error| Outcome::still_unknown(&error))?;
            }
            if let Some(sid) = &work.content_sid {
                // The draft may have changed since: what was submitted counts.
                match content.find_submitted(credentials, sid).await {
                    Ok(Some(listed)) => return Ok(Asked::Found(Box::new(listed))),
                    Ok(None) => {}
                    Err(error) if error.is_missing() => {}
                    Err(error) => return Err(Outcome::still_unknown(&error)),
                }
            }
        }
        let replaced = match &work.content_sid {
            Some(sid) => match content.replace(credentials, sid, &template).await {
                Ok(()) => Some(sid.clone()),
                Err(error) if error.is_missing() => None,
                Err(error) => return Err(Outcome::of(&error)),
            },
            None => None,
        };
        let sid = match replaced {
            Some(sid) => sid,
            None => {
                let created = content.create(credentials, &template).await;
                created.map_err(|error| Outcome::of(&error))?
            }
        };
        work.content_sid = Some(sid.clone());
        let submitted = content.submit(credentials, &sid, &template).await;
        let submitted = submitted.map_err(|error| Outcome::of(&error))?;
        Ok(Asked::Accepted(Accepted {
            id: None,
            content_sid: Some(sid),
            status: submitted.status,
            category: submitted.category,
        }))
    }

    /// Writes what became of a submission, whatever was reported of the template meanwhile.
    async fn settle_submission(
        &self,
        who: &Writing,
        row: Found,
        change: impl Fn(&TemplateDefinition) -> TemplateDefinition,
    ) -> Result<Found, Problem> {
        let (store, scope, stamp, change) = (self.api.store(), who.scope(), &who.stamp(), &change);
        let id = &row.value.id();
        let read = || require_found(store.get(scope, id));
        let write = |row: Found| async move {
            let after = change(&row.value);
            if after.edition == row.value.edition {
                let written = store.write_template(scope, row.version, &after, Some(stamp));
                return Ok(written.await?);
            }
            let written = store.change(scope, &row, &after, stamp).await;
            let version = written.map_err(setback::<TemplateDefinition>)?;
            Ok(Versioned { version, value: after })
        };
        RACES.until_won_from(row, read, write).await
    }

    /// Takes over an edit into the templates of the account's other connections. If that fails, their lists do it.
    async fn share(&self, who: &Writing, others: &[ConnectionId], edited: &TemplateDefinition) {
        if others.is_empty() {
            return;
        }
        let (store, scope, now) = (self.api.store(), who.scope(), who.now());
        let shared = RACES.until_won(|| async move { Ok(store.note_edit(scope, others, edited, now).await?) });
        if shared.await.is_err() {
            tracing::warn!("the edit of a template is not known to the account's other connections before their lists");
        }
    }

    /// Has the account's other connections send nothing with a template whose edit has an unknown outcome, until their lists show it.
    async fn withhold(&self, who: &Writing, id: &TemplateId, others: &[ConnectionId]) {
        if others.is_empty() {
            return;
        }
        let (store, scope, now) = (self.api.store(), who.scope(), who.now());
        // As old as the state of an edit that was accepted: a verdict in the same second counts.
        let asked = Timestamp::from_second(now.as_second() - 1).unwrap_or(now);
        let report = TemplateReport {
            status: Some(TemplateStatus::pending()),
            ..TemplateReport::of(id.key.clone(), asked)
        };
        let report = &report;
        let noted = RACES.until_won(|| async move { Ok(store.note_template(scope, others, report).await?) });
        if noted.await.is_err() {
            tracing::warn!("the account's other connections go on with a template whose edit has an unknown outcome");
        }
    }

    /// Deletes a template at its provider, if it may be there.
    ///
    /// # Errors
    /// When the provider does not delete it.
    pub(crate) async fn delete(
        &self,
        who: &Writing,
        id: &TemplateId,
        template: &TemplateDefinition,
    ) -> Result<(), Problem> {
        let submitted = !template.status.is_draft() && !template.status.is_gone();
        if !submitted && template.submitting.is_none() && template.content_sid.is_none() {
            return Ok(());
        }
        // Without the connection, nobody of ours has the account any more.
        let Some(connection) = self.api.store().connection(who.scope(), id.connection).await? else {
            return Ok(());
        };
        let secrets = self.secrets(who, &connection).await?;
        self.api.limit(who, "TEMPLATES", SUBMISSIONS).await?;
        let deleted = match TemplateAccount::of(&connection.account, Some(&secrets)) {
            Some(TemplateAccount::Meta { waba_id, access_token }) => {
                Box::pin(self.delete_at_meta(template, waba_id, access_token)).await
            }
            Some(TemplateAccount::Twilio(credentials)) => Box::pin(self.delete_at_twilio(template, credentials)).await,
            None => return Ok(()),
        };
        let error = match deleted {
            Ok(()) => return Ok(()),
            Err(error) if error.is_missing() => return Ok(()),
            Err(error) => error,
        };
        if error.denies() {
            self.credentials.doubt(who.scope(), connection.id, who.now());
        }
        Err(match Outcome::nothing_done(&error) {
            Outcome::Refused(told) => template_refused_problem(told.as_deref()),
            Outcome::Failed(failed) | Outcome::Unknown(failed) => failed.problem,
        })
    }

    async fn delete_at_meta(
        &self,
        template: &TemplateDefinition,
        waba_id: &str,
        access_token: &str,
    ) -> Result<(), TemplateError> {
        let graph = &self.clients.graph;
        usage::provider("whatsapp.templates");
        let id = match &template.provider_id {
            Some(id) => Some(id.clone()),
            None => {
                let named = graph.template_named(access_token, waba_id, &template.name, &template.language);
                named.await?.and_then(|listed| listed.provider_id)
            }
        };
        match id {
            Some(id) => graph.delete_template(access_token, waba_id, &template.name, &id).await,
            None => Ok(()),
        }
    }

    async fn delete_at_twilio(
        &self,
        template: &TemplateDefinition,
        credentials: Credentials<'_>,
    ) -> Result<(), TemplateError> {
        let content = &self.clients.content;
        usage::provider("twilio.content");
        let sid = match &template.content_sid {
            Some(sid) => Some(sid.clone()),
            None => Box::pin(content.find(credentials, template)).await?,
        };
        match sid {
            Some(sid) => content.delete(credentials, &sid).await,
            None => Ok(()),
        }
    }
}
