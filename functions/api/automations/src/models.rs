use domain::automations::review_rule;
use domain::messages::{MAX_WARNINGS, Material, Review};
use domain::templates::TemplateDefinition;
use domain::tenants::{Rule, RuleIn, TenantConfig, Then, When, line_by_id};
use domain::terms::{
    Actor, CampaignId, Category, ConnectionId, Distinct, Facts, Fault, FaultCode, LineId, MAX_NAME_LENGTH, OneLine,
    Reason, Resource as _, RuleId, Warning,
};
use jiff::Timestamp;
use kit::problem::FieldError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Signed, Version, Versioned};

/// Filter for automations.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AutomationQuery {
    /// Whether to list archived automations instead of the others.
    pub(crate) archived: Option<bool>,
}

/// An order of automations.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AutomationOrderIn {
    /// All automations that are not archived, in the order of trying.
    pub(crate) automations: Distinct<{ Rule::MAX_UNARCHIVED as usize }, RuleId>,
}

/// Number of a version: `version` of an automation, or the number that a decision about a call names.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline, example = 3)]
pub(crate) struct VersionNumber(pub(crate) u64);

/// Maximum templates that are shown of an automation: one name in one account has as many as languages.
const MAX_TEMPLATES: usize = 50;
/// Maximum problems that are shown of an automation.
const MAX_PROBLEMS: usize = 50;

/// An automation: which message follows which calls, and what keeps it from doing its work at present.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct AutomationOut {
    /// Id.
    id: RuleId,
    /// Display name.
    #[schemars(example = &"Missed calls")]
    name: OneLine<1, MAX_NAME_LENGTH>,
    /// Priority: the automation with the lowest number is tried first, and the first one that matches decides the call.
    #[schemars(example = 100)]
    priority: i32,
    /// Whether it is active. An inactive one matches no call.
    enabled: bool,
    /// The calls that it applies to.
    when: When,
    /// The message that follows.
    then: Then,
    /// Drip into which the caller enters when a message follows the call. `null`: none.
    enroll: Option<CampaignId>,
    /// Time of archiving. `null`: it is not archived. An archived one matches no call.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    archived_at: Option<Timestamp>,
    /// Number of the version, which every change raises. Decisions about calls name the one that decided.
    #[schemars(example = 3)]
    version: u64,
    /// Author of the last change. `null`: unknown, as after a change by an operator's file.
    changed_by: Option<Actor>,
    /// Time of creation.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    created_at: Timestamp,
    /// Time of the last change.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    updated_at: Timestamp,
    /// The lines that `when.lines` names.
    lines: Vec<AutomationLine>,
    /// The templates that it may send, at most 50: one for each connection and language.
    #[schemars(length(max = MAX_TEMPLATES))]
    templates: Vec<AutomationTemplate>,
    /// Problems since it was saved, at most 50: a template, line or product may have been deleted. Calls that it decides may get no
    /// message.
    #[schemars(length(max = MAX_PROBLEMS), example = wrong())]
    problems: Vec<FieldError>,
    /// Obstacles that keep it from doing its work at present, or in part, at most 20. They prevent no change.
    #[schemars(length(max = MAX_WARNINGS))]
    warnings: Vec<AutomationWarning>,
}

fn wrong() -> [FieldError; 1] {
    let detail = "No connection that sends WhatsApp has a template missed_call_followup.";
    let fault = Fault::new(FaultCode::NotFound, detail);
    [FieldError::new(
        "then.template.name",
        fault.and("id", "missed_call_followup"),
    )]
}

/// A line of an automation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct AutomationLine {
    /// Id.
    id: LineId,
    /// Display name. `null`: the line was deleted.
    #[schemars(example = &"Reception")]
    name: Option<String>,
}

/// A template that an automation may send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct AutomationTemplate {
    /// Connection that sends it.
    connection: Option<ConnectionId>,
    /// Language.
    #[schemars(example = &"en_GB")]
    language: String,
    /// Category.
    category: Category,
    /// Meta's word for its state.
    #[schemars(example = &"APPROVED")]
    status: String,
    /// Whether Meta accepts messages with it.
    sendable: bool,
}

impl From<&TemplateDefinition> for AutomationTemplate {
    fn from(template: &TemplateDefinition) -> Self {
        Self {
            connection: template.connection,
            language: template.language.clone(),
            category: template.category,
            status: template.status.0.clone(),
            sendable: template.status.sendable(),
        }
    }
}

/// Something that keeps an automation from doing its work at present.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct AutomationWarning {
    /// The warning as a word: one of `x-codes` at the root of the document. Further ones may be added.
    #[schemars(with = "String", example = &"template_not_approved")]
    code: Reason,
    /// Path of the field that it is about.
    #[schemars(example = &"then.template")]
    field: String,
    /// Facts of the sentence by name. `x-codes` names the facts of each code.
    facts: Facts,
    /// The warning, in one sentence.
    #[schemars(example = &"WhatsApp: template missed_call_followup in en_GB is PAUSED, not APPROVED.")]
    detail: String,
}

impl From<Warning> for AutomationWarning {
    fn from(Warning { field, why }: Warning) -> Self {
        Self {
            code: why.reason,
            field,
            facts: why.facts,
            detail: why.sentence,
        }
    }
}

/// Problems and warnings of a draft, as if it was saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct AutomationReview {
    /// Problems that would prevent saving it, at most 50.
    #[schemars(length(max = MAX_PROBLEMS), example = wrong())]
    problems: Vec<FieldError>,
    /// Obstacles that would keep it from doing its work at present, or in part, at most 20.
    #[schemars(length(max = MAX_WARNINGS))]
    warnings: Vec<AutomationWarning>,
}

impl From<Review> for AutomationReview {
    fn from(Review { problems, warnings }: Review) -> Self {
        Self {
            problems: problems.into_iter().take(MAX_PROBLEMS).map(FieldError::from).collect(),
            warnings: warnings.into_iter().map(AutomationWarning::from).collect(),
        }
    }
}

impl AutomationOut {
    /// The automation as it is shown, with a review by this `material`.
    pub(crate) fn of(found: &Versioned<Signed<Rule>>, config: &TenantConfig, material: &Material) -> Self {
        let (rule, by) = (&found.value.value, found.value.by);
        // Of what is archived, nothing is expected.
        let reviewed = match rule.archived_at {
            None => review_rule(rule, config, material),
            Some(_) => Review::default(),
        };
        let AutomationReview { problems, warnings } = reviewed.into();
        let line = |id: &LineId| AutomationLine {
            id: *id,
            name: line_by_id(&config.lines, *id).map(|line| line.name.as_str().to_owned()),
        };
        let may_be_sent = |template: &&TemplateDefinition| {
            rule.then.template.as_ref().is_some_and(|wanted| {
                template.name == wanted.name.as_str()
                    && (wanted.by_contact_language || template.language == wanted.language.as_str())
            })
        };
        let templates = material.templates.iter().filter(may_be_sent);
        Self {
            id: rule.id,
            name: rule.name.clone(),
            priority: rule.priority,
            enabled: rule.enabled,
            when: rule.when.clone(),
            then: rule.then.clone(),
            enroll: rule.enroll,
            archived_at: rule.archived_at,
            version: found.version,
            changed_by: by,
            created_at: rule.created_at,
            updated_at: rule.updated_at,
            lines: rule.when.lines.iter().map(line).collect(),
            templates: templates.take(MAX_TEMPLATES).map(AutomationTemplate::from).collect(),
            problems,
            warnings,
        }
    }
}

/// A version of an automation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct AutomationVersionOut {
    /// Number of the version.
    #[schemars(example = 3)]
    version: u64,
    /// Whether it is in force.
    current: bool,
    /// Time since which it was in force.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    changed_at: Timestamp,
    /// Author. `null`: unknown, as after a change by an operator's file.
    changed_by: Option<Actor>,
    /// Time of archiving. `null`: it was not archived.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    archived_at: Option<Timestamp>,
    /// The fields of the automation, as they can be sent again.
    automation: RuleIn,
}

impl From<Version<Rule>> for AutomationVersionOut {
    fn from(version: Version<Rule>) -> Self {
        let Signed { value: rule, by } = version.signed;
        Self {
            version: version.number,
            current: version.current,
            changed_at: rule.updated_at,
            changed_by: by,
            archived_at: rule.archived_at,
            automation: rule.fields(),
        }
    }
}
