//! Rules, which decide on the message that follows a call.

use domain::tenants::{Rule, Tenant};
use domain::terms::Stamp;

use crate::table::owned;
use crate::table::row::Write;
use crate::tenants::tenant_row;
use crate::{Owned, Part, Share, Signed, Store, StoreError, TenantScope, Versioned};

impl Owned for Rule {
    const KIND: &'static str = "rule";
    const NAME: &'static str = "automation";
    const PART: Part = Part::Configuration;
    const PREFIX: &'static str = "RULE#";
    const MAX: u32 = Self::MAX;
    const SHARE: Option<Share> = Some(Share {
        name: "unarchived automation",
        most: Self::MAX_UNARCHIVED,
    });
    const REMEMBERED: bool = true;
    const VERSIONS: Option<&'static str> = Some("rule_version");

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn is_of_share(&self) -> bool {
        self.archived_at.is_none()
    }
}

/// A rule as it was read, and as it is to be.
#[derive(Debug, Clone)]
pub struct RuleChange {
    pub before: Versioned<Signed<Rule>>,
    pub after: Rule,
}

/// Rules that one transaction changes: each is two writes, and the tenant is one. A transaction has at most a hundred.
const PER_TRANSACTION: usize = 49;

impl Store {
    /// Writes rules that were changed together, such as by another order, if nothing of the tenant's configuration has changed since it
    /// was read: `tenant` was read before the rules. All in one transaction; if they are too many for one, each transaction leaves a valid
    /// configuration.
    pub async fn change_rules(
        &self,
        scope: &TenantScope,
        tenant: &Tenant,
        changes: &[RuleChange],
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "change rules";
        let mut tenant = tenant.clone();
        for part in changes.chunks(PER_TRANSACTION) {
            let mut writes = Vec::with_capacity(2 * part.len() + 1);
            for RuleChange { before, after } in part {
                let row = owned::change_row(scope, before.version, after)?;
                writes.push(Write::Put(row.with_stamp(stamp)));
                writes.extend(owned::kept_row(scope, before, stamp.at)?.map(Write::Put));
            }
            // Raises the tenant's version from the one that was read, not from the current one.
            writes.push(Write::Put(tenant_row(scope, &tenant, DOING)?));
            self.database.transact_writes(writes, DOING).await?;
            tenant.config_version += 1;
        }
        Ok(())
    }
}
