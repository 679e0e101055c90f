//! Phrases of the sentences that people read on calls and messages.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::quiet::QuietHours;

/// Such as "2 h ago".
#[must_use]
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    let since = now.duration_since(then);
    if since < SignedDuration::from_secs(1) {
        "just now".to_owned()
    } else {
        format!("{} ago", length(since))
    }
}

/// Such as "24 h", "2 min", "90 s": the largest unit that is precise enough.
#[must_use]
pub fn length(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    let rounded = |unit: i64| (seconds + unit / 2) / unit;
    match seconds {
        ..60 => format!("{seconds} s"),
        60..120 if seconds % 60 != 0 => format!("{seconds} s"),
        60..7_200 if seconds % 3600 != 0 => format!("{} min", rounded(60)),
        60..172_800 => format!("{} h", rounded(3600)),
        _ => format!("{} days", rounded(86_400)),
    }
}

pub(crate) fn day(at: Timestamp) -> String {
    at.strftime("%-d %B %Y").to_string()
}

pub(crate) fn local(at: Timestamp, zone: &TimeZone) -> String {
    let name = zone.iana_name().unwrap_or("UTC").to_owned();
    format!("{} ({name})", at.to_zoned(zone.clone()).strftime("%H:%M"))
}

pub(crate) fn span(quiet: &QuietHours) -> String {
    format!("{}–{}", quiet.from, quiet.to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_people_say_them() {
        for (seconds, said) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (90, "90 s"),
            (120, "2 min"),
            (3600, "1 h"),
            (5400, "90 min"),
            (7200, "2 h"),
            (86_400, "24 h"),
            (172_800, "2 days"),
            (604_800, "7 days"),
        ] {
            assert_eq!(length(SignedDuration::from_secs(seconds)), said);
        }
    }
}
