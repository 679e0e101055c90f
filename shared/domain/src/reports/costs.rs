//! Costs of messages: reported by providers, and for the rest estimated by price lists. Amounts in different currencies are never added,
//! and the cost of a message without a price is unknown.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::money::{Currency, Money, PriceBook, PriceCategory, Rate, Service};
use crate::reports::{Carrier, Counter, Listed};
use crate::terms::{Channel, Country};

/// An amount in one currency, in millionths of its unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Reported by providers.
    pub reported: u64,
    /// Estimated by price lists.
    pub estimated: u64,
}

/// Kind of message without a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unpriced {
    pub channel: Channel,
    /// Country of the recipients, if it is known.
    pub country: Option<Country>,
    pub category: PriceCategory,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Costs {
    spent: BTreeMap<(Currency, Channel), Spent>,
    free: u64,
    unpriced: BTreeMap<Unpriced, u64>,
    /// SMS that the provider accepted, and those with a known number of segments.
    sms: (u64, u64),
}

/// All services that are paid for a message that was carried in this way.
pub(crate) const fn services_of(carrier: Carrier) -> &'static [Service] {
    match carrier {
        Carrier::Meta => &[Service::Whatsapp],
        Carrier::Twilio => &[Service::Whatsapp, Service::TwilioWhatsapp],
        Carrier::Sms => &[Service::TwilioSms],
    }
}

/// The prices of a message or segment by the lists of a day, if all are known.
fn prices(listed: Listed, book: &PriceBook, day: Date) -> Option<Vec<(&Currency, Rate)>> {
    let services = services_of(listed.carrier).iter();
    services
        .map(|service| book.price(*service, listed.country, listed.category, day))
        .collect()
}

/// Cost of a message by the lists of a day, if all its prices are known and in one currency.
pub fn foreseen_cost(listed: Listed, units: u32, book: &PriceBook, day: Date) -> Option<Money> {
    let prices = prices(listed, book, day)?;
    let (currency, _) = *prices.first()?;
    let rates = prices
        .iter()
        .map(|(priced, rate)| (*priced == currency).then(|| rate.millionths()));
    let sum: Option<u64> = rates.sum();
    Some(Money {
        millionths: sum?.saturating_mul(units.into()),
        currency: currency.clone(),
    })
}

/// Expected cost of a message by the lists of a day, in millionths of a currency's unit. A price that is unknown, or in another currency,
/// counts as the [dearest](PriceBook::dearest). `None` if there is no price in this currency.
pub fn expected_cost(listed: Listed, units: u32, book: &PriceBook, currency: &Currency, day: Date) -> Option<u64> {
    let of_service = |service: &Service| {
        let price = book.price(*service, listed.country, listed.category, day);
        let price = price.filter(|(priced, _)| *priced == currency);
        price.map_or_else(
            || book.dearest(listed.country, currency, day),
            |(_, rate)| Some(rate.millionths()),
        )
    };
    let sum: Option<u64> = services_of(listed.carrier).iter().map(of_service).sum();
    Some(sum?.saturating_mul(units.into()))
}

impl Costs {
    /// Adds what was counted on a day, in UTC, with the prices of that day.
    pub fn add(&mut self, counters: &BTreeMap<String, u64>, book: &PriceBook, day: Date) {
        for (name, count) in counters {
            match Counter::read(name) {
                Counter::Paid(carrier, currency) => {
                    let spent = self.spent.entry((currency, carrier.channel())).or_default();
                    spent.reported = spent.reported.saturating_add(*count);
                }
                Counter::Listed(listed) => self.estimate(listed, *count, book, day),
                Counter::Free => self.free += count,
                Counter::Word("accepted_sms") => self.sms.0 += count,
                Counter::Word("billed_sms") => self.sms.1 += count,
                _ => {}
            }
        }
    }

    /// Adds messages or segments by their listed prices, if all of these are known.
    fn estimate(&mut self, listed: Listed, units: u64, book: &PriceBook, day: Date) {
        let Listed {
            carrier,
            country,
            category,
        } = listed;
        let Some(prices) = prices(listed, book, day) else {
            let unpriced = Unpriced {
                channel: carrier.channel(),
                country,
                category,
            };
            *self.unpriced.entry(unpriced).or_default() += units;
            return;
        };
        for (currency, rate) in prices {
            let spent = self.spent.entry((currency.clone(), carrier.channel())).or_default();
            let amount = rate.millionths().saturating_mul(units);
            spent.estimated = spent.estimated.saturating_add(amount);
        }
    }

    /// The amounts by currency and channel.
    pub const fn spent_amounts(&self) -> &BTreeMap<(Currency, Channel), Spent> {
        &self.spent
    }

    /// Messages that providers do not bill.
    pub const fn free(&self) -> u64 {
        self.free
    }

    /// Numbers of messages and SMS segments without a price. An SMS with an unknown number of segments counts as one.
    pub fn unpriced_units(&self) -> BTreeMap<Unpriced, u64> {
        let mut unpriced = self.unpriced.clone();
        let (accepted, billed) = self.sms;
        if let Some(unbilled) = accepted.checked_sub(billed).filter(|unbilled| *unbilled > 0) {
            let sms = Unpriced {
                channel: Channel::Sms,
                country: None,
                category: PriceCategory::Sms,
            };
            *unpriced.entry(sms).or_default() += unbilled;
        }
        unpriced
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use serde_json::{from_value, json};

    use super::*;

    fn book() -> PriceBook {
        let list = |service: &str, markets: serde_json::Value| json!({"service": service, "from": "2026-10-01", "certainty": "vendor", "source": "offer", "markets": markets});
        let market = |countries: &[&str], currency: &str, price: &str| json!({"name": "A market", "countries": countries, "currency": currency, "prices": {"every": price}});
        let lists = [
            list(
                "whatsapp",
                json!([market(&["AE"], "USD", "0.0157"), market(&["DE"], "EUR", "0.05")]),
            ),
            list("twilio_whatsapp", json!([market(&[], "USD", "0.005")])),
            list("twilio_sms", json!([market(&["AE"], "USD", "0.1")])),
        ];
        from_value(json!({"version": "1", "lists": lists})).unwrap()
    }

    fn costs(counters: &[(&str, u64)]) -> Costs {
        let counters = counters.iter().map(|(name, count)| ((*name).to_owned(), *count));
        let counters: BTreeMap<String, u64> = counters.collect();
        let mut costs = Costs::default();
        costs.add(&counters, &book(), date(2026, 11, 20));
        costs
    }

    fn list_costs(costs: &Costs) -> Vec<String> {
        let spent = costs.spent_amounts().iter();
        let spent = spent.map(|((currency, channel), Spent { reported, estimated })| {
            format!("{} {} {reported} {estimated}", currency.as_str(), channel.as_str())
        });
        let unpriced = costs.unpriced_units().into_iter().map(|(what, units)| {
            let country = what
                .country
                .map_or_else(|| "-".to_owned(), |country| country.to_string());
            format!(
                "{} {country} {} unknown {units}",
                what.channel.as_str(),
                what.category.as_str()
            )
        });
        spent.chain(unpriced).collect()
    }

    #[test]
    fn prices_of_a_message_add_up_only_within_a_currency() {
        let costs = costs(&[
            ("cost.meta.AE.utility", 3),
            ("cost.twilio.AE.utility", 1),
            ("cost.twilio.DE.marketing", 2),
            ("cost.sms.AE.sms", 4),
            ("paid.meta.EUR", 48_000),
            ("free.meta", 7),
            ("calls", 9),
        ]);
        assert_eq!(
            list_costs(&costs),
            ["EUR whatsapp 48000 100000", "USD whatsapp 0 77800", "USD sms 0 400000"]
        );
        assert_eq!(costs.free(), 7);
    }

    #[test]
    fn unknown_price_is_expected_to_be_the_dearest() {
        let cost = |carrier, country: &str, units, currency: &str| {
            let listed = Listed {
                carrier,
                country: country.parse().ok(),
                category: PriceCategory::Utility,
            };
            let currency = currency.parse().unwrap();
            expected_cost(listed, units, &book(), &currency, date(2026, 11, 20))
        };
        for (carrier, country, units, price) in [
            (Carrier::Meta, "AE", 1, 15_700),
            (Carrier::Twilio, "AE", 1, 20_700),
            (Carrier::Sms, "AE", 3, 300_000),
            // In another currency, not listed, of no country: the dearest of all. Twilio's fee, which comes on top of a price, is none.
            (Carrier::Meta, "DE", 1, 100_000),
            (Carrier::Sms, "FR", 2, 200_000),
            (Carrier::Sms, "", 1, 100_000),
        ] {
            assert_eq!(
                cost(carrier, country, units, "USD"),
                Some(price),
                "{carrier:?} {country}"
            );
        }
        assert_eq!(cost(Carrier::Meta, "AE", 1, "EUR"), Some(50_000));
        assert_eq!(cost(Carrier::Meta, "AE", 1, "GBP"), None);
    }

    #[test]
    fn foreseen_cost_is_of_one_currency_or_unknown() {
        let cost = |carrier, country: &str, units| {
            let listed = Listed {
                carrier,
                country: country.parse().ok(),
                category: PriceCategory::Utility,
            };
            let cost = foreseen_cost(listed, units, &book(), date(2026, 11, 20));
            cost.map(|cost| (cost.millionths, cost.currency.as_str().to_owned()))
        };
        let usd = |millionths| Some((millionths, "USD".to_owned()));
        assert_eq!(cost(Carrier::Twilio, "AE", 1), usd(20_700));
        assert_eq!(cost(Carrier::Sms, "AE", 3), usd(300_000));
        // Meta's price is in euros and Twilio's fee in dollars; of the others, none is listed.
        for (carrier, country) in [(Carrier::Twilio, "DE"), (Carrier::Sms, "FR"), (Carrier::Meta, "")] {
            assert_eq!(cost(carrier, country, 1), None, "{carrier:?} {country}");
        }
    }

    #[test]
    fn what_has_no_price_is_unknown_and_costs_nothing() {
        let costs = costs(&[
            ("cost.meta.FR.utility", 3),
            ("cost.meta.ZZ.utility", 1),
            // Of Meta's price and Twilio's fee, only one is known.
            ("cost.twilio.FR.utility", 2),
            ("cost.sms.DE.sms", 5),
            ("accepted_sms", 6),
            ("billed_sms", 4),
        ]);
        assert_eq!(
            list_costs(&costs),
            [
                "whatsapp - utility unknown 1",
                "whatsapp FR utility unknown 5",
                "sms - sms unknown 2",
                "sms DE sms unknown 5",
            ]
        );
    }

    #[test]
    fn segments_reported_a_day_later_leave_nothing_unknown() {
        assert!(list_costs(&costs(&[("accepted_sms", 1), ("billed_sms", 2)])).is_empty());
    }
}
