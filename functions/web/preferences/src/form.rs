//! The form of the page, as browsers send it.

use std::borrow::Cow;

use domain::people::Topic;

/// Maximum size of a form. The page's own have less than 200 bytes.
pub(crate) const LARGEST: usize = 2 * 1024;

/// A customer's choices.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// These topics and no others.
    Save {
        wanted: Vec<Topic>,
        /// The mark of what the page showed.
        seen: String,
    },
    Stop,
}

impl Form {
    /// Reads a form. `None` if it is not one of the page's: a field is unknown, missing, there twice, or has a value that the page
    /// never sends.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let (mut action, mut seen, mut wanted): (Option<Cow<'_, str>>, Option<String>, Vec<Topic>) = Default::default();
        for (name, value) in form_urlencoded::parse(body) {
            match name.as_ref() {
                "do" if action.is_none() => action = Some(value),
                "seen" if seen.is_none() => seen = Some(value.into_owned()),
                field => {
                    let topic = Topic::ALL.into_iter().find(|topic| topic.as_str() == field)?;
                    if value != "on" || wanted.contains(&topic) {
                        return None;
                    }
                    wanted.push(topic);
                }
            }
        }
        match (action.as_deref()?, seen) {
            ("save", Some(seen)) => Some(Self::Save { wanted, seen }),
            ("stop", None) if wanted.is_empty() => Some(Self::Stop),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_the_page_are_read() {
        assert_eq!(Form::read(b"do=stop"), Some(Form::Stop));
        let seen = "0123456789abcdef".to_owned();
        let save = Form::read(b"do=save&seen=0123456789abcdef&sms_utility=on&whatsapp_marketing=on");
        let wanted = vec![Topic::ALL[3], Topic::ALL[0]];
        assert_eq!(save, Some(Form::Save { wanted, seen }));
        let wanted = Vec::new();
        let seen = String::new();
        assert_eq!(Form::read(b"do=save&seen="), Some(Form::Save { wanted, seen }));
    }

    #[test]
    fn forms_of_others_are_refused() {
        for wrong in [
            "",
            "do=",
            "do=delete",
            "do=stop&do=stop",
            "do=stop&seen=1",
            "do=stop&sms_utility=on",
            "do=save",
            "do=save&seen=1&seen=1",
            "do=save&seen=1&sms_utility=on&sms_utility=on",
            "do=save&seen=1&sms_utility=off",
            "do=save&seen=1&voice_marketing=on",
            "do=save&seen=1&contact_id=ctc_01hq5c1ynyc0000000000000ab",
            "{\"do\":\"stop\"}",
        ] {
            assert_eq!(Form::read(wrong.as_bytes()), None, "{wrong}");
        }
        assert_eq!(Form::read(&[0xff, 0xfe, b'=', 0x00]), None);
    }
}
