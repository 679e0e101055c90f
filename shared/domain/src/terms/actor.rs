//! Actors: the authors of changes, as the audit log names them.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::terms::{ApiKeyId, UserId};

/// The author of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Actor {
    User(UserId),
    /// A tenant's software, by its API key.
    ApiKey(ApiKeyId),
    /// A platform administrator, acting on a tenant.
    Platform(UserId),
    /// An operator with AWS credentials.
    Operator,
}

shown_as!(Actor, {
    "type": "string",
    "pattern": "^((usr|key)_[0-9a-z]{26}|platform:usr_[0-9a-z]{26}|operator)$",
    "examples": ["usr_01hq5c1ynyc0000000000000ab"],
});

/// A text that is not an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected usr_…, key_…, platform:usr_… or operator")]
pub struct InvalidActor;

impl Actor {
    /// The kind of author, in words.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::User(_) | Self::Platform(_) | Self::Operator => "a user",
            Self::ApiKey(_) => "an API key",
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => id.fmt(f),
            Self::ApiKey(id) => id.fmt(f),
            Self::Platform(id) => write!(f, "platform:{id}"),
            Self::Operator => f.write_str("operator"),
        }
    }
}

impl FromStr for Actor {
    type Err = InvalidActor;

    fn from_str(text: &str) -> Result<Self, InvalidActor> {
        if text == "operator" {
            return Ok(Self::Operator);
        }
        if let Some(user) = text.strip_prefix("platform:") {
            return user.parse().map(Self::Platform).map_err(|_| InvalidActor);
        }
        let user = text.parse().map(Self::User);
        user.or_else(|_| text.parse().map(Self::ApiKey))
            .map_err(|_| InvalidActor)
    }
}

impl Serialize for Actor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

parsed!(Actor, "actor", "usr_…");

/// Author, time and request of a change of a row. Every row that people and keys change carries one; the audit log is
/// written from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    pub actor: Actor,
    /// Time of the change.
    pub at: Timestamp,
    /// The request's correlation id.
    pub correlation_id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actor_survives_as_text() {
        let id = ulid::Ulid::from_parts(1, 2);
        for actor in [
            Actor::User(UserId::new(id)),
            Actor::ApiKey(ApiKeyId::new(id)),
            Actor::Platform(UserId::new(id)),
            Actor::Operator,
        ] {
            assert_eq!(actor.to_string().parse(), Ok(actor));
        }
        assert_eq!("tnt_x".parse::<Actor>(), Err(InvalidActor));
    }
}
