//! Time zones of the IANA database.

use std::fmt;
use std::str::FromStr;

use jiff::tz::TimeZone;
use serde::Serialize;

/// A time zone of the IANA database, by its name.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

shown_as!(Zone, {
    "type": "string",
    "description": "A time zone of the IANA database.",
    "maxLength": 64,
    "examples": ["Asia/Dubai"],
});

/// A text that is not the name of a time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a time zone of the IANA database, such as Asia/Dubai")]
pub struct InvalidZone;

impl Zone {
    pub const UTC: Self = Self(TimeZone::UTC);

    /// The rules of the zone.
    pub const fn rules(&self) -> &TimeZone {
        &self.0
    }

    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }
}

impl FromStr for Zone {
    type Err = InvalidZone;

    fn from_str(name: &str) -> Result<Self, InvalidZone> {
        let zone = TimeZone::get(name).map_err(|_| InvalidZone)?;
        // `Etc/Unknown` and `Factory` are also names, but not of a place.
        if zone.iana_name().is_none_or(|name| name == "Factory") || zone.is_unknown() {
            return Err(InvalidZone);
        }
        Ok(Self(zone))
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Zone {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

parsed!(Zone, "time_zone", "Asia/Dubai");
