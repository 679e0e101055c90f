//! People as users, imports and other software see and change them: a contact with its profile.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::money::Price;
use crate::people::{Contact, Field, MAX_IDENTITIES, Origin, Profile, Staged, Written, by_key};
use crate::terms::{
    Email, Fault, FaultCode, FieldId, FieldKey, FieldProblem, Language, OneLine, Phone, ShownName, StageId, TagId,
    UpTo, UserId, visible_text,
};

/// A contact and its profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub contact: Contact,
    /// Its profile; empty if there is none.
    pub profile: Profile,
}

impl Person {
    /// Records the time of a change by a user or a key, if anything differs.
    pub fn touch(&mut self, before: &Self, now: Timestamp) {
        if self.profile != before.profile || !self.contact.is_written_as(&before.contact) {
            self.profile.updated_at = Some(now);
        }
    }

    /// The contact and its profile.
    pub const fn parts(&self) -> (&Contact, &Profile) {
        (&self.contact, &self.profile)
    }

    /// The name as people see it.
    pub fn shown_name(&self) -> Option<String> {
        shown_name(&self.profile).map(String::from)
    }

    /// Whether nothing says who it is.
    pub const fn is_nobody(&self) -> bool {
        let Self { contact, profile } = self;
        profile.name.is_none()
            && contact.phones.is_empty()
            && contact.emails.is_empty()
            && contact.bsuids.is_empty()
            && contact.called_from.is_none()
    }
}

/// Maximum length of a contact's name, in characters.
pub const MAX_NAME_LENGTH: usize = ShownName::MAX_LENGTH;

/// The fields of a contact that people write.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ContactIn"))]
#[serde(deny_unknown_fields)]
pub struct PersonIn {
    /// Name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = "Maya Haddad"))]
    pub name: Option<OneLine<1, MAX_NAME_LENGTH>>,
    /// Telephone numbers, the preferred one first. No other contact has any of them.
    #[serde(default, skip_serializing_if = "UpTo::is_empty")]
    #[cfg_attr(feature = "schema", schemars(extend("x-unique" = true)))]
    pub phones: UpTo<MAX_IDENTITIES, Phone>,
    /// E-mail addresses, the preferred one first. No other contact has any of them.
    #[serde(default, skip_serializing_if = "UpTo::is_empty")]
    #[cfg_attr(feature = "schema", schemars(extend("x-unique" = true)))]
    pub emails: UpTo<MAX_IDENTITIES, Email>,
    /// Language for messages. Without one, it is detected from what the person writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Tags.
    #[serde(default, skip_serializing_if = "UpTo::is_empty")]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub tags: UpTo<{ Profile::MAX_TAGS }, TagId>,
    /// Values of the tenant's fields, by their keys.
    #[serde(default, skip_serializing_if = "WrittenFields::is_empty")]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub fields: WrittenFields,
    /// Stage of the lead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub stage: Option<StageId>,
    /// User who is responsible for the contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub owner: Option<UserId>,
    /// Source of the lead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = "Web form"))]
    pub source: Option<Origin>,
    /// Expected value of the lead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Price>,
}

/// Values of fields by their keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WrittenFields(#[serde(deserialize_with = "by_key")] pub BTreeMap<FieldKey, Written>);

impl WrittenFields {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

shown_as!(WrittenFields, {
    "type": "object",
    "maxProperties": Field::MAX,
    "propertyNames": {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}$"},
    "additionalProperties": {
        "anyOf": [{"type": "string", "minLength": 1, "maxLength": crate::people::MAX_FIELD_LENGTH},
            {"type": "number", "minimum": -crate::people::Number::MAX, "maximum": crate::people::Number::MAX},
            {"type": "boolean"}],
    },
});

impl PersonIn {
    /// The fields of a person. Values of deleted fields are left out, and so is a language that nobody has set.
    pub fn of(person: &Person, definitions: &[Field]) -> Self {
        let Person { contact, profile } = person;
        Self {
            name: shown_name(profile),
            phones: contact.phones.clone().into(),
            emails: contact.emails.clone().into(),
            language: contact
                .language
                .as_deref()
                .filter(|_| !contact.language_detected)
                .map(Language::from_stored),
            tags: profile.tags.iter().copied().collect::<Vec<_>>().into(),
            fields: shown_fields(profile, definitions),
            stage: profile.stage.map(|staged| staged.stage),
            owner: profile.owner,
            source: profile.source.clone(),
            value: profile.value.clone(),
        }
    }

    /// A number that differs if any of the fields does: the version of what people can change. Calls and messages change the
    /// person's rows without changing it. It has 53 bits, which JSON readers of all languages keep exactly.
    pub fn version(&self) -> u64 {
        // The types have no value that cannot be written as JSON.
        let json = serde_json::to_vec(self).unwrap_or_default();
        let hash = Sha256::digest(json);
        let first = hash
            .iter()
            .take(8)
            .fold(0, |number, byte| number << 8 | u64::from(*byte));
        first >> 11
    }

    /// The person with these fields. Values of fields that are not among the definitions, which may have been read before those fields
    /// were created, stay as long as there is room.
    pub fn onto(self, before: &Person, definitions: &[Field], now: Timestamp) -> Result<Person, Vec<FieldProblem>> {
        let mut wrong = Vec::new();
        add_repetition_problems("phones", &self.phones, &mut wrong);
        add_repetition_problems("emails", &self.emails, &mut wrong);
        add_repetition_problems("tags", &self.tags, &mut wrong);
        let profile = &before.profile;
        // A name that is kept stays as it was received.
        let name = if self.name == shown_name(profile) {
            profile.name.clone()
        } else {
            self.name.as_ref().and_then(|name| ShownName::of(name.as_str()))
        };
        let shown = shown_fields(profile, definitions);
        let mut fields = BTreeMap::new();
        for (key, written) in &self.fields.0 {
            let path = || format!("fields.{key}");
            let Some(definition) = definitions.iter().find(|definition| definition.key == *key) else {
                let detail = "There is no such field. Create it first, or leave it out.";
                wrong.push(FieldProblem::new(path(), Fault::new(FaultCode::NotFound, detail)));
                continue;
            };
            // A value that was valid when it was stored prevents no other change.
            let same = shown.0.get(key) == Some(written);
            match profile.fields.get(&definition.id).filter(|_| same) {
                Some(value) => {
                    fields.insert(definition.id, value.clone());
                }
                None => match definition.value(written) {
                    Ok(value) => {
                        fields.insert(definition.id, value);
                    }
                    Err(fault) => {
                        let detail = sentence(&fault.detail);
                        wrong.push(FieldProblem::new(path(), Fault { detail, ..fault }));
                    }
                },
            }
        }
        let mut listed: BTreeSet<FieldId> = definitions
            .iter()
            .filter(|definition| definition.searchable && fields.contains_key(&definition.id))
            .map(|definition| definition.id)
            .collect();
        let known = |id: &FieldId| definitions.iter().any(|definition| definition.id == *id);
        let unknown = profile.fields.iter().filter(|(id, _)| !known(id));
        fields.extend(unknown.map(|(id, value)| (*id, value.clone())));
        listed.extend(profile.listed.iter().filter(|id| !known(id)));
        let stage = self.stage.map(|stage| match profile.stage {
            Some(staged) if staged.stage == stage => staged,
            _ => Staged { stage, since: now },
        });
        let mut after = before.clone();
        after.contact.named = name.is_some();
        after.contact.named_by_call &= name == profile.name;
        match self.language {
            Some(language) => {
                after.contact.language = Some(language.as_str().to_owned());
                after.contact.language_detected = false;
            }
            None if before.contact.language_detected => {}
            None => after.contact.language = None,
        }
        after.contact.phones = self.phones.into_vec();
        after.contact.forget_forms();
        after.contact.emails = self.emails.into_vec();
        after.profile = Profile {
            name,
            fields,
            listed,
            tags: self.tags.iter().copied().collect(),
            stage,
            owner: self.owner,
            source: self.source,
            value: self.value,
            updated_at: profile.updated_at,
            version: profile.version,
        };
        let bytes = |profile: &Profile| serde_json::to_vec(profile).map_or(usize::MAX, |json| json.len());
        if bytes(&after.profile) > Profile::LARGEST {
            // Nobody sees them, so nobody could shorten them.
            after.profile.fields.retain(|id, _| known(id));
            after.profile.listed.retain(known);
        }
        after.touch(before, now);
        if after.is_nobody() {
            let detail = "A contact needs a name, a telephone number or an e-mail address.";
            let fault = Fault::requires(&["phones", "emails"], detail);
            wrong.push(FieldProblem::new("name", fault));
        }
        let size = bytes(&after.profile);
        if size > Profile::LARGEST {
            let most = Profile::LARGEST;
            let detail = format!("The contact has {size} bytes, of at most {most}. Shorten or remove some values.");
            let fault = Fault::new(FaultCode::TooLarge, detail);
            let fault = fault.and("bytes", size).and("maximum_bytes", most);
            wrong.push(FieldProblem::new("fields", fault));
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(after)
    }
}

/// The name as people may write it: customers and providers use more characters.
fn shown_name(profile: &Profile) -> Option<OneLine<1, MAX_NAME_LENGTH>> {
    let name = profile.name.as_deref()?;
    name.parse().or_else(|_| visible_text(name).parse()).ok()
}

/// The values of a profile by the keys of their fields.
fn shown_fields(profile: &Profile, definitions: &[Field]) -> WrittenFields {
    let shown = definitions.iter().filter_map(|definition| {
        let value = profile.fields.get(&definition.id)?;
        Some((definition.key.clone(), value.value_for_api()))
    });
    WrittenFields(shown.collect())
}

/// The first character in upper case, and a full stop.
fn sentence(detail: &str) -> String {
    let mut signs = detail.chars();
    let first = signs.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), signs.as_str())
}

fn add_repetition_problems<T: Eq + std::hash::Hash>(field: &str, items: &[T], wrong: &mut Vec<FieldProblem>) {
    let mut known = HashSet::new();
    for (index, item) in items.iter().enumerate() {
        if !known.insert(item) {
            let fault = Fault::new(FaultCode::GivenTwice, "Given twice. Remove one of them.");
            wrong.push(FieldProblem::new(format!("{field}[{index}]"), fault));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;
    use crate::people::{FieldValue, Identity, Linked, Recognized};
    use crate::samples::{NOON, at, defined_field};
    use crate::terms::ContactId;

    fn empty_person() -> Person {
        let id = ContactId::new(ulid::Ulid::from_parts(1, 2));
        Person {
            contact: Contact::new(id, at(NOON)),
            profile: Profile::default(),
        }
    }

    fn definitions() -> Vec<Field> {
        vec![
            defined_field(1, "level", "choice", true),
            defined_field(2, "visits", "number", false),
        ]
    }

    fn change(before: &Person, fields: Value) -> Result<Person, Vec<String>> {
        let fields: PersonIn = from_value(fields).unwrap();
        let changed = fields.onto(before, &definitions(), at("2026-11-21T12:00:00Z"));
        changed.map_err(|wrong| wrong.into_iter().map(|problem| problem.field).collect())
    }

    fn maya() -> Value {
        json!({
            "name": "Maya Haddad", "phones": ["+971501234567", "+971501234568"], "emails": ["maya@example.com"],
            "language": "ar", "tags": ["tag_00000000000000000000000001"], "fields": {"level": "gold", "visits": 3},
            "stage": "stg_00000000000000000000000001", "source": "Web form", "value": {"amount": 5000, "currency": "AED"},
        })
    }

    #[test]
    fn what_was_written_is_read_again() {
        let person = &change(&empty_person(), maya()).unwrap();
        let mut expected = maya();
        expected["fields"]["level"] = json!("Gold");
        let read = PersonIn::of(person, &definitions());
        assert_eq!(serde_json::to_value(&read).unwrap(), expected);
        assert!(person.contact.named);
        assert_eq!(person.profile.updated_at, Some(at("2026-11-21T12:00:00Z")));
        assert_eq!(person.profile.listed.len(), 1, "only `level` is searchable");
        // Written again, nothing changes.
        let again = change(person, serde_json::to_value(&read).unwrap()).unwrap();
        assert_eq!(again, *person);
    }

    #[test]
    fn identities_come_and_go_with_the_lists() {
        let before = change(&empty_person(), maya()).unwrap();
        assert_eq!(Linked::between(&empty_person().contact, &before.contact).new.len(), 3);
        let mut other = maya();
        other["phones"] = json!(["+971501234569", "+971501234567"]);
        other["emails"] = json!([]);
        let after = change(&before, other).unwrap();
        let linked = Linked::between(&before.contact, &after.contact);
        let phone = |number: &str| Identity::Phone(number.parse().unwrap());
        assert_eq!(linked.new, [phone("+971501234569")]);
        assert_eq!(
            linked.dropped,
            [
                phone("+971501234568"),
                Identity::Email("maya@example.com".parse().unwrap())
            ]
        );
    }

    #[test]
    fn wrong_fields_are_named() {
        for (fields, expected) in [
            (json!({}), vec!["name"]),
            (
                json!({"name": "A", "phones": ["+971501234567", "+971501234567"]}),
                vec!["phones[1]"],
            ),
            (
                json!({"name": "A", "fields": {"colour": "red", "level": "Bronze", "visits": "3"}}),
                vec!["fields.colour", "fields.level", "fields.visits"],
            ),
            (
                json!({"tags": ["tag_00000000000000000000000001", "tag_00000000000000000000000001"]}),
                vec!["tags[1]", "name"],
            ),
        ] {
            assert_eq!(
                change(&empty_person(), fields.clone()).unwrap_err(),
                expected,
                "{fields}"
            );
        }
    }

    /// A detected language is nobody's wish: it neither changes the version nor is it set by a change of something else.
    #[test]
    fn a_detected_language_is_not_a_set_one() {
        let recognized = |language: &str, certain: bool| Recognized {
            language: language.to_owned(),
            certain,
        };
        let mut person = change(&empty_person(), json!({"name": "Maya"})).unwrap();
        let before = PersonIn::of(&person, &definitions());
        person.contact.writes_in(recognized("en", false));
        assert_eq!(person.contact.language.as_deref(), Some("en"));
        person.contact.writes_in(recognized("ar", true));
        assert_eq!(person.contact.language.as_deref(), Some("ar"));
        person.contact.writes_in(recognized("en", false));
        assert_eq!(person.contact.language.as_deref(), Some("ar"));
        let read = PersonIn::of(&person, &definitions());
        assert_eq!((read.version(), read.language), (before.version(), None));
        let renamed = change(&person, json!({"name": "Maya Haddad"})).unwrap().contact;
        assert_eq!(
            (renamed.language.as_deref(), renamed.language_detected),
            (Some("ar"), true)
        );
        // A set language stays set, even if it is the same.
        for language in ["ar", "fr"] {
            let mut set = change(&person, json!({"name": "Maya", "language": language})).unwrap();
            assert!(!set.contact.language_detected);
            set.contact.writes_in(recognized("en", true));
            assert_eq!(set.contact.language.as_deref(), Some(language));
            let unset = change(&set, json!({"name": "Maya"})).unwrap().contact;
            assert_eq!((unset.language, unset.language_detected), (None, false));
        }
    }

    /// The version names what people see: a new call or service window does not change it.
    #[test]
    fn version_changes_with_what_people_write() {
        let person = change(&empty_person(), maya()).unwrap();
        let version = |person: &Person| PersonIn::of(person, &definitions()).version();
        let mut called = person.clone();
        called.contact.calls += 1;
        called.contact.version += 1;
        assert_eq!(version(&called), version(&person));
        let mut known = person.clone();
        known.contact.phones.rotate_left(1);
        assert_ne!(version(&known), version(&person));
        assert!(version(&person) < 1 << 53);
    }

    #[test]
    fn name_that_a_customer_chose_prevents_no_other_change() {
        for (received, shown) in [
            ("Ali \u{f8ff}", Some("Ali")),
            ("علی\u{200c}", Some("علی")),
            ("♡\u{fe0e} Maya", Some("♡ Maya")),
            ("❤\u{fe0f}\u{fe0f}", Some("❤")),
            ("❤\u{fe0f} Maya", Some("❤\u{fe0f} Maya")),
            ("\u{f8ff}", None),
        ] {
            let mut person = change(&empty_person(), maya()).unwrap();
            person.profile.name = ShownName::of(received);
            let fields = PersonIn::of(&person, &definitions());
            assert_eq!(fields.name.as_ref().map(OneLine::as_str), shown);
            // As a patch does.
            let mut fields = serde_json::to_value(fields).unwrap();
            assert_eq!(change(&person, fields.clone()).unwrap(), person, "{received:?}");
            fields["phones"] = json!(["+971501234569"]);
            person.contact.named_by_call = true;
            let after = change(&person, fields.clone()).unwrap();
            assert_eq!(
                (&after.profile.name, after.contact.named_by_call),
                (&person.profile.name, true)
            );
            fields["name"] = json!("Maya by hand");
            assert!(!change(&person, fields).unwrap().contact.named_by_call);
        }
    }

    #[test]
    fn value_of_a_changed_field_prevents_no_other_change() {
        let person = change(&empty_person(), maya()).unwrap();
        let mut fewer = definitions();
        fewer[0].options = vec!["Silver".parse().unwrap()].into();
        fewer.pop();
        let mut fields = PersonIn::of(&person, &fewer);
        assert_eq!(fields.fields.0.len(), 1, "the value of a deleted field is not shown");
        fields.name = Some("Maya".parse().unwrap());
        let after = fields.onto(&person, &fewer, at(NOON)).unwrap();
        assert_eq!(after.profile.name.as_deref(), Some("Maya"));
        assert_eq!(after.profile.fields, person.profile.fields);
    }

    /// Whoever writes may have read the fields before a new one got its values.
    #[test]
    fn value_of_an_unknown_field_stays() {
        let person = change(&empty_person(), maya()).unwrap();
        let fields = PersonIn::of(&person, &[]);
        let same = fields.onto(&person, &[], at(NOON)).unwrap();
        assert_eq!(same, person);
    }

    #[test]
    fn values_of_unknown_fields_give_way_to_known_ones() {
        let mut person = change(&empty_person(), maya()).unwrap();
        for id in 10.. {
            if serde_json::to_vec(&person.profile).unwrap().len() > Profile::LARGEST {
                break;
            }
            let id = FieldId::new(ulid::Ulid::from_parts(id, 0));
            person
                .profile
                .fields
                .insert(id, FieldValue::Text("a".repeat(400).parse().unwrap()));
        }
        let fields = PersonIn::of(&person, &definitions());
        let after = fields.onto(&person, &definitions(), at(NOON)).unwrap();
        assert_eq!(after.profile.fields.len(), 2);
    }
}
