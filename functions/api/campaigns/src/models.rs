use domain::campaigns::{Campaign, CampaignType, MAX_VARIANTS, Recipient, RecipientState, VariantNumber};
use domain::messages::{MAX_WARNINGS, Review};
use domain::terms::{CampaignState, ContactId, Facts, Fault, FaultCode, MessageId, Reason, Warning, Whole};
use kit::problem::FieldError;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// Maximum problems that are shown of a campaign.
const MAX_PROBLEMS: usize = 50;

/// A campaign, with what it lacks and what keeps it from being sent at present.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct CampaignOut {
    #[serde(flatten)]
    campaign: Campaign,
    /// Gaps and errors, at most 50. A campaign with such a problem cannot be started.
    #[schemars(length(max = MAX_PROBLEMS), example = wrong())]
    problems: Vec<FieldError>,
    /// Obstacles that would keep its message from being sent at present, or in part, at most 20. They prevent no change.
    #[schemars(length(max = MAX_WARNINGS))]
    warnings: Vec<CampaignWarning>,
}

fn wrong() -> [FieldError; 1] {
    let detail = "Name the segment (audience.segment) or the tag (audience.tag) of the contacts who get the message.";
    [FieldError::new(
        "audience.segment",
        Fault::new(FaultCode::Required, detail),
    )]
}

impl CampaignOut {
    /// The campaign as it is shown, after its review.
    pub(crate) fn of(campaign: Campaign, review: Review) -> Self {
        let problems = review.problems.into_iter().take(MAX_PROBLEMS);
        Self {
            campaign,
            problems: problems.map(FieldError::from).collect(),
            warnings: review.warnings.into_iter().map(CampaignWarning::from).collect(),
        }
    }
}

/// Something that keeps a campaign's message from being sent at present.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct CampaignWarning {
    /// The warning as a word: one of `x-codes` at the root of the document. Further ones may be added.
    #[schemars(with = "String", example = &"template_not_approved")]
    code: Reason,
    /// Path of the field that it is about.
    #[schemars(example = &"message.template")]
    field: String,
    /// Facts of the sentence by name. `x-codes` names the facts of each code.
    facts: Facts,
    /// The warning, in one sentence.
    #[schemars(example = &"WhatsApp: template holiday_offer in en_GB is PAUSED, not APPROVED.")]
    detail: String,
}

impl From<Warning> for CampaignWarning {
    fn from(Warning { field, why }: Warning) -> Self {
        Self {
            code: why.reason,
            field,
            facts: why.facts,
            detail: why.sentence,
        }
    }
}

/// Order of a list of campaigns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CampaignOrder {
    /// The oldest first.
    #[default]
    OldestFirst,
    /// The newest first.
    NewestFirst,
}

/// Order of a list of campaigns, and conditions that they fulfil.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CampaignQuery {
    /// Order.
    #[serde(default)]
    pub(crate) order: CampaignOrder,
    /// State.
    #[serde(default)]
    #[schemars(with = "CampaignState")]
    state: Option<CampaignState>,
    /// Type.
    #[serde(default, rename = "type")]
    #[schemars(with = "CampaignType")]
    kind: Option<CampaignType>,
}

impl CampaignQuery {
    /// Whether it has conditions.
    pub(crate) const fn narrows(&self) -> bool {
        self.state.is_some() || self.kind.is_some()
    }

    /// Whether a campaign fulfils them.
    pub(crate) fn takes(&self, campaign: &Campaign) -> bool {
        self.state.is_none_or(|state| campaign.state == state) && self.kind.is_none_or(|kind| campaign.kind == kind)
    }
}

/// The choice of a variant.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WinnerChoice {
    /// Number of the variant: 0 is `message`, and `variants` follow in their order.
    #[schemars(with = "u8", range(max = MAX_VARIANTS), example = 0)]
    pub(crate) variant: Whole<0, { MAX_VARIANTS as u32 }>,
}

/// Conditions that recipients fulfil.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecipientQuery {
    /// State.
    #[serde(default)]
    #[schemars(with = "RecipientState")]
    pub(crate) state: Option<RecipientState>,
    /// Why there is no message, or it goes no further: one of `x-codes` at the root of the document.
    #[serde(default, deserialize_with = "reason")]
    #[schemars(with = "String", length(max = 40), example = &"no_consent")]
    pub(crate) code: Option<Reason>,
    /// Only those who replied (`true`), or only those who have not (`false`).
    #[serde(default)]
    #[schemars(with = "bool")]
    pub(crate) replied: Option<bool>,
    /// Only those who followed a link (`true`), or only those who have not (`false`).
    #[serde(default)]
    #[schemars(with = "bool")]
    pub(crate) clicked: Option<bool>,
    /// Only those who have refused messages since they got this one (`true`), or only those who have not (`false`).
    #[serde(default)]
    #[schemars(with = "bool")]
    pub(crate) opted_out: Option<bool>,
    /// Only contacts with this variant: 0 is `message`, and `variants` follow in their order.
    #[serde(default)]
    #[schemars(with = "u8", range(max = MAX_VARIANTS), example = 1)]
    pub(crate) variant: Option<Whole<0, { MAX_VARIANTS as u32 }>>,
}

/// A reason that somebody asks for. Of rows, every other word is one of a newer version.
fn reason<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Reason>, D::Error> {
    let known = Reason::named(&String::deserialize(deserializer)?);
    let unknown = || {
        let detail =
            "expected the code of a reason, such as no_consent or cooldown; x-codes in the API's document lists all";
        Fault::new(FaultCode::NotOneOf, detail).refuse()
    };
    known.ok_or_else(unknown).map(Some)
}

impl RecipientQuery {
    /// Whether a recipient of this campaign fulfils them.
    pub(crate) fn takes(&self, campaign: &Campaign, recipient: &Recipient) -> bool {
        let code = || recipient.reason().map(|(code, _)| code);
        self.state.is_none_or(|state| recipient.state() == state)
            && self.code.is_none_or(|asked| code() == Some(asked))
            && self.replied.is_none_or(|replied| recipient.has_replied() == replied)
            && self.clicked.is_none_or(|clicked| recipient.has_clicked() == clicked)
            && self
                .opted_out
                .is_none_or(|opted_out| recipient.opted_out() == opted_out)
            && self
                .variant
                .is_none_or(|variant| campaign.variant_of(recipient.contact) == Some(variant.get() as usize))
    }
}

/// Somebody in the audience of a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct RecipientOut {
    /// Id of the contact.
    contact_id: ContactId,
    /// Number of the variant for the contact: 0 is `message`, and `variants` follow in their order. `null`: it is to be chosen.
    #[schemars(range(max = MAX_VARIANTS), example = 0)]
    variant: Option<VariantNumber>,
    /// State of the contact in the audience.
    state: RecipientState,
    /// Id of the message. `null`: there is none.
    message_id: Option<MessageId>,
    /// Why there is no message, or it goes no further: one of `x-codes` at the root of the document. Further ones may be added.
    #[schemars(with = "Option<String>", example = &"no_consent")]
    code: Option<Reason>,
    /// The reason, in one sentence.
    #[schemars(length(max = 500), example = &"no opt-in is known for SMS")]
    detail: Option<String>,
    /// Whether the contact wrote after the message had been accepted. Reactions, edits, deletions and stop words are no answers.
    replied: bool,
    /// Whether somebody followed a tracked link of the message.
    clicked: bool,
    /// Whether the contact has refused messages since the message was accepted.
    opted_out: bool,
}

impl RecipientOut {
    /// Somebody in the audience of this campaign.
    pub(crate) fn of(campaign: &Campaign, recipient: Recipient) -> Self {
        let (code, detail) = recipient.reason().unzip();
        Self {
            variant: campaign.variant_of(recipient.contact),
            state: recipient.state(),
            code,
            detail: detail.map(str::to_owned),
            replied: recipient.has_replied(),
            clicked: recipient.has_clicked(),
            opted_out: recipient.opted_out(),
            contact_id: recipient.contact,
            message_id: recipient.message.map(|message| message.id),
        }
    }
}
