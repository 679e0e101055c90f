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

    /// The same with all times multiplied.
    pub(crate) fn with_patience(self, factor: u32) -> Self {
        Self {
            read: self.read * factor,
            total: self.total * factor,
            ..self
        }
    }

    fn parse(fragment: &str) -> Option<Self> {
        let mut all = Self::default();
        for part in fragment.split('&').filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=')?;
            let within = |least: u64, most: u64| value.parse().ok().filter(|number| (least..=most).contains(number));
            match key {
                "rt" => all.read = Duration::from_millis(within(100, 15_000)?),
                "tt" => all.total = Duration::from_millis(within(100, 15_000)?),
                "rc" => all.retries = u32::try_from(within(0, 5)?).ok()?,
                "rp" => all.on = On::parse(value)?,
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
