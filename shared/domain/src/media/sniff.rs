//! The type of a file by its first bytes, whatever its sender says.

use infer::MatcherType;

/// Bytes of the beginning that are looked at: the types that we know show themselves within these.
pub const SNIFFED_BYTES: usize = 8 * 1024;

/// Content type of unknown bytes.
pub const OCTETS: &str = "application/octet-stream";

/// The container of Office's files of before 2007. Its beginning does not say which program wrote it.
pub(crate) const OLE: &str = "application/x-ole-storage";

/// The types whose files may be nothing but text. A text begins like any other type by chance only, such as BM or MZ.
const TEXTUAL: [&str; 3] = ["application/pdf", "application/postscript", "application/rtf"];

/// Type that the first bytes show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sniffed {
    Program,
    /// HTML, SVG or other markup, or a script.
    Markup,
    /// Text in UTF-8.
    Text,
    Type(&'static str),
    /// Nothing that is known.
    Unknown,
}

/// Tells the type of a file from its first bytes.
pub(crate) fn sniff(beginning: &[u8]) -> Sniffed {
    let beginning = beginning.get(..SNIFFED_BYTES).unwrap_or(beginning);
    if let Some(mime) = detect_special_type(beginning) {
        return Sniffed::Type(mime);
    }
    if is_markup(beginning) {
        return Sniffed::Markup;
    }
    let is_text = is_text(beginning);
    let Some(kind) = infer::get(beginning) else {
        return match (begins_pdf(beginning, is_text), is_text) {
            (true, _) => Sniffed::Type("application/pdf"),
            (false, true) => Sniffed::Text,
            (false, false) => Sniffed::Unknown,
        };
    };
    match (kind.matcher_type(), kind.mime_type()) {
        (MatcherType::Text, _) => Sniffed::Markup,
        (_, mime) if is_text && !TEXTUAL.contains(&mime) => Sniffed::Text,
        (MatcherType::App, "application/x-x509-ca-cert") => Sniffed::Type(OCTETS),
        (MatcherType::App, mime) if is_program(mime, beginning) => Sniffed::Program,
        (MatcherType::App, _) => Sniffed::Unknown,
        (_, mime) => Sniffed::Type(usual(mime)),
    }
}

/// Types that the library does not know in all their forms.
fn detect_special_type(beginning: &[u8]) -> Option<&'static str> {
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

/// Whether the library knows it as a program by more than two bytes, which any table or unknown format may begin with.
fn is_program(mime: &str, beginning: &[u8]) -> bool {
    match mime {
        "application/vnd.microsoft.portable-executable" => is_portable_executable(beginning),
        // Compiled objects are called so, too.
        "application/x-executable" => beginning.starts_with(b"\x7fELF"),
        "application/x-llvm" => false,
        _ => true,
    }
}

/// Largest place of the header that makes a file a program of Windows. A file has at most 100 MB.
const LARGEST_PLACE: u32 = 100 * 1024 * 1024;

/// Whether its place of the further header is possible, and the header is there, as far as that has been read. Programs of DOS have none,
/// and nothing runs them today.
fn is_portable_executable(beginning: &[u8]) -> bool {
    let Some(place) = beginning.get(0x3C..).and_then(|rest| rest.first_chunk::<4>()) else {
        return false;
    };
    let place = u32::from_le_bytes(*place);
    let start = usize::try_from(place).unwrap_or(usize::MAX);
    match beginning.get(start..) {
        Some(rest) if rest.len() >= 4 => rest.starts_with(b"PE\0\0"),
        // Behind what has been read.
        _ => beginning.len() >= SNIFFED_BYTES && place <= LARGEST_PLACE,
    }
}

/// Whether a WebP says in its extended header that it moves. Source: RFC 9649, section 2.7.
pub(crate) fn is_animated(beginning: &[u8]) -> bool {
    const ANIMATION: u8 = 0b10;
    let is_extended = beginning.get(12..16) == Some(b"VP8X");
    is_extended && beginning.get(20).is_some_and(|flags| flags & ANIMATION != 0)
}

/// Whether the first page of an Ogg begins a stream of Opus. Its body begins behind a table of as many bytes as the page has segments.
/// Source: RFC 3533, section 6, and RFC 7845, section 5.1.
pub(crate) fn is_opus(beginning: &[u8]) -> bool {
    const TABLE: usize = 27;
    let segments = beginning.get(TABLE - 1).copied().unwrap_or_default();
    let body = beginning.get(TABLE + usize::from(segments)..).unwrap_or_default();
    beginning.starts_with(b"OggS") && body.starts_with(b"OpusHead")
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

/// Whether a PDF begins behind something else, such as a blank line or a printer's commands, as readers accept it within the first
/// kilobyte. A text may mention the mark, and a signed container (DER) holds a whole file. Source: Adobe's PDF Reference 1.7, appendix H, note 13.
fn begins_pdf(beginning: &[u8], is_text: bool) -> bool {
    const MARK: &[u8] = b"%PDF-";
    let reach = beginning.get(..1024).unwrap_or(beginning);
    let Some(place) = reach.windows(MARK.len()).position(|bytes| bytes == MARK) else {
        return false;
    };
    let before = &reach[..place];
    let before = before.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(before);
    before.trim_ascii().is_empty() || !(is_text || before.starts_with(&[0x30]))
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

/// Whether it is text in UTF-8, perhaps with its last character cut.
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
        assert_eq!(sniff(&text[..text.len() - 1]), Sniffed::Text);
        assert_eq!(sniff(&[0xC3]), Sniffed::Unknown);
        assert_eq!(sniff(b"a\0b"), Sniffed::Unknown);
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
            assert_eq!(sniff(text.as_bytes()), Sniffed::Text, "{text}");
        }
        assert_eq!(sniff(b"%PDF-1.7\n1 0 obj"), Sniffed::Type("application/pdf"));
        // Behind something else, but not merely mentioned, nor in what is something else.
        let binary = b"\x1b%-12345X@PJL\n%PDF-1.4\n%\xe2\xe3\xcf\xd3\n";
        for pdf in [&b"\r\n%PDF-1.7\n1 0 obj"[..], b"\xEF\xBB\xBF%PDF-1.7\n", binary] {
            assert_eq!(sniff(pdf), Sniffed::Type("application/pdf"), "{pdf:?}");
        }
        let late = [&[b' '; 1024][..], b"%PDF-1.7\n"].concat();
        for text in [&b"It begins with %PDF-1.7 as usual."[..], &late] {
            assert_eq!(sniff(text), Sniffed::Text);
        }
        assert_eq!(sniff(b"<p>%PDF-1.7"), Sniffed::Markup);
        assert_eq!(
            sniff(b"\x30\x82\x10\x00\x06\x09%PDF-1.7\n\xe2\xe3"),
            Sniffed::Type(OCTETS)
        );
        assert_eq!(sniff(b"{\\rtf1 Hello}"), Sniffed::Type("application/rtf"));
        assert_eq!(sniff(&windows(0x80)), Sniffed::Program);
        assert_eq!(sniff(b"BM\x36\0\0\0"), Sniffed::Type("image/bmp"));
    }

    /// A program of Windows whose further header is at this place.
    fn windows(place: u32) -> Vec<u8> {
        let mut program = b"MZ\x90\0\x03".to_vec();
        program.resize(0x3C, 0);
        program.extend_from_slice(&place.to_le_bytes());
        program.resize(usize::try_from(place).unwrap(), 0);
        program.extend_from_slice(b"PE\0\0\x64\x86");
        program
    }

    #[test]
    fn programs_are_known_by_more_than_two_bytes() {
        let far = windows(20_000);
        for program in [&windows(0x40)[..], &windows(0x1000), &far] {
            assert_eq!(sniff(program), Sniffed::Program);
        }
        let class = b"\xCA\xFE\xBA\xBE\0\0\0\x41";
        let [wasm, mach] = [b"\0asm\x01\0\0\0", b"\xCF\xFA\xED\xFE\x07\0\0\x01"];
        for program in [class, wasm, mach] {
            assert_eq!(sniff(program), Sniffed::Program, "{program:?}");
        }
        let elf = [b"\x7fELF".as_slice(), &[0; 60]].concat();
        assert_eq!(sniff(&elf), Sniffed::Program);
        // A table in Latin-1, which is no text in UTF-8.
        let table = [b"MZ;Stra\xDFe;Ort\r\n".as_slice(), &b"1;Gasse;Graz\r\n".repeat(900)].concat();
        for other in [
            &table[..],
            b"BC;Stra\xDFe",
            b"MZ\x90\0 no header",
            b"L\x01\0",
            b"d\x86\0\0",
            b"\0\x02\0\0",
            &windows(0x80)[..0x82],
        ] {
            assert_eq!(sniff(other), Sniffed::Unknown, "{:?}", &other[..3]);
        }
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
            assert_eq!(sniff(markup), Sniffed::Markup, "{markup:?}");
        }
        assert_eq!(sniff(b"1 < 2"), Sniffed::Text);
        assert_eq!(sniff(b"<3"), Sniffed::Text);
    }

    proptest! {
        /// Whatever arrives, also cut or mutated beginnings of files.
        #[test]
        fn no_beginning_with_a_zero_is_text(
            begin in prop::sample::select(vec![&b""[..], b"PK\x03\x04", b"\xFF\xD8\xFF", b"RIFF", b"\0\0\0\x18ftyp", b"%PDF", b"<", b"OggS"]),
            rest in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let all = [begin, &rest].concat();
            prop_assert!(sniff(&all) != Sniffed::Text || !all.contains(&0));
        }
    }
}
