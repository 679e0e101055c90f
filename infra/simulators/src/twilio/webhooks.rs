//! Webhooks from Twilio to Ringback about messages.

use jiff::Timestamp;

use super::Inbound;
use crate::config::{Config, Tenant, TwilioAccount};
use crate::delivery::{Body, TwilioKey, Webhook};
use crate::outbox::{Button, Channel, Sent};
use crate::phones::{Profile, bsuid, country, digits};
use crate::world::Sims;

/// Twilio's default opt-out words for long codes.
const STOP: &[&str] = &[
    "STOP",
    "STOPALL",
    "UNSUBSCRIBE",
    "CANCEL",
    "END",
    "QUIT",
    "REVOKE",
    "OPTOUT",
];
const START: &[&str] = &["START", "YES", "UNSTOP"];

/// The `key` of a StatusCallback's query.
pub(crate) fn key_of(url: &str) -> Option<String> {
    let query = url.split('#').next()?.split_once('?')?.1;
    form_urlencoded::parse(query.as_bytes())
        .find(|pair| pair.0 == "key")
        .map(|pair| pair.1.into_owned())
}

/// A signed form post.
pub(super) fn form(
    world: &Sims,
    (tenant, account): (&Tenant, &TwilioAccount),
    what: String,
    url: String,
    form: Vec<(String, String)>,
) -> Webhook {
    let key = account.shared_key.as_ref().map_or_else(
        || TwilioKey::AuthToken(account.auth_token.clone()),
        |key| TwilioKey::Shared {
            id: key.id.clone(),
            secret: key.secret.clone(),
        },
    );
    let body = Body::Twilio {
        key,
        form,
        get: false,
        idempotency_token: world.hex_id(),
    };
    Webhook {
        what,
        tenant: tenant.id.clone(),
        url,
        body,
    }
}

pub(super) fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

pub(super) fn push(form: &mut Vec<(String, String)>, name: &str, value: &str) {
    form.push((name.to_owned(), value.to_owned()));
}

/// A delivery status, in the shape of `fixtures/twilio/{sms,whatsapp}/status_*`.
pub(crate) fn status_webhook(
    world: &Sims,
    config: &Config,
    sent: &Sent,
    status: &str,
    at: Timestamp,
    code: Option<u32>,
) -> Option<Webhook> {
    let url = sent.wire.status_callback.clone()?;
    let tenant = config.tenant(&sent.tenant)?;
    let account = tenant.twilio.as_ref()?;
    let prefix = if sent.channel == Channel::Whatsapp {
        "whatsapp:"
    } else {
        ""
    };
    let (to, from) = (format!("{prefix}{}", sent.to), format!("{prefix}{}", sent.from));
    let mut fields = pairs([
        ("SmsSid", &sent.id),
        ("SmsStatus", status),
        ("MessageStatus", status),
        ("To", &to),
        ("MessageSid", &sent.id),
        ("AccountSid", &account.account_sid),
        ("From", &from),
        ("ApiVersion", "2010-04-01"),
    ]);
    if let Some(service) = &sent.wire.messaging_service_sid {
        push(&mut fields, "MessagingServiceSid", service);
    }
    if sent.channel == Channel::Whatsapp {
        push(&mut fields, "ChannelToAddress", &sent.to);
        push(&mut fields, "ChannelPrefix", "whatsapp");
        push(&mut fields, "ChannelInstallSid", "XE00000000000000000000000000000001");
        push(&mut fields, "StructuredMessage", "false");
        if status == "read" {
            push(&mut fields, "EventType", "READ");
        }
    } else if status == "delivered" {
        push(&mut fields, "RawDlrDoneDate", &at.strftime("%y%m%d%H%M").to_string());
    }
    if let Some(code) = code {
        push(&mut fields, "ErrorCode", &code.to_string());
        if sent.channel == Channel::Whatsapp {
            push(&mut fields, "ChannelStatusMessage", "Invalid message recipient");
        }
    }
    Some(form(
        world,
        (tenant, account),
        format!("message-status {status}"),
        url,
        fields,
    ))
}

/// A customer's message, in the shape of `fixtures/twilio/{sms,whatsapp}/inbound_*`. Also returns its SID, and the network's own
/// answer to an opt-out word.
pub(crate) fn reply(
    world: &Sims,
    config: &Config,
    (tenant, account): (&Tenant, &TwilioAccount),
    (number, name, profile): (&str, &str, &Profile),
    (channel, to): (Channel, &str),
    text: &str,
    tapped: Option<(&Sent, &Button)>,
) -> (Webhook, String, Option<&'static str>) {
    let sid = format!("SM{}", world.hex_id());
    let user_id = bsuid(&account.account_sid, number);
    let (from, to_address) = match channel {
        Channel::Sms => (number.to_owned(), to.to_owned()),
        Channel::Whatsapp if profile.hide_phone => (format!("whatsapp:{user_id}"), format!("whatsapp:{to}")),
        Channel::Whatsapp => (format!("whatsapp:{number}"), format!("whatsapp:{to}")),
    };
    let mut fields = pairs([
        ("SmsMessageSid", &sid),
        ("NumMedia", "0"),
        ("SmsSid", &sid),
        ("SmsStatus", "received"),
        ("Body", text),
        ("To", &to_address),
        ("NumSegments", "1"),
        ("MessageSid", &sid),
        ("AccountSid", &account.account_sid),
        ("From", &from),
        ("ApiVersion", "2010-04-01"),
    ]);
    if let Some(service) = &account.messaging_service_sid {
        push(&mut fields, "MessagingServiceSid", service);
    }
    let mut notice = None;
    match channel {
        Channel::Sms => {
            for (name, value) in [("FromCountry", country(number)), ("ToCountry", country(to))] {
                push(&mut fields, name, value);
            }
            for name in ["FromCity", "FromState", "FromZip", "ToCity", "ToZip"] {
                push(&mut fields, name, "");
            }
            notice = opt_out(world, account, (number, to), text, &mut fields);
        }
        Channel::Whatsapp => {
            push(&mut fields, "ProfileName", name);
            push(&mut fields, "ExternalUserId", &user_id);
            let mut context = serde_json::json!({"ProfileName": name});
            if !profile.hide_phone {
                push(&mut fields, "WaId", digits(number));
                context["WaId"] = serde_json::json!(digits(number));
            }
            let metadata = serde_json::json!({"type": "whatsapp", "data": {"context": context}});
            push(&mut fields, "ChannelMetadata", &metadata.to_string());
            push(
                &mut fields,
                "MessageType",
                if tapped.is_some() { "button" } else { "text" },
            );
            if let Some((sent, button)) = tapped {
                push(&mut fields, "ButtonText", &button.text);
                push(
                    &mut fields,
                    "ButtonPayload",
                    button.payload.as_deref().unwrap_or(&button.text),
                );
                push(&mut fields, "OriginalRepliedMessageSid", &sent.id);
                push(&mut fields, "OriginalRepliedMessageSender", &to_address);
            }
        }
    }
    world.state().twilio_inbound.push(Inbound {
        account_sid: account.account_sid.clone(),
        sid: sid.clone(),
        from,
        to: to_address,
        body: text.to_owned(),
        at: world.now(),
    });
    let url = tenant.twilio_url(config, account, "inbound");
    (
        form(world, (tenant, account), "inbound message".to_owned(), url, fields),
        sid,
        notice,
    )
}

/// Twilio stops or resumes sending by itself; only Advanced Opt-Out mentions it in the webhook.
fn opt_out(
    world: &Sims,
    account: &TwilioAccount,
    (number, to): (&str, &str),
    text: &str,
    fields: &mut Vec<(String, String)>,
) -> Option<&'static str> {
    let word = text.trim().to_uppercase();
    let pair = (to.to_owned(), number.to_owned());
    let (kind, notice) = if STOP.contains(&word.as_str()) {
        world.state().opt_outs.insert(pair);
        (
            "STOP",
            "You have successfully been unsubscribed. You will not receive any more messages from this number. Reply START to resubscribe.",
        )
    } else if START.contains(&word.as_str()) {
        world.state().opt_outs.remove(&pair);
        (
            "START",
            "You have successfully been re-subscribed to messages from this number.",
        )
    } else {
        return None;
    };
    if account.advanced_opt_out {
        push(fields, "OptOutType", kind);
    }
    Some(notice)
}
