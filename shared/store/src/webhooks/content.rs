//! The content of events: whom they are about, and what a message says. It is read at each attempt and never stored with a delivery, so whoever
//! is erased in between is in none.

use std::collections::HashMap;

use domain::calls::Received;
use domain::live::EventData;
use domain::people::Person;
use domain::terms::{ContactId, MessageId};
use jiff::Timestamp;

use crate::table::compact;
use crate::table::keys::{self, Key};
use crate::table::row::{self, Item, string};
use crate::{Store, StoreError, TenantScope};

const DOING: &str = "read the content of events";

/// The content of events.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EventContents {
    people: HashMap<ContactId, Person>,
    texts: HashMap<MessageId, String>,
}

impl EventContents {
    /// The contact of an event. If it was merged into another: that one. `None` if it was deleted.
    pub fn person(&self, data: &EventData) -> Option<&Person> {
        self.people.get(&data.contact_id?)
    }

    /// The text of an event's message. `None` if it has none, or is not retained any more.
    pub fn text(&self, data: &EventData) -> Option<&str> {
        self.texts.get(&data.message_id?).map(String::as_str)
    }
}

/// The text of a message in either direction, as users read it. Of an outgoing one: that of the channel that was tried last.
fn text_of(item: Item) -> Result<Option<String>, StoreError> {
    if string(&item, "kind") == Some("received") {
        let received: Received = row::data(item, DOING)?;
        return Ok(received.with_masked_links().message.text);
    }
    let message = compact::message(item, DOING)?.mask_links();
    let tried = message.attempts.last().map_or(0, |attempt| usize::from(attempt.leg));
    let leg = message.plan.get(tried);
    Ok(leg.and_then(|leg| leg.content.words()).map(str::to_owned))
}

impl Store {
    /// Reads the content of these events. One request per hundred rows.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn read_event_contents(
        &self,
        scope: &TenantScope,
        events: &[&EventData],
        now: Timestamp,
    ) -> Result<EventContents, StoreError> {
        let contacts: Vec<ContactId> = events.iter().filter_map(|data| data.contact_id).collect();
        let messages: Vec<MessageId> = events.iter().filter_map(|data| data.message_id).collect();
        let keys: Vec<Key> = messages.iter().map(|id| keys::message(scope, *id)).collect();
        let (mut people, mut rows) = self.known_many(scope, &contacts, &keys, DOING).await?;
        people.retain(|_, person| person.contact.deleted_at.is_none());
        let mut texts = HashMap::new();
        for (id, key) in messages.into_iter().zip(&keys) {
            let item = rows.remove(key).and_then(|item| row::unexpired_item(item, now));
            let text = item.map(text_of).transpose()?.flatten();
            texts.extend(text.map(|text| (id, text)));
        }
        Ok(EventContents { people, texts })
    }
}
