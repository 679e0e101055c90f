//! Models of requests and responses.

use api::Patchable;
use domain::templates::{
    Entry, Lint, MAX_FOUND, Sample, ShownTemplate, ShownValues, TemplateCategory, TemplateContent, TemplateDefinition,
    TemplateId, Topic, shown_draft,
};
use domain::tenants::Quality;
use domain::terms::{
    Actor, ByName, ConnectionId, Facts, Fault, FaultCode, MAX_TEMPLATE_LANGUAGE_LENGTH, MAX_TEMPLATE_NAME_LENGTH,
    MAX_VALUES, OneLine, Reason, RuleId, UpTo, Verbatim, Warning,
};
use jiff::Timestamp;
use kit::Problem;
use kit::problem::FieldError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Signed, Version, Versioned};

/// Maximum size of a template's content as JSON, in bytes: a page of 100 with their drafts must fit in an answer of Lambda, which is
/// 6 MB.
const LARGEST: usize = 16 * 1024;

type Name = OneLine<1, MAX_TEMPLATE_NAME_LENGTH>;
type LanguageCode = OneLine<1, MAX_TEMPLATE_LANGUAGE_LENGTH>;

/// A new template.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TemplateIn {
    /// Connection whose account gets it. Default: the oldest one that sends WhatsApp.
    #[serde(default)]
    #[schemars(extend("x-refers" = true))]
    pub(crate) connection_id: Option<ConnectionId>,
    /// Name: small letters, digits and underscores. WhatsApp keeps a name for 30 days after its deletion, so end it with a number.
    #[schemars(example = &"missed_call_1", extend("x-unique" = true))]
    pub(crate) name: Name,
    /// Language, as Meta's code.
    #[schemars(example = &"en_GB")]
    pub(crate) language: LanguageCode,
    /// Content. Problems with it do not prevent saving it.
    pub(crate) content: TemplateContent,
}

/// A draft to be examined.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TemplateLintIn {
    /// Connection of the account that would get it. Its rules apply. Default: the oldest one that sends WhatsApp.
    #[serde(default)]
    #[schemars(extend("x-refers" = true))]
    pub(crate) connection_id: Option<ConnectionId>,
    /// Name.
    #[schemars(example = &"missed_call_1")]
    pub(crate) name: Verbatim<0, 600>,
    /// Language, as Meta's code.
    #[schemars(example = &"en_GB")]
    pub(crate) language: Verbatim<0, 100>,
    /// Content.
    pub(crate) content: TemplateContent,
}

/// A change of a template.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TemplateChange {
    /// Content.
    pub(crate) content: TemplateContent,
}

impl Patchable for TemplateChange {
    type Of = TemplateDefinition;

    fn of(template: &TemplateDefinition) -> Self {
        Self {
            content: template.latest(),
        }
    }

    fn onto(self, before: &TemplateDefinition) -> Result<TemplateDefinition, Problem> {
        fitting(&self.content)?;
        if before.status.sendable() && self.content.category != before.category.into() {
            let detail = "The category of an approved template cannot change. Create another template.";
            return Err(Problem::field("content.category", Fault::new(FaultCode::Fixed, detail)));
        }
        Ok(before.with_new_content(&self.content))
    }
}

/// Refuses content that is too large to be listed.
pub(crate) fn fitting(content: &TemplateContent) -> Result<(), Problem> {
    let size = serde_json::to_vec(content).map_or(usize::MAX, |json| json.len());
    if size <= LARGEST {
        return Ok(());
    }
    let detail = format!("The content has {size} bytes as JSON, of at most {LARGEST}. Shorten it.");
    let fault = Fault::new(FaultCode::TooLarge, detail);
    Err(Problem::field(
        "content",
        fault.and("bytes", size).and("maximum_bytes", LARGEST),
    ))
}

/// Whether automations that use a template prevent a change.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SubmitTemplateIn {
    /// Whether to submit a change although automations use the template. They send by their next channel, or not at all, until WhatsApp
    /// approves it again.
    #[serde(default)]
    pub(crate) even_if_used: bool,
}

/// Whether automations that use a template prevent its deletion.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeleteTemplateQuery {
    /// Whether to delete the template although automations use it.
    pub(crate) even_if_used: Option<bool>,
}

/// Filter for templates.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TemplateQuery {
    /// Templates of this connection.
    pub(crate) connection_id: Option<ConnectionId>,
    /// Templates in this state, in Meta's words, or `DRAFT`.
    #[schemars(example = &"APPROVED", length(min = 1, max = 64))]
    pub(crate) status: Option<OneLine<1, 64>>,
    /// Templates with this name, in all languages.
    #[schemars(example = &"missed_call_1")]
    pub(crate) name: Option<Name>,
}

/// Connections whose templates are read again.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SyncTemplatesIn {
    /// Connection. Default: all that send WhatsApp.
    #[serde(default)]
    #[schemars(extend("x-refers" = true))]
    pub(crate) connection_id: Option<ConnectionId>,
}

/// Values to show a template with.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TemplatePreviewIn {
    /// Whether to show the draft instead of what was submitted, if there is one.
    #[serde(default)]
    pub(crate) draft: bool,
    /// Value of the header's variable. Default: its sample.
    #[serde(default)]
    #[schemars(example = "Saffron Bakery")]
    header: Option<Sample>,
    /// Values of the body's variables, by number or name. Default: their samples.
    #[serde(default)]
    #[schemars(example = serde_json::json!({"1": "Maya"}))]
    variables: ByName<MAX_VALUES, Sample>,
    /// Values of buttons.
    #[serde(default)]
    buttons: UpTo<20, TemplatePreviewButton>,
}

/// Value of a button.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TemplatePreviewButton {
    /// The button's place among all buttons, from 0.
    #[schemars(example = 1)]
    index: u8,
    /// End of the link, or code.
    #[schemars(example = "b/marina")]
    value: Sample,
}

impl TemplatePreviewIn {
    pub(crate) fn values(&self) -> ShownValues {
        let body = self.variables.iter();
        let buttons = self.buttons.iter();
        ShownValues {
            header: self.header.as_ref().map(|value| value.as_str().to_owned()),
            body: body
                .map(|(name, value)| (name.clone(), value.as_str().to_owned()))
                .collect(),
            buttons: buttons
                .map(|button| (usize::from(button.index), button.value.as_str().to_owned()))
                .collect(),
        }
    }
}

/// A template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct TemplateModel {
    /// Id.
    id: TemplateId,
    /// Connection whose account has it.
    connection_id: ConnectionId,
    /// Name.
    #[schemars(example = &"missed_call_1")]
    name: String,
    /// Language, as Meta's code.
    #[schemars(example = &"en_GB")]
    language: String,
    /// State, in Meta's words; `DRAFT`: it was never submitted; `DELETED`: the provider no longer has it.
    #[schemars(example = &"APPROVED")]
    status: String,
    /// Time of the state, by the provider's clock.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    status_at: Option<Timestamp>,
    /// Whether messages with it are sent.
    sendable: bool,
    /// Whether it is being submitted.
    submitting: bool,
    /// Time when the provider refused a message because its version of the template differs. No message is sent with the template until
    /// it was read again. `null`: it did not.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    doubted_at: Option<Timestamp>,
    /// Category, which the provider may have corrected.
    category: TemplateCategory,
    /// Meta's rating. `null`: not known.
    quality: Option<Quality>,
    /// The provider's reason for rejecting it, or for refusing its last submission.
    #[schemars(example = &"INVALID_FORMAT")]
    rejected_reason: Option<String>,
    /// Content, as it was submitted, or as it is written if it never was.
    content: TemplateContent,
    /// Content that is written and not submitted yet. `null`: there is none.
    draft: Option<TemplateContent>,
    /// Variables of the body, in the order of their values.
    #[schemars(example = ["1", "2"])]
    variables: Vec<String>,
    /// Number of contents before this one.
    #[schemars(example = 0)]
    edition: u32,
    /// Earliest time to submit a change of the approved template. `null`: at any time.
    #[schemars(example = "2026-11-21T10:00:00Z")]
    editable_at: Option<Timestamp>,
    /// Meta's id. `null`: it has none.
    #[schemars(example = &"810000000000001")]
    provider_id: Option<String>,
    /// Twilio's id. `null`: it has none.
    #[schemars(example = &"HX00000000000000000000000000000001")]
    content_sid: Option<String>,
    /// Time of creation. `null`: before times were kept.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    created_at: Option<Timestamp>,
    /// Time of the last change of the content.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    updated_at: Option<Timestamp>,
}

impl TemplateModel {
    /// The template as it is shown; `None` of one that no id leads to, which the API never writes.
    pub(crate) fn of(template: TemplateDefinition) -> Option<Self> {
        let id = TemplateId::of(&template)?;
        Some(Self {
            connection_id: id.connection,
            id,
            sendable: template.sendable(false).is_ok(),
            submitting: template.submitting.is_some(),
            content: TemplateContent::of(&template),
            variables: template.body_variables().unwrap_or_default(),
            editable_at: template.editable_at(),
            name: template.name,
            language: template.language,
            status: template.status.0,
            status_at: template.status_at,
            doubted_at: template.doubted_at,
            category: template.category.into(),
            quality: template.quality,
            rejected_reason: template.rejected_reason,
            draft: template.draft.map(|draft| *draft),
            edition: template.edition,
            provider_id: template.provider_id,
            content_sid: template.content_sid,
            created_at: template.created_at,
            updated_at: template.updated_at,
        })
    }

    pub(crate) const fn id(&self) -> &TemplateId {
        &self.id
    }

    /// The template with its version.
    pub(crate) fn with_etag(found: Versioned<TemplateDefinition>) -> Result<api::Tagged<Self>, Problem> {
        Ok(api::Tagged {
            version: found.version,
            body: Self::of(found.value).ok_or_else(Problem::not_found)?,
        })
    }
}

/// A hint about a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct TemplateWarning {
    /// The hint as a word: one of `x-codes` at the root of the document. Further ones may be added.
    #[schemars(with = "String", example = &"looks_like_marketing")]
    code: Reason,
    /// Path of the field that it is about.
    #[schemars(example = &"content.body")]
    field: String,
    /// Facts of the sentence by name. `x-codes` names the facts of each code.
    facts: Facts,
    /// The hint, in one sentence.
    #[schemars(example = &"The words \"% off\" are those of an offer: WhatsApp may count the template as marketing.")]
    detail: String,
}

/// The findings about a draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct TemplateLintOut {
    /// Reasons for refusing it, at most 50.
    #[schemars(length(max = MAX_FOUND))]
    problems: Vec<FieldError>,
    /// Points that WhatsApp may judge differently than intended, at most 50. None prevents submitting.
    #[schemars(length(max = MAX_FOUND))]
    warnings: Vec<TemplateWarning>,
    /// The template as a phone would display it, with the samples.
    shown: ShownTemplate,
}

/// Path of a field of a draft: its content is an object of its own.
pub(crate) fn path_of_field(field: &str) -> String {
    match field {
        "name" | "language" => field.to_owned(),
        field => format!("content.{field}"),
    }
}

impl TemplateLintOut {
    pub(crate) fn of(lint: Lint, content: &TemplateContent, language: &str) -> Self {
        let problems = lint.problems.into_iter().map(|problem| {
            let field = path_of_field(&problem.field);
            FieldError::from(domain::terms::FieldProblem { field, ..problem })
        });
        let warnings = lint.warnings.into_iter().map(|Warning { field, why }| TemplateWarning {
            code: why.reason,
            field: path_of_field(&field),
            facts: why.facts,
            detail: why.sentence,
        });
        Self {
            problems: problems.collect(),
            warnings: warnings.collect(),
            shown: shown_draft(content, language),
        }
    }
}

/// An automation that uses a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct TemplateUser {
    /// Id.
    pub(crate) id: RuleId,
    /// Display name.
    #[schemars(example = &"Missed calls")]
    pub(crate) name: String,
    /// Whether it is active.
    pub(crate) enabled: bool,
    /// Whether it uses the template only for people of its language.
    pub(crate) by_contact_language: bool,
}

/// Dependents of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct TemplateUses {
    /// Automations that may send it, except archived ones.
    pub(crate) automations: Vec<TemplateUser>,
}

/// A former or present version of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct TemplateVersion {
    /// Number of the version.
    #[schemars(example = 3)]
    version: u64,
    /// Whether it is in force.
    current: bool,
    /// Number of contents before this one.
    #[schemars(example = 0)]
    edition: u32,
    /// State at that time, in Meta's words.
    #[schemars(example = &"APPROVED")]
    status: String,
    /// Time of the last change of the content.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    changed_at: Option<Timestamp>,
    /// Author. `null`: not a user, such as the provider.
    changed_by: Option<Actor>,
    /// Content.
    content: TemplateContent,
    /// Content that was written and not submitted. `null`: there was none.
    draft: Option<TemplateContent>,
}

impl From<Version<TemplateDefinition>> for TemplateVersion {
    fn from(version: Version<TemplateDefinition>) -> Self {
        let Signed { value: template, by } = version.signed;
        Self {
            version: version.number,
            current: version.current,
            edition: template.edition,
            content: TemplateContent::of(&template),
            status: template.status.0,
            changed_at: template.updated_at,
            changed_by: by,
            draft: template.draft.map(|draft| *draft),
        }
    }
}

/// Number of a version.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline, example = 3)]
pub(crate) struct TemplateVersionNumber(pub(crate) u64);

/// A template of the library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct LibraryTemplate {
    /// Name.
    #[schemars(example = &"missed_call")]
    name: &'static str,
    /// Topic.
    topic: Topic,
    /// Category.
    category: TemplateCategory,
    /// Language versions.
    languages: Vec<LibraryVersion>,
}

/// A language of a template of the library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct LibraryVersion {
    /// Language, as Meta's code.
    #[schemars(example = &"en")]
    language: &'static str,
    /// Content.
    content: TemplateContent,
    /// The template as a phone displays it, with the samples.
    shown: ShownTemplate,
}

impl From<&Entry> for LibraryTemplate {
    fn from(entry: &Entry) -> Self {
        let versions = entry.versions();
        let category = versions.first().map(|(_, content)| content.category);
        let languages = versions.into_iter().map(|(language, content)| LibraryVersion {
            language,
            shown: shown_draft(&content, language),
            content,
        });
        Self {
            name: entry.name,
            topic: entry.topic,
            category: category.unwrap_or(TemplateCategory::Utility),
            languages: languages.collect(),
        }
    }
}

/// Which template of the library is submitted, and where.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdoptTemplateIn {
    /// Name of the template in the library.
    #[schemars(example = &"missed_call")]
    pub(crate) library_name: OneLine<1, 64>,
    /// Connection whose account gets them. Default: the oldest one that sends WhatsApp.
    #[serde(default)]
    #[schemars(extend("x-refers" = true))]
    pub(crate) connection_id: Option<ConnectionId>,
    /// Name other than the library's.
    #[serde(default)]
    #[schemars(example = &"missed_call_1")]
    pub(crate) name: Option<Name>,
    /// Languages: `en`, `ar`. Default: both.
    #[serde(default)]
    #[schemars(example = ["en", "ar"])]
    pub(crate) languages: UpTo<2, LanguageCode>,
}

/// Templates of the library that were submitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct AdoptedTemplates {
    /// A version for each language. A version that the provider refused is a `DRAFT` with `rejected_reason`.
    pub(crate) templates: Vec<TemplateModel>,
}
