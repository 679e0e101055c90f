//! Reads of personal data. The audit log has one a day for each reader, contact and view.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use domain::accounts::Look;
use domain::accounts::permits::Permit;
use domain::terms::{Actor, ContactId, TenantId};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use kit::Problem;

use crate::context::Api;
use crate::guards::Allowed;

/// Maximum reads that a process remembers. A further one forgets the others, which may then be written once more.
const MAX: usize = 4_096;

/// A look that the log has.
type Known = (TenantId, ContactId, Look, Actor, Date);

/// The reads that this process knows to be in the log, so that it does not write them again.
#[derive(Debug, Clone, Default)]
pub struct AuditedReads(Arc<Mutex<HashSet<Known>>>);

fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

impl AuditedReads {
    /// Records that the caller sees this of a contact. Costs one write unit for the first look of a day, and for the first one that
    /// another process answers. Nothing is to be shown that is not recorded.
    pub async fn record<P: Permit>(
        &self,
        api: &Api,
        who: &Allowed<P>,
        look: Look,
        contact: ContactId,
    ) -> Result<(), Problem> {
        let known = (who.scope().tenant(), contact, look, who.actor(), day(who.now()));
        if self.has(&known) {
            return Ok(());
        }
        let store = api.store();
        store.record_look(who.scope(), look, contact, who.stamp()).await?;
        self.add(known);
        Ok(())
    }

    fn has(&self, look: &Known) -> bool {
        self.0.lock().is_ok_and(|known| known.contains(look))
    }

    fn add(&self, look: Known) {
        if let Ok(mut known) = self.0.lock() {
            if known.len() >= MAX {
                known.clear();
            }
            known.insert(look);
        }
    }
}

#[cfg(test)]
mod tests {
    use ulid::Ulid;

    use super::*;

    #[test]
    fn a_process_remembers_a_bounded_number_of_reads() {
        let reads = AuditedReads::default();
        let look = |number: usize| {
            let contact = ContactId::new(Ulid::from_parts(1, number as u128));
            let tenant = TenantId::new(Ulid::from_parts(1, 1));
            (
                tenant,
                contact,
                Look::Timeline,
                Actor::Operator,
                Date::constant(2026, 11, 20),
            )
        };
        for number in 0..MAX {
            reads.add(look(number));
        }
        assert!(reads.has(&look(0)) && reads.has(&look(MAX - 1)));
        reads.add(look(MAX));
        assert!(reads.has(&look(MAX)) && !reads.has(&look(0)));
    }
}
