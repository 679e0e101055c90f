//! Changes of one resource, which all work alike: 404 if it does not exist, 412 if `If-Match` names another version, nothing if
//! nothing changes, and another attempt after a lost race.

use kit::Problem;
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{StoreError, Versioned};

use crate::patch::Patch;
use crate::races::{RACES, Races, Setback};
use crate::replies::IfMatch;

/// The fields of a resource that a `PATCH` can change.
pub trait Patchable: Serialize + DeserializeOwned {
    type Of: PartialEq + Serialize;

    /// These fields of the resource.
    fn of(resource: &Self::Of) -> Self;

    /// The resource with these fields.
    ///
    /// # Errors
    /// 422 that names the fields.
    fn onto(self, before: &Self::Of) -> Result<Self::Of, Problem>;
}

/// Whether a resource is stored as before. Two forms of a telephone number are equal, but not stored alike.
fn is_stored_alike<T: PartialEq + Serialize>(before: &T, after: &T) -> bool {
    let stored = |it: &T| serde_json::to_value(it).ok();
    before == after && stored(before).is_some_and(|before| stored(after) == Some(before))
}

/// The resource, or a 404.
///
/// # Errors
/// 404 when it does not exist; 503 when the table does not answer.
pub async fn require_found<T>(read: impl Future<Output = Result<Option<T>, StoreError>>) -> Result<T, Problem> {
    read.await?.ok_or_else(Problem::not_found)
}

impl<T: Patchable> Patch<T> {
    /// Changes a resource. `read` reads it, `allow` refuses changes that the caller may not make, `write` writes it if nobody
    /// has changed it since and returns it with its new version. A patch that changes nothing writes nothing.
    ///
    /// A lost race is repeated, so that it never reaches a caller without `If-Match`. With `If-Match`, the next attempt finds
    /// another version (412).
    ///
    /// # Errors
    /// 404, 412, 422; the errors of `allow` and `write`; 409 when all attempts lose.
    pub async fn change<R, W>(
        &self,
        if_match: &IfMatch,
        read: impl Fn() -> R,
        allow: impl Fn(&T::Of, &T::Of) -> Result<(), Problem>,
        write: impl Fn(Versioned<T::Of>, T::Of) -> W,
    ) -> Result<Versioned<T::Of>, Problem>
    where
        R: Future<Output = Result<Option<Versioned<T::Of>>, StoreError>>,
        W: Future<Output = Result<Versioned<T::Of>, Setback>>,
    {
        let decide = |before: &T::Of| {
            let after = self.apply(&T::of(before))?.onto(before)?;
            if !is_stored_alike(before, &after) {
                allow(before, &after)?;
            }
            Ok(after)
        };
        RACES.change(if_match, read, decide, write).await
    }
}

impl Races {
    /// Changes a resource as [`Patch::change`] does. `decide` returns the resource after the change.
    pub async fn change<T: PartialEq + Serialize, R, W>(
        self,
        if_match: &IfMatch,
        read: impl Fn() -> R,
        decide: impl Fn(&T) -> Result<T, Problem>,
        write: impl Fn(Versioned<T>, T) -> W,
    ) -> Result<Versioned<T>, Problem>
    where
        R: Future<Output = Result<Option<Versioned<T>>, StoreError>>,
        W: Future<Output = Result<Versioned<T>, Setback>>,
    {
        let (read, decide, write) = (&read, &decide, &write);
        let changed = self.until_won(|| async move {
            let before = require_found(read()).await?;
            if_match.check(before.version)?;
            let after = decide(&before.value)?;
            if is_stored_alike(&before.value, &after) {
                return Ok(before);
            }
            write(before, after).await
        });
        changed.await
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::future::ready;

    use axum::http::{HeaderMap, StatusCode, header};
    use domain::terms::Phone;

    use super::*;

    /// A row that somebody else changes before each of the first writes.
    struct Row {
        found: RefCell<Option<Versioned<u32>>>,
        others: RefCell<u32>,
        writes: RefCell<u32>,
    }

    impl Row {
        fn new(value: u32, others: u32) -> Self {
            Self {
                found: RefCell::new(Some(Versioned { version: 1, value })),
                others: RefCell::new(others),
                writes: RefCell::new(0),
            }
        }

        async fn set(&self, if_match: Option<&str>, value: u32) -> Result<(u64, u32), StatusCode> {
            let sent = if_match.map(|tag| (header::IF_MATCH, tag.parse().unwrap()));
            let if_match = IfMatch::of(&HeaderMap::from_iter(sent)).unwrap();
            let read = || ready(Ok(self.found.borrow().clone()));
            let write = |before: Versioned<u32>, after| {
                *self.writes.borrow_mut() += 1;
                let mut found = self.found.borrow_mut();
                let now = found.as_mut().unwrap();
                if *self.others.borrow() > 0 {
                    *self.others.borrow_mut() -= 1;
                    now.version += 1;
                }
                if now.version != before.version {
                    return ready(Err(StoreError::Conflict { doing: "write" }.into()));
                }
                *now = Versioned {
                    version: before.version + 1,
                    value: after,
                };
                ready(Ok(now.clone()))
            };
            let changed = RACES.change(&if_match, read, |_| Ok(value), write).await;
            changed
                .map(|now| (now.version, now.value))
                .map_err(|problem| problem.status())
        }
    }

    #[tokio::test]
    async fn a_lost_race_is_repeated_without_if_match() {
        assert_eq!(Row::new(1, 0).set(None, 2).await, Ok((2, 2)));
        assert_eq!(Row::new(1, 2).set(None, 2).await, Ok((4, 2)));
        let row = Row::new(1, 99);
        assert_eq!(row.set(None, 2).await, Err(StatusCode::CONFLICT));
        assert_eq!(*row.writes.borrow(), 24);
    }

    #[tokio::test]
    async fn a_lost_race_is_a_412_with_if_match() {
        assert_eq!(Row::new(1, 0).set(Some("\"1\""), 2).await, Ok((2, 2)));
        let row = Row::new(1, 1);
        assert_eq!(row.set(Some("\"1\""), 2).await, Err(StatusCode::PRECONDITION_FAILED));
        assert_eq!(*row.writes.borrow(), 1);
        assert_eq!(
            Row::new(1, 0).set(Some("\"7\""), 2).await,
            Err(StatusCode::PRECONDITION_FAILED)
        );
    }

    #[test]
    fn another_form_of_a_number_is_a_change() {
        let [one, other]: [Phone; 2] = ["+5215512345678", "+525512345678"].map(|number| number.parse().unwrap());
        assert!(one == other && !is_stored_alike(&one, &other));
        assert!(is_stored_alike(&one, &one.clone()));
    }

    #[tokio::test]
    async fn nothing_is_written_if_nothing_changes_or_exists() {
        let row = Row::new(1, 1);
        assert_eq!(row.set(None, 1).await, Ok((1, 1)));
        *row.found.borrow_mut() = None;
        assert_eq!(row.set(None, 2).await, Err(StatusCode::NOT_FOUND));
        assert_eq!(*row.writes.borrow(), 0);
    }
}
