//! Ranges of network addresses, as providers publish them for their webhooks, and networks of callers.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Addresses with a common prefix: `203.0.113.0/24`, `2001:db8::/32`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(into = "String")]
pub struct IpRange {
    first: IpAddr,
    bits: u8,
}

shown_as!(IpRange, {
    "type": "string",
    "description": "An IP address, or a range in CIDR notation (`address/bits`).",
    "maxLength": 43,
    "examples": ["192.0.2.0/24"],
});

/// A text that is not a range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an IP address or a range of them, such as 203.0.113.0/24")]
pub struct InvalidIpRange;

impl IpRange {
    /// Network of a caller, instead of the whole address: the first 24 bits of an IPv4 address, 48 of IPv6.
    pub fn network_of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self {
                first: Ipv4Addr::from_bits(address.to_bits() & (u32::MAX << 8)).into(),
                bits: 24,
            },
            IpAddr::V6(address) => Self {
                first: Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 80)).into(),
                bits: 48,
            },
        }
    }

    /// Number of bits that its addresses have in common.
    pub const fn bits(&self) -> u8 {
        self.bits
    }

    /// Whether its addresses are of IPv6.
    pub const fn is_ipv6(&self) -> bool {
        self.first.is_ipv6()
    }

    /// Whether the range contains the address. An IPv4 address is the same in whatever form it arrives.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.first.is_ipv4()
            && network_bits(address, self.bits) == network_bits(self.first, self.bits)
    }
}

const fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn network_bits(address: IpAddr, bits: u8) -> u128 {
    let (value, width) = match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    };
    // A prefix of zero bits would shift too far.
    value.checked_shr(width - u32::from(bits)).unwrap_or(0)
}

impl FromStr for IpRange {
    type Err = InvalidIpRange;

    fn from_str(text: &str) -> Result<Self, InvalidIpRange> {
        let (first, bits) = match text.split_once('/') {
            Some((first, bits)) => (first, Some(bits)),
            None => (text, None),
        };
        let first: IpAddr = first.parse().map_err(|_| InvalidIpRange)?;
        let bits = match bits {
            Some(bits) => bits.parse().map_err(|_| InvalidIpRange)?,
            None => width(first),
        };
        // A mapped IPv6 range would contain all IPv4 addresses or none, so it is refused.
        if bits > width(first) || first != first.to_canonical() {
            return Err(InvalidIpRange);
        }
        Ok(Self { first, bits })
    }
}

parsed!(IpRange, "ip_range", "203.0.113.0/24");

impl From<IpRange> for String {
    fn from(range: IpRange) -> Self {
        range.to_string()
    }
}

impl fmt::Display for IpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.bits == width(self.first) {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}/{}", self.first, self.bits)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_holds_its_addresses_and_no_others() {
        for (range, inside, outside) in [
            ("203.0.113.0/24", "203.0.113.255", "203.0.114.0"),
            ("203.0.113.7", "203.0.113.7", "203.0.113.8"),
            ("203.0.113.7/32", "::ffff:203.0.113.7", "::203.0.113.7"),
            ("0.0.0.0/0", "255.0.0.1", "2001:db8::1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("::/0", "2001:db8::1", "203.0.113.7"),
        ] {
            let range: IpRange = range.parse().unwrap();
            assert!(range.contains(inside.parse().unwrap()), "{range} {inside}");
            assert!(!range.contains(outside.parse().unwrap()), "{range} {outside}");
            assert_eq!(range.to_string().parse(), Ok(range));
        }
        for bad in [
            "",
            "203.0.113",
            "203.0.113.0/33",
            "203.0.113.0/",
            "::/129",
            "::ffff:203.0.113.7",
            "a/1",
        ] {
            assert_eq!(bad.parse::<IpRange>(), Err(InvalidIpRange), "{bad}");
        }
    }

    #[test]
    fn network_hides_the_end_of_the_address() {
        for (address, network) in [
            ("203.0.113.7", "203.0.113.0/24"),
            ("::ffff:203.0.113.7", "203.0.113.0/24"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
            ("::1", "::/48"),
        ] {
            let found = IpRange::network_of(address.parse().unwrap());
            assert_eq!(found.to_string(), network, "{address}");
            assert_eq!(network.parse(), Ok(found));
        }
    }
}
