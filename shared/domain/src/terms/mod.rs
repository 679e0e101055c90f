//! The ground floor: words that every room needs. Ids, telephone numbers, texts and lists with limits, times as people write them, faults
//! and facts; channels, categories and purposes of messages, refusals and their reasons, sources of values, quiet hours. It uses no other room.

#[macro_use]
mod resource;
#[macro_use]
mod schema;
#[macro_use]
mod facts;

mod actor;
mod answer;
mod bounded;
mod by_code;
mod campaign_state;
mod channel;
mod country;
mod email;
mod external;
mod fault;
mod field_key;
mod field_problem;
mod folding;
mod ids;
mod ip_range;
mod language_tag;
mod line_type;
mod local;
mod number_forms;
mod numbering;
mod operation;
mod phone;
mod purpose;
mod quiet;
mod recipient;
mod refusal;
mod send;
mod slots;
mod slug;
mod source;
mod target;
mod text;
mod zone;

pub use actor::{Actor, InvalidActor, Stamp};
pub use answer::{AfterHours, Answer, Answered, Answers, Confirmation, Help, MAX_ANSWERS, MAX_REMEMBERED, Period};
pub(crate) use bounded::is_zero;
pub use bounded::{ByName, Distinct, Named, UpTo, Whole};
pub(crate) use by_code::ByCode;
pub use campaign_state::{CampaignState, TRANSITIONS};
pub use channel::Channel;
pub use country::{Country, NotACountry};
pub use email::{Email, InvalidEmail};
pub use external::{
    Bsuid, MAX_FOREIGN_TEXT_LENGTH, NotABsuid, NotAProviderRef, NotASenderId, ProviderRef, SenderId, ShownName,
    cut_to_bytes,
};
pub use facts::{Fact, Facts};
pub use fault::{Fault, FaultCode, Faulty};
pub use field_key::{FieldKey, NotAFieldKey};
pub use field_problem::{FieldProblem, Findings, Warning, added_problems};
pub use folding::{fold, to_ascii_digit};
pub use ids::{
    ApiKeyId, AssetId, AttachmentId, CallId, CampaignId, CannedReplyId, ConnectionId, ContactId, ContactItemId,
    ConversationId, ConversionId, EventId, EventMessageId, FieldId, FileId, ImportId, InvalidId, InvitationId, LineId,
    MergeId, MessageId, NoteId, OperationId, OrderId, ProductId, PushSubscriptionId, RecordingId, RotationId, RuleId,
    SegmentId, SendKey, SessionId, StageId, SuppressionId, TagId, TeamId, TenantId, UserId, WebhookEndpointId,
    derive_id, time_of_id,
};
pub use ip_range::{InvalidIpRange, IpRange};
pub(crate) use language_tag::primary_language;
pub use language_tag::{InvalidLanguage, Language, MAX_LANGUAGE_LENGTH, is_language};
pub use line_type::{
    LineType, LineTypes, is_in_numbering_plan, is_in_united_states, line_type_by_plan, unknown_line_type,
};
pub use local::{Day, LocalDateTime, LocalTime, NotLike};
pub use number_forms::NUMBER_FORMS_EDITION;
pub(crate) use number_forms::other_number_form;
pub(crate) use numbering::calling_code;
pub use operation::{Claim, Data, InvalidData, Lease, Operation, OperationKind, OperationState, Progress};
pub use phone::{InvalidPhone, Phone};
pub use purpose::{
    Basis, CancelEvent, Category, CategoryLimits, FREQUENCY_SPAN, Lane, Limit, Narrowing, NoSuchCategory, Order,
    PURPOSE_TABLE, PURPOSE_TABLE_VERSION, Policy, Purpose, PurposeRow, QuietRule, Stop, USUAL_FALLBACK_SECONDS,
    UnreadablePolicy, WhenUnknown,
};
pub(crate) use purpose::{first_version, is_first_version};
pub use quiet::{Quiet, QuietAction, QuietHours, is_quiet, next_allowed};
pub use recipient::Recipient;
pub use refusal::{Because, Reason, Refusal};
pub use resource::{Fields, Resource};
pub(crate) use send::limit_retry_after;
pub use send::{Api, Classified, Effect, ErrorClass, Timers};
pub use slots::{DeploymentSlots, SlotWish, TakenSlot, TenantSlots, Waiting};
pub use slug::{InvalidSlug, Slug};
pub use source::{
    ButtonValue, FreeText, InvalidPlaceholder, InvalidSource, MAX_FREE_TEXT_LENGTH, MAX_TEMPLATE_BUTTONS,
    MAX_TEMPLATE_LANGUAGE_LENGTH, MAX_TEMPLATE_NAME_LENGTH, MAX_TEXT_LENGTH, MAX_TEXTS, MAX_VALUE_LENGTH, MAX_VALUES,
    OrderValue, Piece, SmsText, Source, TemplateUse, Value, placeholders,
};
pub use target::{NoTarget, Target};
pub use text::{
    InvalidLine, Lines, MAX_NAME_LENGTH, NotAUrl, OneLine, Verbatim, WebUrl, WrongText, check_line, is_visible,
    name_fingerprint, quotable, to_hex, unify_name, visible_text,
};
pub use zone::{InvalidZone, Zone};
