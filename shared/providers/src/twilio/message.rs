//! Twilio's message callbacks, for SMS and for WhatsApp through Twilio.
//! Source: twilio.com/docs/messaging/guides/webhook-request and outbound-message-status-in-status-callbacks.

use domain::Timestamp;
use domain::media::{InboundMedia, MAX_MEDIA, MediaKind};
use domain::messages::{
    AttemptState, Cost, InboundMessage, OptFlag, REACTION, Sender, Shared, SharedLocation, Status, StatusReport,
    Update, is_notice,
};
use domain::people::is_tapback;
use domain::terms::{Api, Channel, MAX_FOREIGN_TEXT_LENGTH, ProviderRef, ShownName, cut_to_bytes};

use super::address::{Address, address};
use crate::form::Form;
use crate::label;
use crate::outcome::given_up;
use crate::whatsapp::bsuid;
use crate::whatsapp::webhook::{UNSUPPORTED, is_known, opens_window};

fn sid(form: &Form) -> Option<ProviderRef> {
    let sid = form.filled_value("MessageSid").or_else(|| form.filled_value("SmsSid"));
    sid?.parse().ok()
}

/// Parses a status callback. `key` is the query parameter that we put into the callback's address. Twilio sends no time, so the
/// time of receipt is used.
pub fn status(form: &Form, key: Option<&str>, received_at: Timestamp) -> Vec<Update> {
    let word = form
        .filled_value("MessageStatus")
        .or_else(|| form.filled_value("SmsStatus"))
        .unwrap_or_default();
    let Some(state) = state(&word) else {
        return vec![unknown("message-status", &word)];
    };
    let Some(provider_ref) = sid(form) else {
        return vec![unknown("message-status", "without MessageSid")];
    };
    let to = form.get("To").and_then(|to| address(&to));
    let code = form
        .get("ErrorCode")
        .and_then(|code| code.parse().ok())
        .filter(|code| *code != 0);
    vec![Update::Status(Status {
        key: key.and_then(|key| key.parse().ok()),
        report: StatusReport {
            state,
            at: received_at,
            provider_ref,
            error: (state == AttemptState::Failed).then(|| given_up(Api::Twilio, code)),
            cost: to.as_ref().and_then(|to| cost(to.channel, &form.get("NumSegments")?)),
        },
        recipient: to.map(sender).unwrap_or_default(),
        error_code: code,
    })]
}

/// Parses a message from a customer. One of a type that is not known is stored as unsupported, with what can be read of it, and is an
/// unknown event beside.
pub fn inbound(form: &Form, received_at: Timestamp) -> Vec<Update> {
    let Some(provider_ref) = sid(form) else {
        return vec![unknown("message", "without MessageSid")];
    };
    let to = form.get("To").and_then(|to| address(&to)?.phone);
    let from = form.get("From").unwrap_or_default();
    let Some(address) = address(&from) else {
        // Only the channel's name: the rest is somebody's address.
        let channel = from.split_once(':').map_or("without sender", |(channel, _)| channel);
        return vec![unknown("message", channel)];
    };
    let channel = address.channel;
    let media = media(form);
    let named = form.filled_value("MessageType").map(|kind| label(&kind));
    let strange = named.as_deref().filter(|kind| !is_known(kind)).map(|kind| match kind {
        "" => unknown("message", "without type"),
        kind => unknown("message/type", kind),
    });
    let first = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| form.filled_value(name))
            .map(|text| text.into_owned())
    };
    let body = first(&["Body", "ButtonText", "ListTitle"]);
    let reacts = || channel == Channel::Sms && media.is_empty() && body.as_deref().is_some_and(is_tapback);
    let kind = match named {
        Some(kind) if strange.is_some() && !is_notice(&kind) => UNSUPPORTED.to_owned(),
        Some(kind) if kind != "text" => kind,
        None if !media.is_empty() => "media".to_owned(),
        _ if reacts() => REACTION.to_owned(),
        _ => "text".to_owned(),
    };
    let mut from = sender(address);
    if channel == Channel::WhatsApp {
        // The id comes beside the number, or replaces it.
        from.bsuid = from.bsuid.or_else(|| bsuid(&form.filled_value("ExternalUserId")?));
    }
    // Nobody knows a short code by another name.
    let name = form.filled_value("ProfileName").and_then(|name| ShownName::of(&name));
    from.name = name.or_else(|| ShownName::of(from.sender_id.as_ref()?.as_str()));
    let text = body
        .or_else(|| location(form))
        .map(|text| cut_to_bytes(text, MAX_FOREIGN_TEXT_LENGTH));
    // As with Meta, the label stands for a payload that is missing.
    let payload = first(&["ButtonPayload", "ListId", "ButtonText", "ListTitle"]);
    let payload = payload.map(|payload| cut_to_bytes(payload, MAX_FOREIGN_TEXT_LENGTH));
    let was_cut = |part: &Option<(String, bool)>| part.as_ref().is_some_and(|(_, cut)| *cut);
    let message = Update::Message(InboundMessage {
        channel,
        provider_ref,
        from,
        to,
        at: received_at,
        cut: was_cut(&text) || was_cut(&payload),
        text: text.map(|(text, _)| text),
        payload: payload.map(|(payload, _)| payload),
        media,
        shared: shared_location(form),
        reply_to: form
            .filled_value("OriginalRepliedMessageSid")
            .and_then(|sid| sid.parse().ok()),
        opt_flag: form.filled_value("OptOutType").and_then(|word| opt_flag(&word)),
        standby: false,
        opens_window: channel == Channel::WhatsApp && opens_window(&kind),
        kind,
    });
    [Some(message), strange].into_iter().flatten().collect()
}

/// The media of a message. WhatsApp has one in a message, whose type says which it is.
fn media(form: &Form) -> Vec<InboundMedia> {
    let named = form
        .filled_value("MessageType")
        .and_then(|kind| MediaKind::from_name(&kind));
    let fits = |text: &str| text.len() <= InboundMedia::MAX_LENGTH;
    let source = |index: usize| Some((index, form.filled_value(&format!("MediaUrl{index}"))?));
    let sources = (0..MAX_MEDIA).map_while(source).filter(|(_, url)| fits(url));
    let media = sources.map(|(index, url)| InboundMedia {
        kind: named,
        mime: form
            .filled_value(&format!("MediaContentType{index}"))
            .map(|mime| mime.into_owned())
            .filter(|mime| fits(mime)),
        ..InboundMedia::new(url.into_owned())
    });
    media.collect()
}

/// Status of a message. `partially_delivered` has partly reached the phone, so sending it on another channel would repeat what
/// was read.
pub(crate) fn state(word: &str) -> Option<AttemptState> {
    Some(match word {
        "accepted" | "scheduled" | "queued" | "sending" => AttemptState::Accepted,
        "sent" => AttemptState::Sent,
        "delivered" | "partially_delivered" => AttemptState::Delivered,
        "read" => AttemptState::Read,
        "undelivered" | "failed" | "canceled" => AttemptState::Failed,
        _ => return None,
    })
}

/// SMS are billed by segment, whose number is 0 until Twilio knows it. WhatsApp is not billed by segment.
pub(crate) fn cost(channel: Channel, segments: &str) -> Option<Cost> {
    let units = segments.parse().ok().filter(|segments| *segments > 0)?;
    (channel == Channel::Sms).then(|| Cost {
        category: "sms".to_owned(),
        kind: None,
        billable: Some(true),
        units,
        amount: None,
    })
}

fn sender(address: Address) -> Sender {
    Sender {
        phone: address.phone,
        bsuid: address.bsuid,
        sender_id: address.sender_id,
        name: None,
    }
}

fn location(form: &Form) -> Option<String> {
    let position = Some(format!(
        "{}, {}",
        form.filled_value("Latitude")?,
        form.filled_value("Longitude")?
    ));
    let named = ["Label", "Address"]
        .into_iter()
        .map(|name| form.filled_value(name).map(|text| text.into_owned()));
    let parts: Vec<String> = named.chain([position]).flatten().collect();
    Some(parts.join(", "))
}

/// Reads a shared location.
fn shared_location(form: &Form) -> Option<Shared> {
    let degrees = |name: &str| form.filled_value(name)?.parse::<f64>().ok();
    let (name, address) = (form.filled_value("Label"), form.filled_value("Address"));
    let (latitude, longitude) = (degrees("Latitude")?, degrees("Longitude")?);
    SharedLocation::of(latitude, longitude, name.as_deref(), address.as_deref()).map(Shared::Location)
}

fn opt_flag(word: &str) -> Option<OptFlag> {
    match word {
        "STOP" => Some(OptFlag::Stop),
        "START" => Some(OptFlag::Start),
        "HELP" => Some(OptFlag::Help),
        _ => None,
    }
}

fn unknown(what: &str, word: &str) -> Update {
    Update::Unknown {
        kind: format!("{what}/{}", label(word)),
    }
}
