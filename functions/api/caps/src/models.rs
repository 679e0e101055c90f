use domain::money::{Cap, CapName, Counts, Currency, Period, Scope, hour_of};
use domain::terms::{Country, LineId, Purpose, Whole};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Maximum of a cap.
const LARGEST: u32 = 1_000_000_000;

/// Settings of a cap.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CapSetting")]
pub(crate) struct CapIn {
    /// Name of the cap.
    pub cap: CapName,
    /// Maximum number of messages, or, of a cap of money, of the smallest units of its currency, such as cents. 0: no messages.
    #[schemars(example = 300)]
    pub maximum: Whole<0, LARGEST>,
}

/// Where a cap applies.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CapScope {
    /// All messages.
    Tenant,
    /// Messages from a line.
    Line,
    /// Messages to numbers of a country.
    Country,
    /// Messages to countries of none of the tenant's lines.
    Abroad,
}

/// A cap.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Cap")]
pub(crate) struct CapOut {
    /// Name of the cap.
    cap: CapName,
    /// Counted unit and period.
    period: Period,
    /// Where it applies.
    scope: CapScope,
    /// The line, if it applies to one.
    line_id: Option<LineId>,
    /// The country, if it applies to one.
    country: Option<Country>,
    /// The purpose of the messages that it is for. `null`: all but replies, automatic answers and codes.
    purpose: Option<Purpose>,
    /// The currency by ISO 4217, of a cap of money.
    currency: Option<Currency>,
    /// True for a cap of the plan, which the tenant cannot change.
    of_plan: bool,
    /// Maximum number of messages, or, of a cap of money, of the smallest units of its currency, such as cents. 0: no messages.
    #[schemars(example = 300)]
    maximum: u32,
    /// Present count in the same unit, rounded up: messages of the current period that were sent, or whose outcome is not known yet. A
    /// cap of money counts their cost or, until the provider reports it, their expected cost.
    #[schemars(example = 12)]
    counted: u64,
    /// End of the current period.
    resets_at: Timestamp,
}

impl CapOut {
    pub(crate) fn of(cap: &Cap, counts: &Counts, now: Timestamp) -> Self {
        let (scope, line_id, country) = match cap.scope {
            Scope::Tenant => (CapScope::Tenant, None, None),
            Scope::Line(line) => (CapScope::Line, Some(line), None),
            Scope::Country(country) => (CapScope::Country, None, Some(country)),
            Scope::Abroad => (CapScope::Abroad, None, None),
        };
        Self {
            cap: cap.name(),
            period: cap.period,
            scope,
            line_id,
            country,
            purpose: cap.purpose,
            currency: cap.currency.clone(),
            of_plan: cap.is_of_plan(),
            maximum: cap.maximum,
            counted: counts
                .of(cap, hour_of(now))
                .div_ceil(cap.currency.as_ref().map_or(1, Currency::smallest_in_millionths)),
            resets_at: cap.period.next(now),
        }
    }
}
