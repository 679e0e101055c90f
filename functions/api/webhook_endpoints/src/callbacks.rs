//! The right of receivers to call back: who may give it, and which keys it is for.

use domain::accounts::{ApiKey, Permission, granted_permissions};
use domain::terms::{Fault, FaultCode};
use domain::webhooks::WebhookEndpoint;
use kit::Problem;

use crate::{Context, Writing};

/// Refuses callers who do not give out keys: whoever gets the tokens of a callback acts as its key.
pub(crate) fn refuse_callbacks_of_others(who: &Writing) -> Result<(), Problem> {
    let needed = Permission::ApiKeysWrite;
    if who.principal().may(needed) {
        return Ok(());
    }
    let detail = format!(
        "Callbacks, and the address and header of an endpoint that has one, need the permission `{needed}`. Ask an administrator."
    );
    Err(Problem::forbidden(detail))
}

impl Context {
    /// Refuses a callback that nobody could use, or by which the caller could do more than now.
    pub(crate) async fn check_callback(&self, who: &Writing, endpoint: &WebhookEndpoint) -> Result<(), Problem> {
        const KEY: &str = "callback.api_key_id";
        let Some(callback) = &endpoint.callback else {
            return Ok(());
        };
        if !self.has_address {
            let detail = "This deployment has no public address to call back. Ask its operator to set `PublicBaseUrl`.";
            return Err(Problem::field("callback", Fault::new(FaultCode::NotApplicable, detail)));
        }
        let id = callback.api_key_id;
        let found = self.api.store().get::<ApiKey>(who.scope(), &id).await?;
        let Some(key) = found.map(|found| found.value) else {
            let fault = Fault::new(FaultCode::NotFound, "There is no such API key.");
            return Err(Problem::field(KEY, fault.and("id", id.to_string())));
        };
        if !key.is_valid(who.now()) {
            let detail = "The API key has expired. Choose another one, or give it a later expiry.";
            return Err(Problem::field(KEY, Fault::new(FaultCode::Invalid, detail)));
        }
        if granted_permissions(key.role, &key.scopes).any(|permission| !who.principal().may(permission)) {
            let detail = "The API key has more permissions than you. Choose one with permissions that you have.";
            return Err(Problem::field(KEY, Fault::new(FaultCode::NotPermitted, detail)));
        }
        Ok(())
    }
}
