//! The language of a text that a customer wrote.
//!
//! Short messages say little, and a wrong language is worse than none: then the tenant's first one is used. So a language is recognized
//! only if the text is long enough and the detector is sure of it among all languages that it knows; for languages of the tenant's own
//! texts, half as sure is enough. Otherwise, and with less weight, the tenant's languages are compared with each other.

use whatlang::{Detector, Info, Lang};

use crate::terms::primary_language;

/// Minimum length of the letters of a text, in bytes of UTF-8: letters of a script with many say more, and have more bytes.
const SHORTEST: usize = 16;

/// Maximum characters of a text that are looked at.
const MAX_LENGTH: usize = 1_000;

/// Confidence that is enough for one of the tenant's languages. A foreign language that reaches it is too likely to compare the tenant's
/// languages alone.
const LIKELY: f64 = 0.5;

/// A recognized language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognized {
    /// BCP 47 tag: the tenant's own, such as `pt-BR`, if the tenant has one of this language.
    pub language: String,
    /// Whether it was told from all known languages, and not only from the tenant's others.
    pub certain: bool,
}

/// Tags of the detector's languages by their codes of ISO 639-3. The first tag is written, the others are read, too. Esperanto
/// and Latin are missing: nobody writes to a business in them, but names look like them.
#[rustfmt::skip]
const TAGS: [(&str, &[&str]); 68] = [
    ("afr", &["af"]), ("aka", &["ak"]), ("amh", &["am"]), ("ara", &["ar"]), ("aze", &["az"]), ("bel", &["be"]),
    ("ben", &["bn"]), ("bul", &["bg"]), ("cat", &["ca"]), ("ces", &["cs"]), ("cmn", &["zh"]), ("cym", &["cy"]),
    ("dan", &["da"]), ("deu", &["de"]), ("ell", &["el"]), ("eng", &["en"]), ("est", &["et"]), ("fin", &["fi"]),
    ("fra", &["fr"]), ("guj", &["gu"]), ("heb", &["he"]), ("hin", &["hi"]), ("hrv", &["hr"]), ("hun", &["hu"]),
    ("hye", &["hy"]), ("ind", &["id"]), ("ita", &["it"]), ("jav", &["jv"]), ("jpn", &["ja"]), ("kan", &["kn"]),
    ("kat", &["ka"]), ("khm", &["km"]), ("kor", &["ko"]), ("lav", &["lv"]), ("lit", &["lt"]), ("mal", &["ml"]),
    ("mar", &["mr"]), ("mkd", &["mk"]), ("mya", &["my"]), ("nep", &["ne"]), ("nld", &["nl"]), ("nob", &["nb", "no"]),
    ("ori", &["or"]), ("pan", &["pa"]), ("pes", &["fa"]), ("pol", &["pl"]), ("por", &["pt"]), ("ron", &["ro"]),
    ("rus", &["ru"]), ("sin", &["si"]), ("slk", &["sk"]), ("slv", &["sl"]), ("sna", &["sn"]), ("spa", &["es"]),
    ("srp", &["sr"]), ("swe", &["sv"]), ("tam", &["ta"]), ("tel", &["te"]), ("tgl", &["fil", "tl"]), ("tha", &["th"]),
    ("tuk", &["tk"]), ("tur", &["tr"]), ("ukr", &["uk"]), ("urd", &["ur"]), ("uzb", &["uz"]), ("vie", &["vi"]),
    ("yid", &["yi"]), ("zul", &["zu"]),
];

/// The tags of a language; none if nobody writes to a business in it.
fn tags(language: Lang) -> &'static [&'static str] {
    let found = TAGS.iter().find(|(code, _)| *code == language.code());
    found.map_or(&[], |(_, tags)| tags)
}

/// The detector's language of a tag.
fn of_tag(tag: &str) -> Option<Lang> {
    let own = primary_language(tag);
    let (code, _) = TAGS.iter().find(|(_, tags)| tags.contains(&own.as_str()))?;
    Lang::from_code(*code)
}

/// The words of a text, without addresses, numbers and names of files, which are of no language.
fn words(text: &str) -> String {
    let begin = text
        .char_indices()
        .nth(MAX_LENGTH)
        .map_or(text, |(end, _)| &text[..end]);
    let no_word = |sign: char| sign.is_ascii_digit() || "@/_\\".contains(sign);
    let dotted = |word: &str| word.trim_end_matches('.').contains('.');
    let words = begin.split_whitespace();
    let words = words.filter(|word| !word.contains(no_word) && !dotted(word));
    words.collect::<Vec<_>>().join(" ")
}

/// The language of a text, if it can be told. `tenants`: the tags of the tenant's own languages.
pub fn recognize_language(text: &str, tenants: &[String]) -> Option<Recognized> {
    let text = &words(text);
    let letters = text.chars().filter(|sign| sign.is_alphabetic()).map(char::len_utf8);
    if letters.sum::<usize>() < SHORTEST {
        return None;
    }
    let known = |language: Lang| tenants.iter().find(|tag| of_tag(tag) == Some(language));
    let recognized = |language: Lang, certain: bool| {
        let tag = known(language)
            .map(String::as_str)
            .or_else(|| tags(language).first().copied())?;
        Some(Recognized {
            language: tag.to_owned(),
            certain,
        })
    };
    let best = Detector::new().detect(text)?;
    let likely = best.confidence() >= LIKELY;
    if best.is_reliable() || (likely && known(best.lang()).is_some()) {
        return recognized(best.lang(), true);
    }
    let mut own: Vec<Lang> = Vec::new();
    for language in tenants.iter().filter_map(|tag| of_tag(tag)) {
        if !own.contains(&language) {
            own.push(language);
        }
    }
    // Of one language alone, the detector would be sure.
    if own.len() < 2 || likely {
        return None;
    }
    let among_own = Detector::with_allowlist(own).detect(text).filter(Info::is_reliable);
    among_own.and_then(|best| recognized(best.lang(), false))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags_of(tenants: &[&str]) -> Vec<String> {
        tenants.iter().map(|tag| (*tag).to_owned()).collect()
    }

    /// The tag, with `?` if it is not certain; empty if nothing is recognized.
    fn recognized_tag(text: &str, tenants: &[&str]) -> String {
        let recognized = recognize_language(text, &tags_of(tenants));
        let shown = |Recognized { language, certain }| format!("{language}{}", if certain { "" } else { "?" });
        recognized.map(shown).unwrap_or_default()
    }

    #[test]
    fn long_texts_are_told_from_all_languages() {
        for (text, expected) in [
            (
                "Can I get a price list for the birthday cakes and do you deliver to Marina?",
                "en",
            ),
            ("أريد أن أطلب كيكتين ليوم السبت", "ar"),
            (
                "Je voudrais réserver une table pour quatre personnes demain soir, s'il vous plaît.",
                "fr",
            ),
            (
                "Gusto ko pong magpareserve ng mesa para sa apat na tao bukas ng gabi, salamat po.",
                "fil",
            ),
            ("नमस्ते, मुझे कल शाम चार लोगों के लिए एक टेबल बुक करनी है", "hi"),
            ("Добрый день, хочу заказать торт на субботу, есть ли доставка?", "ru"),
            ("你们明天开门吗？", "zh"),
            ("明日は開いていますか？", "ja"),
            ("내일 영업하시나요?", "ko"),
        ] {
            for tenants in [&[][..], &["en"], &["en", "ar"]] {
                assert_eq!(recognized_tag(text, tenants), expected, "{text}");
            }
        }
    }

    #[test]
    fn short_texts_are_told_from_the_tenants_languages() {
        for (text, expected) in [
            ("Do you have lemon cake?", "en?"),
            ("What are your opening hours?", "en?"),
            ("where are you located", "en?"),
            ("هل لديكم كيك بالليمون؟", "ar-AE?"),
            ("وين موقعكم؟", "ar-AE?"),
        ] {
            assert_eq!(recognized_tag(text, &["en", "ar-AE"]), expected, "{text}");
            // Without a choice, nothing is known.
            assert_eq!(recognized_tag(text, &["en"]), "", "{text}");
            assert_eq!(recognized_tag(text, &[]), "", "{text}");
        }
        assert_eq!(
            recognized_tag("Marina Walk, Princess Tower, Apartment", &["en", "ar"]),
            "en?"
        );
        // Another language is more likely.
        assert_eq!(recognized_tag("آپ کی دکان کہاں ہے؟", &["en", "ar"]), "");
        assert_eq!(
            recognized_tag("Combien coûte une coupe de cheveux ?", &["en", "ar"]),
            ""
        );
        assert_eq!(
            recognized_tag("Combien coûte une coupe de cheveux ?", &["en", "fr-CA"]),
            "fr-CA"
        );
        // Nearly certain, and one of the tenant's.
        let text = "Je voudrais réserver une table pour quatre personnes";
        assert_eq!(recognized_tag(text, &["en", "fr"]), "fr");
        let text = "أريد حجز طاولة لأربعة أشخاص مساء الغد من فضلك";
        assert_eq!(recognized_tag(text, &["en"]), "");
        assert_eq!(recognized_tag(text, &["en", "ar"]), "ar");
    }

    #[test]
    fn the_tenants_own_tag_is_kept() {
        let text = "Gostaria de reservar uma mesa para quatro pessoas amanhã à noite, por favor.";
        assert_eq!(recognized_tag(text, &["en", "pt-BR"]), "pt-BR");
        assert_eq!(recognized_tag(text, &["en", "pt-PT", "pt-BR"]), "pt-PT");
        assert_eq!(recognized_tag(text, &["en"]), "pt");
    }

    #[test]
    fn what_says_too_little_has_no_language() {
        let long = "ha".repeat(100_000);
        for text in [
            "",
            "Hi",
            "ok thanks",
            "مرحبا",
            "👍👍👍👍👍👍👍👍",
            "+971 50 123 4567",
            "maya.haddad@example.com",
            "https://example.com/products/lemon-cake?id=12345&ref=whatsapp",
            "www.example.com/a-rather-long-address",
            "IMG_20261120_120000.jpg ORDER-1042-XYZ-2026",
            "\u{202e}\u{200b}\u{0}",
            "営業時間",
            &long,
        ] {
            assert_eq!(recognized_tag(text, &["en", "fr", "ar"]), "", "{text:.80}");
        }
    }

    proptest::proptest! {
        /// Whatever customers write, the detector does not give up.
        #[test]
        fn every_text_can_be_looked_at(text in "\\PC{0,200}", alphabet in "[a-zäß'אבابپ一あ가 ]{16,80}") {
            let tenants = tags_of(&["en", "ar", "ru", "hi", "he", "zh", "xx", ""]);
            for text in [&text, &alphabet, &format!("{text} {alphabet}")] {
                if let Some(Recognized { language, .. }) = recognize_language(text, &tenants) {
                    proptest::prop_assert!(crate::terms::is_language(&language));
                }
            }
        }
    }

    #[test]
    fn every_language_of_the_detector_has_a_tag() {
        for language in Lang::all() {
            let none = matches!(language, Lang::Epo | Lang::Lat);
            assert_eq!(tags(*language).is_empty(), none, "{language:?}");
            for tag in tags(*language) {
                assert!(crate::terms::is_language(tag), "{tag}");
                assert_eq!(of_tag(&format!("{tag}-XX")), Some(*language), "{tag}");
            }
        }
        assert_eq!(of_tag("eo"), None);
        assert_eq!(of_tag("pt_BR"), Some(Lang::Por));
    }
}
