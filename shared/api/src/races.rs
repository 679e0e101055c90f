//! Changes that depend on a previous read. After a lost race, they read and decide again.

use kit::Problem;
use store::{LostRace, OwnedError, StoreError};

/// [`store::Races`] with the caller's answer if every attempt loses:
///
/// ```ignore
/// RACES.until_won(async || {
///     let before = store.thing(who.scope(), id).await?.ok_or_else(Problem::not_found)?;
///     if_match.check(before.version)?;
///     let after = changed(&before.value);
///     store.change_thing(who.scope(), &before, &after, &who.stamp()).await?;
///     Ok(after)
/// })
/// .await
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Races {
    races: store::Races,
    lost: fn() -> Problem,
}

/// The attempts of every change. One that loses all of them gets a 409 of the kind `conflict`.
pub const RACES: Races = Races {
    races: store::RACES,
    lost: lost_every_race,
};

impl Races {
    /// Sets another answer for a change that loses all attempts.
    pub const fn or_else(mut self, lost: fn() -> Problem) -> Self {
        self.lost = lost;
        self
    }

    /// Repeats an attempt until it wins. An attempt reads, decides and writes. `?` on a lost race of the store ends the attempt
    /// and begins the next; any other error ends them all.
    ///
    /// # Errors
    /// What a try says is wrong; the answer for who loses every race.
    pub async fn until_won<T, A>(self, attempt: impl Fn() -> A) -> Result<T, Problem>
    where
        A: Future<Output = Result<T, Setback>>,
    {
        // On the heap, because handlers' futures hold theirs: nested any deeper, the compiler gives up on them.
        let ended = self.races.until_won(|| Box::pin(attempt())).await;
        ended.map_err(|setback| self.problem(setback))
    }

    /// Like [`Self::until_won`], but the first attempt uses a known value. After a lost race, the value is `read`
    /// again.
    ///
    /// # Errors
    /// The error of an attempt or of reading; the answer for losing every race.
    pub async fn until_won_from<K, T, R, A>(
        self,
        known: K,
        read: impl Fn() -> R,
        attempt: impl Fn(K) -> A,
    ) -> Result<T, Problem>
    where
        R: Future<Output = Result<K, Problem>>,
        A: Future<Output = Result<T, Setback>>,
    {
        let ended = self
            .races
            .until_won_from(known, read, |known| Box::pin(attempt(known)))
            .await;
        ended.map_err(|setback| self.problem(setback))
    }

    fn problem(self, setback: Setback) -> Problem {
        match setback {
            Setback::Lost => (self.lost)(),
            Setback::Refused(problem) => problem,
        }
    }
}

fn lost_every_race() -> Problem {
    let detail = "Others are changing the same resource. Try again in a moment.";
    Problem::conflict("conflict", detail)
}

/// Reason why an attempt changed nothing.
#[derive(Debug)]
pub enum Setback {
    /// Lost race: somebody else wrote first, so the read value is outdated.
    Lost,
    /// Another attempt would have the same result.
    Refused(Problem),
}

impl LostRace for Setback {
    fn is_lost_race(&self) -> bool {
        matches!(self, Self::Lost)
    }
}

impl From<StoreError> for Setback {
    fn from(error: StoreError) -> Self {
        if error.is_conflict() {
            Self::Lost
        } else {
            Self::Refused(error.into())
        }
    }
}

impl From<OwnedError> for Setback {
    fn from(error: OwnedError) -> Self {
        StoreError::from(error).into()
    }
}

impl From<Problem> for Setback {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::future::ready;

    use axum::http::StatusCode;

    use super::*;

    const RACES: Races = Races {
        races: store::Races::of_attempts(3),
        ..super::RACES
    };

    type Try = Result<&'static str, Setback>;

    fn conflict() -> StoreError {
        StoreError::Conflict { doing: "write" }
    }

    fn lost_race() -> Try {
        Err(conflict().into())
    }

    /// Result and number of attempts if they end like this, one after the other.
    async fn run(races: Races, planned: Vec<Try>) -> (Result<&'static str, StatusCode>, usize) {
        let (most, left) = (planned.len(), RefCell::new(planned.into_iter()));
        let won = races.until_won(async || left.borrow_mut().next().unwrap()).await;
        let won = won.map_err(|problem| problem.status());
        (won, most - left.borrow().len())
    }

    #[tokio::test]
    async fn who_is_first_writes_once() {
        assert_eq!(run(RACES, vec![Ok("first"), Ok("second")]).await, (Ok("first"), 1));
    }

    #[tokio::test]
    async fn who_loses_tries_again_until_the_last_try() {
        assert_eq!(
            run(RACES, vec![lost_race(), Ok("second"), lost_race()]).await,
            (Ok("second"), 2)
        );
        assert_eq!(
            run(RACES, vec![lost_race(), lost_race(), Ok("third")]).await,
            (Ok("third"), 3)
        );
    }

    #[tokio::test]
    async fn who_loses_every_race_is_told_so() {
        let tries = || vec![lost_race(), lost_race(), lost_race(), Ok("too late")];
        assert_eq!(run(RACES, tries()).await, (Err(StatusCode::CONFLICT), 3));
        let races = RACES.or_else(Problem::unavailable);
        assert_eq!(run(races, tries()).await, (Err(StatusCode::SERVICE_UNAVAILABLE), 3));
        let problem = RACES.until_won(async || lost_race()).await.unwrap_err();
        assert_eq!(
            serde_json::to_value(problem).unwrap(),
            serde_json::json!({
                "type": "urn:ringback:problem:conflict",
                "title": "Conflict",
                "status": 409,
                "detail": "Others are changing the same resource. Try again in a moment.",
            })
        );
    }

    #[tokio::test]
    async fn what_no_other_try_would_mend_ends_all_at_once() {
        let down = StoreError::Database {
            doing: "write",
            source: "down".into(),
        };
        let refused = |setback: Setback| vec![lost_race(), Err(setback), Ok("never")];
        let gone = run(RACES, refused(Problem::not_found().into())).await;
        assert_eq!(gone, (Err(StatusCode::NOT_FOUND), 2));
        let failed = run(RACES, refused(down.into())).await;
        assert_eq!(failed, (Err(StatusCode::SERVICE_UNAVAILABLE), 2));
        // What was a conflict elsewhere, and has its answer already, is no race of this one.
        let answered = run(RACES, refused(Problem::from(conflict()).into())).await;
        assert_eq!(answered, (Err(StatusCode::CONFLICT), 2));
    }

    #[tokio::test]
    async fn what_is_known_is_read_again_only_after_a_race_was_lost() {
        let reads = Cell::new(0);
        let read = async || {
            reads.set(reads.get() + 1);
            Ok(reads.get())
        };
        let from = |known: u32, wins: u32| {
            let attempt = move |known| ready(if known == wins { Ok(known) } else { Err(Setback::Lost) });
            RACES.until_won_from(known, read, attempt)
        };
        assert_eq!(from(0, 0).await.ok(), Some(0));
        assert_eq!(reads.get(), 0);
        assert_eq!(from(0, 2).await.ok(), Some(2));
        assert_eq!(reads.get(), 2);
        assert!(from(0, 0).await.is_ok());
        let problem = from(1, 0).await.unwrap_err();
        assert_eq!((problem.status(), reads.get()), (StatusCode::CONFLICT, 5));
        let gone = async || Err(Problem::not_found());
        let problem = RACES
            .until_won_from((), gone, async |()| lost_race())
            .await
            .unwrap_err();
        assert_eq!(problem.status(), StatusCode::NOT_FOUND);
    }
}
