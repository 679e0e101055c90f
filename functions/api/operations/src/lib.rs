//! Operations: long work that users start elsewhere in the API. Here they follow its progress and cancel it.

use api::{Allowed, Api, Listed, OperationOut, Paging, Path, Tagged, permits, require_found};
use axum::Router;
use axum::extract::State;
use domain::terms::{Operation, OperationId, OperationKind};
use kit::{ConfigError, Env, Problem};
use store::Versioned;

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    Ok(api::serve(operations(), Api::new(env)?))
}

api::operations! {
    "operations": "Long work that users start, with its progress and result." {
        /// List operations
        ///
        /// Newest first. Operations are retained for 30 days after their end. A page can hold fewer operations than `limit`
        /// without being the last one: only a `next_cursor` of `null` ends the list.
        GET "/api/v1/operations" => list_operations, "A page of operations";

        /// Get an operation
        ///
        /// Shows its progress and, once it is done, its result.
        GET "/api/v1/operations/{operation_id}" => get_operation, "The operation";

        /// Cancel an operation
        ///
        /// Ends it at once if it waits, otherwise within a minute, after the step that is under way. Finished work stays done. An
        /// operation that has ended stays as it is. The erasure of a contact cannot be cancelled; it ends when the contact is restored.
        /// The operation of a campaign ends with the campaign.
        POST "/api/v1/operations/{operation_id}/cancel" => cancel_operation, "The operation, in its new state";
    }
}

type Reading = Allowed<permits::OperationsRead>;

async fn list_operations(
    who: Reading,
    State(api): State<Api>,
    paging: Paging,
) -> Result<Listed<OperationOut>, Problem> {
    let store = api.store();
    let page = store.operations(who.scope(), paging.after(), paging.limit(), who.now());
    Ok(Listed::of(page.await?, |found: Versioned<Operation>| {
        OperationOut::from(found.value)
    }))
}

async fn get_operation(
    who: Reading,
    State(api): State<Api>,
    Path(id): Path<OperationId>,
) -> Result<Tagged<OperationOut>, Problem> {
    let operation = require_found(api.store().operation(who.scope(), id, who.now()));
    operation.await.map(Tagged::of)
}

async fn cancel_operation(
    who: Allowed<permits::OperationsWrite>,
    State(api): State<Api>,
    Path(id): Path<OperationId>,
) -> Result<Tagged<OperationOut>, Problem> {
    api.cancel_operation(&who, id, cancellable).await.map(Tagged::of)
}

/// Nothing else would delete the contact of an erasure, or bring back one that is half deleted.
fn cancellable(operation: &Operation) -> Result<(), Problem> {
    if operation.kind == OperationKind::EraseContact && !operation.state.is_end() {
        let detail =
            "An erasure cannot be cancelled. Restore the contact instead, unless a user has started to erase it.";
        return Err(Problem::conflict("conflict", detail));
    }
    if operation.kind == OperationKind::RunCampaign && !operation.state.is_end() {
        let detail = "The operation of a campaign cannot be cancelled. Pause or cancel the campaign instead.";
        return Err(Problem::conflict("conflict", detail));
    }
    Ok(())
}
