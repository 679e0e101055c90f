//! Tags, stages and users by the names that tables have for them.

use std::collections::HashMap;

use domain::accounts::Member;
use domain::people::{ConsentStatement, Foreseen, Import, Incoming, Stage, Tag};
use domain::terms::{Actor, Email, Fault, FaultCode, StageId, TagId, UserId, fold, name_fingerprint};
use jiff::Timestamp;

use crate::dialect::Dialect;
use crate::mapping::{Mapping, Target};
use crate::record::{RowError, excerpt};
use crate::row::{Label, Row};

/// Things by their names. A thing is found by its name, or else by its folded name if no other thing has the same.
#[derive(Debug, Clone)]
pub(crate) struct Named<T> {
    /// By the hashes of the names, which no two have.
    same: HashMap<String, T>,
    /// By the folded names; `None`: of several.
    alike: HashMap<String, Option<T>>,
}

impl<T: Copy> Named<T> {
    pub(crate) fn of<'a>(things: impl IntoIterator<Item = (&'a str, T)>) -> Self {
        let (same, alike) = (HashMap::new(), HashMap::new());
        let mut named = Self { same, alike };
        for (name, thing) in things {
            named.add(name, thing);
        }
        named
    }

    fn add(&mut self, name: &str, thing: T) {
        if self.same.insert(name_fingerprint(name), thing).is_none() {
            let others = self.alike.entry(fold(name));
            others.and_modify(|only| *only = None).or_insert(Some(thing));
        }
    }

    pub(crate) fn find(&self, name: &str) -> Option<T> {
        let same = self.same.get(&name_fingerprint(name)).copied();
        same.or_else(|| self.alike.get(&fold(name)).copied().flatten())
    }
}

impl<T: Copy> Default for Named<T> {
    fn default() -> Self {
        Self::of([])
    }
}

/// A tenant's tags, stages and users by their names.
#[derive(Debug, Clone, Default)]
pub struct Names {
    tags: Named<TagId>,
    stages: Named<StageId>,
    users: HashMap<Email, UserId>,
}

/// Values that all rows share.
#[derive(Debug, Clone, Copy)]
pub struct Common<'a> {
    /// The table's dialect, with the names of its columns.
    pub dialect: &'a Dialect,
    /// Meaning of the columns.
    pub mapping: &'a Mapping,
    pub tags: &'a [TagId],
    /// Statement that people agreed to messages.
    pub consent: Option<&'a ConsentStatement>,
    /// Author of the import.
    pub by: Actor,
    /// Time of the import.
    pub now: Timestamp,
}

impl Names {
    /// The names of these.
    pub fn of(tags: &[Tag], stages: &[Stage], members: &[Member]) -> Self {
        let tags = tags.iter().map(|tag| (tag.name.as_str(), tag.id));
        let stages = stages.iter().map(|stage| (stage.name.as_str(), stage.id));
        let users = members.iter().map(|member| (member.email.clone(), member.user));
        Self {
            tags: Named::of(tags),
            stages: Named::of(stages),
            users: users.collect(),
        }
    }

    /// The names of a row's tags that do not exist, each once.
    pub fn new_tags<'a>(&self, rows: impl IntoIterator<Item = &'a Row>) -> Vec<Label> {
        let mut new: HashMap<String, &Label> = HashMap::new();
        for label in rows.into_iter().flat_map(|row| row.tags.iter()) {
            if self.tags.find(label.as_str()).is_none() {
                new.entry(fold(label.as_str())).or_insert(label);
            }
        }
        let mut new: Vec<Label> = new.into_values().cloned().collect();
        new.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
        new
    }

    pub fn add_tag(&mut self, name: &Label, id: TagId) {
        self.tags.add(name.as_str(), id);
    }

    /// Adds new tags as far as the import would create them: there may be no room for all of them.
    pub fn foresee_tags(&mut self, new: &[Label], import: &Import, foreseen: &mut Foreseen) {
        let existing = self.tags.same.values().filter(|tag| !foreseen.creates(**tag)).count();
        for name in new {
            let tag = import.tag_of(&name_fingerprint(name.as_str()));
            if foreseen.create_tag(tag, existing) {
                self.add_tag(name, tag);
            }
        }
    }

    /// The values of a row with everything that it names. What leads to nothing is left out, with a remark on the row.
    pub fn incoming(&self, row: &mut Row, number: u64, common: &Common<'_>) -> Incoming {
        let mut missing = Vec::new();
        let mut note = |target: &Target, what: &str, name: &str, remedy: &str| {
            let mut columns = common.mapping.columns.iter();
            let column = columns.find(|column| column.target == *target);
            let detail = format!("There is no {what} “{}”, so it was left out. {remedy}", excerpt(name));
            let column = column.map(|column| common.dialect.name(column.index()));
            missing.push(RowError::of_cell(
                number,
                column,
                Fault::new(FaultCode::NotFound, detail),
            ));
        };
        let mut tags = common.tags.to_vec();
        for label in &*row.tags {
            match self.tags.find(label.as_str()) {
                Some(tag) if tags.contains(&tag) => {}
                Some(tag) => tags.push(tag),
                None => note(
                    &Target::Tags,
                    "tag",
                    label.as_str(),
                    "Let the import create tags, or create it first.",
                ),
            }
        }
        let stage = row.stage.as_ref().and_then(|label| {
            let stage = self.stages.find(label.as_str());
            if stage.is_none() {
                note(&Target::Stage, "stage", label.as_str(), "Create it first.");
            }
            stage
        });
        let owner = row.owner.as_ref().and_then(|email| {
            let user = self.users.get(email);
            if user.is_none() {
                note(
                    &Target::Owner,
                    "user with the address",
                    email.as_str(),
                    "Invite them first.",
                );
            }
            user.copied()
        });
        row.remark(missing);
        let states = row.consent().states(common.consent, common.by, common.now);
        Incoming {
            name: row.name.clone(),
            phones: row.phones.to_vec(),
            emails: row.emails.to_vec(),
            language: row.language.clone(),
            tags,
            fields: row.fields.clone(),
            stage,
            owner,
            source: row.source.clone(),
            value: row.value.clone(),
            states,
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::terms::{ImportId, Resource};
    use serde_json::{from_value, json};
    use ulid::Ulid;

    use super::*;
    use crate::dialect::{self, Known};

    fn tag(id: u64, name: &str) -> Tag {
        let named = from_value(json!({ "name": name })).unwrap();
        Tag::new(Ulid::from_parts(id, 0), named, Timestamp::UNIX_EPOCH)
    }

    fn tag_id(id: u64) -> TagId {
        TagId::new(Ulid::from_parts(id, 0))
    }

    fn import() -> Import {
        Import {
            id: ImportId::new(Ulid::from_parts(8, 0)),
            name: None,
            size: 10,
            created_by: Actor::Operator,
            created_at: Timestamp::UNIX_EPOCH,
            operation: None,
        }
    }

    fn names() -> Names {
        let stage = from_value(json!({"name": "Quote sent", "position": 1})).unwrap();
        let stage = Stage::new(Ulid::from_parts(2, 0), stage, Timestamp::UNIX_EPOCH);
        Names::of(&[tag(1, "Regular")], &[stage], &[])
    }

    /// A row's values, and the columns of its remarks.
    fn incoming(names: &Names, row: &Row) -> (Incoming, Vec<String>) {
        let dialect = dialect::detect(b"Name,Tags,Stage\nMaya,VIP,New\n", true, None, &Known::default()).unwrap();
        let mapping = json!({"columns": [{"column": 0, "target": "name"}, {"column": 1, "target": "tags"},
            {"column": 2, "target": "stage"}]});
        let common = Common {
            dialect: &dialect,
            mapping: &from_value(mapping).unwrap(),
            tags: &[tag_id(9)],
            consent: None,
            by: Actor::Operator,
            now: Timestamp::UNIX_EPOCH,
        };
        let mut row = row.clone();
        let incoming = names.incoming(&mut row, 2, &common);
        let places = row.remarks.iter().filter_map(|remark| remark.column.clone());
        (incoming, places.collect())
    }

    fn label_texts(labels: &[Label]) -> Vec<&str> {
        labels.iter().map(Label::as_str).collect()
    }

    fn row(tags: &[&str], stage: Option<&str>) -> Row {
        Row {
            tags: tags.iter().map(|tag| tag.parse().unwrap()).collect::<Vec<_>>().into(),
            stage: stage.map(|stage| stage.parse().unwrap()),
            ..Row::default()
        }
    }

    #[test]
    fn names_are_found_whatever_their_case() {
        let (read, _) = incoming(&names(), &row(&["regular", "REGULAR"], Some("quote SENT")));
        assert_eq!(read.tags, [tag_id(9), tag_id(1)]);
        assert_eq!(read.stage, Some(StageId::new(Ulid::from_parts(2, 0))));
    }

    #[test]
    fn names_are_found_in_other_spellings_unless_several_have_them() {
        let tags = [
            tag(1, "عائلة"),
            tag(2, "Café"),
            tag(3, "Cafe"),
            tag(4, "Zoë"),
            tag(5, "Zöe"),
        ];
        let names = Names::of(&tags, &[], &[]);
        let read = incoming(&names, &row(&["عائله", "CAFÉ", "cafe"], None));
        assert_eq!(read.0.tags, [tag_id(9), tag_id(1), tag_id(2), tag_id(3)]);
        assert_eq!(incoming(&names, &row(&["Zoe"], None)).1, ["Tags"]);
        // A single new tag of two spellings.
        let new = names.new_tags(&[row(&["مدرسة", "مدرسه", "عائله"], None)]);
        assert_eq!(label_texts(&new), ["مدرسة"]);
    }

    #[test]
    fn unknown_names_are_left_out_with_remarks() {
        let unknown = row(&["Regular", "VIP"], Some("Lost"));
        let (read, remarked) = incoming(&names(), &unknown);
        assert_eq!((read.tags, read.stage), (vec![tag_id(9), tag_id(1)], None));
        assert_eq!(remarked, ["Tags", "Stage"]);
        let rows = [unknown, row(&["vip", "New"], None)];
        assert_eq!(label_texts(&names().new_tags(&rows)), ["New", "VIP"]);
        let mut names = names();
        names.add_tag(&"VIP".parse().unwrap(), tag_id(3));
        assert_eq!(names.new_tags(&rows).len(), 1);
        assert_eq!(incoming(&names, &rows[0]).1, ["Stage"]);
    }

    /// The contact has as many tags as it would have.
    #[test]
    fn foreseen_tags_are_those_that_an_import_creates() {
        let (mut names, row) = (names(), row(&["VIP", "Regular"], None));
        names.foresee_tags(&names.new_tags([&row]), &import(), &mut Foreseen::default());
        let created = import().tag_of(&name_fingerprint("VIP"));
        assert_eq!(incoming(&names, &row).0.tags, [tag_id(9), created, tag_id(1)]);
    }

    #[test]
    fn tags_without_room_are_not_foreseen() {
        let tags: Vec<Tag> = (2..Tag::MAX).map(|id| tag(id.into(), &format!("Tag {id}"))).collect();
        let names = || Names::of(&tags, &[], &[]);
        let new = |names: &Names, labels: &[&str]| names.new_tags([&row(labels, None)]);
        let labels = |labels: &[&str]| new(&names(), labels);
        let (mut first, mut foreseen) = (names(), Foreseen::default());
        for _again in 0..2 {
            first.foresee_tags(&labels(&["A", "B", "C"]), &import(), &mut foreseen);
            assert_eq!(label_texts(&new(&first, &["A", "B", "C"])), ["C"]);
        }
        // Behind a checkpoint, the names are read again.
        let mut later = names();
        let mut foreseen = Foreseen::read(&foreseen.bytes());
        later.foresee_tags(&labels(&["B", "D"]), &import(), &mut foreseen);
        assert_eq!(label_texts(&new(&later, &["B", "D"])), ["D"]);
    }
}
