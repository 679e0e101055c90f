//! Meta's WhatsApp Cloud API: events signed with an app's secret, the tenant's own or the platform's.

use serde::{Deserialize, Deserializer, Serialize};

use crate::tenants::{Credential, Generated, Kind, Webhook};
use crate::terms::{Api, Fault, Findings, Phone};

/// Pattern of [`MetaId`].
pub const META_ID: &str = "^[0-9]{5,20}$";

fn is_meta_id(text: &str) -> bool {
    (5..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Meta's id of an account or a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct MetaId(String);

shown_as!(MetaId, {"type": "string", "pattern": META_ID});

impl MetaId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for MetaId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if is_meta_id(&text) {
            Ok(Self(text))
        } else {
            let detail = "must be Meta's id, 5 to 20 digits";
            Err(Fault::format("provider_id", "900000000000101", detail).refuse())
        }
    }
}

account! {
    /// Meta's WhatsApp Cloud API.
    pub struct Account {
        /// Id of the WhatsApp Business Account.
        #[cfg_attr(feature = "schema", schemars(regex(pattern = META_ID), example = "900000000000101"))]
        pub waba_id: String,
        /// Meta's id of the sending number, not the number itself.
        #[cfg_attr(feature = "schema", schemars(regex(pattern = META_ID), example = "910000000000101"))]
        pub phone_number_id: String,
    } with settings {
        /// Phone number in E.164.
        pub display_number: Phone,
    }

    /// Meta's WhatsApp Cloud API.
    pub struct New as "WhatsappIn", named like "WhatsApp" {
        /// Always `whatsapp`.
        pub kind: Word as "WhatsappKind" = "whatsapp",
        /// Credentials for webhooks and sending.
        pub credentials: Credentials,
    }

    /// New credentials of a WhatsApp connection.
    pub struct NewCredentials as "WhatsappNewCredentials" { Credentials }
}

/// Credentials of a WhatsApp connection.
#[derive(Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "WhatsappCredentials")
)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// Access token of a system user that is assigned to the WhatsApp account.
    pub access_token: Credential<1024>,
    /// Secret of the Meta app that receives the events: there, App settings > Basic. It can be omitted if the platform has an app of its own,
    /// which receives them then.
    pub app_secret: Option<Credential>,
}

/// Secrets that verify Meta's webhooks. Without app secrets, the deployment's shared Meta app verifies.
#[derive(Clone, Serialize, Deserialize)]
pub struct Verify {
    pub app_secrets: Vec<String>,
    /// Verify token of Meta's handshake.
    pub verify_token: String,
}

/// Credentials for sending by Meta's API.
#[derive(Clone, Serialize, Deserialize)]
pub struct Send {
    /// The system user's token.
    pub access_token: String,
}

impl Kind for Account {
    type Verify = Verify;
    type Send = Send;
    type Given = Credentials;

    const WEBHOOKS: &'static [Webhook] = &[Webhook {
        what: "callback URL",
        method: "GET, POST",
        end: "",
    }];
    const GENERATES: Option<Generated> = Some(Generated::Token);
    const SENDS: Option<Api> = Some(Api::WhatsAppCloud);

    fn keep(given: Credentials, generated: Vec<String>) -> (Verify, Option<Send>) {
        let verify = Verify {
            app_secrets: given.app_secret.map(String::from).into_iter().collect(),
            verify_token: generated.into_iter().next().unwrap_or_default(),
        };
        let access_token = given.access_token.into();
        (verify, Some(Send { access_token }))
    }

    fn secrets(verify: &mut Verify) -> &mut Vec<String> {
        &mut verify.app_secrets
    }

    fn verifies_nothing(_: &Verify) -> bool {
        false
    }

    fn needs_shared_app(verify: &Verify) -> bool {
        verify.app_secrets.is_empty()
    }

    fn generated_secrets(verify: &Verify) -> &[String] {
        std::slice::from_ref(&verify.verify_token)
    }

    fn token(verify: &mut Verify) -> Option<&mut String> {
        Some(&mut verify.verify_token)
    }

    fn whatsapp_number(&self) -> Option<&Phone> {
        Some(&self.display_number)
    }

    fn check(&self, found: &mut Findings) {
        found.expect(
            is_meta_id(&self.waba_id),
            "waba_id",
            Fault::format("provider_id", "900000000000101", "Expected Meta's id, 5 to 20 digits."),
        );
        found.expect(
            is_meta_id(&self.phone_number_id),
            "phone_number_id",
            Fault::format(
                "provider_id",
                "910000000000101",
                "Expected Meta's id of the number, 5 to 20 digits; not the number itself.",
            ),
        );
    }
}
