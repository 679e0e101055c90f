//! A provider's statements about an account: in a connection test, and in reports of its own between tests.

use std::cmp::Reverse;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The outcome of testing a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkup {
    /// Time of the test.
    pub at: Timestamp,
    /// Result of the test.
    pub result: CheckResult,
    /// Message for people: what was found, or what to do.
    pub message: String,
    /// Meta's rating of the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
    /// The display name that customers see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_name: Option<String>,
    /// Maximum messages per second of the number, in and out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages_per_second: Option<u32>,
    /// Maximum customers within 24 hours that the business may write to first; 0: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customers_per_day: Option<u32>,
    /// Whether the business accepted Meta's terms for marketing messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marketing_terms: Option<MarketingTerms>,
}

/// Result of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "ConnectionTestResult")
)]
#[serde(rename_all = "snake_case")]
pub enum CheckResult {
    /// The provider accepts the credentials and knows the account and, if it tells them, its numbers.
    Passed,
    /// Somebody must act. The message says how.
    Failed,
    /// The provider did not answer.
    Unclear,
    /// Nothing can be asked with these credentials. The first event will show whether it works.
    Waiting,
}

/// Meta's quality rating of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "NumberQuality"))]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// Good.
    Green,
    /// Medium.
    Yellow,
    /// Low: Meta may restrict the number.
    Red,
    /// Not rated yet.
    Unknown,
}

/// State of Meta's terms for marketing messages, which a business accepts for all of its WhatsApp accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MarketingTerms {
    /// Accepted: marketing templates are sent as marketing messages.
    Accepted,
    /// Not accepted, or Meta is not ready yet: marketing templates are sent like all others.
    NotAccepted,
    /// Meta does not admit this account: marketing templates are sent like all others.
    Ineligible,
}

impl Checkup {
    /// A result with its message, and no further values.
    pub fn new(result: CheckResult, message: impl Into<String>, at: Timestamp) -> Self {
        Self {
            at,
            result,
            message: message.into(),
            quality: None,
            verified_name: None,
            messages_per_second: None,
            customers_per_day: None,
            marketing_terms: None,
        }
    }
}

/// A value with its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dated<T> {
    /// Time of the value.
    pub at: Timestamp,
    pub value: T,
}

/// Meta's latest reports about a number between tests. Each report contains some of the values, and they arrive in any
/// order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reported {
    /// As [`Checkup::quality`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<Dated<Quality>>,
    /// As [`Checkup::messages_per_second`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages_per_second: Option<Dated<u32>>,
    /// As [`Checkup::customers_per_day`]: of the whole business, for all of its numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customers_per_day: Option<Dated<u32>>,
}

/// The later value. Between two of the same time, the more careful one, with the lower rank: Meta's times are in seconds.
fn later_value<T: Copy, R: Ord>(
    ours: Option<Dated<T>>,
    theirs: Option<Dated<T>>,
    rank: impl Fn(T) -> R,
) -> Option<Dated<T>> {
    match (ours, theirs) {
        (Some(ours), Some(theirs)) => {
            let is_theirs = (ours.at, Reverse(rank(ours.value))) < (theirs.at, Reverse(rank(theirs.value)));
            Some(if is_theirs { theirs } else { ours })
        }
        (ours, theirs) => ours.or(theirs),
    }
}

impl Quality {
    /// The worst is the lowest.
    const fn rank(self) -> u8 {
        match self {
            Self::Red => 0,
            Self::Yellow => 1,
            Self::Unknown => 2,
            Self::Green => 3,
        }
    }
}

/// 0 is no limit.
const fn limit_rank(limit: u32) -> u32 {
    if limit == 0 { u32::MAX } else { limit }
}

impl Reported {
    /// Whether it contains no values.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Merges another report: of each value, the later one wins, and of the same second the more careful one.
    pub fn and(self, other: Self) -> Self {
        Self {
            quality: later_value(self.quality, other.quality, Quality::rank),
            messages_per_second: later_value(self.messages_per_second, other.messages_per_second, |limit| limit),
            customers_per_day: later_value(self.customers_per_day, other.customers_per_day, limit_rank),
        }
    }

    /// The part that also applies to the business's other numbers.
    pub fn of_business(self) -> Self {
        Self {
            customers_per_day: self.customers_per_day,
            ..Self::default()
        }
    }

    /// Merges the result of a test: of each value, the later one wins.
    pub fn and_tested(self, checkup: Option<&Checkup>) -> Self {
        let Some(checkup) = checkup else {
            return self;
        };
        let at = checkup.at;
        self.and(Self {
            quality: checkup.quality.map(|value| Dated { at, value }),
            messages_per_second: checkup.messages_per_second.map(|value| Dated { at, value }),
            customers_per_day: checkup.customers_per_day.map(|value| Dated { at, value }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at<T>(second: i64, value: T) -> Option<Dated<T>> {
        let at = Timestamp::from_second(second).unwrap();
        Some(Dated { at, value })
    }

    #[test]
    fn later_value_wins_in_any_order() {
        let first = Reported {
            quality: at(10, Quality::Red),
            customers_per_day: at(10, 250),
            ..Reported::default()
        };
        let second = Reported {
            quality: at(5, Quality::Green),
            messages_per_second: at(20, 1_000),
            customers_per_day: at(20, 2_000),
        };
        let both = Reported {
            quality: at(10, Quality::Red),
            messages_per_second: at(20, 1_000),
            customers_per_day: at(20, 2_000),
        };
        assert_eq!(first.and(second), both);
        assert_eq!(second.and(first), both);
        assert_eq!(both.and(first), both, "again");
    }

    #[test]
    fn more_careful_value_of_one_second_wins_in_any_order() {
        let reported = |quality, per_second, customers| Reported {
            quality: at(10, quality),
            messages_per_second: at(10, per_second),
            customers_per_day: at(10, customers),
        };
        for (careful, other) in [
            (
                reported(Quality::Red, 80, 250),
                reported(Quality::Unknown, 1_000, 2_000),
            ),
            (reported(Quality::Yellow, 20, 100_000), reported(Quality::Green, 80, 0)),
        ] {
            assert_eq!(careful.and(other), careful);
            assert_eq!(other.and(careful), careful);
        }
    }

    #[test]
    fn test_result_counts_until_a_later_report() {
        let mut checkup = Checkup::new(CheckResult::Passed, "Works.", Timestamp::from_second(15).unwrap());
        (checkup.quality, checkup.customers_per_day) = (Some(Quality::Green), Some(250));
        let reported = Reported {
            quality: at(10, Quality::Red),
            customers_per_day: at(20, 2_000),
            ..Reported::default()
        };
        let known = reported.and_tested(Some(&checkup));
        assert_eq!(known.quality, at(15, Quality::Green));
        assert_eq!(known.customers_per_day, at(20, 2_000));
        // A failed test found out nothing about the number.
        let failed = Checkup::new(CheckResult::Failed, "Refused.", Timestamp::from_second(30).unwrap());
        assert_eq!(reported.and_tested(Some(&failed)), reported);
        assert_eq!(reported.and_tested(None), reported);
    }
}
