//! Shopify: webhooks about orders, which the shop signs with a key that it shows.

use serde::{Deserialize, Serialize};

use super::kind::is_word;
use crate::tenants::{Credential, Kind, Webhook};
use crate::terms::{Fault, Findings};

/// Pattern of a shop's domain at Shopify. A shop's own domain is none: webhooks do not name it.
pub const SHOP: &str = "^[a-z0-9][a-z0-9-]{0,62}\\.myshopify\\.com$";

/// End of a shop's domain.
const DOMAIN: &str = ".myshopify.com";

account! {
    /// Shopify, for the orders of a shop.
    pub struct Account {
        /// Domain of the shop at Shopify, which ends with `.myshopify.com`.
        #[cfg_attr(feature = "schema", schemars(regex(pattern = SHOP), example = &"saffron-bakery.myshopify.com"))]
        pub shop: String,
    } with settings {
    }

    /// Shopify, for the orders of a shop.
    pub struct New as "ShopifyIn", named like "Shop" {
        /// Always `shopify`.
        pub kind: Word as "ShopifyKind" = "shopify",
        /// Credentials. Omit them until the shop shows its signing key. Until then, no webhook is accepted.
        pub credentials: Option<Credentials>,
    }

    /// New credentials of a Shopify connection.
    pub struct NewCredentials as "ShopifyNewCredentials" { Credentials }
}

/// Credentials of a Shopify connection.
#[derive(Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "ShopifyCredentials")
)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// Key with which the shop signs its webhooks, as it stands below them under Settings > Notifications > Webhooks.
    pub signing_key: Credential,
}

/// Secrets that verify Shopify's webhooks.
#[derive(Clone, Serialize, Deserialize)]
pub struct Verify {
    /// Keys with which the shop signs.
    pub signing_keys: Vec<String>,
}

/// No credentials: the shop is never asked.
#[derive(Clone, Serialize, Deserialize)]
pub struct Send {}

impl Account {
    /// Whether a webhook names this shop.
    pub fn is_shop(&self, named: Option<&str>) -> bool {
        named.is_some_and(|named| named.eq_ignore_ascii_case(&self.shop))
    }
}

impl Kind for Account {
    type Verify = Verify;
    type Send = Send;
    type Given = Option<Credentials>;

    const WEBHOOKS: &'static [Webhook] = &[Webhook {
        what: "webhooks for orders and fulfillments",
        method: "POST",
        end: "",
    }];

    fn keep(given: Option<Credentials>, _: Vec<String>) -> (Verify, Option<Send>) {
        let signing_keys = given.map(|given| given.signing_key.into()).into_iter().collect();
        (Verify { signing_keys }, None)
    }

    fn secrets(verify: &mut Verify) -> &mut Vec<String> {
        &mut verify.signing_keys
    }

    fn verifies_nothing(verify: &Verify) -> bool {
        verify.signing_keys.iter().all(String::is_empty)
    }

    fn check(&self, found: &mut Findings) {
        let name = self.shop.strip_suffix(DOMAIN);
        let is_lower = |name: &str| !name.contains('_') && !name.starts_with('-') && name == name.to_ascii_lowercase();
        found.expect(
            name.is_some_and(|name| is_word(name, 1..=63) && is_lower(name)),
            "shop",
            Fault::format(
                "provider_id",
                "saffron-bakery.myshopify.com",
                "Expected the shop's domain at Shopify, in small letters, such as saffron-bakery.myshopify.com.",
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_domain_at_shopify_is_a_shop() {
        let is_accepted = |shop: &str| {
            let mut found = Findings::default();
            Account { shop: shop.to_owned() }.check(&mut found);
            found.0.is_empty()
        };
        assert!(is_accepted("saffron-bakery.myshopify.com") && is_accepted("4711.myshopify.com"));
        for bad in [
            "saffron.example",
            "myshopify.com",
            ".myshopify.com",
            "-a.myshopify.com",
            "A.myshopify.com",
            "a_b.myshopify.com",
            "a.b.myshopify.com",
            "a.myshopify.com.example",
            "https://a.myshopify.com",
            "a/.myshopify.com",
        ] {
            assert!(!is_accepted(bad), "{bad}");
        }
        let account = Account {
            shop: "a.myshopify.com".to_owned(),
        };
        assert!(account.is_shop(Some("A.MyShopify.com")));
        assert!(!account.is_shop(Some("b.myshopify.com")) && !account.is_shop(None));
    }
}
