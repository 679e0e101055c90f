//! Messages: their content, their channels, and whether they may go out.
//!
//! A cause, such as a decided call or a request by the API, becomes an intent; `compose` makes a message or a refusal of it, and `check`
//! says right before each attempt whether it may go out now. `message` is the state machine that every message goes through. A table in
//! `terms`, `purpose`, says what each kind of message may do.

mod attempt;
mod by_phone;
mod cause;
mod check;
mod compose;
mod content;
mod content_draft;
mod content_problems;
mod errors;
mod inbound;
mod intent;
mod leg;
mod links;
mod material;
mod message;
mod needs;
mod phrases;
mod portfolio;
mod reach;
mod receiver;
mod referred;
mod send_request;
mod sms;
mod subject;
mod template_numbers;
mod values;

pub use attempt::{Attempt, AttemptError, AttemptState, Cost, Evidence, Expected, SendOutcome, StatusReport};
pub use by_phone::message_by_phone;
pub use cause::{Cause, CauseNews, CauseStep};
pub use check::{
    Check, CheckInput, SendCheck, all_send_checks, awaits_upload, check_frequency, check_send, country_remarks,
    messages_to_read_before, wait_beyond_cap, wait_beyond_throughput, wait_of_step_beyond_cap,
};
pub(crate) use compose::{Carrier, carrier, fill_content, is_later, line_carrier, usual_carriers};
pub use compose::{Composed, IntentReview, MAX_WAITING, PlanCheck, World, carriers, compose_message, review_intent};
pub use content::{
    Action, Button, Card, CardPhone, Content, ContentKind, Degrees, Emoji, Header, Interactive, LARGEST_AT_TWILIO,
    Latitude, Link, List, ListRow, Location, Longitude, MAX_BODY_LENGTH, MAX_BUTTON_ID_LENGTH, MAX_CAPTION_LENGTH,
    MAX_CARD_NAME_LENGTH, MAX_CARDS, MAX_DESCRIPTION_LENGTH, MAX_FOOTER_LENGTH, MAX_HEADER_LENGTH, MAX_OF_CARD,
    MAX_REPLY_BUTTONS, MAX_ROW_ID_LENGTH, MAX_ROW_LENGTH, MAX_ROWS, MAX_SECTIONS, MAX_TITLE_LENGTH, Media, NotAnEmoji,
    PhoneKind, Reaction, Section, has_caption,
};
pub use content_draft::{
    ButtonUse, Draft, HeaderMedia, InteractiveUse, LinkUse, ListUse, MediaUse, ReactionUse, RowUse, SectionUse,
    problems_of_cards,
};
pub(crate) use content_draft::{check_asset_fits, find_asset};
pub(crate) use content_problems::{About, Authored, content_obstacles, missing_channel, one_of_words};
pub use content_problems::{MAX_WARNINGS, Review};
pub use errors::{Stage, classify_error, doubts_template, is_about_file, is_known_error};
pub use inbound::{
    Delivery, EDIT, InboundMessage, OptFlag, REACTION, REVOCATION, Sender, Shared, SharedCard, SharedLocation, Status,
    TEMPLATE, Update, is_notice,
};
pub use intent::{Intent, Says, Through, Words};
pub use leg::Leg;
pub(crate) use links::CodesFound;
pub use links::{MAX_TARGETS, NewLinks, Targets, Tracked, TrackedEnd, TrackedLinks, add_target};
pub use material::Material;
pub(crate) use message::most_spread;
pub use message::{Behind, Ended, MAX_TRIES, Message, MessageState, Next, Remark, Waiting};
pub use needs::{MAX_PRODUCTS, Needs, TemplateNeed};
pub(crate) use phrases::{day_in_words, local_time_in_words, quiet_hours_in_words, usual_answer};
pub use phrases::{duration_in_words, time_ago};
pub use portfolio::{FirstWritten, PORTFOLIO_BLOCK, Places, most_for_campaigns};
pub(crate) use reach::{cannot_reach, check_in_charge, check_in_window, recent_failure};
pub(crate) use receiver::{heard_by_whatsapp, receiver_of};
pub use referred::Referred;
pub(crate) use referred::check_carried;
pub(crate) use send_request::MAX_CHANNELS;
pub use send_request::{
    Asked, Declared, MAX_BASIS_LENGTH, MessageRequest, TemplateRequest, Whom, intent_to_repeat, is_own_number,
    own_number_fault,
};
pub use sms::sms_segments;
pub use subject::{CallView, OrderView, Subject};
pub use template_numbers::{AnsweredTemplate, TemplateEdition, Templated, answered_by_message};
pub use values::Values;
pub(crate) use values::{FREE_TEXT, text_in_language};
