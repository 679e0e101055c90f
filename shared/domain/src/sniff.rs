//! What a file is by its beginning, whatever its sender says.

use infer::MatcherType;

/// Bytes of the beginning that are looked at: the types that we know show themselves within these.
pub const BEGINNING: usize = 8 * 1024;

/// The content type of bytes of which nothing is known.
pub const OCTETS: &str = "application/octet-stream";

/// The container of Office's files of before 2007. Its beginning does not say which program wrote it.
pub(crate) const OLE: &str = "application/x-ole-storage";

/// The types whose files may be nothing but text. Of all others, a text has the first letters by chance, such as BM or MZ.
const TEXTUAL: [&str; 3] = ["application/pdf", "application/postscript", "application/rtf"];

/// What a beginning shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// A program.
    Program,
    /// HTML, SVG or other markup, or a script.
    Markup,
    /// Text in UTF-8.
    Text,
    /// A content type.
    Type(&'static str),
    /// Nothing that is known.
    Unknown,
}

/// What a file is that begins like this.
pub(crate) fn found(beginning: &[u8]) -> Found {
    let beginning = beginning.get(..BEGINNING).unwrap_or(beginning);
    if let Some(mime) = own(beginning) {
        return Found::Type(mime);
    }
    if is_markup(beginning) {
        return Found::Markup;
    }
    let is_text = is_text(beginning);
    let Some(kind) = infer::get(beginning) else {
        return if is_text { Found::Text } else { Found::Unknown };
    };
    match (kind.matcher_type(), kind.mime_type()) {
        (MatcherType::Text, _) => Found::Markup,
        (_, mime) if is_text && !TEXTUAL.contains(&mime) => Found::Text,
        (MatcherType::App, "application/x-x509-ca-cert") => Found::Type(OCTETS),
        (MatcherType::App, _) => Found::Program,
        (_, mime) => Found::Type(usual(mime)),
    }
}

/// Types that the library does not know in all their forms.
fn own(beginning: &[u8]) -> Option<&'static str> {
    if beginning.get(4..10) == Some(b"ftyp3g") {
        return Some("video/3gpp");
    }
    // A frame of MPEG audio of layer III, of whatever version.
    match beginning {
        [0xFF, second, ..] if second & 0b1110_0110 == 0b1110_0010 => Some("audio/mpeg"),
        [b'#', b'!', b'A', b'M', b'R', ..] => Some("audio/amr"),
        [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, ..] => Some(OLE),
        _ => None,
    }
}

/// The name of a type as WhatsApp has it.
fn usual(mime: &'static str) -> &'static str {
    match mime {
        "audio/opus" => "audio/ogg",
        "audio/m4a" => "audio/mp4",
        "video/x-m4v" => "video/mp4",
        mime => mime,
    }
}

/// Whether a browser could take it for a page, a picture with scripts or a script.
fn is_markup(beginning: &[u8]) -> bool {
    let beginning = beginning.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(beginning);
    let visible = beginning.trim_ascii_start();
    match visible {
        [b'<', next, ..] => next.is_ascii_alphabetic() || matches!(next, b'!' | b'?' | b'/'),
        [b'#', b'!', ..] => true,
        _ => false,
    }
}

/// Whether it is text in UTF-8, of which the last character may be cut.
fn is_text(beginning: &[u8]) -> bool {
    let text = match std::str::from_utf8(beginning) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            let whole = beginning.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(whole).unwrap_or_default()
        }
        Err(_) => return false,
    };
    let is_fine = |letter: char| !letter.is_control() || matches!(letter, '\n' | '\r' | '\t' | '\u{c}');
    !text.is_empty() && text.chars().all(is_fine)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_may_end_within_a_character() {
        let text = "مرحبا".as_bytes();
        assert_eq!(found(&text[..text.len() - 1]), Found::Text);
        assert_eq!(found(&[0xC3]), Found::Unknown);
        assert_eq!(found(b"a\0b"), Found::Unknown);
    }

    #[test]
    fn text_may_begin_as_another_format_does() {
        for text in [
            "BMW X5: oil change, 450",
            "MZ 2026-11-20 10:00",
            "BZh, a list",
            "ID3 and CWS",
            "GIF89a is a format",
        ] {
            assert_eq!(found(text.as_bytes()), Found::Text, "{text}");
        }
        assert_eq!(found(b"%PDF-1.7\n1 0 obj"), Found::Type("application/pdf"));
        assert_eq!(found(b"{\\rtf1 Hello}"), Found::Type("application/rtf"));
        assert_eq!(found(b"MZ\x90\0\x03"), Found::Program);
        assert_eq!(found(b"BM\x36\0\0\0"), Found::Type("image/bmp"));
    }

    #[test]
    fn markup_is_found_behind_blanks_and_marks() {
        for markup in [
            &b"\xEF\xBB\xBF<html>"[..],
            b" \n\t<SVG ",
            b"<?xml version='1.0'?>",
            b"<!-- -->",
            b"#!/bin/sh",
        ] {
            assert_eq!(found(markup), Found::Markup, "{markup:?}");
        }
        assert_eq!(found(b"1 < 2"), Found::Text);
        assert_eq!(found(b"<3"), Found::Text);
    }

    proptest! {
        /// Whatever arrives, also cut or mutated beginnings of files.
        #[test]
        fn no_beginning_with_a_zero_is_text(
            begin in prop::sample::select(vec![&b""[..], b"PK\x03\x04", b"\xFF\xD8\xFF", b"RIFF", b"\0\0\0\x18ftyp", b"%PDF", b"<", b"OggS"]),
            rest in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let all = [begin, &rest].concat();
            prop_assert!(found(&all) != Found::Text || !all.contains(&0));
        }
    }
}
