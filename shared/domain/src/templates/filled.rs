//! A template with its values.

use serde::{Deserialize, Serialize};

use crate::media::AssetUse;
use crate::terms::is_zero;

/// A template with its values filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilledTemplate {
    /// The template's name at Meta.
    pub name: String,
    /// The language code at Meta, such as `en_GB`.
    pub language: String,
    /// Values of the body's variables in order. Named templates carry the name beside the value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub body: Vec<TemplateValue>,
    /// The value of the text header's variable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<TemplateValue>,
    /// Values of buttons, ends of links and codes, by the button's index.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<(u8, String)>,
    /// Twilio's id of the same template (`HX…`), for WhatsApp through Twilio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_sid: Option<String>,
    /// The asset in its header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_media: Option<AssetUse>,
    /// Indices of the buttons whose value is an offer's code.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offer_codes: Vec<u8>,
    /// Number of the template's contents before the one that is filled in. The message is counted for that content.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub edition: u32,
}

/// A value in a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateValue {
    /// The variable's name, if the template has named variables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub text: String,
}
