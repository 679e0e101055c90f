//! Tenants: businesses with their settings, hours, lines and connections to providers.

mod config;
mod connection;
mod connection_test;
mod hours;
mod line;
mod recipient_zones;
mod refused_webhook;
mod settings;
mod tenant;
mod unknown_number;

pub use config::{ConnectionSummary, TenantConfig, line_problems};
pub use connection::aircall;
pub use connection::credential::Credential;
pub use connection::exotel;
pub use connection::kind::{Generated, Kind, MAX_NUMBERS, Opens, Webhook};
pub use connection::letters::{
    LETTERS_PATTERN, Letters, LettersSender, MAX_LETTERS_COUNTRIES, MAX_LETTERS_LENGTH, given_numbers_or_letters,
    letters_to, numbers_or_letters, sending_letters,
};
pub use connection::plivo;
pub use connection::telephony;
pub use connection::twilio;
pub use connection::vonage;
pub use connection::whatsapp;
pub use connection::{
    Account, CallingCode, Connection, ConnectionKind, Credentials, Health, InvalidCallingCode, Kept, MAX_CONNECTIONS,
    NewConnection, ReadBody, Sealed, SecretPurpose, SendSecrets, VerifySecrets, WebhookAddress,
};
pub use connection_test::{CheckResult, Checkup, Dated, MarketingTerms, Quality, Reported};
pub use hours::{is_business_open, next_opening};
pub use line::{
    Line, LineIn, MAX_LINES, SmsSender, called_line, first_line, line_by_id, line_to_set_up, line_written_to,
};
pub(crate) use recipient_zones::wrong_beginning;
pub use recipient_zones::{country_in, recipient_zone, recipient_zones};
pub use refused_webhook::{RefusedBecause, RefusedWebhook};
pub use settings::{
    FieldProblem, Findings, MAX_LANGUAGES, MAX_VARIABLE_LENGTH, MAX_VARIABLE_NAME_LENGTH, MAX_VARIABLES,
    MAX_WORD_LENGTH, MAX_WORDS, MAX_ZONES, Region, UnknownRegion, Warning, added_problems, is_region, line_problem,
};
pub use tenant::{BusinessHours, Holiday, Limits, MAX_HOLIDAYS, Span, Tenant, TenantStatus};
pub use unknown_number::{MAX_UNKNOWN_NUMBERS, NOTED_FOR, UnknownNumber, UnknownNumbers};
