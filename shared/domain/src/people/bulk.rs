//! Changes of many contacts at once: what a user asks for, what becomes of each contact, and what is counted.
//!
//! Every change sets values, so a contact that has them already is not written again: making a change twice is making it once.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::people::{Conditions, Field, FieldValue, Person, Profile, Staged, Written, by_key};
use crate::terms::{
    ContactId, Fault, FaultCode, FieldId, FieldKey, FieldProblem, Language, SegmentId, StageId, TagId, UpTo, UserId,
};

/// Maximum contacts that a change names one by one.
pub const MAX_CHOSEN: usize = 1_000;

/// A change of a value: omitted, it stays; `null` removes it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Edit<T> {
    #[default]
    Keep,
    Clear,
    /// It becomes this value.
    Set(T),
}

impl<T> Edit<T> {
    pub const fn keeps(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// The new value, if there is one.
    pub const fn set(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }
}

impl<T: Serialize> Serialize for Edit<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // The object around it omits an edit that keeps the value.
        self.set().serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Edit<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Option::<T>::deserialize(deserializer)?;
        Ok(value.map_or(Self::Clear, Self::Set))
    }
}

#[cfg(feature = "schema")]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Edit<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        Option::<T>::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Option::<T>::json_schema(generator)
    }
}

/// A change of many contacts. Values that are omitted stay, `null` removes one. At least one change is required.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "ContactsChange")
)]
#[serde(deny_unknown_fields)]
pub struct ChangeIn {
    /// Tags that each contact gets.
    #[serde(default, skip_serializing_if = "UpTo::is_empty")]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub add_tags: UpTo<{ Profile::MAX_TAGS }, TagId>,
    /// Tags that each contact loses. Deleted tags can be removed, too.
    #[serde(default, skip_serializing_if = "UpTo::is_empty")]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub remove_tags: UpTo<{ Profile::MAX_TAGS }, TagId>,
    /// Stage of the leads.
    #[serde(default, skip_serializing_if = "Edit::keeps")]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub stage: Edit<StageId>,
    /// Responsible user.
    #[serde(default, skip_serializing_if = "Edit::keeps")]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub owner: Edit<UserId>,
    /// Language for messages. `null` returns to detection from what the person writes.
    #[serde(default, skip_serializing_if = "Edit::keeps")]
    pub language: Edit<Language>,
    /// Values of the tenant's fields, by their keys.
    #[serde(default, skip_serializing_if = "EditedFields::is_empty")]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub fields: EditedFields,
    /// Whether the contacts are deleted, as one by one: they can be restored for 30 days. Not together with other changes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delete: bool,
}

/// Changes of values of fields by their keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EditedFields(#[serde(deserialize_with = "by_key")] pub BTreeMap<FieldKey, Option<Written>>);

impl EditedFields {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

shown_as!(EditedFields, {
    "type": "object",
    "maxProperties": Field::MAX,
    "propertyNames": {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}$"},
    "additionalProperties": {
        "anyOf": [{"type": "string", "minLength": 1, "maxLength": crate::people::MAX_FIELD_LENGTH},
            {"type": "number", "minimum": -crate::people::Number::MAX, "maximum": crate::people::Number::MAX}, {"type": "boolean"}, {"type": "null"}],
    },
    "examples": [{"loyalty_level": "Gold", "visits": null}],
});

/// New values of fields; `None` removes one.
pub type FieldEdits = BTreeMap<FieldId, Option<FieldValue>>;

impl ChangeIn {
    /// Problems of the change by itself. Empty: none.
    pub fn problems(&self) -> Vec<FieldProblem> {
        let others = Self {
            delete: false,
            ..self.clone()
        };
        let changes_others = others != Self::default();
        let mut wrong = Vec::new();
        if self.delete && changes_others {
            let detail = "Contacts that are deleted cannot be changed as well. Leave out the other changes.";
            wrong.push(FieldProblem::new("delete", Fault::new(FaultCode::Excludes, detail)));
        }
        if !self.delete && !changes_others {
            let detail = "Nothing would change. Name at least one change, or `delete`.";
            wrong.push(FieldProblem::new("delete", Fault::new(FaultCode::Required, detail)));
        }
        for (index, tag) in self.remove_tags.iter().enumerate() {
            if self.add_tags.contains(tag) {
                let detail = "The tag is also in `add_tags`. Remove it from one of the lists.";
                let fault = Fault::excludes(&["add_tags"], detail);
                wrong.push(FieldProblem::new(format!("remove_tags[{index}]"), fault));
            }
        }
        wrong
    }

    /// The new values of fields, by these definitions.
    ///
    /// # Errors
    /// The fields that do not exist or cannot have these values.
    pub fn values(&self, definitions: &[Field]) -> Result<FieldEdits, Vec<FieldProblem>> {
        let (mut values, mut wrong) = (FieldEdits::new(), Vec::new());
        for (key, written) in &self.fields.0 {
            let path = || format!("fields.{key}");
            let Some(definition) = definitions.iter().find(|definition| definition.key == *key) else {
                let detail = "There is no such field. Create it first, or leave it out.";
                wrong.push(FieldProblem::new(path(), Fault::new(FaultCode::NotFound, detail)));
                continue;
            };
            match written.as_ref().map(|written| definition.value(written)).transpose() {
                Ok(value) => drop(values.insert(definition.id, value)),
                Err(fault) => {
                    let detail = format!("The value {}.", fault.detail);
                    wrong.push(FieldProblem::new(path(), Fault { detail, ..fault }));
                }
            }
        }
        if wrong.is_empty() { Ok(values) } else { Err(wrong) }
    }

    /// The person after the change, which also sets these values of fields. `None` if it has changed nothing.
    ///
    /// # Errors
    /// The reason why this person cannot be changed.
    pub fn apply(
        &self,
        values: &FieldEdits,
        before: &Person,
        definitions: &[Field],
        now: Timestamp,
    ) -> Result<Option<Person>, Reason> {
        let mut after = before.clone();
        if self.delete {
            after.contact.deleted_at.get_or_insert(now);
            return Ok((after != *before).then_some(after));
        }
        let Person { contact, profile } = &mut after;
        profile.tags.extend(self.add_tags.iter().copied());
        for tag in &*self.remove_tags {
            profile.tags.remove(tag);
        }
        match self.stage {
            Edit::Keep => {}
            Edit::Clear => profile.stage = None,
            Edit::Set(stage) => {
                let same = profile.stage.filter(|staged| staged.stage == stage);
                profile.stage = Some(same.unwrap_or(Staged { stage, since: now }));
            }
        }
        match self.owner {
            Edit::Keep => {}
            Edit::Clear => profile.owner = None,
            Edit::Set(owner) => profile.owner = Some(owner),
        }
        match &self.language {
            Edit::Keep => {}
            // A detected language is nobody's wish, so there is nothing to remove.
            Edit::Clear if contact.language_detected => {}
            Edit::Clear => contact.language = None,
            Edit::Set(language) => {
                contact.language = Some(language.as_str().to_owned());
                contact.language_detected = false;
            }
        }
        for (field, value) in values {
            let same = profile.fields.get(field) == value.as_ref();
            match value {
                _ if same => {}
                None => {
                    profile.fields.remove(field);
                    profile.listed.remove(field);
                }
                Some(value) => {
                    let definition = definitions.iter().find(|definition| definition.id == *field);
                    if definition.is_some_and(|definition| definition.searchable) {
                        profile.listed.insert(*field);
                    } else {
                        profile.listed.remove(field);
                    }
                    profile.fields.insert(*field, value.clone());
                }
            }
        }
        if after == *before {
            return Ok(None);
        }
        // Contacts with more from earlier are not stuck: they can lose some.
        let tags = after.profile.tags.len();
        if tags > Profile::MAX_TAGS && tags > before.profile.tags.len() {
            return Err(Reason::TooManyTags);
        }
        after.touch(before, now);
        let size = serde_json::to_vec(&after.profile).map_or(usize::MAX, |json| json.len());
        if size > Profile::LARGEST {
            return Err(Reason::TooLarge);
        }
        Ok(Some(after))
    }
}

/// Parameters of the operation that changes contacts, as its users see them. They name the fields that change, not the values:
/// parameters are retained, and erasure does not search them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeContacts {
    /// Number of contacts that were named one by one, if they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contacts: Option<u64>,
    /// The segment, if not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<SegmentId>,
    /// Its conditions when the operation was started. Later changes of the segment do not affect it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Conditions>,
    /// The change, without values of fields.
    pub change: ChangeIn,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldKey>,
}

/// Details of a change of contacts, which only its worker reads. They are deleted when it is done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeDetails {
    /// Contacts that were named one by one. At most [`MAX_CHOSEN`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<ContactId>,
    /// New values of fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: FieldEdits,
}

/// The reason why a contact was not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The contact does not exist, or is deleted.
    NotFound,
    /// The contact would have too many tags.
    TooManyTags,
    /// The contact would be too large.
    TooLarge,
    /// Others changed the contact at the same time, again and again.
    Busy,
}

impl Reason {
    pub const ALL: [Self; 4] = [Self::NotFound, Self::TooManyTags, Self::TooLarge, Self::Busy];

    /// The reason in a sentence.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::NotFound => "The contact does not exist, or is deleted.",
            Self::TooManyTags => "The contact would have more than 20 tags. Remove some of them first.",
            Self::TooLarge => "The contact would be too large. Shorten or remove some of its values first.",
            Self::Busy => "Others were changing the contact at the same time. Change it again.",
        }
    }
}

/// A contact that was not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub contact: ContactId,
    pub reason: Reason,
}

/// Effect on a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Became {
    Changed,
    /// The contact was already as wanted.
    Unchanged,
    /// The contact was not changed.
    Failed(Reason),
    /// The contact was not meant: it does not fulfil the conditions any more.
    NotMeant,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Contacts that have changed.
    pub changed: u64,
    /// Contacts that were already as wanted.
    pub unchanged: u64,
    /// Contacts that were not changed.
    pub failed: u64,
    /// The first contacts that were not changed. At most [`Tally::MAX_FAILURES`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failure>,
}

impl Tally {
    /// Maximum contacts with a recorded reason.
    pub const MAX_FAILURES: usize = 50;

    pub fn count(&mut self, contact: ContactId, became: Became) {
        match became {
            Became::Changed => self.changed += 1,
            Became::Unchanged => self.unchanged += 1,
            Became::NotMeant => {}
            Became::Failed(reason) => {
                self.failed += 1;
                if self.failures.len() < Self::MAX_FAILURES {
                    self.failures.push(Failure { contact, reason });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::ops::Range;

    use serde_json::{Value, from_value, json};

    use super::*;
    use crate::messages::OptFlag;
    use crate::people::{Contact, Recognized};
    use crate::samples::{NOON, at, defined_field};
    use crate::terms::Data;

    const LATER: &str = "2026-11-21T12:00:00Z";

    fn definitions() -> Vec<Field> {
        vec![
            defined_field(1, "visits", "number", true),
            defined_field(2, "remark", "text", false),
        ]
    }

    fn tag(number: u64) -> TagId {
        TagId::new(ulid::Ulid::from_parts(number, 0))
    }

    fn maya() -> Person {
        Person {
            contact: Contact::new(ContactId::new(ulid::Ulid::from_parts(1, 2)), at(NOON)),
            profile: Profile {
                tags: [tag(1)].into(),
                ..Profile::default()
            },
        }
    }

    fn change(fields: Value) -> ChangeIn {
        from_value(fields).unwrap()
    }

    fn apply(before: &Person, fields: Value) -> Result<Option<Person>, Reason> {
        let change = change(fields);
        let values = change.values(&definitions()).unwrap();
        change.apply(&values, before, &definitions(), at(LATER))
    }

    fn all_changes() -> Value {
        json!({
            "add_tags": [tag(2)], "remove_tags": [tag(1)], "stage": "stg_00000000000000000000000001",
            "owner": "usr_00000000000000000000000001", "language": "ar", "fields": {"visits": 3, "remark": "Tea"},
        })
    }

    #[test]
    fn a_change_sets_and_removes_values_once() {
        let after = apply(&maya(), all_changes()).unwrap().unwrap();
        assert_eq!(after.profile.tags, [tag(2)].into());
        let staged = after.profile.stage.unwrap();
        assert_eq!(staged.since, at(LATER));
        assert_eq!(after.contact.language.as_deref(), Some("ar"));
        assert_eq!((after.profile.fields.len(), after.profile.listed.len()), (2, 1));
        assert_eq!(after.profile.updated_at, Some(at(LATER)));
        assert_eq!(apply(&after, all_changes()), Ok(None));
        let removed =
            json!({"stage": null, "owner": null, "language": null, "fields": {"visits": null, "remark": null}});
        let bare = apply(&after, removed.clone()).unwrap().unwrap();
        assert_eq!((bare.profile.stage, bare.profile.owner), (None, None));
        assert!(bare.profile.fields.is_empty() && bare.profile.listed.is_empty());
        assert_eq!(bare.contact.language, None);
        assert_eq!(apply(&bare, removed), Ok(None));
    }

    /// As if each contact were changed alone: nobody wished for a language that was detected, and a refusal stays.
    #[test]
    fn a_change_keeps_wishes_and_detected_languages() {
        let mut before = maya();
        before.contact.writes_in(Recognized {
            language: "fr".to_owned(),
            certain: true,
        });
        before
            .contact
            .wish(OptFlag::Stop, "asked for no more messages by SMS", at(NOON));
        assert_eq!(apply(&before, json!({"language": null})), Ok(None));
        let set = apply(
            &before,
            json!({"language": "fr", "owner": "usr_00000000000000000000000001"}),
        );
        let set = set.unwrap().unwrap();
        assert!(!set.contact.language_detected);
        assert_eq!(set.contact.consent, before.contact.consent);
        assert!(set.contact.refuses());
        let bare = apply(&set, json!({"language": null})).unwrap().unwrap();
        assert_eq!(bare.contact.language, None);
    }

    #[test]
    fn a_deletion_is_made_once() {
        let deleted = apply(&maya(), json!({"delete": true})).unwrap().unwrap();
        assert_eq!(deleted.contact.deleted_at, Some(at(LATER)));
        assert_eq!(deleted.profile, maya().profile);
        assert_eq!(apply(&deleted, json!({"delete": true})), Ok(None));
    }

    #[test]
    fn a_contact_with_too_much_is_not_changed() {
        let mut full = maya();
        full.profile.tags = (1..=20).map(tag).collect();
        assert_eq!(apply(&full, json!({"add_tags": [tag(21)]})), Err(Reason::TooManyTags));
        let instead = json!({"add_tags": [tag(21)], "remove_tags": [tag(1)]});
        assert!(apply(&full, instead).unwrap().is_some());
        // From before the maximum was lowered.
        full.profile.tags = (1..=25).map(tag).collect();
        assert!(apply(&full, json!({"remove_tags": [tag(1)]})).unwrap().is_some());
        let mut large = maya();
        let fill = |person: &mut Person, numbers: Range<u64>| {
            let text = FieldValue::Text("é".repeat(500).parse().unwrap());
            let values = numbers.map(|number| (FieldId::new(ulid::Ulid::from_parts(number, 0)), text.clone()));
            person.profile.fields.extend(values);
        };
        fill(&mut large, 10..18);
        let remark = json!({"fields": {"remark": "🍕".repeat(500)}});
        assert!(apply(&large, remark.clone()).unwrap().is_some());
        fill(&mut large, 20..30);
        assert_eq!(apply(&large, remark), Err(Reason::TooLarge));
    }

    #[test]
    fn a_change_that_cannot_be_meant_is_refused() {
        for (fields, wrong) in [
            (json!({}), vec!["delete"]),
            (json!({"delete": false}), vec!["delete"]),
            (json!({"delete": true, "stage": null}), vec!["delete"]),
            (
                json!({"add_tags": [tag(1), tag(2)], "remove_tags": [tag(3), tag(2)]}),
                vec!["remove_tags[1]"],
            ),
            (json!({"delete": true}), vec![]),
            (json!({"owner": null}), vec![]),
        ] {
            let found = change(fields.clone()).problems();
            let found: Vec<_> = found.iter().map(|problem| problem.field.as_str()).collect();
            assert_eq!(found, wrong, "{fields}");
        }
        let wrong = change(json!({"fields": {"visits": "3", "colour": "red", "remark": null}}));
        let wrong = wrong.values(&definitions()).unwrap_err();
        let wrong: BTreeSet<_> = wrong.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(wrong, ["fields.visits", "fields.colour"].into());
        let tags: Vec<TagId> = (0..21).map(tag).collect();
        assert!(from_value::<ChangeIn>(json!({ "add_tags": tags })).is_err());
        let fields: BTreeMap<String, u8> = (0..51).map(|number| (format!("f{number}"), 1)).collect();
        assert!(from_value::<ChangeIn>(json!({ "fields": fields })).is_err());
    }

    #[test]
    fn a_change_is_read_as_it_was_written() {
        for fields in [all_changes(), json!({"stage": null, "fields": {"visits": null}})] {
            assert_eq!(serde_json::to_value(change(fields.clone())).unwrap(), fields);
        }
    }

    /// The largest parameters, cursor and result fit into an operation.
    #[test]
    fn largest_tally_and_parameters_fit_an_operation() {
        let mut tally = Tally::default();
        let contact = maya().contact.id;
        for _ in 0..Tally::MAX_FAILURES + 1 {
            tally.count(contact, Became::Failed(Reason::TooManyTags));
        }
        assert_eq!(tally.failures.len(), Tally::MAX_FAILURES);
        tally.count(contact, Became::NotMeant);
        tally.count(contact, Became::Changed);
        tally.count(contact, Became::Unchanged);
        assert_eq!((tally.changed, tally.unchanged, tally.failed), (1, 1, 51));
        assert!(Data::of(&tally).is_ok());
        let tags: Vec<TagId> = (0..20).map(tag).collect();
        let key = |number: u64| format!("{}{number:02}", "x".repeat(38)).parse::<FieldKey>().unwrap();
        let text = "🍕".repeat(500);
        let params = ChangeContacts {
            contacts: Some(1_000),
            segment: Some(SegmentId::new(ulid::Ulid::from_parts(1, 1))),
            filter: Some(
                from_value(json!({"field": key(1), "from": text, "to": text, "source": "🍕".repeat(60)})).unwrap(),
            ),
            change: change(json!({"add_tags": tags, "remove_tags": tags})),
            fields: (0..50).map(key).collect(),
        };
        assert!(Data::of(&params).is_ok());
    }

    #[test]
    fn reasons_have_a_word_and_a_sentence() {
        for reason in Reason::ALL {
            assert!(serde_json::to_value(reason).unwrap().is_string());
            assert!(reason.sentence().ends_with('.'));
        }
        let most = format!("more than {} tags", Profile::MAX_TAGS);
        assert!(Reason::TooManyTags.sentence().contains(&most));
    }
}
