//! Merging two contacts that are one person, and undoing it.
//!
//! One contact survives. The other becomes an alias of it: its calls and messages stay where they are, whatever leads to it leads to the
//! survivor, and its lists, identities and wishes are united with the survivor's. [`merge_people`] and [`Undo::apply`] are pure; the store
//! writes their results.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::inbox::{Joined, undo_field};
use crate::people::{
    ConsentEntry, Contact, Identity, MAX_ALIASES, MAX_IDENTITIES, MAX_MISSED, MAX_UNREACHABLE, MissedCall, NumberForm,
    OpenIntent, Person, Profile, Texted, Unreachable, Window, Wish, Wishes, add_texted, add_window,
    make_room_for_windows,
};
use crate::terms::{Actor, Answered, ContactId, FieldId, Limit, MAX_REMEMBERED, MergeId, Recipient};

/// Time limit for undoing a merge.
pub const UNDOABLE_FOR: SignedDuration = SignedDuration::from_hours(24);

/// A merge of another contact into the one whose timeline shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merge {
    pub id: MergeId,
    /// The contact that was merged.
    pub other: ContactId,
    pub by: Actor,
    /// Time of the merge.
    pub at: Timestamp,
    /// Fields that differed between the contacts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<Conflict>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undone: Option<Undone>,
}

/// The undoing of a merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undone {
    pub by: Actor,
    pub at: Timestamp,
}

impl Merge {
    /// End of the time for undoing it.
    pub fn undo_until(&self) -> Timestamp {
        self.at + UNDOABLE_FOR
    }

    /// Whether it can still be undone.
    pub fn can_be_undone(&self, now: Timestamp) -> bool {
        self.undone.is_none() && now < self.undo_until()
    }
}

/// A merge of another contact into this one.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Merge"))]
pub struct MergeShown {
    /// Id.
    pub id: MergeId,
    /// The contact that was merged.
    pub contact_id: ContactId,
    /// User or API key that merged the contacts.
    pub author: Actor,
    /// Time of the merge.
    #[cfg_attr(feature = "schema", schemars(example = "2026-11-20T10:00:00Z"))]
    pub merged_at: Timestamp,
    /// End of the time for undoing it. `null` if it was undone.
    #[cfg_attr(feature = "schema", schemars(example = "2026-11-21T10:00:00Z"))]
    pub undo_until: Option<Timestamp>,
    /// Time when it was undone. `null` if it was not.
    #[cfg_attr(feature = "schema", schemars(example = "2026-11-20T12:00:00Z"))]
    pub undone_at: Option<Timestamp>,
    /// User or API key that undid it. `null` if nobody did.
    pub undone_by: Option<Actor>,
}

impl From<Merge> for MergeShown {
    fn from(merge: Merge) -> Self {
        Self {
            id: merge.id,
            contact_id: merge.other,
            author: merge.by,
            merged_at: merge.at,
            undo_until: merge.undone.is_none().then(|| merge.undo_until()),
            undone_at: merge.undone.map(|undone| undone.at),
            undone_by: merge.undone.map(|undone| undone.by),
        }
    }
}

/// The row of a contact that was merged into another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alias {
    /// The contact that it was merged into, which may have been merged since.
    pub into: ContactId,
    /// Time of the merge.
    pub at: Timestamp,
}

/// A field that differs between two contacts, and its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// The field, such as `name`, or `fields.<id>`.
    pub field: String,
    pub decision: Resolution,
}

impl Conflict {
    fn new(field: impl Into<String>, decision: Resolution) -> Self {
        let field = field.into();
        Self { field, decision }
    }

    /// The tenant's field that it is about, if it is about one.
    pub fn tenants_field(&self) -> Option<FieldId> {
        self.field.strip_prefix(FIELDS)?.parse().ok()
    }
}

const FIELDS: &str = "fields.";

/// Result of a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "MergeDecision"))]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// The surviving contact's value stays.
    Survivor,
    /// The other contact's values are left out, as far as there is no room for them.
    LeftOut,
    /// The refusals of both hold, and opt-ins only if the other contact refused nothing of it since.
    Stricter,
}

/// The reason why two contacts cannot be merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unmergeable {
    /// They are the same.
    #[error("A contact cannot be merged with itself.")]
    Same,
    /// A contact of the two is deleted.
    #[error("The contact {0} is deleted. Restore it first.")]
    Deleted(ContactId),
    /// The erasure of one of them has begun.
    #[error("The contact {0} is being erased.")]
    Erasing(ContactId),
    /// A contact of the two stands for everybody who hides their number.
    #[error("The contact {0} stands for everybody who hides their number.")]
    Hidden(ContactId),
    /// Together they have too many.
    #[error("A contact can have at most {most} {what}, and these two have {count}. Remove one first.")]
    TooMany {
        what: &'static str,
        count: usize,
        most: usize,
    },
    /// Too many contacts have been merged into them.
    #[error("At most {most} contacts can be merged into one, and with these it would be {count}.", most = MAX_ALIASES)]
    TooManyAliases {
        /// Number of merged contacts.
        count: usize,
    },
    /// The values of both are too large for one contact.
    #[error("Together the contacts have {0} bytes of values, of at most {most}. Shorten or remove some first.", most = Profile::LARGEST)]
    TooLarge(usize),
}

/// The surviving contact after a merge, and what was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    pub person: Person,
    /// Fields that differed between the contacts.
    pub conflicts: Vec<Conflict>,
}

/// Merges another contact into the surviving one, whose values win unless they are empty.
///
/// # Errors
/// The reason why they cannot be merged.
pub fn merge_people(survivor: &Person, other: &Person, now: Timestamp) -> Result<Merged, Unmergeable> {
    let (one, two) = (&survivor.contact, &other.contact);
    if one.id == two.id {
        return Err(Unmergeable::Same);
    }
    for contact in [one, two] {
        if contact.erasing {
            return Err(Unmergeable::Erasing(contact.id));
        }
        if contact.deleted_at.is_some() {
            return Err(Unmergeable::Deleted(contact.id));
        }
        if matches!(contact.called_from, Some(Identity::Withheld(_))) {
            return Err(Unmergeable::Hidden(contact.id));
        }
    }
    let mut conflicts = Vec::new();
    // A network's name of a caller gives way to a name that a person gave.
    let (mut own, mut others) = (survivor.profile.clone(), other.profile.clone());
    if own.name.is_some() && others.name.is_some() && one.named_by_call != two.named_by_call {
        let called = if one.named_by_call { &mut own } else { &mut others };
        called.name = None;
    }
    let profile = profiles(&own, &others, now, &mut conflicts)?;
    let mut contact = contacts(one, two, now, &mut conflicts)?;
    contact.named = profile.name.is_some();
    contact.named_by_call = if own.name.is_some() {
        one.named_by_call
    } else {
        two.named_by_call
    };
    Ok(Merged {
        person: Person { contact, profile },
        conflicts,
    })
}

/// The survivor's value, or the other's if there is none. They conflict if they differ.
fn choose_value<T: Clone + PartialEq>(
    field: &str,
    one: Option<&T>,
    other: Option<&T>,
    conflicts: &mut Vec<Conflict>,
) -> Option<T> {
    if let (Some(one), Some(other)) = (one, other)
        && one != other
    {
        conflicts.push(Conflict::new(field, Resolution::Survivor));
    }
    one.or(other).cloned()
}

fn profiles(
    one: &Profile,
    other: &Profile,
    now: Timestamp,
    conflicts: &mut Vec<Conflict>,
) -> Result<Profile, Unmergeable> {
    let mut all = one.clone();
    all.name = choose_value("name", one.name.as_ref(), other.name.as_ref(), conflicts);
    for (field, value) in &other.fields {
        match one.fields.get(field) {
            None => {
                all.fields.insert(*field, value.clone());
                if other.listed.contains(field) {
                    all.listed.insert(*field);
                }
            }
            Some(own) if own != value => {
                conflicts.push(Conflict::new(format!("{FIELDS}{field}"), Resolution::Survivor));
            }
            Some(_) => {}
        }
    }
    all.tags.extend(other.tags.iter().copied());
    if all.tags.len() > Profile::MAX_TAGS {
        let room = Profile::MAX_TAGS.saturating_sub(one.tags.len());
        let taken: BTreeSet<_> = other.tags.difference(&one.tags).take(room).copied().collect();
        all.tags = one.tags.union(&taken).copied().collect();
        conflicts.push(Conflict::new("tags", Resolution::LeftOut));
    }
    let stage = |of: &Profile| of.stage.map(|staged| staged.stage);
    choose_value("stage", stage(one).as_ref(), stage(other).as_ref(), conflicts);
    all.stage = one.stage.or(other.stage);
    all.owner = choose_value("owner", one.owner.as_ref(), other.owner.as_ref(), conflicts);
    all.source = choose_value("source", one.source.as_ref(), other.source.as_ref(), conflicts);
    all.value = choose_value("value", one.value.as_ref(), other.value.as_ref(), conflicts);
    all.updated_at = Some(now);
    let size = serde_json::to_vec(&all).map_or(usize::MAX, |json| json.len());
    if size > Profile::LARGEST {
        return Err(Unmergeable::TooLarge(size));
    }
    Ok(all)
}

fn contacts(
    one: &Contact,
    other: &Contact,
    now: Timestamp,
    conflicts: &mut Vec<Conflict>,
) -> Result<Contact, Unmergeable> {
    let mut all = one.clone();
    all.phones = unite_lists("telephone numbers", &one.phones, &other.phones)?;
    let further = other.forms.iter();
    let further = further.filter(|known| !one.forms.iter().any(|own| own.is_about(known)));
    all.forms.extend(further.cloned());
    all.emails = unite_lists("e-mail addresses", &one.emails, &other.emails)?;
    // The newest first: that of whom was heard last.
    let bsuids = if other.last_inbound_at > one.last_inbound_at {
        (&other.bsuids, &one.bsuids)
    } else {
        (&one.bsuids, &other.bsuids)
    };
    all.bsuids = unite_lists("WhatsApp user ids", bsuids.0, bsuids.1)?;
    if one.called_from.is_some() && other.called_from.is_some() && one.called_from != other.called_from {
        return Err(Unmergeable::TooMany {
            what: "SIP addresses",
            count: 2,
            most: 1,
        });
    }
    all.called_from = one.called_from.clone().or_else(|| other.called_from.clone());
    (all.language, all.language_detected) = language(one, other, conflicts);
    all.aliases.extend(other.aliases.iter().copied());
    all.aliases.push(other.id);
    if all.aliases.len() > MAX_ALIASES {
        let count = all.aliases.len();
        return Err(Unmergeable::TooManyAliases { count });
    }
    all.same_as.retain(|known| !all.aliases.contains(known));
    all.is_also(other.same_as.iter().copied());
    all.consent = one.consent.stricter(&other.consent);
    if one.consent != other.consent {
        conflicts.push(Conflict::new("consent", Resolution::Stricter));
    }
    all.unreachable = unreachable(&one.unreachable, &other.unreachable);
    all.windows = merge_windows(one, other, now);
    for texted in &other.texted {
        add_texted(&mut all.texted, texted.clone());
    }
    all.answered = newest_answers(&one.answered, &other.answered);
    all.open = open(one, other);
    all.last_follow_up_at = one.last_follow_up_at.max(other.last_follow_up_at);
    all.last_counted_at = one.last_counted_at.max(other.last_counted_at);
    all.allowance_whole_at = one.allowance_whole_at.max(other.allowance_whole_at);
    all.last_call_at = one.last_call_at.max(other.last_call_at);
    all.last_answered_at = one.last_answered_at.max(other.last_answered_at);
    all.last_by_phone_at = one.last_by_phone_at.max(other.last_by_phone_at);
    all.last_inbound_at = one.last_inbound_at.max(other.last_inbound_at);
    all.last_written_at = one.last_written_at.max(other.last_written_at);
    all.last_reached_at = one.last_reached_at.max(other.last_reached_at);
    all.missed.extend(other.missed.iter().copied());
    all.missed.sort();
    all.missed.drain(..all.missed.len().saturating_sub(MAX_MISSED));
    all.calls = one.calls.saturating_add(other.calls);
    all.created_at = one.created_at.min(other.created_at);
    Ok(all)
}

/// The survivor's language, or the other's if there is none, or if only the other's was set by somebody. With it, whether it was
/// detected.
fn language(one: &Contact, other: &Contact, conflicts: &mut Vec<Conflict>) -> (Option<String>, bool) {
    let rank = |contact: &Contact| contact.language.as_ref().map(|_| !contact.language_detected);
    let from = if rank(other) > rank(one) { other } else { one };
    if rank(one) == rank(other) {
        choose_value("language", one.language.as_ref(), other.language.as_ref(), conflicts);
    }
    (from.language.clone(), from.language_detected)
}

/// Joins two lists without doubles.
fn unite_lists<T: Clone + PartialEq>(what: &'static str, first: &[T], then: &[T]) -> Result<Vec<T>, Unmergeable> {
    let mut all = first.to_vec();
    all.extend(then.iter().filter(|one| !first.contains(one)).cloned());
    if all.len() > MAX_IDENTITIES {
        return Err(Unmergeable::TooMany {
            what,
            count: all.len(),
            most: MAX_IDENTITIES,
        });
    }
    Ok(all)
}

/// The latest failures to reach either contact.
fn unreachable(one: &[Unreachable], other: &[Unreachable]) -> Vec<Unreachable> {
    let mut all = one.to_vec();
    for known in other {
        let same = |own: &&mut Unreachable| own.channel == known.channel && own.number == known.number;
        match all.iter_mut().find(same) {
            Some(own) if own.at < known.at => *own = known.clone(),
            Some(_) => {}
            None => all.push(known.clone()),
        }
    }
    all.sort_by_key(|known| known.at);
    all.drain(..all.len().saturating_sub(MAX_UNREACHABLE));
    all
}

/// The automatic answers to both, the newest.
fn newest_answers(one: &[Answered], other: &[Answered]) -> Vec<Answered> {
    let mut all = one.to_vec();
    all.extend(other.iter().filter(|known| !one.contains(known)));
    all.sort_by_key(|known| known.at);
    all.drain(..all.len().saturating_sub(MAX_REMEMBERED));
    all
}

/// Whether messages of this purpose start a cooldown.
fn starts_cooldown(open: &OpenIntent) -> bool {
    let row = open.purpose.row_in(open.version);
    row.is_some_and(|row| row.kinds.iter().any(|kind| kind.counts.contains(&Limit::Cooldown)))
}

/// An open message, and the time when it was planned, as far as the contact knows it.
type Planned = (Option<Timestamp>, OpenIntent);

/// The open messages of one contact. The cooldown before each also counts from what the other contact got earlier. `tie`: also at
/// the same time.
fn planned_messages(own: &Contact, other: &Contact, tie: bool) -> Vec<Planned> {
    let before = other.open.iter().filter_map(|open| open.before);
    let starts: Vec<Timestamp> = before.chain(other.last_follow_up_at).collect();
    // The cooldown before a message began when the previous one was planned.
    let mut next = own.last_follow_up_at;
    let mut all: Vec<Planned> = Vec::with_capacity(own.open.len());
    for open in own.open.iter().rev() {
        if !starts_cooldown(open) {
            all.push((None, *open));
            continue;
        }
        let at = next;
        let earlier = |start: &Timestamp| at.is_some_and(|at| *start < at || tie && *start == at);
        let latest = starts.iter().copied().filter(earlier).max();
        next = open.before;
        let before = open.before.max(latest);
        all.push((at, OpenIntent { before, ..*open }));
    }
    all.reverse();
    all
}

/// The open messages of both, each in its order, the newest last.
fn open(one: &Contact, other: &Contact) -> Vec<OpenIntent> {
    let order = |(at, open): &Planned| {
        let caused = || i64::try_from(open.message.own().timestamp_ms()).unwrap_or(i64::MAX);
        at.map_or_else(caused, Timestamp::as_millisecond)
    };
    let mut first = planned_messages(one, other, false).into_iter().peekable();
    let mut then = planned_messages(other, one, true).into_iter().peekable();
    let mut all = Vec::new();
    loop {
        let from_first = match (first.peek(), then.peek()) {
            (Some(own), Some(others)) => order(own) <= order(others),
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => return all,
        };
        let next = if from_first { first.next() } else { then.next() };
        all.extend(next.map(|(_, open)| open));
    }
}

/// Data for undoing a merge: both contacts before it, the survivor after it, and their conversations. Retained as long as a merge can be undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undo {
    /// The surviving contact before the merge.
    pub survivor: Person,
    /// The other contact before the merge.
    pub other: Person,
    /// The surviving contact after it.
    pub merged: Person,
    /// The conversations that go on as one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conversations: Vec<Joined>,
}

/// Two contacts after a merge was undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Apart {
    /// The contact that survived the merge.
    pub survivor: Person,
    /// The other contact. Its versions are those before the merge.
    pub other: Person,
    /// Refusals that hold for the survivor again, or that it keeps of the other contact, for its ledger.
    pub returned: Vec<ConsentEntry>,
    /// Refusals that are new to the other contact, for its ledger.
    pub refusals: Vec<ConsentEntry>,
}

/// The items of a list that stay, each as it was before unless it was changed since the merge. `same`: whether two items are about
/// the same.
fn keep_items<T: Clone + PartialEq>(before: &[T], merged: &[T], now: &[T], same: impl Fn(&T, &T) -> bool) -> Vec<T> {
    if now == merged {
        return before.to_vec();
    }
    let kept = now.iter().filter_map(|item| {
        if merged.contains(item) {
            before.iter().find(|known| same(known, item)).cloned()
        } else {
            Some(item.clone())
        }
    });
    kept.collect()
}

impl Undo {
    /// Separates the contacts again. `now` is the survivor as it is now, and `leading` are the identities of the other contact that lead
    /// to it, also without room for them. What has not changed since the merge is as it was before. What has changed stays with the
    /// survivor, except that a refusal since the merge holds for both, and an opt-in for neither, and that each has the service windows of its
    /// own users.
    pub fn apply(&self, now: &Person, leading: &[Identity]) -> Apart {
        let profile = self.profile(&now.profile);
        let mut survivor = self.contact(&now.contact);
        survivor.named = profile.name.is_some();
        if now.profile.name == self.merged.profile.name {
            survivor.named_by_call = self.survivor.contact.named_by_call;
        }
        let returned = self.refusals_to_repeat(&survivor.consent, &now.contact.consent);
        let other = self.other_contact(&now.contact, leading);
        let known = &self.other.contact.consent;
        let new = other.contact.consent.refusals();
        let new = new.filter(|refusal| !known.refusals().any(|own| own == *refusal));
        let refusals = new
            .map(|refusal| ConsentEntry::of(&refusal.as_shared_refusal()).as_repetition())
            .collect();
        Apart {
            survivor: Person {
                contact: survivor,
                profile,
            },
            other,
            returned,
            refusals,
        }
    }

    fn profile(&self, now: &Profile) -> Profile {
        let (before, merged) = (&self.survivor.profile, &self.merged.profile);
        let mut fields = now.fields.clone();
        let mut listed = now.listed.clone();
        for (field, value) in &now.fields {
            if merged.fields.get(field) != Some(value) {
                continue;
            }
            let is_listed = match before.fields.get(field) {
                Some(former) => {
                    fields.insert(*field, former.clone());
                    let changed = now.listed.contains(field) != merged.listed.contains(field);
                    if changed { &now.listed } else { &before.listed }.contains(field)
                }
                None => {
                    fields.remove(field);
                    false
                }
            };
            if is_listed {
                listed.insert(*field);
            } else {
                listed.remove(field);
            }
        }
        let list = |tags: &BTreeSet<_>| tags.iter().copied().collect::<Vec<_>>();
        let tags = keep_items(
            &list(&before.tags),
            &list(&merged.tags),
            &list(&now.tags),
            PartialEq::eq,
        );
        Profile {
            name: undo_field(&before.name, &merged.name, &now.name),
            fields,
            listed,
            tags: tags.into_iter().collect(),
            stage: undo_field(&before.stage, &merged.stage, &now.stage),
            owner: undo_field(&before.owner, &merged.owner, &now.owner),
            source: undo_field(&before.source, &merged.source, &now.source),
            value: undo_field(&before.value, &merged.value, &now.value),
            updated_at: undo_field(&before.updated_at, &merged.updated_at, &now.updated_at),
            version: now.version,
        }
    }

    /// The surviving contact without what it had from the other one.
    fn contact(&self, now: &Contact) -> Contact {
        let (before, merged) = (&self.survivor.contact, &self.merged.contact);
        let others = &self.other.contact.open;
        let own = now.open.iter().filter(|open| {
            let mut others = others.iter();
            others.all(|known| known.message != open.message)
        });
        let open = own.map(|open| {
            let former = before.open.iter().find(|known| known.message == open.message);
            let former = former.filter(|_| merged.open.contains(open));
            *former.unwrap_or(open)
        });
        let since = now.calls.saturating_sub(merged.calls);
        let language = |of: &Contact| (of.language.clone(), of.language_detected);
        let (language, language_detected) = undo_field(&language(before), &language(merged), &language(now));
        let time = |of: fn(&Contact) -> Option<Timestamp>| undo_field(&of(before), &of(merged), &of(now));
        let mut contact = Contact {
            id: now.id,
            named: now.named,
            named_by_call: now.named_by_call,
            phones: keep_items(&before.phones, &merged.phones, &now.phones, PartialEq::eq),
            forms: keep_items(&before.forms, &merged.forms, &now.forms, NumberForm::is_about),
            bsuids: keep_items(&before.bsuids, &merged.bsuids, &now.bsuids, PartialEq::eq),
            emails: keep_items(&before.emails, &merged.emails, &now.emails, PartialEq::eq),
            called_from: undo_field(&before.called_from, &merged.called_from, &now.called_from),
            language,
            language_detected,
            same_as: keep_items(&before.same_as, &merged.same_as, &now.same_as, PartialEq::eq),
            aliases: keep_items(&before.aliases, &merged.aliases, &now.aliases, PartialEq::eq),
            consent: self.consent(&before.consent, &now.consent),
            unreachable: keep_items(
                &before.unreachable,
                &merged.unreachable,
                &now.unreachable,
                |one, other| one.channel == other.channel && one.number == other.number,
            ),
            last_follow_up_at: time(|of| of.last_follow_up_at),
            last_counted_at: time(|of| of.last_counted_at),
            open: open.collect(),
            allowance_whole_at: now.allowance_whole_at,
            last_call_at: time(|of| of.last_call_at),
            last_answered_at: time(|of| of.last_answered_at),
            last_by_phone_at: time(|of| of.last_by_phone_at),
            missed: self.missed_calls(now),
            last_reached_at: time(|of| of.last_reached_at),
            calls: before.calls.saturating_add(since),
            windows: before.windows.clone(),
            texted: before.texted.clone(),
            last_inbound_at: time(|of| of.last_inbound_at),
            last_written_at: time(|of| of.last_written_at),
            answered: keep_items(&before.answered, &merged.answered, &now.answered, PartialEq::eq),
            deleted_at: now.deleted_at,
            erasing: now.erasing,
            created_at: undo_field(&before.created_at, &merged.created_at, &now.created_at),
            version: now.version,
        };
        // The merge took these out: the other contact, and those that had been merged into it.
        let apart = before.same_as.iter().filter(|known| !merged.same_as.contains(known));
        contact.is_also(apart.copied());
        contact.forget_forms();
        self.heard_since(&mut contact, now);
        contact
    }

    /// Adds what one of the contacts heard since the merge: by the users and numbers that are its own.
    fn heard_since(&self, contact: &mut Contact, now: &Contact) {
        let merged = &self.merged.contact;
        for window in now.windows.iter().filter(|window| !merged.windows.contains(window)) {
            if contact.own_user(window.user()).is_some() {
                add_window(&mut contact.windows, window.clone());
            }
        }
        for Texted { line, number, at } in now.texted.iter().filter(|known| !merged.texted.contains(known)) {
            contact.wrote_by_sms(*line, number, *at);
        }
    }

    /// The survivor's missed calls: as before, or without the other contact's calls and the calls that were recovered since.
    fn missed_calls(&self, now: &Contact) -> Vec<MissedCall> {
        let (before, others) = (&self.survivor.contact.missed, &self.other.contact.missed);
        if now.missed == self.merged.contact.missed {
            return before.clone();
        }
        let own = |call: &&MissedCall| before.contains(call) || !others.contains(call);
        now.missed.iter().filter(own).copied().collect()
    }

    /// The wishes of one of the contacts. If any has changed since the merge, nobody knows which of the two changed it: those before the
    /// merge hold, and all refusals of the survivor.
    fn consent(&self, before: &Wishes, now: &Wishes) -> Wishes {
        if *now == self.merged.contact.consent {
            return before.clone();
        }
        before.stricter(&now.only_refusals())
    }

    /// The survivor's refusals that its ledger does not end with, since it says that they have ended, or since they are
    /// in the ledger of the other contact.
    fn refusals_to_repeat(&self, after: &Wishes, now: &Wishes) -> Vec<ConsentEntry> {
        let merged = &self.merged.contact.consent;
        if now == merged {
            return Vec::new();
        }
        let has = |wishes: &Wishes, refusal: &Wish| wishes.refusals().any(|known| known.key() == refusal.key());
        let entries = after.refusals().filter_map(|refusal| {
            if !now.refusals().any(|held| held == refusal) {
                return Some(ConsentEntry::of(refusal).as_repetition());
            }
            let of_other = has(merged, refusal) && !has(&self.survivor.contact.consent, refusal);
            of_other.then(|| ConsentEntry::of(&refusal.as_shared_refusal()).as_repetition())
        });
        entries.collect()
    }

    /// The other contact as it was, without what the survivor has lost or ended since.
    fn other_contact(&self, now: &Contact, leading: &[Identity]) -> Person {
        let Person { contact, profile } = self.other.clone();
        let merged = &self.merged.contact;
        let still = |identity: &Identity| {
            let both = self.survivor.contact.known_by().contains(identity);
            both || now.known_by().contains(identity) || leading.contains(identity)
        };
        let mut other = contact;
        other.phones.retain(|phone| still(&Identity::Phone(phone.clone())));
        other.forget_forms();
        other.bsuids.retain(|bsuid| still(&Identity::Bsuid(bsuid.clone())));
        other.emails.retain(|email| still(&Identity::Email(email.clone())));
        other.called_from = other.called_from.filter(|identity| still(identity));
        other
            .open
            .retain(|open| now.open.iter().any(|known| known.message == open.message));
        if now.answered != merged.answered {
            // An answer since the merge may have been to either, so it counts for both.
            let since = now.answered.iter().filter(|known| !merged.answered.contains(known));
            let since: Vec<Answered> = since.copied().collect();
            let still = |known: &Answered| now.answered.contains(known) || !merged.answered.contains(known);
            other.answered.retain(still);
            other.answered = newest_answers(&other.answered, &since);
        }
        if now.missed != merged.missed {
            other.missed.retain(|call| now.missed.contains(call));
        }
        // Nobody names the ones that were erased since.
        other
            .same_as
            .retain(|known| now.same_as.contains(known) || !merged.same_as.contains(known));
        other.consent = self.consent(&other.consent, &now.consent);
        self.heard_since(&mut other, now);
        Person {
            contact: other,
            profile,
        }
    }
}

/// The windows of two contacts that become one at this time, each of them of its own users. A window that names none
/// counts for each user of its contact.
fn merge_windows(one: &Contact, other: &Contact, now: Timestamp) -> Vec<Window> {
    let mut all = Vec::new();
    for contact in [one, other] {
        let users = contact.users();
        for window in &contact.windows {
            let of_users = users.iter().filter(|_| window.is_of_anybody());
            let of_users = of_users.cloned().map(|Recipient { phone, bsuid }| Window {
                phone,
                bsuid,
                ..window.clone()
            });
            let mut each: Vec<_> = of_users.collect();
            if each.is_empty() {
                each.push(window.clone());
            }
            each.into_iter().for_each(|window| add_window(&mut all, window));
        }
    }
    make_room_for_windows(&mut all, now);
    all
}
