//! `Messages.json`: send, fetch, list.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::contents::{self, Composed};
use super::errors::TwilioError;
use super::{Access, authorise, date, key_of};
use crate::config::TwilioAccount;
use crate::faults::Kind;
use crate::interference::{self, Caller};
use crate::outbox::{Channel, Content, Sent, Shown, Via, Wire};
use crate::phones::{bsuid, e164};
use crate::statuses::{self, Course};
use crate::world::{Sims, State as WorldState};

const BODY_LIMIT: usize = 1600;

struct Form(Vec<(String, String)>);

impl Form {
    fn parse(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// An empty value counts as absent.
    fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|pair| pair.0 == name)
            .map(|pair| pair.1.as_str())
            .filter(|value| !value.is_empty())
    }
}

pub(super) async fn create_message(
    State(world): State<Sims>,
    Path(account_sid): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Response> {
    let config = world.config();
    let access = authorise(&world, &config, &headers, &account_sid)?;
    let form = Form::parse(&body);
    let (number, channel) = recipient(&world, &access, &form)?;
    let key = form.get("StatusCallback").and_then(key_of);
    let event = access.event(Some(&number));
    let caller = Caller::new(&headers, &number, key.as_deref());
    if let Some(kind) = interference::before(&world, event, &caller).await {
        return Err(refuse(&world, kind));
    }
    let answer = accept(&world, &access, &form, &number, channel)?;
    match interference::after(&world, event, &caller).await {
        Some(kind) => Err(refuse(&world, kind)),
        None => Ok((StatusCode::CREATED, Json(answer)).into_response()),
    }
}

pub(super) fn refuse(world: &Sims, kind: Kind) -> Response {
    let code = match kind {
        Kind::BadCredentials => 20003,
        Kind::Throttled => 20429,
        _ if world.state().random.chance(0.5) => 20500,
        _ => 20503,
    };
    TwilioError::new(code).into_response()
}

/// The recipient's number and channel.
fn recipient(world: &Sims, access: &Access<'_>, form: &Form) -> Result<(String, Channel), TwilioError> {
    let to = form.get("To").ok_or_else(|| TwilioError::new(21604))?;
    let Some(address) = to.strip_prefix("whatsapp:") else {
        let number = e164(to).filter(|_| to.trim().starts_with('+'));
        return number
            .map(|number| (number, Channel::Sms))
            .ok_or_else(|| TwilioError::invalid_to(to));
    };
    if let Some(number) = e164(address) {
        return Ok((number, Channel::Whatsapp));
    }
    let is_bsuid = address.as_bytes().get(2) == Some(&b'.');
    if !is_bsuid {
        return Err(TwilioError::invalid_to(to));
    }
    let portfolio = &access.account.account_sid;
    let known = world
        .state()
        .phones
        .keys()
        .find(|number| bsuid(portfolio, number) == address)
        .cloned();
    Ok((known.unwrap_or_else(|| address.to_owned()), Channel::Whatsapp))
}

fn accept(
    world: &Sims,
    access: &Access<'_>,
    form: &Form,
    number: &str,
    channel: Channel,
) -> Result<Value, TwilioError> {
    let config = world.config();
    let account = access.account;
    let from = sender(access, form, channel, number)?;
    let composed = content(world, access, form, channel)?;
    let now = world.now();
    let mut state = world.state();
    let event = access.event(Some(number));
    let mut outside = None;
    match channel {
        Channel::Sms => {
            if state.opt_outs.contains(&(from.clone(), number.to_owned())) {
                return Err(TwilioError::new(21610));
            }
            if state.fault(event, &[Kind::Landline]).is_some() {
                return Err(TwilioError::new(21614));
            }
        }
        Channel::Whatsapp => {
            let open = state.window_is_open(&from, number, now);
            // A template that WhatsApp refuses is not free text.
            outside = composed.fails_outside.filter(|_| !open);
            if !composed.template && !open && outside.is_none() {
                return Err(TwilioError::new(63016));
            }
        }
    }
    let (prefix, segments) = match channel {
        Channel::Sms if form.get("SmartEncoded") == Some("true") => ("SM", segments(&smart(&composed.shown.text))),
        Channel::Sms => ("SM", segments(&composed.shown.text)),
        Channel::Whatsapp => ("MM", 0),
    };
    let status_callback = form.get("StatusCallback").map(str::to_owned);
    let service = form.get("MessagingServiceSid").map(str::to_owned);
    let sent = Sent {
        tenant: access.tenant.id.clone(),
        channel,
        via: Via::Twilio,
        from,
        to: number.to_owned(),
        key: status_callback.as_deref().and_then(key_of),
        accepted_at: now,
        id: format!("{prefix}{}", world.hex_id()),
        statuses: Vec::new(),
        wire: Wire {
            category: composed.category,
            to_bsuid: !number.starts_with('+'),
            status_callback,
            messaging_service_sid: service,
            segments,
            delays: config.status_delay_ms,
        },
        content: composed.content,
        shown: composed.shown,
    };
    let mut course = Course::decide(&mut state, &sent);
    course.fails = course.fails.or(composed.fails).or(outside);
    course.fetches = composed.fetches.filter(|_| course.fails.is_none());
    let answer = resource(&account.account_sid, &sent);
    statuses::accept(world, &mut state, sent, course);
    Ok(answer)
}

/// The sending number, without `whatsapp:`, or the letters.
fn sender(access: &Access<'_>, form: &Form, channel: Channel, to: &str) -> Result<String, TwilioError> {
    let account = access.account;
    let from = match (form.get("From"), form.get("MessagingServiceSid"), channel) {
        (Some(from), ..) => from,
        (None, Some(_), Channel::Sms) => account.numbers.first().ok_or_else(|| TwilioError::new(21606))?,
        (None, Some(_), Channel::Whatsapp) => {
            return account.whatsapp_sender.clone().ok_or_else(|| TwilioError::new(63007));
        }
        (None, None, _) => return Err(TwilioError::new(21603)),
    };
    match channel {
        Channel::Whatsapp => {
            let number = from.strip_prefix("whatsapp:").and_then(e164);
            number
                .filter(|number| account.whatsapp_sender.as_ref() == Some(number))
                .ok_or_else(|| TwilioError::new(63007))
        }
        Channel::Sms => match e164(from) {
            Some(number) if account.numbers.contains(&number) => {
                let mut blocked = account.numbers_blocked_to.iter();
                if blocked.any(|beginning| to.starts_with(beginning)) {
                    return Err(TwilioError::new(21612));
                }
                Ok(number)
            }
            Some(_) => Err(TwilioError::new(21606)),
            None if !is_alphanumeric_sender(from) => Err(TwilioError::invalid_from(from)),
            None if takes_letters(account, from, to) => Ok(from.to_owned()),
            None => Err(TwilioError::new(21657)),
        },
    }
}

fn is_alphanumeric_sender(from: &str) -> bool {
    from.len() <= 11
        && from.bytes().all(|b| b.is_ascii_alphanumeric() || b" +-_&".contains(&b))
        && from.bytes().any(|b| b.is_ascii_alphabetic())
}

/// North America takes no letters, and the Emirates and Saudi Arabia only registered ones.
fn takes_letters(account: &TwilioAccount, from: &str, to: &str) -> bool {
    let registered = account.registered_letters.iter().any(|letters| letters == from);
    !to.starts_with("+1") && (registered || !["+971", "+966"].iter().any(|code| to.starts_with(code)))
}

fn content(world: &Sims, access: &Access<'_>, form: &Form, channel: Channel) -> Result<Composed, TwilioError> {
    let text = form.get("Body").unwrap_or_default();
    let variables = form.get("ContentVariables");
    if let Some(sid) = form.get("ContentSid") {
        if !text.is_empty() && variables.is_some() {
            return Err(TwilioError::new(35_127));
        }
        return template(world, access, sid, variables, channel);
    }
    if variables.is_some() {
        return Err(TwilioError::new(21654));
    }
    if text.chars().count() > BODY_LIMIT {
        return Err(TwilioError::new(21617));
    }
    // By SMS, nothing comes of it.
    let action = form.get("PersistentAction").filter(|_| channel == Channel::Whatsapp);
    if let Some(action) = action {
        if text.is_empty() {
            return Err(TwilioError::new(21602));
        }
        let invalid = || TwilioError::invalid("PersistentAction is invalid");
        return contents::with_place(action, text).ok_or_else(invalid);
    }
    match form.get("MediaUrl") {
        Some(url) if !url.starts_with("https://") && !url.starts_with("http://") => Err(TwilioError::new(21620)),
        Some(url) => Ok(contents::with_file(url, text)),
        None if text.is_empty() => Err(TwilioError::new(21602)),
        None => Ok(Composed::of(Content::Body(text.to_owned()), Shown::text(text))),
    }
}

fn template(
    world: &Sims,
    access: &Access<'_>,
    sid: &str,
    variables: Option<&str>,
    channel: Channel,
) -> Result<Composed, TwilioError> {
    let is_sid = sid.len() == 34 && sid.starts_with("HX") && sid[2..].bytes().all(|b| b.is_ascii_hexdigit());
    if !is_sid {
        return Err(TwilioError::new(21655));
    }
    // An object of texts; null and an empty text are no values.
    let variables: BTreeMap<String, String> = match variables {
        None => BTreeMap::new(),
        Some(json) => serde_json::from_str(json).map_err(|_| TwilioError::new(21656))?,
    };
    if variables.values().any(String::is_empty) {
        return Err(TwilioError::new(21656));
    }
    let composed = contents::compose(world, access.account, sid, &variables, channel == Channel::Whatsapp)?;
    Ok(composed.unwrap_or_else(|| contents::unknown(sid, &variables)))
}

/// The text as smart encoding sends it. A line of Twilio's table has the codes of what replaces the others, `-` for nothing.
fn smart(text: &str) -> String {
    const TABLE: &str = include_str!("../../../../shared/domain/src/messages/smart_encoding.txt");
    let sign = |hex: &str| u32::from_str_radix(hex, 16).ok().and_then(char::from_u32);
    let replaced = |own: char| {
        let code = format!("{:X}", u32::from(own));
        let mut lines = TABLE.lines().filter_map(|line| line.split_once(' '));
        let line = lines.find(|(_, codes)| codes.split(' ').any(|known| known == code));
        line.map_or_else(|| own.to_string(), |(by, _)| by.split('+').filter_map(sign).collect())
    };
    let is_usual = |sign: char| sign.is_ascii_graphic() && sign != '`' || sign == ' ';
    let signs = text.chars().map(|sign| {
        if is_usual(sign) {
            sign.to_string()
        } else {
            replaced(sign)
        }
    });
    signs.collect()
}

/// Billed segments, as if characters could be divided between them.
fn segments(text: &str) -> u32 {
    const GSM: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ!\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿\
                       abcdefghijklmnopqrstuvwxyzäöñüà";
    const GSM_TWICE: &str = "^{}\\[~]|€";
    let units = |c: char| match c {
        c if GSM.contains(c) => Some(1),
        c => GSM_TWICE.contains(c).then_some(2),
    };
    let gsm: Option<usize> = text.chars().map(units).sum();
    let (units, single, several) = gsm.map_or_else(|| (text.encode_utf16().count(), 70, 67), |units| (units, 160, 153));
    u32::try_from(if units <= single { 1 } else { units.div_ceil(several) }).unwrap_or(u32::MAX)
}

/// A message as the API shows it (`fixtures/twilio/send/response`).
fn resource(account_sid: &str, sent: &Sent) -> Value {
    let by_service = sent.wire.messaging_service_sid.is_some();
    let status = match sent.latest() {
        "accepted" if by_service => "accepted",
        "accepted" => "queued",
        other => other,
    };
    let delivered = sent.statuses.iter().any(|status| status.status == "delivered");
    let priced = delivered && sent.channel == Channel::Sms;
    let price = format!("-{:.5}", 0.048 * f64::from(sent.wire.segments));
    let code = sent.failure_status().and_then(|status| status.code);
    let sent_at = sent.statuses.first().map(|status| date(status.at));
    let from = sent.channel.address(&sent.from);
    let uri = format!("/2010-04-01/Accounts/{account_sid}/Messages/{}", sent.id);
    // The phone shows the text of a place as its name.
    let (body, has_file) = match &sent.content {
        Content::Other(value) => (value["body"].as_str().unwrap_or_default(), value["type"] == "media"),
        Content::Body(_) | Content::Template { .. } => (sent.shown.text.as_str(), false),
    };
    json!({
        "account_sid": account_sid,
        "api_version": "2010-04-01",
        "body": body,
        "date_created": date(sent.accepted_at),
        "date_sent": sent_at,
        "date_updated": date(sent.statuses.last().map_or(sent.accepted_at, |status| status.at)),
        "direction": "outbound-api",
        "error_code": code,
        "error_message": code.map(|code| format!("Error {code}")),
        "from": if by_service && sent.statuses.is_empty() { Value::Null } else { json!(from) },
        "messaging_service_sid": sent.wire.messaging_service_sid,
        "num_media": if has_file { "1" } else { "0" },
        "num_segments": if by_service && sent.statuses.is_empty() { 0 } else { sent.wire.segments }.to_string(),
        "price": priced.then_some(price),
        "price_unit": priced.then_some("USD"),
        "sid": sent.id,
        "status": status,
        "subresource_uris": {"media": format!("{uri}/Media.json")},
        "to": sent.channel.address(&sent.to),
        "uri": format!("{uri}.json"),
    })
}

pub(super) async fn fetch_message(
    State(world): State<Sims>,
    Path((account_sid, sid)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Json<Value>, TwilioError> {
    let config = world.config();
    let access = authorise(&world, &config, &headers, &account_sid)?;
    let sid = sid.strip_suffix(".json").unwrap_or(&sid);
    let state = world.state();
    all(&state, &access)
        .find(|sent| sent.id == sid)
        .map(|sent| Json(resource(&account_sid, sent)))
        .ok_or_else(|| TwilioError::new(20404))
}

fn all<'a>(state: &'a WorldState, access: &'a Access<'_>) -> impl Iterator<Item = &'a Sent> {
    let outbox = state.outbox.iter();
    outbox.filter(move |sent| sent.via == Via::Twilio && sent.tenant == access.tenant.id)
}

pub(super) async fn list_messages(
    State(world): State<Sims>,
    Path(account_sid): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Json<Value>, TwilioError> {
    let config = world.config();
    let access = authorise(&world, &config, &headers, &account_sid)?;
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    let same = |wanted: Option<&str>, address: &Value| {
        wanted.is_none_or(|wanted| address.as_str().is_some_and(|address| same_address(wanted, address)))
    };
    let state = world.state();
    let mut found: Vec<_> = all(&state, &access)
        .map(|sent| (sent.accepted_at, resource(&account_sid, sent)))
        .filter(|(_, message)| same(query.get("To"), &message["to"]) && same(query.get("From"), &message["from"]))
        .collect();
    drop(state);
    found.sort_by_key(|(at, _)| std::cmp::Reverse(*at));

    let number = |name: &str, default: usize| query.get(name).and_then(|value| value.parse().ok()).unwrap_or(default);
    let size = number("PageSize", 50).clamp(1, 1000);
    let page = number("Page", 0);
    let start = page.saturating_mul(size).min(found.len());
    let end = (start + size).min(found.len());
    let uri = |page: usize| {
        let mut kept = form_urlencoded::Serializer::new(String::new());
        kept.extend_pairs(
            query
                .0
                .iter()
                .filter(|(name, _)| !matches!(name.as_str(), "Page" | "PageSize" | "PageToken")),
        );
        kept.append_pair("PageSize", &size.to_string())
            .append_pair("Page", &page.to_string());
        format!("/2010-04-01/Accounts/{account_sid}/Messages.json?{}", kept.finish())
    };
    let messages: Vec<_> = found[start..end].iter().map(|(_, message)| message).collect();
    Ok(Json(json!({
        "messages": messages,
        "start": start,
        "end": end.saturating_sub(1),
        "page": page,
        "page_size": size,
        "uri": uri(page),
        "first_page_uri": uri(0),
        "previous_page_uri": page.checked_sub(1).map(uri),
        "next_page_uri": (end < found.len()).then(|| uri(page + 1)),
    })))
}

fn same_address(a: &str, b: &str) -> bool {
    a.starts_with("whatsapp:") == b.starts_with("whatsapp:") && crate::phones::same_number(a, b)
}
