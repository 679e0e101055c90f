//! Plivo: the hangup callback, in the shape of `fixtures/telephony/plivo`.

use jiff::Timestamp;

use super::{Event, Times};
use crate::config::Plivo;
use crate::control::Call;
use crate::delivery::Body;
use crate::phones::digits;

pub(super) fn events(account: &Plivo, call: &Call, times: &Times) -> Result<Vec<Event>, String> {
    let (status, cause, name, code) = match call.outcome.as_str() {
        "answered" => ("completed", "NORMAL_CLEARING", "Normal Hangup", "4000"),
        "missed" => ("no-answer", "NO_ANSWER", "No Answer", "3000"),
        "busy" => ("busy", "USER_BUSY", "Busy Line", "3010"),
        "abandoned" => ("cancel", "ORIGINATOR_CANCEL", "Canceled", "1000"),
        "failed" => ("failed", "UNALLOCATED_NUMBER", "Invalid Destination Address", "2000"),
        word @ ("voicemail" | "after_hours") => return Err(format!("Plivo cannot report the outcome {word}")),
        other => (other, "NORMAL_CLEARING", "Normal Hangup", "4000"),
    };
    let time = |at: Timestamp| at.strftime("%Y-%m-%d %H:%M:%S").to_string();
    let from = call.from.as_deref().map_or("anonymous", digits).to_owned();
    let billed = times.talk_seconds.div_ceil(60) * 60;
    let form = [
        ("CallUUID", call.id.clone()),
        ("From", from),
        ("To", digits(&call.to).to_owned()),
        ("Direction", call.direction.clone()),
        ("CallerName", call.from.clone().unwrap_or_default()),
        ("BillRate", "0.0085".to_owned()),
        ("CallStatus", status.to_owned()),
        ("Event", "Hangup".to_owned()),
        ("HangupCause", cause.to_owned()),
        ("HangupCauseName", name.to_owned()),
        ("HangupCauseCode", code.to_owned()),
        ("HangupSource", "Caller".to_owned()),
        ("Duration", times.talk_seconds.to_string()),
        ("BillDuration", billed.to_string()),
        ("TotalCost", "0.00850".to_owned()),
        ("StartTime", time(times.started)),
        ("AnswerTime", times.answered.map(time).unwrap_or_default()),
        ("EndTime", time(times.ended)),
    ];
    Ok(vec![Event {
        what: format!("hangup {status}"),
        path: "/hangup".to_owned(),
        body: Body::Plivo {
            auth_token: account.auth_token.clone(),
            form: form.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        },
    }])
}
