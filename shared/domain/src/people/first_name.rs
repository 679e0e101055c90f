//! The first name in a name, as people, networks and tables write it.

use std::ops::Range;

use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, GeneralCategoryGroup};

use crate::terms::{ShownName, fold};

/// Meaning of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A name, or part of one.
    Name,
    Title,
    /// A degree or generation behind a name.
    Suffix,
    /// Joins two titles; otherwise a name.
    And,
    /// A title before a first name, but a name before a family's, as in "Sheikha Al Kaabi".
    TitleOrName,
    /// The beginning of a name that means something else alone: عبد is "slave".
    Begins,
    /// The beginning of a name that is also used alone.
    BeginsOrName,
    /// Joins the names beside it.
    Joins,
    /// The end of a name after an article, such as "Nour El Din".
    Ends,
    /// The end of a name in one word with its article.
    EndsWithArticle,
    /// The legal form of a company, or a word for one.
    Company,
    /// An initial, a word with digits, or the beginning of a phrase that is no name.
    Nameless,
}

/// The table, in the form of [`key`]. Other words are names.
const WORDS: [(Kind, &str); 10] = [
    (
        Kind::Title,
        "mr mrs ms miss mx mister sir madam madame mme mlle monsieur herr frau senor senora sr sra srta dr doctor md med prof professor \
         eng engr engineer ing sheikh shaikh sheik shaykh haj hajj haji hajji hajja hajjah alhaj alhajj ustadh ustaz capt captain cpt \
         sgt rev hon shri smt col lt maj arch adv dra ustad \
         السيد السيده الانسه مدام الدكتور الدكتوره دكتور دكتوره البروفيسور بروفيسور الاستاذ الاستاذه استاذ استاذه الشيخ الشيخه الحاج \
         الحاجه الحجه حجي المهندس المهندسه مهندس مهندسه المحامي المحاميه المستشار الكابتن كابتن الاخ الاخت شيخ حاج انسه سيده",
    ),
    (Kind::Suffix, "jr ii iii iv phd mba msc bsc dds esq ceo"),
    (Kind::And, "and und et"),
    (Kind::TitleOrName, "sheikha shaikha"),
    (
        Kind::Begins,
        "abd ibn bint umm عبد رب امه ابو ابا ام ابن بن بنت ال بو ذو",
    ),
    (
        Kind::BeginsOrName,
        "abdul abdel abdal abdur abdus abdoul abu abou abo bu bou um om bin al el van von der de del della di da dos du la le st",
    ),
    (Kind::Joins, "ul ud ur un"),
    (
        Kind::Ends,
        "din deen dine islam huda haq abidin abedin rahman rehman nisa lah دين اسلام هدي حق عابدين رحمن زمان له",
    ),
    (
        Kind::Company,
        "inc incorporated corp corporation company llc llp ltd limited plc gmbh sarl wll fze fzc fzco fzllc شركه موسسه ذمم شمم شمع",
    ),
    (Kind::Nameless, "الحمد سبحان استغفر اللهم بسم لا ما ماشاء ان يا يارب"),
];

/// Articles before the ends of names, as they are spoken there.
const ARTICLES: [&str; 9] = ["al", "el", "ad", "ed", "ul", "ud", "ur", "un", "ال"];

impl Kind {
    fn of(key: &str) -> Self {
        let known = |key: &str| WORDS.iter().find(|(_, words)| words.split(' ').any(|word| word == key));
        let is_end = |bare: &str| known(bare).is_some_and(|(kind, _)| *kind == Self::Ends);
        let mut bare = ARTICLES.iter().filter_map(|article| key.strip_prefix(article));
        match known(key) {
            Some((kind, _)) => *kind,
            None if bare.any(is_end) => Self::EndsWithArticle,
            None => Self::Name,
        }
    }
}

/// A word with at least one letter.
#[derive(Debug)]
struct Word {
    /// Its bytes in the name.
    range: Range<usize>,
    /// Its letters, as the table has them.
    key: String,
    kind: Kind,
    /// Number of commas before it.
    part: usize,
}

/// The first name, as it is written; `None` if the text has none that is sure enough to address somebody by it.
///
/// Names of several words stay whole, titles and degrees are left out, and the second part of "Haddad, Maya" is the first name, unless it
/// looks like a trade or degree or a title stands before the first. Addresses, words with digits or in brackets,
/// initials and companies are no names. Nothing shows that "Jean Paul" is one name, so its first word
/// counts. At most [`ShownName::MAX_LENGTH`] characters are read.
pub fn first_name(name: &str) -> Option<&str> {
    let read = name.char_indices().nth(ShownName::MAX_LENGTH);
    let name = read.map_or(name, |(end, _)| &name[..end]);
    let words = words_of(name);
    if words.iter().any(|word| word.kind == Kind::Company) {
        return None;
    }
    let parts = words.chunk_by(|one, other| one.part == other.part);
    let parts = parts.map(|part| (without_titles(part), part));
    let mut parts = parts.filter(|(part, _)| !part.is_empty());
    let (first, with_titles) = parts.next()?;
    let is_titled = first.len() < with_titles.len();
    let in_capitals = |words: &[Word]| {
        let mut signs = words.iter().flat_map(|word| name[word.range.clone()].chars());
        signs.all(|sign| sign.is_uppercase() || sign == '.')
    };
    let begins_in = |part: &[Word]| name[part[0].range.clone()].chars().next().unwrap_or_default();
    // As in "Maya Haddad, dentist" and "Maya Haddad, A1".
    let is_aside = |part: &[Word]| {
        let lower = begins_in(part).is_lowercase() && !begins_in(first).is_lowercase();
        lower || name[part[0].range.clone()].contains(char::is_numeric)
    };
    // As in "Maya Haddad, CFA".
    let is_degree = |part: &[Word]| {
        let short = matches!(part, [word] if (2..=4).contains(&word.key.chars().count()));
        short && in_capitals(part) && !in_capitals(first)
    };
    let mut others = parts.map(|(part, _)| part);
    let part = others.find(|part| !is_degree(part));
    let part = part.filter(|part| !is_titled && !is_aside(part)).unwrap_or(first);
    let count = words_of_first_name(part)?;
    Some(&name[part[0].range.start..part[count - 1].range.end])
}

fn without_titles(mut words: &[Word]) -> &[Word] {
    let joined = |word: &Word| {
        word.key
            .strip_prefix('و')
            .is_some_and(|key| Kind::of(key) == Kind::Title)
    };
    let mut titled = false;
    while let [word, rest @ ..] = words {
        let family = |next: &Word| ["al", "el", "bin"].iter().any(|article| next.key.starts_with(article));
        match word.kind {
            Kind::Title | Kind::Suffix => {}
            Kind::And => {
                if !titled {
                    break;
                }
            }
            Kind::Name if titled && joined(word) => {}
            Kind::TitleOrName if rest.first().is_some_and(|next| !family(next)) => {}
            _ => break,
        }
        titled |= word.kind == Kind::Title;
        words = rest;
    }
    words
}

/// The number of words in the first name that begins these words.
fn words_of_first_name(words: &[Word]) -> Option<usize> {
    let first = words.first()?;
    // Common as the end of a name.
    if ["allah", "الله"].contains(&first.key.as_str()) {
        return None;
    }
    let begins = |word: &Word| matches!(word.kind, Kind::Begins | Kind::BeginsOrName);
    let beginnings = words.iter().take_while(|word| begins(word)).count();
    if words.get(beginnings).is_none_or(|word| word.kind == Kind::Nameless) {
        let last = words[..beginnings].last()?;
        return (last.kind == Kind::BeginsOrName).then_some(beginnings);
    }
    let count = beginnings + 1;
    Some(match &words[count..] {
        [end, ..] if end.kind == Kind::EndsWithArticle => count + 1,
        [joint, _, ..] if joint.kind == Kind::Joins => count + 2,
        [article, end, ..] if ARTICLES.contains(&article.key.as_str()) && end.kind == Kind::Ends => count + 2,
        _ => count,
    })
}

/// The words outside brackets.
fn words_of(name: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let (mut part, mut brackets, mut offset) = (0, 0_usize, 0);
    for chunk in name.split_inclusive(char::is_whitespace) {
        let (mut start, end) = (offset, offset + chunk.len());
        let signs = chunk.char_indices().map(|(at, sign)| (end - chunk.len() + at, sign));
        offset = end;
        // E-mail addresses, handles, web pages.
        if chunk.contains(['@', '＠']) || chunk.contains("://") || chunk.starts_with("www.") {
            continue;
        }
        for (at, sign) in signs.chain([(end, ' ')]) {
            if is_of_word(sign) && !separates(&name[at..]) {
                continue;
            }
            if brackets == 0 {
                words.extend(word(name, start..at, part));
            }
            start = at + sign.len_utf8();
            match sign {
                ',' | ';' | '،' | '؛' | '，' if brackets == 0 => part += 1,
                '(' | '[' | '{' | '（' => brackets += 1,
                ')' | ']' | '}' | '）' => brackets = brackets.saturating_sub(1),
                _ => {}
            }
        }
    }
    words
}

fn is_of_word(sign: char) -> bool {
    let category = || CodePointMapData::<GeneralCategory>::new().get(sign);
    sign.is_alphanumeric() || INNER_SIGNS.contains(&sign) || GeneralCategoryGroup::Mark.contains(category())
}

/// Signs that belong to a word between its letters: dots, dashes, apostrophes, joiners.
const INNER_SIGNS: [char; 11] = [
    '.', '-', '\u{2010}', '\u{2011}', '\'', '’', '‘', '`', '·', '\u{200c}', '\u{200d}',
];

/// Whether the text begins with a dot before another word, as in "Dr.Sara" or "Dr.-Ing.", and no initial, as in "M.D.".
fn separates(text: &str) -> bool {
    let next = text.strip_prefix('.').unwrap_or_default();
    next.starts_with('-') || next.chars().take(2).filter(|sign| sign.is_alphabetic()).count() == 2
}

fn word(name: &str, range: Range<usize>, part: usize) -> Option<Word> {
    let text = name[range.clone()].trim_start_matches(|sign: char| !sign.is_alphanumeric());
    let start = range.end - text.len();
    let text = text.trim_end_matches(INNER_SIGNS);
    let key = key(text);
    let first = key.chars().next()?;
    let kind = match Kind::of(&key) {
        _ if text.contains(char::is_numeric) => Kind::Nameless,
        Kind::Company => Kind::Company,
        // A character of Chinese, Japanese or Korean says more than an initial.
        _ if first < '\u{2e80}' && key.chars().count() <= text.split(['.', '-']).count() => {
            // In Arabic, only titles are shortened: د is doctor, م engineer.
            let is_arabic = ('\u{600}'..='\u{6ff}').contains(&first);
            if is_arabic { Kind::Title } else { Kind::Nameless }
        }
        kind => kind,
    };
    let range = start..start + text.len();
    Some(Word { range, key, kind, part })
}

/// The letters of a word without marks, case and other spellings of a letter. Signs like letters, as in ʿAbd, are no letters here.
fn key(text: &str) -> String {
    let letters = fold(text);
    let letters = letters.chars().filter(|sign| sign.is_alphabetic());
    letters.filter(|sign| !('\u{2b0}'..='\u{2ff}').contains(sign)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_name_is_whole_or_unknown() {
        // A name, and what somebody is called by it; nothing for the default.
        let table = "
            Maya Haddad → Maya | MAYA HADDAD → MAYA | Mary-Jane Fixture → Mary-Jane | Jean Paul → Jean | O'Neil Fixture → O'Neil | Sa`id → Sa`id
            Zoé → Zoé | Zoe\u{301} Fixture → Zoe\u{301} | สมศักดิ์ ใจดี → สมศักดิ์ | علی\u{200c}رضا → علی\u{200c}رضا | 李娜 → 李娜 | 준 → 준
            عبد الله محمد → عبد الله | عـبـد الله → عـبـد الله | عبدالله محمد → عبدالله | عبد ﷲ → عبد ﷲ | عبد → | أحمد عبد الله → أحمد
            Abd El Rahman Haddad → Abd El Rahman | Abdel-Rahman Haddad → Abdel-Rahman | ABDUL RAHMAN → ABDUL RAHMAN | Abdul → Abdul
            Abd-El Rahman → Abd-El Rahman | ʿAbd Allāh Fixture → ʿAbd Allāh | Abd → | Abdul R. → Abdul | Abdul  Aziz → Abdul  Aziz
            Abu Bakr Haddad → Abu Bakr | Abu Abdul Rahman Haddad → Abu Abdul Rahman | أبو بكر الحداد → أبو بكر | أبو → | ابن سينا → ابن سينا
            Umm Kulthum → Umm Kulthum | أم كلثوم إبراهيم → أم كلثوم | أُمّ كلثوم → أُمّ كلثوم | عبد رب النبي → عبد رب النبي | أمة الله → أمة الله
            Al Amin Haddad → Al Amin | AL AMIN → AL AMIN | Al-Amin Haddad → Al-Amin | El Amin → El Amin | van der Berg → van der Berg
            نور الدين محمد → نور الدين | سيف الإسلام علي → سيف الإسلام | زين العابدين → زين العابدين | أم نور الهدى علي → أم نور الهدى
            Noor Ul Huda Khan → Noor Ul Huda | Noor-ul-Huda Khan → Noor-ul-Huda | Zaib un Nisa → Zaib un Nisa | Noor Ul → Noor
            Nour El Din Haddad → Nour El Din | Saif Al-Islam Haddad → Saif Al-Islam | Salah Eddine → Salah Eddine | Saif Ullah → Saif Ullah
            Nour El Sayed → Nour | Huda Haddad → Huda | Islam Haddad → Islam | Ahmed Islam → Ahmed | Ed Fixture → Ed
            Dr. Sara → Sara | Prof. Dr. Sara Haddad → Sara | Dr.Sara → Sara | Ｄｒ． Ｓａｒａ → Ｓａｒａ | dr Abdul Aziz → Abdul Aziz | Dr.-Ing. Ali → Ali | Dr. →
            Mr Adam → Adam | Mrs. Sara → Sara | Mx Sam → Sam | Eng. Ali → Ali | Capt Ali → Ali | Hajj Ali → Ali | Sheikh Al Amin → Al Amin
            Mr & Mrs Haddad → Haddad | Md. Rahim Uddin → Rahim Uddin | Señora María → María | M.S. Fixture →
            JR Fixture → Fixture | Jr. Sam Fixture → Sam
            Sheikha Latifa → Latifa | Sheikha Al Kaabi → Sheikha | Shaikha → Shaikha | الشيخة لطيفة → لطيفة | شيخة الكعبي → شيخة
            د. سارة → سارة | د.سارة → سارة | د/ مي → مي | د.مي → مي | أ.د. سارة → سارة | م أحمد → أحمد | الدكتور أحمد → أحمد | د. →
            السيد/ أحمد علي → أحمد | الأستاذة ليلى → ليلى | المهندس عبد الله → عبد الله | الحاج أبو بكر → أبو بكر | الدُّكتوره منى → منى
            Haddad, Maya → Maya | HADDAD,MAYA → MAYA | Haddad , Maya Jane → Maya | Haddad, Dr. Maya → Maya | Haddad, Abdul Aziz → Abdul Aziz
            Al Amin, Maya → Maya | García López, María → María | Haddad, Maya, PhD → Maya | الحداد، مايا → مايا | Haddad; Maya → Maya
            Maya Haddad, MD → Maya | Maya Haddad, M.D. → Maya | Maya Haddad, CFA → Maya | Maya Haddad, MBA PhD → Maya | Haddad, M. →
            Maya Haddad, Jr. → Maya | Haddad, Jr., Maya → Maya | Dr., Sara → Sara | , Maya → Maya | Maya, → Maya | , →
            Maya Haddad, dentist → Maya | haddad, maya → maya | Maya, CFA → Maya | Dr. Maya Haddad, Dubai → Maya | Maya, Jr → Maya
            Mr and Mrs Haddad → Haddad | Herr und Frau Haddad → Haddad | Mr et Mme Haddad → Haddad | السيد والسيدة الحداد → الحداد
            And Fixture → And | بو محمد → بو محمد | ذو الفقار علي → ذو الفقار | Bu Ali Haddad → Bu Ali | Bou Ali → Bou Ali
            Lt. Col. Ali → Ali | Maj. Ali → Ali | Arch. Maya → Maya | Adv. Maya → Maya | Dra. Maya → Maya | Ustad Ali → Ali
            شيخ أحمد → أحمد | حاج أحمد → أحمد | آنسة مايا → مايا | سيدة مايا → مايا
            Maya (work) → Maya | (work) Maya → Maya | (Maya) → | Maya :) → Maya | Maya Haddad (Dubai, UAE) → Maya | ((( →
            maya@example.com → | Haddad maya@example.com → Haddad | maya_h@example.com → | @maya → | www.example.com → | https://a.example/maya →
            ~Maya → Maya | Maya 🌸 → Maya | 🌸Maya❤\u{fe0f}Tom → Maya | \u{200f}مايا → مايا | «Maya» → Maya | Maya|Dubai → Maya | maya_haddad → maya
            . → | - → | 😀 → | 👩\u{200d}🍳 → | ـ → | M → | m. → | M. Haddad → | J. P. Morgan → | J.P. Morgan → | J.P.Morgan → | N/A → | İ →
            +971 50 123 4567 → | 0501234567 → | ٠٥٠١٢٣٤ → | maya92 → | maya92 Haddad → | Dr. 2Maya Haddad → | Maya 2 → Maya | Maya H2 → Maya | Maya, A1 → Maya | Ⅲ →
            Acme, Inc. → | Acme LLC → | Al Amin Trading L.L.C → | شركة النور → | مؤسسة النور → | النور ذ.م.م → | الله أكبر → | ما شاء الله →
        ";
        for row in table.lines().flat_map(|line| line.split(" | ")) {
            if let Some((name, expected)) = row.split_once('→') {
                let expected = Some(expected.trim()).filter(|expected| !expected.is_empty());
                assert_eq!(first_name(name.trim()), expected, "{name}");
            }
        }
        assert_eq!(first_name(""), None);
        for (long, length) in [
            ("x", Some(120)),
            ("al", Some(120)),
            ("Abdul ", Some(119)),
            (". , ( @", None),
        ] {
            assert_eq!(first_name(&long.repeat(1_000_000)).map(str::len), length, "{long}");
        }
    }
}
