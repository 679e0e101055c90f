//! Forms and query strings, `application/x-www-form-urlencoded`.

use std::borrow::Cow;
use std::fmt;

use percent_encoding::percent_decode;

/// A decoded form. Names and values are bytes, because signatures are made over bytes and nothing guarantees UTF-8.
#[derive(Clone, PartialEq, Eq)]
pub struct Form(Vec<(Vec<u8>, Vec<u8>)>);

/// Decodes a form. Every text is a form; an invalid escape is kept literally. Nothing is trimmed.
pub fn parse(body: &[u8]) -> Form {
    let pairs = body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    Form(
        pairs
            .map(|pair| {
                let mut halves = pair.splitn(2, |byte| *byte == b'=');
                let name = halves.next().unwrap_or_default();
                (decode(name), decode(halves.next().unwrap_or_default()))
            })
            .collect(),
    )
}

fn decode(text: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = text
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    percent_decode(&spaced).collect()
}

impl Form {
    /// The first value of this name, which may be empty.
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        self.0
            .iter()
            .find(|(known, _)| known == name.as_bytes())
            .map(|(_, value)| String::from_utf8_lossy(value))
    }

    /// The first value of this name, unless it is empty: vendors send unknown fields as empty.
    pub fn filled_value(&self, name: &str) -> Option<Cow<'_, str>> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// All names and values in their order.
    pub fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_slice(), value.as_slice()))
    }
}

impl fmt::Debug for Form {
    /// Prints names only, because values are message texts and telephone numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.iter().map(|(name, _)| String::from_utf8_lossy(name));
        f.debug_list().entries(names).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_decoded_without_loss() {
        let form = parse(b"Body=++two%2C+&FromCity=&bare&Bad=%zz&&=x&Body=second&Raw=%ff");
        assert_eq!(form.get("Body").as_deref(), Some("  two, "));
        assert_eq!(form.get("FromCity").as_deref(), Some(""));
        assert_eq!(form.filled_value("FromCity"), None);
        assert_eq!(form.get("bare").as_deref(), Some(""));
        assert_eq!(form.get("Bad").as_deref(), Some("%zz"));
        assert_eq!(form.get("").as_deref(), Some("x"));
        assert_eq!(form.pairs().last(), Some((&b"Raw"[..], &[0xff][..])));
    }

    #[test]
    fn debug_output_of_a_form_hides_values() {
        assert_eq!(format!("{:?}", parse(b"Body=secret")), r#"["Body"]"#);
    }
}
