//! Webhooks from Meta to Ringback: statuses and preferences; and the handshake of a new webhook.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::errors;
use crate::config::{Config, Tenant, WhatsAppAccount};
use crate::delivery::{Body, Webhook, encode_pairs, meta_json};
use crate::outbox::Sent;
use crate::phones::{bsuid, digits};
use crate::world::Sims;

const ERRORS_PAGE: &str = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/";

/// A change of this field, with the number's metadata.
pub(crate) fn webhook(
    config: &Config,
    tenant: &Tenant,
    account: &WhatsAppAccount,
    what: &str,
    field: &str,
    value: Value,
) -> Webhook {
    let mut full = json!({
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": digits(&account.display_number),
            "phone_number_id": account.phone_number_id,
        },
    });
    if let (Value::Object(full), Value::Object(value)) = (&mut full, value) {
        full.extend(value);
    }
    let event = json!({
        "object": "whatsapp_business_account",
        "entry": [{"id": account.waba_id, "changes": [{"value": full, "field": field}]}],
    });
    signed_webhook(config, tenant, account, what, &event)
}

/// An event of the account at a time, such as of a template: it names no number.
pub(crate) fn account_webhook(
    config: &Config,
    tenant: &Tenant,
    account: &WhatsAppAccount,
    field: &str,
    value: &Value,
    at: Timestamp,
) -> Webhook {
    let what = value["event"]
        .as_str()
        .map_or(field.to_owned(), |event| format!("{field} {event}"));
    let event = json!({
        "object": "whatsapp_business_account",
        "entry": [{
            "id": account.waba_id,
            "time": at.as_second(),
            "changes": [{"value": value, "field": field}],
        }],
    });
    signed_webhook(config, tenant, account, &what, &event)
}

fn signed_webhook(config: &Config, tenant: &Tenant, account: &WhatsAppAccount, what: &str, event: &Value) -> Webhook {
    Webhook {
        what: format!("whatsapp {what}"),
        tenant: tenant.id.clone(),
        url: tenant.whatsapp_url(config, account),
        body: Body::Meta {
            app_secret: account.app_secret.clone(),
            json: meta_json(event),
        },
    }
}

/// A delivery status, in the shape of `fixtures/whatsapp/status`.
pub(crate) fn status_webhook(
    config: &Config,
    sent: &Sent,
    name: &str,
    status: &str,
    at: Timestamp,
    code: Option<u32>,
) -> Option<Webhook> {
    let tenant = config.tenant(&sent.tenant)?;
    let account = tenant.whatsapp.as_ref()?;
    let user_id = bsuid(&account.waba_id, &sent.to);
    // A recipient without WhatsApp has no contact and no BSUID (fixtures/whatsapp/status/failed_131026_no_contacts_no_bsuid).
    let known = code != Some(131026);
    let mut item = json!({
        "id": sent.id,
        "status": status,
        "timestamp": at.as_second().to_string(),
    });
    if !sent.wire.to_bsuid {
        item["recipient_id"] = json!(digits(&sent.to));
    }
    if known && (code.is_none() || sent.wire.to_bsuid) {
        item["recipient_user_id"] = json!(user_id);
    }
    if matches!(status, "sent" | "delivered") {
        item["pricing"] = json!({
            "billable": true,
            "pricing_model": "PMP",
            "category": sent.wire.category,
            "type": "regular",
        });
    }
    if let Some(code) = code {
        item["errors"] = json!([{
            "code": code,
            "title": errors::title(code),
            "message": errors::title(code),
            "error_data": {"details": errors::title(code)},
            "href": ERRORS_PAGE,
        }]);
    }
    if let Some(key) = &sent.key {
        item["biz_opaque_callback_data"] = json!(key);
    }
    let mut value = json!({"statuses": [item]});
    if known {
        let mut contact = json!({"profile": {"name": name}, "user_id": user_id});
        if !sent.wire.to_bsuid {
            contact["wa_id"] = json!(digits(&sent.to));
        }
        value["contacts"] = json!([contact]);
    }
    Some(webhook(
        config,
        tenant,
        account,
        &format!("status {status}"),
        "messages",
        value,
    ))
}

/// The customer stops or resumes marketing in WhatsApp's own settings (`fixtures/whatsapp/account/user_preferences_stop`).
pub(crate) fn preference_webhook(
    world: &Sims,
    config: &Config,
    tenant: &Tenant,
    account: &WhatsAppAccount,
    number: &str,
    name: &str,
    preference: &str,
) -> Webhook {
    let user_id = bsuid(&account.waba_id, number);
    let value = json!({
        "contacts": [{"profile": {"name": name}, "wa_id": digits(number), "user_id": user_id}],
        "user_preferences": [{
            "wa_id": digits(number),
            "user_id": user_id,
            "detail": format!("User requested to {preference} marketing messages"),
            "category": "marketing_messages",
            "value": preference,
            "timestamp": world.now().as_second(),
        }],
    });
    webhook(config, tenant, account, "preference", "user_preferences", value)
}

/// Meta's request when a webhook URL is saved: `GET` with a challenge. Returns the HTTP status, and whether the challenge came
/// back as the whole body.
pub(crate) async fn handshake(world: &Sims, tenant: &Tenant, account: &WhatsAppAccount) -> (u16, bool) {
    let config = world.config();
    let challenge = world.numeric_id();
    let query = encode_pairs(&[
        ("hub.mode", "subscribe"),
        ("hub.challenge", &challenge),
        ("hub.verify_token", &account.verify_token),
    ]);
    let url = format!("{}?{query}", tenant.whatsapp_url(&config, account));
    match world.deliveries.get(&url).await {
        Ok((status, body)) => (status, body == challenge),
        Err(_) => (0, false),
    }
}
