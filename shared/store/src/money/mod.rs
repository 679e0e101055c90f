//! What a tenant may spend, and what messages cost.

mod caps;
mod prices;

pub use caps::Countable;
#[cfg(test)]
pub(crate) use caps::cap_counts;
pub use prices::PriceCache;
