//! Callbacks: the tokens that events carry to receivers that may act on their contacts.

use std::collections::HashMap;

use access::token;
use domain::Timestamp;
use domain::terms::EventId;
use domain::webhooks::{Delivery, WebhookRun};
use kit::JobError;
use serde::Serialize;
use store::webhooks::HashedRun;

use crate::endpoint::Endpoint;

/// The callbacks of events.
pub(crate) type Callbacks = HashMap<EventId, CallbackOut>;

/// The member of a body by which its receiver can call back. It cannot be printed.
#[derive(Serialize)]
pub(crate) struct CallbackOut {
    /// Beginning of the addresses of operations.
    url: String,
    /// The token, in place of an API key.
    token: String,
    /// Time from which it is refused.
    expires_at: Timestamp,
}

impl Endpoint<'_> {
    /// Makes a token for each of these deliveries that has a callback, and writes what it allows before it is sent. Only its hash is kept. An attempt
    /// that is not made after all leaves a row that expires.
    pub(crate) async fn begin_runs(&self, deliveries: &[Delivery], now: Timestamp) -> Result<Callbacks, JobError> {
        let (mut callbacks, mut runs) = (Callbacks::new(), Vec::new());
        let Some(base) = &self.ctx.public_base_url else {
            return Ok(callbacks);
        };
        for event in deliveries.iter().map(|delivery| &delivery.event) {
            let Some(run) = WebhookRun::begin(self.row, event, now) else {
                continue;
            };
            let token = token::run_token(self.scope.tenant(), self.ctx.ids.secret()?);
            let callback = CallbackOut {
                url: format!("{base}/api/v1"),
                token: token.clone(),
                expires_at: run.expires_at,
            };
            callbacks.insert(event.id, callback);
            runs.push(HashedRun {
                sha256: token::sha256_hex(&token),
                run,
            });
        }
        self.ctx.store.write_runs(self.scope, &runs).await?;
        Ok(callbacks)
    }
}
