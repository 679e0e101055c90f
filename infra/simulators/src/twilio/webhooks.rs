//! Webhooks from Twilio to Ringback about messages.

use jiff::Timestamp;

use crate::config::{Config, Tenant, TwilioAccount};
use crate::delivery::{Body, Webhook};
use crate::media::Owner;
use crate::outbox::{Channel, Sent};
use crate::phones::{bsuid, country, digits};
use crate::replies::{Inbound, Said};
use crate::world::Sims;

/// Twilio's default opt-out words for long codes.
const STOP: [&str; 8] = [
    "STOP",
    "STOPALL",
    "UNSUBSCRIBE",
    "CANCEL",
    "END",
    "QUIT",
    "REVOKE",
    "OPTOUT",
];
const START: [&str; 3] = ["START", "YES", "UNSTOP"];

/// The `key` of a StatusCallback's query.
pub(crate) fn key_of(url: &str) -> Option<String> {
    let query = url.split('#').next()?.split_once('?')?.1;
    form_urlencoded::parse(query.as_bytes())
        .find(|pair| pair.0 == "key")
        .map(|pair| pair.1.into_owned())
}

/// Names and values of a form, in their order.
pub(super) type Form = Vec<(String, String)>;

/// A signed form post.
pub(super) fn form(
    world: &Sims,
    tenant: &Tenant,
    account: &TwilioAccount,
    what: &str,
    url: String,
    form: Form,
) -> Webhook {
    let body = Body::Twilio {
        auth_token: account.auth_token.clone(),
        form,
        idempotency_token: world.hex_id(),
    };
    Webhook {
        what: what.to_owned(),
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

pub(super) fn push(form: &mut Form, name: &str, value: &str) {
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
    let (to, from) = (sent.channel.address(&sent.to), sent.channel.address(&sent.from));
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
    let what = format!("message-status {status}");
    Some(form(world, tenant, account, &what, url, fields))
}

/// A customer's message, in the shape of `fixtures/twilio/{sms,whatsapp}/inbound_*`. Also returns its SID, and the network's own
/// answer to an opt-out word. An error: Twilio hands over no such message.
pub(crate) fn reply(
    world: &Sims,
    config: &Config,
    tenant: &Tenant,
    account: &TwilioAccount,
    inbound: &Inbound<'_>,
    channel: Channel,
    to: &str,
) -> Result<(Webhook, String, Option<&'static str>), String> {
    let Inbound {
        number,
        name,
        profile,
        said,
        reply_to,
    } = *inbound;
    let text = body(said, channel)?;
    let medium = match said {
        Said::Media(media) => Some(media),
        _ => None,
    };
    let sid = match medium.map(|media| &media.medium.owner) {
        Some(Owner::Twilio { message_sid, .. }) => message_sid.clone(),
        _ => format!("SM{}", world.hex_id()),
    };
    let user_id = bsuid(&account.account_sid, number);
    let is_hidden = channel == Channel::Whatsapp && profile.hide_phone;
    let from = channel.address(if is_hidden { user_id.as_str() } else { number });
    let to_address = channel.address(to);
    let mut fields = pairs([
        ("SmsMessageSid", &sid),
        ("NumMedia", if medium.is_some() { "1" } else { "0" }),
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
    if let Some(media) = medium {
        let (base, account_sid, id) = (&world.url, &account.account_sid, &media.id);
        let url = format!("{base}/2010-04-01/Accounts/{account_sid}/Messages/{sid}/Media/{id}");
        push(&mut fields, "MediaUrl0", &url);
        push(&mut fields, "MediaContentType0", &media.medium.mime);
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
            notice = opt_out(world, account, number, to, text, &mut fields);
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
            add_content(&mut fields, said, &to_address);
            if let Some(answered) = reply_to {
                push(&mut fields, "OriginalRepliedMessageSid", answered);
                push(&mut fields, "OriginalRepliedMessageSender", &to_address);
            }
        }
    }
    let url = tenant.twilio_url(config, account, "inbound");
    let webhook = form(world, tenant, account, "inbound message", url, fields);
    Ok((webhook, sid, notice))
}

fn body(said: &Said, channel: Channel) -> Result<&str, String> {
    match said {
        Said::Text(text) => Ok(text),
        Said::Media(media) => Ok(media.caption.as_deref().unwrap_or_default()),
        Said::Tapped(_, button) if channel == Channel::Whatsapp => Ok(&button.text),
        Said::Location(_) if channel == Channel::Whatsapp => Ok(""),
        _ => Err("Twilio hands over no such message".to_owned()),
    }
}

fn add_content(fields: &mut Form, said: &Said, to_address: &str) {
    let kind = match said {
        Said::Media(media) => media.kind.as_str(),
        Said::Location(_) => "location",
        Said::Tapped(_, button) if button.kind == "list_reply" => "interactive",
        Said::Tapped(..) => "button",
        _ => "text",
    };
    push(fields, "MessageType", kind);
    match said {
        Said::Location(location) => {
            for (name, field) in [("Latitude", "latitude"), ("Longitude", "longitude")] {
                push(fields, name, &location[field].to_string());
            }
            for (name, field) in [("Address", "address"), ("Label", "name")] {
                if let Some(text) = location[field].as_str() {
                    push(fields, name, text);
                }
            }
        }
        Said::Tapped(sent, button) => {
            let payload = button.payload.as_deref().unwrap_or(&button.text);
            if button.kind == "list_reply" {
                push(fields, "ListId", payload);
                push(fields, "ListTitle", &button.text);
            } else {
                push(fields, "ButtonText", &button.text);
                push(fields, "ButtonPayload", payload);
                push(fields, "OriginalRepliedMessageSid", &sent.id);
                push(fields, "OriginalRepliedMessageSender", to_address);
            }
        }
        _ => {}
    }
}

/// Twilio stops or resumes sending by itself; only Advanced Opt-Out mentions it in the webhook.
fn opt_out(
    world: &Sims,
    account: &TwilioAccount,
    number: &str,
    to: &str,
    text: &str,
    fields: &mut Form,
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
