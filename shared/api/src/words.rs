//! The domain's words and texts in the document: `#[schema(value_type = RoleWord)]`.

use std::borrow::Cow;

use domain::{
    permission::{Permission, Role},
    settings::LONGEST_WORD,
};
use serde_json::json;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

fn words(description: &str, words: impl IntoIterator<Item = &'static str>) -> RefOr<Schema> {
    let words = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words));
    words.description(Some(description)).build().into()
}

/// [`Role`] in the document.
#[derive(Debug)]
pub enum RoleWord {}

impl PartialSchema for RoleWord {
    fn schema() -> RefOr<Schema> {
        let description = "Role of a user or key in a tenant. Each role includes the ones before it.";
        words(description, Role::ALL.map(Role::as_str))
    }
}

impl ToSchema for RoleWord {
    fn name() -> Cow<'static, str> {
        "Role".into()
    }
}

/// [`Permission`] in the document.
#[derive(Debug)]
pub enum PermissionWord {}

impl PartialSchema for PermissionWord {
    fn schema() -> RefOr<Schema> {
        words(
            "A permission.",
            Permission::ALL.iter().map(|permission| permission.as_str()),
        )
    }
}

impl ToSchema for PermissionWord {
    fn name() -> Cow<'static, str> {
        "Permission".into()
    }
}

/// Texts of a fixed form in lists and maps, which a field's attributes do not reach.
macro_rules! texts {
    ($($(#[doc = $doc:literal])+ $text:ident, $name:literal, $about:literal, $build:expr;)+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Debug)]
            pub enum $text {}

            impl PartialSchema for $text {
                fn schema() -> RefOr<Schema> {
                    let text = ObjectBuilder::new().schema_type(Type::String).description(Some($about));
                    let shape: fn(ObjectBuilder) -> ObjectBuilder = $build;
                    shape(text).build().into()
                }
            }

            impl ToSchema for $text {
                fn name() -> Cow<'static, str> {
                    $name.into()
                }
            }
        )+
    };
}

texts! {
    /// A [`domain::phone::Phone`].
    PhoneText, "PhoneNumber", "A telephone number in E.164.",
    |text| text.pattern(Some(r"^\+[1-9][0-9]{6,14}$")).examples([json!("+97145550001")]);
    /// A language tag.
    LanguageText, "Language", "A BCP 47 language tag.",
    |text| text.min_length(Some(2)).max_length(Some(35)).examples([json!("en")]);
    /// A [`domain::zone::Zone`].
    ZoneText, "TimeZone", "A time zone of the IANA database.",
    |text| text.max_length(Some(64)).examples([json!("Asia/Dubai")]);
    /// A [`domain::ip_range::IpRange`].
    IpRangeText, "IpRange", "An IP address, or a range of them as `address/bits`.",
    |text| text.max_length(Some(43)).examples([json!("192.0.2.0/24")]);
    /// A word that customers send.
    OwnWordText, "OwnWord", "A word or phrase that customers send.",
    |text| text.min_length(Some(1)).max_length(Some(LONGEST_WORD)).examples([json!("kifaya")]);
}
