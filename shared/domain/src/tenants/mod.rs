//! Tenants: businesses with their settings, hours, lines, rules and teams, and their connections to providers.

mod bulk_ahead;
mod config;
mod connection;
mod connection_test;
mod hours;
mod inbox_settings;
mod line;
mod order_settings;
mod recipient_zones;
mod refused_webhook;
mod retention;
mod rule;
mod settings;
mod team;
mod tenant;
mod throughput;
mod unknown_number;

pub use bulk_ahead::{BulkAhead, BulkWorkers, BusyTimes, NumberRate};
pub use config::{ConnectionSummary, TenantConfig, line_problems};
pub use connection::credential::Credential;
pub use connection::kind::{Generated, Kind, MAX_NUMBERS, Opens, Webhook};
pub use connection::letters::{
    LETTERS_PATTERN, Letters, LettersSender, MAX_LETTERS_COUNTRIES, MAX_LETTERS_LENGTH, given_numbers_or_letters,
    letters_to, numbers_or_letters, sending_letters,
};
pub use connection::{
    Account, CallingCode, Connection, ConnectionKind, Credentials, Health, InvalidCallingCode, Kept, MAX_CONNECTIONS,
    NewConnection, ReadBody, Sealed, SecretPurpose, SendSecrets, VerifySecrets, WebhookAddress, aircall, exotel, plivo,
    shopify, telephony, twilio, vonage, whatsapp, woocommerce,
};
pub use connection_test::{CheckResult, Checkup, Dated, MarketingTerms, Quality, Reported};
pub use hours::{is_business_open, next_opening};
pub use inbox_settings::InboxSettings;
pub use line::{
    Line, LineIn, MAX_LINES, SmsSender, called_line, first_line, line_by_id, line_to_set_up, line_written_to,
};
pub use order_settings::OrderSettings;
pub(crate) use recipient_zones::wrong_beginning;
pub use recipient_zones::{country_in, recipient_zone, recipient_zones};
pub use refused_webhook::{RefusedBecause, RefusedWebhook};
pub use retention::Retention;
pub use rule::{
    CallSeconds, Caller, Consent, Hours, MAX_CALL_SECONDS, MAX_COOLDOWN_SECONDS, MAX_DELAY_SECONDS,
    MAX_FALLBACK_SECONDS, Rule, RuleIn, Then, When, priorities_in_order, rules_in_order,
};
pub use settings::{
    MAX_LANGUAGES, MAX_VARIABLE_LENGTH, MAX_VARIABLE_NAME_LENGTH, MAX_VARIABLES, MAX_WORD_LENGTH, MAX_WORDS, MAX_ZONES,
    Region, UnknownRegion, is_region, line_problem,
};
pub use team::{AssignmentMode, Candidate, Desk, MAX_CONDITIONS, MAX_MEMBERS, Team, TeamIn};
pub use tenant::{BusinessHours, Holiday, Limits, MAX_HOLIDAYS, Span, Tenant, TenantStatus};
pub(crate) use throughput::wait_of_bulk;
pub use throughput::{Block, Held, STANDARD_THROUGHPUT, THROUGHPUT_SPAN, TakenSpan, Throttled, Throughput, Turn};
pub use unknown_number::{MAX_UNKNOWN_NUMBERS, NOTED_FOR, UnknownNumber, UnknownNumbers};
