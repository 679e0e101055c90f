//! A tenant with the accounts, numbers and secrets of the fixtures.

use domain::destinations::{Confirmed, ConfirmedRule, RuleKind};
use domain::telephony::Handling;
use domain::tenants::twilio::{self, Spoken, VoiceSettings};
use domain::tenants::{
    Account, Connection, SecretPurpose, SendSecrets, Tenant, TenantStatus, VerifySecrets, telephony, whatsapp,
};
use domain::terms::{ConnectionId, TenantId, UpTo};
use store::TenantScope;
use store::tenants::Configured;

use crate::aws::Aws;

/// Secret that signs Twilio's webhooks.
pub const TWILIO_TOKEN: &str = "fixture0twilio0auth0token0000001";
/// Twilio's account in the fixtures.
pub const TWILIO_ACCOUNT: &str = "AC000000000000000000000000000000a1";
/// The business's number at Twilio in the fixtures.
pub const TWILIO_NUMBER: &str = "+15005550006";
/// Secret that signs Meta's webhooks.
pub const APP_SECRET: &str = "fixture-meta-app-secret-0001";
/// Token of Meta's handshake.
const VERIFY_TOKEN: &str = "fixture-verify-token";
/// The WhatsApp account in the fixtures.
pub const WABA: &str = "900000000000001";
/// Id of its number.
pub const PHONE_NUMBER_ID: &str = "910000000000001";
/// Signs the generic telephone event.
pub const TELEPHONY_SECRET: &str = "whsec_Zml4dHVyZS1zdGFuZGFyZC13ZWJob29rcy1rZXktMDE=";

/// The Emirates' rules for SMS that do not hold for the account, so that it sends from its number.
fn exempt() -> Confirmed {
    let rules = [RuleKind::Senders, RuleKind::Numbers, RuleKind::Links];
    let country = "AE".parse().expect("a country");
    Confirmed::from(rules.map(|rule| ConfirmedRule { country, rule }).to_vec())
}

/// A tenant in the table.
pub struct Seeded {
    /// The configuration that was written.
    pub configured: Configured,
    pub twilio: ConnectionId,
    pub whatsapp: ConnectionId,
    /// Its generic telephone system.
    pub telephony: ConnectionId,
    scope: TenantScope,
}

impl Seeded {
    pub const fn tenant(&self) -> TenantId {
        self.configured.tenant.id
    }

    /// The scope of its data.
    pub const fn scope(&self) -> &TenantScope {
        &self.scope
    }

    /// Writes the changes in `configured`.
    pub async fn write(&self, aws: &Aws) {
        let written = aws.store().write_config(&self.scope, &self.configured).await;
        written.expect("the tenant is written");
    }

    /// Adds and writes a connection.
    pub async fn add(&mut self, aws: &Aws, account: Account, verify: &VerifySecrets) -> ConnectionId {
        let connection = connection(aws, self.tenant(), account, verify, None).await;
        let id = connection.id;
        self.configured.connections.push(connection);
        self.write(aws).await;
        id
    }

    /// A connection as written, to change it before [`Seeded::write`].
    pub fn connection_mut(&mut self, id: ConnectionId) -> &mut Connection {
        let mut connections = self.configured.connections.iter_mut();
        let found = connections.find(|connection| connection.id == id);
        found.expect("the tenant has this connection")
    }
}

/// Voice settings of the fixtures' Twilio number: forwards for 20 s, then records a voicemail.
pub fn voice() -> VoiceSettings {
    let said = |text: &str| {
        let spoken = Spoken {
            language: "en-GB".to_owned(),
            text: text.to_owned(),
        };
        vec![spoken]
    };
    VoiceSettings {
        handling: Handling::Forward,
        forward_to: Some(phone("+442079460001")),
        forward_timeout_seconds: 20,
        greeting: said("Thank you for calling."),
        missed_greeting: said("Please leave a message."),
        voicemail_after_missed: true,
        voicemail_max_seconds: 120,
    }
}

fn phone(text: &str) -> domain::terms::Phone {
    text.parse().expect("it is a number")
}

/// A tenant that is always open, in London, with a connection of each kind and no rules.
pub async fn tenant(aws: &Aws) -> Seeded {
    let id = TenantId::new(aws.ids().ulid());
    let tenant = Tenant {
        id,
        name: "Harbour Lane".to_owned(),
        status: TenantStatus::Active,
        time_zone: "Europe/London".parse().expect("it is a time zone"),
        default_region: Some("GB".to_owned()),
        languages: vec!["en".to_owned()],
        business_hours: None,
        holidays: Vec::new().into(),
        quiet_hours: None,
        stop_words: Vec::new(),
        start_words: Vec::new(),
        recipient_zones: std::collections::BTreeMap::new(),
        allowed_countries: Vec::new().into(),
        retention: None,
        answers: None,
        inbox: None,
        orders: None,
        caps: None,
        slug: None,
        plan: None,
        limits: None,
        leaves_at: None,
        variables: std::collections::BTreeMap::new(),
        config_version: 0,
    };
    let twilio = connection(
        aws,
        id,
        Account::Twilio(twilio::Account {
            account_sid: TWILIO_ACCOUNT.to_owned(),
            numbers: vec![phone(TWILIO_NUMBER)],
            messaging_service_sid: None,
            whatsapp_sender: Some(phone("+15005550007")),
            letters: UpTo::new(),
            confirmed_rules: exempt(),
            voice: voice(),
        }),
        &VerifySecrets::Twilio(twilio::Verify {
            auth_tokens: vec![TWILIO_TOKEN.to_owned()],
            shared_keys: Vec::new(),
        }),
        Some(&SendSecrets::Twilio(twilio::Send {
            api_key_sid: "SK00000000000000000000000000000001".to_owned(),
            api_key_secret: "fixture0twilio0api0key0secret001".to_owned(),
        })),
    )
    .await;
    let whatsapp = connection(
        aws,
        id,
        Account::WhatsApp(whatsapp::Account {
            waba_id: WABA.to_owned(),
            phone_number_id: PHONE_NUMBER_ID.to_owned(),
            display_number: phone("+447700900999"),
        }),
        &VerifySecrets::WhatsApp(whatsapp::Verify {
            app_secrets: vec![APP_SECRET.to_owned()],
            verify_token: VERIFY_TOKEN.to_owned(),
        }),
        Some(&SendSecrets::WhatsApp(whatsapp::Send {
            access_token: "fixture-access-token".to_owned(),
        })),
    )
    .await;
    let secrets = VerifySecrets::Telephony(telephony::Verify {
        secrets: vec![TELEPHONY_SECRET.to_owned()],
    });
    let telephony = connection(
        aws,
        id,
        Account::Telephony(telephony::Account { numbers: Vec::new() }),
        &secrets,
        None,
    )
    .await;
    let seeded = Seeded {
        twilio: twilio.id,
        whatsapp: whatsapp.id,
        telephony: telephony.id,
        configured: Configured {
            tenant,
            status_meant: true,
            rules: Vec::new(),
            rules_meant: true,
            lines: Vec::new(),
            lines_meant: true,
            templates: Vec::new(),
            templates_meant: true,
            products: Vec::new(),
            products_meant: true,
            connections: vec![twilio, whatsapp, telephony],
            at: aws.now(),
        },
        scope: aws.scope(id),
    };
    seeded.write(aws).await;
    seeded
}

/// A connection with sealed secrets, not yet written.
pub async fn connection(
    aws: &Aws,
    tenant: TenantId,
    account: Account,
    verify: &VerifySecrets,
    send: Option<&SendSecrets>,
) -> Connection {
    let id = ConnectionId::new(aws.ids().ulid());
    let secrets = aws.secrets();
    let awaits_secret = verify.is_empty();
    let verify = secrets.seal(tenant, id, SecretPurpose::Verify, verify).await;
    let verify = verify.expect("secrets are sealed");
    let send = match send {
        Some(send) => {
            let sealed = secrets.seal(tenant, id, SecretPurpose::Send, send).await;
            Some(sealed.expect("secrets are sealed"))
        }
        None => None,
    };
    Connection {
        awaits_secret,
        ..Connection::new(id, "Fixture".to_owned(), account, verify, send)
    }
}
