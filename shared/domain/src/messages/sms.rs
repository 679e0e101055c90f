//! Segments of an SMS, by which it is billed.

/// The characters of GSM 03.38 that take one unit. All others of it take two.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ!\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿\
                     abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENDED: &str = "^{}\\[~]|€\u{c}";

/// The number of segments that a text is sent in: at least one. With any character outside GSM 03.38, it is sent in UTF-16.
pub fn segments(text: &str) -> u32 {
    let units = |c| match c {
        _ if BASIC.contains(c) => Some(1),
        _ if EXTENDED.contains(c) => Some(2),
        _ => None,
    };
    let gsm: Option<usize> = text.chars().map(units).sum();
    let (units, one, several) = gsm.map_or_else(|| (text.encode_utf16().count(), 70, 67), |units| (units, 160, 153));
    let segments = if units <= one { 1 } else { units.div_ceil(several) };
    u32::try_from(segments).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::segments;

    #[test]
    fn segments_depend_on_length_and_characters() {
        for (text, expected) in [
            (String::new(), 1),
            ("x".repeat(160), 1),
            ("x".repeat(161), 2),
            ("x".repeat(306), 2),
            ("x".repeat(307), 3),
            ("€".repeat(80), 1),
            ("€".repeat(81), 2),
            ("ش".repeat(70), 1),
            ("ش".repeat(71), 2),
            ("🙂".repeat(35), 1),
            ("🙂".repeat(36), 2),
        ] {
            assert_eq!(segments(&text), expected, "{} characters", text.chars().count());
        }
    }
}
