//! Tenants: the businesses, with their hours, words and variables.

use std::collections::BTreeMap;

use jiff::civil::{Date, Weekday};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::destinations::MAX_COUNTRIES;
use crate::money::{Cap, MAX_CAPS};
use crate::tenants::{InboxSettings, OrderSettings, Retention};
use crate::terms::{
    Answers, Country, Day, LocalTime, MAX_NAME_LENGTH, OneLine, QuietHours, Reason, Refusal, Slug, TenantId, UpTo, Zone,
};

/// Maximum spans of opening hours in a day.
const MAX_SPANS: usize = 6;
/// Maximum holidays of a tenant.
pub const MAX_HOLIDAYS: usize = 200;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    pub id: TenantId,
    /// Name that its customers know.
    pub name: String,
    #[serde(default)]
    pub status: TenantStatus,
    pub time_zone: Zone,
    /// ISO 3166 code of the country whose numbers may be written without a country code, such as `AE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_region: Option<String>,
    /// BCP 47 languages of its customers, the usual one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
    /// Opening hours. `None`: always open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business_hours: Option<BusinessHours>,
    /// Days with other hours, or closed.
    #[serde(default, skip_serializing_if = "UpTo::is_empty")]
    pub holidays: UpTo<MAX_HOLIDAYS, Holiday>,
    /// Hours when its customers are not disturbed. A rule may have its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
    /// Its own words for "no more messages". A phrase of several words counts inside a sentence too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stop_words: Vec<String>,
    /// Its own words for "messages again, please".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub start_words: Vec<String>,
    /// Time zones of recipients by the beginnings of their numbers (`"+1604"`, the longest counts) or calling codes (`"971"`), if those of
    /// the table are wrong for this tenant's customers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub recipient_zones: BTreeMap<String, Zone>,
    /// The countries that may be written to. Empty: all.
    #[serde(default, skip_serializing_if = "UpTo::is_empty")]
    pub allowed_countries: UpTo<MAX_COUNTRIES, Country>,
    /// Values of `tenant.<name>` in templates: `phone`, `website`, `address`, `review_link`, … `tenant.name` always exists.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
    /// Retention of calls and messages, if it differs from the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
    /// Automatic answers to what its customers write, if they differ from the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<Answers>,
    /// Settings of its inbox, if they differ from the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inbox: Option<InboxSettings>,
    /// Settings of its orders, if they differ from the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orders: Option<OrderSettings>,
    /// Its caps, if it has set any. Otherwise [the usual ones](crate::money::usual_caps) apply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caps: Option<UpTo<MAX_CAPS, Cap>>,
    /// Its name in URLs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<Slug>,
    /// Its plan, as the operator names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// Limits of its plan, if they differ from the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// Time of the deletion of its data, while it is leaving.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaves_at: Option<Timestamp>,
    /// Raised by every change of the tenant, its rules, lines or connections, so that caches are refreshed.
    #[serde(default)]
    pub config_version: u64,
}

impl Tenant {
    /// A business with a name and a time zone, and defaults for everything else.
    pub const fn new(id: TenantId, name: String, time_zone: Zone) -> Self {
        Self {
            id,
            name,
            status: TenantStatus::Active,
            time_zone,
            default_region: None,
            languages: Vec::new(),
            business_hours: None,
            holidays: UpTo::new(),
            quiet_hours: None,
            stop_words: Vec::new(),
            start_words: Vec::new(),
            recipient_zones: BTreeMap::new(),
            allowed_countries: UpTo::new(),
            variables: BTreeMap::new(),
            retention: None,
            answers: None,
            inbox: None,
            orders: None,
            caps: None,
            slug: None,
            plan: None,
            limits: None,
            leaves_at: None,
            config_version: 0,
        }
    }

    /// Whether messages are sent for it.
    ///
    /// # Errors
    /// The reason why not.
    pub fn may_send(&self) -> Result<(), Refusal> {
        if self.status.is_active() {
            return Ok(());
        }
        Err(Refusal::new(Reason::Suspended, "the account is suspended"))
    }

    /// Time for which a paid order may wait to be shipped before it is late. `None`: however long.
    pub fn late_after(&self) -> Option<SignedDuration> {
        self.orders.unwrap_or_default().late_after()
    }

    /// Its country, as far as it is known.
    pub fn country(&self) -> Option<Country> {
        self.default_region.as_deref()?.parse().ok()
    }

    /// The value of `tenant.<name>`.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .or_else(|| (name == "name").then_some(self.name.as_str()))
    }
}

/// State of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "TenantState"))]
#[serde(rename_all = "snake_case")]
pub enum TenantStatus {
    /// The tenant can act and send messages.
    #[default]
    Active,
    /// Calls and messages are stored. Nothing is sent, and its users and keys are refused.
    Suspended,
    /// Suspended, and all data is deleted when the grace period ends.
    Leaving,
}

impl TenantStatus {
    /// Whether it may send, and its users and keys may act.
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Active)
    }
}

/// Limits of a tenant's plan, if they differ from the default, which is what a stranger who signed up may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// API requests per minute of one user or key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal_per_minute: Option<u32>,
    /// API requests per minute of the whole tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u32>,
    /// Messages per day and per month, in UTC: caps that the tenant cannot change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages_per_day: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages_per_month: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contacts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asset_megabytes: Option<u32>,
    /// Imports per day, in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imports_per_day: Option<u32>,
    /// Sockets that are open at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sockets: Option<u32>,
}

impl Limits {
    /// Maximum messages of a day and of a month.
    pub fn messages(&self) -> [u32; 2] {
        let day = self.messages_per_day.unwrap_or(10_000);
        [day, self.messages_per_month.unwrap_or(100_000)]
    }

    pub fn contacts(&self) -> u32 {
        self.contacts.unwrap_or(100_000)
    }

    /// Maximum megabytes of assets together, of a million bytes each.
    pub fn asset_megabytes(&self) -> u32 {
        self.asset_megabytes.unwrap_or(1_000)
    }

    /// Maximum imports of a day.
    pub fn imports_per_day(&self) -> u32 {
        self.imports_per_day.unwrap_or(20)
    }

    /// Maximum sockets that are open at once.
    pub fn sockets(&self) -> u32 {
        self.sockets.unwrap_or(60)
    }
}

/// Opening hours by weekday. Each span counts for the day of its beginning. A day without spans is closed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = serde_json::json!({
        "monday": [{"from": "09:00", "to": "13:00"}, {"from": "16:00", "to": "21:00"}],
        "friday": [{"from": "16:00", "to": "23:30"}],
    }))
)]
#[serde(deny_unknown_fields, default)]
pub struct BusinessHours {
    /// Spans that begin on Monday.
    pub monday: UpTo<MAX_SPANS, Span>,
    /// Spans that begin on Tuesday.
    pub tuesday: UpTo<MAX_SPANS, Span>,
    /// Spans that begin on Wednesday.
    pub wednesday: UpTo<MAX_SPANS, Span>,
    /// Spans that begin on Thursday.
    pub thursday: UpTo<MAX_SPANS, Span>,
    /// Spans that begin on Friday.
    pub friday: UpTo<MAX_SPANS, Span>,
    /// Spans that begin on Saturday.
    pub saturday: UpTo<MAX_SPANS, Span>,
    /// Spans that begin on Sunday.
    pub sunday: UpTo<MAX_SPANS, Span>,
}

impl BusinessHours {
    /// The spans that begin on this weekday.
    pub fn on(&self, day: Weekday) -> &[Span] {
        match day {
            Weekday::Monday => &self.monday,
            Weekday::Tuesday => &self.tuesday,
            Weekday::Wednesday => &self.wednesday,
            Weekday::Thursday => &self.thursday,
            Weekday::Friday => &self.friday,
            Weekday::Saturday => &self.saturday,
            Weekday::Sunday => &self.sunday,
        }
    }
}

/// Part of a day. If `to` is not after `from`, it ends on the next day: 18:00 to 02:00 crosses midnight, and 00:00 to 00:00 is
/// the whole day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// Local start time.
    pub from: LocalTime,
    /// Local end time.
    #[cfg_attr(feature = "schema", schemars(example = "18:00"))]
    pub to: LocalTime,
}

/// Days with other opening hours than usual.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// First day.
    #[cfg_attr(feature = "schema", schemars(example = "2026-12-02"))]
    pub from: Day,
    /// Last day. If omitted, the holiday is one day long.
    #[cfg_attr(feature = "schema", schemars(example = "2026-12-03"))]
    pub to: Option<Day>,
    /// Display name.
    #[cfg_attr(feature = "schema", schemars(example = "National Day"))]
    pub name: Option<OneLine<1, MAX_NAME_LENGTH>>,
    /// Opening hours on each of these days. Empty: closed.
    #[serde(default)]
    pub hours: UpTo<MAX_SPANS, Span>,
}

impl Holiday {
    /// Whether it covers this day.
    pub fn covers(&self, day: Date) -> bool {
        (self.from.get()..=self.to.unwrap_or(self.from).get()).contains(&day)
    }
}
