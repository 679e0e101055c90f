//! Keys of contacts, of the rows in their partitions, and of their lists.

use std::fmt::Display;

use domain::inbox::ConversationState;
use domain::people::{Day, Digits, FulfilmentState, HistoryKind, Identity, Listing, Word};
use domain::terms::{
    AttachmentId, CallId, CampaignId, ContactId, ConversationId, FieldId, MergeId, MessageId, Phone, StageId, TagId,
    UserId,
};
use jiff::Timestamp;
use ulid::Ulid;

use super::{CONTACTS, Key, line_at, line_place, lower, sortable, tenant_partition};
use crate::TenantScope;

pub(crate) const CALL: &str = "CALL#";
pub(crate) const MESSAGE: &str = "MSG#";
pub(crate) const MEDIUM: &str = "MEDIUM#";
pub(crate) const ATTACHMENT: &str = "FILE#";
pub(crate) const CONSENT: &str = "CONSENT#";
pub(crate) const ORDER: &str = "ORDER#";
pub(crate) const ENROLMENT: &str = "ENROL#";
pub(crate) const CONVERSATION: &str = "CONV#";
const DRAFT: &str = "DRAFT#";
const MENTION: &str = "MENTION#";

/// The contact whose partition a row is in.
pub(crate) fn contact_of(pk: &str) -> Option<ContactId> {
    let (_, id) = pk.split_once("#C#")?;
    format!("{}_{id}", ContactId::PREFIX).parse().ok()
}

/// The partition of a contact. In the index `by_day`, the list of the identities that lead to it although it has no room for them.
pub(crate) fn contact_partition(scope: &TenantScope, contact: ContactId) -> String {
    format!("{}#{CONTACTS}#{}", tenant_partition(scope), lower(contact.ulid()))
}

/// A row in a contact's partition.
fn in_contact(scope: &TenantScope, contact: ContactId, sk: impl Into<String>) -> Key {
    Key::new(contact_partition(scope, contact), sk)
}

pub(crate) fn contact(scope: &TenantScope, contact: ContactId) -> Key {
    in_contact(scope, contact, "CONTACT")
}

pub(crate) fn profile(scope: &TenantScope, contact: ContactId) -> Key {
    in_contact(scope, contact, "PROFILE")
}

pub(crate) fn call(scope: &TenantScope, id: CallId) -> Key {
    in_contact(scope, id.contact(), format!("{CALL}{}", lower(id.own())))
}

pub(crate) fn message(scope: &TenantScope, id: MessageId) -> Key {
    in_contact(scope, id.contact(), format!("{MESSAGE}{}", lower(id.own())))
}

/// A medium of a customer's message, by its place among the message's.
pub(crate) fn medium(scope: &TenantScope, message: MessageId, index: u8) -> Key {
    in_contact(
        scope,
        message.contact(),
        format!("{MEDIUM}{}#{index}", lower(message.own())),
    )
}

pub(crate) fn attachment(scope: &TenantScope, id: AttachmentId) -> Key {
    in_contact(scope, id.contact(), format!("{ATTACHMENT}{}", lower(id.own())))
}

pub(crate) fn consent(scope: &TenantScope, contact: ContactId, id: Ulid) -> Key {
    in_contact(scope, contact, format!("{CONSENT}{}", lower(id)))
}

/// Prefix of the sort keys of this kind, which no other rows of a contact's partition have.
pub(crate) fn history(kind: HistoryKind) -> String {
    match kind {
        HistoryKind::Message => MESSAGE.to_owned(),
        kind => format!("{}#", kind.word().to_ascii_uppercase()),
    }
}

/// An entry of a contact's history.
pub(crate) fn of_contact(scope: &TenantScope, contact: ContactId, kind: HistoryKind, own: Ulid) -> Key {
    in_contact(scope, contact, format!("{}{}", history(kind), lower(own)))
}

/// The counter of a contact's things of this kind.
pub(crate) fn count_of_contact(scope: &TenantScope, contact: ContactId, kind: &str) -> Key {
    in_contact(scope, contact, format!("COUNT#{kind}"))
}

/// The id of a record, read from the key of its row.
pub(crate) fn record_id(pk: &str, sk: &str) -> Option<String> {
    let contact = contact_of(pk)?;
    HistoryKind::RECORDS.into_iter().find_map(|kind| {
        let own = Ulid::from_string(sk.strip_prefix(&*history(kind))?).ok()?;
        kind.record_id(contact, own)
    })
}

pub(crate) fn merge(scope: &TenantScope, id: MergeId) -> Key {
    of_contact(scope, id.contact(), HistoryKind::Merge, id.own())
}

/// The data for undoing a merge.
pub(crate) fn undo(scope: &TenantScope, id: MergeId) -> Key {
    in_contact(scope, id.contact(), format!("UNDO#{}", lower(id.own())))
}

pub(crate) fn identity(scope: &TenantScope, identity: &Identity) -> Key {
    identity_called(scope, &identity.key())
}

/// The row of an identity by the text that is its place in lists of identities.
pub(crate) fn identity_called(scope: &TenantScope, key: &str) -> Key {
    Key::new(format!("{}#ID#{key}", tenant_partition(scope)), "ID")
}

/// The list of suppressed identities: of people who are no contacts.
pub(crate) fn suppressed_identities(scope: &TenantScope) -> String {
    format!("{}#SUPPRESSED", tenant_partition(scope))
}

/// The list of all contacts, by their ids.
pub(crate) fn contacts(scope: &TenantScope) -> String {
    format!("{}#CONTACTS", tenant_partition(scope))
}

/// End of the partition of deleted contacts.
pub(crate) const DELETED: &str = "#DELETED";

/// The list of a day's calls.
pub(crate) fn calls_of(scope: &TenantScope, day: &str) -> String {
    format!("{}#CALLS#{day}", tenant_partition(scope))
}

/// The list of a day's messages.
pub(crate) fn messages_of(scope: &TenantScope, day: &str) -> String {
    format!("{}#MSGS#{day}", tenant_partition(scope))
}

/// The list of a day's orders.
pub(crate) fn orders_of(scope: &TenantScope, day: &str) -> String {
    format!("{}#ORDERS#{day}", tenant_partition(scope))
}

/// The list of the orders in a state of fulfilment, by the time of ordering.
pub(crate) fn orders_in(scope: &TenantScope, state: FulfilmentState) -> String {
    format!("{}#ORDERSTATE#{}", tenant_partition(scope), state.as_str())
}

/// The list of a day's messages that failed or were blocked.
pub(crate) fn troubled_of(scope: &TenantScope, day: &str) -> String {
    format!("{}#FAILED#{day}", tenant_partition(scope))
}

/// A contact's conversation on a line.
pub(crate) fn conversation(scope: &TenantScope, id: ConversationId) -> Key {
    in_contact(scope, id.contact(), format!("{CONVERSATION}{}", line_place(id.line())))
}

/// The conversation of such a row.
pub(crate) fn conversation_of(pk: &str, sk: &str) -> Option<ConversationId> {
    let line = line_at(sk.strip_prefix(CONVERSATION)?)?;
    Some(ConversationId::of(contact_of(pk)?, line))
}

/// A user whom a record of a contact mentions.
pub(crate) fn mention(scope: &TenantScope, contact: ContactId, own: Ulid, user: UserId) -> Key {
    in_contact(
        scope,
        contact,
        format!("{MENTION}{}#{}", lower(own), lower(user.ulid())),
    )
}

/// Where a user was mentioned.
pub(crate) fn mentions(scope: &TenantScope, user: UserId) -> String {
    format!("{}#{MENTION}{}", tenant_partition(scope), lower(user.ulid()))
}

/// A person's draft in a contact's conversation on a line.
pub(crate) fn draft(scope: &TenantScope, id: ConversationId, author: UserId) -> Key {
    in_contact(
        scope,
        id.contact(),
        format!("{DRAFT}{}#{}", line_place(id.line()), lower(author.ulid())),
    )
}

/// The conversations in a state, by their latest activity.
pub(crate) fn inbox(scope: &TenantScope, state: ConversationState) -> String {
    format!("{}#INBOX#{}", tenant_partition(scope), state.as_str())
}

/// Conversations of this assignee, or of nobody, whose customer waits for an answer, by the beginning of the wait. An assignee's answered
/// conversations are listed alike.
pub(crate) fn inbox_turn(scope: &TenantScope, assignee: Option<UserId>, waiting: bool) -> String {
    let assignee = assignee.map_or_else(|| "-".to_owned(), |user| lower(user.ulid()));
    let turn = if waiting { "waiting" } else { "answered" };
    format!("{}#INBOX#{assignee}#{turn}", tenant_partition(scope))
}

/// A position in a list of conversations or mentions: a time, then the id of the conversation or note.
pub(crate) fn inbox_place(at: Timestamp, id: impl Display) -> String {
    format!("{}#{id}", sortable(at))
}

/// Behind the positions of this moment.
pub(crate) fn inbox_until(at: Timestamp) -> String {
    format!("{}#~", sortable(at))
}

/// A contact's place in the audience of a campaign.
pub(crate) fn enrolment(scope: &TenantScope, contact: ContactId, campaign: CampaignId) -> Key {
    in_contact(scope, contact, format!("{ENROLMENT}{}", lower(campaign.ulid())))
}

/// Contact and campaign of such a row.
pub(crate) fn enrolment_of(pk: &str, sk: &str) -> Option<(ContactId, CampaignId)> {
    let id = sk.strip_prefix(ENROLMENT)?;
    let campaign = format!("{}_{id}", CampaignId::PREFIX).parse().ok()?;
    Some((contact_of(pk)?, campaign))
}

/// A part of the audience of a campaign, by contact.
pub(crate) fn audience(scope: &TenantScope, campaign: CampaignId, part: u8) -> String {
    format!("{}#ENR#{}#{part:02}", tenant_partition(scope), lower(campaign.ulid()))
}

/// Contacts of an audience who got no message for this reason, by contact.
pub(crate) fn exits(scope: &TenantScope, campaign: CampaignId, reason: &str) -> String {
    format!("{}#EXIT#{}#{reason}", tenant_partition(scope), lower(campaign.ulid()))
}

/// The messages that wait because their campaign is paused.
pub(crate) fn held_messages(scope: &TenantScope, campaign: CampaignId) -> String {
    format!("{}#HELD#{}", tenant_partition(scope), lower(campaign.ulid()))
}

/// The messages of drips that wait because a cap was reached after they were made.
pub(crate) fn waits_for_caps(scope: &TenantScope) -> String {
    format!("{}#HELD#CAPS", tenant_partition(scope))
}

/// The list of deleted contacts, by the time of their deletion.
pub(crate) fn deleted_contacts(scope: &TenantScope) -> String {
    format!("{}{DELETED}", tenant_partition(scope))
}

/// The list of contacts that proved to be the same person as another.
pub(crate) fn duplicates(scope: &TenantScope) -> String {
    format!("{}#SAME", tenant_partition(scope))
}

/// The contacts in a stage, by the time of reaching it.
pub(crate) fn stage(scope: &TenantScope, stage: StageId) -> String {
    format!("{}#STAGE#{}", tenant_partition(scope), lower(stage.ulid()))
}

/// The list of telephone numbers by their last digits.
pub(crate) fn numbers(scope: &TenantScope) -> String {
    format!("{}#FIND#p", tenant_partition(scope))
}

/// The position of a telephone number in the list of numbers.
pub(crate) fn number(phone: &Phone, contact: ContactId) -> String {
    listed_as(&Digits::of(phone), contact)
}

/// A position in a list of contacts: what it is sorted by, then the contact.
pub(crate) fn listed_as(by: &str, contact: ContactId) -> String {
    format!("{by}#{}", lower(contact.ulid()))
}

/// The sort value of a position, and its contact.
pub(crate) fn listed_contact(position: &str) -> Option<(&str, ContactId)> {
    let (by, id) = position.rsplit_once('#').unwrap_or(("", position));
    let id = format!("{}_{id}", ContactId::PREFIX).parse().ok()?;
    Some((by, id))
}

/// The words of names that begin with the same character.
pub(crate) fn words(scope: &TenantScope, word: &Word) -> String {
    format!("{}#FIND#n{}", tenant_partition(scope), word.initial())
}

pub(crate) fn tag(scope: &TenantScope, tag: TagId) -> String {
    format!("{}#TAG#{}", tenant_partition(scope), lower(tag.ulid()))
}

pub(crate) fn values(scope: &TenantScope, field: FieldId) -> String {
    format!("{}#FIELD#{}", tenant_partition(scope), lower(field.ulid()))
}

pub(crate) fn on_day(scope: &TenantScope, field: FieldId, day: Day) -> String {
    format!("{}#{day}", values(scope, field))
}

/// The row of a contact in a list.
pub(crate) fn listing(scope: &TenantScope, contact: ContactId, listing: &Listing) -> Key {
    match listing {
        Listing::Word(word) => Key::new(words(scope, word), listed_as(word.as_str(), contact)),
        Listing::Tag(id) => Key::new(tag(scope, *id), lower(contact.ulid())),
        Listing::Value(field, value) => Key::new(values(scope, *field), listed_as(value, contact)),
        Listing::DayOfYear(field, day) => Key::new(on_day(scope, *field, *day), lower(contact.ulid())),
    }
}
