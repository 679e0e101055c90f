//! Models of a tenant's settings.

use std::collections::BTreeMap;

use api::{OperationOut, Patchable};
use domain::Timestamp;
use domain::calls::{Estimate, Past};
use domain::destinations::{MAX_COUNTRIES, WayOut};
use domain::tenants::{
    BusinessHours, Holiday, InboxSettings, MAX_HOLIDAYS, MAX_LANGUAGES, MAX_VARIABLE_LENGTH, MAX_VARIABLE_NAME_LENGTH,
    MAX_VARIABLES, MAX_WORD_LENGTH, MAX_WORDS, MAX_ZONES, OrderSettings, Retention, Tenant, TenantStatus,
};
use domain::terms::{
    Answers, ConnectionId, Country, Facts, Language, LineId, MAX_NAME_LENGTH, OneLine, Phone, QuietHours, Reason,
    Refusal, Slug, TenantId, UpTo, Zone, added_problems,
};
use kit::Problem;
use schemars::{JsonSchema, Schema, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Settings that a tenant can change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TenantSettings {
    /// Name of the business, as its customers know it.
    #[schemars(length(min = 1, max = MAX_NAME_LENGTH), example = "Saffron Bakery")]
    pub name: String,
    /// Time zone of the business, from the IANA database.
    pub time_zone: Zone,
    /// Country (ISO 3166) of phone numbers that have no country code.
    #[schemars(regex(pattern = "^[A-Z]{2}$"), example = &"AE")]
    pub default_region: Option<String>,
    /// Languages of the customers (BCP 47), the default first.
    #[serde(default)]
    #[schemars(length(max = MAX_LANGUAGES), with = "Vec<Language>", example = ["en", "ar"])]
    pub languages: Vec<String>,
    /// Business hours. `null`: always open.
    pub business_hours: Option<BusinessHours>,
    /// Days with other business hours.
    #[serde(default)]
    pub holidays: UpTo<MAX_HOLIDAYS, Holiday>,
    /// Quiet hours for customers. `null`: none. A rule can set its own.
    pub quiet_hours: Option<QuietHours>,
    /// Words that opt out, in addition to the built-in ones.
    #[serde(default)]
    #[schemars(length(max = MAX_WORDS), with = "Vec<OneLine<1, MAX_WORD_LENGTH>>", example = ["kifaya"])]
    pub stop_words: Vec<String>,
    /// Words that opt in again, in addition to the built-in ones.
    #[serde(default)]
    #[schemars(length(max = MAX_WORDS), with = "Vec<OneLine<1, MAX_WORD_LENGTH>>", example = ["yalla"])]
    pub start_words: Vec<String>,
    /// Time zones of recipients, if customers do not live in the zone of their number's area or country. Keys: the beginning of a number
    /// with a plus, where the longest one counts, or a calling code.
    #[serde(default)]
    #[schemars(
        extend("maxProperties" = MAX_ZONES, "propertyNames" = json!({"type": "string", "pattern": r"^(\+[1-9][0-9]{0,6}|[1-9][0-9]{0,2})$"})),
        example = json!({"+1604": "America/Vancouver"})
    )]
    pub recipient_zones: BTreeMap<String, Zone>,
    /// Countries (ISO 3166) that may be written to. Empty: all.
    #[serde(default)]
    #[schemars(example = ["AE", "IN"])]
    pub allowed_countries: UpTo<MAX_COUNTRIES, Country>,
    /// Values of `tenant.<name>` in templates and texts. At most 50 names of lower-case letters, digits and `_`, with values of
    /// at most 500 characters.
    #[serde(default)]
    #[schemars(
        with = "BTreeMap<String, OneLine<1, MAX_VARIABLE_LENGTH>>",
        extend("maxProperties" = MAX_VARIABLES, "propertyNames" = variable_name()),
        example = json!({"phone": "+97145550001", "website": "https://saffron.example"})
    )]
    pub variables: BTreeMap<String, String>,
    /// Retention of calls and messages. A change applies to new ones; `POST /api/v1/tenant/retention/apply` applies it to the others.
    #[serde(default)]
    pub retention: Retention,
    /// Automatic answers to what customers write.
    #[serde(default)]
    pub answers: Answers,
    /// Settings of the inbox.
    #[serde(default)]
    pub inbox: InboxSettings,
    /// Settings of orders.
    #[serde(default)]
    pub orders: OrderSettings,
}

/// Schema of a variable's name.
fn variable_name() -> Schema {
    json_schema!({"type": "string", "pattern": format!("^[a-z][a-z0-9_]{{0,{}}}$", MAX_VARIABLE_NAME_LENGTH - 1)})
}

/// A tenant.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct TenantOut {
    /// Id of the tenant.
    pub id: TenantId,
    /// Name in URLs.
    pub slug: Option<Slug>,
    /// State of the tenant.
    pub status: TenantStatus,
    /// Name of the business, as its customers know it.
    #[schemars(example = "Saffron Bakery")]
    pub name: String,
    /// Time zone of the business, from the IANA database.
    pub time_zone: Zone,
    /// Country (ISO 3166) of phone numbers that have no country code.
    #[schemars(example = &"AE")]
    pub default_region: Option<String>,
    /// Languages of the customers (BCP 47), the default first.
    #[schemars(example = ["en", "ar"])]
    pub languages: Vec<String>,
    /// Business hours. `null`: always open.
    pub business_hours: Option<BusinessHours>,
    /// Days with other business hours.
    pub holidays: UpTo<MAX_HOLIDAYS, Holiday>,
    /// Quiet hours for customers. `null`: none.
    pub quiet_hours: Option<QuietHours>,
    /// Words that opt out, in addition to the built-in ones.
    #[schemars(example = ["kifaya"])]
    pub stop_words: Vec<String>,
    /// Words that opt in again, in addition to the built-in ones.
    #[schemars(example = ["yalla"])]
    pub start_words: Vec<String>,
    /// Time zones of recipients by the beginnings of their numbers.
    #[schemars(example = json!({"1": "America/New_York"}))]
    pub recipient_zones: BTreeMap<String, Zone>,
    /// Countries (ISO 3166) that may be written to. Empty: all.
    #[schemars(example = ["AE", "IN"])]
    pub allowed_countries: UpTo<MAX_COUNTRIES, Country>,
    /// Values of `tenant.<name>` in templates and texts.
    #[schemars(example = json!({"phone": "+97145550001"}))]
    pub variables: BTreeMap<String, String>,
    /// Retention of calls and messages. A change applies to new ones; `POST /api/v1/tenant/retention/apply` applies it to the others.
    pub retention: Retention,
    /// Automatic answers to what customers write.
    pub answers: Answers,
    /// Settings of the inbox.
    pub inbox: InboxSettings,
    /// Settings of orders.
    pub orders: OrderSettings,
}

/// The retention policy of a tenant, and what its application to the past would do.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RetentionPolicy")]
pub(crate) struct RetentionOut {
    /// Policy.
    policy: Retention,
    /// Effect of its application to the calls and messages of the past.
    estimate: EstimateOut,
    /// The latest operation that applied a policy. `null` if there was none in the last 30 days.
    application: Option<OperationOut>,
}

/// The maximum effect and cost of applying a retention policy. Calls and messages that have been deleted since they were counted
/// are included.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RetentionEstimate")]
pub(crate) struct EstimateOut {
    /// Calls.
    #[schemars(example = 24_000)]
    calls: u64,
    /// Messages, inbound and outbound.
    #[schemars(example = 31_000)]
    messages: u64,
    /// Calls that are older than the policy allows, and would be deleted.
    #[schemars(example = 8_200)]
    expiring_calls: u64,
    /// Messages that are older than the policy allows, and would be deleted.
    #[schemars(example = 9_900)]
    expiring_messages: u64,
    /// Write units of DynamoDB. Only rows with another time of expiry than the right one are written.
    #[schemars(example = 110_000)]
    write_units: u64,
    /// Read units of DynamoDB.
    #[schemars(example = 55_400)]
    read_units: u64,
    /// Price of these units on demand in US dollars, in the region us-east-1.
    #[schemars(example = 0.0757)]
    usd: f64,
    /// Seconds that it takes, at 300 calls and messages a second.
    #[schemars(example = 184)]
    seconds: u64,
    /// True if all days are counted. False: some weeks are counted and stand for the others.
    counted: bool,
}

impl RetentionOut {
    pub(crate) fn new(policy: Retention, estimate: &Estimate, past: Past, application: Option<OperationOut>) -> Self {
        // Hundredths of a cent, up to 400,000 dollars.
        let price = u32::try_from(estimate.micro_dollars().div_ceil(100)).unwrap_or(u32::MAX);
        Self {
            policy,
            estimate: EstimateOut {
                calls: estimate.calls,
                messages: estimate.messages,
                expiring_calls: estimate.expiring_calls,
                expiring_messages: estimate.expiring_messages,
                write_units: estimate.write_units(),
                read_units: estimate.read_units(),
                usd: f64::from(price) / 10_000.0,
                seconds: estimate.seconds(),
                counted: past.is_counted(),
            },
            application,
        }
    }
}

/// Progress of the set-up.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct SetupOut {
    /// True if every required step is done, so that missed calls are followed by a message.
    pub ready: bool,
    /// Steps in the order of the wizard.
    pub steps: Vec<SetupStep>,
    /// Numbers that customers called in the last day, but that the connection reporting the calls does not have: these calls were ignored.
    /// At most five of each connection, the latest call first.
    pub unknown_numbers: Vec<UnknownNumberOut>,
    /// How people in the tenant's country refuse further SMS, for the end of a text.
    pub sms_opt_out: SmsOptOut,
}

/// How people in a country refuse further SMS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct SmsOptOut {
    /// The way.
    pub by: OptOutWay,
    /// Number of the networks for `number`, otherwise `null`.
    #[schemars(example = &"7726")]
    pub number: Option<&'static str>,
}

/// A way to refuse further SMS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OptOutWay {
    /// A reply, such as STOP.
    Reply,
    /// An SMS to a number of the networks. Replies do not arrive.
    Number,
    /// WhatsApp or a call. Replies do not arrive.
    Elsewhere,
}

impl From<WayOut> for SmsOptOut {
    fn from(way: WayOut) -> Self {
        let (by, number) = match way {
            WayOut::Reply => (OptOutWay::Reply, None),
            WayOut::Number(number) => (OptOutWay::Number, Some(number)),
            WayOut::Elsewhere => (OptOutWay::Elsewhere, None),
        };
        Self { by, number }
    }
}

/// A number that customers called, but that the connection reporting the calls does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "UnknownNumber")]
pub(crate) struct UnknownNumberOut {
    /// The number.
    pub number: Phone,
    /// Time of a call to it, at most an hour before the last one.
    pub at: Timestamp,
    /// The connection.
    pub connection_id: ConnectionId,
    /// Display name of the connection.
    #[schemars(example = &"Twilio")]
    pub connection_name: String,
    /// The line that has the number. `null`: none has it.
    pub line_id: Option<LineId>,
}

/// A step of the set-up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct SetupStep {
    /// Name of the step.
    pub id: StepId,
    /// Display title.
    #[schemars(example = "Connect a telephone line")]
    pub title: String,
    /// State of the step.
    pub state: StepState,
    /// True if the step can be skipped.
    pub optional: bool,
    /// Sentences that say what is missing or needs attention.
    #[schemars(example = ["No connection reports calls, so missed calls are not noticed."])]
    pub missing: Vec<String>,
    /// The sentences of `missing` as codes and facts, for other languages.
    pub gaps: Vec<Gap>,
    /// Operation that completes the step.
    pub operation: OperationLink,
}

/// Something in the set-up that is missing or needs attention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "SetupGap")]
pub(crate) struct Gap {
    /// The gap as a word: one of `x-codes` at the root of the document.
    #[schemars(with = "String", example = &"no_calls")]
    pub code: Reason,
    /// Facts of the sentence by name. `x-codes` names the facts of each code.
    pub facts: Facts,
    /// The gap, in one sentence.
    #[schemars(example = &"No connection reports calls, so missed calls are not noticed.")]
    pub detail: String,
}

impl From<Refusal> for Gap {
    fn from(gap: Refusal) -> Self {
        Self {
            code: gap.reason,
            facts: gap.facts,
            detail: gap.sentence,
        }
    }
}

/// An operation of this API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct OperationLink {
    /// HTTP method.
    #[schemars(example = &"POST")]
    pub method: &'static str,
    /// Path.
    #[schemars(example = "/api/v1/connections")]
    pub path: &'static str,
}

/// Steps of the set-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StepId {
    /// Name, time zone, country and languages of the business.
    Profile,
    /// Business hours.
    Hours,
    /// A connection that reports calls.
    TelephoneLine,
    /// A connection that sends WhatsApp messages.
    Whatsapp,
    /// A connection that sends SMS to customers without WhatsApp.
    SmsFallback,
    /// A template that WhatsApp approved.
    Template,
    /// A rule that answers calls.
    Rule,
}

/// State of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StepState {
    /// Nothing is missing.
    Done,
    /// Not started, or incomplete.
    Todo,
    /// Complete, but it does not work at present.
    Attention,
}

impl Patchable for TenantSettings {
    type Of = Tenant;

    fn of(tenant: &Tenant) -> Self {
        Self {
            name: tenant.name.clone(),
            time_zone: tenant.time_zone.clone(),
            default_region: tenant.default_region.clone(),
            languages: tenant.languages.clone(),
            business_hours: tenant.business_hours.clone(),
            holidays: tenant.holidays.clone(),
            quiet_hours: tenant.quiet_hours,
            stop_words: tenant.stop_words.clone(),
            start_words: tenant.start_words.clone(),
            recipient_zones: tenant.recipient_zones.clone(),
            allowed_countries: tenant.allowed_countries.clone(),
            variables: tenant.variables.clone(),
            retention: tenant.retention.unwrap_or_default(),
            answers: tenant.answers.clone().unwrap_or_default(),
            inbox: tenant.inbox.unwrap_or_default(),
            orders: tenant.orders.unwrap_or_default(),
        }
    }

    fn onto(self, before: &Tenant) -> Result<Tenant, Problem> {
        let after = Tenant {
            business_hours: self.business_hours,
            holidays: self.holidays,
            quiet_hours: self.quiet_hours,
            // The usual stays the usual, whatever that will be.
            retention: (before.retention.is_some() || self.retention != Retention::default()).then_some(self.retention),
            answers: (before.answers.is_some() || self.answers != Answers::default()).then_some(self.answers),
            inbox: (before.inbox.is_some() || self.inbox != InboxSettings::default()).then_some(self.inbox),
            orders: (before.orders.is_some() || self.orders != OrderSettings::default()).then_some(self.orders),
            name: self.name,
            time_zone: self.time_zone,
            default_region: self.default_region,
            languages: self.languages,
            stop_words: self.stop_words,
            start_words: self.start_words,
            recipient_zones: self.recipient_zones,
            allowed_countries: self.allowed_countries,
            variables: self.variables,
            ..before.clone()
        };
        let problems = added_problems(&before.problems(), after.problems());
        if problems.is_empty() {
            Ok(after)
        } else {
            Err(problems.into())
        }
    }
}

impl From<Tenant> for TenantOut {
    fn from(tenant: Tenant) -> Self {
        let settings = TenantSettings::of(&tenant);
        Self {
            id: tenant.id,
            slug: tenant.slug,
            status: tenant.status,
            name: settings.name,
            time_zone: settings.time_zone,
            default_region: settings.default_region,
            languages: settings.languages,
            business_hours: settings.business_hours,
            holidays: settings.holidays,
            quiet_hours: settings.quiet_hours,
            stop_words: settings.stop_words,
            start_words: settings.start_words,
            recipient_zones: settings.recipient_zones,
            allowed_countries: settings.allowed_countries,
            variables: settings.variables,
            retention: settings.retention,
            answers: settings.answers,
            inbox: settings.inbox,
            orders: settings.orders,
        }
    }
}
