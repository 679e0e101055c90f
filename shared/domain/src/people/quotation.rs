//! Quotations of others in a customer's text: phones quote a message when its reader reacts to it by SMS, and people quote what they ask
//! about.
//!
//! Source of the forms: what Messages of iOS and macOS and Messages of Google send to numbers that they cannot reach otherwise, as apps
//! that read them again know it (November 2026). Phones in other languages send other words, which are no reactions here.

use std::borrow::Cow;

/// Verbs before the quotation of a tapback.
const VERBS: [&str; 20] = [
    "Liked",
    "Loved",
    "Disliked",
    "Laughed at",
    "Emphasized",
    "Emphasised",
    "Questioned",
    "Reacted to",
    "Reacted with a sticker to",
    "Removed a like from",
    "Removed a heart from",
    "Removed a dislike from",
    "Removed a laugh from",
    "Removed an emphasis from",
    "Removed an exclamation from",
    "Removed an exclamation mark from",
    "Removed a question mark from",
    "Removed a reaction from",
    "Removed a sticker from",
    "Removed your reaction from",
];

/// Words around the emoji of a tapback.
const AROUND_EMOJI: [(&str, &str); 4] = [
    ("Reacted ", " to"),
    ("Removed a ", " from"),
    ("Removed ", " from"),
    ("", " to"),
];

/// Words in place of the quotation if the message had no text.
const NO_TEXTS: [&str; 9] = [
    "an image",
    "a photo",
    "a movie",
    "a video",
    "an attachment",
    "a sticker",
    "a link",
    "an audio message",
    "a location",
];

/// Opening and closing marks. Apostrophes are not among them.
const MARKS: [(char, char); 5] = [('“', '”'), ('"', '"'), ('«', '»'), ('„', '“'), ('”', '”')];

/// Whether an SMS is the reaction to a message: a known verb before one quotation, which is the whole text.
pub fn is_tapback(text: &str) -> bool {
    // The marks of Google's, in every language.
    let marked = text.starts_with('\u{200A}') && text.ends_with('\u{200A}');
    if marked && text.contains(['\u{200B}', '\u{200C}']) {
        return true;
    }
    let text = visible(text);
    let quoted = after_verb(text.trim());
    quoted
        .is_some_and(|quoted| NO_TEXTS.contains(&quoted) || quotation(quoted).is_some_and(|(_, rest)| rest.is_empty()))
}

/// A text without marks that nobody sees.
fn visible(text: &str) -> Cow<'_, str> {
    let unseen =
        |c: char| matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}');
    if text.contains(unseen) {
        text.replace(unseen, "").into()
    } else {
        text.into()
    }
}

/// The rest behind the verb of a tapback.
fn after_verb(text: &str) -> Option<&str> {
    let behind = |verb: &str| text.strip_prefix(verb)?.strip_prefix(char::is_whitespace);
    let around = |(before, after): (&str, &str)| {
        let (emoji, quoted) = text.strip_prefix(before)?.split_once(after)?;
        is_emoji(emoji).then_some(quoted)?.strip_prefix(char::is_whitespace)
    };
    let plain = VERBS.iter().find_map(|verb| behind(verb));
    let quoted = plain.or_else(|| AROUND_EMOJI.into_iter().find_map(around));
    quoted.map(str::trim_start)
}

fn is_emoji(text: &str) -> bool {
    const MAX_LENGTH: usize = 16;
    let sign = |c: char| {
        !c.is_alphabetic() && !c.is_whitespace() && MARKS.iter().all(|(open, close)| c != *open && c != *close)
    };
    !text.is_ascii() && text.chars().count() <= MAX_LENGTH && text.chars().all(sign)
}

/// A quotation at the beginning of a text, and the rest of the text.
///
/// The quoted text may contain quotations itself, and marks without a partner: if more marks close than open, it ends at the last one.
fn quotation(text: &str) -> Option<(&str, &str)> {
    let open = text.chars().next()?;
    let (_, close) = MARKS.into_iter().find(|(mark, _)| *mark == open)?;
    let (mut depth, mut end, mut last) = (0_i32, None, None);
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let behind = at + c.len_utf8();
        // The first one always opens, even with nothing behind it.
        let opens = c == open && (at == 0 || open != close || opens_word(before, &text[behind..]));
        if opens {
            depth += 1;
        } else if c == close {
            depth -= 1;
            last = Some((at, behind));
            let ends = if end.is_none() { depth == 0 } else { depth < 0 };
            if ends {
                (end, depth) = (last, 0);
            }
        }
        before = c;
    }
    // A mark that opens within it has no partner.
    let whole = last.filter(|(_, behind)| *behind == text.len());
    let (at, behind) = end.or(whole)?;
    Some((&text[open.len_utf8()..at], &text[behind..]))
}

/// Whether a mark that opens and closes quotations opens one.
fn opens_word(before: char, behind: &str) -> bool {
    let next = behind.chars().next();
    (before.is_whitespace() || before == '(') && next.is_some_and(|next| !next.is_whitespace())
}

/// The writer's own part of a text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OwnWords<'a> {
    /// The text without its quotations; all of it if it is nothing but one.
    pub own: Cow<'a, str>,
    /// Texts that it quotes between marks.
    pub quoted: Vec<&'a str>,
    /// Whether it quotes lines.
    pub lines: bool,
    /// Words directly before a quotation in the same line, which may be their object: `Stop "Mall"`.
    pub before: Vec<&'a str>,
}

/// Tells what a text says from what it quotes: between quotation marks, with a tapback's verb before them, and in lines that begin
/// with `>`.
pub(crate) fn split_quotation(text: &str) -> OwnWords<'_> {
    let whole = OwnWords {
        own: text.into(),
        quoted: Vec::new(),
        lines: false,
        before: Vec::new(),
    };
    if !text.contains(|c| c == '>' || MARKS.iter().any(|(open, _)| c == *open)) {
        return whole;
    }
    let (mut own, mut quoted) = (String::with_capacity(text.len()), Vec::new());
    let (mut verbs, mut lines, mut since, mut objects) = (false, false, 0, Vec::new());
    let mut rest = text;
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        let begins_line = || own.rsplit('\n').next().is_none_or(|line| line.trim().is_empty());
        if c == '>' && begins_line() {
            (rest, lines) = (rest.split_once('\n').map_or("", |(_, after)| after), true);
        } else if opens_word(before, &rest[c.len_utf8()..])
            && let Some((inner, after)) = quotation(rest)
        {
            // Its verb begins a line.
            let line = own.rfind('\n').map_or(0, |line| line + 1);
            let with = format!("{}\"\"", &own[line..]);
            if is_tapback(&with) {
                own.truncate(line);
                verbs = true;
            }
            let beside = &text[since..text.len() - rest.len()];
            let beside = beside.rsplit('\n').next().unwrap_or_default().trim_end();
            if beside.ends_with(char::is_alphanumeric) {
                objects.push(beside);
            }
            since = text.len() - after.len();
            own.push(' ');
            quoted.push(inner);
            (rest, before) = (after, ' ');
        } else {
            own.push(c);
            (rest, before) = (&rest[c.len_utf8()..], c);
        }
    }
    let own = if own.trim().is_empty() && !verbs && !lines {
        whole.own
    } else {
        own.trim().to_owned().into()
    };
    OwnWords {
        own,
        quoted,
        lines,
        before: objects,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPLY: &str = "Marina Dental: 20% off. Reply STOP for no more messages.";

    #[test]
    fn tapbacks_are_told_from_texts() {
        let long = format!("Liked “{REPLY}\nSee \"https://x.example\"”");
        for text in [
            "Liked “Hello”",
            "Loved \"Hello\"",
            "Laughed at “Hello”",
            "Emphasized “Hello”",
            "Emphasised “Hello”",
            "Questioned “Hello”",
            "Disliked «Hello»",
            "Removed a like from “Hello”",
            "Removed a heart from \"Hello\"",
            "Removed an exclamation from “Hello”",
            "Removed a question mark from “Hello”",
            "Reacted 🔥 to “Hello”",
            "Reacted 👍🏽 to “Hello”",
            "Reacted 👨‍👩‍👧 to \"Hello\"",
            "Removed 🔥 from “Hello”",
            "Reacted with a sticker to “Hello”",
            "👍 to “Hello”",
            "\u{200A}\u{200B}👍\u{200B} to “\u{200A}Hello\u{200A}”\u{200A}",
            "\u{200A}Removed \u{200C}👍\u{200C} from “\u{200A}Hello\u{200A}”\u{200A}",
            "\u{200A}Hat mit \u{200B}👍\u{200B} auf „\u{200A}Hallo\u{200A}“ reagiert\u{200A}",
            " Liked “Hello” ",
            "Liked “”",
            "Liked “Our “best” cake”",
            "Liked \"Our \"best\" cake\"",
            "Liked \"The 5\" cake\"",
            "Liked “Our “best cake…”",
            "Liked \"Two lines.\n\nReply STOP to end.\"",
            "Loved an image",
            "Liked an attachment",
            &long,
        ] {
            assert!(is_tapback(text), "{text}");
        }
        for text in [
            "",
            "Liked",
            "Liked it",
            "Liked “Hello” STOP",
            "Liked “Hello”\nSTOP",
            "Thanks! Liked “Hello”",
            "“Hello”",
            "Liked “Hello” and “Bye”",
            "Liked \"Hello\" and \"Bye\"",
            "Liked “Hello”\nThe “best”",
            "Bought “Hello”",
            "Liked: “Hello”",
            "I liked “Hello”",
            "Reacted badly to “Hello”",
            "Reacted 100 to “Hello”",
            "Loved an image of yours",
            "Liked 'Hello'",
            "Liked “Hello",
        ] {
            assert!(!is_tapback(text), "{text}");
        }
    }

    #[test]
    fn what_stands_beside_a_quotation_is_the_writers() {
        for (text, own, quoted) in [
            ("Stop", "Stop", &[][..]),
            ("“Stop”", "“Stop”", &["Stop"]),
            ("Liked “Hello”\nSTOP", "STOP", &["Hello"]),
            ("STOP\nLiked “Hello”", "STOP", &["Hello"]),
            ("Liked “Hello” thanks", "thanks", &["Hello"]),
            ("Liked “Hello”", "", &["Hello"]),
            (
                "“Reply STOP to end.” What is this?",
                "What is this?",
                &["Reply STOP to end."],
            ),
            ("Please \"stop\"", "Please", &["stop"]),
            ("STOP\n\n> Hello\n> Reply STOP to end.", "STOP", &[]),
            ("> Hello\nOk", "Ok", &[]),
            (" > Hello", "", &[]),
            ("A 5\" or a 7\" cake?", "A 5\" or a 7\" cake?", &[]),
            ("2 > 1", "2 > 1", &[]),
        ] {
            let found = split_quotation(text);
            assert_eq!((&*found.own, &*found.quoted), (own, quoted), "{text}");
        }
    }

    #[test]
    fn marks_in_any_combination_are_read() {
        let marks = [" ", "a", "\n", ">", "\"", "“", "”", "«", "»", "„"];
        let starts = VERBS.into_iter().chain(["👍 to", "Stop", ""]);
        let mut endings = vec![String::new()];
        for _ in 0..3 {
            let longer = endings
                .iter()
                .flat_map(|ending| marks.map(|mark| format!("{ending}{mark}")));
            endings = longer.collect();
            for (start, ending) in starts
                .clone()
                .flat_map(|start| endings.iter().map(move |ending| (start, ending)))
            {
                for text in [format!("{start} {ending}"), format!("{start}{ending}")] {
                    assert!(split_quotation(&text).own.len() <= text.len(), "{text}");
                    let _ = is_tapback(&text);
                }
            }
        }
    }
}
