//! Trying automations, with a draft that is not saved: their decision about a call, or about recorded ones. Nothing is written.

use api::{Api, MessageOutlook, Patchable as _, Setting};
use domain::automations::review_rule;
use domain::messages::{IntentReview, Needs};
use domain::people::Contact;
use domain::tenants::{Rule, RuleIn, TenantConfig};
use domain::terms::{CancelEvent, Fault, FaultCode, Resource as _, RuleId, Timers};
use flows::messages::{Gathered, Planner};
use kit::{ConfigError, Env, Pages, Problem};
use store::tenants::ConfigCache;
use store::{Along, Versioned};

use crate::models::AutomationReview;
use crate::{Writing, material};

/// Dependencies of trying, besides the table.
pub(crate) struct Trying {
    planner: Planner,
    pub(crate) timers: Timers,
}

/// The automations to try: the saved ones and a draft, which may replace one of them.
pub(crate) struct Scene {
    /// The configuration as it is saved.
    pub(crate) saved: TenantConfig,
    /// The automations to try. The draft is one of them.
    pub(crate) rules: Vec<Rule>,
    pub(crate) draft: Option<Draft>,
}

/// An automation that is not saved.
pub(crate) struct Draft {
    /// Id of the saved automation that it replaces, or else its own.
    pub(crate) id: RuleId,
    /// Whether it replaces a saved one.
    pub(crate) replaces: bool,
    /// Review of the draft, as the API would answer if it was saved.
    pub(crate) review: AutomationReview,
}

impl Scene {
    /// The scene for a request with these fields of a draft, and the automation that it replaces.
    pub(crate) async fn of(
        api: &Api,
        who: &Writing,
        configs: &ConfigCache,
        fields: Option<RuleIn>,
        replaced: Option<RuleId>,
    ) -> Result<Self, Problem> {
        let saved = api::require_found(api.store().config(who.scope(), configs)).await?;
        let saved = TenantConfig::clone(&saved);
        let mut scene = Self {
            rules: saved.rules.clone(),
            saved,
            draft: None,
        };
        let Some(fields) = fields else {
            return match replaced {
                None => Ok(scene),
                Some(_) => {
                    let detail = "Give the fields of the draft that replaces it in `automation`.";
                    Err(Problem::field(REPLACED, Fault::requires(&["automation"], detail)))
                }
            };
        };
        let draft = match replaced {
            None => fields.clone().onto(&Rule::new(who.ulid(), fields, who.now()))?,
            Some(id) => {
                let before: Option<Versioned<Rule>> = api.store().get(who.scope(), &id).await?;
                let Some(before) = before else {
                    let fault = Fault::new(FaultCode::NotFound, "There is no such automation.");
                    return Err(Problem::field(REPLACED, fault.and("id", id.to_string())));
                };
                fields.onto(&before.value)?
            }
        };
        let found = material(api, who, &scene.saved, &[&draft]).await?;
        scene.rules.retain(|rule| rule.id != draft.id);
        scene.rules.push(draft.clone());
        scene.draft = Some(Draft {
            id: draft.id,
            replaces: replaced.is_some(),
            review: review_rule(&draft, &scene.config(), &found).into(),
        });
        Ok(scene)
    }

    /// The configuration with the automations to try.
    pub(crate) fn config(&self) -> TenantConfig {
        TenantConfig {
            rules: self.rules.clone(),
            ..self.saved.clone()
        }
    }

    /// The id of an automation, unless it is a new draft, which has none yet.
    pub(crate) fn id_of(&self, rule: &Rule) -> Option<RuleId> {
        let new = self.draft.as_ref().filter(|draft| !draft.replaces);
        Some(rule.id).filter(|id| new.is_none_or(|draft| draft.id != *id))
    }

    /// Whether an automation is the draft.
    pub(crate) fn is_draft(&self, rule: &Rule) -> bool {
        self.draft.as_ref().is_some_and(|draft| draft.id == rule.id)
    }
}

/// The field that names the automation which a draft replaces.
const REPLACED: &str = "automation_id";

impl Trying {
    /// Reads the function's environment.
    pub(crate) fn new(env: &Env, api: &Api) -> Result<Self, ConfigError> {
        let timers = env.config().timers()?;
        Ok(Self {
            planner: Planner::new(api.store().clone(), Pages::new(env)?, timers),
            timers,
        })
    }

    /// The rows that composing reads. A link to the recipient's preference page is nobody's: as long as any, and it leads nowhere.
    pub(crate) async fn gather(&self, who: &Writing, needs: &Needs) -> Result<Gathered, Problem> {
        let random = needs.links().then_some([0; 32]);
        let nothing = Along::default();
        let gathered = self.planner.gather(who.scope(), needs, random, &nothing, who.now());
        Ok(Box::pin(gathered).await?)
    }

    /// Ends the follow-ups that wait for a caller, as an answered call does before it is decided. Nothing is written.
    pub(crate) async fn end_waiting_follow_ups(&self, who: &Writing, contact: &mut Contact) -> Result<(), Problem> {
        let open = contact.open_to(CancelEvent::AnsweredCall);
        let open = self.planner.readable(who.scope(), &open, who.now());
        contact.answered_after_all(Box::pin(open).await?);
        Ok(())
    }
}

/// Checks the message of an automation, without writing it.
pub(crate) async fn outlook(
    api: &Api,
    who: &Writing,
    setting: Setting<'_>,
    review: Option<IntentReview>,
) -> Result<Option<MessageOutlook>, Problem> {
    match review {
        Some(review) => Box::pin(api.outlook(who, setting, review)).await.map(Some),
        None => Ok(None),
    }
}
