//! Limits of a tenant's spending: telling people of `caps`, and giving back.

mod caps;

pub use caps::{give_back_to_caps, tell_of_caps};
