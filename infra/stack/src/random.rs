//! Reproducible choices from a seed, the same on every machine: SplitMix64.

use std::collections::BTreeSet;

use anyhow::{Result, anyhow};
use domain::terms::Phone;

/// A sequence of random numbers.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next random number.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `most`; zero if `most` is zero.
    pub fn below(&mut self, most: usize) -> usize {
        let index = self.roll().checked_rem(most as u64).unwrap_or_default();
        usize::try_from(index).unwrap_or_default()
    }

    /// A random element; `None` if there are none.
    pub fn choose<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }

    /// A random element.
    ///
    /// # Panics
    /// If there are none.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        self.choose(from).expect("there is something to pick from")
    }

    /// A mobile number of the United Arab Emirates.
    pub fn phone(&mut self) -> Result<Phone> {
        let number = format!("+97150{:07}", self.roll() % 10_000_000);
        number.parse().map_err(|error| anyhow!("{error}"))
    }

    /// As many different ones.
    pub fn phones(&mut self, count: usize) -> Result<BTreeSet<Phone>> {
        let mut numbers = BTreeSet::new();
        while numbers.len() < count {
            numbers.insert(self.phone()?);
        }
        Ok(numbers)
    }

    /// Random small letters and digits.
    pub fn letters(&mut self, count: usize) -> String {
        const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
        (0..count).map(|_| char::from(*self.pick(LETTERS))).collect()
    }
}
