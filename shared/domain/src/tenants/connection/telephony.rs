//! Any telephone system, by our generic event, which a secret of ours signs.

use serde::{Deserialize, Serialize};

use crate::tenants::{Generated, Kind, Webhook};
use crate::terms::Phone;

account! {
    /// Any telephone system, by the generic signed event.
    pub struct Account {
    } with settings {
        /// Numbers of this connection. Empty: all numbers that it reports.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(length(max = super::kind::MAX_NUMBERS)))]
        pub numbers: Vec<Phone>,
    }

    /// Any telephone system, by the generic signed event. Its secret is generated and shown once.
    pub struct New as "TelephonyIn", named like "Front desk" {
        /// Always `telephony`.
        pub kind: Word as "TelephonyKind" = "telephony",
    }

    /// No credentials: its secret is generated.
    pub struct NewCredentials as "TelephonyNewCredentials" {}
}

/// Secrets that verify generic events.
#[derive(Clone, Serialize, Deserialize)]
pub struct Verify {
    /// Standard Webhooks secrets, `whsec_…`.
    pub secrets: Vec<String>,
}

/// No credentials: a telephone system is never asked.
#[derive(Clone, Serialize, Deserialize)]
pub struct Send {}

impl Kind for Account {
    type Verify = Verify;
    type Send = Send;
    type Given = ();

    const WEBHOOKS: &'static [Webhook] = &[Webhook {
        what: "call.ended events",
        method: "POST",
        end: "",
    }];
    const GENERATES: Option<Generated> = Some(Generated::StandardWebhooks);
    const TAKES_CREDENTIALS: bool = false;

    fn keep((): (), secrets: Vec<String>) -> (Verify, Option<Send>) {
        (Verify { secrets }, None)
    }

    fn secrets(verify: &mut Verify) -> &mut Vec<String> {
        &mut verify.secrets
    }

    fn verifies_nothing(verify: &Verify) -> bool {
        verify.secrets.is_empty()
    }

    fn generated_secrets(verify: &Verify) -> &[String] {
        &verify.secrets
    }

    fn numbers(&self) -> &[Phone] {
        &self.numbers
    }

    /// Nobody is asked.
    fn is_tested_as(&self, _: &Self) -> bool {
        true
    }
}
