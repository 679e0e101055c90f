//! Tenants: the businesses, with their hours, their words and what fills their templates.

use std::{collections::BTreeMap, fmt, str::FromStr};

use jiff::{
    Timestamp,
    civil::{Date, Time, Weekday},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

use crate::{
    account::Slug,
    checkup::CheckResult,
    connection::{Account, Connection, Health},
    ids::{ConnectionId, TenantId},
    message::Channel,
    rule::Rule,
    settings::Retention,
    template::{Product, TemplateDefinition},
};

/// A business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// The tenant.
    pub id: TenantId,
    /// As its customers know it.
    pub name: String,
    /// Whether it may send.
    #[serde(default)]
    pub status: TenantStatus,
    /// Where it is.
    pub time_zone: Zone,
    /// ISO 3166 code of the country in which numbers without a country code are read, such as `AE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_region: Option<String>,
    /// BCP 47 languages of its customers, the usual one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
    /// When it is open. Not given: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business_hours: Option<BusinessHours>,
    /// Days with other hours, or none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<Holiday>,
    /// When its customers are left in peace. A rule may have its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
    /// Its own words for "no more messages". Those of several words count inside a sentence too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stop_words: Vec<String>,
    /// Its own words for "messages again, please".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub start_words: Vec<String>,
    /// Time zones of recipients by calling code (`"1"`, `"971"`), where the main one of the country is wrong for this
    /// tenant's customers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub recipient_zones: BTreeMap<String, Zone>,
    /// What `tenant.<name>` stands for in templates: `phone`, `website`, `address`, `review_link`, … `tenant.name` is always
    /// there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
    /// How long it keeps what happened, where that differs from the usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
    /// Its name in URLs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<Slug>,
    /// The plan it is on, in the operator's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// What its plan allows, where that differs from the usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// When its data goes, while it is leaving.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaves_at: Option<Timestamp>,
    /// Raised by every change of the tenant, its rules, templates, products or connections, so that caches notice.
    #[serde(default)]
    pub config_version: u64,
}

impl Tenant {
    /// A business of which nothing is known but its name and where it is.
    #[must_use]
    pub const fn new(id: TenantId, name: String, time_zone: Zone) -> Self {
        Self {
            id,
            name,
            status: TenantStatus::Active,
            time_zone,
            default_region: None,
            languages: Vec::new(),
            business_hours: None,
            holidays: Vec::new(),
            quiet_hours: None,
            stop_words: Vec::new(),
            start_words: Vec::new(),
            recipient_zones: BTreeMap::new(),
            variables: BTreeMap::new(),
            retention: None,
            slug: None,
            plan: None,
            limits: None,
            leaves_at: None,
            config_version: 0,
        }
    }

    /// The value of `tenant.<name>`.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .or_else(|| (name == "name").then_some(self.name.as_str()))
    }
}

/// Whether a tenant may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantStatus {
    /// It may.
    #[default]
    Active,
    /// Calls and messages are stored; nothing is sent.
    Suspended,
    /// As suspended, and all its data goes when the grace period ends.
    Leaving,
}

impl TenantStatus {
    /// Whether it may send, and its people and software may act.
    #[must_use]
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Active)
    }
}

/// What a tenant's plan allows, where that differs from the usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// API requests a minute of one person or key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal_per_minute: Option<u32>,
    /// API requests a minute of the whole tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u32>,
}

/// A time zone of the IANA database, written by its name.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// A text that is not the name of a time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a time zone of the IANA database, such as Asia/Dubai")]
pub struct InvalidZone;

impl Zone {
    /// The rules of the zone.
    #[must_use]
    pub const fn rules(&self) -> &TimeZone {
        &self.0
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }
}

impl FromStr for Zone {
    type Err = InvalidZone;

    fn from_str(name: &str) -> Result<Self, InvalidZone> {
        let zone = TimeZone::get(name).map_err(|_| InvalidZone)?;
        // `Etc/Unknown` is a name too, but of no place.
        if zone.iana_name().is_none() || zone.is_unknown() {
            return Err(InvalidZone);
        }
        Ok(Self(zone))
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Zone {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// When a business is open, by the day on which each span begins.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BusinessHours {
    /// Mondays.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub monday: Vec<Span>,
    /// Tuesdays.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tuesday: Vec<Span>,
    /// Wednesdays.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub wednesday: Vec<Span>,
    /// Thursdays.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub thursday: Vec<Span>,
    /// Fridays.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub friday: Vec<Span>,
    /// Saturdays.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub saturday: Vec<Span>,
    /// Sundays.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sunday: Vec<Span>,
}

impl BusinessHours {
    /// The spans that begin on this day of the week.
    #[must_use]
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

/// Part of a day, `from` included, `to` not. Where `to` is not after `from` it ends on the next day: 18:00 to 02:00 crosses
/// midnight, 00:00 to 00:00 is the whole day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// Local time at which it begins.
    pub from: Time,
    /// Local time at which it ends.
    pub to: Time,
}

/// Days on which the usual hours do not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// The first day.
    pub from: Date,
    /// The last day. Not given: one day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it is open on each of these days. None: closed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hours: Vec<Span>,
}

impl Holiday {
    /// Whether it covers this day.
    #[must_use]
    pub fn covers(&self, day: Date) -> bool {
        (self.from..=self.to.unwrap_or(self.from)).contains(&day)
    }
}

/// A part of every day, in the recipient's time zone, in which people are left in peace. Crosses midnight where `to` is before
/// `from`; none at all where they are equal, which was written before it was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    /// Local time at which they begin.
    pub from: Time,
    /// Local time at which they end.
    pub to: Time,
    /// What happens to a message then.
    #[serde(default)]
    pub action: QuietAction,
}

impl QuietHours {
    /// What is wrong with them, for whoever wrote them: who means the whole day by equal times would get the opposite.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let at = self.from.strftime("%H:%M");
        let none = || format!("Quiet hours from {at} to {at} would be none. Set another time, or leave them out.");
        (self.from == self.to).then(none)
    }
}

/// What happens to a message in quiet hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuietAction {
    /// It waits until they end.
    #[default]
    Defer,
    /// It goes out all the same.
    Send,
    /// It is not sent at all.
    Skip,
}

/// All that decisions about a tenant's calls and messages need, read together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantConfig {
    /// The tenant.
    pub tenant: Tenant,
    /// Its rules, in any order.
    pub rules: Vec<Rule>,
    /// Its templates, in every language.
    pub templates: Vec<TemplateDefinition>,
    /// Its products.
    pub products: Vec<Product>,
    /// Its connections.
    pub connections: Vec<ConnectionSummary>,
}

/// What planning, and the list of what is still to be set up, need to know of a connection. A change of it raises the tenant's
/// version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionSummary {
    /// The connection.
    pub id: ConnectionId,
    /// For people.
    pub name: String,
    /// The channels that it sends.
    pub carries: Vec<Channel>,
    /// It names templates by Twilio's content id instead of Meta's name.
    #[serde(default)]
    pub needs_content_sid: bool,
    /// The provider, as in [`Account::kind`].
    #[serde(default)]
    pub kind: String,
    /// What came of its last test, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tested: Option<CheckResult>,
    /// As [`Connection::awaits_secret`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub awaits_secret: bool,
    /// Why the provider refuses it, while it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unhealthy: Option<String>,
}

impl ConnectionSummary {
    /// Whether it reports calls. Twilio does for its numbers.
    #[must_use]
    pub fn reports_calls(&self) -> bool {
        self.kind != "whatsapp"
    }
}

impl From<&Connection> for ConnectionSummary {
    fn from(connection: &Connection) -> Self {
        Self {
            id: connection.id,
            name: connection.name.clone(),
            carries: [Channel::WhatsApp, Channel::Sms]
                .into_iter()
                .filter(|channel| connection.carries(*channel))
                .collect(),
            needs_content_sid: matches!(connection.account, Account::Twilio { .. }),
            kind: connection.account.kind().to_owned(),
            tested: connection.checkup.as_ref().map(|checkup| checkup.result),
            awaits_secret: connection.awaits_secret,
            unhealthy: match &connection.health {
                Health::Healthy => None,
                Health::Unhealthy { reason, .. } => Some(reason.clone()),
            },
        }
    }
}

impl TenantConfig {
    /// A product by its id.
    #[must_use]
    pub fn product(&self, id: &str) -> Option<&Product> {
        self.products.iter().find(|product| product.id == id)
    }

    /// What is wrong with it, in sentences for whoever wrote it. Empty: nothing.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let of_rule = |rule: &Rule| {
            let named = |problem| format!("rule {:?}: {problem}", rule.name);
            rule.problems(self).into_iter().map(named).collect::<Vec<_>>()
        };
        let mut problems: Vec<String> = self.rules.iter().flat_map(of_rule).collect();
        problems.extend(self.tenant.problems().iter().map(ToString::to_string));
        let mut ids: Vec<_> = self.rules.iter().map(|rule| rule.id).collect();
        ids.sort_unstable();
        if ids.windows(2).any(|pair| pair[0] == pair[1]) {
            problems.push("two rules have the same id".to_owned());
        }
        problems
    }
}
