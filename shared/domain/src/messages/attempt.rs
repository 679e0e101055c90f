//! Attempts to send a leg of a message: their states, errors and costs, and what providers answer and report.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::money::{Currency, Money};
use crate::terms::{Because, Classified, ErrorClass, Facts, Phone, ProviderRef, Reason};

/// State of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AttemptState {
    /// A worker is about to send it, or died while doing so.
    Claimed,
    /// It is unknown whether the provider accepted it.
    Unknown,
    /// The provider refused it, so nothing went out.
    Refused,
    /// The provider accepted it.
    Accepted,
    /// The provider passed it on.
    Sent,
    /// The provider accepted it and later gave up.
    Failed,
    /// Delivered to the phone.
    Delivered,
    /// Read by the person.
    Read,
}

impl AttemptState {
    /// The rank of the state. States only move to a higher rank, in whatever order reports arrive. A late delivered or read
    /// overrides failed.
    pub const fn rank(self) -> u8 {
        match self {
            Self::Claimed => 0,
            Self::Unknown => 1,
            Self::Refused => 2,
            Self::Accepted => 3,
            Self::Sent => 4,
            Self::Failed => 5,
            Self::Delivered => 6,
            Self::Read => 7,
        }
    }

    /// Whether the provider accepted the message, whatever happened to it later.
    pub const fn was_accepted(self) -> bool {
        self.rank() >= Self::Accepted.rank()
    }

    /// The name for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Unknown => "unknown",
            Self::Refused => "refused",
            Self::Accepted => "accepted",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Delivered => "delivered",
            Self::Read => "read",
        }
    }
}

/// The provider's charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// The provider's price category, such as `utility`.
    pub category: String,
    /// The provider's price type: only `regular` is billed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Whether it is billed. `None`: the provider names a price type that nobody knows, or says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billable: Option<bool>,
    /// Billed units: segments of an SMS, otherwise 1.
    pub units: u32,
    /// The price that the provider states, for all units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
}

/// Expected cost of an attempt, as a cap counted it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// The number of the cap.
    pub cap: u32,
    pub currency: Currency,
    /// Millionths of the currency's unit.
    pub millionths: u64,
}

/// The reason why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptError {
    /// The provider's code, if it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i64>,
    /// Class of the error, which says what to do.
    pub class: ErrorClass,
    /// A sentence for people.
    pub reason: String,
    /// Code and facts of the sentence, if it is ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<Because>,
}

impl AttemptError {
    /// An error in the words of a provider, or about its silence.
    pub const fn new(code: Option<i64>, class: ErrorClass, reason: String) -> Self {
        Self {
            code,
            class,
            reason,
            because: None,
        }
    }

    /// Code and facts of the sentence.
    pub fn because(&self) -> Because {
        let known = || match (self.code, self.class) {
            (Some(code), _) => Because {
                code: Reason::ProviderRefused,
                facts: Facts::of("provider_code", code),
            },
            (None, ErrorClass::WaitForStatus) => Because::from(Reason::Unconfirmed),
            (None, _) => Because::from(Reason::NotAccepted),
        };
        self.because.clone().unwrap_or_else(known)
    }
}

/// An attempt to send a leg.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Number of the claim within the message, from 1. A retry on the same channel gets the next number.
    pub number: u32,
    /// Index of the leg in the plan.
    pub leg: u8,
    /// Number of claims of this leg.
    pub tries: u32,
    /// Id of the claim, fresh for every claim. Empty once its worker has recorded the outcome.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub claim: String,
    pub state: AttemptState,
    /// Time of the claim.
    pub claimed_at: Timestamp,
    /// The version of the connection's credentials at the claim. Other credentials may belong to another account, which
    /// knows nothing of this attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<u64>,
    /// The number that it is written to, if that has another form in the message: a provider's list knows it by this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Phone>,
    /// Numbers of the caps that it is counted for, until its outcome is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub took: Vec<u32>,
    /// Its expected cost for each cap of money.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expected: Vec<Expected>,
    /// The provider's id of the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_ref: Option<ProviderRef>,
    /// Time when its outcome was recorded as unknown, while it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown_at: Option<Timestamp>,
    /// Time of acceptance by the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<Timestamp>,
    /// Time of delivery to the phone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
    /// Time when the person read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
    /// The reason why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<AttemptError>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
}

impl Attempt {
    /// Amounts that it took of caps, by their numbers, while they may have to be given back.
    pub fn cap_amounts(&self) -> BTreeMap<u32, u64> {
        let amount = |number: &u32| {
            let mut expected = self.expected.iter();
            let expected = expected.find(|expected| expected.cap == *number);
            (*number, expected.map_or(1, |expected| expected.millionths))
        };
        self.took.iter().map(amount).collect()
    }

    /// Whether the attempt has an unknown outcome that is no longer waited for, because the consequence is decided.
    pub fn given_up(&self) -> bool {
        self.state == AttemptState::Unknown
            && self
                .error
                .as_ref()
                .is_some_and(|error| error.class != ErrorClass::WaitForStatus)
    }

    /// Keeps the higher of two costs, so that their order does not matter.
    pub(crate) fn add_cost(&mut self, cost: Cost) {
        let key = |cost: &Cost| {
            let Cost {
                category, kind, amount, ..
            } = cost.clone();
            (cost.billable, cost.units, amount, category, kind)
        };
        if self.cost.as_ref().is_none_or(|known| key(&cost) > key(known)) {
            self.cost = Some(cost);
        }
    }
}

/// The outcome of a request to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// The provider accepted the message.
    Accepted {
        /// The provider's id of the message.
        provider_ref: ProviderRef,
        /// Segments of an SMS, if the provider reports them.
        segments: Option<u32>,
    },
    /// The provider refused the message, or the request was never sent: nothing went out.
    Refused {
        /// The provider's code, if it gave one.
        code: Option<i64>,
        /// Its meaning by the tables.
        classified: Classified,
        /// The reason for people, without message text or numbers.
        reason: String,
        /// Code and facts of the reason, if it is ours.
        because: Option<Because>,
        /// The provider's `Retry-After`.
        retry_after: Option<SignedDuration>,
    },
    /// A time-out, or a response that does not tell.
    Unknown {
        /// The reason for people.
        reason: String,
    },
}

/// A provider's report on a message that it accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReport {
    /// Sent, delivered, read or failed.
    pub state: AttemptState,
    /// Time by the provider's clock.
    pub at: Timestamp,
    /// The provider's id of the message.
    pub provider_ref: ProviderRef,
    /// The error, for `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<AttemptError>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
}

/// The evidence at the deadline about a send with an unknown outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Evidence {
    /// No report arrived, which proves nothing.
    Silence,
    /// The provider was asked, and its list leaves no room for the message: the provider never accepted it.
    NotTaken,
}
