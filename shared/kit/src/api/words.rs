//! The domain's words as the document lists them: `#[schema(value_type = RoleWord)]`.

use std::borrow::Cow;

use domain::permission::{Permission, Role};
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
        let description = "What a person or a key is to a tenant. Each may do all that the ones before it may.";
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
            "What may be done.",
            Permission::ALL.iter().map(|permission| permission.as_str()),
        )
    }
}

impl ToSchema for PermissionWord {
    fn name() -> Cow<'static, str> {
        "Permission".into()
    }
}
