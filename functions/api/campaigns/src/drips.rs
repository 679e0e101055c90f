//! Steps of drips, and the enrolments of contacts in them.

use std::collections::{BTreeSet, HashMap};

use api::{
    Allowed, Api, Body, Created, Listed, Paging, Path, Query, RACES, Setback, fitting, itself, permits, require_found,
    setback,
};
use axum::extract::State;
use axum::{Extension, Json};
use domain::campaigns::{
    Campaign, CampaignType, Enrolment, EnrolmentStatus, InAudience, NoEntry, StepName, Steps, Taken, WrittenSteps,
    is_incomplete, review_steps,
};
use domain::messages::{MAX_WARNINGS, Review};
use domain::people::{Contact, Person};
use domain::terms::{
    Actor, CampaignId, CampaignState, CancelEvent, ContactId, Facts, MessageId, Reason, Refusal, Warning,
};
use jiff::Timestamp;
use kit::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::campaigns::{DripEntry, Enrolled, MAX_VERSIONS};
use store::contacts::ContactWrite;
use store::table::effects::{Effects, Once};
use store::tenants::ConfigCache;
use store::{OwnedError, Page, Versioned};

use crate::models::CampaignWarning;
use crate::{Configs, Reading, Scene, Writing, of_type, refuse_problems, shown_of};

/// The steps of a drip.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DripStepsIn")]
pub(crate) struct StepsIn {
    /// The steps, in their order, at most 50.
    steps: Steps,
}

/// A version of the steps of a drip.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DripStepsVersion")]
pub(crate) struct StepsOut {
    /// Id of the drip.
    campaign_id: CampaignId,
    /// Version.
    #[schemars(range(min = 1, max = MAX_VERSIONS), example = 1)]
    version: u32,
    /// The steps, in their order.
    steps: Steps,
    /// Author of the steps.
    written_by: Actor,
    /// Time of writing.
    written_at: Timestamp,
    /// Obstacles that keep their messages from being sent at present, or in part, at most 20.
    #[schemars(length(max = MAX_WARNINGS))]
    warnings: Vec<CampaignWarning>,
}

/// A contact in a drip.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Enrollment")]
pub(crate) struct EnrollmentOut {
    /// Id of the drip.
    campaign_id: CampaignId,
    /// Id of the contact.
    contact_id: ContactId,
    /// State.
    status: EnrolmentStatus,
    /// Time of entering the drip.
    entered_at: Timestamp,
    /// Version of the contact's steps.
    #[schemars(range(min = 1, max = MAX_VERSIONS), example = 1)]
    steps_version: u32,
    /// Name of the step that comes next. `null`: none.
    #[schemars(example = &"reminder")]
    current_step: Option<StepName>,
    /// Time of that step: a message is made, or a wait ends. If a message before it is sent later, so is this step. `null`: there is none.
    next_step_scheduled_at: Option<Timestamp>,
    /// Time of the latest step. `null`: none was taken yet.
    last_step_at: Option<Timestamp>,
    /// Number of messages that were made for the contact so far. Each message has its own state.
    #[schemars(range(max = 50), example = 2)]
    messages_sent: usize,
    /// Id of the latest message. `null`: none.
    last_message_id: Option<MessageId>,
    /// The contact's reason for leaving the drip: one of `x-codes` at the root of the document. Further ones may be added. `null`: it has
    /// not left.
    #[schemars(with = "Option<String>", example = &"unnecessary")]
    code: Option<Reason>,
    /// Facts of the reason.
    facts: Facts,
    /// The reason, in one sentence.
    #[schemars(length(max = 500), example = &"the contact has written since")]
    detail: Option<String>,
    /// Time of leaving the drip. `null`: it has not left.
    exited_at: Option<Timestamp>,
    /// Steps that were taken, in their order.
    #[schemars(length(max = 50), example = example_history())]
    history: Vec<Taken>,
}

/// The history of an enrolment, as an example.
fn example_history() -> Vec<Taken> {
    let one = |step: &str, message: Option<&str>, fulfilled, skipped: Option<&str>| {
        Some(Taken {
            step: step.parse().ok()?,
            at: "2026-11-22T10:00:40Z".parse().ok()?,
            message_id: message.and_then(|id| id.parse().ok()),
            fulfilled,
            skipped: skipped.map(str::to_owned),
        })
    };
    let message = "msg_01hq5c1ynyc0000000000000ab01hq5c1ynyc0000000000000cd";
    let all = [
        one("welcome", Some(message), None, None),
        one("read?", None, Some(true), None),
        one("offer", None, None, Some("the contact has a landline")),
    ];
    all.into_iter().flatten().collect()
}

impl EnrollmentOut {
    /// An enrolment in a drip as it is shown. `contact`: if it is known. An exit that no step has met yet is shown, too.
    fn of(
        enrolment: Enrolment,
        campaign: &Campaign,
        contact: Option<&Contact>,
        steps: &HashMap<(CampaignId, u32), WrittenSteps>,
    ) -> Option<Self> {
        let exit = campaign.exit_of(&enrolment, contact);
        let passage = enrolment.passage?;
        let steps = steps.get(&(campaign.id, passage.version));
        let next = passage.next.filter(|_| exit.is_none());
        let name = next.and_then(|next| steps?.steps.at(next.place));
        let exited_at = exit.as_ref().map(|exit| exit.at);
        Some(Self {
            campaign_id: campaign.id,
            contact_id: enrolment.contact,
            status: EnrolmentStatus::of(&passage, exit.is_some()),
            entered_at: enrolment.at,
            steps_version: passage.version,
            current_step: name.map(|step| step.name.clone()),
            next_step_scheduled_at: next.map(|next| next.at),
            last_step_at: passage.taken.last().map(|taken| taken.at),
            messages_sent: passage.messages(),
            last_message_id: passage.last_message,
            code: exit.as_ref().map(|exit| exit.because.code),
            facts: exit.as_ref().map(|exit| exit.because.facts.clone()).unwrap_or_default(),
            detail: exit.map(|exit| exit.why),
            exited_at,
            history: passage.taken,
        })
    }
}

/// Reads a campaign, which must be a drip.
async fn drip(api: &Api, who: &Allowed<impl permits::Permit>, id: CampaignId) -> Result<Versioned<Campaign>, Problem> {
    let campaign: Versioned<Campaign> = require_found(api.store().get(who.scope(), &id)).await?;
    of_type(&campaign.value, CampaignType::Drip)?;
    Ok(campaign)
}

fn wrong_state(campaign: &Campaign, detail: &str) -> Problem {
    let state = campaign.state.as_str();
    Problem::conflict("campaign_state", format!("The campaign is {state}. {detail}"))
}

pub(crate) async fn write_campaign_steps(
    who: Writing,
    State(api): State<Api>,
    Extension(configs): Configs,
    Path(id): Path<CampaignId>,
    Body(StepsIn { steps }): Body<StepsIn>,
) -> Result<Json<StepsOut>, Problem> {
    let (api, who, configs, stamp) = (&api, &who, &*configs, &who.stamp());
    let written = &fitting(WrittenSteps {
        steps,
        by: who.actor(),
        at: who.now(),
    })?;
    let shown = RACES.until_won(|| async move {
        let before = drip(api, who, id).await?;
        if before.value.state.is_final() {
            return Err(wrong_state(&before.value, "Create another campaign.").into());
        }
        let mut review = review_written_steps(api, who, configs, &before.value, written).await?;
        if before.value.state == CampaignState::Draft {
            review.problems.retain(|problem| !is_incomplete(problem));
        }
        refuse_problems(review.problems)?;
        // The same once more is no further version.
        let present = api.store().present_steps(who.scope(), &[&before.value]).await?;
        if let Some(same) = present.get(&id).filter(|present| present.steps == written.steps) {
            return Ok((before.value, same.clone(), review.warnings));
        }
        let after = api.store().write_steps(who.scope(), &before, written, stamp).await;
        let after = after.map_err(|error| match error {
            OwnedError::Full => {
                let detail = "Create another campaign.";
                let most = usize::try_from(MAX_VERSIONS).unwrap_or(usize::MAX);
                Setback::from(Problem::at_most("limit_reached", most, "versions of its steps", detail))
            }
            error => setback::<Campaign>(error),
        })?;
        Ok((after.value, written.clone(), review.warnings))
    });
    let (campaign, written, warnings) = shown.await?;
    Ok(Json(steps_out(&campaign, written, warnings)))
}

/// The review of these steps of a drip.
async fn review_written_steps(
    api: &Api,
    who: &Allowed<impl permits::Permit>,
    configs: &ConfigCache,
    campaign: &Campaign,
    written: &WrittenSteps,
) -> Result<Review, Problem> {
    let config = require_found(api.store().config(who.scope(), configs)).await?;
    let steps = HashMap::from([(campaign.id, written.clone())]);
    let scene = Scene::with(api, who, config, &[campaign], steps).await?;
    let review = review_steps(campaign, &written.steps, &scene.config, &scene.material, &scene.missing);
    Ok(review)
}

fn steps_out(campaign: &Campaign, written: WrittenSteps, warnings: Vec<Warning>) -> StepsOut {
    let warnings = warnings.into_iter().take(MAX_WARNINGS);
    StepsOut {
        campaign_id: campaign.id,
        version: campaign.steps_version.unwrap_or_default(),
        steps: written.steps,
        written_by: written.by,
        written_at: written.at,
        warnings: warnings.map(CampaignWarning::from).collect(),
    }
}

pub(crate) async fn get_campaign_steps(
    who: Reading,
    State(api): State<Api>,
    Extension(configs): Configs,
    Path(id): Path<CampaignId>,
) -> Result<Json<StepsOut>, Problem> {
    let campaign: Versioned<Campaign> = require_found(api.store().get(who.scope(), &id)).await?;
    let campaign = campaign.value;
    shown_of(&campaign, CampaignType::Drip)?;
    let mut steps = api.store().present_steps(who.scope(), &[&campaign]).await?;
    let written = steps.remove(&id).ok_or_else(Problem::not_found)?;
    let review = review_written_steps(&api, &who, &configs, &campaign, &written).await?;
    Ok(Json(steps_out(&campaign, written, review.warnings)))
}

/// Conditions that enrolments fulfil.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnrollmentQuery {
    /// State.
    #[serde(default)]
    #[schemars(with = "EnrolmentStatus")]
    status: Option<EnrolmentStatus>,
}

pub(crate) async fn list_campaign_enrollments(
    who: Reading,
    State(api): State<Api>,
    Path(id): Path<CampaignId>,
    Query(query): Query<EnrollmentQuery>,
    paging: Paging,
) -> Result<Listed<EnrollmentOut>, Problem> {
    let (store, scope, now) = (api.store(), who.scope(), who.now());
    let campaign: Versioned<Campaign> = require_found(store.get(scope, &id)).await?;
    let campaign = campaign.value;
    shown_of(&campaign, CampaignType::Drip)?;
    let from: InAudience = paging.position()?.unwrap_or_default();
    let (enrolled, next) = store.enrolled_people(scope, id, from, paging.limit(), now).await?;
    let versions = enrolled.iter().filter_map(|one| one.enrolment.passage.as_ref());
    let versions: BTreeSet<(CampaignId, u32)> = versions.map(|passage| (id, passage.version)).collect();
    let steps = store.steps(scope, &versions.into_iter().collect::<Vec<_>>()).await?;
    let shown =
        |Enrolled { enrolment, contact }: Enrolled| EnrollmentOut::of(enrolment, &campaign, contact.as_ref(), &steps);
    let mut items: Vec<EnrollmentOut> = enrolled.into_iter().filter_map(shown).collect();
    items.retain(|shown| query.status.is_none_or(|status| shown.status == status));
    let page = Page {
        items,
        next: next.map(|next| next.to_string()),
    };
    Ok(Listed::of(page, |shown| shown))
}

/// An enrolment as it is shown.
async fn show_enrolment(
    api: &Api,
    who: &Allowed<impl permits::Permit>,
    enrolment: Enrolment,
    contact: Option<&Contact>,
) -> Result<EnrollmentOut, Problem> {
    let id = enrolment.campaign;
    let campaign: Versioned<Campaign> = require_found(api.store().get(who.scope(), &id)).await?;
    let wanted: Vec<_> = enrolment.passage.iter().map(|passage| (id, passage.version)).collect();
    let steps = api.store().steps(who.scope(), &wanted).await?;
    // Of a broadcast, it is nobody's place among steps.
    EnrollmentOut::of(enrolment, &campaign.value, contact, &steps).ok_or_else(Problem::not_found)
}

/// A person's enrolment in a drip, and the person. Also finds a contact that was merged into another.
async fn find_enrolment(
    api: &Api,
    who: &Allowed<impl permits::Permit>,
    contact_id: ContactId,
    campaign_id: CampaignId,
) -> Result<(Versioned<Enrolment>, Person), Problem> {
    let (store, scope) = (api.store(), who.scope());
    let person = require_found(store.known_person(scope, contact_id)).await?;
    let enrolment = require_found(store.enrolment(scope, &person.contact, campaign_id, who.now())).await?;
    Ok((enrolment, person))
}

pub(crate) async fn get_enrollment(
    who: Reading,
    State(api): State<Api>,
    Path((contact_id, campaign_id)): Path<(ContactId, CampaignId)>,
) -> Result<Json<EnrollmentOut>, Problem> {
    let (enrolment, person) = find_enrolment(&api, &who, contact_id, campaign_id).await?;
    show_enrolment(&api, &who, enrolment.value, Some(&person.contact))
        .await
        .map(Json)
}

/// The problem of a contact who does not enter a drip.
fn refusal(campaign: &Campaign, why: NoEntry) -> Problem {
    let detail = match why {
        NoEntry::NotOpen => return wrong_state(campaign, "Contacts enter a drip once it has begun."),
        NoEntry::Inside => "The contact is in the drip.",
        NoEntry::Before => "The contact has been in the drip before, which allows no `reentry`.",
    };
    Problem::conflict("already_enrolled", detail)
}

pub(crate) async fn enroll_contact(
    who: Writing,
    State(api): State<Api>,
    Path((contact_id, campaign_id)): Path<(ContactId, CampaignId)>,
) -> Result<Created<EnrollmentOut>, Problem> {
    let (api, who) = (&api, &who);
    // The same for every attempt of one request.
    let at = i64::try_from(who.ulid().timestamp_ms()).ok();
    let at = at
        .and_then(|at| Timestamp::from_millisecond(at).ok())
        .unwrap_or(who.now());
    let enrolled = RACES.until_won(|| async move {
        let (store, scope, now) = (api.store(), who.scope(), who.now());
        let campaign = drip(api, who, campaign_id).await?.value;
        let person = require_found(store.known_person(scope, contact_id)).await?;
        itself(contact_id, &person.contact)?;
        if person.contact.deleted_at.is_some() {
            return Err(Problem::not_found().into());
        }
        let before = store.enrolment(scope, &person.contact, campaign_id, now).await?;
        // A request that was interrupted has written it.
        if let Some(written) = before.as_ref().filter(|it| it.value.is_active() && it.value.at == at) {
            return Ok((written.clone(), person.contact));
        }
        let known = before.as_ref().map(|before| &before.value);
        let enrolment = campaign.enrol_contact(&person.contact, known, at);
        let enrolment = enrolment.map_err(|why| refusal(&campaign, why))?;
        let enrolment = store.enter(scope, DripEntry::new(enrolment, before.as_ref())).await?;
        Ok((enrolment, person.contact))
    });
    let (enrolment, contact) = enrolled.await?;
    Ok(Created {
        location: format!("/api/v1/contacts/{contact_id}/campaigns/{campaign_id}"),
        version: enrolment.version,
        body: show_enrolment(api, who, enrolment.value, Some(&contact)).await?,
    })
}

pub(crate) async fn stop_enrollment(
    who: Writing,
    State(api): State<Api>,
    Path((contact_id, campaign_id)): Path<(ContactId, CampaignId)>,
) -> Result<Json<EnrollmentOut>, Problem> {
    let (api, who) = (&api, &who);
    let stopped = RACES.until_won(|| async move {
        let (store, scope, now) = (api.store(), who.scope(), who.now());
        drip(api, who, campaign_id).await?;
        let (before, mut person) = find_enrolment(api, who, contact_id, campaign_id).await?;
        let passage = before.value.passage.clone().ok_or_else(Problem::not_found)?;
        if EnrolmentStatus::of(&passage, before.value.exit.is_some()) != EnrolmentStatus::Active {
            return Ok((before.value, person.contact));
        }
        let sentence = format!("taken out by {}", who.actor().in_words());
        let why = Refusal::since(CancelEvent::Author, sentence);
        let after = before.value.with_exit(why.clone(), now);
        let wanted: Vec<MessageId> = passage.last_message.into_iter().collect();
        let messages = store.each_message(scope, &wanted, now).await?;
        let mut ended: Vec<_> = messages
            .into_iter()
            .filter_map(|message| message.ok().flatten())
            .collect();
        ended.retain_mut(|message| message.cancel(why.clone()));
        let contact = person.contact.clone();
        for message in &ended {
            person.contact.close(message);
        }
        let people = (person.contact != contact).then(|| ContactWrite::from(person.contact.clone()));
        let effects = Effects {
            once: Once::Stepped {
                enrolment: &after,
                before: before.version,
            },
            people: people.into_iter().collect(),
            ended,
            ..Effects::default()
        };
        store.commit(scope, effects, now).await?;
        Ok((after, person.contact))
    });
    let (enrolment, contact) = stopped.await?;
    show_enrolment(api, who, enrolment, Some(&contact)).await.map(Json)
}
