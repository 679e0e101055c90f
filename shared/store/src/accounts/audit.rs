//! The tenant's audit log: one partition per month, with rows in the order of time. `publish_changes` writes it from the
//! table's stream. Only that somebody read something is written by the function that showed it.

use domain::accounts::{AUDIT_LIFETIME, AuditEntry, Look};
use domain::terms::{Actor, ContactId, Stamp};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::table::keys;
use crate::table::row::{self, Condition, Row};
use crate::{Page, Store, StoreError, TenantScope};

/// An entry with its id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// The stream's id of the change. For a reading, its subject and its reader.
    pub id: String,
    pub entry: AuditEntry,
}

#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Only changes by this actor.
    pub actor: Option<Actor>,
    /// Only changes of this object.
    pub object: Option<String>,
}

impl Wanted {
    fn takes(&self, entry: &AuditEntry) -> bool {
        self.actor.is_none_or(|actor| actor == entry.by.actor)
            && self.object.as_ref().is_none_or(|object| *object == entry.object)
    }

    const fn is_everything(&self) -> bool {
        self.actor.is_none() && self.object.is_none()
    }
}

/// Rows that one page of a filtered list looks at.
const MAX_ROWS: i32 = 500;

/// A position is a row's sort key, or a month that is still to be read as a whole. The end of a month, as text, comes after all of its
/// rows.
const MONTHS_END: &str = "~";

fn month_of(position: &str) -> Option<Date> {
    format!("{}-01", position.get(..7)?).parse().ok()
}

fn name_of(month: Date) -> String {
    month.strftime("%Y-%m").to_string()
}

/// Whether a text is a position in the log: a month, or a row's time and id.
pub fn is_audit_position(text: &str) -> bool {
    let rest = text.get(7..).unwrap_or_default();
    let day = text.get(..10).and_then(|day| day.parse::<Date>().ok());
    let of_row = day.is_some() && text.get(10..11) == Some("T") && rest.bytes().all(|byte| byte.is_ascii_graphic());
    text.len() <= 200 && month_of(text).is_some() && (rest.is_empty() || of_row)
}

impl Store {
    /// Writes an entry once: `id` is the stream's id of the change, the same however often it arrives. Returns whether it
    /// was written now.
    pub async fn record_audit(&self, scope: &TenantScope, id: &str, entry: &AuditEntry) -> Result<bool, StoreError> {
        const DOING: &str = "write the audit log";
        let key = keys::audit(scope, entry.by.at, id);
        let recorded = Recorded {
            id: id.to_owned(),
            entry: entry.clone(),
        };
        let row = Row::new(&key, "audit", &recorded, Condition::New, DOING)?;
        self.database
            .try_put(row.expires(entry.by.at, AUDIT_LIFETIME), DOING)
            .await
    }

    /// Writes that somebody saw this of a contact, once a day for each of them. Returns whether it was written now.
    pub async fn record_look(
        &self,
        scope: &TenantScope,
        look: Look,
        contact: ContactId,
        by: Stamp,
    ) -> Result<bool, StoreError> {
        let id = format!("{}-{contact}-{}", look.as_str(), by.actor);
        let entry = AuditEntry::of_look(look, contact, by);
        self.record_audit(scope, &id, &entry).await
    }

    /// A page of the log from `from` up to, but not including, `to`, the newest first. A page is one read: it may hold fewer than `limit`
    /// entries, even none, without being the last. Only if a month has nothing to show, the previous one is read, too. `after` is the
    /// cursor of the previous page.
    pub async fn audit_page(
        &self,
        scope: &TenantScope,
        from: Timestamp,
        to: Timestamp,
        after: Option<&str>,
        limit: i32,
        wanted: &Wanted,
    ) -> Result<Page<Recorded>, StoreError> {
        const DOING: &str = "read the audit log";
        let mut items = Vec::new();
        let (lower, mut upper) = (keys::sortable(from), keys::sortable(to));
        if let Some(after) = after.filter(|after| **after < *upper) {
            after.clone_into(&mut upper);
        }
        let (Some(first), Some(mut month)) = (month_of(&lower), month_of(&upper)) else {
            return Ok(Page { items, next: None });
        };
        if upper.len() == name_of(month).len() {
            upper.push_str(MONTHS_END);
        }
        let most = usize::try_from(limit).unwrap_or_default();
        // One row may be the end of the previous page, and one more tells whether there is a next page.
        let asked = if wanted.is_everything() { limit + 2 } else { MAX_ROWS };
        while month >= first && upper > lower {
            let partition = keys::audit_partition(scope, month);
            let page = self.database.between(&partition, &lower, &upper, asked, DOING);
            let (rows, more) = page.await?;
            let count = rows.len();
            let before = month.checked_sub(1.month()).ok().filter(|before| *before >= first);
            for (index, item) in rows.into_iter().enumerate() {
                let Some(at) = row::string(&item, "sk").map(str::to_owned) else {
                    continue;
                };
                // The bounds are inclusive, and the upper one is the end of the previous page.
                if at == upper {
                    continue;
                }
                upper = at;
                let recorded: Recorded = row::data(item, DOING)?;
                if wanted.takes(&recorded.entry) {
                    items.push(recorded);
                }
                if items.len() >= most {
                    let rest = more || index + 1 < count;
                    let next = if rest { Some(upper) } else { before.map(name_of) };
                    return Ok(Page { items, next });
                }
            }
            if more {
                return Ok(Page {
                    items,
                    next: Some(upper),
                });
            }
            let Some(before) = before.filter(|_| items.is_empty()) else {
                let next = before.map(name_of);
                return Ok(Page { items, next });
            };
            month = before;
            upper = name_of(month) + MONTHS_END;
        }
        Ok(Page { items, next: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursor_is_a_month_or_a_row_in_it() {
        assert!(is_audit_position("2026-11"));
        assert!(is_audit_position("2026-11-20T10:00:00.000Z#0f3a"));
        for wrong in [
            "",
            "2026-1",
            "2026-13",
            "2026-11~",
            "2026-11-20",
            "2026-13-20T10:00:00.000Z",
            "2026-11-20 10:00",
            "2026-11-20T\u{e9}",
            "T#tnt",
        ] {
            assert!(!is_audit_position(wrong), "{wrong}");
        }
    }
}
