//! Pages to which tracked links lead.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// Target of a tracked link.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target(String);

/// A text that is no page for a tracked link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a tracked link leads to the URL of a page, https://, at a public host, without a user name, of at most {} bytes",
    Target::MAX_LENGTH
)]
pub struct NoTarget;

impl Target {
    /// Maximum length in bytes.
    pub const MAX_LENGTH: usize = 350;

    /// The URL as browsers are sent to it: without letters beyond ASCII.
    pub fn url(&self) -> String {
        Url::parse(&self.0).map_or_else(|_| self.0.clone(), String::from)
    }

    /// Whether the page is read without encryption. Nobody can write such a link now; in an older text, the page itself stands in its
    /// place.
    pub fn is_plain(&self) -> bool {
        Url::parse(&self.0).is_ok_and(|url| url.scheme() == "http")
    }
}

impl FromStr for Target {
    type Err = NoTarget;

    fn from_str(text: &str) -> Result<Self, NoTarget> {
        let allowed = |text: &str| {
            text.len() <= Self::MAX_LENGTH && !text.contains(|c: char| c.is_whitespace() || c.is_control())
        };
        let parsed = Some(text)
            .filter(|text| allowed(text))
            .and_then(|text| Url::parse(text).ok());
        let url = parsed.ok_or(NoTarget)?;
        let public = match url.host() {
            Some(Host::Domain(name)) => is_public(name.trim_end_matches('.')),
            Some(Host::Ipv4(_) | Host::Ipv6(_)) | None => false,
        };
        let has_user = !url.username().is_empty() || url.password().is_some();
        let fit =
            public && !has_user && matches!(url.scheme(), "http" | "https") && url.as_str().len() <= MAX_URL_LENGTH;
        fit.then(|| Self(text.to_owned())).ok_or(NoTarget)
    }
}

/// Whether a host name may be one of the public internet.
fn is_public(name: &str) -> bool {
    const OWN: [&str; 4] = [".local", ".localhost", ".internal", ".home.arpa"];
    name.contains('.') && !OWN.iter().any(|end| name.ends_with(end))
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Maximum length of a page's URL when it is stored: each byte of letters beyond ASCII takes three.
const MAX_URL_LENGTH: usize = 1_200;

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> Target {
        text.parse().unwrap()
    }

    #[test]
    fn pages_are_public_ones() {
        for fit in [
            "https://saffron.example/cake?a=1#b",
            "http://saffron.example:8080",
            "https://كعك.example/كعك",
        ] {
            assert_eq!(page(fit).to_string(), fit);
        }
        assert!(page("HTTP://saffron.example").is_plain() && !page("https://saffron.example/http://").is_plain());
        assert_eq!(
            page("https://كعك.example/كعك").url(),
            "https://xn--4gbtb.example/%D9%83%D8%B9%D9%83"
        );
        let long = format!("https://saffron.example/{}", "x".repeat(Target::MAX_LENGTH));
        for wrong in [
            "",
            "saffron.example",
            "ftp://saffron.example",
            "javascript:alert(1)",
            "https://",
            "https://localhost/",
            "https://printer.local/",
            "https://10.0.0.1/",
            "https://[::1]/",
            "https://2130706433/",
            "https://saffron.example@evil.example/",
            "https://saffron.example/a b",
            &long,
        ] {
            assert_eq!(wrong.parse::<Target>(), Err(NoTarget), "{wrong}");
        }
    }
}
