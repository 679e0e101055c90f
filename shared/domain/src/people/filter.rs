//! Filters of contacts. The driver of a filter is the condition that names a list of contacts to read in the table; all conditions are then
//! tested on each of them. Without a condition that can drive it, a filter would have to read every contact.

use jiff::Timestamp;

use crate::people::{Day, Digits, FieldValue, Identity, Listing, Origin, Person, Profile, Word};
use crate::terms::{Email, FieldId, Language, Phone, StageId, TagId, UserId, fold, unify_name};

/// Conditions that a contact fulfils, all of them. Empty: every contact that is not deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub phone: Option<Phone>,
    pub email: Option<Email>,
    /// Last digits of a telephone number, or one in any spelling.
    pub digits: Option<Digits>,
    /// Beginnings of words of the name.
    pub name: Vec<Word>,
    pub tag: Option<TagId>,
    /// Value of a searchable field.
    pub field: Option<(FieldId, Test)>,
    pub stage: Option<StageId>,
    pub owner: Option<UserId>,
    /// Source of the lead, whatever its case.
    pub source: Option<Origin>,
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
    All,
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
    pub filter: Filter,
    pub driver: Driver,
}

impl Search {
    pub fn of_all_contacts() -> Self {
        Self {
            filter: Filter::default(),
            driver: Driver::All,
        }
    }
}

impl Test {
    fn holds(&self, value: &FieldValue) -> bool {
        match self {
            Self::Equals(wanted) => is_same_value(value, wanted),
            Self::Between(from, to) => {
                let place = Listing::value(value);
                let bound = |bound: &Option<FieldValue>| bound.as_ref().map(Listing::value);
                bound(from).is_none_or(|from| from <= place) && bound(to).is_none_or(|to| place <= to)
            }
            Self::OnDay(day) => matches!(value, FieldValue::Date(date) if Day::of(*date) == *day),
        }
    }
}

fn is_same_value(one: &FieldValue, other: &FieldValue) -> bool {
    match (one, other) {
        (FieldValue::Text(one), FieldValue::Text(other)) => fold(one.as_str()) == fold(other.as_str()),
        (FieldValue::Choice(one), FieldValue::Choice(other)) => unify_name(one.as_str()) == unify_name(other.as_str()),
        _ => one == other,
    }
}

impl Filter {
    /// The list that it reads: as a rule, the list of the condition that the fewest contacts fulfil. `None` if none of
    /// its conditions has one.
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
        let longest = self.name.iter().max_by_key(|word| word.as_str().len()).cloned();
        identity
            .map(Driver::Identity)
            .or_else(|| self.deleted.then_some(Driver::Deleted))
            .or_else(|| self.digits.clone().map(Driver::Digits))
            .or(field)
            .or_else(|| longest.map(Driver::Words))
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
        let name = name(profile);
        let field = |(field, test): &(FieldId, Test)| profile.fields.get(field).is_some_and(|value| test.holds(value));
        let source = |wanted: &Origin| {
            let source = profile.source.as_ref();
            source.is_some_and(|source| fold(source.as_str()) == fold(wanted.as_str()))
        };
        contact.deleted_at.is_some() == self.deleted
            && (!self.duplicates || !contact.same_as.is_empty())
            && self.phone.as_ref().is_none_or(|phone| contact.phones.contains(phone))
            && self.email.as_ref().is_none_or(|email| contact.emails.contains(email))
            && self
                .digits
                .as_ref()
                .is_none_or(|digits| contact.phones.iter().any(|phone| digits.find(phone)))
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
                let numbers = contact.phones.iter().filter(|phone| digits.find(phone));
                numbers.map(Digits::of).min().is_some_and(|first| first == entry)
            }
            Self::Words(begin) => {
                let words = Word::of(name(profile));
                begin.first(&words).is_some_and(|first| first.as_str() == entry)
            }
            Self::Tag(tag) => profile.tags.contains(tag),
            Self::Values(field, ..) => {
                let value = profile.fields.get(field);
                value.is_some_and(|value| Listing::value(value) == entry)
            }
            Self::OnDay(field, day) => {
                matches!(profile.fields.get(field), Some(FieldValue::Date(date)) if Day::of(*date) == *day)
            }
            Self::Stage(stage) => profile.stage.is_some_and(|staged| staged.stage == *stage),
        }
    }
}

fn name(profile: &Profile) -> &str {
    profile.name.as_deref().unwrap_or_default()
}

impl Search {
    /// Whether work that began at this time means a contact: it existed, and in a list by time it has not moved to the
    /// end since. Otherwise, work that makes contacts, or moves them within its own list, would never end.
    pub fn is_meant_contact(&self, person: &Person, begun: Timestamp) -> bool {
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
    use crate::people::Contact;
    use crate::terms::{ContactId, ShownName};

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
        assert!(!taken(|filter| filter.language = Some(Language::from_stored("en"))));
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
        assert_eq!(
            driver(|filter| filter.language = Some(Language::from_stored("en"))),
            None
        );
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
