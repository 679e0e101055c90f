//! The webhooks of a connection: which addresses its provider is told.

use crate::{
    connection::Account,
    ids::{ConnectionId, TenantId},
};

/// Twilio's connection overrides, which end every address that it is given: of itself it asks again only where it cannot connect.
/// Three more times now, whatever went wrong, within the 15 s that it gives to all of them. A fragment is neither sent nor
/// signed. Source: twilio.com/docs/usage/webhooks/webhooks-connection-overrides.
pub const TWILIO_OVERRIDES: &str = "#rc=3&rp=all";

/// An address to paste at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookAddress {
    /// Where the provider asks for it, in its own words.
    pub what: &'static str,
    /// The methods that it uses.
    pub method: &'static str,
    /// Below the public base URL, with a fragment where the provider reads one. `{secret}` stands for a secret of the connection.
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
            Self::Twilio { .. } => [
                ("a call comes in", "voice"),
                ("call status changes", "status"),
                ("a message comes in", "inbound"),
            ]
            .map(|(what, end)| at(what, &format!("/{end}{TWILIO_OVERRIDES}"), "POST"))
            .into(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_of_twilios_asks_for_retries() {
        let account = serde_json::json!({"kind": "twilio", "account_sid": "AC0", "numbers": [], "voice": {"handling": "own_flow"}});
        let account: Account = serde_json::from_value(account).unwrap();
        let ulid = "00000000000000000000000001";
        let (tenant, connection) = (
            format!("tnt_{ulid}").parse().unwrap(),
            format!("conn_{ulid}").parse().unwrap(),
        );
        let paths: Vec<_> = account
            .webhooks(tenant, connection)
            .into_iter()
            .map(|webhook| webhook.path)
            .collect();
        let at = |end: &str| format!("/webhooks/twilio/{tenant}/{connection}/{end}#rc=3&rp=all");
        assert_eq!(paths, ["voice", "status", "inbound"].map(at));
    }
}
