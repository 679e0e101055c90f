//! The rules for URLs that tenants name, and for what their hosts resolve to.

use std::net::IpAddr;

use reqwest::Url;
use url::Host;

use super::addresses::{Reach, reach_of};

/// Why no request may go to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no URL, or one that programs read in different ways.
    #[error("the address is not a URL")]
    NotAUrl,
    /// Another scheme than `https`.
    #[error("the address must begin with https://")]
    Scheme,
    /// A user or a password in the URL.
    #[error("the address must not contain a user or a password")]
    UserInfo,
    /// Another port.
    #[error("the port must be 443")]
    Port,
    /// A number instead of a name, in whatever spelling.
    #[error("the host must have a name: IP addresses are not allowed")]
    Literal,
    /// A name of a private network.
    #[error("the host must have a public name")]
    LocalName,
    /// The host of this very API.
    #[error("the address must not be one of this service")]
    Own,
    /// The name has no address, or it is not known now.
    #[error("the name of the host was not found")]
    NoAddress,
    /// An address of the host is not public.
    #[error("the host does not have a public address")]
    NotPublic,
}

/// Hosts of an operator that cannot be admitted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} must be the origin of a server, such as https://n8n.example.com:5678")]
pub struct BadHosts(String);

/// Last labels of names that no public server has (RFC 6761, 6762, 8375; ICANN for `internal`).
const LOCAL_NAMES: [&str; 7] = [
    "localhost",
    "local",
    "internal",
    "home.arpa",
    "localdomain",
    "lan",
    "onion",
];

/// The rules for requests to addresses that tenants name.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    admitted: Vec<Url>,
    own: Vec<Url>,
    is_local: bool,
}

fn read_origins(text: &str) -> Result<Vec<Url>, BadHosts> {
    let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    let origins = entries.map(|entry| {
        let url = Url::parse(entry).ok().filter(|url| {
            let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
            is_bare && url.username().is_empty() && url.password().is_none() && url.has_host()
        });
        url.ok_or_else(|| BadHosts(entry.to_owned()))
    });
    origins.collect()
}

impl Guard {
    /// The rules, and origins of an operator that break some of them, separated by commas, such as `https://n8n.example.com:5678`. They may
    /// have any port, and private addresses.
    ///
    /// # Errors
    /// When one of them is no origin with a name and `https`.
    pub fn new(admitted: &str) -> Result<Self, BadHosts> {
        let admitted = read_origins(admitted)?;
        let is_fit = |url: &&Url| url.scheme() == "https" && matches!(url.host(), Some(Host::Domain(_)));
        match admitted.iter().find(|url| !is_fit(url)) {
            Some(bad) => Err(BadHosts(bad.to_string())),
            None => Ok(Self {
                admitted,
                ..Self::default()
            }),
        }
    }

    /// The rules of a stack on a developer's machine: admitted origins may also be of `http`, and on the machine itself.
    ///
    /// # Errors
    /// When one of them is no origin.
    pub fn of_local_stack(admitted: &str) -> Result<Self, BadHosts> {
        Ok(Self {
            admitted: read_origins(admitted)?,
            own: Vec::new(),
            is_local: true,
        })
    }

    /// These rules for a service at these origins, to which no request may go.
    #[must_use]
    pub fn without_own<'a>(mut self, origins: impl IntoIterator<Item = &'a str>) -> Self {
        self.own
            .extend(origins.into_iter().filter_map(|origin| Url::parse(origin).ok()));
        self
    }

    /// The URL, if it keeps to the rules. What its host resolves to is checked separately.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn check_url(&self, address: &str) -> Result<Url, Refused> {
        // Parsers disagree about these, and some leave them out.
        if address.contains(|sign: char| sign == '\\' || sign.is_whitespace() || sign.is_control()) {
            return Err(Refused::NotAUrl);
        }
        let url = Url::parse(address).map_err(|_| Refused::NotAUrl)?;
        let Some(host) = url.host() else {
            return Err(Refused::NotAUrl);
        };
        if has_user(address) {
            return Err(Refused::UserInfo);
        }
        if self.own.iter().any(|own| own.origin() == url.origin()) {
            return Err(Refused::Own);
        }
        if self.admits(&url) {
            return Ok(url);
        }
        let Host::Domain(name) = host else {
            return Err(Refused::Literal);
        };
        // A host that is admitted at one origin is reached there only.
        if url.port().is_some() || self.admits_host(name) {
            return Err(Refused::Port);
        }
        if url.scheme() != "https" {
            return Err(Refused::Scheme);
        }
        if is_local_name(name) {
            return Err(Refused::LocalName);
        }
        Ok(url)
    }

    /// Whether an operator admitted the origin of this URL.
    pub fn admits(&self, url: &Url) -> bool {
        self.admitted.iter().any(|admitted| admitted.origin() == url.origin())
    }

    fn admits_host(&self, name: &str) -> bool {
        self.admitted.iter().any(|admitted| admitted.host_str() == Some(name))
    }

    /// Checks all addresses of a host.
    ///
    /// # Errors
    /// [`Refused::NoAddress`] if there are none, [`Refused::NotPublic`] if one of them may not be reached.
    pub(super) fn check_addresses(&self, name: &str, addresses: &[IpAddr]) -> Result<(), Refused> {
        if addresses.is_empty() {
            return Err(Refused::NoAddress);
        }
        let is_admitted = self.admits_host(name);
        let is_allowed = |address: &IpAddr| match reach_of(*address) {
            Reach::Public => true,
            Reach::Private => is_admitted,
            Reach::Loopback => is_admitted && self.is_local,
            Reach::Special => false,
        };
        if addresses.iter().all(is_allowed) {
            Ok(())
        } else {
            Err(Refused::NotPublic)
        }
    }
}

/// Whether the text of a URL has an `@` before its path, even without a user.
fn has_user(address: &str) -> bool {
    let rest = address.split_once(':').map_or(address, |(_, rest)| rest);
    let authority = rest.trim_start_matches('/').split(['/', '?', '#']).next();
    authority.is_some_and(|authority| authority.contains('@'))
}

fn is_local_name(name: &str) -> bool {
    let ends_like = |local: &&str| {
        let rest = name.strip_suffix(*local);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    // A last dot would make a second spelling of each name.
    !name.contains('.') || name.ends_with('.') || LOCAL_NAMES.iter().any(ends_like)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal_of(guard: &Guard, address: &str) -> Option<Refused> {
        guard.check_url(address).err()
    }

    #[test]
    fn urls_are_checked_by_the_table() {
        let guard = Guard::default().without_own(["https://api.ringback.example"]);
        for (addresses, expected) in [
            (
                "https://hooks.example.com/a https://hooks.example.com:443/a?b=c HTTPS://HOOKS.EXAMPLE.COM/",
                None,
            ),
            // Names in other alphabets, and punycode.
            (
                "https://xn--e1afmkfd.example/ https://пример.example/ https://ⓗooks.example.com/",
                None,
            ),
            (
                "http://hooks.example.com/ ftp://hooks.example.com/ wss://hooks.example.com/",
                Some(Refused::Scheme),
            ),
            (
                "file:///etc/hostname javascript:alert(1) data:text/plain,a mailto:a@example.com",
                Some(Refused::NotAUrl),
            ),
            (
                "hooks.example.com //hooks.example.com https:// https:/// https://?a",
                Some(Refused::NotAUrl),
            ),
            (
                "https://hooks.example.com:8443/ https://hooks.example.com:80/ http://hooks.example.com:443/ https://hooks.example.com:22/",
                Some(Refused::Port),
            ),
            (
                "https://user:pass@hooks.example.com/ https://user@hooks.example.com/ https://@hooks.example.com/ https://:@hooks.example.com/ https:/a@hooks.example.com/ https://hooks.example.com@127.0.0.1/",
                Some(Refused::UserInfo),
            ),
            // An @ in the path is none.
            (
                "https://hooks.example.com/@a https://hooks.example.com/?a=b@c https://hooks.example.com/#@",
                None,
            ),
            // Backslashes, tabs and line breaks are read in different ways.
            (
                "https://hooks.example.com\\@127.0.0.1/ https:\\\\127.0.0.1/ https://hooks.example.com\\.evil.example/",
                Some(Refused::NotAUrl),
            ),
            (
                "https://127.0.0.1/ https://127.1/ https://127.0.1/ https://2130706433/ https://017700000001/",
                Some(Refused::Literal),
            ),
            (
                "https://0x7f000001/ https://0x7f.1/ https://0177.0.0.1/ https://0x7F.0x0.0x0.0x1/ https://127.0.0.1./ https://0/ https://0.0.0.0/",
                Some(Refused::Literal),
            ),
            // Digits in other forms, and encoded ones.
            (
                "https://１２７.０.０.１/ https://①②⑦.⓪.⓪.①/ https://%31%32%37.0.0.1/ https://127。0。0。1/",
                Some(Refused::Literal),
            ),
            (
                "https://10.1.2.3/ https://172.32.0.1/ https://93.184.216.34/ https://169.254.169.254/latest/meta-data/",
                Some(Refused::Literal),
            ),
            (
                "https://[::1]/ https://[::ffff:127.0.0.1]/ https://[fd00:ec2::254]/ https://[64:ff9b::7f00:1]/ https://[2606:2800:220:1::1]/",
                Some(Refused::Literal),
            ),
            (
                "https://[fe80::1%25eth0]/ https://[::1/ https://256.256.256.256/ https://1.2.3.4.5/",
                Some(Refused::NotAUrl),
            ),
            (
                "https://localhost/ https://localhost./ https://a.localhost/ https://n8n/ https://printer.local/",
                Some(Refused::LocalName),
            ),
            (
                "https://metadata.google.internal/ https://ip-10-0-0-1.ec2.internal/ https://nas.home.arpa/ https://hooks.example.com./",
                Some(Refused::LocalName),
            ),
            (
                "https://api.ringback.example/webhooks/own https://API.ringback.example:443/",
                Some(Refused::Own),
            ),
            ("https://other.ringback.example/", None),
        ] {
            for address in addresses.split(' ') {
                assert_eq!(refusal_of(&guard, address), expected, "{address}");
            }
        }
        for address in [
            "https://hooks.exam\tple.com/",
            "https://hooks.example.com/\n",
            " https://hooks.example.com/",
        ] {
            assert_eq!(refusal_of(&guard, address), Some(Refused::NotAUrl), "{address:?}");
        }
    }

    #[test]
    fn admitted_origins_may_have_ports_and_private_addresses() {
        let guard = Guard::new(" https://n8n.corp.internal:5678 , https://hooks.example.org/").unwrap();
        for (address, expected) in [
            ("https://n8n.corp.internal:5678/webhook/a", None),
            ("https://hooks.example.org/a", None),
            // The same host at another origin.
            ("https://n8n.corp.internal/webhook/a", Some(Refused::Port)),
            ("https://n8n.corp.internal:22/", Some(Refused::Port)),
            ("http://hooks.example.org/", Some(Refused::Port)),
            ("https://a:b@hooks.example.org/", Some(Refused::UserInfo)),
            ("https://other.corp.internal/", Some(Refused::LocalName)),
        ] {
            assert_eq!(refusal_of(&guard, address), expected, "{address}");
        }
        for (name, addresses, expected) in [
            ("n8n.corp.internal", "10.0.0.5", Ok(())),
            ("n8n.corp.internal", "10.0.0.5 fd12::1 93.184.216.34", Ok(())),
            ("n8n.corp.internal", "127.0.0.1", Err(Refused::NotPublic)),
            ("n8n.corp.internal", "169.254.169.254", Err(Refused::NotPublic)),
            ("hooks.example.com", "93.184.216.34 2606:2800:220:1::1", Ok(())),
            ("hooks.example.com", "10.0.0.5", Err(Refused::NotPublic)),
            ("hooks.example.com", "93.184.216.34 10.0.0.5", Err(Refused::NotPublic)),
            ("hooks.example.com", "::ffff:93.184.216.34", Err(Refused::NotPublic)),
            ("hooks.example.com", "", Err(Refused::NoAddress)),
        ] {
            let addresses: Vec<IpAddr> = addresses.split_whitespace().map(|text| text.parse().unwrap()).collect();
            assert_eq!(
                guard.check_addresses(name, &addresses),
                expected,
                "{name} {addresses:?}"
            );
        }
    }

    #[test]
    fn only_a_local_stack_admits_the_machine_itself() {
        let local = "http://127.0.0.1:9000";
        for bad in [
            local,
            "https://127.0.0.1",
            "http://n8n.example.com",
            "n8n.example.com",
            "https://a.example/b",
            "https://a:b@c.example",
        ] {
            assert!(Guard::new(bad).is_err(), "{bad}");
        }
        let guard = Guard::of_local_stack(local).unwrap();
        assert_eq!(refusal_of(&guard, "http://127.0.0.1:9000/hook"), None);
        assert_eq!(refusal_of(&guard, "http://127.0.0.1:9001/hook"), Some(Refused::Literal));
        assert_eq!(refusal_of(&guard, "https://localhost/"), Some(Refused::LocalName));
        let named = Guard::of_local_stack("http://receiver.example:9000").unwrap();
        let loopback = ["127.0.0.1".parse().unwrap()];
        assert_eq!(named.check_addresses("receiver.example", &loopback), Ok(()));
        assert_eq!(
            named.check_addresses("other.example", &loopback),
            Err(Refused::NotPublic)
        );
        assert!(Guard::new("").is_ok());
    }
}
