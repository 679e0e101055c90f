//! Campaigns as people write them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::campaigns::DateTrigger;
use crate::tenants::MAX_FALLBACK_SECONDS;
use crate::terms::{
    CampaignId, CampaignState, Category, Channel, Distinct, Facts, Fault, FaultCode, LineId, LocalDateTime, LocalTime,
    MAX_NAME_LENGTH, OneLine, OperationId, Reason, Refusal, SegmentId, SmsText, StageId, TagId, TemplateUse,
    USUAL_FALLBACK_SECONDS, UpTo, Whole,
};

/// Maximum segments whose contacts are left out.
pub const MAX_EXCLUDED_SEGMENTS: usize = 10;
/// Maximum tags whose contacts are left out.
pub const MAX_EXCLUDED_TAGS: usize = 20;
/// Maximum tags, and maximum stages, that let contacts enter a drip.
pub const MAX_TRIGGERS: usize = 20;
/// Maximum messages per minute that a campaign can ask for.
pub const MAX_PER_MINUTE: u32 = 60_000;
/// Number of a variant: 0 is the campaign's message, and the others follow in their order.
pub type VariantNumber = usize;

/// Maximum contents of a broadcast beside its message.
pub const MAX_VARIANTS: usize = 3;
/// Maximum channels of a message: there are no more.
const MAX_CHANNELS: usize = 2;

resource! {
    /// A campaign of a tenant: one message to all contacts of an audience, or steps for each contact who enters it.
    pub struct Campaign of CampaignId {
        /// State. Only a draft can be changed.
        pub state: CampaignState,
        /// Number of the variant that a user chose for the contacts who waited: 0 is `message`, and `variants` follow in their order.
        /// `null`: none was chosen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(range(max = MAX_VARIANTS), example = 1))]
        pub winner: Option<VariantNumber>,
        /// Time when a user last started or resumed it. `null`: not yet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(example = "2026-11-20T09:55:00Z"))]
        pub started_at: Option<Timestamp>,
        /// Time when fixing its audience began. `null`: not yet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(example = "2026-11-20T10:00:00Z"))]
        pub began_at: Option<Timestamp>,
        /// Time when it was completed or cancelled. `null`: not yet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(example = "2026-11-20T11:00:00Z"))]
        pub ended_at: Option<Timestamp>,
        /// Number of contacts in its audience. `null`: it is not fixed yet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(example = 1200))]
        pub recipients: Option<u64>,
        /// Version of the steps for contacts who enter it now. `null`: it has none, or is no drip.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(example = 1))]
        pub steps_version: Option<u32>,
        /// The operation that runs it, with its progress. `null`: it was not started.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
        pub operation_id: Option<OperationId>,
        /// The reason why it was paused or cancelled, if no user did so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub stopped: Option<Stopped>,
        /// Time when WhatsApp has room for a further message: campaigns have messaged as many customers first as they may within 24 hours.
        /// The campaign continues by itself. A time in the past means nothing. `null`: it has not come to that since its state changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(example = "2026-11-21T11:00:00Z"))]
        pub limited_until: Option<Timestamp>,
    };

    /// The fields of a campaign. Of a draft, only `type` and `name` are required; `problems` says what it lacks.
    pub struct CampaignIn {
        /// Type.
        #[serde(rename = "type")]
        pub kind: CampaignType,
        /// Display name.
        #[cfg_attr(feature = "schema", schemars(example = "Offer for the holidays"))]
        pub name: OneLine<1, MAX_NAME_LENGTH>,
        /// The contacts who get the message. The contacts of a drip enter it when it begins; a drip can do without.
        #[serde(default)]
        pub audience: Audience,
        /// The message of a broadcast. A drip has its messages in its steps.
        #[serde(default)]
        pub message: CampaignMessage,
        /// Other contents of a broadcast, each for a part of the audience, which is drawn by lot. The others get `message`. The report compares them.
        #[serde(default, skip_serializing_if = "is_empty")]
        #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
        pub variants: UpTo<MAX_VARIANTS, Variant>,
        /// Percent of the audience who wait until a user chooses the variant that they get, by `POST …/winner`. `null`: nobody waits.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(example = 60, extend("x-refers" = true)))]
        pub hold_percent: Option<Whole<1, 98>>,
        /// Events that end a drip for a contact before its last step. Whoever refuses all messages leaves it in any case.
        #[serde(default, skip_serializing_if = "Exits::is_usual")]
        pub exits: Exits,
        /// Triggers: contacts enter a drip by themselves by each of these, while it is running or paused.
        #[serde(default, skip_serializing_if = "Triggers::is_none")]
        pub triggers: Triggers,
        /// Whether a contact who has been through a drip, or has left it, can enter it again.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        pub reentry: bool,
        /// Start time, at most 180 days ahead. `null`: as soon as it is started.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(example = "2026-11-20T10:00:00Z", extend("x-refers" = true)))]
        pub starts_at: Option<Timestamp>,
        /// Day and time by the recipients' clocks when a broadcast is sent, instead of `starts_at`: each recipient gets
        /// it when it is that late in their time zone, or at once if it is later. It begins, and its audience is fixed,
        /// when clocks show it first anywhere, 14 hours earlier than in UTC.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(example = "2026-12-02T10:00", extend("x-refers" = true)))]
        pub starts_at_local: Option<LocalDateTime>,
        /// Hours of the day when its messages are sent, beside the tenant's quiet hours, when none is. `null`: all others.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub send_window: Option<SendWindow>,
        /// Maximum messages per minute. `null`: as many as the limits of the providers allow.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(example = 600))]
        pub per_minute: Option<Whole<1, MAX_PER_MINUTE>>,
    }
}

/// The reason why a campaign was paused or cancelled, if no user did so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "CampaignStopped")
)]
pub struct Stopped {
    /// The reason as a word: one of `x-codes` at the root of the document. Further ones may be added.
    #[cfg_attr(feature = "schema", schemars(with = "String", example = &"template_not_approved"))]
    pub code: Reason,
    /// Facts of the sentence by name. `x-codes` names the facts of each code.
    #[serde(default)]
    pub facts: Facts,
    /// The reason, in one sentence.
    #[cfg_attr(feature = "schema", schemars(
        example = &"WhatsApp: template holiday_offer in en_GB is PAUSED, not APPROVED."
    ))]
    pub detail: String,
}

impl From<Refusal> for Stopped {
    fn from(
        Refusal {
            reason,
            facts,
            sentence,
        }: Refusal,
    ) -> Self {
        Self {
            code: reason,
            facts,
            detail: sentence,
        }
    }
}

impl Campaign {
    /// Maximum campaigns per tenant.
    pub const MAX: u32 = 2_000;
    /// Maximum campaigns per tenant that are drafts.
    pub const MAX_DRAFTS: u32 = 200;
    /// Maximum days between now and the start.
    pub const MAX_DAYS_AHEAD: i64 = 180;

    /// Start time. `None`: as soon as it is started.
    pub fn begins_at(&self) -> Option<Timestamp> {
        self.starts_at.or_else(|| Some(self.starts_at_local?.first()))
    }
}

/// Type of a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CampaignType {
    /// A single message to everybody of an audience, which is fixed at the start.
    Broadcast,
    /// Several steps, one after the other, for each contact who enters it.
    Drip,
}

/// Events that end a drip for a contact before its last step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DripExits"))]
#[serde(deny_unknown_fields, default)]
pub struct Exits {
    /// The contact writes. Reactions, edits and deletions end nothing.
    pub on_reply: bool,
    /// The contact talks with the business on the telephone.
    pub on_call: bool,
    /// A conversion of the contact is recorded, such as an order. It ends the drip at the next step: a message that is made already is sent.
    pub on_conversion: bool,
}

impl Default for Exits {
    fn default() -> Self {
        Self {
            on_reply: true,
            on_call: false,
            on_conversion: false,
        }
    }
}

impl Exits {
    fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// Triggers of a drip: contacts enter it by themselves by each of these.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DripTriggers"))]
#[serde(deny_unknown_fields, default)]
pub struct Triggers {
    /// The contact is new: it was created by a user or by software, called, or wrote. Imported contacts do not enter.
    pub new_contact: bool,
    /// The contact gets one of these tags. Not by an import.
    #[serde(skip_serializing_if = "Distinct::is_empty")]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub tags: Distinct<MAX_TRIGGERS, TagId>,
    /// The contact gets into one of these stages. Not by an import.
    #[serde(skip_serializing_if = "Distinct::is_empty")]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub stages: Distinct<MAX_TRIGGERS, StageId>,
    /// A date of the contact comes round, such as a birthday.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub date: Option<DateTrigger>,
}

impl Triggers {
    /// Whether nobody enters by itself.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// The contacts who get a campaign's message. They belong to the segment or have the tag at the start, and belong to none of the
/// exclusions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "CampaignAudience")
)]
#[serde(deny_unknown_fields, default)]
pub struct Audience {
    /// Segment of the contacts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub segment: Option<SegmentId>,
    /// Tag of the contacts, instead of a segment: such as the one that the import of a list gave to everybody in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub tag: Option<TagId>,
    /// Segments whose contacts get no message.
    #[serde(skip_serializing_if = "Distinct::is_empty")]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub excluded_segments: Distinct<MAX_EXCLUDED_SEGMENTS, SegmentId>,
    /// Tags whose contacts get no message.
    #[serde(skip_serializing_if = "Distinct::is_empty")]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub excluded_tags: Distinct<MAX_EXCLUDED_TAGS, TagId>,
}

impl Audience {
    /// Whether it chooses nobody yet.
    pub const fn is_empty(&self) -> bool {
        self.segment.is_none() && self.tag.is_none()
    }
}

/// A campaign's message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct CampaignMessage {
    /// The channels, in the order of trying them.
    #[cfg_attr(feature = "schema", schemars(example = ["sms"]))]
    pub channels: Distinct<MAX_CHANNELS, Channel>,
    /// Category: `marketing` or `utility`. The template must have the same. Both require an opt-in.
    pub category: Category,
    /// Line that sends it and receives the answers. `null`: a connection that sends for calls without a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub line: Option<LineId>,
    /// Content for WhatsApp.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub template: Option<TemplateUse>,
    /// Content for SMS: one text, or an object of texts by language. `{{source}}` and `{{source|default}}` stand for values; there is
    /// no call whose values it could name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(
        example = &"{{tenant.name}}: 20% off until Sunday. Reply STOP for no more messages."
    ))]
    pub sms_text: Option<SmsText>,
    /// Seconds after acceptance without `delivered` until the next channel is tried. 0: only when the channel fails.
    pub fallback_after_seconds: Whole<0, MAX_FALLBACK_SECONDS>,
}

impl Default for CampaignMessage {
    fn default() -> Self {
        Self {
            channels: Distinct::default(),
            category: Category::Marketing,
            line: None,
            template: None,
            sms_text: None,
            fallback_after_seconds: Whole::nearest(USUAL_FALLBACK_SECONDS),
        }
    }
}

/// Another content of a campaign's message. What it leaves out is as in `message`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "CampaignVariant")
)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Display name.
    #[cfg_attr(feature = "schema", schemars(example = &"Shorter"))]
    pub name: OneLine<1, MAX_NAME_LENGTH>,
    /// Percent of the audience who get it.
    #[cfg_attr(feature = "schema", schemars(example = 50))]
    pub percent: Whole<1, 99>,
    /// Content for WhatsApp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub template: Option<TemplateUse>,
    /// Content for SMS, as in `message`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = &"{{tenant.name}}: 20% off. Reply STOP for no more messages."))]
    pub sms_text: Option<SmsText>,
}

fn is_empty(variants: &UpTo<MAX_VARIANTS, Variant>) -> bool {
    variants.is_empty()
}

/// Hours of every day, in the recipient's time zone, when messages are sent. They cross midnight if `to` is before
/// `from`. The two cannot be equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SendWindow {
    /// Local start time.
    #[cfg_attr(feature = "schema", schemars(example = "10:00"))]
    pub from: LocalTime,
    /// Local end time.
    #[cfg_attr(feature = "schema", schemars(example = "20:00"))]
    pub to: LocalTime,
}

impl SendWindow {
    /// The problem with these hours: equal times look like the whole day and would mean none of it.
    pub fn problem(&self) -> Option<Fault> {
        let detail = "A window that ends when it begins would be none. Set another time, or leave it out.";
        (self.from == self.to).then(|| Fault::new(FaultCode::WrongOrder, detail).and("other", "from"))
    }
}
