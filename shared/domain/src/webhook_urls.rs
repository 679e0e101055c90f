//! The webhooks of a connection: which addresses its provider is told.

use crate::{
    connection::Account,
    ids::{ConnectionId, TenantId},
};

/// An address to paste at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookAddress {
    /// Where the provider asks for it, in its own words.
    pub what: &'static str,
    /// The methods that it uses.
    pub method: &'static str,
    /// Below the public base URL. `{secret}` stands for a secret of the connection.
    pub path: String,
}

impl Account {
    /// What its provider is told.
    #[must_use]
    pub fn webhooks(&self, tenant: TenantId, connection: ConnectionId) -> Vec<WebhookAddress> {
        let kind = self.kind();
        let at = |what, end: &str, method| WebhookAddress {
            what,
            method,
            path: format!("/webhooks/{kind}/{tenant}/{connection}{end}"),
        };
        match self {
            Self::Twilio { .. } => vec![
                at("a call comes in", "/voice", "POST"),
                at("call status changes", "/status", "POST"),
                at("a message comes in", "/inbound", "POST"),
            ],
            Self::WhatsApp { .. } => vec![at("callback URL", "", "GET, POST")],
            Self::Telephony { .. } => vec![at("call.ended events", "", "POST")],
            Self::Aircall { .. } => vec![at("webhook, call.ended", "", "POST")],
            Self::Vonage { .. } => vec![at("event URL", "", "POST")],
            Self::Exotel { .. } => vec![
                at("Passthru after Connect", "/passthru/{secret}", "GET"),
                at("StatusCallback", "/status/{secret}", "POST"),
            ],
            Self::Plivo { .. } => vec![at("hangup URL", "/hangup", "POST")],
        }
    }
}
