//! New ids, as a value that tests can seed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ulid::Ulid;

use crate::Clock;

/// The operating system has no randomness available.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no randomness is available for a secret")]
pub struct SecretError;

/// Generates ULIDs and secrets.
#[derive(Debug, Clone)]
pub struct Ids {
    clock: Clock,
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    Random,
    Seeded(Arc<AtomicU64>),
}

impl Ids {
    /// Random ids with this clock's time.
    pub const fn random(clock: Clock) -> Self {
        Self {
            clock,
            source: Source::Random,
        }
    }

    /// Ids that are equal in every run of a test.
    pub fn from_seed(clock: Clock, seed: u64) -> Self {
        Self {
            clock,
            source: Source::Seeded(Arc::new(AtomicU64::new(seed))),
        }
    }

    pub fn ulid(&self) -> Ulid {
        let time = u64::try_from(self.clock.now().as_millisecond()).unwrap_or(0);
        let random = match &self.source {
            Source::Random => Ulid::generate().random(),
            Source::Seeded(next) => next.fetch_add(1, Ordering::Relaxed).into(),
        };
        Ulid::from_parts(time, random)
    }

    /// A secret of 32 bytes, from the operating system's randomness or, in tests, from the seed.
    ///
    /// # Errors
    /// When the operating system has no randomness to give.
    pub fn secret(&self) -> Result<[u8; 32], SecretError> {
        let mut bytes = [0; 32];
        match &self.source {
            Source::Random => aws_lc_rs::rand::fill(&mut bytes).map_err(|_| SecretError)?,
            Source::Seeded(next) => {
                let number = next.fetch_add(1, Ordering::Relaxed);
                bytes[..8].copy_from_slice(&number.to_be_bytes());
            }
        }
        Ok(bytes)
    }

    /// A random number from 0 up to, but not including, 1.
    pub fn fraction(&self) -> f64 {
        let bits = u32::try_from(self.ulid().random() & u128::from(u32::MAX)).unwrap_or(0);
        f64::from(bits) / (f64::from(u32::MAX) + 1.0)
    }
}
