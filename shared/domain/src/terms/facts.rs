//! Facts: what a sentence says, by name, so that software can say it in another language.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Defines the codes of a vocabulary, each with its meaning and the names of its facts.
macro_rules! codes {
    (
        $(#[$about:meta])*
        pub enum $name:ident {
            $(#[doc = $means:literal] $code:ident = $word:literal [$($fact:literal),*],)+
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(#[doc = $means] $code,)+
        }

        impl $name {
            /// All codes in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$code),+];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$code => $word,)+ }
            }

            /// Its meaning, in a sentence.
            pub const fn means(self) -> &'static str {
                match self { $(Self::$code => $means.trim_ascii(),)+ }
            }

            /// The names of the facts that it can have.
            pub const fn facts(self) -> &'static [&'static str] {
                match self { $(Self::$code => &[$($fact),*],)+ }
            }

            /// The code with this name.
            pub fn named(word: &str) -> Option<Self> {
                Self::ALL.iter().find(|code| code.as_str() == word).copied()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

/// A fact. Times are texts in RFC 3339.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Fact {
    Flag(bool),
    Number(i64),
    Text(String),
    /// A list of words.
    Words(Vec<String>),
}

macro_rules! fact {
    ($($type:ty: $value:ident => $fact:expr;)+) => {$(
        impl From<$type> for Fact {
            fn from($value: $type) -> Self {
                $fact
            }
        }
    )+};
}

fact! {
    bool: flag => Self::Flag(flag);
    u32: number => Self::Number(number.into());
    i64: number => Self::Number(number);
    u64: number => Self::Number(number.try_into().unwrap_or(i64::MAX));
    usize: number => Self::Number(number.try_into().unwrap_or(i64::MAX));
    &str: text => Self::Text(shorten_text(text));
    String: text => Self::Text(shorten_text(&text));
    Timestamp: at => Self::Text(at.to_string());
}

impl<T: AsRef<str>> FromIterator<T> for Fact {
    fn from_iter<I: IntoIterator<Item = T>>(words: I) -> Self {
        let words = words.into_iter().take(Facts::MAX_WORDS);
        Self::Words(words.map(|word| shorten_text(word.as_ref())).collect())
    }
}

/// The text with at most [`Facts::MAX_LENGTH`] characters.
fn shorten_text(text: &str) -> String {
    match text.char_indices().nth(Facts::MAX_LENGTH) {
        Some(_) => text.chars().take(Facts::MAX_LENGTH - 1).chain(['…']).collect(),
        None => text.to_owned(),
    }
}

/// Facts by their names, in `snake_case`. A name that ends with `_at` is of a time, one that ends with a unit of a number. They never
/// hold a secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Facts(BTreeMap<Cow<'static, str>, Fact>);

shown_as!(Facts, {
    "type": "object",
    "maxProperties": Facts::MAX,
    "propertyNames": {"type": "string", "pattern": "^[a-z][a-z_]{1,39}$"},
    "additionalProperties": {
        "anyOf": [
            {"type": "string", "maxLength": Facts::MAX_LENGTH},
            {"type": "integer"},
            {"type": "boolean"},
            {"type": "array", "maxItems": Facts::MAX_WORDS, "items": {"type": "string", "maxLength": Facts::MAX_LENGTH}},
        ],
    },
    "examples": [{"maximum": 80}],
});

impl Facts {
    /// Maximum number of facts.
    pub const MAX: usize = 16;
    /// Maximum length of a text in characters.
    pub const MAX_LENGTH: usize = 100;
    /// Maximum number of words in a list.
    pub const MAX_WORDS: usize = 10;

    pub const NONE: Self = Self(BTreeMap::new());

    pub fn of(name: &'static str, fact: impl Into<Fact>) -> Self {
        Self::NONE.and(name, fact)
    }

    /// These facts and another one.
    pub fn and(mut self, name: &'static str, fact: impl Into<Fact>) -> Self {
        self.add(name.into(), fact.into());
        self
    }

    /// Adds a fact, if it is known.
    pub fn and_if(self, name: &'static str, fact: Option<impl Into<Fact>>) -> Self {
        match fact {
            Some(fact) => self.and(name, fact),
            None => self,
        }
    }

    /// These facts and others.
    pub fn with(mut self, others: Self) -> Self {
        for (name, fact) in others.0 {
            self.add(name, fact);
        }
        self
    }

    /// These facts and others, whose names get a prefix.
    pub fn with_prefixed(mut self, prefix: &str, others: Self) -> Self {
        for (name, fact) in others.0 {
            self.add(format!("{prefix}_{name}").into(), fact);
        }
        self
    }

    /// Keeps only the facts that are codes: the problems of channels.
    pub fn problems(mut self) -> Self {
        self.0.retain(|name, _| name.ends_with("_problem"));
        self
    }

    fn add(&mut self, name: Cow<'static, str>, fact: Fact) {
        if self.0.len() < Self::MAX {
            self.0.insert(name, fact);
        }
    }

    /// The fact with this name.
    pub fn get(&self, name: &str) -> Option<&Fact> {
        self.0.get(name)
    }

    /// The names of the facts.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(AsRef::as_ref)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json, to_value};

    use super::*;

    #[test]
    fn facts_survive_as_json() {
        let at: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let channel = Facts::of("problem", "landline");
        let facts = Facts::of("maximum", 80_usize)
            .and("open", true)
            .and("call_at", at)
            .and("expected", ["a", "b"].into_iter().collect::<Fact>())
            .and_if("rule", None::<&str>)
            .with_prefixed("sms", channel);
        let json = json!({
            "maximum": 80, "open": true, "call_at": "2026-11-20T12:00:00Z", "expected": ["a", "b"], "sms_problem": "landline",
        });
        assert_eq!(to_value(&facts).unwrap(), json);
        assert_eq!(from_value::<Facts>(json).unwrap(), facts);
    }

    #[test]
    fn facts_are_bounded() {
        let most = "é".repeat(Facts::MAX_LENGTH);
        assert_eq!(Fact::from(most.clone()), Fact::Text(most.clone()));
        let Fact::Text(shorter) = Fact::from(format!("{most}x")) else {
            panic!("a text")
        };
        assert!(shorter.chars().count() == Facts::MAX_LENGTH && shorter.ends_with('…'));
        let Fact::Words(words) = (0..20).map(|word| word.to_string()).collect() else {
            panic!("a list")
        };
        assert_eq!(words.len(), Facts::MAX_WORDS);
        let many = (0..20).fold(Facts::NONE, |facts, _| {
            let name = format!("x{}", facts.0.len());
            facts.with_prefixed(&name, Facts::of("y", 1_i64))
        });
        assert_eq!(many.names().count(), Facts::MAX);
    }
}
