//! Models of requests and responses.

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

/// Path parameters of a tenant.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "it describes what `Path<TenantId>` reads")]
pub(crate) struct TenantPath {
    /// Id of the tenant
    #[param(example = "tnt_01hq5c1ynyc0000000000000ab")]
    tenant_id: String,
}

/// A tenant as the platform sees it, without what its customers say.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlatformTenantOut {
    /// Id of the tenant.
    #[schema(value_type = String, example = "tnt_01hq5c1ynyc0000000000000ab")]
    pub id: TenantId,
    /// Name of the business, as its customers know it.
    #[schema(example = "Joe's Pizza")]
    pub name: String,
    /// Name in URLs.
    #[schema(value_type = Option<String>, example = "joes-pizza")]
    pub slug: Option<Slug>,
    /// State of the tenant.
    pub status: PlatformTenantStatus,
    /// Plan, in the operator's words.
    #[schema(example = "standard")]
    pub plan: Option<String>,
    /// Limits of the plan that differ from the default.
    pub limits: LimitsModel,
    /// Time at which its data is deleted, during the grace period.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-12-20T10:00:00Z")]
    pub leaves_at: Option<Timestamp>,
    /// Time of creation.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T10:00:00Z")]
    pub created_at: Timestamp,
}

/// State of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlatformTenantStatus {
    /// The tenant can act and send messages.
    Active,
    /// Calls and messages are stored. Nothing is sent, and its users and keys are refused.
    Suspended,
    /// As suspended, and all data is deleted when the grace period ends.
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

/// Limits of a plan. Defaults: 100 requests per minute for a user or key, 1,000 for the tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsModel {
    /// API requests per minute of a user or key.
    #[garde(inner(range(min = 1, max = 100_000)))]
    #[schema(minimum = 1, maximum = 100_000, example = 100)]
    pub principal_per_minute: Option<u32>,
    /// API requests per minute of the whole tenant.
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

/// A new tenant.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PlatformTenantIn {
    /// Name of the business, as its customers know it.
    #[garde(length(chars, min = 1, max = 100), custom(api::one_line))]
    #[schema(min_length = 1, max_length = 100, example = "Joe's Pizza")]
    pub name: String,
    /// Unique name in URLs: 3 to 40 lower-case letters, digits and single hyphens.
    #[garde(skip)]
    #[schema(value_type = String, min_length = 3, max_length = 40, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", example = "joes-pizza")]
    pub slug: Slug,
    /// Time zone of the business, from the IANA database.
    #[garde(skip)]
    #[schema(value_type = String, max_length = 64, example = "Asia/Dubai")]
    pub time_zone: Zone,
    /// E-mail address of the first administrator, who is invited.
    #[garde(skip)]
    #[schema(value_type = String, format = Email, max_length = 254, example = "joe@example.com")]
    pub admin_email: Email,
    /// Language of the invitation (BCP 47).
    #[garde(inner(custom(api::language)))]
    #[serde(default)]
    #[schema(min_length = 2, max_length = 35, example = "en")]
    pub language: Option<String>,
    /// Plan, in the operator's words.
    #[garde(inner(length(chars, max = 50), custom(api::one_line)))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 50, example = "standard")]
    pub plan: Option<String>,
    /// Limits of the plan that differ from the default.
    #[garde(dive)]
    #[serde(default)]
    pub limits: LimitsModel,
}

/// Changes to a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PlatformTenantPatch {
    /// Plan, in the operator's words.
    #[garde(inner(length(chars, max = 50), custom(api::one_line)))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 50, example = "standard")]
    pub plan: Option<String>,
    /// Limits of the plan that differ from the default.
    #[garde(dive)]
    #[serde(default)]
    pub limits: LimitsModel,
}

/// Reason for the suspension of a tenant.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct SuspendIn {
    /// Reason, for the platform's log and the tenant's audit log.
    #[garde(length(chars, max = 200), custom(api::one_line))]
    #[schema(min_length = 1, max_length = 200, example = "invoice 1042 is unpaid")]
    pub reason: String,
}

/// A person to invite as administrator.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct InviteAdminIn {
    /// E-mail address.
    #[garde(skip)]
    #[schema(value_type = String, format = Email, max_length = 254, example = "joe@example.com")]
    pub email: Email,
    /// Language of the invitation (BCP 47).
    #[garde(inner(custom(api::language)))]
    #[serde(default)]
    #[schema(min_length = 2, max_length = 35, example = "en")]
    pub language: Option<String>,
}

/// A WhatsApp number to release.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ReleaseIn {
    /// Meta's id of the WhatsApp Business Account.
    #[garde(custom(meta_id))]
    #[schema(pattern = "^[0-9]{5,20}$", example = "102290129340398")]
    pub waba_id: String,
    /// Meta's id of the number, not the number itself.
    #[garde(custom(meta_id))]
    #[schema(pattern = "^[0-9]{5,20}$", example = "106540352242922")]
    pub phone_number_id: String,
    /// Reason, for the platform's log and the tenant that held the number.
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

/// Former holder of a WhatsApp number.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReleasedOut {
    /// Id of the tenant.
    #[schema(value_type = String, example = "tnt_01hq5c1ynyc0000000000000ab")]
    pub tenant: TenantId,
    /// Id of the connection.
    #[schema(value_type = String, example = "conn_01hq5c1ynyc0000000000000ab")]
    pub connection: ConnectionId,
}

/// Days of usage.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UsageQuery {
    /// First day, UTC. Default: 7 days before the last.
    #[param(value_type = Option<String>, format = Date, example = "2026-11-01")]
    #[serde(default)]
    pub from: Option<jiff::civil::Date>,
    /// Last day, UTC. Default: today.
    #[param(value_type = Option<String>, format = Date, example = "2026-11-20")]
    #[serde(default)]
    pub to: Option<jiff::civil::Date>,
}

/// Usage of a tenant by day.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsageOut {
    /// One entry per day, oldest first.
    pub days: Vec<DayUsageOut>,
}

/// Usage of a tenant on a day.
#[derive(Debug, Serialize, ToSchema)]
pub struct DayUsageOut {
    /// Day, UTC.
    #[schema(value_type = String, format = Date, example = "2026-11-20")]
    pub day: jiff::civil::Date,
    /// Number of calls by outcome and of messages by state.
    #[schema(value_type = std::collections::BTreeMap<String, u64>, example = json!({"calls.missed": 12, "messages.delivered": 11}))]
    pub counts: std::collections::BTreeMap<String, u64>,
}

/// Month of the platform's log.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LogQuery {
    /// Any day of the month, UTC. Default: the current month.
    #[param(value_type = Option<String>, format = Date, example = "2026-11-01")]
    #[serde(default)]
    pub month: Option<jiff::civil::Date>,
}

/// An entry of the platform's log.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlatformActOut {
    /// Action: `tenant_created`, `tenant_changed`, `tenant_suspended`, `tenant_resumed`, `tenant_leaving`, `tenant_kept`,
    /// `admin_invited`, `number_released`, `platform_admin_made`, `platform_admin_removed`, `tenant_deleted`.
    #[schema(example = "tenant_suspended")]
    pub action: String,
    /// Id of the tenant or user concerned.
    #[schema(value_type = Option<String>, example = "tnt_01hq5c1ynyc0000000000000ab")]
    pub tenant: Option<TenantId>,
    /// Actor: `platform:usr_…` or `operator`.
    #[schema(example = "platform:usr_01hq5c1ynyc0000000000000ab")]
    pub actor: String,
    /// Time of the action.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T10:00:00Z")]
    pub at: Timestamp,
    /// Correlation id of the request.
    #[schema(example = "01hq5c1ynyc0000000000000ab")]
    pub correlation_id: String,
    /// Details of the action.
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
