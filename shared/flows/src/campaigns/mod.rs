//! Campaigns: a `broadcast` is the message to each of many people, `first_places` are its places in WhatsApp's limit of customers, and `state`
//! is what a run changes in its campaign.

mod broadcast;
mod first_places;
mod state;

pub use broadcast::{Broadcast, Composition, Maker, Room, Unmade, same_person};
pub use first_places::FirstPlaces;
pub use state::{move_campaign, notice_pause, record_limit};
