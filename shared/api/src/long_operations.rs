//! Operations as the API starts and shows them: a request that starts one answers with it, and `operations` shows its
//! progress.

use axum::Json;
use domain::accounts::permits::Permit;
use domain::terms::{Actor, Data, Operation, OperationId, OperationKind, OperationState, Progress};
use jiff::Timestamp;
use jobs::StartOperation;
use kit::{Bus, Problem};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use store::Versioned;

use crate::context::Api;
use crate::guards::Allowed;
use crate::races::RACES;
use crate::replies::{IfMatch, With};

impl Api {
    /// A new operation, wanted by the caller, which is to be written. A repeated request with an idempotency key gets the same id.
    ///
    /// # Errors
    /// 409 `too_many_operations`; 500 when the parameters are too large; 503 when the table does not answer.
    pub async fn new_operation<P: Permit>(
        &self,
        who: &Allowed<P>,
        kind: OperationKind,
        params: &(impl Serialize + Sync),
    ) -> Result<Operation, Problem> {
        self.require_room_for_operation(who).await?;
        let params = Data::of(params).map_err(|_| Problem::internal())?;
        let correlation_id = who.correlation_id().to_owned();
        let id = OperationId::new(who.ulid());
        Ok(Operation::new(id, kind, params, who.actor(), correlation_id, who.now()))
    }

    /// Refuses one more operation of a tenant that has the maximum of those that are due. Campaigns and erasures are never refused.
    ///
    /// # Errors
    /// 409 `too_many_operations`; 503 when the table does not answer.
    pub async fn require_room_for_operation<P: Permit>(&self, who: &Allowed<P>) -> Result<(), Problem> {
        if self.store().has_room_for_operation(who.scope()).await? {
            return Ok(());
        }
        let most = Operation::MAX_DUE;
        let detail = format!("{most} operations are running or waiting. Wait until one of them ends, or cancel it.");
        Err(Problem::conflict("too_many_operations", detail))
    }

    /// Cancels an operation if it `may` be cancelled. An operation that has ended stays as it is.
    ///
    /// # Errors
    /// 404; the errors of `may`; 409 when all attempts lose; 503 when the table does not answer.
    pub async fn cancel_operation<P: Permit>(
        &self,
        who: &Allowed<P>,
        id: OperationId,
        may: impl Fn(&Operation) -> Result<(), Problem>,
    ) -> Result<Versioned<Operation>, Problem> {
        let (store, scope, now, stamp) = (self.store(), who.scope(), who.now(), &who.stamp());
        let read = || store.operation(scope, id, now);
        let decide = |before: &Operation| {
            may(before)?;
            let mut after = before.clone();
            after.cancel(now);
            Ok(after)
        };
        let write = |before: Versioned<Operation>, after: Operation| async move {
            let written = store.write_operation(scope, before.version, &after, Some(stamp));
            let version = written.await?;
            Ok(Versioned { version, value: after })
        };
        RACES.change(&IfMatch::ANY, read, decide, write).await
    }
}

/// Begins with an operation that is written. If the bus does not answer, the due index starts it.
pub async fn start<P: Permit>(who: &Allowed<P>, bus: &Bus, operation: &Operation) {
    let start = StartOperation::of(who.scope().tenant(), operation);
    if let Err(error) = bus.start(&[start]).await {
        tracing::warn!(
            error = kit::chain(&error),
            "the event that starts an operation was not put on the bus"
        );
    }
}

/// The answer to a request that has written an operation, which begins now.
pub async fn start_and_answer<P: Permit>(
    who: &Allowed<P>,
    bus: &Bus,
    operation: Operation,
) -> With<202, Json<OperationOut>> {
    start(who, bus, &operation).await;
    With(Json(operation.into()))
}

/// Long work that a user started.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct OperationOut {
    /// Id of the operation.
    id: OperationId,
    /// Kind of the operation.
    kind: OperationKind,
    /// State. `done`, `failed` and `cancelled` are final.
    state: OperationState,
    /// Parameters of its kind, such as the contact to erase.
    #[schemars(example = serde_json::json!({"contact": "ctc_01hq5c1ynyc0000000000000ab"}))]
    params: Value,
    /// Progress.
    progress: ProgressOut,
    /// Result of its kind. `null` until it is done.
    #[schemars(example = serde_json::json!({"deleted": {"calls": 2, "messages": 5}}))]
    result: Option<Value>,
    /// The reason why it failed.
    #[schemars(length(max = 500), example = &"It made no progress in 12 attempts.")]
    reason: Option<String>,
    /// User or key that started it.
    created_by: Actor,
    /// Time of creation.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    created_at: Timestamp,
    /// Beginning of the work on it.
    #[schemars(example = "2026-11-20T10:00:01Z")]
    started_at: Option<Timestamp>,
    /// Time of the last change.
    #[schemars(example = "2026-11-20T10:00:09Z")]
    updated_at: Timestamp,
    /// Time when it ended. It is retained for 30 days from then on.
    #[schemars(example = "2026-11-20T10:00:09Z")]
    finished_at: Option<Timestamp>,
}

/// Progress of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct ProgressOut {
    /// Items done so far. The unit depends on the kind: a deleted item for `erase_contact`, a row for `import_contacts` and
    /// `export_data`, a call or message for `apply_retention`, a template for `sync_templates`, a contact for the others.
    #[schemars(example = 120)]
    done: u64,
    /// Items to do. `null` if that is not known.
    #[schemars(example = 400)]
    total: Option<u64>,
    /// Items that could not be done.
    #[schemars(example = 0)]
    errors: u64,
}

impl From<Progress> for ProgressOut {
    fn from(progress: Progress) -> Self {
        let Progress { done, total, errors } = progress;
        Self { done, total, errors }
    }
}

impl From<Operation> for OperationOut {
    fn from(operation: Operation) -> Self {
        Self {
            id: operation.id,
            kind: operation.kind,
            state: operation.state,
            params: operation.params.into_json(),
            progress: operation.progress.into(),
            result: operation.result.map(Data::into_json),
            reason: operation.reason,
            created_by: operation.created_by,
            created_at: operation.created_at,
            started_at: operation.started_at,
            updated_at: operation.updated_at,
            finished_at: operation.finished_at,
        }
    }
}
