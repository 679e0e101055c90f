//! Sockets: connections of clients, which are told what changes in the views that they watch. A one-time ticket opens one.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    accounts::permission::{Permission, Role},
    base::{
        actor::Actor,
        ids::{EventId, TenantId},
    },
    live::{
        cursor::{Cursor, Place},
        event::{Event, Told},
        view::View,
    },
};

/// Time for which a ticket is good.
pub const TICKET_FOR: SignedDuration = SignedDuration::from_secs(60);

/// Maximum time for which a socket stays open: that of API Gateway.
const OPEN_FOR: SignedDuration = SignedDuration::from_hours(2);

/// Time for which a client that says nothing counts as there: more than the ten minutes after which API Gateway closes a connection. Nobody
/// tells of one whose network went away.
const HEARD_FOR: SignedDuration = SignedDuration::from_mins(11);

/// Time after which a socket that cannot be reached is given up.
pub const UNREACHABLE_FOR: SignedDuration = SignedDuration::from_secs(60);

/// Maximum views of a socket.
pub const MAX_VIEWS: usize = 20;

/// Maximum sockets of a person or an API key.
pub const MAX_OF_CALLER: usize = 10;

/// Maximum size of what a client says, in bytes.
pub const MAX_SAID: usize = 4 * 1024;

/// The id that API Gateway gives to a connection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SocketId(String);

impl SocketId {
    /// The id in an event of API Gateway. `None`: the text is no id.
    pub fn new(text: String) -> Option<Self> {
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"=+/_-".contains(&byte);
        ((1..=128).contains(&text.len()) && text.bytes().all(sound)).then_some(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The permission to open a socket once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// The tenant.
    pub tenant: TenantId,
    /// Whoever got it.
    pub who: Actor,
    /// Maximum sockets of the tenant.
    pub most: u32,
    /// Its end.
    pub until: Timestamp,
}

impl Ticket {
    /// The time at which it was given.
    pub fn given_at(&self) -> Timestamp {
        self.until - TICKET_FOR
    }
}

/// The tenant and the caller of a socket, by which the rest of it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketOwner {
    /// The tenant.
    pub tenant: TenantId,
    /// Whoever opened it.
    pub who: Actor,
}

/// A socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Socket {
    /// Its id.
    pub id: SocketId,
    /// Whoever opened it.
    pub who: Actor,
    /// The views that it watches. None yet: nothing is sent to it, since it may not be open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub views: Vec<View>,
    /// Time of its opening.
    pub since: Timestamp,
    /// Time at which its client said something.
    pub heard_at: Timestamp,
    /// Time since which it could not be reached. It is told to catch up before anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind_since: Option<Timestamp>,
}

impl Socket {
    /// One that is opened at this time.
    pub const fn opened(id: SocketId, who: Actor, now: Timestamp) -> Self {
        Self {
            id,
            who,
            views: Vec::new(),
            since: now,
            heard_at: now,
            behind_since: None,
        }
    }

    /// Time after which API Gateway has closed it, whatever happens.
    pub fn closes_at(&self) -> Timestamp {
        self.since + OPEN_FOR
    }

    /// Time after which it is not there any more, unless its client says something.
    pub fn ends_at(&self) -> Timestamp {
        self.closes_at().min(self.heard_at + HEARD_FOR)
    }

    /// What it is told before anything else, if it could not be reached.
    pub fn catch_up(&self) -> Option<Frame<'static>> {
        let cursor = Cursor::at(self.behind_since?);
        Some(Frame::CatchUp { cursor })
    }

    /// Whether it is told of an event, with these rights of whoever opened it.
    pub fn is_told(&self, told: &Told, rights: &Rights) -> bool {
        rights.may(told.event.kind.permission())
            && self
                .views
                .iter()
                .any(|view| rights.may(view.permission()) && view.shows(told, self.who))
    }
}

/// The present rights of a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    /// Role in the tenant.
    pub role: Role,
    /// Scopes of a key. Empty: all that the role allows.
    pub scopes: Vec<Permission>,
    /// Whatever they opened before this time has ended.
    pub from: Timestamp,
}

impl Rights {
    /// Whether the caller has the permission.
    pub fn may(&self, permission: Permission) -> bool {
        self.role.grants(&self.scopes, permission)
    }

    /// Whether the caller may have a socket that was opened at this time.
    pub fn allow(&self, since: Timestamp) -> bool {
        self.from <= since && self.may(Permission::LiveRead)
    }
}

/// An event, with a place from which one can go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PublishedEvent {
    /// The event.
    #[serde(flatten)]
    pub event: Event,
    /// Value of `after` for whoever goes on from this event, such as after a restart. From then on, use those of the answers.
    pub cursor: Cursor,
}

impl PublishedEvent {
    /// Of an event that was published with others at this time, of which this is the first.
    pub const fn new(event: Event, at: Timestamp, first: EventId) -> Self {
        Self {
            event,
            cursor: Cursor::behind(Place { at, first }),
        }
    }
}

/// What a client says on a socket.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Watch these views from now on, and no others.
    Watch {
        /// The views, as texts.
        views: Vec<String>,
    },
    /// Say that it is there.
    Ping,
}

/// What a client is told on a socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Frame<'a> {
    /// It watches these views. What changed before is read after the cursor of its ticket.
    Watching {
        /// The views.
        views: &'a [View],
    },
    /// Events.
    Events {
        /// At most 100.
        events: Vec<PublishedEvent>,
        /// Place from which to go on after the socket is lost.
        cursor: Cursor,
    },
    /// Events could not be sent: they are read after this cursor.
    CatchUp {
        /// The place.
        cursor: Cursor,
    },
    /// The answer to a ping.
    Pong {
        /// Place from which to go on after the socket is lost.
        cursor: Cursor,
    },
    /// An action was refused, and changed nothing.
    Refused {
        /// The reason, for software.
        kind: &'static str,
        /// The reason, and what to do.
        detail: &'a str,
    },
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_of_connections_are_known_by_their_form() {
        for sound in ["L0SM9cOFvHcCIhw=", "8dd1a8c1c6ab4f10", "a"] {
            assert_eq!(SocketId::new(sound.to_owned()).unwrap().to_string(), sound);
        }
        for wrong in ["", "a b", "a#b", "ü", &"a".repeat(129)] {
            assert_eq!(SocketId::new(wrong.to_owned()), None, "{wrong}");
        }
    }

    #[test]
    fn actions_are_known_by_their_name() {
        let read = |value: serde_json::Value| serde_json::from_value::<Action>(value);
        assert_eq!(read(json!({"action": "ping"})).unwrap(), Action::Ping);
        let watch = read(json!({"action": "watch", "views": ["calls"]})).unwrap();
        let views = vec!["calls".to_owned()];
        assert_eq!(watch, Action::Watch { views });
        for wrong in [
            json!({}),
            json!({"action": "sing"}),
            json!({"action": "watch"}),
            json!("ping"),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
