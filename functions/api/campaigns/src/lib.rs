//! Campaigns: one message to all contacts of an audience, or steps for each contact who enters it. They are written as drafts; the
//! operation `run_campaign` runs those that are started, and `take_steps` takes the steps of drips.

mod drips;
mod models;
mod preflight;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use api::permits::{self, Permit};
use api::{
    Allowed, Api, Body, Created, IfMatch, Listed, NoContent, OperationOut, Paging, Patch, Patchable as _, Path, Query,
    RACES, Tagged, With, able, require_found, setback, start, start_and_answer,
};
use axum::extract::State;
use axum::{Extension, Json, Router};
use domain::campaigns::{
    Campaign, CampaignIn, CampaignType, InAudience, Missing, ReportCampaign, Reviewed, RunCampaign, Steps,
    WrittenSteps, draft_problems, needs_of_campaigns, review_campaign,
};
use domain::messages::{Material, NewLinks, Review};
use domain::people::{Field, Segment, Stage, Tag};
use domain::tenants::TenantConfig;
use domain::terms::{
    CampaignId, CampaignState, Fault, FieldId, FieldProblem, OperationKind, Resource as _, SegmentId, StageId, TagId,
    UserId,
};
use jiff::Timestamp;
use jobs::StartOperation;
use kit::{Bus, ConfigError, Env, Files, Problem};
use store::table::rates::Limit;
use store::tenants::ConfigCache;
use store::{Along, Page, Store, StoreError, TenantScope, Versioned};

use crate::models::{CampaignOrder, CampaignOut, CampaignQuery, RecipientOut, RecipientQuery, WinnerChoice};
use crate::preflight::Previews;

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    let (configs, bus) = (Arc::new(ConfigCache::default()), Bus::new(env)?);
    let (api, files) = (Api::new(env)?, Files::new(env)?);
    let previews = Arc::new(Previews::new(env, &api)?);
    let router = api::serve(operations(), api);
    let router = router.layer(Extension(configs)).layer(Extension(bus));
    Ok(router.layer(Extension(files)).layer(Extension(previews)))
}

api::operations! {
    "campaigns": "Campaigns of a tenant: one message to all contacts of an audience, or the steps of a drip." {
        /// Create a campaign
        ///
        /// Creates a draft. Nothing is sent until it is started. `problems` lists what it lacks, such as a segment or a text. Wrong values
        /// are refused and named by field, such as a segment, tag, line, template or product that does not exist, a value of a call, or a
        /// start in the past. `warnings` lists what would only keep its message from being sent at present, such as a template that is not
        /// approved. A tenant has at most 2,000 campaigns, at most 200 of them drafts.
        POST "/api/v1/campaigns" => create_campaign, "The campaign";

        /// List campaigns
        ///
        /// Oldest first, unless `order` says otherwise. With conditions, a page can hold fewer campaigns than `limit`, or none, without
        /// being the last one: only a `next_cursor` of `null` ends the list.
        GET "/api/v1/campaigns" => list_campaigns, "A page of campaigns";

        /// Get a campaign
        ///
        /// Shows the campaign with `problems` and `warnings` about its present state.
        GET "/api/v1/campaigns/{campaign_id}" => get_campaign, "The campaign";

        /// Update a campaign
        ///
        /// Possible only while it is a draft. `audience` and `message` are merged, lists are replaced as a whole. Earlier problems do
        /// not prevent a change.
        PATCH "/api/v1/campaigns/{campaign_id}" => update_campaign, "The updated campaign", problems "campaign_started";

        /// Make the pre-flight of a campaign
        ///
        /// Simulates the campaign for everybody in its audience, as if it began at its time, or now: who would get the message, who would
        /// be held back and why, the expected cost, the caps without room for it, and when the last message could be sent. Nothing is sent.
        /// Possible only before the campaign begins, and with nothing in `problems`. The answer is the operation that does it.
        POST "/api/v1/campaigns/{campaign_id}/preflight" => preflight::preflight_campaign, "The operation that makes the pre-flight",
            with "Location" "Path of the pre-flight", problems "campaign_started" "campaign_type" "too_many_operations";

        /// Get a pre-flight of a campaign
        ///
        /// Shows its progress and, once it is done, its result with at most ten samples as the messages would be composed at its start, and a link to a
        /// file in CSV that lists everybody who is chosen, valid for five minutes. The file is deleted after seven days. Samples and the
        /// file need the permission `contacts:read`.
        GET "/api/v1/campaigns/{campaign_id}/preflight/{operation_id}" => preflight::get_campaign_preflight, "The pre-flight";

        /// Start a campaign
        ///
        /// The campaign begins at `starts_at`, 14 hours before `starts_at_local` in UTC, or at once. Its audience is fixed when it begins.
        /// A draft with `problems` is refused. A problem in `warnings`, such as a template that is not approved, pauses the campaign if it
        /// lasts until the beginning. A tenant can start 100 campaigns an hour.
        POST "/api/v1/campaigns/{campaign_id}/start" => start_campaign, "The campaign, which is `scheduled`",
            problems "campaign_started";

        /// Pause a campaign
        ///
        /// No message is sent until the campaign is resumed; messages that the provider has are not stopped. A message that waits for
        /// longer than its validity, a day, is not sent any more.
        POST "/api/v1/campaigns/{campaign_id}/pause" => pause_campaign, "The campaign, which is `paused`", problems "campaign_state";

        /// Resume a campaign
        ///
        /// Also resumes a campaign that no user paused, once the reason in `stopped` is gone; otherwise it is paused
        /// again.
        POST "/api/v1/campaigns/{campaign_id}/resume" => resume_campaign, "The campaign, which is `running`",
            problems "campaign_state";

        /// Cancel a campaign
        ///
        /// No further message is sent. A cancelled campaign cannot be resumed.
        POST "/api/v1/campaigns/{campaign_id}/cancel" => cancel_campaign, "The campaign, which is `cancelled`",
            problems "campaign_state";

        /// Choose a variant for those who wait
        ///
        /// The part of the audience that waits, as `hold_percent` says, gets this variant. Possible once the campaign has begun, and before
        /// it is `completed` or `cancelled`. The choice is final; repeating it changes nothing. A campaign that is paused sends nothing
        /// until it is resumed.
        POST "/api/v1/campaigns/{campaign_id}/winner" => choose_variant, "The campaign", problems "campaign_state";

        /// Write the steps of a drip
        ///
        /// Replaces all steps. While the drip is a draft, they may be incomplete. Wrong values are refused and named by field. Once it is
        /// started, this writes a further version, of at most 100: contacts who enter the drip from then on go through these steps.
        /// Contacts who are in it continue with the steps that they began.
        POST "/api/v1/campaigns/{campaign_id}/steps" => drips::write_campaign_steps, "The steps, with their version",
            problems "campaign_type" "campaign_state";

        /// Get the steps of a drip
        ///
        /// The steps of contacts who enter it at present.
        GET "/api/v1/campaigns/{campaign_id}/steps" => drips::get_campaign_steps, "The steps, with their version";

        /// List the enrolments in a drip
        ///
        /// Lists everybody who has entered the drip, with what became of them. A page can hold fewer of them than `limit`, or none, without
        /// being the last one: only a `next_cursor` of `null` ends the list.
        GET "/api/v1/campaigns/{campaign_id}/enrollments" => drips::list_campaign_enrollments, "A page of enrolments";

        /// Get an enrolment
        ///
        /// Returns the contact's place in the drip, and the steps so far.
        GET "/api/v1/contacts/{contact_id}/campaigns/{campaign_id}" => drips::get_enrollment, "The enrolment";

        /// Enrol a contact in a drip
        ///
        /// The first step is taken within a minute. The drip must have begun. A contact who has been through it, or has left it, can enter it
        /// again only if it allows `reentry`.
        POST "/api/v1/contacts/{contact_id}/campaigns/{campaign_id}/enroll" => drips::enroll_contact,
            "The enrolment", problems "campaign_type" "campaign_state" "already_enrolled" "merged";

        /// Take a contact out of a drip
        ///
        /// No further step is taken, and a message that waits is not sent. An enrolment that has ended stays as it is.
        POST "/api/v1/contacts/{contact_id}/campaigns/{campaign_id}/stop" => drips::stop_enrollment, "The enrolment";

        /// List the recipients of a campaign
        ///
        /// Lists everybody in the audience, with what became of them. A page can hold fewer recipients than `limit`, or none, without
        /// being the last one: only a `next_cursor` of `null` ends the list. Empty until its audience is fixed.
        GET "/api/v1/campaigns/{campaign_id}/recipients" => list_campaign_recipients, "A page of recipients";

        /// Report on a campaign
        ///
        /// Counts everybody in the audience by state and reason, the contacts who wrote afterwards, followed a link or refused further
        /// messages, and the cost of the messages. The operation's result has the numbers; `GET …/recipients` lists the people. The report
        /// on a drip counts the contacts who entered it by status and reason, and each step with the states of its messages;
        /// `GET …/enrollments` lists the people.
        POST "/api/v1/campaigns/{campaign_id}/report" => report_campaign, "The operation that counts",
            problems "too_many_operations";

        /// Delete a campaign
        ///
        /// Possible for a draft, or a campaign that is completed or cancelled. Its messages stay in the contacts' histories. It
        /// cannot be restored.
        DELETE "/api/v1/campaigns/{campaign_id}" => delete_campaign, "The campaign is deleted", problems "campaign_started";
    }
}

/// Path of the campaigns.
const CAMPAIGNS: &str = "/api/v1/campaigns";

type Reading = Allowed<permits::CampaignsRead>;
type Writing = Allowed<permits::CampaignsWrite>;
type Configs = Extension<Arc<ConfigCache>>;

/// The data that reviews of campaigns need.
struct Scene {
    config: Arc<TenantConfig>,
    material: Material,
    missing: Missing,
    /// Steps of drips that are drafts.
    steps: HashMap<CampaignId, WrittenSteps>,
    now: Timestamp,
}

impl Scene {
    async fn of<P: Permit>(
        api: &Api,
        who: &Allowed<P>,
        configs: &ConfigCache,
        campaigns: &[&Campaign],
    ) -> Result<Self, Problem> {
        let (store, scope) = (api.store(), who.scope());
        let config = require_found(store.config(scope, configs)).await?;
        // Nothing else is reviewed.
        let drafts = campaigns.iter().copied();
        let drafts: Vec<&Campaign> = drafts.filter(|it| it.state == CampaignState::Draft).collect();
        let steps = store.present_steps(scope, &drafts).await?;
        Self::with(api, who, config, &drafts, steps).await
    }

    /// Reads what else a review of these campaigns needs.
    async fn with<P: Permit>(
        api: &Api,
        who: &Allowed<P>,
        config: Arc<TenantConfig>,
        campaigns: &[&Campaign],
        steps: HashMap<CampaignId, WrittenSteps>,
    ) -> Result<Self, Problem> {
        let (store, scope) = (api.store(), who.scope());
        let of = |campaign: &Campaign| steps.get(&campaign.id).map(|written| &written.steps);
        let all = campaigns.iter().map(|campaign| (*campaign, of(campaign)));
        let needs = needs_of_campaigns(all, &config);
        let read = store.material(scope, &needs, &Along::default()).await?;
        let (mut segments, mut tags) = (Vec::<SegmentId>::new(), Vec::<TagId>::new());
        let (mut stages, mut dates) = (Vec::<StageId>::new(), Vec::<FieldId>::new());
        for Campaign { audience, triggers, .. } in campaigns {
            tags.extend(triggers.tags.iter());
            stages.extend(triggers.stages.iter());
            dates.extend(triggers.date.map(|date| date.field));
            segments.extend(audience.segment.iter().chain(audience.excluded_segments.iter()));
            tags.extend(audience.tag.iter().chain(audience.excluded_tags.iter()));
        }
        let written = || steps.values().map(|written| &written.steps);
        tags.extend(written().flat_map(Steps::tags));
        stages.extend(written().flat_map(Steps::stages));
        let missing = Missing {
            segments: store.missing::<Segment>(scope, segments).await?,
            tags: store.missing::<Tag>(scope, tags).await?,
            stages: store.missing::<Stage>(scope, stages).await?,
            dates: find_undated_fields(store, scope, dates).await?,
            users: unable(store, scope, written().flat_map(Steps::users).collect()).await?,
        };
        Ok(Self {
            steps,
            config,
            material: Material {
                // As every message would get some.
                links: NewLinks::nobodys(),
                ..read
            },
            missing,
            now: who.now(),
        })
    }

    /// The review of a draft. Started campaigns have none.
    fn review(&self, campaign: &Campaign) -> Review {
        match campaign.state {
            CampaignState::Draft => {
                let steps = self.steps.get(&campaign.id).map(|written| &written.steps);
                review_campaign(campaign, steps, &self.config, &self.material, &self.missing, self.now)
            }
            _ => Review::default(),
        }
    }

    fn campaign_with_review(&self, campaign: Campaign) -> CampaignOut {
        let review = self.review(&campaign);
        CampaignOut::of(campaign, review)
    }

    fn campaign_with_etag(&self, found: Versioned<Campaign>) -> Tagged<CampaignOut> {
        Tagged {
            version: found.version,
            body: self.campaign_with_review(found.value),
        }
    }
}

/// The fields among these that are no searchable dates. One request, none if there are no fields.
async fn find_undated_fields(
    store: &Store,
    scope: &TenantScope,
    fields: Vec<FieldId>,
) -> Result<BTreeSet<String>, StoreError> {
    let mut undated: BTreeSet<String> = fields.iter().map(FieldId::to_string).collect();
    if !undated.is_empty() {
        for field in store.all::<Field>(scope).await? {
            if field.finds_dates() {
                undated.remove(&field.id.to_string());
            }
        }
    }
    Ok(undated)
}

/// The users among these who cannot attend to contacts, each with the problem. One request, none if there are no users.
async fn unable(
    store: &Store,
    scope: &TenantScope,
    users: BTreeSet<UserId>,
) -> Result<BTreeMap<UserId, FieldProblem>, StoreError> {
    if users.is_empty() {
        return Ok(BTreeMap::new());
    }
    let users: Vec<UserId> = users.into_iter().collect();
    let known = store.members_named(scope, &users).await?;
    let problem = |user: UserId| Some((user, able(known.clone(), "users", &[user]).pop()?));
    Ok(users.into_iter().filter_map(problem).collect())
}

/// Refuses a draft with these problems.
fn refuse_problems(wrong: Vec<FieldProblem>) -> Result<(), Problem> {
    if wrong.is_empty() { Ok(()) } else { Err(wrong.into()) }
}

/// Refuses to change or start what is no draft any more.
fn draft(campaign: &Campaign) -> Result<(), Problem> {
    if campaign.state == CampaignState::Draft {
        return Ok(());
    }
    let state = campaign.state.as_str();
    let detail = format!("The campaign is {state}. Only a draft can be changed or started; create another campaign.");
    Err(Problem::conflict("campaign_started", detail))
}

/// Finds nothing that only a campaign of this type has.
fn shown_of(campaign: &Campaign, kind: CampaignType) -> Result<(), Problem> {
    if campaign.kind == kind {
        Ok(())
    } else {
        Err(Problem::not_found())
    }
}

/// Refuses what only a campaign of this type has.
fn of_type(campaign: &Campaign, kind: CampaignType) -> Result<(), Problem> {
    if campaign.kind == kind {
        return Ok(());
    }
    let detail = match kind {
        CampaignType::Broadcast => "The campaign is a drip, which has steps and enrolments instead.",
        CampaignType::Drip => "The campaign is a broadcast, which has a message and recipients instead.",
    };
    Err(Problem::conflict("campaign_type", detail))
}

/// Refuses to delete what is under way.
fn deletable(campaign: &Campaign) -> Result<(), Problem> {
    if campaign.state == CampaignState::Draft || campaign.state.is_final() {
        return Ok(());
    }
    let state = campaign.state.as_str();
    let detail = format!("The campaign is {state}. Cancel it before you delete it.");
    Err(Problem::conflict("campaign_started", detail))
}

async fn create_campaign(
    who: Writing,
    State(api): State<Api>,
    Extension(configs): Configs,
    Body(fields): Body<CampaignIn>,
) -> Result<Created<CampaignOut>, Problem> {
    let new = Campaign::new(who.ulid(), fields, who.now());
    let scene = Scene::of(&api, &who, &configs, &[&new]).await?;
    let reviewed = Reviewed {
        campaign: &new,
        review: &scene.review(&new),
    };
    refuse_problems(draft_problems(None, reviewed))?;
    let created = api.create_this(&who, CAMPAIGNS, new).await?;
    Ok(Created {
        location: created.location,
        version: created.version,
        body: scene.campaign_with_review(created.body),
    })
}

async fn list_campaigns(
    who: Reading,
    State(api): State<Api>,
    Extension(configs): Configs,
    Query(query): Query<CampaignQuery>,
    paging: Paging,
) -> Result<Listed<CampaignOut>, Problem> {
    let page = campaigns_of(api.store(), who.scope(), query, &paging).await?;
    let shown: Vec<&Campaign> = page.items.iter().map(|found| &found.value).collect();
    let scene = Scene::of(&api, &who, &configs, &shown).await?;
    Ok(Listed::of(page, |found: Versioned<Campaign>| {
        scene.campaign_with_review(found.value)
    }))
}

/// A page of the campaigns that fulfil the conditions, of which 500 are examined at most.
async fn campaigns_of(
    store: &Store,
    scope: &TenantScope,
    query: CampaignQuery,
    paging: &Paging,
) -> Result<Page<Versioned<Campaign>>, StoreError> {
    let backwards = query.order == CampaignOrder::NewestFirst;
    if !query.narrows() {
        return store
            .page_in_order(scope, paging.after(), paging.limit(), backwards)
            .await;
    }
    let read =
        |after: Option<String>| async move { store.page_in_order(scope, after.as_deref(), 100, backwards).await };
    let takes = |found: &Versioned<Campaign>| query.takes(&found.value);
    paging
        .narrow_page(read, takes, |found| found.value.id.to_string())
        .await
}

async fn get_campaign(
    who: Reading,
    State(api): State<Api>,
    Extension(configs): Configs,
    Path(id): Path<CampaignId>,
) -> Result<Tagged<CampaignOut>, Problem> {
    let campaign: Versioned<Campaign> = require_found(api.store().get(who.scope(), &id)).await?;
    let scene = Scene::of(&api, &who, &configs, &[&campaign.value]).await?;
    Ok(scene.campaign_with_etag(campaign))
}

async fn update_campaign(
    who: Writing,
    State(api): State<Api>,
    Extension(configs): Configs,
    Path(id): Path<CampaignId>,
    if_match: IfMatch,
    patch: Patch<CampaignIn>,
) -> Result<Tagged<CampaignOut>, Problem> {
    let (api, who, configs, stamp) = (&api, &who, &*configs, &who.stamp());
    let (store, scope, if_match, patch) = (api.store(), who.scope(), &if_match, &patch);
    let changed = RACES.until_won(|| async move {
        let before: Versioned<Campaign> = require_found(store.get(scope, &id)).await?;
        if_match.check(before.version)?;
        let after = patch.apply(&CampaignIn::of(&before.value))?.onto(&before.value)?;
        let scene = Scene::of(api, who, configs, &[&before.value, &after]).await?;
        if after == before.value {
            return Ok(scene.campaign_with_etag(before));
        }
        draft(&before.value)?;
        let known = Reviewed {
            campaign: &before.value,
            review: &scene.review(&before.value),
        };
        let changed = Reviewed {
            campaign: &after,
            review: &scene.review(&after),
        };
        refuse_problems(draft_problems(Some(known), changed))?;
        let after = after.changed_at(stamp.at);
        let written = store.change(scope, &before, &after, stamp).await;
        let version = written.map_err(setback::<Campaign>)?;
        Ok(scene.campaign_with_etag(Versioned { version, value: after }))
    });
    changed.await
}

/// Campaigns that a tenant starts per hour.
const STARTS: Limit = Limit::per_hour(100);

async fn start_campaign(
    who: Writing,
    State(api): State<Api>,
    Extension(configs): Configs,
    Extension(bus): Extension<Bus>,
    Path(id): Path<CampaignId>,
    if_match: IfMatch,
) -> Result<Tagged<CampaignOut>, Problem> {
    let (api, who, configs, stamp, if_match) = (&api, &who, &*configs, &who.stamp(), &if_match);
    api.limit(who, "CAMPAIGN_STARTS", STARTS).await?;
    let started = RACES.until_won(|| async move {
        let before: Versioned<Campaign> = require_found(api.store().get(who.scope(), &id)).await?;
        if_match.check(before.version)?;
        draft(&before.value)?;
        let (after, operation) = before.value.start_with_operation(stamp).ok_or_else(Problem::internal)?;
        let scene = Scene::of(api, who, configs, &[&before.value]).await?;
        refuse_problems(scene.review(&before.value).problems)?;
        let store = api.store();
        let written = store.start_campaign(who.scope(), &before, &after, &operation, stamp);
        let version = written.await.map_err(setback::<Campaign>)?;
        Ok((Versioned { version, value: after }, operation))
    });
    let (campaign, operation) = started.await?;
    if campaign.value.begins_at().is_none_or(|at| at <= who.now()) {
        start(who, &bus, &operation).await;
    }
    Ok(show_without_review(campaign))
}

/// A campaign that is no draft.
fn show_without_review(campaign: Versioned<Campaign>) -> Tagged<CampaignOut> {
    Tagged {
        version: campaign.version,
        body: CampaignOut::of(campaign.value, Review::default()),
    }
}

async fn pause_campaign(
    who: Writing,
    State(api): State<Api>,
    Path(id): Path<CampaignId>,
    if_match: IfMatch,
) -> Result<Tagged<CampaignOut>, Problem> {
    // Its operation finds that with its next step.
    move_campaign(&api, &who, id, &if_match, CampaignState::Paused)
        .await
        .map(show_without_review)
}

async fn resume_campaign(
    who: Writing,
    State(api): State<Api>,
    Extension(bus): Extension<Bus>,
    Path(id): Path<CampaignId>,
    if_match: IfMatch,
) -> Result<Tagged<CampaignOut>, Problem> {
    let campaign = move_campaign(&api, &who, id, &if_match, CampaignState::Running).await?;
    go_on(&who, &bus, campaign).await
}

async fn cancel_campaign(
    who: Writing,
    State(api): State<Api>,
    Extension(bus): Extension<Bus>,
    Path(id): Path<CampaignId>,
    if_match: IfMatch,
) -> Result<Tagged<CampaignOut>, Problem> {
    let campaign = move_campaign(&api, &who, id, &if_match, CampaignState::Cancelled).await?;
    go_on(&who, &bus, campaign).await
}

async fn choose_variant(
    who: Writing,
    State(api): State<Api>,
    Extension(bus): Extension<Bus>,
    Path(id): Path<CampaignId>,
    if_match: IfMatch,
    Body(choice): Body<WinnerChoice>,
) -> Result<Tagged<CampaignOut>, Problem> {
    let (store, scope, stamp) = (api.store(), who.scope(), &who.stamp());
    let number = choice.variant.get() as usize;
    let read = || store.get::<Campaign>(scope, &id);
    let decide = |before: &Campaign| {
        let refused = |detail: String| Err(Problem::conflict("campaign_state", detail));
        let last = before.variants.len();
        if number > last {
            let detail = format!("Expected the number of a variant of the campaign, at most {last}.");
            let fault = Fault::out_of_range(0_i64, i64::try_from(last).unwrap_or_default(), detail);
            return Err(Problem::from(vec![FieldProblem::new("variant", fault)]));
        }
        match before.winner {
            Some(known) if known == number => return Ok(before.clone()),
            Some(known) => return refused(format!("Variant {known} was chosen already.")),
            None if before.hold_percent.is_none() => {
                return refused("Nobody in its audience waits for a choice.".to_owned());
            }
            None => {}
        }
        if !before.state.has_begun() || before.state.is_final() {
            let state = before.state.as_str();
            return refused(format!(
                "The campaign is {state}. A variant is chosen once it has begun, and before it has ended."
            ));
        }
        // Its state is as old as before.
        Ok(Campaign {
            winner: Some(number),
            ..before.clone()
        })
    };
    let write = |before: Versioned<Campaign>, after: Campaign| async move {
        let version = store.change(scope, &before, &after, stamp).await?;
        Ok(Versioned { version, value: after })
    };
    let campaign = RACES.change(&if_match, read, decide, write).await?;
    go_on(&who, &bus, campaign).await
}

/// Moves a campaign that was started to another state. One that is in this state stays as it is.
async fn move_campaign(
    api: &Api,
    who: &Writing,
    id: CampaignId,
    if_match: &IfMatch,
    next: CampaignState,
) -> Result<Versioned<Campaign>, Problem> {
    let (store, scope, stamp) = (api.store(), who.scope(), &who.stamp());
    let read = || store.get::<Campaign>(scope, &id);
    let decide = |before: &Campaign| {
        if before.state == next {
            return Ok(before.clone());
        }
        // A draft is started, and begins by itself.
        let begun = before.state.has_begun();
        let allowed = Some(before).filter(|_| begun || next == CampaignState::Cancelled);
        let after = allowed.and_then(|before| before.with_state(next, None, stamp.at));
        after.ok_or_else(|| {
            let (state, next) = (before.state.as_str(), next.as_str());
            let detail = format!("The campaign is {state}, and cannot become {next}.");
            Problem::conflict("campaign_state", detail)
        })
    };
    let write = |before: Versioned<Campaign>, after: Campaign| async move {
        let version = if after.state == CampaignState::Cancelled {
            Box::pin(store.cancel_campaign(scope, &before, &after, stamp)).await?
        } else {
            store.change(scope, &before, &after, stamp).await?
        };
        Ok(Versioned { version, value: after })
    };
    RACES.change(if_match, read, decide, write).await
}

/// Has the operation of a campaign go on at once, which would otherwise look at its state within an hour.
async fn go_on(who: &Writing, bus: &Bus, campaign: Versioned<Campaign>) -> Result<Tagged<CampaignOut>, Problem> {
    let start = StartOperation {
        tenant: who.scope().tenant(),
        operation: RunCampaign::operation_id(campaign.value.id),
        kind: OperationKind::RunCampaign,
    };
    bus.start(&[start]).await.map_err(|error| {
        tracing::warn!(error = kit::chain(&error), "a campaign was not told to go on");
        Problem::unavailable()
    })?;
    Ok(show_without_review(campaign))
}

async fn list_campaign_recipients(
    who: Allowed<permits::MessagesRead>,
    State(api): State<Api>,
    Path(id): Path<CampaignId>,
    Query(query): Query<RecipientQuery>,
    paging: Paging,
) -> Result<Listed<RecipientOut>, Problem> {
    let (store, scope) = (api.store(), who.scope());
    let campaign: Versioned<Campaign> = require_found(store.get(scope, &id)).await?;
    shown_of(&campaign.value, CampaignType::Broadcast)?;
    let from: InAudience = paging.position()?.unwrap_or_default();
    let page = store.recipients(scope, &campaign.value, from, paging.limit(), who.now());
    let (mut items, next) = page.await?;
    items.retain(|recipient| query.takes(&campaign.value, recipient));
    let page = Page {
        items,
        next: next.map(|next| next.to_string()),
    };
    let shown = |recipient| RecipientOut::of(&campaign.value, recipient);
    Ok(Listed::of(page, shown))
}

/// Reports of a tenant per hour: each reads the whole audience.
const REPORTS: Limit = Limit::per_hour(60);

async fn report_campaign(
    who: Reading,
    State(api): State<Api>,
    Extension(bus): Extension<Bus>,
    Path(id): Path<CampaignId>,
) -> Result<With<202, Json<OperationOut>>, Problem> {
    let (store, scope, stamp) = (api.store(), who.scope(), who.stamp());
    let _: Versioned<Campaign> = require_found(store.get(scope, &id)).await?;
    api.limit(&who, "CAMPAIGN_REPORTS", REPORTS).await?;
    let params = ReportCampaign { campaign: id };
    let operation = api.new_operation(&who, OperationKind::ReportCampaign, &params).await?;
    store.create_operation(scope, &operation, &stamp).await?;
    Ok(start_and_answer(&who, &bus, operation).await)
}

async fn delete_campaign(
    who: Writing,
    State(api): State<Api>,
    Path(id): Path<CampaignId>,
    if_match: IfMatch,
) -> Result<NoContent, Problem> {
    let removed = api.remove_if(&who, &id, &if_match, deletable).await?;
    // Nobody can name them any more.
    api.store().delete_steps(who.scope(), id).await?;
    Ok(removed)
}
