//! Money: what messages cost, what a tenant may spend, and the products that it sells.

pub mod cap;
pub mod capped;
pub mod costs;
pub mod prices;
pub mod product;
