//! Money: prices of messages, what a tenant may spend, and the products that it sells.

mod cap;
mod prices;
mod product;

pub use cap::{
    Cap, CapName, Counts, MAX_CAPS, NotACap, Period, Scope, Take, caps_of_plan, day_of, hour_of, loosened_cap, put_cap,
    usual_caps,
};
pub use prices::{
    CategoryPrices, Certainty, MILLIONTHS, MONTHS_UNTIL_OUTDATED, Market, Money, NotARate, OutdatedPrices, PriceBook,
    PriceCategory, PriceList, Rate, Service, decimal_amount, is_price_outdated,
};
pub(crate) use product::amount;
pub use product::{Availability, Currency, NotACurrency, NotASku, Price, Product, ProductIn, Sku, Variant};
