//! What the queues carry: one struct per job, its queue, its attributes.
//!
//! A body is JSON with a `type` tag, ids and a correlation id, never a copy of data that the table has.

use domain::ids::TenantId;
use serde::de::DeserializeOwned;

/// What every job can tell about itself before it is worked.
pub trait JobBody: DeserializeOwned {
    /// The tenant in whose name it is worked.
    fn tenant(&self) -> TenantId;

    /// What links it to the request that caused it.
    fn correlation_id(&self) -> &str;
}
