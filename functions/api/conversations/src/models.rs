use api::{ContactName, ContactOut, LineName, Patchable, Showing, TimelineEntryOut};
use domain::inbox::{
    Conversation, ConversationState, Draft, MAX_TAGS, Priority, conversation_answered_elsewhere,
    conversation_window_closes_at,
};
use domain::people::Elsewhere;
use domain::tenants::TenantConfig;
use domain::terms::{ContactId, ConversationId, Distinct, Fault, FaultCode, LineId, TagId, TeamId, UserId};
use jiff::Timestamp;
use kit::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use store::inbox::{InboxList, KnownConversation, MAX_COUNTED};

/// Conditions that conversations fulfil, all of them.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConversationQuery {
    /// State. Default: `open`; with `waiting`, `open` and `pending`, except answered conversations without an assignee.
    #[serde(default)]
    #[schemars(with = "ConversationState")]
    state: Option<ConversationState>,
    /// Whether the customer waits for an answer, or has one.
    waiting: Option<bool>,
    /// Id of the person who attends to it, or `none`. Default: anybody or nobody; with `waiting`, `none`.
    #[serde(default, deserialize_with = "assignee")]
    #[schemars(with = "String", length(min = 4, max = 30), example = &"none")]
    assignee: Option<Assignee>,
    /// Line.
    #[schemars(extend("x-refers" = true))]
    line: Option<LineId>,
    /// Tag.
    #[schemars(extend("x-refers" = true))]
    tag: Option<TagId>,
    /// Team.
    #[schemars(extend("x-refers" = true))]
    team: Option<TeamId>,
    /// Whether there are messages or missed calls that nobody has read.
    unread: Option<bool>,
    /// Contact whose conversations are listed, in all states unless `state` names one, the latest activity first. Not with `waiting`.
    #[schemars(extend("x-refers" = true))]
    pub(crate) contact: Option<ContactId>,
}

/// The person who attends to a conversation. `None`: nobody.
type Assignee = Option<UserId>;

fn assignee<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Assignee>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text == "none" {
        return Ok(Some(None));
    }
    let wrong = |_| Fault::new(FaultCode::NotOneOf, "expected none, or the id of a user").refuse();
    text.parse().map(|user| Some(Some(user))).map_err(wrong)
}

impl ConversationQuery {
    /// Refuses conditions that exclude each other.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        if self.waiting.is_some() && self.contact.is_some() {
            let detail = "The conversations of a contact are few. Leave out `waiting`, and look at `waiting_since`.";
            return Err(Problem::field("waiting", Fault::excludes(&["contact"], detail)));
        }
        match (self.waiting, self.state) {
            (Some(_), Some(ConversationState::Snoozed | ConversationState::Closed)) => {
                let detail = "Nobody waits for an answer in a snoozed or closed conversation.";
                Err(Problem::field("waiting", Fault::excludes(&["state"], detail)))
            }
            _ => Ok(()),
        }
    }

    /// The list that has them.
    pub(crate) fn list(&self) -> InboxList {
        match (self.waiting, self.assignee.flatten()) {
            (Some(true), assignee) => InboxList::Waiting(assignee),
            (Some(false), Some(user)) => InboxList::Answered(user),
            (Some(false) | None, _) => InboxList::In(self.state.unwrap_or(ConversationState::Open)),
        }
    }

    /// Whether one of the list is wanted.
    pub(crate) fn takes(&self, conversation: &Conversation) -> bool {
        let waits = conversation.waiting_since.is_some();
        let assignee = self.assignee.or(self.waiting.map(|_| None));
        self.waiting.is_none_or(|waiting| waits == waiting)
            && self.state.is_none_or(|state| conversation.state == state)
            && assignee.is_none_or(|assignee| conversation.assignee == assignee)
            && self.line.is_none_or(|line| conversation.line == Some(line))
            && self.tag.is_none_or(|tag| conversation.tags.contains(&tag))
            && self.team.is_none_or(|team| conversation.team == Some(team))
            && self.unread.is_none_or(|unread| (conversation.unread > 0) == unread)
    }
}

/// Counts of conversations, each at most 100.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub(crate) struct ConversationCounts {
    /// Open conversations.
    #[schemars(range(max = MAX_COUNTED), example = 12)]
    open: usize,
    /// Conversations with a waiting customer and no assignee.
    #[schemars(range(max = MAX_COUNTED), example = 3)]
    unassigned_waiting: usize,
    /// Conversations with a waiting customer that are assigned to the caller. `null` for API keys.
    #[schemars(range(max = MAX_COUNTED), example = 2)]
    mine_waiting: Option<usize>,
}

impl ConversationCounts {
    pub(crate) const fn new(open: usize, unassigned_waiting: usize, mine_waiting: Option<usize>) -> Self {
        Self {
            open,
            unassigned_waiting,
            mine_waiting,
        }
    }
}

/// The latest place in a conversation that the team has read.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ConversationSeen")]
pub(crate) struct SeenIn {
    /// The `seq` of the conversation as it was shown.
    #[schemars(range(max = 9_007_199_254_740_991_u64), example = 7)]
    pub(crate) seq: u64,
}

/// The fields of a conversation that its team changes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConversationChange {
    /// State.
    state: ConversationState,
    /// Time of opening a snoozed one again, at most 90 days ahead. `null`: it is not snoozed.
    #[schemars(example = Option::<Timestamp>::None)]
    snoozed_until: Option<Timestamp>,
    /// Id of the person who attends to it. `null`: nobody yet.
    #[schemars(extend("x-refers" = true))]
    assignee_id: Option<UserId>,
    /// Id of the team. A change of it alone lets the team find the person, by its mode. `null`: no team yet.
    #[schemars(extend("x-refers" = true))]
    team_id: Option<TeamId>,
    /// Priority.
    priority: Priority,
    /// Tags.
    #[schemars(extend("x-refers" = true))]
    tags: Distinct<MAX_TAGS, TagId>,
}

impl Patchable for ConversationChange {
    type Of = Conversation;

    fn of(conversation: &Conversation) -> Self {
        Self {
            state: conversation.state,
            snoozed_until: conversation.snoozed_until,
            assignee_id: conversation.assignee,
            team_id: conversation.team,
            priority: conversation.priority,
            tags: conversation.tags.clone(),
        }
    }

    fn onto(self, before: &Conversation) -> Result<Conversation, Problem> {
        let mut after = Conversation {
            assignee: self.assignee_id,
            team: self.team_id,
            priority: self.priority,
            tags: self.tags,
            ..before.clone()
        };
        // Whoever moves a snoozed one to another state need not say that it has no time any more.
        let known = before.snoozed_until.is_some() && self.snoozed_until == before.snoozed_until;
        let until = self
            .snoozed_until
            .filter(|_| self.state == ConversationState::Snoozed || !known);
        if (self.state, until) != (before.state, before.snoozed_until) {
            after.move_to(self.state, until);
        }
        Ok(after)
    }
}

/// Another app answers the customer.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AnsweredElsewhere")]
pub(crate) struct AnsweredElsewhereOut {
    /// Time of the first sign of it that is known.
    since: Timestamp,
    /// Time of the latest one: a message that it got or sent, or its taking over.
    seen_at: Timestamp,
    /// End of the assumption that the app answers, unless there is another sign.
    until: Timestamp,
}

impl From<Elsewhere> for AnsweredElsewhereOut {
    fn from(found: Elsewhere) -> Self {
        Self {
            since: found.since,
            seen_at: found.at,
            until: found.until(),
        }
    }
}

/// A conversation with a contact on a line.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Conversation")]
pub(crate) struct ConversationOut {
    /// Id.
    id: ConversationId,
    /// The contact.
    contact: ContactName,
    /// The line. `null`: none can be told.
    line: Option<LineName>,
    /// State.
    state: ConversationState,
    /// Time of opening a snoozed one again. `null`: it is not snoozed.
    snoozed_until: Option<Timestamp>,
    /// Id of the person who attends to it. `null`: nobody yet.
    assignee_id: Option<UserId>,
    /// Id of the team. `null`: no team yet.
    team_id: Option<TeamId>,
    /// Priority.
    priority: Priority,
    /// Tags.
    #[schemars(length(max = MAX_TAGS))]
    tags: Vec<TagId>,
    /// Number of happenings in it so far: messages of the customer, missed calls and replies.
    #[schemars(example = 7)]
    seq: u64,
    /// Number of those that the team has read.
    #[schemars(example = 5)]
    read_seq: u64,
    /// Number of messages and missed calls that the team has not read.
    #[schemars(example = 2)]
    unread: u32,
    /// Time since which the customer waits for an answer. `null`: the customer does not wait.
    waiting_since: Option<Timestamp>,
    /// Time of the team's latest reply. `null`: there is none.
    replied_at: Option<Timestamp>,
    /// Seconds that the customer waited for the first reply. `null`: there is none.
    #[schemars(range(min = 0), example = 240)]
    first_response_seconds: Option<i64>,
    /// End of the service window on this line: until then, the customer can get free text by WhatsApp; afterwards, only templates.
    /// `null`: the customer has not written to its WhatsApp number, it has none, or the line was deleted.
    window_closes_at: Option<Timestamp>,
    /// The other app that answers the customer on this WhatsApp number, such as Meta's business agent. Nothing is answered or followed up
    /// there by itself meanwhile. `null`: there is none, as far as Meta has told.
    answered_elsewhere: Option<AnsweredElsewhereOut>,
    /// Time of the latest happening, or of opening a snoozed one by itself.
    active_at: Timestamp,
    /// Time of the first one.
    created_at: Timestamp,
    /// The latest happening. `null` if its retention is over.
    last: Option<TimelineEntryOut>,
    /// Id of the conversation that continues it, since the contact was merged into another. `null`: there is none.
    continued_in: Option<ConversationId>,
    /// `ETag` of this version, which a change of one that was listed sends as `If-Match`.
    #[schemars(example = "\"3\"")]
    etag: String,
}

/// A conversation with what is shown beside it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct OpenedConversation {
    /// The conversation.
    #[serde(flatten)]
    pub(crate) conversation: ConversationOut,
    /// The whole contact. `null`: the caller may not read contacts.
    pub(crate) profile: Option<ContactOut>,
    /// Draft of the caller. `null`: there is none, or the caller is an API key.
    pub(crate) draft: Option<Draft>,
}

impl ConversationOut {
    /// A conversation as it is shown, with its version.
    pub(crate) fn of(
        known: KnownConversation,
        config: &TenantConfig,
        showing: &Showing,
        now: Timestamp,
    ) -> (u64, Self) {
        let KnownConversation {
            conversation,
            person,
            last,
            continued,
        } = known;
        let (version, one) = (conversation.version, conversation.value);
        let shown = Self {
            id: one.id(),
            contact: ContactName::from(&person),
            line: one.line.map(|line| showing.line(line)),
            state: one.state,
            snoozed_until: one.snoozed_until,
            assignee_id: one.assignee,
            team_id: one.team,
            priority: one.priority,
            tags: one.tags.to_vec(),
            seq: one.seq,
            read_seq: one.read_seq,
            unread: one.unread,
            waiting_since: one.waiting_since,
            replied_at: one.replied_at,
            first_response_seconds: one.first_response.map(|waited| waited.as_secs()),
            window_closes_at: conversation_window_closes_at(one.line, &person.contact, config),
            answered_elsewhere: conversation_answered_elsewhere(one.line, &person.contact, config, now)
                .map(AnsweredElsewhereOut::from),
            active_at: one.active_at(),
            created_at: one.created_at,
            last: last.map(|placed| showing.entry(placed)),
            continued_in: continued,
            etag: format!("\"{version}\""),
        };
        (version, shown)
    }
}
