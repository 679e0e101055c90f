//! The pre-flight of a campaign: what would become of everybody it chooses, before anything is sent.
//!
//! Everybody who is chosen is counted in one line: of those who get the message, or of one reason for which others get none. The same code
//! decides as when the campaign runs.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    base::{
        country::Country,
        ids::{CampaignId, ConnectionId, ContactId},
    },
    campaigns::campaign::Stopped,
    messages::{compose::Composed, message::Channel, refusal::Refusal},
    money::{
        cap::{Cap, CapName, Counts, Take, day_of, hour_of},
        costs::Costs,
        prices::{PriceBook, PriceCategory, decimal},
        product::Currency,
    },
    reports::counting::{Counter, Listed},
    tenants::config::TenantConfig,
};

/// Parameters of the operation that makes a pre-flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreflightCampaign {
    /// The campaign.
    pub campaign: CampaignId,
}

impl PreflightCampaign {
    /// The name under which the list of everybody is downloaded.
    pub const FILE: &str = "preflight.csv";
    /// Maximum samples.
    pub const SAMPLES: usize = 10;
}

/// What would become of those who were looked at so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreflightTally {
    /// Contacts who are chosen.
    pub chosen: u64,
    /// Those who would get the message.
    pub messages: u64,
    held_back: BTreeMap<String, u64>,
    channels: BTreeMap<Channel, u64>,
    deferred: u64,
    last_at: Option<Timestamp>,
    listed: BTreeMap<String, u64>,
    needed: BTreeMap<u32, u64>,
    senders: BTreeMap<ConnectionId, u64>,
    samples: Vec<ContactId>,
}

impl PreflightTally {
    /// Adds somebody who gets no message for this reason.
    pub fn hold_back(&mut self, why: &Refusal) {
        self.chosen += 1;
        *self.held_back.entry(why.reason.as_str().to_owned()).or_default() += 1;
    }

    /// Adds somebody who gets this message, which is made at this time and takes this much of caps.
    pub fn add(&mut self, composed: &Composed, made_at: Timestamp, takes: &[Take], config: &TenantConfig) {
        self.chosen += 1;
        self.messages += 1;
        self.deferred += u64::from(made_at < composed.not_before);
        self.last_at = self.last_at.max(Some(composed.not_before));
        for take in takes {
            let needed = self.needed.entry(take.cap.number).or_default();
            *needed = needed.saturating_add(take.amount);
        }
        if let Some(leg) = composed.legs.first() {
            *self.channels.entry(leg.channel).or_default() += 1;
            if leg.channel == Channel::WhatsApp {
                *self.senders.entry(leg.connection).or_default() += 1;
            }
            let by_twilio = config.connections.iter().find(|known| known.id == leg.connection);
            let by_twilio = by_twilio.is_some_and(|connection| connection.needs_content_sid);
            let (listed, units) = Listed::planned(leg, by_twilio, composed.policy.category(), &composed.to);
            *self.listed.entry(listed.name()).or_default() += u64::from(units);
        }
        if self.samples.len() < PreflightCampaign::SAMPLES {
            self.samples.push(composed.cause.message_id().contact());
        }
    }

    /// The connections that would send by WhatsApp.
    pub fn senders(&self) -> impl Iterator<Item = ConnectionId> {
        self.senders.keys().copied()
    }

    /// The result, with the caps of the tenant, what is counted of them now, and the customers whom each connection may begin to write to
    /// in a day.
    pub fn result(
        self,
        (caps, counts): (&[Cap], &Counts),
        (book, now): (&PriceBook, Timestamp),
        customers_per_day: &BTreeMap<ConnectionId, u32>,
        stopped: Option<Stopped>,
    ) -> PreflightResult {
        let needed = |cap: &Cap| {
            let unit = cap.currency.as_ref().map_or(1, Currency::smallest_in_millionths);
            let (counted, needed) = (counts.of(cap, hour_of(now)), *self.needed.get(&cap.number)?);
            (counted.saturating_add(needed) > cap.most()).then(|| CapExceeded {
                cap: cap.name(),
                maximum: cap.maximum,
                counted: counted.div_ceil(unit),
                needed: needed.div_ceil(unit),
            })
        };
        let shares = self.senders.iter().filter_map(|(connection, customers)| {
            Some(DailyShare {
                connection_id: *connection,
                customers: *customers,
                customers_per_day: *customers_per_day.get(connection)?,
            })
        });
        PreflightResult {
            caps: caps.iter().filter_map(needed).collect(),
            daily_shares: shares.collect(),
            costs: costs(&self.listed, book, day_of(now)),
            chosen: self.chosen,
            messages: self.messages,
            held_back: self.held_back,
            channels: self.channels,
            deferred: self.deferred,
            last_at: self.last_at,
            stopped,
            samples: self.samples,
        }
    }
}

/// What is expected to be paid for each country, channel and category, by the prices of a day.
fn costs(listed: &BTreeMap<String, u64>, book: &PriceBook, day: Date) -> Vec<PreflightCost> {
    let mut lines = Vec::new();
    for (name, units) in listed {
        let Counter::Listed(what) = Counter::read(name) else {
            continue;
        };
        let mut costs = Costs::default();
        costs.add(&[(name.clone(), *units)].into(), book, day);
        let line = |price: Option<(&Currency, u64)>| PreflightCost {
            country: what.country,
            channel: what.carrier.channel(),
            category: what.category,
            units: *units,
            currency: price.map(|(currency, _)| currency.clone()),
            amount: price.map(|(_, amount)| decimal(amount)),
        };
        let priced = costs.spent().iter();
        let priced = priced.map(|((currency, _), spent)| line(Some((currency, spent.estimated))));
        let before = lines.len();
        lines.extend(priced);
        if lines.len() == before {
            lines.push(line(None));
        }
    }
    lines
}

/// What would become of everybody whom a campaign chooses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "CampaignPreflightResult")
)]
pub struct PreflightResult {
    /// Contacts who are chosen: all who would get the message, and all who are held back.
    #[cfg_attr(feature = "schema", schemars(example = 1200))]
    pub chosen: u64,
    /// Those who would get the message.
    #[cfg_attr(feature = "schema", schemars(example = 1100))]
    pub messages: u64,
    /// Those who would get none, by the reason: one of `x-codes` at the root of the document.
    #[cfg_attr(feature = "schema", schemars(example = held_back()))]
    pub held_back: BTreeMap<String, u64>,
    /// Messages by the channel that is tried first.
    pub channels: BTreeMap<Channel, u64>,
    /// Messages that would wait for the end of quiet hours, or for the send window.
    pub deferred: u64,
    /// Time at which the last message could be sent, at the campaign's pace and beside quiet hours. `null`: there is none.
    #[cfg_attr(feature = "schema", schemars(example = "2026-11-20T10:15:00Z"))]
    pub last_at: Option<Timestamp>,
    /// What the messages are expected to cost by the price lists, if the first channel delivers them.
    pub costs: Vec<PreflightCost>,
    /// The caps that have no room for all messages, if they are sent within one period. The campaign is paused when it reaches one.
    pub caps: Vec<CapExceeded>,
    /// For each connection of WhatsApp whose limit is known, how much of a day's it would use.
    pub daily_shares: Vec<DailyShare>,
    /// The reason for which the campaign would be paused when it begins. `null`: there is none.
    pub stopped: Option<Stopped>,
    /// Contacts who would get the message, at most 10, for samples.
    #[cfg_attr(feature = "schema", schemars(length(max = PreflightCampaign::SAMPLES)))]
    pub samples: Vec<ContactId>,
}

#[cfg(feature = "schema")]
fn held_back() -> BTreeMap<&'static str, u64> {
    [("no_consent", 90), ("frequency", 10)].into()
}

/// What messages to a country are expected to cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PreflightCost {
    /// Country of the recipients. `null`: it is not known.
    pub country: Option<Country>,
    /// Channel.
    pub channel: Channel,
    /// Price category.
    pub category: PriceCategory,
    /// Messages of WhatsApp, or segments of SMS.
    #[cfg_attr(feature = "schema", schemars(example = 1000))]
    pub units: u64,
    /// The currency by ISO 4217. `null`: there is no price.
    pub currency: Option<Currency>,
    /// Amount, as a decimal number. `null`: there is no price.
    #[cfg_attr(feature = "schema", schemars(example = "38.40"))]
    pub amount: Option<String>,
}

/// A cap that has no room for all messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CapExceeded {
    /// Its name.
    pub cap: CapName,
    /// Its maximum of messages, or of the smallest units of its currency.
    #[cfg_attr(feature = "schema", schemars(example = 1000))]
    pub maximum: u32,
    /// What is counted in the present period, in the same unit.
    #[cfg_attr(feature = "schema", schemars(example = 12))]
    pub counted: u64,
    /// What the campaign needs of it, in the same unit.
    #[cfg_attr(feature = "schema", schemars(example = 1100))]
    pub needed: u64,
}

/// How many of the customers whom a business may write to first in a day are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DailyShare {
    /// The connection.
    pub connection_id: ConnectionId,
    /// Customers who would get the message by it.
    #[cfg_attr(feature = "schema", schemars(example = 1000))]
    pub customers: u64,
    /// Customers whom the business may write to first in 24 hours, with all of its numbers, as WhatsApp last said.
    #[cfg_attr(feature = "schema", schemars(example = 2000))]
    pub customers_per_day: u32,
}
