//! Ids of templates in the API: connection, name and language, `conn_….missed_call.en_GB`. The row's key follows from the id.

use std::fmt;
use std::str::FromStr;

use super::{TemplateDefinition, TemplateKey};
use crate::terms::ConnectionId;

/// Id of a template.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TemplateId {
    /// The connection whose account has it.
    pub connection: ConnectionId,
    /// Its name and language.
    pub key: TemplateKey,
}

shown_as!(TemplateId, {
    "type": "string",
    "pattern": "^conn_[0-9a-z]{26}\\.[A-Za-z0-9_]{1,512}\\.[A-Za-z0-9_-]{1,32}$",
    "examples": ["conn_01hq5c1ynyc0000000000000ab.missed_call.en_GB"],
});

/// A text that is not the id of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected connection, name and language, joined by dots")]
pub struct InvalidTemplateId;

impl TemplateId {
    /// The id of a stored template; `None` of one in a file that names no connection, or with a name that no key can have.
    pub fn of(template: &TemplateDefinition) -> Option<Self> {
        Some(Self {
            connection: template.connection?,
            key: TemplateKey::new(&template.name, &template.language)?,
        })
    }

    /// The id as rows have it.
    pub fn row_id(&self) -> String {
        format!("{}#{}", self.connection, self.key)
    }
}

impl FromStr for TemplateId {
    type Err = InvalidTemplateId;

    fn from_str(text: &str) -> Result<Self, InvalidTemplateId> {
        let mut parts = text.split('.');
        let (connection, name, language) = (parts.next(), parts.next(), parts.next());
        let (Some(connection), Some(name), Some(language), None) = (connection, name, language, parts.next()) else {
            return Err(InvalidTemplateId);
        };
        Ok(Self {
            connection: connection.parse().map_err(|_| InvalidTemplateId)?,
            key: TemplateKey::new(name, language).ok_or(InvalidTemplateId)?,
        })
    }
}

parsed!(TemplateId, "id", "conn_01hq5c1ynyc0000000000000ab.missed_call.en_GB");

impl fmt::Display for TemplateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.connection, self.key.name(), self.key.language())
    }
}

impl serde::Serialize for TemplateId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_written_and_read() {
        let text = "conn_00000000000000000000000002.missed_call.pt-BR";
        let id: TemplateId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        assert_eq!(id.row_id(), "conn_00000000000000000000000002#missed_call#pt-BR");
        for wrong in [
            "",
            "conn_00000000000000000000000002",
            "conn_00000000000000000000000002.a",
            "conn_00000000000000000000000002.a.en.x",
            "conn_00000000000000000000000002..en",
            "conn_0000000000000000000000000Z.a.en",
            "rule_00000000000000000000000002.a.en",
            "conn_00000000000000000000000002.a#b.en",
        ] {
            assert_eq!(wrong.parse::<TemplateId>(), Err(InvalidTemplateId), "{wrong}");
        }
    }
}
