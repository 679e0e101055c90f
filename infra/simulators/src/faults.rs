//! Faults by provider and customer's number.
//!
//! A rule is checked when an event happens that it can affect. It applies if its provider, tenant and number match, its dice
//! agree, and it is not used up.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::phones::same_number;
use crate::random::Random;
use crate::ses::same_address;

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Api {
    Graph,
    Twilio,
    /// Calls of all telephone systems.
    Telephony,
    Ses,
    // The telephone systems' own APIs.
    Aircall,
    Vonage,
    Exotel,
    Plivo,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    // The person's phone.
    NotOnWhatsapp,
    Offline,
    Blocked,
    Landline,
    // The provider's answer.
    BadCredentials,
    Throttled,
    /// Marketing is off on the route that all messages take. Twilio: the terms of marketing messages are not accepted, which it says later.
    MarketingOff,
    ServerError,
    /// Accepted, but the answer is a 5xx.
    ServerErrorAfter,
    TimeoutBefore,
    TimeoutAfter,
    // Media: their description and download.
    /// Files are answered with 503.
    MediaUnavailable,
    /// Files have no bytes.
    MediaEmpty,
    /// The body never ends.
    MediaEndless,
    /// The answer leads elsewhere: to `location`, or to a private address.
    MediaRedirect,
    /// A byte more than any file may have.
    MediaTooLarge,
    /// The body ends in the middle.
    MediaTruncated,
    /// The last byte is another than the one that was hashed.
    MediaWrongHash,
    /// The description says one byte more than there are. Graph only.
    MediaWrongLength,
    /// A page in HTML instead of the file.
    MediaWrongType,
    // The caller: the process named in User-Agent is killed.
    KillBefore,
    KillAfter,
    // E-mail.
    /// SES refuses this address permanently.
    MailRejected,
    /// SES has verified neither sender nor recipient.
    MailUnverified,
    // The provider's webhooks.
    DuplicateWebhooks,
    ReorderedWebhooks,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    /// Assigned by the simulators.
    #[serde(default)]
    pub(crate) id: u64,
    /// Applies to all providers if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) api: Option<Api>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tenant: Option<String>,
    /// The customer's number, or the address of a mail. Absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) number: Option<String>,
    pub(crate) kind: Kind,
    #[serde(default = "always", skip_serializing_if = "is_always")]
    pub(crate) probability: f64,
    /// Remaining uses. Absent: unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) times: Option<u32>,
    /// Timeouts: how long the connection is held (default 60). Offline: how long the phone is off (default: until the
    /// rule is removed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seconds: Option<f64>,
    /// The rule ends at this time by the simulators' clock. Absent: it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<Timestamp>,
    /// Where a redirect of media leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) location: Option<String>,
}

fn always() -> f64 {
    1.0
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's skip_serializing_if hands over a reference"
)]
fn is_always(probability: &f64) -> bool {
    *probability >= 1.0
}

/// An event that is about to happen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event<'a> {
    pub(crate) api: Api,
    pub(crate) tenant: &'a str,
    /// The customer's number or address, if there is one.
    pub(crate) number: Option<&'a str>,
}

impl<'a> Event<'a> {
    pub(crate) fn new(api: Api, tenant: &'a str, number: Option<&'a str>) -> Self {
        Self { api, tenant, number }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Faults {
    seed: u64,
    clock: Arc<Clock>,
    rules: Vec<Rule>,
    last_id: u64,
    /// Number of dice throws of a rule for a number.
    throws: HashMap<(u64, String), u64>,
}

impl Faults {
    pub(crate) fn new(seed: u64, clock: Arc<Clock>) -> Self {
        Self {
            seed,
            clock,
            ..Self::default()
        }
    }

    pub(crate) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    pub(crate) fn replace(&mut self, rules: Vec<Rule>) {
        self.rules.clear();
        for rule in rules {
            self.add(rule);
        }
    }

    pub(crate) fn add(&mut self, mut rule: Rule) -> u64 {
        self.last_id += 1;
        rule.id = self.last_id;
        self.rules.push(rule);
        self.last_id
    }

    /// Removes a rule. Returns true if it existed.
    pub(crate) fn remove(&mut self, id: u64) -> bool {
        let before = self.rules.len();
        self.rules.retain(|rule| rule.id != id);
        self.rules.len() < before
    }

    pub(crate) fn exists(&self, id: u64) -> bool {
        self.rules.iter().any(|rule| rule.id == id)
    }

    /// The first rule of one of these kinds that applies now, which uses it once. One that `allowed` rejects is skipped and not used.
    pub(crate) fn take_if(
        &mut self,
        event: Event<'_>,
        kinds: &[Kind],
        mut allowed: impl FnMut(&Rule) -> bool,
    ) -> Option<Rule> {
        let Self {
            seed,
            clock,
            rules,
            throws,
            ..
        } = self;
        let now = clock.now();
        let mut thrown = |rule: &Rule| {
            let number = event.number.unwrap_or_default().to_owned();
            let count = throws.entry((rule.id, number.clone())).or_default();
            *count += 1;
            Random::of(*seed, (rule.id, number, *count)).chance(rule.probability)
        };
        rules.iter_mut().find_map(|rule| {
            let applies = kinds.contains(&rule.kind)
                && rule.times != Some(0)
                && rule.until.is_none_or(|until| now < until)
                && rule.matches(event)
                && thrown(rule)
                && allowed(rule);
            applies.then(|| {
                rule.times = rule.times.map(|left| left - 1);
                rule.clone()
            })
        })
    }
}

impl Rule {
    fn matches(&self, event: Event<'_>) -> bool {
        self.api.is_none_or(|api| api == event.api)
            && self.tenant.as_deref().is_none_or(|tenant| tenant == event.tenant)
            && match (&self.number, event.number) {
                (None, _) => true,
                (Some(wanted), Some(number)) => same_number(wanted, number) || same_address(wanted, number),
                (Some(_), None) => false,
            }
    }
}
