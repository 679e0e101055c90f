//! A time limit for a whole piece of work, whatever hangs within it.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

/// Deadline for an answer.
#[derive(Debug, Clone, Copy)]
pub struct TimeLimit(Instant);

/// The time is up, and the work was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the time limit is exceeded")]
pub struct TimeUp;

impl TimeLimit {
    /// A limit of this time from now.
    pub fn of(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    /// Shortens the limit to at most this time from now.
    pub fn at_most(self, time: Duration) -> Self {
        Self(self.0.min(Instant::now() + time))
    }

    /// Half of the remaining time, for the first of two alternatives.
    pub fn half(self) -> Self {
        Self::of(self.0.saturating_duration_since(Instant::now()) / 2)
    }

    /// True if the time is up.
    pub fn is_up(self) -> bool {
        Instant::now() >= self.0
    }

    /// Runs the work, or gives it up when the time is up.
    ///
    /// # Errors
    /// When the time is up.
    pub async fn keep<T>(self, work: impl Future<Output = T>) -> Result<T, TimeUp> {
        timeout_at(self.0, work).await.map_err(|_| TimeUp)
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn hanging_work_is_given_up_at_the_limit() {
        let (began, limit) = (Instant::now(), TimeLimit::of(Duration::from_secs(4)));
        assert_eq!(limit.keep(ready(7)).await, Ok(7));
        let after = |seconds: u64| assert_eq!(began.elapsed().as_secs(), seconds);
        assert_eq!(
            limit.at_most(Duration::from_secs(1)).keep(pending::<()>()).await,
            Err(TimeUp)
        );
        after(1);
        assert_eq!(limit.half().keep(pending::<()>()).await, Err(TimeUp));
        after(2);
        assert_eq!(
            limit.at_most(Duration::from_secs(9)).keep(pending::<()>()).await,
            Err(TimeUp)
        );
        after(4);
        assert_eq!(limit.half().keep(pending::<()>()).await, Err(TimeUp));
        after(4);
    }
}
