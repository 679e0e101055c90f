//! The time, as a value that tests can set.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

/// The current time, to the millisecond, so that stored times are short and equal when read back.
#[derive(Debug, Clone, Default)]
pub struct Clock(Source);

#[derive(Debug, Clone, Default)]
enum Source {
    #[default]
    System,
    Shifted(SignedDuration),
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// The machine's clock, moved by this much: what `cargo stack clock` makes of the local stack's.
    pub const fn new_shifted(by: SignedDuration) -> Self {
        Self(Source::Shifted(by))
    }

    /// A clock for tests, which stands still until it is moved. Copies move together.
    pub fn new_fixed(at: Timestamp) -> Self {
        Self(Source::Fixed(Arc::new(AtomicI64::new(at.as_millisecond()))))
    }

    pub fn now(&self) -> Timestamp {
        let milliseconds = match &self.0 {
            Source::System => Timestamp::now().as_millisecond(),
            Source::Shifted(by) => {
                let moved = Timestamp::now().saturating_add(*by);
                moved.unwrap_or(Timestamp::MAX).as_millisecond()
            }
            Source::Fixed(at) => at.load(Ordering::Relaxed),
        };
        Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::MAX)
    }

    /// A time of the machine's clock by this one: AWS knows no other, so all times from it have to pass here.
    pub fn of_machine(&self, at: Timestamp) -> Timestamp {
        match &self.0 {
            Source::Shifted(by) => at.saturating_add(*by).unwrap_or(Timestamp::MAX),
            Source::System | Source::Fixed(_) => at,
        }
    }

    /// Moves a fixed clock.
    ///
    /// # Panics
    /// On the machine's clock: only tests move time.
    pub fn advance(&self, by: SignedDuration) {
        match &self.0 {
            Source::System | Source::Shifted(_) => panic!("the machine's clock cannot be moved"),
            Source::Fixed(at) => {
                let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
                at.fetch_add(by, Ordering::Relaxed);
            }
        }
    }
}
