//! How to reach a running stack: what `endpoints.json` holds.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use domain::permission::Role;
use serde::{Deserialize, Serialize};

use crate::place::Place;

/// The whole file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Endpoints {
    /// The public API: where webhooks go.
    pub api: String,
    /// The providers' other side.
    pub simulators: String,
    /// MiniStack.
    pub aws_endpoint: String,
    /// The region it is addressed under.
    pub region: String,
    /// The CloudFormation stack.
    pub stack: String,
    /// The table.
    pub table: String,
    /// The `cargo stack` process that keeps it running.
    pub pid: u32,
    /// The seeded tenants.
    pub tenants: Vec<Tenant>,
    /// Who administers the platform.
    pub platform_admin: Login,
}

/// A seeded tenant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tenant {
    /// `tnt_…`.
    pub id: String,
    /// For people.
    pub name: String,
    /// Connection ids by kind: twilio, whatsapp, telephony.
    pub connections: BTreeMap<String, String>,
    /// What signs this tenant's webhooks.
    pub secrets: Secrets,
    /// A key with the role of an administrator, for `X-API-Key`.
    pub api_key: String,
    /// One person of each role.
    pub users: Users,
}

/// One person of each role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Users {
    /// Decides who gets in.
    pub admin: Login,
    /// Runs the business.
    pub manager: Login,
    /// Talks with customers.
    pub agent: Login,
    /// Looks.
    pub viewer: Login,
}

impl Users {
    /// The one of this role.
    pub const fn of(&self, role: Role) -> &Login {
        match role {
            Role::Admin => &self.admin,
            Role::Manager => &self.manager,
            Role::Agent => &self.agent,
            Role::Viewer => &self.viewer,
        }
    }
}

/// What a person logs in with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Login {
    /// Their address.
    pub email: String,
    /// Their password.
    pub password: String,
    /// What their authenticator app was given, in base32, where they have a second factor: TOTP, SHA-1, six digits, 30 seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totp_secret: Option<String>,
}

/// Secrets that a test needs to speak as a provider; generated per data directory.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Secrets {
    /// Signs Twilio's callbacks.
    pub twilio_auth_token: String,
    /// Signs Meta's webhooks.
    pub whatsapp_app_secret: String,
    /// Answers Meta's handshake.
    pub whatsapp_verify_token: String,
    /// Signs the generic event, `whsec_…`.
    pub telephony_secret: String,
}

impl Endpoints {
    /// Those of the stack that runs in this place.
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

    /// Writes the file, whole or not at all.
    pub fn write(&self, place: &Place) -> Result<()> {
        let file = place.endpoints();
        let draft = file.with_extension("json.new");
        let text = serde_json::to_vec_pretty(self).context("writing endpoints")?;
        std::fs::write(&draft, text).with_context(|| format!("writing {}", draft.display()))?;
        std::fs::rename(&draft, &file).with_context(|| format!("writing {}", file.display()))
    }
}
