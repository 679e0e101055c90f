//! Entries of the audit log for changes.

use aws_lambda_events::dynamodb::EventRecord;
use domain::accounts::{Action, AuditEntry, field_changes};
use domain::terms::TenantId;
use store::StoreError;
use store::table::changes::{self, Stamped};

/// The entry for a change that a person or a key made; `None` for all others, and if no field of theirs differs.
pub(crate) fn entry(record: &EventRecord) -> Result<Option<(TenantId, AuditEntry)>, StoreError> {
    let Some(stamped) = changes::read_stamped_change(&record.change.old_image, &record.change.new_image)? else {
        return Ok(None);
    };
    let Stamped {
        tenant,
        by,
        kind,
        object,
        before,
        after,
    } = stamped;
    let changes = field_changes(&kind, before.as_ref(), after.as_ref());
    let action = match (&before, &after) {
        (None, None) => return Ok(None),
        (None, Some(_)) => Action::Created,
        (Some(_), None) => Action::Removed,
        (Some(_), Some(_)) if changes.is_empty() => return Ok(None),
        (Some(_), Some(_)) => Action::Changed,
    };
    let entry = AuditEntry {
        by,
        action,
        kind,
        object,
        changes,
    };
    Ok(Some((tenant, entry)))
}

/// The id of the change, the same however often the stream delivers it.
pub(crate) fn id(record: &EventRecord, shard: &str) -> String {
    if record.event_id.is_empty() {
        let sequence = record.change.sequence_number.as_deref().unwrap_or_default();
        return format!("{shard}-{sequence}");
    }
    record.event_id.clone()
}
