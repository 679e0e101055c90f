//! Deleting an attachment with its message, or after a day if no reply has used it.

use domain::terms::FileId;
use kit::{Done, FileKey, JobError};
use store::{TenantScope, Versioned};

use crate::Context;

/// Does the job of an attachment: deletes its file, then its row, which leads to the file.
pub(crate) async fn drop(ctx: &Context, scope: &TenantScope, id: FileId) -> Result<Done, JobError> {
    let key = FileKey::asset(scope, id);
    let Some(Versioned { value, version }) = ctx.store.asset(scope, id).await? else {
        return Ok(kit::queue::finish_without_subject("attachment"));
    };
    if !value.is_over(ctx.clock.now()) {
        return Ok(Done::Already);
    }
    ctx.files.remove(&key).await?;
    match ctx.store.delete_attachment(scope, id, version).await {
        Err(error) if !error.is_conflict() => Err(error.into()),
        // Somebody else did it, or the row is due again.
        _ => Ok(Done::Now),
    }
}
