//! What a tenant may spend, and what messages cost.

mod caps;
mod prices;

pub use caps::Countable;
pub(crate) use caps::cap_counts;
pub use prices::PriceCache;
