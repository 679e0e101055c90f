//! Templates, the messages that WhatsApp lets a business send first: drafts, their examination and preview, submission to WhatsApp, and
//! the templates as the provider has them.

mod models;
mod numbers;
mod submit;
mod uploads;

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use access::{Kms, Secrets, SendCredentials};
use api::permits::{self, Permit};
use api::{
    Allowed, Api, Body, Created, IfMatch, Listed, NoContent, OperationOut, Paging, Patch, Path, Query, RACES, Setback,
    Tagged, With, of_another_list, page_of, require_found, setback, start_and_answer,
};
use axum::{Extension, Json, Router};
use domain::media::Asset;
use domain::templates::{
    Entry, LIBRARY, SUBMISSION, ShownTemplate, SyncTemplates, TemplateContent, TemplateDefinition, TemplateId,
    TemplateKey, Through, find_in_library, lint_draft,
};
use domain::tenants::{Account, Connection, Rule};
use domain::terms::{Channel, ConnectionId, Fact, Fault, FaultCode, OperationKind};
use jiff::Timestamp;
use kit::{Bus, ConfigError, Env, Files, Problem};
use providers::http::Http;
use providers::template_clients::TemplateClients;
use providers::twilio::content::ContentClient;
use providers::whatsapp::client::GraphClient;
use store::messages::TemplateFilter;
use store::table::rates::Limit;
use store::{OwnedError, Page, Version, Versioned, first_version};

use crate::models::{
    AdoptTemplateIn, AdoptedTemplates, DeleteTemplateQuery, LibraryTemplate, SubmitTemplateIn, SyncTemplatesIn,
    TemplateChange, TemplateIn, TemplateLintIn, TemplateLintOut, TemplateModel, TemplatePreviewIn, TemplateQuery,
    TemplateUser, TemplateUses, TemplateVersion, TemplateVersionNumber, fitting,
};
use crate::numbers::get_template_numbers;
use crate::submit::Wanted;
use crate::uploads::WITHIN;

/// State of the function, created once per process.
struct Context {
    api: Api,
    credentials: SendCredentials,
    clients: TemplateClients,
    /// For samples, which take longer than other requests.
    uploads: GraphClient,
    files: Files,
    bus: Bus,
}

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    let config = env.config();
    let timeout = Duration::try_from(config.seconds("PROVIDER_TIMEOUT")?)
        .map_err(|_| ConfigError::new("PROVIDER_TIMEOUT", "must be above zero"))?;
    let http = Http::new(env.user_agent(), timeout);
    let (url, version) = (config.url("GRAPH_API_URL")?, config.text("GRAPH_API_VERSION")?);
    let keys = Kms::new(env.kms(), None, Some(config.text("KMS_SEND_KEY_ID")?.to_owned()));
    let context = Arc::new(Context {
        api: Api::new(env)?,
        credentials: SendCredentials::new(Secrets::new(keys)),
        clients: TemplateClients {
            graph: GraphClient::new(http.clone(), url, version),
            content: ContentClient::new(http, config.url("TWILIO_CONTENT_URL")?),
        },
        uploads: GraphClient::new(Http::new(env.user_agent(), WITHIN), url, version),
        files: Files::new(env)?,
        bus: Bus::new(env)?,
    });
    Ok(api::serve(operations(), context.api.clone()).layer(Extension(context)))
}

api::operations! {
    "templates": "Templates of WhatsApp messages: drafts, their examination, and what the provider has." {
        /// Create a draft of a template
        ///
        /// WhatsApp gets a draft only when you submit it. Problems with its content do not prevent saving it:
        /// `POST /api/v1/templates/lint` lists them. Its id is made of connection, name and language, so each language is a template
        /// of its own. A tenant can have at most 6,000.
        POST "/api/v1/templates" => create_template, "The template", problems "no_whatsapp";

        /// List templates
        ///
        /// By connection, name and language. The provider's templates are listed again every day, every hour while a verdict is awaited,
        /// and by `POST /api/v1/templates/sync`; verdicts of WhatsApp arrive at once. A page can hold fewer templates than `limit`, or
        /// none, without being the last one: only a `next_cursor` of `null` ends the list.
        GET "/api/v1/templates" => list_templates, "A page of templates";

        /// Examine a draft
        ///
        /// Names everything that the provider would refuse, by field, and everything that it may misjudge, such as words of an offer
        /// in a template that is no marketing. Nothing is saved or sent.
        POST "/api/v1/templates/lint" => lint_template, "What was found";

        /// List the provider's templates again
        ///
        /// The answer is the operation that does so. Its result counts new templates, changed ones, and ones that the provider no
        /// longer has. Templates that the provider refused in a message are tried again. A tenant can ask for it 12 times an hour.
        POST "/api/v1/templates/sync" => sync_templates, "The operation that lists them", problems "too_many_operations";

        /// List the library
        ///
        /// Templates to begin with, in English and Arabic. They pass the examination.
        GET "/api/v1/templates/library" => list_library_templates, "A page of the library";

        /// Submit a template of the library
        ///
        /// Creates its languages under the name of the library or another one, and submits them. If the provider refuses one, its
        /// draft stays, with the reason. A repeated request continues where the first one ended.
        POST "/api/v1/templates/library" => adopt_library_template, "The templates",
            502 "The provider failed, or refuses the connection's credentials",
            problems "no_whatsapp" "template_submitting" "template_not_editable" "provider_refused" "provider_failed";

        /// Get a template
        GET "/api/v1/templates/{template_id}" => get_template, "The template";

        /// Change the draft of a template
        ///
        /// Content is merged, lists are replaced as a whole. If a template was submitted before, the provider's version stays in force
        /// until the draft is submitted and approved. A template that was submitted through Twilio cannot be changed, nor a template with
        /// a button that this API cannot write, such as for calls by WhatsApp.
        PATCH "/api/v1/templates/{template_id}" => update_template, "The updated template",
            problems "template_submitting" "template_not_editable";

        /// Delete a template
        ///
        /// Deletes it at the provider, too, which then accepts no new template of this name and language for 30 days. If automations
        /// use it, the answer is 409 `template_in_use`, unless `even_if_used` is true.
        DELETE "/api/v1/templates/{template_id}" => delete_template, "The template is deleted",
            502 "The provider failed, or refuses the connection's credentials",
            problems "template_in_use" "template_submitting" "template_refused" "no_whatsapp" "provider_refused" "provider_failed";

        /// Submit a template
        ///
        /// Creates it at the provider, or changes it there: WhatsApp allows that once in 24 hours and 10 times in 30 days for an approved
        /// template, and reviews it again. Its samples are sent along. A template that fails the examination is refused before (422). If
        /// automations use the approved template, the answer is 409 `template_in_use`, unless `even_if_used` is true: no message is sent
        /// with it until it is approved again. If two requests arrive at the same time, one submits it. Submitting a template without a
        /// draft changes nothing. After 502 `provider_failed`, wait two minutes and submit it again: Ringback first looks for it at the
        /// provider.
        POST "/api/v1/templates/{template_id}/submit" => submit_template, "The submitted template",
            502 "The provider failed, or refuses the connection's credentials",
            problems "template_refused" "template_in_use" "template_submitting" "template_not_editable" "no_whatsapp"
                "provider_refused" "provider_failed";

        /// Preview a template
        ///
        /// Shows the template as a phone displays it, with its samples or with the given values. A variable without either stays as
        /// it is.
        POST "/api/v1/templates/{template_id}/preview" => preview_template, "The template as a phone displays it";

        /// Get the numbers of a template
        ///
        /// Counts the messages sent with the template, their outcomes, and customers' answers: in total, for each content of the
        /// template, and by day in UTC. The numbers are exact, and up to date within a minute. An event counts on the day of its
        /// recording. They are kept for 13 months. With `usage:read`, they include the cost.
        GET "/api/v1/templates/{template_id}/numbers" => get_template_numbers, "The numbers";

        /// List what uses a template
        ///
        /// Lists the automations that may send it. Messages that software requests by name are not included.
        GET "/api/v1/templates/{template_id}/uses" => get_template_uses, "What uses the template";

        /// List the versions of a template
        ///
        /// Newest first: what its author or the provider changed. The latest 100 before the current one are kept, each for two years.
        GET "/api/v1/templates/{template_id}/versions" => list_template_versions, "A page of versions";

        /// Get a version of a template
        GET "/api/v1/templates/{template_id}/versions/{version}" => get_template_version, "The version";
    }
}

/// Path of the templates.
const TEMPLATES: &str = "/api/v1/templates";

type Reading = Allowed<permits::TemplatesRead>;
type Writing = Allowed<permits::TemplatesWrite>;
type Found = Versioned<TemplateDefinition>;
type Shared = Extension<Arc<Context>>;

/// Lists of a provider's templates per tenant and hour.
const SYNCS: Limit = Limit::per_hour(12);

async fn create_template(
    who: Writing,
    Extension(context): Shared,
    Body(input): Body<TemplateIn>,
) -> Result<Created<TemplateModel>, Problem> {
    let connection = context.carrier(&who, input.connection_id).await?;
    let key = new_template_key(input.name.as_str(), input.language.as_str(), &input.content)?;
    fitting(&input.content)?;
    let new = TemplateDefinition::new_draft(connection.id, &key, &input.content, who.now());
    let made = context.draft(&who, &new).await?;
    if !made.value.status.is_draft() {
        return Err(name_taken_problem());
    }
    let version = made.version;
    let body = TemplateModel::of(made.value).ok_or_else(Problem::internal)?;
    Ok(Created {
        location: format!("{TEMPLATES}/{}", body.id()),
        version,
        body,
    })
}

async fn list_templates(
    who: Reading,
    Extension(context): Shared,
    Query(query): Query<TemplateQuery>,
    paging: Paging,
) -> Result<Listed<TemplateModel>, Problem> {
    let filter = TemplateFilter {
        connection: query.connection_id,
        status: query.status.map(String::from),
        name: query.name.map(String::from),
    };
    if paging.after().is_some_and(|position| !filter.has(position)) {
        return Err(of_another_list());
    }
    let store = context.api.store();
    let page = store
        .templates(who.scope(), &filter, paging.after(), paging.limit())
        .await?;
    let shown = page
        .items
        .into_iter()
        .filter_map(|found| TemplateModel::of(found.value));
    let page = Page {
        items: shown.collect(),
        next: page.next,
    };
    Ok(Listed::of(page, |template| template))
}

async fn lint_template(
    who: Reading,
    Extension(context): Shared,
    Body(input): Body<TemplateLintIn>,
) -> Result<Json<TemplateLintOut>, Problem> {
    fitting(&input.content)?;
    let connection = context.connection(&who, input.connection_id).await?;
    let through = connection.as_ref().map_or(Through::Meta, through);
    let sample = context.sample(&who, &input.content).await?;
    let (name, language) = (input.name.as_str(), input.language.as_str());
    let found = lint_draft(name, language, &input.content, through, sample.as_ref());
    Ok(Json(TemplateLintOut::of(found, &input.content, language)))
}

async fn sync_templates(
    who: Writing,
    Extension(context): Shared,
    Body(input): Body<SyncTemplatesIn>,
) -> Result<With<202, Json<OperationOut>>, Problem> {
    let (store, scope, stamp) = (context.api.store(), who.scope(), who.stamp());
    let connections = match input.connection_id {
        Some(id) => vec![context.carrier(&who, Some(id)).await?.id],
        None => {
            let mut all = store.connections(scope).await?;
            all.retain(|connection| connection.carries(Channel::WhatsApp));
            all.iter().map(|connection| connection.id).collect()
        }
    };
    context.api.limit(&who, "TEMPLATE_SYNCS", SYNCS).await?;
    let params = SyncTemplates {
        connections,
        wanted: true,
        awaited: false,
    };
    let kind = OperationKind::SyncTemplates;
    let operation = context.api.new_operation(&who, kind, &params).await?;
    store.create_operation(scope, &operation, &stamp).await?;
    Ok(start_and_answer(&who, &context.bus, operation).await)
}

async fn list_library_templates(_: Reading, paging: Paging) -> Result<Listed<LibraryTemplate>, Problem> {
    let all: Vec<(usize, &Entry)> = LIBRARY.iter().enumerate().collect();
    let read = |text: &str| -> Option<usize> { text.parse().ok() };
    let page = page_of(
        all,
        &paging,
        |(place, _)| *place,
        read,
        |place: usize| place.to_string(),
    )?;
    Ok(Listed::of(page, |(_, entry)| LibraryTemplate::from(entry)))
}

async fn adopt_library_template(
    who: Writing,
    Extension(context): Shared,
    Body(input): Body<AdoptTemplateIn>,
) -> Result<Json<AdoptedTemplates>, Problem> {
    let entry = find_in_library(input.library_name.as_str()).ok_or_else(|| {
        let fault = Fault::new(
            FaultCode::NotOneOf,
            "The library has no such template. List it for its names.",
        );
        let expected: Fact = LIBRARY.iter().map(|entry| entry.name).collect();
        Problem::field("library_name", fault.and("expected", expected))
    })?;
    let connection = context.carrier(&who, input.connection_id).await?;
    let versions = entry.versions();
    let known = |language: &str| versions.iter().any(|(known, _)| *known == language);
    let mut languages = input.languages.iter().enumerate();
    if let Some((place, _)) = languages.find(|(_, language)| !known(language.as_str())) {
        let detail = "The library has a template in English (`en`) and Arabic (`ar`).";
        let fault = Fault::new(FaultCode::NotOneOf, detail);
        let expected: Fact = versions.iter().map(|(known, _)| *known).collect();
        return Err(Problem::field(
            format!("languages[{place}]"),
            fault.and("expected", expected),
        ));
    }
    let is_wanted = |language: &str| {
        let mut wanted = input.languages.iter();
        input.languages.is_empty() || wanted.any(|wanted| wanted.as_str() == language)
    };
    let own = input.name.as_ref().map_or(entry.name, |name| name.as_str());
    let mut templates = Vec::new();
    for (language, content) in versions.iter().filter(|(language, _)| is_wanted(language)) {
        let key = new_template_key(own, language, content)?;
        let new = TemplateDefinition::new_draft(connection.id, &key, content, who.now());
        let drafted = context.draft(&who, &new).await?;
        let submitted = match TemplateId::of(&new) {
            Some(id) if drafted.value.status.is_draft() => {
                let wanted = Wanted {
                    even_if_used: true,
                    if_match: &IfMatch::ANY,
                };
                Box::pin(context.submit(&who, &id, wanted)).await?.0
            }
            _ => drafted,
        };
        templates.extend(TemplateModel::of(submitted.value));
    }
    Ok(Json(AdoptedTemplates { templates }))
}

async fn get_template(
    who: Reading,
    Extension(context): Shared,
    Path(id): Path<TemplateId>,
) -> Result<Tagged<TemplateModel>, Problem> {
    TemplateModel::with_etag(context.find(&who, &id).await?)
}

async fn update_template(
    who: Writing,
    Extension(context): Shared,
    Path(id): Path<TemplateId>,
    if_match: IfMatch,
    patch: Patch<TemplateChange>,
) -> Result<Tagged<TemplateModel>, Problem> {
    let (store, scope, stamp, id) = (context.api.store(), who.scope(), &who.stamp(), &id.row_id());
    let read = || store.get(scope, id);
    let allow = |before: &TemplateDefinition, _: &TemplateDefinition| editable(before, stamp.at);
    let write = |before: Found, after: TemplateDefinition| async move {
        let updated_at = if after.status.is_draft() {
            Some(stamp.at)
        } else {
            after.updated_at
        };
        let after = TemplateDefinition { updated_at, ..after };
        let written = store.change(scope, &before, &after, stamp).await;
        let version = written.map_err(setback::<TemplateDefinition>)?;
        Ok(Versioned { version, value: after })
    };
    let changed = patch.change(&if_match, read, allow, write).await?;
    TemplateModel::with_etag(changed)
}

async fn delete_template(
    who: Writing,
    Extension(context): Shared,
    Path(id): Path<TemplateId>,
    Query(query): Query<DeleteTemplateQuery>,
    if_match: IfMatch,
) -> Result<NoContent, Problem> {
    let before = context.find(&who, &id).await?;
    if_match.check(before.version)?;
    if is_submitting(&before.value, who.now()) {
        return Err(submitting());
    }
    if !query.even_if_used.unwrap_or_default() {
        context.require_unused(&who, &id).await?;
    }
    Box::pin(context.delete(&who, &id, &before.value)).await?;
    let (store, scope, stamp, id) = (context.api.store(), who.scope(), &who.stamp(), &id.row_id());
    let removed = RACES.until_won(|| async move {
        // The provider has deleted it, whatever was reported of it meanwhile.
        if let Some(before) = store.get::<TemplateDefinition>(scope, id).await? {
            store.remove(scope, &before, stamp).await?;
        }
        Ok(NoContent)
    });
    removed.await
}

async fn submit_template(
    who: Writing,
    Extension(context): Shared,
    Path(id): Path<TemplateId>,
    if_match: IfMatch,
    Body(input): Body<SubmitTemplateIn>,
) -> Result<Tagged<TemplateModel>, Problem> {
    let wanted = Wanted {
        even_if_used: input.even_if_used,
        if_match: &if_match,
    };
    let (submitted, refused) = Box::pin(context.submit(&who, &id, wanted)).await?;
    match refused {
        Some(refused) => Err(refused),
        None => TemplateModel::with_etag(submitted),
    }
}

async fn preview_template(
    who: Reading,
    Extension(context): Shared,
    Path(id): Path<TemplateId>,
    Body(input): Body<TemplatePreviewIn>,
) -> Result<Json<ShownTemplate>, Problem> {
    let mut template = context.find(&who, &id).await?.value;
    if input.draft {
        template = template.latest().onto(&template);
    }
    Ok(Json(template.display_with(&input.values())))
}

async fn get_template_uses(
    who: Reading,
    Extension(context): Shared,
    Path(id): Path<TemplateId>,
) -> Result<Json<TemplateUses>, Problem> {
    context.find(&who, &id).await?;
    let automations = context.uses(&who, &id).await?;
    Ok(Json(TemplateUses { automations }))
}

async fn list_template_versions(
    who: Reading,
    Extension(context): Shared,
    Path(id): Path<TemplateId>,
    paging: Paging,
) -> Result<Listed<TemplateVersion>, Problem> {
    let store = context.api.store();
    let versions: Vec<Version<TemplateDefinition>> = store.versions(who.scope(), &id.row_id(), who.now()).await?;
    if versions.is_empty() {
        return Err(Problem::not_found());
    }
    let newest_first = |version: &Version<TemplateDefinition>| Reverse(version.number);
    let read = |text: &str| -> Option<Reverse<u64>> { text.parse().ok().map(Reverse) };
    let written = |Reverse(number): Reverse<u64>| number.to_string();
    let page = page_of(versions, &paging, newest_first, read, written)?;
    Ok(Listed::of(page, TemplateVersion::from))
}

async fn get_template_version(
    who: Reading,
    Extension(context): Shared,
    Path((id, number)): Path<(TemplateId, TemplateVersionNumber)>,
) -> Result<Json<TemplateVersion>, Problem> {
    let (store, id) = (context.api.store(), id.row_id());
    let version = store.version::<TemplateDefinition>(who.scope(), &id, number.0, who.now());
    Ok(Json(require_found(version).await?.into()))
}

/// The key of a new template, or what is wrong with its name and language.
fn new_template_key(name: &str, language: &str, content: &TemplateContent) -> Result<TemplateKey, Problem> {
    let mut wrong = lint_draft(name, language, content, Through::Meta, None).problems;
    wrong.retain(|problem| matches!(problem.field.as_str(), "name" | "language"));
    if !wrong.is_empty() {
        return Err(wrong.into());
    }
    TemplateKey::new(name, language).ok_or_else(Problem::internal)
}

const fn through(connection: &Connection) -> Through {
    match connection.account {
        Account::Twilio(_) => Through::Twilio,
        _ => Through::Meta,
    }
}

fn is_submitting(template: &TemplateDefinition, now: Timestamp) -> bool {
    template.submitting.is_some_and(|since| now < since + SUBMISSION)
}

/// Whether its content can be changed.
fn editable(template: &TemplateDefinition, now: Timestamp) -> Result<(), Problem> {
    if is_submitting(template, now) {
        return Err(submitting());
    }
    if template.status.is_draft() {
        return Ok(());
    }
    if template.provider_id.is_some() && !template.status.is_gone() {
        return if template.can_be_written() {
            Ok(())
        } else {
            Err(unwritable())
        };
    }
    Err(not_editable(
        "Only drafts and templates that WhatsApp has can be changed, and none that was submitted through Twilio. Create another \
            template with this content.",
    ))
}

fn submitting() -> Problem {
    let detail = "The template is being submitted. Wait for the outcome, at most two minutes.";
    Problem::conflict("template_submitting", detail)
}

fn unwritable() -> Problem {
    not_editable("A change would remove a button that cannot be written here. Change the template in WhatsApp Manager.")
}

fn not_editable(detail: impl Into<String>) -> Problem {
    Problem::conflict("template_not_editable", detail)
}

fn no_whatsapp(detail: &'static str) -> Problem {
    Problem::conflict("no_whatsapp", detail)
}

fn name_taken_problem() -> Problem {
    let detail = "A template with this name and language exists. Change that one, or choose another name.";
    Problem::conflict("taken", detail)
}

impl Context {
    async fn find<P: Permit>(&self, who: &Allowed<P>, id: &TemplateId) -> Result<Found, Problem> {
        require_found(self.api.store().get(who.scope(), &id.row_id())).await
    }

    /// The named connection, or the oldest one that sends WhatsApp; `None`: none does.
    async fn connection<P: Permit>(
        &self,
        who: &Allowed<P>,
        id: Option<ConnectionId>,
    ) -> Result<Option<Connection>, Problem> {
        let (store, scope) = (self.api.store(), who.scope());
        let Some(id) = id else {
            let mut all = store.connections(scope).await?.into_iter();
            return Ok(all.find(|connection| connection.carries(Channel::WhatsApp)));
        };
        let Some(connection) = store.connection(scope, id).await? else {
            let fault = Fault::new(FaultCode::NotFound, format!("There is no connection with the id {id}."));
            return Err(Problem::field("connection_id", fault.and("id", id.to_string())));
        };
        if connection.carries(Channel::WhatsApp) {
            return Ok(Some(connection));
        }
        let detail = format!("The connection {id} does not send WhatsApp.");
        let fault = Fault::new(FaultCode::NotApplicable, detail);
        let kind = connection.account.provider().as_str();
        Err(Problem::field("connection_id", fault.and("kind", kind)))
    }

    /// Like [`Self::connection`], with a problem if there is none.
    async fn carrier<P: Permit>(&self, who: &Allowed<P>, id: Option<ConnectionId>) -> Result<Connection, Problem> {
        let none = || no_whatsapp("No connection sends WhatsApp. Connect one first.");
        self.connection(who, id).await?.ok_or_else(none)
    }

    /// The asset that content names as a sample, if it exists.
    async fn sample<P: Permit>(&self, who: &Allowed<P>, content: &TemplateContent) -> Result<Option<Asset>, Problem> {
        let Some(id) = content.header.as_ref().and_then(|header| header.sample_asset_id) else {
            return Ok(None);
        };
        let found = self
            .api
            .store()
            .assets_named(who.scope(), &BTreeSet::from([id]))
            .await?;
        Ok(found.into_iter().next())
    }

    /// Creates a draft. A repeated request gets the one that exists.
    async fn draft(&self, who: &Writing, new: &TemplateDefinition) -> Result<Found, Problem> {
        let (store, scope, stamp) = (self.api.store(), who.scope(), &who.stamp());
        let id = &store::Owned::id(new);
        let made = RACES.until_won(|| async move {
            match store.create(scope, new, stamp).await {
                Ok(()) => Ok(Versioned {
                    version: first_version::<TemplateDefinition>(stamp),
                    value: new.clone(),
                }),
                Err(OwnedError::Store(lost)) if lost.is_conflict() => {
                    let known: Found = store.get(scope, id).await?.ok_or(Setback::Lost)?;
                    let same = if known.value.status.is_draft() {
                        TemplateContent::of(&known.value) == TemplateContent::of(new)
                    } else {
                        known.value.has_content_of(new)
                    };
                    if same {
                        Ok(known)
                    } else {
                        Err(name_taken_problem().into())
                    }
                }
                Err(error) => Err(setback::<TemplateDefinition>(error)),
            }
        });
        made.await
    }

    /// The automations that may send a template.
    async fn uses<P: Permit>(&self, who: &Allowed<P>, id: &TemplateId) -> Result<Vec<TemplateUser>, Problem> {
        let rules: Vec<Rule> = self.api.store().all(who.scope()).await?;
        let live = rules.into_iter().filter(|rule| rule.archived_at.is_none());
        let users = live.filter_map(|rule| {
            let wanted = rule.then.template.as_ref()?;
            let own = wanted.language.as_str() == id.key.language();
            let named = wanted.name.as_str() == id.key.name() && (own || wanted.by_contact_language);
            named.then(|| TemplateUser {
                id: rule.id,
                enabled: rule.enabled,
                by_contact_language: !own,
                name: rule.name.as_str().to_owned(),
            })
        });
        Ok(users.collect())
    }

    /// Refuses a change of a template that automations use.
    async fn require_unused(&self, who: &Writing, id: &TemplateId) -> Result<(), Problem> {
        let users = self.uses(who, id).await?;
        let Some(first) = users.first() else {
            return Ok(());
        };
        let others = match users.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        let detail = format!(
            "The automation \"{}\"{others} may send the template. Change them first, or send `even_if_used`.",
            first.name
        );
        Err(Problem::conflict("template_in_use", detail))
    }
}
