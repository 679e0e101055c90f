//! Consent: what a person wishes to get, and whether a message may go out because of it.
//!
//! A contact holds wishes: refusals, grants and withdrawn refusals ("lifts"), each for a scope, which is a channel or all of them and a
//! category or all of them. Of each kind, scope and party, only the newest is kept, so the state is the same in whatever
//! order wishes arrive, and it is bounded. Two rules make it safe:
//!
//! * A refusal ends by a later grant or lift *of the same party* whose scope covers it. What the business recorded of its own accord
//!   (a court's order, a register of people who must not be called) is not undone by a START. A grant by an import ends no refusal at
//!   all: it is stated for a whole table, not decided for the person. What a table says of a person who unsubscribed elsewhere is the
//!   person's refusal: see [`Wishes::import`].
//! * A grant never overrides a refusal: of all refusals that cover a message, each must allow it.
//! * A refusal that comes from elsewhere (the suppression list, an erased person, another contact) holds although this contact granted
//!   or lifted later: nobody knows that this was meant for the other one, too.
//!
//! [`crate::people::check_policy_wishes`] is the only place that judges a message by them. Every change is also an entry of the contact's ledger
//! ([`crate::people::ConsentEntry`]).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::messages::day_in_words;
use crate::terms::{Actor, Category, Channel, OneLine, Reason, Refusal};

/// A category of messages that people can refuse or want by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConsentCategory {
    /// Offers.
    Marketing,
    /// Answers to something that the person did, beyond the conversation.
    Utility,
}

impl ConsentCategory {
    const fn is(self, category: Category) -> bool {
        matches!(
            (self, category),
            (Self::Marketing, Category::Marketing) | (Self::Utility, Category::Utility)
        )
    }

    /// The name in texts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Marketing => "marketing",
            Self::Utility => "utility",
        }
    }
}

/// The messages that a wish is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Scope {
    /// The channel; `None`: all.
    pub channel: Option<Channel>,
    /// The category; `None`: all.
    pub category: Option<ConsentCategory>,
}

impl Scope {
    /// Everything, on every channel: the scope of stop and start words.
    pub const ALL: Self = Self {
        channel: None,
        category: None,
    };

    /// Marketing on every channel.
    pub const MARKETING: Self = Self {
        channel: None,
        category: Some(ConsentCategory::Marketing),
    };

    /// Whether some messages are in both.
    fn overlaps(self, other: Self) -> bool {
        (self.channel.is_none() || other.channel.is_none() || self.channel == other.channel)
            && (self.category.is_none() || other.category.is_none() || self.category == other.category)
    }

    /// Whether all messages of the other scope are in this one.
    pub fn covers(self, other: Self) -> bool {
        (self.channel.is_none() || self.channel == other.channel)
            && (self.category.is_none() || self.category == other.category)
    }

    /// Whether messages of this category on this channel are in it. Without a channel: on every one.
    pub(crate) fn has(self, channel: Option<Channel>, category: Category) -> bool {
        (self.channel.is_none() || self.channel == channel) && self.category.is_none_or(|own| own.is(category))
    }
}

/// The content of a wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ConsentChoice"))]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// No messages of the scope.
    #[default]
    Refused,
    /// Messages of the scope are wanted: an opt-in.
    Granted,
    /// Earlier refusals within the scope no longer hold. This is no opt-in. By an import, in the ledger only: the opt-ins that imports gave
    /// within the scope no longer hold.
    Lifted,
}

/// How a wish became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The person wrote a stop or start word.
    #[default]
    Keyword,
    /// The person used a preference page.
    Page,
    /// A provider reported what the person set there, or refused a message for that reason.
    Provider,
    /// A user or API key recorded or imported what the person told the business.
    Told,
    /// A user of the tenant decided it.
    User,
    /// The tenant's software decided it.
    Key,
    Import,
}

/// The party whose wish it is. Only the same one can undo a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ConsentParty"))]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// The person.
    Customer,
    /// The business.
    Business,
}

/// How a wish was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ConsentMethod"))]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// A stop or start word.
    Keyword,
    /// A preference page.
    PreferencePage,
    /// A report of a provider.
    Provider,
    /// The API.
    Api,
    /// An import.
    Import,
}

impl By {
    /// The way of a wish of this party that a user or an API key records.
    pub const fn of_recorded_wish(party: Party, actor: Actor) -> Self {
        match (party, actor) {
            (Party::Customer, _) => Self::Told,
            (Party::Business, Actor::ApiKey(_)) => Self::Key,
            (Party::Business, Actor::User(_) | Actor::Platform(_) | Actor::Operator) => Self::User,
        }
    }

    /// The party whose wish it is.
    pub const fn party(self) -> Party {
        match self {
            Self::Keyword | Self::Page | Self::Provider | Self::Told => Party::Customer,
            Self::User | Self::Key | Self::Import => Party::Business,
        }
    }

    /// How it was recorded, for the API.
    pub const fn method(self) -> Method {
        match self {
            Self::Keyword => Method::Keyword,
            Self::Page => Method::PreferencePage,
            Self::Provider => Method::Provider,
            Self::Told | Self::User | Self::Key => Method::Api,
            Self::Import => Method::Import,
        }
    }
}

/// The text that a person agreed to, or that described the refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "ConsentWording")
)]
#[serde(deny_unknown_fields)]
pub struct Wording {
    /// The text that was shown.
    #[cfg_attr(
        feature = "schema",
        schemars(example = "I agree to receive offers from Saffron Bakery by WhatsApp.")
    )]
    pub text: OneLine<1, 1_000>,
    /// Its version.
    #[cfg_attr(feature = "schema", schemars(example = "2026-11"))]
    pub version: OneLine<1, 60>,
}

/// Maximum length of a proof, in characters.
pub const MAX_EVIDENCE_LENGTH: usize = 500;

/// Proof of a wish, or a reference to it, such as the id of a message.
pub type Evidence = OneLine<1, MAX_EVIDENCE_LENGTH>;

/// Maximum length of the sentence that says where a wish comes from, in characters.
pub const MAX_SOURCE_LENGTH: usize = 120;

/// Added to the source of a refusal that another contact of the same person made.
const ALSO: &str = ", known as another contact";

/// A wish of a contact. The usual values are left out of its row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// Time of the wish.
    pub at: Timestamp,
    /// Its channel; `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// Its category; `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<ConsentCategory>,
    #[serde(default, skip_serializing_if = "is_usual")]
    pub choice: Choice,
    /// How it became known.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub by: By,
    /// Source of a refusal, such as "asked for no more messages by SMS". At most [`MAX_SOURCE_LENGTH`] characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
}

fn is_usual<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Wish {
    /// A wish. The source is shortened if it is too long.
    pub fn new(choice: Choice, scope: Scope, by: By, source: &str, at: Timestamp) -> Self {
        Self {
            at,
            channel: scope.channel,
            category: scope.category,
            choice,
            by,
            source: source.chars().take(MAX_SOURCE_LENGTH).collect(),
        }
    }

    /// The messages that it is about.
    pub const fn scope(&self) -> Scope {
        Scope {
            channel: self.channel,
            category: self.category,
        }
    }

    /// Distinguishes it from the other wishes of a contact.
    pub(crate) fn key(&self) -> (Choice, Scope, Party, bool) {
        (self.choice, self.scope(), self.by.party(), self.ends_nothing())
    }

    /// Whether it allows something, but ends no refusal.
    fn ends_nothing(&self) -> bool {
        self.choice != Choice::Refused && self.by == By::Import
    }

    /// Whether a refusal ends by this later wish of the same party.
    fn ends(&self, refusal: &Self) -> bool {
        self.choice != Choice::Refused
            && !self.ends_nothing()
            && self.by.party() == refusal.by.party()
            && self.scope().covers(refusal.scope())
    }

    /// The sentence for people, if it is a refusal.
    pub fn sentence(&self) -> String {
        let since = day_in_words(self.at);
        let source = &self.source;
        match (self.category, self.channel) {
            (None, None) => format!("opted out on {since} ({source})"),
            (None, Some(channel)) => format!("opted out of {} on {since} ({source})", channel.name()),
            (Some(category), None) => format!("no {} wanted since {since} ({source})", category.as_str()),
            (Some(category), Some(channel)) => {
                let (category, channel) = (category.as_str(), channel.name());
                format!("no {category} by {channel} wanted since {since} ({source})")
            }
        }
    }

    /// The refusal of a message, if it is a refusal.
    pub(crate) fn refusal(&self) -> Refusal {
        let party = match self.by.party() {
            Party::Customer => "customer",
            Party::Business => "business",
        };
        let refusal = Refusal::new(Reason::OptedOut, self.sentence());
        let refusal = refusal.and("refused_at", self.at).and("party", party);
        let refusal = refusal.and("source", self.source.as_str());
        let refusal = refusal.and_if("channel", self.channel.map(Channel::as_str));
        refusal.and_if("category", self.category.map(ConsentCategory::as_str))
    }
}

/// The effect of a wish on what a contact holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// None: a newer one is known.
    Nothing,
    /// The wish is recorded, but allows and refuses nothing else than before.
    Noted,
    /// Something else is refused or granted than before.
    Changed,
}

/// The wishes that a contact holds: of each choice, scope and party at most one (of grants, one that ends refusals and an imported one),
/// without the refusals that have ended. Sorted. A refusal that another contact made holds although this one had ended its own: see
/// [`Wishes::carry`] and [`Wishes::stricter`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Wishes(Vec<Wish>);

impl Wishes {
    /// Nothing was ever said.
    pub const NONE: Self = Self(Vec::new());

    /// Whether nothing was ever said.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All wishes, refusals first.
    pub fn all(&self) -> impl Iterator<Item = &Wish> {
        self.0.iter()
    }

    /// The refusals that hold.
    pub fn refusals(&self) -> impl Iterator<Item = &Wish> {
        self.0.iter().filter(|wish| wish.choice == Choice::Refused)
    }

    /// Time of the newest refusal that holds, whatever it is about.
    pub fn last_refused_at(&self) -> Option<Timestamp> {
        self.refusals().map(|refusal| refusal.at).max()
    }

    /// The newest refusal of exactly this scope.
    pub fn refusal(&self, scope: Scope) -> Option<&Wish> {
        let own = self.refusals().filter(|refusal| refusal.scope() == scope);
        own.max_by_key(|refusal| refusal.at)
    }

    /// Records a wish. The newest of the same scope holds, in whatever order they arrive; of two with the same time, the one
    /// that arrives later.
    pub fn apply(&mut self, wish: Wish) -> Applied {
        let known = self.0.iter().position(|known| known.key() == wish.key());
        if let Some(known) = known
            && self.0[known].at >= wish.at
        {
            return Applied::Nothing;
        }
        let applied = match wish.choice {
            Choice::Refused => {
                if self.0.iter().any(|later| later.at > wish.at && later.ends(&wish)) {
                    return Applied::Nothing;
                }
                if let Some(known) = known {
                    // The refusal is the same; its repetition only makes it newer.
                    self.0[known].at = wish.at;
                    return Applied::Noted;
                }
                Applied::Changed
            }
            Choice::Granted | Choice::Lifted => {
                if self
                    .0
                    .iter()
                    .any(|better| better.at >= wish.at && better.replaces(&wish))
                {
                    return Applied::Nothing;
                }
                let before = self.refusals().count();
                let ended =
                    |refusal: &Wish| refusal.choice == Choice::Refused && refusal.at <= wish.at && wish.ends(refusal);
                self.0.retain(|known| !ended(known));
                let overruled =
                    |refusal: &Wish| refusal.by.party() == wish.by.party() && refusal.scope().covers(wish.scope());
                let holds = !self.refusals().any(overruled);
                let granted = |known: &Wish| {
                    let same = (known.choice, known.scope(), known.by.party());
                    same == (wish.choice, wish.scope(), wish.by.party())
                };
                let new = wish.choice == Choice::Granted && !self.0.iter().any(granted) && holds;
                let lifts = self.refusals().count() < before;
                self.0
                    .retain(|known| known.key() != wish.key() && !(known.at <= wish.at && wish.replaces(known)));
                if new || lifts { Applied::Changed } else { Applied::Noted }
            }
        };
        self.0.push(wish);
        self.0.sort_by_key(Wish::key);
        applied
    }

    /// Records what a table says. An opt-in ends no refusal. A lift ends opt-ins that imports gave, and is not kept itself. A refusal of the
    /// person counts only if they have allowed nothing here that covers it, whenever that was: no table says when it was made.
    pub fn import(&mut self, wish: Wish) -> Applied {
        match wish.choice {
            Choice::Lifted => self.end_imported(wish.scope()),
            Choice::Refused if self.0.iter().any(|known| known.ends(&wish)) => Applied::Nothing,
            Choice::Refused | Choice::Granted => self.apply(wish),
        }
    }

    /// Ends the opt-ins that imports gave to messages of this scope. One to all channels goes on for the others.
    fn end_imported(&mut self, scope: Scope) -> Applied {
        let is_ended =
            |wish: &Wish| wish.choice == Choice::Granted && wish.by == By::Import && wish.scope().overlaps(scope);
        let (ended, left): (Vec<Wish>, Vec<Wish>) = std::mem::take(&mut self.0).into_iter().partition(is_ended);
        self.0 = left;
        let others = Channel::ALL
            .into_iter()
            .filter(|other| scope.channel.is_some_and(|own| own != *other));
        let wide = ended.iter().filter(|grant| grant.channel.is_none());
        for (grant, other) in wide.flat_map(|grant| others.clone().map(move |other| (grant, other))) {
            self.apply(Wish {
                channel: Some(other),
                ..grant.clone()
            });
        }
        if ended.is_empty() {
            Applied::Nothing
        } else {
            Applied::Changed
        }
    }

    /// Records a refusal that comes from elsewhere: of somebody who had an identity of this contact, or of another contact of the same
    /// person. It holds although this contact granted or lifted later, as after [`Wishes::stricter`], until it ends here.
    pub fn carry(&mut self, refusal: Wish) -> Applied {
        if let Some(known) = self.0.iter_mut().find(|known| known.key() == refusal.key()) {
            if known.at >= refusal.at {
                return Applied::Nothing;
            }
            known.at = refusal.at;
            return Applied::Noted;
        }
        self.0.push(refusal);
        self.0.sort_by_key(Wish::key);
        Applied::Changed
    }

    /// Whether a refusal of these holds although a later wish among them would have ended one of their own: see [`Wishes::carry`].
    pub(crate) fn carries(&self, refusal: &Wish) -> bool {
        self.0.iter().any(|later| later.at >= refusal.at && later.ends(refusal))
    }

    /// The wishes of a person who was two contacts, to the stricter: the refusals of both, and of what makes more possible only what the
    /// other contact did not refuse at that time or later. A refusal of one stays although the other granted or lifted later.
    pub fn stricter(&self, other: &Self) -> Self {
        let refused_since = |of: &Self, wish: &Wish| {
            let mut refusals = of.refusals();
            refusals.any(|refusal| refusal.at >= wish.at && refusal.scope().covers(wish.scope()))
        };
        let kept = |own: &Self, of: &Self| -> Vec<Wish> {
            let kept = |wish: &&Wish| wish.choice == Choice::Refused || !refused_since(of, wish);
            own.all().filter(kept).cloned().collect()
        };
        let mut all = [kept(self, other), kept(other, self)].concat();
        // The newest of the same choice, scope and party.
        let order = |wish: &Wish| (wish.key(), std::cmp::Reverse(wish.at), wish.by, wish.source.clone());
        all.sort_by_cached_key(order);
        all.dedup_by_key(|wish| wish.key());
        Self(all)
    }

    pub fn only_refusals(&self) -> Self {
        Self(self.refusals().cloned().collect())
    }

    /// The opt-in to messages of this category on this channel, or on any if none is given, unless it was refused since.
    pub fn opt_in(&self, channel: Option<Channel>, category: Category) -> Option<&Wish> {
        let grants = self.0.iter().filter(|wish| wish.choice == Choice::Granted);
        grants
            .filter(|grant| channel.is_none() || grant.channel.is_none() || grant.channel == channel)
            .filter(|grant| grant.category.is_none_or(|own| own.is(category)))
            .filter(|grant| {
                let channel = channel.or(grant.channel);
                let mut refusals = self.refusals();
                !refusals.any(|refusal| refusal.at >= grant.at && refusal.scope().has(channel, category))
            })
            .max_by_key(|grant| grant.at)
    }

    /// Time of the opt-in to all messages, unless all were refused since.
    pub fn opted_in_at(&self) -> Option<Timestamp> {
        let grants = self.0.iter().filter(|wish| wish.choice == Choice::Granted);
        let at = grants
            .filter(|grant| grant.scope() == Scope::ALL)
            .map(|grant| grant.at)
            .max();
        let refused = self.refusal(Scope::ALL).map(|refusal| refusal.at);
        at.filter(|at| refused.is_none_or(|refused| refused < *at))
    }
}

impl Wish {
    /// Whether a grant or lift makes this older one superfluous, whatever else is said later.
    fn replaces(&self, older: &Self) -> bool {
        let as_good = match older.choice {
            Choice::Refused => false,
            Choice::Granted => self.choice == Choice::Granted,
            Choice::Lifted => self.choice != Choice::Refused,
        };
        // A late refusal must find what has ended it.
        let as_final = older.ends_nothing() || !self.ends_nothing();
        as_good && as_final && self.by.party() == older.by.party() && self.scope().covers(older.scope())
    }

    /// The refusal as one of another contact that proved to be the same person.
    pub fn as_shared_refusal(&self) -> Self {
        let mut source = self.source.clone();
        if !source.ends_with(ALSO) {
            source = source.chars().take(MAX_SOURCE_LENGTH - ALSO.len()).collect();
            source.push_str(ALSO);
        }
        Self { source, ..self.clone() }
    }

    /// The refusal as it is remembered of an erased person: not in its recorded words.
    pub fn as_remembered_refusal(&self) -> Self {
        let source = "before the data of this person was erased".to_owned();
        Self { source, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::OptFlag;
    use crate::people::Contact;
    use crate::samples::{CHANNELS, contact, contact_with_wishes, hour, scope};
    use crate::terms::ContactId;

    const CATEGORIES: [Option<ConsentCategory>; 3] =
        [None, Some(ConsentCategory::Marketing), Some(ConsentCategory::Utility)];

    /// Only the party that set a refusal can end it, by a wish that covers it, and never by an import.
    #[test]
    fn refusal_ends_only_by_its_party_and_no_import() {
        let ways = [
            By::Keyword,
            By::Page,
            By::Provider,
            By::Told,
            By::User,
            By::Key,
            By::Import,
        ];
        for by in ways {
            for channel in CHANNELS {
                for category in CATEGORIES {
                    let refusal = (Choice::Refused, scope(channel, category), by);
                    for grants in ways {
                        let granted = contact_with_wishes(&[refusal, (Choice::Granted, Scope::ALL, grants)]);
                        let ended = by.party() == grants.party() && grants != By::Import;
                        assert_eq!(granted.refuses(), !ended, "{refusal:?} {grants:?}");
                    }
                }
            }
        }
        let narrow = scope(Some(Channel::Sms), None);
        let stopped = (Choice::Refused, Scope::ALL, By::Keyword);
        assert!(contact_with_wishes(&[stopped, (Choice::Granted, narrow, By::Page)]).refuses());
    }

    /// A grant known before the import still ends a refusal that becomes known after it.
    #[test]
    fn import_hides_no_grant_of_the_business() {
        let mut contact = contact();
        for (choice, by, hours) in [
            (Choice::Granted, By::User, 2),
            (Choice::Granted, By::Import, 3),
            (Choice::Refused, By::Key, 1),
        ] {
            contact.record(Wish::new(choice, Scope::ALL, by, "", hour(hours)));
        }
        assert!(!contact.refuses());
        assert_eq!(contact.consent.all().count(), 2);
        assert_eq!(contact.opted_in_at(), Some(hour(3)));
    }

    /// A wish of the person at one of their contacts does not end the refusal of another one before they proved to be
    /// one person. Later, it does: the other one only repeats what both of them refused.
    #[test]
    fn shared_refusal_ends_for_both_once_they_are_known() {
        let mut starts = contact();
        let mut stops = Contact::new(ContactId::new(ulid::Ulid::from_parts(7, 7)), hour(0));
        stops.record(Wish::new(Choice::Refused, Scope::ALL, By::Keyword, "", hour(1)));
        starts.record(Wish::new(Choice::Granted, Scope::ALL, By::Page, "", hour(2)));
        assert_eq!(starts.share_refusals(&stops).len(), 1);
        assert!(starts.refuses());
        starts.is_also([stops.id]);
        starts.record(Wish::new(Choice::Granted, Scope::ALL, By::Page, "", hour(3)));
        assert_eq!(starts.share_refusals(&stops), []);
        assert!(!starts.refuses());
        stops.record(Wish::new(Choice::Refused, Scope::ALL, By::Keyword, "", hour(4)));
        assert_eq!(starts.share_refusals(&stops).len(), 1);
        assert!(starts.refuses());
    }

    /// Like after a merge with somebody who had refused: the survivor had opted in later, and so had a third contact of the person.
    #[test]
    fn carried_refusal_is_shared_with_those_who_opted_in_later() {
        let [mut third, mut survivor] = [8, 9].map(|own| {
            let mut contact = Contact::new(ContactId::new(ulid::Ulid::from_parts(own, 7)), hour(0));
            contact.record(Wish::new(Choice::Granted, Scope::ALL, By::Keyword, "", hour(10)));
            contact
        });
        third.is_also([survivor.id]);
        let mut other = contact();
        other.record(Wish::new(Choice::Refused, Scope::ALL, By::Keyword, "", hour(5)));
        survivor.consent = survivor.consent.stricter(&other.consent);
        assert!(survivor.refuses());
        assert_eq!(third.share_refusals(&survivor).len(), 1);
        assert!(third.refuses());
    }

    #[test]
    fn carried_refusal_holds_until_it_ends_here() {
        for (by, starts) in [(By::Keyword, By::Page), (By::User, By::Key)] {
            let mut contact = contact();
            contact.record(Wish::new(Choice::Granted, Scope::ALL, starts, "", hour(2)));
            let refusal = Wish::new(Choice::Refused, Scope::ALL, by, "", hour(1));
            assert!(contact.clone().record(refusal.clone()).consent().is_none());
            assert!(contact.carry(refusal.clone()).consent().is_some());
            assert!(contact.refuses());
            // Again, and the grant again, changes nothing.
            assert!(contact.carry(refusal).consent().is_none());
            contact.record(Wish::new(Choice::Granted, Scope::ALL, starts, "", hour(2)));
            assert!(contact.refuses());
            contact.record(Wish::new(Choice::Granted, Scope::ALL, starts, "", hour(3)));
            assert!(!contact.refuses());
        }
    }

    #[test]
    fn refusal_of_another_contact_is_marked_once() {
        let stop = Wish::new(Choice::Refused, Scope::ALL, By::Keyword, &"x".repeat(200), hour(0));
        assert_eq!(stop.source.chars().count(), MAX_SOURCE_LENGTH);
        let shared = stop.as_shared_refusal();
        assert_eq!(shared.source.chars().count(), MAX_SOURCE_LENGTH);
        assert_eq!(shared.as_shared_refusal(), shared);
    }

    /// An import's `no` takes back what imports said of the channel, and nothing that anybody else said.
    #[test]
    fn lift_by_import_ends_imported_opt_ins_only() {
        let (sms, whatsapp) = (Some(Channel::Sms), Some(Channel::WhatsApp));
        let marketing = Some(ConsentCategory::Marketing);
        for (given, by, lifted, left) in [
            (scope(sms, None), By::Import, scope(sms, None), vec![]),
            (scope(sms, marketing), By::Import, scope(sms, None), vec![]),
            (scope(sms, None), By::Import, scope(sms, marketing), vec![]),
            (scope(sms, None), By::Import, Scope::ALL, vec![]),
            (Scope::ALL, By::Import, scope(sms, None), vec![scope(whatsapp, None)]),
            (
                Scope::MARKETING,
                By::Import,
                scope(whatsapp, None),
                vec![scope(sms, marketing)],
            ),
            (
                scope(whatsapp, None),
                By::Import,
                scope(sms, None),
                vec![scope(whatsapp, None)],
            ),
            (Scope::ALL, By::User, scope(sms, None), vec![Scope::ALL]),
            (Scope::ALL, By::Keyword, Scope::ALL, vec![Scope::ALL]),
        ] {
            let mut contact = contact_with_wishes(&[(Choice::Granted, given, by)]);
            let change = contact.import(Wish::new(Choice::Lifted, lifted, By::Import, "", hour(9)));
            let scopes: Vec<Scope> = contact.consent.all().map(Wish::scope).collect();
            assert_eq!(scopes, left, "{given:?} {by:?} {lifted:?}");
            assert_eq!(
                change.consent().is_some(),
                left != [given],
                "{given:?} {by:?} {lifted:?}"
            );
            assert!(!contact.refuses());
        }
    }

    /// START lifts it, whether it came before or afterwards, and no import does.
    #[test]
    fn imported_refusal_yields_to_the_person_alone() {
        let of_sms = scope(Some(Channel::Sms), Some(ConsentCategory::Marketing));
        let refusal = || Wish::new(Choice::Refused, of_sms, By::Told, "", hour(1));
        for (choice, by, of, yields) in [
            (Choice::Granted, By::Keyword, Scope::ALL, true),
            (Choice::Granted, By::Told, of_sms, true),
            (Choice::Lifted, By::Provider, Scope::MARKETING, true),
            (Choice::Granted, By::Page, scope(Some(Channel::WhatsApp), None), false),
            (Choice::Granted, By::Import, Scope::ALL, false),
            (Choice::Granted, By::User, Scope::ALL, false),
        ] {
            for at in [0, 2] {
                let allows = Wish::new(choice, of, by, "", hour(at));
                let (mut before, mut after) = (contact(), contact());
                before.record(allows.clone());
                before.import(refusal());
                assert_eq!(before.refuses(), !yields, "{by:?} at {at}");
                assert!(after.import(refusal()).consent().is_some());
                after.record(allows);
                assert_eq!(after.refuses(), !(yields && at == 2), "{by:?} at {at}");
            }
        }
    }

    /// The two parties, three choices and nine scopes are all there is.
    #[test]
    fn wishes_are_bounded() {
        let mut contact = contact();
        for round in 0..200 {
            for channel in CHANNELS {
                for category in CATEGORIES {
                    for by in [By::Page, By::User] {
                        let choice = [Choice::Lifted, Choice::Granted, Choice::Refused][(round % 3) as usize];
                        contact.record(Wish::new(choice, scope(channel, category), by, "", hour(round)));
                    }
                }
            }
        }
        assert!(contact.consent.all().count() <= 54);
        contact.wish(OptFlag::Start, "", hour(999));
        let left: Vec<_> = contact
            .consent
            .all()
            .filter(|wish| wish.by.party() == Party::Customer)
            .collect();
        assert_eq!(left.len(), 1, "a start word makes all else superfluous");
    }
}
