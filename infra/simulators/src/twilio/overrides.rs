//! Connection overrides: delivery options in the fragment of a webhook's URL.

use std::time::Duration;

use crate::delivery::Cause;

/// Time-outs and retries of one URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Overrides {
    /// Time until the answer.
    read: Duration,
    /// Time of all attempts together.
    total: Duration,
    retries: u32,
    on: On,
}

/// Failures after which a request is repeated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct On {
    connect: bool,
    read: bool,
    client_error: bool,
    server_error: bool,
}

const EDGES: &[&str] = &[
    "ashburn",
    "dublin",
    "frankfurt",
    "sao-paulo",
    "singapore",
    "sydney",
    "tokyo",
    "umatilla",
    "ashburn-ix",
    "london-ix",
    "san-jose-ix",
    "frankfurt-ix",
    "singapore-ix",
];

impl Default for Overrides {
    /// One retry, only if the connection is refused.
    fn default() -> Self {
        Self {
            read: Duration::from_secs(15),
            total: Duration::from_secs(15),
            retries: 1,
            on: On {
                connect: true,
                ..On::default()
            },
        }
    }
}

impl Overrides {
    /// Overrides of a URL. An unknown fragment changes nothing.
    pub(crate) fn of(url: &str) -> Self {
        let fragment = url.split_once('#').map_or("", |(_, fragment)| fragment);
        Self::parse(fragment).unwrap_or_default()
    }

    fn parse(fragment: &str) -> Option<Self> {
        let mut all = Self::default();
        for part in fragment.split('&').filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=')?;
            let within = |least: u64, most: u64| value.parse().ok().filter(|number| (least..=most).contains(number));
            match key {
                // On one machine, a connection is accepted at once or not at all.
                "ct" => drop(within(100, 10_000)?),
                "rt" => all.read = Duration::from_millis(within(100, 15_000)?),
                "tt" => all.total = Duration::from_millis(within(100, 15_000)?),
                "rc" => all.retries = u32::try_from(within(0, 5)?).ok()?,
                "rp" => all.on = On::parse(value)?,
                "sni" if matches!(value, "y" | "n") => {}
                "e" if value.split(',').all(|edge| EDGES.contains(&edge)) => {}
                _ => return None,
            }
        }
        Some(all)
    }

    /// Maximum time of the next attempt, after this time.
    pub(crate) fn next_try(&self, spent: Duration) -> Duration {
        self.read.min(self.total.saturating_sub(spent))
    }

    /// True if the request is repeated after this number of attempts, which took this time together and of which the last one
    /// failed like this.
    pub(crate) fn again(&self, tries: u32, spent: Duration, cause: Cause) -> bool {
        let on = match cause {
            Cause::Connect => self.on.connect,
            Cause::Read => self.on.read,
            Cause::Status(status) => match status {
                400..=499 => self.on.client_error,
                500.. => self.on.server_error,
                _ => false,
            },
            Cause::BrokenOff => false,
        };
        on && tries <= self.retries && spent < self.total
    }
}

impl On {
    fn parse(list: &str) -> Option<Self> {
        let mut on = Self::default();
        for word in list.split(',') {
            match word {
                "ct" => on.connect = true,
                "rt" => on.read = true,
                "4xx" => on.client_error = true,
                "5xx" => on.server_error = true,
                "all" => {
                    on = Self {
                        connect: true,
                        read: true,
                        client_error: true,
                        server_error: true,
                    }
                }
                _ => return None,
            }
        }
        Some(on)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_are_read_as_twilio_documents_them() {
        for good in [
            "rc=3&rp=all",
            "rc=3&rp=ct,rt,5xx",
            "rc=0",
            "rc=5&rp=all",
            "ct=2000&rt=8000&tt=12000",
            "e=ashburn,dublin",
            "sni=n",
            "",
        ] {
            assert!(Overrides::parse(good).is_some(), "{good}");
        }
        for bad in [
            "rc=6", "ct=50", "ct=10001", "rt=15001", "tt=99", "rp=read", "e=paris", "ta=5000", "rc",
        ] {
            assert_eq!(Overrides::parse(bad), None, "{bad}");
            assert_eq!(Overrides::of(&format!("https://h.test/a#{bad}")), Overrides::default());
        }
    }

    #[test]
    fn only_requested_failures_are_retried_within_the_limit() {
        let none = Duration::ZERO;
        let own = Overrides::of("https://h.test/voice");
        assert!(own.again(1, none, Cause::Connect) && !own.again(2, none, Cause::Connect));
        for cause in [Cause::Status(503), Cause::Status(401), Cause::Read, Cause::BrokenOff] {
            assert!(!own.again(1, none, cause), "{cause:?}");
        }
        let all = Overrides::of("https://h.test/voice?a=b#rc=3&rp=all");
        for cause in [Cause::Status(503), Cause::Status(401), Cause::Read, Cause::Connect] {
            assert!(all.again(3, Duration::from_secs(14), cause), "{cause:?}");
            assert!(!all.again(4, none, cause) && !all.again(1, Duration::from_secs(15), cause));
        }
        assert!(!all.again(1, none, Cause::BrokenOff));
        assert_eq!(all.next_try(Duration::from_secs(10)), Duration::from_secs(5));
        let short = Overrides::of("https://h.test/voice#rt=3000&tt=4000");
        assert_eq!(short.next_try(none), Duration::from_secs(3));
        assert_eq!(short.next_try(Duration::from_secs(3)), Duration::from_secs(1));
    }
}
