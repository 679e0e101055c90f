//! Purposes: one table of what each kind of message may do. The sender (a rule, a campaign, a request) can narrow a row but
//! never widen it. The narrowed row is the message's [`Policy`]: it is stored with the message, so that later changes do
//! not allow the message more.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::terms::{Quiet, QuietAction, QuietHours};

/// The purpose of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "MessagePurpose")
)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A follow-up to a call.
    FollowUp,
    /// A person's reply in a conversation.
    Reply,
    /// An automatic reply to a message.
    AutoReply,
    /// A step of a campaign.
    Campaign,
    /// News about an order.
    Order,
    /// A request or confirmation of a payment.
    Payment,
    /// A one-time code.
    OneTimeCode,
    /// A request for an opinion.
    Feedback,
    /// Requested by the tenant's own software.
    Api,
    /// A confirmation that a stop word was understood.
    StopConfirmation,
}

impl Purpose {
    /// Whether it answers or follows up what a person did, and nobody asked for it.
    pub(crate) const fn goes_by_itself(self) -> bool {
        matches!(self, Self::FollowUp | Self::AutoReply | Self::StopConfirmation)
    }
}

/// Category of a message in Meta's terms. Consent and price depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "MessageCategory")
)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// An answer to something that the person did.
    Utility,
    /// An offer.
    Marketing,
    /// A one-time code.
    Authentication,
    /// Free text in the open service window.
    Service,
}

impl Category {
    /// The name in rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Utility => "utility",
            Self::Marketing => "marketing",
            Self::Authentication => "authentication",
            Self::Service => "service",
        }
    }
}

/// Reaction to a send whose outcome is still unknown at the deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum WhenUnknown {
    /// Go on to the next channel.
    #[default]
    NextChannel,
    /// Stop.
    Stop,
    /// Send again on the same channel: the customer may get the message twice. For one-time codes only.
    SendAgain,
}

impl WhenUnknown {
    /// The stricter of the two: less goes out by it.
    pub const fn stricter(self, other: Self) -> Self {
        match (self, other) {
            (Self::Stop, _) | (_, Self::Stop) => Self::Stop,
            (Self::NextChannel, _) | (_, Self::NextChannel) => Self::NextChannel,
            (Self::SendAgain, Self::SendAgain) => Self::SendAgain,
        }
    }
}

/// Queues and budgets are kept apart by lane, so that bulk never delays an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Answers to a person.
    Answers,
    /// Messages to many.
    Bulk,
}

impl Lane {
    /// All lanes, the most urgent first.
    pub const ALL: [Self; 2] = [Self::Answers, Self::Bulk];

    /// The name in rows and queues.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answers => "answers",
            Self::Bulk => "bulk",
        }
    }
}

/// Reason why a person may be messaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Basis {
    /// The subject of the message: the call, the order, the invoice, the visit, the code requested.
    Subject,
    OptIn,
    /// A message from the person.
    Written,
    /// A message from the person within a day, or the open service window.
    Conversation,
    /// The open service window.
    Window,
}

/// Effect of an opt-out from all messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stop {
    /// Nothing is sent.
    Obey,
    /// Nothing is sent, unless the person has written again since.
    UnlessWrittenSince,
    /// Sent nevertheless: the person has just asked for it.
    Requested,
    /// Only an opt-out by a stop word lets it pass: it confirms that. It is not sent once the opt-out is lifted.
    Confirms,
}

/// Effect of quiet hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QuietRule {
    Ignore,
    /// The message waits, or is skipped. The tenant's quiet hours hold, and the sender's in addition.
    Wait,
    /// Chosen by the sender: it waits, is skipped, or goes out.
    AsChosen,
}

/// A limit on messages to one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// The pause between two follow-ups.
    Cooldown,
    /// At most one message within [`FREQUENCY_SPAN`].
    Frequency,
}

/// Order among messages of one purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    Free,
    /// In sequence within a conversation.
    Conversation,
    /// After the replies of people.
    BehindPeople,
    /// In the order of its steps.
    Steps,
    /// Only the latest message about a subject counts.
    Latest,
}

/// Event that makes a message unnecessary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CancelEvent {
    Stop,
    AnsweredCall,
    /// A message from the person.
    Inbound,
    /// A cancellation by its author.
    Author,
    /// A reply by a person, including the hand-over to one.
    HumanReply,
    /// A message from the business's own phone, which answers calls and messages alike. No row names it.
    ByPhone,
    /// The end of a campaign for this person, or its pause.
    Exit,
    /// A new category or state of its template.
    TemplateChange,
    /// A later state of its subject: a cancellation, a payment, an answer, a newer code.
    Settled,
}

impl CancelEvent {
    /// The name for software.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::AnsweredCall => "answered_call",
            Self::Inbound => "inbound",
            Self::Author => "author",
            Self::HumanReply => "human_reply",
            Self::ByPhone => "by_phone",
            Self::Exit => "exit",
            Self::TemplateChange => "template_change",
            Self::Settled => "settled",
        }
    }
}

/// Limits of a purpose in one category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CategoryLimits {
    pub category: Category,
    /// Reason why it may be sent.
    pub basis: Basis,
    /// Reaction to an unknown outcome.
    pub when_unknown: WhenUnknown,
    /// Limits that it must respect.
    pub obeys: &'static [Limit],
    /// Limits that it counts towards.
    pub counts: &'static [Limit],
    pub lane: Lane,
    /// Effect of quiet hours, if it is not the row's.
    pub quiet: Option<QuietRule>,
    /// Maximum time between its creation and the last send, if it is shorter than the row's.
    pub validity: Option<SignedDuration>,
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PurposeRow {
    pub purpose: Purpose,
    pub kinds: &'static [CategoryLimits],
    /// Effect of an opt-out.
    pub stop: Stop,
    /// Effect of quiet hours, unless a kind has its own.
    pub quiet: QuietRule,
    /// Maximum time between its creation and the last send, unless a kind has a shorter one.
    pub validity: SignedDuration,
    /// Maximum wait for evidence of a send with an unknown outcome.
    pub unknown_after: SignedDuration,
    /// Order among its messages.
    pub order: Order,
    /// Events that cancel it.
    pub cancelled_by: &'static [CancelEvent],
}

impl PurposeRow {
    /// Whether an event cancels it. A message from the business's own phone is a conversation as well as a reply.
    pub fn is_cancelled_by(&self, event: CancelEvent) -> bool {
        let same: &[CancelEvent] = match event {
            CancelEvent::ByPhone => &[CancelEvent::AnsweredCall, CancelEvent::HumanReply],
            _ => &[event],
        };
        same.iter().any(|event| self.cancelled_by.contains(event))
    }
}

/// Time that is left for sending a requested message when it may first be sent: a channel that fails, or waits, has a next one.
const LEFT_TO_SEND: SignedDuration = hours(1);

/// Pause that [`Limit::Frequency`] demands between two messages, however short the sender's cooldown is.
pub const FREQUENCY_SPAN: SignedDuration = hours(24);

const COOLDOWN: Limit = Limit::Cooldown;
const FREQUENCY: Limit = Limit::Frequency;
const NONE: &[Limit] = &[];
const BOTH: &[Limit] = &[COOLDOWN, FREQUENCY];

const fn kind(
    category: Category,
    basis: Basis,
    when_unknown: WhenUnknown,
    obeys: &'static [Limit],
    counts: &'static [Limit],
    lane: Lane,
) -> CategoryLimits {
    CategoryLimits {
        category,
        basis,
        when_unknown,
        obeys,
        counts,
        lane,
        quiet: None,
        validity: None,
    }
}

/// A kind that is sent at any time of the day, within this time.
const fn at_once(within: SignedDuration, kind: CategoryLimits) -> CategoryLimits {
    CategoryLimits {
        quiet: Some(QuietRule::Ignore),
        validity: Some(within),
        ..kind
    }
}

const fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

const fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

/// Version of the table. A message names the version that its policy was narrowed from. When the meaning of a row changes, the table gets a
/// new version, and the former one is kept beside it until no message names it any more.
pub const PURPOSE_TABLE_VERSION: u8 = 1;

/// The table in all its versions, the first one first.
const VERSIONS: [&[PurposeRow; 10]; PURPOSE_TABLE_VERSION as usize] = [&PURPOSE_TABLE];

#[rustfmt::skip]
pub const PURPOSE_TABLE: [PurposeRow; 10] = {
    use Basis::{Conversation, OptIn, Subject, Window, Written};
    use Category::{Authentication, Marketing, Service, Utility};
    use Lane::{Answers, Bulk};
    use WhenUnknown::{NextChannel, SendAgain, Stop as Leave};
    [
        PurposeRow {
            purpose: Purpose::FollowUp,
            kinds: &[
                kind(Utility, Subject, NextChannel, &[COOLDOWN], BOTH, Answers),
                kind(Marketing, OptIn, Leave, BOTH, BOTH, Answers),
            ],
            stop: Stop::Obey, quiet: QuietRule::AsChosen, validity: hours(72), unknown_after: minutes(10), order: Order::Free,
            cancelled_by: &[CancelEvent::Stop, CancelEvent::AnsweredCall, CancelEvent::Inbound],
        },
        PurposeRow {
            purpose: Purpose::Reply,
            kinds: &[
                kind(Service, Conversation, Leave, NONE, NONE, Answers),
                kind(Utility, Written, Leave, NONE, NONE, Answers),
            ],
            // In the open window by WhatsApp, which the check before a send requires of free text; by SMS within a day.
            stop: Stop::UnlessWrittenSince, quiet: QuietRule::Ignore, validity: hours(24), unknown_after: minutes(2),
            order: Order::Conversation, cancelled_by: &[CancelEvent::Author],
        },
        PurposeRow {
            purpose: Purpose::AutoReply,
            // In the open window by WhatsApp, as a reply.
            kinds: &[kind(Service, Conversation, Leave, NONE, NONE, Answers)],
            stop: Stop::Obey, quiet: QuietRule::Ignore, validity: minutes(15), unknown_after: minutes(2),
            order: Order::BehindPeople, cancelled_by: &[CancelEvent::Stop, CancelEvent::HumanReply, CancelEvent::Inbound],
        },
        PurposeRow {
            purpose: Purpose::Campaign,
            kinds: &[
                kind(Marketing, OptIn, Leave, &[FREQUENCY], &[FREQUENCY], Bulk),
                kind(Utility, OptIn, Leave, &[FREQUENCY], &[FREQUENCY], Bulk),
            ],
            stop: Stop::Obey, quiet: QuietRule::Wait, validity: hours(24), unknown_after: minutes(10), order: Order::Steps,
            cancelled_by: &[CancelEvent::Stop, CancelEvent::Exit, CancelEvent::TemplateChange],
        },
        PurposeRow {
            purpose: Purpose::Order,
            // A confirmation ignores quiet hours, the rest waits.
            kinds: &[kind(Utility, Subject, NextChannel, NONE, &[FREQUENCY], Answers)],
            stop: Stop::Obey, quiet: QuietRule::AsChosen, validity: hours(24), unknown_after: minutes(10), order: Order::Latest,
            cancelled_by: &[CancelEvent::Stop, CancelEvent::Settled],
        },
        PurposeRow {
            purpose: Purpose::Payment,
            kinds: &[kind(Utility, Subject, NextChannel, NONE, &[FREQUENCY], Answers)],
            stop: Stop::Obey, quiet: QuietRule::Wait, validity: hours(48), unknown_after: minutes(10), order: Order::Latest,
            cancelled_by: &[CancelEvent::Stop, CancelEvent::Settled],
        },
        PurposeRow {
            purpose: Purpose::OneTimeCode,
            kinds: &[kind(Authentication, Subject, SendAgain, NONE, NONE, Answers)],
            stop: Stop::Requested, quiet: QuietRule::Ignore, validity: minutes(10), unknown_after: SignedDuration::from_secs(30),
            order: Order::Latest, cancelled_by: &[CancelEvent::Settled],
        },
        PurposeRow {
            purpose: Purpose::Feedback,
            // Outreach by template, then its script in the open window.
            kinds: &[
                kind(Utility, Subject, Leave, BOTH, &[FREQUENCY], Bulk),
                kind(Marketing, OptIn, Leave, BOTH, &[FREQUENCY], Bulk),
                at_once(minutes(15), kind(Service, Window, Leave, NONE, NONE, Answers)),
            ],
            stop: Stop::Obey, quiet: QuietRule::Wait, validity: hours(24), unknown_after: minutes(10), order: Order::Steps,
            cancelled_by: &[CancelEvent::Stop, CancelEvent::Settled],
        },
        PurposeRow {
            purpose: Purpose::Api,
            kinds: &[
                kind(Utility, Subject, NextChannel, NONE, &[FREQUENCY], Answers),
                kind(Marketing, OptIn, Leave, &[FREQUENCY], &[FREQUENCY], Bulk),
            ],
            stop: Stop::Obey, quiet: QuietRule::Wait, validity: hours(24), unknown_after: minutes(10), order: Order::Free,
            cancelled_by: &[CancelEvent::Stop, CancelEvent::Author],
        },
        PurposeRow {
            purpose: Purpose::StopConfirmation,
            kinds: &[kind(Service, Conversation, Leave, NONE, NONE, Answers)],
            stop: Stop::Confirms, quiet: QuietRule::Ignore, validity: minutes(15), unknown_after: minutes(2),
            order: Order::BehindPeople, cancelled_by: &[CancelEvent::HumanReply],
        },
    ]
};

impl Purpose {
    pub const ALL: [Self; 10] = [
        Self::FollowUp,
        Self::Reply,
        Self::AutoReply,
        Self::Campaign,
        Self::Order,
        Self::Payment,
        Self::OneTimeCode,
        Self::Feedback,
        Self::Api,
        Self::StopConfirmation,
    ];

    /// The word in facts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FollowUp => "follow_up",
            Self::Reply => "reply",
            Self::AutoReply => "auto_reply",
            Self::Campaign => "campaign",
            Self::Order => "order",
            Self::Payment => "payment",
            Self::OneTimeCode => "one_time_code",
            Self::Feedback => "feedback",
            Self::Api => "api",
            Self::StopConfirmation => "stop_confirmation",
        }
    }

    /// Its messages, in words.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::FollowUp => "follow-ups",
            Self::Reply => "replies",
            Self::AutoReply => "automatic answers",
            Self::Campaign => "campaign messages",
            Self::Order => "order messages",
            Self::Payment => "payment messages",
            Self::OneTimeCode => "one-time codes",
            Self::Feedback => "requests for feedback",
            Self::Api => "messages by the API",
            Self::StopConfirmation => "confirmations of STOP",
        }
    }

    /// Whether its messages are counted by caps that do not name it. Answers to what somebody just wrote or asked for are not.
    pub const fn is_capped(self) -> bool {
        !matches!(
            self,
            Self::Reply | Self::AutoReply | Self::StopConfirmation | Self::OneTimeCode
        )
    }

    /// Its row of the current table.
    pub const fn row(self) -> &'static PurposeRow {
        // In the order of the variants, which a test checks.
        const ROWS: &[PurposeRow; 10] = &PURPOSE_TABLE;
        &ROWS[self as usize]
    }

    /// Whether a contact knows which of its messages may still be sent to them. Replies wait in their conversation instead, one behind the
    /// other, and a person may write many.
    pub const fn waits_in_the_contact(self) -> bool {
        !matches!(self, Self::Reply)
    }

    /// Whether its messages may take the place of a waiting one of the other purpose, if too many wait for one person. Only follow-ups
    /// do so, and never of a message whose author was told that it is sent.
    pub const fn displaces(self, other: Self) -> bool {
        matches!(self, Self::FollowUp) && matches!(other, Self::FollowUp | Self::AutoReply | Self::StopConfirmation)
    }

    /// Part of its validity that must be left when one of its messages may first be sent. The author of a requested message was told that
    /// it is sent, so it is not planned for its last moments.
    pub const fn left_to_send(self) -> SignedDuration {
        if matches!(self, Self::Api) {
            LEFT_TO_SEND
        } else {
            SignedDuration::ZERO
        }
    }

    /// Its row in a version of the table; `None` if this version of the code does not know that one.
    pub fn row_in(self, version: u8) -> Option<&'static PurposeRow> {
        let table = VERSIONS.get(usize::from(version).checked_sub(1)?)?;
        Some(&table[self as usize])
    }
}

impl PurposeRow {
    /// Its limits in a category; `None` if the purpose has no messages of the category.
    pub fn kind(&self, category: Category) -> Option<&'static CategoryLimits> {
        self.kinds.iter().find(|kind| kind.category == category)
    }
}

/// Default seconds after acceptance without `delivered` until the next channel is tried.
pub const USUAL_FALLBACK_SECONDS: u32 = 120;

/// Choices of the sender. Each can only restrict what the row allows; the time until the next channel is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Narrowing {
    /// Requires an opt-in.
    pub opt_in: bool,
    /// Quiet hours instead of the tenant's. If the purpose waits for the end of quiet hours, in addition to the tenant's.
    pub quiet: Option<QuietHours>,
    /// A shorter validity.
    pub validity: Option<SignedDuration>,
    /// Seconds after acceptance without `delivered` until the next channel is tried. 0: only when the channel fails.
    pub fallback_after_seconds: u32,
    /// Reaction to an unknown outcome.
    pub when_unknown: Option<WhenUnknown>,
    /// Sent in the bulk lane.
    pub bulk: bool,
    /// Another purpose that caps count it for as well: the purpose of the message that it repeats.
    pub capped_as: Option<Purpose>,
}

impl Default for Narrowing {
    /// No restriction.
    fn default() -> Self {
        Self {
            opt_in: false,
            quiet: None,
            validity: None,
            fallback_after_seconds: USUAL_FALLBACK_SECONDS,
            when_unknown: None,
            bulk: false,
            capped_as: None,
        }
    }
}

/// Policy of one message: a row of the table, narrowed. Stored as its purpose, the table's version and the differences from
/// the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Kept", into = "Kept")]
pub struct Policy {
    /// The row that was narrowed, in the version of the table that the policy names.
    row: &'static PurposeRow,
    version: u8,
    category: Category,
    opt_in: bool,
    quiet: Option<QuietHours>,
    valid_seconds: u32,
    fallback_after_seconds: u32,
    when_unknown: WhenUnknown,
    lane: Lane,
    capped_as: Option<Purpose>,
}

/// A category that the purpose does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no {} message is sent for this purpose", .category.as_str())]
pub struct NoSuchCategory {
    category: Category,
}

impl Policy {
    /// Narrows a row.
    ///
    /// # Errors
    /// If the purpose has no messages of this category.
    pub fn for_purpose(purpose: Purpose, category: Category, by: &Narrowing) -> Result<Self, NoSuchCategory> {
        Self::narrowed_from(purpose.row(), PURPOSE_TABLE_VERSION, category, by)
    }

    fn narrowed_from(
        row: &'static PurposeRow,
        version: u8,
        category: Category,
        by: &Narrowing,
    ) -> Result<Self, NoSuchCategory> {
        let kind = row.kind(category).ok_or(NoSuchCategory { category })?;
        let validity = kind.validity.map_or(row.validity, |shorter| shorter.min(row.validity));
        let validity = by.validity.map_or(validity, |shorter| shorter.min(validity));
        Ok(Self {
            row,
            version,
            category,
            opt_in: by.opt_in || kind.basis == Basis::OptIn,
            quiet: by.quiet,
            valid_seconds: u32::try_from(validity.as_secs()).unwrap_or_default(),
            fallback_after_seconds: by.fallback_after_seconds,
            when_unknown: by
                .when_unknown
                .map_or(kind.when_unknown, |chosen| kind.when_unknown.stricter(chosen)),
            lane: if by.bulk { Lane::Bulk } else { kind.lane },
            capped_as: by.capped_as.filter(|other| *other != row.purpose),
        })
    }

    pub const fn purpose(&self) -> Purpose {
        self.row.purpose
    }

    /// Whether the caps of a purpose, or those of no purpose, count it.
    pub fn is_counted_for(&self, named: Option<Purpose>) -> bool {
        let purpose = self.purpose();
        named.map_or(purpose.is_capped(), |named| {
            named == purpose || self.capped_as == Some(named)
        })
    }

    /// Another purpose that caps count it for as well.
    pub const fn capped_as(&self) -> Option<Purpose> {
        self.capped_as
    }

    /// The version of the table that it was narrowed from.
    pub const fn version(&self) -> u8 {
        self.version
    }

    /// The category. Consent and price depend on it.
    pub const fn category(&self) -> Category {
        self.category
    }

    /// Whether an opt-in is needed.
    pub const fn needs_opt_in(&self) -> bool {
        self.opt_in
    }

    /// Reason why it may be sent.
    pub fn basis(&self) -> Basis {
        self.kind().basis
    }

    /// Effect of an opt-out.
    pub const fn stop(&self) -> Stop {
        self.row.stop
    }

    /// The quiet hours that apply, given the tenant's.
    pub fn quiet_hours(&self, tenants: Option<QuietHours>) -> Quiet {
        let wait = |hours: QuietHours| QuietHours {
            action: match hours.action {
                QuietAction::Send => QuietAction::Defer,
                action => action,
            },
            ..hours
        };
        match self.kind().quiet.unwrap_or(self.row.quiet) {
            QuietRule::Ignore => Quiet::new(self.quiet, None),
            QuietRule::AsChosen => Quiet::new(self.quiet.or(tenants), None),
            QuietRule::Wait => Quiet::new(self.quiet.map(wait), tenants.map(wait)),
        }
    }

    /// Maximum time between its creation and the last send.
    pub fn validity(&self) -> SignedDuration {
        SignedDuration::from_secs(self.valid_seconds.into())
    }

    /// Seconds after acceptance without `delivered` until the next channel is tried. 0: only when the channel fails.
    pub const fn fallback_after_seconds(&self) -> u32 {
        self.fallback_after_seconds
    }

    /// Reaction to an unknown outcome.
    pub const fn when_unknown(&self) -> WhenUnknown {
        self.when_unknown
    }

    /// Maximum wait for evidence of a send with an unknown outcome.
    pub const fn unknown_after(&self) -> SignedDuration {
        self.row.unknown_after
    }

    pub const fn lane(&self) -> Lane {
        self.lane
    }

    /// Whether it must respect a limit.
    pub fn obeys(&self, limit: Limit) -> bool {
        self.kind().obeys.contains(&limit)
    }

    /// Whether it counts towards a limit.
    pub fn counts(&self, limit: Limit) -> bool {
        self.kind().counts.contains(&limit)
    }

    /// Whether the frequency limit counts from its sending: it obeys that limit, or it starts no cooldown, which would count.
    pub fn counts_from_sending(&self) -> bool {
        self.counts(Limit::Frequency) && (self.obeys(Limit::Frequency) || !self.counts(Limit::Cooldown))
    }

    /// Whether an event cancels it.
    pub fn is_cancelled_by(&self, event: CancelEvent) -> bool {
        self.row.is_cancelled_by(event)
    }

    fn kind(&self) -> &'static CategoryLimits {
        self.row
            .kind(self.category)
            .unwrap_or_else(|| unreachable!("a policy is made for the categories of its purpose only"))
    }
}

/// Stored form of a policy: missing fields have the row's values. An unknown field is a restriction that this version of the code would not
/// respect, so the policy is refused.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    purpose: Purpose,
    category: Category,
    #[serde(default = "first_version", skip_serializing_if = "is_first_version")]
    version: u8,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    opt_in: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quiet: Option<QuietHours>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    valid_seconds: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fallback_after_seconds: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    when_unknown: Option<WhenUnknown>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    bulk: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    capped_as: Option<Purpose>,
}

/// Version of the table of stored policies and intents that name none.
pub(crate) const fn first_version() -> u8 {
    1
}

pub(crate) const fn is_first_version(version: &u8) -> bool {
    *version == first_version()
}

impl From<Policy> for Kept {
    fn from(policy: Policy) -> Self {
        let plain = Policy::narrowed_from(policy.row, policy.version, policy.category, &Narrowing::default());
        let plain = plain.unwrap_or(policy);
        Self {
            purpose: policy.purpose(),
            category: policy.category,
            version: policy.version,
            opt_in: policy.opt_in && !plain.opt_in,
            quiet: policy.quiet,
            valid_seconds: (policy.valid_seconds != plain.valid_seconds).then_some(policy.valid_seconds),
            fallback_after_seconds: (policy.fallback_after_seconds != plain.fallback_after_seconds)
                .then_some(policy.fallback_after_seconds),
            when_unknown: (policy.when_unknown != plain.when_unknown).then_some(policy.when_unknown),
            bulk: policy.lane != plain.lane,
            capped_as: policy.capped_as,
        }
    }
}

/// A stored policy that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnreadablePolicy {
    /// Its purpose does not have the category.
    #[error(transparent)]
    Category(#[from] NoSuchCategory),
    /// It was narrowed from another table, such as a newer one. This version of the code does not know what that allows.
    #[error("version {0} of the purposes, which this version of the code does not know")]
    Version(u8),
}

impl TryFrom<Kept> for Policy {
    type Error = UnreadablePolicy;

    fn try_from(kept: Kept) -> Result<Self, UnreadablePolicy> {
        let version = kept.version;
        let row = kept.purpose.row_in(version).ok_or(UnreadablePolicy::Version(version))?;
        // Whatever the stored row says, it allows no more than the purpose does.
        let by = Narrowing {
            opt_in: kept.opt_in,
            quiet: kept.quiet,
            validity: kept
                .valid_seconds
                .map(|seconds| SignedDuration::from_secs(seconds.into())),
            fallback_after_seconds: kept.fallback_after_seconds.unwrap_or(USUAL_FALLBACK_SECONDS),
            when_unknown: kept.when_unknown,
            bulk: kept.bulk,
            capped_as: kept.capped_as,
        };
        Ok(Self::narrowed_from(row, version, kept.category, &by)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_the_order_of_purposes() {
        for (place, row) in PURPOSE_TABLE.iter().enumerate() {
            assert_eq!(row.purpose as usize, place);
            assert_eq!(row.purpose.row(), row);
            assert!(!row.kinds.is_empty());
        }
        for (version, table) in (1..).zip(VERSIONS) {
            for row in table {
                assert_eq!(row.purpose.row_in(version), Some(row));
            }
        }
        assert_eq!(VERSIONS.last(), Some(&&PURPOSE_TABLE));
    }

    /// A policy keeps the row that it was narrowed from, whatever the current table says.
    #[test]
    fn policy_of_a_former_table_keeps_its_row() {
        const FORMER: PurposeRow = PurposeRow {
            purpose: Purpose::FollowUp,
            kinds: &[kind(
                Category::Utility,
                Basis::Written,
                WhenUnknown::Stop,
                NONE,
                NONE,
                Lane::Bulk,
            )],
            stop: Stop::Requested,
            quiet: QuietRule::Ignore,
            validity: minutes(5),
            unknown_after: minutes(1),
            order: Order::Latest,
            cancelled_by: &[CancelEvent::Author],
        };
        let by = Narrowing {
            validity: Some(minutes(7)),
            ..Narrowing::default()
        };
        let policy = Policy::narrowed_from(&FORMER, 7, Category::Utility, &by).unwrap();
        assert_eq!(policy.validity(), minutes(5));
        assert_eq!((policy.version(), policy.purpose()), (7, Purpose::FollowUp));
        assert_eq!((policy.stop(), policy.basis()), (Stop::Requested, Basis::Written));
        assert_eq!((policy.unknown_after(), policy.lane()), (minutes(1), Lane::Bulk));
        assert!(!policy.obeys(COOLDOWN) && !policy.counts(FREQUENCY));
        assert!(policy.is_cancelled_by(CancelEvent::Author) && !policy.is_cancelled_by(CancelEvent::Stop));
        let kept = serde_json::to_string(&policy).unwrap();
        assert_eq!(kept, r#"{"purpose":"follow_up","category":"utility","version":7}"#);
    }

    #[test]
    fn unnarrowed_policy_is_stored_as_two_words() {
        let policy = Policy::for_purpose(Purpose::FollowUp, Category::Utility, &Narrowing::default()).unwrap();
        let kept = serde_json::to_string(&policy).unwrap();
        assert_eq!(kept, r#"{"purpose":"follow_up","category":"utility"}"#);
        assert_eq!(serde_json::from_str::<Policy>(&kept).unwrap(), policy);
    }

    #[test]
    fn policy_of_an_unknown_table_or_deviation_is_refused() {
        let of = |more: &str| {
            let text = format!(r#"{{"purpose": "follow_up", "category": "utility", {more}}}"#);
            serde_json::from_str::<Policy>(&text).map_err(|error| error.to_string())
        };
        for version in [0, PURPOSE_TABLE_VERSION + 1] {
            let refused = of(&format!(r#""version": {version}"#)).unwrap_err();
            assert!(
                refused.starts_with(&format!("version {version} of the purposes")),
                "{refused}"
            );
        }
        assert!(of(&format!(r#""version": {PURPOSE_TABLE_VERSION}"#)).is_ok());
        assert!(of(r#""opt_in": true"#).is_ok());
        let refused = of(r#""most_per_day": 1"#).unwrap_err();
        assert!(refused.starts_with("unknown field `most_per_day`"), "{refused}");
    }

    #[test]
    fn only_one_time_codes_are_sent_again_when_unknown() {
        for row in &PURPOSE_TABLE {
            for kind in row.kinds {
                assert_eq!(
                    kind.when_unknown == WhenUnknown::SendAgain,
                    row.purpose == Purpose::OneTimeCode
                );
            }
        }
    }
}
