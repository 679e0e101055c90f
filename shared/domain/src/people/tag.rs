//! Tags of contacts, a tenant's way to sort them.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::terms::{OneLine, TagId};

resource! {
    /// A tag of a tenant.
    pub struct Tag of TagId;

    /// The fields of a tag.
    pub struct TagIn {
        /// Name, unique among the tenant's tags, whatever its case.
        #[cfg_attr(feature = "schema", schemars(example = &"Regular", extend("x-unique" = true)))]
        pub name: OneLine<1, 60>,
        /// Color of the tag on screens.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub color: Option<Color>,
        /// Who gets the tag.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(example = "Buys something every week"))]
        pub description: Option<OneLine<1, 200>>,
    }
}

impl Tag {
    /// Maximum tags per tenant.
    pub const MAX: u32 = 1_000;
}

/// A color: red, green and blue in hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Color(String);

shown_as!(Color, {"type": "string", "pattern": "^#[0-9a-f]{6}$", "examples": ["#1f6feb"]});

/// A text that is not a color.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a color in hexadecimal digits, in lower case, such as #1f6feb")]
pub struct NotAColor;

impl FromStr for Color {
    type Err = NotAColor;

    fn from_str(text: &str) -> Result<Self, NotAColor> {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let digits = text.strip_prefix('#').unwrap_or_default();
        let fit = digits.len() == 6 && digits.bytes().all(digit);
        fit.then(|| Self(text.to_owned())).ok_or(NotAColor)
    }
}

parsed!(Color, "color", "#1f6feb");

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_color_has_one_spelling() {
        for good in ["#000000", "#1f6feb", "#ffffff"] {
            assert_eq!(good.parse::<Color>().unwrap().to_string(), good);
        }
        for bad in [
            "", "#", "1f6feb", "#fff", "#1F6FEB", "#1f6fe", "#1f6feb0", "#gggggg", "#ééé", "red",
        ] {
            assert_eq!(bad.parse::<Color>(), Err(NotAColor), "{bad:?}");
        }
    }
}
