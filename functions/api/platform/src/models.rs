//! Models of requests and responses.

use api::{Patchable, Tagged};
use domain::messages::TrackedEnd;
use domain::money::PriceBook;
use domain::tenants::whatsapp::MetaId;
use domain::tenants::{Limits, Tenant, TenantStatus};
use domain::terms::{
    ConnectionId, Email, Language, MAX_NAME_LENGTH, MessageId, OneLine, Slug, TenantId, Whole, Zone, fold,
};
use jiff::Timestamp;
use kit::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::Versioned;
use store::tenants::PlatformAct;

/// Conditions of the list of tenants.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantsQuery {
    /// Only tenants with this text in their name, or in their name in URLs, whatever its case and accents.
    #[schemars(example = &"pizza")]
    pub name: Option<OneLine<1, MAX_NAME_LENGTH>>,
    /// Only tenants in this state.
    #[schemars(example = &"suspended")]
    pub status: Option<TenantStatus>,
}

impl TenantsQuery {
    /// Whether there are no conditions.
    pub(crate) const fn lists_all(&self) -> bool {
        self.name.is_none() && self.status.is_none()
    }

    /// Whether the tenant fulfils the conditions.
    pub(crate) fn admits(&self, tenant: &Tenant) -> bool {
        let has = |sought: &str| {
            let sought = fold(sought);
            let slug = tenant.slug.as_ref().map(Slug::as_str);
            fold(&tenant.name).contains(&sought) || slug.is_some_and(|slug| slug.contains(&sought))
        };
        self.status.is_none_or(|status| status == tenant.status)
            && self.name.as_ref().is_none_or(|name| has(name.as_str()))
    }
}

/// A tenant as platform administrators see it, without its calls and messages.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PlatformTenantOut {
    /// Id of the tenant.
    pub id: TenantId,
    /// Name of the business, as its customers know it.
    #[schemars(example = &"Joe's Pizza")]
    pub name: String,
    /// Name in URLs.
    #[schemars(example = "joes-pizza")]
    pub slug: Option<Slug>,
    /// State of the tenant.
    pub status: TenantStatus,
    /// Name of the plan, chosen by the operator.
    #[schemars(example = &"standard")]
    pub plan: Option<String>,
    /// Limits of the plan that differ from the default.
    pub limits: LimitsModel,
    /// Time of the deletion of its data, during the grace period.
    #[schemars(example = "2026-12-20T10:00:00Z")]
    pub leaves_at: Option<Timestamp>,
    /// Time of creation.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    pub created_at: Timestamp,
}

impl From<&Tenant> for PlatformTenantOut {
    fn from(tenant: &Tenant) -> Self {
        let created = i64::try_from(tenant.id.ulid().timestamp_ms()).unwrap_or_default();
        Self {
            id: tenant.id,
            name: tenant.name.clone(),
            slug: tenant.slug.clone(),
            status: tenant.status,
            plan: tenant.plan.clone(),
            limits: tenant.limits.unwrap_or_default().into(),
            leaves_at: tenant.leaves_at,
            created_at: Timestamp::from_millisecond(created).unwrap_or_default(),
        }
    }
}

/// Limits of a plan. Defaults: 100 requests per minute for a user or key, 1,000 for the tenant; 10,000 messages per day and 100,000 per
/// month; 100,000 contacts, 1,000 megabytes of assets, 20 imports per day, 60 sockets at once. Days and months are in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsModel {
    /// API requests per minute of a user or key.
    #[schemars(example = 100)]
    pub principal_per_minute: Option<Whole<1, 100_000>>,
    /// API requests per minute of the whole tenant.
    #[schemars(example = 1_000)]
    pub requests_per_minute: Option<Whole<1, 1_000_000>>,
    /// Messages per day, as a cap that the tenant cannot change. Replies, automatic answers and one-time codes are not counted.
    #[schemars(example = 100_000)]
    pub messages_per_day: Option<Whole<0, 1_000_000_000>>,
    /// Messages per month, likewise.
    #[schemars(example = 1_000_000)]
    pub messages_per_month: Option<Whole<0, 1_000_000_000>>,
    /// Contacts beyond which none are created by the API or imported. Callers and people who write become contacts all the same.
    #[schemars(example = 1_000_000)]
    pub contacts: Option<Whole<0, 1_000_000_000>>,
    /// Megabytes (of a million bytes) of all assets together.
    #[schemars(example = 10_000)]
    pub asset_megabytes: Option<Whole<0, 1_000_000>>,
    /// Imports that are created per day.
    #[schemars(example = 200)]
    pub imports_per_day: Option<Whole<0, 100_000>>,
    /// Sockets for live events that are open at once. A person and a key have at most 10 each.
    #[schemars(example = 200)]
    pub sockets: Option<Whole<0, 2_000>>,
}

impl From<Limits> for LimitsModel {
    fn from(limits: Limits) -> Self {
        Self {
            principal_per_minute: limits.principal_per_minute.and_then(Whole::new),
            requests_per_minute: limits.requests_per_minute.and_then(Whole::new),
            messages_per_day: limits.messages_per_day.and_then(Whole::new),
            messages_per_month: limits.messages_per_month.and_then(Whole::new),
            contacts: limits.contacts.and_then(Whole::new),
            asset_megabytes: limits.asset_megabytes.and_then(Whole::new),
            imports_per_day: limits.imports_per_day.and_then(Whole::new),
            sockets: limits.sockets.and_then(Whole::new),
        }
    }
}

impl From<LimitsModel> for Limits {
    fn from(limits: LimitsModel) -> Self {
        Self {
            principal_per_minute: limits.principal_per_minute.map(Whole::get),
            requests_per_minute: limits.requests_per_minute.map(Whole::get),
            messages_per_day: limits.messages_per_day.map(Whole::get),
            messages_per_month: limits.messages_per_month.map(Whole::get),
            contacts: limits.contacts.map(Whole::get),
            asset_megabytes: limits.asset_megabytes.map(Whole::get),
            imports_per_day: limits.imports_per_day.map(Whole::get),
            sockets: limits.sockets.map(Whole::get),
        }
    }
}

/// Name of a plan.
pub type Plan = OneLine<1, 50>;

/// A new tenant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlatformTenantIn {
    /// Name of the business, as its customers know it.
    #[schemars(example = &"Joe's Pizza")]
    pub name: OneLine<1, MAX_NAME_LENGTH>,
    /// Unique name in URLs: 3 to 40 lower-case letters, digits and single hyphens.
    #[schemars(
        length(min = 3, max = 40),
        regex(pattern = "^[a-z0-9]+(-[a-z0-9]+)*$"),
        example = "joes-pizza"
    )]
    pub slug: Slug,
    /// Time zone of the business, from the IANA database.
    pub time_zone: Zone,
    /// E-mail address of the first administrator, who is invited.
    #[schemars(example = "joe@example.com")]
    pub admin_email: Email,
    /// Language of the invitation (BCP 47).
    pub language: Option<Language>,
    /// Name of the plan, chosen by the operator.
    #[schemars(example = &"standard")]
    pub plan: Option<Plan>,
    /// Limits of the plan that differ from the default.
    #[serde(default)]
    pub limits: LimitsModel,
}

/// Changes to a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlatformTenantPatch {
    /// Name of the plan, chosen by the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"standard")]
    pub plan: Option<Plan>,
    /// Limits of the plan that differ from the default.
    #[serde(default)]
    pub limits: LimitsModel,
}

impl Patchable for PlatformTenantPatch {
    type Of = Tenant;

    fn of(tenant: &Tenant) -> Self {
        Self {
            plan: tenant.plan.as_deref().map(Plan::from_stored),
            limits: tenant.limits.unwrap_or_default().into(),
        }
    }

    fn onto(self, before: &Tenant) -> Result<Tenant, Problem> {
        Ok(Tenant {
            plan: self.plan.map(String::from),
            limits: own_limits(self.limits),
            ..before.clone()
        })
    }
}

/// Limits that differ from the default, if any do.
pub(crate) fn own_limits(limits: LimitsModel) -> Option<Limits> {
    Some(Limits::from(limits)).filter(|limits| *limits != Limits::default())
}

/// Reason for the suspension of a tenant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuspendIn {
    /// Reason, for the platform's log and the tenant's audit log.
    #[schemars(example = "invoice 1042 is unpaid")]
    pub reason: OneLine<1, 200>,
}

/// A person to invite as administrator.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteAdminIn {
    /// E-mail address.
    #[schemars(example = "joe@example.com")]
    pub email: Email,
    /// Language of the invitation (BCP 47).
    pub language: Option<Language>,
}

/// A WhatsApp number to release.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseIn {
    /// Meta's id of the WhatsApp Business Account.
    #[schemars(example = "102290129340398")]
    pub waba_id: MetaId,
    /// Meta's id of the number, not the number itself.
    #[schemars(example = "106540352242922")]
    pub phone_number_id: MetaId,
    /// Reason, for the platform's log and the tenant that held the number.
    #[schemars(example = "the business has closed")]
    pub reason: OneLine<1, 200>,
}

/// Former holder of a WhatsApp number.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReleasedOut {
    /// Id of the tenant.
    pub tenant: TenantId,
    /// Id of the connection.
    pub connection: ConnectionId,
}

/// A tracked link that somebody reports.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportedLinkIn {
    /// The link: the whole, or what follows its host.
    #[schemars(example = "https://api.example.com/l/0123456789abcdef0")]
    pub link: OneLine<1, { TrackedEnd::MAX_LINK }>,
}

/// The tenant and message of a tracked link.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReportedLinkOut {
    /// Id of the tenant.
    pub tenant: TenantId,
    /// Id of the message that carries it.
    pub message: MessageId,
    /// Page behind the link.
    #[schemars(example = "https://saffron.example/cake")]
    pub page: String,
    /// Time of creation.
    pub created_at: Timestamp,
}

/// A tracked link to turn off.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TurnOffLinkIn {
    /// The link: the whole, or what follows its host. All links of its message are turned off.
    #[schemars(example = "https://api.example.com/l/0123456789abcdef0")]
    pub link: OneLine<1, { TrackedEnd::MAX_LINK }>,
    /// Reason, for the platform's log.
    #[schemars(example = "it imitates a bank")]
    pub reason: OneLine<1, 200>,
}

/// Days of usage.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UsageQuery {
    /// First day, UTC. Default: 7 days before the last.
    #[schemars(example = "2026-11-01")]
    pub from: Option<jiff::civil::Date>,
    /// Last day, UTC. Default: today.
    #[schemars(example = "2026-11-20")]
    pub to: Option<jiff::civil::Date>,
}

/// Usage of a tenant by day.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UsageOut {
    /// Usage by day, oldest first.
    pub days: Vec<DayUsageOut>,
}

/// Usage of a tenant on a day.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DayUsageOut {
    /// Day, UTC.
    #[schemars(example = "2026-11-20")]
    pub day: jiff::civil::Date,
    /// Counts by name: of calls by outcome, of messages by channel, purpose and state, and of what providers bill.
    #[schemars(example = json!({"calls_missed": 12, "delivered_whatsapp": 11}))]
    pub counts: std::collections::BTreeMap<String, u64>,
}

/// Prices of messages.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PlatformPricesOut {
    /// True if an operator replaced the prices that come with the version of the software.
    pub replaced: bool,
    /// The prices.
    pub prices: PriceBook,
}

impl PlatformPricesOut {
    /// The prices that come with the version.
    pub(crate) fn shipped_prices() -> Tagged<Self> {
        let body = Self {
            replaced: false,
            prices: PriceBook::shipped_prices().clone(),
        };
        Tagged { version: 0, body }
    }

    /// The prices of an operator.
    pub(crate) fn given_prices(given: Versioned<PriceBook>) -> Tagged<Self> {
        let Versioned { version, value } = given;
        let body = Self {
            replaced: true,
            prices: value,
        };
        Tagged { version, body }
    }
}

/// Month of the platform's log.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogQuery {
    /// Any day of the month, UTC. Default: the current month.
    #[schemars(example = "2026-11-01")]
    pub month: Option<jiff::civil::Date>,
}

/// An entry of the platform's log.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PlatformActOut {
    /// Action: `tenant_created`, `tenant_changed`, `tenant_suspended`, `tenant_resumed`, `tenant_leaving`,
    /// `tenant_deletion_cancelled`, `tenant_deleted`, `admin_invited`, `number_released`, `prices_replaced`, `prices_restored`,
    /// `platform_admin_made`, `platform_admin_removed`.
    #[schemars(example = &"tenant_suspended")]
    pub action: String,
    /// Id of the tenant or user concerned.
    pub tenant: Option<TenantId>,
    /// Actor: `platform:usr_…` or `operator`.
    #[schemars(example = "platform:usr_01hq5c1ynyc0000000000000ab")]
    pub actor: String,
    /// Time of the action.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    pub at: Timestamp,
    /// Correlation id of the request.
    #[schemars(example = "01hq5c1ynyc0000000000000ab")]
    pub correlation_id: String,
    /// Details of the action.
    #[schemars(
        with = "serde_json::Map<String, serde_json::Value>",
        example = json!({"reason": "invoice 1042 is unpaid"})
    )]
    pub detail: serde_json::Value,
}

impl From<PlatformAct> for PlatformActOut {
    fn from(act: PlatformAct) -> Self {
        Self {
            action: act.action,
            tenant: act.tenant,
            actor: act.by.actor.to_string(),
            at: act.by.at,
            correlation_id: act.by.correlation_id,
            detail: act.detail,
        }
    }
}
