//! The stack's event bus, which starts operations. A rule for each kind leads to its function.

use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use jobs::StartOperation;

use crate::{ConfigError, Env};

/// Source of our events, which the rules name.
pub const SOURCE: &str = "ringback";

/// Maximum events of a request.
const BATCH: usize = 10;

#[derive(Clone)]
pub struct Bus {
    env: Env,
    name: String,
}

/// The bus did not accept an event. The operation is started by the due index.
#[derive(Debug, thiserror::Error)]
#[error("could not {doing}")]
pub struct BusError {
    doing: &'static str,
    source: Box<dyn std::error::Error + Send + Sync>,
}

const DOING: &str = "put an event on the bus";

impl BusError {
    fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            doing: DOING,
            source: source.into(),
        }
    }
}

impl Bus {
    /// The bus that `OPERATIONS_BUS` names.
    ///
    /// # Errors
    /// When it names none.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            env: env.clone(),
            name: env.config().text("OPERATIONS_BUS")?.to_owned(),
        })
    }

    /// Starts operations.
    ///
    /// # Errors
    /// When the bus does not accept one of them; others may be started.
    pub async fn start(&self, operations: &[StartOperation]) -> Result<(), BusError> {
        let mut all = Ok(());
        for batch in operations.chunks(BATCH) {
            all = all.and(self.send(batch).await);
        }
        all
    }

    async fn send(&self, batch: &[StartOperation]) -> Result<(), BusError> {
        let mut request = self.env.eventbridge().put_events();
        for operation in batch {
            let entry = PutEventsRequestEntry::builder()
                .event_bus_name(&self.name)
                .source(SOURCE)
                .detail_type(operation.kind.as_str())
                .detail(serde_json::to_string(operation).map_err(BusError::new)?);
            request = request.entries(entry.build());
        }
        let output = request.send().await.map_err(BusError::new)?;
        if output.failed_entry_count() == 0 {
            return Ok(());
        }
        let refused = output.entries().iter().find_map(|entry| entry.error_code());
        let code = refused.unwrap_or_default();
        Err(BusError::new(format!("the bus refused events: {code}")))
    }
}
