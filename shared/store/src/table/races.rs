//! Changes that depend on a previous read. After a lost race, they read and decide again, a limited number of times.
//!
//! Nothing here knows what is decided: an attempt is the caller's. The number of attempts is [one for all](RACES), except for writes that are
//! repeated within an attempt: those have a smaller number of their own.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use crate::StoreError;

/// Waits some milliseconds after this many lost races, so that those who lost the same one do not meet again. On AWS, a transaction that
/// another one contends with takes that long, and every attempt of those who retry at once would be lost to it.
///
/// How long is chance, and the only one outside `kit`: no result depends on it.
pub async fn step_aside(races: u32) {
    let longest = 2_u64 << races.min(4);
    let chance = RandomState::new().hash_one(races);
    tokio::time::sleep(Duration::from_millis(1 + chance % longest)).await;
}

/// An error that says whether another attempt may succeed.
pub trait LostRace {
    /// Whether a race was lost, so that reading and deciding again may help.
    fn is_lost_race(&self) -> bool;
}

impl LostRace for StoreError {
    fn is_lost_race(&self) -> bool {
        self.is_conflict()
    }
}

/// Number of attempts of a change that loses races:
///
/// ```ignore
/// RACES.until_won(async || {
///     let before = store.thing(scope, id).await?;
///     store.write_thing(scope, &changed(before)).await
/// })
/// .await
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Races {
    most: u32,
}

/// The attempts of a change: enough for a whole office that joins at once. Whoever loses all of them has waited for less than a second.
pub const RACES: Races = Races::of_attempts(24);

// Attempts are `Fn() -> A` and no `AsyncFn`: of the futures of those the compiler cannot tell that they are `Send`, which
// handlers' futures must be.
impl Races {
    /// This number of attempts, at least one.
    pub const fn of_attempts(most: u32) -> Self {
        Self { most }
    }

    /// Repeats an attempt until it wins. An attempt reads, decides and writes. A race that is lost after its write repeats it,
    /// too, so what follows the write belongs after the attempts unless it may run again.
    ///
    /// # Errors
    /// The first error of an attempt that is no lost race. If every attempt loses, the error of the last one.
    pub async fn until_won<T, E, A>(self, attempt: impl Fn() -> A) -> Result<T, E>
    where
        E: LostRace,
        A: Future<Output = Result<T, E>>,
    {
        self.until_won_from((), async || Ok::<(), E>(()), |()| attempt()).await
    }

    /// As [`until_won`](Self::until_won), but the first attempt uses a known value. After each lost race, the value is `read` again.
    ///
    /// # Errors
    /// As [`Races::until_won`]; that of `read`, also after the last attempt: that the thing is gone says more than that the
    /// race for it was lost.
    pub async fn until_won_from<K, T, E, R, A, F>(
        self,
        known: K,
        read: impl Fn() -> R,
        attempt: impl Fn(K) -> A,
    ) -> Result<T, E>
    where
        E: LostRace + From<F>,
        R: Future<Output = Result<K, F>>,
        A: Future<Output = Result<T, E>>,
    {
        let (mut known, mut races) = (known, 0);
        loop {
            let lost = match attempt(known).await {
                Err(error) if error.is_lost_race() => error,
                done => return done,
            };
            races += 1;
            if races < self.most {
                step_aside(races).await;
            }
            known = read().await?;
            if races >= self.most {
                return Err(lost);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    type Try = Result<&'static str, StoreError>;

    fn lost_race(doing: &'static str) -> Try {
        Err(StoreError::Conflict { doing })
    }

    /// Result and number of attempts if they end like this, one after the other.
    async fn run(races: Races, planned: Vec<Try>) -> (Result<&'static str, String>, usize) {
        let (most, left) = (planned.len(), RefCell::new(planned.into_iter()));
        let won = races.until_won(async || left.borrow_mut().next().unwrap()).await;
        (won.map_err(|error| error.to_string()), most - left.borrow().len())
    }

    #[tokio::test]
    async fn whoever_wins_is_done() {
        assert_eq!(
            run(Races::of_attempts(3), vec![Ok("1st"), Ok("2nd")]).await,
            (Ok("1st"), 1)
        );
        let late = vec![lost_race("1st"), lost_race("2nd"), Ok("3rd")];
        assert_eq!(run(Races::of_attempts(3), late).await, (Ok("3rd"), 3));
    }

    #[tokio::test]
    async fn whoever_loses_every_race_gets_the_last_error() {
        let tries = || vec![lost_race("1st"), lost_race("2nd"), lost_race("3rd"), Ok("too late")];
        let said = |doing: &str| Err(format!("{doing}: somebody else wrote first"));
        assert_eq!(run(Races::of_attempts(3), tries()).await, (said("3rd"), 3));
        assert_eq!(run(Races::of_attempts(1), tries()).await, (said("1st"), 1));
        assert_eq!(run(Races::of_attempts(0), tries()).await, (said("1st"), 1));
    }

    /// Only the lower bound: sleeping may take longer, never shorter.
    #[tokio::test]
    async fn whoever_loses_a_race_steps_aside() {
        let begun = tokio::time::Instant::now();
        let late = vec![lost_race("1st"), lost_race("2nd"), lost_race("3rd"), Ok("4th")];
        assert_eq!(run(Races::of_attempts(4), late).await, (Ok("4th"), 4));
        assert!(begun.elapsed() >= Duration::from_millis(3));
    }

    #[tokio::test]
    async fn other_errors_end_all_attempts() {
        let gone = StoreError::Gone { doing: "2nd" };
        let tries = vec![lost_race("1st"), Err(gone), Ok("never")];
        assert_eq!(
            run(Races::of_attempts(3), tries).await,
            (Err("2nd: it is gone".to_owned()), 2)
        );
    }

    #[tokio::test]
    async fn an_error_of_reading_ends_all_attempts() {
        let read = async || Err::<(), _>(StoreError::Gone { doing: "read" });
        let ended = Races::of_attempts(3)
            .until_won_from((), read, async |()| lost_race("write"))
            .await;
        assert!(ended.is_err_and(|error| error.is_gone()));
        let won = Races::of_attempts(3)
            .until_won_from((), read, async |()| Ok::<_, StoreError>(1))
            .await;
        assert_eq!(won.ok(), Some(1), "nothing is read before a race is lost");
    }
}
