//! Archives of a contact: all that is known of it as a file, for the person who asks for it.

use api::{
    Allowed, Api, AuditedReads, FileLinkOut, OperationOut, Path, With, has_files, permits, require_found,
    start_and_answer,
};
use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::LOCATION;
use axum::{Extension, Json};
use domain::accounts::Look;
use domain::people::{ArchiveContact, ArchiveResult};
use domain::terms::{ContactId, Operation, OperationId, OperationKind};
use kit::{Bus, Files, Folder, Problem};
use schemars::JsonSchema;
use serde::Serialize;
use store::table::rates::Limit;

use crate::{CONTACTS, RACES, itself};

/// Archives of a tenant per hour.
const ARCHIVES: Limit = Limit::per_hour(100);

/// An archive of a contact.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ContactArchive")]
pub(crate) struct ArchiveOut {
    /// Id of the archive and of its operation.
    id: OperationId,
    /// The contact.
    contact_id: ContactId,
    /// The operation that writes the file, with its progress and, once it is done, the number of entries.
    operation: OperationOut,
    /// Link to the file. `null` until the operation is done, and once the file is deleted.
    file: Option<FileLinkOut>,
}

/// The answer to a request for an archive, with its path.
type Started = ([(HeaderName, String); 1], With<202, Json<OperationOut>>);

fn erasing() -> Problem {
    let detail =
        "The contact is being erased, so it cannot be archived. The result of the erasure says what was deleted.";
    Problem::conflict("conflict", detail)
}

pub(crate) async fn archive_contact(
    who: Allowed<permits::ExportsWrite>,
    State(api): State<Api>,
    Extension(bus): Extension<Bus>,
    Path(contact_id): Path<ContactId>,
) -> Result<Started, Problem> {
    let (store, scope, now, stamp) = (api.store(), who.scope(), who.now(), &who.stamp());
    let params = ArchiveContact { contact: contact_id };
    api.limit(&who, "ARCHIVES", ARCHIVES).await?;
    let new = &api.new_operation(&who, OperationKind::ArchiveContact, &params).await?;
    let running = RACES.until_won(|| async move {
        let contact = require_found(store.contact(scope, contact_id)).await?;
        itself(contact_id, &contact)?;
        if contact.erasing {
            return Err(erasing().into());
        }
        let newest = store.newest_archive(scope, contact_id, now).await?;
        if let Some(newest) = &newest
            && let Some(known) = store.operation(scope, newest.value, now).await?
            // The same request once more, or another one meanwhile.
            && (newest.value == new.id || !known.value.state.is_end())
        {
            return Ok(known.value);
        }
        let before = newest.map(|newest| newest.version);
        store.create_archive(scope, contact_id, before, new, stamp).await?;
        Ok(new.clone())
    });
    let running = running.await?;
    let place = format!("{CONTACTS}/{contact_id}/archive/{}", running.id);
    Ok(([(LOCATION, place)], start_and_answer(&who, &bus, running).await))
}

pub(crate) async fn get_contact_archive(
    who: Allowed<permits::ExportsRead>,
    State(api): State<Api>,
    Extension(files): Extension<Files>,
    Extension(reads): Extension<AuditedReads>,
    Path((contact_id, operation_id)): Path<(ContactId, OperationId)>,
) -> Result<Json<ArchiveOut>, Problem> {
    let (store, scope, now) = (api.store(), who.scope(), who.now());
    let contact = require_found(store.contact(scope, contact_id)).await?;
    itself(contact_id, &contact)?;
    let operation = require_found(store.operation(scope, operation_id, now)).await?.value;
    if contact_of_archive(&operation) != Some(contact_id) {
        return Err(Problem::not_found());
    }
    let file = match &operation.result {
        // The erasure deletes the file.
        Some(result) if !contact.erasing && result.read::<ArchiveResult>().is_ok() => {
            file(&api, &who, &files, &reads, contact_id, &operation).await?
        }
        _ => None,
    };
    Ok(Json(ArchiveOut {
        id: operation_id,
        contact_id,
        operation: operation.into(),
        file,
    }))
}

/// The contact that an operation archives; `None` if it is of another kind.
fn contact_of_archive(operation: &Operation) -> Option<ContactId> {
    let is_archive = operation.kind == OperationKind::ArchiveContact;
    let params: ArchiveContact = is_archive.then(|| operation.params.read().ok()).flatten()?;
    Some(params.contact)
}

/// A link to the file, unless it is deleted. The audit log records who got one.
async fn file(
    api: &Api,
    who: &Allowed<permits::ExportsRead>,
    files: &Files,
    reads: &AuditedReads,
    contact: ContactId,
    operation: &Operation,
) -> Result<Option<FileLinkOut>, Problem> {
    if !has_files(operation, who.now()) {
        return Ok(None);
    }
    reads.record(api, who, Look::Archive, contact).await?;
    let [_, results] = Folder::of_archive(who.scope(), contact, operation.id);
    let name = ArchiveContact::FILE;
    FileLinkOut::new(who, files, &results.file(name), name).await.map(Some)
}
