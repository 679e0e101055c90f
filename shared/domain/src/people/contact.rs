//! Contacts: the people who call or write to a tenant, and the identities that recognize them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::messages::{InboundMessage, OptFlag, Sender};
use crate::people::{
    Applied, By, Choice, ConsentEntry, Elsewhere, Recognized, Scope, Sign, Texted, Window, Wish, Wishes, add_sign,
    add_texted, add_window, answered_elsewhere, close_window, earliest_by_pair_rate, make_room_for_windows,
    pair_rate_after_refusal, pass_on_windows, window_closes_at,
};
use crate::terms::{
    Answered, Channel, Classified, ConnectionId, ContactId, Effect, Email, LineId, MessageId, Phone, Purpose,
    Recipient, SenderId, first_version, is_first_version, is_zero,
};

/// An identity of a contact. A contact may have several, and none of them has to be a telephone number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "value")]
pub enum Identity {
    Phone(Phone),
    /// Meta's business-scoped user id.
    Bsuid(String),
    Email(Email),
    Sip(String),
    /// A short code or a name that sends SMS: they are stored, nobody is messaged.
    Sender(SenderId),
    /// Everybody who hides their number from one connection: calls are stored, nobody is messaged.
    Withheld(ConnectionId),
}

impl Identity {
    /// The text in the table key, `<kind>:<value>`: the same for all forms of a telephone number.
    pub fn key(&self) -> String {
        match self {
            Self::Phone(phone) => format!("phone:{}", phone.key()),
            Self::Bsuid(id) => format!("bsuid:{id}"),
            Self::Email(email) => format!("email:{}", email.as_str()),
            Self::Sip(address) => format!("sip:{address}"),
            Self::Sender(id) => format!("sender:{}", id.as_str()),
            Self::Withheld(connection) => format!("withheld:{connection}"),
        }
    }
}

/// A person who calls or writes to a tenant, with the data that deciding and sending need. Read and written with every call
/// and message, so every list is bounded; all other data is in the [`Profile`](crate::people::Profile).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    pub id: ContactId,
    /// Whether the profile has a name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub named: bool,
    /// Whether that is what a network said of a caller: a name from a profile replaces it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub named_by_call: bool,
    /// Telephone numbers, the preferred one first, each in one form. At most [`MAX_IDENTITIES`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<Phone>,
    /// The forms of those numbers that channels reported, for messages on the same channel. One for each channel and
    /// number, unless the number stands in the form of its key everywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forms: Vec<NumberForm>,
    /// Meta's business-scoped user ids, the newest first. At most [`MAX_IDENTITIES`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bsuids: Vec<String>,
    /// E-mail addresses, the preferred one first. At most [`MAX_IDENTITIES`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<Email>,
    /// The identity it was first seen by, if of another kind: a SIP address, a short code or name, or a hidden number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called_from: Option<Identity>,
    /// BCP 47 language, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Whether the language was recognized in what the person wrote. Otherwise it was set.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub language_detected: bool,
    /// Other contacts that proved to be the same person, until somebody merges them: the wishes of one hold for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub same_as: Vec<ContactId>,
    /// Contacts that were merged into this one, in that order. Their calls and messages are still under their ids. At most
    /// [`MAX_ALIASES`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<ContactId>,
    /// Wishes about messages: refusals and opt-ins.
    #[serde(default, skip_serializing_if = "Wishes::is_empty")]
    pub consent: Wishes,
    /// Numbers that a channel does not reach. At most [`MAX_UNREACHABLE`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreachable: Vec<Unreachable>,
    /// Time when the last message that starts a cooldown was planned, or sent if it obeyed the frequency limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_follow_up_at: Option<Timestamp>,
    /// Time when the last message was sent that starts no cooldown and counts towards the frequency limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_counted_at: Option<Timestamp>,
    /// Messages that may not have been sent yet, the newest last. At most [`MAX_OPEN`] and the confirmation of a stop
    /// word, or after a merge the messages of all contacts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<OpenIntent>,
    /// Time when WhatsApp again takes as many messages at once as for somebody who has got none: see
    /// [`earliest_by_whatsapp`](Contact::earliest_by_whatsapp).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowance_whole_at: Option<Timestamp>,
    /// Time when the last inbound call was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_call_at: Option<Timestamp>,
    /// Time of the last answered call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_answered_at: Option<Timestamp>,
    /// Time of the last message to the person from the business's own phone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_by_phone_at: Option<Timestamp>,
    /// Calls of the person that nobody answered and that are not recovered, the oldest first. Calls of more than a day
    /// ago count for nothing. At most [`MAX_MISSED`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed: Vec<MissedCall>,
    /// Beginning of the latest call with the person that was answered, in either direction, as its decision knew it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_reached_at: Option<Timestamp>,
    /// Calls decided so far. A caller without earlier calls is new.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub calls: u32,
    /// WhatsApp numbers of the business that the customer wrote to or called, each with the user who did. At most
    /// [`MAX_WINDOWS`](MAX_WINDOWS), and as many as are open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<Window>,
    /// Lines that the customer wrote to by SMS, each with the number that did last. At most [`MAX_TEXTED`](MAX_TEXTED).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub texted: Vec<Texted>,
    /// Time of the customer's last message on any channel, whatever it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_inbound_at: Option<Timestamp>,
    /// Time of the customer's last message that recovers missed calls: one that was written, and no stop word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_written_at: Option<Timestamp>,
    /// Automatic answers of the last day, in the order of planning. At most [`crate::terms::MAX_REMEMBERED`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answered: Vec<Answered>,
    /// Time when a user deleted it. It is hidden from then on, and back if the person calls or writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// Whether its erasure has begun. It cannot be restored any more, and nothing new is written for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub erasing: bool,
    /// Time when the contact was first seen.
    pub created_at: Timestamp,
    /// Raised by every write; the condition of the next.
    pub version: u64,
}

/// Maximum other contacts known to be the same person: each is read and written when the person makes a wish.
pub const MAX_SAME: usize = 5;

/// Maximum identities of one kind.
pub const MAX_IDENTITIES: usize = 4;

/// Maximum contacts that were merged into one: with its own, a timeline reads four partitions.
pub const MAX_ALIASES: usize = 3;

/// Maximum open intents. A further one takes the place of a settled one, or of the oldest that its purpose
/// [displaces](Purpose::displaces), which is cancelled. Otherwise it is refused, unless it confirms the stop word that ends the others.
pub const MAX_OPEN: usize = 4;

/// Maximum numbers that a channel does not reach. A further one replaces the one that was found out longest ago, which then
/// costs one more attempt.
pub const MAX_UNREACHABLE: usize = 4;

/// Maximum missed calls to be recovered. A further one takes the place of the oldest, which then is not recovered any more.
pub const MAX_MISSED: usize = 8;

/// Time limit for recovering a missed call: the person writes, or a call with them is answered, whoever calls.
pub const RECOVERABLE: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

/// A message that may not have been sent yet, so that it can be cancelled if it becomes unnecessary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenIntent {
    /// Its purpose, which determines the events that cancel it.
    pub purpose: Purpose,
    /// The version of the purposes' table that its policy names.
    #[serde(default = "first_version", skip_serializing_if = "is_first_version")]
    pub version: u8,
    pub message: MessageId,
    /// Start of the cooldown before this message was planned, restored if nothing of it goes out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Timestamp>,
    /// Earliest time of sending it, if the frequency limit counts from its sending. The limit counts from here until it
    /// is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts_from: Option<Timestamp>,
}

/// A call that nobody answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MissedCall {
    /// Time when it began, as its decision knew it.
    pub at: Timestamp,
}

impl MissedCall {
    /// Whether it is recovered by what the person does at this time.
    fn is_recovered_at(self, at: Timestamp) -> bool {
        self.at <= at && at <= self.at + RECOVERABLE
    }
}

/// A message that was tried, as far as an error says something about the person.
#[derive(Debug, Clone, Copy)]
pub struct Tried<'a> {
    pub channel: Channel,
    pub to: &'a Recipient,
    /// The WhatsApp number of the business that sent it.
    pub from: Option<&'a Phone>,
    /// The time just before it was sent.
    pub claimed_at: Timestamp,
}

/// Changes of the identities that lead to a contact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Linked {
    /// Identities that lead to the contact now.
    pub new: Vec<Identity>,
    /// Identities that the contact has no room for any more.
    pub dropped: Vec<Identity>,
}

impl Linked {
    /// Whether nothing has changed.
    pub const fn is_empty(&self) -> bool {
        self.new.is_empty() && self.dropped.is_empty()
    }

    /// The identities that a contact gains and loses by a change.
    pub fn between(before: &Contact, after: &Contact) -> Self {
        let (was, is) = (before.known_by(), after.known_by());
        let missing = |of: &[Identity], among: &[Identity]| {
            let missing = of.iter().filter(|identity| !among.contains(identity));
            missing.cloned().collect()
        };
        Self {
            new: missing(&is, &was),
            dropped: missing(&was, &is),
        }
    }

    /// Adds the change made by one identity: itself if it was new, and the one that it replaced.
    fn note<T>(&mut self, learnt: Learnt<T>, kind: fn(T) -> Identity) {
        if let Learnt::New { new, dropped } = learnt {
            self.new.push(kind(new));
            self.dropped.extend(dropped.map(kind));
        }
    }
}

/// Result of adding to a list of identities.
enum Learnt<T> {
    Known,
    New { new: T, dropped: Option<T> },
}

/// Adds to a list of identities. The preferred one comes first; a further one replaces the last.
fn learn_of<T: Clone + PartialEq>(known: &mut Vec<T>, new: &T, preferred: bool) -> Learnt<T> {
    if let Some(place) = known.iter().position(|one| one == new) {
        if preferred {
            known[..=place].rotate_right(1);
        }
        return Learnt::Known;
    }
    let dropped = if known.len() < MAX_IDENTITIES {
        None
    } else {
        known.pop()
    };
    let place = if preferred { 0 } else { known.len() };
    known.insert(place, new.clone());
    Learnt::New {
        new: new.clone(),
        dropped,
    }
}

/// The form of a person's telephone number that a channel reported.
#[derive(Debug, Clone, Eq, Serialize, Deserialize)]
pub struct NumberForm {
    pub channel: Channel,
    pub number: Phone,
}

impl PartialEq for NumberForm {
    fn eq(&self, other: &Self) -> bool {
        self.channel == other.channel && self.number.is_written_as(&other.number)
    }
}

impl NumberForm {
    /// Whether both are the form of one number on one channel.
    pub(crate) fn is_about(&self, other: &Self) -> bool {
        self.channel == other.channel && self.number == other.number
    }
}

/// A number of the person's that a channel does not reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreachable {
    pub channel: Channel,
    /// The number; `None` if the message was sent to Meta's user id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<Phone>,
    /// Time when this was found out.
    pub at: Timestamp,
    /// The reason, in words.
    pub reason: String,
}

/// Time limit for restoring a deleted contact. It is erased afterwards.
pub const RESTORABLE_FOR: jiff::SignedDuration = jiff::SignedDuration::from_hours(30 * 24);

impl Contact {
    /// Whether another version is the same, also in the forms of its telephone numbers.
    pub fn is_written_as(&self, other: &Self) -> bool {
        let forms = |contact: &Self| -> Vec<String> { contact.phones.iter().map(ToString::to_string).collect() };
        self == other && forms(self) == forms(other)
    }

    /// Whether another version of it says the same about the person: calls and messages leave other things in it.
    pub fn is_shown_as(&self, other: &Self) -> bool {
        let shown = |contact: &Self| Self {
            forms: Vec::new(),
            last_follow_up_at: None,
            last_counted_at: None,
            open: Vec::new(),
            allowance_whole_at: None,
            last_call_at: None,
            last_answered_at: None,
            last_by_phone_at: None,
            missed: Vec::new(),
            last_reached_at: None,
            calls: 0,
            windows: Vec::new(),
            texted: Vec::new(),
            last_inbound_at: None,
            last_written_at: None,
            answered: Vec::new(),
            version: 0,
            ..contact.clone()
        };
        shown(self).is_written_as(&shown(other))
    }

    /// A contact with one identity and nothing else known.
    pub fn first_seen(id: ContactId, identity: &Identity, at: Timestamp) -> Self {
        let mut contact = Self::new(id, at);
        contact.prefer(identity);
        contact
    }

    /// A contact without any data yet.
    pub const fn new(id: ContactId, at: Timestamp) -> Self {
        Self {
            id,
            named: false,
            named_by_call: false,
            phones: Vec::new(),
            forms: Vec::new(),
            bsuids: Vec::new(),
            emails: Vec::new(),
            called_from: None,
            language: None,
            language_detected: false,
            same_as: Vec::new(),
            aliases: Vec::new(),
            consent: Wishes::NONE,
            unreachable: Vec::new(),
            last_follow_up_at: None,
            last_counted_at: None,
            allowance_whole_at: None,
            open: Vec::new(),
            last_call_at: None,
            last_answered_at: None,
            last_by_phone_at: None,
            missed: Vec::new(),
            last_reached_at: None,
            calls: 0,
            windows: Vec::new(),
            texted: Vec::new(),
            last_inbound_at: None,
            last_written_at: None,
            answered: Vec::new(),
            deleted_at: None,
            erasing: false,
            created_at: at,
            version: 0,
        }
    }

    /// Whether any messages are refused.
    pub fn refuses(&self) -> bool {
        self.consent.refusals().next().is_some()
    }

    /// The refusal of all messages on all channels.
    pub fn opted_out(&self) -> Option<&Wish> {
        self.consent.refusal(Scope::ALL)
    }

    /// The refusal of marketing on all channels, while other messages are still welcome.
    pub fn marketing_opted_out(&self) -> Option<&Wish> {
        self.consent.refusal(Scope::MARKETING)
    }

    /// Time of the last opt-in to all messages, beyond having called.
    pub fn opted_in_at(&self) -> Option<Timestamp> {
        self.consent.opted_in_at()
    }

    /// Its id, then the ids of the contacts that were merged into it.
    pub fn ids(&self) -> impl Iterator<Item = ContactId> + '_ {
        [self.id].into_iter().chain(self.aliases.iter().copied())
    }

    /// Whether this is its id, or the id of a contact that was merged into it.
    pub fn is(&self, id: ContactId) -> bool {
        self.ids().any(|own| own == id)
    }

    /// The preferred telephone number, if one is known.
    pub fn phone(&self) -> Option<&Phone> {
        self.phones.first()
    }

    /// How a message reaches the person, unless it is for one of several numbers.
    pub fn recipient(&self) -> Recipient {
        Recipient {
            phone: self.phone().cloned(),
            bsuid: self.bsuid().map(str::to_owned),
        }
    }

    /// A WhatsApp user, as far as its number and id are the contact's own. `None`: neither is.
    pub fn own_user(&self, user: Recipient) -> Option<Recipient> {
        let phone = user.phone.filter(|phone| self.phones.contains(phone));
        let bsuid = user.bsuid.filter(|bsuid| self.bsuids.contains(bsuid));
        (phone.is_some() || bsuid.is_some()).then_some(Recipient { phone, bsuid })
    }

    /// The service windows of the contact's own users, each with its user, or the preferred one where it names none. Left out are users who
    /// were taken off, and users of other contacts of the same person, which hear each other's messages.
    pub(crate) fn own_windows(&self) -> impl DoubleEndedIterator<Item = (&Window, Recipient)> {
        self.windows.iter().filter_map(|window| {
            let user = if window.is_of_anybody() {
                self.recipient()
            } else {
                self.own_user(window.user())?
            };
            Some((window, user))
        })
    }

    /// Everybody whose number or id WhatsApp may know the person by.
    pub(crate) fn users(&self) -> Vec<Recipient> {
        let phones = self.phones.iter().map(|phone| Recipient {
            phone: Some(phone.clone()),
            bsuid: None,
        });
        let bsuids = self.bsuids.iter().map(|bsuid| Recipient {
            phone: None,
            bsuid: Some(bsuid.clone()),
        });
        phones.chain(bsuids).collect()
    }

    /// The newest of Meta's business-scoped user ids, if one is known.
    pub fn bsuid(&self) -> Option<&str> {
        self.bsuids.first().map(String::as_str)
    }

    /// The contact as known at an earlier time, as far as it tells: without later happenings, and without open
    /// messages. Identities, language and wishes are as they are today.
    pub fn as_of(mut self, at: Timestamp) -> Self {
        for time in [
            &mut self.last_follow_up_at,
            &mut self.last_counted_at,
            &mut self.last_inbound_at,
            &mut self.last_answered_at,
            &mut self.last_by_phone_at,
        ] {
            *time = time.filter(|time| *time <= at);
        }
        self.unreachable.retain(|failed| failed.at <= at);
        self.allowance_whole_at = None;
        self.open.clear();
        self
    }

    /// The earliest time for WhatsApp to take this message, planned or not, since it takes only so many to one person. `None`: any time.
    pub fn earliest_by_whatsapp(&self, message: MessageId) -> Option<Timestamp> {
        let place = self.open.iter().position(|open| open.message == message);
        let counted = place.map_or(0, |place| self.open.len() - place);
        Some(earliest_by_pair_rate(self.allowance_whole_at?, counted))
    }

    /// Brings a deleted contact back, because the person called or wrote at this time. What is older than the deletion does not, and
    /// one whose erasure has begun stays deleted.
    pub fn heard_again(&mut self, at: Timestamp) {
        if !self.stays_deleted(at) {
            self.deleted_at = None;
        }
    }

    /// Whether it is deleted, also if the person called or wrote at this time.
    pub fn stays_deleted(&self, at: Timestamp) -> bool {
        self.deleted_at
            .is_some_and(|deleted_at| self.erasing || at <= deleted_at)
    }

    /// Learns the language of the person's texts. One that was set stays, and one that is not certain only fills a gap.
    pub fn writes_in(&mut self, recognized: Recognized) {
        let was_set = self.language.is_some() && !self.language_detected;
        if was_set || (self.language.is_some() && !recognized.certain) {
            return;
        }
        self.language = Some(recognized.language);
        self.language_detected = true;
    }

    /// Records an answered call of this time. The latest one counts, in whatever order they are decided.
    pub fn record_answered_call(&mut self, at: Timestamp) {
        self.last_answered_at = self.last_answered_at.max(Some(at));
    }

    /// Records a call of this time that nobody answered. Returns the number of calls that are recovered now: itself, if the person has
    /// written or reached somebody since, which other reports said before this one.
    pub fn missed_call(&mut self, at: Timestamp) -> u32 {
        let call = MissedCall { at };
        let since = [self.last_written_at, self.last_reached_at];
        if since.into_iter().flatten().any(|since| call.is_recovered_at(since)) {
            return 1;
        }
        self.missed.push(call);
        self.missed.sort();
        let most = self.missed.len().saturating_sub(MAX_MISSED);
        self.missed.drain(..most);
        0
    }

    /// Takes the call that was recorded with this time off the missed ones: somebody answered it after all. If it is not among them, it
    /// was recovered, or later ones took its place.
    pub fn not_missed(&mut self, at: Timestamp) {
        if let Some(place) = self.missed.iter().position(|call| call.at == at) {
            self.missed.remove(place);
        }
    }

    /// A call with the person that began at this time was answered, whoever called. Returns the number of missed calls that are
    /// recovered by it.
    pub fn record_reaching_call(&mut self, at: Timestamp) -> u32 {
        self.last_reached_at = self.last_reached_at.max(Some(at));
        self.recovers(at)
    }

    /// Nobody answered the call that was recorded with this time after all.
    pub fn not_reached(&mut self, at: Timestamp) {
        self.last_reached_at = self.last_reached_at.filter(|reached| *reached != at);
    }

    /// The person wrote a message at this time that is no stop word. Returns the number of missed calls that are recovered by it.
    pub fn wrote(&mut self, at: Timestamp) -> u32 {
        self.last_written_at = self.last_written_at.max(Some(at));
        self.recovers(at)
    }

    /// The number of missed calls that are recovered by what happened at this time: each is recovered once.
    fn recovers(&mut self, at: Timestamp) -> u32 {
        let before = self.missed.len();
        self.missed.retain(|call| !call.is_recovered_at(at));
        let recovered = before - self.missed.len();
        // Nothing recovers these any more.
        self.missed.retain(|call| call.at > at);
        u32::try_from(recovered).unwrap_or(u32::MAX)
    }

    /// Whether free text may go out by WhatsApp from this number of the business to this recipient.
    pub fn window_open(&self, number: &Phone, to: &Recipient, now: Timestamp) -> bool {
        self.window_closes_at(number, to).is_some_and(|closes| now < closes)
    }

    /// Time until free text by WhatsApp may go out from this number of the business to this recipient. `None`: they
    /// never opened the window.
    pub fn window_closes_at(&self, number: &Phone, to: &Recipient) -> Option<Timestamp> {
        window_closes_at(&self.windows, number, to)
    }

    /// Whether free text may go out by WhatsApp from any number of the business.
    pub fn any_window_open(&self, now: Timestamp) -> bool {
        self.own_windows().any(|(window, _)| window.is_open(now))
    }

    /// Time of the customer's last WhatsApp message or WhatsApp call, to any number.
    pub fn last_whatsapp_at(&self) -> Option<Timestamp> {
        self.windows.iter().filter_map(|window| window.at).max()
    }

    /// This user wrote to this WhatsApp number of the business, or called it: their service window is open for 24 hours.
    pub fn open_window(&mut self, number: &Phone, user: &Recipient, at: Timestamp) {
        self.note_window(Window::new(number, user, Some(at)), at);
    }

    /// This user sent something to this WhatsApp number of the business that waits for an answer, and opens no service window.
    pub fn heard_by_whatsapp(&mut self, number: &Phone, user: &Recipient, at: Timestamp) {
        let heard_at = Some(at);
        let new = Window::new(number, user, None);
        self.note_window(Window { heard_at, ..new }, at);
    }

    /// This user wrote to another responder on this WhatsApp number of the business, which opens our service window once we are passed the
    /// conversation.
    fn overheard_by_whatsapp(&mut self, number: &Phone, user: &Recipient, at: Timestamp) {
        let (heard_at, copied_at) = (Some(at), Some(at));
        let new = Window::new(number, user, None);
        let new = Window {
            heard_at,
            copied_at,
            ..new
        };
        self.note_window(new, at);
    }

    /// Learns from a message by WhatsApp to this number of the business about the service window, and about who answers
    /// its writer. A message to another responder opens no window of ours before the conversation is passed to us.
    pub fn hears_by_whatsapp(&mut self, number: &Phone, message: &InboundMessage, at: Timestamp) {
        let user = message.from.recipient();
        if message.opens_window && message.standby {
            self.overheard_by_whatsapp(number, &user, at);
        } else if message.opens_window {
            self.open_window(number, &user, at);
        } else if message.is_news() {
            self.heard_by_whatsapp(number, &user, at);
        }
        let sign = if message.standby { Sign::Copied } else { Sign::Received };
        self.answered_by(number, &user, sign, at);
    }

    /// A sign of who answers this user on this WhatsApp number of the business.
    pub fn answered_by(&mut self, number: &Phone, user: &Recipient, sign: Sign, at: Timestamp) {
        add_sign(&mut self.windows, number, user, sign, at);
        make_room_for_windows(&mut self.windows, at);
    }

    /// The other responder that answers this recipient on this WhatsApp number of the business, if one does.
    pub fn elsewhere(&self, number: &Phone, to: &Recipient, now: Timestamp) -> Option<Elsewhere> {
        answered_elsewhere(&self.windows, number, to, now)
    }

    fn note_window(&mut self, new: Window, at: Timestamp) {
        add_window(&mut self.windows, new);
        make_room_for_windows(&mut self.windows, at);
    }

    /// The person wrote by SMS from this number on this line.
    pub fn wrote_by_sms(&mut self, line: Option<LineId>, number: &Phone, at: Timestamp) {
        if self.phones.contains(number) {
            let number = number.clone();
            add_texted(&mut self.texted, Texted { line, number, at });
        }
    }

    /// Records that one of the person's WhatsApp users has another number or id from now on. Their open service windows stay open for it.
    pub fn changed_user(&mut self, before: &Recipient, now: &Recipient) {
        pass_on_windows(&mut self.windows, before, now);
        let moved = now.phone.is_some() && now.phone != before.phone;
        self.texted
            .retain(|known| !moved || Some(&known.number) != before.phone.as_ref());
    }

    /// The reason why a channel does not reach the person at this number, if that is known. Without a number: by Meta's user
    /// id.
    pub fn unreachable_on(&self, channel: Channel, number: Option<&Phone>) -> Option<&Unreachable> {
        let mut known = self.unreachable.iter();
        known.find(|known| known.channel == channel && known.number.as_ref() == number)
    }

    /// Learns the form of a number of the person's on a channel. Messages there use it from now on.
    pub fn learn_form(&mut self, channel: Channel, number: &Phone) {
        let Some(own) = self.phones.iter().find(|own| *own == number) else {
            return;
        };
        let is_plain = own.is_key() && number.is_key();
        let number = number.clone();
        let new = NumberForm { channel, number };
        self.forms.retain(|known| !known.is_about(&new));
        self.forms.extend((!is_plain).then_some(new));
        self.forget_forms();
    }

    /// Removes the forms of numbers that it has no more.
    pub(crate) fn forget_forms(&mut self) {
        self.forms.retain(|known| self.phones.contains(&known.number));
    }

    /// The recipient as a channel writes their number: in the form that it reported. Otherwise SMS uses the form of the number's key, and
    /// so does WhatsApp if this number or the contact's own is in it: other forms may be in no numbering plan, but WhatsApp may know no
    /// other.
    pub fn recipient_on(&self, channel: Channel, to: &Recipient) -> Recipient {
        let form = to.phone.as_ref().map(|phone| {
            let reported = self.forms.iter().filter(|known| known.channel == channel);
            let reported = reported.map(|known| &known.number).find(|number| *number == phone);
            let has_key_form = || {
                [phone]
                    .into_iter()
                    .chain(&self.phones)
                    .any(|own| own == phone && own.is_key())
            };
            match reported {
                Some(reported) => reported.clone(),
                None if channel == Channel::Sms || has_key_form() => phone.in_key_form(),
                None => phone.clone(),
            }
        });
        Recipient {
            phone: form,
            bsuid: to.bsuid.clone(),
        }
    }

    /// A message from this number proves that the channel reaches it. Without a number, it may be any of the person's.
    pub fn reached_on(&mut self, channel: Channel, number: Option<&Phone>) {
        let other = |known: &Unreachable| number.is_some() && known.number.is_some() && known.number.as_ref() != number;
        self.unreachable
            .retain(|known| known.channel != channel || other(known));
    }

    /// Learns from a provider's error about a message, unless the person has said otherwise since or shown that the channel works.
    pub fn learn(&mut self, tried: Tried<'_>, error: &Classified, at: Timestamp) -> Change {
        let (channel, number) = (tried.channel, tried.to.phone.as_ref());
        let refused = |scope: Scope| {
            let source = format!("{} says: {}", channel.name(), error.meaning);
            Wish::new(Choice::Refused, scope, By::Provider, &source, at)
        };
        match error.effect {
            Effect::None | Effect::PauseNumber(_) | Effect::Throttle(_) | Effect::ConnectionUnhealthy => {
                Change::Nothing
            }
            Effect::PacePerson => {
                let wait = jiff::SignedDuration::from_secs(error.first_wait.into());
                let whole_at = Some(pair_rate_after_refusal(at, wait, self.open.len()));
                if self.allowance_whole_at >= whole_at {
                    return Change::Nothing;
                }
                self.allowance_whole_at = whole_at;
                Change::Contact
            }
            Effect::WindowClosed => {
                // A later message of the person has opened it again.
                let close = |from| close_window(&mut self.windows, from, tried.to, tried.claimed_at);
                if tried.from.is_some_and(close) {
                    Change::Contact
                } else {
                    Change::Nothing
                }
            }
            Effect::MarketingOptOut if self.marketing_opted_out().is_some() => Change::Nothing,
            Effect::MarketingOptOut => self.record(refused(Scope::MARKETING)),
            Effect::ChannelOptOut if self.opted_out().is_some() => Change::Nothing,
            Effect::ChannelOptOut => self.record(refused(Scope::ALL)),
            Effect::Unreachable if self.heard_on(channel, number) > Some(at) => Change::Nothing,
            Effect::Unreachable => {
                self.unreachable
                    .retain(|known| known.channel != channel || known.number.as_ref() != number);
                self.unreachable.push(Unreachable {
                    channel,
                    number: number.cloned(),
                    at,
                    reason: error.meaning.to_owned(),
                });
                self.unreachable.sort_by_key(|known| known.at);
                let most = self.unreachable.len().saturating_sub(MAX_UNREACHABLE);
                self.unreachable.drain(..most);
                Change::Contact
            }
        }
    }

    /// Time of the last sign on the channel of whoever has this number, if any. Without a number: of whoever has an id of WhatsApp's.
    pub(crate) fn heard_on(&self, channel: Channel, number: Option<&Phone>) -> Option<Timestamp> {
        match channel {
            Channel::WhatsApp => {
                let own = |window: &&Window| {
                    let is_theirs = number.map_or(window.bsuid.is_some(), |_| window.phone.as_ref() == number);
                    is_theirs || window.is_of_anybody()
                };
                self.windows.iter().filter(own).filter_map(Window::last_heard).max()
            }
            Channel::Sms => {
                let own = self.texted.iter().filter(|known| Some(&known.number) == number);
                own.map(|known| known.at).max()
            }
        }
    }

    /// Records a wish. The newest of its scope and party holds, in whatever order they arrive.
    pub fn record(&mut self, wish: Wish) -> Change {
        self.apply_wish(wish, Wishes::apply)
    }

    /// Records a refusal that comes from elsewhere, which no earlier wish of this contact has ended: see [`Wishes::carry`].
    pub fn carry(&mut self, refusal: Wish) -> Change {
        self.apply_wish(refusal, Wishes::carry)
    }

    /// Records what a table says: see [`Wishes::import`].
    pub fn import(&mut self, wish: Wish) -> Change {
        self.apply_wish(wish, Wishes::import)
    }

    fn apply_wish(&mut self, wish: Wish, how: fn(&mut Wishes, Wish) -> Applied) -> Change {
        let entry = ConsentEntry::of(&wish);
        match how(&mut self.consent, wish) {
            Applied::Nothing => Change::Nothing,
            Applied::Noted => Change::Contact,
            Applied::Changed => Change::Consent(Box::new(entry)),
        }
    }

    /// Applies the person's wish about messages, as they wrote it. An opt-in to messages includes marketing.
    pub fn wish(&mut self, flag: OptFlag, source: &str, at: Timestamp) -> Change {
        let choice = match flag {
            OptFlag::Stop => Choice::Refused,
            OptFlag::Start => Choice::Granted,
            OptFlag::Help => return Change::Nothing,
        };
        self.record(Wish::new(choice, Scope::ALL, By::Keyword, source, at))
    }

    /// Applies the person's wish about marketing, as a provider reports it. That it is welcome again is no opt-in: the report is
    /// about the provider's channel, and an opt-in would hold for all.
    pub fn wish_marketing(&mut self, welcome: bool, source: &str, at: Timestamp) -> Change {
        let choice = if welcome { Choice::Lifted } else { Choice::Refused };
        self.record(Wish::new(choice, Scope::MARKETING, By::Provider, source, at))
    }

    /// Copies the refusals of another contact of the same person. Returns the new ones, as repetitions.
    pub fn share_refusals(&mut self, other: &Self) -> Vec<ConsentEntry> {
        // Once they share what they refuse, what the person says later to one of them ends it there, unless the other one carries it, too.
        let is_known = self.same_as.iter().any(|same| other.is(*same));
        let refusals = other.consent.refusals();
        let share = |refusal: &Wish| {
            if is_known && !other.consent.carries(refusal) {
                self.record(refusal.as_shared_refusal())
            } else {
                self.carry(refusal.as_shared_refusal())
            }
        };
        let changes: Vec<Change> = refusals.map(share).collect();
        let entries = changes.into_iter().filter_map(Change::consent);
        entries.map(ConsentEntry::as_repetition).collect()
    }

    /// Records contacts that proved to be the same person, up to the maximum that is read together.
    pub fn is_also(&mut self, others: impl IntoIterator<Item = ContactId>) {
        for other in others {
            if !self.is(other) && !self.same_as.contains(&other) && self.same_as.len() < MAX_SAME {
                self.same_as.push(other);
            }
        }
    }

    /// The identities that lead to this contact, as far as its own row has them.
    pub fn known_by(&self) -> Vec<Identity> {
        // A contact of before may have a number in two forms.
        let different = |(place, phone): &(usize, &Phone)| !self.phones[..*place].contains(phone);
        let phones = self.phones.iter().enumerate().filter(different);
        let phones = phones.map(|(_, phone)| Identity::Phone(phone.clone()));
        let bsuids = self.bsuids.iter().cloned().map(Identity::Bsuid);
        let emails = self.emails.iter().cloned().map(Identity::Email);
        phones
            .chain(bsuids)
            .chain(emails)
            .chain(self.called_from.clone())
            .collect()
    }

    /// Adds the identities in a report. A new number goes behind the known ones; the newest of Meta's ids comes first.
    pub fn link(&mut self, sender: &Sender) -> Linked {
        let mut linked = Linked::default();
        if let Some(phone) = &sender.phone {
            linked.note(learn_of(&mut self.phones, phone, false), Identity::Phone);
        }
        if let Some(bsuid) = &sender.bsuid {
            linked.note(learn_of(&mut self.bsuids, bsuid, true), Identity::Bsuid);
        }
        linked
    }

    /// Adds an identity as the preferred one of its kind.
    pub fn prefer(&mut self, identity: &Identity) -> Linked {
        let mut linked = Linked::default();
        match identity {
            Identity::Phone(phone) => linked.note(learn_of(&mut self.phones, phone, true), Identity::Phone),
            Identity::Bsuid(bsuid) => linked.note(learn_of(&mut self.bsuids, bsuid, true), Identity::Bsuid),
            Identity::Email(email) => linked.note(learn_of(&mut self.emails, email, true), Identity::Email),
            Identity::Sip(_) | Identity::Sender(_) | Identity::Withheld(_) => self.called_from = Some(identity.clone()),
        }
        linked
    }
}

/// The result of changing a contact: what has to be written.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    Nothing,
    /// The contact's own row.
    Contact,
    /// The contact, and the identities that lead to it.
    Linked(Linked),
    /// The contact, with an entry in its consent ledger.
    Consent(Box<ConsentEntry>),
}

impl Change {
    /// Adds a reference as proof to an entry in the ledger.
    pub fn proven_by(self, reference: &impl std::fmt::Display) -> Self {
        match self {
            Self::Consent(entry) => Self::Consent(Box::new(entry.proven_by(reference))),
            other => other,
        }
    }

    /// Marks an entry in the ledger as a repetition of what is known already.
    pub fn as_repetition(self) -> Self {
        match self {
            Self::Consent(entry) => Self::Consent(Box::new(entry.as_repetition())),
            other => other,
        }
    }

    /// The entry in the ledger, where there is one.
    pub fn consent(self) -> Option<ConsentEntry> {
        match self {
            Self::Consent(entry) => Some(*entry),
            Self::Nothing | Self::Contact | Self::Linked(_) => None,
        }
    }
}
