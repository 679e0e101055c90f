//! Imports of contacts: what a row of a table makes of the person that it is about.
//!
//! A row is about somebody if one of its numbers or addresses leads to a contact. Everything else follows from the mode of the
//! import. Nobody who was erased or deleted comes back, and no row undoes a refusal: an import is what the business says, not the
//! person. What the person told the business elsewhere, by unsubscribing, is the person's, too: a refusal of marketing on that channel.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::money::Price;
use crate::people::{
    By, Choice, ConsentCategory, ConsentEntry, Contact, Evidence, Field, Identity, Linked, MAX_IDENTITIES,
    MAX_NAME_LENGTH, Origin, Person, PersonIn, Profile, Scope, Wish, Wording, WrittenFields,
};
use crate::terms::{
    Actor, Channel, ContactId, Day, Email, FieldProblem, ImportId, Language, OneLine, OperationId, Phone, StageId,
    TagId, UserId, derive_id,
};

/// An import: a table that is uploaded, then worked through by operations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    pub id: ImportId,
    /// Name of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<FileName>,
    /// Size of the file in bytes.
    pub size: u32,
    /// User or key that created it.
    pub created_by: Actor,
    pub created_at: Timestamp,
    /// The newest operation that works through it. There may be several: a dry run, then the import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationId>,
}

/// Name of a file.
pub type FileName = OneLine<1, 200>;

impl Import {
    /// Maximum size of a file in bytes.
    pub const LARGEST: u32 = 64 * 1024 * 1024;
    /// Maximum rows of a table. Further ones are left out.
    pub const MAX_ROWS: u64 = 100_000;
    /// Maximum imports of a tenant at a time, so that its lists have capacity left for calls and messages. Requests at the same moment
    /// can exceed it.
    pub const MAX_AT_ONCE: usize = 2;
    /// Retention after the creation.
    pub const RETAINED: jiff::SignedDuration = jiff::SignedDuration::from_hours(30 * 24);

    /// The contact that a row of the table creates. It is the same however often the row is worked: so a row that was
    /// interrupted, or worked by an earlier operation, finds its own contact.
    pub fn contact_of(&self, row: u64) -> ContactId {
        ContactId::new(self.id_for("contact", &row.to_string()))
    }

    /// The entry in the consent ledger that a row of the table makes. A row has at most one of each choice and channel.
    pub fn consent_of(&self, row: u64, entry: &ConsentEntry) -> Ulid {
        let which = match (entry.choice, entry.channel) {
            (Choice::Granted, None) => row.to_string(),
            _ => format!("{row}#{}", entry.what()),
        };
        self.id_for("consent", &which)
    }

    /// The tag of this name that the import creates.
    pub fn tag_of(&self, fingerprint: &str) -> TagId {
        TagId::new(self.id_for("tag", fingerprint))
    }

    fn id_for(&self, what: &str, which: &str) -> Ulid {
        let at = u64::try_from(self.created_at.as_millisecond()).unwrap_or_default();
        derive_id(at, format!("import#{}#{what}#{which}", self.id).as_bytes())
    }
}

/// Treatment of rows about people who are contacts already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ImportMode {
    /// They are errors.
    Create,
    /// They change the contacts: their cells replace values, and add numbers, addresses and tags.
    Update,
    /// They are skipped.
    #[default]
    Skip,
}

/// The statement that people of a table agreed to messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ConsentStatement {
    /// The rows that it is about.
    #[serde(default)]
    pub of: ConsentOf,
    /// How and where the people agreed. It is stored with each contact, as proof.
    #[cfg_attr(feature = "schema", schemars(example = "Signed the form at the till"))]
    pub evidence: Evidence,
    /// The text that they agreed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wording: Option<Wording>,
    /// The channel of the messages, also of the column `opted_in`. Default: all. Columns of a channel are of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// The category of the messages. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<ConsentCategory>,
    /// Day of their consent, unless a column says it. Default: the day of the import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = "2026-11-20"))]
    pub on: Option<Day>,
}

/// Rows that a statement about consent is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConsentOf {
    /// Rows with a yes in a column such as `opted_in`, or a day in the column `opted_in_at`.
    #[default]
    Column,
    /// All rows, except those with anything else than yes in a column such as `opted_in`.
    AllRows,
}

/// Meaning of a cell in a column of consent. Of two cells about one channel, the one that allows less counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "ImportedConsent")
)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// The person agreed.
    Yes,
    /// Nobody knows whether the person agreed: they were never asked, or have not answered.
    Unknown,
    /// The person did not agree, which ends an opt-in that an import gave.
    No,
    /// The person unsubscribed. In a column of a channel, this is their refusal of marketing on it; elsewhere, it is a no.
    Unsubscribed,
}

/// Consent that a row states.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowConsent {
    /// Column of no channel.
    pub opted_in: Option<Said>,
    pub sms: Option<Said>,
    pub whatsapp: Option<Said>,
    /// Day of the opt-in.
    pub on: Option<Date>,
}

impl RowConsent {
    /// The changes of consent that the row states, as entries for a ledger: of each choice and channel, at most one. `statement` is needed
    /// for opt-ins alone; `by` is the author of the import. A channel's own column counts more than one of no channel.
    pub fn states(&self, statement: Option<&ConsentStatement>, by: Actor, now: Timestamp) -> Vec<ConsentEntry> {
        let of_all = statement.is_some_and(|statement| statement.of == ConsentOf::AllRows);
        let general = self.opted_in.or(of_all.then_some(Said::Yes));
        let stated = statement.and_then(|statement| statement.channel);
        let said: Vec<(Option<Channel>, Option<Said>)> = if self.sms.or(self.whatsapp).is_none() {
            vec![(stated, general)]
        } else {
            let own = [(Channel::WhatsApp, self.whatsapp), (Channel::Sms, self.sms)];
            let general = |channel| general.filter(|_| stated.is_none_or(|stated| stated == channel));
            own.map(|(channel, own)| (Some(channel), own.or(general(channel))))
                .to_vec()
        };
        let category = statement.and_then(|statement| statement.category);
        let mut states = Vec::new();
        for (channel, said) in said {
            if let (Some(Said::Yes), Some(statement)) = (said, statement) {
                states.push(statement.opt_in_of_row(channel, self.on, now));
            }
            if let Some(Said::No | Said::Unsubscribed) = said {
                let scope = Scope { channel, category };
                let lift = Wish::new(Choice::Lifted, scope, By::Import, "no longer stated for an import", now);
                states.push(ConsentEntry::of(&lift));
            }
            if let (Some(Said::Unsubscribed), Some(_)) = (said, channel) {
                let scope = Scope {
                    channel,
                    ..Scope::MARKETING
                };
                let refusal = Wish::new(Choice::Refused, scope, By::Told, "unsubscribed, as an import says", now);
                states.push(ConsentEntry::of(&refusal).as_repetition());
            }
        }
        for state in &mut states {
            state.actor = Some(by);
        }
        states
    }
}

impl ConsentStatement {
    /// The opt-in of a row to messages of this channel.
    fn opt_in_of_row(&self, channel: Option<Channel>, on: Option<Date>, now: Timestamp) -> ConsentEntry {
        let on = on.or_else(|| self.on.map(Day::get));
        let at = on.and_then(|day| day.to_zoned(TimeZone::UTC).ok());
        // Nobody has agreed in the future.
        let at = at.map_or(now, |at| at.timestamp().min(now));
        let scope = Scope {
            channel,
            category: self.category,
        };
        let wish = Wish::new(Choice::Granted, scope, By::Import, "stated for an import", at);
        ConsentEntry {
            recorded_at: (now > at).then_some(now),
            wording: self.wording.clone(),
            evidence: Some(self.evidence.clone()),
            ..ConsentEntry::of(&wish)
        }
    }
}

/// A contact's values in a row. Tags, stage and owner exist.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Incoming {
    pub name: Option<OneLine<1, MAX_NAME_LENGTH>>,
    /// Telephone numbers, all different.
    pub phones: Vec<Phone>,
    /// E-mail addresses, all different.
    pub emails: Vec<Email>,
    pub language: Option<Language>,
    pub tags: Vec<TagId>,
    pub fields: WrittenFields,
    pub stage: Option<StageId>,
    pub owner: Option<UserId>,
    pub source: Option<Origin>,
    pub value: Option<Price>,
    /// Changes of consent, as entries for the ledger. They undo no refusal.
    pub states: Vec<ConsentEntry>,
}

/// The person that a row is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nobody has its numbers and addresses.
    Nobody,
    One(Box<Person>),
    /// More than one contact.
    Several {
        /// Whether one of them is deleted.
        deleted: bool,
    },
    /// Somebody who was erased, or is being erased.
    Erased,
}

/// Effect of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    Create(Addition),
    /// A change of a contact. `after` may be the same: then there is nothing to write.
    Update {
        /// The contact that was found.
        before: Box<Person>,
        /// The contact with the values of the row.
        after: Addition,
    },
    /// Nothing: the person is a contact already. Without its id, there are several.
    Skip(Option<ContactId>),
}

/// A contact to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addition {
    pub person: Box<Person>,
    /// Changes of consent that the row states, until [`Addition::agree`].
    pub states: Vec<ConsentEntry>,
    /// Changes of consent that changed the contact, as entries for its ledger.
    pub consent: Vec<(Ulid, ConsentEntry)>,
}

impl Addition {
    /// Records the consent that a row of the import states, once the contact holds the refusals that its identities bring. What changes
    /// nothing is no entry of the ledger. No table says when somebody unsubscribed: their refusal is as old as the contact, and older than
    /// all that they say here.
    pub fn agree(&mut self, import: &Import, row: u64) {
        let contact = &mut self.person.contact;
        for mut entry in std::mem::take(&mut self.states) {
            if entry.choice == Choice::Refused && contact.created_at < entry.at {
                entry.recorded_at = Some(entry.at);
                entry.at = contact.created_at;
            }
            if contact.import(entry.wish()).consent().is_some() {
                self.consent.push((import.consent_of(row, &entry), entry));
            }
        }
    }

    /// The identities that the contact gains. `before`: the contact that was found, if it is no new one.
    pub fn new_identities(&self, before: Option<&Contact>) -> Vec<Identity> {
        match before {
            Some(before) => Linked::between(before, &self.person.contact).new,
            None => self.person.contact.known_by(),
        }
    }
}

/// The reason why a row is refused, in sentences for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowRefused {
    /// The person was erased.
    #[error("The person was erased, so no import brings them back. Remove the row.")]
    Erased,
    /// The person is a contact already.
    #[error(
        "Another contact has one of the numbers or addresses. Import with the mode `update` or `skip`, or remove the row."
    )]
    Exists,
    /// The tenant has as many contacts as its plan allows.
    #[error(
        "The plan allows {0} contacts, and there are as many. Ask the operator of the platform for a larger plan, and import the row again."
    )]
    NoRoom(u64),
    /// Somebody deleted the contact.
    #[error("The contact was deleted. Restore it first, or remove the row.")]
    Deleted,
    /// The numbers and addresses belong to different contacts.
    #[error("The numbers and addresses belong to different contacts. Merge them first, or import the row in two rows.")]
    Several,
    /// The contact cannot have these values.
    #[error("{}", .0.join(" "))]
    Invalid(Vec<String>),
}

impl Incoming {
    /// The identities that find the person.
    pub fn identities(&self) -> Vec<Identity> {
        let phones = self.phones.iter().cloned().map(Identity::Phone);
        phones.chain(self.emails.iter().cloned().map(Identity::Email)).collect()
    }

    /// The effect of the row on the person. `own` is the contact that the row creates: if it was found, the row was
    /// interrupted, and what is missing is added. `now` is the time of the import, the same for all attempts.
    ///
    /// # Errors
    /// The reason why the row is refused.
    pub fn plan(
        &self,
        mode: ImportMode,
        own: ContactId,
        found: Found,
        definitions: &[Field],
        now: Timestamp,
    ) -> Result<Plan, RowRefused> {
        // An interrupted row: of what it writes, the profile is the last.
        let is_unfinished = |person: &Person| person.contact.id == own && person.profile == Profile::default();
        let created = || {
            let nobody = Person {
                contact: Contact::new(own, now),
                profile: Profile::default(),
            };
            self.onto(&nobody, true, definitions, now)
        };
        // A row that is worked again may lead to contacts of later rows. It becomes the same: one that could be no contact, or is about a
        // deleted one, was refused, and is not skipped now.
        let skipped = |id| created().map(|_| Plan::Skip(id));
        let before = match found {
            Found::Erased => return Err(RowRefused::Erased),
            Found::Several { deleted: true } => return Err(RowRefused::Deleted),
            Found::Several { deleted: false } => {
                return match mode {
                    ImportMode::Create => Err(RowRefused::Exists),
                    ImportMode::Update => Err(RowRefused::Several),
                    ImportMode::Skip => skipped(None),
                };
            }
            Found::One(before) if !is_unfinished(&before) => before,
            Found::Nobody | Found::One(_) => return created().map(Plan::Create),
        };
        let id = before.contact.id;
        let is_own = id == own;
        if before.contact.deleted_at.is_some() && !is_own {
            return Err(RowRefused::Deleted);
        }
        match mode {
            ImportMode::Create if !is_own => Err(RowRefused::Exists),
            ImportMode::Skip if !is_own => skipped(Some(id)),
            _ => {
                let after = self.onto(&before, mode == ImportMode::Update, definitions, now)?;
                Ok(Plan::Update { before, after })
            }
        }
    }

    /// The person with the values of the row. `replaces`: also where the person has a value.
    fn onto(
        &self,
        before: &Person,
        replaces: bool,
        definitions: &[Field],
        now: Timestamp,
    ) -> Result<Addition, RowRefused> {
        fn put<T: Clone>(known: &mut Option<T>, new: Option<&T>, replaces: bool) {
            if let Some(new) = new
                && (replaces || known.is_none())
            {
                *known = Some(new.clone());
            }
        }
        let mut fields = PersonIn::of(before, definitions);
        put(&mut fields.name, self.name.as_ref(), replaces);
        put(&mut fields.language, self.language.as_ref(), replaces);
        put(&mut fields.stage, self.stage.as_ref(), replaces);
        put(&mut fields.owner, self.owner.as_ref(), replaces);
        put(&mut fields.source, self.source.as_ref(), replaces);
        put(&mut fields.value, self.value.as_ref(), replaces);
        let phones = union(fields.phones.into_vec(), &self.phones);
        let emails = union(fields.emails.into_vec(), &self.emails);
        let tags = union(fields.tags.into_vec(), &self.tags);
        let mut wrong = Vec::new();
        for (count, most, what) in [
            (phones.len(), MAX_IDENTITIES, "telephone numbers"),
            (emails.len(), MAX_IDENTITIES, "e-mail addresses"),
            (tags.len(), Profile::MAX_TAGS, "tags"),
        ] {
            if count > most {
                wrong.push(format!(
                    "With those that it has, the contact would have {count} {what}, of at most {most}. Remove some."
                ));
            }
        }
        if !wrong.is_empty() {
            return Err(RowRefused::Invalid(wrong));
        }
        fields.phones = phones.into();
        fields.emails = emails.into();
        fields.tags = tags.into();
        for (key, value) in &self.fields.0 {
            if replaces || !fields.fields.0.contains_key(key) {
                fields.fields.0.insert(key.clone(), value.clone());
            }
        }
        let sentences = |wrong: Vec<FieldProblem>| wrong.into_iter().map(|problem| problem.detail).collect();
        let person = fields.onto(before, definitions, now);
        let person = person.map_err(|wrong| RowRefused::Invalid(sentences(wrong)))?;
        Ok(Addition {
            person: Box::new(person),
            states: self.states.clone(),
            consent: Vec::new(),
        })
    }
}

/// Unites lists: the known items, then the new ones among the others.
fn union<T: Clone + PartialEq>(mut known: Vec<T>, others: &[T]) -> Vec<T> {
    for other in others {
        if !known.contains(other) {
            known.push(other.clone());
        }
    }
    known
}

/// Result of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowOutcome {
    /// The row created a contact.
    Created,
    /// The row is about a contact that exists, whether or not that changed.
    Updated,
    /// The row was skipped, because the person is a contact already.
    Skipped,
    Refused,
    /// The row was refused, because the person was erased.
    Erased,
}

/// Numbers of rows by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RowCounts {
    /// All rows, except empty ones.
    #[serde(default)]
    pub rows: u64,
    /// Rows that created contacts.
    #[serde(default)]
    pub created: u64,
    /// Rows about contacts that existed, in the mode `update`.
    #[serde(default)]
    pub updated: u64,
    /// Rows about contacts that existed, in the mode `skip`.
    #[serde(default)]
    pub skipped: u64,
    /// Rows with errors.
    #[serde(default)]
    pub refused: u64,
    /// Rows with errors because their people were erased.
    #[serde(default)]
    pub erased: u64,
    /// Rows that created or updated contacts, although a cell may be wrong.
    #[serde(default)]
    pub remarked: u64,
    /// Rows that created or updated contacts and state an opt-in, whether or not it was known.
    #[serde(default)]
    pub opted_in: u64,
    /// Rows that created or updated contacts and say that the person unsubscribed from a channel.
    #[serde(default)]
    pub opted_out: u64,
    /// Rows that created or updated contacts and say no, which ends an opt-in that an import gave.
    #[serde(default)]
    pub said_no: u64,
}

impl RowCounts {
    /// Counts what a row that created or updated a contact states. It is the same however often the row is worked.
    pub fn add_states(&mut self, states: &[ConsentEntry]) {
        let of = |choice| states.iter().filter(|state| state.choice == choice).count();
        let (granted, refused, ended) = (of(Choice::Granted), of(Choice::Refused), of(Choice::Lifted));
        self.opted_in += u64::from(granted > 0);
        self.opted_out += u64::from(refused > 0);
        // Who unsubscribes says no, too.
        self.said_no += u64::from(ended > refused);
    }

    pub const fn add(&mut self, outcome: RowOutcome) {
        self.rows += 1;
        match outcome {
            RowOutcome::Created => self.created += 1,
            RowOutcome::Updated => self.updated += 1,
            RowOutcome::Skipped => self.skipped += 1,
            RowOutcome::Refused => self.refused += 1,
            RowOutcome::Erased => {
                self.refused += 1;
                self.erased += 1;
            }
        }
    }
}

/// Result of an operation that works through an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportResult {
    #[serde(flatten)]
    pub counts: RowCounts,
    /// Whether nothing was written: a dry run.
    pub dry_run: bool,
    /// Whether rows behind the maximum were left out.
    pub left_out: bool,
}

impl ImportResult {
    /// Name of the file with the rows that were refused, or have remarks.
    pub const ERRORS_FILE: &str = "errors.csv";
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;
    use crate::samples::{at, defined_field};
    use crate::terms::Category;

    fn noon() -> Timestamp {
        at("2026-11-20T12:00:00Z")
    }

    fn import() -> Import {
        Import {
            id: ImportId::new(Ulid::from_parts(1, 2)),
            name: None,
            size: 10,
            created_by: Actor::Operator,
            created_at: noon(),
            operation: None,
        }
    }

    fn definitions() -> Vec<Field> {
        vec![defined_field(1, "visits", "number", false)]
    }

    fn maya() -> Incoming {
        Incoming {
            name: Some("Maya Haddad".parse().unwrap()),
            phones: vec!["+971501234567".parse().unwrap()],
            ..Incoming::default()
        }
    }

    fn plan(row: &Incoming, mode: ImportMode, found: Found) -> Result<Plan, RowRefused> {
        row.plan(mode, import().contact_of(2), found, &definitions(), noon())
    }

    fn created_person(row: &Incoming) -> Person {
        match plan(row, ImportMode::Create, Found::Nobody) {
            Ok(Plan::Create(addition)) => *addition.person,
            other => panic!("{other:?}"),
        }
    }

    /// The person as another import finds them later.
    fn person_found_later(row: &Incoming) -> Person {
        let mut person = created_person(row);
        person.contact.id = ContactId::new(Ulid::from_parts(9, 9));
        person
    }

    fn one(person: &Person) -> Found {
        Found::One(Box::new(person.clone()))
    }

    fn plan_update(row: &Incoming, person: &Person) -> Addition {
        match plan(row, ImportMode::Update, one(person)) {
            Ok(Plan::Update { mut after, .. }) => {
                after.agree(&import(), 2);
                after
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn ids_follow_from_the_import_and_the_row() {
        let import = import();
        assert_eq!(import.contact_of(2), import.contact_of(2));
        assert_ne!(import.contact_of(2), import.contact_of(3));
        let entries = stated_consent(Some(Said::Unsubscribed), Some(Said::Yes));
        let mut ids: Vec<Ulid> = entries.iter().map(|entry| import.consent_of(2, entry)).collect();
        ids.extend([import.contact_of(2).ulid(), import.consent_of(3, &entries[0])]);
        let different: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!((entries.len(), different.len()), (3, 5));
        let other = Import {
            id: ImportId::new(Ulid::from_parts(1, 3)),
            ..import.clone()
        };
        assert_ne!(import.contact_of(2), other.contact_of(2));
        // A restart of the import knows the contacts of the first run.
        let later = Import {
            operation: Some(OperationId::new(Ulid::from_parts(5, 5))),
            ..import.clone()
        };
        assert_eq!(import.contact_of(2), later.contact_of(2));
    }

    #[test]
    fn mode_decides_about_people_who_are_contacts() {
        let person = person_found_later(&maya());
        assert_eq!(plan(&maya(), ImportMode::Create, one(&person)), Err(RowRefused::Exists));
        assert_eq!(
            plan(&maya(), ImportMode::Skip, one(&person)),
            Ok(Plan::Skip(Some(person.contact.id)))
        );
        // Nothing new: nothing to write.
        let same = plan_update(&maya(), &person);
        assert_eq!((*same.person, same.consent), (person, vec![]));
        for mode in [ImportMode::Create, ImportMode::Update, ImportMode::Skip] {
            assert!(matches!(plan(&maya(), mode, Found::Nobody), Ok(Plan::Create(_))));
            assert_eq!(plan(&maya(), mode, Found::Erased), Err(RowRefused::Erased));
            let several = Found::Several { deleted: true };
            assert_eq!(plan(&maya(), mode, several), Err(RowRefused::Deleted));
            let mut deleted = person_found_later(&maya());
            deleted.contact.deleted_at = Some(noon());
            assert_eq!(plan(&maya(), mode, one(&deleted)), Err(RowRefused::Deleted));
        }
    }

    /// If a row is worked again, one of the contacts may be the contact of a later row. The row was skipped because of the other contact,
    /// and is once more.
    #[test]
    fn rows_about_several_contacts_change_none_of_them() {
        for (mode, expected) in [
            (ImportMode::Skip, Ok(Plan::Skip(None))),
            (ImportMode::Create, Err(RowRefused::Exists)),
            (ImportMode::Update, Err(RowRefused::Several)),
        ] {
            let several = Found::Several { deleted: false };
            assert_eq!(plan(&maya(), mode, several), expected, "{mode:?}");
        }
    }

    #[test]
    fn update_replaces_values_and_adds_identities_and_tags() {
        let tag = |id| TagId::new(Ulid::from_parts(id, 0));
        let first = Incoming {
            tags: vec![tag(1)],
            fields: from_value(json!({"visits": 3})).unwrap(),
            language: Some("ar".parse().unwrap()),
            ..maya()
        };
        let second = Incoming {
            name: Some("Maya H.".parse().unwrap()),
            phones: vec!["+971501234568".parse().unwrap()],
            tags: vec![tag(2), tag(1)],
            fields: from_value(json!({"visits": 4})).unwrap(),
            ..Incoming::default()
        };
        let person = *plan_update(&second, &person_found_later(&first)).person;
        let written = PersonIn::of(&person, &definitions());
        let expected = json!({
            "name": "Maya H.", "phones": ["+971501234567", "+971501234568"], "language": "ar",
            "tags": [tag(1), tag(2)], "fields": {"visits": 4},
        });
        assert_eq!(serde_json::to_value(written).unwrap(), expected);
    }

    /// Somebody wrote the profile between two attempts of the row.
    #[test]
    fn interrupted_row_adds_what_is_missing() {
        let mut person = created_person(&maya());
        person.profile.name = crate::terms::ShownName::of("Maya by WhatsApp");
        for (mode, name) in [
            (ImportMode::Skip, "Maya by WhatsApp"),
            (ImportMode::Create, "Maya by WhatsApp"),
            (ImportMode::Update, "Maya Haddad"),
        ] {
            let Ok(Plan::Update { after, .. }) = plan(&maya(), mode, one(&person)) else {
                panic!("{mode:?}");
            };
            assert_eq!(after.person.profile.name.as_deref(), Some(name));
        }
        // The first attempt died before it wrote the profile.
        person.profile = Profile::default();
        let whole = created_person(&maya());
        let again = plan(&maya(), ImportMode::Skip, one(&person));
        assert!(matches!(again, Ok(Plan::Create(addition)) if *addition.person == whole));
    }

    #[test]
    fn contacts_stay_within_their_limits() {
        let number = |last: u32| format!("+97150123456{last}").parse::<Phone>().unwrap();
        let full = Incoming {
            phones: (1..=4).map(number).collect(),
            ..maya()
        };
        let more = Incoming {
            phones: vec![number(1), number(5)],
            ..maya()
        };
        let Err(RowRefused::Invalid(wrong)) = plan(&more, ImportMode::Update, one(&person_found_later(&full))) else {
            panic!("it is taken");
        };
        assert!(wrong[0].contains("5 telephone numbers"), "{wrong:?}");
        let unknown = Incoming {
            fields: from_value(json!({"colour": "red"})).unwrap(),
            ..maya()
        };
        // Whoever it is about: it was refused before a later row made a contact of them, and is if it is worked again.
        let several = Found::Several { deleted: false };
        for found in [Found::Nobody, one(&person_found_later(&maya())), several] {
            let refused = plan(&unknown, ImportMode::Skip, found).unwrap_err();
            assert!(refused.to_string().ends_with("leave it out."), "{refused}");
        }
    }

    fn statement(of: ConsentOf) -> ConsentStatement {
        from_value(json!({"of": of, "evidence": "the till", "category": "marketing", "on": "2026-11-01"})).unwrap()
    }

    #[test]
    fn consent_is_stated_for_the_table_or_by_column() {
        let (all, column) = (statement(ConsentOf::AllRows), statement(ConsentOf::Column));
        let day = |text: &str| text.parse::<Date>().ok();
        for (statement, opted_in, on, expected) in [
            (&all, None, None, Some("2026-11-01T00:00:00Z")),
            (&all, Some(Said::No), None, None),
            (&all, Some(Said::Yes), day("2026-10-02"), Some("2026-10-02T00:00:00Z")),
            (&column, None, None, None),
            (&column, Some(Said::Yes), None, Some("2026-11-01T00:00:00Z")),
            (
                &column,
                Some(Said::Yes),
                day("2030-01-01"),
                Some("2026-11-20T12:00:00Z"),
            ),
        ] {
            let row = RowConsent {
                opted_in,
                on,
                ..RowConsent::default()
            };
            let states = row.states(Some(statement), Actor::Operator, noon());
            let granted = states.iter().find(|state| state.choice == Choice::Granted);
            assert_eq!(
                granted.map(|granted| granted.at),
                expected.map(at),
                "{opted_in:?} {on:?}"
            );
        }
    }

    /// Consent stated in columns of SMS and of WhatsApp, with a statement about marketing.
    fn stated_consent(sms: Option<Said>, whatsapp: Option<Said>) -> Vec<ConsentEntry> {
        let row = RowConsent {
            sms,
            whatsapp,
            ..RowConsent::default()
        };
        row.states(Some(&statement(ConsentOf::Column)), Actor::Operator, noon())
    }

    /// Each channel speaks for itself, and for those without a column the column of no channel does. Letters: what the columns of no channel,
    /// SMS and WhatsApp say.
    #[test]
    fn columns_state_consent_of_their_channels() {
        let (column, all) = (statement(ConsentOf::Column), statement(ConsentOf::AllRows));
        let channel = Some(Channel::Sms);
        let of_sms = ConsentStatement {
            channel,
            ..column.clone()
        };
        let said = |letter| match letter {
            'y' => Some(Said::Yes),
            'n' => Some(Said::No),
            'u' => Some(Said::Unsubscribed),
            '?' => Some(Said::Unknown),
            _ => None,
        };
        for (statement, letters, expected) in [
            (Some(&column), ['y', '-', '-'], "marketing_start"),
            (Some(&column), ['n', '-', '-'], "marketing_end"),
            (Some(&column), ['u', '-', '-'], "marketing_end"),
            (Some(&column), ['?', '-', '-'], ""),
            (Some(&column), ['-', 'y', '-'], "sms_marketing_start"),
            (Some(&column), ['-', 'n', '-'], "sms_marketing_end"),
            (Some(&column), ['-', '?', 'y'], "whatsapp_marketing_start"),
            (Some(&column), ['-', 'u', '-'], "sms_marketing_end sms_marketing_stop"),
            (
                Some(&column),
                ['y', 'n', '-'],
                "whatsapp_marketing_start sms_marketing_end",
            ),
            (Some(&column), ['u', 'y', '?'], "sms_marketing_start"),
            (Some(&of_sms), ['y', '-', '-'], "sms_marketing_start"),
            (Some(&of_sms), ['u', '-', '-'], "sms_marketing_end sms_marketing_stop"),
            (
                Some(&of_sms),
                ['y', '-', 'n'],
                "whatsapp_marketing_end sms_marketing_start",
            ),
            (Some(&all), ['-', '-', '-'], "marketing_start"),
            (Some(&all), ['?', '-', '-'], ""),
            (Some(&all), ['-', '?', '-'], "whatsapp_marketing_start"),
            (None, ['-', 'y', '-'], ""),
            (None, ['n', '-', '-'], "end"),
            (None, ['-', '-', 'u'], "whatsapp_end whatsapp_marketing_stop"),
        ] {
            let [opted_in, sms, whatsapp] = letters.map(said);
            let row = RowConsent {
                opted_in,
                sms,
                whatsapp,
                on: None,
            };
            let states = row.states(statement, Actor::Operator, noon());
            let words: Vec<String> = states.iter().map(ConsentEntry::what).collect();
            assert_eq!(words.join(" "), expected, "{letters:?}");
            assert!(states.iter().all(|state| state.actor == Some(Actor::Operator)));
            assert!(states.iter().all(|state| !state.is_opt_out(noon())), "it is not new");
        }
    }

    /// An imported refusal is older than anything the person says here, so it takes nothing away that they gave, and START lifts it.
    #[test]
    fn imported_refusal_is_as_old_as_the_contact() {
        let row = Incoming {
            states: stated_consent(Some(Said::Unsubscribed), None),
            ..maya()
        };
        let mut person = person_found_later(&maya());
        person.contact.created_at = at("2026-10-01T00:00:00Z");
        let start = |person: &mut Person, at: Timestamp| {
            person.contact.wish(crate::messages::OptFlag::Start, "START", at);
        };
        let mut after = plan_update(&row, &person);
        let [(_, refused)] = &after.consent[..] else {
            panic!("{:?}", after.consent);
        };
        assert_eq!(
            (refused.at, refused.recorded_at),
            (person.contact.created_at, Some(noon()))
        );
        assert_eq!(plan_update(&row, &after.person).consent, [], "once is enough");
        assert!(after.person.contact.refuses() && after.person.contact.opted_out().is_none());
        // It arrives late.
        start(&mut after.person, at("2026-10-02T00:00:00Z"));
        assert!(!after.person.contact.refuses());
        let again = plan_update(&row, &after.person);
        assert_eq!((&again.person, again.consent), (&after.person, vec![]));
    }

    #[test]
    fn imported_no_ends_what_an_import_gave() {
        let row = |sms| Incoming {
            states: stated_consent(Some(sms), None),
            ..maya()
        };
        let agreed = plan_update(&row(Said::Yes), &person_found_later(&maya()));
        for (said, expected) in [
            (Said::No, "sms_marketing_end"),
            (Said::Unsubscribed, "sms_marketing_end sms_marketing_stop"),
            (Said::Unknown, ""),
        ] {
            let after = plan_update(&row(said), &agreed.person);
            let words: Vec<String> = after.consent.iter().map(|(_, entry)| entry.what()).collect();
            assert_eq!(words.join(" "), expected);
            let opt_in = after
                .person
                .contact
                .consent
                .opt_in(Some(Channel::Sms), Category::Marketing);
            assert_eq!(opt_in.is_some(), said == Said::Unknown, "{said:?}");
            assert_eq!(plan_update(&row(said), &after.person).consent, [], "{said:?}");
        }
    }

    #[test]
    fn imported_consent_undoes_no_refusal() {
        let row = Incoming {
            states: RowConsent::default().states(Some(&statement(ConsentOf::AllRows)), Actor::Operator, noon()),
            ..maya()
        };
        let new = plan_update(&row, &person_found_later(&maya()));
        let (_, entry) = new.consent[0].clone();
        assert_eq!((entry.what().as_str(), entry.by), ("marketing_start", By::Import));
        assert_eq!((entry.actor, entry.recorded_at), (Some(Actor::Operator), Some(noon())));
        // Once is enough.
        let again = plan_update(&row, &new.person);
        assert_eq!((again.consent, &again.person), (vec![], &new.person));
        let mut refuses = person_found_later(&maya());
        let stop = crate::messages::OptFlag::Stop;
        refuses.contact.wish(stop, "STOP", at("2026-10-01T00:00:00Z"));
        let after = plan_update(&row, &refuses);
        assert_eq!(after.person.contact.opted_out(), refuses.contact.opted_out());
        assert!(after.person.contact.opted_out().is_some());
    }

    #[test]
    fn every_row_counts_once() {
        let mut counts = RowCounts::default();
        for outcome in [
            RowOutcome::Created,
            RowOutcome::Updated,
            RowOutcome::Skipped,
            RowOutcome::Refused,
            RowOutcome::Erased,
        ] {
            counts.add(outcome);
        }
        let RowCounts {
            rows,
            created,
            updated,
            skipped,
            refused,
            erased,
            ..
        } = counts;
        assert_eq!((rows, created + updated + skipped + refused, erased), (5, 5, 1));
        counts.add_states(&stated_consent(Some(Said::Unsubscribed), Some(Said::Yes)));
        counts.add_states(&stated_consent(Some(Said::Unsubscribed), Some(Said::No)));
        counts.add_states(&stated_consent(Some(Said::Unknown), None));
        assert_eq!((counts.opted_in, counts.opted_out, counts.said_no), (1, 2, 1));
    }
}
