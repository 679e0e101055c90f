//! The lists that hold a contact: by the words of its name, its tags and the values of its searchable fields. They are
//! a function of its profile, so that a change of the profile says exactly which entries come and go.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::people::{FieldValue, Number, Profile};
use crate::terms::{FieldId, TagId, fold, unify_name};

/// An entry of a list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Listing {
    /// A word of the name.
    Word(Word),
    Tag(TagId),
    /// A value of a field, in a form that sorts as text. At most [`Listing::MAX_VALUE_LENGTH`] bytes.
    Value(FieldId, String),
    /// The day of the year of a date, such as a birthday, whatever the year.
    DayOfYear(FieldId, Day),
}

impl Listing {
    /// Maximum length of a value in a list, in bytes. Longer ones are cut.
    pub const MAX_VALUE_LENGTH: usize = 64;

    /// The form of a value in a list of its field. Options are compared among themselves, so they keep the form that makes their names
    /// differ.
    pub fn value(value: &FieldValue) -> String {
        match value {
            FieldValue::Text(text) => cut(&fold(text.as_str()), Self::MAX_VALUE_LENGTH).to_owned(),
            FieldValue::Choice(option) => cut(&unify_name(option.as_str()), Self::MAX_VALUE_LENGTH).to_owned(),
            FieldValue::Number(number) => Self::number(*number),
            FieldValue::Date(date) => date.to_string(),
            FieldValue::YesNo(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        }
    }

    /// The form of a number, which sorts as numbers do, negative ones first.
    fn number(number: Number) -> String {
        format!(
            "{:016}",
            i128::from(number.parts()) + i128::from(Number::MAX) * i128::from(Number::PARTS)
        )
    }
}

/// A day of any year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    month: i8,
    day: i8,
}

impl Day {
    /// The day of a date.
    pub fn of(date: Date) -> Self {
        Self {
            month: date.month(),
            day: date.day(),
        }
    }
}

/// `11-20`.
impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}-{:02}", self.month, self.day)
    }
}

/// A text that is not a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a month and a day, such as 11-20")]
pub struct NotADay;

impl std::str::FromStr for Day {
    type Err = NotADay;

    fn from_str(text: &str) -> Result<Self, NotADay> {
        // In a leap year, so that 29 February is a day.
        let date: Date = format!("2024-{text}").parse().map_err(|_| NotADay)?;
        let day = Self::of(date);
        (day.to_string() == text).then_some(day).ok_or(NotADay)
    }
}

parsed!(Day, "day_of_the_year", "11-20");

impl serde::Serialize for Day {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

shown_as!(Day, {
    "type": "string",
    "pattern": "^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
    "examples": ["11-20"],
});

/// A word of a name in the form of searches by name: folded, without accents and other marks, letters and digits only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Word(String);

impl Word {
    /// Maximum searchable words of a name: the first ones.
    pub const MAX: usize = 5;
    /// Maximum length in bytes. Longer words are cut.
    pub const MAX_LENGTH: usize = 48;

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first character, which the list of words is divided by.
    pub fn initial(&self) -> char {
        self.0.chars().next().unwrap_or('_')
    }

    /// The different words of a name, in its order, at most [`Word::MAX`].
    pub fn of(name: &str) -> Vec<Self> {
        let mut words: Vec<Self> = Vec::new();
        let folded = fold(name);
        for word in folded.split(is_between_words) {
            let letters: String = word.chars().filter(|sign| sign.is_alphanumeric()).collect();
            let word = Self(cut(&letters, Self::MAX_LENGTH).to_owned());
            if !word.0.is_empty() && !words.contains(&word) {
                words.push(word);
            }
            if words.len() == Self::MAX {
                break;
            }
        }
        words
    }

    /// The first of these words, in the order of their list, that begins with this one.
    pub(crate) fn first<'a>(&self, words: &'a [Self]) -> Option<&'a Self> {
        words.iter().filter(|word| word.0.starts_with(&self.0)).min()
    }

    /// Whether a name has a word that begins with this one.
    pub fn begins_one_of(&self, name: &str) -> bool {
        Self::of(name).iter().any(|word| word.0.starts_with(&self.0))
    }
}

fn is_between_words(sign: char) -> bool {
    sign.is_whitespace() || matches!(sign, '-' | '\u{2010}'..='\u{2015}' | '/' | ',' | ';' | '|' | '_')
}

/// The text, or as much of its beginning as has at most this many bytes.
fn cut(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].trim_end()
}

impl Profile {
    /// The entries of lists that lead to the contact once the profile is written.
    pub fn listings(&self) -> BTreeSet<Listing> {
        let name = self.name.as_deref().unwrap_or_default();
        let words = Word::of(name).into_iter().map(Listing::Word);
        let tags = self.tags.iter().copied().map(Listing::Tag);
        let values = self.listed.iter().filter_map(|field| {
            let value = self.fields.get(field)?;
            let day = match value {
                FieldValue::Date(date) => Some(Listing::DayOfYear(*field, Day::of(*date))),
                _ => None,
            };
            Some([Some(Listing::Value(*field, Listing::value(value))), day])
        });
        words.chain(tags).chain(values.flatten().flatten()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::ShownName;

    fn words(name: &str) -> Vec<String> {
        Word::of(name).into_iter().map(|word| word.0).collect()
    }

    #[test]
    fn names_are_found_by_words_without_case_and_accents() {
        for (name, expected) in [
            ("Maya Haddad", &["maya", "haddad"][..]),
            ("Siobhán O'Brien-Łukasz", &["siobhan", "obrien", "lukasz"]),
            ("  Nguyễn Văn  Ánh ", &["nguyen", "van", "anh"]),
            ("Müller / Straße", &["muller", "strasse"]),
            ("مايا حدّاد", &["مايا", "حداد"]),
            ("أحمد", &["احمد"]),
            ("محـــمد", &["محمد"]),
            ("فاطمة الزهراء على", &["فاطمه", "الزهراء", "علي"]),
            ("山田太郎", &["山田太郎"]),
            ("Ann ann ANN", &["ann"]),
            ("🍕 ++", &[]),
            ("a b c d e f", &["a", "b", "c", "d", "e"]),
        ] {
            assert_eq!(words(name), expected, "{name}");
        }
        let [cut] = &words(&"é".repeat(200))[..] else { panic!() };
        assert_eq!(cut.len(), Word::MAX_LENGTH);
        let find = |prefix: &str| Word::of(prefix)[0].begins_one_of("Siobhán O'Brien");
        assert_eq!(["sio", "OBR", "O'Br", "brien"].map(find), [true, true, true, false]);
    }

    #[test]
    fn numbers_sort_as_text() {
        let keys: Vec<String> = [
            "-100000000000",
            "-2.5",
            "-1",
            "0",
            "0.0001",
            "1",
            "9",
            "10",
            "100000000000",
        ]
        .map(|text| Listing::number(text.parse().unwrap()))
        .into();
        assert!(keys.is_sorted(), "{keys:?}");
        assert!(keys.iter().all(|key| key.len() == 16));
    }

    #[test]
    fn a_day_has_one_spelling() {
        for good in ["01-01", "02-29", "12-31"] {
            assert_eq!(good.parse::<Day>().unwrap().to_string(), good);
        }
        for bad in ["", "1-1", "02-30", "13-01", "2024-01-01", "01-01T00:00", "+1-01"] {
            assert_eq!(bad.parse::<Day>(), Err(NotADay), "{bad}");
        }
    }

    #[test]
    fn a_profile_is_listed_by_what_it_says() {
        let [birthday, level, hidden] = [1, 2, 3].map(|id| FieldId::new(ulid::Ulid::from_parts(id, 0)));
        let tag = TagId::new(ulid::Ulid::from_parts(4, 0));
        let date = FieldValue::Date("1990-02-28".parse().unwrap());
        let profile = Profile {
            name: ShownName::of("Maya Haddad"),
            fields: [
                (birthday, date),
                (level, FieldValue::Choice(" GOLD ".parse().unwrap())),
                (hidden, FieldValue::YesNo(true)),
            ]
            .into(),
            listed: [birthday, level].into(),
            tags: [tag].into(),
            ..Profile::default()
        };
        let day: Day = "02-28".parse().unwrap();
        let word = |text: &str| Listing::Word(Word(text.to_owned()));
        let expected = [
            word("maya"),
            word("haddad"),
            Listing::Tag(tag),
            Listing::Value(birthday, "1990-02-28".to_owned()),
            Listing::DayOfYear(birthday, day),
            Listing::Value(level, "gold".to_owned()),
        ];
        assert_eq!(profile.listings(), expected.into());
        assert!(Profile::default().listings().is_empty());
    }
}
