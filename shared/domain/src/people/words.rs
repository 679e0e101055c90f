//! Words of customers who opt out of messages, or in again.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::messages::{InboundMessage, OptFlag};
use crate::people::{OwnWords, Recognized, split_quotation};
use crate::tenants::Tenant;
use crate::terms::primary_language;

/// Words that mean one thing only, so that they refuse messages with politeness, repetitions and a signature around them, too, and on
/// buttons. [`STOPPED`] completes them.
#[rustfmt::skip]
const STOPS: &[&str] = &[
    "stop", "stop all", "stop it", "stopall", "s t o p", "stop texting", "stop texting me", "stop messaging", "stop messaging me",
    "stop sending",
    "unsubscribe", "unsubscribe me", "unsubscribe all", "unsubscribe me from all", "opt out", "optout", "opt me out", "opt out of all",
    "إيقاف", "توقف", "توقفي", "توقفوا", "التوقف", "أوقف", "أوقفوا", "ستوب", "إلغاء الاشتراك", "إلغاء اشتراك", "إلغاء اشتراكي",
    "إيقاف الاشتراك", "إيقاف اشتراكي", "لا تراسلني", "لا تراسلوني",
];

/// Further texts that stop messages beyond doubt: each of these verbs before each of these objects, with or without a
/// word for how many or whose between them. `stop promotions`, and its Arabic, is the label of Meta's own button.
#[rustfmt::skip]
const STOPPED: [(&[&str], &[&str], &[&str]); 2] = [
    (
        &[
            "stop", "stop sending", "stop sending me", "unsubscribe", "unsubscribe from", "unsubscribe me from", "opt out", "opt out of",
            "opt out from", "opt me out of", "opt me out from",
        ],
        &["", "all", "the", "these", "your", "all the", "all of the", "all these", "all your", "any"],
        &[
            "messages", "message", "msgs", "msg", "texts", "text", "text messages", "sms", "promotions", "promotion", "promos", "promo",
            "promotional messages", "promotional texts", "promotional sms", "marketing", "marketing messages", "marketing texts", "offers",
            "ads",
        ],
    ),
    (
        &[
            "إيقاف", "أوقف", "أوقفوا", "وقف", "وقفوا", "توقف عن", "توقفوا عن", "التوقف عن", "لا ترسل", "لا ترسلوا",
            "لا ترسل لي", "لا ترسلوا لي", "إلغاء", "عدم",
        ],
        &["", "كل", "جميع"],
        &[
            "الرسائل", "رسائل", "رسائلكم", "هذه الرسائل", "الإرسال", "إرسال الرسائل", "إرسال رسائل", "المراسلة", "مراسلتي", "العروض",
            "العروض الترويجية", "الرسائل الترويجية", "الرسائل الدعائية", "الرسائل الإعلانية", "الرسائل التسويقية", "الإعلانات", "الترويج",
        ],
    ),
];

/// Words that refuse messages as the whole message only: with anything beside them, they answer what the business asked or announced.
#[rustfmt::skip]
const WHOLE_STOPS: &[&str] = &[
    "cancel", "end", "quit", "revoke", "إلغاء", "قف", "وقف", "لا ترسل", "لا ترسلوا",
];

/// Twilio also takes YES for a start. We do not, since it answers too many questions.
#[rustfmt::skip]
const START: &[&str] = &[
    "start", "unstop", "subscribe", "opt in", "optin", "ابدأ", "بدء", "اشتراك", "اشترك", "استئناف", "تفعيل",
];

const HELP: &[&str] = &["help", "info", "مساعدة"];

#[rustfmt::skip]
const POLITE: &[&str] = &[
    "please", "pls", "plz", "kindly", "hi", "hello", "sir", "madam", "dear sir", "dear madam", "hey", "good morning",
    "good afternoon", "good evening", "ok", "okay", "sorry", "wrong number",
    "por favor", "s il vous plait", "svp", "bitte", "من فضلك", "من فضلكم", "لو سمحت",
    "لو سمحتي", "لو سمحتم", "إذا سمحت", "رجاء", "رجاءا", "الرجاء", "برجاء", "يرجى", "أرجو", "أرجوك", "أرجوكم", "فضلا", "لطفا", "مرحبا",
    "السلام عليكم", "السلام عليكم ورحمة الله", "السلام عليكم ورحمة الله وبركاته", "صباح الخير", "مساء الخير", "أهلا", "بليز", "عفوا",
];

/// Words of politeness that a signature may follow. Arabic joins its "and" to them.
#[rustfmt::skip]
const CLOSINGS: &[&str] = &[
    "thanks", "thank you", "thank u", "thx", "ty", "cheers", "many thanks", "thanks a lot", "thanks again", "thanks so much",
    "thanks very much", "thank you so much", "thank you very much", "no thanks", "no thank you", "regards", "best regards",
    "kind regards", "warm regards", "best wishes", "sincerely", "merci", "gracias", "danke", "bye", "good bye", "goodbye",
    "شكرا", "شكرا لك", "شكرا لكم", "شكرا جزيلا",
    "مشكور", "مشكورين", "مع الشكر", "تحياتي", "مع تحياتي",
];

/// Words that devices sign messages with, in a new line or sentence.
#[rustfmt::skip]
const DEVICES: &[&str] = &[
    "sent from", "sent via", "get outlook for", "أرسلت من", "تم الإرسال من", "مرسل من",
];

/// Words that are no name of somebody who signs, as [`plain`] has them.
#[rustfmt::skip]
const NO_NAMES: &[&str] = &[
    "a", "about", "after", "again", "all", "am", "an", "and", "are", "as", "at", "be", "because", "before", "book", "bring", "but", "by",
    "call", "can", "cancel", "check", "come", "did", "do", "does", "don", "end", "for", "from", "get", "give", "go", "had", "has", "have",
    "he", "help", "here", "hi", "how", "i", "if", "im", "in", "info", "is", "it", "just", "later", "leave", "let", "me", "message", "motion",
    "must", "my", "need", "never", "no", "not", "now", "of", "off", "ok", "okay", "on", "only", "open", "or", "order", "our", "please",
    "quit", "send", "she", "should", "show", "so", "sorry", "start", "stop", "take", "tell", "text", "that", "the", "then", "there", "they",
    "this", "to", "today", "tomorrow", "tonight", "unless", "until", "wait", "was", "we", "what", "when", "where", "who", "why", "will",
    "with", "wrong", "yes", "you", "your", "sent", "via", "next", "last", "week", "weekend", "month", "year", "day", "date", "time", "change",
    "reschedule", "postpone", "move", "delay", "cancelled", "canceled", "tmrw", "tmw", "yesterday", "soon", "asap", "morning",
    "noon", "afternoon", "evening", "night", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "mon", "tue",
    "tues", "wed", "thu", "thurs", "fri", "sat", "sun", "january", "february", "march", "april", "may", "june", "july", "august",
    "september", "october", "november", "december", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec",
    "لا", "نعم", "ليس", "غدا", "بكره", "بكرا", "كم", "عندي", "كلمني",
    "اليوم", "الان", "بعدين", "من", "في", "عن", "الي", "هذا", "هذه", "هنا", "هناك", "انا", "انت", "هل", "متي",
    "اين", "كيف", "لماذا", "لكن", "او", "ثم", "حتي", "ابدا", "اتصل", "ارسل", "انتظر", "تعال", "خلاص", "قبل", "بعد", "عند",
];

/// Whether a part of a message stops messages, or is politeness.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Stop,
    Polite,
    Closing,
}

/// The words of parts, the longest first, by their first word.
type Parts = BTreeMap<String, Vec<(Vec<String>, Part)>>;

/// The parts of a refusal.
static PARTS: LazyLock<Parts> = LazyLock::new(|| {
    let stopped = STOPPED.into_iter().flat_map(|(verbs, which, objects)| {
        let before = verbs
            .iter()
            .flat_map(move |verb| which.iter().map(move |which| format!("{verb} {which}")));
        before.flat_map(move |before| {
            objects
                .iter()
                .map(move |object| (format!("{before} {object}"), Part::Stop))
        })
    });
    let joined = CLOSINGS.iter().filter(|words| !words.is_ascii());
    let joined = joined.map(|words| (format!("و{words}"), Part::Closing));
    let listed = [(STOPS, Part::Stop), (POLITE, Part::Polite), (CLOSINGS, Part::Closing)];
    let listed = listed
        .into_iter()
        .flat_map(|(words, part)| words.iter().map(move |words| ((*words).to_owned(), part)));
    let parts = listed.chain(stopped).chain(joined);
    let mut parts: Vec<_> = parts.map(|(text, part)| (split(&text), part)).collect();
    parts.sort_by_key(|(words, _)| std::cmp::Reverse(words.len()));
    let mut by_first = Parts::new();
    for (words, part) in parts {
        by_first.entry(words[0].clone()).or_default().push((words, part));
    }
    by_first
});

/// Maximum bytes of a text that is looked at: no opt-out is longer.
const MAX_LENGTH: usize = 4_000;

/// The wish about messages in a customer's message, if it is one: the provider's flag, a word that the customer typed, or a button that
/// stops messages. Buttons cannot do anything else, since their labels are the business's words. A refusal is one whatever the flag.
///
/// `marketing`: whether it answers a marketing template. That matters only if it [`is_stop_label`].
pub fn wish_in_message(message: &InboundMessage, marketing: bool, tenant: &Tenant) -> Option<OptFlag> {
    let said = match message.typed_text() {
        Some(text) => wish_in_text(text, tenant),
        None => (is_stop_payload(message) || (marketing && is_stop_label(message))).then_some(OptFlag::Stop),
    };
    said.filter(|said| *said == OptFlag::Stop).or(message.opt_flag).or(said)
}

/// Whether a message presses a button whose payload stops messages. Meta sends the label if the business gave the button no payload, and
/// the answers of a form as JSON.
fn is_stop_payload(message: &InboundMessage) -> bool {
    let label = message.text.as_deref().map(plain);
    let payload = message.payload.as_deref().filter(|payload| !payload.starts_with('{'));
    payload.is_some_and(|payload| Some(plain(payload)) != label && is_refusal(payload))
}

/// Whether a message presses a button whose label stops messages.
pub fn is_stop_label(message: &InboundMessage) -> bool {
    message.is_press() && message.text.as_deref().is_some_and(is_refusal)
}

/// The wish about messages in a text, if it is one.
///
/// The built-in words count only as the whole message, so that "can you stop by at five" stays a question; [`STOPS`] also among
/// politeness, and beside a quotation. A tenant's own phrases of several words also count inside a sentence. What is quoted never opts
/// in; it opts out as the whole quotation, unless the text asks about it or quotes it as a line. Case, punctuation, diacritics and
/// variants of Arabic letters do not matter.
pub fn wish_in_text(text: &str, tenant: &Tenant) -> Option<OptFlag> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let whole = plain(text);
    if whole.is_empty() {
        return None;
    }
    let OwnWords {
        own,
        quoted,
        lines,
        before,
    } = split_quotation(text);
    let quotes = lines || !quoted.is_empty();
    let alone = !quoted.is_empty() && own == text;
    let asks = text.contains(['?', '؟']);
    let stated = !lines && (quoted.is_empty() || !asks);
    let object = before.iter().any(|before| {
        let before_it = plain(before);
        is_refusal(before) || tenant.stop_words.iter().any(|phrase| plain(phrase) == before_it)
    });
    let beside = if alone && asks { String::new() } else { plain(&own) };
    let within = |phrase: &str| phrase.contains(' ') && format!(" {beside} ").contains(&format!(" {phrase} "));
    let named = |phrase: &str| {
        let mut quoted = quoted.iter();
        !asks && phrase.contains(' ') && quoted.any(|quoted| plain(quoted) == phrase)
    };
    let stops =
        |phrase: &str| (stated && phrase == whole) || (!object && phrase == beside) || within(phrase) || named(phrase);
    let starts = |phrase: &str| (!quotes && phrase == whole) || (!alone && within(phrase));
    let own_words = |phrases: &[String], count: &dyn Fn(&str) -> bool| {
        let mut phrases = phrases.iter().map(|phrase| plain(phrase));
        phrases.any(|phrase| !phrase.is_empty() && count(&phrase))
    };
    let is = |words: &[&str]| !quotes && words.iter().any(|word| plain(word) == whole);
    let refuses = (stated && is_refusal(text)) || (!object && !alone && is_refusal(&own));
    if is(WHOLE_STOPS) || refuses || own_words(&tenant.stop_words, &stops) {
        Some(OptFlag::Stop)
    } else if (is(START) && !is_never(text)) || own_words(&tenant.start_words, &starts) {
        Some(OptFlag::Start)
    } else if is(HELP) {
        Some(OptFlag::Help)
    } else {
        None
    }
}

/// Whether a text is أبدا, "never", which only its last letter tells from ابدأ, "start".
fn is_never(text: &str) -> bool {
    let composed = text.replace("ا\u{654}", "أ");
    let last = composed.chars().rfind(|c| matches!(letter(*c), Letter::Is(_)));
    last == Some('ا')
}

/// Whether a text consists of [`STOPS`], politeness and a signature.
fn is_refusal(text: &str) -> bool {
    if text.len() > MAX_LENGTH {
        return false;
    }
    let words = words(text);
    let (mut rest, mut stops, mut last) = (&words[..], false, None);
    while let Some((length, part)) = first_part(rest) {
        rest = &rest[length..];
        stops |= part == Part::Stop;
        last = Some(part);
    }
    stops && (rest.is_empty() || is_signature(text, rest, last == Some(Part::Closing)))
}

/// The longest part that begins these words, with the number of its words.
fn first_part(said: &[Word]) -> Option<(usize, Part)> {
    let (words, part) = PARTS
        .get(&said.first()?.plain)?
        .iter()
        .find(|(words, _)| begins(said, words))?;
    Some((words.len(), *part))
}

fn begins(said: &[Word], words: &[String]) -> bool {
    said.len() >= words.len() && said.iter().zip(words).all(|(said, word)| said.plain == *word)
}

/// Whether these words, the last ones of a text, are a signature: a name in a new line, behind a dash or behind words that close a letter,
/// or the signature of a device. In scripts without capitals, nothing tells a name from other words, except words that close a letter.
fn is_signature(text: &str, rest: &[Word], closed: bool) -> bool {
    const DASHES: [char; 5] = ['-', '–', '—', '―', '~'];
    const MOST: usize = 3;
    const MOST_OF_DEVICE: usize = 4;
    let is_device = |at: &usize| {
        let said = &rest[*at..];
        let gap = &text[said[0].gap..said[0].start];
        let fits = |device: &[String]| begins(said, device) && said.len() <= device.len() + MOST_OF_DEVICE;
        gap.contains(['\n', '.']) && DEVICES.iter().any(|device| fits(&split(device)))
    };
    let asks = text[rest[0].start..].contains(['?', '!', '؟']);
    let device = (0..rest.len().min(MOST + 1)).find(is_device);
    let name = &rest[..device.unwrap_or(rest.len())];
    let (Some(first), Some(last)) = (name.first(), name.last()) else {
        return !asks;
    };
    let gap = &text[first.gap..first.start];
    let line = gap.contains('\n');
    // A dash within a word joins its parts.
    let dash = gap.contains(DASHES) && gap.chars().count() > 1;
    let is_name = |word: &Word| {
        let raw = &text[word.start..word.end];
        let first = raw.chars().next().unwrap_or_default();
        // Behind a full stop or in a new line, the dash alone says it.
        let dashed = dash && (line || gap.contains('.')) && first.is_lowercase();
        let cased = first.is_uppercase() || dashed || (closed && first.is_lowercase() && name.len() == 1);
        let uncased = closed && !first.is_lowercase() && name.len() < MOST && !name[0].plain.starts_with("ال");
        let letters = raw.chars().all(|c| !c.is_numeric());
        letters && (cased || uncased) && !NO_NAMES.contains(&word.plain.as_str())
    };
    let in_capitals = !text[..last.end].contains(char::is_lowercase);
    let most = match (dash, closed || !in_capitals) {
        (true, _) => MOST,
        (false, true) => MOST - 1,
        (false, false) => 1,
    };
    (line || dash || closed) && !asks && name.len() <= most && name.iter().all(is_name)
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

/// The language of a text that is one of the built-in words. The English ones are known everywhere and say nothing; an
/// Arabic one fills the gap if nothing else is known. `tenants`: tags of the tenant's languages.
pub fn language_of_wish(text: &str, tenants: &[String]) -> Option<Recognized> {
    const ARABIC: &str = "ar";
    if text.len() > MAX_LENGTH || text.is_ascii() {
        return None;
    }
    let said = plain(text);
    let mut whole = [WHOLE_STOPS, START, HELP].into_iter().flatten();
    let known = is_refusal(text) || whole.any(|word| plain(word) == said);
    let arabic = |c: char| ('\u{0600}'..='\u{06FF}').contains(&c);
    (known && said.contains(arabic)).then(|| {
        let own = tenants.iter().find(|tag| primary_language(tag) == ARABIC);
        Recognized {
            language: own.cloned().unwrap_or_else(|| ARABIC.to_owned()),
            certain: false,
        }
    })
}

/// A word of a text.
struct Word {
    /// The word in lower case, without decoration.
    plain: String,
    /// Where what stands before it begins, and where it begins and ends itself.
    gap: usize,
    start: usize,
    end: usize,
}

/// The words of a text.
fn words(text: &str) -> Vec<Word> {
    let (mut words, mut gap) = (Vec::new(), 0);
    let mut word: Option<Word> = None;
    for (at, c) in text.char_indices() {
        for letter in c.to_lowercase().map(letter) {
            match letter {
                Letter::Is(c) => {
                    let new = || Word {
                        plain: String::new(),
                        gap,
                        start: at,
                        end: at,
                    };
                    word.get_or_insert_with(new).plain.push(c);
                }
                Letter::Nothing => {}
                Letter::Gap => {
                    if let Some(word) = word.take() {
                        gap = at;
                        words.push(Word { end: at, ..word });
                    }
                }
            }
        }
    }
    words.extend(word.map(|word| Word {
        end: text.len(),
        ..word
    }));
    words
}

fn split(text: &str) -> Vec<String> {
    words(text).into_iter().map(|word| word.plain).collect()
}

/// The words in lower case with single spaces, without decoration.
fn plain(text: &str) -> String {
    split(text).join(" ")
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

    #[test]
    fn an_arabic_word_tells_its_language() {
        let tags = |tags: &[&str]| -> Vec<String> { tags.iter().map(|tag| (*tag).to_owned()).collect() };
        let told = |text: &str, tenants: &[&str]| language_of_wish(text, &tags(tenants)).map(|known| known.language);
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
}
