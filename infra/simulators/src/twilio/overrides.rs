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
    /// Failures that lead to another attempt: `ct`, `rt`, `4xx`, `5xx`, or `all`.
    on: Vec<String>,
}

impl Default for Overrides {
    /// A single retry, only if the connection is refused.
    fn default() -> Self {
        Self {
            read: Duration::from_secs(15),
            total: Duration::from_secs(15),
            retries: 1,
            on: vec!["ct".to_owned()],
        }
    }
}

impl Overrides {
    /// Overrides of a URL. An unknown fragment changes nothing.
    pub(crate) fn of(url: &str) -> Self {
        let fragment = url.split_once('#').map_or("", |(_, fragment)| fragment);
        Self::parse(fragment).unwrap_or_default()
    }

    /// These overrides with all times multiplied.
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
                "rp" => {
                    let known = |word: &str| matches!(word, "ct" | "rt" | "4xx" | "5xx" | "all");
                    all.on = value.split(',').map(str::to_owned).collect();
                    all.on.iter().all(|word| known(word)).then_some(())?;
                }
                _ => return None,
            }
        }
        Some(all)
    }

    /// Maximum time of the next attempt, after this time.
    pub(crate) fn next_try(&self, spent: Duration) -> Duration {
        self.read.min(self.total.saturating_sub(spent))
    }

    /// True if the request is repeated after this number of attempts. Together they took this time, and the last one
    /// failed like this.
    pub(crate) fn may_retry(&self, tries: u32, spent: Duration, cause: Cause) -> bool {
        let word = match cause {
            Cause::Connect => "ct",
            Cause::Read => "rt",
            Cause::Status(400..=499) => "4xx",
            Cause::Status(500..) => "5xx",
            Cause::Status(_) | Cause::BrokenOff => return false,
        };
        let on = self.on.iter().any(|on| on == word || on == "all");
        on && tries <= self.retries && spent < self.total
    }
}
