//! Times in the formats of providers.

use jiff::Timestamp;
use serde_json::Value;

/// Earliest plausible time: before it, none of these APIs existed.
const EARLIEST_SECOND: i64 = 1_262_304_000; // 2010
/// Latest plausible time: later ones are milliseconds taken for seconds, and would overflow when a window is added.
const LATEST_SECOND: i64 = 4_102_444_800; // 2100

/// A plausible time of a provider.
pub(crate) fn plausible(at: Timestamp) -> Option<Timestamp> {
    (EARLIEST_SECOND..LATEST_SECOND).contains(&at.as_second()).then_some(at)
}

/// Unix seconds, as a number or as text (Meta writes both).
pub(crate) fn unix_seconds(value: &Value) -> Option<Timestamp> {
    let seconds = match value {
        Value::Number(number) => number.as_i64()?,
        Value::String(text) => text.parse().ok()?,
        _ => return None,
    };
    Timestamp::from_second(seconds).ok().and_then(plausible)
}

/// As in mail, `Sat, 31 Oct 2026 09:20:00 +0000`: the format of Twilio and of HTTP.
pub(crate) fn rfc2822(text: &str) -> Option<Timestamp> {
    let zoned = jiff::fmt::rfc2822::parse(text).ok()?;
    plausible(zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn implausible_times_are_ignored() {
        let at = unix_seconds(&Value::from("1793347200"));
        assert_eq!(at, Some("2026-10-30T00:00:00-08:00".parse().unwrap()));
        assert_eq!(unix_seconds(&Value::from(1_793_347_200)), at);
        for bad in ["1793347200000", "-5", "", "0", "9223372036854775807", "soon"] {
            assert_eq!(unix_seconds(&Value::from(bad)), None, "{bad}");
        }
        assert!(rfc2822("Sat, 31 Oct 2026 09:20:00 +0000").is_some());
        assert!(rfc2822("Sat, 31 Oct 2026 09:20:00 GMT").is_some());
        assert!(rfc2822("2026-10-31").is_none());
    }
}
