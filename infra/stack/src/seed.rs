//! The two tenants that every local stack has, and the simulators' configuration for them.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use domain::templates::{ButtonKind, TemplateButton, TemplateDefinition};
use domain::tenants::{Account, SendSecrets, VerifySecrets};
use serde_json::{Value, json};

use crate::aws::Aws;
use crate::endpoints::{Login, Secrets, Tenant, Users};
use crate::people::{self, Registry};
use crate::place::Place;
use crate::secrets::Vault;
use crate::tenant::{self, Deployment, TenantFile};

const FILES: [&str; 2] = ["bakery", "clinic"];

/// A tenant to seed.
#[derive(Clone)]
pub struct Seed {
    file: TenantFile,
    secrets: Secrets,
    api_key: String,
    users: Users,
}

/// Reads `infra/stack/tenants/` and fills in this data directory's secrets: `$secret:NAME` in hex, `$whsec:NAME` in the format of
/// Standard Webhooks.
pub fn load(place: &Place, vault: &mut Vault) -> Result<Vec<Seed>> {
    FILES
        .iter()
        .map(|name| {
            let path = place.root.join(format!("infra/stack/tenants/{name}.json"));
            let file = tenant::read(&path, &mut |text| {
                if let Some(name) = text.strip_prefix("$secret:") {
                    vault.secret(name).map(Some)
                } else if let Some(name) = text.strip_prefix("$whsec:") {
                    Ok(Some(whsec(&vault.secret(name)?)))
                } else {
                    Ok(None)
                }
            })?;
            let api_key = people::api_key(&vault.secret(&format!("{name}.api_key"))?)?;
            let password = people::password(vault)?;
            Seed::new(file, api_key, people::users(&format!("{name}.example"), &password))
        })
        .collect()
}

/// A Standard Webhooks secret.
pub fn whsec(secret: &str) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    format!("whsec_{}", STANDARD.encode(secret))
}

fn secrets(file: &TenantFile) -> Result<Secrets> {
    let (mut twilio, mut whatsapp, mut telephony) = (None, None, None);
    for connection in &file.connections {
        match &connection.verify {
            Some(VerifySecrets::Twilio(own)) => twilio = own.auth_tokens.first(),
            Some(VerifySecrets::WhatsApp(own)) => {
                // None: the deployment's shared Meta app verifies its webhooks.
                whatsapp = Some((own.app_secrets.first().cloned().unwrap_or_default(), &own.verify_token));
            }
            Some(VerifySecrets::Telephony(own)) => telephony = own.secrets.first(),
            _ => {}
        }
    }
    let (Some(twilio), Some((app_secret, verify_token)), Some(telephony)) = (twilio, whatsapp, telephony) else {
        bail!("a seeded tenant has a twilio, a whatsapp and a telephony connection with their secrets");
    };
    Ok(Secrets {
        twilio_auth_token: twilio.clone(),
        whatsapp_app_secret: app_secret,
        whatsapp_verify_token: verify_token.clone(),
        telephony_secret: telephony.clone(),
    })
}

/// Writes the tenants with their users to the deployment with these outputs, and creates the platform administrator.
pub async fn write(
    aws: &Aws,
    outputs: &BTreeMap<String, String>,
    seeds: &[Seed],
    vault: &mut Vault,
    platform_admin: &Login,
) -> Result<()> {
    let deployment = Deployment::new(outputs, aws).await?;
    let registry = Registry::new(deployment.store.clone(), deployment.signer(outputs)?, vault)?;
    for seed in seeds {
        let written = seed.write(&deployment, &registry).await;
        written.with_context(|| format!("seeding {}", seed.file.tenant.name))?;
    }
    registry.appoint(platform_admin).await
}

impl Seed {
    /// A tenant from its file, with credentials, API key and users.
    pub fn new(file: TenantFile, api_key: String, users: Users) -> Result<Self> {
        let secrets = secrets(&file).with_context(|| format!("looking for the secrets of {}", file.tenant.name))?;
        Ok(Self {
            file,
            secrets,
            api_key,
            users,
        })
    }

    /// Writes the tenant to the table.
    pub async fn write(&self, deployment: &Deployment, registry: &Registry) -> Result<()> {
        deployment.apply(&self.file).await?;
        registry.seat(self.file.tenant.id, &self.users, &self.api_key).await
    }

    /// The tenant's entry in `endpoints.json`.
    pub fn endpoint(&self) -> Tenant {
        let connections = self.file.connections.iter();
        let connections = connections.map(|connection| (connection.kind().to_owned(), connection.id.to_string()));
        Tenant {
            id: self.file.tenant.id.to_string(),
            name: self.file.tenant.name.clone(),
            connections: connections.collect(),
            secrets: self.secrets.clone(),
            api_key: self.api_key.clone(),
            users: self.users.clone(),
        }
    }

    fn simulated_tenant(&self) -> Value {
        let mut simulated =
            json!({ "id": self.file.tenant.id, "name": self.file.tenant.name, "api_key": self.api_key });
        for connection in &self.file.connections {
            simulated[connection.kind()] = match (&connection.account, &connection.send) {
                (Account::Twilio(account), Some(SendSecrets::Twilio(send))) => json!({
                    "connection": connection.id,
                    "account_sid": account.account_sid,
                    "auth_token": self.secrets.twilio_auth_token,
                    "api_key_sid": send.api_key_sid,
                    "api_key_secret": send.api_key_secret,
                    "numbers": account.numbers,
                    "messaging_service_sid": account.messaging_service_sid,
                    "registered_letters": account.letters.iter().filter(|letters| letters.registered)
                        .flat_map(|letters| [Some(&letters.sender), letters.promotion.as_ref()])
                        .flatten().collect::<Vec<_>>(),
                    "whatsapp_sender": account.whatsapp_sender,
                }),
                (Account::WhatsApp(account), Some(SendSecrets::WhatsApp(send))) => json!({
                    "connection": connection.id,
                    "waba_id": account.waba_id,
                    "phone_number_id": account.phone_number_id,
                    "display_number": account.display_number,
                    "access_token": send.access_token,
                    "app_secret": self.secrets.whatsapp_app_secret,
                    "verify_token": self.secrets.whatsapp_verify_token,
                    "templates": self.file.templates.iter().flatten().map(as_meta_has_it).collect::<Vec<_>>(),
                }),
                (Account::Telephony(_), _) => json!({
                    "connection": connection.id,
                    "secret": self.secrets.telephony_secret,
                }),
                _ => continue,
            };
        }
        simulated
    }
}

/// The configuration of the simulators.
pub fn simulators(public_base_url: &str, seeds: &[Seed]) -> Value {
    json!({
        "public_base_url": public_base_url,
        // A status that Twilio gives up is lost, and a machine at work can need more than its 15 s.
        "delivery": { "twilio_patience": 8 },
        "tenants": seeds.iter().map(Seed::simulated_tenant).collect::<Vec<_>>(),
    })
}

/// A template in the format of `GET /{waba}/message_templates`.
fn as_meta_has_it(template: &TemplateDefinition) -> Value {
    let mut components = Vec::new();
    if let Some(header) = &template.header {
        components.push(json!({ "type": "HEADER", "format": "TEXT", "text": header }));
    }
    components.push(json!({ "type": "BODY", "text": template.body }));
    if let Some(footer) = &template.footer {
        components.push(json!({ "type": "FOOTER", "text": footer }));
    }
    if !template.buttons.is_empty() {
        let shown = |button: &TemplateButton| {
            let kind = match button.kind {
                ButtonKind::QuickReply => "QUICK_REPLY",
                ButtonKind::Url => "URL",
                ButtonKind::PhoneNumber => "PHONE_NUMBER",
                ButtonKind::OfferCode => "COPY_CODE",
                ButtonKind::OneTimeCode => "OTP",
                ButtonKind::Other => "OTHER",
            };
            let mut own = json!({ "type": kind, "text": button.text });
            if let Some(url) = &button.url {
                own["url"] = url.clone().into();
            }
            own
        };
        let buttons: Vec<_> = template.buttons.iter().map(shown).collect();
        components.push(json!({ "type": "BUTTONS", "buttons": buttons }));
    }
    let category = serde_json::to_value(template.category).ok();
    json!({
        "name": template.name,
        "language": template.language,
        "category": category.as_ref().and_then(Value::as_str).unwrap_or("utility").to_uppercase(),
        "status": template.status.0,
        "components": components,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeded_tenants_write_to_unknown_callers_in_one_language() {
        let place = Place::new(None).unwrap();
        for name in FILES {
            let path = place.root.join(format!("infra/stack/tenants/{name}.json"));
            let file = tenant::read_value(&path, &mut |_| Ok(None)).unwrap();
            // SMS uses the tenant's first language.
            let first = &file["tenant"]["languages"][0];
            for rule in file["rules"].as_array().unwrap() {
                let then = &rule["then"];
                let template = then["template"]["language"].as_str().unwrap();
                assert_eq!(template.split('_').next(), first.as_str(), "{name}, by WhatsApp");
                let texts = &then["sms_text"];
                assert!(
                    texts.is_string() || texts[first.as_str().unwrap()].is_string(),
                    "{name}"
                );
            }
        }
    }
}
