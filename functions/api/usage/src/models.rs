use std::collections::BTreeSet;

use api::{CostOut, ExpectedCost, ReportHeadOut, ReportPartOut};
use domain::money::{Certainty, Currency, PriceBook, PriceCategory, PriceList, Service};
use domain::reports::{Costs, STATES, purpose_words};
use domain::terms::{Channel, Country};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;
use store::reports::Counters;

/// Usage in a period.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct UsageReportOut {
    /// Time zone, period and division.
    #[serde(flatten)]
    pub(crate) head: ReportHeadOut,
    /// Usage in the whole period.
    pub(crate) total: UsedOut,
    /// Messages that `total` counts as unknown.
    pub(crate) unpriced: Vec<UnpricedOut>,
    /// The price lists of the estimates.
    pub(crate) prices: PricesOut,
    /// Price of a segment of an SMS to a number of the tenant's country, by the list of today. `null`: the country is not set, or no list has
    /// its price.
    pub(crate) sms_price: Option<ExpectedCost>,
    /// Usage by day, hour or line. Includes all days and hours of the period, and all lines with a count. An SMS is unknown on its own day
    /// if its number of segments is reported on a later day.
    pub(crate) items: Vec<UsagePartOut>,
}

/// Usage on a day, in an hour or of a line.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct UsagePartOut {
    /// Day, hour or line.
    #[serde(flatten)]
    pub(crate) part: ReportPartOut,
    /// Usage.
    pub(crate) usage: UsedOut,
}

/// Messages and what they cost.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct UsedOut {
    /// Messages of the business by purpose, as far as there are any.
    pub(crate) messages: Vec<PurposeUsageOut>,
    /// Cost of the messages.
    pub(crate) cost: CostOut,
}

/// Messages of a purpose, by the states that they have reached on any channel.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(crate) struct PurposeUsageOut {
    /// Purpose: `follow_up`, `reply`, `auto_reply`, `stop_confirmation` (confirmation of a stop word), `campaign`, `order`, `payment`,
    /// `one_time_code`, `feedback` or `api`.
    #[schemars(example = &"follow_up")]
    purpose: String,
    /// Planned.
    #[schemars(example = 21)]
    planned: u64,
    /// Accepted by a provider.
    #[schemars(example = 21)]
    accepted: u64,
    /// Delivered.
    #[schemars(example = 20)]
    delivered: u64,
    /// Read, if the customer shows that.
    #[schemars(example = 14)]
    read: u64,
    /// Failed on all channels.
    #[schemars(example = 0)]
    failed: u64,
    /// Blocked by a check before sending.
    #[schemars(example = 0)]
    blocked: u64,
    /// Cancelled before anything was sent.
    #[schemars(example = 1)]
    cancelled: u64,
}

/// The messages of each purpose, in a fixed order, without purposes that have none.
pub(crate) fn messages(counters: &Counters) -> Vec<PurposeUsageOut> {
    let of = |purpose: &str| {
        let count = |state: &str| counters.get(&format!("{purpose}.{state}")).copied().unwrap_or_default();
        let [planned, accepted, delivered, read, failed, blocked, cancelled] = STATES.map(count);
        PurposeUsageOut {
            purpose: purpose.to_owned(),
            planned,
            accepted,
            delivered,
            read,
            failed,
            blocked,
            cancelled,
        }
    };
    let any = |purpose: &&str| {
        let mut states = STATES.iter();
        states.any(|state| counters.contains_key(&format!("{purpose}.{state}")))
    };
    purpose_words().filter(any).map(of).collect()
}

/// Something without a price.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct UnpricedOut {
    /// Channel.
    channel: Channel,
    /// Country of the recipients by ISO 3166. `null` if it is not known.
    country: Option<Country>,
    /// Price category. `sms` for SMS, which have none.
    category: PriceCategory,
    /// Number of messages, or of segments of SMS. An SMS with an unknown number of segments counts as one, without a country.
    #[schemars(example = 2)]
    units: u64,
}

impl UnpricedOut {
    /// All that has no price.
    pub(crate) fn all(costs: &Costs) -> Vec<Self> {
        let unpriced = costs.unpriced_units().into_iter().map(|(what, units)| Self {
            channel: what.channel,
            country: what.country,
            category: what.category,
            units,
        });
        unpriced.collect()
    }
}

/// Price lists that are used.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PricesOut {
    /// Version of the lists.
    #[schemars(example = &"2026-11-20")]
    version: String,
    /// Currencies of the prices of today. A cap of money can be set in them.
    #[schemars(example = ["USD"])]
    currencies: Vec<Currency>,
    /// The lists.
    lists: Vec<PriceListOut>,
}

/// A price list: of the lists of a service, the latest that has begun on a day holds on it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PriceListOut {
    /// Priced service.
    service: Service,
    /// First day of the prices, in UTC.
    #[schemars(example = "2026-10-01")]
    from: Date,
    /// Day of the last comparison of the prices with their source.
    #[schemars(example = "2026-11-20")]
    checked_on: Date,
    /// How sure the prices are.
    certainty: Certainty,
    /// Source of the prices, and what they leave out.
    #[schemars(example = &"Offer of 2 October 2026")]
    source: String,
}

impl PricesOut {
    pub(crate) fn of(book: &PriceBook, today: Date) -> Self {
        let markets = book.lists.iter().flat_map(|list| list.markets.iter());
        let currencies: BTreeSet<&Currency> = markets.map(|market| &market.currency).collect();
        let has_price = |currency: &&Currency| book.dearest(None, currency, today).is_some();
        let lists = book.lists.iter().map(|list: &PriceList| PriceListOut {
            service: list.service,
            from: list.from.get(),
            checked_on: list.checked_on().get(),
            certainty: list.certainty,
            source: list.source.as_str().to_owned(),
        });
        Self {
            version: book.version.as_str().to_owned(),
            currencies: currencies.into_iter().filter(has_price).cloned().collect(),
            lists: lists.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::to_value;

    use super::*;

    #[test]
    fn messages_are_shown_by_purpose_and_state() {
        let counters: Counters = [
            ("api.planned", 3),
            ("api.accepted", 2),
            ("api.failed", 1),
            ("auto_reply.read", 4),
            ("follow_up.cancelled", 5),
            ("calls", 6),
        ]
        .map(|(name, count)| (name.to_owned(), count))
        .into();
        let shown = to_value(messages(&counters)).unwrap();
        let of = |place: usize, field: &str| shown[place][field].clone();
        assert_eq!(
            [of(0, "purpose"), of(1, "purpose"), of(2, "purpose")],
            ["follow_up", "auto_reply", "api"]
        );
        assert_eq!(
            [of(2, "planned"), of(2, "accepted"), of(2, "failed"), of(2, "read")],
            [3, 2, 1, 0]
        );
        assert_eq!((of(0, "cancelled"), of(1, "read")), (5.into(), 4.into()));
        assert_eq!(shown.as_array().map(Vec::len), Some(3));
    }

    /// A state that is counted and not shown would be lost.
    #[test]
    fn every_counted_state_is_shown() {
        let shown = to_value(PurposeUsageOut::default()).unwrap();
        for state in STATES {
            assert_eq!(shown[state], 0, "{state}");
        }
    }
}
