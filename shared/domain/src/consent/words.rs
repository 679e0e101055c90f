//! Words by which customers opt out of messages, or in again.

use crate::{
    messages::{inbound::OptFlag, language::Recognized},
    templates::template::primary,
    tenants::tenant::Tenant,
};

/// Twilio's default English words, "stop promotions" of Meta's own opt-out button, and Arabic. Stop words are matched
/// generously: a missing message is repaired by one word, an unwanted one breaks a promise.
const STOP: &[&str] = &[
    "stop",
    "stop all",
    "stopall",
    "unsubscribe",
    "cancel",
    "end",
    "quit",
    "revoke",
    "opt out",
    "optout",
    "stop promotions",
    "stop messages",
    "إيقاف",
    "ايقاف الرسائل",
    "إلغاء",
    "إلغاء الاشتراك",
    "الغاء الاشتراك",
    "توقف",
    "أوقف",
    "قف",
    "وقف",
    "وقف الرسائل",
    "ستوب",
    "لا ترسل",
    "لا ترسلوا",
    "لا تراسلني",
];

/// Twilio also takes YES for a start. We do not, since it answers too many questions.
const START: &[&str] = &[
    "start",
    "unstop",
    "subscribe",
    "opt in",
    "optin",
    "ابدأ",
    "ابدا",
    "بدء",
    "اشتراك",
    "اشترك",
    "استئناف",
    "تفعيل",
];

const HELP: &[&str] = &["help", "info", "مساعدة"];

/// No opt-out has as many bytes, and longer texts are not worth the work.
const MAX_LENGTH: usize = 2_000;

/// The wish about messages in a text, if it is one.
///
/// The built-in words count only as the whole message, so that "can you stop by at five" stays a question. A tenant's own
/// phrases of several words also count inside a sentence. Case, punctuation, diacritics and variants of Arabic letters do
/// not matter.
pub fn opt_word(text: &str, tenant: &Tenant) -> Option<OptFlag> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let said = plain(text);
    if said.is_empty() {
        return None;
    }
    let whole = |words: &[&str]| words.iter().any(|word| plain(word) == said);
    let own = |phrases: &[String]| {
        phrases.iter().any(|phrase| {
            let phrase = plain(phrase);
            !phrase.is_empty()
                && (phrase == said || (phrase.contains(' ') && format!(" {said} ").contains(&format!(" {phrase} "))))
        })
    };
    if whole(STOP) || own(&tenant.stop_words) {
        Some(OptFlag::Stop)
    } else if whole(START) || own(&tenant.start_words) {
        Some(OptFlag::Start)
    } else if whole(HELP) {
        Some(OptFlag::Help)
    } else {
        None
    }
}

/// Words that Twilio answers itself by SMS, without a word about it: its default words for stop, start and help.
const OF_TWILIO: &[&str] = &[
    "stop",
    "stopall",
    "unsubscribe",
    "cancel",
    "end",
    "quit",
    "revoke",
    "optout",
    "start",
    "yes",
    "unstop",
    "help",
    "info",
];

/// Whether Twilio answers this text itself, if it is an SMS.
pub fn is_answered_by_twilio(text: &str) -> bool {
    text.len() <= MAX_LENGTH && OF_TWILIO.contains(&plain(text).as_str())
}

/// The language of a text that is one of the built-in words. The English ones are known everywhere and say nothing; an Arabic one
/// fills the gap if nothing else is known. `tenants`: the tags of the languages in which the tenant writes.
pub fn language(text: &str, tenants: &[String]) -> Option<Recognized> {
    const ARABIC: &str = "ar";
    if text.len() > MAX_LENGTH {
        return None;
    }
    let said = plain(text);
    let mut arabic = [STOP, START, HELP]
        .into_iter()
        .flatten()
        .filter(|word| !word.is_ascii());
    arabic.any(|word| plain(word) == said).then(|| {
        let own = tenants.iter().find(|tag| primary(tag) == ARABIC);
        Recognized {
            language: own.cloned().unwrap_or_else(|| ARABIC.to_owned()),
            certain: false,
        }
    })
}

/// The words in lower case with single spaces, without decoration.
fn plain(text: &str) -> String {
    let mut done = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match letter(c) {
            Letter::Is(c) => done.push(c),
            Letter::Nothing => {}
            Letter::Gap => {
                if !done.is_empty() && !done.ends_with(' ') {
                    done.push(' ');
                }
            }
        }
    }
    done.truncate(done.trim_end().len());
    done
}

enum Letter {
    Is(char),
    /// Whether the character is invisible or a mark on another letter.
    Nothing,
    Gap,
}

fn letter(c: char) -> Letter {
    Letter::Is(match c {
        // Arabic vowel signs, tatweel and Quranic marks; combining accents; joiners and direction marks; emoji selectors.
        '\u{0610}'..='\u{061A}'
        | '\u{0640}'
        | '\u{064B}'..='\u{065F}'
        | '\u{0670}'
        | '\u{06D6}'..='\u{06DC}'
        | '\u{0300}'..='\u{036F}'
        | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{2069}'
        | '\u{061C}'
        | '\u{00AD}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}' => return Letter::Nothing,
        'أ' | 'إ' | 'آ' | 'ٱ' => 'ا',
        'ى' | 'ی' | 'ئ' => 'ي',
        'ؤ' => 'و',
        'ة' => 'ه',
        'ک' | 'گ' => 'ك',
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'č' => 'c',
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ę' | 'ě' => 'e',
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'ı' => 'i',
        'ñ' | 'ń' | 'ň' => 'n',
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ō' | 'ő' => 'o',
        'ś' | 'š' | 'ş' | 'ș' => 's',
        'ù' | 'ú' | 'û' | 'ü' | 'ū' | 'ű' | 'ů' => 'u',
        'ý' | 'ÿ' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        // Full-width letters, as East Asian keyboards type them.
        '\u{FF41}'..='\u{FF5A}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        c if c.is_alphanumeric() => c,
        // The full stops of Indian scripts.
        '\u{0964}' | '\u{0965}' => return Letter::Gap,
        // Vowel signs of Indian scripts are marks but not decoration: without them, different words look the same.
        '\u{0900}'..='\u{0DFF}' => c,
        _ => return Letter::Gap,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::tenant;

    #[test]
    fn a_stop_word_counts_however_it_is_typed() {
        let tenant = tenant();
        for text in [
            "STOP",
            "Stop",
            " stop. ",
            "stop!!!",
            "“Stop”",
            "Stop 🙏",
            "S\u{200F}TOP",
            "ＳＴＯＰ",
            "Opt-out",
            "STOP ALL",
            "quit",
            "إيقاف",
            "ايقاف",
            "إِيقَاف",
            "إيقـــاف",
            "إيقاف.",
            "إلغاء الإشتراك",
            "الغاء",
            "توقف!",
            "Stop promotions",
        ] {
            assert_eq!(opt_word(text, &tenant), Some(OptFlag::Stop), "{text}");
        }
        for text in ["START", "unstop", "ابدأ", "إبدأ", "اشترك"] {
            assert_eq!(opt_word(text, &tenant), Some(OptFlag::Start), "{text}");
        }
        assert_eq!(opt_word("help?", &tenant), Some(OptFlag::Help));
    }

    #[test]
    fn a_sentence_is_not_a_stop_word() {
        let tenant = tenant();
        for text in [
            "",
            "👍",
            "can you stop by at five?",
            "please cancel my appointment",
            "the end of the week",
            "yes",
            "non stop",
            "هل يمكن إيقاف السيارة عندكم",
            "مرحبا",
        ] {
            assert_eq!(opt_word(text, &tenant), None, "{text}");
        }
    }

    #[test]
    fn an_arabic_word_tells_its_language() {
        let tags = |tags: &[&str]| -> Vec<String> { tags.iter().map(|tag| (*tag).to_owned()).collect() };
        let told = |text: &str, tenants: &[&str]| language(text, &tags(tenants)).map(|known| known.language);
        assert_eq!(told("مُساعدة!", &["en"]).as_deref(), Some("ar"));
        assert_eq!(told("إيقاف", &["en", "ar-AE"]).as_deref(), Some("ar-AE"));
        for text in ["HELP", "stop", "", "مرحبا", "هل يمكن إيقاف السيارة عندكم"] {
            assert_eq!(told(text, &["ar"]), None, "{text}");
        }
    }

    #[test]
    fn words_of_twilio_are_known_however_they_are_typed() {
        for text in ["STOP", " stop. ", "Help?", "info", "UNSTOP"] {
            assert!(is_answered_by_twilio(text), "{text}");
        }
        for text in ["", "Stop all", "إيقاف", "مساعدة", "can you help me?"] {
            assert!(!is_answered_by_twilio(text), "{text}");
        }
    }

    #[test]
    fn a_tenants_own_phrase_counts_inside_a_sentence() {
        let mut tenant = tenant();
        tenant.stop_words = vec!["arrêt".to_owned(), "मैसेज बंद".to_owned(), "no more texts".to_owned()];
        tenant.start_words = vec!["encore".to_owned()];
        assert_eq!(opt_word("Arret", &tenant), Some(OptFlag::Stop));
        assert_eq!(opt_word("un arrêt de bus", &tenant), None);
        assert_eq!(opt_word("Please, no more texts!", &tenant), Some(OptFlag::Stop));
        assert_eq!(opt_word("no more textsies", &tenant), None);
        assert_eq!(opt_word("कृपया मैसेज बंद करें।", &tenant), Some(OptFlag::Stop));
        assert_eq!(opt_word("Encore", &tenant), Some(OptFlag::Start));
    }
}
