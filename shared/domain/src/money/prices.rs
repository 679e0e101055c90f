//! Providers' prices of messages, as far as providers do not report them: lists by service and day, each with a market per row.
//!
//! [`PriceBook::shipped_prices`] is part of the code (`prices.json`, with its version, sources and how sure they are); an operator can
//! replace it. A price that no list has is unknown, never free.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::money::Currency;
use crate::terms::{Country, Day, Fault, FaultCode, FieldProblem, OneLine, UpTo};

/// The prices that come with the code.
const SHIPPED: &str = include_str!("prices.json");

/// Months until a list may be outdated: the rate cards of providers are quarterly.
pub const MONTHS_UNTIL_OUTDATED: i8 = 3;

/// Millionths of a currency's unit: prices of messages are counted in these.
pub const MILLIONTHS: u64 = 1_000_000;

/// Service that a provider is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PriceService"))]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// Meta's price of a delivered WhatsApp message, whoever sends it.
    Whatsapp,
    /// Twilio's fee for a WhatsApp message, in addition to Meta's price.
    TwilioWhatsapp,
    /// A segment of an SMS that Twilio sends.
    TwilioSms,
}

words! {
    /// The name in price lists.
    Service {
        Whatsapp = "whatsapp",
        TwilioWhatsapp = "twilio_whatsapp",
        TwilioSms = "twilio_sms",
    }
}

/// Price category of a message, in Meta's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PriceCategory {
    /// Offers.
    Marketing,
    /// Offers that Meta optimizes.
    MarketingLite,
    /// Answers to something that the person did.
    Utility,
    /// One-time codes.
    Authentication,
    /// One-time codes of businesses that are based elsewhere.
    AuthenticationInternational,
    /// Free text in the open service window.
    Service,
    /// SMS, which have no categories.
    Sms,
    /// Any other category, and messages that may or may not be billed. No list prices them.
    Other,
}

words! {
    /// The name in counters, which is Meta's word.
    PriceCategory {
        Marketing = "marketing",
        MarketingLite = "marketing_lite",
        Utility = "utility",
        Authentication = "authentication",
        AuthenticationInternational = "authentication_international",
        Service = "service",
        Sms = "sms",
        Other = "other",
    }
}

impl PriceCategory {
    /// The category that a provider names.
    pub fn of(word: &str) -> Self {
        let found = Self::ALL.into_iter().find(|category| category.as_str() == word);
        found.unwrap_or(Self::Other)
    }
}

/// Certainty of the prices of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "PriceCertainty")
)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// The provider's own page, file or offer says so.
    Vendor,
    /// Only others say so.
    ThirdParty,
    /// Nobody has verified it.
    Unverified,
}

/// A price for one message or segment, in millionths of a currency's unit. Written as a decimal number in a text, such as `0.0157`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(u64);

shown_as!(Rate, {
    "type": "string",
    "pattern": "^[0-9]{1,4}(\\.[0-9]{1,6})?$",
    "maxLength": 11,
    "examples": ["0.0157"],
});

/// A text that is no price of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a price as a decimal number with at most 4 digits before the point and 6 behind it, such as 0.0157")]
pub struct NotARate;

impl Rate {
    /// The price in millionths.
    pub const fn millionths(self) -> u64 {
        self.0
    }
}

impl FromStr for Rate {
    type Err = NotARate;

    fn from_str(text: &str) -> Result<Self, NotARate> {
        let (whole, rest) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str, most: usize| {
            (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !digits(whole, 4) || !digits(rest, 6) {
            return Err(NotARate);
        }
        let number = |text: &str| text.parse::<u64>().map_err(|_| NotARate);
        Ok(Self(number(whole)? * MILLIONTHS + number(&format!("{rest:0<6}"))?))
    }
}

/// An amount in millionths as a decimal number. Four decimal places are usual.
pub fn decimal_amount(millionths: u64) -> String {
    let (whole, rest) = (millionths / MILLIONTHS, format!("{:06}", millionths % MILLIONTHS));
    let rest = rest.strip_suffix("00").unwrap_or(&rest);
    format!("{whole}.{rest}")
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&decimal_amount(self.0))
    }
}

impl Serialize for Rate {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

parsed!(Rate, "price", "0.0157");

/// An amount of money in millionths of a currency's unit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Money {
    /// Millionths of the unit.
    pub millionths: u64,
    /// Currency, which is in use.
    pub currency: Currency,
}

impl Money {
    /// Reads an amount as a provider reports it. `None` if it is no price of a message, or its currency is not in use.
    pub fn from_report(amount: &str, currency: &str) -> Option<Self> {
        let rate: Rate = amount.trim().parse().ok()?;
        let currency: Currency = currency.trim().to_ascii_uppercase().parse().ok()?;
        currency.is_in_use().then_some(Self {
            millionths: rate.millionths(),
            currency,
        })
    }
}

/// Prices of a market by category.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CategoryPrices {
    /// Marketing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marketing: Option<Rate>,
    /// Marketing messages, a route of their own. `null`: as marketing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marketing_lite: Option<Rate>,
    /// Utility.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utility: Option<Rate>,
    /// One-time codes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentication: Option<Rate>,
    /// One-time codes of businesses that are based elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentication_international: Option<Rate>,
    /// Free text in the open service window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Rate>,
    /// Every named category without a price of its own, and SMS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Rate>,
}

impl CategoryPrices {
    /// The price of a category, if there is one. An unknown category has none.
    pub fn of(&self, category: PriceCategory) -> Option<Rate> {
        let own = match category {
            PriceCategory::Marketing => self.marketing,
            PriceCategory::MarketingLite => self.marketing_lite.or(self.marketing),
            PriceCategory::Utility => self.utility,
            PriceCategory::Authentication => self.authentication,
            PriceCategory::AuthenticationInternational => self.authentication_international,
            PriceCategory::Service => self.service,
            PriceCategory::Sms => None,
            PriceCategory::Other => return None,
        };
        own.or(self.every)
    }
}

/// A market: countries with the same prices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PriceMarket"))]
#[serde(deny_unknown_fields)]
pub struct Market {
    /// Name of the market.
    #[cfg_attr(feature = "schema", schemars(example = "United Arab Emirates"))]
    pub name: OneLine<1, 100>,
    /// Countries of the recipients. None: all that no other market of the list names.
    #[serde(default)]
    pub countries: UpTo<250, Country>,
    /// Currency of the prices, by ISO 4217.
    pub currency: Currency,
    /// Prices of a message or segment.
    pub prices: CategoryPrices,
}

/// Prices of a service from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PriceList {
    /// The service.
    pub service: Service,
    /// First day of the prices, in UTC.
    #[cfg_attr(feature = "schema", schemars(example = "2026-10-01"))]
    pub from: Day,
    /// Last day when somebody compared the prices with their source. If omitted, `from`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = "2026-11-20"))]
    pub checked_on: Option<Day>,
    /// Certainty of the prices.
    pub certainty: Certainty,
    /// Source of the prices, and what they leave out.
    #[cfg_attr(feature = "schema", schemars(example = "Offer of 2 October 2026"))]
    pub source: OneLine<1, 500>,
    /// The markets.
    pub markets: UpTo<300, Market>,
}

/// A price list that is used and may be outdated: nobody has compared it with its source for three months.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OutdatedPrices {
    /// Priced service.
    pub service: Service,
    /// Last day when somebody compared the prices with their source.
    #[cfg_attr(feature = "schema", schemars(example = "2026-11-20"))]
    pub checked_on: Day,
}

/// Whether what was last compared with its source on a day may be outdated.
pub fn is_price_outdated(checked_on: Date, today: Date) -> bool {
    checked_on.saturating_add(MONTHS_UNTIL_OUTDATED.months()) < today
}

impl PriceList {
    /// Last day when somebody compared it with its source.
    pub fn checked_on(&self) -> Day {
        self.checked_on.unwrap_or(self.from)
    }

    /// The market of a country.
    fn market(&self, country: Country) -> Option<&Market> {
        let own = self.markets.iter().find(|market| market.countries.contains(&country));
        own.or_else(|| self.markets.iter().find(|market| market.countries.is_empty()))
    }
}

/// All price lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PriceBook {
    /// Version, such as the day of the last change.
    #[cfg_attr(feature = "schema", schemars(example = "2026-11-20"))]
    pub version: OneLine<1, 60>,
    /// Lists of prices. The latest list of a service that has begun holds.
    pub lists: UpTo<40, PriceList>,
}

impl PriceBook {
    /// Maximum size as JSON, in bytes.
    pub const LARGEST: usize = 32 * 1024;

    /// The prices that come with the code.
    ///
    /// # Panics
    /// Never: a test reads them.
    pub fn shipped_prices() -> &'static Self {
        static BOOK: LazyLock<PriceBook> =
            LazyLock::new(|| serde_json::from_str(SHIPPED).expect("a test reads the prices of the code"));
        &BOOK
    }

    /// The lists that hold on a day: of each service, the latest that has begun.
    fn current(&self, day: Date) -> impl Iterator<Item = &PriceList> {
        let begun = move |list: &&PriceList| list.from.get() <= day;
        let is_latest = move |list: &&PriceList| {
            let mut others = self.lists.iter().filter(begun);
            others.all(|other| other.service != list.service || other.from <= list.from)
        };
        self.lists.iter().filter(begun).filter(is_latest)
    }

    /// The lists that hold today and may be outdated.
    pub fn outdated_lists(&self, today: Date) -> impl Iterator<Item = OutdatedPrices> {
        let lists = self.current(today).map(|list| OutdatedPrices {
            service: list.service,
            checked_on: list.checked_on(),
        });
        lists.filter(move |list| is_price_outdated(list.checked_on.get(), today))
    }

    /// The price of a service for a message of this category to this country on a day, if it is known.
    pub fn price(
        &self,
        service: Service,
        country: Option<Country>,
        category: PriceCategory,
        day: Date,
    ) -> Option<(&Currency, Rate)> {
        let list = self.current(day).find(|list| list.service == service)?;
        let market = list.market(country?)?;
        Some((&market.currency, market.prices.of(category)?))
    }

    /// The highest price of a message to this country on a day, in this currency, in millionths of its unit. If there is none for the
    /// country, the highest of all countries. Twilio's fee for a WhatsApp message does not count as a price.
    pub fn dearest(&self, country: Option<Country>, currency: &Currency, day: Date) -> Option<u64> {
        let of_messages = |list: &&PriceList| list.service != Service::TwilioWhatsapp;
        let lists = || self.current(day).filter(of_messages);
        let highest = |market: &Market| {
            let all = PriceCategory::ALL.into_iter();
            let rates = all.filter_map(|category| market.prices.of(category));
            let rates = rates.max().filter(|_| market.currency == *currency);
            rates.map(Rate::millionths)
        };
        let own = country.and_then(|country| {
            lists()
                .filter_map(|list| list.market(country))
                .filter_map(highest)
                .max()
        });
        own.or_else(|| lists().flat_map(|list| list.markets.iter()).filter_map(highest).max())
    }

    /// Its problems, beyond those that its types refuse.
    pub fn problems(&self) -> Vec<FieldProblem> {
        let mut problems = Vec::new();
        let size = serde_json::to_vec(self).map_or(usize::MAX, |json| json.len());
        if size > Self::LARGEST {
            let detail = format!("All lists have {size} bytes as JSON, of at most {}.", Self::LARGEST);
            let fault = Fault::new(FaultCode::TooLarge, detail);
            let fault = fault.and("bytes", size).and("maximum_bytes", Self::LARGEST);
            return vec![FieldProblem::new("lists", fault)];
        }
        let mut begins = BTreeSet::new();
        for (place, list) in self.lists.iter().enumerate() {
            let at = format!("lists[{place}]");
            if !begins.insert((list.service, list.from)) {
                let detail = "Another list of this service begins on the same day.";
                problems.push(FieldProblem::new(
                    format!("{at}.from"),
                    Fault::new(FaultCode::GivenTwice, detail),
                ));
            }
            let mut known = BTreeSet::new();
            for (place, market) in list.markets.iter().enumerate() {
                let at = format!("{at}.markets[{place}]");
                if !market.currency.is_in_use() {
                    let detail = "Expected the ISO 4217 code of a currency that is in use, such as USD.";
                    problems.push(FieldProblem::new(
                        format!("{at}.currency"),
                        Fault::format("currency", "USD", detail),
                    ));
                }
                let countries = market.countries.iter().map(|country| Some(*country));
                let others = market.countries.is_empty().then_some(None);
                let twice = countries
                    .chain(others)
                    .filter(|country| !known.insert(*country))
                    .count();
                if twice > 0 {
                    let detail = "A country belongs to one market of a list, and one market has all other countries.";
                    problems.push(FieldProblem::new(
                        format!("{at}.countries"),
                        Fault::new(FaultCode::GivenTwice, detail),
                    ));
                }
            }
        }
        // One sentence more says nothing more.
        problems.truncate(20);
        problems
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use serde_json::{Value, from_value, json};

    use super::*;

    fn price(service: Service, country: &str, category: PriceCategory, day: Date) -> Option<String> {
        let found = PriceBook::shipped_prices().price(service, country.parse().ok(), category, day);
        found.map(|(currency, rate)| format!("{rate} {}", currency.as_str()))
    }

    #[test]
    fn shipped_prices_are_read_and_without_problems() {
        let book = PriceBook::shipped_prices();
        assert!(book.problems().is_empty());
        assert_eq!(book.lists[0].markets.len(), 47);
        let again: PriceBook = from_value(serde_json::to_value(book).unwrap()).unwrap();
        assert_eq!(again, *book);
    }

    #[test]
    fn price_follows_service_country_category_and_day() {
        use PriceCategory::{AuthenticationInternational, Marketing, MarketingLite, Sms, Utility};
        let (first, before) = (date(2026, 10, 1), date(2026, 9, 30));
        for (service, country, category, day, expected) in [
            (Service::Whatsapp, "AE", Utility, first, Some("0.0157 USD")),
            (Service::Whatsapp, "AE", Marketing, date(2027, 5, 1), Some("0.0576 USD")),
            (Service::Whatsapp, "CA", Utility, first, Some("0.0034 USD")),
            // A country that no market names.
            (Service::Whatsapp, "EE", Utility, first, Some("0.0077 USD")),
            // Not offered.
            (Service::Whatsapp, "US", AuthenticationInternational, first, None),
            (Service::Whatsapp, "AE", MarketingLite, first, Some("0.0576 USD")),
            (Service::Whatsapp, "AE", Utility, before, None),
            // Of a recipient whose country is not known.
            (Service::Whatsapp, "", Utility, first, None),
            (Service::TwilioWhatsapp, "AE", MarketingLite, first, Some("0.0050 USD")),
            (Service::TwilioSms, "US", Sms, first, Some("0.0083 USD")),
            (Service::TwilioSms, "AE", Sms, first, None),
        ] {
            let found = price(service, country, category, day);
            assert_eq!(found.as_deref(), expected, "{service:?} {country} {category:?} {day}");
        }
    }

    /// The newest list counts: by the day when it was checked, or else by its first day.
    #[test]
    fn list_is_outdated_after_a_quarter() {
        let outdated = |book: &PriceBook, day: Date| {
            let lists = book.outdated_lists(day);
            lists
                .map(|list| (list.service, list.checked_on.to_string()))
                .collect::<Vec<_>>()
        };
        let shipped = PriceBook::shipped_prices();
        assert_eq!(outdated(shipped, date(2027, 2, 20)), []);
        let all = [Service::Whatsapp, Service::TwilioWhatsapp, Service::TwilioSms];
        let all = all.map(|service| (service, "2026-11-20".to_owned()));
        assert_eq!(outdated(shipped, date(2027, 2, 21)), all);
        let (mut book, mut newer) = (shipped.clone(), shipped.lists[0].clone());
        newer.from = "2027-01-01".parse().unwrap();
        newer.checked_on = None;
        book.lists = from_value(json!([shipped.lists[0], newer])).unwrap();
        assert_eq!(outdated(&book, date(2027, 2, 21)), []);
        let began = (Service::Whatsapp, "2027-01-01".to_owned());
        assert_eq!(outdated(&book, date(2027, 4, 2)), [began]);
    }

    /// It may be a kind of message that costs nothing, or more than all others.
    #[test]
    fn price_of_every_category_is_none_of_an_unknown_one() {
        let every = CategoryPrices {
            every: "0.0604".parse().ok(),
            ..CategoryPrices::default()
        };
        for category in PriceCategory::ALL {
            assert_eq!(
                every.of(category).is_some(),
                category != PriceCategory::Other,
                "{category:?}"
            );
        }
    }

    #[test]
    fn rates_are_decimal_numbers_without_rounding() {
        for (text, millionths, shown) in [
            ("0.0157", 15_700, "0.0157"),
            ("1", 1_000_000, "1.0000"),
            ("0.000001", 1, "0.000001"),
            ("9999.999999", 9_999_999_999, "9999.999999"),
            ("0.05", 50_000, "0.0500"),
        ] {
            let rate: Rate = text.parse().unwrap();
            assert_eq!((rate.millionths(), rate.to_string().as_str()), (millionths, shown));
        }
        for wrong in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", "12345", "0.0000001", "٠"] {
            assert_eq!(wrong.parse::<Rate>(), Err(NotARate), "{wrong}");
        }
    }

    #[test]
    fn reported_amount_needs_a_currency_that_is_in_use() {
        let of = |amount, currency| Money::from_report(amount, currency).map(|money| money.millionths);
        assert_eq!(of("0.048", "usd"), Some(48_000));
        for (amount, currency) in [("0.048", ""), ("0.048", "XQZ"), ("", "USD"), ("-0.048", "USD")] {
            assert_eq!(of(amount, currency), None, "{amount} {currency}");
        }
    }

    fn book(lists: &Value) -> Result<Vec<String>, String> {
        let book = from_value::<PriceBook>(json!({"version": "1", "lists": lists}));
        let book = book.map_err(|error| error.to_string())?;
        Ok(book.problems().into_iter().map(|problem| problem.field).collect())
    }

    fn list(markets: &Value) -> Value {
        json!({"service": "whatsapp", "from": "2026-10-01", "certainty": "vendor", "source": "offer", "markets": markets})
    }

    #[test]
    fn price_without_a_currency_is_refused() {
        let without = book(&json!([list(&json!([{"name": "All", "prices": {"every": "0.01"}}]))]));
        assert!(without.unwrap_err().starts_with("missing field `currency`"));
        let market = |currency: &str| json!({"name": "All", "currency": currency, "prices": {"every": "0.01"}});
        assert!(book(&json!([list(&json!([market("usd")]))])).is_err());
        let odd = book(&json!([list(&json!([market("XQZ")]))]));
        assert_eq!(odd.unwrap(), ["lists[0].markets[0].currency"]);
        assert!(book(&json!([list(&json!([market("EUR")]))])).unwrap().is_empty());
    }

    #[test]
    fn ambiguous_lists_are_refused() {
        let market = |countries: Value| json!({"name": "A", "countries": countries, "currency": "USD", "prices": {}});
        let twice = list(&json!([market(json!(["AE"])), market(json!(["SA", "AE"]))]));
        assert_eq!(book(&json!([twice])).unwrap(), ["lists[0].markets[1].countries"]);
        let others = list(&json!([market(json!([])), market(json!([]))]));
        assert_eq!(book(&json!([others])).unwrap(), ["lists[0].markets[1].countries"]);
        let same = list(&json!([]));
        assert_eq!(book(&json!([same, same])).unwrap(), ["lists[1].from"]);
        for wrong in [json!("0.01.1"), json!(0.01), json!("free"), json!("-0.01")] {
            let market = json!({"name": "A", "currency": "USD", "prices": {"every": wrong}});
            assert!(book(&json!([list(&json!([market]))])).is_err());
        }
    }
}
