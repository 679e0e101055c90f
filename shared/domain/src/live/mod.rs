//! Live updates: `event`s about what changes, kept for the `followers`, who read them from a `cursor` on. `socket`s are told at once what
//! changes in their `view`s, and devices by `push`.

mod cursor;
mod event;
mod followers;
mod pace;
mod push;
mod socket;
mod view;

pub use cursor::{Cursor, EVENTS_KEPT_FOR, NotACursor, OVERLAP, Place, READABLE_FOR, Start};
pub use event::{Attended, Event, EventData, EventType, Meaning, Told};
pub use followers::{FOLLOWED_FOR, Followers};
pub use pace::{HEAVY, MAX_ACTIONS, Pace};
pub use push::{
    About, MAX_AGE, MAX_ENDPOINT, MAX_SUBSCRIPTIONS, Notification, PushServices, PushSubscription, Reachable,
    SUBSCRIPTIONS_KEPT_FOR, TOO_LATE, WAITS, host_of_endpoint, normalize_endpoint, origin_of_endpoint,
};
pub use socket::{
    Action, Frame, MAX_OF_CALLER, MAX_SAID, MAX_VIEWS, Presence, PublishedEvent, Rights, Socket, SocketId, SocketOwner,
    TICKET_FOR, Ticket, UNREACHABLE_FOR, divide_into_frames,
};
pub use view::{NotAView, View};
