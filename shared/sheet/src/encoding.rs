use std::borrow::Cow;
use std::str::FromStr;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use serde::{Deserialize, Serialize};

/// The encoding of a table, by its name in the WHATWG's Encoding Standard, such as `windows-1256`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub struct Encoding(&'static encoding_rs::Encoding);

/// The name is not that of an encoding that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the name of an encoding, such as UTF-8, UTF-16LE or windows-1256")]
pub struct UnknownEncoding;

impl Encoding {
    pub const UTF_8: Self = Self(encoding_rs::UTF_8);

    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// Bytes of a code unit.
    pub fn width(self) -> usize {
        if self.is_utf_16() { 2 } else { 1 }
    }

    /// Whether a `|` may be half of another character, as in Shift_JIS and Big5. The other separators, quotes and line breaks
    /// never are.
    pub(crate) fn hides_pipes(self) -> bool {
        !self.is_utf_16() && self.0 != encoding_rs::UTF_8 && !self.0.is_single_byte()
    }

    /// The code unit in `width` bytes.
    pub(crate) fn unit(self, bytes: &[u8]) -> u16 {
        let high_first = bytes.iter().fold(0, |unit: u16, byte| unit << 8 | u16::from(*byte));
        if self.0 == encoding_rs::UTF_16LE {
            high_first.swap_bytes()
        } else {
            high_first
        }
    }

    fn is_utf_16(self) -> bool {
        self.0 == encoding_rs::UTF_16LE || self.0 == encoding_rs::UTF_16BE
    }

    /// The text of these bytes, with `\u{fffd}` in place of invalid ones, and whether there are any.
    pub(crate) fn decode(self, bytes: &[u8]) -> (Cow<'_, str>, bool) {
        self.0.decode_without_bom_handling(bytes)
    }

    /// The encoding that a byte order mark names, and the mark's length.
    pub(crate) fn by_mark(sample: &[u8]) -> Option<(Self, usize)> {
        encoding_rs::Encoding::for_bom(sample).map(|(encoding, length)| (Self(encoding), length))
    }

    /// The most likely encoding of bytes without a mark. `region` is the ISO 3166 code of the country that they probably come
    /// from; `whole` says whether there are no more.
    pub(crate) fn guess(sample: &[u8], whole: bool, region: Option<&str>) -> Self {
        let (mut valid, mut invalid) = (0_usize, 0_usize);
        let mut chunks = sample.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            valid += chunk.valid().bytes().filter(|byte| *byte >= 0xc0).count();
            // A character that the end of the sample cuts is not wrong.
            let last = !whole && chunks.peek().is_none();
            let cut = last && std::str::from_utf8(chunk.invalid()).is_err_and(|error| error.error_len().is_none());
            invalid += usize::from(!chunk.invalid().is_empty() && !cut);
        }
        // In other encodings, hardly any letters happen to be valid UTF-8. So a few invalid ones among many valid ones come from
        // elsewhere: the file is damaged, and refused with the first of their rows.
        if invalid == 0 || valid > invalid {
            return Self::UTF_8;
        }
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        detector.feed(sample, whole);
        // The detector asks for a top-level domain, which the country's code nearly always is, and panics at other texts.
        let domain = region.filter(|region| region.len() == 2 && region.bytes().all(|byte| byte.is_ascii_alphabetic()));
        let domain = domain.map(str::to_ascii_lowercase);
        Self(detector.guess(domain.as_deref().map(str::as_bytes), Utf8Detection::Deny))
    }
}

impl FromStr for Encoding {
    type Err = UnknownEncoding;

    fn from_str(name: &str) -> Result<Self, UnknownEncoding> {
        let encoding = encoding_rs::Encoding::for_label(name.as_bytes()).map(Self);
        // Others than these write line breaks and quotes as ASCII does, or are UTF-16.
        let readable = |encoding: &Self| encoding.is_utf_16() || encoding.0.is_ascii_compatible();
        let no_text = |encoding: &Self| encoding.0 == encoding_rs::X_USER_DEFINED;
        encoding
            .filter(|encoding| readable(encoding) && !no_text(encoding))
            .ok_or(UnknownEncoding)
    }
}

impl TryFrom<String> for Encoding {
    type Error = UnknownEncoding;

    fn try_from(name: String) -> Result<Self, UnknownEncoding> {
        name.parse()
    }
}

impl From<Encoding> for &'static str {
    fn from(encoding: Encoding) -> Self {
        encoding.name()
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Encoding {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Encoding".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "maxLength": 40,
            "description": "The encoding of a table, by its name in the WHATWG's Encoding Standard.",
            "examples": ["windows-1256"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(text: &str, encoding: &'static encoding_rs::Encoding, region: Option<&str>) -> &'static str {
        let (bytes, _, lost) = encoding.encode(text);
        assert!(!lost, "{text}");
        Encoding::guess(&bytes, true, region).name()
    }

    #[test]
    fn short_lists_of_names_are_recognised() {
        let arabic = "الاسم,الهاتف\r\nمايا حداد,0501234567\r\nعمر خليل,0501234568\r\n";
        assert_eq!(guess(arabic, encoding_rs::WINDOWS_1256, None), "windows-1256");
        assert_eq!(guess(arabic, encoding_rs::WINDOWS_1256, Some("AE")), "windows-1256");
        let german = "Name;Straße\r\nJürgen Müller;Königsallee 1\r\nAndré Weiß;Gänsemarkt 3\r\n";
        assert_eq!(guess(german, encoding_rs::WINDOWS_1252, None), "windows-1252");
        assert_eq!(guess(german, encoding_rs::UTF_8, Some("DE")), "UTF-8");
        assert_eq!(guess("a,b\r\n", encoding_rs::UTF_8, None), "UTF-8");
    }

    #[test]
    fn a_cut_or_wrong_character_leaves_utf_8() {
        let text = "Jürgen,Müller,Köln\n".as_bytes();
        let cut = [text, "ü".as_bytes().split_at(1).0].concat();
        assert_eq!(Encoding::guess(&cut, false, None), Encoding::UTF_8);
        let mixed = [text, b"J\xfcrgen\n"].concat();
        assert_eq!(Encoding::guess(&mixed, true, None), Encoding::UTF_8);
    }

    #[test]
    fn odd_regions_do_not_matter() {
        for region in ["", "GB", "É", "a.", "١١", "usa"] {
            let _ = Encoding::guess(b"J\xfcrgen M\xfcller\n", true, Some(region));
        }
    }

    #[test]
    fn encodings_have_names() {
        for (name, expected) in [("utf8", "UTF-8"), ("UTF-16BE", "UTF-16BE"), ("cp1256", "windows-1256")] {
            let encoding: Encoding = name.parse().unwrap();
            assert_eq!(encoding.name(), expected);
            let json = serde_json::to_string(&encoding).unwrap();
            assert_eq!(serde_json::from_str::<Encoding>(&json).unwrap(), encoding);
        }
        for name in ["", "utf-7", "iso-2022-jp", "replacement", "x-user-defined"] {
            assert_eq!(name.parse::<Encoding>(), Err(UnknownEncoding), "{name}");
        }
    }
}
