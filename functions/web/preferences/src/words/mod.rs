//! The words of the pages, in one file per language. Each language has all of them: a missing one does not compile.

mod ar;
mod en;

use domain::people::Topic;

pub(crate) use ar::ARABIC;
pub(crate) use en::ENGLISH;

/// A sentence with the name of the business in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named {
    pub(crate) before: &'static str,
    pub(crate) after: &'static str,
}

const fn sentence_with_name(before: &'static str, after: &'static str) -> Named {
    Named { before, after }
}

impl Named {
    /// The sentence as plain text.
    pub(crate) fn plain(self, business: &str) -> String {
        format!("{}{business}{}", self.before, self.after)
    }

    /// The sentence as plain text, for where no markup is possible. Isolated, the name does not turn the direction of
    /// what is around it.
    pub(crate) fn with_isolated_name(self, business: &str) -> String {
        format!("{}\u{2068}{business}\u{2069}{}", self.before, self.after)
    }
}

/// The page's other language.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Other {
    pub(crate) lang: &'static str,
    /// Its name in itself.
    pub(crate) name: &'static str,
}

/// A page that only says something.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Notice {
    pub(crate) title: &'static str,
    pub(crate) text: &'static str,
}

/// All words in one language.
#[derive(Debug)]
pub(crate) struct Words {
    /// Language as a BCP 47 code.
    pub(crate) lang: &'static str,
    pub(crate) dir: &'static str,
    /// Version of the words for making a choice. Changes with them.
    pub(crate) version: &'static str,
    pub(crate) other: Other,
    pub(crate) title: Named,
    pub(crate) intro: Named,
    pub(crate) number: Named,
    /// Names of WhatsApp and SMS.
    pub(crate) channels: [&'static str; 2],
    /// Statements to tick, in the order of [`Topic::ALL`].
    pub(crate) topics: [Named; Topic::ALL.len()],
    pub(crate) withheld: Named,
    pub(crate) save: &'static str,
    pub(crate) stop_title: &'static str,
    pub(crate) stop_text: Named,
    pub(crate) stop: &'static str,
    pub(crate) stopped: Named,
    pub(crate) without_title: &'static str,
    pub(crate) without: Named,
    /// How to refuse without this page, where replies to SMS do not arrive.
    pub(crate) without_replies: Named,
    /// With the networks' own number for it.
    pub(crate) network: Named,
    pub(crate) saved: &'static str,
    pub(crate) changed: &'static str,
    /// The link is expired, forged, or leads to nobody.
    pub(crate) no_link: Notice,
    pub(crate) too_many: Notice,
    pub(crate) wrong: Notice,
    pub(crate) unavailable: Notice,
}

impl Words {
    /// The languages of the pages.
    pub(crate) const ALL: [&'static Self; 2] = [&ENGLISH, &ARABIC];

    /// The words in this language, if there are any. The region does not matter.
    pub(crate) fn of(language: &str) -> Option<&'static Self> {
        let primary = language.split(['-', '_']).next().unwrap_or_default().trim();
        let mut all = Self::ALL.into_iter();
        all.find(|words| words.lang.eq_ignore_ascii_case(primary))
    }

    /// The words in the language that a browser prefers, by its header `Accept-Language`.
    pub(crate) fn for_browser(header: &str) -> Option<&'static Self> {
        kit::accepted_language(header, &Self::ALL.map(|words| words.lang)).and_then(Self::of)
    }

    /// The statement that the customer ticks or not, as it is shown.
    pub(crate) fn statement(&self, topic: Topic, business: &str) -> String {
        let place = Topic::ALL.iter().position(|known| *known == topic);
        let statement = place.map_or(self.intro, |place| self.topics[place]);
        statement.plain(business)
    }
}

#[cfg(test)]
mod tests {
    use domain::terms::to_hex;
    use sha2::{Digest as _, Sha256};

    use super::*;

    /// Proof of a choice names the version of what was shown. If this fails, the words have changed: give them a new version, and
    /// record their hash.
    #[test]
    fn changed_words_have_a_new_version() {
        let recorded = [("en-2026-11", ENGLISH_HASH), ("ar-2026-11", ARABIC_HASH)];
        for (words, (version, hash)) in Words::ALL.into_iter().zip(recorded) {
            let mut shown: Vec<String> = Topic::ALL.map(|topic| words.statement(topic, "X")).into();
            shown.extend([words.intro, words.stop_text].map(|sentence| sentence.plain("X")));
            shown.extend([words.save, words.stop].map(str::to_owned));
            shown.extend(words.channels.map(str::to_owned));
            let actual = to_hex(&Sha256::digest(shown.join("\n")));
            assert_eq!((words.version, &actual[..16]), (version, hash), "{}", words.lang);
        }
    }

    const ENGLISH_HASH: &str = "d6fcceef8391590f";
    const ARABIC_HASH: &str = "1beeabdef7562e89";

    /// Arabic is written from right to left, and every language leads to another one.
    #[test]
    fn languages_lead_to_each_other() {
        for words in Words::ALL {
            let other = Words::of(words.other.lang).unwrap();
            assert_ne!(other.lang, words.lang);
            assert_eq!(other.other.lang, words.lang);
            assert_eq!(words.dir == "rtl", words.lang == "ar");
        }
    }

    #[test]
    fn isolated_name_does_not_turn_the_sentence() {
        assert_eq!(
            ENGLISH.title.with_isolated_name("مخبز"),
            "Messages from \u{2068}مخبز\u{2069}"
        );
        assert_eq!(ENGLISH.title.plain("Saffron"), "Messages from Saffron");
    }
}
