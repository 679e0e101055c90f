//! WooCommerce: webhooks about orders, which the store signs with a secret of ours.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::tenants::{Generated, Kind, Webhook};
use crate::terms::{Fault, Findings};

account! {
    /// WooCommerce, for the orders of a store.
    pub struct Account {
        /// Address of the store, as its WordPress settings have it. `www.` makes no difference.
        #[cfg_attr(feature = "schema", schemars(length(max = MAX_LENGTH), regex(pattern = "^https?://"), example = &"https://saffron.example"))]
        pub store: String,
    } with settings {
    }

    /// WooCommerce, for the orders of a store. The secret of its webhooks is generated and shown once.
    pub struct New as "WooCommerceIn", named like "Store" {
        /// Always `woocommerce`.
        pub kind: Word as "WooCommerceKind" = "woocommerce",
    }

    /// No credentials: its secret is generated.
    pub struct NewCredentials as "WooCommerceNewCredentials" {}
}

/// Maximum length of a store's address.
const MAX_LENGTH: usize = 200;

/// Secrets that verify WooCommerce's webhooks.
#[derive(Clone, Serialize, Deserialize)]
pub struct Verify {
    /// The secrets: letters, digits, `-` and `_`. WordPress writes other characters in another way.
    pub secrets: Vec<String>,
}

/// No credentials: the store is never asked.
#[derive(Clone, Serialize, Deserialize)]
pub struct Send {}

/// The host of an address of a store, without `www.`.
fn host(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    let host = url.host_str().filter(|_| matches!(url.scheme(), "http" | "https"))?;
    Some(host.strip_prefix("www.").unwrap_or(host).to_owned())
}

impl Account {
    /// Whether a webhook names this store.
    pub fn is_store(&self, named: Option<&str>) -> bool {
        let named = named.and_then(host);
        named.is_some() && named == host(&self.store)
    }
}

impl Kind for Account {
    type Verify = Verify;
    type Send = Send;
    type Given = ();

    const WEBHOOKS: &'static [Webhook] = &[Webhook {
        what: "webhooks for orders",
        method: "POST",
        end: "",
    }];
    const GENERATES: Option<Generated> = Some(Generated::Word);
    const TAKES_CREDENTIALS: bool = false;

    fn keep((): (), secrets: Vec<String>) -> (Verify, Option<Send>) {
        (Verify { secrets }, None)
    }

    fn secrets(verify: &mut Verify) -> &mut Vec<String> {
        &mut verify.secrets
    }

    fn verifies_nothing(verify: &Verify) -> bool {
        verify.secrets.iter().all(String::is_empty)
    }

    fn generated_secrets(verify: &Verify) -> &[String] {
        &verify.secrets
    }

    fn check(&self, found: &mut Findings) {
        found.expect(
            self.store.len() <= MAX_LENGTH && host(&self.store).is_some_and(|host| host.contains('.')),
            "store",
            Fault::format(
                "web_url",
                "https://saffron.example",
                "Expected the address of the store, such as https://saffron.example.",
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn store_is_known_by_its_host() {
        let account = Account {
            store: "https://www.saffron.example/shop".to_owned(),
        };
        for named in [
            "https://saffron.example/",
            "http://WWW.Saffron.example",
            "https://saffron.example/en/",
        ] {
            assert!(account.is_store(Some(named)), "{named}");
        }
        for named in [
            None,
            Some("saffron.example"),
            Some("https://shop.saffron.example/"),
            Some(""),
        ] {
            assert!(!account.is_store(named), "{named:?}");
        }
    }

    #[test]
    fn only_a_page_is_a_store() {
        let is_accepted = |store: &str| {
            let mut found = Findings::default();
            Account {
                store: store.to_owned(),
            }
            .check(&mut found);
            found.0.is_empty()
        };
        assert!(is_accepted("https://saffron.example") && is_accepted("http://saffron.example:8080/shop/"));
        for bad in [
            "saffron.example",
            "ftp://saffron.example",
            "https://",
            "https://localhost",
            "mailto:a@b.example",
        ] {
            assert!(!is_accepted(bad), "{bad}");
        }
        assert!(!is_accepted(&format!("https://saffron.example/{}", "a".repeat(200))));
    }
}
