//! Contacts: the people who call or write to a tenant, by what they are known.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{CallId, ConnectionId, ContactId, MessageId},
    inbound::{OptFlag, Sender},
    message::{Channel, Message},
    outside::ShownName,
    phone::Phone,
    record::ConsentEntry,
    send::{Classified, Effect},
};

/// What a contact is known by. A contact may have several, and none of them need be a telephone number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "value")]
pub enum Identity {
    /// A telephone number.
    Phone(Phone),
    /// Meta's business-scoped user id.
    Bsuid(String),
    /// A SIP address.
    Sip(String),
    /// All who hide their number from one connection: calls are stored, nobody is messaged.
    Withheld(ConnectionId),
}

impl Identity {
    /// The text in the table key, `<kind>:<value>`.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Phone(phone) => format!("phone:{phone}"),
            Self::Bsuid(id) => format!("bsuid:{id}"),
            Self::Sip(address) => format!("sip:{address}"),
            Self::Withheld(connection) => format!("withheld:{connection}"),
        }
    }
}

/// A refusal to be messaged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptOut {
    /// When the person said so.
    pub at: Timestamp,
    /// How we know, such as "wrote STOP by SMS".
    pub source: String,
}

impl OptOut {
    /// From now on it stands there, and in the ledger.
    fn put(self, place: &mut Option<Self>, what: &str) -> Change {
        let entry = ConsentEntry {
            at: self.at,
            what: what.to_owned(),
            source: self.source.clone(),
        };
        *place = Some(self);
        Change::Consent(entry)
    }
}

/// A person who calls or writes to a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The contact.
    pub id: ContactId,
    /// As the person or the network gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<ShownName>,
    /// The telephone number, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
    /// Meta's business-scoped user id, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bsuid: Option<String>,
    /// What it was first seen by, where that is neither: a SIP address, or that the number was hidden.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called_from: Option<Identity>,
    /// BCP 47 language, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Other contacts that proved to be the same person, until somebody merges them: what the person wishes holds for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub same_as: Vec<ContactId>,
    /// No message on any channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opted_out: Option<OptOut>,
    /// No marketing, though service messages are still welcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marketing_opted_out: Option<OptOut>,
    /// Said yes to messages, beyond having called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opted_in_at: Option<Timestamp>,
    /// Last said yes to marketing, or to all messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marketing_welcome_at: Option<Timestamp>,
    /// Channels that cannot reach this person, with when and why we learnt it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreachable: Vec<Unreachable>,
    /// When the last follow-up was planned: what the cooldown counts from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_follow_up_at: Option<Timestamp>,
    /// The last follow-up and its call, to cancel it when the call is answered after all or the customer writes first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_follow_up: Option<OpenFollowUp>,
    /// When the last inbound call was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_call_at: Option<Timestamp>,
    /// Calls decided so far: a caller with none before is new.
    #[serde(default)]
    pub calls: u32,
    /// The customer's last WhatsApp message or WhatsApp call; opens the service window for 24 hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_whatsapp_at: Option<Timestamp>,
    /// The customer's last message on any channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_inbound_at: Option<Timestamp>,
    /// When first seen.
    pub created_at: Timestamp,
    /// Raised by every write; the condition of the next.
    pub version: u64,
}

/// So many other contacts can be known to be the same person: each is read and written with what the person says.
pub const MOST_SAME: usize = 5;

/// A follow-up that may not have been sent yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenFollowUp {
    /// The message.
    pub message: MessageId,
    /// The call that caused it.
    pub call: CallId,
    /// When the follow-up before it was planned: what the cooldown counts from if nothing of this one goes out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Timestamp>,
}

/// A channel on which a person cannot be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreachable {
    /// The channel.
    pub channel: Channel,
    /// When we learnt it.
    pub at: Timestamp,
    /// Why, in words.
    pub reason: String,
}

/// WhatsApp's service window: 24 hours from the user's last message or WhatsApp call.
pub const SERVICE_WINDOW: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

impl Contact {
    /// A contact of whom nothing is known but one identity.
    #[must_use]
    pub fn first_seen(id: ContactId, identity: &Identity, at: Timestamp) -> Self {
        let (phone, bsuid, called_from) = match identity {
            Identity::Phone(phone) => (Some(phone.clone()), None, None),
            Identity::Bsuid(bsuid) => (None, Some(bsuid.clone()), None),
            Identity::Sip(_) | Identity::Withheld(_) => (None, None, Some(identity.clone())),
        };
        Self {
            id,
            name: None,
            phone,
            bsuid,
            called_from,
            language: None,
            same_as: Vec::new(),
            opted_out: None,
            marketing_opted_out: None,
            opted_in_at: None,
            marketing_welcome_at: None,
            unreachable: Vec::new(),
            last_follow_up_at: None,
            open_follow_up: None,
            last_call_at: None,
            calls: 0,
            last_whatsapp_at: None,
            last_inbound_at: None,
            created_at: at,
            version: 0,
        }
    }

    /// Whether free text may go out by WhatsApp.
    #[must_use]
    pub fn window_open(&self, now: Timestamp) -> bool {
        self.last_whatsapp_at.is_some_and(|at| now < at + SERVICE_WINDOW)
    }

    /// Why a channel is known not to reach this person.
    #[must_use]
    pub fn unreachable_on(&self, channel: Channel) -> Option<&Unreachable> {
        self.unreachable.iter().find(|known| known.channel == channel)
    }

    /// What a provider's error teaches us about the person, who may have said otherwise since, or shown that the channel works.
    pub fn learn(&mut self, channel: Channel, error: &Classified, at: Timestamp) -> Change {
        let source = format!("{} says: {}", channel.name(), error.meaning);
        match error.effect {
            Effect::None | Effect::PauseNumber(_) | Effect::ConnectionUnhealthy => Change::Nothing,
            Effect::MarketingOptOut if self.marketing_opted_out.is_some() || self.marketing_welcome_since(at) => {
                Change::Nothing
            }
            Effect::MarketingOptOut => OptOut { at, source }.put(&mut self.marketing_opted_out, "marketing_stop"),
            Effect::ChannelOptOut if self.opted_out.is_some() || self.opted_in_at > Some(at) => Change::Nothing,
            Effect::ChannelOptOut => OptOut { at, source }.put(&mut self.opted_out, "stop"),
            Effect::Unreachable if self.heard_on(channel) > Some(at) => Change::Nothing,
            Effect::Unreachable => {
                self.unreachable.retain(|known| known.channel != channel);
                self.unreachable.push(Unreachable {
                    channel,
                    at,
                    reason: error.meaning.to_owned(),
                });
                Change::Profile
            }
        }
    }

    /// When the person was last heard of on the channel, as far as we know.
    const fn heard_on(&self, channel: Channel) -> Option<Timestamp> {
        match channel {
            Channel::WhatsApp => self.last_whatsapp_at,
            Channel::Sms => self.last_inbound_at,
        }
    }

    /// Whether the person said yes to marketing after this.
    fn marketing_welcome_since(&self, at: Timestamp) -> bool {
        self.marketing_welcome_at > Some(at)
    }

    /// What the person says about being messaged. The newest wish holds, in whatever order they come.
    pub fn wish(&mut self, flag: OptFlag, source: String, at: Timestamp) -> Change {
        match flag {
            OptFlag::Stop => self.stop(source, at),
            OptFlag::Start => self.start(source, at),
            OptFlag::Help => Change::Nothing,
        }
    }

    fn stop(&mut self, source: String, at: Timestamp) -> Change {
        if self.opted_in_at > Some(at) {
            return Change::Nothing;
        }
        if let Some(since) = &mut self.opted_out {
            return later(&mut since.at, at);
        }
        self.opted_in_at = None;
        OptOut { at, source }.put(&mut self.opted_out, "stop")
    }

    /// A yes to messages is one to marketing, too.
    fn start(&mut self, source: String, at: Timestamp) -> Change {
        let marketing = self.welcome_marketing(at);
        if self.opted_out.as_ref().is_some_and(|since| since.at > at) {
            return Change::Profile;
        }
        let nothing_refused = self.opted_out.take().is_none() && marketing.is_none();
        match &mut self.opted_in_at {
            Some(since) if nothing_refused => later(since, at),
            since => {
                *since = (*since).max(Some(at));
                Change::Consent(ConsentEntry {
                    at,
                    what: "start".to_owned(),
                    source,
                })
            }
        }
    }

    /// Takes a no to marketing back, unless it is newer. Returns it.
    fn welcome_marketing(&mut self, at: Timestamp) -> Option<OptOut> {
        self.marketing_welcome_at = self.marketing_welcome_at.max(Some(at));
        self.marketing_opted_out.take_if(|since| since.at <= at)
    }

    /// What the person says about marketing. The newest wish holds, in whatever order they come.
    pub fn wish_marketing(&mut self, welcome: bool, source: String, at: Timestamp) -> Change {
        if !welcome {
            if self.marketing_welcome_since(at) {
                return Change::Nothing;
            }
            if let Some(since) = &mut self.marketing_opted_out {
                return later(&mut since.at, at);
            }
            return OptOut { at, source }.put(&mut self.marketing_opted_out, "marketing_stop");
        }
        match self.welcome_marketing(at) {
            Some(_) => Change::Consent(ConsentEntry {
                at,
                what: "marketing_start".to_owned(),
                source,
            }),
            None => Change::Profile,
        }
    }

    /// Plans a follow-up: the cooldown counts from it.
    pub fn follow_up_with(&mut self, message: MessageId, call: CallId, now: Timestamp) {
        self.open_follow_up = Some(OpenFollowUp {
            message,
            call,
            before: self.last_follow_up_at.replace(now),
        });
    }

    /// The open follow-up has ended before its time. If nothing of it can have gone out, the cooldown is what it was before.
    pub fn close_follow_up(&mut self, ended: &Message) {
        if let Some(open) = self.open_follow_up.take_if(|open| open.message == ended.id)
            && ended.nothing_went_out()
        {
            self.last_follow_up_at = open.before;
        }
    }

    /// Takes over what the same person, known as another contact too, has refused. Returns what is new.
    pub fn share_refusals(&mut self, other: &Self) -> Vec<ConsentEntry> {
        let shared = |refused: &OptOut| (format!("{}, known as another contact", refused.source), refused.at);
        let stop = other.opted_out.as_ref().map(shared);
        let no_marketing = other.marketing_opted_out.as_ref().map(shared);
        let changes = [
            stop.map(|(source, at)| self.wish(OptFlag::Stop, source, at)),
            no_marketing.map(|(source, at)| self.wish_marketing(false, source, at)),
        ];
        changes.into_iter().flatten().filter_map(Change::consent).collect()
    }

    /// Remembers contacts that proved to be the same person, as many as are ever looked at together.
    pub fn is_also(&mut self, others: impl IntoIterator<Item = ContactId>) {
        for other in others {
            if other != self.id && !self.same_as.contains(&other) && self.same_as.len() < MOST_SAME {
                self.same_as.push(other);
            }
        }
    }

    /// What it is found by, as far as it says itself.
    #[must_use]
    pub fn known_by(&self) -> Vec<Identity> {
        let phone = self.phone.clone().map(Identity::Phone);
        let bsuid = self.bsuid.clone().map(Identity::Bsuid);
        phone.into_iter().chain(bsuid).chain(self.called_from.clone()).collect()
    }

    /// Takes over what a report tells of the person. Returns the identities that must point here now.
    pub fn link(&mut self, sender: &Sender) -> Vec<Identity> {
        let mut new = Vec::new();
        if let (None, Some(phone)) = (&self.phone, &sender.phone) {
            self.phone = Some(phone.clone());
            new.push(Identity::Phone(phone.clone()));
        }
        if let Some(bsuid) = &sender.bsuid
            && self.bsuid.as_ref() != Some(bsuid)
        {
            self.bsuid = Some(bsuid.clone());
            new.push(Identity::Bsuid(bsuid.clone()));
        }
        if self.name.is_none() {
            self.name.clone_from(&sender.name);
        }
        new
    }
}

/// The same said again: what is older than this changes nothing any more.
fn later(known: &mut Timestamp, at: Timestamp) -> Change {
    if *known >= at {
        return Change::Nothing;
    }
    *known = at;
    Change::Profile
}

/// What came of changing a contact, for whoever stores it.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Nothing to write.
    Nothing,
    /// The contact itself.
    Profile,
    /// The contact, and these identities now point to it.
    Linked(Vec<Identity>),
    /// The contact, with an entry in its consent ledger.
    Consent(ConsentEntry),
}

impl Change {
    /// The entry in the ledger, where there is one.
    #[must_use]
    pub fn consent(self) -> Option<ConsentEntry> {
        match self {
            Self::Consent(entry) => Some(entry),
            Self::Nothing | Self::Profile | Self::Linked(_) => None,
        }
    }
}
