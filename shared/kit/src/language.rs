//! The language that a browser prefers.

/// Which of our languages is preferred by a header `Accept-Language`; `None` if it names none of them. Regions do not matter.
pub fn accepted_language<'a>(header: &str, ours: &[&'a str]) -> Option<&'a str> {
    let mut wanted: Vec<(f32, &'a str)> = Vec::new();
    for range in header.split(',') {
        let (language, quality) = range.split_once(";q=").unwrap_or((range, "1"));
        let quality = quality.trim().parse().unwrap_or(0.0);
        let primary = language.split(['-', '_']).next().unwrap_or_default().trim();
        let known = ours.iter().find(|known| known.eq_ignore_ascii_case(primary));
        if let Some(known) = known
            && quality > 0.0
        {
            wanted.push((quality, known));
        }
    }
    // The first of those that are wanted most.
    let best = wanted.iter().map(|(quality, _)| *quality).reduce(f32::max)?;
    let mut wanted = wanted.into_iter();
    wanted.find(|(quality, _)| *quality >= best).map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_language_is_found_by_preference() {
        for (header, language) in [
            ("ar", Some("ar")),
            ("ar-AE,ar;q=0.9,en;q=0.8", Some("ar")),
            ("en-GB, ar;q=0.9", Some("en")),
            ("ar;q=0.5, en;q=0.9", Some("en")),
            ("fr, en;q=0.3, ar;q=0.7", Some("ar")),
            ("AR_EG", Some("ar")),
            ("fr-FR, de", None),
            ("ar;q=0", None),
            ("*", None),
            ("", None),
            (";q=,,q=1;en", None),
        ] {
            assert_eq!(accepted_language(header, &["en", "ar"]), language, "{header}");
        }
    }
}
