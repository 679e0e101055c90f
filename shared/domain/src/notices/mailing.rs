//! Mails about notices: when people are told of one, what keeps one occurrence from being told twice, and the mailings of a day.
//!
//! There is one state for each kind and subject, that of its latest occurrence:
//!
//! ```text
//! (none) ──noted──▶ due ──told────▶ told ──noted (a later occurrence)──▶ due, after the pause of its kind
//!                    └───settled──▶ settled: mended meanwhile, or nobody's concern
//! ```

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

use crate::notices::{Notice, NoticeKind, day_of, midnight};

/// The latest occurrence about a subject, and whether people were told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeState {
    pub notice: Notice,
    /// Time of the next mail about it. `None`: people have been told, or need not be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// Time of the last mail about the subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailed_at: Option<Timestamp>,
}

impl NoticeState {
    /// The state after an occurrence. `None` if it is known already, or older than the known one: nothing changes. Of customers who wait, one
    /// is known that a mail has counted, or is about to count.
    pub fn after_occurrence(notice: &Notice, known: Option<&Self>, now: Timestamp) -> Option<Self> {
        let until = known.and_then(|known| match notice.kind() {
            NoticeKind::CustomersWait if known.due.is_none() => known.mailed_at,
            _ => Some(known.notice.at),
        });
        if until.is_some_and(|until| until >= notice.at) {
            return None;
        }
        let mailed_at = known.and_then(|known| known.mailed_at);
        let waits = mailed_at.filter(|_| !notice.is_of_a_day());
        Some(Self {
            notice: notice.clone(),
            due: Some(waits.map_or(now, |at| now.max(at + notice.kind().pause()))),
            mailed_at,
        })
    }

    /// The state after people were told of the occurrence of that time, by a mailing of this time. A later one that was noted meanwhile waits
    /// for the pause of its kind.
    pub fn after_mailing(&self, of: Timestamp, mailed_at: Timestamp) -> Self {
        let later = match self.notice.kind() {
            // All customers who wait were counted by the mailing.
            NoticeKind::CustomersWait => self.notice.at > mailed_at,
            _ => self.notice.at != of,
        };
        Self {
            due: later.then(|| mailed_at + self.notice.kind().pause()),
            mailed_at: Some(mailed_at),
            ..self.clone()
        }
    }

    /// The state if nobody need be told.
    pub fn without_due_time(&self) -> Self {
        Self {
            due: None,
            ..self.clone()
        }
    }

    /// The state if people are told later.
    pub fn with_due_time(&self, until: Timestamp) -> Self {
        Self {
            due: Some(until),
            ..self.clone()
        }
    }
}

/// Maximum mailings of a tenant in a day (UTC). Later notices wait for the next day. Mailings that only say that
/// customers wait are not counted.
pub const MAX_MAILINGS: u32 = 4;

/// Maximum notices of one mailing. Others wait for the next one.
pub const MAX_TOLD: usize = 50;

/// Maximum notices that a mail describes. It counts the others.
pub const MAX_DESCRIBED: usize = 10;

/// A mailing that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailing {
    pub at: Timestamp,
    /// Keys of its notices.
    pub notices: Vec<String>,
}

/// The mailings of a tenant: how many there were in a day, and the one under way. One row, so that no two are at the same time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailings {
    /// Day of the last one (UTC).
    pub day: Date,
    /// Number of mailings on that day.
    pub count: u32,
    /// The mailing under way. If its worker dies, another one repeats it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<Mailing>,
}

impl Mailings {
    /// Begins a mailing.
    ///
    /// # Errors
    /// The beginning of the next day if there were [`MAX_MAILINGS`] today.
    pub fn begin(known: Option<&Self>, notices: Vec<String>, now: Timestamp) -> Result<Self, Timestamp> {
        let day = day_of(now);
        let count = known.filter(|known| known.day == day).map_or(0, |known| known.count);
        let is_counted = notices != [NoticeKind::CustomersWait.as_str()];
        if is_counted && count >= MAX_MAILINGS {
            return Err(midnight(day.saturating_add(1.day())));
        }
        Ok(Self {
            day,
            count: count + u32::from(is_counted),
            open: Some(Mailing { at: now, notices }),
        })
    }

    /// Ends the mailing that is under way.
    pub fn without_open_mailing(&self) -> Self {
        Self {
            open: None,
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notices::{Matter, Waiting};
    use crate::samples::at;

    const NOON: &str = "2026-11-20T12:00:00Z";

    /// The notice of a customer whose message has been unread since this time.
    fn waiting(since: &str) -> Notice {
        let since = at(since);
        Notice {
            matter: Matter::CustomersWait(Waiting {
                conversations: 1,
                since,
            }),
            name: String::new(),
            at: since,
        }
    }

    #[test]
    fn waiting_customers_are_told_once_an_hour() {
        let first = waiting("2026-11-20T11:50:00Z");
        let told = NoticeState::after_occurrence(&first, None, at(NOON)).unwrap();
        let told = told.after_mailing(first.at, at(NOON));
        assert_eq!(
            NoticeState::after_occurrence(&first, Some(&told), at(NOON)),
            None,
            "the same message"
        );
        let later = waiting("2026-11-20T12:10:00Z");
        let noted = NoticeState::after_occurrence(&later, Some(&told), at("2026-11-20T12:20:00Z")).unwrap();
        assert_eq!(noted.due, Some(at("2026-11-20T13:00:00Z")));
    }

    #[test]
    fn fifth_mailing_of_a_day_waits_for_the_next() {
        let mut known = None;
        for count in 1..=MAX_MAILINGS {
            let begun = Mailings::begin(known.as_ref(), vec!["a".to_owned()], at(NOON)).unwrap();
            assert_eq!(begun.count, count);
            known = Some(begun.without_open_mailing());
        }
        let tomorrow = at("2026-11-21T00:00:00Z");
        let refused = Mailings::begin(known.as_ref(), Vec::new(), at(NOON));
        assert_eq!(refused, Err(tomorrow));
        assert_eq!(Mailings::begin(known.as_ref(), Vec::new(), tomorrow).unwrap().count, 1);
    }

    /// A mailing about waiting customers neither uses up the maximum of a day, nor waits for the next day.
    #[test]
    fn mailings_about_waiting_customers_are_not_counted() {
        let begin = |known: &Mailings, keys: &[&str]| {
            let keys = keys.iter().map(|key| (*key).to_owned()).collect();
            Mailings::begin(Some(known), keys, at(NOON)).map(|begun| begun.count)
        };
        for count in [0, MAX_MAILINGS] {
            let known = Mailings {
                day: day_of(at(NOON)),
                count,
                open: None,
            };
            assert_eq!(begin(&known, &["customers_wait"]), Ok(count));
            let both = begin(&known, &["campaign_paused#a", "customers_wait"]);
            assert_eq!(both.is_ok(), count == 0);
        }
    }
}
