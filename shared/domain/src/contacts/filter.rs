//! Filters of contacts. One condition of a filter, its driver, names a list of the table in which the contacts stand; all conditions
//! are then tested on each of them. Without a condition that can drive it, a filter would have to read every contact.

use jiff::Timestamp;

use crate::{
    accounts::account::Email,
    base::{
        ids::{FieldId, StageId, TagId, UserId},
        phone::Phone,
        text::folded,
    },
    contacts::{
        contact::Identity,
        field::FieldValue,
        listing::{Day, Listing, Word},
        person::Person,
        profile::Origin,
    },
    tenants::settings::Language,
};

/// Conditions that a contact fulfils, all of them. Empty: every contact that is not deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Telephone number.
    pub phone: Option<Phone>,
    /// E-mail address.
    pub email: Option<Email>,
    /// Last digits of a telephone number.
    pub digits: Option<Digits>,
    /// Words of which each begins a word of the name.
    pub name: Vec<Word>,
    /// Tag.
    pub tag: Option<TagId>,
    /// Value of a searchable field.
    pub field: Option<(FieldId, Test)>,
    /// Stage.
    pub stage: Option<StageId>,
    /// Responsible user.
    pub owner: Option<UserId>,
    /// Source of the lead, whatever its case.
    pub source: Option<Origin>,
    /// Language.
    pub language: Option<Language>,
    /// Whether deleted contacts are wanted, instead of the others.
    pub deleted: bool,
    /// Whether only contacts are wanted that proved to be the same person as another.
    pub duplicates: bool,
}

/// A condition on the value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// This value, whatever its case.
    Equals(FieldValue),
    /// Values between these in their order, inclusive.
    Between(Option<FieldValue>, Option<FieldValue>),
    /// A date on this day of any year.
    OnDay(Day),
}

/// The list that a filter reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Driver {
    /// All contacts.
    All,
    /// Deleted contacts.
    Deleted,
    /// The contact of an identity.
    Identity(Identity),
    /// Telephone numbers by their last digits.
    Digits(Digits),
    /// Words of names that begin with this one.
    Words(Word),
    /// Contacts with this tag.
    Tag(TagId),
    /// Values of a field between these, inclusive, in the form of [`Listing::value`]. Empty: no bound.
    Values(FieldId, String, String),
    /// Dates of a field on this day.
    OnDay(FieldId, Day),
    /// Contacts in this stage.
    Stage(StageId),
    /// Contacts that proved to be the same person as another.
    Duplicates,
}

/// A filter with the list that it reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// The filter.
    pub filter: Filter,
    /// Its driver.
    pub driver: Driver,
}

impl Search {
    /// All contacts.
    pub fn everybody() -> Self {
        Self {
            filter: Filter::default(),
            driver: Driver::All,
        }
    }
}

/// The last digits of a telephone number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digits(String);

shown_as!(Digits, {"type": "string", "pattern": "^[0-9]{3,15}$", "examples": ["4567"]});

/// A text that is not the end of a telephone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the last 3 to 15 digits of a telephone number")]
pub struct NotDigits;

impl Digits {
    /// The digits, the last one first.
    pub fn reversed(&self) -> String {
        self.0.chars().rev().collect()
    }

    /// The digits of a whole number in the form of its key, the last one first, as telephone numbers are listed.
    pub fn of(phone: &Phone) -> String {
        phone.key().trim_start_matches('+').chars().rev().collect()
    }

    /// The last digits of a number that two numbers of one person have in common, whatever their form.
    pub fn last(phone: &Phone) -> Self {
        const LAST: usize = 7;
        // Of at least seven digits, in which forms of a number do not differ.
        let digits = phone.digits();
        Self(digits[digits.len().saturating_sub(LAST)..].to_owned())
    }

    fn end(&self, phone: &Phone) -> bool {
        phone.key().ends_with(&self.0)
    }
}

impl std::str::FromStr for Digits {
    type Err = NotDigits;

    fn from_str(text: &str) -> Result<Self, NotDigits> {
        let fit = (3..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        fit.then(|| Self(text.to_owned())).ok_or(NotDigits)
    }
}

parsed!(Digits, "last_digits", "4567");

impl Test {
    fn holds(&self, value: &FieldValue) -> bool {
        match self {
            Self::Equals(wanted) => same(value, wanted),
            Self::Between(from, to) => {
                let place = Listing::value(value);
                let bound = |bound: &Option<FieldValue>| bound.as_ref().map(Listing::value);
                bound(from).is_none_or(|from| from <= place) && bound(to).is_none_or(|to| place <= to)
            }
            Self::OnDay(day) => matches!(value, FieldValue::Date(date) if Day::of(*date) == *day),
        }
    }
}

fn same(one: &FieldValue, other: &FieldValue) -> bool {
    match (one, other) {
        (FieldValue::Text(one), FieldValue::Text(other)) => folded(one.as_str()) == folded(other.as_str()),
        (FieldValue::Choice(one), FieldValue::Choice(other)) => folded(one.as_str()) == folded(other.as_str()),
        _ => one == other,
    }
}

impl Filter {
    /// The list that it reads: that of the condition which the fewest contacts fulfil, as a rule. `None` if none of its conditions
    /// has one.
    pub fn driver(&self) -> Option<Driver> {
        if *self == Self::default() {
            return Some(Driver::All);
        }
        let phone = self.phone.clone().map(Identity::Phone);
        let identity = phone.or_else(|| self.email.clone().map(Identity::Email));
        let field = self.field.as_ref().map(|(field, test)| match test {
            Test::Equals(value) => {
                let value = Listing::value(value);
                Driver::Values(*field, value.clone(), value)
            }
            Test::Between(from, to) => {
                let bound = |bound: &Option<FieldValue>| bound.as_ref().map(Listing::value).unwrap_or_default();
                Driver::Values(*field, bound(from), bound(to))
            }
            Test::OnDay(day) => Driver::OnDay(*field, *day),
        });
        let longest = self.name.iter().max_by_key(|word| word.as_str().len());
        identity
            .map(Driver::Identity)
            .or_else(|| self.deleted.then_some(Driver::Deleted))
            .or_else(|| self.digits.clone().map(Driver::Digits))
            .or(field)
            .or_else(|| longest.cloned().map(Driver::Words))
            .or_else(|| self.tag.map(Driver::Tag))
            .or_else(|| self.duplicates.then_some(Driver::Duplicates))
            .or_else(|| self.stage.map(Driver::Stage))
    }

    /// The filter with its driver. `None` if no list has these contacts.
    pub fn search(self) -> Option<Search> {
        let driver = self.driver()?;
        Some(Search { filter: self, driver })
    }

    /// Whether a contact fulfils all conditions.
    pub fn takes(&self, person: &Person) -> bool {
        let Person { contact, profile } = person;
        let name = profile.name.as_deref().unwrap_or_default();
        let field = |(field, test): &(FieldId, Test)| profile.fields.get(field).is_some_and(|value| test.holds(value));
        let source = |wanted: &Origin| {
            let source = profile.source.as_ref();
            source.is_some_and(|source| folded(source.as_str()) == folded(wanted.as_str()))
        };
        contact.deleted_at.is_some() == self.deleted
            && (!self.duplicates || !contact.same_as.is_empty())
            && self.phone.as_ref().is_none_or(|phone| contact.phones.contains(phone))
            && self.email.as_ref().is_none_or(|email| contact.emails.contains(email))
            && self
                .digits
                .as_ref()
                .is_none_or(|digits| contact.phones.iter().any(|phone| digits.end(phone)))
            && self.name.iter().all(|word| word.begins_one_of(name))
            && self.tag.is_none_or(|tag| profile.tags.contains(&tag))
            && self.field.as_ref().is_none_or(field)
            && self
                .stage
                .is_none_or(|stage| profile.stage.is_some_and(|staged| staged.stage == stage))
            && self.owner.is_none_or(|owner| profile.owner == Some(owner))
            && self.source.as_ref().is_none_or(source)
            && self
                .language
                .as_ref()
                .is_none_or(|language| contact.language.as_deref() == Some(language.as_str()))
    }
}

impl Driver {
    /// Whether an entry of the list leads to a contact, and is the first one in the list that does: a contact may be listed under
    /// several words or numbers, and is found once. `entry`: the part of the entry's key before the contact.
    pub fn leads(&self, entry: &str, person: &Person) -> bool {
        let Person { contact, profile } = person;
        match self {
            Self::All | Self::Deleted | Self::Identity(_) | Self::Duplicates => true,
            Self::Digits(digits) => {
                let numbers = contact.phones.iter().filter(|phone| digits.end(phone));
                numbers.map(Digits::of).min().is_some_and(|first| first == entry)
            }
            Self::Words(begin) => {
                let words = Word::of(profile.name.as_deref().unwrap_or_default());
                let words = words.iter().map(Word::as_str);
                let first = words.filter(|word| word.starts_with(begin.as_str())).min();
                first == Some(entry)
            }
            Self::Tag(tag) => profile.tags.contains(tag),
            Self::Values(field, ..) => {
                let value = profile.fields.get(field).map(Listing::value);
                value.is_some_and(|value| value == entry)
            }
            Self::OnDay(field, day) => {
                matches!(profile.fields.get(field), Some(FieldValue::Date(date)) if Day::of(*date) == *day)
            }
            Self::Stage(stage) => profile.stage.is_some_and(|staged| staged.stage == *stage),
        }
    }
}

impl Search {
    /// Whether a contact is among those for which work that began at this time is meant: it existed, and in a list by time it has
    /// not moved to the end since. Otherwise, work that makes contacts, or moves them within its own list, would never end.
    pub fn meant(&self, person: &Person, begun: Timestamp) -> bool {
        let moved = match self.driver {
            Driver::Stage(_) => person.profile.stage.is_some_and(|staged| staged.since > begun),
            _ => false,
        };
        person.contact.created_at <= begun && !moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::{external::ShownName, ids::ContactId},
        contacts::{contact::Contact, profile::Profile},
    };

    fn id<T>(new: fn(ulid::Ulid) -> T, number: u64) -> T {
        new(ulid::Ulid::from_parts(number, 0))
    }

    fn maya() -> Person {
        let mut contact = Contact::new(id(ContactId::new, 1), "2026-11-20T12:00:00Z".parse().unwrap());
        contact.phones = ["+971501234567", "+447700904567"]
            .map(|phone| phone.parse().unwrap())
            .into();
        contact.language = Some("ar".to_owned());
        let profile = Profile {
            name: ShownName::of("Maya Mayer-Haddad"),
            fields: [
                (id(FieldId::new, 1), FieldValue::Choice("Gold".parse().unwrap())),
                (id(FieldId::new, 2), FieldValue::Number("7".parse().unwrap())),
                (id(FieldId::new, 3), FieldValue::Date("1990-02-28".parse().unwrap())),
            ]
            .into(),
            tags: [id(TagId::new, 1)].into(),
            source: Some("Web form".parse().unwrap()),
            ..Profile::default()
        };
        Person { contact, profile }
    }

    fn number(text: &str) -> Option<FieldValue> {
        Some(FieldValue::Number(text.parse().unwrap()))
    }

    #[test]
    fn a_contact_fulfils_all_conditions() {
        let taken = |change: fn(&mut Filter)| {
            let mut filter = Filter::default();
            change(&mut filter);
            filter.takes(&maya())
        };
        assert!(taken(|_| {}));
        assert!(taken(|filter| filter.digits = "4567".parse().ok()));
        assert!(!taken(|filter| filter.digits = "5678".parse().ok()));
        assert!(taken(|filter| filter.name = Word::of("HADD may")));
        assert!(!taken(|filter| filter.name = Word::of("Maya Smith")));
        assert!(taken(|filter| filter.tag = Some(id(TagId::new, 1))));
        assert!(!taken(|filter| filter.tag = Some(id(TagId::new, 2))));
        assert!(taken(|filter| filter.source = "WEB FORM".parse().ok()));
        assert!(!taken(|filter| filter.language = Some(Language::stored("en"))));
        assert!(!taken(|filter| filter.deleted = true));
        let level = |value: &str| Test::Equals(FieldValue::Choice(value.parse().unwrap()));
        let field = |number: u64, test: Test| {
            let filter = Filter {
                field: Some((id(FieldId::new, number), test)),
                ..Filter::default()
            };
            filter.takes(&maya())
        };
        assert!(field(1, level("gold")));
        assert!(!field(1, level("silver")));
        assert!(field(2, Test::Between(number("-1"), number("7"))));
        assert!(!field(2, Test::Between(number("7.5"), None)));
        assert!(field(3, Test::OnDay("02-28".parse().unwrap())));
        assert!(!field(4, level("gold")));
    }

    #[test]
    fn a_filter_reads_the_most_selective_list() {
        let driver = |change: fn(&mut Filter)| {
            let mut filter = Filter::default();
            change(&mut filter);
            filter.driver()
        };
        assert_eq!(driver(|_| {}), Some(Driver::All));
        assert_eq!(driver(|filter| filter.language = Some(Language::stored("en"))), None);
        assert_eq!(driver(|filter| filter.source = "Shop".parse().ok()), None);
        assert_eq!(
            driver(|filter| {
                filter.tag = Some(id(TagId::new, 1));
                filter.name = Word::of("al hadd");
            }),
            Some(Driver::Words(Word::of("hadd").remove(0)))
        );
        assert_eq!(
            driver(|filter| {
                filter.tag = Some(id(TagId::new, 1));
                filter.phone = "+971501234567".parse().ok();
            }),
            Some(Driver::Identity(Identity::Phone("+971501234567".parse().unwrap())))
        );
        assert_eq!(
            driver(|filter| filter.field = Some((id(FieldId::new, 2), Test::Between(number("1"), None)))),
            Some(Driver::Values(
                id(FieldId::new, 2),
                "1000000000010000".to_owned(),
                String::new()
            ))
        );
        assert_eq!(driver(|filter| filter.deleted = true), Some(Driver::Deleted));
        assert_eq!(
            driver(|filter| {
                filter.deleted = true;
                filter.name = Word::of("hadd");
            }),
            Some(Driver::Deleted)
        );
        assert_eq!(
            driver(|filter| {
                filter.deleted = true;
                filter.email = "maya@example.com".parse().ok();
            }),
            Some(Driver::Identity(Identity::Email("maya@example.com".parse().unwrap())))
        );
    }

    #[test]
    fn a_contact_listed_twice_is_found_once() {
        let words = Driver::Words(Word::of("may").remove(0));
        let leads = |entry: &str| words.leads(entry, &maya());
        assert_eq!(["maya", "mayer", "mayo"].map(leads), [true, false, false]);
        let digits = Driver::Digits("4567".parse().unwrap());
        let leads = |entry: &str| digits.leads(entry, &maya());
        assert_eq!(["765409007744", "765432105179"].map(leads), [true, false]);
    }
}
