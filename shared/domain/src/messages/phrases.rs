//! Phrases of the sentences that people read on calls and messages.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::destinations::WayOut;
use crate::terms::{Answer, QuietHours, primary_language};

/// A time in the past, such as "2 h ago".
pub fn time_ago(then: Timestamp, now: Timestamp) -> String {
    let since = now.duration_since(then);
    if since < SignedDuration::from_secs(1) {
        "just now".to_owned()
    } else {
        format!("{} ago", duration_in_words(since))
    }
}

/// A duration in its largest unit that is precise enough, such as "24 h", "2 min", "90 s".
pub fn duration_in_words(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    let rounded = |unit: i64| (seconds + unit / 2) / unit;
    match seconds {
        ..60 => format!("{seconds} s"),
        60..120 if seconds % 60 != 0 => format!("{seconds} s"),
        60..7_200 if seconds % 3600 != 0 => format!("{} min", rounded(60)),
        60..172_800 => format!("{} h", rounded(3600)),
        _ => format!("{} days", rounded(86_400)),
    }
}

pub(crate) fn day_in_words(at: Timestamp) -> String {
    at.strftime("%-d %B %Y").to_string()
}

pub(crate) fn local_time_in_words(at: Timestamp, zone: &TimeZone) -> String {
    let name = zone.iana_name().unwrap_or("UTC").to_owned();
    format!("{} ({name})", at.to_zoned(zone.clone()).strftime("%H:%M"))
}

pub(crate) fn quiet_hours_in_words(quiet: &QuietHours) -> String {
    format!("{}–{}", quiet.from, quiet.to)
}

/// Texts of automatic answers for tenants that have none of their own, by language, each with the word that people can reply. English is for
/// all other languages.
#[rustfmt::skip]
const ANSWERS: [(Answer, &str, &str, &str); 8] = [
    (Answer::AfterHours, "en", "{{tenant.name}}: thank you for your message. We are closed now, and will answer when we are open again.", ""),
    (Answer::AfterHours, "ar", "{{tenant.name}}: شكرا لرسالتك. نحن مغلقون الآن، وسنرد عليك عندما نفتح.", ""),
    (Answer::Help, "en", "{{tenant.name}}: write your question here, and we will answer it.", " Reply STOP for no more messages."),
    (Answer::Help, "ar", "{{tenant.name}}: اكتب سؤالك هنا وسنرد عليك.", " لإيقاف الرسائل أرسل توقف."),
    (Answer::Stop, "en", "{{tenant.name}}: you will get no more messages from us.", " Reply START to get them again."),
    (Answer::Stop, "ar", "{{tenant.name}}: لن تصلك رسائل أخرى منا.", " لاستقبالها من جديد أرسل ابدأ."),
    (Answer::Start, "en", "{{tenant.name}}: you will get our messages again.", " Reply STOP for no more messages."),
    (Answer::Start, "ar", "{{tenant.name}}: ستصلك رسائلنا من جديد.", " لإيقاف الرسائل أرسل توقف."),
];

/// The usual text of an automatic answer in the first of these languages that has one, or else in English. Where no reply arrives, it names
/// the other way out.
pub(crate) fn usual_answer<'a>(
    answer: Answer,
    mut languages: impl Iterator<Item = &'a str>,
    way_out: WayOut,
) -> String {
    let of = |language: &str| {
        let wanted = primary_language(language);
        let mut texts = ANSWERS.iter();
        texts.find(|(known, language, ..)| *known == answer && wanted == *language)
    };
    let found = languages.find_map(of).or_else(|| of("en"));
    let Some((_, language, text, reply)) = found else {
        return String::new();
    };
    match (way_out, answer) {
        (WayOut::Reply, _) => format!("{text}{reply}"),
        (_, Answer::AfterHours | Answer::Stop) => (*text).to_owned(),
        (_, Answer::Help | Answer::Start) => {
            let mut sentences = way_out.sentences().into_iter();
            let own = sentences.find(|(known, _)| known == language);
            own.map_or_else(|| (*text).to_owned(), |(_, sentence)| format!("{text} {sentence}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::OptFlag;
    use crate::people::wish_in_text;
    use crate::samples::tenant;

    /// Each answer has a text in each language, and the words that texts name are understood.
    #[test]
    fn usual_answers_name_words_that_work() {
        for answer in Answer::ALL {
            let of = |language: &str, way_out| usual_answer(answer, [language].into_iter(), way_out);
            let [english, arabic] = ["en-GB", "ar"].map(|language| of(language, WayOut::Reply));
            assert!(english.starts_with("{{tenant.name}}: ") && arabic.starts_with("{{tenant.name}}: "));
            assert!(english != arabic && of("fr", WayOut::Reply) == english);
            for language in ["en", "ar"] {
                let text = of(language, WayOut::Number("7726"));
                assert!(
                    ["STOP", "START", "توقف", "ابدأ"]
                        .iter()
                        .all(|word| !text.contains(word)),
                    "{text}"
                );
                let names_it = matches!(answer, Answer::Help | Answer::Start);
                assert_eq!(text.contains("7726"), names_it, "{text}");
            }
            for (text, stop, start) in [(english, "STOP", "START"), (arabic, "توقف", "ابدأ")] {
                let names = |word: &str| text.contains(word);
                let stops = matches!(answer, Answer::Help | Answer::Start);
                assert_eq!((names(stop), names(start)), (stops, answer == Answer::Stop), "{text}");
            }
        }
        let tenant = tenant();
        for (word, flag) in [("توقف", OptFlag::Stop), ("ابدأ", OptFlag::Start)] {
            assert_eq!(wish_in_text(word, &tenant), Some(flag));
        }
    }

    #[test]
    fn durations_are_written_as_people_say_them() {
        for (seconds, said) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (90, "90 s"),
            (120, "2 min"),
            (3600, "1 h"),
            (5400, "90 min"),
            (7200, "2 h"),
            (86_400, "24 h"),
            (172_800, "2 days"),
            (604_800, "7 days"),
        ] {
            assert_eq!(duration_in_words(SignedDuration::from_secs(seconds)), said);
        }
    }
}
