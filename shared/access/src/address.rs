//! The address of a caller, as far as it is logged and stored: enough to tell callers apart, too little to find a person.

use std::net::IpAddr;

use aws_lc_rs::hmac;
use domain::terms::IpRange;

/// Address of an authenticated caller, reduced to what is stored of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressTrace {
    pub network: IpRange,
    /// Keyed hash of the whole address. The same address of the same key or session has the same hash.
    pub hash: String,
}

impl AddressTrace {
    /// Trace of an address. `secret` is known only by the caller's credentials and never logged: their API key as sent, or the
    /// session of their token. So whoever reads the log cannot try all addresses.
    pub(crate) fn of(address: IpAddr, secret: &str) -> Self {
        let address = address.to_canonical();
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let tag = hmac::sign(&key, format!("address {address}").as_bytes());
        Self {
            network: IpRange::network_of(address),
            hash: hex::encode(&tag.as_ref()[..8]),
        }
    }
}
