//! What goes wrong, by provider and by customer's number.
//!
//! A rule is looked at when something happens that it could spoil; it applies if its provider, tenant and number match,
//! its dice agree, and it has not been used up.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::phones::same_number;
use crate::random::Random;
use crate::ses::same_address;

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Api {
    Graph,
    Twilio,
    /// The calls of all telephone systems.
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
    ServerError,
    /// Accepted, but the answer is a 5xx.
    ServerErrorAfter,
    TimeoutBefore,
    TimeoutAfter,
    // The caller: the process named in User-Agent is killed.
    KillBefore,
    KillAfter,
    // E-mail.
    /// SES will not send to this address.
    MailRejected,
    /// SES knows neither sender nor recipient yet.
    MailUnverified,
    // The provider's webhooks.
    DuplicateWebhooks,
    ReorderedWebhooks,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    /// Given by the simulators.
    #[serde(default)]
    pub(crate) id: u64,
    /// Absent: every provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) api: Option<Api>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tenant: Option<String>,
    /// The customer's number, or the address that a mail goes to; absent: everyone's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) number: Option<String>,
    pub(crate) kind: Kind,
    #[serde(default = "always", skip_serializing_if = "is_always")]
    pub(crate) probability: f64,
    /// How often it still applies; absent: for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) times: Option<u32>,
    /// Timeouts: how long the connection is held (default 60). Offline: how long the phone is away (default: until the
    /// rule goes).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seconds: Option<f64>,
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

/// What is about to happen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event<'a> {
    pub(crate) api: Api,
    pub(crate) tenant: &'a str,
    /// The customer's number or address, where there is one.
    pub(crate) number: Option<&'a str>,
}

#[derive(Debug)]
pub(crate) struct Faults {
    seed: u64,
    rules: Vec<Rule>,
    last_id: u64,
    /// How often the dice of a rule were thrown for a number.
    throws: HashMap<(u64, String), u64>,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            rules: Vec::new(),
            last_id: 0,
            throws: HashMap::new(),
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

    /// Whether there was such a rule.
    pub(crate) fn remove(&mut self, id: u64) -> bool {
        let before = self.rules.len();
        self.rules.retain(|rule| rule.id != id);
        self.rules.len() < before
    }

    pub(crate) fn exists(&self, id: u64) -> bool {
        self.rules.iter().any(|rule| rule.id == id)
    }

    /// The first rule of one of these kinds that applies now; using it up counts.
    pub(crate) fn take(&mut self, event: Event<'_>, kinds: &[Kind]) -> Option<Rule> {
        self.take_if(event, kinds, |_| true)
    }

    /// Like [`Self::take`]; a rule that `allowed` turns down is passed over and not used up.
    pub(crate) fn take_if(
        &mut self,
        event: Event<'_>,
        kinds: &[Kind],
        mut allowed: impl FnMut(&Rule) -> bool,
    ) -> Option<Rule> {
        let Self {
            seed, rules, throws, ..
        } = self;
        let mut thrown = |rule: &Rule| {
            let number = event.number.unwrap_or_default().to_owned();
            let count = throws.entry((rule.id, number.clone())).or_default();
            *count += 1;
            Random::of(*seed, (rule.id, number, *count)).chance(rule.probability)
        };
        rules.iter_mut().find_map(|rule| {
            let applies = kinds.contains(&rule.kind)
                && rule.times != Some(0)
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
