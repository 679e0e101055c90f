//! Models of a tenant's settings.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashSet},
    str::FromStr,
};

use api::Part;
use domain::{
    account::Slug,
    ids::TenantId,
    quiet::{QuietAction, QuietHours},
    retention::Retention,
    settings::{
        LONGEST_NAME, LONGEST_VARIABLE, LONGEST_VARIABLE_NAME, LONGEST_WORD, Language, MOST_HOLIDAYS, MOST_LANGUAGES,
        MOST_SPANS, MOST_VARIABLES, MOST_WORDS, MOST_ZONES,
    },
    tenant::{BusinessHours, Holiday, Span, Tenant, TenantStatus},
    text::Line,
    zone::Zone,
};
use jiff::civil::{Date, Time};
use kit::Problem;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use serde_json::json;

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

impl JsonSchema for LocalTime {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "LocalTime".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "examples": ["09:00"]})
    }
}

/// A day: `2026-12-02`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(inline, description = "")]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpenSpan {
    /// Local start time.
    pub from: LocalTime,
    /// Local end time.
    #[schemars(example = "18:00")]
    pub to: LocalTime,
}

/// Opening hours by weekday. Each span counts for the day on which it begins. A day without spans is closed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(example = json!({
    "monday": [{"from": "09:00", "to": "13:00"}, {"from": "16:00", "to": "21:00"}],
    "friday": [{"from": "16:00", "to": "23:30"}],
}))]
pub(crate) struct WeekHours {
    /// Spans that begin on Monday.
    #[schemars(length(max = MOST_SPANS))]
    pub monday: Vec<OpenSpan>,
    /// Spans that begin on Tuesday.
    #[schemars(length(max = MOST_SPANS))]
    pub tuesday: Vec<OpenSpan>,
    /// Spans that begin on Wednesday.
    #[schemars(length(max = MOST_SPANS))]
    pub wednesday: Vec<OpenSpan>,
    /// Spans that begin on Thursday.
    #[schemars(length(max = MOST_SPANS))]
    pub thursday: Vec<OpenSpan>,
    /// Spans that begin on Friday.
    #[schemars(length(max = MOST_SPANS))]
    pub friday: Vec<OpenSpan>,
    /// Spans that begin on Saturday.
    #[schemars(length(max = MOST_SPANS))]
    pub saturday: Vec<OpenSpan>,
    /// Spans that begin on Sunday.
    #[schemars(length(max = MOST_SPANS))]
    pub sunday: Vec<OpenSpan>,
}

/// Days with other opening hours than usual.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HolidayModel {
    /// First day.
    #[schemars(example = "2026-12-02")]
    pub from: Day,
    /// Last day. If omitted, the holiday is one day long.
    #[schemars(example = "2026-12-03")]
    pub to: Option<Day>,
    /// Display name.
    #[schemars(length(min = 1, max = LONGEST_NAME), example = "National Day")]
    pub name: Option<String>,
    /// Opening hours on each of these days. Empty: closed.
    #[serde(default)]
    #[schemars(length(max = MOST_SPANS))]
    pub hours: Vec<OpenSpan>,
}

/// Quiet hours: a part of every day, in the recipient's time zone. They cross midnight if `to` is before `from`. The two cannot
/// be equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuietHoursModel {
    /// Local start time.
    #[schemars(example = "21:00")]
    pub from: LocalTime,
    /// Local end time.
    #[schemars(example = "08:00")]
    pub to: LocalTime,
    /// Treatment of messages in quiet hours.
    #[serde(default)]
    pub action: QuietAction,
}

/// Days for which calls and messages are retained, counted from the time they happened. They are deleted afterwards. A change
/// applies to new calls and messages only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RetentionModel {
    /// Days for calls.
    #[schemars(range(min = Retention::FEWEST_DAYS, max = Retention::MOST_DAYS), example = 730)]
    pub calls_days: u32,
    /// Days for messages, inbound and outbound.
    #[schemars(range(min = Retention::FEWEST_DAYS, max = Retention::MOST_DAYS), example = 730)]
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

/// Settings that a tenant can change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TenantSettings {
    /// Name of the business, as its customers know it.
    #[schemars(length(min = 1, max = LONGEST_NAME), example = "Saffron Bakery")]
    pub name: String,
    /// Time zone of the business, from the IANA database.
    pub time_zone: Zone,
    /// Country (ISO 3166) of phone numbers that have no country code.
    #[schemars(regex(pattern = "^[A-Z]{2}$"), example = &"AE")]
    pub default_region: Option<String>,
    /// Languages of the customers (BCP 47), the default first.
    #[serde(default)]
    #[schemars(length(max = MOST_LANGUAGES), with = "Vec<Language>", example = ["en", "ar"])]
    pub languages: Vec<String>,
    /// Business hours. `null`: always open.
    pub business_hours: Option<WeekHours>,
    /// Days with other business hours.
    #[serde(default)]
    #[schemars(length(max = MOST_HOLIDAYS))]
    pub holidays: Vec<HolidayModel>,
    /// Quiet hours for customers. `null`: none. A rule can set its own.
    pub quiet_hours: Option<QuietHoursModel>,
    /// Words that opt out, in addition to the built-in ones.
    #[serde(default)]
    #[schemars(length(max = MOST_WORDS), with = "Vec<Line<1, LONGEST_WORD>>", example = ["kifaya"])]
    pub stop_words: Vec<String>,
    /// Words that opt in again, in addition to the built-in ones.
    #[serde(default)]
    #[schemars(length(max = MOST_WORDS), with = "Vec<Line<1, LONGEST_WORD>>", example = ["yalla"])]
    pub start_words: Vec<String>,
    /// Time zones of recipients by calling code, for countries whose main time zone is not the one of the tenant's customers.
    #[serde(default)]
    #[schemars(
        extend("maxProperties" = MOST_ZONES, "propertyNames" = json!({"type": "string", "pattern": "^[0-9]{1,3}$"})),
        example = json!({"1": "America/New_York"})
    )]
    pub recipient_zones: BTreeMap<String, Zone>,
    /// Values of `tenant.<name>` in templates and texts. At most 50 names of lower-case letters, digits and `_`, with values of
    /// at most 500 characters.
    #[serde(default)]
    #[schemars(
        with = "BTreeMap<String, Line<1, LONGEST_VARIABLE>>",
        extend("maxProperties" = MOST_VARIABLES, "propertyNames" = variable_name()),
        example = json!({"phone": "+97145550001", "website": "https://saffron.example"})
    )]
    pub variables: BTreeMap<String, String>,
    /// Retention of calls and messages. A change applies to new ones only.
    #[serde(default)]
    pub retention: RetentionModel,
}

/// Schema of a variable's name.
fn variable_name() -> Schema {
    json_schema!({"type": "string", "pattern": format!("^[a-z][a-z0-9_]{{0,{}}}$", LONGEST_VARIABLE_NAME - 1)})
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
    pub business_hours: Option<WeekHours>,
    /// Days with other business hours.
    pub holidays: Vec<HolidayModel>,
    /// Quiet hours for customers. `null`: none.
    pub quiet_hours: Option<QuietHoursModel>,
    /// Words that opt out, in addition to the built-in ones.
    #[schemars(example = ["kifaya"])]
    pub stop_words: Vec<String>,
    /// Words that opt in again, in addition to the built-in ones.
    #[schemars(example = ["yalla"])]
    pub start_words: Vec<String>,
    /// Time zones of recipients by calling code.
    #[schemars(example = json!({"1": "America/New_York"}))]
    pub recipient_zones: BTreeMap<String, Zone>,
    /// Values of `tenant.<name>` in templates and texts.
    #[schemars(example = json!({"phone": "+97145550001"}))]
    pub variables: BTreeMap<String, String>,
    /// Retention of calls and messages. A change applies to new ones only.
    pub retention: RetentionModel,
}

/// Progress of the set-up.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct SetupOut {
    /// True if every required step is done, so that missed calls are followed by a message.
    pub ready: bool,
    /// Steps in the order of the wizard.
    pub steps: Vec<SetupStep>,
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
    /// Operation that completes the step.
    pub operation: OperationLink,
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
            action: quiet.action,
        }
    }
}

impl From<&QuietHours> for QuietHoursModel {
    fn from(quiet: &QuietHours) -> Self {
        Self {
            from: LocalTime(quiet.from),
            to: LocalTime(quiet.to),
            action: quiet.action,
        }
    }
}

impl Part for TenantSettings {
    type Of = Tenant;

    fn of(tenant: &Tenant) -> Self {
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

    fn onto(self, before: &Tenant) -> Result<Tenant, Problem> {
        let retention = Retention {
            calls_days: self.retention.calls_days,
            messages_days: self.retention.messages_days,
        };
        let after = Tenant {
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
        };
        // What was stored when there was no such rule stands in nobody's way.
        let known: HashSet<_> = before.problems().into_iter().collect();
        let mut problems = after.problems();
        problems.retain(|problem| !known.contains(problem));
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
            variables: settings.variables,
            retention: settings.retention,
        }
    }
}
