//! A kind of connection, as the file of each kind defines it. `connection` dispatches to them.

use std::collections::HashSet;

use crate::terms::{Api, Fault, FaultCode, Findings, Phone};

/// Maximum numbers of a connection.
pub const MAX_NUMBERS: usize = 100;

/// A kind of connection, implemented by its account.
pub trait Kind: Clone + PartialEq {
    /// Secrets that verify its webhooks.
    type Verify;
    /// Credentials for its API, to send or to test the connection.
    type Send;
    /// Credentials of a new connection, as the API takes them.
    type Given;

    /// Webhooks to configure at the provider.
    const WEBHOOKS: &'static [Webhook];
    /// Secret that is generated here for a new connection.
    const GENERATES: Option<Generated> = None;
    /// True if its credentials can be replaced.
    const TAKES_CREDENTIALS: bool = true;
    /// Its messaging API, if it sends.
    const SENDS: Option<Api> = None;
    /// Credentials for its API, if the secret that verifies its webhooks is also used there.
    const OPENS: Option<Opens<Self::Verify, Self::Send>> = None;

    /// Credentials as they are stored. `generated`: the secrets that were generated here, newest first.
    fn keep(given: Self::Given, generated: Vec<String>) -> (Self::Verify, Option<Self::Send>);

    /// The secrets that a rotation replaces, newest first.
    fn secrets(verify: &mut Self::Verify) -> &mut Vec<String>;

    /// Whether no webhook can be verified with it.
    fn verifies_nothing(verify: &Self::Verify) -> bool;

    /// Whether its webhooks are verified by the deployment's shared app, if there is one.
    fn needs_shared_app(_: &Self::Verify) -> bool {
        false
    }

    /// The secrets that were generated here, newest first.
    fn generated_secrets(_: &Self::Verify) -> &[String] {
        &[]
    }

    /// The token of a handshake, which replaces the one before at once.
    fn token(_: &mut Self::Verify) -> Option<&mut String> {
        None
    }

    /// Whether this webhook is to be configured, with these settings.
    fn uses(&self, _: &Webhook) -> bool {
        true
    }

    /// The numbers whose calls it reports; empty: all that it reports.
    fn numbers(&self) -> &[Phone] {
        &[]
    }

    /// The number of the business that customers write to by WhatsApp.
    fn whatsapp_number(&self) -> Option<&Phone> {
        None
    }

    /// Whether it sends SMS.
    fn sends_sms(&self) -> bool {
        false
    }

    /// Whether a test of one account also holds for the other, because the provider is asked about the same.
    fn is_tested_as(&self, other: &Self) -> bool {
        self == other
    }

    fn check(&self, found: &mut Findings) {
        check_numbers(self.numbers(), found);
    }
}

/// Makes the credentials for the API from the secrets that verify webhooks.
pub type Opens<V, S> = fn(&V) -> Option<S>;

/// Secret that is generated here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generated {
    /// A token that the provider sends in a handshake.
    Token,
    /// A word of letters, digits, `-` and `_`: at the end of the URLs of its webhooks, or the secret that signs them.
    Word,
    /// A secret that signs its events (Standard Webhooks).
    StandardWebhooks,
}

/// A webhook to configure at a provider.
#[derive(Debug, Clone, Copy)]
pub struct Webhook {
    /// Name of the setting at the provider.
    pub what: &'static str,
    /// The methods that it uses.
    pub method: &'static str,
    /// The end of its URL.
    pub end: &'static str,
}

/// Whether a text consists of letters, digits, `-` and `_`, in a number within `lengths`.
pub(super) fn is_word(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    lengths.contains(&text.len()) && text.bytes().all(plain)
}

pub(super) fn check_numbers(numbers: &[Phone], found: &mut Findings) {
    if numbers.len() > MAX_NUMBERS {
        let detail = format!("Expected at most {MAX_NUMBERS} entries.");
        found.add("numbers", Fault::too_many(MAX_NUMBERS, detail));
        return;
    }
    let mut seen = HashSet::with_capacity(numbers.len());
    for (index, number) in numbers.iter().enumerate() {
        if !seen.insert(number) {
            let fault = Fault::new(FaultCode::GivenTwice, "This number is given twice.");
            found.add(format!("numbers[{index}]"), fault);
        }
    }
}

/// Defines the account of a kind, and from the same fields a new connection of this kind as the API takes it. The `settings`
/// are the fields that can change later.
macro_rules! account {
    (
        $(#[$about:meta])*
        pub struct Account {
            $($(#[$about_field:meta])* pub $field:ident: $type:ty,)*
        } with settings {
            $($(#[$about_setting:meta])* pub $setting:ident: $setting_type:ty,)*
        }

        $(#[$about_new:meta])*
        pub struct New as $new:tt, named like $example:tt {
            $(#[$about_word:meta])*
            pub kind: Word as $kind:tt = $word:tt,
            $($(#[$about_given:meta])* pub credentials: $given:ty,)?
        }

        $(#[$about_replaced:meta])*
        pub struct NewCredentials as $replaced:tt { $($credentials:ty)? }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub struct Account {
            $($(#[$about_field])* pub $field: $type,)*
            $($(#[$about_setting])* pub $setting: $setting_type,)*
        }

        impl Account {
            pub(super) const SETTINGS: &'static [&'static str] = &[$(stringify!($setting)),*];
        }

        $(#[$about])*
        #[derive(Debug, Clone, Copy, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = $kind))]
        pub enum Word {
            $(#[$about])*
            #[serde(rename = $word)]
            Word,
        }

        $(#[$about_new])*
        #[derive(serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = $new))]
        #[serde(deny_unknown_fields)]
        pub struct New {
            $(#[$about_word])*
            pub kind: Word,
            /// Display name.
            #[cfg_attr(feature = "schema", schemars(example = &$example))]
            pub name: $crate::terms::OneLine<1, { $crate::terms::MAX_NAME_LENGTH }>,
            $($(#[$about_field])* pub $field: $type,)*
            $($(#[$about_setting])* pub $setting: $setting_type,)*
            $($(#[$about_given])* pub credentials: $given,)?
        }

        impl New {
            pub(super) fn parts(self) -> (String, Account, <Account as $crate::tenants::Kind>::Given) {
                let account = Account {
                    $($field: self.$field,)*
                    $($setting: self.$setting,)*
                };
                (self.name.into(), account, ($(<$given>::from(self.credentials))?))
            }
        }

        $(#[$about_replaced])*
        #[derive(serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = $replaced))]
        #[serde(deny_unknown_fields)]
        pub struct NewCredentials {
            /// Kind of the connection.
            pub kind: Word,
            $(
                /// All credentials of the connection.
                pub credentials: $credentials,
            )?
        }

        impl NewCredentials {
            pub(super) fn given(self) -> <Account as $crate::tenants::Kind>::Given {
                Into::into(($(<$credentials>::from(self.credentials))?))
            }
        }
    };
}
