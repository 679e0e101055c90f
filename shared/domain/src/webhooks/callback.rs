//! Callbacks: an event carries a token, with which its receiver calls the API for fifteen minutes, as an API key of the tenant and about the
//! event's contact only.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::terms::{ApiKeyId, Distinct, InvalidIpRange, IpRange};

/// Maximum ranges of addresses from which a receiver calls back.
const MAX_RANGES: usize = 10;

/// Bits that the addresses of a range have in common, at least: a range holds the addresses of one network, not of a whole provider.
const MIN_BITS: [u8; 2] = [16, 32];

/// Addresses from which a receiver calls back.
pub type CallbackRanges = Distinct<MAX_RANGES, CallbackRange>;

/// An address from which a receiver calls back, or a range of at most 65,536 addresses of IPv4 or a /32 of IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct CallbackRange(IpRange);

shown_as!(CallbackRange, {
    "type": "string",
    "description": "An IP address, or a range in CIDR notation (`address/bits`) of at least 16 bits, and of at least 32 for IPv6.",
    "maxLength": 43,
    "examples": ["203.0.113.0/24"],
});

/// A text that is not a range of addresses from which a receiver calls back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCallbackRange {
    /// It is no range.
    #[error(transparent)]
    Form(#[from] InvalidIpRange),
    /// It contains too many addresses.
    #[error("expected a range of at least {} bits, and of at least {} for IPv6, such as 203.0.113.0/24", MIN_BITS[0], MIN_BITS[1])]
    Wide,
}

impl FromStr for CallbackRange {
    type Err = InvalidCallbackRange;

    fn from_str(text: &str) -> Result<Self, InvalidCallbackRange> {
        let range: IpRange = text.parse()?;
        if range.bits() < MIN_BITS[usize::from(range.is_ipv6())] {
            return Err(InvalidCallbackRange::Wide);
        }
        Ok(Self(range))
    }
}

impl CallbackRange {
    /// Whether it holds this address.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(address)
    }
}

parsed!(CallbackRange, "ip_range", "203.0.113.0/24");

impl fmt::Display for CallbackRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The right of an endpoint's receiver to call back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "WebhookCallback")
)]
pub struct EndpointCallback {
    /// Id of the API key as which the receiver acts.
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub api_key_id: ApiKeyId,
    /// Addresses from which it calls, at least one.
    #[cfg_attr(feature = "schema", schemars(length(min = 1), example = ["203.0.113.0/24"]))]
    pub from: CallbackRanges,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ranges_are_no_wider_than_a_network() {
        for (text, parsed) in [
            ("203.0.113.7", Ok(())),
            ("203.0.0.0/16", Ok(())),
            ("2001:db8::/32", Ok(())),
            ("203.0.0.0/15", Err(InvalidCallbackRange::Wide)),
            ("0.0.0.0/0", Err(InvalidCallbackRange::Wide)),
            ("2001:db8::/31", Err(InvalidCallbackRange::Wide)),
            ("::/0", Err(InvalidCallbackRange::Wide)),
            ("203.0.113.0/33", Err(InvalidCallbackRange::Form(InvalidIpRange))),
            ("n8n.example.com", Err(InvalidCallbackRange::Form(InvalidIpRange))),
        ] {
            assert_eq!(text.parse::<CallbackRange>().map(drop), parsed, "{text}");
        }
        let eleven: Vec<String> = (0..11).map(|number| format!("203.0.113.{number}")).collect();
        for (ranges, is_taken) in [(&eleven[..10], true), (&eleven[..], false)] {
            assert_eq!(
                serde_json::from_value::<CallbackRanges>(json!(ranges)).is_ok(),
                is_taken
            );
        }
    }
}
