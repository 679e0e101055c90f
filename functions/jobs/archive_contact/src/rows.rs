//! Stored data as the file shows it. Entries have the fields of their rows, so that fields added later are included,
//! except those that only keep the service running; names stand beside the ids of the tenant's own things.

use std::collections::HashMap;

use domain::calls::Entry;
use domain::campaigns::{Campaign, Enrolment};
use domain::inbox::Conversation;
use domain::people::{ConsentEntry, Field, Person, PersonIn, Tag, Wish};
use domain::tenants::Team;
use domain::terms::{Actor, LineId, MessageId, StageId, TagId, UserId};
use serde::Serialize;
use serde_json::{Map, Value, json};
use store::contacts::Placed;

/// Fields of rows, at any depth, that only keep the service running.
const OWN: [&str; 19] = [
    "claim",
    "claimed_at",
    "config_version",
    "correlation_id",
    "credentials",
    "decided_again",
    "dispatches",
    "due",
    "erasing",
    "listed",
    "named",
    "named_by_call",
    "others",
    "policy",
    "read_seq",
    "seq",
    "tell_at",
    "version",
    "waiting",
];

/// The tenant's own names of what rows refer to.
pub(crate) struct Names {
    pub(crate) lines: HashMap<LineId, String>,
    pub(crate) users: HashMap<UserId, String>,
    pub(crate) fields: Vec<Field>,
    pub(crate) tags: HashMap<TagId, String>,
    pub(crate) stages: HashMap<StageId, String>,
}

impl Names {
    fn user(&self, actor: Actor) -> Option<&String> {
        match actor {
            Actor::User(user) => self.users.get(&user),
            Actor::ApiKey(_) | Actor::Platform(_) | Actor::Operator => None,
        }
    }

    fn line(&self, line: Option<LineId>) -> Option<&String> {
        self.lines.get(&line?)
    }
}

/// The fields of a row.
fn fields(row: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(row).map(without_own) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

fn without_own(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(name, _)| !OWN.contains(&name.as_str()));
            Value::Object(kept.map(|(name, value)| (name, without_own(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_own).collect()),
        other => other,
    }
}

/// The fields of a row, with these beside them.
fn with(row: &impl Serialize, more: Value) -> Value {
    let mut all = fields(row);
    if let Value::Object(more) = more {
        all.extend(more);
    }
    Value::Object(all)
}

/// The contact and its profile.
pub(crate) fn contact(person: &Person, names: &Names) -> Value {
    let Person { contact, profile } = person;
    let shown = PersonIn::of(person, &names.fields);
    let is_known = |id| names.fields.iter().any(|field| field.id == id);
    let deleted = profile.fields.iter().filter(|(id, _)| !is_known(**id));
    let deleted: Map<String, Value> = deleted
        .map(|(id, value)| (id.to_string(), json!(value.value_for_api())))
        .collect();
    let tags: Vec<_> = profile
        .tags
        .iter()
        .map(|tag| json!({"id": tag, "name": names.tags.get(tag)}))
        .collect();
    let stage = profile
        .stage
        .map(|staged| json!({"id": staged.stage, "name": names.stages.get(&staged.stage), "since": staged.since}));
    let owner = profile
        .owner
        .map(|owner| json!({"id": owner, "email": names.users.get(&owner)}));
    let wishes: Vec<Value> = contact.consent.all().map(wish).collect();
    let mut all = fields(profile);
    all.extend(fields(contact));
    let more = json!({
        "fields": shown.fields, "values_of_deleted_fields": deleted, "tags": tags, "stage": stage, "owner": owner,
        "consent": wishes,
    });
    with(&all, more)
}

fn wish(wish: &Wish) -> Value {
    json!({
        "choice": wish.choice, "channel": wish.channel, "category": wish.category, "party": wish.by.party(),
        "method": wish.by.method(), "at": wish.at, "source": wish.source,
    })
}

fn consent(entry: &ConsentEntry, names: &Names) -> Value {
    json!({
        "at": entry.at, "change": entry.what(), "choice": entry.choice, "channel": entry.channel, "category": entry.category,
        "party": entry.by.party(), "method": entry.by.method(), "source": entry.source, "wording": entry.wording,
        "evidence": entry.evidence, "actor": entry.actor,
        "actor_email": entry.actor.and_then(|actor| names.user(actor)),
        "recorded_at": entry.recorded_at.unwrap_or(entry.at),
    })
}

/// A conversation, with the names of these tags and teams.
pub(crate) fn conversation(conversation: &Conversation, names: &Names, tags: &[Tag], teams: &[Team]) -> Value {
    let team = conversation.team.and_then(|id| teams.iter().find(|team| team.id == id));
    let assignee = conversation.assignee.and_then(|user| names.users.get(&user));
    let named = |id: &TagId| json!({"id": id, "name": tags.iter().find(|tag| tag.id == *id).map(|tag| &tag.name)});
    let more = json!({
        "id": conversation.id(), "line_name": names.line(conversation.line), "team_name": team.map(|team| &team.name),
        "assignee_email": assignee, "tags": conversation.tags.iter().map(named).collect::<Vec<_>>(),
    });
    with(conversation, more)
}

/// A place in the audience of a campaign.
pub(crate) fn enrolment(enrolment: &Enrolment, campaign: Option<&Campaign>) -> Value {
    with(
        enrolment,
        json!({"campaign_name": campaign.map(|campaign| &campaign.name)}),
    )
}

/// An entry of a list of events or records. `targets`: the destinations of the tracked links of messages.
pub(crate) fn entry(placed: &Placed, names: &Names, targets: &HashMap<MessageId, Vec<String>>) -> Value {
    match &placed.entry {
        Entry::Call(call) => {
            let more = json!({"contact": call.id.contact(), "line_name": names.line(call.grounds.line)});
            with(call, more)
        }
        Entry::Sent(message) => {
            let more = json!({
                "contact": message.id.contact(), "direction": "outbound", "state": message.state(),
                "line_name": names.line(message.line), "link_targets": targets.get(&message.id),
            });
            with(&message.clone().mask_links(), more)
        }
        Entry::Received(received) => {
            let files = (0..received.message.media.len())
                .map(|index| format!("/api/v1/messages/{}/media/{index}", received.id));
            let more = json!({
                "contact": received.id.contact(), "direction": "inbound", "line_name": names.line(received.line),
                "media_links": files.collect::<Vec<_>>(),
            });
            with(&received.clone().with_masked_links(), more)
        }
        Entry::Consent(entry) => consent(entry, names),
        Entry::Record(record) => {
            let (field, author) = record.author();
            let email = (
                format!("{field}_email"),
                json!(author.and_then(|author| names.user(author))),
            );
            with(record, Value::Object(Map::from_iter([email])))
        }
    }
}
