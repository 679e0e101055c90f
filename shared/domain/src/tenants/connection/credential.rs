//! Credentials as the API takes them. They cannot be printed.

/// A text of a few accepted forms. It cannot be printed.
macro_rules! text_like {
    ($(#[$about:meta])+ $name:ident$(<$most:ident = $usual:literal>)?, $accepts:expr, $expected:expr, $schema:tt) => {
        $(#[$about])+
        pub struct $name$(<const $most: usize = $usual>)?(String);

        impl<'de $(, const $most: usize)?> serde::Deserialize<'de> for $name$(<$most>)? {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                let accepts: fn(&str) -> bool = $accepts;
                if accepts(&text) {
                    Ok(Self(text))
                } else {
                    let expected = $expected.to_string();
                    Err($crate::terms::Fault::new($crate::terms::FaultCode::Format, expected).refuse())
                }
            }
        }

        shown_as!($(const $most;)? $name$(<$most>)?, $schema);

        impl$(<const $most: usize>)? From<$name$(<$most>)?> for String {
            fn from(text: $name$(<$most>)?) -> Self {
                text.0
            }
        }
    };
}

/// Minimum length of a credential.
const SHORTEST: usize = 8;

text_like! {
    /// A credential of a provider: visible ASCII characters.
    Credential<MAX = 256>,
    |text| (SHORTEST..=MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()),
    format_args!("expected {SHORTEST} to {MAX} visible ASCII characters"),
    {"type": "string", "minLength": SHORTEST, "maxLength": MAX, "writeOnly": true}
}
