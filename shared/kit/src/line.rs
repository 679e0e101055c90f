//! Fields of an invocation's log line.
//!
//! A process serves one invocation at a time, so the line belongs to the process. Only numbers, ids and words; never a customer's
//! text or a whole telephone number.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use domain::terms::TenantId;
use store::TenantScope;

/// A value that appears on the line only if all agree on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Common {
    #[default]
    None,
    One(String),
    Many,
}

impl Common {
    fn add(&mut self, value: String) {
        match self {
            Self::None => *self = Self::One(value),
            Self::One(known) if *known == value => {}
            Self::One(_) | Self::Many => *self = Self::Many,
        }
    }

    fn get(&self) -> Option<&str> {
        match self {
            Self::One(value) => Some(value),
            Self::None | Self::Many => None,
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Line {
    tenant: Common,
    correlation_ids: BTreeSet<String>,
    pub(crate) counts: BTreeMap<&'static str, u64>,
    pub(crate) notes: BTreeMap<&'static str, String>,
}

impl Line {
    pub(crate) fn tenant(&self) -> Option<&str> {
        self.tenant.get()
    }

    /// Of the only cause that it was for.
    pub(crate) fn correlation_id(&self) -> Option<&str> {
        let mut ids = self.correlation_ids.iter();
        ids.next().filter(|_| ids.next().is_none()).map(String::as_str)
    }

    /// Of all causes that it was for, if they are several.
    pub(crate) fn correlation_ids(&self) -> Option<&BTreeSet<String>> {
        (self.correlation_ids.len() > 1).then_some(&self.correlation_ids)
    }
}

static LINE: Mutex<Option<Line>> = Mutex::new(None);

fn with(change: impl FnOnce(&mut Line)) {
    let mut line = LINE.lock().unwrap_or_else(PoisonError::into_inner);
    change(line.get_or_insert_default());
}

pub(crate) fn take() -> Line {
    let mut line = LINE.lock().unwrap_or_else(PoisonError::into_inner);
    line.take().unwrap_or_default()
}

/// Tenant of the invocation. Omitted if there were several.
pub fn tenant(scope: &TenantScope) {
    owner(Some(scope.tenant()));
}

/// Tenant of a job. A job without a tenant leaves the line as it is.
pub(crate) fn owner(tenant: Option<TenantId>) {
    if let Some(tenant) = tenant {
        with(|line| line.tenant.add(tenant.to_string()));
    }
}

/// Maximum correlation ids on a line: no queue gives a function more jobs at once.
const MAX_CORRELATION_IDS: usize = 10;

/// Correlation id of the invocation, or of one of its jobs.
pub fn correlation_id(id: &str) {
    with(|line| {
        if line.correlation_ids.len() < MAX_CORRELATION_IDS {
            line.correlation_ids.insert(id.to_owned());
        }
    });
}

/// Adds to a number.
pub fn count(name: &'static str, by: u64) {
    with(|line| *line.counts.entry(name).or_default() += by);
}

/// Sets a word.
pub fn note(name: &'static str, value: impl Into<String>) {
    with(|line| {
        line.notes.insert(name, value.into());
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_is_logged_only_if_all_agree() {
        let mut common = Common::default();
        assert_eq!(common.get(), None);
        common.add("a".to_owned());
        common.add("a".to_owned());
        assert_eq!(common.get(), Some("a"));
        common.add("b".to_owned());
        common.add("a".to_owned());
        assert_eq!(common.get(), None);
    }

    #[test]
    fn a_batch_names_the_causes_of_all_its_jobs() {
        let of = |ids: &[&str]| Line {
            correlation_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
            ..Line::default()
        };
        assert_eq!((of(&[]).correlation_id(), of(&[]).correlation_ids()), (None, None));
        let one = of(&["a", "a"]);
        assert_eq!((one.correlation_id(), one.correlation_ids()), (Some("a"), None));
        let two = of(&["b", "a"]);
        assert_eq!(two.correlation_id(), None);
        assert!(two.correlation_ids().is_some_and(|ids| ids.iter().eq(["a", "b"])));
    }
}
