//! Models of a tenant's settings.

use std::{collections::BTreeMap, str::FromStr};

use api::{LanguageText, OwnWordText, ZoneText};
use domain::{
    account::Slug,
    ids::TenantId,
    quiet::{QuietAction, QuietHours},
    retention::Retention,
    settings::{LONGEST_VARIABLE, MOST_VARIABLES, MOST_ZONES},
    tenant::{BusinessHours, Holiday, Span, Tenant, TenantStatus},
    zone::Zone,
};
use garde::Validate;
use jiff::civil::{Date, Time};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use serde_json::json;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{Object, ObjectBuilder, RefOr, Schema, Type},
};

/// A local time of day, to the minute: `09:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LocalTime(pub Time);

impl Serialize for LocalTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.strftime("%H:%M"))
    }
}

impl<'de> Deserialize<'de> for LocalTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        like("09:00", "a time of day", deserializer).map(Self)
    }
}

/// A day: `2026-12-02`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Day(pub Date);

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        like("2026-12-02", "a day", deserializer).map(Self)
    }
}

/// Parses a text that has digits and signs where the example has them. `jiff` alone accepts other forms, too.
fn like<'de, T: FromStr, D: Deserializer<'de>>(example: &str, what: &str, deserializer: D) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    let same = |(own, other): (u8, u8)| own == other || (own.is_ascii_digit() && other.is_ascii_digit());
    let shaped = text.len() == example.len() && text.bytes().zip(example.bytes()).all(same);
    let value = if shaped { text.parse().ok() } else { None };
    value.ok_or_else(|| D::Error::custom(format!("expected {what} such as {example}")))
}

/// Part of a day. If `to` is not after `from`, it ends on the next day: 18:00 to 02:00 crosses midnight, and 00:00 to 00:00 is
/// the whole day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpenSpan {
    /// Local start time.
    #[schema(value_type = String, pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "09:00")]
    pub from: LocalTime,
    /// Local end time.
    #[schema(value_type = String, pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "18:00")]
    pub to: LocalTime,
}

/// Opening hours by weekday. Each span counts for the day on which it begins. A day without spans is closed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({
    "monday": [{"from": "09:00", "to": "13:00"}, {"from": "16:00", "to": "21:00"}],
    "friday": [{"from": "16:00", "to": "23:30"}],
}))]
pub(crate) struct WeekHours {
    /// Spans that begin on Monday.
    #[schema(max_items = 6)]
    pub monday: Vec<OpenSpan>,
    /// Spans that begin on Tuesday.
    #[schema(max_items = 6)]
    pub tuesday: Vec<OpenSpan>,
    /// Spans that begin on Wednesday.
    #[schema(max_items = 6)]
    pub wednesday: Vec<OpenSpan>,
    /// Spans that begin on Thursday.
    #[schema(max_items = 6)]
    pub thursday: Vec<OpenSpan>,
    /// Spans that begin on Friday.
    #[schema(max_items = 6)]
    pub friday: Vec<OpenSpan>,
    /// Spans that begin on Saturday.
    #[schema(max_items = 6)]
    pub saturday: Vec<OpenSpan>,
    /// Spans that begin on Sunday.
    #[schema(max_items = 6)]
    pub sunday: Vec<OpenSpan>,
}

/// Days with other opening hours than usual.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HolidayModel {
    /// First day.
    #[schema(value_type = String, format = Date, example = "2026-12-02")]
    pub from: Day,
    /// Last day. If omitted, the holiday is one day long.
    #[schema(value_type = Option<String>, format = Date, example = "2026-12-03")]
    pub to: Option<Day>,
    /// Display name.
    #[schema(min_length = 1, max_length = 100, example = "National Day")]
    pub name: Option<String>,
    /// Opening hours on each of these days. Empty: closed.
    #[serde(default)]
    #[schema(max_items = 6)]
    pub hours: Vec<OpenSpan>,
}

/// Quiet hours: a part of every day, in the recipient's time zone. They cross midnight if `to` is before `from`. The two cannot
/// be equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuietHoursModel {
    /// Local start time.
    #[schema(value_type = String, pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "21:00")]
    pub from: LocalTime,
    /// Local end time.
    #[schema(value_type = String, pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "08:00")]
    pub to: LocalTime,
    /// Treatment of messages in quiet hours.
    #[serde(default)]
    pub action: QuietActionModel,
}

/// Treatment of messages in quiet hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum QuietActionModel {
    /// The message waits until they end.
    #[default]
    Defer,
    /// The message is sent anyway.
    Send,
    /// The message is dropped.
    Skip,
}

/// Days for which calls and messages are retained, counted from the time they happened. They are deleted afterwards. A change
/// applies to new calls and messages only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RetentionModel {
    /// Days for calls.
    #[schema(minimum = 30, maximum = 3650, example = 730)]
    pub calls_days: u32,
    /// Days for messages, inbound and outbound.
    #[schema(minimum = 30, maximum = 3650, example = 730)]
    pub messages_days: u32,
}

impl Default for RetentionModel {
    fn default() -> Self {
        Retention::default().into()
    }
}

impl From<Retention> for RetentionModel {
    fn from(retention: Retention) -> Self {
        Self {
            calls_days: retention.calls_days,
            messages_days: retention.messages_days,
        }
    }
}

fn map(about: &str, names: &str, most: usize, value: RefOr<Schema>, example: serde_json::Value) -> Object {
    let name = ObjectBuilder::new().schema_type(Type::String).pattern(Some(names));
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(about))
        .property_names(Some(name.build()))
        .max_properties(Some(most))
        .additional_properties(Some(value))
        .examples([example])
        .build()
}

fn recipient_zones() -> Object {
    let about = "Time zones of recipients by calling code, for countries whose main time zone is not the one of the \
        tenant's customers.";
    let example = json!({"1": "America/New_York"});
    map(about, "^[0-9]{1,3}$", MOST_ZONES, ZoneText::schema(), example)
}

fn variables() -> Object {
    let about = "Values of `tenant.<name>` in templates and texts, such as the business's telephone number.";
    let text = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1));
    let text = text.max_length(Some(LONGEST_VARIABLE)).build();
    let example = json!({"phone": "+97145550001", "website": "https://saffron.example"});
    map(about, "^[a-z][a-z0-9_]{0,39}$", MOST_VARIABLES, text.into(), example)
}

/// Settings that a tenant can change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub(crate) struct TenantSettings {
    /// Name of the business, as its customers know it.
    #[schema(min_length = 1, max_length = 100, example = "Saffron Bakery")]
    pub name: String,
    /// Time zone of the business, from the IANA database.
    #[schema(value_type = String, max_length = 64, example = "Asia/Dubai")]
    pub time_zone: Zone,
    /// Country (ISO 3166) of phone numbers that have no country code.
    #[schema(pattern = "^[A-Z]{2}$", example = "AE")]
    pub default_region: Option<String>,
    /// Languages of the customers (BCP 47), the default first.
    #[serde(default)]
    #[schema(value_type = Vec<LanguageText>, max_items = 20, example = json!(["en", "ar"]))]
    pub languages: Vec<String>,
    /// Business hours. `null`: always open.
    pub business_hours: Option<WeekHours>,
    /// Days with other business hours.
    #[serde(default)]
    #[schema(max_items = 200)]
    pub holidays: Vec<HolidayModel>,
    /// Quiet hours for customers. `null`: none. A rule can set its own.
    pub quiet_hours: Option<QuietHoursModel>,
    /// Words that opt out, in addition to the built-in ones.
    #[serde(default)]
    #[schema(value_type = Vec<OwnWordText>, max_items = 50, example = json!(["kifaya"]))]
    pub stop_words: Vec<String>,
    /// Words that opt in again, in addition to the built-in ones.
    #[serde(default)]
    #[schema(value_type = Vec<OwnWordText>, max_items = 50, example = json!(["yalla"]))]
    pub start_words: Vec<String>,
    /// Time zones of recipients by calling code, for countries whose main time zone is not the one of the tenant's customers.
    #[serde(default)]
    #[schema(schema_with = recipient_zones)]
    pub recipient_zones: BTreeMap<String, Zone>,
    /// Values of `tenant.<name>` in templates and texts. At most 50 names of lower-case letters, digits and `_`, with values of
    /// at most 500 characters.
    #[serde(default)]
    #[schema(schema_with = variables)]
    pub variables: BTreeMap<String, String>,
    /// Retention of calls and messages. A change applies to new ones only.
    #[serde(default)]
    pub retention: RetentionModel,
}

/// A tenant.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct TenantOut {
    /// Id of the tenant.
    #[schema(value_type = String, example = "tnt_01hq5c1ynyc0000000000000ab")]
    pub id: TenantId,
    /// Name in URLs.
    #[schema(value_type = Option<String>, example = "saffron-bakery")]
    pub slug: Option<Slug>,
    /// State of the tenant.
    pub status: TenantState,
    /// Name of the business, as its customers know it.
    #[schema(example = "Saffron Bakery")]
    pub name: String,
    /// Time zone of the business, from the IANA database.
    #[schema(value_type = String, example = "Asia/Dubai")]
    pub time_zone: Zone,
    /// Country (ISO 3166) of phone numbers that have no country code.
    #[schema(example = "AE")]
    pub default_region: Option<String>,
    /// Languages of the customers (BCP 47), the default first.
    #[schema(example = json!(["en", "ar"]))]
    pub languages: Vec<String>,
    /// Business hours. `null`: always open.
    pub business_hours: Option<WeekHours>,
    /// Days with other business hours.
    pub holidays: Vec<HolidayModel>,
    /// Quiet hours for customers. `null`: none.
    pub quiet_hours: Option<QuietHoursModel>,
    /// Words that opt out, in addition to the built-in ones.
    #[schema(example = json!(["kifaya"]))]
    pub stop_words: Vec<String>,
    /// Words that opt in again, in addition to the built-in ones.
    #[schema(example = json!(["yalla"]))]
    pub start_words: Vec<String>,
    /// Time zones of recipients by calling code.
    #[schema(value_type = BTreeMap<String, String>, example = json!({"1": "America/New_York"}))]
    pub recipient_zones: BTreeMap<String, Zone>,
    /// Values of `tenant.<name>` in templates and texts.
    #[schema(example = json!({"phone": "+97145550001"}))]
    pub variables: BTreeMap<String, String>,
    /// Retention of calls and messages. A change applies to new ones only.
    pub retention: RetentionModel,
}

/// State of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TenantState {
    /// The tenant can send messages.
    Active,
    /// Calls and messages are stored, but nothing is sent.
    Suspended,
    /// Nothing is sent, and all data is deleted when the grace period ends.
    Leaving,
}

/// Progress of the set-up.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct SetupOut {
    /// True if every required step is done, so that missed calls are followed by a message.
    pub ready: bool,
    /// Steps in the order of the wizard.
    pub steps: Vec<SetupStep>,
}

/// A step of the set-up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct SetupStep {
    /// Name of the step.
    pub id: StepId,
    /// Display title.
    #[schema(example = "Connect a telephone line")]
    pub title: String,
    /// State of the step.
    pub state: StepState,
    /// True if the step can be skipped.
    pub optional: bool,
    /// Sentences that say what is missing or needs attention.
    #[schema(example = json!(["No connection reports calls, so missed calls are not noticed."]))]
    pub missing: Vec<String>,
    /// Operation that completes the step.
    pub operation: OperationLink,
}

/// An operation of this API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct OperationLink {
    /// HTTP method.
    #[schema(example = "POST")]
    pub method: &'static str,
    /// Path.
    #[schema(example = "/api/v1/connections")]
    pub path: &'static str,
}

/// Steps of the set-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StepState {
    /// Nothing is missing.
    Done,
    /// Not started, or incomplete.
    Todo,
    /// Complete, but it does not work at present.
    Attention,
}

/// Converts each item of a list.
fn each<'a, A, B: From<&'a A>>(list: &'a [A]) -> Vec<B> {
    list.iter().map(B::from).collect()
}

impl From<&OpenSpan> for Span {
    fn from(span: &OpenSpan) -> Self {
        Self {
            from: span.from.0,
            to: span.to.0,
        }
    }
}

impl From<&Span> for OpenSpan {
    fn from(span: &Span) -> Self {
        Self {
            from: LocalTime(span.from),
            to: LocalTime(span.to),
        }
    }
}

/// Converts the hours of a week.
macro_rules! each_day {
    ($week:ident) => {
        Self {
            monday: each(&$week.monday),
            tuesday: each(&$week.tuesday),
            wednesday: each(&$week.wednesday),
            thursday: each(&$week.thursday),
            friday: each(&$week.friday),
            saturday: each(&$week.saturday),
            sunday: each(&$week.sunday),
        }
    };
}

impl From<&WeekHours> for BusinessHours {
    fn from(week: &WeekHours) -> Self {
        each_day!(week)
    }
}

impl From<&BusinessHours> for WeekHours {
    fn from(week: &BusinessHours) -> Self {
        each_day!(week)
    }
}

impl From<&HolidayModel> for Holiday {
    fn from(holiday: &HolidayModel) -> Self {
        Self {
            from: holiday.from.0,
            to: holiday.to.map(|day| day.0),
            name: holiday.name.clone(),
            hours: each(&holiday.hours),
        }
    }
}

impl From<&Holiday> for HolidayModel {
    fn from(holiday: &Holiday) -> Self {
        Self {
            from: Day(holiday.from),
            to: holiday.to.map(Day),
            name: holiday.name.clone(),
            hours: each(&holiday.hours),
        }
    }
}

impl From<&QuietHoursModel> for QuietHours {
    fn from(quiet: &QuietHoursModel) -> Self {
        Self {
            from: quiet.from.0,
            to: quiet.to.0,
            action: match quiet.action {
                QuietActionModel::Defer => QuietAction::Defer,
                QuietActionModel::Send => QuietAction::Send,
                QuietActionModel::Skip => QuietAction::Skip,
            },
        }
    }
}

impl From<&QuietHours> for QuietHoursModel {
    fn from(quiet: &QuietHours) -> Self {
        Self {
            from: LocalTime(quiet.from),
            to: LocalTime(quiet.to),
            action: match quiet.action {
                QuietAction::Defer => QuietActionModel::Defer,
                QuietAction::Send => QuietActionModel::Send,
                QuietAction::Skip => QuietActionModel::Skip,
            },
        }
    }
}

impl From<&Tenant> for TenantSettings {
    fn from(tenant: &Tenant) -> Self {
        Self {
            name: tenant.name.clone(),
            time_zone: tenant.time_zone.clone(),
            default_region: tenant.default_region.clone(),
            languages: tenant.languages.clone(),
            business_hours: tenant.business_hours.as_ref().map(WeekHours::from),
            holidays: each(&tenant.holidays),
            quiet_hours: tenant.quiet_hours.as_ref().map(QuietHoursModel::from),
            stop_words: tenant.stop_words.clone(),
            start_words: tenant.start_words.clone(),
            recipient_zones: tenant.recipient_zones.clone(),
            variables: tenant.variables.clone(),
            retention: tenant.retention.unwrap_or_default().into(),
        }
    }
}

impl TenantSettings {
    /// The tenant with these settings.
    pub(crate) fn of(self, before: &Tenant) -> Tenant {
        let retention = Retention {
            calls_days: self.retention.calls_days,
            messages_days: self.retention.messages_days,
        };
        Tenant {
            business_hours: self.business_hours.as_ref().map(BusinessHours::from),
            holidays: each(&self.holidays),
            quiet_hours: self.quiet_hours.as_ref().map(QuietHours::from),
            // The usual stays the usual, whatever that will be.
            retention: (before.retention.is_some() || retention != Retention::default()).then_some(retention),
            name: self.name,
            time_zone: self.time_zone,
            default_region: self.default_region,
            languages: self.languages,
            stop_words: self.stop_words,
            start_words: self.start_words,
            recipient_zones: self.recipient_zones,
            variables: self.variables,
            ..before.clone()
        }
    }
}

impl From<&Tenant> for TenantOut {
    fn from(tenant: &Tenant) -> Self {
        let settings = TenantSettings::from(tenant);
        Self {
            id: tenant.id,
            slug: tenant.slug.clone(),
            status: match tenant.status {
                TenantStatus::Active => TenantState::Active,
                TenantStatus::Suspended => TenantState::Suspended,
                TenantStatus::Leaving => TenantState::Leaving,
            },
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
            variables: settings.variables,
            retention: settings.retention,
        }
    }
}
