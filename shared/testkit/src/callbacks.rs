//! Receivers of webhooks that call back, with the token of an event.

use access::token;
use domain::accounts::{Permission, Role};
use domain::terms::{ApiKeyId, ContactId};
use domain::webhooks::{RUN_LIFETIME, WebhookRun};
use store::TenantScope;
use store::webhooks::HashedRun;

use crate::Aws;
use crate::api::{Caller, Town, new_key};

/// The address from which requests of tests come.
pub const RECEIVER: &str = "203.0.113.24";

/// The token of an event about this contact, sent now, with which its receiver acts as this key.
pub async fn make_token(aws: &Aws, scope: &TenantScope, api_key: ApiKeyId, contact: ContactId) -> String {
    let token = token::run_token(scope.tenant(), aws.ids().secret().expect("there is randomness"));
    let ranges = vec![RECEIVER.parse().expect("a range")];
    let run = HashedRun {
        sha256: token::sha256_hex(&token),
        run: WebhookRun {
            endpoint: "whe_00000000010000000000000001".parse().expect("an id"),
            event: "evt_00000000010000000000000001".parse().expect("an id"),
            contact,
            api_key,
            from: ranges.into(),
            expires_at: aws.now() + RUN_LIFETIME,
        },
    };
    let written = aws.store().write_runs(scope, &[run]).await;
    written.expect("the table answers");
    token
}

impl Town<'_> {
    /// The receiver of an event about this contact of a tenant in the table, who calls back as a new key with these scopes.
    pub async fn receiver_of(&self, scope: &TenantScope, contact: ContactId, scopes: &[Permission]) -> Caller<'_> {
        let (key, _) = new_key(self.aws(), scope, Role::Agent, scopes, None).await;
        self.api_key(&make_token(self.aws(), scope, key, contact).await)
    }
}
