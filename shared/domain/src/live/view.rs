//! Views: parts of what changes in a tenant. A socket is told of changes in its views.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::accounts::Permission;
use crate::live::{EventType, Told};
use crate::terms::{Actor, CampaignId, ContactId, ConversationId, OperationId, TeamId};

/// A part of what changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// All conversations.
    Inbox,
    /// The conversations of the person who watches.
    Mine,
    /// Conversations without an assignee.
    Unassigned,
    /// Conversations of a team.
    Team(TeamId),
    /// All about a conversation, its messages and calls.
    Conversation(ConversationId),
    /// All about a contact.
    Contact(ContactId),
    Calls,
    /// Messages, in both directions.
    Messages,
    /// Contacts and notes.
    Contacts,
    Orders,
    Templates,
    Connections,
    /// Operations, other than campaigns.
    Operations,
    Operation(OperationId),
    Campaigns,
    Campaign(CampaignId),
}

impl View {
    /// The permission that it needs. Each event needs its own, too.
    pub const fn permission(self) -> Permission {
        match self {
            Self::Inbox | Self::Mine | Self::Unassigned | Self::Team(_) | Self::Conversation(_) => {
                Permission::ConversationsRead
            }
            Self::Contact(_) | Self::Contacts => Permission::ContactsRead,
            Self::Calls => Permission::CallsRead,
            Self::Messages => Permission::MessagesRead,
            Self::Orders => Permission::OrdersRead,
            Self::Templates => Permission::TemplatesRead,
            Self::Connections => Permission::ConnectionsRead,
            Self::Operations | Self::Operation(_) => Permission::OperationsRead,
            Self::Campaigns | Self::Campaign(_) => Permission::CampaignsRead,
        }
    }

    /// The conversation that it shows, if it shows one only.
    pub const fn conversation(self) -> Option<ConversationId> {
        match self {
            Self::Conversation(conversation) => Some(conversation),
            _ => None,
        }
    }

    /// Whether it can be watched by this caller: only people have conversations of their own.
    pub const fn is_of(self, who: Actor) -> bool {
        !matches!(self, Self::Mine) || matches!(who, Actor::User(_))
    }

    /// Whether it shows an event to this caller.
    pub fn shows(self, told: &Told, who: Actor) -> bool {
        let (event, attended) = (&told.event, &told.attended);
        match self {
            Self::Inbox => event.kind == EventType::ConversationChanged,
            Self::Mine => matches!(who, Actor::User(user) if attended.is_of(Some(user))),
            Self::Unassigned => attended.is_of(None),
            Self::Team(team) => attended.is_of_team(team),
            Self::Conversation(conversation) => event.conversation_id == Some(conversation),
            Self::Contact(contact) => event.data.contact_id == Some(contact),
            Self::Calls => event.kind == EventType::CallDecided,
            Self::Messages => matches!(
                event.kind,
                EventType::MessageReceived | EventType::MessageSent | EventType::MessageStatus
            ),
            Self::Contacts => matches!(event.kind, EventType::ContactChanged | EventType::NoteCreated),
            Self::Orders => event.kind == EventType::OrderChanged,
            Self::Templates => event.kind == EventType::TemplateChanged,
            Self::Connections => event.kind == EventType::ConnectionRefused,
            Self::Operations => event.kind == EventType::OperationProgress,
            Self::Operation(operation) => event.data.operation_id == Some(operation),
            Self::Campaigns => event.kind == EventType::CampaignProgress,
            Self::Campaign(campaign) => event.data.campaign_id == Some(campaign),
        }
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inbox => f.write_str("inbox:all"),
            Self::Mine => f.write_str("inbox:mine"),
            Self::Unassigned => f.write_str("inbox:unassigned"),
            Self::Team(team) => write!(f, "inbox:{team}"),
            Self::Conversation(conversation) => write!(f, "conversation:{conversation}"),
            Self::Contact(contact) => write!(f, "contact:{contact}"),
            Self::Calls => f.write_str("calls"),
            Self::Messages => f.write_str("messages"),
            Self::Contacts => f.write_str("contacts"),
            Self::Orders => f.write_str("orders"),
            Self::Templates => f.write_str("templates"),
            Self::Connections => f.write_str("connections"),
            Self::Operations => f.write_str("operations"),
            Self::Operation(operation) => write!(f, "operation:{operation}"),
            Self::Campaigns => f.write_str("campaigns"),
            Self::Campaign(campaign) => write!(f, "campaign:{campaign}"),
        }
    }
}

impl Serialize for View {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A text that is no view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected inbox:all, inbox:mine, inbox:unassigned, inbox:team_…, conversation:conv_…, contact:ctc_…, calls, messages, contacts, \
     orders, templates, connections, operations, operation:op_…, campaigns or campaign:cmp_…"
)]
pub struct NotAView;

impl FromStr for View {
    type Err = NotAView;

    fn from_str(text: &str) -> Result<Self, NotAView> {
        let view = match text.split_once(':') {
            None => match text {
                "calls" => Some(Self::Calls),
                "messages" => Some(Self::Messages),
                "contacts" => Some(Self::Contacts),
                "orders" => Some(Self::Orders),
                "templates" => Some(Self::Templates),
                "connections" => Some(Self::Connections),
                "operations" => Some(Self::Operations),
                "campaigns" => Some(Self::Campaigns),
                _ => None,
            },
            Some(("inbox", "all")) => Some(Self::Inbox),
            Some(("inbox", "mine")) => Some(Self::Mine),
            Some(("inbox", "unassigned")) => Some(Self::Unassigned),
            Some(("inbox", team)) => team.parse().ok().map(Self::Team),
            Some(("conversation", id)) => id.parse().ok().map(Self::Conversation),
            Some(("contact", id)) => id.parse().ok().map(Self::Contact),
            Some(("operation", id)) => id.parse().ok().map(Self::Operation),
            Some(("campaign", id)) => id.parse().ok().map(Self::Campaign),
            Some(_) => None,
        };
        view.ok_or(NotAView)
    }
}

parsed!(View, "view", "inbox:mine");

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use ulid::Ulid;

    use super::*;
    use crate::inbox::{Conversation, Wrote};
    use crate::live::{EventData, Meaning};
    use crate::terms::{EventId, UserId};

    fn noon() -> Timestamp {
        "2026-11-20T12:00:00Z".parse().unwrap()
    }

    fn ulid(number: u128) -> Ulid {
        Ulid::from_parts(1, number)
    }

    fn live_event(number: u128, meaning: Meaning) -> Told {
        Told::new(EventId::new(ulid(number)), noon(), meaning)
    }

    fn conversation(assignee: Option<u128>, team: Option<u128>) -> Conversation {
        let id = ConversationId::of(ContactId::new(ulid(1)), None);
        Conversation {
            assignee: assignee.map(|user| UserId::new(ulid(user))),
            team: team.map(|team| TeamId::new(ulid(team))),
            ..Conversation::empty(id, noon())
        }
    }

    #[test]
    fn a_view_survives_as_text() {
        let contact = ContactId::new(ulid(1));
        for view in [
            View::Inbox,
            View::Mine,
            View::Unassigned,
            View::Team(TeamId::new(ulid(2))),
            View::Conversation(ConversationId::of(contact, None)),
            View::Contact(contact),
            View::Calls,
            View::Messages,
            View::Contacts,
            View::Orders,
            View::Templates,
            View::Connections,
            View::Operations,
            View::Operation(OperationId::new(ulid(3))),
            View::Campaigns,
            View::Campaign(CampaignId::new(ulid(4))),
        ] {
            assert_eq!(view.to_string().parse(), Ok(view));
        }
        for wrong in [
            "",
            "inbox",
            "inbox:",
            "inbox:yours",
            "contact:team_1",
            "calls:",
            "Calls",
            "purchases",
        ] {
            assert_eq!(wrong.parse::<View>(), Err(NotAView), "{wrong}");
        }
    }

    #[test]
    fn a_conversation_is_shown_where_it_was_and_where_it_is() {
        let (before, after) = (conversation(Some(5), None), conversation(Some(6), Some(7)));
        let handed_over = live_event(1, Meaning::of_conversation(Some(&before), &after).unwrap());
        let person = |number| Actor::User(UserId::new(ulid(number)));
        let shows = |view: View, who| view.shows(&handed_over, who);
        assert_eq!(
            [4, 5, 6].map(|user| shows(View::Mine, person(user))),
            [false, true, true]
        );
        assert!(shows(View::Inbox, person(4)) && shows(View::Team(TeamId::new(ulid(7))), person(4)));
        assert!(!shows(View::Unassigned, person(4)) && !shows(View::Team(TeamId::new(ulid(8))), person(4)));
        let id = after.id();
        assert!(shows(View::Conversation(id), person(4)) && shows(View::Contact(id.contact()), person(4)));
        assert!(!shows(View::Messages, person(4)) && !shows(View::Contacts, person(4)));
        let new = live_event(2, Meaning::of_conversation(None, &conversation(None, None)).unwrap());
        assert!(View::Unassigned.shows(&new, person(4)) && !View::Mine.shows(&new, person(4)));
    }

    /// Of several changes in a batch, everybody concerned by any of them gets the last.
    #[test]
    fn joined_changes_are_shown_to_all_whom_they_concern() {
        let (first, second, third) = (
            conversation(Some(5), None),
            conversation(Some(6), None),
            conversation(Some(7), None),
        );
        let mut joined = Vec::new();
        let wrote = |conversation: &Conversation, seq| Conversation {
            wrote: Some(Wrote { at: noon(), seq }),
            ..conversation.clone()
        };
        let (first, second, third) = (wrote(&first, 1), wrote(&second, 2), wrote(&third, 2));
        for (number, (before, after)) in [(&first, &second), (&second, &third)].into_iter().enumerate() {
            let meaning = Meaning::of_conversation(Some(before), after).unwrap();
            assert_eq!(meaning.wrote.map(|wrote| wrote.seq), (number == 0).then_some(2));
            live_event(number as u128, meaning).join(&mut joined);
        }
        let note = Meaning::of_note(crate::terms::NoteId::new(ContactId::new(ulid(1)), ulid(1)));
        live_event(9, note.clone()).join(&mut joined);
        live_event(10, note).join(&mut joined);
        let ids: Vec<EventId> = joined.iter().map(|told| told.event.id).collect();
        assert_eq!(ids, [1, 9, 10].map(|number| EventId::new(ulid(number))));
        assert_eq!(
            joined[0].wrote.map(|wrote| wrote.seq),
            Some(2),
            "the customer's latest message"
        );
        let shown = [5, 6, 7].map(|user| View::Mine.shows(&joined[0], Actor::User(UserId::new(ulid(user)))));
        assert_eq!(shown, [true; 3]);
    }

    #[test]
    fn an_event_is_shown_by_what_it_is_about() {
        let data = EventData {
            operation_id: Some(OperationId::new(ulid(3))),
            campaign_id: Some(CampaignId::new(ulid(3))),
            ..EventData::default()
        };
        let mut progress = live_event(1, Meaning::of_campaign(CampaignId::new(ulid(3))));
        progress.event.data = data;
        let who = Actor::Operator;
        for (view, shown) in [
            (View::Campaigns, true),
            (View::Campaign(CampaignId::new(ulid(3))), true),
            (View::Campaign(CampaignId::new(ulid(4))), false),
            (View::Operation(OperationId::new(ulid(3))), true),
            (View::Operations, false),
            (View::Inbox, false),
            (View::Mine, false),
            (View::Unassigned, false),
        ] {
            assert_eq!(view.shows(&progress, who), shown, "{view}");
        }
    }
}
