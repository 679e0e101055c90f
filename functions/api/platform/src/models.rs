//! What the platform's operations take and give.

use domain::{
    account::{Email, Slug},
    ids::{ConnectionId, TenantId},
    tenant::{Limits, Tenant, TenantStatus},
    zone::Zone,
};
use garde::Validate;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::platform::PlatformAct;
use utoipa::{IntoParams, ToSchema};

/// Which tenant.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "it describes what `Path<TenantId>` reads")]
pub(crate) struct TenantPath {
    /// The tenant's id
    #[param(example = "tnt_01hq5c1ynyc0000000000000ab")]
    tenant: String,
}

/// A tenant as the platform sees it: never what its customers say.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlatformTenantOut {
    /// The tenant.
    #[schema(value_type = String, example = "tnt_01hq5c1ynyc0000000000000ab")]
    pub id: TenantId,
    /// As its customers know it.
    #[schema(example = "Joe's Pizza")]
    pub name: String,
    /// Its name in URLs.
    #[schema(value_type = Option<String>, example = "joes-pizza")]
    pub slug: Option<Slug>,
    /// Whether it may act and send.
    pub status: PlatformTenantStatus,
    /// The plan it is on, in the operator's words.
    #[schema(example = "standard")]
    pub plan: Option<String>,
    /// What its plan allows, where that differs from the usual.
    pub limits: LimitsModel,
    /// When its data goes, while it is leaving.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-12-20T10:00:00Z")]
    pub leaves_at: Option<Timestamp>,
    /// When it was founded.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T10:00:00Z")]
    pub created_at: Timestamp,
}

/// Whether a tenant may act and send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlatformTenantStatus {
    /// It may.
    Active,
    /// Calls and messages are stored; nothing is sent, nobody of it may act.
    Suspended,
    /// As suspended, and all its data goes when the grace period ends.
    Leaving,
}

impl From<&Tenant> for PlatformTenantOut {
    fn from(tenant: &Tenant) -> Self {
        let created = i64::try_from(tenant.id.ulid().timestamp_ms()).unwrap_or_default();
        Self {
            id: tenant.id,
            name: tenant.name.clone(),
            slug: tenant.slug.clone(),
            status: match tenant.status {
                TenantStatus::Active => PlatformTenantStatus::Active,
                TenantStatus::Suspended => PlatformTenantStatus::Suspended,
                TenantStatus::Leaving => PlatformTenantStatus::Leaving,
            },
            plan: tenant.plan.clone(),
            limits: tenant.limits.unwrap_or_default().into(),
            leaves_at: tenant.leaves_at,
            created_at: Timestamp::from_millisecond(created).unwrap_or_default(),
        }
    }
}

/// What a plan allows; what is not given is the usual: 100 requests a minute for a person or key, 1,000 for the tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsModel {
    /// API requests a minute of one person or key.
    #[garde(inner(range(min = 1, max = 100_000)))]
    #[schema(minimum = 1, maximum = 100_000, example = 100)]
    pub principal_per_minute: Option<u32>,
    /// API requests a minute of the whole tenant.
    #[garde(inner(range(min = 1, max = 1_000_000)))]
    #[schema(minimum = 1, maximum = 1_000_000, example = 1_000)]
    pub requests_per_minute: Option<u32>,
}

impl From<Limits> for LimitsModel {
    fn from(limits: Limits) -> Self {
        Self {
            principal_per_minute: limits.principal_per_minute,
            requests_per_minute: limits.requests_per_minute,
        }
    }
}

impl From<LimitsModel> for Limits {
    fn from(limits: LimitsModel) -> Self {
        Self {
            principal_per_minute: limits.principal_per_minute,
            requests_per_minute: limits.requests_per_minute,
        }
    }
}

/// A tenant to be founded.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PlatformTenantIn {
    /// As its customers know it.
    #[garde(length(chars, min = 1, max = 100), custom(api::one_line))]
    #[schema(min_length = 1, max_length = 100, example = "Joe's Pizza")]
    pub name: String,
    /// Its name in URLs: 3 to 40 lower-case letters, digits and single hyphens.
    #[garde(skip)]
    #[schema(value_type = String, min_length = 3, max_length = 40, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", example = "joes-pizza")]
    pub slug: Slug,
    /// Where it is, by its name in the IANA database.
    #[garde(skip)]
    #[schema(value_type = String, max_length = 64, example = "Asia/Dubai")]
    pub time_zone: Zone,
    /// Who is invited as its first administrator.
    #[garde(skip)]
    #[schema(value_type = String, format = Email, max_length = 254, example = "joe@example.com")]
    pub admin_email: Email,
    /// BCP 47 language of the invitation.
    #[garde(inner(custom(api::language)))]
    #[serde(default)]
    #[schema(min_length = 2, max_length = 35, example = "en")]
    pub language: Option<String>,
    /// The plan it is on, in the operator's words.
    #[garde(inner(length(chars, max = 50), custom(api::one_line)))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 50, example = "standard")]
    pub plan: Option<String>,
    /// What its plan allows, where that differs from the usual.
    #[garde(dive)]
    #[serde(default)]
    pub limits: LimitsModel,
}

/// What an operator changes of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PlatformTenantPatch {
    /// The plan it is on, in the operator's words.
    #[garde(inner(length(chars, max = 50), custom(api::one_line)))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 50, example = "standard")]
    pub plan: Option<String>,
    /// What its plan allows, where that differs from the usual.
    #[garde(dive)]
    #[serde(default)]
    pub limits: LimitsModel,
}

/// Why a tenant is suspended.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct SuspendIn {
    /// For the platform's log and the tenant's.
    #[garde(length(chars, max = 200), custom(api::one_line))]
    #[schema(min_length = 1, max_length = 200, example = "invoice 1042 is unpaid")]
    pub reason: String,
}

/// Who is invited as an administrator.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct InviteAdminIn {
    /// Their address.
    #[garde(skip)]
    #[schema(value_type = String, format = Email, max_length = 254, example = "joe@example.com")]
    pub email: Email,
    /// BCP 47 language of the invitation.
    #[garde(inner(custom(api::language)))]
    #[serde(default)]
    #[schema(min_length = 2, max_length = 35, example = "en")]
    pub language: Option<String>,
}

/// A WhatsApp number to be released.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ReleaseIn {
    /// Meta's id of the account.
    #[garde(custom(meta_id))]
    #[schema(pattern = "^[0-9]{5,20}$", example = "102290129340398")]
    pub waba_id: String,
    /// Meta's id of the number; not the number itself.
    #[garde(custom(meta_id))]
    #[schema(pattern = "^[0-9]{5,20}$", example = "106540352242922")]
    pub phone_number_id: String,
    /// For the platform's log and the tenant that held it.
    #[garde(length(chars, max = 200), custom(api::one_line))]
    #[schema(min_length = 1, max_length = 200, example = "the business has closed")]
    pub reason: String,
}

fn meta_id(text: &str, _: &()) -> garde::Result {
    if domain::account_shape::is_meta_id(text) {
        Ok(())
    } else {
        Err(garde::Error::new("must be Meta's id, 5 to 20 digits"))
    }
}

/// Who held a WhatsApp number.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReleasedOut {
    /// The tenant.
    #[schema(value_type = String, example = "tnt_01hq5c1ynyc0000000000000ab")]
    pub tenant: TenantId,
    /// Its connection.
    #[schema(value_type = String, example = "conn_01hq5c1ynyc0000000000000ab")]
    pub connection: ConnectionId,
}

/// Which days of use.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UsageQuery {
    /// The first day, UTC. Without it: 7 days before the last.
    #[param(value_type = Option<String>, format = Date, example = "2026-11-01")]
    #[serde(default)]
    pub from: Option<jiff::civil::Date>,
    /// The last day, UTC. Without it: today.
    #[param(value_type = Option<String>, format = Date, example = "2026-11-20")]
    #[serde(default)]
    pub to: Option<jiff::civil::Date>,
}

/// A tenant's use, by day.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsageOut {
    /// One entry a day, the first day first.
    pub days: Vec<DayUsageOut>,
}

/// What a tenant used on a day.
#[derive(Debug, Serialize, ToSchema)]
pub struct DayUsageOut {
    /// The day, UTC.
    #[schema(value_type = String, format = Date, example = "2026-11-20")]
    pub day: jiff::civil::Date,
    /// How often each thing happened: calls by outcome, messages by state.
    #[schema(value_type = std::collections::BTreeMap<String, u64>, example = json!({"calls.missed": 12, "messages.delivered": 11}))]
    pub counts: std::collections::BTreeMap<String, u64>,
}

/// Which month of the platform's log.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LogQuery {
    /// Any day of the month, UTC. Without it: this month.
    #[param(value_type = Option<String>, format = Date, example = "2026-11-01")]
    #[serde(default)]
    pub month: Option<jiff::civil::Date>,
}

/// What an operator did.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlatformActOut {
    /// What: `tenant_created`, `tenant_changed`, `tenant_suspended`, `tenant_resumed`, `tenant_leaving`, `tenant_kept`, `admin_invited`,
    /// `number_released`, `platform_admin_made`, `platform_admin_removed`, `tenant_deleted`.
    #[schema(example = "tenant_suspended")]
    pub action: String,
    /// To whom.
    #[schema(value_type = Option<String>, example = "tnt_01hq5c1ynyc0000000000000ab")]
    pub tenant: Option<TenantId>,
    /// By whom: `platform:usr_…` or `operator`.
    #[schema(example = "platform:usr_01hq5c1ynyc0000000000000ab")]
    pub actor: String,
    /// When.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T10:00:00Z")]
    pub at: Timestamp,
    /// In which request.
    #[schema(example = "01hq5c1ynyc0000000000000ab")]
    pub correlation_id: String,
    /// What became of it.
    #[schema(value_type = Object, example = json!({"reason": "invoice 1042 is unpaid"}))]
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
