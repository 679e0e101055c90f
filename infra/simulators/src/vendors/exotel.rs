//! Exotel: a Passthru behind the flow's Connect applet, in the shape of `fixtures/telephony/exotel`.

use jiff::tz::{self, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::{Event, Times};
use crate::config::Exotel;
use crate::control::Call;
use crate::delivery::{Body, encode_pairs};

pub(super) fn events(account: &Exotel, call: &Call, times: &Times) -> Result<Vec<Event>, String> {
    let (call_type, dialled) = match call.outcome.as_str() {
        "answered" => ("completed", Some("completed")),
        "missed" => ("incomplete", Some("no-answer")),
        "busy" => ("incomplete", Some("busy")),
        "failed" => ("incomplete", Some("failed")),
        "abandoned" => ("client-hangup", Some("canceled")),
        "voicemail" => ("voicemail", None),
        word @ "after_hours" => return Err(format!("Exotel cannot report the outcome {word}")),
        other => (other, None),
    };
    let national = |number: &str| {
        let prefix = format!("+{}", account.country_code);
        number
            .strip_prefix(&prefix)
            .map_or_else(|| number.to_owned(), |rest| format!("0{rest}"))
    };
    let from = call.from.as_deref().map(national).unwrap_or_default();
    let to = national(&call.to);
    let direction = if call.direction == "inbound" {
        "incoming"
    } else {
        &call.direction
    };
    let talk = times.talk_seconds.to_string();
    let started = local(times.started, "%Y-%m-%d %H:%M:%S");
    let created = local(times.started, "%a, %d %b %Y %H:%M:%S");
    let now = local(times.ended, "%Y-%m-%d %H:%M:%S");
    let mut query = vec![
        ("CallSid", call.id.as_str()),
        ("CallFrom", &from),
        ("CallTo", &to),
        ("Direction", direction),
        ("Created", &created),
        ("DialCallDuration", &talk),
        ("StartTime", &started),
        // Not known yet while the flow asks.
        ("EndTime", "1970-01-01 05:30:00"),
        ("CurrentTime", &now),
        ("From", &from),
        ("To", &to),
        ("CallType", call_type),
    ];
    query.extend(dialled.map(|dialled| ("DialCallStatus", dialled)));
    let query = encode_pairs(&query);
    Ok(vec![Event {
        what: format!("passthru {call_type}"),
        path: format!("/passthru/{}?{query}", account.url_secret),
        body: Body::Get,
    }])
}

/// Exotel's times are Indian time.
fn local(at: Timestamp, format: &str) -> String {
    let india = TimeZone::fixed(tz::offset(0).saturating_add(SignedDuration::from_mins(330)));
    at.to_zoned(india).strftime(format).to_string()
}
