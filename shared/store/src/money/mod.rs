//! What a tenant may spend, and what messages cost.

pub mod caps;
pub mod prices;
