//! The reach of network addresses, by the registries of special addresses (IANA, RFC 6890) and the metadata services of clouds.

use std::net::IpAddr;
use std::sync::LazyLock;

use domain::terms::IpRange;

/// The reach of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// A host on the internet.
    Public,
    /// A host in a private network.
    Private,
    /// The machine itself. In a Lambda function, that is its runtime.
    Loopback,
    /// Nothing that a request may ever be for: metadata services, several hosts at once, no host, or a host by a detour.
    Special,
}

use Reach::{Loopback, Private, Public, Special};

/// The first range that contains an address counts.
const RANGES: [(&str, Reach); 30] = [
    // Metadata: Azure, Alibaba, AWS, Google.
    ("168.63.129.16", Special),
    ("100.100.100.200", Special),
    ("fd00:ec2::/32", Special),
    ("fd20:ce::/32", Special),
    // "This network".
    ("0.0.0.0/8", Special),
    ("10.0.0.0/8", Private),
    // Behind providers' address translation.
    ("100.64.0.0/10", Private),
    ("127.0.0.0/8", Loopback),
    // Link-local, with the metadata and credentials of AWS.
    ("169.254.0.0/16", Special),
    ("172.16.0.0/12", Private),
    // Protocol assignments.
    ("192.0.0.0/24", Special),
    // Documentation.
    ("192.0.2.0/24", Special),
    // Relays of 6to4.
    ("192.88.99.0/24", Special),
    ("192.168.0.0/16", Private),
    // Benchmarks.
    ("198.18.0.0/15", Special),
    ("198.51.100.0/24", Special),
    ("203.0.113.0/24", Special),
    // Multicast, then reserved addresses and broadcast.
    ("224.0.0.0/4", Special),
    ("240.0.0.0/4", Special),
    ("0.0.0.0/0", Public),
    ("::1", Loopback),
    // Unique local addresses.
    ("fc00::/7", Private),
    // Protocol assignments, with Teredo, ORCHID and benchmarks.
    ("2001::/23", Special),
    // Documentation, twice.
    ("2001:db8::/32", Special),
    ("3fff::/20", Special),
    // 6to4.
    ("2002::/16", Special),
    // All that is assigned.
    ("2000::/3", Public),
    // Link-local, site-local, multicast, NAT64, translated and compatible IPv4, discarded, not assigned.
    ("fe80::/10", Special),
    ("ff00::/8", Special),
    ("::/0", Special),
];

static TABLE: LazyLock<Vec<(IpRange, Reach)>> = LazyLock::new(|| {
    let ranges = RANGES
        .iter()
        .filter_map(|(range, reach)| Some((range.parse().ok()?, *reach)));
    ranges.collect()
});

/// Returns the reach of an address. An IPv4 address in the form of IPv6 is never public: nobody publishes one.
pub fn reach_of(address: IpAddr) -> Reach {
    if address != address.to_canonical() {
        return Special;
    }
    let found = TABLE.iter().find(|(range, _)| range.contains(address));
    found.map_or(Special, |(_, reach)| *reach)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_ranges_are_in_the_table() {
        assert_eq!(TABLE.len(), RANGES.len());
    }

    #[test]
    fn addresses_are_classified_by_the_table() {
        for (addresses, reach) in [
            (
                "93.184.216.34 8.8.8.8 172.15.255.255 172.32.0.1 100.63.255.255 100.128.0.1 192.0.1.1 198.17.255.255 223.255.255.255 1.0.0.0",
                Public,
            ),
            (
                "2606:2800:220:1::1 2001:4860:4860::8888 2a00:1450:4001::1 2001:200::1 2003::1",
                Public,
            ),
            (
                "10.0.0.0 10.255.255.255 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 100.127.255.255",
                Private,
            ),
            ("fc00::1 fd12:3456::1 fdff::1", Private),
            ("127.0.0.1 127.1.2.3 127.255.255.255 ::1", Loopback),
            (
                "169.254.169.254 169.254.170.2 169.254.0.1 fd00:ec2::254 fd00:ec2::23 fd20:ce::254",
                Special,
            ),
            ("168.63.129.16 100.100.100.200 192.0.0.192", Special),
            (
                "0.0.0.0 0.1.2.3 255.255.255.255 240.0.0.1 224.0.0.1 239.255.255.255 ff02::1 ff0e::1",
                Special,
            ),
            (
                "192.0.2.1 198.51.100.7 203.0.113.7 2001:db8::1 3fff::1 198.18.0.1 198.19.255.255",
                Special,
            ),
            (
                ":: fe80::1 fe80::a9fe:a9fe febf::1 fec0::1 100::1 5f00::1 4000::1",
                Special,
            ),
            // IPv4 inside IPv6: mapped, compatible, translated, NAT64 of both prefixes, 6to4, Teredo.
            ("::ffff:127.0.0.1 ::ffff:93.184.216.34 ::ffff:169.254.169.254", Special),
            ("::127.0.0.1 ::93.184.216.34 ::ffff:0:127.0.0.1", Special),
            ("64:ff9b::7f00:1 64:ff9b::5db8:d822 64:ff9b:1::a9fe:a9fe", Special),
            (
                "2002:7f00:1:: 2002:5db8:d822::1 2001:0:7f00:1::1 2001:0:4136:e378::1",
                Special,
            ),
            ("192.88.99.1 2001:20::1 2001:2::1", Special),
        ] {
            for address in addresses.split(' ') {
                assert_eq!(reach_of(address.parse().unwrap()), reach, "{address}");
            }
        }
    }
}
