//! The tenant's audit log: a partition a day, its rows in the order of time. `publish_changes` writes it from the table's
//! stream.

use domain::audit::{Entry, LIFETIME};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::{
    Page, Store, StoreError, TenantScope, keys,
    row::{self, Condition, Row},
};

/// An entry and what names it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// The stream's own id of the change.
    pub id: String,
    /// What it says.
    pub entry: Entry,
}

/// One page looks at this many rows at most, however few of them it is asked for.
const MOST_ROWS: i32 = 500;

/// So many days have one partition each: a page that finds nothing asks for no more.
const MOST_QUERIES: u32 = 32;

fn day_of(position: &str) -> Option<Date> {
    position.get(..10)?.parse().ok()
}

/// Whether a text is a position in the log: a day, or a row's time and id.
#[must_use]
pub fn is_position(text: &str) -> bool {
    let rest = text.get(10..).unwrap_or_default();
    let plain = rest.bytes().all(|byte| byte.is_ascii_graphic());
    text.len() <= 200 && day_of(text).is_some() && (rest.is_empty() || rest.starts_with('T')) && plain
}

impl Store {
    /// Writes an entry, once: `id` is the stream's own of the change, the same however often it comes. Says whether it was
    /// written now.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn record_audit(&self, scope: &TenantScope, id: &str, entry: &Entry) -> Result<bool, StoreError> {
        const DOING: &str = "write the audit log";
        let key = keys::audit(scope, entry.by.at, id);
        let recorded = Recorded {
            id: id.to_owned(),
            entry: entry.clone(),
        };
        let row = Row::new(&key, "audit", &recorded, Condition::New, DOING)?;
        match self.database.put(row.expires(entry.by.at, LIFETIME), DOING).await {
            Ok(()) => Ok(true),
            Err(error) if error.is_conflict() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// One page of the log from `from` up to, not including, `to`, the newest first. Those that `wanted` refuses are left out;
    /// a page may hold fewer than `limit`, and none, and still not be the last. `after` is what the page before said.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn audit_page(
        &self,
        scope: &TenantScope,
        (from, to): (Timestamp, Timestamp),
        after: Option<&str>,
        limit: i32,
        wanted: impl Fn(&Recorded) -> bool,
    ) -> Result<Page<Recorded>, StoreError> {
        const DOING: &str = "read the audit log";
        let mut page = Page {
            items: Vec::new(),
            next: None,
        };
        let first = from.to_zoned(TimeZone::UTC).date();
        let lower = keys::sortable(from);
        // Positions compare as text, and a day alone comes before all of its rows.
        let mut upper = keys::sortable(to);
        if let Some(after) = after.filter(|after| **after < *upper) {
            after.clone_into(&mut upper);
        }
        let Some(mut day) = day_of(&upper) else {
            return Ok(page);
        };
        let (mut rows_left, mut queries) = (MOST_ROWS, 0);
        while day >= first && upper > lower {
            if rows_left <= 0 || queries >= MOST_QUERIES {
                page.next = Some(upper);
                return Ok(page);
            }
            let partition = keys::audit_partition(scope, &day.to_string());
            // One of them may be where the page before ended.
            let asked = rows_left.min(limit.max(50)).max(2);
            queries += 1;
            let (rows, more) = self
                .database
                .between(&partition, &lower, &upper, asked, true, DOING)
                .await?;
            rows_left -= i32::try_from(rows.len()).unwrap_or(asked);
            let count = rows.len();
            for (index, item) in rows.into_iter().enumerate() {
                let Some(at) = row::string(&item, "sk").map(str::to_owned) else {
                    continue;
                };
                // The bounds belong to what is read; the upper one is where the page before ended.
                if at == upper {
                    continue;
                }
                upper = at;
                let recorded: Recorded = row::data(item, DOING)?;
                if wanted(&recorded) {
                    page.items.push(recorded);
                }
                if page.items.len() >= usize::try_from(limit).unwrap_or_default() {
                    if more || index + 1 < count || day > first {
                        page.next = Some(upper);
                    }
                    return Ok(page);
                }
            }
            if more {
                continue;
            }
            upper = day.to_string();
            day = match day.checked_sub(1.day()) {
                Ok(before) => before,
                Err(_) => break,
            };
        }
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_a_day_or_a_row_of_one() {
        assert!(is_position("2026-11-20"));
        assert!(is_position("2026-11-20T10:00:00.000Z#0f3a"));
        for wrong in [
            "",
            "2026-11-2",
            "2026-13-20",
            "2026-11-20 10:00",
            "2026-11-20T\u{e9}",
            "T#tnt",
        ] {
            assert!(!is_position(wrong), "{wrong}");
        }
    }
}
