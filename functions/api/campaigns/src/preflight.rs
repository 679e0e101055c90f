//! Pre-flights of campaigns, with samples of their messages.

use std::sync::Arc;

use api::{
    Api, ContactName, FileLinkOut, MessageOutlook, OperationOut, Path, PhoneOut, Setting, With, has_files,
    require_found, start_and_answer,
};
use axum::extract::State;
use axum::http::header::{HeaderName, LOCATION};
use axum::{Extension, Json};
use domain::accounts::Permission;
use domain::campaigns::{Campaign, CampaignType, MAX_VARIANTS, PreflightCampaign, PreflightResult, VariantNumber};
use domain::people::Person;
use domain::terms::{CampaignId, Facts, Operation, OperationId, OperationKind, Reason, Timers};
use flows::campaigns::Broadcast;
use flows::messages::Planner;
use jiff::Timestamp;
use kit::{Bus, ConfigError, Env, FileKey, Files, Pages, Problem};
use schemars::JsonSchema;
use serde::Serialize;
use store::Versioned;
use store::table::rates::Limit;

use crate::{CAMPAIGNS, Configs, Reading, Scene, Writing, of_type, refuse_problems};

/// Pre-flights of a tenant per hour: each reads the whole audience.
const PREFLIGHTS: Limit = Limit::per_hour(60);

/// Dependencies of composing samples.
pub(crate) struct Previews {
    planner: Planner,
    timers: Timers,
}

impl Previews {
    pub(crate) fn new(env: &Env, api: &Api) -> Result<Self, ConfigError> {
        let timers = env.config().timers()?;
        let planner = Planner::new(api.store().clone(), Pages::new(env)?, timers);
        Ok(Self { planner, timers })
    }
}

/// A pre-flight of a campaign.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CampaignPreflight")]
pub(crate) struct PreflightOut {
    /// Id of the pre-flight and of its operation.
    id: OperationId,
    /// The campaign.
    campaign_id: CampaignId,
    /// Whether the campaign was changed since; starting it is no such change. Make another one then.
    outdated: bool,
    /// The operation that makes it, with its progress.
    operation: OperationOut,
    /// The result. `null` until the operation is done.
    result: Option<PreflightResult>,
    /// Messages as they would be composed at the campaign's start for some of those who would get one.
    #[schemars(length(max = PreflightCampaign::SAMPLES))]
    samples: Vec<CampaignSample>,
    /// Link to the list of everybody who is chosen, in CSV. `null` until the operation is done, and once the file is deleted.
    file: Option<FileLinkOut>,
}

/// A message of a campaign as it would be composed at its start for one of its recipients.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CampaignSample {
    /// Contact who would get it.
    contact: ContactName,
    /// Number of the variant: 0 is `message`, and `variants` follow in their order. `null`: it is to be chosen, and `message` is shown.
    #[schemars(range(max = MAX_VARIANTS), example = 0)]
    variant: Option<VariantNumber>,
    /// Number that would get it. `null` if only WhatsApp knows it.
    customer: Option<PhoneOut>,
    /// The decision, in one sentence.
    #[schemars(example = &"SMS at once")]
    decision: String,
    /// The decision as a word: `planned` if the message would be sent, otherwise the reason against it: one of `x-codes` at the root of the
    /// document.
    #[schemars(with = "String", example = &"planned")]
    code: Reason,
    /// Facts of the decision.
    facts: Facts,
    /// The message.
    #[serde(flatten)]
    message: MessageOutlook,
}

/// The answer to a request for a pre-flight, with its path.
type Started = ([(HeaderName, String); 1], With<202, Json<OperationOut>>);

/// Refuses a campaign that has begun.
fn before_it_begins(campaign: &Campaign) -> Result<(), Problem> {
    if !campaign.state.has_begun() {
        return Ok(());
    }
    let state = campaign.state.as_str();
    let detail = format!(
        "The campaign is {state}. A pre-flight is made before it begins; its recipients say what became of them."
    );
    Err(Problem::conflict("campaign_started", detail))
}

pub(crate) async fn preflight_campaign(
    who: Writing,
    State(api): State<Api>,
    Extension(configs): Configs,
    Extension(bus): Extension<Bus>,
    Path(id): Path<CampaignId>,
) -> Result<Started, Problem> {
    let (store, scope, stamp) = (api.store(), who.scope(), who.stamp());
    let campaign: Versioned<Campaign> = require_found(store.get(scope, &id)).await?;
    of_type(&campaign.value, CampaignType::Broadcast)?;
    before_it_begins(&campaign.value)?;
    let scene = Scene::of(&api, &who, &configs, &[&campaign.value]).await?;
    refuse_problems(scene.review(&campaign.value).problems)?;
    api.limit(&who, "CAMPAIGN_PREFLIGHTS", PREFLIGHTS).await?;
    let params = PreflightCampaign::of(&campaign.value);
    let kind = OperationKind::PreflightCampaign;
    let operation = api.new_operation(&who, kind, &params).await?;
    store.create_operation(scope, &operation, &stamp).await?;
    let place = format!("{CAMPAIGNS}/{id}/preflight/{}", operation.id);
    Ok(([(LOCATION, place)], start_and_answer(&who, &bus, operation).await))
}

pub(crate) async fn get_campaign_preflight(
    who: Reading,
    State(api): State<Api>,
    Extension(configs): Configs,
    Extension(files): Extension<Files>,
    Extension(previews): Extension<Arc<Previews>>,
    Path((campaign_id, operation_id)): Path<(CampaignId, OperationId)>,
) -> Result<Json<PreflightOut>, Problem> {
    let (store, scope, now) = (api.store(), who.scope(), who.now());
    let operation = require_found(store.operation(scope, operation_id, now)).await?.value;
    let params = params_of(&operation).filter(|params| params.campaign == campaign_id);
    let params = params.ok_or_else(Problem::not_found)?;
    let campaign: Versioned<Campaign> = require_found(store.get(scope, &campaign_id)).await?;
    let result = operation.result.as_ref().and_then(|result| result.read().ok());
    let result = result.map(PreflightResult::with_sentences);
    let (mut samples, mut file) = (Vec::new(), None);
    if let Some(result) = &result
        && who.principal().may(Permission::ContactsRead)
    {
        if has_files(&operation, now) {
            let key = FileKey::result(scope, operation.id.ulid(), PreflightCampaign::FILE);
            file = Some(FileLinkOut::new(&who, &files, &key, PreflightCampaign::FILE).await?);
        }
        let config = require_found(store.config(scope, &configs)).await?;
        let people = store.people_by_id(scope, &result.samples).await?;
        let at = campaign.value.begins_at().map_or(now, |begins_at| begins_at.max(now));
        let shown = result.samples.iter().filter_map(|id| people.get(id));
        let shown = shown.filter(|person| person.contact.deleted_at.is_none());
        for (says, part) in campaign
            .value
            .with_message_chosen()
            .by_variant(shown, |person| person.contact.id)
        {
            let people = part.iter().copied();
            let broadcast = previews.planner.broadcast(scope, &says, config.clone(), people, at);
            let (broadcast, _) = broadcast.await?;
            for person in part {
                let at = says.planned_at(&config.tenant, &person.contact.recipient(), at);
                let variant = campaign.value.variant_of(person.contact.id);
                samples.push(sample(&previews, &broadcast, person, variant, at)?);
            }
        }
    }
    Ok(Json(PreflightOut {
        id: operation_id,
        campaign_id,
        outdated: !params.is_of(&campaign.value),
        operation: operation.into(),
        result,
        samples,
        file,
    }))
}

/// Parameters of a pre-flight; `None` for an operation of another kind.
fn params_of(operation: &Operation) -> Option<PreflightCampaign> {
    let is_preflight = operation.kind == OperationKind::PreflightCampaign;
    is_preflight.then(|| operation.params.read().ok()).flatten()
}

/// The message to this person if it is made at this time, without what other messages mean for it.
fn sample(
    previews: &Previews,
    broadcast: &Broadcast<'_>,
    person: &Person,
    variant: Option<VariantNumber>,
    at: Timestamp,
) -> Result<CampaignSample, Problem> {
    let material = &broadcast.material;
    let reviewed = broadcast.review(person, material, &[], at);
    let reviewed = reviewed.map_err(|why| {
        tracing::error!(%why, "a campaign has a message of no category");
        Problem::internal()
    })?;
    let (decision, code, facts) = reviewed.decision();
    let setting = Setting {
        config: &broadcast.config,
        material,
        contact: &person.contact,
        line: broadcast.campaign.message.line,
        now: at,
        timers: &previews.timers,
    };
    Ok(CampaignSample {
        contact: ContactName::from(person),
        variant,
        customer: person.contact.recipient().phone.map(PhoneOut::from),
        decision,
        code,
        facts,
        message: MessageOutlook::of_review(setting, reviewed),
    })
}
