//! The pre-flight of a campaign: what would become of everybody it chooses, before anything is sent.
//!
//! Everybody who is chosen is counted in one line: as getting the message, or by one reason for getting none. The same
//! code decides as when the campaign runs.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::campaigns::{Campaign, Stopped};
use crate::destinations::{Applies, RuleKind, known_rule};
use crate::messages::{Composed, most_for_campaigns};
use crate::money::{
    Cap, CapName, Counts, Currency, OutdatedPrices, PriceBook, PriceCategory, Service, day_of, decimal_amount, hour_of,
};
use crate::reports::{Costs, Counter, applying_caps, price_entry, services_of, takes_of_caps};
use crate::tenants::{BulkWorkers, BusyTimes, Connection, TenantConfig};
use crate::terms::{CampaignId, Channel, ConnectionId, ContactId, Country, Fact, Lane, Refusal, Resource as _};

/// Parameters of the operation that makes a pre-flight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreflightCampaign {
    pub campaign: CampaignId,
    /// Digest of the fields that can be changed.
    content: String,
}

impl PreflightCampaign {
    /// The parameters for a campaign as it is now.
    pub fn of(campaign: &Campaign) -> Self {
        let content = Sha256::digest(serde_json::to_vec(&campaign.fields()).unwrap_or_default());
        let content = content.iter().take(16).map(|byte| format!("{byte:02x}"));
        Self {
            campaign: campaign.id,
            content: content.collect(),
        }
    }

    /// Whether the campaign still says what it said then.
    pub fn is_of(&self, campaign: &Campaign) -> bool {
        *self == Self::of(campaign)
    }

    /// File name of the list of everybody.
    pub const FILE: &str = "preflight.csv";
    pub const SAMPLES: usize = 10;
}

/// Counts of the contacts who were looked at so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreflightTally {
    /// Contacts who are chosen.
    pub chosen: u64,
    /// Contacts who would get the message.
    pub messages: u64,
    held_back: BTreeMap<String, u64>,
    channel_problems: BTreeMap<Channel, BTreeMap<String, u64>>,
    channels: BTreeMap<Channel, u64>,
    deferred: u64,
    /// Messages against the rules of countries for SMS.
    #[serde(default)]
    country_rules: Vec<(Country, RuleKind, u64)>,
    /// Rules that refuse some messages and only warn of others: a Messaging Service may have what they demand.
    #[serde(default)]
    unclear_rules: Vec<(Country, RuleKind)>,
    last_at: Option<Timestamp>,
    listed: BTreeMap<String, u64>,
    needed: BTreeMap<u32, u64>,
    senders: BTreeMap<ConnectionId, u64>,
    /// The WhatsApp numbers that would send, and when.
    #[serde(default)]
    numbers: BTreeMap<ConnectionId, Sending>,
    /// The deployment's workers.
    #[serde(default)]
    workers: Option<Sending>,
    samples: Vec<ContactId>,
}

/// The connection of the WhatsApp number that sends a message first.
fn sending_number(composed: &Composed) -> Option<ConnectionId> {
    let leg = composed.legs.first()?;
    (leg.channel == Channel::WhatsApp).then_some(leg.connection)
}

/// Messages that a number or the workers send per second, and the times when they would send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Sending {
    per_second: u32,
    times: BusyTimes,
}

impl Sending {
    fn at(per_second: u32) -> Self {
        Self {
            per_second,
            times: BusyTimes::default(),
        }
    }

    fn add(&mut self, at: Timestamp) {
        self.times.add(at, self.per_second);
    }

    fn last_at(&self) -> Option<Timestamp> {
        self.times.last_at(self.per_second)
    }
}

impl PreflightCost {
    /// Maximum countries, channels and categories that have a line of their own.
    const MOST: usize = 50;
    /// Maximum lines, including those for all others of a channel, category and currency.
    pub const MOST_LINES: usize = 100;
}

impl PreflightTally {
    /// Adds somebody who gets no message for this reason.
    pub fn hold_back(&mut self, why: &Refusal) {
        self.chosen += 1;
        *self.held_back.entry(why.reason.as_str().to_owned()).or_default() += 1;
        for (channel, problem) in channel_problems(why) {
            let of_channel = self.channel_problems.entry(channel).or_default();
            *of_channel.entry(problem).or_default() += 1;
        }
    }

    /// Adds somebody who gets this message, which is made at this time, at the prices of a day.
    pub fn add(
        &mut self,
        composed: &Composed,
        made_at: Timestamp,
        campaign: &Campaign,
        config: &TenantConfig,
        book: &PriceBook,
        day: Date,
    ) {
        self.chosen += 1;
        self.messages += 1;
        self.deferred += u64::from(made_at < composed.not_before);
        self.last_at = self.last_at.max(Some(composed.not_before));
        if let Some(leg) = composed.legs.first() {
            *self.channels.entry(leg.channel).or_default() += 1;
            if leg.channel == Channel::WhatsApp {
                *self.senders.entry(leg.connection).or_default() += 1;
            }
            let (category, to) = (composed.policy.category(), &composed.to);
            let caps = applying_caps(config, &composed.policy, composed.line, &composed.to);
            for take in takes_of_caps(caps, config, category, to, leg, book, day) {
                let needed = self.needed.entry(take.cap.number).or_default();
                *needed = needed.saturating_add(take.amount);
            }
            let (listed, units) = price_entry(config, category, to, leg);
            *self.listed.entry(listed.name()).or_default() += u64::from(units);
        }
        self.note_country_rules(composed, config);
        let (contact, parts) = (
            composed.cause.message_id().contact(),
            campaign.variants.len() + 1 + usize::from(campaign.holds()),
        );
        let variant = campaign.variant_of(contact);
        let others = self.samples.iter();
        let others = others.filter(|other| campaign.variant_of(**other) == variant);
        let has_room = self.samples.len() < PreflightCampaign::SAMPLES;
        if has_room && others.count() < PreflightCampaign::SAMPLES / parts {
            self.samples.push(contact);
        }
    }

    /// The connection of a WhatsApp number whose throughput is not [known](Self::know_throughput) yet, and which would send this message.
    pub fn unknown_number(&self, composed: &Composed) -> Option<ConnectionId> {
        let number = sending_number(composed)?;
        (!self.numbers.contains_key(&number)).then_some(number)
    }

    /// Notes how many bulk messages the number of a connection sends per second.
    pub fn know_throughput(&mut self, connection: &Connection, now: Timestamp) {
        if let Some(throughput) = connection.throughput(Channel::WhatsApp, now) {
            let number = Sending::at(throughput.room(Lane::Bulk).max(1));
            self.numbers.entry(connection.id).or_insert(number);
        }
    }

    /// Adds a message to those that its number and the workers send one after the other.
    pub fn keep_busy(&mut self, composed: &Composed, workers: BulkWorkers) {
        let all = || Sending::at(workers.per_second());
        self.workers.get_or_insert_with(all).add(composed.not_before);
        if let Some(number) = sending_number(composed).and_then(|number| self.numbers.get_mut(&number)) {
            number.add(composed.not_before);
        }
    }

    /// Counts the rules of the recipient's country that an SMS of this message would be against, also as a further channel.
    fn note_country_rules(&mut self, composed: &Composed, config: &TenantConfig) {
        let category = composed.policy.category();
        let legs = composed.legs.iter().chain(&composed.refused_sms);
        let by_sms = legs.filter_map(|leg| {
            let connection = config.connection(leg.connection)?;
            connection.sms_of(leg, &composed.to, category)
        });
        for rule in by_sms.flat_map(|sms| sms.broken_rules().collect::<Vec<_>>()) {
            let of = (rule.country, rule.kind());
            let by_row = known_rule(of.0, of.1).map(|row| row.applies());
            if by_row != Some(rule.applies()) && !self.unclear_rules.contains(&of) {
                self.unclear_rules.push(of);
            }
            match self
                .country_rules
                .iter_mut()
                .find(|(country, kind, _)| (*country, *kind) == of)
            {
                Some((.., contacts)) => *contacts += 1,
                None => self.country_rules.push((of.0, of.1, 1)),
            }
        }
    }

    /// The connections that would send by WhatsApp.
    pub fn senders(&self) -> impl Iterator<Item = ConnectionId> {
        self.senders.keys().copied()
    }

    /// The result of a campaign that begins at this time, with the caps of the tenant, what is counted of them now, and the connections that
    /// would send by WhatsApp.
    pub fn result(
        self,
        begins_at: Timestamp,
        now: Timestamp,
        caps: &[Cap],
        counts: &Counts,
        book: &PriceBook,
        connections: &[Connection],
    ) -> PreflightResult {
        let needed = |cap: &Cap| {
            let unit = cap.currency.as_ref().map_or(1, Currency::smallest_in_millionths);
            let (counted, needed) = (counts.of(cap, hour_of(now)), *self.needed.get(&cap.number)?);
            let fits = cap.maximum > 0 && counted.saturating_add(needed) <= cap.maximum_in_units();
            (!fits).then(|| CapExceeded {
                cap: cap.name(),
                maximum: cap.maximum,
                counted: counted.div_ceil(unit),
                needed: (needed < u64::MAX).then(|| needed.div_ceil(unit)),
            })
        };
        let customers = |connection: &Connection| self.senders.get(&connection.id).copied().unwrap_or_default();
        let shares = connections.iter().filter_map(|connection| {
            Some(DailyShare {
                connection_id: connection.id,
                customers: customers(connection),
                customers_per_day: connection.customers_per_day()?,
            })
        });
        // A number sends no faster than the provider allows, and to no more customers.
        let sent_at = connections.iter().filter_map(|connection| {
            let number = self.numbers.get(&connection.id)?;
            // As if nobody had written lately: the latest it can be.
            let days = connection.customers_per_day().map_or(0, |allowed| {
                customers(connection).saturating_sub(1) / u64::from(most_for_campaigns(allowed))
            });
            let days = SignedDuration::from_hours(25).saturating_mul(i32::try_from(days).ok()?);
            number.last_at()?.checked_add(days).ok()
        });
        let by_workers = self.workers.as_ref().and_then(Sending::last_at);
        let carriers = self.listed.keys().filter_map(|name| match Counter::read(name) {
            Counter::Listed(what) => Some(what.carrier),
            _ => None,
        });
        let paid: Vec<Service> = carriers.flat_map(services_of).copied().collect();
        let outdated = book.outdated_lists(day_of(now));
        let outdated = outdated.filter(|list| paid.contains(&list.service));
        PreflightResult {
            caps: caps.iter().filter_map(needed).collect(),
            daily_shares: shares.collect(),
            costs: cost_lines(&self.listed, book, day_of(begins_at)),
            outdated_prices: outdated.collect(),
            last_at: self
                .last_at
                .and_then(|last| sent_at.chain(by_workers).chain([last]).max()),
            chosen: self.chosen,
            messages: self.messages,
            held_back: self.held_back,
            channel_problems: self.channel_problems,
            channels: self.channels,
            deferred: self.deferred,
            country_rules: country_rules(self.country_rules, &self.unclear_rules),
            stopped: None,
            samples: self.samples,
        }
    }
}

/// The counts of rules, most contacts first.
fn country_rules(counted: Vec<(Country, RuleKind, u64)>, unclear: &[(Country, RuleKind)]) -> Vec<CountryRuleCount> {
    let told = counted.into_iter().filter_map(|(country, rule, contacts)| {
        let refused = known_rule(country, rule)?.applies() == Applies::Refuse && !unclear.contains(&(country, rule));
        Some(CountryRuleCount {
            country,
            rule,
            refused,
            contacts,
            detail: String::new(),
        })
    });
    let mut told: Vec<_> = told.collect();
    told.sort_by_key(|line| Reverse(line.contacts));
    told
}

impl PreflightResult {
    /// Adds the sentences of rules, which are not stored: beside the costs of many countries, there would be no room.
    #[must_use]
    pub fn with_sentences(mut self) -> Self {
        for line in &mut self.country_rules {
            let rule = known_rule(line.country, line.rule);
            line.detail = rule.map(|rule| rule.refusal().sentence).unwrap_or_default();
        }
        self
    }
}

/// The problems of the channels that are left out, if no channel is left.
pub fn channel_problems(why: &Refusal) -> impl Iterator<Item = (Channel, String)> {
    let problem = |channel: Channel| match why.facts.get(&format!("{}_problem", channel.as_str()))? {
        Fact::Text(problem) => Some((channel, problem.clone())),
        _ => None,
    };
    [Channel::WhatsApp, Channel::Sms].into_iter().filter_map(problem)
}

/// Expected costs of each country, channel and category, by the prices of a day: those with most messages first, and
/// the others of a channel and category together.
fn cost_lines(listed: &BTreeMap<String, u64>, book: &PriceBook, day: Date) -> Vec<PreflightCost> {
    let mut lines: Vec<CostLine> = Vec::new();
    for (name, units) in listed {
        let Counter::Listed(what) = Counter::read(name) else {
            continue;
        };
        let mut costs = Costs::default();
        costs.add(&[(name.clone(), *units)].into(), book, day);
        let spent: Vec<_> = costs.spent_amounts().iter().collect();
        let of = (what.carrier.channel(), what.category);
        match &spent[..] {
            [] => lines.push((what.country, of, *units, None)),
            priced => lines.extend(priced.iter().map(|((currency, _), spent)| {
                let price = Some((currency.clone(), spent.estimated));
                (what.country, of, *units, price)
            })),
        }
    }
    lines.sort_by_key(|(.., units, _)| Reverse(*units));
    let rest = lines.split_off(lines.len().min(PreflightCost::MOST));
    let mut others = BTreeMap::new();
    for (_, of, units, price) in rest {
        let (currency, amount) = price.unzip();
        let (all, sum): &mut (u64, u64) = others.entry((of, currency)).or_default();
        (*all, *sum) = (
            all.saturating_add(units),
            sum.saturating_add(amount.unwrap_or_default()),
        );
    }
    let others = others.into_iter().map(|((of, currency), (units, amount))| {
        let price = currency.map(|currency| (currency, amount));
        (None, of, units, price)
    });
    lines.extend(others);
    let line = |(country, (channel, category), units, price): CostLine| {
        let (currency, amount) = price.unzip();
        PreflightCost {
            country,
            channel,
            category,
            units,
            currency,
            amount: amount.map(decimal_amount),
        }
    };
    lines.into_iter().map(line).collect()
}

/// Country, channel and category, units, and the price in millionths of the currency's unit.
type CostLine = (Option<Country>, (Channel, PriceCategory), u64, Option<(Currency, u64)>);

/// Effects of a campaign on everybody it chooses.
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
    /// Contacts who would get the message.
    #[cfg_attr(feature = "schema", schemars(example = 1100))]
    pub messages: u64,
    /// Contacts who would get none, by the reason: one of `x-codes` at the root of the document.
    #[cfg_attr(feature = "schema", schemars(example = held_back()))]
    pub held_back: BTreeMap<String, u64>,
    /// Problems that leave out each channel, of contacts who have no other channel: one of `x-codes`, with the number
    /// of contacts.
    #[cfg_attr(feature = "schema", schemars(example = serde_json::json!({"sms": {"landline": 5}})))]
    pub channel_problems: BTreeMap<Channel, BTreeMap<String, u64>>,
    /// Messages by the channel that is tried first.
    #[cfg_attr(feature = "schema", schemars(example = serde_json::json!({"sms": 1100})))]
    pub channels: BTreeMap<Channel, u64>,
    /// Messages that would wait for the end of quiet hours, or for the send window.
    #[cfg_attr(feature = "schema", schemars(example = 12))]
    pub deferred: u64,
    /// Rules of recipients' countries for SMS that messages are against, with the number of contacts, most first.
    /// Refused messages are counted among `messages`, since a rule is checked when the SMS is sent.
    #[serde(default)]
    pub country_rules: Vec<CountryRuleCount>,
    /// Earliest time of the last message: at the campaign's pace, the throughput of the number and that of the deployment, outside quiet
    /// hours and within the send window. `null`: there is none.
    #[cfg_attr(feature = "schema", schemars(example = "2026-11-20T10:15:00Z"))]
    pub last_at: Option<Timestamp>,
    /// Expected costs of the messages by the price lists, if the first channel delivers them: the 50 countries,
    /// channels and categories with most messages, then the others together.
    #[cfg_attr(feature = "schema", schemars(length(max = PreflightCost::MOST_LINES)))]
    pub costs: Vec<PreflightCost>,
    /// Price lists of these channels that nobody has compared with their source for three months, so that `costs` may be wrong.
    #[serde(default)]
    pub outdated_prices: Vec<OutdatedPrices>,
    /// The caps that have no room for all messages, if they are sent within one period. The campaign is paused when it reaches one.
    pub caps: Vec<CapExceeded>,
    /// Share of a day's limit that the campaign would use, for each connection of WhatsApp with a known limit.
    pub daily_shares: Vec<DailyShare>,
    /// The reason that would pause the campaign when it begins. `null`: there is none.
    pub stopped: Option<Stopped>,
    /// Contacts who would get the message, at most 10, for samples.
    #[cfg_attr(feature = "schema", schemars(length(max = PreflightCampaign::SAMPLES)))]
    pub samples: Vec<ContactId>,
}

#[cfg(feature = "schema")]
fn held_back() -> BTreeMap<&'static str, u64> {
    [("no_consent", 90), ("frequency", 10)].into()
}

/// Contacts whose SMS would break a rule of their country, whichever channel is tried first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "PreflightCountryRule")
)]
pub struct CountryRuleCount {
    /// Country of the recipients.
    pub country: Country,
    /// The rule.
    pub rule: RuleKind,
    /// Whether the SMS is refused. Otherwise it is sent, and may not arrive, or not as it is.
    pub refused: bool,
    /// Number of contacts.
    #[cfg_attr(feature = "schema", schemars(example = 120))]
    pub contacts: u64,
    /// Problem and remedy. Empty if there is no such rule any more.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(
        feature = "schema",
        schemars(example = "links are not allowed in an SMS to AE: leave the link out, or send it by WhatsApp")
    )]
    pub detail: String,
}

/// Expected costs of the messages to a country.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PreflightCost {
    /// Country of the recipients. `null`: it is not known, or they are in several others.
    pub country: Option<Country>,
    /// Channel.
    pub channel: Channel,
    /// Price category.
    pub category: PriceCategory,
    /// Messages of WhatsApp, or segments of SMS. Lines that differ only in the currency are about the same messages.
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
    /// Amount counted in the present period, in the same unit.
    #[cfg_attr(feature = "schema", schemars(example = 12))]
    pub counted: u64,
    /// Amount that the campaign needs of it, in the same unit. `null`: messages of it have no price in this currency, and are blocked.
    #[cfg_attr(feature = "schema", schemars(example = 1100))]
    pub needed: Option<u64>,
}

/// Share of the customers whom a business may write to first in a day.
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

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use serde_json::{from_value, json};

    use super::*;
    use crate::samples::{AgainstRule, NOON, at};

    /// The hours of promotion are told as a later time.
    #[test]
    fn each_kind_of_rule_is_told_until_it_is_confirmed() {
        let (now, book) = (at(NOON), PriceBook::shipped_prices());
        let campaign = Campaign::new(
            ulid::Ulid::nil(),
            from_value(json!({"type": "broadcast", "name": "Offer"})).unwrap(),
            now,
        );
        let (mut tally, mut expected) = (PreflightTally::default(), Vec::new());
        for (against, confirmed) in AgainstRule::all() {
            let mut case = against.case(confirmed);
            for channels in [vec![Channel::Sms], vec![Channel::WhatsApp, Channel::Sms]] {
                case.config.rules[0].then.channels = channels.into();
                tally.add(&case.plan(), now, &campaign, &case.config, book, day_of(now));
            }
            if !confirmed && against.applies != Applies::Wait {
                let refused = against.applies == Applies::Refuse;
                expected.push((against.country, against.rule, refused, 2, against.sentence));
            }
        }
        let result = tally.result(now, now, &[], &Counts::default(), book, &[]);
        let told = result.with_sentences().country_rules.into_iter();
        let told = told.map(|line| (line.country, line.rule, line.refused, line.contacts, line.detail));
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn costs_of_many_countries_are_added_up() {
        let book: PriceBook = from_value(json!({"version": "1", "lists": [{
            "service": "whatsapp", "from": "2026-10-01", "certainty": "vendor", "source": "offer",
            "markets": [{"name": "All", "countries": [], "currency": "USD", "prices": {"every": "0.01"}}],
        }]}))
        .unwrap();
        let codes = ('A'..='Z').flat_map(|first| ('A'..='Z').map(move |second| format!("{first}{second}")));
        let codes = codes.filter(|code| code.parse::<Country>().is_ok()).take(60);
        let listed: BTreeMap<String, u64> = codes.map(|code| (format!("cost.meta.{code}.marketing"), 2)).collect();
        assert_eq!(listed.len(), 60);
        let costs = cost_lines(&listed, &book, date(2026, 11, 20));
        assert_eq!(costs.len(), 51);
        let others = costs.last().unwrap();
        assert_eq!(
            (others.country, others.units, others.amount.as_deref()),
            (None, 20, Some("0.2000"))
        );
    }
}
