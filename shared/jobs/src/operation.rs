//! Events that start operations.

use domain::terms::{Operation, OperationId, OperationKind, TenantId};
use serde::{Deserialize, Serialize};

/// The event on the bus that starts an operation, or continues it. Everything else is in its row. An event that comes twice, or
/// for an operation that has ended, has no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartOperation {
    /// Tenant of the operation.
    pub tenant: TenantId,
    pub operation: OperationId,
    /// Its kind, which is also the type of the event.
    pub kind: OperationKind,
}

impl StartOperation {
    /// The event for an operation.
    pub const fn of(tenant: TenantId, operation: &Operation) -> Self {
        Self {
            tenant,
            operation: operation.id,
            kind: operation.kind,
        }
    }
}
