//! The endpoints of a running stack, as in `endpoints.json`.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use domain::accounts::Role;
use serde::{Deserialize, Serialize};

use crate::build::Profile;
use crate::place::{Place, write_json};

/// Content of `endpoints.json` as a whole.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Endpoints {
    /// The public API: where webhooks go.
    pub api: String,
    /// The simulators of the providers.
    pub simulators: String,
    /// Address of MiniStack's endpoint.
    pub aws_endpoint: String,
    /// The region of the local AWS.
    pub region: String,
    /// Name of the CloudFormation stack.
    pub stack: String,
    /// How its functions are compiled.
    pub profile: Profile,
    pub table: String,
    /// Seconds that its time is ahead of the machine's: see `cargo stack clock`.
    #[serde(default)]
    pub clock_offset_seconds: u32,
    /// The `cargo stack` process that keeps it running.
    pub pid: u32,
    pub tenants: Vec<Tenant>,
    pub platform_admin: Login,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tenant {
    /// Id, such as `tnt_…`.
    pub id: String,
    pub name: String,
    /// Connection ids by kind: twilio, whatsapp, telephony.
    pub connections: BTreeMap<String, String>,
    /// Secrets that sign this tenant's webhooks.
    pub secrets: Secrets,
    /// An API key with the role of an administrator, for `X-API-Key`.
    pub api_key: String,
    /// A user of each role.
    pub users: Users,
}

/// A user of each role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Users {
    /// Administrator: manages the tenant's users.
    pub admin: Login,
    /// Manager: manages the business.
    pub manager: Login,
    /// Agent: answers customers.
    pub agent: Login,
    /// Viewer: reads.
    pub viewer: Login,
}

impl Users {
    /// The user of this role.
    pub const fn of(&self, role: Role) -> &Login {
        match role {
            Role::Admin => &self.admin,
            Role::Manager => &self.manager,
            Role::Agent => &self.agent,
            Role::Viewer => &self.viewer,
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Login {
    pub email: String,
    pub password: String,
    /// Secret of the authenticator app in base32, if there is a second factor: TOTP, SHA-1, six digits, 30 seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totp_secret: Option<String>,
}

/// Secrets that let a test act as a provider; generated per data directory.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Secrets {
    /// Secret that signs Twilio's callbacks.
    pub twilio_auth_token: String,
    /// Secret that signs Meta's webhooks.
    pub whatsapp_app_secret: String,
    /// Token that answers Meta's handshake.
    pub whatsapp_verify_token: String,
    /// Signs the generic event, `whsec_…`.
    pub telephony_secret: String,
}

impl Endpoints {
    pub fn console(&self) -> String {
        format!("{}/app", self.api)
    }

    /// The endpoints of the stack that runs in this data directory.
    pub fn of_running(place: &Place) -> Result<Self> {
        let file = place.endpoints();
        let text = std::fs::read(&file).with_context(|| {
            format!(
                "no stack is running here ({} is missing); start one with `cargo stack up`",
                file.display()
            )
        })?;
        serde_json::from_slice(&text).with_context(|| format!("reading {}", file.display()))
    }

    /// Writes the file atomically.
    pub fn write(&self, place: &Place) -> Result<()> {
        let file = place.endpoints();
        let draft = file.with_extension("json.new");
        write_json(&draft, self)?;
        std::fs::rename(&draft, &file).with_context(|| format!("writing {}", file.display()))
    }
}
