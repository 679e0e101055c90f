//! A proxy before the API, such as CloudFront with WAF: the header that names the viewer, and the secret that proves that a request
//! came through the proxy.
//!
//! Without a proxy, the address is the one that API Gateway saw. Behind a proxy that would be the proxy's own, so all viewers would share
//! one limit, while a header alone could be forged by anyone who reaches the gateway directly. So the proxy adds a secret to each request,
//! and requests without it are refused. Functions know only the hash of the secret. A wrong configuration fails closed, not open.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName};

use crate::{Config, ConfigError, SecretHashes};

/// Header with the proxy's secret.
pub(crate) const ORIGIN_SECRET: HeaderName = HeaderName::from_static("x-origin-secret");

/// A proxy that is trusted to name the viewer's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TrustedProxy {
    header: HeaderName,
    secrets: SecretHashes,
}

impl TrustedProxy {
    /// From `VIEWER_ADDRESS_HEADER` and `ORIGIN_SECRET_SHA256`. `None` if neither is set.
    ///
    /// # Errors
    /// When one of them is set without the other, or has another form.
    pub(crate) fn of(config: &Config) -> Result<Option<Self>, ConfigError> {
        const HEADER: &str = "VIEWER_ADDRESS_HEADER";
        const SECRET: &str = "ORIGIN_SECRET_SHA256";
        let (header, secrets) = match (config.optional(HEADER), SecretHashes::of(config, SECRET)?) {
            (None, None) => return Ok(None),
            (Some(header), Some(secrets)) => (header, secrets),
            (None, Some(_)) => return Err(ConfigError::new(HEADER, format!("must be set, because {SECRET} is"))),
            (Some(_), None) => return Err(ConfigError::new(SECRET, format!("must be set, because {HEADER} is"))),
        };
        let header = HeaderName::from_bytes(header.to_ascii_lowercase().as_bytes())
            .map_err(|_| ConfigError::new(HEADER, "must be the name of a header"))?;
        Ok(Some(Self { header, secrets }))
    }

    /// Address of the viewer, if the request came through the proxy.
    pub(crate) fn viewer(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let text = |name: &HeaderName| headers.get(name)?.to_str().ok();
        let proven = self.secrets.match_secret(text(&ORIGIN_SECRET)?);
        proven.then(|| address(text(&self.header)?)).flatten()
    }
}

/// An address as proxies write it, with or without the port: CloudFront writes `198.51.100.7:46532`, and IPv6 addresses without
/// brackets.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix('[') {
        return rest.split(']').next()?.parse().ok();
    }
    let without_port = text.rsplit_once(':').and_then(|(address, _)| address.parse().ok());
    without_port.or_else(|| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use access::token::sha256_hex;
    use jiff::Timestamp;

    use super::*;
    use crate::{Clock, Env, Ids};

    const SECRET: &str = "0f3a9c27b8d14e65a1c2d3e4f50617280f3a9c27b8d14e65a1c2d3e4f5061728";

    fn env(header: &str, secrets: &str) -> Result<Env, ConfigError> {
        let variables = [
            ("STAGE", "prod"),
            ("VIEWER_ADDRESS_HEADER", header),
            ("ORIGIN_SECRET_SHA256", secrets),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ];
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let clock = Clock::new_fixed(Timestamp::UNIX_EPOCH);
        Env::new(
            "health",
            Config::from_variables(variables.map(own))?,
            clock.clone(),
            Ids::from_seed(clock, 1),
        )
    }

    #[test]
    fn half_configured_proxy_is_refused() {
        let hash = sha256_hex(SECRET);
        assert!(env("", "").unwrap().trusted_proxy().is_none());
        assert!(env("CloudFront-Viewer-Address", &hash).is_ok());
        assert!(env("cloudfront-viewer-address", &format!("{hash},{hash}")).is_ok());
        for (header, secrets) in [
            ("cloudfront-viewer-address", ""),
            ("", hash.as_str()),
            ("no header", hash.as_str()),
            ("x-viewer", SECRET.get(1..).unwrap_or_default()),
            ("x-viewer", "secret"),
        ] {
            assert!(env(header, secrets).is_err(), "{header} {secrets}");
        }
    }

    #[test]
    fn trusted_proxy_names_the_viewer() {
        let other = sha256_hex("the next secret");
        let env = env("x-viewer", &format!("{other},{}", sha256_hex(SECRET))).unwrap();
        let proxy = env.trusted_proxy().unwrap();
        let viewer = |secret: &str, address: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-viewer", address.parse().unwrap());
            headers.insert(ORIGIN_SECRET, secret.parse().unwrap());
            proxy.viewer(&headers).map(|address| address.to_string())
        };
        for (address, is) in [
            ("198.51.100.7:46532", "198.51.100.7"),
            ("198.51.100.7", "198.51.100.7"),
            ("2001:db8::1:46532", "2001:db8::1"),
            ("2001:db8:1:2:3:4:5:6:443", "2001:db8:1:2:3:4:5:6"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("2001:db8::", "2001:db8::"),
        ] {
            assert_eq!(viewer(SECRET, address).as_deref(), Some(is), "{address}");
            assert_eq!(viewer("the next secret", address).as_deref(), Some(is), "{address}");
            assert_eq!(viewer("another", address), None);
            assert_eq!(viewer("", address), None);
        }
        for wrong in ["", "unknown", "198.51.100.7, 10.0.0.1"] {
            assert_eq!(viewer(SECRET, wrong), None, "{wrong}");
        }
        assert_eq!(proxy.viewer(&HeaderMap::new()), None);
    }
}
