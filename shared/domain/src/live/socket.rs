//! Sockets: connections of clients, which learn of changes in the views that they watch. A one-time ticket opens one.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::accounts::{Credential, EndedSessions, Permission, Role};
use crate::live::{Cursor, Event, HEAVY, Pace, Place, Told, View};
use crate::terms::{Actor, ConversationId, EventId, IpRange, SessionId, TenantId, UserId};

/// Validity of a ticket.
pub const TICKET_FOR: SignedDuration = SignedDuration::from_secs(60);

/// Maximum time that API Gateway keeps a socket open.
const OPEN_FOR: SignedDuration = SignedDuration::from_hours(2);

/// Time until a silent client no longer counts as there: more than ten minutes, as API Gateway closes idle connections then. Nobody reports
/// a client whose network went away.
const HEARD_FOR: SignedDuration = SignedDuration::from_mins(11);

/// Time until a person no longer counts as seeing a page whose client has been silent: clients say so again every two minutes.
const SEEN_FOR: SignedDuration = SignedDuration::from_secs(150);

/// An unreachable socket is given up after this time.
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
    pub tenant: TenantId,
    pub who: Actor,
    /// Their proof of who they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<Credential>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Maximum sockets of the tenant.
    pub most: u32,
    pub until: Timestamp,
}

impl Ticket {
    /// Time of issue.
    pub fn given_at(&self) -> Timestamp {
        self.until - TICKET_FOR
    }
}

/// Tenant and caller of a socket: its key in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketOwner {
    pub tenant: TenantId,
    pub who: Actor,
    /// Network that it was opened from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<IpRange>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Socket {
    pub id: SocketId,
    pub who: Actor,
    /// Their proof of who they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<Credential>,
    /// Their role at its opening.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The views that it watches. None yet: nothing is sent to it, since it may not be open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub views: Vec<View>,
    /// Time of its opening.
    pub since: Timestamp,
    /// Latest time when its client said something.
    pub heard_at: Timestamp,
    /// Time since when it could not be reached. It must catch up before it gets anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind_since: Option<Timestamp>,
    /// Whether the client said last that the person sees its page.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub visible: bool,
    /// The conversation that the person reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<ConversationId>,
    /// Actions that changed it of late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pace: Option<Pace>,
}

impl Socket {
    /// Makes the row of a socket that is opened at this time.
    pub fn new_at(id: SocketId, who: Actor, credential: Option<Credential>, now: Timestamp) -> Self {
        Self {
            id,
            who,
            credential,
            role: None,
            views: Vec::new(),
            since: now,
            heard_at: now,
            behind_since: None,
            visible: false,
            reading: None,
            pace: None,
        }
    }

    /// Counts an action that changes it.
    pub fn hear(&mut self, action: &Action, now: Timestamp) {
        self.heard_at = now;
        self.pace = Some(Pace::count(self.pace, action.weight(), now));
    }

    /// Whether its client may do this, too.
    pub fn allows(&self, action: &Action, now: Timestamp) -> bool {
        Pace::count(self.pace, action.weight(), now).is_allowed()
    }

    /// Whether it watches a conversation.
    pub fn watches(&self, conversation: ConversationId) -> bool {
        self.views.contains(&View::Conversation(conversation))
    }

    /// Whether the person sees its page.
    pub fn is_seen(&self, now: Timestamp) -> bool {
        self.visible && now < self.heard_at + SEEN_FOR
    }

    /// Time when API Gateway has closed it, whatever happens.
    pub fn closes_at(&self) -> Timestamp {
        self.since + OPEN_FOR
    }

    /// Time when it no longer counts as there, unless its client says something.
    pub fn ends_at(&self) -> Timestamp {
        self.closes_at().min(self.heard_at + HEARD_FOR)
    }

    /// The first frame after a time when it could not be reached.
    pub fn catch_up(&self) -> Option<Frame<'static>> {
        let cursor = Cursor::at(self.behind_since?);
        Some(Frame::CatchUp { cursor })
    }

    /// Whether it gets an event, with these rights of whoever opened it.
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
    /// The older session of a person that has not.
    pub spared: Option<SessionId>,
    /// Sessions of a person that have ended by themselves.
    pub ended: EndedSessions,
    /// The hashes of a key's secrets that are good.
    pub secrets: Vec<String>,
}

impl Rights {
    /// Whether the caller has the permission.
    pub fn may(&self, permission: Permission) -> bool {
        self.role.grants(&self.scopes, permission)
    }

    /// Whether the caller may have this socket, whose ticket was given at this time. Who has another role opens another one.
    pub fn allow(&self, socket: &Socket, since: Timestamp) -> bool {
        let lasts = match &socket.credential {
            Some(Credential::Session(session)) => {
                (self.from <= since || self.spared == Some(*session)) && !self.ended.has(*session)
            }
            Some(Credential::Secret(sha256)) => self.secrets.contains(sha256),
            None => self.from <= since,
        };
        let same = socket.role.is_none_or(|role| role == self.role);
        lasts && same && self.may(Permission::LiveRead)
    }
}

/// Whether a person is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// None of their clients is connected.
    Offline,
    /// A client is connected, and they see none of its pages.
    Away,
    /// They see a page of a client.
    Online,
}

impl Presence {
    /// The presence of a person with these sockets of a tenant.
    pub fn of<'a>(user: UserId, sockets: impl IntoIterator<Item = &'a Socket>, now: Timestamp) -> Self {
        let own = sockets.into_iter().filter(|socket| socket.who == Actor::User(user));
        own.map(|socket| if socket.is_seen(now) { Self::Online } else { Self::Away })
            .max()
            .unwrap_or(Self::Offline)
    }
}

/// An event, with a cursor to go on from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PublishedEvent {
    /// The event.
    #[serde(flatten)]
    pub event: Event,
    /// Value of `after` to go on from this event, such as after a restart. From then on, use the cursors of the answers.
    pub cursor: Cursor,
}

impl PublishedEvent {
    /// Makes one of the events that were published together at this time; `first` is the first of them.
    pub const fn new(event: Event, at: Timestamp, first: EventId) -> Self {
        Self {
            event,
            cursor: Cursor::behind(Place { at, first }),
        }
    }
}

/// Frame from a client.
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
    /// Say whether the person sees its page.
    Visible { visible: bool },
    /// Say which conversation the person reads from now on.
    Reading {
        /// The conversation. None: the person has stopped reading.
        conversation_id: Option<ConversationId>,
    },
    /// Say that the person writes a reply.
    Typing { conversation_id: ConversationId },
}

impl Action {
    /// Number of actions that it counts as.
    pub const fn weight(&self) -> u32 {
        match self {
            Self::Watch { .. } | Self::Ping | Self::Visible { .. } => 1,
            // They are told to others.
            Self::Reading { .. } | Self::Typing { .. } => HEAVY,
        }
    }
}

/// Maximum length of a frame of events. API Gateway documents 32 KB.
const MAX_FRAME: usize = 30 * 1024;

/// Divides events into those that fit into a frame, in their order. The cursor is the same for all: a read begins before it.
pub fn divide_into_frames(events: Vec<PublishedEvent>) -> Vec<Vec<PublishedEvent>> {
    let length = |event: &PublishedEvent| serde_json::to_vec(event).map_or(0, |json| json.len() + 1);
    let mut frames: Vec<Vec<PublishedEvent>> = Vec::new();
    // Names, brackets and a cursor take less than this.
    const AROUND: usize = 200;
    let mut taken = MAX_FRAME;
    for event in events {
        let length = length(&event);
        if taken + length > MAX_FRAME {
            frames.push(Vec::new());
            taken = AROUND;
        }
        taken += length;
        if let Some(frame) = frames.last_mut() {
            frame.push(event);
        }
    }
    frames
}

/// Frame to a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Frame<'a> {
    /// It watches these views. Changes before that are read after the cursor of its ticket.
    Watching { views: &'a [View] },
    Events {
        /// At most 100.
        events: Vec<PublishedEvent>,
        /// Place to go on from after the socket is lost.
        cursor: Cursor,
    },
    /// Events could not be sent: they are read after this cursor.
    CatchUp { cursor: Cursor },
    /// The answer to a ping.
    Pong {
        /// Place to go on from after the socket is lost.
        cursor: Cursor,
    },
    /// Somebody else begins or stops to read a conversation that it watches.
    Reading {
        conversation_id: ConversationId,
        user_id: UserId,
        /// Whether they read it.
        reading: bool,
    },
    /// Somebody else writes a reply in a conversation that it watches.
    Typing {
        conversation_id: ConversationId,
        user_id: UserId,
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
    use crate::terms::ApiKeyId;

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
    fn no_frame_is_larger_than_api_gateway_takes() {
        let event = |number: u32| {
            let event = json!({
                "id": format!("evt_{number:026}"), "type": "message.sent", "at": "2026-11-20T09:00:00Z",
                "data": {"contact_id": "ctc_01m7w3h8g0yee2bzz05vbpakr3"},
            });
            let event: Event = serde_json::from_value(event).unwrap();
            PublishedEvent::new(event.clone(), event.at, event.id)
        };
        let all: Vec<_> = (0..300).map(event).collect();
        let frames = divide_into_frames(all.clone());
        assert_eq!(frames.concat(), all);
        assert!(frames.len() > 1);
        for events in frames {
            let frame = Frame::Events {
                cursor: Cursor::at(events[0].event.at),
                events,
            };
            let length = serde_json::to_vec(&frame).unwrap().len();
            assert!((1_000..=MAX_FRAME).contains(&length), "{length}");
        }
        assert_eq!(divide_into_frames(Vec::new()), Vec::<Vec<PublishedEvent>>::new());
    }

    #[test]
    fn actions_are_known_by_their_name() {
        let read = |value: serde_json::Value| serde_json::from_value::<Action>(value);
        assert_eq!(read(json!({"action": "ping"})).unwrap(), Action::Ping);
        let none = read(json!({"action": "reading", "conversation_id": null})).unwrap();
        let conversation_id = None;
        assert_eq!(none, Action::Reading { conversation_id });
        let watch = read(json!({"action": "watch", "views": ["calls"]})).unwrap();
        let views = vec!["calls".to_owned()];
        assert_eq!(watch, Action::Watch { views });
        for wrong in [
            json!({}),
            json!({"action": "sing"}),
            json!({"action": "watch"}),
            json!({"action": "visible"}),
            json!({"action": "typing", "conversation_id": null}),
            json!({"action": "reading", "conversation_id": "ctc_01hq5c1ynyc0000000000000ab"}),
            json!("ping"),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn rights_end_with_a_credential() {
        let at = |second: i64| Timestamp::from_second(1_795_000_000 + second).unwrap();
        let [spared, ended, other] = [1, 2, 3].map(|number| SessionId::new(ulid::Ulid::from_parts(1, number)));
        let mut of_person = Rights {
            role: Role::Agent,
            scopes: Vec::new(),
            from: at(10),
            spared: Some(spared),
            ended: EndedSessions::NONE,
            secrets: vec!["good".to_owned()],
        };
        let _listed = of_person.ended.add(ended, at(10));
        let secret = |text: &str| Credential::Secret(text.to_owned());
        for (since, credential, allowed) in [
            (9, None, false),
            (10, None, true),
            (9, Some(Credential::Session(other)), false),
            (10, Some(Credential::Session(other)), true),
            (9, Some(Credential::Session(spared)), true),
            (10, Some(Credential::Session(ended)), false),
            (10, Some(secret("good")), true),
            (10, Some(secret("old")), false),
        ] {
            let socket = socket(Actor::ApiKey(ApiKeyId::new(ulid::Ulid(1))), credential);
            assert_eq!(of_person.allow(&socket, at(since)), allowed, "{since} {socket:?}");
        }
        for (role, allowed) in [(Role::Agent, true), (Role::Manager, false)] {
            let socket = Socket {
                role: Some(role),
                ..socket(Actor::ApiKey(ApiKeyId::new(ulid::Ulid(1))), None)
            };
            assert_eq!(of_person.allow(&socket, at(10)), allowed, "{role}");
        }
    }

    fn socket(who: Actor, credential: Option<Credential>) -> Socket {
        let id = SocketId::new("a".to_owned()).unwrap();
        Socket::new_at(id, who, credential, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn presence_is_that_of_the_best_socket() {
        let [person, other] = [1, 2].map(|number| UserId::new(ulid::Ulid::from_parts(1, number)));
        let socket = |user, visible| Socket {
            visible,
            ..socket(Actor::User(user), None)
        };
        let of = |sockets: &[Socket]| Presence::of(person, sockets, Timestamp::UNIX_EPOCH);
        assert_eq!(of(&[socket(other, true)]), Presence::Offline);
        assert_eq!(of(&[socket(person, false), socket(other, true)]), Presence::Away);
        let both = [socket(person, true), socket(person, false)];
        assert_eq!(of(&both), Presence::Online);
        // Since then nothing was heard.
        let later = Timestamp::UNIX_EPOCH + SEEN_FOR;
        assert_eq!(Presence::of(person, &both, later), Presence::Away);
    }
}
