//! Campaigns: one message to all contacts of an audience. So far they are written as drafts, and nothing starts them.

mod models;

use std::sync::Arc;

use api::{
    Allowed, Api, Body, Created, IfMatch, Listed, NoContent, Paging, Patch, Patchable as _, Path, RACES, Tagged, found,
    permits, permits::Permit, setback,
};
use axum::{Extension, Router, extract::State};
use domain::{
    base::{
        ids::{CampaignId, SegmentId, TagId},
        resource::Resource as _,
    },
    campaigns::{
        campaign::{Campaign, CampaignIn},
        review::{Missing, needs, refused, review},
        state::CampaignState,
    },
    consent::links::NewLink,
    contacts::{segment::Segment, tag::Tag},
    messages::{content_problems::Review, material::Material},
    tenants::{config::TenantConfig, settings::FieldProblem},
};
use jiff::Timestamp;
use kit::{ConfigError, Env, Problem};
use store::{Along, Page, Versioned, tenants::config::ConfigCache};

use crate::models::CampaignOut;

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    let configs = Extension(Arc::new(ConfigCache::default()));
    Ok(api::serve(operations(), Api::new(env)?).layer(configs))
}

api::operations! {
    "campaigns": "Campaigns of a tenant: one message to all contacts of an audience." {
        /// Create a campaign
        ///
        /// A draft, of which nothing is sent. What it lacks is in `problems`, such as a segment or a text. What is wrong is refused and
        /// named by field, such as a segment, tag, line, template or product that does not exist, a value of a call, or a start in the
        /// past. What would only keep its message from being sent at present is in `warnings`, such as a template that is not approved.
        /// A tenant has at most 2,000 campaigns, of which 200 are drafts.
        POST "/api/v1/campaigns" => create_campaign, "The campaign";

        /// List campaigns
        ///
        /// Oldest first.
        GET "/api/v1/campaigns" => list_campaigns, "A page of campaigns";

        /// Get a campaign
        ///
        /// Shows the campaign with `problems` and `warnings` about its present state.
        GET "/api/v1/campaigns/{campaign_id}" => get_campaign, "The campaign";

        /// Update a campaign
        ///
        /// Only while it is a draft. `audience` and `message` are merged, lists are replaced as a whole. What was wrong before does not
        /// prevent a change.
        PATCH "/api/v1/campaigns/{campaign_id}" => update_campaign, "The updated campaign", problems "campaign_started";

        /// Delete a campaign
        ///
        /// Only while it is a draft. It cannot be restored.
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
        let config = found(store.config(scope, configs)).await?;
        // Nothing else is reviewed.
        let drafts = campaigns.iter().copied();
        let drafts: Vec<&Campaign> = drafts.filter(|it| it.state == CampaignState::Draft).collect();
        let needs = needs(drafts.iter().copied(), &config);
        let read = store.material(scope, &needs, &Along::default()).await?;
        let (mut segments, mut tags) = (Vec::<SegmentId>::new(), Vec::<TagId>::new());
        for Campaign { audience, .. } in drafts {
            segments.extend(audience.segment.iter().chain(audience.excluded_segments.iter()));
            tags.extend(audience.excluded_tags.iter());
        }
        let missing = Missing {
            segments: store.missing::<Segment>(scope, segments).await?,
            tags: store.missing::<Tag>(scope, tags).await?,
        };
        Ok(Self {
            config,
            material: Material {
                // As every message would get one.
                link: Some(NewLink::nobodys()),
                ..read
            },
            missing,
            now: who.now(),
        })
    }

    /// The review of a draft. Started campaigns have none.
    fn review(&self, campaign: &Campaign) -> Review {
        match campaign.state {
            CampaignState::Draft => review(campaign, (&self.config, &self.material), &self.missing, self.now),
            _ => Review::default(),
        }
    }

    fn shown(&self, campaign: Campaign) -> CampaignOut {
        let review = self.review(&campaign);
        CampaignOut::of(campaign, review)
    }

    fn tagged(&self, found: Versioned<Campaign>) -> Tagged<CampaignOut> {
        Tagged {
            version: found.version,
            body: self.shown(found.value),
        }
    }
}

/// Refuses a draft with these problems.
fn none(wrong: Vec<FieldProblem>) -> Result<(), Problem> {
    if wrong.is_empty() { Ok(()) } else { Err(wrong.into()) }
}

/// Refuses to change or delete what is no draft any more.
fn draft(campaign: &Campaign) -> Result<(), Problem> {
    if campaign.state == CampaignState::Draft {
        return Ok(());
    }
    let state = campaign.state.as_str();
    let detail = format!("The campaign is {state}. Only a draft can be changed or deleted; create another campaign.");
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
    none(refused(None, (&new, &scene.review(&new))))?;
    let created = api.create_this(&who, CAMPAIGNS, new).await?;
    Ok(Created {
        location: created.location,
        version: created.version,
        body: scene.shown(created.body),
    })
}

async fn list_campaigns(
    who: Reading,
    State(api): State<Api>,
    Extension(configs): Configs,
    paging: Paging,
) -> Result<Listed<CampaignOut>, Problem> {
    let page = api.store().page(who.scope(), paging.after(), paging.limit()).await?;
    let page: Page<Versioned<Campaign>> = page;
    let shown: Vec<&Campaign> = page.items.iter().map(|found| &found.value).collect();
    let scene = Scene::of(&api, &who, &configs, &shown).await?;
    Ok(Listed::of(page, |found: Versioned<Campaign>| scene.shown(found.value)))
}

async fn get_campaign(
    who: Reading,
    State(api): State<Api>,
    Extension(configs): Configs,
    Path(id): Path<CampaignId>,
) -> Result<Tagged<CampaignOut>, Problem> {
    let campaign: Versioned<Campaign> = found(api.store().get(who.scope(), &id)).await?;
    let scene = Scene::of(&api, &who, &configs, &[&campaign.value]).await?;
    Ok(scene.tagged(campaign))
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
        let before: Versioned<Campaign> = found(store.get(scope, &id)).await?;
        if_match.check(before.version)?;
        let after = patch.apply(&CampaignIn::of(&before.value))?.onto(&before.value)?;
        let scene = Scene::of(api, who, configs, &[&before.value, &after]).await?;
        if after == before.value {
            return Ok(scene.tagged(before));
        }
        draft(&before.value)?;
        let known = scene.review(&before.value);
        none(refused(Some((&before.value, &known)), (&after, &scene.review(&after))))?;
        let after = after.changed_at(stamp.at);
        let written = store.change(scope, &before, &after, stamp).await;
        let version = written.map_err(setback::<Campaign>)?;
        Ok(scene.tagged(Versioned { version, value: after }))
    });
    changed.await
}

async fn delete_campaign(
    who: Writing,
    State(api): State<Api>,
    Path(id): Path<CampaignId>,
    if_match: IfMatch,
) -> Result<NoContent, Problem> {
    api.remove_if(&who, &id, &if_match, draft).await
}
