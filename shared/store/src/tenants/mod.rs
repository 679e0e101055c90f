//! Tenants: their configuration, which processes cache, with its lines, rules and connections; and what an operator does with them.

mod config;
mod connections;
mod lines;
mod platform;
mod refused_webhooks;
mod rules;
mod unknown_numbers;

pub use config::{ConfigCache, Configured, TenantRow};
pub(crate) use config::{first_rule_writes, new_tenant_row, tenant_row};
pub use connections::{ConnectionError, Proof, Tested};
pub(crate) use platform::act_row;
pub use platform::{Leaving, PlatformAct};
pub use rules::RuleChange;
