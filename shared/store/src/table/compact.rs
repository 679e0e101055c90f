//! Compact rows of messages, contacts, calls and conversations. A message is written six times and more in its life, a contact with every
//! call and message, a call with every report, a conversation with everything that is said in it, and every started KiB of a row costs a write
//! unit each time. So these rows have one-letter names and omit whatever follows from the key or is nearly always the same.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::calls::Call;
use domain::inbox::Conversation;
use domain::messages::Message;
use domain::people::Contact;
use domain::terms::{CallId, ContactId, LineId, MessageId};
use jiff::Timestamp;

use crate::table::row::{self, Item, number, string, text};
use crate::table::{forms, keys};
use crate::{StoreError, Versioned};

/// Names within an item with the letter for each, and which of them are times: a row stores times as milliseconds since
/// 1970, a third of the text. A letter is never reused for another name.
struct Names {
    letters: &'static [(&'static str, &'static str)],
    times: &'static [&'static str],
}

const MESSAGE: Names = Names {
    letters: &LETTERS,
    times: &TIMES,
};

const CONTACT: Names = Names {
    letters: &[
        ("at", "a"),
        ("bsuids", "b"),
        ("created_at", "c"),
        ("choice", "d"),
        ("emails", "e"),
        ("last_follow_up_at", "f"),
        ("before", "g"),
        ("heard_at", "G"),
        ("channel", "h"),
        ("last_inbound_at", "i"),
        ("missed", "j"),
        ("kind", "k"),
        ("language", "l"),
        ("last_call_at", "m"),
        ("calls", "n"),
        ("consent", "o"),
        ("phones", "p"),
        ("category", "q"),
        ("reason", "r"),
        ("same_as", "s"),
        ("last_answered_at", "t"),
        ("unreachable", "u"),
        ("value", "v"),
        ("windows", "w"),
        ("open", "x"),
        ("by", "y"),
        ("answered", "z"),
        ("source", "A"),
        ("last_counted_at", "B"),
        ("called_from", "C"),
        ("deleted_at", "D"),
        ("erasing", "E"),
        ("counts_from", "F"),
        ("last_by_phone_at", "Z"),
        ("answer", "H"),
        ("aliases", "I"),
        ("line", "J"),
        ("last_written_at", "K"),
        ("language_detected", "L"),
        ("message", "M"),
        ("named", "N"),
        ("named_by_call", "Y"),
        ("purpose", "P"),
        ("allowance_whole_at", "Q"),
        ("last_reached_at", "R"),
        ("texted", "T"),
        ("bsuid", "U"),
        ("phone", "V"),
        ("number", "W"),
        ("closed_at", "X"),
        ("ours_at", "0"),
        ("elsewhere", "1"),
        ("since", "2"),
        ("copied_at", "3"),
        ("passed_at", "4"),
    ],
    times: &[
        "allowance_whole_at",
        "at",
        "before",
        "closed_at",
        "counts_from",
        "created_at",
        "deleted_at",
        "heard_at",
        "last_answered_at",
        "last_by_phone_at",
        "last_call_at",
        "last_counted_at",
        "last_follow_up_at",
        "last_inbound_at",
        "last_reached_at",
        "last_written_at",
        "ours_at",
        "since",
        "copied_at",
        "passed_at",
    ],
};

const CONVERSATION: Names = Names {
    letters: &[
        ("assignee", "a"),
        ("by", "b"),
        ("created_at", "c"),
        ("at", "d"),
        ("first_response", "f"),
        ("tags", "g"),
        ("inbound", "i"),
        ("what", "k"),
        ("last", "l"),
        ("missed", "m"),
        ("reply", "n"),
        ("others", "o"),
        ("priority", "p"),
        ("message", "q"),
        ("read_seq", "r"),
        ("state", "s"),
        ("team", "t"),
        ("unread", "u"),
        ("replied_at", "v"),
        ("waiting_since", "w"),
        ("wrote", "x"),
        ("seq", "y"),
        ("snoozed_until", "z"),
        ("tell_at", "A"),
        ("started", "B"),
        ("woken_at", "C"),
        ("hidden", "D"),
        ("noticed_at", "E"),
    ],
    times: &[
        "at",
        "created_at",
        "noticed_at",
        "replied_at",
        "snoozed_until",
        "tell_at",
        "waiting_since",
        "woken_at",
    ],
};

const CALL: Names = Names {
    letters: &[
        ("answered_at", "a"),
        ("because", "b"),
        ("connection", "c"),
        ("decision", "d"),
        ("ended_at", "e"),
        ("facts", "f"),
        ("grounds", "g"),
        ("rule_version", "h"),
        ("last_inbound_at", "i"),
        ("correlation_id", "k"),
        ("line", "l"),
        ("message", "m"),
        ("new_caller", "n"),
        ("outcome", "o"),
        ("provider", "p"),
        ("recovered", "q"),
        ("reason", "r"),
        ("started_at", "s"),
        ("to", "t"),
        ("rule", "u"),
        ("config_version", "v"),
        ("remarks", "w"),
        ("text", "x"),
        ("status", "y"),
        ("from", "A"),
        ("decided_at", "D"),
        ("phone", "E"),
        ("counted_at", "B"),
        ("circumstances", "C"),
        ("last_follow_up_at", "F"),
        ("cooldown_seconds", "G"),
        ("handling", "H"),
        ("opted_in", "I"),
        ("last_by_phone_at", "J"),
        ("last_answered_at", "L"),
        ("marketing_opted_out", "M"),
        ("noted_at", "N"),
        ("opted_out", "O"),
        ("provider_call_id", "P"),
        ("ring_seconds", "R"),
        ("stated", "S"),
        ("talk_seconds", "T"),
        ("open", "U"),
        ("voicemail_seconds", "V"),
        ("direction", "W"),
        ("call_seconds", "X"),
        ("caller_name", "Y"),
        ("recordings", "j"),
        ("reference", "z"),
    ],
    times: &[
        "answered_at",
        "at",
        "counted_at",
        "decided_at",
        "ended_at",
        "last_answered_at",
        "last_by_phone_at",
        "last_follow_up_at",
        "last_inbound_at",
        "noted_at",
        "started_at",
    ],
};

const LETTERS: [(&str, &str); 53] = [
    ("accepted_at", "a"),
    ("attempts", "b"),
    ("cause", "c"),
    ("delivered_at", "d"),
    ("error", "e"),
    ("fallback_after_seconds", "f"),
    ("category", "g"),
    ("channel", "h"),
    ("connection", "i"),
    ("content", "j"),
    ("claim", "k"),
    ("language", "l"),
    ("claimed_at", "m"),
    ("not_before", "n"),
    ("correlation_id", "o"),
    ("provider_ref", "p"),
    ("cost", "q"),
    ("read_at", "r"),
    ("state", "s"),
    ("text", "t"),
    ("units", "u"),
    ("content_sid", "v"),
    ("policy", "w"),
    ("template", "x"),
    ("tries", "y"),
    ("billable", "z"),
    ("credentials", "A"),
    ("body", "B"),
    ("created_at", "C"),
    ("sender", "D"),
    ("line", "E"),
    ("opt_in", "I"),
    ("kind", "K"),
    ("leg", "L"),
    ("number", "N"),
    ("unknown_at", "O"),
    ("plan", "P"),
    ("quiet", "Q"),
    ("remarks", "R"),
    ("since", "S"),
    ("purpose", "U"),
    ("waiting", "W"),
    ("reason", "Y"),
    ("because", "F"),
    ("facts", "V"),
    ("basis", "G"),
    ("retries", "H"),
    ("retried_as", "J"),
    ("took", "T"),
    ("expected", "M"),
    ("cap", "X"),
    ("clicked_at", "Z"),
    ("called_at", "0"),
];

const TIMES: [&str; 10] = [
    "accepted_at",
    "called_at",
    "claimed_at",
    "clicked_at",
    "created_at",
    "delivered_at",
    "not_before",
    "read_at",
    "since",
    "unknown_at",
];

/// Transforms every field of every map inside: its name, and its value.
fn fields(
    value: AttributeValue,
    change: &impl Fn(String, AttributeValue) -> (String, AttributeValue),
) -> AttributeValue {
    match value {
        AttributeValue::M(map) => AttributeValue::M(
            map.into_iter()
                .map(|(name, value)| change(name, fields(value, change)))
                .collect(),
        ),
        AttributeValue::L(list) => AttributeValue::L(list.into_iter().map(|value| fields(value, change)).collect()),
        other => other,
    }
}

impl Names {
    fn short(&self, name: String, value: AttributeValue) -> (String, AttributeValue) {
        let value = match value {
            AttributeValue::S(text) if self.times.contains(&name.as_str()) => in_milliseconds(text),
            other => other,
        };
        let letter = self.letters.iter().find(|(long, _)| *long == name);
        (letter.map_or(name, |(_, letter)| (*letter).to_owned()), value)
    }

    fn long(&self, name: String, value: AttributeValue) -> (String, AttributeValue) {
        let word = self.letters.iter().find(|(_, short)| *short == name);
        let name = word.map_or(name, |(long, _)| (*long).to_owned());
        let value = match value {
            AttributeValue::N(digits) if self.times.contains(&name.as_str()) => as_text(digits),
            other => other,
        };
        (name, value)
    }

    fn shorten(&self, map: HashMap<String, AttributeValue>) -> AttributeValue {
        fields(AttributeValue::M(map), &|name, value| self.short(name, value))
    }

    /// Restores the names of a row's fields.
    fn lengthen(&self, item: &mut Item) -> HashMap<String, AttributeValue> {
        let data = item.remove("data");
        match data.map(|data| fields(data, &|name, value| self.long(name, value))) {
            Some(AttributeValue::M(map)) => map,
            _ => HashMap::new(),
        }
    }
}

/// A time that has a finer precision than milliseconds stays as it is.
fn in_milliseconds(text: String) -> AttributeValue {
    let exact = text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond);
    match exact.filter(|at| Timestamp::from_millisecond(*at).is_ok_and(|at| at.to_string() == text)) {
        Some(at) => AttributeValue::N(at.to_string()),
        None => AttributeValue::S(text),
    }
}

fn as_text(digits: String) -> AttributeValue {
    let at = digits.parse().ok().and_then(|at| Timestamp::from_millisecond(at).ok());
    at.map_or(AttributeValue::N(digits), |at| AttributeValue::S(at.to_string()))
}

/// A message's data in its compact form. `dispatches` keeps its name, since a lease changes it in place.
pub(crate) fn shrink(data: AttributeValue) -> AttributeValue {
    let AttributeValue::M(mut map) = data else {
        return data;
    };
    let id = map.remove("id");
    for told_by_the_row in ["version", "due"] {
        map.remove(told_by_the_row);
    }
    if map.get("not_before") == map.get("created_at") {
        map.remove("not_before");
    }
    if let (Some(AttributeValue::S(id)), Some(AttributeValue::M(cause))) = (id, map.get_mut("cause")) {
        let contact = contact_of(&id, MessageId::PREFIX);
        if let Some(AttributeValue::S(call)) = cause.get_mut("call")
            && let Some(own) = own_part(call, CallId::PREFIX, contact)
        {
            *call = own;
        }
        if let Some(AttributeValue::M(requested)) = cause.get_mut("requested")
            && requested.get("contact") == contact.map(requested_contact).as_ref()
        {
            requested.remove("contact");
        }
        if let Some(AttributeValue::M(answered)) = cause.get_mut("answered")
            && let Some(AttributeValue::S(inbound)) = answered.get_mut("inbound")
            && let Some(own) = own_part(inbound, MessageId::PREFIX, contact)
        {
            *inbound = own;
        }
    }
    if map.get("dispatches") == Some(&number(0)) {
        map.remove("dispatches");
    }
    if let Some(AttributeValue::S(line)) = map.get_mut("line")
        && let Some(own) = line.strip_prefix(LineId::PREFIX).and_then(|own| own.strip_prefix('_'))
    {
        *line = own.to_owned();
    }
    MESSAGE.shorten(map)
}

/// The contact that a request for a message names, whose partition the message is in.
fn requested_contact(contact: &str) -> AttributeValue {
    AttributeValue::S(format!("{}_{contact}", ContactId::PREFIX))
}

/// Letters of a ULID.
const ULID: usize = 26;

/// The contact in an id of a row in its partition: prefix, the contact's ULID and the row's own, such as
/// `msg_<contact><own>`.
fn contact_of<'a>(id: &'a str, prefix: &str) -> Option<&'a str> {
    let both = id.strip_prefix(prefix)?.strip_prefix('_')?;
    (both.is_ascii() && both.len() == 2 * ULID).then(|| &both[..ULID])
}

/// The row's own part of an id, if the contact in it is this one.
fn own_part(id: &str, prefix: &str, contact: Option<&str>) -> Option<String> {
    let same = contact_of(id, prefix)? == contact?;
    same.then(|| id[id.len() - ULID..].to_owned())
}

/// The contact in a row's partition, and the row's own part of its id: what follows this beginning of its sort key.
fn id_parts(item: &Item, sort: &str) -> Option<(String, String)> {
    let (_, contact) = string(item, "pk")?.rsplit_once('#')?;
    let own = string(item, "sk")?.strip_prefix(sort)?;
    Some((contact.to_owned(), own.to_owned()))
}

/// Reads a message from its row.
pub(crate) fn message(mut item: Item, doing: &'static str) -> Result<Message, StoreError> {
    forms::readable(&item, doing)?;
    let ids = id_parts(&item, keys::MESSAGE);
    let version = row::version_of(&item);
    let due = string(&item, "gsi2sk").and_then(keys::due_time).map(str::to_owned);
    let mut map = MESSAGE.lengthen(&mut item);
    if let Some((contact, own)) = ids {
        if let Some(AttributeValue::M(cause)) = map.get_mut("cause")
            && let Some(AttributeValue::S(call)) = cause.get_mut("call")
            && call.len() == ULID
        {
            *call = format!("{}_{contact}{call}", CallId::PREFIX);
        }
        if let Some(AttributeValue::M(cause)) = map.get_mut("cause")
            && let Some(AttributeValue::M(requested)) = cause.get_mut("requested")
        {
            let contact = requested_contact(&contact);
            requested.entry("contact".to_owned()).or_insert(contact);
        }
        if let Some(AttributeValue::M(cause)) = map.get_mut("cause")
            && let Some(AttributeValue::M(answered)) = cause.get_mut("answered")
            && let Some(AttributeValue::S(inbound)) = answered.get_mut("inbound")
            && inbound.len() == ULID
        {
            *inbound = format!("{}_{contact}{inbound}", MessageId::PREFIX);
        }
        let id = format!("{}_{contact}{own}", MessageId::PREFIX);
        map.insert("id".to_owned(), text(id));
    }
    if let Some(AttributeValue::S(line)) = map.get_mut("line") {
        *line = format!("{}_{line}", LineId::PREFIX);
    }
    map.insert("version".to_owned(), number(version));
    // The index has it, too: only there a lease is visible for certain.
    map.remove("due");
    map.extend(due.map(|due| ("due".to_owned(), AttributeValue::S(due))));
    if let Some(created) = map.get("created_at").cloned() {
        map.entry("not_before".to_owned()).or_insert(created);
    }
    serde_dynamo::from_attribute_value(AttributeValue::M(map)).map_err(|why| StoreError::Form { doing, why })
}

/// A contact's data in its compact form.
pub(crate) fn shrink_contact(data: AttributeValue) -> AttributeValue {
    let AttributeValue::M(mut map) = data else {
        return data;
    };
    let id = map.remove("id");
    map.remove("version");
    let id = id.as_ref().and_then(|id| id.as_s().ok());
    let contact = id.and_then(|id| id.rsplit('_').next());
    each_message(&mut map, |message| own_part(message, MessageId::PREFIX, contact));
    each_open(&mut map, |intent| {
        if intent.get("purpose") == Some(&text(USUAL_PURPOSE)) {
            intent.remove("purpose");
        }
    });
    // Most messages are written and no stop words.
    let (inbound, written) = (map.get("last_inbound_at"), map.get("last_written_at"));
    if inbound.is_some() && inbound == written {
        map.remove("last_written_at");
    } else if inbound.is_some() && written.is_none() {
        map.insert("last_written_at".to_owned(), AttributeValue::Null(true));
    }
    CONTACT.shorten(map)
}

/// Reads a contact from its row.
pub(crate) fn contact(mut item: Item, doing: &'static str) -> Result<Contact, StoreError> {
    forms::readable(&item, doing)?;
    let id = string(&item, "pk").and_then(keys::contact_of);
    let version = row::version_of(&item);
    let mut map = CONTACT.lengthen(&mut item);
    each_open(&mut map, |intent| {
        intent
            .entry("purpose".to_owned())
            .or_insert_with(|| text(USUAL_PURPOSE));
    });
    if let Some(inbound) = map.get("last_inbound_at").cloned() {
        map.entry("last_written_at".to_owned()).or_insert(inbound);
    }
    if let Some(id) = id {
        let contact = keys::lower(id.ulid());
        each_message(&mut map, |own| {
            (own.len() == ULID).then(|| format!("{}_{contact}{own}", MessageId::PREFIX))
        });
        map.insert("id".to_owned(), AttributeValue::S(id.to_string()));
    }
    map.insert("version".to_owned(), number(version));
    serde_dynamo::from_attribute_value(AttributeValue::M(map)).map_err(|why| StoreError::Form { doing, why })
}

/// A conversation's data in its compact form.
pub(crate) fn shrink_conversation(data: AttributeValue) -> AttributeValue {
    let AttributeValue::M(mut map) = data else {
        return data;
    };
    map.remove("line");
    let contact = map.remove("contact");
    let contact = contact.as_ref().and_then(|id| id.as_s().ok());
    let contact = contact.and_then(|id| id.rsplit('_').next());
    each_said(&mut map, |id, prefix| own_part(id, prefix, contact));
    CONVERSATION.shorten(map)
}

/// Reads a conversation from its row. Its first form was written with names.
pub(crate) fn conversation(mut item: Item, doing: &'static str) -> Result<Versioned<Conversation>, StoreError> {
    forms::readable(&item, doing)?;
    let id = string(&item, "pk").zip(string(&item, "sk"));
    let id = id.and_then(|(pk, sk)| keys::conversation_of(pk, sk));
    let version = row::version_of(&item);
    let mut map = CONVERSATION.lengthen(&mut item);
    if let Some(id) = id {
        let contact = keys::lower(id.contact().ulid());
        each_said(&mut map, |own, prefix| {
            (own.len() == ULID).then(|| format!("{prefix}_{contact}{own}"))
        });
        map.insert("contact".to_owned(), text(id.contact().to_string()));
        map.extend(id.line().map(|line| ("line".to_owned(), text(line.to_string()))));
    }
    let read = serde_dynamo::from_attribute_value(AttributeValue::M(map));
    let value = read.map_err(|why| StoreError::Form { doing, why })?;
    Ok(Versioned { value, version })
}

/// Transforms the ids of a conversation's latest happening and reply. `change` gets each with its prefix.
fn each_said(conversation: &mut HashMap<String, AttributeValue>, change: impl Fn(&str, &str) -> Option<String>) {
    if let Some(AttributeValue::M(reply)) = conversation.get_mut("reply")
        && let Some(AttributeValue::S(id)) = reply.get_mut("message")
        && let Some(changed) = change(id, MessageId::PREFIX)
    {
        *id = changed;
    }
    let Some(AttributeValue::M(last)) = conversation.get_mut("last") else {
        return;
    };
    let Some(AttributeValue::M(what)) = last.get_mut("what") else {
        return;
    };
    for (kind, said) in what {
        let prefix = if kind == "missed" {
            CallId::PREFIX
        } else {
            MessageId::PREFIX
        };
        let id = match said {
            AttributeValue::L(parts) => parts.first_mut(),
            one => Some(one),
        };
        if let Some(AttributeValue::S(id)) = id
            && let Some(changed) = change(id, prefix)
        {
            *id = changed;
        }
    }
}

/// A call's data in its compact form. `decided_again` keeps its name, since a filter of the table's stream sees it.
pub(crate) fn shrink_call(data: AttributeValue) -> AttributeValue {
    let AttributeValue::M(mut map) = data else {
        return data;
    };
    let id = map.remove("id");
    map.remove("version");
    if let (Some(AttributeValue::S(id)), Some(AttributeValue::S(message))) = (id, map.get_mut("message"))
        && let Some(own) = own_part(message, MessageId::PREFIX, contact_of(&id, CallId::PREFIX))
    {
        *message = own;
    }
    CALL.shorten(map)
}

/// Reads a call from its row.
pub(crate) fn call(mut item: Item, doing: &'static str) -> Result<Call, StoreError> {
    forms::readable(&item, doing)?;
    let ids = id_parts(&item, keys::CALL);
    let version = row::version_of(&item);
    let mut map = CALL.lengthen(&mut item);
    if let Some((contact, own)) = ids {
        if let Some(AttributeValue::S(message)) = map.get_mut("message")
            && message.len() == ULID
        {
            *message = format!("{}_{contact}{message}", MessageId::PREFIX);
        }
        let id = format!("{}_{contact}{own}", CallId::PREFIX);
        map.insert("id".to_owned(), text(id));
    }
    map.insert("version".to_owned(), number(version));
    serde_dynamo::from_attribute_value(AttributeValue::M(map)).map_err(|why| StoreError::Form { doing, why })
}

/// The purpose of most open messages, which is left out.
const USUAL_PURPOSE: &str = "follow_up";

/// Transforms a contact's open messages.
fn each_open(contact: &mut HashMap<String, AttributeValue>, change: impl Fn(&mut HashMap<String, AttributeValue>)) {
    let Some(AttributeValue::L(open)) = contact.get_mut("open") else {
        return;
    };
    for intent in open {
        if let AttributeValue::M(intent) = intent {
            change(intent);
        }
    }
}

/// Transforms the ids of a contact's open messages. They begin with the contact's own, except those of a contact that was merged
/// into it.
fn each_message(contact: &mut HashMap<String, AttributeValue>, change: impl Fn(&str) -> Option<String>) {
    each_open(contact, |intent| {
        if let Some(AttributeValue::S(message)) = intent.get_mut("message")
            && let Some(changed) = change(message)
        {
            *message = changed;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_become_numbers_only_without_loss() {
        for (text, number) in [
            ("2026-11-20T12:00:00Z", Some("1795176000000")),
            ("2026-11-20T12:00:00.123Z", Some("1795176000123")),
            ("2026-11-20T12:00:00.123456Z", None),
            ("1969-12-31T23:59:59.999Z", Some("-1")),
            ("soon", None),
        ] {
            let (name, value) = MESSAGE.short("claimed_at".to_owned(), AttributeValue::S(text.to_owned()));
            let expected = number.map_or_else(
                || AttributeValue::S(text.to_owned()),
                |digits| AttributeValue::N(digits.to_owned()),
            );
            assert_eq!(value, expected, "{text}");
            assert_eq!(
                MESSAGE.long(name, value),
                ("claimed_at".to_owned(), AttributeValue::S(text.to_owned()))
            );
        }
    }

    /// It is that of the last message, unless a reaction or a stop word came since, or nothing else ever did.
    #[test]
    fn usual_time_of_the_last_written_message_is_left_out() {
        let at = |second| Timestamp::from_second(second).ok();
        for (inbound, written, stored) in [
            (None, None, None),
            (at(2), at(2), None),
            (at(2), at(1), Some(number(1_000))),
            (at(2), None, Some(AttributeValue::Null(true))),
        ] {
            let id = "ctc_0000000000000000000000000c".parse().expect("an id");
            let mut known = Contact::new(id, Timestamp::UNIX_EPOCH);
            (known.last_inbound_at, known.last_written_at) = (inbound, written);
            let data = shrink_contact(serde_dynamo::to_attribute_value(&known).expect("it can be written"));
            let fields = data.as_m().expect("a map");
            assert_eq!(fields.get("K"), stored.as_ref());
            let pk = text("T#0000000000000000000000000t#C#0000000000000000000000000c");
            let row = Item::from([("pk".to_owned(), pk), ("data".to_owned(), data)]);
            assert_eq!(contact(row, "read a contact").expect("it is read"), known);
        }
    }

    #[test]
    fn every_letter_stands_for_one_name() {
        for names in [MESSAGE, CONTACT, CALL] {
            for (place, (long, short)) in names.letters.iter().enumerate() {
                assert_eq!(short.len(), 1);
                assert!(long.len() > 1);
                let mut before = names.letters[..place].iter();
                assert!(before.all(|(other, letter)| other != long && letter != short), "{long}");
            }
            // A remark's `at` is as short as a letter.
            let is_named = |time: &&str| *time == "at" || names.letters.iter().any(|(long, _)| long == time);
            assert!(names.times.iter().all(is_named));
        }
    }
}
