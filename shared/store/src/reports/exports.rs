//! Calls and messages of a day, whole, for exports.

use domain::calls::Entry;
use domain::terms::ContactId;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::contacts::timeline_entry;
use crate::table::keys::{self, Key, Listed};
use crate::table::row::{self, string};
use crate::{Store, StoreError, TenantScope};

/// A list by days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happenings {
    Calls,
    /// Messages in both directions, except those of broadcasts.
    Messages,
}

/// A place in a list of a day, for a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayPlace {
    contact: ContactId,
    row: String,
    sort: String,
}

impl DayPlace {
    fn of(item: &row::Item) -> Option<Self> {
        Some(Self {
            contact: keys::contact_of(string(item, "pk")?)?,
            row: string(item, "sk")?.to_owned(),
            sort: string(item, "gsi1sk")?.to_owned(),
        })
    }
}

/// Part of a list of a day.
#[derive(Debug, Clone, PartialEq)]
pub struct DayPart {
    /// Calls or messages, in the order of their times.
    pub entries: Vec<Entry>,
    /// Place behind the last one; `None`: the list ends.
    pub next: Option<DayPlace>,
}

impl Store {
    /// Part of the calls or messages of a day in UTC, the oldest first, unless their retention is over. At most `limit` are read, at
    /// most 100.
    pub async fn happened_on(
        &self,
        scope: &TenantScope,
        what: Happenings,
        day: Date,
        after: Option<&DayPlace>,
        limit: i32,
        now: Timestamp,
    ) -> Result<DayPart, StoreError> {
        const DOING: &str = "read what happened on a day";
        let partition = match what {
            Happenings::Calls => keys::calls_of(scope, &day.to_string()),
            Happenings::Messages => keys::messages_of(scope, &day.to_string()),
        };
        let start = after.map(|place| Listed {
            key: Key {
                pk: keys::contact_partition(scope, place.contact),
                sk: place.row.clone(),
            },
            partition: partition.clone(),
            sort: place.sort.clone(),
        });
        let (listed, more) = self.database.list(&partition, start, limit.min(100), DOING).await?;
        let next = listed.last().filter(|_| more).and_then(DayPlace::of);
        let wanted: Vec<Key> = listed.iter().filter_map(row::key_of).collect();
        let mut found = self.database.get_many(&wanted, DOING).await?;
        let rows = wanted
            .iter()
            .filter_map(|key| row::unexpired_item(found.remove(key)?, now));
        let entries = rows.filter_map(|item| timeline_entry(item, DOING).transpose());
        Ok(DayPart {
            entries: entries.collect::<Result<_, _>>()?,
            next,
        })
    }
}
