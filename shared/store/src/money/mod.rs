//! Limits of a tenant's spending, and prices of messages.

mod caps;
mod prices;

pub use caps::Countable;
#[cfg(test)]
pub(crate) use caps::cap_counts;
pub use prices::PriceCache;
