//! Base types, which every room uses: ids, telephone numbers, texts and lists with limits, times as people write them, faults and
//! facts. None knows what the business does.

#[macro_use]
mod resource;
#[macro_use]
mod schema;
#[macro_use]
mod facts;

mod actor;
mod bounded;
mod by_code;
mod country;
mod external;
mod fault;
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
mod text;
mod zone;

pub use actor::{Actor, InvalidActor, Stamp};
pub(crate) use bounded::is_zero;
pub use bounded::{ByName, Distinct, Named, UpTo, Whole};
pub(crate) use by_code::ByCode;
pub use country::{Country, NotACountry};
pub use external::{
    Bsuid, MAX_TEXT_LENGTH, NotABsuid, NotAProviderRef, NotASenderId, ProviderRef, SenderId, ShownName, cut_to_bytes,
};
pub use facts::{Fact, Facts};
pub use fault::{Fault, FaultCode, Faulty};
pub use folding::{Edition, fold, to_ascii_digit};
pub use ids::{
    ApiKeyId, AssetId, AttachmentId, CallId, CampaignId, CannedReplyId, ConnectionId, ContactId, ContactItemId,
    ConversationId, ConversionId, EventId, FieldId, FileId, ImportId, InvalidId, InvitationId, LineId, MergeId,
    MessageId, NoteId, OperationId, ProductId, PushSubscriptionId, RecordingId, RotationId, RuleId, SegmentId, SendKey,
    SessionId, StageId, SuppressionId, TagId, TeamId, TenantId, UserId, WebhookEndpointId, derive_id, time_of_id,
};
pub use ip_range::{InvalidIpRange, IpRange};
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
pub use resource::{Fields, Resource};
pub use text::{
    InvalidLine, Lines, MAX_NAME_LENGTH, NotAUrl, OneLine, Verbatim, WebUrl, WrongText, check_line, is_visible,
    name_fingerprint, quotable, to_hex, unify_name, visible_text,
};
pub use zone::{InvalidZone, Zone};
