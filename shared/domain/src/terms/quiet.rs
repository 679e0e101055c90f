//! Quiet hours: the part of the day when people are not disturbed. Correct across daylight-saving changes.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::terms::{Fault, FaultCode, LocalTime, Zone};

/// Quiet hours: a part of every day, in the recipient's time zone. They cross midnight if `to` is before `from`. The two cannot
/// be equal.
// Rules may have been written with equal times, which are no quiet hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    /// Local start time.
    #[cfg_attr(feature = "schema", schemars(example = "21:00"))]
    pub from: LocalTime,
    /// Local end time.
    #[cfg_attr(feature = "schema", schemars(example = "08:00"))]
    pub to: LocalTime,
    /// Treatment of messages in quiet hours.
    #[serde(default)]
    pub action: QuietAction,
}

impl QuietHours {
    /// The problem with these hours, for their author: equal times look like the whole day and would mean the opposite.
    pub fn problem(&self) -> Option<Fault> {
        let at = self.from;
        let none = || format!("Quiet hours from {at} to {at} would be none. Set another time, or leave them out.");
        (self.from == self.to).then(|| Fault::new(FaultCode::WrongOrder, none()).and("other", "from"))
    }
}

/// Treatment of messages in quiet hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum QuietAction {
    /// The message waits until they end.
    #[default]
    Defer,
    /// The message is sent anyway.
    Send,
    /// The message is dropped.
    Skip,
}

/// The quiet hours of one message: its sender's, its tenant's, and its recipient's country's. A moment is quiet if any of them says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quiet {
    own: Option<QuietHours>,
    tenants: Option<QuietHours>,
    national: Option<QuietHours>,
}

/// Longest wait for a moment that is not quiet.
const MAX_QUIET: SignedDuration = SignedDuration::from_hours(48);

/// Maximum ends of quiet hours to look at: three a day in each of at most four zones, and the ends at clock changes.
const MAX_ENDS: u32 = 32;

/// Quarters of an hour that the zones of a recipient leave of a day at least: eight hours. Fewer zones count otherwise.
const LEAST_QUARTERS: usize = 32;

impl Quiet {
    pub(crate) const fn new(own: Option<QuietHours>, tenants: Option<QuietHours>) -> Self {
        Self {
            own,
            tenants,
            national: None,
        }
    }

    /// Adds the hours of the recipient's country. Nothing is sent in them, whatever the others say.
    #[must_use]
    pub fn and_of_country(self, hours: Option<QuietHours>) -> Self {
        if hours.is_none() {
            return self;
        }
        let counts = |hours: &QuietHours| hours.action != QuietAction::Send;
        Self {
            own: self.own.filter(counts),
            tenants: self.tenants.filter(counts),
            national: hours,
        }
    }

    /// Whether only the country says that these are quiet hours.
    pub fn is_of_country(&self, hours: &QuietHours) -> bool {
        self.national.as_ref() == Some(hours)
            && self.own.as_ref() != Some(hours)
            && self.tenants.as_ref() != Some(hours)
    }

    /// The quiet hours at this moment, with their zone, if it is quiet for a recipient who lives in one of these zones, the likeliest
    /// first. The sender's go before the others.
    pub fn at<'a>(&self, at: Timestamp, zones: &'a [Zone]) -> Option<(QuietHours, &'a Zone)> {
        self.within(at, self.zones_that_count(at, zones))
    }

    fn within<'a>(&self, at: Timestamp, zones: &'a [Zone]) -> Option<(QuietHours, &'a Zone)> {
        let all = [self.own, self.tenants, self.national].into_iter().flatten();
        let mut all = all.flat_map(|hours| zones.iter().map(move |zone| (hours, zone)));
        all.find(|(hours, zone)| is_quiet(at, zone.rules(), hours))
    }

    /// The first instant from `at` on that is not quiet in these zones. 48 hours later if there is none: together they may cover the day.
    pub fn next_allowed(&self, at: Timestamp, zones: &[Zone]) -> Timestamp {
        let zones = self.zones_that_count(at, zones);
        let horizon = at + MAX_QUIET;
        let mut allowed = at;
        // The end of one may be within the other.
        for _ in 0..MAX_ENDS {
            match self.within(allowed, zones) {
                Some((hours, zone)) if allowed < horizon => allowed = next_allowed(allowed, zone.rules(), &hours),
                Some(_) => break,
                None => return allowed.min(horizon),
            }
        }
        horizon
    }

    /// The zones that count: the first, and as many of the others as leave eight hours of the day from this moment on.
    fn zones_that_count<'a>(&self, at: Timestamp, zones: &'a [Zone]) -> &'a [Zone] {
        let leaves_enough = |count: &usize| {
            let first = zones.get(..*count).unwrap_or(zones);
            let quarters = (0..24 * 4).filter(|quarter| self.within(at + (quarter * 15).minutes(), first).is_none());
            quarters.count() >= LEAST_QUARTERS
        };
        let most = (2..=zones.len()).rev().find(leaves_enough).unwrap_or(1);
        zones.get(..most).unwrap_or(zones)
    }
}

/// Whether the local time is within quiet hours.
pub fn is_quiet(at: Timestamp, zone: &TimeZone, quiet: &QuietHours) -> bool {
    let time = at.to_zoned(zone.clone()).time();
    let (from, to) = (quiet.from.get(), quiet.to.get());
    match from.cmp(&to) {
        std::cmp::Ordering::Less => from <= time && time < to,
        std::cmp::Ordering::Greater => from <= time || time < to,
        std::cmp::Ordering::Equal => false,
    }
}

/// The first instant from `at` on that is outside quiet hours: never before `at`, and within 48 hours whatever the clock
/// does.
pub fn next_allowed(at: Timestamp, zone: &TimeZone, quiet: &QuietHours) -> Timestamp {
    if !is_quiet(at, zone, quiet) {
        return at;
    }
    let horizon = at + 48.hours();
    let today = at.to_zoned(zone.clone()).date();
    // Quiet hours end when the local time reaches `to`, which happens once, twice if the clock goes back, or not at all if
    // the clock jumps over `to`.
    let ends = today.series(1.day()).take(3).flat_map(|day| {
        let end = zone.to_ambiguous_timestamp(DateTime::from_parts(day, quiet.to.get()));
        match end.offset() {
            AmbiguousOffset::Gap { .. } => [None, None],
            AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => {
                [end.earlier().ok(), end.later().ok()]
            }
        }
    });
    let jumps = zone
        .following(at)
        .map(|transition| transition.timestamp())
        .take_while(|instant| *instant <= horizon)
        .take(4)
        .map(Some);
    ends.chain(jumps)
        .flatten()
        .filter(|instant| at < *instant && !is_quiet(*instant, zone, quiet))
        .min()
        .unwrap_or(horizon)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::at;

    fn quiet(from: &str, to: &str) -> QuietHours {
        QuietHours {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            action: QuietAction::Defer,
        }
    }

    #[test]
    fn message_waits_for_a_moment_outside_both_quiet_hours() {
        let dubai: [Zone; 1] = ["Asia/Dubai".parse().unwrap()];
        let tenants = quiet("21:00", "08:00");
        for (from, to, instant, allowed) in [
            ("22:00", "10:00", "20T21:30", "21T10:00"),
            ("22:00", "10:00", "20T09:00", "20T10:00"),
            ("22:00", "10:00", "20T10:00", "20T10:00"),
            ("20:00", "22:00", "20T20:30", "21T08:00"),
            ("08:00", "20:59", "20T21:00", "21T20:59"),
            // Together they cover the day.
            ("08:00", "21:00", "20T09:00", "22T09:00"),
            ("07:00", "22:00", "20T09:00", "22T09:00"),
        ] {
            let own = quiet(from, to);
            let [instant, allowed] = [instant, allowed].map(|time| at(&format!("2026-11-{time}:00+04")));
            for both in [
                Quiet::new(Some(own), Some(tenants)),
                Quiet::new(Some(tenants), Some(own)),
            ] {
                assert_eq!(both.next_allowed(instant, &dubai), allowed, "{own:?} {instant}");
            }
        }
    }

    /// The country's hours hold even if the sender's say that the message is sent anyway.
    #[test]
    fn national_hours_hold_whatever_the_others_say() {
        let dubai: [Zone; 1] = ["Asia/Dubai".parse().unwrap()];
        let national = quiet("21:00", "07:00");
        let with = |action: QuietAction| QuietHours {
            action,
            ..quiet("20:00", "08:00")
        };
        for (own, instant, action, allowed) in [
            (None, "20T21:30", Some(QuietAction::Defer), "21T07:00"),
            (None, "20T20:59", None, "20T20:59"),
            (
                Some(with(QuietAction::Send)),
                "20T21:30",
                Some(QuietAction::Defer),
                "21T07:00",
            ),
            (Some(with(QuietAction::Send)), "20T20:30", None, "20T20:30"),
            (
                Some(with(QuietAction::Skip)),
                "20T21:30",
                Some(QuietAction::Skip),
                "21T08:00",
            ),
            (
                Some(with(QuietAction::Defer)),
                "20T21:30",
                Some(QuietAction::Defer),
                "21T08:00",
            ),
        ] {
            let [instant, allowed] = [instant, allowed].map(|time| at(&format!("2026-11-{time}:00+04")));
            let both = Quiet::new(own, None).and_of_country(Some(national));
            let found = both.at(instant, &dubai);
            assert_eq!(found.map(|(hours, _)| hours.action), action, "{own:?} {instant}");
            assert_eq!(both.next_allowed(instant, &dubai), allowed, "{own:?} {instant}");
            assert_eq!(
                found.is_some_and(|(hours, _)| both.is_of_country(&hours)),
                action.is_some() && own.is_none_or(|own| own.action == QuietAction::Send)
            );
            assert_eq!(Quiet::new(own, None).and_of_country(None), Quiet::new(own, None));
        }
    }

    /// As long as eight hours of the day remain.
    #[test]
    fn message_waits_until_it_is_day_in_all_zones() {
        let zones = [
            "Europe/Moscow",
            "Europe/Samara",
            "Asia/Yekaterinburg",
            "Asia/Krasnoyarsk",
        ];
        let zones = zones.map(|zone| zone.parse::<Zone>().unwrap());
        for (from, to, instant, allowed) in [
            // In Krasnoyarsk, it is four hours later than in Moscow.
            ("21:00", "08:00", "20T07:59", "20T08:00"),
            ("21:00", "08:00", "20T16:59", "20T16:59"),
            ("21:00", "08:00", "20T17:00", "21T08:00"),
            // With Krasnoyarsk, six and a half hours would remain.
            ("20:00", "09:30", "20T17:59", "20T17:59"),
            ("20:00", "09:30", "20T18:00", "21T09:30"),
            // Moscow's alone.
            ("15:00", "07:00", "20T14:59", "20T14:59"),
        ] {
            let quiet = Quiet::new(Some(quiet(from, to)), None);
            let [instant, allowed] = [instant, allowed].map(|time| at(&format!("2026-11-{time}:00+03")));
            assert_eq!(
                quiet.next_allowed(instant, &zones),
                allowed,
                "{from} to {to} at {instant}"
            );
            assert_eq!(quiet.at(instant, &zones).is_some(), instant != allowed);
        }
    }

    #[test]
    fn quiet_hours_follow_clock_changes() {
        let night = quiet("21:00", "08:00");
        for (zone, instant, allowed) in [
            ("Asia/Dubai", "2026-11-20T20:59:59+04", "2026-11-20T20:59:59+04"),
            ("Asia/Dubai", "2026-11-20T21:00:00+04", "2026-11-21T08:00:00+04"),
            ("Asia/Dubai", "2026-11-21T03:00:00+04", "2026-11-21T08:00:00+04"),
            ("Asia/Dubai", "2026-11-21T08:00:00+04", "2026-11-21T08:00:00+04"),
            // The nights when the clocks go forward and back.
            ("Europe/London", "2026-03-28T22:00:00Z", "2026-03-29T07:00:00Z"),
            ("Europe/London", "2026-10-24T22:00:00Z", "2026-10-25T08:00:00Z"),
        ] {
            let zone = TimeZone::get(zone).unwrap();
            assert_eq!(next_allowed(at(instant), &zone, &night), at(allowed), "{instant}");
        }
        let london = TimeZone::get("Europe/London").unwrap();
        // 01:30 does not exist on 29 March: the hours end when the clock jumps over it.
        assert_eq!(
            next_allowed(at("2026-03-29T00:30:00Z"), &london, &quiet("00:00", "01:30")),
            at("2026-03-29T01:00:00Z")
        );
        // 01:30 happens twice on 25 October: the first ends the hours, and at the second 01:00 they begin again.
        let around = quiet("00:00", "01:30");
        assert_eq!(
            next_allowed(at("2026-10-25T00:10:00Z"), &london, &around),
            at("2026-10-25T00:30:00Z")
        );
        assert_eq!(
            next_allowed(at("2026-10-25T01:10:00Z"), &london, &around),
            at("2026-10-25T01:30:00Z")
        );
        assert!(!is_quiet(at("2026-11-21T03:00:00Z"), &london, &quiet("09:00", "09:00")));
    }
}
